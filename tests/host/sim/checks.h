/*
 * checks.h: checks that must hold after the boot of any map. They need the map and nothing else.
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

/*
 * Runs all checks, after sim_boot() with this map, which placed the kernel there. The last ones
 * allocate all free memory and free it again. Returns how many results were filled in.
 */
unsigned int checks_run(const struct mapfile *map, const struct e820_taken *kernel,
			struct check_result results[CHECKS_MAX]);

#endif
