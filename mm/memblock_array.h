/* SPDX-License-Identifier: MIT */
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
 * All changes are made of three steps: regions_carve() takes a range out, regions_fill() puts one
 * into a hole, region_replace() gives one other flags or another node. The latter two join it to
 * the neighbours that it touches. The regions_growth_by_ functions count beforehand how many
 * entries a change adds, or gives back.
 *
 * After the hand-over other CPUs may search an array while it is changed, and search again then:
 * see memblock.c. So that meanwhile they read no memory but the array's, and no word of which only
 * a part is written, every word is stored at once, and an array has room for cnt entries at any
 * time: cnt is stored after all else where it rises.
 */
#ifndef MM_MEMBLOCK_ARRAY_H
#define MM_MEMBLOCK_ARRAY_H

#include "mm/memblock.h"
#include "mm/port.h"

/* Ranges. */

static inline phys_addr_t phys_min(phys_addr_t a, phys_addr_t b)
{
	return a < b ? a : b;
}

static inline phys_addr_t phys_max(phys_addr_t a, phys_addr_t b)
{
	return a > b ? a : b;
}

/* Returns the end of a range, at most PHYS_ADDR_MAX. */
static inline phys_addr_t range_end(phys_addr_t base, phys_addr_t size)
{
	return base + phys_min(size, PHYS_ADDR_MAX - base);
}

#define store_word(word, value) __atomic_store_n(&(word), value, __ATOMIC_RELAXED)

static inline phys_addr_t region_end(const struct memblock_region *region)
{
	return region->base + region->size;
}

static inline void region_store(struct memblock_region *to, struct memblock_region from)
{
	store_word(to->base, from.base);
	store_word(to->size, from.size);
	store_word(to->flags, from.flags);
	store_word(to->nid, from.nid);
}

/* Returns whether two regions would be one if they touched. */
static inline bool regions_alike(const struct memblock_region *a, const struct memblock_region *b)
{
	return a->nid == b->nid && a->flags == b->flags;
}

/* Returns the nid that a region of this node has. */
static inline int region_stored_nid(int nid)
{
	return numa_valid_node(nid) ? nid : MAX_NUMNODES;
}

/* Returns the number of regions. Linux before 6.8 kept one of size 0 in an empty array: none. */
static inline unsigned long nr_regions(const struct memblock_type *type)
{
	return type->cnt == 1 && type->regions[0].size == 0 ? 0 : type->cnt;
}

static inline void set_nr_regions(struct memblock_type *type, unsigned long nr)
{
	__atomic_store_n(&type->cnt, nr, __ATOMIC_RELEASE);
}

static inline void add_to_total(struct memblock_type *type, phys_addr_t bytes)
{
	store_word(type->total_size, type->total_size + bytes);
}

/* Returns the index of the first region that ends above addr; nr_regions() when none does. */
static inline unsigned long regions_find(const struct memblock_type *type, phys_addr_t addr)
{
	unsigned long low = 0, high = nr_regions(type);

	while (low < high) {
		unsigned long middle = low + (high - low) / 2;

		if (region_end(&type->regions[middle]) > addr)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Returns the first region with a byte in [base, end), or NULL. */
static inline struct memblock_region *regions_find_overlap(const struct memblock_type *type,
							   phys_addr_t base, phys_addr_t end)
{
	unsigned long i = regions_find(type, base);

	if (base >= end || i == nr_regions(type) || type->regions[i].base >= end)
		return NULL;
	return &type->regions[i];
}

/* Returns the region with the byte addr, or NULL. */
static inline struct memblock_region *regions_find_addr(const struct memblock_type *type,
							phys_addr_t addr)
{
	return regions_find_overlap(type, addr, range_end(addr, 1));
}

/* The steps. The caller has made room for the entries that they add. */

/* Inserts a region before region i. */
static inline void regions_insert(struct memblock_type *type, unsigned long i,
				  const struct memblock_region *region)
{
	unsigned long nr = nr_regions(type);

	if (nr >= type->max)
		port_panic("memblock: no entry left in %s: cnt %lu, max %lu\n", type->name, nr,
			   type->max);
	for (unsigned long k = nr; k > i; k--)
		region_store(&type->regions[k], type->regions[k - 1]);
	region_store(&type->regions[i], *region);
	set_nr_regions(type, nr + 1);
	add_to_total(type, region->size);
}

/*
 * Removes nr regions from i on. Entries that become unused are cleared (M4). Not inline, because
 * region_join_above() seldom calls it.
 */
__attribute__((__noinline__, __unused__)) static void
regions_erase(struct memblock_type *type, unsigned long i, unsigned long nr)
{
	unsigned long left = type->cnt - nr, k;

	for (k = i; k < i + nr; k++)
		add_to_total(type, -type->regions[k].size);
	set_nr_regions(type, left);
	for (k = i; k < left; k++)
		region_store(&type->regions[k], type->regions[k + nr]);
	for (; k < left + nr; k++)
		region_store(&type->regions[k], (struct memblock_region){ 0 });
}

/* Makes a region [base, end). */
static inline void region_resize(struct memblock_type *type, struct memblock_region *region,
				 phys_addr_t base, phys_addr_t end)
{
	add_to_total(type, (end - base) - region->size);
	store_word(region->base, base);
	store_word(region->size, end - base);
}

/* Takes [base, end) out. Needs one more entry when it cuts one region in two. */
static inline void regions_carve(struct memblock_type *type, phys_addr_t base, phys_addr_t end)
{
	unsigned long first = regions_find(type, base), last;
	struct memblock_region *region = &type->regions[first];

	if (first < nr_regions(type) && region->base < base) {
		struct memblock_region upper = *region;

		region_resize(type, region, region->base, base);
		first++;
		if (region_end(&upper) > end) {
			upper.size = region_end(&upper) - end;
			upper.base = end;
			regions_insert(type, first, &upper);
			return;
		}
	}
	last = regions_find(type, end);
	region = &type->regions[last];
	if (last < nr_regions(type) && region->base < end)
		region_resize(type, region, end, region_end(region));
	if (last > first)
		regions_erase(type, first, last - first);
}

/* Return whether a hole that lies before region i, once filled, joins the region below, above. */
static inline bool region_joins_below(const struct memblock_type *type, unsigned long i,
				      const struct memblock_region *hole)
{
	return i > 0 && region_end(&type->regions[i - 1]) == hole->base &&
	       regions_alike(&type->regions[i - 1], hole);
}

static inline bool region_joins_above(const struct memblock_type *type, unsigned long i,
				      const struct memblock_region *hole)
{
	return i < nr_regions(type) && type->regions[i].base == region_end(hole) &&
	       regions_alike(&type->regions[i], hole);
}

/* Joins a region with the one above it, if they touch and are alike. */
static inline void region_join_above(struct memblock_type *type, struct memblock_region *region)
{
	unsigned long above = (unsigned long)(region - type->regions) + 1;

	if (region_joins_above(type, above, region)) {
		phys_addr_t end = region_end(&type->regions[above]);

		regions_erase(type, above, 1);
		region_resize(type, region, region->base, end);
	}
}

/* Fills a hole that lies before region i and has no region in it. */
static inline void regions_fill(struct memblock_type *type, unsigned long i,
				const struct memblock_region *hole)
{
	struct memblock_region *region = &type->regions[i];

	if (region_joins_below(type, i, hole)) {
		region_resize(type, region - 1, region[-1].base, region_end(hole));
		region_join_above(type, region - 1);
	} else if (region_joins_above(type, i, hole)) {
		region_resize(type, region, hole->base, region_end(region));
	} else {
		regions_insert(type, i, hole);
	}
}

/* Makes a region, or the part of it that now covers, into now. A whole region stays in its entry.
 */
static inline void region_replace(struct memblock_type *type, struct memblock_region *region,
				  const struct memblock_region *now)
{
	if (now->size < region->size) {
		regions_carve(type, now->base, region_end(now));
		regions_fill(type, regions_find(type, now->base), now);
		return;
	}
	region_store(region, *now);
	region_join_above(type, region);
	if (region > type->regions)
		region_join_above(type, region - 1);
}

/* Returns how many entries filling the hole adds: 1, 0 or -1. */
static inline long regions_growth_by_fill(const struct memblock_type *type, unsigned long i,
					  const struct memblock_region *hole)
{
	return 1 - region_joins_below(type, i, hole) - region_joins_above(type, i, hole);
}

/* Counting what a change will need. */

/* Sets *hole to the first hole of [base, end) and *i to the region behind it; false: no hole. */
static inline bool regions_next_hole(const struct memblock_type *type, phys_addr_t base,
				     phys_addr_t end, unsigned long *i,
				     struct memblock_region *hole)
{
	unsigned long nr = nr_regions(type), k = regions_find(type, base);

	for (; k < nr && type->regions[k].base <= base; k++)
		base = region_end(&type->regions[k]);
	if (base >= end)
		return false;
	*i = k;
	hole->base = base;
	hole->size = (k < nr ? phys_min(end, type->regions[k].base) : end) - base;
	return true;
}

/* Returns how many entries adding [base, end), with the nid and flags of *hole, adds. */
static inline long regions_growth_by_add(const struct memblock_type *type, phys_addr_t base,
					 phys_addr_t end, struct memblock_region *hole)
{
	unsigned long i;
	long growth = 0;

	for (; regions_next_hole(type, base, end, &i, hole); base = region_end(hole))
		growth += regions_growth_by_fill(type, i, hole);
	return growth;
}

/* A change of regions: flags to set, flags to clear, and the node unless REGION_KEEP_NODE. */
struct region_change {
	unsigned int set, clear;
	int nid;
};
#define REGION_KEEP_NODE (-2)

static inline struct memblock_region region_changed(const struct memblock_region *region,
						    const struct region_change *change)
{
	struct memblock_region now = *region;

	now.flags = (now.flags | change->set) & ~change->clear;
	if (change->nid != REGION_KEEP_NODE)
		now.nid = change->nid;
	return now;
}

/*
 * Returns how many entries a change of [base, end) adds: one at each of its borders that cuts a
 * region which changes, less one at each point where two regions become alike.
 */
static inline long regions_growth_by_set(const struct memblock_type *type, phys_addr_t base,
					 phys_addr_t end, const struct region_change *change)
{
	unsigned long nr = nr_regions(type), i = regions_find(type, base);
	long growth = 0;

	if (base >= end)
		return 0;
	for (; i < nr && type->regions[i].base <= end; i++) {
		const struct memblock_region *region = &type->regions[i];
		bool inside = region->base < end;
		struct memblock_region now = inside ? region_changed(region, change) : *region,
				       below;

		if (!regions_alike(&now, region))
			growth += (region->base < base) + (region_end(region) > end);
		if (i == 0 || region->base < base || region_end(region - 1) != region->base)
			continue;
		below = region->base > base ? region_changed(region - 1, change) : region[-1];
		growth -= regions_alike(&below, &now) && !regions_alike(region - 1, region);
	}
	return growth;
}

/* Checking. */

/* Returns the first broken invariant in words, or NULL. */
static inline const char *regions_check(const struct memblock_type *type)
{
	phys_addr_t total = 0, end = 0;

	if (type->cnt > type->max || (!type->cnt && type->regions[0].size))
		return "M4 cnt <= max, no region: zeros";
	for (unsigned long i = 0; i < nr_regions(type); i++) {
		const struct memblock_region *region = &type->regions[i];

		if (region->base < end || !region->size || region_end(region) < region->base)
			return "M1 sorted, disjoint, none empty";
		if (i && region->base == end && regions_alike(region, region - 1))
			return "M2 touching regions differ";
		if (region->nid != region_stored_nid(region->nid))
			return "M5 a node or MAX_NUMNODES";
		end = region_end(region);
		total += region->size;
	}
	return total == type->total_size ? NULL : "M3 total_size is the sum";
}

#endif
