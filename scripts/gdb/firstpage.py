"""firstpage's commands in gdb: `help user-defined` lists them. scripts/debug loads this file.

The commands read the guest's memory and nothing else. So they work wherever it has stopped or
crashed, if what is asked for is there; if it is not there yet, they name the place to continue to.
"""
import os
import sys

sys.dont_write_bytecode = True  # no __pycache__ beside the sources
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import gdb

import check
import cpus
import guest
import modes
import place
import unwind
import walk
from allocator import Allocator

PLACES = ("bp_bootsector", "bp_stage2", "bp_e820", "bp_protected", "bp_long", "bp_kernel",
          "bp_memblock", "bp_mem_map", "bp_buddy", "bp_cpus")
TYPES = {"RAM": "usable", "RESERVED": "reserved", "ACPI": "ACPI data", "NVS": "ACPI NVS",
         "UNUSABLE": "unusable", "PMEM": "persistent (type 7)", "PRAM": "persistent (type 12)"}
MEMBLOCK_FLAGS = "MEMBLOCK_"
GUEST_ENDED = 3  # the status that tells scripts/debug
GREETING = """
QEMU waits there. The guest's console goes to a file; to see it, in another
terminal:  tail -f {console}

  fp-places         sets breakpoints at the named places of the boot, in order:
                    {places}
  c                 goes on to the next breakpoint; Ctrl-C stops the guest
  s   n             a source line; n takes a call as one; si, ni: instructions
  break NAME        a breakpoint at a function; `info break` lists all
  bt   info locals  the call trace; variables. p EXPRESSION prints a value
  x/8i $pc          the next 8 instructions; x/8gx ADDRESS: memory
  fp-where          where the guest stands; `help user-defined` lists all fp-
                    commands: they print its memory map, zones, page tables
  q                 ends gdb and QEMU
"""


def mem(base, size):
    """Returns a range of bytes in Linux's form."""
    return f"[mem {base:#018x}-{base + size - 1:#018x}]"


def names_of(enum, prefix):
    """Returns {value: name without prefix} of the constants of an enum."""
    return {field.enumval: field.name.removeprefix(prefix)
            for field in guest.lookup_type("enum " + enum).fields()}


def type_name(number):
    """Returns the name of an E820 type, or its number."""
    name = names_of("e820_type", "E820_TYPE_").get(number)
    return TYPES.get(name, f"type {number}")


def command(function):
    """Makes function, which takes the text behind the command, a command of gdb. Its docstring is
    the command's help, the docstring's first word its name. An error is printed in one line and
    does not end a file of commands."""
    name = function.__doc__.split()[0].rstrip(":")

    class Command(gdb.Command):
        __doc__ = function.__doc__

        def __init__(self):
            super().__init__(name, gdb.COMMAND_USER)

        def invoke(self, argument, _from_tty):
            try:
                function(argument.strip())
            except (gdb.error, gdb.GdbError) as error:
                print(f"{name}: {error}")  # not raised, so that a file of commands goes on

    Command()
    return function


def no_argument(argument):
    """Raises an error when a command without arguments has one."""
    if argument:
        raise gdb.GdbError(f"takes no argument, not {argument}")


@command
def places(argument):
    """fp-places: sets a breakpoint at each named place of the boot, in the order in which they are
    reached."""
    no_argument(argument)
    for name in PLACES:
        gdb.Breakpoint("*" + name)


@command
def where(argument):
    """fp-where: prints where the guest stands: the stage, the processor's mode, the address, symbol
    and source line, and the next instruction."""
    no_argument(argument)
    print(f"The guest stands {place.describe()}\n{place.instruction()}")


@command
def greet(argument):
    """fp-greet FILE: prints what to type; FILE is where the guest's console goes."""
    print(GREETING.format(places="\n                    ".join(
        " ".join(PLACES[i:i + 5]) for i in range(0, len(PLACES), 5)), console=argument))


@command
def e820(argument):
    """fp-e820 [raw]: prints the corrected memory map, or with raw the one that the firmware gave.
    Works from bp_e820 on."""
    if argument not in ("", "raw"):
        raise gdb.GdbError(f"{argument} is not raw")
    info, table = guest.boot_info(), guest.e820_map()
    if not info or not table:
        raise gdb.GdbError("the memory map is not there yet: continue to bp_e820")
    if argument == "raw":
        for i in range(int(info["e820_count"])):
            entry = info["e820"][i]
            attributes = int(entry["attributes"]) if int(entry["length"]) >= 24 else 1
            print(f"BIOS-e820: {mem(int(entry['base']), int(entry['size']))} "
                  f"{type_name(int(entry['type']))}"
                  + (f", attributes {attributes:#x}" if attributes != 1 else ""))
        return
    for i in range(int(table["nr_ranges"])):
        entry = table["ranges"][i]
        print(f"e820: {mem(int(entry['base']), int(entry['size']))} {type_name(int(entry['type']))}")


@command
def memblock(argument):
    """fp-memblock: prints memory and reserved, region by region. Works from bp_memblock on."""
    no_argument(argument)
    flag_names = names_of("memblock_flags", MEMBLOCK_FLAGS)
    memory = guest.memblock_ranges("memory")
    if not memory:
        raise gdb.GdbError("memblock is empty yet: continue to bp_memblock")
    for kind, ranges in (("memory", memory), ("reserved", guest.memblock_ranges("reserved"))):
        for i, (base, size, flags, _) in enumerate(ranges):
            print(f"memblock.{kind}[{i}]: {mem(base, size)}"
                  + (f" {flag_names.get(flags, hex(flags))}" if flags else ""))


def read_allocator():
    """Returns the Allocator. Says which zones are locked, since in the middle of an operation the
    bitmaps look broken."""
    allocator = Allocator()
    for zone in allocator.zones:
        if zone.locked:
            print(f"zone {zone.title} is locked: an operation on its metadata is under way")
    return allocator


@command
def zones(argument):
    """fp-zones: prints the frames of each zone and its shelves, its free blocks by order as
    /proc/buddyinfo has them, the order in which each node asks the zones, and the ranges that were
    added. A zone whose last RAM has left is not printed."""
    no_argument(argument)
    allocator = read_allocator()
    zones_with_ram = [zone for zone in allocator.zones if zone.present]
    for zone in zones_with_ram:
        free = sum(end - start for start, end in zone.free_in_bits())
        size = allocator.page_size
        print(f"zone {zone.title:6} {mem(zone.start_pfn * size, (zone.end_pfn - zone.start_pfn) * size)}"
              f" present {zone.present} managed {zone.managed} free {free}"
              f" cached {len(allocator.cached(zone))}"
              f" shelves {','.join(map(str, zone.shelves))}")
    for zone in zones_with_ram:
        print(f"Node {zone.node}, zone {zone.name:>8} " + "".join(f"{count:6} " for count in zone.counts()))
    titles = {zone.id: zone.title for zone in allocator.zones}
    for node, numbers in allocator.lists.items():
        print(f"requests on node {node} ask: "
              + ", ".join(titles.get(number, str(number)) for number in numbers))
    size = allocator.page_size
    for start, end_free, end, node in allocator.added:
        print(f"added {mem(start * size, (end - start) * size)} node {node}, "
              f"metadata from {end_free * size:#x}")


@command
def page(argument):
    """fp-page PFN: prints what a frame is, the allocation that it is part of, and where its bits
    are."""
    if not argument:
        raise gdb.GdbError("usage: fp-page PFN")
    pfn = int(gdb.parse_and_eval(argument))
    if not 0 <= pfn < guest.constant("MM_MAX_PFN"):
        raise gdb.GdbError(f"{argument} is not a frame number below "
                           f"{guest.constant('MM_MAX_PFN'):#x}")
    allocator = read_allocator()
    state = allocator.state(pfn)
    if state == "cached":
        state = f"free, cached by CPU {allocator.cached_by[pfn]}"
    size, zone = allocator.page_size, allocator.zone_of(pfn)
    print(f"pfn {pfn:#x} [mem {pfn * size:#x}-{(pfn + 1) * size - 1:#x}] "
          f"zone {zone.title if zone else 'none'}: {state}")
    if state == "allocated":
        head, count, order, owner = allocator.head(pfn)
        print(f"head pfn {head:#x} order {order} count {count} owner {owner:#x}")
    if state != "absent":
        children = allocator.children
        print(f"state_zones[{zone.id}]->shelf[{pfn // children ** 3}]"
              f"->gib[{pfn // children ** 2 % children}]->block[{pfn // children % children}]"
              f" bit {pfn % children}")


@command
def free(argument):
    """fp-free: prints the maximal free ranges, one a line; frames in frame caches count as free."""
    no_argument(argument)
    allocator = read_allocator()
    for start, end in allocator.free:
        print(f"free {mem(start * allocator.page_size, (end - start) * allocator.page_size)}")


@command
def list_cpus(argument):
    """fp-cpus: prints a line for each CPU: its number, APIC id and node, whether it is online, the
    function that it runs, and what its frame caches hold of each zone. Works from bp_kernel on."""
    no_argument(argument)
    for line in cpus.lines(read_allocator() if cpus.has_zones() else None):
        print(line)


@command
def caches(argument):
    """fp-caches [CPU]: prints the frame caches of a CPU, or of all: how many runs of which order
    each holds in its two stacks, and how many it may hold. Caches that may hold nothing are not
    printed, but for those that are shut."""
    number = int(gdb.parse_and_eval(argument)) if argument else None
    allocator = read_allocator()
    if number is not None and number not in allocator.caches:
        raise gdb.GdbError(f"CPU {number} has no frame caches")
    for cpu in allocator.caches if number is None else (number,):
        for line in cpus.cache_lines(allocator, cpu):
            print(line)


@command
def check_allocator(argument):
    """fp-check: recomputes the invariants of mm/zone.h and mm/cache.h, and names those that are
    broken."""
    no_argument(argument)
    found = check.Check(read_allocator()).run()
    for name, what in found[:check.MAX_PRINTED]:
        print(f"fp-check: {name}: {what}")
    if len(found) > check.MAX_PRINTED:
        print(f"fp-check: {len(found)} violations, the first {check.MAX_PRINTED} printed")
    names = sorted({name for name, _ in found})
    print(f"{len(check.NAMES)} checks, {len(names)} broken" + (": " if names else "")
          + " ".join(names))


@command
def page_tables(argument):
    """fp-pt ADDRESS: prints the entries of the page tables on the way to an address, and where it
    leads."""
    if not argument:
        raise gdb.GdbError("usage: fp-pt ADDRESS")
    value = gdb.parse_and_eval(argument)
    if value.type.strip_typedefs().code in (gdb.TYPE_CODE_FUNC, gdb.TYPE_CODE_ARRAY):
        value = value.address
    for line in walk.lines(int(value) & (1 << 64) - 1):
        print(line)


@command
def run_file(argument):
    """fp-run FILE: runs the commands in FILE, then ends gdb: with status 0, 1 when a command
    failed, or 3 when the guest ended meanwhile."""
    status = 0
    try:
        gdb.execute(f"source {argument}")
    except gdb.error as error:
        print(error, file=sys.stderr)
        status = 1
    if not gdb.selected_inferior().threads():
        status = GUEST_ENDED
    gdb.execute(f"quit {status}")


modes.install()
unwind.install()
place.install()
