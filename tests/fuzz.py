#!/usr/bin/env python3
"""A fuzzer for a fixed time: tests/fuzz.py NAME SECONDS

First every file of the kept corpus, tests/host/corpus/NAME, then new inputs that start from it. What
is found on the way stays in build/fuzz/NAME; an input that fails is written there, and its bytes are
printed.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import Tap  # noqa: E402

BUILD = os.environ.get("B", "build")


def fuzz(program, arguments, limit):
    """(passed, output)"""
    try:
        done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit,
                              check=False)
    except subprocess.TimeoutExpired as late:
        return False, (late.stdout or b"").decode("utf-8", "replace") + f"\nnot done in {limit} s"
    return done.returncode == 0, done.stdout.decode("utf-8", "replace")


def main():
    name, seconds = sys.argv[1], int(sys.argv[2])
    program = os.path.join(BUILD, "host", "fuzz_" + name)
    corpus = os.path.join("tests", "host", "corpus", name)
    work = os.path.join(BUILD, "fuzz", name)
    os.makedirs(work, exist_ok=True)
    tap = Tap()
    files = [os.path.join(corpus, file) for file in sorted(os.listdir(corpus))]
    passed, output = fuzz(program, files, 60)
    tap.check(files and passed, f"{len(files)} kept inputs of {name}", output)
    passed, output = fuzz(program, [f"-max_total_time={seconds}", "-max_len=400", "-len_control=0",
                                    "-print_final_stats=1", f"-artifact_prefix={work}/", work,
                                    corpus], seconds + 60)
    runs = [line.split()[-1] for line in output.splitlines() if "number_of_executed_units" in line]
    print(f"# {name}: {runs[0] if runs else 'no'} inputs in {seconds} s")
    tap.check(passed and runs, f"{name} for {seconds} s", output)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
