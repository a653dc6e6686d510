/*
 * bench_hold.c: measures the longest hold of a zone's lock, the row hold.max of the benchmarks.
 *
 * Each call runs in single steps (arch_single_step()). A lock is held only with interrupts off, so
 * a hold is at most as long as the longest sequence of instructions with interrupts off, which
 * includes the few around the lock. Each repetition of a repeated string instruction counts. Where
 * other CPUs are at work, what it takes to wait for the lock does not count.
 */
#include "arch/x86_64/arch.h"
#include "kernel/console/console.h"
#include "kernel/memory/steps.h"
#include "kernel/test/bench_adversary.h"
#include "kernel/test/bench_rows.h"
#include "kernel/test/page_list.h"
#include "lib/format.h"
#include "mm/numa.h"
#include "mm/page_state.h"
#include "mm/shelf.h"
#include "mm/zone.h"

#define BULK       4000
#define MIN_FRAMES 256 /* free, to be worth a row; states that need more are left out */
#define RANGE_GIBS 2

/* Of one sequence; of one call, or of several that are of a kind; and of all. */
static uint64_t stretch, longest, record;
static char record_name[ADVERSARY_TEXT_SIZE];

/*
 * A frame that an interrupt takes as soon as frame `awaited` is taken, after it has freed the page
 * `completing`, if there is one; or 0.
 */
static pfn_t stolen, awaited;
static struct page *completing;

static void steal(void)
{
	if (page_state(awaited) != PAGE_ALLOCATED)
		return;
	if (completing)
		__free_page(completing);
	completing = NULL;
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
	return !bench_interrupted();
}

/* Runs a call in single steps. `longest` becomes its longest sequence, if that is longer. */
static void add_step(void (*call)(void))
{
	stretch = 0;
	arch_single_step(call, visit);
}

uint64_t bench_longest_hold(void (*call)(void))
{
	longest = 0;
	add_step(call);
	return longest;
}

static uintptr_t taken; /* the lock that is being taken or is held; 0: none */

static bool is_lock(uintptr_t address)
{
	for_each_zone(z)
		if (address == (uintptr_t)&z->lock)
			return true;
	return false;
}

/*
 * Notes what the next instruction does to a lock. It takes one by an exchange, and reads one while
 * it waits for it: the last exchange is the one that has got it. Returns whether a hold may begin
 * here; not where another lock is held.
 */
static bool takes_lock(void)
{
	struct arch_access access[ARCH_MAX_ACCESSES];
	int nr = arch_next_accesses(access);

	for (int i = 0; i < nr; i++) {
		if (!is_lock(access[i].address) || (taken && access[i].address != taken))
			continue;
		taken = access[i].read ? access[i].address : 0;
		if (taken)
			return true;
	}
	return false;
}

/* As visit(), but a sequence begins where a lock is taken, after all waiting for it. */
static bool visit_beside(uintptr_t address, bool interrupts_on)
{
	(void)address;
	if (interrupts_on)
		taken = 0;
	stretch = interrupts_on || takes_lock() ? 0 : stretch + 1;
	if (stretch > longest)
		longest = stretch;
	return true;
}

uint64_t bench_longest_hold_beside(void (*call)(void))
{
	stretch = longest = taken = 0;
	arch_single_step(call, visit_beside);
	return longest;
}

/* Prints the longest sequence of the calls since the last time. */
static void print_longest(const char *name)
{
	console_printf("hold of %s: %llu\n", name, (unsigned long long)longest);
	if (longest > record) {
		record = longest;
		fmt_snprintf(record_name, sizeof(record_name), "%s", name);
	}
	longest = 0;
}

/* Runs a call in single steps and prints its longest sequence with interrupts off. */
static void step(const char *name, void (*call)(void))
{
	add_step(call);
	print_longest(name);
}

/* ---- single frames ---- */

#define BULK_ORDER 3
_Static_assert(BULK * sizeof(struct page *) <= PAGE_SIZE << BULK_ORDER, "the table of a bulk");

static struct page **bulk;   /* BULK of them; in the image they would not fit into 3 MiB of RAM */
static unsigned int nr_bulk; /* how many there are: on a small machine fewer */
static uint64_t seed;

static void alloc_bulk(void)
{
	struct page *page;

	for (nr_bulk = 0; nr_bulk < BULK && (page = alloc_page(GFP_KERNEL)); nr_bulk++)
		bulk[nr_bulk] = page;
}

static void free_bulk(void)
{
	for (unsigned int i = 0; i < nr_bulk; i++)
		__free_page(bulk[i]);
}

static void shuffle_bulk(void)
{
	for (unsigned int i = nr_bulk; i > 1; i--) {
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
	bulk = (struct page **)get_free_pages(GFP_KERNEL, BULK_ORDER);
	if (!bulk)
		return;
	drain_caches();
	step("alloc_page(), a bulk", alloc_bulk);
	step("__free_page(), in order", free_bulk);
	alloc_bulk();
	shuffle_bulk();
	step("__free_page(), shuffled", free_bulk);
	free_pages((unsigned long)bulk, BULK_ORDER);
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
	struct page *page = alloc_pages(GFP_ATOMIC, 3);

	if (page)
		__free_pages(page, 3);
}

static void stale_bounds(void)
{
	adversary_stale_runs(node_zone(0, ZONE_NORMAL));
	step("alloc_pages(3), stale bounds", alloc_order_3);
	adversary_end();
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
	const struct zone *z = node_zone(0, ZONE_NORMAL);
	pfn_t top = run_start(z->end_pfn, GIB_ORDER) - GIB_FRAMES;
	pfn_t nr = (top - z->start_pfn) >> GIB_ORDER;

	/* Also where the zone has no memory: top is then no frame. */
	if (run_start(z->end_pfn, GIB_ORDER) < z->start_pfn + 2 * GIB_FRAMES)
		return;
	step_range("alloc_contig_range() of gibs",
		   top - (nr < RANGE_GIBS ? nr : RANGE_GIBS) * GIB_FRAMES, top);
	step_range("alloc_contig_range() of a block's part", top - BLOCK_FRAMES + 1, top - 1);
	stolen = top - 1;
	awaited = stolen - 2 * BLOCK_FRAMES;
	step_range("alloc_contig_range(), a frame stolen", top - 3 * BLOCK_FRAMES + 1, top);
	if (!stolen)
		__free_page(pfn_to_page(top - 1));
	stolen = 0;
}

/*
 * Has a block that was open and full given back when a frame behind it is stolen. Meanwhile another
 * block has become full, the last one of its gib, and a gib before it.
 */
static void undone_range(void)
{
	struct page *all = NULL, *gibs[3], *page;
	pfn_t pfn[3];

	drain_caches();
	for (unsigned int i = 0; i < 3; i++) {
		gibs[i] = alloc_pages(GFP_ATOMIC, GIB_ORDER);
		if (!gibs[i]) {
			while (i-- > 0)
				__free_pages(gibs[i], GIB_ORDER);
			return;
		}
		pfn[i] = page_to_pfn(gibs[i]);
	}
	page_list_take_all(&all);
	for (unsigned int i = 0; i < 3; i++)
		__free_pages(gibs[i], GIB_ORDER);
	/* Opens a block of each gib; 1 lacks one frame, 0 and then 2 become full. */
	for (unsigned int i = 0; i < 3; i++)
		if (alloc_contig_range(pfn[i], pfn[i] + 1, MIGRATE_MOVABLE, GFP_ATOMIC))
			panic("bench: memory is not as it was left");
	__free_page(pfn_to_page(pfn[0]));
	drain_caches();
	__free_page(pfn_to_page(pfn[2]));
	drain_caches();
	/* Now the gib 0 is kept open, and block 2, of a gib of which nothing else is to be free. */
	if (alloc_contig_range(pfn[2] + 2 * BLOCK_FRAMES, pfn[2] + GIB_FRAMES, MIGRATE_MOVABLE,
			       GFP_ATOMIC))
		panic("bench: memory is not as it was left");
	completing = pfn_to_page(pfn[1]);
	awaited = pfn[2];
	stolen = pfn[2] + BLOCK_FRAMES;
	start = pfn[2];
	end = stolen + 1;
	step("alloc_contig_range(), a full block given back", take_range);
	if (stolen || !error)
		console_printf("hold: the frame was not stolen\n");
	if (!error)
		free_contig_range(start, end - start);
	if (!stolen)
		__free_page(pfn_to_page(pfn[2] + BLOCK_FRAMES));
	if (completing)
		__free_page(completing);
	completing = NULL;
	stolen = 0;
	free_contig_range(pfn[2] + 2 * BLOCK_FRAMES, GIB_FRAMES - 2 * BLOCK_FRAMES);
	while ((page = page_list_pop(&all)))
		__free_pages(page, page_order(page));
	drain_caches();
}

/* ---- single frames, in the states of bench_adversary.h ---- */

static void free_victims(void)
{
	page_list_free(&adversary_victims);
}

/* Neither the zone nor whether frames of a word rise or fall makes a hold longer. */
static void visit_frees(const struct adversary *a)
{
	char text[ADVERSARY_TEXT_SIZE];

	if (a->zone->id != ZONE_NORMAL || a->order == FALLING || console_interrupted() ||
	    !adversary_for_frees(a))
		return;
	add_step(free_victims);
	add_step(drain_all_pages);
	adversary_end();
	adversary_describe(a, text);
	print_longest(text);
}

/* ---- runs ---- */

static struct page *runs;
static gfp_t runs_gfp;
static unsigned int runs_order, nr_runs;

/* Allocates nr_runs runs, or as many as there are. */
static void alloc_runs(void)
{
	struct page *page;

	for (unsigned int i = 0; i < nr_runs && (page = alloc_pages(runs_gfp, runs_order)); i++)
		page_list_push(&runs, page);
}

static void free_runs(void)
{
	page_list_free(&runs);
}

/* Allocates where blocks have a few frames left, and the index may not know it. */
static void visit_allocs(const struct adversary *a)
{
	char text[ADVERSARY_TEXT_SIZE];

	/* With stale bounds, pairs of frames are promised as well. */
	for (runs_order = 0; runs_order <= (a->stale ? 1u : 0u); runs_order++) {
		if (console_interrupted() || !adversary_for_allocs(a))
			return;
		runs_gfp = adversary_gfp(a->zone);
		nr_runs = 1000;
		add_step(alloc_runs);
		free_runs();
		adversary_end();
	}
	adversary_describe(a, text);
	print_longest(text);
}

/* Divides a list: pieces of which the first frame is a multiple of `every` are left in it. */
static void leave_some(struct page **list, struct page **others, pfn_t every)
{
	struct page *some = NULL, *page;

	while ((page = page_list_pop(list)))
		page_list_push(page_to_pfn(page) % every ? others : &some, page);
	while ((page = page_list_pop(&some)))
		page_list_push(list, page);
}

/* Allocates runs of one order, and frees them. */
static void runs_of(unsigned int order)
{
	char text[ADVERSARY_TEXT_SIZE];

	runs_order = order;
	runs_gfp = GFP_ATOMIC;
	nr_runs = order < BLOCK_ORDER ? 1000 : 200;
	drain_caches();
	add_step(alloc_runs);
	add_step(free_runs);
	add_step(drain_all_pages);
	fmt_snprintf(text, sizeof(text), "runs of order %u", order);
	print_longest(text);
}

/*
 * Frees a run of each block, or of each gib: the last one there, so that each makes a bitmap full;
 * or, if full, the only one, which is then allocated again.
 */
static void scattered_runs(unsigned int order, bool full)
{
	pfn_t unit = order < BLOCK_ORDER ? BLOCK_FRAMES : GIB_FRAMES;
	struct page *others = NULL;
	char text[ADVERSARY_TEXT_SIZE];

	runs_order = order;
	runs_gfp = GFP_ATOMIC;
	nr_runs = order < BLOCK_ORDER ? 300u << (BLOCK_ORDER - order) : ~0u;
	alloc_runs();
	leave_some(&runs, &others, unit);
	if (!full)
		page_list_free(&others);
	drain_caches();
	add_step(free_runs);
	add_step(drain_all_pages);
	nr_runs = 200;
	if (full)
		add_step(alloc_runs);
	free_runs();
	page_list_free(&others);
	drain_caches();
	fmt_snprintf(text, sizeof(text), "the %s runs of order %u", full ? "only free" : "last",
		     order);
	print_longest(text);
}

/* As above, but the runs are in the last block of each gib, so that a gib becomes full as well. */
static void runs_of_last_blocks(unsigned int order)
{
	struct page *all = NULL, *blocks = NULL, *page;
	char text[ADVERSARY_TEXT_SIZE];

	drain_caches();
	while ((page = alloc_pages(GFP_ATOMIC, BLOCK_ORDER)))
		page_list_push(block_of(page_to_pfn(page)) == BITMAP_BITS - 1 ? &blocks : &all,
			       page);
	page_list_take_all(&all);
	page_list_free(&blocks);
	drain_caches();
	runs_order = order;
	runs_gfp = GFP_ATOMIC;
	nr_runs = ~0u;
	alloc_runs();
	leave_some(&runs, &all, BLOCK_FRAMES);
	page_list_free(&all);
	drain_caches();
	add_step(free_runs);
	add_step(drain_all_pages);
	fmt_snprintf(text, sizeof(text), "the last runs of order %u of each gib", order);
	print_longest(text);
}

/*
 * In each gib the lower half was free, and every second block of it was taken again. So much is
 * left free that a request for half a gib is not turned away at once.
 */
static void stale_gibs(void)
{
	struct page *all = NULL, *halves = NULL, *page;

	drain_caches();
	while ((page = alloc_pages(GFP_ATOMIC, GIB_ORDER - 1)))
		page_list_push(page_to_pfn(page) % GIB_FRAMES ? &all : &halves, page);
	page_list_take_all(&all);
	while ((page = page_list_pop(&halves))) {
		pfn_t pfn = page_to_pfn(page);

		__free_pages(page, GIB_ORDER - 1);
		for (pfn_t i = BLOCK_FRAMES; i < GIB_FRAMES / 2; i += 2 * BLOCK_FRAMES) {
			if (alloc_contig_range(pfn + i, pfn + i + BLOCK_FRAMES, MIGRATE_MOVABLE,
					       GFP_ATOMIC))
				continue;
			for (pfn_t j = 0; j < BLOCK_FRAMES; j++)
				page_list_push(&all, pfn_to_page(pfn + i + j));
		}
	}
	runs_gfp = GFP_ATOMIC;
	nr_runs = 1;
	for (runs_order = BLOCK_ORDER + 1; runs_order < GIB_ORDER; runs_order++)
		add_step(alloc_runs);
	print_longest("alloc_pages(10) to (17), stale bounds");
	free_runs();
	page_list_free(&all);
	drain_caches();
}

static bool was_open(pfn_t pfn)
{
	const struct zone *z = pfn_zone(pfn);

	return gibs_test(z, GIBS_KNOWN, gib_of(pfn));
}

/* Takes the part of a block. */
static void take_part(struct page *page)
{
	start = page_to_pfn(page);
	end = start + BLOCK_FRAMES - 1;
	add_step(take_range);
	if (error)
		panic("bench: memory is not as it was left");
	free_contig_range(start, end - start);
}

/* Makes this block, the only free one, the unmovable one, with one frame free. */
static void leave_unmovable(struct page *block, struct page **all)
{
	struct page *page, *first;

	__free_pages(block, BLOCK_ORDER);
	drain_caches();
	first = alloc_page(GFP_ATOMIC | __GFP_UNMOVABLE);
	if (!first)
		return;
	for (pfn_t i = 1; i < BLOCK_FRAMES; i++)
		if ((page = alloc_page(GFP_ATOMIC | __GFP_UNMOVABLE)))
			page_list_push(all, page);
	__free_page(first);
	drain_caches();
}

/* Leaves one frame of a block, but the bounds of all of it. */
static void leave_stale(struct page *block, struct page **all)
{
	pfn_t pfn = page_to_pfn(block);

	__free_pages(block, BLOCK_ORDER);
	drain_caches();
	if (alloc_contig_range(pfn, pfn + BLOCK_FRAMES - 1, MIGRATE_MOVABLE, GFP_ATOMIC))
		panic("bench: memory is not as it was left");
	for (pfn_t i = 0; i < BLOCK_FRAMES - 1; i++)
		page_list_push(all, pfn_to_page(pfn + i));
}

/*
 * Allocates runs of these orders when all that is left is a gib that was never open, each from
 * another one. Each opens the gib and, up to order 8, a block, which is cleaned. Then part of a
 * block; a run that stays, while the block for these has another frame; and one for which a bound
 * is stale that does not yet end the search.
 */
static void fresh_gibs(void)
{
	static const unsigned int orders[] = { 0, 1, 8, 9, 17 };
	struct page *all = NULL, *fresh = NULL, *page, *blocks[2];

	drain_caches();
	for (unsigned int i = 0; i < 2; i++)
		blocks[i] = alloc_pages(GFP_ATOMIC, BLOCK_ORDER);
	while ((page = alloc_pages(GFP_ATOMIC, GIB_ORDER)))
		page_list_push(was_open(page_to_pfn(page)) ? &all : &fresh, page);
	page_list_take_all(&all);
	runs_gfp = GFP_ATOMIC;
	nr_runs = 1;
	const unsigned int nr_orders = sizeof(orders) / sizeof(orders[0]);

	for (unsigned int i = 0; i < nr_orders + 3; i++) {
		unsigned int more = i - nr_orders;
		static const char *const names[] = {
			"part of a block, a gib that was never open",
			"alloc_pages() that stays, a gib that was never open",
			"alloc_pages(6), a stale bound and a gib that was never open",
		};

		if (i > nr_orders && !blocks[more - 1])
			break;
		page = page_list_pop(&fresh);
		if (!page)
			break;
		if (i > nr_orders) {
			(more == 1 ? leave_unmovable : leave_stale)(blocks[more - 1], &all);
			blocks[more - 1] = NULL;
		}
		__free_pages(page, GIB_ORDER);
		if (i < nr_orders) {
			runs_order = orders[i];
			add_step(alloc_runs);
			page_list_take_all(&all);
			print_longest("alloc_pages(), a gib that was never open");
			continue;
		}
		if (!more) {
			take_part(page);
		} else {
			runs_gfp = GFP_ATOMIC | (more == 1 ? __GFP_UNMOVABLE : 0);
			runs_order = more == 1 ? 1 : 6;
			add_step(alloc_runs);
		}
		page_list_take_all(&all);
		print_longest(names[more]);
	}
	free_runs();
	for (unsigned int i = 0; i < 2; i++)
		if (blocks[i])
			page_list_push(&all, blocks[i]);
	page_list_free(&fresh);
	page_list_free(&all);
	drain_caches();
}

/* Allocates where only the unmovable block has frames. */
static void unmovable_left(void)
{
	for (runs_order = 0; runs_order <= 1; runs_order++) {
		if (!adversary_unmovable(node_zone(0, ZONE_NORMAL), 16))
			return;
		runs_gfp = GFP_ATOMIC;
		nr_runs = 200;
		add_step(alloc_runs);
		free_runs();
		adversary_end();
	}
	print_longest("alloc_pages(), frames of the unmovable block");
}

static void mixed_words(void)
{
	for (unsigned int closing = 1; closing <= 2; closing++) {
		if (!adversary_mixed_words(node_zone(0, ZONE_NORMAL), closing))
			return;
		add_step(free_victims);
		adversary_end();
	}
	print_longest("words of all kinds, the last of which close gibs");
}

bool bench_hold(const char *id)
{
	static void (*const states[])(void) = {
		gibs,         ranges,         fresh_gibs, /* first, while no block of theirs was
							     ever open */
		undone_range, unmovable_left, mixed_words, single_frames, full_memory, stale_bounds,
	};

	if (bench_skip_debug(id))
		return true;
	if (nr_free_pages() < MIN_FRAMES)
		return bench_skip_frames(id, MIN_FRAMES);
	seed = 1;
	record = longest = 0;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (console_interrupted())
			return false;
		states[i]();
	}
	adversary_each_for_frees(visit_frees);
	adversary_each_for_allocs(visit_allocs);
	for (unsigned int order = 1; order < GIB_ORDER; order++) {
		if (console_interrupted())
			return false;
		runs_of(order);
		scattered_runs(order, false);
		scattered_runs(order, true);
		if (order < BLOCK_ORDER)
			runs_of_last_blocks(order);
	}
	stale_gibs();
	if (console_interrupted())
		return false;
	console_printf("bench %s %llu instructions, %s\n", id, (unsigned long long)record,
		       record_name);
	return true;
}
