/*
 * options.c: the parser uses nothing of the machine, so that host programs can test it.
 *
 * The line consists of words, "name" or "name=value", separated by blanks. It is not copied or
 * changed: a word, a name or a value is a pointer into it and a length.
 */
#include "kernel/options.h"

#include <stddef.h>

#include "include/e820.h"
#include "kernel/parse.h"
#include "lib/numa.h"
#include "lib/string.h"
#include "mm/debug.h"

struct options options;

struct word {
	const char *text;
	size_t length;
};

static bool word_is(const struct word *word, const char *text)
{
	return strlen(text) == word->length && strncmp(word->text, text, word->length) == 0;
}

static bool parse_mem(struct options *result, const struct word *value)
{
	uint64_t size;

	if (parse_size(value->text, &size) != value->text + value->length || size == 0)
		return false;
	result->mem_limit = size;
	return true;
}

/* Returns the E820 type that the character between size and start stands for, or 0 for none. */
static uint32_t memmap_type(char separator)
{
	switch (separator) {
	case '@':
		return E820_TYPE_RAM;
	case '#':
		return E820_TYPE_ACPI;
	case '$':
		return E820_TYPE_RESERVED;
	case '!':
		return E820_TYPE_PRAM;
	default:
		return 0;
	}
}

static bool add_memmap(struct options *result, uint64_t base, uint64_t size, uint32_t type)
{
	if (size == 0 || base + size < base || result->nr_memmaps == OPTIONS_MAX_MEMMAPS)
		return false;
	result->memmaps[result->nr_memmaps++] = (struct option_memmap){ base, size, type };
	return true;
}

static bool parse_one_memmap(struct options *result, const struct word *item)
{
	const char *end = item->text + item->length;
	uint64_t size, base;
	const char *at = parse_size(item->text, &size);
	uint32_t type;

	if (word_is(item, "exactmap")) {
		result->exactmap = true;
		return true;
	}
	if (at == end)
		return parse_mem(result, item);
	type = at ? memmap_type(*at) : 0;
	if (!type || parse_size(at + 1, &base) != end)
		return false;
	return add_memmap(result, base, size, type);
}

static bool parse_memmap(struct options *result, const struct word *value)
{
	struct word item = { value->text, 0 };

	for (size_t i = 0; i <= value->length; i++) {
		if (i < value->length && value->text[i] != ',') {
			item.length++;
			continue;
		}
		if (!parse_one_memmap(result, &item))
			return false;
		item = (struct word){ value->text + i + 1, 0 };
	}
	return true;
}

static bool parse_memblock(struct options *result, const struct word *value)
{
	result->memblock_debug = word_is(value, "debug");
	return result->memblock_debug;
}

static bool parse_memtest(struct options *result, const struct word *value)
{
	uint64_t passes;

	if (parse_size(value->text, &passes) != value->text + value->length ||
	    passes > MEMTEST_MAX_PASSES)
		return false;
	result->memtest_passes = (unsigned)passes;
	return true;
}

static bool parse_switch(struct options *result, const struct word *value, unsigned flag)
{
	if (word_is(value, "on"))
		result->debug |= flag;
	else if (word_is(value, "off"))
		result->debug &= ~flag;
	else
		return false;
	return true;
}

static bool parse_page_poison(struct options *result, const struct word *value)
{
	return parse_switch(result, value, MM_PAGE_POISON);
}

static bool parse_page_owner(struct options *result, const struct word *value)
{
	return parse_switch(result, value, MM_PAGE_OWNER);
}

static bool parse_debug_pagealloc(struct options *result, const struct word *value)
{
	return parse_switch(result, value, MM_DEBUG_PAGEALLOC);
}

static bool parse_numa(struct options *result, const struct word *value)
{
	uint64_t nodes;

	if (word_is(value, "off")) {
		result->numa_off = true;
		return true;
	}
	if (value->length <= 5 || strncmp(value->text, "fake=", 5) != 0 ||
	    parse_size(value->text + 5, &nodes) != value->text + value->length || nodes == 0 ||
	    nodes > NUMA_MAX_NODES)
		return false;
	result->numa_fake = (unsigned)nodes;
	return true;
}

/* As in Linux, 0 and 1 both leave CPU 0 alone. */
static bool parse_maxcpus(struct options *result, const struct word *value)
{
	uint64_t cpus;

	if (parse_size(value->text, &cpus) != value->text + value->length || cpus > UINT32_MAX)
		return false;
	result->max_cpus = cpus ? (unsigned)cpus : 1;
	return true;
}

static bool parse_console(struct options *result, const struct word *value)
{
	if (word_is(value, "tty0"))
		result->consoles |= OPTION_CONSOLE_TTY0;
	else if (word_is(value, "ttyS0") || word_is(value, "ttyS0,115200") ||
		 word_is(value, "ttyS0,115200n8"))
		result->consoles |= OPTION_CONSOLE_TTYS0;
	else
		return false;
	return true;
}

static const struct {
	const char *name;
	bool (*parse)(struct options *result, const struct word *value);
} known[] = {
	{ "mem", parse_mem },
	{ "memmap", parse_memmap },
	{ "memblock", parse_memblock },
	{ "memtest", parse_memtest },
	{ "page_poison", parse_page_poison },
	{ "page_owner", parse_page_owner },
	{ "debug_pagealloc", parse_debug_pagealloc },
	{ "numa", parse_numa },
	{ "maxcpus", parse_maxcpus },
	{ "console", parse_console },
};

/* Applies a value to result by parse. A value that is only partly right changes nothing. */
static bool parse_value(struct options *result, const struct word *value,
			bool (*parse)(struct options *result, const struct word *value))
{
	struct options changed = *result;

	if (value->length == 0 || !parse(&changed, value))
		return false;
	*result = changed;
	return true;
}

/* Parses one option into result. Returns the number of warnings that were printed, 0 or 1. */
static unsigned parse_word(struct options *result, const struct word *word, print_fn warn)
{
	struct word name = { word->text, 0 };
	struct word value;

	if (word_is(word, "safe")) /* stage2 has read it and set boot_info.safe */
		return 0;
	while (name.length < word->length && word->text[name.length] != '=')
		name.length++;
	value.text = word->text + name.length + 1;
	value.length = name.length < word->length ? word->length - name.length - 1 : 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!word_is(&name, known[i].name))
			continue;
		if (parse_value(result, &value, known[i].parse))
			return 0;
		warn("Bad value of command-line option %s: %.*s\n", known[i].name,
		     (int)value.length, value.length ? value.text : "");
		return 1;
	}
	warn("Unknown command-line option: %.*s\n", (int)word->length, word->text);
	return 1;
}

unsigned options_parse(struct options *result, const char *line, print_fn warn)
{
	unsigned nr_warnings = 0;

	*result = (struct options){ 0 };
	while (*line) {
		struct word word = { line, 0 };

		if (strncmp(line, "run=", 4) == 0) {
			result->run = line + 4;
			break;
		}
		while (line[word.length] && line[word.length] != ' ')
			word.length++;
		if (word.length)
			nr_warnings += parse_word(result, &word, warn);
		line += word.length;
		while (*line == ' ')
			line++;
	}
	return nr_warnings;
}
