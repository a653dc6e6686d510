/*
 * page.h: mem_map, one struct page a frame, flat in virtual space.
 *
 * pfn_to_page(pfn) is mem_map + pfn, a constant base, for every pfn < MM_MAX_PFN. Descriptors of
 * frames in holes exist too: they lie on one shared zero page and may be read, never written.
 *
 * A descriptor's state word is zero unless its frame is a head: the first frame of an allocation,
 * or a frame that was marked reserved. It means something only where the allocator's bits say so:
 * the descriptors of a block are zeroed when the block is first opened, and until then nobody
 * reads them but for the head of an allocation (mm/buddy.h, invariants). Ask page_state().
 */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include "mm/port.h"

struct page {
	union {
		uint64_t state; /* 0: not a head. Compared and written as a whole */
		struct {
			uint32_t count;  /* references */
			uint8_t order;   /* bit 7: marked reserved, no allocation */
			uint8_t zone;    /* and, in the upper six bits, the node */
			uint16_t cookie; /* not 0, different from boot to boot */
		};
	};
	unsigned long owner_word; /* page_private(): the owner's, from allocation to release */
};
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "zone.h has the shifts of these fields");
_Static_assert(sizeof(struct page) == 16, "0.39 % of RAM");

#define mem_map ((struct page *)(uintptr_t)MEM_MAP_BASE)

/* Returns the word that the owner of an allocation keeps in its head. */
static inline unsigned long page_private(const struct page *page)
{
	return page->owner_word;
}

/* Sets that word. Only the owner may: any value, which is kept until the allocation is freed. */
static inline void set_page_private(struct page *page, unsigned long value)
{
	page->owner_word = value;
}

static inline struct page *pfn_to_page(pfn_t pfn)
{
	return mem_map + pfn;
}

static inline pfn_t page_to_pfn(const struct page *page)
{
	return (pfn_t)(page - mem_map);
}

static inline phys_addr_t page_to_phys(const struct page *page)
{
	return PFN_PHYS(page_to_pfn(page));
}

/* Where the kernel sees the frame: the direct map. */
static inline void *page_address(const struct page *page)
{
	return phys_to_virt(page_to_phys(page));
}

static inline struct page *virt_to_page(const volatile void *virt)
{
	return pfn_to_page(PHYS_PFN(virt_to_phys(virt)));
}

/* Whether memblock has the frame as RAM. O(log regions). */
bool pfn_valid(pfn_t pfn);

/*
 * Backs the descriptors of all RAM below MM_MAX_PFN and maps the rest of the window to zeros.
 * Once, after memblock is complete and the direct map stands. Panics when memblock has no room.
 * Returns the bytes of memory taken for descriptors.
 */
uint64_t mem_map_init(void);

#endif
