/*
 * test_check.c: what mm/ demands is broken on purpose, and must be named.
 *
 *   - Every clause of every numbered invariant (mm/zone.h, mm/cache.h): mm_check() must name it, in
 *     the words of that clause.
 *   - Contracts that mm/ asserts in host builds (MM_ASSERT): the panic must name the condition.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mm/buddy.h"
#include "mm/cache.h"
#include "mm/check.h"
#include "mm/memblock.h"
#include "mm/shelf.h"
#include "tests/host/sim/nodes.h"
#include "tests/host/sim/pieces.h"
#include "tests/host/sim/sim.h"

/* Between the two gibs of zone Normal lie two GiBs without RAM. */
static const struct piece far_apart[] = {
	{ 0, 0x9fc00, 1 }, { MIB, 64 * MIB, 1 }, { 4 * GIB, GIB, 1 }, { 7 * GIB, GIB, 1 }
};

/* The zones of nodes 0 and 1 alternate in GiB 4. */
static const struct node_ram nodes[] = {
	{ 0, 64 * MIB, 0, 0 },
	{ GIB, 64 * MIB, 1, 0 },
	{ GIB + 128 * MIB, 64 * MIB, 2, 0 },
	{ 4 * GIB, 66 * MIB, 0, 0 },
	{ 4 * GIB + 66 * MIB, 126 * MIB, 1, 0 },
	{ 4 * GIB + 192 * MIB, 64 * MIB, 0, 0 },
	{ 4 * GIB + 256 * MIB, 64 * MIB, 2, 0 },
	{ 4 * GIB + 320 * MIB, 64 * MIB, 2, MEMBLOCK_HOTPLUG },
};

#define dma       node_zone(0, ZONE_DMA)
#define normal    node_zone(0, ZONE_NORMAL)
#define DMA_CACHE (&frame_caches[0]->home[ZONE_DMA].frames.cache)

/* Returns the gib of zone DMA, in which block 0 is open and whole blocks follow. */
static struct gib *dma_gib(void)
{
	return gib_at(dma, 0);
}

static unsigned int whole_block(void)
{
	return bitmap_first(&dma_gib()->free);
}

static pfn_t whole_gib(void)
{
	return gibs_first(normal, GIBS_FREE);
}

static pfn_t pfn_of(pfn_t gib)
{
	return gib_pfn(gib);
}

static struct page *allocate(unsigned int order)
{
	struct page *page = alloc_pages(GFP_KERNEL, order);

	assert_non_null(page);
	return page;
}

/* Z: the zone compared with memblock. */

/* Returns the number of a GiB in the hole behind the first RAM of zone Normal. */
static pfn_t hole(void)
{
	return gib_of(normal->start_pfn) + 1;
}

static void gib_missing(void)
{
	gibs_clear(dma, GIBS_EXIST, 0);
}

static void gib_too_many(void)
{
	gibs_set(normal, GIBS_EXIST, hole());
	normal->shelf[0]->gib[hole()] = gib_at(normal, gib_of(normal->start_pfn));
}

static void whole_without_gib(void)
{
	gibs_set(normal, GIBS_FREE, hole());
}

static void open_without_gib(void)
{
	gibs_set(normal, GIBS_OPEN, hole());
}

static void head_without_gib(void)
{
	gibs_set(normal, GIBS_HEAD, hole());
}

/* Ways to make zone_owners[] wrong. DMA and DMA32 share GiB 0. */

static void gib_of_another_zone(void)
{
	zone_owners[0]->gib[gib_of(normal->start_pfn)] = dma->id;
}

static void gib_not_shared(void)
{
	zone_owners[0]->gib[0] = dma->id;
}

static void gib_shared(void)
{
	static uint8_t blocks[BITMAP_BITS];

	memset(blocks, normal->id, sizeof(blocks));
	zone_owners[0]->block[gib_of(normal->start_pfn)] = blocks;
	zone_owners[0]->gib[gib_of(normal->start_pfn)] = ZONE_MIXED;
}

static void hole_owned(void)
{
	zone_owners[0]->gib[hole()] = normal->id;
}

static void block_of_another_zone(void)
{
	zone_owners[0]->block[0][1] = (uint8_t)zone_number(0, ZONE_DMA32);
}

static void hole_owned_by_no_zone(void)
{
	zone_owners[0]->gib[hole()] = (uint8_t)zone_number(7, ZONE_NORMAL);
}

static void block_in_a_hole_owned(void)
{
	zone_owners[0]->block[0][100] = dma->id;
}

static void block_in_a_hole_of_no_zone(void)
{
	zone_owners[0]->block[0][100] = (uint8_t)zone_number(7, ZONE_DMA);
}

static void block_of_another_node(void)
{
	zone_owners[0]->block[4][0] = node_zone(1, ZONE_NORMAL)->id;
}

static void shelf_of_nobody(void)
{
	zone_owners[0] = NULL;
}

static void start_too_low(void)
{
	normal->start_pfn--;
}

static void end_too_high(void)
{
	dma->end_pfn++;
}

static void present_too_many(void)
{
	dma->present++;
}

static void managed_too_many(void)
{
	dma->managed++;
}

/* Ways to make fallback lists wrong. */

static uint8_t *list_of(int nid)
{
	return (uint8_t *)(uintptr_t)node_zonelists[nid];
}

static unsigned int place_of(int nid, unsigned int number)
{
	unsigned int place = 0;

	while (list_of(nid)[place] != number) {
		assert_int_not_equal(list_of(nid)[place], ZONE_NONE);
		place++;
	}
	return place;
}

/* Exchanges the zone of that number with the one behind it. */
static void move_down(int nid, unsigned int number)
{
	uint8_t *at = list_of(nid) + place_of(nid, number), next = at[1];

	assert_int_not_equal(next, ZONE_NONE);
	at[1] = at[0];
	at[0] = next;
}

static void zone_asked_twice(void)
{
	list_of(1)[1] = list_of(1)[0];
}

static void list_too_short(void)
{
	list_of(2)[place_of(2, zone_number(2, ZONE_HOTPLUG))] = ZONE_NONE;
}

static void list_too_long(void)
{
	list_of(2)[place_of(2, zone_number(2, ZONE_HOTPLUG)) + 1] = dma->id;
}

static void list_in_disorder(void)
{
	move_down(0, normal->id);
}

static void hotplug_too_early(void)
{
	uint8_t *last = list_of(0) + place_of(0, zone_number(2, ZONE_HOTPLUG)), before = last[-1];

	last[-1] = last[0];
	last[0] = before;
}

static void node_too_far(void)
{
	move_down(2, zone_number(2, ZONE_DMA32));
}

/* Nodes 1 and 2 are equally far from node 0, so that their zones may stand in any order, almost. */
static void nodes_in_turns(void)
{
	unsigned int number = list_of(0)[4]; /* behind DMA: the nearest node's second zone */

	assert_int_equal(number & 3, ZONE_DMA32);
	move_down(0, number);
}

/* B: the bits. */

static void block_whole_and_open(void)
{
	bitmap_set(&dma_gib()->open, whole_block());
}

static void block_whole_and_head(void)
{
	bitmap_set(&dma_gib()->head, whole_block());
}

static void gib_whole_and_head(void)
{
	gibs_set(normal, GIBS_HEAD, whole_gib());
}

static unsigned int second_block(struct page *head)
{
	return block_of(page_to_pfn(head)) + 1;
}

static void allocation_partly_whole(void)
{
	bitmap_set(&dma_gib()->free, second_block(allocate(10)));
}

static void allocation_partly_open(void)
{
	bitmap_set(&dma_gib()->open, second_block(allocate(10)));
}

static void allocation_with_two_heads(void)
{
	bitmap_set(&dma_gib()->head, second_block(allocate(10)));
}

static void frame_0_is_free(void)
{
	bitmap_set(&dma_gib()->block[0], 0);
}

static void whole_block_reserved(void)
{
	memblock_reserve(PFN_PHYS(whole_block() * BLOCK_FRAMES) + 7 * PAGE_SIZE, PAGE_SIZE);
}

static void whole_block_not_ram(void)
{
	memblock_remove(PFN_PHYS(whole_block() * BLOCK_FRAMES) + 7 * PAGE_SIZE, PAGE_SIZE);
}

static void whole_gib_reserved(void)
{
	memblock_reserve(PFN_PHYS(pfn_of(whole_gib())) + GIB - 1, 1);
}

/* Returns a block of node 1 that lies between blocks of node 0. */
static unsigned int foreign_block(void)
{
	pfn_t pfn = node_zone(1, ZONE_NORMAL)->start_pfn;

	assert_in_range(pfn, normal->start_pfn, normal->end_pfn);
	return block_of(pfn);
}

static void foreign_block_whole(void)
{
	bitmap_set(&gib_at(normal, 4)->free, foreign_block());
}

static void foreign_block_open(void)
{
	bitmap_set(&gib_at(normal, 4)->open, foreign_block());
}

static void foreign_block_head(void)
{
	bitmap_set(&gib_at(normal, 4)->head, foreign_block());
}

static void foreign_block_in_the_index(void)
{
	bitmap_set(&gib_at(normal, 4)->index[BITMAP_SHIFT - 1], foreign_block());
}

static void block_beyond_the_end_whole(void)
{
	bitmap_set(&gib_at(normal, 4)->free, block_of(normal->end_pfn));
}

static void block_below_the_start_whole(void)
{
	bitmap_set(&gib_at(node_zone(1, ZONE_NORMAL), 4)->free, 0);
}

/* 64 MiB of node 0 become 128 MiB, of which 62 MiB are node 1's. */
static void allocation_of_two_nodes(void)
{
	struct page *page = allocate(14);

	assert_int_equal(page_to_pfn(page), normal->start_pfn);
	page->order++;
}

static void run_not_in_the_index(void)
{
	for (unsigned int k = 0; k < BITMAP_SHIFT; k++)
		bitmap_clear(&dma_gib()->index[k], 0);
}

static void blocks_not_in_the_index(void)
{
	for (unsigned int k = BLOCK_ORDER; k < GIB_ORDER; k++)
		gibs_clear(dma, GIBS_INDEX(k), 0);
}

static void index_not_nested(void)
{
	bitmap_clear(&dma_gib()->index[3], 0);
}

static void index_of_gibs_not_nested(void)
{
	gibs_clear(dma, GIBS_INDEX(BLOCK_ORDER), 0);
}

static void index_holds_an_empty_block(void)
{
	unsigned int block = whole_block();
	pfn_t first = block * BLOCK_FRAMES;

	assert_int_equal(alloc_contig_range(first, first + BLOCK_FRAMES, MIGRATE_MOVABLE, 0), 0);
	bitmap_set(&dma_gib()->index[0], block);
}

static void index_holds_a_whole_block(void)
{
	bitmap_set(&dma_gib()->index[0], whole_block());
}

static void index_holds_a_whole_gib(void)
{
	gibs_set(normal, GIBS_INDEX(BLOCK_ORDER), whole_gib());
}

static void unmovable_block_in_the_index(void)
{
	unsigned int block;

	assert_non_null(alloc_page(GFP_DMA | __GFP_UNMOVABLE));
	block = block_of(dma->unmovable);
	for (unsigned int k = 0; k < BITMAP_SHIFT; k++)
		bitmap_set(&dma_gib()->index[k], block);
}

static void unmovable_block_whole(void)
{
	dma->unmovable = whole_block() * BLOCK_FRAMES;
}

static void unmovable_block_of_no_gib(void)
{
	dma->unmovable = PFN_NONE - BLOCK_FRAMES;
}

static void unmovable_frame_in_a_block(void)
{
	assert_non_null(alloc_page(GFP_DMA | __GFP_UNMOVABLE));
	dma->unmovable++;
}

static void zone_index_lacks_a_gib(void)
{
	gibs_clear(dma, GIBS_INDEX(0), 0);
}

static void top_too_full(void)
{
	gibs_top_set(dma, GIBS_HEAD, 0);
}

static void full_block_open(void)
{
	unsigned int block = whole_block();

	bitmap_clear(&dma_gib()->free, block);
	bitmap_set(&dma_gib()->open, block);
	bitmap_fill(&dma_gib()->block[block], BITMAP_WORD_FULL);
}

static void full_gib_open(void)
{
	pfn_t gib = whole_gib();
	unsigned long flags;

	flags = port_lock_irqsave(&normal->lock);
	gibs_clear(normal, GIBS_FREE, gib);
	buddy_open_gib(normal, pfn_of(gib));
	port_unlock_irqrestore(&normal->lock, flags);
	bitmap_fill(&gib_at(normal, gib)->free, BITMAP_WORD_FULL);
}

static void free_too_few(void)
{
	dma->nr_free--;
}

/* P: the descriptors. */

static void head_of_another_node(void)
{
	allocate(0)->state |= 1ull << (STATE_ZONE_SHIFT + ZONE_TYPE_BITS);
}

static void head_of_another_boot(void)
{
	allocate(0)->cookie ^= 1;
}

static void head_without_reference(void)
{
	allocate(0)->count = 0;
}

static void head_larger_than_its_block(void)
{
	allocate(0)->order = BLOCK_ORDER;
}

static void head_not_aligned(void)
{
	struct page *page = allocate(0);

	if (page_to_pfn(page) % 2 == 0)
		page = allocate(0);
	assert_int_equal(page_to_pfn(page) % 2, 1);
	page->order = 1;
}

static void allocation_partly_free(void)
{
	pfn_t pfn = page_to_pfn(allocate(2));

	bitmap_set(&dma_gib()->block[block_of(pfn)], frame_of(pfn) + 1);
}

static void blocks_of_another_node(void)
{
	allocate(10)->state |= 1ull << (STATE_ZONE_SHIFT + ZONE_TYPE_BITS);
}

static void blocks_without_reference(void)
{
	allocate(10)->count = 0;
}

static void blocks_of_less_than_a_block(void)
{
	allocate(10)->order = BLOCK_ORDER - 1;
}

static void blocks_of_a_gib(void)
{
	allocate(10)->order = GIB_ORDER;
}

static void blocks_not_aligned(void)
{
	struct page *page = allocate(10);

	assert_int_not_equal(page_to_pfn(page) % 2048, 0);
	page->order = 11;
}

static void gib_of_another_node(void)
{
	allocate(GIB_ORDER)->state |= 1ull << (STATE_ZONE_SHIFT + ZONE_TYPE_BITS);
}

static void gib_without_reference(void)
{
	allocate(GIB_ORDER)->count = 0;
}

static void block_nobody_has(void)
{
	bitmap_clear(&dma_gib()->free, whole_block());
}

static void gib_nobody_has(void)
{
	gibs_clear(normal, GIBS_FREE, whole_gib());
}

static void descriptor_of_a_free_frame(void)
{
	struct page *page = allocate(0);

	__free_page(page);
	drain_caches();
	page->state = 1;
}

static void descriptor_inside_an_allocation(void)
{
	allocate(2)[3].state = 1;
}

static void open_but_not_clean(void)
{
	bitmap_clear(&dma_gib()->clean, 0);
}

static void marked_reserved(void)
{
	allocate(0)->state = state_reserved(ZONE_DMA);
}

static void not_marked_reserved(void)
{
	pfn_to_page(0)->state = 0;
}

/* C: the frame caches. */

static void frame_in_no_cache(void)
{
	allocate(0)->state = 0;
}

static void cached_frame_in_use(void)
{
	struct page *page = allocate(0);

	__free_page(page);
	page->state = state_allocated(ZONE_DMA, 0);
}

static void cached_frame_of_another_zone(void)
{
	struct page *page = allocate(0);

	assert_int_equal(page_zonenum(page), ZONE_DMA32);
	page->state = 0;
	cache_pages(DMA_CACHE)[DMA_CACHE->count++] = page;
	assert_true(DMA_CACHE->count <= DMA_CACHE->limit);
}

/*
 * Fills the frame cache, and takes one frame out of it in such a way that its counts still agree.
 * Returns that frame.
 */
static struct page *lose_one(void)
{
	__free_page(allocate(0));
	assert_true(DMA_CACHE->count >= 2);
	DMA_CACHE->count--;
	return cache_pages(DMA_CACHE)[0];
}

static void frame_in_a_cache_twice(void)
{
	struct page *page = lose_one();

	cache_pages(DMA_CACHE)[DMA_CACHE->count++] = page;
}

static void frame_in_both_stacks(void)
{
	cache_out(DMA_CACHE)[0] = lose_one();
	DMA_CACHE->nr_out = 1;
}

static void frame_in_two_caches(void)
{
	cache_pages(cache_at(MM_MAX_CPUS - 1, ZONE_DMA, 0))[0] = lose_one();
	cache_at(MM_MAX_CPUS - 1, ZONE_DMA, 0)->count = 1;
}

static void cache_over_its_limit(void)
{
	__free_page(allocate(0));
	DMA_CACHE->limit = 0;
}

static void out_over_its_limit(void)
{
	struct page *page = allocate(0);

	page->state = 0;
	DMA_CACHE->limit = 0;
	DMA_CACHE->count = 0;
	DMA_CACHE->out_limit = 0;
	cache_out(DMA_CACHE)[DMA_CACHE->nr_out++] = page;
}

static void out_beyond_the_array(void)
{
	struct frame_cache *large = cache_at(0, ZONE_DMA32, 0);

	assert_true(large->limit > CACHE_OUT);
	large->nr_out = CACHE_OUT + 1;
}

static void limit_beyond_the_array(void)
{
	DMA_CACHE->limit = CACHE_MAX + 1;
}

static void cache_left_shut(void)
{
	DMA_CACHE->shut = 1;
}

static void cache_serves_from_the_reserve(void)
{
	struct zone *z = node_zone(0, ZONE_DMA);

	while (z->nr_free > z->lowmem_reserve[ZONE_NORMAL])
		assert_non_null(alloc_pages(GFP_DMA, 0));
	frame_caches[MM_MAX_CPUS - 1]->table.for_gfp[GFP_KERNEL] =
	    cache_at(MM_MAX_CPUS - 1, ZONE_DMA, 0);
}

static void cached_frame_of_another_node(void)
{
	struct frame_cache *home = cache_at(0, ZONE_NORMAL, 0);
	struct page *page = alloc_pages_node(1, __GFP_THISNODE, 0);

	assert_ptr_equal(home->zone, normal);
	page->state = 0;
	cache_pages(home)[home->count++] = page;
	assert_true(home->count <= home->limit);
}

/* Returns the cache away of CPU 0, which has frames of node 1. */
static struct frame_cache *filled_away(void)
{
	struct frame_cache *away = &frame_caches[0]->away.cache;

	__free_page(alloc_pages_node(1, GFP_KERNEL, 0));
	assert_ptr_equal(away->zone, node_zone(1, ZONE_NORMAL));
	assert_true(away->count > 0);
	return away;
}

static void away_over_its_limit(void)
{
	filled_away()->limit = 0;
}

static void frame_away_lost(void)
{
	filled_away()->count--;
}

static void frame_away_in_another_cache(void)
{
	struct frame_cache *away = filled_away(), *other = &frame_caches[1]->away.cache;

	other->zone = away->zone;
	other->limit = CACHE_MAX;
	cache_pages(other)[other->count++] = cache_pages(away)[--away->count];
	cache_pages(other)[other->count++] = cache_pages(away)[away->count - 1];
	away->count--;
	cache_pages(away)[away->count - 1] = cache_pages(other)[0];
}

static void away_of_another_zone(void)
{
	filled_away()->zone = node_zone(2, ZONE_NORMAL);
}

static void away_serves_from_the_reserve(void)
{
	struct frame_cache *away = &frame_caches[MM_MAX_CPUS - 1]->away.cache;
	struct zone *z = node_zone(1, ZONE_DMA32);

	while (zone_spare(z, GFP_KERNEL))
		assert_non_null(alloc_pages_node(1, GFP_DMA32 | __GFP_THISNODE, 0));
	away->zone = z;
	frame_caches[MM_MAX_CPUS - 1]->table.for_gfp[GFP_KERNEL] = away;
}

#define ON_NODES(what) NULL, 0, #what, what
#define ON(map, what)  map, sizeof(map) / sizeof((map)[0]), #what, what
#define PLAIN(what)    ON(plain_16m, what)

static const struct breakage {
	const char *invariant;
	const char *words;
	const struct piece *map; /* NULL: the machine with nodes */
	size_t nr;
	const char *name;
	void (*damage)(void);
} breakages[] = {
	{ "Z1", "a GiB with RAM has no gib", PLAIN(gib_missing) },
	{ "Z1", "a gib without RAM", ON(far_apart, gib_too_many) },
	{ "Z1", "a gib that does not exist is in use", ON(far_apart, whole_without_gib) },
	{ "Z1", "a gib that does not exist is in use", ON(far_apart, open_without_gib) },
	{ "Z1", "a gib that does not exist is in use", ON(far_apart, head_without_gib) },
	{ "Z1", "zone_owners[] gives a GiB to another zone", ON(far_apart, gib_of_another_zone) },
	{ "Z1", "zone_owners[] gives a GiB to another zone", ON(far_apart, gib_not_shared) },
	{ "Z1", "zone_owners[] has a GiB as shared", ON(far_apart, gib_shared) },
	{ "Z1", "a GiB without RAM has an owner", ON(far_apart, hole_owned) },
	{ "Z1", "zone_owners[] gives a block to another zone",
	  ON(far_apart, block_of_another_zone) },
	{ "Z1", "a GiB without RAM has an owner", ON(far_apart, hole_owned_by_no_zone) },
	{ "Z1", "a block without RAM has an owner", ON(far_apart, block_in_a_hole_owned) },
	{ "Z1", "a block without RAM has an owner", ON(far_apart, block_in_a_hole_of_no_zone) },
	{ "Z1", "zone_owners[] gives a block to another zone", ON_NODES(block_of_another_node) },
	{ "Z1", "a shelf with RAM has no owners", PLAIN(shelf_of_nobody) },
	{ "Z2", "the zone does not begin or end where its RAM does", ON(far_apart, start_too_low) },
	{ "Z2", "the zone does not begin or end where its RAM does", PLAIN(end_too_high) },
	{ "Z2", "present is not the RAM", PLAIN(present_too_many) },
	{ "Z2", "managed is not", PLAIN(managed_too_many) },

	{ "Z3", "a zone is in a list twice", ON_NODES(zone_asked_twice) },
	{ "Z3", "a list does not have all zones", ON_NODES(list_too_short) },
	{ "Z3", "a list does not have all zones", ON_NODES(list_too_long) },
	{ "Z3", "the zones of a node are in the wrong order", ON_NODES(list_in_disorder) },
	{ "Z3", "memory that may leave is used too early", ON_NODES(hotplug_too_early) },
	{ "Z3", "a node comes before a nearer one", ON_NODES(node_too_far) },
	{ "Z3", "the zones of a node do not stand together", ON_NODES(nodes_in_turns) },

	{ "B1", "a block is two of", PLAIN(block_whole_and_open) },
	{ "B1", "a block is two of", PLAIN(block_whole_and_head) },
	{ "B1", "a gib is two of", ON(islands_6g, gib_whole_and_head) },
	{ "B1", "inside an allocation is in use", PLAIN(allocation_partly_whole) },
	{ "B1", "inside an allocation is in use", PLAIN(allocation_partly_open) },
	{ "B1", "inside an allocation is in use", PLAIN(allocation_with_two_heads) },
	{ "B2", "is reserved or not RAM", PLAIN(frame_0_is_free) },
	{ "B2", "is reserved in memblock", PLAIN(whole_block_reserved) },
	{ "B2", "is not RAM", PLAIN(whole_block_not_ram) },
	{ "B2", "is reserved in memblock", ON(islands_6g, whole_gib_reserved) },
	{ "B2", "a block without RAM of the zone is in use", ON_NODES(foreign_block_whole) },
	{ "B2", "a block without RAM of the zone is in use", ON_NODES(foreign_block_open) },
	{ "B2", "a block without RAM of the zone is in use", ON_NODES(foreign_block_head) },
	{ "B2", "a block without RAM of the zone is in use", ON_NODES(foreign_block_in_the_index) },
	{ "B2", "a block without RAM of the zone is in use", ON_NODES(block_beyond_the_end_whole) },
	{ "B2", "a block without RAM of the zone is in use",
	  ON_NODES(block_below_the_start_whole) },
	{ "B2", "a block without RAM of the zone is in use", ON_NODES(allocation_of_two_nodes) },
	{ "B3", "a run that the index does not know", PLAIN(run_not_in_the_index) },
	{ "B3", "a run that the index does not know", PLAIN(blocks_not_in_the_index) },
	{ "B3", "but not for the one below", PLAIN(index_not_nested) },
	{ "B3", "but not for the one below", PLAIN(index_of_gibs_not_nested) },
	{ "B3", "in which nothing is free", PLAIN(index_holds_an_empty_block) },
	{ "B3", "a block that is not open", PLAIN(index_holds_a_whole_block) },
	{ "B3", "a gib that is not open", ON(islands_6g, index_holds_a_whole_gib) },
	{ "B3", "the index holds the unmovable block", PLAIN(unmovable_block_in_the_index) },
	{ "B3", "the unmovable block is not open", PLAIN(unmovable_block_whole) },
	{ "B3", "the unmovable block is not open", PLAIN(unmovable_block_of_no_gib) },
	{ "B3", "the unmovable block is not open", PLAIN(unmovable_frame_in_a_block) },
	{ "B4", "and the gib's differ", PLAIN(zone_index_lacks_a_gib) },
	{ "B4", "the top of a set of gibs is wrong", PLAIN(top_too_full) },
	{ "B5", "an open block is full", PLAIN(full_block_open) },
	{ "B5", "an open gib is full", ON(islands_6g, full_gib_open) },
	{ "B6", "nr_free is not", PLAIN(free_too_few) },

	{ "P1", "neither free, nor", PLAIN(head_of_another_node) },
	{ "P1", "neither free, nor", PLAIN(head_of_another_boot) },
	{ "P1", "neither free, nor", PLAIN(head_without_reference) },
	{ "P1", "neither free, nor", PLAIN(head_larger_than_its_block) },
	{ "P1", "neither free, nor", PLAIN(head_not_aligned) },
	{ "P1", "part of an allocation is free", PLAIN(allocation_partly_free) },
	{ "P1", "a block is marked as head", PLAIN(blocks_of_another_node) },
	{ "P1", "a block is marked as head", PLAIN(blocks_without_reference) },
	{ "P1", "a block is marked as head", PLAIN(blocks_of_less_than_a_block) },
	{ "P1", "a block is marked as head", PLAIN(blocks_of_a_gib) },
	{ "P1", "a block is marked as head", PLAIN(blocks_not_aligned) },
	{ "P1", "a gib is marked as head", ON(islands_6g, gib_of_another_node) },
	{ "P1", "a gib is marked as head", ON(islands_6g, gib_without_reference) },
	{ "P1", "in a block that nobody has", PLAIN(block_nobody_has) },
	{ "P1", "in a gib that nobody has", ON(islands_6g, gib_nobody_has) },
	{ "P2", "of a free frame is not zero", PLAIN(descriptor_of_a_free_frame) },
	{ "P2", "inside an allocation is not zero", PLAIN(descriptor_inside_an_allocation) },
	{ "P3", "is not clean", PLAIN(open_but_not_clean) },
	{ "P4", "marked reserved, but", PLAIN(marked_reserved) },
	{ "P4", "not marked, but", PLAIN(not_marked_reserved) },

	{ "C1", "are not those in the caches", PLAIN(frame_in_no_cache) },
	{ "C1", "its state word is not zero", PLAIN(cached_frame_in_use) },
	{ "C1", "is another zone's", ON(plain_128m, cached_frame_of_another_zone) },
	{ "C1", "a frame is in a cache twice", PLAIN(frame_in_a_cache_twice) },
	{ "C1", "a frame is in a cache twice", PLAIN(frame_in_both_stacks) },
	{ "C1", "a frame is in a cache twice", PLAIN(frame_in_two_caches) },
	{ "C1", "is another zone's", ON_NODES(cached_frame_of_another_node) },
	{ "C1", "is another zone's", ON_NODES(away_of_another_zone) },
	{ "C1", "are not those in the caches", ON_NODES(frame_away_lost) },
	{ "C1", "a frame is in a cache twice", ON_NODES(frame_away_in_another_cache) },
	{ "C2", "more than its limit", ON_NODES(away_over_its_limit) },
	{ "C2", "more than its limit", PLAIN(cache_over_its_limit) },
	{ "C2", "more than its limit", PLAIN(out_over_its_limit) },
	{ "C2", "more than its limit", ON(plain_128m, out_beyond_the_array) },
	{ "C2", "more than its limit", PLAIN(limit_beyond_the_array) },
	{ "C2", "a cache is shut, although no request is made", PLAIN(cache_left_shut) },
	{ "C3", "the zone keeps frames from", ON(plain_128m, cache_serves_from_the_reserve) },
	{ "C3", "the zone keeps frames from", ON_NODES(away_serves_from_the_reserve) },
};
#define NR_BREAKAGES (sizeof(breakages) / sizeof(breakages[0]))

/* Returns whether a line of the log names the invariant and the words of this clause. */
static bool names(char *log, const struct breakage *what)
{
	char begin[32];

	snprintf(begin, sizeof(begin), "mm_check: %s: zone ", what->invariant);
	for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, begin, strlen(begin)) && strstr(line, what->words))
			return true;
	return false;
}

static void is_named(void **state)
{
	static char log[8192], lines[sizeof(log)];
	const struct breakage *what = *state;
	const char *wrong;

	if (what->map) {
		wrong = boot_pieces(what->map, what->nr, &warm);
	} else {
		NODES_BEGIN(nodes);
		wrong = nodes_finish();
	}
	if (wrong)
		fail_msg("%s", wrong);
	what->damage();
	memset(log, 0, sizeof(log));
	sim_log = fmemopen(log, sizeof(log), "w");
	assert_non_null(sim_log);
	assert_true(mm_check() > 0);
	fclose(sim_log);
	sim_log = NULL;
	memcpy(lines, log, sizeof(log));
	if (!names(lines, what))
		fail_msg("%s, \"%s\", is not among: %s", what->invariant, what->words, log);
}

/* Contracts. */

static void lock(void)
{
	port_lock_irqsave(&dma->lock); /* the panic leaves it taken, and the next boot does not */
}

static void take_without_the_lock(void)
{
	buddy_take(dma, 0);
}

static void take_too_large_an_order(void)
{
	lock();
	buddy_take(dma, MAX_PAGE_ORDER + 1);
}

static void take_a_frame_in_use(void)
{
	pfn_t pfn = page_to_pfn(allocate(2));

	lock();
	buddy_take_range(dma, pfn, pfn + 1);
}

static void put_a_free_block(void)
{
	lock();
	buddy_put(dma, whole_block() * BLOCK_FRAMES, BLOCK_ORDER);
}

static void put_into_a_block_not_open(void)
{
	lock();
	buddy_put(dma, whole_block() * BLOCK_FRAMES, 0);
}

static void open_a_whole_block(void)
{
	lock();
	buddy_open_block(dma, whole_block() * BLOCK_FRAMES, 0);
}

static void count_more_than_is_free(void)
{
	lock();
	zone_sub_free(dma, dma->nr_free + 1);
}

static void test_a_child_too_far(void)
{
	volatile unsigned int beyond = BITMAP_BITS; /* so that no compiler complains */

	bitmap_test(&dma_gib()->free, beyond);
}

static void set_a_run_not_aligned(void)
{
	bitmap_set_run(&dma_gib()->free, 1, 1);
}

static void leave_without_entering(void)
{
	cache_leave(DMA_CACHE, DMA_CACHE->state);
}

static void pop_a_frame_with_a_descriptor(void)
{
	struct page *page = allocate(0);

	__free_page(page);
	page->state = 1;
	allocate(0);
}

static const struct contract {
	const char *words;
	const char *name;
	void (*violate)(void);
} contracts[] = {
#define CONTRACT(words, what) words, #what, what
	{ CONTRACT("port_lock_is_taken(&z->lock)", take_without_the_lock) },
	{ CONTRACT("order <= MAX_PAGE_ORDER", take_too_large_an_order) },
	{ CONTRACT("& w.bits) == w.bits", take_a_frame_in_use) },
	{ CONTRACT("!bitmap_any_run(", put_a_free_block) },
	{ CONTRACT("bitmap_test(&s.gib->open", put_into_a_block_not_open) },
	{ CONTRACT("!bitmap_test(&s.gib->free", open_a_whole_block) },
	{ CONTRACT("frames <= __atomic_load_n(&z->nr_free", count_more_than_is_free) },
	{ CONTRACT("child < BITMAP_BITS", test_a_child_too_far) },
	{ CONTRACT("bitmap_is_run(child, k)", set_a_run_not_aligned) },
	{ CONTRACT("cache->state == CACHE_BUSY", leave_without_entering) },
	{ CONTRACT("!state_read(page)", pop_a_frame_with_a_descriptor) },
};
#define NR_CONTRACTS (sizeof(contracts) / sizeof(contracts[0]))

static void is_asserted(void **state)
{
	const struct contract *contract = *state;
	const char *wrong = boot_pieces(plain_16m, sizeof(plain_16m) / sizeof(plain_16m[0]), &warm);
	jmp_buf jump;

	if (wrong)
		fail_msg("%s", wrong);
	sim_panic_text[0] = '\0';
	sim_panic_jump = &jump;
	if (!setjmp(jump))
		contract->violate();
	sim_panic_jump = NULL;
	if (!strstr(sim_panic_text, contract->words))
		fail_msg("\"%s\" is not in: %s", contract->words, sim_panic_text);
}

int main(void)
{
	struct CMUnitTest tests[NR_BREAKAGES + NR_CONTRACTS];

	for (size_t i = 0; i < NR_CONTRACTS; i++)
		tests[NR_BREAKAGES + i] =
		    (struct CMUnitTest){ contracts[i].name, is_asserted, NULL, NULL,
					 (void *)(uintptr_t)&contracts[i] };
	for (size_t i = 0; i < NR_BREAKAGES; i++)
		tests[i] = (struct CMUnitTest){ breakages[i].name, is_named, NULL, NULL,
						(void *)(uintptr_t)&breakages[i] };
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
