#!/usr/bin/env -S python3 -B
"""Tests that memory comes and goes in the running kernel, by QEMU's QMP. TAP.

    tests/hotplug.py [WORD...]          only the tests whose name contains all the words
    tests/hotplug.py --rounds N [WORD]  with so many rounds instead of 16

Each test has a machine of its own, with a prompt on a pipe. A DIMM is plugged by object_add and
device_add, and taken away by device_del, as a host's administrator would do it.
"""
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time

from tap import Tap

BUILD = os.environ.get("B", "build")
PROMPT = "firstpage> "
COUNTS = ("meminfo", "buddyinfo", "free", "zoneinfo", "numa", "hotplug")
MIB = 1 << 20
ROUNDS = 16
WORK_ROUNDS = 6
ASKED = 100  # how often a DIMM is asked for
HELD = (r"^hotplug: slot 0 stays: ([0-9]+ frames in use, first 0x[0-9a-f]+ of order [0-9]+, from fill|"
        r"the allocator is at work on it)\n$")


class Machine:
    """A machine that runs, with its console and its QMP socket."""

    def __init__(self, machine="pc", ready=PROMPT, **env):
        self.directory = tempfile.TemporaryDirectory(prefix="hotplug.", dir=BUILD)
        qmp = os.path.join(self.directory.name, "qmp")
        env = {"MEM": "1G", "SLOTS": "4", "QMP": qmp, "MACHINE": machine, "CMDLINE": "", "MAP": "",
               "NODES": "", "DIMMS": "", "CPU": "max", "CPUS": "1", "QEMUFLAGS": "", **env}
        self.process = subprocess.Popen(["scripts/run"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        env={**os.environ, **env}, start_new_session=True)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        self.text = ""
        self.log = self.wait_for(ready, 60)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(qmp)
        self.socket.settimeout(20)
        self.lines = self.socket.makefile("r", encoding="utf-8")
        self.events = []
        self.lines.readline()
        self.qmp("qmp_capabilities")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(20)
        self.process.stdin.close()
        self.process.stdout.close()
        self.directory.cleanup()

    def wait_for(self, text, limit=20):
        """Returns what the console shows up to text, and that; after limit seconds without it
        raises TimeoutError."""
        end = time.monotonic() + limit
        while text not in self.text:
            if not self.selector.select(max(0, end - time.monotonic())):
                raise TimeoutError(f"no {text!r} after {limit} s, but:\n{self.text}")
            part = os.read(self.process.stdout.fileno(), 65536)
            if not part:
                raise TimeoutError(f"the machine ended before {text!r}, after:\n{self.text}")
            self.text += part.decode("utf-8", "replace").replace("\r", "")
        at = self.text.index(text) + len(text)
        seen, self.text = self.text[:at], self.text[at:]
        return seen

    def type(self, text):
        """Types text, without waiting for anything."""
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def run(self, command, limit=60):
        """Runs a command at the prompt. Returns what it prints."""
        self.type(command + "\n")
        self.wait_for(command + "\n", limit)
        return self.wait_for(PROMPT, limit)[:-len(PROMPT)]

    def answer(self):
        """Returns the next answer of QMP. Events that come before it are kept."""
        while True:
            message = json.loads(self.lines.readline())
            if "event" not in message:
                return message
            self.events.append(message)

    def qmp(self, command, **arguments):
        """Runs a command of QMP. Returns its answer."""
        self.socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        message = self.answer()
        if "error" in message:
            raise RuntimeError(f"{command} {arguments}: {message['error']['desc']}")
        return message["return"]

    def event(self, name, limit=20):
        """Waits for an event of QMP with this name. Returns its data."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            for event in self.events:
                if event["event"] == name:
                    self.events.remove(event)
                    return event.get("data", {})
            self.socket.settimeout(max(0.1, end - time.monotonic()))
            self.events.append(json.loads(self.lines.readline()))
        raise TimeoutError(f"no event {name}")

    def plug(self, name, mib, node=None, **more):
        """Plugs a DIMM of so many MiB."""
        self.qmp("object-add", **{"qom-type": "memory-backend-ram", "id": name + "ram",
                                  "size": mib * MIB, "reserve": False})
        extra = {} if node is None else {"node": node}
        self.qmp("device_add", driver="pc-dimm", id=name, memdev=name + "ram", **extra, **more)

    def unplug(self, name):
        """Asks for a DIMM, and gives its memory to the host when it has gone."""
        self.qmp("device_del", id=name)
        self.gone(name)

    def gone(self, name):
        """Waits until a DIMM that was asked for has gone, and gives its memory to the host."""
        while self.event("DEVICE_DELETED").get("device") != name:
            pass
        self.qmp("object-del", id=name + "ram")

    def hmp(self, line):
        """Runs a line of QEMU's monitor for people."""
        return self.qmp("human-monitor-command", **{"command-line": line})

    def counts(self):
        """Returns all that the kernel says of its memory and that must come back as it was."""
        return without_traces("".join(map(self.run, COUNTS)))


def without_traces(said):
    """Returns what COUNTS print, but for what does not come back."""
    return re.sub(r"^MemMapTouched:.*\n|^last refusal:.*\n", "", said, flags=re.M)


def total(machine):
    """Returns the MiB of RAM that the allocator has."""
    return int(re.search(r"^MemTotal: +(\d+) kB", machine.run("meminfo"), re.M)[1]) >> 10


def fill(machine):
    """Allocates every frame. Returns the heads, as {pfn in hexadecimal: name of the zone}."""
    held = {}
    for flags in ("", " DMA"):  # without it, the last of zone DMA is kept for requests of that zone
        for order in range(18, -1, -1):
            while got := re.search(r"pfn 0x(\w+) order \d+ zone (\w+)",
                                   machine.run(f"alloc {order}{flags}")):
                held[got[1]] = got[2]
    return held


def there_at_power_on(tap, kind):
    """DIMMS= are used from the beginning, on the right node."""
    with Machine(kind, DIMMS="1G,1G@1", NODES="1G,0") as m:
        said = m.run("hotplug")
        tap.check("slot 0: [mem 0x0000000100000000-0x000000013fffffff] 1024 MB, node 0, plugged\n"
                  "slot 1: [mem 0x0000000140000000-0x000000017fffffff] 1024 MB, node 1, plugged\n"
                  "slot 2: empty\nslot 3: empty\n" == said, f"{kind}: hotplug lists the slots", said)
        tap.check("hotplug: slot 1: [mem 0x0000000140000000-0x000000017fffffff] added, node 1\n"
                  in m.log, f"{kind}: the log says what was added", m.log)
        tap.check(total(m) in range(3050, 3072), f"{kind}: the allocator has it", m.run("meminfo"))
        said = m.run("numa")
        tap.check("node 1 size: 1024 MB" in said and "local: 100 %" in said,
                  f"{kind}: numa has it on its node", said)
        said = m.run("iomem")
        tap.check("100000000-13fffffff : System RAM" in said or
                  "100000000-17fffffff : System RAM" in said, f"{kind}: iomem has it", said)
        said = m.run("selftest", 120)
        tap.check("not ok" not in said and "ok 19" in said, f"{kind}: the self-test passes", said)


def plug_at_the_prompt(tap, kind):
    """A DIMM is there within a second, and goes again, while a line is being typed."""
    with Machine(kind) as m:
        before = m.counts()
        m.type("memin")
        m.wait_for("memin")
        start = time.monotonic()
        m.plug("d1", 1024)
        said = m.wait_for("added, node 0\n")
        took = time.monotonic() - start
        tap.check(took < 1, f"{kind}: a DIMM is added within a second", took)
        tap.check("hotplug: slot 0: [mem 0x0000000100000000-0x000000013fffffff] added, node 0\n"
                  in said, f"{kind}: the log says so", said)
        shown = m.wait_for(PROMPT + "memin")
        m.type("fo\n")
        said = m.wait_for(PROMPT)
        tap.check("MemTotal:        20" in said, f"{kind}: the line being typed is kept", shown + said)
        tap.check(m.event("ACPI_DEVICE_OST")["info"]["status"] == 0, f"{kind}: the host is told")
        m.unplug("d1")
        said = m.wait_for("removed\n")
        tap.check("hotplug: slot 0: [mem 0x0000000100000000-0x000000013fffffff] removed\n" in said,
                  f"{kind}: the log says that it was removed", said)
        m.wait_for(PROMPT)
        after = m.counts()
        tap.check(before == after, f"{kind}: every count is as before", f"{before}\n{after}")


def asked_at_the_prompt(tap, kind):
    """`hotplug remove` gives a DIMM back to the host."""
    with Machine(kind, DIMMS="512M") as m:
        said = m.run("hotplug remove 0")
        tap.check("removed\n" in said and "failed" not in said, f"{kind}: hotplug remove", said)
        tap.check(m.event("DEVICE_DELETED")["device"] == "dimm0", f"{kind}: the device is gone")
        said = m.run("hotplug remove 0")
        tap.check("slot 0 is empty\n" in said and "failed (1)" in said,
                  f"{kind}: an empty slot has nothing to remove", said)
        said = m.run("hotplug remove 9")
        tap.check("slot 9 does not exist\n" in said, f"{kind}: a slot that is not there", said)
        said = m.run("hotplug remove")
        tap.check("usage: hotplug [remove SLOT]" in said, f"{kind}: usage", said)


def in_use(tap, kind):
    """A DIMM of which a frame is in use stays, and the host and the user are told why."""
    with Machine(kind, MEM="128M", CMDLINE="page_owner=on") as m:
        m.plug("d1", 256)
        m.wait_for(PROMPT)
        held = []
        for order in (18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6):
            for _ in range(3):
                said = m.run(f"alloc {order}")
                got = re.search(r"pfn 0x([0-9a-f]+) order \d+ zone (\w+)", said)
                if not got:
                    break
                held.append((got[1], got[2]))
        ours = [pfn for pfn, zone in held if zone == "Hotplug"]
        before = m.run("free") + m.run("buddyinfo")
        m.qmp("device_del", id="d1")
        said = m.wait_for(" stays: ") + m.wait_for("\n")
        tap.check(re.search(r"hotplug: slot 0 stays: [0-9]+ frames in use, first 0x[0-9a-f]+ of "
                            r"order [0-9]+, from \w+\n", said), f"{kind}: it says who", said)
        m.wait_for(PROMPT)
        data = m.event("ACPI_DEVICE_OST")["info"]
        while data["source"] == 1:  # of the insertion
            data = m.event("ACPI_DEVICE_OST")["info"]
        tap.check((data["source"], data["status"]) == (3, 0x81), f"{kind}: the host is told", data)
        tap.check(m.run("free") + m.run("buddyinfo") == before, f"{kind}: all is as before")
        said = m.run("hotplug")
        tap.check("last refusal: slot 0 stays: " in said, f"{kind}: hotplug has the reason", said)
        for pfn in ours:
            m.run(f"release 0x{pfn}")
        said = m.run("hotplug remove 0")
        tap.check(ours and "removed\n" in said, f"{kind}: then it can be removed", said)


def no_frame_free(tap, kind):
    """Memory is added although none is free."""
    with Machine(kind, MEM="64M", DIMMS="1G") as m:
        before = m.counts()
        said = m.run("bench hotadd.taken")  # removes the DIMM, takes all frames, adds it
        tap.check("bench hotadd.taken 0 bytes\n" in said, f"{kind}: a DIMM is added", said)
        tap.check(m.counts() == before, f"{kind}: and every count is as before")


def full_at_the_prompt(tap, kind):
    """With every frame allocated a DIMM is added, used, refused while it is in use, and removed."""
    with Machine(kind, MEM="32M", CMDLINE="page_owner=on") as m:
        held = fill(m)
        said = m.run("meminfo")
        tap.check(re.search(r"^MemFree: +0 kB", said, re.M), f"{kind}: no frame is free", said)
        before = m.counts()
        m.plug("d1", 256)
        said = m.wait_for("added, node 0\n")
        m.wait_for(PROMPT)
        first = re.search(r"pfn 0x(\w+) order 3 zone (\w+)", m.run("alloc 3"))
        other = re.search(r"pfn 0x(\w+) order 0 zone (\w+)", m.run("alloc 0"))
        tap.check(first and other and first[2] == other[2] == "Hotplug",
                  f"{kind}: then requests get its frames", said)
        least = min(first, other, key=lambda got: int(got[1], 16))
        m.qmp("device_del", id="d1")
        said = m.wait_for(" stays: ") + m.wait_for("\n")
        tap.check(f"hotplug: slot 0 stays: 9 frames in use, first 0x{least[1]} of order "
                  f"{3 if least is first else 0}, from cmd_alloc\n" in said,
                  f"{kind}: how many frames, and who has the first", said)
        m.wait_for(PROMPT)
        m.run(f"release 0x{first[1]}")
        m.run(f"release 0x{other[1]}")
        m.unplug("d1")
        m.wait_for("removed\n")
        m.wait_for(PROMPT)
        after = m.counts()
        tap.check(before == after, f"{kind}: every count is as before", f"{before}\n{after}")
        for pfn in held:
            m.run(f"release 0x{pfn}")
        said = m.run("selftest", 120)
        tap.check("not ok" not in said and "ok 19" in said, f"{kind}: the self-test passes", said)


def in_the_way(tap, kind):
    """A DIMM where the firmware's map has something is not used, and can leave."""
    path = os.path.join(BUILD, "hotplug.map")
    with open(path, "w", encoding="ascii") as file:
        file.write("0 0x9fc00 1\n0x100000 0x3fee0000 1\n0x3ffe0000 0x20000 2\n0x100000000 0x1000 2\n")
    with Machine(kind, MAP=path) as m:
        before = m.counts()
        m.plug("d1", 256)
        said = m.wait_for(PROMPT)
        tap.check("hotplug: slot 0: [mem 0x0000000100000000-0x000000010fffffff] is not used: the firmware's "
                  "map has [mem 0x0000000100000000-0x0000000100000fff] " in said,
                  f"{kind}: it says why it is not used", said)
        data = m.event("ACPI_DEVICE_OST")["info"]
        tap.check((data["source"], data["status"]) == (1, 1), f"{kind}: the host is told", data)
        said = m.run("hotplug")
        tap.check("slot 0: [mem 0x0000000100000000-0x000000010fffffff] 256 MB, node 0, not used\n" in said,
                  f"{kind}: hotplug shows it", said)
        m.plug("d2", 256)
        said = m.wait_for(PROMPT)
        tap.check("slot 1: [mem 0x0000000110000000-0x000000011fffffff] added, node 0\n" in said,
                  f"{kind}: the next is used", said)
        m.unplug("d2")
        m.wait_for(PROMPT)
        m.unplug("d1")
        after = m.counts()
        tap.check(before == after, f"{kind}: every count is as before", f"{before}\n{after}")


def at_progress_points(tap, kind):
    """stress notices a DIMM within a round; memtest and bench notice one while they work."""
    with Machine(kind, MEM="256M") as m:
        for number, command in enumerate(("stress 1", "memtest 4", "bench worst0")):
            m.type(command + "\n")
            m.wait_for(command + "\n")
            m.plug(f"d{number}", 128)
            said = m.wait_for("added, node 0\n", 60)
            tap.check(PROMPT not in said, f"{kind}: {command} notices a DIMM", said)
            m.type("\3")
            m.wait_for(PROMPT, 60)
            m.wait_for(PROMPT, 20) if PROMPT in m.text else None


def ejected_by_surprise(tap, kind):
    """A DIMM that goes without a request is noticed, and the kernel goes on."""
    with Machine(kind) as m:
        before = m.counts()
        m.plug("d1", 1024)
        m.wait_for(PROMPT)
        m.hmp("o /w 0xa00 0")
        m.hmp("o /b 0xa14 8")
        m.plug("d2", 128)  # rises GPE0's bit: the slots are looked at
        said = m.wait_for("added, node 0\n")
        tap.check("is gone without notice, 0 frames were in use\n" in said,
                  f"{kind}: it says so", said)
        m.unplug("d2")
        m.wait_for("removed\n")
        m.wait_for(PROMPT)
        after = m.counts()
        tap.check(before == after, f"{kind}: every count is as before", f"{before}\n{after}")
        said = m.run("selftest", 120)
        tap.check("not ok" not in said and "ok 19" in said, f"{kind}: the self-test passes", said)


def lost_in_use(tap, kind):
    """What was allocated in a DIMM that goes without a request is lost; the kernel goes on."""
    with Machine(kind, MEM="32M") as m:
        held = fill(m)
        m.plug("d1", 256)
        m.wait_for(PROMPT)
        before = m.run("alloc 4")
        m.hmp("o /w 0xa00 0")
        m.hmp("o /b 0xa14 8")
        m.plug("d2", 128)
        said = m.wait_for("added, node 0\n")
        tap.check("zone Hotplug" in before and "is gone without notice, 16 frames were in use\n" in said,
                  f"{kind}: it says how many frames are lost", before + said)
        m.wait_for(PROMPT)
        for pfn in held:
            m.run(f"release 0x{pfn}")
        said = m.run("selftest", 120)
        tap.check("not ok" not in said and "ok 19" in said, f"{kind}: the self-test passes", said)


def two_in_one_gib(tap, kind):
    """Of two DIMMs in one GiB the first leaves."""
    with Machine(kind, DIMMS="256M,512M") as m:
        one = m.run("hotplug remove 0")
        said = m.run("selftest", 120)
        tap.check("removed" in one and "not ok" not in said, f"{kind}: the first leaves", one + said)
        said = m.run("hotplug remove 1") + m.run("hotplug")
        tap.check("removed" in said and "slot 1: empty" in said, f"{kind}: and the second", said)


def last_of_a_node(tap, kind):
    """The last memory of a node leaves, and other memory comes."""
    with Machine(kind, NODES="1G,0") as m:
        for number in range(3):
            m.plug("d1", 256 << number, 1)
            said = m.wait_for(PROMPT)
            size = m.run("numa")
            tap.check("added, node 1" in said and f"node 1 size: {256 << number} MB" in size,
                      f"{kind}: node 1 has memory", said + size)
            m.unplug("d1")
            said = m.wait_for(PROMPT) + m.run("numa")
            tap.check("node 1 size: 0 MB" in said, f"{kind}: node 1 has none", said)


def limited(tap, kind):
    """mem= holds for what is added."""
    with Machine(kind, CMDLINE="mem=1200M", DIMMS="1G,1G") as m:
        tap.check("slot 0: of [mem" in m.log and ": mem= allows no more" in m.log,
                  f"{kind}: a part is used", m.log)
        said = m.run("hotplug")
        tap.check("slot 1: [mem" in said and "not used" in said, f"{kind}: and no more", said)
        tap.check(total(m) in range(1180, 1200), f"{kind}: the total is right", m.run("meminfo"))


def rounds(tap, kind):
    """Plug, use, free, unplug: every count comes back, each time."""
    with Machine(kind, MEM="256M") as m:
        before = m.counts()
        wrong = ""
        for number in range(ROUNDS):
            m.plug("d1", (1024, 768, 896, 640)[number % 4])
            m.wait_for(PROMPT)
            used = m.run("bench shuffled0")  # 100,000 frames, more than the rest has
            wrong = wrong or ("" if "bench shuffled0" in used else used)
            m.unplug("d1")
            m.wait_for(PROMPT)
            after = m.counts()
            if after != before and not wrong:
                wrong = f"round {number}:\n{before}\n{after}"
        tap.check(not wrong, f"{kind}: {ROUNDS} rounds leave every count as it was", wrong)
        said = m.run("selftest", 120)
        tap.check("not ok" not in said and "ok 19" in said, f"{kind}: the self-test passes", said)


def ask_until_gone(m, name):
    """Asks for a DIMM, again and again while it stays. Returns how often it stayed, and the answers
    that do not say who holds it."""
    stayed, wrong = 0, ""
    while True:
        m.qmp("device_del", id=name)
        said = m.wait_for("hotplug: slot 0") + m.wait_for("\n")
        if said.endswith("] removed\n"):
            break
        if not re.search(HELD, said):
            wrong += said
        if stayed == ASKED:
            raise TimeoutError(f"it stays, asked {ASKED} times:\n{said}")
        stayed += 1
        time.sleep(0.02 * stayed)
    m.gone(name)
    return stayed, wrong


def rounds_while_all_work(tap, kind):
    """A DIMM comes and goes while all CPUs allocate and free."""
    machine, cpus = kind.split()
    line = f"page_owner=on run={';'.join(COUNTS)};stress 1000000"
    with Machine(machine, f"CPUs at work: {cpus}\n", MEM="128M", CPUS=cpus, CMDLINE=line) as m:
        before = m.log[m.log.index(PROMPT + COUNTS[0]):m.log.index(PROMPT + "stress")]
        before = without_traces(re.sub(f"^{PROMPT}.*\n", "", before, flags=re.M))
        wrong, stayed = "", 0
        for number in range(WORK_ROUNDS):
            m.plug("d1", (128, 64, 96, 32)[number % 4])
            wrong += "".join(re.findall("^hotplug: .*not used.*$", m.wait_for("added, node 0\n"), re.M))
            time.sleep(0.2 * (number % 4))  # a round of stress, or less, so that it is in use or not
            more, complaints = ask_until_gone(m, "d1")
            stayed += more
            wrong += complaints
        m.type("\3")
        said = m.wait_for(PROMPT, 60)
        tap.check(not wrong, f"{kind} CPUs: {WORK_ROUNDS} rounds while all work, {stayed} times it was "
                  "in use", wrong)
        tap.check(re.search(rf"^stress: CPUs {cpus}, frames verified [1-9]\d*, wrong 0,", said, re.M)
                  and "all memory is free again, mm_check found no error\n" in said,
                  f"{kind} CPUs: nothing is lost, and all frames hold what was written", said)
        after = m.counts()
        tap.check(before == after, f"{kind} CPUs: every count is as before", f"{before}\n{after}")


def page_lines():
    """Yields (prompt, command, the lines that it prints) for each command in docs/hotplug.md."""
    with open("docs/hotplug.md", encoding="utf-8") as file:
        blocks = re.findall(r"(?ms)^```console\n(.*?)^```$", file.read())
    for prompt, command, printed in re.findall(
            r"(?m)^(firstpage> |\(qemu\) )(.*)\n((?:(?!firstpage> |\(qemu\) ).*\n)*)", "".join(blocks)):
        yield prompt, command, printed


def the_page(tap, kind):
    """What docs/hotplug.md shows is what happens."""
    with Machine(kind, MEM="128M", SLOTS="2", CMDLINE="page_owner=on") as m:
        said = []
        for prompt, command, printed in page_lines():
            if prompt == PROMPT:
                got = m.run(command)
            else:
                got = m.hmp(command).replace("\r", "")
                if "hotplug: " in printed:
                    got += m.wait_for(PROMPT)[:-len(PROMPT)].lstrip("\n")
                if command.startswith("device_del") and "removed" in printed:
                    m.event("DEVICE_DELETED")
            if got != printed:
                said.append(f"{prompt}{command}\n{got}instead of\n{printed}")
        tap.check(not said and command, f"{kind}: docs/hotplug.md", "\n".join(said))


BOTH = (there_at_power_on, plug_at_the_prompt, in_use, rounds)
ONE = (asked_at_the_prompt, no_frame_free, full_at_the_prompt, in_the_way, at_progress_points,
       ejected_by_surprise, lost_in_use, two_in_one_gib, last_of_a_node, limited,
       the_page)


def main():
    global ROUNDS, WORK_ROUNDS
    words = sys.argv[1:]
    if words[:1] == ["--rounds"]:
        ROUNDS = WORK_ROUNDS = int(words[1])
        words = words[2:]
    tap = Tap()
    tests = [(test, kind) for test in BOTH for kind in ("pc", "q35")] + [(test, "pc") for test in ONE]
    tests += [(rounds_while_all_work, kind) for kind in ("pc 8", "q35 2")]
    for test, kind in tests:
        if not all(word in f"{test.__name__} {kind}" for word in words):
            continue
        try:
            test(tap, kind)
        except (TimeoutError, RuntimeError, OSError) as error:
            tap.check(False, f"{kind}: {test.__name__}", error)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
