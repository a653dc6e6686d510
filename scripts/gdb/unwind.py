"""Call traces of stage2's 32-bit code, and the end of each trace.

To gdb the guest is an x86-64, so it takes stage2's stack for one of 64-bit words and prints what is
there as callers. This unwinder takes the rules of stage2's .debug_frame, which readelf interprets.
Code without such rules (assembly, firmware) is where a trace ends, as the kernel's entry is.
"""
import contextlib
import functools
import re
import subprocess

import gdb

import guest

try:
    from gdb.unwinder import Unwinder, register_unwinder
except ImportError:
    Unwinder = object

MASK = 0xffffffff
REGISTERS = ("rip", "rsp", "rbp", "efer", "cr0")
ENTRY_BYTES = 16  # of the kernel's entry from bp_kernel on, which calls start_kernel()


class FrameId:
    """What identifies a frame: its stack pointer and the instruction pointer."""

    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


@functools.cache
def rules():
    """Returns [(start, end, [(address from which a rule holds, register, offset, saved)])]: the
    caller's stack pointer is register + offset, and saved has the offset from there at which EBP
    lies, or None."""
    said = subprocess.run(["readelf", "--debug-dump=frames-interp", guest.elf_file("stage2")],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=True).stdout
    found = []
    for part in said.split("\n\n"):
        head = re.search(r" FDE .*pc=([0-9a-f]+)\.\.([0-9a-f]+)", part)
        if not head:
            continue
        start, end, rows, columns = int(head[1], 16), int(head[2], 16), [], []
        for words in map(str.split, part.splitlines()):
            if words[:1] == ["LOC"]:
                columns = words
            elif columns and len(words) == len(columns):
                row = dict(zip(columns, words))
                register, offset = row["CFA"].split("+")
                saved = re.fullmatch(r"c-(\d+)", row.get("ebp", ""))
                rows.append((int(row["LOC"], 16), register, int(offset), saved and int(saved[1])))
        found.append((start, end, rows or [(start, "esp", 4, None)]))
    return found


def rule_at(pc):
    """Returns the rule that holds at pc, or None."""
    for start, end, rows in rules():
        if start <= pc < end:
            return [row for row in rows if row[0] <= pc][-1]
    return None


def word_at(address):
    """Returns the word of 32 bits at address."""
    return int.from_bytes(guest.read(address, 4), "little")


class Stage2(Unwinder):
    """Unwinds stage2's C code and ends the trace at what has no rules."""

    def __init__(self):
        super().__init__("firstpage")

    def __call__(self, pending):
        try:
            word = guest.lookup_type("uint64_t")
            value = {name: pending.read_register(name) for name in REGISTERS}
            number = {name: int(found.cast(word)) for name, found in value.items()}
        except gdb.error:
            return None
        pc, entry = number["rip"], guest.labels("kernel")["bp_kernel"]
        long_mode = bool(number["efer"] & 1 << 10)
        if pc > MASK and not entry <= pc < entry + ENTRY_BYTES:
            return None
        if not pc and not pending.level() and long_mode:  # a null pointer was called
            return None
        # gdb ends a trace at address 0, and takes two frames with one stack pointer for an error.
        caller = {**number, "rip": 0, "rsp": number["rsp"] + 8}
        rule = rule_at(pc) if number["cr0"] & 1 and not long_mode else None
        if rule:
            _, register, offset, saved = rule
            top = number["r" + register[1:]] + offset & MASK
            with contextlib.suppress(gdb.MemoryError):
                caller.update(rip=word_at(top - 4), rsp=top,
                              rbp=word_at(top - saved) if saved else number["rbp"])
        unwound = pending.create_unwind_info(FrameId(value["rsp"], value["rip"]))
        for name, to in caller.items():
            unwound.add_saved_register(name, gdb.Value(to).cast(value[name].type))
        return unwound


def install():
    """Registers the unwinder with gdb."""
    if Unwinder is not object:
        register_unwinder(None, Stage2(), True)
