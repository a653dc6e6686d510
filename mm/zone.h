/*
 * zone.h: zones, and the books of the allocator.
 *
 * Terms. Frame: 4 KiB. Block: a bitmap of 512 frames, 2 MiB. gib: a bitmap of 512 blocks, 1 GiB, or
 * the part of one that a zone has. A child (frame, block, gib) is *whole* when all of it is
 * free; a whole block or gib is one set bit of its parent. It is *open* when its own bitmap is in
 * use.
 *
 *     zone     free open head known   bitmap trees over gibs       index[0..17] over open gibs
 *      │ dir[] a pointer a GiB, null where the zone has no RAM
 *     gib   free open head clean   bitmaps over blocks          index[0..8] over open blocks
 *      │ block[]
 *     bitmap     512 bits: this frame is free
 *
 * An allocation of order k < 9 is a run of cleared bits in an open block's bitmap, 9 <= k < 18 in
 * an open gib's, 18 a gib. Its head's descriptor says so; orders 9 and up are marked in *head* as
 * well, because the descriptors of a block that was never opened are not to be read.
 *
 * Invariants, each recomputed by mm_check() under this name:
 *
 *   Z1 A zone's span is cut at block borders; dir[] has a gib exactly where the zone has RAM.
 *   Z2 present is the zone's RAM in memblock, in frames; managed those handed over.
 *   B1 A child is at most one of: whole, open, head of an allocation.
 *   B2 A free frame is RAM and not reserved in memblock.
 *   B3 index[k] holds every open bitmap that has a run of order k (an upper bound); index[k + 1] is
 *      within index[k]; index[0] and index[9] are exact.
 *   B4 For k < 9 the zone's index[k] holds exactly the gibs whose own index[k] is not empty.
 *   B5 An open bitmap is not whole, but for one a level and zone: idle[], the last that became so
 *      (else a single page going back and forth opens and closes it).
 *   B6 nr_free is the number of frames free in the bits.
 *   P1 In an open block every frame is free, in an allocation, marked reserved, or in a CPU's
 *      cache, one of the four.
 *   P2 The descriptor of a frame of an open block is zero unless the frame is a head or reserved.
 *   P3 An open block is clean: its descriptors were zeroed.
 *   P4 Marked reserved are exactly the frames that memblock has reserved or has not.
 *
 * Locking: zone->lock covers all of this zone's books and the descriptors of its free frames. It is
 * taken with interrupts off and held for a bounded time (MAX_LOWERED).
 */
#ifndef MM_ZONE_H
#define MM_ZONE_H

#include "mm/gfp.h"
#include "mm/bitmap.h"

enum zone_type { ZONE_DMA, ZONE_DMA32, ZONE_NORMAL, MAX_NR_ZONES };

#define BLOCK_ORDER        BITMAP_SHIFT
#define GIB_ORDER          (BLOCK_ORDER + BITMAP_SHIFT)
#define BLOCK_FRAMES       ((pfn_t)1 << BLOCK_ORDER)
#define GIB_FRAMES         ((pfn_t)1 << GIB_ORDER)
#define NR_ORDERS          (GIB_ORDER + 1)

#define PFN_NONE           (~(pfn_t)0)
#define PFN_AGAIN          (PFN_NONE - 1)

/* The fields of struct page's state word, as shifts. */
#define STATE_ORDER_SHIFT  32
#define STATE_ORDER_MASK   0x1full
#define STATE_RESERVED     (1ull << 39)
#define STATE_ZONE_SHIFT   40
#define STATE_ZONE_MASK    0x3ull
#define STATE_NODE_SHIFT   42
#define STATE_COOKIE_SHIFT 48

struct gib {
	struct bitmap free;  /* blocks that are whole */
	struct bitmap open;  /* blocks whose bitmap is in use */
	struct bitmap head;  /* blocks at which an allocation of order 9 .. 17 starts */
	struct bitmap clean; /* blocks whose descriptors were zeroed */
	struct bitmap index[BITMAP_SHIFT];
	struct bitmap block[]; /* up to the last block with RAM */
};

struct zone {
	port_lock_t lock;
	uint8_t id;
	uint64_t state;   /* of a head of order 0 with one reference: state_allocated(id, 0) */
	uint64_t nr_free; /* frames */
	pfn_t first_gib;  /* gib 0 of dir[] and of the bitmap trees */
	struct gib **dir;
	struct bitmap_tree index[2 * BITMAP_SHIFT]; /* gibs that may hold a run of this order */
	struct bitmap_tree free;                    /* gibs that are whole */
	struct bitmap_tree open;                    /* gibs whose header is in use */
	struct bitmap_tree head;                    /* gibs allocated in one piece */
	struct bitmap_tree known;                   /* gibs whose header was written */
	pfn_t idle[2];   /* first frame of the whole bitmap kept open, or PFN_NONE */
	pfn_t start_pfn; /* the zone's border below; end_pfn == start_pfn: no RAM */
	pfn_t end_pfn;   /* after its last RAM */
	pfn_t border;    /* where the next zone begins */
	pfn_t nr_gibs;   /* entries of dir[] */
	uint64_t present;
	uint64_t managed;
	uint64_t lowmem_reserve[MAX_NR_ZONES]; /* frames kept from requests of that zone */
	const char *name;
};

/* One more than there are, empty: a descriptor that nobody wrote may name it. */
extern struct zone zones[STATE_ZONE_MASK + 1];

#define for_each_zone(z) for (struct zone *z = zones; z < zones + MAX_NR_ZONES; z++)

/* The zone whose borders hold the frame; it may have no RAM there. */
static inline struct zone *pfn_zone(pfn_t pfn)
{
	struct zone *z = &zones[MAX_NR_ZONES - 1];

	while (pfn < z->start_pfn)
		z--;
	return z;
}

#define GFP_ZONE_BITS (__GFP_DMA | __GFP_DMA32)

/* The highest zone that a request may be served from; by its zone bits. */
extern struct zone *const gfp_zones[GFP_ZONE_BITS + 1];

static inline struct zone *gfp_zone(gfp_t gfp)
{
	return gfp_zones[gfp & GFP_ZONE_BITS];
}

/* By the zone bits of a descriptor. */
extern struct zone *const state_zones[STATE_ZONE_MASK + 1];

static inline struct zone *state_zone(uint64_t state)
{
	return state_zones[state >> STATE_ZONE_SHIFT & STATE_ZONE_MASK];
}

/* Free frames in the zone's bits beyond what it keeps from such a request. */
static inline uint64_t zone_spare(const struct zone *z, gfp_t gfp)
{
	uint64_t keep = gfp & __GFP_HIGH ? 0 : z->lowmem_reserve[gfp_zone(gfp)->id];
	uint64_t nr_free = __atomic_load_n(&z->nr_free, __ATOMIC_RELAXED);

	return nr_free > keep ? nr_free - keep : 0;
}

/* The bits have not more than the zone keeps from requests that could be served highest. */
static inline bool zone_is_low(const struct zone *z)
{
	return __atomic_load_n(&z->nr_free, __ATOMIC_RELAXED) <= z->lowmem_reserve[ZONE_NORMAL];
}

/* The zone's lock is held; zone_spare() of other CPUs reads nr_free without it. */
static inline void zone_add_free(struct zone *z, uint64_t frames)
{
	__atomic_store_n(&z->nr_free, z->nr_free + frames, __ATOMIC_RELAXED);
}

static inline void zone_sub_free(struct zone *z, uint64_t frames)
{
	__atomic_store_n(&z->nr_free, z->nr_free - frames, __ATOMIC_RELAXED);
}

extern uint64_t state_cookie; /* in place */

static inline uint64_t state_allocated(unsigned int zone, unsigned int order)
{
	return state_cookie | (uint64_t)zone << STATE_ZONE_SHIFT |
	       (uint64_t)order << STATE_ORDER_SHIFT | 1;
}

static inline uint64_t state_reserved(unsigned int zone)
{
	return state_cookie | (uint64_t)zone << STATE_ZONE_SHIFT | STATE_RESERVED;
}

/*
 * Set-up, in this order, once, after memblock is complete and mem_map_init() has run.
 * zones_init(): spans, directories and gibs, from memblock; seed differs from boot to boot.
 * memblock_free_all() then hands over what memblock has not reserved (memblock_free_pages() below),
 * and zones_finish() computes the reserves.
 */
void zones_init(uint64_t seed);
void zones_finish(void);
void memblock_free_pages(struct page *page, unsigned long pfn, unsigned int order);

/* Free frames of a zone, those in the CPUs' caches included. */
uint64_t zone_nr_free_pages(const struct zone *z);

/* Bytes that zones_init() took from memblock for directories, bitmap trees and gibs. */
extern uint64_t zones_bytes;

/* gib of a frame, or NULL. */
struct gib *zone_gib(const struct zone *z, pfn_t pfn);

/*
 * The state of the frames from pfn on: free or not, and where that ends (a multiple of whatever was
 * looked at: *end is after pfn, not necessarily maximal).
 */
bool free_span(pfn_t pfn, pfn_t *end);

/* The next maximal free range at or after *start, across zones. False when there is none. */
bool next_free_range(pfn_t *start, pfn_t *end);

/*
 * How many of the frames [start, end) are free in the bits. A block that is open costs the counting
 * of its bits, all else a look: 30 instructions a MiB at worst, however the memory lies.
 */
uint64_t nr_free_in_range(pfn_t start, pfn_t end);

/* Free blocks by order, as Linux's buddyinfo counts them: each in the largest that it is part of.
 */
void zone_free_blocks(const struct zone *z, uint64_t counts[NR_ORDERS]);

/*
 * Bytes of mem_map written so far: the descriptors of every block that was ever opened. A run of
 * whole blocks is allocated without: its head's descriptor is written, which does not count here.
 */
uint64_t mem_map_touched(void);

/*
 * Recomputes every invariant above from memblock, the bits and the descriptors. Prints each
 * violation (at most 16) as "mm_check: B3: …" and returns how many there are. O(frames in open
 * blocks + gibs). Takes no lock: nothing else may be allocating.
 */
unsigned long mm_check(void);

#endif
