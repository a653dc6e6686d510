/*
 * memblock.h: the books of physical memory before there is an allocator.
 *
 * Two sorted arrays of ranges: `memory`, what the machine has, and `reserved`, what is taken. What
 * is in the first and not in the second is free, and can be allocated. Names, arguments and
 * meaning follow Linux 6.12, so that code written for its memblock compiles against this one.
 *
 * Addresses and sizes are bytes; ranges are half open and end at PHYS_ADDR_MAX at the latest, what
 * goes beyond is cut off; a size of 0 does nothing. int results are 0 or -ENOMEM, and a call that
 * fails has changed nothing. No locking: one CPU at boot writes, afterwards all may read.
 */
#ifndef MM_MEMBLOCK_H
#define MM_MEMBLOCK_H

#include "mm/types.h"

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
#define MAX_NUMNODES 64
#endif
#define numa_valid_node(nid)  ((nid) >= 0 && (nid) < MAX_NUMNODES)

#define INIT_MEMBLOCK_REGIONS 128
#ifndef INIT_MEMBLOCK_RESERVED_REGIONS
#define INIT_MEMBLOCK_RESERVED_REGIONS INIT_MEMBLOCK_REGIONS
#endif
#ifndef INIT_MEMBLOCK_MEMORY_REGIONS
#define INIT_MEMBLOCK_MEMORY_REGIONS INIT_MEMBLOCK_REGIONS
#endif

/* Upper bounds that an allocation may name instead of an address. */
#define MEMBLOCK_ALLOC_ANYWHERE    (~(phys_addr_t)0)
#define MEMBLOCK_ALLOC_ACCESSIBLE  0 /* memblock.current_limit */
#define MEMBLOCK_ALLOC_NOLEAKTRACE 1 /* the same: nothing here traces leaks */
#define MEMBLOCK_LOW_LIMIT         0
#ifndef ARCH_LOW_ADDRESS_LIMIT
#define ARCH_LOW_ADDRESS_LIMIT 0xffffffffUL
#endif

/* 0x20 and 0x40 mean something in later releases of Linux and stay free. */
enum memblock_flags {
	MEMBLOCK_NONE = 0x0,
	MEMBLOCK_HOTPLUG = 0x1,        /* may be unplugged */
	MEMBLOCK_MIRROR = 0x2,         /* no meaning here */
	MEMBLOCK_NOMAP = 0x4,          /* never allocated, not in the direct map */
	MEMBLOCK_DRIVER_MANAGED = 0x8, /* a driver's: not allocated here */
	MEMBLOCK_RSRV_NOINIT = 0x10,   /* no effect: descriptors are not initialised at boot */
};

struct memblock_region {
	phys_addr_t base;
	phys_addr_t size;
	enum memblock_flags flags;
	int nid; /* MAX_NUMNODES: of no node */
};

struct memblock_type {
	unsigned long cnt; /* regions in use */
	unsigned long max; /* entries in the array */
	phys_addr_t total_size;
	struct memblock_region *regions;
	char *name;
};

/* All of the state. Early code may read and write the fields. */
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
 * Bookkeeping. Cost: O(log regions) to find the place and one move of the array's tail.
 *
 * Adding fills the holes between what is there, which keeps its node and flags. An array that is
 * full doubles: a panic before memblock_allow_resize(), -ENOMEM when there is no room.
 */
int memblock_add(phys_addr_t base, phys_addr_t size);
int memblock_add_node(phys_addr_t base, phys_addr_t size, int nid, enum memblock_flags flags);
int memblock_remove(phys_addr_t base, phys_addr_t size);
int memblock_reserve(phys_addr_t base, phys_addr_t size);

/* Takes away from `reserved`; after memblock_free_all() use memblock_free_late(). */
int memblock_phys_free(phys_addr_t base, phys_addr_t size);
void memblock_free(void *ptr, size_t size);

void memblock_allow_resize(void);

/* Memory regions shrink to multiples of align, a power of two; what is then empty goes away. */
void memblock_trim_memory(phys_addr_t align);

int memblock_set_node(phys_addr_t base, phys_addr_t size, struct memblock_type *type, int nid);
int memblock_mark_hotplug(phys_addr_t base, phys_addr_t size);
int memblock_clear_hotplug(phys_addr_t base, phys_addr_t size);
int memblock_mark_nomap(phys_addr_t base, phys_addr_t size);
int memblock_clear_nomap(phys_addr_t base, phys_addr_t size);
int memblock_reserved_mark_noinit(phys_addr_t base, phys_addr_t size);

/*
 * Keeps the lowest `limit` bytes of memory (an amount, not an address; 0: all) and what is reserved
 * below their end; the second spares MEMBLOCK_NOMAP regions.
 */
void memblock_enforce_memory_limit(phys_addr_t limit);
void memblock_mem_limit_remove_map(phys_addr_t limit);

/* Keeps this range only; MEMBLOCK_NOMAP regions stay. */
void memblock_cap_memory_range(phys_addr_t base, phys_addr_t size);

/*
 * Allocating, in bytes; align is a power of two and concerns the address alone. The block lies in
 * one memory region, at the highest place (memblock_bottom_up(): the lowest), never below
 * PAGE_SIZE. A valid nid is tried first, then any node unless exact.
 *
 * The physical functions give 0 when there is no room, and keep `start`. The others give a virtual
 * address or NULL, stay below memblock.current_limit, and give up min_addr last. Memory is zeroed
 * unless the name says raw or phys.
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

/* Panics with the caller's name when there is no room. */
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

/* Asking. Each O(log regions) unless it sums. */

/* Whether there is a common byte; touching is none. */
unsigned long memblock_addrs_overlap(phys_addr_t base1, phys_addr_t size1, phys_addr_t base2,
				     phys_addr_t size2);
bool memblock_overlaps_region(struct memblock_type *type, phys_addr_t base, phys_addr_t size);

static inline bool memblock_is_region_reserved(phys_addr_t base, phys_addr_t size)
{
	return memblock_overlaps_region(&memblock.reserved, base, size);
}

/* Whether all of it lies in one memory region. */
bool memblock_is_region_memory(phys_addr_t base, phys_addr_t size);

bool memblock_is_memory(phys_addr_t addr);
bool memblock_is_map_memory(phys_addr_t addr); /* memory, and not MEMBLOCK_NOMAP */
bool memblock_is_reserved(phys_addr_t addr);

/* The frames of the memory region that pfn lies in, and its node; NUMA_NO_NODE when none. */
int memblock_search_pfn_nid(unsigned long pfn, unsigned long *start_pfn, unsigned long *end_pfn);

static inline phys_addr_t memblock_phys_mem_size(void)
{
	return memblock.memory.total_size;
}

static inline phys_addr_t memblock_reserved_size(void)
{
	return memblock.reserved.total_size;
}

phys_addr_t memblock_start_of_DRAM(void); /* first base, last end; 0 without memory */
phys_addr_t memblock_end_of_DRAM(void);
unsigned long memblock_estimated_nr_free_pages(void);

/* Whether at most so many bytes of memory have no node. */
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

/* Whole frames of a region: memory rounds inwards, reserved outwards. */
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

/* Prints both arrays in Linux's form: when memblock_debug is set; always. */
void memblock_dump_all(void);
void memblock_dump(void);

/* The first broken invariant of memblock.c by name ("M1 …"), or NULL. O(regions). */
const char *memblock_check(void);

/* Loops. The body must not change the array that is walked. */

#define for_each_mem_region(region)            \
	for (region = memblock.memory.regions; \
	     region < memblock.memory.regions + memblock.memory.cnt; region++)

#define for_each_reserved_mem_region(region)     \
	for (region = memblock.reserved.regions; \
	     region < memblock.reserved.regions + memblock.reserved.cnt; region++)

/*
 * The next range of type_a minus type_b (NULL: nothing) after *idx, a 64-bit unsigned integer of
 * any type: the index in type_a below, that in type_b above, all ones at the end. Filters by node
 * and flags apply to memblock.memory. Outputs may be NULL.
 */
void __next_mem_range(void *idx, int nid, enum memblock_flags flags, struct memblock_type *type_a,
		      struct memblock_type *type_b, phys_addr_t *out_start, phys_addr_t *out_end,
		      int *out_nid);
void __next_mem_range_rev(void *idx, int nid, enum memblock_flags flags,
			  struct memblock_type *type_a, struct memblock_type *type_b,
			  phys_addr_t *out_start, phys_addr_t *out_end, int *out_nid);

/* &i, refused by the compiler unless i has 64 bits. */
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

/* Memory without MEMBLOCK_NOMAP. */
#define for_each_mem_range(i, p_start, p_end)                         \
	__for_each_mem_range(i, &memblock.memory, NULL, NUMA_NO_NODE, \
			     MEMBLOCK_HOTPLUG | MEMBLOCK_DRIVER_MANAGED, p_start, p_end, NULL)

#define for_each_mem_range_rev(i, p_start, p_end)                         \
	__for_each_mem_range_rev(i, &memblock.memory, NULL, NUMA_NO_NODE, \
				 MEMBLOCK_HOTPLUG | MEMBLOCK_DRIVER_MANAGED, p_start, p_end, NULL)

#define for_each_reserved_mem_range(i, p_start, p_end)                                          \
	__for_each_mem_range(i, &memblock.reserved, NULL, NUMA_NO_NODE, MEMBLOCK_NONE, p_start, \
			     p_end, NULL)

/* Memory minus reserved, region by region, up and down. nid NUMA_NO_NODE: of all nodes. */
#define for_each_free_mem_range(i, nid, flags, p_start, p_end, p_nid)                             \
	__for_each_mem_range(i, &memblock.memory, &memblock.reserved, nid, flags, p_start, p_end, \
			     p_nid)

#define for_each_free_mem_range_reverse(i, nid, flags, p_start, p_end, p_nid)                  \
	__for_each_mem_range_rev(i, &memblock.memory, &memblock.reserved, nid, flags, p_start, \
				 p_end, p_nid)

/* Whole frames of memory, region by region. i is an int; regions without a frame are skipped. */
void __next_mem_pfn_range(int *idx, int nid, unsigned long *out_start_pfn,
			  unsigned long *out_end_pfn, int *out_nid);
#define for_each_mem_pfn_range(i, nid, p_start, p_end, p_nid)                      \
	for (i = -1, __next_mem_pfn_range(&i, nid, p_start, p_end, p_nid); i >= 0; \
	     __next_mem_pfn_range(&i, nid, p_start, p_end, p_nid))

/* Handing over to the buddy allocator. */

struct page;

/* Supplied by the buddy allocator: takes the block of 2^order frames at pfn. */
void memblock_free_pages(struct page *page, unsigned long pfn, unsigned int order);

/*
 * Gives every free frame to the buddy allocator, in the largest naturally aligned blocks. Once.
 * Clears MEMBLOCK_HOTPLUG, gives reserved regions their memory's node. About 18 instructions a
 * block beside the callee's. From then on memblock is the record: allocate from the buddy.
 */
void memblock_free_all(void);

/* After that: gives the whole frames of a reserved range to the buddy allocator, one by one. */
void memblock_free_late(phys_addr_t base, phys_addr_t size);

/* Frames handed over so far. */
unsigned long totalram_pages(void);

/* memblock is kept for good, so there is nothing to discard. */
static inline void memblock_discard(void)
{
}

/* Zones count the frames that arrive, so there is no first guess to take back. */
static inline void reset_all_zones_managed_pages(void)
{
}

/* Powers of two by name. */
#define SZ_1    0x00000001
#define SZ_2    0x00000002
#define SZ_4    0x00000004
#define SZ_8    0x00000008
#define SZ_16   0x00000010
#define SZ_32   0x00000020
#define SZ_64   0x00000040
#define SZ_128  0x00000080
#define SZ_256  0x00000100
#define SZ_512  0x00000200
#define SZ_1K   0x00000400
#define SZ_2K   0x00000800
#define SZ_4K   0x00001000
#define SZ_8K   0x00002000
#define SZ_16K  0x00004000
#define SZ_32K  0x00008000
#define SZ_64K  0x00010000
#define SZ_128K 0x00020000
#define SZ_256K 0x00040000
#define SZ_512K 0x00080000
#define SZ_1M   0x00100000
#define SZ_2M   0x00200000
#define SZ_4M   0x00400000
#define SZ_8M   0x00800000
#define SZ_16M  0x01000000
#define SZ_32M  0x02000000
#define SZ_64M  0x04000000
#define SZ_128M 0x08000000
#define SZ_256M 0x10000000
#define SZ_512M 0x20000000
#define SZ_1G   0x40000000
#define SZ_2G   0x80000000
#define SZ_4G   0x100000000ull

#endif
