#!/usr/bin/env -S python3 -B
"""Boots the image in QEMU and Bochs; each boot has a verdict from the guest and a time limit. TAP.

tests/boot.py [--all] [WORD...] runs the cases whose name contains all the words. Without --all it
runs the sample only: `tests/boot.py --all firmware` plays every firmware fault of scripts/rom. Of
the matrix (tests/matrix.py) it runs the sample. A failed case leaves a bundle to look at and to run
again in build/test-logs/bundles/: tests/bundle.py.
"""
import os
import re
import subprocess
import sys

from cases import (BUILD, CASES, LOGS, Case, Dialogue, PostCard, ShiftHeld, Stop, StopPostCard,
                   run_cases)
from firmware import ALL_SURVIVED, ANOTHER_MAP, BOCHS_ALONE, HALTED, REFUSED, SAMPLE, SURVIVED
from guest import NEXT_STOP
from matrix import matrix_sample, prove_matrix_failure
from tap import Tap

SHOW = "run=e820;memblock;buddyinfo;zoneinfo;meminfo;iomem;free;selftest;exit 0"


def write_file(image, name, data):
    """Writes data to the file name on the FAT partition of image."""
    subprocess.run(["mcopy", "-o", "-i", image + "@@1M", "-", "::" + name], input=data, check=True)


def kernel(image):
    """Returns the contents of KERNEL.ELF on the FAT partition of image."""
    return subprocess.run(["mcopy", "-i", image + "@@1M", "::KERNEL.ELF", "-"], check=True,
                          stdout=subprocess.PIPE).stdout


def truncate_kernel(image):
    """Cuts KERNEL.ELF on image to 20,000 bytes."""
    write_file(image, "KERNEL.ELF", kernel(image)[:20000])


def flip_kernel_byte(image):
    """Flips a bit in the middle of KERNEL.ELF on image."""
    data = bytearray(kernel(image))
    data[len(data) // 2] ^= 0x10
    write_file(image, "KERNEL.ELF", bytes(data))


def writable_text(image):
    """Marks the first segment of KERNEL.ELF on image as writable and executable."""
    data = bytearray(kernel(image))
    data[64 + 4] = 7  # p_flags of the first program header
    write_file(image, "KERNEL.ELF", bytes(data))


def delete_kernel(image):
    """Deletes KERNEL.ELF on image."""
    subprocess.run(["mdel", "-i", image + "@@1M", "::KERNEL.ELF"], check=True)


def text_kernel(image):
    """Replaces KERNEL.ELF on image by a text."""
    write_file(image, "KERNEL.ELF", b"this is not a kernel\n" * 100)


def damage_stage2(image):
    """Flips a bit of stage2 on image."""
    with open(image, "r+b") as file:
        file.seek(512 + 5000)
        byte = file.read(1)[0]
        file.seek(512 + 5000)
        file.write(bytes([byte ^ 1]))


def long_command_line(image):
    """Makes CMDLINE.TXT on image 64 KiB long."""
    write_file(image, "CMDLINE.TXT", b"x" * 65536)


def high_bytes(image):
    """Puts bytes over 127 into CMDLINE.TXT on image."""
    write_file(image, "CMDLINE.TXT", "quiet=größe run=exit 0\n".encode("latin-1"))


def utf16_command_line(image):
    """Writes CMDLINE.TXT on image as Windows' Notepad may: UTF-16 with a mark, blank lines first."""
    write_file(image, "CMDLINE.TXT", "\ufeff\r\n\r\nsafe quiet=größe run=exit 3\r\n# a note\r\n"
               .encode("utf-16-le"))


def cut_command(image):
    """Makes the line of CMDLINE.TXT on image so long that its end falls into `exit 99`."""
    begin, end = b"mem=64M run=page 1", b";exit 99\n"
    write_file(image, "CMDLINE.TXT", begin + b" " * (4095 + 2 - len(begin + end)) + end)


def cut_option(image):
    """Makes the line of CMDLINE.TXT on image so long that its end falls into `mem=256M`."""
    write_file(image, "CMDLINE.TXT", b"quiet " * 681 + b"a mem=256M\n")


def no_command_line(image):
    """Deletes CMDLINE.TXT on image."""
    subprocess.run(["mdel", "-i", image + "@@1M", "::CMDLINE.TXT"], check=True)


def fat32(image):
    """Gives image a FAT32 partition with the same files, as a user might format the stick."""
    data = kernel(image)
    with open(image, "r+b") as file:
        file.truncate(2048 * 512 + 600 * 1024 * 1024)
        file.seek(446 + 12)  # the partition's size
        file.write((1228800).to_bytes(4, "little"))
    subprocess.run(["mformat", "-F", "-i", image + "@@1M", "-T", "1228800", "-h", "255", "-s", "63",
                    "-H", "2048", "::"], check=True)
    write_file(image, "KERNEL.ELF", data)
    write_file(image, "CMDLINE.TXT", b"run=selftest;exit 0\n")


def make_maps():
    """Writes maps that no firmware should give; an option ROM plays them. Returns their folder."""
    maps = {
        "overlap": "0 0x9fc00 1\n0x100000 0x7f00000 1\n0x400000 0x100000 2\n0x3000000 0x8000 3\n",
        "wrap": "0 0x9fc00 1\n0x100000 0x7f00000 1\n0xfffffffffffff000 0x2000 1\n",
        "empty-entries": "0 0x9fc00 1\n0 0 1\n0x100000 0x7f00000 1\n0x2000000 0 2\n",
        "unknown": "0 0x9fc00 1\n0x100000 0x7f00000 1\n0x500000 0x100000 77\n",
        "no-ram": "0 0x9fc00 2\n0x100000 0x7f00000 2\n",
        "no-place": "0 0x9fc00 1\n0x100000 0x80000 1\n",
        "absent-end": "0 0x9fc00 1\n0x100000 0x1ff00000 1\n",
        "absent-hole": "0 0x9fc00 1\n0x100000 0x12ff00000 1\n",
        "many-high": "0 0x9fc00 1\n0x100000 0xbff00000 1\n" + "".join(
            f"{0x100000000 + i * 0x800000:#x} 0x400000 1\n" for i in range(200)),
        "disabled": "0 0x9fc00 1 1\n0x100000 0x7f00000 1 1\n0x4000000 0x100000 1 0\n",
    }
    directory = os.path.join(BUILD, "test-maps")
    os.makedirs(directory, exist_ok=True)
    for name, text in maps.items():
        with open(os.path.join(directory, name + ".map"), "w", encoding="ascii") as file:
            file.write(text)
    return directory


def absent(first, last):
    """Returns the pattern of the line by which the kernel leaves out [first, last], RAM that the
    map claims but the machine lacks."""
    return rf"^RAM \[mem 0x{first}-0x{last}\]: usable by the map, but not there: left out$"


class LeastMemory(Case):
    """Boots with the least mem= that the kernel accepts on a machine, which it names when it is
    given less, and with one byte less. options stand before mem= on the command line."""

    def __init__(self, name, options="", **rest):
        super().__init__(name, **rest)
        self.options = options

    def boot(self, mem, commands, pattern):
        """Boots with mem=. Returns (complaint or None, output, pattern's match in the output)."""
        self.env["CMDLINE"] = f"{self.options} mem={mem} run={commands}exit 0"
        self.selftest = "selftest" in commands
        complaint, output = super().run()
        match = re.search(pattern, output, re.MULTILINE)
        return complaint or (None if match else f"did not print {pattern}"), output, match

    def run(self):
        complaint, output, match = self.boot(
            1, "", r"^mem=1 \(0K\) is less than the kernel needs here, (\d+) \(\d+K\): ignored; "
            r"without a suffix mem= counts bytes: mem=64M is 64 MiB$")
        if not complaint:
            least = int(match[1])
            complaint, output, _ = self.boot(least, "meminfo;selftest;",
                                             rf"^Memory: \d+K/{least >> 10}K available")
        if not complaint:
            complaint, output, _ = self.boot(
                least - 1, "", rf"^mem={least - 1} .* {least} \({least >> 10}K\): ignored$")
        return complaint, output


def define_option_cases():
    """Makes the cases of mem= and memmap=."""
    LeastMemory("option mem=, the least")
    LeastMemory("option mem=, the least of 64 GiB, 8 CPUs", MEM="64G", CPUS="8", sample=False)
    LeastMemory("option mem=, the least, little low memory, nodes, no RAM from 1 to 2 MiB", limit=120,
                options="memmap=1M$1M debug_pagealloc=on", MEM="256M", CPUS="4", NODES="2",
                FIRMWARE="low-kib=200", sample=False)
    Case("option mem= that is ignored does not limit what is plugged either", DIMMS="256M",
         CMDLINE="mem=1M run=meminfo;exit 0",
         says=[r"^mem=1048576 \(1024K\) is less .*: ignored$", r"^MemTotal: +3[89]\d{4} kB$"])
    Case("option mem=4M of 256 MiB", MEM="256M", CMDLINE="mem=4M run=exit 0",
         says=[r"^Memory: \d+K/4096K available"])
    Case("options mem= and memmap=: the whole map that they make is logged", MEM="128M",
         CMDLINE="memmap=1M$32M,x memmap=64K#0x5000000 mem=64M run=exit 0",
         says=[r"^Bad value of command-line option memmap: x; it takes SIZE@START, .*: ignored$",
               r"(?s)^BIOS-e820: [^\n]*\ncorrection: .*\nuser-defined physical RAM map:\n"
               r"user: \[mem 0x0{16}-0x0{11}9fbff\] usable\n"
               r"user: \[mem 0x0{11}9fc00-0x0{11}9ffff\] reserved\n"
               r"user: \[mem 0x0{11}f0000-0x0{11}fffff\] reserved\n"
               r"user: \[mem 0x0{10}100000-0x0{9}1ffffff\] usable\n"
               r"user: \[mem 0x0{9}2000000-0x0{9}20fffff\] reserved\n"
               r"user: \[mem 0x0{9}2100000-0x0{9}4160fff\] usable\n"
               r"user: \[mem 0x0{9}5000000-0x0{9}500ffff\] ACPI data\n"
               r"user: \[mem 0x0{9}7fe0000-0x0{9}7ffffff\] reserved\n"])
    Case("option memmap=, 40 of them", MEM="256M",
         CMDLINE="".join(f"memmap=4K${m}M " for m in range(33, 73))
         + "run=page 0x2100;page 0x4800;page 0x4801;exit 0",
         says=[r"^pfn 0x2100 .*: absent$", r"^pfn 0x4800 .*: absent$",
               r"^pfn 0x4801 .*: free$"],
         also=lambda output: "Bad value" in output and "a value of memmap= was refused" or None)
    Case("option memmap=, more than the map has room for", MEM="64M",
         CMDLINE="memmap=" + ",".join(f"1${k % 10}" for k in range(1019)) + " run=exit 0",
         says=[r"^memmap=: there is no room for the last 2 of 1019 entries: ignored$"])
    for ranges, mem in (("1M#2M", "4M"), ("16M$2M", "64M"), ("16M$0", "64M"), ("32M!1M", "64M"),
                        ("exactmap,16M@32M", "64M"), ("exactmap,48M@0,4K$0x210000", "64M")):
        Case(f"option memmap={ranges}: the kernel's place is not RAM", MEM=mem, selftest=True,
             CMDLINE=f"memmap={ranges} run=selftest;exit 0", sample=mem == "4M", limit=120,
             says=[r"^the kernel's image \[mem 0x0{10}200000-0x\w+\] is not all usable by memmap="])
    Case("option memmap=64K$0: other CPUs start in low memory that is not RAM", CPUS="2",
         MEM="64M", CMDLINE="memmap=64K$0 run=exit 0", says=["^2 CPUs online$"])


def define_cases():
    """Makes all cases but those of firmware faults and of the options of memory."""
    maps = make_maps()
    Case("what the commands show about memory", CMDLINE=SHOW, selftest=True,
         says=[r"^BIOS-e820: \[mem 0x0{16}-0x", r"^Memory: \d+K/\d+K available",
               r"^MemTotal:\s+\d+ kB$", r"^Node 0 MemTotal: +\d+ kB\nNode 0 MemFree: +\d+ kB$",
               r"^Node 0, zone      DMA( +\d+){19} *$",
               r"^free \[mem 0x[0-9a-f]+-0x[0-9a-f]+\]$"])
    Case("what the commands show about nodes", MEM="4G", NODES="1G,3G,0",
         CMDLINE="run=buddyinfo;zoneinfo;meminfo;page 0x40000;page 0xc0000;alloc 0;exit 0",
         says=[r"^Node 0, zone      DMA( +\d+){19} *\nNode 0, zone    DMA32( +\d+){19} *\n"
               r"Node 1, zone    DMA32( +\d+){19} *\nNode 1, zone   Normal( +\d+){19} *$",
               r"^Node 1, zone    DMA32\n  pages free +\d+\n( {8}\w+ +\d+\n){3}"
               r" {8}protection: \(0, 0, \d+, \d+\)\n  start_pfn: +262144$",
               r"^Node 0 MemTotal: +1\d{6} kB\nNode 0 MemFree: +\d+ kB\n"
               r"Node 1 MemTotal: +3\d{6} kB\nNode 1 MemFree: +\d+ kB\n"
               r"Node 2 MemTotal: +0 kB\nNode 2 MemFree: +0 kB$",
               r"^pfn 0x40000 .* zone DMA32 of node 1: free$", r"^pfn 0xc0000 .* zone none: absent$",
               r"^pfn 0x\w+ order 0 zone DMA32 \[mem "])
    Case("what the commands show about memory that was added and has left", MEM="1G", NODES="1G,0",
         DIMMS="512M@1,256M",
         CMDLINE="run=iomem;meminfo;numa;buddyinfo;hotplug remove 0;iomem;meminfo;numa;buddyinfo;zoneinfo;exit 0",
         says=[r"(?s)> iomem\n.*^fffc0000-ffffffff : Reserved\n100000000-11fffffff : System RAM\n"
               r"120000000-12fffffff : System RAM\nfd00000000-.*> iomem\n.*^fffc0000-ffffffff : Reserved\n"
               r"120000000-12fffffff : System RAM\nfd00000000-",
               r"(?s)^MemMap: +7168 kB$.*^MemMap: +5120 kB$",
               r"(?s)^node 1 size: 512 MB$.*^node 1 size: 0 MB$", r"^local: 100 %",
               r"(?s)> buddyinfo\n([^\n]*\n){2}Node 0, zone  Hotplug[^\n]*\nNode 1, zone  Hotplug[^\n]*\nfirst"
               r".*> buddyinfo\n([^\n]*\n){2}Node 0, zone  Hotplug[^\n]*\nfirst.*"
               r"> zoneinfo\n(?!.*Node 1)"])
    Dialogue("qemu warm reboot, RAM kept, then selftest",
             [(r"firstpage> $", "alloc 3\nselftest\nreboot\n"),
              (r"(?s)BIOS-e820.*firstpage> $", "selftest\nexit 0\n")], selftest=True,
             CMDLINE="", MEM="256M")
    Dialogue("what is typed before the boot is not lost", [("", "page 1\npage 2\nexit 5\n")],
             status=5, CMDLINE="", says=[r"^pfn 0x1 ", r"^pfn 0x2 "])
    Dialogue("monitor edits lines and keeps a history",
             [(r"firstpage> $", "pageX\b 1\rexit 1\x15\x1b[A\x01\x05\r"),
              (r"(?s)frame|pfn 0x1 .*pfn 0x1 ", "nonsense\rexit 5\r")], status=5, CMDLINE="",
             says=[r"(?s)pfn 0x1 .*pfn 0x1 ", r"nonsense"])
    Case("exit 7 is status 7", CMDLINE="run=exit 7", status=7)
    Case("a command that fails is reported, and the next one runs", CMDLINE="run=alloc 99;page;frob;exit 4",
         status=4, says=[r"99 is not an order", r"page: failed", r"frob"])
    Case("options: unknown ones are listed, known ones work",
         CMDLINE="frobnicate quiet=9 mem=64M memmap=1M$32M memblock=debug run=meminfo;exit 0",
         says=[r"frobnicate", r"quiet=9", r"^MemTotal:\s+6\d{4} kB$", r"MEMBLOCK configuration"])
    Case("floppy, by CHS and track by track", MEDIA="floppy", selftest=True,
         CMDLINE="run=bios;selftest;exit 0", says=[
             r"^firstpage: booted from drive 00h by CHS", r"^  INT 13h AX=0212: AH=00, \d+ times$"])
    Case("bochs: floppy", rc="", MEDIA="floppy", limit=180, CMDLINE="run=bios;exit 0",
         says=[r"^firstpage: booted from drive 00h by CHS"])
    Case("stick with a BIOS parameter block", MEDIA="disk-bpb", CMDLINE="run=exit 0",
         says=[r"^firstpage: booted from drive 80h by EDD"])
    ShiftHeld("SHIFT held at boot is safe mode", CMDLINE="run=bios;exit 0", says=[
        r"^firstpage: safe mode \(SHIFT is held\)", r"^firstpage: \[26\] KERNEL.ELF$",
        r"^\[36\] memory map, corrected$", r"read by CHS"])
    Case("option safe is safe mode, the kernel read by CHS", selftest=True,
         CMDLINE="safe run=bios;selftest;exit 0",
         says=[r"^firstpage: safe mode \(option safe\)", r"^firstpage: \[28\] leaving the BIOS$",
               r"^\[37\] memblock$", r"MEMBLOCK configuration", r"AX=0201: AH=00, \d+ times",
               r"read by CHS"])
    stage2 = "20 21 22 23 24 25 26 27 28 29 2a"
    PostCard("each progress code is shown", CMDLINE="run=exit 0",
             codes=f"10 20 {stage2} 30 31 32 33 34 35 36 37 38 39 3a 3b 3c 3d 3e",
             says=[rf"^firstpage: stage2 {stage2} $"])
    StopPostCard("progress codes of a failure", MAP=f"{maps}/no-ram.map", MEM="128M", end=HALTED,
                 codes="10 20 20 21 22 23 2f",
                 says=[r"^firstpage: in step \[23\] memory map from the BIOS$"])
    PostCard("progress codes of a panic", CMDLINE="memmap=exactmap run=exit 0", status=124,
             codes=f"10 20 {stage2} 30 31 32 33 34 35 36 3f", says=[r"^In step \[36\] memory map"])
    Case("gdb: stops in every stage, symbols at their true addresses", CMDLINE="run=exit 0",
         gdb=NEXT_STOP + "fp-places\n" + "next-stop\ninfo symbol $pc\n" * len(PLACES)
         + "fp-e820\nfp-memblock\ndelete\ncontinue\n",
         says=["(?s)" + ".*".join(rf"^{name} in section" for name in PLACES),
               r"^e820: \[mem 0x0+-0x", r"^memblock\.reserved\[0\]: \[mem "])
    Case("a wild jump is a page fault with symbols; under run= the status is 124", status=124,
         CMDLINE="run=exit 0", gdb="break *bp_buddy\ncontinue\nset $rip = 0x1234\ncontinue\n",
         says=[r"panic: page fault", r"^RIP: 0008:0000000000001234", r"start_kernel\+0x",
               r"^0x1234 is not mapped"])
    Stop("an exception before the kernel has handlers is a message", end=HALTED,
         CMDLINE="run=exit 0",
         gdb="break *bp_kernel\ncontinue\nset $rip = 0xffffffff90000000\ncontinue\n",
         says=[r"^firstpage: processor exception 14 at ffffffff90000000h, error code 10h",
               r"^firstpage: in step \[2a\] long mode$", r"^firstpage: INT 13h AX=4200 gave AH=00"])
    Case("a panic during the boot names the step", status=124, CMDLINE="run=exit 0",
         gdb="break *bp_mem_map\ncontinue\nset $rip = 0x1234\ncontinue\n",
         says=[r"^Kernel panic: page fault.*\nIn step \[3b\] mem_map\nBIOS: \d+ calls, the last 4:\n"
               r"  INT 13h AX="])
    Case("a stack overflow is a double fault on a stack of its own, and is named", status=124,
         CMDLINE="run=exit 0", gdb="tbreak *bp_buddy\ncontinue\nset $rsp = &__boot_stack\ncontinue\n",
         says=[r"panic: stack overflow", r"guard page of the kernel stack"])
    Case("a single step that nobody asked for is a panic", status=124, CMDLINE="run=exit 0",
         gdb="tbreak *bp_buddy\ncontinue\nset $eflags = $eflags | 0x100\ncontinue\n",
         says=[r"panic: debug exception", r"^RIP: 0008:", r"start_kernel\+0x"])
    Case("a write to kernel text is refused, through the direct map too", status=124,
         CMDLINE="run=exit 0", gdb="break *bp_buddy\ncontinue\nset $rdi = 0xffff888000200000\n"
         "set $rsi = 0\nset $rdx = 16\nset $rip = memset\ncontinue\n",
         says=[r"panic: page fault", r"0xffff888000200000 is mapped by a page", r"frame 0x200"])
    for option in DEBUG_OPTIONS:
        Case(f"option {option}", CMDLINE=f"{option} run=selftest;exit 0", selftest=True,
             says=[rf"^mm: {option[:-3]} on"])
    Case("option page_poison=on and the others, all at once", MEM="1G", limit=120, selftest=True,
         CMDLINE=f"{' '.join(DEBUG_OPTIONS)} run=alloc 3;alloc 0;selftest;page_owner;exit 0",
         says=[r"^mm: page_poison page_owner debug_pagealloc on", r"^ +9 +2  cmd_alloc\+0x"])
    for kind, (what, who) in MISUSES.items():
        Case(f"misuse {kind}", CMDLINE=f"page_owner=on run=misuse {kind};exit 0", status=124,
             says=[rf"(?s)^Kernel panic: free of frame 0x\w+ as order \d: it {what}.*\? "
                   + kind.replace("-", "_") + r"\+0x", who])
    Case("misuse double-free without options", CMDLINE="run=misuse double-free;exit 0", status=124,
         says=[r"firstpage> misuse double-free\nKernel panic: free of frame .*: it is free$"])
    Case("misuse use-after-free, found by its poison", status=124,
         CMDLINE="page_poison=on page_owner=on run=misuse use-after-free;exit 0",
         says=[r"^frame (0x\w+): allocated by use_after_free\+0x.*\nframe \1: freed by use_after_free"
               r"\+0x.*\nframe \1: from byte 0x10 on: 44 33 22 11 aa .*\n"
               r"Kernel panic: use after free: frame \1 was written .* bytes 0x10 to 0x13$"])
    Case("misuse use-after-free, found by its page fault", status=124,
         CMDLINE="debug_pagealloc=on page_owner=on run=misuse use-after-free;exit 0",
         says=[r"^Kernel panic: page fault: write at 0xffff8880\w+10: it is not mapped$",
               r"^physical 0x\w+: frame (0x\w+), zone DMA32, free\nframe \1: allocated by "
               r"use_after_free\+0x.*\nframe \1: freed by use_after_free\+0x"])
    Case("misuse use-after-free, not found without options", status=3,
         CMDLINE="run=misuse use-after-free;page_owner;exit 3",
         says=[r"^the write was not noticed", r"^misuse: failed", r"^owners are not recorded"])
    Case("memtest of good memory, at boot and from the monitor, with 3 CPUs", selftest=True, CPUS="3", limit=120,
         CMDLINE="memtest=3 run=memtest;memtest 1;memtest list;selftest;exit 0",
         says=[r"^memtest: pass 3 of 3, pattern 0x5{16}$", r"^memtest: frames out of service: 0$",
               r"^2 of 2 passes over 1\d\d MiB; bad frames: 0$", r"^frames out of service: 0$"])
    Case("memtest, a bad frame at boot stays out of service", selftest=True, gdb=BAD_CELL,
         CMDLINE="memtest=2 run=memtest list;page 0x4000;memtest;selftest;exit 0",
         says=[r"^memtest: bad \[mem 0x0+4000000-0x0+4000fff\], at 0x4000010 0x0*2a instead of 0x",
               r"^out of service \[mem 0x0+4000000-0x0+4000fff\]$", r"^frames out of service: 1$",
               r"^pfn 0x4000 .*: reserved$", r"^2 of 2 passes over \d+ MiB; bad frames: 0$"])
    Case("memtest, a bad frame found from the monitor stays out of service", selftest=True,
         gdb=BAD_CELL, CMDLINE="run=memtest;memtest;page 0x4000;release 0x4000;selftest;exit 0",
         says=[r"^2 of 2 passes over \d+ MiB; bad frames: 1$", r"^memtest: failed \(1\)$",
               r"^2 of 2 passes over \d+ MiB; bad frames: 0$", r"^pfn 0x4000 .*: allocated$",
               r"^head pfn 0x4000 order 0 count 1 owner 0x626164$", r"^release: failed"])
    Dialogue("memtest on 2 CPUs ends at Ctrl-C, and all memory comes back",
             [(r"firstpage> $", "memtest 1000\r"), (r"pass 2 of", "\x03"),
              (r"firstpage> $", "selftest\rexit 0\r")], selftest=True, CMDLINE="", CPUS="2",
             limit=120, says=[r"^1 of 1000 passes over \d+ MiB, interrupted; bad frames: 0$"])
    Case("stress finds a frame that changed while it was held", gdb=CHANGED, limit=120,
         CMDLINE="run=stress 2;exit 0", says=[
             r"^stress: frame 0x4000, which CPU 0 had allocated, does not hold what was written to it$",
             r"^stress: CPUs 1, frames verified \d+, wrong 1, ", r"; frames changed while they were held$",
             r"^stress: failed \(1\)$"])
    Case("bench scale compares CPUs, three of them", CPUS="3", limit=180, CMDLINE="run=bench scale;exit 0", says=[
        rf"^bench {row}\.{what} \d\.\d{{3}} times one CPU$" for row in ("scale2", "scale")
        for what in ("empty", "pair0", "pair3")])
    Stop("KERNEL.ELF cut short", end=HALTED, damage=truncate_kernel, says=[r"KERNEL\.ELF"])
    Stop("KERNEL.ELF with a byte flipped", end=HALTED, damage=flip_kernel_byte, says=[r"KERNEL\.ELF"])
    Stop("KERNEL.ELF with writable text", end=HALTED, damage=writable_text,
         says=[r"KERNEL\.ELF.*writable and executable"])
    Stop("KERNEL.ELF missing", end=HALTED, damage=delete_kernel, says=[r"KERNEL\.ELF"])
    Stop("KERNEL.ELF is a text", end=HALTED, damage=text_kernel, says=[r"KERNEL\.ELF.*ELF"])
    Stop("CMDLINE.TXT of 64 KiB", end="firstpage> ", damage=long_command_line,
         says=[r"CMDLINE\.TXT"])
    Case("CMDLINE.TXT with bytes over 127", damage=high_bytes, says=[
        r"^firstpage: warning: CMDLINE\.TXT: 2 characters .* by '\?'; the first is f6h at offset 8$"])
    Case("CMDLINE.TXT in UTF-16, with lines above and below", damage=utf16_command_line, status=3,
         says=[r"^firstpage: CMDLINE\.TXT: is UTF-16 and was read as that$", r"^safe mode \(option safe\)",
               r"the first is f6h at offset 36$", r"^Command line: safe quiet=gr\?\?e run=exit 3$",
               r"^CMDLINE\.TXT: only the first line counts, there is more below it$"])
    Stop("CMDLINE.TXT, its last command cut", end="firstpage> ", damage=cut_command,
         says=[r"^firstpage: warning: CMDLINE\.TXT: the line is longer than 4095 bytes; .*: exit 99$",
               r"^Command line: mem=64M run=page 1$", r"behind its last whole option or command; left out: exit 99$"])
    Stop("CMDLINE.TXT, its last option cut", end="firstpage> ", damage=cut_option,
         says=[r"^firstpage: .* left out: mem=256M$", r"^CMDLINE\.TXT: .* left out: mem=256M$",
               r"^Command line: (quiet ){681}a$",
               r"^Memory: \d+K/130\d+K"])
    Stop("CMDLINE.TXT missing", end="firstpage> ", damage=no_command_line,
         says=[r"CMDLINE\.TXT"])
    Case("FAT32", damage=fat32, selftest=True)
    for name, words in {"overlap": r"overlap: \[mem 0x0*400000-", "wrap": r"wrap: \[mem 0xf",
                        "empty-entries": r"zero length", "unknown": r"unknown type: \[mem 0x0*500000-",
                        "disabled": r"disabled: \[mem 0x0*4000000-"}.items():
        Case(f"map {name}", MAP=f"{maps}/{name}.map", MEM="128M", selftest=True, says=[words],
             CMDLINE="run=e820;free;selftest;exit 0")
    # memblock's array must grow while its RAM is added, and into RAM that is mapped already.
    Case("map many-high: 200 ranges of RAM above 4 GiB", MAP=f"{maps}/many-high.map", MEM="6G",
         CMDLINE="run=memblock;selftest;exit 0", selftest=True,
         says=[r"^ 201: 0x0000000163800000\.\.0x0000000163bfffff "])
    # A map of a larger machine, and one that calls the PCI hole, with ROM and devices in it, RAM.
    Case("map absent-end: RAM that is not there is left out", MAP=f"{maps}/absent-end.map",
         MEM="128M", selftest=True, CMDLINE="run=e820;memblock;selftest;exit 0",
         says=[absent("0000000008000000", "000000001fffffff"), r"^   1: 0x0*100000\.\.0x0*7ffffff ",
               r"^not there: \[mem 0x0*8000000-0x0*1fffffff\]$"])
    for cpu in ("max", "max,-clflush"):
        Case(f"map absent-hole: RAM that is not there is left out, cpu {cpu}", CPU=cpu,
             MAP=f"{maps}/absent-hole.map", MEM="1G", MACHINE="pc,max-ram-below-4g=512M",
             CMDLINE="run=memblock;selftest;exit 0",
             says=[r"^ok \d+ all_memory_and_back$",
                   absent("0000000020000000", "00000000ffffffff"),
                   absent("0000000120000000", "000000012fffffff"),
                   r"^   1: 0x0*100000\.\.0x0*1fffffff ",
                   r"^   2: 0x0*100000000\.\.0x0*11fffffff "])
    Stop("map without RAM", end=HALTED, MAP=f"{maps}/no-ram.map", MEM="128M", says=[r"no RAM"])
    Stop("map without a place for the kernel", end=HALTED, MAP=f"{maps}/no-place.map", MEM="128M",
         says=[r"KERNEL\.ELF: no RAM between"])
    Case("bochs: exit 3 is status 3", rc="c\n", CMDLINE="run=exit 3", status=3, limit=120)
    Case("bochs: every named place, in order", limit=180, CMDLINE="run=exit 0",
         rc="".join(f'lb "{name}"\n' for name in PLACES if name != "bp_kernel")
         + "c\nr\n" * len(PLACES),
         says=["(?s)" + ".*".join(rf"\({name}\+0\)" for name in PLACES)])


def define_firmware_cases():
    """Makes the cases of firmware faults, from the tables of tests/firmware.py."""
    line = {"CMDLINE": "run=e820;bios;exit 0"}
    for words, says in SURVIVED.items():
        Case(f"firmware {words}", FIRMWARE=words, says=says, same_map=True, sample=words in SAMPLE,
             **line)
    for words, says in ANOTHER_MAP.items():
        Case(f"firmware {words}", FIRMWARE=words, says=says, sample=words in SAMPLE, **line)
    for words, (says, end) in REFUSED.items():
        Stop(f"firmware {words}", FIRMWARE=words, says=[says], end=end, sample=words in SAMPLE,
             **line)
    Case("firmware low-kib=447: what lies above stays reserved", FIRMWARE="low-kib=447", selftest=True,
         CMDLINE="run=page 0x6e;page 0x70;selftest;exit 0", sample=False,
         says=[r"^pfn 0x6e .*: free$", r"^pfn 0x70 .*: reserved$"])
    for machine in ("pc", "q35"):
        Case(f"firmware {machine}, all at once", FIRMWARE=ALL_SURVIVED, same_map=True,
             MACHINE=machine, **line)
    for words in BOCHS_ALONE:
        Case(f"firmware bochs {words}", rc="", FIRMWARE=words, says=SURVIVED[words], same_map=True,
             sample=False, limit=120, BIOS="BIOS-bochs-latest", **line)
    for bios in ("BIOS-bochs-latest", "BIOS-bochs-legacy"):
        Case(f"firmware bochs {bios}, all at once", rc="", FIRMWARE=ALL_SURVIVED, same_map=True,
             sample=bios == "BIOS-bochs-latest", limit=120, BIOS=bios, **line)


PLACES = ("bp_bootsector", "bp_stage2", "bp_e820", "bp_protected", "bp_long", "bp_kernel",
          "bp_memblock", "bp_mem_map", "bp_buddy", "bp_cpus")

DEBUG_OPTIONS = ("page_poison=on", "page_owner=on", "debug_pagealloc=on")
# Changes a word between memtest's writing and reading back: when it empties the CPU caches the
# second time.
BAD_CELL = ("tbreak arch_flush_caches\ncontinue\nfinish\ntbreak arch_flush_caches\ncontinue\n"
            "set *(unsigned long *)0xffff888004000010 = 42\ndelete\ncontinue\n")
# Changes the last word of a frame between two rounds of stress.
CHANGED = ("break picture_print\ncontinue\n"
           "set *(unsigned long *)0xffff888004000ff8 = 42\ndelete\ncontinue\n")
MISUSES = {
    "double-free": ("is free", r"^frame (0x\w+): allocated by double_free\+0x.*\n"
                               r"frame \1: freed by double_free\+0x"),
    "free-reserved": ("is reserved", r"^frame 0x0: nobody has allocated it$"),
    "free-absent": ("is absent", r"misuse free-absent\nKernel panic"),
    "free-interior": ("is inside the allocation at 0x",
                      r"^frame 0x\w+: allocated by free_interior\+0x.* order 2,"),
    "wrong-order": ("was allocated as order 2",
                    r"^frame 0x\w+: allocated by wrong_order\+0x.* order 2,"),
}


def prove_failure(tap):
    """Runs boots that must not count as passed; the same code judges them."""
    liar = Case("", CMDLINE="run=exit 3")
    hang = Case("", CMDLINE="", limit=6)
    silent = Case("", CMDLINE="run=exit 0", selftest=True)
    panic = Case("", CMDLINE="run=panic;exit 0", says=["never printed by any boot"])
    other = Case("", CMDLINE="run=e820;exit 0", FIRMWARE="e820-missing", same_map=True)
    for case, name in ((liar, "another status"), (hang, "a guest that does not end"),
                       (silent, "no self-test where one was due"), (panic, "missing words"),
                       (other, "another memory map")):
        CASES.remove(case)
        complaint, output = case.run()
        tap.check(complaint, f"the harness sees {name}", output)


def check_firmware_tables(tap):
    """Checks that the tables of tests/firmware.py have a boot for each firmware fault."""
    listed = subprocess.run(["scripts/firmware", "--help"], stdout=subprocess.PIPE, text=True,
                            check=True).stdout
    names = {name.removesuffix("=N") for name in re.findall(r"^  ([a-z0-9-]+(?:=N)?) ", listed,
                                                            re.MULTILINE)}
    played = {word.split("=")[0] for words in (*SURVIVED, *ANOTHER_MAP, *REFUSED)
              for word in words.split()}
    tap.check(names and names == played, "each firmware fault is played", str(names ^ played))


def main():
    tap = Tap()
    words = [word for word in sys.argv[1:] if word != "--all"]
    os.makedirs(LOGS, exist_ok=True)
    define_cases()
    define_option_cases()
    define_firmware_cases()
    wanted = [case for case in CASES if case.sample or "--all" in sys.argv]
    run_cases(tap, [case for case in wanted + matrix_sample()
                    if all(word in case.name for word in words)])
    if not words:
        check_firmware_tables(tap)
        prove_failure(tap)
        prove_matrix_failure(tap)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
