"""The stops of the guided tour, in the order of the boot. A stop has a title, where the boot is, the
mode of the processor, a text (the function's docstring) and what to look at (the function's body).

t is scripts/tour's Tour. t.r() and the like print what to type, ask Bochs and return its answer;
t.see() compares a value with what it should be. Addresses are C expressions, which the ELF files of
the stages resolve. t.seen keeps what one stop found and another one needs.
"""
import collections
import os
import re
import subprocess
import textwrap
import zlib

STOPS = []
Stop = collections.namedtuple("Stop", "name title where mode text looks")

PAGE = 4096
LARGE_PAGE = 2 << 20
ANY = range(1, 1 << 64)
FLAGS_IF = 1 << 9
CR0_PE, CR0_WP, CR0_PG = 0, 16, 31    # numbers of bits: Intel SDM volume 3, 2.5 and 2.2.1
CR4_PAE = 5
EFER_LME, EFER_LMA = 8, 10
CODE32, CODE64 = 0x08, 0x28           # stage2/modes.inc
SECTOR = 512
PARTITION_TABLE = 0x1be
BDA_LOW_KIB = 0x413                   # the BIOS's word of KiB below 640 KiB
MIB = 1 << 20
MEM_MAP = 0xffffea0000000000          # MEM_MAP_BASE of mm/port.h
STATE_RESERVED = 1 << 39              # mm/zone.h
BITMAP_BITS = 512
PERCPU_CACHES = 1024                  # arch/x86_64/percpu.h
RAM = 1
TYPES = {1: "usable", 2: "reserved", 3: "ACPI data", 4: "ACPI NVS", 5: "unusable",
         7: "persistent (type 7)", 12: "persistent (type 12)"}


def stop(name, title, where, mode):
    """Returns a decorator that adds a function to STOPS; its docstring is the stop's text."""

    def add(looks):
        text = textwrap.dedent("    " + looks.__doc__)
        STOPS.append(Stop(name, title, where, mode, text, looks))
        return looks
    return add


def bit(value, number):
    """Returns bit number of value."""
    return value >> number & 1


def mem(base, size):
    """Returns a range of bytes in Linux's form."""
    return f"[mem {base:#018x}-{(base + size - 1) % (1 << 64):#018x}]"


def entry_lines(entries):
    """Returns a line for each of entries, (base, size, type)."""
    return [f"{mem(base, size)} {TYPES.get(kind, f'type {kind}')}" for base, size, kind in entries]


def apart(ranges):
    """Returns whether ranges are sorted and none reaches into the next one."""
    return all(a[0] + a[1] <= b[0] for a, b in zip(ranges, ranges[1:]))


def inside(base, size, ranges):
    """Returns whether one of ranges holds all of the range at base."""
    return any(r[0] <= base and base + size <= r[0] + r[1] for r in ranges)


def yes(truth):
    """Returns truth as a word."""
    return "yes" if truth else "no"


@stop("bp_bootsector", "the boot sector runs",
      where="bootsector/bootsector.asm, take_control: the first instructions are done",
      mode="real mode: 16 bits, no paging; a physical address is segment * 16 + offset")
def bootsector(t):
    """So far only the BIOS has run, for about a second. It has set up the machine, read the first
    sector of the disk to 0x7c00, found 55 AA at its end, and jumped to it. It hands over one value:
    DL, the drive it read from. All other registers hold leftovers; so the code has zeroed DS and SS
    and set up a stack, and relies on nothing that it did not set itself.

    These 512 bytes must find stage2 in the sectors behind them, check it, and jump to it. How much
    memory there is has not been asked yet. For programs in real mode the BIOS has a number, the word
    at 40:13, but that ends at 640 KiB, and real mode reaches little more than 1 MiB."""
    elf, segments, r = t.bootsector, t.sreg(), t.r()
    t.see("CS * 16 + IP", segments["cs"] * 16 + r["rip"], elf.address("bp_bootsector"),
          "bp_bootsector. CS may be 0 or 07C0")
    t.see("DS, SS", [segments["ds"], segments["ss"]], [0, 0])
    t.see("DL", r["rdx"] & 0xff, 0x80, "the first hard disk, in the BIOS's count")
    t.see("SP", r["rsp"] & 0xffff, elf.address("real_stack_top"),
          "real_stack_top of stage2/low_memory.ld")
    creg = t.creg()
    t.see("CR0.PE", bit(creg["CR0"], CR0_PE), 0, "no protection, so real mode")
    t.see("CR0.PG", bit(creg["CR0"], CR0_PG), 0, "no paging")
    sector = elf.address("bootsector_start")
    t.see("last two bytes of the sector", t.x(sector + SECTOR - 2, 2, "b", "the boot signature"),
          [0x55, 0xaa], "without them the BIOS would not have come here")
    t.see("first byte of the partition table",
          t.x(sector + PARTITION_TABLE, 1, "b", "partition 1"), [0x80],
          "active: some BIOSes want to see that")
    t.see("KiB of low memory", t.x(BDA_LOW_KIB, 1, "h", "40:13, what INT 12h returns")[0],
          range(512, 641), "with less, the E820 map must have 512", str)


@stop("bp_stage2", "the loader is in memory",
      where="stage2/entry.asm, bp_stage2: its first instruction is next",
      mode="still real mode, with CS = 0 from here on")
def stage2(t):
    """The boot sector has read stage2, in one call, and computed its CRC32. It jumps here only if
    that is the CRC32 linked into the boot sector: a stick that was half written, or a stage2 of
    another build, ends in a message. EAX still holds the sum (before CRC32's last inversion), except
    for AL, which was to hold the D of that message. DX is what stage2 needs to know: DL is the drive,
    DH how it was read.

    The tour computes the CRC32 too, over the bytes that lie in memory now. From here on there is
    room for C: all of stage2 is compiled with -m32, except mode switches and BIOS calls."""
    elf, segments, r = t.bootsector, t.sreg(), t.r()
    t.see("CS", segments["cs"], 0)
    t.see("IP", r["rip"], t.stage2.address("bp_stage2"), "bp_stage2, where stage2 begins")
    t.see("EAX without AL", r["rax"] & 0xffffff00, elf.address("stage2_crc") & 0xffffff00,
          "stage2_crc, as linked")
    drive, way = t.x(elf.address("drive"), 2, "b", "drive, way: the boot sector's variables")
    t.see("DL, DH", [r["rdx"] & 0xff, r["rdx"] >> 8 & 0xff], [drive, way >> 1],
          "drive, and way without its lowest bit")
    t.see("DH", r["rdx"] >> 8 & 0xff, range(1, 3), "1 is EDD, 2 is cylinder, head and sector")
    size = elf.address("stage2_sectors") * SECTOR
    stage2_bytes = t.dump(elf.address("stage2_load"), size, "stage2, as a file")
    t.see("CRC32 of these bytes", zlib.crc32(stage2_bytes), elf.address("stage2_crc32"),
          "stage2_crc32 of bootsector.elf")
    creg = t.creg()
    t.see("CR0.PE", bit(creg["CR0"], CR0_PE), 0, "real mode")


@stop("bp_e820", "the firmware's answer",
      where="stage2/main.c, stage2_main(): memory_read() of stage2/memory.c has just returned",
      mode="32-bit protected mode, flat segments, no paging; real mode during each BIOS call")
def e820(t):
    """Only the BIOS can answer this question: which physical addresses are memory? stage2 calls INT
    15h with EAX = E820h until the list ends, and goes back to real mode for each call. It keeps the
    entries raw, in the BIOS's order, in boot_info: correcting them is the kernel's task, and the user
    may want to see what the firmware reported. stage2 has made a corrected map for itself too
    (e820_sanitize()), since it must find a place for the kernel.

    It needed two things for this. One is protected mode, with a GDT whose code and data segments
    begin at 0 and end at 4 GiB. The other is A20, the gate that makes address 1 MiB look like address
    0 for programs of 1981: if it were closed, a read 1 MiB above boot_info would read boot_info."""
    elf, segments = t.stage2, t.sreg()
    t.see("CS", segments["cs"], CODE32, "CODE32 of the GDT in stage2/entry.asm")
    t.see("its segment", segments["code"].split("Code segment, ")[-1].split(", Exec")[0],
          "base=0x00000000, limit=0xffffffff", "flat")
    creg = t.creg()
    t.see("CR0.PE", bit(creg["CR0"], CR0_PE), 1, "protection is on")
    t.see("CR0.PG", bit(creg["CR0"], CR0_PG), 0, "no paging")
    info = elf.address("stage2_boot_info")
    t.see("boot_info.magic", t.text(info, 8, "boot_info.magic"), "frstpage")
    above = t.xp(info + MIB, 1, "g", "1 MiB above it")
    t.see("another value 1 MiB above", yes(above != t.xp(info, 1)), "yes", "A20 is open")
    t.see("source", t.variable(elf, "stage2_boot_info.map_source"), range(1, 5),
          "enum boot_map_source: 1 is E820, the others are older calls")
    count = t.variable(elf, "stage2_boot_info.e820_count")
    t.see("entries", count, range(1, 1025), "E820_MAX_RAW is 1024", str)
    entries = t.table(elf, "struct e820_entry", elf.address("stage2_boot_info.e820"), count,
                      "base", "size", "type", name="boot_info.e820[]")
    t.say(*("    " + line for line in entry_lines(entries)))
    t.see("entries of usable memory", sum(kind == RAM for _, _, kind in entries), ANY,
          number=str)
    if os.environ.get("MAP") and not os.environ.get("FIRMWARE"):
        t.see("the same as in MAP", yes(entries == map_file(os.environ["MAP"])), "yes")
    nr_ranges = t.variable(elf, "memory_map.nr_ranges")
    corrected = t.table(elf, "struct e820_range", elf.address("memory_map.ranges"), nr_ranges,
                        "base", "size", "type", name="memory_map.ranges[], corrected")
    t.see("sorted and apart", yes(apart(corrected)), "yes")
    t.seen["entries"], t.seen["ram"] = entries, [r for r in corrected if r[2] == RAM]


def map_file(name):
    """Returns the entries of the map in the file name, as replay reads it."""
    replay = os.path.join(os.environ.get("B", "build"), "host", "replay")
    text = subprocess.run([replay, "--map-file", name], capture_output=True, text=True,
                          check=True).stdout
    lines = [line.split() for line in text.splitlines() if line[0] not in "#n"]
    return [tuple(int(word, 0) for word in words[:3]) for words in lines]


@stop("bp_protected", "the BIOS is left",
      where="stage2/main.c, leave_bios(): kernel, command line and RSDP are in memory",
      mode="32-bit protected mode; no BIOS call from here on")
def protected(t):
    """Since the last stop stage2 has opened the FAT partition, read KERNEL.ELF to a buffer, checked
    it, and put its segments at the lowest 2 MiB border where the corrected map has enough RAM. It has
    read CMDLINE.TXT and searched for ACPI's RSDP. boot_info records each BIOS call in a ring, which
    the kernel's command `bios` prints.

    Now interrupts are off and both PICs are masked: they raise the vectors that the BIOS gave them
    in 1981, and those have become processor exceptions. A timer tick would look like a double fault.
    The kernel lies ready at its physical place, but is linked to run at the top of the address space.
    That takes page tables and long mode, the next stop."""
    elf, r = t.stage2, t.r()
    t.see("EIP", r["rip"], elf.address("bp_protected"), "bp_protected()")
    t.see("EFLAGS.IF", yes(r["eflags"] & FLAGS_IF), "no", "interrupts are off")
    masks = re.findall(r"IMR = (\w+)", t.look('info device "pic"'))
    t.see("IMR of master and slave", masks, ["ff", "ff"], "all 15 lines masked")
    phys = t.variable(elf, "stage2_boot_info.kernel_phys")
    size = t.variable(elf, "stage2_boot_info.kernel_size")
    t.see("kernel_phys beyond a 2 MiB border", phys % LARGE_PAGE, 0)
    t.see("in the corrected map's RAM", yes(inside(phys, size, t.seen["ram"])), "yes")
    t.see("first 8 bytes of the kernel", t.x(phys, 1, "g", "_start, at its physical place")[0],
          t.kernel.value("*(unsigned long *)&_start"), "the code of _start in kernel.elf")
    t.see("BIOS calls so far", t.variable(elf, "stage2_boot_info.bios_call_total"), ANY, number=str)
    cmdline = t.text(elf.address("stage2_boot_info.cmdline"), 80, "boot_info.cmdline, its beginning")
    wanted = os.environ.get("CMDLINE", cmdline).strip()
    t.see("the command line", repr(cmdline), repr(wanted[:80]))
    rsdp = t.variable(elf, "stage2_boot_info.rsdp")
    if rsdp:
        t.see("at that address", repr(t.text(rsdp, 8, "the RSDP")), "'RSD PTR '")
    t.seen["phys"], t.seen["size"] = phys, size
    t.seen["speaks"] = "console=" not in cmdline or "console=e9" in cmdline


@stop("bp_long", "64 bits",
      where="stage2/long.asm, long_mode: the jump to the kernel is next",
      mode="long mode, 64-bit code segment, paging on, stage2's page tables")
def long_mode(t):
    """Long mode takes four settings, in this order: CR4.PAE, CR3, EFER.LME, CR0.PG; then a far jump to
    a code segment whose L bit is set. The processor answers by setting EFER.LMA.

    Long mode requires paging, so stage2/paging.c has built tables at page_tables. They map the first
    4 GiB one to one, because this code and boot_info must keep their addresses when paging is turned
    on, and the kernel where it is linked, in the top 2 GiB, by pages of 2 MiB throughout. `info tab`
    prints both. Nothing else is mapped, and all of it may be written and executed: the kernel will
    build tables with the rights that it wants.

    boot_info is sealed with a CRC32; its address goes to the kernel in RDI. That is the whole
    contract: include/boot_info.h."""
    elf, creg = t.stage2, t.creg()
    t.see("CR0.PE", bit(creg["CR0"], CR0_PE), 1)
    t.see("CR0.PG", bit(creg["CR0"], CR0_PG), 1, "paging is on")
    t.see("CR4.PAE", bit(creg["CR4"], CR4_PAE), 1, "entries of 8 bytes")
    t.see("EFER.LME", bit(creg["EFER"], EFER_LME), 1, "set by stage2")
    t.see("EFER.LMA", bit(creg["EFER"], EFER_LMA), 1, "set by the processor")
    tables = elf.address("page_tables")
    t.see("CR3", creg["CR3"], tables, "page_tables")
    segments = t.sreg()
    t.see("CS", segments["cs"], CODE64, "CODE64 of the same GDT")
    t.see("64-bit", yes(segments["code"].endswith("64-bit")), "yes")
    r, virt = t.r(), t.kernel.address("__kernel_start")
    t.see("RAX", r["rax"], t.kernel.address("_start"), "_start, where it will jump")
    t.see("RDI", r["rdi"], elf.address("stage2_boot_info"), "boot_info")
    t.see("entries in use of the PML4",
          [i for i, entry in enumerate(t.xp(tables, 512, "g", "the PML4")) if entry & 1], [0, 511],
          "the lowest and the highest 512 GiB", str)
    t.see("this code, physical", t.page(r["rip"], "bp_long")[0], r["rip"] // PAGE * PAGE,
          "one to one")
    last = (1 << 32) - LARGE_PAGE
    t.see("the last page below 4 GiB, physical", t.page(last)[0], last, "one to one as well")
    t.see("the kernel, physical", t.page(virt, "__kernel_start")[0], t.seen["phys"],
          "boot_info.kernel_phys")
    t.see("boot_info's CRC32 over the rest of it", *seal(t), "sealed by boot_info_seal()")


def seal(t):
    """Returns (the CRC32 of boot_info as computed, as stored)."""
    elf = t.stage2
    offset, size = elf.field("struct boot_info", "crc32")
    data = t.dump(elf.address("stage2_boot_info"), elf.value("sizeof(struct boot_info)"), "boot_info")
    return (zlib.crc32(data[:offset] + bytes(size) + data[offset + size:]),
            int.from_bytes(data[offset:offset + size], "little"))


@stop("bp_kernel", "the kernel's first call",
      where="arch/x86_64/entry.asm, bp_kernel: the call of start_kernel() is next",
      mode="long mode, at the kernel's linked address; stage2's GDT and page tables")
def kernel(t):
    """The kernel has run eight instructions. It has set up a stack of its own, and has added one entry
    to stage2's PML4: a copy of entry 0 in the slot of MM_DIRECT_MAP. So the first 4 GiB of physical
    memory are visible at 0xffff888000000000 too, where the kernel will always see memory:
    phys_to_virt() is an addition from the first line of C on, and memory from memblock can be written
    before there is a direct map.

    .bss is zero because stage2 zeroed it: memory is not zero at power-on. start_kernel(), in
    kernel/main.c, is a list of named steps; the next three stops lie in it."""
    elf, r = t.kernel, t.r()
    t.see("RIP", r["rip"], elf.address("bp_kernel"), "bp_kernel")
    t.see("RDI", r["rdi"], t.stage2.address("stage2_boot_info"), "boot_info, physical")
    t.see("RSP", r["rsp"], elf.address("__boot_stack_top"), "__boot_stack_top: nothing is pushed yet")
    t.see("RBP", r["rbp"], 0, "where back-traces end")
    t.see("RFLAGS.IF", yes(r["eflags"] & FLAGS_IF), "no", "there is no IDT yet")
    tables, slot = t.stage2.address("page_tables"), elf.address("PML4_SLOT")
    t.see("the PML4's entry for MM_DIRECT_MAP",
          t.xp(tables + 8 * slot, 1, "g", f"entry {slot} of the PML4"),
          t.xp(tables, 1, "g", "entry 0"), "entry 0 again")
    window = elf.address("MM_DIRECT_MAP") + r["rdi"]
    t.see("boot_info, through it", repr(t.text(window, 8, "phys_to_virt(boot_info)")),
          "'frstpage'", "the magic")
    t.see("the kernel's own copy of the magic", t.variable(elf, "boot_info.magic"), 0,
          "zero, in .bss; boot_info_init() will check the loader's and copy it")


@stop("bp_memblock", "memory before there is an allocator",
      where="kernel/memory/setup.c, memblock_setup(): memory_to_memblock() has just returned",
      mode="long mode, the kernel's GDT and IDT, still stage2's page tables")
def memblock(t):
    """The kernel has printed the firmware's list above, and corrected it: e820_map is sorted and
    disjoint, and what is in doubt counts as reserved. From it the kernel has made memblock, two
    sorted arrays of ranges. memory is what the machine has. reserved is what is taken: low memory,
    the kernel, and for now all that the loader occupies, since its page tables are in use. What is in
    the first and not in the second is free, and memblock can already allocate from it, from the top
    down, below current_limit. That is 4 GiB, because nothing above is mapped.

    This breaks the circle, an allocator that needs an array that needs memory: page tables, mem_map
    and the allocator's metadata are all allocated from these two arrays. Their first 128 entries each
    lie in the kernel's .bss."""
    elf = t.kernel
    if t.seen["speaks"]:
        t.say("the guest's console, above")
        t.see("printing what boot_info.e820[] has",
              yes([line.split(": ", 1)[1] for line in t.console if line.startswith("BIOS-e820: ")]
                  == entry_lines(t.seen["entries"])), "yes", "the raw entries, in their order")
    t.see("CR3", t.creg()["CR3"], t.stage2.address("page_tables"), "stage2's page_tables still")
    usable = [r for r in t.table(elf, "struct e820_range", elf.address("e820_map.ranges"),
                                 t.variable(elf, "e820_map.nr_ranges"), "base", "size", "type",
                                 name="e820_map.ranges[]") if r[2] == RAM]
    memory, reserved = (regions(t, kind) for kind in ("memory", "reserved"))
    t.see("memory sorted and apart", yes(apart(memory)), "yes")
    t.see("reserved sorted and apart", yes(apart(reserved)), "yes")
    t.see("memory inside e820_map's usable ranges",
          yes(all(inside(*region, usable) for region in memory)), "yes", "no frame is invented")
    t.see("sum of memory's regions", sum(size for _, size in memory),
          t.variable(elf, "memblock.memory.total_size"), "memblock.memory.total_size")
    t.see("page 0 is reserved", yes(inside(0, PAGE, reserved)), "yes", "whatever the map says")
    t.see("the kernel is reserved", yes(inside(t.seen["phys"], t.seen["size"], reserved)), "yes")
    loaders = t.stage2.address("stage2_boot_info")
    t.see("boot_info is reserved", yes(inside(loaders, PAGE, reserved)), "yes", "for now")
    t.see("memblock.current_limit", t.variable(elf, "memblock.current_limit"), 1 << 32, "4 GiB")


def regions(t, kind):
    """Returns the regions of memblock.memory or memblock.reserved, as (base, size)."""
    elf = t.kernel
    count = t.variable(elf, f"memblock.{kind}.cnt")
    array = t.variable(elf, f"memblock.{kind}.regions")
    found = t.table(elf, "struct memblock_region", array, count, "base", "size",
                    name=f"memblock.{kind}.regions[]")
    t.say(*("    " + mem(*region) for region in found))
    return found


@stop("bp_mem_map", "a descriptor for every frame",
      where="kernel/memory/setup.c, mem_map_setup(): mem_map_init() of mm/mem_map.c has just returned",
      mode="long mode, the kernel's own page tables")
def mem_map(t):
    """Two things have happened. paging_setup() has built the kernel's own tables out of memblock
    and loaded them: all RAM at MM_DIRECT_MAP, the image with the rights of its sections, and
    nothing at address 0, so that a null pointer faults. The loader's tables are no longer in use, and
    most of its memory went back to memblock.

    Then the kernel has made mem_map: a struct page of 16 bytes for each frame, in one flat array in
    virtual space, whose base is a constant. pfn_to_page() is an addition. Memory backs the array only
    where there is RAM; all holes share one page of zeros, which can be read but not written. No
    descriptor has been written yet: they contain whatever the memory held."""
    elf = t.kernel
    memory, reserved = (regions(t, kind) for kind in ("memory", "reserved"))
    creg = t.creg()
    t.see("CR3 inside a reserved region", yes(inside(creg["CR3"], PAGE, reserved)), "yes",
          "the PML4 came out of memblock")
    t.see("CR3 is the loader's", yes(creg["CR3"] == t.stage2.address("page_tables")), "no")
    t.see("CR0.WP", bit(creg["CR0"], CR0_WP), 1, "read-only pages are so for the kernel too")
    t.see("virtual page 0, physical", t.page(0)[0], None, "not mapped")
    start = elf.address("__kernel_start")
    t.see("the kernel's text, physical and rights", t.page(start, "__kernel_start"),
          (t.seen["phys"], "R"), "read-only")
    t.see("the same through the direct map",
          t.page(elf.address("MM_DIRECT_MAP") + t.seen["phys"], "phys_to_virt(kernel_phys)"),
          (t.seen["phys"], "R"), "read-only there as well")
    loaders = t.stage2.address("stage2_boot_info")
    t.see("boot_info is reserved", yes(inside(loaders, PAGE, reserved)), "no",
          "the kernel has its copy")
    descriptor = elf.value("sizeof(struct page)")
    t.see("sizeof(struct page)", descriptor, 16, "0.39 % of RAM", str)
    for what, pfn in (("first", memory[0][0] // PAGE),
                      ("last", (memory[-1][0] + memory[-1][1]) // PAGE - 1)):
        phys, rights = t.page(MEM_MAP + pfn * descriptor,
                              f"pfn_to_page({pfn:#x}), the {what} frame")
        t.see("backed by reserved memory, writable",
              yes(phys is not None and inside(phys, PAGE, reserved) and rights == "W"), "yes")
    hole = (memory[-1][0] + memory[-1][1] + LARGE_PAGE - 1) // LARGE_PAGE * LARGE_PAGE // PAGE
    behind = MEM_MAP + hole * descriptor
    t.see("rights", t.page(behind, f"pfn_to_page({hole:#x}), above the last RAM")[1], "R",
          "the page of zeros")
    t.see("the descriptor there", t.x(behind, 2), [0, 0])
    frames = sum(size for _, size in memory) // PAGE
    t.see("bytes behind mem_map", t.variable(elf, "mm_report.mem_map_bytes"),
          range(frames * descriptor, 1 << 64), f"16 for each of {frames} frames, at least", str)
    t.seen["memory"], t.seen["reserved"] = memory, reserved


@stop("bp_buddy", "the first page",
      where="kernel/memory/setup.c, buddy_setup(): the first page was allocated, and given back",
      mode="long mode; the allocator is in charge from here on")
def buddy(t):
    """memblock has handed over all that it has and has not reserved, range by range, through the
    ordinary way of freeing. That is where the first page comes from: memory that the firmware
    reported, that the loader did not occupy, and that memblock did not allocate on the way here.

    The allocator's metadata is bits. A block of 2 MiB has a bitmap of 512 bits, "this frame is free".
    A gib, 1 GiB, has a bitmap of 512 bits, "all of this block is free", and one that tells which
    blocks' own bitmaps count. A shelf, 512 GiB, leads to its gibs; a zone to its shelves. Free memory
    of order k is an aligned run of 2^k set bits; there are no lists. So the tour can count the bits of zone DMA, which must come to its nr_free.

    In a block whose bitmap is in use the descriptors have a meaning. That of frame 0 says that the
    frame is reserved; that of the lowest free frame has the state word 0: it is no allocation's
    head."""
    elf = t.kernel
    listed = t.x(elf.address("zone_list"), elf.value("MAX_NR_ZONES") + 1, "g", "zone_list[]")
    zones = [t.table(elf, "struct zone", zone, 1, "start_pfn", "end_pfn", "present", "nr_free",
                     "shelf[0]", "managed", name=f"*zone_list[{i}]")[0]
             for i, zone in enumerate(listed[:listed.index(0)])]
    t.say(*(f"    *zone_list[{i}] {mem(z[0] * PAGE, (z[1] - z[0]) * PAGE)} present {z[2]} nr_free {z[3]}"
           for i, z in enumerate(zones)))
    t.see("present of all zones", sum(z[2] for z in zones),
          sum(size for _, size in t.seen["memory"]) // PAGE, "the frames of memblock.memory", str)
    reserved = regions(t, "reserved")
    t.see("nr_free of all zones", sum(z[3] for z in zones), free_frames(t.seen["memory"], reserved),
          "whole frames in memblock.memory and not in memblock.reserved", str)
    first = lowest_free(t, zones[0])
    size = elf.value("sizeof(struct page)")
    state = t.x(MEM_MAP + first * size, 1, "g", f"pfn_to_page({first:#x})->state, lowest free")[0]
    t.see("state", state, 0, "not the head of an allocation")
    state = t.x(MEM_MAP, 1, "g", "pfn_to_page(0)->state")[0]
    t.see("state", state, t.variable(elf, "state_cookie") | STATE_RESERVED,
          "state_cookie | STATE_RESERVED")
    t.seen["free"], t.seen["managed"] = sum(z[3] for z in zones), zones[0][5]


@stop("bp_cpus", "all processors",
      where="kernel/main.c, cpus_setup(): every processor that comes has come",
      mode="long mode on each of them; CPU 0 goes on to the prompt, the others sleep until there is "
           "work")
def cpus(t):
    """The firmware's list of processors, ACPI's MADT, has given each a number and the id of its APIC.
    CPU 0, the one that boots, has called the others by their ids, one after the other. Each began in
    real mode at 0x8000, as CPU 0 did in the boot sector, and came by a short way to long mode and to
    a stack of its own.

    A CPU has an area for itself, to which the base of GS leads: its number, its descriptor tables,
    what it asks of other CPUs, and its frame caches. percpus[] leads to the areas of all CPUs. With
    several CPUs Bochs 2.7 does not stop at every place, so the tour's machine has one. `make debug
    CPUS=4` has four, and gdb's command fp-cpus tells what each of them does here."""
    elf = t.kernel
    nr = t.variable(elf, "madt.nr_cpus")
    ids = t.x(elf.address("madt.apic_id"), nr, "w", "madt.apic_id[]")
    areas = t.x(elf.address("percpus"), nr, "g", "percpus[]")
    caches = t.x(elf.address("frame_caches"), nr, "g", "frame_caches[]")
    t.see("processors that are online", t.variable(elf, "nr_online"), nr, "those in the MADT", str)
    for cpu, area in enumerate(areas):
        fields = ("self", "number", "apic_id", "online")
        values = t.table(elf, "struct percpu", area, 1, *fields, name=f"*percpus[{cpu}]")[0]
        for what, value, should in zip(fields, values, (area, cpu, ids[cpu], 1)):
            t.see(f"percpus[{cpu}]->{what}", value, should)
        t.see(f"frame_caches[{cpu}]", caches[cpu], area + PERCPU_CACHES,
              "at PERCPU_CACHES of the area")
        limits = [t.x(caches[cpu] + elf.field("struct cpu_caches", "home[0].frames.cache." + name)[0],
                      1, unit, f"frame_caches[{cpu}]->home[0].frames.cache.{name}")[0]
                  for name, unit in (("limit", "g"), ("out_limit", "w"))]
        t.see("frames of zone DMA that its cache of single frames may hold", sum(limits),
              range(1, t.seen["managed"] // 64 // nr + 1),
              "all caches together at most a 64th of the zone", str)
    if t.seen["speaks"]:
        said = [found for line in t.console if (found := re.match(r"Memory: (\d+)K/", line))]
        t.see("KiB that the kernel says are available", int(said[-1][1]) if said else None,
              t.seen["free"] * PAGE // 1024, "what the zones had at the stop before", str)


def free_frames(memory, reserved):
    """Returns how many whole frames of memory no range of reserved touches; both lists of ranges are
    sorted and disjoint."""
    frames = 0
    for base, size in memory:
        start, end = base, base + size
        for taken, length in reserved:
            if taken < end and taken + length > start:
                frames += max(0, taken // PAGE - -(-start // PAGE))
                start = taken + length
        frames += max(0, end // PAGE - -(-start // PAGE))
    return frames


def lowest_free(t, zone):
    """Counts the free frames by the bits of the zone's one gib. Returns the lowest one."""
    elf, words = t.kernel, BITMAP_BITS // 64
    gib = t.x(zone[4] + elf.field("struct shelf", "gib")[0], 1, "g",
              "zone_list[0]->shelf[0]->gib[0]: its gib")[0]
    whole, opened = (children(t.x(gib + elf.field("struct gib", name)[0], words, "g",
                                  f"its {name}: blocks {what}"))
                     for name, what in (("free", "that are whole"), ("open", "with a bitmap in use")))
    blocks = gib + elf.value("sizeof(struct gib)")
    free = [block * BITMAP_BITS for block in whole]
    count = BITMAP_BITS * len(whole)
    for block in opened:
        bits = children(t.x(blocks + block * words * 8, words, "g", f"its block[{block}]"))
        free += [block * BITMAP_BITS + frame for frame in bits]
        count += len(bits)
    t.see("free frames by the bits of zone DMA", count, zone[3], "its nr_free", str)
    return min(free, default=0)


def children(words):
    """Returns the numbers of the bits that are set in words."""
    return [i for i in range(len(words) * 64) if words[i // 64] >> i % 64 & 1]
