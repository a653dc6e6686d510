/*
 * lanes.c: draws the lanes of the picture, columns beside each other. Addresses run down, on one
 * scale (scale.h). From left to right the lanes are:
 *
 *   address    where the scale is cut
 *   size       of each piece of the scale
 *   as given   entries by their numbers in the firmware's order; those that overlap lie in columns
 *              of their own
 *   marks      corrections, by number, where each begins; when there are some
 *   corrected  ranges
 *   node       when there are several
 *   zone
 *   in use     memblock's reserved memory, in whole frames; within it the kernel and mem_map
 *   free       ranges, by the largest block in them
 *
 * Every shape has a <title> with its exact range: browsers show it, tests read it.
 */
#include <stdio.h>
#include <string.h>

#include "kernel/memory/steps.h"
#include "lib/format.h"
#include "tools/replay/picture.h"
#include "tools/replay/svg.h"
#include "tools/replay/zones.h"

#define GAP           3  /* between lanes */
#define HEADING       18 /* height of the lanes' names */
#define EMPTY_HEIGHT  3  /* of an entry of no bytes */
#define MARK_HEIGHT   14 /* less than the least height of a piece */
#define NODE_COLOURS  4  /* classes d0, d1, … of the style sheet */

/* The most columns for given entries that overlap; those beyond it share the last one. */
#define GIVEN_COLUMNS 12

enum { ADDRESS, SIZE, GIVEN, MARKS, CORRECTED, NODE, ZONE, USED, FREE, NR_LANES };

static const char *const headings[NR_LANES] = {
	[ADDRESS] = "address", [SIZE] = "size", [GIVEN] = "as given", [CORRECTED] = "corrected",
	[NODE] = "node",       [ZONE] = "zone", [USED] = "in use",    [FREE] = "free",
};

/* Where the lanes are; a width of 0 means that the picture has no such lane. */
static struct lane {
	int left, width;
} lanes[NR_LANES];

static int top;           /* y of the scale's beginning */
static int given_columns; /* how many there are, at most GIVEN_COLUMNS */

/*
 * Writes the name of a type, or "type N", and its letter; of a type without a name, the letter is
 * its number if that has at most two digits.
 */
static void type_words(uint32_t type, char words[SVG_WORDS], char letter[SVG_WORDS])
{
	char text[E820_TYPE_TEXT];

	snprintf(letter, SVG_WORDS, "%s", picture_letter(type));
	if (!e820_type_name(type) && type < 100)
		snprintf(letter, SVG_WORDS, "%u", type);
	snprintf(words, SVG_WORDS, "%s", e820_type_text(type, text));
}

/* Returns the width of a lane with room for words. */
static int room(const char *words)
{
	return svg_width(words, SVG_LABEL) + 2;
}

/* Finds the piece of the scale at which the span begins. */
static const struct piece *first_piece(const struct span *s)
{
	size_t from, to;

	scale_find(&picture.scale, s, &from, &to);
	return &picture.scale.pieces[from];
}

static int middle_of(const struct piece *piece)
{
	return top + (piece->top + piece->bottom) / 2;
}

/*
 * Draws a span in a lane as a rectangle with the style "class" + number and the title "what [range]
 * size". A range of no bytes becomes a line.
 */
static void draw_span(const struct lane *lane, const struct span *s, const char *class,
		      uint32_t number, const char *what)
{
	char range[SVG_WORDS];
	size_t from, to;
	int height;

	scale_find(&picture.scale, s, &from, &to);
	height = picture.scale.pieces[to - 1].bottom - picture.scale.pieces[from].top;
	svg_range(range, s->first, s->last, s->empty);
	svg_print("<path class=\"%s%u\" d=\"M%d %dH%dv%dH%d\"><title>%s %s</title></path>\n", class,
		  number, lane->left, top + picture.scale.pieces[from].top,
		  lane->left + lane->width, s->empty ? EMPTY_HEIGHT : height, lane->left, what,
		  range);
}

/*
 * Writes the first of words, a list that NULL ends, for which the lane is wide enough into the
 * middle of the span; that of a range of no bytes stands in the free space below it.
 */
static void draw_words(const struct lane *lane, const struct span *s, const char *class,
		       const char *const words[])
{
	size_t from, to;

	scale_find(&picture.scale, s, &from, &to);
	while (*words && room(*words) > lane->width)
		words++;
	if (*words)
		svg_label(
		    lane->left + lane->width / 2,
		    top +
			(picture.scale.pieces[from].top + picture.scale.pieces[to - 1].bottom) / 2,
		    class, *words);
}

/* The lanes. In each, shapes are drawn before words, so that the words are on top. */

/* Returns the part of the given entries' lane in which the entry lies. */
static struct lane given_column(const struct span *s)
{
	int column = (int)s->column < given_columns ? (int)s->column : given_columns - 1;
	int left = lanes[GIVEN].width * column / given_columns;
	int right = lanes[GIVEN].width * (column + 1) / given_columns;

	return (struct lane){ lanes[GIVEN].left + left, right - left };
}

static void draw_entry(const struct mapfile *map, size_t i)
{
	const struct span *s = &picture.given.at[i];
	struct lane lane = given_column(s);
	char what[SVG_WORDS], letter[SVG_WORDS], words[2 * SVG_WORDS];

	type_words(s->what, what, letter);
	snprintf(words, sizeof(words), "entry %zu, %s", i, what);
	if (map->entries[i].length >= 24)
		snprintf(words, sizeof(words), "entry %zu, %s, attributes 0x%x", i, what,
			 map->entries[i].attributes);
	draw_span(&lane, s, "t", e820_type_name(s->what) ? s->what : 0, words);
}

static void draw_entry_words(size_t i)
{
	const struct span *s = &picture.given.at[i];
	struct lane lane = given_column(s);
	char what[SVG_WORDS], letter[SVG_WORDS];
	char number[SVG_WORDS], shorter[2 * SVG_WORDS], longer[2 * SVG_WORDS];

	type_words(s->what, what, letter);
	snprintf(number, sizeof(number), "%zu", i);
	snprintf(shorter, sizeof(shorter), "%zu %s", i, letter);
	snprintf(longer, sizeof(longer), "%zu %s", i, s->empty ? "empty" : what);
	draw_words(&lane, s, NULL, (const char *const[]){ longer, shorter, number, NULL });
}

static void draw_given(const struct mapfile *map)
{
	for (size_t i = 0; i < picture.given.nr; i++)
		draw_entry(map, i);
	for (size_t i = 0; i < picture.given.nr; i++)
		draw_entry_words(i);
}

/*
 * Writes the numbers of the corrections that begin at the same piece as correction i: "2", "2-4",
 * or "2, …" when others are between. Returns false when an earlier one begins there too.
 */
static bool mark_words(size_t i, char words[SVG_WORDS])
{
	const struct piece *piece = first_piece(&picture.marks.at[i]);
	size_t nr = 1, last = i;

	for (size_t j = 0; j < picture.marks.nr; j++) {
		if (j == i || first_piece(&picture.marks.at[j]) != piece)
			continue;
		if (j < i)
			return false;
		last = j;
		nr++;
	}
	if (nr == 1)
		snprintf(words, SVG_WORDS, "%zu", i + 1);
	else if (last - i + 1 == nr)
		snprintf(words, SVG_WORDS, "%zu-%zu", i + 1, last + 1);
	else
		snprintf(words, SVG_WORDS, "%zu, ..", i + 1);
	return true;
}

static void draw_marks(void)
{
	const struct lane *lane = &lanes[MARKS];
	char words[SVG_WORDS];

	for (size_t i = 0; i < picture.marks.nr; i++) {
		const struct piece *piece = first_piece(&picture.marks.at[i]);
		const char *line = "";

		if (!mark_words(i, words))
			continue;
		svg_print("<rect class=\"k\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
			  "rx=\"7\"><title>",
			  lane->left, middle_of(piece) - MARK_HEIGHT / 2, lane->width, MARK_HEIGHT);
		for (size_t j = i; j < picture.marks.nr; j++) {
			const struct e820_correction *c = &e820_map.corrections[j];
			const struct span *s = &picture.marks.at[j];

			if (first_piece(s) != piece)
				continue;
			svg_range(words, s->first, s->last, s->empty);
			svg_print("%scorrection %zu: entry %u, %s %s", line, j + 1, c->entry,
				  e820_what_name(c->what), words);
			line = "\n";
		}
		svg_print("</title></rect>\n");
	}
	for (size_t i = 0; i < picture.marks.nr; i++)
		if (mark_words(i, words))
			svg_label(lane->left + lane->width / 2,
				  middle_of(first_piece(&picture.marks.at[i])), "w", words);
}

static void draw_corrected(void)
{
	const struct spans *corrected = &picture.corrected;
	char what[SVG_WORDS], letter[SVG_WORDS];

	for (size_t i = 0; i < corrected->nr; i++) {
		type_words(corrected->at[i].what, what, letter);
		draw_span(&lanes[CORRECTED], &corrected->at[i], "t", corrected->at[i].what, what);
	}
	for (size_t i = 0; i < corrected->nr; i++) {
		type_words(corrected->at[i].what, what, letter);
		draw_words(&lanes[CORRECTED], &corrected->at[i], NULL,
			   (const char *const[]){ what, letter, NULL });
	}
}

static void draw_nodes(void)
{
	const struct spans *nodes = &picture.nodes;
	char words[SVG_WORDS];

	for (size_t i = 0; i < nodes->nr; i++) {
		snprintf(words, sizeof(words), "node %u", nodes->at[i].what);
		draw_span(&lanes[NODE], &nodes->at[i], "d", nodes->at[i].what % NODE_COLOURS,
			  words);
	}
	for (size_t i = 0; i < nodes->nr; i++) {
		snprintf(words, sizeof(words), "%u", nodes->at[i].what);
		draw_words(&lanes[NODE], &nodes->at[i], NULL, (const char *const[]){ words, NULL });
	}
}

static void draw_zones(void)
{
	const struct spans *spans = &picture.zones;
	char words[2 * SVG_WORDS];

	for (size_t i = 0; i < spans->nr; i++) {
		const struct zone *z = state_zones[spans->at[i].what];

		snprintf(words, sizeof(words), "zone %s", z->name);
		if (picture.nodes.nr)
			snprintf(words, sizeof(words), "zone %s of node %d", z->name, z->node);
		draw_span(&lanes[ZONE], &spans->at[i], "z", z->type, words);
	}
	for (size_t i = 0; i < spans->nr; i++)
		draw_words(&lanes[ZONE], &spans->at[i], NULL,
			   (const char *const[]){ state_zones[spans->at[i].what]->name, NULL });
}

static void draw_used(void)
{
	const struct spans *places = &picture.places;

	for (size_t i = 0; i < picture.reserved.nr; i++)
		draw_span(&lanes[USED], &picture.reserved.at[i], "m", 0, "in use");
	for (size_t i = 0; i < places->nr; i++)
		draw_span(&lanes[USED], &places->at[i], "p", places->at[i].what,
			  picture_place(places->at[i].what));
	for (size_t i = 0; i < places->nr; i++)
		draw_words(&lanes[USED], &places->at[i], "w",
			   (const char *const[]){ picture_place(places->at[i].what), NULL });
}

static void draw_free(void)
{
	char words[SVG_WORDS];

	for (size_t i = 0; i < picture.blocks.nr; i++)
		draw_span(&lanes[FREE], &picture.blocks.at[i], "f",
			  picture_shade(picture.blocks.at[i].what), "free");
	for (size_t i = 0; i < picture.blocks.nr; i++) {
		svg_bytes(words, PAGE_SIZE << picture.blocks.at[i].what);
		draw_words(&lanes[FREE], &picture.blocks.at[i], NULL,
			   (const char *const[]){ words, NULL });
	}
}

static void draw_sizes(void)
{
	char words[SVG_WORDS];

	for (size_t i = 0; lanes[SIZE].width && i < picture.scale.nr; i++) {
		const struct piece *piece = &picture.scale.pieces[i];

		svg_size(words, piece->first, piece->last);
		svg_label(lanes[SIZE].left + lanes[SIZE].width, middle_of(piece), "n", words);
	}
}

/* Writes the address after a piece; it may be 2^64, which no uint64_t can hold. */
static void border_words(char words[SVG_WORDS], const struct piece *piece)
{
	if (piece->last == UINT64_MAX)
		snprintf(words, SVG_WORDS, "0x10000000000000000");
	else
		snprintf(words, SVG_WORDS, "0x%llx", ULL(piece->last + 1));
}

static void draw_addresses(void)
{
	int x = lanes[ADDRESS].left + lanes[ADDRESS].width;
	char words[SVG_WORDS];

	svg_label(x, top, "a", "0x0");
	for (size_t i = 0; i < picture.scale.nr; i++) {
		border_words(words, &picture.scale.pieces[i]);
		svg_label(x, top + picture.scale.pieces[i].bottom, "a", words);
	}
}

/* Draws a thin line across the lanes at every border of the scale. */
static void draw_grid(void)
{
	int left = lanes[ADDRESS].left + lanes[ADDRESS].width + GAP;
	int right = picture.width - PICTURE_MARGIN;

	svg_print("<path class=\"g\" d=\"M%d %dH%d", left, top, right);
	for (size_t i = 0; i < picture.scale.nr; i++)
		svg_print("M%d %dH%d", left, top + picture.scale.pieces[i].bottom, right);
	svg_print("\"/>\n");
}

static void draw_headings(int y)
{
	for (unsigned int i = 0; i < NR_LANES; i++) {
		bool right = i == ADDRESS || i == SIZE;

		if (lanes[i].width && headings[i])
			svg_label(lanes[i].left + lanes[i].width / (right ? 1 : 2), y,
				  right ? "n" : "q", headings[i]);
	}
}

static int address_width(void)
{
	size_t longest = 0;
	char words[SVG_WORDS];

	for (size_t i = 0; i < picture.scale.nr; i++) {
		border_words(words, &picture.scale.pieces[i]);
		longest = strlen(words) > longest ? strlen(words) : longest;
	}
	return ((int)longest * 61 * SVG_LABEL + 99) / 100; /* each is .61 of the font's size wide */
}

static int marks_width(void)
{
	int widest = 0;
	char words[SVG_WORDS];

	for (size_t i = 0; i < picture.marks.nr; i++)
		if (mark_words(i, words) && room(words) + 6 > widest)
			widest = room(words) + 6;
	return widest;
}

/* Places the lanes from left to right; returns the width of the picture. */
static int place(void)
{
	int x = PICTURE_MARGIN;

	for (unsigned int i = 0; i < NR_LANES; i++) {
		lanes[i].left = x;
		x += lanes[i].width ? lanes[i].width + GAP : 0;
	}
	return x - GAP + PICTURE_MARGIN;
}

#define SHORT_GIVEN 46 /* a width with room for "12 R" and for the lane's name */
#define MOST_WIDTH                                                                    \
	508 /* a wider picture has labels of less than 8.5 pixels where 360 are shown \
	     */

void lanes_place(void)
{
	unsigned int columns = spans_stack(&picture.given);

	given_columns = columns > GIVEN_COLUMNS ? GIVEN_COLUMNS : (int)columns;
	lanes[ADDRESS].width = address_width();
	lanes[SIZE].width = room("1023 KiB");
	lanes[GIVEN].width = room("0 reserved");
	lanes[MARKS].width = marks_width();
	lanes[CORRECTED].width = room("ACPI data");
	if (picture.nodes.nr)
		lanes[NODE].width = room("node");
	if (picture.booted) {
		lanes[ZONE].width = room("Normal");
		lanes[USED].width = room("mem_map");
		lanes[FREE].width = room("512 MiB");
	}
	if (place() > MOST_WIDTH)
		lanes[GIVEN].width = SHORT_GIVEN;
	if (place() > MOST_WIDTH)
		lanes[SIZE].width = 0;
	if (place() < PICTURE_LEAST_WIDTH)
		lanes[GIVEN].width += PICTURE_LEAST_WIDTH - place();
	picture.width = place();
}

int lanes_draw(const struct mapfile *map, int y)
{
	top = y + HEADING + SVG_LABEL / 2;
	draw_headings(y + HEADING / 2);
	draw_grid();
	draw_addresses();
	draw_sizes();
	draw_given(map);
	draw_corrected();
	draw_marks();
	if (picture.booted) {
		draw_nodes();
		draw_zones();
		draw_used();
		draw_free();
	}
	return top + picture.scale.pieces[picture.scale.nr - 1].bottom + SVG_LABEL / 2;
}
