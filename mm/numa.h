/* SPDX-License-Identifier: MIT */
/*
 * numa.h: NUMA nodes: which memory and which CPU belong to which node, and how far nodes are from
 * each other. Names and meanings are Linux's.
 *
 * memblock says which node has which memory: memblock_set_node() and memblock_add_node(). A block
 * of 2 MiB belongs to one node, and is MEMBLOCK_HOTPLUG or not as a whole; zones_init() panics when
 * memblock cuts one. What memblock does not know is told by the functions here, between numa_init()
 * and zones_init(). A caller that does none of this has one node, 0.
 *
 * A node may have no memory. Its CPUs then live on the nearest node that has some: numa_mem_id().
 *
 * Fallback. Each node has a list of all zones, in the order in which a request on it is served. The
 * nodes come by their distance. Within a node, Normal memory comes before DMA32, and that before
 * DMA. After all of these follow the Hotplug zones, in the same order of nodes. Of nodes at the
 * same distance, that comes first which was the first at its distance the least often, in the lists
 * of the nodes with lower numbers; of equals, the next one after the list's own node, in a ring. So
 * the nodes share what spills over.
 */
#ifndef MM_NUMA_H
#define MM_NUMA_H

#include "mm/gfp.h"
#include "mm/memblock.h"

#define LOCAL_DISTANCE  10
#define REMOTE_DISTANCE 20

/* Forgets all nodes but node 0, and all distances; every CPU is node 0's. */
void numa_init(void);

/* Makes a node known that may have no memory. Those with memory in memblock need not be named. */
void node_set_online(int nid);

/* Sets the distance from one node to another: 10 to 255. It is 10 to itself, else 20, until set. */
void node_set_distance(int from, int to, unsigned int distance);

/* Sets the node of a CPU, which becomes known, before zones_init(). A CPU without is node 0's. */
void set_cpu_numa_node(unsigned int cpu, int nid);

/* Return whether the node is known; the distance from one to another; the highest number plus 1. */
bool node_online(int nid);
unsigned int node_distance(int from, int to);
int nr_node_ids(void);

/* Runs the body for each node that is known, in rising order. */
#define for_each_online_node(nid)                     \
	for (int nid = 0; nid < nr_node_ids(); nid++) \
		if (!node_online(nid)) {              \
		} else

/* Return the node of a CPU, and of the CPU that runs this. */
int cpu_to_node(unsigned int cpu);
int numa_node_id(void);

/* The nearest node that has memory, seen from each CPU: its own, if that has some. */
extern int cpu_homes[MM_MAX_CPUS];

/*
 * Returns the nearest node that has memory, seen from this CPU. It is set by zones_init(), and by
 * add_memory() when the first memory of a node comes.
 */
#if defined(MM_CPU_SPACE) && !defined(__cplusplus) /* C++ has no such qualifier */
struct cache_table;
extern volatile MM_CPU_SPACE struct cache_table cpu_table; /* this CPU's two symbols: port.h */
extern MM_CPU_SPACE int cpu_home;
static inline int numa_mem_id(void)
{
	return cpu_home;
}
#else
static inline int numa_mem_id(void)
{
	return __atomic_load_n(&cpu_homes[port_cpu_id()], __ATOMIC_RELAXED);
}
#endif

/* Returns the node of an allocation's memory, given its head. */
int page_to_nid(const struct page *head);

/* Return the node's frames that are RAM, those the allocator has, and those free (nr_free_pages).
 */
uint64_t node_present_pages(int nid);
uint64_t node_managed_pages(int nid);
uint64_t node_free_pages(int nid);

/*
 * Does what alloc_pages() does, but prefers the memory of node nid, and then that of the nodes
 * nearest to it. With __GFP_THISNODE it returns NULL where node nid has nothing to give.
 * NUMA_NO_NODE stands for the home of this CPU, numa_mem_id(); a node that is not known has no
 * memory.
 */
struct page *alloc_pages_far(int nid, gfp_t gfp, unsigned int order); /* where that is not home */
static inline struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
{
	if (nid != numa_mem_id())
		return alloc_pages_far(nid, gfp, order);
	return order ? alloc_pages(gfp, order) : alloc_page(gfp);
}

/*
 * Return how many bytes of descriptors are backed for RAM, and how many of these lie in memory of
 * the same node as the RAM that they describe.
 */
uint64_t mem_map_backed(void);
uint64_t mem_map_local(void);

#endif
