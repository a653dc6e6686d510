/*
 * firmware.c: tests what firmware is known to get wrong.
 */
#include "tests/host/numa/fixture.h"

/* What firmware is known to get wrong. */

/* Linux 6.1 gives up NUMA for one entry like this. */
void domain_of_four_billion(void **state)
{
	(void)state;
	add_ram(0, 2 * GIB);
	memory(0, 0, GIB);
	memory(4000000000u, GIB, 2 * GIB);
	slit_begin(&slit, 2);
	read_tables();
	ASSERT_DOMAINS(0, 4000000000u);
	assert_range(1, GIB, 2 * GIB, 1);
	assert_int_equal(map.nr_corrections, 1);
	assert_correction(0, NUMA_BAD_SLIT, 0, 0, 0);
	slit.size = 0;
	read_tables();
	assert_int_equal(map.nr_corrections, 0);
}

void entries_for_half_of_the_ram(void **state)
{
	(void)state;
	add_ram(0, 2 * GIB);
	add_ram(4 * GIB, 6 * GIB);
	memory(0, 0, GIB);
	memory(1, 4 * GIB, 5 * GIB);
	read_tables();
	assert_int_equal(map.nr_ranges, 2);
	assert_range(0, 0, 2 * GIB, 0);
	assert_range(1, 4 * GIB, 6 * GIB, 1);
	assert_int_equal(map.nr_corrections, 2);
	assert_correction(0, NUMA_NO_ENTRY, GIB, 2 * GIB, 0);
	assert_correction(1, NUMA_NO_ENTRY, 5 * GIB, 6 * GIB, 0);
}

/* FreeBSD's D27620: entries of one domain that touch each other in the middle of RAM. */
void touching_entries(void **state)
{
	(void)state;
	add_ram(0, 4 * GIB);
	memory(0, 0, 640 * KIB);
	memory(0, 640 * KIB, GIB + 4 * KIB);
	memory(0, GIB + 4 * KIB, 2 * GIB);
	memory(1, 2 * GIB, 3 * GIB);
	memory(1, 3 * GIB, 4 * GIB);
	read_tables();
	assert_int_equal(map.nr_corrections, 0);
	assert_int_equal(map.nr_ranges, 2);
	assert_range(0, 0, 2 * GIB, 0);
	assert_range(1, 2 * GIB, 4 * GIB, 1);
}

/* Dasharo's issue 215: node 0 of four has all memory. */
void all_memory_on_one_node(void **state)
{
	(void)state;
	add_ram(0, 2 * GIB);
	for (uint32_t i = 0; i < 4; i++)
		srat_cpu(&srat, i, (uint8_t)i, ENABLED);
	memory(0, 0, 2 * GIB);
	slit_begin(&slit, 4);
	read_tables();
	ASSERT_DOMAINS(0, 1, 2, 3);
	assert_int_equal(map.nr_ranges, 1);
	assert_int_equal(map.nr_corrections, 0);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(map.cpus[i].nid, i);
}

/* QEMU: room for DIMMs, under the last domain; and a node over the hole below 4 GiB. */
void hotplug_space(void **state)
{
	(void)state;
	add_ram(0, 3 * GIB);
	add_ram(4 * GIB, 6 * GIB);
	memory(0, 0, 2 * GIB + 512 * MIB);
	memory(1, 2 * GIB + 512 * MIB, 3 * GIB);
	memory(1, 4 * GIB, 6 * GIB);
	srat_memory(&srat, 1, 6 * GIB, 32 * GIB, HOTPLUG);
	srat_memory(&srat, 2, 100 * GIB, GIB, ENABLED | SRAT_NON_VOLATILE);
	read_tables();
	ASSERT_DOMAINS(0, 1, 2);
	assert_int_equal(map.nr_ranges, 2);
	assert_range(1, 2 * GIB + 512 * MIB, 6 * GIB, 1);
	assert_int_equal(map.nr_corrections, 0);
}

/* triton's issue 4154: "hot-plug" memory up to 2^52, over everybody's RAM. */
void hotplug_space_over_ram(void **state)
{
	(void)state;
	add_ram(0, 3 * GIB);
	add_ram(4 * GIB, 8 * GIB);
	memory(0, 0, 3 * GIB);
	memory(0, 4 * GIB, 6 * GIB);
	memory(1, 6 * GIB, 8 * GIB);
	srat_memory(&srat, 1, 4 * GIB, (1ull << 52) - 4 * GIB, HOTPLUG);
	read_tables();
	ASSERT_DOMAINS(0, 1);
	assert_int_equal(map.nr_ranges, 2);
	assert_range(0, 0, 6 * GIB, 0);
	assert_range(1, 6 * GIB, 8 * GIB, 1);
	assert_int_equal(map.nr_corrections, 1);
	assert_correction(0, NUMA_OVERLAP, 4 * GIB, 6 * GIB, 3);
}
