#!/usr/bin/env -S python3 -B
"""scripts/run turns NODES=, SLOTS=, DIMMS= and QMP= into flags of QEMU, and refuses what cannot
be. TAP.

A program that prints its arguments plays QEMU. What the guest makes of the nodes tests/matrix.py
shows, and tests/hotplug.py what it makes of the DIMMs.
"""
import os
import re
import socket
import subprocess
import sys
import tempfile

from tap import Tap

# NODES, other variables, the size of each node in KiB, the CPUs of each.
GOOD = [
    ("2", {}, [64 << 10] * 2, ["0", ""]),
    ("1", {"MEM": "1G", "CPUS": "2"}, [1 << 20], ["0 1"]),
    ("3", {"MEM": "100M", "CPUS": "2"}, [33 << 10, 33 << 10, 34 << 10], ["0", "1", ""]),
    ("3", {"MEM": "4100K"}, [1024, 1024, 2052], ["0", "", ""]),
    ("2", {"MEM": "1G", "CPUS": "5"}, [512 << 10] * 2, ["0 2 4", "1 3"]),
    ("63", {"MEM": "63M"}, [1024] * 63, ["0"] + [""] * 62),
    ("1G,3G,0", {}, [1 << 20, 3 << 20, 0], ["0", "", ""]),
    ("0,64,512k", {"CPUS": "3"}, [0, 64 << 10, 512], ["0", "1", "2"]),
    ("1G,3g", {"MEM": "4096"}, [1 << 20, 3 << 20], ["0", ""]),
    ("64M", {}, [64 << 10], ["0"]),
    ("2", {"MEM": "1200G", "MACHINE": "q35"}, [600 << 20] * 2, ["0", ""]),
    ("2", {"CPUS": "2,sockets=2,cores=8,maxcpus=16"}, [64 << 10] * 2,
     ["0 2 4 6 8 10 12 14", "1 3 5 7 9 11 13 15"]),
    ("2", {"MAP": "tests/e820/home1-via-128m.map"}, [64 << 10] * 2, ["0", ""]),
    ("1G,1G", {"MAP": "tests/e820/home1-via-128m.map"}, [1 << 20] * 2, ["0", ""]),
]

# NODES, other variables, what the message says.
BAD = [
    ("0", {}, "must be 1 to 63"),
    ("64", {}, "must be 1 to 63"),
    (",".join(["1M"] * 64), {}, "these are 64 nodes"),
    ("1G,3G", {"MEM": "5G"}, "NODES=1G,3G has 4194304 KiB in all, MEM=5G has 5242880 KiB"),
    ("0,0", {}, "no node has memory"),
    ("4", {"MEM": "3M"}, "3072 KiB are less than 1 MiB for each node"),
    ("two", {}, "NODES=two: two is not a size"),
    ("1G,,1G", {}, "is not a size"),
    ("1G,", {}, "is not a size"),
    ("-1", {}, "-1 is not a size"),
    ("1.5G", {}, "1.5G is not a size"),
    ("2", {"MEM": "much"}, "MEM=much is not a size"),
]

GIB, ROOM = 1 << 20, 64 << 20  # KiB; ROOM is that of an empty slot

# Variables; what QEMU gets as -m; the size in KiB and the node of each DIMM; whether the CPU needs
# more than 40 physical address bits.
GOOD_SLOTS = [
    ({"SLOTS": "0"}, f"{128 << 10}K", [], False),
    ({"SLOTS": "4"}, f"{128 << 10}K,slots=4,maxmem={(128 << 10) + 4 * ROOM}K", [], False),
    ({"DIMMS": "1G,512m", "MEM": "1G"}, f"{GIB}K,slots=2,maxmem={2 * GIB + (512 << 10)}K",
     [(GIB, 0), (512 << 10, 0)], False),
    ({"DIMMS": "1G", "SLOTS": "03", "MEM": "1G", "MACHINE": "q35"},
     f"{GIB}K,slots=3,maxmem={2 * GIB + 2 * ROOM}K", [(GIB, 0)], False),
    ({"DIMMS": "1G,64@1", "NODES": "1G,0"}, f"{GIB}K,slots=2,maxmem={2 * GIB + (64 << 10)}K",
     [(GIB, 0), (64 << 10, 1)], False),
    ({"DIMMS": "1G@0", "SLOTS": "1"}, f"{128 << 10}K,slots=1,maxmem={GIB + (128 << 10)}K",
     [(GIB, 0)], False),
    ({"SLOTS": "1", "MAP": "tests/e820/home1-via-128m.map"},
     f"{128 << 10}K,slots=1,maxmem={(128 << 10) + ROOM}K", [], False),
    ({"SLOTS": "1", "MEM": "944G"}, f"{944 * GIB}K,slots=1,maxmem={1008 * GIB}K", [], False),
    ({"SLOTS": "1", "MEM": "945G"}, f"{945 * GIB}K,slots=1,maxmem={1009 * GIB}K", [], True),
    ({"DIMMS": "1G", "MEM": "1000G"}, f"{1000 * GIB}K,slots=1,maxmem={1001 * GIB}K", [(GIB, 0)],
     False),
    ({"SLOTS": "256", "MEM": "1000G"}, f"{1000 * GIB}K,slots=256,maxmem={1000 * GIB + 256 * ROOM}K",
     [], True),
]

# Variables, what the message says.
BAD_SLOTS = [
    ({"SLOTS": "300"}, "SLOTS=300: it must be 0 to 256"),
    ({"SLOTS": "few"}, "SLOTS=few: it must be 0 to 256"),
    ({"SLOTS": "-1"}, "SLOTS=-1: it must be 0 to 256"),
    ({"SLOTS": "1", "DIMMS": "1G,1G"}, "SLOTS=1 is too few: DIMMS=1G,1G has 2"),
    ({"SLOTS": "0", "DIMMS": "1G"}, "SLOTS=0 is too few: DIMMS=1G has 1"),
    ({"DIMMS": ",".join(["2M"] * 257)}, "these are 257 DIMMs; at most 256 are possible"),
    ({"DIMMS": "0"}, "DIMMS=0: a DIMM must have whole pages of 4 KiB, 0 does not"),
    ({"DIMMS": "1G,6K"}, "DIMMS=1G,6K: a DIMM must have whole pages of 4 KiB, 6K does not"),
    ({"DIMMS": "1G@9", "NODES": "2"}, "DIMMS=1G@9: 1G@9 is on none of the nodes, 0 to 1 (NODES=)"),
    ({"DIMMS": "1G@1"}, "DIMMS=1G@1: 1G@1 is on none of the nodes, 0 to 0 (NODES=)"),
    ({"DIMMS": "1G@"}, "DIMMS=1G@: 1G@ is on none of the nodes"),
    ({"DIMMS": "1G@one"}, "DIMMS=1G@one: 1G@one is on none of the nodes"),
    ({"DIMMS": "1G,,1G"}, "DIMMS=1G,,1G:  is not a size"),
    ({"DIMMS": "big"}, "DIMMS=big: big is not a size"),
    ({"QMP": "/nowhere/qmp"}, "QMP=/nowhere/qmp: there is no such directory"),
    ({"QMP": "README.md"}, "QMP=README.md: it exists and is no socket"),
    ({"QMP": "build/a,b"}, "QMP=build/a,b: QEMU takes no comma in a socket's name"),
    ({"MEM": "0"}, "MEM=0: a machine without memory does not start"),
    ({"CPUS": "banana"}, "CPUS=banana is not a number of processors"),
    ({"CPUS": "0"}, "CPUS=0 is not a number of processors"),
    ({"CPUS": "-1"}, "CPUS=-1 is not a number of processors"),
]

# FIRMWARE, what the message says.
BAD_FIRMWARE = [
    ("nonsense", "no firmware fault nonsense; FIRMWARE=help lists them"),
    ("nonsense=1", "no firmware fault nonsense=1; FIRMWARE=help lists them"),
    ("max-sectors", "max-sectors needs a number, max-sectors=N: a read of more than N sectors"),
    ("edd-broken=3", "edd-broken=3: edd-broken takes no number"),
    ("edd-broken,dl=1", "FIRMWARE has edd-broken,dl=1: blanks separate the faults, not commas"),
    ("dl=1,edd-broken", "FIRMWARE has dl=1,edd-broken: blanks separate the faults, not commas"),
    ("edd-broken dl=", "dl=: it must be 0 to 255"),
    ("dl=x", "dl=x: it must be 0 to 255"),
]

# The least and the most that each firmware fault takes.
FIRMWARE_NUMBERS = {"max-sectors": (1, 127), "edd-moves-fewer": (1, 127), "low-kib": (0, 640), "dl": (0, 255),
                    "madt-fewer": (0, 255), "madt-dead": (1, 254), "madt-disabled": (0, 254)}

# Arguments of make, what it says.
BAD_MAKE = [
    (["nonsense"], "there is no rule for nonsense; `make help` lists the targets"),
    (["run", "MEDIA=cd"], "MEDIA=cd: it must be disk, disk-bpb or floppy"),
]


def run(script, directory, nodes, rest):
    """Runs a script with NODES=nodes and the other variables of rest, and with the QEMU that lies
    in directory. Returns (its exit status, what it printed)."""
    names = ("MEM", "CPUS", "CPU", "MAP", "MACHINE", "CMDLINE", "FIRMWARE", "QEMUFLAGS", "SLOTS",
             "DIMMS", "QMP")
    env = {name: value for name, value in os.environ.items() if name not in names}
    env.update({"NODES": nodes, **rest}, PATH=directory + ":" + env["PATH"])
    done = subprocess.run([script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=env, text=True, check=False)
    return done.returncode, done.stdout


def complaint(output, sizes, cpus):
    """Returns None when output, QEMU's arguments, describes nodes of these sizes and CPUs, and the
    distances between them; else a complaint."""
    objects = dict(re.findall(r"^memory-backend-ram,id=(\w+),size=(\d+)K,reserve=off$", output,
                              re.MULTILINE))
    nodes = re.findall(r"^node,nodeid=(\d+)(?:,memdev=(\w+))?((?:,cpus=\d+)*)$", output,
                       re.MULTILINE)
    got = [(int(node), int(objects.pop(backend, "0")), " ".join(re.findall(r"\d+", named)))
           for node, backend, named in nodes]
    pairs = re.findall(r"^dist,src=(\d+),dst=(\d+),val=20$", output, re.MULTILINE)
    every = [(str(a), str(b)) for a in range(len(sizes)) for b in range(a + 1, len(sizes))]
    if got != list(zip(range(len(sizes)), sizes, cpus)):
        return f"nodes {got}"
    if objects or "memory-backend=" in output:
        return "memory that no node has"
    if sorted(pairs) != sorted(every):
        return f"distances {pairs}"
    if f"\n-m\n{sum(sizes)}K\n" not in output:
        return "the machine's RAM is not the sum"
    return None


def slots_complaint(output, memory, dimms, wide):
    """Returns None when output, QEMU's arguments, has memory after -m, these DIMMs in their order,
    and a CPU with 46 physical address bits if wide; else a complaint."""
    objects = dict(re.findall(r"^memory-backend-ram,id=(dimm\w+),size=(\d+)K,reserve=off$", output,
                              re.MULTILINE))
    got = [(int(objects.pop(backend, "0")), int(node)) for backend, node in
           re.findall(r"^pc-dimm,id=\w+,memdev=(\w+),node=(\d+)$", output, re.MULTILINE)]
    if got != dimms or objects:
        return f"DIMMs {got}, and memory of no DIMM {objects}"
    if f"\n-m\n{memory}\n" not in output:
        return f"-m is not {memory}"
    if ("phys-bits=46" in output) != wide:
        return "another width of physical addresses"
    return None


def check_slots(tap, directory):
    """Checks the variables SLOTS and DIMMS, and what is refused of these and of QMP."""
    for rest, *expected in GOOD_SLOTS:
        status, output = run("scripts/run", directory, "", rest)
        wrong = f"status {status}" if status else slots_complaint(output, *expected)
        tap.check(not wrong, str(rest), f"{wrong}\n{output}")
    for rest, says in BAD_SLOTS:
        status, output = run("scripts/run", directory, "", rest)
        tap.check(status == 2 and says in output,
                  f"{str(rest)[:60]} is refused", f"status {status}\n{output}")
    for name, value in (("SLOTS", "1"), ("DIMMS", "1G"), ("QMP", "build/qmp")):
        status, output = run("scripts/bochs", directory, "", {name: value})
        tap.check(status == 2 and f"{name}={value}: Bochs has no slots for DIMMs" in output,
                  f"Bochs refuses {name}", output)


def check_qmp(tap, directory):
    """Checks the variable QMP. Its socket may be there from a run before."""
    path = os.path.join(directory, "qmp")
    for what in ("a new socket", "the socket of a run before"):
        status, output = run("scripts/run", directory, "", {"QMP": path})
        tap.check(status == 0 and f"\n-qmp\nunix:{path},server=on,wait=off\n" in output,
                  f"QMP: {what}", output)
        if not os.path.exists(path):
            with socket.socket(socket.AF_UNIX) as left:
                left.bind(path)


def check_long_line(tap, directory):
    """Checks that a command line that stage2 would cut is refused, by both emulators' scripts."""
    status, output = run("scripts/run", directory, "", {"CMDLINE": "x" * 4095})
    tap.check(status == 0, "CMDLINE of 4095 bytes", output)
    for script in ("scripts/run", "scripts/bochs"):
        status, output = run(script, directory, "", {"CMDLINE": "x" * 4096})
        tap.check(status == 2 and output == "CMDLINE has 4096 bytes; the kernel's command line has room "
                  "for 4095\n", f"{script}: CMDLINE of 4096 bytes is refused", output)


def check_firmware(tap, directory):
    """Checks what is refused of the variable FIRMWARE, and the bounds of each number in it."""
    for words, says in BAD_FIRMWARE:
        status, output = run("scripts/run", directory, "", {"FIRMWARE": words})
        tap.check(status == 2 and output.startswith(f"firmware: {says}") and output.count("\n") == 1,
                  f"FIRMWARE={words} is refused", f"status {status}\n{output}")
    listed = subprocess.run(["scripts/firmware", "help"], stdout=subprocess.PIPE, text=True,
                            check=True).stdout
    tap.check(set(re.findall(r"(?m)^  ([a-z0-9-]+)=N ", listed)) == set(FIRMWARE_NUMBERS),
              "the faults that take a number", listed)
    for name, (least, most) in FIRMWARE_NUMBERS.items():
        for value in (least, most):
            status, output = run("scripts/run", directory, "", {"FIRMWARE": f"{name}={value}"})
            tap.check(status == 0, f"FIRMWARE={name}={value}", output)
        for value in (least - 1, most + 1, 99999999):
            status, output = run("scripts/run", directory, "", {"FIRMWARE": f"{name}={value}"})
            tap.check(status == 2 and output == f"firmware: {name}={value}: it must be "
                      f"{least} to {most}\n", f"FIRMWARE={name}={value} is refused", output)


def make(*argv):
    """Runs make. Returns (its exit status, what it printed)."""
    done = subprocess.run(["make", *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def check_make(tap):
    """Checks what make says of what is mistyped, and that its help has every target that is
    explained."""
    for argv, says in BAD_MAKE:
        status, output = make(*argv)
        tap.check(status == 2 and says in output, f"make {' '.join(argv)} is refused", output)
    with open("Makefile", encoding="utf-8") as file:
        text = file.read().replace("\\\n", "")
    explained = re.findall(r"^([a-z-]+):[^#\n]*## ", text, re.MULTILINE)
    status, output = make("help")
    listed = re.findall(r"^  make ([a-z-]+) ", output, re.MULTILINE)
    tap.check(status == 0 and "bench" in listed and set(explained) <= set(listed), "make help lists the targets",
              output)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="nodes.", dir=os.environ.get("B", "build")) as made:
        directory = os.path.abspath(made)
        with open(os.path.join(directory, "qemu-system-x86_64"), "w", encoding="ascii") as file:
            file.write("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
        os.chmod(file.name, 0o755)
        for nodes, rest, sizes, cpus in GOOD:
            status, output = run("scripts/run", directory, nodes, rest)
            wrong = f"status {status}" if status else complaint(output, sizes, cpus)
            tap.check(not wrong, f"NODES={nodes} {rest}", f"{wrong}\n{output}")
        for nodes, rest, says in BAD:
            status, output = run("scripts/run", directory, nodes, rest)
            tap.check(status == 2 and says in output, f"NODES={nodes[:40]} {rest} is refused",
                      f"status {status}\n{output}")
        status, output = run("scripts/run", directory, "", {})
        tap.check(status == 0 and "-numa" not in output and "memory-backend=ram" in output
                  and "slots=" not in output and "-qmp" not in output,
                  "without the variables there are no nodes, no slots, no socket", output)
        status, output = run("scripts/bochs", directory, "2", {})
        tap.check(status == 2 and "Bochs has no NUMA nodes" in output, "Bochs refuses NODES", output)
        for cpus in ("0", "16", "two", "2,maxcpus=4", "-1"):
            status, output = run("scripts/bochs", directory, "", {"CPUS": cpus})
            tap.check(status == 2 and f"CPUS={cpus}: Bochs takes 1 to 15" in output,
                      f"Bochs refuses CPUS={cpus}", output)
        check_slots(tap, directory)
        check_qmp(tap, directory)
        check_firmware(tap, directory)
        check_long_line(tap, directory)
        check_make(tap)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
