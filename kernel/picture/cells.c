/*
 * cells.c: see cells.h.
 */
#include "kernel/picture/cells.h"

#include "arch/x86_64/paging.h"
#include "kernel/memory/steps.h"
#include "mm/memblock.h"
#include "mm/page_state.h"
#include "mm/zone.h"

const char *const picture_kind_names[NR_KINDS] = {
	[KIND_ABSENT] = "nothing",    [KIND_FIRMWARE] = "firmware", [KIND_ACPI] = "ACPI data",
	[KIND_NVS] = "NVS",           [KIND_UNUSABLE] = "unusable", [KIND_PMEM] = "persistent",
	[KIND_LEFT_OUT] = "left out", [KIND_RESERVED] = "reserved", [KIND_KERNEL] = "kernel",
	[KIND_MEM_MAP] = "mem_map",   [KIND_USED] = "in use",       [KIND_FREE] = "free",
};

struct frames {
	pfn_t start, end;
};

static struct frames kernel;
static struct frames pieces[PICTURE_MAX_PIECES]; /* of mem_map */
static unsigned int nr_pieces;

/* ---- areas ---- */

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

/* A range may end at 2^64. */
static pfn_t range_end(const struct e820_range *range)
{
	return PFN_DOWN(range->base + (range->size - 1)) + 1;
}

/* Narrows the gap around pfn by [start, end); true when pfn lies in it: the gap is that part. */
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

/* Among the map's ranges of RAM, or among all others. */
static bool find_range(struct picture_area *area, pfn_t pfn, bool ram)
{
	for (uint32_t i = 0; i < e820_map.nr_ranges; i++) {
		const struct e820_range *range = &e820_map.ranges[i];

		if ((range->type == E820_TYPE_RAM) != ram)
			continue;
		if (narrow(area, pfn, PFN_DOWN(range->base), range_end(range))) {
			area->kind = kind_of_type(range->type);
			return true;
		}
	}
	return false;
}

struct picture_area picture_area_at(pfn_t pfn)
{
	struct picture_area area = { 0, MM_MAX_PFN, false, KIND_ABSENT };
	const struct memblock_region *region;

	for_each_mem_region(region) {
		area.ram = narrow(&area, pfn, memblock_region_memory_base_pfn(region),
				  memblock_region_memory_end_pfn(region));
		if (area.ram)
			return area;
	}
	if (!find_range(&area, pfn, false))
		find_range(&area, pfn, true);
	return area;
}

pfn_t picture_end_pfn(void)
{
	pfn_t end = PFN_UP(memblock_end_of_DRAM());

	if (e820_map.nr_ranges && range_end(&e820_map.ranges[e820_map.nr_ranges - 1]) > end)
		end = range_end(&e820_map.ranges[e820_map.nr_ranges - 1]);
	return end < MM_MAX_PFN ? end : MM_MAX_PFN;
}

/* ---- the pieces of mem_map ---- */

/* Pieces that touch become one, whichever is the lower. */
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

/* The pages behind these descriptors. */
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
	uintptr_t done = 0; /* regions of RAM that are near each other have a page in common */
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

static uint64_t overlap(pfn_t start, pfn_t end, struct frames other)
{
	if (other.start > start)
		start = other.start;
	if (other.end < end)
		end = other.end;
	return start < end ? end - start : 0;
}

/* Regions rounded to frames may share one. */
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

		if (area.ram)
			count_ram(start, to, cell);
		else
			cell->frames[area.kind] += to - start;
		start = to;
	}
}
