"""Has gdb disassemble 16- and 32-bit code as what it is.

QEMU describes an x86-64 to gdb, whatever mode the processor is in, and gdb refuses another
architecture for such a target. So this module looks the architectures up while there is no target
yet, and tells gdb's own disassembler (x/i, disassemble, layout asm) which of them an address needs:

    boot sector, stage2 up to protected:, bios_enter from .to_real to .protected     16-bit
    the rest of stage2                                                               32-bit
    long_mode.long to the jump, all above 2^63                                       64-bit
    anywhere else (firmware)                       as the processor's registers have it now

Where the processor runs the firmware in real mode, x/i $pc shows what it runs, at the base of CS.
"""
import functools

import gdb

import guest
import place

try:
    import gdb.disassembler
    BASE = gdb.disassembler.Disassembler
except ImportError:
    BASE = None

JUMP_TO_KERNEL = 2  # bytes of the instruction at bp_long
ARCHITECTURES = {16: "i8086", 32: "i386"}


def take_architectures():
    """Returns {bits: gdb's architecture}. Works only while gdb has no target."""
    taken = {}
    for bits, name in ARCHITECTURES.items():
        gdb.execute("set architecture " + name, to_string=True)
        taken[bits] = gdb.selected_inferior().architecture()
    gdb.execute("set architecture auto", to_string=True)
    return taken


@functools.cache
def ranges():
    """Returns [(start, end, bits)]. Where two ranges overlap, the special one comes first."""
    stage2, sector = guest.labels("stage2"), guest.labels("bootsector")
    start = sector["bootsector_start"]
    return [(start, start + 512, 16),
            (stage2["bp_stage2"], stage2["protected"], 16),
            (stage2["bios_enter.to_real"], stage2["bios_enter.protected"], 16),
            (stage2["long_mode.long"], stage2["bp_long"] + JUMP_TO_KERNEL, 64),
            (stage2["stage2_load"], stage2["loaded_end"], 32),
            (1 << 63, 1 << 64, 64)]


def bits_at(address):
    """Returns 16, 32 or 64: the kind of code at address."""
    for start, end, bits in ranges():
        if start <= address < end:
            return bits
    if guest.long_mode():
        return 64
    return 32 if guest.register("cr0") & 1 else 16


if BASE:
    class Modes(BASE):
        """Disassembles 16- and 32-bit code, and leaves the rest to gdb."""

        def __init__(self, architectures):
            super().__init__("firstpage")
            self.architectures = architectures

        def __call__(self, info):
            bits = bits_at(info.address)
            if bits == 64:
                return None
            start = info.address + place.displacement(info.address)
            found = self.architectures[bits].disassemble(start, count=1)[0]
            return gdb.disassembler.DisassemblerResult(found["length"], found["asm"])


def install():
    """Registers the disassembler with gdb, if that gdb can."""
    if not BASE:
        print("this gdb is older than 13: it shows 16- and 32-bit code as if it were 64-bit")
        return
    gdb.disassembler.register_disassembler(Modes(take_architectures()), "i386:x86-64")
