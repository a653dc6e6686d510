/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.h: kmalloc() and kfree(), which mm/port.h declares, in powers of two over the allocator.
 *
 * A request, for 0 bytes as well, is rounded up to a power of two, from 32 bytes on, and aligned to
 * it, as far as MM_DIRECT_MAP is. Up to half a page the objects of one size share pages; a larger
 * request is an allocation of its own, of whole pages, up to 1 GiB.
 *
 *   private word of the page      a mark, the size of the page's objects or of the allocation that
 *                                 it heads, how many are in use, where the first free one is
 *   first free object of a page   links the pages of a size that have free objects
 *
 * So the pages that these functions hold have no private word for others. A page of which all
 * objects are free goes back to the allocator, unless it is the last of its size. MM_PAGE_OWNER
 * (mm/debug.h) records the callers of kmalloc().
 *
 * kmalloc() returns NULL when there is no memory, and clears what it returns if gfp has __GFP_ZERO.
 * A request for memory of a zone or node (__GFP_DMA, __GFP_DMA32, __GFP_THISNODE) gets a page of
 * its own at least. kfree() does nothing for NULL. It panics for an address at which no object can
 * be; that an object which shares its page is freed twice it notices in builds with MM_ASSERT() on.
 *
 * One lock, held for a few instructions with interrupts off, serves all objects that share pages.
 * Both functions may be called wherever alloc_pages() and __free_pages() may.
 */
#ifndef CONTRIB_KMALLOC_H
#define CONTRIB_KMALLOC_H

/*
 * To be called once, after zones_finish(): from then on slab_is_available() returns true and
 * kmalloc() works.
 */
void kmalloc_init(void);

#endif
