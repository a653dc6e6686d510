#!/usr/bin/env -S python3 -B
"""docs/example/ is built for other processors and gives the same output under qemu-user. TAP."""
import os
import sys
import tempfile

import example
from tap import Tap

# The processor, and the functions of gcc's library that mm/ may call there: riscv64 counts zeros by
# an instruction only with its extension Zbb.
PORTS = [("riscv64", {"__clzdi2", "__ctzdi2"}),
         ("aarch64", set())]

# A definition that is refused, the file that refuses it, and a part of what its assertion says.
REFUSED = [("MM_PAGE_SHIFT=16", "mm/zone.c", "16 MiB of zone DMA are whole blocks"),
           ("MM_PAGE_SHIFT=16", "mm/mem_map.c", "descriptors of a block are whole pages"),
           ("MM_PAGE_SHIFT=14", "mm/mem_map.c", "descriptors of a block are whole pages"),
           ("MM_MAX_PFN=0xfffff", "mm/zone.c", "MM_MAX_PFN is not below 4 GiB"),
           ("MM_MAX_PFN=0x100200", "mm/mem_map.c", "MM_MAX_PFN is a multiple of 512 blocks"),
           ("PAGE_SIZE=8192", "mm/zone.c", "a kernel's PAGE_SIZE is 2^MM_PAGE_SHIFT"),
           ("MM_STATIC_CPUS=2", "mm/cache.c", "the CPUs with static memory are some of all"),
           ("MM_STATIC_CPUS=MAX_NR_ZONES", "mm/cache.c", "MM_STATIC_CPUS must be a number"),
           ("PAGE_SIZE=4096", "mm/zone.c", "PAGE_SIZE is an unsigned long"),
           ("MM_CPU_SPACE=__seg_gs", "mm/zone.c", "MM_STATIC_CPUS must be 0"),
           ("MM_IRQ_SAVE()=0", "mm/zone.c", "only a part of what belongs together")]

# Processors for which mm/ is refused: a compiler's command, and what the assertion says.
NOT_FOR = [(("gcc", "-m32", "-mgeneral-regs-only"), "mm/ needs 64 bits"),
           (("gcc", "-mx32", "-mgeneral-regs-only"), "mm/ needs 64 bits"),
           (("aarch64-linux-gnu-gcc", "-mbig-endian"), "mm/ needs little-endian")]


def check_port(tap, out, processor, library):
    cross = f"{processor}-linux-gnu-"
    built = example.build(out, f"CC={cross}gcc", f"RUN=qemu-{processor} -L /usr/{cross[:-1]}")
    tap.check(built.returncode == 0, f"{processor}: it builds without a warning and runs",
              built.stdout)
    tap.check(example.shown() in built.stdout, f"{processor}: it prints what docs/lift.md shows",
              built.stdout)
    wanted = example.needs(out, cross) - example.C_LIBRARY
    extra = wanted - example.supplies()[0] - library
    tap.check(wanted and not extra, f"{processor}: mm/ needs nothing that port.c has not",
              sorted(extra))


def main():
    tap = Tap()
    # One folder, as for somebody who tries one after the other.
    with tempfile.TemporaryDirectory(prefix="ports.", dir=os.environ.get("B", "build")) as out:
        for processor, library in PORTS:
            check_port(tap, os.path.abspath(out), processor, library)
    for definition, name, words in REFUSED:
        tried = example.run("aarch64-linux-gnu-gcc", "-std=gnu11", "-fsyntax-only", "-I.",
                            f"-D{definition}", name)
        tap.check(tried.returncode and words in tried.stdout, f"{name} refuses {definition}",
                  tried.stdout)
    for compiler, words in NOT_FOR:
        tried = example.run(*compiler, "-std=gnu11", "-ffreestanding", "-fsyntax-only", "-I.", "mm/page_alloc.c")
        tap.check(tried.returncode and words in tried.stdout, f"{' '.join(compiler)}: {words}", tried.stdout)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
