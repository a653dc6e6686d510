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

/* The warning of a word that is no option. */
#define UNKNOWN(word) "Unknown command-line option: " word "\n"

/* The warning of a value that an option does not take. */
#define BAD(option, value)                                                                  \
	"Bad value of command-line option " #option ": " value "; it takes " TAKES_##option \
	    ": ignored\n"
#define TAKES_mem             "a size, as 64M"
#define TAKES_memmap          "SIZE@START, with @, #, $ or !, a size, or exactmap"
#define TAKES_memblock        "debug"
#define TAKES_memtest         "a number of passes, 0 to 1000"
#define TAKES_page_poison     "on or off"
#define TAKES_page_owner      "on or off"
#define TAKES_debug_pagealloc "on or off"
#define TAKES_numa            "off, or fake=N, N from 1 to 63"
#define TAKES_maxcpus         "a number"
#define TAKES_console         "tty0 or ttyS0"

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
		{ "0x123456789abcdef", 0x123456789abcdef },
		{ "0xABCDEF", 0xabcdef },
		{ "01234567", 01234567 },
		{ "4k", 4 * KIB },
		{ "4K", 4 * KIB },
		{ "5m", 5 * MIB },
		{ "64M", 64 * MIB },
		{ "0x10M", 16 * MIB },
		{ "2g", 2 * GIB },
		{ "2G", 2 * GIB },
		{ "3t", 3072 * GIB },
		{ "3T", 3072 * GIB },
		{ "1p", 1048576 * GIB },
		{ "1P", 1048576 * GIB },
		{ "1e", 1ull << 60 },
		{ "15E", 15ull << 60 },
		{ "18014398509481983K", 0xfffffffffffffc00 },
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
					   "1/",
					   "1:",
					   "0x1/",
					   "0x1:",
					   "0x1@",
					   "0x1`",
					   "0x1h",
					   "0x1Z",
					   "0x1\xff",
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
	assert_string_equal(parse_size("0xg", &value), "xg");
	assert_string_equal(parse_size("0xG", &value), "xG");
	assert_int_equal(value, 0);
	value = 12345;
	assert_null(parse_size("M", &value));
	assert_null(parse_size("16E", &value));
	assert_null(parse_size("18446744073709551616", &value));
	assert_int_equal(value, 12345);
}

static void nothing(void **state)
{
	static const char *const lines[] = { "", " ", "    " };
	static const struct options none;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct options o = parse(lines[i], "");
		assert_string_equal(o.line, lines[i]);
		o.line = NULL;
		assert_memory_equal(&o, &none, sizeof(o));
	}
}

static void memory_limit(void **state)
{
	(void)state;
	assert_int_equal(parse("mem=512M", "").mem_limit, 512 * MIB);
	assert_int_equal(parse("mem=1G mem=0x40000000", "").mem_limit, GIB);
	assert_int_equal(parse("memmap=256M", "").mem_limit, 256 * MIB);
	assert_int_equal(parse("mem=", BAD(mem, "none")).mem_limit, 0);
	assert_int_equal(parse("mem", BAD(mem, "none")).mem_limit, 0);
	assert_int_equal(parse("mem=0", BAD(mem, "0")).mem_limit, 0);
	assert_int_equal(parse("mem=1x mem=5", BAD(mem, "1x")).mem_limit, 5);
}

static struct option_memmap taken[1024];
static unsigned nr_taken;

static void take(const struct option_memmap *entry)
{
	assert_true(nr_taken < sizeof(taken) / sizeof(taken[0]));
	taken[nr_taken++] = *entry;
}

/* Fills taken[] with the ranges of memmap=. Returns their number. */
static unsigned take_all(const struct options *o)
{
	nr_taken = 0;
	options_for_each_memmap(o, take);
	assert_int_equal(nr_taken, o->nr_memmaps);
	return nr_taken;
}

static void check_memmap(unsigned i, uint64_t base, uint64_t size, uint32_t type)
{
	assert_true(i < nr_taken);
	assert_int_equal(taken[i].base, base);
	assert_int_equal(taken[i].size, size);
	assert_int_equal(taken[i].type, type);
}

static void memory_maps(void **state)
{
	struct options o = parse("memmap=exactmap memmap=640K@0 memmap=64M@1M,4K#0x5000000,1M$2G "
				 "memmap=1G!4G run=memmap=1K@0",
				 "");

	(void)state;
	assert_true(o.exactmap);
	assert_int_equal(take_all(&o), 5);
	check_memmap(0, 0, 640 * KIB, E820_TYPE_RAM);
	check_memmap(1, MIB, 64 * MIB, E820_TYPE_RAM);
	check_memmap(2, 0x5000000, 4 * KIB, E820_TYPE_ACPI);
	check_memmap(3, 2 * GIB, MIB, E820_TYPE_RESERVED);
	check_memmap(4, 4 * GIB, GIB, E820_TYPE_PRAM);
}

/* A range may have one byte, and may end at the last address but one. */
static void memory_maps_at_their_limits(void **state)
{
	struct options o = parse("memmap=1@0xfffffffffffffffe,0xffffffffffffffff$0,1#0", "");

	(void)state;
	assert_int_equal(take_all(&o), 3);
	check_memmap(0, UINT64_MAX - 1, 1, E820_TYPE_RAM);
	check_memmap(1, 0, UINT64_MAX, E820_TYPE_RESERVED);
	check_memmap(2, 0, 1, E820_TYPE_ACPI);
}

static void wrong_memory_maps(void **state)
{
	static const char *const bad[] = { "64M@", "@1M",    "64M%1M",   "64M@1Mx",
					   "0@1M", "1M@@2M", "exact",    "2@0xffffffffffffffff",
					   "1Mx",  "0",      "1M@2M@3M", "1@0xffffffffffffffff" };
	char line[64], warning[192];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "memmap=%s", bad[i]);
		snprintf(warning, sizeof(warning), BAD(memmap, "%s"), bad[i]);
		struct options o = parse(line, warning);
		assert_int_equal(take_all(&o), 0);
		assert_int_equal(o.mem_limit, 0);
		assert_false(o.exactmap);
	}
	parse("memmap memmap= memmap", BAD(memmap, "none") BAD(memmap, "none") BAD(memmap, "none"));
}

/* Of a list, the items that are right count, and each of the others is named. */
static void partly_wrong_memory_maps(void **state)
{
	struct options o =
	    parse("memmap=exactmap,64M@1M,x,1K$2G, memmap=,,1K!3G",
		  BAD(memmap, "x") BAD(memmap, "none") BAD(memmap, "none") BAD(memmap, "none"));

	(void)state;
	assert_true(o.exactmap);
	assert_int_equal(take_all(&o), 3);
	check_memmap(0, MIB, 64 * MIB, E820_TYPE_RAM);
	check_memmap(1, 2 * GIB, KIB, E820_TYPE_RESERVED);
	check_memmap(2, 3 * GIB, KIB, E820_TYPE_PRAM);
}

/* As many as a line can hold, as options of their own and as a list. */
static void many_memory_maps(void **state)
{
	static char line[4096];
	size_t n = 0;
	unsigned nr = 0;

	(void)state;
	while (n + 20 < sizeof(line)) {
		n += (size_t)snprintf(line + n, sizeof(line) - n, "memmap=4K$%uM ", ++nr);
	}
	struct options o = parse(line, "");
	assert_true(nr > 256);
	assert_int_equal(take_all(&o), nr);
	check_memmap(nr - 1, nr * MIB, 4 * KIB, E820_TYPE_RESERVED);

	n = (size_t)snprintf(line, sizeof(line), "memmap=1$1");
	for (nr = 1; n + 5 < sizeof(line); nr++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, ",1$%u", nr % 10);
	o = parse(line, "");
	assert_true(nr > 1000);
	assert_int_equal(take_all(&o), nr);
}

static void consoles_and_debug(void **state)
{
	(void)state;
	assert_int_equal(parse("console=ttyS0", "").consoles, OPTION_CONSOLE_TTYS0);
	assert_int_equal(parse("console=ttyS0,115200n8", "").consoles, OPTION_CONSOLE_TTYS0);
	assert_int_equal(parse("console=tty0  console=ttyS0,115200", "").consoles,
			 OPTION_CONSOLE_TTYS0 | OPTION_CONSOLE_TTY0);
	assert_int_equal(parse("console=ttyS0,9600", BAD(console, "ttyS0,9600")).consoles, 0);
	assert_true(parse("memblock=debug", "").memblock_debug);
	assert_false(parse("memblock=debu", BAD(memblock, "debu")).memblock_debug);
	assert_true(parse("memblock=debug memblock=debu", BAD(memblock, "debu")).memblock_debug);
}

/* Stage2 acts on "safe"; the kernel only has to know the word, and that it is a whole word. */
static void safe(void **state)
{
	(void)state;
	assert_int_equal(parse("safe mem=64M", "").mem_limit, 64 * MIB);
	parse("safe=1", UNKNOWN("safe=1"));
	parse("safer", UNKNOWN("safer"));
}

static void debugging_memory(void **state)
{
	(void)state;
	assert_int_equal(parse("page_poison=on", "").debug, MM_PAGE_POISON);
	assert_int_equal(parse("page_owner=on", "").debug, MM_PAGE_OWNER);
	assert_int_equal(parse("debug_pagealloc=on", "").debug, MM_DEBUG_PAGEALLOC);
	assert_int_equal(parse("page_owner=on page_poison=on page_owner=off", "").debug,
			 MM_PAGE_POISON);
	assert_int_equal(parse("page_owner=yes", BAD(page_owner, "yes")).debug, 0);
	assert_int_equal(parse("page_poison", BAD(page_poison, "none")).debug, 0);
	assert_int_equal(parse("debug_pagealloc=1", BAD(debug_pagealloc, "1")).debug, 0);
}

static void passes_of_memtest(void **state)
{
	(void)state;
	assert_int_equal(parse("memtest=4", "").memtest_passes, 4);
	assert_int_equal(parse("memtest=4 memtest=0", "").memtest_passes, 0);
	assert_int_equal(parse("memtest=1000", "").memtest_passes, 1000);
	assert_int_equal(parse("memtest", BAD(memtest, "none")).memtest_passes, 0);
	assert_int_equal(parse("memtest=1001", BAD(memtest, "1001")).memtest_passes, 0);
	assert_int_equal(parse("memtest=2x", BAD(memtest, "2x")).memtest_passes, 0);
}

/* With 0 and with 1 the processor that boots is alone. */
static void processors(void **state)
{
	(void)state;
	assert_int_equal(parse("maxcpus=0", "").max_cpus, 1);
	assert_int_equal(parse("maxcpus=1", "").max_cpus, 1);
	assert_int_equal(parse("maxcpus=2", "").max_cpus, 2);
	assert_int_equal(parse("maxcpus=4294967295", "").max_cpus, UINT32_MAX);
	assert_int_equal(parse("maxcpus=4294967296", BAD(maxcpus, "4294967296")).max_cpus, 0);
	assert_int_equal(parse("maxcpus=2x", BAD(maxcpus, "2x")).max_cpus, 0);
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
	static const char *const bad[] = { "",        "on",      "offf",    "fake",      "fake=",
					   "fake=0",  "fake=64", "fake=2x", "fake=512M", "fake=-1",
					   "fake==2", "4",       "faked2" };
	char line[64], warning[192];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "numa=%s", bad[i]);
		snprintf(warning, sizeof(warning), BAD(numa, "%s"), *bad[i] ? bad[i] : "none");
		assert_int_equal(parse(line, warning).numa_fake, 0);
		assert_false(parse(line, warning).numa_off);
	}
	/* Behind "numa=fake=" another option stands, which is none of its value. */
	assert_int_equal(parse("numa=fake= mem=64M", BAD(numa, "fake=")).numa_fake, 0);
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

/* An option that takes a value does not go without, nor with one of another option. */
static void empty_values(void **state)
{
	(void)state;
	assert_false(
	    parse("memblock= debug", BAD(memblock, "none") UNKNOWN("debug")).memblock_debug);
	assert_int_equal(parse("memtest= 4", BAD(memtest, "none") UNKNOWN("4")).memtest_passes, 0);
	assert_int_equal(parse("maxcpus= 4", BAD(maxcpus, "none") UNKNOWN("4")).max_cpus, 0);
	assert_int_equal(parse("console= tty0", BAD(console, "none") UNKNOWN("tty0")).consoles, 0);
	assert_int_equal(parse("page_owner= on", BAD(page_owner, "none") UNKNOWN("on")).debug, 0);
	assert_false(parse("numa= off", BAD(numa, "none") UNKNOWN("off")).numa_off);
}

static void unknown_options(void **state)
{
	(void)state;
	parse("foo", UNKNOWN("foo"));
	parse(" foo=bar  run =", UNKNOWN("foo=bar") UNKNOWN("run") UNKNOWN("="));
	struct options o = parse("xmemmap=1M@2M", UNKNOWN("xmemmap=1M@2M"));
	assert_int_equal(take_all(&o), 0);
	assert_int_equal(
	    parse("xmem=1G memx=2G mem=3G", UNKNOWN("xmem=1G") UNKNOWN("memx=2G")).mem_limit,
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
		cmocka_unit_test(memory_maps_at_their_limits),
		cmocka_unit_test(wrong_memory_maps),
		cmocka_unit_test(partly_wrong_memory_maps),
		cmocka_unit_test(many_memory_maps),
		cmocka_unit_test(consoles_and_debug),
		cmocka_unit_test(safe),
		cmocka_unit_test(debugging_memory),
		cmocka_unit_test(passes_of_memtest),
		cmocka_unit_test(processors),
		cmocka_unit_test(nodes),
		cmocka_unit_test(wrong_nodes),
		cmocka_unit_test(run_takes_the_rest),
		cmocka_unit_test(empty_values),
		cmocka_unit_test(unknown_options),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
