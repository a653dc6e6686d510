/*
 * test_node_zones.c: tests zones of NUMA nodes: whose each block is, the order in which nodes help
 * each other out, requests for a node, the reserves, the cache away, and where metadata lies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mm/cache.h"
#include "mm/check.h"
#include "mm/memblock.h"
#include "mm/numa.h"
#include "mm/page_state.h"
#include "tests/host/sim/expect_panic.h"
#include "tests/host/sim/nodes.h"

#define TIB    (1024 * GIB)
#define EBUSY  16
#define EINVAL 22

/* Node 0 has the low memory, and nodes 0 to 2 have 64 MiB of zone Normal each. */
static const struct node_ram three[] = {
	{ 0, 64 * MIB, 0, 0 },
	{ 4 * GIB, 64 * MIB, 0, 0 },
	{ 4 * GIB + 64 * MIB, 64 * MIB, 1, 0 },
	{ 4 * GIB + 128 * MIB, 64 * MIB, 2, 0 },
};

static struct zone *normal(int nid)
{
	return node_zone(nid, ZONE_NORMAL);
}

static struct page *allocate(int nid, gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages_node(nid, gfp, order);

	assert_non_null(page);
	return page;
}

static struct frame_cache *away(void)
{
	return &frame_caches[sim_cpu]->away.cache;
}

/* Boots the machine with three nodes. CPU 0 is node 1's, to which node 0 is nearest. */
static void boot_on_node_1(void)
{
	NODES_BEGIN(three);
	set_cpu_numa_node(0, 1);
	node_set_distance(1, 0, 15);
	NODES_FINISH();
	assert_int_equal(numa_node_id(), 1);
	assert_int_equal(numa_mem_id(), 1);
}

/* Allocates all that a node has, from the largest order down. */
static void fill(int nid)
{
	for (unsigned int order = MAX_PAGE_ORDER + 1; order--;)
		while (alloc_pages_node(nid, __GFP_THISNODE | __GFP_HIGH, order)) {
		}
	assert_int_equal(node_free_pages(nid), 0);
}

/* ---- zones and owners ---- */

static void nodes_may_interleave_by_blocks(void **state)
{
	enum { NR = 512 };
	static struct node_ram ram[NR + 1];
	struct page *page;

	(void)state;
	ram[0] = (struct node_ram){ 0, 32 * MIB, 0, 0 };
	for (int i = 0; i < NR; i++)
		ram[i + 1] =
		    (struct node_ram){ 4 * GIB + (uint64_t)i * 2 * MIB, 2 * MIB, i % 3, 0 };
	NODES_BOOT(ram);
	assert_int_equal(zone_owners[0]->gib[4], ZONE_MIXED);
	for (int i = 0; i < NR; i++) {
		const struct zone *z = pfn_zone(PHYS_PFN(ram[i + 1].base) + 7);

		assert_ptr_equal(z, normal(i % 3));
		assert_int_equal(z->node, i % 3);
	}
	for (int nid = 0; nid < 3; nid++) {
		assert_int_equal(normal(nid)->present, (nid < 2 ? 171 : 170) * BLOCK_FRAMES);
		assert_int_equal(normal(nid)->start_pfn,
				 (4 * GIB >> PAGE_SHIFT) + (pfn_t)nid * BLOCK_FRAMES);
	}
	assert_int_equal(normal(0)->end_pfn, (5 * GIB >> PAGE_SHIFT) - BLOCK_FRAMES);
	assert_int_equal(normal(1)->end_pfn, 5 * GIB >> PAGE_SHIFT);
	/* No block has a neighbour of its own node, and each zone gives its own blocks. */
	assert_null(alloc_pages_node(1, __GFP_THISNODE, BLOCK_ORDER + 1));
	while ((page = alloc_pages_node(1, __GFP_THISNODE, BLOCK_ORDER))) {
		assert_int_equal(page_to_pfn(page) / BLOCK_FRAMES % 3,
				 ((4 * GIB >> PAGE_SHIFT) / BLOCK_FRAMES + 1) % 3);
		assert_int_equal(page_to_nid(page), 1);
	}
	assert_int_equal(mm_check(), 0);
	fill(1);
	assert_int_equal(mm_check(), 0);
}

static void there_may_be_63_nodes(void **state)
{
	static struct node_ram ram[MAX_NUMNODES + 1];
	unsigned int zones = 0;

	(void)state;
	ram[MAX_NUMNODES] = (struct node_ram){ 0, 32 * MIB, 0, 0 };
	for (int i = 0; i < MAX_NUMNODES; i++)
		ram[i] = (struct node_ram){ 4 * GIB + (uint64_t)i * 4 * MIB, 4 * MIB, i, 0 };
	NODES_BEGIN(ram);
	set_cpu_numa_node(0, MAX_NUMNODES - 1);
	NODES_FINISH();
	assert_int_equal(nr_node_ids(), MAX_NUMNODES);
	for_each_zone(z)
		zones++;
	assert_int_equal(zones, MAX_NUMNODES + 2);
	assert_int_equal(page_to_nid(allocate(NUMA_NO_NODE, GFP_KERNEL, 0)), MAX_NUMNODES - 1);
	for (int nid = 0; nid < MAX_NUMNODES; nid++)
		for (unsigned int order = 0; order < 6; order++) {
			struct page *page = allocate(nid, __GFP_THISNODE, order);

			assert_int_equal(page_to_nid(page), nid);
			assert_int_equal(page_zonenum(page), zone_number(nid, ZONE_NORMAL));
			__free_pages(page, order);
		}
	assert_int_equal(mm_check(), 0);
}

/* Boots four islands of 64 MiB, the last of them at `last`. Returns the bytes of metadata. */
static uint64_t bytes_for_islands(uint64_t last)
{
	const struct node_ram ram[] = {
		{ 0, 64 * MIB, 0, 0 },
		{ TIB, 64 * MIB, 0, 0 },
		{ 10 * TIB + 6 * MIB, 64 * MIB, 1, 0 },
		{ last, 64 * MIB, 2, 0 },
	};
	struct page *page;

	NODES_BOOT(ram);
	page = allocate(2, __GFP_THISNODE, 0);
	assert_true(PFN_PHYS(page_to_pfn(page)) >= last);
	assert_int_equal(page_state(page_to_pfn(page) - 1 - (64 * MIB >> PAGE_SHIFT)), PAGE_ABSENT);
	__free_page(page);
	assert_int_equal(mm_check(), 0);
	return zones_bytes;
}

static void a_hole_costs_nothing(void **state)
{
	uint64_t near;

	(void)state;
	near = bytes_for_islands(11 * TIB);
	assert_true(near < MIB / 4);
	assert_int_equal(bytes_for_islands(60 * TIB), near);
}

static void ram_of_no_node_is_node_0s(void **state)
{
	static const struct node_ram ram[] = {
		{ 0, 32 * MIB, 0, 0 },
		{ 4 * GIB, 32 * MIB, NUMA_NO_NODE, 0 },
		{ 4 * GIB + 32 * MIB, 32 * MIB, 1, 0 },
	};

	(void)state;
	NODES_BOOT(ram);
	assert_ptr_equal(pfn_zone(4 * GIB >> PAGE_SHIFT), normal(0));
	assert_int_equal(normal(0)->present, 32 * MIB >> PAGE_SHIFT);
	assert_int_equal(nr_node_ids(), 2);
}

static void a_block_of_two_nodes_is_refused(void **state)
{
	static const struct node_ram ram[] = {
		{ 0, 32 * MIB, 0, 0 },
		{ 4 * GIB, 5 * MIB, 0, 0 },
		{ 4 * GIB + 5 * MIB, 27 * MIB, 1, 0 },
	};

	(void)state;
	NODES_BEGIN(ram);
	EXPECT_PANIC(nodes_finish(), "zones_init: the block at [mem 0x100400000-0x1005fffff] has "
				     "memory of two zones");
}

/* ---- fallback ---- */

/* Stores the nodes of a list, in the order of their Normal zones; returns how many they are. */
static unsigned int nodes_of_list(int nid, int nodes[MAX_NUMNODES])
{
	unsigned int nr = 0;

	for (const uint8_t *at = node_zonelists[nid]; *at != ZONE_NONE; at++)
		if (state_zones[*at]->type == ZONE_NORMAL)
			nodes[nr++] = state_zones[*at]->node;
	return nr;
}

static void assert_list(int nid, const unsigned int *numbers, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		assert_int_equal(node_zonelists[nid][i], numbers[i]);
	assert_int_equal(node_zonelists[nid][nr], ZONE_NONE);
}

static void the_nearest_node_comes_first(void **state)
{
	int nodes[MAX_NUMNODES];

	(void)state;
	NODES_BEGIN(three);
	node_set_distance(0, 1, 30); /* and 20 to node 2 */
	node_set_distance(1, 0, 11);
	node_set_distance(1, 2, 12);
	node_set_distance(2, 0, 255);
	node_set_distance(2, 1, 254);
	NODES_FINISH();
	assert_int_equal(node_distance(0, 0), LOCAL_DISTANCE);
	assert_int_equal(node_distance(0, 2), REMOTE_DISTANCE);
	assert_int_equal(node_distance(2, 0), 255);
	assert_int_equal(nodes_of_list(0, nodes), 3);
	assert_true(nodes[0] == 0 && nodes[1] == 2 && nodes[2] == 1);
	nodes_of_list(1, nodes);
	assert_true(nodes[0] == 1 && nodes[1] == 0 && nodes[2] == 2);
	nodes_of_list(2, nodes);
	assert_true(nodes[0] == 2 && nodes[1] == 1 && nodes[2] == 0);
	/* Within a node Normal comes before DMA32, and that before DMA. */
	assert_list(1,
		    (const unsigned int[]){ zone_number(1, ZONE_NORMAL),
					    zone_number(0, ZONE_NORMAL), zone_number(0, ZONE_DMA32),
					    zone_number(0, ZONE_DMA), zone_number(2, ZONE_NORMAL) },
		    5);
}

/* A node is first in its own list, even if another node has a smaller distance. */
static void a_node_is_nearest_to_itself(void **state)
{
	int nodes[MAX_NUMNODES];

	(void)state;
	NODES_BEGIN(three);
	node_set_distance(1, 1, 40);
	node_set_distance(1, 2, 10);
	NODES_FINISH();
	nodes_of_list(1, nodes);
	assert_true(nodes[0] == 1 && nodes[1] == 2 && nodes[2] == 0);
}

/* Boots a machine of eight nodes; distances between groups of `group` nodes are larger. */
static void boot_8_nodes(int group)
{
	struct node_ram ram[8];

	for (int i = 0; i < 8; i++)
		ram[i] = (struct node_ram){ 4 * GIB + (uint64_t)i * 16 * MIB, 16 * MIB, i, 0 };
	NODES_BEGIN(ram);
	for (int from = 0; from < 8; from++)
		for (int to = 0; to < 8; to++)
			if (from != to && from / group == to / group)
				node_set_distance(from, to, 12);
	NODES_FINISH();
}

static void equal_nodes_share_what_spills_over(void **state)
{
	(void)state;
	for (int group = 4; group <= 8; group += 4) {
		int times[8][8] = { 0 }; /* [place in the list][node] */

		boot_8_nodes(group);
		for (int nid = 0; nid < 8; nid++) {
			int nodes[MAX_NUMNODES] = { 0 };

			assert_int_equal(nodes_of_list(nid, nodes), 8);
			for (int i = 0; i < 8; i++)
				times[i][nodes[i]]++;
			assert_int_equal(nodes[0], nid);
			assert_int_equal(nodes[1] / group, nid / group);
			assert_int_equal(nodes[group - 1] / group, nid / group);
		}
		/* Each is the first that helps out one other; and of the other group, too. */
		for (int nid = 0; nid < 8; nid++) {
			assert_int_equal(times[1][nid], 1);
			assert_int_equal(times[group % 8][nid], 1);
		}
	}
}

/* Numbers that no node has are no nodes that spill over. */
static void gaps_between_nodes_take_no_turn(void **state)
{
	struct node_ram ram[4];
	int times[8] = { 0 };

	(void)state;
	for (int i = 0; i < 4; i++)
		ram[i] = (struct node_ram){ 4 * GIB + (uint64_t)i * 16 * MIB, 16 * MIB, 2 * i, 0 };
	NODES_BOOT(ram);
	for (int nid = 0; nid < 8; nid += 2) {
		int nodes[MAX_NUMNODES];

		assert_int_equal(nodes_of_list(nid, nodes), 4);
		times[nodes[1]]++;
	}
	for (int nid = 0; nid < 8; nid += 2)
		assert_int_equal(times[nid], 1);
}

static void hotplug_memory_comes_last(void **state)
{
	static const struct node_ram ram[] = {
		{ 0, 64 * MIB, 0, 0 },
		{ 1 * GIB, 64 * MIB, 1, MEMBLOCK_HOTPLUG },
		{ 4 * GIB, 16 * MIB, 0, 0 },
		{ 4 * GIB + 16 * MIB, 16 * MIB, 1, 0 },
		{ 4 * GIB + 32 * MIB, 128 * MIB, 0, MEMBLOCK_HOTPLUG },
	};
	const struct zone *dma, *hotplug;
	struct page *page;

	(void)state;
	NODES_BOOT(ram);
	dma = node_zone(0, ZONE_DMA);
	hotplug = node_zone(1, ZONE_HOTPLUG);
	assert_string_equal(hotplug->name, "Hotplug");
	assert_ptr_equal(pfn_zone(GIB >> PAGE_SHIFT), hotplug);
	assert_list(1,
		    (const unsigned int[]){ zone_number(1, ZONE_NORMAL),
					    zone_number(0, ZONE_NORMAL), zone_number(0, ZONE_DMA32),
					    zone_number(0, ZONE_DMA), zone_number(1, ZONE_HOTPLUG),
					    zone_number(0, ZONE_HOTPLUG) },
		    6);
	/* It is asked when all others have no more than their reserves, and before these are. */
	do
		page = allocate(1, GFP_KERNEL, 0);
	while (page_zonenum(page) != hotplug->id);
	drain_all_pages();
	assert_int_equal(dma->nr_free, dma->lowmem_reserve[ZONE_HOTPLUG]);
	assert_int_equal(zone_nr_free_pages(normal(0)) + zone_nr_free_pages(normal(1)), 0);
	assert_int_equal(mm_check(), 0);
	/* It does not serve requests for low memory, even where it lies low. */
	while ((page = alloc_pages(GFP_DMA32, 0)))
		assert_true(page_zonenum(page) < ZONE_NORMAL);
	assert_true(zone_nr_free_pages(hotplug) > 1000);
	/* With __GFP_HIGH nothing of DMA is left before Hotplug is asked. */
	do
		page = allocate(0, __GFP_HIGH, 0);
	while (page_zonenum(page) != zone_number(0, ZONE_HOTPLUG));
	assert_int_equal(zone_nr_free_pages(dma), 0);
	while (alloc_page(GFP_KERNEL)) {
	}
	assert_int_equal(nr_free_pages(), 0);
	assert_int_equal(mm_check(), 0);
}

static void low_memory_is_kept_from_all_nodes(void **state)
{
	static const struct node_ram ram[] = {
		{ 0, 16 * MIB, 0, 0 },
		{ 16 * MIB, 48 * MIB, 1, 0 },
		{ 64 * MIB, 64 * MIB, 0, 0 },
		{ 4 * GIB, 64 * MIB, 1, 0 },
		{ 4 * GIB + 64 * MIB, 64 * MIB, 0, 0 },
		{ 5 * GIB, 512 * MIB, 1, MEMBLOCK_HOTPLUG },
		{ 6 * GIB, 1024 * MIB, 0, MEMBLOCK_HOTPLUG },
	};
	uint64_t dma32, above, hotplug;
	const struct zone *dma;

	(void)state;
	NODES_BOOT(ram);
	dma = node_zone(0, ZONE_DMA);
	dma32 = node_zone(0, ZONE_DMA32)->managed + node_zone(1, ZONE_DMA32)->managed;
	above = normal(0)->managed + normal(1)->managed;
	hotplug = node_zone(0, ZONE_HOTPLUG)->managed + node_zone(1, ZONE_HOTPLUG)->managed;
	assert_int_equal(dma->lowmem_reserve[ZONE_DMA], 0);
	assert_int_equal(dma->lowmem_reserve[ZONE_DMA32], dma32 / 256);
	assert_int_equal(dma->lowmem_reserve[ZONE_NORMAL], (dma32 + above) / 256);
	/* Memory that may leave would keep more than a quarter of DMA. */
	assert_true(hotplug / 256 > dma->managed / 4);
	assert_int_equal(dma->lowmem_reserve[ZONE_HOTPLUG],
			 dma->lowmem_reserve[ZONE_NORMAL] + dma->managed / 4);
	for (int nid = 0; nid < 2; nid++) {
		const struct zone *z = node_zone(nid, ZONE_DMA32);

		assert_int_equal(z->lowmem_reserve[ZONE_DMA32], 0);
		assert_int_equal(z->lowmem_reserve[ZONE_NORMAL], above / 256);
		assert_true(hotplug / 256 < z->managed / 4);
		assert_int_equal(z->lowmem_reserve[ZONE_HOTPLUG], above / 256 + hotplug / 256);
		assert_int_equal(normal(nid)->lowmem_reserve[ZONE_HOTPLUG], 0);
	}
}

/* ---- requests for a node ---- */

static void a_request_for_a_node_gets_it(void **state)
{
	static const unsigned int orders[] = { 0, 1, 3, 9, 10, 11 };

	(void)state;
	boot_on_node_1();
	for (int nid = 0; nid < 3; nid++)
		for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
			struct page *one = allocate(nid, GFP_KERNEL, orders[i]);
			struct page *other = allocate(nid, __GFP_THISNODE, orders[i]);

			assert_int_equal(page_to_nid(one), nid);
			assert_int_equal(page_to_nid(other), nid);
			assert_ptr_equal(pfn_zone(page_to_pfn(one)), normal(nid));
			assert_int_equal(mm_check(), 0);
			__free_pages(one, orders[i]);
			__free_pages(other, orders[i]);
			assert_int_equal(mm_check(), 0);
		}
	assert_int_equal(page_to_nid(allocate(NUMA_NO_NODE, GFP_KERNEL, 0)), 1);
	assert_int_equal(page_to_nid(alloc_pages(__GFP_THISNODE, 0)), 1);
}

static void a_node_that_is_not_known_has_no_memory(void **state)
{
	static const int unknown[] = { 3, MAX_NUMNODES - 1, MAX_NUMNODES, 1000, -7 };

	(void)state;
	boot_on_node_1();
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		assert_false(node_online(unknown[i]));
		assert_null(alloc_pages_node(unknown[i], __GFP_THISNODE, 0));
		assert_null(alloc_pages_node(unknown[i], __GFP_THISNODE, 4));
		assert_int_equal(page_to_nid(allocate(unknown[i], GFP_KERNEL, 0)), 1);
		assert_int_equal(page_to_nid(allocate(unknown[i], GFP_KERNEL, 4)), 1);
	}
	assert_int_equal(mm_check(), 0);
}

static void a_node_without_memory_lives_on_the_nearest(void **state)
{
	(void)state;
	NODES_BEGIN(three);
	node_set_online(4);
	node_set_distance(4, 2, 15);
	set_cpu_numa_node(0, 4);
	NODES_FINISH();
	assert_int_equal(nr_node_ids(), 5);
	assert_true(node_online(4) && !node_online(3));
	assert_int_equal(numa_node_id(), 4);
	assert_int_equal(numa_mem_id(), 2);
	assert_int_equal(node_present_pages(4) + node_managed_pages(4) + node_free_pages(4), 0);
	assert_int_equal(page_to_nid(allocate(NUMA_NO_NODE, GFP_KERNEL, 0)), 2);
	assert_int_equal(page_to_nid(allocate(4, GFP_KERNEL, 0)), 2);
	assert_int_equal(page_to_nid(allocate(4, GFP_KERNEL, 5)), 2);
	assert_null(alloc_pages_node(4, __GFP_THISNODE, 0));
	assert_null(alloc_pages_node(4, __GFP_THISNODE, 9));
	assert_int_equal(mm_check(), 0);
}

static void node_0_may_be_without_memory(void **state)
{
	static const struct node_ram ram[] = { { 0, 64 * MIB, 3, 0 }, { 4 * GIB, 64 * MIB, 5, 0 } };

	(void)state;
	NODES_BOOT(ram);
	assert_int_equal(numa_node_id(), 0);
	assert_int_equal(numa_mem_id(), 3);
	assert_int_equal(page_to_nid(allocate(NUMA_NO_NODE, GFP_KERNEL, 0)), 3);
	assert_int_equal(page_to_nid(allocate(5, GFP_KERNEL, 0)), 5);
	assert_int_equal(node_present_pages(5), 64 * MIB >> PAGE_SHIFT);
	assert_int_equal(mm_check(), 0);
}

static void a_full_node_gives_nothing(void **state)
{
	uint64_t before[NR_ZONE_NUMBERS];

	(void)state;
	boot_on_node_1();
	for (int nid = 2; nid; nid--) {
		fill(nid);
		for_each_zone(z)
			before[z->id] = zone_nr_free_pages(z);
		for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++)
			assert_null(alloc_pages_node(nid, __GFP_THISNODE, order));
		for_each_zone(z)
			assert_int_equal(zone_nr_free_pages(z), before[z->id]);
		assert_int_equal(mm_check(), 0);
	}
	assert_int_equal(page_to_nid(allocate(2, GFP_KERNEL, 0)), 0);
	assert_int_equal(page_to_nid(allocate(1, GFP_KERNEL, 3)), 0);
	assert_int_equal(mm_check(), 0);
}

static void dma_comes_from_another_node(void **state)
{
	struct page *page;

	(void)state;
	boot_on_node_1();
	for (unsigned int i = 0; i < 100; i++) {
		page = alloc_page(GFP_DMA);
		assert_int_equal(page_zonenum(page), zone_number(0, ZONE_DMA));
		__free_page(page);
	}
	assert_int_equal(page_zonenum(allocate(1, GFP_DMA, 4)), zone_number(0, ZONE_DMA));
	assert_null(alloc_pages_node(1, GFP_DMA | __GFP_THISNODE, 0));
	assert_int_equal(page_to_nid(allocate(1, GFP_KERNEL, 0)), 1);
	assert_int_equal(mm_check(), 0);
}

/* ---- the cache away ---- */

static void when_home_is_full_a_hot_pair_stays_away(void **state)
{
	struct page *page;
	unsigned long holds;

	(void)state;
	boot_on_node_1();
	fill(1);
	page = alloc_page(GFP_KERNEL);
	assert_int_equal(page_to_nid(page), 0);
	assert_ptr_equal(away()->zone, normal(0));
	assert_ptr_equal(cache_for(GFP_KERNEL), away());
	__free_page(page);
	holds = sim_holds;
	for (unsigned int i = 0; i < 100; i++) {
		page = alloc_page(GFP_KERNEL);
		assert_ptr_equal(pfn_zone(page_to_pfn(page)), normal(0));
		__free_page(page);
	}
	assert_int_equal(sim_holds, holds);
	assert_int_equal(mm_check(), 0);
}

/* As soon as the bits of home have memory again, home is asked first again. */
static void a_spill_ends_when_home_has_memory(void **state)
{
	struct page *block;

	(void)state;
	boot_on_node_1();
	block = alloc_pages(GFP_KERNEL, CACHE_ORDERS);
	assert_int_equal(page_to_nid(block), 1);
	fill(1);
	for (unsigned int i = 0; i < 2; i++) {
		struct page *page = alloc_page(GFP_KERNEL);

		assert_int_equal(page_to_nid(page), 0);
		assert_ptr_equal(cache_for(GFP_KERNEL), away());
		__free_page(page);
	}
	__free_pages(block, CACHE_ORDERS);
	assert_ptr_not_equal(cache_for(GFP_KERNEL), away());
	assert_int_equal(page_to_nid(alloc_page(GFP_KERNEL)), 1);
	assert_int_equal(mm_check(), 0);
}

static void the_cache_away_changes_its_zone_when_empty(void **state)
{
	struct page *page;
	uint64_t count;

	(void)state;
	boot_on_node_1();
	page = allocate(0, GFP_KERNEL, 0);
	assert_ptr_equal(away()->zone, normal(0));
	count = away()->count;
	assert_true(count > 0);
	assert_int_equal(page_to_nid(allocate(2, GFP_KERNEL, 0)), 2);
	assert_ptr_equal(away()->zone, normal(0));
	assert_int_equal(away()->count, count);
	while (away()->count)
		allocate(0, GFP_KERNEL, 0);
	/* What waits in *out* is in the way no longer: it is drained. */
	away()->keep_below = page;
	__free_page(page);
	assert_int_equal(away()->nr_out, 1);
	assert_int_equal(page_to_nid(allocate(2, GFP_KERNEL, 0)), 2);
	assert_ptr_equal(away()->zone, normal(2));
	assert_int_equal(away()->nr_out, 0);
	assert_true(away()->count > 0);
	assert_int_equal(mm_check(), 0);
}

/* Only requests for any memory use the cache away: its zone may change to one of another type. */
static void low_requests_do_not_follow_the_cache_away(void **state)
{
	(void)state;
	boot_on_node_1();
	allocate(1, GFP_DMA, 0);
	assert_ptr_not_equal(cache_for(GFP_DMA), away());
	drain_caches();
	assert_int_equal(page_to_nid(allocate(2, GFP_KERNEL, 0)), 2);
	assert_ptr_equal(away()->zone, normal(2));
	assert_int_equal(page_zonenum(allocate(1, GFP_DMA, 0)), zone_number(0, ZONE_DMA));
	assert_int_equal(page_zonenum(allocate(1, GFP_DMA32, 0)), zone_number(0, ZONE_DMA32));
	assert_int_equal(mm_check(), 0);
}

static void frames_of_a_third_zone_go_to_the_bits(void **state)
{
	struct page *third;
	uint64_t nr_free;
	unsigned long holds;

	(void)state;
	boot_on_node_1();
	third = allocate(2, GFP_KERNEL, 0);
	drain_caches();
	allocate(0, GFP_KERNEL, 0);
	assert_ptr_equal(away()->zone, normal(0));
	nr_free = normal(2)->nr_free;
	holds = sim_holds;
	__free_page(third);
	assert_int_equal(sim_holds, holds + 1); /* interrupts off, but no lock: see free_frames() */
	assert_int_equal(normal(2)->nr_free, nr_free + 1);
	assert_int_equal(mm_check(), 0);
}

static void frames_away_are_found(void **state)
{
	struct page *page;
	uint64_t nr_free;
	pfn_t pfn;

	(void)state;
	boot_on_node_1();
	nr_free = nr_free_pages();
	page = allocate(0, GFP_KERNEL, 0);
	pfn = page_to_pfn(page);
	assert_int_equal(nr_free_pages(), nr_free - 1);
	__free_page(page);
	assert_int_equal(nr_free_pages(), nr_free);
	assert_true(normal(0)->nr_free < zone_nr_free_pages(normal(0)));
	assert_int_equal(page_state(pfn), PAGE_FREE);
	assert_null(page_head(pfn));
	assert_int_equal(alloc_contig_range(pfn, pfn + 1, MIGRATE_MOVABLE, 0), 0);
	assert_int_equal(page_state(pfn), PAGE_ALLOCATED);
	assert_int_equal(mm_check(), 0);
	__free_page(page);
	__free_page(allocate(0, GFP_KERNEL, 0));
	sim_cpu = 1; /* another CPU drains them, too */
	drain_all_pages();
	sim_cpu = 0;
	assert_int_equal(away()->count + away()->nr_out, 0);
	assert_int_equal(normal(0)->nr_free, zone_nr_free_pages(normal(0)));
	assert_int_equal(mm_check(), 0);
}

static void this_node_is_never_away(void **state)
{
	(void)state;
	boot_on_node_1();
	fill(1);
	__free_page(alloc_page(GFP_KERNEL));
	assert_true(away()->count > 0);
	assert_ptr_equal(cache_for(GFP_KERNEL), away());
	assert_null(alloc_page(__GFP_THISNODE));
	assert_null(alloc_pages_node(1, __GFP_THISNODE, 0));
	assert_null(alloc_pages_node(1, __GFP_THISNODE | __GFP_HIGH, 3));
	assert_int_equal(mm_check(), 0);
}

/* What the caches away of other CPUs have serves a request that finds nothing else. */
static void the_last_frames_come_from_the_caches_away(void **state)
{
	uint64_t left;

	(void)state;
	boot_on_node_1();
	allocate(0, GFP_KERNEL, 0);
	allocate(1, GFP_KERNEL, 0);
	assert_true(away()->count > 0);
	sim_cpu = 1; /* which is node 0's */
	assert_int_equal(numa_mem_id(), 0);
	for (left = nr_free_pages(); left; left--)
		assert_non_null(alloc_pages(__GFP_HIGH, 0));
	assert_null(alloc_pages(__GFP_HIGH, 0));
	sim_cpu = 0;
	assert_int_equal(away()->count, 0);
	assert_int_equal(mm_check(), 0);
}

static void a_node_without_room_in_its_home_takes_from_out(void **state)
{
	struct page *page;

	(void)state;
	boot_on_node_1();
	page = allocate(0, GFP_KERNEL, 0);
	fill(0);
	fill(1);
	fill(2);
	away()->keep_below = page;
	__free_page(page);
	assert_int_equal(away()->nr_out, 1);
	assert_ptr_equal(alloc_page(GFP_KERNEL), page); /* cache_take_last() */
	assert_null(alloc_page(GFP_KERNEL));
	assert_int_equal(mm_check(), 0);
}

/*
 * The program is linked with --wrap for port_cpu_id(), which every use of a cache calls several
 * times: an interrupt comes at the call that counts `interrupt` down to 0.
 */
static unsigned int interrupt;

unsigned int __real_port_cpu_id(void);
unsigned int __wrap_port_cpu_id(void);

/* Uses the cache away, and leaves it empty or with few frames. */
static void handle_interrupt(void)
{
	struct page *pages[40];

	for (unsigned int i = 0; i < 40; i++)
		pages[i] = alloc_pages_node(i % 3 ? 0 : 2, i % 4 ? GFP_ATOMIC : __GFP_DMA, 0);
	for (unsigned int i = 0; i < 40; i++) {
		assert_non_null(pages[i]);
		assert_true(i % 4 || page_zonenum(pages[i]) == zone_number(0, ZONE_DMA));
		__free_page(pages[i]);
	}
	drain_caches();
	for (unsigned int i = 0; i < 2; i++)
		__free_page(alloc_pages_node(2 - (int)i * 2, GFP_KERNEL, 0));
}

unsigned int __wrap_port_cpu_id(void)
{
	if (interrupt && port_may_wait() && !--interrupt) {
		sim_irqs(false);
		handle_interrupt();
		sim_irqs(true);
	}
	return __real_port_cpu_id();
}

/* Home is full, and the cache away goes to one zone after the other. */
static void go_round(void)
{
	struct page *dma = alloc_page(GFP_DMA), *home = alloc_page(GFP_KERNEL), *second;

	assert_int_equal(page_zonenum(dma), zone_number(0, ZONE_DMA));
	assert_int_equal(page_to_nid(home), 0);
	drain_caches();
	second = alloc_pages_node(2, GFP_KERNEL, 0);
	assert_non_null(second);
	__free_page(dma);
	dma = alloc_page(GFP_DMA);
	assert_int_equal(page_zonenum(dma), zone_number(0, ZONE_DMA));
	__free_page(home);
	__free_page(second);
	__free_page(dma);
}

static void the_cache_away_may_be_interrupted(void **state)
{
	unsigned int nr = 0;
	uint64_t nr_free;

	(void)state;
	boot_on_node_1();
	fill(1);
	nr_free = nr_free_pages();
	do {
		drain_caches();
		interrupt = ++nr;
		go_round();
		assert_int_equal(mm_check(), 0);
		assert_int_equal(nr_free_pages(), nr_free);
	} while (!interrupt);
	assert_in_range(nr, 50, 1000);
	interrupt = 0;
}

/* ---- metadata ---- */

static void descriptors_lie_on_their_node(void **state)
{
	static struct node_ram ram[9] = { { 0, 64 * MIB, 0, 0 } };

	(void)state;
	for (int i = 0; i < 8; i++)
		ram[i + 1] = (struct node_ram){ 4 * GIB * ((uint64_t)i + 1), 4 * GIB, i, 0 };
	NODES_BOOT(ram);
	assert_int_equal(mem_map_backed(), (32 * GIB + 64 * MIB) / PAGE_SIZE * sizeof(struct page));
	assert_int_equal(mem_map_local(), mem_map_backed());
	/* So do a zone and its shelf, its gibs, and the owners of what it shares. */
	for (int i = 0; i < 8; i++) {
		const struct zone *z = normal(i);

		assert_ptr_equal(pfn_zone(PHYS_PFN(virt_to_phys(z))), z);
		assert_ptr_equal(pfn_zone(PHYS_PFN(virt_to_phys(z->shelf[0]))), z);
		assert_ptr_equal(
		    pfn_zone(PHYS_PFN(virt_to_phys(z->shelf[0]->gib[z->start_pfn >> GIB_ORDER]))),
		    z);
	}
}

/*
 * The 2 MiB of descriptors of a chunk, 512 MiB of RAM, lie on the node that has most of it. Here
 * two nodes share the second chunk. Returns how many bytes of RAM have their descriptors on another
 * node.
 */
static uint64_t remote_of_chunk(uint64_t first_size)
{
	const struct node_ram ram[] = {
		{ 0, 64 * MIB, 0, 0 },
		{ 4 * GIB, first_size, 0, 0 },
		{ 4 * GIB + first_size, 1536 * MIB - first_size, 1, 0 },
	};

	NODES_BOOT(ram);
	return (mem_map_backed() - mem_map_local()) / sizeof(struct page) * PAGE_SIZE;
}

static void a_chunk_is_the_nodes_that_has_most_of_it(void **state)
{
	(void)state;
	assert_int_equal(remote_of_chunk(712 * MIB), 200 * MIB);
	assert_int_equal(remote_of_chunk(824 * MIB), 200 * MIB);
}

/* The island of node 1 at 4 GiB is full: its descriptors lie on the other one, not at the top. */
static void descriptors_may_lie_on_another_island(void **state)
{
	static const struct node_ram ram[] = {
		{ 0, 64 * MIB, 0, 0 },
		{ GIB, 64 * MIB, 1, 0 },
		{ 4 * GIB, 64 * MIB, 1, 0 },
		{ 5 * GIB, 64 * MIB, 2, 0 },
	};

	(void)state;
	NODES_BEGIN(ram);
	memblock_reserve(4 * GIB, 64 * MIB);
	NODES_FINISH();
	assert_int_equal(mem_map_local(), mem_map_backed());
}

/* ---- ranges ---- */

static void a_range_of_several_nodes_is_refused(void **state)
{
	static const struct node_ram ram[] = {
		{ 0, 32 * MIB, 0, 0 },
		{ 4 * GIB, 32 * MIB, 0, 0 },
		{ 4 * GIB + 32 * MIB, 32 * MIB, 1, 0 },
		{ 4 * GIB + 72 * MIB, 32 * MIB, 1, 0 },
		{ 5 * GIB + 512 * MIB, 32 * MIB, 0, 0 },
	};
	const pfn_t border = (4 * GIB + 32 * MIB) >> PAGE_SHIFT;
	const pfn_t hole = (4 * GIB + 64 * MIB) >> PAGE_SHIFT;
	const pfn_t far = (5 * GIB + 512 * MIB) >> PAGE_SHIFT;
	uint64_t nr_free;

	(void)state;
	NODES_BOOT(ram);
	nr_free = nr_free_pages();
	assert_int_equal(alloc_contig_range(border - 1, border + 1, MIGRATE_MOVABLE, 0), -EINVAL);
	assert_int_equal(alloc_contig_range(hole - 1, hole + 1, MIGRATE_MOVABLE, 0), -EBUSY);
	assert_int_equal(alloc_contig_range(hole + 1, hole + 2, MIGRATE_MOVABLE, 0), -EBUSY);
	assert_int_equal(
	    alloc_contig_range(hole, hole + 8 * MIB / PAGE_SIZE + 1, MIGRATE_MOVABLE, 0), -EBUSY);
	/* A hole between the two nodes does not make it one zone. */
	assert_int_equal(alloc_contig_range(hole, far + 1, MIGRATE_MOVABLE, 0), -EINVAL);
	assert_int_equal(nr_free_pages(), nr_free);
	assert_int_equal(alloc_contig_range(border, border + 3000, MIGRATE_MOVABLE, 0), 0);
	assert_int_equal(page_to_nid(pfn_to_page(border)), 1);
	assert_int_equal(mm_check(), 0);
	free_contig_range(border, 3000);
	assert_int_equal(nr_free_pages(), nr_free);
	assert_int_equal(mm_check(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_may_interleave_by_blocks),
		cmocka_unit_test(there_may_be_63_nodes),
		cmocka_unit_test(a_hole_costs_nothing),
		cmocka_unit_test(ram_of_no_node_is_node_0s),
		cmocka_unit_test(a_block_of_two_nodes_is_refused),
		cmocka_unit_test(the_nearest_node_comes_first),
		cmocka_unit_test(a_node_is_nearest_to_itself),
		cmocka_unit_test(equal_nodes_share_what_spills_over),
		cmocka_unit_test(gaps_between_nodes_take_no_turn),
		cmocka_unit_test(hotplug_memory_comes_last),
		cmocka_unit_test(low_memory_is_kept_from_all_nodes),
		cmocka_unit_test(a_request_for_a_node_gets_it),
		cmocka_unit_test(a_node_that_is_not_known_has_no_memory),
		cmocka_unit_test(a_node_without_memory_lives_on_the_nearest),
		cmocka_unit_test(node_0_may_be_without_memory),
		cmocka_unit_test(a_full_node_gives_nothing),
		cmocka_unit_test(dma_comes_from_another_node),
		cmocka_unit_test(when_home_is_full_a_hot_pair_stays_away),
		cmocka_unit_test(a_spill_ends_when_home_has_memory),
		cmocka_unit_test(the_cache_away_changes_its_zone_when_empty),
		cmocka_unit_test(low_requests_do_not_follow_the_cache_away),
		cmocka_unit_test(frames_of_a_third_zone_go_to_the_bits),
		cmocka_unit_test(frames_away_are_found),
		cmocka_unit_test(this_node_is_never_away),
		cmocka_unit_test(the_last_frames_come_from_the_caches_away),
		cmocka_unit_test(a_node_without_room_in_its_home_takes_from_out),
		cmocka_unit_test(the_cache_away_may_be_interrupted),
		cmocka_unit_test(descriptors_lie_on_their_node),
		cmocka_unit_test(a_chunk_is_the_nodes_that_has_most_of_it),
		cmocka_unit_test(descriptors_may_lie_on_another_island),
		cmocka_unit_test(a_range_of_several_nodes_is_refused),
	};

	sim_log = stderr;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
