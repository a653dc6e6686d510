#!/usr/bin/env -S python3 -B
"""Tests the disk images, reading them without any code of the project. TAP."""
import hashlib
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

from tap import Tap

BUILD = os.environ.get("B", "build")
IMAGE = os.path.join(BUILD, "disk.img")
SECTOR = 512
START = 2048  # LBA of the partition
FLOPPY_START = 64
FAT_TYPES = {0x01, 0x04, 0x06, 0x0b, 0x0c, 0x0e}


def chs(lba, heads=255, sectors=63):
    """Returns the three bytes by which a partition table names the sector lba; FE FF FF beyond
    what they can name."""
    cylinder, rest = divmod(lba, heads * sectors)
    if cylinder > 1023:
        return bytes([254, 255, 255])
    head, sector = divmod(rest, sectors)
    return bytes([head, (sector + 1) | (cylinder >> 2 & 0xc0), cylinder & 0xff])


def sha256(path):
    """Returns the SHA-256 of the file path, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def check_boot_sector(tap, image):
    """Checks the boot sector and the partition table of image."""
    sector = image[:SECTOR]
    tap.check(sector[510:] == b"\x55\xaa", "the boot signature is there")
    tap.check(sector[0] in (0xeb, 0xe9), "the first instruction jumps", sector[:3].hex())
    target = sector[1] + 2 if sector[0] == 0xeb else struct.unpack("<h", sector[1:3])[0] + 3
    tap.check(target >= 0x3e, "the jump passes the BPB area", hex(target))
    tap.check(not any(sector[3:0x3e]), "the BPB area is zero")
    tap.check(not any(sector[0x1bc:0x1be]), "the bytes between disk signature and partition table are zero")
    entries = [sector[0x1be + 16 * i:0x1ce + 16 * i] for i in range(4)]
    tap.check([e[0] for e in entries] == [0x80, 0, 0, 0], "one partition is active")
    tap.check(not any(any(e) for e in entries[1:]), "the other three entries are empty")
    start, size = struct.unpack("<II", entries[0][8:])
    tap.check(entries[0][4] in FAT_TYPES, "the partition's type is FAT", hex(entries[0][4]))
    tap.check(start == START, "the partition begins at LBA 2048", start)
    tap.check((start + size) * SECTOR <= len(image), "the partition ends within the image", start + size)
    tap.check(entries[0][1:4] == chs(start) and entries[0][5:8] == chs(start + size - 1),
              "CHS fields agree with LBA (255 heads, 63 sectors)", entries[0].hex())


def check_stage2(tap, image):
    """Checks that stage2 lies behind the boot sector of image."""
    with open(os.path.join(BUILD, "stage2.bin"), "rb") as file:
        stage2 = file.read()
    tap.check(image[SECTOR:SECTOR + len(stage2)] == stage2, "stage2 lies at LBA 1")
    tap.check(SECTOR + len(stage2) <= START * SECTOR, "stage2 ends before the partition",
              len(stage2))


def check_files(tap, volume, what):
    """Checks the file system and the files on volume, the bytes of a FAT volume named what."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(volume)
        file.flush()
        fsck = subprocess.run(["fsck.fat", "-n", file.name], capture_output=True, text=True,
                              check=False, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
        tap.check(fsck.returncode == 0, f"{what}: fsck.fat finds nothing", fsck.stdout + fsck.stderr)
        listing = subprocess.run(["mdir", "-b", "-i", file.name, "::"], capture_output=True,
                                 text=True, check=True).stdout.split()
        tap.check({"::/KERNEL.ELF", "::/CMDLINE.TXT"} <= set(listing),
                  f"{what}: both files are there", listing)
        kernel = subprocess.run(["mcopy", "-i", file.name, "::KERNEL.ELF", "-"],
                                capture_output=True, check=True).stdout
        with open(os.path.join(BUILD, "KERNEL.ELF"), "rb") as built:
            tap.check(kernel == built.read(), f"{what}: KERNEL.ELF is the one that was built")


def check_floppy(tap, disk):
    """Checks floppy.img: its one FAT12 volume must be found by the partition table and by the boot
    sector's parameter block."""
    with open(os.path.join(BUILD, "floppy.img"), "rb") as file:
        image = file.read()
    entry = image[0x1be:0x1ce]
    start, size = struct.unpack("<II", entry[8:])
    tap.check(len(image) == 1474560 and start + size == 2880, "floppy.img: 1.44 MB, used to the end")
    tap.check(entry[4] == 1 and entry[1:4] == chs(start, 2, 18)
              and entry[5:8] == chs(start + size - 1, 2, 18), "its partition: FAT12, CHS of 2 x 18")
    tap.check(start == FLOPPY_START and image[SECTOR:start * SECTOR].rstrip(b"\0")
              == disk[SECTOR:START * SECTOR].rstrip(b"\0"), "its stage2 is the disk's")
    tap.check(struct.unpack_from("<HH", image, 0x18) == (18, 2) and image[0x15] == 0xf0,
              "its parameter block has the floppy's geometry and medium byte")
    check_files(tap, image, "floppy.img")
    check_files(tap, image[start * SECTOR:], "floppy.img, the partition")


def check_parameter_block(tap, disk):
    """Checks that disk-bpb.img differs from disk.img in the parameter block alone."""
    with open(os.path.join(BUILD, "disk-bpb.img"), "rb") as file:
        image = file.read()
    tap.check(image[:3] == disk[:3] and image[0x3e:] == disk[0x3e:],
              "disk-bpb.img differs from disk.img in bytes 03 to 3D only")
    check_files(tap, image, "disk-bpb.img")


def check_segments(tap):
    """Checks that no segment of the kernel is both writable and executable."""
    out = subprocess.run(["readelf", "-lW", os.path.join(BUILD, "kernel.elf")], capture_output=True,
                         text=True, check=True).stdout
    loads = [line.split() for line in out.splitlines() if line.strip().startswith("LOAD")]
    flags = ["".join(load[6:-1]) for load in loads]
    tap.check(flags and not any("W" in f and "E" in f for f in flags),
              "no segment of the kernel is writable and executable", flags)


def check_symbols(tap):
    """Checks that the ELF files have the symbols of all named places."""
    stages = {"bootsector": ["bp_bootsector"],
              "stage2": ["bp_stage2", "bp_e820", "bp_protected", "bp_long"],
              "kernel": ["bp_kernel", "bp_memblock", "bp_mem_map", "bp_buddy"]}
    for stage, names in stages.items():
        out = subprocess.run(["nm", "-g", os.path.join(BUILD, stage + ".elf")],
                             capture_output=True, text=True, check=True).stdout
        found = {line.split()[-1] for line in out.splitlines()}
        tap.check(set(names) <= found, f"{stage}.elf has {' '.join(names)}")


def check_progress_codes(tap):
    """Checks that docs/firmware.md lists the progress codes that are compiled in, each once."""
    with open("include/progress.list", encoding="ascii") as file:
        listed = re.findall(r'^PROGRESS\(0x(..), +\w+, +"(.*)"\)$', file.read(), re.MULTILINE)
    with open("docs/firmware.md", encoding="utf-8") as file:
        shown = re.findall(r"^\| ([0-9a-f]{2}) \| (.*) \|$",
                           file.read().partition("| code | step |")[2], re.MULTILINE)
    tap.check(listed and listed == sorted(listed) and len({c for c, _ in listed}) == len(listed),
              "progress codes rise in include/progress.list", listed)
    tap.check(listed == shown, "docs/firmware.md lists the progress codes", set(listed) ^ set(shown))


def check_no_write(tap):
    """Checks that a boot leaves a writable copy of the image as it was."""
    with tempfile.TemporaryDirectory(dir=BUILD) as directory:
        copy = os.path.join(directory, "disk.img")
        subprocess.run(["scripts/image", IMAGE, copy, "run=exit 0"], check=True)
        before = sha256(copy)
        boot = subprocess.run(["qemu-system-x86_64", "-m", "64", "-display", "none", "-serial",
                               "stdio", "-nic", "none", "-drive", f"file={copy},format=raw",
                               "-device", "isa-debug-exit,iobase=0xf4,iosize=4"],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        tap.check(boot.returncode == 3, "a writable copy boots", boot.stdout[-500:])
        tap.check(sha256(copy) == before, "the boot wrote nothing to it")


def check_edit(tap):
    """Checks the command by which docs/options.md edits CMDLINE.TXT in the image, on a copy."""
    with open("docs/options.md", encoding="utf-8") as file:
        command = re.search(r"(?m)^    (mcopy .* build/disk\.img@@1M .*)$", file.read())
    with tempfile.TemporaryDirectory(dir=BUILD) as directory:
        copy, line = os.path.join(directory, "disk.img"), os.path.join(directory, "CMDLINE.TXT")
        shutil.copyfile(IMAGE, copy)
        with open(line, "w", encoding="ascii") as file:
            file.write("run=exit 9\n")
        words = command[1].replace("build/disk.img", copy).split()
        done = subprocess.run([line if word == "CMDLINE.TXT" else word for word in words],
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        read = subprocess.run(["mtype", "-i", copy + "@@1M", "::CMDLINE.TXT"], capture_output=True,
                              check=False)
        tap.check(not done.returncode and read.stdout == b"run=exit 9\n",
                  "docs/options.md: how to edit CMDLINE.TXT in the image", f"{words} {done} {read}")


def main():
    tap = Tap()
    with open(IMAGE, "rb") as file:
        image = file.read()
    check_boot_sector(tap, image)
    check_stage2(tap, image)
    check_files(tap, image[START * SECTOR:], "disk.img")
    check_floppy(tap, image)
    check_parameter_block(tap, image)
    check_segments(tap)
    check_symbols(tap)
    check_progress_codes(tap)
    check_no_write(tap)
    check_edit(tap)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
