"""The rows in scripts/bench of many CPUs. build/host/bench_cpus measures saturates.* and stranded, with
CPUs that are simulated by one thread; the kernel measures the others, on a machine that has them.
"""
import re

# id, what is measured, bound, figure to reach, the figures of others
FIGURES = (
    ("lines.pair0", "CPU cache lines that travel, a pair, two CPUs", "<=", 0, "0"),
    ("lines.pair3", "the same, order 3", "<=", 0, "0"),
    ("lines.pair10", "the same, order 10", "<=", 9, "2,056"),
    ("lines.pass", "one CPU allocates, another frees (a goal)", "<=", 4, "3.8"),
    ("ap.start", "ms in which 7 CPUs start, on this host", "<=", 80, "1,245"),
    ("remove.hold.8", "remove.hold while 7 other CPUs are at work", "<=", 3000, ""),
    ("saturates.bulk0", "CPUs that keep a lock held: frames in bulk", ">=", 64, ""),
    ("saturates.shuffled0", "the same, frames freed in random order", ">=", 64, ""),
    ("saturates.order3", "the same, random runs replaced, half full", ">=", 64, ""),
    ("saturates.order9", "the same, order 9", ">=", 64, ""),
    ("saturates.pass", "the same, one CPU allocates, another frees", ">=", 64, ""),
    ("stranded", "% of 128 MiB in frame caches of 63 other CPUs", "<=", 1.6, ""),
    ("stranded.left", "frames in them when a request fails", "<=", 0, "0"),
)
# id, what is measured; rows without a figure to reach
FURTHER = (
    ("lock.unfair", "times a ms that 8 CPUs take the allocator's lock, held half of the time"),
    ("lock.unfair.wait", "us that one of them waits at most"),
    ("lock.fair", "the same with a lock that serves CPUs in the order of arrival"),
    ("lock.fair.wait", "the same"),
    ("lock.unfair.seldom", "as lock.unfair, with 70 times as long from one hold to the next"),
    ("lock.unfair.seldom.wait", "us that one of them waits at most"),
    ("lock.fair.seldom", "the same with a lock that serves CPUs in the order of arrival"),
    ("lock.fair.seldom.wait", "the same"),
)
IDS = [row[0] for row in FIGURES + FURTHER]

# The machine of lines.*, with a clock that runs 64 times as fast as that of other rows: the kernel
# polls the timer only so often, and would not wait long enough for the second CPU to start.
# lines.pass comes first, while free frames are in order.
LINES_MEM, LINES_CLOCK = "8G", "-icount shift=6,sleep=off"
OF_LINES = ("lines.pass", "lines.pair0", "lines.pair3", "lines.pair10")
# The machine of lock.*, which one command measures. They are times, of more CPUs than most hosts
# have, so QEMU runs its CPUs side by side.
LOCK_MEM, LOCK_CPUS = "1G", "8"
OF_LOCK = [row[0] for row in FURTHER]

# The machine of remove.hold.8: one instruction after the other, of all CPUs.
HOLD_MEM, HOLD_DIMM = "256M", "64M"

ORDERS = {"order3": 3, "order9": 9}

HOLD = 60  # nanoseconds that a hold of a lock costs, without what is done under it
INSTRUCTION = 0.12  # nanoseconds
CLEAR = 120  # nanoseconds to clear a frame
MOST_CPUS = 1_000_000  # where the lock was never held

HOW = f"""\
lines: two CPUs, in single steps; a model of endless CPU caches, of 64 bytes a line, counts a read of a
line last written by the other CPU and a write of a line that the other has. CPUs change after each pair,
or (pass) each frame; descriptors, metadata and the allocator's variables count, the stack does not.
ap.start: a time, in QEMU, from the first INIT until all have come. With -icount QEMU's clock jumps to its next
timer whenever a CPU starts, by up to 50 ms.
remove.hold.8: the holds of the CPU that adds and removes, from the exchange that takes a lock, so without the
wait for it; the others replace allocations of order 0 to 9 beside the DIMM, then in it.
lock.unfair, lock.fair: 8 CPUs take a lock, hold it for 60 instructions and do something else for as long
(.seldom: 70 times as long); medians of 9 slices of 200 ms of each in turn. Times, in QEMU.
saturates: time of an operation on one CPU over the time that it holds the lock: {HOLD} ns for each hold, {INSTRUCTION} ns
an instruction, {CLEAR} ns to clear a frame, which its user does. Frame caches as with 64 CPUs on 64 GiB. Callgrind."""


def saturates(callgrind):
    """Returns {id: value} of the rows saturates.*, and remarks."""
    counts, text = callgrind("bench_cpus", "saturates")
    holds = {name: int(nr) for name, nr in re.findall(r"^holds (\w+) (\d+)$", text, re.MULTILINE)}
    a_hold = counts["holds_empty"] / holds["empty"] if counts else 0
    measured, remarks = {}, []
    for name, nr in re.findall(r"^operations (\w+) (\d+)$", text, re.MULTILINE):
        nr = int(nr)
        instructions, holding = counts[name] / nr, holds[name] / nr
        work = counts[f"holds_{name}"] / nr - a_hold * holding
        locked = holding * HOLD + work * INSTRUCTION
        clear = CLEAR << ORDERS.get(name, 0)
        time = holding * HOLD + instructions * INSTRUCTION + clear
        measured[f"saturates.{name}"] = round(min(time / locked, MOST_CPUS), 1) if locked else MOST_CPUS
        remarks.append(f"saturates.{name}: {holding * 1000:.1f} holds per 1,000, {work:.1f} "
                       f"instructions under the lock, {instructions:.1f} in all, each")
    return measured, remarks


def host_rows(wanted, host, callgrind, bench_lines, output_of):
    """Returns ({id: value}, remarks) of the host's rows for which wanted(id) is true. host is the
    folder of the host programs; the functions are those of scripts/bench."""
    measured, remarks = {}, []
    program = f"{host}/bench_cpus"
    if any(wanted(name) for name in IDS if name.startswith("saturates.")):
        found, remarks = saturates(callgrind)
        measured.update(found)
    if any(wanted(name) for name in IDS if name.startswith("stranded")):
        text = output_of([program, "stranded"], 60) or ""
        measured.update(bench_lines(text))
        remarks = remarks + re.findall(r"^# (.*)$", text, re.MULTILINE)
    return {name: value for name, value in measured.items() if wanted(name)}, remarks


def kernel_rows(wanted, boot):
    """Returns {id: value} of the kernel's rows for which wanted(id) is true. boot is that of
    scripts/bench."""
    measured = {}
    lines = [name for name in OF_LINES if wanted(name)]
    if lines:
        measured.update(boot(LINES_MEM, "max", ["bench " + name for name in lines], cpus="2",
                             clock=LINES_CLOCK))
    if wanted("ap.start"):
        measured.update(boot(HOLD_MEM, "max", ["bench ap.start"], cpus="8", clock=""))
    if wanted("remove.hold.8"):
        measured.update(boot(HOLD_MEM, "max", ["bench remove.hold.8"], dimms=HOLD_DIMM, cpus="8"))
    if any(map(wanted, OF_LOCK)):
        measured.update(boot(LOCK_MEM, "max", ["bench lock"], cpus=LOCK_CPUS, clock=""))
    return {name: value for name, value in measured.items() if wanted(name)}
