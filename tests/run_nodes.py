#!/usr/bin/env -S python3 -B
"""scripts/run turns NODES= into flags of QEMU, and refuses what cannot be. TAP.

A program that prints its arguments plays QEMU. What the guest makes of the nodes tests/matrix.py
shows.
"""
import os
import re
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


def run(script, directory, nodes, rest):
    """Runs a script with NODES=nodes and the other variables of rest, and with the QEMU that lies
    in directory. Returns (its exit status, what it printed)."""
    names = ("MEM", "CPUS", "MAP", "MACHINE", "CMDLINE", "FIRMWARE", "QEMUFLAGS")
    env = {name: value for name, value in os.environ.items() if name not in names}
    env.update(rest, NODES=nodes, PATH=directory + ":" + env["PATH"])
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
        tap.check(status == 0 and "-numa" not in output and "memory-backend=ram" in output,
                  "without NODES there are none", output)
        status, output = run("scripts/bochs", directory, "2", {})
        tap.check(status == 2 and "Bochs has no NUMA nodes" in output, "Bochs refuses NODES", output)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
