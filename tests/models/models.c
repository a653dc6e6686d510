/*
 * models.c: compiles the memory models, whose code is in headers so that it can be inlined, and
 * puts their functions into a table.
 */
#include <stdio.h>

#include "tests/models/discontigmem.h"
#include "tests/models/flatmem.h"
#include "tests/models/sparsemem_vmemmap.h"

char model_refusal[80];

uint64_t model_refuse(const char *why, unsigned long long number)
{
	snprintf(model_refusal, sizeof(model_refusal), why, number);
	return 0;
}

void *model_take(uint64_t size, uint64_t align, pfn_t end)
{
	void *memory = memblock_alloc_try_nid_raw(size, align, 0, PFN_PHYS(end), NUMA_NO_NODE);

	if (!memory)
		memory = memblock_alloc_raw(size, align);
	if (!memory)
		model_refuse("no free range of %llu bytes", size);
	return memory;
}

__attribute__((noipa)) void model_write(struct page *page, pfn_t frames, uint64_t state)
{
	for (const struct page *end = page + frames; page < end; page++) {
		page->state = state;
		set_page_private(page, 0);
	}
}

const struct model models[NR_MODELS] = {
	{ "flatmem", flatmem_setup, flatmem_init, flatmem_pfn_to_page, flatmem_page_to_pfn },
	{ "discontigmem", discontigmem_setup, discontigmem_init, discontigmem_pfn_to_page,
	  discontigmem_page_to_pfn },
	{ "sparsemem", sparsemem_setup, sparsemem_init, sparsemem_pfn_to_page,
	  sparsemem_page_to_pfn },
	{ "sparsemem_vmemmap", sparsemem_vmemmap_setup, sparsemem_init, vmemmap_pfn_to_page,
	  vmemmap_page_to_pfn },
	{ "firstpage", mem_map_init, NULL, pfn_to_page, page_to_pfn },
};
