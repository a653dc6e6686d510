#!/usr/bin/env -S python3 -B
"""Runs `bench` and `selftest` on small and full machines and on one of 4 GiB, and ends long
commands by Ctrl-C. TAP.

tests/small.py [--all] [WORD...] runs the cells `bench` of the matrix whose name contains all the
words; without --all the sample only.
"""
import os
import re
import sys

from cases import CASES, LOGS, Case, Dialogue, ktap_complaint, run_cases
from tap import Tap

LIMIT = 600
RUN = "run=bench list;bench;selftest;exit"  # without a number: 1 when a command has failed
SAMPLE = ("bench 3M", "bench 8M", "bench 64M", "bench 4G", "bench 8M full")
OPTIONS = ("page_poison=on", "debug_pagealloc=on", "page_owner=on", "safe")


def filling(mib):
    """Returns commands that allocate all of so many MiB, by what is left of the largest orders."""
    return "alloc 9;" * (mib // 2) + "".join(f"alloc {order};" * 3 for order in range(8, -1, -1))


def bench_complaint(output):
    """Returns None when `bench list` and `bench` in output agree, no row failed, and the self-test
    passed, with a reason for each test that it skipped; else a complaint."""
    ids = re.search(r"^firstpage> bench list\n((?:(?!firstpage> ).*\n)*)", output, re.MULTILINE)
    if not ids or len(ids[1].split()) < 40:
        return "no list of ids"
    bad = re.findall(r"^bench .*(?:: failed|: interrupted|came back)$", output, re.MULTILINE)
    if bad:
        return bad[0]
    for name in ids[1].split():
        if not re.search(rf"^bench {re.escape(name)}(?:: skipped, \w| \d|\.\w+ \d)", output,
                         re.MULTILINE):
            return f"bench prints nothing about the row {name}"
    if re.search(r"# SKIP *$", output, re.MULTILINE):
        return "a test was skipped without a reason"
    return ktap_complaint(output)


def bench_cells():
    """Yields (name, variables) of the cells that run `bench` and `selftest`."""
    machines = ("3M", "4M", "6M", "8M", "16M", "32M", "64M")
    for mem in machines:
        yield mem, {"MEM": mem}
        yield f"{mem} nodes 2", {"MEM": mem, "NODES": "2"}
        yield f"{mem} cpus 2", {"MEM": mem, "CPUS": "2"}
        for option in OPTIONS:
            yield f"{mem} {option}", {"MEM": mem, "CMDLINE": f"{option} {RUN}"}
    for mem in (8, 32):
        for cpus in (1, 2):
            yield (f"{mem}M full" + " cpus 2" * (cpus == 2),
                   {"MEM": f"{mem}M", "CPUS": cpus, "status": 1,  # an alloc fails at the end
                    "CMDLINE": RUN.replace("run=", "run=" + filling(mem))})
    yield "4G", {"MEM": "4G"}  # zone Normal has one GiB, too little for some states of memory
    yield "16M full but 4M", {"MEM": "16M", "CMDLINE": RUN.replace("run=", "run=" + "alloc 9;" * 4)}


def define():
    """Makes all cases. Returns those of the matrix."""
    cells = []
    for name, rest in bench_cells():
        cells.append(Case(f"bench {name}", **{"limit": LIMIT, "CMDLINE": RUN, "also": bench_complaint,
                                              **rest}))
    return cells


def define_interrupted():
    """Makes the cases in which Ctrl-C ends something. Returns them."""
    prompt = r"firstpage> $"
    return [
        Dialogue("Ctrl-C ends memtest=1000 at boot, and not the commands of run=", [
            (r"pass 2 of 1000", "\x03"), (r"1 of 1 passes(?s:.*)" + prompt, "exit 0\r")],
                 CMDLINE="memtest=1000 run=memtest list;memtest 1", says=[
                     r"^memtest: interrupted in pass \d+ of 1000$", r"^1 of 1 passes over "]),
        Case("memtest= of more than 1000 passes is a bad value", CMDLINE="memtest=1001 run=exit 0",
             says=[r"^Bad value of command-line option memtest: 1001; it takes a number of passes, "
                   r"0 to 1000: ignored$"]),
        Dialogue("Ctrl-C ends bench and selftest, and all memory comes back", [
            (prompt, "alloc 3\rrelease last\rbench hold\r"), (r"hold of __free_page", "\x03"),
            (prompt, "bench worst0\r"), (r"alloc_page\(\), \d+ ticks", "\x03"),
            (prompt, "free\rselftest\r"), (r"# alloc, cache empty: ", "\x03"),
            (prompt, "exit 0\r")],
                 CMDLINE="run=free", says=[
                     r"^bench hold\.max: interrupted$", r"^bench worst0\.alloc: interrupted$",
                     r"^not ok 17 .*\n# interrupted$"], also=same_free)]


def same_free(output):
    """Returns None when each `free` in output has printed the same, and all memory came back."""
    ranges = set(re.findall(r"firstpage> free\n((?:free .*\n)+)", output))
    if len(ranges) != 1:
        return f"{len(ranges)} different answers to `free`"
    return "not all memory came back" if "came back" in output else None


def prove_failure(tap):
    """Checks that a boot in which `bench` leaves out rows does not pass."""
    good = Case("", CMDLINE="run=bench list;bench lost;selftest;exit 0", MEM="3M",
                also=bench_complaint)
    CASES.remove(good)
    complaint, output = good.run()
    tap.check(complaint and "nothing about the row" in complaint, "a missing row is seen",
              output)


def main():
    tap = Tap()
    words = [word for word in sys.argv[1:] if word != "--all"]
    os.makedirs(LOGS, exist_ok=True)
    cells = [case for case in define() if "--all" in sys.argv or case.name in SAMPLE]
    run_cases(tap, [case for case in cells + define_interrupted()
                    if all(word in case.name for word in words)])
    if not words:
        prove_failure(tap)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
