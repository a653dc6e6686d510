"""What a failed boot leaves behind, so that it can be looked at and played again.

    build/test-logs/bundles/NAME/
        command      what was run: its environment, where it differs, and its words
        seed         of the run, when it says one
        serial.log   all that it printed
        trace        its panic as source lines (scripts/decode), when there is one
        reproduce    a script: the same again. sh build/test-logs/bundles/NAME/reproduce
"""
import os
import re
import shlex
import shutil
import subprocess

BUILD = os.environ.get("B", "build")
BUNDLES = os.path.join(BUILD, "test-logs", "bundles")


def put(directory, name, text):
    with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
        file.write(text)


def keep_files(directory, env):
    """Files that the run was given by name live no longer than it: the bundle has its own."""
    kept = dict(env)
    for variable, path in env.items():
        if variable in ("GDB_RC", "BOCHS_RC") and os.path.isfile(path):
            kept[variable] = os.path.join(directory, os.path.basename(path))
            shutil.copyfile(path, kept[variable])
    return kept


def decode(output):
    done = subprocess.run(["scripts/decode"], input=output.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode("utf-8", "replace")


def write(name, argv, env, output, again=None):
    """The bundle's path. env: what differs from the environment at hand; while the files that it
    names exist. again: the words that play it again, where argv alone would not, as for a case with
    a damaged image or with words to be typed: its runner's."""
    directory = os.path.join(BUNDLES, re.sub(r"\W+", "-", name).strip("-"))
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    env = keep_files(directory, {key: value for key, value in env.items()
                                 if os.environ.get(key) != value})
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
