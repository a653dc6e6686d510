#!/usr/bin/env -S python3 -B
"""Boots machines with several processors, in QEMU and Bochs. TAP.

tests/cpus.py [--all] [WORD...] runs the cells of processors of the matrix (tests/cpu_cells.py)
whose name contains all the words; without --all the sample only.
"""
import os
import sys

from cases import CASES, LOGS, Case, run_cases
from cpu_cells import cpu_cells, wrong_cells
from tap import Tap

SAMPLE = (
    "pc 1 nodes 1", "pc 2 nodes 2", "q35 8 nodes 2", "pc gaps", "q35 2 of 4", "option maxcpus=2",
    "pc without APIC", "pc uninvited",
    "rom madt-dead=9", "rom madt-dead=9, q35", "rom madt-duplicate", "rom madt-disabled=1",
    "rom madt-fewer=2", "rom madt-checksum", "rom madt-none", "rom madt-fewer=0 madt-dead=3",
    "bochs 2 BIOS-bochs-latest", "bochs 2 BIOS-bochs-legacy", "bochs 2 bios.bin",
    "panic pc", "panic q35 nodes", "panic deaf",
)


def prove_failure(tap):
    """Checks that boots which say something else of their processors than is expected do not
    pass."""
    for what, case in wrong_cells():
        CASES.remove(case)
        complaint, output = case.run()
        tap.check(complaint and "has other lines" in complaint, f"the harness sees {what}", output)


def main():
    tap = Tap()
    words = [word for word in sys.argv[1:] if word != "--all"]
    os.makedirs(LOGS, exist_ok=True)
    cells = dict(cpu_cells())
    wanted = cells if "--all" in sys.argv else SAMPLE
    run_cases(tap, [Case(f"cpus {name}", **cells[name]) for name in wanted
                    if all(word in name for word in words)])
    if not words:
        prove_failure(tap)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
