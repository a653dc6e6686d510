/* SPDX-License-Identifier: MIT */
/*
 * page_alloc.c: alloc_pages() and its family: the choice of a zone, the descriptor, the checks.
 *
 * A caller's mistake is found by the descriptor's state word. While the count is 1, a head has one
 * possible value for its zone and order, so freeing compares 64 bits once. A frame that is free
 * (0), inside an allocation (0), reserved, of another order, or left over from before a reset
 * (another cookie) does not match. What does not go into a frame cache, the bits must then confirm.
 */
#include "mm/buddy.h"
#include "mm/cache.h"
#include "mm/debug.h"
#include "mm/page_state.h"

/*
 * The caller's address, for debug.h. The public functions either end in a jump to the slow ones or
 * are inlined with them, so that this is the return address of the call to a public function.
 */
#define CALLER ((uintptr_t)__builtin_return_address(0))

MM_INTERNAL uint64_t state_cookie = 1ull << STATE_COOKIE_SHIFT;

unsigned int page_order(const struct page *head)
{
	return state_order(state_read(head));
}

unsigned int page_count(const struct page *head)
{
	return (uint32_t)state_read(head);
}

struct zone *page_zone(const struct page *head)
{
	return state_zone(state_read(head));
}

unsigned int page_zonenum(const struct page *head)
{
	return state_zone(state_read(head))->id;
}

/* Does what is left to do when the bits of an allocation are taken; under the same hold. */
mm_always_inline void finish_take(struct zone *z, pfn_t pfn, unsigned int order)
{
	zone_sub_free(z, (uint64_t)1 << order);
	state_write(pfn_to_page(pfn), z->state | (uint64_t)order << STATE_ORDER_SHIFT);
}

/*
 * Takes an allocation under one hold of the lock, if at least keep frames stay free, and writes its
 * descriptor. See buddy_take(); and buddy_take_unmovable(), for an allocation that stays.
 */
mm_always_inline pfn_t zone_take(struct zone *z, unsigned int order, uint64_t keep, bool stays)
{
	unsigned long flags = port_lock_irqsave(&z->lock);
	pfn_t pfn = PFN_NONE;

	if (!keep ||
	    __atomic_load_n(&z->nr_free, __ATOMIC_RELAXED) >= keep + ((uint64_t)1 << order))
		pfn = stays ? buddy_take_unmovable(z, order) : buddy_take(z, order);
	if (pfn < PFN_AGAIN)
		finish_take(z, pfn, order);
	port_unlock_irqrestore(&z->lock, flags);
	return pfn;
}

/* Allocates from the bits, zone by zone in the order of node nid's fallback list. */
static struct page *alloc_from_zones(int nid, gfp_t gfp, unsigned int order)
{
	struct fallback f = fallback_of(nid, gfp);
	struct zone *z;

	while ((z = fallback_next(&f))) {
		pfn_t pfn = zone_spare(z, gfp) >> order ? PFN_AGAIN : PFN_NONE;

		while (pfn == PFN_AGAIN)
			pfn = zone_take(z, order, zone_keep(z, gfp), gfp & __GFP_UNMOVABLE);
		if (pfn == PFN_NONE)
			continue;
		if (zone_is_low(z))
			cache_withhold(z);
		return pfn_to_page(pfn);
	}
	return NULL;
}

/*
 * How often a request drains a batch and looks again. Others may take what it has drained, and an
 * interrupt handler may do so each time.
 */
#define MAX_DRAINS 16

/*
 * Allocates when the bits have nothing for the request: from what this CPU's frame caches have,
 * batch by batch, so that it is returned to the bits only as far as necessary. Then after returning
 * what is left there, and in the caches of all CPUs if the request may wait. These stay shut
 * meanwhile, because others would fill them again.
 */
static struct page *alloc_drained(int nid, gfp_t gfp, unsigned int order)
{
	struct page *page = order ? NULL : cache_take_last(nid, gfp);
	struct cache_shut shut;
	unsigned int n;

	for (n = 0; !page && n < MAX_DRAINS && cache_drain_for(nid, gfp, order); n++)
		page = alloc_from_zones(nid, gfp, order);
	/* Otherwise nothing is left on this CPU that helps, and others may not be asked. */
	if (page || (n < MAX_DRAINS && (gfp & __GFP_ATOMIC || !port_may_wait())))
		return page;
	cache_shut(&shut, !(gfp & __GFP_ATOMIC), (int)gfp_type(gfp),
		   gfp & __GFP_THISNODE ? nid : NUMA_NO_NODE);
	page = alloc_from_zones(nid, gfp, order);
	cache_reopen(&shut);
	return page;
}

/* Zeroes an allocation if gfp asks for it. Returns page, which may be NULL. */
static struct page *cleared(struct page *page, gfp_t gfp, unsigned int order)
{
	if (page && gfp & __GFP_ZERO)
		memset(page_address(page), 0, PAGE_SIZE << order);
	return page;
}

/* Returns whether there is a zone that may serve such a request. */
static bool any_zone(int nid, gfp_t gfp)
{
	struct fallback f = fallback_of(nid, gfp);

	return fallback_next(&f);
}

__attribute__((__noinline__)) static struct page *alloc_on(int nid, gfp_t gfp, unsigned int order)
{
	struct page *page;

	if (order > MAX_PAGE_ORDER)
		return NULL;
	page = alloc_from_zones(nid, gfp, order);
	if (!page && any_zone(nid, gfp))
		page = alloc_drained(nid, gfp, order);
	if (mm_debug && page)
		mm_debug_alloc(page_to_pfn(page), (uint64_t)1 << order, order, gfp, CALLER);
	return cleared(page, gfp, order);
}

/* Allocates from the bits, on the home node first. */
static struct page *alloc_slow(gfp_t gfp, unsigned int order)
{
	return alloc_on(numa_mem_id(), gfp, order);
}

/*
 * Allocates an order that has no frame cache for GFP_KERNEL: from the bits of the first zone, if
 * that keeps nothing from it, else by alloc_slow().
 */
__attribute__((__noinline__)) static struct page *alloc_large(unsigned int order)
{
	struct zone *z = cpu_table_read(first);
	unsigned long flags;
	pfn_t pfn;

	if (order >= GIB_ORDER)
		return alloc_slow(GFP_KERNEL, order);
	flags = port_lock_irqsave(&z->lock);
	pfn = buddy_take_blocks(z, order);
	if (pfn != PFN_NONE)
		finish_take(z, pfn, order);
	port_unlock_irqrestore(&z->lock, flags);
	return pfn != PFN_NONE ? pfn_to_page(pfn) : alloc_slow(GFP_KERNEL, order);
}

/* Takes a frame from a cache that is refilled for it: the one that served gfp has none. */
__attribute__((__noinline__)) static struct page *alloc_refilled(gfp_t gfp)
{
	struct frame_cache *cache;
	struct page *page = NULL;
	unsigned long pin = port_pin();

	cache = cache_refill(gfp);
	if (cache)
		page = cache_pop(cache);
	port_unpin(pin);
	return page ? cleared(page, gfp, 0) : alloc_slow(gfp, 0);
}

/*
 * Allocates what the hot path could not: from a frame cache, refilled if necessary, else by
 * alloc_slow(). With an option of debug.h no frame cache has anything.
 */
__attribute__((__noinline__)) static struct page *alloc_cached_slow(gfp_t gfp, unsigned int order)
{
	struct page *page;
	unsigned long pin;

	if (order >= CACHE_ORDERS || gfp & (__GFP_UNMOVABLE | __GFP_THISNODE))
		return alloc_slow(gfp, order);
	pin = port_pin();
	page = order ? cache_alloc_run(gfp, order) : cache_pop(cache_for(gfp));
	port_unpin(pin);
	if (page)
		return cleared(page, gfp, order);
	return order ? alloc_slow(gfp, order) : alloc_refilled(gfp);
}

/*
 * Takes a run of an order from 1 to 9 from the bits of zone z, which keeps nothing from the
 * request. Returns NULL when the index does not lead to one at once.
 */
__attribute__((__noinline__)) static struct page *take_run(struct zone *z, unsigned int order)
{
	unsigned long flags = port_lock_irqsave(&z->lock);
	pfn_t pfn = buddy_take_indexed(z, order);

	if (pfn != PFN_NONE)
		finish_take(z, pfn, order);
	port_unlock_irqrestore(&z->lock, flags);
	return pfn != PFN_NONE ? pfn_to_page(pfn) : NULL;
}

/*
 * Allocates an order from 1 to 9 for GFP_KERNEL when the frame cache has none: by a refill, where
 * that brings some runs, or from the bits of the first zone; else by alloc_slow(). With an option
 * of debug.h there is no first zone.
 */
__attribute__((__noinline__)) static struct page *alloc_run(unsigned int order)
{
	unsigned long pin = port_pin();
	struct zone *z = cpu_table_read(first);
	struct frame_cache *cache = cache_for_order(order);
	struct page *page;

	if (z == &no_zone) {
		port_unpin(pin);
		return alloc_cached_slow(GFP_KERNEL, order);
	}
	if (cache_takes_batches(cache)) {
		page = cache_refill_run(cache);
	} else {
		page = take_run(z, order);
		if (page && cache->limit)
			cache_keep_below(cache, page_to_pfn(page));
	}
	port_unpin(pin);
	return page ? page : alloc_slow(GFP_KERNEL, order);
}

/* The hot path is GFP_KERNEL with a frame in the cache; everything else is behind one call. */
struct page *alloc_page(gfp_t gfp)
{
	struct page *page;
	unsigned long pin;

	if (gfp != GFP_KERNEL)
		return alloc_cached_slow(gfp, 0);
	pin = port_pin();
	page = cache_pop(cache_for(GFP_KERNEL));
	port_unpin(pin);
	return page ? page : alloc_refilled(GFP_KERNEL);
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	struct page *page;
	unsigned long pin;

	if (!order)
		return alloc_page(gfp);
	if (gfp != GFP_KERNEL)
		return alloc_cached_slow(gfp, order);
	if (order >= CACHE_ORDERS)
		return mm_debug ? alloc_slow(GFP_KERNEL, order) : alloc_large(order);
	pin = port_pin();
	page = cache_pop(cache_for_order(order));
	port_unpin(pin);
	return page ? page : alloc_run(order);
}

/* Takes a single frame from the cache away, if it can. Node nid has a list, if it is known. */
struct page *alloc_pages_far(int nid, gfp_t gfp, unsigned int order)
{
	struct page *page = NULL;

	if (nid == NUMA_NO_NODE)
		return alloc_pages(gfp, order);
	if (!node_online(nid))
		return gfp & __GFP_THISNODE ? NULL : alloc_pages(gfp, order);
	if (!order && gfp == GFP_KERNEL && !mm_debug) {
		unsigned long pin = port_pin();

		page = cache_alloc_away(nid);
		port_unpin(pin);
	}
	return page ? page : alloc_on(nid, gfp, order);
}

void drain_caches(void)
{
	struct cache_shut shut;

	cache_shut(&shut, false, ZONE_HOTPLUG, NUMA_NO_NODE);
	cache_reopen(&shut);
}

void drain_all_pages(void)
{
	struct cache_shut shut;

	cache_shut(&shut, true, ZONE_HOTPLUG, NUMA_NO_NODE);
	cache_reopen(&shut);
}

/* Panics, and says what the frame is instead of an allocation of this order with one reference. */
__attribute__((__noreturn__, __cold__)) static void bad_free(const struct page *page,
							     unsigned int order)
{
	pfn_t pfn = page_to_pfn(page);
	const struct page *head = page_head(pfn);

	page_owner_print(pfn, NULL);
	if (head == page)
		port_panic(
		    "free of frame 0x%llx as order %u: it was allocated as order %u, %u references",
		    (unsigned long long)pfn, order, page_order(head), page_count(head));
	if (head)
		port_panic(
		    "free of frame 0x%llx as order %u: it is inside the allocation at 0x%llx",
		    (unsigned long long)pfn, order, (unsigned long long)page_to_pfn(head));
	port_panic("free of frame 0x%llx as order %u: it is %s", (unsigned long long)pfn, order,
		   page_state_name(page_state(pfn)));
}

/*
 * Frees an allocation of an order below 9 whose state word is alone: one reference. Returns false,
 * and does nothing, when it is none. With interrupts off, because the frames are nobody's until
 * their bits are set.
 */
mm_always_inline bool free_frames(struct zone *z, struct page *page, unsigned int order,
				  uint64_t alone)
{
	pfn_t pfn = page_to_pfn(page);
	unsigned long flags = port_irq_save();
	bool ours = buddy_is_allocated(z, pfn, order) && page_release(page, &alone);

	if (ours)
		buddy_put_frames(z, pfn, order);
	port_irq_restore(flags);
	return ours;
}

/* Frees an allocation of order 9 or more as free_frames() does one below, but under the lock. */
static bool free_blocks(struct zone *z, struct page *page, unsigned int order, uint64_t alone)
{
	pfn_t pfn = page_to_pfn(page);
	unsigned long flags = port_lock_irqsave(&z->lock);
	bool ours = buddy_is_allocated(z, pfn, order) && page_release(page, &alone);

	if (ours) {
		buddy_unmark(z, pfn, order);
		buddy_merge(z, pfn, order);
		zone_add_free(z, (uint64_t)1 << order);
	}
	port_unlock_irqrestore(&z->lock, flags);
	return ours;
}

/*
 * Drops a reference of a head of this order, and frees it to the bits with the last. One compare
 * finds misuse. Acquire and release order the accesses of all owners before the free.
 */
__attribute__((__noinline__)) static void put_head(struct page *page, unsigned int order)
{
	uint64_t state = __atomic_load_n(&page->state, __ATOMIC_ACQUIRE);
	struct zone *z = state_zone(state);
	uint64_t alone = z->state | (uint64_t)order << STATE_ORDER_SHIFT;

	/* A larger order would spill from its field into the zone's. */
	if (order > MAX_PAGE_ORDER)
		bad_free(page, order);
	while (state != alone) {
		/* With more than one reference only the low half, the count, differs. */
		if (!state_is_head(state, z->id, order))
			bad_free(page, order);
		if (__atomic_compare_exchange_n(&page->state, &state, state - 1, false,
						__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return;
	}
	if (mm_debug)
		mm_debug_free(page, order, CALLER);
	if (order < BLOCK_ORDER ? !free_frames(z, page, order, alone)
				: !free_blocks(z, page, order, alone))
		bad_free(page, order);
}

/*
 * Free to the bits what no frame cache serves, an allocation with one reference: free_small() one
 * of an order below 9, free_large() others. What it turns out not to be is left to put_head().
 */
__attribute__((__noinline__)) static void free_small(struct page *page, unsigned int order)
{
	uint64_t state = __atomic_load_n(&page->state, __ATOMIC_ACQUIRE);
	struct zone *z = state_zone(state);

	if (state != (z->state | (uint64_t)order << STATE_ORDER_SHIFT) ||
	    !free_frames(z, page, order, state))
		put_head(page, order);
}

__attribute__((__noinline__)) static void free_large(struct page *page, unsigned int order)
{
	uint64_t state = __atomic_load_n(&page->state, __ATOMIC_ACQUIRE);
	struct zone *z = state_zone(state);
	pfn_t pfn = page_to_pfn(page);
	unsigned int block = block_of(pfn);
	struct buddy_spot s;
	unsigned long flags;
	bool ours;

	if (order >= GIB_ORDER || state != (z->state | (uint64_t)order << STATE_ORDER_SHIFT)) {
		put_head(page, order);
		return;
	}
	flags = port_lock_irqsave(&z->lock);
	s = buddy_spot_at(z, pfn, LEVEL_GIB);
	ours = bitmap_test(&s.gib->head, block) && page_release(page, &state);
	if (ours) {
		zone_add_free(z, (uint64_t)1 << order);
		bitmap_clear_alone(&s.gib->head, block);
		buddy_put_blocks(z, s, block, order - BLOCK_ORDER);
	}
	port_unlock_irqrestore(&z->lock, flags);
	if (!ours)
		put_head(page, order);
}

/* Frees to the bits. */
static void free_to_bits(struct page *page, unsigned int order)
{
	if (mm_debug)
		put_head(page, order);
	else if (order < BLOCK_ORDER)
		free_small(page, order);
	else
		free_large(page, order);
}

/* Frees what the hot path could not: to this CPU's cache of the page's zone, else to the bits. */
__attribute__((__noinline__)) static void free_slow(struct page *page, unsigned int order)
{
	uint64_t state = state_read(page);
	struct frame_cache *cache;
	bool done;
	unsigned long pin = port_pin();

	cache = order ? cache_for_order(order) : cache_of(page);
	done = cache_push_out(cache, page, state) ||
	       cache_free(state == cache->state ? cache : cache_find(state, order), page, state);
	port_unpin(pin);
	if (!done)
		free_to_bits(page, order);
}

/* Does the same for orders from 1 to 9. A cache that holds nothing need not be tried again. */
__attribute__((__noinline__)) static void free_run(struct page *page, unsigned int order)
{
	uint64_t state = state_read(page);
	struct frame_cache *cache;
	bool done, tried;
	unsigned long pin = port_pin();

	cache = cache_for_order(order);
	tried = state == cache->state && !cache->limit;
	done = cache_push_out(cache, page, state);
	port_unpin(pin);
	if (done)
		return;
	if (tried)
		free_to_bits(page, order);
	else
		free_slow(page, order);
}

/*
 * The hot path is a frame with one reference, and room in the cache that serves GFP_KERNEL.
 * That is a guess, which need not wait for the descriptor: the two state words tell whether it is
 * right.
 */
void __free_page(struct page *page)
{
	uint64_t state = state_read(page);
	struct frame_cache *cache;
	bool done;
	unsigned long pin = port_pin();

	cache = cache_for(GFP_KERNEL);
	if (state != cache->state)
		cache = cache_of(page);
	done = cache_push(cache, page, state);
	port_unpin(pin);
	if (!done)
		free_slow(page, 0);
}

void __free_pages(struct page *page, unsigned int order)
{
	bool done;
	unsigned long pin;

	if (!order) {
		__free_page(page);
		return;
	}
	if (order >= CACHE_ORDERS) {
		if (mm_debug)
			put_head(page, order);
		else
			free_large(page, order);
		return;
	}
	pin = port_pin();
	done = cache_push(cache_for_order(order), page, state_read(page));
	port_unpin(pin);
	if (!done)
		free_run(page, order);
}

void get_page(struct page *page)
{
	uint64_t state = state_read(page);

	/* Checked before anything is written: the descriptor of a frame in a hole is read-only. */
	if (state >> STATE_COOKIE_SHIFT != state_cookie >> STATE_COOKIE_SHIFT ||
	    state & STATE_RESERVED || (uint32_t)state + 1 < 2) {
		page_owner_print(page_to_pfn(page), NULL);
		port_panic("get_page of frame 0x%llx: state 0x%llx is not that of an allocation",
			   (unsigned long long)page_to_pfn(page), (unsigned long long)state);
	}
	__atomic_fetch_add(&page->state, 1, __ATOMIC_RELAXED);
}

void put_page(struct page *page)
{
	__free_pages(page, page_order(page));
}

/*
 * Writes the heads of allocations of this order, 0 or BLOCK_ORDER, that lie side by side and fill
 * the frames [pfn, end). Those of order 0 lie in one block. The others are written two at a time:
 * a hold of the lock writes up to 512.
 */
static void write_heads(const struct zone *z, pfn_t pfn, pfn_t end, unsigned int order)
{
	uint64_t state = state_allocated(z->id, order);

	if (!order) {
		set_states(pfn_to_page(pfn), end - pfn, state);
		return;
	}
	for (; pfn + BLOCK_FRAMES < end; pfn += 2 * BLOCK_FRAMES) {
		state_write(pfn_to_page(pfn), state);
		state_write(pfn_to_page(pfn + BLOCK_FRAMES), state);
	}
	if (pfn < end)
		state_write(pfn_to_page(pfn), state);
}

/*
 * Turns an allocation of one order, with one reference, into allocations of a lower one, under one
 * hold of the lock: an order above 9 to order 9, any other to order 0.
 */
static void split_head(struct zone *z, struct page *page, unsigned int order, unsigned int to)
{
	pfn_t pfn = page_to_pfn(page);
	unsigned long flags = port_lock_irqsave(&z->lock);
	bool valid =
	    state_read(page) == state_allocated(z->id, order) && buddy_is_allocated(z, pfn, order);

	if (valid && order >= BLOCK_ORDER)
		buddy_split(z, pfn, order);
	if (valid)
		write_heads(z, pfn, pfn + ((pfn_t)1 << order), to);
	port_unlock_irqrestore(&z->lock, flags);
	if (!valid)
		bad_free(page, order);
}

/* Works by blocks, so that a hold of the lock writes the descriptors of at most 512 heads. */
void split_page(struct page *page, unsigned int order)
{
	unsigned int part = order < BLOCK_ORDER ? order : BLOCK_ORDER;
	unsigned long owner = page_private(page);
	pfn_t pfn = page_to_pfn(page);
	struct zone *z = pfn_zone(pfn); /* the descriptor is not checked yet */

	if (order > MAX_PAGE_ORDER)
		bad_free(page, order);
	if (order > part)
		split_head(z, page, order, part);
	for (pfn_t i = 0; i < (pfn_t)1 << order; i += (pfn_t)1 << part)
		split_head(z, pfn_to_page(pfn + i), part, 0);
	set_page_private(page, owner); /* opening the block may have zeroed it */
}

/* Returns where the part of [pfn, end) that lies in pfn's block ends. */
static pfn_t part_end(pfn_t pfn, pfn_t end)
{
	pfn_t next = run_start(pfn, BLOCK_ORDER) + BLOCK_FRAMES;

	return next < end ? next : end;
}

/* Returns whether all frames of [pfn, end) are free in the bits. */
static bool range_free(pfn_t pfn, pfn_t end)
{
	while (pfn < end)
		if (!free_span(pfn, &pfn))
			return false;
	return true;
}

/* Takes [pfn, end), a part of a block, by buddy_take_range() if all of it is free. Returns that. */
static bool take_part(struct zone *z, pfn_t pfn, pfn_t end)
{
	unsigned long flags = port_lock_irqsave(&z->lock);
	bool free = range_free(pfn, end);

	if (free) {
		write_heads(z, pfn, end, buddy_take_range(z, pfn, end));
		zone_sub_free(z, end - pfn);
	}
	port_unlock_irqrestore(&z->lock, flags);
	return free;
}

/*
 * Undoes take_part(). Single frames go back word by word, each under a hold of its own: many bounds
 * may rise, and bitmaps close.
 */
static void put_part(struct zone *z, pfn_t pfn, pfn_t end)
{
	bool block = page_order(pfn_to_page(pfn)) == BLOCK_ORDER;

	for (pfn_t next; pfn < end; pfn = next) {
		unsigned long flags = port_lock_irqsave(&z->lock);

		next = block ? end : run_start(pfn, BITMAP_WORD_SHIFT) + BITMAP_WORD_FRAMES;
		next = next < end ? next : end;
		zone_add_free(z, next - pfn);
		set_states(pfn_to_page(pfn), block ? 1 : next - pfn, 0);
		if (block) {
			buddy_unmark(z, pfn, BLOCK_ORDER);
			buddy_put(z, pfn, BLOCK_ORDER);
		} else {
			buddy_put_range(z, pfn, next);
		}
		port_unlock_irqrestore(&z->lock, flags);
	}
}

/*
 * Returns whether all of [start, end) is free, part by part. Also cleans the blocks of which only a
 * part is to be taken, so that the hold of take_part() need not do it.
 */
static bool parts_free(struct zone *z, pfn_t start, pfn_t end)
{
	bool free = true;

	for (pfn_t pfn = start, next; free && pfn < end; pfn = next) {
		unsigned long flags = port_lock_irqsave(&z->lock);

		next = part_end(pfn, end);
		free = range_free(pfn, next);
		if (free && next - pfn < BLOCK_FRAMES)
			buddy_clean(z, pfn);
		port_unlock_irqrestore(&z->lock, flags);
	}
	return free;
}

/*
 * Takes [start, end) part by part. What was taken is isolated: it is an allocation, so no other
 * request gets it, and all invariants hold between two holds of the lock. Returns false, and gives
 * everything back, when a part is not free. It looks at all parts before it takes one: a range that
 * cannot be had is then mostly not kept from other requests.
 */
static bool take_parts(struct zone *z, pfn_t start, pfn_t end)
{
	pfn_t taken = start;

	if (!parts_free(z, start, end))
		return false;
	while (taken < end && take_part(z, taken, part_end(taken, end)))
		taken = part_end(taken, end);
	if (zone_is_low(z))
		cache_withhold(z);
	if (taken == end)
		return true;
	for (pfn_t pfn = start; pfn < taken; pfn = part_end(pfn, end))
		put_part(z, pfn, part_end(pfn, end));
	return false;
}

/* Turns the blocks that take_part() took in one piece into single frames. */
static void split_parts(struct zone *z, pfn_t start, pfn_t end)
{
	for (pfn_t pfn = start; pfn < end; pfn = part_end(pfn, end))
		if (page_order(pfn_to_page(pfn)))
			split_head(z, pfn_to_page(pfn), BLOCK_ORDER, 0);
}

/* Returns the zone of all blocks of [pfn, end) that have RAM; NULL when they are of several. */
static struct zone *zone_of_range(pfn_t pfn, pfn_t end)
{
	struct zone *z = &no_zone;

	while (pfn < end) {
		unsigned int order;
		struct zone *other = zone_around(pfn, &order);

		if (z == &no_zone)
			z = other;
		if (other != z && other != &no_zone)
			return NULL;
		pfn = run_start(pfn, order) + ((pfn_t)1 << order);
	}
	return z;
}

int alloc_contig_range(pfn_t start, pfn_t end, unsigned int migratetype, gfp_t gfp)
{
	struct cache_shut shut;
	struct zone *z;
	bool taken;

	(void)migratetype;
	if (start >= end || end > MM_MAX_PFN || !(z = zone_of_range(start, end)))
		return -EINVAL;
	cache_shut(&shut, !(gfp & __GFP_ATOMIC), z->type, NUMA_NO_NODE);
	taken = take_parts(z, start, end);
	cache_reopen(&shut);
	if (!taken)
		return -EBUSY;
	split_parts(z, start, end);
	if (mm_debug)
		mm_debug_alloc(start, end - start, 0, gfp, CALLER);
	if (gfp & __GFP_ZERO)
		memset(page_address(pfn_to_page(start)), 0, (size_t)(end - start) << PAGE_SHIFT);
	return 0;
}
