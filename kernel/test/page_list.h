/*
 * page_list.h: lists of allocations of any order, linked by their owner words, the last added
 * first.
 *
 * They are for tests and measurements that hold much memory at once: a list needs no memory of its
 * own, and does not touch the frames. An empty list is a null pointer.
 */
#ifndef KERNEL_TEST_PAGE_LIST_H
#define KERNEL_TEST_PAGE_LIST_H

#include "mm/gfp.h"

/* Adds an allocation, named by its first page, to the list. */
static inline void page_list_push(struct page **list, struct page *page)
{
	set_page_private(page, (unsigned long)*list);
	*list = page;
}

/* Removes the allocation that was added last. Returns its first page, or NULL if there is none. */
static inline struct page *page_list_pop(struct page **list)
{
	struct page *page = *list;

	if (page) {
		*list = (struct page *)page_private(page);
		set_page_private(page, 0);
	}
	return page;
}

/*
 * Adds all free memory to the list: of every zone and down to the last frame, the largest blocks
 * first.
 */
static inline void page_list_take_all(struct page **list)
{
	static const gfp_t zones_down[] = { GFP_KERNEL, GFP_DMA32, GFP_DMA };
	struct page *page;

	for (size_t i = 0; i < sizeof(zones_down) / sizeof(zones_down[0]); i++)
		for (unsigned int order = MAX_PAGE_ORDER + 1; order-- > 0;)
			while ((page = alloc_pages(zones_down[i] | __GFP_HIGH, order)))
				page_list_push(list, page);
}

/* Frees all allocations of the list, which is then empty. */
static inline void page_list_free(struct page **list)
{
	struct page *page;

	while ((page = page_list_pop(list)))
		__free_pages(page, page_order(page));
}

#endif
