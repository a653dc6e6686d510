/* SPDX-License-Identifier: MIT */
/*
 * The loader's ranges are remembered in memblock itself, as reserved regions with the flag
 * MEMBLOCK_RSRV_NOINIT, which has no other effect in mm/. They are whole frames, so that
 * memblock_free_late() gives back all of each.
 */
#include "contrib/ranges.h"

#ifdef MM_HEADER
#include MM_HEADER
#else
#include "mm/memblock.h"
#include "mm/zone.h"
#endif

/* A kernel whose configuration of mm/ has MM_PANIC() need not have panic(). */
#ifndef MM_PANIC
#define MM_PANIC(...) panic(__VA_ARGS__)
#endif

/* What becomes of a range. A later one prevails over an earlier one. */
enum use { USE_FREE, USE_LOADER, USE_KEPT, USE_NONE, NR_USES };

static enum use use_of(uint64_t type)
{
	switch (type) {
	case MEMORY_USABLE:
		return USE_FREE;
	case MEMORY_LOADER:
		return USE_LOADER;
	case MEMORY_IMAGE:
	case MEMORY_ACPI:
		return USE_KEPT;
	default:
		return USE_NONE;
	}
}

enum memory_type memory_type_of_e820(uint32_t type)
{
	switch (type) {
	case 1:
		return MEMORY_USABLE;
	case 3:
		return MEMORY_ACPI;
	case 4:
		return MEMORY_NVS;
	case 5:
		return MEMORY_BAD;
	default:
		return MEMORY_RESERVED;
	}
}

/* Reserves the range, and notes its whole frames as the loader's. */
static void reserve_for_loader(phys_addr_t base, phys_addr_t end)
{
	phys_addr_t first = PFN_PHYS(PFN_UP(base)), last = PFN_PHYS(PFN_DOWN(end));

	memblock_reserve(base, end - base);
	if (first < last)
		memblock_reserved_mark_noinit(first, last - first);
}

/* Reserves all frames that the range has a part of, and takes them from the loader's. */
static void keep(phys_addr_t base, phys_addr_t end)
{
	phys_addr_t first = PFN_PHYS(PFN_DOWN(base)), last = PFN_PHYS(PFN_UP(end));

	memblock_phys_free(first, last - first);
	memblock_reserve(first, last - first);
}

/* Removes all frames that the range has a part of from memory, and from what is reserved. */
static void leave_out(phys_addr_t base, phys_addr_t end)
{
	phys_addr_t first = PFN_PHYS(PFN_DOWN(base)), last = PFN_PHYS(PFN_UP(end));

	memblock_remove(first, last - first);
	memblock_phys_free(first, last - first);
}

/* Does with a range what its use demands, if it is the turn of that use. */
static void apply(const struct memory_range *range, enum use turn)
{
	phys_addr_t limit = PFN_PHYS(MM_MAX_PFN), base = range->base;
	enum use use = use_of(range->type);
	phys_addr_t end;

	if (!range->length || base >= limit)
		return;
	end = range->length < limit - base ? base + range->length : limit;
	if (turn == USE_FREE && use != USE_NONE)
		memblock_add(base, end - base);
	if (turn != use)
		return;
	if (use == USE_LOADER)
		reserve_for_loader(base, end);
	else if (use == USE_KEPT)
		keep(base, end);
	else if (use == USE_NONE)
		leave_out(base, end);
}

void ranges_to_memblock(const struct memory_range *ranges, size_t nr)
{
	for (unsigned int turn = 0; turn < NR_USES; turn++)
		for (size_t i = 0; i < nr; i++)
			apply(&ranges[i], (enum use)turn);
	keep(0, PAGE_SIZE);
	memblock_trim_memory(PAGE_SIZE);
	if (!memblock_phys_mem_size())
		MM_PANIC("ranges: none of the %lu ranges has RAM for mm/", (unsigned long)nr);
	memblock_set_node(0, PHYS_ADDR_MAX, &memblock.memory, 0);
}

void ranges_start(uint64_t seed)
{
	uintptr_t base = (uintptr_t)(MM_DIRECT_MAP);
	phys_addr_t last = memblock_end_of_DRAM() - 1;

	if (base + last < base)
		MM_PANIC("ranges: RAM up to 0x%llx does not fit in a direct map at 0x%lx",
			 (unsigned long long)last, (unsigned long)base);
	memblock_allow_resize();
	mem_map_init();
	zones_init(seed);
	memblock_free_all();
	zones_finish();
}

uint64_t ranges_give_back(void)
{
	struct memblock_region region;
	unsigned long i = 0;
	uint64_t bytes = 0;

	while (memblock_copy_region(&memblock.reserved, i, &region)) {
		if (memblock_is_reserved_noinit(&region))
			memblock_free_late(region.base, region.size);
		/* What was given back is out of the array; memblock may have had no room for that.
		 */
		if (memblock_is_reserved(region.base))
			i++;
		else
			bytes += region.size;
	}
	return bytes;
}
