/*
 * bench_ns.c: measures this allocator and that of peers/lists.h side by side, in nanoseconds:
 *
 *   bench_ns [ID...]   prints the rows whose id starts with one of these, or all rows
 *
 * Every row is measured in many slices, in five processes one after the other: what a processor has
 * learned of a loop can make it slower by half, and lasts as long as the process. In each slice
 * three kinds of the same work take turns: by mm/, by lists, and empty, with the allocators' calls
 * left out. They get the same random numbers. What a slice says of an allocator is its time less
 * that of the empty work, for each operation; its ratio is the quotient of the two. A row's figures
 * are medians over the slices, so the ratio is not exactly that of the two medians. Printed are,
 * for each row, lines for scripts/bench:
 *
 *   bench ID NANOSECONDS LOWER-QUARTILE UPPER-QUARTILE     of mm/; .lists and .ratio likewise
 *
 * Both have 4 GiB in one zone, in one piece. Frames are not touched, descriptors are there before
 * the first slice and in huge pages, if the host has any, as in a kernel. A thread stays on one of
 * the host's CPUs. What one thread does is timed by the time that it ran, so that a busy host makes
 * it only a little slower; a slice of two threads is measured again if one of them was interrupted.
 * On a host with one CPU the rows for two are NOT MEASURED.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mm/gfp.h"
#include "tests/host/bench/ns_work.h"
#include "tests/host/peers/lists.h"
#include "tests/host/sim/sim.h"

#define FRAMES     (1u << 20) /* of the machine */
#define RAM        ((uint64_t)FRAMES << PAGE_SHIFT)
#define ROUNDS     5
#define MAX_SLICES (ROUNDS * 21)
#define MAX_ORDER  9 /* of rows with several orders */
#define DISTURBED  (-1.0)
#define TRIES      20 /* for a slice that is not disturbed */

static struct hand hands[NR_WHICH];
static uint64_t seed;   /* of all random numbers */
static uint8_t *orders; /* of the allocation in each place, at the end of the steps so far */
static uint32_t nr_places;

static void die(const char *why)
{
	fprintf(stderr, "bench_ns: %s\n", why);
	exit(1);
}

static void *array_of(size_t n, size_t size)
{
	void *array = calloc(n, size);

	if (!array)
		die("this host has too little memory");
	memset(array, 0, n * size); /* its pages exist from here on */
	return array;
}

static uint32_t random_below(uint32_t limit)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15; /* SplitMix64, of Steele, Lea and Flood */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)(((z ^ z >> 31) >> 32) * limit >> 32);
}

/* Returns a random order up to MAX_ORDER, each half as probable as the one below. */
static uint8_t random_order(void)
{
	uint32_t bits = random_below(1u << 31) | 1u << MAX_ORDER;

	return (uint8_t)__builtin_ctz(bits);
}

/* ---- two CPUs ---- */

static int host_cpus[2]; /* those of the host on which the two CPUs run */
static unsigned int nr_host_cpus;

static void stay_on(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)host_cpus[cpu], &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot stay on a CPU");
	sim_cpu = cpu;
}

static void find_host_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		die("cannot ask for this host's CPUs");
	for (int cpu = 0; cpu < CPU_SETSIZE && nr_host_cpus < 2; cpu++)
		if (CPU_ISSET((size_t)cpu, &set))
			host_cpus[nr_host_cpus++] = cpu;
}

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static atomic_uint ready;

static void wait_for_the_other(void)
{
	unsigned int spins = 0;

	atomic_fetch_add(&ready, 1);
	while (atomic_load(&ready) < 2)
		wait_a_little(&spins);
}

/* Returns how often the host has given this thread's CPU to another. */
static long interruptions(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw;
}

struct second {
	work_fn *work;
	struct hand *hand;
	double ran, end;
	long interruptions;
};

static void *second_cpu(void *argument)
{
	struct second *second = argument;
	double start;

	stay_on(1);
	wait_for_the_other();
	second->interruptions = -interruptions();
	start = now(CLOCK_THREAD_CPUTIME_ID);
	second->work(second->hand);
	second->ran = now(CLOCK_THREAD_CPUTIME_ID) - start;
	second->end = now(CLOCK_MONOTONIC);
	second->interruptions += interruptions();
	return NULL;
}

/*
 * Runs the works on two CPUs at once. Returns the time that each ran, or that it took in all; or
 * DISTURBED when one of them had to wait for its CPU.
 */
static double timed_by_two(work_fn *first, work_fn *other, struct hand *hand, bool in_all)
{
	struct second second = { .work = other, .hand = hand };
	double ran, start, end;
	pthread_t thread;
	long before;

	atomic_store(&ready, 0);
	if (pthread_create(&thread, NULL, second_cpu, &second))
		die("cannot create a thread");
	wait_for_the_other();
	before = interruptions();
	start = now(CLOCK_MONOTONIC);
	ran = now(CLOCK_THREAD_CPUTIME_ID);
	first(hand);
	ran = now(CLOCK_THREAD_CPUTIME_ID) - ran;
	end = now(CLOCK_MONOTONIC);
	before -= interruptions();
	pthread_join(thread, NULL);
	if (before || second.interruptions)
		return DISTURBED;
	if (!in_all)
		return (ran + second.ran) / 2;
	return (end > second.end ? end : second.end) - start;
}

/* ---- the two machines ---- */

static struct lists_page *descriptors;

static void want_huge_pages(void *start, size_t size)
{
	(void)madvise(start, size, MADV_HUGEPAGE); /* a host without them measures all the same */
}

/* Makes each page exist: the first access would else be a part of the measurement. */
static void touch_pages(void *start, size_t size)
{
	for (volatile char *at = start; at < (char *)start + size; at += PAGE_SIZE)
		(void)__atomic_fetch_or(at, 0, __ATOMIC_RELAXED);
}

static void boot_both(void)
{
	static const struct e820_entry plain[] = { { RAM, RAM, E820_TYPE_RAM, 0, 20, 0 } };
	const struct sim_options options = { .pdpe1gb = true, .seed = 1 };
	struct page *first = pfn_to_page(PHYS_PFN(RAM));
	struct e820_taken kernel;
	const char *error;

	sim_nr_cpus = 2;
	if (sim_boot(plain, 1, &options, &kernel, &error))
		die(error);
	want_huge_pages(first, FRAMES * sizeof(*first));
	touch_pages(first, FRAMES * sizeof(*first));
	if (!descriptors) {
		/* Aligned to huge pages, as the window of the other is. */
		descriptors = aligned_alloc(1 << 21, FRAMES * sizeof(*descriptors));
		if (!descriptors)
			die("this host has too little memory");
		want_huge_pages(descriptors, FRAMES * sizeof(*descriptors));
	}
	memset(descriptors, 0, FRAMES * sizeof(*descriptors));
	lists_init(descriptors, FRAMES);
	seed = 1;
}

/* ---- what happens before a row, and before a slice of it ---- */

static void shuffle(uint32_t *array, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		array[i] = i;
	while (n > 1) {
		uint32_t other = random_below(n--), kept = array[n];

		array[n] = array[other];
		array[other] = kept;
	}
}

static void before_shuffled(void)
{
	shuffle(ns_places, ns_nr);
}

/* Frames that the allocations of replace rows have together, and may have. */
static uint64_t level, target;

/*
 * Chooses places at random, and orders for them. The level stays within a hundredth of memory
 * around the target: where it would leave that, a place gets the order that it had.
 */
static void before_replace(void)
{
	for (uint32_t i = 0; i < ns_nr; i++) {
		uint32_t place = random_below(nr_places);
		uint8_t old = orders[place], new = random_order();
		uint64_t then = level - (1ull << old) + (1ull << new);

		if (then > target + FRAMES / 100 || then < target - FRAMES / 100)
			new = old;
		level += (1ull << new) - (1ull << old);
		ns_steps[i] = (struct step){ place, old, new };
		orders[place] = new;
	}
}

static void before_replace_same(void)
{
	for (uint32_t i = 0; i < ns_nr; i++)
		ns_steps[i].place = random_below(nr_places);
}

/* Fills half of memory with runs of this order. */
static void hold_half(unsigned int order)
{
	nr_places = FRAMES / 2 >> order;
	for (uint32_t i = 0; i < nr_places; i++) {
		hands[OURS].held[i] = alloc_pages(GFP_KERNEL, order);
		hands[LISTS].held[i] = lists_alloc(order);
		if (!hands[OURS].held[i] || !hands[LISTS].held[i])
			die("half of memory cannot be allocated");
	}
}

static void swap_places(void **held, uint32_t one, uint32_t other)
{
	void *kept = held[one];

	held[one] = held[other];
	held[other] = kept;
}

/* Fills memory with runs of all orders, and then frees random ones until this share is free. */
static void hold_mixed(unsigned int percent_free)
{
	nr_places = 0;
	for (level = 0; level < FRAMES * 98ull / 100; level += 1ull << orders[nr_places++]) {
		orders[nr_places] = random_order();
		hands[OURS].held[nr_places] = alloc_pages(GFP_KERNEL, orders[nr_places]);
		hands[LISTS].held[nr_places] = lists_alloc(orders[nr_places]);
	}
	target = (uint64_t)FRAMES * (100 - percent_free) / 100;
	while (level > target) {
		uint32_t place = random_below(nr_places--);
		uint8_t order = orders[place];

		if (hands[OURS].held[place])
			__free_pages(hands[OURS].held[place], order);
		if (hands[LISTS].held[place])
			lists_free(hands[LISTS].held[place], order);
		swap_places(hands[OURS].held, place, nr_places);
		swap_places(hands[LISTS].held, place, nr_places);
		orders[place] = orders[nr_places];
		level -= 1ull << order;
	}
}

/* ---- the rows ---- */

struct row {
	const char *id;
	uint32_t nr;     /* operations of a slice */
	uint32_t slices; /* of each round; odd, so that one is in the middle */
	unsigned int argument;
	void (*set_up)(unsigned int argument); /* before the first slice, or NULL */
	void (*before)(void);                  /* before each slice, for all three kinds; or NULL */
	work_fn *const *first;                 /* not timed; or NULL */
	work_fn *const *work;                  /* timed */
	work_fn *const *last;                  /* not timed; or NULL */
	work_fn *const *second;                /* what a second CPU does meanwhile; or NULL */
};

static const struct row rows[] = {
	{ "ns.pair0", .nr = 50000, .slices = 21, .work = pair0 },
	{ "ns.bulk0alloc", .nr = 10000, .slices = 21, .work = take0, .last = give0 },
	{ "ns.bulk0free", .nr = 10000, .slices = 21, .first = take0, .work = give0 },
	{ "ns.shuffled10k", .nr = 10000, .slices = 21, .before = before_shuffled,
	  .first = take0_shuffled, .work = give0 },
	{ "ns.shuffled1m", .nr = 1000000, .slices = 3, .before = before_shuffled,
	  .first = take0_shuffled, .work = give0 },
	{ "ns.random0", .nr = 100000, .slices = 9, .set_up = hold_half, .argument = 0,
	  .before = before_replace_same, .work = replace0 },
	{ "ns.pair3", .nr = 50000, .slices = 21, .work = pair3 },
	{ "ns.pair9", .nr = 50000, .slices = 21, .work = pair9 },
	{ "ns.random3", .nr = 50000, .slices = 9, .set_up = hold_half, .argument = 3,
	  .before = before_replace_same, .work = replace3 },
	{ "ns.random9", .nr = 50000, .slices = 21, .set_up = hold_half, .argument = 9,
	  .before = before_replace_same, .work = replace9 },
	{ "ns.mixed50", .nr = 50000, .slices = 9, .set_up = hold_mixed, .argument = 50,
	  .before = before_replace, .work = replace_mixed },
	{ "ns.mixed10", .nr = 50000, .slices = 9, .set_up = hold_mixed, .argument = 10,
	  .before = before_replace, .work = replace_mixed },
	{ "ns.two3", .nr = 5000, .slices = 21, .work = pair3, .second = pair3 },
	{ "ns.two9", .nr = 5000, .slices = 21, .work = pair9, .second = pair9 },
	{ "ns.pass0", .nr = 4000, .slices = 21, .work = send0, .second = receive0 },
	{ "ns.pass3", .nr = 2000, .slices = 21, .work = send3, .second = receive3 },
};

/* Returns nanoseconds of all operations, or DISTURBED. */
static double measure(const struct row *row, enum which which)
{
	struct hand *hand = &hands[which];
	double start, end;

	if (row->second)
		return timed_by_two(row->work[which], row->second[which], hand,
				    row->second != row->work);
	if (row->first)
		row->first[which](hand);
	start = now(CLOCK_THREAD_CPUTIME_ID);
	row->work[which](hand);
	end = now(CLOCK_THREAD_CPUTIME_ID);
	if (row->last)
		row->last[which](hand);
	return end - start;
}

/*
 * Measures nanoseconds of an operation, of each kind. The three kinds begin in turn, so that none
 * always comes after the same one. Returns false when one was disturbed again and again.
 */
static bool measure_slice(const struct row *row, unsigned int slice, double ns[NR_WHICH])
{
	ns_nr = row->nr;
	if (row->before)
		row->before();
	for (unsigned int i = 0; i < NR_WHICH; i++) {
		enum which which = (enum which)((slice + i) % NR_WHICH);
		double all = DISTURBED;

		for (unsigned int try = 0; try < TRIES && all == DISTURBED; try++)
			all = measure(row, which);
		if (all == DISTURBED)
			return false;
		ns[which] = all / ns_nr;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Prints the line of a figure: its median and its quartiles. */
static void print(const char *id, const char *part, double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), compare);
	printf("bench %s%s %.2f %.2f %.2f\n", id, part, values[n / 2], values[n / 4],
	       values[n - 1 - n / 4]);
}

static double at_least_0(double value)
{
	return value > 0 ? value : 0;
}

/* What the slices of a row were, in memory that the processes share. */
static struct results {
	double ours[MAX_SLICES], lists[MAX_SLICES], ratios[MAX_SLICES];
	unsigned int nr;
	uint64_t failed[NR_WHICH], requests;
} * results;

/* Adds the slices of a round to the results. */
static void run_round(const struct row *row)
{
	double ns[NR_WHICH];

	boot_both();
	if (row->set_up)
		row->set_up(row->argument);
	/* After warming up, allocations are where it put them, not where the set-up did. */
	for (uint64_t done = 0; done <= 2ull * nr_places * !!row->set_up; done += row->nr)
		measure_slice(row, 0, ns);
	hands[OURS].failed = hands[LISTS].failed = 0;
	for (unsigned int i = 0; i < row->slices; i++) {
		unsigned int n = results->nr;

		results->requests += row->nr;
		if (!measure_slice(row, i, ns))
			continue;
		results->ours[n] = at_least_0(ns[OURS] - ns[EMPTY]);
		results->lists[n] = at_least_0(ns[LISTS] - ns[EMPTY]);
		results->ratios[n] =
		    results->lists[n] > 0 ? results->ours[n] / results->lists[n] : 0;
		results->nr++;
	}
	results->failed[OURS] += hands[OURS].failed;
	results->failed[LISTS] += hands[LISTS].failed;
}

static void run(const struct row *row)
{
	if (row->second && nr_host_cpus < 2) {
		printf("# %s: NOT MEASURED, because this program may use one CPU only\n", row->id);
		return;
	}
	memset(results, 0, sizeof(*results));
	for (unsigned int i = 0; i < ROUNDS; i++) {
		pid_t child = fork();
		int status;

		if (!child) {
			run_round(row);
			_exit(0);
		}
		if (child < 0 || waitpid(child, &status, 0) < 0 || status)
			die("a process failed");
	}
	if (results->nr < ROUNDS * row->slices / 2) {
		printf("# %s: NOT MEASURED, because this host is too busy\n", row->id);
		return;
	}
	print(row->id, "", results->ours, results->nr);
	print(row->id, ".lists", results->lists, results->nr);
	print(row->id, ".ratio", results->ratios, results->nr);
	if (results->failed[OURS] || results->failed[LISTS])
		printf("# %s: of %llu requests %llu failed, with lists %llu\n", row->id,
		       (unsigned long long)results->requests,
		       (unsigned long long)results->failed[OURS],
		       (unsigned long long)results->failed[LISTS]);
}

static bool wanted(const char *id, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strncmp(id, argv[i], strlen(argv[i])))
			return true;
	return argc < 2;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	find_host_cpus();
	stay_on(0);
	results =
	    mmap(NULL, sizeof(*results), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED)
		die("this host has too little memory");
	ns_places = array_of(FRAMES, sizeof(*ns_places));
	ns_steps = array_of(FRAMES, sizeof(*ns_steps));
	orders = array_of(FRAMES, sizeof(*orders));
	for (unsigned int i = 0; i < NR_WHICH; i++)
		hands[i].held = array_of(FRAMES, sizeof(void *));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (wanted(rows[i].id, argc, argv))
			run(&rows[i]);
	return 0;
}
