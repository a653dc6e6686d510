/*
 * named.c: tests nodes that the user names, nodes that are made up, and the words of corrections.
 */
#include "tests/host/numa/fixture.h"

#include <string.h>

/* Nodes that the user names. */

void named_by_the_user(void **state)
{
	(void)state;
	add_ram(0, 2 * GIB);
	add_ram(4 * GIB, 8 * GIB);
	give(3, 4 * GIB, 5 * GIB);
	give(1, 0, GIB);
	give(3, GIB, 4 * GIB + 512 * MIB);
	give(1, 5 * GIB, 5 * GIB);
	give(6, 9 * GIB, 10 * GIB);
	give(0, 512 * MIB, GIB);
	give(2, 6 * GIB, 7 * GIB + MIB - 1);
	give(0, 7 * GIB + MIB - 1, 8 * GIB);
	read_given();
	ASSERT_DOMAINS(0, 1, 2, 3, 4, 5, 6);
	assert_default_distances();
	assert_int_equal(map.nr_cpus, 0);
	assert_int_equal(map.nr_ranges, 4);
	assert_range(0, 0, GIB, 1);
	assert_range(1, GIB, 6 * GIB, 3);
	assert_range(2, 6 * GIB, 7 * GIB, 2);
	assert_range(3, 7 * GIB, 8 * GIB, 0);
	assert_int_equal(map.nr_corrections, 3);
	assert_correction(0, NUMA_OVERLAP, 512 * MIB, GIB, 5);
	assert_correction(1, NUMA_NO_ENTRY, 5 * GIB, 6 * GIB, 0);
	assert_correction(2, NUMA_SPLIT_BLOCK, 7 * GIB, 7 * GIB + NUMA_BLOCK, 0);
}

void wrong_numbers_of_the_user(void **state)
{
	(void)state;
	add_ram(0, 4 * GIB);
	give(63, GIB, 2 * GIB);
	give(2, 0, GIB);
	give(UINT32_MAX, 2 * GIB, 3 * GIB);
	given[nr_given++] = (struct numa_range){ .base = 3 * GIB, .size = UINT64_MAX, .nid = 1 };
	read_given();
	ASSERT_DOMAINS(0, 1, 2);
	assert_int_equal(map.nr_ranges, 3);
	assert_range(0, 0, GIB, 2);
	assert_range(1, GIB, 3 * GIB, 0);
	assert_range(2, 3 * GIB, 4 * GIB, 1);
	assert_int_equal(map.nr_corrections, 3);
	assert_correction(0, NUMA_TOO_MANY, GIB, 2 * GIB, 0);
	assert_correction(1, NUMA_TOO_MANY, 2 * GIB, 3 * GIB, 2);
	assert_correction(2, NUMA_WRAP, 3 * GIB, 0, 3);
}

void nothing_named_by_the_user(void **state)
{
	(void)state;
	add_ram(0, GIB);
	read_given();
	assert_one_node();
	assert_correction(0, NUMA_NO_ENTRY, 0, GIB, 0);
	nr_given = 0;
	give(62, GIB, 2 * GIB);
	read_given();
	assert_int_equal(map.nr_nodes, 63);
	assert_range(0, 0, GIB, 0);
}

void too_much_named_by_the_user(void **state)
{
	(void)state;
	add_ram(0, NUMA_MAX_ENTRIES * NUMA_BLOCK);
	for (uint32_t i = 0; i < NUMA_MAX_ENTRIES + 1; i++)
		give(i % 2 ? 1 : 3, i * NUMA_BLOCK, (i + 1) * NUMA_BLOCK);
	give(9, 0, GIB);
	read_given();
	assert_int_equal(map.nr_nodes, 4);
	assert_int_equal(map.nr_ranges, NUMA_MAX_ENTRIES);
	assert_int_equal(map.nr_corrections, 2);
	assert_correction(0, NUMA_TOO_MANY, NUMA_MAX_ENTRIES * NUMA_BLOCK,
			  (NUMA_MAX_ENTRIES + 1) * NUMA_BLOCK, NUMA_MAX_ENTRIES);
	assert_correction(1, NUMA_TOO_MANY, 0, GIB, NUMA_MAX_ENTRIES + 1);
}

/* Nodes that are made up. */

/* Returns the RAM in a node's ranges. */
static uint64_t ram_of_node(uint32_t nid)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < map.nr_ranges; i++)
		for (uint32_t k = 0; k < nr_ram; k++) {
			uint64_t base = map.ranges[i].base, end = base + map.ranges[i].size;
			uint64_t ram_end = ram[k].base + ram[k].size;

			base = base > ram[k].base ? base : ram[k].base;
			end = end < ram_end ? end : ram_end;
			if (map.ranges[i].nid == nid && base < end)
				bytes += end - base;
		}
	return bytes;
}

/* Makes nodes: of all sizes up to as many as there can be, each within a block of its share. */
static void fake_all(void)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < nr_ram; i++)
		total += ram[i].size;
	for (uint32_t nodes = 1; nodes <= NUMA_MAX_NODES; nodes++) {
		numa_fake(&map, nodes, ram, nr_ram);
		check_invariants();
		assert_int_equal(map.nr_nodes, nodes);
		assert_int_equal(map.nr_ranges, nodes);
		assert_int_equal(map.nr_cpus, 0);
		assert_int_equal(map.nr_corrections, 0);
		assert_default_distances();
		for (uint32_t nid = 0; nid < nodes; nid++) {
			uint64_t bytes = ram_of_node(nid), share = total / nodes;

			assert_int_equal(map.ranges[nid].nid, nid);
			assert_int_equal(map.domain[nid], nid);
			assert_true(bytes > 0);
			assert_true((bytes > share ? bytes - share : share - bytes) <= NUMA_BLOCK);
		}
	}
}

void fake(void **state)
{
	(void)state;
	add_ram(4 * KIB, 639 * KIB);
	add_ram(MIB, 128 * MIB - 128 * KIB);
	fake_all();
	reset();
	add_ram(0, 640 * KIB);
	add_ram(MIB, 3 * GIB + 4 * KIB);
	add_ram(4 * GIB, 5 * GIB + 12 * KIB);
	add_ram(5 * GIB + 16 * KIB, 5 * GIB + 3 * MIB);
	add_ram(60000 * GIB + 1, 60007 * GIB);
	fake_all();
	reset();
	add_ram(0, 1ull << 46);
	fake_all();
	/* An even share ends at the end of RAM. */
	reset();
	add_ram(0, GIB);
	add_ram(4 * GIB, 5 * GIB);
	numa_fake(&map, 2, ram, nr_ram);
	assert_range(0, 0, GIB, 0);
	assert_range(1, 4 * GIB, 5 * GIB, 1);
}

/* A share ends at the nearest border of a block; from the middle of a block that is the upper one.
 */
void fake_to_the_nearest_border(void **state)
{
	(void)state;
	add_ram(0, 6 * MIB);
	numa_fake(&map, 2, ram, nr_ram);
	assert_int_equal(map.nr_ranges, 2);
	assert_range(0, 0, 4 * MIB, 0);
	assert_range(1, 4 * MIB, 6 * MIB, 1);
	ram[0].size -= 2;
	numa_fake(&map, 2, ram, nr_ram);
	assert_int_equal(map.nr_ranges, 2);
	assert_range(0, 0, 2 * MIB, 0);
	assert_range(1, 2 * MIB, 6 * MIB, 1);
	/* What the first node has too much, the others have less, each as much. */
	ram[0].size = 10 * MIB;
	numa_fake(&map, 3, ram, nr_ram);
	assert_int_equal(map.nr_ranges, 3);
	assert_range(0, 0, 4 * MIB, 0);
	assert_range(1, 4 * MIB, 8 * MIB, 1);
	assert_range(2, 8 * MIB, 10 * MIB, 2);
	/* A hole is no part of a share. */
	ram[0].size = MIB;
	add_ram(3 * MIB, 6 * MIB);
	numa_fake(&map, 2, ram, nr_ram);
	assert_int_equal(map.nr_ranges, 2);
	assert_range(0, 0, 4 * MIB, 0);
	assert_range(1, 4 * MIB, 6 * MIB, 1);
}

/* With fewer blocks than nodes the first nodes have one each. */
void fake_with_little_ram(void **state)
{
	(void)state;
	add_ram(0, 640 * KIB);
	add_ram(MIB, 9 * MIB);
	numa_fake(&map, 63, ram, nr_ram);
	check_invariants();
	assert_int_equal(map.nr_nodes, 63);
	assert_int_equal(map.nr_ranges, 5);
	for (uint32_t i = 0; i < 5; i++)
		assert_range(i, i * NUMA_BLOCK, (i + 1) * NUMA_BLOCK, i);
	/* The second block of RAM lies behind a hole. */
	nr_ram = 0;
	add_ram(0, 2 * MIB);
	add_ram(8 * MIB, 10 * MIB);
	numa_fake(&map, 5, ram, nr_ram);
	assert_int_equal(map.nr_ranges, 2);
	assert_range(0, 0, 2 * MIB, 0);
	assert_range(1, 8 * MIB, 10 * MIB, 1);
	nr_ram = 0;
	numa_fake(&map, 4, ram, nr_ram);
	assert_int_equal(map.nr_nodes, 4);
	assert_int_equal(map.nr_ranges, 0);
}

/* Words. */

static void assert_text(struct numa_correction correction, const char *words)
{
	char text[NUMA_CORRECTION_TEXT];

	memset(text, 0x55, sizeof(text));
	assert_ptr_equal(numa_correction_text(&correction, text), text);
	assert_string_equal(text, words);
}

void words(void **state)
{
	char text[NUMA_CORRECTION_TEXT + 1];

	(void)state;
	assert_text((struct numa_correction){ GIB, GIB, NUMA_OVERLAP, 3 },
		    "overlap [mem 0x40000000-0x7fffffff]: the earlier entry keeps it");
	assert_text((struct numa_correction){ 0, 0, NUMA_BAD_SRAT, 0 },
		    "bad SRAT: node 0 has all memory");
	assert_text((struct numa_correction){ 0, 0, NUMA_BAD_SLIT, 0 },
		    "bad SLIT: replaced by distances of 10 and 20");
	assert_text((struct numa_correction){ GIB, 1, NUMA_NO_ENTRY, 0 },
		    "no entry [mem 0x40000000-0x40000000]: the nearest node below has it, or node "
		    "0");
	assert_text(
	    (struct numa_correction){ GIB, NUMA_BLOCK, NUMA_SPLIT_BLOCK, 0 },
	    "split block [mem 0x40000000-0x401fffff]: the node with most of its RAM has it");
	assert_text((struct numa_correction){ 0, 0, NUMA_SHORT_ENTRY, 7 },
		    "short entry (entry 7): left out");
	assert_text((struct numa_correction){ GIB, 0 - GIB, NUMA_WRAP, 7 },
		    "wrap [mem 0x40000000-0xffffffffffffffff]: cut at the end of the address "
		    "space");
	assert_text((struct numa_correction){ 0, 0, NUMA_CUT_SHORT, 12 },
		    "cut short (entry 12): the rest of the table is left out");
	assert_text((struct numa_correction){ 0, 0, NUMA_TOO_MANY, 70 },
		    "too many (entry 70): there is no room, or no node is left");
	assert_text((struct numa_correction){ 0, 0, NUMA_TOO_MANY, NUMA_SLIT },
		    "too many (SLIT): there is no room, or no node is left");
	/* The longest ones fit; each begins with its name. */
	for (uint32_t what = 0; what < NUMA_WHAT_COUNT; what++) {
		struct numa_correction c = { 1ull << 63, 0 - (1ull << 63), what, UINT32_MAX };
		const char *name = numa_what_name(what);

		text[NUMA_CORRECTION_TEXT] = 0x55;
		numa_correction_text(&c, text);
		assert_true(strlen(text) < NUMA_CORRECTION_TEXT - 1);
		assert_int_equal(text[NUMA_CORRECTION_TEXT], 0x55);
		assert_memory_equal(text, name, strlen(name));
		for (uint32_t other = 0; other < what; other++)
			assert_string_not_equal(name, numa_what_name(other));
	}
	assert_null(numa_what_name(NUMA_WHAT_COUNT));
	assert_text((struct numa_correction){ 0, 0, 99, 0 }, "correction 99");
}
