/*
 * scale.h: the scale of addresses in a picture, from top to bottom. It is cut into pieces wherever
 * a range begins or ends; a piece is as high as a line of text, and higher by the logarithm of its
 * size.
 *
 *        0x0 ┬
 *            │ 640 KiB
 *    0xa0000 ┼
 *            │ 384 KiB
 *   0x100000 ┼
 *            │
 *            │ 2047 MiB
 *            │
 * 0x80000000 ┴
 *
 * Heights are computed in integers, so that the same map gives the same scale on every machine.
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
	uint32_t what;       /* a type, an order, …: the owner of the list decides */
	unsigned int column; /* as spans_stack() gives it */
	bool empty;          /* a range of no bytes; first == last is where it lies */
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

/* Sorts the spans by address, and makes one of those that touch or overlap and have the same what.
 */
void spans_join(struct spans *spans);

/*
 * Gives each span the first column in which it overlaps none of the spans before it. Returns the
 * number of columns. Quadratic in the number of spans.
 */
unsigned int spans_stack(struct spans *spans);

struct piece {
	uint64_t first;
	uint64_t last;
	int top, bottom; /* 0 is the top of the scale */
};

struct scale {
	size_t nr;
	struct piece *pieces; /* sorted, without gaps, from address 0 on */
};

/* Makes a scale that is cut at all borders of the spans in lists (ended by NULL). */
void scale_make(struct scale *scale, struct spans *const lists[]);

/*
 * Finds the pieces [*from, *to) that hold the span, which must be of one of the lists: it begins
 * where the first piece begins, and ends where the last one ends unless it is empty.
 */
void scale_find(const struct scale *scale, const struct span *span, size_t *from, size_t *to);

#endif
