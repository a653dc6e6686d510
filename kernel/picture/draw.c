#include "kernel/picture/draw.h"

#include "kernel/console/console.h"
#include "lib/format.h"
#include "lib/string.h"

#define CLEAR         "\033[0m\033[2J\033[H"
/* Moves the cursor as far to the lower right as it goes, asks for its position, moves it home. */
#define ASK_SIZE      "\033[999;999H\033[6n\033[H"
#define NO_ATTRIBUTE  0xff
#define TERMINAL_ROWS 24 /* of a terminal that does not answer */
#define SEQUENCE_TEXT 32

static struct display {
	size_t console;
	bool asked;               /* it was asked for its size, and may still answer */
	struct screen shown;      /* what it shows now */
	unsigned int row, column; /* where the next character appears */
	uint8_t attribute;        /* colours of the next character; NO_ATTRIBUTE: not known */
} displays[DRAW_MAX_SCREENS];
static size_t nr_displays;

static void send(const struct display *d, const char *text)
{
	console_write_to(d->console, text, strlen(text));
}

/* Clears a display, and notes its size and that it shows blanks. */
static void forget(struct display *d, unsigned int columns, unsigned int rows)
{
	screen_size(&d->shown, columns, rows);
	for (unsigned int row = 0; row < d->shown.rows; row++)
		for (unsigned int column = 0; column < d->shown.columns; column++)
			d->shown.cell[row][column] = (struct screen_cell){ ' ', ATTRIBUTE_PLAIN };
	d->attribute = NO_ATTRIBUTE;
	d->row = d->shown.rows;
	send(d, CLEAR);
}

void draw_begin(void)
{
	struct console_screen screen;

	nr_displays = 0;
	for (size_t i = 0; nr_displays < DRAW_MAX_SCREENS && console_next_screen(i, &screen);
	     i = screen.console + 1) {
		struct display *d = &displays[nr_displays++];

		d->console = screen.console;
		d->asked = !screen.columns;
		if (d->asked) {
			send(d, ASK_SIZE);
			forget(d, SCREEN_COLUMNS, TERMINAL_ROWS);
		} else {
			forget(d, screen.columns, screen.rows);
		}
	}
}

void draw_end(void)
{
	for (size_t i = 0; i < nr_displays; i++)
		send(&displays[i], CLEAR);
}

void draw_leave(void)
{
	char text[SEQUENCE_TEXT];

	for (size_t i = 0; i < nr_displays; i++) {
		struct display *d = &displays[i];
		unsigned int rows = d->shown.rows;

		while (rows && !screen_line_length(&d->shown, rows - 1))
			rows--;
		fmt_snprintf(text, sizeof(text), "\033[0m\033[%u;1H", rows + 1);
		send(d, text);
	}
}

void draw_again(void)
{
	for (size_t i = 0; i < nr_displays; i++)
		forget(&displays[i], displays[i].shown.columns, displays[i].shown.rows);
}

void draw_resize(unsigned int columns, unsigned int rows)
{
	for (size_t i = 0; i < nr_displays; i++)
		if (displays[i].asked)
			forget(&displays[i], columns, rows);
}

bool draw_size(size_t nr, struct screen *screen)
{
	if (nr >= nr_displays)
		return false;
	screen_size(screen, displays[nr].shown.columns, displays[nr].shown.rows);
	return true;
}

static void move_to(struct display *d, unsigned int row, unsigned int column)
{
	char text[SEQUENCE_TEXT];

	if (d->row == row && d->column == column)
		return;
	fmt_snprintf(text, sizeof(text), "\033[%u;%uH", row + 1, column + 1);
	send(d, text);
	d->row = row;
	d->column = column;
}

static void set_attribute(struct display *d, uint8_t attribute)
{
	/* ANSI's foregrounds are 30 to 37, the bright ones 90 to 97; backgrounds are 40 to 47. */
	unsigned int foreground = attribute & 0xf;
	char text[SEQUENCE_TEXT];

	if (d->attribute == attribute)
		return;
	fmt_snprintf(text, sizeof(text), "\033[0;%u;%um",
		     foreground < 8 ? 30 + foreground : 82 + foreground, 40u + (attribute >> 4));
	send(d, text);
	d->attribute = attribute;
}

void draw_screen(size_t nr, const struct screen *screen)
{
	struct display *d = &displays[nr];

	for (unsigned int row = 0; row < screen->rows; row++)
		for (unsigned int column = 0; column < screen->columns; column++) {
			struct screen_cell cell = screen->cell[row][column];
			struct screen_cell *shown = &d->shown.cell[row][column];

			if (cell.c == shown->c && cell.attribute == shown->attribute)
				continue;
			move_to(d, row, column);
			set_attribute(d, cell.attribute);
			console_write_to(d->console, &cell.c, 1);
			d->column++;
			*shown = cell;
		}
	move_to(d, screen->cursor_row, screen->cursor_column);
}
