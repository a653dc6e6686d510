/*
 * page_list.h: allocations of any order, chained by their descriptors' owner word, newest first.
 *
 * For tests and figures that hold much at once: nothing is allocated for it, and no frame is
 * touched.
 */
#ifndef KERNEL_TEST_PAGE_LIST_H
#define KERNEL_TEST_PAGE_LIST_H

#include "mm/gfp.h"

static inline void page_list_push(struct page **list, struct page *page)
{
	set_page_private(page, (unsigned long)*list);
	*list = page;
}

/* NULL when the list is empty. */
static inline struct page *page_list_pop(struct page **list)
{
	struct page *page = *list;

	if (page) {
		*list = (struct page *)page_private(page);
		set_page_private(page, 0);
	}
	return page;
}

/* All that is free: largest first, all zones, to the last frame. */
static inline void page_list_take_all(struct page **list)
{
	static const gfp_t zones_down[] = { GFP_KERNEL, GFP_DMA32, GFP_DMA };
	struct page *page;

	for (size_t i = 0; i < sizeof(zones_down) / sizeof(zones_down[0]); i++)
		for (unsigned int order = MAX_PAGE_ORDER + 1; order-- > 0;)
			while ((page = alloc_pages(zones_down[i] | __GFP_HIGH, order)))
				page_list_push(list, page);
}

static inline void page_list_free(struct page **list)
{
	struct page *page;

	while ((page = page_list_pop(list)))
		__free_pages(page, page_order(page));
}

#endif
