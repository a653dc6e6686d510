/*
 * test_cmdline.c: tests how stage2 makes a line of CMDLINE.TXT, and looks for words in it
 * (stage2/cmdline.c). tests/host/fuzz/fuzz_cmdline.c compares both with a naive reader.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stage2/cmdline.h"

static void whole_words_count(void **state)
{
	(void)state;
	assert_true(cmdline_has("safe", "safe"));
	assert_true(cmdline_has("  mem=64M  safe ", "safe"));
	assert_true(cmdline_has("safest safe", "safe"));
	assert_false(cmdline_has("", "safe"));
	assert_false(cmdline_has("   ", "safe"));
	assert_false(cmdline_has("safes unsafe safe=1 saf", "safe"));
}

static void what_is_run_does_not_count(void **state)
{
	(void)state;
	assert_true(cmdline_has("safe run=exit 0", "safe"));
	assert_false(cmdline_has("run=bios; safe ;exit 0", "safe"));
	assert_true(cmdline_has("xrun=1 safe", "safe"));
}

static char line[64];
static struct cmdline_report report;

/* Cleans a copy of exactly the file's size, so that the sanitizer reports a read beyond its end. */
static void clean_bytes(const void *file, size_t size, uint32_t line_size)
{
	uint8_t *copy = malloc(size ? size : 1);

	memcpy(copy, file, size);
	memset(line, 'x', sizeof(line));
	cmdline_clean(copy, (uint32_t)size, line, line_size, &report);
	free(copy);
}

static void clean(const char *file, uint32_t line_size)
{
	clean_bytes(file, strlen(file), line_size);
}

/* Demands that file becomes this line, without a fault. */
static void check_plain(const char *file, const char *expected)
{
	static const struct cmdline_report nothing;

	clean(file, sizeof(line));
	assert_string_equal(line, expected);
	assert_memory_equal(&report, &nothing, sizeof(report));
}

static void the_first_line_counts(void **state)
{
	(void)state;
	check_plain("", "");
	check_plain("\r\n", "");
	check_plain("safe", "safe");
	check_plain("safe\n", "safe");
	check_plain("safe\r\n\x1a", "safe");
	check_plain("run=exit 0\x1a", "run=exit 0");
	check_plain("\x1a", "");
	check_plain("mem=1G\tsafe\r\n  \t\r\n", "mem=1G safe");
	check_plain("\xef\xbb\xbfsafe\n", "safe");
	check_plain("!\"09AZaz{|}~", "!\"09AZaz{|}~");
	/* Blank lines above it; line ends of an old Mac. */
	check_plain("\r\n \t\r\n\n  safe mem=1G\n", "safe mem=1G");
	check_plain("\r\rsafe\r", "safe");
	clean("safe\rmem=1G\r", sizeof(line));
	assert_string_equal(line, "safe");
	assert_true(report.more);
	clean("safe\n\n# comment\n", sizeof(line));
	assert_string_equal(line, "safe");
	assert_true(report.more);
	/* Only what can be seen is text. */
	clean("safe\n\x01\n", sizeof(line));
	assert_false(report.more);
	clean("safe\n\x01 b\n\x01\n", sizeof(line));
	assert_true(report.more);
}

static void other_characters_are_replaced(void **state)
{
	(void)state;
	clean("quiet=gr\xf6\xdf"
	      "e\n",
	      sizeof(line));
	assert_string_equal(line, "quiet=gr??e");
	assert_int_equal(report.replaced, 2);
	assert_int_equal(report.first, 8);
	assert_int_equal(report.first_value, 0xf6);
}

/* A byte order mark has all of its bytes; a file may end in the middle of one. */
static void parts_of_marks_are_replaced(void **state)
{
	static const char *const files[] = { "\xef\xbb"
					     "ab",
					     "\xff"
					     "ab",
					     "\xfe"
					     "ab",
					     "\xef"
					     "ab",
					     "\x7f"
					     "ab" };
	static const char *const lines[] = { "??ab", "?ab", "?ab", "?ab", "?ab" };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		clean(files[i], sizeof(line));
		assert_string_equal(line, lines[i]);
		assert_false(report.utf16);
		assert_int_equal(report.first, 0);
		clean_bytes(files[i], strlen(files[i]) - 2, sizeof(line));
		assert_memory_equal(line, lines[i], strlen(files[i]) - 2);
		assert_false(report.utf16);
	}
}

/* Writes text as UTF-16 to file. Returns its size. */
static size_t utf16(const char *text, bool big_endian, bool mark, uint8_t *file)
{
	size_t size = 0, units = strlen(text) + mark;

	for (size_t i = 0; i < units; i++, size += 2) {
		char c = mark && i == 0 ? 0 : text[i - mark];
		unsigned int unit = !c ? 0xfeff : c == '~' ? 0x20ac : (unsigned char)c;

		file[size + big_endian] = (uint8_t)unit;
		file[size + !big_endian] = (uint8_t)(unit >> 8);
	}
	return size;
}

static void utf_16_is_read(void **state)
{
	uint8_t file[256];

	(void)state;
	for (unsigned int way = 0; way < 4; way++) {
		bool mark = way & 2;
		size_t size = utf16("\r\nsafe mem=~ run=a\r\n\r\n", way & 1, mark, file);

		clean_bytes(file, size, sizeof(line));
		assert_string_equal(line, "safe mem=? run=a");
		assert_true(report.utf16 && !report.cut && !report.more);
		assert_int_equal(report.replaced, 1);
		assert_int_equal(report.first, 2 * (11 + mark));
		assert_int_equal(report.first_value, 0x20ac);
	}
	/* An odd byte at the end, and nothing but a mark. */
	clean_bytes("s\0a", 3, sizeof(line));
	assert_string_equal(line, "s?");
	assert_int_equal(report.first, 2);
	assert_int_equal(report.first_value, 0xff61);
	/* One character; and a first one outside ASCII. */
	clean_bytes("s\0", 2, sizeof(line));
	assert_string_equal(line, "s");
	clean_bytes("\0s", 2, sizeof(line));
	assert_string_equal(line, "s");
	clean_bytes("\xfe\xff\x20\xac\0s", 6, sizeof(line));
	assert_string_equal(line, "?s");
	clean_bytes("\xfe\xff", 2, sizeof(line));
	assert_string_equal(line, "");
	assert_true(report.utf16);
	clean_bytes("\xff\xfe", 2, sizeof(line));
	assert_string_equal(line, "");
	/* One byte, and a 0 that is not beside the first character. */
	clean_bytes("s", 1, sizeof(line));
	assert_string_equal(line, "s");
	clean_bytes("\0", 1, sizeof(line));
	assert_string_equal(line, "?");
	clean_bytes("\0\0ab", 4, sizeof(line));
	assert_string_equal(line, "??ab");
	assert_false(report.utf16);
	clean_bytes("saf\0", 4, sizeof(line));
	assert_string_equal(line, "saf?");
	assert_false(report.utf16);
}

/* Demands that a file, where the line has room for so many characters, is cut to this line. */
static void check_cut(const char *file, uint32_t room, const char *expected, const char *dropped)
{
	clean(file, room + 1);
	assert_string_equal(line, expected);
	assert_string_equal(report.dropped, dropped);
	assert_int_equal(report.cut, *dropped != 0);
}

static void whole_options_are_kept(void **state)
{
	(void)state;
	check_cut("safe mem=256M", 13, "safe mem=256M", "");
	check_cut("safe mem=256M \t ", 13, "safe mem=256M", "");
	check_cut("safe mem=256M", 12, "safe", "mem=256M");
	check_cut("safe mem=256M", 10, "safe", "mem=256M");
	check_cut("safe mem=256M", 5, "safe", "mem=256M");
	check_cut("safe mem=256M", 4, "safe", "mem=256M");
	check_cut("safe   mem=256M", 6, "safe", "mem=256M");
	check_cut("safe mem=256M", 3, "", "safe mem=256M");
	check_cut("safe mem=256M", 0, "", "safe mem=256M");
	check_cut("safe a b", 5, "safe", "a b");
	check_cut("a xxxxxxxxx xxxxxxxxx xxxxxxxxx xxxxxxxxx", 2, "a",
		  "xxxxxxxxx xxxxxxxxx xxxxxxxxx xxxxxxxxx");
	check_cut("a xxxxxxxxx xxxxxxxxx xxxxxxxxx xxxxxxxxx xxxxxxxxx", 5, "a",
		  "xxxxxxxxx xxxxxxxxx xxxxxxxxx xxxxxxxxx");
}

static void whole_commands_are_kept(void **state)
{
	(void)state;
	check_cut("safe run=free;exit 10", 21, "safe run=free;exit 10", "");
	check_cut("safe run=free;exit 10", 20, "safe run=free", "exit 10");
	check_cut("safe run=free;exit 10", 18, "safe run=free", "exit 10");
	check_cut("safe run=free;exit 10", 14, "safe run=free", "exit 10");
	check_cut("safe run=free;exit 10", 13, "safe run=free", "exit 10");
	check_cut("safe run=free  ;exit 10", 13, "safe run=free", "exit 10");
	check_cut("safe run=free  ;exit 10", 15, "safe run=free", "exit 10");
	check_cut("safe run=free;exit 10", 12, "safe", "run=free;exit 10");
	check_cut("safe run=page 1;exit 10", 13, "safe", "run=page 1;exit 10");
	check_cut("safe run=free;exit 10", 9, "safe", "run=free;exit 10");
	check_cut("safe run=free;exit 10", 8, "safe", "run=free;exit 10");
	check_cut("run=free;exit 10", 3, "", "run=free;exit 10");
	/* Only what comes after run= is a command, even an empty one. */
	check_cut("x ; run=page 1;exit 10", 12, "x ;", "run=page 1;exit 10");
	check_cut("safe run=;exit 10", 12, "safe run=", "exit 10");
	/* Nothing but semicolons is dropped, in as far as there is room for what is. */
	clean("run=free;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;exit", 8 + 1);
	assert_string_equal(line, "run=free");
	assert_true(report.cut);
	/* However far away the semicolon is. */
	check_cut("run=free                                                            ;exit 10", 8,
		  "run=free", "exit 10");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_words_count),
		cmocka_unit_test(what_is_run_does_not_count),
		cmocka_unit_test(the_first_line_counts),
		cmocka_unit_test(other_characters_are_replaced),
		cmocka_unit_test(parts_of_marks_are_replaced),
		cmocka_unit_test(utf_16_is_read),
		cmocka_unit_test(whole_options_are_kept),
		cmocka_unit_test(whole_commands_are_kept),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("cmdline", tests, NULL, NULL);
}
