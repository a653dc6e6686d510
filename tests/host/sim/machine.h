/*
 * machine.h: the machines on which random operations run: small arenas, and maps of real machines.
 */
#ifndef TESTS_HOST_SIM_MACHINE_H
#define TESTS_HOST_SIM_MACHINE_H

#include "tests/host/sim/arena.h"

struct machine {
	const char *name;          /* of the machine, or of a map in tests/e820/ */
	const struct arena *arena; /* NULL: the machine is that map */
	uint32_t caches;           /* frames that a CPU's frame cache may hold, in an arena */
	uint32_t check_every;      /* operations from one check of everything to the next */
	uint32_t kilo_ops;         /* thousands of operations in a test: seconds at most */
};

#define NR_MACHINES (MM_BITMAP_SHIFT == 3 ? 7 : 14)
extern const struct machine machines[NR_MACHINES];

/* Returns the machine of that name, or NULL. */
const struct machine *machine_named(const char *name);

/*
 * Boots the machine and initialises m with the frames that were handed over; the caller destroys m.
 * Ends the program when the map cannot be booted.
 */
void machine_boot(const struct machine *machine, struct model *m);

#endif
