/*
 * dist_names.c: a kernel that has names like those of mm/, functions, types and macros, for another
 * purpose, and lifts firstpage_mm.c with FP_PREFIX: tests/dist.py compiles it, links it with the
 * example's port and runs it. Some of the names are there before the header is included, some
 * after.
 */
#define PAGE_SIZE        777
#define PFN_UP(x)        ((x)*7)
#define EBUSY            (-1)
#define for_each_zone(z) for (z = 0; z < 3; z++)
#define pfn_to_page(x)   ((x) + 5)

struct page {
	char name[3];
};
enum zone { DMA, ZONE_DMA };
typedef char pfn_t;
static int alloc_pages(char c)
{
	return c + 1;
}

#include "firstpage_mm.h"

#include <stdio.h>

#define PAGE_SHIFT 3
#define mem_map    mine

static int printk = 4, memblock = 5;

static int panic(void)
{
	return 6;
}

void ram_init(uint64_t end); /* of the example's port */

/* Returns whether all names of this kernel mean what they meant. */
static int names_are_mine(void)
{
	struct page page = { "ab" };
	int mine = 8, n = 0, z;
	pfn_t small = 127;

	for_each_zone(z)
		n++;
	return PAGE_SIZE == 777 && PFN_UP(2) == 14 && EBUSY == -1 && n == 3 &&
	       pfn_to_page(1) == 6 && sizeof(page) == 3 && ZONE_DMA == 1 && small == 127 &&
	       alloc_pages('a') == 'b' && PAGE_SHIFT == 3 && mem_map == 8 && printk == 4 &&
	       memblock == 5 && panic() == 6;
}

int main(void)
{
	const uint64_t end = (uint64_t)256 << 20;
	struct fp_memblock_region *region;
	struct fp_page *page, *many[3] = { NULL, NULL, NULL };
	fp_phys_addr_t start, stop;
	uint64_t i, free_before, bytes = 0, ram = 0;
	unsigned int zones = 0, nodes = 0;

	ram_init(end);
	fp_memblock_allow_resize();
	fp_memblock_add(0, end);
	fp_memblock_reserve(0, fp_PAGE_SIZE);
	fp_numa_init();
	fp_mem_map_init();
	fp_zones_init(1);
	fp_memblock_free_all();
	fp_zones_finish();

	free_before = fp_nr_free_pages();
	page = fp_alloc_pages(fp_GFP_KERNEL | fp___GFP_ZERO, 3);
	fp_alloc_pages_bulk(fp_GFP_DMA32, 3, many);
	fp_for_each_mem_region(region) ram += region->size;
	fp_for_each_free_mem_range(i, fp_NUMA_NO_NODE, fp_MEMBLOCK_NONE, &start, &stop, NULL)
	    bytes += stop - start;
	fp_for_each_populated_zone(z) zones++;
	fp_for_each_online_node(nid) nodes++;
	if (!page || !many[2] || ram != end || !bytes || zones != 2 || nodes != 1 ||
	    fp_page_to_pfn(page) % 8 || fp_page_state(fp_PFN_DOWN(end)) != fp_PAGE_ABSENT ||
	    fp_page_order(page) != 3 || fp_virt_to_page(fp_page_address(page)) != page ||
	    fp_alloc_contig_range(0, 1, fp_MIGRATE_MOVABLE, 0) != -fp_EBUSY)
		return 1;
	fp___free_pages(page, 3);
	for (i = 0; i < 3; i++)
		fp___free_page(many[i]);
	if (fp_nr_free_pages() != free_before || fp_mm_check() || !names_are_mine())
		return 2;
	printf("%llu pages are free\n", (unsigned long long)free_before);
	return 0;
}
