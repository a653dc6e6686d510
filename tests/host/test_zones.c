/*
 * test_zones.c: tests the boot on machines with unusual memory: a run of frames that crosses a
 * zone's border, a gib of which nothing is handed over, RAM that is free up to its end, RAM in
 * pieces too small for the descriptors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/paging.h"
#include "mm/check.h"
#include "mm/memblock.h"
#include "mm/page_state.h"
#include "mm/zone.h"
#include "tests/host/sim/arena.h"
#include "tests/host/sim/checks.h"
#include "tests/host/sim/pieces.h"
#include "tests/host/sim/sim.h"

#define HIGH (1 << 20) /* 4 GiB, in frames */

static struct model model;

static void boot(const struct arena *arena)
{
	const char *wrong;

	arena_boot(arena, 0, &model);
	wrong = model_check(&model, model.base, model.base + model.frames);
	if (wrong)
		fail_msg("%s", wrong);
}

static void alloc_and_free(gfp_t gfp, unsigned int order, pfn_t expected)
{
	struct page *page;
	const char *wrong = model_alloc(&model, gfp, order, &page);

	assert_null(wrong);
	assert_non_null(page);
	assert_int_equal(page_to_pfn(page), expected);
	assert_null(model_free(&model, expected, FREE_PAGES));
}

/* Frame 0 is aligned to every order: memblock hands over a run of 32 MiB that begins there. */
static void a_run_from_frame_0_is_cut_at_the_border(void **state)
{
	static const struct arena arena = { "32 MiB", { { 0, 8192 } }, { { 0, 0 } }, HIGH };

	(void)state;
	boot(&arena);
	assert_int_equal(zones[ZONE_DMA].managed, 4096);
	assert_int_equal(zones[ZONE_DMA32].managed, 4096);
	alloc_and_free(GFP_DMA, 12, 0);
	alloc_and_free(GFP_DMA32, 12, 4096);
	assert_null(alloc_pages(GFP_DMA, 13));
	assert_null(model_check(&model, 0, 8192));
	model_destroy(&model);
}

/* Nothing of the gib with the allocator's metadata was handed over: it was never written. */
static void a_gib_that_was_never_written_is_reserved(void **state)
{
	static const struct arena arena = { "16 MiB", { { 1, 4096 } }, { { 0, 0 } }, 2ull * HIGH };
	pfn_t metadata = arena.metadata;

	(void)state;
	boot(&arena);
	assert_int_equal(page_state(metadata), PAGE_RESERVED);
	assert_int_equal(page_state(metadata + 1000), PAGE_ABSENT);
	assert_int_equal(page_state(HIGH), PAGE_ABSENT); /* in the zone, but below its first gib */
	assert_null(page_head(metadata));
	assert_int_equal(alloc_contig_range(metadata, metadata + 1, MIGRATE_MOVABLE, 0), -16);
	model_destroy(&model);
}

static void the_last_free_range_ends_with_ram(void **state)
{
	static const struct arena arena = {
		"two", { { 5000, 5100 }, { HIGH, HIGH + 1024 } }, { { 5050, 5051 } }, 8192
	};
	static const pfn_t expected[][2] = { { 5000, 5050 },
					     { 5051, 5100 },
					     { HIGH, HIGH + 1024 } };
	pfn_t start = 0, end = 0;

	(void)state;
	boot(&arena);
	for (size_t n = 0; n < 3; n++, start = end) {
		assert_true(next_free_range(&start, &end));
		assert_int_equal(start, expected[n][0]);
		assert_int_equal(end, expected[n][1]);
	}
	assert_false(next_free_range(&start, &end));
	model_destroy(&model);
}

/* With a cookie of 0, a descriptor of zeros would look as if this boot had written it. */
static void no_seed_makes_a_cookie_of_0(void **state)
{
	static const uint64_t seeds[] = { 0, 0x0001000100010001 << 3, 0x1234123400000000 };
	struct e820_entry raw[] = { { MIB, 31 * MIB, E820_TYPE_RAM, 0, 20, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		struct sim_options options = { .dirty = true, .seed = seeds[i] };
		struct e820_taken kernel;
		const char *error;

		assert_int_equal(sim_boot(raw, 1, &options, &kernel, &error), 0);
		assert_int_not_equal(state_cookie, 0);
		assert_int_equal(state_cookie << 16, 0);
		assert_int_not_equal(alloc_page(GFP_KERNEL)->cookie, 0);
		assert_int_equal(mm_check(), 0);
	}
}

/* Returns in how many pieces of physical memory the descriptors of [start, end) lie. */
static unsigned int descriptor_pieces(pfn_t start, pfn_t end)
{
	unsigned int pieces = 1;
	struct paging_leaf leaf;
	phys_addr_t next = 0;

	for (uintptr_t virt = (uintptr_t)pfn_to_page(start); virt < (uintptr_t)pfn_to_page(end);
	     virt += PAGE_SIZE) {
		assert_true(paging_walk(virt, &leaf));
		pieces += next && leaf.phys != next;
		next = leaf.phys + PAGE_SIZE;
	}
	return pieces;
}

/* 32 MiB of address space need 128 KiB of descriptors, and no piece of RAM has more than 96 KiB. */
static void descriptors_lie_in_pieces(void **state)
{
	static struct mapfile map;
	struct sim_options options = { .dirty = true, .seed = 1 };
	struct check_result results[CHECKS_MAX];
	struct e820_taken kernel;
	const char *error;
	unsigned int nr;

	(void)state;
	for (map.nr = 0; map.nr < 256; map.nr++)
		map.entries[map.nr] = (struct e820_entry){
			2 * MIB + map.nr * (MIB / 8), 0x18000, E820_TYPE_RAM, 0, 20, 0
		};
	assert_int_equal(sim_boot(map.entries, map.nr, &options, &kernel, &error), 0);
	assert_in_range(descriptor_pieces(512, 8192 + 512), 2, 32);
	nr = checks_run(&map, &kernel, results);
	for (unsigned int i = 0; i < nr; i++)
		if (!results[i].ok)
			fail_msg("%s", results[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_from_frame_0_is_cut_at_the_border),
		cmocka_unit_test(a_gib_that_was_never_written_is_reserved),
		cmocka_unit_test(the_last_free_range_ends_with_ram),
		cmocka_unit_test(no_seed_makes_a_cookie_of_0),
		cmocka_unit_test(descriptors_lie_in_pieces),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
