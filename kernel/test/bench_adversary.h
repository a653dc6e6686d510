/*
 * bench_adversary.h: states of memory that make single calls as long as possible, for the rows of
 * the worst call and of the longest hold. Private to the files bench*.c.
 *
 * A call for a single frame is long when a frame cache is filled or drained. That is longest when
 * each word of bits that moves costs most: because it is in a block of its own, whose bitmap
 * becomes full or empty, whose bounds rise or are stale, and whose gib closes as well.
 */
#ifndef KERNEL_TEST_BENCH_ADVERSARY_H
#define KERNEL_TEST_BENCH_ADVERSARY_H

#include "mm/zone.h"

enum adversary_order { RISING, FALLING, INTERLEAVED, NR_ADVERSARY_ORDERS };

/*
 * A state: each of many blocks has a few frames that are to be freed, or to be allocated. Those of
 * one block lie in one word of its bits.
 */
struct adversary {
	struct zone *zone;
	unsigned int frames; /* of each block */
	bool per_gib;        /* the highest block of each gib, not the lowest ones of the zone */
	/* Of states for frees: */
	bool full; /* whether the rest of memory is allocated; free, but zone DMA, otherwise */
	bool
	    kept; /* the frame cache keeps what is freed, as far as a caller can bring that about */
	enum adversary_order order; /* in which a block's frames are freed; INTERLEAVED: the first
				       of each block, then the second of each, and so on */
	/* Of states for allocations: */
	bool stale; /* the blocks' bounds are too high */
};

/* Call visit() for each state for frees, and for each state for allocations. */
void adversary_each_for_frees(void (*visit)(const struct adversary *a));
void adversary_each_for_allocs(void (*visit)(const struct adversary *a));

/* Writes what the state is to text, which is cut at size bytes. */
#define ADVERSARY_TEXT_SIZE 160
void adversary_describe(const struct adversary *a, char text[ADVERSARY_TEXT_SIZE]);

/*
 * Makes a state for frees. The frames are then in the list adversary_victims, in the order in which
 * they are to be freed. Others come before them, so that the frame cache is drained when those of
 * the last blocks are on top, and one after them, which drains it. Of adversary_capacity frames
 * that are freed none drains it. Returns false if the machine has too little memory for the state.
 */
extern struct page *adversary_victims;
extern uint64_t adversary_capacity;
bool adversary_for_frees(const struct adversary *a);

/*
 * Makes a state for frees in zone z, as adversary_for_frees() does, in which one drain does what is
 * longest of each kind: two words that raise bounds, some that are only slow to gather and to free,
 * and then one or two, as closing says, each of which makes a block full, so that the block and the
 * gib that were kept open are closed. Returns false, and holds nothing, if the zone has too little
 * free memory: it takes a block in each of twelve gibs, and two more side by side.
 */
bool adversary_mixed_words(struct zone *z, unsigned int closing);

/*
 * Makes a state in which nothing is free but nr scattered frames, a power of two, of each word of
 * the zone's unmovable block.
 */
bool adversary_unmovable(const struct zone *z, unsigned int nr);

/*
 * Makes a state for allocations, in which these frames are free and nothing else is. Returns false
 * if the machine has too little memory for the state.
 */
bool adversary_for_allocs(const struct adversary *a);

/*
 * Makes a state in which no run of order 3 is free in the zone and lower ones, but the bounds of
 * all blocks say so: in each, the run at its start was freed and half of it allocated again.
 */
void adversary_stale_runs(const struct zone *z);

/* Frees what the last state holds, with the victims that are left. */
void adversary_end(void);

/* Returns the flags of a request for a frame of the zone or of lower ones, with their reserves. */
gfp_t adversary_gfp(const struct zone *z);

#endif
