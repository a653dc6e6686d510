#include "tools/replay/scale.h"

#include <stdio.h>
#include <stdlib.h>

#define LEAST_HEIGHT 15 /* of a piece of a page or less; each doubling of the size adds 1 */

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

static int by_first(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

void spans_join(struct spans *spans)
{
	size_t kept = 0;

	qsort(spans->at, spans->nr, sizeof(*spans->at), by_first);
	for (size_t i = 1; i < spans->nr; i++) {
		struct span *before = &spans->at[kept], *s = &spans->at[i];

		if (before->what != s->what || before->last + 1 < s->first)
			spans->at[++kept] = *s;
		else if (before->last < s->last)
			before->last = s->last;
	}
	spans->nr = spans->nr ? kept + 1 : 0;
}

unsigned int spans_stack(struct spans *spans)
{
	bool *taken = more(NULL, spans->nr + 1, sizeof(*taken));
	unsigned int columns = 0;

	for (size_t i = 0; i < spans->nr; i++) {
		struct span *s = &spans->at[i];

		for (size_t column = 0; column <= i; column++)
			taken[column] = false;
		for (size_t j = 0; j < i; j++)
			if (s->first <= spans->at[j].last && spans->at[j].first <= s->last)
				taken[spans->at[j].column] = true;
		for (s->column = 0; taken[s->column]; s->column++)
			;
		if (columns <= s->column)
			columns = s->column + 1;
	}
	free(taken);
	return columns;
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

static int height(const struct piece *piece)
{
	uint64_t pages = (piece->last - piece->first) >> 12;

	return LEAST_HEIGHT + (pages ? 64 - __builtin_clzll(pages) : 0);
}

void scale_make(struct scale *scale, struct spans *const lists[])
{
	uint64_t *borders, last;
	int top = 0;

	scale->nr = find_borders(lists, &borders, &last);
	scale->pieces = more(NULL, scale->nr, sizeof(*scale->pieces));
	for (size_t i = 0; i < scale->nr; i++) {
		struct piece *piece = &scale->pieces[i];

		piece->first = borders[i];
		piece->last = i + 1 < scale->nr ? borders[i + 1] - 1 : last;
		piece->top = top;
		piece->bottom = top += height(piece);
	}
	free(borders);
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
