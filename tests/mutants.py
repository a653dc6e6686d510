#!/usr/bin/env -S python3 -B
"""Proves that scripts/mutants tells which changes a test notices, on a small tree of its own in
build/mutants-test. TAP."""
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import run_tests  # noqa: E402

TREE = os.path.join(os.environ.get("B", "build"), "mutants-test")
SCRIPT = os.path.abspath("scripts/mutants")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("B", "MAKEFLAGS")}

FILES = {
    "Makefile": "build/host/test_%: tests/host/test_%.c lib/grade.c\n"
                "\tgcc -I. -fsanitize=undefined $^ -o $@\n",
    "lib/grade.h": "#define PASS 50\n\nint grade(int points);\n",
    "lib/grade.c": '#include "lib/grade.h"\n\n'
                   "int grade(int points)\n{\n"
                   "\tif (points < 0 || points > 99)\n"
                   "\t\treturn -1;\n"
                   "\treturn points >= PASS;\n}\n",
    "lib/other.c": "int other = 1;\n",
    "tests/host/host.mk": "test_borders_SOURCES := lib/grade.c\n",
    # 49 is not tried.
    "tests/host/test_borders.c": '#include "lib/grade.h"\n\n'
                                 "int main(void)\n{\n"
                                 "\treturn grade(-1) != -1 || grade(0) != 0 || grade(50) != 1 ||\n"
                                 "\t       grade(99) != 1 || grade(100) != -1;\n}\n",
    "tests/host/test_nothing.c": "int main(void)\n{\n\treturn 0;\n}\n",
    "tests/host/test_failing.c": "int main(void)\n{\n\treturn 1;\n}\n",
}


def make_tree():
    shutil.rmtree(TREE, ignore_errors=True)
    for name, text in FILES.items():
        path = os.path.join(TREE, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


def start_mutants(*arguments):
    return subprocess.Popen(
        [SCRIPT, *arguments], cwd=TREE, env=ENVIRONMENT, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def mutants(*arguments):
    """Returns (exit status, what was printed, without the remarks on the progress)."""
    process = start_mutants(*arguments)
    lines = process.communicate()[0].splitlines(True)
    return process.returncode, "".join(line for line in lines if line[0] != "(")


def what_survives_is_printed(tap):
    make_tree()
    status, text = mutants("lib/grade.c")
    tap.check(status == 0 and text.startswith("lib/grade.c: 100.0 % of 10 mutants killed by "
                                              "test_borders, 0 survived"),
              "the test on the list of sources kills all that it can see", text)
    status, text = mutants("lib/grade.h", "test_borders")
    tap.check(status == 0 and text.startswith("lib/grade.h:1: #define PASS 50\n\t50  ->  49\n"
                                              "lib/grade.h: 50.0 % of 2 mutants killed"),
              "of a header, too: one dies, and the other is printed", text)
    status, text = mutants("--again", "lib/grade.h", "test_nothing", "test_borders")
    tap.check(status == 0 and "of these, 0.0 % of 1 mutants killed by test_nothing test_borders"
              in text, "--again tries the survivors only", text)
    for name, text in FILES.items():
        with open(os.path.join(TREE, name), encoding="utf-8") as f:
            if f.read() != text:
                break
    else:
        name = None
    tap.check(not name, "the files are as before", name)


def what_cannot_be_is_refused(tap):
    make_tree()
    rows = [(["--help"], 0, "Changes a source file"),
            ([], 2, "Changes a source file"),
            (["--agian", "lib/grade.c"], 2, "Changes a source file"),
            (["lib/grad.c"], 2, "mutants: lib/grad.c: No such file or directory"),
            (["lib"], 2, "mutants: lib: Is a directory"),
            (["lib/other.c"], 2, "mutants: no host test has lib/other.c; name one"),
            (["lib/other.c", "test_borders"], 2, "none of these host tests has lib/other.c"),
            (["lib/grade.c", "test_border"], 2, "mutants: no host test is called so: "),
            (["lib/grade.c", "test_failing"], 1, "test_failing-plain fails with lib/grade.c as it"),
            (["--again", "lib/grade.c"], 2, "mutants: nothing is known of lib/grade.c yet")]
    for arguments, wanted, words in rows:
        status, text = mutants(*arguments)
        tap.check(status == wanted and words in text,
                  f"{' '.join(['mutants', *arguments])} ends with {wanted} and says why", text)
    mutants("lib/grade.h", "test_borders")
    with open(os.path.join(TREE, "lib/grade.h"), "a", encoding="utf-8") as f:
        f.write("\n")
    status, text = mutants("--again", "lib/grade.h", "test_borders")
    tap.check(status == 2 and "lib/grade.h is not what it was" in text,
              "--again is refused for another text", text)


def an_interrupted_run_goes_on(tap):
    make_tree()
    process = start_mutants("lib/grade.c", "test_nothing")
    while " -> " not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    text = process.communicate()[0]
    tap.check(process.returncode == 130 and " % of " in text and "interrupted after " in text,
              "Ctrl-C leaves a score", text)
    status, text = mutants("--again", "lib/grade.c", "test_nothing")
    tap.check(status == 0 and "of these, 0.0 % of 10 mutants" in text,
              "--again then tries the rest, too", text)


if __name__ == "__main__":
    sys.exit(run_tests([what_survives_is_printed, what_cannot_be_is_refused,
                        an_interrupted_run_goes_on]))
