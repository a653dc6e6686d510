/*
 * test_crc32.c: tests lib/crc32.c with known values, and compares it with a CRC that is computed
 * bit by bit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "lib/crc32.h"

#define POLYNOMIAL 0xedb88320u /* of CRC-32, with its bits reflected */

static uint32_t bit_by_bit(const uint8_t *data, size_t size)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
	}
	return ~crc;
}

static void known_values(void **state)
{
	static const uint8_t zeros[32], ones[4] = { 0xff, 0xff, 0xff, 0xff };

	(void)state;
	assert_int_equal(crc32("", 0), 0);
	assert_int_equal(crc32("123456789", 9), 0xcbf43926);
	assert_int_equal(crc32("a", 1), 0xe8b7be43);
	assert_int_equal(crc32(zeros, sizeof(zeros)), 0x190a55ad);
	assert_int_equal(crc32(ones, sizeof(ones)), 0xffffffff);
}

static void as_bit_by_bit(void **state)
{
	uint8_t data[300];

	(void)state;
	srand(1);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)rand();
	for (size_t size = 0; size <= sizeof(data); size++)
		assert_int_equal(crc32(data, size), bit_by_bit(data, size));
}

static void in_two_parts(void **state)
{
	static const char text[] = "a CRC continues where it stopped";

	(void)state;
	for (size_t cut = 0; cut <= sizeof(text); cut++)
		assert_int_equal(crc32_update(crc32(text, cut), text + cut, sizeof(text) - cut),
				 crc32(text, sizeof(text)));
}

static void sees_each_flip(void **state)
{
	uint8_t data[64] = { 0 };
	uint32_t before = crc32(data, sizeof(data));

	(void)state;
	for (size_t bit = 0; bit < 8 * sizeof(data); bit++) {
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(crc32(data, sizeof(data)), before);
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values),
		cmocka_unit_test(as_bit_by_bit),
		cmocka_unit_test(in_two_parts),
		cmocka_unit_test(sees_each_flip),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("crc32", tests, NULL, NULL);
}
