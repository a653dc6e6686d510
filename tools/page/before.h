/*
 * before.h: the allocator's state just before the last step, for story.c to compare with that
 * afterwards. Of a gib it has the bitmaps over blocks, not those of the blocks: on a large machine
 * these are gigabytes.
 */
#ifndef TOOLS_PAGE_BEFORE_H
#define TOOLS_PAGE_BEFORE_H

#include "mm/cache.h"
#include "mm/shelf.h"
#include "tools/page/work_parts.h"

/* What a zone had. */
struct zone_before {
	const struct zone *zone;
	uint64_t nr_free, cached;
	pfn_t idle[2], unmovable;
	bool spilled;
};

/* Notes the state; it is called once before before_forget(). Panics when there is no memory. */
void before_note(void);

/* Frees what before_note() has allocated, if it was called. */
void before_forget(void);

/* Returns what a zone had. */
const struct zone_before *before_zone(const struct zone *z);

/* Returns whether a gib was in a set: GIBS_FREE, say. */
bool before_test(const struct zone *z, unsigned int set, pfn_t gib);

/* Returns a gib's bitmaps; all are empty if its struct gib was not written. block[] is not there.
 */
const struct gib *before_gib(const struct zone *z, pfn_t gib);

/* Returns all that the allocator had of a CPU. */
const struct cpu_caches *before_cpu(unsigned int cpu);

/* A cache as it was, and as it is now. */
struct cache_pair {
	unsigned int cpu, number; /* see cache_number() */
	const struct frame_cache *was;
	struct frame_cache *is;
};

struct cache_pair cache_pair(unsigned int cpu, unsigned int number);

/* Return whether the stack of the cache had the run that begins at pfn, or has it now. */
bool was_in_pages(const struct cache_pair *p, pfn_t pfn);
bool was_in_out(const struct cache_pair *p, pfn_t pfn);
bool is_in_pages(const struct cache_pair *p, pfn_t pfn);
bool is_in_out(const struct cache_pair *p, pfn_t pfn);

/* Returns how many runs a cache holds more than before. */
int64_t grown_by(const struct cache_pair *p);

#endif
