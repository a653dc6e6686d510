/*
 * test_rsdp.c: tests where stage2/rsdp.c looks for the ACPI root pointer, and what it takes for
 * one, in memory at the true addresses. What lies behind it is not mapped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stage2/stage2.h"
#include "tests/host/stage2/low.h"

#define LOW      0x70000u
#define LOW_END  0xa0000u /* video memory is not mapped */
#define ROM      0xe0000u
#define ROM_END  0x100000u
#define NOWHERE  0x40u /* an EBDA's segment that is not believed */
#define EBDA     0x9fc00u
#define EBDA_SEG 0x9fc0u

struct boot_info boot_info;

static int map_memory(void **state)
{
	(void)state;
	map_at(LOW, LOW_END - LOW);
	map_at(ROM, ROM_END - ROM);
	return 0;
}

static int clear_memory(void **state)
{
	(void)state;
	memset((void *)(uintptr_t)LOW, 0, LOW_END - LOW);
	memset((void *)(uintptr_t)ROM, 0, ROM_END - ROM);
	return 0;
}

static uint8_t *at(uint32_t address)
{
	return (uint8_t *)(uintptr_t)address;
}

/* Changes the byte at offset so that the first size bytes have the sum 0. */
static void correct(uint32_t address, uint32_t size, uint32_t offset)
{
	uint8_t sum = 0;

	at(address)[offset] = 0;
	for (uint32_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + at(address)[i]);
	at(address)[offset] = (uint8_t)-sum;
}

/* Writes an RSDP of a revision, with this length if it has one. */
static void put(uint32_t address, uint8_t revision, uint32_t length)
{
	uint32_t size = revision < 2 ? 20 : length;

	memset(at(address), 0, size < 36 && revision >= 2 ? 36 : size);
	memcpy(at(address), "RSD PTR ", 8);
	memcpy(at(address) + 9, "BOCHS ", 6);
	at(address)[15] = revision;
	if (revision >= 2)
		memcpy(at(address) + 20, &length, 4);
	correct(address, 20, 8);
	if (revision >= 2 && size > 32)
		correct(address, size, 32);
}

/* Demands that the RSDP at expected is found, none if it is 0. */
static void check(uint32_t segment, uint32_t expected)
{
	memset(&boot_info, 0, sizeof(boot_info));
	boot_info.ebda_segment = segment;
	rsdp_find();
	assert_int_equal(boot_info.rsdp, expected);
}

/* The same with nothing but an RSDP of this revision and length at an address. */
static void check_alone(uint32_t segment, uint32_t address, uint8_t revision, uint32_t length,
			bool found)
{
	clear_memory(NULL);
	put(address, revision, length);
	check(segment, found ? address : 0);
}

static void none(void **state)
{
	(void)state;
	check(EBDA_SEG, 0);
}

static void places_in_the_rom(void **state)
{
	(void)state;
	for (uint32_t address = ROM; address < ROM_END - 0x20; address += 0x7f0)
		check_alone(EBDA_SEG, address, 0, 0, true);
	check_alone(EBDA_SEG, ROM + 0x10, 0, 0, true);
	check_alone(EBDA_SEG, ROM + 8, 0, 0, false);
	check_alone(EBDA_SEG, ROM + 0x1ff, 0, 0, false);
	check_alone(EBDA_SEG, ROM_END - 0x20, 0, 0, true);
	check_alone(EBDA_SEG, ROM_END - 0x30, 2, 36, true);
	check_alone(EBDA_SEG, ROM_END - 0x30, 2, 48, true);
	/* The first of two. */
	put(ROM + 0x100, 0, 0);
	put(ROM + 0x80, 0, 0);
	check(EBDA_SEG, ROM + 0x80);
}

/* Demands that nothing is found of which the end lies beyond this address. */
static void check_ends(uint32_t end)
{
	clear_memory(NULL);
	memcpy(at(end - 0x10), "RSD PTR ", 8);
	check(EBDA_SEG, 0);
	clear_memory(NULL);
	put(end - 0x20, 0, 0);
	at(end - 0x20)[15] = 2; /* it would have 36 bytes, of which 32 are there */
	correct(end - 0x20, 20, 8);
	check(EBDA_SEG, 0);
	at(end - 0x20)[20] = 36;
	check(EBDA_SEG, 0);
	clear_memory(NULL);
	put(end - 0x30, 2, 48);
	at(end - 0x30)[20] = 49;
	check(EBDA_SEG, 0);
}

/* What begins at the end of the ROM and has no room for an RSDP is not read beyond it. */
static void ends_of_the_rom(void **state)
{
	(void)state;
	check_ends(ROM_END);
}

static void places_in_the_ebda(void **state)
{
	(void)state;
	check_alone(EBDA_SEG, EBDA, 0, 0, true);
	check_alone(EBDA_SEG, EBDA + 0x10, 0, 0, true);
	check_alone(EBDA_SEG, EBDA - 0x10, 0, 0, false);
	check_alone(EBDA_SEG, EBDA + 8, 0, 0, false);
	check_alone(EBDA_SEG, LOW_END - 0x20, 0, 0, true);
	check_alone(EBDA_SEG, LOW_END - 0x30, 2, 36, true);
	/* The first KiB is searched, and no more. */
	check_alone(0x9000, 0x90000 + 0x3f0, 0, 0, true);
	check_alone(0x9000, 0x90000 + 0x3f0, 2, 64, true); /* it reaches beyond it */
	check_alone(0x9000, 0x90000 + 0x400, 0, 0, false);
	/* An EBDA has a multiple of 16 as its address, and need not begin at a KiB. */
	check_alone(0x9001, 0x90010, 0, 0, true);
	check_alone(0x9001, 0x90000, 0, 0, false);
	/* The EBDA comes first. */
	put(EBDA, 0, 0);
	put(ROM, 0, 0);
	check(EBDA_SEG, EBDA);
	check(NOWHERE, ROM);
	check_ends(LOW_END);
}

/* An EBDA lies above 512 KiB, and its first KiB below 640 KiB. */
static void segments_that_are_no_ebda(void **state)
{
	(void)state;
	check_alone(0x8000, 0x80000, 0, 0, true);
	check_alone(0x7fff, 0x7fff0, 0, 0, false);
	check_alone(0x7fff, 0x80000, 0, 0, false);
	check_alone(EBDA_SEG, EBDA + 0x10, 0, 0, true);
	check_alone(EBDA_SEG + 1, EBDA + 0x10, 0, 0, false);
	check_alone(0, ROM, 0, 0, true);
	check_alone(0xffff, ROM, 0, 0, true);
	check_alone(0xa000, ROM, 0, 0, true);
}

/* Each byte of the signature and of the first 20 bytes counts. */
static void checksums(void **state)
{
	(void)state;
	for (uint8_t revision = 0; revision < 4; revision++) {
		clear_memory(NULL);
		put(ROM + 0x40, revision, 36);
		for (uint32_t i = 0; i < 40; i++) {
			uint32_t covered = revision < 2 ? 20 : 36;

			at(ROM + 0x40)[i] ^= 0x20;
			check(NOWHERE, i < covered ? 0 : ROM + 0x40);
			at(ROM + 0x40)[i] ^= 0x20;
		}
		check(NOWHERE, ROM + 0x40);
		/* Each letter of the signature, with a sum that is right. */
		for (uint32_t i = 0; i < 8; i++) {
			at(ROM + 0x40)[i]++;
			at(ROM + 0x40)[9]--;
			check(NOWHERE, 0);
			at(ROM + 0x40)[i]--;
			at(ROM + 0x40)[9]++;
		}
	}
}

static void lengths(void **state)
{
	(void)state;
	check_alone(NOWHERE, ROM, 2, 36, true);
	check_alone(NOWHERE, ROM, 2, 37, true);
	check_alone(NOWHERE, ROM, 2, 35, false);
	check_alone(NOWHERE, ROM, 2, 0, false);
	check_alone(NOWHERE, ROM, 2, ROM_END - ROM, true);
	/* A length that no memory has: with a sum that is right it would run out of the ROM. */
	clear_memory(NULL);
	put(ROM, 2, 36);
	memset(at(ROM) + 20, 0xff, 4);
	check(NOWHERE, 0);
	/* The sum of the whole is right, that of the first 20 bytes is not. */
	clear_memory(NULL);
	put(ROM, 2, 40);
	at(ROM)[10]++;
	at(ROM)[33]--;
	check(NOWHERE, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(none, clear_memory),
		cmocka_unit_test_setup(places_in_the_rom, clear_memory),
		cmocka_unit_test_setup(ends_of_the_rom, clear_memory),
		cmocka_unit_test_setup(places_in_the_ebda, clear_memory),
		cmocka_unit_test_setup(segments_that_are_no_ebda, clear_memory),
		cmocka_unit_test_setup(checksums, clear_memory),
		cmocka_unit_test_setup(lengths, clear_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rsdp", tests, map_memory, NULL);
}
