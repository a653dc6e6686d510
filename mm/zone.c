/* SPDX-License-Identifier: MIT */
/*
 * zone.c: zones from memblock: spans, directories, gibs; and the hand-over to the allocator.
 *
 * Everything here costs per range, or a few instructions per GiB, never per frame. The exception is
 * a block that is only partly usable: it is opened now, and its other frames are marked reserved.
 */
#include "mm/buddy.h"
#include "mm/cache.h"
#include "mm/debug.h"
#include "mm/memblock.h"

#define DMA_BORDER   ((pfn_t)1 << (24 - PAGE_SHIFT)) /* 16 MiB: ISA's 24 address lines */
#define DMA32_BORDER ((pfn_t)1 << (32 - PAGE_SHIFT)) /* 4 GiB: PCI's 32 */
_Static_assert(DMA_BORDER % BLOCK_FRAMES == 0,
	       "Z1: the 16 MiB of zone DMA are whole blocks: PAGE_SHIFT is at most 15");
_Static_assert(MM_MAX_PFN >= DMA32_BORDER, "MM_MAX_PFN is not below 4 GiB, where zone DMA32 ends");

/*
 * DMA and DMA32 keep 1/256 of the memory above them from requests that memory above could serve, so
 * that requests which need low memory find some. Linux has this as sysctl_lowmem_reserve_ratio.
 */
#define LOWMEM_RATIO 256

struct zone zones[STATE_ZONE_MASK + 1];

uint64_t zones_bytes;

struct zone *gfp_zones[GFP_ZONE_BITS + 1];

struct zone *const state_zones[STATE_ZONE_MASK + 1] = {
	&zones[0],
	&zones[1],
	&zones[2],
	&zones[3],
};

/* Allocates zeroed memory for the allocator's metadata. Without it the machine is of no use. */
static void *alloc_metadata(uint64_t bytes)
{
	void *metadata = memblock_alloc(bytes, sizeof(struct bitmap));

	if (!metadata)
		panic("zones_init: no room for %llu bytes of directories",
		      (unsigned long long)bytes);
	zones_bytes += bytes;
	return metadata;
}

void __next_zone_pfn_range(const struct zone *z, int *i, pfn_t *start, pfn_t *end)
{
	unsigned long from, to;

	do {
		__next_mem_pfn_range(i, NUMA_NO_NODE, &from, &to, NULL);
		if (*i < 0)
			return;
		*start = from > z->start_pfn ? from : z->start_pfn;
		*end = to < z->border ? to : z->border;
	} while (*start >= *end);
}

struct gib *zone_gib(const struct zone *z, pfn_t pfn)
{
	pfn_t gib = gib_of(z, pfn);

	return gib < z->nr_gibs ? z->dir[gib] : NULL;
}

uint64_t zone_nr_free_pages(const struct zone *z)
{
	return __atomic_load_n(&z->nr_free, __ATOMIC_RELAXED) + cache_frames(z);
}

uint64_t nr_free_pages(void)
{
	uint64_t sum = 0;

	for_each_zone(z)
		sum += zone_nr_free_pages(z);
	return sum;
}

/* Sets the zone's borders, and from memblock where its RAM begins and ends and how much it is. */
static void init_span(struct zone *z, pfn_t start, pfn_t border)
{
	pfn_t from, to;
	int i;

	z->start_pfn = start;
	z->end_pfn = start;
	z->border = border;
	z->idle[LEVEL_BLOCK] = PFN_NONE;
	z->idle[LEVEL_GIB] = PFN_NONE;
	z->unmovable = PFN_NONE;
	for_each_zone_pfn_range(i, z, &from, &to)
	{
		if (!z->present)
			z->first_gib = from >> GIB_ORDER;
		z->present += to - from;
		z->end_pfn = to;
	}
}

/* Gives the tree the next so many leaves. */
static void init_tree(struct bitmap_tree *tree, struct bitmap **leaf, uint64_t leaves)
{
	tree->leaf = *leaf;
	*leaf += leaves;
}

/* Allocates the directory and, all in one piece, the leaves of the bitmap trees. */
static void init_metadata(struct zone *z)
{
	uint64_t leaves;
	struct bitmap *leaf;

	if (!z->present)
		return;
	z->nr_gibs = ((z->end_pfn - 1) >> GIB_ORDER) + 1 - z->first_gib;
	leaves = (z->nr_gibs + BITMAP_BITS - 1) / BITMAP_BITS;
	/* GCOVR_EXCL_START: 64 TiB are 2^16 gibs, a bitmap tree has 2^18; bitmaps of tests are
	 * smaller.
	 */
	if (leaves > BITMAP_BITS)
		panic("zone %s: %llu gibs are more than a bitmap tree covers", z->name,
		      (unsigned long long)z->nr_gibs);
	/* GCOVR_EXCL_STOP */
	z->dir = alloc_metadata(z->nr_gibs * sizeof(struct gib *));
	leaf = alloc_metadata((2 * BITMAP_SHIFT + 4) * leaves * sizeof(struct bitmap));
	for (unsigned int k = 0; k < 2 * BITMAP_SHIFT; k++)
		init_tree(&z->index[k], &leaf, leaves);
	init_tree(&z->free, &leaf, leaves);
	init_tree(&z->open, &leaf, leaves);
	init_tree(&z->head, &leaf, leaves);
	init_tree(&z->known, &leaf, leaves);
}

/*
 * Allocates the gibs of consecutive GiBs side by side. Each has bitmaps for 512 blocks; the last is
 * cut where its RAM ends.
 */
static void place_gibs(struct zone *z, pfn_t first, pfn_t end_pfn)
{
	const uint64_t stride = sizeof(struct gib) + BITMAP_BITS * sizeof(struct bitmap);
	pfn_t last = (end_pfn - 1) >> GIB_ORDER;
	uint64_t blocks = block_of(end_pfn - 1) + 1;
	uint64_t bytes =
	    (last - first) * stride + sizeof(struct gib) + blocks * sizeof(struct bitmap);
	phys_addr_t from = PFN_PHYS(first << GIB_ORDER), to = PFN_PHYS(end_pfn);
	char *gibs;

	/*
	 * The memory comes from the same island of RAM if that has room, else from anywhere; from
	 * the 16 MiB of zone DMA only if nothing else is left, for that would cost one of its eight
	 * blocks. It is not written here.
	 */
	if (from < PFN_PHYS(DMA_BORDER))
		from = PFN_PHYS(DMA_BORDER);
	if (to <= from)
		to = MEMBLOCK_ALLOC_ACCESSIBLE;
	gibs = memblock_alloc_try_nid_raw(bytes, sizeof(struct bitmap), from, to, NUMA_NO_NODE);
	if (!gibs)
		gibs = memblock_alloc_raw(bytes, sizeof(struct bitmap));
	if (!gibs)
		panic("zone %s: no room for %llu bytes of gibs", z->name,
		      (unsigned long long)bytes);
	zones_bytes += bytes;
	for (pfn_t gib = first; gib <= last; gib++, gibs += stride)
		z->dir[gib - z->first_gib] = (struct gib *)gibs;
}

/* Makes a gib for every GiB in which the zone has RAM (Z1), run by run of such GiBs. */
static void init_gibs(struct zone *z)
{
	pfn_t run_first = 0,
	      run_end = 0; /* the run's first GiB, and the frame where its RAM ends */
	pfn_t from, to;
	int i;

	for_each_zone_pfn_range(i, z, &from, &to)
	{
		if (run_end && from >> GIB_ORDER > ((run_end - 1) >> GIB_ORDER) + 1) {
			place_gibs(z, run_first, run_end);
			run_end = 0;
		}
		if (!run_end)
			run_first = from >> GIB_ORDER;
		run_end = to;
	}
	if (run_end)
		place_gibs(z, run_first, run_end);
}

/* Sets gfp_zones[], from what the zones have by now. */
static void init_gfp_zones(void)
{
	for (gfp_t gfp = 0; gfp <= GFP_ZONE_BITS; gfp++) {
		struct zone *z = &zones[gfp & __GFP_DMA     ? ZONE_DMA
					: gfp & __GFP_DMA32 ? ZONE_DMA32
							    : ZONE_NORMAL];

		while (z > zones && !z->managed)
			z--;
		gfp_zones[gfp] = z;
	}
}

/*
 * The cookie distinguishes this boot's descriptors from those that a reset left in RAM. The zones
 * are filled in from zero each time, since a host program may set them up again and again.
 */
void zones_init(uint64_t seed)
{
	static const char *const names[] = { "DMA", "DMA32", "Normal" };
	static const pfn_t borders[] = { 0, DMA_BORDER, DMA32_BORDER, MM_MAX_PFN };
	uint64_t cookie = (seed ^ seed >> 16 ^ seed >> 32 ^ seed >> 48) & 0xffff;

	state_cookie = (cookie ? cookie : 1) << STATE_COOKIE_SHIFT;
	zones_bytes = 0;
	for (unsigned int i = 0; i < MAX_NR_ZONES; i++) {
		struct zone *z = &zones[i];

		memset(z, 0, sizeof(*z));
		z->id = (uint8_t)i;
		z->state = state_allocated(i, 0);
		z->name = names[i];
		init_span(z, borders[i], borders[i + 1]);
		init_metadata(z);
		init_gibs(z);
	}
	init_gfp_zones();
}

/* Computes the reserves: lowmem_reserve[j] is kept from requests that zone j could serve. */
void zones_finish(void)
{
	for (unsigned int i = 0; i < MAX_NR_ZONES; i++) {
		uint64_t above = 0;

		for (unsigned int j = i + 1; j < MAX_NR_ZONES; j++) {
			above += zones[j].managed;
			zones[i].lowmem_reserve[j] = above / LOWMEM_RATIO;
		}
	}
	init_gfp_zones();
	cache_init();
	mm_debug_start();
}

void set_states(struct page *page, pfn_t frames, uint64_t state)
{
#pragma GCC unroll 8
	for (pfn_t i = 0; i < frames; i++)
		state_write(&page[i], state);
}

/*
 * Opens a block of which only a part is usable. All its frames start as marked reserved; those that
 * are handed over lose the mark (P4).
 */
static void hand_over_part(struct zone *z, pfn_t pfn, unsigned int order)
{
	pfn_t first = run_start(pfn, BLOCK_ORDER);

	buddy_open_gib(z, pfn);
	if (!bitmap_test(&zone_gib(z, pfn)->open, block_of(pfn)))
		buddy_open_block(z, first, state_reserved(z->id));
	set_states(pfn_to_page(pfn), (pfn_t)1 << order, 0);
}

/*
 * Hands over all of the zone's GiBs [gib, end), which are none of them known to the allocator: they
 * become whole, as buddy_put() would make each of them, by words.
 */
static void hand_over_gibs(struct zone *z, pfn_t gib, pfn_t end)
{
	pfn_t next;

	zone_add_free(z, (end - gib) << GIB_ORDER);
	z->managed += (end - gib) << GIB_ORDER;
	for (; gib < end; gib = next) {
		struct bitmap *leaf = &z->free.leaf[gib / BITMAP_BITS];
		uint64_t *word = &leaf->word[gib % BITMAP_BITS / 64];
		uint64_t bits = BITMAP_WORD_FULL << (gib % BITMAP_WORD_FRAMES) & BITMAP_WORD_FULL;

		next = run_start(gib, BITMAP_WORD_SHIFT) + BITMAP_WORD_FRAMES;
		if (next > end) {
			bits &= BITMAP_WORD_FULL >> (next - end);
			next = end;
		}
		MM_ASSERT(!(*word & bits));
		bitmap_write(word, *word | bits);
		bitmap_set(&z->free.top, (unsigned int)(gib / BITMAP_BITS));
	}
}

/* Hands over an aligned run that lies within a zone: the ordinary merge takes it in. */
static void hand_over(struct zone *z, pfn_t pfn, unsigned int order)
{
	if (order < BLOCK_ORDER)
		hand_over_part(z, pfn, order);
	else if (order < GIB_ORDER)
		buddy_open_gib(z, pfn);
	buddy_put(z, pfn, order);
	zone_add_free(z, (uint64_t)1 << order);
	z->managed += (uint64_t)1 << order;
}

/* Leaves a GiB that a zone's border cuts to memblock_free_pages(). */
unsigned long memblock_free_largest(unsigned long pfn, unsigned long end_pfn)
{
	struct zone *z = pfn_zone(pfn);
	pfn_t end = run_start(end_pfn < z->border ? end_pfn : z->border, GIB_ORDER);
	unsigned long flags;

	if (end <= pfn)
		return pfn;
	flags = port_lock_irqsave(&z->lock);
	hand_over_gibs(z, gib_of(z, pfn), gib_of(z, end));
	port_unlock_irqrestore(&z->lock, flags);
	return end;
}

void memblock_free_pages(struct page *page, unsigned long pfn, unsigned int order)
{
	struct zone *z = pfn_zone(pfn);
	pfn_t frames = (pfn_t)1 << order;
	unsigned long flags;

	/* A zone's border, a multiple of blocks, can cut the run that begins at frame 0. */
	if (order && pfn + frames > z->border) {
		memblock_free_pages(page, pfn, order - 1);
		memblock_free_pages(page + frames / 2, pfn + frames / 2, order - 1);
		return;
	}
	flags = port_lock_irqsave(&z->lock);
	hand_over(z, pfn, order);
	port_unlock_irqrestore(&z->lock, flags);
}
