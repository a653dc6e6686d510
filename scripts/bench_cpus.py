"""The rows in scripts/bench of many CPUs that build/host/bench_cpus measures, all of them simulated
by one thread: lines.*, saturates.*, stranded.
"""
import re
import subprocess

# id, what is measured, bound, figure to reach, the figures of others
FIGURES = (
    ("lines.pair0", "CPU cache lines that travel, a pair, two CPUs", "<=", 0, "0"),
    ("lines.pair3", "the same, order 3", "<=", 0, "0"),
    ("lines.pair10", "the same, order 10", "<=", 9, "2,056"),
    ("lines.pass", "one CPU allocates, another frees (a goal)", "<=", 4, "3.8"),
    ("saturates.bulk0", "CPUs that keep a lock held: frames in bulk", ">=", 64, ""),
    ("saturates.shuffled0", "the same, frames freed in random order", ">=", 64, ""),
    ("saturates.order3", "the same, random runs replaced, half full", ">=", 64, ""),
    ("saturates.order9", "the same, order 9", ">=", 64, ""),
    ("saturates.pass", "the same, one CPU allocates, another frees", ">=", 64, ""),
    ("stranded", "% of 128 MiB in frame caches of 63 other CPUs", "<=", 1.6, ""),
    ("stranded.left", "frames in them when a request fails", "<=", 0, "0"),
)
IDS = [row[0] for row in FIGURES]
ORDERS = {"order3": 3, "order9": 9}

HOLD = 60  # nanoseconds that a hold of a lock costs, without what is done under it
INSTRUCTION = 0.12  # nanoseconds
CLEAR = 120  # nanoseconds to clear a frame
MOST_CPUS = 1_000_000  # where the lock was never held

HOW = f"""\
lines: a model of endless CPU caches, of 64 bytes a line, that counts a read of a line last written by the
other CPU and a write of a line that the other has. CPUs change after each pair, or (pass) each frame;
descriptors, metadata and the allocator's variables count, the stack and the caller's arrays do not.
saturates: time of an operation on one CPU over the time that it holds the lock: {HOLD} ns for each hold, {INSTRUCTION} ns
an instruction, {CLEAR} ns to clear a frame, which its user does. Frame caches as with 64 CPUs on 64 GiB. Callgrind."""

LINE = 64
# The indices in bench_cpus.c's marks.
STOP, CPU0, CPU1, START = range(4)


def symbols(program):
    """Returns {name: (address, size)} of the program's symbols."""
    text = subprocess.run(["nm", "-S", program], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    found = {}
    for name, address, size in ((words[-1], words[0], words[1]) for words in
                                map(str.split, text.splitlines()) if len(words) >= 3):
        found[name] = (int(address, 16), int(size, 16) if len(size) == 16 else 0)
    return found


class Travel:
    """The model: which of two CPUs have a line, and which wrote it last."""

    def __init__(self):
        self.holders, self.writer = {}, {}
        self.travelled = 0

    def access(self, cpu, line, is_store):
        """Counts whether the line travels when the CPU reads or writes it."""
        holders = self.holders.get(line, 0)
        if is_store:
            self.travelled += bool(holders & ~(1 << cpu))
            self.holders[line] = 1 << cpu
            self.writer[line] = cpu
        elif not holders & 1 << cpu:
            self.travelled += self.writer.get(line, cpu) != cpu
            self.holders[line] = holders | 1 << cpu


def travelled(trace, names):
    """Returns the number of lines that travelled in each section of the trace, Lackey's output.
    names are the program's symbols."""
    marks = names["marks"][0]
    own_start, own_size = names["own"]
    static_start, static_end = names["__data_start"][0], names["_end"][0]
    ram_start, ram_end = 0x400000000, 0xc40000000  # SIM_LOW's RAM and descriptors, in sim.h
    sections, model, cpu = [], None, 0
    for text in trace:
        kind = text[1:2]
        if kind not in ("L", "S", "M"):
            continue
        address, _, size = text[3:].partition(",")
        address = int(address, 16)
        if 0 <= address - marks <= START:
            mark = address - marks
            if mark == START:
                model = Travel()
                sections.append(model)
            elif mark == STOP:
                model = None
            else:
                cpu = mark - CPU0
        elif (model and not own_start <= address < own_start + own_size
              and (static_start <= address < static_end or ram_start <= address < ram_end)):
            for line in range(address // LINE, (address + int(size) - 1) // LINE + 1):
                if kind != "S":
                    model.access(cpu, line, False)
                if kind != "L":
                    model.access(cpu, line, True)
    return [section.travelled for section in sections]


def lines(program):
    """Returns {id: value} of the rows lines.*; none when the program fails."""
    argv = ["valgrind", "-q", "--tool=lackey", "--trace-mem=yes", "--log-fd=2", program, "lines"]
    names = symbols(program)
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace") as run:
        counts = travelled(run.stderr, names)
        operations = re.findall(r"^operations (\S+) (\d+)$", run.stdout.read(), re.MULTILINE)
    if run.returncode or len(counts) != len(operations):
        return {}
    return {name: round(count / int(nr), 2) for count, (name, nr) in zip(counts, operations)}


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


def rows(wanted, host, callgrind, bench_lines, output_of):
    """Returns ({id: value}, remarks) of the rows for which wanted(id) is true. host is the folder
    of the host programs; the functions are those of scripts/bench."""
    measured, remarks = {}, []
    program = f"{host}/bench_cpus"
    if any(wanted(name) for name in IDS if name.startswith("lines.")):
        measured.update(lines(program))
    if any(wanted(name) for name in IDS if name.startswith("saturates.")):
        found, remarks = saturates(callgrind)
        measured.update(found)
    if any(wanted(name) for name in IDS if name.startswith("stranded")):
        text = output_of([program, "stranded"], 60) or ""
        measured.update(bench_lines(text))
        remarks = remarks + re.findall(r"^# (.*)$", text, re.MULTILINE)
    return {name: value for name, value in measured.items() if wanted(name)}, remarks
