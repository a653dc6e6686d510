/* SPDX-License-Identifier: MIT */
/*
 * debug.h: options that find a misuse of pages and name its place. Three have Linux's names; the
 * fourth does only what these do as well: it runs without frame caches. All are off by default.
 *
 *   MM_PAGE_POISON      fills a freed frame with 0xaa and checks it when it is next allocated; a
 *                       byte that changed meanwhile is a panic that shows it
 *   MM_PAGE_OWNER       records for each frame the call that allocated it and the call that freed
 *                       it; reports of misuse name both, page_owner_sums() counts what is in use
 *   MM_DEBUG_PAGEALLOC  unmaps free frames, so that a use after the free faults at once
 *   MM_NO_CACHES        nothing else
 *
 * A call is named by its return address: that of alloc_pages(), __free_pages() or their family. A
 * kernel whose own functions call these for many callers has alloc_pages_site().
 *
 * While all options are off, the hot paths have no test of them: any option leaves the frame caches
 * without room, so that every call ends in the slow functions of page_alloc.c. Only those test
 * mm_debug.
 *
 * The first two options take 32 bytes for each frame of RAM, from memblock before the hand-over, or
 * from the range itself when it is added later.
 * The hooks run without a lock: from allocation to release a frame belongs to its owner alone, and
 * the hooks run at both ends of that time.
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
 * Sets the options. To be called before zones_init(), or not at all. Options for which memblock has
 * no memory are reported in the log and stay off. For MM_DEBUG_PAGEALLOC the direct map must be
 * able to lose single frames: see port_unmap_frames().
 */
void mm_debug_init(unsigned int options);

/*
 * Prints the frame's record by print, or to the log if that is NULL, in lines that begin with its
 * number; nothing without MM_PAGE_OWNER. The caller holds the frame, or panics: nobody else may be
 * writing the record.
 */
void page_owner_print(pfn_t pfn, print_fn print);

/* Returns the call that allocated the frame, or 0 without MM_PAGE_OWNER or when nobody has. */
uintptr_t page_owner_site(pfn_t pfn);

/*
 * Does what alloc_pages() does, but the call that is recorded is the one with the return address
 * site. It is for a function of a kernel's own that gets pages for many callers: it passes its own
 * return address, __builtin_return_address(0), and the records name its callers. While all options
 * are off, site is not used. A function that frees pages for many callers needs nothing like it
 * where its last statement is the call of __free_pages() or put_page(), because optimising
 * compilers make a jump of that.
 */
struct page *alloc_pages_site(gfp_t gfp, unsigned int order, uintptr_t site);

struct page_owner_sum {
	uintptr_t site;
	uint64_t allocations;
	uint64_t frames;
};

/*
 * Sums the live allocations by the call that made them into sums[0 .. max), most frames first; max
 * >= 1. Calls beyond that share the last entry, with the site 0. Returns the number of entries.
 * O(frames of RAM); misses what is allocated meanwhile, or counts it to the owner before.
 */
unsigned int page_owner_sums(struct page_owner_sum *sums, unsigned int max);

/* ---- private to mm/, but for tests and statistics ---- */

/* Unmaps what is free, for MM_DEBUG_PAGEALLOC. zones_finish() calls it, after the hand-over. */
MM_INTERNAL void mm_debug_start(void);

/*
 * The hooks, which are called only when mm_debug is not 0. mm_debug_alloc(): nr frames from pfn on
 * have become allocations of this order. mm_debug_free(): the last reference of an allocation is
 * about to go; does nothing when page heads none, since the release itself will report that.
 */
MM_INTERNAL void mm_debug_alloc(pfn_t pfn, uint64_t nr, unsigned int order, gfp_t gfp,
				uintptr_t site);
MM_INTERNAL void mm_debug_free(struct page *page, unsigned int order, uintptr_t site);

/*
 * For hotplug.c. mm_debug_bytes() returns how many bytes of records so many added frames need, 0
 * without records. mm_debug_add() makes `records`, so many bytes in the direct map, the records of
 * the frames [start, end), before they are handed over; of these, [start, end_free) will be free.
 * There may be HOTPLUG_RANGES such ranges at a time. mm_debug_remove() takes the range out again,
 * before the frames leave, and reads and writes nothing of it; all CPUs must have answered an
 * interrupt since then when the memory goes, and before another range is added.
 */
MM_INTERNAL uint64_t mm_debug_bytes(uint64_t frames);
MM_INTERNAL void mm_debug_add(pfn_t start, pfn_t end_free, pfn_t end, void *records);
MM_INTERNAL void mm_debug_remove(pfn_t start, pfn_t end);

#endif
