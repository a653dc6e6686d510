/*
 * test_faults.c: what must go wrong, goes wrong in words.
 *
 *   - memblock out of room: by so little RAM that the boot stops at every place where it can, and
 *     by refusing the n-th request alone or all from the n-th on (the linker's --wrap);
 *   - the allocator exhausted at every call of a script;
 *   - another CPU between a look at the books and the lock (the linker's --wrap);
 *   - misuse: each kind panics and names the frame.
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
#include "tests/host/sim/sim.h"

#define MIB 0x100000ull
#define GIB 0x40000000ull

struct map {
	const char *name;
	struct e820_entry raw[E820_MAX_RAW];
	uint32_t nr;
};

static void add_range(struct map *map, uint64_t base, uint64_t size, uint32_t type)
{
	map->raw[map->nr++] = (struct e820_entry){ base, size, type, 0, 20, 0 };
}

static struct map *map_of(unsigned int mib)
{
	static struct map map;

	map = (struct map){ .name = "plain" };
	add_range(&map, 0, 0x9fc00, 1);
	add_range(&map, MIB, (mib - 1) * MIB, 1);
	return &map;
}

static struct sim_options options = { .dirty = true, .seed = 0x600d5eed };

/* 0: booted; 1: the map was refused in words; 2: panic. */
static int try_boot(const struct map *map)
{
	static jmp_buf jump;
	struct e820_taken kernel;
	const char *error = "";
	int result;

	sim_panic_jump = &jump;
	if (setjmp(jump)) {
		sim_panic_jump = NULL;
		return 2;
	}
	result = sim_boot(map->raw, map->nr, &options, &kernel, &error) ? 1 : 0;
	sim_panic_jump = NULL;
	return result;
}

static void boot(const struct map *map)
{
	if (try_boot(map))
		fail_msg("%s: no boot", map->name);
	assert_int_equal(mm_check(), 0);
}

/* memblock out of room */

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

/* What the memblock panics of the boot begin with: who wanted the memory. */
static bool names_who(const char *text)
{
	static const char *const who[] = {
		"no room for a page table", "mem_map_init: no room for the descriptors",
		"zones_init: no room for",  "zone DMA: no room for",
		"zone DMA32: no room for",  "zone Normal: no room for"
	};

	for (size_t i = 0; i < sizeof(who) / sizeof(who[0]); i++)
		if (!strncmp(text, who[i], strlen(who[i])))
			return true;
	return false;
}

/* Each boot ends with an allocator that is right, or in words; how many did which. */
struct outcome {
	unsigned int booted, refused, panicked;
	unsigned int descriptors, regions, tables; /* panics by who wanted the memory */
};

static void attempt(const struct map *map, struct outcome *sum)
{
	int result = try_boot(map);

	check_type(&memblock.memory);
	check_type(&memblock.reserved);
	if (result == 2) {
		if (!names_who(sim_panic_text))
			fail_msg("the panic does not say who: %s", sim_panic_text);
		sum->panicked++;
		sum->tables += strstr(sim_panic_text, "page table") != NULL;
		sum->descriptors += strstr(sim_panic_text, "mem_map_init") != NULL;
		sum->regions += strstr(sim_panic_text, "zone") != NULL;
	} else if (result == 1) {
		sum->refused++;
	} else {
		assert_int_equal(mm_check(), 0);
		sum->booted++;
	}
}

/* From the first frame that is not low memory's to the frame with which the boot succeeds. */
static void boots_with_little_ram(void **state)
{
	struct outcome sum = { 0 };

	(void)state;
	for (uint64_t frames = 1; frames < 400; frames++) {
		options.mem_limit = frames * PAGE_SIZE;
		attempt(map_of(16), &sum);
	}
	options.mem_limit = 0;
	printf("# 1 to 399 frames of 16 MiB: %u booted, %u refused, %u panics: %u page tables, "
	       "%u mem_map, %u zones\n",
	       sum.booted, sum.refused, sum.panicked, sum.tables, sum.descriptors, sum.regions);
	assert_true(sum.booted > 0 && sum.tables > 0 && sum.descriptors > 0 && sum.regions > 0);
}

/*
 * Islands of a frame at every GiB want descriptors, tables and regions, and have no room. Garbage
 * in the first 64 MiB of each of the 126 machines would take most of the test's time.
 */
static void boots_with_many_islands(void **state)
{
	struct outcome sum = { 0 };

	(void)state;
	options.dirty = false;
	for (uint64_t frames = 20; frames < 900; frames += 7) {
		struct map map = { .name = "islands" };

		add_range(&map, MIB, frames * PAGE_SIZE, 1);
		for (uint64_t gib = 1; gib < 100; gib += 1 + gib % 3)
			add_range(&map, gib * GIB + gib * 5 * MIB, PAGE_SIZE, 1);
		attempt(&map, &sum);
	}
	options.dirty = true;
	printf("# 20 to 899 frames and islands: %u booted, %u refused, %u panics: %u page tables, "
	       "%u mem_map, %u zones\n",
	       sum.booted, sum.refused, sum.panicked, sum.tables, sum.descriptors, sum.regions);
	assert_true(sum.booted > 0 && sum.descriptors > 0);
}

/* Every request of others to memblock goes through here. */
static unsigned int request, refuse_from, refuse_to;

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

/* The n-th request refused, alone (a second way may be found) or with all that follow. */
static void boots_with_requests_refused(void **state)
{
	struct outcome one = { 0 }, all = { 0 };
	struct map map = { .name = "two islands" };
	unsigned int requests;

	(void)state;
	add_range(&map, 0, 0x9fc00, 1);
	add_range(&map, MIB, 700 * MIB, 1);
	add_range(&map, 5 * GIB, GIB + 3 * MIB, 1);
	refuse_to = 0;
	request = 0;
	boot(&map);
	requests = request;
	assert_true(requests > 10);
	for (unsigned int n = 0; n < requests; n++) {
		refuse_from = n;
		refuse_to = n + 1;
		request = 0;
		attempt(&map, &one);
		refuse_to = ~0u;
		request = 0;
		attempt(&map, &all);
	}
	refuse_to = 0;
	printf("# %u requests; one refused: %u booted, %u panics; all that follow: %u booted, "
	       "%u panics\n",
	       requests, one.booted, one.panicked, all.booted, all.panicked);
	assert_int_equal(one.booted + one.panicked, requests);
	assert_int_equal(all.panicked, requests);
}

/* The allocator exhausted */

static struct page *hog; /* linked by page_private() */

static void take_all(void)
{
	struct page *page;

	for (unsigned int order = NR_ORDERS; order-- > 0;)
		while ((page = alloc_pages(__GFP_HIGH, order))) {
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
		counts.free[i] = zone_nr_free_pages(&zones[i]);
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

/* Requests that a zone keeps frames from do not get them out of its cache either. */
static void reserve_is_kept_behind_a_cache(void **state)
{
	struct zone *dma = &zones[ZONE_DMA];
	struct page *page;

	(void)state;
	boot(map_of(128));
	assert_true(frame_caches[0][ZONE_DMA].limit > 1);
	while (alloc_page(GFP_KERNEL))
		;
	assert_int_equal(zone_nr_free_pages(dma), dma->lowmem_reserve[ZONE_NORMAL]);
	while ((page = alloc_page(GFP_DMA))) {
		assert_null(alloc_page(GFP_KERNEL));
		/* What comes back belongs to the reserve as well. */
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

/* Frames at hand are part of the reserve, once larger requests have taken what the bits had. */
static void reserve_is_kept_when_the_bits_run_low(void **state)
{
	struct zone *dma = &zones[ZONE_DMA];
	struct page *page;

	(void)state;
	boot(map_of(128));
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

/* An interrupt in the middle of a cache's work gets a frame of the same zone, from the bits. */
static void busy_cache_does_not_change_the_zone(void **state)
{
	struct page *page, *array[5] = { NULL };

	(void)state;
	boot(map_of(128));
	page = alloc_page(GFP_KERNEL);
	frame_caches[0][ZONE_DMA32].state = CACHE_BUSY;
	assert_int_equal(page_zonenum(alloc_page(GFP_KERNEL)), ZONE_DMA32);
	assert_int_equal(alloc_pages_bulk(GFP_KERNEL, 5, array), 5);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(page_zonenum(array[i]), ZONE_DMA32);
	__free_page(page);
	__free_page(array[4]);
	drain_caches();
	assert_int_equal(mm_check(), 0);
	frame_caches[0][ZONE_DMA32].state = zones[ZONE_DMA32].state;
	assert_int_equal(page_zonenum(alloc_page(GFP_KERNEL)), ZONE_DMA32);
	assert_int_equal(mm_check(), 0);
}

/* A refill that ends early leaves no whole block open: orders 9 and up would not find it. */
static void refill_opens_no_block_in_vain(void **state)
{
	struct zone *z = &zones[ZONE_DMA32];
	pfn_t block;

	(void)state;
	boot(map_of(128));
	frame_caches[0][ZONE_DMA32].limit = 0;
	while (bitmap_tree_first(&z->index[0]) != BITMAP_TREE_NONE)
		assert_int_equal(page_zonenum(alloc_page(GFP_KERNEL)), ZONE_DMA32);
	block = bitmap_first(&z->dir[0]->free) * BLOCK_FRAMES;
	assert_int_equal(alloc_contig_range(block, block + 472, MIGRATE_MOVABLE, 0), 0);
	frame_caches[0][ZONE_DMA32].limit = 64;
	assert_int_equal(page_to_pfn(alloc_page(GFP_KERNEL)), block + 472);
	assert_int_equal(mm_check(), 0);
}

/* Another CPU comes first */

unsigned long __real_port_irq_save(void);
unsigned long __wrap_port_irq_save(void);

static void (*first)(void); /* before the next lock is taken, once */

unsigned long __wrap_port_irq_save(void)
{
	void (*other)(void) = first;

	first = NULL;
	if (other) {
		sim_cpu = 1;
		other();
		sim_cpu = 0;
	}
	return __real_port_irq_save();
}

/* The frames that a refill saw are another CPU's when it has the lock: no other zone is spared. */
static void the_last_frames_go_to_another_cpu(void **state)
{
	struct counts before;

	(void)state;
	boot(map_of(16));
	before = count();
	first = take_all;
	assert_null(alloc_page(GFP_KERNEL));
	assert_null(first);
	assert_int_equal(zone_nr_free_pages(&zones[ZONE_DMA]), 0);
	assert_int_equal(mm_check(), 0);
	give_all();
	same_counts(before);
}

/* An interrupt came while the caches were in use, and there is nothing in the bits. */
static void busy_caches_are_not_drained(void **state)
{
	struct frame_cache *cache = &frame_caches[0][ZONE_DMA32];
	struct page *page;

	(void)state;
	boot(map_of(128));
	__free_page(alloc_page(GFP_KERNEL));
	assert_true(cache->count > 0);
	cache->state = CACHE_BUSY;
	while (zones[ZONE_DMA32].nr_free)
		assert_int_equal(page_zonenum(alloc_page(GFP_KERNEL)), ZONE_DMA32);
	page = alloc_page(GFP_KERNEL);
	assert_int_equal(page_zonenum(page), ZONE_DMA);
	while (alloc_page(GFP_ATOMIC))
		;
	assert_true(cache->count > 0 && cache->state == CACHE_BUSY);
	cache->state = zones[ZONE_DMA32].state;
	assert_int_equal(mm_check(), 0);
}

static struct page *victim;

static void free_victim(void)
{
	__free_pages(victim, 3);
}

/* Misuse */

enum misuse { FREE, PUT, GET, SPLIT, DRAIN };

static void commit(enum misuse what, struct page *page, unsigned int order)
{
	if (what == FREE)
		__free_pages(page, order);
	else if (what == PUT)
		put_page(page);
	else if (what == GET)
		get_page(page);
	else if (what == SPLIT)
		split_page(page, order);
	else
		drain_caches();
}

/* It panics, the text has the frame's number and these words; books as before. */
static void panics(enum misuse what, struct page *page, unsigned int order, const char *words)
{
	static jmp_buf jump;
	char frame[32];

	snprintf(frame, sizeof(frame), "0x%llx", (unsigned long long)page_to_pfn(page));
	sim_panic_jump = &jump;
	if (!setjmp(jump)) {
		commit(what, page, order);
		sim_panic_jump = NULL;
		fail_msg("no panic; expected: %s %s", frame, words);
	}
	sim_panic_jump = NULL;
	for_each_zone(z) {
		z->lock.taken = 0;
		frame_caches[0][z->id].state = z->state;
	}
	if (!strstr(sim_panic_text, frame) || !strstr(sim_panic_text, words))
		fail_msg("expected: %s %s; said: %s", frame, words, sim_panic_text);
}

static void all_misuse_of(struct page *page, const char *words)
{
	panics(FREE, page, 0, words);
	panics(FREE, page, 3, words);
	panics(FREE, page, 9, words);
	panics(FREE, page, MAX_PAGE_ORDER, words);
	panics(FREE, page, MAX_PAGE_ORDER + 1, words);
	panics(FREE, page, 256, words);
	panics(PUT, page, 0, words);
	panics(GET, page, 0, "is not that of an allocation");
	panics(SPLIT, page, 0, words);
	panics(SPLIT, page, 11, words);
}

static void free_of_what_is_not_held(void **state)
{
	struct page *page, *cached, *inner;

	(void)state;
	boot(map_of(128));
	all_misuse_of(pfn_to_page(0), "is reserved");
	all_misuse_of(pfn_to_page(0x9f), "is absent");
	all_misuse_of(pfn_to_page(0x9fff), "is absent");
	all_misuse_of(pfn_to_page(0x100000), "is absent");
	all_misuse_of(pfn_to_page(MM_MAX_PFN - 1), "is absent");
	/* In whole blocks nobody ever wrote a descriptor: garbage. */
	all_misuse_of(pfn_to_page(0x4000), "is free");
	all_misuse_of(pfn_to_page(0x4001), "is free");
	page = alloc_page(GFP_KERNEL);
	__free_page(page);
	all_misuse_of(page, "is free");
	cached = alloc_page(GFP_KERNEL);
	assert_ptr_equal(cached, page);
	__free_page(cached);
	drain_caches();
	all_misuse_of(page, "is free");
	page = alloc_pages(GFP_KERNEL, 4);
	inner = page + 5;
	all_misuse_of(inner, "inside the allocation at");
	page = alloc_pages(GFP_KERNEL, 11);
	all_misuse_of(page + 1, "inside the allocation at");
	all_misuse_of(page + 512, "inside the allocation at");
	all_misuse_of(page + 2047, "inside the allocation at");
	assert_int_equal(mm_check(), 0);
}

static void free_as_another_order(void **state)
{
	(void)state;
	boot(map_of(128));
	for (unsigned int order = 0; order <= 12; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);
		static const unsigned int wrong[] = {
			0, 1, 2, 3, 8, 9, 10, 17, 18, 19, 31, 32, 128, 256, 512, 768, 1u << 16, ~0u
		};
		char words[40];

		assert_non_null(page);
		snprintf(words, sizeof(words), "was allocated as order %u", order);
		for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
			if (wrong[i] != order) {
				panics(FREE, page, wrong[i], words);
				panics(SPLIT, page, wrong[i], words);
			}
		__free_pages(page, order);
		assert_int_equal(mm_check(), 0);
	}
}

/* The same frame twice in a cache, by a caller who wrote the descriptor: found when it drains. */
static void frame_twice_in_a_cache(void **state)
{
	struct page *page, *other;

	(void)state;
	boot(map_of(128));
	page = alloc_page(GFP_KERNEL);
	other = alloc_page(GFP_KERNEL);
	__free_page(page);
	page->state = state_allocated(page_zonenum(other), 0);
	__free_page(page);
	/* The word's first frame is named: the sum does not tell which. */
	panics(DRAIN, pfn_to_page(page_to_pfn(page) & ~63ull), 0, "in a cache twice");
	boot(map_of(128));
	page = alloc_page(GFP_KERNEL);
	__free_page(page);
	drain_caches();
	page->state = state_allocated(ZONE_DMA32, 0);
	panics(PUT, page, 0, "is free");
	page->state = state_allocated(ZONE_DMA32, 0);
	__free_page(page);
	panics(DRAIN, page, 0, "is free");
}

/* Two CPUs free the same pages: the second finds out under the lock. */
static void pages_freed_twice_at_once(void **state)
{
	(void)state;
	boot(map_of(128));
	victim = alloc_pages(GFP_KERNEL, 3);
	first = free_victim;
	panics(FREE, victim, 3, "is free");
	assert_int_equal(mm_check(), 0);
}

/* Descriptors written by somebody who has not got the frames: the bits know better. */
static void forged_descriptors(void **state)
{
	struct page *whole, *freed;

	(void)state;
	boot(map_of(128));
	whole = pfn_to_page(0x4000);
	whole->state = state_allocated(ZONE_DMA32, 3);
	panics(FREE, whole, 3, "is free");
	panics(SPLIT, whole, 3, "is free");
	whole->state = state_allocated(ZONE_DMA32, 10);
	panics(FREE, whole, 10, "is free");
	freed = alloc_pages(GFP_KERNEL, 3);
	__free_pages(freed, 3);
	freed->state = state_allocated(ZONE_DMA32, 3);
	panics(FREE, freed, 3, "is free");
	panics(SPLIT, freed, 3, "is free");
	freed->state = 0;
	assert_int_equal(mm_check(), 0);
}

static void references_at_their_limits(void **state)
{
	struct page *page;

	(void)state;
	boot(map_of(128));
	page = alloc_pages(GFP_KERNEL, 2);
	get_page(page);
	panics(SPLIT, page, 2, "2 references");
	panics(FREE, page, 1, "2 references");
	put_page(page);
	page->count = ~0u;
	panics(GET, page, 0, "is not that of an allocation");
	assert_int_equal(page_order(page), 2);
	page->count = 0;
	panics(GET, page, 0, "is not that of an allocation");
	panics(PUT, page, 0, "");
	page->count = 1;
	__free_pages(page, 2);
	assert_int_equal(mm_check(), 0);
}

static void split_keeps_the_owners_word(void **state)
{
	struct page *page;

	(void)state;
	boot(map_of(128));
	for (unsigned int order = 0; order <= 11; order++) {
		page = alloc_pages(GFP_KERNEL, order);
		set_page_private(page, 0x1234 + order);
		split_page(page, order);
		assert_int_equal(page_private(page), 0x1234 + order);
	}
	assert_int_equal(mm_check(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boots_with_little_ram),
		cmocka_unit_test(boots_with_many_islands),
		cmocka_unit_test(boots_with_requests_refused),
		cmocka_unit_test(exhausted_at_every_call),
		cmocka_unit_test(reserve_is_kept_behind_a_cache),
		cmocka_unit_test(reserve_is_kept_when_the_bits_run_low),
		cmocka_unit_test(busy_cache_does_not_change_the_zone),
		cmocka_unit_test(refill_opens_no_block_in_vain),
		cmocka_unit_test(free_of_what_is_not_held),
		cmocka_unit_test(free_as_another_order),
		cmocka_unit_test(frame_twice_in_a_cache),
		cmocka_unit_test(the_last_frames_go_to_another_cpu),
		cmocka_unit_test(busy_caches_are_not_drained),
		cmocka_unit_test(pages_freed_twice_at_once),
		cmocka_unit_test(forged_descriptors),
		cmocka_unit_test(references_at_their_limits),
		cmocka_unit_test(split_keeps_the_owners_word),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
