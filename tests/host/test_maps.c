/*
 * test_maps.c: boots every map of tests/e820/, or those that the command line names, and runs every
 * check of checks.c.
 *
 * It is also built with MemorySanitizer: RAM and descriptors are then poisoned, so that a decision
 * that depends on memory that was never written is an error.
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

/* Divides the map's memory into 32 ranges, which belong to five nodes in turn. Returns how many. */
static uint32_t make_nodes(const struct mapfile *map, struct numa_range nodes[32])
{
	uint64_t end = NUMA_BLOCK;

	for (uint32_t i = 0; i < map->nr; i++)
		if (map->entries[i].type == E820_TYPE_RAM &&
		    map->entries[i].base + map->entries[i].size > end)
			end = map->entries[i].base + map->entries[i].size;
	for (uint32_t i = 0; i < 32; i++)
		nodes[i] = (struct numa_range){ end / 32 * i, end / 32, i % 5, 0 };
	return 32;
}

/*
 * Boots a map with and without 1 GiB pages, with garbage in RAM and without, with one node and with
 * five, and prints its line of TAP. Returns 1 if a check fails, else 0.
 */
static int run_map(const char *name, int number)
{
	static struct mapfile map;
	struct numa_range nodes[32];
	struct check_result checks[CHECKS_MAX];
	struct e820_taken kernel;
	const char *error = "cannot be read";
	uint32_t nr_nodes;
	int bad = 0;

	if (!mapfile_read(&map, name)) {
		printf("not ok %d - %s: %s\n", number, name, error);
		return 1;
	}
	nr_nodes = make_nodes(&map, nodes);
	for (unsigned int variant = 0; variant < 6; variant++) {
		struct sim_options options = {
			.pdpe1gb = variant & 1,
			.dirty = variant & 2,
			.kernel_size = 0x60000,
			.seed = 0x1234567 + variant,
			.nodes = nodes,
			.nr_nodes = variant & 4 ? nr_nodes : 0,
		};
		unsigned int nr;

		/* Writing garbage to every descriptor takes too long for large maps. */
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

/* Returns whether a map fits into the 8 TiB of RAM that MemorySanitizer leaves to a program. */
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
