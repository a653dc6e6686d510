/*
 * nodes.c: tests which nodes there are, their numbers and their distances.
 */
#include "tests/host/numa/fixture.h"

/* The numbers of nodes. */

void order_of_nodes(void **state)
{
	(void)state;
	add_ram(GIB, 4 * GIB);
	srat_cpu(&srat, 6, 1, ENABLED);
	srat_x2apic(&srat, 2, 2, ENABLED);
	srat_cpu(&srat, 5, 3, ENABLED);
	memory(9, 0, GIB); /* no RAM */
	memory(3, 3 * GIB, 4 * GIB);
	memory(5, GIB, 3 * GIB);
	memory(1, GIB, 4 * GIB); /* all lost to the earlier ones */
	slit_begin(&slit, 11);
	slit_set(&slit, 3, 5, 77);
	slit_set(&slit, 0, 10, 255);
	slit_set(&slit, 10, 5, 11);
	read_tables();
	ASSERT_DOMAINS(5, 3, 0, 1, 2, 4, 6, 7, 8, 9, 10);
	assert_int_equal(map.distance[1][0], 77);
	assert_int_equal(map.distance[0][1], 20);
	assert_int_equal(map.distance[2][10], 255);
	assert_int_equal(map.distance[10][0], 11);
	assert_int_equal(map.cpus[0].nid, 6);
	assert_int_equal(map.cpus[1].nid, 4);
	assert_int_equal(map.cpus[2].nid, 0);
	slit.size = 0;
	read_tables();
	ASSERT_DOMAINS(5, 3, 1, 2, 6, 9);
	assert_default_distances();
}

/* Order is by address of RAM and not by block: the node whose RAM is first is 0, though it has no
   block. */
void order_within_a_block(void **state)
{
	(void)state;
	add_ram(0, 2 * MIB);
	memory(1, 64 * KIB, 2 * MIB);
	memory(4, 0, 64 * KIB);
	read_tables();
	ASSERT_DOMAINS(4, 1);
	assert_int_equal(map.nr_ranges, 1);
	assert_range(0, 0, 2 * MIB, 1);
}

static void many_nodes(uint32_t nr)
{
	reset();
	add_ram(0, nr * GIB);
	for (uint32_t i = 0; i < nr; i++) {
		srat_x2apic(&srat, 1000 + i, i, ENABLED);
		memory(1000 + i, i * GIB, (i + 1) * GIB);
	}
	read_tables();
	assert_int_equal(map.nr_nodes, nr < 63 ? nr : 63);
	assert_int_equal(map.nr_cpus, nr);
	for (uint32_t i = 0; i < nr; i++)
		assert_int_equal(map.cpus[i].nid, i < 63 ? i : 0);
	assert_default_distances();
}

void as_many_nodes_as_there_may_be(void **state)
{
	(void)state;
	many_nodes(63);
	assert_int_equal(map.nr_corrections, 0);
	assert_int_equal(map.nr_ranges, 63);
	/* One without RAM takes nothing from these, though its number is lower. */
	srat_cpu(&srat, 5, 200, ENABLED);
	read_tables();
	assert_int_equal(map.nr_nodes, 63);
	assert_int_equal(map.domain[62], 1062);
	assert_int_equal(map.cpus[63].nid, 0);
	assert_int_equal(map.nr_corrections, 1);
	assert_correction(0, NUMA_TOO_MANY, 0, 0, 126);
	many_nodes(70);
	assert_int_equal(map.nr_ranges, 64);
	assert_range(62, 62 * GIB, 63 * GIB, 62);
	assert_range(63, 63 * GIB, 70 * GIB, 0);
	assert_int_equal(map.nr_corrections, 14);
	for (uint32_t i = 0; i < 7; i++) {
		assert_correction(2 * i, NUMA_TOO_MANY, 0, 0, 126 + 2 * i);
		assert_correction(2 * i + 1, NUMA_TOO_MANY, (63 + i) * GIB, (64 + i) * GIB,
				  127 + 2 * i);
	}
}

/* Of the domains without RAM the lowest become nodes. */
void too_many_without_ram(void **state)
{
	(void)state;
	add_ram(0, GIB);
	for (uint32_t i = 100; i > 0; i--)
		srat_cpu(&srat, i, (uint8_t)i, ENABLED);
	memory(77, 0, GIB);
	read_tables();
	assert_int_equal(map.nr_nodes, 63);
	assert_int_equal(map.domain[0], 77);
	for (uint32_t i = 1; i < 63; i++)
		assert_int_equal(map.domain[i], i);
	assert_int_equal(map.nr_corrections, 100 - 62 - 1);
	assert_int_equal(map.cpus[100 - 77].nid, 0);
	assert_int_equal(map.cpus[100 - 62].nid, 62);
	assert_int_equal(map.cpus[100 - 63].nid, 0);
}

void too_many_localities(void **state)
{
	(void)state;
	add_ram(0, 2 * GIB);
	memory(99, 0, GIB);
	memory(3, GIB, 2 * GIB);
	slit_begin(&slit, 100);
	slit_set(&slit, 99, 3, 50);
	read_tables();
	assert_int_equal(map.nr_nodes, 63);
	assert_int_equal(map.domain[0], 99);
	assert_int_equal(map.domain[1], 3);
	assert_int_equal(map.domain[2], 0);
	assert_int_equal(map.domain[62], 61);
	assert_int_equal(map.distance[0][1], 50);
	assert_int_equal(map.nr_corrections, 1);
	assert_correction(0, NUMA_TOO_MANY, 0, 0, NUMA_SLIT);
	slit_begin(&slit, 63);
	reset();
	add_ram(0, GIB);
	memory(0, 0, GIB);
	slit_begin(&slit, 63);
	read_tables();
	assert_int_equal(map.nr_nodes, 63);
	assert_int_equal(map.nr_corrections, 0);
}

void too_many_entries(void **state)
{
	const uint32_t nr = NUMA_MAX_ENTRIES + 300;

	(void)state;
	add_ram(0, nr * NUMA_BLOCK);
	for (uint32_t i = 0; i < nr; i++) {
		srat_memory(&srat, 60, i, 1, DISABLED);
		memory(i % 2, i * NUMA_BLOCK, (i + 1) * NUMA_BLOCK);
	}
	memory(62, 0, GIB);
	read_tables();
	ASSERT_DOMAINS(0, 1);
	assert_int_equal(map.nr_ranges, NUMA_MAX_ENTRIES);
	assert_range(NUMA_MAX_ENTRIES - 1, (NUMA_MAX_ENTRIES - 1) * NUMA_BLOCK, nr * NUMA_BLOCK, 1);
	/* One for each entry, and one for the RAM, which is not listed: the list is full. */
	assert_int_equal(map.nr_corrections, 300 + 1 + 1);
	for (uint32_t i = 0; i < NUMA_MAX_CORRECTIONS; i++)
		assert_correction(i, NUMA_TOO_MANY, (NUMA_MAX_ENTRIES + i) * NUMA_BLOCK,
				  (NUMA_MAX_ENTRIES + i + 1) * NUMA_BLOCK,
				  2 * (NUMA_MAX_ENTRIES + i) + 1);
}

void too_many_processors(void **state)
{
	(void)state;
	add_ram(0, GIB);
	memory(0, 0, GIB);
	for (uint32_t i = 0; i < NUMA_MAX_CPUS + 2; i++)
		srat_x2apic(&srat, i < NUMA_MAX_CPUS ? i % 3 : 3, i, ENABLED);
	read_tables();
	ASSERT_DOMAINS(0, 1, 2);
	assert_int_equal(map.nr_cpus, NUMA_MAX_CPUS);
	assert_int_equal(map.cpus[NUMA_MAX_CPUS - 1].apic_id, NUMA_MAX_CPUS - 1);
	assert_int_equal(map.nr_corrections, 2);
	assert_correction(0, NUMA_TOO_MANY, 0, 0, 1 + NUMA_MAX_CPUS);
	assert_correction(1, NUMA_TOO_MANY, 0, 0, 2 + NUMA_MAX_CPUS);
}

/* As many pieces as there can be: an entry above all, and then one that lies below those before it,
   or around them. */
void as_many_pieces_as_there_may_be(void **state)
{
	const uint32_t nr = NUMA_MAX_ENTRIES;

	(void)state;
	add_ram(0, nr * (4 * MIB));
	for (uint32_t i = nr - 1; i > 0; i--)
		memory(i % 2, i * (4 * MIB), i * (4 * MIB) + 2 * MIB);
	memory(2, 0, nr * (4 * MIB));
	read_tables();
	assert_int_equal(map.nr_nodes, 3);
	assert_int_equal(map.nr_ranges, 2 * nr - 1);
	for (uint32_t i = 1; i < nr; i++)
		assert_range(2 * i - 1, i * (4 * MIB), i * (4 * MIB) + 2 * MIB, 2 - i % 2);
	/* The same with RAM below all pieces: one range more would be the limit. */
	reset();
	add_ram(0, nr * (4 * MIB) + 4 * MIB);
	for (uint32_t i = nr - 1; i > 0; i--)
		memory(i % 2, i * (4 * MIB), i * (4 * MIB) + 2 * MIB);
	memory(2, 2 * MIB, nr * (4 * MIB));
	read_tables();
	assert_int_equal(map.nr_ranges, 2 * nr - 1);
}

/* Distances. */

static void assert_bad_slit(void)
{
	read_tables();
	assert_two_nodes();
	assert_default_distances();
	assert_int_equal(map.nr_corrections, 1);
	assert_correction(0, NUMA_BAD_SLIT, 0, 0, 0);
}

static void make_slit(void)
{
	slit_begin(&slit, 2);
	slit_set(&slit, 0, 1, 30);
	slit_set(&slit, 1, 0, 40);
}

void bad_slit(void **state)
{
	static const uint64_t counts[] = { 0, 1, 3, 0xffff, 0x10000, 1ull << 32, UINT64_MAX };

	(void)state;
	two_nodes();
	for (uint32_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		make_slit();
		for (uint32_t k = 0; k < 8; k++)
			slit.bytes[36 + k] = (uint8_t)(counts[i] >> 8 * k);
		/* Where the count is believed, no distance stops the search before the end. */
		if (counts[i] > 3)
			slit.bytes[47] = 20;
		table_seal(&slit);
		assert_bad_slit();
	}
	make_slit();
	slit.bytes[45] ^= 1; /* the checksum is wrong */
	assert_bad_slit();
	make_slit();
	slit.bytes[0] ^= 1;
	table_seal(&slit);
	assert_bad_slit();
	make_slit();
	slit.size -= 1; /* its length exceeds what is there */
	assert_bad_slit();
	table_seal(&slit); /* the last distance is missing */
	assert_bad_slit();
	for (slit.size = 1; slit.size < 44; slit.size++)
		assert_bad_slit();
	make_slit();
	slit_set(&slit, 1, 1, 11);
	assert_bad_slit();
	make_slit();
	slit_set(&slit, 0, 0, 9);
	assert_bad_slit();
	make_slit();
	slit_set(&slit, 1, 0, 10);
	assert_bad_slit();
	make_slit();
	slit_set(&slit, 0, 1, 0);
	assert_bad_slit();
	make_slit();
	slit_set(&slit, 0, 1, 11);
	slit_set(&slit, 1, 0, 255);
	read_tables();
	assert_int_equal(map.nr_corrections, 0);
	assert_int_equal(map.distance[0][1], 11);
	assert_int_equal(map.distance[1][0], 255);
}

/* A locality of the SLIT is not a node's where no entry names memory. */
void slit_needs_memory_entries(void **state)
{
	(void)state;
	add_ram(0, GIB);
	srat_cpu(&srat, 0, 0, ENABLED);
	srat_cpu(&srat, 1, 1, ENABLED);
	srat_memory(&srat, 2, 0, GIB, DISABLED);
	slit_begin(&slit, 4);
	slit_set(&slit, 0, 1, 30);
	read_tables();
	ASSERT_DOMAINS(0, 1);
	assert_default_distances();
	assert_int_equal(map.nr_corrections, 1);
	assert_correction(0, NUMA_NO_ENTRY, 0, GIB, 0);
}

void a_domain_of_a_processor_must_fit_too(void **state)
{
	(void)state;
	add_ram(0, GIB);
	memory(0, 0, GIB);
	srat_cpu(&srat, 2, 0, ENABLED);
	slit_begin(&slit, 2);
	read_tables();
	ASSERT_DOMAINS(0, 2);
	assert_int_equal(map.nr_corrections, 1);
	assert_correction(0, NUMA_BAD_SLIT, 0, 0, 0);
}
