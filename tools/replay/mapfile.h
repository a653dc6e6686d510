/*
 * mapfile.h: reads the memory map of another machine, from a map file or from a log of Linux.
 *
 *   0x0 0x9f800 1                                    start length type [attributes]; # comments
 *   node 1 0x40000000 0x40000000                     node start length: this memory is node 1's
 *   BIOS-e820: [mem 0x0000000000000000-0x000000000009f7ff] usable    since 3.4, end inclusive
 *   BIOS-e820: 0000000000000000 - 000000000009f800 (usable)          2.4 to 3.3, end exclusive
 *   BIOS-e820: 000000000009f800 @ 0000000000000000 (usable)          before 2.4.4, size @ start
 *
 * If any line holds "BIOS-e820:", the text is a log: its other lines are skipped, and so is
 * whatever stands before the word in a line, such as a time stamp or the name of a host.
 */
#ifndef TOOLS_REPLAY_MAPFILE_H
#define TOOLS_REPLAY_MAPFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "include/e820.h"
#include "lib/numa.h"

struct mapfile {
	uint32_t nr;
	uint32_t nr_nodes; /* node lines */
	struct e820_entry entries[E820_MAX_RAW];
	struct numa_range nodes[NUMA_MAX_ENTRIES]; /* as given: in any order, of any size */
	unsigned int line; /* where the error is, from 1; 0: it concerns the whole file */
	const char *error; /* what is wrong, in words; NULL: nothing */
};

/*
 * Parses size bytes of text, which may hold anything, into map->entries and map->nodes. Returns 0,
 * or -1 with map->line and map->error set.
 */
int mapfile_parse(struct mapfile *map, const char *text, size_t size);

/* Reads the first 64 KiB of the file called name and parses them; returns whether both worked. */
bool mapfile_read(struct mapfile *map, const char *name);

#endif
