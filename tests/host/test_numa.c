/*
 * test_numa.c: tests lib/numa.c, rule by rule, and against an oracle.
 *
 * This file has the tests of whole and of damaged tables, and the list of all tests; the other
 * files are in numa/.
 */
#include "tests/host/numa/fixture.h"

#include <string.h>

static int setup(void **state)
{
	(void)state;
	reset();
	return 0;
}

/* The shapes of tables. */

static void no_tables(void **state)
{
	(void)state;
	srat.size = 0;
	add_ram(64 * KIB, 639 * KIB);
	add_ram(MIB, 3 * GIB + 4 * KIB);
	add_ram(4 * GIB, 5 * GIB);
	read_tables();
	assert_one_node();
	assert_int_equal(map.nr_corrections, 0);
	slit_begin(&slit, 2);
	read_tables();
	assert_one_node();
	assert_int_equal(map.nr_corrections, 0);
}

static void no_ram(void **state)
{
	(void)state;
	memory(3, 0, GIB);
	read_tables();
	assert_int_equal(map.nr_ranges, 0);
	ASSERT_DOMAINS(3);
	add_ram(GIB, GIB);
	read_tables();
	assert_int_equal(map.nr_ranges, 0);
}

static void two_good_nodes(void **state)
{
	(void)state;
	two_nodes();
	slit_begin(&slit, 2);
	slit_set(&slit, 0, 1, 21);
	slit_set(&slit, 1, 0, 31);
	read_tables();
	assert_two_nodes();
	assert_int_equal(map.nr_corrections, 0);
	assert_int_equal(map.distance[0][0], 10);
	assert_int_equal(map.distance[0][1], 21);
	assert_int_equal(map.distance[1][0], 31);
	assert_int_equal(map.distance[1][1], 10);
	assert_int_equal(map.nr_cpus, 2);
	assert_int_equal(map.cpus[0].apic_id, 0);
	assert_int_equal(map.cpus[0].nid, 0);
	assert_int_equal(map.cpus[1].apic_id, 1);
	assert_int_equal(map.cpus[1].nid, 1);
}

static void assert_bad_srat(void)
{
	read_tables();
	assert_one_node();
	assert_int_equal(map.nr_corrections, 1);
	assert_correction(0, NUMA_BAD_SRAT, 0, 0, 0);
}

static void bad_srat(void **state)
{
	static const uint32_t lengths[] = { 0, 35, 36, 47 };
	size_t size;

	(void)state;
	two_nodes();
	size = srat.size;
	srat.bytes[60] ^= 1;
	assert_bad_srat();
	srat.bytes[60] ^= 1;
	for (uint32_t i = 0; i < 4; i++) {
		srat.bytes[i] ^= 0x20;
		table_seal(&srat);
		assert_bad_srat();
		srat.bytes[i] ^= 0x20;
	}
	table_seal(&srat);
	/* The length exceeds what is there. */
	for (uint32_t less = 1; less < 60; less += 7) {
		srat.size = size - less;
		assert_bad_srat();
	}
	for (srat.size = 1; srat.size < 48; srat.size++)
		assert_bad_srat();
	/* The length field is shorter than what precedes the entries; the checksum is right for it.
	 */
	for (uint32_t i = 0; i < 4; i++) {
		srat.size = lengths[i];
		table_seal(&srat);
		srat.size = size;
		assert_bad_srat();
	}
	table_seal(&srat);
	read_tables();
	assert_two_nodes();
}

static void bytes_beyond_the_table(void **state)
{
	(void)state;
	two_nodes();
	srat.bytes[srat.size++] = 0x55;
	read_tables();
	assert_two_nodes();
	assert_int_equal(map.nr_corrections, 0);
}

static void no_entries(void **state)
{
	(void)state;
	add_ram(MIB, GIB);
	read_tables();
	assert_one_node();
	assert_int_equal(map.nr_corrections, 1);
	assert_correction(0, NUMA_NO_ENTRY, MIB, GIB, 0);
}

static void odd_address(void **state)
{
	static uint8_t moved[1 + 400];
	struct numa_input in = { .ram = ram };

	(void)state;
	two_nodes();
	memcpy(moved + 1, srat.bytes, srat.size);
	in.srat = moved + 1;
	in.srat_size = srat.size;
	in.nr_ram = nr_ram;
	numa_read(&map, &in);
	assert_two_nodes();
}

static void cut_short(void **state)
{
	static const struct {
		uint8_t length;
		size_t bytes;
	} last[] = { { 0, 1 },   { 0, 2 },   { 1, 2 },     { 0, 40 }, { 1, 40 },
		     { 40, 39 }, { 41, 40 }, { 255, 254 }, { 3, 2 } };

	(void)state;
	for (uint32_t i = 0; i < sizeof(last) / sizeof(last[0]); i++) {
		reset();
		two_nodes();
		srat_odd(&srat, 1, last[i].length, last[i].bytes);
		read_tables();
		assert_two_nodes();
		assert_int_equal(map.nr_cpus, 2);
		assert_int_equal(map.nr_corrections, 1);
		assert_correction(0, NUMA_CUT_SHORT, 0, 0, 7);
	}
	/* What follows an entry without length is not read. */
	reset();
	two_nodes();
	srat_odd(&srat, 1, 0, 40);
	srat_cpu(&srat, 9, 9, ENABLED);
	read_tables();
	assert_two_nodes();
	assert_int_equal(map.nr_corrections, 1);
}

static void short_entries(void **state)
{
	static const uint8_t lengths[] = { 16, 40, 24 };

	(void)state;
	for (uint8_t type = 0; type < 3; type++)
		for (uint8_t length = 2; length < lengths[type]; length++) {
			reset();
			add_ram(0, GIB);
			memory(5, 0, GIB);
			srat_odd(&srat, type, length, length);
			srat_cpu(&srat, 6, 1, ENABLED);
			read_tables();
			ASSERT_DOMAINS(5, 6);
			assert_int_equal(map.nr_corrections, 1);
			assert_correction(0, NUMA_SHORT_ENTRY, 0, 0, 1);
		}
	/* Longer ones count: a later revision may have added fields. */
	reset();
	add_ram(0, GIB);
	for (uint8_t type = 0; type < 3; type++) {
		reset();
		add_ram(0, GIB);
		memory(5, 0, GIB);
		srat_odd(&srat, type, 64, 64);
		read_tables();
		assert_int_equal(map.nr_nodes, 2);
		assert_int_equal(map.domain[1], 0xffffffff);
	}
}

static void other_types_are_skipped(void **state)
{
	(void)state;
	two_nodes();
	for (unsigned int type = 3; type < 256; type++)
		srat_odd(&srat, (uint8_t)type, (uint8_t)(2 + type % 40), 2 + type % 40);
	memory(7, 8 * GIB, 9 * GIB);
	read_tables();
	ASSERT_DOMAINS(0, 1, 7);
	assert_int_equal(map.nr_corrections, 0);
	assert_int_equal(map.nr_cpus, 2);
}

static void revisions(void **state)
{
	(void)state;
	for (uint8_t revision = 1; revision <= 3; revision++) {
		srat_begin(&srat, revision);
		nr_ram = 0;
		add_ram(0, GIB);
		memory(0xabcdef01, 0, GIB);
		srat_cpu(&srat, 0x12345602, 0xfe, ENABLED);
		srat.bytes[srat.size - 16 + 8] = 0xff; /* no part of the domain */
		srat_x2apic(&srat, 0xa5b6c7d8, 0x01020304, ENABLED);
		read_tables();
		if (revision == 1)
			ASSERT_DOMAINS(1, 2, 0xa5b6c7d8);
		else
			ASSERT_DOMAINS(0xabcdef01, 0x12345602, 0xa5b6c7d8);
		assert_int_equal(map.nr_cpus, 2);
		assert_int_equal(map.cpus[0].apic_id, 0xfe);
		assert_int_equal(map.cpus[0].nid, 1);
		assert_int_equal(map.cpus[1].apic_id, 0x01020304);
		assert_int_equal(map.cpus[1].nid, 2);
	}
}

static void what_is_skipped(void **state)
{
	(void)state;
	two_nodes();
	srat_memory(&srat, 9, 0, 4 * GIB, DISABLED);
	srat_memory(&srat, 9, 0, 4 * GIB, SRAT_HOTPLUG | SRAT_NON_VOLATILE);
	srat_memory(&srat, 9, 5 * GIB, 0, ENABLED);
	srat_memory(&srat, 9, UINT64_MAX, 0, HOTPLUG);
	srat_cpu(&srat, 9, 2, DISABLED);
	srat_x2apic(&srat, 9, 2, DISABLED);
	read_tables();
	assert_two_nodes();
	assert_int_equal(map.nr_cpus, 2);
	assert_int_equal(map.nr_corrections, 0);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		test(no_tables),
		test(no_ram),
		test(two_good_nodes),
		test(bad_srat),
		test(bytes_beyond_the_table),
		test(no_entries),
		test(odd_address),
		test(cut_short),
		test(short_entries),
		test(other_types_are_skipped),
		test(revisions),
		test(what_is_skipped),
		test(merged),
		test(overlap),
		test(overlap_by_a_byte),
		test(overlap_by_the_last_byte),
		test(all_overlap),
		test(ram_by_the_byte),
		test(beyond_the_end),
		test(all_of_the_address_space),
		test(ram_in_no_entry),
		test(full_list_of_corrections),
		test(ram_below_all_entries),
		test(most_of_a_block),
		test(most_of_the_ram_of_a_block),
		test(holes),
		test(interleaved),
		test(order_of_nodes),
		test(order_within_a_block),
		test(as_many_nodes_as_there_may_be),
		test(too_many_without_ram),
		test(too_many_localities),
		test(too_many_entries),
		test(too_many_processors),
		test(as_many_pieces_as_there_may_be),
		test(bad_slit),
		test(slit_needs_memory_entries),
		test(a_domain_of_a_processor_must_fit_too),
		test(domain_of_four_billion),
		test(entries_for_half_of_the_ram),
		test(touching_entries),
		test(all_memory_on_one_node),
		test(hotplug_space),
		test(hotplug_space_over_ram),
		test(named_by_the_user),
		test(wrong_numbers_of_the_user),
		test(nothing_named_by_the_user),
		test(too_much_named_by_the_user),
		test(fake),
		test(fake_to_the_nearest_border),
		test(fake_with_little_ram),
		test(words),
		test(exhaustive_by_blocks),
		test(exhaustive_by_halves),
		test(exhaustive_by_quarters),
		test(random_machines),
	};
#undef test

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("numa", tests, NULL, NULL);
}
