/*
 * bench_worst.c: rows that tell what the worst single call costs.
 *
 * Calls are timed one by one, with interrupts off, and the cost of reading the clock is subtracted.
 */
#include "arch/x86_64/arch.h"
#include "kernel/console/console.h"
#include "kernel/memory/steps.h"
#include "kernel/test/bench_adversary.h"
#include "kernel/test/bench_rows.h"
#include "kernel/test/page_list.h"
#include "lib/format.h"
#include "mm/buddy.h"

static uint64_t clock_cost;

static void measure_clock(void)
{
	uint64_t start = arch_timestamp();

	clock_cost = arch_timestamp() - start;
}

/* The worst call of a kind: of the present pattern, and of all, with the name of that pattern. */
struct worst {
	const char *what;
	uint64_t ticks, record;
	char pattern[ADVERSARY_TEXT_SIZE];
};

static struct worst worst_alloc = { .what = "alloc_page()" };
static struct worst worst_free = { .what = "__free_page()" };

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

	keep_worst(&worst_alloc.ticks, start);
	port_irq_restore(flags);
	return page;
}

static void one_free(struct page *page)
{
	unsigned long flags = port_irq_save();
	uint64_t start = arch_timestamp();

	__free_page(page);
	keep_worst(&worst_free.ticks, start);
	port_irq_restore(flags);
}

static void keep_record(struct worst *worst, const char *pattern)
{
	if (worst->ticks > worst->record) {
		worst->record = worst->ticks;
		fmt_snprintf(worst->pattern, sizeof(worst->pattern), "%s", pattern);
		console_printf("%s, %llu ticks: %s\n", worst->what, ULL(worst->record), pattern);
	}
	worst->ticks = 0;
}

/* Ends a pattern: prints what is a record, and what is measured from now on is another one's. */
static void end_pattern(const char *name)
{
	drain_caches();
	keep_record(&worst_alloc, name);
	keep_record(&worst_free, name);
}

/* ---- ordinary use ---- */

/* An array of pages that a pattern holds. */
static struct page **held;
static uint64_t nr_held;
static unsigned int held_order;

/* Allocates the array, zeroed, for nr pages. Returns false if there is too little memory. */
static bool held_init(uint64_t nr)
{
	held_order = 0;
	while (PAGE_SIZE << held_order < nr * sizeof(struct page *))
		held_order++;
	nr_held = nr;
	held = (struct page **)get_free_pages(GFP_KERNEL | __GFP_ZERO, held_order);
	return held;
}

static void held_exit(void)
{
	free_pages((unsigned long)held, held_order);
}

static void alloc_held(void)
{
	struct page *page;

	for (uint64_t i = 0; i < nr_held; i++)
		if ((page = one_alloc(GFP_KERNEL)))
			held[i] = page;
		else
			nr_held = i;
}

static void free_held(void)
{
	for (uint64_t i = 0; i < nr_held; i++)
		one_free(held[i]);
}

static void shuffle_held(void)
{
	for (uint64_t i = nr_held; i > 1; i--) {
		uint64_t other = bench_random(i);
		struct page *page = held[i - 1];

		held[i - 1] = held[other];
		held[other] = page;
	}
}

#define BULK 100000

/* A pair, or nothing where there is no memory. */
static void one_pair(void)
{
	struct page *page = one_alloc(GFP_KERNEL);

	if (page)
		one_free(page);
}

#define MIN_FRAMES (4 * BLOCK_FRAMES) /* that ordinary() needs */

/* Pairs, bulks that are freed in order and shuffled, and random replacements. */
static bool ordinary(void)
{
	uint64_t part = nr_free_pages() / 4;

	if (part < BLOCK_FRAMES || !held_init(part < BULK ? part : BULK))
		return false;
	bench_seed = BENCH_SEED;
	drain_caches();
	for (unsigned int i = 0; i < 1000; i++)
		one_pair();
	alloc_held();
	free_held();
	alloc_held();
	shuffle_held();
	free_held();
	alloc_held();
	for (uint64_t i = 0; i < nr_held; i++) {
		uint64_t which = bench_random(nr_held);

		one_free(held[which]);
		held[which] = one_alloc(GFP_KERNEL);
		if (!held[which])
			held[which] = held[--nr_held];
	}
	free_held();
	held_exit();
	end_pattern("ordinary use");
	return true;
}

/* ---- all of memory by single frames ---- */

/* Allocates single frames until there is none: those of zone DMA last. */
static void alloc_until_none(struct page **list)
{
	static const gfp_t zones_down[] = { GFP_KERNEL, GFP_DMA32, GFP_DMA };
	struct page *page;

	for (unsigned int i = 0; i < 6; i++)
		while ((page = one_alloc(zones_down[i % 3] | (i < 3 ? 0 : __GFP_HIGH))))
			page_list_push(list, page);
}

static void full_memory(void)
{
	struct page *all = NULL, *left = NULL, *page;

	alloc_until_none(&all);
	end_pattern("memory filled by single frames");
	while ((page = page_list_pop(&all))) {
		if (page_to_pfn(page) % BLOCK_FRAMES == 77)
			page_list_push(&left, page);
		else
			one_free(page);
	}
	end_pattern("all but one frame of each block freed");
	while ((page = page_list_pop(&left)))
		one_free(page);
	end_pattern("the last frame of each block freed");
}

/* ---- the adversary's states ---- */

static void free_victims(void)
{
	struct page *page;

	while ((page = page_list_pop(&adversary_victims)))
		one_free(page);
}

/* Allocates single frames, at most 3,000: more than a state has. */
static void alloc_some(gfp_t gfp)
{
	struct page *list = NULL, *page;

	for (unsigned int i = 0; i < 3000 && (page = one_alloc(gfp)); i++)
		page_list_push(&list, page);
	page_list_free(&list);
}

/*
 * Requests frames with the flags gfp while the cache is full of victims. `what` is the request in
 * words, for the name of the pattern.
 */
static void with_full_cache(const struct adversary *a, gfp_t gfp, const char *what)
{
	char text[ADVERSARY_TEXT_SIZE], state[ADVERSARY_TEXT_SIZE];

	if (console_interrupted() || !adversary_for_frees(a))
		return;
	for (uint64_t i = adversary_capacity; i-- && adversary_victims;)
		__free_page(page_list_pop(&adversary_victims));
	alloc_some(gfp);
	adversary_end();
	adversary_describe(a, state);
	fmt_snprintf(text, sizeof(text), "%s, the cache full of %s", what, state);
	end_pattern(text);
}

static void visit_frees(const struct adversary *a)
{
	char text[ADVERSARY_TEXT_SIZE];

	if (console_interrupted() || !adversary_for_frees(a))
		return;
	free_victims();
	adversary_describe(a, text);
	adversary_end();
	end_pattern(text);
	if (a->frames > 1)
		return;
	with_full_cache(a, GFP_DMA | __GFP_HIGH, "a request for DMA");
	with_full_cache(a, GFP_ATOMIC, "a request");
	with_full_cache(a, GFP_KERNEL, "a request without reserves");
}

static void visit_allocs(const struct adversary *a)
{
	char text[ADVERSARY_TEXT_SIZE];

	if (console_interrupted() || !adversary_for_allocs(a))
		return;
	alloc_some(adversary_gfp(a->zone));
	adversary_describe(a, text);
	adversary_end();
	end_pattern(text);
}

/* Drains words of all kinds at once. */
static void mixed_words(struct zone *z)
{
	for (unsigned int closing = 1; closing <= 2; closing++) {
		if (!adversary_mixed_words(z, closing))
			return;
		free_victims();
		adversary_end();
		end_pattern(closing == 1 ? "words of all kinds, the last of which closes gibs"
					 : "words of all kinds, the last two of which close gibs");
	}
}

/* Requests frames where only the unmovable block has some. */
static void unmovable_left(const struct zone *z, gfp_t gfp)
{
	static const unsigned int numbers[] = { 1, 8, 16 };
	char text[ADVERSARY_TEXT_SIZE];

	for (unsigned int i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!adversary_unmovable(z, numbers[i]))
			return;
		alloc_some(gfp);
		adversary_end();
		fmt_snprintf(text, sizeof(text), "%u frames of each word of %s's unmovable block",
			     numbers[i], z->name);
		end_pattern(text);
	}
}

/*
 * Requests a frame with the flags gfp when all that is free is a block in a frame cache, which was
 * allocated with the flags of zone z, and most likely was never open.
 */
static void block_cached(const struct zone *z, gfp_t gfp)
{
	struct page *all = NULL, *last = NULL, *page;
	char text[ADVERSARY_TEXT_SIZE];

	for (unsigned int i = 0; i < 64; i++)
		if ((page = alloc_pages(adversary_gfp(z), BLOCK_ORDER)))
			page_list_push(&last, page);
	page = page_list_pop(&last);
	if (!page)
		return;
	page_list_take_all(&all);
	__free_pages(page, BLOCK_ORDER);
	page = one_alloc(gfp);
	if (page)
		__free_page(page);
	page_list_free(&last);
	page_list_free(&all);
	fmt_snprintf(text, sizeof(text), "a request when only a block of %s in a cache is free",
		     z->name);
	end_pattern(text);
}

/*
 * Requests a frame with no flags, so that zone DMA32 keeps its reserve from it. Of that zone so
 * much is free, and the cache has a run of order 8 beside it, which makes a block full. The frame
 * that is then taken is the last of a block that has stale bounds.
 */
static void run_at_reserve(void)
{
	struct zone *z = node_zone(0, ZONE_DMA32);
	gfp_t gfp = adversary_gfp(z);
	uint64_t keep = zone_keep(z, GFP_KERNEL);
	struct page *all = NULL, *blocks = NULL, *rest, *runs[2], *b[3], *page;

	/* What is taken first is the reserve, the blocks below it and the rest of one. */
	if (zone_nr_free_pages(z) < keep + 8 * BLOCK_FRAMES)
		return;
	for (unsigned int i = 0; i < 3; i++)
		if (!(b[i] = alloc_pages(gfp, BLOCK_ORDER))) {
			while (i-- > 0)
				__free_pages(b[i], BLOCK_ORDER);
			return;
		}
	for (uint64_t i = 0; i < keep / BLOCK_FRAMES; i++)
		if ((page = alloc_pages(gfp, BLOCK_ORDER)))
			page_list_push(&blocks, page);
	rest = alloc_pages(gfp, BLOCK_ORDER);
	if (!rest) {
		for (unsigned int i = 0; i < 3; i++)
			__free_pages(b[i], BLOCK_ORDER);
		page_list_free(&blocks);
		return;
	}
	page_list_take_all(&all);
	/* Block 1 is two runs, block 2 open and full, block 0 has one frame left. */
	__free_pages(b[1], BLOCK_ORDER);
	drain_caches();
	for (unsigned int i = 0; i < 2; i++)
		runs[i] = alloc_pages(gfp, BLOCK_ORDER - 1);
	split_page(b[2], BLOCK_ORDER);
	free_contig_range(page_to_pfn(b[2]), BLOCK_FRAMES);
	__free_pages(runs[1], BLOCK_ORDER - 1);
	split_page(b[0], BLOCK_ORDER);
	free_contig_range(page_to_pfn(b[0]), BLOCK_FRAMES);
	drain_caches();
	if (alloc_contig_range(page_to_pfn(b[0]) + 1, page_to_pfn(b[0]) + BLOCK_FRAMES,
			       MIGRATE_MOVABLE, GFP_ATOMIC))
		panic("bench: memory is not as it was left");
	split_page(rest, BLOCK_ORDER);
	while (z->nr_free + BLOCK_FRAMES <= keep && (page = page_list_pop(&blocks))) {
		__free_pages(page, BLOCK_ORDER);
		drain_caches();
	}
	for (pfn_t i = 0; i < BLOCK_FRAMES; i++)
		if (z->nr_free < keep) {
			__free_page(rest + i);
			drain_caches();
		} else {
			page_list_push(&all, rest + i);
		}
	__free_pages(runs[0], BLOCK_ORDER - 1);
	page = one_alloc(GFP_KERNEL);
	if (page)
		__free_page(page);
	free_contig_range(page_to_pfn(b[0]) + 1, BLOCK_FRAMES - 1);
	page_list_free(&blocks);
	page_list_free(&all);
	end_pattern("a request at the reserve, a run of order 8 in a cache");
}

/* ---- runs in caches, if there are caches of runs ---- */

#define RUN_BLOCKS 300

/* Allocates runs of this order, or of orders 1 to 9 in turn if it is 0, until there is none. */
static void alloc_runs(struct page **list, unsigned int order)
{
	struct page *page;
	unsigned int next = 0;

	while ((page = alloc_pages(GFP_ATOMIC, order ? order : 1 + next++ % BLOCK_ORDER)))
		page_list_push(list, page);
}

/*
 * Fills memory, some blocks of it by runs, and frees the first run of each of these blocks: it
 * alone, if memory is to stay full, or all others before it. Then requests a frame of zone DMA,
 * which has none left, and frames of any zone.
 */
static void cached_runs(unsigned int order, bool full)
{
	struct page *all = NULL, *runs = NULL, *firsts = NULL, *page;
	char text[ADVERSARY_TEXT_SIZE];

	if (console_interrupted())
		return;
	for (unsigned int i = 0; i < RUN_BLOCKS; i++)
		if ((page = alloc_pages(GFP_KERNEL, BLOCK_ORDER)))
			page_list_push(&runs, page);
	page_list_take_all(&all);
	page_list_free(&runs);
	drain_caches();
	alloc_runs(&runs, order);
	while ((page = page_list_pop(&runs)))
		if (page_to_pfn(page) % BLOCK_FRAMES == 0)
			page_list_push(&firsts, page);
		else if (full)
			page_list_push(&all, page);
		else
			__free_pages(page, page_order(page));
	drain_caches();
	page_list_free(&firsts);
	alloc_some(GFP_DMA | __GFP_HIGH);
	alloc_some(GFP_ATOMIC);
	page_list_free(&all);
	fmt_snprintf(text, sizeof(text), "requests after runs of order %u were freed%s", order,
		     full ? ", memory full" : "");
	end_pattern(text);
}

/* ---- pieces of all orders, replaced at random ---- */

#define PIECES 4096

/* Returns an order of 0 to 9, each with half the probability of the one below. */
static unsigned int random_order(void)
{
	return (unsigned int)__builtin_ctzll(bench_random(1 << BLOCK_ORDER) | 1 << BLOCK_ORDER);
}

/* Replaces pieces, with memory to spare or with so many blocks only. */
static void mixed(unsigned int nr_blocks, const char *name)
{
	struct page *all = NULL, *blocks = NULL, *page;

	if (!held_init(PIECES))
		return;
	for (unsigned int i = 0; i < nr_blocks; i++)
		if ((page = alloc_pages(GFP_KERNEL, BLOCK_ORDER)))
			page_list_push(&blocks, page);
	if (nr_blocks)
		page_list_take_all(&all);
	page_list_free(&blocks);
	for (unsigned int i = 0; i < 20 * PIECES; i++) {
		struct page **piece = &held[bench_random(PIECES)];
		unsigned int order = random_order();

		if (*piece && page_order(*piece))
			__free_pages(*piece, page_order(*piece));
		else if (*piece)
			one_free(*piece);
		*piece = order ? alloc_pages(GFP_KERNEL, order) : one_alloc(GFP_KERNEL);
	}
	for (unsigned int i = 0; i < PIECES; i++)
		if (held[i])
			__free_pages(held[i], page_order(held[i]));
	page_list_free(&all);
	held_exit();
	end_pattern(name);
}

/*
 * Finds the worst single call of order 0. Every pattern that was the worst at some time is here,
 * and those that resemble it: a change of the allocator makes another one of them the worst.
 * Returns false if there is too little memory. Those that are left at Ctrl-C are left out.
 */
static bool find_worst0(void)
{
	if (nr_free_pages() < MIN_FRAMES)
		return false;
	worst_alloc.record = worst_free.record = 0;
	measure_clock();
	/* First, while blocks and gibs are left that were never open. */
	block_cached(node_zone(0, ZONE_NORMAL), GFP_ATOMIC);
	block_cached(node_zone(0, ZONE_DMA32), GFP_ATOMIC);
	if (!ordinary())
		return false;
	full_memory();
	run_at_reserve();
	adversary_each_for_frees(visit_frees);
	adversary_each_for_allocs(visit_allocs);
	mixed_words(node_zone(0, ZONE_NORMAL));
	unmovable_left(node_zone(0, ZONE_NORMAL), GFP_ATOMIC);
	unmovable_left(node_zone(0, ZONE_DMA32), GFP_ATOMIC);
	for (unsigned int order = 0; order <= BLOCK_ORDER; order++) {
		cached_runs(order, false);
		cached_runs(order, true);
	}
	if (console_interrupted())
		return true;
	mixed(0, "pieces of all orders");
	mixed(40, "pieces of all orders, memory full");
	return true;
}

static bool print_worst(const char *id, const struct worst *worst)
{
	if (bench_skip_debug(id))
		return true;
	if (!find_worst0())
		return bench_skip_frames(id, MIN_FRAMES);
	if (console_interrupted())
		return false;
	bench_print_tenths(id, worst->record * 10);
	console_printf("the worst: %s\n", worst->pattern);
	return true;
}

bool bench_worst0_alloc(const char *id)
{
	return print_worst(id, &worst_alloc);
}

bool bench_worst0_free(const char *id)
{
	return print_worst(id, &worst_free);
}

/*
 * Measures a request for a frame that zone DMA32 keeps as a reserve, while the cache of that zone
 * is full of single frames of blocks. It may wait for other CPUs, unlike those of worst0.alloc,
 * which are timed with interrupts off. So before it fails, all caches that could help are emptied.
 */
bool bench_worst0_wait(const char *id)
{
	const struct adversary a = {
		.zone = node_zone(0, ZONE_DMA32), .frames = 1, .full = true, .kept = true
	};
	struct page *page;
	uint64_t start;

	if (bench_skip_debug(id))
		return true;
	if (!adversary_for_frees(&a))
		return bench_skip(id, "needs more memory that is free in zone DMA32");
	measure_clock();
	for (uint64_t i = adversary_capacity; i-- && adversary_victims;)
		__free_page(page_list_pop(&adversary_victims));
	worst_alloc.ticks = 0;
	start = arch_timestamp();
	page = alloc_page(GFP_KERNEL);
	keep_worst(&worst_alloc.ticks, start);
	if (page)
		__free_page(page);
	adversary_end();
	bench_print_tenths(id, worst_alloc.ticks * 10);
	return true;
}

/* ---- one hold of the lock ---- */

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

bool bench_worst3_alloc(const char *id)
{
	struct zone *z = node_zone(0, ZONE_DMA32);
	uint64_t worst;

	if (bench_skip_debug(id))
		return true;
	if (zone_nr_free_pages(z) < BLOCK_FRAMES)
		return bench_skip(id, "needs 2 MiB that are free in zone DMA32");
	adversary_stale_runs(z);
	measure_clock();
	worst = longest_hold(z);
	adversary_end();
	bench_print_tenths(id, worst * 10);
	return true;
}
