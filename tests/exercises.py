#!/usr/bin/env -S python3 -B
"""Runs the exercises of the book, and looks for what their answers quote. TAP.

    tests/exercises.py [WORD...]    only the pages whose name contains one of these words

A block of commands whose first line is `make bochs` or `make debug` goes on in that debugger, any
other in the shell. A block that has the guest `exit 0` must succeed; one that does not end is ended.
A span with a blank in it, under Answers, is what a block of the page printed, except make's lines.
"""
import glob
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile

from tap import Tap

BUILD = os.environ.get("B", "build")
LIMIT = 90  # seconds
HALT_LIMIT = 8  # seconds, for a guest that halts before it has a command to run: the emulator goes on
DEBUGGERS = {"bochs": ("scripts/bochs", "BOCHS_RC"), "debug": ("scripts/debug", "GDB_RC")}
# What a debugger prints about a command or a name that it does not know, or an address that is not mapped.
COMPLAINT = re.compile(r"No symbol|not defined|Undefined |syntax error|unknown symbol|not recognized"
                       "|address not available", re.I)


def blocks(text):
    """Yields each block of commands, a list of lines, in the section Exercises of text."""
    part = text[text.index("## Exercises"):text.index("## Answers")]
    for found in re.findall(r"(?m)(?:^ {7}.*\n)+", part):
        yield [line.strip() for line in found.splitlines()]


def quotes(text):
    """Returns what the section Answers of text quotes: its spans with a blank in them, except
    make's lines."""
    spans = re.findall(r"`([^`]+)`", text[text.index("## Answers"):])
    return [" ".join(span.split()) for span in spans if " " in span and not span.startswith("make ")]


def run(argv, env, limit):
    """Runs argv for at most limit seconds, then ends it. Returns (status, output), status None
    when it was ended. Blanks in the output are reduced to single ones, as in quotes()."""
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=env, start_new_session=True) as program:
        try:
            output, status = program.communicate(timeout=limit)[0], program.returncode
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGTERM)
            output, status = program.communicate()[0], None
    return status, " ".join(output.decode("utf-8", "replace").split())


def run_debugger(block):
    """Runs block in the debugger that its first line names. Returns (whether it passed, output)."""
    program, variable = DEBUGGERS[block[0].split()[1]]
    given = dict(word.split("=", 1) for word in shlex.split(block[0])[2:])
    with tempfile.NamedTemporaryFile("w", dir=BUILD, prefix="exercise.", encoding="ascii") as file:
        file.write("\n".join(block[1:]) + "\n")
        file.flush()
        env = {**os.environ, "CMDLINE": "run=exit 0", **given, variable: file.name}
        status, output = run([program], env, LIMIT)
    return status is not None and not COMPLAINT.search(output), output


def run_shell(block):
    """Runs block in a shell. Returns (whether it passed, output)."""
    text = "\n".join(block).replace("build/", BUILD + "/")
    halts = re.search(r"\b(?:make|scripts/)\s*run\b", text) and "run=" not in text
    status, output = run(["sh", "-c", text], dict(os.environ), HALT_LIMIT if halts else LIMIT)
    return status == 0 or "exit 0" not in text, output


def run_block(block):
    """Runs block, a list of commands. Returns (whether it passed, output)."""
    return (run_debugger if block[0].split()[:2] in (["make", "bochs"], ["make", "debug"])
            else run_shell)(block)


def main():
    tap = Tap()
    wanted = sys.argv[1:]
    for page in sorted(glob.glob("docs/book/*.md")):
        if wanted and not any(word in page for word in wanted):
            continue
        with open(page, encoding="utf-8") as file:
            text = file.read()
        printed = ""
        for block in blocks(text):
            good, output = run_block(block)
            tap.check(good, f"{page}: {block[0]}", output[-2000:])
            printed += output + " "
        missing = [quote for quote in quotes(text) if quote not in printed]
        tap.check(not missing, f"{page}: the exercises print what the answers quote", missing)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
