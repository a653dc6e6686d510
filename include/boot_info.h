/*
 * boot_info.h: the data that stage2 passes to the kernel, and the state in which it enters it.
 *
 * struct boot_info lies in one block below 1 MiB. It has no pointers and only fixed-width types, so
 * its layout is the same in 32-bit and 64-bit code. At the kernel's entry RDI holds its physical
 * address; the CPU is in long mode, interrupts are off, DF is clear, and the loader's page tables
 * map the first 4 GiB one to one and the kernel at its linked address. The kernel copies the block
 * and checks the copy before it uses anything of it: boot_info_is_wrong() in kernel/boot_info.h
 * says what is checked.
 */
#ifndef FIRSTPAGE_BOOT_INFO_H
#define FIRSTPAGE_BOOT_INFO_H

#include <stddef.h>
#include <stdint.h>

#include "include/e820.h"

#define BOOT_INFO_MAGIC        0x6567617074737266ull /* "frstpage" in memory order */
#define BOOT_INFO_VERSION      4u
#define BOOT_INFO_CMDLINE_SIZE 4096 /* bytes, the terminating 0 included */
#define BOOT_INFO_DROPPED_SIZE 40   /* the same */
#define BOOT_INFO_MAX_RANGES   16
#define BOOT_INFO_BIOS_CALLS   64

/* The BIOS function that the memory map comes from: E820, unless the firmware lacks it. */
enum boot_map_source { MAP_E820 = 1, MAP_E801 = 2, MAP_88 = 3, MAP_INT12 = 4 };

/* Faults of the BIOS, seen while the map was read: bits of map_faults. */
#define MAP_FAULT_SMAP_LOST    0x01u /* "SMAP" missing in a later answer: list discarded */
#define MAP_FAULT_ENDLESS      0x02u /* the list repeated itself: cut where it did */
#define MAP_FAULT_FULL         0x04u /* more than E820_MAX_RAW entries: list discarded */
#define MAP_FAULT_SHORT_ENTRY  0x08u /* fewer than 20 bytes returned: entry skipped */
#define MAP_FAULT_CARRY_END    0x10u /* ended by carry instead of EBX = 0, which is allowed */
#define MAP_FAULT_E801_BOGUS   0x20u /* E801's AX above 15 MiB: 15 MiB used */
#define MAP_FAULT_INTERRUPT_ON 0x40u /* a call returned with interrupts enabled */
#define MAP_FAULT_ALL          0x7fu

/* Faults of CMDLINE.TXT: bits of cmdline_faults. cmdline_replaced counts its wrong characters. */
#define CMDLINE_FAULT_MISSING  0x01u /* there is no such file: the line is empty */
#define CMDLINE_FAULT_CUT      0x02u /* the line is longer than cmdline[] and was cut */
#define CMDLINE_FAULT_MORE     0x04u /* text follows below the line, which does not count */
#define CMDLINE_FAULT_ALL      0x07u

/* The BIOS functions that read the boot disk: INT 13h AH=42h or AH=02h. */
enum boot_disk_method { DISK_EDD = 1, DISK_CHS = 2 };

/* Why stage2 is in safe mode (stage2/safe.c): a SHIFT key was held, or the option `safe`. */
enum boot_safe { SAFE_OFF, SAFE_SHIFT, SAFE_OPTION };

/* The points of the boot that have a time stamp: indexes of tsc[], in the order of the boot. */
enum boot_stage {
	STAGE_BOOTSECTOR, /* 0: the boot sector cannot tell whether there is a TSC */
	STAGE_STAGE2,     /* stage2 entered */
	STAGE_E820,       /* memory map read */
	STAGE_KERNEL,     /* kernel read and checked */
	STAGE_PROTECTED,  /* last BIOS call done */
	STAGE_LONG,       /* about to jump to the kernel */
	STAGE_COUNT = 8
};

enum boot_range_kind {
	RANGE_REAL_MODE = 1,   /* IVT, BIOS data, boot sector, real-mode stack */
	RANGE_STAGE2 = 2,      /* code, data, bounce buffer, stack */
	RANGE_PAGE_TABLES = 3, /* in use until the kernel's own are loaded */
	RANGE_BOOT_INFO = 4,   /* this block */
	RANGE_KERNEL = 5,      /* the kernel's image, .bss included */
};

/* Memory that the loader occupies: [base, base + size), physical addresses. */
struct boot_range {
	uint64_t base;
	uint64_t size;
	uint32_t kind; /* enum boot_range_kind */
	uint32_t reserved;
};

/*
 * A BIOS call, or several equal ones in succession: equal in interrupt, AX and outcome. Calls that
 * print on the screen are not recorded.
 */
struct boot_bios_call {
	uint8_t interrupt;
	uint8_t ah;     /* AH on return: the status of a disk call */
	uint16_t ax;    /* AX on entry */
	uint16_t flags; /* FLAGS on return; bit 0 is carry */
	uint16_t tries; /* number of equal calls */
};
_Static_assert(sizeof(struct boot_bios_call) == 8, "the same in 32- and 64-bit code");

struct boot_info {
	uint64_t magic;
	uint32_t version;
	uint32_t size;             /* bytes of this struct */
	uint32_t crc32;            /* of size bytes, computed with this field 0: lib/crc32.h */
	uint32_t boot_drive;       /* the BIOS's drive number */
	uint32_t disk_method;      /* enum boot_disk_method, the one used last */
	uint32_t map_source;       /* enum boot_map_source */
	uint32_t map_faults;       /* MAP_FAULT_* */
	uint32_t int12_kib;        /* INT 12h: KiB of low memory; 0 if it failed or gave > 640 */
	uint32_t ebda_segment;     /* the word at 40:0Eh, unchecked */
	uint32_t e820_count;       /* entries of e820[] */
	uint64_t rsdp;             /* physical address of the ACPI RSDP, 0 if none was found */
	uint64_t kernel_phys;      /* physical address of the image's first byte, 2 MiB aligned */
	uint64_t kernel_virt;      /* its virtual address */
	uint64_t kernel_size;      /* bytes in memory, .bss included, whole pages */
	uint64_t kernel_entry;     /* virtual address of the first instruction */
	uint64_t tsc[STAGE_COUNT]; /* time stamp counter; 0 if not known */
	uint32_t range_count;      /* entries of ranges[] */
	uint32_t bios_call_total; /* calls recorded; the ring bios_calls[] holds the last of them */
	uint32_t cmdline_faults;  /* CMDLINE_FAULT_* */
	uint32_t cmdline_replaced; /* number of its characters that were replaced by '?' */
	uint32_t safe;             /* enum boot_safe */
	uint32_t shift_flags;      /* keys held as stage2 began: INT 16h AH=02h */
	struct boot_range ranges[BOOT_INFO_MAX_RANGES];
	struct boot_bios_call bios_calls[BOOT_INFO_BIOS_CALLS]; /* call n is at n % size */
	char cmdline[BOOT_INFO_CMDLINE_SIZE];                   /* printable ASCII, ends with 0 */
	char dropped[BOOT_INFO_DROPPED_SIZE]; /* the same: the beginning of what was cut off it */
	struct e820_entry e820[E820_MAX_RAW]; /* exactly as the BIOS returned them */
};
_Static_assert(offsetof(struct boot_info, crc32) == 16, "no padding before");
_Static_assert(offsetof(struct boot_info, rsdp) == 48, "64-bit fields aligned in 32-bit code too");
_Static_assert(offsetof(struct boot_info, ranges) == 176, "the same in 32- and 64-bit code");
_Static_assert(sizeof(struct boot_info) == 176 + 16 * 24 + 64 * 8 + 4096 + 40 + 1024 * 32,
	       "the same in 32- and 64-bit code");
_Static_assert(sizeof(struct boot_info) <= 0x10000, "one 64 KiB slot of low memory");

#endif
