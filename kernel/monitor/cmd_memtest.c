/*
 * cmd_memtest.c: the monitor's command `memtest`. It allocates all free memory, tests it, and frees
 * it again except for the frames that failed.
 */
#include "kernel/console/console.h"
#include "kernel/memory/hotplug.h"
#include "kernel/memory/memtest.h"
#include "kernel/memory/steps.h"
#include "kernel/monitor/command.h"
#include "kernel/options.h"
#include "kernel/parse.h"
#include "kernel/test/page_list.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/zone.h"

#define DEFAULT_PASSES 2 /* the two patterns that differ at each address: memtest.h */

static struct page *taken;

/* An each_range() of memtest_run(), for the allocations in `taken`. */
static bool each_taken(struct memtest *test)
{
	for (const struct page *page = taken; page;
	     page = (const struct page *)page_private(page)) {
		phys_addr_t base = page_to_phys(page);

		if (!memtest_range(test, base, base + (PAGE_SIZE << page_order(page))))
			return false;
	}
	return true;
}

/* Frees the good frames of an allocation; each bad one becomes an allocation of its own. */
static void give_back_good_frames(struct page *page, unsigned int order)
{
	pfn_t pfn = page_to_pfn(page);

	split_page(page, order);
	for (pfn_t i = 0; i < (pfn_t)1 << order; i++)
		if (memtest_any_bad(pfn + i, pfn + i + 1))
			set_page_private(&page[i], PAGE_HWPOISON);
		else
			__free_page(page + i);
}

static void give_back(void)
{
	struct page *page;

	while ((page = page_list_pop(&taken))) {
		unsigned int order = page_order(page);
		pfn_t pfn = page_to_pfn(page);

		if (memtest_any_bad(pfn, pfn + ((pfn_t)1 << order)))
			give_back_good_frames(page, order);
		else
			__free_pages(page, order);
	}
	drain_all_pages();
}

static bool show_and_ask(const struct memtest *test)
{
	memtest_progress(test, console_printf);
	hotplug_progress();
	return !console_interrupted();
}

static int test_free_memory(unsigned int passes)
{
	struct memtest test = {
		.passes = passes,
		.total = nr_free_pages() << PAGE_SHIFT,
		.go_on = show_and_ask,
	};
	uint64_t before = memtest_nr_bad();
	bool complete;

	page_list_take_all(&taken);
	complete = memtest_run(&test, each_taken);
	give_back();
	console_printf("%u of %u passes over %llu MiB%s; bad frames: %llu\n", test.pass, passes,
		       ULL(test.total >> 20), complete ? "" : ", interrupted",
		       ULL(memtest_nr_bad() - before));
	memtest_print_bad(console_printf);
	return !complete || memtest_nr_bad() > before;
}

static int cmd_memtest(int argc, char **argv)
{
	uint64_t passes = DEFAULT_PASSES;

	if (argc > 2)
		return COMMAND_USAGE;
	if (argc == 2 && !strcmp(argv[1], "list")) {
		memtest_print_bad(console_printf);
		console_printf("frames out of service: %llu\n", ULL(memtest_nr_bad()));
		return 0;
	}
	if (argc == 2 &&
	    (!parse_number(argv[1], &passes) || !passes || passes > MEMTEST_MAX_PASSES)) {
		console_printf("%s is not a number of passes, 1 to %u, nor list\n", argv[1],
			       MEMTEST_MAX_PASSES);
		return 1;
	}
	return test_free_memory((unsigned int)passes);
}

const struct command memtest_commands[] = {
	{ "memtest", "[PASSES|list]", "tests free memory; bad frames stay out of service",
	  cmd_memtest, UNTIL_PANIC },
	{ .name = NULL },
};
