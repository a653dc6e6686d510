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

/* The file as characters, and where each of them begins in it. */
static struct {
	size_t nr;
	uint32_t *at, *value;
} chars;

static void decode(const uint8_t *file, size_t size)
{
	size_t from = 0;
	int low = -1; /* where the lower half of 16 bits lies; -1: bytes */

	if (size >= 3 && memcmp(file, "\xef\xbb\xbf", 3) == 0)
		from = 3;
	else if (size >= 2 && file[0] + file[1] == 0xff + 0xfe && file[0] != file[1])
		from = 2, low = file[0] == 0xfe;
	else if (size >= 2 && !file[0] != !file[1])
		low = !file[0];
	for (chars.nr = 0; from < size; from += low < 0 ? 1 : 2) {
		const uint8_t *c = file + from;

		chars.at[chars.nr] = (uint32_t)from;
		chars.value[chars.nr++] = low < 0           ? c[0]
					  : from + 1 < size ? c[low] | (uint32_t)c[!low] << 8
							    : 0xff00u;
	}
}

static bool is_end(size_t i)
{
	return i >= chars.nr || chars.value[i] == '\r' || chars.value[i] == '\n' ||
	       chars.value[i] == 0x1a;
}

/*
 * Returns whether the line may be cut before character k: after a whole option, or a whole command
 * of run=, whose value begins at `value` (SIZE_MAX: there is none).
 */
static bool is_border(const char *whole, size_t k, size_t value)
{
	if (k == 0 || whole[k] == '\0')
		return true;
	if (k >= value)
		return k > value - 1 && whole[k + strspn(whole + k, " ")] == ';';
	return k <= value - 4 && (whole[k] == ' ' || whole[k - 1] == ' ');
}

/* Makes the line of the file naively, as a whole, and finds the last border at which it fits. */
static void check_clean(const uint8_t *file, size_t size, const char *line, size_t line_size,
			const struct cmdline_report *report)
{
	size_t from = 0, nr = 0, value = SIZE_MAX, fits;
	char *whole = fuzz_alloc(size + 1);
	uint32_t replaced = 0;
	bool more = false;

	chars.at = fuzz_alloc((size + 1) * sizeof(uint32_t));
	chars.value = fuzz_alloc((size + 1) * sizeof(uint32_t));
	decode(file, size);
	while (from < chars.nr &&
	       (is_end(from) || chars.value[from] == ' ' || chars.value[from] == '\t'))
		from++;
	for (size_t i = from; !is_end(i); i++) {
		uint32_t c = chars.value[i] == '\t' ? ' ' : chars.value[i];
		bool odd = c < 0x20 || c > 0x7e;

		if (odd && nr < line_size - 1 && replaced++ == 0)
			FUZZ_CHECK(report->first == chars.at[i]);
		whole[nr++] = odd ? '?' : (char)c;
	}
	for (size_t i = from + nr; i < chars.nr; i++)
		more |= chars.value[i] > ' ';
	whole[nr] = '\0';
	fits = nr;
	if (nr > line_size - 1 && nr > line_size - 1 + strspn(whole + line_size - 1, " ")) {
		for (size_t i = 0; i + 4 < line_size && value == SIZE_MAX; i++)
			if (strncmp(whole + i, "run=", 4) == 0 && (i == 0 || whole[i - 1] == ' '))
				value = i + 4;
		for (fits = line_size - 1; !is_border(whole, fits, value); fits--)
			;
	} else if (nr > line_size - 1) {
		fits = line_size - 1;
	}
	FUZZ_CHECK(report->cut ==
		   (fits < nr && nr > line_size - 1 + strspn(whole + line_size - 1, " ")));
	while (report->cut && fits > 0 && whole[fits - 1] == ' ')
		fits--;
	FUZZ_CHECK(strlen(line) == fits && memcmp(line, whole, fits) == 0);
	FUZZ_CHECK(report->replaced == replaced && report->more == more);
	free(whole);
	free(chars.at);
	free(chars.value);
}

static struct options parse(const char *line, unsigned int *nr_warnings)
{
	struct options parsed;

	warned = 0;
	*nr_warnings = options_parse(&parsed, line, warn);
	FUZZ_CHECK(*nr_warnings == warned);
	return parsed;
}

/* A sum over the ranges of memmap= that depends on their order. */
static uint64_t memmap_sum;
static unsigned int nr_memmaps;

static void take_memmap(const struct option_memmap *m)
{
	FUZZ_CHECK(m->size > 0 && m->size - 1 <= UINT64_MAX - m->base);
	FUZZ_CHECK(m->type == E820_TYPE_RAM || m->type == E820_TYPE_ACPI ||
		   m->type == E820_TYPE_RESERVED || m->type == E820_TYPE_PRAM);
	memmap_sum = ((memmap_sum * 31 + m->base) * 31 + m->size) * 31 + m->type;
	nr_memmaps++;
}

static uint64_t sum_memmaps(const struct options *o)
{
	memmap_sum = nr_memmaps = 0;
	options_for_each_memmap(o, take_memmap);
	FUZZ_CHECK(nr_memmaps == o->nr_memmaps);
	return memmap_sum;
}

static void check_options(const struct options *o, const char *line)
{
	sum_memmaps(o);
	FUZZ_CHECK((o->consoles & ~ALL_CONSOLES) == 0 && (o->debug & ~ALL_DEBUG) == 0);
	if (o->run)
		FUZZ_CHECK(o->run >= line + 4 && o->run <= line + strlen(line) &&
			   memcmp(o->run - 4, "run=", 4) == 0);
}

static bool equal(const struct options *a, const struct options *b)
{
	if (a->nr_memmaps != b->nr_memmaps || !a->run != !b->run ||
	    sum_memmaps(a) != sum_memmaps(b))
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

/*
 * Builds the line again, word by word, without those that cause a warning, and parses that. Of a
 * list of memmap= each item is a word of its own, "memmap=" with that item.
 */
static void check_warned_words(const struct options *whole, const char *line,
			       unsigned int nr_warnings)
{
	static char good[8 * LINE_MAX_BYTES + 1]; /* from an item, ",", to "memmap= " */
	unsigned int left_out = 0, now;
	const char *prefix = "";
	struct options parsed;

	good[0] = '\0';
	while (*line) {
		bool is_run = !*prefix && strncmp(line, "run=", 4) == 0; /* takes the rest */
		size_t used = strlen(good), word;

		if (!*prefix && strncmp(line, "memmap=", 7) == 0) {
			prefix = "memmap=";
			line += 7;
		}
		word = is_run ? strlen(line) : strcspn(line, *prefix ? " ," : " ");
		snprintf(good + used, sizeof(good) - used, "%s%.*s%s", prefix, (int)word, line,
			 is_run ? "" : " ");
		parse(good, &now);
		if (now > 0) {
			good[used] = '\0';
			left_out++;
		}
		line += word;
		if (*prefix && *line == ',') {
			line++;
			if (*line && *line != ' ')
				continue;
			left_out++; /* an empty item ends the list */
		}
		prefix = "";
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
