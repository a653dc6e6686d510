/*
 * selftest_irq.c: an interrupt may allocate and free between any two instructions of the allocator.
 *
 * An operation is run instruction by instruction (arch_single_step()). Where the interrupted code
 * has interrupts on, the handler does a piece of work: before one instruction in each of as many
 * runs, all from the same state (of a long operation, 256 instructions spread over it), and before
 * every instruction in one more. That alone would not be
 * enough: what is done before the first instruction fills the cache that was to be seen empty.
 *
 * What somebody holds is marked, in the descriptor and in the frame: a frame with two owners shows
 * when the second takes it. A frame lost or gained shows in the count of free ones, the rest in
 * mm_check().
 */
#include "arch/x86_64/arch.h"
#include "kernel/console/console.h"
#include "kernel/ksyms.h"
#include "kernel/memory/steps.h"
#include "kernel/test/page_list.h"
#include "kernel/test/selftest.h"
#include "lib/format.h"
#include "mm/cache.h"
#include "mm/check.h"
#include "mm/zone.h"

#define ORDER      3             /* of what is more than a frame */
#define NR_BULK    4             /* frames of a bulk */
#define STOCK      1024          /* frames: more than a cache holds, more than a run frees */
#define SCARCE     (1u << ORDER) /* frames that are left when memory is short: a run */
#define EVERY      (~0u)

#define MAX_POINTS 256 /* of an operation, each interrupted in a run of its own */

struct work {
	const char *name;
	bool (*act)(void); /* whether there was something to do */
	gfp_t gfp;
	unsigned int order;
};

struct scenario {
	const char *name;
	unsigned int order;
	enum { FREELY, LOCKS } lock; /* whether, undisturbed, it takes the lock of a zone */
	void (*prepare)(void);
	void (*operate)(void);
	void (*finish)(void); /* looks at what the operation gave, gives it back */
};

/* The run. */
static struct {
	const struct scenario *scenario;
	const struct work *work; /* null: look on */
	unsigned int only;       /* the instruction to act at, or EVERY */
	unsigned int nr_on;      /* instructions so far, with interrupts on */
	unsigned int nr_off;     /* and off */
	uintptr_t address;       /* of the last one interrupted */
} run;

static bool memory_short;     /* all but SCARCE frames are held */
static unsigned long nr_acts; /* of a scenario */
static char complaint[200];   /* the first */

static void complain(const char *what)
{
	char where[80];

	if (complaint[0])
		return;
	ksyms_format(run.address, where, sizeof(where));
	if (run.work)
		fmt_snprintf(complaint, sizeof(complaint), "%s; the handler %s, at %s%s: %s",
			     run.scenario->name, run.work->name,
			     run.only == EVERY ? "every instruction to " : "", where, what);
	else
		fmt_snprintf(complaint, sizeof(complaint), "%s: %s", run.scenario->name, what);
}

/* ---- frames that somebody holds ---- */

/* At the start of each such frame. */
struct note {
	uint64_t mark;
	struct page *next;
};

static uint64_t mark; /* another one in each test: RAM may remember the last */

static struct note *note_of(struct page *page)
{
	return page_address(page);
}

static void take(struct page *page, unsigned int order)
{
	for (struct page *end = page + (1u << order); page < end; page++) {
		uint64_t own = mark ^ page_to_pfn(page);

		if (page_private(page) == own || note_of(page)->mark == own)
			complain("a frame has two owners");
		set_page_private(page, own);
		note_of(page)->mark = own;
	}
}

static void let_go(struct page *page, unsigned int order)
{
	for (struct page *end = page + (1u << order); page < end; page++) {
		uint64_t own = mark ^ page_to_pfn(page);

		if (page_private(page) != own || note_of(page)->mark != own)
			complain("a frame was changed under its owner");
		set_page_private(page, 0);
		note_of(page)->mark = 0;
	}
}

static void give_back(struct page *page, unsigned int order)
{
	let_go(page, order);
	__free_pages(page, order);
}

/* A list of single ones: the handler's. */
static struct page *kept;
static unsigned int nr_kept, most_kept; /* frames of the list; the most in a run */

static void keep(struct page *page)
{
	take(page, 0);
	note_of(page)->next = kept;
	kept = page;
	if (++nr_kept > most_kept)
		most_kept = nr_kept;
}

static struct page *unkeep(void)
{
	struct page *page = kept;

	kept = note_of(page)->next;
	nr_kept--;
	let_go(page, 0);
	return page;
}

static void free_kept(void)
{
	while (kept && !complaint[0])
		__free_page(unkeep());
}

/* As many, but no more than half of what is free. */
static void keep_frames(uint64_t nr)
{
	uint64_t half = nr_free_pages() / 2;
	struct page *page;

	for (nr = nr < half ? nr : half; nr && (page = alloc_page(GFP_KERNEL)); nr--)
		keep(page);
}

/* ---- what the handler does ---- */

static bool lacking(void)
{
	if (!memory_short)
		complain("the handler got no memory");
	return false;
}

static bool keep_one(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return lacking();
	keep(page);
	return true;
}

static bool free_one(void)
{
	if (!kept)
		return false;
	__free_page(unkeep());
	return true;
}

static bool alloc_and_free(void)
{
	unsigned int order = run.work->order;
	struct page *page = alloc_pages(run.work->gfp, order);

	if (!page)
		return lacking();
	take(page, order);
	give_back(page, order);
	return true;
}

static const struct work works[] = {
	{ "keeps a frame", keep_one, GFP_KERNEL, 0 },
	{ "frees a frame", free_one, GFP_KERNEL, 0 },
	{ "allocates and frees a frame", alloc_and_free, GFP_KERNEL, 0 },
	{ "allocates and frees order 3", alloc_and_free, GFP_ATOMIC, ORDER },
};
#define NR_WORKS (sizeof(works) / sizeof(works[0]))

static bool visit(uintptr_t address, bool interrupts_on)
{
	if (!interrupts_on) {
		run.nr_off++;
		return true;
	}
	if (run.work && (run.only == EVERY || run.only == run.nr_on)) {
		run.address = address;
		nr_acts += run.work->act();
	}
	return run.nr_on++ != run.only && !complaint[0];
}

/* ---- what is interrupted ---- */

static struct page *all; /* held in blocks, so that nobody gets it */
static struct page *target, *bulk[NR_BULK];
static int contig_error;

static void none_at_hand(void)
{
	drain_caches();
}

static void some_at_hand(void)
{
	struct page *one;

	drain_caches();
	one = alloc_page(GFP_KERNEL);
	if (one)
		__free_page(one);
}

/* Not marked: when the operation frees it, the mark could not go at the same moment. */
static void hold(void)
{
	some_at_hand();
	target = alloc_pages(GFP_KERNEL, run.scenario->order);
	if (!target)
		complain("no memory");
}

static const struct frame_cache *cache_of_target(void)
{
	return &frame_caches[port_cpu_id()][page_zonenum(target)];
}

/* Whether there is no room for the target where it would go (mm/cache.h). */
static bool cache_is_full(void)
{
	const struct frame_cache *cache = cache_of_target();

	if (target < cache->keep_below)
		return cache->count == cache->limit;
	return cache->nr_out == (cache->limit < CACHE_OUT ? cache->limit : CACHE_OUT);
}

static void hold_and_fill_cache(void)
{
	struct page *stock = kept, *rest = NULL, *page;

	hold();
	if (complaint[0])
		return;
	kept = NULL;
	keep_frames(cache_of_target()->limit + CACHE_OUT);
	drain_caches();
	while (kept && !complaint[0] && !cache_is_full())
		__free_page(unkeep());
	while (kept)
		page_list_push(&rest, unkeep());
	kept = stock;
	while ((page = page_list_pop(&rest)))
		keep(page);
}

static void free_run(void)
{
	hold();
	if (target)
		__free_pages(target, run.scenario->order);
}

static void do_alloc(void)
{
	target = alloc_pages(GFP_KERNEL, run.scenario->order);
}

static void do_free(void)
{
	__free_pages(target, run.scenario->order);
}

static void do_put(void)
{
	put_page(target);
}

static void do_bulk(void)
{
	alloc_pages_bulk(GFP_KERNEL, NR_BULK, bulk);
}

static void do_split(void)
{
	split_page(target, run.scenario->order);
}

static void do_contig(void)
{
	pfn_t pfn = page_to_pfn(target);

	contig_error = alloc_contig_range(pfn, pfn + (1u << ORDER), MIGRATE_MOVABLE, GFP_KERNEL);
}

static void nothing(void)
{
}

/* An allocation fails only if the handler had too much of what there was. */
static void check_page(struct page *got, unsigned int order)
{
	if (got) {
		take(got, order);
		give_back(got, order);
	} else if (!memory_short || most_kept + (1u << order) <= SCARCE) {
		complain("no memory");
	}
}

static void check_alloc(void)
{
	check_page(target, run.scenario->order);
}

static void check_bulk(void)
{
	for (unsigned int i = 0; i < NR_BULK; i++) {
		check_page(bulk[i], 0);
		bulk[i] = NULL;
	}
}

static void check_split(void)
{
	for (unsigned int i = 0; i < 1u << ORDER; i++)
		check_page(target + i, 0);
}

/* The handler may have been quicker. */
static void check_contig(void)
{
	if (contig_error && !run.work)
		complain("a free range could not be had");
	for (unsigned int i = 0; !contig_error && i < 1u << ORDER; i++)
		check_page(target + i, 0);
}

static const struct scenario scenarios[] = {
	{ "alloc, frames at hand", 0, FREELY, some_at_hand, do_alloc, check_alloc },
	{ "alloc, none at hand", 0, LOCKS, none_at_hand, do_alloc, check_alloc },
	{ "alloc, order 3", ORDER, LOCKS, none_at_hand, do_alloc, check_alloc },
	{ "alloc, bulk", 0, FREELY, some_at_hand, do_bulk, check_bulk },
	{ "free, room in the cache", 0, FREELY, hold, do_free, nothing },
	{ "free, cache full", 0, LOCKS, hold_and_fill_cache, do_free, nothing },
	{ "free, order 3", ORDER, LOCKS, hold, do_free, nothing },
	{ "put_page", 0, LOCKS, hold, do_put, nothing },
	{ "split_page", ORDER, LOCKS, hold, do_split, check_split },
	{ "alloc_contig_range", ORDER, LOCKS, free_run, do_contig, check_contig },
	{ "drain_caches", 0, LOCKS, some_at_hand, drain_caches, nothing },
};

static const struct scenario when_short[] = {
	{ "alloc, memory short, some at hand", 0, FREELY, some_at_hand, do_alloc, check_alloc },
	{ "alloc, memory short, none at hand", 0, LOCKS, none_at_hand, do_alloc, check_alloc },
	{ "alloc, memory short, order 3", ORDER, LOCKS, some_at_hand, do_alloc, check_alloc },
	{ "free, memory short", 0, FREELY, hold, do_free, nothing },
};

/* ---- the runs ---- */

static void run_once(const struct work *work, unsigned int only)
{
	uint64_t before = nr_free_pages();

	run.work = work;
	run.only = only;
	run.nr_on = run.nr_off = 0;
	most_kept = 0;
	if (work && work->act == free_one)
		keep_frames(only != EVERY ? 1 : memory_short ? SCARCE / 2 : STOCK);
	run.scenario->prepare();
	if (!complaint[0])
		arch_single_step(run.scenario->operate, visit);
	if (!complaint[0])
		run.scenario->finish();
	free_kept();
	if (nr_free_pages() != before)
		complain("not all memory came back");
}

/* nr_on: instructions of the operation undisturbed. Long ones, slow ways all, at some of them. */
static void run_work(const struct work *work, unsigned int nr_on)
{
	unsigned int i = 0, step = 1 + nr_on / MAX_POINTS;
	bool reached;

	/* Until the operation ends before the instruction that was to be interrupted. */
	do {
		run_once(work, i);
		reached = run.nr_on > i;
		i += step;
	} while (reached && !complaint[0]);
	if (!complaint[0])
		run_once(work, EVERY);
}

static void run_scenario(const struct scenario *scenario)
{
	unsigned int on, off;

	run.scenario = scenario;
	nr_acts = 0;
	run_once(NULL, EVERY);
	on = run.nr_on;
	off = run.nr_off;
	if (scenario->lock == LOCKS && !off)
		complain("the lock was not taken");
	for (size_t i = 0; i < NR_WORKS && !complaint[0]; i++)
		run_work(&works[i], on);
	if (!complaint[0] && !nr_acts)
		complain("nothing was interrupted");
	if (!complaint[0] && mm_check())
		complain("mm_check found violations, see above");
	console_printf("# %s: %u instructions, %u with interrupts off; interrupted %lu times\n",
		       scenario->name, on + off, off, nr_acts);
}

/* A highest zone that is too small for a cache would serve all that is tested here. */
static void take_small_zones(void)
{
	struct page *one;

	drain_caches(); /* a lower zone's may have served last */
	while ((one = alloc_page(GFP_KERNEL)) && zones[page_zonenum(one)].managed < STOCK)
		page_list_push(&all, one);
	if (one)
		__free_page(one);
}

static void make_memory_short(void)
{
	struct page *left = alloc_pages(GFP_KERNEL, ORDER);

	for (unsigned int order = MAX_PAGE_ORDER + 1; order-- > 0;)
		for (struct page *block; (block = alloc_pages(GFP_KERNEL, order));)
			page_list_push(&all, block);
	if (left)
		__free_pages(left, ORDER);
	memory_short = true;
}

static void run_scenarios(const struct scenario *first, size_t nr)
{
	for (const struct scenario *s = first; s < first + nr && !complaint[0]; s++) {
		run_scenario(s);
		if (console_interrupted())
			complain("interrupted");
	}
}

bool selftest_irq_applies(void)
{
	for_each_zone(z)
		if (z->managed >= STOCK)
			return true;
	return false;
}

const char *selftest_irq(void)
{
	complaint[0] = '\0';
	mark = ~arch_timestamp();
	take_small_zones();
	run_scenarios(scenarios, sizeof(scenarios) / sizeof(scenarios[0]));
	if (!complaint[0])
		make_memory_short();
	run_scenarios(when_short, sizeof(when_short) / sizeof(when_short[0]));
	memory_short = false;
	page_list_free(&all);
	return complaint[0] ? complaint : NULL;
}
