#!/usr/bin/env -S python3 -B
"""Proves that the runner can fail, by programs that must not count as passed. TAP."""
import importlib.machinery
import importlib.util
import sys

LOADER = importlib.machinery.SourceFileLoader("run", "tests/run")
run = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", LOADER))
LOADER.exec_module(run)

# name, shell text, passed, failed, skipped
CASES = [
    ("a passing program passes", "echo 1..2; echo ok 1; echo ok 2", 2, 0, None),
    ("a failing test fails", "echo 1..2; echo ok 1; echo not ok 2; exit 1", 1, 1, None),
    ("no plan fails", "echo ok 1", 1, 1, None),
    ("a short count fails", "echo 1..3; echo ok 1; echo ok 2", 2, 1, None),
    ("a plan of nothing fails", "echo 1..0", 0, 1, None),
    ("no output fails", "true", 0, 1, None),
    ("a failing status fails", "echo 1..1; echo ok 1; exit 3", 1, 1, None),
    ("a signal fails", "echo 1..1; echo ok 1; kill -9 $$", 1, 1, None),
    ("a hang fails", "echo 1..1; echo ok 1; exec sleep 60", 1, 1, None),
    ("two plans fail", "echo 1..1; echo ok 1; echo 1..1", 1, 1, None),
    ("a plan to skip is skipped, with its reason", "echo '1..0 # SKIP no way'", 0, 0, "no way"),
    ("a skip without a reason fails", "echo '1..0 # SKIP '", 0, 1, None),
    ("a skip with a result fails", "echo ok 1; echo '1..0 # SKIP no way'", 1, 1, None),
    ("a skip with a failing status fails", "echo '1..0 # SKIP no way'; exit 1", 0, 1, None),
    ("a skip of all tests but one fails", "echo ok 1; echo '1..2 # SKIP no way'", 1, 1, None),
    ("a skip of one test is none of all", "echo '1..1 # SKIP no way'; echo ok 1", 1, 0, None),
]

# What is shown of an output: what belongs to its failed tests, and no more.
OUTPUT = ("ok 1\n# of test 2\nok 2\n# old\n" + "# of test 3\n" * 24 + "a word\nnot ok 3 - three\n# after 3\n"
          "ok 4\n# of test 5\nok 5\nlast words\n\nnot ok - all: ended by signal 9\n")
SHOWN = ["# of test 3"] * 24 + ["a word", "not ok 3 - three", "# after 3", "last words", "",
                                "not ok - all: ended by signal 9"]


def main():
    print(f"1..{len(CASES) + 2}")
    bad = 0
    for number, (name, text, *wanted) in enumerate(CASES, 1):
        got = run.judge(["sh", "-c", text], 2)[:3]
        good = list(got) == wanted
        bad += not good
        print(f"{'ok' if good else 'not ok'} {number} - {name}" + ("" if good else f": {got}"))
    missing = run.judge(["build/no-such-program"], 2)[:3] == (0, 1, None)
    print(f"{'ok' if missing else 'not ok'} {len(CASES) + 1} - a missing program fails")
    shown = run.failures(OUTPUT) == SHOWN
    print(f"{'ok' if shown else 'not ok'} {len(CASES) + 2} - what failed is shown")
    return 1 if bad or not missing or not shown else 0


if __name__ == "__main__":
    sys.exit(main())
