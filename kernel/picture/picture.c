/*
 * picture.c: how several screens show the picture.
 *
 * Keys act on the view of the first screen. The view of another screen, which may have another
 * size, gets the same cursor and the same scale; but while the first shows the whole machine the
 * other does so too, in the scale that its own size allows.
 */
#include "kernel/picture/picture.h"

#include "arch/x86_64/arch.h"
#include "kernel/boot_info.h"
#include "kernel/console/console.h"
#include "kernel/console/keys.h"
#include "kernel/memory/hotplug.h"
#include "kernel/memory/setup.h"
#include "kernel/picture/draw.h"
#include "kernel/picture/words.h"
#include "mm/gfp.h"

#define KEYS        "arrows Home End PgUp PgDn  + - Enter Backspace zoom  w whole  f frame  q quit"
#define WORK_KEYS   "arrows Home End PgUp PgDn  + - Enter Backspace zoom  w whole  q Ctrl-C end it"
#define DELETE_CHAR 0x7f
#define ROWS_LEFT   6  /* below a picture that stays, for text and the prompt */
#define STEP        1  /* of + and -, in orders */
#define LEAP        3  /* of Enter and Backspace: a cell becomes eight */
#define WORK_IDLES  10 /* calls of arch_idle(), 1/20 s at most, for memory that comes or goes */

static struct screen screen;
static struct picture_view views[DRAW_MAX_SCREENS];

/* For picture_poll(): what to show below, and whether the picture shows the whole machine. */
static const struct picture_words *poll_words;
static bool poll_whole;

/* Tells cells.c where the kernel's image lies. */
static void find_parts(void)
{
	struct mm_image_part parts[MM_IMAGE_PARTS];
	unsigned int nr = mm_image_parts(parts);

	picture_cells_init(PFN_DOWN(parts[0].base), PFN_UP(parts[nr - 1].end));
}

/* Draws view on `screen`. words may be NULL: then they describe what lies under the cursor. */
static void render(const struct picture_view *view, const struct picture_words *words,
		   const char *keys, enum picture_cursor cursor)
{
	static struct picture_words own;
	struct picture_line under = picture_under_cursor(view);

	drain_all_pages(); /* a frame in a frame cache would count as in use */
	if (!words)
		picture_describe(&own, under.start, under.end, boot_info.e820,
				 boot_info.e820_count);
	picture_render(&screen, view, words ? words : &own, keys, cursor);
}

/* Unlike a screen, the printed picture has no cursor, no list of keys and no empty lines. */
void picture_print(pfn_t pfn, unsigned int order, const struct picture_words *words)
{
	struct picture_view view = { .top = 0 };

	find_parts();
	screen_size(&screen, SCREEN_COLUMNS, SCREEN_ROWS);
	picture_view_fit(&view, &screen);
	picture_view_at(&view, pfn, order);
	render(&view, words, "", CURSOR_HIDDEN);
	for (unsigned int row = 0; row < screen.rows; row++) {
		unsigned int length = screen_line_length(&screen, row);
		char line[SCREEN_MAX_COLUMNS];

		for (unsigned int i = 0; i < length; i++)
			line[i] = screen.cell[row][i].c;
		if (length)
			console_printf("%.*s\n", (int)length, line);
	}
}

/*
 * Shows the same place on all screens. Sets the views of absent screens, too: keys act on the first
 * view even if the machine has no screen at all.
 */
static void go(pfn_t pfn, unsigned int order)
{
	for (size_t i = 0; i < DRAW_MAX_SCREENS; i++) {
		if (!draw_size(i, &screen))
			screen_size(&screen, SCREEN_COLUMNS, SCREEN_ROWS);
		picture_view_fit(&views[i], &screen);
		picture_view_at(&views[i], pfn, order);
	}
}

/* Makes the other views follow the first one. */
static void follow(void)
{
	const struct picture_view *first = &views[0];
	unsigned int order = picture_view_is_whole(first) ? PICTURE_WHOLE : first->order;

	for (size_t i = 1; i < DRAW_MAX_SCREENS; i++)
		picture_view_at(&views[i], first->cursor, order);
}

void picture_begin(pfn_t pfn, unsigned int order)
{
	find_parts();
	draw_begin();
	for (size_t i = 0; i < DRAW_MAX_SCREENS; i++)
		views[i].top = 0;
	go(pfn, order);
}

void picture_end(void)
{
	draw_end();
}

void picture_leave(const struct picture_words *words)
{
	const struct picture_view first = views[0];
	unsigned int order = picture_view_is_whole(&first) ? PICTURE_WHOLE : first.order;

	draw_again();
	for (size_t i = 0; draw_size(i, &screen); i++) {
		screen_size(&screen, screen.columns, screen.rows - ROWS_LEFT);
		picture_view_fit(&views[i], &screen);
		picture_view_at(&views[i], first.cursor, order);
		render(&views[i], words, "", CURSOR_HIDDEN);
		draw_screen(i, &screen);
	}
	draw_leave();
}

void picture_draw(const struct picture_words *words)
{
	for (size_t i = 0; draw_size(i, &screen); i++) {
		render(&views[i], words, words ? WORK_KEYS : KEYS, CURSOR_SHOWN);
		draw_screen(i, &screen);
	}
}

/* Makes the views those of the machine as it is now. */
static void look_again(void)
{
	find_parts();
	go(views[0].cursor, poll_whole ? PICTURE_WHOLE : views[0].order);
}

/* Shows for a while what is about to be added or removed. */
static void show_work(void)
{
	draw_again();
	look_again();
	picture_draw(poll_words);
	for (unsigned int i = 0; i < WORK_IDLES; i++)
		arch_idle();
}

/* What is logged meanwhile stands on the screens, too, until they are cleared. */
bool picture_poll(const struct picture_words *words)
{
	if (!hotplug_changed())
		return false;
	poll_words = words;
	poll_whole = picture_view_is_whole(&views[0]);
	hotplug_watch = show_work;
	hotplug_poll();
	hotplug_watch = NULL;
	draw_again();
	look_again();
	return true;
}

static void move(enum picture_move to)
{
	picture_move(&views[0], to);
	follow();
}

/* Makes cells larger by this many orders, smaller if it is negative. */
static void zoom(int orders)
{
	int order = (int)views[0].order + orders;

	picture_view_at(&views[0], views[0].cursor, order > 0 ? (unsigned int)order : 0);
	follow();
}

/* Takes the position of the terminal's last corner, which it has answered, as its size. */
static void resize(struct key_report size)
{
	bool whole = picture_view_is_whole(&views[0]);

	draw_resize(size.column, size.row);
	go(views[0].cursor, whole ? PICTURE_WHOLE : views[0].order);
}

static const struct {
	int key;
	enum picture_move move;
} moves[] = {
	{ KEY_LEFT, MOVE_LEFT },  { KEY_RIGHT, MOVE_RIGHT },     { KEY_UP, MOVE_UP },
	{ KEY_DOWN, MOVE_DOWN },  { KEY_PAGE_UP, MOVE_PAGE_UP }, { KEY_PAGE_DOWN, MOVE_PAGE_DOWN },
	{ KEY_HOME, MOVE_FIRST }, { KEY_END, MOVE_LAST },
};

static const struct {
	int key;
	int orders;
} zooms[] = {
	{ '+', -STEP },        { '=', -STEP },         { '-', STEP },
	{ '\r', -LEAP },       { '\n', -LEAP },        { '\b', LEAP },
	{ DELETE_CHAR, LEAP }, { 'w', PICTURE_WHOLE }, { 'f', -PICTURE_WHOLE },
};

bool picture_key(int key)
{
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
		if (moves[i].key == key)
			move(moves[i].move);
	for (size_t i = 0; i < sizeof(zooms) / sizeof(zooms[0]); i++)
		if (zooms[i].key == key)
			zoom(zooms[i].orders);
	if (key == KEY_REPORT)
		resize(key_report());
	return key != 'q' && key != KEY_ESCAPE && key != CTRL('C');
}
