/*
 * sparsemem_vmemmap.h: SPARSEMEM_VMEMMAP: one array in virtual space, with memory behind it where
 * a section has RAM.
 *
 *   frames    ┃■■■■■■■■■■■■┃        hole         ┃■■■■■■■■■■■■┃
 *   vmemmap   ├─ 2 MiB ────┤      not mapped     ├─ 2 MiB ────┤   at a constant address
 *
 * Translation does not need the sections; they only say where RAM is. As in Linux, the memory comes
 * in large pages; with 16 bytes for each descriptor, a page serves four sections.
 */
#ifndef TESTS_MODELS_SPARSEMEM_VMEMMAP_H
#define TESTS_MODELS_SPARSEMEM_VMEMMAP_H

#include "tests/models/sparsemem.h"

#define VMEMMAP_LARGE_PAGE (2ull << 20)

static uintptr_t vmemmap_end; /* the end of the last page: sections come in ascending order */

static inline struct page *vmemmap_pfn_to_page(pfn_t pfn)
{
	return (struct page *)(uintptr_t)MEM_MAP_BASE + pfn;
}

static inline pfn_t vmemmap_page_to_pfn(const struct page *page)
{
	return (pfn_t)(page - (struct page *)(uintptr_t)MEM_MAP_BASE);
}

static inline struct page *vmemmap_populate(pfn_t first, pfn_t end)
{
	struct page *map = vmemmap_pfn_to_page(first);
	uintptr_t virt = (uintptr_t)map & ~(VMEMMAP_LARGE_PAGE - 1);
	void *memory;

	if (virt < vmemmap_end)
		return map;
	memory = model_take(VMEMMAP_LARGE_PAGE, VMEMMAP_LARGE_PAGE, end);
	if (!memory)
		return NULL;
	port_map_mem_map(virt, virt_to_phys(memory), VMEMMAP_LARGE_PAGE);
	vmemmap_end = virt + VMEMMAP_LARGE_PAGE;
	sections_bytes += VMEMMAP_LARGE_PAGE;
	return map;
}

static inline uint64_t sparsemem_vmemmap_setup(void)
{
	vmemmap_end = 0;
	return sections_setup(vmemmap_populate);
}

#endif
