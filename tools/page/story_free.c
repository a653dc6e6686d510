#include "lib/format.h"
#include "tools/page/before.h"
#include "tools/page/story.h"

/* Returns the order of the largest free run around a frame; -1: it is not free in the bits. */
static int free_order(const struct zone *z, pfn_t pfn)
{
	const struct gib *g = zone_gib(z, pfn);
	unsigned int block = block_of(pfn);

	if (gibs_test(z, GIBS_FREE, gib_of(pfn)))
		return GIB_ORDER;
	if (!gibs_test(z, GIBS_OPEN, gib_of(pfn)))
		return -1;
	if (bitmap_test(&g->free, block))
		return (int)(BLOCK_ORDER + bitmap_run_order(&g->free, block));
	if (!bitmap_test(&g->open, block) || !bitmap_test(&g->block[block], frame_of(pfn)))
		return -1;
	return (int)bitmap_run_order(&g->block[block], frame_of(pfn));
}

/* Finds the cache of the step's CPU that has the run now, and the stack: *pages* or *out*. */
static bool find_target(const struct result *r, struct cache_pair *p, bool *out)
{
	for_each_cache(i) {
		*p = cache_pair(r->cpu, i);
		if (p->is->order != r->order)
			continue;
		*out = is_in_out(p, r->pfn);
		if (*out || is_in_pages(p, r->pfn))
			return true;
	}
	return false;
}

/* Returns the function that put the run into the cache; full: after it had to drain the stack. */
static const char *push_function(const struct cache_pair *p, bool out, bool full)
{
	const struct cache_table *table = &before_cpu(p->cpu)->table;
	unsigned int order = p->is->order;
	bool own =
	    order ? table->for_order[order] == p->is : table->of_type[p->is->zone->type] == p->is;

	if (full)
		return "cache_free()";
	if (out)
		return own ? "cache_push_out(), no lock" : "cache_free(), no lock";
	if (!order && table->for_gfp[GFP_KERNEL] == p->is)
		own = true;
	return own ? "cache_push(), no lock" : "cache_free(), no lock";
}

/* Says that the run went into a frame cache, and what it found there. */
static void say_pushed(const struct result *r, const struct cache_pair *p, bool out)
{
	uint64_t was = out ? p->was->nr_out : p->was->count;
	uint64_t is = out ? p->is->nr_out : p->is->count;
	uint64_t limit = out ? p->is->out_limit : p->is->limit;
	bool full = is <= was;

	say("CPU %u freed %s into %s%s: %s.", r->cpu, run_words(r->pfn, r->order).text,
	    cache_words(p).text, out ? ", stack `out`" : "", push_function(p, out, full));
	if (out)
		say("It lies at or above keep_below, 0x%llx, so it went to the stack `out`: lower "
		    "memory is to be used first.",
		    ULL(CACHE_END_PFN(p->is->keep_below)));
	if (full)
		say("The stack was full, at its limit of %llu, so drain_batch() returned %s from "
		    "its top to the bits first.",
		    ULL(limit), count_words(was + 1 - is, noun(r->order)).text);
	else
		say("The stack holds %s now, of at most %llu%s.",
		    count_words(is, noun(r->order)).text, ULL(limit),
		    out ? "" : "; the next request takes what is on top");
}

/* Says why no frame cache has the run. */
static void say_not_pushed(const struct result *r, const struct zone *z)
{
	const struct frame_cache *cache;

	if (r->order >= CACHE_ORDERS)
		return;
	cache = cache_of_zone(r->cpu, z, r->order);
	if (cache == &no_cache)
		say("CPU %u has no frame cache of order %u for %s.", r->cpu, r->order,
		    zone_words(z).text);
	else if (!cache->limit)
		say("The frame cache of order %u for %s may hold nothing: its limit is 0.",
		    r->order, zone_words(z).text);
	else if (CACHE_PLACE(pfn_to_page(r->pfn)) >= cache->keep_below && !cache->out_limit)
		say("It lies at or above keep_below of the frame cache, 0x%llx, and the stack "
		    "`out` of that may hold nothing.",
		    ULL(CACHE_END_PFN(cache->keep_below)));
}

/* Says that the run went to the bits, and what it was merged with. */
static void say_put(const struct result *r, const struct zone *z)
{
	struct words run = run_words(r->pfn, r->order), zone = zone_words(z);

	if (r->order == GIB_ORDER)
		say("CPU %u freed the gib at 0x%llx to the bits of %s: free_blocks() took "
		    "zone->lock and moved its bit in the shelf from GIBS_HEAD to GIBS_FREE.",
		    r->cpu, ULL(r->pfn), zone.text);
	else if (r->order > BLOCK_ORDER)
		say("CPU %u freed %s to the bits of %s: free_large() took zone->lock and cleared "
		    "the bit in `head`, and buddy_put_blocks() set the bits of %llu blocks in "
		    "`free` of the gib at 0x%llx.",
		    r->cpu, run.text, zone.text, 1ull << (r->order - BLOCK_ORDER),
		    ULL(run_start(r->pfn, GIB_ORDER)));
	else if (r->order == BLOCK_ORDER)
		say("CPU %u freed the block at 0x%llx to the bits of %s: free_large() took "
		    "zone->lock and cleared its bit in `head` of the gib at 0x%llx, and "
		    "buddy_put_blocks() set that in `free`.",
		    r->cpu, ULL(r->pfn), zone.text, ULL(run_start(r->pfn, GIB_ORDER)));
	else
		say("CPU %u freed %s to the bits of %s: buddy_put_frames() set %s in the block at "
		    "0x%llx, %s.",
		    r->cpu, run.text, zone.text, count_words(1ull << r->order, "bit").text,
		    ULL(run_start(r->pfn, BLOCK_ORDER)),
		    r->holds > 1 ? "and settle() took zone->lock"
				 : "without the lock, because the block stays open");
}

void say_free(const struct session *s)
{
	const struct result *r = &s->result;
	const struct zone *z = pfn_zone(r->pfn);
	struct cache_pair p;
	bool out;
	int order;

	if (find_target(r, &p, &out)) {
		say_pushed(r, &p, out);
		return;
	}
	say_put(r, z);
	say_not_pushed(r, z);
	order = free_order(z, r->pfn);
	if (order > (int)r->order)
		say("Merged: the free run around it has order %d now.", order);
}
