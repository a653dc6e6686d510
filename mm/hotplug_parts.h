/* SPDX-License-Identifier: MIT */
/*
 * hotplug_parts.h: what hotplug.c is made of: the reserve (hotplug_reserve.c), zones that gain and
 * lose RAM (hotplug_zone.c), isolation (page_isolation.c). Private to mm/, but for tests.
 *
 * The caller serialises all of it, as hotplug.h demands.
 */
#ifndef MM_HOTPLUG_PARTS_H
#define MM_HOTPLUG_PARTS_H

#include "mm/hotplug.h"
#include "mm/zone.h"

/* A range that add_memory() adds. */
struct added_range {
	pfn_t start, end; /* its frames, whole blocks */
	pfn_t end_free;   /* where its own metadata begins */
	int nid;
	struct port_memory map;
	phys_addr_t gibs;    /* for the GiBs of which it has all, one gib after the other */
	phys_addr_t records; /* of debug.h */
};

/* The reserve. */

/* Fills the reserve for the first time. Returns 0, or -ENOMEM. */
MM_INTERNAL int hotplug_init_reserve(void);

/* Takes frames from the allocator until the reserve has what one call needs, or there are none. */
MM_INTERNAL void hotplug_fill_reserve(void);

/* Returns how many frames the reserve has. */
MM_INTERNAL unsigned int hotplug_reserve_frames(void);

/* Zones. */

/* What one of the GiBs at the two ends of a range needs that it shares with other RAM. */
struct shared_gib {
	phys_addr_t gib;    /* memory for a gib; 0: none is needed */
	phys_addr_t blocks; /* memory for the owners of its blocks; 0: none is needed */
};

/* The first GiB of a range, if a part of it is not the range's; and the last. */
struct shared_gibs {
	struct shared_gib first, last;
};

/* Returns how many bytes the gibs of the GiBs need of which the range has all. */
MM_INTERNAL uint64_t zone_own_bytes(const struct added_range *a);

/*
 * Takes what the range's zone needs from the reserve: the zone, shelves and owners, unless they are
 * there, which stay in any case, and what *shared has. Returns 0; or -ENOMEM, and has put back what
 * is in *shared.
 */
MM_INTERNAL int zone_prepare(const struct added_range *a, struct shared_gibs *shared);

/* Gives back what zone_prepare() has put into *shared. */
MM_INTERNAL void zone_abandon(const struct shared_gibs *shared);

/*
 * Makes the range RAM of its zone, with what zone_prepare() has made. memblock has it already.
 * Nothing of it is free yet.
 */
MM_INTERNAL void zone_gain(const struct added_range *a, const struct shared_gibs *shared);

/*
 * Takes the range out of its zone; memblock has it no longer. All its frames are isolated, or are
 * not handed over; or the memory is lost, and nr_free wrong afterwards. Sets *shared to what can be
 * given back when all CPUs have answered since.
 */
MM_INTERNAL void zone_lose(const struct added_range *a, struct shared_gibs *shared);

/* Isolation. */

/*
 * Takes all that is free of the frames [start, end), which are the zone's, by a hold of the lock
 * for each free run. Returns how many frames it took.
 */
MM_INTERNAL uint64_t isolate_pages(struct zone *z, pfn_t start, pfn_t end);

/* Frees what isolate_pages() has taken of [start, end). */
MM_INTERNAL void undo_isolation(struct zone *z, pfn_t start, pfn_t end);

/*
 * Finds what of [start, end) is in use and not isolated. Returns how many frames are PAGE_HWPOISON.
 */
MM_INTERNAL uint64_t find_blockers(pfn_t start, pfn_t end, struct offline_blockers *blockers);

#endif
