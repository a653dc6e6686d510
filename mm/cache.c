/* SPDX-License-Identifier: MIT */
/*
 * cache.c: filling and draining the frame caches.
 *
 * The zone's lock is held for one *batch* of frames at a time. A batch comes from a few open blocks
 * at most, and goes back grouped by word: frames of one word of the bits that are neighbours in the
 * stack are one operation.
 */
#include "mm/cache.h"
#include "mm/buddy.h"
#include "mm/debug.h"

struct frame_cache frame_caches[MM_MAX_CPUS][MAX_NR_ZONES];
struct cache_table cache_tables[MM_MAX_CPUS];

/* Stands where no cache serves. It is busy for ever, so that no CPU writes to it. */
static struct frame_cache no_cache = { .state = CACHE_BUSY };

/* Beyond the descriptors of all frames: every frame is kept. */
#define KEEP_ALL          ((const struct page *)UINTPTR_MAX)

/*
 * The most words that one drain frees. Each may complete a block, which costs several times as much
 * as a word that does not.
 */
#define CACHE_DRAIN_WORDS 8

/* One in so many frames of a zone is the most that pages[] of a cache holds, and all caches. */
#define ZONE_PART         256
#define ZONE_PART_ALL     64

static uint64_t at_most(uint64_t n, uint64_t limit)
{
	return n < limit ? n : limit;
}

static void init_table(struct cache_table *table, struct frame_cache caches[MAX_NR_ZONES])
{
	for (unsigned int i = 0; i <= GFP_ZONE_BITS; i++)
		table->for_gfp[i] = &no_cache;
	for (unsigned int i = 0; i <= STATE_ZONE_MASK; i++)
		table->of_zone[i] = i < MAX_NR_ZONES ? &caches[i] : &no_cache;
}

/*
 * Returns the limit of a CPU's cache of the zone. Beside so many pages it may hold as many in its
 * out stack, up to CACHE_OUT.
 */
static uint64_t cache_limit(const struct zone *z)
{
	uint64_t both = z->managed / ZONE_PART_ALL / port_nr_cpus();
	uint64_t limit = both > 2ull * CACHE_OUT ? both - CACHE_OUT : both / 2;

	return at_most(at_most(limit, z->managed / ZONE_PART), CACHE_MAX);
}

void cache_init(void)
{
	for (unsigned int cpu = 0; cpu < MM_MAX_CPUS; cpu++) {
		init_table(&cache_tables[cpu], frame_caches[cpu]);
		for (unsigned int i = 0; i < MAX_NR_ZONES; i++) {
			struct frame_cache *cache = &frame_caches[cpu][i];

			cache->state = zones[i].state;
			cache->keep_below = KEEP_ALL;
			cache->count = 0;
			cache->nr_out = 0;
			cache->shut = 0;
			cache->limit = mm_debug ? 0 : cache_limit(&zones[i]);
		}
	}
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
 * Moves at most want frames of zone z from the bits to the cache, which has room for them, so that
 * the lowest of them is on top. It moves none that z keeps from requests with the flags gfp, and
 * may move fewer, or none. The caller has entered the cache.
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
	top = cache->pages + cache->count;
	for (unsigned int i = 0; i < b.nr_words; i++)
		top = lay_down(top, &b.word[i]);
	cache->keep_below = pfn_to_page((b.word[b.nr_words - 1].first | (BLOCK_FRAMES - 1)) + 1);
}

/*
 * Refills a cache of zone z if it has at most half of what a refill brings, and a request with the
 * flags gfp may take frames from the bits. Returns whether the cache has a frame then; false also
 * when it is busy. A cache with a few frames is refilled, too: otherwise two zones whose caches run
 * empty in turn would take each other's place again and again.
 */
static bool refill_if_low(struct frame_cache *cache, struct zone *z, gfp_t gfp)
{
	uint64_t want = at_most(cache->limit, CACHE_REFILL);
	uint64_t state = cache_enter(cache);
	bool some;

	if (state == CACHE_BUSY)
		return false;
	if (cache->count <= want / 2 && zone_spare(z, gfp))
		refill(cache, z, gfp, want - cache->count);
	some = cache->count;
	cache_leave(cache, state);
	return some;
}

/*
 * Returns whether a cache of zone z may serve a request with the flags gfp: the request may use the
 * reserve, the zone keeps none from it, or the bits have more than the reserve.
 */
static bool may_give(const struct zone *z, gfp_t gfp)
{
	return !zone_keep(z, gfp) || zone_spare(z, gfp);
}

/*
 * Makes this CPU's cache of zone z the one that requests with the zone bits of gfp look into first.
 * No reserve is checked when a cache serves. So if the bits have no more than the reserve, the
 * requests from which it is kept are turned away at once: this kind, too, if the present request
 * was served only because of __GFP_HIGH.
 *
 * Another CPU may be bringing the zone down to its reserve at this moment. Either this CPU sees the
 * other's nr_free, or the other sees this entry: each writes before the fence and reads after it.
 */
static void serve_from(struct frame_cache *cache, const struct zone *z, gfp_t gfp)
{
	__atomic_store_n(&cache_tables[port_cpu_id()].for_gfp[gfp & GFP_ZONE_BITS], cache,
			 __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (zone_is_low(z))
		cache_withhold(z);
}

void cache_withhold(const struct zone *z)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* see serve_from() */
	for (gfp_t bits = 0; bits <= GFP_ZONE_BITS; bits++) {
		if (may_give(z, bits))
			continue;
		for (unsigned int cpu = 0; cpu < MM_MAX_CPUS; cpu++) {
			struct frame_cache *cache = &frame_caches[cpu][z->id];

			__atomic_compare_exchange_n(&cache_tables[cpu].for_gfp[bits], &cache,
						    &no_cache, false, __ATOMIC_RELAXED,
						    __ATOMIC_RELAXED);
		}
	}
}

struct frame_cache *cache_refill(gfp_t gfp)
{
	for (struct zone *z = gfp_zone(gfp); z >= zones; z--) {
		struct frame_cache *cache = &frame_caches[port_cpu_id()][z->id];
		uint64_t spare = zone_spare(z, gfp);

		if (!spare && zone_keep(z, gfp))
			continue;
		if (cache->limit && refill_if_low(cache, z, gfp)) {
			serve_from(cache, z, gfp);
			return cache;
		}
		/* A busy cache, or none at all, is no reason to go to a lower zone. */
		if (spare || cache->state == CACHE_BUSY)
			return NULL;
	}
	return NULL;
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

/*
 * Gathers the topmost frames of a stack that lie in one word of the bits, at most max. Returns how
 * many they are. Panics when one of them is there twice.
 */
static unsigned int gather_word(struct page *const *top, unsigned int max, struct frame_word *w)
{
	pfn_t pfn = page_to_pfn(*top), first = pfn & ~(BITMAP_WORD_FRAMES - 1);
	unsigned int child = (unsigned int)(pfn - first);
	unsigned int run = top_run(top, max <= child ? max : child + 1), n;
	uint64_t bits = (~0ull >> (64 - run)) << (child + 1 - run);

	for (n = run; n < max; n++) {
		const struct page *page = *(top - n);
		uintptr_t offset = (uintptr_t)page - (uintptr_t)pfn_to_page(first);

		if (offset >= BITMAP_WORD_FRAMES * sizeof(struct page))
			break;
		bits |= 1ull << (offset / sizeof(struct page) % 64);
	}
	if (n != run && bitmap_word_weight(bits) != n)
		panic("one of the 64 frames from 0x%llx on is in a cache twice",
		      (unsigned long long)first);
	*w = (struct frame_word){ first, bits };
	return n;
}

/*
 * Returns a batch of frames from the top of a stack to the bits: at most CACHE_DRAIN, and as many
 * as lie in CACHE_DRAIN_WORDS words. A frame that lies alone costs as much as a whole word.
 */
static void drain_batch(struct zone *z, struct page *const *stack, uint64_t *count)
{
	unsigned int max = (unsigned int)at_most(*count, CACHE_DRAIN);
	struct frame_word word[CACHE_DRAIN_WORDS];
	unsigned int frames = 0, nr;

	for (nr = 0; frames < max && nr < CACHE_DRAIN_WORDS; nr++)
		frames += gather_word(&stack[*count - 1 - frames], max - frames, &word[nr]);
	cache_count_write(count, *count - frames);
	buddy_put_words(z, word, nr);
}

void free_raced(const struct page *page)
{
	pfn_t pfn = page_to_pfn(page);

	page_owner_print(pfn, printk);
	panic("free of frame 0x%llx: another CPU freed it at the same moment",
	      (unsigned long long)pfn);
}

/* Puts a frame on one of the two stacks and leaves the cache. Returns true. */
static bool push_frame(struct frame_cache *cache, uint64_t state, struct page *page, bool keep)
{
	struct page **stack = keep ? cache->pages : cache->out;
	uint64_t *count = keep ? &cache->count : &cache->nr_out;

	MM_ASSERT(*count < (keep ? CACHE_MAX : CACHE_OUT));
	if (!page_release(page, &state))
		free_raced(page);
	stack[*count] = page;
	cache_count_write(count, *count + 1);
	cache_leave(cache, state);
	return true;
}

__attribute__((noinline)) static bool drain_and_push(struct frame_cache *cache, uint64_t state,
						     struct page *page, bool keep)
{
	if (keep)
		drain_batch(state_zone(state), cache->pages, &cache->count);
	else
		drain_batch(state_zone(state), cache->out, &cache->nr_out);
	return push_frame(cache, state, page, keep);
}

bool cache_free(struct page *page)
{
	uint64_t state = state_read(page);
	struct frame_cache *cache = cache_of(page);
	bool keep = page < cache->keep_below;

	if (state != cache->state || !cache->limit)
		return false;
	cache_mark(cache);
	if (keep ? cache->count == cache->limit : cache->nr_out == at_most(cache->limit, CACHE_OUT))
		return drain_and_push(cache, state, page, keep);
	return push_frame(cache, state, page, keep);
}

/*
 * Shuts a cache of this CPU, once more if it is shut already. Returns false when it is in use. With
 * interrupts on, another CPU's request could come between reading the count and writing it.
 */
static bool shut_cache(struct frame_cache *cache, struct zone *z)
{
	unsigned long flags = port_irq_save();
	bool again = cache->shut;

	if (again)
		cache->shut++;
	port_irq_restore(flags);
	if (again)
		return true;
	if (cache_enter(cache) == CACHE_BUSY)
		return false;
	while (cache->count)
		drain_batch(z, cache->pages, &cache->count);
	while (cache->nr_out)
		drain_batch(z, cache->out, &cache->nr_out);
	cache->shut = 1; /* until now nobody else could shut it: it was busy */
	return true;
}

static void shut_here(void *argument)
{
	struct cache_shut *s = argument;
	unsigned int cpu = port_cpu_id();

	for_each_zone(z) {
		unsigned int bit = 1u << z->id;

		if (s->caches[cpu] & bit)
			continue;
		if (shut_cache(&frame_caches[cpu][z->id], z))
			s->caches[cpu] |= (uint8_t)bit;
		else
			__atomic_store_n(&s->busy, true, __ATOMIC_RELAXED);
	}
}

static void reopen_here(void *argument)
{
	const struct cache_shut *s = argument;
	unsigned int cpu = port_cpu_id();
	unsigned long flags = port_irq_save();

	for_each_zone(z) {
		struct frame_cache *cache = &frame_caches[cpu][z->id];

		if (s->caches[cpu] & 1u << z->id && !--cache->shut)
			cache_leave(cache, z->state);
	}
	port_irq_restore(flags);
}

/* Returns whether the caller has interrupted the use of a cache on its own CPU. */
static bool cache_interrupted(void)
{
	bool interrupted = false;

	port_pin();
	for_each_zone(z) {
		const struct frame_cache *cache = &frame_caches[port_cpu_id()][z->id];

		interrupted |= cache->state == CACHE_BUSY && !cache->shut;
	}
	port_unpin();
	return interrupted;
}

void cache_shut(struct cache_shut *s, bool all)
{
	bool wait;

	memset(s, 0, sizeof(*s));
	s->all = all && port_may_wait();
	if (!s->all) {
		port_pin();
		shut_here(s);
		return;
	}
	wait = !cache_interrupted();
	port_on_each_cpu(shut_here, s);
	while (s->busy && wait) {
		port_cpu_relax();
		s->busy = false;
		port_on_each_cpu(shut_here, s);
	}
}

void cache_reopen(struct cache_shut *s)
{
	if (s->all) {
		port_on_each_cpu(reopen_here, s);
		return;
	}
	reopen_here(s);
	port_unpin();
}

uint64_t cache_frames(const struct zone *z)
{
	uint64_t sum = 0;

	for (unsigned int cpu = 0; cpu < MM_MAX_CPUS; cpu++) {
		const struct frame_cache *cache = &frame_caches[cpu][z->id];

		sum += __atomic_load_n(&cache->count, __ATOMIC_RELAXED) +
		       __atomic_load_n(&cache->nr_out, __ATOMIC_RELAXED);
	}
	return sum;
}
