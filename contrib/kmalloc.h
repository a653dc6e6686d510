/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.h: kmalloc(), kfree() and slab_is_available(), which mm/port.h declares, on top of the
 * page allocator.
 *
 * A request is rounded up to a power of two, at least 32 bytes, also one for 0 bytes. An object is
 * aligned to this size, but not further than MM_DIRECT_MAP is. Objects of one size share pages if
 * they have at most half a page; a larger request is an allocation of its own, of whole pages, up
 * to 1 GiB.
 *
 *   private word of the page      a mark, the size of the page's objects or of the allocation that
 *                                 it heads, how many objects are used, the place of a free one
 *   first free object of a page   links the pages of a size that have free objects
 *
 * So the caller must leave the private word of these pages alone. A page of which all objects are
 * free goes back to the allocator, unless it is the only page of its size with free objects.
 * MM_PAGE_OWNER (mm/debug.h) records the callers of kmalloc().
 *
 * kmalloc() returns NULL when there is no memory, and clears what it returns if gfp has __GFP_ZERO.
 * A request for memory of a zone or node (__GFP_DMA, __GFP_DMA32, __GFP_THISNODE) gets a page of
 * its own at least. kfree() does nothing for NULL. It panics for an address at which no object can
 * be. An object that is freed twice while its page has others in use is noticed only where
 * MM_ASSERT() is on: in host builds (MM_HOST) with the folder mm/.
 *
 * One lock, held for a few instructions with interrupts off, serves all objects that share pages.
 * Both functions may be called wherever alloc_pages() and __free_pages() may.
 */
#ifndef CONTRIB_KMALLOC_H
#define CONTRIB_KMALLOC_H

/* Makes kmalloc() work and slab_is_available() return true. Call it once, after zones_finish(). */
void kmalloc_init(void);

#endif
