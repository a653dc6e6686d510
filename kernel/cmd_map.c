/*
 * cmd_map.c: the picture of memory in the monitor.
 */
#include "kernel/boot_info.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/map_words.h"
#include "kernel/mm_setup.h"
#include "kernel/parse.h"
#include "lib/string.h"
#include "mm/gfp.h"

static struct screen screen;
static struct map_words words;

static void map_init(void)
{
	struct mm_image_part parts[MM_IMAGE_PARTS];
	unsigned int nr = mm_image_parts(parts);

	map_cells_init(PFN_DOWN(parts[0].base), PFN_UP(parts[nr - 1].end));
}

/* As lines, without what is of use at a keyboard only, and without empty lines in the grid. */
static void print_screen(void)
{
	for (unsigned int row = 0; row < screen.rows; row++) {
		unsigned int length = screen_line_length(&screen, row);
		char line[SCREEN_MAX_COLUMNS];

		for (unsigned int i = 0; i < length; i++)
			line[i] = screen.cell[row][i].c;
		if (length)
			console_printf("%.*s\n", (int)length, line);
	}
}

static int cmd_map(int argc, char **argv)
{
	struct map_view view = { .top = 0 };
	struct map_line under;
	uint64_t pfn = 0, order = 0;
	int arg = 1;

	if (arg < argc && !strcmp(argv[arg], "once"))
		arg++;
	if (argc - arg > 2 || (argc > arg && !parse_number(argv[arg], &pfn)) ||
	    (argc > arg + 1 && !parse_number(argv[arg + 1], &order)))
		return COMMAND_USAGE;
	map_init();
	drain_caches();
	screen_size(&screen, SCREEN_COLUMNS, SCREEN_ROWS);
	map_view_fit(&view, &screen);
	if (argc > arg)
		map_view_at(&view, pfn, (unsigned int)order);
	else
		map_view_whole(&view);
	under = map_under_cursor(&view);
	map_words(&words, under.start, under.end, boot_info.e820, boot_info.e820_count);
	map_render(&screen, &view, &words, "", false);
	print_screen();
	return 0;
}

const struct command map_commands[] = {
	{ "map", "[once] [PFN [ORDER]]", "picture of memory; from PFN on, a cell 2^ORDER frames",
	  cmd_map, false },
	{ NULL, NULL, NULL, NULL, false },
};
