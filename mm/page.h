/* SPDX-License-Identifier: MIT */
/*
 * page.h: mem_map, the array that has one struct page for each frame.
 *
 * The array is flat in virtual space: pfn_to_page(pfn) is mem_map + pfn for every pfn < MM_MAX_PFN,
 * unless the port defines MM_PFN_TO_PAGE(). Frames in holes have descriptors too. Those lie on one
 * shared page of zeros: they may be read, never written.
 *
 * A descriptor's state word is zero unless its frame is a head, the first frame of an allocation,
 * or is marked reserved. The word means something only where the allocator's bits say so: the
 * descriptors of a block are zeroed when the block is first opened, and before that only the
 * descriptor of a head is read (zone.h, invariants P2 and P3). To learn about a frame that you do
 * not hold, ask page_state(), not its descriptor.
 *
 * A struct page for each frame is Linux's idea. This one has 16 bytes where Linux's has 64,
 * and is not initialised for frames that are not in use.
 */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include "mm/port.h"

struct page {
	/* The struct in it has no name, which ISO C++ does not know. */
	__extension__ union {
		uint64_t state; /* 0: not a head. It is compared and written as a whole */
		struct {
			uint32_t count;  /* references */
			uint8_t order;   /* bit 7: marked reserved, not an allocation */
			uint8_t zone;    /* the zone; in the upper six bits the NUMA node */
			uint16_t cookie; /* not 0, and different from boot to boot */
		};
	};
	unsigned long owner_word; /* see page_private() */
};
MM_STATIC_ASSERT(sizeof(void *) == 8 && sizeof(unsigned long) == 8, "mm/ needs 64 bits");
MM_STATIC_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
		 "mm/ needs little-endian: zone.h has the shifts of these fields");
MM_STATIC_ASSERT(sizeof(struct page) == 16, "0.39 % of RAM");

#ifndef MM_PFN_TO_PAGE
#define mem_map              ((struct page *)(uintptr_t)(MEM_MAP_BASE))
#define MM_PFN_TO_PAGE(pfn)  (mem_map + (pfn))
#define MM_PAGE_TO_PFN(page) ((pfn_t)((page)-mem_map))
#endif

/* Returns the word that the owner of an allocation keeps in the descriptor of its head. */
static inline unsigned long page_private(const struct page *page)
{
	return page->owner_word;
}

/*
 * Sets that word to any value. Only the owner may, from allocation to release; the allocator
 * neither reads nor clears it.
 */
static inline void set_page_private(struct page *page, unsigned long value)
{
	page->owner_word = value;
}

/*
 * The owner word of a single frame that is damaged and therefore stays allocated, "bad" in ASCII.
 * Memory may be removed although it has such frames (hotplug.h). Linux has PG_hwpoison.
 */
#define PAGE_HWPOISON 0x626164ul

/* Returns the descriptor of a frame, pfn < MM_MAX_PFN. */
static inline struct page *pfn_to_page(pfn_t pfn)
{
	return (struct page *)MM_PFN_TO_PAGE(pfn);
}

static inline pfn_t page_to_pfn(const struct page *page)
{
	return MM_PAGE_TO_PFN(page);
}

/*
 * Returns where the window of mem_map has the descriptor of a frame. With MM_PFN_TO_PAGE() it is
 * not there, and the address is only a name of the frame: port_map_mem_map() gets it.
 */
static inline uintptr_t mem_map_window(pfn_t pfn)
{
	return (uintptr_t)(MEM_MAP_BASE) + pfn * sizeof(struct page);
}

static inline phys_addr_t page_to_phys(const struct page *page)
{
	return PFN_PHYS(page_to_pfn(page));
}

/* Returns the address at which the direct map shows the frame. */
static inline void *page_address(const struct page *page)
{
	return phys_to_virt(page_to_phys(page));
}

/* Returns the descriptor of the frame that virt, an address in the direct map, lies in. */
static inline struct page *virt_to_page(const volatile void *virt)
{
	return pfn_to_page(PHYS_PFN(virt_to_phys(virt)));
}

/* Returns whether memblock has the frame as RAM. O(log regions). */
bool pfn_valid(pfn_t pfn);

/*
 * Backs the descriptors of all RAM below MM_MAX_PFN with memory, and maps the rest of the window to
 * zeros. To be called once, after memblock is complete and the direct map stands. Returns the bytes
 * of memory taken for descriptors; panics when memblock has no room, or RAM beyond MM_MAX_PFN.
 */
uint64_t mem_map_init(void);

#endif
