#include "tools/page/before.h"

#include <stdlib.h>
#include <string.h>

#include "mm/port.h"

/* The sets of one shelf. */
struct shelf_before {
	const struct zone *zone;
	unsigned int shelf;
	struct bitmap set[NR_GIB_SETS];
};

/* The bitmaps of one gib: a struct gib without those of its blocks. */
struct gib_before {
	const struct zone *zone;
	pfn_t gib_nr;
	uint64_t gib[sizeof(struct gib) / sizeof(uint64_t)];
};

/* Zones, shelves and gibs lie in rising order, so whoever asks in that order finds each at once. */
static struct {
	struct cpu_caches cpu[WORK_CPUS];
	struct zone_before *zones;
	struct shelf_before *shelves;
	struct gib_before *gibs;
	uint32_t nr_zones, nr_shelves, nr_gibs;
	uint32_t shelf_at, gib_at; /* the last that was asked for */
} before;

static void note_zone(const struct zone *z)
{
	struct zone_before *b = &before.zones[before.nr_zones++];

	b->zone = z;
	b->nr_free = z->nr_free;
	b->cached = cache_frames(z);
	b->unmovable = z->unmovable;
	b->spilled = z->spilled;
	memcpy(b->idle, z->idle, sizeof(b->idle));
}

static void note_shelf(const struct zone *z, unsigned int i)
{
	struct shelf_before *b = &before.shelves[before.nr_shelves++];

	b->zone = z;
	b->shelf = i;
	memcpy(b->set, z->shelf[i]->set, sizeof(b->set));
}

static void note_gib(const struct zone *z, pfn_t gib)
{
	struct gib_before *b = &before.gibs[before.nr_gibs++];

	b->zone = z;
	b->gib_nr = gib;
	memcpy(b->gib, gib_at(z, gib), sizeof(b->gib));
}

/* Counts what is to be noted, or notes it. */
static void walk(bool note)
{
	uint32_t zones = 0, shelves = 0, gibs = 0;

	for_each_zone(z) {
		zones++;
		if (note)
			note_zone(z);
		for (unsigned int i = 0; i < NR_SHELVES; i++) {
			if (!z->shelf[i])
				continue;
			shelves++;
			if (note)
				note_shelf(z, i);
		}
		for_each_gib(z, gib) {
			if (!gibs_test(z, GIBS_KNOWN, gib))
				continue;
			gibs++;
			if (note)
				note_gib(z, gib);
		}
	}
	if (note)
		return;
	before.zones = malloc((zones + 1) * sizeof(*before.zones));
	before.shelves = malloc((shelves + 1) * sizeof(*before.shelves));
	before.gibs = malloc((gibs + 1) * sizeof(*before.gibs));
	if (!before.zones || !before.shelves || !before.gibs)
		panic("no memory to note the state of %u gibs", gibs);
}

void before_note(void)
{
	for (unsigned int cpu = 0; cpu < WORK_CPUS; cpu++)
		memcpy(&before.cpu[cpu], frame_caches[cpu], sizeof(before.cpu[cpu]));
	walk(false);
	walk(true);
}

void before_forget(void)
{
	free(before.zones);
	free(before.shelves);
	free(before.gibs);
	memset(&before, 0, sizeof(before));
}

const struct zone_before *before_zone(const struct zone *z)
{
	const struct zone_before *b = before.zones;

	while (b->zone != z)
		b++;
	return b;
}

bool before_test(const struct zone *z, unsigned int set, pfn_t gib)
{
	const struct shelf_before *b = &before.shelves[before.shelf_at];

	while (b->zone != z || b->shelf != gib / BITMAP_BITS) {
		before.shelf_at = (before.shelf_at + 1) % before.nr_shelves;
		b = &before.shelves[before.shelf_at];
	}
	return bitmap_test(&b->set[set], gib % BITMAP_BITS);
}

const struct gib *before_gib(const struct zone *z, pfn_t gib)
{
	static const uint64_t unknown[sizeof(struct gib) / sizeof(uint64_t)];
	const struct gib_before *b;

	if (!before_test(z, GIBS_KNOWN, gib))
		return (const struct gib *)unknown;
	for (b = &before.gibs[before.gib_at]; b->zone != z || b->gib_nr != gib;) {
		before.gib_at = (before.gib_at + 1) % before.nr_gibs;
		b = &before.gibs[before.gib_at];
	}
	return (const struct gib *)b->gib;
}

const struct cpu_caches *before_cpu(unsigned int cpu)
{
	return &before.cpu[cpu];
}

static const struct frame_cache *before_cache(unsigned int cpu, unsigned int i)
{
	const struct cpu_caches *caches = before_cpu(cpu);
	const struct zone_caches *home = &caches->home[i / CACHE_ORDERS % CACHE_TYPES];

	if (i == CACHE_AWAY)
		return &caches->away.cache;
	return i % CACHE_ORDERS ? &home->runs[i % CACHE_ORDERS - 1].cache : &home->frames.cache;
}

struct cache_pair cache_pair(unsigned int cpu, unsigned int number)
{
	return (struct cache_pair){ cpu, number, before_cache(cpu, number),
				    cache_number(cpu, number) };
}

/* Returns whether a stack has the run that begins at pfn. */
static bool has_run(struct page *const *stack, uint64_t nr, pfn_t pfn)
{
	while (nr--)
		if (page_to_pfn(stack[nr]) == pfn)
			return true;
	return false;
}

/* Return the stacks of a cache that is not written: cache_pages(), cache_out(). */
static struct page *const *pages_of(const struct frame_cache *cache)
{
	return (struct page *const *)(cache + 1);
}

static struct page *const *out_of(const struct frame_cache *cache)
{
	return pages_of(cache) + (cache->order ? RUNS_MAX : CACHE_MAX);
}

bool was_in_pages(const struct cache_pair *p, pfn_t pfn)
{
	return has_run(pages_of(p->was), p->was->count, pfn);
}

bool was_in_out(const struct cache_pair *p, pfn_t pfn)
{
	return has_run(out_of(p->was), p->was->nr_out, pfn);
}

bool is_in_pages(const struct cache_pair *p, pfn_t pfn)
{
	return has_run(pages_of(p->is), p->is->count, pfn);
}

bool is_in_out(const struct cache_pair *p, pfn_t pfn)
{
	return has_run(out_of(p->is), p->is->nr_out, pfn);
}

int64_t grown_by(const struct cache_pair *p)
{
	return (int64_t)(p->is->count + p->is->nr_out) - (int64_t)(p->was->count + p->was->nr_out);
}
