/*
 * cache.h: single frames at hand, for each CPU and zone, in front of the zones.
 *
 *                          ┌──────────────┐
 *   alloc_page ──pop─────▶ │ pages        │ ◀──push── __free_page, below keep_below
 *    words from the bits   │ struct page* │  words to the bits
 *    when empty            ├──────────────┤  when full
 *                          │ out          │ ◀──push── __free_page, from keep_below on
 *                          └──────────────┘
 *
 * What is freed is the first to be used again, but not when lower frames are free: keep_below is
 * the end of the block that the last refill came from, and a frame beyond it goes back to the bits,
 * by way of *out*. So memory packs itself even if single frames are freed and allocated in turn,
 * and once it is packed nothing is above.
 *
 * A CPU touches its own caches only, without a lock and with interrupts on. What keeps an interrupt
 * on the same CPU out is a plain mark: `state` is CACHE_BUSY while somebody is inside. A handler
 * that finds it takes the zone's lock instead; it ends before the interrupted code goes on, so
 * nothing but program order is needed. The caller stays on its CPU between reading its number and
 * clearing the mark: port_pin().
 *
 * A cached frame is a cleared bit of an open block with a descriptor of zero. Invariants:
 *
 *   C1 The frames of an open block that are not free, allocated or reserved are exactly those in
 *      the caches, each once.
 *   C2 count <= limit <= CACHE_MAX; nr_out <= min(limit, CACHE_OUT).
 */
#ifndef MM_CACHE_H
#define MM_CACHE_H

#include "mm/zone.h"

#define CACHE_MAX    512
#define CACHE_REFILL 128 /* frames that one hold of the lock brings, at most */
#define CACHE_DRAIN  320 /* and takes away */
#define CACHE_OUT    64

/* As a state: "Busy". Nobody's descriptor in use has a cookie of 0, as this has. */
#define CACHE_BUSY   0x42757379ull

struct frame_cache {
	uint64_t state; /* what the descriptor of a frame in use, count 1, must be; or CACHE_BUSY */
	const struct page *keep_below;
	uint64_t count;
	uint64_t limit; /* 0: the zone is too small for a cache, or debug.h wants none */
	uint64_t nr_out;
	struct page *pages[CACHE_MAX];
	struct page *out[CACHE_OUT];
};

extern struct frame_cache frame_caches[MM_MAX_CPUS][MAX_NR_ZONES];

/*
 * Which cache, without a branch: for_gfp by a request's zone bits, of_zone by the two zone bits of
 * a descriptor. Where there is none they lead to an empty cache with a limit of 0. for_gfp follows
 * what a zone has left: cache_refill() sets it.
 */
struct cache_table {
	struct frame_cache *for_gfp[GFP_ZONE_BITS + 1];
	struct frame_cache *of_zone[STATE_ZONE_MASK + 1];
} __attribute__((aligned(128))); /* a power of two; and no two CPUs in one line */
extern struct cache_table cache_tables[MM_MAX_CPUS];

/*
 * Returns the cache's state, to be given to cache_leave(), or CACHE_BUSY: no entry. Only this CPU
 * and its interrupts see the mark: the compiler must keep the order, nobody else.
 */
static inline uint64_t cache_enter(struct frame_cache *cache)
{
	uint64_t state = cache->state;

	if (state != CACHE_BUSY) {
		cache->state = CACHE_BUSY;
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
	}
	return state;
}

static inline void cache_leave(struct frame_cache *cache, uint64_t state)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	cache->state = state;
}

/* A frame at hand, in use from now on; NULL when the cache is busy or empty. On this CPU: pinned.
 */
static inline struct page *cache_pop(struct frame_cache *cache)
{
	uint64_t state = cache_enter(cache);
	struct page *page = NULL;
	uint64_t count;

	if (state == CACHE_BUSY)
		return NULL;
	count = cache->count;
	if (count) {
		page = cache->pages[--count];
		cache->count = count;
		page->state = state;
	}
	cache_leave(cache, state);
	return page;
}

/* This CPU's cache of the zone that the descriptor names, whatever it holds. */
static inline struct frame_cache *cache_of(const struct page *page)
{
	uint8_t zone = __atomic_load_n(&page->zone, __ATOMIC_RELAXED);

	return cache_tables[port_cpu_id()].of_zone[zone & STATE_ZONE_MASK];
}

/*
 * At hand now, if the frame is of the cache's zone, in use, with one reference, none that is to go
 * back to the bits, and there is room. Else false. The compare finds a busy cache as well: no
 * descriptor in use has that state.
 */
static inline bool cache_push(struct frame_cache *cache, struct page *page)
{
	uint64_t state = __atomic_load_n(&page->state, __ATOMIC_ACQUIRE);
	uint64_t count;
	bool room;

	if (page >= cache->keep_below || state != cache->state)
		return false;
	cache->state = CACHE_BUSY;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	count = cache->count;
	room = count < cache->limit;
	if (room) {
		page->state = 0;
		cache->pages[count] = page;
		cache->count = count + 1;
	}
	cache_leave(cache, state);
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

/*
 * The zone's bits have no more than what it keeps from some requests: this CPU's cache of it, which
 * asks nobody, serves those no longer.
 */
void cache_withhold(const struct zone *z);

/*
 * The same as cache_push() into this CPU's cache of the frame's zone, with room made: of frames to
 * keep, or to go back, a batch goes back to the bits. False when it has no limit or is busy.
 */
bool cache_free(struct page *page);

/*
 * Gives this CPU's frames of a zone back to the bits and keeps the cache busy, so that an interrupt
 * puts none into it, until cache_reopen(). False when it was busy already. On this CPU: pinned.
 */
bool cache_close(struct zone *z);
void cache_reopen(struct zone *z);

/* Frames of the zone in the caches of all CPUs. */
uint64_t cache_frames(const struct zone *z);

#endif
