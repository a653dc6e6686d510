/*
 * zones.h: the zones and nodes as replay shows them. The allocator has zones for RAM alone. replay
 * shows DMA, DMA32 and Normal of node 0 of every machine, and each of the others that has RAM.
 */
#ifndef TOOLS_REPLAY_ZONES_H
#define TOOLS_REPLAY_ZONES_H

#include "mm/zone.h"

struct shown_zone {
	const char *name;
	int node;
	pfn_t start;             /* of the first zone of a type: where the type begins */
	pfn_t end;               /* of its last RAM; start when it has none */
	const struct zone *zone; /* &no_zone when it has no RAM */
};

#define SHOWN_ZONES NR_ZONE_NUMBERS

/* Fills shown[] from the last sim_boot(), in the order of nodes and types. Returns how many. */
unsigned int shown_zones(struct shown_zone shown[SHOWN_ZONES]);

/* Returns the frame at which the zone of that number, which has RAM, is shown to begin. */
pfn_t shown_zone_start(const struct zone *z);

/* Returns the number of nodes. Where there is one alone, neither text nor picture names it. */
unsigned int shown_nodes(void);

/* Return the number of corrections of what was said of nodes, and how many numa_map lists. */
uint32_t nr_node_corrections(void);
uint32_t listed_node_corrections(void);

#endif
