#include "kernel/picture/cells.h"

#include "arch/x86_64/paging.h"
#include "kernel/memory/steps.h"
#include "mm/hotplug.h"
#include "mm/memblock.h"
#include "mm/numa.h"
#include "mm/page_state.h"
#include "mm/zone.h"

const char *const picture_kind_names[NR_KINDS] = {
	[KIND_ABSENT] = "nothing",    [KIND_FIRMWARE] = "firmware",  [KIND_ACPI] = "ACPI data",
	[KIND_NVS] = "NVS",           [KIND_UNUSABLE] = "unusable",  [KIND_PMEM] = "persistent",
	[KIND_LEFT_OUT] = "left out", [KIND_ADDING] = "being added", [KIND_LEAVING] = "leaving",
	[KIND_RESERVED] = "reserved", [KIND_KERNEL] = "kernel",      [KIND_MEM_MAP] = "mem_map",
	[KIND_USED] = "in use",       [KIND_FREE] = "free",
};

struct frames {
	pfn_t start, end;
};

static struct frames kernel;                     /* the image */
static struct frames pieces[PICTURE_MAX_PIECES]; /* frames that hold mem_map */
static unsigned int nr_pieces;

/* ---- areas ---- */

/* Returns the kind of an E820 range that memblock does not have as RAM. */
static enum picture_kind kind_of_type(uint32_t type)
{
	switch (type) {
	case E820_TYPE_RAM:
		return KIND_LEFT_OUT;
	case E820_TYPE_ACPI:
		return KIND_ACPI;
	case E820_TYPE_NVS:
		return KIND_NVS;
	case E820_TYPE_UNUSABLE:
		return KIND_UNUSABLE;
	case E820_TYPE_PMEM:
	case E820_TYPE_PRAM:
		return KIND_PMEM;
	default:
		return KIND_FIRMWARE;
	}
}

/* Returns the frame after a range's last one. base + size is avoided, as it may be 2^64. */
static pfn_t range_end(const struct e820_range *range)
{
	return PFN_DOWN(range->base + (range->size - 1)) + 1;
}

/*
 * Narrows *gap, an area around the frame pfn, until no border of the range [start, end) lies within
 * it. If pfn lies in the range, *gap becomes what the two have in common, and the function returns
 * true. Otherwise it returns false: *gap then begins after a range that lies below pfn, ends before
 * one that lies above, and stays as it is if the two have no frame in common.
 */
static bool narrow(struct picture_area *gap, pfn_t pfn, pfn_t start, pfn_t end)
{
	if (start < gap->start)
		start = gap->start;
	if (end > gap->end)
		end = gap->end;
	if (start >= end)
		return false;
	if (pfn >= end) {
		gap->start = end;
		return false;
	}
	if (pfn < start) {
		gap->end = start;
		return false;
	}
	gap->start = start;
	gap->end = end;
	return true;
}

enum range_types { RAM_RANGES, OTHER_RANGES };

/*
 * Narrows area around pfn by the corrected map's ranges of RAM, or by all others. Returns whether
 * pfn lies in one of them; area->kind is then its kind.
 */
static bool find_range(struct picture_area *area, pfn_t pfn, enum range_types types)
{
	for (uint32_t i = 0; i < e820_map.nr_ranges; i++) {
		const struct e820_range *range = &e820_map.ranges[i];

		if ((range->type == E820_TYPE_RAM) != (types == RAM_RANGES))
			continue;
		if (narrow(area, pfn, PFN_DOWN(range->base), range_end(range))) {
			area->kind = kind_of_type(range->type);
			return true;
		}
	}
	return false;
}

/* Narrows area around pfn by the range that is being added or removed, as find_range() does. */
static bool find_work(struct picture_area *area, pfn_t pfn)
{
	const struct hotplug_work *work = &hotplug_work;

	if (!work->size ||
	    !narrow(area, pfn, PFN_DOWN(work->base), PFN_DOWN(work->base + work->size)))
		return false;
	area->ram = true;
	area->kind = work->leaving ? KIND_LEAVING : KIND_ADDING;
	return true;
}

struct picture_area picture_area_at(pfn_t pfn)
{
	struct picture_area area = { .end = MM_MAX_PFN, .kind = KIND_ABSENT };
	const struct memblock_region *region;

	if (find_work(&area, pfn))
		return area;
	for_each_mem_region(region) {
		area.ram = narrow(&area, pfn, memblock_region_memory_base_pfn(region),
				  memblock_region_memory_end_pfn(region));
		area.mixed = area.ram;
		if (area.ram)
			return area;
	}
	if (!find_range(&area, pfn, OTHER_RANGES))
		find_range(&area, pfn, RAM_RANGES);
	return area;
}

pfn_t picture_end_pfn(void)
{
	pfn_t end = PFN_UP(memblock_end_of_DRAM());

	if (e820_map.nr_ranges && range_end(&e820_map.ranges[e820_map.nr_ranges - 1]) > end)
		end = range_end(&e820_map.ranges[e820_map.nr_ranges - 1]);
	if (hotplug_work.size && PFN_DOWN(hotplug_work.base + hotplug_work.size) > end)
		end = PFN_DOWN(hotplug_work.base + hotplug_work.size);
	return end < MM_MAX_PFN ? end : MM_MAX_PFN;
}

/* ---- the pieces of mem_map ---- */

/* Adds the frames [start, end) to the pieces; merges them with the last one if the two touch. */
static void add_piece(pfn_t start, pfn_t end)
{
	struct frames *last = nr_pieces ? &pieces[nr_pieces - 1] : NULL;

	if (last && last->end == start)
		last->end = end;
	else if (last && last->start == end)
		last->start = start;
	else if (nr_pieces < PICTURE_MAX_PIECES)
		pieces[nr_pieces++] = (struct frames){ start, end };
}

/* Adds the frames behind the descriptors at the virtual addresses [virt, limit). */
static void add_descriptors(uintptr_t virt, uintptr_t limit)
{
	struct paging_leaf leaf;

	while (virt < limit && paging_walk(virt, &leaf)) {
		uint64_t left = leaf.size - (virt & (leaf.size - 1));

		if (left > limit - virt)
			left = limit - virt;
		add_piece(PFN_DOWN(leaf.phys), PFN_DOWN(leaf.phys + left));
		virt += left;
	}
}

void picture_cells_init(pfn_t kernel_start, pfn_t kernel_end)
{
	/* End of the descriptors already added: two near regions share a page of descriptors. */
	uintptr_t done = 0;
	unsigned long start, end;
	int i;

	kernel = (struct frames){ kernel_start, kernel_end };
	nr_pieces = 0;
	for_each_mem_pfn_range(i, NUMA_NO_NODE, &start, &end, NULL) {
		uintptr_t virt = (uintptr_t)pfn_to_page(start) & ~(PAGE_SIZE - 1);

		if (virt < done)
			virt = done;
		done = PAGE_ALIGN((uintptr_t)pfn_to_page(end));
		add_descriptors(virt, done);
	}
}

/* ---- counts ---- */

/* Returns how many frames [start, end) has in common with other. */
static uint64_t overlap(pfn_t start, pfn_t end, struct frames other)
{
	if (other.start > start)
		start = other.start;
	if (other.end < end)
		end = other.end;
	return start < end ? end - start : 0;
}

/*
 * Returns how many of the frames [start, end) memblock has reserved. Two regions may share a frame,
 * as they are rounded outward; it counts once.
 */
static uint64_t count_reserved(pfn_t start, pfn_t end)
{
	const struct memblock_region *region;
	uint64_t sum = 0;

	for_each_reserved_mem_region(region) {
		pfn_t region_end = memblock_region_reserved_end_pfn(region);

		if (region_end <= start)
			continue;
		sum += overlap(
		    start, end,
		    (struct frames){ memblock_region_reserved_base_pfn(region), region_end });
		start = region_end;
		if (start >= end)
			break;
	}
	return sum;
}

static uint64_t count_mem_map(pfn_t start, pfn_t end)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < nr_pieces; i++)
		sum += overlap(start, end, pieces[i]);
	return sum;
}

static void count_ram(pfn_t start, pfn_t end, struct picture_cell *cell)
{
	uint64_t reserved = count_reserved(start, end);
	uint64_t image = reserved ? overlap(start, end, kernel) : 0;
	uint64_t descriptors = reserved ? count_mem_map(start, end) : 0;
	uint64_t nr_free = nr_free_in_range(start, end);

	cell->frames[KIND_KERNEL] += image;
	cell->frames[KIND_MEM_MAP] += descriptors;
	cell->frames[KIND_RESERVED] += reserved - image - descriptors;
	cell->frames[KIND_FREE] += nr_free;
	cell->frames[KIND_USED] += end - start - reserved - nr_free;
}

void picture_count(pfn_t start, pfn_t end, struct picture_cell *cell)
{
	*cell = (struct picture_cell){ 0 };
	while (start < end) {
		struct picture_area area = picture_area_at(start);
		pfn_t to = area.end < end ? area.end : end;

		if (area.mixed)
			count_ram(start, to, cell);
		else
			cell->frames[area.kind] += to - start;
		start = to;
	}
}

bool picture_has_nodes(void)
{
	unsigned int nr = 0;

	for_each_online_node(nid)
		nr++;
	return nr > 1;
}

uint64_t picture_nodes(pfn_t start, pfn_t end)
{
	const struct memblock_region *r;
	uint64_t nodes = 0;

	for_each_mem_region(r)
		if (PHYS_PFN(r->base) < end && start < PHYS_PFN(r->base + r->size))
			nodes |= 1ull << memblock_get_region_node(r);
	return nodes;
}
