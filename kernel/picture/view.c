/*
 * view.c: lines have no table, since there may be 2^28 of them. Each is computed from a frame in
 * it, and the next one from where it ends.
 */
#include "kernel/picture/view.h"

static pfn_t cell_frames(const struct picture_view *view)
{
	return (pfn_t)1 << view->order;
}

static pfn_t row_frames(const struct picture_view *view)
{
	return (pfn_t)view->columns << view->order;
}

struct picture_line picture_line_at(const struct picture_view *view, pfn_t pfn)
{
	const pfn_t row = row_frames(view), all = picture_end_pfn();
	struct picture_line line = { .start = pfn & ~(row - 1),
				     .end = (pfn & ~(row - 1)) + row,
				     .kind = KIND_ABSENT };
	struct picture_area area = picture_area_at(line.start);

	if (line.end > all)
		line.end = all;
	if (area.ram || area.end < line.end)
		return line;
	line.fold = true;
	line.kind = area.kind;
	line.start = (area.start + row - 1) & ~(row - 1);
	line.end = area.end >= all ? all : area.end & ~(row - 1);
	return line;
}

/* Returns the number of lines of the whole machine, or view->rows + 1 if they do not fit. */
static unsigned int count_lines(const struct picture_view *view)
{
	const pfn_t all = picture_end_pfn();
	unsigned int nr = 0;

	for (pfn_t pfn = 0; pfn < all && nr <= view->rows; nr++)
		pfn = picture_line_at(view, pfn).end;
	return nr;
}

/* Returns whether the frame pfn is in a line on the screen. */
static bool is_seen(const struct picture_view *view, pfn_t pfn)
{
	const pfn_t all = picture_end_pfn();
	pfn_t end = view->top;

	if (pfn < view->top)
		return false;
	for (unsigned int i = 0; i < view->rows && end < all; i++)
		end = picture_line_at(view, end).end;
	return pfn < end;
}

/* Returns the start of the line nr lines before that of pfn, or 0 if there are fewer. */
static pfn_t lines_before(const struct picture_view *view, pfn_t pfn, unsigned int nr)
{
	pfn_t start = picture_line_at(view, pfn).start;

	while (nr-- > 0 && start)
		start = picture_line_at(view, start - 1).start;
	return start;
}

/*
 * Sets view->top so that the cursor is on the screen: left as it was if possible, else with the
 * cursor in the middle. No line of the screen stays empty if there are enough lines to fill it.
 */
static void follow_cursor(struct picture_view *view)
{
	pfn_t last = lines_before(view, picture_end_pfn() - 1, view->rows - 1);

	view->top = picture_line_at(view, view->top).start;
	if (!is_seen(view, view->cursor))
		view->top = lines_before(view, view->cursor, view->rows / 2);
	if (view->top > last)
		view->top = last;
}

static void put_cursor(struct picture_view *view, pfn_t pfn)
{
	struct picture_line line = picture_line_at(view, pfn);

	view->cursor = line.fold ? line.start : pfn & ~(cell_frames(view) - 1);
	follow_cursor(view);
}

/* Takes the cursor's column as the one in which up and down move. */
static void keep_column(struct picture_view *view)
{
	struct picture_line line = picture_line_at(view, view->cursor);

	view->column = (unsigned int)((view->cursor - line.start) >> view->order);
	if (line.fold)
		view->column = 0;
}

/* Returns the smallest order with which the whole machine fits on the screen. */
static unsigned int whole_order(const struct picture_view *view)
{
	struct picture_view trial = *view;

	trial.order = 0;
	while (count_lines(&trial) > trial.rows)
		trial.order++;
	return trial.order;
}

bool picture_view_is_whole(const struct picture_view *view)
{
	return view->order == whole_order(view);
}

void picture_view_at(struct picture_view *view, pfn_t pfn, unsigned int order)
{
	unsigned int whole = whole_order(view);

	view->order = order < whole ? order : whole;
	put_cursor(view, pfn < picture_end_pfn() ? pfn : picture_end_pfn() - 1);
	keep_column(view);
}

struct picture_line picture_under_cursor(const struct picture_view *view)
{
	struct picture_line line = picture_line_at(view, view->cursor);
	pfn_t end = view->cursor + cell_frames(view);

	if (!line.fold) {
		line.start = view->cursor;
		if (end < line.end)
			line.end = end;
	}
	return line;
}

/* Moves the cursor nr lines down or up, or to the last or first line, in the kept column. */
static void move_lines(struct picture_view *view, bool down, unsigned int nr)
{
	struct picture_line line = picture_line_at(view, view->cursor);
	pfn_t to;

	for (; nr > 0; nr--) {
		if (down ? line.end >= picture_end_pfn() : line.start == 0)
			break;
		line = picture_line_at(view, down ? line.end : line.start - 1);
	}
	to = line.start + ((pfn_t)view->column << view->order);
	put_cursor(view, to < line.end ? to : line.end - 1);
}

void picture_move(struct picture_view *view, enum picture_move move)
{
	struct picture_line here = picture_under_cursor(view);

	switch (move) {
	case MOVE_UP:
	case MOVE_DOWN:
		move_lines(view, move == MOVE_DOWN, 1);
		return;
	case MOVE_PAGE_UP:
	case MOVE_PAGE_DOWN:
		move_lines(view, move == MOVE_PAGE_DOWN, view->rows);
		return;
	case MOVE_LEFT:
		put_cursor(view, here.start ? here.start - 1 : 0);
		break;
	case MOVE_RIGHT:
		put_cursor(view, here.end < picture_end_pfn() ? here.end : here.start);
		break;
	case MOVE_FIRST:
		put_cursor(view, 0);
		break;
	case MOVE_LAST:
		put_cursor(view, picture_end_pfn() - 1);
		break;
	}
	keep_column(view);
}
