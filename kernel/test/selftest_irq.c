/*
 * selftest_irq.c: tests that an interrupt may allocate and free between any two instructions of the
 * allocator.
 *
 *   scenario  prepares the allocator, for instance by emptying the frame caches, and then lets one
 *             operation of it run in single steps (arch_single_step())
 *   work      what the handler of the steps does in place of an interrupt: it allocates, frees, or
 *             both. It does so only before instructions at which interrupts are on
 *   run       one execution of a scenario, with one kind of work or with none
 *
 * A scenario's first run has no work and counts the operation's instructions. Then, for each kind
 * of work, these runs follow, each of which prepares the allocator anew:
 *   - one run for each instruction, in which the work is done before this instruction only. Of a
 *     long operation only about MAX_POINTS instructions get a run, or fewer where steps are slow:
 *     all near its beginning and its end, where it enters and leaves a frame cache, and some in
 *     between, at equal distances.
 *   - one run in which the work is done before every instruction, up to MAX_STEPS: an operation
 *     that waits for other CPUs may take any number of them. It cannot replace the others: after
 *     the work before the first instruction, a frame cache that was prepared to be empty may not be
 *     empty any more.
 *
 * One kind of work is what another CPU may ask for by an interrupt at any time: it shuts this CPU's
 * frame caches (cache_shut()), or reopens them. While they are shut they must stay empty.
 *
 * If there is another CPU, all scenarios run again, at fewer points, while that CPU allocates and
 * frees in the same blocks without a pause: the *neighbour*. It stands still while the frames are
 * counted.
 *
 * A frame that the operation has returned, or that the handler holds, is marked in its descriptor
 * and in its memory. So a frame that was given to two owners is found when the second one marks it.
 * Lost frames are found by the number of free frames after each run, all other damage by mm_check()
 * after each scenario.
 */
#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpus.h"
#include "kernel/console/console.h"
#include "kernel/ksyms.h"
#include "kernel/memory/steps.h"
#include "kernel/test/crew.h"
#include "kernel/test/page_list.h"
#include "kernel/test/selftest.h"
#include "lib/format.h"
#include "mm/cache.h"
#include "mm/check.h"
#include "mm/numa.h"
#include "mm/zone.h"

#define ORDER       3             /* the order of all allocations that are more than a frame */
#define NR_BULK     4             /* frames of a bulk */
#define STOCK       1024          /* frames: more than a cache holds, more than a run frees */
#define SCARCE      (1u << ORDER) /* frames that are left when memory is short: a run */
#define EVERY       (~0u)         /* for run.only: every instruction */
#define MAX_POINTS  256           /* instructions of an operation that get a run, or a few more */
#define MIN_POINTS  16            /* the same when every point takes long */
#define SLOW_POINTS 4             /* the same, at least, where single steps take long */
#define MAX_US      3000000       /* microseconds that all points of a scenario should take */
#define MIN_SPARE   STOCK         /* frames that are free for it in a zone, at least */
#define MAX_STEPS   10000         /* instructions before which a run does the work, at most */
#define NEIGHBOURS  8             /* single frames that the neighbour holds; and a run */

struct work {
	const char *name;
	bool (*act)(void); /* does it; returns whether there was something to do */
	gfp_t gfp;
	unsigned int order;
};

struct scenario {
	const char *name;
	unsigned int order;
	enum { FREELY, LOCKS } lock; /* whether it takes a zone's lock when nothing interrupts it */
	void (*prepare)(void);
	void (*operate)(void);
	void (*finish)(void); /* checks what the operation gave, and frees it */
};

/* The run that is under way. */
static struct {
	const struct scenario *scenario;
	const struct work *work; /* null: the handler only counts instructions */
	unsigned int only;       /* the instruction before which the work is done, or EVERY */
	unsigned int nr_on;      /* instructions so far at which interrupts were on */
	unsigned int nr_off;     /* instructions so far at which they were off */
	uint64_t room;           /* frames that requests can have */
	unsigned int most;       /* the single step ends after so many with interrupts on */
	uintptr_t address;       /* of the last instruction that was interrupted */
} run;

static bool memory_short;     /* all but SCARCE frames are held */
static unsigned long nr_acts; /* pieces of work done in the scenario */
static char complaint[200];   /* the first error, or "" */
static bool complained;       /* one is being noted, or was */

/* Notes an error, with the scenario and the place, unless one was noted before. The neighbour may
   call it as well. */
static void complain(const char *what)
{
	char where[80];

	if (__atomic_exchange_n(&complained, true, __ATOMIC_RELAXED))
		return;
	ksyms_format(run.address, where, sizeof(where));
	if (run.work)
		fmt_snprintf(complaint, sizeof(complaint), "%s; the handler %s, at %s%s: %s",
			     run.scenario->name, run.work->name,
			     run.only == EVERY ? "every instruction to " : "", where, what);
	else
		fmt_snprintf(complaint, sizeof(complaint), "%s: %s", run.scenario->name, what);
}

/* ---- frames that are held ---- */

/* What a marked frame begins with. */
struct note {
	uint64_t mark;
	struct page *next; /* in the list `kept` */
};

/* Differs in each call of selftest_irq(), as frames may still have the marks of an earlier one. */
static uint64_t mark;

static struct note *note_of(struct page *page)
{
	return page_address(page);
}

static void mark_held(struct page *page, unsigned int order)
{
	for (struct page *end = page + (1u << order); page < end; page++) {
		uint64_t own = mark ^ page_to_pfn(page);

		if (page_private(page) == own || note_of(page)->mark == own)
			complain("a frame has two owners");
		set_page_private(page, own);
		note_of(page)->mark = own;
	}
}

static void unmark_held(struct page *page, unsigned int order)
{
	for (struct page *end = page + (1u << order); page < end; page++) {
		uint64_t own = mark ^ page_to_pfn(page);

		if (page_private(page) != own || note_of(page)->mark != own)
			complain("a frame was changed while it was held");
		set_page_private(page, 0);
		note_of(page)->mark = 0;
	}
}

static void give_back(struct page *page, unsigned int order)
{
	unmark_held(page, order);
	__free_pages(page, order);
}

/* The single frames that the handler holds, a list. */
static struct page *kept;
static unsigned int nr_kept, most_kept; /* frames of the list now, and the most in this run */

static void keep(struct page *page)
{
	mark_held(page, 0);
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
	unmark_held(page, 0);
	return page;
}

static void free_kept(void)
{
	while (kept && !complaint[0])
		__free_page(unkeep());
}

/* Allocates nr frames for the handler, but no more than half of those that are free. */
static void keep_frames(uint64_t nr)
{
	uint64_t half = nr_free_pages() / 2;
	struct page *page;

	for (nr = nr < half ? nr : half; nr && (page = alloc_page(GFP_KERNEL)); nr--)
		keep(page);
}

/* ---- what the handler does ---- */

/* Complains that the handler got no memory, unless it is short. Returns false, for act(). */
static bool lacking(void)
{
	if (!memory_short)
		complain("the handler got no memory");
	return false;
}

/* In a run in which it is called often, at most half of memory is kept. */
static bool keep_one(void)
{
	struct page *page;

	if (!memory_short && nr_kept >= run.room / 2)
		return false;
	page = alloc_page(GFP_KERNEL);

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
	mark_held(page, order);
	give_back(page, order);
	return true;
}

/* The run of frames that the handler holds, or NULL. */
static struct page *kept_run;

static void free_kept_run(void)
{
	struct page *page = kept_run;

	kept_run = NULL;
	if (page)
		give_back(page, ORDER);
}

/*
 * Keeps a run, which comes from a frame cache or from the zone's bits: what is free there differs
 * when the operation goes on. Frees the run if it was kept already.
 */
static bool keep_or_free_run(void)
{
	struct page *page;

	if (kept_run) {
		free_kept_run();
		return true;
	}
	page = alloc_pages(run.work->gfp, ORDER);
	if (!page)
		return lacking();
	mark_held(page, ORDER);
	kept_run = page;
	if (nr_kept + (1u << ORDER) > most_kept)
		most_kept = nr_kept + (1u << ORDER);
	return true;
}

/* What shuts the caches of CPU 0 now, and whether it does. */
static struct cache_shut shut;
static bool is_shut;

static void reopen(void)
{
	for_each_cache(i) {
		const struct frame_cache *cache = cache_number(port_cpu_id(), i);

		if (shut.caches[port_cpu_id()] >> i & 1 && cache->count + cache->nr_out)
			complain("a frame cache that was shut has frames");
	}
	cache_reopen(&shut);
	is_shut = false;
}

static bool shut_or_reopen(void)
{
	if (is_shut) {
		reopen();
	} else {
		cache_shut(&shut, false, ZONE_HOTPLUG, NUMA_NO_NODE);
		is_shut = true;
	}
	return true;
}

static const struct work works[] = {
	{ "keeps a frame", keep_one, GFP_KERNEL, 0 },
	{ "frees a frame", free_one, GFP_KERNEL, 0 },
	{ "allocates and frees a frame", alloc_and_free, GFP_KERNEL, 0 },
	{ "allocates and frees order 3", alloc_and_free, GFP_ATOMIC, ORDER },
	{ "keeps order 3", keep_or_free_run, GFP_ATOMIC, ORDER },
	{ "shuts the frame caches", shut_or_reopen, 0, 0 },
};
#define NR_WORKS (sizeof(works) / sizeof(works[0]))

/* The handler of a step; as arch_visit_fn in arch.h. */
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
	return run.nr_on++ != run.only && run.nr_on < run.most && !complaint[0];
}

/* ---- the neighbour ---- */

static struct {
	bool here; /* there is one now */
	unsigned int cpu;
	bool halted;  /* it shall stand still */
	bool halting; /* it does */
} neighbour;

/* Allocates single frames and a run, frees them, and returns all to the bits. When memory is short
   it does not ask all CPUs for theirs every time. */
static void work_beside(void)
{
	gfp_t gfp = memory_short ? __GFP_ATOMIC : GFP_KERNEL;
	struct page *page[NEIGHBOURS + 1];

	for (unsigned int i = 0; i <= NEIGHBOURS; i++) {
		page[i] = alloc_pages(gfp, i < NEIGHBOURS ? 0 : ORDER);
		if (page[i])
			mark_held(page[i], i < NEIGHBOURS ? 0 : ORDER);
	}
	for (unsigned int i = 0; i <= NEIGHBOURS; i++)
		if (page[i])
			give_back(page[i], i < NEIGHBOURS ? 0 : ORDER);
	drain_caches();
}

static void be_neighbour(void)
{
	while (!crew_stopped()) {
		bool halted = __atomic_load_n(&neighbour.halted, __ATOMIC_ACQUIRE);

		__atomic_store_n(&neighbour.halting, halted, __ATOMIC_RELEASE);
		if (halted)
			arch_relax();
		else
			work_beside();
	}
}

/* Lets the neighbour work; makes it stand still, and waits until it does. */
static void neighbour_go(void)
{
	__atomic_store_n(&neighbour.halted, false, __ATOMIC_RELEASE);
}

static void neighbour_halt(void)
{
	__atomic_store_n(&neighbour.halted, true, __ATOMIC_RELEASE);
	while (neighbour.here && !__atomic_load_n(&neighbour.halting, __ATOMIC_ACQUIRE))
		arch_relax();
}

/* ---- what is interrupted ---- */

static struct page *all; /* list of memory that is held so that it is not available */
static struct page *target, *bulk[NR_BULK];
static int contig_error;

static void empty_caches(void)
{
	drain_caches();
}

/* Leaves some frames in the cache that serves requests, as it is filled in batches. */
static void refill_cache(void)
{
	struct page *one;

	drain_caches();
	one = alloc_page(GFP_KERNEL);
	if (one)
		__free_page(one);
}

/*
 * Allocates the target that the operation will free. It is not marked: the mark would have to go at
 * the very instruction at which the operation frees it.
 */
static void hold(void)
{
	refill_cache();
	target = alloc_pages(GFP_KERNEL, run.scenario->order);
	if (!target)
		complain("no memory");
}

static const struct frame_cache *cache_of_target(void)
{
	return cache_of_zone(port_cpu_id(), page_zone(target), 0);
}

/* Returns whether that part of the cache is full into which the target would go (mm/cache.h). */
static bool cache_is_full(void)
{
	const struct frame_cache *cache = cache_of_target();

	if (target < cache->keep_below)
		return cache->count == cache->limit;
	return cache->nr_out == cache->out_limit;
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

/* Leaves a run of free frames at the target. */
static void free_run(void)
{
	hold();
	if (target)
		__free_pages(target, run.scenario->order);
}

/*
 * Frees a run of the operation's order at the lowest address, with empty frame caches: the
 * handler's next allocation would get frames of it.
 */
static void free_first_run(void)
{
	drain_caches();
	target = alloc_pages(GFP_KERNEL, run.scenario->order);
	if (target)
		__free_pages(target, run.scenario->order);
	else
		complain("no memory");
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

/*
 * Checks what an allocation by the operation gave, and frees it. NULL is right only if memory is
 * short and the handler has kept so many frames that too few were left; the neighbour may have all
 * of them.
 */
static void check_page(struct page *got, unsigned int order)
{
	if (got) {
		mark_held(got, order);
		give_back(got, order);
	} else if (!memory_short || (!neighbour.here && most_kept + (1u << order) <= SCARCE)) {
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

/* The handler or the neighbour may have allocated frames of the range first. Without them no call
   may fail. */
static void check_contig(void)
{
	if (contig_error && !run.work && !neighbour.here)
		complain("a free range could not be allocated");
	for (unsigned int i = 0; !contig_error && i < 1u << ORDER; i++)
		check_page(target + i, 0);
}

static const struct scenario scenarios[] = {
	{ "alloc, frames in the cache", 0, FREELY, refill_cache, do_alloc, check_alloc },
	{ "alloc, cache empty", 0, LOCKS, empty_caches, do_alloc, check_alloc },
	{ "alloc, order 3", ORDER, LOCKS, empty_caches, do_alloc, check_alloc },
	{ "alloc, bulk", 0, FREELY, refill_cache, do_bulk, check_bulk },
	{ "free, room in the cache", 0, FREELY, hold, do_free, nothing },
	{ "free, cache full", 0, FREELY, hold_and_fill_cache, do_free, nothing },
	{ "free, order 3", ORDER, FREELY, hold, do_free, nothing },
	{ "put_page", 0, FREELY, hold, do_put, nothing },
	{ "split_page", ORDER, LOCKS, hold, do_split, check_split },
	{ "alloc_contig_range", ORDER, LOCKS, free_run, do_contig, check_contig },
	{ "alloc_contig_range, first run", ORDER, LOCKS, free_first_run, do_contig, check_contig },
	{ "drain_caches", 0, LOCKS, refill_cache, drain_caches, nothing },
};

static const struct scenario when_short[] = {
	{ "alloc, memory short, frames in the cache", 0, FREELY, refill_cache, do_alloc,
	  check_alloc },
	{ "alloc, memory short, cache empty", 0, LOCKS, empty_caches, do_alloc, check_alloc },
	{ "alloc, memory short, order 3", ORDER, LOCKS, refill_cache, do_alloc, check_alloc },
	{ "free, memory short", 0, FREELY, hold, do_free, nothing },
};

/* ---- the runs ---- */

/* Returns how many free frames all zones have beyond what they keep from requests. */
static uint64_t spare(void)
{
	uint64_t sum = 0;

	for_each_zone(z)
		sum += zone_spare(z, GFP_KERNEL);
	return sum;
}

/* Runs the scenario once, with the work before instruction number `only`, or before EVERY one. */
static void run_once(const struct work *work, unsigned int only)
{
	uint64_t before = nr_free_pages();

	run.work = work;
	run.only = only;
	run.nr_on = run.nr_off = 0;
	run.room = spare();
	most_kept = 0;
	if (work && work->act == free_one)
		keep_frames(only != EVERY ? 1 : memory_short ? SCARCE / 2 : STOCK);
	run.scenario->prepare();
	if (!complaint[0])
		arch_single_step(run.scenario->operate, visit);
	if (is_shut)
		reopen();
	if (!complaint[0])
		run.scenario->finish();
	if (!complaint[0])
		free_kept_run();
	free_kept();
	if (!neighbour.here && nr_free_pages() != before)
		complain("not all memory came back");
}

static uint64_t run_us; /* microseconds that a run of this scenario takes in single steps */

/*
 * Returns how many instructions of an operation get a run, or a few more: fewer where there are
 * other CPUs, as a run may have to wait for all of them, and a machine with one CPU shows the
 * others; and fewer where single steps take long, as on a virtual machine, where each ends in the
 * host. A run takes about half of run_us, as the work is done halfway on average.
 */
static unsigned int points(void)
{
	bool asks = memory_short || run.scenario->operate == do_contig;
	uint64_t most = MAX_US / (NR_WORKS * (run_us / 2 + 1));
	unsigned int nr = crew_size() == 1 ? MAX_POINTS : asks ? MIN_POINTS : MAX_POINTS / 4;

	if (most >= nr)
		return nr;
	return most > SLOW_POINTS ? (unsigned int)most : SLOW_POINTS;
}

static void say_progress(const struct work *work, unsigned int i, unsigned int nr_on)
{
	char what[100];

	fmt_snprintf(what, sizeof(what), "%s; the handler %s, at instruction", run.scenario->name,
		     work->name);
	selftest_progress(what, i, nr_on);
}

/* Returns the instruction after number i that gets a run: steps lead to `near` before the end. */
static unsigned int next_point(unsigned int i, unsigned int near, unsigned int step,
			       unsigned int nr_on)
{
	if (i < near || i + near >= nr_on)
		return i + 1;
	return i + step + near < nr_on ? i + step : nr_on - near;
}

/*
 * Makes all runs of the scenario with this work. nr_on is the number of instructions of the
 * operation when nothing interrupts it; only some of them are interrupted if they are many: all
 * near the beginning and the end.
 */
static void run_work(const struct work *work, unsigned int nr_on)
{
	unsigned int nr = points(), near = nr / 4, step = nr_on > nr ? 1 + 2 * nr_on / nr : 1;
	unsigned int i = 0;
	bool reached;

	/*
	 * When interrupted, the operation may take more instructions: each run tells the end. While
	 * it waits for another CPU it may take any number of them.
	 */
	do {
		if (console_interrupted()) {
			complain("interrupted");
			return;
		}
		say_progress(work, i, nr_on);
		run_once(work, i);
		reached = run.nr_on > i;
		i = next_point(i, near, step, nr_on);
	} while (reached && i < nr_on + nr && !complaint[0]);
	run.most = nr_on < MAX_STEPS / 2 ? 2 * nr_on + MAX_POINTS : MAX_STEPS;
	if (!complaint[0])
		run_once(work, EVERY);
	run.most = EVERY;
}

/*
 * Runs the scenario without work, and sets run_us. The host may have stopped one run for a while,
 * so the shorter of two counts.
 */
static void measure_run(void)
{
	run_us = UINT64_MAX;
	for (unsigned int i = 0; i < 2 && !complaint[0]; i++) {
		uint64_t start = arch_timestamp(), us;

		run_once(NULL, EVERY);
		us = arch_us_since(start);
		run_us = us < run_us ? us : run_us;
	}
}

static void run_scenario(const struct scenario *scenario)
{
	unsigned int on, off;
	uint64_t before = nr_free_pages();

	run.scenario = scenario;
	nr_acts = 0;
	run.most = EVERY;
	neighbour_go();
	measure_run();
	on = run.nr_on;
	off = run.nr_off;
	if (scenario->lock == LOCKS && !off && !neighbour.here)
		complain("the lock was not taken");
	for (size_t i = 0; i < NR_WORKS && !complaint[0]; i++)
		run_work(&works[i], on);
	if (!complaint[0] && !nr_acts)
		complain("nothing was interrupted");
	neighbour_halt();
	if (!complaint[0] && nr_free_pages() != before)
		complain("not all memory came back from two CPUs");
	if (!complaint[0] && mm_check())
		complain("mm_check found violations, see above");
	console_printf("# %s: %u instructions, %u with interrupts off; interrupted %lu times%s\n",
		       scenario->name, on + off, off, nr_acts,
		       neighbour.here ? ", beside another CPU" : "");
}

/*
 * Allocates all of the highest zones as far as they are too small for a cache, since they would
 * otherwise serve the requests of this test.
 */
static void take_small_zones(void)
{
	struct page *one;

	drain_caches(); /* else a lower zone's cache, if it has served last, would serve again */
	while ((one = alloc_page(GFP_KERNEL)) && page_zone(one)->managed < STOCK)
		page_list_push(&all, one);
	if (one)
		__free_page(one);
}

/* Holds all memory but a run of SCARCE frames. */
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
		if (neighbour.here && memory_short && s->operate == do_free)
			continue; /* the neighbour may have what it is to free */
		run_scenario(s);
	}
}

/* Returns why the test cannot run with the memory that is there and free, or NULL. */
static const char *lacks(void)
{
	bool large = false;

	for_each_zone(z)
		large |= z->managed >= STOCK && zone_spare(z, GFP_KERNEL) >= MIN_SPARE;
	return large ? NULL : SELFTEST_SKIP("needs 4 MiB that are free in one zone");
}

static void run_all(void)
{
	take_small_zones();
	run_scenarios(scenarios, sizeof(scenarios) / sizeof(scenarios[0]));
	if (!complaint[0])
		make_memory_short();
	run_scenarios(when_short, sizeof(when_short) / sizeof(when_short[0]));
	memory_short = false;
	page_list_free(&all);
}

/* Runs all on CPU 0, while the CPU with the highest number is the neighbour. */
static void run_beside(void *unused)
{
	(void)unused;
	if (port_cpu_id() == 0) {
		neighbour_halt();
		run_all();
		crew_stop();
	} else if (port_cpu_id() == neighbour.cpu) {
		be_neighbour();
	}
}

const char *selftest_irq(void)
{
	const char *skip = lacks();

	if (skip)
		return skip;
	complaint[0] = '\0';
	complained = false;
	mark = ~arch_timestamp();
	run_all();
	if (!complaint[0] && crew_size() > 1) {
		neighbour.here = true;
		for_each_online_cpu(cpu)
			neighbour.cpu = cpu;
		crew_run(run_beside, NULL);
		neighbour.here = false;
	}
	return complaint[0] ? complaint : NULL;
}
