#!/usr/bin/env -S python3 -B
"""Tests the guided tour: it passes where it should, sees what does not hold, and cleans up. TAP."""
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

from tap import Tap

PLACES = ["bp_bootsector", "bp_stage2", "bp_e820", "bp_protected", "bp_long", "bp_kernel",
          "bp_memblock", "bp_mem_map", "bp_buddy", "bp_cpus"]
A_MAP = "tests/e820/trol-piii-byte-granular.map"
LIMIT = 100
MANY = 80  # expectations of all stops together
PROMPT = b"the end > "
MORE = b"end the tour > "
ASM, C = ".asm", ".c"


def tour(command="scripts/tour", **env):
    """Runs command without a terminal, with the variables of env. Returns (status, output)."""
    done = subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=LIMIT, check=False,
                          env={**os.environ, **env})
    return done.returncode, done.stdout.decode("utf-8", "replace")


def stops(output):
    """Returns the names of the stops in output."""
    return re.findall(r"^Stop \d+ of 10: (\w+),", output, re.MULTILINE)


def verdicts(output):
    """Returns (how many expectations held, the lines of those that did not) in output."""
    return (len(re.findall(r"^ {8}ok  ", output, re.MULTILINE)),
            re.findall(r"^ {8}not ok  (.*)", output, re.MULTILINE))


def source_lines(output, label="source"):
    """Returns (file, number, text) of each line of the source that output shows behind label."""
    return [(name, int(number), text) for name, number, text in
            re.findall(rf"^  {label} (\S+?):(\d+)  (.*)$", output, re.MULTILINE)]


def is_source(name, number, text):
    """Returns whether line number of the file name is text, but for blanks around it."""
    with open(name, encoding="utf-8") as file:
        return file.read().split("\n")[number - 1].strip() == text != ""


def check_passing(tap):
    """Checks tours that pass, without a terminal."""
    status, output = tour("exec scripts/tour <&-", AUTO="1")
    tap.check(status == 0, "standard input closed, AUTO=1: status 0", output)
    tap.check(stops(output) == PLACES, "every stop is reached, in order", stops(output))
    held, failed = verdicts(output)
    tap.check(held >= MANY and not failed, f"at least {MANY} expectations, all held",
              (held, failed))
    shown = source_lines(output)
    tap.check(len(shown) == len(PLACES) and all(is_source(*line) for line in shown),
              "every stop shows its line of the source", shown)
    tap.check({os.path.splitext(name)[1] for name, _, _ in shown} == {ASM, C}
              and ("arch/x86_64/entry.asm", "call    start_kernel") in
              [(name, text) for name, _, text in shown], "for assembly and for C", shown)
    callers = source_lines(output, "caller")
    tap.check([(name, text) for name, _, text in callers][-2:] ==
              [("kernel/memory/setup.c", "bp_buddy();"), ("kernel/main.c", "cpus_setup();")]
              and all(is_source(*line) for line in callers), "and the line of the call", callers)
    status, output = tour("scripts/tour | head -1", AUTO="1")
    tap.check("Traceback" not in output, "a reader that goes away ends the tour", output)
    status, output = tour(MAP=A_MAP)
    with open(A_MAP, encoding="utf-8") as file:
        words = [line.split("#")[0].split() for line in file]
    starts = [f"[mem {int(w[0], 0):#018x}-" for w in words if w]
    tap.check(status == 0 and "AUTO=1" in output, "no terminal, another machine's map: status 0",
              output)
    tap.check(verdicts(output)[0] >= MANY and all(start in output for start in starts),
              "the tour shows that map", starts)


def check_failing(tap):
    """Checks tours that do not pass."""
    status, output = tour(FIRMWARE="dl=255")
    failed = verdicts(output)[1]
    tap.check(status == 1 and len(failed) == 1 and failed[0].startswith("DL: 0xff"),
              "a BIOS that passes another drive: status 1, one expectation fails", failed)
    tap.check(stops(output) == PLACES, "after that the tour goes on", stops(output))
    status, output = tour(MEM="foo")
    tap.check(status == 2 and "MEM=foo is not a size like 128M or 1G" in output, "MEM that is no size", output)
    status, output = tour(MEM="4G")
    tap.check(status == 2 and "MEM=4G: Bochs takes 1M to 2048M" in output, "MEM that Bochs has not", output)
    status, output = tour(CPU="nonsense")
    tap.check(status == 1 and "cpu directive malformed.\nBochs has ended" in output
              and "Timestamp" not in output, "a machine that Bochs refuses: its last words", output)
    status, output = tour(CPU="p4_willamette")
    tap.check(status == 1 and stops(output) == PLACES[:2] and "halted" in output,
              "a guest that halts on the way: status 1", output)


class Terminal:
    """scripts/tour on a terminal of its own."""

    def __init__(self, columns=0, rows=0):
        """Starts the tour. A terminal of 0 by 0 is one that does not tell its size."""
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored where the test is a background job
            os.execv("scripts/tour", ["scripts/tour"])
        self.output = b""

    def say(self, line=None, questions=(PROMPT,)):
        """Types line, unless it is None. Returns what is printed up to the next of questions or the
        end."""
        start, end = len(self.output), time.monotonic() + LIMIT
        if line is not None:
            os.write(self.terminal, line)
        while not self.output[start:].endswith(questions) and time.monotonic() < end:
            try:
                if select.select([self.terminal], [], [], 1)[0]:
                    self.output += os.read(self.terminal, 65536)
            except OSError:  # the other side is closed
                break
        return self.output[start:].decode("utf-8", "replace")

    def status(self, line=b""):
        """Waits for the end. Returns the exit status, or None after LIMIT seconds. Types line
        until then again and again, since a Ctrl-C just before a read() is lost on any program."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            with contextlib.suppress(OSError):  # it may be closed by now
                os.write(self.terminal, line)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.5)
        os.kill(self.pid, 9)
        return None


def bochs_of(pid):
    """Returns the children of the process pid that are named bochs."""
    found = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(pid)], stdout=subprocess.PIPE,
                           text=True, check=False).stdout
    return [int(line.split()[0]) for line in found.splitlines() if "bochs" in line]


def check_terminal(tap):
    """Checks the tour on a terminal. On the way the test spoils boot_info's magic, as a user may;
    the next stop that looks at it must see it."""
    guide = Terminal()
    guide.say()
    bochs = bochs_of(guide.pid)
    tap.check(stops(guide.output.decode().replace("\r", "")) == PLACES[:1], "the tour waits at a stop")
    tap.check("past the next stop" in guide.say(b"!c\n"), "a command that would run past a stop is refused")
    for _ in range(4):
        guide.say(b"\n")
    guide.say(b"!setpmem 0x70000 1 0\n")
    tap.check("0x00" in guide.say(b"!xp /1bx 0x70000\n"), "a command goes to the debugger")
    said = guide.say(b"\n").replace("\r", "")
    tap.check(any("boot_info" in line for line in verdicts(said)[1]),
              "the next stop sees what was spoilt", said)
    guide.say(b"q\n")
    tap.check(guide.status() == 1, "q ends the tour: status 1, since something did not hold")
    tap.check(len(bochs) == 1 and not os.path.exists(f"/proc/{bochs[0]}"), "Bochs has ended", bochs)

    guide = Terminal()
    guide.say()
    bochs = bochs_of(guide.pid)
    tap.check(guide.status(b"\x03") == 130, "Ctrl-C ends the tour: status 130")
    tap.check(len(bochs) == 1 and not os.path.exists(f"/proc/{bochs[0]}"), "Bochs has ended", bochs)


def check_size(tap, columns, rows):
    """Checks that the tour shows no more than a terminal of this size holds between two questions,
    from the first stop to the end, with Enter typed at each question."""
    guide, output, tallest, widest = Terminal(columns, rows), "", 0, 0
    said = guide.say(questions=(PROMPT, MORE))
    while said.endswith((PROMPT.decode(), MORE.decode())):
        lines = said.replace("\r", "").split("\n")
        if not said.startswith("\r\n"):  # the echo of Enter ends the line of the question
            lines.insert(0, "")
        tallest, widest = max(tallest, len(lines) - 1), max(widest, *map(len, lines))
        output += said
        said = guide.say(b"\n", (PROMPT, MORE))
    output = (output + said).replace("\r", "")
    status = guide.status()
    size = f"terminal of {columns}x{rows}"
    tap.check(status == 0 and stops(output) == PLACES, f"{size}: Enter leads to the end", output)
    tap.check(tallest == rows and MORE.decode() in output, f"{size}: a full page waits for Enter", tallest)
    tap.check(widest <= columns, f"{size}: no line is wider", widest)
    tap.check("ok  " in output and "not ok  " not in output, f"{size}: all holds", output)


def check_paging(tap):
    """Checks the tour on small terminals, and that it can be left in the midst of a stop."""
    check_size(tap, 80, 24)
    check_size(tap, 60, 15)
    for keys, wanted, name in ((b"q\n", 0, "q"), (b"\x03", 130, "Ctrl-C")):
        guide = Terminal(80, 24)
        said = guide.say(questions=(PROMPT, MORE))
        tap.check(said.encode().endswith(MORE), "the first stop is longer than a page", said)
        status = guide.status(keys)
        said = guide.say()
        tap.check(status == wanted and "Traceback" not in said, f"{name} within a stop: status {wanted}",
                  f"{status} {said}")
        tap.check(name != "q" or "1 of 10 stops reached" in said, f"{name}: it counts the stop",
                  said)


def main():
    tap = Tap()
    check_passing(tap)
    check_failing(tap)
    check_terminal(tap)
    check_paging(tap)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
