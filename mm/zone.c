/* SPDX-License-Identifier: MIT */
/*
 * zone.c: zones from memblock: whose each block is, shelves, gibs; and the hand-over to the
 * allocator.
 *
 * Everything here costs per range, or a few instructions per GiB, never per frame. The exception is
 * a block that is only partly usable: it is opened now, and its other frames are marked reserved.
 */
#include "mm/buddy.h"
#include "mm/cache.h"
#include "mm/debug.h"
#include "mm/memblock.h"

#define DMA_BORDER   ((pfn_t)1 << (24 - PAGE_SHIFT)) /* 16 MiB: ISA's 24 address lines */
#define DMA32_BORDER ((pfn_t)1 << (32 - PAGE_SHIFT)) /* 4 GiB: PCI's 32 */
_Static_assert(DMA_BORDER % BLOCK_FRAMES == 0,
	       "Z1: the 16 MiB of zone DMA are whole blocks: PAGE_SHIFT is at most 15");
_Static_assert(MM_MAX_PFN >= DMA32_BORDER, "MM_MAX_PFN is not below 4 GiB, where zone DMA32 ends");

/* Where the types of memory end that have a border. */
static const pfn_t type_ends[] = { DMA_BORDER, DMA32_BORDER };

/*
 * DMA and DMA32 keep 1/256 of the memory above them, on any node, from requests that memory above
 * could serve, so that requests which need low memory find some. Linux has this as
 * sysctl_lowmem_reserve_ratio. Memory that may leave again counts, too, but adds at most a quarter
 * of the lower zone.
 */
#define LOWMEM_RATIO 256

static const char *const type_names[MAX_NR_ZONES] = { "DMA", "DMA32", "Normal", "Hotplug" };

/* No descriptor has its state word: the cookie is 0, and the count and the zone are not. */
MM_INTERNAL struct zone no_zone = { .id = ZONE_NONE,
				    .type = ZONE_HOTPLUG,
				    .state = (uint64_t)ZONE_NONE << STATE_ZONE_SHIFT | UINT32_MAX,
				    .node = NUMA_NO_NODE,
				    .name = "none",
				    .idle = { PFN_NONE, PFN_NONE },
				    .unmovable = PFN_NONE };

struct zone *zone_list[NR_ZONE_NUMBERS];
__extension__ MM_INTERNAL struct zone *state_zones[NR_ZONE_NUMBERS] = {
	[0 ... NR_ZONE_NUMBERS - 1] = &no_zone,
};
MM_INTERNAL struct owners *zone_owners[NR_SHELVES];

uint64_t zones_bytes;

/*
 * Allocates memory of a node for the allocator's metadata, else of any. It does not come from the
 * 16 MiB of zone DMA as long as there is other memory, for that would cost one of its eight blocks.
 * Its contents are undefined. Without it the machine is of no use.
 */
void *zone_metadata(uint64_t bytes, int nid)
{
	void *metadata = memblock_alloc_try_nid_raw(bytes, MM_LINE, PFN_PHYS(DMA_BORDER),
						    MEMBLOCK_ALLOC_ACCESSIBLE, nid);

	if (!metadata && movable_node_enabled) {
		movable_node_enabled = false;
		return zone_metadata(bytes, nid);
	}
	if (!metadata)
		port_panic("zones_init: no room for %llu bytes of metadata",
			   (unsigned long long)bytes);
	zones_bytes += bytes;
	return metadata;
}

/*
 * Returns the number of the zone that a region's RAM belongs to from frame pfn on, and sets *end to
 * where that ends. RAM of no node counts as node 0's.
 */
static unsigned int region_zone(const struct memblock_region *region, pfn_t pfn, pfn_t *end)
{
	int nid = numa_valid_node(region->nid) ? region->nid : 0;
	unsigned int type = ZONE_DMA;
	pfn_t border;

	*end = PFN_DOWN(region->base + region->size);
	if (region->flags & MEMBLOCK_HOTPLUG)
		return zone_number(nid, ZONE_HOTPLUG);
	while (type < ZONE_NORMAL && pfn >= type_ends[type])
		type++;
	border = type < ZONE_NORMAL ? type_ends[type] : *end;
	if (*end > border)
		*end = border;
	return zone_number(nid, type);
}

/* Calls each() for all RAM, in rising order, cut where its zone changes. i: memblock's region. */
static void for_ram(void (*each)(unsigned long i, unsigned int number, pfn_t from, pfn_t to))
{
	for (unsigned long i = 0; i < memblock.memory.cnt; i++) {
		const struct memblock_region *region = &memblock.memory.regions[i];
		pfn_t from = PFN_UP(region->base), end = PFN_DOWN(region->base + region->size), to;

		for (; from < end; from = to) {
			unsigned int number = region_zone(region, from, &to);

			each(i, number, from, to);
		}
	}
}

void __next_zone_pfn_range(const struct zone *z, int *i, pfn_t *start, pfn_t *end)
{
	struct memblock_region region;
	pfn_t border;

	while (memblock_copy_region(&memblock.memory, (unsigned long)++*i, &region))
		for (*start = memblock_region_memory_base_pfn(&region);
		     *start < memblock_region_memory_end_pfn(&region); *start = border)
			if (region_zone(&region, *start, &border) == z->id) {
				*end = border;
				return;
			}
	*i = -1;
}

/* Returns where the GiBs from number gib on, to end at most, leave gib's shelf. */
static pfn_t shelf_end(pfn_t gib, pfn_t end)
{
	pfn_t next = run_start(gib, BITMAP_SHIFT) + BITMAP_BITS;

	return next < end ? next : end;
}

/* Makes the zone's shelf number i, which has no gib, in memory at shelf. */
static void init_shelf(struct zone *z, pfn_t i, struct shelf *shelf)
{
	memset(shelf->set, 0, sizeof(shelf->set));
	z->shelf[i] = shelf;
}

void zone_init(struct zone *z, unsigned int number, pfn_t pfn)
{
	memset(z, 0, sizeof(*z));
	z->start_pfn = pfn;
	z->id = (uint8_t)number;
	z->type = number & ((1u << ZONE_TYPE_BITS) - 1);
	z->node = (int)(number >> ZONE_TYPE_BITS);
	z->state = state_allocated(number, 0);
	z->name = type_names[z->type];
	z->idle[LEVEL_BLOCK] = PFN_NONE;
	z->idle[LEVEL_GIB] = PFN_NONE;
	z->unmovable = PFN_NONE;
}

/* Returns a new zone, which has no RAM yet; the first is at pfn. Its first shelf lies behind it. */
static struct zone *new_zone(unsigned int number, pfn_t pfn)
{
	int nid = (int)(number >> ZONE_TYPE_BITS);
	struct zone *z = zone_metadata(sizeof(*z) + sizeof(struct shelf), nid);

	zone_init(z, number, pfn);
	init_shelf(z, pfn >> SHELF_ORDER, (struct shelf *)(z + 1));
	node_set_online(nid);
	return state_zones[number] = z;
}

/* Those behind it in zone_list[] move, the last one first, so that each is there at any time. */
void zone_publish(struct zone *z)
{
	unsigned int at = 0, end;

	while (zone_list[at] && zone_list[at]->id < z->id)
		at++;
	for (end = at; zone_list[end]; end++)
		;
	for (; end > at; end--)
		__atomic_store_n(&zone_list[end], zone_list[end - 1], __ATOMIC_RELEASE);
	__atomic_store_n(&zone_list[at], z, __ATOMIC_RELEASE);
	__atomic_store_n(&state_zones[z->id], z, __ATOMIC_RELEASE);
}

/* Returns the owners of the shelf that the frame lies in, none of them known if they are new. */
static struct owners *owners_of(pfn_t pfn, const struct zone *z)
{
	struct owners **owners = &zone_owners[pfn >> SHELF_ORDER];

	if (!*owners) {
		*owners = zone_metadata(sizeof(**owners), z->node);
		memset((*owners)->gib, ZONE_NONE, sizeof((*owners)->gib));
	}
	return *owners;
}

/*
 * Writes the number of the zone to the bytes of the blocks of a shared GiB that have [from, to),
 * which may be empty. RAM comes in rising order: the first of these blocks alone may have an owner.
 */
static void own_blocks(uint8_t *blocks, unsigned int number, pfn_t from, pfn_t to)
{
	uint8_t *first = &blocks[block_of(from)];

	if (from >= to)
		return;
	if (*first != ZONE_NONE && *first != number)
		port_panic(
		    "zones_init: the block at [mem %#llx-%#llx] has memory of two zones",
		    (unsigned long long)PFN_PHYS(run_start(from, BLOCK_ORDER)),
		    (unsigned long long)PFN_PHYS(run_start(from, BLOCK_ORDER) + BLOCK_FRAMES) - 1);
	memset(first, (int)number, block_of(to - 1) - block_of(from) + 1);
}

/*
 * Makes a GiB shared, of which one zone has had all RAM so far, up to frame `before` in memblock's
 * region i.
 */
static void share_gib(struct owners *owners, unsigned long i, pfn_t before, const struct zone *z)
{
	unsigned int gib = (unsigned int)gib_of(before) % BITMAP_BITS, number = owners->gib[gib];
	pfn_t start = run_start(before, GIB_ORDER);

	owners->gib[gib] = ZONE_MIXED;
	owners->block[gib] = zone_metadata(BITMAP_BITS, z->node);
	memset(owners->block[gib], ZONE_NONE, BITMAP_BITS);
	do {
		pfn_t from = PFN_UP(memblock.memory.regions[i].base);
		pfn_t to =
		    PFN_DOWN(memblock.memory.regions[i].base + memblock.memory.regions[i].size);

		own_blocks(owners->block[gib], number, from > start ? from : start,
			   to < before ? to : before);
	} while (i-- && PFN_DOWN(memblock.memory.regions[i].base +
				 memblock.memory.regions[i].size) > start);
}

/* Gives a zone the RAM [from, to), which lies in one GiB. */
static void own_part(unsigned long i, const struct zone *z, pfn_t from, pfn_t to)
{
	struct owners *owners = owners_of(from, z);
	unsigned int gib = (unsigned int)gib_of(from) % BITMAP_BITS;

	if (owners->gib[gib] == ZONE_NONE)
		owners->gib[gib] = z->id;
	if (owners->gib[gib] == z->id)
		return;
	if (owners->gib[gib] != ZONE_MIXED)
		share_gib(owners, i, from, z);
	own_blocks(owners->block[gib], z->id, from, to);
}

/* Gives a zone the GiBs [gib, end), whole. */
static void own_gibs(const struct zone *z, pfn_t gib, pfn_t end)
{
	for (pfn_t next; gib < end; gib = next) {
		struct owners *owners = owners_of(gib_pfn(gib), z);

		next = shelf_end(gib, end);
		memset(&owners->gib[gib % BITMAP_BITS], z->id, next - gib);
	}
}

/* Counts RAM, for_ram()'s range [from, to), into its zone, which is new if this is its first. */
static void own_ram(unsigned long i, unsigned int number, pfn_t from, pfn_t to)
{
	struct zone *z = state_zones[number];
	pfn_t first = gib_of(from + GIB_FRAMES - 1), end = gib_of(to);

	if (to > (pfn_t)NR_SHELVES << SHELF_ORDER)
		port_panic("zones_init: frame 0x%llx is beyond the last shelf",
			   (unsigned long long)to);
	if (z == &no_zone)
		z = new_zone(number, from);
	z->present += to - from;
	z->end_pfn = to;
	if (first > end) {
		own_part(i, z, from, to);
		return;
	}
	if (from < gib_pfn(first))
		own_part(i, z, from, gib_pfn(first));
	own_gibs(z, first, end);
	if (gib_pfn(end) < to)
		own_part(i, z, gib_pfn(end), to);
}

/* Adds the gibs [gib, end), which exist, to a set of which no other CPU changes the words. */
static void gibs_set_range(struct zone *z, unsigned int set, pfn_t gib, pfn_t end)
{
	for (pfn_t next; gib < end; gib = next) {
		uint64_t *word = gibs_word(z, set, gib);
		uint64_t bits = BITMAP_WORD_FULL << (gib % BITMAP_WORD_FRAMES) & BITMAP_WORD_FULL;

		next = run_start(gib, BITMAP_WORD_SHIFT) + BITMAP_WORD_FRAMES;
		if (next > end) {
			bits &= BITMAP_WORD_FULL >> (next - end);
			next = end;
		}
		MM_ASSERT(!(*word & bits));
		bitmap_write(word, *word | bits);
		gibs_top_set(z, set, (unsigned int)(gib / BITMAP_BITS));
	}
}

/* Makes the zone's shelves for the GiBs [gib, end), as far as it has none. */
static void place_shelves(struct zone *z, pfn_t gib, pfn_t end)
{
	for (pfn_t i = gib / BITMAP_BITS; i <= (end - 1) / BITMAP_BITS; i++)
		if (!z->shelf[i])
			init_shelf(z, i, zone_metadata(sizeof(struct shelf), z->node));
}

/*
 * Allocates the gibs for the zone's RAM [run_start, run_end), in consecutive GiBs, side by side.
 * Each has bitmaps for 512 blocks; the last is cut where the RAM ends. The memory comes from the
 * same island of RAM if that has room, else from the node, else from anywhere; from zone DMA only
 * if nothing else is left. It is not written here.
 */
static void place_gibs(struct zone *z)
{
	bool movable = movable_node_enabled;
	const uint64_t stride = sizeof(struct gib) + BITMAP_BITS * sizeof(struct bitmap);
	pfn_t first = gib_of(z->run_start), last = gib_of(z->run_end - 1);
	/* A GiB of Hotplug memory may get more of it. */
	uint64_t blocks =
	    z->type == ZONE_HOTPLUG ? BITMAP_BITS : (uint64_t)block_of(z->run_end - 1) + 1;
	uint64_t bytes =
	    (last - first) * stride + sizeof(struct gib) + blocks * sizeof(struct bitmap);
	phys_addr_t from = PFN_PHYS(run_start(z->run_start, GIB_ORDER));
	phys_addr_t to = PFN_PHYS(z->run_end);
	char *gibs;

	if (from < PFN_PHYS(DMA_BORDER))
		from = PFN_PHYS(DMA_BORDER);
	if (to <= from)
		to = MEMBLOCK_ALLOC_ACCESSIBLE;
	place_shelves(z, first, last + 1);
	movable_node_enabled = movable && z->type != ZONE_HOTPLUG; /* its own gibs leave with it */
	gibs = memblock_alloc_exact_nid_raw(bytes, sizeof(struct bitmap), from, to, z->node);
	if (!gibs)
		gibs =
		    memblock_alloc_try_nid_raw(bytes, sizeof(struct bitmap), PFN_PHYS(DMA_BORDER),
					       MEMBLOCK_ALLOC_ACCESSIBLE, z->node);
	movable_node_enabled = movable;
	if (!gibs)
		port_panic("zone %s: no room for %llu bytes of gibs", z->name,
			   (unsigned long long)bytes);
	zones_bytes += bytes;
	gibs_set_range(z, GIBS_EXIST, first, last + 1);
	for (pfn_t gib = first, next; gib <= last; gib = next) {
		struct gib **slot = z->shelf[gib / BITMAP_BITS]->gib;

		next = shelf_end(gib, last + 1);
		slot += gib % BITMAP_BITS;
#pragma GCC unroll 8
		for (pfn_t i = 0; i < next - gib; i++, gibs += stride)
			slot[i] = (struct gib *)gibs;
	}
}

/* Makes gibs for RAM, for_ram()'s range [from, to): those of a run of GiBs when it has ended. */
static void place_ram(unsigned long i, unsigned int number, pfn_t from, pfn_t to)
{
	struct zone *z = state_zones[number];

	(void)i;
	if (z->run_end && gib_of(from) > gib_of(z->run_end - 1) + 1) {
		place_gibs(z);
		z->run_end = 0;
	}
	if (!z->run_end)
		z->run_start = from;
	z->run_end = to;
}

/* Fills zone_list[] from state_zones[]. */
static void list_zones(void)
{
	struct zone **at = zone_list;

	for (unsigned int number = 0; number < zone_number(nr_node_ids(), 0); number++)
		if (state_zones[number] != &no_zone)
			*at++ = state_zones[number];
	*at = NULL;
}

/* Forgets all zones of a call before: a host program may set them up again and again. */
static void forget_zones(void)
{
	static bool called;

	if (!called) {
		called = true;
		return;
	}
	zones_bytes = 0;
#pragma GCC unroll 8
	for (unsigned int i = 0; i < NR_ZONE_NUMBERS; i++) {
		state_zones[i] = &no_zone;
		zone_list[i] = NULL;
	}
#pragma GCC unroll 8
	for (unsigned int i = 0; i < NR_SHELVES; i++)
		zone_owners[i] = NULL;
}

/* Makes all zones. The cookie tells this boot's descriptors from those that a reset left in RAM. */
void zones_init(uint64_t seed)
{
	uint64_t cookie = (seed ^ seed >> 16 ^ seed >> 32 ^ seed >> 48) & 0xffff;
	bool movable = movable_node_enabled;

	movable_node_enabled = true; /* nothing that stays lies in memory that may leave */
	state_cookie = (cookie ? cookie : 1) << STATE_COOKIE_SHIFT;
	forget_zones();
	for_ram(own_ram);
	list_zones();
	for_ram(place_ram);
	for_each_zone(z)
		place_gibs(z);
	numa_make_lists();
	movable_node_enabled = movable;
}

pfn_t next_gib(const struct zone *z, pfn_t gib)
{
	for (; gib < (pfn_t)NR_SHELVES * BITMAP_BITS; gib++) {
		const struct shelf *shelf = z->shelf[gib / BITMAP_BITS];
		uint64_t bits;

		if (!shelf) {
			gib |= BITMAP_BITS - 1;
			continue;
		}
		bits = bitmap_read(&shelf->set[GIBS_EXIST].word[gib % BITMAP_BITS / 64]) >>
		       gib % BITMAP_WORD_FRAMES;
		if (bits)
			return gib + (pfn_t)__builtin_ctzll(bits);
		gib |= BITMAP_WORD_FRAMES - 1;
	}
	return GIB_NONE;
}

uint64_t zone_nr_free_pages(const struct zone *z)
{
	return __atomic_load_n(&z->nr_free, __ATOMIC_RELAXED) + cache_frames(z);
}

uint64_t nr_free_pages(void)
{
	uint64_t sum = 0;

	for_each_zone(z)
		sum += zone_nr_free_pages(z);
	return sum;
}

void zones_set_reserves(void)
{
	uint64_t managed[MAX_NR_ZONES] = { 0 };

	for_each_zone(z)
		managed[z->type] += z->managed;
	for_each_zone(z) {
		uint64_t above = 0;

		if (z->type >= ZONE_NORMAL)
			continue;
		for (unsigned int j = z->type + 1u; j <= ZONE_NORMAL; j++) {
			above += managed[j];
			z->lowmem_reserve[j] = above / LOWMEM_RATIO;
		}
		above = managed[ZONE_HOTPLUG] / LOWMEM_RATIO;
		z->lowmem_reserve[ZONE_HOTPLUG] = z->lowmem_reserve[ZONE_NORMAL] +
						  (above < z->managed / 4 ? above : z->managed / 4);
	}
}

void zones_break_locks(void)
{
	for_each_zone(z)
		z->lock = (port_lock_t){ 0 };
}

void zones_finish(void)
{
	zones_set_reserves();
	cache_init();
	mm_debug_start();
}

void set_states(struct page *page, pfn_t frames, uint64_t state)
{
#pragma GCC unroll 8
	for (pfn_t i = 0; i < frames; i++)
		state_write(&page[i], state);
}

/* Counts frames that are handed over. */
static void count_managed(struct zone *z, uint64_t frames)
{
	zone_add_free(z, frames);
	z->managed += frames;
}

/*
 * Opens a block of which only a part is usable, in a hold of its own, because that is long. All its
 * frames are marked reserved.
 */
static void open_part(struct zone *z, pfn_t pfn)
{
	unsigned long flags = port_lock_irqsave(&z->lock);

	buddy_open_gib(z, pfn);
	if (!bitmap_test(&gib_at(z, gib_of(pfn))->open, block_of(pfn)))
		buddy_open_block(z, run_start(pfn, BLOCK_ORDER), state_reserved(z->id));
	port_unlock_irqrestore(&z->lock, flags);
}

/* Hands over the frames [pfn, end) of an open block: they lose the mark of reserved ones (P4). */
static void hand_over_part(struct zone *z, pfn_t pfn, pfn_t end)
{
	set_states(pfn_to_page(pfn), end - pfn, 0);
	buddy_put_range(z, pfn, end);
	count_managed(z, end - pfn);
}

/*
 * Hands over all of the zone's GiBs [gib, end), which are none of them known to the allocator: they
 * become whole, as buddy_put() would make each of them, by words.
 */
static void hand_over_gibs(struct zone *z, pfn_t gib, pfn_t end)
{
	count_managed(z, (end - gib) << GIB_ORDER);
	gibs_set_range(z, GIBS_FREE, gib, end);
}

/* Hands over the whole blocks [pfn, end) of one GiB. */
static void hand_over_blocks(struct zone *z, pfn_t pfn, pfn_t end)
{
	buddy_open_gib(z, pfn);
	buddy_put_block_range(z, pfn, end);
	count_managed(z, end - pfn);
}

/* Returns how many bytes from bytes[0] on have this value, at most n; mostly eight at a time. */
static pfn_t nr_equal(const uint8_t *bytes, uint8_t value, pfn_t n)
{
	pfn_t i = 0;
	uint64_t eight;

	for (; i + sizeof(eight) <= n; i += sizeof(eight)) {
		__builtin_memcpy(&eight, &bytes[i], sizeof(eight)); /* one load, not a call */
		if (eight != value * 0x0101010101010101ull)
			break;
	}
	while (i < n && bytes[i] == value)
		i++;
	return i;
}

/* Returns where the GiBs of which zone z has all RAM end, of those from number gib on to end. */
static pfn_t end_of_own(const struct zone *z, pfn_t gib, pfn_t end)
{
	for (pfn_t next; gib < end; gib = next) {
		pfn_t limit = shelf_end(gib, end);

		next = gib + nr_equal(&zone_owners[gib / BITMAP_BITS]->gib[gib % BITMAP_BITS],
				      z->id, limit - gib);
		if (next < limit)
			return next;
	}
	return gib;
}

/* Returns where zone z's blocks end, of those from pfn on to end_pfn that lie in one GiB. */
static pfn_t end_of_blocks(const struct zone *z, pfn_t pfn, pfn_t end_pfn)
{
	const struct owners *owners = zone_owners[pfn >> SHELF_ORDER];
	unsigned int gib = (unsigned int)gib_of(pfn) % BITMAP_BITS;
	pfn_t end = run_start(pfn, GIB_ORDER) + GIB_FRAMES;

	end = end < end_pfn ? end : run_start(end_pfn, BLOCK_ORDER);
	if (owners->gib[gib] != ZONE_MIXED)
		return end;
	return pfn +
	       (nr_equal(&owners->block[gib][block_of(pfn)], z->id, (end - pfn) >> BLOCK_ORDER)
		<< BLOCK_ORDER);
}

/* Takes whole GiBs of one zone, else whole blocks of it in one GiB, else a part of a block. */
unsigned long memblock_free_range(unsigned long pfn, unsigned long end_pfn)
{
	struct zone *z = pfn_zone(pfn);
	pfn_t end = pfn;
	unsigned long flags;
	bool part;

	if (pfn % GIB_FRAMES == 0)
		end = gib_pfn(end_of_own(z, gib_of(pfn), gib_of(end_pfn)));
	part = end == pfn && (pfn % BLOCK_FRAMES || end_pfn - pfn < BLOCK_FRAMES);
	if (part)
		open_part(z, pfn);
	flags = port_lock_irqsave(&z->lock);
	if (end != pfn) {
		hand_over_gibs(z, gib_of(pfn), gib_of(end));
	} else if (!part) {
		end = end_of_blocks(z, pfn, end_pfn);
		hand_over_blocks(z, pfn, end);
	} else {
		end = run_start(pfn, BLOCK_ORDER) + BLOCK_FRAMES;
		end = end < end_pfn ? end : end_pfn;
		hand_over_part(z, pfn, end);
	}
	port_unlock_irqrestore(&z->lock, flags);
	return end;
}

unsigned long memblock_irq_save(void)
{
	return port_irq_save();
}

void memblock_irq_restore(unsigned long flags)
{
	port_irq_restore(flags);
}

void memblock_free_pages(struct page *page, unsigned long pfn, unsigned int order)
{
	unsigned long end = pfn + (1ul << order);

	(void)page;
	while (pfn < end)
		pfn = memblock_free_range(pfn, end);
}
