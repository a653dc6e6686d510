#!/usr/bin/env -S python3 -B
"""Counts the instructions that runs of 64 KiB and 2 MiB take which no frame cache holds, and compares
them with those of a textbook buddy allocator. TAP.

tests/host/bench/bench_cold.c allocates many runs and then frees them by put_page(), in memory that is
used for the first time and in memory that was used before. The counts of both allocators come from one
run of Callgrind.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scripts"))

import bench_cold  # noqa: E402
from tap import Tap  # noqa: E402

# The most that a run may cost, in percent of what it costs the textbook allocator (tests/host/peers/
# lists.h, "the lists"), without the zeroing of its descriptors: by order and number of CPUs, for frees in
# rising, falling and random order.
MOST = {
    (4, 1): (160, 165, 200),
    (9, 1): (135, 135, 145),
    (4, 8): (250, 250, 260),
    (9, 8): (130, 130, 130),
}


def compare(tap, order, mib, cpus):
    """Compares all figures of one machine and order."""
    counts = bench_cold.counts_of(order, mib, cpus)
    tap.check(counts, f"order {order}, {mib} MiB, {cpus} CPUs: counted")
    if not counts:
        return
    for arrangement, most in zip(bench_cold.ARRANGEMENTS, MOST[order, cpus]):
        for use in ("first", "again"):
            ours, lists = (bench_cold.pair(counts, whose, use, arrangement)
                           for whose in ("ours", "lists"))
            tap.check(ours <= lists * most / 100,
                      f"order {order}, {mib} MiB, {cpus} CPUs, {use} use, frees {arrangement}: "
                      f"at most {most} % of the lists", f"{ours:.0f} instructions, lists {lists:.0f}")
    zeros = counts["lists_descriptors"]
    ours, lists = (bench_cold.pair(counts, whose, "first", "rising") for whose in ("ours", "lists"))
    if cpus == 1:
        tap.check(ours <= lists + zeros,
                  f"order {order}, {mib} MiB: less than the lists, with the zeros they must find",
                  f"{ours:.0f} instructions, lists {lists:.0f} and {zeros:.0f}")


def main():
    tap = Tap()
    for _, mib, cpus in bench_cold.MACHINES:
        for order in bench_cold.ORDERS:
            compare(tap, order, mib, cpus)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
