"""What a boot under each firmware fault must come to: the tables of tests/boot.py.

They hold words of FIRMWARE, and patterns of what stage2 or the command `bios` then prints.
"""
HALTED = "System halted."

# These boot, with the memory map that the firmware gives without faults.
SURVIVED = {
    "edd-missing": [r"read by CHS"],
    "edd-parameters-missing": [r"AX=4800: AH=01 carry", r"read by EDD"],
    "edd-broken": [r"read by CHS"],
    "edd-lies": [r"read by CHS"],
    "edd-ends-early": [r"EDD fails with status 04h \(sector not found\), going on by CHS",
                       r"read by CHS"],
    "geometry-zero": [r"read by EDD"],
    "geometry-missing": [r"AX=0800: AH=01 carry", r"read by EDD"],
    "reads-fail-first": [r"AX=4200: AH=80 carry", r"read by EDD"],
    "edd-missing reads-fail-first": [r"AX=02\w\w: AH=80 carry"],
    "max-sectors=1": [r"AX=4200: AH=01 carry", r"read by EDD"],
    "max-sectors=126": [r"AX=4200: AH=01 carry", r"read by EDD"],
    "edd-missing max-sectors=7": [r"AX=0207: AH=00"],
    "edd-moves-fewer=1": [r"read by EDD"],
    "edd-moves-fewer=16": [r"read by EDD"],
    "border-64k": [r"read by EDD"],
    "edd-missing border-64k": [r"read by CHS"],
    "low-memory-in-use": [],
    "a20-off": [r"AX=2401: AH=00"],
    "a20-off a20-bios-lies": [r"AX=2401: AH=00"],
    "ah88-missing": [],
    "e801-missing": [],
    "e820-opaque": [],
    "e820-carry-end": [r"fault: the list was ended by carry"],
    "e820-carry-kept": [r"AX=e820: AH=\w\w carry\n.*AX=e820: AH=\w\w, \d times$"],
    "e820-carry-kept e820-carry-end e820-opaque": [r"fault: the list was ended by carry"],
    "e820-changed-only": [],
    "e820-24": [r"^BIOS-e820: .* usable, attributes 0x1$"],
    "e820-24-zero": [r"usable, attributes 0x0$", r"corrected, 7 ranges, 0 corrections"],
    "e820-stray-attributes": [],
    "e820-overlong": [],
    "e820-endless": [r"the E820 list does not end", r"fault: the list did not end"],
    "e820-endless e820-opaque e820-24": [r"fault: the list did not end"],
    "trash-registers": [],
    "trash-high-halves": [r"INT 12h: 639 KiB"],
    "edd-missing trash-registers trash-high-halves": [r"read by CHS"],
    "flags-dirty": [r"E820 came back with interrupts on"],
    "low-kib=640": [r"INT 12h: 640 KiB"],
    "low-kib=447": [r"INT 12h reports 447 KiB .* E820 map has 63\d KiB and is believed$",
                    r"^INT 12h reports 447 KiB of low memory: what lies above stays reserved$"],
    "low-kib=200": [r"^INT 12h reports 200 KiB of low memory: what lies above stays reserved$"],
    "low-kib=0 flags-dirty trash-registers": [r"INT 12h reports 0 KiB .* is believed$"],
    "ram-garbage": [],
    "bpb-scribbled": [],
    "dl=0": [r"boot drive 0x80"],
    "dl=0x81": [r"boot drive 0x80"],
    "dl=255": [r"boot drive 0x80"],
    "entry-dirty": [],
    "entry-cli": [],
    "cs-07c0": [],
    "madt-dead=9": [r"^CPU 1 \(APIC 9\) does not start$"],
    "madt-duplicate": [r"^MADT: processors listed again, left out: 5$"],
    "madt-disabled=0": [r"^MADT: it does not list the processor that boots, APIC 0$"],
    "madt-fewer=0": [r"^MADT: it does not list the processor that boots, APIC 0$"],
    "madt-checksum": [r"^MADT: its checksum is wrong; it is used all the same$"],
    "madt-none": [r"^no MADT: one CPU$"],
    "shift-held": [r"^firstpage: safe mode \(SHIFT is held\)",
                   r"^firstpage: \[22\] A20$", r"^firstpage: INT 15h AX=e820 AH=..\.{6}$",
                   r"^firstpage: INT 13h AX=0201 AH=00\.{100}", r"^safe mode \(SHIFT was held\)",
                   r"^\[3c\] buddy allocator$", r"^safe mode: SHIFT was held; .*: 0x02$",
                   r"read by CHS"],
    "shift-held geometry-missing": [r"^firstpage: INT 13h AX=4200 AH=00\.{100}", r"read by EDD"],
}

# These boot, with a map from the next best source.
ANOTHER_MAP = {
    "e820-missing": [r"no E820 list, taken from INT 15h AX=E801h"],
    "e820-missing e801-ax-bx": [r"AX=E801h, 3 entries", r"^BIOS-e820: .*-0x0*7fdffff\] usable"],
    "e820-missing e801-cx-dx": [r"AX=E801h, 3 entries", r"^BIOS-e820: .*-0x0*7fdffff\] usable"],
    "e820-missing e801-bogus": [r"E801 claims more than 15 MiB",
                                r"^BIOS-e820: .*-0x0*7fdffff\] usable"],
    "e820-missing e801-missing": [r"no E820 list, taken from INT 15h AH=88h",
                                  r"^BIOS-e820: .*-0x0*3ffffff\] usable"],
    "e820-missing e801-carry-kept": [r"AX=E801h, 3 entries",
                                     r"^BIOS-e820: .*-0x0*7fdffff\] usable"],
    "e820-missing e801-unchanged": [r"no E820 list, taken from INT 15h AH=88h",
                                    r"^BIOS-e820: .*-0x0*3ffffff\] usable"],
    "e820-missing e801-too-much": [r"^BIOS-e820: .*-0x0*80cffff\] usable",
                                   r"^RAM \[mem 0x0*8000000-0x0*80cffff\]: .* not there: left out$"],
    "e820-missing e801-missing ah88-carry-kept": [r"taken from INT 15h AH=88h",
                                                  r"^BIOS-e820: .*-0x0*3ffffff\] usable"],
    "e820-missing trash-high-halves": [r"AX=E801h, 3 entries\nINT 12h: 639 KiB",  # no fault
                                       r"^BIOS-e820: .*-0x0*7fdffff\] usable"],
    "e820-missing e801-missing trash-high-halves": [r"^BIOS-e820: .*-0x0*3ffffff\] usable"],
    "e820-bottomless": [r"longer than 1024 entries", r"AX=E801h, 3 entries"],
    "e820-short": [r"less than 20 bytes", r"AX=E801h, 3 entries"],
    "e820-smap-lost": [r"lost its signature midway", r"AX=E801h, 3 entries"],
}

# These do not boot: a pattern of what is printed, and the end of the output.
REFUSED = {
    "reads-hang": (r"^firstpage: stage2 $", "firstpage: stage2 "),
    "e820-hangs": (r"^firstpage: stage2 20 21 22 23 $", "22 23 "),
    "e820-hangs shift-held": (r"^firstpage: \[23\] memory map from the BIOS$", "AX=e820"),
    "reads-fail": (r"firstpage: stage2 R80", "R80"),
    "reads-fail flags-dirty trash-registers": (r"firstpage: stage2 R80", "R80"),
    "edd-missing geometry-zero": (r"firstpage: stage2 R07", "R07"),
    "edd-broken geometry-missing": (r"firstpage: stage2 R01", "R01"),
    "edd-ends-early geometry-zero": (r"status 04h .*no geometry", HALTED),
    "sectors-of-4096": (r"drive 80h has sectors of 4096 bytes", HALTED),
    "e820-missing low-kib=447": (r"needed up to 512 KiB; INT 12h reports 447 KiB, and there is no E820",
                                 HALTED),
    "e820-missing low-kib=200": (r"needed up to 512 KiB; INT 12h reports 200 KiB, and", HALTED),
    "e820-missing low-kib=0 flags-dirty trash-registers": (r"INT 12h reports 0 KiB, and", HALTED),
    "e820-missing e801-unchanged ah88-unchanged": (
        r"(?s)taken from INT 12h alone\n.*no RAM between 1 MiB", HALTED),
    "e820-missing e801-missing ah88-missing": (
        r"(?s)taken from INT 12h alone\n.*no RAM between 1 MiB", HALTED),
}

# The firmware faults that a boot survives all at once.
ALL_SURVIVED = ("trash-registers trash-high-halves flags-dirty reads-fail-first border-64k "
                "max-sectors=16 edd-ends-early a20-off a20-bios-lies ram-garbage bpb-scribbled "
                "dl=255 entry-dirty entry-cli cs-07c0 low-memory-in-use low-kib=640 e820-opaque "
                "e820-carry-end e820-changed-only e820-overlong")

# The faults that are played without --all, and those that --all plays in Bochs too.
SAMPLE = ("edd-broken", "edd-missing max-sectors=7", "a20-off a20-bios-lies", "e820-endless",
          "e820-smap-lost", "low-kib=447",
          "e820-missing e801-unchanged", "ram-garbage", "dl=0", "reads-fail flags-dirty trash-registers",
          "edd-missing geometry-zero", "e820-missing e801-missing ah88-missing", "shift-held",
          "e820-hangs shift-held", "reads-hang")
BOCHS_ALONE = ("edd-broken", "edd-missing trash-registers trash-high-halves", "flags-dirty",
               "reads-fail-first", "a20-off a20-bios-lies", "e820-opaque", "e820-carry-end",
               "e820-carry-kept", "e820-changed-only", "low-kib=447", "ram-garbage", "entry-dirty",
               "cs-07c0", "dl=0")
