/* SPDX-License-Identifier: MIT */
/*
 * page_state.h: what a frame is, which frames are free, and how many.
 *
 * These functions may be asked about any frame at any time after zones_init(): they never read a
 * descriptor that nobody has written. They take no lock. What an answer is worth while other CPUs
 * allocate and free is told in zone.h, "Readers without the lock": page_state() and page_head() are
 * exact for a frame that the caller holds.
 */
#ifndef MM_PAGE_STATE_H
#define MM_PAGE_STATE_H

#include "mm/page.h"

struct zone;

enum page_state {
	PAGE_ABSENT,    /* no RAM there */
	PAGE_RESERVED,  /* RAM that memblock has reserved: it was never handed over */
	PAGE_FREE,      /* free in the allocator's bits, or in a CPU's frame cache, of any order */
	PAGE_ALLOCATED, /* the head of an allocation, or inside one */
};

/* Returns what the frame is at this moment. Reads at most 18 descriptors. */
enum page_state page_state(pfn_t pfn);

/* Returns "absent", "reserved", "free" or "allocated". */
const char *page_state_name(enum page_state state);

/* Returns the head of the allocation that covers the frame, or NULL when none does. */
struct page *page_head(pfn_t pfn);

/*
 * Returns whether the frame pfn is free in the bits, and sets *end > pfn such that all frames of
 * [pfn, *end) are alike in this. The span need not be maximal. Cached frames are not free
 * in the bits.
 */
bool free_span(pfn_t pfn, pfn_t *end);

/*
 * Finds the first maximal range [*start, *end) of frames free in the bits at or after *start,
 * across zones. Returns false, and changes nothing, when there is none.
 */
bool next_free_range(pfn_t *start, pfn_t *end);

/*
 * Returns how many of the frames [start, end) are free in the bits. Its cost grows with the number
 * of blocks, and of runs in open blocks that the range only partly covers.
 */
uint64_t nr_free_in_range(pfn_t start, pfn_t end);

/*
 * Counts a zone's free blocks of each order into counts[], as Linux's buddyinfo does: each free
 * frame counts in the largest aligned run that it is part of.
 */
void zone_free_blocks(const struct zone *z, uint64_t counts[NR_ORDERS]);

/*
 * Returns the bytes of mem_map written so far: the descriptors of every block that was ever opened.
 * The descriptor of a head in a block that was never opened is written, too, but does not count.
 */
uint64_t mem_map_touched(void);

#endif
