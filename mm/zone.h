/* SPDX-License-Identifier: MIT */
/*
 * zone.h: zones, and the allocator's metadata: what is free, what is in use, and the rules between.
 *
 * Terms. A frame is 4 KiB. A block is 512 frames, 2 MiB. A gib is 512 blocks, 1 GiB, or the part of
 * it that one zone has. A child (frame, block or gib) is *whole* when its bit in its parent is set:
 * all of it is free. A block or gib is *open* when a bitmap of its own says which of its children
 * are whole. It is *full* when all bits of that bitmap are set. It *closes* when its bit in its
 * parent is set instead: it is then whole, and no longer open.
 *
 *     zone     free open head known   bitmap trees over gibs     index[0..17] over open gibs
 *      │ dir[]  a pointer a GiB, null where the zone has no RAM
 *     gib      free open head clean   bitmaps over blocks        index[0..8] over open blocks
 *      │ block[]
 *     bitmap   512 bits: this frame is free
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
 *   Z1 A zone begins and ends on a block's border. dir[] has a gib exactly where the zone has RAM.
 *   Z2 present counts the zone's frames that are RAM in memblock, managed those handed over.
 *   B1 A child is at most one of whole, open, in *head*; inside an allocation, none.
 *   B2 A free frame is RAM, and not reserved in memblock.
 *   B3 index[k] holds every open block or gib that has a run of 2^k children, and only open ones;
 *      index[k + 1] is a subset of index[k]; index[0] and index[9] (single children) are exact.
 *      The exception is one block of each zone, *unmovable*, from which allocations that stay are
 *      served: it is open, and the index never holds it, so that no other request finds it.
 *   B4 For k < 9 the zone's index[k] holds exactly the gibs whose own index[k] is not empty. The
 *      top of each bitmap tree says which of its leaves are not empty.
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
 * invariants are kept between them. Only the
 * hand-over from memblock (zones_init() to zones_finish()) may hold it for longer.
 *
 * The lock is needed to take frames, to lower a bound, to open and to close, and for all that
 * concerns whole blocks: free, open, head, clean, index[9] and above, idle[]. So one CPU at a time
 * clears bits. It is not needed to free frames of an open block, which only sets bits: those of the
 * frames, of the gib's index and of the zone's index[0] to index[8]. These bits may become set
 * while another CPU holds the lock, so they are changed by atomic OR and AND alone.
 *
 * Frees without the lock. As long as the block has a frame that is not free, it stays open: it
 * cannot become whole. So a CPU that holds frames of it, allocated or in its frame cache, may do
 * this:
 *
 *   1. Add the frames to nr_free. This comes first, so that a CPU that takes them can subtract
 *      them.
 *   2. If the index does not hold the block for the run of which the frames will be a part (k is
 *      its order, at most 8), raise the bound: for k and then for each order below, down to the
 *      first that is held, set the block's bit in the gib's index, then the gib's in the leaf of
 *      the zone's, then the leaf's in the top.
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
 *   L2 When the gib's index has become empty, the gib's bit in the zone's is cleared, and then the
 *      gib's index is looked at; when a leaf has become empty, its bit in the top, and then the
 *      leaf. If it is not empty after all, the bit is set again.
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
 *   mem_map_touched()              at least what was true at the call: it only grows
 *   page_owner_sums()              misses what is allocated or freed meanwhile. A record may still
 *                                  name the owner before
 *   mm_check()                     nothing else may run: it would report what is in progress
 */
#ifndef MM_ZONE_H
#define MM_ZONE_H

#include "mm/bitmap.h"
#include "mm/gfp.h"

enum zone_type { ZONE_DMA, ZONE_DMA32, ZONE_NORMAL, MAX_NR_ZONES };

#define BLOCK_ORDER        BITMAP_SHIFT
#define GIB_ORDER          (BLOCK_ORDER + BITMAP_SHIFT)
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
#define STATE_ZONE_MASK    0x3ull
#define STATE_NODE_SHIFT   42
#define STATE_COOKIE_SHIFT 48

struct gib {
	struct bitmap free;  /* blocks that are whole */
	struct bitmap open;  /* blocks whose own bitmap is in use */
	struct bitmap head;  /* heads of allocations of order 9 to 17; blocks in frame caches */
	struct bitmap clean; /* blocks whose descriptors were zeroed */
	struct bitmap index[BITMAP_SHIFT]; /* open blocks that may hold a run of 2^k frames */
	struct bitmap block[];             /* as many as reach the last block with RAM */
};

/*
 * What is set at boot lies in lines of the CPU cache of its own, because all paths read it. nr_free
 * and the index are read and written without the lock, too.
 */
struct zone {
	uint8_t id;
	uint64_t state;  /* of a head of order 0 with one reference: state_allocated(id, 0) */
	pfn_t first_gib; /* the GiB of dir[0] and of bit 0 of the bitmap trees */
	struct gib **dir;
	pfn_t start_pfn;  /* the border below */
	pfn_t end_pfn;    /* the end of the zone's last RAM; start_pfn when it has none */
	pfn_t border;     /* where the next zone begins */
	pfn_t nr_gibs;    /* entries of dir[] */
	uint64_t present; /* see Z2 */
	uint64_t managed;
	uint64_t lowmem_reserve[MAX_NR_ZONES]; /* [j]: kept from requests that zone j could serve */
	const char *name;

	port_lock_t lock __attribute__((aligned(MM_LINE)));
	uint64_t nr_free;   /* frames free in the bits */
	pfn_t idle[2];      /* first frame of the full block, gib, kept open (B5), or PFN_NONE */
	uint32_t work;      /* done under the present hold of the lock: see BUDDY_MAX_WORK */
	uint32_t cut_short; /* searches in a row that work has ended: see take_searching() */
	pfn_t unmovable; /* first frame of the open block for __GFP_UNMOVABLE (B3), or PFN_NONE */
	struct bitmap_tree index[2 * BITMAP_SHIFT]; /* gibs that may hold a run of this order */
	struct bitmap_tree free;                    /* gibs that are whole */
	struct bitmap_tree open;                    /* gibs that are open */
	struct bitmap_tree head;                    /* gibs allocated in one piece */
	struct bitmap_tree known;                   /* gibs whose struct gib was written */
} __attribute__((aligned(MM_LINE)));

/* One more than there are, and empty: a descriptor that was never written may name it. */
extern struct zone zones[STATE_ZONE_MASK + 1];

#define for_each_zone(z) for (struct zone *z = zones; z < zones + MAX_NR_ZONES; z++)

/* Returns the zone between whose borders the frame lies. It may have no RAM there. */
static inline struct zone *pfn_zone(pfn_t pfn)
{
	struct zone *z = &zones[MAX_NR_ZONES - 1];

	while (pfn < z->start_pfn)
		z--;
	return z;
}

/* Returns the number of the frame's GiB in the zone: its index in dir[] and in the bitmap trees. */
static inline pfn_t gib_of(const struct zone *z, pfn_t pfn)
{
	return (pfn >> GIB_ORDER) - z->first_gib;
}

/* Returns the first frame of the zone's GiB number gib. */
static inline pfn_t gib_pfn(const struct zone *z, pfn_t gib)
{
	return (z->first_gib + gib) << GIB_ORDER;
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

/* Returns the zone's part of the GiB that the frame lies in, or NULL when it has no RAM there. */
struct gib *zone_gib(const struct zone *z, pfn_t pfn);

/*
 * Runs the body for each range of memblock's RAM in the zone, from *p_start to *p_end, cut at the
 * zone's borders. i is an int. The body must not change memblock.memory.
 */
void __next_zone_pfn_range(const struct zone *z, int *i, pfn_t *start, pfn_t *end);
#define for_each_zone_pfn_range(i, z, p_start, p_end)                      \
	for (i = -1, __next_zone_pfn_range(z, &i, p_start, p_end); i >= 0; \
	     __next_zone_pfn_range(z, &i, p_start, p_end))

#define GFP_ZONE_BITS (__GFP_DMA | __GFP_DMA32)

/*
 * The highest zone that may serve a request, by the zone bits of its flags: one that has RAM, if
 * any has that may. It keeps nothing from the request.
 */
extern struct zone *gfp_zones[GFP_ZONE_BITS + 1];

static inline struct zone *gfp_zone(gfp_t gfp)
{
	return gfp_zones[gfp & GFP_ZONE_BITS];
}

/* The zones by the zone bits of a state word. */
extern struct zone *const state_zones[STATE_ZONE_MASK + 1];

static inline struct zone *state_zone(uint64_t state)
{
	return state_zones[state >> STATE_ZONE_SHIFT & STATE_ZONE_MASK];
}

/* Returns how many free frames the zone keeps from such a request. */
static inline uint64_t zone_keep(const struct zone *z, gfp_t gfp)
{
	return gfp & __GFP_HIGH ? 0 : z->lowmem_reserve[gfp_zone(gfp)->id];
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
	uint64_t keep = z->lowmem_reserve[ZONE_NORMAL];

	return keep && __atomic_load_n(&z->nr_free, __ATOMIC_RELAXED) <= keep;
}

/* Add frames to nr_free, and subtract. Only a caller that holds the lock subtracts. */
static inline void zone_add_free(struct zone *z, uint64_t frames)
{
	__atomic_fetch_add(&z->nr_free, frames, __ATOMIC_RELAXED);
}

static inline void zone_sub_free(struct zone *z, uint64_t frames)
{
	MM_ASSERT(port_lock_is_taken(&z->lock));
	MM_ASSERT(frames <= __atomic_load_n(&z->nr_free, __ATOMIC_RELAXED));
	__atomic_fetch_sub(&z->nr_free, frames, __ATOMIC_RELAXED);
}

/* This boot's cookie, already shifted to bits 48-63 of a state word. */
extern uint64_t state_cookie;

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
void set_states(struct page *page, pfn_t frames, uint64_t state);

/*
 * Sets up the allocator: to be called once, after memblock is complete and mem_map_init() has run.
 * zones_init() makes spans, directories and gibs from memblock; seed should differ from boot to
 * boot. memblock_free_all() (memblock.h) then hands over what memblock has not reserved, by calling
 * memblock_free_largest() for whole GiBs that follow one another, and memblock_free_pages() for
 * each smaller aligned run. zones_finish() computes the reserves and starts the
 * frame caches. zones_init() panics when memblock has no room.
 */
void zones_init(uint64_t seed);
void memblock_free_pages(struct page *page, unsigned long pfn, unsigned int order);
void zones_finish(void);

/* Return the free frames of a zone, and of all zones, with those in the CPUs' frame caches. */
uint64_t zone_nr_free_pages(const struct zone *z);
uint64_t nr_free_pages(void);

/* The bytes that zones_init() took from memblock for directories, bitmap trees and gibs. */
extern uint64_t zones_bytes;

#endif
