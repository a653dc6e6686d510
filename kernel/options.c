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

/* Reads an item of memmap= that is a range, SIZE@START or with another separator, into *entry. */
static bool parse_range(const struct word *item, struct option_memmap *entry)
{
	const char *end = item->text + item->length;
	const char *at = parse_size(item->text, &entry->size);

	if (!at)
		return false;
	entry->type = memmap_type(*at);
	/* The sum is greater than the base unless it wraps or the size is 0. */
	return entry->type && parse_size(at + 1, &entry->base) == end &&
	       entry->base + entry->size > entry->base;
}

/* Moves item, whose text is NULL before the first one, to the next item of a list with commas. */
static bool next_item(const struct word *list, struct word *item)
{
	const char *end = list->text + list->length;

	item->text = item->text ? item->text + item->length + 1 : list->text;
	if (item->text > end)
		return false;
	item->length = 0;
	while (item->text + item->length < end && item->text[item->length] != ',')
		item->length++;
	return true;
}

/*
 * Applies one item of memmap=. Ranges are only checked here: options_for_each_memmap() reads them
 * when they are needed, so that there may be any number.
 */
static bool parse_memmap(struct options *result, const struct word *item)
{
	struct option_memmap entry;

	if (word_is(item, "exactmap")) {
		result->exactmap = true;
		return true;
	}
	if (parse_range(item, &entry)) {
		result->nr_memmaps++;
		return true;
	}
	return parse_mem(result, item);
}

static bool parse_memblock(struct options *result, const struct word *value)
{
	result->memblock_debug = word_is(value, "debug");
	return result->memblock_debug;
}

#define TEXT_OF(number)  #number
#define VALUE_OF(number) TEXT_OF(number)
#define ON_OFF           "on or off"

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
	if (strncmp(value->text, "fake=", 5) != 0 ||
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

static const struct option {
	const char *name;
	/* Reads the value into result, or returns false if it is wrong, as one that is empty is. */
	bool (*parse)(struct options *result, const struct word *value);
	const char *takes; /* what the value may be */
} known[] = {
	{ "mem", parse_mem, "a size, as 64M" },
	/* called for each item of the list */
	{ "memmap", parse_memmap, "SIZE@START, with @, #, $ or !, a size, or exactmap" },
	{ "memblock", parse_memblock, "debug" },
	{ "memtest", parse_memtest, "a number of passes, 0 to " VALUE_OF(MEMTEST_MAX_PASSES) },
	{ "page_poison", parse_page_poison, ON_OFF },
	{ "page_owner", parse_page_owner, ON_OFF },
	{ "debug_pagealloc", parse_debug_pagealloc, ON_OFF },
	{ "numa", parse_numa, "off, or fake=N, N from 1 to " VALUE_OF(NUMA_MAX_NODES) },
	{ "maxcpus", parse_maxcpus, "a number" },
	{ "console", parse_console, "tty0 or ttyS0" },
};

/*
 * Applies a value, or one item of it, to result. One that is only partly right changes nothing.
 * Returns the number of warnings that were printed, 0 or 1.
 */
static unsigned parse_value(struct options *result, const struct option *option,
			    const struct word *value, print_fn warn)
{
	struct options changed = *result;

	if (option->parse(&changed, value)) {
		*result = changed;
		return 0;
	}
	warn("Bad value of command-line option %s: %.*s; it takes %s: ignored\n", option->name,
	     value->length ? (int)value->length : 4, value->length ? value->text : "none",
	     option->takes);
	return 1;
}

/* Splits a word into the name and, after =, the value, which is empty where there is no =. */
static void split(const struct word *word, struct word *name, struct word *value)
{
	*name = (struct word){ word->text, 0 };
	while (name->length < word->length && word->text[name->length] != '=')
		name->length++;
	*value = (struct word){ word->text + name->length, word->length - name->length };
	if (value->length) {
		value->text++;
		value->length--;
	}
}

/* Parses one option into result. Returns the number of warnings that were printed. */
static unsigned parse_word(struct options *result, const struct word *word, print_fn warn)
{
	struct word name, value, item = { 0 };
	unsigned nr_warnings = 0;

	if (word_is(word, "safe")) /* stage2 has read it and set boot_info.safe */
		return 0;
	split(word, &name, &value);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!word_is(&name, known[i].name))
			continue;
		if (known[i].parse != parse_memmap)
			return parse_value(result, &known[i], &value, warn);
		while (next_item(&value, &item))
			nr_warnings += parse_value(result, &known[i], &item, warn);
		return nr_warnings;
	}
	warn("Unknown command-line option: %.*s\n", (int)word->length, word->text);
	return 1;
}

/*
 * Moves word, whose text and length are the line and 0 at first, to the next word. Returns false at
 * the end of the line and at run=, to which word->text then points.
 */
static bool next_word(struct word *word)
{
	word->text += word->length;
	while (*word->text == ' ')
		word->text++;
	word->length = 0;
	if (!*word->text || strncmp(word->text, "run=", 4) == 0)
		return false;
	while (word->text[word->length] && word->text[word->length] != ' ')
		word->length++;
	return true;
}

unsigned options_parse(struct options *result, const char *line, print_fn warn)
{
	struct word word = { line, 0 };
	unsigned nr_warnings = 0;

	*result = (struct options){ .line = line };
	while (next_word(&word))
		nr_warnings += parse_word(result, &word, warn);
	if (*word.text)
		result->run = word.text + 4;
	return nr_warnings;
}

void options_for_each_memmap(const struct options *parsed, memmap_fn take)
{
	struct word word = { parsed->line, 0 };

	while (next_word(&word)) {
		struct word name, value, item = { 0 };
		struct option_memmap entry;

		split(&word, &name, &value);
		while (word_is(&name, "memmap") && next_item(&value, &item))
			if (parse_range(&item, &entry))
				take(&entry);
	}
}
