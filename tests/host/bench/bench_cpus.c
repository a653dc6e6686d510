/*
 * bench_cpus.c: measures the figures of `make bench` about many CPUs, which take turns in one
 * thread:
 *
 *   bench_cpus saturates   for Callgrind: instructions of calls, and those under a lock
 *   bench_cpus stranded    prints the lines `bench ID VALUE`, as tests/host/bench/bench.c
 *
 * It is compiled for 64 CPUs, with the port's smallest functions inline.
 */
#include <stdlib.h>

#include "lib/format.h"
#include "mm/cache.h"
#include "mm/zone.h"
#include "tests/host/bench/counted.h"
#include "tests/host/sim/sim.h"

#define GIB      (1ull << 30)
#define MANY     100000 /* frames of saturates */
#define SOME     10000  /* runs of saturates */
#define TURN     100    /* frames that one CPU allocates and another then frees, in saturates */
#define MAX_HELD (1u << 20)

static struct {
	struct page *held[MAX_HELD];
	uint32_t place[MAX_HELD];
	uint8_t order[MAX_HELD];
	uint64_t seed;
} own;

static void boot(uint64_t bytes, unsigned int cpus)
{
	const struct e820_entry raw[] = { { 4 * GIB, bytes, E820_TYPE_RAM, 0, 20, 0 } };
	const struct sim_options options = { .pdpe1gb = true, .seed = 1 };
	struct e820_taken kernel;
	const char *error;

	sim_cpu = 0;
	sim_nr_cpus = cpus;
	own.seed = 1;
	if (sim_boot(raw, 1, &options, &kernel, &error)) {
		fprintf(stderr, "bench_cpus: %s\n", error);
		exit(1);
	}
}

static uint32_t random_below(uint32_t limit)
{
	own.seed = own.seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((own.seed >> 32) * limit >> 32);
}

static void alloc_many(uint32_t nr, unsigned int order)
{
	for (uint32_t i = 0; i < nr; i++)
		own.held[i] = alloc_pages(GFP_KERNEL, order);
}

static void free_many(uint32_t nr, unsigned int order)
{
	for (uint32_t i = 0; i < nr; i++)
		__free_pages(own.held[i], order);
}

/* ---- saturates ---- */

static void bulk0(void)
{
	alloc_many(MANY, 0);
	free_many(MANY, 0);
}

static void shuffled0(void)
{
	for (uint32_t i = 0; i < MANY; i++)
		own.held[own.place[i]] = alloc_page(GFP_KERNEL);
	free_many(MANY, 0);
}

static uint32_t nr_held; /* runs in own.held */

/* Holds runs of this order in half of memory. */
static void hold_half(unsigned int order, uint64_t bytes)
{
	nr_held = (uint32_t)(bytes / 2 >> PAGE_SHIFT >> order);
	alloc_many(nr_held, order);
}

static void replace(unsigned int order)
{
	for (uint32_t i = 0; i < SOME; i++) {
		struct page **place = &own.held[random_below(nr_held)];

		__free_pages(*place, order);
		*place = alloc_pages(GFP_KERNEL, order);
	}
}

static void order3(void)
{
	replace(3);
}

static void order9(void)
{
	replace(9);
}

static void pass(void)
{
	for (uint32_t i = 0; i < MANY / TURN; i++) {
		sim_cpu = 0;
		alloc_many(TURN, 0);
		sim_cpu = 1;
		free_many(TURN, 0);
	}
	sim_cpu = 0;
}

static void empty(void)
{
	static port_lock_t lock;

	for (unsigned int i = 0; i < MANY; i++)
		port_unlock_irqrestore(&lock, port_lock_irqsave(&lock));
}

/* Counts the instructions of work under a lock, in the dump holds_ID, and prints its holds. */
static void count_holds(const char *id, void (*work)(void))
{
	char name[32];
	unsigned long before = sim_holds;

	snprintf(name, sizeof(name), "holds_%s", id);
	CALLGRIND_ZERO_STATS;
	sim_collect_holds = true;
	work();
	sim_collect_holds = false;
	CALLGRIND_DUMP_STATS_AT(name);
	printf("holds %s %lu\n", id, sim_holds - before);
}

/* Counts work, which has so many operations, after it ran once. */
static void count(const char *id, void (*work)(void), unsigned int operations)
{
	work();
	count_instructions(id, work);
	count_holds(id, work);
	printf("operations %s %u\n", id, operations);
}

/*
 * 28 CPUs on 28 GiB have frame caches of the size that 64 have on 64 GiB, which Valgrind leaves no
 * addresses for.
 */
static void saturates(void)
{
	const uint64_t bytes = 28 * GIB;

	boot(bytes, 28);
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t other = random_below(i + 1);

		own.place[i] = own.place[other];
		own.place[other] = i;
	}
	count("bulk0", bulk0, MANY);
	count("shuffled0", shuffled0, MANY);
	count("pass", pass, MANY);
	count_holds("empty", empty);
	hold_half(9, bytes);
	count("order9", order9, SOME);
	free_many(nr_held, 9);
	hold_half(3, bytes);
	count("order3", order3, SOME);
}

/* ---- stranded ---- */

#define STRANDED_CPUS   MM_MAX_CPUS
#define STRANDED_BYTES  (128ull << 20)
#define STRANDED_FRAMES (STRANDED_BYTES >> PAGE_SHIFT)

static uint64_t cached(void)
{
	uint64_t frames = 0;

	for_each_zone(z)
		frames += cache_frames(z);
	return frames;
}

static uint32_t nr_pieces; /* in own.held, of the orders in own.order */

static void add_pieces(uint64_t frames)
{
	for (uint64_t held = 0; held < frames; held += 1ull << own.order[nr_pieces++]) {
		own.order[nr_pieces] =
		    (uint8_t)__builtin_ctz(random_below(1u << 31) | 1u << BLOCK_ORDER);
		own.held[nr_pieces] = alloc_pages(GFP_KERNEL, own.order[nr_pieces]);
		if (!own.held[nr_pieces]) {
			fprintf(stderr, "bench_cpus: half of memory cannot be allocated\n");
			exit(1);
		}
	}
}

/*
 * Makes this CPU free random pieces, 32 at a time, and allocate others in their place, until so
 * many frames wait in all caches or it has done so often enough. Returns the most that ever waited.
 */
static uint64_t replace_pieces(uint64_t enough)
{
	uint64_t most = 0;
	uint32_t which[32];

	for (unsigned int round = 0; round < 200; round++) {
		for (unsigned int i = 0; i < 32; i++) {
			uint64_t now;

			which[i] = random_below(nr_pieces);
			if (!own.held[which[i]])
				continue;
			__free_pages(own.held[which[i]], own.order[which[i]]);
			own.held[which[i]] = NULL;
			now = cached();
			most = now > most ? now : most;
			if (most >= enough)
				return most;
		}
		for (unsigned int i = 0; i < 32; i++)
			if (!own.held[which[i]])
				own.held[which[i]] = alloc_pages(GFP_ATOMIC, own.order[which[i]]);
	}
	return most;
}

/*
 * Makes every CPU but CPU 0 fill its caches as far as it can, in memory that is half full of pieces
 * of all orders. A cache that is full is drained by the next free: so each CPU works until its
 * caches have as much as they ever had, or else one frame less. Returns how many frames wait.
 */
static uint64_t strand(void)
{
	add_pieces(STRANDED_FRAMES / 2);
	for (sim_cpu = 1; sim_cpu < STRANDED_CPUS; sim_cpu++) {
		uint64_t most = replace_pieces(UINT64_MAX);

		while (replace_pieces(most) < most)
			most--;
	}
	sim_cpu = 0;
	drain_caches();
	return cached();
}

static void stranded(void)
{
	const unsigned int others = STRANDED_CPUS - 1;
	uint32_t nr = 0;
	uint64_t frames;

	boot(STRANDED_BYTES, STRANDED_CPUS);
	frames = strand();
	printf("bench stranded %.2f\n", 100.0 * (double)frames / (double)STRANDED_FRAMES);
	while (alloc_page(GFP_KERNEL))
		nr++;
	printf(
	    "# stranded: %llu frames waited in the caches of %u CPUs; then one CPU allocated %u, "
	    "and %llu were left\n",
	    ULL(frames), others, nr, ULL(cached()));
	printf("bench stranded.left %llu\n", ULL(cached()));
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "saturates"))
		saturates();
	else if (argc == 2 && !strcmp(argv[1], "stranded"))
		stranded();
	else
		return 2;
	return 0;
}
