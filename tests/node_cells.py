"""The matrix's cells of NUMA nodes: which nodes a machine has, and what `numa` must then print."""
import os
import re

from cases import BUILD
from node_tables import HOTPLUG, NON_VOLATILE, cpu, memory, slit, srat, x2apic

RUN = "run=numa;selftest;exit 0"
LIMIT, MANY_LIMIT = 180, 600  # seconds; many nodes make the self-test slow
MIB, GIB = 1 << 20, 1 << 30
BLOCK, CHUNK = 2 * MIB, 512 * MIB  # a chunk of RAM has a block of descriptors
TO_THE_END = 1 << 64
FRAME = 4096

NO_ENTRY = r"no entry \[mem {:#x}-{:#x}\]: the nearest node below "
SPLIT = r"split block \[mem {:#x}-{:#x}\]: the node with most "
TOO_MANY = r"too many "
RAM_END = GIB - 0x20000  # SeaBIOS keeps the last 128 KiB


class Nodes:
    """What a boot must say about its nodes.

      owners       [(start, node), …]: from each address on, rising, memory is this node's
      nr           how many nodes there are
      cpus         the node of each CPU
      distances    {(from, to): distance}; those left out are 10 and 20
      corrections  a pattern for each correction, in their order
    """

    def __init__(self, owners, nr=None, cpus=(0,), distances=None, corrections=()):
        self.owners = owners
        self.nr = nr or 1 + max(node for _, node in owners)
        self.cpus, self.distances, self.corrections = cpus, distances or {}, corrections

    def sizes(self, output):
        """Returns the MiB of RAM of each node, given the memory map in output."""
        frames = [0] * self.nr
        ends = [start for start, _ in self.owners[1:]] + [TO_THE_END]
        for first, last in re.findall(r"^BIOS-e820: \[mem (0x\w+)-(0x\w+)\] usable$", output,
                                      re.MULTILINE):
            base, end = -(-int(first, 16) // FRAME) * FRAME, (int(last, 16) + 1) // FRAME * FRAME
            for (start, node), stop in zip(self.owners, ends):
                frames[node] += max(0, min(end, stop) - max(base, start)) // FRAME
        return [count * FRAME // MIB for count in frames]

    def lines(self, output):
        """Returns a pattern for each line that `numa` must print."""
        every = range(self.nr)
        yield f"available: {self.nr} nodes " + (rf"\(0-{self.nr - 1}\)" if self.nr > 1 else r"\(0\)")
        for node, size in enumerate(self.sizes(output)):
            yield f"node {node} cpus:" + "".join(f" {cpu}" for cpu, its in enumerate(self.cpus)
                                                 if its == node)
            yield f"node {node} size: {size} MB"
            yield rf"node {node} free: (?P<free{node}>\d+) MB"
        yield "node distances:"
        yield "node " + "".join(f"{node:3} " for node in every)
        for start in every:
            yield f"{start:3}: " + "".join(
                f"{self.distances.get((start, to), 10 if start == to else 20):3} " for to in every)
        whole = all(start % CHUNK == 0 for start, _ in self.owners)
        yield f"local: {'100' if whole else '[0-9]+([.][0-9])?'} % of the descriptors are on their own node"
        for correction in self.corrections:
            yield "numa: correction: " + correction + ".*"

    def complaint(self, output):
        """Returns None when output, that of a boot, says this about its nodes, else what differs.
        The log of the boot must have the corrections too."""
        said = re.search(r"^firstpage> numa\n((?s:.*?))^firstpage> ", output, re.MULTILINE)
        got = said[1].splitlines() if said else []
        free = {}
        for pattern, line in zip(self.lines(output), got):
            match = re.fullmatch(pattern, line)
            if not match:
                return f"`numa` prints {line!r} instead of {pattern}"
            free.update(match.groupdict())
        if len(got) != len(list(self.lines(output))):
            return f"`numa` prints {len(got)} lines:\n" + "\n".join(got)
        for node, size in enumerate(self.sizes(output)):
            if not size * 9 // 10 - 40 <= int(free[f"free{node}"]) <= size:
                return f"node {node} has {free[f'free{node}']} MB free of {size}"
        logged = re.findall(r"^(numa: correction: .*)$", output[:said.start()], re.MULTILINE)
        if logged != [line for line in got if line.startswith("numa:")]:
            return f"the log of the boot has other corrections: {logged}"
        return None


def shares(machine, sizes):
    """Returns the owners of memory on a machine of QEMU with nodes of these sizes, in GiB: RAM is
    below the hole, and from 4 GiB on."""
    total = sum(sizes)
    hole = {"pc": (3.5, 3), "q35": (2.75, 2)}[machine]  # with so much, RAM ends there
    low = hole[1] if total >= hole[0] else total
    owners, at = [], 0
    for node, size in enumerate(sizes):
        if size:
            owners.append((int((at if at < low else at - low + 4) * GIB), node))
        at += size
    return owners


def machine_cells():
    """Yields (name, variables, nodes) of the cells in which QEMU makes the tables."""
    for machine in ("pc", "q35"):
        for count in (2, 8):
            yield (f"{machine} {count}", {"MACHINE": machine, "NODES": count, "MEM": f"{count}G",
                                          "CPUS": 2}, Nodes(shares(machine, [1] * count), cpus=(0, 1)))
        yield (f"{machine} 63", {"MACHINE": machine, "NODES": 63, "MEM": "4032M"},
               Nodes(shares(machine, [1 / 16] * 63)))
    yield ("pc 1G,3G,0", {"NODES": "1G,3G,0", "MEM": "4G"}, Nodes(shares("pc", [1, 3]), nr=3))
    # Nodes are numbered by their first RAM: the CPU's has none, and comes last.
    yield ("pc 0,1G,1G", {"NODES": "0,1G,1G"}, Nodes([(0, 0), (GIB, 1)], nr=3, cpus=(2,)))
    yield ("pc a border inside a block", {"NODES": 3, "MEM": "1G"},
           Nodes([(0, 0), (342 * MIB, 1), (682 * MIB, 2)],
                 corrections=[SPLIT.format(340 * MIB, 342 * MIB - 1)]))
    # The entry for memory to be plugged gives the last node all from 4 GiB on.
    yield ("pc room for plugged memory", {"NODES": 2, "MEM": "2G",
                                          "QEMUFLAGS": "-m 2G,slots=4,maxmem=64G"},
           Nodes([(0, 0), (GIB, 1)]))
    yield "option numa=off", {"NODES": 2, "MEM": "1G", "CMDLINE": "numa=off " + RUN}, Nodes([(0, 0)])
    yield ("option numa=fake=4", {"NODES": 2, "MEM": "1G", "CMDLINE": "numa=fake=4 " + RUN},
           Nodes([(i * 256 * MIB, i) for i in range(4)]))
    yield ("option numa=fake=63", {"MEM": "1008M", "CMDLINE": "numa=fake=63 " + RUN},
           Nodes([(i * 16 * MIB, i) for i in range(63)]))


HALVES = [memory(0, 0, GIB // 2), memory(1, GIB // 2, GIB // 2)]
TWO = Nodes([(0, 0), (GIB // 2, 1)])


def quarters(*domains):
    """Returns entries that give each quarter of a GiB to a domain."""
    return [memory(domain, i * 256 * MIB, 256 * MIB) for i, domain in enumerate(domains)]


def damaged(change):
    """Returns commands for gdb that let change, an assignment to a byte of the SRAT at $srat, take
    place before the kernel looks for tables. The SRAT lies in the last 128 KiB of 1 GiB."""
    return ("break acpi_tables_init\ncontinue\n"
            f"find {0xffff888000000000 + RAM_END:#x}, +0x20000, 'S', 'R', 'A', 'T'\n"
            f"set $srat = (unsigned char *)$_\nset {change}\ndelete\ncontinue\n")


# Cells with a table of the test: its name, the tables, the nodes, and further arguments of a Case.
# The machine is a pc with 1 GiB.
GIVEN = [
    ("two halves", [srat(*HALVES)], TWO, {}),
    ("no entry at all", [srat()], Nodes([(0, 0)], corrections=[NO_ENTRY.format(0, 0x9efff),
                                                                NO_ENTRY.format(MIB, RAM_END - 1)]), {}),
    ("empty and disabled entries",
     [srat(memory(3, 0, 0), HALVES[0], memory(1, 0, GIB, flags=0), HALVES[1], memory(4, GIB, 0, 0))],
     TWO, {}),
    ("domain 4000000000", [srat(memory(4000000000, 0, GIB // 2), memory(7, GIB // 2, GIB // 2))],
     TWO, {}),
    ("touching entries", [srat(*quarters(0, 0, 1, 1))], TWO, {}),
    ("entries out of order", [srat(*reversed(quarters(0, 0, 1, 1)))], TWO, {}),
    ("persistent memory and a hot-plug range to 2^52",
     [srat(*HALVES, memory(1, 4 * GIB, (1 << 52) - 4 * GIB, 1 | HOTPLUG),
           memory(1, 2 * GIB, GIB, 1 | NON_VOLATILE))], TWO, {}),
    ("overlap", [srat(memory(0, 0, 768 * MIB), memory(1, GIB // 2, GIB // 2))],
     Nodes([(0, 0), (768 * MIB, 1)],
           corrections=[r"overlap \[mem 0x20000000-0x2fffffff\]: the earlier entry keeps it"]), {}),
    ("entries for half of the RAM", [srat(*quarters(0, 1))],
     Nodes([(0, 0), (256 * MIB, 1)], corrections=[NO_ENTRY.format(GIB // 2, RAM_END - 1)]), {}),
    ("no entry for the lower half", [srat(memory(5, GIB // 2, GIB // 2))],
     Nodes([(0, 0)], corrections=[NO_ENTRY.format(0, 0x9efff), NO_ENTRY.format(MIB, GIB // 2 - 1)]),
     {}),
    ("all memory on one of four",
     [srat(memory(0, 0, GIB), *(cpu(domain, domain) for domain in range(4)))],
     Nodes([(0, 0)], nr=4), {}),
    ("the CPU on node 1", [srat(*HALVES, cpu(1, 0), cpu(0, 1))],
     Nodes([(0, 0), (GIB // 2, 1)], cpus=(1,)), {}),
    ("the CPU on node 1, by x2APIC", [srat(*HALVES, x2apic(1, 0))],
     Nodes([(0, 0), (GIB // 2, 1)], cpus=(1,)), {}),
    ("an entry beyond 2^64", [srat(HALVES[0], memory(1, GIB // 2, TO_THE_END - 256 * MIB))],
     Nodes([(0, 0), (GIB // 2, 1)], corrections=["wrap "]), {}),
    ("odd length", [srat(*HALVES, b"\0")], Nodes([(0, 0), (GIB // 2, 1)],
                                                 corrections=[r"cut short \(entry 2\): "]), {}),
    ("cut short", [srat(*HALVES, HALVES[1][:27])],
     Nodes([(0, 0), (GIB // 2, 1)], corrections=[r"cut short \(entry 2\): "]), {}),
    ("an entry of no length", [srat(*HALVES, bytes((1, 0)), *quarters(5, 6))],
     Nodes([(0, 0), (GIB // 2, 1)], corrections=[r"cut short \(entry 2\): "]), {}),
    ("an entry too short for its type", [srat(HALVES[0], bytes((1, 20)) + bytes(18), HALVES[1])],
     Nodes([(0, 0), (GIB // 2, 1)], corrections=[r"short entry \(entry 1\): "]), {}),
    ("an entry of an unknown type", [srat(HALVES[0], bytes((99, 7)) + bytes(5), HALVES[1])], TWO, {}),
    ("1000 entries", [srat(*(memory(i // 250, i * MIB, MIB) for i in range(1000)))],
     Nodes([(i * 250 * MIB, i) for i in range(4)],
           corrections=[NO_ENTRY.format(1000 * MIB, RAM_END - 1)]), {}),
    ("1100 entries", [srat(*(memory(i // 512, i * MIB, MIB) for i in range(1100)))],
     Nodes([(0, 0), (GIB // 2, 1)], corrections=[TOO_MANY] * 76), {}),
    ("interleaved at 2 MiB", [srat(*(memory(i % 2, i * BLOCK, BLOCK) for i in range(512)))],
     Nodes([(i * BLOCK, i % 2) for i in range(512)]), {}),
    ("70 domains", [srat(*(memory(i, i * 8 * MIB, 8 * MIB) for i in range(70)),
                         memory(0, 560 * MIB, 464 * MIB))],
     Nodes([(i * 8 * MIB, i) for i in range(63)] + [(504 * MIB, 0)], corrections=[TOO_MANY] * 7), {}),
    ("bad checksum", [srat(*HALVES)], Nodes([(0, 0)], corrections=["bad SRAT: "]),
     {"gdb": damaged("var $srat[9] = $srat[9] + 1")}),
    ("length beyond the table's end", [srat(*HALVES)],
     Nodes([(0, 0)], corrections=["bad SRAT: "]), {"gdb": damaged("var $srat[7] = 0xff")}),
    ("length less than a header", [srat(*HALVES)],
     Nodes([(0, 0)], corrections=["bad SRAT: "]), {"gdb": damaged("var $srat[4] = 20")}),
    ("a damaged one and a sound one", [srat(*quarters(0, 1, 2, 3)), srat(*HALVES)],
     Nodes([(i * 256 * MIB, i) for i in range(4)]), {"gdb": damaged("var $srat[9] = $srat[9] + 1")}),
    ("distances", [srat(*quarters(0, 1, 2, 2)), slit([(10, 21, 31), (22, 10, 255), (31, 40, 10)])],
     Nodes([(0, 0), (256 * MIB, 1), (512 * MIB, 2)],
           distances={(0, 1): 21, (0, 2): 31, (1, 0): 22, (1, 2): 255, (2, 0): 31, (2, 1): 40}), {}),
    ("an impossible distance", [srat(*HALVES), slit([(10, 9), (21, 10)])],
     Nodes([(0, 0), (GIB // 2, 1)], corrections=["bad SLIT: "]), {}),
    ("a SLIT too short", [srat(*HALVES), slit([(10, 21), (21, 10)], localities=3)],
     Nodes([(0, 0), (GIB // 2, 1)], corrections=["bad SLIT: "]), {}),
    ("a SLIT of 2^63 localities", [srat(*HALVES), slit([(10, 21), (21, 10)], localities=1 << 63)],
     Nodes([(0, 0), (GIB // 2, 1)], corrections=["bad SLIT: "]), {}),
    ("a SLIT without node 1", [srat(*HALVES), slit([(10,)])],
     Nodes([(0, 0), (GIB // 2, 1)], corrections=["bad SLIT: "]), {}),
    ("no table but a SLIT", [slit([(10, 21), (21, 10)])], Nodes([(0, 0)]), {}),
]


def given_cells():
    """Yields (name, variables, nodes) of the cells in which a table of the test is QEMU's. Writes
    the tables to files."""
    directory = os.path.join(BUILD, "test-tables")
    os.makedirs(directory, exist_ok=True)
    for number, (name, tables, nodes, rest) in enumerate(GIVEN):
        flags = ""
        for i, table in enumerate(tables):
            path = os.path.join(directory, f"{number}.{i}")
            with open(path, "wb") as file:
                file.write(table)
            flags += f"-acpitable file={path} "
        yield f"table {name}", {"MEM": "1G", "QEMUFLAGS": flags, **rest}, nodes


def node_cells():
    """Yields (name, arguments of a Case) of all cells."""
    for name, rest, nodes in (*machine_cells(), *given_cells()):
        yield name, {"CMDLINE": RUN, "also": nodes.complaint,
                     "limit": MANY_LIMIT if nodes.nr > 16 else LIMIT, **rest}


def wrong_cell():
    """Returns the arguments of a Case that must not pass: its nodes have another distance."""
    nodes = Nodes([(0, 0), (GIB // 2, 1)], distances={(0, 1): 21})
    return {"CMDLINE": RUN, "NODES": 2, "MEM": "1G", "also": nodes.complaint}
