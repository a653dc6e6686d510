"""gdb commands for firstpage: what the running guest has, read from DWARF types."""
import gdb

PLACES = ("bp_bootsector", "bp_stage2", "bp_e820", "bp_protected", "bp_long", "bp_kernel",
          "bp_memblock", "bp_mem_map", "bp_buddy")
TYPES = {1: "usable", 2: "reserved", 3: "ACPI data", 4: "ACPI NVS", 5: "unusable",
         7: "persistent (type 7)", 12: "persistent (type 12)"}


def value(expression):
    return gdb.parse_and_eval(expression)


def mem(base, size):
    return f"[mem {int(base):#018x}-{int(base) + int(size) - 1:#018x}]"


class Places(gdb.Command):
    """fp-places: a breakpoint at each named place of the boot, in the order they are reached."""

    def __init__(self):
        super().__init__("fp-places", gdb.COMMAND_BREAKPOINTS)

    def invoke(self, argument, from_tty):
        for name in PLACES:
            gdb.Breakpoint("*" + name)


class E820(gdb.Command):
    """fp-e820: the corrected memory map of the kernel."""

    def __init__(self):
        super().__init__("fp-e820", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        table = value("e820_map")
        for i in range(int(table["nr_ranges"])):
            r = table["ranges"][i]
            kind = int(r["type"])
            print(f"e820: {mem(r['base'], r['size'])} {TYPES.get(kind, f'type {kind}')}")


class Memblock(gdb.Command):
    """fp-memblock: memory and reserved, region by region."""

    def __init__(self):
        super().__init__("fp-memblock", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        for name in ("memory", "reserved"):
            kind = value("memblock")[name]
            for i in range(int(kind["cnt"])):
                r = kind["regions"][i]
                print(f"memblock.{name}[{i}]: {mem(r['base'], r['size'])}")


Places()
E820()
Memblock()
