/*
 * test_faults.c: tests what happens when memory runs out: the boot must stop in words or give an
 * allocator that is right, and the allocator must refuse and change nothing.
 *
 *   - memblock is out of room: RAM is so small that the boot stops at every place where it can; or
 *     the n-th request to memblock, or all from the n-th on, are refused (the linker's --wrap);
 *   - the allocator is exhausted, at every call of a script;
 *   - another CPU takes the last frames just before this one takes the lock (attempt.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mm/cache.h"
#include "mm/check.h"
#include "mm/memblock.h"
#include "mm/shelf.h"
#include "tests/host/sim/attempt.h"
#include "tests/host/sim/sim.h"

#define MIB 0x100000ull
#define GIB 0x40000000ull

/* memblock is out of room. */

static void check_type(const struct memblock_type *type)
{
	phys_addr_t sum = 0, end = 0;

	assert_true(type->cnt <= type->max);
	for (unsigned long i = 0; i < type->cnt; i++) {
		const struct memblock_region *r = &type->regions[i];

		assert_true(r->size > 0);
		assert_true(!i || r->base >= end);
		end = r->base + r->size;
		sum += r->size;
	}
	assert_int_equal(sum, type->total_size);
}

/* Returns whether the text of a panic begins by saying for what there was no room. */
static bool names_the_purpose(const char *text)
{
	static const char *const beginnings[] = {
		"no room for a page table", "mem_map_init: no room for the descriptors",
		"zones_init: no room for",  "zone DMA: no room for",
		"zone DMA32: no room for",  "zone Normal: no room for"
	};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
		if (!strncmp(text, beginnings[i], strlen(beginnings[i])))
			return true;
	return false;
}

/* How many boots ended in which way. */
struct outcome {
	unsigned int booted, refused, panicked;
	unsigned int descriptors, gibs, tables; /* panics, by what there was no room for */
};

/* Boots, demands that the boot ends with an allocator that is right or in words, and counts it. */
static void attempt(const struct map *map, const struct sim_options *options, struct outcome *sum)
{
	enum attempt result = try_boot(map, options);

	check_type(&memblock.memory);
	check_type(&memblock.reserved);
	if (result == PANICKED) {
		if (!names_the_purpose(sim_panic_text))
			fail_msg("the panic does not say for what: %s", sim_panic_text);
		sum->panicked++;
		sum->tables += strstr(sim_panic_text, "page table") != NULL;
		sum->descriptors += strstr(sim_panic_text, "mem_map_init") != NULL;
		sum->gibs += strstr(sim_panic_text, "zone") != NULL;
	} else if (result == REFUSED) {
		sum->refused++;
	} else {
		assert_int_equal(mm_check(), 0);
		sum->booted++;
	}
}

/* RAM ends anywhere from the first frame above low memory to where every boot succeeds. */
static void boots_with_little_ram(void **state)
{
	struct sim_options options = attempt_options;
	struct outcome sum = { 0 };

	(void)state;
	for (uint64_t frames = 1; frames < 400; frames++) {
		options.mem_limit = frames * PAGE_SIZE;
		attempt(map_of(16), &options, &sum);
	}
	printf("# 1 to 399 frames of 16 MiB: %u booted, %u refused, %u panics: %u page tables, "
	       "%u mem_map, %u zones\n",
	       sum.booted, sum.refused, sum.panicked, sum.tables, sum.descriptors, sum.gibs);
	assert_true(sum.booted > 0 && sum.tables > 0 && sum.descriptors > 0 && sum.gibs > 0);
}

/*
 * Islands of one frame in many GiBs need descriptors, page tables and gibs, and have no room for
 * them. RAM holds no garbage here: 64 MiB of it for each of the 126 machines would take most of the
 * test's time.
 */
static void boots_with_many_islands(void **state)
{
	struct sim_options options = attempt_options;
	struct outcome sum = { 0 };

	(void)state;
	options.dirty = false;
	for (uint64_t frames = 20; frames < 900; frames += 7) {
		struct map map = { .name = "islands" };

		map_add(&map, MIB, frames * PAGE_SIZE, 1);
		for (uint64_t gib = 1; gib < 100; gib += 1 + gib % 3)
			map_add(&map, gib * GIB + gib * 5 * MIB, PAGE_SIZE, 1);
		attempt(&map, &options, &sum);
	}
	printf("# 20 to 899 frames and islands: %u booted, %u refused, %u panics: %u page tables, "
	       "%u mem_map, %u zones\n",
	       sum.booted, sum.refused, sum.panicked, sum.tables, sum.descriptors, sum.gibs);
	assert_true(sum.booted > 0 && sum.descriptors > 0);
}

/* The linker makes every request to memblock from another file come here: see host.mk. */
static unsigned int request, refuse_from, refuse_to;
static unsigned int nr_anywhere; /* requests for physical memory at any address */

static bool refused(void)
{
	unsigned int n = request++;

	return n >= refuse_from && n < refuse_to;
}

phys_addr_t __real_memblock_alloc_range_nid(phys_addr_t size, phys_addr_t align, phys_addr_t start,
					    phys_addr_t end, int nid, bool exact_nid);
phys_addr_t __wrap_memblock_alloc_range_nid(phys_addr_t size, phys_addr_t align, phys_addr_t start,
					    phys_addr_t end, int nid, bool exact_nid);
void *__real_memblock_alloc_try_nid(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
				    phys_addr_t max_addr, int nid);
void *__wrap_memblock_alloc_try_nid(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
				    phys_addr_t max_addr, int nid);
void *__real_memblock_alloc_try_nid_raw(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
					phys_addr_t max_addr, int nid);
void *__wrap_memblock_alloc_try_nid_raw(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
					phys_addr_t max_addr, int nid);

phys_addr_t __wrap_memblock_alloc_range_nid(phys_addr_t size, phys_addr_t align, phys_addr_t start,
					    phys_addr_t end, int nid, bool exact_nid)
{
	nr_anywhere += !start && end == MEMBLOCK_ALLOC_ACCESSIBLE;
	return refused() ? 0
			 : __real_memblock_alloc_range_nid(size, align, start, end, nid, exact_nid);
}

void *__wrap_memblock_alloc_try_nid(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
				    phys_addr_t max_addr, int nid)
{
	return refused() ? NULL
			 : __real_memblock_alloc_try_nid(size, align, min_addr, max_addr, nid);
}

void *__wrap_memblock_alloc_try_nid_raw(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
					phys_addr_t max_addr, int nid)
{
	return refused() ? NULL
			 : __real_memblock_alloc_try_nid_raw(size, align, min_addr, max_addr, nid);
}

/*
 * The n-th request is refused, alone or with all that follow. When it is refused alone, the boot
 * may find another way.
 */
static void boots_with_requests_refused(void **state)
{
	struct outcome one = { 0 }, all = { 0 };
	struct map map = { .name = "two islands" };
	unsigned int requests;

	(void)state;
	map_add(&map, 0, 0x9fc00, 1);
	map_add(&map, MIB, 700 * MIB, 1);
	map_add(&map, 5 * GIB, GIB + 3 * MIB, 1);
	refuse_to = 0;
	request = 0;
	boot(&map);
	requests = request;
	assert_true(requests > 10);
	for (unsigned int n = 0; n < requests; n++) {
		refuse_from = n;
		refuse_to = n + 1;
		request = 0;
		attempt(&map, &attempt_options, &one);
		refuse_to = ~0u;
		request = 0;
		attempt(&map, &attempt_options, &all);
	}
	refuse_to = 0;
	printf("# %u requests; one refused: %u booted, %u panics; all that follow: %u booted, "
	       "%u panics\n",
	       requests, one.booted, one.panicked, all.booted, all.panicked);
	assert_int_equal(one.booted + one.panicked, requests);
	assert_int_equal(all.panicked, requests);
}

/*
 * 500 islands have no room for their descriptors: all of one frame, or all but one block of one
 * stretch with a few frames in each. A search of all memory looks at each of them, so that there
 * must not be one for each.
 */
static void searches_of_all_memory_are_few(void **state)
{
	struct map islands = { .name = "islands" }, stretch = { .name = "stretch" };

	(void)state;
	map_add(&islands, MIB, 63 * MIB, 1);
	map_add(&stretch, MIB, 7 * MIB, 1);
	for (unsigned int i = 0; i < 500; i++) {
		map_add(&islands, (64 + 4ull * i) * MIB, PAGE_SIZE, 1);
		map_add(&stretch, (8 + 2ull * i) * MIB, 3 * PAGE_SIZE, 1);
	}
	nr_anywhere = 0;
	boot(&islands);
	assert_in_range(nr_anywhere, 1, 20);
	nr_anywhere = 0;
	boot(&stretch);
	assert_in_range(nr_anywhere, 1, 20);
}

/* The allocator is exhausted. */

static struct page *hog; /* all that take_all() took, linked by page_private() */

static void take_all(void)
{
	struct page *page;

	for (unsigned int order = NR_ORDERS; order-- > 0;)
		while ((page = alloc_pages(GFP_ATOMIC, order))) { /* another CPU may be busy */
			set_page_private(page, (unsigned long)hog);
			hog = page;
		}
}

static void give_all(void)
{
	for (struct page *next; hog; hog = next) {
		next = (struct page *)page_private(hog);
		__free_pages(hog, page_order(hog));
	}
}

struct counts {
	uint64_t free[MAX_NR_ZONES];
};

static struct counts count(void)
{
	struct counts counts;

	for (unsigned int i = 0; i < MAX_NR_ZONES; i++)
		counts.free[i] = zone_nr_free_pages(node_zone(0, i));
	return counts;
}

static void same_counts(struct counts before)
{
	struct counts now = count();

	assert_memory_equal(&now, &before, sizeof(now));
	assert_int_equal(mm_check(), 0);
}

static void refused_and_nothing_changed(gfp_t gfp, unsigned int order)
{
	struct counts before = count();
	struct page *array[3] = { NULL };

	assert_null(alloc_pages(gfp, order));
	assert_int_equal(get_free_pages(gfp | __GFP_ZERO, order), 0);
	assert_int_equal(alloc_pages_bulk(gfp, 3, array), 0);
	assert_null(array[0]);
	assert_int_equal(alloc_contig_range(2048, 2049, MIGRATE_MOVABLE, 0), -16);
	assert_null(alloc_pages(gfp, MAX_PAGE_ORDER + 1));
	assert_null(alloc_pages(gfp, ~0u));
	same_counts(before);
}

static void exhausted_at_every_call(void **state)
{
	static const struct {
		gfp_t gfp;
		unsigned int order;
	} script[] = {
		{ 0, 0 }, { 0, 3 },         { GFP_DMA, 0 },    { GFP_ATOMIC, 9 }, { 0, 10 },
		{ 0, 0 }, { GFP_DMA32, 1 }, { GFP_DMA, 8 },    { __GFP_ZERO, 5 }, { 0, 12 },
		{ 0, 0 }, { GFP_DMA, 9 },   { GFP_ATOMIC, 0 }, { 0, 2 },
	};
	enum { CALLS = sizeof(script) / sizeof(script[0]) };

	(void)state;
	boot(map_of(128));
	struct counts before = count();

	for (unsigned int n = 0; n < CALLS; n++) {
		struct page *held[CALLS] = { NULL };

		for (unsigned int i = 0; i < CALLS; i++) {
			if (i == n) {
				take_all();
				refused_and_nothing_changed(script[i].gfp, script[i].order);
				give_all();
				assert_int_equal(mm_check(), 0);
			}
			held[i] = alloc_pages(script[i].gfp, script[i].order);
			assert_non_null(held[i]);
		}
		for (unsigned int i = 0; i < CALLS; i++)
			__free_pages(held[i], script[i].order);
		same_counts(before);
	}
}

/* Requests that may not have a zone's reserve do not get it from the zone's frame cache either. */
static void reserve_is_kept_behind_a_cache(void **state)
{
	struct zone *dma;
	struct page *page;

	(void)state;
	boot(map_of(128));
	dma = node_zone(0, ZONE_DMA);
	assert_true(cache_at(0, ZONE_DMA, 0)->limit > 1);
	while (alloc_page(GFP_KERNEL))
		;
	assert_int_equal(zone_nr_free_pages(dma), dma->lowmem_reserve[ZONE_NORMAL]);
	while ((page = alloc_page(GFP_DMA))) {
		assert_null(alloc_page(GFP_KERNEL));
		/* A frame that is freed belongs to the reserve as well. */
		__free_page(page);
		assert_null(alloc_page(GFP_KERNEL));
		assert_non_null(alloc_page(GFP_DMA));
	}
	assert_int_equal(zone_nr_free_pages(dma), 0);
	boot(map_of(128));
	while (alloc_page(GFP_KERNEL))
		;
	assert_non_null(alloc_page(GFP_ATOMIC));
	assert_null(alloc_page(GFP_KERNEL));
	assert_int_equal(mm_check(), 0);
}

/* Frames in a frame cache are part of the reserve when larger requests have taken all others. */
static void reserve_is_kept_when_the_bits_run_low(void **state)
{
	struct zone *dma;
	struct page *page;

	(void)state;
	boot(map_of(128));
	dma = node_zone(0, ZONE_DMA);
	while ((page = alloc_page(GFP_KERNEL)) && page_zonenum(page) == ZONE_DMA32)
		;
	assert_non_null(page);
	while (dma->nr_free >= 8)
		assert_non_null(alloc_pages(GFP_ATOMIC, 2));
	assert_true(cache_frames(dma) > 0);
	assert_in_range(zone_nr_free_pages(dma), 1, dma->lowmem_reserve[ZONE_NORMAL]);
	assert_null(alloc_page(GFP_KERNEL));
	assert_non_null(alloc_page(GFP_ATOMIC));
}

/*
 * An interrupt that comes while the frame cache is in use gets a frame of the same zone, from the
 * zone's bits.
 */
static void busy_cache_does_not_change_the_zone(void **state)
{
	struct page *page, *array[5] = { NULL };

	(void)state;
	boot(map_of(128));
	page = alloc_page(GFP_KERNEL);
	cache_at(0, ZONE_DMA32, 0)->state = CACHE_BUSY;
	assert_int_equal(page_zonenum(alloc_page(GFP_KERNEL)), ZONE_DMA32);
	assert_int_equal(alloc_pages_bulk(GFP_KERNEL, 5, array), 5);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(page_zonenum(array[i]), ZONE_DMA32);
	__free_page(page);
	__free_page(array[4]);
	drain_caches();
	assert_int_equal(mm_check(), 0);
	cache_at(0, ZONE_DMA32, 0)->state = node_zone(0, ZONE_DMA32)->state;
	assert_int_equal(page_zonenum(alloc_page(GFP_KERNEL)), ZONE_DMA32);
	assert_int_equal(mm_check(), 0);
}

/* A refill that ends early opens no block that it does not need: orders 9 and up need it whole. */
static void refill_opens_no_block_in_vain(void **state)
{
	struct zone *z;
	pfn_t block;

	(void)state;
	boot(map_of(128));
	z = node_zone(0, ZONE_DMA32);
	cache_at(0, ZONE_DMA32, 0)->limit = 0;
	while (gibs_first(z, GIBS_INDEX(0)) != GIB_NONE)
		assert_int_equal(page_zonenum(alloc_page(GFP_KERNEL)), ZONE_DMA32);
	block = bitmap_first(&gib_at(z, 0)->free) * BLOCK_FRAMES;
	assert_int_equal(alloc_contig_range(block, block + 472, MIGRATE_MOVABLE, 0), 0);
	cache_at(0, ZONE_DMA32, 0)->limit = 64;
	assert_int_equal(page_to_pfn(alloc_page(GFP_KERNEL)), block + 472);
	assert_int_equal(mm_check(), 0);
}

/* Another CPU comes first. */

/* Another CPU takes all frames between a refill's first look and its lock: NULL is the answer. */
static void the_last_frames_go_to_another_cpu(void **state)
{
	struct counts before;

	(void)state;
	boot(map_of(16));
	before = count();
	other_cpu = take_all;
	assert_null(alloc_page(GFP_KERNEL));
	assert_null(other_cpu);
	assert_int_equal(zone_nr_free_pages(node_zone(0, ZONE_DMA)), 0);
	assert_int_equal(mm_check(), 0);
	give_all();
	same_counts(before);
}

/* An interrupt comes while the frame caches are in use, and the zone's bits have no free frame. */
static void busy_caches_are_not_drained(void **state)
{
	struct frame_cache *cache = cache_at(0, ZONE_DMA32, 0);
	struct page *page;

	(void)state;
	boot(map_of(128));
	__free_page(alloc_page(GFP_KERNEL));
	assert_true(cache->count > 0);
	cache->state = CACHE_BUSY;
	while (node_zone(0, ZONE_DMA32)->nr_free)
		assert_int_equal(page_zonenum(alloc_page(GFP_KERNEL)), ZONE_DMA32);
	page = alloc_page(GFP_KERNEL);
	assert_int_equal(page_zonenum(page), ZONE_DMA);
	while (alloc_page(GFP_ATOMIC))
		;
	assert_true(cache->count > 0 && cache->state == CACHE_BUSY);
	cache->state = node_zone(0, ZONE_DMA32)->state;
	assert_int_equal(mm_check(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boots_with_little_ram),
		cmocka_unit_test(boots_with_many_islands),
		cmocka_unit_test(boots_with_requests_refused),
		cmocka_unit_test(searches_of_all_memory_are_few),
		cmocka_unit_test(exhausted_at_every_call),
		cmocka_unit_test(reserve_is_kept_behind_a_cache),
		cmocka_unit_test(reserve_is_kept_when_the_bits_run_low),
		cmocka_unit_test(busy_cache_does_not_change_the_zone),
		cmocka_unit_test(refill_opens_no_block_in_vain),
		cmocka_unit_test(the_last_frames_go_to_another_cpu),
		cmocka_unit_test(busy_caches_are_not_drained),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
