/*
 * test_unmovable.c: tests where allocations with __GFP_UNMOVABLE come from, and that they keep no
 * memory from other requests.
 *
 * Each test boots a simulated machine whose RAM and descriptors are full of garbage that looks
 * valid, as after a warm reset.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mm/cache.h"
#include "mm/check.h"
#include "mm/page_state.h"
#include "mm/shelf.h"
#include "tests/host/sim/pieces.h"
#include "tests/host/sim/sim.h"

#define STAYS (GFP_KERNEL | __GFP_UNMOVABLE)

/* Memory in all three zones: 15 MiB, 48 MiB and 64 MiB. */
static const struct piece three_zones[] = {
	{ 0, 0x9f000, 1 },
	{ MIB, 63 * MIB, 1 },
	{ 4 * GIB, 64 * MIB, 1 },
};

#define normal node_zone(0, ZONE_NORMAL)

/* Returns the first frame of the highest block of a zone of which all is free, or PFN_NONE. */
static pfn_t highest_whole(const struct zone *z)
{
	pfn_t pfn = run_start(z->end_pfn, BLOCK_ORDER);

	while (pfn > z->start_pfn) {
		pfn -= BLOCK_FRAMES;
		if (nr_free_in_range(pfn, pfn + BLOCK_FRAMES) == BLOCK_FRAMES)
			return pfn;
	}
	return PFN_NONE;
}

static uint64_t nr_whole(const struct zone *z)
{
	uint64_t counts[NR_ORDERS], nr = 0;

	zone_free_blocks(z, counts);
	for (unsigned int k = BLOCK_ORDER; k < NR_ORDERS; k++)
		nr += counts[k] << (k - BLOCK_ORDER);
	return nr;
}

static pfn_t take(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp, order);

	assert_non_null(page);
	assert_int_equal(page_order(page), order);
	return page_to_pfn(page);
}

static bool is_in_block(pfn_t pfn, pfn_t block)
{
	return run_start(pfn, BLOCK_ORDER) == block;
}

/* They fill the highest whole block, past the frame caches; then the one that is highest now. */
static void they_lie_together(void **state)
{
	pfn_t block, next;

	(void)state;
	BOOT(three_zones);
	block = highest_whole(normal);
	assert_int_equal(take(STAYS, 0), block);
	assert_int_equal(take(STAYS, 3), block + 8);
	assert_int_equal(take(STAYS, 0), block + 1);
	assert_int_equal(take(STAYS, 8), block + 256);
	assert_int_equal(take(STAYS, 2), block + 4);
	assert_int_equal(cache_frames(normal), 0);
	next = highest_whole(normal);
	assert_true(next < block);
	for (unsigned int i = 1 + 8 + 1 + 256 + 4; i < BLOCK_FRAMES; i++)
		assert_true(is_in_block(take(STAYS, 0), block));
	assert_int_equal(mm_check(), 0);
	assert_int_equal(take(STAYS, 0), next);
	assert_int_equal(mm_check(), 0);
}

/* Requests without the flag get that block only when the zone has no other run for them. */
static void other_requests_get_that_block_last(void **state)
{
	static const unsigned int orders[] = { 0, 3, 8 };

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		pfn_t size = (pfn_t)1 << orders[i], block;

		BOOT(three_zones);
		block = take(STAYS, 0);
		while (!is_in_block(take(GFP_KERNEL, orders[i]), block))
			;
		assert_int_equal(mm_check(), 0);
		/* What the first refill of the cache took from the block is in no other place. */
		for (pfn_t pfn = normal->start_pfn; pfn < normal->end_pfn; pfn += size)
			if (!is_in_block(pfn, block))
				assert_true(nr_free_in_range(pfn, pfn + size) < size);
		assert_int_equal(cache_frames(normal) != 0, !orders[i]);
	}
}

/* The frames that come and go in the block do not lead other requests to it. */
static void frees_do_not_open_that_block_to_all(void **state)
{
	pfn_t block, run;

	(void)state;
	BOOT(three_zones);
	block = take(STAYS, 0);
	run = take(STAYS, 6);
	__free_pages(pfn_to_page(run), 6);
	for (unsigned int i = 0; i < 3 * BLOCK_FRAMES; i++)
		assert_false(is_in_block(take(GFP_KERNEL, 0), block));
	__free_page(pfn_to_page(block)); /* all of it is free now */
	drain_caches();
	for (unsigned int i = 0; i < 3 * BLOCK_FRAMES; i++)
		assert_false(is_in_block(take(GFP_KERNEL, 0), block));
	assert_int_equal(mm_check(), 0);
	assert_int_equal(take(STAYS, 0), block);
}

/* A block in which nothing of the order is left becomes one for all, before whole ones are. */
static void an_order_that_does_not_fit_opens_another_block(void **state)
{
	uint64_t whole;
	pfn_t block, next;

	(void)state;
	BOOT(three_zones);
	block = take(STAYS, 0);
	assert_int_equal(take(STAYS, 8), block + 256);
	next = highest_whole(normal);
	assert_int_equal(take(STAYS, 8), next);
	assert_int_equal(take(STAYS, 0), next + 256);
	assert_int_equal(mm_check(), 0);
	whole = nr_whole(normal);
	while (!is_in_block(take(GFP_KERNEL, 7), block))
		;
	assert_int_equal(nr_whole(normal), whole);
}

/* Without a whole block it is a request like any other: for the lowest open block. */
static void without_a_whole_block_it_is_any_request(void **state)
{
	static pfn_t blocks[64];
	unsigned int n = 0;

	(void)state;
	BOOT(three_zones);
	while (nr_whole(normal))
		blocks[n++] = take(GFP_KERNEL, BLOCK_ORDER);
	assert_true(n > 4);
	while (nr_free_in_range(normal->start_pfn, normal->end_pfn))
		take(GFP_KERNEL, 0);
	for (unsigned int i = 1; i <= 2; i++) {
		split_page(pfn_to_page(blocks[i]), BLOCK_ORDER);
		free_contig_range(blocks[i] + 16, 16);
	}
	drain_caches();
	assert_int_equal(take(STAYS, 3), blocks[1] + 16);
	assert_int_equal(take(GFP_KERNEL, 2), blocks[1] + 24);
	assert_int_equal(take(STAYS, 2), blocks[1] + 28);
	assert_int_equal(take(STAYS, 4), blocks[2] + 16);
	assert_int_equal(normal->unmovable, PFN_NONE);
	assert_int_equal(mm_check(), 0);
	/* A block that is full, but kept open (B5), is as good as a whole one. */
	split_page(pfn_to_page(blocks[3]), BLOCK_ORDER);
	free_contig_range(blocks[3], BLOCK_FRAMES);
	__free_pages(pfn_to_page(blocks[1] + 16), 3);
	drain_caches();
	assert_int_equal(normal->idle[0], blocks[3]);
	assert_int_equal(take(STAYS, 3), blocks[3]);
	assert_int_equal(take(STAYS, 3), blocks[3] + 8);
	assert_int_equal(mm_check(), 0);
}

/* When all of them are freed, the block is whole again, and can be had. */
static void the_block_comes_back(void **state)
{
	enum { FRAMES = 20 };
	pfn_t pfns[FRAMES];
	uint64_t whole;

	(void)state;
	BOOT(three_zones);
	whole = nr_whole(normal);
	for (unsigned int i = 0; i < FRAMES; i++)
		pfns[i] = take(STAYS, 0);
	assert_int_equal(nr_whole(normal), whole - 1);
	for (unsigned int i = 0; i < FRAMES; i++)
		__free_page(pfn_to_page(pfns[i]));
	drain_caches();
	for (; whole; whole--)
		assert_int_equal(page_zonenum(alloc_pages(GFP_KERNEL, BLOCK_ORDER)), ZONE_NORMAL);
	assert_int_equal(normal->unmovable, PFN_NONE);
	assert_int_equal(mm_check(), 0);
}

/* Somebody else may have taken all of the block meanwhile. */
static void a_range_may_take_the_block(void **state)
{
	pfn_t block, next;

	(void)state;
	BOOT(three_zones);
	block = take(STAYS, 0);
	next = highest_whole(normal);
	assert_int_equal(alloc_contig_range(block + 1, block + BLOCK_FRAMES, MIGRATE_MOVABLE, 0),
			 0);
	assert_int_equal(take(STAYS, 0), next);
	assert_int_equal(mm_check(), 0);
}

/* Only a zone without a whole block in its open gibs opens a gib for it: the highest. */
static void a_gib_is_opened_last(void **state)
{
	static const struct piece gibs[] = {
		{ 0, 0x9f000, 1 },
		{ MIB, 15 * MIB, 1 },
		{ 4 * GIB, 6 * GIB, 1 },
	};
	pfn_t gib, block;

	(void)state;
	BOOT(gibs);
	gib = gibs_last(normal, GIBS_FREE);
	assert_true(gib != GIB_NONE && gib > gibs_first(normal, GIBS_FREE));
	/* The lowest gib is open, too. */
	block = gib_pfn(gibs_first(normal, GIBS_FREE));
	assert_int_equal(alloc_contig_range(block, block + 1, MIGRATE_MOVABLE, 0), 0);
	block = gib_pfn(gibs_last(normal, GIBS_INDEX(BLOCK_ORDER)));
	assert_true(block != gib_pfn(gib) && block > normal->start_pfn);
	assert_in_range(take(STAYS, 0), block, block + GIB_FRAMES - 1);
	block = normal->unmovable;
	assert_true(gibs_test(normal, GIBS_FREE, gib));
	while (gibs_first(normal, GIBS_INDEX(BLOCK_ORDER)) != GIB_NONE)
		take(GFP_KERNEL, BLOCK_ORDER);
	assert_int_equal(take(STAYS, 8), block + 256);
	assert_true(gibs_test(normal, GIBS_FREE, gib));
	assert_int_equal(take(STAYS, 8), gib_pfn(gib) + GIB_FRAMES - BLOCK_FRAMES);
	assert_int_equal(take(STAYS, 0), gib_pfn(gib) + GIB_FRAMES - BLOCK_FRAMES + 256);
	assert_int_equal(mm_check(), 0);
}

static bool is_zero(pfn_t pfn, pfn_t frames)
{
	const uint64_t *words = page_address(pfn_to_page(pfn));

	for (size_t i = 0; i < frames * PAGE_SIZE / sizeof(*words); i++)
		if (words[i])
			return false;
	return true;
}

/* The other flags mean what they always mean, and orders above 8 come from where they always do. */
static void other_flags_count(void **state)
{
	static const gfp_t zone_flags[] = { GFP_DMA, GFP_DMA32, GFP_KERNEL };
	pfn_t block;

	(void)state;
	BOOT(three_zones);
	for (unsigned int zone = 0; zone <= ZONE_NORMAL; zone++) {
		gfp_t gfp = zone_flags[zone] | __GFP_UNMOVABLE | __GFP_ZERO;

		block = highest_whole(node_zone(0, zone));
		memset(page_address(pfn_to_page(block)), 0x55, 16 * PAGE_SIZE);
		assert_int_equal(take(gfp, 0), block);
		assert_int_equal(take(gfp, 3), block + 8);
		assert_true(is_zero(block, 1) && is_zero(block + 8, 8));
		assert_false(is_zero(block + 1, 1));
	}
	for (unsigned int order = BLOCK_ORDER; order < BLOCK_ORDER + 2; order++) {
		block = take(GFP_KERNEL, order);
		__free_pages(pfn_to_page(block), order);
		assert_int_equal(take(STAYS, order), block);
	}
	assert_null(alloc_pages(STAYS, MAX_PAGE_ORDER + 1));
	while (alloc_pages(STAYS, 0))
		;
	assert_int_equal(node_zone(0, ZONE_DMA)->nr_free,
			 node_zone(0, ZONE_DMA)->lowmem_reserve[ZONE_NORMAL]);
	assert_int_equal(zone_nr_free_pages(normal), 0);
	while (alloc_pages(STAYS | __GFP_HIGH, 0))
		;
	assert_int_equal(nr_free_pages(), 0);
	assert_int_equal(mm_check(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_lie_together),
		cmocka_unit_test(other_requests_get_that_block_last),
		cmocka_unit_test(frees_do_not_open_that_block_to_all),
		cmocka_unit_test(an_order_that_does_not_fit_opens_another_block),
		cmocka_unit_test(without_a_whole_block_it_is_any_request),
		cmocka_unit_test(the_block_comes_back),
		cmocka_unit_test(a_range_may_take_the_block),
		cmocka_unit_test(a_gib_is_opened_last),
		cmocka_unit_test(other_flags_count),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
