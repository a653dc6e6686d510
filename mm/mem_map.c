/*
 * mem_map.c: memory for the descriptors of all RAM, and zeros for those of the holes.
 *
 *   RAM        ┃■■■■■■■■■■■■■■■■■■□□■■■■■■■■┃                      ┃■■■■■■■■■■■■■■■■■■┃
 *   mem_map    ├─┤├──────┤├──────┤├───────┤ ├── one zero page ─────┤├──────┤├──────┤
 *              8 KiB  2 MiB: 512 MiB of RAM      for all holes
 *              a block
 *
 * What is backed is whole blocks: every descriptor of a 2 MiB block with any RAM. Blocks that touch
 * make a *stretch*; the middle of a stretch, in chunks of 512 MiB, has 2 MiB of descriptors each
 * and is backed with memory aligned to that, so that the port can use large pages. The memory comes
 * from the stretch's own island of RAM where possible. Nothing is written: descriptors are zeroed
 * block by block when the allocator opens them.
 */
#include "mm/memblock.h"
#include "mm/page.h"

#define GRAIN ((pfn_t)512)         /* frames of a block: its descriptors are 8 KiB */
#define CHUNK ((pfn_t)256 * GRAIN) /* frames whose descriptors fill 2 MiB: 512 MiB of RAM */
_Static_assert(CHUNK * sizeof(struct page) == 2 << 20, "a chunk's descriptors are a large page");

static phys_addr_t desc_bytes(pfn_t frames)
{
	return frames * sizeof(struct page);
}

/* From the stretch's own island, else from anywhere. 0 when no free range is long enough. */
static phys_addr_t find_memory(phys_addr_t size, phys_addr_t align, pfn_t start, pfn_t end)
{
	phys_addr_t phys = memblock_phys_alloc_range(size, align, PFN_PHYS(start), PFN_PHYS(end));

	return phys ? phys : memblock_phys_alloc(size, align);
}

/* Descriptors of [start, end), borders multiples of unit; halved where memory is in pieces. */
static void back(pfn_t start, pfn_t end, pfn_t unit)
{
	phys_addr_t size = desc_bytes(end - start);
	phys_addr_t align = unit == CHUNK ? desc_bytes(CHUNK) : PAGE_SIZE;
	phys_addr_t phys;
	pfn_t middle;

	if (start == end)
		return;
	phys = find_memory(size, align, start, end);
	if (phys) {
		port_map_mem_map((uintptr_t)pfn_to_page(start), phys, size);
		return;
	}
	if (end - start == GRAIN)
		panic("mem_map_init: no room for the descriptors of [mem %#llx-%#llx]",
		      (unsigned long long)PFN_PHYS(start), (unsigned long long)PFN_PHYS(end) - 1);
	if (end - start == unit)
		unit = GRAIN;
	middle = start + (end - start) / 2 / unit * unit;
	back(start, middle, unit);
	back(middle, end, unit);
}

/* A stretch of blocks, all with RAM: chunks in the middle, blocks at the edges. */
static void back_stretch(pfn_t start, pfn_t end)
{
	pfn_t first = (start + CHUNK - 1) / CHUNK * CHUNK;
	pfn_t last = end / CHUNK * CHUNK;

	if (first >= last) {
		back(start, end, GRAIN);
		return;
	}
	back(start, first, GRAIN);
	back(first, last, CHUNK);
	back(last, end, GRAIN);
}

uint64_t mem_map_init(void)
{
	pfn_t start = 0, end = 0; /* the stretch so far */
	uint64_t bytes = 0;
	unsigned long base, limit;
	int i;

	/* Backing takes memory, never adds any: memblock.memory stays as it is under the loop. */
	for_each_mem_pfn_range(i, NUMA_NO_NODE, &base, &limit, NULL) {
		pfn_t from = base & ~(GRAIN - 1);
		pfn_t to = (limit + GRAIN - 1) & ~(GRAIN - 1);

		if (from > end) {
			back_stretch(start, end);
			bytes += desc_bytes(end - start);
			port_map_zero((uintptr_t)pfn_to_page(end), desc_bytes(from - end));
			start = from;
		}
		end = to;
	}
	back_stretch(start, end);
	bytes += desc_bytes(end - start);
	port_map_zero((uintptr_t)pfn_to_page(end), desc_bytes(MM_MAX_PFN - end));
	return bytes;
}
