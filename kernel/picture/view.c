/*
 * view.c: see view.h. Lines are made one from the other; there may be 2^28 of them.
 */
#include "kernel/picture/view.h"

static pfn_t cell_frames(const struct map_view *view)
{
	return (pfn_t)1 << view->order;
}

static pfn_t row_frames(const struct map_view *view)
{
	return (pfn_t)view->columns << view->order;
}

struct map_line map_line_at(const struct map_view *view, pfn_t pfn)
{
	const pfn_t row = row_frames(view), all = map_end();
	struct map_line line = { pfn & ~(row - 1), (pfn & ~(row - 1)) + row, false, MAP_ABSENT };
	struct map_area area = map_area(line.start);

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

/* Lines of everything, or rows + 1 when there are more than are seen. */
static unsigned int count_lines(const struct map_view *view)
{
	const pfn_t all = map_end();
	unsigned int nr = 0;

	for (pfn_t pfn = 0; pfn < all && nr <= view->rows; nr++)
		pfn = map_line_at(view, pfn).end;
	return nr;
}

static bool is_seen(const struct map_view *view, pfn_t pfn)
{
	const pfn_t all = map_end();
	pfn_t end = view->top;

	if (pfn < view->top)
		return false;
	for (unsigned int i = 0; i < view->rows && end < all; i++)
		end = map_line_at(view, end).end;
	return pfn < end;
}

/* The start of the line so many lines before that of pfn, or 0. */
static pfn_t lines_before(const struct map_view *view, pfn_t pfn, unsigned int nr)
{
	pfn_t start = map_line_at(view, pfn).start;

	while (nr-- > 0 && start)
		start = map_line_at(view, start - 1).start;
	return start;
}

/* The cursor is seen: as it was, or in the middle; and no line is left empty for nothing. */
static void follow_cursor(struct map_view *view)
{
	pfn_t last = lines_before(view, map_end() - 1, view->rows - 1);

	view->top = map_line_at(view, view->top).start;
	if (!is_seen(view, view->cursor))
		view->top = lines_before(view, view->cursor, view->rows / 2);
	if (view->top > last)
		view->top = last;
}

static void put_cursor(struct map_view *view, pfn_t pfn)
{
	struct map_line line = map_line_at(view, pfn);

	view->cursor = line.fold ? line.start : pfn & ~(cell_frames(view) - 1);
	follow_cursor(view);
}

static void keep_column(struct map_view *view)
{
	struct map_line line = map_line_at(view, view->cursor);

	view->column = (unsigned int)((view->cursor - line.start) >> view->order);
	if (line.fold)
		view->column = 0;
}

static unsigned int whole_order(const struct map_view *view)
{
	struct map_view trial = *view;

	trial.order = 0;
	while (count_lines(&trial) > trial.rows)
		trial.order++;
	return trial.order;
}

bool map_view_is_whole(const struct map_view *view)
{
	return view->order == whole_order(view);
}

void map_view_at(struct map_view *view, pfn_t pfn, unsigned int order)
{
	unsigned int whole = whole_order(view);

	view->order = order < whole ? order : whole;
	put_cursor(view, pfn < map_end() ? pfn : map_end() - 1);
	keep_column(view);
}

struct map_line map_under_cursor(const struct map_view *view)
{
	struct map_line line = map_line_at(view, view->cursor);
	pfn_t end = view->cursor + cell_frames(view);

	if (!line.fold) {
		line.start = view->cursor;
		if (end < line.end)
			line.end = end;
	}
	return line;
}

/* Up or down, nr lines or as far as it goes; in the column that was left. */
static void move_lines(struct map_view *view, bool down, unsigned int nr)
{
	struct map_line line = map_line_at(view, view->cursor);
	pfn_t to;

	for (; nr > 0; nr--) {
		if (down ? line.end >= map_end() : line.start == 0)
			break;
		line = map_line_at(view, down ? line.end : line.start - 1);
	}
	to = line.start + ((pfn_t)view->column << view->order);
	put_cursor(view, to < line.end ? to : line.end - 1);
}

void map_move(struct map_view *view, enum map_move move)
{
	struct map_line here = map_under_cursor(view);

	switch (move) {
	case MAP_UP:
	case MAP_DOWN:
		move_lines(view, move == MAP_DOWN, 1);
		return;
	case MAP_PAGE_UP:
	case MAP_PAGE_DOWN:
		move_lines(view, move == MAP_PAGE_DOWN, view->rows);
		return;
	case MAP_LEFT:
		put_cursor(view, here.start ? here.start - 1 : 0);
		break;
	case MAP_RIGHT:
		put_cursor(view, here.end < map_end() ? here.end : here.start);
		break;
	case MAP_FIRST:
		put_cursor(view, 0);
		break;
	case MAP_LAST:
		put_cursor(view, map_end() - 1);
		break;
	}
	keep_column(view);
}
