#include "kernel/picture/screen.h"

#include <stdarg.h>

#include "kernel/memory/steps.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/hotplug.h"
#include "mm/memblock.h"
#include "mm/numa.h"
#include "mm/zone.h"

#define GRID        1 /* the first row of the grid */
#define LEGEND_ROWS 3
#define ROWS_BELOW  (LEGEND_ROWS + PICTURE_WORDS + 1)
#define LABEL       12 /* digits of an address below 64 TiB */
#define GAP         1
#define ZONES       1 /* columns for the letters of zones, at least */

#define WHITE       ATTRIBUTE(15, 0)
#define CURSOR      ATTRIBUTE(0, 7)
#define SHADE_LIGHT ATTRIBUTE(11, 0)
#define SHADE_DARK  ATTRIBUTE(0, 3)
#define DARK_TENTHS 4 /* tenths in use from which on a cell is dark */
#define ALL_USED    ATTRIBUTE(15, 1)

static const struct screen_cell looks[NR_KINDS] = {
	[KIND_ABSENT] = { '-', ATTRIBUTE(8, 0) },
	[KIND_FIRMWARE] = { 'F', ATTRIBUTE(12, 0) },
	[KIND_ACPI] = { 'A', ATTRIBUTE(11, 0) },
	[KIND_NVS] = { 'V', ATTRIBUTE(13, 0) },
	[KIND_UNUSABLE] = { 'U', ATTRIBUTE(9, 0) },
	[KIND_PMEM] = { 'P', ATTRIBUTE(14, 0) },
	[KIND_LEFT_OUT] = { 'X', ATTRIBUTE(8, 0) },
	[KIND_ADDING] = { 'B', ATTRIBUTE(0, 2) },
	[KIND_LEAVING] = { 'L', ATTRIBUTE(11, 1) },
	[KIND_RESERVED] = { 'R', ATTRIBUTE(0, 6) },
	[KIND_KERNEL] = { 'K', ATTRIBUTE(15, 5) },
	[KIND_MEM_MAP] = { 'M', ATTRIBUTE(15, 4) },
	[KIND_USED] = { '#', ALL_USED },
	[KIND_FREE] = { '.', ATTRIBUTE(10, 0) },
};

static const char zone_letters[] = { 'D', '3', 'N', 'H' };

/* ---- text ---- */

static unsigned int clamp(unsigned int value, unsigned int least, unsigned int most)
{
	if (value < least)
		return least;
	return value < most ? value : most;
}

void screen_size(struct screen *screen, unsigned int columns, unsigned int rows)
{
	screen->columns = clamp(columns, SCREEN_MIN_COLUMNS, SCREEN_MAX_COLUMNS);
	screen->rows = clamp(rows, SCREEN_MIN_ROWS, SCREEN_MAX_ROWS);
}

static void clear(struct screen *screen)
{
	for (unsigned int row = 0; row < screen->rows; row++)
		for (unsigned int column = 0; column < screen->columns; column++)
			screen->cell[row][column] = (struct screen_cell){ ' ', ATTRIBUTE_PLAIN };
}

/*
 * Puts text on the screen, cut where it does not fit before the last column. Returns the column
 * after it.
 */
static unsigned int put(struct screen *screen, unsigned int row, unsigned int column,
			uint8_t attribute, const char *text)
{
	while (*text && column < screen->columns - 1)
		screen->cell[row][column++] = (struct screen_cell){ *text++, attribute };
	return column;
}

__attribute__((format(printf, 5, 6))) static unsigned int
print(struct screen *screen, unsigned int row, unsigned int column, uint8_t attribute,
      const char *fmt, ...)
{
	char text[SCREEN_MAX_COLUMNS];
	va_list ap;

	va_start(ap, fmt);
	fmt_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return put(screen, row, column, attribute, text);
}

unsigned int screen_line_length(const struct screen *screen, unsigned int row)
{
	unsigned int length = screen->columns;

	while (length > 0 && screen->cell[row][length - 1].c == ' ')
		length--;
	return length;
}

const char *picture_size_text(uint64_t frames, char text[SIZE_TEXT])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	uint64_t size = frames << (PAGE_SHIFT - 10), rest = 0;
	unsigned int unit = 0;

	for (; size >= 1024 && unit < 3; unit++) {
		rest = size % 1024;
		size /= 1024;
	}
	if (rest)
		fmt_snprintf(text, SIZE_TEXT, "%llu.%llu %s", ULL(size), ULL(rest * 10 / 1024),
			     units[unit]);
	else
		fmt_snprintf(text, SIZE_TEXT, "%llu %s", ULL(size), units[unit]);
	return text;
}

const char *picture_nodes_text(uint64_t nodes, char text[NODES_TEXT])
{
	const char *before = "";
	size_t length = 0;

	text[0] = '\0';
	for (unsigned int first = 0, last; nodes >> first; first = last + 1, before = ",") {
		first += (unsigned int)__builtin_ctzll(nodes >> first);
		for (last = first; nodes >> last >> 1 & 1;)
			last++;
		length +=
		    (size_t)fmt_snprintf(text + length, NODES_TEXT - length,
					 last > first ? "%s%u-%u" : "%s%u", before, first, last);
	}
	return text;
}

/* ---- cells ---- */

/*
 * Returns the look of a cell with frames in use and free ones: the tenths in use. Only a cell that
 * is all free or all in use looks so; one that is nearly free shows 1.
 */
static struct screen_cell shade(uint64_t used, uint64_t nr_free)
{
	uint64_t tenths = used * 10 / (used + nr_free);

	if (!used)
		return looks[KIND_FREE];
	if (!nr_free)
		return looks[KIND_USED];
	return (struct screen_cell){ (char)('0' + (tenths ? tenths : 1)),
				     tenths < DARK_TENTHS ? SHADE_LIGHT : SHADE_DARK };
}

struct screen_cell picture_cell_look(const struct picture_cell *cell)
{
	const uint64_t usable = cell->frames[KIND_USED] + cell->frames[KIND_FREE];
	unsigned int most = KIND_FIRMWARE;

	if (cell->frames[KIND_ADDING])
		return looks[KIND_ADDING];
	if (cell->frames[KIND_LEAVING])
		return looks[KIND_LEAVING];
	if (cell->frames[KIND_KERNEL])
		return looks[KIND_KERNEL];
	if (cell->frames[KIND_MEM_MAP])
		return looks[KIND_MEM_MAP];
	for (unsigned int kind = KIND_FIRMWARE; kind <= KIND_RESERVED; kind++)
		if (cell->frames[kind] > cell->frames[most])
			most = kind;
	if (usable && usable >= cell->frames[most])
		return shade(cell->frames[KIND_USED], cell->frames[KIND_FREE]);
	return looks[cell->frames[most] ? most : KIND_ABSENT];
}

/* ---- the parts ---- */

/* Returns the number of hexadecimal digits of the address of the frame before end. */
static unsigned int address_digits(pfn_t end)
{
	unsigned int digits = 1;

	for (phys_addr_t rest = PFN_PHYS(end) - 1; rest >>= 4;)
		digits++;
	return digits;
}

void picture_view_fit(struct picture_view *view, const struct screen *screen)
{
	unsigned int room = screen->columns - LABEL - 2 * GAP - ZONES - 1;

	/* With the digits that this machine needs, there is room for nodes beside most grids. */
	if (picture_has_nodes())
		room +=
		    LABEL - address_digits(picture_end_pfn()) - GAP - (nr_node_ids() > 10 ? 2 : 1);
	view->columns = 1;
	while (view->columns * 2 <= room)
		view->columns *= 2;
	view->rows = screen->rows - GRID - ROWS_BELOW;
}

static void render_title(struct screen *screen, const struct picture_view *view)
{
	char all[SIZE_TEXT], nr_free[SIZE_TEXT], cell[SIZE_TEXT], row[SIZE_TEXT];

	print(screen, 0, 0, WHITE, "%s of RAM, %s free; a cell is %s, %llu frame%s; a row %s",
	      picture_size_text(PFN_DOWN(memblock_phys_mem_size()), all),
	      picture_size_text(nr_free_pages(), nr_free),
	      picture_size_text((pfn_t)1 << view->order, cell), 1ull << view->order,
	      view->order ? "s" : "", picture_size_text((pfn_t)view->columns << view->order, row));
}

/* Writes the letters of the types of zones whose span has frames of the line. */
static void line_zones(const struct picture_line *line, char letters[MAX_NR_ZONES + 1])
{
	bool has[MAX_NR_ZONES] = { false };
	unsigned int nr = 0;

	for_each_zone(z)
		if (z->start_pfn < line->end && line->start < z->end_pfn)
			has[z->type] = true;
	for (unsigned int type = 0; type < MAX_NR_ZONES; type++)
		if (has[type])
			letters[nr++] = zone_letters[type];
	letters[nr] = '\0';
}

/*
 * Writes the nodes that have RAM in the line, or an asterisk for several when there is no room for
 * their numbers beside a letter and a blank.
 */
static void line_nodes(const struct picture_line *line, unsigned int room, char text[NODES_TEXT])
{
	picture_nodes_text(picture_nodes(line->start, line->end), text);
	if (strlen(text) + 2 > room)
		memcpy(text, "*", sizeof("*"));
}

/*
 * Puts the letters of the line's zones and the numbers of its nodes; the highest letters if there
 * is no room for all.
 */
static void render_margin(struct screen *screen, unsigned int row, unsigned int column,
			  const struct picture_line *line)
{
	unsigned int room = screen->columns - 1 - column;
	char letters[MAX_NR_ZONES + 1], nodes[NODES_TEXT] = "";
	unsigned int nr;

	line_zones(line, letters);
	if (picture_has_nodes())
		line_nodes(line, room, nodes);
	if (*nodes)
		room -= (unsigned int)strlen(nodes) + 1;
	nr = (unsigned int)strlen(letters);
	column = put(screen, row, column, ATTRIBUTE_PLAIN, letters + (nr > room ? nr - room : 0));
	if (*nodes)
		put(screen, row, column + 1, ATTRIBUTE_PLAIN, nodes);
}

static void render_fold(struct screen *screen, const struct picture_view *view, unsigned int row,
			unsigned int column, const struct picture_line *line,
			enum picture_cursor cursor)
{
	uint8_t attribute = looks[line->kind].attribute;
	char size[SIZE_TEXT];

	if (cursor == CURSOR_SHOWN && view->cursor == line->start)
		attribute = CURSOR;
	print(screen, row, column, attribute, "~ %s: %s ~", picture_kind_names[line->kind],
	      picture_size_text(line->end - line->start, size));
}

static void render_row(struct screen *screen, const struct picture_view *view, unsigned int row,
		       unsigned int column, const struct picture_line *line,
		       enum picture_cursor cursor)
{
	const pfn_t frames = (pfn_t)1 << view->order;
	struct picture_cell cell;

	for (pfn_t pfn = line->start; pfn < line->end; pfn += frames, column++) {
		struct screen_cell *to = &screen->cell[row][column];

		picture_count(pfn, pfn + frames < line->end ? pfn + frames : line->end, &cell);
		*to = picture_cell_look(&cell);
		if (cursor == CURSOR_SHOWN && view->cursor == pfn)
			to->attribute = CURSOR;
	}
}

/* Notes where on the screen the cursor is, if it is in this line. */
static void note_cursor(struct screen *screen, const struct picture_view *view, unsigned int row,
			unsigned int column, const struct picture_line *line)
{
	if (view->cursor < line->start || view->cursor >= line->end)
		return;
	screen->cursor_row = row;
	screen->cursor_column =
	    column + (unsigned int)((view->cursor - line->start) >> view->order);
}

/* Returns the number of digits of the last address on the screen; all: picture_end_pfn(). */
static unsigned int label_width(const struct picture_view *view, pfn_t all)
{
	pfn_t end = view->top;

	for (unsigned int i = 0; i < view->rows && end < all; i++)
		end = picture_line_at(view, end).end;
	return address_digits(end);
}

static void render_grid(struct screen *screen, const struct picture_view *view,
			enum picture_cursor cursor)
{
	const pfn_t all = picture_end_pfn();
	const unsigned int label = label_width(view, all);
	pfn_t pfn = view->top;

	for (unsigned int i = 0; i < view->rows && pfn < all; i++) {
		struct picture_line line = picture_line_at(view, pfn);
		unsigned int row = GRID + i, column = label + GAP;

		print(screen, row, 0, ATTRIBUTE_PLAIN, "%*llx", (int)label,
		      ULL(PFN_PHYS(line.start)));
		if (line.fold)
			render_fold(screen, view, row, column, &line, cursor);
		else
			render_row(screen, view, row, column, &line, cursor);
		note_cursor(screen, view, row, column, &line);
		if (!line.fold)
			render_margin(screen, row, column + view->columns + GAP, &line);
		pfn = line.end;
	}
}

#define LEGEND_STEP  13 /* columns for a character of the legend and its meaning */
#define LEGEND_KINDS 6  /* of a row */

/* Puts a kind's character and its name. Returns the column after them. */
static unsigned int put_kind(struct screen *screen, unsigned int row, unsigned int column,
			     enum picture_kind kind)
{
	const char mark[] = { looks[kind].c, '\0' };

	column = put(screen, row, column, looks[kind].attribute, mark);
	return put(screen, row, column + 1, ATTRIBUTE_PLAIN, picture_kind_names[kind]);
}

/*
 * Puts the last row of the legend: what is being added or removed, if anything is, and the tenths;
 * else these, and what stands on the right.
 */
static void render_last_legend(struct screen *screen, unsigned int row)
{
	const char *rest = " tenths in use, rest free; right: D DMA, 3 DMA32, N Normal, H Hotplug";
	unsigned int column = 0;

	if (hotplug_work.size) {
		column =
		    put_kind(screen, row, 0, hotplug_work.leaving ? KIND_LEAVING : KIND_ADDING);
		column = put(screen, row, column, ATTRIBUTE_PLAIN, "; ");
		rest = " tenths in use, rest free";
	} else if (picture_has_nodes()) {
		rest = " tenths in use; right: D DMA 3 DMA32 N Normal H Hotplug; nodes, * several";
	}
	column = put(screen, row, column, SHADE_LIGHT, "1");
	column = put(screen, row, column, ATTRIBUTE_PLAIN, " to ");
	column = put(screen, row, column, SHADE_DARK, "9");
	put(screen, row, column, ATTRIBUTE_PLAIN, rest);
}

static void render_legend(struct screen *screen, unsigned int row)
{
	static const enum picture_kind legend[2][LEGEND_KINDS] = {
		{ KIND_FREE, KIND_USED, KIND_KERNEL, KIND_MEM_MAP, KIND_RESERVED, KIND_LEFT_OUT },
		{ KIND_ABSENT, KIND_FIRMWARE, KIND_ACPI, KIND_NVS, KIND_UNUSABLE, KIND_PMEM },
	};

	for (unsigned int line = 0; line < 2; line++)
		for (unsigned int i = 0; i < LEGEND_KINDS; i++)
			put_kind(screen, row + line, LEGEND_STEP * i, legend[line][i]);
	render_last_legend(screen, row + 2);
}

void picture_render(struct screen *screen, const struct picture_view *view,
		    const struct picture_words *words, const char *keys, enum picture_cursor cursor)
{
	unsigned int row = GRID + view->rows;

	clear(screen);
	screen->cursor_row = 0;
	screen->cursor_column = 0;
	render_title(screen, view);
	render_grid(screen, view, cursor);
	render_legend(screen, row);
	row += LEGEND_ROWS;
	for (unsigned int i = 0; i < PICTURE_WORDS; i++)
		put(screen, row++, 0, WHITE, words->line[i]);
	put(screen, row, 0, ATTRIBUTE_PLAIN, keys);
}
