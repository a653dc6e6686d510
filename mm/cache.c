/* SPDX-License-Identifier: MIT */
/*
 * cache.c: filling and draining the frame caches.
 *
 * An empty cache gets a *batch* from the bits: under one hold of the zone's lock, from a few open
 * blocks at most. A full stack returns a batch to them. Frames, and runs shorter than a word, that
 * are neighbours in the stack and lie in one word of the bits go back by one atomic operation.
 * Below order 9 this needs the lock only where a block becomes full; blocks go back under it.
 */
#include "mm/cache.h"
#include "mm/buddy.h"
#include "mm/cpu.h"
#include "mm/debug.h"

MM_INTERNAL struct cpu_caches *frame_caches[MM_MAX_CPUS];
MM_INTERNAL unsigned int nr_cache_cpus;

/* The memory of the first CPUs, which nobody has to supply. */
_Static_assert(MM_STATIC_CPUS <= MM_MAX_CPUS, "the CPUs with static memory are some of all");
#if MM_STATIC_CPUS
static struct cpu_caches static_caches[MM_STATIC_CPUS];
#else
_Static_assert(!MM_STATIC_CPUS, "#if takes an enumerator for 0: MM_STATIC_CPUS must be a number");
#endif
static bool ready; /* there are zones for caches */

MM_INTERNAL struct frame_cache no_cache = { .state = CACHE_BUSY, .zone = &no_zone };

/*
 * The most words that one drain frees. Each may complete a block, which costs several times as much
 * as a word that does not.
 */
#define CACHE_DRAIN_WORDS  8

/* A drain that has looked at so many frames one by one gathers no more words. */
#define CACHE_DRAIN_SINGLY 32

/* One in so many of a zone's frames is the most that a stack of order 0 holds, and all caches. */
#define ZONE_PART          256
#define ZONE_PART_ALL      64

static uint64_t at_most(uint64_t n, uint64_t limit)
{
	return n < limit ? n : limit;
}

/*
 * Returns how many runs of an order from 1 to 9 a CPU's cache may hold in both stacks, if all
 * orders together may hold `share` frames: share / 2048 runs, which is a quarter of the frames at
 * order 9, an eighth at order 8, a sixteenth at order 7; of each lower order, 1/32 of the frames.
 */
static uint64_t runs_for(uint64_t share, uint64_t order)
{
	uint64_t few = share / (4 * BLOCK_FRAMES), many = share / 32 >> order;

	return at_most(few > many ? few : many, RUNS_MAX + RUNS_OUT);
}

/*
 * Sets what the two stacks of a CPU's cache may hold. All caches of a CPU and a zone together hold
 * at most `share` frames: 3/8 of it in order 0, at most 5/8 in the others.
 */
static void init_limits(struct frame_cache *cache, const struct zone *z, uint64_t share)
{
	uint64_t frames = share * 3 / 8, runs = runs_for(share, cache->order);

	if (cache->order) {
		cache->out_limit = (uint32_t)runs / 4;
		cache->limit = runs - cache->out_limit;
	} else {
		cache->limit = frames > 2ull * CACHE_OUT ? frames - CACHE_OUT : frames / 2;
		cache->limit = at_most(at_most(cache->limit, z->managed / ZONE_PART), CACHE_MAX);
		cache->out_limit = (uint32_t)at_most(cache->limit, CACHE_OUT);
	}
}

/* Returns how many of a zone's frames all caches of a CPU may hold together. */
static uint64_t share_of_cpu(const struct zone *z)
{
	return mm_debug ? 0 : z->managed / ZONE_PART_ALL / port_nr_cpus();
}

/* Sets the limits of a cache that is not shut; share is that of its zone: share_of_cpu(). */
static void set_limits(struct frame_cache *cache, uint64_t share)
{
	cache->limit = cache->out_limit = 0;
	if (share)
		init_limits(cache, cache->zone, share);
}

void cache_renew_limits(struct frame_cache *cache)
{
	set_limits(cache, share_of_cpu(cache->zone));
}

/*
 * Makes a cache, which is empty and nobody's, one of a zone and an order. share is that of the
 * zone. Returns the state that it has then.
 */
static uint64_t init_cache(struct frame_cache *cache, struct zone *z, unsigned int order,
			   uint64_t share)
{
	cache->keep_below = CACHE_END_ALL;
	cache->count = cache->nr_out = cache->shut = 0;
	cache->order = order;
	__atomic_store_n(&cache->zone, z, __ATOMIC_RELAXED);
	set_limits(cache, share);
	return state_allocated(z->id, order);
}

/* Returns the zone that gfp asks first on a node, of those that have memory to hand out. */
static struct zone *first_zone(int nid, gfp_t gfp)
{
	struct fallback f = fallback_of(nid, gfp);
	struct zone *z;

	while ((z = fallback_next(&f)))
		if (z->managed)
			return z;
	return &no_zone;
}

struct zone *gfp_zone(gfp_t gfp)
{
	return first_zone(numa_mem_id(), gfp);
}

/*
 * Returns whether a cache of zone z may serve a request with the flags gfp: the request may use the
 * reserve, the zone keeps none from it, or the bits have more than the reserve.
 */
static bool may_give(const struct zone *z, gfp_t gfp)
{
	return !zone_keep(z, gfp) || zone_spare(z, gfp);
}

/* Sets what depends on what the zone that GFP_KERNEL asks first keeps from such requests. */
static void set_orders(struct cache_table *table, unsigned int cpu)
{
	struct zone *z = table->asked;
	bool gives = may_give(z, GFP_KERNEL);

	/* A zone that keeps frames from such requests is not for the paths that do not ask. */
	__atomic_store_n(&table->first, zone_keep(z, GFP_KERNEL) || mm_debug ? &no_zone : z,
			 __ATOMIC_RELAXED);
	for_each_cache_order(order)
		__atomic_store_n(&table->for_order[order],
				 gives ? cache_of_zone(cpu, z, order) : &no_cache,
				 __ATOMIC_RELAXED);
}

/* Sets up a CPU's table, after its caches. */
static void init_table(struct cache_table *table, unsigned int cpu)
{
	table->home = cpu_homes[cpu];
	table->asked = first_zone(table->home, GFP_KERNEL);
	for (unsigned int i = 0; i <= GFP_ZONE_BITS; i++)
		table->for_gfp[i] = &no_cache;
	for (unsigned int type = 0; type < 1 << ZONE_TYPE_BITS; type++)
		table->of_type[type] = type < CACHE_TYPES ? cache_at(cpu, type, 0) : &no_cache;
	set_orders(table, cpu);
}

/* Sets up the caches of a CPU, which are nobody's, and its table. */
static void init_cpu(unsigned int cpu)
{
	struct frame_cache *away = &frame_caches[cpu]->away.cache;

	for (unsigned int type = 0; type < CACHE_TYPES; type++) {
		struct zone *z = node_zone(cpu_homes[cpu], type);
		uint64_t share = share_of_cpu(z);

		for_each_cache_order(order) {
			struct frame_cache *cache = cache_at(cpu, type, order);

			cache->state = init_cache(cache, z, order, share);
		}
	}
	away->state = init_cache(away, &no_zone, 0, 0);
	init_table(&frame_caches[cpu]->table, cpu);
}

/* Makes memory, which is zero, the caches of a CPU. */
static void give_memory(unsigned int cpu, struct cpu_caches *memory)
{
	frame_caches[cpu] = memory;
	if (ready)
		init_cpu(cpu);
	if (nr_cache_cpus <= cpu)
		__atomic_store_n(&nr_cache_cpus, cpu + 1, __ATOMIC_RELEASE);
}

void cache_init(void)
{
#if MM_STATIC_CPUS
	for (unsigned int cpu = 0; cpu < MM_STATIC_CPUS; cpu++)
		if (!frame_caches[cpu])
			give_memory(cpu, &static_caches[cpu]);
#endif
	for_each_cache_cpu(cpu)
		init_cpu(cpu);
	ready = true;
}

uint64_t mm_cpu_bytes(void)
{
	return sizeof(struct cpu_caches);
}

void mm_add_cpu(unsigned int cpu, void *memory)
{
	MM_ASSERT(cpu < MM_MAX_CPUS && !frame_caches[cpu]);
	give_memory(cpu, memory);
	if (!ready)
		return;
	/* Others may have brought a zone down to its reserve before they saw this CPU's table. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* see serve_from() */
	for_each_zone(z)
		if (zone_is_low(z))
			cache_withhold(z);
}

void mm_remove_cpu(unsigned int cpu)
{
	frame_caches[cpu] = NULL;
}

void cache_set_home(unsigned int cpu, int nid)
{
	if (frame_caches[cpu])
		__atomic_store_n(&frame_caches[cpu]->table.home, nid, __ATOMIC_RELAXED);
}

/*
 * Stores the addresses of the descriptors of a word's frames below top, the lowest frame's at the
 * highest place. Returns the lowest place written.
 */
static struct page **lay_down(struct page **top, const struct frame_word *w)
{
	struct page *base = pfn_to_page(w->first);

	if (w->bits == ~0ull) {
		_Pragma("GCC unroll 8") for (unsigned int i = 0; i < 64; i++) *--top = base + i;
		return top;
	}
	for (uint64_t left = w->bits; left; left &= left - 1)
		*--top = base + __builtin_ctzll(left);
	return top;
}

/*
 * Moves at most want frames of zone z from the bits to the cache of order 0, which has room for
 * them, so that the lowest of them is on top. It moves none that z keeps from requests with the
 * flags gfp, and may move fewer, or none. The caller has entered the cache.
 */
static void refill(struct frame_cache *cache, struct zone *z, gfp_t gfp, uint64_t want)
{
	struct frame_batch b;
	struct page **top;
	unsigned long flags;

	b.nr_frames = b.nr_words = 0;
	flags = port_lock_irqsave(&z->lock);
	b.want = (unsigned int)at_most(want, zone_spare(z, gfp));
	if (b.want) {
		buddy_take_words(z, &b);
		zone_sub_free(z, b.nr_frames);
	}
	port_unlock_irqrestore(&z->lock, flags);
	if (!b.nr_words)
		return;
	cache_count_write(&cache->count, cache->count + b.nr_frames);
	top = cache_pages(cache) + cache->count;
	for (unsigned int i = 0; i < b.nr_words; i++)
		top = lay_down(top, &b.word[i]);
	cache->keep_below = CACHE_END(b.word[b.nr_words - 1].first | (BLOCK_FRAMES - 1));
}

/*
 * Refills a cache of zone z if it has at most half of what a refill brings, and a request with the
 * flags gfp may take frames from the bits. Returns whether the cache has a frame then; false also
 * when it is busy. A cache with a few frames is refilled, too: otherwise two zones whose caches run
 * empty in turn would take each other's place again and again.
 */
static bool refill_if_low(struct frame_cache *cache, struct zone *z, gfp_t gfp)
{
	uint64_t state = cache_enter(cache), want;
	bool some;

	if (state == CACHE_BUSY)
		return false;
	want = at_most(cache->limit, CACHE_REFILL);
	if (cache->count <= want / 2 && zone_spare(z, gfp))
		refill(cache, z, gfp, want - cache->count);
	some = cache->count;
	cache_leave(cache, state);
	return some;
}

/* Returns whether a request with the flags gfp could have a frame if the bits had so many more. */
static bool may_have(const struct zone *z, gfp_t gfp, uint64_t more)
{
	return __atomic_load_n(&z->nr_free, __ATOMIC_RELAXED) + more > zone_keep(z, gfp);
}

/*
 * Makes a cache of zone z the one that requests look into first, by an entry of this CPU's table.
 * No reserve is checked when a cache serves. So if the bits have no more than the reserve, the
 * requests from which it is kept are turned away at once: this kind, too, if the present request
 * was served only because of __GFP_HIGH.
 *
 * Another CPU may be bringing the zone down to its reserve at this moment. Either this CPU sees the
 * other's nr_free, or the other sees this entry: each writes before the fence and reads after it.
 */
static void serve_from(struct frame_cache **entry, struct frame_cache *cache, const struct zone *z)
{
	__atomic_store_n(entry, cache, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (zone_is_low(z))
		cache_withhold(z);
}

/*
 * Makes an entry of a table that names a cache name none. It is written only if it does name the
 * cache, because other CPUs' entries lie in their lines.
 */
static void withhold_entry(struct frame_cache **entry, struct frame_cache *cache)
{
	if (__atomic_load_n(entry, __ATOMIC_RELAXED) == cache)
		__atomic_compare_exchange_n(entry, &cache, &no_cache, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
}

void cache_withhold(const struct zone *z)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* see serve_from() */
	for_each_cache_cpu(cpu) {
		struct cache_table *table = &frame_caches[cpu]->table;

		for (gfp_t bits = 0; bits <= GFP_ZONE_BITS; bits++)
			if (!may_give(z, bits))
				withhold_entry(&table->for_gfp[bits], cache_of_zone(cpu, z, 0));
		if (table->asked != z || may_give(z, GFP_KERNEL))
			continue;
		for (unsigned int order = 1; order < CACHE_ORDERS; order++)
			withhold_entry(&table->for_order[order], cache_at(cpu, z->type, order));
	}
}

void cache_reserves_changed(void)
{
	for_each_cache_cpu(cpu)
		set_orders(&frame_caches[cpu]->table, cpu);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* see serve_from() */
	for_each_zone(z)
		if (zone_is_low(z))
			cache_withhold(z);
}

static void drain_batch(struct frame_cache *cache, bool pages, uint64_t max);

/*
 * Makes the cache away one of zone z if it is empty; no request is sent to it then. A batch of what
 * it has of a zone that keeps all of that from requests is returned to the bits first. Returns the
 * cache; or &no_cache if it is busy or still has a frame of another zone, and wherever the caller
 * may have interrupted a use of it. Every use reads the state first and then marks the cache: if
 * the state changed in between, a frame of the new zone would get the old one's.
 */
static struct frame_cache *send_away(struct zone *z)
{
	struct frame_cache *away = &frame_caches[port_cpu_id()]->away.cache;
	uint64_t state;

	if (!port_may_wait())
		return &no_cache;
	state = cache_enter(away);
	if (state == CACHE_BUSY)
		return &no_cache;
	if (away->shut) {
		cache_leave(away, state);
		return &no_cache;
	}
	if (away->count && !may_give(away->zone, GFP_KERNEL))
		drain_batch(away, true, CACHE_MAX);
	while (!away->count && away->nr_out)
		drain_batch(away, false, CACHE_MAX);
	if (away->count) {
		cache_leave(away, state);
		return &no_cache;
	}
	withhold_entry(&frame_caches[port_cpu_id()]->table.for_gfp[GFP_KERNEL], away);
	cache_leave(away, init_cache(away, z, 0, share_of_cpu(z)));
	return away;
}

/*
 * Notes that the zone which is asked first has nothing to spare, and requests go to a cache away. A
 * CPU that gives the zone memory meanwhile sees the note, or this one sees the memory: each writes
 * before the fence and reads after it.
 */
static void spill(struct zone *z)
{
	__atomic_store_n(&z->spilled, true, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (zone_spare(z, GFP_KERNEL))
		zone_end_spill(z);
}

void zone_end_spill(struct zone *z)
{
	__atomic_store_n(&z->spilled, false, __ATOMIC_RELAXED);
	for_each_cache_cpu(cpu)
		if (frame_caches[cpu]->table.asked == z)
			withhold_entry(&frame_caches[cpu]->table.for_gfp[GFP_KERNEL],
				       &frame_caches[cpu]->away.cache);
}

struct frame_cache *cache_refill(gfp_t gfp)
{
	struct cache_table *table = &frame_caches[port_cpu_id()]->table;
	struct fallback f = fallback_of(numa_mem_id(), gfp);
	struct zone *z;

	while ((z = fallback_next(&f))) {
		bool home = cache_orders(port_cpu_id(), z) == CACHE_ORDERS;
		struct frame_cache *cache = cache_of_zone(port_cpu_id(), z, 0);
		uint64_t spare = zone_spare(z, gfp);

		if (!spare && (zone_keep(z, gfp) || cache == &no_cache))
			continue;
		if (!home && gfp_type(gfp) != gfp_type(GFP_KERNEL))
			return NULL;
		if (cache == &no_cache)
			cache = send_away(z);
		if (cache->limit && refill_if_low(cache, z, gfp)) {
			serve_from(&table->for_gfp[gfp & GFP_ZONE_BITS], cache, z);
			if (!home)
				spill(table->asked);
			return cache;
		}
		/* A busy cache, or none at all, is no reason to go to another zone. */
		if (spare || cache->state == CACHE_BUSY)
			return NULL;
	}
	return NULL;
}

struct page *cache_alloc_away(int nid)
{
	struct frame_cache *away = &frame_caches[port_cpu_id()]->away.cache;
	struct zone *z = first_zone(nid, GFP_KERNEL);
	struct page *page = NULL;

	if (z->node != nid || !may_give(z, GFP_KERNEL))
		return NULL;
	if (cache_zone(away) == z)
		page = cache_pop(away);
	if (page || !zone_spare(z, GFP_KERNEL))
		return page;
	if (cache_zone(away) != z)
		away = send_away(z);
	return away->limit && refill_if_low(away, z, GFP_KERNEL) ? cache_pop(away) : NULL;
}

/*
 * Stores the addresses of the heads of a word's runs below top, the lowest run's at the highest
 * place. Returns the lowest place written.
 */
mm_always_inline struct page **lay_down_runs(struct page **top, const struct frame_word *w,
					     unsigned int order)
{
	unsigned int shift = order == BLOCK_ORDER ? BLOCK_ORDER : 0;

	if (order < BITMAP_WORD_SHIFT && w->bits == bitmap_run_starts[order]) {
		struct page *page = pfn_to_page(w->first);

		const struct page *end = page + BITMAP_WORD_FRAMES;

		for (; page != end; page += (pfn_t)1 << order)
			*--top = page;
		return top;
	}
	for (uint64_t left = w->bits; left; left &= left - 1)
		*--top = pfn_to_page(w->first + ((pfn_t)__builtin_ctzll(left) << shift));
	return top;
}

/* Clears the first state words of blocks: one that was never open may have anything there. */
static void clear_block_states(const struct run_batch *b)
{
	for (unsigned int i = 0; i < b->nr_words; i++)
		for (uint64_t left = b->word[i].bits; left; left &= left - 1)
			state_write(pfn_to_page(b->word[i].first +
						((pfn_t)__builtin_ctzll(left) << BLOCK_ORDER)),
				    0);
}

/*
 * Takes at most want runs of the cache's order from the bits of zone z, and none that z keeps from
 * requests with the flags gfp, into the cache, which is empty, so that the lowest is on top. The
 * caller has entered the cache.
 */
static void refill_runs(struct frame_cache *cache, struct zone *z, gfp_t gfp, unsigned int want)
{
	unsigned int order = (unsigned int)cache->order;
	struct page **bottom = cache_pages(cache), **top;
	struct run_batch b;
	unsigned long flags;

	_Static_assert(RUNS_REFILL <= MAX_BATCH_RUNS, "a refill is one batch");
	b.nr_runs = b.nr_words = 0;
	flags = port_lock_irqsave(&z->lock);
	buddy_begin(z);
	if (zone_keep(z, gfp))
		want = (unsigned int)at_most(want, zone_spare(z, gfp) >> order);
	b.want = want; /* 0 if the cache was shut meanwhile */
	buddy_take_runs(z, order, &b);
	zone_sub_free(z, (uint64_t)b.nr_runs << order);
	if (order == BLOCK_ORDER)
		clear_block_states(&b);
	port_unlock_irqrestore(&z->lock, flags);
	if (!b.nr_runs)
		return;
	cache_count_write(&cache->count, b.nr_runs);
	top = bottom + b.nr_runs;
	for (unsigned int i = 0; i < b.nr_words; i++)
		top = lay_down_runs(top, &b.word[i], order);
	cache_keep_below(cache, page_to_pfn(*bottom));
}

struct page *cache_alloc_run(gfp_t gfp, unsigned int order)
{
	struct cache_table *table = &frame_caches[port_cpu_id()]->table;
	struct zone *z = gfp_type(gfp) == gfp_type(GFP_KERNEL) ? table->asked : gfp_zone(gfp);
	struct frame_cache *cache = cache_of_zone(port_cpu_id(), z, order);
	struct page *page;
	uint64_t state;

	if (!may_give(z, gfp))
		return NULL;
	page = cache_pop(cache);
	if (page || !cache->limit)
		return page;
	state = cache_enter(cache);
	if (state == CACHE_BUSY)
		return NULL;
	if (!cache->count) /* an interrupt handler may have refilled it since */
		refill_runs(cache, z, gfp, (unsigned int)(cache->limit + 1) / 2);
	cache_leave(cache, state);
	if (zone_keep(z, gfp) && gfp_type(gfp) == gfp_type(GFP_KERNEL))
		serve_from(&table->for_order[order], cache, z);
	else if (zone_is_low(z))
		cache_withhold(z);
	return cache_pop(cache);
}

struct page *cache_refill_run(struct frame_cache *cache)
{
	uint64_t state = cache_enter(cache);

	if (state == CACHE_BUSY)
		return NULL;
	if (!cache->count) /* an interrupt handler may have refilled it since */
		refill_runs(cache, cache->zone, GFP_KERNEL, (unsigned int)(cache->limit + 1) / 2);
	cache_leave(cache, state);
	return cache_pop(cache);
}

/* Returns whether the nine frames from the top of a stack down are next and those before it. */
static bool nine_follow(struct page *const *top, const struct page *next)
{
#pragma GCC unroll 9
	for (unsigned int i = 0; i < 9; i++)
		if (*(top - i) != next - i)
			return false;
	return true;
}

/*
 * Returns the length of the run of consecutive frames on top of the stack, at most max; frames
 * freed in rising order form one.
 */
static unsigned int top_run(struct page *const *top, unsigned int max)
{
	const struct page *next = *top - 1;
	struct page *const *at = top - 1, *const *end = top - max;

	/* A drain spends most of its instructions here. A word has 7 * 9 frames below its last. */
	for (; at > end + 8 && nine_follow(at, next); at -= 9)
		next -= 9;
	for (; at != end && *at == next; at--)
		next--;
	return (unsigned int)(top - at);
}

/* Returns whether a frame lies in the word of the bits that begins with frame first. */
static bool in_word(const struct page *page, pfn_t first)
{
	uintptr_t offset = (uintptr_t)page - (uintptr_t)pfn_to_page(first);

	return offset < BITMAP_WORD_FRAMES * sizeof(struct page);
}

/*
 * Gathers the topmost frames of a stack that lie in one word of the bits, at most max. Returns how
 * many they are. Adds to *singly how many of these it had to look at one by one. Panics when one of
 * them is there twice.
 */
static unsigned int gather_word(struct page *const *top, unsigned int max, struct frame_word *w,
				unsigned int *singly)
{
	pfn_t pfn = page_to_pfn(*top), first = pfn & ~(BITMAP_WORD_FRAMES - 1);
	unsigned int child = (unsigned int)(pfn - first), run, n;
	uint64_t bits;

	if (max == 1 || !in_word(*(top - 1), first)) {
		*w = (struct frame_word){ first, 1ull << child };
		return 1;
	}
	run = top_run(top, max <= child ? max : child + 1);
	bits = (~0ull >> (64 - run)) << (child + 1 - run);
	for (n = run; n < max; n++) {
		if (!in_word(*(top - n), first))
			break;
		bits |= 1ull << (page_to_pfn(*(top - n)) - first);
	}
	if (n != run && bitmap_word_weight(bits) != n)
		port_panic("one of the 64 frames from 0x%llx on is in a cache twice",
			   (unsigned long long)first);
	*w = (struct frame_word){ first, bits };
	*singly += n - run;
	return n;
}

/*
 * Gathers the topmost runs of a stack, of an order from 1 to 5, that lie in the word of the bits
 * that begins with frame first, and sets *bits to theirs. Returns where the next one is; end at
 * most. Panics when two of them overlap.
 */
__attribute__((__noinline__)) static struct page *const *gather_runs(struct page *const *top,
								     struct page *const *end,
								     unsigned int order,
								     pfn_t first, uint64_t *bits)
{
	uint64_t mask = bitmap_run_bits[order];

	*bits = 0;
	do {
		uint64_t more = mask << page_to_pfn(*top) % BITMAP_WORD_FRAMES;

		if (*bits & more)
			port_panic("one of the 64 frames from 0x%llx on is in a cache twice",
				   (unsigned long long)first);
		*bits |= more;
	} while (--top != end && in_word(*top, first));
	return top;
}

/*
 * Returns where a stack goes on below its topmost runs if these are all of the word that begins
 * with frame first, as runs that were freed in rising order are; NULL if they are not.
 */
mm_always_inline struct page *const *below_word(struct page *const *top, struct page *const *end,
						unsigned int order, pfn_t first)
{
	const struct page *low = pfn_to_page(first), *next = low + BITMAP_WORD_FRAMES;
	ptrdiff_t nr = (ptrdiff_t)(BITMAP_WORD_FRAMES >> order);

	if (top - end < nr)
		return NULL;
	do {
		next -= (pfn_t)1 << order;
		if (*top-- != next)
			return NULL;
	} while (next != low);
	return top;
}

/*
 * Moves runs of an order from 1 to 5 from the top of a stack to the bits, at most max. Returns how
 * many they are.
 */
static unsigned int put_runs_of_words(struct zone *z, struct page *const *top, unsigned int max,
				      unsigned int order)
{
	struct page *const *at = top, *const *end = top - max;
	unsigned int nr = 0, raised = 0;

	while (at != end && nr++ < CACHE_DRAIN_WORDS && raised < BUDDY_MAX_RAISED) {
		pfn_t pfn = page_to_pfn(*at), first = run_start(pfn, BITMAP_WORD_SHIFT);
		uint64_t bits = bitmap_run_mask(frame_of(pfn), order);
		struct page *const *next = at - 1;

		if (next != end && in_word(*next, first)) {
			bits = BITMAP_WORD_FULL;
			next = below_word(at, end, order, first);
			if (!next)
				next = gather_runs(at, end, order, first, &bits);
		}
		raised += buddy_put_word(z, first, bits, (uint64_t)(at - next) << order);
		at = next;
	}
	return (unsigned int)(top - at);
}

/* Moves frames from the top of a stack to the bits, at most max. Returns how many they are. */
static unsigned int put_words(struct zone *z, struct page *const *top, unsigned int max)
{
	struct frame_word word[CACHE_DRAIN_WORDS];
	unsigned int sum[CACHE_DRAIN_WORDS]; /* frames in this word and those before it */
	unsigned int n = 0, nr = 0, singly = 0;

	do {
		n += gather_word(top - n, max - n, &word[nr], &singly);
		sum[nr++] = n;
	} while (n < max && nr < CACHE_DRAIN_WORDS && singly < CACHE_DRAIN_SINGLY);
	return sum[buddy_put_words(z, word, nr, n) - 1];
}

/*
 * Moves runs of an order from 6 to 8 from the top of a stack to the bits, at most max.
 * Returns how many they are.
 */
static unsigned int put_runs(struct zone *z, struct page *const *top, unsigned int max,
			     unsigned int order)
{
	unsigned int n;

	for (n = 0; n < max && n << order < CACHE_DRAIN_WORDS * BITMAP_WORD_FRAMES; n++)
		buddy_put_frames(z, page_to_pfn(*(top - n)), order);
	return n;
}

/* The most blocks that one hold of the lock frees. */
#define MAX_BATCH_BLOCKS 3

/*
 * Moves blocks from the top of a stack to the bits of their gibs, at most max. Returns how many
 * they are.
 */
static unsigned int put_blocks(struct zone *z, struct page *const *top, unsigned int max)
{
	unsigned long flags = port_lock_irqsave(&z->lock);
	unsigned int n;

	for (n = 0; n < max && n < MAX_BATCH_BLOCKS; n++) {
		pfn_t pfn = page_to_pfn(*(top - n));

		buddy_unmark(z, pfn, BLOCK_ORDER);
		buddy_merge(z, pfn, BLOCK_ORDER);
	}
	zone_add_free(z, n * BLOCK_FRAMES);
	port_unlock_irqrestore(&z->lock, flags);
	return n;
}

/*
 * Returns a batch from the top of one of the two stacks of a cache, *pages* or *out*, to the bits:
 * at most max runs, CACHE_DRAIN frames of order 0, half of the limit of other orders. Below order 9
 * these are no more than lie in CACHE_DRAIN_WORDS words, because a frame that lies alone costs as
 * much as a whole word.
 */
static void drain_batch(struct frame_cache *cache, bool pages, uint64_t max)
{
	unsigned int order = (unsigned int)cache->order, n;
	struct zone *z = cache->zone;
	uint64_t *count = pages ? &cache->count : &cache->nr_out;
	struct page *const *top = (pages ? cache_pages(cache) : cache_out(cache)) + *count - 1;

	max = at_most(max, order ? (cache->limit + 1) / 2 : CACHE_DRAIN);
	n = (unsigned int)at_most(*count, max);
	if (!order)
		n = put_words(z, top, n);
	else if (order < BITMAP_WORD_SHIFT)
		n = put_runs_of_words(z, top, n, order);
	else if (order < BLOCK_ORDER)
		n = put_runs(z, top, n, order);
	else
		n = put_blocks(z, top, n);
	cache_count_write(count, *count - n);
}

void cache_empty(struct frame_cache *cache)
{
	while (cache->count)
		drain_batch(cache, true, CACHE_MAX);
	while (cache->nr_out)
		drain_batch(cache, false, CACHE_MAX);
}

void cache_bad_pin(const struct frame_cache *cache)
{
	unsigned int whose = MM_MAX_CPUS;

	for_each_cache_cpu(cpu)
		if ((uintptr_t)cache - (uintptr_t)frame_caches[cpu] < sizeof(struct cpu_caches))
			whose = cpu;
	port_panic(
	    "a frame cache of CPU %u is in use on CPU %u: port_pin() did not keep the thread on "
	    "its CPU",
	    whose, port_cpu_id());
}

void free_raced(const struct page *page)
{
	pfn_t pfn = page_to_pfn(page);

	page_owner_print(pfn, NULL);
	port_panic("free of frame 0x%llx: another CPU freed it at the same moment",
		   (unsigned long long)pfn);
}

struct frame_cache *cache_find(uint64_t state, unsigned int order)
{
	return cache_of_zone(port_cpu_id(), state_zone(state), order);
}

bool cache_free(struct frame_cache *cache, struct page *page, uint64_t state)
{
	bool keep = CACHE_PLACE(page) < cache->keep_below;
	uint64_t *count = keep ? &cache->count : &cache->nr_out;
	uint64_t limit;

	if (state != cache->state)
		return false;
	cache_mark(cache);
	limit = keep ? cache->limit : cache->out_limit;
	if (!limit) {
		cache_leave(cache, state);
		return false;
	}
	if (*count == limit)
		drain_batch(cache, keep, CACHE_MAX);
	if (!page_release(page, &state))
		free_raced(page);
	(keep ? cache_pages(cache) : cache_out(cache))[*count] = page;
	cache_count_write(count, *count + 1);
	cache_leave(cache, state);
	return true;
}

/* Takes a frame out of a cache of order 0, which the caller has entered and which is not empty. */
static struct page *take_frame(struct frame_cache *cache, uint64_t state)
{
	uint64_t *count = cache->count ? &cache->count : &cache->nr_out;
	struct page *page = (cache->count ? cache_pages(cache) : cache_out(cache))[*count - 1];

	cache_count_write(count, *count - 1);
	state_write(page, state);
	return page;
}

struct page *cache_take_last(int nid, gfp_t gfp)
{
	struct page *page = NULL;
	struct fallback f;
	struct zone *z;
	unsigned long pin = port_pin();

	for (f = fallback_of(nid, gfp); !page && (z = fallback_next(&f));) {
		struct frame_cache *cache = cache_of_zone(port_cpu_id(), z, 0);
		uint64_t state = cache_enter(cache);

		if (state == CACHE_BUSY)
			continue;
		if (cache->count + cache->nr_out && may_have(z, gfp, cache->count + cache->nr_out))
			page = take_frame(cache, state);
		cache_leave(cache, state);
	}
	port_unpin(pin);
	return page;
}

/* Returns how many frames this CPU's caches of a zone have. */
static uint64_t own_frames(const struct zone *z)
{
	struct frame_cache *cache;
	uint64_t sum = 0;

	for_each_cache_of(port_cpu_id(), z, cache)
		sum += (cache->count + cache->nr_out) << cache->order;
	return sum;
}

/*
 * Returns a batch, at most max runs, from this CPU's caches of zone z to the bits. Returns whether
 * there was one.
 */
static bool drain_zone(struct zone *z, uint64_t max)
{
	struct frame_cache *cache;

	for_each_cache_of(port_cpu_id(), z, cache) {
		uint64_t state;
		bool some;

		if (!(cache->count + cache->nr_out))
			continue;
		state = cache_enter(cache);
		if (state == CACHE_BUSY)
			continue;
		some = cache->count + cache->nr_out;
		if (some)
			drain_batch(cache, cache->count, max);
		cache_leave(cache, state);
		if (some)
			return true;
	}
	return false;
}

bool cache_drain_for(int nid, gfp_t gfp, unsigned int order)
{
	uint64_t max = order ? CACHE_MAX : 1;
	bool some = false;
	struct fallback f;
	struct zone *z;
	unsigned long pin = port_pin();

	for (f = fallback_of(nid, gfp); !some && (z = fallback_next(&f));) {
		if (!zone_keep(z, gfp) || may_have(z, gfp, own_frames(z)))
			some = drain_zone(z, max);
	}
	port_unpin(pin);
	return some;
}

uint64_t cache_frames(const struct zone *z)
{
	struct frame_cache *cache;
	uint64_t sum = 0;

	for_each_cache_cpu(cpu)
		for_each_cache_of(cpu, z, cache)
			sum += (__atomic_load_n(&cache->count, __ATOMIC_RELAXED) +
				__atomic_load_n(&cache->nr_out, __ATOMIC_RELAXED))
			       << cache->order;
	return sum;
}
