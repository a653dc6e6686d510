/*
 * e820.h: corrects a memory map of the firmware, toward safety.
 *
 * The raw entries (include/e820.h) may overlap, be unsorted or empty, wrap around the end of the
 * address space, or have unknown types. e820_sanitize() turns them into sorted, disjoint ranges of
 * known types, merges neighbours of one type, and lists each correction it made. Where the map
 * leaves a doubt, memory becomes reserved.
 *
 * These are pure functions on the caller's memory; stage2, the kernel and replay all use them.
 */
#ifndef FIRSTPAGE_LIB_E820_H
#define FIRSTPAGE_LIB_E820_H

#include <stdbool.h>
#include <stdint.h>

#include "include/e820.h"

/* Ranges lie between borders: n entries have at most 2n borders, the legacy hole has two more. */
#define E820_MAX_RANGES      (2 * (E820_MAX_RAW + 1))
#define E820_MAX_CORRECTIONS 256

/* [base, base + size). The last range may end at 2^64; then base + size is 0. */
struct e820_range {
	uint64_t base;     /* physical address */
	uint64_t size;     /* bytes */
	uint32_t type;     /* enum e820_type */
	uint32_t reserved; /* 0 */
};

/* Kinds of corrections, each with what e820_sanitize() does. */
enum e820_what {
	E820_OVERLAP,      /* two entries, two types: RAM loses, otherwise the higher type wins */
	E820_DUPLICATE,    /* two entries of one type: merged */
	E820_ZERO_LENGTH,  /* an empty entry: dropped */
	E820_WRAP,         /* an entry beyond 2^64: cut there, and reserved if it was RAM */
	E820_UNKNOWN_TYPE, /* a type not in enum e820_type: reserved */
	E820_DISABLED,     /* RAM with attribute bit 0 clear: reserved */
	E820_LEGACY_HOLE,  /* RAM between 640 KiB and 1 MiB: reserved */
	E820_UNSORTED,     /* an entry that begins below the one before it: sorted */
	E820_WHAT_COUNT
};

struct e820_correction {
	uint64_t base; /* the memory concerned: [base, base + size) */
	uint64_t size;
	uint32_t what;  /* enum e820_what */
	uint32_t entry; /* index of the raw entry that was corrected */
};

/* What e820_sanitize() works on: see e820.c. Its contents mean nothing to the caller. */
struct e820_work {
	uint32_t nr_cells;
	uint32_t nr_leaves;                      /* a power of two, at least nr_cells */
	uint64_t border[2 * E820_MAX_RAW];       /* where cell i begins */
	uint64_t edges[2 * E820_MAX_RAW / 64];   /* bit i: a piece begins or ends there */
	uint64_t covered[2 * E820_MAX_RAW / 64]; /* bit i: the cell belongs to a piece */
	uint64_t floor[4 * E820_MAX_RAW];        /* the tree over the cells, as the other two */
	uint64_t low[4 * E820_MAX_RAW];
	uint64_t high[4 * E820_MAX_RAW];
};

/* A corrected map. It has about 170 KiB: make it static, a stack has no room for it. */
struct e820_map {
	uint32_t nr_ranges;
	uint32_t nr_corrections; /* may exceed E820_MAX_CORRECTIONS: only so many are listed */
	struct e820_range ranges[E820_MAX_RANGES];
	struct e820_correction corrections[E820_MAX_CORRECTIONS];
	struct e820_work work;
};

/*
 * Fills *map from nr raw entries, at most E820_MAX_RAW. Never fails. O(nr log nr), and for each
 * entry a look at 2 * nr bits, 64 at a time.
 */
void e820_sanitize(struct e820_map *map, const struct e820_entry *raw, uint32_t nr);

/* Returns the number of bytes of a type in the map. */
uint64_t e820_bytes(const struct e820_map *map, uint32_t type);

/*
 * Returns where the RAM ends that the address base lies in, or base if it lies in none. The map is
 * one of e820_sanitize(), so what begins there is no RAM. RAM up to 2^64 ends at 0.
 */
uint64_t e820_ram_until(const struct e820_map *map, uint64_t base);

/* Memory that is in use: [base, base + size), physical addresses. */
struct e820_taken {
	uint64_t base;
	uint64_t size;
};

/*
 * Returns the lowest physical address for size bytes of RAM: a multiple of align (a power of two),
 * at or above min, with the last byte below max, and without overlap with any of the nr_taken
 * ranges. Returns UINT64_MAX if there is none.
 */
uint64_t e820_find_ram(const struct e820_map *map, uint64_t size, uint64_t align, uint64_t min,
		       uint64_t max, const struct e820_taken *taken, uint32_t nr_taken);

/*
 * Returns the name that Linux prints for a type: "usable", "reserved", "ACPI data" and so on.
 * Returns NULL for an unknown type.
 */
const char *e820_type_name(uint32_t type);

/* Returns the name of a type. For an unknown type, writes "type N" to text and returns that. */
#define E820_TYPE_TEXT 16
const char *e820_type_text(uint32_t type, char text[E820_TYPE_TEXT]);

/*
 * Returns the name of a kind of correction, as replay's JSON and the monitor print it: "overlap",
 * "zero length" and so on. Returns NULL for any other number.
 */
const char *e820_what_name(uint32_t what);

#endif
