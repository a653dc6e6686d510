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
	result = mapfile_parse(&map, copy, size, 0);
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
	expect("BIOS-88: 0000000000001000 - 0000000000003000 (usable)", 0x1000, 0x2000, 1);
	expect("reserve setup_data: [mem 0x1000-0x2fff] usable", 0x1000, 0x2000, 1);
	expect("BIOS-e820: [mem 0x1000-0x2fff]  persistent RAM (type 12)", 0x1000, 0x2000, 12);
	expect("BIOS-e820: [mem 0x1000-0x2fff]   8 KB System RAM", 0x1000, 0x2000, 1);
	expect("0xffffffffffffffff 0xffffffffffffffff 1", UINT64_MAX, UINT64_MAX, 1);
	expect("x BIOS-e820: [mem 0x0000000000001000-0x0000000000002fff] usable", 0x1000, 0x2000,
	       1);
	expect("BIOS-e820: [mem 0x1000-0x0fff] reserved", 0x1000, 0, 2);
	expect("BIOS-e820: [mem 0x0-0xffffffffffffffff] reserved", 0, 0, 2);
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

/* Parses text, which holds nr_maps maps, and expects the map of this number to begin at base. */
static void expect_map(const char *text, unsigned int number, unsigned int nr_maps, uint64_t base)
{
	assert_int_equal(mapfile_parse(&map, text, strlen(text), 0), 0);
	assert_int_equal(map.nr_maps, nr_maps);
	assert_int_equal(map.number, number);
	assert_int_equal(map.entries[0].base, base);
}

#define LINE(base)     "BIOS-e820: [mem 0x" #base "000-0x" #base "fff] usable\n"
#define OTHER(base)    "Xen: [mem 0x" #base "000-0x" #base "fff] usable\n"
#define RESERVED(base) "BIOS-e820: [mem 0x" #base "000-0x" #base "fff] reserved\n"
#define HEAD           "BIOS-provided physical RAM map:\n"

static void maps_are_told_apart(void **state)
{
	(void)state;
	expect_map(LINE(1) LINE(2) LINE(1) LINE(3), 2, 2, 0x1000);
	assert_int_equal(map.first_line, 3);
	assert_int_equal(map.last_line, 4);
	/* With a header, entries may repeat. */
	expect_map(HEAD LINE(1) LINE(2) LINE(1), 1, 1, 0x1000);
	assert_int_equal(map.nr, 3);
	expect_map(HEAD LINE(2) HEAD LINE(1), 2, 2, 0x1000);
	expect_map(LINE(2) OTHER(1) LINE(3), 3, 3, 0x3000);
	expect_map("a:" LINE(2) "b:" LINE(1), 2, 2, 0x1000);
	/* Other lines between those of a map do not end it. */
	expect_map(LINE(1) "e820: update [mem 0x0-0xfff] usable ==> reserved\n" LINE(2), 1, 1,
		   0x1000);
	assert_int_equal(map.nr, 2);
	/* The last complete one: with RAM, and not damaged. */
	expect_map(LINE(1) OTHER(2) RESERVED(3), 2, 3, 0x2000);
	assert_string_equal(map.passed_error, "it has no usable RAM");
	expect_map(LINE(1) OTHER(2) "Xen: [mem 0x4\n", 1, 2, 0x1000);
	assert_int_equal(map.passed_line, 3);
	/* Of a worse rank, none counts. */
	expect_map(LINE(1) "[mem 0x2000-0x2fff] usable\n", 1, 1, 0x1000);
	expect_map(LINE(1) "e820: [mem 0x2000-0x2fff] usable\n", 1, 1, 0x1000);
	expect_map(LINE(1) "user: [mem 0x2000-0x2fff] usable\n", 2, 2, 0x2000);
	expect_map(LINE(1) "user-defined physical RAM map:\nuser: [mem 0x2000-0x2fff] usable\n", 2,
		   2, 0x2000);
}

static void other_lines_are_no_entries(void **state)
{
	static const char *const lines[] = {
		"e820: update [mem 0x00000000-0x00000fff] usable ==> reserved",
		"e820: remove [mem 0x000a0000-0x000fffff] usable",
		"e820 update range: 0000000000000000 - 0000000000010000 (usable) ==> (reserved)",
		"e820 remove range: 00000000000a0000 - 0000000000100000 (usable)",
		"BIOS-e820: [gap 0x00000000000a0000-0x00000000000effff]",
		"[mem 0xc0000000-0xfed1bfff] available for PCI devices",
		"e820: reserve RAM buffer [mem 0x0009fc00-0x0009ffff]",
		"PM: hibernation: Registered nosave memory: [mem 0x00000000-0x00000fff]",
		"PM: Registered nosave memory: 000000000009f000 - 00000000000a0000",
		"efi: mem00: [Boot Code | | |WB] range=[0x0000000000000000-0x0000000000000fff] (0MB)",
		"  node   0: [mem 0x0000000000001000-0x000000000009efff]",
		"  DMA      [mem 0x0000000000001000-0x0000000000ffffff]",
		"ACPI: Reserving FACP table memory at [mem 0xbffe1a0a-0xbffe1afd]",
		"PCI: MMCONFIG at [mem 0xf8000000-0xfbffffff] reserved in E820",
		"system 00:05: [mem 0xfed1c000-0xfed1ffff] has been reserved",
		"pci 0000:00:02.0: reg 0x10: [mem 0xfd000000-0xfdffffff pref]",
		"free [mem 0x0000000000100000-0x0000000007ffffff]",
		"01000000-01c00f16 : Kernel code",
		"  80030000-80030fff : RAM buffer",
		"140000000-17fffffff : System RAM (kmem)",
		"SMAP: supervisor mode access prevention",
		"dmesg | grep BIOS-e820: add",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!parse(lines[i], strlen(lines[i])))
			fail_msg("%s: read as an entry", lines[i]);
		if (!map.no_map)
			fail_msg("%s: %s", lines[i], map.error);
	}
}

static void cut_and_mangled_text_is_survived(void **state)
{
	static const char text[] =
	    "# map\n0x0 0x9f800 1 1\nnode 1 0 0x9f800\n"
	    "Linux version 6\r\nBIOS-e820: [mem 0x0-0x9fbff] usable, attributes 0x1\\n\x1b[1m\n"
	    "BIOS-e820: 00001000 @ 00100000 (type 20)\n00000000-0009fbff : System RAM\n"
	    "(XEN)  [0000000000000000, 000000000009fbff] (usable)#012SMAP type=01 base=00 len=10\n"
	    "  0: 0000000000000000 - 000000000009f000 = 1 RAM\nRegion 0: type 1 at 0x0 for 639KB\n"
	    "base_addr = 0x0, length = 0x9fc00, available RAM\n0/start:0x0\n0/end:0xfff\n"
	    "0/type:System RAM\nUsable RAM:  Base Address:  0x0 X 4GB + 0x0,\nLength: 0 X 4GB + 1 bytes\n"
	    "{\"e820\":[{\"base\":\"0x0\",\"size\":\"0x9f000\",\"type\":1}]}\n";
	const size_t map_size = (size_t)(strstr(text, "Linux") - text);
	char mangled[sizeof(text)];

	(void)state;
	srandom(1);
	for (size_t size = 0; size < sizeof(text); size++)
		(void)parse(text, size);
	for (int round = 0; round < 40000; round++) {
		size_t size = round % 4 ? sizeof(text) : map_size;

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
		cmocka_unit_test(maps_are_told_apart),
		cmocka_unit_test(other_lines_are_no_entries),
		cmocka_unit_test(cut_and_mangled_text_is_survived),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
