#include "tools/replay/print.h"

#include <stdio.h>

#include "arch/x86_64/paging.h"
#include "lib/format.h"
#include "lib/numa.h"
#include "mm/memblock.h"
#include "mm/numa.h"
#include "mm/page_state.h"
#include "tests/host/sim/sim.h"
#include "tools/replay/zones.h"

/* ---- JSON ---- */

/* Returns what stands before an element of a list: nothing before the first, else a comma. */
static const char *comma(bool *first)
{
	const char *c = *first ? "" : ",";

	*first = false;
	return c;
}

static void json_e820(void)
{
	bool first = true;

	printf("{\"e820\":[");
	for (uint32_t i = 0; i < e820_map.nr_ranges; i++)
		printf("%s\n {\"base\":\"0x%llx\",\"size\":\"0x%llx\",\"type\":%u}", comma(&first),
		       ULL(e820_map.ranges[i].base), ULL(e820_map.ranges[i].size),
		       e820_map.ranges[i].type);
	printf("],\n\"corrections\":[");
	first = true;
	for (uint32_t i = 0; i < e820_map.nr_corrections && i < E820_MAX_CORRECTIONS; i++)
		printf("%s\n {\"what\":\"%s\",\"base\":\"0x%llx\",\"size\":\"0x%llx\"}",
		       comma(&first), e820_what_name(e820_map.corrections[i].what),
		       ULL(e820_map.corrections[i].base), ULL(e820_map.corrections[i].size));
	printf("],\n");
}

static void json_memblock(void)
{
	struct memblock_region *r;
	bool first = true;

	printf("\"memory\":[");
	for_each_mem_region(r)
		printf("%s\n {\"base\":\"0x%llx\",\"size\":\"0x%llx\",\"node\":%d}", comma(&first),
		       ULL(r->base), ULL(r->size), memblock_get_region_node(r));
	printf("],\n\"reserved\":[");
	first = true;
	for_each_reserved_mem_region(r)
		printf("%s\n {\"base\":\"0x%llx\",\"size\":\"0x%llx\"}", comma(&first),
		       ULL(r->base), ULL(r->size));
	printf("],\n");
}

static void json_zone(const struct shown_zone *shown)
{
	uint64_t counts[NR_ORDERS];
	bool first = true;

	zone_free_blocks(shown->zone, counts);
	printf("{\"name\":\"%s\",\"node\":%d,\"start_pfn\":%llu,\"end_pfn\":%llu,"
	       "\"present\":%llu,\"free\":%llu,\"free_blocks\":[",
	       shown->name, shown->node, ULL(shown->start), ULL(shown->end),
	       ULL(shown->zone->present), ULL(zone_nr_free_pages(shown->zone)));
	for (unsigned int k = 0; k < NR_ORDERS; k++)
		printf("%s%llu", comma(&first), ULL(counts[k]));
	printf("]}");
}

static void json_node(int nid)
{
	bool first = true;

	printf("{\"node\":%d,\"size\":%llu,\"free\":%llu,\"cpus\":[", nid,
	       ULL(PFN_PHYS(node_present_pages(nid))), ULL(PFN_PHYS(node_free_pages(nid))));
	for (uint32_t i = 0; numa_map && i < numa_map->nr_cpus; i++)
		if (numa_map->cpus[i].nid == (uint32_t)nid)
			printf("%s%u", comma(&first), numa_map->cpus[i].apic_id);
	printf("],\"distances\":[");
	first = true;
	for_each_online_node(to)
		printf("%s%u", comma(&first), node_distance(nid, to));
	printf("]}");
}

static void json_nodes(void)
{
	bool first = true;

	printf("\"nodes\":[");
	for_each_online_node(nid) {
		printf("%s\n ", comma(&first));
		json_node(nid);
	}
	printf("],\n\"numa_corrections\":[");
	first = true;
	for (uint32_t i = 0; i < listed_node_corrections(); i++)
		printf("%s\n {\"what\":\"%s\",\"base\":\"0x%llx\",\"size\":\"0x%llx\"}",
		       comma(&first), numa_what_name(numa_map->corrections[i].what),
		       ULL(numa_map->corrections[i].base), ULL(numa_map->corrections[i].size));
	printf("],\n");
}

static void json_allocator(void)
{
	static struct shown_zone shown[SHOWN_ZONES];
	unsigned int nr = shown_zones(shown);
	bool first = true;
	pfn_t start = 0, end;

	printf("\"zones\":[");
	for (unsigned int i = 0; i < nr; i++) {
		printf("%s\n ", comma(&first));
		json_zone(&shown[i]);
	}
	printf("],\n\"free\":[");
	first = true;
	for (; next_free_range(&start, &end); start = end)
		printf("%s\n {\"base\":\"0x%llx\",\"size\":\"0x%llx\"}", comma(&first),
		       ULL(PFN_PHYS(start)), ULL(PFN_PHYS(end - start)));
	printf("],\n\"mem_map\":{\"bytes_per_frame\":%zu,\"bytes\":%llu,\"allocator_bytes\":%llu,"
	       "\"page_table_bytes\":%llu},\n",
	       sizeof(struct page), ULL(sim_mem_map_bytes), ULL(zones_bytes),
	       ULL(paging_table_bytes()));
}

void print_json(void)
{
	json_e820();
	json_memblock();
	json_nodes();
	json_allocator();
}

void print_json_checks(const struct check_result *checks, unsigned int nr)
{
	bool first = true;

	printf("\"checks\":[");
	for (unsigned int i = 0; i < nr; i++)
		printf("%s\n {\"name\":\"%s\",\"ok\":%s}", comma(&first), checks[i].name,
		       checks[i].ok ? "true" : "false");
	printf("]}\n");
}

/* ---- text ---- */

static void text_e820(const struct mapfile *map)
{
	char type[E820_TYPE_TEXT];

	printf("As given, %u entries:\n", map->nr);
	for (uint32_t i = 0; i < map->nr; i++) {
		const struct e820_entry *e = &map->entries[i];

		printf("  [mem 0x%016llx-0x%016llx] %s", ULL(e->base), ULL(e->base + e->size - 1),
		       e820_type_text(e->type, type));
		if (e->length >= 24)
			printf(", attributes 0x%x", e->attributes);
		printf("\n");
	}
	printf("Corrected, %u ranges, %u corrections:\n", e820_map.nr_ranges,
	       e820_map.nr_corrections);
	for (uint32_t i = 0; i < e820_map.nr_ranges; i++) {
		const struct e820_range *r = &e820_map.ranges[i];

		printf("  [mem 0x%016llx-0x%016llx] %s\n", ULL(r->base), ULL(r->base + r->size - 1),
		       e820_type_text(r->type, type));
	}
	for (uint32_t i = 0; i < e820_map.nr_corrections && i < E820_MAX_CORRECTIONS; i++) {
		const struct e820_correction *c = &e820_map.corrections[i];

		printf("  entry %u, %s: [mem 0x%016llx-0x%016llx]\n", c->entry,
		       e820_what_name(c->what), ULL(c->base), ULL(c->base + c->size - 1));
	}
}

/* Prints the node's processors, by their APIC ids. */
static void text_cpus(int nid)
{
	const char *before = ", APIC ids ";

	for (uint32_t i = 0; numa_map && i < numa_map->nr_cpus; i++) {
		if (numa_map->cpus[i].nid != (uint32_t)nid)
			continue;
		printf("%s%u", before, numa_map->cpus[i].apic_id);
		before = " ";
	}
}

static void text_nodes(void)
{
	char text[NUMA_CORRECTION_TEXT];

	if (shown_nodes() > 1) {
		printf("Nodes, with their RAM, what is free, and how far they are from each:\n");
		for_each_online_node(nid) {
			printf("  node %d: %llu KiB, %llu KiB free", nid,
			       ULL(node_present_pages(nid) << (PAGE_SHIFT - 10)),
			       ULL(node_free_pages(nid) << (PAGE_SHIFT - 10)));
			text_cpus(nid);
			printf(", distances");
			for_each_online_node(to)
				printf(" %u", node_distance(nid, to));
			printf("\n");
		}
	}
	if (nr_node_corrections())
		printf("Corrections of the nodes, %u:\n", nr_node_corrections());
	for (uint32_t i = 0; i < listed_node_corrections(); i++)
		printf("  %s\n", numa_correction_text(&numa_map->corrections[i], text));
}

static void text_allocator(void)
{
	static struct shown_zone shown[SHOWN_ZONES];
	unsigned int nr = shown_zones(shown);
	pfn_t start = 0, end;

	for (unsigned int i = 0; i < nr; i++) {
		uint64_t counts[NR_ORDERS];

		zone_free_blocks(shown[i].zone, counts);
		printf("Node %d, zone %8s ", shown[i].node, shown[i].name);
		for (unsigned int k = 0; k < NR_ORDERS; k++)
			printf("%6llu ", ULL(counts[k]));
		printf("\n");
	}
	for (; next_free_range(&start, &end); start = end)
		printf("free [mem 0x%016llx-0x%016llx]\n", ULL(PFN_PHYS(start)),
		       ULL(PFN_PHYS(end) - 1));
	printf("mem_map %llu KiB, allocator %llu KiB, page tables %llu KiB\n",
	       ULL(sim_mem_map_bytes >> 10), ULL(zones_bytes >> 10),
	       ULL(paging_table_bytes() >> 10));
	if (sim_left_out)
		printf("not used, because it lies beyond 64 TiB: %llu KiB of RAM\n",
		       ULL(sim_left_out >> 10));
}

void print_text(const struct mapfile *map)
{
	text_e820(map);
	text_nodes();
	text_allocator();
}

void print_text_checks(const struct check_result *checks, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		printf("%s - %s\n", checks[i].ok ? "ok" : "not ok", checks[i].name);
}
