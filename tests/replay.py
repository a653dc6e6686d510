#!/usr/bin/env -S python3 -B
"""Tests replay from outside: its JSON against a model, and its messages about bad input. TAP."""
import glob
import json
import os
import random
import subprocess
import sys

from tap import Tap

REPLAY = os.path.join(os.environ.get("B", "build"), "host", "replay")
KNOWN = {1, 2, 3, 4, 5, 7, 12}
PAGE = 4096


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
    if frames(ranges(answer["memory"])) != frames(ram):
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
    return f"checks fail: {bad}" if bad else None


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

BAD = {
    "an empty file": (b"", "no entries"),
    "comments only": (b"# nothing\n\n", "no entries"),
    "a word": (b"0 0x9f000 1\nhello\n", "-:2:"),
    "two numbers": (b"0x0 0x9f000\n", "-:1: the type"),
    "five numbers": (b"0 0x9f000 1 1 1\n", "-:1: more than"),
    "a length of 65 bits": (b"0 0x10000000000000000 1\n", "-:1: the length"),
    "a negative start": (b"-1 0x1000 1\n", "-:1: the start"),
    "digits and letters": (b"0 12ab 1\n", "-:1: the length"),
    "binary": (bytes(range(256)) * 8, "-:1:"),
    "a log with a broken line": (b"BIOS-e820: [mem 0x0-0x9fbff] usable\nBIOS-e820: [mem 0x1\n",
                                 "-:2: not of the form"),
    "a log whose type is nothing": (b"BIOS-e820: [mem 0x0-0x9fbff] purple\n", "-:1: the type"),
    "a log whose range ends early": (b"BIOS-e820: [mem 0x1000-0x10] usable\n", "-:1: the end"),
    "more entries than a map holds": (b"0 0x1000 2\n" * 1025, "-:1025: more entries"),
    "no RAM": (b"0 0x100000 2\n", "no usable RAM"),
    "RAM that something else claims": (b"0 0x10000000 1\n0 0x10000000 3\n", "no usable RAM"),
    "RAM too small for the kernel": (b"0 0x9f000 1\n0x100000 0x10000 1\n", "no place for the kernel"),
}


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
    status, out, _ = replay(b"0 0x9f000 1\n0x100000 0x7f00000 1\n", "--json", "--kernel", "3072")
    tap.check(status == 0 and {"base": "0x200000", "size": "0x300000"} in json.loads(out)["reserved"],
              "--kernel 3072 reserves 3 MiB", out)
    for size in ("0", "-1", "x", ""):
        tap.check(replay(b"0 0x10000000 1\n", "--kernel", size)[0] == 2, f"refused: --kernel '{size}'")
    missing = subprocess.run([REPLAY, "build/no-such-file"], capture_output=True, check=False)
    tap.check(missing.returncode == 2 and b"No such file" in missing.stderr, "a missing file is refused")
    usage = subprocess.run([REPLAY, "--help"], capture_output=True, check=False)
    tap.check(usage.returncode == 0 and b"usage: replay" in usage.stdout, "--help")
    tap.check(subprocess.run([REPLAY], capture_output=True, check=False).returncode == 2,
              "no argument is an error")
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
