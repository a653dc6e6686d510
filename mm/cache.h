/* SPDX-License-Identifier: MIT */
/*
 * cache.h: frame caches: for each CPU, each DMA, DMA32 and Normal zone of its node and each order
 * from 0 to 9, some free runs in front of the zone's bits. Private to mm/, but for tests and
 * statistics.
 *
 *                          ┌──────────────┐
 *   alloc_pages ─pop─────▶ │ pages        │ ◀──push── __free_pages, below keep_below
 *    a batch from the bits │ struct page* │  a batch to the bits
 *    when empty            ├──────────────┤  when full
 *                          │ out          │ ◀──push── __free_pages, from keep_below on
 *                          └──────────────┘
 *
 * What was freed last is the first to be used again, as in Linux's per-CPU lists, but not when
 * lower frames are free: keep_below is the end of the highest block (for order 9: gib) that the
 * last refill took from, and what lies beyond goes back to the bits, by way of *out*. So memory
 * packs itself even while pages are freed and allocated in turn. A cache that holds only a few runs
 * is not refilled for GFP_KERNEL: the last run that was taken from the bits counts in its place.
 *
 * A CPU has caches of the DMA, DMA32 and Normal zones of the node that was its home (numa_mem_id())
 * when memory was handed over, and one more, of order 0, that is *away*: it belongs to whatever
 * other zone serves requests for any memory while the home node is full, or to one of a node that
 * alloc_pages_node() names. Requests on the home node are served from it until the bits of the zone
 * that they ask first have memory again. It changes its zone only when it is empty, and never in an
 * interrupt handler. Frames of any other zone are freed to the bits at once, which needs no lock.
 *
 * A CPU uses only its own caches, without a lock and with interrupts on. A plain mark keeps out an
 * interrupt handler on the same CPU: `state` is CACHE_BUSY while a cache is in use. A handler that
 * finds the mark goes to the zone's bits instead of the cache. It returns before the interrupted
 * code goes on, so program order is all that the mark needs. The caller is pinned to its CPU
 * (port_pin()) from reading the CPU's number until the mark is cleared.
 *
 * A cached run below order 9 is cleared bits of an open block, with state words of zero. A cached
 * block has its bit in the gib's *head*, and a first state word of zero. Invariants:
 *
 *   C1 The frames of an open block that are neither free, allocated nor marked reserved, and those
 *      of blocks in *head* that no state word says to be allocated, are exactly those in their
 *      zone's caches, each once, with a state word of zero.
 *   C2 count <= limit and nr_out <= out_limit, which are at most CACHE_MAX and CACHE_OUT, or
 *      RUNS_MAX and RUNS_OUT; all four are 0 in a cache that is shut. Between requests none is.
 *   C3 for_gfp[] and for_order[] send requests only to a cache of a zone whose type of memory they
 *      may have; and only while the zone keeps no frames from them, or has more free in the bits
 *      than it keeps. Within a call this may not hold.
 */
#ifndef MM_CACHE_H
#define MM_CACHE_H

#include "mm/zone.h"

#define CACHE_ORDERS (BLOCK_ORDER + 1) /* orders 0 to 9 have caches */

/* Of order 0. What a cache may hold depends on its zone as well: see cache_init(). */
#define CACHE_MAX    512
#define CACHE_REFILL 128 /* frames that one hold of the lock brings, at most */
#define CACHE_DRAIN  320 /* frames that one drain takes away, at most */
#define CACHE_OUT    64

/* Of each order from 1 to 9, in runs. */
#define RUNS_MAX     24
#define RUNS_REFILL  12
#define RUNS_OUT     8

/* The mark, "Busy" in ASCII. No descriptor in use has this value: its cookie would be 0. */
#define CACHE_BUSY   0x42757379ull

/*
 * The end of some frames, as keep_below has it: the address behind the last one's descriptor, or,
 * where a port places the descriptors of blocks in any order (MM_PFN_TO_PAGE()), a frame number.
 * CACHE_END_ALL is beyond all frames.
 */
#ifdef mem_map
typedef const struct page *cache_end_t;
#define CACHE_END(last)    (pfn_to_page(last) + 1)
#define CACHE_END_ALL      ((cache_end_t)UINTPTR_MAX)
#define CACHE_PLACE(page)  (page)
#define CACHE_END_PFN(end) page_to_pfn(end)
#else
typedef pfn_t cache_end_t;
#define CACHE_END(last)    ((last) + 1)
#define CACHE_END_ALL      PFN_NONE
#define CACHE_PLACE(page)  page_to_pfn(page)
#define CACHE_END_PFN(end) (end)
#endif

/* A cache. Its two stacks follow it in memory: see cache_pages() and cache_out(). */
struct frame_cache {
	uint64_t state; /* the state word of an allocation of this order, count 1; or CACHE_BUSY */
	cache_end_t keep_below;
	uint64_t count;
	uint64_t limit; /* 0: it is shut, or its zone is too small, or debug.h asked for none */
	uint64_t nr_out;
	uint32_t out_limit;
	uint32_t shut; /* how many requests keep it shut: see cache_shut() */
	struct zone *zone;
	uint32_t order;
	uint16_t open_limit, open_out_limit; /* while it is shut: the limits that it had */
};

/* A cache of order 0, with its stacks. */
struct single_cache {
	struct frame_cache cache;
	struct page *slots[CACHE_MAX + CACHE_OUT];
};

/* The caches of a CPU and a zone. */
struct zone_caches {
	struct single_cache frames;
	struct {
		struct frame_cache cache;
		struct page *slots[RUNS_MAX + RUNS_OUT];
	} runs[CACHE_ORDERS - 1]; /* orders 1 to 9 */
} __attribute__((__aligned__(MM_LINE)));

#define CACHE_TYPES (ZONE_NORMAL + 1) /* types of memory that have caches at home */

/*
 * Tells a CPU which cache to use, without a branch: for_gfp[] for order 0, by a request's zone
 * bits, and for_order[], from order 1 on, for GFP_KERNEL. Where no cache serves, the entry is one
 * that is always busy. for_gfp[] changes as zones run empty: cache_refill() sets an entry of its
 * own CPU, and cache_withhold() takes entries of all CPUs away. for_order[] names caches of the
 * zone that GFP_KERNEL asks first. That zone mostly keeps nothing from it; where it does,
 * cache_withhold() takes entries away, and cache_alloc_run() sets them again. of_type[] gives the
 * cache of order 0 at home by the type in a state word.
 */
struct cache_table {
	int home; /* numa_mem_id(); first, because numa.h finds it there */
	struct frame_cache *for_gfp[GFP_ZONE_BITS + 1];
	struct frame_cache *for_order[CACHE_ORDERS]; /* [0] is not used */
	struct frame_cache *of_type[1 << ZONE_TYPE_BITS];
	struct zone *asked; /* gfp_zone(GFP_KERNEL): for_order[] names its caches */
	struct zone *first; /* gfp_zone(GFP_KERNEL), if it keeps nothing from that; else &no_zone */
} __attribute__((__aligned__(MM_LINE)));

/* All that the allocator has of a CPU. */
struct cpu_caches {
	struct cache_table table;
	struct zone_caches home[CACHE_TYPES];
	struct single_cache away;
} __attribute__((__aligned__(MM_LINE)));

/* NULL: the CPU does not use the allocator. Set once, by mm_add_cpu() (cpu.h) or cache_init(). */
MM_INTERNAL_DATA struct cpu_caches *frame_caches[MM_MAX_CPUS];

/* Runs the body for each CPU that uses the allocator. CPUs may be added meanwhile. */
MM_INTERNAL_DATA unsigned int nr_cache_cpus; /* the highest number of one, plus 1 */
#define for_each_cache_cpu(cpu)                                                                    \
	for (unsigned int cpu = 0; cpu < __atomic_load_n(&nr_cache_cpus, __ATOMIC_ACQUIRE); cpu++) \
		if (!frame_caches[cpu]) {                                                          \
		} else

/* Returns what the allocator has of this CPU. With MM_CHECK_PIN, panics when it has nothing. */
static inline struct cpu_caches *cpu_own_caches(void)
{
	unsigned int cpu = port_cpu_id();

#ifdef MM_CHECK_PIN
	if (!frame_caches[cpu])
		port_panic("CPU %u uses the allocator, but mm_add_cpu() was not called for it",
			   cpu);
#endif
	return frame_caches[cpu];
}

/* Reads a member of this CPU's table. With MM_CPU_SPACE (port.h) that is one instruction. */
#ifdef MM_CPU_SPACE
#define cpu_table_read(member) (cpu_table.member)
#else
#define cpu_table_read(member) __atomic_load_n(&cpu_own_caches()->table.member, __ATOMIC_RELAXED)
#endif

/* Returns a CPU's cache of its home node's zone of a type, and of an order below CACHE_ORDERS. */
static inline struct frame_cache *cache_at(unsigned int cpu, unsigned int type, unsigned int order)
{
	struct zone_caches *caches = &frame_caches[cpu]->home[type];

	return order ? &caches->runs[order - 1].cache : &caches->frames.cache;
}

/* All caches of a CPU have numbers: those at home, type by type, and the one away. */
#define CACHE_AWAY    (CACHE_TYPES * CACHE_ORDERS)
#define NR_CPU_CACHES (CACHE_AWAY + 1)

static inline struct frame_cache *cache_number(unsigned int cpu, unsigned int i)
{
	return i == CACHE_AWAY ? &frame_caches[cpu]->away.cache
			       : cache_at(cpu, i / CACHE_ORDERS, i % CACHE_ORDERS);
}

/* Runs the body for each cache of a CPU. i is its number. */
#define for_each_cache(i)           for (unsigned int i = 0; i < NR_CPU_CACHES; i++)

/* Runs the body for each order that has caches. */
#define for_each_cache_order(order) for (unsigned int order = 0; order < CACHE_ORDERS; order++)

/* Stands where no cache serves: it is busy for ever, so that no CPU writes to it. */
MM_INTERNAL_DATA struct frame_cache no_cache;

/* Returns the zone of a cache. Another CPU may be changing it, if the cache is away. */
static inline struct zone *cache_zone(const struct frame_cache *cache)
{
	return __atomic_load_n(&cache->zone, __ATOMIC_RELAXED);
}

/*
 * Returns for how many orders a CPU has caches of a zone: for all if that is one of its home node,
 * for the lowest if it is the zone of the cache away, or for none.
 */
static inline unsigned int cache_orders(unsigned int cpu, const struct zone *z)
{
	if (z->type < CACHE_TYPES && cache_zone(cache_at(cpu, z->type, 0)) == z)
		return CACHE_ORDERS;
	return cache_zone(&frame_caches[cpu]->away.cache) == z;
}

/* Returns one of the caches that a CPU has of a zone for so many orders, as cache_orders() says. */
static inline struct frame_cache *cache_of_orders(unsigned int cpu, const struct zone *z,
						  unsigned int orders, unsigned int order)
{
	return orders == CACHE_ORDERS ? cache_at(cpu, z->type, order)
				      : &frame_caches[cpu]->away.cache;
}

/* Returns a CPU's cache of a zone and an order below CACHE_ORDERS; &no_cache if it has none. */
static inline struct frame_cache *cache_of_zone(unsigned int cpu, const struct zone *z,
						unsigned int order)
{
	unsigned int orders = cache_orders(cpu, z);

	return order < orders ? cache_of_orders(cpu, z, orders, order) : &no_cache;
}

/* Runs the body for each cache of zone z that a CPU has, in rising order. cache is a pointer. */
#define for_each_cache_of(cpu, z, cache)                                                     \
	for (unsigned int order_ = 0, orders_ = cache_orders(cpu, z);                        \
	     order_ < orders_ && ((cache) = cache_of_orders(cpu, z, orders_, order_), true); \
	     order_++)

/* Returns the stack *pages* of a cache. */
static inline struct page **cache_pages(struct frame_cache *cache)
{
	return (struct page **)(cache + 1);
}

/* Returns the stack *out* of a cache. */
static inline struct page **cache_out(struct frame_cache *cache)
{
	return cache_pages(cache) + (cache->order ? RUNS_MAX : CACHE_MAX);
}

/* Writes a count of this CPU's cache: cache_frames() may read it on another CPU. */
static inline void cache_count_write(uint64_t *count, uint64_t value)
{
	__atomic_store_n(count, value, __ATOMIC_RELAXED);
}

/* Panics, because a cache that is not this CPU's is in use. */
MM_INTERNAL void cache_bad_pin(const struct frame_cache *cache)
    __attribute__((__noreturn__, __cold__));

/*
 * With MM_CHECK_PIN, panics when the cache is another CPU's. Called at both ends of each use: a
 * thread that is moved meanwhile has not been kept by port_pin().
 */
static inline void cache_check_pin(const struct frame_cache *cache)
{
#ifdef MM_CHECK_PIN
	if ((uintptr_t)cache - (uintptr_t)frame_caches[port_cpu_id()] >= sizeof(struct cpu_caches))
		cache_bad_pin(cache);
#else
	(void)cache;
#endif
}

/* Marks a cache of this CPU, which is not busy, as busy. */
static inline void cache_mark(struct frame_cache *cache)
{
	cache_check_pin(cache);
	cache->state = CACHE_BUSY;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/*
 * Marks a cache of this CPU as busy. Returns its state, which cache_leave() needs; or CACHE_BUSY
 * when it was busy already, and must not be used. Only this CPU and its interrupt handlers look at
 * the mark, so only the compiler must keep the order.
 */
static inline uint64_t cache_enter(struct frame_cache *cache)
{
	uint64_t state = cache->state;

	if (state != CACHE_BUSY)
		cache_mark(cache);
	return state;
}

/* Clears the mark: state is what cache_enter() returned. */
static inline void cache_leave(struct frame_cache *cache, uint64_t state)
{
	MM_ASSERT(cache->state == CACHE_BUSY && state != CACHE_BUSY);
	cache_check_pin(cache);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	cache->state = state;
}

/*
 * Takes a run out of a cache of this CPU and writes its descriptor. Returns NULL when the cache is
 * busy or empty. The caller is pinned.
 */
static inline struct page *cache_pop(struct frame_cache *cache)
{
	uint64_t state = cache_enter(cache);
	struct page *page = NULL;
	uint64_t count;

	if (state == CACHE_BUSY)
		return NULL;
	/* Subtract and look at the borrow: one instruction less than a test for 0. */
	if (!__builtin_sub_overflow(cache->count, 1, &count)) {
		page = cache_pages(cache)[count];
		MM_ASSERT(count < CACHE_MAX && page && !state_read(page));
		if (!page)
			__builtin_unreachable(); /* saves the caller a test */
		cache_count_write(&cache->count, count);
		state_write(page, state);
	}
	cache_leave(cache, state);
	return page;
}

/* Returns this CPU's cache of order 0 that serves requests with the zone bits of gfp. */
static inline struct frame_cache *cache_for(gfp_t gfp)
{
	return cpu_table_read(for_gfp[gfp & GFP_ZONE_BITS]);
}

/*
 * Returns this CPU's cache of order 0 at home for the type of memory that the descriptor of page
 * names. The
 * descriptor may hold any value: the caller compares the whole state word with the cache's
 * afterwards.
 */
static inline struct frame_cache *cache_of(const struct page *page)
{
	uint8_t zone = __atomic_load_n(&page->zone, __ATOMIC_RELAXED);

	return cpu_table_read(of_type[zone & ((1u << ZONE_TYPE_BITS) - 1)]);
}

/* Returns this CPU's cache that serves GFP_KERNEL of an order from 1 to 9. */
static inline struct frame_cache *cache_for_order(unsigned int order)
{
	return cpu_table_read(for_order[order]);
}

/*
 * Turns the descriptor of an allocation into that of a free run. *state is its state word, as the
 * caller has read it: one reference, the caller's. Returns false, and sets *state to the word, when
 * that is another by now: somebody else freed the same allocation meanwhile. Acquires what the
 * other owners did to the memory before they dropped their references.
 */
static inline bool page_release(struct page *page, uint64_t *state)
{
	return __atomic_compare_exchange_n(&page->state, state, 0, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

/*
 * Panics, because page_release() has failed: the allocation was freed twice, by two CPUs at once.
 * The cache that was to have it stays busy.
 */
MM_INTERNAL void free_raced(const struct page *page) __attribute__((__noreturn__, __cold__));

/*
 * Frees a run into a cache of this CPU; page is its head, state what the descriptor says. Returns
 * false, and does nothing, when page is not the head of an allocation of the cache's order and zone
 * with one reference, when it lies beyond keep_below, or when the cache is full or busy. The one
 * compare finds a busy cache as well: no descriptor in use has that value. The frame may be one of
 * a hole, whose descriptor must not be written: hence a load and a compare before page_release().
 * The caller is pinned.
 *
 * The count is raised in memory, by one instruction, where cache_count_write() would take two: an
 * aligned word is written in one piece all the same, but ThreadSanitizer must not look.
 *
 * AddressSanitizer leaves it alone, so that its frame does not become part of __free_page(), which
 * then could no longer end in a jump: debug.h's record would name the wrong caller.
 */
__attribute__((__no_sanitize_address__, __no_sanitize_thread__)) static inline bool
cache_push(struct frame_cache *cache, struct page *page, uint64_t state)
{
	uint64_t count;

	if (state != cache->state || CACHE_PLACE(page) >= cache->keep_below)
		return false;
	cache_mark(cache);
	count = cache->count;
	if (count >= cache->limit) {
		cache_leave(cache, state);
		return false;
	}
	if (!page_release(page, &state))
		free_raced(page);
	cache_pages(cache)[count] = page;
	cache->count++;
	cache_leave(cache, state);
	return true;
}

/*
 * Frees a run that lies at or beyond keep_below into the stack *out* of a cache of this CPU; page
 * is its head, state what the descriptor says. Returns false, and does nothing, when it does not
 * lie there, when cache_push() would not have it for its descriptor, or when the stack is full or
 * the cache busy. The caller is pinned. AddressSanitizer leaves it alone for the same reason as
 * cache_push().
 */
__attribute__((__no_sanitize_address__)) static inline bool
cache_push_out(struct frame_cache *cache, struct page *page, uint64_t state)
{
	uint64_t nr_out;

	if (state != cache->state || CACHE_PLACE(page) < cache->keep_below)
		return false;
	cache_mark(cache);
	nr_out = cache->nr_out;
	if (nr_out >= cache->out_limit) {
		cache_leave(cache, state);
		return false;
	}
	if (!page_release(page, &state))
		free_raced(page);
	cache_out(cache)[nr_out] = page;
	cache_count_write(&cache->nr_out, nr_out + 1);
	cache_leave(cache, state);
	return true;
}

/*
 * Sets up the caches of all CPUs that there are, empty, after all memory was handed over. All
 * caches of a zone together hold at most 1/64 of its frames, divided equally among port_nr_cpus()
 * CPUs. Where an order's part of that is less than a run, its cache has a limit of 0. With any
 * option of debug.h all have. Limits stay until mm_divide_caches() (cpu.h).
 */
MM_INTERNAL void cache_init(void);

/* Makes node nid the home of a CPU, in its table, if it has one. */
MM_INTERNAL void cache_set_home(unsigned int cpu, int nid);

/* Computes the limits of a cache of this CPU, which is not shut, anew. */
MM_INTERNAL void cache_renew_limits(struct frame_cache *cache);

/* Returns all that a cache of this CPU holds, which the caller has entered, to the bits. */
MM_INTERNAL void cache_empty(struct frame_cache *cache);

/*
 * Finds the first zone of the home node's fallback list that may serve gfp and has a frame, in this
 * CPU's cache of order 0 or in the bits. Returns its cache, which then has a frame; such requests
 * go there from now on, unless the zone has nothing left but its reserve. The cache away serves
 * requests for any memory alone, and until the zone that home asks first is given memory again.
 * Returns NULL when there is no such zone, or when its cache is busy or has a limit of 0, or the
 * zone has none and the cache away is in use for another. The caller is pinned.
 */
MM_INTERNAL struct frame_cache *cache_refill(gfp_t gfp);

/*
 * Takes a frame of node nid, which is not the home node, for GFP_KERNEL: from the cache away, which
 * is refilled if it is empty. Returns NULL when that brings none that the request may have, or the
 * cache has frames of another zone. The caller is pinned.
 */
MM_INTERNAL struct page *cache_alloc_away(int nid);

/*
 * Takes a run of an order from 1 to 9 from this CPU's cache of gfp_zone(gfp), which is refilled
 * when it is empty. Returns NULL when that brings none; other zones are not tried. The caller is
 * pinned.
 */
MM_INTERNAL struct page *cache_alloc_run(gfp_t gfp, unsigned int order);

/*
 * Takes a run from a cache of this CPU, of an order from 1 to 9, for GFP_KERNEL, from which its
 * zone keeps nothing: the cache is refilled if it is empty. Returns NULL when that brings none. The
 * caller is pinned.
 */
MM_INTERNAL struct page *cache_refill_run(struct frame_cache *cache);

/*
 * Returns whether cache_refill_run() brings so many runs, three or more, that they cost less than
 * when each is taken from the bits alone. A cache of which this is not true is left empty.
 */
static inline bool cache_takes_batches(const struct frame_cache *cache)
{
	return cache->limit > 4;
}

/*
 * Sets keep_below of a cache, which belongs to this CPU: the run that begins at pfn is the highest
 * that was taken from the bits last. The caller is pinned.
 */
static inline void cache_keep_below(struct frame_cache *cache, pfn_t pfn)
{
	pfn_t frames = cache->order < BLOCK_ORDER ? BLOCK_FRAMES : GIB_FRAMES;

	cache->keep_below = CACHE_END(pfn | (frames - 1));
}

/*
 * Stops every CPU's cache of a zone from serving requests that may not have the zone's reserve, if
 * the bits have no more than that. A cache asks nobody before it serves, so this has to be called
 * whenever nr_free has fallen that low, after the lock was released. O(CPUs).
 */
MM_INTERNAL void cache_withhold(const struct zone *z);

/*
 * Makes every CPU's table heed the reserves after zones_set_reserves() has changed them. O(CPUs *
 * zones).
 */
MM_INTERNAL void cache_reserves_changed(void);

/*
 * Does what cache_push() does beyond keep_below as well; a full cache returns a batch to the bits
 * first. Returns false when the descriptor is not as cache_push() demands, or the cache is busy or
 * has a limit of 0. The caller is pinned.
 */
MM_INTERNAL bool cache_free(struct frame_cache *cache, struct page *page, uint64_t state);

/*
 * Returns this CPU's cache of the order for the zone that state names, or &no_cache. state may have
 * any value.
 */
MM_INTERNAL struct frame_cache *cache_find(uint64_t state, unsigned int order);

/*
 * Serve a request on node nid for which the bits have nothing, from this CPU's caches of the zones
 * that may serve it. cache_take_last() returns a frame of the caches of order 0, or NULL. A zone
 * must have more than it keeps from the request, with what is in the cache. cache_drain_for()
 * returns one batch to the bits, or a single run if the request is of order 0; it returns false
 * when there is none in a zone that would then have more than it keeps from the request. A batch is
 * about as much as a call that frees a frame into a full cache returns. Busy caches are passed
 * over.
 */
MM_INTERNAL struct page *cache_take_last(int nid, gfp_t gfp);
MM_INTERNAL bool cache_drain_for(int nid, gfp_t gfp, unsigned int order);

/*
 * A cache that is *shut* is empty and has limits of 0: nothing is put in, so nothing is taken out,
 * and the calls that would use it use the bits, until every request that shut it has reopened it.
 * It is not marked as busy. An interrupt may shut it between a use's look at the mark and the
 * setting of it, and the use clears the mark then. So a use reads limits and counts after it has
 * set the mark, never before.
 */
struct cache_shut {
	bool all;                     /* whether every CPU was asked, or this one alone */
	bool busy;                    /* a cache was in use when its CPU was asked last */
	bool renew;                   /* limits are computed anew when the caches are reopened */
	int highest;                  /* the highest type of memory of which caches are shut */
	int node;                     /* the only node of which caches are shut, or NUMA_NO_NODE */
	unsigned long pin;            /* without all: what port_pin() returned */
	uint32_t caches[MM_MAX_CPUS]; /* bit i: the CPU's cache number i is shut by this request */
};
_Static_assert(NR_CPU_CACHES <= 32, "a bit for each cache of a CPU");

/*
 * cache_shut() returns what is in this CPU's caches to the bits and shuts the caches: those of the
 * type of memory `highest` and of lower ones, with -1 no one but that away; of zones of `node`
 * alone, unless that is NUMA_NO_NODE. With all, and where port_may_wait() returns true, it does so
 * on every CPU; a CPU that is in the middle of a cache's use is asked again until it is not. What
 * stays open, then, are the caches that this very call has interrupted: it cannot wait for them,
 * and waits for no other CPU either, which could be waiting for this one. cache_reopen() ends it.
 * For one CPU the caller is pinned in between. For all it is not: a thread that is preempted there
 * leaves the caches shut until it runs again, and every CPU uses the bits.
 */
MM_INTERNAL void cache_shut(struct cache_shut *s, bool all, int highest, int node);
MM_INTERNAL void cache_reopen(struct cache_shut *s);

/*
 * Takes the frames [start, end), which are Hotplug memory, out of the caches of all CPUs, and
 * forgets them: they are not read, written or freed. Called where port_may_wait() returns true.
 */
MM_INTERNAL void cache_forget(pfn_t start, pfn_t end);

/* Returns the number of the zone's frames in the caches of all CPUs. */
MM_INTERNAL uint64_t cache_frames(const struct zone *z);

#endif
