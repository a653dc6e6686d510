/*
 * bench_calls.c: rows that tell what a call costs on average.
 *
 * A loop of calls is timed with interrupts off, and the time of the same loop over functions that
 * do nothing is subtracted; the result is the median of RUNS runs.
 */
#include "arch/x86_64/arch.h"
#include "kernel/console/console.h"
#include "kernel/memory/steps.h"
#include "kernel/test/bench_rows.h"
#include "lib/format.h"
#include "mm/numa.h"
#include "mm/zone.h"

#define RUNS            11
#define PAIRS           1000
#define SETTLING_LOOPS  100
#define BULK            10000
#define SHUFFLED        100000

/* Pairs of more frames take too long while an option of mm/debug.h writes to each frame. */
#define MAX_DEBUG_ORDER 3

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

typedef void (*loop_fn)(const struct calls *calls, unsigned int order);

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

/* Returns tenths of a tick per operation: of ticks, less those of the empty loop. */
static uint64_t tenths(uint64_t ticks, uint64_t empty, uint64_t operations)
{
	return ticks > empty ? (ticks - empty) * 10 / operations : 0;
}

static void print_median(const char *id, uint64_t values[RUNS])
{
	bench_print_tenths(id, bench_median(values, RUNS));
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* ---- pairs ---- */

static void pair_loop(const struct calls *calls, unsigned int order)
{
	for (unsigned int i = 0; i < PAIRS; i++)
		if (order)
			calls->free_pages(calls->alloc_pages(GFP_KERNEL, order), order);
		else
			calls->free_page(calls->alloc_page(GFP_KERNEL));
}

static uint64_t pair_tenths(unsigned int order)
{
	uint64_t empty = timed(pair_loop, &none, order);

	timed(pair_loop, &real, order); /* fills the CPU's caches and the frame cache */
	return tenths(timed(pair_loop, &real, order), empty, PAIRS);
}

bool bench_pair0(const char *id)
{
	uint64_t values[RUNS];

	if (!bench_can_allocate(0))
		return bench_skip_order(id, 0);
	for (unsigned int run = 0; run < RUNS; run++)
		values[run] = pair_tenths(0);
	print_median(id, values);
	return true;
}

/*
 * Measures pairs of one order in two states of memory, and takes the worse result: memory as it is,
 * and with a frame held in a block that was opened for it.
 */
bool bench_pair(const char *id)
{
	uint64_t values[RUNS];
	unsigned int order = 0;

	for (const char *c = id; *c; c++)
		if (*c >= '0' && *c <= '9')
			order = order * 10 + (unsigned int)(*c - '0');
	if (order > MAX_DEBUG_ORDER && bench_skip_debug(id))
		return true;
	for (unsigned int run = 0; run < RUNS; run++) {
		struct page *held;
		uint64_t with;

		drain_caches();
		if (!bench_can_allocate(order))
			return bench_skip_order(id, order);
		drain_caches();
		values[run] = pair_tenths(order);
		held = alloc_page(GFP_KERNEL);
		drain_caches();
		if (!held)
			return bench_skip_order(id, order);
		if (!bench_can_allocate(order)) {
			__free_page(held);
			return bench_skip(
			    id, "needs a free block of order %u and a frame beside it", order);
		}
		drain_caches();
		with = pair_tenths(order);
		__free_page(held);
		values[run] = larger(values[run], with);
	}
	print_median(id, values);
	return true;
}

/* ---- nodes ---- */

/* A pair of node nid. */
static void node_loop(const struct calls *calls, unsigned int nid)
{
	for (unsigned int i = 0; i < PAIRS; i++)
		calls->free_page(alloc_pages_node((int)nid, GFP_KERNEL, 0));
}

/* Measures pairs on node nid, by a loop that is given arg. */
static bool node_pairs(const char *id, int nid, loop_fn loop, unsigned int arg)
{
	uint64_t values[RUNS];

	for (unsigned int run = 0; run < RUNS; run++) {
		uint64_t empty = timed(pair_loop, &none, 0);
		struct page *page = alloc_pages_node(nid, GFP_KERNEL, 0);

		/* With interrupts on: only then may the cache away change its zone. */
		if (!page)
			return bench_skip_order(id, 0);
		__free_page(page);
		timed(loop, &real, arg);
		values[run] = tenths(timed(loop, &real, arg), empty, PAIRS);
	}
	print_median(id, values);
	return true;
}

bool bench_pair0_local(const char *id)
{
	return node_pairs(id, numa_mem_id(), node_loop, (unsigned int)numa_mem_id());
}

/* Returns a node that has free memory and is not this CPU's home, or NUMA_NO_NODE. */
static int other_node(void)
{
	for_each_online_node(nid)
		if (nid != numa_mem_id() && node_free_pages(nid))
			return nid;
	return NUMA_NO_NODE;
}

bool bench_pair0_remote(const char *id)
{
	int nid = other_node();

	if (nid == NUMA_NO_NODE)
		return bench_skip(id, "needs a second node that has free memory");
	return node_pairs(id, nid, node_loop, (unsigned int)nid);
}

/* Allocates all that node nid has for GFP_KERNEL. Returns a list, linked by page_private(). */
static struct page *fill_node(int nid)
{
	struct page *list = NULL, *page;

	for (unsigned int order = MAX_PAGE_ORDER + 1; order--;)
		while ((page = alloc_pages_node(nid, GFP_KERNEL | __GFP_THISNODE, order))) {
			set_page_private(page, (uintptr_t)list);
			list = page;
		}
	return list;
}

bool bench_pair0_spill(const char *id)
{
	struct page *list, *page;
	bool measured;

	if (other_node() == NUMA_NO_NODE)
		return bench_skip(id, "needs a second node that has free memory");
	list = fill_node(numa_mem_id());
	measured = node_pairs(id, numa_mem_id(), pair_loop, 0);
	while ((page = list)) {
		list = (struct page *)page_private(page);
		put_page(page);
	}
	return measured;
}

/* ---- many pieces at once ---- */

struct piece {
	struct page *page;
	unsigned int order;
};

/* The pieces that a row holds. The array is allocated too, by pieces_init(). */
static struct piece *pieces;
static uint64_t nr_pieces;
static unsigned int pieces_order;

/* Allocates the array for so many pieces, and no pieces. Returns false if memory is too small. */
static bool pieces_init(uint64_t max)
{
	pieces_order = 0;
	while (PAGE_SIZE << pieces_order < max * sizeof(*pieces))
		pieces_order++;
	nr_pieces = 0;
	pieces = (struct piece *)get_free_pages(GFP_KERNEL, pieces_order);
	return pieces;
}

static void pieces_exit(void)
{
	free_pages((unsigned long)pieces, pieces_order);
}

/* Frees all pieces. */
static void pieces_free(void)
{
	for (uint64_t i = 0; i < nr_pieces; i++)
		__free_pages(pieces[i].page, pieces[i].order);
}

static void swap_pieces(uint64_t a, uint64_t b)
{
	struct piece piece = pieces[a];

	pieces[a] = pieces[b];
	pieces[b] = piece;
}

static void shuffle(void)
{
	for (uint64_t i = nr_pieces; i > 1; i--)
		swap_pieces(i - 1, bench_random(i));
}

/* The loops over all pieces, which are frames. */

/* Without memory there are fewer pieces. */
static void alloc_loop(const struct calls *calls, unsigned int order)
{
	(void)order;
	for (uint64_t i = 0; i < nr_pieces; i++)
		if (!(pieces[i].page = calls->alloc_page(GFP_KERNEL)))
			nr_pieces = i;
}

static void free_loop(const struct calls *calls, unsigned int order)
{
	(void)order;
	for (uint64_t i = 0; i < nr_pieces; i++)
		calls->free_page(pieces[i].page);
}

enum operation { ALLOCATING, FREEING };

/*
 * Measures nr frames that are allocated and then freed, in that order or a random one: each run
 * does both, and one is measured. The empty loops come before the real ones: they overwrite the
 * array, or free nothing.
 */
static bool bulk(const char *id, uint64_t nr, enum operation measured, bool shuffled)
{
	uint64_t values[RUNS];

	if (nr_free_pages() / 2 < nr || !pieces_init(nr))
		return bench_skip_frames(id, 2 * nr);
	nr_pieces = nr;
	bench_seed = BENCH_SEED;
	for (unsigned int run = 0; run < RUNS && nr_pieces == nr; run++) {
		if (console_interrupted()) {
			pieces_exit();
			return false;
		}
		uint64_t no_allocs = timed(alloc_loop, &none, 0);
		uint64_t no_frees = timed(free_loop, &none, 0);
		uint64_t allocs = timed(alloc_loop, &real, 0), frees;

		if (shuffled)
			shuffle();
		frees = timed(free_loop, &real, 0);
		values[run] = measured == FREEING ? tenths(frees, no_frees, nr)
						  : tenths(allocs, no_allocs, nr);
	}
	pieces_exit();
	if (nr_pieces != nr)
		return bench_skip_frames(id, 2 * nr);
	print_median(id, values);
	return true;
}

bool bench_bulk0_alloc(const char *id)
{
	return bulk(id, BULK, ALLOCATING, false);
}

bool bench_bulk0_free(const char *id)
{
	return bulk(id, BULK, FREEING, false);
}

bool bench_shuffled0_free(const char *id)
{
	return bulk(id, SHUFFLED, FREEING, true);
}

/* ---- replacement ---- */

/* What was just freed can be allocated: a zone keeps its reserve from both, or from neither. */
static void random0_loop(const struct calls *calls, unsigned int order)
{
	(void)order;
	for (unsigned int i = 0; i < PAIRS && nr_pieces; i++) {
		struct piece *piece = &pieces[bench_random(nr_pieces)];

		calls->free_page(piece->page);
		piece->page = calls->alloc_page(GFP_KERNEL);
	}
}

/* In place of an order: a random one for each piece. */
#define MIXED (MAX_PAGE_ORDER + 1)

/*
 * Returns the order, or for MIXED one of 0 to 9: each has half the probability of the one below, so
 * that all have nearly the same share of the frames.
 */
static unsigned int pick_order(unsigned int order)
{
	if (order != MIXED)
		return order;
	return (unsigned int)__builtin_ctzll(bench_random(1 << BLOCK_ORDER) | 1 << BLOCK_ORDER);
}

/* A piece that cannot be replaced is gone: there are others. */
static void replace_loop(const struct calls *calls, unsigned int order)
{
	for (unsigned int i = 0; i < PAIRS && nr_pieces; i++) {
		struct piece *piece = &pieces[bench_random(nr_pieces)];

		calls->free_pages(piece->page, piece->order);
		piece->order = pick_order(order);
		piece->page = calls->alloc_pages(GFP_KERNEL, piece->order);
		if (!piece->page)
			*piece = pieces[--nr_pieces];
	}
}

/* Half of memory is at least so many frames: with fewer, a piece could be replaced by none. */
#define MIN_HALF (16 * BLOCK_FRAMES)

/* Allocates pieces of one order, or MIXED, until so many frames are held or max pieces. */
static void hold(uint64_t frames, uint64_t max, unsigned int order)
{
	while (frames && nr_pieces < max && !bench_interrupted()) {
		struct piece *piece = &pieces[nr_pieces];

		piece->order = pick_order(order);
		piece->page = alloc_pages(GFP_KERNEL, piece->order);
		if (!piece->page)
			return;
		nr_pieces++;
		frames -= frames >> piece->order ? 1ull << piece->order : frames;
	}
}

/* Frees pieces at random until so many frames are freed. */
static void free_at_random(uint64_t frames)
{
	while (frames && nr_pieces && !bench_interrupted()) {
		struct piece *piece = &pieces[bench_random(nr_pieces)];

		__free_pages(piece->page, piece->order);
		frames -= frames >> piece->order ? 1ull << piece->order : frames;
		*piece = pieces[--nr_pieces];
	}
}

/*
 * Runs a loop of replacements until what it costs depends only on what is held, not on how that was
 * allocated, nor on what used memory before. With mixed orders that takes some 40 loops, in which
 * the cost more than doubles.
 */
static void settle(loop_fn loop, unsigned int order)
{
	for (unsigned int i = 0; i < SETTLING_LOOPS && !bench_interrupted(); i++)
		loop(&real, order);
}

/* Sets ticks[run] to those of each run of a loop, the numbers of which depend on nothing else. */
static void timed_runs(loop_fn loop, const struct calls *calls, unsigned int order,
		       uint64_t ticks[RUNS])
{
	for (unsigned int run = 0; run < RUNS; run++) {
		bench_seed = BENCH_SEED + run;
		ticks[run] = timed(loop, calls, order);
	}
}

/* Returns the median of tenths of a tick per operation; sorts ticks. */
static uint64_t median_tenths(uint64_t ticks[RUNS], const uint64_t empty[RUNS])
{
	for (unsigned int run = 0; run < RUNS; run++)
		ticks[run] = tenths(ticks[run], empty[run], PAIRS);
	return bench_median(ticks, RUNS);
}

/*
 * Measures a piece that is freed and another one that is allocated, together, while half of memory
 * is held, in pieces of one order, or MIXED; max is the most pieces that half of memory is. Order 0
 * is measured after half of memory was allocated in one go. For others the result is the worse of
 * that state and of another, in which all was allocated and half was freed at random. Both settle
 * before. The empty loops come first: they overwrite the array, which has no pieces yet.
 */
static bool replace(const char *id, loop_fn loop, unsigned int order, uint64_t max)
{
	uint64_t half = nr_free_pages() / 2, empty[RUNS], ticks[RUNS], result;

	if (half < MIN_HALF || !pieces_init(2 * max))
		return bench_skip_frames(id, 2 * MIN_HALF);
	nr_pieces = max;
	timed_runs(loop, &none, order, empty);
	nr_pieces = 0;
	hold(half, max, order);
	settle(loop, order);
	timed_runs(loop, &real, order, ticks);
	result = median_tenths(ticks, empty);
	if (order) {
		uint64_t packed = result;

		hold(half, 2 * max, order);
		free_at_random(half);
		settle(loop, order);
		timed_runs(loop, &real, order, ticks);
		result = median_tenths(ticks, empty);
		console_printf("%s: %llu ticks in memory that was filled in one go, "
			       "%llu after frees at random\n",
			       id, ULL(packed / 10), ULL(result / 10));
		result = larger(packed, result);
	}
	pieces_free();
	pieces_exit();
	if (console_interrupted())
		return false;
	bench_print_tenths(id, result);
	return true;
}

bool bench_random0(const char *id)
{
	return replace(id, random0_loop, 0, nr_free_pages() / 2);
}

bool bench_random3(const char *id)
{
	return replace(id, replace_loop, 3, nr_free_pages() / 2 >> 3);
}

/* A piece has 5.5 frames on average. */
bool bench_mixed50(const char *id)
{
	return replace(id, replace_loop, MIXED, nr_free_pages() / 2 / 5);
}

/* ---- ranges ---- */

#define RANGE_GIBS 4

/* Takes a range and frees it again. Returns tenths of a tick for each frame; 0 if it is in use. */
static uint64_t range_tenths(pfn_t start, pfn_t end)
{
	unsigned long flags = port_irq_save();
	uint64_t ticks = arch_timestamp();
	int error = alloc_contig_range(start, end, MIGRATE_MOVABLE, GFP_KERNEL);

	ticks = arch_timestamp() - ticks;
	port_irq_restore(flags);
	if (error)
		return 0;
	free_contig_range(start, end - start);
	drain_caches();
	return tenths(ticks, 0, end - start);
}

/*
 * Measures a range of whole gibs in three states, and takes the worst result: as the boot left
 * them, with descriptors that were never zeroed; again; and from the second frame on while the
 * first is held, which opens the first gib and a block. The gibs lie below the last one, where
 * mem_map is.
 */
bool bench_contig(const char *id)
{
	const struct zone *z = node_zone(0, ZONE_NORMAL);
	pfn_t end = run_start(z->end_pfn, GIB_ORDER) - GIB_FRAMES;
	pfn_t start = end - RANGE_GIBS * GIB_FRAMES;
	uint64_t result[3];

	if (bench_skip_debug(id))
		return true;
	if (z->end_pfn <= (RANGE_GIBS + 1) * GIB_FRAMES || start < z->start_pfn)
		return bench_skip(id, "needs %u GiB in zone Normal", RANGE_GIBS + 1);
	drain_caches();
	result[0] = range_tenths(start, end);
	result[1] = range_tenths(start, end);
	if (alloc_contig_range(start, start + 1, MIGRATE_MOVABLE, GFP_KERNEL))
		return bench_skip(id, "needs %u GiB in zone Normal of which nothing is in use",
				  RANGE_GIBS);
	result[2] = range_tenths(start + 1, end);
	__free_page(pfn_to_page(start));
	drain_caches();
	if (!result[0] || !result[1] || !result[2])
		return bench_skip(id, "needs %u GiB in zone Normal of which nothing is in use",
				  RANGE_GIBS);
	bench_print_tenths(id, larger(result[0], larger(result[1], result[2])));
	return true;
}
