/*
 * free_ranges.h: memory that memblock has not reserved, in whole frames.
 *
 * next_unreserved_range() is for loops whose body changes memblock; for_each_free_mem_range() would
 * then continue at an index that no longer means the same range.
 */
#ifndef KERNEL_MEMORY_FREE_RANGES_H
#define KERNEL_MEMORY_FREE_RANGES_H

#include "mm/memblock.h"

/* The bytes [base, end); both are multiples of PAGE_SIZE. */
struct phys_range {
	phys_addr_t base, end;
};

/*
 * Sets range to the frames that lie wholly in the bytes [start, end). Returns false if there are
 * none.
 */
static inline bool narrow_to_frames(phys_addr_t start, phys_addr_t end, struct phys_range *range)
{
	range->base = PFN_PHYS(PFN_UP(start));
	range->end = PFN_PHYS(PFN_DOWN(end));
	return range->base < range->end;
}

/*
 * Sets range to the lowest unreserved range at or after `from`, without its part below `from`.
 * Returns false if there is none. O(regions of memblock).
 */
static inline bool next_unreserved_range(phys_addr_t from, struct phys_range *range)
{
	phys_addr_t start, end;
	uint64_t i;

	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, &end, NULL)
		if (narrow_to_frames(start > from ? start : from, end, range))
			return true;
	return false;
}

#endif
