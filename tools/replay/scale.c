#include "tools/replay/scale.h"

#include <stdio.h>
#include <stdlib.h>

/* A piece's share of its panel's width is its weight. */
#define LEAST_WEIGHT 6  /* of a piece of a page or less; each doubling of the size adds 1 */
#define LEAST_WIDTH  15 /* of such a piece, in pixels: as wide as a line of upright text is high */

static void *more(void *at, size_t nr, size_t size)
{
	void *moved = realloc(at, nr * size);

	if (!moved) {
		fputs("replay: not enough memory to draw the picture\n", stderr);
		exit(3);
	}
	return moved;
}

void spans_add(struct spans *spans, uint64_t base, uint64_t size, uint32_t what)
{
	struct span span = { .first = base, .last = base, .what = what, .empty = !size };

	if (size)
		span.last = size - 1 > UINT64_MAX - base ? UINT64_MAX : base + (size - 1);
	if (spans->nr == spans->room) {
		spans->room = spans->room ? 2 * spans->room : 64;
		spans->at = more(spans->at, spans->room, sizeof(span));
	}
	spans->at[spans->nr++] = span;
}

unsigned int spans_stack(struct spans *spans)
{
	bool *taken = more(NULL, spans->nr + 1, sizeof(*taken));
	unsigned int rows = 0;

	for (size_t i = 0; i < spans->nr; i++) {
		struct span *s = &spans->at[i];

		for (size_t row = 0; row <= i; row++)
			taken[row] = false;
		for (size_t j = 0; j < i; j++)
			if (s->first <= spans->at[j].last && spans->at[j].first <= s->last)
				taken[spans->at[j].row] = true;
		for (s->row = 0; taken[s->row]; s->row++)
			;
		if (rows <= s->row)
			rows = s->row + 1;
	}
	free(taken);
	return rows;
}

static int by_address(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/*
 * Collects 0, the address at which each span begins and the one after its last, into *borders:
 * sorted, without duplicates. *last is the last address of any span. Returns the number of borders.
 */
static size_t find_borders(struct spans *const lists[], uint64_t **borders, uint64_t *last)
{
	size_t nr = 1, kept = 1;

	*last = 0;
	*borders = more(NULL, 1, sizeof(**borders));
	**borders = 0;
	for (; *lists; lists++) {
		*borders = more(*borders, nr + 2 * (*lists)->nr, sizeof(**borders));
		for (size_t i = 0; i < (*lists)->nr; i++) {
			const struct span *s = &(*lists)->at[i];

			(*borders)[nr++] = s->first;
			if (!s->empty && s->last != UINT64_MAX)
				(*borders)[nr++] = s->last + 1;
			if (s->last > *last)
				*last = s->last;
		}
	}
	qsort(*borders, nr, sizeof(**borders), by_address);
	for (size_t i = 1; i < nr; i++)
		if ((*borders)[i] != (*borders)[kept - 1] && (*borders)[i] <= *last)
			(*borders)[kept++] = (*borders)[i];
	return kept;
}

static int weight(const struct piece *piece)
{
	uint64_t pages = (piece->last - piece->first) >> 12;

	return LEAST_WEIGHT + (pages ? 64 - __builtin_clzll(pages) : 0);
}

/* Makes a panel of the pieces [from, to): they share its width by their weights. */
static void fill_panel(struct scale *scale, size_t from, size_t to, int left, int right)
{
	int total = 0, sum = 0;

	for (size_t i = from; i < to; i++)
		total += weight(&scale->pieces[i]);
	for (size_t i = from; i < to; i++) {
		struct piece *piece = &scale->pieces[i];

		piece->panel = scale->nr_panels;
		piece->left = left + (right - left) * sum / total;
		sum += weight(piece);
		piece->right = left + (right - left) * sum / total;
	}
	scale->nr_panels++;
}

/* Wraps the pieces into so many panels that none is too narrow, of about equal weight. */
static void fill_panels(struct scale *scale, int left, int right)
{
	int room = (right - left) * LEAST_WEIGHT / LEAST_WIDTH; /* the weight that a panel holds */
	int total = 0, sum = 0, panels;
	size_t from = 0;

	for (size_t i = 0; i < scale->nr; i++)
		total += weight(&scale->pieces[i]);
	panels = (total + room - 1) / room;
	for (size_t i = 0; i < scale->nr; i++) {
		sum += weight(&scale->pieces[i]);
		if (i + 1 == scale->nr ||
		    (long)sum * panels >= (long)total * (int)(scale->nr_panels + 1)) {
			fill_panel(scale, from, i + 1, left, right);
			from = i + 1;
		}
	}
}

void scale_make(struct scale *scale, struct spans *const lists[], int left, int right)
{
	uint64_t *borders, last;

	scale->nr = find_borders(lists, &borders, &last);
	scale->nr_panels = 0;
	scale->pieces = more(NULL, scale->nr, sizeof(*scale->pieces));
	for (size_t i = 0; i < scale->nr; i++) {
		scale->pieces[i].first = borders[i];
		scale->pieces[i].last = i + 1 < scale->nr ? borders[i + 1] - 1 : last;
	}
	free(borders);
	fill_panels(scale, left, right);
}

/* Returns the index of the piece that holds the address. */
static size_t piece_of(const struct scale *scale, uint64_t address)
{
	size_t low = 0, high = scale->nr;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (scale->pieces[middle].first <= address)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void scale_find(const struct scale *scale, const struct span *span, size_t *from, size_t *to)
{
	*from = piece_of(scale, span->first);
	*to = piece_of(scale, span->last) + 1;
}
