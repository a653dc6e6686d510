#include "kernel/memory/steps.h"
#include "mm/debug.h"
#include "mm/memblock.h"
#include "mm/zone.h"

struct e820_map e820_map;

void memory_correct(const struct memory_input *in)
{
	e820_sanitize(&e820_map, in->raw, in->nr_raw);
}

/* Adds the part of a range that lies below limit. Returns the size of the rest, in bytes. */
static uint64_t add_ram(phys_addr_t base, phys_addr_t size, phys_addr_t limit)
{
	phys_addr_t usable = base >= limit ? 0 : limit - base < size ? limit - base : size;

	memblock_add(base, usable);
	return size - usable;
}

void memory_reserve_low(const struct memory_input *in)
{
	memblock_reserve(0, LOW_MEMORY_KEPT);
	if (in->ebda)
		memblock_reserve(in->ebda, LOW_MEMORY_END - in->ebda);
}

uint64_t memory_to_memblock(const struct memory_input *in)
{
	phys_addr_t limit = PFN_PHYS(MM_MAX_PFN);
	uint64_t left_out = 0;

	if (in->limit < limit)
		limit = in->limit;
	memblock_allow_resize();
	for (uint32_t i = 0; i < e820_map.nr_ranges; i++) {
		const struct e820_range *range = &e820_map.ranges[i];

		if (range->type == E820_TYPE_RAM)
			left_out += add_ram(range->base, range->size, limit);
	}
	memblock_trim_memory(PAGE_SIZE);
	memory_reserve_low(in);
	for (uint32_t i = 0; i < in->nr_taken; i++)
		memblock_reserve(in->taken[i].base, in->taken[i].size);
	if (in->mem_limit)
		memblock_enforce_memory_limit(in->mem_limit);
	memblock_set_node(0, PHYS_ADDR_MAX, &memblock.memory, 0);
	return left_out;
}

void memory_hand_over(uint64_t seed, unsigned int debug)
{
	mm_debug_init(debug);
	zones_init(seed);
	memblock_free_all();
	zones_finish();
}
