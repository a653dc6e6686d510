/*
 * fuzz_cmdline.c: fuzzes the command line: from the bytes of CMDLINE.TXT to a line
 * (stage2/cmdline.c), from the line to options (kernel/options.c), and the numbers in it
 * (kernel/parse.c).
 *
 *   byte 0, 1       the size of the line's buffer, 1 to 512
 *   then            the file
 *
 * The line must be what a naive reader makes of the file. A word that causes a warning must have no
 * other effect: the line without such words must give the same options and no warning.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>

#include "include/e820.h"
#include "kernel/options.h"
#include "kernel/parse.h"
#include "mm/debug.h"
#include "stage2/cmdline.h"
#include "tests/host/fuzz/fuzz.h"

#define LINE_MAX_BYTES 512u
#define ALL_CONSOLES   (OPTION_CONSOLE_TTYS0 | OPTION_CONSOLE_TTY0)
#define ALL_DEBUG      (MM_PAGE_POISON | MM_PAGE_OWNER | MM_DEBUG_PAGEALLOC)

static unsigned int warned;

/* Checks that a warning is one line of printable characters, and counts it. */
__attribute__((format(printf, 1, 2))) static int warn(const char *fmt, ...)
{
	char text[LINE_MAX_BYTES + 100];
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	FUZZ_CHECK(length > 1 && (size_t)length < sizeof(text) && text[length - 1] == '\n');
	for (int i = 0; i < length - 1; i++)
		FUZZ_CHECK(text[i] >= ' ' && text[i] <= '~');
	warned++;
	return length;
}

/* Compares the file's first line, character by character, with the line that was made of it. */
static void check_clean(const uint8_t *file, size_t size, const char *line, size_t line_size,
			const struct cmdline_report *report)
{
	size_t from = size >= 3 && memcmp(file, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	size_t end = from, length = strnlen(line, line_size);
	uint32_t replaced = 0;

	while (end < size && file[end] != '\r' && file[end] != '\n')
		end++;
	FUZZ_CHECK(length < line_size);
	FUZZ_CHECK(report->cut == (end - from > line_size - 1));
	FUZZ_CHECK(length == (report->cut ? line_size - 1 : end - from));
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = file[from + i];
		bool odd = byte != '\t' && (byte < 0x20 || byte > 0x7e);

		FUZZ_CHECK(line[i] == (odd ? '?' : byte == '\t' ? ' ' : (char)byte));
		if (odd && replaced++ == 0)
			FUZZ_CHECK(report->first == from + i && report->first_byte == byte);
	}
	FUZZ_CHECK(report->replaced == replaced);
}

static struct options parse(const char *line, unsigned int *nr_warnings)
{
	struct options parsed;

	warned = 0;
	*nr_warnings = options_parse(&parsed, line, warn);
	FUZZ_CHECK(*nr_warnings == warned);
	return parsed;
}

static void check_options(const struct options *o, const char *line)
{
	FUZZ_CHECK(o->nr_memmaps <= OPTIONS_MAX_MEMMAPS);
	for (unsigned int i = 0; i < o->nr_memmaps; i++) {
		const struct option_memmap *m = &o->memmaps[i];

		FUZZ_CHECK(m->size > 0 && m->size - 1 <= UINT64_MAX - m->base);
		FUZZ_CHECK(m->type == E820_TYPE_RAM || m->type == E820_TYPE_ACPI ||
			   m->type == E820_TYPE_RESERVED || m->type == E820_TYPE_PRAM);
	}
	FUZZ_CHECK((o->consoles & ~ALL_CONSOLES) == 0 && (o->debug & ~ALL_DEBUG) == 0);
	if (o->run)
		FUZZ_CHECK(o->run >= line + 4 && o->run <= line + strlen(line) &&
			   memcmp(o->run - 4, "run=", 4) == 0);
}

static bool equal(const struct options *a, const struct options *b)
{
	if (a->nr_memmaps != b->nr_memmaps || !a->run != !b->run)
		return false;
	for (unsigned int i = 0; i < a->nr_memmaps; i++)
		if (a->memmaps[i].base != b->memmaps[i].base ||
		    a->memmaps[i].size != b->memmaps[i].size ||
		    a->memmaps[i].type != b->memmaps[i].type)
			return false;
	return a->mem_limit == b->mem_limit && a->exactmap == b->exactmap &&
	       a->memblock_debug == b->memblock_debug && a->debug == b->debug &&
	       a->consoles == b->consoles && (!a->run || strcmp(a->run, b->run) == 0);
}

/* Compares cmdline_has() with a search word by word, by the C library's strtok(). */
static void check_has(const char *line)
{
	char copy[LINE_MAX_BYTES + 1];
	bool found = false;

	memcpy(copy, line, strlen(line) + 1);
	for (char *word = strtok(copy, " "); word && strncmp(word, "run=", 4) != 0;
	     word = strtok(NULL, " "))
		found |= strcmp(word, "safe") == 0;
	FUZZ_CHECK(cmdline_has(line, "safe") == found);
}

/* Builds the line again, word by word, without those that cause a warning, and parses that. */
static void check_warned_words(const struct options *whole, const char *line,
			       unsigned int nr_warnings)
{
	char good[LINE_MAX_BYTES + 1] = "";
	unsigned int left_out = 0, now;
	struct options parsed;

	while (*line) {
		bool is_run = strncmp(line, "run=", 4) == 0; /* takes the rest of the line */
		size_t used = strlen(good), word = is_run ? strlen(line) : strcspn(line, " ");

		snprintf(good + used, sizeof(good) - used, "%.*s%s", (int)word, line,
			 is_run ? "" : " ");
		parse(good, &now);
		if (now > 0) {
			good[used] = '\0';
			left_out++;
		}
		line += word;
		line += strspn(line, " ");
	}
	parsed = parse(good, &now);
	FUZZ_CHECK(now == 0 && left_out == nr_warnings);
	FUZZ_CHECK(equal(&parsed, whole));
}

/* Compares parse_size() with the C library's strtoull(), to which the suffix is applied here. */
static void check_number(const char *text)
{
	uint64_t value = 0;
	const char *end = parse_size(text, &value);
	unsigned long long number;
	const char *suffix;
	char *after;

	if (!isdigit((unsigned char)text[0])) {
		FUZZ_CHECK(!end);
		return;
	}
	errno = 0;
	number = strtoull(text, &after, 0);
	suffix = *after ? strchr("KkMmGgTtPpEe", *after) : NULL;
	for (int shift = suffix ? 10 * ((int)(suffix - "KkMmGgTtPpEe") / 2 + 1) : 0; shift; shift--)
		if (__builtin_mul_overflow(number, 2, &number))
			errno = ERANGE;
	FUZZ_CHECK(!end == (errno == ERANGE));
	if (end)
		FUZZ_CHECK(value == number && end == after + (suffix != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	uint32_t line_size = 1 + (uint32_t)(fuzz_take(&input, 2) % LINE_MAX_BYTES);
	uint8_t *file = fuzz_copy(input.at, input.left);
	char *cleaned = fuzz_alloc(line_size), *line;
	struct cmdline_report report;
	struct options parsed;
	unsigned int nr_warnings;

	cmdline_clean(file, (uint32_t)input.left, cleaned, line_size, &report);
	check_clean(file, input.left, cleaned, line_size, &report);
	line = fuzz_copy(cleaned, strlen(cleaned) + 1);
	check_has(line);
	parsed = parse(line, &nr_warnings);
	check_options(&parsed, line);
	check_warned_words(&parsed, line, nr_warnings);
	check_number(line);
	free(line);
	free(cleaned);
	free(file);
	return 0;
}
