#include "tests/host/sim/shrink.h"

#include <stdlib.h>
#include <string.h>

/*
 * Copies ops without [at, at + gone) to less and runs that. Returns the number of operations up to
 * the failure, or 0 when there is none any more.
 */
static size_t run_without(const struct op *ops, size_t nr, size_t at, size_t gone, struct op *less,
			  run_ops *run)
{
	memcpy(less, ops, at * sizeof(*ops));
	memcpy(less + at, ops + at + gone, (nr - at - gone) * sizeof(*ops));
	return run(less, nr - gone);
}

/*
 * Tries to leave out each part of this size once; less is room for nr operations. Returns how many
 * operations remain.
 */
static size_t leave_out(struct op *ops, size_t nr, size_t part, struct op *less, run_ops *run)
{
	for (size_t at = 0; at < nr;) {
		size_t gone = part < nr - at ? part : nr - at;
		size_t failing = run_without(ops, nr, at, gone, less, run);

		if (failing) {
			nr = failing;
			memcpy(ops, less, nr * sizeof(*ops));
		} else {
			at += gone;
		}
	}
	return nr;
}

size_t shrink(struct op *ops, size_t nr, run_ops *run)
{
	struct op *less = malloc(nr * sizeof(*less));
	size_t part = nr, before;

	if (!less)
		abort();
	do {
		before = nr;
		part = part > 1 ? (part + 1) / 2 : 1;
		nr = leave_out(ops, nr, part, less, run);
	} while (part > 1 || nr < before);
	free(less);
	return nr;
}
