/*
 * test_maps.c: every map of tests/e820/ (or those named) through the boot, with every check of
 * checks.c, from power-on garbage. Built with MemorySanitizer too: descriptors and RAM are then
 * poisoned, so that a decision made from memory nobody wrote is an error.
 */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "mm/memblock.h"
#include "tests/host/sim/checks.h"
#include "tests/host/sim/sim.h"
#include "tools/replay/mapfile.h"

#ifdef SIM_MSAN
#define MAX_DIRTY_BYTES 0
#else
#define MAX_DIRTY_BYTES (8ull << 30)
#endif

/* With and without 1 GiB pages, with garbage in RAM and without. */
static int run_map(const char *name, int number)
{
	static struct mapfile map;
	struct check_result checks[CHECKS_MAX];
	struct e820_taken kernel;
	const char *error = "cannot be read";
	int bad = 0;

	if (!mapfile_read(&map, name)) {
		printf("not ok %d - %s: %s\n", number, name, error);
		return 1;
	}
	for (unsigned int variant = 0; variant < 4; variant++) {
		struct sim_options options = {
			.pdpe1gb = variant & 1,
			.dirty = variant & 2,
			.kernel_size = 0x60000,
			.seed = 0x1234567 + variant,
		};
		unsigned int nr;

		/* Garbage goes to every descriptor: only where that is quick, and not poison. */
		if (options.dirty && e820_bytes(&e820_map, E820_TYPE_RAM) > MAX_DIRTY_BYTES)
			continue;
		if (sim_boot(map.entries, map.nr, &options, &kernel, &error)) {
			printf("# %s: %s\n", name, error);
			bad++;
			continue;
		}
		nr = checks_run(&map, &kernel, checks);
		for (unsigned int i = 0; i < nr; i++)
			if (!checks[i].ok) {
				printf("# %s, variant %u: %s\n", name, variant, checks[i].name);
				bad++;
			}
	}
	printf("%sok %d - %s\n", bad ? "not " : "", number, name);
	return bad != 0;
}

/* MemorySanitizer's address space has room for 8 TiB of RAM: the maps that reach further wait. */
static bool fits(const char *name)
{
#ifdef SIM_MSAN
	return !strstr(name, "32tib");
#else
	return name != NULL;
#endif
}

int main(int argc, char **argv)
{
	glob_t maps;
	int failed = 0, number = 0;

	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			failed += run_map(argv[i], ++number);
	} else if (!glob("tests/e820/*.map", 0, NULL, &maps)) {
		for (size_t i = 0; i < maps.gl_pathc; i++)
			if (fits(maps.gl_pathv[i]))
				failed += run_map(maps.gl_pathv[i], ++number);
		globfree(&maps);
	}
	printf("1..%d\n", number);
	return failed || !number;
}
