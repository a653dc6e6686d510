"""Keeps what is needed to look at a failed boot and to run it again.

    build/test-logs/bundles/NAME/
        command      what was run: the variables that differed, and the command
        seed         of the run, when its output names one
        serial.log   all that it printed
        trace        its panic as source lines (scripts/decode), when there is one
        reproduce    a script that runs the same: sh build/test-logs/bundles/NAME/reproduce
        GDB_RC, BOCHS_RC   the debugger's commands, when it had some
"""
import os
import re
import shlex
import shutil
import subprocess

BUILD = os.environ.get("B", "build")
BUNDLES = os.path.join(BUILD, "test-logs", "bundles")


def put(directory, name, text):
    """Writes text to the file name in directory."""
    with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
        file.write(text)


def decode(output):
    """Returns what scripts/decode prints for output."""
    done = subprocess.run(["scripts/decode"], input=output.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode("utf-8", "replace")


def write(name, argv, env, output, texts=None, again=None):
    """Writes the bundle of the failed run name, and returns its path.

      argv    the command that was run
      env     the variables that differed from the present environment
      output  what it printed
      texts   {variable: text}: files that env named; the bundle keeps copies
      again   the command that runs it again, where argv alone would not
    """
    directory = os.path.join(BUNDLES, re.sub(r"\W+", "-", name).strip("-"))
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    env = dict(env)
    for variable, text in (texts or {}).items():
        put(directory, variable, text)
        env[variable] = os.path.join(directory, variable)
    words = [f"{key}={shlex.quote(value)}" for key, value in sorted(env.items())]
    line = " ".join(words + [shlex.join(argv)])
    put(directory, "command", f"{name}\n{line}\n")
    put(directory, "serial.log", output)
    if seed := re.search(r"\bseed[ =:]+(0x[0-9a-f]+|\d+)", output):
        put(directory, "seed", seed[1] + "\n")
    if re.search(r"panic: |Call Trace:|processor exception", output):
        put(directory, "trace", decode(output))
    root = shlex.quote(os.getcwd())
    put(directory, "reproduce", f"#!/bin/sh\ncd {root} && {shlex.join(again) if again else line}\n")
    os.chmod(os.path.join(directory, "reproduce"), 0o755)
    return directory


def of_case(case, output, runner):
    """Writes the bundle of case, a failed one of tests/cases.py, with its output, and returns the
    bundle's path. A damaged image or words to be typed cannot be had from a command line; such a
    case is run again by runner, with the case's name as its word."""
    argv, texts = ["scripts/run"], {}
    for script, variable, text in (("bochs", "BOCHS_RC", case.rc), ("debug", "GDB_RC", case.gdb)):
        if text is not None:
            argv, texts = ["scripts/" + script], {variable: text}
    plain = type(case).__name__ in ("Case", "Stop") and not case.damage
    again = None if plain else [runner, "--all", case.name]
    return write(case.name, argv, case.env, output, texts, again)
