/* SPDX-License-Identifier: MIT */
/*
 * memblock.c: room for the arrays, changes of them, questions, allocation, and the hand-over to the
 * buddy allocator. memblock_array.h has the arithmetic of an array and its invariants, M1 to
 * M5.
 *
 * What is in the first array and not in the second is free:
 *
 *   memory     [======== RAM ========]        [=== RAM, node 0 ===|=== RAM, node 1 ===]
 *   reserved         [kernel]      [... firmware ...]    [table]
 *   free       [====]        [====]                 [===]       [=|===================]
 *
 * The invariants go on with those of a call:
 *
 *   M6  A call counts the entries that its result needs, makes the array grow, then changes it: a
 *       call that fails has changed nothing.
 *   M7  An array grows when the result does not fit, not before. Steps that free entries go first,
 *       so that nothing in between needs more than the result.
 *   M8  Beside `memblock` only the permission to grow is kept from call to call, and whether the
 *       hand-over is done.
 *
 * From the hand-over on, a change runs with interrupts off and makes change_count odd while it
 * lasts, and other CPUs that ask meanwhile ask again: a sequence lock. A handler never meets an odd
 * count that its own CPU has made.
 */
#include "mm/memblock.h"
#include "mm/memblock_array.h"
#include "mm/page.h"
#include "mm/port.h"

_Static_assert(sizeof(phys_addr_t) == 8 && sizeof(unsigned long) == 8, "frame numbers are 64-bit");

static struct memblock_region memory_regions[INIT_MEMBLOCK_MEMORY_REGIONS];
static struct memblock_region reserved_regions[INIT_MEMBLOCK_RESERVED_REGIONS];

struct memblock memblock = {
	.current_limit = MEMBLOCK_ALLOC_ANYWHERE,
	.memory = { .max = INIT_MEMBLOCK_MEMORY_REGIONS,
		    .regions = memory_regions,
		    .name = "memory" },
	.reserved = { .max = INIT_MEMBLOCK_RESERVED_REGIONS,
		      .regions = reserved_regions,
		      .name = "reserved" },
};

bool memblock_debug;
/* Weak: a program around memblock may have its own, as Linux's memory hotplug has. */
__attribute__((__weak__)) bool movable_node_enabled;

unsigned long max_low_pfn;
unsigned long min_low_pfn;
unsigned long max_pfn;
unsigned long long max_possible_pfn;

#ifdef MM_HOST
uintptr_t mm_host_offset;
#endif

static bool may_resize;
static bool handed_over;
static unsigned long nr_handed_over;

/* Changing while others ask. */

#define load_word(word) __atomic_load_n(&(word), __ATOMIC_RELAXED)

static unsigned int change_count;

/* Weak: a buddy allocator has its own, and hotplug.c memblock_late_array(). */
#ifndef MM_ONE_FILE
__attribute__((__weak__)) unsigned long memblock_irq_save(void)
{
	return 0;
}

__attribute__((__weak__)) void memblock_irq_restore(unsigned long flags)
{
	(void)flags;
}

__attribute__((__weak__)) phys_addr_t memblock_late_array(phys_addr_t bytes)
{
	(void)bytes;
	return 0;
}
#elif !defined(MM_HOTPLUG)
MM_INTERNAL phys_addr_t memblock_late_array(phys_addr_t bytes)
{
	(void)bytes;
	return 0;
}
#endif

/* Returns whether the hand-over is done. A memblock that was emptied is before it again. */
static bool is_late(void)
{
	if (handed_over && !nr_regions(&memblock.memory))
		handed_over = false;
	return handed_over;
}

__attribute__((__noinline__, __cold__)) static unsigned long late_change_begin(void)
{
	unsigned long flags;

	if (!is_late())
		return 0;
	flags = memblock_irq_save();
	store_word(change_count, change_count + 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return flags;
}

__attribute__((__noinline__, __cold__)) static void late_change_end(unsigned long flags)
{
	__atomic_store_n(&change_count, change_count + 1, __ATOMIC_RELEASE);
	memblock_irq_restore(flags);
}

/* Returns what change_end() needs. */
static inline unsigned long change_begin(void)
{
	return handed_over ? late_change_begin() : 0;
}

static inline void change_end(unsigned long flags)
{
	if (change_count & 1)
		late_change_end(flags);
}

/*
 * Load the number of regions, and region i, which is less than a number that was loaded before: an
 * array that grows is exchanged, for a larger one, before the number is.
 */
static unsigned long load_cnt(const struct memblock_type *type)
{
	return __atomic_load_n(&type->cnt, __ATOMIC_ACQUIRE);
}

static struct memblock_region load_region(const struct memblock_type *type, unsigned long i)
{
	struct memblock_region *region = &__atomic_load_n(&type->regions, __ATOMIC_ACQUIRE)[i];

	return (struct memblock_region){ load_word(region->base), load_word(region->size),
					 load_word(region->flags), load_word(region->nid) };
}

/* Returns a count for ask_again(), when no change is being made. */
static unsigned int ask_begin(void)
{
	unsigned int count;

	while ((count = __atomic_load_n(&change_count, __ATOMIC_ACQUIRE)) & 1)
		port_cpu_relax();
	return count;
}

/* Returns whether what was read since ask_begin() may be of a change, and of no use therefore. */
static bool ask_again(unsigned int count)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return load_word(change_count) != count;
}

/* Room. */

static phys_addr_t find_free(phys_addr_t size, phys_addr_t align, phys_addr_t start,
			     phys_addr_t end, int nid, uint64_t *i);

/* Finds page-aligned memory for an array outside [base, end): above it if possible, else below. */
static phys_addr_t find_array(phys_addr_t size, phys_addr_t base, phys_addr_t end)
{
	phys_addr_t limit = memblock.current_limit;
	uint64_t i;
	phys_addr_t found = find_free(size, PAGE_SIZE, end, limit, NUMA_NO_NODE, &i);

	return found ? found
		     : find_free(size, PAGE_SIZE, 0, phys_min(base, limit), NUMA_NO_NODE, &i);
}

static phys_addr_t array_bytes(unsigned long nr)
{
	return PAGE_ALIGN(nr * sizeof(struct memblock_region));
}

/*
 * Gives an array back to where it came from; the static ones stay, and so does one whose release
 * would split a region of a full `reserved` that has no room to grow.
 */
static void release_array(struct memblock_region *regions, unsigned long nr)
{
	phys_addr_t phys = virt_to_phys(regions);

	if (regions == memory_regions || regions == reserved_regions)
		return;
	if (memblock_is_region_reserved(phys, array_bytes(nr)))
		memblock_phys_free(phys, array_bytes(nr));
	else if (slab_is_available())
		kfree(regions);
}

/*
 * Makes an array double until it has `needed` entries. The new one is reserved: before the switch
 * when that can fail, after it when it is `reserved` itself, which has room only then.
 *
 * After the hand-over the new array is the allocator's memory and not reserved here, and the old
 * one is left as it is: another CPU may be reading it. All that an array leaves behind so is less
 * than it has in the end.
 */
static int grow(struct memblock_type *type, unsigned long needed, phys_addr_t base, phys_addr_t end)
{
	bool is_reserved = type == &memblock.reserved, late = is_late();
	unsigned long old_max = type->max, new_max = old_max;
	struct memblock_region *old = type->regions, *regions = NULL;
	phys_addr_t phys = 0;

	if (!(may_resize || late) || !old_max)
		port_panic("memblock: the %s array is full with %lu regions and may not grow: see "
			   "INIT_MEMBLOCK_MEMORY_REGIONS, INIT_MEMBLOCK_RESERVED_REGIONS",
			   type->name, type->cnt);
	/* Its own entry, and one if freeing the old array splits a region. */
	needed += is_reserved && !late ? 2 : 0;
	while (new_max < needed)
		new_max *= 2;

	if (slab_is_available())
		regions = kmalloc(array_bytes(new_max), 0);
	else if ((phys = late ? memblock_late_array(array_bytes(new_max))
			      : find_array(array_bytes(new_max), base, end)) != 0)
		regions = phys_to_virt(phys);
	if (!regions ||
	    (phys && !late && !is_reserved && memblock_reserve(phys, array_bytes(new_max)))) {
		port_log("memblock: no room for the %s array to grow from %lu to %lu regions\n",
			 type->name, old_max, new_max);
		return -ENOMEM;
	}

	memcpy(regions, old, type->cnt * sizeof(*old));
	memset(regions + type->cnt, 0, (new_max - type->cnt) * sizeof(*old));
	__atomic_store_n(&type->regions, regions, __ATOMIC_RELEASE);
	type->max = new_max;
	if (late)
		return 0;
	if (phys && is_reserved)
		memblock_reserve(phys, array_bytes(new_max));
	release_array(old, old_max);
	return 0;
}

/*
 * Sees to it that `growth` more entries fit, keeping [base, end) clear of the new array. 1: the
 * array grew, which may have changed the regions, so count again; 0: go on; negative: give up.
 */
static int make_room(struct memblock_type *type, long growth, phys_addr_t base, phys_addr_t end)
{
	unsigned long nr = nr_regions(type);
	int err;

	if (growth <= 0 || nr + (unsigned long)growth <= type->max)
		return 0;
	err = grow(type, nr + (unsigned long)growth, base, end);
	return err ? err : 1;
}

/* Changing: add, remove, set. */

/* Fills the holes of the range: first those that join a neighbour, for they add no entry. */
static int add_range(struct memblock_type *type, phys_addr_t base, phys_addr_t size, int nid,
		     enum memblock_flags flags)
{
	struct memblock_region hole = { .flags = flags, .nid = region_stored_nid(nid) };
	phys_addr_t end = range_end(base, size), pos;
	bool clear = type == &memblock.reserved; /* what is about to be reserved looks free still */
	unsigned long i, irq;
	int err;

	/* Most ranges are one hole as a whole. */
	if (type->cnt < type->max && regions_next_hole(type, base, end, &i, &hole) &&
	    hole.size == end - base) {
		irq = change_begin();
		regions_fill(type, i, &hole);
		change_end(irq);
		return 0;
	}
	while ((err = make_room(type, regions_growth_by_add(type, base, end, &hole),
				clear ? base : 0, clear ? end : 0)) > 0)
		;
	if (err)
		return err;
	irq = change_begin();
	for (pos = base; regions_next_hole(type, pos, end, &i, &hole); pos = region_end(&hole))
		if (regions_growth_by_fill(type, i, &hole) <= 0)
			regions_fill(type, i, &hole);
	for (pos = base; regions_next_hole(type, pos, end, &i, &hole); pos = region_end(&hole))
		regions_fill(type, i, &hole);
	change_end(irq);
	return 0;
}

static int remove_range(struct memblock_type *type, phys_addr_t base, phys_addr_t size)
{
	phys_addr_t end = range_end(base, size);
	struct memblock_region *region;
	unsigned long irq;
	int err;

	do {
		region = regions_find_overlap(type, base, end);
		if (!region)
			return 0;
		err = make_room(type, region->base < base && region_end(region) > end, base, end);
	} while (err > 0);
	if (err)
		return err;
	irq = change_begin();
	regions_carve(type, base, end);
	change_end(irq);
	return 0;
}

/* Whole regions first, for they add no entry; then the parts at both borders. */
static int set_range(struct memblock_type *type, phys_addr_t base, phys_addr_t size,
		     const struct region_change *change)
{
	phys_addr_t end = range_end(base, size);
	bool clear = type == &memblock.reserved, more = true;
	unsigned long irq;
	int err;

	while ((err = make_room(type, regions_growth_by_set(type, base, end, change),
				clear ? base : 0, clear ? end : 0)) > 0)
		;
	if (err)
		return err;
	irq = change_begin();
	for (int parts = 0; more && parts < 2; parts++) {
		unsigned long i = base < end ? regions_find(type, base) : nr_regions(type);

		more = false;
		while (i < nr_regions(type) && type->regions[i].base < end) {
			struct memblock_region *region = &type->regions[i++];
			struct memblock_region now = region_changed(region, change);
			bool part = region->base < base || region_end(region) > end;
			bool same = regions_alike(&now, region);

			now.base = phys_max(region->base, base);
			now.size = phys_min(region_end(region), end) - now.base;
			more |= part;
			if (same || part != (parts == 1))
				continue;
			region_replace(type, region, &now);
			i = regions_find(type, region_end(&now)); /* it may have been joined */
		}
	}
	change_end(irq);
	return 0;
}

int memblock_add(phys_addr_t base, phys_addr_t size)
{
	return add_range(&memblock.memory, base, size, MAX_NUMNODES, MEMBLOCK_NONE);
}

int memblock_add_node(phys_addr_t base, phys_addr_t size, int nid, enum memblock_flags flags)
{
	return add_range(&memblock.memory, base, size, nid, flags);
}

int memblock_remove(phys_addr_t base, phys_addr_t size)
{
	return remove_range(&memblock.memory, base, size);
}

int memblock_reserve(phys_addr_t base, phys_addr_t size)
{
	return add_range(&memblock.reserved, base, size, MAX_NUMNODES, MEMBLOCK_NONE);
}

int memblock_phys_free(phys_addr_t base, phys_addr_t size)
{
	return remove_range(&memblock.reserved, base, size);
}

void memblock_free(void *ptr, size_t size)
{
	if (ptr)
		memblock_phys_free(virt_to_phys(ptr), size);
}

void memblock_allow_resize(void)
{
	may_resize = true;
}

int memblock_set_node(phys_addr_t base, phys_addr_t size, struct memblock_type *type, int nid)
{
	return set_range(type, base, size,
			 &(struct region_change){ .nid = region_stored_nid(nid) });
}

static int set_flag(struct memblock_type *type, phys_addr_t base, phys_addr_t size,
		    enum memblock_flags flag)
{
	return set_range(type, base, size,
			 &(struct region_change){ .set = flag, .nid = REGION_KEEP_NODE });
}

static int clear_flag(struct memblock_type *type, phys_addr_t base, phys_addr_t size,
		      enum memblock_flags flag)
{
	return set_range(type, base, size,
			 &(struct region_change){ .clear = flag, .nid = REGION_KEEP_NODE });
}

int memblock_mark_hotplug(phys_addr_t base, phys_addr_t size)
{
	return set_flag(&memblock.memory, base, size, MEMBLOCK_HOTPLUG);
}

int memblock_clear_hotplug(phys_addr_t base, phys_addr_t size)
{
	return clear_flag(&memblock.memory, base, size, MEMBLOCK_HOTPLUG);
}

int memblock_mark_nomap(phys_addr_t base, phys_addr_t size)
{
	return set_flag(&memblock.memory, base, size, MEMBLOCK_NOMAP);
}

int memblock_clear_nomap(phys_addr_t base, phys_addr_t size)
{
	return clear_flag(&memblock.memory, base, size, MEMBLOCK_NOMAP);
}

int memblock_reserved_mark_noinit(phys_addr_t base, phys_addr_t size)
{
	return set_flag(&memblock.reserved, base, size, MEMBLOCK_RSRV_NOINIT);
}

/* Downwards, so that a region that goes does not move those still to come. */
void memblock_trim_memory(phys_addr_t align)
{
	struct memblock_type *type = &memblock.memory;

	for (unsigned long i = nr_regions(type); i-- > 0;) {
		struct memblock_region *region = &type->regions[i];
		phys_addr_t below = -region->base & (align - 1); /* up to the next multiple */
		phys_addr_t above = region_end(region) & (align - 1);

		if (region->size > below && region->size - below > above)
			region_resize(type, region, region->base + below,
				      region_end(region) - above);
		else
			regions_erase(type, i, 1);
	}
}

/* Returns where the lowest `amount` bytes of memory end; PHYS_ADDR_MAX when there are fewer. */
static phys_addr_t end_of_amount(phys_addr_t amount)
{
	const struct memblock_region *region;

	for_each_mem_region(region) {
		if (amount <= region->size)
			return region->base + amount;
		amount -= region->size;
	}
	return PHYS_ADDR_MAX;
}

void memblock_enforce_memory_limit(phys_addr_t limit)
{
	phys_addr_t end = limit ? end_of_amount(limit) : PHYS_ADDR_MAX;

	remove_range(&memblock.memory, end, PHYS_ADDR_MAX);
	remove_range(&memblock.reserved, end, PHYS_ADDR_MAX);
}

void memblock_mem_limit_remove_map(phys_addr_t limit)
{
	phys_addr_t end = limit ? end_of_amount(limit) : PHYS_ADDR_MAX;

	if (end != PHYS_ADDR_MAX)
		memblock_cap_memory_range(0, end);
}

/* Cuts at the edges of regions need no entry, so nothing here can fail. */
void memblock_cap_memory_range(phys_addr_t base, phys_addr_t size)
{
	struct memblock_type *type = &memblock.memory;
	phys_addr_t end = range_end(base, size);

	if (!size)
		return;
	for (unsigned long i = nr_regions(type); i-- > 0;) {
		struct memblock_region region = type->regions[i];

		if (memblock_is_nomap(&region))
			continue;
		if (region_end(&region) > end)
			regions_carve(type, phys_max(region.base, end), region_end(&region));
		if (region.base < base)
			regions_carve(type, region.base, phys_min(region_end(&region), base));
	}
	remove_range(&memblock.reserved, 0, base);
	remove_range(&memblock.reserved, end, PHYS_ADDR_MAX);
}

/* Walking. */

/* A caller's 64-bit index, whichever unsigned type it has. */
typedef uint64_t __attribute__((__may_alias__)) index_t;
#define INDEX_END UINT64_MAX

static inline bool is_skipped(const struct memblock_type *type, struct memblock_region *region,
			      int nid, enum memblock_flags flags)
{
	if (type != &memblock.memory)
		return false;
	if (numa_valid_node(nid) && region->nid != nid)
		return true;
	if (memblock_is_hotpluggable(region) && movable_node_enabled && !(flags & MEMBLOCK_HOTPLUG))
		return true;
	if (memblock_is_nomap(region) && !(flags & MEMBLOCK_NOMAP))
		return true;
	return memblock_is_driver_managed(region) && !(flags & MEMBLOCK_DRIVER_MANAGED);
}

/* The gap before region i of a type, for i up to and including the count; NULL: one gap, all. */
static inline void gap_before(const struct memblock_type *type, long i, phys_addr_t *start,
			      phys_addr_t *end)
{
	*start = 0;
	*end = PHYS_ADDR_MAX;
	if (!type)
		return;
	if (i > 0)
		*start = region_end(&type->regions[i - 1]);
	if (i < (long)nr_regions(type))
		*end = type->regions[i].base;
}

static inline void give_range(const struct memblock_region *region, phys_addr_t start,
			      phys_addr_t end, phys_addr_t *out_start, phys_addr_t *out_end,
			      int *out_nid)
{
	if (out_start)
		*out_start = start;
	if (out_end)
		*out_end = end;
	if (out_nid)
		*out_nid = region->nid;
}

/* The last gap reaches PHYS_ADDR_MAX, so b never passes it. */
void __next_mem_range(void *idx, int nid, enum memblock_flags flags, struct memblock_type *type_a,
		      struct memblock_type *type_b, phys_addr_t *out_start, phys_addr_t *out_end,
		      int *out_nid)
{
	index_t *index = idx;
	long a = (uint32_t)*index, b = (uint32_t)(*index >> 32), nr = (long)nr_regions(type_a);

	for (; a < nr; a++) {
		struct memblock_region *region = &type_a->regions[a];

		if (is_skipped(type_a, region, nid, flags))
			continue;
		for (;; b++) {
			phys_addr_t start, end;

			gap_before(type_b, b, &start, &end);
			if (start >= region_end(region))
				break;
			if (end <= region->base || start == end)
				continue;
			give_range(region, phys_max(start, region->base),
				   phys_min(end, region_end(region)), out_start, out_end, out_nid);
			a += region_end(region) <= end;
			b += end < region_end(region);
			*index = (uint32_t)a | (uint64_t)b << 32;
			return;
		}
	}
	*index = INDEX_END;
}

/* The first gap begins at 0, so b never passes it; a becomes -1 behind the lowest region. */
void __next_mem_range_rev(void *idx, int nid, enum memblock_flags flags,
			  struct memblock_type *type_a, struct memblock_type *type_b,
			  phys_addr_t *out_start, phys_addr_t *out_end, int *out_nid)
{
	index_t *index = idx;
	long a = (int32_t)*index, b = (int32_t)(*index >> 32);

	if (*index == INDEX_END) {
		a = (long)nr_regions(type_a) - 1;
		b = type_b ? (long)nr_regions(type_b) : 0;
	}
	for (; a >= 0; a--) {
		struct memblock_region *region = &type_a->regions[a];

		if (is_skipped(type_a, region, nid, flags))
			continue;
		for (;; b--) {
			phys_addr_t start, end;

			gap_before(type_b, b, &start, &end);
			if (end <= region->base)
				break;
			if (start >= region_end(region) || start == end)
				continue;
			give_range(region, phys_max(start, region->base),
				   phys_min(end, region_end(region)), out_start, out_end, out_nid);
			a -= start <= region->base;
			b -= start > region->base;
			*index = (uint32_t)a | (uint64_t)b << 32;
			return;
		}
	}
	*index = INDEX_END;
}

bool memblock_copy_region(const struct memblock_type *type, unsigned long i,
			  struct memblock_region *region)
{
	unsigned int count;
	bool found;

	do {
		count = ask_begin();
		found = i < load_cnt(type);
		if (found)
			*region = load_region(type, i);
	} while (ask_again(count));
	return found;
}

/* Returns memory region i, after the hand-over as a copy in *copy; or NULL. */
static inline const struct memblock_region *memory_region(unsigned long i,
							  struct memblock_region *copy)
{
	if (__builtin_expect(handed_over, 0))
		return memblock_copy_region(&memblock.memory, i, copy) ? copy : NULL;
	return i < nr_regions(&memblock.memory) ? &memblock.memory.regions[i] : NULL;
}

void __next_mem_pfn_range(int *idx, int nid, unsigned long *out_start_pfn,
			  unsigned long *out_end_pfn, int *out_nid)
{
	const struct memblock_region *region;
	struct memblock_region copy;

	while ((region = memory_region((unsigned long)++*idx, &copy)) != NULL) {
		unsigned long start = memblock_region_memory_base_pfn(region);
		unsigned long end = memblock_region_memory_end_pfn(region);

		if (start >= end || (numa_valid_node(nid) && region->nid != nid))
			continue;
		if (out_start_pfn)
			*out_start_pfn = start;
		if (out_end_pfn)
			*out_end_pfn = end;
		if (out_nid)
			*out_nid = region->nid;
		return;
	}
	*idx = -1;
}

/* Allocating. */

/* The place for a block in free range [start, end): highest or lowest; 0 when it does not fit. */
static phys_addr_t place(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end)
{
	phys_addr_t found;

	if (start >= end || end - start < size)
		return 0;
	if (!memblock.bottom_up) {
		found = (end - size) & ~(align - 1);
		return found >= start ? found : 0;
	}
	found = (start + align - 1) & ~(align - 1); /* 0 when it passes the top */
	return found <= end - size ? found : 0;
}

/*
 * Return where a walk over the free ranges begins so that it leaves out those that lie wholly above
 * end, or wholly below start. Looking at these as well would make the set-up of a machine with many
 * islands of RAM quadratic. Most often end lies above all of a type's regions.
 */
static unsigned long find_below(const struct memblock_type *type, phys_addr_t end)
{
	unsigned long nr = nr_regions(type);

	return nr && region_end(&type->regions[nr - 1]) >= end ? regions_find(type, end - 1) : nr;
}

static uint64_t index_below(phys_addr_t end)
{
	unsigned long a = find_below(&memblock.memory, end);
	unsigned long nr = nr_regions(&memblock.memory);

	return (uint32_t)(a < nr ? a : nr - 1) | (uint64_t)find_below(&memblock.reserved, end)
						     << 32;
}

static uint64_t index_above(phys_addr_t start)
{
	return regions_find(&memblock.memory, start) |
	       (uint64_t)regions_find(&memblock.reserved, start) << 32;
}

/*
 * Leaves *i where the walk stands when it has found a block: see reserve_found(). The walk ends
 * when it leaves [start, end), for the same reason.
 */
static phys_addr_t find_free(phys_addr_t size, phys_addr_t align, phys_addr_t start,
			     phys_addr_t end, int nid, uint64_t *i)
{
	bool up = memblock.bottom_up;
	phys_addr_t free_start, free_end, found;

	start = phys_max(start, PAGE_SIZE);
	for (*i = up ? index_above(start) : index_below(end);;) {
		if (up)
			__next_mem_range(i, nid, MEMBLOCK_NONE, &memblock.memory,
					 &memblock.reserved, &free_start, &free_end, NULL);
		else
			__next_mem_range_rev(i, nid, MEMBLOCK_NONE, &memblock.memory,
					     &memblock.reserved, &free_start, &free_end, NULL);
		if (*i == INDEX_END || (up ? free_start >= end : free_end <= start))
			return 0;
		found = place(size, align, phys_max(start, free_start), phys_min(end, free_end));
		if (found)
			return found;
	}
}

/*
 * Reserves a block that find_free() has found, when the walk stood at index i. So the hole of
 * `reserved` that the block lies in is known: the walk is at it, or one step further.
 */
static int reserve_found(phys_addr_t base, phys_addr_t size, uint64_t i)
{
	struct memblock_type *type = &memblock.reserved;
	const struct memblock_region block = { .base = base, .size = size, .nid = MAX_NUMNODES };
	unsigned long above = i >> 32;

	if (!size || type->cnt >= type->max)
		return memblock_reserve(base, size);
	if (above < nr_regions(type) && type->regions[above].base < base)
		above++;
	else if (above > 0 && type->regions[above - 1].base > base)
		above--;
	regions_fill(type, above, &block);
	return 0;
}

/* Once the slab allocator is up, requests go to it: memblock no longer hands out memory. */
static phys_addr_t alloc_late(phys_addr_t size)
{
	static bool warned;
	void *virt;

	if (!warned) {
		warned = true;
		port_log("memblock: allocation of %llu bytes after the slab allocator is up\n",
			 (unsigned long long)size);
		dump_stack();
	}
	virt = kmalloc(size, 0);
	return virt ? virt_to_phys(virt) : 0;
}

phys_addr_t memblock_alloc_range_nid(phys_addr_t size, phys_addr_t align, phys_addr_t start,
				     phys_addr_t end, int nid, bool exact_nid)
{
	phys_addr_t found;
	uint64_t i;

	if (slab_is_available())
		return alloc_late(size);
	if (!align) {
		port_log("memblock: alignment 0 asked for, %u used\n", SMP_CACHE_BYTES);
		dump_stack();
		align = SMP_CACHE_BYTES;
	}
	if (end == MEMBLOCK_ALLOC_ACCESSIBLE || end == MEMBLOCK_ALLOC_NOLEAKTRACE)
		end = memblock.current_limit;
	found = find_free(size, align, start, end, nid, &i);
	if (!found && numa_valid_node(nid) && !exact_nid)
		found = find_free(size, align, start, end, NUMA_NO_NODE, &i);
	return found && !reserve_found(found, size, i) ? found : 0;
}

/* Whether another node may serve when the one that was asked for has no room. */
enum node_choice { ANY_NODE, EXACT_NODE };

static void *alloc_virt(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
			phys_addr_t max_addr, int nid, enum node_choice choice)
{
	const bool exact_nid = choice == EXACT_NODE;
	phys_addr_t phys;

	max_addr = phys_min(max_addr, memblock.current_limit);
	phys = memblock_alloc_range_nid(size, align, min_addr, max_addr, nid, exact_nid);
	if (!phys && min_addr)
		phys = memblock_alloc_range_nid(size, align, 0, max_addr, nid, exact_nid);
	/* kmalloc()'s pointer comes as a physical address, out of the analyser's sight. */
	return phys ? phys_to_virt(phys) : NULL; /* NOLINT(clang-analyzer-unix.Malloc) */
}

void *memblock_alloc_try_nid(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
			     phys_addr_t max_addr, int nid)
{
	void *virt = alloc_virt(size, align, min_addr, max_addr, nid, ANY_NODE);

	return virt ? memset(virt, 0, size) : NULL;
}

void *memblock_alloc_try_nid_raw(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
				 phys_addr_t max_addr, int nid)
{
	return alloc_virt(size, align, min_addr, max_addr, nid, ANY_NODE);
}

void *memblock_alloc_exact_nid_raw(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
				   phys_addr_t max_addr, int nid)
{
	return alloc_virt(size, align, min_addr, max_addr, nid, EXACT_NODE);
}

void *__memblock_alloc_or_panic(phys_addr_t size, phys_addr_t align, const char *caller)
{
	void *virt = memblock_alloc(size, align);

	if (!virt)
		port_panic("%s: memblock has no room for %llu bytes", caller,
			   (unsigned long long)size);
	return virt;
}

/* Asking. */

unsigned long memblock_addrs_overlap(phys_addr_t base1, phys_addr_t size1, phys_addr_t base2,
				     phys_addr_t size2)
{
	return phys_max(base1, base2) < phys_min(range_end(base1, size1), range_end(base2, size2));
}

/* Copies the first region with a byte in [base, end). Returns whether there is one. */
static bool copy_overlap(const struct memblock_type *type, phys_addr_t base, phys_addr_t end,
			 struct memblock_region *copy)
{
	unsigned int count;
	bool found;

	do {
		unsigned long low = 0, high;

		count = ask_begin();
		for (high = load_cnt(type), found = false; low < high;) {
			unsigned long middle = low + (high - low) / 2;
			struct memblock_region region = load_region(type, middle);

			if (region_end(&region) <= base) {
				low = middle + 1;
				continue;
			}
			high = middle;
			found = base < end && region.base < end;
			*copy = region;
		}
	} while (ask_again(count));
	return found;
}

/* Copies the region with the byte addr. Returns whether there is one. */
static bool copy_at(const struct memblock_type *type, phys_addr_t addr,
		    struct memblock_region *copy)
{
	return copy_overlap(type, addr, range_end(addr, 1), copy);
}

bool memblock_overlaps_region(struct memblock_type *type, phys_addr_t base, phys_addr_t size)
{
	struct memblock_region region;

	return copy_overlap(type, base, range_end(base, size), &region);
}

bool memblock_is_region_memory(phys_addr_t base, phys_addr_t size)
{
	struct memblock_region region;

	return copy_at(&memblock.memory, base, &region) &&
	       range_end(base, size) <= region_end(&region);
}

bool memblock_is_memory(phys_addr_t addr)
{
	struct memblock_region region;

	return copy_at(&memblock.memory, addr, &region);
}

bool memblock_is_map_memory(phys_addr_t addr)
{
	struct memblock_region region;

	return copy_at(&memblock.memory, addr, &region) && !memblock_is_nomap(&region);
}

bool memblock_is_reserved(phys_addr_t addr)
{
	struct memblock_region region;

	return copy_at(&memblock.reserved, addr, &region);
}

bool pfn_valid(pfn_t pfn)
{
	return pfn < MM_MAX_PFN && memblock_is_memory(PFN_PHYS(pfn));
}

int memblock_search_pfn_nid(unsigned long pfn, unsigned long *start_pfn, unsigned long *end_pfn)
{
	struct memblock_region region;

	if (pfn != PFN_DOWN(PFN_PHYS(pfn)) || !copy_at(&memblock.memory, PFN_PHYS(pfn), &region))
		return NUMA_NO_NODE;
	*start_pfn = PFN_DOWN(region.base);
	*end_pfn = PFN_DOWN(region_end(&region));
	return numa_valid_node(region.nid) ? region.nid : NUMA_NO_NODE;
}

phys_addr_t memblock_start_of_DRAM(void)
{
	return nr_regions(&memblock.memory) ? memblock.memory.regions[0].base : 0;
}

phys_addr_t memblock_end_of_DRAM(void)
{
	unsigned long nr = nr_regions(&memblock.memory);

	return nr ? region_end(&memblock.memory.regions[nr - 1]) : 0;
}

/* `reserved` may name ranges that are no memory, so the difference can be below zero. */
unsigned long memblock_estimated_nr_free_pages(void)
{
	phys_addr_t memory = memblock_phys_mem_size(), reserved = memblock_reserved_size();

	return memory > reserved ? PHYS_PFN(memory - reserved) : 0;
}

bool memblock_validate_numa_coverage(unsigned long threshold_bytes)
{
	const struct memblock_region *region;
	phys_addr_t without = 0;

	for_each_mem_region(region)
		without += numa_valid_node(region->nid) ? 0 : region->size;
	if (without <= threshold_bytes)
		return true;
	port_log("memblock: %llu of %llu bytes of memory have no node\n",
		 (unsigned long long)without, (unsigned long long)memblock_phys_mem_size());
	return false;
}

static void dump_type(const struct memblock_type *type)
{
	port_log(" %s.cnt  = 0x%lx\n", type->name, type->cnt);
	for (unsigned long i = 0; i < type->cnt; i++) {
		const struct memblock_region *region = &type->regions[i];
		unsigned long long base = region->base, size = region->size;

		port_log(" %s[0x%lx]\t[0x%016llx-0x%016llx], 0x%016llx bytes", type->name, i, base,
			 base + size - 1, size);
		if (numa_valid_node(region->nid))
			port_log(" on node %d", region->nid);
		port_log(" flags: 0x%x\n", (unsigned int)region->flags);
	}
}

void memblock_dump(void)
{
	port_log("MEMBLOCK configuration:\n");
	port_log(" memory size = 0x%016llx reserved size = 0x%016llx\n",
		 (unsigned long long)memblock_phys_mem_size(),
		 (unsigned long long)memblock_reserved_size());
	dump_type(&memblock.memory);
	dump_type(&memblock.reserved);
}

void memblock_dump_all(void)
{
	if (memblock_debug)
		memblock_dump();
}

const char *memblock_check(void)
{
	const char *broken = regions_check(&memblock.memory);

	return broken ? broken : regions_check(&memblock.reserved);
}

/* Handing over. */

unsigned long totalram_pages(void)
{
	return load_word(nr_handed_over);
}

/* Weak: a buddy allocator that can take more than an aligned run at once has its own. */
#ifndef MM_ONE_FILE
__attribute__((__weak__)) unsigned long memblock_free_range(unsigned long pfn,
							    unsigned long end_pfn)
{
	(void)end_pfn;
	return pfn;
}
#endif

static void count_handed_over(unsigned long frames)
{
	store_word(nr_handed_over, nr_handed_over + frames);
}

/* A block is aligned to its size: pfn's lowest set bit bounds the order, and pfn 0 does not. */
void memblock_hand_over(unsigned long pfn, unsigned long end_pfn)
{
	if (pfn < end_pfn)
		count_handed_over(end_pfn - pfn);
	while (pfn < end_pfn) {
		unsigned long taken = memblock_free_range(pfn, end_pfn);
		unsigned int order, fits;

		if (taken != pfn) {
			pfn = taken;
			continue;
		}
		order = (unsigned int)__builtin_ctzl(pfn | 1ul << MAX_PAGE_ORDER);
		fits = 63 - (unsigned int)__builtin_clzl(end_pfn - pfn);
		order = order < fits ? order : fits;
		memblock_free_pages(pfn_to_page(pfn), pfn, order);
		pfn += 1ul << order;
	}
}

void memblock_take_back(unsigned long frames)
{
	count_handed_over(-frames);
}

/* Should the array grow on the way, its new place has no node yet: once more. */
static void set_reserved_nodes(void)
{
	const struct memblock_region *region;
	unsigned long max;

	do {
		max = memblock.reserved.max;
		for_each_mem_region(region)
			memblock_set_node(region->base, region->size, &memblock.reserved,
					  region->nid);
	} while (max != memblock.reserved.max);
}

void memblock_free_all(void)
{
	phys_addr_t start, end;
	uint64_t i;

	set_reserved_nodes();
	handed_over = true;
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_HOTPLUG, &start, &end, NULL)
		memblock_hand_over(PFN_UP(start), PFN_DOWN(end));
}

/* Returns whether the regions of a type cover all of [base, end): one, or several that touch. */
static bool is_covered(const struct memblock_type *type, phys_addr_t base, phys_addr_t end)
{
	while (base < end) {
		const struct memblock_region *region = regions_find_addr(type, base);

		if (!region)
			return false;
		base = region_end(region);
	}
	return true;
}

void memblock_free_late(phys_addr_t base, phys_addr_t size)
{
	unsigned long pfn = PFN_UP(base), end_pfn = PFN_DOWN(range_end(base, size));
	phys_addr_t start = PFN_PHYS(pfn), end = PFN_PHYS(end_pfn);

	if (pfn >= end_pfn)
		return;
	if (!is_covered(&memblock.memory, start, end) ||
	    !is_covered(&memblock.reserved, start, end))
		port_panic("memblock: [mem %#llx-%#llx] is given back, but is not all reserved RAM",
			   (unsigned long long)start, (unsigned long long)end - 1);
	if (memblock_phys_free(start, end - start)) {
		port_log("memblock: [mem %#llx-%#llx] stays reserved\n", (unsigned long long)start,
			 (unsigned long long)end - 1);
		return;
	}
	for (; pfn < end_pfn; pfn++) {
		memblock_free_pages(pfn_to_page(pfn), pfn, 0);
		count_handed_over(1);
	}
}
