/*
 * cache.h: single frames at hand, one stack for each CPU and zone, in front of the zones.
 *
 *   alloc_page ──pop──▶ ┌──────────────┐ ◀──push── __free_page
 *                       │ struct page* │
 *      64 from the bits └──────────────┘ 64 to the bits, when empty or full
 *
 * A CPU touches its own caches only, without a lock and with interrupts on. What keeps an interrupt
 * on the same CPU out is a plain mark: `busy`. A handler that finds it set takes the zone's lock
 * instead; it ends before the interrupted code goes on, so nothing but program order is needed.
 * The caller stays on its CPU between reading its number and clearing the mark: port_pin().
 *
 * A cached frame is a cleared bit of an open block with a descriptor of zero. Invariants:
 *
 *   C1 The frames of an open block that are not free, allocated or reserved are exactly those in
 *      the caches, each once.
 *   C2 count <= limit <= min(CACHE_MAX, managed / 256).
 */
#ifndef MM_CACHE_H
#define MM_CACHE_H

#include "mm/zone.h"

#define CACHE_MAX   512
#define CACHE_BATCH 64 /* frames moved under one hold of the lock: a word of bits */

struct frame_cache {
	uint64_t state; /* of a frame of this zone in use, count 1: what the descriptor must be */
	uint64_t busy;
	uint64_t count;
	uint64_t limit; /* 0: the zone is too small for a cache */
	struct page *pages[CACHE_MAX];
};

extern struct frame_cache frame_caches[MM_MAX_CPUS][MAX_NR_ZONES];

/*
 * Which cache, without a branch: for_gfp by a request's zone bits, of_zone by the two zone bits of
 * a descriptor. Where there is none they lead to an empty cache with a limit of 0. for_gfp follows
 * what a zone has left: cache_refill() sets it.
 */
#define GFP_ZONE_BITS (__GFP_DMA | __GFP_DMA32)

struct cache_table {
	struct frame_cache *for_gfp[GFP_ZONE_BITS + 1];
	struct frame_cache *of_zone[STATE_ZONE_MASK + 1];
};
extern struct cache_table cache_tables[MM_MAX_CPUS];

/* Only this CPU, and its interrupts, see the mark: the compiler must keep the order, nobody else.
 */
static inline bool cache_enter(struct frame_cache *cache)
{
	if (cache->busy)
		return false;
	cache->busy = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return true;
}

static inline void cache_leave(struct frame_cache *cache)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	cache->busy = 0;
}

/* A frame at hand, in use from now on; NULL when the cache is busy or empty. On this CPU: pinned.
 */
static inline struct page *cache_pop(struct frame_cache *cache)
{
	struct page *page = NULL;

	if (cache_enter(cache)) {
		uint64_t count = cache->count;

		if (count) {
			page = cache->pages[--count];
			cache->count = count;
			page->state = cache->state;
		}
		cache_leave(cache);
	}
	return page;
}

/* This CPU's cache of the zone that the descriptor names, whatever it holds. */
static inline struct frame_cache *cache_of(const struct page *page)
{
	uint8_t zone = __atomic_load_n(&page->zone, __ATOMIC_RELAXED);

	return cache_tables[port_cpu_id()].of_zone[zone & STATE_ZONE_MASK];
}

/* The frame is of the cache's zone, in use, count 1, and there is room: at hand now. Else false. */
static inline bool cache_push(struct frame_cache *cache, struct page *page)
{
	uint64_t count;
	bool room;

	if (__atomic_load_n(&page->state, __ATOMIC_ACQUIRE) != cache->state || !cache_enter(cache))
		return false;
	count = cache->count;
	room = count < cache->limit;
	if (room) {
		page->state = 0;
		cache->pages[count] = page;
		cache->count = count + 1;
	}
	cache_leave(cache);
	return room;
}

/* Sets limits and states, when all memory was handed over. */
void cache_init(void);

/*
 * Finds the highest zone that may serve gfp and has a frame, in this CPU's cache or in the bits.
 * Returns its cache, filled, which serves such requests from now on unless the zone has nothing
 * left but its reserve. NULL when there is none, or when that zone's cache is busy or has no room.
 */
struct frame_cache *cache_refill(gfp_t gfp);

/* Makes room for a batch in this CPU's cache of the zone. False when busy or without a limit. */
bool cache_make_room(struct zone *z);

/* Gives this CPU's frames of a zone back to the bits. False when there were none to give. */
bool cache_drain(struct zone *z);

/* Frames of the zone in the caches of all CPUs. */
uint64_t cache_frames(const struct zone *z);

#endif
