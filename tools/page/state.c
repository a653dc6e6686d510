#include <stdio.h>
#include <string.h>

#include "lib/format.h"
#include "mm/cache.h"
#include "mm/page_state.h"
#include "mm/shelf.h"
#include "tools/page/work_parts.h"

#define SHOWN_ALLOCATIONS 200
#define MIB_FRAMES        ((pfn_t)1 << (20 - PAGE_SHIFT))

/* The cells of a bitmap, a character for each child, as a string. */
struct cells {
	char text[BITMAP_BITS + 1];
};

static void fill_cells(struct cells *cells, unsigned int from, unsigned int nr, char c)
{
	for (unsigned int i = from; i < from + nr && i < BITMAP_BITS; i++)
		cells->text[i] = c;
	cells->text[BITMAP_BITS] = '\0';
}

/* Prints `,"name":` and the number of a frame, or null. */
static void print_pfn(const char *name, pfn_t pfn)
{
	if (pfn == PFN_NONE)
		printf(",\"%s\":null", name);
	else
		printf(",\"%s\":%llu", name, ULL(pfn));
}

/* The result of the last step. */

static void print_result(const struct result *r)
{
	static const char *const names[] = { "none", "alloc", "free", "random", "drain" };
	bool about = r->pfn != PFN_NONE;

	printf(",\n\"result\":{\"did\":\"%s\",\"count\":%llu,\"failed\":%llu", names[r->did],
	       ULL(r->count), ULL(r->failed));
	print_pfn("pfn", r->pfn);
	if (about)
		printf(",\"order\":%u,\"number\":%u", r->order, r->number);
	else
		printf(",\"order\":null,\"number\":null");
	printf(",\"cpu\":%u}", r->cpu);
}

/* Zones and caches. */

static void print_zone(const struct zone *z)
{
	uint64_t counts[NR_ORDERS];

	zone_free_blocks(z, counts);
	printf("{\"name\":\"%s\",\"node\":%d,\"start_pfn\":%llu,\"end_pfn\":%llu,\"managed\":%llu",
	       z->name, z->node, ULL(z->start_pfn), ULL(z->end_pfn), ULL(z->managed));
	printf(",\"nr_free\":%llu,\"cached\":%llu,\"free_blocks\":[", ULL(z->nr_free),
	       ULL(cache_frames(z)));
	for (unsigned int k = 0; k < NR_ORDERS; k++)
		printf("%s%llu", k ? "," : "", ULL(counts[k]));
	printf("],\"reserve\":%llu,\"idle\":[", ULL(zone_keep(z, GFP_KERNEL)));
	for (unsigned int level = 0; level < 2; level++)
		if (z->idle[level] == PFN_NONE)
			printf("%snull", level ? "," : "");
		else
			printf("%s%llu", level ? "," : "", ULL(z->idle[level]));
	printf("]");
	print_pfn("unmovable", z->unmovable);
	printf("}");
}

static void print_zones(void)
{
	const char *comma = "";

	printf(",\n\"zones\":[");
	for_each_populated_zone(z) {
		printf("%s\n", comma);
		print_zone(z);
		comma = ",";
	}
	printf("]");
}

static void print_stack(struct page *const *stack, uint64_t nr)
{
	printf("[");
	for (uint64_t i = 0; i < nr; i++)
		printf("%s%llu", i ? "," : "", ULL(page_to_pfn(stack[i])));
	printf("]");
}

/* Returns the frame from which on a cache keeps none: PFN_NONE if it keeps all. */
static pfn_t keep_below_of(const struct frame_cache *cache)
{
	return cache->keep_below == CACHE_END_ALL ? PFN_NONE : CACHE_END_PFN(cache->keep_below);
}

static void print_cache(struct frame_cache *cache, bool away)
{
	printf("{\"zone\":\"%s\",\"node\":%d,\"order\":%u,\"away\":%s,\"limit\":%llu",
	       cache->zone->name, cache->zone->node, cache->order, away ? "true" : "false",
	       ULL(cache->limit));
	print_pfn("keep_below", keep_below_of(cache));
	printf(",\"pages\":");
	print_stack(cache_pages(cache), cache->count);
	printf(",\"out_limit\":%u,\"out\":", cache->out_limit);
	print_stack(cache_out(cache), cache->nr_out);
	printf("}");
}

static void print_cpu(unsigned int cpu)
{
	const char *comma = "";

	printf("{\"cpu\":%u,\"home\":%d,\"caches\":[", cpu, cpu_homes[cpu]);
	for_each_cache(i) {
		struct frame_cache *cache = cache_number(cpu, i);

		if (!(cache->limit + cache->count + cache->nr_out))
			continue;
		printf("%s\n", comma);
		print_cache(cache, i == CACHE_AWAY);
		comma = ",";
	}
	printf("]}");
}

/* The block, the gib and the shelf of a frame. */

/* Writes a CPU's digit into the cells of what a stack has of a block. */
static void mark_stack(struct cells *cells, pfn_t block, unsigned int cpu, unsigned int order,
		       struct page *const *stack, uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++) {
		pfn_t pfn = page_to_pfn(stack[i]);

		if (run_start(pfn, BLOCK_ORDER) == block)
			fill_cells(cells, frame_of(pfn), 1u << order, (char)('0' + cpu));
	}
}

/* Writes the digits of the CPUs into the cells of what their caches have of a block. */
static void mark_cached(struct cells *cells, pfn_t block)
{
	for (unsigned int cpu = 0; cpu < WORK_CPUS; cpu++)
		for_each_cache(i) {
			struct frame_cache *cache = cache_number(cpu, i);

			mark_stack(cells, block, cpu, cache->order, cache_pages(cache),
				   cache->count);
			mark_stack(cells, block, cpu, cache->order, cache_out(cache),
				   cache->nr_out);
		}
}

/* Fills the cells of a block that has nothing to hand out. Returns whether it has RAM. */
static bool reserved_cells(struct cells *cells, pfn_t block)
{
	bool any = false;

	for (unsigned int i = 0; i < BLOCK_FRAMES; i++) {
		bool ram = pfn_valid(block + i);

		any |= ram;
		fill_cells(cells, i, 1, ram ? 'r' : '-');
	}
	return any;
}

/* Fills the cells of an open block. */
static void open_cells(struct cells *cells, const struct zone *z, pfn_t block)
{
	const struct bitmap *bits = &zone_gib(z, block)->block[block_of(block)];

	reserved_cells(cells, block);
	mark_cached(cells, block);
	for (unsigned int i = 0; i < BLOCK_FRAMES; i++) {
		uint64_t state = state_read(pfn_to_page(block + i));
		unsigned int order = state_order(state);

		if (bitmap_test(bits, i)) {
			fill_cells(cells, i, 1, 'f');
		} else if (state_is_head(state, z->id, order)) {
			fill_cells(cells, i, 1u << order, 't');
			fill_cells(cells, i, 1, 'h');
			i += (1u << order) - 1;
		}
	}
}

/*
 * Returns the first block of the allocation of an order from 9 to 17, or of the block in a frame
 * cache, that has this block; PFN_NONE: there is none. Sets *order, and *cached.
 */
static pfn_t head_of(const struct zone *z, const struct gib *g, pfn_t block, unsigned int *order,
		     bool *cached)
{
	for (unsigned int k = BLOCK_ORDER; k < GIB_ORDER; k++) {
		pfn_t first = run_start(block, k);
		uint64_t state;

		if (!bitmap_test(&g->head, block_of(first)))
			continue;
		state = state_read(pfn_to_page(first));
		*order = state ? state_order(state) : BLOCK_ORDER;
		*cached = !state;
		if (*order >= k && (!state || state_is_head(state, z->id, *order)))
			return first;
	}
	return PFN_NONE;
}

/* Fills the cells of a block that is neither open nor whole. Returns the block's state. */
static const char *other_cells(struct cells *cells, const struct zone *z, const struct gib *g,
			       pfn_t block)
{
	unsigned int order;
	bool cached, known = g && gibs_test(z, GIBS_KNOWN, gib_of(block));
	pfn_t head;

	if (!reserved_cells(cells, block))
		return "none";
	if (g && gibs_test(z, GIBS_HEAD, gib_of(block))) {
		head = run_start(block, GIB_ORDER);
		cached = false;
	} else {
		head = known ? head_of(z, g, block, &order, &cached) : PFN_NONE;
	}
	if (head == PFN_NONE)
		return "reserved";
	if (cached) {
		mark_cached(cells, block);
		fill_cells(cells, 0, BLOCK_FRAMES, cells->text[0]);
		return "cached";
	}
	fill_cells(cells, 0, BLOCK_FRAMES, 't');
	if (head != block)
		return "inside";
	cells->text[0] = 'h';
	return "allocated";
}

/* Fills the cells of a block. Returns its state. */
static const char *block_cells(struct cells *cells, const struct zone *z, pfn_t block)
{
	const struct gib *g = zone_gib(z, block);
	pfn_t gib = gib_of(block);

	if (g && gibs_test(z, GIBS_OPEN, gib) && bitmap_test(&g->open, block_of(block))) {
		open_cells(cells, z, block);
		return "open";
	}
	if (g && (gibs_test(z, GIBS_FREE, gib) ||
		  (gibs_test(z, GIBS_OPEN, gib) && bitmap_test(&g->free, block_of(block))))) {
		fill_cells(cells, 0, BLOCK_FRAMES, 'f');
		return "whole";
	}
	return other_cells(cells, z, g, block);
}

static void print_block(const struct zone *z, pfn_t block)
{
	struct cells cells;
	const char *state = block_cells(&cells, z, block);

	printf(",\n\"block\":{\"pfn\":%llu,\"zone\":\"%s\",\"node\":%d,\"state\":\"%s\",\n"
	       "\"cells\":\"%s\"}",
	       ULL(block), z->name, z->node, state, cells.text);
}

/* Returns the cell of a block that is neither open, whole nor part of an allocation. */
static char cell_without_bits(const struct zone *z, pfn_t block)
{
	if (pfn_zone(block) != z)
		return '-';
	for (pfn_t pfn = block; pfn < block + BLOCK_FRAMES; pfn++)
		if (pfn_valid(pfn))
			return 'r';
	return '-';
}

/* Returns the digit of the CPU that has the block in a frame cache. */
static char cpu_of_cached(pfn_t block)
{
	struct cells cells;

	fill_cells(&cells, 0, BLOCK_FRAMES, '?');
	mark_cached(&cells, block);
	return cells.text[0];
}

/* Fills the cells of an open gib. */
static void open_gib_cells(struct cells *cells, const struct zone *z, const struct gib *g,
			   pfn_t first)
{
	for (unsigned int i = 0; i < BITMAP_BITS; i++) {
		pfn_t block = first + i * BLOCK_FRAMES;
		uint64_t state;

		if (bitmap_test(&g->free, i)) {
			fill_cells(cells, i, 1, 'f');
		} else if (bitmap_test(&g->open, i)) {
			fill_cells(cells, i, 1, z->unmovable == block ? 'u' : 'o');
		} else if (!bitmap_test(&g->head, i)) {
			fill_cells(cells, i, 1, cell_without_bits(z, block));
		} else if ((state = state_read(pfn_to_page(block)))) {
			unsigned int blocks = 1u << (state_order(state) - BLOCK_ORDER);

			fill_cells(cells, i, blocks, 't');
			fill_cells(cells, i, 1, 'h');
			i += blocks - 1;
		} else {
			fill_cells(cells, i, 1, cpu_of_cached(block));
		}
	}
}

static void gib_cells(struct cells *cells, const struct zone *z, pfn_t first)
{
	const struct gib *g = zone_gib(z, first);
	pfn_t gib = gib_of(first);

	if (gibs_test(z, GIBS_FREE, gib))
		fill_cells(cells, 0, BITMAP_BITS, 'f');
	else if (gibs_test(z, GIBS_HEAD, gib))
		fill_cells(cells, 0, BITMAP_BITS, 't');
	else if (gibs_test(z, GIBS_OPEN, gib))
		open_gib_cells(cells, z, g, first);
	else
		for (unsigned int i = 0; i < BITMAP_BITS; i++)
			fill_cells(cells, i, 1, cell_without_bits(z, first + i * BLOCK_FRAMES));
}

/* Prints bitmaps as strings of 0 and 1; without a bitmap all are 0. */
static void print_bitmaps(const struct bitmap *bitmap, unsigned int nr)
{
	printf(",\"index\":[");
	for (unsigned int i = 0; i < nr; i++) {
		struct cells cells;

		fill_cells(&cells, 0, BITMAP_BITS, '0');
		for (unsigned int child = 0; bitmap && child < BITMAP_BITS; child++)
			if (bitmap_test(&bitmap[i], child))
				cells.text[child] = '1';
		printf("%s\n\"%s\"", i ? "," : "", cells.text);
	}
	printf("]");
}

static void print_gib(const struct zone *z, pfn_t first)
{
	const struct gib *g = zone_gib(z, first);
	struct cells cells;

	gib_cells(&cells, z, first);
	printf(",\n\"gib\":{\"pfn\":%llu,\"cells\":\"%s\"", ULL(first), cells.text);
	print_bitmaps(gibs_test(z, GIBS_KNOWN, gib_of(first)) ? g->index : NULL, BITMAP_SHIFT);
	printf("}");
}

static char shelf_cell(const struct zone *z, pfn_t gib)
{
	if (gibs_test(z, GIBS_FREE, gib))
		return 'f';
	if (gibs_test(z, GIBS_OPEN, gib))
		return 'o';
	if (gibs_test(z, GIBS_HEAD, gib))
		return 'h';
	return gibs_test(z, GIBS_EXIST, gib) ? 'r' : '-';
}

static void print_shelf(const struct zone *z, pfn_t first)
{
	struct cells cells;

	for (unsigned int i = 0; i < BITMAP_BITS; i++)
		fill_cells(&cells, i, 1, shelf_cell(z, gib_of(first) + i));
	printf(",\n\"shelf\":{\"pfn\":%llu,\"cells\":\"%s\"", ULL(first), cells.text);
	print_bitmaps(z->shelf[first >> SHELF_ORDER]->set, 2 * BITMAP_SHIFT);
	printf("}");
}

/* The allocations that are held. */

static void print_allocations(const struct session *s)
{
	uint32_t number = s->newest;

	printf(",\n\"held\":%u,\"allocations\":[", s->nr_held);
	for (unsigned int i = 1; i < SHOWN_ALLOCATIONS && number && s->made[number].before; i++)
		number = s->made[number].before;
	for (const char *comma = ""; number; number = s->made[number].after, comma = ",") {
		const struct allocation *a = &s->made[number];

		printf("%s\n{\"number\":%u,\"pfn\":%llu,\"order\":%u,\"cpu\":%u,\"hint\":%s}",
		       comma, number, ULL(a->pfn), a->order, a->cpu, a->hint ? "true" : "false");
	}
	printf("]");
}

/* Returns the first free frame from 1 MiB on; if there is none, the first that is RAM. */
static pfn_t any_frame(void)
{
	pfn_t pfn = MIB_FRAMES, end;
	pfn_t lowest = PFN_NONE;

	if (next_free_range(&pfn, &end))
		return pfn;
	for_each_populated_zone(z)
		if (z->start_pfn < lowest)
			lowest = z->start_pfn;
	return lowest;
}

void state_print(const struct session *s, pfn_t at)
{
	const struct zone *z;

	if (at >= MM_MAX_PFN || !pfn_valid(at))
		at = s->result.pfn != PFN_NONE ? s->result.pfn : any_frame();
	z = pfn_zone(at);
	printf("{\"steps\":%u,\"step\":\"%s\"", s->nr_steps, s->text);
	print_result(&s->result);
	printf(",\n\"story\":");
	story_print(s);
	printf(",\n\"at\":%llu", ULL(at));
	print_zones();
	printf(",\n\"cpus\":[");
	for (unsigned int cpu = 0; cpu < WORK_CPUS; cpu++) {
		printf(cpu ? ",\n" : "\n");
		print_cpu(cpu);
	}
	printf("]");
	print_block(z, run_start(at, BLOCK_ORDER));
	print_gib(z, run_start(at, GIB_ORDER));
	print_shelf(z, run_start(at, SHELF_ORDER));
	print_allocations(s);
	printf("}\n");
}
