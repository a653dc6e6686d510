/*
 * test_page_alloc.c: tests which frames a request of alloc_pages()'s family gets: from which zone,
 * beyond which reserve, in what order, cleared or not; whose misuse it notices; and what the boot
 * leaves for it.
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
#include "mm/memblock.h"
#include "mm/page_state.h"
#include "mm/zone.h"
#include "tests/host/sim/expect_panic.h"
#include "tests/host/sim/pieces.h"
#include "tests/host/sim/sim.h"

/* Memory in all three zones: 15 MiB, 48 MiB and 64 MiB. The upper ones are larger than a cache. */
static const struct piece three_zones[] = {
	{ 0, 0x9f000, 1 },
	{ MIB, 63 * MIB, 1 },
	{ 4 * GIB, 64 * MIB, 1 },
};

/* The same, but the highest zone is too small for frame caches. */
static const struct piece small_top[] = {
	{ 0, 0x9f000, 1 },
	{ MIB, 63 * MIB, 1 },
	{ 4 * GIB, MIB / 2, 1 },
};

/* Frames that tests hold, linked by page_private(). */
static struct page *held;

static void hold(struct page *page)
{
	set_page_private(page, (unsigned long)held);
	held = page;
}

/* Frees the frame that was held before the last one, and returns it. It must be of this zone. */
static struct page *free_last_but_one(unsigned int zone)
{
	struct page *page = (struct page *)page_private(held);

	assert_int_equal(page_zonenum(page), zone);
	set_page_private(held, page_private(page));
	__free_page(page);
	return page;
}

/*
 * Holds all frames that gfp may have in zones above this one, and one frame in it. Single frames
 * come from the frame caches too, so those of the zones above are empty afterwards.
 */
static void exhaust_above(gfp_t gfp, unsigned int zone)
{
	struct page *page;

	do {
		page = alloc_page(gfp);
		assert_non_null(page);
		hold(page);
	} while (page_zonenum(page) > zone);
	assert_int_equal(page_zonenum(page), zone);
}

static void boot(const struct piece *pieces, size_t nr)
{
	const char *wrong = boot_pieces(pieces, nr, &warm);

	held = NULL;
	sim_cpu = 0;
	if (wrong)
		fail_msg("%s", wrong);
}
#define BOOTS(map) boot(map, sizeof(map) / sizeof((map)[0]))

/* ---- what is in the frames ---- */

static bool is_zero(const struct page *page)
{
	const uint64_t *words = page_address(page);

	for (size_t i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		if (words[i])
			return false;
	return true;
}

/* A frame that comes from a frame cache has its last owner's data, unless it is to be cleared. */
static void single_frames_are_cleared(void **state)
{
	static const gfp_t gfps[] = { GFP_KERNEL, GFP_ATOMIC, GFP_DMA32, GFP_DMA };
	enum { FRAMES = 200 }; /* more than one refill of a cache brings */
	struct page *pages[FRAMES];

	(void)state;
	BOOTS(three_zones);
	for (size_t g = 0; g < sizeof(gfps) / sizeof(gfps[0]); g++) {
		for (unsigned int i = 0; i < FRAMES; i++) {
			pages[i] = alloc_page(gfps[g]);
			memset(page_address(pages[i]), 0xa5, PAGE_SIZE);
		}
		for (unsigned int i = 0; i < FRAMES; i++)
			__free_page(pages[i]);
		for (unsigned int i = 0; i < FRAMES; i++) {
			pages[i] = alloc_page(gfps[g] | __GFP_ZERO);
			assert_true(is_zero(pages[i]));
		}
		for (unsigned int i = 0; i < FRAMES; i++)
			__free_page(pages[i]);
	}
	assert_int_equal(mm_check(), 0);
}

/* ---- from which zone ---- */

/* Of two zone flags the lower zone counts. */
static void dma_and_dma32_together_mean_dma(void **state)
{
	(void)state;
	BOOTS(three_zones);
	for (unsigned int order = 0; order <= 9; order++)
		for (unsigned int i = 0; i < 3; i++) {
			struct page *page = alloc_pages(GFP_DMA | GFP_DMA32, order);

			assert_non_null(page);
			assert_int_equal(page_zonenum(page), ZONE_DMA);
			assert_true(page_to_phys(page + (1u << order)) <= 16 * MIB);
		}
}

/*
 * An interrupt handler that finds a zone's frame cache in use may have to go to a lower zone, when
 * the higher one has no other frames. That is no reason for later requests to go there.
 */
static void a_busy_cache_leads_to_no_lower_zone(void **state)
{
	struct frame_cache *cache = cache_at(0, ZONE_DMA32, 0);
	struct page *page;

	(void)state;
	BOOTS(plain_128m);
	exhaust_above(GFP_KERNEL, ZONE_DMA);
	free_last_but_one(ZONE_DMA32);
	drain_caches();
	page = alloc_page(GFP_KERNEL);
	assert_int_equal(page_zonenum(page), ZONE_DMA32);
	__free_page(page); /* the only free frame of DMA32 is in the cache */
	assert_int_equal(node_zone(0, ZONE_DMA32)->nr_free, 0);
	cache->state = CACHE_BUSY;
	assert_int_equal(page_zonenum(alloc_page(GFP_KERNEL)), ZONE_DMA);
	cache->state = node_zone(0, ZONE_DMA32)->state;
	assert_ptr_equal(alloc_page(GFP_KERNEL), page);
	assert_int_equal(mm_check(), 0);
}

/* A zone that has no frame caches serves first all the same. */
static void a_zone_without_caches_is_not_passed_over(void **state)
{
	struct page *page;

	(void)state;
	BOOTS(small_top);
	page = alloc_page(GFP_DMA32);
	assert_int_equal(page_zonenum(page), ZONE_DMA32);
	__free_page(page);
	for (uint64_t left = zone_nr_free_pages(node_zone(0, ZONE_NORMAL)); left; left--)
		assert_int_equal(page_zonenum(alloc_page(GFP_KERNEL)), ZONE_NORMAL);
	assert_int_equal(page_zonenum(alloc_page(GFP_KERNEL)), ZONE_DMA32);
}

/* ---- reserves ---- */

/*
 * A request that may have a zone's reserve takes it from the zone's frame cache as well, before it
 * turns to a lower zone.
 */
static void high_requests_get_the_reserve_in_a_cache(void **state)
{
	struct zone *dma32;
	struct page *page;

	(void)state;
	BOOTS(three_zones);
	dma32 = node_zone(0, ZONE_DMA32);
	exhaust_above(GFP_KERNEL, ZONE_DMA32);
	exhaust_above(GFP_DMA32, ZONE_DMA);
	assert_int_equal(zone_nr_free_pages(dma32), 0);
	page = free_last_but_one(ZONE_DMA32);
	assert_int_equal(dma32->nr_free, 0);
	assert_int_equal(zone_nr_free_pages(dma32), 1);
	assert_ptr_equal(alloc_page(GFP_ATOMIC), page);
	assert_int_equal(mm_check(), 0);
}

/*
 * A request may take what a zone has beyond its reserve. The refill of a CPU's frame cache for it
 * takes no more than that: another CPU finds all of the reserve.
 */
static void a_refill_leaves_the_reserve_to_other_cpus(void **state)
{
	struct zone *dma;
	uint64_t reserve, got = 0;

	(void)state;
	BOOTS(plain_128m);
	dma = node_zone(0, ZONE_DMA);
	reserve = dma->lowmem_reserve[ZONE_NORMAL];
	exhaust_above(GFP_KERNEL, ZONE_DMA);
	drain_caches();
	while (zone_nr_free_pages(dma) > reserve + 2)
		hold(alloc_page(GFP_DMA));
	drain_caches();
	assert_int_equal(dma->nr_free, reserve + 2);
	assert_int_equal(page_zonenum(alloc_page(GFP_KERNEL)), ZONE_DMA);
	sim_cpu = 1;
	while (got < reserve && alloc_page(GFP_DMA | GFP_ATOMIC))
		got++;
	assert_int_equal(got, reserve);
	sim_cpu = 0;
	assert_int_equal(mm_check(), 0);
}

/* A range that leaves no more than the reserve ends what the zone's frame cache may serve. */
static void a_range_withholds_the_reserve_behind_a_cache(void **state)
{
	struct zone *dma;
	const pfn_t start = 1024, end = 4096;
	struct page *first;

	(void)state;
	BOOTS(plain_128m);
	dma = node_zone(0, ZONE_DMA);
	exhaust_above(GFP_KERNEL, ZONE_DMA); /* from now on the cache of DMA serves GFP_KERNEL */
	first = held;
	assert_true(page_to_pfn(first) < start);
	while (zone_nr_free_pages(dma) > end - start + 100)
		hold(alloc_page(GFP_DMA));
	assert_in_range(zone_nr_free_pages(dma) - (end - start), 1,
			dma->lowmem_reserve[ZONE_NORMAL]);
	assert_int_equal(alloc_contig_range(start, end, MIGRATE_MOVABLE, GFP_KERNEL), 0);
	__free_page(held); /* into the cache */
	assert_in_range(zone_nr_free_pages(dma), 2, dma->lowmem_reserve[ZONE_NORMAL]);
	assert_null(alloc_page(GFP_KERNEL));
	assert_non_null(alloc_page(GFP_ATOMIC));
	assert_int_equal(mm_check(), 0);
}

/* ---- in what order ---- */

/*
 * A frame beyond the block that a frame cache was filled from is not used again as long as lower
 * frames are free. So memory packs itself while single frames come and go.
 */
static void lower_frames_come_before_the_one_freed_last(void **state)
{
	enum { FRAMES = 2048, LOW = 600, NR_LOW = 256 };
	static struct page *pages[FRAMES];
	struct page *next, *high;

	(void)state;
	BOOTS(plain_128m);
	for (unsigned int i = 0; i < FRAMES; i++)
		pages[i] = alloc_page(GFP_KERNEL);
	/* The low frames are more than a refill brings, and blocks away from the high one. */
	high = pages[FRAMES - 1];
	assert_true(pages[LOW + NR_LOW - 1] < high - 2 * BLOCK_FRAMES);
	for (unsigned int i = LOW; i < LOW + NR_LOW; i++)
		__free_page(pages[i]);
	drain_caches();
	assert_in_range(alloc_page(GFP_KERNEL), pages[LOW], pages[LOW + NR_LOW - 1]);
	__free_page(high);
	next = alloc_page(GFP_KERNEL);
	assert_in_range(next, pages[LOW], pages[LOW + NR_LOW - 1]);
	/* One that lies in the block is used again at once. */
	__free_page(next);
	assert_ptr_equal(alloc_page(GFP_KERNEL), next);
	drain_caches();
	assert_int_equal(mm_check(), 0);
}

/* ---- how long the lock is held ---- */

static unsigned long holds_of_failing_alloc(unsigned int order)
{
	unsigned long before = sim_holds;

	assert_null(alloc_pages(GFP_ATOMIC, order));
	return sim_holds - before;
}

/*
 * Each stale bound that a search meets is lowered, which costs a search of a bitmap. One hold of
 * the lock lowers at most 16 of them. A second call finds no bound that is left.
 */
static void a_search_lets_go_of_the_lock(void **state)
{
	enum { BLOCKS = 48 };
	static struct page *blocks[BLOCKS];
	unsigned long first, second;

	(void)state;
	BOOTS(plain_128m);
	sim_limit_caches(64, 0);
	for (unsigned int i = 0; i < BLOCKS; i++) {
		blocks[i] = alloc_pages(GFP_DMA32, BLOCK_ORDER);
		assert_int_equal(page_zonenum(blocks[i]), ZONE_DMA32);
		split_page(blocks[i], BLOCK_ORDER);
	}
	for (unsigned int order = NR_ORDERS; order-- > 0;)
		while (alloc_pages(GFP_ATOMIC, order))
			;
	/* Each block gets a free run of order 3, which is broken before the next one is freed. */
	for (unsigned int i = BLOCKS; i-- > 0;) {
		free_contig_range(page_to_pfn(blocks[i]), 8);
		drain_caches();
		assert_ptr_equal(alloc_pages(GFP_ATOMIC, 2), blocks[i]);
	}
	first = holds_of_failing_alloc(3);
	second = holds_of_failing_alloc(3);
	assert_true(first >= second + BLOCKS / 16 - 1);
	assert_int_equal(mm_check(), 0);
}

/* ---- free blocks by order ---- */

/*
 * The block whose bitmap became whole last stays open. It is counted with the free blocks beside
 * it, as part of the largest run.
 */
static void an_idle_block_counts_in_the_largest_run(void **state)
{
	struct zone *z;
	uint64_t counts[NR_ORDERS];
	struct page *run;

	(void)state;
	BOOTS(plain_128m);
	z = node_zone(0, ZONE_DMA32);
	run = alloc_pages(GFP_DMA32, BLOCK_ORDER + 2);
	assert_int_equal(page_zonenum(run), ZONE_DMA32);
	for (unsigned int order = NR_ORDERS; order-- > 0;)
		while (alloc_pages(GFP_ATOMIC, order))
			;
	__free_pages(run, BLOCK_ORDER + 2);
	/* A frame comes and goes: its block is open and whole. */
	__free_page(alloc_page(GFP_DMA32));
	drain_caches();
	zone_free_blocks(z, counts);
	for (unsigned int order = 0; order < NR_ORDERS; order++)
		assert_int_equal(counts[order], order == BLOCK_ORDER + 2);
	assert_int_equal(mm_check(), 0);
}

/* ---- misuse ---- */

static void expect_order_refused(struct page *page, unsigned int order)
{
	EXPECT_PANIC(__free_pages(page, order), "free of frame 0x");
	EXPECT_PANIC(split_page(page, order), "free of frame 0x");
}

/* An order that does not fit its field of the state word would change the zone in it. */
static void no_order_is_taken_for_another(void **state)
{
	static const gfp_t gfps[] = { GFP_KERNEL, GFP_DMA32, GFP_DMA };
	static const unsigned int wrong[] = { 19, 31, 32, 128, 256, 512, 768, 1024, 65536 };

	(void)state;
	BOOTS(three_zones);
	for (size_t g = 0; g < sizeof(gfps) / sizeof(gfps[0]); g++)
		for (unsigned int order = 0; order < 11; order++) {
			struct page *page = alloc_pages(gfps[g], order);

			assert_non_null(page);
			for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
				expect_order_refused(page, wrong[i]);
			assert_int_equal(page_order(page), order);
			__free_pages(page, order);
		}
	assert_int_equal(mm_check(), 0);
}

/* Demands that the frame's descriptor, forged as that of a head of order 18, is not believed. */
static void expect_forgery_found(struct page *page, const char *words)
{
	uint64_t real = page->state;

	page->state = state_allocated(ZONE_NORMAL, GIB_ORDER);
	EXPECT_PANIC(__free_pages(page, GIB_ORDER), words);
	EXPECT_PANIC(put_page(page), words);
	EXPECT_PANIC(split_page(page, GIB_ORDER), words);
	page->state = real;
	assert_int_equal(mm_check(), 0);
}

/* The bits say which gibs are one allocation: a descriptor alone makes none. */
static void a_forged_head_of_order_18_is_found(void **state)
{
	struct page *gib, *half;

	(void)state;
	BOOTS(islands_6g);
	gib = pfn_to_page(7 * (GIB >> PAGE_SHIFT));
	assert_int_equal(page_state(page_to_pfn(gib)), PAGE_FREE);
	expect_forgery_found(gib, "it is free");
	gib = alloc_pages(GFP_KERNEL, GIB_ORDER);
	__free_pages(gib, GIB_ORDER);
	expect_forgery_found(gib, "it is free");
	half = alloc_pages(GFP_KERNEL, GIB_ORDER - 1);
	assert_int_equal(page_to_pfn(half) % GIB_FRAMES, 0);
	expect_forgery_found(half, "free of frame 0x");
	__free_pages(half, GIB_ORDER - 1);
	assert_int_equal(mm_check(), 0);
}

/* ---- what the boot leaves ---- */

/*
 * The gibs of zone DMA do not lie in its own 16 MiB: all blocks are free but the first, in which
 * the BIOS's memory and a hole are.
 */
static void the_boot_leaves_isa_memory_alone(void **state)
{
	const struct sim_options no_kernel = { .dirty = true, .seed = 77 };

	(void)state;
	BOOT_WITH(plain_128m, &no_kernel);
	for (unsigned int block = 1; block < 8; block++)
		assert_int_equal(page_zonenum(alloc_pages(GFP_DMA, BLOCK_ORDER)), ZONE_DMA);
	assert_null(alloc_pages(GFP_DMA, BLOCK_ORDER));
}

static void ram_beyond_the_window_is_refused(void **state)
{
	(void)state;
	sim_reset();
	memblock_add(PFN_PHYS(MM_MAX_PFN) - PAGE_SIZE, PAGE_SIZE + 1);
	EXPECT_PANIC(mem_map_init(), "beyond MM_MAX_PFN");
}

/* mem_map_init() returns the bytes of the descriptors of all blocks that have RAM. */
static void mem_map_init_returns_its_bytes(void **state)
{
	static const struct {
		const struct piece *pieces;
		size_t nr;
		pfn_t end;
	} maps[] = {
		{ plain_16m, 2, 16 * MIB >> PAGE_SHIFT },
		{ holes_64m, 7, 65 * MIB >> PAGE_SHIFT },
		{ islands_6g, 4, 13 * GIB >> PAGE_SHIFT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		uint64_t blocks = 0;

		boot(maps[i].pieces, maps[i].nr);
		for (pfn_t block = 0; block < maps[i].end; block += BLOCK_FRAMES) {
			bool any = false;

			for (pfn_t pfn = block; pfn < block + BLOCK_FRAMES && !any; pfn++)
				any = pfn_valid(pfn);
			blocks += any;
		}
		assert_int_equal(sim_mem_map_bytes, blocks * BLOCK_FRAMES * sizeof(struct page));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_frames_are_cleared),
		cmocka_unit_test(dma_and_dma32_together_mean_dma),
		cmocka_unit_test(a_busy_cache_leads_to_no_lower_zone),
		cmocka_unit_test(a_zone_without_caches_is_not_passed_over),
		cmocka_unit_test(high_requests_get_the_reserve_in_a_cache),
		cmocka_unit_test(a_refill_leaves_the_reserve_to_other_cpus),
		cmocka_unit_test(a_range_withholds_the_reserve_behind_a_cache),
		cmocka_unit_test(lower_frames_come_before_the_one_freed_last),
		cmocka_unit_test(a_search_lets_go_of_the_lock),
		cmocka_unit_test(an_idle_block_counts_in_the_largest_run),
		cmocka_unit_test(no_order_is_taken_for_another),
		cmocka_unit_test(a_forged_head_of_order_18_is_found),
		cmocka_unit_test(the_boot_leaves_isa_memory_alone),
		cmocka_unit_test(ram_beyond_the_window_is_refused),
		cmocka_unit_test(mem_map_init_returns_its_bytes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
