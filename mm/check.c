/*
 * check.c: mm_check() recomputes every invariant of zone.h from ground truth: memblock says what is
 * RAM and what was reserved, the bits say what is free, the descriptors who heads what.
 *
 * Frames are walked one by one only in open blocks. Nothing here trusts a count or a bound.
 */
#include "mm/cache.h"
#include "mm/memblock.h"
#include "mm/zone.h"

#define MAX_PRINTED 16

static unsigned long violations;

/* Says which invariant, and where: [zone, first frame of the thing]. */
static void violated(const char *invariant, const struct zone *z, pfn_t pfn, const char *what)
{
	if (violations++ < MAX_PRINTED)
		printk("mm_check: %s: zone %s, frame 0x%llx: %s\n", invariant, z->name,
		       (unsigned long long)pfn, what);
}

static void require(bool ok, const char *invariant, const struct zone *z, pfn_t pfn,
		    const char *what)
{
	if (!ok)
		violated(invariant, z, pfn, what);
}

static pfn_t gib_pfn(const struct zone *z, pfn_t gib)
{
	return (z->first_gib + gib) << GIB_ORDER;
}

static bool is_ram_to_hand_out(pfn_t pfn)
{
	return pfn_valid(pfn) && !memblock_is_region_reserved(PFN_PHYS(pfn), PAGE_SIZE);
}

/* Whether regions of the type, touching one another or not, cover all of [pfn, end). */
static bool covered(const struct memblock_type *type, pfn_t pfn, pfn_t end)
{
	phys_addr_t at = PFN_PHYS(pfn);

	for (unsigned long i = 0; i < type->cnt && at < PFN_PHYS(end); i++) {
		const struct memblock_region *r = &type->regions[i];

		if (r->base <= at && r->base + r->size > at)
			at = r->base + r->size;
	}
	return at >= PFN_PHYS(end);
}

/* B2 for a run of free frames at once. */
static void check_free_run(const struct zone *z, pfn_t pfn, pfn_t end)
{
	require(!memblock_is_region_reserved(PFN_PHYS(pfn), PFN_PHYS(end - pfn)), "B2", z, pfn,
		"a free frame is reserved in memblock");
	require(covered(&memblock.memory, pfn, end), "B2", z, pfn, "a free frame is not RAM");
}

/* What an open block's frames amount to. */
struct tally {
	uint64_t free;
	uint64_t allocated;
	uint64_t cached;
};

static void add_tally(struct tally *sum, const struct tally *part)
{
	sum->free += part->free;
	sum->allocated += part->allocated;
	sum->cached += part->cached;
}

/* The frame is in no allocation so far: a head, or reserved, or wrong. Returns frames it covers. */
static pfn_t check_used_frame(const struct zone *z, const struct bitmap *bitmap, pfn_t pfn,
			      struct tally *tally)
{
	uint64_t state = pfn_to_page(pfn)->state;
	unsigned int order = (unsigned int)(state >> STATE_ORDER_SHIFT & STATE_ORDER_MASK);

	if (state == state_reserved(z->id)) {
		require(!is_ram_to_hand_out(pfn), "P4", z, pfn,
			"marked reserved, but memblock has it as free RAM");
		return 1;
	}
	require(is_ram_to_hand_out(pfn), "P4", z, pfn, "not marked, but memblock has it reserved");
	if (!state) {
		tally->cached++;
		return 1;
	}
	if (state >> 32 != state_allocated(z->id, order) >> 32 || !(uint32_t)state ||
	    order >= BLOCK_ORDER || pfn & (((pfn_t)1 << order) - 1)) {
		violated("P1", z, pfn, "neither free, nor in an allocation, nor reserved");
		return 1;
	}
	require(!bitmap_any_run(bitmap, (unsigned int)(pfn % BITMAP_BITS), order), "P1", z, pfn,
		"part of an allocation is free");
	for (pfn_t i = 1; i < (pfn_t)1 << order; i++)
		require(!pfn_to_page(pfn + i)->state, "P2", z, pfn + i,
			"the descriptor inside an allocation is not zero");
	tally->allocated += (pfn_t)1 << order;
	return (pfn_t)1 << order;
}

static struct tally check_open_block(const struct zone *z, const struct gib *g, pfn_t first)
{
	const struct bitmap *bitmap = &g->block[(first >> BLOCK_ORDER) % BITMAP_BITS];
	struct tally tally = { .free = 0 };

	for (pfn_t pfn = first; pfn < first + BLOCK_FRAMES;) {
		pfn_t n = 1;

		if (bitmap_test(bitmap, (unsigned int)(pfn % BITMAP_BITS))) {
			require(is_ram_to_hand_out(pfn), "B2", z, pfn,
				"a free frame is reserved or not RAM");
			require(!pfn_to_page(pfn)->state, "P2", z, pfn,
				"the descriptor of a free frame is not zero");
			tally.free++;
		} else {
			n = check_used_frame(z, bitmap, pfn, &tally);
		}
		pfn += n;
	}
	return tally;
}

/* B3 for one open bitmap: `in` says for order k whether the index holds it. */
static void check_bounds(const struct zone *z, const struct bitmap *bitmap, pfn_t pfn, uint32_t in)
{
	for (unsigned int k = 0; k < BITMAP_SHIFT; k++) {
		bool held = in >> k & 1;

		require(held || bitmap_find_run(bitmap, k) == BITMAP_NONE, "B3", z, pfn,
			"an open block or gib has a run that the index does not know");
		require(!held || !k || in >> (k - 1) & 1, "B3", z, pfn,
			"the index holds a child for an order, but not for the one below");
	}
	require(!(in & 1) || !bitmap_empty(bitmap), "B3", z, pfn,
		"the index holds an open child in which nothing is free");
}

/* An allocation of order 9 .. 17 at this block: its blocks. 0 when the descriptor is wrong. */
static unsigned int check_block_head(const struct zone *z, const struct gib *g, pfn_t pfn)
{
	uint64_t state = pfn_to_page(pfn)->state;
	unsigned int order = (unsigned int)(state >> STATE_ORDER_SHIFT & STATE_ORDER_MASK);
	unsigned int block = (unsigned int)(pfn >> BLOCK_ORDER) % BITMAP_BITS;
	unsigned int blocks;

	if (state >> 32 != state_allocated(z->id, order) >> 32 || !(uint32_t)state ||
	    order < BLOCK_ORDER || order >= GIB_ORDER || pfn & (((pfn_t)1 << order) - 1)) {
		violated("P1", z, pfn, "a block is marked as head, its descriptor says otherwise");
		return 0;
	}
	blocks = 1u << (order - BLOCK_ORDER);
	for (unsigned int i = 0; i < blocks; i++)
		require(!bitmap_test(&g->free, block + i) && !bitmap_test(&g->open, block + i) &&
			    (!i || !bitmap_test(&g->head, block + i)),
			"B1", z, pfn + i * BLOCK_FRAMES, "a block inside an allocation is in use");
	return blocks;
}

/* Blocks neither whole nor open nor under a head must have nothing to hand out. */
static void check_other_block(const struct zone *z, pfn_t pfn)
{
	if (covered(&memblock.reserved, pfn, pfn + BLOCK_FRAMES))
		return;
	for (pfn_t i = 0; i < BLOCK_FRAMES; i++)
		if (is_ram_to_hand_out(pfn + i)) {
			violated("P1", z, pfn + i, "free RAM in a block that nobody has");
			return;
		}
}

static struct tally check_block(const struct zone *z, const struct gib *g, pfn_t pfn,
				unsigned int *covered)
{
	unsigned int block = (unsigned int)(pfn >> BLOCK_ORDER) % BITMAP_BITS;
	bool free = bitmap_test(&g->free, block);
	bool open = bitmap_test(&g->open, block);
	uint32_t in = 0;

	require(free + open + bitmap_test(&g->head, block) <= 1, "B1", z, pfn,
		"a block is two of whole, open and head");
	for (unsigned int k = 0; k < BITMAP_SHIFT; k++)
		in |= (uint32_t)bitmap_test(&g->index[k], block) << k;
	require(open || !in, "B3", z, pfn, "the index holds a block that is not open");
	if (*covered) {
		--*covered;
		return (struct tally){ .allocated = BLOCK_FRAMES };
	}
	if (free) {
		check_free_run(z, pfn, pfn + BLOCK_FRAMES);
		return (struct tally){ .free = BLOCK_FRAMES };
	}
	if (open) {
		require(bitmap_test(&g->clean, block), "P3", z, pfn, "an open block is not clean");
		require(!bitmap_whole(&g->block[block]) || z->idle[0] == pfn, "B5", z, pfn,
			"an open block is whole and should have closed");
		check_bounds(z, &g->block[block], pfn, in);
		return check_open_block(z, g, pfn);
	}
	if (bitmap_test(&g->head, block)) {
		unsigned int blocks = check_block_head(z, g, pfn);

		*covered = blocks ? blocks - 1 : 0;
		return (struct tally){ .allocated = BLOCK_FRAMES };
	}
	check_other_block(z, pfn);
	return (struct tally){ .free = 0 };
}

/* The gib's blocks that lie in the zone and have bitmaps. */
static struct tally check_open_gib(const struct zone *z, const struct gib *g, pfn_t gib)
{
	pfn_t first = gib_pfn(z, gib);
	pfn_t end = first + GIB_FRAMES;
	struct tally sum = { .free = 0 };
	unsigned int covered = 0;
	uint32_t in = 0;

	if (end > z->end_pfn)
		end = (z->end_pfn + BLOCK_FRAMES - 1) & ~(BLOCK_FRAMES - 1);
	if (first < z->start_pfn)
		first = z->start_pfn;
	for (pfn_t pfn = first; pfn < end; pfn += BLOCK_FRAMES) {
		struct tally block = check_block(z, g, pfn, &covered);

		add_tally(&sum, &block);
	}
	for (unsigned int k = 0; k < BITMAP_SHIFT; k++) {
		in |= (uint32_t)bitmap_tree_test(&z->index[BLOCK_ORDER + k], gib) << k;
		require(bitmap_tree_test(&z->index[k], gib) == !bitmap_empty(&g->index[k]), "B4", z,
			first, "the zone's index and the gib's differ");
	}
	require(!bitmap_whole(&g->free) || z->idle[1] == first, "B5", z, first,
		"an open gib is whole and should have closed");
	check_bounds(z, &g->free, first, in);
	return sum;
}

/* A gib that is neither whole nor open nor allocated: as little. */
static void check_other_gib(const struct zone *z, pfn_t first)
{
	phys_addr_t from, to;
	uint64_t i;

	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &from, &to, NULL) {
		pfn_t start = PFN_UP(from) > first ? PFN_UP(from) : first;
		pfn_t end = PFN_DOWN(to) < first + GIB_FRAMES ? PFN_DOWN(to) : first + GIB_FRAMES;

		start = start > z->start_pfn ? start : z->start_pfn;
		end = end < z->border ? end : z->border;
		require(start >= end, "P1", z, start, "free RAM in a gib that nobody has");
	}
}

static struct tally check_gib(const struct zone *z, pfn_t gib)
{
	bool free = bitmap_tree_test(&z->free, gib);
	bool open = bitmap_tree_test(&z->open, gib);
	bool head = bitmap_tree_test(&z->head, gib);
	pfn_t pfn = gib_pfn(z, gib);

	require(free + open + head <= 1, "B1", z, pfn, "a gib is two of whole, open and head");
	if (open)
		return check_open_gib(z, z->dir[gib], gib);
	for (unsigned int k = 0; k < 2 * BITMAP_SHIFT; k++)
		require(!bitmap_tree_test(&z->index[k], gib), "B3", z, pfn,
			"the index holds a gib that is not open");
	if (free) {
		check_free_run(z, pfn, pfn + GIB_FRAMES);
		return (struct tally){ .free = GIB_FRAMES };
	}
	if (head) {
		uint64_t state = pfn_to_page(pfn)->state;

		require(state >> 32 == state_allocated(z->id, GIB_ORDER) >> 32 && (uint32_t)state,
			"P1", z, pfn, "a gib is marked as head, its descriptor says otherwise");
		return (struct tally){ .allocated = GIB_FRAMES };
	}
	check_other_gib(z, pfn);
	return (struct tally){ .free = 0 };
}

/* Z1, Z2: the span and the directory against memblock. */
static void check_span(const struct zone *z)
{
	uint64_t present = 0;
	unsigned long base, end;
	int i;

	for_each_mem_pfn_range(i, NUMA_NO_NODE, &base, &end, NULL) {
		pfn_t from = base > z->start_pfn ? base : z->start_pfn;
		pfn_t to = end < z->border ? end : z->border;

		if (from >= to)
			continue;
		present += to - from;
		for (pfn_t gib = from >> GIB_ORDER; gib <= (to - 1) >> GIB_ORDER; gib++)
			require(zone_gib(z, gib << GIB_ORDER), "Z1", z, gib << GIB_ORDER,
				"a GiB with RAM is not in the directory");
	}
	require(present == z->present, "Z2", z, z->start_pfn, "present is not the RAM in memblock");
	require(z->start_pfn % BLOCK_FRAMES == 0 && z->border % BLOCK_FRAMES == 0, "Z1", z,
		z->start_pfn, "a border cuts a block");
}

static void check_top(const struct bitmap_tree *set, const struct zone *z)
{
	for (pfn_t leaf = 0; leaf < (z->nr_gibs + BITMAP_BITS - 1) / BITMAP_BITS; leaf++)
		require(
		    bitmap_test(&set->top, (unsigned int)leaf) == !bitmap_empty(&set->leaf[leaf]),
		    "B4", z, gib_pfn(z, leaf * BITMAP_BITS), "the top of a bitmap tree is wrong");
}

static uint64_t times_in(const struct page *page, struct page *const *stack, uint64_t count)
{
	uint64_t times = 0;

	for (uint64_t i = 0; i < count; i++)
		times += stack[i] == page;
	return times;
}

/* In the zone's caches of all CPUs. */
static uint64_t times_cached(const struct zone *z, const struct page *page)
{
	uint64_t times = 0;

	for (unsigned int cpu = 0; cpu < MM_MAX_CPUS; cpu++) {
		const struct frame_cache *cache = &frame_caches[cpu][z->id];

		times += times_in(page, cache->pages, cache->count) +
			 times_in(page, cache->out, cache->nr_out);
	}
	return times;
}

static void check_stack(const struct zone *z, struct page *const *stack, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		pfn_t pfn = page_to_pfn(stack[i]);

		require(!stack[i]->state && pfn_zone(pfn) == z, "C1", z, pfn,
			"a cached frame is another zone's, or its descriptor is not zero");
		require(times_cached(z, stack[i]) == 1, "C1", z, pfn,
			"a frame is in a cache twice");
	}
}

/* C1, C2: what the walk found in no other state is what the caches hold. */
static void check_caches(const struct zone *z, uint64_t found)
{
	for (unsigned int cpu = 0; cpu < MM_MAX_CPUS; cpu++) {
		const struct frame_cache *cache = &frame_caches[cpu][z->id];

		if (cache->count > cache->limit || cache->limit > CACHE_MAX ||
		    cache->nr_out > cache->limit || cache->nr_out > CACHE_OUT) {
			violated("C2", z, z->start_pfn, "a cache holds more than its limit");
			continue;
		}
		check_stack(z, cache->pages, cache->count);
		check_stack(z, cache->out, cache->nr_out);
	}
	require(found == cache_frames(z), "C1", z, z->start_pfn,
		"the frames that nobody has are not those in the caches");
}

/* Z1, the other way round. */
static bool has_ram(const struct zone *z, pfn_t gib)
{
	pfn_t from = gib_pfn(z, gib), to = from + GIB_FRAMES;

	from = from > z->start_pfn ? from : z->start_pfn;
	to = to < z->border ? to : z->border;
	return memblock_overlaps_region(&memblock.memory, PFN_PHYS(from), PFN_PHYS(to - from));
}

static void check_zone(const struct zone *z)
{
	struct tally sum = { .free = 0 };

	check_span(z);
	for (pfn_t gib = 0; gib < z->nr_gibs; gib++) {
		struct tally part;

		if (!z->dir[gib]) {
			require(!bitmap_tree_test(&z->free, gib) &&
				    !bitmap_tree_test(&z->open, gib) &&
				    !bitmap_tree_test(&z->head, gib),
				"Z1", z, gib_pfn(z, gib),
				"a GiB that is not in the directory is in use");
			continue;
		}
		require(has_ram(z, gib), "Z1", z, gib_pfn(z, gib),
			"a GiB without RAM is in the directory");
		part = check_gib(z, gib);
		add_tally(&sum, &part);
	}
	if (z->nr_gibs) {
		for (unsigned int k = 0; k < 2 * BITMAP_SHIFT; k++)
			check_top(&z->index[k], z);
		check_top(&z->free, z);
		check_top(&z->open, z);
		check_top(&z->head, z);
	}
	require(sum.free == z->nr_free, "B6", z, z->start_pfn, "nr_free is not the free frames");
	require(sum.free + sum.allocated + sum.cached == z->managed, "Z2", z, z->start_pfn,
		"managed is not the free, the allocated and the cached frames");
	check_caches(z, sum.cached);
}

unsigned long mm_check(void)
{
	violations = 0;
	for_each_zone(z)
		check_zone(z);
	if (violations > MAX_PRINTED)
		printk("mm_check: %lu violations, the first %u printed\n", violations, MAX_PRINTED);
	return violations;
}
