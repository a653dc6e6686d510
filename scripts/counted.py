"""Runs programs for scripts/bench and tests/cold.py: with a time limit, and under Callgrind."""
import os
import re
import subprocess
import sys
import tempfile

BUILD = os.environ.get("B", "build")
HOST = os.path.join(BUILD, "host")


def say(text):
    """Prints text on standard error, where the progress goes."""
    print("bench: " + text, file=sys.stderr, flush=True)


def output_of(argv, limit, env=None):
    """Runs argv for at most limit seconds, with the variables of env. Returns what it prints, or
    None, after a complaint, when it fails."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.PIPE, timeout=limit, check=False, errors="replace",
                              env={**os.environ, **(env or {})})
    except (OSError, subprocess.TimeoutExpired) as error:
        say(str(error))
        return None
    if done.returncode:
        say(f"{argv[0]} ended with status {done.returncode}")
        for line in (done.stdout + done.stderr).splitlines()[-8:]:
            say("    " + line)
        return None
    return done.stdout


def callgrind(program, *arguments):
    """Runs the host program with arguments under Callgrind. Returns ({name of a dump:
    instructions}, what it prints); ({}, "") when it fails."""
    say(f"runs {' '.join((program, *arguments))} under Callgrind")
    counts = {}
    with tempfile.TemporaryDirectory(prefix="bench.", dir=BUILD) as directory:
        text = output_of(["valgrind", "--tool=callgrind", "--collect-atstart=no",
                          f"--callgrind-out-file={directory}/out", f"{HOST}/{program}",
                          *arguments], 300)
        for name in os.listdir(directory):
            with open(os.path.join(directory, name), encoding="utf-8") as file:
                dump = file.read()
            part = re.search(r"^desc: Trigger: Client Request: (\w+)$", dump, re.MULTILINE)
            if part:
                counts[part[1]] = int(re.search(r"^totals: (\d+)", dump, re.MULTILINE)[1])
    return ({}, "") if text is None else (counts, text)
