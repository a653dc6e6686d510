/*
 * test_caches.c: tests the frame caches of orders 1 to 9: that they rarely take the lock, that the
 * runs in them count as free, and that every request that needs such a run gets it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mm/cache.h"
#include "mm/check.h"
#include "mm/page_state.h"
#include "tests/host/sim/expect_panic.h"
#include "tests/host/sim/pieces.h"
#include "tests/host/sim/sim.h"

/* Two zones of several GiB: their caches have room for 8 runs of each order, and for 24. */
static const struct piece two_zones[] = {
	{ 0, 0x9f000, 1 },
	{ MIB, 4 * GIB - 257 * MIB, 1 },
	{ 4 * GIB, 16 * GIB, 1 },
};

#define for_each_run_order(order) for (unsigned int order = 1; order < CACHE_ORDERS; order++)

static struct page *allocate(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp, order);

	assert_non_null(page);
	return page;
}

/*
 * Allocates a run that begins below a frame. What the boot left open lies at the end of a zone, and
 * serves first.
 */
static struct page *allocate_below(pfn_t end, unsigned int order)
{
	struct page *page;

	do
		page = allocate(GFP_KERNEL, order);
	while (page_to_pfn(page) >= end);
	return page;
}

static struct frame_cache *normal(unsigned int order)
{
	return cache_at(0, ZONE_NORMAL, order);
}

/* ---- the lock ---- */

static void a_hot_pair_takes_no_lock(void **state)
{
	static const gfp_t gfps[] = { GFP_KERNEL, GFP_DMA32, __GFP_HIGH };

	(void)state;
	BOOT(two_zones);
	for (size_t i = 0; i < sizeof(gfps) / sizeof(gfps[0]); i++)
		for_each_run_order(order) {
			struct page *page = allocate(gfps[i], order);
			unsigned long holds;

			assert_int_equal(page_order(page), order);
			assert_int_equal(page_zonenum(page),
					 gfps[i] & __GFP_DMA32 ? ZONE_DMA32 : ZONE_NORMAL);
			__free_pages(page, order);
			holds = sim_holds;
			for (unsigned int n = 0; n < 100; n++)
				__free_pages(allocate(gfps[i], order), order);
			assert_int_equal(sim_holds, holds);
		}
	assert_int_equal(mm_check(), 0);
}

static void put_page_takes_no_lock(void **state)
{
	(void)state;
	BOOT(two_zones);
	for_each_cache_order(order) {
		struct page *page = allocate(GFP_KERNEL, order);
		unsigned long holds = sim_holds;

		put_page(page);
		assert_ptr_equal(allocate(GFP_KERNEL, order), page);
		assert_int_equal(sim_holds, holds);
		get_page(page);
		put_page(page);
		assert_int_equal(page_count(page), 1);
		put_page(page);
		assert_int_equal(page_state(page_to_pfn(page)), PAGE_FREE);
	}
	assert_int_equal(mm_check(), 0);
}

/* Allocates runs that are as many as three batches, and frees them. */
static void runs_come_and_go_in_batches(void **state)
{
	(void)state;
	BOOT(two_zones);
	for_each_run_order(order) {
		unsigned int batch = (unsigned int)(normal(order)->limit + 1) / 2, nr = 6 * batch;
		struct page *pages[6 * RUNS_REFILL];
		unsigned long holds;

		/* The first batch may have to open a block, which ends it; others may, too. */
		__free_pages(allocate(GFP_KERNEL, order), order);
		drain_caches();
		holds = sim_holds;
		for (unsigned int i = 0; i < nr; i++)
			pages[i] = allocate(GFP_KERNEL, order);
		assert_in_range(sim_holds - holds, 6, 6 + 3 * ((nr << order) / BLOCK_FRAMES));
		for (unsigned int i = 1; i < nr; i++)
			assert_true(pages[i] != pages[i - 1]);
		for (unsigned int i = nr; i--;)
			__free_pages(pages[i], order);
		assert_int_equal(normal(order)->count + normal(order)->nr_out > 0, 1);
		assert_true(normal(order)->count <= normal(order)->limit);
		assert_int_equal(mm_check(), 0);
	}
}

/* A drain takes half of a full cache, though whole words of the bits go on below that half. */
static void a_drain_ends_inside_a_word(void **state)
{
	enum { ORDER = 3, IN_WORD = 64 >> ORDER };
	struct page *pages[64];
	struct frame_cache *cache;
	unsigned int first = 0;

	(void)state;
	BOOT(two_zones);
	cache = normal(ORDER);
	assert_int_equal(cache->limit, 3 * IN_WORD);
	pages[0] = allocate_below(5 * GIB >> PAGE_SHIFT, ORDER);
	for (unsigned int i = 1; i < 64; i++)
		pages[i] = allocate(GFP_KERNEL, ORDER);
	drain_caches();
	while (page_to_pfn(pages[first]) % 64)
		first++;
	for (unsigned int i = 0; i <= cache->limit; i++) {
		assert_ptr_equal(pages[first + i], pages[first] + (i << ORDER));
		__free_pages(pages[first + i], ORDER);
	}
	assert_int_equal(cache->count, cache->limit / 2 + 1);
	assert_int_equal(mm_check(), 0);
}

/* A cache of a few runs is not refilled; what was taken from the bits last says what it keeps. */
static void a_small_cache_keeps_no_higher_block(void **state)
{
	static const struct piece small[] = { { 0, 0x9f000, 1 }, { MIB, 255 * MIB, 1 } };
	static struct page *pages[3 * 256];
	unsigned int orders = 0;

	(void)state;
	BOOT(small);
	for (unsigned int order = 1; order < BLOCK_ORDER; order++) {
		struct frame_cache *cache = cache_at(0, ZONE_DMA32, order);
		unsigned int nr = 3 * (unsigned int)(BLOCK_FRAMES >> order);
		struct page *low;

		if (!cache->limit || cache_takes_batches(cache))
			continue;
		orders++;
		drain_caches();
		low = pages[0] = allocate_below(128 * MIB >> PAGE_SHIFT, order);
		for (unsigned int i = 1; i < nr; i++) {
			pages[i] = allocate(GFP_KERNEL, order);
			assert_int_equal(cache->count, 0);
		}
		__free_pages(low, order);
		assert_int_equal(cache->count, 1);
		drain_caches();
		assert_ptr_equal(allocate(GFP_KERNEL, order), low);
		__free_pages(pages[nr - 1], order);
		assert_int_equal(cache->count, 0);
		__free_pages(low, order);
		assert_int_equal(cache->count, 1);
		for (unsigned int i = 1; i < nr - 1; i++)
			__free_pages(pages[i], order);
		assert_int_equal(mm_check(), 0);
	}
	assert_true(orders > 1);
}

/* An interrupt handler that comes into a cache's use gets its run from the bits. */
static void a_busy_cache_is_left_alone(void **state)
{
	(void)state;
	BOOT(two_zones);
	for_each_run_order(order) {
		struct frame_cache *cache = normal(order);
		struct page *cached = allocate(GFP_KERNEL, order), *page;
		uint64_t busy = cache->state, count;

		__free_pages(cached, order);
		count = cache->count;
		cache->state = CACHE_BUSY;
		page = allocate(GFP_KERNEL, order);
		assert_ptr_not_equal(page, cached);
		__free_pages(page, order);
		assert_int_equal(cache->count, count);
		cache->state = busy;
		assert_ptr_equal(allocate(GFP_KERNEL, order), cached);
	}
	assert_int_equal(mm_check(), 0);
}

/* ---- the page state of cached runs ---- */

static void a_cached_run_is_free(void **state)
{
	(void)state;
	BOOT(two_zones);
	for_each_run_order(order) {
		uint64_t nr_free = nr_free_pages();
		struct page *page = allocate(GFP_KERNEL, order);
		pfn_t pfn = page_to_pfn(page), end;

		assert_int_equal(nr_free_pages(), nr_free - (1ull << order));
		__free_pages(page, order);
		assert_int_equal(nr_free_pages(), nr_free);
		for (pfn_t i = 0; i < (pfn_t)1 << order; i++) {
			assert_int_equal(page_state(pfn + i), PAGE_FREE);
			assert_null(page_head(pfn + i));
			assert_false(free_span(pfn + i, &end)); /* but not in the bits */
		}
		assert_int_equal(mm_check(), 0);
	}
	drain_caches();
	for_each_zone(z)
		assert_int_equal(z->nr_free, z->managed);
	assert_int_equal(mm_check(), 0);
}

static void refuse_all_misuse(struct page *page, unsigned int order)
{
	EXPECT_PANIC(__free_pages(page, order), "it is free");
	EXPECT_PANIC(__free_pages(page, 0), "it is free");
	EXPECT_PANIC(__free_pages(page + 1, 0), "it is free");
	EXPECT_PANIC(put_page(page), "it is free");
	EXPECT_PANIC(get_page(page), "is not that of an allocation");
	EXPECT_PANIC(split_page(page, order), "it is free");
}

static void a_cached_run_is_not_freed_again(void **state)
{
	(void)state;
	for_each_run_order(order) {
		struct page *page;

		BOOT(two_zones);
		page = allocate(GFP_KERNEL, order);
		__free_pages(page, order);
		refuse_all_misuse(page, order);
	}
}

/* Two runs that overlap are found where they meet: in one word of the bits, or in the bits. */
static void overlapping_runs_are_found(void **state)
{
	struct page *page;

	(void)state;
	BOOT(two_zones);
	page = allocate(GFP_KERNEL, 3);
	__free_pages(page, 3);
	page[4].state = state_allocated(ZONE_NORMAL, 2);
	normal(2)->limit = 1; /* beyond it a run goes back to the bits, with a check */
	__free_pages(page + 4, 2);
	assert_int_not_equal(mm_check(), 0);
	EXPECT_PANIC(drain_caches(), "is free already");
}

/* ---- whom cached runs serve ---- */

/* A request of any order that may wait gets what the caches of other orders and CPUs have. */
static void nothing_fails_while_a_cache_has_it(void **state)
{
	(void)state;
	BOOT(plain_128m);
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		for_each_zone(z)
			for_each_cache_order(order) {
				cache_at(cpu, z->id, order)->limit = 4;
				cache_at(cpu, z->id, order)->out_limit = 1;
			}
	for (unsigned int order = CACHE_ORDERS - 1; order; order--) {
		struct page *run = allocate(__GFP_HIGH, order), *page, *list = NULL;

		while ((page = alloc_page(__GFP_HIGH))) {
			set_page_private(page, (unsigned long)list);
			list = page;
		}
		assert_int_equal(nr_free_pages(), 0);
		sim_nr_cpus = 2;
		sim_cpu = 1;
		__free_pages(run, order);
		sim_cpu = 0;
		assert_int_equal(nr_free_pages(), 1ull << order);
		for (unsigned int n = 0; n < 1u << order; n++)
			assert_non_null(page = alloc_page(__GFP_HIGH));
		assert_null(alloc_page(__GFP_HIGH));
		for (unsigned int n = 0; n < 1u << order; n++)
			__free_page(run + n);
		assert_int_equal(page_to_pfn(allocate(__GFP_HIGH, order)), page_to_pfn(run));
		sim_nr_cpus = 1;
		__free_pages(run, order);
		while ((page = list)) {
			list = (struct page *)page_private(page);
			__free_page(page);
		}
		assert_int_equal(mm_check(), 0);
	}
}

/* Allocates single frames until there is none. Returns them, linked by page_private(). */
static struct page *take_all(gfp_t gfp)
{
	struct page *list = NULL, *page;

	while ((page = alloc_page(gfp))) {
		set_page_private(page, (unsigned long)list);
		list = page;
	}
	return list;
}

/* What is in the caches of a higher zone does not help a request for zone DMA, and stays there. */
static void a_failing_request_drains_no_higher_zone(void **state)
{
	uint64_t cached;

	(void)state;
	BOOT(two_zones);
	for_each_cache_order(order)
		__free_pages(allocate(GFP_KERNEL, order), order);
	cached = cache_frames(node_zone(0, ZONE_NORMAL));
	assert_true(cached >= 1 << BLOCK_ORDER);
	take_all(GFP_DMA | __GFP_HIGH);
	assert_null(alloc_page(GFP_DMA | __GFP_HIGH));
	assert_null(alloc_pages(GFP_DMA | __GFP_HIGH, 1));
	assert_int_equal(cache_frames(node_zone(0, ZONE_NORMAL)), cached);
	assert_int_equal(mm_check(), 0);
}

/* A request that only the cache can serve returns no more of it to the bits than it needs. */
static void a_failing_request_drains_what_it_needs(void **state)
{
	struct frame_cache *cache = cache_at(0, ZONE_DMA32, 0);
	struct page *list, *page;
	uint64_t cached;

	(void)state;
	BOOT(plain_128m);
	list = take_all(__GFP_HIGH);
	while (page_zonenum(list) != ZONE_DMA32)
		list = (struct page *)page_private(list);
	page = pfn_to_page(page_to_pfn(list) & ~(BLOCK_FRAMES - 1));
	cache->keep_below = (const struct page *)UINTPTR_MAX;
	for (unsigned int i = 0; i < 20; i++) { /* each in a word of its own */
		__free_page(page - 64 * (size_t)i);
		__free_page(page - 64 * (size_t)i + 1);
	}
	cached = cache_frames(node_zone(0, ZONE_DMA32));
	assert_int_equal(cached, 40);
	assert_non_null(alloc_pages(__GFP_HIGH, 1));
	assert_in_range(cache_frames(node_zone(0, ZONE_DMA32)), 40 - 2 * 8, 38);
	assert_int_equal(mm_check(), 0);
}

/* Not even a hold of the lock is necessary for a frame that is to leave the cache. */
static void a_frame_beyond_the_kept_ones_serves_at_last(void **state)
{
	struct frame_cache *cache = cache_at(0, ZONE_DMA32, 0);
	unsigned long holds;
	struct page *page;

	(void)state;
	BOOT(plain_128m);
	page = take_all(__GFP_HIGH);
	while (page && page_zonenum(page) != ZONE_DMA32)
		page = (struct page *)page_private(page);
	assert_non_null(page);
	cache->keep_below = NULL;
	__free_page(page);
	assert_int_equal(cache->nr_out, 1);
	holds = sim_holds;
	assert_ptr_equal(alloc_page(GFP_ATOMIC), page);
	assert_int_equal(sim_holds, holds);
	assert_int_equal(page_state(page_to_pfn(page)), PAGE_ALLOCATED);
	assert_null(alloc_page(GFP_ATOMIC));
	assert_int_equal(mm_check(), 0);
}

/* ---- how much one call does ---- */

/* Allocates a block of zone DMA32 and splits it. */
static struct page *split_block(void)
{
	struct page *block = alloc_pages(GFP_DMA32, BLOCK_ORDER);

	assert_non_null(block);
	assert_int_equal(page_zonenum(block), ZONE_DMA32);
	split_page(block, BLOCK_ORDER);
	return block;
}

/* A frame that completes a block costs as much as many others, so a drain ends with a few. */
static void a_drain_completes_few_blocks(void **state)
{
	enum { LIMIT = 8 };
	struct frame_cache *cache = cache_at(0, ZONE_DMA32, 0);
	struct page *blocks[LIMIT + 1];

	(void)state;
	BOOT(plain_128m);
	for (unsigned int i = 0; i <= LIMIT; i++)
		blocks[i] = split_block();
	for (unsigned int i = 0; i <= LIMIT; i++)
		free_contig_range(page_to_pfn(blocks[i]) + 1, BLOCK_FRAMES - 1);
	drain_caches();
	cache->limit = LIMIT;
	cache->keep_below = (const struct page *)UINTPTR_MAX;
	for (unsigned int i = 0; i <= LIMIT; i++)
		__free_page(blocks[i]);
	assert_in_range(cache->count, LIMIT - 2, LIMIT); /* without the end it would be 1 */
	assert_int_equal(mm_check(), 0);
}

/* Frees eight frames of the first nr blocks, in words of their own. Returns what a refill brings.
 */
static uint64_t refilled(unsigned int nr)
{
	enum { WORDS = 8 };
	struct frame_cache *cache = cache_at(0, ZONE_DMA32, 0);
	struct page *blocks[WORDS];

	BOOT(plain_128m);
	for (unsigned int i = 0; i < WORDS; i++)
		blocks[i] = split_block();
	take_all(__GFP_HIGH);
	for (unsigned int i = 0; i < WORDS; i++)
		__free_page(blocks[i % nr] + 64 * (size_t)i);
	drain_caches();
	assert_non_null(alloc_page(GFP_ATOMIC));
	assert_int_equal(mm_check(), 0);
	return cache->count + 1;
}

/* A block that a refill empties costs as much as several words, so few of these end it. */
static void a_refill_empties_few_blocks(void **state)
{
	(void)state;
	assert_int_equal(refilled(1), 8);
	assert_in_range(refilled(8), 1, 5);
}

static void a_range_with_cached_runs_is_free(void **state)
{
	(void)state;
	BOOT(two_zones);
	for_each_run_order(order) {
		struct page *page = allocate(GFP_KERNEL, order);
		pfn_t pfn = page_to_pfn(page);

		__free_pages(page, order);
		assert_int_equal(
		    alloc_contig_range(pfn, pfn + (1u << order), MIGRATE_MOVABLE, GFP_KERNEL), 0);
		assert_int_equal(mm_check(), 0);
		free_contig_range(pfn, 1ul << order);
	}
}

/* ---- where runs come from ---- */

/* A run that is freed above those that the last refill brought is not the next to be used. */
static void lower_runs_come_before_the_one_freed_last(void **state)
{
	(void)state;
	for (unsigned int order = 1; order < BLOCK_ORDER; order++) {
		struct page *high, *page, *low;
		struct frame_cache *cache = normal(order);

		BOOT(two_zones);
		low = allocate_below(5 * GIB >> PAGE_SHIFT, order);
		for (high = low; high < low + 8 * BLOCK_FRAMES;)
			high = allocate(GFP_KERNEL, order);
		__free_pages(low, order);
		drain_caches();
		page = allocate(GFP_KERNEL, order);
		assert_ptr_equal(page, low);
		while (cache->count)
			allocate(GFP_KERNEL, order);
		cache->keep_below = low + BLOCK_FRAMES;
		__free_pages(high, order);
		assert_int_equal(cache->nr_out, 1);
		assert_int_equal(cache->count, 0);
		assert_ptr_not_equal(allocate(GFP_KERNEL, order), high);
		assert_int_equal(mm_check(), 0);
	}
}

/* ---- limits ---- */

/* All caches of all CPUs together hold at most 1/64 of a zone; order 9 has the fewest runs. */
static void caches_hold_a_64th_of_a_zone(void **state)
{
	static const struct piece huge[] = { { 0, 0x9f000, 1 },
					     { MIB, 2 * GIB, 1 },
					     { 4 * GIB, 64 * GIB, 1 } };

	(void)state;
	for (sim_nr_cpus = 1; sim_nr_cpus <= MM_MAX_CPUS; sim_nr_cpus++) {
		BOOT(huge);
		for_each_zone(z) {
			uint64_t frames = 0;

			for_each_cache_order(order) {
				struct frame_cache *cache = cache_at(0, z->id, order);

				frames += (cache->limit + cache->out_limit) << order;
				assert_true(cache->limit >= cache_at(0, z->id, 9)->limit);
			}
			assert_true(frames * sim_nr_cpus <= z->managed / 64);
		}
		assert_in_range(normal(9)->limit, 2, RUNS_MAX);
	}
	sim_nr_cpus = 1;
	BOOT(huge);
	assert_int_equal(normal(9)->limit, RUNS_MAX);
	assert_int_equal(normal(9)->out_limit, RUNS_OUT);
	assert_int_equal(cache_at(0, ZONE_DMA, 1)->limit, 0); /* 16 MiB have no room for runs */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hot_pair_takes_no_lock),
		cmocka_unit_test(put_page_takes_no_lock),
		cmocka_unit_test(runs_come_and_go_in_batches),
		cmocka_unit_test(a_drain_ends_inside_a_word),
		cmocka_unit_test(a_small_cache_keeps_no_higher_block),
		cmocka_unit_test(a_busy_cache_is_left_alone),
		cmocka_unit_test(a_cached_run_is_free),
		cmocka_unit_test(a_cached_run_is_not_freed_again),
		cmocka_unit_test(overlapping_runs_are_found),
		cmocka_unit_test(nothing_fails_while_a_cache_has_it),
		cmocka_unit_test(a_failing_request_drains_no_higher_zone),
		cmocka_unit_test(a_failing_request_drains_what_it_needs),
		cmocka_unit_test(a_frame_beyond_the_kept_ones_serves_at_last),
		cmocka_unit_test(a_drain_completes_few_blocks),
		cmocka_unit_test(a_refill_empties_few_blocks),
		cmocka_unit_test(a_range_with_cached_runs_is_free),
		cmocka_unit_test(lower_runs_come_before_the_one_freed_last),
		cmocka_unit_test(caches_hold_a_64th_of_a_zone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
