/*
 * test_format.c: compares lib/format.c with the C library's snprintf(), text and returned length.
 *
 * Every flag, width, precision and length is combined with every conversion and with values at the
 * borders of the types. What C leaves open (%s and %p of NULL) must be as lib/format.h promises.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/format.h"

#define TEXT_SIZE 256
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

static unsigned long nr_compared;

/* This has no format attribute, because the formats are made at run time, and some are wrong. */
static int ours_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int length = fmt_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return length;
}

static int theirs_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int length = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return length;
}

#define compare(size, fmt, ...)                                                            \
	do {                                                                               \
		char ours[TEXT_SIZE], theirs[TEXT_SIZE];                                   \
		memset(ours, 'x', sizeof(ours));                                           \
		memset(theirs, 'x', sizeof(theirs));                                       \
		int our_length = ours_snprintf(ours, size, fmt, __VA_ARGS__);              \
		int their_length = theirs_snprintf(theirs, size, fmt, __VA_ARGS__);        \
		if (our_length != their_length || memcmp(ours, theirs, sizeof(ours)) != 0) \
			fail_msg("\"%s\": \"%s\" (%d), C library: \"%s\" (%d)", fmt, ours, \
				 our_length, theirs, their_length);                        \
		nr_compared++;                                                             \
	} while (0)

static const char *const flags[] = { "", "0", "-", "#", "0#", "-#", "-0", "-0#" };
static const char *const widths[] = { "", "1", "2", "7", "19", "40" };
static const char *const precisions[] = { "", ".", ".0", ".1", ".5", ".21" };
static const uint64_t values[] = { 0,          1,
				   7,          9,
				   10,         15,
				   16,         99,
				   127,        128,
				   255,        256,
				   32767,      65535,
				   65536,      99999,
				   655359,     INT_MAX,
				   UINT_MAX,   1ull << 32,
				   4294967305, 1ull << 48,
				   LLONG_MAX,  1ull << 63,
				   ULLONG_MAX, 0x123456789abcdef0 };

static void compare_integer(const char *head, const char *length, char conversion)
{
	char fmt[32];

	snprintf(fmt, sizeof(fmt), "%s%s%c", head, length, conversion);
	for (size_t i = 0; i < COUNT(values); i++) {
		if (strchr(length, 'l') || *length == 'z' || *length == 't')
			compare(TEXT_SIZE, fmt, values[i]);
		else
			compare(TEXT_SIZE, fmt, (unsigned)values[i]);
	}
}

static void integers(void **state)
{
	static const char *const lengths[] = { "", "hh", "h", "l", "ll", "z", "t" };
	char head[16];

	(void)state;
	for (size_t f = 0; f < COUNT(flags); f++)
		for (size_t w = 0; w < COUNT(widths); w++)
			for (size_t p = 0; p < COUNT(precisions); p++)
				for (size_t l = 0; l < COUNT(lengths); l++)
					for (const char *c = "diuxX"; *c; c++) {
						/* C does not define # with a decimal conversion. */
						if (strchr(flags[f], '#') && strchr("diu", *c))
							continue;
						snprintf(head, sizeof(head), "%%%s%s%s", flags[f],
							 widths[w], precisions[p]);
						compare_integer(head, lengths[l], *c);
					}
	assert_true(nr_compared > 100000);
}

static void decimal_of_many_values(void **state)
{
	uint64_t value = 1;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		value = value * 6364136223846793005ull + 1442695040888963407ull;
		compare(TEXT_SIZE, "%lu %lu", value, value >> (value & 63));
	}
}

static void strings(void **state)
{
	static const char *const texts[] = { "", "a", "firstpage", "a longer text, with % in it" };
	char fmt[16];

	(void)state;
	for (size_t w = 0; w < COUNT(widths); w++)
		for (size_t p = 0; p < COUNT(precisions); p++)
			for (size_t t = 0; t < COUNT(texts); t++) {
				snprintf(fmt, sizeof(fmt), "%%%s%ss", widths[w], precisions[p]);
				compare(TEXT_SIZE, fmt, texts[t]);
				snprintf(fmt, sizeof(fmt), "%%-%s%ss|", widths[w], precisions[p]);
				compare(TEXT_SIZE, fmt, texts[t]);
			}
	compare(TEXT_SIZE, "[%c][%3c][%-3c]%%", 'a', 'b', 'c');
	compare(TEXT_SIZE, "%c", 0);
}

static void stars(void **state)
{
	(void)state;
	for (int width = -12; width <= 12; width++)
		for (int precision = -3; precision <= 12; precision++) {
			compare(TEXT_SIZE, "[%*.*s]", width, precision, "firstpage");
			compare(TEXT_SIZE, "[%*.*d]", width, precision, -1234);
			compare(TEXT_SIZE, "[%0*.*x]", width, precision, 0xbeef);
			compare(TEXT_SIZE, "[%-*.*d]", width, precision, 42);
		}
}

static void precision_bounds_the_read(void **state)
{
	char text[3] = { 'a', 'b', 'c' }; /* the sanitizer reports a read beyond it */

	(void)state;
	compare(TEXT_SIZE, "%.*s", 3, text);
}

static void cut_at_every_size(void **state)
{
	(void)state;
	for (size_t size = 0; size < 40; size++)
		compare(size, "%s: %d of %#x, %5u", "frames", -17, 0xffffu, 42u);
	assert_int_equal(fmt_snprintf(NULL, 0, "%d", 12345), 5);
}

static void several_in_a_row(void **state)
{
	(void)state;
	compare(TEXT_SIZE, "BIOS-e820: [mem 0x%016llx-0x%016llx] %s", 0ull, 0x9fbffull, "usable");
	compare(TEXT_SIZE, "%d %lld %hhu %s %d", 1, LLONG_MIN, (unsigned char)200, "x", INT_MIN);
}

static void our_own_choices(void **state)
{
	char text[TEXT_SIZE];

	(void)state;
	ours_snprintf(text, sizeof(text), "%s %p %p", (char *)NULL, (void *)NULL, (void *)0x1234);
	assert_string_equal(text, "(null) 0x0 0x1234");
	assert_int_equal(ours_snprintf(text, sizeof(text), "%y %5", 1), 5);
	assert_string_equal(text, "%y %5");
	assert_int_equal(ours_snprintf(text, sizeof(text), "%"), 1);
	assert_string_equal(text, "%");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(decimal_of_many_values),
		cmocka_unit_test(strings),
		cmocka_unit_test(stars),
		cmocka_unit_test(precision_bounds_the_read),
		cmocka_unit_test(cut_at_every_size),
		cmocka_unit_test(several_in_a_row),
		cmocka_unit_test(our_own_choices),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
