/*
 * selftest.c: tests what host programs cannot, because it needs a real machine: RAM, page tables,
 * and descriptors with the contents that a reset left behind.
 *
 * Each test is a function that returns NULL, or in words what is wrong; or, if it cannot run on
 * this machine or with so little free memory, a text that SELFTEST_SKIP() makes of the reason.
 */
#include "kernel/test/selftest.h"

#include "arch/x86_64/address_space.h"
#include "arch/x86_64/arch.h"
#include "arch/x86_64/paging.h"
#include "kernel/console/console.h"
#include "kernel/memory/steps.h"
#include "kernel/test/page_list.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/check.h"
#include "mm/debug.h"
#include "mm/memblock.h"
#include "mm/numa.h"
#include "mm/page_state.h"
#include "mm/zone.h"

#define PATTERN_FRAMES 4096 /* frames that are written and read back, at most: 16 MiB */

static const char *map_is_sorted_and_disjoint(void)
{
	for (uint32_t i = 1; i < e820_map.nr_ranges; i++) {
		const struct e820_range *a = &e820_map.ranges[i - 1], *b = &e820_map.ranges[i];

		if (b->base <= a->base || b->base - a->base < a->size)
			return "two ranges of the corrected map overlap";
	}
	return NULL;
}

/* Returns whether memblock has all frames [pfn, end) as RAM, in one region or several. */
static bool frames_are_ram(pfn_t pfn, pfn_t end)
{
	unsigned long from, to;

	for (; pfn < end; pfn = to)
		if (memblock_search_pfn_nid(pfn, &from, &to) == NUMA_NO_NODE)
			return false;
	return true;
}

static const char *free_memory_is_ram(void)
{
	pfn_t start = 0, end;

	for (; next_free_range(&start, &end); start = end) {
		phys_addr_t base = PFN_PHYS(start), last = PFN_PHYS(end) - 1;

		if (!frames_are_ram(start, end))
			return "a free range is not all RAM";
		if (memblock_is_region_reserved(base, last - base + 1))
			return "a free range is reserved in memblock";
		if (base < LOW_MEMORY_KEPT || (base < 0x100000 && last >= LOW_MEMORY_END))
			return "low memory that must be kept is free";
	}
	return NULL;
}

static const char *invariants_hold(void)
{
	return mm_check() ? "mm_check found violations, see above" : NULL;
}

static const char *address_space_is_safe(void)
{
	unsigned int broken = address_space_check();

	if (broken & ADDRESS_SPACE_PAGE_ZERO)
		return "virtual page 0 is mapped";
	if (broken & ADDRESS_SPACE_GUARD)
		return "a stack or its guard page is not as it should be";
	if (broken & ADDRESS_SPACE_TEXT)
		return "kernel text can be written, or not executed";
	if (broken & ADDRESS_SPACE_DATA)
		return "read-only data can be written or executed";
	return broken ? "the direct map can write kernel text or read-only data" : NULL;
}

static const char *holes_read_as_zero(void)
{
	const volatile struct page *last = pfn_to_page(MM_MAX_PFN - 1);
	const volatile struct page *above = pfn_to_page(PFN_UP(memblock_end_of_DRAM()) | 511);

	if (!pfn_valid(MM_MAX_PFN - 1) && (last->state || last->owner_word))
		return "the last descriptor of the window is not zero";
	if (!pfn_valid(page_to_pfn((const struct page *)above) + 512) && (above + 512)->state)
		return "a descriptor behind the end of RAM is not zero";
	return NULL;
}

static const char *every_order_can_be_allocated(void)
{
	uint64_t before = nr_free_pages();

	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);

		if (!page)
			continue;
		if (page_to_pfn(page) & (((pfn_t)1 << order) - 1))
			return "a block is not aligned to its size";
		if (nr_free_pages() != before - ((uint64_t)1 << order))
			return "an allocation changed the count by another number than its frames";
		__free_pages(page, order);
		if (nr_free_pages() != before)
			return "freeing did not restore the count";
	}
	return NULL;
}

#define SAY_US 3000000 /* from one line of progress to the next */

static uint64_t said; /* the time of the last line */

void selftest_progress(const char *what, uint64_t done, uint64_t all)
{
	if (arch_us_since(said) < SAY_US)
		return;
	said = arch_timestamp();
	console_printf("# %s %llu of %llu\n", what, ULL(done), ULL(all));
}

/* Writes its own number to each frame, which finds a cell that has two addresses. */
static const char *frames_are_distinct(void)
{
	const char *wrong = NULL;
	struct page *list = NULL, *page;

	for (unsigned int n = 0; n < PATTERN_FRAMES && (page = alloc_page(GFP_KERNEL)); n++) {
		volatile uint64_t *words = page_address(page);

		words[0] = page_to_pfn(page);
		words[PAGE_SIZE / 8 - 1] = ~page_to_pfn(page);
		page_list_push(&list, page);
		selftest_progress("frame", n, PATTERN_FRAMES);
	}
	for (page = list; page; page = (struct page *)page_private(page)) {
		volatile uint64_t *words = page_address(page);

		if (words[0] != page_to_pfn(page) || words[PAGE_SIZE / 8 - 1] != ~page_to_pfn(page))
			wrong = "a frame lost what was written to it";
	}
	if (mm_check())
		wrong = "mm_check found violations while frames were held";
	page_list_free(&list);
	return wrong;
}

static const char *zeroed_means_zero(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);
	const uint64_t *words;

	if (!page)
		return SELFTEST_SKIP("needs a free block of order 2");
	memset(page_address(page), 0xa5, PAGE_SIZE << 2);
	__free_pages(page, 2);
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 2);
	if (!page)
		return "an allocation failed for which memory had just been freed";
	words = page_address(page);
	for (unsigned int i = 0; i < (PAGE_SIZE << 2) / 8; i++)
		if (words[i]) {
			__free_pages(page, 2);
			return "__GFP_ZERO left a word that is not zero";
		}
	__free_pages(page, 2);
	return NULL;
}

/* Allocates memory down to the last frame, and frees it. Calls that fail must change nothing. */
static const char *all_memory_and_back(void)
{
	uint64_t before = nr_free_pages();
	const char *wrong = NULL;
	struct page *list = NULL;

	page_list_take_all(&list);
	if (nr_free_pages())
		wrong = "free memory was left when allocations failed";
	if (alloc_page(GFP_ATOMIC))
		wrong = "an allocation succeeded though no frame was free";
	if (mm_check())
		wrong = "mm_check found violations while no frame was free";
	page_list_free(&list);
	return nr_free_pages() == before ? wrong : "not all memory came back";
}

static const char *pieces_of_a_block_come_back(void)
{
	uint64_t before = nr_free_pages();
	struct page *page = alloc_pages(GFP_KERNEL, 9);
	pfn_t pfn;

	if (!page)
		return SELFTEST_SKIP("needs a free block of order 9");
	pfn = page_to_pfn(page);
	split_page(page, 9);
	if (mm_check())
		return "mm_check found violations after split_page";
	for (unsigned int i = 0; i < 512; i += 2)
		__free_page(page + i);
	if (page_state(pfn) != PAGE_FREE || page_state(pfn + 1) != PAGE_ALLOCATED)
		return "page_state is wrong for a frame of a split block";
	for (unsigned int i = 1; i < 512; i += 2)
		__free_page(page + i);
	if (alloc_contig_range(pfn + 100, pfn + 300, MIGRATE_MOVABLE, GFP_KERNEL))
		return "alloc_contig_range did not get a free range";
	free_contig_range(pfn + 100, 200);
	return nr_free_pages() == before ? NULL : "not all memory came back";
}

/* Returns whether memblock has the frame as the node's. */
static bool is_of_node(const struct page *page, int nid)
{
	unsigned long start, end;

	return page_to_nid(page) == nid &&
	       memblock_search_pfn_nid(page_to_pfn(page), &start, &end) == nid;
}

/* Returns whether a node has memory free that is not Hotplug: that is used last, on any node. */
static bool serves_first(int nid)
{
	bool some = false;

	for_each_zone(z)
		some |= z->node == nid && z->type != ZONE_HOTPLUG && zone_nr_free_pages(z);
	return some;
}

/* Returns whether a request for any memory gets some: not what a zone keeps from it. */
static bool serve_any(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (page)
		__free_page(page);
	return page;
}

/* Allocates on each node, and for it alone; and on a node that does not exist. */
static const char *every_node_serves(void)
{
	uint64_t before = nr_free_pages();
	const char *wrong = NULL;

	if (!serve_any())
		return SELFTEST_SKIP("needs a free frame");
	for_each_online_node(nid) {
		bool has_some = node_free_pages(nid);
		struct page *near = alloc_pages_node(nid, GFP_KERNEL, 0);
		struct page *own = alloc_pages_node(nid, __GFP_THISNODE, 0);

		if (!near || (serves_first(nid) && !is_of_node(near, nid)))
			wrong = "a node with free memory does not serve first";
		if (!own != !has_some || (own && !is_of_node(own, nid)))
			wrong = "__GFP_THISNODE was not heeded";
		if (near)
			__free_page(near);
		if (own)
			__free_page(own);
	}
	if (alloc_pages_node(nr_node_ids(), __GFP_THISNODE, 0))
		wrong = "a node that does not exist gave memory";
	if (mem_map_local() > mem_map_backed())
		wrong = "more descriptors are local than there are";
	if (mm_check())
		wrong = "mm_check found violations after allocations on nodes";
	return nr_free_pages() == before ? wrong : "not all memory came back";
}

static const char *of_one_cpu(void)
{
	static const char *(*const parts[])(void) = {
		every_order_can_be_allocated, frames_are_distinct, zeroed_means_zero,
		pieces_of_a_block_come_back,  every_node_serves,   all_memory_and_back,
	};
	const char *wrong = NULL;

	for (size_t i = 0; !wrong && i < sizeof(parts) / sizeof(parts[0]); i++) {
		wrong = parts[i]();
		if (wrong && selftest_is_skip(wrong))
			wrong = NULL;
	}
	return wrong;
}

/* Those of the tests above that allocate, on other CPUs. */
static const char *other_cpus_allocate(void)
{
	return selftest_elsewhere(of_one_cpu);
}

/*
 * With an option of mm/debug.h the frame caches have no room, in a small zone they have too little:
 * there is then no fast path to interrupt.
 */
static const char *interrupts_may_allocate_and_free(void)
{
	return mm_debug ? SELFTEST_SKIP("needs frame caches, which memory debugging shuts")
			: selftest_irq();
}

static const struct {
	const char *name;
	const char *(*run)(void);
} tests[] = {
	{ "e820_map_is_sorted_and_disjoint", map_is_sorted_and_disjoint },
	{ "free_memory_is_ram", free_memory_is_ram },
	{ "mm_invariants_hold", invariants_hold },
	{ "address_space_is_safe", address_space_is_safe },
	{ "mem_map_holes_read_as_zero", holes_read_as_zero },
	{ "every_order_can_be_allocated", every_order_can_be_allocated },
	{ "frames_are_distinct", frames_are_distinct },
	{ "zeroed_means_zero", zeroed_means_zero },
	{ "pieces_of_a_block_come_back", pieces_of_a_block_come_back },
	{ "every_node_serves", every_node_serves },
	{ "every_cpu_has_its_own_area", selftest_areas },
	{ "every_cpu_answers_once", selftest_calls },
	{ "frames_of_all_cpus_are_distinct", selftest_frames },
	{ "another_cpu_may_free", selftest_foreign },
	{ "what_other_cpus_cache_is_had", selftest_last },
	{ "other_cpus_allocate", other_cpus_allocate },
	{ "interrupts_may_allocate_and_free", interrupts_may_allocate_and_free },
	{ "all_memory_and_back", all_memory_and_back },
	{ "mm_invariants_hold_at_the_end", invariants_hold },
};

#define NR_TESTS (sizeof(tests) / sizeof(tests[0]))

bool selftest_is_skip(const char *result)
{
	return !strncmp(result, SELFTEST_SKIP(""), sizeof(SELFTEST_SKIP("")) - 1);
}

/* Prints the line of a test. Returns whether it failed. */
static bool report(size_t i, const char *wrong)
{
	if (wrong && selftest_is_skip(wrong)) {
		console_printf("ok %zu %s # %s\n", i + 1, tests[i].name, wrong);
		return false;
	}
	if (wrong)
		console_printf("# %s\n", wrong);
	console_printf("%s %zu %s\n", wrong ? "not ok" : "ok", i + 1, tests[i].name);
	return wrong;
}

int selftest(void)
{
	int failed = 0;

	console_printf("KTAP version 1\n1..%zu\n", NR_TESTS);
	for (size_t i = 0; i < NR_TESTS; i++) {
		if (console_interrupted()) {
			console_printf("# interrupted\n");
			return failed + 1;
		}
		said = arch_timestamp();
		drain_all_pages(); /* what other CPUs have cached belongs to no block */
		failed += report(i, tests[i].run());
	}
	return failed;
}
