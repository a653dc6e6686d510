#include <string.h>

#include "lib/format.h"
#include "tools/page/before.h"
#include "tools/page/story.h"

#define MAX_EACH 2 /* changes of one kind of which each has its sentence; more are summed up */

/* A change to a block or a gib; of bounds, those from `from` to `to`. */
struct change {
	const struct zone *zone;
	pfn_t pfn;
	unsigned int from, to;
};

/* The changes of one kind. */
struct changes {
	uint64_t nr;
	struct change first[MAX_EACH];
};

static void add_change(struct changes *c, const struct zone *z, pfn_t pfn, unsigned int from,
		       unsigned int to)
{
	if (c->nr < MAX_EACH)
		c->first[c->nr] = (struct change){ z, pfn, from, to };
	c->nr++;
}

/* Runs the body for each change that has a sentence of its own, if all have. */
#define for_each_change(at, changes)                     \
	for (const struct change *at = (changes)->first; \
	     (changes)->nr <= MAX_EACH && at < (changes)->first + (changes)->nr; at++)

/* Where a block or gib was, or is: in which of its parent's sets. */
enum place { OTHER, WHOLE, OPEN };

static enum place gib_place(const struct zone *z, pfn_t gib)
{
	return gibs_test(z, GIBS_FREE, gib) ? WHOLE : gibs_test(z, GIBS_OPEN, gib) ? OPEN : OTHER;
}

static enum place gib_place_before(const struct zone *z, pfn_t gib)
{
	return before_test(z, GIBS_FREE, gib)   ? WHOLE
	       : before_test(z, GIBS_OPEN, gib) ? OPEN
						: OTHER;
}

/* Returns where a block is in a gib with these bitmaps, which is in that place itself. */
static enum place block_place(const struct gib *g, enum place gib, unsigned int block)
{
	if (gib != OPEN)
		return gib;
	return bitmap_test(&g->free, block) ? WHOLE : bitmap_test(&g->open, block) ? OPEN : OTHER;
}

/* Returns the place of the block, or gib, that begins at pfn. */
static enum place place_at(const struct zone *z, pfn_t pfn, unsigned int level)
{
	enum place place = gib_place(z, gib_of(pfn));

	return level ? place : block_place(gib_at(z, gib_of(pfn)), place, block_of(pfn));
}

/* Blocks and gibs that opened or closed. */

static struct {
	struct changes gibs_opened, gibs_closed, opened, closed, written;
	uint64_t cleaned; /* blocks of those that opened whose descriptors were zeroed now */
} seen;

/* Notes what became of a gib's blocks. */
static void compare_blocks(const struct zone *z, pfn_t gib)
{
	const struct gib *was = before_gib(z, gib), *is = gib_at(z, gib);
	enum place place = gib_place(z, gib), place_before = gib_place_before(z, gib);

	for (unsigned int i = 0; i < BITMAP_BITS; i++) {
		enum place old = block_place(was, place_before, i);
		enum place new = block_place(is, place, i);
		bool cleaned = bitmap_test(&is->clean, i) && !bitmap_test(&was->clean, i);
		pfn_t pfn = gib_pfn(gib) + i * BLOCK_FRAMES;

		if (old != OPEN && new == OPEN) {
			add_change(&seen.opened, z, pfn, old == WHOLE, cleaned);
			seen.cleaned += cleaned;
		} else if (old == OPEN && new == WHOLE) {
			add_change(&seen.closed, z, pfn, 0, 0);
		}
	}
}

static void compare_gib(const struct zone *z, pfn_t gib)
{
	enum place old = gib_place_before(z, gib), new = gib_place(z, gib);
	bool known = gibs_test(z, GIBS_KNOWN, gib);

	if (old == WHOLE && new == OPEN)
		add_change(&seen.gibs_opened, z, gib_pfn(gib),
			   known && !before_test(z, GIBS_KNOWN, gib), 0);
	if (old == OPEN && new == WHOLE)
		add_change(&seen.gibs_closed, z, gib_pfn(gib), 0, 0);
	if (known)
		compare_blocks(z, gib);
}

/* Returns the highest order for which the index has a block: -1 if it has none. */
static int highest_bound(const struct bitmap *index, unsigned int block)
{
	int k = -1;

	while (k + 1 < (int)BITMAP_SHIFT && bitmap_test(&index[k + 1], block))
		k++;
	return k;
}

static void say_opened(const struct change *c)
{
	const struct gib *g = gib_at(c->zone, gib_of(c->pfn));
	unsigned int block = block_of(c->pfn);
	int bound = highest_bound(g->index, block);

	say("The block at 0x%llx %s. It is open now (buddy_open_block()): its bit in the gib's "
	    "`free` is clear, that in `open` is set%s.",
	    ULL(c->pfn), c->from ? "was whole" : "had no bitmap of its own",
	    c->to ? ", and its 512 descriptors were zeroed (`clean`)"
		  : "; its descriptors had been zeroed before (`clean`)");
	if (bound >= 0)
		say("The bound of the block at 0x%llx is order %d: index[0] to index[%d] hold it.",
		    ULL(c->pfn), bound, bound);
}

static void say_blocks(void)
{
	const struct changes *o = &seen.opened, *c = &seen.closed;

	for_each_change(change, o) say_opened(change);
	if (o->nr > MAX_EACH)
		say("%llu blocks opened, the lowest at 0x%llx; the descriptors of %llu of them "
		    "were zeroed for that (`clean`).",
		    ULL(o->nr), ULL(o->first[0].pfn), ULL(seen.cleaned));
	for_each_change(change, c)
	    say("The block at 0x%llx closed (close_bitmap()): all of it is free, its bit in "
		"the gib's `open` is clear, and %s.",
		ULL(change->pfn),
		gibs_test(change->zone, GIBS_FREE, gib_of(change->pfn))
		    ? "the gib closed as well"
		    : "that in `free` is set: it is whole");
	if (c->nr > MAX_EACH)
		say("%llu blocks closed and are whole, the lowest at 0x%llx.", ULL(c->nr),
		    ULL(c->first[0].pfn));
}

static void say_gibs(void)
{
	const struct changes *o = &seen.gibs_opened, *c = &seen.gibs_closed;

	for_each_change(change, o)
	    say("The gib at 0x%llx was whole. It is open now (buddy_open_gib()): a bitmap says "
		"which of its 512 blocks are whole%s.",
		ULL(change->pfn),
		change->from ? ", and its struct gib was written for the first time" : "");
	if (o->nr > MAX_EACH)
		say("%llu gibs opened, the lowest at 0x%llx.", ULL(o->nr), ULL(o->first[0].pfn));
	for_each_change(change, c)
	    say("The gib at 0x%llx closed (close_bitmap()): all of its blocks were whole, and "
		"it is whole now.",
		ULL(change->pfn));
	if (c->nr > MAX_EACH)
		say("%llu gibs closed and are whole, the lowest at 0x%llx.", ULL(c->nr),
		    ULL(c->first[0].pfn));
}

/* Says which block, or gib, is the idle one of a zone now, and what became of the one before. */
static void say_idle(const struct zone *z, unsigned int level)
{
	static const char *const names[] = { "block", "gib" }, *const children[] = { "frames",
										     "blocks" };
	pfn_t was = before_zone(z)->idle[level], is = z->idle[level];

	if (was == is)
		return;
	if (is == PFN_NONE) {
		say("idle[%u] of %s names no %s any more: it was the one at 0x%llx "
		    "(close_idle()).",
		    level, zone_words(z).text, names[level], ULL(was));
		return;
	}
	say("All %s of the %s at 0x%llx became free: it is full, and stays open as idle[%u] of "
	    "%s.",
	    children[level], names[level], ULL(is), level, zone_words(z).text);
	if (was != PFN_NONE)
		say("The %s that was idle[%u] before, at 0x%llx, %s.", names[level], level,
		    ULL(was),
		    place_at(z, was, level) == WHOLE ? "was full, too: it closed"
						     : "was not full any more");
}

static void say_unmovable(const struct zone *z)
{
	pfn_t was = before_zone(z)->unmovable, is = z->unmovable;

	if (was == is)
		return;
	if (is != PFN_NONE)
		say("The block at 0x%llx, the highest whole one, is the unmovable block of %s now "
		    "(open_unmovable()): the index does not hold it.",
		    ULL(is), zone_words(z).text);
	if (was != PFN_NONE)
		say("The block that was unmovable before, at 0x%llx, %s.", ULL(was),
		    place_at(z, was, 0) == OPEN
			? "is one for all requests again (release_unmovable())"
			: "was full: close_bitmap() closed it");
}

void say_bits(void)
{
	memset(&seen, 0, sizeof(seen));
	for_each_zone(z)
		for_each_gib(z, gib)
			compare_gib(z, gib);
	say_gibs();
	say_blocks();
	for_each_zone(z) {
		for (unsigned int level = 0; level < 2; level++)
			say_idle(z, level);
		say_unmovable(z);
	}
}

/* Bounds: which blocks the index of a gib holds, and which gibs that of a shelf. */

static struct {
	bool reasons;
	struct changes lowered, raised, gibs_lowered, gibs_raised;
} bounds;

/* Notes how the bound of a block or gib changed: from the order `old` to `new`; -1: none. */
static void compare_bounds(const struct zone *z, pfn_t pfn, int old, int new,
			   struct changes *lowered, struct changes *raised)
{
	if (new < old)
		add_change(lowered, z, pfn, (unsigned int)(new + 1), (unsigned int)old);
	else if (new > old)
		add_change(raised, z, pfn, (unsigned int)(old + 1), (unsigned int)new);
}

/* Compares the bounds of those blocks that were open and still are, for all requests. */
static void compare_block_bounds(const struct zone *z, pfn_t gib)
{
	const struct gib *was = before_gib(z, gib), *is = gib_at(z, gib);

	for (unsigned int i = 0; i < BITMAP_BITS; i++) {
		pfn_t pfn = gib_pfn(gib) + i * BLOCK_FRAMES;

		if (bitmap_test(&is->open, i) && bitmap_test(&was->open, i) && pfn != z->unmovable)
			compare_bounds(z, pfn, highest_bound(was->index, i),
				       highest_bound(is->index, i), &bounds.lowered,
				       &bounds.raised);
	}
}

/* Returns the highest order from 9 on for which the index holds a gib; 8 if it does not. */
static int gib_bound(const struct zone *z, pfn_t gib, bool now)
{
	unsigned int k = BLOCK_ORDER;

	while (k < GIB_ORDER &&
	       (now ? gibs_test(z, GIBS_INDEX(k), gib) : before_test(z, GIBS_INDEX(k), gib)))
		k++;
	return (int)k - 1;
}

static void compare_all_bounds(const struct zone *z, pfn_t gib)
{
	if (gib_place(z, gib) != OPEN || gib_place_before(z, gib) != OPEN)
		return;
	compare_block_bounds(z, gib);
	compare_bounds(z, gib_pfn(gib), gib_bound(z, gib, false), gib_bound(z, gib, true),
		       &bounds.gibs_lowered, &bounds.gibs_raised);
}

/* Returns "index[3]", or "index[3] to index[8]". */
static struct words index_words(const struct change *c)
{
	struct words w = { .text = "" };

	if (c->from == c->to)
		fmt_snprintf(w.text, sizeof(w.text), "index[%u]", c->from);
	else
		fmt_snprintf(w.text, sizeof(w.text), "index[%u] to index[%u]", c->from, c->to);
	return w;
}

/* After several operations a bound may have fallen and risen for several reasons. */
static void say_lowered(const struct change *c)
{
	const struct gib *g = gib_at(c->zone, gib_of(c->pfn));

	if (!bounds.reasons)
		say("The bound of the block at 0x%llx was lowered: it is off %s now.", ULL(c->pfn),
		    index_words(c).text);
	else if (bitmap_empty(&g->block[block_of(c->pfn)]))
		say("All bits of the block at 0x%llx are clear: buddy_lower() took it off %s.",
		    ULL(c->pfn), index_words(c).text);
	else
		say("buddy_lower() took the block at 0x%llx off %s: a search found no run of %s "
		    "there (the bound was stale).",
		    ULL(c->pfn), index_words(c).text, count_words(1ull << c->from, "frame").text);
}

static void say_gib_lowered(const struct change *c)
{
	const struct gib *g = gib_at(c->zone, gib_of(c->pfn));

	if (!bounds.reasons)
		say("The bound of the gib at 0x%llx was lowered: it is off the shelf's %s now.",
		    ULL(c->pfn), index_words(c).text);
	else if (bitmap_empty(&g->free))
		say("No block of the gib at 0x%llx is whole: buddy_lower() took it off the shelf's "
		    "%s.",
		    ULL(c->pfn), index_words(c).text);
	else
		say("buddy_lower() took the gib at 0x%llx off the shelf's %s: a search found no "
		    "run of %s there (the bound was stale).",
		    ULL(c->pfn), index_words(c).text,
		    count_words(1ull << (c->from - BLOCK_ORDER), "whole block").text);
}

/* Sums up changes that are too many for a sentence each. */
static void say_many_bounds(const struct changes *c, const char *what, const char *how)
{
	if (c->nr > MAX_EACH)
		say("The bounds of %llu %s %s, the lowest at 0x%llx.", ULL(c->nr), what, how,
		    ULL(c->first[0].pfn));
}

void say_bounds(bool single)
{
	memset(&bounds, 0, sizeof(bounds));
	bounds.reasons = single;
	for_each_zone(z)
		for_each_gib(z, gib)
			compare_all_bounds(z, gib);
	for_each_change(c, &bounds.lowered) say_lowered(c);
	for_each_change(c, &bounds.raised)
	    say("The bound of the block at 0x%llx rose to order %u: raise_bounds() put it on "
		"%s.",
		ULL(c->pfn), c->to, index_words(c).text);
	for_each_change(c, &bounds.gibs_lowered) say_gib_lowered(c);
	for_each_change(c, &bounds.gibs_raised)
	    say("The bound of the gib at 0x%llx rose to order %u: raise_gib_bounds() put it on "
		"the shelf's %s.",
		ULL(c->pfn), c->to, index_words(c).text);
	say_many_bounds(&bounds.lowered, "blocks", "were lowered");
	say_many_bounds(&bounds.raised, "blocks", "were raised");
	say_many_bounds(&bounds.gibs_lowered, "gibs", "were lowered");
	say_many_bounds(&bounds.gibs_raised, "gibs", "were raised");
}

/* The CPUs' tables. */

static const char *const gfp_names[GFP_ZONE_BITS + 1] = {
	[0] = "any memory",
	[__GFP_DMA] = "memory below 16 MiB",
	[__GFP_DMA32] = "memory below 4 GiB",
};

/* Says that an entry of for_gfp[] names another cache. */
static void say_entry(unsigned int cpu, unsigned int bits, const struct frame_cache *is)
{
	const char *what = gfp_names[bits];

	if (is == &no_cache)
		say("CPU %u takes no more frames for requests of %s from the cache that served "
		    "them: for_gfp[%u] names none now (withhold_entry()).",
		    cpu, what, bits);
	else
		say("CPU %u looks into its %s of %s first for requests of %s now: for_gfp[%u] was "
		    "set by cache_refill().",
		    cpu, is == &frame_caches[cpu]->away.cache ? "cache away" : "frame cache",
		    zone_words(is->zone).text, what, bits);
}

/* Returns how many entries of for_order[] name a cache in one of two tables and not in the other.
 */
static unsigned int count_orders(const struct cache_table *with, const struct cache_table *without)
{
	unsigned int nr = 0;

	for (unsigned int k = 1; k < CACHE_ORDERS; k++)
		nr += with->for_order[k] != &no_cache && without->for_order[k] == &no_cache;
	return nr;
}

static void say_table(unsigned int cpu)
{
	const struct cache_table *was = &before_cpu(cpu)->table, *is = &frame_caches[cpu]->table;
	const struct zone *away = frame_caches[cpu]->away.cache.zone;

	if (before_cpu(cpu)->away.cache.zone != away)
		say("The cache away of CPU %u belongs to %s now (send_away()).", cpu,
		    zone_words(away).text);
	for (unsigned int bits = 0; bits <= GFP_ZONE_BITS; bits++)
		if (gfp_names[bits] && was->for_gfp[bits] != is->for_gfp[bits])
			say_entry(cpu, bits, is->for_gfp[bits]);
	if (count_orders(was, is))
		say("On CPU %u for_order[] names no cache any more for %s: %s has no more than its "
		    "reserve (cache_withhold()).",
		    cpu, count_words(count_orders(was, is), "order").text,
		    zone_words(is->asked).text);
	if (count_orders(is, was))
		say("On CPU %u for_order[] names the cache again for %s.", cpu,
		    count_words(count_orders(is, was), "order").text);
}

void say_tables(void)
{
	for_each_zone(z)
		if (z->spilled && !before_zone(z)->spilled)
			say("The flag `spilled` of %s is set (spill()): it has nothing to spare, and "
			    "when it is given memory again, the use of the caches away ends.",
			    zone_words(z).text);
	for (unsigned int cpu = 0; cpu < WORK_CPUS; cpu++)
		say_table(cpu);
}
