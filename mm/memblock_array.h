/*
 * memblock_array.h: the arithmetic of one sorted array of regions. Private to memblock.c.
 *
 * Invariants of an array:
 *
 *   M1  Regions are sorted by address, do not overlap, and none is empty.
 *   M2  Two that touch differ in nid or flags.
 *   M3  total_size is the sum of the sizes.
 *   M4  cnt <= max, and an array without regions has zeros in its first entry.
 *   M5  A region's nid is a node, or MAX_NUMNODES for none.
 *
 * All changes are made of three steps: carve() takes a range out, fill() puts one into a hole,
 * replace() gives one other flags or another node; the latter two join it to the neighbours it
 * touches. What a change needs is counted before, by the functions named growth_by_: entries more
 * (or less) than there are now.
 */
#ifndef MM_MEMBLOCK_ARRAY_H
#define MM_MEMBLOCK_ARRAY_H

#include "mm/memblock.h"
#include "mm/port.h"

/* Ranges. */

static inline phys_addr_t min_of(phys_addr_t a, phys_addr_t b)
{
	return a < b ? a : b;
}

static inline phys_addr_t max_of(phys_addr_t a, phys_addr_t b)
{
	return a > b ? a : b;
}

/* The end of a range, PHYS_ADDR_MAX when it would pass it. */
static inline phys_addr_t range_end(phys_addr_t base, phys_addr_t size)
{
	return base + min_of(size, PHYS_ADDR_MAX - base);
}

static inline phys_addr_t end_of(const struct memblock_region *region)
{
	return region->base + region->size;
}

static inline bool alike(const struct memblock_region *a, const struct memblock_region *b)
{
	return a->nid == b->nid && a->flags == b->flags;
}

static inline int stored_nid(int nid)
{
	return numa_valid_node(nid) ? nid : MAX_NUMNODES;
}

/* Linux before 6.8 kept one region of size 0 in an empty array; it counts as none. */
static inline unsigned long nr_regions(const struct memblock_type *type)
{
	return type->cnt == 1 && type->regions[0].size == 0 ? 0 : type->cnt;
}

/* The index of the first region that ends above addr; nr_regions() when none does. */
static inline unsigned long find(const struct memblock_type *type, phys_addr_t addr)
{
	unsigned long low = 0, high = nr_regions(type);

	while (low < high) {
		unsigned long middle = low + (high - low) / 2;

		if (end_of(&type->regions[middle]) > addr)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The first region with a byte in [base, end), or NULL. */
static inline struct memblock_region *find_overlap(const struct memblock_type *type,
						   phys_addr_t base, phys_addr_t end)
{
	unsigned long i = find(type, base);

	if (base >= end || i == nr_regions(type) || type->regions[i].base >= end)
		return NULL;
	return &type->regions[i];
}

static inline struct memblock_region *find_addr(const struct memblock_type *type, phys_addr_t addr)
{
	return find_overlap(type, addr, range_end(addr, 1));
}

/* The steps. Callers have made room. */

static inline void insert(struct memblock_type *type, unsigned long i,
			  const struct memblock_region *region)
{
	type->cnt = nr_regions(type);
	if (type->cnt >= type->max)
		panic("memblock: no entry left in %s: cnt %lu, max %lu\n", type->name, type->cnt,
		      type->max);
	memmove(&type->regions[i + 1], &type->regions[i],
		(type->cnt - i) * sizeof(type->regions[0]));
	type->regions[i] = *region;
	type->cnt++;
	type->total_size += region->size;
}

/* Entries that become unused are cleared, so an empty array is all zeros (M4). */
static inline void erase(struct memblock_type *type, unsigned long i, unsigned long nr)
{
	struct memblock_region *gone = &type->regions[i];

	for (unsigned long k = 0; k < nr; k++)
		type->total_size -= gone[k].size;
	type->cnt -= nr;
	memmove(gone, gone + nr, (type->cnt - i) * sizeof(*gone));
	memset(&type->regions[type->cnt], 0, nr * sizeof(*gone));
}

static inline void resize(struct memblock_type *type, struct memblock_region *region,
			  phys_addr_t base, phys_addr_t end)
{
	type->total_size += (end - base) - region->size;
	region->base = base;
	region->size = end - base;
}

/* Takes [base, end) out. Needs an entry more when it lies inside one region: the halves. */
static inline void carve(struct memblock_type *type, phys_addr_t base, phys_addr_t end)
{
	unsigned long first = find(type, base), last;
	struct memblock_region *region = &type->regions[first];

	if (first < nr_regions(type) && region->base < base) {
		struct memblock_region upper = *region;

		resize(type, region, region->base, base);
		first++;
		if (end_of(&upper) > end) {
			upper.size = end_of(&upper) - end;
			upper.base = end;
			insert(type, first, &upper);
			return;
		}
	}
	last = find(type, end);
	region = &type->regions[last];
	if (last < nr_regions(type) && region->base < end)
		resize(type, region, end, end_of(region));
	if (last > first)
		erase(type, first, last - first);
}

static inline bool joins_below(const struct memblock_type *type, unsigned long i,
			       const struct memblock_region *hole)
{
	return i > 0 && end_of(&type->regions[i - 1]) == hole->base &&
	       alike(&type->regions[i - 1], hole);
}

static inline bool joins_above(const struct memblock_type *type, unsigned long i,
			       const struct memblock_region *hole)
{
	return i < nr_regions(type) && type->regions[i].base == end_of(hole) &&
	       alike(&type->regions[i], hole);
}

/* A region takes in the one above it, if they touch and are alike. */
static inline void join_above(struct memblock_type *type, struct memblock_region *region)
{
	unsigned long above = (unsigned long)(region - type->regions) + 1;

	if (joins_above(type, above, region)) {
		phys_addr_t end = end_of(&type->regions[above]);

		erase(type, above, 1);
		resize(type, region, region->base, end);
	}
}

/* Fills a hole, which lies before region i and nowhere in it does a region. */
static inline void fill(struct memblock_type *type, unsigned long i,
			const struct memblock_region *hole)
{
	struct memblock_region *region = &type->regions[i];

	if (joins_below(type, i, hole)) {
		resize(type, region - 1, region[-1].base, end_of(hole));
		join_above(type, region - 1);
	} else if (joins_above(type, i, hole)) {
		resize(type, region, hole->base, end_of(region));
	} else {
		insert(type, i, hole);
	}
}

/* A region, or a part of it, becomes `now`. The whole stays where it is. */
static inline void replace(struct memblock_type *type, struct memblock_region *region,
			   const struct memblock_region *now)
{
	if (now->size < region->size) {
		carve(type, now->base, end_of(now));
		fill(type, find(type, now->base), now);
		return;
	}
	*region = *now;
	join_above(type, region);
	if (region > type->regions)
		join_above(type, region - 1);
}

/* The entries that filling it adds: 1, 0 or -1. */
static inline long growth_by_fill(const struct memblock_type *type, unsigned long i,
				  const struct memblock_region *hole)
{
	return 1 - joins_below(type, i, hole) - joins_above(type, i, hole);
}

/* Counting what a change will need. */

/* Makes *hole the first hole of [base, end), with region *i behind it; false when there is none. */
static inline bool next_hole(const struct memblock_type *type, phys_addr_t base, phys_addr_t end,
			     unsigned long *i, struct memblock_region *hole)
{
	unsigned long nr = nr_regions(type), k = find(type, base);

	for (; k < nr && type->regions[k].base <= base; k++)
		base = end_of(&type->regions[k]);
	if (base >= end)
		return false;
	*i = k;
	hole->base = base;
	hole->size = (k < nr ? min_of(end, type->regions[k].base) : end) - base;
	return true;
}

static inline long growth_by_add(const struct memblock_type *type, phys_addr_t base,
				 phys_addr_t end, struct memblock_region *hole)
{
	unsigned long i;
	long growth = 0;

	for (; next_hole(type, base, end, &i, hole); base = end_of(hole))
		growth += growth_by_fill(type, i, hole);
	return growth;
}

/* What a region shall become: bits set, bits cleared, and the node unless KEEP_NODE. */
struct change {
	unsigned int set, clear;
	int nid;
};
#define KEEP_NODE (-2)

static inline struct memblock_region changed(const struct memblock_region *region,
					     const struct change *change)
{
	struct memblock_region now = *region;

	now.flags = (now.flags | change->set) & ~change->clear;
	if (change->nid != KEEP_NODE)
		now.nid = change->nid;
	return now;
}

/*
 * The entries that a change of [base, end) adds: one at each of its borders that cuts a region
 * which changes, one less at each point where two regions become alike.
 */
static inline long growth_by_set(const struct memblock_type *type, phys_addr_t base,
				 phys_addr_t end, const struct change *change)
{
	unsigned long nr = nr_regions(type), i = find(type, base);
	long growth = 0;

	if (base >= end)
		return 0;
	for (; i < nr && type->regions[i].base <= end; i++) {
		const struct memblock_region *region = &type->regions[i];
		bool inside = region->base < end;
		struct memblock_region now = inside ? changed(region, change) : *region, below;

		if (!alike(&now, region))
			growth += (region->base < base) + (end_of(region) > end);
		if (i == 0 || region->base < base || end_of(region - 1) != region->base)
			continue;
		below = region->base > base ? changed(region - 1, change) : region[-1];
		growth -= alike(&below, &now) && !alike(region - 1, region);
	}
	return growth;
}

/* Checking. */

static inline const char *check_type(const struct memblock_type *type)
{
	phys_addr_t total = 0, end = 0;

	if (type->cnt > type->max || (!type->cnt && type->regions[0].size))
		return "M4 cnt <= max, no region: zeros";
	for (unsigned long i = 0; i < nr_regions(type); i++) {
		const struct memblock_region *region = &type->regions[i];

		if (region->base < end || !region->size || end_of(region) < region->base)
			return "M1 sorted, disjoint, none empty";
		if (i && region->base == end && alike(region, region - 1))
			return "M2 touching regions differ";
		if (region->nid != stored_nid(region->nid))
			return "M5 a node or MAX_NUMNODES";
		end = end_of(region);
		total += region->size;
	}
	return total == type->total_size ? NULL : "M3 total_size is the sum";
}

#endif
