/*
 * random_ops.h: draws operations at random, in moods.
 *
 * A mood lasts for some hundreds of operations. In a mood, allocations or frees prevail, small
 * orders or large ones, one zone or all; and what is freed is the newest, the oldest or any.
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
		uint32_t nr; /* 1: an allocation of any order; more: consecutive ones of order 0 */
		uint64_t at; /* distance of the first frame from the name's first */
	} held[MAX_HELD];
	uint32_t picked;       /* index in held[] of what the operation is about */
	uint32_t split_frames; /* number of frames into which it splits that */
	struct mood {
		uint32_t left; /* operations until the mood changes */
		uint32_t alloc_percent;
		uint32_t order_percent; /* chance that the order rises by one, again and again */
		uint32_t max_order;
		uint32_t gfp;  /* index into op_gfps[]; NR_OP_GFPS: any */
		uint32_t pick; /* what is freed: enum pick */
	} mood;
};

/* Begins with a play on which nothing was performed yet; r uses names below its nr_names. */
void random_ops_start(struct random_ops *r, const struct play *play, uint64_t seed);

/* Draws the next operation; tell random_ops_done() when the play has performed it. */
struct op random_ops_next(struct random_ops *r);
void random_ops_done(struct random_ops *r, const struct op *op);

#endif
