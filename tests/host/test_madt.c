/*
 * test_madt.c: tests lib/madt.c, rule by rule, and on random tables against an oracle, which also
 * judges each of the other tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/madt_oracle.h"

#define ENTRIES        44
#define ENABLED        1u
#define ONLINE_CAPABLE 2u

#define ASSERT_CPUS(...)                                                      \
	do {                                                                  \
		const uint32_t ids[] = { __VA_ARGS__ };                       \
		assert_int_equal(madt.nr_cpus, sizeof(ids) / sizeof(ids[0])); \
		assert_memory_equal(madt.apic_id, ids, sizeof(ids));          \
	} while (0)

static uint8_t table[0x4000];
static size_t size;
static struct madt madt;

/* Makes the table's length what it has, and its checksum right. */
static void seal(void)
{
	uint8_t sum = 0;

	for (unsigned int i = 0; i < 4; i++)
		table[4 + i] = (uint8_t)(size >> 8 * i);
	table[9] = 0;
	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + table[i]);
	table[9] = (uint8_t)-sum;
}

static int begin(void **state)
{
	(void)state;
	memset(table, 0, sizeof(table));
	memcpy(table, (uint8_t[4]){ 'A', 'P', 'I', 'C' }, 4);
	size = ENTRIES;
	seal();
	return 0;
}

/* Adds the first `bytes` bytes of an entry that says that it has length bytes. */
static void add(uint8_t type, uint8_t length, size_t bytes, uint32_t id, uint32_t flags)
{
	bool x2apic = type == 9;
	uint8_t entry[255] = { type, length };

	for (unsigned int i = 0; i < (x2apic ? 4 : 1); i++)
		entry[(x2apic ? 4 : 3) + i] = (uint8_t)(id >> 8 * i);
	for (unsigned int i = 0; i < 4; i++)
		entry[(x2apic ? 8 : 4) + i] = (uint8_t)(flags >> 8 * i);
	assert_true(size + bytes <= sizeof(table));
	memcpy(table + size, entry, bytes);
	size += bytes;
	seal();
}

static void apic(uint32_t id, uint32_t flags)
{
	add(0, 8, 8, id, flags);
}

static void x2apic(uint32_t id, uint32_t flags)
{
	add(9, 16, 16, id, flags);
}

/* Reads a copy of exactly the table's size, so that the sanitizer reports a read beyond its end. */
static void read_on(uint32_t boot_apic_id)
{
	void *copy = malloc(size ? size : 1);
	const char *wrong;

	assert_non_null(copy);
	memcpy(copy, table, size);
	memset(&madt, 0xee, sizeof(madt));
	madt_read(&madt, copy, size, boot_apic_id);
	wrong = madt_oracle(&madt, copy, size, boot_apic_id);
	if (wrong)
		fail_msg("the oracle expects another %s", wrong);
	free(copy);
}

static void assert_counts(uint32_t disabled, uint32_t duplicates, uint32_t bad)
{
	assert_true(madt.found);
	assert_false(madt.bad_checksum);
	assert_false(madt.boot_missing);
	assert_int_equal(madt.nr_disabled, disabled);
	assert_int_equal(madt.nr_duplicates, duplicates);
	assert_int_equal(madt.nr_bad, bad);
	assert_int_equal(madt.nr_too_many, 0);
}

static void assert_not_found(uint32_t boot_apic_id)
{
	ASSERT_CPUS(boot_apic_id);
	assert_false(madt.found);
	assert_false(madt.bad_checksum);
	assert_false(madt.boot_missing);
	assert_int_equal(madt.nr_disabled + madt.nr_duplicates + madt.nr_bad + madt.nr_too_many, 0);
}

static void both_types_are_read(void **state)
{
	(void)state;
	apic(0, ENABLED);
	apic(4, ENABLED);
	apic(254, ENABLED);
	x2apic(255, ENABLED);
	x2apic(0x12345678, ENABLED);
	x2apic(1, ENABLED);
	read_on(0);
	ASSERT_CPUS(0, 4, 254, 255, 0x12345678, 1);
	assert_counts(0, 0, 0);
}

static void disabled_ones_are_counted(void **state)
{
	(void)state;
	apic(0, ENABLED);
	apic(1, 0);
	apic(2, ONLINE_CAPABLE);
	apic(3, ENABLED | ONLINE_CAPABLE);
	x2apic(4, 0);
	x2apic(5, ONLINE_CAPABLE);
	x2apic(6, 0xfffffffe);
	x2apic(7, 0xffffffff);
	apic(0, 0);
	apic(255, 0);
	x2apic(UINT32_MAX, 0);
	read_on(0);
	ASSERT_CPUS(0, 3, 7);
	assert_counts(8, 0, 0);
}

static void duplicates_are_counted(void **state)
{
	(void)state;
	apic(0, ENABLED);
	apic(1, ENABLED);
	x2apic(1, ENABLED);
	x2apic(2, ENABLED);
	apic(2, ENABLED);
	apic(1, ENABLED);
	x2apic(0, ENABLED);
	apic(0, ENABLED);
	read_on(0);
	ASSERT_CPUS(0, 1, 2);
	assert_counts(0, 5, 0);
}

static void ids_of_all_are_none(void **state)
{
	(void)state;
	apic(0, ENABLED);
	apic(255, ENABLED);
	x2apic(UINT32_MAX, ENABLED);
	apic(1, ENABLED);
	read_on(0);
	ASSERT_CPUS(0, 1);
	assert_counts(0, 0, 2);
}

static void boot_cpu_is_first(void **state)
{
	(void)state;
	apic(6, ENABLED);
	apic(4, ENABLED);
	x2apic(2, ENABLED);
	read_on(2);
	ASSERT_CPUS(2, 6, 4);
	assert_counts(0, 0, 0);
	apic(2, ENABLED);
	read_on(2);
	ASSERT_CPUS(2, 6, 4);
	assert_counts(0, 1, 0);
}

static void boot_cpu_may_be_missing(void **state)
{
	(void)state;
	read_on(7);
	ASSERT_CPUS(7);
	assert_true(madt.boot_missing);
	apic(1, ENABLED);
	apic(7, ONLINE_CAPABLE);
	read_on(7);
	ASSERT_CPUS(7, 1);
	assert_true(madt.found);
	assert_true(madt.boot_missing);
	assert_int_equal(madt.nr_disabled, 1);
	assert_int_equal(madt.nr_duplicates, 0);
}

static void other_entries_are_skipped(void **state)
{
	(void)state;
	add(1, 12, 12, 9, ENABLED); /* an IOAPIC */
	add(2, 10, 10, 9, ENABLED);
	apic(0, ENABLED);
	add(4, 6, 6, 9, ENABLED);
	add(5, 2, 2, 9, ENABLED);
	add(255, 255, 255, 9, ENABLED);
	x2apic(1, ENABLED);
	read_on(0);
	ASSERT_CPUS(0, 1);
	assert_counts(0, 0, 0);
}

static void entries_may_be_longer(void **state)
{
	(void)state;
	add(0, 9, 9, 0, ENABLED);
	add(9, 255, 255, 3, ENABLED);
	apic(1, ENABLED);
	read_on(0);
	ASSERT_CPUS(0, 3, 1);
	assert_counts(0, 0, 0);
}

static void short_entries_are_left_out(void **state)
{
	(void)state;
	apic(0, ENABLED);
	for (uint8_t length = 2; length < 8; length++)
		add(0, length, length, 3, ENABLED);
	for (uint8_t length = 2; length < 16; length++)
		add(9, length, length, 3, ENABLED);
	apic(1, ENABLED);
	read_on(0);
	ASSERT_CPUS(0, 1);
	assert_counts(0, 0, 6 + 14);
}

static void entries_without_a_length_end_the_table(void **state)
{
	(void)state;
	for (uint8_t length = 0; length < 2; length++) {
		begin(NULL);
		apic(0, ENABLED);
		add(9, length, 16, 3, ENABLED);
		apic(1, ENABLED);
		read_on(0);
		ASSERT_CPUS(0);
		assert_counts(0, 0, 1);
	}
}

static void entries_beyond_the_table_end_it(void **state)
{
	(void)state;
	for (size_t bytes = 1; bytes < 16; bytes++) {
		begin(NULL);
		apic(0, ENABLED);
		add(9, 16, bytes, 3, ENABLED);
		read_on(0);
		ASSERT_CPUS(0);
		assert_counts(0, 0, 1);
	}
	/* The type does not matter. */
	begin(NULL);
	apic(0, ENABLED);
	add(2, 255, 254, 3, ENABLED);
	read_on(0);
	assert_counts(0, 0, 1);
}

static void no_table(void **state)
{
	(void)state;
	memset(&madt, 0xee, sizeof(madt));
	madt_read(&madt, NULL, 0, 5);
	assert_not_found(5);
	memset(&madt, 0xee, sizeof(madt));
	madt_read(&madt, NULL, 100, 5);
	assert_not_found(5);
}

static void short_tables_are_none(void **state)
{
	(void)state;
	for (size = 0; size < ENTRIES; size++) {
		read_on(5);
		assert_not_found(5);
	}
	/* The length that the table itself says. */
	for (uint8_t length = 0; length < ENTRIES; length++) {
		begin(NULL);
		apic(5, ENABLED);
		table[4] = length;
		read_on(5);
		assert_not_found(5);
	}
}

static void length_beyond_the_memory_is_none(void **state)
{
	(void)state;
	apic(5, ENABLED);
	size--;
	read_on(5);
	assert_not_found(5);
	size++;
	table[7] = 0x80;
	read_on(5);
	assert_not_found(5);
}

static void memory_beyond_the_length_is_not_read(void **state)
{
	(void)state;
	apic(5, ENABLED);
	table[size] = 0x55;
	size += 8;
	read_on(5);
	ASSERT_CPUS(5);
	assert_counts(0, 0, 0);
}

static void wrong_checksum_is_told(void **state)
{
	(void)state;
	apic(0, ENABLED);
	apic(1, ENABLED);
	table[size - 1] ^= 0x80; /* a flag without a meaning */
	read_on(0);
	ASSERT_CPUS(0, 1);
	assert_true(madt.found);
	assert_true(madt.bad_checksum);
}

static void table_may_have_too_many(void **state)
{
	(void)state;
	for (uint32_t id = 0; id < MADT_MAX_CPUS; id++)
		x2apic(1000 + id, ENABLED);
	read_on(1000);
	assert_int_equal(madt.nr_cpus, MADT_MAX_CPUS);
	assert_counts(0, 0, 0);
	/* These have no room, but are known. */
	x2apic(1000 + MADT_MAX_CPUS - 1, ENABLED);
	x2apic(2000, ENABLED);
	x2apic(2000, ENABLED);
	x2apic(2001, ENABLED);
	read_on(1000);
	assert_int_equal(madt.nr_cpus, MADT_MAX_CPUS);
	assert_int_equal(madt.apic_id[0], 1000);
	assert_int_equal(madt.apic_id[MADT_MAX_CPUS - 1], 1000 + MADT_MAX_CPUS - 1);
	assert_int_equal(madt.nr_duplicates, 1);
	assert_int_equal(madt.nr_too_many, 3);
	/* The one that boots has its room before all others. */
	read_on(2001);
	assert_int_equal(madt.nr_cpus, MADT_MAX_CPUS);
	assert_int_equal(madt.apic_id[0], 2001);
	assert_false(madt.boot_missing);
	assert_int_equal(madt.nr_duplicates, 0);
	assert_int_equal(madt.nr_too_many, 4);
}

static uint64_t seed = 1;

static uint32_t below(uint32_t limit)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % limit);
}

/* Adds an entry, of few ids, so that they meet often; some of it is odd. */
static void add_random(uint32_t ids)
{
	static const uint8_t types[] = { 0, 0, 0, 0, 9, 9, 9, 9, 1, 2 };
	uint8_t type = types[below(sizeof(types))];
	uint8_t length = (uint8_t)(type == 0 ? 8 : type == 9 ? 16 : 12);
	uint32_t id = below(20) ? below(ids) : UINT32_MAX - below(2);

	if (!below(15))
		length = (uint8_t)below(20);
	add(type, length, length, id, below(4) ? ENABLED : below(4));
}

static void random_tables(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 10000; round++) {
		uint32_t entries = below(20), ids = 1 + below(300);

		if (!below(50))
			entries = 700;
		begin(NULL);
		while (entries-- > 0)
			add_random(ids);
		if (!below(4))
			table[below((uint32_t)size)] ^= (uint8_t)(1 + below(255));
		if (!below(8))
			size -= below((uint32_t)size);
		read_on(below(ids));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(both_types_are_read, begin),
		cmocka_unit_test_setup(disabled_ones_are_counted, begin),
		cmocka_unit_test_setup(duplicates_are_counted, begin),
		cmocka_unit_test_setup(ids_of_all_are_none, begin),
		cmocka_unit_test_setup(boot_cpu_is_first, begin),
		cmocka_unit_test_setup(boot_cpu_may_be_missing, begin),
		cmocka_unit_test_setup(other_entries_are_skipped, begin),
		cmocka_unit_test_setup(entries_may_be_longer, begin),
		cmocka_unit_test_setup(short_entries_are_left_out, begin),
		cmocka_unit_test_setup(entries_without_a_length_end_the_table, begin),
		cmocka_unit_test_setup(entries_beyond_the_table_end_it, begin),
		cmocka_unit_test_setup(no_table, begin),
		cmocka_unit_test_setup(short_tables_are_none, begin),
		cmocka_unit_test_setup(length_beyond_the_memory_is_none, begin),
		cmocka_unit_test_setup(memory_beyond_the_length_is_not_read, begin),
		cmocka_unit_test_setup(wrong_checksum_is_told, begin),
		cmocka_unit_test_setup(table_may_have_too_many, begin),
		cmocka_unit_test(random_tables),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("madt", tests, NULL, NULL);
}
