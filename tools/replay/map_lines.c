/*
 * map_lines.c: see map_lines.h.
 */
#include "tools/replay/map_lines.h"

#include <ctype.h>
#include <string.h>

#define NODE_WORD "node"
#define WORD_MAX  40 /* characters of a word in a message */

static bool at_end(struct cursor *c)
{
	return scan_end(c) || *c->at == '#';
}

/* Reads a word of letters, digits and signs, which is empty at the end of the line. */
static struct cursor word(struct cursor *c)
{
	struct cursor w;

	scan_blanks(c);
	w.at = c->at;
	while (c->at < c->end && *c->at != ' ' && *c->at != '\t' && *c->at != '#')
		c->at++;
	w.end = c->at;
	return w;
}

/* Returns whether a word is a number, or was meant as one: 9fc00, -1, 640K, 9FC00h, 0x9_fc00. */
static bool is_number_like(struct cursor w)
{
	if (w.at < w.end && (*w.at == '-' || *w.at == '+'))
		w.at++;
	if (w.at == w.end || w.at + scan_hex_digits(&w) == w.end)
		return w.at < w.end;
	if (!isdigit((unsigned char)*w.at))
		return false;
	while (w.at < w.end && (isalnum((unsigned char)*w.at) || *w.at == '_' || *w.at == ','))
		w.at++;
	return w.at == w.end;
}

/* Returns whether a word is a month, with which lines of syslog begin, and not a number. */
static bool is_month(struct cursor w)
{
	return w.end - w.at == 3 && (!strncmp(w.at, "Dec", 3) || !strncmp(w.at, "Feb", 3));
}

bool map_line_likely(const struct cursor *line, unsigned int numbers)
{
	struct cursor c = *line, first, second;
	const char *comma;

	if (scan_text(&c, NODE_WORD))
		return is_number_like(word(&c));
	first = word(&c);
	comma = memchr(first.at, ',', (size_t)(first.end - first.at));
	if (comma) {
		first.end = comma;
		c.at = comma + 1;
	}
	second = word(&c);
	return is_number_like(first) && is_number_like(second) && !is_month(first) &&
	       (numbers < 3 || is_number_like(word(&c)));
}

/* Returns whether a word is digits, of which the first is not 0 unless it is the only one. */
static bool is_decimal(struct cursor w)
{
	bool zero = w.at < w.end && *w.at == '0' && w.end - w.at > 1;

	while (w.at < w.end && isdigit((unsigned char)*w.at))
		w.at++;
	return !zero && w.at == w.end;
}

/* What is wrong with a line, if it has to be put together. */
static char message[200];

/* Reads a number of at most `bits` bits. Returns NULL, or what is wrong with it: what is its name.
 */
static const char *number(struct cursor *c, const char *what, unsigned int bits, uint64_t *value)
{
	struct cursor w = word(c), rest = w;
	bool has_0x = w.end - w.at > 1 && w.at[0] == '0' && (w.at[1] | 32) == 'x';
	int n = w.end - w.at < WORD_MAX ? (int)(w.end - w.at) : WORD_MAX;
	const char *wrong = NULL;

	if (w.at == w.end)
		snprintf(message, sizeof(message), "the %s is missing", what);
	else if (memchr(w.at, ',', (size_t)(w.end - w.at)))
		wrong = "blanks stand between the numbers of a map file, not commas";
	else if (is_number_like(w) && !has_0x && isalnum((unsigned char)*w.at) && !is_decimal(w))
		wrong = "a hexadecimal number needs 0x before it, and a decimal one has only "
			"digits and does not begin with 0";
	else if (!scan_number(&rest, 10, value) || rest.at != w.end ||
		 (bits < 64 && *value >> bits))
		wrong = bits < 64 ? "not a number of at most 32 bits"
				  : "not a number of at most 64 bits";
	else
		return NULL;
	if (wrong)
		snprintf(message, sizeof(message), "the %s, %.*s: %s", what, n, w.at, wrong);
	return message;
}

/* Reads "START LENGTH TYPE [ATTRIBUTES]". Returns NULL, or what is wrong. */
static const char *entry_line(struct cursor *c, struct e820_entry *e)
{
	uint64_t type, attributes;
	const char *error = number(c, "start", 64, &e->base);

	if (!error)
		error = number(c, "length", 64, &e->size);
	if (!error)
		error = number(c, "type", 32, &type);
	if (error)
		return error;
	e->type = (uint32_t)type;
	if (at_end(c))
		return NULL;
	error = number(c, "attributes", 32, &attributes);
	if (error)
		return error;
	e->attributes = (uint32_t)attributes;
	e->length = 24;
	return at_end(c) ? NULL : "more than start, length, type and attributes";
}

/* Reads the rest of "node N START LENGTH". Returns NULL, or what is wrong. */
static const char *node_line(struct cursor *c, struct numa_range *range)
{
	const char *error;
	uint64_t node;

	/* "node1" is not a node line. */
	if (c->at == c->end || (*c->at != ' ' && *c->at != '\t') || number(c, "node", 64, &node) ||
	    node >= NUMA_MAX_NODES)
		return "the node is not a number from 0 to 62";
	range->nid = (uint32_t)node;
	error = number(c, "start", 64, &range->base);
	if (!error)
		error = number(c, "length", 64, &range->size);
	if (error)
		return error;
	return at_end(c) ? NULL : "more than node, start and length";
}

/* Counts in which base the start and the length are written. */
static void count_bases(struct mapfile *map, struct cursor *words)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct cursor w = word(words);

		if (w.end - w.at > 1 && (w.at[1] | 32) == 'x') {
			map->columns[i].hex++;
		} else if (w.end - w.at > 1) {
			map->columns[i].decimal++;
			map->columns[i].line = map->line;
		}
	}
}

const char *map_line_read(struct mapfile *map, struct cursor *line)
{
	struct e820_entry e = { .length = 20 };
	struct numa_range range = { .nid = 0 };
	const char *error;

	if (at_end(line))
		return NULL;
	if (!scan_text(line, NODE_WORD)) {
		struct cursor words = *line;

		error = entry_line(line, &e);
		if (error)
			return error;
		count_bases(map, &words);
		return mapfile_add(map, &e);
	}
	error = node_line(line, &range);
	if (!error && map->nr_nodes == NUMA_MAX_ENTRIES)
		error = "more node lines than a map can have (1024)";
	if (!error)
		map->nodes[map->nr_nodes++] = range;
	return error;
}

/* Writes name without the characters that would end a comment. */
static void write_name(FILE *out, const char *name)
{
	for (; *name; name++)
		fputc((unsigned char)*name < ' ' ? '?' : *name, out);
}

void map_lines_write(FILE *out, const struct mapfile *map, const char *source)
{
	/* A map that was written by this function says already where it comes from. */
	if (map->origin[0]) {
		fprintf(out, "%s\n", map->origin);
	} else {
		fprintf(out, "%s", MAP_ORIGIN);
		write_name(out, source);
		fprintf(out, ": %s", mapfile_what(map));
		if (map->first_line)
			fprintf(out, ", lines %u to %u", map->first_line, map->last_line);
		fprintf(out, "\n");
	}
	for (uint32_t i = 0; i < map->nr; i++) {
		const struct e820_entry *e = &map->entries[i];

		fprintf(out, "0x%llx 0x%llx %u", (unsigned long long)e->base,
			(unsigned long long)e->size, e->type);
		if (e->length >= 24)
			fprintf(out, " 0x%x", e->attributes);
		fprintf(out, "\n");
	}
	for (uint32_t i = 0; i < map->nr_nodes; i++)
		fprintf(out, "node %u 0x%llx 0x%llx\n", map->nodes[i].nid,
			(unsigned long long)map->nodes[i].base,
			(unsigned long long)map->nodes[i].size);
}
