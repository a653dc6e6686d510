/*
 * checks.h: what must hold of any map after the boot, from the map alone.
 */
#ifndef TESTS_HOST_SIM_CHECKS_H
#define TESTS_HOST_SIM_CHECKS_H

#include "lib/e820.h"
#include "tools/replay/mapfile.h"

#define CHECKS_MAX 16

struct check_result {
	const char *name;
	bool ok;
};

/* Runs all of them, after sim_boot(); the last ones allocate everything and free it again. */
unsigned int checks_run(const struct mapfile *map, const struct e820_taken *kernel,
			struct check_result results[CHECKS_MAX]);

#endif
