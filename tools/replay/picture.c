#include "tools/replay/picture.h"

#include "arch/x86_64/paging.h"
#include "kernel/memory/steps.h"
#include "mm/memblock.h"
#include "mm/page_state.h"
#include "tools/replay/zones.h"

struct picture picture;

static void collect_maps(const struct mapfile *map)
{
	for (uint32_t i = 0; i < map->nr; i++)
		spans_add(&picture.given, map->entries[i].base, map->entries[i].size,
			  map->entries[i].type);
	for (uint32_t i = 0; i < e820_map.nr_ranges; i++)
		spans_add(&picture.corrected, e820_map.ranges[i].base, e820_map.ranges[i].size,
			  e820_map.ranges[i].type);
	for (uint32_t i = 0; i < e820_map.nr_corrections && i < E820_MAX_CORRECTIONS; i++)
		spans_add(&picture.marks, e820_map.corrections[i].base,
			  e820_map.corrections[i].size, i);
}

/* Collects reserved memory in whole frames; ranges that touch or share a frame become one. */
static void collect_reserved(void)
{
	struct memblock_region *r;

	for_each_reserved_mem_region(r) {
		phys_addr_t base = PFN_PHYS(memblock_region_reserved_base_pfn(r));

		spans_add(&picture.reserved, base,
			  PFN_PHYS(memblock_region_reserved_end_pfn(r)) - base, 0);
	}
	spans_join(&picture.reserved);
}

/*
 * Collects the memory in which the descriptors lie, of each block with RAM: the page tables say
 * where it is.
 */
static void collect_mem_map(void)
{
	struct memblock_region *r;
	uintptr_t virt = 0;

	for_each_mem_region(r) {
		pfn_t first = PFN_DOWN(r->base) & ~(BLOCK_FRAMES - 1);
		pfn_t last = PFN_DOWN(r->base + r->size - 1) | (BLOCK_FRAMES - 1);
		uintptr_t from = mem_map_window(first);
		struct paging_leaf leaf;
		uint64_t rest;

		for (virt = from > virt ? from : virt; virt < mem_map_window(last + 1);
		     virt += rest) {
			if (!paging_walk(virt, &leaf))
				panic("mem_map has no memory at 0x%lx", (unsigned long)virt);
			rest = leaf.size - (virt & (leaf.size - 1));
			spans_add(&picture.places, leaf.phys, rest, PLACE_MEM_MAP);
		}
	}
}

static uint32_t largest_order(pfn_t start, pfn_t end)
{
	uint32_t order = GIB_ORDER;

	for (; order; order--) {
		pfn_t size = (pfn_t)1 << order;

		if (((start + size - 1) & ~(size - 1)) + size <= end)
			break;
	}
	return order;
}

/* Adds the frames [start, end) to the list, or to its last span if that is of the same. */
static void lengthen(struct spans *spans, pfn_t start, pfn_t end, uint32_t what)
{
	struct span *before = spans->nr ? &spans->at[spans->nr - 1] : NULL;

	if (before && before->what == what)
		before->last = PFN_PHYS(end) - 1;
	else
		spans_add(spans, PFN_PHYS(start), PFN_PHYS(end - start), what);
}

/* Collects the spans of zones and of nodes: RAM of one, with the holes in it. */
static void collect_zones(void)
{
	bool several = shown_nodes() > 1;
	struct memblock_region *r;
	pfn_t end;

	for_each_mem_region(r)
		for (pfn_t pfn = PHYS_PFN(r->base); pfn < PHYS_PFN(r->base + r->size); pfn = end) {
			unsigned int order;
			const struct zone *z = zone_around(pfn, &order);

			end = run_start(pfn, order) + ((pfn_t)1 << order);
			if (end > PHYS_PFN(r->base + r->size))
				end = PHYS_PFN(r->base + r->size);
			lengthen(&picture.zones, pfn == z->start_pfn ? shown_zone_start(z) : pfn,
				 end, z->id);
			if (several)
				lengthen(&picture.nodes, pfn, end, (uint32_t)z->node);
		}
}

static void collect_allocator(const struct e820_taken *kernel)
{
	pfn_t start = 0, end;

	collect_zones();
	collect_reserved();
	if (kernel->size)
		spans_add(&picture.places, kernel->base, kernel->size, PLACE_KERNEL);
	collect_mem_map();
	spans_join(&picture.places);
	for (; next_free_range(&start, &end); start = end)
		spans_add(&picture.blocks, PFN_PHYS(start), PFN_PHYS(end - start),
			  largest_order(start, end));
}

void picture_collect(const struct mapfile *map, const struct e820_taken *kernel)
{
	struct spans *const cuts[] = { &picture.given,     &picture.marks,
				       &picture.corrected, &picture.zones,
				       &picture.reserved,  &picture.places,
				       &picture.blocks,    NULL };

	picture.booted = kernel;
	collect_maps(map);
	if (kernel)
		collect_allocator(kernel);
	scale_make(&picture.scale, cuts);
}

const char *picture_letter(uint32_t type)
{
	switch (type) {
	case E820_TYPE_RAM:
		return "U";
	case E820_TYPE_RESERVED:
		return "R";
	case E820_TYPE_ACPI:
		return "A";
	case E820_TYPE_NVS:
		return "N";
	case E820_TYPE_UNUSABLE:
		return "X";
	case E820_TYPE_PMEM:
	case E820_TYPE_PRAM:
		return "P";
	default:
		return "?";
	}
}

const char *picture_place(uint32_t place)
{
	return place == PLACE_KERNEL ? "kernel" : "mem_map";
}

unsigned int picture_shade(uint32_t order)
{
	return order < BLOCK_ORDER ? 0 : order < GIB_ORDER ? 1 : 2;
}
