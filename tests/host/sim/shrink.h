/*
 * shrink.h: the shortest part of a failing sequence that still fails.
 */
#ifndef TESTS_HOST_SIM_SHRINK_H
#define TESTS_HOST_SIM_SHRINK_H

#include "tests/host/sim/ops.h"

/* Does the operations from a fresh start: how many until one failed, that included; 0: none did. */
typedef size_t run_ops(struct op *ops, size_t nr);

/*
 * ops[0 .. nr) fails under run. Leaves out what can be left out: first what follows the failure,
 * then parts, from halves down to single operations, until without any single one of those that
 * remain nothing fails. Returns how many do.
 */
size_t shrink(struct op *ops, size_t nr, run_ops *run);

#endif
