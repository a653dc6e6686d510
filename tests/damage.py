#!/usr/bin/env -S python3 -B
"""Sectors of the image damaged or unreadable, each booted in QEMU. TAP.

tests/damage.py          one trial of each part and kind, drawn by the seed
tests/damage.py --all    every sector in every kind (make test-damage)

Kinds: flip (a bit of the sector), unreadable (blkdebug: each read of the sector fails), once
(blkdebug: its first read fails), noise (random bytes), zeros, byte (a bit of one byte, for each
byte that has a meaning of its own). Sectors that nobody reads take the kinds in turn.

A trial passes when the machine comes up though the damage is there and nothing that it runs or
obeys has changed, by a reader of the disk that shares no code with the loader; or when it halts
with a message that names the part, or the file that is reached by way of it. A read that fails
once must not matter, nor what nobody reads. Nothing checks the boot sector's code before it runs:
for that part the outcomes are counted and no more is asked than that a kernel which is given what is
wrong says that it is (boot_info), and that the disk is not written, which is asked of every trial.

In build/test-logs/damage/ lies what a failed trial printed, and in all.log or sample.log a line
for each trial.
Exit status: 0 all passed, 1 not all, 2 there is no such trial, 130 interrupted.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import json
import mmap
import os
import queue
import random
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

from fat16 import SECTOR, START, Volume
from tap import Tap

BUILD = os.environ.get("B", "build")
LOGS = os.path.join(BUILD, "test-logs", "damage")
WORKERS = 2
LINE = "run=exit 0"
LIMIT = 20  # seconds; a boot takes less than one
SHORT_LIMIT = 5  # seconds, where a hang is common
MOST = 100000  # bytes of output; a boot prints 6,000
SILENCE = 2  # seconds after which the monitor is taken to wait at its prompt
REPORT_EVERY = 5
SECTOR_KINDS = ("flip", "unreadable", "once", "noise", "zeros")
REFUSED = b"Kernel panic: boot_info"
OUTCOMES = ("boots", "warned", "named", "firmware", "reset", "hang", "panic", "QEMU", "failed")

# What the firmware prints, and the loader.
BOOTING = b"Booting from 0000:7c00"
HALTED = rb"System halted\.|firstpage: stage2 [RD][0-9A-F]{2}"
NO_DISK = rb"No bootable device"
PROMPT = b"firstpage> "
WARNED = rb"firstpage: (warning: )?CMDLINE\.TXT: "

Part = collections.namedtuple("Part", "name sectors names bytes kinds idle unchecked",
                              defaults=((), SECTOR_KINDS, False, False))
# patches: [(offset in the image, bytes)]; errors: blkdebug's rules
Trial = collections.namedtuple("Trial", "part kind lba offset patches errors", defaults=((), ()))


KERNEL, CMDLINE = b"KERNEL  ELF", b"CMDLINE TXT"


def obeyed(disk, stage2_size):
    """Returns (stage2 and the kernel, the command line) as a boot from disk uses them; None for
    what the disk does not hold."""
    try:
        volume = Volume(disk)
        run = disk[SECTOR:SECTOR + stage2_size] + volume.read(KERNEL)
        text = volume.read(CMDLINE) if volume.entry(CMDLINE) else b""
        # 1Ah ends a text of DOS; a tab counts as a blank, and blank lines above do not count.
        line = re.split(rb"[\r\n\x1a]", text.lstrip(b" \t\r\n\x1a"))[0].replace(b"\t", b" ")
        return run, line.decode("latin-1")
    except (TypeError, ValueError, IndexError, struct.error):
        return None, None


def places(lba, *ranges):
    """Returns [(lba, offset)] for every offset in ranges, which are (first, end) pairs."""
    return [(lba, offset) for first, end in ranges for offset in range(first, end)]


def make_parts(disk, stage2_size):
    """Returns the parts of disk, a list of Part, in the order in which they lie on it."""
    volume = Volume(disk)
    kernel, line = volume.file_sectors(KERNEL), volume.file_sectors(CMDLINE)
    stage2_end = 1 + stage2_size // SECTOR
    entries = 2 * (max(volume.clusters(KERNEL) + volume.clusters(CMDLINE)) + 2)
    headers = 64 + 56 * struct.unpack_from("<H", disk, kernel[0] * SECTOR + 56)[0]
    seal = volume.entry(KERNEL)[2] - 16
    reached = r"FAT|KERNEL\.ELF|CMDLINE\.TXT"
    # Where the kernel fills its last cluster, the next sector is the first of CMDLINE.TXT.
    idle = [sector for sector in (stage2_end, START - 1, kernel[-1] + 1, line[-1] + 1, line[-1] + 1000,
                                  len(disk) // SECTOR - 1) if sector not in line]
    return [
        Part("boot sector", [0], "partition", places(0, (3, 0x5a), (0x1b8, SECTOR)),
             SECTOR_KINDS[1:]),
        Part("stage2", range(1, stage2_end), "stage2 [RD]"),
        Part("FAT record", [START], reached, places(START, (0, 62), (510, 512))),
        Part("FAT 1", range(volume.fat, volume.fat + volume.fat_sectors), reached,
             places(volume.fat, (0, entries))),
        Part("FAT 2", range(volume.fat + volume.fat_sectors, volume.root), reached, idle=True),
        Part("root", range(volume.root, volume.data), reached, places(volume.root, (0, 4 * 32))),
        Part("KERNEL.ELF", kernel, r"KERNEL\.ELF", places(kernel[0], (0, headers)) +
             [(kernel[at // SECTOR], at % SECTOR) for at in range(seal, seal + 16)]),
        Part("CMDLINE.TXT", line, r"CMDLINE\.TXT", places(line[0], (0, len(LINE) + 1))),
        Part("unused", idle, reached, idle=True),
        Part("boot code", [], ".", places(0, (0, 3), (0x5a, 0x1b8)), unchecked=True),
    ]


def sectors_read(disk, stage2_size):
    """Returns the set of sectors that a boot from disk needs."""
    volume = Volume(disk)
    clusters = volume.clusters(KERNEL) + volume.clusters(CMDLINE)
    entry = max(volume.entry(KERNEL)[0], volume.entry(CMDLINE)[0])
    return {0, START, *range(1, 1 + stage2_size // SECTOR),
            *(volume.fat + 2 * cluster // SECTOR for cluster in clusters),
            *range(volume.root, entry // SECTOR + 1),
            *volume.file_sectors(KERNEL), *volume.file_sectors(CMDLINE)}


def make_trial(disk, seed, part, kind, lba, offset=None):
    """Returns the Trial that damages the sector lba, or its byte at offset, in the way that kind
    names; None when the sector already holds what the damage would write."""
    rng = random.Random(f"{seed} {lba} {kind} {offset}")
    if kind in ("unreadable", "once"):
        rule = {"event": "read_aio", "errno": 5, "sector": lba, "once": kind == "once"}
        return Trial(part, kind, lba, offset, errors=[rule])
    old = disk[lba * SECTOR:(lba + 1) * SECTOR]
    new = bytearray(old)
    if kind == "zeros":
        new = bytes(SECTOR)
    elif kind == "noise":
        new = rng.randbytes(SECTOR)
    else:
        at = rng.randrange(SECTOR) if offset is None else offset
        new[at] ^= 1 << rng.randrange(8)
    return None if new == old else Trial(part, kind, lba, offset, [(lba * SECTOR, bytes(new))])


def make_trials(disk, stage2_size, seed):
    """Returns {(part, kind): trials} for every part of disk. A sector that no boot reads gets one
    kind, the next one the next kind."""
    read, groups = sectors_read(disk, stage2_size), collections.defaultdict(list)
    for part in make_parts(disk, stage2_size):
        for i, kind in enumerate(part.kinds):
            groups[part.name, kind] = [make_trial(disk, seed, part, kind, lba)
                                       for turn, lba in enumerate(part.sectors)
                                       if lba in read or turn % len(part.kinds) == i]
        groups[part.name, "byte"] = [make_trial(disk, seed, part, "byte", *place)
                                     for place in part.bytes]
    made = {key: [trial for trial in trials if trial] for key, trials in groups.items()}
    return {key: trials for key, trials in made.items() if trials}


def qemu(image, errors):
    """Returns the command that boots image with errors, blkdebug's rules for the disk."""
    file = {"driver": "file", "filename": image}
    debug = {"driver": "blkdebug", "image": file, "inject-error": list(errors)}
    drive = {"driver": "raw", "node-name": "disk", "file": debug if errors else file}
    # The geometry is given: to guess it QEMU would read LBA 0, and meet the error that is meant for
    # the guest.
    # The firmware's messages come from port 402h, the guest's from COM1; one stream takes both.
    return ["timeout", str(LIMIT + 10), "qemu-system-x86_64", "-nodefaults", "-vga", "none",
            "-m", "16M", "-cpu", "max", "-no-reboot", "-display", "none",
            "-blockdev", json.dumps(drive),
            "-device", "ide-hd,drive=disk,cyls=128,heads=16,secs=63",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
            "-chardev", "stdio,id=out,mux=on", "-serial", "chardev:out",
            "-device", "isa-debugcon,iobase=0x402,chardev=out"]


def listen(process, limit, impatient):
    """Reads process for at most limit seconds. Returns (output, exit status), with None for the
    status of a guest that goes on. With impatient set, a silent guest is given up early: for parts
    of which a hang is a common result and no failure."""
    output, deadline = b"", time.monotonic() + limit
    while len(output) < MOST and not re.search(HALTED + b"|" + NO_DISK, output):
        left = max(deadline - time.monotonic(), 0)
        if output.endswith(PROMPT) or (impatient and BOOTING in output):
            left = min(left, SILENCE)
        if not select.select([process.stdout], [], [], left)[0]:
            return output, None
        data = os.read(process.stdout.fileno(), 65536)
        if not data:
            return output, process.wait()
        output += data
    return output, None


def said_by_loader(output):
    """Returns the loader's messages in output, joined by semicolons, without the list of BIOS
    calls."""
    lines = re.findall(r"^firstpage: (.*?)\r?$", output.decode("latin-1"), re.MULTILINE)
    return "; ".join(line for line in lines if not line.startswith("INT "))


def outcome_of(output, status):
    """Returns the word of OUTCOMES that describes a boot with this output and exit status."""
    if b"Kernel panic" in output:
        return "panic"
    if status == 0:  # of -no-reboot
        return "reset"
    if b"firstpage: exit" in output if status else output.endswith(PROMPT):
        return "warned" if re.search(WARNED, output) else "boots"
    if status is not None:
        return "QEMU"
    if re.search(NO_DISK, output):
        return "firmware"
    return "named" if re.search(HALTED, output) else "hang"


class Bench:
    """Keeps a copy of the image for each worker, boots damaged ones, and judges the results."""

    def __init__(self, directory):
        self.pristine = os.path.join(directory, "pristine.img")
        subprocess.run(["scripts/image", os.path.join(BUILD, "disk.img"), self.pristine, LINE],
                       check=True)
        self.copies, self.running, self.ending = queue.Queue(), set(), False
        for number in range(WORKERS):
            self.copies.put(self.renew(os.path.join(directory, f"{number}.img")))
        with open(self.pristine, "rb") as file:
            self.disk = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.stage2_size = os.path.getsize(os.path.join(BUILD, "stage2.bin"))
        self.run, _ = obeyed(self.disk, self.stage2_size)
        self.read = sectors_read(self.disk, self.stage2_size)

    def renew(self, copy):
        """Makes the file copy a fresh copy of the image. Returns copy."""
        subprocess.run(["cp", "--sparse=always", self.pristine, copy], check=True)
        return copy

    def boot(self, copy, trial, limit):
        """Boots the image copy under trial for at most limit seconds. Returns (output, exit status
        or None)."""
        with subprocess.Popen(qemu(copy, trial.errors), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            self.running.add(process)
            try:
                if self.ending:
                    return b"", None
                return listen(process, SHORT_LIMIT if trial.part.unchecked else limit,
                              trial.part.unchecked)
            finally:
                process.terminate()  # timeout passes the signal on
                process.wait()
                self.running.discard(process)

    def try_out(self, trial, limit=LIMIT):
        """Damages a copy, boots it, and restores it. Returns (outcome, complaint or None,
        output)."""
        copy = self.copies.get()
        try:
            with open(copy, "r+b") as file:
                for at, new in trial.patches:
                    file.seek(at)
                    file.write(new)
            os.utime(copy, (0, 0))
            output, status = self.boot(copy, trial, limit)
            written = os.stat(copy).st_mtime_ns != 0
            with open(copy, "r+b") as file:
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as disk:
                    outcome = outcome_of(output, status)
                    complaint = self.complaint(trial, outcome, output, disk)
                for at, new in trial.patches:
                    file.seek(at)
                    file.write(self.disk[at:at + len(new)])
            if written:
                complaint = "the disk was written"
                self.renew(copy)
            return outcome, complaint, output
        finally:
            self.copies.put(copy)

    def complaint(self, trial, outcome, output, disk):
        """Returns None when the outcome of trial is right, else what is wrong. disk is the damaged
        image."""
        if trial.part.unchecked:  # the kernel checks what the loader hands over all the same
            return outcome if outcome == "panic" and REFUSED not in output else None
        if outcome == "firmware" and trial.lba == 0:
            return None
        if outcome in ("boots", "warned"):
            return self.boots_complaint(trial, output, disk)
        if outcome != "named":
            return outcome
        if trial.kind == "once":
            return "given up after one read error"
        if trial.part.idle:
            return "refused for something that is not in use"
        if not re.search(trial.part.names, said_by_loader(output)):
            return f"no message names {trial.part.names}"
        return None

    def boots_complaint(self, trial, output, disk):
        """Returns None when a boot from the damaged disk is right, else what is wrong. A changed
        option is right when the boot obeys and shows it as it stands on the disk, or when a
        message names CMDLINE.TXT."""
        if trial.kind == "once":
            return "EDD given up after one read error" if b"going on by CHS" in output else None
        if trial.kind == "unreadable":
            return "boots without a sector it needs" if trial.lba in self.read else None
        run, line = obeyed(disk, self.stage2_size)
        if run != self.run:
            return "boots with something else to run"
        if f"\nCommand line: {line}\r\n" in output.decode("latin-1") or re.search(WARNED, output):
            return None
        return "another command line, and nothing said"

    def end(self):
        """Ends all boots that are under way."""
        self.ending = True
        for process in list(self.running):
            process.terminate()


def again(trial, seed):
    """Returns the command that runs trial again."""
    place = f" --byte {trial.offset}" if trial.offset is not None else ""
    return (f"tests/damage.py --part '{trial.part.name}' --kind {trial.kind} --sector {trial.lba}"
            f"{place} --seed {seed}")


def name_of(trial):
    """Returns the name of trial: part, kind and place."""
    place = f" byte {trial.offset}" if trial.offset is not None else ""
    return f"{trial.part.name} {trial.kind}, LBA {trial.lba}{place}"


def tell_failure(trial, outcome, complaint, output, seed):
    """Writes the log of a failed trial, and prints where it is and how to run the trial again."""
    words = name_of(trial)
    log = os.path.join(LOGS, re.sub(r"\W+", "-", words) + ".log")
    with open(log, "wb") as file:
        file.write(f"{again(trial, seed)}\n{outcome}: {complaint}\n".encode() + output)
    print(f"# {words}: {complaint}\n#   {log}\n#   again: {again(trial, seed)}", flush=True)


def run_groups(bench, groups, seed, tap, log):
    """Runs all trials of groups, {(part, kind): trials}, with a line of TAP for each group, and
    writes a line for each trial to log. Returns {(part, kind): Counter of outcomes}."""
    tables, start = {}, time.monotonic()
    told, done, total = start, 0, sum(map(len, groups.values()))
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        try:
            results = pool.map(bench.try_out, [t for trials in groups.values() for t in trials])
            for key, trials in groups.items():
                count = tables[key] = collections.Counter()
                for trial in trials:
                    outcome, complaint, output = next(results)
                    count["failed" if complaint else outcome] += 1
                    done += 1
                    print(f"# {name_of(trial)}: {outcome}: {said_by_loader(output)}", file=log)
                    if complaint:
                        tell_failure(trial, outcome, complaint, output, seed)
                    if time.monotonic() - told >= REPORT_EVERY:
                        told = time.monotonic()
                        print(f"# {done} of {total} trials, {told - start:.0f} s, "
                              f"{key[0]} {key[1]}", flush=True)
                tap.check(not count["failed"], f"{key[0]}, {key[1]}: {len(trials)} trials, "
                          + ", ".join(f"{count[o]} {o}" for o in OUTCOMES if count[o]))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            bench.end()
            raise
    print(f"# {total} trials in {time.monotonic() - start:.0f} s, seed {seed}")
    return tables


def show(tables):
    """Prints tables, {(part, kind): Counter of outcomes}, as one table."""
    columns = [outcome for outcome in OUTCOMES if any(t[outcome] for t in tables.values())]
    print("# " + f"{'part':12} {'kind':10}" + "".join(f"{column:>10}" for column in columns))
    for (part, kind), count in tables.items():
        print("# " + f"{part:12} {kind:10}" + "".join(f"{count[c] or '-':>10}" for c in columns))
    whole = sum(tables.values(), collections.Counter())
    print("# " + f"{'all':23}" + "".join(f"{whole[column]:>10}" for column in columns))


def resealed(disk):
    """Returns patches that change a byte of the kernel on disk and seal it again as if it were
    right."""
    volume = Volume(disk)
    first, data = volume.file_sectors(KERNEL)[0], bytearray(volume.read(KERNEL))
    data[0x800] ^= 1  # between the headers and .text
    struct.pack_into("<I", data, len(data) - 4, zlib.crc32(data[:-16]))
    return [(first * SECTOR, bytes(data))]


def prove_failure(bench, tap):
    """Runs trials that must not count as passed; the same code judges them."""
    part = {part.name: part for part in make_parts(bench.disk, bench.stage2_size)}
    stage2, kernel = part["stage2"], part["KERNEL.ELF"]
    hang = bytes.fromhex("ebfe")                    # jmp $
    reset = bytes.fromhex("31c08ed80f011e107ccc")   # an empty IDT, then int3
    write = bytes.fromhex("31c08ec0b80103bb007cb91000ba8000cd13ebfe")  # INT 13h AH=03h
    for trial, wanted, name in (
            (Trial(stage2, "byte", 1, 0, [(0, hang)]), "hang", "a hang"),
            (Trial(stage2, "byte", 1, 0, [(0, reset)]), "reset", "a triple fault"),
            (Trial(part["boot code"], "byte", 0, 0, [(0, write)]), "written", "a write"),
            (Trial(kernel, "byte", 1, 0, [(SECTOR, b"damage")]), "no message names",
             "a message about another part"),
            (Trial(part["unused"], "byte", 1, 0, [(SECTOR, b"damage")]), "not in use",
             "a refusal without a reason"),
            (Trial(stage2, "once", 1, 0, [(SECTOR, b"damage")]), "given up", "giving up at once"),
            (Trial(kernel, "byte", START, 0, resealed(bench.disk)), "something else",
             "a kernel that is another one"),
            (Trial(kernel, "unreadable", kernel.sectors[0], None, (),
                   [{"event": "read_aio", "errno": 5, "sector": 1 << 16, "once": False}]),
             "it needs", "a boot without a sector it needs")):
        limit = SHORT_LIMIT if wanted == "hang" else LIMIT
        outcome, complaint, output = bench.try_out(trial, limit)
        tap.check(wanted in (complaint or ""), f"the harness sees {name}",
                  f"{outcome}: {complaint}\n{output.decode('latin-1')}")


def choose(groups, options, read):
    """Returns (the trials of groups that options ask for, whether options ask for particular
    ones). Without options that is a sample: one trial of each group, on a sector that a boot reads
    (read) if there is one."""
    chosen = {}
    one = any(option is not None
              for option in (options.part, options.kind, options.sector, options.byte))
    for (part, kind), trials in groups.items():
        if options.part not in (None, part) or options.kind not in (None, kind):
            continue
        some = [trial for trial in trials if options.sector in (None, trial.lba)
                and options.byte in (None, trial.offset)]
        if some and not (options.all or one):
            some = [trial for trial in some if trial.lba in read] or some
            some = random.Random(f"{options.seed} {part} {kind}").sample(some, 1)
        if some:
            chosen[part, kind] = some
    return chosen, one


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="every trial")
    parser.add_argument("--part", help="those of a part, as the table names it")
    parser.add_argument("--kind", choices=[*SECTOR_KINDS, "byte"], help="those of a kind")
    parser.add_argument("--sector", type=int, metavar="LBA", help="those of a sector")
    parser.add_argument("--byte", type=int, metavar="OFFSET", help="those of a byte of it")
    parser.add_argument("--seed", type=int, default=1, help="for bits, noise and sample; 1")
    options = parser.parse_args()
    os.makedirs(LOGS, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="damage.", dir=BUILD) as directory:
        bench = Bench(directory)
        groups, one = choose(make_trials(bench.disk, bench.stage2_size, options.seed), options,
                             bench.read)
        if not groups:
            print("damage: no such trial; parts: " + ", ".join(
                part.name for part in make_parts(bench.disk, bench.stage2_size)), file=sys.stderr)
            return 2
        log = os.path.join(LOGS, "all.log" if options.all else "sample.log")
        with (contextlib.nullcontext(sys.stdout) if one
              else open(log, "w", encoding="latin-1")) as log:
            tables = run_groups(bench, groups, options.seed, tap, log)
        if not one:
            prove_failure(bench, tap)
        if options.all:
            show(tables)
    return tap.finish()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
