/* SPDX-License-Identifier: MIT */
/*
 * hotplug.h: memory that is added while the kernel runs, and leaves again.
 *
 * Names follow Linux's mm/memory_hotplug.c. Added memory is ZONE_HOTPLUG, which requests get last
 * of all, so that it is mostly free when it has to leave; nothing is moved out of it.
 *
 *   base                                                     base + size
 *   ├──────────── handed over to the allocator ──────────────┼─ metadata ─┤
 *                                                            descriptors, gibs, page tables,
 *                                                            records of debug.h
 *
 * What serves the range alone lies in the range itself, at its end. It is reserved in memblock, and
 * leaves with the range. What the range shares with other memory (the gib of a GiB of which it is
 * only a part, a shelf, a zone, a page table, memblock's arrays) comes from the *reserve*, a few
 * frames that memory_hotplug_init() sets aside. So memory can be added when no frame is free.
 * Zones, shelves, zone_owners[] and grown arrays stay when their last memory has left; everything
 * else returns to the reserve.
 *
 * Adding and removing change what every CPU reads. The caller serialises them: one call at a time,
 * from a thread, where port_may_wait() returns true. Other CPUs may use the allocator meanwhile,
 * and ask page_state() and its family.
 */
#ifndef MM_HOTPLUG_H
#define MM_HOTPLUG_H

#include "mm/gfp.h"
#include "mm/memblock.h"

/* Error numbers, beside those of gfp.h and memblock.h. */
#ifndef EIO
#define EIO 5
#endif
#ifndef EAGAIN
#define EAGAIN 11
#endif
#ifndef EEXIST
#define EEXIST 17
#endif
#ifndef ENOSPC
#define ENOSPC 28
#endif
#ifndef ERANGE
#define ERANGE 34
#endif

/* A range that add_memory() can add is a multiple of this, and so is its address: a block. */
#define HOTPLUG_UNIT   (PAGE_SIZE << MM_BITMAP_SHIFT)

/* How many ranges may be there at a time: as many as QEMU has slots for memory. */
#define HOTPLUG_RANGES 256

/*
 * Sets the reserve aside, from the allocator, after zones_finish(). Returns 0, or -ENOMEM. Without
 * it add_memory() returns -ENOMEM.
 */
int memory_hotplug_init(void);

/*
 * Adds the RAM [base, base + size), multiples of HOTPLUG_UNIT, to node nid, which becomes known.
 * Returns 0, or a negative number, and has changed nothing then:
 *
 *   -EINVAL  nid is no node's number, or base or size is 0 or no multiple of HOTPLUG_UNIT
 *   -ERANGE  it reaches beyond MM_MAX_PFN
 *   -EEXIST  memblock has RAM or a reservation there already
 *   -EIO     port_probe_memory() found no memory there
 *   -ENOSPC  its own metadata would leave nothing of it
 *   -ENOMEM  the reserve has not what it needs besides
 *
 * The RAM need not be mapped yet: port_map_memory() does that. It may be mapped already, if
 * port_probe_memory() and port_map_memory() allow for that. O(GiBs), as at boot. Linux:
 * add_memory(), and its online.
 */
int add_memory(int nid, phys_addr_t base, phys_addr_t size);

/*
 * Removes the RAM [base, base + size), which must be what one call of add_memory() has added, all
 * of it. Returns 0, and nothing of the allocator refers to it any more; or, with every count as
 * before:
 *
 *   -EINVAL  no call of add_memory() has added just this
 *   -EBUSY   some of it is in use: offline_blockers says what
 *   -EAGAIN  the caller may not wait for other CPUs, or has interrupted the allocator; or frames
 *            were on their way between owners all the time: the next call may succeed
 *   -ENOMEM  memblock's array must grow, because the range is the middle of a region, and the
 *            reserve has no room for it
 *
 * It takes all free memory of the range for itself (isolates it), empties the frame caches of all
 * CPUs, and looks whether all frames are its own then. Frames whose owner word is PAGE_HWPOISON do
 * not hold it back. O(free runs) and a few operations per GiB. Linux:
 * offline_and_remove_memory().
 */
int offline_and_remove_memory(phys_addr_t base, phys_addr_t size);

/* What kept offline_and_remove_memory() from removing a range when it last returned -EBUSY. */
struct offline_blockers {
	uint64_t frames;    /* in use */
	pfn_t first;        /* head of the first allocation */
	unsigned int order; /* of that allocation */
	uintptr_t site;     /* the call that made it, if debug.h's MM_PAGE_OWNER is on; else 0 */
};
extern struct offline_blockers offline_blockers;

/*
 * The range that a call of add_memory() or offline_and_remove_memory() is working on. A kernel may
 * set it before the call, and show it.
 */
struct hotplug_work {
	phys_addr_t base, size; /* size 0: there is none */
	bool leaving;
};
extern struct hotplug_work hotplug_work;

/*
 * Removes from the allocator's metadata the RAM of a range that add_memory() has added, and that is
 * no longer there: nothing of it is read or written. What is allocated in it is lost, and its
 * owners must not use it any more. Returns how many frames were allocated; exact if no other CPU
 * uses memory of that node and zone meanwhile. Or returns -EINVAL, -EAGAIN or -ENOMEM, as
 * offline_and_remove_memory(). O(frames of the zone), under its lock.
 */
long forget_lost_memory(phys_addr_t base, phys_addr_t size);

/*
 * Take nr consecutive frames from the reserve, and give them back. hotplug_take_frames() returns
 * their physical address, or 0 when there are none. What they contain is undefined. Only for the
 * port's page tables and for mm/ itself, within add_memory() and offline_and_remove_memory().
 */
phys_addr_t hotplug_take_frames(unsigned int nr);
void hotplug_return_frames(phys_addr_t phys, unsigned int nr);

#endif
