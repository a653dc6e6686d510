/*
 * numa.h: reads the firmware's tables of NUMA nodes, and corrects them.
 *
 * ACPI's SRAT (ACPI 6.4, section 5.2.16) says which memory and which processors belong to which
 * *domain*, a number of 32 bits; the SLIT (section 5.2.17) says how far the domains are from each
 * other. numa_read() makes *nodes* of the domains, with small numbers, and gives every block of RAM
 * to one of them. What the tables say is doubted as the memory map is: an entry that cannot be
 * right is corrected or left out, each correction is listed, and none costs the other entries.
 *
 * - An entry that is disabled or has length 0 is skipped, and is no correction. Memory that is
 *   hot-pluggable or non-volatile is memory like other: an entry only matters where there is RAM.
 * - Entries of one domain that touch or overlap are merged. Of two domains that claim the same
 *   memory, the one whose entry stands earlier in the table keeps it.
 * - RAM that no entry names belongs to the node of the nearest entry below it, which is the one
 *   that ends nearest; below all entries, to node 0.
 * - A block of 2 MiB that has RAM of several nodes belongs to the one that has most of it; of
 *   equals, to the lowest.
 * - Domains become nodes 0, 1, … in the order of their first RAM, to the byte; those without RAM
 *   follow, in rising order of their numbers. These are domains that only a processor's entry
 *   names, or an entry for memory that is not there, or the SLIT. What lies beyond NUMA_MAX_NODES
 *   goes to node 0.
 * - A SLIT that does not fit, because it is damaged, does not have all the domains of the SRAT, or
 *   has an impossible distance, is replaced by 10 for a node itself and 20 for any other. Without
 *   an SRAT that has an entry for memory, the SLIT is ignored.
 *
 * These are pure functions on the caller's memory; the kernel and replay use them.
 */
#ifndef FIRSTPAGE_LIB_NUMA_H
#define FIRSTPAGE_LIB_NUMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUMA_MAX_NODES       63
#define NUMA_MAX_ENTRIES     1024 /* memory entries that are looked at */
#define NUMA_MAX_RANGES      4096 /* half of them are working space: see numa.c */
#define NUMA_MAX_CPUS        1024 /* processor entries that are kept */
#define NUMA_MAX_CORRECTIONS 256

#define NUMA_BLOCK           0x200000ull /* bytes: nodes change at multiples of this alone */

#define NUMA_SLIT            UINT32_MAX /* in place of the index of an entry */

#define NUMA_LOCAL           10 /* the distance of a node to itself, by definition */
#define NUMA_REMOTE          20 /* the distance of two nodes of which nothing is known */

/* RAM, and memory that belongs to a node: [base, base + size), below 2^63. */
struct numa_ram {
	uint64_t base;
	uint64_t size;
};

struct numa_range {
	uint64_t base; /* a multiple of NUMA_BLOCK, as is size */
	uint64_t size;
	uint32_t nid;
	uint32_t reserved; /* 0 */
};

/* Kinds of corrections, each with what numa_read() does. */
enum numa_what {
	NUMA_BAD_SRAT,  /* the SRAT is damaged: all memory is node 0's */
	NUMA_BAD_SLIT,  /* the SLIT is damaged or does not fit: replaced by 10 and 20 */
	NUMA_CUT_SHORT, /* an entry ends beyond its table, or has no length: the rest is left out */
	NUMA_SHORT_ENTRY, /* an entry is too short for its type: left out */
	NUMA_WRAP,        /* an entry goes on beyond 2^64: cut there */
	NUMA_OVERLAP,     /* two domains claim the same memory: the earlier entry keeps it */
	NUMA_NO_ENTRY,    /* RAM that no entry names: the nearest node below has it, or node 0 */
	NUMA_SPLIT_BLOCK, /* nodes change inside a block: the one with most of its RAM has it */
	NUMA_TOO_MANY,    /* an entry for which there is no room, or whose domain became no node */
	NUMA_WHAT_COUNT
};

struct numa_correction {
	uint64_t base; /* the memory concerned: [base, base + size); 0 and 0 where it is none */
	uint64_t size;
	uint32_t what;  /* enum numa_what */
	uint32_t entry; /* index of the entry, from 0, skipped ones included; 0 where it is none;
			   NUMA_SLIT where the SLIT has too many localities */
};

struct numa_cpu {
	uint32_t apic_id;
	uint32_t nid;
};

/*
 * What numa_read() makes. It has about 115 KiB: make it static, a stack has no room for it. What
 * lies beyond the counts means nothing.
 *
 * The ranges are sorted and disjoint. They cover all RAM, each begins and ends at a block that has
 * some, and neighbours differ in nid: a hole between RAM of one node is part of its range.
 *
 * Corrections stand in this order: those of single entries and overlaps, by entry; RAM that no
 * entry names, by address; the SLIT; entries whose domain became no node; split blocks, by address.
 * Adjacent memory of the same kind and entry is one correction, while the list has room.
 */
struct numa_map {
	uint32_t nr_nodes; /* at least 1 */
	uint32_t nr_ranges;
	uint32_t nr_cpus;
	uint32_t nr_corrections; /* may exceed NUMA_MAX_CORRECTIONS: only so many are listed */
	uint32_t domain[NUMA_MAX_NODES];                  /* the SRAT's number of each node */
	uint8_t distance[NUMA_MAX_NODES][NUMA_MAX_NODES]; /* [from][to] */
	struct numa_range ranges[NUMA_MAX_RANGES];        /* as above */
	struct numa_cpu cpus[NUMA_MAX_CPUS];
	struct numa_correction corrections[NUMA_MAX_CORRECTIONS];
};

/*
 * All that numa_read() looks at. The tables are whole, with their ACPI headers, of which the length
 * field must not exceed srat_size or slit_size bytes; NULL: there is no such table. ram[] is the
 * RAM of the machine, sorted and disjoint.
 */
struct numa_input {
	const void *srat;
	size_t srat_size;
	const void *slit;
	size_t slit_size;
	const struct numa_ram *ram;
	uint32_t nr_ram;
};

/*
 * Fills *map from the tables. Never fails: without a usable SRAT there is one node, 0, that has all
 * RAM. Entries sorted by address take O(1) each, others O(NUMA_MAX_ENTRIES).
 */
void numa_read(struct numa_map *map, const struct numa_input *in);

/*
 * Fills *map with nodes that the user names, instead of the firmware: nr ranges [base, base + size)
 * of node nid, in any order. They are corrected as the entries of an SRAT are, except that the
 * numbers of nodes stay as they are, below NUMA_MAX_NODES: there are nodes from 0 to the highest
 * that is named. ram and nr_ram are as in numa_input.
 */
void numa_from_ranges(struct numa_map *map, const struct numa_range *given, uint32_t nr,
		      const struct numa_ram *ram, uint32_t nr_ram);

/*
 * Fills *map with `nodes` nodes, 1 to NUMA_MAX_NODES, of about equal RAM each, as Linux's
 * numa=fake=N does: RAM is cut from the lowest address upwards, at blocks. With fewer blocks of RAM
 * than nodes, the last nodes have none.
 */
void numa_fake(struct numa_map *map, uint32_t nodes, const struct numa_ram *ram, uint32_t nr_ram);

/*
 * Returns the name of a kind of correction, as replay's JSON prints it: "overlap", "no entry" and
 * so on. Returns NULL for any other number.
 */
const char *numa_what_name(uint32_t what);

/*
 * Writes a correction in words: "overlap [mem 0x…-0x…]: the earlier entry keeps it". Returns text.
 */
#define NUMA_CORRECTION_TEXT 160
const char *numa_correction_text(const struct numa_correction *correction,
				 char text[NUMA_CORRECTION_TEXT]);

#endif
