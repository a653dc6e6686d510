/*
 * cmd_memtest.c: the monitor's command `memtest`. It allocates all free memory, tests it on all
 * CPUs at once, and frees it again except for the frames that failed.
 *
 * What is allocated counts as one sequence of bytes, which is cut into chunks. A CPU that has
 * finished a chunk takes the next one that nobody has taken.
 */
#include "arch/x86_64/arch.h"
#include "kernel/console/console.h"
#include "kernel/memory/hotplug.h"
#include "kernel/memory/memtest.h"
#include "kernel/memory/steps.h"
#include "kernel/monitor/command.h"
#include "kernel/options.h"
#include "kernel/parse.h"
#include "kernel/test/crew.h"
#include "kernel/test/page_list.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/zone.h"

#define DEFAULT_PASSES 2 /* the two patterns that differ at each address: memtest.h */

static struct page *taken;
static uint64_t nr_chunks; /* so many have been taken in this half of a pass */

/*
 * Tests the bytes [start, end) of what is in `taken`. *page is an allocation at or before start and
 * *base the place of its first byte; both are moved on to the one in which end lies.
 */
static bool test_chunk(struct memtest *test, const struct page **page, uint64_t *base,
		       uint64_t start, uint64_t end)
{
	while (*page) {
		uint64_t size = PAGE_SIZE << page_order(*page), limit = *base + size;
		phys_addr_t phys = page_to_phys(*page) - *base;

		if (limit > start && !memtest_range(test, phys + (start > *base ? start : *base),
						    phys + (end < limit ? end : limit)))
			return false;
		if (limit > end)
			break;
		*page = (const struct page *)page_private(*page);
		*base = limit;
	}
	return true;
}

/* What each CPU does. */
static void test_chunks(void *argument)
{
	struct memtest *test = argument;
	const struct page *page = taken;
	uint64_t base = 0, start;

	while (!crew_stopped()) {
		start = __atomic_fetch_add(&nr_chunks, 1, __ATOMIC_RELAXED) * MEMTEST_CHUNK;
		if (start >= test->total)
			return;
		if (!test_chunk(test, &page, &base, start, start + MEMTEST_CHUNK))
			crew_stop();
	}
}

/* memtest_run() has emptied the caches of CPU 0. */
static void flush_other_caches(void *unused)
{
	(void)unused;
	if (port_cpu_id() != 0)
		arch_flush_caches();
}

/* An each_range() of memtest_run(), for the allocations in `taken`. */
static bool each_taken(struct memtest *test)
{
	crew_run(flush_other_caches, NULL);
	nr_chunks = 0;
	crew_run(test_chunks, test);
	return !crew_stopped() && test->go_on(test);
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

static bool show_and_ask(struct memtest *test)
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

static const char *memtest_word(int nr, size_t i)
{
	return nr == 1 && !i ? "list" : NULL;
}

const struct command memtest_commands[] = {
	{ "memtest", "[PASSES|list]", "tests free memory",
	  "Tests free memory with PASSES patterns, or 2; frames that fail stay out of\n"
	  "service. list: prints those.",
	  "1", cmd_memtest, .time = UNTIL_PANIC, .max_args = 1, .word = memtest_word },
	{ .name = NULL },
};
