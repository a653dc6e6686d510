/*
 * lists.h: a textbook buddy allocator, for `make bench ROW=ns` to measure mm/ against. It has the
 * shape of Linux's page allocator, known from descriptions only: free lists by order under a lock,
 * and per-CPU lists of single frames and of the most wanted runs in front of them.
 *
 * Everything is in the descriptors, 64 bytes for each frame: the links of the lists, the order and
 * the references. A free run is in exactly one list, by the descriptor of its first frame:
 *
 *     zone      one list of free runs for each order 0 to LISTS_MAX_ORDER, under one lock
 *      │ batches of 63 frames, or as many runs as make 63 frames, and two at least
 *     CPU       one list for each order 0 to 3 and for order 9, without a lock
 *
 * A run that is freed to the zone merges with its buddy, the run whose number differs in the bit of
 * the order, as long as that is free and not split. Runs in CPU lists do not merge. A CPU list that
 * has six batches returns one, the runs that were freed first.
 *
 * What mm/ promises its callers and costs time is here too: freeing drops a reference atomically,
 * so that two CPUs that free the same run are found; the lock is mm/'s; a CPU's lists are marked
 * while they are in use, so that an interrupt handler that allocates leaves them alone. There is
 * one zone, without reserves, zeroing, or draining of other CPUs before a request fails.
 */
#ifndef TESTS_HOST_PEERS_LISTS_H
#define TESTS_HOST_PEERS_LISTS_H

#include "mm/port.h"

#define LISTS_MAX_ORDER 10
#define LISTS_BATCH     63 /* frames that one hold of the lock moves from or to a CPU list */
#define LISTS_HIGH      6  /* batches in a CPU list at which it returns one */

struct lists_link {
	struct lists_link *next, *prev;
};

enum lists_state {
	LISTS_INSIDE, /* not the first frame of a run */
	LISTS_FREE,   /* the first frame of a run in the zone's lists */
	LISTS_CACHED, /* the first frame of a run in a CPU list */
	LISTS_TAKEN,  /* the first frame of an allocation */
};

struct lists_page {
	struct lists_link link; /* where the run is free: its place in its list */
	uint32_t count;         /* references, of an allocation */
	uint8_t order;
	uint8_t state;
	unsigned long words[5]; /* the owner's, to make 64 bytes as in Linux */
} __attribute__((aligned(64)));
MM_STATIC_ASSERT(sizeof(struct lists_page) == 64, "as large as Linux's");

/* Makes nr frames free, whose descriptors, all zero, are page[0 .. nr). */
void lists_init(struct lists_page *page, uint64_t nr);

/*
 * Returns the first of 2^order frames, aligned to their number, with one reference; NULL when there
 * are none, or order > LISTS_MAX_ORDER.
 */
struct lists_page *lists_alloc(unsigned int order);

/*
 * Drops a reference of an allocation of this order, and frees it with the last. Panics when it is
 * not one.
 */
void lists_free(struct lists_page *page, unsigned int order);

/* Returns the runs in all CPU lists to the zone. No CPU may be using the allocator meanwhile. */
void lists_drain(void);

/* Returns the number of runs of this order in the zone's lists. No CPU may be using them. */
uint64_t lists_free_runs(unsigned int order);

/* Returns the number of free frames in the zone's lists. */
uint64_t lists_nr_free(void);

#endif
