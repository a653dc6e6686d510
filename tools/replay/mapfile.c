/*
 * mapfile.c: the parser. It moves a cursor over one line at a time, and checks of every number that
 * it has digits and fits in 64 bits.
 */
#include "tools/replay/mapfile.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define LOG_WORD  "BIOS-e820:"
#define NODE_WORD "node"

/* The part of a line that has not been read yet. */
struct cursor {
	const char *at;
	const char *end;
};

static void skip_blanks(struct cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\r'))
		c->at++;
}

static bool skip_word(struct cursor *c, const char *word)
{
	size_t n = strlen(word);

	skip_blanks(c);
	if ((size_t)(c->end - c->at) < n || strncasecmp(c->at, word, n) != 0)
		return false;
	c->at += n;
	return true;
}

static bool at_end(struct cursor *c)
{
	skip_blanks(c);
	return c->at == c->end || *c->at == '#';
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/*
 * Reads a number: hexadecimal after 0x, otherwise in this base. Returns false when there is none or
 * it needs more than 64 bits.
 */
static bool number(struct cursor *c, unsigned int base, uint64_t *value)
{
	const char *first;

	skip_blanks(c);
	if (c->end - c->at > 2 && c->at[0] == '0' && (c->at[1] | 32) == 'x') {
		base = 16;
		c->at += 2;
	}
	first = c->at;
	*value = 0;
	for (; c->at < c->end && (unsigned int)digit_value(*c->at) < base; c->at++) {
		if (__builtin_mul_overflow(*value, (uint64_t)base, value) ||
		    __builtin_add_overflow(*value, (uint64_t)digit_value(*c->at), value))
			return false;
	}
	/* "12ab" is not the number 12. */
	return c->at > first && (c->at == c->end || !isalnum((unsigned char)*c->at));
}

static bool type_number(struct cursor *c, uint32_t *type)
{
	uint64_t value;

	if (!number(c, 10, &value) || value > UINT32_MAX)
		return false;
	*type = (uint32_t)value;
	return true;
}

/* Reads "START LENGTH TYPE [ATTRIBUTES]". Returns NULL, or what is wrong. */
static const char *map_line(struct cursor *c, struct e820_entry *e)
{
	uint64_t attributes;

	if (!number(c, 10, &e->base))
		return "the start is not a number of at most 64 bits";
	if (!number(c, 10, &e->size))
		return "the length is not a number of at most 64 bits";
	if (!type_number(c, &e->type))
		return "the type is not a number of at most 32 bits";
	if (at_end(c))
		return NULL;
	if (!number(c, 10, &attributes) || attributes > UINT32_MAX)
		return "the attributes are not a number of at most 32 bits";
	e->attributes = (uint32_t)attributes;
	e->length = 24;
	return at_end(c) ? NULL : "more than start, length, type and attributes";
}

/* Reads the rest of "node N START LENGTH". Returns NULL, or what is wrong. */
static const char *node_line(struct cursor *c, struct numa_range *range)
{
	const char *word_end = c->at;
	uint64_t node;

	skip_blanks(c);
	/* "node1" is not a node line. */
	if (c->at == word_end || !number(c, 10, &node) || node >= NUMA_MAX_NODES)
		return "the node is not a number from 0 to 62";
	range->nid = (uint32_t)node;
	if (!number(c, 10, &range->base))
		return "the start is not a number of at most 64 bits";
	if (!number(c, 10, &range->size))
		return "the length is not a number of at most 64 bits";
	return at_end(c) ? NULL : "more than node, start and length";
}

/*
 * Reads the name of a type, in the words of every release of Linux. Returns NULL, or what is wrong.
 */
static const char *type_words(struct cursor *c, uint32_t *type)
{
	static const struct {
		const char *word;
		uint32_t type;
	} words[] = {
		{ "usable", E820_TYPE_RAM },
		{ "System RAM", E820_TYPE_RAM },
		{ "reserved", E820_TYPE_RESERVED },
		{ "device reserved", E820_TYPE_RESERVED },
		{ "soft reserved", 0xefffffff },
		{ "ACPI data", E820_TYPE_ACPI },
		{ "ACPI NVS", E820_TYPE_NVS },
		{ "unusable", E820_TYPE_UNUSABLE },
		{ "persistent (type 7)", E820_TYPE_PMEM },
		{ "persistent (type 12)", E820_TYPE_PRAM },
	};

	skip_word(c, "(");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (skip_word(c, words[i].word)) {
			*type = words[i].type;
			return NULL;
		}
	return skip_word(c, "type") && type_number(c, type)
		   ? NULL
		   : "the type is not a name that Linux uses";
}

/* Reads the rest of "[mem START-END] TYPE". Returns NULL, or what is wrong. */
static const char *inclusive(struct cursor *c, struct e820_entry *e)
{
	uint64_t last;

	if (!number(c, 16, &e->base) || !skip_word(c, "-") || !number(c, 16, &last) ||
	    !skip_word(c, "]"))
		return "not of the form [mem START-END] TYPE";
	/* Linux prints an empty range with an end one below its start. */
	if (last + 1 != e->base && last < e->base)
		return "the end lies before the start";
	e->size = last - e->base + 1;
	if (last == UINT64_MAX && !e->base)
		e->size = UINT64_MAX;
	return type_words(c, &e->type);
}

/* Reads "START - END (TYPE)" or "SIZE @ START (TYPE)". Returns NULL, or what is wrong. */
static const char *exclusive(struct cursor *c, struct e820_entry *e)
{
	uint64_t first, second;

	if (!number(c, 16, &first))
		return "no address follows BIOS-e820:";
	if (skip_word(c, "@")) {
		if (!number(c, 16, &second))
			return "not of the form SIZE @ START (TYPE)";
		e->base = second;
		e->size = first;
		return type_words(c, &e->type);
	}
	if (!skip_word(c, "-") || !number(c, 16, &second))
		return "not of the form START - END (TYPE)";
	if (second < first)
		return "the end lies before the start";
	e->base = first;
	e->size = second - first;
	return type_words(c, &e->type);
}

/* Adds an entry to the map. Returns NULL, or what is wrong. */
static const char *add_entry(struct mapfile *map, const struct e820_entry *e)
{
	if (map->nr == E820_MAX_RAW)
		return "more entries than a map can have (1024)";
	map->entries[map->nr++] = *e;
	return NULL;
}

/* Reads one line of a log, which may have no entry. Returns NULL, or what is wrong. */
static const char *read_log_line(struct mapfile *map, struct cursor *c)
{
	const char *word = memmem(c->at, (size_t)(c->end - c->at), LOG_WORD, strlen(LOG_WORD));
	struct e820_entry e = { .length = 20 };
	const char *error;

	if (!word)
		return NULL;
	c->at = word + strlen(LOG_WORD);
	/* The newest releases of Linux list the gaps between entries as well. */
	if (skip_word(c, "[gap"))
		return NULL;
	error = skip_word(c, "[mem") ? inclusive(c, &e) : exclusive(c, &e);
	return error ? error : add_entry(map, &e);
}

/* Reads one line of a map file, which may be empty. Returns NULL, or what is wrong. */
static const char *read_map_line(struct mapfile *map, struct cursor *c)
{
	struct e820_entry e = { .length = 20 };
	struct numa_range range = { .nid = 0 };
	const char *error;

	if (at_end(c))
		return NULL;
	if (!skip_word(c, NODE_WORD)) {
		error = map_line(c, &e);
		return error ? error : add_entry(map, &e);
	}
	error = node_line(c, &range);
	if (!error && map->nr_nodes == NUMA_MAX_ENTRIES)
		error = "more node lines than a map can have (1024)";
	if (!error)
		map->nodes[map->nr_nodes++] = range;
	return error;
}

int mapfile_parse(struct mapfile *map, const char *text, size_t size)
{
	const char *end = text + size;
	bool is_log = memmem(text, size, LOG_WORD, strlen(LOG_WORD));

	map->nr = 0;
	map->nr_nodes = 0;
	map->line = 0;
	for (const char *line = text; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		struct cursor c = { line, newline ? newline : end };

		map->line++;
		map->error = is_log ? read_log_line(map, &c) : read_map_line(map, &c);
		if (map->error)
			return -1;
		line = newline ? newline + 1 : end;
	}
	map->line = 0;
	map->error = map->nr ? NULL : "the map has no entries";
	return map->nr ? 0 : -1;
}

bool mapfile_read(struct mapfile *map, const char *name)
{
	static char text[1 << 16];
	FILE *file = fopen(name, "rb");
	size_t n = file ? fread(text, 1, sizeof(text), file) : 0;

	if (file)
		fclose(file);
	return n && !mapfile_parse(map, text, n);
}
