/*
 * gfp.h: asking for pages and giving them back. Names and meanings are Linux's.
 *
 * Orders are powers of two of frames: 0 (4 KiB) to MAX_PAGE_ORDER (18, 1 GiB); a block of order k
 * is aligned to its size. Every function may be called from any context but NMI and machine check.
 * Exhaustion returns NULL (or 0) and changes no count. A programmer's error (double free, wrong
 * order, a frame that nobody allocated) panics and names the frame.
 *
 * What is made of two functions is inline here, so that those see who uses it: a return address.
 */
#ifndef MM_GFP_H
#define MM_GFP_H

#include "mm/page.h"

typedef unsigned int gfp_t;

#define __GFP_DMA      0x01u  /* below 16 MiB */
#define __GFP_DMA32    0x04u  /* below 4 GiB */
#define __GFP_HIGH     0x20u  /* may use the reserve that lower zones keep from higher requests */
#define __GFP_ZERO     0x100u /* cleared */
#define __GFP_THISNODE 0x200000u /* no other node; there is one node, so always kept */

#define GFP_KERNEL     0u /* nothing here sleeps or reclaims: from any context */
#define GFP_ATOMIC     __GFP_HIGH
#define GFP_DMA        __GFP_DMA
#define GFP_DMA32      __GFP_DMA32

/*
 * 2^order frames, count 1. NULL when there are none, or order > MAX_PAGE_ORDER. alloc_page() is
 * order 0, mostly from what this CPU has at hand: 17 instructions.
 */
struct page *alloc_pages(gfp_t gfp, unsigned int order);
struct page *alloc_page(gfp_t gfp);

/* Drops one reference; the last one frees. order must be the one it was allocated with. */
void __free_pages(struct page *page, unsigned int order);
void __free_page(struct page *page);

/* The same by address in the direct map; 0 when there are none, and free_pages(0) does nothing. */
static inline unsigned long get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp, order);

	return page ? (unsigned long)page_address(page) : 0;
}

static inline void free_pages(unsigned long addr, unsigned int order)
{
	if (addr)
		__free_pages(virt_to_page((void *)addr), order);
}

/*
 * Fills the empty (NULL) places of array[0 .. nr_pages) with single frames, in order, until memory
 * runs out. Returns how many leading places are filled (Linux's alloc_pages_bulk).
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

/* References. put_page() drops one and frees with the last, whatever the order. */
void get_page(struct page *page);
void put_page(struct page *page);

/*
 * An allocation of this order becomes 2^order single frames, each freed on its own. The count must
 * be 1. O(2^order): the blocks it cuts are opened.
 */
void split_page(struct page *page, unsigned int order);

/*
 * Takes the frames [start, end) if all of them are free and of one zone: 0, or -EBUSY (some frame
 * is not free), -EINVAL (empty, or across zones). Each becomes an allocation of order 0.
 * free_contig_range() gives nr_pages of them back. gfp: __GFP_ZERO. O(end - start).
 */
enum migratetype { MIGRATE_UNMOVABLE, MIGRATE_MOVABLE }; /* nothing is moved here: the same */
int alloc_contig_range(pfn_t start, pfn_t end, unsigned int migratetype, gfp_t gfp);

static inline void free_contig_range(pfn_t start, unsigned long nr_pages)
{
	for (unsigned long i = 0; i < nr_pages; i++)
		__free_page(pfn_to_page(start + i));
}

/*
 * Gives the single frames that this CPU keeps at hand back to the bits. Allocations that would fail
 * do it themselves; free_span() and whoever looks at the bits want it done before.
 */
void drain_caches(void);

/* What a frame is at this moment. O(18) reads at most. */
enum page_state {
	PAGE_ABSENT,    /* no RAM there */
	PAGE_RESERVED,  /* RAM that memblock reserved, never handed over */
	PAGE_FREE,      /* in the allocator's bits, or in a CPU's cache */
	PAGE_ALLOCATED, /* head or interior of an allocation */
};
enum page_state page_state(pfn_t pfn);

/* The head of the allocation that covers the frame, or NULL when none does. */
struct page *page_head(pfn_t pfn);

/* Of a head: its order, references and zone. */
unsigned int page_order(const struct page *head);
unsigned int page_count(const struct page *head);
unsigned int page_zonenum(const struct page *head);

#endif
