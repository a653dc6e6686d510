/*
 * churn.c: the rows churn.*, mixed.* and pins.*: memory is in use for long, and much of it is freed
 * and allocated again.
 *
 * All memory is allocated, and a part of it is freed at random. Then each of many rounds replaces a
 * tenth of what is held: it is freed, piece by piece at random, and as much is allocated. The
 * figure is the share of free memory that can still be allocated in 2 MiB blocks; of mixed64k.*, in
 * 64 KiB blocks.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/format.h"
#include "mm/hotplug.h"
#include "mm/page_state.h"
#include "mm/zone.h"
#include "tests/host/bench/bench.h"
#include "tests/host/sim/sim.h"

struct piece {
	struct page *page;
	unsigned int order;
	bool old; /* not freed since all memory was allocated */
};

struct churn {
	uint64_t seed;
	unsigned int max_order;
	double pinned; /* share of the frames that are never freed */
	bool hint;     /* they are allocated with __GFP_UNMOVABLE */
	bool late;     /* they are allocated during the rounds, not before */
	bool in_turn;  /* frees and allocations alternate, instead of a tenth at once */
	bool on_pc;    /* the machine is pc, not plain */
	bool added;    /* it has 1 GiB, and 1 GiB that is added */
	unsigned int rounds;

	struct piece *pieces; /* the first nr_pinned are never freed */
	uint32_t nr, nr_pinned;
	uint64_t held; /* frames */
	uint64_t failed;
};

/*
 * Returns a random order. Each has half the probability of the one below, so that all orders get
 * nearly the same share of the frames.
 */
static unsigned int random_order(struct churn *c)
{
	unsigned int order = 0;

	while (order < c->max_order && next_random(&c->seed) >> 63)
		order++;
	return order;
}

/* Returns true with this probability. */
static bool chance(struct churn *c, double probability)
{
	return (double)(next_random(&c->seed) >> 11) * 0x1p-53 < probability;
}

/* Allocates a piece; one that is pinned stays until the end. Returns whether there was memory. */
static bool churn_alloc(struct churn *c, unsigned int order, bool pinned)
{
	gfp_t gfp = pinned && c->hint ? GFP_ATOMIC | __GFP_UNMOVABLE : GFP_ATOMIC;
	struct piece piece = { alloc_pages(gfp, order), order, false };

	if (!piece.page)
		return false;
	c->pieces[c->nr++] = piece;
	c->held += 1ull << order;
	if (pinned) {
		c->pieces[c->nr - 1] = c->pieces[c->nr_pinned];
		c->pieces[c->nr_pinned++] = piece;
	}
	return true;
}

static unsigned int churn_free(struct churn *c)
{
	uint32_t which = c->nr_pinned + random_below(&c->seed, c->nr - c->nr_pinned);
	struct piece piece = c->pieces[which];

	__free_pages(piece.page, piece.order);
	c->pieces[which] = c->pieces[--c->nr];
	c->held -= 1ull << piece.order;
	return piece.order;
}

static void fill(struct churn *c)
{
	for (;;) {
		unsigned int order = random_order(c);
		bool pinned = c->pinned > 0 && !c->late && chance(c, c->pinned);

		while (!churn_alloc(c, order, pinned))
			if (!order--)
				return;
	}
}

/* Allocates until target frames are held; each allocation is pinned with this probability. */
static void refill(struct churn *c, uint64_t target, double pin_probability)
{
	for (;;) {
		unsigned int order = random_order(c);

		if (c->held + (1ull << order) > target)
			return;
		if (!churn_alloc(c, order, chance(c, pin_probability))) {
			c->failed++;
			return;
		}
	}
}

/* Frees a random tenth of what is held and allocates as much, or does both in turn. */
static void churn_round(struct churn *c, uint64_t target)
{
	double probability = c->late ? c->pinned * FRAMES / ((double)target / 10 * c->rounds) : 0;

	if (c->in_turn) {
		for (uint64_t gone = 0; gone < target / 10; refill(c, target, probability))
			gone += 1ull << churn_free(c);
		return;
	}
	while (c->held > target - target / 10)
		churn_free(c);
	refill(c, target, probability);
}

/* Free frames: all of them, and those in runs of 16 frames and in whole blocks. */
struct tally {
	uint64_t all, in_64k, in_blocks;
};

static struct tally count_free(void)
{
	struct tally tally = { .all = 0 };
	uint64_t counts[NR_ORDERS];

	drain_caches();
	for_each_zone(z) {
		zone_free_blocks(z, counts);
		for (unsigned int k = 0; k < NR_ORDERS; k++) {
			tally.all += counts[k] << k;
			tally.in_64k += k < 4 ? 0 : counts[k] << k;
			tally.in_blocks += k < BLOCK_ORDER ? 0 : counts[k] << k;
		}
	}
	return tally;
}

static double lower(double a, double b)
{
	return a < b ? a : b;
}

static double percentage(uint64_t part, uint64_t all)
{
	return 100.0 * (double)part / (double)all;
}

#define NR_BLOCKS ((SIM_RAM_SIZE >> PAGE_SHIFT) >> BLOCK_ORDER)

/* Returns an array that says of each block whether all of it is free. */
static bool *find_whole(void)
{
	bool *whole = array_of(NR_BLOCKS, sizeof(bool));

	drain_caches();
	for (pfn_t i = 0; i < NR_BLOCKS; i++)
		whole[i] =
		    nr_free_in_range(i << BLOCK_ORDER, (i + 1) << BLOCK_ORDER) == BLOCK_FRAMES;
	return whole;
}

/*
 * Returns the percentage of free memory that any allocator could have in whole blocks. Blocks with
 * a frame that was never freed cannot be whole, because nothing is moved. whole[] says which blocks
 * were free before memory was filled, and is changed; nr_free is the number of free frames now.
 */
static double bound(const struct churn *c, bool *whole, uint64_t nr_free)
{
	uint64_t nr = 0;

	for (uint32_t i = 0; i < c->nr; i++)
		if (c->pieces[i].old)
			whole[page_to_pfn(c->pieces[i].page) >> BLOCK_ORDER] = false;
	for (pfn_t i = 0; i < NR_BLOCKS; i++)
		nr += whole[i];
	return lower(100, percentage(nr << BLOCK_ORDER, nr_free));
}

#define GIB (1ull << 30)

/* Boots a machine of 1 GiB, and adds a GiB above 4 GiB. */
static void boot_and_add(void)
{
	static const struct e820_entry ram = { .size = GIB, .type = E820_TYPE_RAM };
	struct sim_options options = { .pdpe1gb = true, .seed = 1 };
	struct e820_taken kernel;
	const char *error = "memory was not added";

	if (sim_boot(&ram, 1, &options, &kernel, &error) || memory_hotplug_init() ||
	    add_memory(0, 4 * GIB, GIB)) {
		fprintf(stderr, "bench: %s\n", error);
		exit(1);
	}
}

/* Returns how many blocks of the added GiB are free. */
static unsigned int blocks_of_added(void)
{
	unsigned int nr = 0;

	for (pfn_t pfn = PFN_DOWN(4 * GIB); pfn < PFN_DOWN(5 * GIB); pfn += BLOCK_FRAMES)
		nr += nr_free_in_range(pfn, pfn + BLOCK_FRAMES) == BLOCK_FRAMES;
	return nr;
}

/* What a row measures: percentages of free memory. */
struct shares {
	unsigned int added; /* free blocks of the added GiB */
	double in_blocks, in_64k;
	double bound; /* of in_blocks: see bound() */
};

static struct shares churn(struct churn c, unsigned int percent)
{
	struct tally tally;
	struct shares shares;
	uint64_t target;
	bool *whole;

	if (c.added)
		boot_and_add();
	else if (c.on_pc)
		boot();
	else
		boot_plain();
	whole = find_whole();
	c.pieces = array_of(FRAMES, sizeof(*c.pieces));
	fill(&c);
	for (uint32_t i = 0; i < c.nr; i++)
		c.pieces[i].old = true;
	target = c.held * (100 - percent) / 100;
	while (c.held > target)
		churn_free(&c);
	for (unsigned int i = 0; i < c.rounds; i++)
		churn_round(&c, target);
	tally = count_free();
	shares.added = c.added ? blocks_of_added() : 0;
	shares.in_blocks = percentage(tally.in_blocks, tally.all);
	shares.in_64k = percentage(tally.in_64k, tally.all);
	shares.bound = bound(&c, whole, tally.all);
	if (c.failed)
		printf("(%llu allocations of a mixed order failed) ", ULL(c.failed));
	free(c.pieces);
	free(whole);
	return shares;
}

/*
 * Prints a row: the worst result of several seeds, and the bound if that is below 100. Unless id64k
 * is NULL, it is the id of a second row, of the same memory: what is free in blocks of 64 KiB.
 */
static void churn_row(const char *id, const char *id64k, struct churn c, unsigned int percent,
		      unsigned int seeds)
{
	struct shares worst = { UINT_MAX, 100, 100, 100 };

	printf("# %s: seeds 1 to %u:", id, seeds);
	for (uint64_t seed = 1; seed <= seeds; seed++) {
		struct shares shares;

		c.seed = seed;
		shares = churn(c, percent);
		printf(" %.2f", shares.in_blocks);
		worst.added = shares.added < worst.added ? shares.added : worst.added;
		if (id64k)
			printf(" (64 KiB: %.2f)", shares.in_64k);
		worst.in_blocks = lower(worst.in_blocks, shares.in_blocks);
		worst.in_64k = lower(worst.in_64k, shares.in_64k);
		worst.bound = lower(worst.bound, shares.bound);
	}
	if (c.added)
		printf("\nbench %s %u\n", id, worst.added);
	else
		printf("\nbench %s %.2f\n", id, worst.in_blocks);
	if (worst.bound < 100 && !c.added)
		printf("bench %s.bound %.2f\n", id, worst.bound);
	if (id64k)
		printf("bench %s %.2f\n", id64k, worst.in_64k);
}

static const struct {
	const char *id;
	struct churn churn;
	unsigned int percent; /* of memory that is free during the rounds */
	unsigned int seeds;
	const char *id64k; /* see churn_row() */
} churns[] = {
	{ "churn.50", { .rounds = 500 }, 50, 3, NULL },
	{ "churn.25", { .rounds = 500 }, 25, 3, NULL },
	{ "churn.10", { .rounds = 500 }, 10, 3, NULL },
	{ "churn.short.50", { .rounds = 100 }, 50, 1, NULL },
	{ "churn.short.25", { .rounds = 100 }, 25, 1, NULL },
	{ "churn.short.10", { .rounds = 100 }, 10, 1, NULL },
	{ "churn.pc.50", { .rounds = 500, .on_pc = true }, 50, 1, NULL },
	{ "churn.pc.25", { .rounds = 500, .on_pc = true }, 25, 1, NULL },
	{ "churn.pc.10", { .rounds = 500, .on_pc = true }, 10, 1, NULL },
	{ "churn.turn.50", { .rounds = 500, .in_turn = true }, 50, 1, NULL },
	{ "churn.turn.25", { .rounds = 500, .in_turn = true }, 25, 1, NULL },
	{ "churn.turn.10", { .rounds = 500, .in_turn = true }, 10, 1, NULL },
	{ "churn.late.0.01", { .pinned = 0.0001, .rounds = 100, .late = true }, 50, 1, NULL },
	{ "churn.late.0.1", { .pinned = 0.001, .rounds = 100, .late = true }, 50, 1, NULL },
	{ "churn.late.1", { .pinned = 0.01, .rounds = 100, .late = true }, 50, 1, NULL },
	{ "unplug.30", { .rounds = 100, .added = true }, 70, 3, NULL },
	{ "unplug.10", { .rounds = 100, .added = true }, 90, 3, NULL },
	{ "mixed.50", { .max_order = BLOCK_ORDER, .rounds = 100 }, 50, 3, "mixed64k.50" },
	{ "mixed.25", { .max_order = BLOCK_ORDER, .rounds = 100 }, 25, 3, "mixed64k.25" },
	{ "mixed.10", { .max_order = BLOCK_ORDER, .rounds = 100 }, 10, 3, "mixed64k.10" },
	{ "pins.full", { .pinned = 0.001, .hint = true, .rounds = 100 }, 50, 3, NULL },
#define PINS(id, share)                                                                  \
	{ "pins." id, { .pinned = (share), .hint = true, .rounds = 100 }, 50, 1, NULL }, \
	{                                                                                \
		"pins.nohint." id, { .pinned = (share), .rounds = 100 }, 50, 1, NULL     \
	}
	PINS("0.01", 0.0001),
	PINS("0.03", 0.0003),
	PINS("0.1", 0.001),
	PINS("0.3", 0.003),
	PINS("1", 0.01),
	PINS("3", 0.03),
	PINS("10", 0.1),
};

unsigned int churn_rows(int argc, char **argv)
{
	unsigned int run = 0;

	for (size_t i = 0; i < sizeof(churns) / sizeof(churns[0]); i++)
		if (wanted(churns[i].id, argc, argv) ||
		    (churns[i].id64k && wanted(churns[i].id64k, argc, argv))) {
			churn_row(churns[i].id, churns[i].id64k, churns[i].churn, churns[i].percent,
				  churns[i].seeds);
			run++;
		}
	return run;
}
