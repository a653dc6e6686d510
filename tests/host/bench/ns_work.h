/*
 * ns_work.h: the work that bench_ns.c measures, each in three kinds: by mm/, by peers/lists.h, and
 * empty, with the allocator's calls left out.
 */
#ifndef TESTS_HOST_BENCH_NS_WORK_H
#define TESTS_HOST_BENCH_NS_WORK_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

enum which { OURS, LISTS, EMPTY, NR_WHICH };

/* One step of a row that replaces allocations: a place is freed, and then gets a new one. */
struct step {
	uint32_t place;
	uint8_t old_order, order;
};

/* What one kind of work holds. */
struct hand {
	void **held;
	uint64_t failed; /* requests */
};

extern uint32_t ns_nr;        /* operations of a slice */
extern uint32_t *ns_places;   /* of a slice: a permutation */
extern struct step *ns_steps; /* of a slice */

/* Does ns_nr operations. */
typedef void work_fn(struct hand *hand);

/* Allocates and frees a run of order 0, 3, 9 at once. */
extern work_fn *const pair0[NR_WHICH], *const pair3[NR_WHICH], *const pair9[NR_WHICH];

/* Allocates frames into hand->held, in order or in that of ns_places; and frees those there. */
extern work_fn *const take0[NR_WHICH], *const take0_shuffled[NR_WHICH], *const give0[NR_WHICH];

/* Replaces allocations, as ns_steps says: all of one order, or as many orders as it has. */
extern work_fn *const replace0[NR_WHICH], *const replace3[NR_WHICH], *const replace9[NR_WHICH];
extern work_fn *const replace_mixed[NR_WHICH];

/* Allocates runs and passes them to another CPU; which receives them and frees them. */
extern work_fn *const send0[NR_WHICH], *const send3[NR_WHICH];
extern work_fn *const receive0[NR_WHICH], *const receive3[NR_WHICH];

/* Waits for another CPU; *spins counts the rounds. Now and then other threads may run. */
static inline void wait_a_little(unsigned int *spins)
{
	if (++*spins % 1000)
		__builtin_ia32_pause();
	else
		sched_yield();
}

#endif
