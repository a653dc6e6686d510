/*
 * cache.c: filling and draining the caches of single frames.
 *
 * The lock is held for one batch. A batch comes from a few open nodes at most and goes back grouped
 * by word: frames that lie in one word of bits are one operation.
 */
#include "mm/cache.h"

struct frame_cache frame_caches[MM_MAX_CPUS][MAX_NR_ZONES];

/* At most this part of a zone waits in one CPU's cache. */
#define ZONE_PART 256

void cache_init(void)
{
	for (unsigned int cpu = 0; cpu < MM_MAX_CPUS; cpu++)
		for (unsigned int i = 0; i < MAX_NR_ZONES; i++) {
			uint64_t part = zones[i].managed / ZONE_PART;
			struct frame_cache *cache = &frame_caches[cpu][i];

			cache->busy = false;
			cache->count = 0;
			cache->limit = (uint32_t)(part < CACHE_MAX ? part : CACHE_MAX);
		}
}

/* Only this CPU, and its interrupts, see the mark: the compiler must keep the order, nobody else. */
static inline bool enter(struct frame_cache *cache)
{
	if (cache->busy)
		return false;
	cache->busy = true;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return true;
}

static inline void leave(struct frame_cache *cache)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	cache->busy = false;
}

/* Into an empty cache, the lowest frame on top. */
__attribute__((noinline)) static bool refill(struct frame_cache *cache, struct zone *z)
{
	unsigned int want = cache->limit < CACHE_BATCH ? cache->limit : CACHE_BATCH;
	unsigned long flags = port_lock_irqsave(&z->lock);
	unsigned int n = buddy_take_frames(z, cache->pages, want);

	z->nr_free -= n;
	port_unlock_irqrestore(&z->lock, flags);
	for (unsigned int i = 0; i < n / 2; i++) {
		struct page *page = cache->pages[i];

		cache->pages[i] = cache->pages[n - 1 - i];
		cache->pages[n - 1 - i] = page;
	}
	cache->count = n;
	return n;
}

/* The topmost frames of one word of bits go back together. Returns how many those are. */
static unsigned int drain_word(struct zone *z, struct page *const *top, unsigned int max)
{
	pfn_t pfn = page_to_pfn(*top);
	pfn_t first = pfn & ~(WORD_FRAMES - 1);
	uint64_t bits = 0;
	unsigned int n = 0;

	while (n < max && (pfn = page_to_pfn(*(top - n))) - first < WORD_FRAMES) {
		if (bits >> (pfn - first) & 1)
			panic("frame 0x%llx is in a cache twice", (unsigned long long)pfn);
		bits |= 1ull << (pfn - first);
		n++;
	}
	buddy_put_word(z, first, bits);
	return n;
}

/* n frames from the top. */
__attribute__((noinline)) static void drain(struct frame_cache *cache, struct zone *z,
					    unsigned int n)
{
	unsigned long flags = port_lock_irqsave(&z->lock);

	for (unsigned int left = n; left;) {
		unsigned int gone = drain_word(z, &cache->pages[cache->count - 1], left);

		cache->count -= gone;
		left -= gone;
	}
	z->nr_free += n;
	port_unlock_irqrestore(&z->lock, flags);
}

struct page *cache_take(struct zone *z)
{
	struct frame_cache *cache = &frame_caches[port_cpu_id()][z->id];
	struct page *page = NULL;

	if (!enter(cache))
		return NULL;
	if (cache->count || refill(cache, z))
		page = cache->pages[--cache->count];
	leave(cache);
	return page;
}

bool cache_put(struct zone *z, struct page *page)
{
	struct frame_cache *cache = &frame_caches[port_cpu_id()][z->id];

	if (!cache->limit || !enter(cache))
		return false;
	if (cache->count == cache->limit)
		drain(cache, z, cache->limit < CACHE_BATCH ? cache->limit : CACHE_BATCH);
	cache->pages[cache->count++] = page;
	leave(cache);
	return true;
}

bool cache_drain(struct zone *z)
{
	struct frame_cache *cache = &frame_caches[port_cpu_id()][z->id];
	bool any = false;

	if (!enter(cache))
		return false;
	while (cache->count) {
		any = true;
		drain(cache, z, cache->count < CACHE_BATCH ? cache->count : CACHE_BATCH);
	}
	leave(cache);
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
