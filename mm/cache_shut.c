/* SPDX-License-Identifier: MIT */
/*
 * cache_shut.c: shuts the frame caches of all CPUs, or of one, and takes frames out of them that
 * are to be forgotten.
 *
 * Each CPU does it for its own caches, in an interrupt handler where another CPU asks for it. So it
 * may come between any two instructions of a cache's use: cache.h, struct cache_shut.
 */
#include "mm/cache.h"
#include "mm/cpu.h"

/*
 * Shuts a cache of this CPU, once more if it is shut already. Returns false when it is in use. With
 * interrupts on, another CPU's request could come between reading the count of requests and writing
 * it.
 */
static bool shut_cache(struct frame_cache *cache)
{
	uint64_t state = cache_enter(cache);
	unsigned long flags;

	if (state == CACHE_BUSY)
		return false;
	cache_empty(cache);
	flags = port_irq_save();
	if (!cache->shut++) {
		cache->open_limit = (uint16_t)cache->limit;
		cache->open_out_limit = (uint16_t)cache->out_limit;
	}
	cache->limit = cache->out_limit = 0;
	port_irq_restore(flags);
	cache_leave(cache, state);
	return true;
}

/*
 * Returns whether a request has to shut a cache. With a limit of 0 a cache has nothing, but may get
 * something when other requests reopen it; and the one away may get another zone, unless the
 * request is for one node.
 */
static bool concerns(const struct cache_shut *s, const struct frame_cache *cache, bool away)
{
	const struct zone *z = cache->zone;

	if (away && s->node == NUMA_NO_NODE)
		return true;
	return (cache->limit || cache->shut) && (int)z->type <= s->highest &&
	       (s->node == NUMA_NO_NODE || z->node == s->node);
}

/* Shuts this CPU's caches for a request, except those that it has shut already. */
static void shut_here(void *argument)
{
	struct cache_shut *s = argument;
	unsigned int cpu = port_cpu_id();

	(void)cpu_own_caches(); /* panics if mm_add_cpu() was forgotten */
	for_each_cache(i) {
		struct frame_cache *cache = cache_number(cpu, i);

		if (s->caches[cpu] >> i & 1 || !concerns(s, cache, i == CACHE_AWAY))
			continue;
		if (shut_cache(cache))
			s->caches[cpu] |= 1u << i;
		else
			__atomic_store_n(&s->busy, true, __ATOMIC_RELAXED);
	}
}

/* Ends what a request has shut on this CPU. */
static void reopen_here(void *argument)
{
	const struct cache_shut *s = argument;
	unsigned int cpu = port_cpu_id();
	unsigned long flags = port_irq_save();

	for_each_cache(i) {
		struct frame_cache *cache = cache_number(cpu, i);

		if (!(s->caches[cpu] >> i & 1))
			continue;
		MM_ASSERT(cache->shut);
		if (!--cache->shut) {
			cache->limit = cache->open_limit;
			cache->out_limit = cache->open_out_limit;
			if (s->renew)
				cache_renew_limits(cache);
		}
	}
	port_irq_restore(flags);
}

/* Returns whether the caller has interrupted the use of a cache on its own CPU. */
static bool cache_interrupted(void)
{
	bool interrupted = false;
	unsigned long pin = port_pin();

	for_each_cache(i)
		interrupted |= cache_number(port_cpu_id(), i)->state == CACHE_BUSY;
	port_unpin(pin);
	return interrupted;
}

void cache_shut(struct cache_shut *s, bool all, int highest, int node)
{
	bool wait;

	s->busy = s->renew = false;
	s->highest = highest;
	s->node = node;
	s->all = all && port_may_wait();
	if (!s->all) {
		s->pin = port_pin();
		s->caches[port_cpu_id()] = 0;
		shut_here(s);
		return;
	}
	/* A CPU that comes before the end is asked to reopen its caches, and has shut none. */
	memset(s->caches, 0, sizeof(s->caches));
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
	port_unpin(s->pin);
}

/* Another request that keeps a cache shut meanwhile reopens it with the limits that it had. */
void mm_divide_caches(void)
{
	struct cache_shut shut;

	cache_shut(&shut, true, ZONE_HOTPLUG, NUMA_NO_NODE);
	shut.renew = true;
	cache_reopen(&shut);
}

/* What cache_forget() asks of every CPU. */
struct forgotten {
	pfn_t start, end;
	bool busy; /* a cache was in use when its CPU was asked last */
};

/* Returns how many of so many entries of a stack remain without those that are forgotten. */
static uint64_t forget_entries(struct page **stack, uint64_t count, const struct forgotten *f)
{
	uint64_t left = 0;

	for (uint64_t i = 0; i < count; i++) {
		pfn_t pfn = page_to_pfn(stack[i]);

		if (pfn < f->start || pfn >= f->end)
			stack[left++] = stack[i];
	}
	return left;
}

/* Only the cache away has Hotplug memory. */
static void forget_here(void *argument)
{
	struct frame_cache *away = &frame_caches[port_cpu_id()]->away.cache;
	struct forgotten *f = argument;
	uint64_t state;

	if (away->shut) /* and empty */
		return;
	state = cache_enter(away);
	if (state == CACHE_BUSY) {
		__atomic_store_n(&f->busy, true, __ATOMIC_RELAXED);
		return;
	}
	cache_count_write(&away->count, forget_entries(cache_pages(away), away->count, f));
	cache_count_write(&away->nr_out, forget_entries(cache_out(away), away->nr_out, f));
	cache_leave(away, state);
}

void cache_forget(pfn_t start, pfn_t end)
{
	struct forgotten f = { start, end, false };

	do {
		f.busy = false;
		port_on_each_cpu(forget_here, &f);
	} while (f.busy && !cache_interrupted());
}
