/*
 * mapfile.c: see mapfile.h. The lines are read twice: first to find all maps and choose one, then
 * to collect the entries of that one.
 */
#include "tools/replay/mapfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/replay/forms.h"
#include "tools/replay/map_lines.h"
#include "tools/replay/text.h"
#include "tools/replay/walk.h"

const char *mapfile_what(const struct mapfile *map)
{
	return map->label[0] ? map->label : forms_name((enum form)map->form);
}

bool mapfile_same(const struct e820_entry *a, const struct e820_entry *b)
{
	return a->base == b->base && a->size == b->size && a->type == b->type &&
	       a->attributes == b->attributes && a->length == b->length;
}

const char *mapfile_add(struct mapfile *map, const struct e820_entry *e)
{
	if (map->nr == E820_MAX_RAW)
		return "more entries than a map can have (1024)";
	map->entries[map->nr++] = *e;
	return NULL;
}

/* ---- the maps of a log ---- */

/* Reports that there are fewer maps than asked for. Returns -1. */
static int no_such_map(struct mapfile *map, unsigned int number)
{
	snprintf(map->message, sizeof(map->message), "there is no map %u: the input has %u map%s",
		 number, map->nr_maps, map->nr_maps == 1 ? "" : "s");
	map->error = map->message;
	map->line = 0;
	return -1;
}

/* Returns the best rank of all maps. */
static enum rank best_rank(const struct walk *walk)
{
	enum rank best = RANK_CORRECTED;

	for (uint32_t i = 0; i < walk->nr; i++)
		if (walk->maps[i].rank < best)
			best = walk->maps[i].rank;
	return best;
}

/* Appends a map that was not taken, of this number, to map->others; dots if there is no room. */
static void list_other(struct mapfile *map, const struct found *other, unsigned int number)
{
	static const char dots[] = "; ...";
	size_t used = strlen(map->others), room = sizeof(map->others) - used;
	char text[96];
	int n =
	    snprintf(text, sizeof(text), "%smap %u: %s, lines %u to %u", used ? "; " : "", number,
		     other->label[0] ? other->label : forms_name((enum form)other->form),
		     other->first_line, other->last_line);

	if (strstr(map->others, dots))
		return;
	/* Behind every text there is room for the dots. */
	snprintf(map->others + used, room, "%s", (size_t)n + sizeof(dots) <= room ? text : dots);
}

/*
 * Returns how good a map is to be taken: 2 if it is complete, 1 if it lacks only usable RAM, 0 if
 * it is damaged.
 */
static int quality(const struct found *map)
{
	return map->error ? 0 : map->usable ? 2 : 1;
}

/*
 * Chooses among the maps of the best rank, which are numbered from 1: the one of this number, or
 * with 0 the last one of those that are best. Returns 0, or -1 with map->error set.
 */
static int choose(struct walk *walk, struct mapfile *map, unsigned int number)
{
	const struct found *chosen = NULL, *last = NULL;
	enum rank best = best_rank(walk);

	for (uint32_t i = 0; i < walk->nr; i++) {
		const struct found *m = &walk->maps[i];

		if (m->rank != best)
			continue;
		last = m;
		map->nr_maps++;
		if (number ? map->nr_maps == number : !chosen || quality(m) >= quality(chosen)) {
			chosen = m;
			map->number = map->nr_maps;
			walk->wanted = i;
		}
	}
	if (!chosen)
		return no_such_map(map, number);
	for (uint32_t i = 0, n = 0; i < walk->nr; i++) {
		n += walk->maps[i].rank == best;
		if (walk->maps[i].rank == best && &walk->maps[i] != chosen)
			list_other(map, &walk->maps[i], n);
	}
	map->first_line = chosen->first_line;
	map->last_line = chosen->last_line;
	map->form = chosen->form;
	map->label = chosen->label;
	if (!number && chosen != last) {
		map->passed_line = last->error ? last->error_line : last->first_line;
		map->passed_error = last->error ? last->error : "it has no usable RAM";
	}
	map->line = chosen->error_line;
	map->error = chosen->error;
	return chosen->error ? -1 : 0;
}

/* Takes each entry once, if a log has all of them twice: two consoles wrote to one serial line. */
static void halve(struct mapfile *map)
{
	for (uint32_t i = 0; i < map->nr; i += 2)
		if (i + 1 == map->nr || !mapfile_same(&map->entries[i], &map->entries[i + 1]))
			return;
	map->nr /= 2;
	for (size_t i = 0; i < map->nr; i++)
		map->entries[i] = map->entries[2 * i];
}

static int read_log(struct mapfile *map, const struct text *text, struct walk *walk,
		    unsigned int number)
{
	struct walk again = { .collect = map };

	if (choose(walk, map, number))
		return -1;
	again.wanted = walk->wanted;
	map->error = walk_lines(&again, text);
	map->line = map->error ? again.line : 0;
	free(again.maps);
	for (uint32_t i = 0; i < map->nr; i++)
		map->entries[i].reserved = 0;
	if (map->form != FORM_REPLAY)
		halve(map);
	return map->error ? -1 : 0;
}

/* ---- a map file ---- */

/*
 * Returns whether the text is a map file, perhaps a wrong one: half of its lines look like that,
 * and more so than like those of the log that walk has found, if it has.
 */
static bool is_map_file(const struct text *text, const struct walk *walk)
{
	struct lines lines = text_lines(text);
	unsigned int likely = 0, all = 0, entries = 0;
	struct cursor c;

	for (uint32_t i = 0; i < walk->nr; i++) {
		if (walk->maps[i].headed)
			return false;
		entries += walk->maps[i].nr;
	}
	while (text_next(&lines, &c)) {
		likely += map_line_likely(&c, walk->nr ? 3 : 2);
		all += !scan_end(&c) && *c.at != '#';
	}
	return likely > entries && likely >= all - likely;
}

static int read_map_file(struct mapfile *map, const struct text *text, unsigned int number)
{
	struct lines lines = text_lines(text);
	struct cursor c;

	map->form = FORM_MAP;
	map->nr_maps = map->number = 1;
	while (text_next(&lines, &c)) {
		struct cursor begin = c;
		uint32_t nr = map->nr;

		map->line = lines.number;
		if (lines.number == 1 && scan_text(&begin, MAP_ORIGIN))
			snprintf(map->origin, sizeof(map->origin), "%.*s", (int)(c.end - c.at),
				 c.at);
		map->error = map_line_read(map, &c);
		if (map->error)
			return -1;
		if (map->nr > nr) {
			map->first_line = map->first_line ? map->first_line : map->line;
			map->last_line = map->line;
		}
	}
	map->line = 0;
	if (number > 1)
		return no_such_map(map, number);
	if (!map->nr)
		map->error = "the map has no entries";
	return map->error ? -1 : 0;
}

/* ---- any input ---- */

/* Returns why there is no map in a text that has none. */
static const char *no_map(const struct text *text, size_t size)
{
	struct lines lines = text_lines(text);
	struct cursor c;
	bool comments = true;

	if (!size)
		return "the input is empty";
	if (text->strange > size / 16)
		return "the input is binary, not text";
	while (text_next(&lines, &c))
		comments = comments && (scan_end(&c) || *c.at == '#');
	return comments ? "the map has no entries" : "no memory map is in it";
}

/* Keeps the line of the error for a message, or as much of it as one holds; no part of a line. */
static void quote(struct mapfile *map, const struct text *text)
{
	struct lines lines = text_lines(text);
	unsigned int parts = 0;
	struct cursor c;

	while (text_next(&lines, &c) && lines.number <= map->line)
		if (lines.number == map->line && !parts++)
			snprintf(map->quoted, sizeof(map->quoted), "%.*s", (int)(c.end - c.at),
				 c.at);
	if (parts != 1)
		map->quoted[0] = '\0';
}

int mapfile_parse(struct mapfile *map, const void *bytes, size_t size, unsigned int number)
{
	struct walk walk = { .collect = NULL };
	struct text text;
	int result = -1;

	memset(map, 0, offsetof(struct mapfile, entries));
	memset(&map->number, 0, sizeof(*map) - offsetof(struct mapfile, number));
	map->label = "";
	map->error = "no memory";
	if (!text_clean(&text, bytes, size))
		return -1;
	map->error = NULL;
	walk_lines(&walk, &text);
	if (walk.no_memory) {
		map->error = "no memory";
	} else if (is_map_file(&text, &walk)) {
		result = read_map_file(map, &text, number);
	} else if (walk.nr) {
		result = read_log(map, &text, &walk, number);
	} else {
		map->error = no_map(&text, size);
		map->no_map = true;
	}
	if (map->error && map->line)
		quote(map, &text);
	free(walk.maps);
	free(text.bytes);
	return result;
}

bool mapfile_read(struct mapfile *map, const char *name)
{
	static char bytes[1 << 16];
	FILE *file = fopen(name, "rb");
	size_t n = file ? fread(bytes, 1, sizeof(bytes), file) : 0;

	if (file)
		fclose(file);
	return n && !mapfile_parse(map, bytes, n, 0);
}
