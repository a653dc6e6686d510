/*
 * asking.c: tests flags, questions, loops, limits and the hand-over of memblock.
 */
#include "tests/host/memblock/fixture.h"

#include "mm/memblock_array.h"
#include "mm/page.h"

/* Flags and asking. */

void flags_split_and_merge(void **state)
{
	(void)state;
	memblock_add(0x1000, 0x8000);
	assert_int_equal(memblock_mark_hotplug(0x3000, 0x1000), 0);
	assert_type(memory, 3, 0x8000);
	assert_region(memory, 1, 0x3000, 0x1000, NONE, MEMBLOCK_HOTPLUG);
	assert_true(memblock_is_hotpluggable(&memblock.memory.regions[1]));
	memblock_mark_nomap(0x3800, 0x1800);
	assert_type(memory, 5, 0x8000);
	assert_region(memory, 2, 0x3800, 0x800, NONE, MEMBLOCK_HOTPLUG | MEMBLOCK_NOMAP);
	assert_true(memblock_is_nomap(&memblock.memory.regions[2]));
	memblock_clear_hotplug(0, TOP);
	assert_type(memory, 3, 0x8000);
	memblock_clear_nomap(0, TOP);
	assert_type(memory, 1, 0x8000);
	memblock_reserve(0x1000, 0x3000);
	memblock_reserved_mark_noinit(0x2000, 0x1000);
	assert_type(reserved, 3, 0x3000);
	assert_true(memblock_is_reserved_noinit(&memblock.reserved.regions[1]));
}

void flags_and_allocation(void **state)
{
	(void)state;
	memblock_add(0x1000, 0x1000);
	memblock_add_node(0x10000, 0x1000, 0, MEMBLOCK_DRIVER_MANAGED);
	memblock_add_node(0x20000, 0x1000, 0, MEMBLOCK_NOMAP);
	memblock_add_node(0x30000, 0x1000, 0, MEMBLOCK_HOTPLUG);
	assert_int_equal(memblock_phys_alloc(0x800, 0x800), 0x30800);
	movable_node_enabled = true;
	assert_true(movable_node_is_enabled());
	assert_int_equal(memblock_phys_alloc(0x800, 0x800), 0x1800);
	assert_int_equal(memblock_phys_alloc(0x800, 0x800), 0x1000);
	assert_int_equal(memblock_phys_alloc(0x800, 0x800), 0);
	assert_true(memblock_is_driver_managed(&memblock.memory.regions[1]));
	assert_false(memblock_is_mirror(&memblock.memory.regions[1]));
}

void asking(void **state)
{
	unsigned long start = 0, end = 0;

	(void)state;
	memblock_add_node(0x1000, 0x3000, 0, MEMBLOCK_NONE);
	memblock_add_node(0x4000, 0x1000, 1, MEMBLOCK_NOMAP);
	memblock_add(0x8000, 0x1000);
	memblock_reserve(0x2000, 0x800);
	assert_int_equal(memblock_phys_mem_size(), 0x5000);
	assert_int_equal(memblock_reserved_size(), 0x800);
	assert_int_equal(memblock_start_of_DRAM(), 0x1000);
	assert_int_equal(memblock_end_of_DRAM(), 0x9000);
	assert_int_equal(memblock_estimated_nr_free_pages(), 4);
	assert_true(memblock_is_memory(0x4fff) && !memblock_is_memory(0x5000));
	assert_true(memblock_is_map_memory(0x3fff) && !memblock_is_map_memory(0x4000));
	assert_false(memblock_is_map_memory(0x5000));
	assert_true(memblock_is_reserved(0x27ff) && !memblock_is_reserved(0x2800));
	assert_true(memblock_is_region_memory(0x1000, 0x3000));
	assert_false(memblock_is_region_memory(0x1000, 0x3001));
	assert_false(memblock_is_region_memory(0x5000, 0));
	assert_false(memblock_is_memory(TOP));
	assert_int_equal(memblock_search_pfn_nid(2, &start, &end), 0);
	assert_true(start == 1 && end == 4);
	assert_int_equal(memblock_search_pfn_nid(4, &start, &end), 1);
	assert_int_equal(memblock_search_pfn_nid(8, &start, &end), NUMA_NO_NODE);
	assert_int_equal(memblock_search_pfn_nid(5, &start, &end), NUMA_NO_NODE);
	assert_int_equal(memblock_search_pfn_nid((1ul << 52) + 2, &start, &end), NUMA_NO_NODE);
	assert_true(memblock_validate_numa_coverage(0x1000));
	assert_false(memblock_validate_numa_coverage(0xfff));
	assert_true(pfn_valid(4) && !pfn_valid(5) && !pfn_valid(0));
	assert_false(pfn_valid((1ul << 52) + 4) || pfn_valid(~0ul));
	memblock_add(PFN_PHYS(MM_MAX_PFN) - PAGE_SIZE, 2 * PAGE_SIZE);
	assert_true(pfn_valid(MM_MAX_PFN - 1) && !pfn_valid(MM_MAX_PFN));
	memblock_reserve(0, TOP);
	assert_int_equal(memblock_estimated_nr_free_pages(), 0);
}

void limits(void **state)
{
	(void)state;
	memblock_add(0x1000, 0x3000);
	memblock_add(0x8000, 0x4000);
	memblock_add_node(0x20000, 0x1000, 0, MEMBLOCK_NOMAP);
	memblock_reserve(0x9000, 0x8000);
	memblock_enforce_memory_limit(0);
	memblock_enforce_memory_limit(0x9000);
	memblock_mem_limit_remove_map(0x9000);
	memblock_mem_limit_remove_map(0);
	assert_type(memory, 3, 0x8000);
	memblock_mem_limit_remove_map(0x5000);
	assert_type(memory, 3, 0x6000);
	assert_region(memory, 1, 0x8000, 0x2000, NONE, 0);
	assert_region(reserved, 0, 0x9000, 0x1000, NONE, 0);
	memblock_cap_memory_range(0x2000, 0x7000);
	assert_type(memory, 3, 0x4000);
	assert_region(memory, 0, 0x2000, 0x2000, NONE, 0);
	assert_region(memory, 1, 0x8000, 0x1000, NONE, 0);
	assert_type(reserved, 0, 0);
	memblock_cap_memory_range(0x100000, 0);
	assert_type(memory, 3, 0x4000);
	memblock_enforce_memory_limit(0x1800);
	assert_type(memory, 1, 0x1800);
	memblock_cap_memory_range(0x2800, 0x800);
	assert_region(memory, 0, 0x2800, 0x800, NONE, 0);
}

void copies_of_regions(void **state)
{
	struct memblock_region region;

	(void)state;
	assert_false(memblock_copy_region(&memblock.memory, 0, &region));
	memblock_add_node(0x1000, 0x3000, 0, MEMBLOCK_HOTPLUG);
	memblock_add_node(0x4000, 0x1000, 1, MEMBLOCK_NONE);
	assert_true(memblock_copy_region(&memblock.memory, 0, &region));
	assert_memory_equal(&region, &memblock.memory.regions[0], sizeof(region));
	assert_true(memblock_copy_region(&memblock.memory, 1, &region));
	assert_memory_equal(&region, &memblock.memory.regions[1], sizeof(region));
	assert_false(memblock_copy_region(&memblock.memory, 2, &region));
	assert_false(memblock_copy_region(&memblock.memory, ~0ul, &region));
}

void loops(void **state)
{
	static const phys_addr_t free_ranges[][2] = {
		{ 0x1000, 0x2000 }, { 0x2800, 0x4000 }, { 0x4000, 0x5000 }, { 0x8800, 0x9000 }
	};
	unsigned long long i;
	unsigned long start_pfn, end_pfn, j, n = 0;
	struct memblock_region *region;
	phys_addr_t start, end;
	int k, nid, frames[2] = { 0, 0 };

	(void)state;
	memblock_add_node(0x1000, 0x3000, 0, MEMBLOCK_NONE);
	memblock_add_node(0x4000, 0x1000, 1, MEMBLOCK_HOTPLUG);
	memblock_add_node(0x6000, 0x1000, 1, MEMBLOCK_NOMAP);
	memblock_add_node(0x8000, 0x1000, 1, MEMBLOCK_DRIVER_MANAGED);
	memblock_add(0xa800, 0x400);
	memblock_reserve(0x2000, 0x800);
	memblock_reserve(0x6000, 0x2800);
	memblock_reserve(0xa000, 0x10000);

	for_each_mem_region(region)
		n += region->size;
	assert_int_equal(n, memblock.memory.total_size);
	for_each_reserved_mem_region(region)
		n -= region->size;
	assert_int_equal(n, 0x6400 - 0x13000);

	n = 0;
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_DRIVER_MANAGED, &start, &end, &nid) {
		assert_true(start == free_ranges[n][0] && end == free_ranges[n][1]);
		assert_int_equal(nid, n >= 2);
		n++;
	}
	assert_int_equal(n, 4);
	for_each_free_mem_range_reverse(j, MAX_NUMNODES, MEMBLOCK_DRIVER_MANAGED, &start, &end,
					NULL) {
		n--;
		assert_true(n < 4 && start == free_ranges[n][0] && end == free_ranges[n][1]);
	}
	assert_int_equal(n, 0);
	for_each_free_mem_range(j, 1, MEMBLOCK_NONE, &start, NULL, NULL) {
		assert_int_equal(start, 0x4000);
		n++;
	}
	assert_int_equal(n, 1);
	for_each_free_mem_range(j, 1, MEMBLOCK_NONE, NULL, &end, NULL) {
		assert_int_equal(end, 0x5000);
		n++;
	}
	assert_int_equal(n, 2);

	n = 0;
	for_each_mem_range(i, &start, &end)
		n += end - start;
	assert_int_equal(n, 0x6400 - 0x1000);
	for_each_mem_range_rev(i, &start, &end)
		n -= end - start;
	assert_int_equal(n, 0);
	for_each_reserved_mem_range(i, &start, &end)
		n += end - start;
	assert_int_equal(n, memblock.reserved.total_size);

	memblock_add(0xc000, 0x800); /* half a frame */
	for_each_mem_pfn_range(k, -5, &start_pfn, &end_pfn, &nid) {
		assert_true(start_pfn < end_pfn);
		frames[nid] += (int)(end_pfn - start_pfn);
	}
	assert_true(frames[0] == 3 && frames[1] == 3);
	for_each_mem_pfn_range(k, 1, NULL, &end_pfn, NULL)
		frames[1]--;
	assert_int_equal(frames[1], 0);
	for_each_mem_pfn_range(k, MAX_NUMNODES, &start_pfn, NULL, NULL)
		frames[1]++;
	assert_int_equal(frames[1], 4);
	region = &memblock.memory.regions[4];
	assert_int_equal(memblock_region_memory_base_pfn(region), 0xb);
	assert_int_equal(memblock_region_memory_end_pfn(region), 0xa);
	assert_int_equal(memblock_region_reserved_base_pfn(region), 0xa);
	assert_int_equal(memblock_region_reserved_end_pfn(region), 0xb);
	memblock_remove(0, TOP);
	for_each_mem_range_rev(i, NULL, NULL)
		fail();
	for_each_mem_pfn_range(k, -1, NULL, NULL, NULL)
		fail();
}

/* Loops leave out regions with some flags, unless the loop asks for these flags. */
void loops_by_flags(void **state)
{
	phys_addr_t start, sum = 0;
	uint64_t i;

	(void)state;
	memblock_add(0x1000, 0x1000);
	memblock_add_node(0x4000, 0x1000, 1, MEMBLOCK_HOTPLUG);
	memblock_add_node(0x8000, 0x1000, 1, MEMBLOCK_NOMAP);
	movable_node_enabled = true;
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, NULL, NULL)
		sum += start;
	assert_int_equal(sum, 0x1000);
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_HOTPLUG, &start, NULL, NULL)
		sum += start;
	assert_int_equal(sum, 0x1000 + 0x5000);
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NOMAP, &start, NULL, NULL)
		sum += start;
	assert_int_equal(sum, 0x6000 + 0x9000);
}

void dump_in_linux_form(void **state)
{
	(void)state;
	memblock_add_node(0x1000, 0x9e000, 0, MEMBLOCK_HOTPLUG);
	memblock_reserve(0x2000, 0x800);
	memblock_dump_all();
	assert_int_equal(text_length, 0);
	memblock_debug = true;
	memblock_dump_all();
	assert_string_equal(text,
			    "MEMBLOCK configuration:\n"
			    " memory size = 0x000000000009e000 reserved size = 0x0000000000000800\n"
			    " memory.cnt  = 0x1\n"
			    " memory[0x0]\t[0x0000000000001000-0x000000000009efff], "
			    "0x000000000009e000 bytes on node 0 flags: 0x1\n"
			    " reserved.cnt  = 0x1\n"
			    " reserved[0x0]\t[0x0000000000002000-0x00000000000027ff], "
			    "0x0000000000000800 bytes flags: 0x0\n");
}

/* memblock_check() names each invariant that is broken here on purpose. */
void check_names_what_is_broken(void **state)
{
	struct memblock_region *region = memblock.memory.regions;

	(void)state;
	memblock_add(0x1000, 0x1000);
	memblock_add_node(0x2000, 0x1000, 1, MEMBLOCK_NONE);
	assert_null(memblock_check());
	region[1].base = 0x1800;
	assert_memory_equal(memblock_check(), "M1", 2);
	region[1].base = 0x2000;
	region[1].size = 0;
	assert_memory_equal(memblock_check(), "M1", 2);
	region[1].size = (phys_addr_t)0 - 0x1000; /* ends beyond the address space */
	assert_memory_equal(memblock_check(), "M1", 2);
	region[1].size = 0x1000;
	region[1].nid = MAX_NUMNODES;
	assert_memory_equal(memblock_check(), "M2", 2);
	region[1].nid = NUMA_NO_NODE;
	assert_memory_equal(memblock_check(), "M5", 2);
	region[1].nid = 1;
	region[1].size++;
	assert_memory_equal(memblock_check(), "M3", 2);
	region[1].size--;
	memblock.reserved.cnt = 129;
	assert_memory_equal(memblock_check(), "M4", 2);
	memblock.reserved.cnt = 0;
	memblock.reserved.regions[0].size = 1;
	assert_memory_equal(memblock_check(), "M4", 2);
	memblock.reserved.regions[0].size = 0;
	assert_null(memblock_check());
}

/*
 * memblock_array.h's functions are called as memblock never does: with an array that is full, and
 * with a range in which there are no regions.
 */
void steps_refuse_what_callers_never_ask(void **state)
{
	struct memblock_region regions[2] = { { 0x1000, 0x1000, 0, MAX_NUMNODES } };
	struct memblock_type type = { 1, 1, 0x1000, regions, "small" };
	const struct memblock_region hole = { 0x4000, 0x1000, 0, MAX_NUMNODES };

	(void)state;
	assert_panics(regions_fill(&type, 1, &hole), "no entry left in small: cnt 1, max 1");
	assert_int_equal(type.cnt, 1);
	regions_carve(&type, 0x8000, 0x9000);
	assert_true(type.cnt == 1 && type.total_size == 0x1000 && !regions_check(&type));
}

/* Handing over. */

void free_all_largest_aligned_blocks(void **state)
{
	unsigned long pages = totalram_pages(), frames = 0, next = 0;

	(void)state;
	memblock_add(0, 2 * GIB + 0x5000);
	memblock_reserve(0, 0x1000);
	memblock_reserve(0x100800, 0x800);
	memblock_reserve(0x102000, 0x800);
	memblock_free_all();
	for (unsigned int i = 0; i < nr_blocks; i++) {
		unsigned long pfn = blocks[i].pfn, nr = 1ul << blocks[i].order;

		assert_true(pfn % nr == 0 && blocks[i].order <= MAX_PAGE_ORDER && pfn >= next);
		if (pfn > next)
			assert_true(memblock_is_region_reserved(PFN_PHYS(pfn - 1), PAGE_SIZE));
		next = pfn + nr;
		frames += nr;
	}
	assert_int_equal(next, PFN_DOWN(2 * GIB + 0x5000));
	assert_int_equal(frames, next - 3);
	assert_int_equal(totalram_pages() - pages, frames);
	/*
	 * Frames 1 to 0xff are 8 blocks, frame 0x101 is one, frames 0x103 to 0x3ffff are 16; then
	 * come a GiB, 4 frames and 1 frame.
	 */
	assert_int_equal(nr_blocks, 8 + 1 + 16 + 1 + 1 + 1);
}

void free_all_from_frame_0(void **state)
{
	(void)state;
	memblock_add(0, 4 * GIB);
	memblock_free_all();
	assert_int_equal(nr_blocks, 4);
	assert_true(blocks[0].pfn == 0 && blocks[0].order == MAX_PAGE_ORDER);
	memblock_reserve(0x10000, 0x3000);
	nr_blocks = 0;
	memblock_free_late(0x10800, 0x2000);
	assert_true(nr_blocks == 1 && blocks[0].pfn == 0x11 && blocks[0].order == 0);
	assert_region(reserved, 0, 0x10000, 0x1000, NONE, 0);
	assert_region(reserved, 1, 0x12000, 0x1000, NONE, 0);
	assert_type(reserved, 2, 0x2000);
}

/* Both directions, for memory that comes and goes. */
void hand_over_and_take_back(void **state)
{
	unsigned long pages = totalram_pages();

	(void)state;
	memblock_add(0x10000, 0x10000);
	memblock_hand_over(0x11, 0x13);
	assert_int_equal(nr_blocks, 2);
	assert_true(blocks[0].pfn == 0x11 && blocks[1].pfn == 0x12 && blocks[1].order == 0);
	memblock_hand_over(0x13, 0x13);
	assert_int_equal(totalram_pages() - pages, 2);
	memblock_take_back(2);
	assert_int_equal(totalram_pages(), pages);
}

/* The range has two nodes, so two regions in either array. Parts of frames stay reserved. */
void free_late_takes_what_is_reserved(void **state)
{
	unsigned long pages;

	(void)state;
	memblock_add_node(0x10000, 0x10000, 0, MEMBLOCK_NONE);
	memblock_add_node(0x20000, 0x10000, 1, MEMBLOCK_NONE);
	memblock_reserve(0x1e800, 0x5000);
	memblock_reserve(0x2f000, 0x2000);
	memblock_free_all();
	nr_blocks = 0;
	pages = totalram_pages();
	memblock_free_late(0x1e800, 0);
	memblock_free_late(0x1e800, 0x1000);
	assert_int_equal(nr_blocks, 0);
	memblock_free_late(0x1e800, 0x5000);
	assert_int_equal(nr_blocks, 4);
	for (unsigned int i = 0; i < nr_blocks; i++)
		assert_true(blocks[i].pfn == 0x1f + i && blocks[i].order == 0);
	assert_int_equal(totalram_pages() - pages, 4);
	assert_region(reserved, 0, 0x1e800, 0x800, 0, 0);
	assert_region(reserved, 1, 0x23000, 0x800, 1, 0);
	assert_type(reserved, 4, 0x3000);

	assert_panics(memblock_free_late(0x1f000, 0x1000), "[mem 0x1f000-0x1ffff] is given back");
	assert_panics(memblock_free_late(0x2e000, 0x2000), "[mem 0x2e000-0x2ffff] is given back");
	assert_panics(memblock_free_late(0x2f000, 0x2000), "[mem 0x2f000-0x30fff] is given back");
	assert_int_equal(nr_blocks, 4);
	assert_type(reserved, 4, 0x3000);
}

void free_all_flags_and_nodes(void **state)
{
	(void)state;
	memblock_add_node(0x1000, 0x4000, 0, MEMBLOCK_HOTPLUG);
	memblock_add_node(0x5000, 0x4000, 1, MEMBLOCK_NONE);
	memblock_add_node(0x9000, 0x1000, 1, MEMBLOCK_NOMAP);
	memblock_reserve(0x4000, 0x2000);
	memblock_reserve(0x20000, 0x1000);
	movable_node_enabled = true;
	memblock_free_all();
	assert_region(memory, 0, 0x1000, 0x4000, 0, MEMBLOCK_HOTPLUG);
	assert_region(reserved, 0, 0x4000, 0x1000, 0, 0);
	assert_region(reserved, 1, 0x5000, 0x1000, 1, 0);
	assert_region(reserved, 2, 0x20000, 0x1000, NONE, 0);
	for (unsigned int i = 0; i < nr_blocks; i++)
		assert_true(blocks[i].pfn < 4 || (blocks[i].pfn >= 6 && blocks[i].pfn < 9));
}
