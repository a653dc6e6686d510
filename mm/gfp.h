/* SPDX-License-Identifier: MIT */
/*
 * gfp.h: allocating pages and giving them back. Names and meanings are Linux's.
 *
 * An order is a power of two of frames: 0 (4 KiB) to MAX_PAGE_ORDER (18, 1 GiB). An allocation of
 * order k is aligned to its size. Every function may be called in any context but NMI and machine
 * check. A request that cannot be served returns NULL (or 0) and changes no count. A programmer's
 * error (a double free, a wrong order, a frame that is not allocated) panics and names the frame.
 *
 * Wrappers are inline, so that the return address the allocator sees is that of the real caller;
 * page_owner (debug.h) depends on it.
 */
#ifndef MM_GFP_H
#define MM_GFP_H

#include "mm/page.h"

/* Error numbers, returned as negative values. */
#ifndef EBUSY
#define EBUSY 16
#endif
#ifndef EINVAL
#define EINVAL 22
#endif

typedef unsigned int gfp_t;

#define __GFP_DMA       0x01u  /* from below 16 MiB */
#define __GFP_DMA32     0x04u  /* from below 4 GiB */
#define __GFP_HIGH      0x20u  /* may use the reserve that lower zones keep from higher requests */
#define __GFP_ZERO      0x100u /* cleared */
#define __GFP_ATOMIC    0x200u /* fails rather than wait for other CPUs */
#define __GFP_THISNODE  0x200000u /* from no other node than the one asked for */

/*
 * A hint: the allocation stays for very long. It is taken from where it does least harm. A block of
 * which one frame stays in use can never be allocated in one piece, because nothing is moved. So
 * what stays should lie together, in few blocks, and not wherever memory was free at the moment.
 * Linux keeps such pages apart as well, as MIGRATE_UNMOVABLE, but marks the others, by
 * __GFP_MOVABLE. The flag counts for orders below 9. The zone serves them from one block, at first
 * its highest whole one, which other requests get only when there is nothing else. Without a whole
 * block in the zone, the hint does nothing. It never uses a frame cache, so a request costs more.
 */
#define __GFP_UNMOVABLE 0x80000000u

#define GFP_KERNEL      0u /* nothing here sleeps or reclaims, so it may be used in any context */
#define GFP_ATOMIC      (__GFP_HIGH | __GFP_ATOMIC)
#define GFP_DMA         __GFP_DMA
#define GFP_DMA32       __GFP_DMA32

/*
 * alloc_pages() returns the head of 2^order frames with one reference; NULL when there are none or
 * order > MAX_PAGE_ORDER. alloc_page() is alloc_pages() of order 0.
 *
 * Orders 0 to 9 mostly come from a frame cache of this CPU, without a lock and in constant time.
 * Where that is empty it is refilled first, under one hold of the zone's lock, unless it may hold
 * only a few runs; a small zone has no frame cache for the larger of these orders (cache.h).
 * Everything else comes from the allocator's bits, under the lock.
 *
 * Before a request fails, it gets what it can from this CPU's frame caches of the zones that may
 * serve it. A request of order 0 takes a frame out of them. A higher order returns them to the bits
 * batch by batch, and tries again after each: such a call may take as long as to free, one by one,
 * all that these caches hold. Then, where the caller may wait for other CPUs (port_may_wait(), and
 * not __GFP_ATOMIC), the caches of all CPUs are emptied. That interrupts each CPU twice, even where
 * no cache has anything: pass __GFP_ATOMIC where failure is an ordinary answer.
 */
struct page *alloc_pages(gfp_t gfp, unsigned int order);
struct page *alloc_page(gfp_t gfp);

/*
 * Drop one reference of the head page, and free the allocation with the last. order must be the one
 * it was allocated with; __free_page() is order 0. Orders 0 to 9 mostly go into a frame cache of
 * this CPU. What goes to the allocator's bits takes the zone's lock from order 9 on; below, only
 * if it makes a block full.
 */
void __free_pages(struct page *page, unsigned int order);
void __free_page(struct page *page);

/* Returns the address in the direct map of a new allocation, or 0 when there is none. */
static inline unsigned long get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp, order);

	return page ? (unsigned long)page_address(page) : 0;
}

/* Frees what get_free_pages() returned. Does nothing for address 0. */
static inline void free_pages(unsigned long addr, unsigned int order)
{
	if (addr)
		__free_pages(virt_to_page((void *)addr), order);
}

/*
 * Fills the empty (NULL) places of array[0 .. nr_pages) with single frames, in order, until memory
 * runs out. Returns how many leading places are filled.
 */
static inline unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr_pages, struct page **array)
{
	unsigned long n;

	for (n = 0; n < nr_pages; n++) {
		if (!array[n])
			array[n] = alloc_page(gfp);
		if (!array[n])
			break;
	}
	return n;
}

/*
 * get_page() takes one more reference of the head page. put_page() does what __free_pages() does
 * with the allocation's order, which it reads in the descriptor.
 */
void get_page(struct page *page);
void put_page(struct page *page);

/*
 * Turns an allocation of this order into 2^order single frames, each of which is then freed on its
 * own. It must have one reference. O(2^order), with a hold of the zone's lock for each block: the
 * blocks it cuts are opened.
 */
void split_page(struct page *page, unsigned int order);

enum migratetype { MIGRATE_UNMOVABLE, MIGRATE_MOVABLE }; /* nothing is moved here: the same */

/*
 * Allocates the frames [start, end), each as an allocation of order 0, if all of them are free and
 * in one zone. Frames in the caches of other CPUs count as free where the caller may wait, as in
 * alloc_pages(). Of gfp, __GFP_ZERO and __GFP_ATOMIC count. Returns 0; -EBUSY when a frame is not
 * free; -EINVAL when the range is empty or crosses a zone's border. Of concurrent calls for ranges
 * that overlap, at most one succeeds. O(end - start), with three holds of the zone's lock for each
 * block; other requests do not get the part that is already taken, even if the call fails later.
 */
int alloc_contig_range(pfn_t start, pfn_t end, unsigned int migratetype, gfp_t gfp);

/* Frees nr_pages single frames from start on. */
static inline void free_contig_range(pfn_t start, unsigned long nr_pages)
{
	for (unsigned long i = 0; i < nr_pages; i++)
		__free_page(pfn_to_page(start + i));
}

/*
 * Return cached frames to the allocator's bits: drain_caches() those in this CPU's frame caches,
 * drain_all_pages() those in every CPU's, where port_may_wait() allows it. An allocation that would
 * otherwise fail does so itself. Call one of them before looking at the bits: free_span() and
 * next_free_range() (page_state.h) do not see cached frames.
 */
void drain_caches(void);
void drain_all_pages(void);

/* Return the order, the references and the number of the zone of an allocation, given its head. */
unsigned int page_order(const struct page *head);
unsigned int page_count(const struct page *head);
unsigned int page_zonenum(const struct page *head);

/* Returns the zone of an allocation, given its head. */
struct zone;
struct zone *page_zone(const struct page *head);

#endif
