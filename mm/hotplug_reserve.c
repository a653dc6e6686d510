/* SPDX-License-Identifier: MIT */
/*
 * hotplug_reserve.c: the frames that are kept for adding memory.
 *
 * They come from the allocator in areas of 64 frames, of which a word of bits says which are free.
 * What is kept is as much as one call of add_memory() needs in the worst case. Where the frames are
 * free but do not lie in a row, a call may fail all the same.
 *
 *     5  a zone and two shelves            9 + 9  the gibs of two GiBs that it has in part
 *     4  the owners of two shelves         1 + 1  the owners of the blocks of these
 *     1  the fallback list of a new node   8      page tables, two for each end and window
 *     8  memblock's arrays
 */
#include "mm/hotplug_parts.h"

#define AREA_ORDER  6
#define AREA_FRAMES (1u << AREA_ORDER)
#define MAX_AREAS   16
#define KEPT        46

struct area {
	phys_addr_t base;
	uint64_t free; /* bit i: the frame number i of the area is free */
};
static struct area areas[MAX_AREAS];
static unsigned int nr_areas;

static unsigned int nr_free_in(const struct area *area)
{
	return bitmap_word_weight(area->free);
}

unsigned int hotplug_reserve_frames(void)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < nr_areas; i++)
		nr += nr_free_in(&areas[i]);
	return nr;
}

/*
 * Not from memory above 4 GiB, of which a part may be Hotplug memory: the reserve has to stay when
 * that leaves.
 */
static bool add_area(void)
{
	struct page *page =
	    nr_areas < MAX_AREAS ? alloc_pages(GFP_DMA32 | __GFP_UNMOVABLE, AREA_ORDER) : NULL;

	if (!page)
		return false;
	areas[nr_areas++] = (struct area){ page_to_phys(page), ~0ull };
	return true;
}

/* Frees areas of which nothing is in use, as long as enough is kept without them. */
static void free_areas(void)
{
	for (unsigned int i = nr_areas; i-- > 0;) {
		if (areas[i].free != ~0ull || hotplug_reserve_frames() < AREA_FRAMES + KEPT)
			continue;
		__free_pages(pfn_to_page(PHYS_PFN(areas[i].base)), AREA_ORDER);
		areas[i] = areas[--nr_areas];
	}
}

void hotplug_fill_reserve(void)
{
	while (hotplug_reserve_frames() < KEPT && add_area())
		;
	free_areas();
}

int hotplug_init_reserve(void)
{
	nr_areas = 0;
	hotplug_fill_reserve();
	return hotplug_reserve_frames() < KEPT ? -ENOMEM : 0;
}

/* Returns the bits of nr frames of an area, from number i on. */
static uint64_t bits_of(unsigned int i, unsigned int nr)
{
	return ~0ull >> (AREA_FRAMES - nr) << i;
}

phys_addr_t hotplug_take_frames(unsigned int nr)
{
	MM_ASSERT(nr && nr <= AREA_FRAMES);
	for (struct area *area = areas; area < areas + nr_areas; area++)
		for (unsigned int i = 0; i + nr <= AREA_FRAMES; i++) {
			uint64_t bits = bits_of(i, nr);

			if ((area->free & bits) != bits)
				continue;
			area->free &= ~bits;
			return area->base + PFN_PHYS(i);
		}
	return 0;
}

void hotplug_return_frames(phys_addr_t phys, unsigned int nr)
{
	for (struct area *area = areas; area < areas + nr_areas; area++)
		if (phys >= area->base && phys < area->base + PFN_PHYS(AREA_FRAMES)) {
			uint64_t bits = bits_of((unsigned int)PHYS_PFN(phys - area->base), nr);

			MM_ASSERT(!(area->free & bits));
			area->free |= bits;
			return;
		}
	port_panic("the reserve for added memory has no frame 0x%llx",
		   (unsigned long long)PHYS_PFN(phys));
}
