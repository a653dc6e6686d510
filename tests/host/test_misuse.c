/*
 * test_misuse.c: tests that each kind of misuse of the allocator panics, names the frame, and
 * changes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/format.h"
#include "mm/cache.h"
#include "mm/check.h"
#include "mm/zone.h"
#include "tests/host/sim/attempt.h"
#include "tests/host/sim/sim.h"

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

/* Demands a panic with the frame's number and these words in its text. */
static void panics(enum misuse what, struct page *page, unsigned int order, const char *words)
{
	static jmp_buf jump;
	char frame[32];

	snprintf(frame, sizeof(frame), "0x%llx", ULL(page_to_pfn(page)));
	sim_panic_jump = &jump;
	if (!setjmp(jump)) {
		commit(what, page, order);
		sim_panic_jump = NULL;
		fail_msg("no panic, but \"%s ... %s\" was expected", frame, words);
	}
	sim_panic_jump = NULL;
	for_each_zone(z) {
		z->lock.taken = 0;
		cache_at(0, z->id, 0)->state = z->state;
	}
	if (!strstr(sim_panic_text, frame) || !strstr(sim_panic_text, words))
		fail_msg("the panic said: %s, but \"%s ... %s\" was expected", sim_panic_text,
			 frame, words);
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
	/* The descriptors of whole blocks were never written: they hold garbage. */
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

/*
 * A caller that writes the descriptor can free a frame twice into a frame cache; the drain finds
 * it.
 */
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
	/* The panic names the first of 64 frames: the sum of their bits does not tell which it is.
	 */
	panics(DRAIN, pfn_to_page(page_to_pfn(page) & ~63ull), 0, "in a cache twice");
	boot(map_of(128));
	page = alloc_page(GFP_KERNEL);
	__free_page(page);
	drain_caches();
	page->state = state_allocated(ZONE_DMA32, 0);
	__free_page(page);
	panics(DRAIN, page, 0, "is free");
}

static struct page *victim;

static void free_victim(void)
{
	__free_pages(victim, 10);
}

/* Two CPUs free the same pages: the second one notices when it has the lock. */
static void pages_freed_twice_at_once(void **state)
{
	(void)state;
	boot(map_of(128));
	victim = alloc_pages(GFP_KERNEL, 10);
	other_cpu = free_victim;
	panics(FREE, victim, 10, "is free");
	assert_int_equal(mm_check(), 0);
}

/* A descriptor that was overwritten looks like an allocation's, but the bits say it is free. */
static void forged_descriptors(void **state)
{
	struct page *whole, *freed;

	(void)state;
	boot(map_of(128));
	sim_limit_caches(64, 0); /* a cache does not ask the bits before it takes a run */
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

static void split_keeps_page_private(void **state)
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
		cmocka_unit_test(free_of_what_is_not_held),
		cmocka_unit_test(free_as_another_order),
		cmocka_unit_test(frame_twice_in_a_cache),
		cmocka_unit_test(pages_freed_twice_at_once),
		cmocka_unit_test(forged_descriptors),
		cmocka_unit_test(references_at_their_limits),
		cmocka_unit_test(split_keeps_page_private),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
