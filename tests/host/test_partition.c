/*
 * test_partition.c: tests which partition stage2/partition.c boots from, and the words with which
 * it refuses a table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stage2/partition.h"

#define ACTIVE     0x80
#define NO_FAT     "no FAT partition in the partition table"
#define GPT        "the disk has a GPT; firstpage needs an MBR partition"
#define BAD_LIMITS "the FAT partition begins at LBA 0 or ends beyond 2 TiB"

static uint8_t sector[512];

static void put32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static int empty_table(void **state)
{
	(void)state;
	memset(sector, 0, sizeof(sector));
	sector[510] = 0x55;
	sector[511] = 0xaa;
	return 0;
}

/* Sets entry n of the table, of which the CHS values mean nothing. */
static void entry(size_t n, uint8_t active, uint8_t type, uint32_t lba, uint32_t sectors)
{
	uint8_t *at = sector + 446 + 16 * n;

	memset(at, 0xfe, 16);
	at[0] = active;
	at[4] = type;
	put32(at + 8, lba);
	put32(at + 12, sectors);
}

static void drop(size_t n)
{
	memset(sector + 446 + 16 * n, 0, 16);
}

/* Reads a copy of exactly a sector's size, so that the sanitizer reports a read beyond it. */
static const char *find(struct partition *found)
{
	uint8_t *copy = malloc(sizeof(sector));
	const char *wrong;

	memcpy(copy, sector, sizeof(sector));
	wrong = partition_find(copy, found);
	free(copy);
	return wrong;
}

static void check_found(uint32_t lba, uint32_t sectors)
{
	struct partition found = { 0 };
	const char *wrong = find(&found);

	if (wrong)
		fail_msg("%s", wrong);
	assert_int_equal(found.lba, lba);
	assert_int_equal(found.sectors, sectors);
}

static void check_refused(const char *words)
{
	struct partition found;
	const char *wrong = find(&found);

	assert_non_null(wrong);
	assert_string_equal(wrong, words);
}

static void types_of_fat(void **state)
{
	static const uint8_t fat[] = { 0x01, 0x04, 0x06, 0x0b, 0x0c, 0x0e };

	(void)state;
	check_refused(NO_FAT);
	for (int type = 0; type < 256; type++) {
		entry(0, 0, (uint8_t)type, 63, 1000);
		if (memchr(fat, type, sizeof(fat)))
			check_found(63, 1000);
		else
			check_refused(type == 0xee ? GPT : NO_FAT);
	}
}

static void each_entry_counts(void **state)
{
	(void)state;
	for (size_t n = 0; n < 4; n++) {
		entry(n, 0, 6, 0x12345678, 0x01020304);
		check_found(0x12345678, 0x01020304);
		entry(n, ACTIVE, 0xee, 1, UINT32_MAX);
		check_refused(GPT);
		drop(n);
	}
	/* A GPT counts even if a FAT partition comes before it. */
	entry(0, ACTIVE, 6, 63, 1000);
	entry(3, 0, 0xee, 1, 62);
	check_refused(GPT);
}

static void the_active_one_is_chosen(void **state)
{
	(void)state;
	entry(1, 0, 6, 100, 10);
	entry(2, 0, 6, 200, 20);
	check_found(100, 10);
	entry(2, ACTIVE, 6, 200, 20);
	check_found(200, 20);
	entry(3, ACTIVE, 6, 300, 30);
	check_found(200, 20);
	/* Only 80h means active. */
	entry(3, 0, 6, 300, 30);
	for (int active = 0; active < 256; active++) {
		entry(2, (uint8_t)active, 6, 200, 20);
		if (active == ACTIVE)
			check_found(200, 20);
		else
			check_found(100, 10);
	}
	/* An active one that is not FAT, or that is empty, does not count. */
	entry(2, ACTIVE, 0x83, 200, 20);
	check_found(100, 10);
	entry(2, ACTIVE, 6, 200, 0);
	check_found(100, 10);
	drop(1);
	check_found(300, 30);
	drop(3);
	check_refused(NO_FAT);
}

static void limits_of_a_partition(void **state)
{
	static const struct {
		uint32_t lba, sectors;
		bool right;
	} rows[] = {
		{ 0, 1000, false },
		{ 0, UINT32_MAX, false },
		{ 1, 1, true },
		{ 1, 0x80000000, true },
		{ 0x80000000, 0x7fffffff, true },
		{ 1, UINT32_MAX - 1, true },
		{ UINT32_MAX - 1, 1, true },
		{ 2, UINT32_MAX, false },
		{ UINT32_MAX, 2, false },
		{ 0x80000001, 0x80000000, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		entry(0, 0, 6, rows[i].lba, rows[i].sectors);
		if (rows[i].right)
			check_found(rows[i].lba, rows[i].sectors);
		else
			check_refused(BAD_LIMITS);
	}
}

static void the_signature_is_demanded(void **state)
{
	(void)state;
	entry(0, ACTIVE, 6, 63, 1000);
	for (int at = 510; at < 512; at++) {
		sector[at] ^= 1;
		check_refused("LBA 0 does not end in 55 AA");
		sector[at] ^= 1;
	}
	check_found(63, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(types_of_fat, empty_table),
		cmocka_unit_test_setup(each_entry_counts, empty_table),
		cmocka_unit_test_setup(the_active_one_is_chosen, empty_table),
		cmocka_unit_test_setup(limits_of_a_partition, empty_table),
		cmocka_unit_test_setup(the_signature_is_demanded, empty_table),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("partition", tests, NULL, NULL);
}
