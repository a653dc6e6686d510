/*
 * test_picture.c: tests the picture of memory (kernel/picture/) on simulated machines.
 *
 * Whole screens are compared with tests/screens/NAME.txt; `test_picture NAME` prints a screen as it
 * is now. The counts of a cell are compared with the page state of each of its frames. Every key is
 * tested for what it must leave unchanged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/paging.h"
#include "kernel/picture/words.h"
#include "mm/hotplug.h"
#include "mm/memblock.h"
#include "mm/page_state.h"
#include "mm/zone.h"
#include "tests/host/sim/pieces.h"
#include "tests/host/sim/sim.h"
#include "tools/replay/mapfile.h"

#define SCREEN_TEXT ((SCREEN_MAX_COLUMNS + 1) * SCREEN_MAX_ROWS + 1)

static struct mapfile map;
static struct e820_taken kernel;
static struct screen screen;
static struct picture_words words;

/* Tells the picture where mem_map lies. */
static void find_mem_map(void)
{
	picture_cells_init(PFN_DOWN(kernel.base), PFN_UP(kernel.base + kernel.size));
}

static void boot(void)
{
	hotplug_work.size = 0;
	struct sim_options options = { .dirty = true,
				       .kernel_size = 0x60000,
				       .seed = 77,
				       .nodes = map.nodes,
				       .nr_nodes = map.nr_nodes };
	const char *error = "";

	if (sim_boot(map.entries, map.nr, &options, &kernel, &error))
		fail_msg("%s", error);
	find_mem_map();
}

static void boot_of(const struct piece *pieces, size_t nr)
{
	map.nr = (uint32_t)nr;
	map.nr_nodes = 0;
	for (size_t i = 0; i < nr; i++)
		map.entries[i] =
		    (struct e820_entry){ pieces[i].base, pieces[i].size, pieces[i].type, 0, 20, 0 };
	boot();
}

static void boot_file(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "tests/e820/%s.map", name);
	assert_true(mapfile_read(&map, path));
	boot();
}

/* Boots a map file's text, which may have node lines. */
static void boot_text(const char *text)
{
	assert_int_equal(mapfile_parse(&map, text, strlen(text), 0), 0);
	boot();
}

/* Screens. */

static void boot_128m(void)
{
	boot_of(plain_128m, 2);
}

static void boot_holes(void)
{
	boot_of(holes_64m, 7);
}

/* Boots, allocates everything, and frees every fourth block, and in one GiB every fourth frame. */
static void boot_used(void)
{
	struct page *page;

	boot_of(islands_6g, 4);
	for (unsigned int i = 0; (page = alloc_pages(GFP_KERNEL, BLOCK_ORDER)); i++)
		set_page_private(page, i);
	for (pfn_t pfn = 0; pfn < picture_end_pfn(); pfn += BLOCK_FRAMES) {
		struct page *head = page_head(pfn);

		if (head && page_private(head) % 4 == 0)
			__free_pages(head, BLOCK_ORDER);
	}
	drain_all_pages(); /* as the kernel does before it draws */
}

static void boot_islands(void)
{
	boot_file("it91smub-32tib-space");
}

static void boot_surface(void)
{
	boot_file("surface-pro-7");
}

/* Each node has memory below and above 4 GiB. */
static void boot_nodes(void)
{
	boot_text("0 0x9fc00 1\n0x100000 0x7ff00000 1\n0x100000000 0x80000000 1\n"
		  "node 0 0 0x40000000\nnode 1 0x40000000 0x40000000\n"
		  "node 0 0x100000000 0x40000000\nnode 1 0x140000000 0x40000000\n");
}

/* Nodes 0 and 1 take turns every 4 MiB as far as 64 MiB; the rest is node 10's and, at its end,
 * 1's. */
static void boot_interleaved(void)
{
	char text[1024];
	int length = snprintf(text, sizeof(text), "0 0x9fc00 1\n0x100000 0x7f00000 1\n");

	for (int i = 0; i < 16; i++)
		length += snprintf(text + length, sizeof(text) - (size_t)length,
				   "node %d %#x 0x400000\n", i % 2, i * 0x400000);
	snprintf(text + length, sizeof(text) - (size_t)length,
		 "node 10 0x4000000 0x3c00000\nnode 1 0x7c00000 0x400000\n");
	boot_text(text);
}

/* Rows of one node, then rows of two, whose numbers have no room beside 64 cells. */
static void boot_many(void)
{
	char text[1024];
	int length = snprintf(text, sizeof(text),
			      "0 0x9fc00 1\n0x100000 0xbff00000 1\n0x100000000 0x800000000 1\n"
			      "node 0 0 0x200000000\nnode 1 0x200000000 0x200000000\n"
			      "node 2 0x800000000 0x100000000\n");

	for (unsigned int i = 2; i < 10; i++)
		length += snprintf(text + length, sizeof(text) - (size_t)length,
				   "node %u %#llx 0x80000000\n", i, 2 * GIB * (i + 6));
	boot_text(text);
}

/*
 * Adds a DIMM of 1 GiB, uses half of it, and is about to add one of 512 MiB, a part of whose GiB is
 * missing. Its node is new.
 */
static void boot_adding(void)
{
	static const struct piece pieces[] = { { 0, 0x9fc00, 1 }, { MIB, 2 * GIB - MIB, 1 } };

	boot_of(pieces, 2);
	assert_int_equal(memory_hotplug_init(), 0);
	assert_int_equal(add_memory(0, 4 * GIB, GIB), 0);
	find_mem_map();
	while (nr_free_pages() > 64 * BLOCK_FRAMES)
		assert_non_null(alloc_pages(GFP_KERNEL, BLOCK_ORDER));
	drain_all_pages();
	hotplug_work = (struct hotplug_work){ 6 * GIB, GIB / 2, false };
}

static void boot_added(void)
{
	boot_adding();
	assert_int_equal(add_memory(1, 6 * GIB, GIB / 2), 0);
	assert_int_equal(hotplug_work.size, 0);
	find_mem_map();
}

static void boot_leaving(void)
{
	boot_added();
	hotplug_work = (struct hotplug_work){ 6 * GIB, GIB / 2, true };
}

static void boot_stays(void)
{
	boot_added();
	assert_int_equal(offline_and_remove_memory(6 * GIB, GIB / 2), 0);
	assert_int_equal(offline_and_remove_memory(4 * GIB, GIB), -EBUSY);
	find_mem_map();
}

static const struct shown {
	const char *name;
	void (*boot)(void);
	unsigned int columns, rows;
	pfn_t pfn;
	unsigned int order;
} shown[] = {
	{ "128m", boot_128m, 80, 25, 0, PICTURE_WHOLE },
	{ "holes-64m", boot_holes, 80, 25, 0, PICTURE_WHOLE },
	{ "holes-64m-frames", boot_holes, 80, 25, 0x1a00, 0 },
	{ "used-6g", boot_used, 80, 25, 0, PICTURE_WHOLE },
	{ "used-6g-blocks", boot_used, 80, 25, 0x1c0400, 9 },
	{ "used-6g-frame", boot_used, 80, 25, 0x1c0405, 0 },
	{ "used-6g-wide", boot_used, 160, 50, 0x1c0400, PICTURE_WHOLE },
	{ "used-6g-small", boot_used, 40, 16, 0x1c0400, 9 },
	{ "islands-32t", boot_islands, 80, 25, 0, PICTURE_WHOLE },
	{ "surface-pro-7", boot_surface, 80, 25, 0, PICTURE_WHOLE },
	{ "nodes", boot_nodes, 80, 25, 0x140000, PICTURE_WHOLE },
	{ "nodes-interleaved", boot_interleaved, 80, 25, 0x800, PICTURE_WHOLE },
	{ "nodes-many", boot_many, 80, 25, 0x400000, PICTURE_WHOLE },
	{ "nodes-interleaved-small", boot_interleaved, 40, 16, 0, PICTURE_WHOLE },
	{ "adding", boot_adding, 80, 25, 0x180000, PICTURE_WHOLE },
	{ "added", boot_added, 80, 25, 0x180000, PICTURE_WHOLE },
	{ "leaving", boot_leaving, 80, 25, 0x180000, PICTURE_WHOLE },
	{ "leaving-small", boot_leaving, 40, 16, 0x180000, 15 },
	{ "stays", boot_stays, 80, 25, 0x100000, PICTURE_WHOLE },
};

static void draw(struct picture_view *view, enum picture_cursor cursor)
{
	struct picture_line under = picture_under_cursor(view);

	picture_describe(&words, under.start, under.end, map.entries, map.nr);
	picture_render(&screen, view, &words, "keys", cursor);
}

static void draw_shown(const struct shown *s)
{
	struct picture_view view = { .top = 0 };

	s->boot();
	screen_size(&screen, s->columns, s->rows);
	picture_view_fit(&view, &screen);
	picture_view_at(&view, s->pfn, s->order);
	draw(&view, CURSOR_SHOWN);
}

static void screen_text(char text[SCREEN_TEXT])
{
	for (unsigned int row = 0; row < screen.rows; row++) {
		unsigned int length = screen_line_length(&screen, row);

		assert_true(length < screen.columns);
		for (unsigned int i = 0; i < length; i++)
			*text++ = screen.cell[row][i].c;
		*text++ = '\n';
	}
	*text = '\0';
}

static void screens_are_as_expected(void **state)
{
	static char expected[SCREEN_TEXT], text[SCREEN_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		char path[128];
		FILE *file;

		snprintf(path, sizeof(path), "tests/screens/%s.txt", shown[i].name);
		file = fopen(path, "r");
		assert_non_null(file);
		expected[fread(expected, 1, sizeof(expected) - 1, file)] = '\0';
		fclose(file);
		draw_shown(&shown[i]);
		screen_text(text);
		if (strcmp(text, expected) != 0)
			fail_msg("the screen differs from %s:\n%s", path, text);
	}
}

/* Colours and the cursor. */

static void each_kind_has_its_own_character(void **state)
{
	bool seen[256] = { false };

	(void)state;
	for (unsigned int kind = 0; kind < NR_KINDS; kind++) {
		struct picture_cell cell = { .frames = { 0 } };
		struct screen_cell look;

		cell.frames[kind] = 3;
		look = picture_cell_look(&cell);

		assert_false(seen[(unsigned char)look.c]);
		assert_int_not_equal(look.attribute & 0xf, look.attribute >> 4);
		seen[(unsigned char)look.c] = true;
	}
	for (int c = '1'; c <= '9'; c++)
		assert_false(seen[c]);
}

static void a_shade_says_tenths(void **state)
{
	static const struct {
		uint64_t used, nr_free;
		char c;
	} cases[] = { { 0, 1000, '.' }, { 1, 999, '1' },  { 199, 801, '1' },     { 200, 800, '2' },
		      { 999, 1, '9' },  { 1000, 0, '#' }, { 1, 1ull << 33, '1' } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct picture_cell cell = {
			.frames = { [KIND_USED] = cases[i].used, [KIND_FREE] = cases[i].nr_free }
		};

		assert_int_equal(picture_cell_look(&cell).c, cases[i].c);
		cell.frames[KIND_RESERVED] = 1;
		assert_int_equal(picture_cell_look(&cell).c, cases[i].c);
		cell.frames[KIND_KERNEL] = 1;
		assert_int_equal(picture_cell_look(&cell).c, 'K');
	}
}

/* The cursor changes exactly one cell, the one at which the screen says it is. */
static void the_cursor_is_one_cell(void **state)
{
	static struct screen without;
	struct picture_view view = { .top = 0 };
	unsigned int differences = 0;

	(void)state;
	boot_holes();
	screen_size(&screen, 80, 25);
	picture_view_fit(&view, &screen);
	picture_view_at(&view, 0x1a00, 0);
	draw(&view, CURSOR_HIDDEN);
	without = screen;
	draw(&view, CURSOR_SHOWN);
	for (unsigned int row = 0; row < screen.rows; row++)
		for (unsigned int column = 0; column < screen.columns; column++) {
			assert_int_equal(screen.cell[row][column].c, without.cell[row][column].c);
			if (screen.cell[row][column].attribute ==
			    without.cell[row][column].attribute)
				continue;
			differences++;
			assert_int_equal(row, screen.cursor_row);
			assert_int_equal(column, screen.cursor_column);
		}
	assert_int_equal(differences, 1);
}

static void sizes_are_cut_to_what_is_possible(void **state)
{
	struct picture_view view;

	(void)state;
	screen_size(&screen, 1, 1);
	assert_int_equal(screen.columns, SCREEN_MIN_COLUMNS);
	assert_int_equal(screen.rows, SCREEN_MIN_ROWS);
	picture_view_fit(&view, &screen);
	assert_int_equal(view.columns, 16);
	screen_size(&screen, 80, 24);
	assert_int_equal(screen.rows, 24);
	picture_view_fit(&view, &screen);
	assert_int_equal(view.columns, 64);
	screen_size(&screen, 5000, 5000);
	assert_int_equal(screen.columns, SCREEN_MAX_COLUMNS);
	assert_int_equal(screen.rows, SCREEN_MAX_ROWS);
	picture_view_fit(&view, &screen);
	assert_int_equal(view.columns, 128);
}

/* Counts, compared with those of single frames. */

static bool is_mem_map(pfn_t wanted)
{
	unsigned long start, end;
	int i;

	for_each_mem_pfn_range(i, NUMA_NO_NODE, &start, &end, NULL)
		for (pfn_t pfn = start & ~255ul; pfn < end; pfn += 256) {
			struct paging_leaf leaf;

			assert_true(paging_walk((uintptr_t)pfn_to_page(pfn), &leaf));
			if (PFN_DOWN(leaf.phys) == wanted)
				return true;
		}
	return false;
}

static enum picture_kind kind_of_other(pfn_t pfn)
{
	static const enum picture_kind kinds[] = { KIND_ABSENT, KIND_LEFT_OUT, KIND_FIRMWARE,
						   KIND_ACPI,   KIND_NVS,      KIND_UNUSABLE };
	enum picture_kind kind = KIND_ABSENT;

	for (uint32_t i = 0; i < e820_map.nr_ranges; i++) {
		const struct e820_range *r = &e820_map.ranges[i];

		if (PFN_DOWN(r->base) > pfn || PFN_DOWN(r->base + r->size - 1) < pfn)
			continue;
		if (kind == KIND_ABSENT || kind == KIND_LEFT_OUT)
			kind = kinds[r->type];
	}
	return kind;
}

static enum picture_kind kind_of_frame(pfn_t pfn)
{
	if (!pfn_valid(pfn))
		return kind_of_other(pfn);
	switch (page_state(pfn)) {
	case PAGE_FREE:
		return KIND_FREE;
	case PAGE_ALLOCATED:
		return KIND_USED;
	default:
		break;
	}
	if (pfn >= PFN_DOWN(kernel.base) && pfn < PFN_UP(kernel.base + kernel.size))
		return KIND_KERNEL;
	return is_mem_map(pfn) ? KIND_MEM_MAP : KIND_RESERVED;
}

/* Demands that the counts of ranges of all lengths are those of their frames. */
static void check_counts(void)
{
	struct picture_cell cell;
	pfn_t end, step;

	for (pfn_t pfn = 0; pfn < picture_end_pfn(); pfn = end) {
		struct picture_cell own = { .frames = { 0 } };

		step = (pfn_t)random() % 700 + 1;
		end = pfn + step < picture_end_pfn() ? pfn + step : picture_end_pfn();
		for (pfn_t frame = pfn; frame < end; frame++)
			own.frames[kind_of_frame(frame)]++;
		picture_count(pfn, end, &cell);
		assert_memory_equal(&cell, &own, sizeof(cell));
	}
}

static void counts_are_those_of_the_frames(void **state)
{
	static const struct piece pieces[] = {
		{ 0, 0x9fc00, 1 },
		{ MIB, 14 * MIB, 1 },
		{ 15 * MIB, 0x1800, 4 },
		{ 15 * MIB + 0x1800, 0x900, 3 },
		{ 16 * MIB, 0x5000, 5 },
		{ 16 * MIB + 0x5800, 9 * MIB, 1 },
		{ 25 * MIB + 0x8000, 2 * MIB, 1 }, /* its first descriptors share a page */
		{ 40 * MIB + 0x800, 0x400, 1 },
		{ 41 * MIB, 0x800, 2 },
	};

	(void)state;
	boot_of(pieces, sizeof(pieces) / sizeof(pieces[0]));
	srandom(5);
	for (unsigned int i = 0; i < 400; i++) {
		struct page *page = alloc_pages(GFP_KERNEL, (unsigned int)random() % 6);

		if (page && random() % 2)
			__free_pages(page, page_order(page));
	}
	drain_caches();
	check_counts();
}

/* Counts are right when memory was added, and when it has left; before that it is all one kind. */
static void counts_follow_added_memory(void **state)
{
	struct picture_cell cell;
	pfn_t end;

	(void)state;
	boot_128m();
	end = picture_end_pfn();
	assert_int_equal(memory_hotplug_init(), 0);
	assert_int_equal(add_memory(0, 160 * MIB, 4 * MIB), 0);
	find_mem_map();
	drain_caches();
	assert_int_equal(picture_end_pfn(), PFN_DOWN(164 * MIB));
	check_counts();
	picture_count(PFN_DOWN(160 * MIB), PFN_DOWN(164 * MIB), &cell);
	assert_int_equal(cell.frames[KIND_MEM_MAP], 4);
	hotplug_work = (struct hotplug_work){ 160 * MIB, 4 * MIB, true };
	picture_count(PFN_DOWN(159 * MIB), PFN_DOWN(164 * MIB), &cell);
	assert_int_equal(cell.frames[KIND_ABSENT], 256);
	assert_int_equal(cell.frames[KIND_LEAVING], 1024);
	assert_int_equal(offline_and_remove_memory(160 * MIB, 4 * MIB), 0);
	find_mem_map();
	assert_int_equal(picture_end_pfn(), end);
	check_counts();
	hotplug_work = (struct hotplug_work){ 160 * MIB, 4 * MIB, false };
	assert_int_equal(picture_end_pfn(), PFN_DOWN(164 * MIB));
	picture_count(PFN_DOWN(159 * MIB), PFN_DOWN(164 * MIB), &cell);
	assert_int_equal(cell.frames[KIND_ADDING], 1024);
	hotplug_work.size = 0;
}

/* Keys. */

/* Demands that the lines of the picture follow one another, and that each frame is in its line. */
static void check_lines(const struct picture_view *view)
{
	for (pfn_t pfn = 0; pfn < picture_end_pfn();) {
		struct picture_line line = picture_line_at(view, pfn);
		struct picture_line last = picture_line_at(view, line.end - 1);

		assert_int_equal(line.start, pfn);
		assert_true(line.end > pfn);
		assert_int_equal(last.start, line.start);
		assert_int_equal(last.end, line.end);
		assert_true(line.fold || line.end - line.start <= (pfn_t)view->columns
								      << view->order);
		pfn = line.end;
	}
}

static void check_view(const struct picture_view *view)
{
	struct picture_line under = picture_under_cursor(view);
	pfn_t end = view->top;

	assert_int_equal(picture_line_at(view, view->top).start, view->top);
	for (unsigned int i = 0; i < view->rows && end < picture_end_pfn(); i++)
		end = picture_line_at(view, end).end;
	assert_in_range(view->cursor, view->top, end - 1);
	assert_int_equal(under.start, view->cursor);
	assert_true(under.end > under.start && under.end <= picture_end_pfn());
}

static void every_key_keeps_the_cursor_in_sight(void **state)
{
	struct picture_view view = { .top = 0 };

	(void)state;
	boot_islands();
	screen_size(&screen, 80, 25);
	picture_view_fit(&view, &screen);
	picture_view_at(&view, 0, PICTURE_WHOLE);
	check_lines(&view);
	srandom(7);
	for (unsigned int i = 0; i < 20000; i++) {
		if (random() % 8 == 0)
			picture_view_at(&view, view.cursor, (unsigned int)random() % 34);
		else
			picture_move(&view, (enum picture_move)(random() % (MOVE_LAST + 1)));
		check_view(&view);
	}
	picture_view_at(&view, 0, PICTURE_WHOLE);
	assert_int_equal(view.top, 0);
}

static void right_goes_everywhere_and_left_back(void **state)
{
	struct picture_view view = { .top = 0 };
	unsigned int steps = 0;

	(void)state;
	boot_surface();
	screen_size(&screen, 80, 25);
	picture_view_fit(&view, &screen);
	picture_view_at(&view, 0, PICTURE_WHOLE);
	for (pfn_t before = MM_MAX_PFN; before != view.cursor; steps++) {
		before = view.cursor;
		picture_move(&view, MOVE_RIGHT);
		assert_true(view.cursor == before || view.cursor > before);
	}
	assert_int_equal(picture_under_cursor(&view).end, picture_end_pfn());
	for (steps--; steps > 0; steps--)
		picture_move(&view, MOVE_LEFT);
	assert_int_equal(view.cursor, 0);
}

/* Moving down over a fold and up again ends in the same column. */
static void folds_do_not_lose_the_column(void **state)
{
	static const struct piece pieces[] = { { 0, 0x9f000, 1 },
					       { MIB, 127 * MIB, 1 },
					       { 4 * GIB, GIB, 1 } };
	struct picture_view view = { .top = 0 };
	pfn_t start;

	(void)state;
	boot_of(pieces, 3);
	screen_size(&screen, 80, 25);
	picture_view_fit(&view, &screen);
	picture_view_at(&view, 0x7000, 6);
	for (unsigned int i = 0; i < 5; i++)
		picture_move(&view, MOVE_RIGHT);
	start = view.cursor;
	picture_move(&view, MOVE_DOWN);
	assert_true(picture_under_cursor(&view).fold);
	picture_move(&view, MOVE_DOWN);
	assert_int_equal(view.cursor, (1 << 20) + 5 * 64);
	picture_move(&view, MOVE_UP);
	picture_move(&view, MOVE_UP);
	assert_int_equal(view.cursor, start);
}

static int show(const char *name)
{
	static char text[SCREEN_TEXT];

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		if (!strcmp(shown[i].name, name)) {
			draw_shown(&shown[i]);
			screen_text(text);
			fputs(text, stdout);
			return 0;
		}
	fprintf(stderr, "there is no screen %s\n", name);
	return 2;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(screens_are_as_expected),
		cmocka_unit_test(each_kind_has_its_own_character),
		cmocka_unit_test(a_shade_says_tenths),
		cmocka_unit_test(the_cursor_is_one_cell),
		cmocka_unit_test(sizes_are_cut_to_what_is_possible),
		cmocka_unit_test(counts_are_those_of_the_frames),
		cmocka_unit_test(counts_follow_added_memory),
		cmocka_unit_test(every_key_keeps_the_cursor_in_sight),
		cmocka_unit_test(right_goes_everywhere_and_left_back),
		cmocka_unit_test(folds_do_not_lose_the_column),
	};

	if (argc == 2)
		return show(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
