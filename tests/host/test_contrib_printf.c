/*
 * test_contrib_printf.c: compares contrib/printf.c with the C library, for each conversion that mm/
 * prints and for random ones; and the list of conversions in contrib/printf.h with the formats in
 * mm/, which it reads when it runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contrib/printf.h"

#define MAX_CONVERSIONS 64
#define MAX_FORMAT      512

/* A set of conversions, each as it stands in a format: "%016llx". */
struct conversions {
	unsigned int nr;
	char text[MAX_CONVERSIONS][16];
};

static void add(struct conversions *set, const char *text, size_t length)
{
	char *next = set->text[set->nr];

	assert_true(set->nr < MAX_CONVERSIONS && length < sizeof(set->text[0]));
	memcpy(next, text, length);
	next[length] = '\0';
	for (unsigned int i = 0; i < set->nr; i++)
		if (!strcmp(set->text[i], next))
			return;
	set->nr++;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void sort(struct conversions *set)
{
	qsort(set->text, set->nr, sizeof(set->text[0]), by_text);
}

/* Adds the conversions of a format. Each ends with the first letter that is no length. */
static void add_conversions(struct conversions *set, const char *format)
{
	for (const char *at = strchr(format, '%'); at; at = strchr(at, '%')) {
		size_t length = 1 + strcspn(at + 1, "diouxXcspneEfFgGaAm%") + 1;

		add(set, at, length);
		at += length;
	}
}

/* Returns the text of a file without its comments; the caller frees it. */
static char *code_of(const char *name)
{
	FILE *file = fopen(name, "rb");
	char *text;
	size_t size;

	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	size = (size_t)ftell(file);
	rewind(file);
	text = calloc(1, size + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, size, file), size);
	fclose(file);
	for (char *at = strstr(text, "/*"); at; at = strstr(at, "/*")) {
		char *end = strstr(at, "*/");

		assert_non_null(end);
		memset(at, ' ', (size_t)(end + 2 - at));
	}
	return text;
}

/*
 * Copies the string literals that begin at `at` to format, joined, as the compiler does. Returns
 * their length: 0 if there is none.
 */
static size_t read_literals(const char *at, char format[MAX_FORMAT])
{
	size_t length = 0;

	for (at += strspn(at, " \t\n"); *at == '"'; at += strspn(at, " \t\n")) {
		for (at++; *at != '"'; at++) {
			assert_true(*at && length + 1 < MAX_FORMAT);
			at += *at == '\\';
			format[length++] = *at;
		}
		at++;
	}
	format[length] = '\0';
	return length;
}

/* Adds the conversions of all formats of a file. Returns how many calls with a format it has. */
static unsigned int scan_file(struct conversions *set, const char *name)
{
	static const char *const callees[] = { "printk(", "log(", "panic(", "print(" };
	char *code = code_of(name), format[MAX_FORMAT];
	unsigned int calls = 0;

	for (unsigned int i = 0; i < sizeof(callees) / sizeof(callees[0]); i++)
		for (const char *at = strstr(code, callees[i]); at; at = strstr(at, callees[i])) {
			at += strlen(callees[i]);
			if (!read_literals(at, format))
				continue;
			add_conversions(set, format);
			calls++;
		}
	free(code);
	return calls;
}

static void scan_mm(struct conversions *set)
{
	unsigned int calls = 0;
	glob_t files;

	assert_int_equal(glob("mm/*.[ch]", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		calls += scan_file(set, files.gl_pathv[i]);
	globfree(&files);
	assert_true(calls > 30);
	sort(set);
}

/* Reads the list that contrib/printf.h has in its comment. */
static void read_header(struct conversions *set)
{
	static const char before[] = "mm/ uses these:\n *\n *   ";
	char text[4096], *at;
	FILE *file = fopen("contrib/printf.h", "rb");
	size_t size;

	assert_non_null(file);
	size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = '\0';
	at = strstr(text, before);
	assert_non_null(at);
	at = strtok(at + strlen(before), "\n");
	for (at = strtok(at, " "); at; at = strtok(NULL, " "))
		add(set, at, strlen(at));
	sort(set);
}

static void the_header_lists_what_mm_prints(void **state)
{
	struct conversions used = { 0 }, listed = { 0 };

	(void)state;
	scan_mm(&used);
	read_header(&listed);
	for (unsigned int i = 0; i < used.nr && i < listed.nr; i++)
		assert_string_equal(listed.text[i], used.text[i]);
	assert_int_equal(listed.nr, used.nr);
}

static char printed[MAX_FORMAT];
static size_t nr_printed;

static void put(void *to, char c)
{
	assert_ptr_equal(to, printed);
	assert_true(nr_printed + 1 < sizeof(printed));
	printed[nr_printed++] = c;
	printed[nr_printed] = '\0';
}

/* Checks that both print the same, and return the same length. */
static void compare(const char *format, ...)
{
	char wanted[MAX_FORMAT];
	va_list ap;
	int length;

	va_start(ap, format);
	length = vsnprintf(wanted, sizeof(wanted), format, ap);
	va_end(ap);
	nr_printed = 0;
	printed[0] = '\0';
	va_start(ap, format);
	assert_int_equal(vprint_to(put, printed, format, ap), length);
	va_end(ap);
	assert_int_equal(nr_printed, length);
	assert_string_equal(printed, wanted);
}

/* Compares a conversion, with text around it, for a value of its type. */
static void compare_value(const char *conversion, unsigned long value)
{
	char format[64], letter = conversion[strlen(conversion) - 1];

	snprintf(format, sizeof(format), "a %s, %s.\n", conversion, conversion);
	if (letter == 's')
		compare(format, value % 2 ? "frame" : "", "z");
	else if (strstr(conversion, "ll"))
		compare(format, (unsigned long long)value, ~(unsigned long long)value);
	else if (strchr(conversion, 'l'))
		compare(format, value, ~value);
	else
		compare(format, (unsigned int)value, ~(unsigned int)value);
}

static unsigned long random_value(void)
{
	unsigned long value =
	    (unsigned long)rand() << 40 ^ (unsigned long)rand() << 20 ^ (unsigned long)rand();

	return value >> rand() % 64;
}

static void compare_values(const char *conversion)
{
	static const unsigned long edges[] = { 0,        1,         9,         10,       15,
					       16,       INT_MAX,   1ul << 31, UINT_MAX, 1ul << 32,
					       LONG_MAX, 1ul << 63, ULONG_MAX };

	for (unsigned int i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		compare_value(conversion, edges[i]);
	for (unsigned int i = 0; i < 100; i++)
		compare_value(conversion, random_value());
}

static void what_mm_prints_is_as_in_c(void **state)
{
	struct conversions used = { 0 };

	(void)state;
	scan_mm(&used);
	for (unsigned int i = 0; i < used.nr; i++)
		compare_values(used.text[i]);
}

/* Every flag, width and length that the header promises, with every letter. */
static void all_conversions_are_as_in_c(void **state)
{
	static const char *const flags[] = { "", "0", "#", "#0", "0#" };
	static const char *const widths[] = { "", "1", "5", "16", "30" };
	static const char *const lengths[] = { "", "l", "ll" };
	char conversion[16];

	(void)state;
	for (unsigned int f = 0; f < 5; f++)
		for (unsigned int w = 0; w < 5; w++)
			for (unsigned int l = 0; l < 3; l++)
				for (const char *letter = "dux"; *letter; letter++) {
					if (strchr(flags[f], '#') && *letter != 'x')
						continue; /* C does not define it */
					snprintf(conversion, sizeof(conversion), "%%%s%s%s%c",
						 flags[f], widths[w], lengths[l], *letter);
					compare_values(conversion);
				}
}

/* Not even a percent sign that a letter follows takes an argument. */
static void percent_signs_are_as_in_c(void **state)
{
	(void)state;
	compare("%%");
	compare("100%% of %%d, %%s, %%%d%%%%x%x", 7, 8u);
}

/* Checks what a format prints whose meaning C leaves open, or that is not supported. */
static void expect(const char *wanted, const char *format, ...)
{
	va_list ap;

	nr_printed = 0;
	printed[0] = '\0';
	va_start(ap, format);
	assert_int_equal(vprint_to(put, printed, format, ap), strlen(wanted));
	va_end(ap);
	assert_string_equal(printed, wanted);
}

static void the_rest_is_copied(void **state)
{
	static const char *const copied[] = {
		"",    "plain", "100%",  "%p", "%zu", "%-5d", "%+d", "% d",
		"%5s", "%.3s",  "%lllx", "%c", "%X",  "%5%",  "a%",  "%#s",
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(copied) / sizeof(copied[0]); i++)
		expect(copied[i], copied[i]);
	/* Whatever follows it would take its argument. */
	expect("frame 7 at %p: %s, %d%%", "frame %d at %p: %s, %d%%", 7);
	expect("(null)", "%s", (char *)NULL);
}

static void a_buffer_is_never_exceeded(void **state)
{
	static const char whole[] = "frame 0x1f of 7";
	char text[sizeof(whole) + 1];

	(void)state;
	for (size_t size = 1; size <= sizeof(whole); size++) {
		memset(text, 'x', sizeof(text));
		assert_int_equal(print_text(text, size, "frame %#x of %s", 0x1fu, "7"),
				 sizeof(whole) - 1);
		assert_memory_equal(text, whole, size - 1);
		assert_int_equal(text[size - 1], '\0');
		assert_int_equal(text[size], 'x');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_header_lists_what_mm_prints),
		cmocka_unit_test(what_mm_prints_is_as_in_c),
		cmocka_unit_test(all_conversions_are_as_in_c),
		cmocka_unit_test(percent_signs_are_as_in_c),
		cmocka_unit_test(the_rest_is_copied),
		cmocka_unit_test(a_buffer_is_never_exceeded),
	};

	srand(19);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("contrib_printf", tests, NULL, NULL);
}
