/*
 * test_interleave.c: two CPUs, every order of their steps (schedules.h says how).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "mm/cache.h"
#include "tests/host/sim/schedules.h"

/* ---- the scripts ---- */

/* A request fails only if the other CPU has what it asks for, or might have. */
static void one_frame(void)
{
	bool alone = t.finished[!t.current];
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page) {
		t.errors[t.current] = -EBUSY;
		assert_false(alone);
		return;
	}
	own(page, 0);
	disown(page, 0);
	__free_page(page);
}

static void two_frames(void)
{
	one_frame();
	one_frame();
}

static void split_a_block(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, BLOCK_ORDER + 1);

	if (!page)
		return;
	own(page, BLOCK_ORDER + 1);
	split_page(page, BLOCK_ORDER + 1);
	disown(page, BLOCK_ORDER + 1);
	for (unsigned int i = 0; i < 2u << BLOCK_ORDER; i++)
		__free_page(page + i);
}

static void range(pfn_t start, pfn_t end)
{
	unsigned int cpu = t.current;
	bool alone = t.finished[!cpu];

	t.errors[cpu] = alloc_contig_range(start, end, MIGRATE_MOVABLE, GFP_KERNEL);
	if (t.errors[cpu]) {
		assert_int_equal(t.errors[cpu], -EBUSY);
		assert_false(alone);
		return;
	}
	for (pfn_t pfn = start; pfn < end; pfn++)
		own(pfn_to_page(pfn), 0);
	for (pfn_t pfn = start; pfn < end; pfn++)
		disown(pfn_to_page(pfn), 0);
	free_contig_range(start, end - start);
}

static void range_first(void)
{
	range(SERVED, SERVED + 2);
}

static void range_cached(void)
{
	range(SERVED + 4, SERVED + 10);
}

static void range_short(void)
{
	range(SERVED + 6, SERVED + 10);
}

static void range_short_high(void)
{
	range(SERVED + 8, SERVED + 11);
}

static void range_low(void)
{
	range(SERVED - 10, SERVED + 12);
}

static void range_high(void)
{
	range(SERVED + 5, SERVED + 29);
}

/* An allocation that may wait, and fails after the other CPU has done all it does, leaves none
 * free. */
static void all_frames(void)
{
	struct page **page = t.held[t.current];
	unsigned int cpu = t.current, n = 0;
	bool alone;

	while (alone = t.finished[!cpu], (page[n] = alloc_page(GFP_KERNEL))) {
		own(page[n], 0);
		n++;
	}
	if (alone)
		assert_int_equal(nr_free_pages(), 0);
	while (n--) {
		disown(page[n], 0);
		__free_page(page[n]);
		page[n] = NULL;
	}
}

/* Allocates a frame before the run. The cache of CPU 0 has others afterwards. */
static struct page *prepare(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (page)
		t.owner[page_to_pfn(page) - FIRST] = PREPARED;
	return page;
}

static void prepare_one(void)
{
	t.one = prepare();
	assert_ptr_equal(t.one, pfn_to_page(SERVED));
}

/* No other frame is free. */
static void prepare_last(void)
{
	unsigned int n = 0;

	prepare_one();
	while ((t.prepared[n] = prepare()))
		n++;
}

static void free_one(void)
{
	struct page *page = t.one;

	t.owner[page_to_pfn(page) - FIRST] = 0;
	__free_page(page);
}

/* Two frames are free, in the cache of CPU 0. */
static void prepare_two(void)
{
	unsigned int n = 0;

	prepare_last();
	while (t.prepared[n + 1])
		n++;
	free_one();
	t.one = t.prepared[n];
	t.prepared[n] = NULL;
	free_one();
}

/* Frees, into a cache, the frame that the other CPU frees, too. */
static void free_again(void)
{
	__free_page(t.one);
}

#define RUN_ORDER 2

/* Allocates a run before the scripts. */
static void prepare_run(void)
{
	t.one = alloc_pages(GFP_KERNEL, RUN_ORDER);
	assert_non_null(t.one);
	for (unsigned int i = 0; i < 1u << RUN_ORDER; i++)
		t.owner[page_to_pfn(t.one) + i - FIRST] = PREPARED;
}

/* No other frame is free. */
static void prepare_last_run(void)
{
	unsigned int n = 0;

	prepare_run();
	while ((t.prepared[n] = prepare()))
		n++;
}

static void free_run(void)
{
	for (unsigned int i = 0; i < 1u << RUN_ORDER; i++)
		t.owner[page_to_pfn(t.one) + i - FIRST] = 0;
	__free_pages(t.one, RUN_ORDER);
}

/* Frees the run that the other CPU frees, too. */
static void free_run_again(void)
{
	__free_pages(t.one, RUN_ORDER);
}

static void a_run(unsigned int order)
{
	struct page *page = alloc_pages(GFP_KERNEL, order);

	if (!page)
		return;
	own(page, order);
	disown(page, order);
	__free_pages(page, order);
}

static void short_run(void)
{
	a_run(RUN_ORDER);
}

static void a_block(void)
{
	a_run(BLOCK_ORDER);
}

static void range_of_a_block(void)
{
	range(SERVED, SERVED + BLOCK_FRAMES);
}

static const struct pair pairs[] = {
	{ "a frame, a range that begins there", NULL, { one_frame, range_first }, ANY, 0, 0 },
	{ "a range, a frame at its beginning", NULL, { range_first, one_frame }, ANY, 0, 0 },
	{ "a frame, a range of cached ones", NULL, { one_frame, range_cached }, EVERY, 0, 0 },
	{ "a range of cached frames, a frame", NULL, { range_cached, one_frame }, EVERY, 0, 0 },
	{ "two short ranges", NULL, { range_short, range_short_high }, ONE_RANGE, 0, 0 },
	{ "two frees into caches", prepare_one, { free_again, free_again }, PANIC, 0, 0 },
	{ "two frees to the bits", prepare_run, { free_run_again, free_run_again }, PANIC, 0, 0 },
	{ "two frees of a run", prepare_run, { free_run_again, free_run_again }, PANIC, 0, 2 },
	{ "a run each", NULL, { short_run, short_run }, EVERY, 3, 2 },
	{ "a run's free, all frames", prepare_last_run, { free_run, all_frames }, ANY, 3, 2 },
	{ "a run, a range", NULL, { short_run, range_low }, ANY, 2, 2 },
	{ "a block, a range of a block", NULL, { a_block, range_of_a_block }, ANY, 2, 2 },
	{ "a block, a split", NULL, { a_block, split_a_block }, ANY, 2, 2 },
	{ "the last frame's free, a frame", prepare_last, { free_one, one_frame }, ANY, 0, 0 },
	{ "a frame, the last one's free", prepare_last, { one_frame, free_one }, ANY, 0, 0 },
	{ "a frame each of two", prepare_two, { one_frame, one_frame }, EVERY, 0, 0 },
	{ "two frames, a range", NULL, { two_frames, range_low }, ANY, 2, 0 },
	{ "a range, two frames", NULL, { range_low, two_frames }, ANY, 2, 0 },
	{ "two ranges", NULL, { range_low, range_high }, ONE_RANGE, 2, 0 },
	{ "a range, a block split", NULL, { range_high, split_a_block }, ANY, 2, 0 },
	{ "a block split, two frames", NULL, { split_a_block, two_frames }, ANY, 2, 0 },
	{ "two frames, all frames", NULL, { two_frames, all_frames }, ANY, 2, 0 },
	{ "all frames, two frames", NULL, { all_frames, two_frames }, ANY, 1, 0 },
	{ "all frames, a range", NULL, { all_frames, range_low }, ANY, 1, 0 },
	{ "a range, all frames", NULL, { range_low, all_frames }, ANY, 1, 0 },
};

static void every_order_of_two_scripts(void **state)
{
	(void)state;
	explore_pairs(pairs, sizeof(pairs) / sizeof(pairs[0]), false);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_order_of_two_scripts) };

	setvbuf(stdout, NULL, _IOLBF, 0);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
