#include "lib/format.h"
#include "mm/page_state.h"
#include "tools/page/before.h"
#include "tools/page/story.h"

/* Says of each cache but one that has fewer runs than before that they went back to the bits. */
static void say_drained(const struct cache_pair *but)
{
	for (unsigned int cpu = 0; cpu < WORK_CPUS; cpu++)
		for_each_cache(i) {
			struct cache_pair p = cache_pair(cpu, i);

			if (grown_by(&p) < 0 && p.is != but->is)
				say("CPU %u returned %s from %s to the bits (drain_batch()).", cpu,
				    count_words((uint64_t)-grown_by(&p), noun(p.is->order)).text,
				    cache_words(&p).text);
		}
}

/* Returns the node that requests of the step ask first. */
static int asked_node(const struct step *step)
{
	bool known = step->node != NUMA_NO_NODE && node_online(step->node);

	return known ? step->node : cpu_homes[step->cpu];
}

/* Returns whether the step names another node than the home of its CPU. */
static bool is_far(const struct step *step)
{
	return asked_node(step) != cpu_homes[step->cpu];
}

/* Returns the zone that requests of the step ask first, of those with memory to hand out. */
static const struct zone *asked_zone(const struct step *step)
{
	struct fallback f = fallback_of(asked_node(step), step->gfp);
	const struct zone *z;

	while ((z = fallback_next(&f)))
		if (z->managed)
			return z;
	return &no_zone;
}

/*
 * Returns whether a cache that was refilled for the request of one run, and has no run more than
 * before, must have been: the request asks it, and it is refilled when the zone has memory.
 */
static bool brought_one(const struct session *s, const struct cache_pair *p)
{
	const struct step *step = &s->step;
	const struct zone *z = p->is->zone;
	const struct zone *first = before_cpu(s->result.cpu)->table.first;
	uint64_t keep = zone_keep(z, step->gfp), nr_free = before_zone(z)->nr_free;

	if (step->hint || is_far(step) != (p->number == CACHE_AWAY) || nr_free <= keep)
		return false;
	if (!step->order)
		return p->was->limit;
	if (z != asked_zone(step) || s->result.holds != 1)
		return false;
	return !step->gfp && first != &no_zone ? cache_takes_batches(p->was) : p->was->limit;
}

enum source { FROM_BITS, FROM_CACHE, FROM_REFILL };

/* Finds where the run came from; *p is the cache that had it, or that was refilled with it. */
static enum source find_source(const struct session *s, struct cache_pair *p)
{
	const struct result *r = &s->result;
	const struct zone *z = pfn_zone(r->pfn);

	for_each_cache(i) {
		*p = cache_pair(r->cpu, i);
		if (p->is->order != r->order)
			continue;
		if (was_in_pages(p, r->pfn) || was_in_out(p, r->pfn))
			return FROM_CACHE;
		if (p->is->zone == z && p->was->zone == z &&
		    (grown_by(p) > 0 || (!grown_by(p) && brought_one(s, p))))
			return FROM_REFILL;
		if (p->is->zone == z && p->was->zone != z && p->is->count)
			return FROM_REFILL;
	}
	return FROM_BITS;
}

/* Returns whether a table sends the step's request to this cache. */
static bool table_names(const struct cache_table *table, const struct step *step,
			const struct frame_cache *cache)
{
	return table->for_gfp[step->gfp & GFP_ZONE_BITS] == cache;
}

/* Returns whether it is known that cache_pop() took the run out of a cache that had it. */
static bool is_popped(const struct session *s, const struct cache_pair *p)
{
	const struct step *step = &s->step;
	unsigned int cpu = s->result.cpu;

	if (step->hint || !was_in_pages(p, s->result.pfn))
		return false;
	return step->order || is_far(step) || table_names(&before_cpu(cpu)->table, step, p->is) ||
	       table_names(&frame_caches[cpu]->table, step, p->is);
}

/* Says that the run was in a cache already. */
static void say_cached(const struct session *s, const struct cache_pair *p)
{
	const struct result *r = &s->result;
	struct words run = run_words(r->pfn, r->order), cache = cache_words(p);

	if (is_popped(s, p))
		say("CPU %u took %s from %s: cache_pop()%s.", r->cpu, run.text, cache.text,
		    r->holds ? "" : ", no lock");
	else if (was_in_out(p, r->pfn))
		say("The bits had nothing for the request. CPU %u took %s from the stack `out` of "
		    "%s: cache_take_last().",
		    r->cpu, run.text, cache.text);
	else
		say("The bits had nothing for the request. CPU %u took %s from %s.", r->cpu,
		    run.text, cache.text);
}

/* Counts the blocks in which the runs of a refill lie, and finds the lowest run of it. */
static unsigned int blocks_of_refill(const struct cache_pair *p, pfn_t taken, pfn_t *lowest)
{
	pfn_t block = run_start(taken, BLOCK_ORDER);
	unsigned int nr = 1;

	*lowest = taken;
	for (uint64_t i = p->is->count; i--;) {
		pfn_t pfn = page_to_pfn(cache_pages(p->is)[i]);

		if (was_in_pages(p, pfn))
			continue;
		nr += run_start(pfn, BLOCK_ORDER) != block;
		block = run_start(pfn, BLOCK_ORDER);
		*lowest = pfn < *lowest ? pfn : *lowest;
	}
	return nr;
}

/* Says what a refill brought, and where its function cleared the bits. */
static void say_brought(const struct session *s, const struct cache_pair *p)
{
	const struct result *r = &s->result;
	uint64_t had = p->was->zone == p->is->zone ? p->was->count : 0;
	uint64_t brought = p->is->count + 1 - had;
	struct words state = { "empty" }, where;
	pfn_t lowest;
	unsigned int blocks = blocks_of_refill(p, r->pfn, &lowest);

	if (had)
		fmt_snprintf(state.text, sizeof(state.text), "down to %s",
			     count_words(had, noun(r->order)).text);
	if (r->order == BLOCK_ORDER)
		fmt_snprintf(where.text, sizeof(where.text),
			     "cleared their bits in `free` and set them in `head`");
	else if (blocks == 1)
		fmt_snprintf(where.text, sizeof(where.text), "cleared them in the block at 0x%llx",
			     ULL(run_start(r->pfn, BLOCK_ORDER)));
	else
		fmt_snprintf(where.text, sizeof(where.text),
			     "cleared them in %u blocks, the lowest at 0x%llx", blocks,
			     ULL(run_start(lowest, BLOCK_ORDER)));
	say("That cache was %s, so %s took zone->lock%s and %s from the bits: %s %s%s.", state.text,
	    r->order           ? "refill_runs()"
	    : is_far(&s->step) ? "cache_alloc_away()"
			       : "cache_refill()",
	    r->holds == 1 ? " once" : "", count_words(brought, noun(r->order)).text,
	    r->order ? "buddy_take_runs()" : "buddy_take_words()", where.text,
	    lowest == r->pfn && brought > 1 ? "; the lowest of them is handed out first" : "");
}

/* Says that keep_below of a cache was set. */
static void say_keep_below(const struct cache_pair *p)
{
	if (p->is->keep_below != p->was->keep_below)
		say("keep_below of that cache is 0x%llx now: what is freed at or above it goes to "
		    "the stack `out`.",
		    ULL(CACHE_END_PFN(p->is->keep_below)));
}

/* Says that a cache was refilled for the request. */
static void say_refilled(const struct session *s, const struct cache_pair *p)
{
	const struct result *r = &s->result;

	say("CPU %u took %s from %s: cache_pop().", r->cpu, run_words(r->pfn, r->order).text,
	    cache_words(p).text);
	say_brought(s, p);
	say_keep_below(p);
}

/* Says that a cache may hold so little that it is not refilled. */
static void say_too_few(const struct frame_cache *cache)
{
	say("The frame cache of order %u may hold only %s: too few for a refill.", cache->order,
	    count_words(cache->limit, "run").text);
	if (cache->keep_below != CACHE_END_ALL)
		say("The end of what it keeps, keep_below, is 0x%llx.",
		    ULL(CACHE_END_PFN(cache->keep_below)));
}

/* Says why no frame cache has served the request, where that is known. */
static void say_uncached(const struct session *s, const struct zone *z)
{
	const struct step *step = &s->step;
	const struct frame_cache *cache;

	if (step->order >= CACHE_ORDERS || step->hint)
		return;
	cache = cache_of_zone(s->result.cpu, z, step->order);
	if (is_far(step) && step->order)
		say("Requests to another node than that of the CPU use a frame cache for order 0 "
		    "only.");
	else if (cache == &no_cache)
		say("CPU %u has no frame cache of order %u for %s.", s->result.cpu, step->order,
		    zone_words(z).text);
	else if (!cache->limit)
		say("The frame cache of order %u for %s may hold nothing: its limit is 0.",
		    step->order, zone_words(z).text);
	else if (!step->gfp && before_cpu(s->result.cpu)->table.first == z &&
		 !cache_takes_batches(cache))
		say_too_few(cache);
}

/* Says that the run came straight from the bits. */
static void say_taken(const struct session *s, const struct zone *z, bool unmovable)
{
	const struct result *r = &s->result;
	struct words run = run_words(r->pfn, r->order), zone = zone_words(z);

	if (r->order == GIB_ORDER)
		say("CPU %u took the gib at 0x%llx from the bits of %s: take_gib_head() moved its "
		    "bit in the shelf from GIBS_FREE to GIBS_HEAD.",
		    r->cpu, ULL(r->pfn), zone.text);
	else if (r->order > BLOCK_ORDER)
		say("CPU %u took %s from the bits of %s: buddy_take_run() cleared the bits of %llu "
		    "blocks in `free` of the gib at 0x%llx and set that of the first one in `head`.",
		    r->cpu, run.text, zone.text, 1ull << (r->order - BLOCK_ORDER),
		    ULL(run_start(r->pfn, GIB_ORDER)));
	else if (r->order == BLOCK_ORDER)
		say("CPU %u took the block at 0x%llx from the bits of %s: buddy_take_run() cleared "
		    "its bit in `free` of the gib at 0x%llx and set that in `head`.",
		    r->cpu, ULL(r->pfn), zone.text, ULL(run_start(r->pfn, GIB_ORDER)));
	else
		say("CPU %u took %s from the bits of %s: buddy_take_run() cleared %s in the %s at "
		    "0x%llx.",
		    r->cpu, run.text, zone.text, count_words(1ull << r->order, "bit").text,
		    unmovable ? "unmovable block" : "open block",
		    ULL(run_start(r->pfn, BLOCK_ORDER)));
}

/* Says that the request had to empty frame caches into the bits, if it had. */
static void say_drained_for(const struct session *s)
{
	int64_t here = 0, others = 0;

	for (unsigned int cpu = 0; cpu < WORK_CPUS; cpu++)
		for_each_cache(i) {
			struct cache_pair p = cache_pair(cpu, i);

			*(cpu == s->result.cpu ? &here : &others) += grown_by(&p) < 0;
		}
	if (here + others)
		say("The bits had no run for the request, so frame caches were emptied into them "
		    "first: %s.",
		    others ? "cache_shut(), on all CPUs" : "cache_drain_for(), on this CPU");
}

static void say_from_bits(const struct session *s, const struct zone *z)
{
	const struct result *r = &s->result;
	bool small = r->order < BLOCK_ORDER;
	bool unmovable = s->step.hint && small && z->unmovable == run_start(r->pfn, BLOCK_ORDER);
	struct cache_pair none = { .is = NULL };

	say_drained_for(s);
	say_drained(&none);
	say_taken(s, z, unmovable);
	if (s->step.hint && !small)
		say("__GFP_UNMOVABLE counts for orders below 9 only.");
	else if (s->step.hint && !unmovable)
		say("The hint did nothing: buddy_take_unmovable() found no run in the unmovable "
		    "block of %s, and no whole block to take its place.",
		    zone_words(z).text);
	say_uncached(s, z);
}

void say_alloc(const struct session *s)
{
	const struct zone *z = pfn_zone(s->result.pfn), *asked = asked_zone(&s->step);
	struct cache_pair p;

	switch (find_source(s, &p)) {
	case FROM_CACHE:
		say_cached(s, &p);
		say_drained(&p);
		break;
	case FROM_REFILL:
		say_refilled(s, &p);
		say_drained(&p);
		break;
	case FROM_BITS:
		say_from_bits(s, z);
	}
	if (asked != z)
		say("Such a request asks %s first, which had nothing for it (nr_free was %llu).",
		    zone_words(asked).text, ULL(before_zone(asked)->nr_free));
}

/* Says what a zone has that could not serve a request. */
static void say_left(const struct zone *z, gfp_t gfp)
{
	uint64_t counts[NR_ORDERS], keep = zone_keep(z, gfp);
	unsigned int order = NR_ORDERS;

	zone_free_blocks(z, counts);
	while (order && !counts[order - 1])
		order--;
	if (!order)
		say("Nothing is free in %s.", zone_words(z).text);
	else
		say("In %s nr_free is %llu, and the largest free run has order %u%s.",
		    zone_words(z).text, ULL(z->nr_free), order - 1,
		    keep ? "; it keeps a reserve from such requests (lowmem_reserve)" : "");
}

void say_failed(const struct step *step)
{
	struct fallback f = fallback_of(asked_node(step), step->gfp);
	struct zone *z = fallback_next(&f);

	if (!z) {
		say("alloc_pages() returned NULL: no zone of this machine may serve the request.");
		return;
	}
	say("Memory ran out for order %u: alloc_pages() returned NULL after the frame caches of "
	    "all CPUs were emptied (cache_shut()) and the bits searched once more.",
	    step->order);
	for (; z; z = fallback_next(&f))
		say_left(z, step->gfp);
}
