/*
 * test_nodes.c: tests how nodes come from memory_input into memblock and mm/numa.h
 * (kernel/memory/steps.c), and what the log and the command `numa` say about them
 * (kernel/memory/nodes.c). What the tables mean is lib/numa.c's and tested by test_numa.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/cpus.h"
#include "kernel/memory/nodes.h"
#include "kernel/memory/steps.h"
#include "mm/memblock.h"
#include "mm/numa.h"
#include "tests/host/sim/numa_tables.h"
#include "tests/host/sim/sim.h"

#define MIB    0x100000ull
#define GIB    0x40000000ull
#define HOLE   (MIB - LOW_MEMORY_END)
#define BLOCKS 512u /* of 2 MiB in the machine's RAM */

/* What mm/numa.h says of descriptors: the program is linked with --wrap for both. */
static uint64_t backed, local;

uint64_t __wrap_mem_map_backed(void);
uint64_t __wrap_mem_map_local(void);

uint64_t __wrap_mem_map_backed(void)
{
	return backed;
}

uint64_t __wrap_mem_map_local(void)
{
	return local;
}

/* Two of three CPUs are online: arch/x86_64/cpus.h. */
unsigned int cpus_listed(void)
{
	return 3;
}

bool cpu_is_online(unsigned int cpu)
{
	return cpu != 1;
}

/* Boots a machine with 1 GiB of RAM, in two ranges beside the legacy hole, up to its direct map. */
static int boot(void **state)
{
	static const struct e820_entry raw[] = { { 0, GIB, 1, 0, 20, 0 } };
	const struct sim_options options = { .dirty = true, .seed = 5 };
	struct e820_taken kernel;
	const char *error = "";

	(void)state;
	if (sim_boot_memory(raw, 1, &options, &kernel, &error))
		fail_msg("%s", error);
	return 0;
}

/* Returns the node of memblock's RAM at addr. */
static int node_at(phys_addr_t addr)
{
	unsigned long start, end;

	return memblock_search_pfn_nid(PHYS_PFN(addr), &start, &end);
}

/* Makes an SRAT of two domains with half a GiB each; CPU 7 is of the second. */
static const struct numa_table *two_halves(void)
{
	static struct numa_table srat;

	srat_begin(&srat, 3);
	srat_memory(&srat, 0, 0, GIB / 2, SRAT_ENABLED);
	srat_memory(&srat, 1, GIB / 2, GIB / 2, SRAT_ENABLED);
	srat_x2apic(&srat, 1, 7, SRAT_ENABLED);
	return &srat;
}

/* Makes an SRAT of two domains, of which each has every second block. */
static const struct numa_table *every_second_block(void)
{
	static struct numa_table srat;

	srat_begin(&srat, 3);
	for (uint32_t i = 0; i < BLOCKS; i++)
		srat_memory(&srat, i % 2, i * NUMA_BLOCK, NUMA_BLOCK, SRAT_ENABLED);
	return &srat;
}

static struct memory_input with_srat(const struct numa_table *srat)
{
	return (struct memory_input){ .srat = srat->bytes, .srat_size = (uint32_t)srat->size };
}

/* APIC ids of the CPUs. */
static const uint32_t ids[] = { 7, 99, 3 };

static void nothing_is_known(void **state)
{
	const struct memory_input in = { .apic_ids = ids, .nr_cpus = 2 };
	phys_addr_t reserved = memblock_reserved_size();

	(void)state;
	memory_to_nodes(&in);
	assert_null(numa_map);
	assert_int_equal(nr_node_ids(), 1);
	assert_int_equal(node_at(0), 0);
	assert_int_equal(memblock.memory.cnt, 2);
	assert_int_equal(memblock_reserved_size(), reserved);
}

static void tables(void **state)
{
	struct memory_input in = with_srat(two_halves());
	static struct numa_table slit;
	phys_addr_t reserved = memblock_reserved_size();

	(void)state;
	slit_begin(&slit, 2);
	slit_set(&slit, 0, 1, 21);
	slit_set(&slit, 1, 0, 31);
	in.slit = slit.bytes;
	in.slit_size = (uint32_t)slit.size;
	memory_to_nodes(&in);
	assert_non_null(numa_map);
	assert_int_equal(numa_map->nr_corrections, 0);
	assert_int_equal(nr_node_ids(), 2);
	assert_int_equal(memblock.memory.cnt, 3);
	assert_int_equal(node_at(GIB / 2 - 1), 0);
	assert_int_equal(node_at(GIB / 2), 1);
	assert_int_equal(node_distance(0, 0), 10);
	assert_int_equal(node_distance(0, 1), 21);
	assert_int_equal(node_distance(1, 0), 31);
	assert_int_equal(cpu_to_node(0), 0);
	/* Only the map stays: what it was made from is given back. */
	assert_int_equal(memblock_reserved_size(), reserved + sizeof(struct numa_map));
	assert_null(memblock_check());
}

static void nodes_of_the_cpus(void **state)
{
	struct memory_input in = with_srat(two_halves());

	(void)state;
	in.apic_ids = ids;
	in.nr_cpus = 3;
	memory_to_nodes(&in);
	assert_int_equal(cpu_to_node(0), 1);
	assert_int_equal(cpu_to_node(1), 0); /* the tables do not name it */
	assert_int_equal(cpu_to_node(2), 0);
}

static void nodes_without_memory(void **state)
{
	static struct numa_table srat;
	const uint32_t zero = 0;
	struct memory_input in;

	(void)state;
	srat_begin(&srat, 3);
	srat_memory(&srat, 5, 0, GIB, SRAT_ENABLED);
	srat_cpu(&srat, 2, 0, SRAT_ENABLED);
	in = with_srat(&srat);
	in.apic_ids = &zero;
	in.nr_cpus = 1;
	memory_to_nodes(&in);
	assert_int_equal(nr_node_ids(), 2);
	assert_true(node_online(1));
	assert_int_equal(cpu_to_node(0), 1);
	assert_int_equal(memblock.memory.cnt, 2);
}

static void an_option_comes_before_given_ranges_and_these_before_tables(void **state)
{
	static const struct numa_range given[] = { { 0, 256 * MIB, 2, 0 },
						   { 256 * MIB, 768 * MIB, 0, 0 } };
	struct memory_input in = with_srat(two_halves());

	in.given = given;
	in.nr_given = 2;
	memory_to_nodes(&in);
	assert_int_equal(node_at(0), 2);
	assert_int_equal(node_at(256 * MIB), 0);

	boot(state);
	in.numa_fake = 4;
	memory_to_nodes(&in);
	assert_int_equal(nr_node_ids(), 4);
	assert_int_equal(node_at(0), 0);
	assert_int_equal(node_at(GIB - 1), 3);

	boot(state);
	in.numa_off = true;
	memory_to_nodes(&in);
	assert_null(numa_map);
	assert_int_equal(nr_node_ids(), 1);
	assert_int_equal(memblock.memory.cnt, 2);
}

static void nodes_of_an_earlier_call_are_forgotten(void **state)
{
	struct memory_input in = { .numa_fake = 63 };

	memory_to_nodes(&in);
	assert_int_equal(nr_node_ids(), 63);
	boot(state);
	assert_null(numa_map);
	assert_int_equal(nr_node_ids(), 1);
}

static void interleaved_nodes_make_the_array_grow(void **state)
{
	const struct memory_input in = with_srat(every_second_block());

	(void)state;
	memory_to_nodes(&in);
	assert_int_equal(memblock.memory.cnt, BLOCKS + 1);
	for (uint32_t i = 0; i < BLOCKS; i++)
		assert_int_equal(node_at(i * NUMA_BLOCK), i % 2);
	assert_null(memblock_check());
}

static void no_memory_for_the_map(void **state)
{
	const struct memory_input in = with_srat(two_halves());

	(void)state;
	memblock_reserve(0, GIB);
	memory_to_nodes(&in);
	assert_null(numa_map);
	assert_int_equal(nr_node_ids(), 1);
	assert_int_equal(node_at(GIB / 2), 0);
}

/* There is room for the map, but not for an array of more than 128 regions. */
static void no_memory_for_the_array(void **state)
{
	const struct memory_input in = with_srat(every_second_block());
	phys_addr_t room = PAGE_ALIGN(sizeof(struct numa_map)) + PAGE_SIZE;

	(void)state;
	memblock_reserve(0, GIB / 2);
	memblock_reserve(GIB / 2 + room, GIB / 2 - room);
	memory_to_nodes(&in);
	assert_non_null(numa_map);
	assert_null(memblock_check());
	assert_int_equal(memblock_phys_mem_size(), GIB - HOLE);
	assert_int_equal(node_at(NUMA_BLOCK), 1);
	assert_int_equal(node_at(GIB - NUMA_BLOCK), 0);
}

/* What was printed by the function that say() was given. */
static char said[65536];
static size_t nr_said;

static int print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int length = vsnprintf(said + nr_said, sizeof(said) - nr_said, fmt, ap);
	va_end(ap);
	nr_said += (size_t)length;
	assert_true(nr_said < sizeof(said));
	return length;
}

static const char *say(void (*report)(print_fn print))
{
	nr_said = 0;
	said[0] = '\0';
	report(print);
	return said;
}

static void percentages(void **state)
{
	static const struct {
		uint64_t local, backed;
		const char *says;
	} cases[] = {
		{ 0, 0, "100 %" },       { 4096, 4096, "100 %" },
		{ 0, 4096, "0 %" },      { 2048, 4096, "50 %" },
		{ 998, 1000, "99.8 %" }, { 9999, 10000, "99.9 %" },
		{ 1, 10000, "0.0 %" },   { 2000, 6000, "33.3 %" },
		{ 1, 100, "1 %" },       { 1ull << 50, 1ull << 50, "100 %" },
	};
	char line[80];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		local = cases[i].local;
		backed = cases[i].backed;
		snprintf(line, sizeof(line), "local: %s of the descriptors are on their own node\n",
			 cases[i].says);
		assert_string_equal(say(report_local_descriptors), line);
	}
}

static void reports_of_one_node(void **state)
{
	(void)state;
	assert_string_equal(say(report_nodes), "");
	assert_string_equal(say(report_node_corrections), "");
}

static void reports_of_two_nodes(void **state)
{
	const struct memory_input in = with_srat(two_halves());

	(void)state;
	memory_to_nodes(&in);
	assert_string_equal(say(report_nodes),
			    "NODE 0: [mem 0x0000000000000000-0x000000001fffffff]\n"
			    "NODE 1: [mem 0x0000000020000000-0x000000003fffffff]\n");
	assert_string_equal(say(report_node_corrections), "");
}

static void a_report_of_many_ranges_is_cut(void **state)
{
	const struct memory_input in = with_srat(every_second_block());
	unsigned int lines = 0;

	(void)state;
	memory_to_nodes(&in);
	for (const char *c = say(report_nodes); *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 65);
	assert_non_null(strstr(said, "\nNODE: and 448 more ranges\n"));
}

/* One node with something corrected is shown, too; and of many corrections the first. */
static void reports_of_corrections(void **state)
{
	static struct numa_table srat;
	struct memory_input in;

	(void)state;
	srat_begin(&srat, 3);
	srat_memory(&srat, 0, 0, GIB, SRAT_ENABLED);
	for (uint32_t i = 0; i < NUMA_MAX_CORRECTIONS + 3; i++)
		srat_odd(&srat, 1, 20, 20);
	table_seal(&srat);
	in = with_srat(&srat);
	memory_to_nodes(&in);
	assert_int_equal(numa_map->nr_corrections, NUMA_MAX_CORRECTIONS + 3);
	say(report_nodes);
	assert_ptr_equal(strstr(said, "numa: correction: "), said);
	assert_non_null(strstr(said,
			       "\nnuma: correction: and 3 more\nNODE 0: [mem 0x0000000000000000"
			       "-0x000000003fffffff]\n"));
	assert_non_null(strstr(said, "entry 1)"));
	assert_non_null(strstr(said, "entry 256)"));
	assert_null(strstr(said, "entry 257)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_is_known, boot),
		cmocka_unit_test_setup(tables, boot),
		cmocka_unit_test_setup(nodes_of_the_cpus, boot),
		cmocka_unit_test_setup(nodes_without_memory, boot),
		cmocka_unit_test_setup(an_option_comes_before_given_ranges_and_these_before_tables,
				       boot),
		cmocka_unit_test_setup(nodes_of_an_earlier_call_are_forgotten, boot),
		cmocka_unit_test_setup(interleaved_nodes_make_the_array_grow, boot),
		cmocka_unit_test_setup(no_memory_for_the_map, boot),
		cmocka_unit_test_setup(no_memory_for_the_array, boot),
		cmocka_unit_test(percentages),
		cmocka_unit_test_setup(reports_of_one_node, boot),
		cmocka_unit_test_setup(reports_of_two_nodes, boot),
		cmocka_unit_test_setup(a_report_of_many_ranges_is_cut, boot),
		cmocka_unit_test_setup(reports_of_corrections, boot),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
