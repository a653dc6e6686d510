/*
 * test_zones.c: tests the boot on machines with unusual memory: a run of frames that crosses a
 * zone's border, a gib of which nothing is handed over, RAM that is free up to its end, RAM in
 * pieces too small for the descriptors; and memory that is given back after the boot.
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
#include "mm/shelf.h"
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
	static const struct arena arena = { "32 MiB", { { 0, 8192 } }, { { 0, 0 } }, HIGH, NULL };

	(void)state;
	boot(&arena);
	assert_int_equal(node_zone(0, ZONE_DMA)->managed, 4096);
	assert_int_equal(node_zone(0, ZONE_DMA32)->managed, 4096);
	alloc_and_free(GFP_DMA, 12, 0);
	alloc_and_free(GFP_DMA32, 12, 4096);
	assert_null(alloc_pages(GFP_DMA, 13));
	assert_null(model_check(&model, 0, 8192));
	model_destroy(&model);
}

/* Nothing of the gib with the allocator's metadata was handed over: it was never written. */
static void a_gib_that_was_never_written_is_reserved(void **state)
{
	static const struct arena arena = {
		"16 MiB", { { 1, 4096 } }, { { 0, 0 } }, 2ull * HIGH, NULL
	};
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
		"two", { { 5000, 5100 }, { HIGH, HIGH + 1024 } }, { { 5050, 5051 } }, 8192, NULL
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

/* Returns what the check of that name says. */
static bool check_holds(const struct mapfile *map, const struct e820_taken *kernel,
			const char *name)
{
	struct check_result results[CHECKS_MAX];
	unsigned int nr = checks_run(map, kernel, results);

	for (unsigned int i = 0; i < nr; i++)
		if (!strcmp(results[i].name, name))
			return results[i].ok;
	fail_msg("no check is called %s", name);
	return false;
}

/* A region that gets another node after the zones were made is found. */
static void frames_of_another_node_are_found(void **state)
{
	static const char name[] = "each zone's frames are its node's";
	static struct mapfile map = { .nr = 1,
				      .entries = { { MIB, 63 * MIB, E820_TYPE_RAM, 0, 20, 0 } } };
	const struct numa_range nodes[] = { { 0, 32 * MIB, 0, 0 }, { 32 * MIB, 32 * MIB, 1, 0 } };
	struct sim_options options = { .dirty = true, .seed = 1, .nodes = nodes, .nr_nodes = 2 };
	struct e820_taken kernel;
	const char *error;

	(void)state;
	assert_int_equal(sim_boot(map.entries, map.nr, &options, &kernel, &error), 0);
	assert_int_equal(memblock.memory.cnt, 2);
	assert_true(check_holds(&map, &kernel, name));
	memblock_set_region_node(&memblock.memory.regions[1], 0);
	assert_false(check_holds(&map, &kernel, name));
}

/* Reserves every other frame from base on until the array has no entry left. */
static void fill_reserved(phys_addr_t base)
{
	for (; memblock.reserved.cnt < memblock.reserved.max; base += 2 * PAGE_SIZE)
		assert_int_equal(memblock_reserve(base, PAGE_SIZE), 0);
}

/* 16 MiB of an initial RAM disk, say: its frames are allocated and freed as all others are. */
static void memory_given_back_late_is_as_any_other(void **state)
{
	static struct page *pages[(64 * MIB) / PAGE_SIZE];
	struct e820_entry raw[] = { { MIB, 63 * MIB, E820_TYPE_RAM, 0, 20, 0 } };
	struct sim_options options = { .dirty = true, .seed = 1, .kernel_size = MIB };
	phys_addr_t disk = 20 * MIB;
	struct e820_taken kernel;
	const char *error;
	uint64_t before;
	bool seen = false;

	(void)state;
	assert_int_equal(sim_boot_memory(raw, 1, &options, &kernel, &error), 0);
	memblock_reserve(disk, 16 * MIB);
	mem_map_init();
	zones_init(1);
	memblock_free_all();
	zones_finish();
	before = nr_free_pages();
	memblock_free_late(disk, 16 * MIB);
	assert_int_equal(nr_free_pages(), before + PFN_DOWN(16 * MIB));
	assert_int_equal(page_state(PFN_DOWN(disk)), PAGE_FREE);
	assert_false(memblock_is_region_reserved(disk, 16 * MIB));
	assert_int_equal(mm_check(), 0);
	for (unsigned int order = 0; order < 4; order += 3) {
		size_t n = 0;

		while ((pages[n] = alloc_pages(GFP_ATOMIC, order)) != NULL)
			seen |= page_to_phys(pages[n++]) == disk;
		assert_true(seen);
		assert_int_equal(mm_check(), 0);
		while (n)
			__free_pages(pages[--n], order);
	}
	assert_int_equal(mm_check(), 0);
}

/* The array cannot grow: what memblock has as free belongs to the buddy allocator by now. */
static void memory_inside_a_region_stays_reserved_when_the_array_is_full(void **state)
{
	struct e820_entry raw[] = { { MIB, 63 * MIB, E820_TYPE_RAM, 0, 20, 0 } };
	struct sim_options options = { .dirty = true, .seed = 1, .kernel_size = MIB };
	phys_addr_t disk = 40 * MIB;
	struct memblock_region *array;
	struct e820_taken kernel;
	const char *error;
	uint64_t before;

	(void)state;
	assert_int_equal(sim_boot_memory(raw, 1, &options, &kernel, &error), 0);
	memblock_reserve(disk, MIB);
	mem_map_init();
	zones_init(1);
	fill_reserved(20 * MIB);
	memblock_free_all();
	zones_finish();
	before = nr_free_pages();
	array = memblock.reserved.regions;
	assert_int_equal(memblock.reserved.cnt, memblock.reserved.max);
	memblock_free_late(disk + PAGE_SIZE, PAGE_SIZE);
	assert_int_equal(nr_free_pages(), before);
	assert_true(memblock_is_reserved(disk + PAGE_SIZE));
	assert_int_equal(mm_check(), 0);
	memblock_free_late(disk, PAGE_SIZE); /* at an edge of the region: it needs no entry */
	memblock_free_late(disk + MIB - PAGE_SIZE, PAGE_SIZE);
	assert_int_equal(nr_free_pages(), before + 2);
	memblock_free_late(disk + PAGE_SIZE, MIB - 2 * PAGE_SIZE);
	assert_int_equal(nr_free_pages(), before + PFN_DOWN(MIB));
	assert_ptr_equal(memblock.reserved.regions, array);
	assert_int_equal(mm_check(), 0);
}

/*
 * Two ranges of whole GiBs, which begin and end within words of the bitmaps, and have holes between
 * them. They are handed over without a hold of the lock for each.
 */
static void whole_gibs_are_handed_over_together(void **state)
{
	struct e820_entry raw[] = { { MIB, 63 * MIB, E820_TYPE_RAM, 0, 20, 0 },
				    { 9 * GIB, 600 * GIB, E820_TYPE_RAM, 0, 20, 0 },
				    { 615 * GIB, GIB, E820_TYPE_RAM, 0, 20, 0 },
				    { 620 * GIB, 400 * GIB, E820_TYPE_RAM, 0, 20, 0 } };
	struct sim_options options = { .dirty = true, .seed = 1, .kernel_size = MIB };
	const struct zone *z;
	struct e820_taken kernel;
	unsigned long holds = sim_holds;
	unsigned int nr_whole = 0;
	const char *error;

	(void)state;
	assert_int_equal(sim_boot(raw, 4, &options, &kernel, &error), 0);
	assert_in_range(sim_holds - holds, 1, 200);
	z = node_zone(0, ZONE_NORMAL);
	for (pfn_t gib = 0; gib < 1020; gib++)
		nr_whole += zone_gib(z, gib_pfn(gib)) && gibs_test(z, GIBS_FREE, gib);
	assert_in_range(nr_whole, 990, 1000); /* the others have the descriptors */
	assert_int_equal(mm_check(), 0);
	assert_int_equal(z->managed, z->nr_free);
}

/*
 * Free runs of 1 to 200 frames, some of which end with a word or a block, or fill several. From
 * every frame on, the next free range is the one that the frames' states show.
 */
static void free_ranges_are_those_of_the_frames(void **state)
{
	struct e820_entry raw[] = { { 16 * MIB, 16 * MIB, E820_TYPE_RAM, 0, 20, 0 } };
	struct sim_options options = { .dirty = true, .seed = 1 };
	const pfn_t first = PFN_DOWN(16 * MIB), limit = PFN_DOWN(32 * MIB);
	pfn_t next = limit, next_end = limit;
	struct e820_taken kernel;
	uint64_t seed = 3;
	const char *error;

	(void)state;
	assert_int_equal(sim_boot(raw, 1, &options, &kernel, &error), 0);
	while (alloc_page(GFP_ATOMIC))
		;
	for (pfn_t pfn = first, end; pfn < limit; pfn = end + 1 + (seed >> 50) % 70) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		end = pfn + 1 + (seed >> 33) % (seed >> 60 ? 8 : 200);
		if ((seed >> 57) % 4 == 0)
			end = (end | 63) + 1;
		for (; pfn < end && pfn < limit; pfn++)
			if (page_state(pfn) == PAGE_ALLOCATED)
				__free_page(pfn_to_page(pfn));
	}
	drain_caches();
	for (pfn_t pfn = limit; pfn-- > first;) {
		bool is_free = page_state(pfn) == PAGE_FREE;
		pfn_t start = pfn, end = 0;

		if (is_free && (pfn + 1 == limit || page_state(pfn + 1) != PAGE_FREE))
			next_end = pfn + 1;
		next = is_free ? pfn : next;
		assert_int_equal(next_free_range(&start, &end), next < limit);
		if (next < limit)
			assert_true(start == next && end == next_end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_from_frame_0_is_cut_at_the_border),
		cmocka_unit_test(a_gib_that_was_never_written_is_reserved),
		cmocka_unit_test(the_last_free_range_ends_with_ram),
		cmocka_unit_test(no_seed_makes_a_cookie_of_0),
		cmocka_unit_test(descriptors_lie_in_pieces),
		cmocka_unit_test(frames_of_another_node_are_found),
		cmocka_unit_test(memory_given_back_late_is_as_any_other),
		cmocka_unit_test(free_ranges_are_those_of_the_frames),
		cmocka_unit_test(whole_gibs_are_handed_over_together),
		cmocka_unit_test(memory_inside_a_region_stays_reserved_when_the_array_is_full),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
