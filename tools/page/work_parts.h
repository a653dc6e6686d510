/*
 * work_parts.h: what the parts of work.h share: steps.c reads the steps, work.c does
 * them, story.h has what the last one did in sentences, and state.c prints the state.
 */
#ifndef TOOLS_PAGE_WORK_PARTS_H
#define TOOLS_PAGE_WORK_PARTS_H

#include "mm/cache.h"

#define WORK_CPUS 2

/* An allocation that was made, whether or not it is still held. Numbers begin with 1; 0: none. */
struct allocation {
	pfn_t pfn;
	uint32_t before, after; /* the numbers of those that are held and were made next to it */
	uint32_t place;         /* in session.held[] */
	uint8_t order, cpu;
	bool hint, held;
};

enum did { DID_NONE, DID_ALLOC, DID_FREE, DID_RANDOM, DID_DRAIN };

/* A step as it is written. */
struct step {
	enum did kind;
	bool last;      /* a free: `l`, of the allocation made last */
	bool all;       /* *all */
	bool counted;   /* *COUNT or *all */
	bool both_cpus; /* rSEED without .CPU */
	bool hint;
	unsigned int cpu, order;
	int node; /* NUMA_NO_NODE: none is named */
	gfp_t gfp;
	uint64_t count, number; /* of an allocation; or the seed */
};

/* What a step did. */
struct result {
	enum did did;
	uint64_t count, failed; /* operations that were done; requests that were not served */
	uint64_t allocs, frees; /* parts of count */
	pfn_t pfn;              /* of the last operation; PFN_NONE: none */
	unsigned int order;
	uint32_t number; /* 0: none */
	unsigned int cpu;
	unsigned long holds; /* how often a lock was taken */
};

/* A session: all that its steps have made. */
struct session {
	struct allocation *made; /* [1 .. nr_made] */
	uint32_t *held;          /* the numbers of those that are held, in any order */
	uint32_t nr_made, nr_held, room;
	uint32_t newest; /* the number of the one made last that is held */
	uint32_t nr_steps;
	char text[64]; /* of the last one */
	struct step step;
	struct result result;
};

/*
 * Reads the step at *at, and moves *at behind it, as far as it is understood. Returns NULL, or what
 * was expected there, in words.
 */
const char *step_read(const char **at, struct step *step);

/* Prints the sentences on the last step as a JSON array. Call before_note() before that step. */
void story_print(const struct session *s);

/* Prints the state as one JSON object. at: the frame to show, PFN_NONE: any that is apt. */
void state_print(const struct session *s, pfn_t at);

#endif
