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
	bool busy;
	uint32_t count;
	uint32_t limit; /* 0: the zone is too small for a cache */
	struct page *pages[CACHE_MAX];
};

extern struct frame_cache frame_caches[MM_MAX_CPUS][MAX_NR_ZONES];

/* Sets the limits from the zones' sizes. Once, when all memory was handed over. */
void cache_init(void);

/* A frame of the zone, its descriptor still zero; NULL when the cache is busy or nothing is left. */
struct page *cache_take(struct zone *z);

/* Takes a frame whose descriptor is zero. False when the cache is busy or the zone has none. */
bool cache_put(struct zone *z, struct page *page);

/* Gives this CPU's frames of a zone back to the bits. False when there were none to give. */
bool cache_drain(struct zone *z);

/* Frames of the zone in the caches of all CPUs. */
uint64_t cache_frames(const struct zone *z);

#endif
