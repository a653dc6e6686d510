/*
 * buddy.h: the allocator's core: runs of bits, found lowest address first, merged by being set.
 *
 * The same steps serve both levels (zone.h has the picture): level 0 is a block's bitmap of frames,
 * level 1 a gib's bitmap of blocks. A *spot* names an open bitmap. Searching follows the zone's
 * index to the lowest open bitmap that may hold a run. What most allocations and frees need is
 * here, inline, once for each level; when that does not do (the bound was stale, no open bitmap
 * serves, a bitmap became empty or whole) buddy.c is called.
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
#ifndef mm_always_inline
#define mm_always_inline static inline __attribute__((always_inline))
#endif

/* Whose bitmap: a block's, of frames, or a gib's, of blocks. Numbers: they count in shifts. */
enum { LEVEL_BLOCK, LEVEL_GIB };

/* What a run is taken for: an allocation of its own, or to be opened and handed out in parts. */
enum buddy_use { BUDDY_FOR_HEAD, BUDDY_FOR_PARTS };

/* An open bitmap: a block's (level 0) or a gib's own (level 1). */
struct buddy_spot {
	struct gib *gib;
	struct bitmap *bitmap;
	pfn_t gib_nr;       /* the gib's number in the zone */
	unsigned int block; /* level 0: the block's number in the gib */
};

static inline pfn_t gib_of(const struct zone *z, pfn_t pfn)
{
	return (pfn >> GIB_ORDER) - z->first_gib;
}

static inline unsigned int block_of(pfn_t pfn)
{
	return (unsigned int)(pfn >> BLOCK_ORDER) & (BITMAP_BITS - 1);
}

/* Of a frame or block: its bit in the bitmap of that level. */
mm_always_inline unsigned int buddy_child_of(pfn_t pfn, unsigned int level)
{
	return (unsigned int)(pfn >> level * BLOCK_ORDER) & (BITMAP_BITS - 1);
}

/* The first frame of a child. */
mm_always_inline pfn_t buddy_child_pfn(const struct zone *z, struct buddy_spot s,
				       unsigned int child, unsigned int level)
{
	return ((z->first_gib + s.gib_nr) << GIB_ORDER) + ((pfn_t)s.block << BLOCK_ORDER) +
	       ((pfn_t)child << level * BLOCK_ORDER);
}

mm_always_inline struct buddy_spot buddy_spot_in(struct gib *g, pfn_t gib, unsigned int block,
						 unsigned int level)
{
	if (level)
		return (struct buddy_spot){ g, &g->free, gib, 0 };
	return (struct buddy_spot){ g, &g->block[block], gib, block };
}

mm_always_inline struct buddy_spot buddy_spot_at(const struct zone *z, pfn_t pfn,
						 unsigned int level)
{
	pfn_t gib = gib_of(z, pfn);

	return buddy_spot_in(z->dir[gib], gib, block_of(pfn), level);
}

/* Aside: each names a bitmap by a frame in it. */

/* The bitmap holds no run of 2^k children, or more. Returns pfn. */
pfn_t buddy_lower(struct zone *z, pfn_t pfn, unsigned int k, unsigned int level);
/* The child was set, with others: bounds may go up, bitmaps close. Returns true. */
bool buddy_completed(struct zone *z, pfn_t pfn, unsigned int level);
/* What buddy_take() does where its own search ends. */
pfn_t buddy_take_other(struct zone *z, unsigned int order);

/* Taking. */

/* The lowest open bitmap that may hold a run of 2^k children. */
mm_always_inline bool buddy_find_open(const struct zone *z, unsigned int k, unsigned int level,
				      struct buddy_spot *s)
{
	pfn_t gib = bitmap_tree_first(&z->index[level * BLOCK_ORDER + k]);
	struct gib *g;

	if (gib == BITMAP_TREE_NONE)
		return false;
	g = z->dir[gib];
	*s = buddy_spot_in(g, gib, level ? 0 : bitmap_first(&g->index[k]), level);
	return true;
}

/* The run of 2^k children is free, and no longer: an allocation if head, else to be opened. */
mm_always_inline pfn_t buddy_take_run(struct zone *z, struct buddy_spot s, unsigned int child,
				      unsigned int k, unsigned int level, enum buddy_use use)
{
	pfn_t pfn = buddy_child_pfn(z, s, child, level);

	if (level && use == BUDDY_FOR_HEAD)
		bitmap_set(&s.gib->head, child);
	bitmap_clear_run(s.bitmap, child, k);
	if (!s.bitmap->word[child / 64] && bitmap_empty(s.bitmap))
		return buddy_lower(z, pfn, 0, level);
	return pfn;
}

/* From the lowest open bitmap that may hold such a run, if it does. */
mm_always_inline pfn_t buddy_take_first(struct zone *z, unsigned int k, unsigned int level,
					enum buddy_use use)
{
	unsigned int child;
	struct buddy_spot s;

	if (!buddy_find_open(z, k, level, &s))
		return PFN_NONE;
	child = bitmap_find_run(s.bitmap, k);
	return child == BITMAP_NONE ? PFN_NONE : buddy_take_run(z, s, child, k, level, use);
}

/*
 * The lowest run of this order becomes an allocation. PFN_NONE when there is none; PFN_AGAIN when
 * that took too long: the caller lets go of the lock for a moment and asks again.
 */
mm_always_inline pfn_t buddy_take(struct zone *z, unsigned int order)
{
	pfn_t pfn = PFN_NONE;

	if (order < BLOCK_ORDER)
		pfn = buddy_take_first(z, order, LEVEL_BLOCK, BUDDY_FOR_HEAD);
	else if (order < GIB_ORDER)
		pfn = buddy_take_first(z, order - BLOCK_ORDER, LEVEL_GIB, BUDDY_FOR_HEAD);
	return pfn != PFN_NONE ? pfn : buddy_take_other(z, order);
}

/* Giving back. */

/* Whether the index has the bitmap for runs of 2^k children. */
mm_always_inline bool buddy_is_indexed(const struct zone *z, struct buddy_spot s, unsigned int k,
				       unsigned int level)
{
	if (level)
		return bitmap_tree_test(&z->index[BLOCK_ORDER + k], s.gib_nr);
	return bitmap_test(&s.gib->index[k], s.block);
}

/* The child's word is full now: whether that means a higher bound, or a bitmap that closes (B5). */
mm_always_inline bool buddy_full_word_matters(const struct zone *z, struct buddy_spot s,
					      unsigned int child, unsigned int level)
{
	unsigned int k = BITMAP_WORD_SHIFT - 1;

	if (buddy_is_indexed(z, s, BITMAP_SHIFT - 1, level))
		return bitmap_whole(s.bitmap) && z->idle[level] != buddy_child_pfn(z, s, 0, level);
	while (buddy_is_indexed(z, s, k, level))
		k++;
	return bitmap_run_full(s.bitmap, child, k);
}

/*
 * The run of 2^k children is not free, and becomes so. Returns true. Most often no bound has to go
 * up: the index has the bitmap for the highest order, and so for all (B3), or for that of the run
 * that this one is now part of.
 */
mm_always_inline bool buddy_put_run(struct zone *z, struct buddy_spot s, unsigned int child,
				    unsigned int k, unsigned int level)
{
	uint64_t word;
	bool done;

	bitmap_set_run(s.bitmap, child, k);
	word = s.bitmap->word[child / 64];
	if (word == BITMAP_WORD_FULL)
		done = !buddy_full_word_matters(z, s, child, level);
	else
		done = buddy_is_indexed(z, s, BITMAP_SHIFT - 1, level) ||
		       buddy_is_indexed(z, s, bitmap_word_order_at(word, child % 64), level);
	if (done)
		return true;
	return buddy_completed(z, buddy_child_pfn(z, s, child, level), level);
}

mm_always_inline bool buddy_merge(struct zone *z, pfn_t pfn, unsigned int order)
{
	if (order < BLOCK_ORDER)
		return buddy_put_run(z, buddy_spot_at(z, pfn, 0), buddy_child_of(pfn, 0), order, 0);
	if (order < GIB_ORDER)
		return buddy_put_run(z, buddy_spot_at(z, pfn, 1), buddy_child_of(pfn, 1),
				     order - BLOCK_ORDER, 1);
	bitmap_tree_set(&z->free, gib_of(z, pfn));
	return true;
}

/* Whether the bits have such an allocation there. Below order 9 the descriptor is its mark. */
static inline bool buddy_is_allocated(const struct zone *z, pfn_t pfn, unsigned int order)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, 0);

	if (order < BLOCK_ORDER)
		return bitmap_test(&s.gib->open, s.block) &&
		       !bitmap_any_run(s.bitmap, buddy_child_of(pfn, 0), order);
	if (order < GIB_ORDER)
		return bitmap_test(&s.gib->head, s.block);
	return bitmap_tree_test(&z->head, s.gib_nr);
}

static inline void buddy_unmark(struct zone *z, pfn_t pfn, unsigned int order)
{
	if (order == GIB_ORDER)
		bitmap_tree_clear(&z->head, gib_of(z, pfn));
	else if (order >= BLOCK_ORDER)
		bitmap_clear(&z->dir[gib_of(z, pfn)]->head, block_of(pfn));
}

/* The allocation becomes free. False, and nothing done, when the bits have none there. */
static inline bool buddy_free(struct zone *z, pfn_t pfn, unsigned int order)
{
	if (!buddy_is_allocated(z, pfn, order))
		return false;
	buddy_unmark(z, pfn, order);
	return buddy_merge(z, pfn, order);
}

/* The rest. */

/* An aligned run that is neither free nor allocated becomes free. */
void buddy_put(struct zone *z, pfn_t pfn, unsigned int order);
/* All blocks of an allocation of order 9 or more get bitmaps of their own, with no bit set. */
void buddy_open_allocated(struct zone *z, pfn_t pfn, unsigned int order);
/*
 * The block or gib at pfn has no bit in its parent: from now on it has a bitmap of its own, with
 * no bit set. An open gib stays as it is.
 */
void buddy_open_block(struct zone *z, pfn_t pfn);
void buddy_open_gib(struct zone *z, pfn_t pfn);
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

/* The lowest frames of open bitmap, in rising order: none only when nothing is free. */
void buddy_take_words(struct zone *z, struct frame_batch *b);
/* The frames become free. Panics if one was. */
void buddy_put_word(struct zone *z, const struct frame_word *w);

#endif
