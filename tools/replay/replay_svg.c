/*
 * replay_svg.c: what surrounds the lanes (lanes.c): the title and the style sheet, and below the
 * lanes the corrections in words, a table of the free blocks by size, and the legend.
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

static const char style[] =
    "<style>svg{font:10px system-ui,sans-serif;text-anchor:middle;fill:#1f2328}"
    ".h,.l,.b{font-size:12px;text-anchor:start}.h{font-size:20px;font-weight:600}.b{fill:#a40e26}"
    ".n{font-size:11px;text-anchor:end;fill:#57606a}.s{font-size:8px}"
    ".a{font:9.5px ui-monospace,monospace;text-anchor:end}"
    ".w,.c{font-size:8px;fill:#fff}.c{font-weight:700}"
    "path{stroke:#fff;stroke-width:.7}.g{stroke:#d0d7de}"
    ".t1{fill:#7cc68d}.t2{fill:url(#r)}.t3{fill:#f2cc60}.t4{fill:#c9a3e8}.t5{fill:#e5534b}"
    ".t7,.t12{fill:#79b8ff}.t0{fill:#fff;stroke:#57606a;stroke-dasharray:2 2}"
    ".z0{fill:#fde0c5}.z1{fill:#facba6}.z2{fill:#f8b58b}"
    ".m0{fill:#8c959f}.p0{fill:#cf222e}.p1{fill:#8250df}"
    ".f0{fill:#d6ebff}.f1{fill:#8cc4f7}.f2{fill:#4a9ae8}.k{fill:#cf222e}</style>\n"
    "<defs><pattern id=\"r\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
    "patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"#d0d7de\"/>"
    "<rect width=\"2\" height=\"6\" fill=\"#bcc4cd\"/></pattern></defs>\n";

/* Of what one node alone does not have. */
static const char node_style[] = "<style>.d0{fill:#d2ece6}.d1{fill:#9bd3c6}.d2{fill:#dfe3a8}"
				 ".d3{fill:#c6b9e6}.z3{fill:#f2a07a}</style>\n";

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

/*
 * The parts below the lanes. Each has a function that returns its height, because the height
 * of the whole picture is printed first, and one that draws it at *y and adds that height to *y.
 */

static int corrections_height(void)
{
	return picture.marks.nr ? (int)(picture.marks.nr + 2) * PICTURE_LINE + 6 : 0;
}

static void draw_corrections(int *y)
{
	if (!picture.marks.nr)
		return;
	svg_text(PICTURE_LEFT, *y + PICTURE_LINE, "l", "%u correction%s%s", e820_map.nr_corrections,
		 e820_map.nr_corrections == 1 ? "" : "s",
		 e820_map.nr_corrections > picture.marks.nr ? ", of which the first are:" : "");
	for (size_t i = 0; i < picture.marks.nr; i++) {
		const struct e820_correction *c = &e820_map.corrections[i];
		const struct span *s = &picture.marks.at[i];
		int line = *y + (int)(i + 2) * PICTURE_LINE;
		char range[SVG_WORDS];

		svg_range(range, s->first, s->last, s->empty);
		svg_text(PICTURE_LEFT, line, "l", "%zu.", i + 1);
		svg_text(PICTURE_LEFT + 26, line, "l", "entry %u, %s %s: %s", c->entry,
			 e820_what_name(c->what), range, effects[c->what]);
	}
	*y += corrections_height();
}

static int node_corrections_height(void)
{
	uint32_t nr = picture.booted ? listed_node_corrections() : 0;

	return nr ? (int)(nr + 2) * PICTURE_LINE + 6 : 0;
}

static void draw_node_corrections(int *y)
{
	char text[NUMA_CORRECTION_TEXT];

	if (!node_corrections_height())
		return;
	svg_text(PICTURE_LEFT, *y + PICTURE_LINE, "l", "%u correction%s of the nodes%s",
		 nr_node_corrections(), nr_node_corrections() == 1 ? "" : "s",
		 nr_node_corrections() > NUMA_MAX_CORRECTIONS ? ", of which the first are:" : "");
	for (uint32_t i = 0; i < listed_node_corrections(); i++)
		svg_text(PICTURE_LEFT, *y + (int)(i + 2) * PICTURE_LINE, "l", "%s",
			 numa_correction_text(&numa_map->corrections[i], text));
	*y += node_corrections_height();
}

#define ORDER_PITCH ((PICTURE_RIGHT - PICTURE_LEFT) / NR_ORDERS)

static int table_height(void)
{
	int nr = 0;

	if (!picture.booted)
		return 0;
	for_each_zone(z)
		nr++;
	return (nr + 4) * PICTURE_LINE;
}

static int order_left(unsigned int order)
{
	return PICTURE_LEFT + (int)(order * ORDER_PITCH);
}

/* Draws the table's first row: the sizes, on the shades that the lane of free ranges uses. */
static void draw_orders(int y)
{
	unsigned int from = 0;

	for (unsigned int k = 1; k <= NR_ORDERS; k++) {
		if (k < NR_ORDERS && picture_shade(k) == picture_shade(from))
			continue;
		svg_print("<path class=\"f%u\" d=\"M%d %dH%dv%dH%d\"/>\n", picture_shade(from),
			  order_left(from), y - PICTURE_LINE + 4, order_left(k), PICTURE_LINE,
			  order_left(from));
		from = k;
	}
	for (unsigned int k = 0; k < NR_ORDERS; k++) {
		char size[SVG_WORDS];

		svg_bytes(size, PAGE_SIZE << k);
		svg_words(order_left(k) + (int)ORDER_PITCH / 2, y, NULL, size);
	}
}

static void draw_counts(const struct zone *z, int y)
{
	uint64_t counts[NR_ORDERS];
	char count[SVG_WORDS];

	zone_free_blocks(z, counts);
	if (shown_nodes() > 1)
		svg_text(PICTURE_LEFT - 8, y, "n", "node %d %s", z->node, z->name);
	else
		svg_text(PICTURE_LEFT - 8, y, "n", "%s", z->name);
	for (unsigned int k = 0; k < NR_ORDERS; k++) {
		snprintf(count, sizeof(count), "%llu", ULL(counts[k]));
		if (counts[k])
			svg_words(order_left(k) + (int)ORDER_PITCH / 2, y, NULL, count);
	}
}

static void draw_table(int *y)
{
	int line = *y + 3 * PICTURE_LINE + 6;

	if (!picture.booted)
		return;
	svg_text(PICTURE_LEFT, *y + PICTURE_LINE, "l",
		 "Free blocks by size, each in the largest that it is part of");
	draw_orders(*y + 2 * PICTURE_LINE + 4);
	for_each_zone(z) {
		draw_counts(z, line);
		line += PICTURE_LINE;
	}
	*y += table_height();
}

#define LEGEND_ROW    20
#define LEGEND_HEIGHT (3 * LEGEND_ROW + 10) /* many types take two rows */

struct legend {
	int nr;
	struct item {
		int x, y;
		char class[8];
		const char *letter;
		char words[2 * SVG_WORDS];
	} items[16];
	int x, y; /* where the next item goes */
};

static void add_item(struct legend *legend, const char *class, unsigned int number,
		     const char *letter, const char *words)
{
	struct item *item = &legend->items[legend->nr++];
	int width = 40 + 7 * (int)strlen(words);

	if (legend->x + width > PICTURE_RIGHT) {
		legend->x = PICTURE_LEFT;
		legend->y += LEGEND_ROW;
	}
	snprintf(item->class, sizeof(item->class), "%s%u", class, number);
	snprintf(item->words, sizeof(item->words), "%s", words);
	item->letter = letter;
	item->x = legend->x;
	item->y = legend->y;
	legend->x += width;
}

static bool has_unknown_type(void)
{
	for (size_t i = 0; i < picture.given.nr; i++)
		if (!e820_type_name(picture.given.at[i].what))
			return true;
	return false;
}

static void add_types(struct legend *legend)
{
	char words[2 * SVG_WORDS], size[SVG_WORDS];

	for (uint32_t type = 0; type <= E820_TYPE_PRAM; type++) {
		uint64_t bytes = e820_bytes(&e820_map, type);

		if (!bytes)
			continue;
		svg_bytes(size, bytes);
		snprintf(words, sizeof(words), "%s %s", e820_type_name(type), size);
		add_item(legend, "t", type, picture_letter(type), words);
	}
	if (has_unknown_type())
		add_item(legend, "t", 0, "?", "unknown type");
}

static void add_memory(struct legend *legend)
{
	char words[2 * SVG_WORDS], size[SVG_WORDS];

	svg_bytes(size, sim_mem_map_bytes);
	snprintf(words, sizeof(words), "mem_map %s", size);
	add_item(legend, "p", PLACE_KERNEL, "K", "kernel");
	add_item(legend, "p", PLACE_MEM_MAP, "M", words);
	add_item(legend, "m", 0, "", "other, in use");
}

static void draw_legend(int y)
{
	struct legend legend = { .x = PICTURE_LEFT, .y = y };

	add_types(&legend);
	legend.x = PICTURE_LEFT;
	legend.y += LEGEND_ROW;
	if (picture.booted)
		add_memory(&legend);
	for (const struct item *i = legend.items; i < legend.items + legend.nr; i++)
		svg_print("<path class=\"%s\" d=\"M%d %dh16v14h-16\"/>\n", i->class, i->x, i->y);
	for (const struct item *i = legend.items; i < legend.items + legend.nr; i++)
		if (*i->letter)
			svg_text(i->x + 8, i->y + 11, i->class[0] == 'p' ? "w" : NULL, "%s",
				 i->letter);
	for (const struct item *i = legend.items; i < legend.items + legend.nr; i++)
		svg_text(i->x + 21, i->y + 11, "l", "%s", i->words);
}

static void draw_head(const char *name, const char *failure)
{
	char usable[SVG_WORDS], free_words[SVG_WORDS], nodes[SVG_WORDS] = "";
	const char *file = strrchr(name, '/');
	uint64_t ram = e820_bytes(&e820_map, E820_TYPE_RAM);

	file = !strcmp(name, "-") ? "standard input" : file ? file + 1 : name;
	svg_print("<title>Memory map ");
	svg_print_escaped(file);
	svg_print("</title>\n<desc>As the firmware gave it, as corrected, and its use.</desc>\n%s"
		  "<rect width=\"100%%\" height=\"100%%\" rx=\"8\" fill=\"#fff\" "
		  "stroke=\"#d0d7de\"/>\n",
		  style);
	svg_text(PICTURE_LEFT, 30, "h", "%s", file);
	svg_text(PICTURE_RIGHT, 50, "n", "widths between addresses are logarithmic");
	if (failure) {
		svg_text(PICTURE_LEFT, 50, "b", "Does not boot: %s", failure);
		return;
	}
	if (sim_left_out)
		svg_text(PICTURE_LEFT + 620, 30, "b", "RAM beyond 64 TiB is left out");
	svg_bytes(usable, ram);
	svg_bytes(free_words, nr_free_pages() << PAGE_SHIFT);
	if (picture.nodes.nr)
		snprintf(nodes, sizeof(nodes), "; %u nodes", shown_nodes());
	svg_text(PICTURE_LEFT, 50, "l",
		 "%zu entries as given, %zu ranges after %u correction%s; %s usable, %s free%s",
		 picture.given.nr, picture.corrected.nr, e820_map.nr_corrections,
		 e820_map.nr_corrections == 1 ? "" : "s", usable, free_words, nodes);
}

void replay_svg(const char *name, const struct mapfile *map, const struct e820_taken *kernel,
		const char *failure)
{
	int y;

	picture_collect(map, kernel);
	y = lanes_place();
	svg_print("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 %d %d\">\n",
		  PICTURE_WIDTH,
		  y + corrections_height() + node_corrections_height() + table_height() +
		      LEGEND_HEIGHT);
	draw_head(name, failure);
	if (picture.nodes.nr)
		svg_print("%s", node_style);
	lanes_draw(map);
	draw_corrections(&y);
	draw_node_corrections(&y);
	draw_table(&y);
	draw_legend(y + 4);
	svg_print("</svg>\n");
}
