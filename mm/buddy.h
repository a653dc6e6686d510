/* SPDX-License-Identifier: MIT */
/*
 * buddy.h: the core of the allocator: it takes and frees runs of bits. zone.h has the terms, the
 * picture and the invariants. Private to mm/.
 *
 * The same steps serve both levels: a block's bitmap of frames and a gib's bitmap of blocks. A
 * *spot* identifies an open bitmap. A search follows the zone's index to the lowest open bitmap
 * that may hold a run. What most allocations and frees need is inline here, once for each level.
 * Where that is not enough (a bound was stale, no open bitmap serves, a bitmap became empty or
 * full), buddy.c is called.
 *
 * The caller of each function has checked that the frame numbers it gives lie in a GiB in which the
 * zone has RAM: it has a gib there. It holds the zone's lock, and counts the frames:
 * nothing here changes nr_free. The exceptions are buddy_put_word(), buddy_put_words() and
 * buddy_put_frames(), which free frames of open blocks without the lock, count them, and take the
 * lock where it is needed.
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include "mm/shelf.h"

/* Which bitmap: a block's, of frames, or a gib's, of blocks. Shifts are computed from these. */
enum { LEVEL_BLOCK, LEVEL_GIB };

/* What a run is taken for: an allocation of its own, or to be opened and handed out in parts. */
enum buddy_use { BUDDY_FOR_HEAD, BUDDY_FOR_PARTS };

/* An open bitmap. */
struct buddy_spot {
	struct gib *gib;
	struct bitmap *bitmap;
	pfn_t gib_nr;       /* the gib's number */
	unsigned int block; /* the block's number in the gib; 0 for a gib's bitmap */
};

/* Returns the number of the frame, or of its block, in the bitmap of that level. */
mm_always_inline unsigned int buddy_child_of(pfn_t pfn, unsigned int level)
{
	return (unsigned int)(pfn >> level * BLOCK_ORDER) & (BITMAP_BITS - 1);
}

/* Returns the first frame of a child of a spot. */
mm_always_inline pfn_t buddy_child_pfn(struct buddy_spot s, unsigned int child, unsigned int level)
{
	return gib_pfn(s.gib_nr) + ((pfn_t)s.block << BLOCK_ORDER) +
	       ((pfn_t)child << level * BLOCK_ORDER);
}

/* Returns the spot of the bitmap of gib, whose number is gib_nr, or of a block of this gib. */
mm_always_inline struct buddy_spot buddy_spot_in(struct gib *gib, pfn_t gib_nr, unsigned int block,
						 unsigned int level)
{
	if (level)
		return (struct buddy_spot){ gib, &gib->free, gib_nr, 0 };
	return (struct buddy_spot){ gib, &gib->block[block], gib_nr, block };
}

/* Returns the spot of the bitmap of that level that has a bit for the frame, or for its block. */
mm_always_inline struct buddy_spot buddy_spot_at(const struct zone *z, pfn_t pfn,
						 unsigned int level)
{
	pfn_t gib_nr = gib_of(pfn);

	return buddy_spot_in(gib_at(z, gib_nr), gib_nr, block_of(pfn), level);
}

/*
 * The work that one hold of the lock does in cold paths, as buddy.c counts it: bits of the index
 * that are set or cleared, bitmaps that are searched, opened or cleaned. A hold that has done so
 * much does not begin anything more; with the last thing that it begins, it stays below 3,000
 * instructions. Only what could go on in another hold looks at the count.
 */
#define BUDDY_MAX_WORK 75

static inline void buddy_begin(struct zone *z)
{
	z->work = 0;
}

static inline bool buddy_may_go_on(const struct zone *z)
{
	return z->work < BUDDY_MAX_WORK;
}

/*
 * Cold paths. They identify a bitmap by any frame in it: a pfn fits in a register, which keeps the
 * hot callers small. buddy_lower() and buddy_completed() return what their callers return next,
 * which therefore need not keep it during the call.
 */

/* Takes the bitmap that has pfn off the index for runs of 2^k children and more. Returns pfn. */
MM_INTERNAL pfn_t buddy_lower(struct zone *z, pfn_t pfn, unsigned int k, unsigned int level);

/*
 * Raises the bounds for the run around the block at pfn, which was set in its gib. If the gib
 * became full, it stays open as idle[], and the one kept open before is closed, if it is still full
 * (B5). Returns true.
 */
MM_INTERNAL bool buddy_completed(struct zone *z, pfn_t pfn);

/* Goes on where the search of buddy_take() ends, and returns what buddy_take() returns. */
MM_INTERNAL pfn_t buddy_take_other(struct zone *z, unsigned int order);

/* Taking. */

/*
 * Sets *s to the lowest open bitmap that may hold a run of 2^k children. Returns false when there
 * is none, or when a bit on the way stands for an empty bitmap of blocks, as it may while other
 * CPUs free frames.
 */
mm_always_inline bool buddy_find_open(const struct zone *z, unsigned int k, unsigned int level,
				      struct buddy_spot *s)
{
	pfn_t gib_nr;
	struct gib *gib = gibs_find(z, GIBS_INDEX(level * BLOCK_ORDER + k), &gib_nr);
	unsigned int block = 0;

	if (!gib)
		return false;
	if (!level && (block = bitmap_first(&gib->index[k])) == BITMAP_NONE)
		return false;
	*s = buddy_spot_in(gib, gib_nr, block, level);
	return true;
}

/*
 * Clears the bits of a free run of 2^k children. With BUDDY_FOR_HEAD a run of blocks is also marked
 * as an allocation; one of frames has no such mark in the bits. Returns the run's first frame.
 */
mm_always_inline pfn_t buddy_take_run(struct zone *z, struct buddy_spot s, unsigned int child,
				      unsigned int k, unsigned int level, enum buddy_use use)
{
	pfn_t pfn = buddy_child_pfn(s, child, level);

	MM_ASSERT(port_lock_is_taken(&z->lock));
	MM_ASSERT(bitmap_all_run(s.bitmap, child, k));
	if (level && use == BUDDY_FOR_HEAD)
		bitmap_set_alone(&s.gib->head, child);
	if (bitmap_clear_run(s.bitmap, child, k) && bitmap_empty(s.bitmap))
		return buddy_lower(z, pfn, 0, level);
	return pfn;
}

/*
 * Takes a run of 2^k children from the lowest open bitmap that may hold one. Returns its first
 * frame; PFN_NONE when that bitmap holds none, or the index has no bitmap for such runs.
 */
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

/* Does this for an allocation of an order from 9 to 17. */
mm_always_inline pfn_t buddy_take_blocks(struct zone *z, unsigned int order)
{
	return buddy_take_first(z, order - BLOCK_ORDER, LEVEL_GIB, BUDDY_FOR_HEAD);
}

/*
 * Takes a free run of this order, below MAX_PAGE_ORDER, from the lowest open bitmap that may have
 * one. Returns its first frame; PFN_NONE when that bitmap has none, or the index has no bitmap for
 * such runs: buddy_take_other() may find one then.
 */
mm_always_inline pfn_t buddy_take_indexed(struct zone *z, unsigned int order)
{
	if (order < BLOCK_ORDER)
		return buddy_take_first(z, order, LEVEL_BLOCK, BUDDY_FOR_HEAD);
	return buddy_take_blocks(z, order);
}

/*
 * Takes a free run of this order as an allocation: from the lowest open bitmap that has one; if
 * none is found, from a whole block or gib, which is searched for in the same way and opened. Order
 * 18 takes the lowest whole gib. Returns the run's first frame; PFN_NONE when there is no run;
 * PFN_AGAIN when many bounds were stale, so that the caller can release the lock for a moment and
 * ask again. The caller writes the head's descriptor.
 */
mm_always_inline pfn_t buddy_take(struct zone *z, unsigned int order)
{
	pfn_t pfn = PFN_NONE;

	MM_ASSERT(port_lock_is_taken(&z->lock));
	MM_ASSERT(order <= MAX_PAGE_ORDER);
	if (order < GIB_ORDER)
		pfn = buddy_take_indexed(z, order);
	return pfn != PFN_NONE ? pfn : buddy_take_other(z, order);
}

/*
 * Does what buddy_take() does, for an allocation that stays. An order below 9 comes from the zone's
 * unmovable block (B3), the lowest run of it; when that has none, from the highest whole block,
 * which is opened and becomes the unmovable one. When no block is whole, and for other orders, it
 * is buddy_take().
 */
MM_INTERNAL pfn_t buddy_take_unmovable(struct zone *z, unsigned int order);

/* Giving back. */

/* Returns whether the index holds the bitmap for runs of 2^k children. */
mm_always_inline bool buddy_is_indexed(const struct zone *z, struct buddy_spot s, unsigned int k,
				       unsigned int level)
{
	if (level)
		return gibs_test(z, GIBS_INDEX(BLOCK_ORDER + k), s.gib_nr);
	return bitmap_test(&s.gib->index[k], s.block);
}

/*
 * Frees the run of 2^k blocks at block, which is neither free nor allocated, in an open gib, the
 * spot s. Returns true. Most often nothing is left to do. As long as block's word is not full, no
 * bound can rise when the index holds the gib for half a word, or for the largest run that has
 * block. Otherwise none can when it holds the gib for the highest order, and so for all (B3); and
 * then the gib is not full either, or stays open as the one that B5 allows.
 */
mm_always_inline bool buddy_put_blocks(struct zone *z, struct buddy_spot s, unsigned int block,
				       unsigned int k)
{
	uint64_t word;

	MM_ASSERT(gibs_test(z, GIBS_OPEN, s.gib_nr));
	MM_ASSERT(!bitmap_any_run(s.bitmap, block, k));
	bitmap_set_run(s.bitmap, block, k);
	word = bitmap_read(&s.bitmap->word[block / 64]);
	if (word != BITMAP_WORD_FULL) {
		if (buddy_is_indexed(z, s, BITMAP_WORD_SHIFT - 1, LEVEL_GIB) ||
		    buddy_is_indexed(z, s, bitmap_word_order_at(word, block % 64), LEVEL_GIB))
			return true;
	} else if (buddy_is_indexed(z, s, BITMAP_SHIFT - 1, LEVEL_GIB) &&
		   (z->idle[LEVEL_GIB] == gib_pfn(s.gib_nr) || !bitmap_full(s.bitmap))) {
		return true;
	}
	return buddy_completed(z, buddy_child_pfn(s, block, LEVEL_GIB));
}

/* Frees a run of order 9 or more that is neither free nor allocated. Returns true. */
mm_always_inline bool buddy_merge(struct zone *z, pfn_t pfn, unsigned int order)
{
	MM_ASSERT(port_lock_is_taken(&z->lock));
	MM_ASSERT(order >= BLOCK_ORDER);
	if (order < GIB_ORDER)
		return buddy_put_blocks(z, buddy_spot_at(z, pfn, LEVEL_GIB), block_of(pfn),
					order - BLOCK_ORDER);
	MM_ASSERT(!gibs_test(z, GIBS_FREE, gib_of(pfn)));
	gibs_set(z, GIBS_FREE, gib_of(pfn));
	return true;
}

/*
 * Returns whether the bits have an allocation of this order at pfn. Below order 9 the bits only say
 * that all of it is taken; the caller has seen the head's descriptor. Needs no lock: if there is
 * such an allocation, and the caller holds it, the bits in question do not change.
 */
static inline bool buddy_is_allocated(const struct zone *z, pfn_t pfn, unsigned int order)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, LEVEL_BLOCK);

	MM_ASSERT(order <= MAX_PAGE_ORDER);
	if (order < BLOCK_ORDER)
		return bitmap_test(&s.gib->open, s.block) &&
		       !bitmap_any_run(s.bitmap, buddy_child_of(pfn, LEVEL_BLOCK), order);
	if (order < GIB_ORDER)
		return bitmap_test(&s.gib->head, s.block);
	return gibs_test(z, GIBS_HEAD, s.gib_nr);
}

/* Takes back the mark of an allocation of order 9 and up; below there is none in the bits. */
static inline void buddy_unmark(struct zone *z, pfn_t pfn, unsigned int order)
{
	if (order == GIB_ORDER)
		gibs_clear(z, GIBS_HEAD, gib_of(pfn));
	else if (order >= BLOCK_ORDER)
		bitmap_clear_alone(&gib_at(z, gib_of(pfn))->head, block_of(pfn));
}

/*
 * Frees an aligned run of any order that is neither free nor allocated. Below order 9 its block is
 * open.
 */
MM_INTERNAL void buddy_put(struct zone *z, pfn_t pfn, unsigned int order);

/*
 * Turns the marks of an allocation at pfn into those of its parts: an order above 9 becomes order
 * 9, and order 9 becomes single frames, for which the block is opened with no frame free. The
 * caller writes the descriptors.
 */
MM_INTERNAL void buddy_split(struct zone *z, pfn_t pfn, unsigned int order);

/*
 * Open the block, or gib, that begins at pfn, with no child free. It must not be free in its
 * parent. buddy_open_block() opens the block's gib, too; buddy_open_gib() leaves an open gib as it
 * is. state becomes the state word of all frames of a block that was never open before; for any
 * other block it must be 0.
 */
MM_INTERNAL void buddy_open_block(struct zone *z, pfn_t pfn, uint64_t state);
MM_INTERNAL void buddy_open_gib(struct zone *z, pfn_t pfn);

/*
 * Zeroes the descriptors of the block around pfn, which is free or has free frames, unless that was
 * done before. The next hold that opens it is shorter then.
 */
MM_INTERNAL void buddy_clean(struct zone *z, pfn_t pfn);

/*
 * Takes the free frames [pfn, end), which lie in one block, as allocations: a whole block as one of
 * order 9, unless it is open, anything else as single frames, for which the block is opened if
 * necessary. Returns the order, 9 or 0. The caller writes the descriptors.
 */
MM_INTERNAL unsigned int buddy_take_range(struct zone *z, pfn_t pfn, pfn_t end);

/*
 * Free frames [pfn, end) that are neither free nor allocated: buddy_put_range() those of one open
 * block, buddy_put_block_range() whole blocks of one open gib.
 */
MM_INTERNAL void buddy_put_range(struct zone *z, pfn_t pfn, pfn_t end);
MM_INTERNAL void buddy_put_block_range(struct zone *z, pfn_t pfn, pfn_t end);

/*
 * Takes the largest aligned run that begins with the free frame pfn and ends by end, as an
 * allocation. Returns its order. The caller writes the head's descriptor.
 */
MM_INTERNAL unsigned int buddy_take_at(struct zone *z, pfn_t pfn, pfn_t end);

/* Some frames of one word of a block's bitmap: first + i for each bit i. */
struct frame_word {
	pfn_t first;
	uint64_t bits;
};

/*
 * The most words that move from a zone's bits to a frame cache under one hold of the lock. Frames
 * that lie scattered cost a word each, so a limit in words keeps the hold short.
 */
#define MAX_BATCH_WORDS 11

struct frame_batch {
	unsigned int want; /* frames, at most */
	unsigned int nr_frames;
	unsigned int nr_words;
	struct frame_word word[MAX_BATCH_WORDS];
};

/*
 * Takes the lowest free frames of open blocks into an empty batch, in rising order, at most
 * b->want. Opens a block when no open one has any. Takes none only when nothing is free, or while
 * other CPUs are freeing what the index promises. Ends early when that empties many bitmaps.
 */
MM_INTERNAL void buddy_take_words(struct zone *z, struct frame_batch *b);

/* The most runs that move from a zone's bits to a frame cache under one hold of the lock. */
#define MAX_BATCH_RUNS 12

/*
 * Runs of one order. Those of an entry begin, for each bit i, with the frame first + i, or for
 * order 9 with the first frame of the i-th block from first on.
 */
struct run_batch {
	unsigned int want; /* runs, at most */
	unsigned int nr_runs;
	unsigned int nr_words;
	struct frame_word word[MAX_BATCH_RUNS];
};

/*
 * Takes runs of an order below GIB_ORDER as buddy_take() does into an empty batch, mostly in rising
 * order, at most b->want. It ends where the index does not lead to a run at once, and when the hold
 * of the lock becomes long. Takes none where buddy_take() finds none, or wants the lock released.
 */
MM_INTERNAL void buddy_take_runs(struct zone *z, unsigned int order, struct run_batch *b);

/* A batch that has raised so many bounds ends, as it does when it had to take the lock. */
#define BUDDY_MAX_RAISED 12

/*
 * Free frames of open blocks: buddy_put_word() those of one word, as bits from frame first on,
 * buddy_put_words() those of nr words, buddy_put_frames() an aligned run of an order below 9.
 * `frames` are those of all words. The caller holds the frames: they are no longer an allocation,
 * and not free; if they are still in a frame cache, it is the caller's, and busy. The caller does
 * not hold the lock, which is taken where a block became full, or a bound that must be raised was
 * lowered meanwhile: once for each such word at most. They panic if a frame is free already.
 * buddy_put_word() returns how many bounds it has raised, or BUDDY_MAX_RAISED if it took the lock:
 * a batch for which that comes to BUDDY_MAX_RAISED ends. buddy_put_words() ends so early itself. It
 * returns how many words it has freed, the first ones, at least one.
 *
 * Until they return, the frames count as free, but may not be found. A request that must find them
 * waits until every CPU has answered cache_shut(). So the caller of buddy_put_word() and
 * buddy_put_words() keeps its frame cache marked as busy, from before the frames were no longer an
 * allocation; and the caller of buddy_put_frames() keeps interrupts off.
 */
MM_INTERNAL unsigned int buddy_put_word(struct zone *z, pfn_t first, uint64_t bits,
					uint64_t frames);
MM_INTERNAL unsigned int buddy_put_words(struct zone *z, const struct frame_word *word,
					 unsigned int nr, uint64_t frames);

/* Does what buddy_put_frames() does, for an order from that of a word on. */
MM_INTERNAL void buddy_put_whole_words(struct zone *z, pfn_t pfn, unsigned int order);

static inline void buddy_put_frames(struct zone *z, pfn_t pfn, unsigned int order)
{
	MM_ASSERT(order < BLOCK_ORDER);
	if (order < BITMAP_WORD_SHIFT)
		buddy_put_word(z, run_start(pfn, BITMAP_WORD_SHIFT),
			       bitmap_run_mask(frame_of(pfn), order), (uint64_t)1 << order);
	else
		buddy_put_whole_words(z, pfn, order);
}

#endif
