/*
 * test_contrib_ranges.c: tests contrib/ranges.c: passes arrays of ranges to it and compares each
 * frame with a model of its own, that tells for every byte of a small machine what it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/paging.h"
#include "contrib/ranges.h"
#include "mm/check.h"
#include "mm/gfp.h"
#include "mm/memblock.h"
#include "mm/page_state.h"
#include "mm/zone.h"
#include "tests/host/sim/expect_panic.h"
#include "tests/host/sim/sim.h"

#define KIB        1024ull
#define MIB        (1024 * KIB)
#define GIB        (1024 * MIB)
#define MAX_RANGES 40
#define RAM        (64 * MIB)

static const struct memory_range *given;
static size_t nr_given;

/* Does the steps up to the allocator for these ranges, on a machine whose RAM ends at ram_end. */
static void set_up(const struct memory_range *ranges, size_t nr, phys_addr_t ram_end)
{
	struct paging_config paging = { .nx = true };

	given = ranges;
	nr_given = nr;
	sim_reset();
	sim_map_ram(ram_end);
	sim_dirty();
	ranges_to_memblock(ranges, nr);
	paging_init(&paging);
	ranges_start(19);
}

/* What a frame may be: the model. */
enum kind { NO_RAM, KEPT, LOADER, FREE };

/* Returns what a piece of a frame is that no range's border cuts; of several types the strictest.
 */
static enum kind kind_of_piece(phys_addr_t at)
{
	enum kind kind = FREE;
	bool any = false;

	for (size_t i = 0; i < nr_given; i++) {
		enum kind one = NO_RAM;

		if (at < given[i].base || at - given[i].base >= given[i].length)
			continue;
		if (given[i].type == MEMORY_USABLE)
			one = FREE;
		else if (given[i].type == MEMORY_LOADER)
			one = LOADER;
		else if (given[i].type == MEMORY_IMAGE || given[i].type == MEMORY_ACPI)
			one = KEPT;
		kind = one < kind ? one : kind;
		any = true;
	}
	return any ? kind : NO_RAM;
}

/* Returns whether a single range of the loader has the whole frame. */
static bool is_one_loader_range(pfn_t pfn)
{
	for (size_t i = 0; i < nr_given; i++)
		if (given[i].type == MEMORY_LOADER && given[i].base <= PFN_PHYS(pfn) &&
		    PFN_PHYS(pfn + 1) <= given[i].base + given[i].length)
			return true;
	return false;
}

/*
 * Returns what a frame is. Ranges begin and end at multiples of 512 bytes. A frame with a piece
 * that is no RAM is none; else one with a piece that is kept, is kept; and one of which a range of
 * the loader has a part only is never given back.
 */
static enum kind kind_of_frame(pfn_t pfn)
{
	bool has[FREE + 1] = { false };

	for (unsigned int i = 0; i < PAGE_SIZE; i += 512)
		has[kind_of_piece(PFN_PHYS(pfn) + i)] = true;
	if (has[NO_RAM])
		return NO_RAM;
	if (has[KEPT] || !pfn || (has[LOADER] && !is_one_loader_range(pfn)))
		return KEPT;
	return has[LOADER] ? LOADER : FREE;
}

/*
 * Compares all frames below ram_end with the model. What mm/ takes for itself is free in the model,
 * and reserved; there must not be more of it than `taken` frames. Returns how many frames the
 * loader has.
 */
static uint64_t check_frames(phys_addr_t ram_end, bool given_back)
{
	uint64_t nr_loader = 0, taken = 0;

	drain_caches();
	for (pfn_t pfn = 0; pfn < PFN_DOWN(ram_end); pfn++) {
		enum page_state is = page_state(pfn);

		switch (kind_of_frame(pfn)) {
		case NO_RAM:
			assert_int_equal(is, PAGE_ABSENT);
			break;
		case KEPT:
			assert_int_equal(is, PAGE_RESERVED);
			break;
		case LOADER:
			assert_int_equal(is, given_back ? PAGE_FREE : PAGE_RESERVED);
			nr_loader++;
			break;
		case FREE:
			taken += is == PAGE_RESERVED;
			assert_true(is == PAGE_RESERVED || is == PAGE_FREE);
			break;
		}
	}
	assert_true(taken < 400);
	assert_int_equal(mm_check(), 0);
	return nr_loader;
}

/* Sets up, compares, gives the loader's memory back, and compares again. */
static void check_ranges(const struct memory_range *ranges, size_t nr, phys_addr_t ram_end)
{
	uint64_t nr_loader, nr_free;

	set_up(ranges, nr, ram_end);
	nr_loader = check_frames(ram_end, false);
	nr_free = nr_free_pages();
	assert_int_equal(ranges_give_back(), nr_loader * PAGE_SIZE);
	assert_int_equal(check_frames(ram_end, true), nr_loader);
	assert_int_equal(nr_free_pages(), nr_free + nr_loader);
	assert_int_equal(ranges_give_back(), 0);
	assert_int_equal(nr_free_pages(), nr_free + nr_loader);
}

/* A map as Limine passes it on a PC with 64 MiB. */
static const struct memory_range pc[] = {
	{ 0x1000, 0x51000, MEMORY_USABLE },
	{ 0x52000, 0x4d000, MEMORY_LOADER },
	{ 0x9fc00, 0x400, MEMORY_RESERVED },
	{ 0xf0000, 0x10000, MEMORY_RESERVED },
	{ 1 * MIB, 30 * MIB, MEMORY_USABLE },
	{ 31 * MIB, 2 * MIB, MEMORY_LOADER },
	{ 33 * MIB, 1 * MIB, MEMORY_IMAGE },
	{ 34 * MIB, 64 * KIB, MEMORY_LOADER },
	{ 34 * MIB + 64 * KIB, 29 * MIB, MEMORY_USABLE },
	{ 63 * MIB + 64 * KIB, 128 * KIB, MEMORY_ACPI },
	{ 63 * MIB + 192 * KIB, 64 * KIB, MEMORY_NVS },
	{ 63 * MIB + 256 * KIB, 64 * KIB, MEMORY_BAD },
	{ 0xfd000000, 4 * MIB, MEMORY_FRAMEBUFFER },
	{ 0xfffc0000, 256 * KIB, MEMORY_RESERVED },
};

static void a_loader_s_map(void **state)
{
	struct memory_range backwards[sizeof(pc) / sizeof(pc[0])];
	const size_t nr = sizeof(pc) / sizeof(pc[0]);

	(void)state;
	check_ranges(pc, nr, RAM);
	for (size_t i = 0; i < nr; i++)
		backwards[i] = pc[nr - 1 - i];
	check_ranges(backwards, nr, RAM);
}

static uint64_t random_below(uint64_t limit)
{
	return (unsigned int)rand() % limit;
}

/* Ranges that overlap, are empty, or cut frames, of all types and unknown ones. */
static void random_ranges(void **state)
{
	struct memory_range ranges[MAX_RANGES];

	(void)state;
	for (unsigned int round = 0; round < 60; round++) {
		size_t nr = 1 + (size_t)rand() % MAX_RANGES;

		ranges[0] = (struct memory_range){ 0, RAM, MEMORY_USABLE };
		for (size_t i = 1; i < nr; i++) {
			uint64_t unit = rand() % 2 ? PAGE_SIZE : 512;

			ranges[i].base = random_below(RAM / unit) * unit;
			ranges[i].length = random_below(rand() % 2 ? 16 : 256) * unit;
			ranges[i].type = random_below(9);
			if (rand() % 3 == 0) /* beside or over the one before */
				ranges[i].base =
				    ranges[i - 1].base + (rand() % 2 ? ranges[i - 1].length : 0);
			if (ranges[i].base + ranges[i].length > RAM)
				ranges[i].base = RAM - ranges[i].length;
		}
		check_ranges(ranges, nr, RAM);
	}
}

/* Makes ranges that need, with frame 0, as many reserved regions. */
static void make_many_ranges(struct memory_range *ranges, unsigned int nr)
{
	ranges[0] = (struct memory_range){ 0, RAM, MEMORY_USABLE };
	for (unsigned int i = 1; i < nr; i++)
		ranges[i] = (struct memory_range){ MIB + 8 * KIB * i, PAGE_SIZE, MEMORY_LOADER };
}

/*
 * One more than memblock has room for, while its arrays may not grow: no test before this one has
 * started the allocator.
 */
static void too_many_ranges_are_said(void **state)
{
	struct memory_range ranges[INIT_MEMBLOCK_RESERVED_REGIONS + 1];

	(void)state;
	make_many_ranges(ranges, INIT_MEMBLOCK_RESERVED_REGIONS + 1);
	sim_reset();
	EXPECT_PANIC(ranges_to_memblock(ranges, INIT_MEMBLOCK_RESERVED_REGIONS + 1),
		     "the reserved array is full");
}

/* What is reserved fills memblock's first array, which grows when the allocator starts. */
static void many_ranges(void **state)
{
	struct memory_range
	    ranges[INIT_MEMBLOCK_RESERVED_REGIONS]; /* with frame 0, exactly as many */

	(void)state;
	make_many_ranges(ranges, INIT_MEMBLOCK_RESERVED_REGIONS);
	check_ranges(ranges, INIT_MEMBLOCK_RESERVED_REGIONS, RAM);
}

/* What lies beyond MM_MAX_PFN, or wraps around the end of addresses, is cut off. */
static void what_is_too_high_is_cut(void **state)
{
	const phys_addr_t limit = PFN_PHYS(MM_MAX_PFN);
	const struct memory_range high[] = {
		{ 0, RAM, MEMORY_USABLE },
		{ limit - MIB, 2 * MIB, MEMORY_USABLE },
		{ limit + GIB, GIB, MEMORY_USABLE },
		{ limit - 512 * KIB, ~0ull, MEMORY_LOADER },
		{ ~0ull - 4095, 8192, MEMORY_USABLE },
		{ MIB, 4096, MEMORY_IMAGE },
	};

	(void)state;
	sim_reset();
	ranges_to_memblock(high, sizeof(high) / sizeof(high[0]));
	assert_int_equal(memblock.memory.cnt, 2);
	assert_int_equal(memblock_phys_mem_size(), RAM + MIB);
	assert_int_equal(memblock.memory.regions[0].nid, 0);
	assert_int_equal(memblock.memory.regions[1].nid, 0);
	assert_int_equal(memblock_end_of_DRAM(), limit);
	assert_int_equal(memblock_reserved_size(), 4096 + 512 * KIB + 4096);
}

static void no_ram_is_said(void **state)
{
	const struct memory_range none[] = {
		{ MIB, MIB, MEMORY_RESERVED },
		{ 4 * MIB, 0, MEMORY_USABLE },
		{ 8 * MIB + 1, 4096, MEMORY_USABLE },
	};

	(void)state;
	sim_reset();
	EXPECT_PANIC(ranges_to_memblock(none, 3), "none of the 3 ranges has RAM for mm/");
}

/* A direct map may end with the last address, and not beyond. */
static void ram_beyond_the_direct_map_is_said(void **state)
{
	const struct memory_range all[] = { { 0, RAM, MEMORY_USABLE } };

	(void)state;
	sim_reset();
	ranges_to_memblock(all, 1);
	mm_host_offset = -RAM + PAGE_SIZE;
	EXPECT_PANIC(ranges_start(19), "does not fit in a direct map");
	check_ranges(all, 1, RAM);
}

static void types_of_other_maps(void **state)
{
	static const enum memory_type types[] = { MEMORY_RESERVED, MEMORY_USABLE,  MEMORY_RESERVED,
						  MEMORY_ACPI,     MEMORY_NVS,     MEMORY_BAD,
						  MEMORY_RESERVED, MEMORY_RESERVED };

	(void)state;
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(memory_type_of_e820(i), types[i]);
}

/* What a kernel takes out of the loader's memory stays reserved. */
static void a_part_may_be_kept(void **state)
{
	struct paging_config paging = { .nx = true };
	uint64_t bytes = 0x4d000 + 2 * MIB + 64 * KIB;

	(void)state;
	sim_reset();
	sim_map_ram(RAM);
	ranges_to_memblock(pc, sizeof(pc) / sizeof(pc[0]));
	memblock_phys_free(31 * MIB + 64 * KIB, 8 * KIB);
	memblock_reserve(31 * MIB + 64 * KIB, 8 * KIB);
	paging_init(&paging);
	ranges_start(19);
	assert_int_equal(ranges_give_back(), bytes - 8 * KIB);
	assert_int_equal(page_state(PFN_DOWN(31 * MIB + 64 * KIB)), PAGE_RESERVED);
	assert_int_equal(page_state(PFN_DOWN(31 * MIB + 68 * KIB)), PAGE_RESERVED);
	assert_int_equal(page_state(PFN_DOWN(31 * MIB + 72 * KIB)), PAGE_FREE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_many_ranges_are_said),
		cmocka_unit_test(a_loader_s_map),
		cmocka_unit_test(random_ranges),
		cmocka_unit_test(many_ranges),
		cmocka_unit_test(what_is_too_high_is_cut),
		cmocka_unit_test(no_ram_is_said),
		cmocka_unit_test(ram_beyond_the_direct_map_is_said),
		cmocka_unit_test(types_of_other_maps),
		cmocka_unit_test(a_part_may_be_kept),
	};

	srand(19);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("contrib_ranges", tests, NULL, NULL);
}
