/*
 * free_ranges.h: the next free range of memblock, for loops whose body changes memblock.
 */
#ifndef KERNEL_MEMORY_FREE_RANGES_H
#define KERNEL_MEMORY_FREE_RANGES_H

#include "mm/memblock.h"

/* [base, end), whole frames. */
struct phys_range {
	phys_addr_t base, end;
};

/* The frames that lie wholly in [start, end). False when there are none. */
static inline bool whole_frames(phys_addr_t start, phys_addr_t end, struct phys_range *range)
{
	range->base = PFN_PHYS(PFN_UP(start));
	range->end = PFN_PHYS(PFN_DOWN(end));
	return range->base < range->end;
}

/* The lowest of what is free at or after `from`. False when there is nothing. O(regions). */
static inline bool next_unreserved(phys_addr_t from, struct phys_range *range)
{
	phys_addr_t start, end;
	uint64_t i;

	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, &end, NULL)
		if (whole_frames(start > from ? start : from, end, range))
			return true;
	return false;
}

#endif
