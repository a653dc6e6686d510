"""One boot with a verdict, and many boots side by side: for tests/boot.py and tests/matrix.py."""
import concurrent.futures
import contextlib
import functools
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

import bundle

BUILD = os.environ.get("B", "build")
LOGS = os.path.join(BUILD, "test-logs", "boot")
CASES = []
VGA_TEXT, COLUMNS, ROWS = 0xb8000, 80, 25
RUNNING = set()  # processes, each the leader of its group
INTERRUPTED = threading.Event()


@contextlib.contextmanager
def launched(argv, env, stdin=subprocess.DEVNULL):
    """Starts argv, with env as its environment, in a process group of its own, and yields the
    process. run_cases() ends all such groups when it is interrupted."""
    if INTERRUPTED.is_set():
        raise KeyboardInterrupt
    with subprocess.Popen(argv, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=env, start_new_session=True) as run:
        RUNNING.add(run)
        try:
            yield run
        finally:
            RUNNING.discard(run)


def end(run):
    """Ends a process of launched() and its whole group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(run.pid, 15)


class Case:
    """One boot and its verdict. A case adds itself to CASES when it is made.

      limit     seconds that it may take
      status    the status that scripts/run, scripts/bochs or scripts/debug must end with
      says      patterns that must be found in the output
      selftest  whether the output must hold a self-test that passes
      damage    a function that changes the copy of the image whose path it is given
      rc, gdb   commands for Bochs's debugger or for gdb; the case then runs in that debugger
      same_map  whether `e820` must show the same map as without FIRMWARE
      sample    whether the case is part of `make test`
      also      a function that takes the output and returns a complaint or None
      shows     a pattern whose first group is what the matrix's table shows of the output
      env       variables of the boot, as CMDLINE and MEM
    """

    def __init__(self, name, limit=60, status=0, says=(), selftest=False, damage=None, rc=None,
                 gdb=None, same_map=False, sample=True, also=None, shows=None, **env):
        self.name, self.limit, self.status, self.says = name, limit, status, says
        self.selftest, self.damage, self.rc, self.gdb = selftest, damage, rc, gdb
        self.same_map, self.sample, self.also, self.shows = same_map, sample, also, shows
        self.env = {key: str(value) for key, value in env.items()}
        CASES.append(self)

    def command(self, directory):
        """Returns the command and the environment of the boot. Files that they need are put into
        directory."""
        env = {**os.environ, **self.env}
        if self.damage:
            env["B"] = directory
            subprocess.run(["cp", os.path.join(BUILD, "disk.img"), directory], check=True)
            self.damage(os.path.join(directory, "disk.img"))
        for script, variable, text in (("bochs", "BOCHS_RC", self.rc),
                                       ("debug", "GDB_RC", self.gdb)):
            if text is not None:
                env[variable] = os.path.join(directory, "rc")
                with open(env[variable], "w", encoding="ascii") as file:
                    file.write(text)
                return ["scripts/" + script], env
        return ["scripts/run"], env

    def run(self):
        """Boots. Returns (complaint or None, output)."""
        with tempfile.TemporaryDirectory(prefix="boot.", dir=BUILD) as directory:
            argv, env = self.command(directory)
            with launched(argv, env) as run:
                try:
                    output = run.communicate(timeout=self.limit)[0]
                    return self.judge(run.returncode, output.decode("utf-8", "replace"))
                except subprocess.TimeoutExpired:
                    end(run)
                    output = run.communicate()[0].decode("utf-8", "replace")
                    return self.judge(None, output)

    def judge(self, status, output):
        """Returns (complaint or None, output). status is None when the boot was ended from
        outside, as a Stop is."""
        output = output.replace("\r", "")
        for pattern in self.says:
            if not re.search(pattern, output, re.MULTILINE):
                return f"did not print {pattern}", output
        if self.status == "stop":
            good = status is None and self.end.decode() in output
            return None if good else f"did not come to {self.end}", output
        if self.status != status:
            return f"status {status} instead of {self.status}", output
        if self.same_map and map_lines(output) != plain_map(self.rc is not None,
                                                            self.env.get("MACHINE", ""),
                                                            self.env.get("BIOS", "")):
            return "another memory map than without FIRMWARE", output
        complaint = ktap_complaint(output) if self.selftest else None
        if not complaint and self.also:
            complaint = self.also(output)
        return complaint, output

    def seen(self, output):
        """Returns what the table of the matrix shows of output, or an empty string."""
        match = re.search(self.shows, output, re.MULTILINE) if self.shows else None
        return match[1] if match else ""


def map_lines(output):
    """Returns the lines of output that show the raw map, without attributes, and the corrected
    one."""
    return re.findall(r"^(?:BIOS-)?e820: [^,\n]*", output, re.MULTILINE)


@functools.cache
def plain_map(bochs, machine, bios):
    """Boots without firmware faults, in Bochs when bochs is true, else in QEMU, on that machine
    and BIOS. Returns the lines of its memory map."""
    env = {**os.environ, "CMDLINE": "run=e820;exit 0", "MACHINE": machine, "BIOS": bios}
    done = subprocess.run(["scripts/bochs" if bochs else "scripts/run"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env, timeout=120,
                          check=True)
    lines = map_lines(done.stdout.decode("utf-8", "replace").replace("\r", ""))
    if not lines:
        raise RuntimeError("a plain boot shows no memory map")
    return lines


def ktap_complaint(output):
    """Returns None when every self-test in output ran and passed, else what is wrong."""
    plan = re.findall(r"^1\.\.(\d+)$", output, re.MULTILINE)
    good = re.findall(r"^ok \d+ ", output, re.MULTILINE)
    bad = re.findall(r"^not ok .*$", output, re.MULTILINE)
    if bad:
        return bad[0]
    if not plan or int(plan[-1]) * len(plan) != len(good):
        return f"plans {plan}, {len(good)} tests passed"
    return None


class Stop(Case):
    """A boot that does not end by itself: it is ended as soon as it has printed end."""

    def __init__(self, name, says, end, **rest):
        super().__init__(name, status="stop", says=says, **rest)
        self.end = end.encode()

    def run(self):
        with tempfile.TemporaryDirectory(prefix="boot.", dir=BUILD) as directory:
            argv, env = self.command(directory)
            with launched(argv, env) as run:
                timer = threading.Timer(self.limit, end, (run,))
                timer.start()
                output, status = b"", None
                while byte := os.read(run.stdout.fileno(), 4096):
                    output += byte
                    if self.end in output:
                        break
                else:
                    status = run.wait()
                timer.cancel()
                if run.poll() is None:
                    end(run)
                return self.judge(status, output.decode("utf-8", "replace"))


class Screen(Stop):
    """A boot that is judged by the text on its VGA screen, which is read through QEMU's monitor."""

    def run(self):
        with tempfile.TemporaryDirectory(prefix="boot.", dir=BUILD) as directory:
            argv, env = self.command(directory)
            monitor, text = os.path.join(directory, "monitor"), ""
            env["QEMUFLAGS"] = f"-monitor unix:{monitor},server=on,wait=off"
            deadline = time.monotonic() + self.limit
            with launched(argv, env) as run:
                while self.end.decode() not in text and time.monotonic() < deadline:
                    time.sleep(0.5)
                    if run.poll() is not None:
                        return f"status {run.returncode}, nothing on the screen", text
                    if os.path.exists(monitor):
                        text = screen_text(directory, monitor)
                end(run)
            return self.judge(None, text)


def screen_text(directory, monitor):
    """Asks QEMU's monitor, at the socket monitor, for the VGA text memory. Returns it as lines;
    directory is for the file that QEMU writes."""
    name = os.path.join(directory, "screen")
    with contextlib.suppress(FileNotFoundError):
        os.remove(name)
    with socket.socket(socket.AF_UNIX) as to:
        to.connect(monitor)
        to.sendall(f'pmemsave {VGA_TEXT:#x} {2 * COLUMNS * ROWS} "{name}"\n'.encode())
        while not os.path.exists(name) or os.path.getsize(name) < 2 * COLUMNS * ROWS:
            time.sleep(0.05)
    with open(name, "rb") as file:
        cells = file.read()[::2].decode("cp437")
    return "\n".join(cells[i:i + COLUMNS] for i in range(0, len(cells), COLUMNS))


class Dialogue(Case):
    """A boot to which words are typed. dialogue is a list of (pattern, words): the words are typed
    when the pattern has appeared in the output since the last ones."""

    def __init__(self, name, dialogue, **rest):
        super().__init__(name, **rest)
        self.dialogue = dialogue

    def run(self):
        env = {**os.environ, **self.env}
        with launched(["scripts/run"], env, subprocess.PIPE) as run:
            timer = threading.Timer(self.limit, end, (run,))
            timer.start()
            output, seen = "", 0
            for pattern, words in self.dialogue:
                while not re.search(pattern, output[seen:]):
                    byte = os.read(run.stdout.fileno(), 4096)
                    if not byte:
                        break
                    output += byte.decode("utf-8", "replace")
                seen = len(output)
                run.stdin.write(words.encode())
                run.stdin.flush()
            output += run.communicate()[0].decode("utf-8", "replace")
            timer.cancel()
            return self.judge(run.returncode, output)


class PostCard(Case):
    """A boot that is also judged by its progress codes. codes are the bytes that it must write to
    port 80h, in hexadecimal, as a POST card would show them."""

    def __init__(self, name, codes, **rest):
        super().__init__(name, **rest)
        self.codes = codes

    def run(self):
        with tempfile.NamedTemporaryFile() as port:
            self.env["QEMUFLAGS"] = (f"-chardev file,id=post,path={port.name} "
                                     "-device isa-debugcon,iobase=0x80,chardev=post")
            complaint, output = super().run()
            shown = port.read().hex(" ")
        if not complaint and shown != self.codes:
            complaint = f"port 80h has {shown}"
        return complaint, output


class StopPostCard(PostCard, Stop):
    """A PostCard of a boot that does not end by itself."""


class ShiftHeld(Case):
    """A boot during which the SHIFT key of the emulated keyboard is held, from before POST until
    the boot has ended. The key repeats as on a real keyboard, since POST resets the keyboard,
    which forgets the key. SeaBIOS shows its boot menu and waits, so that a busy host has time to
    press the key again."""

    KEY = {"execute": "input-send-event", "arguments": {"events": [
        {"type": "key", "data": {"down": True, "key": {"type": "qcode", "data": "shift"}}}]}}

    def run(self):
        with tempfile.TemporaryDirectory(prefix="qmp.") as directory:
            path = os.path.join(directory, "qmp")
            self.env["QEMUFLAGS"] = (f"-S -qmp unix:{path},server=on,wait=off "
                                     "-boot menu=on,splash-time=1000")
            done = threading.Event()
            hand = threading.Thread(target=self.hold, args=(path, done))
            hand.start()
            try:
                return super().run()
            finally:
                done.set()
                hand.join()

    def hold(self, path, done):
        """Starts the guest through QEMU's socket at path, and presses the key again and again
        until the event done is set."""
        with socket.socket(socket.AF_UNIX) as qmp:
            while qmp.connect_ex(path) and not done.wait(0.01):
                pass
            try:
                qmp.sendall(b'{"execute": "qmp_capabilities"}{"execute": "cont"}')
                while not done.wait(0.03):
                    qmp.sendall(json.dumps(self.KEY).encode())
            except OSError:  # QEMU has ended
                pass


def finish(tap, case, complaint, output, seconds):
    """Reports the result of a case to tap: for a failed one with the end of its output. It also
    writes a bundle for that, and says where."""
    if complaint:
        lines = ["".join(c if c.isprintable() else "?" for c in line) for line in output.splitlines()]
        complaint = "\n".join([complaint, *lines[-20:], bundle.of_case(case, output, sys.argv[0])])
    tap.check(not complaint, f"{case.name} ({seconds:.1f} s)", complaint or "")


def timed(case):
    """Runs a case. Returns (complaint or None, output, seconds)."""
    start = time.monotonic()
    complaint, output = case.run()
    return complaint, output, time.monotonic() - start


def run_cases(tap, cases):
    """Runs cases, two at a time, and reports each to tap when it ends. Returns [(case, complaint,
    what was seen, seconds)], in the order of cases."""
    results = {}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        futures = {pool.submit(timed, case): case for case in cases}
        try:
            for future in concurrent.futures.as_completed(futures):
                case = futures[future]
                complaint, output, seconds = future.result()
                finish(tap, case, complaint, output, seconds)
                results[case] = case, complaint, case.seen(output), seconds
        except KeyboardInterrupt:
            INTERRUPTED.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for run in list(RUNNING):
                end(run)
            raise
    return [results[case] for case in cases]
