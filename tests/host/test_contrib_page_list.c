/*
 * test_contrib_page_list.c: compares contrib/page_list.c with arrays of pages, over random
 * operations on several lists, and shows that misuse panics.
 *
 * No allocator is needed: the descriptors of a few frames, at both ends of what a link can name,
 * are mapped at their places in mem_map.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "contrib/page_list.h"
#include "mm/page.h"

#define NR_PAGES 16
#define NR_LISTS 3

static jmp_buf panicked;
static char panic_text[128];

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(panic_text, sizeof(panic_text), fmt, ap);
	va_end(ap);
	longjmp(panicked, 1);
}

static struct page *pages[NR_PAGES];

/* What the lists should be: the pages in their order. */
static struct {
	struct page_list list;
	struct page *model[NR_PAGES];
	unsigned int nr;
} lists[NR_LISTS];

static int map_descriptors(void **state)
{
	const pfn_t starts[] = { 0, MM_MAX_PFN - 256 };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		void *want = pfn_to_page(starts[i]);
		void *got = mmap(want, PAGE_SIZE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (got != want)
			return -1;
	}
	for (unsigned int i = 0; i < NR_PAGES; i++)
		pages[i] = pfn_to_page(i % 2 ? MM_MAX_PFN - 1 - i / 2 : 1 + i / 2);
	return 0;
}

static void check(unsigned int n)
{
	const struct page_list *list = &lists[n].list;
	struct page *page, *last = NULL;
	unsigned int nr = 0;

	for_each_listed_page(page, list)
	{
		assert_true(nr < lists[n].nr);
		assert_ptr_equal(page, lists[n].model[nr++]);
		last = page;
	}
	assert_int_equal(nr, lists[n].nr);
	assert_int_equal(list->last, last ? page_to_pfn(last) : 0);
	assert_ptr_equal(page_list_first(list), nr ? lists[n].model[0] : NULL);
}

/* Inserts the page in the model at position `at`. */
static void model_insert(unsigned int n, unsigned int at, struct page *page)
{
	for (unsigned int i = lists[n].nr++; i > at; i--)
		lists[n].model[i] = lists[n].model[i - 1];
	lists[n].model[at] = page;
}

/* Takes away what the model has at that position. */
static void model_remove(unsigned int n, unsigned int at)
{
	lists[n].nr--;
	for (unsigned int i = at; i < lists[n].nr; i++)
		lists[n].model[i] = lists[n].model[i + 1];
}

/* Puts a page on list n at its beginning or end. */
static void put_page_on(unsigned int n, struct page *page, bool tail)
{
	if (tail)
		page_list_add_tail(&lists[n].list, page);
	else
		page_list_add(&lists[n].list, page);
	model_insert(n, tail ? lists[n].nr : 0, page);
}

/* Takes the page at a random position off list n, or the first one by page_list_pop(). */
static struct page *take_page_off(unsigned int n, bool pop)
{
	unsigned int at = pop ? 0 : (unsigned int)rand() % lists[n].nr;
	struct page *page = lists[n].model[at];

	if (pop)
		assert_ptr_equal(page_list_pop(&lists[n].list), page);
	else
		page_list_remove(&lists[n].list, page);
	assert_int_equal(page_private(page), 0);
	model_remove(n, at);
	return page;
}

static void lists_keep_their_order(void **state)
{
	struct page *unlisted[NR_PAGES];
	unsigned int nr = NR_PAGES;

	(void)state;
	memset(lists, 0, sizeof(lists));
	memcpy(unlisted, pages, sizeof(pages));
	for (unsigned int round = 0; round < 20000; round++) {
		unsigned int n = (unsigned int)rand() % NR_LISTS;

		if (nr && rand() % 2) {
			unsigned int i = (unsigned int)rand() % nr;
			struct page *page = unlisted[i];

			unlisted[i] = unlisted[--nr];
			/* Whatever was in the word before does not count. */
			set_page_private(page, (unsigned long)rand());
			put_page_on(n, page, rand() % 2);
		} else if (lists[n].nr) {
			unlisted[nr++] = take_page_off(n, rand() % 2);
		} else {
			assert_null(page_list_pop(&lists[n].list));
		}
		for (unsigned int i = 0; i < NR_LISTS; i++)
			check(i);
	}
}

static void expect_refusal(struct page_list *list, struct page *page)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "frame 0x%lx is not on the list", page_to_pfn(page));
	panic_text[0] = '\0';
	if (!setjmp(panicked))
		page_list_remove(list, page);
	assert_non_null(strstr(panic_text, wanted));
}

/* Pages of another list, and pages of none, are not taken off: alone, first, last or within. */
static void what_is_not_listed_is_not_removed(void **state)
{
	struct page_list other = { 0, 0 };

	(void)state;
	memset(lists, 0, sizeof(lists));
	set_page_private(pages[0], 0);
	expect_refusal(&lists[0].list, pages[0]);
	for (unsigned int i = 0; i < 3; i++)
		put_page_on(0, pages[i], true);
	put_page_on(1, pages[3], true);
	set_page_private(pages[4], 0);
	expect_refusal(&lists[0].list, pages[3]);
	expect_refusal(&lists[0].list, pages[4]);
	expect_refusal(&other, pages[0]);
	expect_refusal(&other, pages[2]);
	expect_refusal(&lists[1].list, pages[0]);
	/* A word that is not the list's may name descriptors that are not mapped. */
	set_page_private(pages[4], 0xfff00000fff00000);
	expect_refusal(&lists[0].list, pages[4]);
	set_page_private(pages[4], 0xffffffff);
	expect_refusal(&lists[0].list, pages[4]);
	page_list_remove(&lists[0].list, pages[1]);
	expect_refusal(&lists[0].list, pages[1]);
	model_remove(0, 1);
	check(0);
	check(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_keep_their_order),
		cmocka_unit_test(what_is_not_listed_is_not_removed),
	};

	srand(19);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("contrib_page_list", tests, map_descriptors, NULL);
}
