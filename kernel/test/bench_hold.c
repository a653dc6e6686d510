/*
 * bench_hold.c: measures the longest hold of a zone's lock, the row hold.max of the benchmarks.
 *
 * Each call runs in single steps (arch_single_step()). A lock is held only with interrupts off, so
 * a hold is at most as long as the longest sequence of instructions with interrupts off, which
 * includes the few around the lock. Each repetition of a repeated string instruction counts.
 */
#include "arch/x86_64/arch.h"
#include "kernel/console/console.h"
#include "kernel/memory/steps.h"
#include "kernel/test/bench_rows.h"
#include "kernel/test/page_list.h"
#include "mm/page_state.h"
#include "mm/zone.h"

#define BULK       4000
#define RANGE_GIBS 4

static uint64_t stretch, longest;
static const char *longest_name;

/* A frame that an interrupt takes as soon as the frame two blocks before it is taken; or 0. */
static pfn_t stolen;

static void steal(void)
{
	if (page_state(stolen - 2 * BLOCK_FRAMES) != PAGE_ALLOCATED)
		return;
	if (!alloc_contig_range(stolen, stolen + 1, MIGRATE_MOVABLE, GFP_ATOMIC))
		stolen = 0;
}

static bool visit(uintptr_t address, bool interrupts_on)
{
	(void)address;
	if (stolen && interrupts_on)
		steal();
	stretch = interrupts_on ? 0 : stretch + 1;
	if (stretch > longest)
		longest = stretch;
	return true;
}

/* Runs a call in single steps and prints its longest sequence with interrupts off. */
static void step(const char *name, void (*call)(void))
{
	uint64_t before = longest;

	longest = stretch = 0;
	arch_single_step(call, visit);
	console_printf("hold of %s: %llu\n", name, (unsigned long long)longest);
	if (longest > before)
		longest_name = name;
	else
		longest = before;
}

/* ---- single frames ---- */

static struct page *bulk[BULK];
static uint64_t seed;

static void alloc_bulk(void)
{
	for (unsigned int i = 0; i < BULK; i++)
		bulk[i] = alloc_page(GFP_KERNEL);
}

static void free_bulk(void)
{
	for (unsigned int i = 0; i < BULK; i++)
		__free_page(bulk[i]);
}

static void shuffle_bulk(void)
{
	for (unsigned int i = BULK; i > 1; i--) {
		unsigned int other;
		struct page *page = bulk[i - 1];

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		other = (unsigned int)((seed >> 33) % i);
		bulk[i - 1] = bulk[other];
		bulk[other] = page;
	}
}

static void single_frames(void)
{
	drain_caches();
	step("alloc_page(), a bulk", alloc_bulk);
	step("__free_page(), in order", free_bulk);
	alloc_bulk();
	shuffle_bulk();
	step("__free_page(), shuffled", free_bulk);
	step("drain_all_pages()", drain_all_pages);
}

/* ---- memory that was full of single frames, one of each block left ---- */

static struct page *one_of_each_block;

static void free_one_of_each_block(void)
{
	page_list_free(&one_of_each_block);
}

static void alloc_when_none_is_left(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (page)
		__free_page(page);
}

static void full_memory(void)
{
	struct page *all = NULL, *page;

	while ((page = alloc_page(GFP_KERNEL)))
		page_list_push(&all, page);
	step("alloc_page(), memory full", alloc_when_none_is_left);
	while ((page = page_list_pop(&all))) {
		if (page_to_pfn(page) % BLOCK_FRAMES == 77)
			page_list_push(&one_of_each_block, page);
		else
			__free_page(page);
	}
	drain_caches();
	step("__free_page(), the last of each block", free_one_of_each_block);
	step("drain_all_pages(), those", drain_all_pages);
}

/* ---- stale bounds ---- */

static void alloc_order_3(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, 3);

	if (page)
		__free_pages(page, 3);
}

/* In each block a run of order 3 was free, and half of it was taken again: the index is too high.
 */
static void stale_bounds(void)
{
	struct page *all = NULL, *kept = NULL, *halves = NULL, *page;

	while ((page = alloc_pages(GFP_KERNEL, 3)))
		page_list_push(&all, page);
	while ((page = page_list_pop(&all))) {
		if (page_to_pfn(page) % BLOCK_FRAMES) {
			page_list_push(&kept, page);
			continue;
		}
		__free_pages(page, 3);
		page = alloc_pages(GFP_KERNEL, 2);
		if (page)
			page_list_push(&halves, page);
	}
	step("alloc_pages(3), stale bounds", alloc_order_3);
	page_list_free(&halves);
	page_list_free(&kept);
}

/* ---- many frames in one call ---- */

static struct page *gib;
static pfn_t start, end;
static int error;

static void alloc_gib(void)
{
	gib = alloc_pages(GFP_KERNEL, GIB_ORDER);
}

static void free_gib(void)
{
	__free_pages(gib, GIB_ORDER);
}

static void split_gib(void)
{
	split_page(gib, GIB_ORDER);
}

static void take_range(void)
{
	error = alloc_contig_range(start, end, MIGRATE_MOVABLE, GFP_KERNEL);
}

static void step_range(const char *name, pfn_t from, pfn_t to)
{
	start = from;
	end = to;
	step(name, take_range);
	if (error)
		console_printf("hold: not all of the range is free\n");
	else
		free_contig_range(start, end - start);
	drain_caches();
}

static void gibs(void)
{
	step("alloc_pages(18)", alloc_gib);
	if (!gib)
		return;
	step("__free_pages(18)", free_gib);
	alloc_gib();
	step("split_page(18)", split_gib);
	free_contig_range(page_to_pfn(gib), GIB_FRAMES);
	drain_caches();
}

/*
 * Allocates whole gibs, up to RANGE_GIBS of them, and parts of blocks. All lie below the last gib,
 * where mem_map is.
 */
static void ranges(void)
{
	const struct zone *z = &zones[ZONE_NORMAL];
	pfn_t top = run_start(z->end_pfn, GIB_ORDER) - GIB_FRAMES;
	pfn_t nr = (top - z->start_pfn) >> GIB_ORDER;

	if (top < z->start_pfn + GIB_FRAMES)
		return;
	step_range("alloc_contig_range() of gibs",
		   top - (nr < RANGE_GIBS ? nr : RANGE_GIBS) * GIB_FRAMES, top);
	step_range("alloc_contig_range() of a block's part", top - BLOCK_FRAMES + 1, top - 1);
	stolen = top - 1;
	step_range("alloc_contig_range(), a frame stolen", top - 3 * BLOCK_FRAMES + 1, top);
	if (!stolen)
		__free_page(pfn_to_page(top - 1));
}

bool bench_hold(const char *id)
{
	seed = 1;
	longest = 0;
	gibs(); /* first, while no block of theirs was ever open */
	ranges();
	single_frames();
	full_memory();
	stale_bounds();
	console_printf("bench %s %llu instructions, %s\n", id, (unsigned long long)longest,
		       longest_name);
	return true;
}
