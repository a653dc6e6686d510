/*
 * test_string.c: compares lib/string.c with loops over single bytes, for every alignment and for
 * sizes around those of its word loops. host.mk compiles it with other names for its functions,
 * because the C library has the same ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define memcpy  lib_memcpy
#define memmove lib_memmove
#define memset  lib_memset
#define memcmp  lib_memcmp
#define strlen  lib_strlen
#define strcmp  lib_strcmp
#define strncmp lib_strncmp
#define strchr  lib_strchr
#include "lib/string.h"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strcmp
#undef strncmp
#undef strchr

#define MAX_SIZE 150 /* more than two rounds of memset()'s loop over eight words */
#define ALIGNS   9   /* every alignment within a word, and the next word's first */
#define ROOM     (MAX_SIZE + 2 * ALIGNS)

/* Buffers, aligned to words, that are filled with bytes which show where they come from. */
static _Alignas(16) unsigned char source[ROOM], got[ROOM], expected[ROOM];

static void fill_all(void)
{
	for (size_t i = 0; i < ROOM; i++) {
		source[i] = (unsigned char)(7 * i + 1);
		got[i] = expected[i] = (unsigned char)(0xff - i);
	}
}

static void for_sizes_and_aligns(void (*try)(size_t size, size_t to, size_t from))
{
	for (size_t size = 0; size <= MAX_SIZE; size++)
		for (size_t to = 0; to < ALIGNS; to++)
			for (size_t from = 0; from < ALIGNS; from++) {
				fill_all();
				try(size, to, from);
				assert_memory_equal(got, expected, ROOM);
			}
}

static void try_memcpy(size_t size, size_t to, size_t from)
{
	assert_ptr_equal(lib_memcpy(got + to, source + from, size), got + to);
	for (size_t i = 0; i < size; i++)
		expected[to + i] = source[from + i];
}

static void memcpy_copies_that_and_no_more(void **state)
{
	(void)state;
	for_sizes_and_aligns(try_memcpy);
}

/* Moves within one buffer: source and destination overlap from either side, or are the same. */
static void try_memmove(size_t size, size_t to, size_t from)
{
	unsigned char before[MAX_SIZE];

	for (size_t i = 0; i < size; i++)
		before[i] = got[from + i];
	assert_ptr_equal(lib_memmove(got + to, got + from, size), got + to);
	for (size_t i = 0; i < size; i++)
		expected[to + i] = before[i];
}

static void memmove_of_ranges_that_overlap(void **state)
{
	(void)state;
	for_sizes_and_aligns(try_memmove);
}

static void try_memset(size_t size, size_t to, size_t from)
{
	static const int values[ALIGNS] = { 0, 1, 0x5a, 0x80, 0xff, -1, 0x1234, -256, 0x101 };

	assert_ptr_equal(lib_memset(got + to, values[from], size), got + to);
	for (size_t i = 0; i < size; i++)
		expected[to + i] = (unsigned char)values[from];
}

static void memset_takes_the_low_byte(void **state)
{
	(void)state;
	for_sizes_and_aligns(try_memset);
}

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

/* Bytes compare as unsigned; the first difference decides; bytes beyond the size do not count. */
static void memcmp_is_decided_by_the_first_difference(void **state)
{
	static const unsigned char values[] = { 0, 1, 0x7f, 0x80, 0xff };

	(void)state;
	for (size_t size = 0; size < 20; size++)
		for (size_t at = 0; at < 20; at++)
			for (size_t v = 0; v < sizeof(values); v++) {
				int want;

				fill_all();
				lib_memcpy(got, source, 20);
				got[at] = values[v];
				got[19] = (unsigned char)~source[19];
				want = at < size && at < 19 ? values[v] - source[at] : 0;
				assert_int_equal(sign(lib_memcmp(got, source, size)), sign(want));
				assert_int_equal(sign(lib_memcmp(source, got, size)), -sign(want));
			}
}

static const char *const texts[] = { "", "a", "b", "ab", "abc", "abd", "\x80", "a\xff", "abcabc" };
#define NR_TEXTS (sizeof(texts) / sizeof(texts[0]))

static void strlen_counts(void **state)
{
	(void)state;
	assert_int_equal(lib_strlen(""), 0);
	assert_int_equal(lib_strlen("a"), 1);
	assert_int_equal(lib_strlen("abc\0def"), 3);
	assert_int_equal(lib_strlen("\x80\xff"), 2);
}

/* Signs are compared with the C library's results, because C does not define other values. */
static void strcmp_and_strncmp_order_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_TEXTS; i++)
		for (size_t j = 0; j < NR_TEXTS; j++) {
			assert_int_equal(sign(lib_strcmp(texts[i], texts[j])),
					 sign(strcmp(texts[i], texts[j])));
			for (size_t size = 0; size < 8; size++)
				assert_int_equal(sign(lib_strncmp(texts[i], texts[j], size)),
						 sign(strncmp(texts[i], texts[j], size)));
		}
	/* Neither text has a terminating 0: the size must end the comparison. */
	assert_int_equal(lib_strncmp((char[]){ 'x', 'y' }, (char[]){ 'x', 'y' }, 2), 0);
}

static void strchr_finds_the_first(void **state)
{
	static const char text[] = "abcab\xe9";

	(void)state;
	assert_ptr_equal(lib_strchr(text, 'a'), text);
	assert_ptr_equal(lib_strchr(text, 'b'), text + 1);
	assert_ptr_equal(lib_strchr(text, 0xe9), text + 5);
	assert_ptr_equal(lib_strchr(text, 0), text + 6);
	assert_null(lib_strchr(text, 'x'));
	assert_null(lib_strchr("", 'a'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memcpy_copies_that_and_no_more),
		cmocka_unit_test(memmove_of_ranges_that_overlap),
		cmocka_unit_test(memset_takes_the_low_byte),
		cmocka_unit_test(memcmp_is_decided_by_the_first_difference),
		cmocka_unit_test(strlen_counts),
		cmocka_unit_test(strcmp_and_strncmp_order_texts),
		cmocka_unit_test(strchr_finds_the_first),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
