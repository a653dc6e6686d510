/*
 * test_memblock.c: tests mm/memblock.c, rule by rule, and at random against a model.
 *
 * This file has the tests of regions and of allocation, and the list of all tests; the other files
 * are in memblock/. Tests that need arrays which may not grow come first, because
 * memblock_allow_resize() cannot be undone.
 */
#include "tests/host/memblock/fixture.h"

#include <stdio.h>
#include <stdlib.h>

static int setup(void **state)
{
	(void)state;
	reset();
	return 0;
}

/* Whatever a test did, memblock's invariants must hold after it. */
static int teardown(void **state)
{
	const char *broken = memblock_check();

	(void)state;
	if (broken)
		fprintf(stderr, "# memblock_check() says: %s\n", broken);
	return broken ? -1 : 0;
}

/* Regions. */

static void state_before_any_call(void **state)
{
	(void)state;
	assert_type(memory, 0, 0);
	assert_type(reserved, 0, 0);
	assert_int_equal(memblock.memory.max, 128);
	assert_int_equal(memblock.reserved.max, 128);
	assert_string_equal(memblock.memory.name, "memory");
	assert_string_equal(memblock.reserved.name, "reserved");
	assert_false(memblock.bottom_up);
	assert_true(memblock.current_limit == MEMBLOCK_ALLOC_ANYWHERE);
	assert_int_equal(memblock_start_of_DRAM(), 0);
	assert_int_equal(memblock_end_of_DRAM(), 0);
}

static void regions_sorted_disjoint_summed(void **state)
{
	(void)state;
	memblock_add(0x8000, 0x1000);
	memblock_add(0x1000, 0x1000);
	memblock_add(0x4000, 0x1000);
	memblock_add(0x4800, 0x1000);
	assert_type(memory, 3, 0x3800);
	assert_region(memory, 0, 0x1000, 0x1000, NONE, 0);
	assert_region(memory, 1, 0x4000, 0x1800, NONE, 0);
	assert_region(memory, 2, 0x8000, 0x1000, NONE, 0);
}

static void regions_touching_are_one_if_alike(void **state)
{
	(void)state;
	memblock_add_node(0x1000, 0x1000, 0, MEMBLOCK_NONE);
	memblock_add_node(0x2000, 0x1000, 0, MEMBLOCK_NONE);
	assert_type(memory, 1, 0x2000);
	memblock_add_node(0x3000, 0x1000, 1, MEMBLOCK_NONE);
	memblock_add_node(0x4000, 0x1000, 1, MEMBLOCK_HOTPLUG);
	assert_type(memory, 3, 0x4000);
	assert_int_equal(memblock_set_node(0x3000, 0x1000, &memblock.memory, 0), 0);
	assert_type(memory, 2, 0x4000);
	assert_int_equal(memblock_set_node(0x4000, 0x1000, &memblock.memory, 0), 0);
	assert_type(memory, 2, 0x4000);
	memblock_clear_hotplug(0, TOP);
	assert_type(memory, 1, 0x4000);
	assert_region(memory, 0, 0x1000, 0x4000, 0, 0);
}

static void regions_cut_at_the_top(void **state)
{
	(void)state;
	assert_int_equal(memblock_add(TOP - 0x1000, 0x5000), 0);
	assert_region(memory, 0, TOP - 0x1000, 0x1000, NONE, 0);
	assert_int_equal(memblock_add(TOP, 1), 0);
	assert_int_equal(memblock_add(0x1000, 0), 0);
	assert_int_equal(memblock_reserve(0x1000, 0), 0);
	assert_type(memory, 1, 0x1000);
	assert_type(reserved, 0, 0);
	assert_int_equal(memblock_remove(TOP - 0x800, TOP), 0);
	assert_type(memory, 1, 0x800);
	assert_int_equal(memblock_reserve(0, TOP), 0);
	assert_region(reserved, 0, 0, TOP, NONE, 0);
	assert_int_equal(memblock_phys_free(1, TOP), 0);
	assert_region(reserved, 0, 0, 1, NONE, 0);
}

static void regions_adding_fills_holes_only(void **state)
{
	(void)state;
	memblock_add_node(0x2000, 0x1000, 1, MEMBLOCK_HOTPLUG);
	memblock_add_node(0x4000, 0x1000, 2, MEMBLOCK_NONE);
	memblock_add_node(0x1000, 0x5000, 3, MEMBLOCK_NONE);
	assert_type(memory, 5, 0x5000);
	assert_region(memory, 0, 0x1000, 0x1000, 3, 0);
	assert_region(memory, 1, 0x2000, 0x1000, 1, MEMBLOCK_HOTPLUG);
	assert_region(memory, 2, 0x3000, 0x1000, 3, 0);
	assert_region(memory, 3, 0x4000, 0x1000, 2, 0);
	assert_region(memory, 4, 0x5000, 0x1000, 3, 0);
	memblock_add_node(0x1000, 0x5000, 3, MEMBLOCK_NONE);
	assert_type(memory, 5, 0x5000);
}

static void regions_removing_cuts_the_common_part(void **state)
{
	(void)state;
	memblock_add_node(0x1000, 0x8000, 2, MEMBLOCK_HOTPLUG);
	assert_int_equal(memblock_remove(0x3000, 0x1000), 0);
	assert_type(memory, 2, 0x7000);
	assert_region(memory, 0, 0x1000, 0x2000, 2, MEMBLOCK_HOTPLUG);
	assert_region(memory, 1, 0x4000, 0x5000, 2, MEMBLOCK_HOTPLUG);
	memblock_remove(0x2800, 0x2000);
	assert_region(memory, 0, 0x1000, 0x1800, 2, MEMBLOCK_HOTPLUG);
	assert_region(memory, 1, 0x4800, 0x4800, 2, MEMBLOCK_HOTPLUG);
	memblock_remove(0, 0x2800);
	assert_type(memory, 1, 0x4800);
	assert_int_equal(memblock_remove(0x10000, 0x1000), 0);
	assert_int_equal(memblock_phys_free(0x5000, 0x1000), 0);
	assert_type(memory, 1, 0x4800);
}

static void regions_last_one_leaves_zeros(void **state)
{
	static const struct memblock_region zeros;

	(void)state;
	memblock_add_node(0x1000, 0x1000, 1, MEMBLOCK_HOTPLUG);
	memblock_add_node(0x3000, 0x1000, 1, MEMBLOCK_HOTPLUG);
	memblock_remove(0, TOP);
	assert_type(memory, 0, 0);
	assert_memory_equal(&memblock.memory.regions[0], &zeros, sizeof(zeros));
	memblock_add(0x1234, 0x100);
	memblock_trim_memory(0x1000);
	assert_type(memory, 0, 0);
	assert_memory_equal(&memblock.memory.regions[0], &zeros, sizeof(zeros));
}

static void regions_no_node_is_max_numnodes(void **state)
{
	(void)state;
	memblock_add(0x1000, 0x8000);
	assert_region(memory, 0, 0x1000, 0x8000, NONE, 0);
	memblock_add_node(0x10000, 0x1000, NUMA_NO_NODE, MEMBLOCK_NONE);
	assert_region(memory, 1, 0x10000, 0x1000, NONE, 0);
	memblock_set_node(0x1000, 0x8000, &memblock.memory, 1);
	assert_region(memory, 0, 0x1000, 0x8000, 1, 0);
	memblock_reserve(0x7000, 0x1000);
	assert_int_equal(memblock_phys_alloc_try_nid(0x1000, 0x1000, 1), 0x8000);
	assert_int_equal(memblock_phys_alloc_try_nid(0x1000, 0x1000, 1), 0x6000);
	assert_type(reserved, 1, 0x3000);
	assert_region(reserved, 0, 0x6000, 0x3000, NONE, 0);
	memblock_set_node(0, TOP, &memblock.memory, NUMA_NO_NODE);
	assert_region(memory, 0, 0x1000, 0x8000, NONE, 0);
}

static void regions_empty_of_older_releases(void **state)
{
	(void)state;
	memblock.memory.cnt = memblock.reserved.cnt = 1;
	assert_int_equal(memblock_end_of_DRAM(), 0);
	assert_false(memblock_is_memory(0));
	assert_int_equal(memblock_phys_alloc(1, 1), 0);
	memblock_add(0x1000, 0x1000);
	memblock_reserve(0x1000, 0x10);
	assert_type(memory, 1, 0x1000);
	assert_type(reserved, 1, 0x10);
	assert_int_equal(memblock_phys_alloc(0xff0, 1), 0x1010);
}

static void regions_trim(void **state)
{
	(void)state;
	memblock_add(0x1234, 0x3000);
	memblock_add_node(0x5100, 0x800, 1, MEMBLOCK_NONE);
	memblock_add(0x8000, 0x2000);
	memblock_add(TOP - 0x10, 0x10);
	memblock_trim_memory(0x1000);
	assert_type(memory, 2, 0x4000);
	assert_region(memory, 0, 0x2000, 0x2000, NONE, 0);
	assert_region(memory, 1, 0x8000, 0x2000, NONE, 0);
}

static void regions_free_by_virtual_address(void **state)
{
	(void)state;
	memblock_reserve(0x1000, 0x2000);
	memblock_free(NULL, TOP);
	assert_type(reserved, 1, 0x2000);
	memblock_free(phys_to_virt(0x1000), 0x1000);
	assert_region(reserved, 0, 0x2000, 0x1000, NONE, 0);
}

static void regions_overlap_is_a_common_byte(void **state)
{
	(void)state;
	assert_true(memblock_addrs_overlap(0x1000, 0x1000, 0x1fff, 1));
	assert_false(memblock_addrs_overlap(0x1000, 0x1000, 0x2000, 1));
	assert_false(memblock_addrs_overlap(0x2000, 1, 0x1000, 0x1000));
	assert_false(memblock_addrs_overlap(0x1000, 0x1000, 0x1800, 0));
	assert_true(memblock_addrs_overlap(0x1000, TOP, TOP - 1, 1));
	memblock_reserve(0x1000, 0x1000);
	assert_true(memblock_overlaps_region(&memblock.reserved, 0, 0x1001));
	assert_false(memblock_overlaps_region(&memblock.reserved, 0, 0x1000));
	assert_false(memblock_overlaps_region(&memblock.reserved, 0x2000, TOP));
	assert_true(memblock_is_region_reserved(0x1fff, TOP));
}

static void regions_early_code_may_write_the_fields(void **state)
{
	unsigned long start, end;

	(void)state;
	memblock_add(0x1000, 0x1000);
	memblock_add(0x3000, 0x1000);
	memset(memblock.memory.regions, 0, 2 * sizeof(struct memblock_region));
	memblock.memory.cnt = 0;
	memblock.memory.total_size = 0;
	memblock.memory.max = 128;
	assert_false(memblock_is_memory(0x1000));
	memblock_add(0x2000, 0x1000);
	assert_type(memory, 1, 0x1000);
	/* Neighbours that were made alike by hand are merged by a call that passes over them. */
	memblock_add_node(0x3000, 0x1000, 1, MEMBLOCK_NONE);
	memblock_set_region_node(&memblock.memory.regions[0], 1);
	memblock_set_node(0x2000, 0x2000, &memblock.memory, 2);
	assert_type(memory, 1, 0x2000);
	/* NUMA_NO_NODE in a region means no node as well. */
	memblock.memory.regions[0].nid = NUMA_NO_NODE;
	assert_int_equal(memblock_search_pfn_nid(2, &start, &end), NUMA_NO_NODE);
	assert_false(memblock_validate_numa_coverage(0x1fff));
	text_length = 0;
	memblock_dump();
	assert_null(strstr(text, "on node"));
	memblock.memory.regions[0].nid = 2;
}

/* Allocating. */

static void alloc_within_one_region(void **state)
{
	(void)state;
	memblock_add_node(0x10000, 0x10000, 0, MEMBLOCK_NONE);
	memblock_add_node(0x20000, 0x8000, 1, MEMBLOCK_NONE);
	assert_int_equal(memblock_phys_alloc(0x18000, 1), 0);
	assert_int_equal(memblock_phys_alloc(0x9000, 0x1000), 0x17000);
	memblock_reserve(0x22000, 0x1000);
	assert_int_equal(memblock_phys_alloc(0x4000, 0x1000), 0x23000 + 0x1000);
	assert_int_equal(memblock_phys_alloc(0x4000, 0x1000), 0x13000);
}

static void alloc_highest_or_lowest(void **state)
{
	(void)state;
	memblock_add(0, 0x4000);
	memblock_add(0x10000, 0x4000);
	assert_int_equal(memblock_phys_alloc(0x1800, 0x1000), 0x12000);
	assert_int_equal(memblock_phys_alloc_range(0x100, 0x100, 0, 0x3080), 0x2f00);
	memblock_set_bottom_up(true);
	assert_true(memblock_bottom_up());
	assert_int_equal(memblock_phys_alloc(0x100, 0x100), PAGE_SIZE);
	assert_int_equal(memblock_phys_alloc_range(0x100, 0x100, 0x1080, 0), 0x1100);
	assert_int_equal(memblock_phys_alloc(0x2000, 0x1000), 0x10000);
	memblock_remove(0x1000, TOP);
	assert_int_equal(memblock_phys_alloc(0x100, 1), 0);
	memblock_set_bottom_up(false);
	assert_int_equal(memblock_phys_alloc(0x100, 1), 0);
}

static void alloc_alignment_is_for_the_address(void **state)
{
	(void)state;
	memblock_add(0x1000, 0x10000);
	assert_int_equal(memblock_phys_alloc(2, 64), 0x11000 - 64);
	assert_region(reserved, 0, 0x11000 - 64, 2, NONE, 0);
	assert_int_equal(memblock_phys_alloc(3, 1), 0x11000 - 3);
	assert_int_equal(nr_traces, 0);
	assert_int_equal(memblock_phys_alloc(2, 0), 0x11000 - 128);
	assert_int_equal(nr_traces, 1);
	assert_int_equal(memblock_phys_alloc(1, 1ul << 63), 0);
	memblock_set_bottom_up(true);
	assert_int_equal(memblock_phys_alloc(1, 1ul << 63), 0);
}

static void alloc_upper_bound(void **state)
{
	(void)state;
	memblock_add(0x1000, 0x100000);
	memblock_set_current_limit(0x8000);
	assert_int_equal(memblock_get_current_limit(), 0x8000);
	assert_int_equal(memblock_phys_alloc_range(0x1000, 0x1000, 0, 0), 0x7000);
	assert_int_equal(memblock_phys_alloc_range(0x1000, 0x1000, 0, 1), 0x6000);
	assert_int_equal(memblock_phys_alloc_range(0x1000, 0x1000, 0, 0x20000), 0x1f000);
	assert_ptr_equal(memblock_alloc_try_nid_raw(0x1000, 0x1000, 0, 0x20000, 0),
			 phys_to_virt(0x5000));
	assert_null(memblock_alloc_try_nid_raw(0x8000, 1, 0, MEMBLOCK_ALLOC_ANYWHERE, 0));
	assert_int_equal(memblock_phys_alloc_range(0x1000, 1, 0, 0x1fff), 0);
	assert_int_equal(memblock_phys_alloc_range(1, 1, 0x9000, 0x8000), 0);
	memblock_set_current_limit(MEMBLOCK_ALLOC_ANYWHERE);
	memblock_add(4 * GIB - 0x10000, 0x20000);
	assert_int_equal(virt_to_phys(memblock_alloc_try_nid_raw(
			     0x100, 0x100, 0, ARCH_LOW_ADDRESS_LIMIT, NUMA_NO_NODE)),
			 0xfffffe00);
}

static void alloc_node_then_any_unless_exact(void **state)
{
	(void)state;
	memblock_add_node(0x10000, 0x4000, 0, MEMBLOCK_NONE);
	memblock_add_node(0x20000, 0x4000, 1, MEMBLOCK_NONE);
	assert_int_equal(memblock_phys_alloc_try_nid(0x3000, 0x1000, 0), 0x11000);
	assert_int_equal(memblock_alloc_range_nid(0x3000, 0x1000, 0, 0, 0, EXACT_NODE), 0);
	assert_int_equal(memblock_alloc_range_nid(0x3000, 0x1000, 0, 0x20000, 0, ANY_NODE), 0);
	assert_int_equal(memblock_alloc_range_nid(0x3000, 0x1000, 0, 0, 0, ANY_NODE), 0x21000);
	assert_int_equal(memblock_phys_alloc_try_nid(0x1000, 0x1000, MAX_NUMNODES), 0x20000);
	assert_int_equal(memblock_phys_alloc_try_nid(0x1000, 0x1000, -7), 0x10000);
	assert_int_equal(memblock_phys_alloc_try_nid(0x8000, 0x1000, MAX_NUMNODES), 0);
	assert_null(memblock_alloc_exact_nid_raw(0x1000, 0x1000, 0, 0, 0));
	assert_null(memblock_alloc_exact_nid_raw(0x1000, 0x1000, 0, 0, 5));
}

static void alloc_min_addr_is_given_up_last(void **state)
{
	(void)state;
	memblock_add_node(0x10000, 0x4000, 0, MEMBLOCK_NONE);
	memblock_add_node(0x20000, 0x4000, 1, MEMBLOCK_NONE);
	/* Another node above min_addr is preferred to the requested node below it. */
	assert_ptr_equal(memblock_alloc_try_nid(0x1000, 0x1000, 0x18000, 0, 0),
			 phys_to_virt(0x23000));
	/* When nothing is left above, memory below is used, the requested node's first. */
	assert_ptr_equal(memblock_alloc_try_nid(0x1000, 0x1000, 0x30000, 0, 0),
			 phys_to_virt(0x13000));
	assert_ptr_equal(memblock_alloc_from(0x1000, 0x1000, 0x30000), phys_to_virt(0x22000));
	assert_ptr_equal(memblock_alloc_exact_nid_raw(0x1000, 0x1000, 0x18000, 0, 0),
			 phys_to_virt(0x12000));
	assert_int_equal(memblock_phys_alloc_range(0x1000, 0x1000, 0x30000, 0), 0);
	assert_int_equal(memblock_alloc_range_nid(0x1000, 0x1000, 0x30000, 0, 0, ANY_NODE), 0);
}

static void alloc_zeroing(void **state)
{
	unsigned char *raw, *zeroed;

	(void)state;
	memblock_add(0x10000, 0x1000);
	memset(phys_to_virt(0x10000), 0xa5, 0x1000);
	raw = memblock_alloc_raw(0x10, 0x10);
	zeroed = memblock_alloc(0x7, 0x10);
	assert_int_equal(virt_to_phys(raw), 0x10ff0);
	assert_int_equal(virt_to_phys(zeroed), 0x10fe0);
	assert_int_equal(raw[0], 0xa5);
	assert_int_equal(zeroed[-1], 0xa5);
	assert_int_equal(zeroed[0] | zeroed[6], 0);
	assert_int_equal(zeroed[7], 0xa5);
	zeroed = memblock_alloc_low(1, 1);
	assert_int_equal(zeroed[0], 0);
	zeroed = memblock_alloc_node(1, 1, 0);
	assert_int_equal(zeroed[0], 0);
	zeroed = memblock_alloc_or_panic(1, 1);
	assert_int_equal(zeroed[0], 0);
	assert_int_equal(*(unsigned char *)phys_to_virt(memblock_phys_alloc(1, 1)), 0xa5);
	assert_panics(memblock_alloc_or_panic(0x1000, 1), "alloc_zeroing");
}

static void alloc_failure_changes_nothing(void **state)
{
	static struct snapshot before;

	(void)state;
	memblock_add_node(0x10000, 0x4000, 0, MEMBLOCK_NONE);
	memblock_reserve(0x11000, 0x100);
	take(&before);
	for (int up = 0; up < 2; up++) {
		memblock.bottom_up = before.fields.bottom_up = up;
		assert_int_equal(memblock_phys_alloc(0x4000, 1), 0);
		assert_int_equal(memblock_phys_alloc(TOP, 1), 0);
		assert_null(memblock_alloc(0x4000, 1));
		assert_null(memblock_alloc_from(0x4000, 1, 0x2000));
		assert_null(memblock_alloc_exact_nid_raw(1, 1, 0, 0, 1));
		assert_unchanged(&before);
	}
}

static void alloc_late_callers_get_kmalloc(void **state)
{
	unsigned char *zeroed;

	(void)state;
	memblock_add(0x10000, 0x4000);
	slab_up = true;
	zeroed = memblock_alloc(0x100, 0x10);
	assert_non_null(zeroed);
	assert_int_equal(zeroed[0] | zeroed[0xff], 0);
	free(zeroed);
	assert_int_equal(nr_traces, 1);
	free(memblock_alloc_raw(0x100, 0x10));
	assert_int_equal(nr_traces, 1);
	assert_int_equal(nr_kmallocs, 2);
	slab_empty = true;
	assert_null(memblock_alloc(0x100, 0x10));
	assert_int_equal(memblock_phys_alloc(0x100, 0x10), 0);
	assert_type(reserved, 0, 0);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(state_before_any_call),
		test(regions_sorted_disjoint_summed),
		test(regions_touching_are_one_if_alike),
		test(regions_cut_at_the_top),
		test(regions_adding_fills_holes_only),
		test(regions_removing_cuts_the_common_part),
		test(regions_last_one_leaves_zeros),
		test(regions_no_node_is_max_numnodes),
		test(regions_empty_of_older_releases),
		test(regions_trim),
		test(regions_free_by_virtual_address),
		test(regions_overlap_is_a_common_byte),
		test(regions_early_code_may_write_the_fields),
		test(grow_not_allowed_panics_and_changes_nothing),
		test(grow_not_before_the_result_needs_it),
		test(alloc_within_one_region),
		test(alloc_highest_or_lowest),
		test(alloc_alignment_is_for_the_address),
		test(alloc_upper_bound),
		test(alloc_node_then_any_unless_exact),
		test(alloc_min_addr_is_given_up_last),
		test(alloc_zeroing),
		test(alloc_failure_changes_nothing),
		test(alloc_late_callers_get_kmalloc),
		test(flags_split_and_merge),
		test(flags_and_allocation),
		test(asking),
		test(limits),
		test(copies_of_regions),
		test(loops),
		test(loops_by_flags),
		test(dump_in_linux_form),
		test(check_names_what_is_broken),
		test(steps_refuse_what_callers_never_ask),
		test(free_all_largest_aligned_blocks),
		test(free_all_from_frame_0),
		test(hand_over_and_take_back),
		test(free_late_takes_what_is_reserved),
		test(free_all_flags_and_nodes),
		test(grow_at_the_129th),
		test(grow_keeps_clear_of_what_is_added),
		test(grow_without_room_changes_nothing),
		test(grow_memory_and_reserved_together),
		test(grow_for_many_holes_at_once),
		test(grow_during_the_hand_over),
		test(grow_after_the_hand_over_takes_no_free_memory),
		test(grow_with_slab),
		test(grow_of_nothing_panics),
		test(grow_leaves_an_array_beyond_a_limit),
		test(random_against_the_model),
	};
#undef test

	if (!map_arena()) {
		printf("Bail out! no address space for the arena\n");
		return 1;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("memblock", tests, NULL, NULL);
}
