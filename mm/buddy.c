/*
 * buddy.c: what stands aside of buddy.h's way: bitmaps open and close, bounds go up and down, and
 * single frames move by words.
 *
 * A bitmap that turns out not to hold what the index said is taken off the index (lowered), so that
 * no search meets it again before a free raises it. When no open bitmap serves, the lowest whole
 * child of the level above is opened. A bitmap that becomes whole stays open until another does
 * (B5), then it closes into one bit of its parent.
 */
#include "mm/buddy.h"

/*
 * The bounds lowered under one hold of the lock. Each costs a search of a bitmap, about 220
 * instructions (`worst3.alloc`); without a limit an adversary who leaves many stale bounds makes
 * one call walk all of them.
 */
#define MAX_LOWERED 11

struct zone zones[STATE_ZONE_MASK + 1];

static pfn_t spot_pfn(const struct zone *z, struct buddy_spot s)
{
	return buddy_child_pfn(z, s, 0, 0);
}

/* B3, B4: index[k + 1] lies within index[k]. */
pfn_t buddy_lower(struct zone *z, pfn_t pfn, unsigned int k, unsigned int level)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, level);

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

/* The bitmap holds a run of 2^k children. A whole bitmap counts as two halves. */
static void raise_bounds(struct zone *z, pfn_t pfn, unsigned int k, unsigned int level)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, level);

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

/* All of an open bitmap is free. */
static void fill_bitmap(struct zone *z, pfn_t pfn, unsigned int level)
{
	bitmap_fill(buddy_spot_at(z, pfn, level).bitmap, BITMAP_WORD_FULL);
	raise_bounds(z, pfn, BITMAP_SHIFT, level);
}

/* The descriptors of a block are zeroed once: from then on P2 keeps them so (zone.h). */
static void clean_block(struct gib *g, unsigned int block, pfn_t pfn)
{
	if (bitmap_test(&g->clean, block))
		return;
	memset(pfn_to_page(pfn), 0, BLOCK_FRAMES * sizeof(struct page));
	bitmap_set(&g->clean, block);
}

/* Memory for gibs comes unwritten: what is read before it is written would be a stranger's. */
static void write_header(struct zone *z, struct gib *g, pfn_t gib)
{
	if (bitmap_tree_test(&z->known, gib))
		return;
	memset(g, 0, sizeof(*g));
	bitmap_tree_set(&z->known, gib);
}

void buddy_open_gib(struct zone *z, pfn_t pfn)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, 1);

	if (bitmap_tree_test(&z->open, s.gib_nr))
		return;
	write_header(z, s.gib, s.gib_nr);
	bitmap_tree_set(&z->open, s.gib_nr);
	bitmap_fill(s.bitmap, 0);
}

void buddy_open_block(struct zone *z, pfn_t pfn)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, 0);

	buddy_open_gib(z, pfn);
	clean_block(s.gib, s.block, pfn);
	bitmap_set(&s.gib->open, s.block);
	bitmap_fill(s.bitmap, 0);
}

void buddy_open_allocated(struct zone *z, pfn_t pfn, unsigned int order)
{
	buddy_unmark(z, pfn, order);
	for (pfn_t end = pfn + ((pfn_t)1 << order); pfn < end; pfn += BLOCK_FRAMES)
		buddy_open_block(z, pfn);
}

/* A whole bitmap becomes one bit of its parent. */
static void close_bitmap(struct zone *z, pfn_t pfn, unsigned int level)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, level);

	buddy_lower(z, pfn, 0, level);
	if (level) {
		bitmap_tree_clear(&z->open, s.gib_nr);
		bitmap_tree_set(&z->free, s.gib_nr);
	} else {
		bitmap_clear(&s.gib->open, s.block);
		buddy_put(z, pfn, BLOCK_ORDER);
	}
}

/*
 * The bitmap that B5 kept open, if it still is whole, becomes available to the level above. It is
 * open: nothing else closes bitmaps.
 */
static bool close_idle(struct zone *z, unsigned int level)
{
	pfn_t pfn = z->idle[level];

	z->idle[level] = PFN_NONE;
	if (pfn == PFN_NONE || !bitmap_whole(buddy_spot_at(z, pfn, level).bitmap))
		return false;
	close_bitmap(z, pfn, level);
	return true;
}

/*
 * Of whole bitmaps the last stays open (B5). The one kept open comes here again only when it has
 * all of its children back at once, from a batch: a bitmap of one word, which are those of test
 * builds.
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

static pfn_t take_gib(struct zone *z)
{
	pfn_t gib = bitmap_tree_first(&z->free);

	if (gib == BITMAP_TREE_NONE)
		return PFN_NONE;
	bitmap_tree_clear(&z->free, gib);
	return (z->first_gib + gib) << GIB_ORDER;
}

static pfn_t take_block(struct zone *z);

/* The lowest whole child of the level above gets a bitmap of its own, all of it free. */
static pfn_t open_whole(struct zone *z, unsigned int level)
{
	pfn_t pfn = level ? take_gib(z) : take_block(z);

	if (pfn == PFN_NONE)
		return PFN_NONE;
	if (level)
		buddy_open_gib(z, pfn);
	else
		buddy_open_block(z, pfn);
	fill_bitmap(z, pfn, level);
	return pfn;
}

/* The lowest run of 2^k children, of an open bitmap or of one that is opened for it. */
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

/* A block, to be opened. Its bound is exact: the first that may have one has. */
static pfn_t take_block(struct zone *z)
{
	pfn_t pfn;

	do
		pfn = take_searching(z, 0, LEVEL_GIB, BUDDY_FOR_PARTS);
	while (pfn == PFN_NONE && close_idle(z, 0));
	return pfn;
}

static pfn_t take_gib_head(struct zone *z)
{
	pfn_t pfn = take_gib(z);

	if (pfn != PFN_NONE)
		bitmap_tree_set(&z->head, gib_of(z, pfn));
	return pfn;
}

/* A whole bitmap that B5 keeps open may be what orders 9 and up miss. */
pfn_t buddy_take_other(struct zone *z, unsigned int order)
{
	pfn_t pfn;

	if (order < BLOCK_ORDER)
		return take_searching(z, order, LEVEL_BLOCK, BUDDY_FOR_HEAD);
	do
		pfn = order < GIB_ORDER
			  ? take_searching(z, order - BLOCK_ORDER, LEVEL_GIB, BUDDY_FOR_HEAD)
			  : take_gib_head(z);
	while (pfn == PFN_NONE && (close_idle(z, 0) || (order == GIB_ORDER && close_idle(z, 1))));
	return pfn;
}

/* Nodes that one batch may empty: each costs as much as a search. */
#define MAX_BATCH_BITMAPS 8

static uint64_t lowest_bits(uint64_t word, unsigned int n)
{
	uint64_t rest = word;

	while (n--)
		rest &= rest - 1;
	return word ^ rest;
}

/*
 * The bitmap's lowest frames. False when the batch has all that it is going to get: if it has some,
 * it ends before it would cut a whole word.
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
		bitmap->word[i] ^= bits;
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

		if (!buddy_find_open(z, 0, 0, &s)) {
			pfn_t pfn = b->nr_frames ? PFN_NONE : open_whole(z, 0);

			if (pfn == PFN_NONE)
				break;
			s = buddy_spot_at(z, pfn, 0);
		}
		more = take_words(s.bitmap, spot_pfn(z, s), b);
		if (bitmap_empty(s.bitmap))
			buddy_lower(z, spot_pfn(z, s), 0, 0);
	}
}

void buddy_put_word(struct zone *z, const struct frame_word *w)
{
	struct buddy_spot s = buddy_spot_at(z, w->first, 0);
	uint64_t *word = &s.bitmap->word[buddy_child_of(w->first, 0) / 64];

	if (*word & w->bits)
		panic("frame 0x%llx is free already",
		      (unsigned long long)w->first +
			  (unsigned int)__builtin_ctzll(*word & w->bits));
	*word |= w->bits;
	if (*word != BITMAP_WORD_FULL) {
		if (!buddy_is_indexed(z, s, BITMAP_WORD_SHIFT - 1, 0))
			raise_bounds(z, w->first, bitmap_word_run_order(*word), 0);
	} else if (buddy_full_word_matters(z, s, buddy_child_of(w->first, 0), 0)) {
		buddy_completed(z, w->first, 0);
	}
}

/* The frame is free: makes sure that it is a bit of an open block, and clears that bit. */
void buddy_take_at(struct zone *z, pfn_t pfn)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, 1);
	struct buddy_spot in = buddy_spot_at(z, pfn, 0);

	if (bitmap_tree_test(&z->free, s.gib_nr)) {
		bitmap_tree_clear(&z->free, s.gib_nr);
		buddy_open_gib(z, pfn);
		fill_bitmap(z, pfn, 1);
	}
	if (bitmap_test(&s.gib->free, in.block)) {
		buddy_take_run(z, s, in.block, 0, LEVEL_GIB, BUDDY_FOR_PARTS);
		buddy_open_block(z, spot_pfn(z, in));
		fill_bitmap(z, pfn, 0);
	}
	buddy_take_run(z, in, buddy_child_of(pfn, LEVEL_BLOCK), 0, LEVEL_BLOCK, BUDDY_FOR_PARTS);
}

struct gib *zone_gib(const struct zone *z, pfn_t pfn)
{
	pfn_t gib = pfn >> GIB_ORDER;

	if (gib < z->first_gib || gib - z->first_gib >= z->nr_gibs)
		return NULL;
	return z->dir[gib - z->first_gib];
}
