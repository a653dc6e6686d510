#!/usr/bin/env -S python3 -B
"""Makes firstpage_mm.c and its header (make dist), compiles them and contrib/ by each compiler that is
installed and in each standard, and runs docs/example/ and test_port with them in place of the folder mm/.
TAP."""
import glob
import importlib.machinery
import importlib.util
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile

import example
import ports
from tap import Tap

STANDARDS = ("c11", "c17", "c2x")
CXX_STANDARDS = ("c++11", "c++14", "c++17", "c++20", "c++2b")
WARNINGS = ("-Wall", "-Wextra", "-Wwrite-strings", "-Wconversion", "-Wshadow", "-Werror")
KERNEL = ("-pedantic", "-ffreestanding", "-O2", "-mgeneral-regs-only", "-mno-red-zone")
PREFIX = "-DFP_PREFIX=fp_"
KERNEL_CONFIG = '-DMM_PORT_CONFIG="arch/x86_64/port_config.h"'
CPU_SPACE = ("-DMM_CPU_SPACE=__seg_gs", "-DMM_STATIC_CPUS=0")
# With and without the prefix, with and without hot-plug.
WAYS = tuple(itertools.product((False, True), (False, True)))
# contrib/ and the kernel that uses it. contrib/page_list.c needs frame numbers of 32 bits.
CONTRIB = (*sorted(glob.glob("contrib/*.c")), "docs/example/kernel/main.c")
MAX_PFN = "-DMM_MAX_PFN=((pfn_t)1<<32)"

# What the C file needs of the kernel, and may be a call of the compiler's own.
C_LIBRARY = example.C_LIBRARY


def flags(prefix, hotplug):
    return ([PREFIX] if prefix else []) + (["-DMM_HOTPLUG"] if hotplug else [])


def say(prefix, hotplug):
    return f"{'a' if prefix else 'no'} prefix, {'' if hotplug else 'no '}hot-plug"


def on(processor):
    return f", {processor}" if processor else ""


def compilers():
    """Yields (name, the compiler of C++ of the same version or None) for each gcc and clang that is
    there; a version once."""
    seen = set()
    there = {os.path.basename(path) for folder in os.get_exec_path() for path in glob.glob(f"{folder}/*")}
    for name in sorted(name for name in there if re.fullmatch(r"(gcc|clang)(-\d+)?", name)):
        version = example.run(name, "-dumpfullversion" if name[0] == "g" else "-dumpversion").stdout
        if (name[0], version) in seen:
            continue
        seen.add((name[0], version))
        cxx = name.replace("gcc", "g++").replace("clang", "clang++")
        yield name, cxx if shutil.which(cxx) else None


def symbols(path, option):
    """Returns the names that nm lists with option."""
    return {line.split()[-1] for line in example.run("nm", option, path).stdout.splitlines()}


class Dist:
    """The files that `make dist` has made, in a folder of their own."""

    def __init__(self, out):
        self.out = out
        self.folder = os.path.join(out, "dist")
        self.source = os.path.join(self.folder, "firstpage_mm.c")
        self.header = os.path.join(self.folder, "firstpage_mm.h")
        self.made = example.run("make", "dist", f"B={out}")
        # In place of mm/'s headers, for files that include these.
        self.stubs = os.path.join(out, "stubs")
        os.makedirs(os.path.join(self.stubs, "mm"))
        for name in filter(lambda name: name.endswith(".h"), os.listdir("mm")):
            with open(os.path.join(self.stubs, "mm", name), "w", encoding="utf-8") as file:
                file.write('#include "firstpage_mm.h"\n')

    def compile(self, compiler, *arguments):
        """Runs compiler; the folder's header is found, and in place of mm/'s. Returns the process."""
        return example.run(compiler, *WARNINGS, f"-I{self.stubs}", f"-I{self.folder}", "-I.", *arguments)

    def run(self, name, *arguments, processor=None):
        """Compiles a program and runs it, for another processor if one is named. Returns the process
        that ran, or the compiler's."""
        program = os.path.join(self.out, name)
        cross = f"{processor}-linux-gnu" if processor else ""
        built = self.compile(f"{cross}-gcc" if cross else "gcc", "-O2", *arguments, "-o", program)
        by = (f"qemu-{processor}", "-L", f"/usr/{cross}") if cross else ()
        return example.run(*by, program) if built.returncode == 0 else built


def check_files(tap, dist):
    tap.check(dist.made.returncode == 0 and sorted(os.listdir(dist.folder))
              == ["LICENSE", "firstpage_mm.c", "firstpage_mm.h"], "make dist writes three files",
              dist.made.stdout)
    for path in (dist.source, dist.header):
        with open(path, encoding="utf-8") as file:
            tap.check(file.readline() == "/* SPDX-License-Identifier: MIT */\n",
                      f"{os.path.basename(path)} says its licence")
    version = dist.compile("gcc", "-E", "-dM", dist.header).stdout
    tap.check(re.search(r"^#define FP_VERSION \d+$", version, re.MULTILINE), "the header has a version")


def check_statics(tap, dist):
    """Two sources with a static object of the same name are refused: C would make one of the two."""
    made = []
    for number in (1, 2):
        made.append(os.path.join(dist.out, f"source{number}.c"))
        with open(made[-1], "w", encoding="utf-8") as file:
            file.write('/* SPDX-License-Identifier: MIT */\nstatic unsigned long nr_found[2];\n')
    ran = example.run("scripts/dist", os.path.join(dist.out, "refused"), *made)
    tap.check(ran.returncode == 1 and f"nr_found is static in {made[0]} and in {made[1]}" in ran.stdout,
              "a static object of two sources is refused", ran.stdout)


def check_parameters(tap):
    """A macro's parameter may have the name of something public, which is not renamed there."""
    loader = importlib.machinery.SourceFileLoader("scripts_dist", "scripts/dist")
    script = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(script)
    made = script.renamed("next", "(page)", " (GAP + order((page)->zone))", {"page", "order"}, {"GAP": None})
    tap.check(made == "#define fp_next(page) (fp_GAP + FP_NAME(order)((page)->zone))\n",
              "a macro's parameter is not renamed", made)


def check_own_names(tap, dist):
    """The configuration may declare what mm/ has for itself, as something else, and may have macros
    for attributes by the attributes' names."""
    names = ("ready", "online", "remote", "grow", "find_free", "take", "no_zone", "cache_shut")
    attributes = ("unused", "noreturn", "noinline", "cold", "weak", "format", "fallthrough")
    with open(os.path.join(dist.out, "own_names.h"), "w", encoding="utf-8") as file:
        file.write("".join(f"struct kernel_{name};\nextern struct kernel_{name} {name};\n" for name in names))
        file.write("".join(f"#define {name} __attribute__((__{name}__))\n" for name in attributes))
        file.write("#define aligned(n) __attribute__((__aligned__(n)))\n")
    for prefix in (False, True):
        said = dist.compile("gcc", "-std=c11", *KERNEL, f"-I{dist.out}", '-DMM_PORT_CONFIG="own_names.h"',
                            *flags(prefix, True), "-fsyntax-only", dist.source).stdout
        tap.check(not said, f"a kernel has names of mm/'s own, and of attributes: {say(prefix, True)}", said)
        # An array of a negative size shows that the definition is the one that counts.
        said = dist.compile("gcc", *KERNEL, "-DINIT_MEMBLOCK_RESERVED_REGIONS=-1", *flags(prefix, False),
                            "-fsyntax-only", dist.source).stdout
        tap.check("reserved_regions" in said,
                  f"a kernel says how many regions memblock has room for: {say(prefix, False)}", said)


def check_compiler(tap, dist, compiler, cxx):
    """All standards and ways by one compiler; objects of the first standard stay in the folder."""
    for prefix, hotplug in WAYS:
        said = ""
        for standard in STANDARDS:
            to = ("-c", "-o", os.path.join(dist.out, f"{compiler}-{prefix}-{hotplug}.o"))
            said += dist.compile(compiler, f"-std={standard}", *KERNEL, *flags(prefix, hotplug),
                                 *(to if standard == STANDARDS[0] else ("-fsyntax-only",)),
                                 dist.source).stdout
        tap.check(not said, f"{compiler}, {', '.join(STANDARDS)}: {say(prefix, hotplug)}", said)
    for prefix in (False, True) if cxx else ():
        said = ""
        for standard in CXX_STANDARDS:
            said += dist.compile(cxx, f"-std={standard}", *KERNEL, "-fsyntax-only",
                                 *((PREFIX, "-DFP_LINUX_NAMES") if prefix else CPU_SPACE),
                                 "tests/public_headers.cpp").stdout
        tap.check(not said, f"{cxx}, {', '.join(CXX_STANDARDS)}: "
                  + ("a prefix" if prefix else "MM_CPU_SPACE is ignored"), said)


def check_contrib(tap, dist, compiler, cxx):
    """contrib/ is compiled with mm/'s folder and with the one file with a prefix, each also for a kernel
    whose panic() is a macro; in all standards, and its headers in C++."""
    config = os.path.join(dist.out, "panic_config.h")
    with open(config, "w", encoding="utf-8") as file:
        file.write("_Noreturn void stop(const char *fmt, ...);\n#define panic(...) stop(__VA_ARGS__)\n"
                   "#define MM_PANIC(...) panic(__VA_ARGS__)\n")
    macro = f'-DMM_PORT_CONFIG="{config}"'
    one_file = (f"-I{dist.stubs}", f"-I{dist.folder}", "-I.", PREFIX, "-DFP_LINUX_NAMES",
                '-DMM_HEADER="firstpage_mm.h"')
    for what, include in (("the folder", ("-I.",)), ("one file", one_file),
                          ("the folder, panic() as a macro", ("-I.", macro)),
                          ("one file, panic() as a macro", (*one_file, macro))):
        command = (compiler, *WARNINGS, *KERNEL, MAX_PFN, *include)
        said = "".join(example.run(*command, f"-std={standard}", "-fsyntax-only", *CONTRIB).stdout
                       for standard in STANDARDS)
        # Some warnings come only with code.
        said += "".join(example.run(*command, "-c", path, "-o", os.path.join(dist.out, "contrib.o")).stdout
                        for path in CONTRIB)
        tap.check(not said, f"{compiler}, {', '.join(STANDARDS)}: contrib/, {what}", said)
    headers = os.path.join(dist.out, "contrib.cpp")
    with open(headers, "w", encoding="utf-8") as file:
        file.write('extern "C" {\n' + "".join(f'#include "{path[:-1]}h"\n' for path in CONTRIB[:-1]) + "}\n")
    if cxx:
        said = "".join(example.run(cxx, *WARNINGS, *KERNEL, MAX_PFN, "-I.", f"-std={standard}",
                                   "-fsyntax-only", headers).stdout for standard in CXX_STANDARDS)
        tap.check(not said, f"{cxx}, {', '.join(CXX_STANDARDS)}: contrib/'s headers", said)


def check_symbols(tap, dist, compiler):
    """Only public names are external, and with a prefix none is without."""
    with open(dist.header, encoding="utf-8") as file:
        words = set(re.findall(r"\w+", re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)))
    built = os.path.join(dist.out, f"{compiler}-False-True.o")
    own = {name for name in symbols(built, "--defined-only") - symbols(built, "-g") if "." not in name}
    other = sorted(name for name in own if not name.startswith("mm_"))
    tap.check(own and not other, f"{compiler}: what is mm/'s own has the prefix mm_", other)
    for hotplug in (False, True):
        plain, prefixed = (os.path.join(dist.out, f"{compiler}-{prefix}-{hotplug}.o")
                           for prefix in (False, True))
        defined, needed = symbols(plain, "--defined-only"), symbols(plain, "-u") - C_LIBRARY
        external = {line.split()[-1] for line in
                    example.run("nm", "-g", "--defined-only", plain).stdout.splitlines()}
        tap.check({"alloc_pages", "memblock_add", "mm_check"} <= external
                  and "buddy_put" not in external and external <= defined,
                  f"{compiler}: what is mm/'s own is static, {say(False, hotplug)}", external)
        tap.check(external | needed <= words, f"{compiler}: the header has each name of the linker's",
                  sorted((external | needed) - words))
        found = symbols(prefixed, "-g") - C_LIBRARY
        tap.check(found == {"fp_" + name for name in external | needed},
                  f"{compiler}: each of them has the prefix, {say(True, hotplug)}",
                  sorted(found ^ {"fp_" + name for name in external | needed}))
    # The kernel's configuration: cpu_table and cpu_home are symbols of its own. They need GNU C.
    built = os.path.join(dist.out, "kernel.o")
    said = dist.compile(compiler, "-std=gnu11", *KERNEL, KERNEL_CONFIG, *flags(True, True), "-c", "-o",
                        built, dist.source).stdout
    found = symbols(built, "-g") - C_LIBRARY
    tap.check(not said and {"fp_cpu_table", "fp_cpu_home"} <= found
              and all(name.startswith("fp_") for name in found),
              f"{compiler}: the kernel's configuration, {say(True, True)}", said or sorted(found))


def check_costs(tap, dist):
    """The sizes in KiB that docs/lift.md tells are about those that gcc makes."""
    with open("docs/lift.md", encoding="utf-8") as file:
        rows = re.findall(r"^\| with(out)? `MM_HOTPLUG` ((?:\| [\d,]+ )+)\|$", file.read(), re.MULTILINE)
    tap.check([row[0] for row in rows] == ["out", ""], "docs/lift.md tells sizes of both ways", rows)
    built = os.path.join(dist.out, "size.o")
    for without, told in rows:
        told = [int(number) for number in re.findall(r"\d+", told.replace(",", ""))]
        made = []
        for option, cpus, data in (("-O2", 1, 0), ("-Os", 1, 0), ("-O2", 1, 1), ("-O2", 64, 1)):
            dist.compile("gcc", *KERNEL, option, f"-DMM_MAX_CPUS={cpus}", *flags(False, not without), "-c",
                         dist.source, "-o", built)
            size = [int(n) for n in example.run("size", built).stdout.splitlines()[1].split()[:3]]
            made.append((size[1] + size[2] if data else size[0]) / 1024)
        tap.check(len(told) == 4 and all(0.8 * said < is_now < 1.1 * said for said, is_now in zip(told, made)),
                  f"sizes are about those in docs/lift.md: {say(False, not without)}", f"{made}, not {told}")


def check_runs(tap, dist):
    """The example, on each processor that tests/ports.py knows, and test_port, with and without
    prefix; and a kernel with names of its own."""
    port = '-DMM_PORT_CONFIG="docs/example/port_config.h"'
    for prefix in (False, True):
        names = (*flags(prefix, False), "-DFP_LINUX_NAMES")
        for processor in (None, *(name for name, _ in ports.PORTS)):
            ran = dist.run(f"example-{prefix}", port, *names, "docs/example/example.c",
                           "docs/example/port.c", dist.source, processor=processor)
            tap.check(ran.returncode == 0 and example.shown() in ran.stdout,
                      f"the example prints what docs/lift.md shows{on(processor)}: {say(prefix, False)}",
                      ran.stdout)
        for plain in ((), ("-DTEST_PORT_PLAIN",)):
            ran = dist.run(f"test_port-{prefix}", '-DMM_PORT_CONFIG="tests/host/port_all.h"',
                           *plain, *names, "-D_GNU_SOURCE", "-O1", "-fsanitize=address,undefined",
                           "tests/host/test_port.c", dist.source, "-lcmocka")
            tap.check(ran.returncode == 0 and "\nok 9 - " in ran.stdout,
                      f"test_port{' (plain)' if plain else ''} passes: {say(prefix, False)}", ran.stdout)
    object_file = os.path.join(dist.out, "port.o")
    dist.compile("gcc", "-O2", port, PREFIX, "-DFP_LINUX_NAMES", "-c", "docs/example/port.c", "-o",
                 object_file)
    ran = dist.run("names", port, PREFIX, "tests/dist_names.c", dist.source, object_file)
    tap.check(ran.returncode == 0 and re.fullmatch(r"\d+ pages are free\n", ran.stdout),
              "with a prefix, a kernel's own names mean what they meant", ran.stdout)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="dist.", dir=os.environ.get("B", "build")) as out:
        dist = Dist(os.path.abspath(out))
        check_files(tap, dist)
        check_statics(tap, dist)
        check_parameters(tap)
        check_own_names(tap, dist)
        for compiler, cxx in compilers():
            check_compiler(tap, dist, compiler, cxx)
            check_contrib(tap, dist, compiler, cxx)
        check_symbols(tap, dist, "gcc")
        check_costs(tap, dist)
        check_runs(tap, dist)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
