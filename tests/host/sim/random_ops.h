/*
 * random_ops.h: operations drawn at random, in moods.
 *
 * A mood lasts some hundreds of operations: it fills memory or empties it, prefers small orders or
 * large ones, one zone or all, gives back what was had last, first, or anything.
 */
#ifndef TESTS_HOST_SIM_RANDOM_OPS_H
#define TESTS_HOST_SIM_RANDOM_OPS_H

#include "tests/host/sim/ops.h"

#define MAX_HELD 8192

struct random_ops {
	uint64_t seed;
	const struct play *play;
	uint32_t next_name;
	uint32_t nr_held;
	struct held {
		uint32_t name;
		uint32_t nr; /* 1: an allocation of any order; more: single frames in a row */
		uint64_t at; /* frames behind the name's first */
	} held[MAX_HELD];
	uint32_t picked;       /* of held[], what the operation is about */
	uint32_t split_frames; /* that a split makes of it */
	struct mood {
		uint32_t left; /* operations */
		uint32_t alloc_percent;
		uint32_t order_percent; /* chance of each next order */
		uint32_t max_order;
		uint32_t gfp; /* NR_OP_GFPS: any */
		uint32_t pick;
	} mood;
};

/* The play is fresh; names below its nr_names are used. */
void random_ops_start(struct random_ops *r, const struct play *play, uint64_t seed);

/* The next operation, and what it led to, when the play has done it. */
struct op random_ops_next(struct random_ops *r);
void random_ops_done(struct random_ops *r, const struct op *op);

#endif
