/*
 * schedules.h: runs two CPUs' scripts in every order of their steps.
 *
 * Each CPU runs a short script as a coroutine. It can be stopped before and after each hold of the
 * lock, at both ends of each use of a frame cache, before each atomic operation that writes,
 * outside holds, and before and after each CPU's answer to a request of port_on_each_cpu(). There
 * the other CPU may go on; a *step* is what lies between, so a hold and an answer are one step
 * each. Where a pair has it so, a CPU can also be stopped within holds, and before each atomic
 * load. A depth-first search runs the two scripts from the same state again and again, with every
 * schedule: every order of the steps. Where the scripts are long it takes only the schedules with
 * few switches from a CPU that could go on. The test prints how many schedules each pair has.
 *
 * Schedules that lead to the same state have the same future, and only one of them is run to its
 * end. Two states are the same when the hash is: of the arena, of the test's own records, of the
 * stacks and registers of both CPUs.
 *
 * What is not explored: what a processor reorders, since steps happen one after the other.
 *
 * At every stop where no cache is in use, and both CPUs have their interrupts on, mm_check() must
 * find nothing; no frame may have two owners, and at the end all frames are free.
 *
 * A program that uses this is compiled with port_config.h as MM_PORT_CONFIG, and with the functions
 * wrapped that host.mk names.
 */
#ifndef TESTS_HOST_SIM_SCHEDULES_H
#define TESTS_HOST_SIM_SCHEDULES_H

#include "mm/zone.h"
#include "tests/host/sim/arena.h"

#if BITMAP_WORDS == 1
#define FRAMES 96                   /* blocks of 8, a gib of 64 and half of the next */
#define FIRST  64                   /* the arena's first frame */
#define SERVED (FIRST + GIB_FRAMES) /* handed out first: the other gib is whole */
#else
#define FRAMES (3 * BLOCK_FRAMES) /* of one gib */
#define FIRST  GIB_FRAMES
#define SERVED FIRST
#endif
#define CACHE 6 /* frames that each stack of a frame cache holds */

enum result {
	ANY,       /* a request may fail while the other CPU is not done */
	ONE_RANGE, /* one of the CPUs has its range */
	EVERY,     /* no request fails */
	PANIC,     /* a free is refused */
};

struct pair {
	const char *name;
	void (*prepare)(void); /* called before the scripts, on CPU 0; may be NULL */
	void (*scripts[2])(void);
	enum result result;
	unsigned int max_switches; /* 0: every schedule */
	unsigned int runs;         /* that each frame cache of a higher order holds */
};

/* What the test knows about a run, beside the arena; and what it knows before each run. */
struct records {
	signed char owner[FRAMES];         /* CPU + 1, or PREPARED; 0: free */
	struct page *held[2][FRAMES + 1];  /* the last is NULL */
	struct page *prepared[FRAMES + 1]; /* the last is NULL */
	struct page *one;
	int errors[2];
	unsigned long pinned[2]; /* pins of the CPU that were not ended yet */
	unsigned int current, nr_switches;
	bool finished[2], panicked, irqs_off[2];
};

#define PREPARED 3 /* an owner that is no CPU */

extern struct records t;

/* Records that a run belongs to the present CPU, or no longer; fails if it has another owner. */
void own(struct page *page, unsigned int order);
void disown(struct page *page, unsigned int order);

/* Lets the other CPU go on until it has its interrupts on. */
void wait_for_other(void);

/*
 * Runs each of nr pairs with every schedule. inside: whether a CPU can be stopped within holds, and
 * before loads.
 */
void explore_pairs(const struct pair *pairs, size_t nr, bool inside);

#endif
