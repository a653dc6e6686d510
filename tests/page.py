#!/usr/bin/env -S python3 -B
"""Tests what the page computes, in headless Chromium, against the programs of the host: replay and
page_work. TAP. tests/page_view.py tests what it shows."""
import base64
import glob
import os
import random
import subprocess
import sys

from browser import Browser, BrowserError, find_browser
from map_inputs import ENCODINGS, read
from replay import BAD, LOGS, TIB, random_map
from tap import Tap

BUILD = os.environ.get("B", "build")
PAGE = os.path.abspath(os.path.join(BUILD, "page", "index.html"))
REPLAY = os.path.join(BUILD, "host", "replay")
WORK = os.path.join(BUILD, "host", "page_work")
URL = "file://" + PAGE
MACHINES = sorted(glob.glob("tests/e820/*.map"))
FORMS = ("json", "svg", "text", "map-file")

RUN = """(coded, form, options) => {
    const bytes = Uint8Array.from(atob(coded), (c) => c.charCodeAt(0));
    const { status, out, err } = firstpage.run(bytes, form, options);
    return [status, out, err];
}"""
REPLAY_TEXT = """(text) => {
    try {
        return [0, firstpage.replay(text), ""];
    } catch (error) {
        return [2, "", error.message];
    }
}"""
DO_WORK = """(map, steps, at) => {
    const { status, out, err } = at === null ? firstpage.work(map, steps) : firstpage.work(map, steps, at);
    return [status, out, err];
}"""

MAPS = {
    "two nodes": b"0 0x9f000 1\n0x100000 0x7ff00000 1\nnode 0 0 0x40000000\nnode 1 0x40000000 0x40000000\n",
    "three nodes in turn, not from blocks on": b"0 0x9f000 1\n0x100000 0x4ff00000 1\n" + b"".join(
        b"node %d %#x %#x\n" % (n % 3, n * 0x3fff000, 0x3fff000) for n in range(16)),
    "a node of which no RAM is": b"0 0x9f000 1\n0x100000 0x7f00000 1\nnode 5 0x100000000 0x1000\n",
    "hot-plug memory, by attributes": b"0 0x9f000 1 1\n0x100000 0x7f00000 1 1\n0x10000000 0x1000000 1 0\n",
    **{f"{size} TiB": b"0 0x9f000 1\n0x100000 0xbff00000 1\n0x100000000 %#x 1\n" % (size * TIB)
       for size in (1, 8, 64)},
    "64 TiB of four nodes": b"0 0x9f000 1\n0x100000 0xbff00000 1\n0x100000000 %#x 1\n" % (64 * TIB)
                            + b"".join(b"node %d %#x %#x\n" % (n, n * 16 * TIB, 16 * TIB) for n in range(4)),
    "islands up to 60 TiB": b"0 0x9f000 1\n0x100000 0x7f00000 1\n" + b"".join(
        b"%#x 0x40000000 1\n" % (n * TIB) for n in range(1, 61)),
    "900 regions of 4 GiB": b"0 0x9f000 1\n0x100000 0x7f00000 1\n" + b"".join(
        b"%#x 0x100000000 1\n" % (n * 5 << 30) for n in range(1, 901)),
    "beyond 64 TiB": b"0 0x9f000 1\n0x100000 0x7f00000 1\n%#x 0x40000000 1\n" % (65 * TIB),
    "16 EiB": b"0 0xffffffffffffffff 1\n",
}

SESSION_MAPS = ("tests/e820/p166-scsi-64m.map", "tests/e820/bochs-2g.map", "tests/e820/evga-sr2.map",
                "two nodes", "8 TiB")
TOO_MUCH = "a9*all_a0*5_l.1*2_d"  # of 8 TiB, for the page
SESSIONS = (
    "", "a0", "a0_f1", "a9", "a9_f1", "a10_a18_a17*2", "a0.1", "a3.1_f1.0", "a0_a0_a0_f2_f1_f3",
    "a0*512_f1*512", "a0*512_f100*50_f1*600", "a2h_a0h*3_l", "a0d_a1d_a5d", "a0D_a9D", "a4hD.1",
    "a0n0_a0n1_a9.1n1*2", "a5*20_l*7_d_l*all_d", "r1", "r7.1*300", "r2.0*50_d_r3*500_l*all_d",
    "a0*all_l*100_a3", "a18*all_f1", TOO_MUCH, "a1.1*40_d_f3.0*10_r9*20",
)
REFUSED = (
    "a", "a19", "a-1", "a0.2", "a0.", "a0n", "a0n999", "a0*", "a0*0", "a0*1000001", "a0*al", "a0dD", "a0hh",
    "a0x", "f", "f1", "f0", "a0_f2", "a0_f1_f1", "a0_f1.2", "a0_f1*", "f99999999999999999999", "l", "a0_l_l",
    "l*0", "r", "r1*", "r99999999999", "r1.3", "d1", "z", "_", "__", "a0_", "_a0", "a0__a0", "A0", "a0 a0",
    "a0,a0", "zz", "a0_" * 3 + "b", "a" * 5000, "\u00e4", "a0_\u20ac", "%00", "<b>", "a0\n", "a 0", "a0*1 ",
)
PLACES = ("0x100", "256", "0", "0xffff", "0x400000", "1152921504606846975", "-1", "x", "0x", "",
          "999999999999999999999")


def skip(reason):
    """Prints the plan of a test that does not run here. Returns the exit status."""
    print(f"1..0 # SKIP {reason}")
    return 0


def native(argv, text):
    """Runs a program of the host with text, bytes, as its input. Returns [status, output,
    complaints]."""
    done = subprocess.run(argv, input=text, capture_output=True, timeout=120, check=False)
    return [done.returncode, *(out.decode("utf-8", "replace") for out in (done.stdout, done.stderr))]


def difference(got, want):
    """Returns None, or how got, [status, output, complaints], differs from want, the host's."""
    for what, one, two in zip(("status", "output", "complaints"), map(str, got), map(str, want)):
        if one != two:
            at = len(os.path.commonprefix((one, two)))
            part = slice(max(0, at - 80), at + 80)
            more = f"\nthe page says {got[2][:300]!r}" if what == "status" else ""
            return f"{what}, from character {at} on:\nthe page {one[part]!r}\nthe host {two[part]!r}{more}"
    return None


def compare_replay(tab, text, forms=FORMS, options=None):
    """Returns None, or what the page makes of text, bytes, in another way than replay."""
    options = options or {}
    flags = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    for form in forms:
        argv = [REPLAY, *flags, *([] if form == "text" else [f"--{form}"]), "-"]
        got = tab.evaluate(RUN, base64.b64encode(text).decode(), form, options)
        wrong = difference(got, native(argv, text))
        if wrong:
            return f"{' '.join(argv)}\n{wrong}"
    return None


def compare_work(tab, text, steps, at=None):
    """Returns None, or what the page makes of a session in another way than page_work."""
    wrong = difference(tab.evaluate(DO_WORK, text.decode(), steps, at),
                       native([WORK, steps, *([] if at is None else [at])], text))
    return wrong and f"page_work {steps[:200]} {at or ''}\n{wrong}"


def first(complaints):
    """Returns the first of complaints that is none, each None or text, or None."""
    return next((wrong for wrong in complaints if wrong), None)


def check_machines(tap, tab):
    """Checks the machines of the page, and what it makes of them."""
    held = tab.evaluate("firstpage.machines")
    tap.check([m["name"] for m in held] == [os.path.basename(name)[:-4] for name in MACHINES],
              f"{len(MACHINES)} machines, in the order of their names", [m["name"] for m in held])
    tap.check(all(m["text"].encode() == read(name) for m, name in zip(held, MACHINES)),
              "their maps are those of tests/e820/")
    with open("tests/e820/INDEX.md", encoding="utf-8") as file:
        rows = {row[1].strip().strip("`"): row for row in (line.split("|") for line in file)
                if len(row) > 8}
    lost = [m["name"] for m in held
            if rows[m["name"] + ".map"][2].strip().replace("`", "") not in m["title"]]
    tap.check(not lost, "their titles are those of INDEX.md", lost)
    for name in MACHINES:
        text = read(name)
        wrong = difference(tab.evaluate(REPLAY_TEXT, text.decode()), native([REPLAY, "--json", "-"], text))
        tap.check(not wrong, f"firstpage.replay(): {os.path.basename(name)}", wrong)
    wrong = first(compare_replay(tab, read(name), FORMS[1:]) for name in MACHINES)
    tap.check(not wrong, "and as SVG, as text and as a map file", wrong)


def check_inputs(tap, tab):
    """Checks inputs that are read, and those that are refused."""
    for name in sorted(glob.glob("tests/maps/*.*")):
        wrong = compare_replay(tab, read(name))
        tap.check(not wrong, f"an input: {os.path.basename(name)}", wrong)
    whole = read("tests/maps/linux-6-whole-start.txt")
    wrong = first(compare_replay(tab, encode(whole), ("json", "map-file")) for encode in ENCODINGS.values())
    tap.check(not wrong, f"{len(ENCODINGS)} encodings of a log", wrong)
    wrong = first(compare_replay(tab, text[0] if isinstance(text, tuple) else text)
                  for text in (*LOGS.values(), *BAD.values(), b"\0", b"\xff\xfe", b"\xff" * 99, bytes(1 << 20)))
    tap.check(not wrong, f"logs of old kernels, and {len(BAD)} inputs that are refused", wrong)
    two = read("tests/maps/two-boots-in-one-log.txt")
    wrong = first(compare_replay(tab, two, options={"map": n}) for n in (1, 2, 3))
    tap.check(not wrong, "the Nth of several maps", wrong)
    thrown = tab.evaluate(REPLAY_TEXT, "hello\n")
    want = native([REPLAY, "--json", "-"], b"hello\n")
    tap.check(thrown[0] == 2 and thrown[2].strip() == want[2].strip(),
              "firstpage.replay() throws replay's words", thrown)
    rng = random.Random(20)
    texts = ["".join(" ".join(f"{w:#x}" for w in e) + "\n" for e in random_map(rng)).encode()
             for _ in range(40)]
    wrong = first(compare_replay(tab, text) for text in texts)
    tap.check(not wrong, "40 random maps (seed 20)", wrong)
    for name, text in MAPS.items():
        wrong = compare_replay(tab, text)
        tap.check(not wrong, f"a map: {name}", wrong)


def random_steps(rng):
    """Returns steps by the random numbers of rng; most of them are possible."""
    steps, made = [], 0
    for _ in range(rng.randrange(1, 12)):
        cpu = rng.choice(["", ".0", ".1"])
        count = rng.choice([1, 1, 1, 3, 40])
        kind = rng.choice("aaaaflrd")
        if kind == "a":
            made += count
            steps.append(f"a{rng.choice([0, 0, 0, 1, 2, 3, 5, 9, 10])}{cpu}{rng.choice(['', '', 'n0', 'n1'])}"
                         + rng.choice(["", "", "h"]) + rng.choice(["", "", "d", "D"])
                         + (f"*{count}" if count > 1 else ""))
        elif kind == "f":
            steps.append(f"f{rng.randrange(1, made + 1)}{cpu}*{count}" if made else "d")
        elif kind == "l":
            steps.append(f"l{cpu}*{rng.choice(['all', str(count)])}" if made else "a0")
        else:
            steps.append(f"r{rng.randrange(99)}{cpu}*{rng.randrange(1, 200)}" if kind == "r" else "d")
    return "_".join(steps)


def check_sessions(tap, tab):
    """Checks the allocator, step by step."""
    for name in SESSION_MAPS:
        text = MAPS.get(name) or read(name)
        sessions = [steps for steps in SESSIONS if name != "8 TiB" or steps != TOO_MUCH]
        wrong = first(compare_work(tab, text, steps) for steps in sessions)
        tap.check(not wrong, f"{len(sessions)} sessions: {os.path.basename(name)}", wrong)
    got = tab.evaluate(DO_WORK, MAPS["8 TiB"].decode(), TOO_MUCH, None)
    tap.check(got[0] == 2 and not got[1] and "too much for the page" in got[2],
              "one that needs more memory than the page has is refused in words", got[2])
    text = read(SESSION_MAPS[1])
    refused = [native([WORK, steps], text) for steps in REFUSED if "\0" not in steps]
    tap.check(all(status in (0, 2) for status, *_ in refused) and sum(s == 2 for s, *_ in refused) > 40,
              "malformed steps are refused", [s for s, (status, *_) in zip(REFUSED, refused) if status != 2])
    wrong = first(compare_work(tab, text, steps) for steps in REFUSED)
    tap.check(not wrong, f"{len(REFUSED)} malformed steps", wrong)
    wrong = first(compare_work(tab, text, "a0_a9_a3", at) for at in PLACES)
    tap.check(not wrong, f"{len(PLACES)} frames to show", wrong)
    rng = random.Random(5)
    wrong = first(compare_work(tab, rng.choice((text, MAPS["two nodes"])), random_steps(rng))
                  for _ in range(60))
    tap.check(not wrong, "60 random sessions (seed 5)", wrong)
    steps, wrong = [], None
    for step in random_steps(random.Random(8)).split("_"):
        steps.append(step)
        wrong = wrong or compare_work(tab, text, "_".join(steps))
    tap.check(not wrong, "each step of a session by itself", wrong)
    wrong = first(compare_work(tab, read(name), "a0_r1*200_l*5") for name in MACHINES)
    tap.check(not wrong, "a session on each machine", wrong)
    refused = [(tab.evaluate(DO_WORK, bad, "a0", None), native([WORK, "a0"], bad.encode()))
               for bad in ("", "hello\n", "0 0x1000 1\n", "0 0x1000 2\n")]
    tap.check(all(r[0] == 2 and not r[1] and r[2].strip() for pair in refused for r in pair),
              "a session without a map that boots is refused in words", refused)


def check_repeated(tap, tab):
    """Checks that a call leaves nothing behind for the next one."""
    name = "tests/e820/evga-sr2.map"
    wrong = (compare_replay(tab, read(name)) or compare_work(tab, read(name), "r1*1000")
             or compare_replay(tab, read(name)))
    tap.check(not wrong, "the same map again, after others", wrong)
    used = tab.evaluate("""(text) => {
        const seen = new Set();
        for (let i = 0; i < 300; i++)
            seen.add(firstpage.replay(text));
        return seen.size;
    }""", read(name).decode())
    tap.check(used == 1, "and 300 times", used)
    got = tab.evaluate("""(text) => {
        const { Instance } = WebAssembly;
        WebAssembly.Instance = class { constructor() { throw new RangeError("no memory"); } };
        try {
            return [firstpage.run(text), firstpage.work(text, "a0")];
        } finally {
            WebAssembly.Instance = Instance;
        }
    }""", read(name).decode())
    tap.check(all(r["status"] == 2 and not r["out"] and "no memory" in r["err"] for r in got),
              "a browser that has no memory for an instance: words, no exception", got)


def open_page(browser, **size):
    """Opens the page. Returns (tab, None), or (tab, why this browser cannot run it)."""
    tab = browser.open(URL, **size)
    problem = tab.evaluate("firstpage.problem")
    return tab, problem


def complaints(tab):
    """Returns what a page that works never tells: errors, exceptions, dialogs, requests."""
    return [entry for entry in tab.log()
            if entry[0] in ("error", "warning", "assert", "exception", "dialog", "request")
            and not entry[1].startswith(("data:", "blob:"))]


def main():
    if not find_browser():
        return skip("no Chromium: its package is called chromium")
    tap = Tap()
    with Browser() as browser:
        print(f"# {browser.version}")
        tab, problem = open_page(browser)
        if problem:
            if problem in tab.evaluate("document.body.innerText"):
                return skip(f"{browser.version}: {problem}")
            tap.check(False, "the page says why it does not run", problem)
            return tap.finish()
        for check in (check_machines, check_inputs, check_sessions, check_repeated):
            try:
                check(tap, tab)
            except BrowserError as error:
                tap.check(False, check.__name__, error)
        bad = complaints(tab)
        tap.check(not bad, "no message on the console, and no request", bad)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
