/*
 * buddy.h: the allocator's core: runs of bits, found lowest address first, merged by being set.
 *
 * The same steps serve both levels (zone.h has the picture): level 0 is a block's node of frames,
 * level 1 a region's node of blocks. A *spot* names an open node. Searching follows the zone's
 * index to the lowest open node that may hold a run. What most allocations and frees need is here,
 * inline, once for each level; when that does not do (the bound was stale, no open node serves, a
 * node became empty or whole) buddy.c is called.
 *
 * All functions want the zone's lock. Every address they get was checked by the caller.
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include "mm/zone.h"

/*
 * The level is a constant where these begin: a copy for each, without a branch. (But for those who
 * count branches: make coverage.)
 */
#ifndef for_level
#define for_level static inline __attribute__((always_inline))
#endif

/* An open node: a block's (level 0) or a region's own (level 1). */
struct spot {
	struct region *region;
	struct node *node;
	pfn_t gib;          /* the region's number in the zone */
	unsigned int block; /* level 0: the block's number in the region */
};

static inline pfn_t gib_of(const struct zone *z, pfn_t pfn)
{
	return (pfn >> REGION_ORDER) - z->first_gib;
}

static inline unsigned int block_of(pfn_t pfn)
{
	return (unsigned int)(pfn >> BLOCK_ORDER) & (NODE_BITS - 1);
}

/* Of a frame or block: its bit in the node of that level. */
for_level unsigned int child_of(pfn_t pfn, unsigned int level)
{
	return (unsigned int)(pfn >> level * BLOCK_ORDER) & (NODE_BITS - 1);
}

/* The first frame of a child. */
for_level pfn_t child_pfn(const struct zone *z, struct spot s, unsigned int child,
			  unsigned int level)
{
	return ((z->first_gib + s.gib) << REGION_ORDER) + ((pfn_t)s.block << BLOCK_ORDER) +
	       ((pfn_t)child << level * BLOCK_ORDER);
}

for_level struct spot spot_in(struct region *region, pfn_t gib, unsigned int block,
			      unsigned int level)
{
	if (level)
		return (struct spot){ region, &region->free, gib, 0 };
	return (struct spot){ region, &region->block[block], gib, block };
}

for_level struct spot spot_at(const struct zone *z, pfn_t pfn, unsigned int level)
{
	pfn_t gib = gib_of(z, pfn);

	return spot_in(z->dir[gib], gib, block_of(pfn), level);
}

/* Aside: each names a node by a frame in it. */

/* The node holds no run of 2^k children, or more. Returns pfn. */
pfn_t buddy_lower(struct zone *z, pfn_t pfn, unsigned int k, unsigned int level);
/* The child was set, with others: bounds may go up, nodes close. Returns true. */
bool buddy_completed(struct zone *z, pfn_t pfn, unsigned int level);
/* What buddy_take() does where its own search ends. */
pfn_t buddy_take_other(struct zone *z, unsigned int order);

/* Taking. */

/* The lowest open node that may hold a run of 2^k children. */
for_level bool find_open(const struct zone *z, unsigned int k, unsigned int level, struct spot *s)
{
	pfn_t gib = bitset_first(&z->index[level * BLOCK_ORDER + k]);
	struct region *region;

	if (gib == BITSET_NONE)
		return false;
	region = z->dir[gib];
	*s = spot_in(region, gib, level ? 0 : node_first(&region->index[k]), level);
	return true;
}

/* The run of 2^k children is free, and no longer: an allocation if head, else to be opened. */
for_level pfn_t take_run(struct zone *z, struct spot s, unsigned int child, unsigned int k,
			 unsigned int level, bool head)
{
	pfn_t pfn = child_pfn(z, s, child, level);

	if (level && head)
		node_set(&s.region->head, child);
	node_clear_run(s.node, child, k);
	if (!s.node->word[child / 64] && node_empty(s.node))
		return buddy_lower(z, pfn, 0, level);
	return pfn;
}

/* From the lowest open node that may hold such a run, if it does. */
for_level pfn_t take_first(struct zone *z, unsigned int k, unsigned int level, bool head)
{
	unsigned int child;
	struct spot s;

	if (!find_open(z, k, level, &s))
		return PFN_NONE;
	child = node_find_run(s.node, k);
	return child == NODE_NONE ? PFN_NONE : take_run(z, s, child, k, level, head);
}

/*
 * The lowest run of this order becomes an allocation. PFN_NONE when there is none; PFN_AGAIN when
 * that took too long: the caller lets go of the lock for a moment and asks again.
 */
for_level pfn_t buddy_take(struct zone *z, unsigned int order)
{
	pfn_t pfn = PFN_NONE;

	if (order < BLOCK_ORDER)
		pfn = take_first(z, order, 0, true);
	else if (order < REGION_ORDER)
		pfn = take_first(z, order - BLOCK_ORDER, 1, true);
	return pfn != PFN_NONE ? pfn : buddy_take_other(z, order);
}

/* Giving back. */

/* Whether the index has the node for runs of 2^k children. */
for_level bool is_indexed(const struct zone *z, struct spot s, unsigned int k, unsigned int level)
{
	if (level)
		return bitset_test(&z->index[BLOCK_ORDER + k], s.gib);
	return node_test(&s.region->index[k], s.block);
}

/* The child's word is full now: whether that means a higher bound, or a node that closes (B5). */
for_level bool full_word_counts(const struct zone *z, struct spot s, unsigned int child,
				unsigned int level)
{
	unsigned int k = WORD_SHIFT - 1;

	if (is_indexed(z, s, NODE_SHIFT - 1, level))
		return node_whole(s.node) && z->idle[level] != child_pfn(z, s, 0, level);
	while (is_indexed(z, s, k, level))
		k++;
	return node_run_full(s.node, child, k);
}

/*
 * The run of 2^k children is not free, and becomes so. Returns true. Most often no bound has to go
 * up: the index has the node for the highest order, and so for all (B3), or for that of the run
 * that this one is now part of.
 */
for_level bool put_run(struct zone *z, struct spot s, unsigned int child, unsigned int k,
		       unsigned int level)
{
	uint64_t word;
	bool done;

	node_set_run(s.node, child, k);
	word = s.node->word[child / 64];
	if (word == WORD_FULL)
		done = !full_word_counts(z, s, child, level);
	else
		done = is_indexed(z, s, NODE_SHIFT - 1, level) ||
		       is_indexed(z, s, word_order_at(word, child % 64), level);
	if (done)
		return true;
	return buddy_completed(z, child_pfn(z, s, child, level), level);
}

for_level bool put(struct zone *z, pfn_t pfn, unsigned int order)
{
	if (order < BLOCK_ORDER)
		return put_run(z, spot_at(z, pfn, 0), child_of(pfn, 0), order, 0);
	if (order < REGION_ORDER)
		return put_run(z, spot_at(z, pfn, 1), child_of(pfn, 1), order - BLOCK_ORDER, 1);
	bitset_set(&z->free, gib_of(z, pfn));
	return true;
}

/* Whether the bits have such an allocation there. Below order 9 the descriptor is its mark. */
static inline bool buddy_is_allocated(const struct zone *z, pfn_t pfn, unsigned int order)
{
	struct spot s = spot_at(z, pfn, 0);

	if (order < BLOCK_ORDER)
		return node_test(&s.region->open, s.block) &&
		       !node_any_run(s.node, child_of(pfn, 0), order);
	if (order < REGION_ORDER)
		return node_test(&s.region->head, s.block);
	return bitset_test(&z->head, s.gib);
}

static inline void buddy_unmark(struct zone *z, pfn_t pfn, unsigned int order)
{
	if (order == REGION_ORDER)
		bitset_clear(&z->head, gib_of(z, pfn));
	else if (order >= BLOCK_ORDER)
		node_clear(&z->dir[gib_of(z, pfn)]->head, block_of(pfn));
}

/* The allocation becomes free. False, and nothing done, when the bits have none there. */
static inline bool buddy_free(struct zone *z, pfn_t pfn, unsigned int order)
{
	if (!buddy_is_allocated(z, pfn, order))
		return false;
	buddy_unmark(z, pfn, order);
	return put(z, pfn, order);
}

/* The rest. */

/* An aligned run that is neither free nor allocated becomes free. */
void buddy_put(struct zone *z, pfn_t pfn, unsigned int order);
/* All blocks of an allocation of order 9 or more get nodes of their own, with no bit set. */
void buddy_open_allocated(struct zone *z, pfn_t pfn, unsigned int order);
/*
 * The block or region at pfn has no bit in its parent: from now on it has a node of its own, with
 * no bit set. An open region stays as it is.
 */
void buddy_open_block(struct zone *z, pfn_t pfn);
void buddy_open_region(struct zone *z, pfn_t pfn);
/* Takes the frame out, out of whatever it is part of. It must be free. */
void buddy_take_at(struct zone *z, pfn_t pfn);

/* Single frames, for the caches: the frames first + i of the bits i of a word. */
struct frame_word {
	pfn_t first;
	uint64_t bits;
};

/*
 * What moves under one hold of the lock: a few words, so that it is fewer frames if they lie
 * scattered. With eleven, and CACHE_DRAIN frames, the worst free takes 5,700 instructions
 * (`worst0.free`).
 */
#define MAX_BATCH_WORDS 11

struct frame_batch {
	unsigned int want; /* frames, at most */
	unsigned int nr_frames;
	unsigned int nr_words;
	struct frame_word word[MAX_BATCH_WORDS];
};

/* The lowest frames of open nodes, in rising order: none only when nothing is free. */
void buddy_take_words(struct zone *z, struct frame_batch *b);
/* The frames become free. Panics if one was. */
void buddy_put_word(struct zone *z, const struct frame_word *w);

#endif
