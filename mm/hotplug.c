/* SPDX-License-Identifier: MIT */
/*
 * hotplug.c: adding a range of memory, and removing it. The steps stand in the two functions at the
 * end; each of them either cannot fail, or is undone when a later one fails.
 */
#include "mm/hotplug.h"

#include "mm/cache.h"
#include "mm/debug.h"
#include "mm/hotplug_parts.h"
#include "mm/page_state.h"

/* Frames whose descriptors fill 2 MiB: where a range has all of them, large pages map these. */
#define CHUNK_FRAMES ((2ull << 20) / sizeof(struct page))

static struct added_range ranges[HOTPLUG_RANGES];
static unsigned int nr_added;

struct offline_blockers offline_blockers;
struct hotplug_work hotplug_work;

/* A host program boots more than once. */
int memory_hotplug_init(void)
{
	nr_added = 0;
	return hotplug_init_reserve();
}

/* ---- where the metadata lies ---- */

/*
 * Returns where in the range its descriptors are: as high as possible; so that large pages can map
 * them, where there are so many.
 */
static phys_addr_t place_descriptors(const struct added_range *a, uint64_t bytes)
{
	uintptr_t virt = mem_map_window(a->start);
	phys_addr_t at = PFN_PHYS(a->end) - bytes;
	pfn_t first = (a->start + CHUNK_FRAMES - 1) / CHUNK_FRAMES * CHUNK_FRAMES;

	if (first + CHUNK_FRAMES <= a->end)
		at -= (at - virt) & ((2 << 20) - 1);
	return at;
}

/*
 * Places the metadata of a range at its end: the descriptors, and the rest above them, if there is
 * room, else below. Returns 0, or -ENOSPC when that leaves nothing.
 */
static int place_metadata(struct added_range *a)
{
	uint64_t descriptors = (a->end - a->start) * sizeof(struct page);
	uint64_t tables = port_tables_of(a->map.base, a->map.size) << PAGE_SHIFT;
	uint64_t records = PAGE_ALIGN(mm_debug_bytes(a->end - a->start));
	uint64_t rest = tables + records + PAGE_ALIGN(zone_own_bytes(a));
	phys_addr_t at;

	if (descriptors + rest >= a->map.size)
		return -ENOSPC;
	a->map.descriptors = place_descriptors(a, descriptors);
	at = a->map.descriptors + descriptors;
	if (PFN_PHYS(a->end) - at < rest)
		at = a->map.descriptors - rest;
	a->map.tables = at;
	a->records = at + tables;
	a->gibs = a->records + records;
	at = at < a->map.descriptors ? at : a->map.descriptors;
	a->end_free = PFN_DOWN(at);
	return at > a->map.base ? 0 : -ENOSPC;
}

/* ---- adding ---- */

/* Returns why such a range cannot be added, as add_memory() does; 0 if nothing of that applies. */
static int refuse(int nid, phys_addr_t base, phys_addr_t size)
{
	if (!numa_valid_node(nid) || !size || !base || base % HOTPLUG_UNIT || size % HOTPLUG_UNIT)
		return -EINVAL;
	if (base >= PFN_PHYS(MM_MAX_PFN) || size > PFN_PHYS(MM_MAX_PFN) - base)
		return -ERANGE;
	if (memblock_overlaps_region(&memblock.memory, base, size) ||
	    memblock_overlaps_region(&memblock.reserved, base, size))
		return -EEXIST;
	if (nr_added == HOTPLUG_RANGES)
		return -ENOMEM;
	return 0;
}

/* Makes memblock know the range, and that its metadata is reserved. Returns 0 or -ENOMEM. */
static int tell_memblock(const struct added_range *a)
{
	phys_addr_t metadata = PFN_PHYS(a->end_free), end = PFN_PHYS(a->end);

	if (memblock_add_node(a->map.base, a->map.size, a->nid, MEMBLOCK_HOTPLUG))
		return -ENOMEM;
	if (!memblock_reserve(metadata, end - metadata))
		return 0;
	memblock_remove(a->map.base, a->map.size);
	return -ENOMEM;
}

/* Does for a range what can fail, and has no effect on other memory. Returns 0 or -ENOMEM. */
static int prepare(const struct added_range *a, struct shared_gibs *shared)
{
	int err = zone_prepare(a, shared);

	if (err)
		return err;
	err = port_map_memory(&a->map);
	if (!err) {
		err = tell_memblock(a);
		if (!err)
			return 0;
		port_unmap_memory(&a->map);
	}
	zone_abandon(shared);
	return err;
}

/* Makes all that depends on how much memory there is heed a change. */
static void amount_changed(void)
{
	zones_set_reserves();
	cache_reserves_changed();
	hotplug_fill_reserve();
}

static int add(struct added_range *a)
{
	struct shared_gibs shared;
	int err;

	if (!port_probe_memory(a->map.base, a->map.size))
		return -EIO;
	err = place_metadata(a);
	if (!err)
		err = prepare(a, &shared);
	if (err)
		return err;
	port_flush_memory(&a->map);
	mm_debug_add(a->start, a->end_free, a->end, phys_to_virt(a->records));
	zone_gain(a, &shared);
	memblock_hand_over(a->start, a->end_free);
	amount_changed();
	return 0;
}

int add_memory(int nid, phys_addr_t base, phys_addr_t size)
{
	struct added_range a = {
		.start = PFN_DOWN(base),
		.end = PFN_DOWN(base + size),
		.nid = nid,
		.map = { .base = base, .size = size },
	};
	int err = refuse(nid, base, size);

	if (err)
		return err;
	hotplug_work = (struct hotplug_work){ base, size, false };
	err = add(&a);
	if (!err)
		ranges[nr_added++] = a;
	hotplug_work.size = 0;
	return err;
}

/* ---- removing ---- */

/* Returns the range that one call of add_memory() has added, or NULL. */
static struct added_range *find_added(phys_addr_t base, phys_addr_t size)
{
	for (unsigned int i = 0; i < nr_added; i++)
		if (ranges[i].map.base == base && ranges[i].map.size == size)
			return &ranges[i];
	return NULL;
}

static void nothing(void *argument)
{
	(void)argument;
}

/* Waits until every CPU has answered an interrupt. */
static void wait_for_cpus(void)
{
	port_on_each_cpu(nothing, NULL);
}

/*
 * Isolates all frames of a range, while no frame cache can hold any of it. Returns 0, -EBUSY or
 * -EAGAIN; what is isolated stays so. taken: frames that are isolated already.
 */
static int isolate_rest(const struct added_range *a, struct zone *z, uint64_t taken)
{
	struct offline_blockers *b = &offline_blockers;
	uint64_t frames = a->end_free - a->start;

	taken += isolate_pages(z, a->start, a->end_free);
	if (taken == frames)
		return 0;
	wait_for_cpus(); /* what is being freed is in the bits then */
	taken += isolate_pages(z, a->start, a->end_free);
	if (taken == frames)
		return 0;
	taken += find_blockers(a->start, a->end_free, b);
	if (b->frames)
		return -EBUSY;
	return taken == frames ? 0 : -EAGAIN;
}

/*
 * Takes a range, all of it isolated, out of memblock and its zone. Returns 0; or -ENOMEM when
 * memblock's array has no room for the rest of a region of which the range is the middle.
 */
static int forget_range(const struct added_range *a, struct shared_gibs *shared)
{
	phys_addr_t metadata = PFN_PHYS(a->end_free), size = PFN_PHYS(a->end) - metadata;

	memblock_phys_free(metadata, size);
	if (memblock_remove(a->map.base, a->map.size)) {
		memblock_reserve(metadata, size);
		return -ENOMEM;
	}
	zone_lose(a, shared);
	memblock_take_back(a->end_free - a->start);
	mm_debug_remove(a->start, a->end);
	return 0;
}

/*
 * Removes a range if all of it can be isolated. The caches that can have frames of it, those away,
 * are shut until it is out of the zone. Before that, and after it, every CPU has to answer: then
 * nothing is left of a free that had begun, or of a look at the range's metadata.
 */
static int remove_added(const struct added_range *a)
{
	struct zone *z = node_zone(a->nid, ZONE_HOTPLUG);
	uint64_t taken = isolate_pages(z, a->start, a->end_free);
	struct shared_gibs shared;
	struct cache_shut shut;
	int err;

	cache_shut(&shut, true, -1, NUMA_NO_NODE);
	err = shut.busy ? -EAGAIN : isolate_rest(a, z, taken);
	if (!err) {
		wait_for_cpus();
		err = forget_range(a, &shared);
	}
	if (err)
		undo_isolation(z, a->start, a->end_free);
	cache_reopen(&shut);
	if (err)
		return err;
	wait_for_cpus();
	port_unmap_memory(&a->map);
	zone_abandon(&shared);
	amount_changed();
	return 0;
}

int offline_and_remove_memory(phys_addr_t base, phys_addr_t size)
{
	struct added_range *a = find_added(base, size);
	int err;

	if (!a)
		return -EINVAL;
	if (!port_may_wait())
		return -EAGAIN;
	hotplug_work = (struct hotplug_work){ base, size, true };
	err = remove_added(a);
	if (!err)
		*a = ranges[--nr_added];
	hotplug_work.size = 0;
	return err;
}

/* What memblock's arrays grow into. */
phys_addr_t memblock_late_array(phys_addr_t bytes)
{
	return hotplug_take_frames((unsigned int)PFN_UP(bytes));
}

/* Returns how many frames of the zone are allocated. */
static uint64_t nr_allocated(const struct zone *z)
{
	return z->managed - zone_nr_free_pages(z);
}

/* Sets nr_free to what the bits of the zone's RAM say, once some of it was forgotten. */
static void count_free_again(struct zone *z)
{
	unsigned long flags = port_lock_irqsave(&z->lock);
	uint64_t nr_free = 0;
	pfn_t from, to;
	int i;

	for_each_zone_pfn_range(i, z, &from, &to)
		nr_free += nr_free_in_range(from, to);
	zone_sub_free(z, z->nr_free - nr_free);
	port_unlock_irqrestore(&z->lock, flags);
}

/*
 * The gibs of the range are lost with it, and with them the number of its free frames: that follows
 * from what is left.
 */
long forget_lost_memory(phys_addr_t base, phys_addr_t size)
{
	struct added_range *a = find_added(base, size);
	struct shared_gibs shared;
	uint64_t before;
	struct zone *z;
	int err;

	if (!a)
		return -EINVAL;
	if (!port_may_wait())
		return -EAGAIN;
	z = node_zone(a->nid, ZONE_HOTPLUG);
	before = nr_allocated(z);
	cache_forget(a->start, a->end);
	err = forget_range(a, &shared);
	if (err)
		return err;
	count_free_again(z);
	wait_for_cpus();
	port_unmap_memory(&a->map);
	zone_abandon(&shared);
	*a = ranges[--nr_added];
	amount_changed();
	return (long)(before - nr_allocated(z));
}
