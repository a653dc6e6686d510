/*
 * lanes.c: draws the panels of the picture. Each panel shows a part of the scale (scale.h) and has
 * these lanes, one below another:
 *
 *   as given   entries in the firmware's order; those that overlap are in different rows
 *   ──①──────  corrections, by number
 *   corrected  ranges
 *   nodes      when there are several
 *   zones
 *   in use     memblock's reserved memory, in whole frames; within it the kernel and mem_map
 *   free       ranges, by the largest block in them
 *   scale      sizes, addresses
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

#define GIVEN_ROW        27
#define NARROW           11 /* a narrower box has no room for a letter */
#define CORRECTED_HEIGHT 30
#define ZONES_HEIGHT     17
#define RESERVED_HEIGHT  22
#define FREE_HEIGHT      44
#define NODE_COLOURS     4 /* classes d0, d1, … of the style sheet */
#define SIZES_HEIGHT     46
#define GAP              5
#define BETWEEN_PANELS   16
#define BESIDE           8 /* from the line of an empty range to the middle of its label */
#define SLIVER           2 /* the least width of a box */

/* The y of each lane in the first panel. */
static struct {
	int given, corrected, nodes, zones, reserved, free, sizes, addresses;
	int panel; /* distance from one panel to the next */
} at;

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

/* The part of a span that lies in one panel. */
struct box {
	unsigned int panel;
	int left, right;
};

/* Returns the x of an address in its piece; within a piece, the scale is linear. */
static int address_x(const struct piece *piece, uint64_t address)
{
	double part = (double)(address - piece->first) / ((double)(piece->last - piece->first) + 1);

	return piece->left + (int)((piece->right - piece->left) * part + 0.5);
}

/* Returns the x of the address after last, which may be 2^64. */
static int end_x(const struct piece *piece, uint64_t last)
{
	return last == piece->last ? piece->right : address_x(piece, last + 1);
}

/*
 * Finds the next box of span s, which begins with piece *from, and moves *from behind it; returns
 * false when *from has reached to.
 */
static bool next_box(struct box *box, const struct span *s, size_t *from, size_t to)
{
	const struct piece *piece = &picture.scale.pieces[*from];

	if (*from >= to)
		return false;
	box->panel = piece->panel;
	box->left = s->first > piece->first ? address_x(piece, s->first) : piece->left;
	while (++*from < to && picture.scale.pieces[*from].panel == box->panel)
		piece++;
	box->right = s->last < piece->last ? end_x(piece, s->last) : piece->right;
	if (s->empty || box->right < box->left + SLIVER)
		box->right = box->left + SLIVER;
	return true;
}

/* Returns the widest box of a span, which has most room for words. */
static struct box widest_box(const struct span *s)
{
	struct box box, widest = { 0, 0, 0 };
	size_t from, to;

	scale_find(&picture.scale, s, &from, &to);
	while (next_box(&box, s, &from, to))
		if (box.right - box.left > widest.right - widest.left)
			widest = box;
	return widest;
}

static int panel_y(unsigned int panel)
{
	return (int)panel * at.panel;
}

/*
 * Draws a span as one rectangle per panel, with the style "class" + number and the title "what
 * [range] size". A range of no bytes becomes a line.
 */
static void draw_span(const struct span *s, const char *class, uint32_t number, int y, int height,
		      const char *what)
{
	char range[SVG_WORDS];
	struct box box;
	size_t from, to;

	scale_find(&picture.scale, s, &from, &to);
	svg_print("<path class=\"%s%u\" d=\"", class, number);
	while (next_box(&box, s, &from, to))
		svg_print("M%d %dH%dv%dH%d", box.left, panel_y(box.panel) + y, box.right, height,
			  box.left);
	svg_range(range, s->first, s->last, s->empty);
	svg_print("\"><title>%s %s</title></path>\n", what, range);
}

/* Writes words into the widest box of a span, or what is shorter, or nothing, as it fits. */
static void draw_words(const struct span *s, int y, const char *class, const char *words,
		       const char *shorter)
{
	struct box box = widest_box(s);
	int width = box.right - box.left;

	if (svg_width(words) > width)
		words = shorter;
	if (width >= NARROW && (svg_width(words) <= width || strlen(words) <= 3))
		svg_words((box.left + box.right) / 2, panel_y(box.panel) + y, class, words);
}

/*
 * Writes a label into a box, with its middle at y, if this is its direction: horizontal where that
 * fits, upright where it does not. Nothing fits into a narrow box. Callers draw all labels of one
 * direction before those of the other, because svg_words() groups neighbours.
 */
static void draw_size(const struct box *box, int y, unsigned int direction, const char *words)
{
	int width = box->right - box->left, x = (box->left + box->right) / 2;

	if ((svg_width(words) > width ? SVG_UPRIGHT : SVG_HORIZONTAL) != direction)
		return;
	if (direction == SVG_HORIZONTAL)
		svg_words(x, panel_y(box->panel) + y + 3, NULL, words);
	else if (width >= NARROW)
		svg_upright(x, panel_y(box->panel) + y, NULL, words);
}

/* The lanes. In each, shapes are drawn before words, so that the words are on top. */

static int given_y(const struct span *s)
{
	return at.given + (int)s->row * GIVEN_ROW;
}

static void draw_given(const struct mapfile *map)
{
	const struct spans *given = &picture.given;
	char what[SVG_WORDS], letter[SVG_WORDS], words[2 * SVG_WORDS];

	for (size_t i = 0; i < given->nr; i++) {
		const struct span *s = &given->at[i];

		type_words(s->what, what, letter);
		snprintf(words, sizeof(words), "entry %zu, %s", i, what);
		if (map->entries[i].length >= 24)
			snprintf(words, sizeof(words), "entry %zu, %s, attributes 0x%x", i, what,
				 map->entries[i].attributes);
		draw_span(s, "t", e820_type_name(s->what) ? s->what : 0, given_y(s), GIVEN_ROW - 1,
			  words);
	}
	for (size_t i = 0; i < given->nr; i++) {
		type_words(given->at[i].what, what, letter);
		draw_words(&given->at[i], given_y(&given->at[i]) + 11, NULL, what, letter);
	}
	for (size_t i = 0; i < given->nr; i++) {
		struct span s = given->at[i];
		struct box box = widest_box(&s);

		snprintf(words, sizeof(words), "%zu", i);
		if (s.empty)
			svg_words(box.left + BESIDE, panel_y(box.panel) + given_y(&s) + 22, "s",
				  words);
		else
			draw_words(&s, given_y(&s) + 22, "s", words, words);
	}
}

static void draw_marks(void)
{
	for (size_t i = 0; i < picture.marks.nr; i++) {
		const struct span *s = &picture.marks.at[i];
		const struct e820_correction *c = &e820_map.corrections[i];
		const struct piece *piece;
		size_t from, to;
		int x, y;

		scale_find(&picture.scale, s, &from, &to);
		piece = &picture.scale.pieces[from];
		x = s->empty ? piece->left + BESIDE : (piece->left + piece->right) / 2;
		y = panel_y(piece->panel) + at.corrected - (int)s->row * PICTURE_LINE - 8;
		svg_print("<circle class=\"k\" cx=\"%d\" cy=\"%d\" r=\"6.5\"><title>correction "
			  "%zu: entry %u, %s</title></circle>\n",
			  x, y, i + 1, c->entry, e820_what_name(c->what));
		svg_text(x, y + 3, "c", "%zu", i + 1);
	}
}

static void draw_corrected(void)
{
	const struct spans *corrected = &picture.corrected;
	char what[SVG_WORDS], letter[SVG_WORDS];

	for (size_t i = 0; i < corrected->nr; i++) {
		const struct span *s = &corrected->at[i];

		type_words(s->what, what, letter);
		draw_span(s, "t", s->what, at.corrected, CORRECTED_HEIGHT, what);
	}
	for (size_t i = 0; i < corrected->nr; i++) {
		type_words(corrected->at[i].what, what, letter);
		draw_words(&corrected->at[i], at.corrected + 19, NULL, what, letter);
	}
}

static void draw_nodes(void)
{
	const struct spans *nodes = &picture.nodes;
	char words[SVG_WORDS], number[SVG_WORDS];

	for (size_t i = 0; i < nodes->nr; i++) {
		snprintf(words, sizeof(words), "node %u", nodes->at[i].what);
		draw_span(&nodes->at[i], "d", nodes->at[i].what % NODE_COLOURS, at.nodes,
			  ZONES_HEIGHT, words);
	}
	for (size_t i = 0; i < nodes->nr; i++) {
		snprintf(words, sizeof(words), "node %u", nodes->at[i].what);
		snprintf(number, sizeof(number), "%u", nodes->at[i].what);
		draw_words(&nodes->at[i], at.nodes + 12, NULL, words, number);
	}
}

static void draw_zones(void)
{
	const struct spans *spans = &picture.zones;
	bool several = picture.nodes.nr;
	char words[2 * SVG_WORDS], size[SVG_WORDS];

	for (size_t i = 0; i < spans->nr; i++) {
		const struct zone *z = state_zones[spans->at[i].what];

		snprintf(words, sizeof(words), "zone %s", z->name);
		if (several)
			snprintf(words, sizeof(words), "zone %s of node %d", z->name, z->node);
		draw_span(&spans->at[i], "z", z->type, at.zones, ZONES_HEIGHT, words);
	}
	for (size_t i = 0; i < spans->nr; i++) {
		const struct zone *z = state_zones[spans->at[i].what];

		svg_bytes(size, PFN_PHYS(z->present));
		snprintf(words, sizeof(words), "%s, RAM %s", z->name, size);
		/* A zone may have several spans: its size would seem to be that of each. */
		draw_words(&spans->at[i], at.zones + 12, NULL, several ? z->name : words, z->name);
	}
}

static void draw_reserved(void)
{
	const struct spans *places = &picture.places;

	for (size_t i = 0; i < picture.reserved.nr; i++)
		draw_span(&picture.reserved.at[i], "m", 0, at.reserved, RESERVED_HEIGHT, "in use");
	for (size_t i = 0; i < places->nr; i++)
		draw_span(&places->at[i], "p", places->at[i].what, at.reserved + 3,
			  RESERVED_HEIGHT - 6,
			  places->at[i].what == PLACE_KERNEL ? "kernel" : "mem_map");
	for (size_t i = 0; i < places->nr; i++) {
		bool kernel = places->at[i].what == PLACE_KERNEL;

		draw_words(&places->at[i], at.reserved + 14, "w", kernel ? "kernel" : "mem_map",
			   kernel ? "K" : "M");
	}
}

static void draw_blocks(void)
{
	char words[SVG_WORDS];

	for (size_t i = 0; i < picture.blocks.nr; i++)
		draw_span(&picture.blocks.at[i], "f", picture_shade(picture.blocks.at[i].what),
			  at.free, FREE_HEIGHT, "free");
	for (unsigned int direction = 0; direction < NR_SVG_DIRECTIONS; direction++)
		for (size_t i = 0; i < picture.blocks.nr; i++) {
			const struct span *s = &picture.blocks.at[i];
			struct box box = widest_box(s);

			svg_bytes(words, PAGE_SIZE << s->what);
			draw_size(&box, at.free + FREE_HEIGHT / 2, direction, words);
		}
}

static void draw_sizes(void)
{
	char words[SVG_WORDS];

	for (unsigned int direction = 0; direction < NR_SVG_DIRECTIONS; direction++)
		for (size_t i = 0; i < picture.scale.nr; i++) {
			const struct piece *piece = &picture.scale.pieces[i];
			struct box box = { piece->panel, piece->left, piece->right };

			svg_size(words, piece->first, piece->last);
			draw_size(&box, at.sizes + SIZES_HEIGHT / 2, direction, words);
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
	for (size_t i = 0; i < picture.scale.nr; i++) {
		const struct piece *piece = &picture.scale.pieces[i];
		int y = panel_y(piece->panel) + at.addresses + 4;
		char words[SVG_WORDS];

		if (!i || piece->panel != picture.scale.pieces[i - 1].panel) {
			snprintf(words, sizeof(words), "0x%llx", ULL(piece->first));
			svg_upright(piece->left, y, "a", words);
		}
		border_words(words, piece);
		svg_upright(piece->right, y, "a", words);
	}
}

int lanes_place(void)
{
	int given_rows = (int)spans_stack(&picture.given);
	int mark_rows = (int)spans_stack(&picture.marks);
	int longest = 0;

	for (size_t i = 0; i < picture.scale.nr; i++) {
		char words[SVG_WORDS];

		border_words(words, &picture.scale.pieces[i]);
		longest = svg_width(words) > longest ? svg_width(words) : longest;
	}
	at.given = PICTURE_HEAD;
	at.corrected = at.given + given_rows * GIVEN_ROW + GAP + mark_rows * PICTURE_LINE;
	at.nodes = at.corrected + CORRECTED_HEIGHT + GAP;
	at.zones = at.nodes + (picture.nodes.nr ? ZONES_HEIGHT + GAP : 0);
	at.reserved = at.zones + (picture.booted ? ZONES_HEIGHT + GAP : 0);
	at.free = at.reserved + (picture.booted ? RESERVED_HEIGHT + GAP : 0);
	at.sizes = at.free + (picture.booted ? FREE_HEIGHT : 0);
	at.addresses = at.sizes + SIZES_HEIGHT;
	at.panel = at.addresses + longest + BETWEEN_PANELS - at.given;
	return at.given + panel_y(picture.scale.nr_panels);
}

/* Draws a thin line down the panel at every border of the scale. */
static void draw_grid(void)
{
	int height = at.addresses - at.given;

	svg_print("<path class=\"g\" d=\"");
	for (size_t i = 0; i < picture.scale.nr; i++) {
		const struct piece *piece = &picture.scale.pieces[i];
		int y = panel_y(piece->panel) + at.given;

		if (!i || piece->panel != picture.scale.pieces[i - 1].panel)
			svg_print("M%d %dv%d", piece->left, y, height);
		svg_print("M%d %dv%d", piece->right, y, height);
	}
	svg_print("\"/>\n");
}

static void draw_names(void)
{
	for (unsigned int i = 0; i < picture.scale.nr_panels; i++) {
		int y = panel_y(i);

		svg_text(PICTURE_LEFT - 8, y + at.given + 16, "n", "as given");
		svg_text(PICTURE_LEFT - 8, y + at.corrected + 19, "n", "corrected");
		if (picture.nodes.nr)
			svg_text(PICTURE_LEFT - 8, y + at.nodes + 12, "n", "nodes");
		if (picture.booted) {
			svg_text(PICTURE_LEFT - 8, y + at.zones + 12, "n", "zones");
			svg_text(PICTURE_LEFT - 8, y + at.reserved + 15, "n", "in use");
			svg_text(PICTURE_LEFT - 8, y + at.free + 19, "n", "free,");
			svg_text(PICTURE_LEFT - 8, y + at.free + 32, "n", "largest block");
		}
		svg_text(PICTURE_LEFT - 8, y + at.sizes + 27, "n", "sizes");
		svg_text(PICTURE_LEFT - 8, y + at.addresses + 12, "n", "addresses");
	}
}

void lanes_draw(const struct mapfile *map)
{
	draw_grid();
	draw_names();
	draw_given(map);
	draw_corrected();
	draw_marks();
	if (picture.booted) {
		draw_nodes();
		draw_zones();
		draw_reserved();
		draw_blocks();
	}
	draw_sizes();
	draw_addresses();
}
