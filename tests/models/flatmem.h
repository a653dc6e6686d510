/*
 * flatmem.h: FLATMEM: one array has the descriptors of all frames from 0 to the last, also those
 * of holes.
 *
 *   frames    ┃■■■■■■■■■■■■┃        hole         ┃■■■■■■■■■■■■┃
 *   mem_map   ├────────────┼─────────────────────┼────────────┤   one piece of memory
 */
#ifndef TESTS_MODELS_FLATMEM_H
#define TESTS_MODELS_FLATMEM_H

#include "tests/models/model.h"

static struct page *flatmem_map;

static inline struct page *flatmem_pfn_to_page(pfn_t pfn)
{
	return flatmem_map + pfn;
}

static inline pfn_t flatmem_page_to_pfn(const struct page *page)
{
	return (pfn_t)(page - flatmem_map);
}

static inline uint64_t flatmem_setup(void)
{
	pfn_t end = PFN_DOWN(memblock_end_of_DRAM());

	flatmem_map = model_take(model_bytes(end), PAGE_SIZE, end);
	return flatmem_map ? model_bytes(end) : 0;
}

static inline void flatmem_init(void)
{
	model_write(flatmem_map, PFN_DOWN(memblock_end_of_DRAM()), 0);
}

#endif
