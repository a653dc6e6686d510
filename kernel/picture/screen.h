/*
 * screen.h: the picture of memory as characters and colours, without a device.
 *
 *     row 0       title: how much, and the scale
 *     1 ..        the grid: address, cells, zones of the row and, if the machine has several, the
 *                 nodes of its RAM; a fold is one line of words
 *     3 rows      the legend
 *     5 rows      words: what lies under the cursor, or what a command has to say
 *     last        keys
 *
 * Each kind has a character of its own, so that the picture is the same without colour. A cell
 * shows what is being added or removed, the kernel or mem_map if it has a frame of them, else the
 * kind of most of its frames, where frames that the map does not mention do not count. Free frames
 * and those in use count as one kind, which is shown as all free, as the tenths in use, or as all
 * in use.
 */
#ifndef KERNEL_PICTURE_SCREEN_H
#define KERNEL_PICTURE_SCREEN_H

#include "kernel/picture/view.h"

#define SCREEN_COLUMNS                    80 /* what most screens have */
#define SCREEN_ROWS                       25
#define SCREEN_MIN_COLUMNS                40
#define SCREEN_MIN_ROWS                   16
#define SCREEN_MAX_COLUMNS                160
#define SCREEN_MAX_ROWS                   60

/* Colours are ANSI's: red 1, green 2, blue 4, bright 8; the background has no bright ones. */
#define ATTRIBUTE(foreground, background) ((uint8_t)((foreground) | (background) << 4))
#define ATTRIBUTE_PLAIN                   ATTRIBUTE(7, 0)

struct screen_cell {
	char c;
	uint8_t attribute;
};

struct screen {
	unsigned int columns, rows;
	struct screen_cell cell[SCREEN_MAX_ROWS][SCREEN_MAX_COLUMNS];
	unsigned int cursor_row, cursor_column; /* where the picture's cursor is drawn */
};

#define PICTURE_WORDS 5
struct picture_words {
	char line[PICTURE_WORDS][SCREEN_MAX_COLUMNS];
};

/* Sets the size of screen, raised or cut to the nearest one that the picture can have. */
void screen_size(struct screen *screen, unsigned int columns, unsigned int rows);

/* Sets view->columns and view->rows to what fits on screen. The allocator must be set up. */
void picture_view_fit(struct picture_view *view, const struct screen *screen);

/* Whether the cell under the picture's cursor is marked. */
enum picture_cursor { CURSOR_HIDDEN, CURSOR_SHOWN };

/*
 * Draws the picture of view on screen, with words below the legend and keys in the last row. The
 * last column stays blank.
 */
void picture_render(struct screen *screen, const struct picture_view *view,
		    const struct picture_words *words, const char *keys,
		    enum picture_cursor cursor);

/* Returns the length of a row without the blanks at its end. */
unsigned int screen_line_length(const struct screen *screen, unsigned int row);

/* Returns the character and colours of a cell. */
struct screen_cell picture_cell_look(const struct picture_cell *cell);

/* Writes the size of frames to text, "4 KiB", "1.5 GiB", cut after one decimal. Returns text. */
#define SIZE_TEXT 24
const char *picture_size_text(uint64_t frames, char text[SIZE_TEXT]);

/* Writes a set of nodes, bit i for node i, as Linux does: "0", "0,2-4". Returns text. */
#define NODES_TEXT 192
const char *picture_nodes_text(uint64_t nodes, char text[NODES_TEXT]);

#endif
