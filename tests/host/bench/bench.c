/*
 * bench.c: measures those figures of `make bench` that are measured on the host.
 *
 *   bench [ID...]   prints the rows whose id starts with one of these, or all rows
 *   bench count     allocates and frees frames for Callgrind to count, if this program is
 *                   build/host/bench_counted, which has Callgrind's marks
 *
 * It prints a line `bench ID VALUE` for each row, as the kernel does, and further details in lines
 * that begin with `#`. The machine has 4 GiB of RAM, 3 of them below 4 GiB, as QEMU's pc has; most
 * churn rows have all RAM in one piece. No allocation is zeroed. The allocator is compiled as in
 * the library, with -O2 and without a sanitizer, but the port's smallest functions are inline.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "lib/format.h"
#include "mm/cache.h"
#include "mm/page_state.h"
#include "mm/zone.h"
#include "tests/host/bench/counted.h"
#include "tests/host/sim/sim.h"

#define FRAMES (1u << 20) /* RAM of the machine */
#define BULK   10000

/*
 * Two machines of 4 GiB: as QEMU's pc has them, and in one piece. The latter has no partly usable
 * blocks at the edges of ranges and zones, which would lower the figures of any allocator.
 */
static const struct e820_entry pc[] = {
	{ 0, 0x9fc00, E820_TYPE_RAM, 0, 20, 0 },
	{ 0x9fc00, 0x400, E820_TYPE_RESERVED, 0, 20, 0 },
	{ 0xf0000, 0x10000, E820_TYPE_RESERVED, 0, 20, 0 },
	{ 0x100000, 0xbfedf000, E820_TYPE_RAM, 0, 20, 0 },
	{ 0xbffdf000, 0x21000, E820_TYPE_RESERVED, 0, 20, 0 },
	{ 0xfffc0000, 0x40000, E820_TYPE_RESERVED, 0, 20, 0 },
	{ 0x100000000, 0x40000000, E820_TYPE_RAM, 0, 20, 0 },
};
static const struct e820_entry plain[] = { { 0x100000000, 0x100000000, E820_TYPE_RAM, 0, 20, 0 } };

static void boot_map(const struct e820_entry *raw, uint32_t nr, uint64_t kernel_size)
{
	const struct sim_options options = { .pdpe1gb = true,
					     .kernel_size = kernel_size,
					     .seed = 1 };
	struct e820_taken kernel;
	const char *error;

	if (sim_boot(raw, nr, &options, &kernel, &error)) {
		fprintf(stderr, "bench: %s\n", error);
		exit(1);
	}
}

static void boot(void)
{
	boot_map(pc, sizeof(pc) / sizeof(pc[0]), 2 << 20);
}

/* Returns the next number of SplitMix64, the generator of Steele, Lea and Flood. */
static uint64_t next_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint32_t random_below(uint64_t *seed, uint32_t limit)
{
	return (uint32_t)((next_random(seed) >> 32) * limit >> 32);
}

static void *array_of(size_t nr, size_t size)
{
	void *array = calloc(nr, size);

	if (!array) {
		fprintf(stderr, "bench: this host has too little memory\n");
		exit(1);
	}
	return array;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Bulk: frames are allocated one by one into an array, and then freed in that order. */

static struct page *bulk_pages[BULK];

__attribute__((noinline)) static void bulk_alloc(void)
{
	for (unsigned int i = 0; i < BULK; i++)
		bulk_pages[i] = alloc_page(GFP_KERNEL);
}

__attribute__((noinline)) static void bulk_free(void)
{
	for (unsigned int i = 0; i < BULK; i++)
		__free_page(bulk_pages[i]);
}

/* The same loops without the allocator: they only store, and only load. */
__attribute__((noinline)) static void empty_alloc(void)
{
	for (unsigned int i = 0; i < BULK; i++) {
		struct page *page;

		__asm__ volatile("" : "=r"(page));
		bulk_pages[i] = page;
	}
}

__attribute__((noinline)) static void empty_free(void)
{
	for (unsigned int i = 0; i < BULK; i++)
		__asm__ volatile("" : : "r"(bulk_pages[i]) : "memory");
}

__attribute__((noinline)) static void empty_holds(void)
{
	static port_lock_t lock;

	for (unsigned int i = 0; i < BULK; i++)
		port_unlock_irqrestore(&lock, port_lock_irqsave(&lock));
}

static void collect_holds(const char *name, void (*work)(void))
{
	unsigned long before = sim_holds;

	CALLGRIND_ZERO_STATS;
	sim_collect_holds = true;
	work();
	sim_collect_holds = false;
	CALLGRIND_DUMP_STATS_AT(name);
	printf("%s %lu\n", name, sim_holds - before);
}

/* Shuffled: frames are allocated one by one, and then freed in random order. */

#define SHUFFLED 100000

static struct page *shuffled_pages[SHUFFLED];

static void shuffled_alloc(void)
{
	uint64_t seed = 1;

	for (uint32_t i = 0; i < SHUFFLED; i++) {
		uint32_t other = random_below(&seed, i + 1);

		shuffled_pages[i] = shuffled_pages[other];
		shuffled_pages[other] = alloc_page(GFP_KERNEL);
	}
}

static void shuffled_free(void)
{
	for (unsigned int i = 0; i < SHUFFLED; i++)
		__free_page(shuffled_pages[i]);
}

static void shuffled_locks(const char *id)
{
	unsigned long before;

	boot();
	shuffled_alloc();
	before = sim_holds;
	shuffled_free();
	printf("bench %s %.1f\n", id, (double)(sim_holds - before) * 1000 / SHUFFLED);
}

static void count_bulk(void)
{
	boot();
	count_instructions("first_alloc", bulk_alloc);
	count_instructions("first_free", bulk_free);
	count_instructions("alloc", bulk_alloc);
	count_instructions("free", bulk_free);
	collect_holds("holds_alloc", bulk_alloc);
	collect_holds("holds_free", bulk_free);
	shuffled_alloc();
	collect_holds("holds_shuffled", shuffled_free);
	collect_holds("empty_holds", empty_holds);
	count_instructions("empty_alloc", empty_alloc);
	count_instructions("empty_free", empty_free);
}

static void lock_bulk0(const char *id)
{
	unsigned long start, middle, end;

	boot();
	bulk_alloc();
	bulk_free();
	start = sim_holds;
	bulk_alloc();
	middle = sim_holds;
	bulk_free();
	end = sim_holds;
	printf("# %s: %.1f to allocate 1,000, %.1f to free them\n", id,
	       (double)(middle - start) * 1000 / BULK, (double)(end - middle) * 1000 / BULK);
	if (end - middle < middle - start)
		end = middle + (middle - start);
	printf("bench %s %.1f\n", id, (double)(end - middle) * 1000 / BULK);
}

static void state(const char *id)
{
	uint64_t present = 0;

	boot();
	for_each_zone(z)
		present += z->present;
	printf("bench %s %.3f\n", id, (double)zones_bytes / (double)present);
}

/*
 * Churn: all memory is allocated, and a part of it is freed at random. Then each of many rounds
 * replaces a tenth of what is held: it is freed, piece by piece at random, and as much is
 * allocated. The figure is the share of free memory that can still be allocated in 2 MiB blocks.
 */

struct piece {
	struct page *page;
	unsigned int order;
	bool old; /* not freed since all memory was allocated */
};

struct churn {
	uint64_t seed;
	unsigned int max_order;
	double pinned; /* share of the frames that are never freed */
	bool late;     /* they are chosen during the rounds, not before */
	bool in_turn;  /* frees and allocations alternate, instead of a tenth at once */
	bool on_pc;    /* the machine is pc, not plain */
	unsigned int rounds;

	struct piece *pieces; /* the first nr_pinned are never freed */
	uint32_t nr, nr_pinned;
	uint64_t held; /* frames */
	uint64_t failed;
};

/*
 * Returns a random order. Each has half the probability of the one below, so that all orders get
 * nearly the same share of the frames.
 */
static unsigned int random_order(struct churn *c)
{
	unsigned int order = 0;

	while (order < c->max_order && next_random(&c->seed) >> 63)
		order++;
	return order;
}

static bool churn_alloc(struct churn *c, unsigned int order)
{
	struct page *page = alloc_pages(GFP_ATOMIC, order);

	if (!page)
		return false;
	c->pieces[c->nr++] = (struct piece){ page, order, false };
	c->held += 1ull << order;
	return true;
}

static unsigned int churn_free(struct churn *c)
{
	uint32_t which = c->nr_pinned + random_below(&c->seed, c->nr - c->nr_pinned);
	struct piece piece = c->pieces[which];

	__free_pages(piece.page, piece.order);
	c->pieces[which] = c->pieces[--c->nr];
	c->held -= 1ull << piece.order;
	return piece.order;
}

static void pin(struct churn *c, uint32_t which)
{
	struct piece piece = c->pieces[which];

	c->pieces[which] = c->pieces[c->nr_pinned];
	c->pieces[c->nr_pinned++] = piece;
}

static void fill(struct churn *c)
{
	for (;;) {
		unsigned int order = random_order(c);

		while (!churn_alloc(c, order))
			if (!order--)
				return;
	}
}

/* Allocates until target frames are held; each allocation is pinned with this probability. */
static void refill(struct churn *c, uint64_t target, double pin_probability)
{
	for (;;) {
		unsigned int order = random_order(c);

		if (c->held + (1ull << order) > target)
			return;
		if (!churn_alloc(c, order)) {
			c->failed++;
			return;
		}
		if ((double)(next_random(&c->seed) >> 11) * 0x1p-53 < pin_probability)
			pin(c, c->nr - 1);
	}
}

/* Frees a random tenth of what is held and allocates as much, or does both in turn. */
static void churn_round(struct churn *c, uint64_t target)
{
	double probability = c->late ? c->pinned * FRAMES / ((double)target / 10 * c->rounds) : 0;

	if (c->in_turn) {
		for (uint64_t gone = 0; gone < target / 10; refill(c, target, probability))
			gone += 1ull << churn_free(c);
		return;
	}
	while (c->held > target - target / 10)
		churn_free(c);
	refill(c, target, probability);
}

static uint64_t whole_blocks(uint64_t *nr_free)
{
	uint64_t counts[NR_ORDERS], whole = 0;

	drain_caches();
	*nr_free = 0;
	for_each_zone(z) {
		zone_free_blocks(z, counts);
		for (unsigned int k = 0; k < NR_ORDERS; k++) {
			*nr_free += counts[k] << k;
			whole += k < BLOCK_ORDER ? 0 : counts[k] << (k - BLOCK_ORDER);
		}
	}
	return whole;
}

/*
 * Returns the percentage of free memory that any allocator could have in whole blocks. Blocks with
 * a frame that was never freed cannot be whole, because nothing is moved. whole is the number of
 * whole blocks before memory was filled, nr_free that of free frames now.
 */
static double bound(const struct churn *c, uint64_t whole, uint64_t nr_free)
{
	uint8_t *pinned = array_of((SIM_RAM_SIZE >> PAGE_SHIFT) >> BLOCK_ORDER, 1);
	double share;

	for (uint32_t i = 0; i < c->nr; i++) {
		uint8_t *block = &pinned[page_to_pfn(c->pieces[i].page) >> BLOCK_ORDER];

		whole -= c->pieces[i].old && !*block;
		*block |= c->pieces[i].old;
	}
	free(pinned);
	share = 100.0 * (double)(whole << BLOCK_ORDER) / (double)nr_free;
	return share < 100 ? share : 100;
}

/* Returns the percentage of free memory that is in whole blocks; *best is what bound() says. */
static double churn(struct churn c, unsigned int percent, double *best)
{
	uint64_t nr_free, whole, at_start, target;

	if (c.on_pc)
		boot();
	else
		boot_map(plain, 1, 0);
	at_start = whole_blocks(&nr_free);
	c.pieces = array_of(FRAMES, sizeof(*c.pieces));
	fill(&c);
	for (uint32_t i = 0; i < c.nr; i++)
		c.pieces[i].old = true;
	if (!c.late)
		while (c.nr_pinned < (uint32_t)(c.pinned * FRAMES))
			pin(&c, c.nr_pinned + random_below(&c.seed, c.nr - c.nr_pinned));
	target = c.held * (100 - percent) / 100;
	while (c.held > target)
		churn_free(&c);
	for (unsigned int i = 0; i < c.rounds; i++)
		churn_round(&c, target);
	whole = whole_blocks(&nr_free);
	*best = bound(&c, at_start, nr_free);
	if (c.failed)
		printf("(%llu allocations of a mixed order failed) ", ULL(c.failed));
	free(c.pieces);
	return 100.0 * (double)(whole << BLOCK_ORDER) / (double)nr_free;
}

/* Prints a row: the worst result of several seeds, and the bound if that is below 100. */
static void churn_row(const char *id, struct churn c, unsigned int percent, unsigned int seeds)
{
	double worst = 100, best = 100;

	printf("# %s: seeds 1 to %u:", id, seeds);
	for (uint64_t seed = 1; seed <= seeds; seed++) {
		double can, is;

		c.seed = seed;
		is = churn(c, percent, &can);
		printf(" %.2f", is);
		worst = is < worst ? is : worst;
		best = can < best ? can : best;
	}
	printf("\nbench %s %.2f\n", id, worst);
	if (best < 100)
		printf("bench %s.bound %.2f\n", id, best);
}

static const struct {
	const char *id;
	struct churn churn;
	unsigned int percent; /* of memory that is free during the rounds */
	unsigned int seeds;
} churns[] = {
	{ "churn.50", { .rounds = 500 }, 50, 3 },
	{ "churn.25", { .rounds = 500 }, 25, 3 },
	{ "churn.10", { .rounds = 500 }, 10, 3 },
	{ "churn.short.50", { .rounds = 100 }, 50, 1 },
	{ "churn.short.25", { .rounds = 100 }, 25, 1 },
	{ "churn.short.10", { .rounds = 100 }, 10, 1 },
	{ "churn.pc.50", { .rounds = 500, .on_pc = true }, 50, 1 },
	{ "churn.pc.25", { .rounds = 500, .on_pc = true }, 25, 1 },
	{ "churn.pc.10", { .rounds = 500, .on_pc = true }, 10, 1 },
	{ "churn.turn.50", { .rounds = 500, .in_turn = true }, 50, 1 },
	{ "churn.turn.25", { .rounds = 500, .in_turn = true }, 25, 1 },
	{ "churn.turn.10", { .rounds = 500, .in_turn = true }, 10, 1 },
	{ "churn.mixed.50", { .max_order = BLOCK_ORDER, .rounds = 100 }, 50, 3 },
	{ "churn.mixed.25", { .max_order = BLOCK_ORDER, .rounds = 100 }, 25, 3 },
	{ "churn.mixed.10", { .max_order = BLOCK_ORDER, .rounds = 100 }, 10, 3 },
	{ "churn.pinned.0.01", { .pinned = 0.0001, .rounds = 100 }, 50, 1 },
	{ "churn.pinned.0.1", { .pinned = 0.001, .rounds = 100 }, 50, 1 },
	{ "churn.pinned.1", { .pinned = 0.01, .rounds = 100 }, 50, 1 },
	{ "churn.late.0.01", { .pinned = 0.0001, .rounds = 100, .late = true }, 50, 1 },
	{ "churn.late.0.1", { .pinned = 0.001, .rounds = 100, .late = true }, 50, 1 },
	{ "churn.late.1", { .pinned = 0.01, .rounds = 100, .late = true }, 50, 1 },
};

/*
 * Scaling: the throughput of two threads divided by that of one. A run has four parts: an empty
 * loop and the work, each by one thread and by two. Dividing by the result of the empty loop
 * removes how much of two cores the host gives at the moment.
 */

#define SCALE_RUNS  41
#define SCALE_NS    20000000     /* duration of each part */
#define SCALE_CHUNK 1000         /* operations after which a thread looks whether to stop */
#define SHARE       (FRAMES / 4) /* frames that each thread of scale2.random holds */

struct worker {
	pthread_t thread;
	unsigned int cpu;
	uint64_t seed;
	uint64_t operations;
	struct page **held;
	void (*work)(struct worker *self);
} __attribute__((aligned(128))); /* the seeds are written all the time: no shared cache line */

static struct worker workers[2];
static atomic_uint ready, going;
static atomic_bool stop;

static void work_empty(struct worker *self)
{
	for (unsigned int i = 0; i < SCALE_CHUNK; i++) {
		self->seed = self->seed * 6364136223846793005u + 1;
		__asm__ volatile("" : "+r"(self->seed));
	}
}

static void work_repeat(struct worker *self)
{
	(void)self;
	for (unsigned int i = 0; i < SCALE_CHUNK; i++)
		__free_page(alloc_page(GFP_KERNEL));
}

static void work_random(struct worker *self)
{
	for (unsigned int i = 0; i < SCALE_CHUNK; i++) {
		uint32_t which = random_below(&self->seed, SHARE);

		__free_page(self->held[which]);
		self->held[which] = alloc_page(GFP_KERNEL);
	}
}

/* Accesses random descriptors as work_random() does, without the allocator. */
static void work_touch(struct worker *self)
{
	for (unsigned int i = 0; i < SCALE_CHUNK; i++) {
		struct page *page = self->held[random_below(&self->seed, SHARE)];

		set_page_private(page, page_private(page) + 1);
	}
}

static void work_hold(struct worker *self)
{
	if (self->held)
		return;
	self->held = array_of(SHARE, sizeof(struct page *));
	for (unsigned int i = 0; i < SHARE; i++)
		self->held[i] = alloc_page(GFP_KERNEL);
}

static void *work(void *argument)
{
	struct worker *self = argument;

	sim_cpu = self->cpu;
	atomic_fetch_add(&ready, 1);
	while (!atomic_load(&going))
		;
	do {
		self->work(self);
		self->operations += SCALE_CHUNK;
	} while (!atomic_load_explicit(&stop, memory_order_relaxed));
	return NULL;
}

static void start_workers(unsigned int nr, void (*fn)(struct worker *self))
{
	atomic_store(&ready, 0);
	atomic_store(&going, 0);
	atomic_store(&stop, false);
	for (unsigned int i = 0; i < nr; i++) {
		workers[i].cpu = i;
		workers[i].operations = 0;
		workers[i].work = fn;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
			fprintf(stderr, "bench: cannot create a thread\n");
			exit(1);
		}
	}
	while (atomic_load(&ready) < nr)
		sched_yield();
}

/* Runs fn on nr threads for ns nanoseconds. Returns operations per nanosecond of all together. */
static double run_workers(unsigned int nr, void (*fn)(struct worker *self), long ns)
{
	const struct timespec duration = { .tv_nsec = ns };
	struct timespec start, end;
	uint64_t operations = 0;

	start_workers(nr, fn);
	clock_gettime(CLOCK_MONOTONIC, &start);
	atomic_store(&going, 1);
	nanosleep(&duration, NULL);
	atomic_store(&stop, true);
	clock_gettime(CLOCK_MONOTONIC, &end);
	for (unsigned int i = 0; i < nr; i++) {
		pthread_join(workers[i].thread, NULL);
		operations += workers[i].operations;
	}
	return (double)operations /
	       ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec));
}

/* Returns the throughput of two threads divided by that of one; best[] keeps the best of each. */
static double gain(void (*fn)(struct worker *self), double best[2])
{
	double rate[2];

	for (unsigned int i = 0; i < 2; i++) {
		rate[i] = run_workers(i + 1, fn, SCALE_NS);
		best[i] = rate[i] > best[i] ? rate[i] : best[i];
	}
	return rate[1] / rate[0];
}

static void scale(const char *id, void (*fn)(struct worker *self))
{
	double ratios[SCALE_RUNS], gains[SCALE_RUNS], empties[SCALE_RUNS];
	double best[2] = { 0, 0 }, best_empty[2] = { 0, 0 };

	run_workers(2, fn, SCALE_NS); /* fills the CPU caches */
	for (unsigned int i = 0; i < SCALE_RUNS; i++) {
		empties[i] = gain(work_empty, best_empty);
		gains[i] = gain(fn, best);
		ratios[i] = gains[i] / empties[i];
	}
	qsort(ratios, SCALE_RUNS, sizeof(double), compare);
	qsort(gains, SCALE_RUNS, sizeof(double), compare);
	qsort(empties, SCALE_RUNS, sizeof(double), compare);
	printf("# %s: two over one %.2f, empty loop %.2f; middle half of the ratio %.2f to %.2f; "
	       "of the best %.2f\n",
	       id, gains[SCALE_RUNS / 2], empties[SCALE_RUNS / 2], ratios[SCALE_RUNS / 4],
	       ratios[SCALE_RUNS * 3 / 4], best[1] / best[0] * best_empty[0] / best_empty[1]);
	printf("bench %s %.2f\n", id, ratios[SCALE_RUNS / 2]);
}

static void scale_repeat(const char *id)
{
	boot();
	scale(id, work_repeat);
}

static void scale_random(const char *id)
{
	boot();
	workers[0].seed = 1;
	workers[1].seed = 2;
	run_workers(2, work_hold, 0);
	scale(id, work_random);
	scale("scale2.touch", work_touch);
	free(workers[0].held);
	free(workers[1].held);
}

static const struct {
	const char *id;
	void (*run)(const char *id);
} rows[] = {
	{ "state", state },
	{ "lock.bulk0", lock_bulk0 },
	{ "shuffled0.locks", shuffled_locks },
	{ "scale2.repeat", scale_repeat },
	{ "scale2.random", scale_random },
};

static bool wanted(const char *id, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strncmp(id, argv[i], strlen(argv[i])))
			return true;
	return argc < 2;
}

int main(int argc, char **argv)
{
	unsigned int run = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "count")) {
		count_bulk();
		return 0;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (wanted(rows[i].id, argc, argv)) {
			rows[i].run(rows[i].id);
			run++;
		}
	for (size_t i = 0; i < sizeof(churns) / sizeof(churns[0]); i++)
		if (wanted(churns[i].id, argc, argv)) {
			churn_row(churns[i].id, churns[i].churn, churns[i].percent,
				  churns[i].seeds);
			run++;
		}
	if (!run)
		fprintf(stderr, "bench: no id of a row starts with that\n");
	return run ? 0 : 2;
}
