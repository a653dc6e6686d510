/* SPDX-License-Identifier: MIT */
/*
 * page_list.h: doubly linked lists of pages, for a kernel whose own struct page had two words for
 * links, as Linux's has.
 *
 * struct page of mm/ gives the owner of an allocation one word (page_private()). This list puts
 * both links into it, as frame numbers of 32 bits: the next page in the lower half, the previous
 * one in the upper half. Frame 0, which is never allocated, stands for none. So a page that is on a
 * list has no private word left, and the configuration must define MM_MAX_PFN as 2^32 at the most,
 * which is 16 TiB of RAM. The links are not kept in the memory of the page itself, where they could
 * have 64 bits, because most lists, such as those of a page cache, have pages whose content is in
 * use.
 *
 * A page on a list is the head of an allocation of any order. Nothing here takes a lock: the caller
 * holds one where several CPUs use a list. Each function takes constant time.
 */
#ifndef CONTRIB_PAGE_LIST_H
#define CONTRIB_PAGE_LIST_H

#ifdef MM_HEADER
#include MM_HEADER
#else
#include "mm/page.h"
#endif

/* A list. All its bytes are 0 when it is empty. */
struct page_list {
	uint32_t first, last; /* frame numbers; 0: none */
};

/* Put the page, which is on no list, before the first page of the list, or after the last. */
void page_list_add(struct page_list *list, struct page *page);
void page_list_add_tail(struct page_list *list, struct page *page);

/*
 * Takes the page off the list, and sets its private word to 0. Panics for a page that is on no
 * list, whatever its word is, because the neighbours that the word names do not name the page. Does
 * not notice a page that is in the middle of another list.
 */
void page_list_remove(struct page_list *list, struct page *page);

/* Takes the first page off the list and returns it. Returns NULL if the list is empty. */
struct page *page_list_pop(struct page_list *list);

/* Return the first page of a list, and the one after a page of a list; NULL if there is none. */
struct page *page_list_first(const struct page_list *list);
struct page *page_list_next(const struct page *page);

/* Runs the body for each page of a list. The body must not take the page off the list. */
#define for_each_listed_page(page, list) \
	for ((page) = page_list_first(list); (page); (page) = page_list_next(page))

#endif
