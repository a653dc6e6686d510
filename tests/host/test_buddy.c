/*
 * test_buddy.c: tests what the allocator's headers promise, and mm/bitmap.h's functions.
 *
 * Each test boots a simulated machine whose RAM and descriptors are full of garbage that looks
 * valid, as after a warm reset.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mm/cache.h"
#include "mm/check.h"
#include "mm/memblock.h"
#include "mm/page_state.h"
#include "mm/shelf.h"
#include "tests/host/sim/expect_panic.h"
#include "tests/host/sim/pieces.h"
#include "tests/host/sim/sim.h"

static uint64_t total_free(void)
{
	uint64_t sum = 0;

	for_each_zone(z)
		sum += zone_nr_free_pages(z);
	return sum;
}

/*
 * Returns a random number less than limit, from a linear congruential generator with Knuth's MMIX
 * constants: the same seed gives the same run.
 */
static uint64_t seed;
static uint32_t below(uint32_t limit)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((seed >> 33) % limit);
}

/* mem_map */

/*
 * Returns the size of the descriptors of all blocks in which at least one descriptor is no longer
 * the garbage that it was before the boot.
 */
static uint64_t descriptors_written(void)
{
	struct memblock_region *r;
	uint64_t blocks = 0;
	pfn_t done = 0;

	for_each_mem_region(r) {
		pfn_t block = PHYS_PFN(r->base) & ~(BLOCK_FRAMES - 1);

		for (block = block > done ? block : done; block < PFN_UP(r->base + r->size);
		     block += BLOCK_FRAMES) {
			bool written = false;

			for (pfn_t i = 0; i < BLOCK_FRAMES; i++)
				written |=
				    page_private(pfn_to_page(block + i)) != 0x5a5a5a5a5a5a5a5aul;
			blocks += written;
			done = block + BLOCK_FRAMES;
		}
	}
	return blocks * BLOCK_FRAMES * sizeof(struct page);
}

static void mem_map_is_touched_as_it_is_allocated(void **state)
{
	enum { BLOCKS = 10, FRAMES = BLOCKS * 512 };
	const uint64_t block = BLOCK_FRAMES * sizeof(struct page);
	static struct page *held[FRAMES];
	uint64_t before, after;
	struct page *blocks;

	(void)state;
	BOOT(plain_128m);
	before = mem_map_touched();
	assert_int_equal(before, descriptors_written());
	blocks = alloc_pages(GFP_KERNEL, BLOCK_ORDER + 2);
	assert_int_equal(mem_map_touched(), before);
	assert_int_equal(before, descriptors_written());

	for (unsigned int i = 0; i < FRAMES; i++)
		assert_non_null(held[i] = alloc_page(GFP_KERNEL));
	after = mem_map_touched();
	assert_int_equal(after, descriptors_written());
	/* The frames may use blocks that were open before, and a batch may have opened one more. */
	assert_in_range(after, BLOCKS * block, before + (BLOCKS + 2) * block);

	for (unsigned int i = 0; i < FRAMES; i++)
		__free_page(held[i]);
	for (unsigned int i = 0; i < FRAMES; i++)
		assert_non_null(held[i] = alloc_page(GFP_KERNEL));
	assert_int_equal(mem_map_touched(), after);
	for (unsigned int i = 0; i < FRAMES; i++)
		__free_page(held[i]);
	__free_pages(blocks, BLOCK_ORDER + 2);
}

/*
 * However much RAM there is, the boot and a first page write the descriptors of partly usable
 * blocks and of the one block from which the page comes.
 */
static void set_up_touches_no_more_for_more_ram(void **state)
{
	static const struct piece plain_1g[] = { { 0, 0x9fc00, 1 }, { MIB, GIB - MIB, 1 } };
	static const struct piece plain_1000g[] = { { 0, 0x9fc00, 1 },
						    { MIB, 3 * GIB - MIB, 1 },
						    { 4 * GIB, 997 * GIB, 1 } };
	const struct sim_options options = { .pdpe1gb = true, .kernel_size = 0x60000 };
	const uint64_t block = BLOCK_FRAMES * sizeof(struct page);

	(void)state;
	BOOT_WITH(plain_1g, &options);
	assert_non_null(alloc_page(GFP_KERNEL));
	assert_in_range(mem_map_touched(), block, 6 * block);
	BOOT_WITH(plain_1000g, &options);
	assert_non_null(alloc_page(GFP_KERNEL));
	assert_in_range(mem_map_touched(), block, 8 * block);
}

/* Bitmaps */

static unsigned int naive_find(const struct bitmap *bitmap, unsigned int k)
{
	for (unsigned int child = 0; child < BITMAP_BITS; child += 1u << k) {
		unsigned int n = 0;

		while (n < 1u << k && bitmap_test(bitmap, child + n))
			n++;
		if (n == 1u << k)
			return child;
	}
	return BITMAP_NONE;
}

static unsigned int naive_last(const struct bitmap *bitmap)
{
	unsigned int child = BITMAP_BITS;

	while (child--)
		if (bitmap_test(bitmap, child))
			return child;
	return BITMAP_NONE;
}

static unsigned int naive_order(const struct bitmap *bitmap, unsigned int child)
{
	unsigned int best = 0;

	for (unsigned int k = 1; k <= BITMAP_SHIFT; k++) {
		unsigned int first = child & ~((1u << k) - 1);

		for (unsigned int n = 0; n < 1u << k; n++)
			if (!bitmap_test(bitmap, first + n))
				return best;
		best = k;
	}
	return best;
}

static void bitmap_functions_agree_with_naive_ones(void **state)
{
	(void)state;
	assert_int_equal(bitmap_word_run_order(~0ull), 6);
	assert_int_equal(bitmap_word_run_order(~0ull >> 1), 5);
	assert_int_equal(bitmap_word_run_order(1), 0);
	seed = 1;
	for (int round = 0; round < 4000; round++) {
		struct bitmap bitmap;
		unsigned int k = below(BITMAP_SHIFT + 1),
			     child = below(BITMAP_BITS) & ~((1u << k) - 1);
		bool any = false;

		bitmap_fill(&bitmap, 0);
		/* The bitmaps are nearly empty, nearly full, or between, and have runs. */
		for (uint32_t i = below(200); i > 0; i--) {
			unsigned int size = below(8);

			bitmap_set_run(&bitmap, below(BITMAP_BITS) & ~((1u << size) - 1), size);
		}
		for (unsigned int order = 0; order <= BITMAP_SHIFT; order++)
			assert_int_equal(bitmap_find_run(&bitmap, order),
					 naive_find(&bitmap, order));
		assert_int_equal(bitmap_last(&bitmap), naive_last(&bitmap));
		for (unsigned int n = 0; n < 1u << k; n++)
			any |= bitmap_test(&bitmap, child + n);
		assert_int_equal(bitmap_any_run(&bitmap, child, k), any);
		bitmap_set_run(&bitmap, child, k);
		assert_int_equal(bitmap_run_order(&bitmap, child), naive_order(&bitmap, child));
		bitmap_clear_run(&bitmap, child, k);
		assert_false(bitmap_any_run(&bitmap, child, k));
	}
}

/* The API */

static void exhaustion_returns_null_and_changes_nothing(void **state)
{
	struct page *list = NULL, *page;
	uint64_t all;

	(void)state;
	BOOT(plain_16m);
	all = total_free();
	while ((page = alloc_page(GFP_KERNEL))) {
		set_page_private(page, (unsigned long)list);
		list = page;
	}
	assert_int_equal(total_free(), 0);
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER + 1; order++)
		assert_null(alloc_pages(GFP_ATOMIC, order));
	assert_int_equal(get_free_pages(GFP_DMA, 0), 0);
	assert_int_equal(mm_check(), 0);
	for (; list; list = page) {
		page = (struct page *)page_private(list);
		__free_page(list);
	}
	assert_int_equal(total_free(), all);
	assert_int_equal(mm_check(), 0);
}

static void lowest_address_comes_first(void **state)
{
	struct page *a, *b, *c;

	(void)state;
	BOOT(plain_16m);
	a = alloc_page(GFP_KERNEL);
	b = alloc_page(GFP_KERNEL);
	c = alloc_page(GFP_KERNEL);
	assert_true(a < b && b < c);
	__free_page(a);
	assert_ptr_equal(alloc_page(GFP_KERNEL), a);
	assert_int_equal(page_to_pfn(b), page_to_pfn(a) + 1);
}

static void zones_fall_back_and_keep_a_reserve(void **state)
{
	uint64_t reserve;
	unsigned int n = 0;
	struct page *page;

	(void)state;
	BOOT(plain_128m);
	reserve = node_zone(0, ZONE_DMA)->lowmem_reserve[ZONE_DMA32];
	assert_int_equal(reserve, node_zone(0, ZONE_DMA32)->managed / 256);
	page = alloc_page(GFP_KERNEL);
	assert_int_equal(page_zonenum(page), ZONE_DMA32);
	assert_true(page_to_pfn(alloc_page(GFP_DMA)) < 4096);
	while ((page = alloc_page(GFP_KERNEL)) && page_zonenum(page) == ZONE_DMA32)
		;
	assert_int_equal(page_zonenum(page), ZONE_DMA);
	assert_int_equal(node_zone(0, ZONE_DMA32)->nr_free, 0);
	while (alloc_page(GFP_KERNEL))
		;
	assert_int_equal(node_zone(0, ZONE_DMA)->nr_free,
			 node_zone(0, ZONE_DMA)->lowmem_reserve[ZONE_NORMAL]);
	while (alloc_page(GFP_DMA))
		n++;
	assert_int_equal(n, node_zone(0, ZONE_DMA)->lowmem_reserve[ZONE_NORMAL]);
}

/* The limit of a frame cache of single frames: a large zone's is the most that it has room for. */
static void caches_hold_a_256th_of_a_zone(void **state)
{
	(void)state;
	BOOT(islands_6g);
	for (unsigned int cpu = 0; cpu < MM_MAX_CPUS; cpu++) {
		for_each_zone(z)
			assert_in_range(cache_at(cpu, z->id, 0)->limit, 1, z->managed / 256);
		assert_int_equal(cache_at(cpu, ZONE_NORMAL, 0)->limit, CACHE_MAX);
	}
	assert_in_range(cache_at(0, ZONE_DMA, 0)->limit, 1, CACHE_MAX - 1);
}

static void zero_clears_all_of_it(void **state)
{
	struct page *page;
	const char *bytes;

	(void)state;
	BOOT(plain_16m);
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 3);
	bytes = page_address(page);
	for (size_t i = 0; i < 8 * PAGE_SIZE; i++)
		assert_int_equal(bytes[i], 0);
	memset(page_address(page), 0x55, 8 * PAGE_SIZE);
	__free_pages(page, 3);
	assert_int_equal(*(unsigned char *)get_free_pages(GFP_KERNEL, 3), 0x55);
}

static void pages_by_address(void **state)
{
	uint64_t before;
	unsigned long addr;

	(void)state;
	BOOT(plain_16m);
	before = total_free();
	addr = get_free_pages(GFP_KERNEL, 3);
	assert_int_equal(addr % (8 * PAGE_SIZE), (unsigned long)phys_to_virt(0) % (8 * PAGE_SIZE));
	assert_int_equal(page_order(virt_to_page((void *)addr)), 3);
	assert_ptr_equal(virt_to_page((char *)addr + 8 * PAGE_SIZE - 1),
			 virt_to_page((void *)addr) + 7);
	assert_ptr_equal(page_address(virt_to_page((void *)addr)), (void *)addr);
	free_pages(0, 3);
	assert_int_equal(total_free(), before - 8);
	free_pages(addr, 3);
	assert_int_equal(total_free(), before);
}

static void references_keep_a_page(void **state)
{
	struct page *page;
	uint64_t before;

	(void)state;
	BOOT(plain_16m);
	before = total_free();
	page = alloc_pages(GFP_KERNEL, 2);
	get_page(page);
	assert_int_equal(page_count(page), 2);
	__free_pages(page, 2);
	assert_int_equal(page_count(page), 1);
	assert_int_equal(total_free(), before - 4);
	put_page(page);
	assert_int_equal(total_free(), before);
}

static void bulk_fills_the_empty_places(void **state)
{
	struct page *array[10] = { NULL };
	struct page *mine;

	(void)state;
	BOOT(plain_16m);
	mine = alloc_page(GFP_KERNEL);
	array[3] = mine;
	assert_int_equal(alloc_pages_bulk(GFP_KERNEL, 10, array), 10);
	assert_ptr_equal(array[3], mine);
	for (int i = 0; i < 10; i++) {
		for (int j = 0; j < i; j++)
			assert_ptr_not_equal(array[i], array[j]);
		assert_int_equal(page_order(array[i]), 0);
	}
	assert_int_equal(mm_check(), 0);
}

static void split_pages_are_freed_one_by_one(void **state)
{
	static const unsigned int orders[] = { 0, 1, 5, 8, 9, 11, 18 };

	(void)state;
	BOOT(islands_6g);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		uint64_t before = total_free();
		struct page *page = alloc_pages(GFP_KERNEL, orders[i]);

		assert_non_null(page);
		split_page(page, orders[i]);
		assert_int_equal(mm_check(), 0);
		for (pfn_t j = 0; j < 1ull << orders[i]; j++) {
			assert_int_equal(page_order(page + j), 0);
			__free_page(page + j);
		}
		assert_int_equal(total_free(), before);
		assert_int_equal(mm_check(), 0);
	}
}

static void contig_range_takes_just_that(void **state)
{
	uint64_t before;

	(void)state;
	BOOT(islands_6g);
	before = total_free();
	assert_int_equal(alloc_contig_range(8000, 12345, MIGRATE_MOVABLE, GFP_KERNEL), 0);
	assert_int_equal(total_free(), before - 4345);
	assert_int_equal(mm_check(), 0);
	assert_int_equal(page_state(7999), PAGE_FREE);
	assert_int_equal(page_state(8000), PAGE_ALLOCATED);
	assert_int_equal(page_state(12344), PAGE_ALLOCATED);
	assert_int_equal(page_state(12345), PAGE_FREE);
	assert_int_equal(alloc_contig_range(12344, 12350, MIGRATE_MOVABLE, 0), -16);
	assert_int_equal(alloc_contig_range(4000, 4200, MIGRATE_MOVABLE, 0), -22);
	assert_int_equal(alloc_contig_range(5000, 5000, MIGRATE_MOVABLE, 0), -22);
	free_contig_range(8000, 4345);
	assert_int_equal(total_free(), before);
	assert_int_equal(mm_check(), 0);
	/* A whole gib, and one of its frames. */
	assert_int_equal(alloc_contig_range(0x1c0000, 0x1c0001, MIGRATE_MOVABLE, 0), 0);
	assert_int_equal(mm_check(), 0);
	assert_int_equal(alloc_contig_range(0x1c0001, 0x1d0000, MIGRATE_MOVABLE, 0), 0);
	assert_int_equal(mm_check(), 0);
	free_contig_range(0x1c0000, 0x10000);
	assert_int_equal(mm_check(), 0);
	assert_int_equal(total_free(), before);
}

static void contig_range_is_cleared_if_asked(void **state)
{
	unsigned char *bytes = NULL;

	(void)state;
	BOOT(plain_16m);
	for (unsigned int i = 0; i < 2; i++) {
		static const gfp_t gfp[] = { GFP_KERNEL, __GFP_ZERO };
		static const unsigned char expected[] = { 0xa5, 0 };

		assert_int_equal(alloc_contig_range(1500, 1503, MIGRATE_MOVABLE, gfp[i]), 0);
		bytes = page_address(pfn_to_page(1500));
		assert_int_equal(bytes[0], expected[i]);
		assert_int_equal(bytes[3 * PAGE_SIZE - 1], expected[i]);
		free_contig_range(1500, 3);
	}
	assert_int_equal(bytes[-1], 0xa5);
	assert_int_equal(bytes[3 * PAGE_SIZE], 0xa5);
}

static void contig_range_refuses_what_nobody_can_have(void **state)
{
	uint64_t before;

	(void)state;
	BOOT(holes_64m);
	before = total_free();
	assert_int_equal(alloc_contig_range(0, 4, MIGRATE_MOVABLE, 0), -16);
	assert_int_equal(alloc_contig_range(0x6600, 0x6604, MIGRATE_MOVABLE, 0), -16);
	assert_int_equal(alloc_contig_range(0x200000, 0x200001, MIGRATE_MOVABLE, 0), -16);
	assert_int_equal(alloc_contig_range(MM_MAX_PFN, MM_MAX_PFN + 1, MIGRATE_MOVABLE, 0), -22);
	assert_int_equal(total_free(), before);
	assert_int_equal(mm_check(), 0);
}

/*
 * page_state() and page_head() ask the bits what a frame is: a descriptor that was overwritten does
 * not make its frame a head.
 */
static void page_state_believes_no_stray_descriptor(void **state)
{
	struct page *page, *blocks;

	(void)state;
	BOOT(plain_16m);
	assert_int_equal(page_state(MM_MAX_PFN), PAGE_ABSENT);
	assert_null(page_head(MM_MAX_PFN));
	page = alloc_pages(GFP_KERNEL, 2);
	blocks = alloc_pages(GFP_KERNEL, 10);
	assert_ptr_equal(page_head(page_to_pfn(page) + 3), page);
	assert_ptr_equal(page_head(page_to_pfn(blocks) + 1023), blocks);
	page->cookie ^= 1;
	blocks->cookie ^= 1;
	assert_null(page_head(page_to_pfn(page) + 3));
	assert_null(page_head(page_to_pfn(blocks) + 1023));
	assert_int_equal(page_state(page_to_pfn(page)), PAGE_RESERVED);
}

static void take_everything(void)
{
	for (unsigned int order = NR_ORDERS; order-- > 0;)
		while (alloc_pages(__GFP_HIGH, order))
			;
	assert_int_equal(total_free(), 0);
}

/* The last bitmap that became full stays open (B5), at both levels. */
static void the_last_open_bitmap_is_kept(void **state)
{
	struct zone *z;
	uint64_t counts[NR_ORDERS];
	struct page *page;

	(void)state;
	BOOT(islands_6g);
	z = node_zone(0, ZONE_NORMAL);
	page = alloc_pages(GFP_KERNEL, GIB_ORDER);
	assert_non_null(page);
	take_everything();
	split_page(page, GIB_ORDER);
	free_contig_range(page_to_pfn(page), BLOCK_FRAMES);
	drain_caches();
	assert_int_equal(z->idle[0], page_to_pfn(page));
	assert_int_equal(mm_check(), 0);
	zone_free_blocks(z, counts);
	for (unsigned int order = 0; order < NR_ORDERS; order++)
		assert_int_equal(counts[order], order == BLOCK_ORDER);
	free_contig_range(page_to_pfn(page) + BLOCK_FRAMES, GIB_FRAMES - BLOCK_FRAMES);
	drain_caches();
	/*
	 * The upper half comes first: the lower one holds the open block, which is closed only when
	 * a search finds nothing else.
	 */
	assert_ptr_equal(alloc_pages(GFP_KERNEL, GIB_ORDER - 1), page + GIB_FRAMES / 2);
	assert_ptr_equal(alloc_pages(GFP_KERNEL, GIB_ORDER - 1), page);
	assert_int_equal(z->idle[1], PFN_NONE);
	__free_pages(page, GIB_ORDER - 1);
	__free_pages(page + GIB_FRAMES / 2, GIB_ORDER - 1);
	assert_int_equal(z->idle[1], page_to_pfn(page));
	assert_int_equal(mm_check(), 0);
	assert_ptr_equal(alloc_pages(GFP_KERNEL, GIB_ORDER), page);
	assert_int_equal(mm_check(), 0);
}

/* Large orders find the block whose bitmap became full and stays open. */
static void large_orders_find_the_idle_bitmap(void **state)
{
	struct page *small, *large;

	(void)state;
	BOOT(plain_16m);
	large = alloc_pages(GFP_KERNEL, 9);
	take_everything();
	__free_pages(large, 9);
	small = alloc_page(GFP_KERNEL);
	__free_page(small);
	assert_int_equal(mm_check(), 0);
	drain_caches();
	assert_true(bitmap_test(&gib_at(node_zone(0, ZONE_DMA), 0)->open,
				(unsigned int)(page_to_pfn(large) / BLOCK_FRAMES)));
	assert_int_equal(mm_check(), 0);
	assert_ptr_equal(alloc_pages(GFP_KERNEL, 9), large);
	assert_int_equal(mm_check(), 0);
}

static int descending(const void *a, const void *b)
{
	const struct page *const *first = a, *const *second = b;

	return *first < *second ? 1 : -1;
}

/*
 * There are more stale bounds than one hold of the lock may lower, and no free run of the order:
 * the call must return.
 */
static void many_stale_bounds_do_not_hide_memory(void **state)
{
	static struct page *held[64 * 64];
	unsigned int n = 0;
	struct page *page;

	(void)state;
	BOOT(plain_128m);
	sim_limit_caches(64, 0);
	while (n < 64 * 64 && (page = alloc_pages(__GFP_HIGH, 3)))
		held[n++] = page;
	while (alloc_pages(__GFP_HIGH, 9))
		;
	while (alloc_pages(__GFP_HIGH, 3))
		;
	while (alloc_page(__GFP_HIGH))
		;
	/* Each block gets a free run of order 3, which is broken before the next one is freed. */
	qsort(held, n, sizeof(struct page *), descending);
	for (unsigned int i = 0; i < n; i++)
		if (page_zonenum(held[i]) == ZONE_DMA32 && page_to_pfn(held[i]) % 512 < 8) {
			__free_pages(held[i], 3);
			assert_non_null(alloc_pages(__GFP_HIGH, 2));
		}
	assert_null(alloc_pages(__GFP_HIGH, 3));
	assert_int_equal(mm_check(), 0);
}

/*
 * There are more stale bounds than one search lowers, and behind them the only free block, whose
 * bitmap is kept open. The search must find it.
 */
static void many_stale_bounds_do_not_hide_the_idle_bitmap(void **state)
{
	enum { STALE = 30 };
	static struct page *blocks[64];
	struct page *top;
	unsigned int n = 0;

	(void)state;
	BOOT(plain_128m);
	while (n < 64 && (blocks[n] = alloc_pages(GFP_DMA32, BLOCK_ORDER)) &&
	       page_zonenum(blocks[n]) == ZONE_DMA32)
		n++;
	assert_true(n > STALE);
	top = blocks[n - 1];
	for (unsigned int i = 0; i < STALE; i++)
		split_page(blocks[i], BLOCK_ORDER);
	take_everything();
	for (unsigned int i = STALE; i-- > 0;) {
		free_contig_range(page_to_pfn(blocks[i]), 8);
		drain_caches();
		assert_ptr_equal(alloc_pages(GFP_DMA32, 2), blocks[i]);
	}
	split_page(top, BLOCK_ORDER);
	free_contig_range(page_to_pfn(top), BLOCK_FRAMES);
	drain_caches();
	assert_int_equal(node_zone(0, ZONE_DMA32)->idle[0], page_to_pfn(top));
	assert_ptr_equal(alloc_pages(GFP_DMA32, 3), top);
	assert_int_equal(mm_check(), 0);
}

static void late_free_hands_over_reserved_frames(void **state)
{
	struct piece map[] = { { 0, 0x9fc00, 1 }, { MIB, 31 * MIB, 1 } };
	uint64_t before;

	(void)state;
	BOOT(map);
	before = total_free();
	assert_int_equal(page_state(0x200), PAGE_RESERVED);
	memblock_free_late(0x200000, 0x60000);
	assert_int_equal(total_free(), before + 0x60);
	assert_int_equal(page_state(0x200), PAGE_FREE);
	assert_int_equal(mm_check(), 0);
}

/* Misuse */

static void misuse_panics_and_names_the_frame(void **state)
{
	struct page *page, *inner;

	(void)state;
	BOOT(plain_128m);
	page = alloc_pages(GFP_KERNEL, 4);
	inner = page + 3;
	EXPECT_PANIC(__free_pages(inner, 0), "inside the allocation");
	EXPECT_PANIC(__free_pages(page, 3), "allocated as order 4");
	EXPECT_PANIC(split_page(page, 3), "allocated as order 4");
	__free_pages(page, 4);
	EXPECT_PANIC(__free_pages(page, 4), "is free");
	EXPECT_PANIC(put_page(page), "is free");
	EXPECT_PANIC(get_page(page), "not that of an allocation");
	EXPECT_PANIC(__free_page(pfn_to_page(0)), "is reserved");
	EXPECT_PANIC(__free_page(pfn_to_page(0x200)), "is reserved");
	EXPECT_PANIC(__free_page(pfn_to_page(0x100000000 >> 12)), "is absent");
	page = alloc_pages(GFP_KERNEL, 10);
	EXPECT_PANIC(__free_page(page + 512), "inside the allocation");
	EXPECT_PANIC(__free_pages(page, 9), "allocated as order 10");
	__free_pages(page, 10);
	EXPECT_PANIC(__free_pages(page, 10), "is free");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bitmap_functions_agree_with_naive_ones),
		cmocka_unit_test(mem_map_is_touched_as_it_is_allocated),
		cmocka_unit_test(set_up_touches_no_more_for_more_ram),
		cmocka_unit_test(exhaustion_returns_null_and_changes_nothing),
		cmocka_unit_test(lowest_address_comes_first),
		cmocka_unit_test(zones_fall_back_and_keep_a_reserve),
		cmocka_unit_test(caches_hold_a_256th_of_a_zone),
		cmocka_unit_test(zero_clears_all_of_it),
		cmocka_unit_test(pages_by_address),
		cmocka_unit_test(references_keep_a_page),
		cmocka_unit_test(bulk_fills_the_empty_places),
		cmocka_unit_test(split_pages_are_freed_one_by_one),
		cmocka_unit_test(contig_range_takes_just_that),
		cmocka_unit_test(contig_range_is_cleared_if_asked),
		cmocka_unit_test(contig_range_refuses_what_nobody_can_have),
		cmocka_unit_test(page_state_believes_no_stray_descriptor),
		cmocka_unit_test(the_last_open_bitmap_is_kept),
		cmocka_unit_test(large_orders_find_the_idle_bitmap),
		cmocka_unit_test(many_stale_bounds_do_not_hide_memory),
		cmocka_unit_test(many_stale_bounds_do_not_hide_the_idle_bitmap),
		cmocka_unit_test(late_free_hands_over_reserved_frames),
		cmocka_unit_test(misuse_panics_and_names_the_frame),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
