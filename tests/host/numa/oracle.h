/*
 * oracle.h: what numa_read() must make of a machine, found by a slow and simple method.
 *
 * The machine is a line of cells of equal size, several to a block, each RAM or not; the last cell
 * goes on to the end of the address space. Entries are numbers of cells and not bytes of a table.
 * The oracle asks of each cell which entry is the first that names it.
 */
#ifndef TESTS_HOST_NUMA_ORACLE_H
#define TESTS_HOST_NUMA_ORACLE_H

#include "lib/numa.h"

#define ORACLE_CELLS      192
#define ORACLE_ENTRIES    160
#define ORACLE_LOCALITIES 16

struct oracle_entry {
	bool is_cpu;
	bool disabled;
	bool wraps; /* its size exceeds the address space */
	uint32_t domain;
	uint32_t apic_id;  /* of a processor */
	uint32_t from, to; /* of memory: the cells [from, to) */
};

struct oracle_machine {
	uint64_t cell; /* bytes: NUMA_BLOCK divided by a power of two */
	uint32_t nr_cells;
	bool ram[ORACLE_CELLS]; /* not the last one */
	uint32_t nr_entries;
	struct oracle_entry entries[ORACLE_ENTRIES];
	uint32_t localities; /* of the SLIT; 0: there is none */
	uint8_t distance[ORACLE_LOCALITIES][ORACLE_LOCALITIES];
};

/*
 * Judges the map that numa_read() made of a machine, with all its corrections. Returns NULL, or
 * what does not hold, as text.
 */
const char *numa_oracle(const struct numa_map *judged, const struct oracle_machine *machine);

/*
 * Judges what holds for every map, whatever it was made of: its ranges are sorted and disjoint,
 * have whole blocks, begin and end at a block with RAM, cover all RAM, and differ in nid from their
 * neighbours; numbers of nodes and CPUs, distances and corrections are possible. Returns NULL, or
 * what does not hold, as text.
 */
const char *numa_invariants(const struct numa_map *judged, const struct numa_ram *ram,
			    uint32_t nr_ram);

#endif
