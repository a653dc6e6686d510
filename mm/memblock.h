/* SPDX-License-Identifier: MIT */
/*
 * memblock.h: which physical memory there is and which is taken, before there is an allocator.
 *
 * Two sorted arrays of ranges say it: `memory`, what the machine has, and `reserved`, what is
 * taken. Memory that is in the first and not in the second is free, and can be allocated from. This
 * is Linux's memblock: names, arguments and meaning follow Linux 6.12, so that code written for
 * that compiles against this. (Where the project compares itself with Linux it means 6.1, which was
 * measured; 6.12 is followed here for the sake of newer code.)
 *
 * Addresses and sizes are in bytes. Ranges are half open; what goes beyond PHYS_ADDR_MAX is cut
 * off; a size of 0 does nothing. Functions that return an int return 0 or -ENOMEM, and one that
 * fails has changed nothing. There is no locking: one CPU at a time may change the arrays.
 *
 * After memblock_free_all() the arrays change only when memory is added, removed, or given back
 * late. Meanwhile other CPUs and interrupt handlers may ask, by pfn_valid(), memblock_is_memory()
 * and its family, memblock_search_pfn_nid() and memblock_copy_region(); each answer is right before
 * the change or after it. for_each_mem_pfn_range() may be used, too: each range that it gives is
 * one that was there, but while the array changes a range may be missed, or come twice. All other
 * loops, and sums, are for the CPU that changes the arrays.
 */
#ifndef MM_MEMBLOCK_H
#define MM_MEMBLOCK_H

#include "mm/types.h"

/* An error number, returned as a negative value. */
#ifndef ENOMEM
#define ENOMEM 12
#endif

#ifndef __init_memblock
#define __init_memblock
#endif
#ifndef __initdata_memblock
#define __initdata_memblock
#endif

#ifndef SMP_CACHE_BYTES
#define SMP_CACHE_BYTES 64
#endif

#ifndef NUMA_NO_NODE
#define NUMA_NO_NODE (-1)
#endif
#ifndef MAX_NUMNODES
#define MAX_NUMNODES 63
#endif
#define numa_valid_node(nid)  ((nid) >= 0 && (nid) < MAX_NUMNODES)

#define INIT_MEMBLOCK_REGIONS 128
#ifndef INIT_MEMBLOCK_RESERVED_REGIONS
#define INIT_MEMBLOCK_RESERVED_REGIONS INIT_MEMBLOCK_REGIONS
#endif
#ifndef INIT_MEMBLOCK_MEMORY_REGIONS
#define INIT_MEMBLOCK_MEMORY_REGIONS INIT_MEMBLOCK_REGIONS
#endif

/* Upper bounds of an allocation that stand for an address. */
#define MEMBLOCK_ALLOC_ANYWHERE    (~(phys_addr_t)0)
#define MEMBLOCK_ALLOC_ACCESSIBLE  0 /* memblock.current_limit */
#define MEMBLOCK_ALLOC_NOLEAKTRACE 1 /* the same: nothing here traces leaks */
#define MEMBLOCK_LOW_LIMIT         0
#ifndef ARCH_LOW_ADDRESS_LIMIT
#define ARCH_LOW_ADDRESS_LIMIT 0xffffffffUL
#endif

/* 0x20 and 0x40 have a meaning in later releases of Linux and stay unused. */
enum memblock_flags {
	MEMBLOCK_NONE = 0x0,
	MEMBLOCK_HOTPLUG = 0x1,        /* may be unplugged */
	MEMBLOCK_MIRROR = 0x2,         /* no meaning here */
	MEMBLOCK_NOMAP = 0x4,          /* never allocated, not in the direct map */
	MEMBLOCK_DRIVER_MANAGED = 0x8, /* a driver's: never allocated from */
	MEMBLOCK_RSRV_NOINIT = 0x10,   /* no effect: descriptors are not initialised at boot */
};

struct memblock_region {
	phys_addr_t base;
	phys_addr_t size;
	enum memblock_flags flags;
	int nid; /* the node, or MAX_NUMNODES for none */
};

struct memblock_type {
	unsigned long cnt; /* regions in use */
	unsigned long max; /* entries in the array */
	phys_addr_t total_size;
	struct memblock_region *regions;
	const char *name;
};

/* All of memblock's data. Early code may read and write the fields. */
struct memblock {
	bool bottom_up;
	phys_addr_t current_limit; /* allocations end here unless they name another bound */
	struct memblock_type memory;
	struct memblock_type reserved;
};

extern struct memblock memblock;
extern bool memblock_debug;       /* memblock=debug was given */
extern bool movable_node_enabled; /* keep allocations out of MEMBLOCK_HOTPLUG memory */

/* Set by the architecture. */
extern unsigned long max_low_pfn;
extern unsigned long min_low_pfn;
extern unsigned long max_pfn;
extern unsigned long long max_possible_pfn;

/*
 * These change the arrays. Each costs O(log regions) to find the place, and one move of the array's
 * tail.
 *
 * Adding fills the holes between what is there already, which keeps its node and flags. An array
 * that is full doubles. Before memblock_allow_resize() it panics instead; when there is no room for
 * the new array the call returns -ENOMEM. After memblock_free_all() only memblock_late_array()
 * supplies room, or the slab allocator where there is one.
 */
int memblock_add(phys_addr_t base, phys_addr_t size);
int memblock_add_node(phys_addr_t base, phys_addr_t size, int nid, enum memblock_flags flags);
int memblock_remove(phys_addr_t base, phys_addr_t size);
int memblock_reserve(phys_addr_t base, phys_addr_t size);

/*
 * Remove a range from `reserved`: memblock_free() by its address in the direct map. After
 * memblock_free_all() use memblock_free_late() instead, for memory that stays.
 */
int memblock_phys_free(phys_addr_t base, phys_addr_t size);
void memblock_free(void *ptr, size_t size);

/*
 * Allows the arrays to grow from now on, into any memory that is not reserved. So all that is in
 * use must be reserved before, and all that is free must be accessible.
 */
void memblock_allow_resize(void);

/* Shrinks memory regions to multiples of align, a power of two, and removes those left empty. */
void memblock_trim_memory(phys_addr_t align);

/* Sets the node of all regions of the type in the range. */
int memblock_set_node(phys_addr_t base, phys_addr_t size, struct memblock_type *type, int nid);

/* Set and clear a flag of the memory regions, or reserved ones, in a range. */
int memblock_mark_hotplug(phys_addr_t base, phys_addr_t size);
int memblock_clear_hotplug(phys_addr_t base, phys_addr_t size);
int memblock_mark_nomap(phys_addr_t base, phys_addr_t size);
int memblock_clear_nomap(phys_addr_t base, phys_addr_t size);
int memblock_reserved_mark_noinit(phys_addr_t base, phys_addr_t size);

/*
 * Keep the lowest `limit` bytes of memory (an amount, not an address; 0 keeps all) and what is
 * reserved below their end. memblock_mem_limit_remove_map() keeps MEMBLOCK_NOMAP regions as well.
 */
void memblock_enforce_memory_limit(phys_addr_t limit);
void memblock_mem_limit_remove_map(phys_addr_t limit);

/* Removes all memory but this range; MEMBLOCK_NOMAP regions stay. */
void memblock_cap_memory_range(phys_addr_t base, phys_addr_t size);

/*
 * These allocate size bytes. align is a power of two and concerns the address alone. The block lies
 * in one memory region, at the highest place (after memblock_set_bottom_up(true) at the lowest),
 * never below PAGE_SIZE. The node nid is tried first, then any node unless exact_nid is set.
 *
 * The functions that return a physical address return 0 when there is no room, and never go below
 * start. The others return an address in the direct map or NULL, stay below memblock.current_limit,
 * and look below min_addr when there is no room above it. Memory is zeroed unless the name says raw
 * or phys.
 */
#define MEMBLOCK_ANY_NODE false /* for exact_nid: nid is a preference, not a demand */

phys_addr_t memblock_alloc_range_nid(phys_addr_t size, phys_addr_t align, phys_addr_t start,
				     phys_addr_t end, int nid, bool exact_nid);

void *memblock_alloc_try_nid(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
			     phys_addr_t max_addr, int nid);
void *memblock_alloc_try_nid_raw(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
				 phys_addr_t max_addr, int nid);
void *memblock_alloc_exact_nid_raw(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
				   phys_addr_t max_addr, int nid);

static inline phys_addr_t memblock_phys_alloc_range(phys_addr_t size, phys_addr_t align,
						    phys_addr_t start, phys_addr_t end)
{
	return memblock_alloc_range_nid(size, align, start, end, NUMA_NO_NODE, MEMBLOCK_ANY_NODE);
}

static inline phys_addr_t memblock_phys_alloc_try_nid(phys_addr_t size, phys_addr_t align, int nid)
{
	return memblock_alloc_range_nid(size, align, 0, MEMBLOCK_ALLOC_ACCESSIBLE, nid,
					MEMBLOCK_ANY_NODE);
}

static inline phys_addr_t memblock_phys_alloc(phys_addr_t size, phys_addr_t align)
{
	return memblock_phys_alloc_range(size, align, 0, MEMBLOCK_ALLOC_ACCESSIBLE);
}

static inline void *memblock_alloc(phys_addr_t size, phys_addr_t align)
{
	return memblock_alloc_try_nid(size, align, MEMBLOCK_LOW_LIMIT, MEMBLOCK_ALLOC_ACCESSIBLE,
				      NUMA_NO_NODE);
}

static inline void *memblock_alloc_raw(phys_addr_t size, phys_addr_t align)
{
	return memblock_alloc_try_nid_raw(size, align, MEMBLOCK_LOW_LIMIT,
					  MEMBLOCK_ALLOC_ACCESSIBLE, NUMA_NO_NODE);
}

static inline void *memblock_alloc_from(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr)
{
	return memblock_alloc_try_nid(size, align, min_addr, MEMBLOCK_ALLOC_ACCESSIBLE,
				      NUMA_NO_NODE);
}

static inline void *memblock_alloc_low(phys_addr_t size, phys_addr_t align)
{
	return memblock_alloc_try_nid(size, align, MEMBLOCK_LOW_LIMIT, ARCH_LOW_ADDRESS_LIMIT,
				      NUMA_NO_NODE);
}

static inline void *memblock_alloc_node(phys_addr_t size, phys_addr_t align, int nid)
{
	return memblock_alloc_try_nid(size, align, MEMBLOCK_LOW_LIMIT, MEMBLOCK_ALLOC_ACCESSIBLE,
				      nid);
}

/* memblock_alloc() that panics with the caller's name when there is no room. */
void *__memblock_alloc_or_panic(phys_addr_t size, phys_addr_t align, const char *caller);
#define memblock_alloc_or_panic(size, align) __memblock_alloc_or_panic(size, align, __func__)

static inline void memblock_set_bottom_up(bool enable)
{
	memblock.bottom_up = enable;
}

static inline bool memblock_bottom_up(void)
{
	return memblock.bottom_up;
}

static inline void memblock_set_current_limit(phys_addr_t limit)
{
	memblock.current_limit = limit;
}

static inline phys_addr_t memblock_get_current_limit(void)
{
	return memblock.current_limit;
}

/* These ask. Each costs O(log regions), unless it sums. */

/* Returns whether two ranges have a byte in common. */
unsigned long memblock_addrs_overlap(phys_addr_t base1, phys_addr_t size1, phys_addr_t base2,
				     phys_addr_t size2);

/* Returns whether the range has a byte in common with a region of the type. */
bool memblock_overlaps_region(struct memblock_type *type, phys_addr_t base, phys_addr_t size);

static inline bool memblock_is_region_reserved(phys_addr_t base, phys_addr_t size)
{
	return memblock_overlaps_region(&memblock.reserved, base, size);
}

/* Returns whether the whole range lies in one memory region. */
bool memblock_is_region_memory(phys_addr_t base, phys_addr_t size);

/* Copies region number i of a type to *region. Returns false when there are not so many. */
bool memblock_copy_region(const struct memblock_type *type, unsigned long i,
			  struct memblock_region *region);

bool memblock_is_memory(phys_addr_t addr);
bool memblock_is_map_memory(phys_addr_t addr); /* memory, and not MEMBLOCK_NOMAP */
bool memblock_is_reserved(phys_addr_t addr);

/*
 * Sets [*start_pfn, *end_pfn) to the frames of the memory region that pfn lies in. Returns its
 * node, or NUMA_NO_NODE when there is no such region or it has no node.
 */
int memblock_search_pfn_nid(unsigned long pfn, unsigned long *start_pfn, unsigned long *end_pfn);

static inline phys_addr_t memblock_phys_mem_size(void)
{
	return __atomic_load_n(&memblock.memory.total_size, __ATOMIC_RELAXED);
}

static inline phys_addr_t memblock_reserved_size(void)
{
	return __atomic_load_n(&memblock.reserved.total_size, __ATOMIC_RELAXED);
}

/* Return where memory begins and ends; 0 when there is none. */
phys_addr_t memblock_start_of_DRAM(void);
phys_addr_t memblock_end_of_DRAM(void);

/* Returns the frames of memory less those reserved, without looking at where these lie. */
unsigned long memblock_estimated_nr_free_pages(void);

/* Returns whether at most threshold_bytes of memory have no node. */
bool memblock_validate_numa_coverage(unsigned long threshold_bytes);

static inline bool movable_node_is_enabled(void)
{
	return movable_node_enabled;
}

static inline bool memblock_is_hotpluggable(struct memblock_region *region)
{
	return region->flags & MEMBLOCK_HOTPLUG;
}

static inline bool memblock_is_mirror(struct memblock_region *region)
{
	return region->flags & MEMBLOCK_MIRROR;
}

static inline bool memblock_is_nomap(struct memblock_region *region)
{
	return region->flags & MEMBLOCK_NOMAP;
}

static inline bool memblock_is_driver_managed(struct memblock_region *region)
{
	return region->flags & MEMBLOCK_DRIVER_MANAGED;
}

static inline bool memblock_is_reserved_noinit(struct memblock_region *region)
{
	return region->flags & MEMBLOCK_RSRV_NOINIT;
}

static inline int memblock_get_region_node(const struct memblock_region *region)
{
	return region->nid;
}

static inline void memblock_set_region_node(struct memblock_region *region, int nid)
{
	region->nid = nid;
}

/* Return the whole frames of a region. Memory is rounded inwards, reserved outwards. */
static inline unsigned long memblock_region_memory_base_pfn(const struct memblock_region *region)
{
	return PFN_UP(region->base);
}

static inline unsigned long memblock_region_memory_end_pfn(const struct memblock_region *region)
{
	return PFN_DOWN(region->base + region->size);
}

static inline unsigned long memblock_region_reserved_base_pfn(const struct memblock_region *region)
{
	return PFN_DOWN(region->base);
}

static inline unsigned long memblock_region_reserved_end_pfn(const struct memblock_region *region)
{
	return PFN_UP(region->base + region->size);
}

/* Print both arrays in Linux's form. memblock_dump_all() does so if memblock_debug is set. */
void memblock_dump_all(void);
void memblock_dump(void);

/* Returns the first broken invariant of M1 to M5 in words ("M1 …"), or NULL. O(regions). */
const char *memblock_check(void);

/* Loops. The body must not change the array that is walked. */

#define for_each_mem_region(region)            \
	for (region = memblock.memory.regions; \
	     region < memblock.memory.regions + memblock.memory.cnt; region++)

#define for_each_reserved_mem_region(region)     \
	for (region = memblock.reserved.regions; \
	     region < memblock.reserved.regions + memblock.reserved.cnt; region++)

/*
 * Finds the next range of type_a minus type_b (NULL: minus nothing) after *idx. idx points to a
 * 64-bit unsigned integer of any type: the index in type_a in the low half, that in type_b in the
 * high half, all ones at the end. nid and flags filter memblock.memory. Outputs may be NULL.
 */
void __next_mem_range(void *idx, int nid, enum memblock_flags flags, struct memblock_type *type_a,
		      struct memblock_type *type_b, phys_addr_t *out_start, phys_addr_t *out_end,
		      int *out_nid);
void __next_mem_range_rev(void *idx, int nid, enum memblock_flags flags,
			  struct memblock_type *type_a, struct memblock_type *type_b,
			  phys_addr_t *out_start, phys_addr_t *out_end, int *out_nid);

/* &i, but the compiler refuses an i that has not 64 bits. */
#define __memblock_idx(i) (&(i) + 0 * sizeof(char[sizeof(i) == 8 ? 1 : -1]))

#define __for_each_mem_range(i, type_a, type_b, nid, flags, p_start, p_end, p_nid)           \
	for (i = 0, __next_mem_range(__memblock_idx(i), nid, flags, type_a, type_b, p_start, \
				     p_end, p_nid);                                          \
	     i != UINT64_MAX;                                                                \
	     __next_mem_range(&i, nid, flags, type_a, type_b, p_start, p_end, p_nid))

#define __for_each_mem_range_rev(i, type_a, type_b, nid, flags, p_start, p_end, p_nid)           \
	for (i = UINT64_MAX, __next_mem_range_rev(__memblock_idx(i), nid, flags, type_a, type_b, \
						  p_start, p_end, p_nid);                        \
	     i != UINT64_MAX;                                                                    \
	     __next_mem_range_rev(&i, nid, flags, type_a, type_b, p_start, p_end, p_nid))

/* Memory regions but those with MEMBLOCK_NOMAP. */
#define MEMBLOCK_MAPPED ((enum memblock_flags)(MEMBLOCK_HOTPLUG | MEMBLOCK_DRIVER_MANAGED))
#define for_each_mem_range(i, p_start, p_end)                                                   \
	__for_each_mem_range(i, &memblock.memory, NULL, NUMA_NO_NODE, MEMBLOCK_MAPPED, p_start, \
			     p_end, NULL)

#define for_each_mem_range_rev(i, p_start, p_end)                                          \
	__for_each_mem_range_rev(i, &memblock.memory, NULL, NUMA_NO_NODE, MEMBLOCK_MAPPED, \
				 p_start, p_end, NULL)

#define for_each_reserved_mem_range(i, p_start, p_end)                                          \
	__for_each_mem_range(i, &memblock.reserved, NULL, NUMA_NO_NODE, MEMBLOCK_NONE, p_start, \
			     p_end, NULL)

/* Memory minus reserved, region by region, upwards and downwards, of one node or NUMA_NO_NODE. */
#define for_each_free_mem_range(i, nid, flags, p_start, p_end, p_nid)                             \
	__for_each_mem_range(i, &memblock.memory, &memblock.reserved, nid, flags, p_start, p_end, \
			     p_nid)

#define for_each_free_mem_range_reverse(i, nid, flags, p_start, p_end, p_nid)                  \
	__for_each_mem_range_rev(i, &memblock.memory, &memblock.reserved, nid, flags, p_start, \
				 p_end, p_nid)

/* The whole frames of memory regions that have any. i is an int. */
void __next_mem_pfn_range(int *idx, int nid, unsigned long *out_start_pfn,
			  unsigned long *out_end_pfn, int *out_nid);
#define for_each_mem_pfn_range(i, nid, p_start, p_end, p_nid)                      \
	for (i = -1, __next_mem_pfn_range(&i, nid, p_start, p_end, p_nid); i >= 0; \
	     __next_mem_pfn_range(&i, nid, p_start, p_end, p_nid))

/* The hand-over to the buddy allocator. */

/*
 * Gives every free frame to the buddy allocator, in the largest naturally aligned runs. To be
 * called once. From then on memblock is kept as the record of what is RAM, what of it may be
 * unplugged, and what is reserved, and memory is allocated from the buddy allocator. Reserved
 * regions get the node of the memory that they lie in.
 */
void memblock_free_all(void);

/*
 * Takes the whole frames of a range out of `reserved` and gives them to the buddy allocator, one by
 * one, after memblock_free_all(). Panics when any of them is not RAM or not reserved: it was given
 * before. When the range lies inside a region of a full `reserved` that cannot grow, it says so in
 * the log and the range stays reserved. One call at a time: no lock protects memblock.
 */
void memblock_free_late(phys_addr_t base, phys_addr_t size);

/* Returns the number of frames handed over so far, and not taken back. */
unsigned long totalram_pages(void);

/* Linux drops its memblock here; this one is kept, so there is nothing to do. */
static inline void memblock_discard(void)
{
}

/* Linux takes back a first guess here; zones count the frames that arrive, so there is none. */
static inline void reset_all_zones_managed_pages(void)
{
}

/* ---- private to mm/, but for tests and statistics ---- */

struct page;

/* Takes over the aligned run of 2^order frames at pfn. The buddy allocator supplies it (zone.h). */
MM_INTERNAL void memblock_free_pages(struct page *page, unsigned long pfn, unsigned int order);

/*
 * Takes over frames from pfn on, up to end_pfn at most, as many as it can at once. Returns the
 * first frame that it did not take. The buddy allocator may supply it (zone.c); without it, or if
 * it takes none, memblock_free_pages() is called for the largest aligned run at pfn.
 */
MM_INTERNAL unsigned long memblock_free_range(unsigned long pfn, unsigned long end_pfn);

/*
 * For hotplug.c. memblock_hand_over() gives the frames [pfn, end_pfn) to the buddy allocator as
 * memblock_free_all() does, and counts them; memblock_take_back() only counts that so many have
 * been taken from it.
 */
MM_INTERNAL void memblock_hand_over(unsigned long pfn, unsigned long end_pfn);
MM_INTERNAL void memblock_take_back(unsigned long frames);

/*
 * Returns the physical address of `bytes` bytes, whole pages in the direct map, for an array that
 * has to grow after memblock_free_all(), or 0. The memory is not reserved in memblock, and never
 * given back: the smaller array that it takes the place of remains as it is. hotplug.c supplies the
 * function; without it there is no memory.
 */
MM_INTERNAL phys_addr_t memblock_late_array(phys_addr_t bytes);

/*
 * Disables interrupts on this CPU and returns the previous state; restores that state. memblock
 * calls them around a change after memblock_free_all(). The buddy allocator supplies them (zone.c).
 */
MM_INTERNAL unsigned long memblock_irq_save(void);
MM_INTERNAL void memblock_irq_restore(unsigned long flags);

#endif
