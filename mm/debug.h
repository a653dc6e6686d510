/*
 * debug.h: who misuses pages, and where: three options with Linux's names, all off unless asked
 * for; and one that only does without the CPUs' caches, as the three do.
 *
 *   MM_PAGE_POISON      a freed frame is filled with 0xaa and looked at when it is next allocated:
 *                       a byte that changed meanwhile is a panic that shows it
 *   MM_PAGE_OWNER       a frame's record says who allocated it and who freed it: reports of misuse
 *                       name them, page_owner_sums() counts what was not given back
 *   MM_DEBUG_PAGEALLOC  a free frame is not mapped: using it after the free faults at once
 *
 * "Who" is the return address of the call to alloc_pages(), __free_pages() or one of their family.
 *
 * Off, they cost nothing where it counts: with any of them on, the CPUs' caches have no room, so
 * that every call ends up in page_alloc.c's slow functions; only these test mm_debug and come here.
 *
 * Records are 32 bytes a frame of RAM, taken from memblock before the hand-over, for the first two
 * options. A hook runs without a lock: between its allocation and its release a frame is its
 * owner's alone, and the hooks run at the two ends of that time.
 */
#ifndef MM_DEBUG_H
#define MM_DEBUG_H

#include "mm/gfp.h"

#define MM_PAGE_POISON     0x1u
#define MM_PAGE_OWNER      0x2u
#define MM_DEBUG_PAGEALLOC 0x4u
#define MM_NO_CACHES       0x8u

/* Options in force. */
extern unsigned int mm_debug;

/*
 * Before zones_init(). What is left out for want of memory is said in the log, and off. The direct
 * map must be able to lose single frames for MM_DEBUG_PAGEALLOC: see port_map_frames().
 */
void mm_debug_init(unsigned int options);

/* By zones_finish(), all memory handed over: no caches; what is free is unmapped. */
void mm_debug_start(void);

/* The hooks, behind a test of mm_debug: nr frames from pfn on, as allocations of this order. */
void mm_debug_alloc(pfn_t pfn, uint64_t nr, unsigned int order, gfp_t gfp, uintptr_t site);
/* An allocation whose last reference goes. Does nothing if it is none: the release will say so. */
void mm_debug_free(struct page *page, unsigned int order, uintptr_t site);

/* What the frame's record has, in lines that begin with its number; nothing without records. */
void page_owner_print(pfn_t pfn, print_fn print);

/*
 * Live allocations by site, most frames first, into sums[0 .. max), max >= 1. Sites beyond that are
 * one entry with the site 0, the last. Returns the number of entries. O(frames of RAM); what is
 * allocated meanwhile may be missed.
 */
struct page_owner_sum {
	uintptr_t site;
	uint64_t allocations;
	uint64_t frames;
};
unsigned int page_owner_sums(struct page_owner_sum *sums, unsigned int max);

#endif
