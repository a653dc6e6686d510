/* SPDX-License-Identifier: MIT */
/*
 * mem_map.c: memory for the descriptors of all RAM, and zeros for those of the holes.
 *
 *   RAM        ┃■■■■■■■■■■■■■■■■■■□□■■■■■■■■┃                      ┃■■■■■■■■■■■■■■■■■■┃
 *   mem_map    ├─┤├──────┤├──────┤├───────┤ ├── one zero page ─────┤├──────┤├──────┤
 *              8 KiB  2 MiB: 512 MiB of RAM      for all holes
 *              a block
 *
 * Descriptors are backed for whole blocks of 2 MiB that have any RAM. Blocks that touch make a
 * *stretch*. Its middle is backed in chunks: the descriptors of 512 MiB fill 2 MiB, and their
 * memory is aligned so that the port can use large pages. The memory comes from the stretch's own
 * island of RAM where possible. Nothing is written here: the allocator zeroes the descriptors of a
 * block when it opens it.
 */
#include "mm/memblock.h"
#include "mm/page.h"

#define GRAIN ((pfn_t)512)         /* frames of a block: its descriptors are 8 KiB */
#define CHUNK ((pfn_t)256 * GRAIN) /* frames whose descriptors fill 2 MiB: 512 MiB of RAM */
_Static_assert(CHUNK * sizeof(struct page) == 2 << 20, "a chunk's descriptors are a large page");
_Static_assert(GRAIN * sizeof(struct page) % PAGE_SIZE == 0,
	       "the 8 KiB of descriptors of a block are whole pages: PAGE_SHIFT is at most 13");

static phys_addr_t desc_bytes(pfn_t frames)
{
	return frames * sizeof(struct page);
}

/*
 * What searches of all memory have shown: the highest free range of `size` bytes ends at or below
 * `end`, and none has `none` bytes. mem_map_init() only takes memory, so a later search need not
 * look there again, and all searches together look at each free range once or a few times. (An
 * array of memblock's that moves leaves free memory behind. Searches may miss that, but the one
 * that decides whether there is room for a block's descriptors does not.)
 */
struct search {
	phys_addr_t size;
	phys_addr_t end;
	phys_addr_t none;
};

/* The stretch that is backed now, and the searches of all stretches. */
struct backing {
	pfn_t base;           /* its first frame of RAM */
	pfn_t limit;          /* the end of its last */
	struct search blocks; /* for blocks' descriptors */
	struct search chunks; /* for chunks' descriptors, which are aligned to 2 MiB */
};

/* Allocates from anywhere, as high as possible. */
static phys_addr_t find_anywhere(phys_addr_t size, phys_addr_t align, struct search *seen)
{
	phys_addr_t phys = 0;

	if (size >= seen->none && size > desc_bytes(GRAIN))
		return 0;
	if (size >= seen->size)
		phys = memblock_phys_alloc_range(size, align, 0, seen->end);
	if (!phys)
		phys = memblock_phys_alloc(size, align);
	if (!phys) {
		seen->none = size;
	} else if (size <= seen->size) {
		seen->size = size;
		seen->end = phys + size;
	}
	return phys;
}

/* Allocates from [start, end), else from anywhere. Returns 0 when no free range is long enough. */
static phys_addr_t find_memory(struct backing *b, phys_addr_t size, pfn_t unit, pfn_t start,
			       pfn_t end)
{
	phys_addr_t align = unit == CHUNK ? desc_bytes(CHUNK) : PAGE_SIZE;
	phys_addr_t from = PFN_PHYS(start > b->base ? start : b->base);
	phys_addr_t to = PFN_PHYS(end < b->limit ? end : b->limit);
	phys_addr_t phys = 0;

	if (to - from >= size)
		phys = memblock_phys_alloc_range(size, align, from, to);
	return phys ? phys : find_anywhere(size, align, unit == CHUNK ? &b->chunks : &b->blocks);
}

/*
 * Backs the descriptors of [start, end), whose borders are multiples of unit. The range is halved
 * as long as no free range of memory is long enough for its descriptors.
 */
static void back_range(struct backing *b, pfn_t start, pfn_t end, pfn_t unit)
{
	phys_addr_t size = desc_bytes(end - start);
	phys_addr_t phys;
	pfn_t middle;

	if (start == end)
		return;
	phys = find_memory(b, size, unit, start, end);
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
	back_range(b, start, middle, unit);
	back_range(b, middle, end, unit);
}

/* Backs a stretch of blocks: chunks in the middle, blocks at the edges. */
static void back_stretch(struct backing *b, pfn_t start, pfn_t end)
{
	pfn_t first = (start + CHUNK - 1) / CHUNK * CHUNK;
	pfn_t last = end / CHUNK * CHUNK;

	if (first >= last) {
		back_range(b, start, end, GRAIN);
		return;
	}
	back_range(b, start, first, GRAIN);
	back_range(b, first, last, CHUNK);
	back_range(b, last, end, GRAIN);
}

uint64_t mem_map_init(void)
{
	struct backing b = { .blocks = { .size = PHYS_ADDR_MAX, .none = PHYS_ADDR_MAX },
			     .chunks = { .size = PHYS_ADDR_MAX, .none = PHYS_ADDR_MAX } };
	pfn_t start = 0, end = 0; /* the stretch so far */
	uint64_t bytes = 0;
	unsigned long base, limit;
	int i;

	/* Backing takes memory, never adds any: memblock.memory stays as it is under the loop. */
	for_each_mem_pfn_range(i, NUMA_NO_NODE, &base, &limit, NULL) {
		pfn_t from = base & ~(GRAIN - 1);
		pfn_t to = (limit + GRAIN - 1) & ~(GRAIN - 1);

		if (from > end) {
			back_stretch(&b, start, end);
			bytes += desc_bytes(end - start);
			port_map_zero((uintptr_t)pfn_to_page(end), desc_bytes(from - end));
			start = from;
			b.base = base;
		}
		end = to;
		b.limit = limit;
	}
	back_stretch(&b, start, end);
	bytes += desc_bytes(end - start);
	port_map_zero((uintptr_t)pfn_to_page(end), desc_bytes(MM_MAX_PFN - end));
	return bytes;
}
