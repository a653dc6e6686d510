/*
 * fuzz_ops.c: fuzzes the allocator with sequences of operations, beside the naive model.
 *
 *   byte 0          lower 3 bits: the most frames in a frame cache; upper 5 bits: n, only the first
 *                   8n frames may be used (0: all), so that memory runs out
 *   then two each   kind, zone and node; order, or index of an allocation
 *
 * Bitmaps have 8 children (MM_BITMAP_SHIFT=3), and the arena has a few hundred frames of two types
 * of memory and two nodes, with holes. A disagreement, a violation of an invariant and a panic are
 * findings.
 */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/cache.h"
#include "mm/check.h"
#include "tests/host/fuzz/fuzz.h"
#include "tests/host/sim/arena.h"
#include "tests/host/sim/sim.h"

/* 128 frames, two gibs, are node 0's, the next 128 node 1's, and so on. */
static const struct model_nodes by_128 = { .nr = 2, .frames = 128, .cpu = 0 };

static const struct arena arena = { "two zones with holes",
				    { { 0, 150 }, { 170, 300 }, { 512, 700 }, { 4030, 4200 } },
				    { { 9, 11 }, { 63, 65 }, { 540, 545 }, { 4100, 4101 } },
				    METADATA,
				    &by_128 };

#define CACHE_LIMIT 7
#define CHECK_EVERY 16

static struct model model;
static char *start; /* the arena's state after boot: see arena.h */

static void boot_once(void)
{
	if (start)
		return;
	arena_boot(&arena, CACHE_LIMIT, &model);
	start = malloc(arena_state_size(&arena, &model));
	if (!start)
		abort();
	arena_save(start);
}

static pfn_t held[2048];
static unsigned int nr_held;

static void hold(pfn_t first, pfn_t frames)
{
	for (pfn_t i = 0; i < frames; i++)
		held[nr_held++] = first + i;
}

static uint64_t nr_free(void)
{
	uint64_t sum = 0;

	for_each_zone(z)
		sum += model.free[z->id];
	return sum;
}

static const char *take(uint8_t kind, gfp_t gfp, int nid, uint8_t arg)
{
	struct page *page, *array[8] = { NULL };
	unsigned long got;
	uint64_t before = nr_free();
	pfn_t at = nr_held ? held[arg % nr_held] + arg / 16 : arg;
	const char *bad;

	if (kind == 5) {
		bad = model_bulk(&model, gfp, arg % 8, array, &got);
		for (unsigned long i = 0; !bad && i < got; i++)
			hold(page_to_pfn(array[i]), 1);
		return bad;
	}
	if (kind == 6) {
		bad = model_contig(&model, at, at + arg % 32);
		if (before != nr_free())
			hold(at, arg % 32);
		return bad;
	}
	if (nid == NUMA_NO_NODE)
		bad = model_alloc(&model, gfp, arg % (MAX_PAGE_ORDER + 2), &page);
	else
		bad = model_alloc_node(&model, nid, gfp, arg % (MAX_PAGE_ORDER + 2), &page);
	if (!bad && page)
		hold(page_to_pfn(page), 1);
	return bad;
}

static const char *give(uint8_t kind, uint8_t arg)
{
	unsigned int which = arg % nr_held;
	pfn_t pfn = held[which];
	unsigned int order = model_order(&model, pfn);

	if (kind == 4) {
		hold(pfn + 1, ((pfn_t)1 << order) - 1);
		return model_split(&model, pfn);
	}
	held[which] = held[--nr_held];
	return model_free(&model, pfn, kind == 3 ? PUT_PAGE : FREE_PAGES);
}

/* Allocates all frames from pfn on that are free; they are never freed. */
static const char *take_from(pfn_t pfn)
{
	const char *bad = NULL;
	pfn_t end;

	for (; !bad && pfn < model.base + model.frames; pfn = end) {
		end = pfn + 1;
		if (model_at(&model, pfn) != OWN_FREE)
			continue;
		while (end % BLOCK_FRAMES && model_at(&model, end) == OWN_FREE)
			end++;
		bad = model_contig(&model, pfn, end);
	}
	return bad;
}

static const char *perform(uint8_t what, uint8_t arg)
{
	static const gfp_t zone_bits[] = { 0, GFP_DMA, GFP_DMA32, __GFP_HIGH };
	uint8_t kind = what % 8;

	if (kind == 7 || (kind >= 2 && kind <= 4 && !nr_held))
		return model_drain(&model);
	if (kind >= 2 && kind <= 4)
		return give(kind, arg);
	return take(kind,
		    zone_bits[what >> 3 & 3] | (what >> 5 & 1 ? __GFP_UNMOVABLE : 0) |
			(what >> 6 == 3 ? __GFP_THISNODE : 0),
		    what >> 7 ? kind % 2 : NUMA_NO_NODE, arg);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *bad = NULL;

	if (size < 3)
		return 0;
	boot_once();
	arena_restore(start);
	nr_held = 0;
	sim_limit_caches(bytes[0] % (CACHE_LIMIT + 1), bytes[0] % (CACHE_LIMIT + 1) / 2);
	if (bytes[0] >> 3)
		bad = take_from(model.base + (pfn_t)8 * (bytes[0] >> 3));
	for (size_t i = 1; !bad && i + 1 < size; i += 2) {
		bad = perform(bytes[i], bytes[i + 1]);
		if (!bad && (i + 2 >= size - 1 || i / 2 % CHECK_EVERY == 0))
			bad = model_check(&model, model.base, model.base + 128);
	}
	if (bad) {
		fprintf(stderr, "fuzz_ops: %s\n", bad);
		sim_log = stderr;
		mm_check();
		abort();
	}
	return 0;
}
