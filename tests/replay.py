#!/usr/bin/env -S python3 -B
"""Tests replay from outside: its JSON against a model, and its messages about bad input. TAP."""
import glob
import json
import os
import random
import re
import subprocess
import sys
import tempfile

from node_tables import cpu, memory, slit, srat, x2apic
from tap import Tap

REPLAY = os.path.join(os.environ.get("B", "build"), "host", "replay")
KNOWN = {1, 2, 3, 4, 5, 7, 12}
PAGE = 4096
BLOCK = 512  # frames
MIB = 1 << 20
GIB = 1 << 30
TIB = 1 << 40
TYPES = {"DMA": 0, "DMA32": 4096, "Normal": 1 << 20}  # where each begins, a frame


def replay(text, *flags):
    """Runs replay with flags and text as standard input. Returns (status, output, complaints)."""
    done = subprocess.run([REPLAY, *flags, "-"], input=text, capture_output=True, timeout=60,
                          check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def read_map(name):
    """Returns the entries of the map file name, each a list of three or four numbers."""
    entries = []
    with open(name, encoding="utf-8") as file:
        for line in file:
            words = [int(w, 0) for w in line.split("#")[0].split()]
            if words:
                entries.append(words)
    return entries


def corrected(entries):
    """Returns what entries come to, [(base, size, type)], sorted and merged: the rules of
    lib/e820.h again, range by range, in Python's integers."""
    spans = [(b, min(b + s, 1 << 64), t, b + s > 1 << 64, rest)
             for b, s, t, *rest in entries if s]
    ram_off = [bool(rest) and not rest[0] & 1 for _, _, t, _, rest in spans if t == 1]
    ignore_off = bool(ram_off) and all(ram_off)
    fixed = []
    for base, end, kind, wraps, rest in spans:
        off = bool(rest) and not rest[0] & 1 and not ignore_off
        fixed.append((base, end, 2 if kind == 1 and (wraps or off) else kind))
    borders = sorted({x for b, e, _ in fixed for x in (b, e)} | {0xa0000, 0x100000})
    out = []
    for low, high in zip(borders, borders[1:]):
        kinds = [t for b, e, t in fixed if b <= low and e >= high]
        if not kinds:
            continue
        others = [t for t in kinds if t != 1]
        kind = max(others) if others else 1
        kind = kind if kind in KNOWN else 2
        if kind == 1 and 0xa0000 <= low < 0x100000:
            kind = 2
        if out and out[-1][1] == low and out[-1][2] == kind:
            out[-1] = (out[-1][0], high, kind)
        else:
            out.append((low, high, kind))
    return [(b, e - b, t) for b, e, t in out]


def ranges(items):
    """Returns [(base, size)] of items, the ranges of replay's JSON."""
    return [(int(i["base"], 16), int(i["size"], 16)) for i in items]


def frames(items):
    """Returns the whole frames of items, [(base, size)] in bytes, as [start, end) ranges: memory
    is rounded inwards."""
    out = []
    for base, size in items:
        low, high = -(-base // PAGE), (base + size) // PAGE
        if low < high:
            out.append((low, high))
    return out


def subtract(spans, holes):
    """Returns spans, [start, end) ranges, without holes."""
    for low, high in holes:
        spans = [piece for a, b in spans
                 for piece in ((a, min(b, low)), (max(a, high), b)) if piece[0] < piece[1]]
    return spans


def merge(spans):
    """Returns spans, [start, end) ranges, sorted and joined where they touch."""
    out = []
    for low, high in sorted(spans):
        if out and out[-1][1] == low:
            out[-1] = (out[-1][0], high)
        else:
            out.append((low, high))
    return out


def complaint(entries, answer):
    """Returns None, or what is wrong with answer, replay's JSON for the map entries."""
    want = corrected(entries)
    got = [(int(r["base"], 16), int(r["size"], 16), r["type"]) for r in answer["e820"]]
    if got != want:
        return f"e820 is {got}, the oracle says {want}"
    ram = [(b, s) for b, s, t in want if t == 1 and b < 1 << 46]
    ram = [(b, min(s, (1 << 46) - b)) for b, s in ram]
    if merge(frames(ranges(answer["memory"]))) != merge(frames(ram)):
        return "memory is not the whole frames of RAM"
    holes = [(b // PAGE, -(-(b + s) // PAGE)) for b, s in ranges(answer["reserved"])]
    free = merge((b // PAGE, (b + s) // PAGE) for b, s in ranges(answer["free"]))
    if free != merge(subtract(frames(ram), holes)):
        return "free is not memory less reserved"
    if [(b // PAGE, (b + s) // PAGE) for b, s in ranges(answer["free"])] != free:
        return "free is not sorted and maximal"
    if sum(z["free"] for z in answer["zones"]) != sum(b - a for a, b in free):
        return "the zones' free frames are not those of free"
    for zone in answer["zones"]:
        if sum(n << k for k, n in enumerate(zone["free_blocks"])) != zone["free"]:
            return f"zone {zone['name']}: blocks and free frames differ"
    bad = [c["name"] for c in answer["checks"] if not c["ok"]]
    return f"checks fail: {bad}" if bad else nodes_complaint(answer)


def type_of(frame):
    """Returns the type of zone of a frame that is no hot-plug memory."""
    return [name for name, start in TYPES.items() if start <= frame][-1]


def nodes_complaint(answer):
    """Returns None, or what is wrong with the zones and nodes of answer, given its memory."""
    present, starts, ends = {}, {}, {}
    for item in answer["memory"]:
        (low, high), = frames(ranges([item]))
        for name, start in TYPES.items():
            end = min([high, *(s for s in TYPES.values() if s > start)])
            if max(low, start) < end:
                key = item["node"], name
                present[key] = present.get(key, 0) + end - max(low, start)
                starts.setdefault(key, TYPES[name] if name not in {n for _, n in starts} else max(low, start))
                ends[key] = end
    zones = {(z["node"], z["name"]): z for z in answer["zones"]}
    if list(zones) != sorted({(0, t) for t in TYPES} | set(present),
                             key=lambda k: (k[0], TYPES[k[1]])):
        return f"zones: {list(zones)}, memory has {list(present)}"
    for (node, name), zone in zones.items():
        if zone["present"] != present.get((node, name), 0):
            return f"node {node}, zone {name}: present {zone['present']}, not {present}"
        if zone["end_pfn"] != ends.get((node, name), zone["start_pfn"]):
            return f"node {node}, zone {name} ends at {zone['end_pfn']}, not {ends}"
        if zone["start_pfn"] != starts.get((node, name), TYPES[name]):
            return f"node {node}, zone {name} begins at {zone['start_pfn']}, not {starts}"
    nodes = {n["node"]: n for n in answer["nodes"]}
    if len(nodes) != len(answer["nodes"]) or not set(n for n, _ in zones) <= set(nodes):
        return f"nodes are {list(nodes)}"
    for node, item in nodes.items():
        own = [z for (n, _), z in zones.items() if n == node]
        if [item["size"], item["free"]] != [sum(z[k] for z in own) * PAGE
                                            for k in ("present", "free")]:
            return f"node {node} is not the sum of its zones"
        if len(item["distances"]) != len(nodes) or item["distances"][list(nodes).index(node)] != 10:
            return f"node {node}: distances {item['distances']}"
    return None


def judge(entries):
    """Returns None, or what is wrong with what replay makes of entries."""
    text = "".join(" ".join(f"{w:#x}" for w in e) + "\n" for e in entries)
    status, out, err = replay(text.encode(), "--json")
    if status == 2:
        usable = [r for r in corrected(entries) if r[2] == 1]
        small = max((s for _, s, _ in usable), default=0) < 8 << 20
        return None if small else f"refused: {err}"
    return complaint(entries, json.loads(out)) if status == 0 else f"status {status}: {err}"


def random_map(rng):
    """Returns a map by the random numbers of rng: RAM that boots, and over it up to 12 entries of
    every kind of nonsense."""
    entries = [[0, 0x9f000, 1], [0x100000, rng.choice([15, 63, 255]) << 20, 1]]
    for _ in range(rng.randrange(12)):
        base = rng.choice([rng.randrange(0x100000), rng.randrange(1 << 28), rng.randrange(1 << 33),
                           (1 << 64) - rng.randrange(1, 1 << 20), 1 << 40])
        size = rng.choice([0, 1, 0x400, 0x1000, rng.randrange(1 << 20), rng.randrange(1 << 24),
                           (1 << 64) - 1])
        if base < 1 << 33 and size > 1 << 40:
            size = 1 << 20
        entry = [base, size, rng.choice([1, 1, 2, 3, 4, 5, 6, 7, 9, 12, 20, 0xefffffff, 0])]
        if rng.random() < 0.3:
            entry.append(rng.choice([0, 1, 1, 1, 3]))
        entries.append(entry)
    rng.shuffle(entries)
    return entries


LOGS = {
    "since 3.4, with time stamps": (
        b"[    0.000000] Linux version 6.1.0\n"
        b"[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable\n"
        b"[    0.000000] BIOS-e820: [mem 0x000000000009fc00-0x000000000009ffff] reserved\n"
        b"[    0.000000] BIOS-e820: [mem 0x0000000000100000-0x0000000007ffffff] usable\n"
        b"[    0.000000] BIOS-e820: [mem 0x0000000008000000-0x0000000008000fff] ACPI data\n"
        b"[    0.000000] BIOS-e820: [mem 0x0000000008001000-0x0000000008001fff] type 20\n"),
    "2.6, end exclusive": (
        b" BIOS-e820: 0000000000000000 - 000000000009fc00 (usable)\n"
        b" BIOS-e820: 000000000009fc00 - 00000000000a0000 (reserved)\n"
        b" BIOS-e820: 0000000000100000 - 0000000008000000 (usable)\n"
        b" BIOS-e820: 0000000008000000 - 0000000008001000 (ACPI data)\n"
        b" BIOS-e820: 0000000008001000 - 0000000008002000 (type 20)\n"),
    "2.4, an unknown type without parentheses": (
        b"kernel: BIOS-e820: 0000000000000000 - 000000000009fc00 (usable)\r\n"
        b"kernel: BIOS-e820: 000000000009fc00 - 00000000000a0000 (reserved)\r\n"
        b"kernel: BIOS-e820: 0000000000100000 - 0000000008000000 (usable)\r\n"
        b"kernel: BIOS-e820: 0000000008000000 - 0000000008001000 (ACPI data)\r\n"
        b"kernel: BIOS-e820: 0000000008001000 - 0000000008002000 type 20\r\n"),
    "2.2, size @ start": (
        b" BIOS-e820: 000000000009fc00 @ 0000000000000000 (usable)\n"
        b" BIOS-e820: 0000000000000400 @ 000000000009fc00 (reserved)\n"
        b" BIOS-e820: 0000000007f00000 @ 0000000000100000 (usable)\n"
        b" BIOS-e820: 0000000000001000 @ 0000000008000000 (ACPI data)\n"
        b" BIOS-e820: 0000000000001000 @ 0000000008001000 type 20\n"),
}
LOG_ENTRIES = [[0, 0x9fc00, 1], [0x9fc00, 0x400, 2], [0x100000, 0x7f00000, 1],
               [0x8000000, 0x1000, 3], [0x8001000, 0x1000, 20]]

PLAIN = b"0 0x9f000 1\n0x100000 0x7f00000 1\n"

BAD = {
    "an empty file": (b"", "the input is empty"),
    "comments only": (b"# nothing\n\n", "no entries"),
    "a word": (b"0 0x9f000 1\nhello\n", "-:2:"),
    "two numbers": (b"0x0 0x9f000\n", "-:1: the type"),
    "five numbers": (b"0 0x9f000 1 1 1\n", "-:1: more than"),
    "a length of 65 bits": (b"0 0x10000000000000000 1\n", "-:1: the length"),
    "a negative start": (b"-1 0x1000 1\n", "-:1: the start"),
    "digits and letters": (b"0 12ab 1\n", "-:1: the length"),
    "a node that is no number": (b"0 0x9f000 1\nnode x 0 1\n", "-:2: the node"),
    "a node without a blank before it": (b"node1 0 1\n", "-:1: the node"),
    "a node of which there are not so many": (b"node 63 0 1\n", "-:1: the node is not a number from 0 to 62"),
    "a node of 65 bits": (b"node 0x10000000000000000 0 1\n", "-:1: the node"),
    "a node without a start": (b"node 1\n", "-:1: the start"),
    "a node whose length is a word": (b"node 1 0 all\n", "-:1: the length"),
    "a node line of five words": (b"node 1 0 1 1\n", "-:1: more than node, start and length"),
    "more node lines than a map holds": (b"0 0x9f000 1\n" + b"node 1 0 1\n" * 1025, "-:1026: more node lines"),
    "node lines alone": (b"node 0 0 0x9f000\n", "no entries"),
    "binary": (bytes(range(256)) * 8, "binary, not text"),
    "a log with a broken line": (b"BIOS-e820: [mem 0x0-0x9fbff] usable\nBIOS-e820: [mem 0x1\n",
                                 "-:2: not of the form"),
    "a log whose type is nothing": (b"BIOS-e820: [mem 0x0-0x9fbff] purple\n", "-:1: the type"),
    "a log whose range ends early": (b"BIOS-e820: [mem 0x1000-0x10] usable\n", "-:1: the end"),
    "more entries than a map holds": (b"0 0x1000 2\n" * 1025, "-:1025: more entries"),
    "no RAM": (b"0 0x100000 2\n", "no usable RAM"),
    "RAM that something else claims": (b"0 0x10000000 1\n0 0x10000000 3\n", "no usable RAM"),
    "RAM too small for the kernel": (b"0 0x9f000 1\n0x100000 0x10000 1\n", "no place for the kernel"),
}


# Nodes.

TWO = b"0 0x9f000 1\n0x100000 0x7ff00000 1\n"  # 2 GiB
HALVES = (memory(0, 0, GIB), memory(1, GIB, GIB))
FAR = [[10, 31], [21, 10]]
LOW = GIB - 0x61000  # what the first GiB of TWO has as RAM

# What a firmware says of TWO: its tables; then the nodes, (size, CPUs, distances) each; and the
# corrections, (what, base, size) each.
TABLES = {
    "two nodes": (
        srat(cpu(0, 0), cpu(0, 2), cpu(1, 1), x2apic(1, 300), *HALVES), slit(FAR),
        [(LOW, [0, 2], [10, 31]), (GIB, [1, 300], [21, 10])], []),
    "two nodes without a SLIT": (srat(*HALVES), None, [(LOW, [], [10, 20]), (GIB, [], [20, 10])], []),
    "a SLIT alone": (None, slit(FAR), [(LOW + GIB, [], [10])], []),
    "domains in the order of their memory, one of them huge": (
        srat(memory(4000000000, 0, GIB), memory(1, GIB, GIB), cpu(1, 7)), None,
        [(LOW, [], [10, 20]), (GIB, [7], [20, 10])], []),
    "entries that are disabled or empty": (
        srat(memory(5, 0, 2 * GIB, 0), memory(3, GIB, 0), *HALVES, cpu(9, 9, 0)), None,
        [(LOW, [], [10, 20]), (GIB, [], [20, 10])], []),
    "a node without memory": (
        srat(*HALVES, cpu(2, 5)), slit([[10, 20, 30], [20, 10, 40], [30, 40, 10]]),
        [(LOW, [], [10, 20, 30]), (GIB, [], [20, 10, 40]), (0, [5], [30, 40, 10])], []),
    "memory for hot-plug up to 2^52": (
        srat(*HALVES, memory(1, 4 * GIB, (1 << 52) - 4 * GIB, 3)), None,
        [(LOW, [], [10, 20]), (GIB, [], [20, 10])], []),
    "two domains that claim the same": (
        srat(memory(0, 0, GIB + GIB // 2), memory(1, GIB, GIB)), None,
        [(LOW + GIB // 2, [], [10, 20]), (GIB // 2, [], [20, 10])],
        [("overlap", GIB, GIB // 2)]),
    "memory that no entry names": (
        srat(memory(0, 0, GIB // 2), memory(1, GIB, GIB)), None,
        [(LOW, [], [10, 20]), (GIB, [], [20, 10])], [("no entry", GIB // 2, GIB // 2)]),
    "nodes that change inside a block": (
        srat(memory(0, 0, GIB + MIB + PAGE), memory(1, GIB + MIB + PAGE, GIB)), None,
        [(LOW + 2 * MIB, [], [10, 20]), (GIB - 2 * MIB, [], [20, 10])],
        [("split block", GIB, 2 * MIB)]),
    "a checksum that is wrong": (
        srat(*HALVES)[:9] + b"\0" + srat(*HALVES)[10:], slit(FAR), [(LOW + GIB, [], [10])], [("bad SRAT", 0, 0)]),
    "an empty file": (b"", None, [(LOW + GIB, [], [10])], [("bad SRAT", 0, 0)]),
    "half of a table": (
        srat(*HALVES)[:70], None, [(LOW + GIB, [], [10])], [("bad SRAT", 0, 0)]),
    "1 MiB of zeros": (bytes(MIB), None, [(LOW + GIB, [], [10])], [("bad SRAT", 0, 0)]),
    "an entry that ends beyond the table": (
        srat(memory(0, 0, GIB), memory(1, GIB, GIB)[:20]), None, [(LOW + GIB, [], [10])],
        [("cut short", 0, 0), ("no entry", GIB, GIB)]),
    "a SLIT whose node is nearer to another": (
        srat(*HALVES), slit([[10, 9], [20, 10]]), [(LOW, [], [10, 20]), (GIB, [], [20, 10])],
        [("bad SLIT", 0, 0)]),
    "a SLIT of one domain": (
        srat(*HALVES), slit([[10]]), [(LOW, [], [10, 20]), (GIB, [], [20, 10])],
        [("bad SLIT", 0, 0)]),
    "1024 entries that change at each block": (
        srat(*(memory(n % 2, n * 2 * MIB, 2 * MIB) for n in range(1024))), None,
        [(LOW - GIB // 2 + GIB // 2, [], [10, 20]), (GIB, [], [20, 10])], []),
}


def replay_tables(text, tables, *flags):
    """Runs replay with text and with tables, a dictionary by option. Returns as replay() does."""
    with tempfile.TemporaryDirectory() as folder:
        for option, table in tables.items():
            name = os.path.join(folder, option)
            with open(name, "wb") as file:
                file.write(table)
            flags += (f"--{option}", name)
        return replay(text, *flags)


def tables_complaint(case):
    """Returns None, or what is wrong with what replay makes of case, a value of TABLES."""
    tables = {n: t for n, t in zip(("srat", "slit"), case) if t is not None}
    status, out, err = replay_tables(TWO, tables, "--json")
    if status:
        return f"status {status}: {err}"
    answer = json.loads(out)
    got = [(n["size"], n["cpus"], n["distances"]) for n in answer["nodes"]]
    if got != case[2]:
        return f"nodes are {got}"
    got = [(c["what"], int(c["base"], 16), int(c["size"], 16)) for c in answer["numa_corrections"]]
    if got != case[3]:
        return f"corrections are {got}"
    return complaint(entries_of(TWO), answer)


def entries_of(text):
    """Returns the entries of text, a map, as read_map() does."""
    lines = [line.split() for line in text.decode().splitlines()]
    return [[int(w, 0) for w in words] for words in lines if words[0] != "node"]


def owners(ram, lines):
    """Returns {frame: node} for ram, [start, end) in frames, by lines, (node, start, end) in
    frames: the rules of lib/numa.h again, frame by frame."""
    named = {}
    for node, low, high in lines:
        for frame in range(low, high):
            named.setdefault(frame, node)
    blocks, below = {}, 0
    for frame in range(max(high for _, high in ram)):
        below = named.get(frame, below)
        if any(low <= frame < high for low, high in ram):
            counts = blocks.setdefault(frame // BLOCK, {})
            counts[below] = counts.get(below, 0) + 1
    most = {block: min(counts, key=lambda n: (-counts[n], n)) for block, counts in blocks.items()}
    return {frame: most[frame // BLOCK] for low, high in ram for frame in range(low, high)}


def random_nodes_complaint(rng):
    """Returns None, or what is wrong with what replay makes of a map with random node lines."""
    text = b"0 0x9f000 1\n0x100000 0xf00000 1\n0x1200000 0x1e05000 1\n"
    ram = [(0, 0x9f), (0x100, 0x1000), (0x1200, 0x3005)]
    lines = []
    for _ in range(rng.randrange(1, 9)):
        low = rng.randrange(0x3200)
        high = low + rng.choice([0, 1, 255, 256, 257, 512, rng.randrange(0x2000)])
        if rng.random() < 0.5:
            low, high = low // BLOCK * BLOCK, high // BLOCK * BLOCK
        lines.append((rng.choice([0, 1, 2, 62]), low, max(low, high)))
    given = "".join(f"node {n} {low * PAGE:#x} {(high - low) * PAGE:#x}\n" for n, low, high in lines)
    status, out, err = replay(text + given.encode(), "--json", "--kernel", "64")
    if status:
        return f"{given}status {status}: {err}"
    answer = json.loads(out)
    got = {frame: item["node"] for item in answer["memory"] for low, high in frames(ranges([item]))
           for frame in range(low, high)}
    if got != owners(ram, lines):
        return f"{given}memory is {answer['memory']}"
    wrong = complaint(entries_of(text), answer)
    return wrong and given + wrong


def check_nodes(tap):
    """Checks what replay makes of node lines and of ACPI's tables."""
    halves = b"node 1 0x40000000 0x40000000\nnode 0 0 0x40000000\n"
    status, out, err = replay(halves + TWO, "--json")
    answer = json.loads(out) if status == 0 else {}
    tap.check(answer and [[z["node"], z["name"], z["start_pfn"], z["end_pfn"]] for z in answer["zones"]]
              == [[0, "DMA", 0, 4096], [0, "DMA32", 4096, 1 << 18], [0, "Normal", 1 << 20, 1 << 20],
                  [1, "DMA32", 1 << 18, 1 << 19]], "the zones of a map with two nodes", out + err)
    tap.check(answer and [(m["base"], m["node"]) for m in answer["memory"]]
              == [("0x0", 0), ("0x100000", 0), ("0x40000000", 1)], "its memory has nodes", out)
    tap.check(answer and [[n["node"], n["size"], n["cpus"], n["distances"]] for n in answer["nodes"]]
              == [[0, LOW, [], [10, 20]], [1, GIB, [], [20, 10]]] and not answer["numa_corrections"],
              "its nodes", out)
    wrong = answer and complaint(entries_of(TWO), answer)
    tap.check(not wrong, "all of it agrees with the model", wrong)
    for name, case in TABLES.items():
        wrong = tables_complaint(case)
        tap.check(not wrong, "tables, " + name, wrong)
    rng = random.Random(3)
    wrong = None
    for number in range(60):
        wrong = wrong or random_nodes_complaint(rng)
    tap.check(not wrong, "60 maps with random node lines (seed 3) agree with the oracle", wrong)
    status, out, _ = replay_tables(TWO, {"srat": TABLES["two domains that claim the same"][0]})
    tap.check(status == 0 and "\n  overlap [mem 0x40000000-0x5fffffff]" in out, "a correction in words", out)
    status, out, _ = replay_tables(TWO, {"srat": srat(*HALVES, cpu(1, 3), cpu(1, 4))})
    tap.check(status == 0 and "  node 1: 1048576 KiB, " in out and "APIC ids 3 4, distances 20 10\n" in out
              and re.findall(r"^Node (\d), zone +(\w+)", out, re.MULTILINE)
              == [("0", "DMA"), ("0", "DMA32"), ("0", "Normal"), ("1", "DMA32")], "the text names nodes", out)
    status, out, _ = replay(TWO)
    tap.check(status == 0 and "Nodes" not in out and "Node 0, zone    DMA32" in out,
              "the text of one node does not list it", out)


def check_islands(tap):
    """Checks that holes of any size cost nothing, with and without nodes."""
    for size in (64 * TIB - (4 << 30), 64 * TIB - (4 << 30) - 1, 95 * TIB):
        status, out, err = replay(PLAIN + b"0x100000000 %#x 1\n" % size, "--json")
        answer = json.loads(out) if out else {"checks": []}
        tap.check(status == 0 and all(c["ok"] for c in answer["checks"]),
                  f"RAM up to {4 * GIB + size:#x}: all checks hold",
                  [c["name"] for c in answer["checks"] if not c["ok"]] + [err])
    name = "tests/e820/it91smub-32tib-space.map"
    with open(name, "rb") as file:
        text = file.read()
    plain = json.loads(replay(text, "--json")[1])
    lines = "".join(f"node {n} {8 * n * TIB:#x} {8 * TIB:#x}\n" for n in range(4)).encode()
    status, out, err = replay(text + lines, "--json")
    answer = json.loads(out) if status == 0 else {}
    wrong = complaint(read_map(name), answer) if answer else err
    tap.check(not wrong and len({m["node"] for m in answer["memory"]}) == 4
              and all(m["node"] == int(m["base"], 16) // (8 * TIB) for m in answer["memory"]),
              "islands from 0 to 25 TiB, a node each", wrong)
    costs = [r["mem_map"]["allocator_bytes"] for r in (plain, answer or plain)]
    tap.check(answer and costs[1] < costs[0] + (64 << 10), "nodes cost a few zones and shelves", costs)
    near, far = b"0x100000000 0x40000000 1\n", b"0x3c0000000000 0x40000000 1\nnode 1 0x3c0000000000 1\n"
    costs = []
    for more in (near, far):
        status, out, err = replay(PLAIN + more, "--json")
        answer = json.loads(out) if status == 0 else {}
        costs.append(answer.get("mem_map"))
        wrong = complaint(entries_of(PLAIN + more), answer) if answer else err
        tap.check(not wrong, f"RAM at {more.split()[0].decode()}", wrong)
    tap.check(costs[1] and costs[1]["allocator_bytes"] < costs[0]["allocator_bytes"] + (16 << 10)
              and costs[1]["bytes"] == costs[0]["bytes"], "RAM at 60 TiB costs what RAM at 4 GiB does", costs)


def check_table_files(tap):
    """Checks replay on files of tables that it refuses."""
    for option in ("srat", "slit"):
        status, out, err = replay(TWO, f"--{option}", "build/no-such-file")
        tap.check(status == 2 and "build/no-such-file: No such file" in err and not out,
                  f"refused: --{option} with a missing file", err)
        status, out, err = replay(TWO, f"--{option}", "tests")
        tap.check(status == 2 and "tests: " in err and not out, f"refused: --{option} with a folder", err)
        status, out, err = replay_tables(TWO, {option: bytes(MIB + 1)})
        tap.check(status == 2 and "larger than 1 MiB" in err and not out,
                  f"refused: --{option} with more than 1 MiB", err)
        status, out, err = replay_tables(TWO + b"node 0 0 1\n", {option: srat(*HALVES)})
        tap.check(status == 2 and "node N start length" in err and not out,
                  f"refused: --{option} with node lines", err)


def rom(text):
    """Returns the ROM by which a machine gets the map `text`, and the MiB that this needs."""
    with tempfile.TemporaryDirectory() as folder:
        names = [os.path.join(folder, name) for name in ("a.map", "a.rom")]
        with open(names[0], "wb") as file:
            file.write(text)
        done = subprocess.run(["scripts/firmware", "--map", *names], stdout=subprocess.PIPE, check=True)
        with open(names[1], "rb") as file:
            return file.read(), done.stdout


def main():
    tap = Tap()
    for name in sorted(glob.glob("tests/e820/*.map")):
        done = subprocess.run([REPLAY, "--json", name], capture_output=True, check=False, timeout=60)
        wrong = (f"status {done.returncode}: {done.stderr}" if done.returncode
                 else complaint(read_map(name), json.loads(done.stdout)))
        tap.check(not wrong, name, wrong)
    rng = random.Random(20)
    wrong = None
    for number in range(300):
        entries = random_map(rng)
        wrong = judge(entries)
        if wrong:
            wrong = f"map {number}, {entries}: {wrong}"
            break
    tap.check(not wrong, "300 random maps (seed 20) agree with the oracle", wrong)
    for name, text in LOGS.items():
        status, out, err = replay(text[0] if isinstance(text, tuple) else text, "--json")
        wrong = complaint(LOG_ENTRIES, json.loads(out)) if status == 0 else err
        tap.check(not wrong, "log, " + name, wrong)
    for name, (text, words) in BAD.items():
        status, out, err = replay(text)
        tap.check(status == 2 and words in err and not out, f"refused: {name}", f"{status} {err}")
    nodes = b"node 0 0 0x4000000\nNode 1 0x4000000 0x4000000 # the rest\n"
    tap.check(rom(nodes + PLAIN) == rom(PLAIN), "MAP= takes a map with node lines, and skips them")
    status, out, _ = replay(PLAIN, "--json", "--kernel", "3072")
    tap.check(status == 0 and {"base": "0x200000", "size": "0x300000"} in json.loads(out)["reserved"],
              "--kernel 3072 reserves 3 MiB", out)
    for size in ("0", "-1", "x", ""):
        tap.check(replay(b"0 0x10000000 1\n", "--kernel", size)[0] == 2, f"refused: --kernel '{size}'")
    check_nodes(tap)
    check_islands(tap)
    check_table_files(tap)
    missing = subprocess.run([REPLAY, "build/no-such-file"], capture_output=True, check=False)
    tap.check(missing.returncode == 2 and b"No such file" in missing.stderr, "a missing file is refused")
    usage = subprocess.run([REPLAY, "--help"], capture_output=True, check=False)
    tap.check(usage.returncode == 0 and b"usage: replay" in usage.stdout, "--help")
    tap.check(subprocess.run([REPLAY], capture_output=True, check=False).returncode == 2,
              "no argument is an error")
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
