/*
 * cache.c: filling and draining the caches of single frames.
 *
 * The lock is held for one batch. A batch comes from a few open nodes at most and goes back grouped
 * by word: frames that lie in one word of bits are one operation.
 */
#include "mm/cache.h"

struct frame_cache frame_caches[MM_MAX_CPUS][MAX_NR_ZONES];
struct cache_table cache_tables[MM_MAX_CPUS];

/* Always the slow way: busy for ever, so that no CPU writes to it. */
static struct frame_cache no_cache = { .busy = 1 };

/* At most this part of a zone waits in one CPU's cache. */
#define ZONE_PART 256

static void init_table(struct cache_table *table, struct frame_cache caches[MAX_NR_ZONES])
{
	for (unsigned int i = 0; i <= GFP_ZONE_BITS; i++)
		table->for_gfp[i] = &no_cache;
	for (unsigned int i = 0; i <= STATE_ZONE_MASK; i++)
		table->of_zone[i] = i < MAX_NR_ZONES ? &caches[i] : &no_cache;
}

void cache_init(void)
{
	for (unsigned int cpu = 0; cpu < MM_MAX_CPUS; cpu++) {
		init_table(&cache_tables[cpu], frame_caches[cpu]);
		for (unsigned int i = 0; i < MAX_NR_ZONES; i++) {
			uint64_t part = zones[i].managed / ZONE_PART;
			struct frame_cache *cache = &frame_caches[cpu][i];

			cache->state = state_allocated(i, 0);
			cache->busy = 0;
			cache->count = 0;
			cache->limit = part < CACHE_MAX ? part : CACHE_MAX;
		}
	}
}

static unsigned int batch_of(const struct frame_cache *cache)
{
	return (unsigned int)(cache->limit < CACHE_BATCH ? cache->limit : CACHE_BATCH);
}

/* Onto a cache that is less than half a batch full, the lowest frame on top. */
static void refill(struct frame_cache *cache, struct zone *z, unsigned int want)
{
	unsigned long flags = port_lock_irqsave(&z->lock);
	unsigned int n = buddy_take_frames(z, cache->pages + cache->count, want);

	zone_sub_free(z, n);
	port_unlock_irqrestore(&z->lock, flags);
	cache->count += n;
}

/*
 * Whether the zone's cache of this CPU has a frame now; filled from the bits if they have some to
 * spare. A few frames are not enough: two zones whose caches run empty in turn would be changed for
 * ever.
 */
static bool fill(struct frame_cache *cache, struct zone *z, uint64_t spare)
{
	uint64_t want = batch_of(cache);
	bool some;

	if (!cache_enter(cache))
		return false;
	if (spare && cache->count <= want / 2) {
		want -= cache->count;
		refill(cache, z, (unsigned int)(want < spare ? want : spare));
	}
	some = cache->count;
	cache_leave(cache);
	return some;
}

/* What is in the zone's cache may go to such a request: of its own zone, or beyond the reserve. */
static bool may_give(const struct zone *z, unsigned int highest, gfp_t gfp)
{
	return gfp & __GFP_HIGH || !z->lowmem_reserve[highest] || zone_spare(z, highest, gfp);
}

/*
 * The cache serves gfp from now on. Frames in it are not counted as the zone's reserve, and taking
 * one asks nobody: requests that may not have the reserve are sent elsewhere before the cache holds
 * some of it. That is this request, too, if nothing but __GFP_HIGH let it in.
 */
static void serve_from(struct frame_cache *cache, const struct zone *z, gfp_t gfp)
{
	struct cache_table *table = &cache_tables[port_cpu_id()];

	table->for_gfp[gfp & GFP_ZONE_BITS] = cache;
	for (gfp_t bits = 0; bits <= GFP_ZONE_BITS; bits++)
		if (table->for_gfp[bits] == cache && !may_give(z, gfp_zone(bits), 0))
			table->for_gfp[bits] = &no_cache;
}

struct frame_cache *cache_refill(gfp_t gfp)
{
	unsigned int highest = gfp_zone(gfp);

	for (struct zone *z = &zones[highest]; z >= zones; z--) {
		struct frame_cache *cache = &frame_caches[port_cpu_id()][z->id];
		uint64_t spare = zone_spare(z, highest, gfp);

		if (!may_give(z, highest, gfp))
			continue;
		if (cache->limit && fill(cache, z, spare)) {
			serve_from(cache, z, gfp);
			return cache;
		}
		/* Busy, or no cache at all: not a reason to go to a lower zone. */
		if (spare || cache->busy)
			return NULL;
	}
	return NULL;
}

/*
 * The topmost frames of one word of bits go back together. Returns how many those are. A frame that
 * is there twice makes the sum of the bits differ from their union.
 */
static unsigned int drain_word(struct zone *z, struct page *const *top, unsigned int max)
{
	pfn_t first = page_to_pfn(*top) & ~(WORD_FRAMES - 1);
	uintptr_t base = (uintptr_t)pfn_to_page(first);
	uint64_t bits = 0, sum = 0;
	unsigned int n = 0;

	do {
		const struct page *page = *(top - n);
		uintptr_t offset = (uintptr_t)page - base;

		if (offset >= WORD_FRAMES * sizeof(struct page))
			break;
		bits |= 1ull << (offset / sizeof(struct page));
		sum += 1ull << (offset / sizeof(struct page));
	} while (++n < max);
	if (bits != sum)
		panic("of the frames from 0x%llx on one is in a cache twice",
		      (unsigned long long)first);
	buddy_put_word(z, first, bits);
	return n;
}

/*
 * At most n frames from the top, at least one. Frames that lie scattered cost as much each as a
 * whole word, so fewer of them go at once: the lock is held for a bounded time.
 */
#define MAX_DRAIN_WORDS 24

static void drain(struct frame_cache *cache, struct zone *z, unsigned int n)
{
	unsigned int left = n;
	unsigned long flags = port_lock_irqsave(&z->lock);

	for (unsigned int words = 0; left && words < MAX_DRAIN_WORDS; words++) {
		unsigned int gone = drain_word(z, &cache->pages[cache->count - 1], left);

		cache->count -= gone;
		left -= gone;
	}
	zone_add_free(z, n - left);
	port_unlock_irqrestore(&z->lock, flags);
}

bool cache_make_room(struct zone *z)
{
	struct frame_cache *cache = &frame_caches[port_cpu_id()][z->id];

	if (!cache->limit || !cache_enter(cache))
		return false;
	if (cache->count == cache->limit)
		drain(cache, z, batch_of(cache));
	cache_leave(cache);
	return true;
}

bool cache_drain(struct zone *z)
{
	struct frame_cache *cache = &frame_caches[port_cpu_id()][z->id];
	bool any = false;

	if (!cache_enter(cache))
		return false;
	while (cache->count) {
		any = true;
		drain(cache, z,
		      (unsigned int)(cache->count < CACHE_BATCH ? cache->count : CACHE_BATCH));
	}
	cache_leave(cache);
	return any;
}

uint64_t cache_frames(const struct zone *z)
{
	uint64_t sum = 0;

	for (unsigned int cpu = 0; cpu < MM_MAX_CPUS; cpu++)
		sum += frame_caches[cpu][z->id].count;
	return sum;
}

uint64_t zone_free_frames(const struct zone *z)
{
	return z->nr_free + cache_frames(z);
}
