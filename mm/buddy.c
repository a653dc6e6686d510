/*
 * buddy.c: the allocator's core: runs of bits, found lowest address first, merged by being set.
 *
 * The same steps serve both levels (zone.h has the picture): level 0 is a block's node of frames,
 * level 1 a region's node of blocks. A *spot* names an open node. Searching follows the zone's
 * index to the lowest open node that may hold a run; a node that turns out not to is taken off the
 * index (lowered), so that no search meets it again before a free raises it. When no open node
 * serves, the lowest whole child of the level above is opened. A node that becomes whole closes
 * into one bit of its parent.
 *
 * All functions want the zone's lock. Every address they get was checked by the caller.
 */
#include "mm/zone.h"

/*
 * The bounds lowered under one hold of the lock. Each costs a search of a node, about 270
 * instructions at worst; without a limit an adversary who leaves many stale bounds makes one call
 * walk all of them.
 */
#define MAX_LOWERED 10

struct zone zones[MAX_NR_ZONES];

/* An open node: a block's (level 0) or a region's own (level 1). */
struct spot {
	struct region *region;
	struct node *node;
	pfn_t gib;          /* the region's number in the zone */
	unsigned int block; /* level 0: the block's number in the region */
};

static inline unsigned int level_of(unsigned int order)
{
	return order >= BLOCK_ORDER;
}

static inline pfn_t gib_of(const struct zone *z, pfn_t pfn)
{
	return (pfn >> REGION_ORDER) - z->first_gib;
}

static inline unsigned int block_of(pfn_t pfn)
{
	return (unsigned int)(pfn >> BLOCK_ORDER) & (NODE_BITS - 1);
}

static inline pfn_t spot_pfn(const struct zone *z, const struct spot *s)
{
	return ((z->first_gib + s->gib) << REGION_ORDER) + ((pfn_t)s->block << BLOCK_ORDER);
}

static inline struct spot spot_at(struct zone *z, pfn_t pfn, unsigned int level)
{
	pfn_t gib = gib_of(z, pfn);
	struct region *region = z->dir[gib];

	if (level)
		return (struct spot){ region, &region->free, gib, 0 };
	return (struct spot){ region, &region->block[block_of(pfn)], gib, block_of(pfn) };
}

/* The lowest open node that may hold a run of this order. */
static bool find_open(struct zone *z, unsigned int order, struct spot *s)
{
	s->gib = bitset_first(&z->index[order]);
	if (s->gib == BITSET_NONE)
		return false;
	s->region = z->dir[s->gib];
	if (level_of(order)) {
		s->block = 0;
		s->node = &s->region->free;
	} else {
		s->block = node_first(&s->region->index[order]);
		s->node = &s->region->block[s->block];
	}
	return true;
}

/* The node holds no run of this order or above (B3, B4: index[k + 1] lies within index[k]). */
static void lower(struct zone *z, const struct spot *s, unsigned int order)
{
	if (level_of(order)) {
		for (; order < REGION_ORDER && bitset_test(&z->index[order], s->gib); order++)
			bitset_clear(&z->index[order], s->gib);
		return;
	}
	for (; order < BLOCK_ORDER && node_test(&s->region->index[order], s->block); order++) {
		if (node_clear(&s->region->index[order], s->block))
			bitset_clear(&z->index[order], s->gib);
	}
}

/* The node holds a run of this order. */
static void raise(struct zone *z, const struct spot *s, unsigned int order)
{
	unsigned int lowest = level_of(order) ? BLOCK_ORDER : 0;

	for (unsigned int k = order + 1; k-- > lowest;) {
		if (lowest) {
			if (bitset_test(&z->index[k], s->gib))
				return;
		} else {
			if (node_test(&s->region->index[k], s->block))
				return;
			node_set(&s->region->index[k], s->block);
		}
		bitset_set(&z->index[k], s->gib);
	}
}

/* No open node of the level but this one has anything free. */
static bool only_spot(const struct zone *z, const struct spot *s, unsigned int level)
{
	if (level)
		return bitset_only(&z->index[BLOCK_ORDER], s->gib);
	return bitset_only(&z->index[0], s->gib) && node_only(&s->region->index[0], s->block);
}

/* A node of the level whose books are written: counts as open, with no bit set. */
static void open_node(struct zone *z, const struct spot *s, unsigned int level)
{
	if (level)
		bitset_set(&z->open, s->gib);
	else
		node_set(&s->region->open, s->block);
	node_fill(s->node, 0);
	z->nr_open[level]++;
}

/* A whole node becomes one bit of its parent. */
static void close_node(struct zone *z, const struct spot *s, unsigned int level)
{
	pfn_t pfn = spot_pfn(z, s);

	lower(z, s, level ? BLOCK_ORDER : 0);
	z->nr_open[level]--;
	if (level) {
		bitset_clear(&z->open, s->gib);
		bitset_set(&z->free, s->gib);
	} else {
		node_clear(&s->region->open, s->block);
		buddy_put(z, pfn, BLOCK_ORDER);
	}
}

/* The descriptors of a block are zeroed once: from then on P2 keeps them so (zone.h). */
static void clean_block(struct region *region, unsigned int block, pfn_t pfn)
{
	if (node_test(&region->clean, block))
		return;
	memset(pfn_to_page(pfn), 0, BLOCK_FRAMES * sizeof(struct page));
	node_set(&region->clean, block);
}

/* Memory for regions comes unwritten: what is read before it is written would be a stranger's. */
static void write_header(struct zone *z, struct region *region, pfn_t gib)
{
	if (bitset_test(&z->known, gib))
		return;
	memset(region, 0, sizeof(*region));
	bitset_set(&z->known, gib);
}

void buddy_open_region(struct zone *z, pfn_t pfn)
{
	struct spot s = spot_at(z, pfn, 1);

	if (bitset_test(&z->open, s.gib))
		return;
	write_header(z, s.region, s.gib);
	open_node(z, &s, 1);
}

void buddy_open_block(struct zone *z, pfn_t pfn)
{
	struct spot s = spot_at(z, pfn, 0);

	buddy_open_region(z, pfn);
	clean_block(s.region, s.block, pfn);
	open_node(z, &s, 0);
}

static pfn_t take_region(struct zone *z)
{
	pfn_t gib = bitset_first(&z->free);

	if (gib == BITSET_NONE)
		return PFN_NONE;
	bitset_clear(&z->free, gib);
	return (z->first_gib + gib) << REGION_ORDER;
}

/* The run is in the node and set. */
static pfn_t take_run(struct zone *z, const struct spot *s, unsigned int order, unsigned int child)
{
	unsigned int base = level_of(order) ? BLOCK_ORDER : 0;

	node_clear_run(s->node, child, order - base);
	if (!s->node->word[child / 64] && node_empty(s->node))
		lower(z, s, base);
	return spot_pfn(z, s) + ((pfn_t)child << base);
}

/* The lowest whole child of the level above gets a node of its own, all of it free. */
static bool open_whole(struct zone *z, unsigned int level, struct spot *s)
{
	unsigned int none = 0; /* the bound of order 9 is exact: nothing is lowered on the way */
	pfn_t pfn = level ? take_region(z) : buddy_take(z, BLOCK_ORDER, &none);

	if (pfn == PFN_NONE)
		return false;
	if (level)
		buddy_open_region(z, pfn);
	else
		buddy_open_block(z, pfn);
	*s = spot_at(z, pfn, level);
	node_fill(s->node, WORD_FULL);
	raise(z, s, level ? REGION_ORDER - 1 : BLOCK_ORDER - 1);
	return true;
}

/* The whole node that B5 kept open, if there is one, becomes available to the level above. */
static bool close_idle(struct zone *z, unsigned int level)
{
	pfn_t pfn = z->idle[level];
	struct spot s;

	z->idle[level] = PFN_NONE;
	if (pfn == PFN_NONE || !bitset_test(&z->open, gib_of(z, pfn)))
		return false;
	s = spot_at(z, pfn, level);
	if ((!level && !node_test(&s.region->open, s.block)) || !node_whole(s.node))
		return false;
	close_node(z, &s, level);
	return true;
}

/* Orders 9 and up may have been missed because of a whole node that is open. */
static bool close_idles(struct zone *z, unsigned int order)
{
	bool closed = false;

	if (order >= BLOCK_ORDER)
		closed |= close_idle(z, 0);
	if (order >= REGION_ORDER)
		closed |= close_idle(z, 1);
	return closed;
}

/*
 * *lowered counts what was lowered so far; at MAX_LOWERED the search ends, with a whole child or
 * without. The caller then lets go of the lock and may come again with 0.
 */
pfn_t buddy_take(struct zone *z, unsigned int order, unsigned int *lowered)
{
	unsigned int level = level_of(order);
	struct spot s;

	if (order == REGION_ORDER) {
		pfn_t pfn = take_region(z);

		if (pfn == PFN_NONE && close_idles(z, order))
			pfn = take_region(z);
		return pfn;
	}
	while (*lowered < MAX_LOWERED && find_open(z, order, &s)) {
		unsigned int child = node_find_run(s.node, order - level * BLOCK_ORDER);

		if (child != NODE_NONE)
			return take_run(z, &s, order, child);
		lower(z, &s, order);
		++*lowered;
	}
	if (open_whole(z, level, &s))
		return take_run(z, &s, order, 0);
	return close_idles(z, order) ? buddy_take(z, order, lowered) : PFN_NONE;
}

/* A run of this order, within the node, is now set; NODE_SHIFT: the node is whole. */
static void completed(struct zone *z, const struct spot *s, unsigned int level, unsigned int order)
{
	unsigned int base = level * BLOCK_ORDER;

	if (order < NODE_SHIFT) {
		raise(z, s, base + order);
		return;
	}
	raise(z, s, base + NODE_SHIFT - 1);
	if (only_spot(z, s, level))
		z->idle[level] = spot_pfn(z, s);
	else
		close_node(z, s, level);
}

void buddy_put(struct zone *z, pfn_t pfn, unsigned int order)
{
	if (order == REGION_ORDER) {
		bitset_set(&z->free, gib_of(z, pfn));
		return;
	}

	unsigned int level = level_of(order);
	unsigned int base = level * BLOCK_ORDER;
	unsigned int child = (unsigned int)(pfn >> base) & (NODE_BITS - 1);
	struct spot s = spot_at(z, pfn, level);

	node_set_run(s.node, child, order - base);
	completed(z, &s, level, node_run_order(s.node, child));
}

/* Nodes that one batch may empty: each costs as much as a search. */
#define MAX_BATCH_NODES 8

/* The word's frames, at most want of them, lowest first, to *--top and downwards. */
static struct page **take_word(uint64_t *word, struct page *base, struct page **top,
			       unsigned int want)
{
	uint64_t left = *word;

	if (left == ~0ull && want >= 64) {
		for (unsigned int i = 0; i < 64; i++)
			*--top = base + i;
		*word = 0;
		return top;
	}
	for (; left && want; want--, left &= left - 1)
		*--top = base + __builtin_ctzll(left);
	*word = left;
	return top;
}

/* A batch that is half full ends before it would cut a whole word, or open a whole block. */
static inline bool enough(unsigned int left, unsigned int want)
{
	return left <= want / 2 && left < 64;
}

unsigned int buddy_take_frames(struct zone *z, struct page **pages, unsigned int want)
{
	struct page **top = pages + want;
	struct spot s;

	for (unsigned int nodes = 0; nodes < MAX_BATCH_NODES && top > pages; nodes++) {
		struct page *base;

		if (!find_open(z, 0, &s) &&
		    (enough((unsigned int)(top - pages), want) || !open_whole(z, 0, &s)))
			break;
		base = pfn_to_page(spot_pfn(z, &s));
		for (unsigned int i = 0; i < NODE_WORDS && top > pages; i++, base += WORD_FRAMES) {
			unsigned int left = (unsigned int)(top - pages);

			if (enough(left, want) && s.node->word[i] == ~0ull)
				goto done;
			top = take_word(&s.node->word[i], base, top, left);
		}
		if (node_empty(s.node))
			lower(z, &s, 0);
	}
done:
	want -= (unsigned int)(top - pages);
	if (top > pages)
		memmove(pages, top, want * sizeof(struct page *));
	return want;
}

void buddy_put_word(struct zone *z, pfn_t first, uint64_t bits)
{
	struct spot s = spot_at(z, first, 0);
	unsigned int child = (unsigned int)(first & (BLOCK_FRAMES - 1));
	uint64_t *word = &s.node->word[child / 64];

	if (*word & bits)
		panic("frame 0x%llx is free already",
		      (unsigned long long)first + (unsigned int)__builtin_ctzll(*word & bits));
	*word |= bits;
	if (*word != WORD_FULL)
		raise(z, &s, word_run_order(*word));
	else
		completed(z, &s, 0, node_run_order(s.node, child));
}

/* The frame is free: makes sure that it is a bit of an open block, and clears that bit. */
void buddy_take_at(struct zone *z, pfn_t pfn)
{
	struct spot s = spot_at(z, pfn, 1);

	if (bitset_test(&z->free, s.gib)) {
		bitset_clear(&z->free, s.gib);
		buddy_open_region(z, pfn);
		node_fill(s.node, WORD_FULL);
		raise(z, &s, REGION_ORDER - 1);
	}

	unsigned int block = block_of(pfn);
	pfn_t first = pfn & ~(BLOCK_FRAMES - 1);
	struct spot in = spot_at(z, pfn, 0);

	if (node_test(&s.region->free, block)) {
		take_run(z, &s, BLOCK_ORDER, block);
		buddy_open_block(z, first);
		node_fill(in.node, WORD_FULL);
		raise(z, &in, BLOCK_ORDER - 1);
	}
	take_run(z, &in, 0, (unsigned int)(pfn - first));
}

struct region *zone_region(const struct zone *z, pfn_t pfn)
{
	pfn_t gib = pfn >> REGION_ORDER;

	if (gib < z->first_gib || gib - z->first_gib >= z->nr_regions)
		return NULL;
	return z->dir[gib - z->first_gib];
}
