/*
 * view.h: which lines of the picture are seen, and where a key moves the cursor.
 *
 * A cell is 2^order frames, a row a power of two of cells, so that rows begin at round addresses.
 * A row that lies in one area without RAM says little: such rows in sequence are one line, a
 * *fold*, whatever its size. So RAM fills the screen even where devices lie terabytes above it.
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
	unsigned int columns; /* cells a row, a power of two */
	unsigned int rows;    /* lines that are seen */
	unsigned int order;
	pfn_t top;           /* where the first line that is seen begins */
	pfn_t cursor;        /* the first frame of a cell or a fold */
	unsigned int column; /* where up and down lead, folds or not */
};

struct picture_line {
	pfn_t start, end;
	bool fold;
	enum picture_kind kind; /* of a fold */
};

/*
 * Moves the cursor to the cell with the frame pfn and makes cells 2^order frames; where a smaller
 * order shows the whole machine, cells are of that one, as with PICTURE_WHOLE.
 */
#define PICTURE_WHOLE 64
void picture_view_at(struct picture_view *view, pfn_t pfn, unsigned int order);
bool picture_view_is_whole(const struct picture_view *view);

struct picture_line picture_line_at(const struct picture_view *view, pfn_t pfn);

/* The cell or fold that the cursor is on. */
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
void picture_move(struct picture_view *view, enum picture_move move);

#endif
