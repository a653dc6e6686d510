#!/usr/bin/env -S python3 -B
"""Boots the matrix of media, machines, CPUs, RAM, Bochs and maps; a cell is a boot. TAP, a table.

tests/matrix.py [--list] [WORD...] runs the cells whose name contains all the words; tests/boot.py
runs the sample. Every cell boots the image as it was built, except for its CMDLINE.TXT, and passes
when the self-test passes and what is expected of that cell was printed. The table is written to
build/matrix.txt too; docs/matrix.md explains it.
"""
import functools
import glob
import itertools
import json
import os
import re
import resource
import signal
import subprocess
import sys

from cases import BUILD, CASES, LOGS, Case, Screen, Stop, run_cases
from cpu_cells import cpu_cells
from firmware import HALTED
from node_cells import node_cells, wrong_cell
from replay import REPLAY, merge, ranges, subtract
from small import define as define_small
from tap import Tap

RUN = "run=e820;bios;selftest;exit 0"
LIMIT = 180
GIB, TIB = 1 << 30, 1 << 40
HYPERTRANSPORT = 1012 * GIB

# The device that the image is behind. SeaBIOS boots from all of these, but not from usb-uas and
# lsi53c810.
MEDIA = {
    "ide": "-device ide-hd,drive=disk",
    "ahci": "-device ahci,id=c -device ide-hd,drive=disk,bus=c.0",
    "usb uhci": "-device piix3-usb-uhci -device usb-storage,drive=disk",
    "usb ohci": "-device pci-ohci -device usb-storage,drive=disk",
    "usb ehci": "-device usb-ehci -device usb-storage,drive=disk",
    "usb xhci": "-device qemu-xhci -device usb-storage,drive=disk",
    "usb nec-xhci": "-device nec-usb-xhci -device usb-storage,drive=disk",
    "usb-bot": "-device qemu-xhci -device usb-bot,id=s -device scsi-hd,bus=s.0,drive=disk",
    "virtio-blk": "-device virtio-blk,drive=disk",
    "virtio-blk 1.0": "-device virtio-blk-pci-non-transitional,drive=disk",
    "nvme": "-device nvme,serial=1,drive=disk",
    **{f"scsi {name}": f"-device {name},id=s -device scsi-hd,bus=s.0,drive=disk"
       for name in ("virtio-scsi", "lsi53c895a", "megasas", "megasas-gen2", "mptsas1068", "pvscsi",
                    "am53c974", "dc390")},
}
FLOPPY = "-device floppy,drive=disk,drive-type=288"  # the image's first 2.88 MB
CARD, CARD_BYTES = "-device sdhci-pci -device sd-card,drive=disk", 64 << 20  # a power of two
ON_Q35 = ("ide", "usb ehci", "usb xhci", "nvme")  # q35 puts an IDE disk on its AHCI
GEOMETRIES = ((65, 16, 63), (1024, 1, 63), (63, 64, 32), (8, 255, 63), (100, 7, 17), (1000, 13, 3))

# Only pc is tried without ACPI: on q35 SeaBIOS makes tables of its own when QEMU gives none.
MACHINES = {
    "pc": ({}, r"RSDP at 0x[1-9a-f]\w*$"),
    "q35": ({"MACHINE": "q35"}, r"RSDP at 0x[1-9a-f]\w*$"),
    "isapc": ({"MACHINE": "isapc"}, r"RSDP at 0x0$"),
    "pc without i8042": ({"MACHINE": "pc,i8042=off"}, ""),
    "q35 without i8042": ({"MACHINE": "q35,i8042=off"}, ""),
    "pc without ACPI": ({"MACHINE": "pc,acpi=off"}, r"RSDP at 0x0$"),
    "pc without VGA": ({"QEMUFLAGS": "-vga none"}, ""),
    "q35 without VGA": ({"MACHINE": "q35", "QEMUFLAGS": "-vga none"}, ""),
    "pc without serial line, by port E9": ({"CONSOLE": "e9"}, ""),
    "isapc without serial line and VGA, by port E9": (
        {"CONSOLE": "e9", "MACHINE": "isapc", "QEMUFLAGS": "-vga none"}, ""),
}

NX, GB, LA57 = r"^no-execute +yes$", r"^1 GiB pages +yes$", r"^address bits .*57 virtual$"
NO_NX, NO_GB, NO_LA57 = r"^no-execute +no$", r"^1 GiB pages +no$", r"^address bits .*48 virtual$"
CPUS = {
    "qemu64": (NX, NO_GB, NO_LA57),
    "core2duo": (NX, NO_GB, NO_LA57),
    "Opteron_G1": (NX, NO_GB, NO_LA57),
    "phenom": (NX, GB, NO_LA57),
    "Nehalem": (NX, NO_GB, NO_LA57),
    "EPYC": (NX, GB, NO_LA57),
    "max": (NX, GB, LA57),
    "max,la57=off": (NX, GB, NO_LA57),
    "max,pdpe1gb=off": (NX, NO_GB),
    "max,-nx": (NO_NX,),
    "max,-clflush": (NX,),
}
CPUS_REFUSED = ("qemu64,-lm", "qemu32", "coreduo", "n270", "pentium3", "486")

SMALLEST = "3M"  # stated in docs/matrix.md; least_kib() is exact
RAM = (SMALLEST, "4M", "8M", "16M", "64M", "512M", "2G", "3G", "4G", "5G", "64G", "978G", "1000G",
       "8T")
SEABIOS_KIB = 128  # kept at the end of RAM
QEMU_STEP_KIB = 8  # RAM is a multiple of it

SEABIOS = "/usr/share/seabios/bios.bin"
BOCHS_BIOSES = ("BIOS-bochs-latest", "BIOS-bochs-legacy", SEABIOS)
BOCHS_FIRST, BOCHS_REFUSED = "athlon64_clawhammer", ("p4_willamette", "core_duo_t2400_yonah")

SAMPLE = (
    "medium usb xhci", "medium nvme", "medium floppy", "medium geometry 65/16/63 by CHS",
    "machine q35", "machine isapc", "machine pc without VGA",
    "machine pc without serial line, screen",
    "cpu qemu64", "cpu core2duo", "cpu max,pdpe1gb=off", "cpu max,-nx", "cpu qemu64,-lm refused",
    "ram 3M", "ram below the least refused", "ram 4G", "ram 64G", "ram 1000G", "ram 8T",
    "bochs BIOS-bochs-latest", "bochs BIOS-bochs-legacy", "map trol-piii-byte-granular",
    "map it91smub-32tib-space",
    "nodes pc 2", "nodes q35 8", "nodes pc 1G,3G,0", "nodes option numa=off",
    "nodes option numa=fake=4", "nodes table overlap",
)

ROUNDS = r"^ok \d+ - [\w ]+: (\d+ rounds .*)$"
SHOWS = {"medium": r"^boot (drive .*)$", "machine": r"; (RSDP at \w+)$", "cpu": r"^model +(.*)$",
         "ram": r"^Memory: (\d+K/\d+K available)", "bochs": r"^model +(.*)$",
         "cpus": r"^(\d+ CPUs online|Kernel panic: .*)$",
         "map": r"^(corrected, .*):$", "nodes": r"^available: (.*)$",
         "bench": r"^bench hold\.max:? (.*)$",
         "dimms": r"^MemTotal: +(\d+ kB)$", "rounds": ROUNDS, "rounds_while_all_work": ROUNDS}
REFUSAL = r"^firstpage: (.*)$"


def kind_of(case):
    """Returns the kind of cell that case is, the first word of its name."""
    return case.name.split()[0]


def cell(name, make=Case, **rest):
    """Makes the cell name, a case of the class make, with the matrix's defaults."""
    kind = name.split()[0]
    rest.setdefault("CMDLINE", RUN)
    rest.setdefault("limit", LIMIT)
    rest.setdefault("shows", REFUSAL if make is Stop else SHOWS[kind])
    make(name, **rest)


def boots(name, **rest):
    """Makes the cell name, whose boot must pass the self-test."""
    cell(name, selftest=True, **rest)


def refused(name, says, **rest):
    """Makes the cell name, whose boot must halt with a message that matches says."""
    cell(name, Stop, says=[says], end=HALTED, **rest)


def define_media():
    """Makes the cells of media."""
    edd, chs = r"^boot drive 0x80, read by EDD$", r"^boot drive 0x80, read by CHS$"
    for name, disk in MEDIA.items():
        boots(f"medium {name}", DISK=disk, says=[edd])
    for name in ON_Q35:
        boots(f"medium {name}, q35", DISK=MEDIA[name], MACHINE="q35", says=[edd])
    for name, disk in (("usb uhci", MEDIA["usb uhci"]), ("usb xhci", MEDIA["usb xhci"])):
        boots(f"medium {name} by CHS", DISK=disk, FIRMWARE="edd-missing", says=[chs])
    boots("medium sd card", DISK=CARD, damage=lambda image: os.truncate(image, CARD_BYTES),
          says=[edd])
    for machine in ("pc", "isapc"):
        boots("medium floppy" + (", isapc" if machine == "isapc" else ""), DISK=FLOPPY,
              MACHINE=machine, says=[r"^boot drive 0x00, read by CHS$"])
    for cylinders, heads, sectors in GEOMETRIES:
        flags = (f"-device ide-hd,drive=disk,lcyls={cylinders},lheads={heads},lsecs={sectors},"
                 "bios-chs-trans=none")
        name = f"medium geometry {cylinders}/{heads}/{sectors}"
        boots(f"{name} by CHS", DISK=flags, FIRMWARE="edd-missing", says=[chs])
    boots(f"{name} by EDD", DISK=flags, says=[edd])


def define_machines():
    """Makes the cells of machines."""
    for name, (env, says) in MACHINES.items():
        boots(f"machine {name}", says=[says], **env)
    cell("machine pc without serial line, screen", Screen, CONSOLE="none", CMDLINE="run=selftest",
         says=[r"(?s)^ok 17 .*^ok 18 .*^ok 19 "], end="\nok 19 ", shows=r"^(ok 19 \w+)")
    cell("machine pc without serial line, VGA and E9, by its status", CONSOLE="none", status=7,
         QEMUFLAGS="-vga none", CMDLINE="run=selftest;exit 7")


def define_cpus():
    """Makes the cells of CPUs."""
    for cpu, says in CPUS.items():
        boots(f"cpu {cpu}", CPU=cpu, CMDLINE="run=cpu;selftest;exit 0", says=says)
    for cpu in CPUS_REFUSED:
        refused(f"cpu {cpu} refused", r"^firstpage: this CPU has no long mode", CPU=cpu)


def kib(size):
    """Returns size, a number and K, M, G or T, in KiB."""
    return int(size[:-1]) << {"K": 0, "M": 10, "G": 20, "T": 30}[size[-1]]


def least_kib():
    """Returns the least RAM, in KiB, that the kernel boots with: it lies at 2 MiB, and SeaBIOS
    keeps the end of RAM."""
    with open(os.path.join(BUILD, "host", "kernel_size.h"), encoding="ascii") as file:
        end, start = (int(word, 16) for word in re.findall(r"0x([0-9a-f]+)", file.read()))
    need = 2048 + -(-(end - start) // 1024) + SEABIOS_KIB
    return -(-need // QEMU_STEP_KIB) * QEMU_STEP_KIB


def ram_is(size, output):
    """Returns None when output tells of size KiB of RAM, else a complaint. SeaBIOS, the legacy
    hole and what the EBDA cuts off are together less than 1 MiB."""
    total = re.search(r"^Memory: \d+K/(\d+)K available", output, re.MULTILINE)
    if not total or not size - 1024 < int(total[1]) < size:
        return f"{total and total[1]} KiB of RAM, the machine has {size}"
    return None


def define_ram():
    """Makes the cells of sizes of RAM."""
    for size in RAM:
        boots(f"ram {size}", MEM=size, also=functools.partial(ram_is, kib(size)), limit=240,
              CMDLINE=("run=alloc 18;" if kib(size) > kib("4G") else "run=") + "selftest;exit 0",
              says=[r"^pfn 0x\w+ order 18 zone Normal "] * (kib(size) > kib("4G")),
              MACHINE="q35" if size in ("978G", "2G", "5G") else "pc")
    least = least_kib()
    boots("ram the least", MEM=f"{least}K", also=functools.partial(ram_is, least))
    for name, size in ("below the least", least - QEMU_STEP_KIB), ("2M", 2048), ("1M", 1024):
        refused(f"ram {name} refused", r"^firstpage: KERNEL\.ELF: no RAM between \d MiB and 4 GiB",
                MEM=f"{size}K")


def bochs_models():
    """Returns the CPU models of Bochs that have long mode: it lists them from the oldest to the
    newest."""
    listed = subprocess.run(["bochs", "--help", "cpu"], stdout=subprocess.PIPE, text=True,
                            stderr=subprocess.STDOUT, check=False).stdout
    names = re.findall(r"^[a-z]\w+$", listed, re.MULTILINE)
    return itertools.dropwhile(lambda name: name != BOCHS_FIRST, names)


def define_bochs():
    """Makes the cells that boot in Bochs."""
    line = {"rc": "", "limit": 2 * LIMIT, "CMDLINE": "run=e820;cpu;selftest;exit 0"}
    for bios in BOCHS_BIOSES:
        boots(f"bochs {os.path.basename(bios)}", BIOS=bios, says=[r"^BIOS-e820: \[mem 0x0"], **line)
    for model in bochs_models():
        boots(f"bochs cpu {model}", CPU=model, MEM="32M", says=[NX], **line)
    for model in BOCHS_REFUSED:
        refused(f"bochs cpu {model} refused", r"^firstpage: this CPU has no long mode", CPU=model,
                **line)
    for size in ("4M", "2G"):
        boots(f"bochs ram {size}", MEM=size, **line)


def replayed(path):
    """Returns (the corrected map and the corrections as lines of the kernel's form, memory in
    bytes) as replay has them for the map at path."""
    text, answer = (subprocess.run([REPLAY, *flags, path], stdout=subprocess.PIPE, check=True,
                                   text=True).stdout for flags in ([], ["--json"]))
    lines = text[text.index("Corrected, "):].splitlines()
    head = lines[0][0].lower() + lines[0][1:]
    listed = itertools.takewhile(lambda line: line.startswith("  "), lines[1:])
    return [head] + [("e820: " if line.startswith("  [") else "correction: ") + line.strip()
                     for line in listed], ranges(json.loads(answer)["memory"])


def machine_ram(mib):
    """Returns the RAM of QEMU's pc with mib MiB, as [start, end) ranges of bytes. With 3.5 GiB or
    more it is below 3 GiB and from 4 GiB on, or from 1 TiB on where it would reach AMD's
    HyperTransport range."""
    size = mib << 20
    low = size if size < 7 * GIB // 2 else 3 * GIB
    high = 4 * GIB if 4 * GIB + size - low <= HYPERTRANSPORT else TIB
    return [(0, low), (high, high + size - low)]


def as_replayed(path, mib, output):
    """Returns None, or in what output, that of a boot by the map at path with mib MiB of RAM,
    differs from replay: in the corrected map, or in memblock's memory. RAM that the machine lacks
    must be left out."""
    want, memory = replayed(path)
    got = re.findall(r"^(?:corrected, .*|e820: .*|correction: entry .*)$",
                     output[output.index("\nraw, "):], re.MULTILINE)
    if got != want:
        return "the corrected map is not replay's:\n" + "\n".join(sorted(set(got) ^ set(want)))
    absent = [(int(a, 16), int(b, 16) + 1) for a, b in re.findall(
        r"^RAM \[mem (0x\w+)-(0x\w+)\]: .* left out$", output, re.MULTILINE)]
    if merge(subtract(absent, machine_ram(mib))) != merge(absent):
        return f"left out what is there: {absent}"
    block = re.search(r"^memory$([^r]*)^reserved$", output, re.MULTILINE)[1]
    kept = [(int(a, 16), int(b, 16) + 1) for a, b in re.findall(r"(0x\w+)\.\.(0x\w+)", block)]
    if kept != subtract([(base, base + size) for base, size in memory], absent):
        return "memblock's memory is not replay's less what is not there"
    return None


def define_maps():
    """Makes the cells of memory maps."""
    for path in sorted(glob.glob("tests/e820/*.map")):
        made = subprocess.run(["scripts/firmware", "--map", path, os.path.join(LOGS, "size.rom")],
                              stdout=subprocess.PIPE, check=True)
        boots("map " + os.path.basename(path).removesuffix(".map"), MAP=path, limit=240,
              CMDLINE="run=e820;memblock;selftest;exit 0",
              says=[r"^raw, \d+ entries", r"^memory$", r"^reserved$"],
              also=functools.partial(as_replayed, path, int(made.stdout)))


def define_nodes():
    """Makes the cells of NUMA nodes."""
    for name, rest in node_cells():
        boots(f"nodes {name}", **rest)


def define_processors():
    """Makes the cells of several processors."""
    for name, rest in cpu_cells():
        cell(f"cpus {name}", **rest)


class Rounds(Case):
    """A run of tests/hotplug.py: a DIMM is plugged, used, freed and unplugged, 256 times. The cell has
    the name of the test."""

    def command(self, directory):
        return ["tests/hotplug.py", "--rounds", "256", self.name], dict(os.environ)


def define_dimms():
    """Makes the cells of DIMMs: those there at power-on, and rounds of plugging and unplugging."""
    run = "run=hotplug;meminfo;bios;selftest;exit 0"
    for name, total, rest in (
            ("pc 1G,1G", 3, {}), ("q35 1G,1G", 3, {"MACHINE": "q35"}),
            ("cpu qemu64", 3, {"CPU": "qemu64"}), ("cpu core2duo", 3, {"CPU": "core2duo"}),
            ("cpu max,pdpe1gb=off", 3, {"CPU": "max,pdpe1gb=off"}),
            ("two nodes", 3, {"NODES": "1G,0", "DIMMS": "1G,1G@1"}),
            ("q35 eight nodes", 16, {"MACHINE": "q35", "NODES": "8", "MEM": "8G",
                                     "DIMMS": ",".join(f"1G@{node}" for node in range(8))}),
            ("64 of 2M", 1.125, {"DIMMS": ",".join(["2M"] * 64)}),
            ("256 of 64M", 17, {"DIMMS": ",".join(["64M"] * 256)}),
            ("beside 1000G", 1016, {"MEM": "1000G", "DIMMS": "16G"}),
            ("512G", 513, {"DIMMS": "512G"})):
        env = {"MEM": "1G", "DIMMS": "1G,1G", "CMDLINE": run, **rest}
        nr = env["DIMMS"].count(",") + 1
        boots(f"dimms {name}", says=[rf"(?:^slot \d+: .*, plugged\n){{{nr}}}^(?!slot)"],
              also=functools.partial(has_total, total), **env)
    for machine in ("pc", "q35"):
        cell(f"rounds {machine}", Rounds, limit=1200, says=[r"^1\.\.2$"])
    for machine in ("pc 8", "q35 2"):
        cell(f"rounds_while_all_work {machine}", Rounds, limit=1200, says=[r"^1\.\.3$"])


def has_total(gib, output):
    """Returns None if `meminfo` in output has so many GiB, less at most 4 % and 16 MiB for metadata
    and the kernel; else a complaint."""
    kib = int(re.search(r"^MemTotal: +(\d+) kB$", output, re.MULTILINE)[1])
    if gib * 0.96 * (1 << 20) - (16 << 10) <= kib <= gib * (1 << 20):
        return None
    return f"{kib} KiB instead of {gib} GiB"


def define_matrix():
    """Makes all cells and returns them in the order of the table."""
    before = len(CASES)
    define_media()
    define_machines()
    define_cpus()
    define_ram()
    define_bochs()
    define_maps()
    define_nodes()
    define_processors()
    define_dimms()
    for case in define_small():
        case.shows = SHOWS["bench"]
    return CASES[before:]


def matrix_sample():
    """Makes all cells and returns those that are part of `make test`."""
    cells = {case.name: case for case in define_matrix()}
    return [cells[name] for name in SAMPLE]


def prove_matrix_failure(tap):
    """Checks that a boot by another map than replay was given, with one byte less of RAM, does not
    pass, nor one with another distance of nodes than is expected."""
    path, other = "tests/e820/home1-via-128m.map", os.path.join(LOGS, "other.map")
    with open(path, encoding="utf-8") as file, open(other, "w", encoding="utf-8") as out:
        out.write(re.sub(r"^0x100000 0x\w+", lambda m: f"0x100000 {int(m[0].split()[1], 0) - 1:#x}",
                         file.read(), flags=re.MULTILINE))
    case = Case("", MAP=path, CMDLINE="run=e820;memblock;exit 0",
                also=functools.partial(as_replayed, other, 128))
    CASES.remove(case)
    complaint, output = case.run()
    tap.check(complaint and "is not replay's" in complaint, "the harness sees another map", output)
    case = Case("", **wrong_cell())
    CASES.remove(case)
    complaint, output = case.run()
    tap.check(complaint and "prints '  0:  10  20 '" in complaint,
              "the harness sees another distance", output)


def table(results):
    """Returns the lines of the table: results grouped by kind, and the sums."""
    lines = []
    for kind, rows in itertools.groupby(results, lambda row: kind_of(row[0])):
        rows = list(rows)
        bad = sum(bool(complaint) for _, complaint, _, _ in rows)
        lines += ["", f"{kind}: {len(rows)} cells, {bad} failed"]
        for case, complaint, seen, seconds in rows:
            what = complaint.splitlines()[0] if complaint else seen
            lines.append(f"  {case.name.removeprefix(kind + ' '):50} "
                         f"{'FAILED' if complaint else 'passed'} {seconds:6.1f} s  {what}".rstrip())
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    bad = sum(bool(complaint) for _, complaint, _, _ in results)
    return lines + ["", f"{len(results)} cells: {len(results) - bad} passed, {bad} failed; "
                    f"{used.ru_utime + used.ru_stime:.0f} s of processor time"]


def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    words = [word for word in sys.argv[1:] if word != "--list"]
    os.makedirs(LOGS, exist_ok=True)
    wanted = [case for case in define_matrix() if all(word in case.name for word in words)]
    if "--list" in sys.argv:
        print("\n".join(case.name for case in wanted))
        return 0
    if not wanted:
        print("matrix: no cell has these words; --list shows all", file=sys.stderr)
        return 2
    tap = Tap()
    results = run_cases(tap, wanted)
    prove_matrix_failure(tap)
    status = tap.finish()
    lines = table(results)
    with open(os.path.join(BUILD, "matrix.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines).strip() + "\n")
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("matrix: interrupted", file=sys.stderr)
        sys.exit(130)
