"""The rows in scripts/bench of nanoseconds, beside those of lists in the same run: ns.ROW,
ns.ROW.lists, ns.ROW.ratio, and their table.

A figure is null (None) where this host cannot measure it.
"""
import re

# ROW: what is measured, the ratio to reach
ROWS = {
    "pair0": ("a frame allocated and freed, hot", 1.0),
    "bulk0alloc": ("10,000 frames into an array, each", 1.0),
    "bulk0free": ("the same frames freed, each", 1.0),
    "shuffled10k": ("10,000 frames freed in random order, each", 1.0),
    "shuffled1m": ("1,000,000 frames freed in random order, each", 1.0),
    "random0": ("free a random frame, allocate one, half full", 1.0),
    "pair3": ("order 3 allocated and freed, hot", 1.4),
    "pair9": ("the same, order 9", 1.4),
    "random3": ("free a random run, allocate one, half full", 1.0),
    "random9": ("the same, order 9", 1.4),
    "mixed50": ("the same, orders 0 to 9, 50 % free", 1.0),
    "mixed10": ("the same, 10 % free", 1.4),
    "two3": ("pairs of order 3 on two CPUs at once, each", 1.0),
    "two9": ("the same, order 9", 1.0),
    "pass0": ("one CPU allocates, another frees, each frame", 1.0),
    "pass3": ("the same, each run of order 3", 1.0),
}
PARTS = ("", ".lists", ".ratio")
IDS = [f"ns.{row}{part}" for row in ROWS for part in PARTS]

HOW = """\
Nanoseconds of an operation, median (quartiles), beside those of lists (tests/host/peers/lists.h): a
textbook buddy of Linux's shape. Both in one run of build/host/bench_ns, in slices that take turns, with the
same random numbers, 4 GiB in one piece; on CPUs of their own; cost of the loop (of the ring between the
CPUs, for pass) subtracted. ratio: median of the slices' ratios. The goal is 1 in every row."""


def rows(wanted, run):
    """Returns ({id: value}, {id: (quartile, quartile)}, remarks) of the rows for which wanted(id)
    is true. run(arguments) returns what the host program prints, or None."""
    names = [f"ns.{row}" for row in ROWS if any(wanted(f"ns.{row}{part}") for part in PARTS)]
    text = run(names) or "" if names else ""
    measured, spread = {}, {}
    for name, *values in re.findall(r"^bench (\S+) ([0-9.]+) ([0-9.]+) ([0-9.]+)$", text,
                                    re.MULTILINE):
        measured[name], *spread[name] = map(float, values)
    for name in re.findall(r"^# (\S+): NOT MEASURED", text, re.MULTILINE):
        measured.update({name + part: None for part in PARTS})
    return measured, spread, re.findall(r"^# (.*)$", text, re.MULTILINE)


def cell(name, measured, spread):
    """Returns the median of a row with its quartiles, as the table prints them."""
    value = measured.get(name)
    if value is None:
        return f"{'-':>8}{'':16}"
    low, high = spread[name]
    return f"{value:8.2f}{f'({low:.2f}-{high:.2f})':>16}"


def table(measured, spread, remarks):
    """Prints the table of the rows in measured, and remarks below it."""
    print(HOW + "\n")
    print(f"{'id':16}{'firstpage':>24}{'lists':>24}{'ratio':>24}  {'reach':<13}figure")
    for row, (what, reach) in ROWS.items():
        name = "ns." + row
        if name not in measured:
            continue
        ratio = measured.get(name + ".ratio")
        said = "NOT MEASURED" if ratio is None else f"<= {reach:g}" + " SHORT" * (ratio > reach)
        print(f"{name:16}" + "".join(cell(name + part, measured, spread) for part in PARTS)
              + f"  {said:<13}{what}")
    print()
    for remark in remarks:
        print("  " + remark)
