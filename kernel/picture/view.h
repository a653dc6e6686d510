/*
 * view.h: the part of the picture that a screen shows, and the movement of the cursor.
 *
 * A cell is 2^order frames. A row is a power of two of cells, so that rows begin at round
 * addresses. Rows that lie completely in one area without RAM are drawn together as one line, a
 * *fold*, however many they are. So RAM fills the screen even if devices lie terabytes above it.
 *
 *      line 0   row   [0, R)
 *           1   row   [R, 2R)
 *           2   fold  [2R, 900R)    nothing, 449 GiB
 *           3   row   [900R, 901R)
 */
#ifndef KERNEL_PICTURE_VIEW_H
#define KERNEL_PICTURE_VIEW_H

#include "kernel/picture/cells.h"

struct picture_view {
	unsigned int columns; /* cells of a row, a power of two */
	unsigned int rows;    /* lines on the screen */
	unsigned int order;   /* a cell is 2^order frames */
	pfn_t top;            /* first frame of the first line on the screen */
	pfn_t cursor;         /* first frame of the cell or fold that the cursor is on */
	unsigned int column;  /* the cursor's, kept while it moves up and down across folds */
};

/* A row or a fold: the frames [start, end). */
struct picture_line {
	pfn_t start, end;
	bool fold;
	enum picture_kind kind; /* only of a fold */
};

/*
 * Moves the cursor to the cell with the frame pfn, or to the last one if pfn is too high, and makes
 * cells 2^order frames. If a smaller order is enough to show the whole machine, it takes the
 * smallest such order; with PICTURE_WHOLE it always does. view->columns and view->rows are set, and
 * view->top is set or 0.
 */
#define PICTURE_WHOLE 64
void picture_view_at(struct picture_view *view, pfn_t pfn, unsigned int order);

/* Returns whether the view shows the whole machine. */
bool picture_view_is_whole(const struct picture_view *view);

/* Returns the line that the frame pfn lies in; pfn < picture_end_pfn(). O(ranges). */
struct picture_line picture_line_at(const struct picture_view *view, pfn_t pfn);

/* Returns the cell or the fold that the cursor is on. */
struct picture_line picture_under_cursor(const struct picture_view *view);

enum picture_move {
	MOVE_LEFT,
	MOVE_RIGHT,
	MOVE_UP,
	MOVE_DOWN,
	MOVE_PAGE_UP,
	MOVE_PAGE_DOWN,
	MOVE_FIRST,
	MOVE_LAST,
};

/* Moves the cursor, and the view as far as is necessary to show it. */
void picture_move(struct picture_view *view, enum picture_move move);

#endif
