/*
 * test_options.c: tests the kernel's command line (kernel/options.c) and the numbers in it
 * (kernel/parse.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/e820.h"
#include "kernel/options.h"
#include "kernel/parse.h"
#include "mm/debug.h"

#define KIB (1ull << 10)
#define MIB (1ull << 20)
#define GIB (1ull << 30)

static char warnings[4096];

static int warn(const char *fmt, ...)
{
	size_t used = strlen(warnings);
	va_list ap;

	va_start(ap, fmt);
	int length = vsnprintf(warnings + used, sizeof(warnings) - used, fmt, ap);
	va_end(ap);
	return length;
}

/*
 * Parses a copy of exactly the line's size, so that the sanitizer reports a read beyond its end,
 * and demands these warnings.
 */
static struct options parse(const char *line, const char *expected_warnings)
{
	static char *copy;
	struct options result;

	free(copy);
	copy = strdup(line);
	warnings[0] = '\0';
	unsigned nr_warnings = options_parse(&result, copy, warn);
	unsigned nr_lines = 0;
	for (const char *c = warnings; *c; c++)
		nr_lines += *c == '\n';
	assert_string_equal(warnings, expected_warnings);
	assert_int_equal(nr_warnings, nr_lines);
	return result;
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = {
		{ "0", 0 },
		{ "00", 0 },
		{ "1", 1 },
		{ "010", 8 },
		{ "0x10", 16 },
		{ "0XfF", 255 },
		{ "4k", 4 * KIB },
		{ "4K", 4 * KIB },
		{ "64M", 64 * MIB },
		{ "0x10M", 16 * MIB },
		{ "2g", 2 * GIB },
		{ "3T", 3072 * GIB },
		{ "1P", 1048576 * GIB },
		{ "15E", 15ull << 60 },
		{ "18446744073709551615", UINT64_MAX },
		{ "0xffffffffffffffff", UINT64_MAX },
		{ "01777777777777777777777", UINT64_MAX },
	};
	static const char *const bad[] = { "",
					   "K",
					   "x",
					   "0x",
					   "0xg",
					   "08",
					   "-1",
					   "+1",
					   " 1",
					   "1 ",
					   "1KK",
					   "1B",
					   "1.5M",
					   "16E",
					   "18446744073709551616",
					   "0x10000000000000000",
					   "18014398509481984K" };
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		value = 12345;
		if (!parse_number(good[i].text, &value) || value != good[i].value)
			fail_msg("\"%s\" was read as %#lx", good[i].text, value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		value = 12345;
		if (parse_number(bad[i], &value))
			fail_msg("\"%s\" was read as %#lx, but should be refused", bad[i], value);
		assert_int_equal(value, 12345);
	}
}

static void what_follows_a_number(void **state)
{
	uint64_t value;

	(void)state;
	assert_string_equal(parse_size("64M@16M", &value), "@16M");
	assert_int_equal(value, 64 * MIB);
	assert_string_equal(parse_size("12z", &value), "z");
	assert_string_equal(parse_size("0xz", &value), "xz");
	assert_int_equal(value, 0);
}

static void nothing(void **state)
{
	static const char *const lines[] = { "", " ", "    " };
	static const struct options none;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct options o = parse(lines[i], "");
		assert_memory_equal(&o, &none, sizeof(o));
	}
}

static void memory_limit(void **state)
{
	(void)state;
	assert_int_equal(parse("mem=512M", "").mem_limit, 512 * MIB);
	assert_int_equal(parse("mem=1G mem=0x40000000", "").mem_limit, GIB);
	assert_int_equal(parse("memmap=256M", "").mem_limit, 256 * MIB);
	assert_int_equal(parse("mem=", "Bad value of command-line option mem: \n").mem_limit, 0);
	assert_int_equal(parse("mem", "Bad value of command-line option mem: \n").mem_limit, 0);
	assert_int_equal(parse("mem=0", "Bad value of command-line option mem: 0\n").mem_limit, 0);
	assert_int_equal(
	    parse("mem=1x mem=5", "Bad value of command-line option mem: 1x\n").mem_limit, 5);
}

static void check_memmap(const struct options *o, unsigned i, uint64_t base, uint64_t size,
			 uint32_t type)
{
	assert_true(i < o->nr_memmaps);
	assert_int_equal(o->memmaps[i].base, base);
	assert_int_equal(o->memmaps[i].size, size);
	assert_int_equal(o->memmaps[i].type, type);
}

static void memory_maps(void **state)
{
	struct options o = parse("memmap=exactmap memmap=640K@0 memmap=64M@1M,4K#0x5000000,1M$2G "
				 "memmap=1G!4G",
				 "");

	(void)state;
	assert_true(o.exactmap);
	assert_int_equal(o.nr_memmaps, 5);
	check_memmap(&o, 0, 0, 640 * KIB, E820_TYPE_RAM);
	check_memmap(&o, 1, MIB, 64 * MIB, E820_TYPE_RAM);
	check_memmap(&o, 2, 0x5000000, 4 * KIB, E820_TYPE_ACPI);
	check_memmap(&o, 3, 2 * GIB, MIB, E820_TYPE_RESERVED);
	check_memmap(&o, 4, 4 * GIB, GIB, E820_TYPE_PRAM);
}

static void wrong_memory_maps(void **state)
{
	static const char *const bad[] = { "64M@",
					   "@1M",
					   "64M%1M",
					   "64M@1Mx",
					   "0@1M",
					   "1M@@2M",
					   "64M@1M,",
					   ",",
					   "2@0xffffffffffffffff",
					   "exact",
					   "exactmap,64M@1M,x" };
	char line[64], warning[128];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "memmap=%s", bad[i]);
		snprintf(warning, sizeof(warning), "Bad value of command-line option memmap: %s\n",
			 bad[i]);
		assert_int_equal(parse(line, warning).nr_memmaps, 0);
		assert_false(parse(line, warning).exactmap);
	}
}

static void too_many_memory_maps(void **state)
{
	char line[1024] = "";
	size_t n = 0;

	(void)state;
	for (int i = 0; i < OPTIONS_MAX_MEMMAPS; i++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, "memmap=1K@0 ");
	assert_int_equal(parse(line, "").nr_memmaps, OPTIONS_MAX_MEMMAPS);
	snprintf(line + n, sizeof(line) - n, "memmap=1K@1M");
	assert_int_equal(parse(line, "Bad value of command-line option memmap: 1K@1M\n").nr_memmaps,
			 OPTIONS_MAX_MEMMAPS);
}

static void consoles_and_debug(void **state)
{
	(void)state;
	assert_int_equal(parse("console=ttyS0", "").consoles, OPTION_CONSOLE_TTYS0);
	assert_int_equal(parse("console=ttyS0,115200n8", "").consoles, OPTION_CONSOLE_TTYS0);
	assert_int_equal(parse("console=tty0  console=ttyS0,115200", "").consoles,
			 OPTION_CONSOLE_TTYS0 | OPTION_CONSOLE_TTY0);
	assert_int_equal(
	    parse("console=ttyS0,9600", "Bad value of command-line option console: ttyS0,9600\n")
		.consoles,
	    0);
	assert_true(parse("memblock=debug", "").memblock_debug);
	assert_false(parse("memblock=debu", "Bad value of command-line option memblock: debu\n")
			 .memblock_debug);
	assert_true(parse("memblock=debug memblock=debu",
			  "Bad value of command-line option memblock: debu\n")
			.memblock_debug);
}

/* Stage2 acts on "safe"; the kernel only has to know the word, and that it is a whole word. */
static void safe(void **state)
{
	(void)state;
	assert_int_equal(parse("safe mem=64M", "").mem_limit, 64 * MIB);
	parse("safe=1", "Unknown command-line option: safe=1\n");
	parse("safer", "Unknown command-line option: safer\n");
}

static void debugging_memory(void **state)
{
	(void)state;
	assert_int_equal(parse("page_poison=on", "").debug, MM_PAGE_POISON);
	assert_int_equal(parse("page_owner=on", "").debug, MM_PAGE_OWNER);
	assert_int_equal(parse("debug_pagealloc=on", "").debug, MM_DEBUG_PAGEALLOC);
	assert_int_equal(parse("page_owner=on page_poison=on page_owner=off", "").debug,
			 MM_PAGE_POISON);
	assert_int_equal(
	    parse("page_owner=yes", "Bad value of command-line option page_owner: yes\n").debug, 0);
	assert_int_equal(
	    parse("page_poison", "Bad value of command-line option page_poison: \n").debug, 0);
}

static void passes_of_memtest(void **state)
{
	(void)state;
	assert_int_equal(parse("memtest=4", "").memtest_passes, 4);
	assert_int_equal(parse("memtest=4 memtest=0", "").memtest_passes, 0);
	assert_int_equal(parse("memtest=1000000", "").memtest_passes, 1000000);
	assert_int_equal(
	    parse("memtest", "Bad value of command-line option memtest: \n").memtest_passes, 0);
	assert_int_equal(
	    parse("memtest=1000001", "Bad value of command-line option memtest: 1000001\n")
		.memtest_passes,
	    0);
	assert_int_equal(
	    parse("memtest=2x", "Bad value of command-line option memtest: 2x\n").memtest_passes,
	    0);
}

static void nodes(void **state)
{
	(void)state;
	assert_int_equal(parse("numa=fake=4", "").numa_fake, 4);
	assert_int_equal(parse("numa=fake=63", "").numa_fake, 63);
	assert_int_equal(parse("numa=fake=1 numa=fake=2", "").numa_fake, 2);
	assert_false(parse("numa=fake=4", "").numa_off);
	assert_true(parse("numa=off", "").numa_off);
	assert_true(parse("numa=off numa=fake=2", "").numa_off);
}

static void wrong_nodes(void **state)
{
	static const char *const bad[] = { "",          "on",      "offf",    "fake",
					   "fake=",     "fake=0",  "fake=64", "fake=2x",
					   "fake=512M", "fake=-1", "fake==2", "4" };
	char line[64], warning[128];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "numa=%s", bad[i]);
		snprintf(warning, sizeof(warning), "Bad value of command-line option numa: %s\n",
			 bad[i]);
		assert_int_equal(parse(line, warning).numa_fake, 0);
		assert_false(parse(line, warning).numa_off);
	}
	/* Behind "numa=fake=" another option stands, which is none of its value. */
	assert_int_equal(
	    parse("numa=fake= mem=64M", "Bad value of command-line option numa: fake=\n").numa_fake,
	    0);
}

static void run_takes_the_rest(void **state)
{
	(void)state;
	assert_null(parse("mem=1G", "").run);
	assert_string_equal(parse("run=free;page 5 ; exit 3", "").run, "free;page 5 ; exit 3");
	assert_string_equal(parse("mem=1G run=alloc 3 mem=2G foo", "").run, "alloc 3 mem=2G foo");
	assert_int_equal(parse("mem=1G run=alloc 3 mem=2G foo", "").mem_limit, GIB);
	assert_string_equal(parse("run=", "").run, "");
}

static void unknown_options(void **state)
{
	(void)state;
	parse("foo", "Unknown command-line option: foo\n");
	parse(" foo=bar  run =", "Unknown command-line option: foo=bar\n"
				 "Unknown command-line option: run\n"
				 "Unknown command-line option: =\n");
	assert_int_equal(parse("xmem=1G memx=2G mem=3G", "Unknown command-line option: xmem=1G\n"
							 "Unknown command-line option: memx=2G\n")
			     .mem_limit,
			 3 * GIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(what_follows_a_number),
		cmocka_unit_test(nothing),
		cmocka_unit_test(memory_limit),
		cmocka_unit_test(memory_maps),
		cmocka_unit_test(wrong_memory_maps),
		cmocka_unit_test(too_many_memory_maps),
		cmocka_unit_test(consoles_and_debug),
		cmocka_unit_test(safe),
		cmocka_unit_test(debugging_memory),
		cmocka_unit_test(passes_of_memtest),
		cmocka_unit_test(nodes),
		cmocka_unit_test(wrong_nodes),
		cmocka_unit_test(run_takes_the_rest),
		cmocka_unit_test(unknown_options),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
