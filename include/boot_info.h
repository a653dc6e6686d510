/*
 * boot_info.h: what stage2 tells the kernel. The contract between the two, and all of it.
 *
 * One block below 1 MiB, without pointers, of fixed-width types, the same in 32- and 64-bit code.
 * RDI holds its physical address at the kernel's entry (long mode, interrupts off, DF clear).
 * The kernel checks magic, version, size, CRC and every count before it uses anything, and copies
 * what it keeps.
 */
#ifndef FIRSTPAGE_BOOT_INFO_H
#define FIRSTPAGE_BOOT_INFO_H

#include <stddef.h>
#include <stdint.h>

#include "include/e820.h"

#define BOOT_INFO_MAGIC        0x6567617074737266ull /* "frstpage" in memory order */
#define BOOT_INFO_VERSION      3u
#define BOOT_INFO_CMDLINE_SIZE 4096 /* with its terminating 0 */
#define BOOT_INFO_MAX_RANGES   16
#define BOOT_INFO_BIOS_CALLS   64

/* How the memory map was had. E820 unless the firmware lacks it. */
enum boot_map_source { MAP_E820 = 1, MAP_E801 = 2, MAP_88 = 3, MAP_INT12 = 4 };

/* Faults seen while it was had: bits of map_faults. */
#define MAP_FAULT_SMAP_LOST    0x01u /* "SMAP" missing in a later answer: list thrown away */
#define MAP_FAULT_ENDLESS      0x02u /* the list did not end: cut off */
#define MAP_FAULT_FULL         0x04u /* more than E820_MAX_RAW entries: list thrown away */
#define MAP_FAULT_SHORT_ENTRY  0x08u /* fewer than 20 bytes returned: entry skipped */
#define MAP_FAULT_CARRY_END    0x10u /* ended by carry instead of EBX = 0: allowed, noted */
#define MAP_FAULT_E801_BOGUS   0x20u /* E801's AX above 15 MiB: value bounded */
#define MAP_FAULT_INTERRUPT_ON 0x40u /* a call returned with interrupts enabled */
#define MAP_FAULT_ALL          0x7fu

/* What was wrong with CMDLINE.TXT, beside its bytes: bits of cmdline_faults. */
#define CMDLINE_FAULT_MISSING  0x01u /* no such file: no options */
#define CMDLINE_FAULT_CUT      0x02u /* longer than fits */
#define CMDLINE_FAULT_ALL      0x03u

/* How the boot disk was read. */
enum boot_disk_method { DISK_EDD = 1, DISK_CHS = 2 };

/* Why the safe ways are taken: stage2/safe.c. */
enum boot_safe { SAFE_OFF, SAFE_SHIFT, SAFE_OPTION };

/* Time stamps, TSC, in the order of the boot. */
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

/* [base, base + size), physical. */
struct boot_range {
	uint64_t base;
	uint64_t size;
	uint32_t kind;
	uint32_t reserved;
};

/* One BIOS call, screen output left out; with tries > 1, that many equal ones in succession. */
struct boot_bios_call {
	uint8_t interrupt;
	uint8_t ah;     /* AH on return: the disk services' status */
	uint16_t ax;    /* AX on entry */
	uint16_t flags; /* FLAGS on return; bit 0 is carry */
	uint16_t tries;
};
_Static_assert(sizeof(struct boot_bios_call) == 8, "the same in 32- and 64-bit code");

struct boot_info {
	uint64_t magic;
	uint32_t version;
	uint32_t size;         /* of this struct, bytes */
	uint32_t crc32;        /* IEEE, of size bytes with this field 0 */
	uint32_t boot_drive;   /* the BIOS's number, DL */
	uint32_t disk_method;  /* enum boot_disk_method, the one last used */
	uint32_t map_source;   /* enum boot_map_source */
	uint32_t map_faults;   /* MAP_FAULT_* */
	uint32_t int12_kib;    /* INT 12h: KiB of low memory; 0 when it failed */
	uint32_t ebda_segment; /* the word at 40:0Eh as it stands */
	uint32_t e820_count;
	uint64_t rsdp;        /* physical address of the ACPI RSDP, 0 when none was found */
	uint64_t kernel_phys; /* where the image's first byte (kernel_virt) lies; 2 MiB aligned */
	uint64_t kernel_virt;
	uint64_t kernel_size;  /* bytes in memory, .bss included, whole pages */
	uint64_t kernel_entry; /* virtual */
	uint64_t tsc[STAGE_COUNT];
	uint32_t range_count;
	uint32_t bios_call_total;  /* entries written; the ring has the last of them */
	uint32_t cmdline_faults;   /* CMDLINE_FAULT_* */
	uint32_t cmdline_replaced; /* bytes of it that are no printable ASCII, now '?' */
	uint32_t safe;             /* enum boot_safe */
	uint32_t shift_flags;      /* INT 16h AH=02h: the keys held as stage2 began */
	struct boot_range ranges[BOOT_INFO_MAX_RANGES];
	struct boot_bios_call bios_calls[BOOT_INFO_BIOS_CALLS]; /* entry n is at n % size */
	char cmdline[BOOT_INFO_CMDLINE_SIZE];                   /* printable ASCII, ends with 0 */
	struct e820_entry e820[E820_MAX_RAW];
};
_Static_assert(offsetof(struct boot_info, crc32) == 16, "no padding before");
_Static_assert(offsetof(struct boot_info, rsdp) == 48, "64-bit fields aligned in 32-bit code too");
_Static_assert(offsetof(struct boot_info, ranges) == 176, "the same in 32- and 64-bit code");
_Static_assert(sizeof(struct boot_info) == 176 + 16 * 24 + 64 * 8 + 4096 + 1024 * 32,
	       "the same in 32- and 64-bit code");
_Static_assert(sizeof(struct boot_info) <= 0x10000, "one 64 KiB slot of low memory");

#endif
