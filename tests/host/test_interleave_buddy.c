/*
 * test_interleave_buddy.c: frees without the lock, and what the other CPU does meanwhile, in every
 * order of their steps (schedules.h says how). The scripts call buddy.h and no frame cache, and the
 * CPUs can be stopped within holds of the lock.
 *
 * It is built twice: with bitmaps of 8 bits, and with bitmaps of four words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "mm/buddy.h"
#include "tests/host/sim/schedules.h"

/* Returns a frame of a block of the arena. */
static pfn_t frame(unsigned int block, unsigned int number)
{
	return FIRST + block * BLOCK_FRAMES + number;
}

/* Takes an allocation for the present CPU. Returns PFN_NONE when there is none. */
static pfn_t take(unsigned int order)
{
	struct zone *z = pfn_zone(FIRST);
	pfn_t pfn;

	do {
		unsigned long flags = port_lock_irqsave(&z->lock);

		pfn = buddy_take(z, order);
		if (pfn < PFN_AGAIN) {
			zone_sub_free(z, (uint64_t)1 << order);
			state_write(pfn_to_page(pfn), state_allocated(z->id, order));
		}
		port_unlock_irqrestore(&z->lock, flags);
	} while (pfn == PFN_AGAIN);
	if (pfn != PFN_NONE)
		own(pfn_to_page(pfn), order);
	return pfn;
}

/* Frees a run that is an allocation, or the part of one. */
static void free_run(pfn_t pfn, unsigned int order)
{
	unsigned long flags = port_irq_save();

	state_write(pfn_to_page(pfn), 0);
	buddy_put_frames(pfn_zone(FIRST), pfn, order);
	port_irq_restore(flags);
}

static void give(pfn_t pfn, unsigned int order)
{
	disown(pfn_to_page(pfn), order);
	free_run(pfn, order);
}

/*
 * Takes an allocation and frees it. When there seems to be none, it waits until the other CPU is
 * not in the middle of a free, as cache_shut() does, and tries again. Then it must succeed if the
 * other CPU had done all before, or if `some` frames are free all the time.
 */
static void take_and_give(unsigned int order, bool some)
{
	bool alone = t.finished[!t.current];
	pfn_t pfn = take(order);

	if (pfn == PFN_NONE) {
		wait_for_other();
		pfn = take(order);
	}
	assert_true(pfn != PFN_NONE || (!some && !alone));
	if (pfn != PFN_NONE)
		give(pfn, order);
}

/* ---- before the scripts: single frames are allocated, and some of them freed again ---- */

/* Allocates all that is free as single frames. */
static void fill(void)
{
	unsigned int n = 0;
	pfn_t pfn;

	while ((pfn = take(0)) != PFN_NONE) {
		t.owner[pfn - FIRST] = PREPARED;
		t.prepared[n++] = pfn_to_page(pfn);
	}
}

/* Takes a frame off the list of those that check_end() frees: the test or a script frees it. */
static void take_off(pfn_t pfn)
{
	unsigned int n = 0, last = 0;

	while (t.prepared[last])
		last++;
	while (t.prepared[n] != pfn_to_page(pfn))
		n++;
	t.prepared[n] = t.prepared[last - 1];
	t.prepared[last - 1] = NULL;
	t.owner[pfn - FIRST] = 0;
}

static void free_frames(unsigned int block, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++) {
		take_off(frame(block, i));
		free_run(frame(block, i), 0);
	}
}

/* Gives frames to a CPU. */
static void hand_over(unsigned int cpu, unsigned int block, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++) {
		take_off(frame(block, i));
		t.owner[frame(block, i) - FIRST] = (signed char)(cpu + 1);
	}
}

/* ---- the scripts ---- */

static void give_first(void)
{
	give(frame(0, 0), 0);
}

#define PAIR(name, prepare, one, two, max_switches)               \
	{                                                         \
		name, prepare, { one, two }, ANY, max_switches, 0 \
	}

static void take_one(void)
{
	take_and_give(0, false);
}

#if BITMAP_WORDS == 1

/* The first block of the other gib. */
#define OTHER_GIB (GIB_FRAMES / BLOCK_FRAMES)

/* Takes the lowest free frame, which is this one, back onto the list. */
static void take_back(unsigned int block, unsigned int number)
{
	unsigned int n = 0;

	while (t.prepared[n])
		n++;
	assert_int_equal(take(0), frame(block, number));
	t.owner[frame(block, number) - FIRST] = PREPARED;
	t.prepared[n] = pfn_to_page(frame(block, number));
}

/* Frames 0 and 1 of block 0 belong to the two CPUs. */
static void hand_over_two(void)
{
	hand_over(0, 0, 0, 1);
	hand_over(1, 0, 1, 2);
}

static void prepare_none(void)
{
	fill();
	hand_over(0, 0, 0, 1);
}

static void prepare_other_gib(void)
{
	prepare_none();
	free_frames(OTHER_GIB, 0, 1);
}

/* Block 1 has the only free frame. */
static void prepare_same_gib(void)
{
	prepare_none();
	free_frames(1, 0, 1);
}

/* The index holds block 0 for pairs, but one of the two frames was taken again. */
static void prepare_stale(void)
{
	fill();
	free_frames(0, 0, 2);
	take_back(0, 0);
	hand_over(0, 0, 0, 1);
}

static void prepare_buddies(void)
{
	fill();
	hand_over_two();
}

/* CPU 0 has the first two frames as one allocation. Of block 1 the first two are free. */
static void prepare_pair(void)
{
	fill();
	hand_over(0, 0, 0, 2);
	state_write(pfn_to_page(frame(0, 0)), state_allocated(pfn_zone(FIRST)->id, 1));
	state_write(pfn_to_page(frame(0, 1)), 0);
	free_frames(1, 0, 2);
}

/* There is another free pair in the other gib. */
static void prepare_pairs(void)
{
	prepare_pair();
	free_frames(OTHER_GIB, 0, 2);
}

static void prepare_last_two(void)
{
	fill();
	free_frames(0, 2, BLOCK_FRAMES);
	hand_over_two();
}

/* Block 0 is kept open, as idle[0], and lacks its first frame; so does block 1. */
static void prepare_idle(void)
{
	fill();
	free_frames(0, 0, BLOCK_FRAMES);
	take_back(0, 0);
	free_frames(1, 1, BLOCK_FRAMES);
	hand_over(0, 0, 0, 1);
	hand_over(1, 1, 0, 1);
}

/* Both blocks lack their first frame, and none is idle[0]. */
static void prepare_two_blocks(void)
{
	fill();
	free_frames(0, 1, BLOCK_FRAMES);
	free_frames(1, 1, BLOCK_FRAMES);
	hand_over(0, 0, 0, 1);
	hand_over(1, 1, 0, 1);
}

static void prepare_four(void)
{
	fill();
	free_frames(0, 2, 6);
	hand_over(0, 0, 0, 1);
}

/* A block is allocated in one piece. */
static pfn_t split;

static void prepare_split(void)
{
	split = take(BLOCK_ORDER);
	disown(pfn_to_page(split), BLOCK_ORDER);
	fill();
	hand_over(0, (unsigned int)(split - FIRST) / BLOCK_FRAMES + 1, 0, 1);
	own(pfn_to_page(split), BLOCK_ORDER);
	for (unsigned int i = 0; i < BLOCK_FRAMES; i++)
		t.owner[split - FIRST + i] = 2;
}

static void give_beside_split(void)
{
	give(split + BLOCK_FRAMES, 0);
}

static void split_and_give(void)
{
	struct zone *z = pfn_zone(FIRST);
	unsigned long flags = port_lock_irqsave(&z->lock);

	buddy_split(z, split, BLOCK_ORDER);
	set_states(pfn_to_page(split), BLOCK_FRAMES, state_allocated(z->id, 0));
	port_unlock_irqrestore(&z->lock, flags);
	for (unsigned int i = 0; i < BLOCK_FRAMES; i++)
		give(split + i, 0);
}

static void give_second(void)
{
	give(frame(0, 1), 0);
}

static void give_pair(void)
{
	give(frame(0, 0), 1);
}

/* Takes a run and leaves its frames to check_end(). */
static void take_and_keep(unsigned int order)
{
	pfn_t pfn = take(order);
	unsigned long flags;
	unsigned int n = 0;

	if (pfn == PFN_NONE)
		return;
	disown(pfn_to_page(pfn), order);
	flags = port_irq_save(); /* no mm_check() before all is written */
	set_states(pfn_to_page(pfn), (pfn_t)1 << order, state_allocated(pfn_zone(pfn)->id, 0));
	port_irq_restore(flags);
	while (t.prepared[n])
		n++;
	for (pfn_t i = 0; i < (pfn_t)1 << order; i++) {
		t.owner[pfn + i - FIRST] = PREPARED;
		t.prepared[n++] = pfn_to_page(pfn + i);
	}
}

/* May lower the bound that the other CPU has raised, and then take half of what that frees. */
static void keep_pair_and_frame(void)
{
	take_and_keep(1);
	take_and_keep(0);
}

/* The pair of the other gib is found, whatever the index has of the first. */
static void keep_pair_and_take_other(void)
{
	pfn_t pfn;

	take_and_keep(1);
	pfn = take(1);
	assert_true(pfn != PFN_NONE);
	give(pfn, 1);
}

static void give_other_block(void)
{
	give(frame(1, 0), 0);
}

/* The free frame of the other gib is found whatever the other CPU does. */
static void take_elsewhere(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		pfn_t pfn = take(0);

		assert_true(pfn != PFN_NONE);
		give(pfn, 0);
	}
}

/* At least one frame is free all the time. */
static void take_some(void)
{
	take_and_give(0, true);
	take_and_give(0, true);
}

static void take_two(void)
{
	take_and_give(1, false);
}

static void take_pair(void)
{
	take_and_give(1, true);
}

static void take_and_complete(void)
{
	take_and_give(0, true);
	give_other_block();
}

static void take_range(void)
{
	struct zone *z = pfn_zone(FIRST);
	unsigned long flags = port_lock_irqsave(&z->lock);

	assert_int_equal(buddy_take_range(z, frame(0, 2), frame(0, 4)), 0);
	zone_sub_free(z, 2);
	set_states(pfn_to_page(frame(0, 2)), 2, state_allocated(z->id, 0));
	port_unlock_irqrestore(&z->lock, flags);
	own(pfn_to_page(frame(0, 2)), 1);
	give(frame(0, 2), 0);
	give(frame(0, 3), 0);
}

/* Does what a frame cache does, with interrupts off in its place. */
static void take_batch(void)
{
	struct frame_batch b = { .want = 3 };
	struct zone *z = pfn_zone(FIRST);
	unsigned long outer = port_irq_save();
	unsigned long flags = port_lock_irqsave(&z->lock);

	buddy_take_words(z, &b);
	zone_sub_free(z, b.nr_frames);
	port_unlock_irqrestore(&z->lock, flags);
	buddy_put_words(z, b.word, b.nr_words, b.nr_frames);
	port_irq_restore(outer);
}

static const struct pair pairs[] = {
	PAIR("a free, a frame where none is", prepare_none, give_first, take_one, 0),
	PAIR("a free, a frame of the other gib", prepare_other_gib, give_first, take_elsewhere, 4),
	PAIR("a free, the last frame of its gib", prepare_same_gib, give_first, take_some, 4),
	PAIR("a free, a pair by a stale bound", prepare_stale, give_first, take_two, 4),
	PAIR("a free of a pair, half of which is taken", prepare_pair, give_pair,
	     keep_pair_and_frame, 4),
	PAIR("a free of a pair, a pair of the other gib", prepare_pairs, give_pair,
	     keep_pair_and_take_other, 3),
	PAIR("two frees of a pair", prepare_buddies, give_first, give_second, 0),
	PAIR("two frees of the last of a block", prepare_last_two, give_first, give_second, 0),
	PAIR("a free fills the idle block, another a block", prepare_idle, give_first,
	     give_other_block, 0),
	PAIR("two frees that fill two blocks", prepare_two_blocks, give_first, give_other_block, 4),
	PAIR("a free fills a block, which is used and closed", prepare_two_blocks, give_first,
	     take_and_complete, 4),
	PAIR("a free, a pair of the same word", prepare_four, give_first, take_pair, 4),
	PAIR("a free, a range of the same word", prepare_four, give_first, take_range, 4),
	PAIR("a free, a batch of the same word", prepare_four, give_first, take_batch, 4),
	PAIR("a free, a block split", prepare_split, give_beside_split, split_and_give, 3),
};

#else

/* Frame 0 of the first word and of the second belong to the two CPUs; the rest is free up to end.
 */
static void free_all_but_two(unsigned int end)
{
	fill();
	for (unsigned int i = 1; i < end; i++)
		if (i != 64)
			free_frames(0, i, i + 1);
	hand_over(0, 0, 0, 1);
	hand_over(1, 0, 64, 65);
}

static void prepare_block(void)
{
	free_all_but_two(BLOCK_FRAMES);
}

static void prepare_half(void)
{
	free_all_but_two(128);
}

/* All of the block's first half is an allocation of CPU 0. */
static void prepare_run(void)
{
	pfn_t pfn = take(7);

	assert_int_equal(pfn, frame(0, 0));
	fill();
}

static void give_other_word(void)
{
	give(frame(0, 64), 0);
}

static void give_run(void)
{
	give(frame(0, 0), 7);
}

static void take_word(void)
{
	take_and_give(6, false);
}

static const struct pair pairs[] = {
	PAIR("the last frees of two words", prepare_half, give_first, give_other_word, 0),
	PAIR("the last frees of a block", prepare_block, give_first, give_other_word, 0),
	PAIR("a free of two words, a frame", prepare_run, give_run, take_one, 3),
	PAIR("a free of two words, a word", prepare_run, give_run, take_word, 3),
};

#endif

static void every_order_of_two_scripts(void **state)
{
	(void)state;
	explore_pairs(pairs, sizeof(pairs) / sizeof(pairs[0]), true);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_order_of_two_scripts) };

	setvbuf(stdout, NULL, _IOLBF, 0);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
