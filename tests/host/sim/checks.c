/*
 * checks.c: one function for each check; it returns whether the check holds. Checks of what may be
 * free trust the raw map, not the corrected one.
 */
#include "tests/host/sim/checks.h"

#include <stdlib.h>

#include "arch/x86_64/paging.h"
#include "mm/check.h"
#include "mm/memblock.h"
#include "mm/page_state.h"
#include "mm/zone.h"
#include "tests/host/sim/sim.h"

static const struct mapfile *given;
static const struct e820_taken *image;

/*
 * Returns whether [base, last], both inclusive because a range may end with the address space, and
 * [other, other + other_size) have a byte in common. The latter is cut at 2^64.
 */
static bool touches(uint64_t base, uint64_t last, uint64_t other, uint64_t other_size)
{
	uint64_t other_last = other + other_size - 1;

	if (!other_size)
		return false;
	if (other_last < other)
		other_last = UINT64_MAX;
	return base <= other_last && other <= last;
}

static bool sorted_disjoint_merged(void)
{
	for (uint32_t i = 1; i < e820_map.nr_ranges; i++) {
		const struct e820_range *a = &e820_map.ranges[i - 1], *b = &e820_map.ranges[i];

		if (b->base <= a->base || b->base - a->base < a->size)
			return false;
		if (b->base - a->base == a->size && b->type == a->type)
			return false;
	}
	return true;
}

static bool no_claimed_byte_is_free(void)
{
	pfn_t start = 0, end;

	for (; next_free_range(&start, &end); start = end)
		for (uint32_t i = 0; i < given->nr; i++)
			if (given->entries[i].type != E820_TYPE_RAM &&
			    touches(PFN_PHYS(start), PFN_PHYS(end) - 1, given->entries[i].base,
				    given->entries[i].size))
				return false;
	return true;
}

static bool no_reserved_byte_is_free(void)
{
	struct memblock_region *r;
	pfn_t start = 0, end;

	for (; next_free_range(&start, &end); start = end) {
		phys_addr_t base = PFN_PHYS(start), last = PFN_PHYS(end) - 1;

		for_each_reserved_mem_region(r)
			if (touches(base, last, r->base, r->size))
				return false;
		if (touches(base, last, image->base, image->size) || touches(base, last, 0, 1))
			return false;
		if (touches(base, last, 0xa0000, 0x60000))
			return false;
	}
	return true;
}

/* The allocator must have as many free frames as memblock has of RAM that is not reserved. */
static bool no_usable_frame_is_lost(void)
{
	phys_addr_t from, to;
	pfn_t start = 0, end;
	uint64_t expected = 0, i;
	uint64_t found = 0;

	drain_caches();
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &from, &to, NULL)
		if (PFN_DOWN(to) > PFN_UP(from))
			expected += PFN_DOWN(to) - PFN_UP(from);
	for (; next_free_range(&start, &end); start = end)
		found += end - start;
	return found == expected;
}

static bool all_whole_frames_of_ram_are_memory(void)
{
	uint64_t frames = 0;
	uint64_t limit = SIM_RAM_SIZE;

	for (uint32_t i = 0; i < e820_map.nr_ranges; i++) {
		const struct e820_range *r = &e820_map.ranges[i];
		uint64_t end = r->base + r->size;

		if (r->type != E820_TYPE_RAM || r->base >= limit)
			continue;
		if (end > limit || end < r->base)
			end = limit;
		if (PFN_DOWN(end) > PFN_UP(r->base))
			frames += PFN_DOWN(end) - PFN_UP(r->base);
	}
	return PFN_PHYS(frames) == memblock_phys_mem_size();
}

static bool zone_counts_agree(void)
{
	pfn_t start = 0, end;
	uint64_t all = 0;

	for_each_zone(z) {
		uint64_t counts[NR_ORDERS], blocks = 0, frames = 0;
		pfn_t from, to;
		int i;

		zone_free_blocks(z, counts);
		for (unsigned int k = 0; k < NR_ORDERS; k++)
			blocks += counts[k] << k;
		for_each_zone_pfn_range(i, z, &from, &to)
			frames += nr_free_in_range(from, to);
		if (blocks != z->nr_free || frames != z->nr_free || z->nr_free > z->present)
			return false;
		all += frames;
	}
	for (; next_free_range(&start, &end); start = end)
		all -= end - start;
	return !all;
}

/*
 * Returns whether all of [virt, virt + size) is mapped: to phys onwards, or, for ANY, to whatever
 * memory.
 */
#define ANY UINT64_MAX
static bool maps(uintptr_t virt, uint64_t size, phys_addr_t phys)
{
	for (uint64_t done = 0; done < size;) {
		struct paging_leaf leaf;

		if (!paging_walk(virt + done, &leaf))
			return false;
		if (phys != ANY && leaf.phys != phys + done)
			return false;
		done += leaf.size - ((virt + done) & (leaf.size - 1));
	}
	return true;
}

static bool direct_map_is_ram_and_only_ram(void)
{
	struct memblock_region *r;
	phys_addr_t before = 0;

	for_each_mem_region(r) {
		struct paging_leaf leaf;

		if (!maps(MM_DIRECT_MAP + r->base, r->size, r->base))
			return false;
		/* The bytes just below and just above must not be mapped, unless they are RAM. */
		if (r->base > before && paging_walk(MM_DIRECT_MAP + r->base - 1, &leaf))
			return false;
		if (paging_walk(MM_DIRECT_MAP + r->base + r->size, &leaf) &&
		    !memblock_is_memory(r->base + r->size))
			return false;
		before = r->base + r->size;
	}
	return true;
}

/*
 * The descriptors of all RAM must be mapped to memory that is reserved. Those of holes must be
 * mapped, so that they can be read; the ones behind RAM, if any, and the last ones stand for all.
 */
static bool every_frame_has_a_descriptor(void)
{
	struct memblock_region *r;
	pfn_t behind;

	for_each_mem_region(r) {
		uintptr_t virt = mem_map_window(PHYS_PFN(r->base));
		uint64_t size = PHYS_PFN(r->size) * sizeof(struct page);

		for (uint64_t done = 0; done < size;) {
			struct paging_leaf leaf;

			if (!paging_walk(virt + done, &leaf) || !memblock_is_reserved(leaf.phys))
				return false;
			done += leaf.size - ((virt + done) & (leaf.size - 1));
		}
	}
	behind = PHYS_PFN(memblock_end_of_DRAM());
	return (behind == MM_MAX_PFN || maps(mem_map_window(behind), sizeof(struct page), ANY)) &&
	       maps(mem_map_window(MM_MAX_PFN) - PAGE_SIZE, PAGE_SIZE, ANY);
}

static bool invariants_hold(void)
{
	return !mm_check();
}

/* page_state() must say what is known of the frames at the ends of ranges. */
static bool page_state_agrees(void)
{
	struct memblock_region *r;
	pfn_t start = 0, end;

	for (; next_free_range(&start, &end); start = end)
		if (page_state(start) != PAGE_FREE || page_state(end - 1) != PAGE_FREE ||
		    !pfn_valid(start) || page_head(start))
			return false;
	for_each_reserved_mem_region(r) {
		pfn_t pfn = PHYS_PFN(r->base);

		if (page_state(pfn) != (pfn_valid(pfn) ? PAGE_RESERVED : PAGE_ABSENT))
			return false;
	}
	return pfn_valid(MM_MAX_PFN - 1) || page_state(MM_MAX_PFN - 1) == PAGE_ABSENT;
}

/* Partly usable blocks are those in which one of memblock's free ranges begins or ends. */
static bool mem_map_is_touched_for_partly_usable_blocks_alone(void)
{
	phys_addr_t from, to;
	uint64_t blocks = 0, i;
	pfn_t counted = PFN_NONE;

	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &from, &to, NULL) {
		pfn_t borders[] = { PFN_UP(from), PFN_DOWN(to) };

		for (unsigned int k = 0; k < 2 && borders[0] < borders[1]; k++) {
			pfn_t block = borders[k] / BLOCK_FRAMES;

			if (borders[k] % BLOCK_FRAMES && block != counted) {
				blocks++;
				counted = block;
			}
		}
	}
	return mem_map_touched() == blocks * BLOCK_FRAMES * sizeof(struct page);
}

/*
 * Allocates everything, largest blocks first, and frees it again: each zone must then have as many
 * free frames as before.
 */
static bool all_can_be_allocated_and_freed(void)
{
	static const gfp_t from[] = { 0, __GFP_DMA32, __GFP_DMA };
	struct page *list = NULL;
	uint64_t before[NR_ZONE_NUMBERS] = { 0 }, sum = 0, taken = 0;

	for_each_zone(z) {
		before[z->id] = zone_nr_free_pages(z);
		sum += before[z->id];
	}
	for (unsigned int i = 0; i < sizeof(from) / sizeof(from[0]); i++)
		for (unsigned int order = NR_ORDERS; order-- > 0;) {
			struct page *page;

			while ((page = alloc_pages(from[i] | __GFP_HIGH, order))) {
				set_page_private(page, (unsigned long)list);
				list = page;
				taken += 1ull << order;
			}
		}
	for (struct page *next; list; list = next) {
		next = (struct page *)page_private(list);
		__free_pages(list, page_order(list));
	}
	for_each_zone(z)
		if (zone_nr_free_pages(z) != before[z->id])
			return false;
	return taken == sum && !mm_check();
}

/* Allocations of small orders open blocks whose descriptors were not written before. */
static bool opened_blocks_are_clean(void)
{
	enum { NR = 1500 };
	static struct page *held[NR];
	bool clean;

	for (unsigned int i = 0; i < NR; i++)
		held[i] = alloc_pages(__GFP_HIGH, i % 4);
	clean = !mm_check();
	for (unsigned int i = 0; i < NR; i++)
		if (held[i])
			__free_pages(held[i], i % 4);
	return clean && !mm_check();
}

/* Returns whether all of the region is memory that numa_map gives to the region's node. */
static bool is_on_its_node(const struct memblock_region *r)
{
	for (uint32_t i = 0; numa_map && i < numa_map->nr_ranges; i++) {
		const struct numa_range *range = &numa_map->ranges[i];

		if (r->base - range->base < range->size)
			return r->base + r->size <= range->base + range->size &&
			       memblock_get_region_node(r) == (int)range->nid;
	}
	return !numa_map && !memblock_get_region_node(r);
}

/* Each block of RAM must be of a zone of the node that it has, and no zone have other RAM. */
static bool zones_are_on_their_nodes(void)
{
	uint64_t frames[NR_ZONE_NUMBERS] = { 0 };
	struct memblock_region *r;

	for_each_mem_region(r) {
		pfn_t pfn = PHYS_PFN(r->base), end = PHYS_PFN(r->base + r->size), next;

		if (!is_on_its_node(r))
			return false;
		for (; pfn < end; pfn = next) {
			const struct zone *z = pfn_zone(pfn);

			next = run_start(pfn, BLOCK_ORDER) + BLOCK_FRAMES;
			if (next > end)
				next = end;
			if (z == &no_zone || z->node != memblock_get_region_node(r))
				return false;
			frames[z->id] += next - pfn;
		}
	}
	for_each_zone(z)
		if (frames[z->id] != z->present)
			return false;
	return true;
}

static const struct {
	const char *name;
	bool (*holds)(void);
} all_checks[] = {
	{ "the corrected map is sorted, disjoint and merged", sorted_disjoint_merged },
	{ "every whole frame of RAM is memory", all_whole_frames_of_ram_are_memory },
	{ "no byte that the map claims for others is free", no_claimed_byte_is_free },
	{ "no reserved byte is free", no_reserved_byte_is_free },
	{ "no usable frame is lost", no_usable_frame_is_lost },
	{ "zone counts, blocks and ranges agree", zone_counts_agree },
	{ "each zone's frames are its node's", zones_are_on_their_nodes },
	{ "the direct map is RAM and only RAM", direct_map_is_ram_and_only_ram },
	{ "every frame has a descriptor", every_frame_has_a_descriptor },
	{ "page_state agrees with memblock and the bits", page_state_agrees },
	{ "mem_map is touched for partly usable blocks alone",
	  mem_map_is_touched_for_partly_usable_blocks_alone },
	{ "mm_check finds every invariant kept", invariants_hold },
	{ "all free memory can be allocated, and freed again", all_can_be_allocated_and_freed },
	{ "blocks opened for small orders are clean", opened_blocks_are_clean },
	{ "no usable frame is lost after that", no_usable_frame_is_lost },
};
_Static_assert(sizeof(all_checks) / sizeof(all_checks[0]) <= CHECKS_MAX,
	       "results[] has room for all checks");

unsigned int checks_run(const struct mapfile *map, const struct e820_taken *kernel,
			struct check_result results[CHECKS_MAX])
{
	unsigned int nr = sizeof(all_checks) / sizeof(all_checks[0]);

	given = map;
	image = kernel;
	for (unsigned int i = 0; i < nr; i++) {
		results[i].name = all_checks[i].name;
		results[i].ok = all_checks[i].holds();
	}
	return nr;
}
