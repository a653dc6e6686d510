#!/usr/bin/env -S python3 -B
"""Boots docs/example/kernel/, a kernel that lifts mm/ with contrib/'s parts, by this project's
loader: on machines of three sizes; compiled by clang; with a boot_info that it must refuse; and with
mm/ as one file. TAP."""
import os
import re
import shutil
import sys
import tempfile

import example
import guest
from tap import Tap

FOLDER = "docs/example/kernel"
LINES = 100  # the kernel has fewer lines of its own
LIMIT = 120  # seconds for a build and a boot
SIZES = {"128M": 128 << 20, "4G": 4 << 30, "64G": 64 << 30}

# What the case is called; a file, a text in it, and the text that stands there in another build of
# the kernel; what that kernel says when it is booted.
REFUSALS = [
    ("another magic number", "include/boot_info.h", "BOOT_INFO_MAGIC        0x65",
     "BOOT_INFO_MAGIC        0x66",
     r"boot_info: its first word is 0x6567617074737266, not the magic number: panic"),
    ("another version", "include/boot_info.h", "BOOT_INFO_VERSION      ",
     "BOOT_INFO_VERSION      1",
     r"boot_info: version (\d+), (\d+) bytes; this kernel knows version 1\1, \2 bytes: panic"),
    ("another CRC", "lib/crc32.c", "0xedb88320", "0xedb88321",
     r"boot_info: it is damaged, its CRC is not 0x[0-9a-f]+: panic")]

# Flags for mm/ as one file. contrib/ includes its header by the names of mm/'s headers, or directly.
ONE_FILE = [("without a prefix", ""),
            ("with a prefix", " -DFP_PREFIX=fp_ -DFP_LINUX_NAMES -DMM_HEADER='\"mm/firstpage_mm.h\"'")]


def boot(out, *variables, **env):
    """Builds the kernel in the folder out and boots it, as make -C does from a shell. Returns (status,
    the lines printed). Uses the loader's image that make has built already."""
    image = os.path.abspath(os.path.join(os.environ.get("B", "build"), "disk.img"))
    status, text = guest.run(["make", "-C", FOLDER, "-o", "image", f"IMAGE={image}",
                              f"OUT={out}", *variables, "run"], LIMIT, MAKELEVEL="0", MAKEFLAGS="", **env)
    return status, text.splitlines() or [""]


def own_lines():
    """Returns how many lines the kernel has without its Makefile and linker script."""
    count = 0
    for name in os.listdir(FOLDER):
        if name != "Makefile" and not name.endswith(".ld"):
            with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
                count += len(file.readlines())
    return count


def is_mostly_free(lines, size):
    """Returns whether the last line says that more than 98 % of size bytes are free."""
    free = re.fullmatch(r"(\d+) pages are free", lines[-1])
    return free and 0.98 * size < int(free[1]) * 4096 < size


def check_boot(tap, what, out, mem, *variables):
    """Checks a boot with so much memory."""
    status, lines = boot(out, *variables, MEM=mem)
    tap.check(status == 0, f"{what}: it ends with status 0", "\n".join(lines))
    tap.check(is_mostly_free(lines, SIZES[mem]),
              f"{what}: its last line says how many pages are free", "\n".join(lines))
    tap.check("64 KiB of the loader's are free now" in lines,
              f"{what}: the loader's memory comes back", "\n".join(lines))


def link_tree(tree, folder):
    """Makes a tree in which each entry of the project is a link, except for this folder of it."""
    os.mkdir(tree)
    for entry in os.listdir("."):
        if entry not in (folder, "build", ".git"):
            os.symlink(os.path.abspath(entry), os.path.join(tree, entry))


def copy_tree(tree, name, old, new):
    """Makes a tree of the project in which the file called name has the text new in place of old. All
    folders but that of the file are links. Returns whether the file had the text."""
    folder = os.path.dirname(name)
    link_tree(tree, folder)
    shutil.copytree(folder, os.path.join(tree, folder))
    with open(name, encoding="utf-8") as file:
        text = file.read()
    with open(os.path.join(tree, name), "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))
    return old in text


def check_refusal(tap, out, where, refusal):
    """Checks that a kernel of a changed tree refuses boot_info. Only the two files whose code the
    change can affect are compiled again; all other objects are copied from out."""
    what, name, old, new, wanted = refusal
    tree, changed = os.path.join(where, "tree"), os.path.join(where, "out")
    found = copy_tree(tree, name, old, new)
    shutil.copytree(out, changed)
    for compiled in (f"{FOLDER}/main.o", "lib/crc32.o"):
        os.remove(os.path.join(changed, compiled))
    status, lines = boot(changed, f"TOP={tree}", MEM="128M")
    said = any(re.fullmatch(wanted, line) for line in lines)
    tap.check(found and said and status == 2,  # make's: the run has failed
              f"{what}: it refuses boot_info in words", "\n".join(lines))


def check_one_file(tap, where):
    """Boots the kernel with mm/ as the one file of `make dist`, with and without a prefix. In place of
    each header of mm/ there is one that includes firstpage_mm.h."""
    tree = os.path.join(where, "tree")
    link_tree(tree, "mm")
    made = example.run("make", "dist", f"B={where}")
    shutil.copytree(os.path.join(where, "dist"), os.path.join(tree, "mm"))
    for name in filter(lambda name: name.endswith(".h"), os.listdir("mm")):
        with open(os.path.join(tree, "mm", name), "w", encoding="utf-8") as file:
            file.write('#include "mm/firstpage_mm.h"\n')
    for what, flags in ONE_FILE:
        changed = os.path.join(where, what.replace(" ", "-"))
        status, lines = boot(changed, f"TOP={tree}", "MM=firstpage_mm", f"CC=gcc{flags}", MEM="1G")
        tap.check(status == 0 and is_mostly_free(lines, 1 << 30), f"one file {what}: it boots",
                  made.stdout + "\n".join(lines))


def main():
    tap = Tap()
    tap.check(own_lines() < LINES, f"it has fewer than {LINES} lines of its own", own_lines())
    with tempfile.TemporaryDirectory(prefix="example-kernel.",
                                     dir=os.environ.get("B", "build")) as directory:
        directory = os.path.abspath(directory)
        out = os.path.join(directory, "out")
        for mem in SIZES:
            check_boot(tap, mem, out, mem)
        check_boot(tap, "clang", os.path.join(directory, "clang"), "128M", "CC=clang")
        for number, refusal in enumerate(REFUSALS):
            where = os.path.join(directory, str(number))
            os.mkdir(where)
            check_refusal(tap, out, where, refusal)
        where = os.path.join(directory, "one-file")
        os.mkdir(where)
        check_one_file(tap, where)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
