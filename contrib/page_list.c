/* SPDX-License-Identifier: MIT */
#include "contrib/page_list.h"

/* A kernel whose configuration of mm/ has MM_PANIC() need not have panic(). */
#ifndef MM_PANIC
#define MM_PANIC(...) panic(__VA_ARGS__)
#endif

#define NONE       0u
#define PREV_SHIFT 32

MM_STATIC_ASSERT(MM_MAX_PFN <= (pfn_t)1 << PREV_SHIFT,
		 "a link has 32 bits: define MM_MAX_PFN as 2^32 or less");

static uint32_t number(const struct page *page)
{
	return (uint32_t)page_to_pfn(page);
}

static uint32_t next_of(uint32_t pfn)
{
	return (uint32_t)page_private(pfn_to_page(pfn));
}

static uint32_t prev_of(uint32_t pfn)
{
	return (uint32_t)(page_private(pfn_to_page(pfn)) >> PREV_SHIFT);
}

static void set_links(uint32_t pfn, uint32_t prev, uint32_t next)
{
	set_page_private(pfn_to_page(pfn), (unsigned long)prev << PREV_SHIFT | next);
}

/* Make `next` follow prev, and prev precede `next`; NONE stands for the list's end. */
static void set_next(struct page_list *list, uint32_t prev, uint32_t next)
{
	if (prev == NONE)
		list->first = next;
	else
		set_links(prev, prev_of(prev), next);
}

static void set_prev(struct page_list *list, uint32_t next, uint32_t prev)
{
	if (next == NONE)
		list->last = prev;
	else
		set_links(next, prev, next_of(next));
}

static void insert(struct page_list *list, uint32_t pfn, uint32_t prev, uint32_t next)
{
	set_links(pfn, prev, next);
	set_next(list, prev, pfn);
	set_prev(list, next, pfn);
}

void page_list_add(struct page_list *list, struct page *page)
{
	insert(list, number(page), NONE, list->first);
}

void page_list_add_tail(struct page_list *list, struct page *page)
{
	insert(list, number(page), list->last, NONE);
}

/* Returns whether the neighbours that the page names, or the ends of the list, name the page. */
static bool is_confirmed(const struct page_list *list, uint32_t pfn)
{
	const pfn_t prev = prev_of(pfn), next = next_of(pfn);

	if (prev >= MM_MAX_PFN || next >= MM_MAX_PFN)
		return false; /* no links: nothing may be mapped there */
	return (prev == NONE ? list->first : next_of((uint32_t)prev)) == pfn &&
	       (next == NONE ? list->last : prev_of((uint32_t)next)) == pfn;
}

void page_list_remove(struct page_list *list, struct page *page)
{
	uint32_t pfn = number(page), prev = prev_of(pfn), next = next_of(pfn);

	if (!is_confirmed(list, pfn))
		MM_PANIC("page_list_remove: frame 0x%x is not on the list", pfn);
	set_next(list, prev, next);
	set_prev(list, next, prev);
	set_page_private(page, 0);
}

struct page *page_list_pop(struct page_list *list)
{
	struct page *page = page_list_first(list);

	if (page)
		page_list_remove(list, page);
	return page;
}

struct page *page_list_first(const struct page_list *list)
{
	return list->first == NONE ? NULL : pfn_to_page(list->first);
}

struct page *page_list_next(const struct page *page)
{
	uint32_t next = next_of(number(page));

	return next == NONE ? NULL : pfn_to_page(next);
}
