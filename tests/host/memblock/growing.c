/*
 * growing.c: tests when memblock's arrays grow, where the new ones go, and what happens when they
 * must not or cannot grow.
 */
#include "tests/host/memblock/fixture.h"

#include <errno.h>

#include "mm/page.h"

void grow_not_allowed_panics_and_changes_nothing(void **state)
{
	static struct snapshot before;

	(void)state;
	memblock_add(0, 0x100000);
	fill_up(&memblock.reserved, 128, 0x2000000);
	assert_int_equal(memblock.reserved.max, 128);
	take(&before);
	assert_panics(memblock_reserve(0x1000000, 1), "reserved");
	assert_panics(memblock_phys_free(0x2000100, 1), "reserved");
	assert_panics(memblock_phys_alloc(0x1000, 0x1000), "reserved");
	assert_panics(memblock_set_node(0x2000100, 1, &memblock.reserved, 3), "reserved");
	assert_unchanged(&before);
	fill_up(&memblock.memory, 128, 0x2000000);
	take(&before);
	assert_panics(memblock_add(0x1000000, 1), "memory");
	assert_panics(memblock_mark_hotplug(0x2000100, 1), "memory");
	assert_unchanged(&before);
}

/* An array grows only when the result needs it, not for entries that exist in between. */
void grow_not_before_the_result_needs_it(void **state)
{
	(void)state;
	fill_up(&memblock.memory, 128, 0);
	assert_int_equal(memblock_add(0x1000, 0x800), 0);
	assert_int_equal(memblock_add(0x1000, 0x1000), 0);
	assert_int_equal(memblock.memory.cnt, 127);
	memblock_remove(0, TOP);
	memblock_add(0, 0x1000);
	memblock_add_node(0x1000, 0x1000, 1, MEMBLOCK_NONE);
	memblock_add_node(0x4000, 0x1000, 1, MEMBLOCK_NONE);
	fill_up(&memblock.memory, 128, 0x10000);
	/* A border between two regions moves, down and up. */
	assert_int_equal(memblock_set_node(0x800, 0x800, &memblock.memory, 1), 0);
	assert_region(memory, 0, 0, 0x800, NONE, 0);
	assert_int_equal(memblock_set_node(0x800, 0xc00, &memblock.memory, NUMA_NO_NODE), 0);
	assert_region(memory, 1, 0x1400, 0xc00, 1, 0);
	/* Two regions become one, and another one is split. */
	assert_int_equal(memblock_set_node(0x1000, 0x3800, &memblock.memory, NUMA_NO_NODE), 0);
	assert_region(memory, 0, 0, 0x2000, NONE, 0);
	assert_region(memory, 2, 0x4800, 0x800, 1, 0);
	assert_int_equal(memblock.memory.cnt, 128);
	assert_int_equal(memblock.memory.max, 128);
}

void grow_at_the_129th(void **state)
{
	struct memblock_region *region;
	phys_addr_t array, bytes = 2ul * 128 * sizeof(*region);

	(void)state;
	memblock_allow_resize();
	memblock_add(0x1000, 32 * MIB);
	memset(phys_to_virt(0x1000), 0xff, 32 * MIB);
	fill_up(&memblock.reserved, 128, 0x100000);
	assert_int_equal(memblock.reserved.max, 128);
	memblock_reserve(0x80000, 0x1000);
	assert_int_equal(memblock.reserved.max, 256);
	assert_int_equal(memblock.reserved.cnt, 130);
	array = virt_to_phys(memblock.reserved.regions);
	assert_int_equal(array, 0x1000 + 32 * MIB - PAGE_ALIGN(bytes));
	assert_region(reserved, 129, array, PAGE_ALIGN(bytes), NONE, 0);
	for (region = &memblock.reserved.regions[130]; region < &memblock.reserved.regions[256];
	     region++)
		assert_int_equal(region->base | region->size | (unsigned int)region->nid, 0);

	/* When the array grows again, the memory of the old one is freed. */
	fill_up(&memblock.reserved, 257, 0x200000);
	assert_int_equal(memblock.reserved.max, 512);
	assert_false(memblock_is_reserved(array));
	assert_true(memblock_is_reserved(virt_to_phys(memblock.reserved.regions)));
	memblock_phys_free(0, 16 * MIB);
	assert_type(reserved, 1, PAGE_ALIGN(512 * sizeof(*region)));
}

void grow_keeps_clear_of_what_is_added(void **state)
{
	(void)state;
	memblock_add(0x100000, 0x10000);
	fill_up(&memblock.reserved, 128, 0x1000000);
	memblock_reserve(0x104000, 0xc000); /* the top of RAM, where the array would go */
	assert_int_equal(virt_to_phys(memblock.reserved.regions), 0x102000);
	assert_type(reserved, 129, 128 * 0x1000 + 0xe000);

	reset();
	memblock_set_bottom_up(true);
	memblock_add(0x100000, 0x10000);
	fill_up(&memblock.reserved, 128, 0x1000000);
	memblock_reserve(0x101000, 0x1000); /* there is room on both sides; above is tried first */
	assert_int_equal(virt_to_phys(memblock.reserved.regions), 0x102000);
}

void grow_without_room_changes_nothing(void **state)
{
	static struct snapshot before;

	(void)state;
	memblock_add(0x100000, 0x3000);
	fill_up(&memblock.reserved, 128, 0x1000000);
	take(&before);
	assert_int_equal(memblock_reserve(0x101000, 0x1000), -ENOMEM);
	assert_non_null(strstr(text, "no room for the reserved array"));
	assert_int_equal(memblock_phys_alloc(0x2000, 0x1000), 0);
	assert_null(memblock_alloc(0x2000, 0x1000));
	assert_unchanged(&before);
	memblock_set_current_limit(0x100000);
	before.fields.current_limit = 0x100000;
	assert_int_equal(memblock_reserve(0x1000, 0x1000), -ENOMEM);
	assert_unchanged(&before);
}

void grow_memory_and_reserved_together(void **state)
{
	static struct snapshot before;

	(void)state;
	memblock_add(0x100000, 0x4000);
	fill_up(&memblock.reserved, 128, 0x1000000);
	fill_up(&memblock.memory, 128, 0x2000000);
	memblock_set_current_limit(0x103000); /* room for one array only */
	take(&before);
	assert_int_equal(memblock_add(0x80000, 0x1000), -ENOMEM);
	assert_unchanged(&before);
	memblock_set_current_limit(0x104000);
	assert_int_equal(memblock_add(0x80000, 0x1000), 0);
	assert_int_equal(memblock.memory.max, 256);
	assert_int_equal(memblock.reserved.max, 256);
	assert_type(memory, 129, 0x4000 + 128 * 0x1000);
	assert_type(reserved, 129, 128 * 0x1000 + 0x4000);
}

void grow_for_many_holes_at_once(void **state)
{
	(void)state;
	memblock_add_node(0x1000000, 0x100000, 1, MEMBLOCK_NONE);
	fill_up(&memblock.memory, 128, 0x2000000);
	assert_int_equal(memblock_add_node(0, GIB, 2, MEMBLOCK_NONE), 0);
	assert_int_equal(memblock.memory.cnt, 128 + 129);
	assert_int_equal(memblock.memory.max, 512);
}

/*
 * memblock_free_all() enters each reserved region's node. The array that grows while it does so for
 * node 1 comes from node 0, whose regions it has already passed.
 */
void grow_during_the_hand_over(void **state)
{
	const struct memblock_region *region;

	(void)state;
	memblock_add_node(0x100000, 0x10000, 0, MEMBLOCK_NONE);
	memblock_add_node(0x200000, 0x10000, 1, MEMBLOCK_NONE);
	memblock_reserve(0x20f000, 0x2000);
	fill_up(&memblock.reserved, 128, 0x1000000);
	memblock_free_all();
	assert_int_equal(memblock.reserved.max, 256);
	for_each_reserved_mem_region(region)
		assert_int_equal(region->nid, region->base < 0x200000   ? 0
					      : region->base < 0x210000 ? 1
									: NONE);
	for (unsigned int i = 0; i < nr_blocks; i++)
		assert_false(memblock_is_region_reserved(PFN_PHYS(blocks[i].pfn),
							 PAGE_SIZE << blocks[i].order));
}

/*
 * What memblock has as free is the allocator's by then, and the weak memblock_late_array() has
 * nothing. A memblock that was emptied is before the hand-over again.
 */
void grow_after_the_hand_over_takes_no_free_memory(void **state)
{
	static struct snapshot before;

	(void)state;
	memblock_add(0x1000, 32 * MIB);
	fill_up(&memblock.reserved, 128, 0x3000000);
	fill_up(&memblock.memory, 128, 0x5000000);
	memblock_free_all();
	take(&before);
	assert_int_equal(memblock_reserve(0x100000, 0x1000), -ENOMEM);
	assert_non_null(strstr(text, "no room for the reserved array to grow from 128 to 256"));
	assert_int_equal(memblock_add_node(0x4000000, 0x1000, 0, MEMBLOCK_HOTPLUG), -ENOMEM);
	assert_non_null(strstr(text, "no room for the memory array to grow from 128 to 256"));
	assert_unchanged(&before);

	reset();
	memblock_add(0x1000, 32 * MIB);
	fill_up(&memblock.reserved, 129, 0x3000000);
	fill_up(&memblock.memory, 129, 0x5000000);
	assert_true(virt_to_phys(memblock.reserved.regions) < 32 * MIB);
	assert_true(virt_to_phys(memblock.memory.regions) < 32 * MIB);
}

void grow_with_slab(void **state)
{
	struct memblock_region *from_slab;

	(void)state;
	slab_up = true;
	fill_up(&memblock.reserved, 129, 0x1000000);
	assert_int_equal(nr_kmallocs, 1);
	assert_type(reserved, 129, 129 * 0x1000);
	fill_up(&memblock.reserved, 257, 0x2000000);
	assert_int_equal(nr_kmallocs,
			 2); /* if the first were not freed, LeakSanitizer would say so */
	from_slab = memblock.reserved.regions;
	reset();
	kfree(from_slab);
}

/* An array without entries cannot grow, because it grows by doubling. */
void grow_of_nothing_panics(void **state)
{
	(void)state;
	memblock.memory.max = 0;
	assert_panics(memblock_add(0x1000, 0x1000), "memory array is full with 0 regions");
	memblock.memory.max = 128;
}

/* An array whose memory a limit has removed is not freed, neither by memblock nor by kfree(). */
void grow_leaves_an_array_beyond_a_limit(void **state)
{
	phys_addr_t array;

	(void)state;
	memblock_add(0x1000, 0x100000);
	fill_up(&memblock.memory, 129, 0x2000000);
	array = virt_to_phys(memblock.memory.regions);
	assert_true(memblock_is_reserved(array) && array > 0x81000);
	memblock_enforce_memory_limit(0x80000);
	assert_type(memory, 1, 0x80000);
	assert_false(memblock_is_reserved(array));
	fill_up(&memblock.memory, 257, 0x4000000);
	assert_int_equal(memblock.memory.max, 512);
	assert_int_equal(nr_kfrees, 0);
}
