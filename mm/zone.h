/* SPDX-License-Identifier: MIT */
/*
 * zone.h: zones. Each is the memory of one NUMA node and type. Behind the public part are the
 * allocator's metadata, with the terms, a picture and the numbered invariants: read these before
 * any other file of mm/.
 */
#ifndef MM_ZONE_H
#define MM_ZONE_H

#include "mm/numa.h"

/*
 * Types of memory. ZONE_HOTPLUG is what memblock marks as MEMBLOCK_HOTPLUG, wherever it lies: it
 * may have to leave again, so it is used last of all.
 */
enum zone_type { ZONE_DMA, ZONE_DMA32, ZONE_NORMAL, ZONE_HOTPLUG, MAX_NR_ZONES };

/*
 * How many shelves a zone can have: one for each 512 GiB below MM_MAX_PFN. Tests with smaller
 * bitmaps, and so smaller shelves, have the same number of them.
 */
#define NR_SHELVES      ((unsigned int)((MM_MAX_PFN - 1) >> (3 * 9)) + 1)
#define TOP_WORDS       ((NR_SHELVES + 63) / 64)

/* How many sets of gibs a zone keeps. */
#define NR_GIB_SETS     (2 * MM_BITMAP_SHIFT + 5)

/* The numbers of zones are lower than this. */
#define NR_ZONE_NUMBERS 256

/*
 * What is set at boot lies in lines of the CPU cache of its own, because all paths read it. nr_free
 * and the index are read and written without the lock, too.
 */
struct zone {
	uint8_t id;   /* its number */
	uint8_t type; /* enum zone_type */
	int node;
	uint64_t state;   /* of a head of order 0 with one reference: state_allocated(id, 0) */
	pfn_t start_pfn;  /* the first frame of its RAM */
	pfn_t end_pfn;    /* the end of the last. Between the two there may be RAM of other zones */
	uint64_t present; /* frames that are RAM */
	uint64_t managed; /* of these, frames that memblock has handed over */
	uint64_t lowmem_reserve[MAX_NR_ZONES]; /* [j]: frames kept from what type j could serve */
	const char *name;                      /* of its type */
	pfn_t run_start, run_end; /* while zones_init() runs: RAM that has no gibs yet */
	struct shelf *shelf[NR_SHELVES];

	port_lock_t lock __attribute__((__aligned__(MM_LINE)));
	uint64_t nr_free;   /* frames free in the bits */
	bool spilled;       /* a CPU whose home asks this zone first uses its cache away */
	pfn_t idle[2];      /* first frame of the full block, gib, kept open (B5), or PFN_NONE */
	uint32_t work;      /* done under the present hold of the lock: see BUDDY_MAX_WORK */
	uint32_t cut_short; /* searches in a row that work has ended: see take_searching() */
	pfn_t unmovable; /* first frame of the open block for __GFP_UNMOVABLE (B3), or PFN_NONE */
	uint64_t top[NR_GIB_SETS][TOP_WORDS]; /* bit i: shelf i's set is not empty (B4) */
} __attribute__((__aligned__(MM_LINE)));

/*
 * The zones, in the order of their numbers, and NULL behind the last. Each lies in memory of its
 * own node.
 */
extern struct zone *zone_list[NR_ZONE_NUMBERS];

/* Runs the body for each zone; for one twice, if a zone is made meanwhile: zone_publish(). */
#define for_each_zone(z)                           \
	for (struct zone **z##_at = zone_list, *z; \
	     (z = __atomic_load_n(z##_at, __ATOMIC_ACQUIRE)); z##_at++)

/* Runs the body for each zone that has RAM now: the last of a Hotplug zone may have left. */
#define for_each_populated_zone(z) \
	for_each_zone(z)           \
		if (!(z)->present) \
			;          \
		else

/*
 * Sets up the allocator: to be called once, after memblock is complete and mem_map_init() has run.
 * zones_init() makes zones, shelves and gibs from memblock, and panics when that has no room; seed
 * should differ from boot to boot. memblock_free_all() (memblock.h) then hands over what memblock
 * has not reserved. zones_finish() computes the reserves and starts the frame caches.
 */
void zones_init(uint64_t seed);
void zones_finish(void);

/* Return the free frames of a zone, and of all zones, with those in the CPUs' frame caches. */
uint64_t zone_nr_free_pages(const struct zone *z);
uint64_t nr_free_pages(void);

/*
 * Opens the locks of all zones, for a report after a failure: all other CPUs are stopped for good,
 * and this one has failed. Counts and free memory can be read then, but may be wrong. O(zones).
 */
void zones_break_locks(void);

/* The bytes that zones_init() took from memblock for zones, shelves, gibs and lists. */
extern uint64_t zones_bytes;

/* ---- private to mm/, but for tests and statistics ---- */

#include "mm/bitmap.h"

/*
 * The allocator's metadata: what is free, what is in use, and the rules between.
 *
 * Terms. A frame is 4 KiB. A block is 512 frames, 2 MiB. A gib is 512 blocks, 1 GiB, or the part of
 * it that one zone has. A shelf is 512 gibs, 512 GiB, or the part of it that one zone has. A child
 * (frame, block or gib) is *whole* when its bit in its parent is set: all of it is free. A block or
 * gib is *open* when a bitmap of its own says which of its children are whole. It is *full* when
 * all bits of that bitmap are set. It *closes* when its bit in its parent is set instead: it is
 * then whole, and no longer open.
 *
 *     zone     top of each set of gibs: in which shelves it has any
 *      │ shelf[]  a pointer for each 512 GiB, null where the zone has no RAM
 *     shelf    free open head known   bitmaps over gibs          index[0..17] over open gibs
 *      │ gib[]    a pointer for each GiB in which the zone has RAM
 *     gib      free open head clean   bitmaps over blocks        index[0..8] over open blocks
 *      │ block[]
 *     bitmap   512 bits: this frame is free
 *
 * These are the four levels of the processor's page tables, each with 512 children.
 *
 * A free run of order k is an aligned run of 2^k set bits: in a block's bitmap for k < 9, in a
 * gib's for 9 <= k < 18; of order 18 it is a whole gib. An allocation is such a run with its bits
 * cleared. The descriptor of its first frame, its *head*, says so. For orders 9 and up a bit of
 * *head* says so as well, because the descriptors of a block that was never opened must not be
 * read. A block in a frame cache (cache.h) has its bit in *head*, too, so that its first descriptor
 * may be read; its state word is zero.
 *
 * The *index* says for each order k which open blocks and gibs may hold a run of 2^k children. So
 * it has a *bound* for each of these: the highest order that it may hold. A bound is *raised* when
 * a free completes a run. It is *stale* when no such run is left, and *lowered* when a search has
 * found that out.
 *
 * Zones. There is a zone for each NUMA node and type of memory that has RAM. memblock says which
 * node that is. A block belongs to one zone, whole; a GiB may be shared by several, and each has a
 * gib of its own there then. zone_owners[] says whose a frame is: it has a byte for each GiB, the
 * number of the zone that has all of its RAM. Where a GiB is shared, the byte is ZONE_MIXED, and
 * there is a byte for each block.
 *
 * Where this comes from. The buddy system is described by Knuth (The Art of Computer Programming,
 * volume 1, section 2.5). Keeping it in bits below a summary that guides the search is also
 * LLFree's way (Wrenger et al., USENIX ATC 2023). Preferring low addresses to small runs is close
 * to address-ordered first fit, whose worst case Robson analysed (The Computer Journal, 1977); here
 * open bitmaps serve before whole children, even lower ones. New here: one structure for all 19
 * orders in the shape of the page tables, and descriptors that nobody initialises. Zones and the
 * reserves of lower zones are Linux's.
 *
 * Invariants. mm_check() recomputes each and names those that are broken. B3, B4, B5 and B6 hold at
 * rest: while a free is in progress without the lock (see below) they may not.
 *
 *   Z1 All RAM of a block is one zone's: that of the node and the type of memory that memblock has
 *      there. A zone has a gib in exactly the GiBs in which it has RAM, and a shelf where it has a
 *      gib, or had one: a zone and its shelves stay when RAM leaves. zone_owners[] says the same:
 *      each byte of a GiB or block names its zone, or ZONE_NONE where there is no RAM; ZONE_MIXED
 *      is in exactly those GiBs in which several zones have RAM.
 *   Z2 present counts the zone's frames that are RAM in memblock, managed those handed over;
 *      start_pfn is the first of its RAM, end_pfn the end of the last.
 *   Z3 The fallback list of each node (numa.h) has every zone once, in the order that is described
 *      there.
 *   B1 A child is at most one of whole, open, in *head*; inside an allocation, none.
 *   B2 A free frame is RAM, and not reserved in memblock.
 *   B3 index[k] holds every open block or gib that has a run of 2^k children, and only open ones;
 *      index[k + 1] is a subset of index[k]; index[0] and index[9] (single children) are exact.
 *      The exception is one block of each zone, *unmovable*, from which allocations that stay are
 *      served: it is open, and the index never holds it, so that no other request finds it.
 *   B4 For k < 9 the shelf's index[k] holds exactly the gibs whose own index[k] is not empty. The
 *      top of each set of gibs says in which shelves it is not empty.
 *   B5 An open block or gib is not full. The exception is one block and one gib of each zone,
 *      idle[]: the last that became full stays open, because otherwise a single page that is
 *      freed and allocated in turn would close and open it for ever.
 *   B6 nr_free is the number of frames that are free in the bits.
 *   P1 Each frame of an open block is exactly one of these: free, in an allocation, marked
 *      reserved, in a CPU's frame cache. A block or gib in *head* is the first of an allocation, or
 *      a block in a frame cache. One that is neither whole, open nor any of these has nothing to
 *      hand out.
 *   P2 In an open block a frame's state word is zero unless the frame is a head or marked
 *      reserved. The owner's word may have any value.
 *   P3 An open block is clean: all its descriptors were zeroed when it was first opened.
 *   P4 In an open block, marked reserved are exactly the frames that are reserved in memblock or
 *      are not RAM.
 *
 * Locking. zone->lock protects this zone's metadata and the descriptors of its free frames. It is
 * taken with interrupts off. A hold is short: one run, or one batch of at most MAX_BATCH_WORDS
 * words, RUNS_REFILL runs or MAX_BATCH_BLOCKS blocks. What a hold does in cold paths, such as to
 * lower bounds, or to zero the 512 descriptors of a block, is counted in zone->work, and ends a
 * batch or a search (BUDDY_MAX_WORK). Whatever takes longer is done in several holds, and the
 * invariants are kept between them. Only the hand-over from memblock (zones_init() to
 * zones_finish()) may hold it for longer.
 *
 * The lock is needed to take frames, to lower a bound, to open and to close, and for all that
 * concerns whole blocks: free, open, head, clean, index[9] and above, idle[]. So one CPU at a time
 * clears bits. It is not needed to free frames of an open block, which only sets bits: those of the
 * frames, of the gib's index and of the shelf's index[0] to index[8], and those of the tops of
 * these. They may become set while another CPU holds the lock, so they are changed by atomic OR and
 * AND alone.
 *
 * Frees without the lock. As long as the block has a frame that is not free, it stays open: it
 * cannot become whole. So a CPU that holds frames of it, allocated or in its frame cache, may do
 * this:
 *
 *   1. Add the frames to nr_free. This comes first, so that a CPU that takes them can subtract
 *      them.
 *   2. If the index does not hold the block for the run of which the frames will be a part (k is
 *      its order, at most 8), raise the bound: for k and then for each order below, down to the
 *      first that is held, set the block's bit in the gib's index, then the gib's in the shelf's,
 *      then the shelf's in the top.
 *   3. Set the frames' bits.
 *   4. Look at the word as it is now and, if it is full, at the words beside it. When the run has
 *      become larger than was expected, because other CPUs have freed its other parts, k is its
 *      order (look L4).
 *   5. Look whether the index holds the block for k (L5). If it does not, because the bound was
 *      lowered since step 2, or the run has become larger, take the lock and correct the bounds.
 *   6. If the bitmap is full, and the block is not idle[0], take the lock. If the block is still
 *      open and full, it becomes idle[0], and the one that was idle[0] closes if it is full.
 *
 * Under the lock nobody else takes, so what was found free stays free; but what was found empty may
 * hold something a moment later. Whatever depends on that looks again after it has written:
 *
 *   L1 Lowering a bound takes the block off the index, and then looks for a run once more. If there
 *      is one, the bound is put back.
 *   L2 When the gib's index has become empty, the gib's bit in the shelf's is cleared, and then the
 *      gib's index is looked at; when the shelf's has become empty, its bit in the top, and then
 *      the shelf's. If it is not empty after all, the bit is set again.
 *   L3 idle[0] is replaced, and then the block that it named is looked at. If it is full, it
 *      closes.
 *
 * Each of these meets a free that writes and reads the same two things in the other order: the free
 * sets a frame's bit and then reads the index (L1 and L5), sets a child and then its parent (L2),
 * makes the block full and then reads idle[0] (L3), or sets its own bits and then reads those of
 * another free (L4). All these accesses are sequentially consistent: it is as if they were done one
 * after the other. So at least one of the two CPUs sees what the other has written.
 *
 * A bound is raised from k downwards as far as an order that is held, and lowered upwards as far as
 * an order that is not held. At each pair of neighbouring orders one CPU writes the upper and then
 * reads the lower, the other writes the lower and then reads the upper. So no order is left out
 * below one that is held, and a free need only look at order k in step 5.
 *
 * While such frees are in progress, nr_free may count frames whose bits are not set yet, the index
 * may hold a block for a run that is not there yet, and a bit of it may stand for an empty bitmap.
 * A search that finds nothing behind a bit clears it, with L1 or L2, and goes on. When it fails, a
 * request that may wait lets all CPUs finish what they are doing (cache_shut()) and searches again.
 *
 * Memory that leaves takes its gibs and descriptors with it (hotplug.h): after they were taken off
 * shelves and zone_owners[], and every CPU has answered an interrupt. So code that reads them
 * without the lock, and holds no frame of that memory, does it with interrupts off.
 *
 * Readers without the lock. All words of bitmaps, state words of descriptors, nr_free and the
 * counts of frame caches are written in one piece, so a reader gets the word of some moment.
 * What that makes of an answer while other CPUs allocate and free:
 *
 *   page_state(), page_head()      exact for a frame that the caller holds, or that does not change
 *                                  hands meanwhile: none of the bits on the way to it changes. Of
 *                                  any other frame, one of the answers that were true of it, or
 *                                  of a part of the way to it, during the call: it may be called
 *                                  reserved while its block is being opened. No descriptor is read
 *                                  that nobody has written.
 *   page_order(), page_count(),    exact for an allocation of which the caller holds a reference;
 *   page_zonenum()                 the count changes as other holders come and go
 *   zone_nr_free_pages(),          each number is right for a moment of the call. A sum of several
 *   nr_free_pages()                is an estimate: a frame that moves meanwhile counts twice or not
 *   nr_free_in_range(),            right for each word of bits at some moment of the call: a frame
 *   next_free_range(),             that is free, or in use, throughout is told so unless its block
 *   free_span(),                   or gib opens or closes under the reader. An end is beyond its
 *   zone_free_blocks()             start in any case, so walks come to an end
 *   mem_map_touched()              at least what was true at the call: it only grows, but for
 *                                  memory that leaves
 *   page_owner_sums()              misses what is allocated or freed meanwhile. A record may still
 *                                  name the owner before
 *   mm_check()                     nothing else may run: it would report what is in progress
 */

#define BLOCK_ORDER        BITMAP_SHIFT
#define GIB_ORDER          (BLOCK_ORDER + BITMAP_SHIFT)
#define SHELF_ORDER        (GIB_ORDER + BITMAP_SHIFT)
#define BLOCK_FRAMES       ((pfn_t)1 << BLOCK_ORDER)
#define GIB_FRAMES         ((pfn_t)1 << GIB_ORDER)

/* In place of a frame number: there is none; or the search was cut short and must be repeated. */
#define PFN_NONE           (~(pfn_t)0)
#define PFN_AGAIN          (PFN_NONE - 1)

/* The fields of struct page's state word, as shifts and masks. */
#define STATE_ORDER_SHIFT  32
#define STATE_ORDER_MASK   0x1full
#define STATE_RESERVED     (1ull << 39)
#define STATE_ZONE_SHIFT   40
#define STATE_ZONE_MASK    0xffull
#define STATE_COOKIE_SHIFT 48

/* A zone's number: its type in the lowest two bits, above these its node. */
#define ZONE_TYPE_BITS     2
#define ZONE_MIXED         254 /* in zone_owners[]: several zones */
#define ZONE_NONE          255 /* in zone_owners[]: no zone */

struct gib {
	struct bitmap free;  /* blocks that are whole */
	struct bitmap open;  /* blocks whose own bitmap is in use */
	struct bitmap head;  /* heads of allocations of order 9 to 17; blocks in frame caches */
	struct bitmap clean; /* blocks whose descriptors were zeroed */
	struct bitmap index[BITMAP_SHIFT]; /* open blocks that may hold a run of 2^k frames */
	struct bitmap block[];             /* as many as reach the last block with RAM */
};

/*
 * Sets of gibs: a shelf has a bitmap for each, a zone the tops. GIBS_INDEX(k) are the gibs that may
 * hold a run of order k.
 */
#define GIBS_INDEX(k) (k)
enum {
	GIBS_FREE = 2 * BITMAP_SHIFT, /* gibs that are whole */
	GIBS_OPEN,                    /* gibs that are open */
	GIBS_HEAD,                    /* gibs allocated in one piece */
	GIBS_KNOWN,                   /* gibs whose struct gib was written */
	GIBS_EXIST,                   /* gibs in which the zone has RAM */
};
MM_STATIC_ASSERT(GIBS_EXIST + 1 == NR_GIB_SETS, "the last set");

struct shelf {
	struct bitmap set[NR_GIB_SETS];
	struct gib *gib[BITMAP_BITS]; /* those that exist; undefined elsewhere */
};

/* Stands for a zone that does not exist: it has no RAM. Its number is ZONE_NONE. */
MM_INTERNAL_DATA struct zone no_zone;

/*
 * The zones by number, and so by the zone's byte of a state word. &no_zone where there is none: a
 * descriptor that was never written may name it.
 */
MM_INTERNAL_DATA struct zone *state_zones[NR_ZONE_NUMBERS];

static inline struct zone *state_zone(uint64_t state)
{
	return state_zones[state >> STATE_ZONE_SHIFT & STATE_ZONE_MASK];
}

/* Returns the number of the zone of a node and type. */
static inline unsigned int zone_number(int nid, unsigned int type)
{
	return (unsigned int)nid << ZONE_TYPE_BITS | type;
}

/* Returns the zone of a node and type; &no_zone when the node has no such RAM. */
static inline struct zone *node_zone(int nid, unsigned int type)
{
	return state_zones[zone_number(nid, type)];
}

/* Whose the GiBs of a shelf are, and the blocks of those that several zones share (Z1). */
struct owners {
	uint8_t gib[BITMAP_BITS];
	uint8_t *block[BITMAP_BITS]; /* where gib[] is ZONE_MIXED; undefined elsewhere */
};

MM_INTERNAL_DATA struct owners *zone_owners[NR_SHELVES]; /* NULL where there has never been RAM */

/*
 * Returns the zone that the frame's block belongs to; &no_zone where there is no RAM. Sets *order
 * to that of a run around the frame of which the same is true.
 */
static inline struct zone *zone_around(pfn_t pfn, unsigned int *order)
{
	const struct owners *owners = NULL;
	unsigned int gib = (unsigned int)(pfn >> GIB_ORDER) & (BITMAP_BITS - 1);
	uint8_t number;

	*order = SHELF_ORDER;
	if (pfn >> SHELF_ORDER < NR_SHELVES)
		owners = __atomic_load_n(&zone_owners[pfn >> SHELF_ORDER], __ATOMIC_ACQUIRE);
	if (!owners)
		return &no_zone;
	*order = GIB_ORDER;
	number = __atomic_load_n(&owners->gib[gib], __ATOMIC_ACQUIRE);
	if (number != ZONE_MIXED)
		return state_zones[number];
	*order = BLOCK_ORDER;
	number = __atomic_load_n(&owners->block[gib][pfn >> BLOCK_ORDER & (BITMAP_BITS - 1)],
				 __ATOMIC_ACQUIRE);
	return state_zones[number];
}

static inline struct zone *pfn_zone(pfn_t pfn)
{
	unsigned int order;

	return zone_around(pfn, &order);
}

/* Return the number of the frame's GiB, and the first frame of the GiB with that number. */
static inline pfn_t gib_of(pfn_t pfn)
{
	return pfn >> GIB_ORDER;
}

static inline pfn_t gib_pfn(pfn_t gib)
{
	return gib << GIB_ORDER;
}

/* Returns the number of the frame's block in its gib. */
static inline unsigned int block_of(pfn_t pfn)
{
	return (unsigned int)(pfn >> BLOCK_ORDER) & (BITMAP_BITS - 1);
}

/* Returns the number of the frame in its block. */
static inline unsigned int frame_of(pfn_t pfn)
{
	return (unsigned int)pfn & (BITMAP_BITS - 1);
}

/* Returns the first frame of the aligned run of 2^order frames that pfn lies in. */
static inline pfn_t run_start(pfn_t pfn, unsigned int order)
{
	return pfn & ~(((pfn_t)1 << order) - 1);
}

/*
 * Runs the body for each range of memblock's RAM in the zone, from *p_start to *p_end. i is an int.
 * The body must not change memblock.memory.
 */
MM_INTERNAL void __next_zone_pfn_range(const struct zone *z, int *i, pfn_t *start, pfn_t *end);
#define for_each_zone_pfn_range(i, z, p_start, p_end)                      \
	for (i = -1, __next_zone_pfn_range(z, &i, p_start, p_end); i >= 0; \
	     __next_zone_pfn_range(z, &i, p_start, p_end))

#define GFP_ZONE_BITS (__GFP_DMA | __GFP_DMA32)

/* The highest type of memory that may serve a request, by the zone bits of its flags. */
static const uint8_t gfp_types[GFP_ZONE_BITS + 1] = {
	ZONE_HOTPLUG, ZONE_DMA, /* __GFP_DMA */
	ZONE_HOTPLUG, ZONE_DMA, /* not a flag */
	ZONE_DMA32,   ZONE_DMA, /* __GFP_DMA32 */
};

static inline unsigned int gfp_type(gfp_t gfp)
{
	return gfp_types[gfp & GFP_ZONE_BITS];
}

/*
 * The fallback list of each node: the numbers of all zones in the order in which a request on the
 * node is served (numa.h), and ZONE_NONE behind the last. zones_init() has numa_make_lists() make
 * them, and set the homes of the CPUs. A list has room for the Hotplug zones of all nodes.
 */
MM_INTERNAL_DATA const uint8_t *node_zonelists[MAX_NUMNODES];
MM_INTERNAL void numa_make_lists(void);

/*
 * Inserts a Hotplug zone that was made after zones_init() into the list of each node. A CPU that
 * goes through a list meanwhile may meet a zone twice, and misses none that was in it. memory has
 * room for the list of the zone's node, if that was not known until now; else it is not used.
 */
MM_INTERNAL void numa_add_zone(const struct zone *z, void *memory);

/* Returns whether a node has a list of its own: it was known to zones_init(), or has a zone. */
MM_INTERNAL bool numa_has_list(int nid);

/* Sets the homes of the CPUs anew, after a node's first RAM has come or its last has left. */
MM_INTERNAL void numa_set_homes(void);

/* Allocates memory of a node, or else of another, for zones_init(). Its contents are undefined. */
MM_INTERNAL void *zone_metadata(uint64_t bytes, int nid);

/* Goes through the zones that may serve a request, in order: see fallback_next(). */
struct fallback {
	const uint8_t *at;
	unsigned int type; /* the highest that may serve it */
	int node;          /* the only node that may, or NUMA_NO_NODE */
};

/* Begins with the zones that a request on node nid, which is known, asks first. */
static inline struct fallback fallback_of(int nid, gfp_t gfp)
{
	return (struct fallback){ node_zonelists[nid], gfp_type(gfp),
				  gfp & __GFP_THISNODE ? nid : NUMA_NO_NODE };
}

/* Returns the next zone, or NULL behind the last. */
static inline struct zone *fallback_next(struct fallback *f)
{
	uint8_t number;

	while ((number = __atomic_load_n(f->at++, __ATOMIC_RELAXED)) != ZONE_NONE) {
		struct zone *z = state_zones[number];

		if (z->type <= f->type && (f->node == NUMA_NO_NODE || z->node == f->node))
			return z;
	}
	return NULL;
}

/*
 * Returns the zone that such a request on this CPU's node asks first, of those that have memory to
 * hand out; &no_zone when no zone may serve it.
 */
MM_INTERNAL struct zone *gfp_zone(gfp_t gfp);

/* Returns how many free frames the zone keeps from such a request. */
static inline uint64_t zone_keep(const struct zone *z, gfp_t gfp)
{
	return gfp & __GFP_HIGH ? 0 : z->lowmem_reserve[gfp_type(gfp)];
}

/*
 * Returns how many free frames the zone's bits have beyond what it keeps from such a request.
 * Without the lock the answer is a hint: to be read again under the lock before frames are taken.
 */
static inline uint64_t zone_spare(const struct zone *z, gfp_t gfp)
{
	uint64_t keep = zone_keep(z, gfp);
	uint64_t nr_free = __atomic_load_n(&z->nr_free, __ATOMIC_RELAXED);

	return nr_free > keep ? nr_free - keep : 0;
}

/*
 * Returns whether the zone keeps frames from requests for any memory, and the bits have no more
 * than that.
 */
static inline bool zone_is_low(const struct zone *z)
{
	uint64_t keep = z->lowmem_reserve[ZONE_HOTPLUG];

	return keep && __atomic_load_n(&z->nr_free, __ATOMIC_RELAXED) <= keep;
}

/* Ends the use of the caches away that began because the zone had nothing to spare: cache.h. */
MM_INTERNAL void zone_end_spill(struct zone *z);

/* Add frames to nr_free, and subtract. Only a caller that holds the lock subtracts. */
static inline void zone_add_free(struct zone *z, uint64_t frames)
{
	__atomic_fetch_add(&z->nr_free, frames, __ATOMIC_SEQ_CST);
	if (__builtin_expect(__atomic_load_n(&z->spilled, __ATOMIC_SEQ_CST), false))
		zone_end_spill(z);
}

static inline void zone_sub_free(struct zone *z, uint64_t frames)
{
	MM_ASSERT(port_lock_is_taken(&z->lock));
	MM_ASSERT(frames <= __atomic_load_n(&z->nr_free, __ATOMIC_RELAXED));
	__atomic_fetch_sub(&z->nr_free, frames, __ATOMIC_RELAXED);
}

/* This boot's cookie, already shifted to bits 48-63 of a state word. */
MM_INTERNAL_DATA uint64_t state_cookie;

/* Returns the state word of a head of this order with one reference. */
static inline uint64_t state_allocated(unsigned int zone, unsigned int order)
{
	return state_cookie | (uint64_t)zone << STATE_ZONE_SHIFT |
	       (uint64_t)order << STATE_ORDER_SHIFT | 1;
}

/* Returns the state word of a frame that is marked reserved. */
static inline uint64_t state_reserved(unsigned int zone)
{
	return state_cookie | (uint64_t)zone << STATE_ZONE_SHIFT | STATE_RESERVED;
}

static inline unsigned int state_order(uint64_t state)
{
	return (unsigned int)(state >> STATE_ORDER_SHIFT & STATE_ORDER_MASK);
}

/* Returns whether state is that of a head of this zone and order, whatever its references. */
static inline bool state_is_head(uint64_t state, unsigned int zone, unsigned int order)
{
	return state >> 32 == state_allocated(zone, order) >> 32 && (uint32_t)state;
}

/* Read and write a descriptor's state word in one piece: others may read it meanwhile. */
static inline uint64_t state_read(const struct page *page)
{
	return __atomic_load_n(&page->state, __ATOMIC_RELAXED);
}

static inline void state_write(struct page *page, uint64_t state)
{
	__atomic_store_n(&page->state, state, __ATOMIC_RELAXED);
}

/* Writes the state words of so many frames from page on. Others may read them meanwhile. */
MM_INTERNAL void set_states(struct page *page, pfn_t frames, uint64_t state);

/*
 * For hotplug.c: zone_init() makes the memory at z the zone with this number, which has no RAM yet
 * and no shelf; pfn is where its first will be. zone_publish() makes it known. A CPU that goes
 * through the zones meanwhile may meet one twice.
 */
MM_INTERNAL void zone_init(struct zone *z, unsigned int number, pfn_t pfn);
MM_INTERNAL void zone_publish(struct zone *z);

/*
 * Computes the reserves of all zones: lowmem_reserve[j] is kept from requests that type j could
 * serve. zones_finish() does, and hotplug.c when RAM has come or left.
 */
MM_INTERNAL void zones_set_reserves(void);

#endif
