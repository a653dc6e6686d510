#!/usr/bin/env -S python3 -B
"""Proves that the runner can fail, by programs that must not count as passed. TAP."""
import importlib.machinery
import importlib.util
import sys

LOADER = importlib.machinery.SourceFileLoader("run", "tests/run")
run = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", LOADER))
LOADER.exec_module(run)

# name, shell text, passed, failed
CASES = [
    ("a passing program passes", "echo 1..2; echo ok 1; echo ok 2", 2, 0),
    ("a failing test fails", "echo 1..2; echo ok 1; echo not ok 2; exit 1", 1, 1),
    ("no plan fails", "echo ok 1", 1, 1),
    ("a short count fails", "echo 1..3; echo ok 1; echo ok 2", 2, 1),
    ("a plan of nothing fails", "echo 1..0", 0, 1),
    ("no output fails", "true", 0, 1),
    ("a failing status fails", "echo 1..1; echo ok 1; exit 3", 1, 1),
    ("a signal fails", "echo 1..1; echo ok 1; kill -9 $$", 1, 1),
    ("a hang fails", "echo 1..1; echo ok 1; exec sleep 60", 1, 1),
    ("two plans fail", "echo 1..1; echo ok 1; echo 1..1", 1, 1),
]


def main():
    print(f"1..{len(CASES) + 1}")
    bad = 0
    for number, (name, text, passed, failed) in enumerate(CASES, 1):
        got = run.judge(["sh", "-c", text], 2)[:2]
        good = got == (passed, failed)
        bad += not good
        print(f"{'ok' if good else 'not ok'} {number} - {name}" + ("" if good else f": {got}"))
    missing = run.judge(["build/no-such-program"], 2)[:2] == (0, 1)
    print(f"{'ok' if missing else 'not ok'} {len(CASES) + 1} - a missing program fails")
    return 1 if bad or not missing else 0


if __name__ == "__main__":
    sys.exit(main())
