/*
 * bench.c: measures those figures of `make bench` that are measured on the host.
 *
 *   bench [ID...]   prints the rows whose id starts with one of these, or all rows
 *   bench count     allocates and frees frames for Callgrind to count, if this program is
 *                   build/host/bench_counted, which has Callgrind's marks
 *
 * It prints a line `bench ID VALUE` for each row, as the kernel does, and further details in lines
 * that begin with `#`. The machine has 4 GiB of RAM, 3 of them below 4 GiB, as QEMU's pc has; most
 * rows of churn.c have all RAM in one piece. No allocation is zeroed. The allocator is compiled as
 * in the library, with -O2 and without a sanitizer, but the port's smallest functions are inline.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "mm/zone.h"
#include "tests/host/bench/bench.h"
#include "tests/host/bench/counted.h"
#include "tests/host/sim/sim.h"

#define BULK 10000

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

void boot(void)
{
	boot_map(pc, sizeof(pc) / sizeof(pc[0]), 2 << 20);
}

void boot_plain(void)
{
	boot_map(plain, 1, 0);
}

void *array_of(size_t nr, size_t size)
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

bool wanted(const char *id, int argc, char **argv)
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
	run += churn_rows(argc, argv);
	if (!run)
		fprintf(stderr, "bench: no id of a row starts with that\n");
	return run ? 0 : 2;
}
