#include "tools/replay/zones.h"

#include "kernel/memory/steps.h"
#include "mm/numa.h"

/* The types that are always shown, and where each begins. */
static const struct {
	const char *name;
	pfn_t start;
} types[] = {
	[ZONE_DMA] = { "DMA", 0 },
	[ZONE_DMA32] = { "DMA32", PFN_DOWN(16ull << 20) },
	[ZONE_NORMAL] = { "Normal", PFN_DOWN(4ull << 30) },
};

#define NR_TYPES (sizeof(types) / sizeof(types[0]))

pfn_t shown_zone_start(const struct zone *z)
{
	if (z->type >= NR_TYPES)
		return z->start_pfn;
	for_each_zone(other)
		if (other->type == z->type && other->start_pfn < z->start_pfn)
			return z->start_pfn;
	return types[z->type].start;
}

unsigned int shown_zones(struct shown_zone shown[SHOWN_ZONES])
{
	unsigned int nr = 0;

	for (; nr < NR_TYPES; nr++)
		shown[nr] = (struct shown_zone){ types[nr].name, 0, types[nr].start,
						 types[nr].start, node_zone(0, nr) };
	for_each_zone(z) {
		unsigned int at = !z->node && z->type < NR_TYPES ? z->type : nr++;

		shown[at] =
		    (struct shown_zone){ z->name, z->node, shown_zone_start(z), z->end_pfn, z };
	}
	return nr;
}

unsigned int shown_nodes(void)
{
	unsigned int nr = 0;

	for_each_online_node(nid)
		nr++;
	return nr;
}

uint32_t nr_node_corrections(void)
{
	return numa_map ? numa_map->nr_corrections : 0;
}

uint32_t listed_node_corrections(void)
{
	uint32_t nr = nr_node_corrections();

	return nr < NUMA_MAX_CORRECTIONS ? nr : NUMA_MAX_CORRECTIONS;
}
