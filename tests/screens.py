#!/usr/bin/python3 -B
"""Tests the picture of memory as it appears on a serial terminal, on the VGA screen, in a pipe. TAP.

    tests/screens.py [WORD...]     only the tests whose name contains all the words

What is expected is computed here, from what e820, iomem, memblock, free and dmesg print in the same
boot. The terminal is pyte's; the VGA screen is QEMU's screendump, read by glyphs that were typed
before. /usr/bin/python3 is the interpreter that the distribution's pyte belongs to.
"""
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

import pyte

from tap import Tap

BUILD = os.environ.get("B", "build")
PROMPT = "firstpage> "
FRAME = 4096
MAX_PFN = 1 << 34
SAYS = "dmesg;e820;iomem;memblock;free;meminfo"  # the commands from whose output Machine is made
ROW = re.compile(r"^ *([0-9a-f]+) (.*)$")
SCALE = re.compile(r"a cell is .*?, (\d+) frame")
LETTERS = {"usable": "X", "ACPI data": "A", "ACPI NVS": "V", "unusable": "U",
           "persistent (type 7)": "P", "persistent (type 12)": "P"}
NAMES = {"-": "nothing", "F": "firmware", "A": "ACPI data", "V": "NVS", "U": "unusable",
         "P": "persistent", "X": "left out"}


# ---- what a picture must show ----

class Paint:
    """Frames and what they are. Of several kinds laid on a frame the first counts."""

    def __init__(self):
        self.parts = [(0, MAX_PFN, None)]

    def lay(self, start, end, kind):
        """Gives kind to the frames of [start, end) that have none."""
        parts = []
        for a, b, old in self.parts:
            low, high = max(a, start), min(b, end)
            if old is not None or low >= high:
                parts.append((a, b, old))
                continue
            parts += [(a, low, None)] if a < low else []
            parts.append((low, high, kind))
            parts += [(high, b, None)] if high < b else []
        self.parts = parts

    def count(self, start, end):
        """Returns {kind: frames} of [start, end); frames without a kind count as -."""
        counts = {}
        for a, b, kind in self.parts:
            frames = min(b, end) - max(a, start)
            if frames > 0:
                counts[kind or "-"] = counts.get(kind or "-", 0) + frames
        return counts


def frames_in(pattern, text, inwards=False):
    """Yields (start, end, third group or None) for each match of pattern in text. The first two
    groups are a range of bytes with its end inclusive; it is returned in frames, rounded outwards,
    or inwards when inwards is set."""
    for match in re.finditer(pattern, text, re.MULTILINE):
        start, last = int(match[1], 16), int(match[2], 16)
        start, end = (-(-start // FRAME), (last + 1) // FRAME) if inwards else (
            start // FRAME, last // FRAME + 1)
        yield start, min(end, MAX_PFN), match[3] if match.re.groups > 2 else None


def bytes_in(pattern, text):
    """Returns [(first, last)], in bytes, for each match of pattern in text."""
    return [(int(a, 16), int(b, 16)) for a, b in re.findall(pattern, text, re.MULTILINE)]


class Machine:
    """What the picture must show, from what the commands of one boot have printed."""

    def __init__(self, text):
        corrected = text[text.index("corrected,"):]
        e820 = list(frames_in(r"^e820: \[mem 0x(\w+)-0x(\w+)\] (.*)$", corrected))
        memory, reserved = re.search(r"(?s)^memory\n(.*?)^reserved\n(.*?)^\S", text,
                                     re.MULTILINE).groups()
        region = r"0x(\w+)\.\.0x(\w+)"
        self.memory = list(frames_in(region, memory, inwards=True))
        self.words = {"E820": bytes_in(r"^BIOS-e820: \[mem 0x(\w+)-0x(\w+)\]",
                                       text[text.index("\nraw,"):]),
                      "corrected": bytes_in(r"^e820: \[mem 0x(\w+)-0x(\w+)\]", corrected),
                      "memory": bytes_in(region, memory), "reserved": bytes_in(region, reserved)}
        self.zones = set(frames_in(r"^zone (?=.*\[mem 0x(\w+)-0x(\w+)\])(\w+)", text))
        self.nodes = list(frames_in(r"^NODE (?=\d+: \[mem 0x(\w+)-0x(\w+)\])(\d+)", text))
        reserved = list(frames_in(region, reserved))
        kernel = list(frames_in(r"^  (\w+)-(\w+) : Kernel", text))
        self.mem_map = int(re.search(r"MemMap: +(\d+) kB", text)[1]) // 4
        self.paint, self.areas = Paint(), Paint()
        for start, end, _ in frames_in(r"^free \[mem 0x(\w+)-0x(\w+)\]$", text):
            self.paint.lay(start, end, ".")
        self.paint.lay(min(k[0] for k in kernel), max(k[1] for k in kernel), "K")
        for start, end, _ in self.memory:
            self.areas.lay(start, end, "ram")
            for a, b, _ in reserved:
                self.paint.lay(max(a, start), min(b, end), "R")
            self.paint.lay(start, end, "#")
        for ram in (False, True):
            for start, end, name in e820:
                if (name == "usable") == ram:
                    for paint in (self.paint, self.areas):
                        paint.lay(start, end, LETTERS.get(name, "F"))
        self.end = min(max(end for _, end, _ in e820 + self.memory), MAX_PFN)

    def area(self, pfn):
        """Returns (start, end, kind) of the stretch around pfn that is RAM, or one kind of other
        memory."""
        return next((a, b, kind or "-") for a, b, kind in self.areas.parts if a <= pfn < b)

    def cell(self, start, end):
        """Returns the characters that the cell [start, end) may have. Where mem_map lies, no
        command tells, so M is possible wherever memory is reserved."""
        counts = self.paint.count(start, end)
        if "K" in counts:
            return "K"
        used, free, reserved = (counts.get(kind, 0) for kind in "#.R")
        other = max(((counts[kind], -i) for i, kind in enumerate("FAVUPXR") if kind in counts),
                    default=(0, 0))
        if used + free and used + free >= other[0]:
            tenths = used * 10 // (used + free)
            looks = "." if not used else "#" if not free else str(max(tenths, 1))
        else:
            looks = "FAVUPXR"[-other[1]] if other[0] else "-"
        return looks + "M" if reserved else looks

    def margin(self, start, end, room=80):
        """Returns what stands right of the row [start, end), where there is room for so many
        characters: the letters of its zones and, if the machine has several nodes, the numbers of
        those with memory there, of which there are at most two."""
        names = {name for a, b, name in self.zones if a < end and start < b}
        letters = "".join(c for c, name in zip("D3N", ("DMA", "DMA32", "Normal")) if name in names)
        nodes = "-".join(sorted({node for a, b, node in self.nodes for low, high, _ in self.memory
                                 if max(a, low, start) < min(b, high, end)}))
        if not nodes:
            return letters
        nodes = nodes if len(nodes) + 2 <= room else "*"
        return letters[-(room - len(nodes) - 1):] + " " + nodes

    def line(self, pfn, row):
        """Returns (start, end, kind) of the line at pfn, with row frames a line; kind is None, or
        that of a folded stretch."""
        start = pfn // row * row
        end = min(start + row, self.end)
        a, b, kind = self.area(start)
        if kind == "ram" or b < end:
            return start, end, None
        return -(-a // row) * row, self.end if b >= self.end else b // row * row, kind

    def lines(self, columns, order, top=0, most=1 << 60):
        """Returns at most most lines, as line() has them, from the frame top on."""
        lines = []
        while top < self.end and len(lines) < most:
            lines.append(self.line(top, columns << order))
            top = lines[-1][1]
        return lines

    def whole_order(self, columns, rows):
        """Returns the least order at which the picture of the whole machine fits into rows
        lines."""
        return next(order for order in range(40)
                    if len(self.lines(columns, order, 0, rows + 1)) <= rows)

    def complaint_about_words(self, screen):
        """Returns None, or what is wrong with the last lines of screen, which tell of each list
        the first entry that the range under the cursor touches and how many more there are."""
        start, last = (int(n, 16) for n in re.search(r"(?m)^\[mem 0x(\w+)-0x(\w+)\]",
                                                     screen).groups())
        for name, said in (("E820", r"E820: entry (\d+)[^(;\n]*(?:\(\+(\d+)\))?"),
                           ("corrected", r"corrected (\d+) [^(\n]*(?:\(\+(\d+)\))?"),
                           ("memory", r"memblock: memory (\d+) [^(\n]*(?:\(\+(\d+)\))?"),
                           ("reserved", r"memblock: reserved (\d+) [^(\n]*(?:\(\+(\d+)\))?")):
            touched = [i for i, (a, b) in enumerate(self.words[name]) if a <= last and b >= start]
            match = re.search(said, screen)
            found = (int(match[1]), int(match[2] or 0)) if match else None
            if found != ((touched[0], len(touched) - 1) if touched else None):
                return f"of {name} the words say {found} instead of {touched}"
        nodes = self.margin(start // FRAME, last // FRAME + 1).partition(" ")[2]
        found = re.search(r"(?m)^\[mem 0x.*, nodes? ([\d-]+);", screen)
        return None if (found[1] if found else "") == nodes else f"the words do not name node {nodes}"

    def complaint(self, shown, columns, order, top):
        """Returns None, or how shown, the lines of a picture, differs from what must be there."""
        lines = self.lines(columns, order, top, len(shown))
        if len(lines) != len(shown):
            return f"{len(shown)} lines instead of {len(lines)}"
        cells_of_mem_map = 0
        for text, (start, end, fold) in zip(shown, lines):
            if not ROW.match(text):
                return f"{text}\nis no line of the map"
            label, rest = ROW.match(text).groups()
            if int(label, 16) != start * FRAME:
                return f"{text}\nis the line at 0x{label} instead of 0x{start * FRAME:x}"
            if fold:
                if not re.fullmatch(rf"~ {NAMES[fold]}: [\d.]+ [KMGT]iB ~", rest):
                    return f"{text}\nis no fold of {NAMES[fold]}"
                continue
            cells = range(start, end, 1 << order)
            for pfn, c in zip(cells, rest):
                expected = self.cell(pfn, min(pfn + (1 << order), end))
                cells_of_mem_map += c == "M"
                if c not in expected:
                    return f"{text}\nhas {c} at frame 0x{pfn:x} instead of {expected}"
            room = 79 - (len(text) - len(rest)) - len(cells) - 1
            margin = self.margin(start, end, room if columns == 64 else 80)
            if rest[len(cells):].strip() != margin:
                return f"{text}\nnames zones and nodes instead of {margin}"
        if top == 0 and order == self.whole_order(columns, len(shown)):
            if cells_of_mem_map << order < self.mem_map:
                return f"{cells_of_mem_map} cells of mem_map for {self.mem_map} frames"
        return None


def rows_of(screen):
    """Returns the lines of the grid in screen, which is a screen or printed text."""
    lines = screen.splitlines()
    end = next((i for i, line in enumerate(lines) if line.startswith(". free")), 0)
    return [line.rstrip() for line in lines[1:end] if line.strip()]


def order_of(screen):
    """Returns the order of a cell, from the line that tells its size."""
    return int(SCALE.search(screen)[1]).bit_length() - 1


def complaint_of(machine, screen, columns=64, top=None):
    """Returns None, or what is wrong with the picture in screen. It must begin at the frame top,
    unless top is None."""
    rows = rows_of(screen)
    if not rows or not ROW.match(rows[0]) or not SCALE.search(screen):
        return "no map"
    start = int(ROW.match(rows[0])[1], 16) // FRAME
    if top is not None and start != top:
        return f"begins at frame 0x{start:x} instead of 0x{top:x}"
    return machine.complaint(rows, columns, order_of(screen), start)


# ---- a running guest ----

class Guest:
    """QEMU with its serial line on a terminal of pyte's and its monitor on a socket."""

    def __init__(self, columns=80, rows=25, **env):
        self.directory = tempfile.TemporaryDirectory(prefix="screens.", dir=BUILD)
        path = os.path.join(self.directory.name, "qmp")
        env = {**os.environ, "CMDLINE": "", **env,
               "QEMUFLAGS": f"-qmp unix:{path},server=on,wait=off"}
        self.run = subprocess.Popen(["scripts/run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, env=env, start_new_session=True)
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.lock, self.text = threading.Lock(), ""
        threading.Thread(target=self.read, daemon=True).start()
        self.qmp_path, self.qmp = path, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.run.poll() is None:
            os.killpg(self.run.pid, 15)
        self.run.wait()
        self.directory.cleanup()

    def read(self):
        while data := os.read(self.run.stdout.fileno(), 4096):
            with self.lock:
                self.stream.feed(data)
                self.text += data.decode("ascii", "replace").replace("\r", "")

    def wait(self, good, what, limit=60):
        """Waits until good() is true. Raises RuntimeError, which names what, after limit
        seconds."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            with self.lock:
                if good():
                    return
            time.sleep(0.02)
        raise RuntimeError(f"{what}: not within {limit} s; the screen:\n" + self.shown())

    def type(self, keys):
        """Types keys on the serial line."""
        self.run.stdin.write(keys.encode())
        self.run.stdin.flush()

    def command(self, line):
        """Types line and returns what the command prints."""
        with self.lock:
            start = len(self.text)
        self.type(line + "\r")
        self.wait(lambda: self.text[start:].endswith("\n" + PROMPT), f"the end of {line}")
        return self.text[start:-len(PROMPT)].split("\n", 1)[1]

    def shown(self):
        """Returns the text of pyte's screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def comes_to(self, complaint_of_it, limit=20):
        """Calls complaint_of_it until it has no complaint, since drawing takes time. Returns None,
        or the last complaint after limit seconds."""
        end = time.monotonic() + limit
        while True:
            with self.lock:
                complaint = complaint_of_it()
            if not complaint:
                return None
            if time.monotonic() > end:
                return f"{self.shown()}\n{complaint}"
            time.sleep(0.05)

    def shows(self, pattern, machine, columns=64, top=None):
        """Returns None as soon as pattern is on the screen, with a picture that is right in every
        cell, else a complaint."""
        def complaint():
            if not re.search(pattern, self.shown(), re.MULTILINE):
                return "no " + pattern
            return complaint_of(machine, self.shown(), columns, top)
        return self.comes_to(complaint)

    def left(self):
        """Returns None as soon as the screen is empty but for the prompt, else a complaint."""
        return self.comes_to(lambda: self.shown().strip() != PROMPT.strip() and "not left")

    def boot(self):
        """Waits for the prompt. Returns the Machine."""
        self.wait(lambda: self.text.endswith("\n" + PROMPT), "the prompt")
        return Machine("".join(self.command(line) for line in SAYS.split(";")))

    def ask_qemu(self, execute, **arguments):
        """Has QEMU execute a command of its monitor."""
        if not self.qmp:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(self.qmp_path)
            self.qmp = connection.makefile("rw")
            self.qmp.readline()
            self.ask_qemu("qmp_capabilities")
        self.qmp.write(json.dumps({"execute": execute, "arguments": arguments}) + "\n")
        self.qmp.flush()
        while "return" not in (answer := json.loads(self.qmp.readline())):
            if "error" in answer:
                raise RuntimeError(f"QEMU: {answer['error']}")

    def press(self, *keys):
        """Presses keys, by QEMU's names, on the PS/2 keyboard."""
        for key in keys:
            self.ask_qemu("send-key", keys=[{"type": "qcode", "data": key}])
            time.sleep(0.15)

    def vga_text(self):
        """Returns the characters of the VGA screen, as lines."""
        path = os.path.join(self.directory.name, "screen.text")
        self.ask_qemu("pmemsave", val=0xb8000, size=2 * 80 * 25, filename=path)
        with open(path, "rb") as file:
            cells = file.read()[::2].decode("cp437")
        return "\n".join(cells[i:i + 80].rstrip() for i in range(0, len(cells), 80))

    def dump(self):
        """Returns the VGA screen as a Dump."""
        path = os.path.join(self.directory.name, "screen.ppm")
        self.ask_qemu("screendump", filename=path)
        with open(path, "rb") as file:
            return Dump(file.read())


# ---- the VGA screen ----

class Dump:
    """The VGA screen as a picture: 80 x 25 cells of 16 lines, colours of 6 bits as the card has
    them."""

    def __init__(self, data):
        magic, size, most, pixels = data.split(b"\n", 3)
        self.width, height = map(int, size.split())
        if magic != b"P6" or most != b"255" or self.width not in (640, 720) or height != 400:
            raise RuntimeError(f"no picture of text: {data[:20]}")
        self.cell_width = self.width // 80
        self.pixels = pixels.translate(bytes(value >> 2 for value in range(256)))

    def cell(self, row, column):
        """Returns the lines of a cell, each a tuple of pixels."""
        lines = []
        for y in range(row * 16, row * 16 + 16):
            start = 3 * (y * self.width + column * self.cell_width)
            line = self.pixels[start:start + 3 * self.cell_width]
            lines.append(tuple(line[i:i + 3] for i in range(0, len(line), 3)))
        return tuple(lines)


COLOURS = ["black", "red", "green", "brown", "blue", "magenta", "cyan", "white"]


def palette(name, bright=False):
    """Returns the pixel that a VGA card shows for name, a colour by pyte's name."""
    number = COLOURS.index(name)
    level = [(42 if number >> bit & 1 else 0) + (21 if bright else 0) for bit in range(3)]
    if name == "brown" and not bright:
        level[1] = 21
    return bytes(level)


def colours_of(char):
    """Returns the pixels of the foreground and background of char, a character of pyte's."""
    fore = palette("white" if char.fg == "default" else char.fg, char.bold)
    return fore, palette("black" if char.bg == "default" else char.bg)


CURSOR_LINES = 13  # the lines of a cell from this one on
ALPHABET = "".join(map(chr, range(33, 127)))


def learn_glyphs(guest):
    """Types the alphabet in two parts, each on an empty screen. Returns {shape: character}."""
    guest.wait(lambda: guest.text.endswith("\n" + PROMPT), "the prompt")
    glyphs = {}
    for part in (ALPHABET[:47], ALPHABET[47:]):
        guest.type("\x0c" + part)
        guest.wait(lambda: guest.shown().strip() == PROMPT + part, "the alphabet")
        picture = guest.dump()
        for i, c in enumerate(part):
            mask = shape(picture.cell(0, len(PROMPT) + i), palette("white"))
            glyphs[mask] = c
        glyphs[shape(picture.cell(2, 0), palette("white"))] = " "
        guest.type("\x15")
    if len(glyphs) != len(ALPHABET) + 1:
        raise RuntimeError("two characters look the same")
    return glyphs


def shape(cell, foreground):
    """Returns, line by line, which pixels of cell have the colour foreground."""
    return tuple(tuple(pixel == foreground for pixel in line) for line in cell)


def letter(glyphs, drawn):
    """Returns the character whose shape is drawn. Under the cursor, which blinks, the lowest lines
    may be set, so only the others count."""
    whole = (True,) * len(drawn[0])
    if drawn in glyphs or drawn[CURSOR_LINES] != whole:
        return glyphs.get(drawn, "?")
    return next((c for glyph, c in glyphs.items() if glyph[:CURSOR_LINES] == drawn[:CURSOR_LINES]),
                "?")


def vga_complaint(guest, glyphs):
    """Returns None, or where the VGA screen differs from pyte's in a character or a colour."""
    picture = guest.dump()
    for row in range(25):
        for column in range(80):
            char = guest.screen.buffer[row][column]
            fore, back = colours_of(char)
            cell = picture.cell(row, column)
            if {pixel for line in cell for pixel in line} - {fore, back}:
                return f"row {row}, column {column}: other colours than {char}"
            seen = letter(glyphs, shape(cell, fore))
            if seen != char.data:
                return f"row {row}, column {column}: {seen} instead of {char.data}"
    return None


# ---- the tests ----

TESTS = []


def test(function):
    """Adds function to TESTS. Its docstring is the test's name."""
    TESTS.append(function)
    return function


def printed(words, **env):
    """Boots with words, which show pictures, and ends. Returns (Machine, the pictures)."""
    env = {**os.environ, "CMDLINE": f"{words};{SAYS};exit 0", **env}
    done = subprocess.run(["scripts/run"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=env, timeout=120, check=False)
    text = done.stdout.decode("ascii", "replace").replace("\r", "")
    if done.returncode:
        raise RuntimeError(f"status {done.returncode}\n{text}")
    pictures = re.findall(rf"(?s)^{PROMPT}map[^\n]*\n(.*?)^(?={PROMPT})", text, re.MULTILINE)
    return Machine(text), pictures


def check_printed(words, **env):
    """Returns None, or what is wrong with the pictures that words print."""
    machine, pictures = printed(words, **env)
    if len(pictures) != words.count("map once"):
        return f"{len(pictures)} pictures"
    for picture in pictures:
        if max(map(len, picture.splitlines())) > 79:
            return "a line of more than 79 characters"
        complaint = complaint_of(machine, picture) or machine.complaint_about_words(picture)
        if complaint:
            return f"{picture}\n{complaint}"
    return None


@test
def printed_128m():
    """map once: 128 MiB"""
    return check_printed("run=alloc 9;alloc 3;alloc 0 DMA;map once;map once 0x100 3;map once 0x200")


@test
def printed_q35():
    """map once: q35, 4 GiB, large allocations"""
    return check_printed("run=alloc 18;alloc 16;alloc 12 DMA32;map once;map once 0xbff00 0",
                         MACHINE="q35", MEM="4G")


@test
def printed_real():
    """map once: a real machine's map"""
    return check_printed("run=map once;map once 0 0;map once 0x9d000 5",
                         MAP="tests/e820/trol-piii-byte-granular.map")


@test
def printed_left_out():
    """map once: mem= leaves RAM out; memmap= makes other types"""
    return check_printed("mem=64M memmap=1M#32M memmap=1M!48M run=map once;map once 0x2000 2")


@test
def printed_nodes():
    """map once: two nodes"""
    return check_printed("run=map once;map once 0x3ff00 8;map once 0x40000 9", MEM="2G", NODES="2")


@test
def printed_huge():
    """map once: 1000 GiB"""
    return check_printed("run=map once", MEM="1000G")


def first(*checks):
    """Calls checks in turn. Returns the first complaint, or None."""
    return next(filter(None, (check() for check in checks)), None)


@test
def keys_on_a_terminal():
    """map: keys on a terminal of 80 x 24 that does not tell its size"""
    with Guest(80, 24) as guest:
        machine = guest.boot()
        whole = guest.command("map once")
        cell = (1 << order_of(whole)) * FRAME
        label = len(re.match(" *[0-9a-f]+ ", rows_of(whole)[0])[0])

        def whole_again():
            return None if rows_of(guest.shown()) == rows_of(whole) else "not what map once prints"

        def cursor_at(row, column):
            at = guest.screen.cursor.y - 1, guest.screen.cursor.x - label
            return None if at == (row, column) else f"the cursor is at {at}"

        return first(
            lambda: guest.type("map\r"),
            lambda: guest.shows("w whole .*q quit", machine, top=0),
            lambda: guest.comes_to(whole_again),
            lambda: guest.type("\033[C\033[C\033[B"),
            lambda: guest.shows(rf"^\[mem 0x{66 * cell:x}-", machine, top=0),
            lambda: guest.comes_to(lambda: cursor_at(1, 2)),
            lambda: guest.type("f"),
            lambda: guest.shows(rf"^\[mem 0x{66 * cell:x}-.* 4 KiB, ", machine),
            lambda: guest.type("\033[6~\033[D-\x7f"),
            lambda: guest.shows("a cell is 64 KiB, 16 frames;", machine),
            lambda: guest.type("w\033[H"),
            lambda: guest.shows(r"^\[mem 0x0-", machine, top=0),
            lambda: guest.comes_to(whole_again),
            lambda: guest.comes_to(lambda: cursor_at(0, 0)),
            lambda: guest.type("q"),
            guest.left)


@test
def larger_terminal():
    """map: fills a terminal of 150 x 50, and leaves the VGA screen at its own size"""
    with Guest(150, 50) as guest:
        machine = guest.boot()
        glyphs = learn_glyphs(guest)

        def on_vga():
            picture = guest.dump()
            text = "\n".join("".join(read_back(picture, row, column, glyphs)
                                     for column in range(80)) for row in range(25))
            complaint = complaint_of(machine, text, top=0)
            return complaint and f"{text}\n{complaint}"

        return first(
            lambda: guest.type("map\r\033[50;150R"),
            lambda: guest.shows("a cell is 32 KiB", machine, columns=128, top=0),
            lambda: guest.comes_to(on_vga))


def read_back(picture, row, column, glyphs):
    """Returns the character in a cell of picture, whatever its colours are: of two, either may be
    the character's."""
    cell = picture.cell(row, column)
    colours = {pixel for line in cell for pixel in line}
    if len(colours) == 1:
        return " "
    return next((c for c in (letter(glyphs, shape(cell, colour)) for colour in colours)
                 if c != "?"), "?")


@test
def vga_screen():
    """map: the VGA screen shows what the terminal shows, with keys of the PS/2 keyboard"""
    with Guest(MEM="1G") as guest:
        glyphs = learn_glyphs(guest)
        guest.command("alloc 15")
        machine = guest.boot()
        guest.type("map\r\033[25;80R")
        for keys, pattern in (((), "w whole .*q quit"), (("right", "down"), r"^\[mem 0x8200000-"),
                              (("f", "pgdn", "end", "home"), r"^\[mem 0x0-0xfff\] 4 KiB"),
                              (("backspace",), "a cell is 32 KiB"), (("ret",), "4 KiB, 1 frame")):
            guest.press(*keys)
            complaint = (guest.shows(pattern, machine)
                         or guest.comes_to(lambda: vga_complaint(guest, glyphs)))
            if complaint:
                return complaint
        guest.press("esc")
        return guest.left()


@test
def dimm_comes_and_goes():
    """map: shows memory that is being added, is there, is leaving, and has left"""
    with Guest(80, 25, SLOTS="1") as guest:
        before = guest.boot()
        whole = guest.command("map once")
        guest.type("map\r")
        complaint = guest.shows("w whole .*q quit", before, top=0)
        if complaint:
            return complaint
        guest.ask_qemu("object-add", **{"qom-type": "memory-backend-ram", "id": "m", "size": 1 << 27})
        guest.ask_qemu("device_add", driver="pc-dimm", id="d", memdev="m")
        for pattern in (r"^ *1[0-9a-f]{8} B{64}(?s:.*)^B being added", r"^ *1[0-9a-f]{8} [.M]{64} H$"):
            guest.wait(lambda: re.search(pattern, guest.shown(), re.MULTILINE), pattern)
        guest.ask_qemu("device_del", id="d")
        pattern = r"^ *1[0-9a-f]{8} L{64} H$(?s:.*)^L leaving"
        guest.wait(lambda: re.search(pattern, guest.shown(), re.MULTILINE), pattern)
        complaint = guest.shows("w whole .*q quit", before, top=0)
        guest.type("q")
        if complaint or guest.left():
            return complaint or "not left"
        if rows_of(guest.command("map once")) != rows_of(whole):
            return "another picture than before"
        said = re.findall(r"^hotplug: .* (?:added, node 0|removed)$", guest.command("dmesg"),
                          re.MULTILINE)
        return None if len(said) == 2 else f"{said}"


@test
def stress_alive():
    """stress: the picture changes on the screen, and all memory is given back, with 3 CPUs"""
    with Guest(MEM="256M", CPUS="3") as guest:
        machine = guest.boot()
        before = guest.command("free")
        guest.type("stress 100\r")
        pictures = set()
        for share in ("90", "30"):
            guest.wait(lambda: re.search(rf"to {share} % in use(?s:.*)CPUs at work: 3", guest.shown()), share)
            for _ in range(10):
                time.sleep(0.2)
                with guest.lock:
                    pictures.add("\n".join(rows_of(guest.shown())))
        if len(pictures) < 5 or not re.search("[1-9]", "".join(pictures).replace("0", "")):
            return f"{len(pictures)} pictures"
        with guest.lock:
            start = len(guest.text)
        guest.type("q")
        guest.wait(lambda: guest.text[start:].endswith("\n" + PROMPT), "the end of stress")
        if "all memory is free again, mm_check found no error" not in guest.text[start:]:
            return guest.text[start:]
        if guest.command("free") != before:
            return "other free ranges than before"
        return complaint_of(machine, guest.command("map once"), top=0)


@test
def memtest_at_boot_hears_the_keyboard():
    """memtest=1000: Ctrl-C on the keyboard ends it at boot, and the keyboard works at the prompt"""
    with Guest(CMDLINE="memtest=1000") as guest:
        guest.wait(lambda: "memtest: pass 2 of 1000" in guest.text, "pass 2")
        guest.ask_qemu("send-key", keys=[{"type": "qcode", "data": key} for key in ("ctrl", "c")])
        guest.wait(lambda: guest.text.endswith("\n" + PROMPT), "the prompt")
        guest.press("f", "r", "e", "e", "ret")
        guest.wait(lambda: guest.text.endswith("\n" + PROMPT) and "free [mem" in guest.text, "`free`")
        return None if "memtest: interrupted in pass" in guest.text else guest.text


@test
def stress_leaves_its_picture():
    """stress: its last picture stays above the report, and a line typed meanwhile is kept"""
    with Guest(MEM="256M") as guest:
        guest.boot()
        guest.type("stress 100\r")
        guest.wait(lambda: "stress: round 1," in guest.shown(), "stress")
        guest.type("free\r")
        time.sleep(1)
        guest.type("q")
        guest.wait(lambda: re.search(rf"found no error\n{PROMPT}free\nfree \[(?s:.*)\n{PROMPT}$",
                                     guest.text), "`free` after the end of stress")
        guest.type("stress 100\r")
        guest.wait(lambda: "stress: round 1," in guest.shown(), "stress")
        guest.type("xq")
        guest.wait(lambda: guest.text.endswith("\n" + PROMPT + "x"), "the end of stress by q after x")
        guest.type("\x15")
        if "it takes 1 to 1000000\n" not in guest.command("stress 0"):
            return "no answer to stress 0"
        guest.command("stress 1")
        for name, text in (("serial", guest.shown()), ("VGA", guest.vga_text())):
            rows = text.splitlines()
            order = [next((i for i, row in enumerate(rows) if word in row), None) for word in
                     ("a cell is", ". free", "stress: round 1,", "CPUs at work", "stress: CPUs 1,",
                      "found no error", PROMPT.strip())]
            if None in order or order != sorted(order):
                return f"{name}: rows {order} of\n{text}"
        return None


@test
def stress_and_a_dimm():
    """stress: a DIMM that is plugged meanwhile is shown, and is not missing memory at the end"""
    with Guest(SLOTS="1", MEM="256M") as guest:
        guest.boot()
        guest.type("stress 100\r")
        guest.wait(lambda: "stress: round 1," in guest.shown(), "stress")
        guest.ask_qemu("object-add", **{"qom-type": "memory-backend-ram", "id": "m", "size": 1 << 28})
        guest.ask_qemu("device_add", driver="pc-dimm", id="d", memdev="m")
        guest.wait(lambda: re.search(r"^ *1[0-9a-f]{8} .{64} H$", guest.shown(), re.MULTILINE), "rows of the DIMM")
        guest.type("q")
        guest.wait(lambda: guest.text.endswith("\n" + PROMPT), "the end of stress")
        good = "all memory is free again, mm_check found no error" in guest.text
        return None if good else guest.text[-2000:]


@test
def stress_printed():
    """stress under run=, on 3 CPUs: prints pictures, then figures"""
    env = {**os.environ, "CMDLINE": "run=stress 2 7;exit 0", "MEM": "64M", "CPUS": "3"}
    done = subprocess.run(["scripts/run"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=env, timeout=120, check=False)
    text = done.stdout.decode("ascii", "replace").replace("\r", "")
    good = (done.returncode == 0 and "\033" not in text.split(PROMPT + "stress")[1]
            and len(re.findall(r"^stress: round [12], to [39]0 % in use;", text, re.MULTILINE)) == 2
            and re.search(r"^stress: CPUs 3, frames verified \d{5,}, wrong 0, "
                          r"allocations freed by another CPU [1-9]", text, re.MULTILINE)
            and re.search(r"^stress: 2 rounds, \d{3,} allocations, .*found no error$", text,
                          re.MULTILINE))
    return None if good else text


def prove_failure(tap):
    """Checks that damaged pictures do not pass; the same code judges them."""
    machine, (picture,) = printed("run=map once")
    for name, wrong in (("a cell too many in use", picture.replace("....", "..#.", 1)),
                        ("a kernel that is not there", picture.replace("KK", "K.", 1)),
                        ("another address", picture.replace(" 1000000 ", " 1100000 ", 1)),
                        ("a fold of another kind", picture.replace("~ nothing", "~ firmware", 1)),
                        ("a line left out", re.sub(r"(?m)^.*2000000 .*\n", "", picture))):
        tap.check(wrong != picture and complaint_of(machine, wrong), "refused: " + name, picture)


def main():
    tap = Tap()
    words = sys.argv[1:]
    for function in TESTS:
        if not all(word in function.__doc__ for word in words):
            continue
        try:
            complaint = function()
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            complaint = str(error)
        tap.check(not complaint, function.__doc__, complaint or "")
    if not words:
        prove_failure(tap)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
