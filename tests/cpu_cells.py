"""The matrix's cells of processors: which a machine has, which its firmware lists, and what `cpu`,
`numa` and the log of the boot must then say."""
import os
import re

from cases import Case

SHORT = "run=cpu;numa;exit 0"
LONG = "run=cpu;numa;selftest;exit 0"
LIMIT, MANY_LIMIT = 240, 1200  # seconds; many CPUs make the self-test slow, as does Bochs
MANY = 64
SEABIOS = "/usr/share/seabios/bios.bin"
BOCHS_BIOSES = ("BIOS-bochs-latest", "BIOS-bochs-legacy", SEABIOS)
GAPS = "6,sockets=2,dies=1,cores=3"

ONLINE, ABSENT = "online", "does not start"
LOGGED = r"^((?:\d+ CPUs |CPU \d+ \(|no MADT|MADT: |no local APIC).*)$"


class Cpus:
    """What a boot must say about its processors.

      ids     the APIC id of each CPU, in the order of their numbers
      nodes   how many nodes there are; the CPUs are dealt out to them in turn
      states  {number: what `cpu` says of it}; the others are online
      log     the lines of the log about processors that come before "N CPUs online"
      more    the lines that the log has behind that line, and `cpu` behind the last processor
    """

    def __init__(self, ids, nodes=1, states=None, log=(), more=()):
        self.ids, self.nodes, self.states = list(ids), nodes, states or {}
        self.log, self.more = list(log), list(more)

    def online(self):
        """Returns the numbers of the CPUs that are online."""
        return [cpu for cpu in range(len(self.ids)) if self.states.get(cpu, ONLINE) == ONLINE]

    def cpu_lines(self):
        """Returns the lines of `cpu`, up to the model."""
        return [f"CPU {cpu}: APIC {apic_id}, node {cpu % self.nodes}, {self.states.get(cpu, ONLINE)}"
                for cpu, apic_id in enumerate(self.ids)] + self.more

    def numa_lines(self):
        """Returns the lines of `numa` that list the CPUs of each node."""
        return [f"node {node} cpus:" + "".join(f" {cpu}" for cpu in self.online()
                                               if cpu % self.nodes == node)
                for node in range(self.nodes)]

    def complaint(self, output):
        """Returns None when output, that of a boot, says this about its processors, else what
        differs."""
        boot, _, rest = output.partition("\nfirstpage> cpu\n")
        online = [f"{len(self.online())} CPUs online"] * (len(self.online()) > 1)
        for what, got, want in (
                ("`cpu`", rest[:rest.find("\nvendor ")].splitlines(), self.cpu_lines()),
                ("`numa`", re.findall(r"^node \d+ cpus:.*$", rest, re.MULTILINE), self.numa_lines()),
                ("the log", re.findall(LOGGED, boot, re.MULTILINE),
                 self.log + online + self.more)):
            if got != want:
                return f"{what} has other lines:\n" + "\n".join(
                    [f"- {line}" for line in want] + [f"+ {line}" for line in got])
        return None


def machine_cells():
    """Yields (name, variables, CPUs) of the cells in which QEMU's tables are right."""
    for machine in ("pc", "q35"):
        for count in (1, 2, 8, 64):
            for nodes in (1, 2, 4):
                yield (f"{machine} {count} nodes {nodes}", {"MACHINE": machine, "CPUS": count,
                                                            "NODES": nodes, "MEM": "1G"},
                       Cpus(range(count), nodes))
        yield (f"{machine} gaps", {"MACHINE": machine, "CPUS": GAPS, "CMDLINE": SHORT},
               Cpus([0, 1, 2, 4, 5, 6]))
        # The MADT has an entry, not enabled, for each that may be plugged.
        yield (f"{machine} 2 of 4", {"MACHINE": machine, "CPUS": "2,maxcpus=4", "NODES": 2,
                                     "MEM": "1G", "CMDLINE": SHORT}, Cpus([0, 1], 2))
    yield ("q35 200 nodes 2", {"MACHINE": "q35", "CPUS": 200, "NODES": 2, "MEM": "1G",
                               "CMDLINE": SHORT}, Cpus(range(200), 2))
    yield "pc 8 beside 1000G", {"CPUS": 8, "MEM": "1000G", "CMDLINE": SHORT}, Cpus(range(8))
    for cpu in ("qemu64", "core2duo", "max,la57=off", "max,-nx", "max,pdpe1gb=off"):
        yield f"model {cpu}", {"CPUS": 4, "CPU": cpu}, Cpus(range(4))


def limited_cells():
    """Yields (name, variables, CPUs) of the cells in which fewer run than there are."""
    for most in (0, 1, 2, 4, 5):
        starts = min(max(most, 1), 4)
        states = {cpu: f"not started (maxcpus={starts})" for cpu in range(starts, 4)}
        yield (f"option maxcpus={most}", {"CPUS": 4, "NODES": 2, "MEM": "1G",
                                          "CMDLINE": f"maxcpus={most} {SHORT}"},
               Cpus(range(4), 2, states))
    short = {"CMDLINE": SHORT}
    yield ("pc without APIC", {"CPUS": 4, "CPU": "max,-apic", **short},
           Cpus([0], log=["no local APIC: one CPU"]))
    yield ("pc without ACPI", {"CPUS": 4, "MACHINE": "pc,acpi=off", **short},
           Cpus([0], log=["no MADT: one CPU"]))
    for machine in ("pc", "q35"):
        for faults, ids, states, log in (
                ("madt-dead=9", [0, 1, 2, 3, 4, 9], {5: ABSENT}, ["CPU 5 (APIC 9) does not start"]),
                ("madt-duplicate", range(5), {}, ["MADT: processors listed again, left out: 5"]),
                ("madt-disabled=1", [0, 2, 3, 4], {}, []),
                ("madt-disabled=0", range(5), {},
                 ["MADT: it does not list the processor that boots, APIC 0"]),
                ("madt-fewer=2", [0, 1], {}, []),
                ("madt-fewer=0 madt-dead=3", [0, 3], {},
                 ["MADT: it does not list the processor that boots, APIC 0"]),
                ("madt-checksum", range(5), {},
                 ["MADT: its checksum is wrong; it is used all the same"]),
                ("madt-none", [0], {}, ["no MADT: one CPU"]),
                ("madt-dead=254 madt-duplicate madt-disabled=1", [0, 2, 3, 4, 254], {4: ABSENT},
                 ["MADT: processors listed again, left out: 5", "CPU 4 (APIC 254) does not start"])):
            yield (f"rom {faults}" + (", q35" if machine == "q35" else ""),
                   {"MACHINE": machine, "CPUS": 5, "FIRMWARE": faults, **short},
                   Cpus(ids, states=states, log=log))


# The first start-up interrupt goes to a processor that is not called, as maxcpus=2.
MISDIRECTED = "break apic_send_startup\ncontinue\nset $rdi = 2\ndelete\ncontinue\n"


def uninvited_cells():
    """Yields (name, variables, CPUs) of the cells in which a processor starts that nobody has
    called."""
    states = {cpu: "not started (maxcpus=2)" for cpu in (2, 3)}
    for machine in ("pc", "q35"):
        yield (f"{machine} uninvited", {"MACHINE": machine, "CPUS": 4, "gdb": MISDIRECTED,
                                        "CMDLINE": "maxcpus=2 " + SHORT},
               Cpus(range(4), states=states, more=["1 CPUs came uninvited and are parked"]))


def bochs_cells():
    """Yields (name, variables, CPUs) of the cells in Bochs. BIOS-bochs-legacy has no ACPI, and
    SeaBIOS lists one processor there, however many answer."""
    line = {"rc": "", "CMDLINE": SHORT}
    for bios in BOCHS_BIOSES:
        for count in (2, 4, 8):
            yield (f"bochs {count} {os.path.basename(bios)}", {"BIOS": bios, "CPUS": count, **line},
                   Cpus(range(count) if bios == "BIOS-bochs-latest" else [0],
                        log=["no MADT: one CPU"] * (bios == "BIOS-bochs-legacy")))
    yield "bochs self-test", {"CPUS": 2, **line, "CMDLINE": LONG}, Cpus(range(2))
    yield ("bochs rom madt-dead=9", {"CPUS": 3, "FIRMWARE": "madt-dead=9", **line},
           Cpus([0, 1, 2, 9], states={3: ABSENT}, log=["CPU 3 (APIC 9) does not start"]))


def panic_cells():
    """Yields (name, arguments of a Case) of the cells that panic on another CPU than the first."""
    for name, env, cpu, count in (("pc", {"CPUS": 4}, 3, 4),
                                  ("q35 nodes", {"MACHINE": "q35", "CPUS": 8, "NODES": 2,
                                                 "MEM": "1G"}, 3, 8),
                                  ("bochs", {"CPUS": 4, "rc": ""}, 3, 4)):
        stopped = "".join(rf"CPU {other}: stopped in .*\n" for other in range(count) if other != cpu)
        yield f"panic {name}", {
            "status": 124, "CMDLINE": f"run=panic {cpu};exit 0", "limit": LIMIT, **env,
            "says": [rf"^Kernel panic: .*, on CPU {cpu}$", rf"^{stopped}",
                     r"^firstpage: exit 124$"]}
    yield "panic deaf", {
        "status": 124, "CPUS": 3, "CMDLINE": "run=misuse deaf-cpu;exit 0", "limit": LIMIT,
        "says": [r"^CPU 2 \(APIC 2\) does not answer CPU 0\n"
                 r"Kernel panic: CPUs that do not answer CPU 0: 1, on CPU 0$",
                 r"^CPU 1: stopped in cpus_work\+.*\nCPU 2: stopped in arch_relax\+"]}


def cpu_cells():
    """Yields (name, arguments of a Case) of all cells."""
    for name, rest, cpus in (*machine_cells(), *limited_cells(), *uninvited_cells(),
                             *bochs_cells()):
        rest = {"CMDLINE": LONG, "also": cpus.complaint, **rest}
        selftest = rest["CMDLINE"] == LONG
        slow = len(cpus.ids) >= MANY or selftest and "rc" in rest
        yield name, {"selftest": selftest, "limit": MANY_LIMIT if slow else LIMIT, **rest}
    yield from panic_cells()


def wrong_cells():
    """Returns (what is wrong, a Case that must not pass) for each of them."""
    for what, cpus in (
            ("another APIC id", Cpus([0, 2])), ("a CPU more", Cpus([0, 1, 2])),
            ("another node", Cpus([0, 1], 2)), ("another state", Cpus([0, 1], states={1: ABSENT})),
            ("another log", Cpus([0, 1], log=["no MADT: one CPU"]))):
        yield what, Case("", CPUS=2, CMDLINE=SHORT, also=cpus.complaint)
