/*
 * e820.h: the layout of an entry of the BIOS's memory map, and its type numbers.
 *
 * INT 15h AX=E820h stores such entries (ACPI specification 6.4, section 15.1): 20 bytes (base,
 * size, type), since ACPI 3.0 24 bytes (with an attribute word). The loader reads the entries;
 * lib/e820.c corrects them for the kernel and for replay.
 */
#ifndef FIRSTPAGE_E820_H
#define FIRSTPAGE_E820_H

#include <stdint.h>

/* Types, numbered as in the ACPI specification, table 15-374; those that it lacks as in Linux. */
enum e820_type {
	E820_TYPE_RAM = 1,
	E820_TYPE_RESERVED = 2,
	E820_TYPE_ACPI = 3,     /* ACPI tables: could become RAM once read; firstpage keeps them */
	E820_TYPE_NVS = 4,      /* memory that the firmware keeps across sleep */
	E820_TYPE_UNUSABLE = 5, /* RAM with errors */
	E820_TYPE_PMEM = 7,     /* persistent memory */
	E820_TYPE_PRAM = 12,    /* persistent memory before ACPI 6 gave it number 7 */
};

#define E820_ATTR_ENABLED 0x1u /* attribute, ACPI 3.0: if clear, the entry must be ignored */

#define E820_MAX_RAW      1024 /* most entries of a map; the longest real one seen has 73 */

/* An entry as the BIOS returned it. No field of it can be trusted. */
struct e820_entry {
	uint64_t base;       /* physical address */
	uint64_t size;       /* bytes */
	uint32_t type;       /* enum e820_type, or a number that it lacks */
	uint32_t attributes; /* valid if length >= 24 */
	uint32_t length;     /* bytes that the BIOS says it stored: 20 or 24, rarely more */
	uint32_t reserved;   /* 0 */
};
_Static_assert(sizeof(struct e820_entry) == 32, "the same in 32- and 64-bit code");

#endif
