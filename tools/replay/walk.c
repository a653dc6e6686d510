/*
 * walk.c: see walk.h.
 */
#include "tools/replay/walk.h"

#include <stdlib.h>
#include <string.h>

#include "tools/replay/source.h"

#define WRAPPED_MAX 1000 /* characters of an entry and the line that it goes on in */

#define BETWEEN_MAX 6 /* characters between the two addresses of an entry, as in " - 0x" */

#define LATEST      64 /* so many maps back, another source's map is looked for */

/* Closes the open maps of this source, or with 0 of all. */
static void close_maps(struct walk *walk, uint32_t source)
{
	for (uint32_t i = walk->nr; i-- > 0 && walk->nr - i <= LATEST;)
		if (!source || walk->maps[i].source == source)
			walk->maps[i].open = false;
}

/* Returns whether an entry begins another map than the one that it looks like a part of. */
static bool repeats(const struct found *map, const struct item *item)
{
	if (item->kind != ITEM_ENTRY)
		return false;
	if (map->form == FORM_IOMEM)
		return item->indent <= map->indent && item->entry.base < map->top;
	if (map->form == FORM_MEMMAP)
		return item->number == map->first;
	/* Even unsorted maps begin with their lowest entry; some end with an empty one at 0. */
	return !map->headed && map->nr && item->entry.size &&
	       (item->entry.base <= map->first ||
		item->entry.base - map->first < map->first_size) &&
	       !mapfile_same(&item->entry, &map->latest);
}

/* Returns the map that item is a part of: an open one, or a new one. */
static struct found *map_of(struct walk *walk, const struct item *item, uint32_t source)
{
	struct found *map;

	for (uint32_t i = walk->nr; i-- > 0 && walk->nr - i <= LATEST;) {
		map = &walk->maps[i];
		if (!map->open || map->source != source || map->rank != item->rank)
			continue;
		if (map->form == item->form && map->label == item->label && !repeats(map, item))
			return map;
		map->open = false;
	}
	if (walk->nr == walk->room) {
		uint32_t room = walk->room ? 2 * walk->room : 16;

		map = realloc(walk->maps, room * sizeof(*map));
		if (!map) {
			walk->no_memory = true;
			return NULL;
		}
		walk->maps = map;
		walk->room = room;
	}
	map = &walk->maps[walk->nr++];
	*map = (struct found){
		.form = item->form,
		.rank = item->rank,
		.label = item->label,
		.source = source,
		.open = true,
		.headed = walk->headed,
		.hidden = item->form == FORM_IOMEM,
		.announced = walk->announced,
		.first = item->form == FORM_MEMMAP ? item->number : item->entry.base,
		.first_size = item->entry.size,
		.top = item->entry.base,
		.indent = item->indent,
		.first_line = walk->line,
	};
	walk->headed = false;
	walk->announced = 0;
	return map;
}

static void damage(struct found *map, unsigned int line, const char *error)
{
	if (!map->error) {
		map->error = error;
		map->error_line = line;
	}
}

/* Adds an entry to the map that is collected. Entries of memmap are sorted by their numbers. */
static const char *collect(struct mapfile *map, const struct item *item)
{
	const char *error = mapfile_add(map, &item->entry);
	uint32_t i = map->nr - 1;

	if (error || item->form != FORM_MEMMAP)
		return error;
	for (; i > 0 && map->entries[i - 1].reserved > item->number; i--)
		map->entries[i] = map->entries[i - 1];
	map->entries[i] = item->entry;
	map->entries[i].reserved = item->number;
	return NULL;
}

/* Remembers what is wrong with a map of RANK_SURE, if an entry of it follows this line. */
static void suspect(struct walk *walk, const char *what, uint32_t source)
{
	walk->suspect = what;
	walk->suspect_line = walk->line;
	walk->suspect_source = source;
}

/* Returns whether the suspect line lies within a map that goes on now. */
static bool is_within(const struct walk *walk, const struct found *map)
{
	return map->nr && walk->suspect_line > map->last_line && map->form != FORM_IOMEM &&
	       map->form != FORM_MEMMAP &&
	       (!walk->suspect_source || walk->suspect_source == map->source);
}

/*
 * Returns whether a line has two addresses next to each other, as an entry has. Linux also prints
 * gaps, and what it changes of its map, "update [mem ...] usable ==> reserved".
 */
static bool has_range(const struct cursor *line)
{
	struct cursor c = *line;
	size_t since = SIZE_MAX / 2;

	while (c.at < c.end) {
		size_t digits = scan_hex_digits(&c);

		if (digits >= 8 && since <= BETWEEN_MAX)
			return !scan_find(line, "[gap") && !scan_find(line, "==>") &&
			       !scan_find(line, "remove [");
		since = digits >= 8 ? 0 : since + (digits ? digits : 1);
		c.at += digits ? digits : 1;
	}
	return false;
}

/* Returns whether a line stands for others that are left out: "..." or "[...]". */
static bool is_elision(struct cursor c)
{
	unsigned int dots = 0;

	for (; c.at < c.end; c.at++) {
		/* An ellipsis is no ASCII. */
		dots += *c.at == '.' ? 1 : *c.at == '?' ? 3 : 0;
		if (!strchr("[]() \t>|.?", *c.at))
			return false;
	}
	return dots >= 3;
}

/*
 * Takes an entry, whole or damaged, from a line with this first character. Returns NULL, or what is
 * wrong with the map that is wanted.
 */
static const char *take(struct walk *walk, const struct item *item, uint32_t source, char first)
{
	struct found *map = map_of(walk, item, source);

	if (!map)
		return "no memory";
	walk->last = (uint32_t)(map - walk->maps);
	/* Noise on a serial line can take the label away; what is left of it may look like the name
	   of a source. */
	if (item->rank != RANK_SURE)
		suspect(walk, "an entry without the label of those around it", 0);
	else if (is_within(walk, map))
		damage(map, walk->suspect_line, walk->suspect);
	map->last_line = walk->line;
	map->removed |= first == '-';
	map->added |= first == '+';
	if (item->kind == ITEM_DAMAGED) {
		damage(map, walk->line, item->error);
		return NULL;
	}
	map->nr++;
	map->latest = item->entry;
	map->usable |= item->entry.type == E820_TYPE_RAM && item->entry.size;
	map->hidden &= !item->entry.base && item->entry.size == 1;
	if (item->indent <= map->indent)
		map->top = item->entry.base;
	return walk->collect && walk->last == walk->wanted ? collect(walk->collect, item) : NULL;
}

/*
 * Returns whether the input is cut in the line of c, its last, which has no end and no entry: as
 * far as the line goes, it looks like the one before it, with the last entry, but for the digits.
 */
static bool is_cut(const struct walk *walk, const struct cursor *c, const char *end)
{
	const char *like = walk->entry_at;

	if (!like || c->end != end || c->at == c->end || walk->line > walk->entry_line + 1)
		return false;
	for (const char *at = c->at; at < c->end; at++, like++)
		if (like == c->at ||
		    (*at != *like && (scan_digit(*at) > 15 || scan_digit(*like) > 15)))
			return false;
	return true;
}

/*
 * Tries to read an entry that is not whole together with the next line: mail programs and terminals
 * wrap long lines, at a blank or anywhere. The entry stands behind the item before it in line. If
 * it is whole then, item and c are as if both lines were one, which line is set to, and true is
 * returned.
 */
static bool read_wrapped(struct walk *walk, struct cursor *line, struct cursor *c, const char *from,
			 struct lines *lines, struct item *item)
{
	static char joined[WRAPPED_MAX];
	size_t size = (size_t)(line->end - from);
	struct forms before = walk->forms;
	struct lines ahead = *lines;
	struct cursor next;

	if (!text_next(&ahead, &next))
		return false;
	while (size > 0 && from[size - 1] == ' ')
		size--;
	while (next.at < next.end && strchr(" \t>|", *next.at))
		next.at++;
	if (size + (size_t)(next.end - next.at) + 1 > sizeof(joined))
		return false;
	memmove(joined, from, size);
	for (unsigned int way = 0; way < 4; way++) {
		size_t blank = !(way & 1);

		/* Mail that is quoted-printable has = at the end of a line that goes on. */
		if (way == 2 && size > 0)
			size -= joined[size - 1] == '=';
		joined[size] = ' ';
		memcpy(joined + size + blank, next.at, (size_t)(next.end - next.at));
		*c =
		    (struct cursor){ joined, joined + size + blank + (size_t)(next.end - next.at) };
		forms_begin(&walk->forms, c);
		if (before.xen && !walk->forms.xen)
			walk->forms.xen = joined;
		if (forms_next(&walk->forms, c, item) && item->kind == ITEM_ENTRY) {
			*line = (struct cursor){ joined, c->end };
			*lines = ahead;
			return true;
		}
		walk->forms = before;
	}
	return false;
}

/* Reads a line. Returns NULL, or what is wrong with the map that is wanted. */
static const char *read_line(struct walk *walk, struct cursor c, struct lines *lines, bool *found)
{
	const char *const begin = c.at;
	const char first = c.at < c.end ? *c.at : ' ';
	struct cursor line = c;
	uint32_t source = 0;
	struct item item;

	if (is_elision(c))
		suspect(walk, "lines of the map are left out", 0);
	forms_begin(&walk->forms, &c);
	line.end = c.end;
	for (*found = false;; *found = true) {
		const char *from = walk->forms.found, *error;
		struct cursor rest = c;
		bool any = forms_next(&walk->forms, &c, &item);

		if (!*found)
			source = source_of(&line);
		if (any && item.kind == ITEM_HEADER) {
			close_maps(walk, source);
			walk->headed = true;
			walk->announced = item.announced;
			continue;
		}
		if (!any && !*found && walk->nr && has_range(&line))
			suspect(walk, "not understood, but between lines of the map", source);
		if (!any && !forms_ends_with_label(&walk->forms, &rest))
			return NULL;
		if (!any || item.kind == ITEM_DAMAGED) {
			struct item whole;

			rest = c;
			if (read_wrapped(walk, &line, &rest, from, lines, &whole)) {
				item = whole;
				c = rest;
			} else if (!any) {
				return NULL;
			} else if (line.at != begin) {
				c.at = c.end; /* the try has overwritten the rest */
			}
		}
		walk->entry_at = begin;
		/* grep names the files of memmap: one for each number. */
		error = take(walk, &item, item.form == FORM_MEMMAP ? 0 : source, first);
		if (error)
			return error;
		walk->line = walk->entry_line = lines->number;
	}
}

/* Finishes what is known of a map: what only its end shows. */
static void finish(struct found *map)
{
	if (map->hidden && map->nr)
		damage(map, map->first_line,
		       "all addresses are 0: only root sees those of /proc/iomem");
	if (map->removed && map->added)
		damage(map, map->first_line, "its lines are those of a diff, old and new ones");
	if (map->nr < map->announced)
		damage(map, map->last_line, "the map has fewer entries than its header says");
}

const char *walk_lines(struct walk *walk, const struct text *text)
{
	struct lines lines = text_lines(text);
	struct cursor line = { NULL, NULL };
	bool found = false;

	while (text_next(&lines, &line)) {
		const char *error;

		walk->line = lines.number;
		error = read_line(walk, line, &lines, &found);
		if (error)
			return error;
	}
	if (walk->nr &&
	    ((!found && is_cut(walk, &line, lines.end)) || forms_incomplete(&walk->forms)))
		damage(&walk->maps[walk->last], walk->line, "the input ends within the map");
	for (uint32_t i = 0; i < walk->nr; i++)
		finish(&walk->maps[i]);
	return NULL;
}
