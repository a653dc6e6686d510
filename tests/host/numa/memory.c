/*
 * memory.c: tests which node has which memory.
 */
#include "tests/host/numa/fixture.h"

/* Whose memory it is. */

void merged(void **state)
{
	(void)state;
	add_ram(0, 4 * GIB);
	memory(0, 3 * GIB, 4 * GIB);
	memory(1, GIB, 2 * GIB);
	memory(1, 0, GIB);
	memory(1, 512 * MIB, 3 * GIB);
	memory(1, GIB, 2 * GIB);
	read_tables();
	ASSERT_DOMAINS(1, 0);
	assert_int_equal(map.nr_ranges, 2);
	assert_range(0, 0, 3 * GIB, 0);
	assert_range(1, 3 * GIB, 4 * GIB, 1);
	assert_int_equal(map.nr_corrections, 0);
}

void overlap(void **state)
{
	(void)state;
	add_ram(0, 8 * GIB);
	memory(4, 2 * GIB, 4 * GIB);
	memory(5, 3 * GIB, 6 * GIB);
	memory(6, 0, 8 * GIB);
	memory(7, 5 * GIB, 6 * GIB);
	read_tables();
	ASSERT_DOMAINS(6, 4, 5, 7);
	assert_int_equal(map.nr_ranges, 4);
	assert_range(0, 0, 2 * GIB, 0);
	assert_range(1, 2 * GIB, 4 * GIB, 1);
	assert_range(2, 4 * GIB, 6 * GIB, 2);
	assert_range(3, 6 * GIB, 8 * GIB, 0);
	assert_int_equal(map.nr_corrections, 3);
	assert_correction(0, NUMA_OVERLAP, 3 * GIB, 4 * GIB, 1);
	assert_correction(1, NUMA_OVERLAP, 2 * GIB, 6 * GIB, 2);
	assert_correction(2, NUMA_OVERLAP, 5 * GIB, 6 * GIB, 3);
}

void overlap_by_a_byte(void **state)
{
	(void)state;
	add_ram(0, 2 * GIB);
	memory(0, 0, GIB + 1);
	memory(1, GIB, 2 * GIB);
	read_tables();
	assert_int_equal(map.nr_corrections, 2);
	assert_correction(0, NUMA_OVERLAP, GIB, GIB + 1, 1);
	assert_correction(1, NUMA_SPLIT_BLOCK, GIB, GIB + NUMA_BLOCK, 0);
	assert_two_nodes();
}

void overlap_by_the_last_byte(void **state)
{
	(void)state;
	add_ram(0, 2 * GIB);
	memory(0, GIB, 2 * GIB);
	memory(1, 0, GIB + 1);
	read_tables();
	ASSERT_DOMAINS(1, 0);
	assert_int_equal(map.nr_corrections, 1);
	assert_correction(0, NUMA_OVERLAP, GIB, GIB + 1, 1);
}

/* Each entry lies around all before it: what is left of it is a block on either side. */
void all_overlap(void **state)
{
	const uint32_t nr = NUMA_MAX_ENTRIES;

	(void)state;
	add_ram(0, (uint64_t)nr * 2 * NUMA_BLOCK);
	for (uint32_t i = 0; i < nr; i++)
		memory(i % 3, (nr - 1 - i) * NUMA_BLOCK, (nr + 1 + i) * NUMA_BLOCK);
	read_tables();
	ASSERT_DOMAINS(0, 2, 1);
	assert_int_equal(map.nr_ranges, 2 * nr - 1);
	for (uint32_t i = 0; i < nr - 1; i++) {
		uint64_t block = (nr + 1 + i) * NUMA_BLOCK;

		assert_range(i, i * NUMA_BLOCK, (i + 1) * NUMA_BLOCK, i % 3);
		assert_range(nr + i, block, block + NUMA_BLOCK, (nr - 2 - i) % 3);
	}
	assert_range(nr - 1, (nr - 1) * NUMA_BLOCK, (nr + 1) * NUMA_BLOCK, 0);
	assert_true(map.nr_corrections > NUMA_MAX_CORRECTIONS);
	assert_correction(0, NUMA_OVERLAP, (nr - 1) * NUMA_BLOCK, (nr + 1) * NUMA_BLOCK, 1);
}

/* RAM that begins with the last byte of an entry, and RAM that ends with the first of one. */
void ram_by_the_byte(void **state)
{
	(void)state;
	add_ram(GIB - 1, GIB + 4 * KIB);
	add_ram(2 * GIB, 3 * GIB + 1);
	memory(7, 0, GIB);
	memory(3, GIB, 2 * GIB);
	memory(2, 3 * GIB, 4 * GIB);
	read_tables();
	ASSERT_DOMAINS(7, 3, 2);
	assert_int_equal(map.nr_ranges, 3);
	assert_range(0, GIB - NUMA_BLOCK, GIB, 0);
	assert_range(1, GIB, 3 * GIB, 1);
	assert_range(2, 3 * GIB, 3 * GIB + NUMA_BLOCK, 2);
	assert_int_equal(map.nr_corrections, 1);
	assert_correction(0, NUMA_NO_ENTRY, 2 * GIB, 3 * GIB, 0);
}

void beyond_the_end(void **state)
{
	(void)state;
	add_ram(0, 4 * GIB);
	memory(0, 0, GIB);
	srat_memory(&srat, 1, GIB, UINT64_MAX, ENABLED);
	srat_memory(&srat, 2, 2 * GIB, 0 - 2 * GIB, ENABLED); /* up to 2^64 precisely */
	srat_memory(&srat, 3, UINT64_MAX, 1, ENABLED);
	srat_memory(&srat, 3, UINT64_MAX, 2, ENABLED);
	read_tables();
	ASSERT_DOMAINS(0, 1, 2, 3);
	assert_range(1, GIB, 4 * GIB, 1);
	assert_int_equal(map.nr_corrections, 5);
	assert_correction(0, NUMA_WRAP, GIB, 0, 1);
	assert_correction(1, NUMA_OVERLAP, 2 * GIB, 0, 2);
	assert_correction(2, NUMA_OVERLAP, UINT64_MAX, 0, 3);
	assert_correction(3, NUMA_WRAP, UINT64_MAX, 0, 4);
	assert_correction(4, NUMA_OVERLAP, UINT64_MAX, 0, 4);
}

void all_of_the_address_space(void **state)
{
	(void)state;
	add_ram(0, GIB);
	srat_memory(&srat, 1, 0, UINT64_MAX, ENABLED);
	srat_memory(&srat, 2, 1, UINT64_MAX, ENABLED);
	srat_memory(&srat, 3, 0, UINT64_MAX, ENABLED);
	read_tables();
	ASSERT_DOMAINS(1, 2, 3);
	assert_int_equal(map.nr_ranges, 1);
	assert_int_equal(map.nr_corrections, 2);
	assert_correction(0, NUMA_OVERLAP, 1, UINT64_MAX, 1);
	assert_correction(1, NUMA_OVERLAP, 0, UINT64_MAX, 2);
}

void ram_in_no_entry(void **state)
{
	(void)state;
	add_ram(0, 3 * GIB);
	add_ram(4 * GIB, 6 * GIB);
	add_ram(6 * GIB, 9 * GIB);
	memory(8, GIB, 2 * GIB);
	memory(6, 5 * GIB, 5 * GIB + 512 * MIB);
	memory(7, 3 * GIB, 4 * GIB); /* no RAM of its own, but the nearest below some */
	memory(9, 20 * GIB, 21 * GIB);
	read_tables();
	ASSERT_DOMAINS(8, 7, 6, 9);
	assert_int_equal(map.nr_ranges, 3);
	assert_range(0, 0, 3 * GIB, 0);
	assert_range(1, 4 * GIB, 5 * GIB, 1);
	assert_range(2, 5 * GIB, 9 * GIB, 2);
	assert_int_equal(map.nr_corrections, 4);
	assert_correction(0, NUMA_NO_ENTRY, 0, GIB, 0);
	assert_correction(1, NUMA_NO_ENTRY, 2 * GIB, 3 * GIB, 0);
	assert_correction(2, NUMA_NO_ENTRY, 4 * GIB, 5 * GIB, 0);
	assert_correction(3, NUMA_NO_ENTRY, 5 * GIB + 512 * MIB, 9 * GIB, 0);
}

/* The last correction that is listed is extended by RAM that continues it; one that is not listed
   cannot be, so what continues it counts as well. */
void full_list_of_corrections(void **state)
{
	(void)state;
	for (uint32_t over = 0; over < 2; over++) {
		const uint32_t nr = NUMA_MAX_CORRECTIONS + over, last = NUMA_MAX_CORRECTIONS - 1;
		const uint64_t middle = (2 * nr - 1) * NUMA_BLOCK + MIB;

		reset();
		add_ram(0, middle);
		add_ram(middle, 2ull * nr * NUMA_BLOCK);
		for (uint32_t i = 0; i < nr; i++)
			memory(0, 2ull * i * NUMA_BLOCK, (2ull * i + 1) * NUMA_BLOCK);
		read_tables();
		assert_int_equal(map.nr_corrections, nr + over);
		assert_correction(last, NUMA_NO_ENTRY, (2 * last + 1) * NUMA_BLOCK,
				  (2 * last + 2) * NUMA_BLOCK, 0);
	}
}

/* RAM below all entries is node 0's, also where that has none otherwise. */
void ram_below_all_entries(void **state)
{
	(void)state;
	add_ram(0, GIB);
	memory(5, 2 * GIB, 3 * GIB);
	srat_cpu(&srat, 4, 0, ENABLED);
	read_tables();
	ASSERT_DOMAINS(4, 5);
	assert_int_equal(map.nr_ranges, 1);
	assert_range(0, 0, GIB, 0);
	assert_int_equal(map.nr_corrections, 1);
}

void most_of_a_block(void **state)
{
	const uint64_t block = NUMA_BLOCK;

	(void)state;
	add_ram(0, 6 * block);
	memory(0, 0, block + MIB - 1);
	memory(1, block + MIB - 1, 3 * block + MIB); /* one byte more of block 1 */
	memory(2, 3 * block + MIB, 4 * block);       /* half of block 3: the lower has it */
	memory(1, 4 * block, 5 * block + 512 * KIB);
	memory(2, 5 * block + 512 * KIB, 5 * block + 1536 * KIB);
	memory(3, 5 * block + 1536 * KIB, 6 * block);
	read_tables();
	ASSERT_DOMAINS(0, 1, 2, 3);
	assert_int_equal(map.nr_ranges, 3);
	assert_range(0, 0, block, 0);
	assert_range(1, block, 5 * block, 1);
	assert_range(2, 5 * block, 6 * block, 2);
	assert_int_equal(map.nr_corrections, 3);
	assert_correction(0, NUMA_SPLIT_BLOCK, block, 2 * block, 0);
	assert_correction(1, NUMA_SPLIT_BLOCK, 3 * block, 4 * block, 0);
	assert_correction(2, NUMA_SPLIT_BLOCK, 5 * block, 6 * block, 0);
}

/* RAM counts, and not what an entry names besides. */
void most_of_the_ram_of_a_block(void **state)
{
	(void)state;
	add_ram(0, 4 * KIB);
	add_ram(1536 * KIB, 2 * MIB);
	add_ram(2 * MIB, 4 * MIB);
	memory(0, 0, 1536 * KIB);
	memory(1, 1536 * KIB, 2 * MIB);
	memory(0, 2 * MIB, 4 * MIB);
	read_tables();
	assert_int_equal(map.nr_ranges, 2);
	assert_range(0, 0, 2 * MIB, 1);
	assert_range(1, 2 * MIB, 4 * MIB, 0);
	/* A block where a second node has no RAM is not split. */
	nr_ram = 0;
	add_ram(0, MIB);
	add_ram(2 * MIB, 4 * MIB);
	read_tables();
	assert_int_equal(map.nr_corrections, 0);
	assert_range(0, 0, 4 * MIB, 0);
	ASSERT_DOMAINS(0, 1);
}

void holes(void **state)
{
	(void)state;
	add_ram(3 * MIB, 5 * MIB);
	add_ram(GIB + 4 * KIB, GIB + 8 * KIB);
	add_ram(60000 * GIB, 60001 * GIB);
	memory(1, 0, GIB);
	memory(2, GIB, 30000 * GIB);
	memory(1, 30000 * GIB, 65536 * GIB);
	read_tables();
	ASSERT_DOMAINS(1, 2);
	assert_int_equal(map.nr_ranges, 3);
	assert_range(0, 2 * MIB, 6 * MIB, 0);
	assert_range(1, GIB, GIB + NUMA_BLOCK, 1);
	assert_range(2, 60000 * GIB, 60001 * GIB, 0);
}

static void interleave(uint64_t step, uint32_t nr, uint32_t nodes)
{
	reset();
	add_ram(0, nr * step);
	for (uint32_t i = 0; i < nr; i++)
		memory(i % nodes, i * step, (i + 1) * step);
	read_tables();
	assert_int_equal(map.nr_nodes, nodes);
}

void interleaved(void **state)
{
	(void)state;
	interleave(2 * MIB, 1000, 2);
	assert_int_equal(map.nr_corrections, 0);
	assert_int_equal(map.nr_ranges, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		assert_range(i, i * NUMA_BLOCK, (i + 1) * NUMA_BLOCK, i % 2);
	interleave(2 * MIB, 1024, 63);
	assert_int_equal(map.nr_ranges, 1024);
	/* Halves of blocks, and then 512 frames of two nodes: all blocks are node 0's. */
	interleave(MIB, 1000, 2);
	assert_int_equal(map.nr_corrections, 1);
	assert_correction(0, NUMA_SPLIT_BLOCK, 0, 1000 * MIB, 0);
	assert_int_equal(map.nr_ranges, 1);
	assert_range(0, 0, 1000 * MIB, 0);
	interleave(4 * KIB, 1024, 2);
	assert_int_equal(map.nr_corrections, 1);
	assert_correction(0, NUMA_SPLIT_BLOCK, 0, 4 * MIB, 0);
	assert_range(0, 0, 4 * MIB, 0);
	/* Three nodes at 1 MiB: pairs 01, 20, 12. */
	interleave(MIB, 6, 3);
	assert_int_equal(map.nr_ranges, 2);
	assert_range(0, 0, 4 * MIB, 0);
	assert_range(1, 4 * MIB, 6 * MIB, 1);
}
