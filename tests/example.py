#!/usr/bin/env -S python3 -B
"""Builds docs/example/ as a kernel of its own would build mm/, and runs it. TAP."""
import glob
import os
import re
import subprocess
import sys
import tempfile

from tap import Tap

EXAMPLE = "docs/example"
PORT_LINES = 60
C_LIBRARY = {"memset", "memcpy", "memmove", "_GLOBAL_OFFSET_TABLE_"}

KERNEL = ("-std=c11", "-ffreestanding", "-O2", "-mgeneral-regs-only", "-mno-red-zone", "-Wall", "-Wextra",
          "-Werror", "-I.")
# The C in a page that is no file's: what stands before it and behind it in a kernel.
IN_PAGES = {
    "docs/lift.md": ('#include "mm/debug.h"\n', ""),
    "mm/README.md": ("""#include "mm/debug.h"
#include "mm/zone.h"
void *start(phys_addr_t base, phys_addr_t size, uint64_t seed)
{
	struct page *page;
""", "return page; }\n"),
    "contrib/README.md": ("""#include "contrib/page_tables.h"
#include "contrib/ranges.h"
#include "mm/port.h"
struct limine_memmap_entry { uint64_t base, length, type; };
extern struct { uint64_t entry_count; struct limine_memmap_entry **entries; } *memmap;
extern struct { uint64_t offset; } *hhdm;
extern struct { uint64_t physical_base, virtual_base; } *executable;
void start(uint64_t image_size, bool pages_1g, uint64_t seed)
{
""", "}\n")}


def run(*argv):
    """Runs argv. Returns the finished process, its output as text."""
    return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


def build(out, *variables):
    """Builds the example in the folder out and runs it. Returns the finished make."""
    return run("make", "-C", EXAMPLE, f"B={out}", *variables, "run")


def needs(out, cross=""):
    """Links all objects of mm/ that build() left in out into one, with the tools whose names begin
    with cross. Returns the symbols that it leaves undefined."""
    machine = cross.partition("-")[0] or os.uname().machine
    objects = glob.glob(os.path.join(out, "example", machine, "*.o"))
    whole = os.path.join(out, "mm.o")
    run(cross + "ld", "-r", "-o", whole, *objects)
    return {line.split()[-1] for line in run(cross + "nm", "-u", whole).stdout.splitlines()}


def supplies():
    """Returns (the functions that the example's port.c defines, its number of lines)."""
    with open(os.path.join(EXAMPLE, "port.c"), encoding="utf-8") as file:
        text = file.read()
    return set(re.findall(r"^[a-z][\w ]*[ *](\w+)\(", text, re.MULTILINE)), text.count("\n")


def compile_page(page, out):
    """Compiles the C in a page. Returns (the number of blocks, what the compiler says)."""
    with open(page, encoding="utf-8") as file:
        blocks = re.findall(r"^ *```c\n(.*?)```", file.read(), re.DOTALL | re.MULTILINE)
    before, behind = IN_PAGES[page]
    source = os.path.join(out, "page.c")
    with open(source, "w", encoding="utf-8") as file:
        file.write(before + "".join(blocks) + behind)
    return len(blocks), run("gcc", *KERNEL, "-c", source, "-o", os.path.join(out, "page.o")).stdout


def shown():
    """Returns what docs/lift.md says that the example prints."""
    with open("docs/lift.md", encoding="utf-8") as file:
        return re.search(r"## What it prints\n\n```\n(.*?)```", file.read(), re.DOTALL)[1]


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="example.", dir=os.environ.get("B", "build")) as out:
        out = os.path.abspath(out)
        built = build(out)
        tap.check(built.returncode == 0, "the example builds without a warning and runs", built.stdout)
        tap.check(len(re.findall(r"^free \[mem ", built.stdout, re.MULTILINE)) == 6
                  and re.search(r"^pfn 0x1000, order 9, ", built.stdout, re.MULTILINE),
                  "it allocates pages, and shows free memory before and after", built.stdout)
        ranges = re.findall(r"^free .*", built.stdout, re.MULTILINE)
        tap.check(ranges[:3] == ranges[3:], "all that was freed is free again", built.stdout)
        tap.check(shown() and shown() in built.stdout, "docs/lift.md shows what it prints", built.stdout)
        wanted = needs(out) - C_LIBRARY
        given, lines = supplies()
        tap.check(wanted and wanted <= given, "port.c supplies all that mm/ needs",
                  sorted(wanted - given))
        unused = given - wanted - {"map", "ram_init"}
        tap.check(not unused, "port.c supplies nothing else", sorted(unused))
        tap.check(lines <= PORT_LINES, f"port.c has at most {PORT_LINES} lines", lines)
        for page in IN_PAGES:
            nr, said = compile_page(page, out)
            tap.check(nr == 1 and not said, f"the C in {page} compiles", said)
    with open("contrib/printf.h", encoding="utf-8") as file:
        conversions = re.search(r"^ \*   (%s .*)$", file.read(), re.MULTILINE)[1]
    with open("docs/lift.md", encoding="utf-8") as file:
        tap.check(f"`{conversions}`" in file.read(),
                  "docs/lift.md has the conversions that mm/ prints", conversions)
    with open("mm/README.md", encoding="utf-8") as file:
        told = set(re.findall(r"`(\w+)", file.read()))
    tap.check(wanted <= told, "mm/README.md names all that mm/ needs", sorted(wanted - told))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
