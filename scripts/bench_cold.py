"""The rows cold* in scripts/bench, which build/host/bench_cold measures: many runs of order 4 (64 KiB) or
9 (2 MiB) are allocated, and then freed by put_page(). tests/cold.py compares them with what
tests/host/peers/lists.h takes for the same.
"""
import re

from counted import callgrind

ORDERS = (4, 9)
# The end of a row's id, MiB of RAM, CPUs. On the second no frame cache holds a run.
MACHINES = (("", 4096, 1), (".small", 256, 8))
ARRANGEMENTS = ("rising", "falling", "random")

FIGURES = (
    ("cold4", "order 4: first use of 3 of 4 GiB, put_page()", "<=", 226, "lists 226, zeros 176"),
    ("cold9", "the same, order 9", "<=", 278, "lists 278, zeros 5,632"),
    ("cold4.small", "as cold4, 256 MiB and 8 CPUs: nothing is cached", "<=", 226, "lists 226, zeros 176"),
    ("cold9.small", "the same, order 9", "<=", 269, "lists 269, zeros 5,632"),
)
# id, what is measured; rows without a figure to reach
FURTHER = tuple(
    (f"cold{order}{end}.{use}", f"as cold{order}{end}, {what}")
    for end, _, _ in MACHINES for order in ORDERS
    for use, what in (("again", "memory that was used before"),
                      ("random", "freed in random order")))
IDS = [row[0] for row in FIGURES + FURTHER]

HOW = """\
cold: instructions of a run's allocation and free, with a loop of some ten; 3/4 of memory in runs of one
order, freed as they were allocated. Callgrind, gcc -O2. lists: a textbook buddy allocator with one lock;
the zeros are what it must find in descriptors of 64 bytes. mm/ writes its own (16 bytes) in these figures."""


def counts_of(order, mib, cpus):
    """Returns {name of a dump: instructions for each run} of bench_cold, or {} when it failed."""
    counts, text = callgrind("bench_cold", str(order), str(mib), str(cpus))
    runs = re.search(r"^runs (\d+)$", text, re.MULTILINE)
    return {name: value / int(runs[1]) for name, value in counts.items()} if runs else {}


def pair(counts, whose, use, arrangement):
    """Returns the instructions of a run's allocation and free: of `ours` or `lists`, at the `first`
    use of memory or `again`, with the frees in this arrangement."""
    return sum(counts[f"{whose}_{use}_{arrangement}_{call}"] for call in ("alloc", "free"))


def rows(wanted):
    """Returns {id: value} of the rows for which wanted(id) is true."""
    measured = {}
    for end, mib, cpus in MACHINES:
        for order in ORDERS:
            row = f"cold{order}{end}"
            ids = {row: ("first", "rising"), f"{row}.again": ("again", "rising"),
                   f"{row}.random": ("first", "random")}
            counts = counts_of(order, mib, cpus) if any(map(wanted, ids)) else {}
            if counts:
                measured.update((name, round(pair(counts, "ours", *how), 1))
                                for name, how in ids.items() if wanted(name))
    return measured
