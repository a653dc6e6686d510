/*
 * example.c: uses mm/ as a kernel does: from a list of RAM ranges to allocated pages, and back.
 */
#include "ram.h"

#include <inttypes.h>
#include <stdio.h>

#include "mm/check.h"
#include "mm/gfp.h"
#include "mm/memblock.h"
#include "mm/page_state.h"
#include "mm/zone.h"

#define MIB         ((phys_addr_t)1 << 20)
#define RAM_END     (1536 * MIB)
#define KERNEL      MIB
#define KERNEL_SIZE (2 * MIB)

/* Adds two ranges of RAM with a hole of half a GiB between them, as a boot loader might list. */
static void declare_ram(void)
{
	memblock_add(0, 512 * MIB);
	memblock_add(1024 * MIB, 512 * MIB);
	memblock_trim_memory(PAGE_SIZE);
	memblock_reserve(0, PAGE_SIZE);
	memblock_reserve(KERNEL, KERNEL_SIZE);
	memblock_set_node(0, PHYS_ADDR_MAX, &memblock.memory, 0);
}

static void raise_allocator(void)
{
	uint64_t bytes;

	memblock_allow_resize(); /* Now all that is in use is reserved, and RAM can be seen. */
	bytes = mem_map_init();
	zones_init(1); /* A kernel passes its time stamp counter. */
	memblock_free_all();
	zones_finish();
	printf("mem_map: %" PRIu64 " KiB, of which %" PRIu64 " KiB were written\n", bytes >> 10,
	       mem_map_touched() >> 10);
}

static void print_page(const struct page *page)
{
	printf("pfn 0x%" PRIx64 ", order %u, zone %s, at physical 0x%" PRIx64 "\n",
	       page_to_pfn(page), page_order(page), page_zone(page)->name, page_to_phys(page));
}

static void print_free(void)
{
	pfn_t start = 0, end;

	drain_caches();
	for (; next_free_range(&start, &end); start = end)
		printf("free [mem 0x%08" PRIx64 "-0x%08" PRIx64 "]\n", PFN_PHYS(start),
		       PFN_PHYS(end) - 1);
}

int main(void)
{
	struct page *page, *block;

	declare_ram();
	ram_init(RAM_END); /* So far memblock has not touched the RAM. */
	raise_allocator();
	print_free();

	page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	block = alloc_pages(GFP_KERNEL, 9);
	if (!page || !block)
		return 1;
	print_page(page);
	print_page(block);
	*(uint64_t *)page_address(block) = 42; /* The direct map shows it. */

	__free_pages(block, 9);
	__free_page(page);
	print_free();
	return mm_check() != 0;
}
