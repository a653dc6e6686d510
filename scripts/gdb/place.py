"""Where the guest has stopped: in which stage and mode, and at which address.

gdb knows the instruction pointer alone, not the base of CS. In real mode the firmware runs with CS =
F000, so its addresses look like those of stage2, which lies below 64 KiB with CS = 0, and gdb would
name stage2's symbols and source lines there. So a hook that runs at each stop, before gdb prints
where it is, takes the symbols of stage2's data away while the firmware runs (the processor begins at
FFF0, in the midst of them), and prints a line of its own in place of gdb's.
"""
import os
import re

import gdb

import guest

SECTOR = 512
TRAMPOLINE = range(0x8000, 0x9000)  # arch/x86_64/trampoline.asm, where stage2 was before
OUTSIDE = "the firmware"
NEAR = 64  # bytes of code that are shown after $pc
MODES = {16: "real mode", 32: "protected mode", 64: "long mode"}


def code_segment():
    """Returns (selector, base) of CS of the selected thread, which gdb numbers from 1 and QEMU from
    0."""
    number = gdb.selected_thread().num - 1
    said = gdb.execute("monitor info registers -a", to_string=True)
    cpu = re.search(rf"^CPU#{number}\b.*?^CS =(\w+) (\w+)", said, re.MULTILINE | re.DOTALL)
    if not cpu:
        raise gdb.GdbError("QEMU does not tell the base of CS")
    return int(cpu[1], 16), int(cpu[2], 16)


def bits():
    """Returns 16, 32 or 64, which stand for real, protected and long mode."""
    if guest.long_mode():
        return 64
    return 32 if guest.register("cr0") & 1 else 16


def here():
    """Returns (the stage that the processor runs or None, its address without segments, the address
    as text)."""
    pc, mode = int(gdb.newest_frame().pc()), bits()
    if mode == 64:
        entry = guest.labels("stage2")["long_mode.long"]
        leaving = range(entry, guest.labels("stage2")["bp_long"] + 1)
        return "kernel" if pc >> 63 else "stage2" if pc in leaving else None, pc, f"{pc:#x}"
    selector, base = code_segment()
    linear = base + pc & 0xffffffff
    text = f"{selector:04x}:{pc:04x} (physical {linear:#x})" if mode == 16 else f"{linear:#x}"
    sector = guest.labels("bootsector")["bootsector_start"]
    stage2 = guest.labels("stage2")
    if base and mode == 16 and linear not in range(sector, sector + SECTOR):
        return None, linear, text
    if linear in range(sector, sector + SECTOR):
        return "bootsector", linear, text
    inside = linear in range(stage2["stage2_load"], stage2["loaded_end"])
    return "stage2" if inside else None, linear, text


def displacement(address):
    """Returns what must be added to address, which is that of code to be disassembled, to find it in
    memory: the base of CS where the firmware runs in real mode and address is $pc or soon after."""
    pc = guest.register("rip")
    if bits() != 16 or not pc <= address < pc + NEAR:
        return 0
    stage, linear, _ = here()
    return 0 if stage else linear - pc


def describe():
    """Returns in words where the processor is."""
    stage, linear, text = here()
    mode = MODES[bits()]
    if not stage:
        what = "the trampoline of a processor that starts" if linear in TRAMPOLINE else OUTSIDE
        return f"in {what}, {mode}, at {text}"
    frame = gdb.newest_frame()
    line = frame.find_sal()
    source = f", {line.symtab.filename}:{line.line}" if line.symtab and line.line else ""
    return f"in {stage}, {mode}, at {text}: {frame.name() or 'no symbol'}{source}"


def instruction():
    """Returns the next instruction, where the processor is, as x/i $pc shows it."""
    stage, linear, _ = here()
    shown = gdb.execute(f"x/i {linear:#x}", to_string=True).strip().removeprefix("=> ")
    return "=> " + (shown if stage else re.sub(r" <[^>]*>", "", shown, count=1))


def data_symbols(wanted):
    """Loads the symbols of stage2's data, or takes them away."""
    if "FP_STAGE2_DATA" not in os.environ:  # scripts/debug makes the file
        return
    file = os.path.realpath(os.environ["FP_STAGE2_DATA"])
    if wanted != any(os.path.realpath(objfile.filename) == file for objfile in gdb.objfiles()):
        gdb.execute(f"{'add' if wanted else 'remove'}-symbol-file {file}", to_string=True)


def stopped():
    """Is called at each stop, before gdb prints where it is."""
    try:
        stage = here()[0]
        data_symbols(bool(stage))
        gdb.execute(f"set suppress-cli-notifications {'off' if stage else 'on'}")
        if not stage:
            print(f"The guest stands {describe()}\n{instruction()}")
    except (gdb.error, gdb.GdbError, KeyError):
        pass  # gdb prints what it knows


def install():
    """Has gdb call stopped()."""
    gdb.execute("define hook-stop\npython place.stopped()\nend")
