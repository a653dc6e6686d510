#!/usr/bin/env -S python3 -B
"""Tests the rows boot.* of scripts/bench: their form, and that the boot reads in few commands. TAP."""
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile

from tap import Tap

BUILD = os.environ.get("B", "build")
PROJECT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
SECTOR = 512
IDS = ["boot.reads", "boot.sectors", "boot.instructions"]
MOST_READS = 15
MOST_READS_CHS = 22  # of a track of 63 sectors each


def load_bench_boot():
    """Returns the module scripts/bench_boot.py."""
    sys.path.insert(0, os.path.join(PROJECT, "scripts"))
    return importlib.import_module("bench_boot")


def bench(build, *words):
    """Runs scripts/bench with words, on the image in the folder build. Returns (its exit status, what
    it printed, the object in bench.json)."""
    done = subprocess.run(["scripts/bench", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          env={**os.environ, "B": build}, text=True, check=False)
    with open(os.path.join(build, "bench.json"), encoding="utf-8") as file:
        return done.returncode, done.stdout, json.load(file)


def check_form(tap, build):
    """Checks what scripts/bench prints and writes for `boot`, as a table and as JSON. Returns the
    object in bench.json."""
    status, said, measured = bench(build, "boot")
    tap.check(status == 0 and list(measured) == IDS
              and all(isinstance(value, int) and value > 0 for value in measured.values()),
              "bench boot measures " + " ".join(IDS), f"status {status}\n{said}{measured}")
    rows = re.findall(r"(?m)^(boot\.\w+) +([\d,]+) ", said)
    tap.check([(name, int(value.replace(",", ""))) for name, value in rows] == list(measured.items()),
              "the table shows what bench.json has", said)
    tap.check(re.search(rf"(?m)^boot\.reads +\d+  <= {MOST_READS} +disk read commands", said)
              and re.search(r"(?m)^1 reached, 0 short, 0 not measured$", said),
              f"boot.reads is at most {MOST_READS}, and the table says so", said)
    status, said, again = bench(build, "--json", "boot.r")
    tap.check(status == 0 and json.loads(said) == again == {"boot.reads": measured["boot.reads"]},
              "bench --json boot.r prints this row as one object, the same again", said)
    return measured


def check_commands(tap, build, measured):
    """Checks the numbers of commands and sectors, under firmware faults too, with those of a boot
    without faults in measured."""
    boot = load_bench_boot()

    def under(firmware):
        """Returns {id: value} of a boot under the faults named in firmware."""
        with tempfile.TemporaryDirectory(dir=build) as directory:
            return boot.boot_once(directory, boot.prompt_of(build), firmware)

    whole = sum(os.path.getsize(os.path.join(BUILD, name)) + SECTOR - 1 for name in
                ("stage2.bin", "KERNEL.ELF")) // SECTOR
    tap.check(whole < measured["boot.sectors"] < whole + 20,
              "boot.sectors is stage2, the kernel, and little more", f"{measured}, {whole}")
    chs = under("edd-missing")
    tap.check(measured["boot.reads"] < chs["boot.reads"] <= MOST_READS_CHS,
              f"without EDD the boot has at most {MOST_READS_CHS} read commands", chs)
    single = under("max-sectors=1")
    tap.check(single["boot.reads"] == single["boot.sectors"] >= whole,
              "a BIOS that moves one sector a call gives as many commands as sectors", single)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="bench.", dir=BUILD) as build:
        for name in ("disk.img", "kernel.elf"):
            os.symlink(os.path.realpath(os.path.join(BUILD, name)), os.path.join(build, name))
        check_commands(tap, build, check_form(tap, build))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
