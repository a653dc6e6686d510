/*
 * e820.h: what a memory map says, made safe.
 *
 * e820_sanitize() turns raw entries (include/e820.h: overlapping, unsorted, empty, wrapping, of
 * unknown type) into sorted, disjoint, typed ranges with neighbours of a type merged, and lists
 * each correction it made. Doubt is resolved to "reserved". Pure functions on caller's memory:
 * stage2, the kernel and replay compile them alike.
 */
#ifndef FIRSTPAGE_LIB_E820_H
#define FIRSTPAGE_LIB_E820_H

#include <stdbool.h>
#include <stdint.h>

#include "include/e820.h"

/* n entries have at most 2n borders, the legacy hole two more; ranges lie between borders. */
#define E820_MAX_RANGES      (2 * (E820_MAX_RAW + 1))
#define E820_MAX_CORRECTIONS 256

/* [base, base + size); base + size may be 2^64, which reads as 0. */
struct e820_range {
	uint64_t base;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

enum e820_what {
	E820_OVERLAP,      /* claimed as two types: anything beats RAM, then the higher type wins */
	E820_DUPLICATE,    /* two entries of the same type claim it */
	E820_ZERO_LENGTH,  /* an empty entry: dropped */
	E820_WRAP,         /* passes 2^64: cut there; if RAM, reserved */
	E820_UNKNOWN_TYPE, /* reserved */
	E820_DISABLED,     /* RAM whose attribute bit 0 is clear: reserved */
	E820_LEGACY_HOLE,  /* RAM between 640 KiB and 1 MiB: reserved */
	E820_UNSORTED,     /* starts below the entry before it */
	E820_WHAT_COUNT
};

struct e820_correction {
	uint64_t base;
	uint64_t size;
	uint32_t what;  /* enum e820_what */
	uint32_t entry; /* index of the raw entry it is about */
};

/* About 58 KiB: static, never on a stack. */
struct e820_map {
	uint32_t nr_ranges;
	uint32_t nr_corrections; /* all of them; the first E820_MAX_CORRECTIONS are listed */
	struct e820_range ranges[E820_MAX_RANGES];
	struct e820_correction corrections[E820_MAX_CORRECTIONS];
};

/*
 * Fills map from nr (at most E820_MAX_RAW) raw entries. Time: O(nr^2) at worst, O(nr) for a sorted
 * list without overlaps. Never fails.
 */
void e820_sanitize(struct e820_map *map, const struct e820_entry *raw, uint32_t nr);

/* Total bytes of a type. */
uint64_t e820_bytes(const struct e820_map *map, uint32_t type);

/*
 * The lowest multiple of align (a power of two) in [min, max) at which size bytes of RAM lie, all
 * below max, clear of the nr_taken ranges in taken. UINT64_MAX when there is none.
 */
struct e820_taken {
	uint64_t base;
	uint64_t size;
};
uint64_t e820_find_ram(const struct e820_map *map, uint64_t size, uint64_t align, uint64_t min,
		       uint64_t max, const struct e820_taken *taken, uint32_t nr_taken);

/* Returns "usable", "reserved", "ACPI data", …: Linux's words; NULL for a type that has no name. */
const char *e820_type_name(uint32_t type);

/* Returns the name of type, or "type N" in text where it has none. */
#define E820_TYPE_TEXT 16
const char *e820_type_text(uint32_t type, char text[E820_TYPE_TEXT]);

/* "overlap", "zero length", …: one word or two, as replay's JSON and the monitor print them. */
const char *e820_what_name(uint32_t what);

#endif
