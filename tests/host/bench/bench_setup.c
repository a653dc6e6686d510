/*
 * bench_setup.c: lets Callgrind count what the worst memory maps cost, and walks over scattered
 * free memory.
 *
 *   bench_setup islands     mem_map_init() over 1,000 and 8,000 islands of RAM, with page tables
 *   bench_setup hostile     e820_sanitize() of 1,024 entries
 *   bench_setup ranges      next_free_range() where every second frame is free
 *
 * Its dumps are named ROW_SHAPE; scripts/bench takes the worst shape of a row.
 */
#include <string.h>

#include "arch/x86_64/paging.h"
#include "lib/e820.h"
#include "lib/format.h"
#include "mm/cache.h"
#include "mm/gfp.h"
#include "mm/memblock.h"
#include "mm/page_state.h"
#include "tests/host/bench/counted.h"
#include "tests/host/sim/sim.h"

#define MIB 0x100000ull
#define GIB 0x40000000ull

static void count(const char *row, const char *shape, void (*work)(void))
{
	char name[64];

	snprintf(name, sizeof(name), "%s_%s", row, shape);
	count_instructions(name, work);
}

/* Islands. */

#define PITCH (4 * MIB) /* from one island to the next: 8,000 of them fit into SIM_RAM_SIZE */

static const struct island_shape {
	const char *name;
	phys_addr_t size;
	phys_addr_t below; /* RAM below them, for descriptors that find no room on their island */
} island_shapes[] = {
	{ "blocks", 2 * MIB, 2 * MIB },
	{ "ragged", 2 * MIB + 12 * PAGE_SIZE, 2 * MIB },
	{ "full", 2 * PAGE_SIZE, 160 * MIB }, /* the descriptors take all of it */
	{ "frames", PAGE_SIZE, 160 * MIB },   /* none has room */
};

static void map_descriptors(void)
{
	mem_map_init();
}

/* Makes a memblock with nr islands, and above them 64 MiB of RAM for its arrays and page tables. */
static void boot_islands(const struct island_shape *shape, unsigned int nr)
{
	const struct paging_config paging = { .nx = true, .pdpe1gb = true };
	phys_addr_t base = 160 * MIB;

	sim_reset();
	sim_map_ram(SIM_RAM_SIZE);
	memblock_allow_resize();
	memblock_add_node(0, shape->below, 0, MEMBLOCK_NONE);
	for (unsigned int i = 2; i < nr; i++, base += PITCH)
		memblock_add_node(base, shape->size, 0, MEMBLOCK_NONE);
	memblock_add_node(base, 64 * MIB, 0, MEMBLOCK_NONE);
	paging_init(&paging);
	paging_direct_map();
}

static void islands(void)
{
	static const unsigned int numbers[] = { 1000, 8000 };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		for (size_t k = 0; k < sizeof(island_shapes) / sizeof(island_shapes[0]); k++) {
			char row[32];

			boot_islands(&island_shapes[k], numbers[i]);
			snprintf(row, sizeof(row), "islands_%u", numbers[i]);
			count(row, island_shapes[k].name, map_descriptors);
		}
}

/* Hostile maps. */

#define HOSTILE 1024
#define UNIT    0x10000ull

static struct e820_entry hostile_raw[HOSTILE];
static struct e820_map hostile_map;

static void sanitize(void)
{
	e820_sanitize(&hostile_map, hostile_raw, HOSTILE);
}

/* The i-th of n entries that cover the line of `units` units: each a little less than the last. */
static struct e820_entry cover(unsigned int i, uint64_t units, uint32_t type)
{
	return (struct e820_entry){ UNIT + i, units * UNIT - 2ull * i, type, 0, 20, 0 };
}

static struct e820_entry piece(uint64_t unit, uint64_t units, uint32_t type)
{
	return (struct e820_entry){ (unit + 1) * UNIT, units * UNIT, type, 0, 20, 0 };
}

/*
 * The shapes return entry i of a map. Most have n entries that make as many pieces as possible, and
 * then others that each meet all of them: in runs that are one correction, in corrections that
 * cannot be joined, losing, winning over every second piece, or filling gaps.
 */
static struct e820_entry lose_to_all(unsigned int i, unsigned int n)
{
	return i < n ? piece(i, 1, 3 + i % 2) : cover(i - n, n, E820_TYPE_RAM);
}

static struct e820_entry lose_in_turn(unsigned int i, unsigned int n)
{
	return i < n ? piece(n - 1 - i, 1, 3 + i % 2) : cover(i - n, n, 3);
}

static struct e820_entry win_every_second(unsigned int i, unsigned int n)
{
	if (!i)
		return piece(0, 2ull * n + 1, E820_TYPE_RAM);
	return i < n ? piece(2ull * i, 1, 100000) : cover(i - n, 2ull * n + 1, 100 + i);
}

static struct e820_entry win_downwards(unsigned int i, unsigned int n)
{
	if (!i)
		return piece(0, 2ull * n + 1, E820_TYPE_RAM);
	return i < n ? piece(2ull * (n - i), 1, 100000 + i) : cover(i - n, 2ull * n + 1, 100 + i);
}

static struct e820_entry fill_gaps(unsigned int i, unsigned int n)
{
	return i < n ? piece(2ull * i, 1, 3) : cover(i - n, 2ull * n + 1, E820_TYPE_RAM);
}

static struct e820_entry staggered(unsigned int i, unsigned int n)
{
	return i < n ? piece(4ull * i, 4, 3 + i % 2) : piece(4ull * (i - n) + 1, 2ull * n, 1);
}

/* The worst kind in a search through 5,000 random ones. */
static struct e820_entry sliding(unsigned int i, unsigned int n)
{
	uint64_t line = 3ull * (n + 2) * UNIT;

	if (i < n)
		return piece(3ull * i, 2, 3);
	return (struct e820_entry){
		UNIT + (i - n) * (line / (HOSTILE - n) / 2), line / 2, 1 + i * 7 % 5, 0, 20, 0
	};
}

static struct e820_entry nested(unsigned int i, unsigned int n)
{
	(void)n;
	return piece(i, 2ull * HOSTILE - 2ull * i, i + 1);
}

static struct e820_entry nested_outwards(unsigned int i, unsigned int n)
{
	(void)n;
	return piece(HOSTILE - i, 2ull * i + 1, 2 * HOSTILE - i);
}

static struct e820_entry random_entry(unsigned int i, unsigned int n)
{
	static uint64_t seed = 1;
	uint64_t high;

	(void)i;
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	high = seed >> 20;
	return (struct e820_entry){ high % 4096 * UNIT + seed % UNIT,
				    (high >> 12) % n * UNIT + 1,
				    1 + (uint32_t)(high >> 30) % n,
				    0,
				    20,
				    0 };
}

static void hostile(void)
{
	static const struct {
		const char *name;
		struct e820_entry (*entry)(unsigned int i, unsigned int n);
	} shapes[] = {
		{ "lose_to_all", lose_to_all },
		{ "lose_in_turn", lose_in_turn },
		{ "win_every_second", win_every_second },
		{ "win_downwards", win_downwards },
		{ "fill_gaps", fill_gaps },
		{ "staggered", staggered },
		{ "sliding", sliding },
		{ "nested", nested },
		{ "nested_outwards", nested_outwards },
		{ "random", random_entry },
	};

	for (size_t k = 0; k < sizeof(shapes) / sizeof(shapes[0]); k++)
		for (unsigned int n = 128; n < HOSTILE; n += 128) {
			char name[32];

			for (unsigned int i = 0; i < HOSTILE; i++)
				hostile_raw[i] = shapes[k].entry(i, n);
			snprintf(name, sizeof(name), "%s_%u", shapes[k].name, n);
			count("hostile_1024", name, sanitize);
		}
}

/* Ranges. */

static unsigned int nr_ranges;

/* From the middle of RAM on, so that neither its ends nor the whole blocks there count. */
static void walk_ranges(void)
{
	pfn_t pfn = PFN_DOWN(5 * GIB), end;

	for (nr_ranges = 0; nr_ranges < 100000 && next_free_range(&pfn, &end); nr_ranges++)
		pfn = end;
}

/* Allocates all frames of 2 GiB one by one, and frees those with an odd number. */
static void boot_halved(void)
{
	const struct e820_entry raw = { 4 * GIB, 2 * GIB, E820_TYPE_RAM, 0, 20, 0 };
	const struct sim_options options = { .pdpe1gb = true, .seed = 1 };
	struct e820_taken kernel;
	struct page *page, *odd = NULL;
	const char *error;

	if (sim_boot(&raw, 1, &options, &kernel, &error))
		panic("%s", error);
	while ((page = alloc_page(GFP_ATOMIC)))
		if (page_to_pfn(page) % 2) {
			set_page_private(page, (uintptr_t)odd);
			odd = page;
		}
	while ((page = odd)) {
		odd = (struct page *)page_private(page);
		__free_page(page);
	}
	drain_caches();
}

static void ranges(void)
{
	boot_halved();
	count("ranges", "odd", walk_ranges);
	printf("ranges_odd %u\n", nr_ranges);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} rows[] = { { "islands", islands }, { "hostile", hostile }, { "ranges", ranges } };

	for (size_t i = 0; argc == 2 && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(argv[1], rows[i].name)) {
			rows[i].run();
			return 0;
		}
	return 2;
}
