// public_headers.cpp: the public headers of mm/ in a C++ kernel: `make lint` compiles it as C++11 to
// C++23. What only a macro's expansion shows is expanded here.
extern "C" {
#include "mm/check.h"
#include "mm/cpu.h"
#include "mm/debug.h"
#include "mm/gfp.h"
#include "mm/hotplug.h"
#include "mm/memblock.h"
#include "mm/page.h"
#include "mm/page_state.h"
#include "mm/port.h"
#include "mm/types.h"
#include "mm/zone.h"
}

uint64_t walk_memblock()
{
	struct memblock_region *region;
	unsigned long start_pfn, end_pfn;
	phys_addr_t start, end;
	uint64_t i, sum = 0;
	int n, nid;

	for_each_mem_region(region)
		sum += region->size;
	for_each_reserved_mem_region(region)
		sum += region->size;
	for_each_mem_range(i, &start, &end)
		sum += end - start;
	for_each_mem_range_rev(i, &start, &end)
		sum += end - start;
	for_each_reserved_mem_range(i, &start, &end)
		sum += end - start;
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, &end, &nid)
		sum += end - start;
	for_each_free_mem_range_reverse(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, &end, &nid)
		sum += end - start;
	for_each_mem_pfn_range(n, NUMA_NO_NODE, &start_pfn, &end_pfn, &nid)
		sum += end_pfn - start_pfn;
	return sum;
}

int use_pages()
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO, MAX_PAGE_ORDER);
	void *table = memblock_alloc_or_panic(PAGE_ALIGN(1), PAGE_SIZE);
	int error = alloc_contig_range(PFN_UP(1), PFN_DOWN(~0ull), MIGRATE_MOVABLE, GFP_DMA);

	set_page_private(page, page_private(virt_to_page(table)));
	for_each_zone (z)
		set_page_private(page, z->start_pfn);
	for_each_populated_zone (z)
		set_page_private(page, zone_nr_free_pages(z));
	for_each_online_node (nid)
		set_page_private(page, node_free_pages(nid));
	if (error == -EBUSY || error == -EINVAL || memblock_add(0, PAGE_SIZE) == -ENOMEM)
		panic("%s", page_state_name(page_state(page_to_pfn(page))));
	return nr_free_pages() == 0;
}
