/*
 * test_exhaustive.c: tests every sequence of operations, on arenas of a few small bitmaps.
 *
 * It is built twice, with bitmaps of 8 children (MM_BITMAP_SHIFT 3: a block has 8 frames, a gib 64,
 * and the largest order is 6) and of 4. From the state after boot each possible operation is tried,
 * then each from every state that this led to, and so on, breadth first. A state is every byte that
 * the allocator can read (zones, bitmap trees, gibs, frame caches, descriptors) and the model. A
 * state that was met before is neither checked nor tried again, because what is found in it and
 * what follows from it are known. So all sequences of a length are covered although far fewer are
 * run; and when no new state appears, all sequences of any length are.
 *
 * After every operation the naive model must agree (model.h) with what the operation returned. In
 * every state mm_check() must find nothing, and page_state() and page_head() of every frame must be
 * right. The first sequence that fails is a shortest one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/format.h"
#include "mm/cache.h"
#include "mm/check.h"
#include "tests/host/sim/arena.h"
#include "tests/host/sim/sim.h"

/* An operation has a kind, and an order or a frame of the arena. */
enum kind {
	ALLOC,
	ALLOC_DMA,
	ALLOC_STAY,
	ALLOC_ON_1, /* node 1 */
	ALLOC_OF_0, /* node 0 and no other */
	FREE,
	PUT,
	DRAIN,
	SPLIT,
	CONTIG3,
	CONTIG8,
	NR_KINDS
};

struct op {
	uint8_t kind;
	uint8_t arg;
};

#define WITH(kind) (1u << (kind))
#define PLAIN      (WITH(ALLOC) | WITH(FREE))
#define MOST       (PLAIN | WITH(DRAIN) | WITH(SPLIT))
#define ALL        (MOST | WITH(PUT) | WITH(CONTIG3) | WITH(CONTIG8))

#define NODES      (PLAIN | WITH(ALLOC_ON_1) | WITH(ALLOC_OF_0))

static const char *const kind_names[NR_KINDS] = { "alloc",      "alloc-dma",  "alloc-stay",
						  "alloc-on-1", "alloc-of-0", "free",
						  "put",        "drain",      "split",
						  "contig3",    "contig8" };

struct run {
	const struct arena *arena;
	uint32_t cache_limit;
	unsigned int kinds;
	unsigned int min_order;
	unsigned int depth; /* the longest sequence; 0: go on until there is no new state */
};

static struct model model;
static const struct run *current; /* what is being explored */

/* Performs an operation. Returns NULL when allocator and model agree, else a complaint. */
static const char *perform(struct op op)
{
	pfn_t pfn = model.base + op.arg;

	switch (op.kind) {
	case ALLOC:
		return model_alloc(&model, __GFP_HIGH, op.arg, NULL);
	case ALLOC_DMA:
		return model_alloc(&model, __GFP_HIGH | GFP_DMA, op.arg, NULL);
	case ALLOC_STAY:
		return model_alloc(&model, __GFP_HIGH | __GFP_UNMOVABLE, op.arg, NULL);
	case ALLOC_ON_1:
		return model_alloc_node(&model, 1, __GFP_HIGH, op.arg, NULL);
	case ALLOC_OF_0:
		return model_alloc_node(&model, 0, __GFP_HIGH | __GFP_THISNODE, op.arg, NULL);
	case FREE:
		return model_free(&model, pfn, FREE_PAGES);
	case PUT:
		return model_free(&model, pfn, PUT_PAGE);
	case DRAIN:
		return model_drain(&model);
	case SPLIT:
		return model_split(&model, pfn);
	case CONTIG3:
		return model_contig(&model, pfn, pfn + 3);
	default:
		return model_contig(&model, pfn, pfn + 8);
	}
}

#define MAX_OPS 1024

static unsigned int add_op(struct op *ops, unsigned int n, enum kind kind, unsigned int arg)
{
	if (!(current->kinds & WITH(kind)))
		return n;
	ops[n] = (struct op){ (uint8_t)kind, (uint8_t)arg };
	return n + 1;
}

/*
 * Lists all operations that a caller may try in this state, also those that must be refused: orders
 * of which there is no run, and ranges that are in use. Returns their number.
 */
static unsigned int list_ops(struct op ops[MAX_OPS])
{
	unsigned int n = add_op(ops, 0, DRAIN, 0);

	for (unsigned int order = current->min_order; order <= MAX_PAGE_ORDER; order++) {
		n = add_op(ops, n, ALLOC, order);
		n = add_op(ops, n, ALLOC_DMA, order);
		n = add_op(ops, n, ALLOC_STAY, order);
		n = add_op(ops, n, ALLOC_ON_1, order);
		n = add_op(ops, n, ALLOC_OF_0, order);
	}
	for (unsigned int i = 0; i < model.frames; i++) {
		if (model_is_head(model.frame[i])) {
			n = add_op(ops, n, FREE, i);
			n = add_op(ops, n, PUT, i);
			n = add_op(ops, n, SPLIT, i);
		}
		n = add_op(ops, n, CONTIG3, i);
		n = add_op(ops, n, CONTIG8, i);
	}
	return n;
}

static size_t state_size; /* bytes, a multiple of 8 */

/*
 * Clears the entries of the frame caches beyond their counts. They are written before they are
 * read again, so they are no part of the state.
 */
static void clear_unused_entries(void)
{
	for_each_cache(number) {
		struct frame_cache *cache = cache_number(0, number);

		for (uint64_t i = cache->count; i < cache->limit; i++)
			cache_pages(cache)[i] = NULL;
		for (uint64_t i = cache->nr_out; i < cache->out_limit; i++)
			cache_out(cache)[i] = NULL;
	}
}

static uint64_t hash_of(const char *state)
{
	uint64_t hash = 0x9e3779b97f4a7c15;

	for (size_t i = 0; i < state_size; i += 8) {
		uint64_t word;

		memcpy(&word, state + i, 8);
		hash = (hash ^ word) * 0xff51afd7ed558ccdull;
		hash ^= hash >> 32;
	}
	return hash ? hash : 1;
}

/*
 * The states that were met. A hash table of 64-bit hashes tells which are new: among a million
 * states, two have the same hash with a chance of 1 in 37 million.
 */
#define MAX_STATES (1u << 21)
#define NR_SLOTS   ((size_t)2 * MAX_STATES)

struct met {
	uint32_t from; /* number of the state from which this one was first reached */
	struct op by;
};
static struct met *met; /* by number of the state */
static uint32_t nr_met;
static uint64_t *slots; /* hashes; 0: empty */

static bool is_new(uint64_t hash)
{
	uint64_t i = hash % NR_SLOTS;

	while (slots[i] && slots[i] != hash)
		i = (i + 1) % NR_SLOTS;
	if (slots[i])
		return false;
	slots[i] = hash;
	return true;
}

/* The states of one depth, each as its number (8 bytes of room) and its bytes. */
struct level {
	char *bytes;
	size_t nr, room;
};

static uint32_t add_state(struct level *level, const char *state, uint32_t from, struct op by)
{
	size_t stride = state_size + 8;

	if (level->nr == level->room) {
		char *more;

		level->room = level->room ? 2 * level->room : 64;
		more = realloc(level->bytes, level->room * stride);
		assert_non_null(more);
		level->bytes = more;
	}
	assert_true(nr_met < MAX_STATES);
	memcpy(level->bytes + level->nr * stride, &nr_met, sizeof(nr_met));
	memcpy(level->bytes + level->nr++ * stride + 8, state, state_size);
	met[nr_met] = (struct met){ from, by };
	return nr_met++;
}

static void print_sequence(uint32_t number)
{
	if (!number)
		return;
	print_sequence(met[number].from);
	printf(" %s %u,", kind_names[met[number].by.kind], met[number].by.arg);
}

static uint64_t nr_steps;

/*
 * Performs op, saves the state that it leads to in after, and checks that state when it is new,
 * which *found_new then tells. Returns NULL or what is wrong, which a panic is too.
 */
static const char *step(struct op op, char *after, bool *found_new)
{
	static jmp_buf jump;
	const char *bad;

	sim_panic_jump = &jump;
	if (setjmp(jump)) {
		sim_panic_jump = NULL;
		return sim_panic_text;
	}
	nr_steps++;
	bad = perform(op);
	if (!bad) {
		clear_unused_entries();
		arena_save(after);
		*found_new = is_new(hash_of(after));
		if (*found_new)
			bad = model_check(&model, model.base, model.base + model.frames);
	}
	sim_panic_jump = NULL;
	return bad;
}

/* Tries every operation from the state in entry; the new states it leads to are added to next. */
static void leave_state(const char *entry, struct level *next)
{
	static char after[1 << 14];
	struct op ops[MAX_OPS];
	unsigned int nr_ops;
	uint32_t from;

	memcpy(&from, entry, sizeof(from));
	arena_restore(entry + 8);
	nr_ops = list_ops(ops);
	for (unsigned int i = 0; i < nr_ops; i++) {
		bool found_new = false;
		const char *bad = step(ops[i], after, &found_new);

		if (bad) {
			printf("# %s, caches of %u:", current->arena->name, current->cache_limit);
			print_sequence(from);
			printf(" %s %u: %s\n", kind_names[ops[i].kind], ops[i].arg, bad);
			sim_log = stdout;
			mm_check();
			sim_log = NULL;
			fail_msg("%s", bad);
		}
		if (found_new)
			add_state(next, after, from, ops[i]);
		arena_restore(entry + 8);
	}
}

static void explore(const struct run *what)
{
	struct level level = { NULL, 0, 0 }, next;
	char *first;
	unsigned int depth = 0;

	current = what;
	arena_boot(current->arena, current->cache_limit, &model);
	state_size = arena_state_size(current->arena, &model);
	assert_true(state_size <= 1 << 14);
	assert_null(model_check(&model, model.base, model.base + model.frames));
	met = malloc(MAX_STATES * sizeof(*met));
	slots = calloc(NR_SLOTS, sizeof(*slots));
	first = malloc(state_size);
	assert_true(met && slots && first);
	nr_met = 0;
	nr_steps = 0;
	memset(first, 0, state_size);
	clear_unused_entries();
	arena_save(first);
	is_new(hash_of(first));
	add_state(&level, first, 0, (struct op){ 0, 0 });
	while (level.nr && (!current->depth || depth < current->depth)) {
		next = (struct level){ NULL, 0, 0 };
		for (size_t i = 0; i < level.nr; i++)
			leave_state(level.bytes + i * (state_size + 8), &next);
		free(level.bytes);
		level = next;
		depth++;
	}
	/* What is no part of a state, as it must never change, is not put back either. */
	assert_null(model_check(&model, model.base, model.base + model.frames));
	printf("# %s, caches of %u: %u states, %llu steps; %s %u operations\n",
	       current->arena->name, current->cache_limit, nr_met, ULL(nr_steps),
	       level.nr ? "every sequence of" : "no new state after", depth);
	free(level.bytes);
	free(first);
	free(slots);
	free(met);
	model_destroy(&model);
}

#if MM_BITMAP_SHIFT > 2

/* RAM begins with frame 0, has a hole of one frame, and ends within the second block. */
static const struct arena two_blocks = {
	"two blocks, 10 frames", { { 0, 3 }, { 4, 12 } }, { { 8, 9 } }, METADATA, NULL
};
static const struct arena few_frames = {
	"two blocks, 8 frames", { { 0, 3 }, { 4, 10 } }, { { 8, 9 } }, METADATA, NULL
};
static const struct arena border = {
	"DMA and DMA32 at their border", { { 4092, 4103 } }, { { 4100, 4101 } }, METADATA, NULL
};
static const struct arena whole_block = {
	"a whole block and two frames", { { 8, 18 } }, { { 0, 0 } }, METADATA, NULL
};
static const struct arena three_blocks = { "three partly usable blocks",
					   { { 1, 24 } },
					   { { 5, 6 }, { 11, 14 }, { 23, 24 } },
					   METADATA,
					   NULL };
static const struct arena two_gibs = {
	"two gibs and a hole", { { 0, 64 }, { 130, 200 } }, { { 3, 4 } }, METADATA, NULL
};

/* The blocks of two nodes alternate; the CPU is node 1's. */
static const struct model_nodes by_blocks = { .nr = 2, .frames = BLOCK_FRAMES, .cpu = 1 };
static const struct arena nodes = {
	"two blocks of two nodes", { { 0, 3 }, { 4, 10 } }, { { 8, 9 } }, METADATA, &by_blocks
};
static const struct arena more_nodes = {
	"three blocks of two nodes", { { 1, 24 } }, { { 9, 10 } }, METADATA, &by_blocks
};
/* So do gibs, of which the last may be unplugged; the CPU is that of a node without memory. */
static const struct model_nodes by_gibs = {
	.nr = 2, .frames = GIB_FRAMES, .hotplug = 128, .cpu = 3
};
static const struct arena node_gibs = {
	"gibs of two nodes", { { 56, 140 } }, { { 0, 0 } }, METADATA, &by_gibs
};

static const struct run runs[] = {
	{ &nodes, 0, NODES, 0, 0 },
	{ &nodes, 2, NODES | WITH(DRAIN), 0, 6 },
	{ &more_nodes, 0, ALL | WITH(ALLOC_OF_0), 0, 4 },
	{ &node_gibs, 0, NODES | WITH(SPLIT), 0, 3 },
	{ &node_gibs, 3, NODES | WITH(DRAIN), 0, 3 },
	{ &two_blocks, 0, ALL, 0, 0 },
	{ &few_frames, 2, ALL, 0, 0 },
	{ &border, 0, PLAIN | WITH(ALLOC_DMA) | WITH(SPLIT), 0, 0 },
	{ &border, 2, PLAIN | WITH(ALLOC_DMA) | WITH(DRAIN), 0, 7 },
	{ &whole_block, 0, ALL, 0, 0 },
	{ &whole_block, 2, MOST, 0, 8 },
	{ &three_blocks, 0, ALL, 0, 6 },
	{ &three_blocks, 2, MOST, 0, 9 },
	{ &two_gibs, 0, MOST, 0, 5 },
	{ &two_gibs, 3, MOST, 0, 5 },
	{ &whole_block, 0, ALL | WITH(ALLOC_STAY), 0, 0 },
	{ &two_gibs, 3, MOST | WITH(ALLOC_STAY), 0, 4 },
};

#else

/* A block has 4 frames and a gib 16: gibs are opened, closed and allocated within few frames. */
static const struct arena three_blocks = {
	"three whole blocks of 4", { { 0, 12 } }, { { 0, 0 } }, METADATA, NULL
};
static const struct arena gib = { "a gib of 16", { { 0, 16 } }, { { 0, 0 } }, METADATA, NULL };
static const struct arena gibs = {
	"a gib of 16 on either side of a border", { { 4080, 4112 } }, { { 0, 0 } }, METADATA, NULL
};

static const struct model_nodes by_blocks = { .nr = 2, .frames = BLOCK_FRAMES, .cpu = 0 };
static const struct arena nodes = {
	"a gib of two nodes", { { 0, 16 } }, { { 0, 0 } }, METADATA, &by_blocks
};

static const struct run runs[] = {
	{ &nodes, 0, NODES, 1, 0 }, /* orders 1 to 4 */
	{ &nodes, 2, NODES | WITH(DRAIN), 0, 5 },
	{ &three_blocks, 0, PLAIN, 0, 0 },
	{ &three_blocks, 2, MOST, 0, 8 },
	{ &gib, 0, PLAIN, 1, 0 }, /* orders 1 to 4 */
	{ &gib, 0, ALL, 0, 4 },
	{ &gibs, 0, PLAIN | WITH(ALLOC_DMA), 2, 0 },
	{ &gibs, 2, MOST, 0, 5 },
	{ &three_blocks, 0, PLAIN | WITH(ALLOC_STAY), 0, 7 },
	{ &gib, 0, PLAIN | WITH(ALLOC_STAY), 1, 0 },
	{ &gibs, 2, MOST | WITH(ALLOC_STAY), 0, 4 },
};

#endif

static void every_sequence(void **state)
{
	explore(*state);
}

int main(void)
{
	enum { NR = sizeof(runs) / sizeof(runs[0]) };
	struct CMUnitTest tests[NR];
	static char names[NR][80];

	for (unsigned int i = 0; i < NR; i++) {
		snprintf(names[i], sizeof(names[i]), "%s, caches of %u", runs[i].arena->name,
			 runs[i].cache_limit);
		tests[i] = (struct CMUnitTest){ names[i], every_sequence, NULL, NULL,
						(void *)(uintptr_t)&runs[i] };
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
