/*
 * runs.h: runs of operations on a machine, allocator beside model; and what failed, as text.
 *
 * A run starts from a boot. Both must agree on what each operation gave, on success and on all
 * counts; the frame that it was about is looked at after it, everything now and then and in the end
 * (mm_check(), page_state(), page_head()). A panic, a fault and an endless loop are failures too.
 */
#ifndef TESTS_HOST_SIM_RUNS_H
#define TESTS_HOST_SIM_RUNS_H

#include <stdio.h>

#include "tests/host/sim/machine.h"
#include "tests/host/sim/ops.h"

#define RUN_OPS 10000 /* at most, of one boot */

/* Set by the caller. */
struct runs {
	const struct machine *machine;
	bool narrate;     /* say what is done, and look at everything after each operation */
	long patience_ms; /* of this program's own time, from one look at everything to the next */
	/* A defect of a test's own: words when it shows. Called with NULL after each boot. */
	const char *(*defect)(const struct op *op);
};
extern struct runs runs;
extern struct play runs_play;      /* while a run lasts */
extern const char *runs_complaint; /* of the last run, or NULL */

/* How many operations until one failed, that included; 0: none did. */
size_t run_again(struct op *ops, size_t nr);

/*
 * nr operations drawn from a seed. 0: none failed. Else the shortest sequence that fails is in ops,
 * it and why are written to `to`, and its length is returned.
 */
size_t run_random(uint64_t seed, struct op ops[RUN_OPS], size_t nr, FILE *to);

/* "machine NAME", the operations, "end", a line each and each a comment of TAP. */
void print_sequence(FILE *to, const struct op *ops, size_t nr);

/* The first sequence in a text; sets the machine. How many operations; -1, and said on stderr why.
 */
long read_sequence(FILE *from, struct op ops[RUN_OPS]);

#endif
