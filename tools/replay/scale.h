/*
 * scale.h: a line of addresses for pictures: cut where anything begins or ends, each piece as wide
 * as the logarithm of its size, wrapped into panels of one width.
 *
 *   0x0          0xa0000   0x100000                                    0x80000000
 *    ├─────────────┼──────────┼───────────────────────────────────────────┤
 *      640 KiB       384 KiB                  2047 MiB
 *
 * In integers: a picture is the same on every machine.
 */
#ifndef TOOLS_REPLAY_SCALE_H
#define TOOLS_REPLAY_SCALE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Addresses first .. last, both included, so that 2^64 of them have a place. */
struct span {
	uint64_t first;
	uint64_t last;
	uint32_t what;    /* its owner's: type, order, … */
	unsigned int row; /* spans_stack() */
	bool empty;       /* a range of no bytes, at first */
};

struct spans {
	size_t nr;
	size_t room;
	struct span *at;
};

/* Adds [base, base + size), cut at 2^64; ends the program when there is no memory. */
void spans_add(struct spans *spans, uint64_t base, uint64_t size, uint32_t what);

/* Gives each span the lowest row where none before it lies in its way; returns the rows needed. */
unsigned int spans_stack(struct spans *spans);

struct piece {
	uint64_t first;
	uint64_t last;
	unsigned int panel;
	int left, right; /* in its panel */
};

struct scale {
	size_t nr;
	struct piece *pieces; /* sorted, without gaps, from address 0 on */
	unsigned int nr_panels;
};

/* Pieces between all borders of the lists (the last is NULL), in panels from left to right. */
void scale_make(struct scale *scale, struct spans *const lists[], int left, int right);

/* The pieces that hold a span, as [from, to). */
void scale_find(const struct scale *scale, const struct span *span, size_t *from, size_t *to);

#endif
