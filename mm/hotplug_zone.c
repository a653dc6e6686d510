/* SPDX-License-Identifier: MIT */
/*
 * hotplug_zone.c: zones that gain and lose RAM after the boot: the zone itself, its shelves and
 * gibs, zone_owners[].
 *
 * Other CPUs read all of this without a lock. So what is new is complete before a pointer or a bit
 * leads to it; what leaves is taken off all of these first, and its memory is given back when all
 * CPUs have answered since.
 */
#include "mm/buddy.h"
#include "mm/hotplug_parts.h"

/* A gib with bitmaps for all blocks of a GiB, and its place in a row of them. */
#define GIB_BYTES    (sizeof(struct gib) + BITMAP_BITS * sizeof(struct bitmap))

#define FRAMES(size) ((unsigned int)PFN_UP(size))

/* Returns whether a range has all of a GiB. */
static bool covers(const struct added_range *a, pfn_t gib)
{
	return a->start <= gib_pfn(gib) && a->end >= gib_pfn(gib + 1);
}

/* Return the numbers of the GiBs in which the range's first frame lies, and its last. */
static pfn_t first_gib(const struct added_range *a)
{
	return gib_of(a->start);
}

static pfn_t last_gib(const struct added_range *a)
{
	return gib_of(a->end - 1);
}

/* Return whether the range has only a part of these. Of one and the same, it is the first. */
static bool first_is_shared(const struct added_range *a)
{
	return !covers(a, first_gib(a));
}

static bool last_is_shared(const struct added_range *a)
{
	return last_gib(a) != first_gib(a) && !covers(a, last_gib(a));
}

/* Return the number of the first GiB of which the range has all, and the number after the last. */
static pfn_t first_whole(const struct added_range *a)
{
	return first_gib(a) + first_is_shared(a);
}

static pfn_t end_whole(const struct added_range *a)
{
	return last_gib(a) + !last_is_shared(a);
}

uint64_t zone_own_bytes(const struct added_range *a)
{
	return (end_whole(a) - first_whole(a)) * GIB_BYTES;
}

static void *take(uint64_t size)
{
	phys_addr_t phys = hotplug_take_frames(FRAMES(size));

	return phys ? phys_to_virt(phys) : NULL;
}

/* Makes the zone's shelf number i, if it has none. Returns whether it has one now. */
static bool make_shelf(struct zone *z, pfn_t i)
{
	struct shelf *shelf = z->shelf[i];

	if (shelf)
		return true;
	shelf = take(sizeof(*shelf));
	if (!shelf)
		return false;
	memset(shelf->set, 0, sizeof(shelf->set));
	__atomic_store_n(&z->shelf[i], shelf, __ATOMIC_RELEASE);
	return true;
}

/* Makes the owners of the shelf number i, if there are none. Returns whether there are now. */
static bool make_owners(pfn_t i)
{
	struct owners *owners = zone_owners[i];

	if (owners)
		return true;
	owners = take(sizeof(*owners));
	if (!owners)
		return false;
	memset(owners->gib, ZONE_NONE, sizeof(owners->gib));
	__atomic_store_n(&zone_owners[i], owners, __ATOMIC_RELEASE);
	return true;
}

/* Returns the Hotplug zone of a node, which is made if there is none; NULL without memory for it.
 */
static struct zone *make_zone(int nid)
{
	struct zone *z = node_zone(nid, ZONE_HOTPLUG);
	void *list = NULL;

	if (z != &no_zone)
		return z;
	z = take(sizeof(*z));
	if (z && !numa_has_list(nid) && !(list = take(PAGE_SIZE))) {
		hotplug_return_frames(virt_to_phys(z), FRAMES(sizeof(*z)));
		z = NULL;
	}
	if (!z)
		return NULL;
	zone_init(z, zone_number(nid, ZONE_HOTPLUG), 0);
	zone_publish(z);
	numa_add_zone(z, list);
	return z;
}

/* Takes what a GiB needs that the range shares. Returns false when that is not to be had. */
static bool prepare_gib(const struct zone *z, pfn_t gib, struct shared_gib *s)
{
	uint8_t owner = zone_owners[gib / BITMAP_BITS]->gib[gib % BITMAP_BITS];

	if (!zone_gib(z, gib_pfn(gib)) && !(s->gib = hotplug_take_frames(FRAMES(GIB_BYTES))))
		return false;
	if (owner == ZONE_NONE || owner == ZONE_MIXED || owner == z->id)
		return true;
	return (s->blocks = hotplug_take_frames(FRAMES(BITMAP_BITS)));
}

static void abandon_gib(const struct shared_gib *s)
{
	if (s->gib)
		hotplug_return_frames(s->gib, FRAMES(GIB_BYTES));
	if (s->blocks)
		hotplug_return_frames(s->blocks, FRAMES(BITMAP_BITS));
}

void zone_abandon(const struct shared_gibs *shared)
{
	abandon_gib(&shared->first);
	abandon_gib(&shared->last);
}

int zone_prepare(const struct added_range *a, struct shared_gibs *shared)
{
	struct zone *z = make_zone(a->nid);

	*shared = (struct shared_gibs){ 0 };
	if (!z)
		return -ENOMEM;
	for (pfn_t i = a->start >> SHELF_ORDER; i <= (a->end - 1) >> SHELF_ORDER; i++)
		if (!make_shelf(z, i) || !make_owners(i))
			return -ENOMEM;
	if ((first_is_shared(a) && !prepare_gib(z, first_gib(a), &shared->first)) ||
	    (last_is_shared(a) && !prepare_gib(z, last_gib(a), &shared->last))) {
		zone_abandon(shared);
		return -ENOMEM;
	}
	return 0;
}

/* Makes memory a gib of the zone. */
static void put_gib(struct zone *z, pfn_t gib, phys_addr_t memory)
{
	z->shelf[gib / BITMAP_BITS]->gib[gib % BITMAP_BITS] = phys_to_virt(memory);
	gibs_set(z, GIBS_EXIST, gib);
}

/* Returns the byte of zone_owners[] of a GiB. */
static uint8_t *owner_of(pfn_t gib)
{
	return &zone_owners[gib / BITMAP_BITS]->gib[gib % BITMAP_BITS];
}

static void own(uint8_t *byte, unsigned int number)
{
	__atomic_store_n(byte, (uint8_t)number, __ATOMIC_RELEASE);
}

/* Returns whether a zone has RAM in the GiB, by memblock. */
static bool has_ram_in(const struct zone *z, pfn_t gib)
{
	pfn_t from, to;
	int i;

	for_each_zone_pfn_range(i, z, &from, &to)
		if (from < gib_pfn(gib + 1) && to > gib_pfn(gib))
			return true;
	return false;
}

/* Makes a GiB that is one zone's a shared one. blocks is memory for its bytes. */
static void share(pfn_t gib, uint8_t *blocks)
{
	const struct zone *z = state_zones[*owner_of(gib)];
	pfn_t from, to;
	int i;

	memset(blocks, ZONE_NONE, BITMAP_BITS);
	for_each_zone_pfn_range(i, z, &from, &to) {
		pfn_t pfn = run_start(from > gib_pfn(gib) ? from : gib_pfn(gib), BLOCK_ORDER);

		for (; pfn < to && pfn < gib_pfn(gib + 1); pfn += BLOCK_FRAMES)
			blocks[block_of(pfn)] = z->id;
	}
	zone_owners[gib / BITMAP_BITS]->block[gib % BITMAP_BITS] = blocks;
	own(owner_of(gib), ZONE_MIXED);
}

/* Gives the blocks [from, to) of one GiB to a zone, or to none. */
static void own_blocks_of(pfn_t from, pfn_t to, unsigned int number)
{
	const struct owners *owners = zone_owners[from >> SHELF_ORDER];
	uint8_t *blocks = owners->block[gib_of(from) % BITMAP_BITS];

	for (pfn_t pfn = from; pfn < to; pfn += BLOCK_FRAMES)
		own(&blocks[block_of(pfn)], number);
}

/* Makes the frames [from, to), a part of a GiB, RAM of the zone. */
static void gain_part(struct zone *z, pfn_t from, pfn_t to, const struct shared_gib *s)
{
	pfn_t gib = gib_of(from);

	if (s->gib)
		put_gib(z, gib, s->gib);
	if (s->blocks)
		share(gib, phys_to_virt(s->blocks));
	if (*owner_of(gib) == ZONE_MIXED)
		own_blocks_of(from, to, z->id);
	else
		own(owner_of(gib), z->id);
}

/* Returns where the part of [pfn, end) that lies in pfn's GiB ends. */
static pfn_t end_in_gib(pfn_t pfn, pfn_t end)
{
	pfn_t next = run_start(pfn, GIB_ORDER) + GIB_FRAMES;

	return next < end ? next : end;
}

/* Sets where the zone's RAM begins and ends, by memblock. */
static void set_span(struct zone *z)
{
	pfn_t from, to, first = 0, last = 0;
	int i;

	for_each_zone_pfn_range(i, z, &from, &to) {
		first = last ? first : from;
		last = to;
	}
	z->start_pfn = first;
	__atomic_store_n(&z->end_pfn, last, __ATOMIC_RELAXED);
}

void zone_gain(const struct added_range *a, const struct shared_gibs *shared)
{
	struct zone *z = node_zone(a->nid, ZONE_HOTPLUG);
	phys_addr_t memory = a->gibs;
	bool first = !z->present;

	if (first_is_shared(a))
		gain_part(z, a->start, end_in_gib(a->start, a->end), &shared->first);
	for (pfn_t gib = first_whole(a); gib < end_whole(a); gib++, memory += GIB_BYTES) {
		put_gib(z, gib, memory);
		own(owner_of(gib), z->id);
	}
	if (last_is_shared(a))
		gain_part(z, gib_pfn(last_gib(a)), a->end, &shared->last);
	z->present += a->end - a->start;
	set_span(z);
	if (first)
		numa_set_homes();
}

/* Clears the bits of the blocks [from, to) of one gib, in a bitmap that others change meanwhile. */
static void clear_blocks(struct bitmap *bitmap, pfn_t from, pfn_t to)
{
	for (pfn_t block = block_of(from), end = block_of(to - 1) + 1, next; block < end;
	     block = next) {
		uint64_t bits = BITMAP_WORD_FULL << block % BITMAP_WORD_FRAMES & BITMAP_WORD_FULL;

		next = run_start(block, BITMAP_WORD_SHIFT) + BITMAP_WORD_FRAMES;
		if (next > end)
			bits &= BITMAP_WORD_FULL >> (next - end);
		bitmap_and_not(&bitmap->word[block / 64], bits);
	}
}

/* Takes the blocks [from, to) off all bitmaps of their gib, which stays. */
static void forget_blocks(struct zone *z, pfn_t from, pfn_t to)
{
	struct gib *g = gib_at(z, gib_of(from));

	if (!gibs_test(z, GIBS_KNOWN, gib_of(from)))
		return;
	clear_blocks(&g->free, from, to);
	clear_blocks(&g->open, from, to);
	clear_blocks(&g->head, from, to);
	clear_blocks(&g->clean, from, to);
	for (unsigned int k = 0; k < BITMAP_SHIFT; k++) {
		clear_blocks(&g->index[k], from, to);
		if (bitmap_empty(&g->index[k]) && gibs_test(z, GIBS_INDEX(k), gib_of(from)))
			gibs_clear(z, GIBS_INDEX(k), gib_of(from));
		if (!bitmap_empty(&g->index[k])) /* L2 */
			gibs_set(z, GIBS_INDEX(k), gib_of(from));
	}
	if (bitmap_empty(&g->free) && gibs_test(z, GIBS_INDEX(BLOCK_ORDER), gib_of(from)))
		buddy_lower(z, from, 0, LEVEL_GIB);
}

/* Takes a gib off all sets: EXIST is the last, as it has the highest number. */
static void forget_gib(struct zone *z, pfn_t gib)
{
	for (unsigned int set = 0; set < NR_GIB_SETS; set++)
		if (gibs_test(z, set, gib))
			gibs_clear(z, set, gib);
}
_Static_assert(GIBS_EXIST == NR_GIB_SETS - 1, "forget_gib() takes a gib off this set last");

/* Makes what names a block or gib of [from, to) name none. stays: the gib does. */
static void forget_names(struct zone *z, pfn_t from, pfn_t to, bool stays)
{
	for (unsigned int level = 0; level < 2; level++)
		if (z->idle[level] >= from && z->idle[level] < to && !(level && stays))
			__atomic_store_n(&z->idle[level], PFN_NONE, __ATOMIC_SEQ_CST);
	if (z->unmovable >= from && z->unmovable < to)
		__atomic_store_n(&z->unmovable, PFN_NONE, __ATOMIC_SEQ_CST);
}

/* Returns the only zone that has RAM in the GiB; &no_zone when none has; NULL when several have. */
static const struct zone *only_zone(pfn_t gib)
{
	const struct zone *only = &no_zone;

	for_each_zone(z) {
		if (!has_ram_in(z, gib))
			continue;
		if (only != &no_zone)
			return NULL;
		only = z;
	}
	return only;
}

/*
 * Takes the zone's blocks [from, to), a part of a GiB, off zone_owners[]. When only one zone is
 * left there, *s gets the memory for the bytes of its blocks.
 */
static void disown(pfn_t from, pfn_t to, bool stays, struct shared_gib *s)
{
	pfn_t gib = gib_of(from);
	const struct zone *only;

	if (*owner_of(gib) != ZONE_MIXED) {
		if (!stays)
			own(owner_of(gib), ZONE_NONE);
		return;
	}
	own_blocks_of(from, to, ZONE_NONE);
	only = only_zone(gib);
	if (!only)
		return;
	own(owner_of(gib), only->id);
	s->blocks = virt_to_phys(zone_owners[gib / BITMAP_BITS]->block[gib % BITMAP_BITS]);
}

/* Takes the frames [from, to), a part of a GiB or all of it, out of the zone. */
static void lose_part(struct zone *z, pfn_t from, pfn_t to, struct shared_gib *s)
{
	bool stays = has_ram_in(z, gib_of(from));
	struct gib *gib = gib_at(z, gib_of(from));
	unsigned long flags = port_lock_irqsave(&z->lock);

	buddy_begin(z);
	forget_names(z, from, to, stays);
	if (stays)
		forget_blocks(z, from, to);
	else
		forget_gib(z, gib_of(from));
	port_unlock_irqrestore(&z->lock, flags);
	if (!stays)
		s->gib = virt_to_phys(gib);
	disown(from, to, stays, s);
}

void zone_lose(const struct added_range *a, struct shared_gibs *shared)
{
	struct zone *z = node_zone(a->nid, ZONE_HOTPLUG);
	struct shared_gib whole; /* lies in the range */
	unsigned long flags;

	*shared = (struct shared_gibs){ 0 };
	if (first_is_shared(a))
		lose_part(z, a->start, end_in_gib(a->start, a->end), &shared->first);
	for (pfn_t gib = first_whole(a); gib < end_whole(a); gib++)
		lose_part(z, gib_pfn(gib), gib_pfn(gib + 1), &whole);
	if (last_is_shared(a))
		lose_part(z, gib_pfn(last_gib(a)), a->end, &shared->last);
	flags = port_lock_irqsave(&z->lock);
	z->present -= a->end - a->start;
	z->managed -= a->end_free - a->start;
	port_unlock_irqrestore(&z->lock, flags);
	set_span(z);
	if (!z->present)
		numa_set_homes();
}
