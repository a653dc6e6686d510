/*
 * replay_svg.c: the style sheet, and what surrounds the lanes (lanes.c): above them the title and
 * the legend, below them the corrections in words and a table of the free blocks by size.
 */
#include "tools/replay/replay_svg.h"

#include <stdio.h>
#include <string.h>

#include "kernel/memory/steps.h"
#include "lib/format.h"
#include "mm/page_state.h"
#include "tests/host/sim/sim.h"
#include "tools/replay/picture.h"
#include "tools/replay/svg.h"
#include "tools/replay/zones.h"

/*
 * The style sheet. Every rule begins with the class of the picture's root, so that a page that
 * holds the picture keeps its own style.
 */
static const char style[] =
    "<style>.fp-map{font:12px system-ui,sans-serif;text-anchor:middle;max-width:100%;height:auto}\n"
    ".fp-map .h,.fp-map .l,.fp-map .b{font-size:13px;text-anchor:start}.fp-map .h{font-size:20px}\n"
    ".fp-map .a{font-family:ui-monospace,monospace}\n"
    ".fp-map .a,.fp-map .n,.fp-map .e{text-anchor:end}\n"
    ".fp-map path{stroke-width:.7}.fp-map .t0{stroke-dasharray:2 2}\n";

/* What is painted, by class. Each text has a contrast of 4.5 or more to what lies behind it. */
static const struct colour {
	const char *what, *property, *light, *dark;
} colours[] = {
	{ "", "fill", "#1f2328", "#e6edf3" },       /* text that has no colour of its own */
	{ ".n", "fill", "#57606a", "#9198a1" },     /* sizes; names of lanes */
	{ ".q", "fill", "#57606a", "#9198a1" },     /* names of lanes */
	{ ".b", "fill", "#a40e26", "#ff8a80" },     /* a warning */
	{ ".w", "fill", "#ffffff", "#ffffff" },     /* on places and marks */
	{ ".bg", "fill", "#ffffff", "#0d1117" },    /* the background */
	{ ".bg", "stroke", "#d0d7de", "#3d444d" },  /* its border */
	{ ".g", "stroke", "#d0d7de", "#30363d" },   /* the lines at addresses */
	{ "path", "stroke", "#ffffff", "#0d1117" }, /* borders of shapes */
	{ ".k", "fill", "#cf222e", "#c4303a" },     /* marks */
	{ ".t0", "fill", "#ffffff", "#0d1117" },    /* types: unknown, */
	{ ".t0", "stroke", "#57606a", "#9198a1" },  /* with a border of dashes, */
	{ ".t1", "fill", "#7cc68d", "#1c6b38" },    /* usable, */
	{ ".t2", "fill", "#d0d7de", "#444c56" },    /* reserved, */
	{ ".t3", "fill", "#f2cc60", "#735500" },    /* ACPI data, */
	{ ".t4", "fill", "#c9a3e8", "#693d9c" },    /* ACPI NVS, */
	{ ".t5", "fill", "#f08880", "#a3302a" },    /* unusable, */
	{ ".t7", "fill", "#79b8ff", "#1f5ba8" },    /* persistent */
	{ ".t12", "fill", "#79b8ff", "#1f5ba8" },
	{ ".z0", "fill", "#fde0c5", "#4d3322" }, /* zones */
	{ ".z1", "fill", "#facba6", "#664026" },
	{ ".z2", "fill", "#f8b58b", "#804b26" },
	{ ".z3", "fill", "#f2a07a", "#8f4a32" },
	{ ".d0", "fill", "#d2ece6", "#1d443d" }, /* nodes */
	{ ".d1", "fill", "#9bd3c6", "#23594f" },
	{ ".d2", "fill", "#dfe3a8", "#4a4e1c" },
	{ ".d3", "fill", "#c6b9e6", "#473a6b" },
	{ ".m0", "fill", "#8c959f", "#7d8590" }, /* in use */
	{ ".p0", "fill", "#cf222e", "#c4303a" }, /* kernel */
	{ ".p1", "fill", "#8250df", "#8250df" }, /* mem_map */
	{ ".f0", "fill", "#d6ebff", "#16324f" }, /* free */
	{ ".f1", "fill", "#8cc4f7", "#174a7c" },
	{ ".f2", "fill", "#4a9ae8", "#1b62a8" },
};

static void draw_colours(bool dark)
{
	for (size_t i = 0; i < sizeof(colours) / sizeof(*colours); i++)
		svg_print(".fp-map%s%s{%s:%s}", *colours[i].what ? " " : "", colours[i].what,
			  colours[i].property, dark ? colours[i].dark : colours[i].light);
}

static void draw_style(void)
{
	svg_print("%s", style);
	draw_colours(false);
	svg_print("\n@media (prefers-color-scheme:dark){");
	draw_colours(true);
	svg_print("}</style>\n");
}

static const char *const effects[E820_WHAT_COUNT] = {
	[E820_OVERLAP] = "anything beats usable, then the higher type wins",
	[E820_DUPLICATE] = "counted once",
	[E820_ZERO_LENGTH] = "dropped",
	[E820_WRAP] = "cut at the last address; usable becomes reserved",
	[E820_UNKNOWN_TYPE] = "reserved",
	[E820_DISABLED] = "reserved",
	[E820_LEGACY_HOLE] = "reserved",
	[E820_UNSORTED] = "sorted",
};

/* The parts of the picture. Each is drawn with its top at y, and returns the y at which it ends. */

/* Returns the width of a line of text; the margin on the right is larger, for unusual fonts. */
static int text_width(void)
{
	return picture.width - 4 * PICTURE_MARGIN;
}

#define draw_line(y, class, ...) \
	svg_paragraph(PICTURE_MARGIN, y, text_width(), class, SVG_LINE, __VA_ARGS__)

static int draw_title(int y, const char *file, const char *failure)
{
	char usable[SVG_WORDS], free_words[SVG_WORDS], nodes[SVG_WORDS] = "";

	y = svg_paragraph(PICTURE_MARGIN, y, text_width(), "h", SVG_TITLE, "%s", file);
	if (failure)
		return draw_line(y, "b", "Does not boot: %s", failure);
	svg_bytes(usable, e820_bytes(&e820_map, E820_TYPE_RAM));
	svg_bytes(free_words, nr_free_pages() << PAGE_SHIFT);
	if (picture.nodes.nr)
		snprintf(nodes, sizeof(nodes), "; %u nodes", shown_nodes());
	y = draw_line(
	    y, "l", "%zu entries as given, %zu ranges after %u correction%s; %s usable, %s free%s",
	    picture.given.nr, picture.corrected.nr, e820_map.nr_corrections,
	    e820_map.nr_corrections == 1 ? "" : "s", usable, free_words, nodes);
	return sim_left_out ? draw_line(y, "b", "RAM beyond 64 TiB is left out") : y;
}

#define LEGEND_BOX  20 /* width of a box */
#define LEGEND_ROW  20
#define LEGEND_WORD (LEGEND_BOX + 5) /* from the box's left to the words */

/* Where the next item of the legend goes. */
struct legend {
	int x, y;
};

static void draw_item(struct legend *legend, const char *class, unsigned int number,
		      const char *letter, const char *words)
{
	int width = LEGEND_WORD + svg_width(words, SVG_LINE);

	if (legend->x > PICTURE_MARGIN && legend->x + width > picture.width - PICTURE_MARGIN) {
		legend->x = PICTURE_MARGIN;
		legend->y += LEGEND_ROW;
	}
	svg_print("<path class=\"%s%u\" d=\"M%d %dH%dv15H%d\"/>\n", class, number, legend->x,
		  legend->y, legend->x + LEGEND_BOX, legend->x);
	if (*letter)
		svg_label(legend->x + LEGEND_BOX / 2, legend->y + 8, NULL, letter);
	svg_paragraph(legend->x + LEGEND_WORD, legend->y, width, "l", SVG_LINE, "%s", words);
	legend->x += width + PICTURE_GAP;
}

static bool has_unknown_type(void)
{
	for (size_t i = 0; i < picture.given.nr; i++)
		if (!e820_type_name(picture.given.at[i].what))
			return true;
	return false;
}

static void draw_types(struct legend *legend)
{
	char words[2 * SVG_WORDS], size[SVG_WORDS];

	for (uint32_t type = 0; type <= E820_TYPE_PRAM; type++) {
		uint64_t bytes = e820_bytes(&e820_map, type);

		if (!bytes)
			continue;
		svg_bytes(size, bytes);
		snprintf(words, sizeof(words), "%s %s", e820_type_name(type), size);
		draw_item(legend, "t", type, picture_letter(type), words);
	}
	if (has_unknown_type())
		draw_item(legend, "t", 0, "?", "unknown type");
}

static int draw_legend(int y)
{
	struct legend legend = { .x = PICTURE_MARGIN, .y = y };
	char words[2 * SVG_WORDS], size[SVG_WORDS];

	draw_types(&legend);
	if (picture.booted) {
		svg_bytes(size, sim_mem_map_bytes);
		snprintf(words, sizeof(words), "mem_map %s", size);
		draw_item(&legend, "p", PLACE_KERNEL, "", "kernel");
		draw_item(&legend, "p", PLACE_MEM_MAP, "", words);
		draw_item(&legend, "m", 0, "", "other, in use");
		draw_item(&legend, "f", 1, "", "free: size of the largest block");
	}
	return legend.y + LEGEND_ROW;
}

static int draw_corrections(int y)
{
	if (!picture.marks.nr)
		return y;
	y = draw_line(y + PICTURE_GAP, "l", "%u correction%s%s", e820_map.nr_corrections,
		      e820_map.nr_corrections == 1 ? "" : "s",
		      e820_map.nr_corrections > picture.marks.nr ? ", of which the first are:"
								 : "");
	for (size_t i = 0; i < picture.marks.nr; i++) {
		const struct e820_correction *c = &e820_map.corrections[i];
		const struct span *s = &picture.marks.at[i];
		char range[SVG_WORDS];

		svg_range(range, s->first, s->last, s->empty);
		strchr(range, ']')[1] = '\0'; /* without the size, most are a line */
		y = draw_line(y, "l", "%zu. entry %u, %s %s: %s", i + 1, c->entry,
			      e820_what_name(c->what), range, effects[c->what]);
	}
	return y;
}

static int draw_node_corrections(int y)
{
	char text[NUMA_CORRECTION_TEXT];

	if (!picture.booted || !listed_node_corrections())
		return y;
	y = draw_line(y + PICTURE_GAP, "l", "%u correction%s of the nodes%s", nr_node_corrections(),
		      nr_node_corrections() == 1 ? "" : "s",
		      nr_node_corrections() > NUMA_MAX_CORRECTIONS ? ", of which the first are:"
								   : "");
	for (uint32_t i = 0; i < listed_node_corrections(); i++)
		y = draw_line(y, "l", "%s", numa_correction_text(&numa_map->corrections[i], text));
	return y;
}

/* The table has a row for the names of the zones, one for their RAM, and one for each order. */
#define TABLE_COLUMN 64
#define TABLE_ROW    16
#define MOST_COLUMNS 6 /* of zones, beside one for the sizes: the least width holds so many */

struct column {
	char node[SVG_WORDS], zone[SVG_WORDS];
	uint64_t ram, counts[NR_ORDERS];
};

static void add_zone(struct column *column, const struct zone *z)
{
	uint64_t counts[NR_ORDERS];

	zone_free_blocks(z, counts);
	for (unsigned int k = 0; k < NR_ORDERS; k++)
		column->counts[k] += counts[k];
	column->ram += PFN_PHYS(z->present);
}

/* Fills columns, the last one with the sum of all zones that have no column of their own. */
static unsigned int fill_columns(struct column columns[MOST_COLUMNS])
{
	unsigned int zones = 0, nr = 0;

	for_each_zone(z)
		zones++;
	for_each_zone(z) {
		struct column *column = &columns[nr < MOST_COLUMNS ? nr : MOST_COLUMNS - 1];

		add_zone(column, z);
		nr++;
		snprintf(column->zone, SVG_WORDS, "%s", z->name);
		if (shown_nodes() > 1)
			snprintf(column->node, SVG_WORDS, "node %d", z->node);
	}
	if (zones <= MOST_COLUMNS)
		return zones;
	snprintf(columns[MOST_COLUMNS - 1].node, SVG_WORDS, "%u other", zones - (MOST_COLUMNS - 1));
	snprintf(columns[MOST_COLUMNS - 1].zone, SVG_WORDS, "zones");
	return MOST_COLUMNS;
}

/* Draws the sizes of blocks, on the shades that the lane of free ranges uses. */
static void draw_orders(int y)
{
	int right = PICTURE_MARGIN + TABLE_COLUMN;
	char size[SVG_WORDS];

	for (unsigned int k = 0; k < NR_ORDERS; k++)
		svg_print("<path class=\"f%u\" d=\"M%d %dH%dv%dH%d\"/>\n", picture_shade(k),
			  PICTURE_MARGIN, y + (int)k * TABLE_ROW, right, TABLE_ROW, PICTURE_MARGIN);
	for (unsigned int k = 0; k < NR_ORDERS; k++) {
		svg_bytes(size, PAGE_SIZE << k);
		svg_label(right - 4, y + (int)k * TABLE_ROW + TABLE_ROW / 2, "e", size);
	}
}

static void draw_column(const struct column *column, int right, int y)
{
	char words[SVG_WORDS];

	svg_label(right, y + TABLE_ROW / 2, "n", column->node);
	svg_label(right, y + TABLE_ROW + TABLE_ROW / 2, "n", column->zone);
	svg_bytes(words, column->ram);
	svg_label(right, y + 2 * TABLE_ROW + TABLE_ROW / 2, "e", words);
	for (unsigned int k = 0; k < NR_ORDERS; k++) {
		snprintf(words, sizeof(words), "%llu", ULL(column->counts[k]));
		if (column->counts[k])
			svg_label(right, y + (int)(3 + k) * TABLE_ROW + TABLE_ROW / 2, "e", words);
	}
}

static int draw_table(int y)
{
	struct column columns[MOST_COLUMNS] = { 0 };
	unsigned int nr;

	if (!picture.booted)
		return y;
	nr = fill_columns(columns);
	y = draw_line(y + PICTURE_GAP, "l",
		      "Free blocks by size, each in the largest that it is part of");
	if (!*columns[0].node)
		y -= TABLE_ROW;
	svg_label(PICTURE_MARGIN + TABLE_COLUMN - 4, y + 2 * TABLE_ROW + TABLE_ROW / 2, "n", "RAM");
	draw_orders(y + 3 * TABLE_ROW);
	for (unsigned int i = 0; i < nr; i++)
		draw_column(&columns[i], PICTURE_MARGIN + (int)(i + 2) * TABLE_COLUMN, y);
	return y + (int)(3 + NR_ORDERS) * TABLE_ROW;
}

/* Draws everything; returns the height of the picture. */
static int draw(const struct mapfile *map, const char *file, const char *failure)
{
	int y = draw_title(PICTURE_GAP, file, failure);

	y = draw_legend(y + PICTURE_GAP);
	y = lanes_draw(map, y + PICTURE_GAP);
	y = draw_corrections(y);
	y = draw_node_corrections(y);
	return draw_table(y) + PICTURE_GAP;
}

void replay_svg(const char *name, const struct mapfile *map, const struct e820_taken *kernel,
		const char *failure)
{
	const char *file = strrchr(name, '/');
	int height;

	file = !strcmp(name, "-") ? "standard input" : file ? file + 1 : name;
	picture_collect(map, kernel);
	lanes_place();
	svg_silence(true);
	height = draw(map, file, failure);
	svg_silence(false);
	svg_print("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"fp-map\" role=\"img\" "
		  "width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n<title>Memory map ",
		  picture.width, height, picture.width, height);
	svg_print_escaped(file);
	svg_print("</title>\n<desc>As the firmware gave it, as corrected, and its use.</desc>\n");
	draw_style();
	svg_print("<rect class=\"bg\" width=\"100%%\" height=\"100%%\" rx=\"8\"/>\n");
	draw(map, file, failure);
	svg_print("</svg>\n");
}
