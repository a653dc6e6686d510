/* SPDX-License-Identifier: MIT */
/*
 * buddy.c: the cold paths of buddy.h: bitmaps open and close, bounds rise and fall; and the moves
 * of single frames by words.
 *
 * An open bitmap that turns out not to hold what the index promised is taken off the index, so that
 * no search meets it again before a free raises it. When no open bitmap serves, a whole block or
 * gib is opened. A bitmap that becomes full stays open until another does (B5); then it closes into
 * one bit of its parent.
 */
#include "mm/buddy.h"

/*
 * The most bounds that one hold of the lock lowers. Each costs a search of a bitmap. Without a
 * limit, a caller that leaves many stale bounds on purpose makes one call walk them all
 * (`worst3.alloc` in `make bench`).
 */
#define MAX_LOWERED 10

static pfn_t spot_pfn(const struct zone *z, struct buddy_spot s)
{
	return buddy_child_pfn(z, s, 0, LEVEL_BLOCK);
}

/* Stops at the first order that is not held: index[k + 1] is a subset of index[k] (B3). */
pfn_t buddy_lower(struct zone *z, pfn_t pfn, unsigned int k, unsigned int level)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, level);

	MM_ASSERT(port_lock_is_taken(&z->lock));
	for (; k < BITMAP_SHIFT; k++) {
		struct bitmap_tree *index = &z->index[level * BLOCK_ORDER + k];

		if (level ? !bitmap_tree_test(index, s.gib_nr)
			  : !bitmap_test(&s.gib->index[k], s.block))
			break;
		if (level || bitmap_clear(&s.gib->index[k], s.block))
			bitmap_tree_clear(index, s.gib_nr);
	}
	return pfn;
}

/*
 * Puts a bitmap that holds a run of 2^k children on the index, unless it is that of the unmovable
 * block (B3). A full one counts as two halves.
 */
static void raise_bounds(struct zone *z, pfn_t pfn, unsigned int k, unsigned int level)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, level);

	if (!level && spot_pfn(z, s) == z->unmovable)
		return;
	for (k = k < BITMAP_SHIFT ? k + 1 : BITMAP_SHIFT; k--;) {
		struct bitmap_tree *index = &z->index[level * BLOCK_ORDER + k];

		if (level ? bitmap_tree_test(index, s.gib_nr)
			  : bitmap_test(&s.gib->index[k], s.block))
			return;
		if (!level)
			bitmap_set(&s.gib->index[k], s.block);
		bitmap_tree_set(index, s.gib_nr);
	}
}

/* Sets all children of an open bitmap. */
static void fill_bitmap(struct zone *z, pfn_t pfn, unsigned int level)
{
	bitmap_fill(buddy_spot_at(z, pfn, level).bitmap, BITMAP_WORD_FULL);
	raise_bounds(z, pfn, BITMAP_SHIFT, level);
}

/* Zeroes the descriptors of a block once; from then on P2 holds for their state words. */
static void clean_block(struct gib *g, unsigned int block, pfn_t pfn)
{
	struct page *page = pfn_to_page(pfn);

	if (bitmap_test(&g->clean, block))
		return;
	/* A reader may still look at the first, if it was the head of an allocation until now. */
	page->owner_word = 0;
	state_write(page, 0);
	memset(page + 1, 0, (BLOCK_FRAMES - 1) * sizeof(struct page));
	bitmap_set(&g->clean, block);
}

/* Writes a struct gib when it is first used: its memory comes from memblock as it was left. */
static void write_header(struct zone *z, struct gib *g, pfn_t gib)
{
	if (bitmap_tree_test(&z->known, gib))
		return;
	memset(g, 0, sizeof(*g));
	bitmap_tree_set(&z->known, gib);
}

void buddy_open_gib(struct zone *z, pfn_t pfn)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, LEVEL_GIB);

	MM_ASSERT(port_lock_is_taken(&z->lock));
	MM_ASSERT(!bitmap_tree_test(&z->free, s.gib_nr) && !bitmap_tree_test(&z->head, s.gib_nr));
	if (bitmap_tree_test(&z->open, s.gib_nr))
		return;
	write_header(z, s.gib, s.gib_nr);
	bitmap_fill(s.bitmap, 0);
	bitmap_tree_set(&z->open, s.gib_nr); /* last: readers follow it */
}

void buddy_open_block(struct zone *z, pfn_t pfn)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, LEVEL_BLOCK);

	buddy_open_gib(z, pfn);
	MM_ASSERT(pfn % BLOCK_FRAMES == 0);
	MM_ASSERT(!bitmap_test(&s.gib->free, s.block) && !bitmap_test(&s.gib->head, s.block));
	clean_block(s.gib, s.block, pfn);
	bitmap_fill(s.bitmap, 0);
	bitmap_set(&s.gib->open, s.block); /* last: readers follow it */
}

void buddy_split(struct zone *z, pfn_t pfn, unsigned int order)
{
	MM_ASSERT(port_lock_is_taken(&z->lock));
	MM_ASSERT(order >= BLOCK_ORDER && order <= MAX_PAGE_ORDER);
	buddy_unmark(z, pfn, order);
	if (order == BLOCK_ORDER) {
		buddy_open_block(z, pfn);
		return;
	}
	buddy_open_gib(z, pfn);
	bitmap_set_run(&z->dir[gib_of(z, pfn)]->head, block_of(pfn), order - BLOCK_ORDER);
}

/* Turns a full bitmap into one bit of its parent. */
static void close_bitmap(struct zone *z, pfn_t pfn, unsigned int level)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, level);

	buddy_lower(z, pfn, 0, level);
	if (level) {
		bitmap_tree_clear(&z->open, s.gib_nr);
		bitmap_tree_set(&z->free, s.gib_nr);
	} else {
		bitmap_clear(&s.gib->open, s.block);
		if (pfn == z->unmovable)
			z->unmovable = PFN_NONE;
		buddy_put(z, pfn, BLOCK_ORDER);
	}
}

/*
 * Closes the bitmap that B5 keeps open, if it still is full, so that the level above can use it.
 * Returns whether it did. The bitmap is open: nothing else closes bitmaps.
 */
static bool close_idle(struct zone *z, unsigned int level)
{
	pfn_t pfn = z->idle[level];

	z->idle[level] = PFN_NONE;
	if (pfn == PFN_NONE || !bitmap_full(buddy_spot_at(z, pfn, level).bitmap))
		return false;
	close_bitmap(z, pfn, level);
	return true;
}

/*
 * The bitmap that is kept open comes here again only when a batch returns all of its children at
 * once. Only a bitmap of one word can do that, as test builds have them.
 */
bool buddy_completed(struct zone *z, pfn_t pfn, unsigned int level)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, level);
	unsigned int k = bitmap_run_order(s.bitmap, buddy_child_of(pfn, level));

	raise_bounds(z, pfn, k, level);
	if (k == BITMAP_SHIFT && z->idle[level] != spot_pfn(z, s)) {
		close_idle(z, level);
		z->idle[level] = spot_pfn(z, s);
	}
	return true;
}

void buddy_put(struct zone *z, pfn_t pfn, unsigned int order)
{
	buddy_merge(z, pfn, order);
}

/* Takes the lowest whole gib. */
static pfn_t take_gib(struct zone *z)
{
	pfn_t gib = bitmap_tree_first(&z->free);

	if (gib == BITMAP_TREE_NONE)
		return PFN_NONE;
	bitmap_tree_clear(&z->free, gib);
	return gib_pfn(z, gib);
}

static pfn_t take_block(struct zone *z);

/* Opens a whole block or gib, as level says, with all of it free. Returns its first frame. */
static pfn_t open_whole(struct zone *z, unsigned int level)
{
	pfn_t pfn = level ? take_gib(z) : take_block(z);

	if (pfn == PFN_NONE)
		return PFN_NONE;
	if (level == LEVEL_GIB)
		buddy_open_gib(z, pfn);
	else
		buddy_open_block(z, pfn);
	fill_bitmap(z, pfn, level);
	return pfn;
}

/* Takes a run of 2^k children from the lowest open bitmap that has one, or opens one for it. */
mm_always_inline pfn_t take_searching(struct zone *z, unsigned int k, unsigned int level,
				      enum buddy_use use)
{
	unsigned int lowered;
	struct buddy_spot s;
	pfn_t pfn;

	for (lowered = 0; lowered < MAX_LOWERED && buddy_find_open(z, k, level, &s); lowered++) {
		unsigned int child = bitmap_find_run(s.bitmap, k);

		if (child != BITMAP_NONE)
			return buddy_take_run(z, s, child, k, level, use);
		buddy_lower(z, spot_pfn(z, s), k, level);
	}
	pfn = open_whole(z, level);
	if (pfn == PFN_NONE)
		return lowered == MAX_LOWERED ? PFN_AGAIN : PFN_NONE;
	return buddy_take_run(z, buddy_spot_at(z, pfn, level), 0, k, level, use);
}

/*
 * Takes a whole block, to be opened, from the lowest open gib that has one, or from one that is
 * opened for it. The bounds for single blocks are exact, so one search finds it.
 */
static pfn_t take_block(struct zone *z)
{
	pfn_t pfn;

	do
		pfn = take_searching(z, 0, LEVEL_GIB, BUDDY_FOR_PARTS);
	while (pfn == PFN_NONE && close_idle(z, LEVEL_BLOCK));
	return pfn;
}

/*
 * Puts the unmovable block on the index, as a block for all requests. Returns its first frame;
 * PFN_NONE when there is none, or nothing is free in it. Its bound may be stale.
 */
static pfn_t release_unmovable(struct zone *z)
{
	pfn_t pfn = z->unmovable;

	z->unmovable = PFN_NONE;
	if (pfn == PFN_NONE || bitmap_empty(buddy_spot_at(z, pfn, LEVEL_BLOCK).bitmap))
		return PFN_NONE;
	raise_bounds(z, pfn, BITMAP_SHIFT, LEVEL_BLOCK);
	return pfn;
}

/* Takes the lowest whole gib as an allocation. */
static pfn_t take_gib_head(struct zone *z)
{
	pfn_t pfn = take_gib(z);

	if (pfn != PFN_NONE)
		bitmap_tree_set(&z->head, gib_of(z, pfn));
	return pfn;
}

/* The full block or gib that B5 keeps open may be what orders 9 and up lack: it is closed first. */
pfn_t buddy_take_other(struct zone *z, unsigned int order)
{
	pfn_t pfn;

	if (order < BLOCK_ORDER) {
		do
			pfn = take_searching(z, order, LEVEL_BLOCK, BUDDY_FOR_HEAD);
		while (pfn == PFN_NONE && release_unmovable(z) != PFN_NONE);
		return pfn;
	}
	do
		pfn = order < GIB_ORDER
			  ? take_searching(z, order - BLOCK_ORDER, LEVEL_GIB, BUDDY_FOR_HEAD)
			  : take_gib_head(z);
	while (pfn == PFN_NONE &&
	       (close_idle(z, LEVEL_BLOCK) || (order == GIB_ORDER && close_idle(z, LEVEL_GIB))));
	return pfn;
}

/* The most bitmaps that one batch may empty: each costs as much as a search. */
#define MAX_BATCH_BITMAPS 8

/* Returns the lowest n of the set bits of a word. */
static uint64_t lowest_bits(uint64_t word, unsigned int n)
{
	uint64_t rest = word;

	while (n--)
		rest &= rest - 1;
	return word ^ rest;
}

/*
 * Moves the lowest frames of a block's bitmap, which begins at first, to the batch. Returns whether
 * the batch wants more. A batch that has some frames ends before it would cut a full word.
 */
static bool take_words(struct bitmap *bitmap, pfn_t first, struct frame_batch *b)
{
	for (unsigned int i = 0; i < BITMAP_WORDS; i++) {
		uint64_t bits = bitmap->word[i];
		unsigned int left = b->want - b->nr_frames;
		unsigned int weight;

		if (!bits)
			continue;
		if (!left || b->nr_words == MAX_BATCH_WORDS ||
		    (bits == ~0ull && left < 64 && b->nr_frames))
			return false;
		weight = bits == ~0ull ? 64 : bitmap_word_weight(bits);
		if (weight > left) {
			bits = lowest_bits(bits, left);
			weight = left;
		}
		bitmap_write(&bitmap->word[i], bitmap->word[i] ^ bits);
		b->word[b->nr_words++] = (struct frame_word){ first + (pfn_t)64 * i, bits };
		b->nr_frames += weight;
	}
	return b->nr_frames < b->want;
}

void buddy_take_words(struct zone *z, struct frame_batch *b)
{
	bool more = true;

	for (unsigned int bitmaps = 0; more && bitmaps < MAX_BATCH_BITMAPS; bitmaps++) {
		struct buddy_spot s;

		if (!buddy_find_open(z, 0, LEVEL_BLOCK, &s)) {
			pfn_t pfn = b->nr_frames ? PFN_NONE : open_whole(z, LEVEL_BLOCK);

			if (pfn == PFN_NONE && !b->nr_frames)
				pfn = release_unmovable(z);
			if (pfn == PFN_NONE)
				break;
			s = buddy_spot_at(z, pfn, LEVEL_BLOCK);
		}
		more = take_words(s.bitmap, spot_pfn(z, s), b);
		if (bitmap_empty(s.bitmap))
			buddy_lower(z, spot_pfn(z, s), 0, LEVEL_BLOCK);
	}
}

/* Returns whether the bitmap is full, whatever word number at is. */
static bool full_elsewhere(const struct bitmap *bitmap, unsigned int at)
{
	for_each_bitmap_word if (i != at && bitmap->word[i] != BITMAP_WORD_FULL) return false;
	return true;
}

unsigned int buddy_put_word(struct zone *z, const struct frame_word *w, unsigned int budget)
{
	struct buddy_spot s = buddy_spot_at(z, w->first, LEVEL_BLOCK);
	unsigned int at = buddy_child_of(w->first, LEVEL_BLOCK) / 64;
	uint64_t word = s.bitmap->word[at];

	MM_ASSERT(port_lock_is_taken(&z->lock));
	MM_ASSERT(bitmap_test(&s.gib->open, s.block));
	if (word & w->bits)
		panic("frame 0x%llx is free already",
		      (unsigned long long)w->first + (unsigned int)__builtin_ctzll(word & w->bits));
	word |= w->bits;
	if (budget < BUDDY_COMPLETED && word == BITMAP_WORD_FULL && full_elsewhere(s.bitmap, at))
		return 0;
	bitmap_write(&s.bitmap->word[at], word);
	if (word != BITMAP_WORD_FULL) {
		if (!buddy_is_indexed(z, s, BITMAP_WORD_SHIFT - 1, LEVEL_BLOCK))
			raise_bounds(z, w->first, bitmap_word_run_order(word), LEVEL_BLOCK);
	} else if (buddy_full_word_matters(z, s, buddy_child_of(w->first, LEVEL_BLOCK),
					   LEVEL_BLOCK)) {
		buddy_completed(z, w->first, LEVEL_BLOCK);
		if (full_elsewhere(s.bitmap, at))
			return BUDDY_COMPLETED;
	}
	return 1;
}

/* Returns the frames of [pfn, end) that lie in pfn's word. */
static struct frame_word word_at(pfn_t pfn, pfn_t end)
{
	pfn_t first = run_start(pfn, BITMAP_WORD_SHIFT);
	unsigned int from = (unsigned int)(pfn - first);
	unsigned int n = (unsigned int)(BITMAP_WORD_FRAMES - from);

	if (end - pfn < n)
		n = (unsigned int)(end - pfn);
	return (struct frame_word){ first, ~0ull >> (64 - n) << from };
}

/* Clears the children of a block's bitmap that stand for the frames [pfn, end). */
static void clear_frames(struct bitmap *bitmap, pfn_t pfn, pfn_t end)
{
	for (; pfn < end; pfn = run_start(pfn, BITMAP_WORD_SHIFT) + BITMAP_WORD_FRAMES) {
		struct frame_word w = word_at(pfn, end);
		uint64_t *word = &bitmap->word[buddy_child_of(pfn, LEVEL_BLOCK) / 64];

		MM_ASSERT((*word & w.bits) == w.bits);
		bitmap_write(word, *word & ~w.bits);
	}
}

void buddy_put_range(struct zone *z, pfn_t pfn, pfn_t end)
{
	for (; pfn < end; pfn = run_start(pfn, BITMAP_WORD_SHIFT) + BITMAP_WORD_FRAMES) {
		struct frame_word w = word_at(pfn, end);

		buddy_put_word(z, &w, BUDDY_COMPLETED);
	}
}

unsigned int buddy_take_range(struct zone *z, pfn_t pfn, pfn_t end)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, LEVEL_GIB);
	struct buddy_spot in = buddy_spot_at(z, pfn, LEVEL_BLOCK);

	MM_ASSERT(port_lock_is_taken(&z->lock));
	MM_ASSERT(pfn < end && run_start(end - 1, BLOCK_ORDER) == spot_pfn(z, in));
	if (bitmap_tree_test(&z->free, s.gib_nr)) {
		bitmap_tree_clear(&z->free, s.gib_nr);
		buddy_open_gib(z, pfn);
		fill_bitmap(z, pfn, LEVEL_GIB);
	}
	if (bitmap_test(&s.gib->free, in.block)) {
		bool whole = end - pfn == BLOCK_FRAMES;

		buddy_take_run(z, s, in.block, 0, LEVEL_GIB,
			       whole ? BUDDY_FOR_HEAD : BUDDY_FOR_PARTS);
		if (whole)
			return BLOCK_ORDER;
		buddy_open_block(z, spot_pfn(z, in));
		fill_bitmap(z, pfn, LEVEL_BLOCK);
	}
	clear_frames(in.bitmap, pfn, end);
	if (bitmap_empty(in.bitmap))
		buddy_lower(z, pfn, 0, LEVEL_BLOCK);
	return 0;
}

/*
 * Takes the highest whole block, to be opened, of the open gibs; when none has one, the highest
 * whole gib is opened for it.
 */
static pfn_t take_highest_block(struct zone *z)
{
	pfn_t gib_nr = bitmap_tree_last(&z->index[BLOCK_ORDER]);
	struct buddy_spot s;

	if (gib_nr == BITMAP_TREE_NONE) {
		gib_nr = bitmap_tree_last(&z->free);
		if (gib_nr == BITMAP_TREE_NONE)
			return PFN_NONE;
		bitmap_tree_clear(&z->free, gib_nr);
		buddy_open_gib(z, gib_pfn(z, gib_nr));
		fill_bitmap(z, gib_pfn(z, gib_nr), LEVEL_GIB);
	}
	s = buddy_spot_in(z->dir[gib_nr], gib_nr, 0, LEVEL_GIB);
	return buddy_take_run(z, s, bitmap_last(s.bitmap), 0, LEVEL_GIB, BUDDY_FOR_PARTS);
}

/* Opens the highest whole block, with all of it free, as the unmovable one. Returns whether it did.
 */
static bool open_unmovable(struct zone *z)
{
	pfn_t pfn;

	do
		pfn = take_highest_block(z);
	while (pfn == PFN_NONE && close_idle(z, LEVEL_BLOCK));
	if (pfn == PFN_NONE)
		return false;
	release_unmovable(z);
	buddy_open_block(z, pfn);
	z->unmovable = pfn; /* first: it must not get on the index */
	fill_bitmap(z, pfn, LEVEL_BLOCK);
	return true;
}

/* Returns the lowest run of 2^k frames in the unmovable block, or BITMAP_NONE. */
static unsigned int find_unmovable(const struct zone *z, unsigned int k)
{
	if (z->unmovable == PFN_NONE)
		return BITMAP_NONE;
	return bitmap_find_run(buddy_spot_at(z, z->unmovable, LEVEL_BLOCK).bitmap, k);
}

pfn_t buddy_take_unmovable(struct zone *z, unsigned int order)
{
	unsigned int child = BITMAP_NONE;

	MM_ASSERT(port_lock_is_taken(&z->lock));
	if (order < BLOCK_ORDER) {
		child = find_unmovable(z, order);
		if (child == BITMAP_NONE && open_unmovable(z))
			child = 0;
	}
	if (child == BITMAP_NONE)
		return buddy_take(z, order);
	return buddy_take_run(z, buddy_spot_at(z, z->unmovable, LEVEL_BLOCK), child, order,
			      LEVEL_BLOCK, BUDDY_FOR_HEAD);
}
