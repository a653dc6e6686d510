#include "tests/host/numa/fixture.h"

#include <stdlib.h>
#include <string.h>

struct numa_table srat, slit;
struct numa_ram ram[MAX_RAM];
struct numa_range given[NUMA_MAX_ENTRIES + 100];
uint32_t nr_ram, nr_given;
struct numa_map map;

void reset(void)
{
	srat_begin(&srat, 3);
	slit.size = 0;
	nr_ram = nr_given = 0;
	memset(&map, 0xee, sizeof(map));
}

void add_ram(uint64_t base, uint64_t end)
{
	ram[nr_ram++] = (struct numa_ram){ base, end - base };
}

/* Adds an enabled entry for the memory [base, end). */
void memory(uint32_t domain, uint64_t base, uint64_t end)
{
	srat_memory(&srat, domain, base, end - base, ENABLED);
}

void give(uint32_t nid, uint64_t base, uint64_t end)
{
	given[nr_given++] = (struct numa_range){ .base = base, .size = end - base, .nid = nid };
}

void check_invariants(void)
{
	const char *bad = numa_invariants(&map, ram, nr_ram);

	if (bad)
		fail_msg("does not hold: %s", bad);
}

/* Reads the tables; a table of size 0 is absent. */
void read_tables(void)
{
	void *srat_copy = table_copy(&srat), *slit_copy = table_copy(&slit);
	struct numa_input in = { .srat = srat.size ? srat_copy : NULL,
				 .srat_size = srat.size,
				 .slit = slit.size ? slit_copy : NULL,
				 .slit_size = slit.size,
				 .ram = ram,
				 .nr_ram = nr_ram };

	numa_read(&map, &in);
	free(srat_copy);
	free(slit_copy);
	check_invariants();
}

void read_given(void)
{
	numa_from_ranges(&map, given, nr_given, ram, nr_ram);
	check_invariants();
}

void assert_range(uint32_t i, uint64_t base, uint64_t end, uint32_t nid)
{
	assert_true(i < map.nr_ranges);
	assert_int_equal(map.ranges[i].base, base);
	assert_int_equal(map.ranges[i].base + map.ranges[i].size, end);
	assert_int_equal(map.ranges[i].nid, nid);
}

void assert_correction(uint32_t i, enum numa_what what, uint64_t base, uint64_t end, uint32_t entry)
{
	assert_true(i < map.nr_corrections);
	assert_int_equal(map.corrections[i].what, what);
	assert_int_equal(map.corrections[i].base, base);
	assert_int_equal(map.corrections[i].base + map.corrections[i].size, end);
	assert_int_equal(map.corrections[i].entry, entry);
}

/* Asserts that the nodes are those of the nr domains, in this order. */
void assert_domains(uint32_t nr, const uint32_t *domains)
{
	assert_int_equal(map.nr_nodes, nr);
	for (uint32_t i = 0; i < nr; i++)
		assert_int_equal(map.domain[i], domains[i]);
}

/* Asserts distances of 10 and 20. */
void assert_default_distances(void)
{
	for (uint32_t i = 0; i < map.nr_nodes; i++)
		for (uint32_t k = 0; k < map.nr_nodes; k++)
			assert_int_equal(map.distance[i][k], i == k ? 10 : 20);
}

/* Asserts one node, which has all RAM. */
void assert_one_node(void)
{
	ASSERT_DOMAINS(0);
	assert_int_equal(map.nr_cpus, 0);
	assert_int_equal(map.nr_ranges, 1);
	assert_range(0, ram[0].base / NUMA_BLOCK * NUMA_BLOCK,
		     (ram[nr_ram - 1].base + ram[nr_ram - 1].size + NUMA_BLOCK - 1) / NUMA_BLOCK *
			 NUMA_BLOCK,
		     0);
	assert_default_distances();
}

/* Two nodes of 1 GiB with a processor each, as QEMU describes them on a PC. */
void two_nodes(void)
{
	add_ram(4 * KIB, 639 * KIB);
	add_ram(MIB, 2 * GIB - 128 * KIB);
	srat_cpu(&srat, 0, 0, ENABLED);
	srat_cpu(&srat, 1, 1, ENABLED);
	memory(0, 0, 640 * KIB);
	memory(0, MIB, GIB);
	memory(1, GIB, 2 * GIB);
	srat_memory(&srat, 0, 0, 0, DISABLED);
	srat_memory(&srat, 0, 0, 0, DISABLED);
}

void assert_two_nodes(void)
{
	ASSERT_DOMAINS(0, 1);
	assert_int_equal(map.nr_ranges, 2);
	assert_range(0, 0, GIB, 0);
	assert_range(1, GIB, 2 * GIB, 1);
}
