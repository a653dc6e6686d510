/*
 * machine.h: the machines that random operations run on: small arenas, and maps of real ones.
 */
#ifndef TESTS_HOST_SIM_MACHINE_H
#define TESTS_HOST_SIM_MACHINE_H

#include "tests/host/sim/arena.h"

struct machine {
	const char *name;          /* without an arena: of a map in tests/e820/ */
	const struct arena *arena; /* or NULL */
	uint32_t caches;           /* frames in a cache of the arena */
	uint32_t check_every;      /* operations from one look at everything to the next */
	uint32_t kilo_ops;         /* thousands of operations in a test: seconds at most */
};

#define NR_MACHINES (MM_BITMAP_SHIFT == 3 ? 5 : 12)
extern const struct machine machines[NR_MACHINES];

/* NULL: there is none of that name. */
const struct machine *machine_named(const char *name);

/* The model holds what was handed over; it must be destroyed. Ends the program when it cannot. */
void machine_boot(const struct machine *machine, struct model *m);

#endif
