/*
 * runs.h: runs of operations on a machine, by the allocator and by the model; a run that fails is
 * printed as text.
 *
 * A run starts from a boot. Allocator and model must agree on the result of each operation and on
 * all counts. After each operation the frame that it was about is checked; every so often, and at
 * the end, everything is (mm_check(), page_state(), page_head()). A panic, a fault and an endless
 * loop are failures too.
 */
#ifndef TESTS_HOST_SIM_RUNS_H
#define TESTS_HOST_SIM_RUNS_H

#include <stdio.h>

#include "tests/host/sim/machine.h"
#include "tests/host/sim/ops.h"

#define RUN_OPS 10000 /* the most operations of a run */

/* The settings of all runs: the caller fills them in. */
struct runs {
	const struct machine *machine;
	bool narrate;     /* print each operation, and check everything after it */
	long patience_ms; /* CPU time from one check of everything to the next, before it fails */
	/*
	 * A simulated defect, or NULL: called after each operation, it returns what is wrong or
	 * NULL; called with NULL after each boot, it starts afresh.
	 */
	const char *(*defect)(const struct op *op);
};
extern struct runs runs;
extern struct play runs_play;      /* valid during a run */
extern const char *runs_complaint; /* what failed in the last run, or NULL */

/*
 * Performs nr operations from a boot. Returns 0 when none fails, else the number of operations up
 * to and including the one that failed.
 */
size_t run_again(struct op *ops, size_t nr);

/*
 * Draws nr operations from seed and performs them. Returns 0 when none fails. Otherwise it shrinks
 * the sequence (shrink.h), leaves the result in ops, prints it and what failed to `to`, and returns
 * its length.
 */
size_t run_random(uint64_t seed, struct op ops[RUN_OPS], size_t nr, FILE *to);

/* Prints "machine NAME", the operations and "end" as lines, each of which is a comment in TAP. */
void print_sequence(FILE *to, const struct op *ops, size_t nr);

/*
 * Reads the first sequence that print_sequence() printed from a text, and sets runs.machine.
 * Returns the number of operations, or -1 after it printed to stderr why it cannot.
 */
long read_sequence(FILE *from, struct op ops[RUN_OPS]);

#endif
