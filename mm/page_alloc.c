/*
 * page_alloc.c: alloc_pages() and its family: which zone, the descriptor, the checks.
 *
 * The descriptor's state word is what a caller's mistakes run into. Of a head it has one possible
 * value for its order and zone while the count is 1, so freeing compares 64 bits once: a frame that
 * is free (0), interior (0), reserved, of another order or left over from before a reset (another
 * cookie) does not match. Behind it the bits must say the same.
 */
#include "mm/cache.h"
#include "mm/zone.h"

#define EBUSY  16
#define EINVAL 22

uint64_t state_cookie = 1ull << STATE_COOKIE_SHIFT;

static inline unsigned int state_order(uint64_t state)
{
	return (unsigned int)(state >> STATE_ORDER_SHIFT & STATE_ORDER_MASK);
}

static inline unsigned int state_zone(uint64_t state)
{
	return (unsigned int)(state >> STATE_ZONE_SHIFT & STATE_ZONE_MASK);
}

unsigned int page_order(const struct page *head)
{
	return state_order(head->state);
}

unsigned int page_count(const struct page *head)
{
	return head->count;
}

unsigned int page_zonenum(const struct page *head)
{
	return state_zone(head->state);
}

/* The bits behind a descriptor: a mark over blocks or regions, or cleared bits in an open block. */
static void mark_head(struct zone *z, pfn_t pfn, unsigned int order, bool head)
{
	pfn_t gib = (pfn >> REGION_ORDER) - z->first_gib;
	unsigned int block = (unsigned int)(pfn >> BLOCK_ORDER) & (NODE_BITS - 1);

	if (order == REGION_ORDER)
		(head ? bitset_set : bitset_clear)(&z->head, gib);
	else if (order >= BLOCK_ORDER && head)
		node_set(&z->dir[gib]->head, block);
	else if (order >= BLOCK_ORDER)
		node_clear(&z->dir[gib]->head, block);
}

static bool marked_head(const struct zone *z, pfn_t pfn, unsigned int order)
{
	pfn_t gib = (pfn >> REGION_ORDER) - z->first_gib;
	unsigned int block = (unsigned int)(pfn >> BLOCK_ORDER) & (NODE_BITS - 1);

	if (order == REGION_ORDER)
		return bitset_test(&z->head, gib);
	if (order >= BLOCK_ORDER)
		return node_test(&z->dir[gib]->head, block);
	return node_test(&z->dir[gib]->open, block) &&
	       !node_any_run(&z->dir[gib]->block[block], (unsigned int)(pfn % NODE_BITS), order);
}

static struct page *zone_alloc(struct zone *z, unsigned int order)
{
	unsigned long flags = port_lock_irqsave(&z->lock);
	unsigned int lowered = 0;
	struct page *page = NULL;
	pfn_t pfn;

	/* A search that lowered its share ended early: others get the lock, then it goes on. */
	while ((pfn = buddy_take(z, order, &lowered)) == PFN_NONE && lowered) {
		port_unlock_irqrestore(&z->lock, flags);
		lowered = 0;
		flags = port_lock_irqsave(&z->lock);
	}
	if (pfn != PFN_NONE) {
		zone_sub_free(z, (uint64_t)1 << order);
		page = pfn_to_page(pfn);
		page->state = state_allocated(z->id, order);
		mark_head(z, pfn, order, true);
	}
	port_unlock_irqrestore(&z->lock, flags);
	return page;
}

/* From the bits, zone by zone downwards. */
static struct page *alloc_from_zones(gfp_t gfp, unsigned int order)
{
	unsigned int highest = gfp_zone(gfp);

	for (struct zone *z = &zones[highest]; z >= zones; z--)
		if (zone_spare(z, highest, gfp) >> order) {
			struct page *page = zone_alloc(z, order);

			if (page)
				return page;
		}
	return NULL;
}

/* What waits in this CPU's caches may be what is missing. */
static bool drain_all(void)
{
	bool any = false;

	port_pin();
	for_each_zone(z)
		any |= cache_drain(z);
	port_unpin();
	return any;
}

/* From this CPU's cache of the zone that serves gfp, filled if need be. */
static struct page *alloc_cached(gfp_t gfp)
{
	struct frame_cache *cache;
	struct page *page;

	port_pin();
	page = cache_pop(cache_tables[port_cpu_id()].for_gfp[gfp & GFP_ZONE_BITS]);
	if (!page && (cache = cache_refill(gfp)))
		page = cache_pop(cache);
	port_unpin();
	return page;
}

__attribute__((noinline)) static struct page *alloc_slow(gfp_t gfp, unsigned int order)
{
	struct page *page = NULL;

	if (order > MAX_PAGE_ORDER)
		return NULL;
	if (!order)
		page = alloc_cached(gfp);
	if (!page)
		page = alloc_from_zones(gfp, order);
	if (!page && drain_all())
		page = alloc_from_zones(gfp, order);
	if (page && gfp & __GFP_ZERO)
		memset(page_address(page), 0, PAGE_SIZE << order);
	return page;
}

/* The way of most, GFP_KERNEL and a single frame at hand; everything else is behind one call. */
struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	struct page *page;

	if (gfp != GFP_KERNEL || order)
		return alloc_slow(gfp, order);
	port_pin();
	page = cache_pop(cache_tables[port_cpu_id()].for_gfp[GFP_KERNEL]);
	port_unpin();
	return page ? page : alloc_slow(gfp, order);
}

void drain_caches(void)
{
	drain_all();
}

/* The descriptor is not that of a lone reference to an allocation of this order: say what it is. */
__attribute__((noreturn, cold)) static void bad_free(const struct page *page, unsigned int order)
{
	static const char *const what[] = { "absent", "reserved", "free", "allocated" };
	pfn_t pfn = page_to_pfn(page);
	const struct page *head = page_head(pfn);

	if (head == page)
		panic(
		    "free of frame 0x%llx as order %u: it was allocated as order %u, %u references",
		    (unsigned long long)pfn, order, page_order(head), page_count(head));
	if (head)
		panic("free of frame 0x%llx as order %u: it is inside the allocation at 0x%llx",
		      (unsigned long long)pfn, order, (unsigned long long)page_to_pfn(head));
	panic("free of frame 0x%llx as order %u: it is %s", (unsigned long long)pfn, order,
	      what[page_state(pfn)]);
}

/* state is the head's, with one reference, of the order it names: checked by the caller. */
static void free_head(struct page *page, uint64_t state)
{
	struct zone *z = &zones[state_zone(state)];
	unsigned int order = state_order(state);
	pfn_t pfn = page_to_pfn(page);
	unsigned long flags = port_lock_irqsave(&z->lock);

	if (page->state != state || !marked_head(z, pfn, order))
		bad_free(page, order);
	page->state = 0;
	mark_head(z, pfn, order, false);
	buddy_put(z, pfn, order);
	zone_add_free(z, (uint64_t)1 << order);
	port_unlock_irqrestore(&z->lock, flags);
}

/*
 * Drops a reference of a head of this order; the last frees. One compare finds misuse. Who drops
 * the last has seen all that the others did before they dropped theirs: acquire, release.
 */
static inline void put_head(struct page *page, unsigned int order)
{
	uint64_t state = __atomic_load_n(&page->state, __ATOMIC_ACQUIRE);

	/* An order beyond its field would be read as a zone. */
	if (order > MAX_PAGE_ORDER)
		bad_free(page, order);
	for (;;) {
		uint64_t alone = state_allocated(state_zone(state), order);

		if (state == alone) {
			free_head(page, state);
			return;
		}
		/* The count is the low half: more than one reference differs there alone. */
		if (state >> 32 != alone >> 32 || !(uint32_t)state)
			bad_free(page, order);
		if (__atomic_compare_exchange_n(&page->state, &state, state - 1, false,
						__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return;
	}
}

/* The frame's own cache, once more with room made; else the bits. */
static bool free_cached(struct page *page)
{
	uint64_t state = __atomic_load_n(&page->state, __ATOMIC_ACQUIRE);
	struct frame_cache *cache;
	bool done;

	port_pin();
	cache = cache_tables[port_cpu_id()].of_zone[state_zone(state)];
	done = state == cache->state && cache_make_room(&zones[state_zone(state)]) &&
	       cache_push(cache, page);
	port_unpin();
	return done;
}

__attribute__((noinline)) static void free_slow(struct page *page, unsigned int order)
{
	if (order || !free_cached(page))
		put_head(page, order);
}

/* The way of most: a frame with one reference, and room in the cache of its zone. */
void __free_pages(struct page *page, unsigned int order)
{
	bool done = false;

	if (!order) {
		port_pin();
		done = cache_push(cache_of(page), page);
		port_unpin();
	}
	if (!done)
		free_slow(page, order);
}

unsigned long get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp, order);

	return page ? (unsigned long)page_address(page) : 0;
}

void free_pages(unsigned long addr, unsigned int order)
{
	if (addr)
		__free_pages(virt_to_page((void *)addr), order);
}

unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr_pages, struct page **array)
{
	unsigned long n;

	for (n = 0; n < nr_pages; n++) {
		if (!array[n])
			array[n] = alloc_page(gfp);
		if (!array[n])
			break;
	}
	return n;
}

void get_page(struct page *page)
{
	uint64_t state = __atomic_load_n(&page->state, __ATOMIC_RELAXED);

	/* Before anything is written: the descriptor of a frame in a hole is for reading only. */
	if (state >> STATE_COOKIE_SHIFT != state_cookie >> STATE_COOKIE_SHIFT ||
	    state & STATE_RESERVED || (uint32_t)state + 1 < 2)
		panic("get_page of frame 0x%llx: state 0x%llx is not that of an allocation",
		      (unsigned long long)page_to_pfn(page), (unsigned long long)state);
	__atomic_fetch_add(&page->state, 1, __ATOMIC_RELAXED);
}

void put_page(struct page *page)
{
	put_head(page, state_order(__atomic_load_n(&page->state, __ATOMIC_RELAXED)));
}

/* The blocks under an allocation of order 9 and up get nodes of their own, all of it in use. */
static void open_allocated(struct zone *z, pfn_t pfn, unsigned int order)
{
	mark_head(z, pfn, order, false);
	for (pfn_t end = pfn + ((pfn_t)1 << order); pfn < end; pfn += BLOCK_FRAMES)
		buddy_open_block(z, pfn);
}

void split_page(struct page *page, unsigned int order)
{
	uint64_t state = page->state;
	unsigned long owner = page->private;
	pfn_t pfn = page_to_pfn(page);
	struct zone *z = pfn_zone(pfn); /* the descriptor's word may be anything so far */
	unsigned long flags = port_lock_irqsave(&z->lock);

	if (order > MAX_PAGE_ORDER || state != state_allocated(z->id, order) ||
	    !marked_head(z, pfn, order))
		bad_free(page, order);
	if (order >= BLOCK_ORDER)
		open_allocated(z, pfn, order);
	for (pfn_t i = 0; i < (pfn_t)1 << order; i++)
		page[i].state = state_allocated(z->id, 0);
	page->private = owner; /* opening the block may have zeroed it */
	port_unlock_irqrestore(&z->lock, flags);
}

static bool range_free(pfn_t pfn, pfn_t end)
{
	while (pfn < end)
		if (!free_span(pfn, &pfn))
			return false;
	return true;
}

int alloc_contig_range(pfn_t start, pfn_t end, unsigned int migratetype, gfp_t gfp)
{
	struct zone *z;
	unsigned long flags;

	(void)migratetype;
	if (start >= end || end > MM_MAX_PFN || pfn_zone(start) != pfn_zone(end - 1))
		return -EINVAL;
	z = pfn_zone(start);
	drain_caches();
	flags = port_lock_irqsave(&z->lock);
	if (!range_free(start, end)) {
		port_unlock_irqrestore(&z->lock, flags);
		return -EBUSY;
	}
	for (pfn_t pfn = start; pfn < end; pfn++) {
		buddy_take_at(z, pfn);
		pfn_to_page(pfn)->state = state_allocated(z->id, 0);
	}
	zone_sub_free(z, end - start);
	port_unlock_irqrestore(&z->lock, flags);
	if (gfp & __GFP_ZERO)
		memset(page_address(pfn_to_page(start)), 0, (size_t)(end - start) << PAGE_SHIFT);
	return 0;
}

void free_contig_range(pfn_t start, unsigned long nr_pages)
{
	for (unsigned long i = 0; i < nr_pages; i++)
		__free_page(pfn_to_page(start + i));
}
