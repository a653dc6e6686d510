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
 * island of RAM where possible, and in any case from the node that has the RAM. A chunk whose RAM
 * several nodes share is the one's that has most of it. Nothing is written here: the allocator
 * zeroes the descriptors of a block when it opens it.
 */
#include "mm/numa.h"

#define GRAIN ((pfn_t)512)         /* frames of a block: its descriptors are 8 KiB */
#define CHUNK ((pfn_t)256 * GRAIN) /* frames whose descriptors fill 2 MiB: 512 MiB of RAM */
_Static_assert(CHUNK * sizeof(struct page) == 2 << 20, "a chunk's descriptors are a large page");
_Static_assert(GRAIN * sizeof(struct page) % PAGE_SIZE == 0,
	       "the 8 KiB of descriptors of a block are whole pages: PAGE_SHIFT is at most 13");
_Static_assert(MM_MAX_PFN % (512 * GRAIN) == 0,
	       "MM_MAX_PFN is a multiple of 512 blocks: all frames of a gib have descriptors");

static phys_addr_t desc_bytes(pfn_t frames)
{
	return frames * sizeof(struct page);
}

static uint64_t remote; /* bytes of descriptors of RAM that lie on another node than the RAM */

uint64_t mem_map_backed(void)
{
	uint64_t bytes = 0;
	unsigned long start, end;
	int i;

	for_each_mem_pfn_range(i, NUMA_NO_NODE, &start, &end, NULL)
		bytes += desc_bytes(end - start);
	return bytes;
}

uint64_t mem_map_local(void)
{
	return mem_map_backed() - remote;
}

/* Returns the highest number of a node that has RAM, if there are several; else NUMA_NO_NODE. */
static int highest_of_several(void)
{
	const struct memblock_type *memory = &memblock.memory;
	int highest = memory->regions[0].nid, lowest = highest;

	for (unsigned long i = 1; i < memory->cnt; i++) {
		int nid = memory->regions[i].nid;

		highest = nid > highest ? nid : highest;
		lowest = nid < lowest ? nid : lowest;
	}
	return highest == lowest ? NUMA_NO_NODE : highest;
}

/* Returns memblock's first region with a whole frame above or at pfn; there is one. */
static const struct memblock_region *region_above(pfn_t pfn)
{
	unsigned long low = 0, high = memblock.memory.cnt - 1;

	while (low < high) {
		unsigned long middle = (low + high) / 2;
		const struct memblock_region *region = &memblock.memory.regions[middle];

		if (PFN_DOWN(region->base + region->size) > pfn)
			high = middle;
		else
			low = middle + 1;
	}
	return &memblock.memory.regions[low];
}

/* Returns how many frames of [start, end) are RAM of a region. */
static pfn_t region_frames(const struct memblock_region *r, pfn_t start, pfn_t end)
{
	pfn_t from = PFN_UP(r->base) > start ? PFN_UP(r->base) : start;
	pfn_t to = PFN_DOWN(r->base + r->size) < end ? PFN_DOWN(r->base + r->size) : end;

	return from < to ? to - from : 0;
}

/*
 * Adds to frames[], by node, how many frames of [start, end) are RAM; at its end those of no node.
 */
static void count_frames(pfn_t frames[MAX_NUMNODES + 1], pfn_t start, pfn_t end)
{
	const struct memblock_region *last = memblock.memory.regions + memblock.memory.cnt;

	for (const struct memblock_region *r = region_above(start);
	     r < last && PFN_UP(r->base) < end; r++)
		frames[r->nid] += region_frames(r, start, end);
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

/* The stretch that is backed now. */
struct backing {
	pfn_t base;  /* its first frame of RAM */
	pfn_t limit; /* the end of its last */
	bool nodes;  /* whether RAM has different nodes */
	int nid;     /* the node to take memory from, or NUMA_NO_NODE */
};

/*
 * The searches of each node, and at the end those of all memory: for blocks' descriptors, and for
 * chunks', which are aligned to 2 MiB.
 */
static struct search block_searches[MAX_NUMNODES + 1];
static struct search chunk_searches[MAX_NUMNODES + 1];

/* Forgets the searches of all memory, and of the nodes up to `highest`. */
static void forget_searches(int highest)
{
	const struct search none = { .size = PHYS_ADDR_MAX, .none = PHYS_ADDR_MAX };

	block_searches[MAX_NUMNODES] = chunk_searches[MAX_NUMNODES] = none;
	for (int nid = 0; nid <= highest; nid++)
		block_searches[nid] = chunk_searches[nid] = none;
}

/* Allocates from node nid, or for NUMA_NO_NODE from anywhere, as high as possible. */
static phys_addr_t find_on_node(phys_addr_t size, phys_addr_t align, struct search *searches,
				int nid)
{
	struct search *seen = &searches[nid == NUMA_NO_NODE ? MAX_NUMNODES : nid];
	phys_addr_t phys = 0;

	if (size >= seen->none && size > desc_bytes(GRAIN))
		return 0;
	if (size >= seen->size)
		phys = memblock_alloc_range_nid(size, align, 0, seen->end, nid, true);
	if (!phys)
		phys =
		    memblock_alloc_range_nid(size, align, 0, MEMBLOCK_ALLOC_ACCESSIBLE, nid, true);
	if (!phys) {
		seen->none = size;
	} else if (size <= seen->size) {
		seen->size = size;
		seen->end = phys + size;
	}
	return phys;
}

/*
 * Allocates from [start, end), else from the node b->nid, else from anywhere. Returns 0 when no
 * free range is long enough.
 */
static phys_addr_t find_memory(struct backing *b, phys_addr_t size, pfn_t unit, pfn_t start,
			       pfn_t end)
{
	phys_addr_t align = unit == CHUNK ? desc_bytes(CHUNK) : PAGE_SIZE;
	struct search *searches = unit == CHUNK ? chunk_searches : block_searches;
	phys_addr_t from = PFN_PHYS(start > b->base ? start : b->base);
	phys_addr_t to = PFN_PHYS(end < b->limit ? end : b->limit);
	phys_addr_t phys = 0;

	if (to - from >= size)
		phys = memblock_alloc_range_nid(size, align, from, to, b->nid, true);
	if (!phys && b->nodes)
		phys = find_on_node(size, align, searches, b->nid);
	return phys ? phys : find_on_node(size, align, searches, NUMA_NO_NODE);
}

/* Counts the descriptors of [start, end), which were backed by memory at phys, in `remote`. */
static void count_remote(pfn_t start, pfn_t end, phys_addr_t phys)
{
	const struct memblock_region *last = memblock.memory.regions + memblock.memory.cnt;
	int nid = region_above(PFN_DOWN(phys))->nid;

	for (const struct memblock_region *r = region_above(start);
	     r < last && PFN_UP(r->base) < end; r++)
		if (r->nid != nid)
			remote += desc_bytes(region_frames(r, start, end));
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
		port_map_mem_map(mem_map_window(start), phys, size);
		if (b->nodes)
			count_remote(start, end, phys);
		return;
	}
	if (end - start == GRAIN)
		port_panic("mem_map_init: no room for the descriptors of [mem %#llx-%#llx]",
			   (unsigned long long)PFN_PHYS(start),
			   (unsigned long long)PFN_PHYS(end) - 1);
	if (end - start == unit)
		unit = GRAIN;
	middle = start + (end - start) / 2 / unit * unit;
	back_range(b, start, middle, unit);
	back_range(b, middle, end, unit);
}

/* Backs blocks of one node: chunks in the middle, blocks at the edges. */
static void back_blocks(struct backing *b, pfn_t start, pfn_t end)
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

/* Returns the node that has most of the RAM of [start, end); of equals, the lowest. */
static int node_of_most(pfn_t start, pfn_t end)
{
	pfn_t frames[MAX_NUMNODES + 1] = { 0 };
	int most = 0;

	count_frames(frames, start, end);
	for (int nid = 1; nid <= MAX_NUMNODES; nid++)
		if (frames[nid] > frames[most])
			most = nid;
	return most;
}

/*
 * Returns where the blocks from start on, to end at most, that are backed from one node end, and
 * sets b->nid to it. Whole chunks are one node's, so it looks at each chunk in which nodes change.
 */
static pfn_t end_of_node(struct backing *b, pfn_t start, pfn_t end)
{
	pfn_t chunk = (start + CHUNK) / CHUNK * CHUNK, same;
	const struct memblock_region *r = region_above(start);

	b->nid = r->nid;
	while (r + 1 < memblock.memory.regions + memblock.memory.cnt && r[1].nid == r->nid &&
	       r->base + r->size < PFN_PHYS(end))
		r++;
	same = PFN_DOWN(r->base + r->size);
	if (same >= end || r + 1 == memblock.memory.regions + memblock.memory.cnt)
		return end;
	if (start % CHUNK || end - start < CHUNK) /* blocks, up to the next chunk */
		return same < chunk ? (same + GRAIN - 1) & ~(GRAIN - 1)
				    : (chunk < end ? chunk : end);
	if (same / CHUNK * CHUNK > start)
		return same / CHUNK * CHUNK;
	b->nid = node_of_most(start, chunk);
	return chunk;
}

/* Backs a stretch of blocks, the part of each node from memory of its own. */
static void back_stretch(struct backing *b, pfn_t start, pfn_t end)
{
	if (!b->nodes) {
		back_blocks(b, start, end);
		return;
	}
	for (pfn_t next; start < end; start = next) {
		next = end_of_node(b, start, end);
		back_blocks(b, start, next);
	}
}

uint64_t mem_map_init(void)
{
	int highest = highest_of_several();
	struct backing b = { .nodes = highest >= 0, .nid = NUMA_NO_NODE };
	pfn_t start = 0, end = 0; /* the stretch so far */
	uint64_t bytes = 0;
	unsigned long base, limit;
	int i;

	if (memblock_end_of_DRAM() > PFN_PHYS(MM_MAX_PFN))
		port_panic("mem_map_init: RAM ends at 0x%llx, beyond MM_MAX_PFN",
			   (unsigned long long)memblock_end_of_DRAM());
	remote = 0;
	forget_searches(highest);
	/* Backing takes memory, never adds any: memblock.memory stays as it is under the loop. */
	for_each_mem_pfn_range(i, NUMA_NO_NODE, &base, &limit, NULL) {
		pfn_t from = base & ~(GRAIN - 1);
		pfn_t to = (limit + GRAIN - 1) & ~(GRAIN - 1);

		if (from > end) {
			back_stretch(&b, start, end);
			bytes += desc_bytes(end - start);
			port_map_zero(mem_map_window(end), desc_bytes(from - end));
			start = from;
			b.base = base;
		}
		end = to;
		b.limit = limit;
	}
	back_stretch(&b, start, end);
	bytes += desc_bytes(end - start);
	if (end < MM_MAX_PFN)
		port_map_zero(mem_map_window(end), desc_bytes(MM_MAX_PFN - end));
	return bytes;
}
