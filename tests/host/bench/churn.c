/*
 * churn.c: the rows churn.*: memory is in use for long, and much of it is freed and allocated
 * again.
 *
 * All memory is allocated, and a part of it is freed at random. Then each of many rounds replaces a
 * tenth of what is held: it is freed, piece by piece at random, and as much is allocated. The
 * figure is the share of free memory that can still be allocated in 2 MiB blocks.
 */
#include <stdlib.h>

#include "lib/format.h"
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
	bool late;     /* they are chosen during the rounds, not before */
	bool in_turn;  /* frees and allocations alternate, instead of a tenth at once */
	bool on_pc;    /* the machine is pc, not plain */
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

static bool churn_alloc(struct churn *c, unsigned int order)
{
	struct page *page = alloc_pages(GFP_ATOMIC, order);

	if (!page)
		return false;
	c->pieces[c->nr++] = (struct piece){ page, order, false };
	c->held += 1ull << order;
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

static void pin(struct churn *c, uint32_t which)
{
	struct piece piece = c->pieces[which];

	c->pieces[which] = c->pieces[c->nr_pinned];
	c->pieces[c->nr_pinned++] = piece;
}

static void fill(struct churn *c)
{
	for (;;) {
		unsigned int order = random_order(c);

		while (!churn_alloc(c, order))
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
		if (!churn_alloc(c, order)) {
			c->failed++;
			return;
		}
		if ((double)(next_random(&c->seed) >> 11) * 0x1p-53 < pin_probability)
			pin(c, c->nr - 1);
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

static uint64_t whole_blocks(uint64_t *nr_free)
{
	uint64_t counts[NR_ORDERS], whole = 0;

	drain_caches();
	*nr_free = 0;
	for_each_zone(z) {
		zone_free_blocks(z, counts);
		for (unsigned int k = 0; k < NR_ORDERS; k++) {
			*nr_free += counts[k] << k;
			whole += k < BLOCK_ORDER ? 0 : counts[k] << (k - BLOCK_ORDER);
		}
	}
	return whole;
}

/*
 * Returns the percentage of free memory that any allocator could have in whole blocks. Blocks with
 * a frame that was never freed cannot be whole, because nothing is moved. whole is the number of
 * whole blocks before memory was filled, nr_free that of free frames now.
 */
static double bound(const struct churn *c, uint64_t whole, uint64_t nr_free)
{
	uint8_t *pinned = array_of((SIM_RAM_SIZE >> PAGE_SHIFT) >> BLOCK_ORDER, 1);
	double share;

	for (uint32_t i = 0; i < c->nr; i++) {
		uint8_t *block = &pinned[page_to_pfn(c->pieces[i].page) >> BLOCK_ORDER];

		whole -= c->pieces[i].old && !*block;
		*block |= c->pieces[i].old;
	}
	free(pinned);
	share = 100.0 * (double)(whole << BLOCK_ORDER) / (double)nr_free;
	return share < 100 ? share : 100;
}

/* Returns the percentage of free memory that is in whole blocks; *best is what bound() says. */
static double churn(struct churn c, unsigned int percent, double *best)
{
	uint64_t nr_free, whole, at_start, target;

	if (c.on_pc)
		boot();
	else
		boot_plain();
	at_start = whole_blocks(&nr_free);
	c.pieces = array_of(FRAMES, sizeof(*c.pieces));
	fill(&c);
	for (uint32_t i = 0; i < c.nr; i++)
		c.pieces[i].old = true;
	if (!c.late)
		while (c.nr_pinned < (uint32_t)(c.pinned * FRAMES))
			pin(&c, c.nr_pinned + random_below(&c.seed, c.nr - c.nr_pinned));
	target = c.held * (100 - percent) / 100;
	while (c.held > target)
		churn_free(&c);
	for (unsigned int i = 0; i < c.rounds; i++)
		churn_round(&c, target);
	whole = whole_blocks(&nr_free);
	*best = bound(&c, at_start, nr_free);
	if (c.failed)
		printf("(%llu allocations of a mixed order failed) ", ULL(c.failed));
	free(c.pieces);
	return 100.0 * (double)(whole << BLOCK_ORDER) / (double)nr_free;
}

/* Prints a row: the worst result of several seeds, and the bound if that is below 100. */
static void churn_row(const char *id, struct churn c, unsigned int percent, unsigned int seeds)
{
	double worst = 100, best = 100;

	printf("# %s: seeds 1 to %u:", id, seeds);
	for (uint64_t seed = 1; seed <= seeds; seed++) {
		double can, is;

		c.seed = seed;
		is = churn(c, percent, &can);
		printf(" %.2f", is);
		worst = is < worst ? is : worst;
		best = can < best ? can : best;
	}
	printf("\nbench %s %.2f\n", id, worst);
	if (best < 100)
		printf("bench %s.bound %.2f\n", id, best);
}

static const struct {
	const char *id;
	struct churn churn;
	unsigned int percent; /* of memory that is free during the rounds */
	unsigned int seeds;
} churns[] = {
	{ "churn.50", { .rounds = 500 }, 50, 3 },
	{ "churn.25", { .rounds = 500 }, 25, 3 },
	{ "churn.10", { .rounds = 500 }, 10, 3 },
	{ "churn.short.50", { .rounds = 100 }, 50, 1 },
	{ "churn.short.25", { .rounds = 100 }, 25, 1 },
	{ "churn.short.10", { .rounds = 100 }, 10, 1 },
	{ "churn.pc.50", { .rounds = 500, .on_pc = true }, 50, 1 },
	{ "churn.pc.25", { .rounds = 500, .on_pc = true }, 25, 1 },
	{ "churn.pc.10", { .rounds = 500, .on_pc = true }, 10, 1 },
	{ "churn.turn.50", { .rounds = 500, .in_turn = true }, 50, 1 },
	{ "churn.turn.25", { .rounds = 500, .in_turn = true }, 25, 1 },
	{ "churn.turn.10", { .rounds = 500, .in_turn = true }, 10, 1 },
	{ "churn.mixed.50", { .max_order = BLOCK_ORDER, .rounds = 100 }, 50, 3 },
	{ "churn.mixed.25", { .max_order = BLOCK_ORDER, .rounds = 100 }, 25, 3 },
	{ "churn.mixed.10", { .max_order = BLOCK_ORDER, .rounds = 100 }, 10, 3 },
	{ "churn.pinned.0.01", { .pinned = 0.0001, .rounds = 100 }, 50, 1 },
	{ "churn.pinned.0.1", { .pinned = 0.001, .rounds = 100 }, 50, 1 },
	{ "churn.pinned.1", { .pinned = 0.01, .rounds = 100 }, 50, 1 },
	{ "churn.late.0.01", { .pinned = 0.0001, .rounds = 100, .late = true }, 50, 1 },
	{ "churn.late.0.1", { .pinned = 0.001, .rounds = 100, .late = true }, 50, 1 },
	{ "churn.late.1", { .pinned = 0.01, .rounds = 100, .late = true }, 50, 1 },
};

unsigned int churn_rows(int argc, char **argv)
{
	unsigned int run = 0;

	for (size_t i = 0; i < sizeof(churns) / sizeof(churns[0]); i++)
		if (wanted(churns[i].id, argc, argv)) {
			churn_row(churns[i].id, churns[i].churn, churns[i].percent,
				  churns[i].seeds);
			run++;
		}
	return run;
}
