/*
 * scale.h: the scale of addresses in a picture. It is cut into pieces wherever a range begins or
 * ends; a piece is as wide as the logarithm of its size; the pieces are wrapped, like words of a
 * text, into panels of one width.
 *
 *   0x0          0xa0000   0x100000                                    0x80000000
 *    ├─────────────┼──────────┼───────────────────────────────────────────┤
 *      640 KiB       384 KiB                  2047 MiB
 *
 * Widths are computed in integers, so that the same map gives the same scale on every machine.
 */
#ifndef TOOLS_REPLAY_SCALE_H
#define TOOLS_REPLAY_SCALE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The addresses first to last, both inclusive, so that a span may end with the address space. */
struct span {
	uint64_t first;
	uint64_t last;
	uint32_t what;    /* a type, an order, …: the owner of the list decides */
	unsigned int row; /* as spans_stack() gives it */
	bool empty;       /* a range of no bytes; first == last is where it lies */
};

struct spans {
	size_t nr;
	size_t room;
	struct span *at;
};

/*
 * Appends the span [base, base + size), cut at 2^64, to the list. Ends the program when there is no
 * memory.
 */
void spans_add(struct spans *spans, uint64_t base, uint64_t size, uint32_t what);

/*
 * Gives each span the lowest row in which it overlaps none of the spans before it. Returns the
 * number of rows. Quadratic in the number of spans.
 */
unsigned int spans_stack(struct spans *spans);

struct piece {
	uint64_t first;
	uint64_t last;
	unsigned int panel;
	int left, right; /* pixels, the same in every panel */
};

struct scale {
	size_t nr;
	struct piece *pieces; /* sorted, without gaps, from address 0 on */
	unsigned int nr_panels;
};

/*
 * Makes a scale that is cut at all borders of the spans in lists (ended by NULL), in panels that
 * reach from left to right, in pixels.
 */
void scale_make(struct scale *scale, struct spans *const lists[], int left, int right);

/* Finds the pieces [*from, *to) that hold the span; its addresses must be on the scale. */
void scale_find(const struct scale *scale, const struct span *span, size_t *from, size_t *to);

#endif
