/* SPDX-License-Identifier: MIT */
/*
 * buddy.c: the cold paths of buddy.h: bitmaps open and close, bounds rise and fall; and the moves
 * of batches between the bits and the frame caches.
 *
 * An open bitmap that turns out not to hold what the index promised is taken off the index, so that
 * no search meets it again before a free raises it. When no open bitmap serves, a whole block or
 * gib is opened. A bitmap that becomes full stays open until another does (B5); then it closes into
 * one bit of its parent.
 *
 * Other CPUs free frames of open blocks meanwhile: zone.h, "Frees without the lock", says in which
 * steps, and numbers the second looks (L1 to L5) that keep the invariants.
 */
#include "mm/buddy.h"

/* What is counted in z->work, in units of some 20 instructions. See BUDDY_MAX_WORK. */
#define WORK_BIT             1  /* a bit of the index, with the look at what is below it */
#define WORK_WORD            3  /* a word that a batch takes, and as much for 24 frames of it */
#define WORK_RUN             2  /* a run that a batch takes */
#define WORK_SEARCH          16 /* of a bitmap */
#define WORK_FILL            20 /* a bitmap opened with all of it free */
#define WORK_CLEAN           55 /* the descriptors of a block */

/* With more work done than this, a search leaves it to the next hold to open a block or gib. */
#define MAX_WORK_BEFORE_OPEN 24

/* The most searches in a row that end because of their work and not because of what they find. */
#define MAX_CUT_SHORT        8

static pfn_t spot_pfn(struct buddy_spot s)
{
	return buddy_child_pfn(s, 0, LEVEL_BLOCK);
}

/* Puts a block on the index for runs of 2^k frames. The lock is not needed: bits are only set. */
mm_always_inline void set_bound(struct zone *z, struct buddy_spot s, unsigned int k)
{
	bitmap_set(&s.gib->index[k], s.block);
	if (!gibs_test(z, GIBS_INDEX(k), s.gib_nr))
		gibs_set(z, GIBS_INDEX(k), s.gib_nr);
}

/*
 * Takes a gib off the zone's index for runs of 2^k frames, if its own index has no block for them:
 * a word of that has become 0.
 */
static void drop_gib(struct zone *z, struct gib *gib, pfn_t gib_nr, unsigned int k)
{
	z->work += 2 * WORK_BIT;
	gibs_clear(z, GIBS_INDEX(k), gib_nr);
	if (!bitmap_empty(&gib->index[k])) /* L2 */
		gibs_set(z, GIBS_INDEX(k), gib_nr);
}

/*
 * Takes a bitmap off the index for runs of 2^k children and more, whatever it holds. Stops at the
 * first order that is not held, since index[k + 1] is a subset of index[k] (B3), and returns it.
 */
static unsigned int drop_bounds(struct zone *z, struct buddy_spot s, unsigned int k,
				unsigned int level)
{
	struct bitmap *index = &s.gib->index[k];
	unsigned int word = s.block / 64;
	uint64_t bit = 1ull << s.block % 64;

	if (level) {
		for (; k < BITMAP_SHIFT && buddy_is_indexed(z, s, k, LEVEL_GIB); k++) {
			z->work += WORK_BIT;
			gibs_clear(z, GIBS_INDEX(BLOCK_ORDER + k), s.gib_nr);
		}
		return k;
	}
	for (; k < BITMAP_SHIFT && bitmap_read(&index->word[word]) & bit; k++, index++) {
		z->work += WORK_BIT;
		if (bitmap_and_not(&index->word[word], bit))
			drop_gib(z, s.gib, s.gib_nr, k);
	}
	return k;
}

/* Returns whether a block is the unmovable one, which the index never holds (B3). */
static bool is_unmovable(const struct zone *z, struct buddy_spot s)
{
	return __atomic_load_n(&z->unmovable, __ATOMIC_SEQ_CST) == spot_pfn(s);
}

/*
 * Makes the index hold a block for each order of which it has a run; and takes back what a free
 * without the lock has set above a bound that was lowered meanwhile. open: whether the block still
 * is, and is not the unmovable one.
 */
static void correct_bounds(struct zone *z, struct buddy_spot s, bool open)
{
	for (unsigned int k = 0; k < BITMAP_SHIFT; k++) {
		if (bitmap_test(&s.gib->index[k], s.block))
			continue;
		if (open && bitmap_find_run(s.bitmap, k) != BITMAP_NONE)
			set_bound(z, s, k);
		else if (bitmap_empty(&s.gib->index[k]))
			drop_gib(z, s.gib, s.gib_nr, k);
	}
}

pfn_t buddy_lower(struct zone *z, pfn_t pfn, unsigned int k, unsigned int level)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, level);
	unsigned int end;

	MM_ASSERT(port_lock_is_taken(&z->lock));
	z->work += WORK_SEARCH;
	end = drop_bounds(z, s, k, level);
	if (level == LEVEL_BLOCK && bitmap_find_run(s.bitmap, k) != BITMAP_NONE) /* L1 */
		while (end > k)
			set_bound(z, s, --end);
	return pfn;
}

/*
 * Puts a block that holds a run of 2^k frames on the index, unless it is the unmovable one (B3). A
 * full one counts as two halves. Returns how many orders that were.
 */
static unsigned int raise_bounds(struct zone *z, struct buddy_spot s, unsigned int k)
{
	unsigned int raised = 0;

	if (is_unmovable(z, s))
		return 0;
	for (k = k < BITMAP_SHIFT ? k + 1 : BITMAP_SHIFT; k--; raised++) {
		if (buddy_is_indexed(z, s, k, LEVEL_BLOCK))
			break;
		set_bound(z, s, k);
	}
	return raised;
}

/* Puts a gib that holds a run of 2^k blocks on the index. A full one counts as two halves. */
static void raise_gib_bounds(struct zone *z, pfn_t gib_nr, unsigned int k)
{
	for (k = k < BITMAP_SHIFT ? k + 1 : BITMAP_SHIFT; k--;) {
		if (gibs_test(z, GIBS_INDEX(BLOCK_ORDER + k), gib_nr))
			break;
		gibs_set(z, GIBS_INDEX(BLOCK_ORDER + k), gib_nr);
	}
}

/* Sets all children of an open bitmap. */
static void fill_bitmap(struct zone *z, pfn_t pfn, unsigned int level)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, level);

	z->work += WORK_FILL;
	bitmap_fill(s.bitmap, BITMAP_WORD_FULL);
	if (level)
		raise_gib_bounds(z, s.gib_nr, BITMAP_SHIFT);
	else
		raise_bounds(z, s, BITMAP_SHIFT);
}

/*
 * Writes the descriptors of a block once, with this state word; from then on P2 holds. Not by
 * memset(), which may be a loop over bytes: the lock is held. A reader may still look at the first
 * descriptor, if it was the head of an allocation until now.
 */
static void clean_block(struct zone *z, struct gib *g, unsigned int block, pfn_t pfn,
			uint64_t state)
{
	struct page *page = pfn_to_page(pfn);

	if (bitmap_test(&g->clean, block))
		return;
	z->work += WORK_CLEAN;
#pragma GCC unroll 64
	for (pfn_t i = 0; i < BLOCK_FRAMES; i++) {
		state_write(&page[i], state);
		page[i].owner_word = 0;
	}
	bitmap_set(&g->clean, block);
}

/* Writes a struct gib when it is first used: its memory comes from memblock as it was left. */
static void write_header(struct zone *z, struct gib *g, pfn_t gib)
{
	if (gibs_test(z, GIBS_KNOWN, gib))
		return;
	memset(g, 0, sizeof(*g));
	gibs_set(z, GIBS_KNOWN, gib);
}

void buddy_open_gib(struct zone *z, pfn_t pfn)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, LEVEL_GIB);

	MM_ASSERT(port_lock_is_taken(&z->lock));
	MM_ASSERT(!gibs_test(z, GIBS_FREE, s.gib_nr) && !gibs_test(z, GIBS_HEAD, s.gib_nr));
	if (gibs_test(z, GIBS_OPEN, s.gib_nr))
		return;
	write_header(z, s.gib, s.gib_nr);
	bitmap_fill(s.bitmap, 0);
	gibs_set(z, GIBS_OPEN, s.gib_nr); /* last: readers follow it */
}

void buddy_open_block(struct zone *z, pfn_t pfn, uint64_t state)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, LEVEL_BLOCK);

	buddy_open_gib(z, pfn);
	MM_ASSERT(pfn % BLOCK_FRAMES == 0);
	MM_ASSERT(!bitmap_test(&s.gib->free, s.block) && !bitmap_test(&s.gib->head, s.block));
	MM_ASSERT(!state || !bitmap_test(&s.gib->clean, s.block));
	clean_block(z, s.gib, s.block, pfn, state);
	bitmap_fill(s.bitmap, 0);
	bitmap_set(&s.gib->open, s.block); /* last: readers follow it */
}

void buddy_clean(struct zone *z, pfn_t pfn)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, LEVEL_BLOCK);

	MM_ASSERT(port_lock_is_taken(&z->lock));
	write_header(z, s.gib, s.gib_nr);
	clean_block(z, s.gib, s.block, spot_pfn(s), 0);
}

void buddy_split(struct zone *z, pfn_t pfn, unsigned int order)
{
	MM_ASSERT(port_lock_is_taken(&z->lock));
	MM_ASSERT(order >= BLOCK_ORDER && order <= MAX_PAGE_ORDER);
	buddy_unmark(z, pfn, order);
	if (order == BLOCK_ORDER) {
		buddy_open_block(z, pfn, 0);
		return;
	}
	buddy_open_gib(z, pfn);
	bitmap_set_run(&gib_at(z, gib_of(pfn))->head, block_of(pfn), order - BLOCK_ORDER);
}

/* Turns a full bitmap into one bit of its parent. */
static void close_bitmap(struct zone *z, pfn_t pfn, unsigned int level)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, level);

	drop_bounds(z, s, 0, level);
	if (level) {
		gibs_clear(z, GIBS_OPEN, s.gib_nr);
		gibs_set(z, GIBS_FREE, s.gib_nr);
	} else {
		bitmap_clear(&s.gib->open, s.block);
		if (pfn == z->unmovable)
			__atomic_store_n(&z->unmovable, PFN_NONE, __ATOMIC_RELAXED);
		buddy_put(z, pfn, BLOCK_ORDER);
	}
}

/*
 * Sets idle[level] to pfn and closes the bitmap that B5 has kept open until now, if it still is
 * full, so that the level above can use it. Returns whether it did. The bitmap is open: nothing
 * else closes bitmaps.
 *
 * A free that makes the bitmap full leaves it to idle[]. Either it sees the new idle[], or it is
 * seen here (L3): each writes before it reads.
 */
static bool change_idle(struct zone *z, pfn_t pfn, unsigned int level)
{
	pfn_t before = __atomic_exchange_n(&z->idle[level], pfn, __ATOMIC_SEQ_CST);

	if (before == PFN_NONE || !bitmap_full(buddy_spot_at(z, before, level).bitmap))
		return false;
	close_bitmap(z, before, level);
	return true;
}

static bool close_idle(struct zone *z, unsigned int level)
{
	return change_idle(z, PFN_NONE, level);
}

/* Makes the full bitmap that begins at pfn the one that B5 keeps open. */
static void keep_idle(struct zone *z, pfn_t pfn, unsigned int level)
{
	if (z->idle[level] != pfn)
		change_idle(z, pfn, level);
}

bool buddy_completed(struct zone *z, pfn_t pfn)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, LEVEL_GIB);
	unsigned int k = bitmap_run_order(s.bitmap, buddy_child_of(pfn, LEVEL_GIB));

	raise_gib_bounds(z, s.gib_nr, k);
	if (k == BITMAP_SHIFT)
		keep_idle(z, gib_pfn(s.gib_nr), LEVEL_GIB);
	return true;
}

/* Takes the lowest whole gib. */
static pfn_t take_gib(struct zone *z)
{
	pfn_t gib = gibs_first(z, GIBS_FREE);

	if (gib == GIB_NONE)
		return PFN_NONE;
	gibs_clear(z, GIBS_FREE, gib);
	return gib_pfn(gib);
}

static pfn_t take_block(struct zone *z);

/*
 * Opens a whole block or gib, as level says, with all of it free. Returns its first frame, or what
 * take_searching() returns if it is none.
 */
static pfn_t open_whole(struct zone *z, unsigned int level)
{
	pfn_t pfn = level ? take_gib(z) : take_block(z);

	if (pfn >= PFN_AGAIN)
		return pfn;
	if (level == LEVEL_GIB)
		buddy_open_gib(z, pfn);
	else
		buddy_open_block(z, pfn, 0);
	fill_bitmap(z, pfn, level);
	return pfn;
}

/*
 * Clears the bit that ended a search for a run of 2^k frames although the index is not empty: it
 * stands for an empty bitmap. Returns false when the index is empty.
 */
static bool drop_empty(struct zone *z, unsigned int k)
{
	unsigned int shelf = gibs_first_shelf(z, GIBS_INDEX(k)), child;
	pfn_t gib_nr;

	if (shelf == BITMAP_NONE)
		return false;
	child = bitmap_first(&z->shelf[shelf]->set[GIBS_INDEX(k)]);
	gib_nr = shelf * (pfn_t)BITMAP_BITS + child;
	if (child == BITMAP_NONE)
		gibs_drop(z, GIBS_INDEX(k), shelf);
	else if (bitmap_empty(&gib_at(z, gib_nr)->index[k]))
		drop_gib(z, gib_at(z, gib_nr), gib_nr, k);
	return true;
}

/*
 * Takes a run of 2^k children from the lowest open bitmap that has one, or opens one for it. When
 * many bounds were stale, it returns PFN_AGAIN. After MAX_CUT_SHORT such searches in a row, one
 * opens a bitmap at once: a caller that leaves many stale bounds on purpose does not make one call
 * walk them all.
 */
mm_always_inline pfn_t take_searching(struct zone *z, unsigned int k, unsigned int level,
				      enum buddy_use use)
{
	bool at_once = z->cut_short == MAX_CUT_SHORT;
	struct buddy_spot s;
	pfn_t pfn;

	while (!at_once && buddy_may_go_on(z)) {
		unsigned int child;

		if (!buddy_find_open(z, k, level, &s)) {
			if (level == LEVEL_GIB || !drop_empty(z, k))
				break;
			continue;
		}
		child = bitmap_find_run(s.bitmap, k);
		if (child != BITMAP_NONE) {
			z->cut_short = 0;
			return buddy_take_run(z, s, child, k, level, use);
		}
		buddy_lower(z, spot_pfn(s), k, level);
	}
	if (z->work > MAX_WORK_BEFORE_OPEN) {
		z->cut_short++;
		return PFN_AGAIN;
	}
	z->cut_short = 0;
	pfn = open_whole(z, level);
	if (pfn >= PFN_AGAIN)
		return at_once ? PFN_AGAIN : pfn;
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
	struct buddy_spot s;

	if (pfn == PFN_NONE)
		return PFN_NONE;
	/* Before the look at the bits: a CPU that frees a frame does it the other way round. */
	__atomic_store_n(&z->unmovable, PFN_NONE, __ATOMIC_SEQ_CST);
	s = buddy_spot_at(z, pfn, LEVEL_BLOCK);
	if (bitmap_empty(s.bitmap))
		return PFN_NONE;
	raise_bounds(z, s, BITMAP_SHIFT);
	return pfn;
}

/* Takes the lowest whole gib as an allocation. */
static pfn_t take_gib_head(struct zone *z)
{
	pfn_t pfn = take_gib(z);

	if (pfn != PFN_NONE)
		gibs_set(z, GIBS_HEAD, gib_of(pfn));
	return pfn;
}

/* Orders 9 and up may lack just the full block or gib that B5 keeps open: then it is closed. */
pfn_t buddy_take_other(struct zone *z, unsigned int order)
{
	pfn_t pfn;

	buddy_begin(z);
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

/* Returns the number of set bits of a word, which is often full. */
static unsigned int nr_frames(uint64_t bits)
{
	return bits == ~0ull ? 64 : bitmap_word_weight(bits);
}

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
 * the batch wants more. A batch that has some frames ends before it would cut a full word, and when
 * the hold of the lock becomes long.
 */
static bool take_words(struct zone *z, struct bitmap *bitmap, pfn_t first, struct frame_batch *b)
{
	for (unsigned int i = 0; i < BITMAP_WORDS; i++) {
		uint64_t bits = bitmap_read(&bitmap->word[i]);
		unsigned int left = b->want - b->nr_frames;
		unsigned int weight;

		if (!bits)
			continue;
		if (!left || b->nr_words == MAX_BATCH_WORDS ||
		    (b->nr_frames && ((bits == ~0ull && left < 64) || !buddy_may_go_on(z))))
			return false;
		weight = nr_frames(bits);
		if (weight > left) {
			bits = lowest_bits(bits, left);
			weight = left;
		}
		bitmap_and_not(&bitmap->word[i], bits);
		b->word[b->nr_words++] = (struct frame_word){ first + (pfn_t)64 * i, bits };
		b->nr_frames += weight;
		z->work += WORK_WORD + weight / 8;
	}
	return b->nr_frames < b->want;
}

void buddy_take_words(struct zone *z, struct frame_batch *b)
{
	bool more = true;

	buddy_begin(z);
	while (more && buddy_may_go_on(z)) {
		struct buddy_spot s;

		if (!buddy_find_open(z, 0, LEVEL_BLOCK, &s)) {
			pfn_t pfn;

			if (drop_empty(z, 0))
				continue;
			pfn = b->nr_frames ? PFN_NONE : open_whole(z, LEVEL_BLOCK);
			if (pfn == PFN_NONE && !b->nr_frames) {
				pfn = release_unmovable(z);
				z->work = BUDDY_MAX_WORK; /* all its bounds rose: one word now */
			}
			if (pfn >= PFN_AGAIN)
				break;
			s = buddy_spot_at(z, pfn, LEVEL_BLOCK);
		}
		z->work += WORK_SEARCH / 2;
		more = take_words(z, s.bitmap, spot_pfn(s), b);
		if (bitmap_empty(s.bitmap))
			buddy_lower(z, spot_pfn(s), 0, LEVEL_BLOCK);
	}
}

/*
 * Moves the lowest runs of 2^k children, less than a word, from the lowest open bitmap of a level
 * that may have one to the batch, as far as that wants them. Returns how many they are.
 */
mm_always_inline unsigned int take_runs_of_bitmap(struct zone *z, unsigned int k,
						  unsigned int level, struct run_batch *b)
{
	unsigned int left = b->want - b->nr_runs;
	bool emptied = false;
	struct buddy_spot s;

	if (!buddy_find_open(z, k, level, &s))
		return 0;
	for (unsigned int i = bitmap_first(s.bitmap) / 64; i < BITMAP_WORDS && left; i++) {
		uint64_t *word = &s.bitmap->word[i];
		uint64_t runs = bitmap_runs_in_word(bitmap_read(word), k), taken;
		unsigned int nr =
		    runs == bitmap_run_starts[k] ? 64u >> k : bitmap_word_weight(runs);

		if (!nr)
			continue;
		if (nr > left) {
			runs = lowest_bits(runs, left);
			nr = left;
		}
		left -= nr;
		b->word[b->nr_words++] =
		    (struct frame_word){ buddy_child_pfn(s, 64 * i, level), runs };
		/* Each run's first bit becomes all of its bits. */
		taken = runs * bitmap_run_bits[k];
		if (level)
			bitmap_write(&s.gib->head.word[i],
				     bitmap_read(&s.gib->head.word[i]) | taken);
		emptied |= bitmap_and_not(word, taken);
	}
	if (emptied && bitmap_empty(s.bitmap))
		buddy_lower(z, spot_pfn(s), 0, level);
	return b->want - b->nr_runs - left;
}

/* Moves one run to the batch by buddy_take_indexed(). Returns how many that has found: 1 or 0. */
static unsigned int take_run_indexed(struct zone *z, unsigned int order, struct run_batch *b)
{
	pfn_t pfn = buddy_take_indexed(z, order);

	if (pfn == PFN_NONE)
		return 0;
	b->word[b->nr_words++] = (struct frame_word){ pfn, 1 };
	return 1;
}

void buddy_take_runs(struct zone *z, unsigned int order, struct run_batch *b)
{
	MM_ASSERT(port_lock_is_taken(&z->lock));
	MM_ASSERT(order < GIB_ORDER);
	while (b->nr_runs < b->want && buddy_may_go_on(z)) {
		unsigned int n;
		pfn_t pfn;

		if (order < BITMAP_WORD_SHIFT)
			n = take_runs_of_bitmap(z, order, LEVEL_BLOCK, b);
		else if (order == BLOCK_ORDER)
			n = take_runs_of_bitmap(z, 0, LEVEL_GIB, b);
		else
			n = take_run_indexed(z, order, b);
		z->work += WORK_SEARCH / 2 + n * WORK_RUN;
		b->nr_runs += n;
		if (n)
			continue;
		if (b->nr_runs)
			return;
		pfn = buddy_take_other(z, order);
		if (pfn >= PFN_AGAIN)
			return;
		b->word[b->nr_words++] = (struct frame_word){ pfn, 1 };
		b->nr_runs++;
	}
}

/*
 * Returns the highest order for which the index must hold a block in which child's word has this
 * value, and had it before without these bits: that of the largest run that they may have
 * completed. Mostly all of them are in one run.
 */
static unsigned int order_with(const struct bitmap *bitmap, unsigned int child, uint64_t word,
			       uint64_t bits)
{
	unsigned int k;

	if (word != BITMAP_WORD_FULL) {
		unsigned int lowest = (unsigned int)__builtin_ctzll(bits);
		unsigned int highest = 63 - (unsigned int)__builtin_clzll(bits);

		k = bitmap_word_order_at(word, lowest);
		return (lowest ^ highest) >> k ? bitmap_word_run_order(word) : k;
	}
	k = bitmap_words_order_at(bitmap, child);
	return k < BITMAP_SHIFT ? k : BITMAP_SHIFT - 1;
}

/*
 * Does steps 4 and 5 of a free, and the look of step 6: the word that has the frames was set to
 * `word`, as was expected or not, and k is the order of step 2. Returns whether settle() must be
 * called.
 */
mm_always_inline bool look_again(struct zone *z, struct buddy_spot s, unsigned int child,
				 uint64_t word, uint64_t bits, bool expected, unsigned int k)
{
	if (!expected || (word == BITMAP_WORD_FULL && k < BITMAP_SHIFT - 1 &&
			  bitmap_run_full(s.bitmap, child, k + 1))) { /* L4 */
		unsigned int now = order_with(s.bitmap, child, word, bits);

		k = now > k ? now : k;
	}
	if (!buddy_is_indexed(z, s, k, LEVEL_BLOCK) && !is_unmovable(z, s)) /* L5 */
		return true;
	return word == BITMAP_WORD_FULL &&
	       __atomic_load_n(&z->idle[LEVEL_BLOCK], __ATOMIC_SEQ_CST) != spot_pfn(s) &&
	       bitmap_full(s.bitmap);
}

/* Sets the bits of a word. Panics if one of them is set. Returns the word as it is now. */
mm_always_inline uint64_t set_bits(uint64_t *at, pfn_t first, uint64_t bits)
{
	uint64_t before = bitmap_or(at, bits);

	if (before & bits)
		port_panic("frame 0x%llx is free already",
			   (unsigned long long)first +
			       (unsigned int)__builtin_ctzll(before & bits));
	return before | bits;
}

/* Looks again when other CPUs changed the word, or lowered a bound, while or_word() set it. */
__attribute__((__noinline__, __cold__)) static bool look_at_word(struct zone *z, pfn_t first,
								 uint64_t word, uint64_t bits)
{
	return look_again(z, buddy_spot_at(z, first, LEVEL_BLOCK),
			  buddy_child_of(first, LEVEL_BLOCK), word, bits, false, 0);
}

/*
 * Returns whether the word at `at`, set to this value, completes no run for which the index does
 * not hold the block: the value is not full, and the index holds the block for half a word; or the
 * word beside it is not full, and the index holds the block for a whole one.
 */
mm_always_inline bool word_is_held(const struct zone *z, struct buddy_spot s, const uint64_t *at,
				   unsigned int child, uint64_t value)
{
	if (value != BITMAP_WORD_FULL)
		return buddy_is_indexed(z, s, BITMAP_WORD_SHIFT - 1, LEVEL_BLOCK);
	return BITMAP_WORDS > 1 && bitmap_read(at + (child & 64 ? -1 : 1)) != BITMAP_WORD_FULL &&
	       buddy_is_indexed(z, s, BITMAP_WORD_SHIFT, LEVEL_BLOCK);
}

/*
 * Frees the frames of a word by the steps of zone.h, with or without the lock. Panics if one of
 * them is free. Returns whether settle() must be called: the block has become full, or a bound is
 * too low. Adds to *raised how many bounds it raised.
 *
 * For most words the index holds all that may count: there is nothing to raise then, and one look
 * afterwards is enough (L4 and L5). Otherwise k is an order such that all is well if the index
 * holds the block for it: for half the block if the word becomes full, and so for all that may
 * count; or for the run that the frames complete.
 */
mm_always_inline bool or_word(struct zone *z, pfn_t first, uint64_t bits, unsigned int *raised)
{
	struct buddy_spot s = buddy_spot_at(z, first, LEVEL_BLOCK);
	unsigned int child = buddy_child_of(first, LEVEL_BLOCK), k = BITMAP_SHIFT - 1;
	uint64_t *at = &s.bitmap->word[child / 64];
	uint64_t word, expected = bitmap_read(at) | bits;
	bool held = word_is_held(z, s, at, child, expected);

	MM_ASSERT(bitmap_test(&s.gib->open, s.block));
	if (!held && (expected != BITMAP_WORD_FULL || !buddy_is_indexed(z, s, k, LEVEL_BLOCK))) {
		k = order_with(s.bitmap, child, expected, bits);
		if (!buddy_is_indexed(z, s, k, LEVEL_BLOCK))
			*raised += raise_bounds(z, s, k);
	}
	word = set_bits(at, first, bits);
	if (!held)
		return look_again(z, s, child, word, bits, word == expected, k);
	if (word == expected && word_is_held(z, s, at, child, word))
		return false;
	return look_at_word(z, first, word, bits);
}

/*
 * Does under the lock what or_word() has found necessary, if it still is: other CPUs may have taken
 * the frames since, or closed the block.
 */
static void settle(struct zone *z, pfn_t pfn)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, LEVEL_BLOCK);
	bool open = bitmap_test(&s.gib->open, s.block);

	MM_ASSERT(port_lock_is_taken(&z->lock));
	correct_bounds(z, s, open && !is_unmovable(z, s));
	if (open && bitmap_full(s.bitmap))
		keep_idle(z, spot_pfn(s), LEVEL_BLOCK);
}

/* Returns how many frames these words have. */
static uint64_t words_frames(const struct frame_word *word, const struct frame_word *end)
{
	uint64_t frames = 0;

	for (; word < end; word++)
		frames += nr_frames(word->bits);
	return frames;
}

unsigned int buddy_put_word(struct zone *z, pfn_t first, uint64_t bits, uint64_t frames)
{
	unsigned int raised = 0;
	unsigned long flags;

	zone_add_free(z, frames);
	if (!or_word(z, first, bits, &raised))
		return raised;
	flags = port_lock_irqsave(&z->lock);
	settle(z, first);
	port_unlock_irqrestore(&z->lock, flags);
	return BUDDY_MAX_RAISED;
}

unsigned int buddy_put_words(struct zone *z, const struct frame_word *word, unsigned int nr,
			     uint64_t frames)
{
	const struct frame_word *w, *end = word + nr;
	unsigned int raised = 0;

	zone_add_free(z, frames);
	for (w = word; w < end && raised < BUDDY_MAX_RAISED; w++) {
		unsigned long flags;

		if (!or_word(z, w->first, w->bits, &raised))
			continue;
		flags = port_lock_irqsave(&z->lock);
		settle(z, w->first);
		port_unlock_irqrestore(&z->lock, flags);
		raised = BUDDY_MAX_RAISED;
	}
	if (w < end) {
		unsigned long flags = port_lock_irqsave(&z->lock);

		zone_sub_free(z, words_frames(w, end));
		port_unlock_irqrestore(&z->lock, flags);
	}
	return (unsigned int)(w - word);
}

/* Returns the frames of [pfn, end) that lie in pfn's word. */
static struct frame_word word_at(pfn_t pfn, pfn_t end)
{
	pfn_t first = run_start(pfn, BITMAP_WORD_SHIFT);
	unsigned int from = (unsigned int)(pfn - first);
	unsigned int n = (unsigned int)(BITMAP_WORD_FRAMES - from);

	if (end - pfn < n)
		n = (unsigned int)(end - pfn);
	return (struct frame_word){ first, ~0ull >> (64 - n) % 64 << from };
}

/* Returns the multiple of the highest power of 2 in (first, last]. */
static pfn_t split_point(pfn_t first, pfn_t last)
{
	return run_start(last, 63 - (unsigned int)__builtin_clzll(first ^ last));
}

/* Clears the children of a block's bitmap that stand for the frames [pfn, end). */
static void clear_frames(struct bitmap *bitmap, pfn_t pfn, pfn_t end)
{
	for (; pfn < end; pfn = run_start(pfn, BITMAP_WORD_SHIFT) + BITMAP_WORD_FRAMES) {
		struct frame_word w = word_at(pfn, end);
		uint64_t *word = &bitmap->word[buddy_child_of(pfn, LEVEL_BLOCK) / 64];

		MM_ASSERT((bitmap_read(word) & w.bits) == w.bits);
		bitmap_and_not(word, w.bits);
	}
}

/* Raises the bounds for the largest run of [pfn, end) first: most words then find them raised. */
void buddy_put_range(struct zone *z, pfn_t pfn, pfn_t end)
{
	pfn_t middle = pfn == end - 1 ? pfn : split_point(pfn, end - 1);
	pfn_t most = end - middle > middle - pfn ? end - middle : middle - pfn;

	raise_bounds(z, buddy_spot_at(z, pfn, LEVEL_BLOCK),
		     63 - (unsigned int)__builtin_clzll(most));
	for (; pfn < end; pfn = run_start(pfn, BITMAP_WORD_SHIFT) + BITMAP_WORD_FRAMES) {
		struct frame_word w = word_at(pfn, end);

		unsigned int raised = 0;

		if (or_word(z, w.first, w.bits, &raised))
			settle(z, pfn);
	}
}

/*
 * The largest run that the blocks may have completed is one that has the first of them or the last,
 * or one that begins or ends at the number among them that is a multiple of the highest power of 2.
 */
void buddy_put_block_range(struct zone *z, pfn_t pfn, pfn_t end)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, LEVEL_GIB);
	pfn_t first = block_of(pfn), last = block_of(end - 1), middle;

	MM_ASSERT(port_lock_is_taken(&z->lock));
	MM_ASSERT(gibs_test(z, GIBS_OPEN, s.gib_nr) && gib_of(end - 1) == s.gib_nr);
	MM_ASSERT(pfn < end && !(pfn % BLOCK_FRAMES) && !(end % BLOCK_FRAMES));
	for (pfn_t i = first; i <= last; i = run_start(i, BITMAP_WORD_SHIFT) + BITMAP_WORD_FRAMES) {
		uint64_t *word = &s.bitmap->word[i / 64], bits = word_at(i, last + 1).bits;

		MM_ASSERT(!(bitmap_read(word) & bits));
		bitmap_write(word, bitmap_read(word) | bits);
	}
	buddy_completed(z, pfn);
	if (first == last)
		return;
	middle = split_point(first, last);
	buddy_completed(z, gib_pfn(s.gib_nr) + ((middle - 1) << BLOCK_ORDER));
	buddy_completed(z, gib_pfn(s.gib_nr) + (middle << BLOCK_ORDER));
	buddy_completed(z, end - 1);
}

void buddy_put(struct zone *z, pfn_t pfn, unsigned int order)
{
	if (order < BLOCK_ORDER)
		buddy_put_range(z, pfn, pfn + ((pfn_t)1 << order));
	else
		buddy_merge(z, pfn, order);
}

void buddy_put_whole_words(struct zone *z, pfn_t pfn, unsigned int order)
{
	struct frame_word word[(BITMAP_WORDS + 1) / 2];
	pfn_t end = pfn + ((pfn_t)1 << order);
	unsigned int nr = 0;

	MM_ASSERT(order < BLOCK_ORDER);
	for (; pfn < end; pfn += BITMAP_WORD_FRAMES)
		word[nr++] = word_at(pfn, end);
	for (unsigned int done = 0; done < nr;)
		done += buddy_put_words(z, word + done, nr - done,
					words_frames(word + done, word + nr));
}

unsigned int buddy_take_range(struct zone *z, pfn_t pfn, pfn_t end)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, LEVEL_GIB);
	struct buddy_spot in = buddy_spot_at(z, pfn, LEVEL_BLOCK);

	MM_ASSERT(port_lock_is_taken(&z->lock));
	MM_ASSERT(pfn < end && run_start(end - 1, BLOCK_ORDER) == spot_pfn(in));
	if (gibs_test(z, GIBS_FREE, s.gib_nr)) {
		gibs_clear(z, GIBS_FREE, s.gib_nr);
		buddy_open_gib(z, pfn);
		fill_bitmap(z, pfn, LEVEL_GIB);
	}
	if (bitmap_test(&s.gib->free, in.block)) {
		bool whole = end - pfn == BLOCK_FRAMES;

		buddy_take_run(z, s, in.block, 0, LEVEL_GIB,
			       whole ? BUDDY_FOR_HEAD : BUDDY_FOR_PARTS);
		if (whole)
			return BLOCK_ORDER;
		buddy_open_block(z, spot_pfn(in), 0);
		fill_bitmap(z, pfn, LEVEL_BLOCK);
	}
	clear_frames(in.bitmap, pfn, end);
	if (bitmap_empty(in.bitmap))
		buddy_lower(z, pfn, 0, LEVEL_BLOCK);
	return 0;
}

/* Takes such a run of children of a bitmap of this level, not all of it. Returns its order. */
static unsigned int take_run_at(struct zone *z, pfn_t pfn, pfn_t end, unsigned int level)
{
	struct buddy_spot s = buddy_spot_at(z, pfn, level);
	unsigned int child = buddy_child_of(pfn, level), k = 0;
	pfn_t children = (end - pfn) >> level * BLOCK_ORDER;

	while (k < BITMAP_SHIFT - 1 && bitmap_is_run(child, k + 1) && children >> (k + 1) &&
	       bitmap_all_run(s.bitmap, child, k + 1))
		k++;
	buddy_take_run(z, s, child, k, level, BUDDY_FOR_HEAD);
	return level * BLOCK_ORDER + k;
}

unsigned int buddy_take_at(struct zone *z, pfn_t pfn, pfn_t end)
{
	pfn_t gib = gib_of(pfn);

	MM_ASSERT(port_lock_is_taken(&z->lock));
	if (gibs_test(z, GIBS_FREE, gib)) {
		gibs_clear(z, GIBS_FREE, gib);
		if (pfn == gib_pfn(gib) && end - pfn >= GIB_FRAMES) {
			gibs_set(z, GIBS_HEAD, gib);
			return GIB_ORDER;
		}
		buddy_open_gib(z, pfn);
		fill_bitmap(z, pfn, LEVEL_GIB);
	}
	return take_run_at(z, pfn, end,
			   bitmap_test(&gib_at(z, gib)->free, block_of(pfn)) ? LEVEL_GIB
									     : LEVEL_BLOCK);
}

/*
 * Takes the highest whole block, to be opened, of the open gibs; when none has one, the highest
 * whole gib is opened for it.
 */
static pfn_t take_highest_block(struct zone *z)
{
	pfn_t gib_nr = gibs_last(z, GIBS_INDEX(BLOCK_ORDER));
	struct buddy_spot s;

	if (gib_nr == GIB_NONE) {
		gib_nr = gibs_last(z, GIBS_FREE);
		if (gib_nr == GIB_NONE)
			return PFN_NONE;
		gibs_clear(z, GIBS_FREE, gib_nr);
		buddy_open_gib(z, gib_pfn(gib_nr));
		fill_bitmap(z, gib_pfn(gib_nr), LEVEL_GIB);
	}
	s = buddy_spot_in(gib_at(z, gib_nr), gib_nr, 0, LEVEL_GIB);
	return buddy_take_run(z, s, bitmap_last(s.bitmap), 0, LEVEL_GIB, BUDDY_FOR_PARTS);
}

/* Opens the highest whole block, all of it free, as the unmovable one. Returns whether it did. */
static bool open_unmovable(struct zone *z)
{
	pfn_t pfn;

	do
		pfn = take_highest_block(z);
	while (pfn == PFN_NONE && close_idle(z, LEVEL_BLOCK));
	if (pfn == PFN_NONE)
		return false;
	release_unmovable(z);
	buddy_open_block(z, pfn, 0);
	__atomic_store_n(&z->unmovable, pfn, __ATOMIC_RELAXED); /* first: not for the index */
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
