/*
 * bench.c: the rows that are measured in the kernel; others are measured on the host.
 *
 * For most rows a loop of calls is timed with interrupts off, and the time of the same loop over
 * functions that do nothing is subtracted; the result is the median of RUNS runs. For the worst
 * single call, calls are timed one by one, and the cost of reading the clock is subtracted.
 * scripts/bench reads the second and the third word of a line; the rest is for people.
 */
#include "kernel/test/bench.h"

#include "arch/x86_64/arch.h"
#include "kernel/console/console.h"
#include "kernel/memory/setup.h"
#include "kernel/memory/steps.h"
#include "kernel/test/page_list.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/cache.h"
#include "mm/check.h"
#include "mm/memblock.h"
#include "mm/page_state.h"
#include "mm/zone.h"

#define RUNS  11
#define PAIRS 1000
#define BULK  10000
#define SEED  1

static uint64_t seed;

static uint64_t random_below(uint64_t limit)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull; /* Knuth's MMIX */
	return (seed >> 33) % limit;
}

/* The frames that a row holds. The array is allocated too, by frames_init(). */
static struct page **frames;
static uint64_t nr_frames;
static unsigned int frames_order;

/* Allocates the array for nr frames, and no frames. Returns false if there is too little memory. */
static bool frames_init(uint64_t nr)
{
	frames_order = 0;
	while (PAGE_SIZE << frames_order < nr * sizeof(struct page *))
		frames_order++;
	nr_frames = nr;
	frames = (struct page **)get_free_pages(GFP_KERNEL, frames_order);
	return frames;
}

static void frames_exit(void)
{
	free_pages((unsigned long)frames, frames_order);
}

/* What a row calls: the allocator, or functions of the same shape that do nothing. */
struct calls {
	struct page *(*alloc_page)(gfp_t gfp);
	void (*free_page)(struct page *page);
	struct page *(*alloc_pages)(gfp_t gfp, unsigned int order);
	void (*free_pages)(struct page *page, unsigned int order);
};

__attribute__((noinline)) static struct page *no_alloc(gfp_t gfp)
{
	(void)gfp;
	return mem_map;
}

__attribute__((noinline)) static void no_free(struct page *page)
{
	(void)page;
}

__attribute__((noinline)) static struct page *no_alloc_order(gfp_t gfp, unsigned int order)
{
	(void)gfp, (void)order;
	return mem_map;
}

__attribute__((noinline)) static void no_free_order(struct page *page, unsigned int order)
{
	(void)page, (void)order;
}

static const struct calls real = { alloc_page, __free_page, alloc_pages, __free_pages };
static const struct calls none = { no_alloc, no_free, no_alloc_order, no_free_order };

/* The loops. Each returns the number of operations that it has made. */

static uint64_t pair_loop(const struct calls *calls, unsigned int order)
{
	for (unsigned int i = 0; i < PAIRS; i++)
		if (order)
			calls->free_pages(calls->alloc_pages(GFP_KERNEL, order), order);
		else
			calls->free_page(calls->alloc_page(GFP_KERNEL));
	return PAIRS;
}

static uint64_t alloc_loop(const struct calls *calls, unsigned int order)
{
	(void)order;
	for (uint64_t i = 0; i < nr_frames; i++)
		frames[i] = calls->alloc_page(GFP_KERNEL);
	return nr_frames;
}

static uint64_t free_loop(const struct calls *calls, unsigned int order)
{
	(void)order;
	for (uint64_t i = 0; i < nr_frames; i++)
		calls->free_page(frames[i]);
	return nr_frames;
}

static uint64_t random_loop(const struct calls *calls, unsigned int order)
{
	(void)order;
	for (unsigned int i = 0; i < PAIRS; i++) {
		uint64_t which = random_below(nr_frames);

		calls->free_page(frames[which]);
		frames[which] = calls->alloc_page(GFP_KERNEL);
	}
	return PAIRS;
}

typedef uint64_t (*loop_fn)(const struct calls *calls, unsigned int order);

/* Returns the ticks that a loop takes, with interrupts off. */
static uint64_t timed(loop_fn loop, const struct calls *calls, unsigned int order)
{
	/* Volatile, so that the compiler cannot leave out the calls that do nothing. */
	const struct calls *volatile which = calls;
	unsigned long flags = port_irq_save();
	uint64_t start = arch_timestamp();

	loop(which, order);
	start = arch_timestamp() - start;
	port_irq_restore(flags);
	return start;
}

static void sort(uint64_t *values, unsigned int nr)
{
	for (unsigned int i = 1; i < nr; i++)
		for (unsigned int j = i; j && values[j] < values[j - 1]; j--) {
			uint64_t value = values[j];

			values[j] = values[j - 1];
			values[j - 1] = value;
		}
}

/* Prints a line with tenths of a tick, and with the same in nanoseconds if the rate is known. */
static void print_tenths(const char *id, uint64_t tenths)
{
	console_printf("bench %s %llu.%llu ticks", id, ULL(tenths / 10), ULL(tenths % 10));
	if (tsc_khz()) {
		uint64_t ns = tenths * 1000000 / tsc_khz();

		console_printf(", %llu.%llu ns", ULL(ns / 10), ULL(ns % 10));
	}
	console_printf("\n");
}

static void print_thousandths(const char *id, uint64_t thousandths, const char *unit)
{
	console_printf("bench %s %llu.%03llu %s\n", id, ULL(thousandths / 1000),
		       ULL(thousandths % 1000), unit);
}

static void print_median(const char *id, uint64_t values[RUNS])
{
	sort(values, RUNS);
	print_tenths(id, values[RUNS / 2]);
}

/* Returns tenths of a tick per operation: of ticks, less those of the empty loop. */
static uint64_t tenths(uint64_t ticks, uint64_t empty, uint64_t operations)
{
	return ticks > empty ? (ticks - empty) * 10 / operations : 0;
}

static uint64_t pair_tenths(unsigned int order)
{
	uint64_t empty = timed(pair_loop, &none, order);

	timed(pair_loop, &real, order); /* fills the CPU's caches and the frame cache */
	return tenths(timed(pair_loop, &real, order), empty, PAIRS);
}

static bool pair0(const char *id)
{
	uint64_t values[RUNS];

	for (unsigned int run = 0; run < RUNS; run++)
		values[run] = pair_tenths(0);
	print_median(id, values);
	return true;
}

/*
 * Measures pairs of this order in two states of memory, and takes the worse result: memory as it
 * is, and with a frame held in a block that was opened for it.
 */
static bool pair_order(const char *id, unsigned int order)
{
	uint64_t values[RUNS];

	for (unsigned int run = 0; run < RUNS; run++) {
		struct page *held;
		uint64_t with;

		drain_caches();
		values[run] = pair_tenths(order);
		held = alloc_page(GFP_KERNEL);
		drain_caches();
		with = pair_tenths(order);
		if (held)
			__free_page(held);
		if (with > values[run])
			values[run] = with;
	}
	print_median(id, values);
	return true;
}

static bool pair3(const char *id)
{
	return pair_order(id, 3);
}

static bool pair9(const char *id)
{
	return pair_order(id, 9);
}

static bool pair10(const char *id)
{
	return pair_order(id, 10);
}

enum operation { ALLOCATING, FREEING };

static bool bulk(const char *id, enum operation measured)
{
	uint64_t values[RUNS];

	if (!frames_init(BULK))
		return false;
	for (unsigned int run = 0; run < RUNS; run++) {
		uint64_t no_allocs = timed(alloc_loop, &none, 0);
		uint64_t no_frees = timed(free_loop, &none, 0);
		uint64_t allocs = timed(alloc_loop, &real, 0);
		uint64_t frees = timed(free_loop, &real, 0);

		values[run] = measured == FREEING ? tenths(frees, no_frees, BULK)
						  : tenths(allocs, no_allocs, BULK);
	}
	frames_exit();
	print_median(id, values);
	return true;
}

static bool bulk0_alloc(const char *id)
{
	return bulk(id, ALLOCATING);
}

static bool bulk0_free(const char *id)
{
	return bulk(id, FREEING);
}

static bool random0(const char *id)
{
	uint64_t values[RUNS];

	if (!frames_init(nr_free_pages() / 2))
		return false;
	/* The empty loops come first: they overwrite the array, which holds no frames yet. */
	for (unsigned int run = 0; run < RUNS; run++) {
		seed = SEED + run;
		values[run] = timed(random_loop, &none, 0);
	}
	alloc_loop(&real, 0);
	for (unsigned int run = 0; run < RUNS; run++) {
		seed = SEED + run;
		values[run] = tenths(timed(random_loop, &real, 0), values[run], PAIRS);
	}
	free_loop(&real, 0);
	frames_exit();
	print_median(id, values);
	return true;
}

/* Single calls. */

static uint64_t clock_cost;
static uint64_t worst_alloc, worst_free;

static void keep_worst(uint64_t *worst, uint64_t start)
{
	uint64_t ticks = arch_timestamp() - start;

	if (ticks > clock_cost && ticks - clock_cost > *worst)
		*worst = ticks - clock_cost;
}

static struct page *one_alloc(gfp_t gfp)
{
	unsigned long flags = port_irq_save();
	uint64_t start = arch_timestamp();
	struct page *page = alloc_page(gfp);

	keep_worst(&worst_alloc, start);
	port_irq_restore(flags);
	return page;
}

static void one_free(struct page *page)
{
	unsigned long flags = port_irq_save();
	uint64_t start = arch_timestamp();

	__free_page(page);
	keep_worst(&worst_free, start);
	port_irq_restore(flags);
}

static const struct calls single = { .alloc_page = one_alloc, .free_page = one_free };

static void shuffle(void)
{
	for (uint64_t i = nr_frames; i > 1; i--) {
		uint64_t other = random_below(i);
		struct page *page = frames[i - 1];

		frames[i - 1] = frames[other];
		frames[other] = page;
	}
}

static void measure_clock(void)
{
	uint64_t start = arch_timestamp();

	clock_cost = arch_timestamp() - start;
}

/*
 * Measures the worst single call of order 0, among pairs, bulks that are freed in order and
 * shuffled, and random replacements.
 */
static bool worst0(const char *id, enum operation measured)
{
	if (!frames_init(BULK))
		return false;
	seed = SEED;
	worst_alloc = worst_free = 0;
	measure_clock();
	drain_caches();
	pair_loop(&single, 0);
	alloc_loop(&single, 0);
	free_loop(&single, 0);
	alloc_loop(&single, 0);
	shuffle();
	free_loop(&single, 0);
	alloc_loop(&single, 0);
	for (unsigned int i = 0; i < BULK; i++) {
		uint64_t which = random_below(nr_frames);

		one_free(frames[which]);
		frames[which] = one_alloc(GFP_KERNEL);
	}
	free_loop(&single, 0);
	frames_exit();
	print_tenths(id, (measured == FREEING ? worst_free : worst_alloc) * 10);
	return true;
}

static bool worst0_alloc(const char *id)
{
	return worst0(id, ALLOCATING);
}

static bool worst0_free(const char *id)
{
	return worst0(id, FREEING);
}

/* Allocates all of the zone in runs of order 3. Returns them as a list, the last one first. */
static struct page *take_all_order3(struct zone *z)
{
	struct page *list = NULL, *page;
	gfp_t gfp = __GFP_HIGH | (z->id == ZONE_DMA     ? GFP_DMA
				  : z->id == ZONE_DMA32 ? GFP_DMA32
							: 0);

	while ((page = alloc_pages(gfp, 3)) && page_zonenum(page) == z->id)
		page_list_push(&list, page);
	if (page)
		__free_pages(page, 3);
	return list;
}

/*
 * Returns the ticks of the longest buddy_take() in an allocation of order 3. Each buddy_take() is
 * one hold of the zone's lock; after PFN_AGAIN the allocator lets go of the lock and calls it
 * again.
 */
static uint64_t longest_hold(struct zone *z)
{
	uint64_t worst = 0;
	pfn_t pfn;

	do {
		unsigned long flags = port_lock_irqsave(&z->lock);
		uint64_t start = arch_timestamp();

		pfn = buddy_take(z, 3);
		keep_worst(&worst, start);
		if (pfn < PFN_AGAIN)
			buddy_put(z, pfn, 3);
		port_unlock_irqrestore(&z->lock, flags);
	} while (pfn == PFN_AGAIN);
	return worst;
}

static bool worst3_alloc(const char *id)
{
	struct zone *z = &zones[ZONE_DMA32];
	struct page *kept = NULL, *halves = NULL, *list, *page;
	uint64_t worst;

	drain_caches();
	list = take_all_order3(z);
	/*
	 * Make the bounds of all blocks stale. In each block the run of order 3 at its start is
	 * freed, which raises the block's bound to 3, and half of it is allocated again, which does
	 * not lower the bound. The list begins with the last run, the highest.
	 */
	while ((page = page_list_pop(&list))) {
		if (page_to_pfn(page) % BLOCK_FRAMES) {
			page_list_push(&kept, page);
			continue;
		}
		__free_pages(page, 3);
		page = alloc_pages(GFP_DMA32 | __GFP_HIGH, 2);
		if (page)
			page_list_push(&halves, page);
	}
	measure_clock();
	worst = longest_hold(z);
	page_list_free(&halves);
	page_list_free(&kept);
	print_tenths(id, worst * 10);
	return true;
}

static bool setup(const char *id)
{
	print_tenths(id, mm_report.setup_cycles * 10);
	return true;
}

/* Prints the KiB of mem_map that had been written when the first page was handed out. */
static bool touched(const char *id)
{
	console_printf("bench %s %llu\n", id, (unsigned long long)mm_report.mem_map_touched >> 10);
	return true;
}

static bool probe(const char *id)
{
	print_tenths(id, mm_report.probe_cycles * 10);
	return true;
}

/* Prints the percentage of the map's RAM that is not free now. */
static bool lost(const char *id)
{
	uint64_t ram = e820_bytes(&e820_map, E820_TYPE_RAM) >> 10;
	uint64_t nr_free = nr_free_pages() << (PAGE_SHIFT - 10);

	print_thousandths(id, (ram - nr_free) * 100000 / ram, "%");
	return true;
}

/* Prints the bytes of directories, bitmap trees and gibs for each frame of RAM. */
static bool state(const char *id)
{
	uint64_t present = 0;

	for_each_zone(z)
		present += z->present;
	if (!present)
		return false;
	print_thousandths(id, zones_bytes * 1000 / present, "bytes");
	return true;
}

static const struct {
	const char *id;
	bool (*run)(const char *id);
} rows[] = {
	{ "lost", lost },
	{ "state", state },
	{ "setup", setup },
	{ "touched", touched },
	{ "probe", probe },
	{ "pair0", pair0 },
	{ "bulk0.alloc", bulk0_alloc },
	{ "bulk0.free", bulk0_free },
	{ "random0", random0 },
	{ "pair3", pair3 },
	{ "pair9", pair9 },
	{ "pair10", pair10 },
	{ "worst0.alloc", worst0_alloc },
	{ "worst0.free", worst0_free },
	{ "worst3.alloc", worst3_alloc },
	{ "hold.max", bench_hold },
};

int bench(const char *only)
{
	unsigned int run = 0;
	int status = 0;

	console_printf("ticks of a clock of %llu kHz%s, seed %u\n", ULL(tsc_khz()),
		       tsc_khz() ? "" : " (unknown)", SEED);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (only && strncmp(rows[i].id, only, strlen(only)) != 0)
			continue;
		run++;
		if (console_interrupted() || !rows[i].run(rows[i].id)) {
			console_printf("%s: interrupted, or not enough memory\n", rows[i].id);
			status = 1;
		}
	}
	drain_caches();
	return run && !mm_check() ? status : 1;
}
