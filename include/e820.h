/*
 * e820.h: the shape of an E820 entry and the type numbers.
 *
 * What INT 15h AX=E820h stores (ACPI specification 6.4, section 15.1): 20 bytes (base, size,
 * type), from ACPI 3.0 on 24 (and an attribute word). Shared by the loader, which asks, and by
 * all who read the answer: lib/e820.c corrects it, the kernel and replay use it.
 */
#ifndef FIRSTPAGE_E820_H
#define FIRSTPAGE_E820_H

#include <stdint.h>

/* Type numbers as in the ACPI specification, table 15-374, and Linux where the table is silent. */
enum e820_type {
	E820_TYPE_RAM = 1,
	E820_TYPE_RESERVED = 2,
	E820_TYPE_ACPI = 3,     /* tables; RAM again after they were read, never here */
	E820_TYPE_NVS = 4,      /* firmware keeps it across sleep */
	E820_TYPE_UNUSABLE = 5, /* RAM with errors */
	E820_TYPE_PMEM = 7,     /* persistent memory */
	E820_TYPE_PRAM = 12,    /* persistent memory before ACPI 6 gave it number 7 */
};

#define E820_ATTR_ENABLED 0x1u /* ACPI 3.0: bit 0 clear means "ignore this entry" */

#define E820_MAX_RAW      1024 /* entries kept of what the BIOS returns; most seen: 73 */

/* One entry as the BIOS returned it; nothing about it may be relied on. */
struct e820_entry {
	uint64_t base;
	uint64_t size;
	uint32_t type;
	uint32_t attributes; /* valid when length >= 24 */
	uint32_t length;     /* bytes the BIOS says it stored: 20 or 24, rarely more */
	uint32_t reserved;   /* 0 */
};
_Static_assert(sizeof(struct e820_entry) == 32, "the same in 32- and 64-bit code");

#endif
