"""Reads the guest's memory by the names and types in the DWARF of the ELF files.

No offset is written down here. No function of the guest is ever called, so that everything works
after a crash too.
"""
import functools
import os
import re
import subprocess

import gdb

WORD = 8


def objfile(stage):
    """Returns gdb's object file of stage: kernel, stage2 or bootsector."""
    for candidate in gdb.objfiles():
        if os.path.basename(candidate.filename) == stage + ".elf":
            return candidate
    raise gdb.GdbError(f"the symbols of {stage}.elf are not loaded: scripts/debug loads them")


def elf_file(stage):
    """Returns the path of the ELF file of stage. scripts/debug gives gdb a copy of stage2's that has
    the code alone: place.py says why."""
    return os.path.join(os.environ.get("B") or "build", stage + ".elf")


@functools.cache
def labels(stage):
    """Returns {name: address} of every symbol of stage, with the local labels of nasm."""
    listed = subprocess.run(["nm", elf_file(stage)], stdout=subprocess.PIPE, text=True,
                            check=True).stdout
    return {name: int(address, 16)
            for address, name in re.findall(r"^([0-9a-f]+) . (\S+)$", listed, re.MULTILINE)}


@functools.cache
def macros():
    """Returns {name: text} of the preprocessor's names as mm/zone.c has them; -g3 leaves them in
    the DWARF."""
    return dict(re.findall(r"^#define (\w+) (.+)$",
                           gdb.execute("info macros zones_init", to_string=True), re.MULTILINE))


@functools.cache
def constant(name):
    """Returns the value of name, a macro or a constant of the kernel."""
    text, expanded = None, name
    while text != expanded:
        text = expanded
        expanded = re.sub(r"\b[A-Za-z_]\w*",
                          lambda m: f"({macros()[m[0]]})" if m[0] in macros() else m[0], text)
    return int(gdb.parse_and_eval(text))


@functools.cache
def lookup_type(name):
    """Returns gdb's type of that name."""
    return gdb.lookup_type(name)


def offset(type_, name):
    """Returns the offset in bytes of the field name in type_, through unnamed unions and structs,
    or None."""
    for field in type_.strip_typedefs().fields():
        if field.name == name:
            return field.bitpos // 8
        if not field.name and (inner := offset(field.type, name)) is not None:
            return field.bitpos // 8 + inner
    return None


def register(name):
    """Returns the value of a register."""
    return int(gdb.selected_frame().read_register(name).cast(lookup_type("uint64_t")))


def paging():
    """Returns whether paging is on."""
    return bool(register("cr0") & 1 << 31)


def long_mode():
    """Returns whether the processor is in long mode."""
    return bool(register("efer") & 1 << 10)


def read(address, size):
    """Returns size bytes at a virtual address."""
    return bytes(gdb.selected_inferior().read_memory(address, size))


def words(address, count):
    """Returns count words of 64 bits at a virtual address."""
    data = read(address, count * WORD)
    return [int.from_bytes(data[i:i + WORD], "little") for i in range(0, len(data), WORD)]


def value_at(address, type_):
    """Returns the object of type_ at address, read at once."""
    return gdb.Value(read(address, type_.sizeof), type_)


def read_physical(address, size):
    """Returns size bytes at a physical address. QEMU's gdbstub reads physical memory in a mode of
    its own, which is left again in any case."""
    connection = gdb.selected_inferior().connection
    if connection.send_packet("Qqemu.PhyMemMode:1") != b"OK":
        raise gdb.GdbError("this target does not read physical memory: it is not QEMU's")
    try:
        return read(address, size)
    finally:
        connection.send_packet("Qqemu.PhyMemMode:0")


def kernel_symbol(name):
    """Returns the kernel's variable name, which is not read yet. Other stages have variables of
    the same name."""
    if not paging() or not long_mode():
        raise gdb.GdbError("the kernel is not there yet: continue to bp_kernel")
    kernel = objfile("kernel")
    symbol = kernel.lookup_global_symbol(name) or kernel.lookup_static_symbol(name)
    if symbol is None:
        raise gdb.GdbError(f"kernel.elf has no variable {name}")
    return symbol.value()


def kernel_value(name):
    """Returns the value of the kernel's variable name."""
    value = kernel_symbol(name)
    return value_at(int(value.address), value.type)


def static_value(file, name):
    """Returns the value of the static variable name of file, a source file of the kernel."""
    value = gdb.parse_and_eval(f"'{file}'::{name}")
    return value_at(int(value.address), value.type)


def boot_info():
    """Returns boot_info as the kernel has copied it, or as stage2 keeps it, or None before that."""
    type_ = lookup_type("struct boot_info")
    places = [labels("stage2")["stage2_boot_info"]]
    if paging():
        places.insert(0, int(kernel_symbol("boot_info").address))
    for place in places:
        try:
            info = value_at(place, type_)
        except gdb.MemoryError:
            continue
        if int(info["size"]) == type_.sizeof and int(info["e820_count"]):
            return info
    return None


def e820_map():
    """Returns the corrected map, that of the kernel or the one that stage2 works with, or None
    before both."""
    type_ = lookup_type("struct e820_map")
    limit = type_["ranges"].type.range()[1]
    places = [labels("stage2")["memory_map"]] if boot_info() else []
    if paging():
        places.insert(0, int(kernel_symbol("e820_map").address))
    for place in places:
        try:
            table = value_at(place, type_)
        except gdb.MemoryError:
            continue
        if 0 < int(table["nr_ranges"]) <= limit + 1:
            return table
    return None


def memblock_ranges(name):
    """Returns [(base, size, flags, nid)] of memblock.memory or memblock.reserved, as name says."""
    kind = kernel_value("memblock")[name]
    region = lookup_type("struct memblock_region")
    count = int(kind["cnt"])
    if not int(kind["total_size"]):
        return []
    table = value_at(int(kind["regions"]), region.array(count - 1))
    return [tuple(int(table[i][field]) for field in ("base", "size", "flags", "nid"))
            for i in range(count)]
