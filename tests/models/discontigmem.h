/*
 * discontigmem.h: DISCONTIGMEM: each node has an array of its own.
 *
 *   frames    ┃■■■■ node 0 ■■■■┃        hole         ┃■■■■ node 1 ■■■■┃
 *   nid       │ 0   0   0   0  │ ·   ·   ·   ·   ·   │ 1   1   1   1  │   a byte a GiB
 *   maps      ├────────────────┤                     ├────────────────┤
 *
 * A node is an island of RAM: it ends where a whole GiB has no RAM. Smaller holes lie within a node
 * and have descriptors. A frame's node is looked up by its GiB; a descriptor has its node's number
 * in the topmost bits of its state word.
 */
#ifndef TESTS_MODELS_DISCONTIGMEM_H
#define TESTS_MODELS_DISCONTIGMEM_H

#include "tests/models/model.h"

#define DISCONTIGMEM_NODES     64u
#define DISCONTIGMEM_NID_SHIFT 58 /* in the state word */

struct node_data {
	struct page *map;
	pfn_t start, end;
};

static struct node_data *node_data[DISCONTIGMEM_NODES];
static unsigned int nr_nodes;
static uint8_t *gib_to_nid;

static inline pfn_t gib_of(pfn_t pfn)
{
	return pfn >> (30 - PAGE_SHIFT);
}

static inline struct page *discontigmem_pfn_to_page(pfn_t pfn)
{
	const struct node_data *node = node_data[gib_to_nid[gib_of(pfn)]];

	return node->map + (pfn - node->start);
}

static inline pfn_t discontigmem_page_to_pfn(const struct page *page)
{
	const struct node_data *node = node_data[page->state >> DISCONTIGMEM_NID_SHIFT];

	return node->start + (pfn_t)(page - node->map);
}

/*
 * Adds the RAM [start, end), which lies above all that was added before, to the last node or to a
 * new one. Returns false when there are too many nodes.
 */
static inline bool discontigmem_add(pfn_t start, pfn_t end)
{
	struct node_data *node = nr_nodes ? node_data[nr_nodes - 1] : NULL;

	if (!node || gib_of(start) > gib_of(node->end - 1) + 1) {
		if (nr_nodes == DISCONTIGMEM_NODES)
			return false;
		node = memblock_alloc_or_panic(sizeof(*node), SMP_CACHE_BYTES);
		node->start = start;
		node_data[nr_nodes++] = node;
	}
	node->end = end;
	memset(gib_to_nid + gib_of(node->start), (int)nr_nodes - 1,
	       gib_of(end - 1) - gib_of(node->start) + 1);
	return true;
}

static inline uint64_t discontigmem_setup(void)
{
	pfn_t gibs = gib_of(PFN_DOWN(memblock_end_of_DRAM()) - 1) + 1;
	unsigned long start, end;
	uint64_t bytes = 0;
	int i;

	nr_nodes = 0;
	gib_to_nid = memblock_alloc_or_panic(gibs, SMP_CACHE_BYTES);
	for_each_mem_pfn_range(i, NUMA_NO_NODE, &start, &end, NULL)
		if (!discontigmem_add(start, end))
			return model_refuse("more than %llu islands", DISCONTIGMEM_NODES);
	for (unsigned int nid = 0; nid < nr_nodes; nid++) {
		struct node_data *node = node_data[nid];
		uint64_t size = model_bytes(node->end - node->start);

		node->map = model_take(size, PAGE_SIZE, node->end);
		if (!node->map)
			return 0;
		bytes += size;
	}
	return bytes;
}

static inline void discontigmem_init(void)
{
	for (unsigned int nid = 0; nid < nr_nodes; nid++)
		model_write(node_data[nid]->map, node_data[nid]->end - node_data[nid]->start,
			    (uint64_t)nid << DISCONTIGMEM_NID_SHIFT);
}

#endif
