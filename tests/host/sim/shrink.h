/*
 * shrink.h: finds a short part of a failing sequence of operations that still fails.
 */
#ifndef TESTS_HOST_SIM_SHRINK_H
#define TESTS_HOST_SIM_SHRINK_H

#include "tests/host/sim/ops.h"

/*
 * A function that performs nr operations from a fresh boot. It returns 0 when none fails, else the
 * number of operations up to and including the one that failed.
 */
typedef size_t run_ops(struct op *ops, size_t nr);

/*
 * Shortens the sequence of nr operations in ops, which fails under run, in place. It leaves out
 * parts, from halves down to single operations, and whatever follows the failure, until every
 * operation that remains is needed for a failure. Returns how many remain.
 */
size_t shrink(struct op *ops, size_t nr, run_ops *run);

#endif
