#!/usr/bin/python3 -B
"""Tests the monitor's prompt: help, wrong arguments, Tab, long output on the VGA screen, exit. TAP.

    tests/monitor.py [WORD...]     only the tests whose name contains all the words

The guest, its terminal and its VGA screen are those of screens.py.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

import guest
from screens import BUILD, Guest, PROMPT, learn_glyphs, read_back
from tap import run_tests

WIDTH, HEIGHT = 79, 25
FIRST_LINE = (r"(?m)^help lists the commands, help COMMAND explains one; Tab completes words\.\n"
              + PROMPT)
MORE = "-- more --"
QCODES = {" ": "spc", "\r": "ret", "\t": "tab"}
TO_THE_END = "\x1b[F\x15"  # End and Ctrl-U: an empty line


def commands():
    """Returns the names of all commands, from the tables in the source."""
    names = []
    for path in glob.glob("kernel/monitor/cmd_*.c"):
        with open(path, encoding="utf-8") as file:
            for table in re.findall(r"(?s)struct command \w+\[\] = \{(.*?)\n\};", file.read()):
                names += re.findall(r'\{ "(\w+)",', table)
    return names


def boot(**env):
    """Returns a guest at its first prompt."""
    machine = Guest(80, 25, **env)
    machine.wait(lambda: machine.text.endswith("\n" + PROMPT), "the prompt")
    return machine


def words(line):
    """Boots with line as the commands of run=. Returns (status, output)."""
    return guest.run(["scripts/run"], 60, CMDLINE="run=" + line, MEM="16M")


# ---- help ----

# These take long, or end the machine.
NOT_RUN = {"selftest", "stress", "reboot", "poweroff", "exit", "panic", "trace"}


def helps(tap):
    with boot(DIMMS="128M", CMDLINE="page_owner=on") as machine:
        tap.check(len(re.findall(FIRST_LINE, machine.text)) == 1, "the first prompt points to help",
                  machine.text)
        listed = machine.command("help")
        lines, names = listed.splitlines(), commands()
        tap.check(len(lines) <= HEIGHT - 2 and max(map(len, lines)) <= WIDTH, "help fits a screen",
                  listed)
        found = re.findall(r"(?m)^(\w+) +", listed) + re.findall(r"(?m)^.{40}(\w+) +", listed)
        tap.check(len(names) > 25 and set(names) <= set(found), "help lists every command",
                  f"{listed}\nmissing: {set(names) - set(found)}")
        tap.check(lines[-1].startswith("help COMMAND explains one"), "help tells of help COMMAND",
                  listed)
        for name in names:
            said = machine.command("help " + name)
            match = re.fullmatch(rf"usage: {name}( .*)?\n(?:.+\n)+example: ({name}( .+)?)\n", said)
            good = match and max(map(len, said.splitlines())) <= WIDTH and said.count("\n") < 7
            tap.check(good, f"help {name}", said)
            if good and name not in NOT_RUN:
                said = machine.command(match[2])
                good = "failed (" not in said or (name == "misuse" and "failed (1)" in said)
                tap.check(good, f"the example: {match[2]}", said)
        tap.check(len(re.findall(FIRST_LINE, machine.text)) == 1, "later prompts do not")
        after_a_panic(tap, machine)


def after_a_panic(tap, machine):
    """Has machine panic, by the example of the command, and ends it."""
    def at_panic(line):
        start = len(machine.text)
        machine.type(line + "\r")
        machine.wait(lambda: machine.text[start:].endswith("\npanic> "), "panic>")
        return machine.text[start:]

    said = machine.command("help panic")
    tap.check("on that CPU or else on this one" in said, "help panic tells which CPU", said)
    example = re.search("example: (.*)", said)[1]
    at_panic(example)
    said = at_panic("trace 0")
    tap.check("RIP" in said and "failed" not in said, "the example: trace 0", said)
    said = at_panic("help")
    tap.check(re.search(r"(?m)^buddyinfo +free blocks", said) and "allocates" not in said,
              "help after a panic", said)
    said = at_panic("free 1")
    tap.check("free: takes no arguments" in said, "wrong arguments after a panic", said)
    machine.type("all\tdm\x01\x04\x04\x04\x05\t")
    machine.wait(lambda: machine.shown().rstrip().endswith("panic> dmesg"), "dmesg, completed")
    tap.check(True, "Tab after a panic")
    machine.type("\x15exit 0\r")
    tap.check(machine.run.wait(20) == 0, "exit 0 after a panic")


# ---- wrong arguments ----

WITHOUT = ("dmesg", "cpu", "bios", "reboot", "poweroff", "e820", "iomem", "memblock", "buddyinfo",
           "zoneinfo", "meminfo", "free", "selftest", "numa", "page_owner")

FLAGS = "KERNEL ATOMIC DMA32 DMA ZERO THISNODE HIGH UNMOVABLE"
TWO_ZONES = "DMA and DMA32 are different zones: only one of them is possible"

# Lines that the prompt refuses: the line, the message, whether the usage follows.
REFUSED = [(f"{name} 0x1000", f"{name}: takes no arguments", True) for name in WITHOUT] + [
    ("help nonsense", "nonsense: no such command; help lists them", False),
    ("help free page", "help: takes at most 1 argument", True),
    ("page", "page: an argument is missing", True),
    ("page 1 2", "page: takes at most 1 argument", True),
    ("page x", "x is not a frame number below 0x400000000", False),
    ("page 1x", "1x is not a frame number below 0x400000000", False),
    ("page 0x400000000", "0x400000000 is not a frame number below 0x400000000", False),
    ("alloc", "alloc: an argument is missing", True),
    ("alloc x", "x is not an order from 0 to 18", False),
    ("alloc 19", "19 is not an order from 0 to 18", False),
    ("alloc -1", "-1 is not an order from 0 to 18", False),
    ("alloc 0 DMA|", "DMA|: a flag is missing after |", False),
    ("alloc 0 |DMA", "|DMA: a flag is missing before |", False),
    ("alloc 0 DMA||ZERO", "DMA||ZERO: a flag is missing before |", False),
    ("alloc 0 FROB", f"FROB is not one of {FLAGS}", False),
    ("alloc 0 DMA DMA32", TWO_ZONES, False),
    ("alloc 0 GFP_DMA|ZERO|__GFP_DMA32", TWO_ZONES, False),
    ("alloc 0" + " ZERO" * 10, "alloc: takes at most 9 arguments", True),
    ("alloc 18", "no free block of order 18; zones that may serve this request: DMA32, DMA", False),
    ("alloc 13 DMA", "no free block of order 13; zones that may serve this request: DMA", False),
    ("release", "release: an argument is missing", True),
    ("release x", "x is not a frame number below 0x400000000", False),
    ("release 0", "pfn 0x0 is not the first frame of an allocation by alloc", False),
    ("release last", "alloc has allocated nothing since the last release", False),
    ("bench x", "x: no row has an id that begins so; bench list prints them", False),
    ("bench pair0 pair1", "bench: takes at most 1 argument", True),
    ("hotplug nonsense", "nonsense is not remove", True),
    ("hotplug remove", "hotplug remove: SLOT is missing", True),
    ("hotplug remove x", "x is not the number of a slot", False),
    ("hotplug remove 0 1", "hotplug: takes at most 2 arguments", True),
    ("memtest x", "x is not a number of passes, 1 to N, nor list", False),
    ("memtest 0", "0 is not a number of passes, 1 to N, nor list", False),
    ("memtest list x", "memtest: takes at most 1 argument", True),
    ("map x", "x is not a frame number from 0 to N", True),
    ("map once junk", "junk is not a frame number from 0 to N", True),
    ("map once 0x400000000", "0x400000000 is not a frame number from 0 to N", True),
    ("map once 1 junk", "junk is not an order from 0 to 34", True),
    ("map once 1 35", "35 is not an order from 0 to 34", True),
    ("map 1 2 3", "3 is too much", True),
    ("map once 1 2 3", "map: takes at most 3 arguments", True),
    ("stress x", "x is not a number of rounds", True),
    ("stress 1 x", "x is not a seed", True),
    ("stress 1 2 3", "stress: takes at most 2 arguments", True),
    ("panic x", "x is not the number of a CPU that is online", False),
    ("panic 1", "1 is not the number of a CPU that is online", False),
    ("panic 0 0", "panic: takes at most 1 argument", True),
    ("trace", "trace: an argument is missing", True),
    ("trace 0", "CPU 0 was not stopped by a panic", False),
    ("misuse", "misuse: an argument is missing", True),
    ("misuse x", "x is not one of double-free free-reserved free-absent free-interior wrong-order "
     "use-after-free deaf-cpu", True),
    ("exit x", "exit: x is not a number from 0 to 125", False),
    ("exit 126", "exit: 126 is not a number from 0 to 125", False),
    ("exit 0 0", "exit: takes at most 1 argument", True),
    ("nonsense", "nonsense: no such command; try help", False),
]


def refusals(tap):
    with boot() as machine:
        for line, why, with_usage in REFUSED:
            said = machine.command(line)
            name = line.split()[0]
            expected = (re.escape(why).replace("to\\ N", r"to \d+") + "\n"
                        + (rf"usage: {name}.*\n" if with_usage else "")
                        + rf"{name}: failed \(-?\d+\)\n")
            tap.check(re.fullmatch(expected, said), f"refused: {line}", said)
        said = machine.command(" x" * 17)
        tap.check(said == "more than 16 words: not run\n", "refused: 17 words", said)
        tap.check(set(commands()) == {line.split()[0] for line, _, _ in REFUSED} - {"nonsense"},
                  "each command is refused something")
        said = machine.command("bench list")
        tap.check("pair0 " in said and max(map(len, said.split("\n"))) <= WIDTH, "bench list", said)
        said = machine.command("alloc 0;; page x ;release last")
        tap.check(re.fullmatch(r"pfn .*\nx is not a frame number .*\npage: failed \(1\)\nreleased pfn .*\n",
                               said), "several commands in a line", said)
        kept = machine.command("alloc 0") and machine.command("release last")
        tap.check(kept.startswith("released pfn"), "release last", kept)
        keeps_for_others(tap, machine)


def keeps_for_others(tap, machine):
    """Allocates until only what zone DMA keeps is left."""
    for order in range(14, -1, -1):
        while machine.command(f"alloc {order}").startswith("pfn"):
            pass
    said = machine.command("alloc 0")
    tap.check(re.match(r"no free block of order 0; .*: DMA32, "
                       r"DMA \(has one, but keeps \d+ frames for others\)\n", said),
              "an allocation that fails says what a zone keeps", said)


# ---- Tab ----

# keys, the line that they make, the column of its cursor, what is listed above it
TABS = [
    ("he\t", "help ", 5, ""),
    ("mem\t", "mem", 3, ""),
    ("mem\t\t", "mem", 3, "memblock meminfo memtest"),
    ("mem\ti\t", "meminfo ", 8, ""),
    ("pa\t\t", "pa", 2, "page page_owner panic"),
    ("x\t\t", "x", 1, ""),
    ("help bud\t", "help buddyinfo ", 15, ""),
    ("alloc 3 \t\t", "alloc 3 ", 8, FLAGS),
    ("alloc 3 D\t", "alloc 3 DMA", 11, ""),
    ("alloc 3 DMA|Z\t", "alloc 3 DMA|ZERO ", 17, ""),
    ("release \t", "release last ", 13, ""),
    ("misuse f\t\t", "misuse free-", 12, "free-reserved free-absent free-interior"),
    ("bench scale2.\t\t", "bench scale2.", 13, "scale2.empty scale2.pair0 scale2.pair3"),
    ("bench lo\t\t", "bench lo", 8, "lost local lock"),
    ("bench lis\t", "bench list ", 11, ""),
    ("map \t", "map once ", 9, ""),
    ("memtest \t", "memtest list ", 13, ""),
    ("hotplug r\t", "hotplug remove ", 15, ""),
    ("free \t\t", "free ", 5, ""),
    ("pag 1\x1b[D\x1b[D\t", "page 1", 4, ""),
    ("memi\x1b[D\t\x1b[C\t", "meminfo ", 8, ""),
    ("buddo\x1b[D\t", "buddyinfo ", 10, ""),
    ("meminfo\x1b[D\x1b[D\x1b[D\t", "meminfo ", 8, ""),
    ("h lp\x01\x1b[C\x04e\t", "help ", 5, ""),
    ("free; meminf\t", "free; meminfo ", 14, ""),
]


def tabs(tap):
    with boot() as machine:
        for keys, line, column, listed in TABS:
            machine.type(TO_THE_END + "\x0c" + keys)
            expected = "\n".join(([listed] if listed else []) + [(PROMPT + line).rstrip()])

            def complaint():
                at = machine.screen.cursor.x - len(PROMPT)
                rest = machine.shown().rstrip()
                rest = rest.partition("\n")[2] if listed else rest
                return rest != expected or at != column
            wrong = machine.comes_to(complaint, 3)
            tap.check(not wrong, f"Tab: {keys.encode('unicode_escape').decode()}",
                      f"not {line!r} with the cursor at {column}:\n{wrong}")
        machine.type(TO_THE_END + "\x0c")
        machine.wait(lambda: machine.shown().strip() == PROMPT.strip(), "an empty screen")
        for key in "he\tfre\t\r":
            press(machine, key)
        machine.wait(lambda: machine.text.endswith("\n" + PROMPT), "help free")
        tap.check("usage: free\n" in machine.text, "Tab on the keyboard", machine.text[-500:])


# ---- the VGA screen ----

def press(machine, key):
    """Presses the key of a character on the PS/2 keyboard."""
    keys = [{"type": "qcode", "data": "ctrl"}] if key == "\x03" else []
    code = "c" if key == "\x03" else QCODES.get(key, key)
    machine.ask_qemu("send-key", keys=keys + [{"type": "qcode", "data": code}], **{"hold-time": 1})
    machine.ask_qemu("query-status")


class Screen:
    """The VGA screen of a machine, and its keyboard."""

    def __init__(self, machine):
        self.machine, self.glyphs = machine, learn_glyphs(machine)
        self.clear()

    def clear(self):
        """Makes line and screen empty, by the serial line."""
        self.machine.type("\x0c")
        self.machine.wait(lambda: self.machine.shown().strip() == PROMPT.strip(), "an empty screen")

    def lines(self):
        """Returns what the screen shows."""
        picture = self.machine.dump()
        return ["".join(read_back(picture, row, column, self.glyphs)
                        for column in range(80)).rstrip() for row in range(HEIGHT)]

    def comes_to(self, expected, keys=""):
        """Presses keys, and waits until the screen's last lines that are not empty are those of
        expected. Returns None, or what is there instead."""
        for key in keys:
            press(self.machine, key)

        def complaint():
            shown = "\n".join(self.lines()).rstrip("\n").split("\n")
            return None if shown[-len(expected):] == expected else "\n".join(shown)
        return self.machine.comes_to(complaint, 5)


def folded(text):
    """Returns the lines of text as a screen of 80 columns shows them."""
    return [line[i:i + 80].rstrip() for line in text.splitlines()
            for i in range(0, max(len(line), 1), 80)]


def map_of_many(path):
    """Writes a map of 128 MiB to path, for which e820 prints more than three screens."""
    with open(path, "w", encoding="utf-8") as file:
        file.write("0x0 0x9fc00 1 1\n0x0 0x0 0\n0x100000 0x6f00000 1 9\n0x7040000 0x1000 1 0\n")
        for base in range(0x7000000, 0x7040000, 0x2000):
            file.write(f"{base:#x} 0x1000 {2 + base // 0x2000 % 3}\n")


def map_file(path):
    """Returns the entries that replay reads from the file at path, as lines."""
    done = subprocess.run([f"{BUILD}/host/replay", "--map-file", path], capture_output=True,
                          text=True, timeout=60, check=False)
    return done.stdout.splitlines()[1:]


def pages(tap):
    with tempfile.TemporaryDirectory(prefix="monitor.", dir=BUILD) as directory:
        path = os.path.join(directory, "map")
        map_of_many(path)
        with boot(MAP=path, MEM="128M") as machine:
            with open(path + ".log", "w", encoding="utf-8") as file:
                file.write(machine.command("e820"))
            page_through(tap, machine)
        given, read = map_file(path), map_file(path + ".log")
        tap.check(len(given) > 30 and read == given, "replay reads what e820 prints", read)


def page_through(tap, machine):
    """Has the output of e820 stop on the screen of machine, in each way, and then after a panic."""
    lines = folded(machine.command("e820"))
    screen, page = Screen(machine), HEIGHT - 1

    def check(name, keys, expected):
        wrong = screen.comes_to(expected, keys)
        tap.check(not wrong, name, wrong)

    tap.check(len(lines) > 2 * page + 1 and MORE not in machine.text, "a long output", lines)
    start = len(machine.text)
    check("more after a page", "e820\r", lines[:page] + [MORE])
    tap.check(not machine.text[start:].endswith(PROMPT), "the serial line waits, too")
    check("Enter: a line more", "\r", lines[1:page + 1] + [MORE])
    check("another key: nothing", "x", lines[1:page + 1] + [MORE])
    check("blank: a page more", " ", lines[page + 1:2 * page + 1] + [MORE])
    check("q: the prompt", "q", [lines[2 * page], PROMPT.rstrip()])
    machine.wait(lambda: machine.text.endswith("\n" + PROMPT), "the prompt")
    said = folded(machine.text[start:-len(PROMPT)].partition("\n")[2])
    tap.check(said == lines, "all of it on the serial line, without more", machine.text[start:])
    check("Ctrl-C: the prompt", "e820\r\x03", [lines[page - 1], PROMPT + "^C", PROMPT.rstrip()])
    machine.type("e820\r")
    check("typed on the serial line: no more", "", lines[-page:] + [PROMPT.rstrip()])
    typed_ahead(tap, machine, screen, lines)
    typed_on_serial(tap, machine, screen, lines)
    for key in "panic\r":
        press(machine, key)
    machine.wait(lambda: machine.text.endswith("\npanic> "), "panic>")
    check("after a panic: more", "e820\r", lines[:page] + [MORE])
    check("after a panic: the rest is not shown", "q", [lines[page - 1], "panic>"])


def typed_ahead(tap, machine, screen, lines):
    """Types commands while another one runs whose output then stops: the keys are the prompt's."""
    screen.clear()
    start = len(machine.text)
    for key in "memtest 4\re820\rnuma\r":
        press(machine, key)
    wrong = screen.comes_to(lines[:HEIGHT - 1] + [MORE])
    tap.check(not wrong, "keys typed before more are not its answer", wrong)
    press(machine, "q")
    machine.wait(lambda: re.search(r"(?s)> numa\n.*\n" + PROMPT + "$", machine.text[start:]),
                 "numa")
    said = machine.text[start:]
    tap.check("available: 1 nodes" in said, "but are the prompt's", said)


def typed_on_serial(tap, machine, screen, lines):
    """Types a command on the serial line, where more is not shown, while the screen waits."""
    screen.clear()
    start = len(machine.text)
    wrong = screen.comes_to(lines[:HEIGHT - 1] + [MORE], "e820\r")
    machine.type("numa\r")
    machine.wait(lambda: re.search(r"(?s)> numa\n.*\n" + PROMPT + "$", machine.text[start:]), "numa")
    said = machine.text[start:].partition("\n" + PROMPT + "numa\n")
    shown = screen.comes_to([PROMPT.rstrip()])
    tap.check(not wrong and folded(said[0].partition("e820\n")[2]) == lines
              and "available: 1 nodes" in said[2] and not shown,
              "a key on the serial line ends more, and is the prompt's", wrong or machine.text[start:])


# ---- run= and exit ----

# the commands of run=, the status with which the run ends
RUNS = [("free;exit", 0), ("free 1;free;exit", 1), ("nonsense;exit", 1), ("free 1;exit 0", 0),
        ("free;exit 3", 3), ("page" + " 1" * 16 + ";exit", 1), ("page " + "1" * 256 + ";exit", 1)]


def exits(tap):
    for line, status in RUNS:
        got, said = words(line)
        tap.check(got == status and not re.search(FIRST_LINE, said),
                  f"run={line[:40]}: status {status}", f"{got}\n{said}")
    with boot(CMDLINE="run=free") as machine:
        tap.check(re.search("(?m)^free \\[(?s:.*)" + FIRST_LINE.removeprefix("(?m)"), machine.text),
                  "after run=, the first prompt points to help", machine.text)
        machine.command("free 1")
        machine.type("exit\r")
        tap.check(machine.run.wait(20) == 0, "a command that failed at the prompt: exit is 0")
    with boot(CMDLINE="run=free 1") as machine:
        machine.type("exit\r")
        tap.check(machine.run.wait(20) == 1, "one of run= that failed: exit at the prompt is 1")


if __name__ == "__main__":
    sys.exit(run_tests([helps, refusals, tabs, pages, exits]))
