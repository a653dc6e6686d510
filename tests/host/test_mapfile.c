/*
 * test_mapfile.c: tests tools/replay/mapfile.c under sanitizers: with exact values, and with text
 * that is cut, mangled or random. tests/replay.py tests replay's messages about bad input.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/replay/mapfile.h"

static struct mapfile map;

static int parse(const char *text, size_t size)
{
	/* A copy of exactly this size, so that the sanitizer reports a read beyond the end. */
	char *copy = malloc(size ? size : 1);
	int result;

	assert_non_null(copy);
	memcpy(copy, text, size);
	result = mapfile_parse(&map, copy, size);
	free(copy);
	return result;
}

static void expect(const char *text, uint64_t base, uint64_t size, uint32_t type)
{
	if (parse(text, strlen(text)))
		fail_msg("%s: line %u: %s", text, map.line, map.error);
	assert_int_equal(map.nr, 1);
	assert_int_equal(map.entries[0].base, base);
	assert_int_equal(map.entries[0].size, size);
	assert_int_equal(map.entries[0].type, type);
}

static void every_form_is_read(void **state)
{
	(void)state;
	expect("0x1000 0x2000 3", 0x1000, 0x2000, 3);
	expect("\t4096 8192 0xefffffff # soft\r\n", 0x1000, 0x2000, 0xefffffff);
	expect("0xffffffffffffffff 0xffffffffffffffff 1", UINT64_MAX, UINT64_MAX, 1);
	expect("x BIOS-e820: [mem 0x0000000000001000-0x0000000000002fff] usable", 0x1000, 0x2000,
	       1);
	expect("BIOS-e820: [mem 0x1000-0x0fff] reserved", 0x1000, 0, 2);
	expect("BIOS-e820: [mem 0x0-0xffffffffffffffff] usable", 0, UINT64_MAX, 1);
	expect("BIOS-e820: [mem 0x1000-0x1fff] persistent (type 7)", 0x1000, 0x1000, 7);
	expect("BIOS-e820: [mem 0x1000-0x1fff] device reserved", 0x1000, 0x1000, 2);
	expect("BIOS-e820: [gap 0x0-0xfff]\nBIOS-e820: [mem 0x1000-0x1fff] type 9", 0x1000, 0x1000,
	       9);
	expect("BIOS-e820: 0000000000001000 - 0000000000003000 (ACPI NVS)", 0x1000, 0x2000, 4);
	expect("BIOS-e820: 0000000000002000 @ 0000000000001000 (unusable)", 0x1000, 0x2000, 5);
}

static void attributes_make_24_bytes(void **state)
{
	(void)state;
	expect("0 0x1000 1 0", 0, 0x1000, 1);
	assert_int_equal(map.entries[0].length, 24);
	assert_int_equal(map.entries[0].attributes, 0);
	expect("0 0x1000 1", 0, 0x1000, 1);
	assert_int_equal(map.entries[0].length, 20);
}

static void node_lines_are_kept_as_given(void **state)
{
	static const char text[] = "node 62 0x7 0 # no bytes\n0 0x1000 1\n"
				   "\tNODE 0x1 4096 0xffffffffffffffff\r\n";

	(void)state;
	expect(text, 0, 0x1000, 1);
	assert_int_equal(map.nr_nodes, 2);
	assert_int_equal(map.nodes[0].nid, 62);
	assert_int_equal(map.nodes[0].base, 7);
	assert_int_equal(map.nodes[0].size, 0);
	assert_int_equal(map.nodes[1].nid, 1);
	assert_int_equal(map.nodes[1].base, 4096);
	assert_int_equal(map.nodes[1].size, UINT64_MAX);
	/* In a log, lines of the map file's form are among those that are skipped. */
	expect("node 1 0 1\nBIOS-e820: [mem 0x0-0xfff] usable", 0, 0x1000, 1);
	assert_int_equal(map.nr_nodes, 0);
}

static void cut_and_mangled_text_is_survived(void **state)
{
	static const char text[] = "# map\n0x0 0x9f800 1 1\nnode 1 0 0x9f800\n"
				   "BIOS-e820: [mem 0x0-0x9fbff] usable\n"
				   "BIOS-e820: 00001000 @ 00100000 (type 20)\n";
	const size_t map_size = (size_t)(strstr(text, "BIOS") - text);
	char mangled[sizeof(text)];

	(void)state;
	srandom(1);
	for (size_t size = 0; size < sizeof(text); size++)
		(void)parse(text, size);
	for (int round = 0; round < 40000; round++) {
		size_t size = round % 2 ? map_size : sizeof(text);

		memcpy(mangled, text, sizeof(text));
		for (long n = random() % 6; n >= 0; n--)
			mangled[random() % (long)size] = (char)random();
		if (parse(mangled, size))
			assert_non_null(map.error);
		else
			assert_true(map.nr > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_read),
		cmocka_unit_test(attributes_make_24_bytes),
		cmocka_unit_test(node_lines_are_kept_as_given),
		cmocka_unit_test(cut_and_mangled_text_is_survived),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
