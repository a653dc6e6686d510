/* SPDX-License-Identifier: MIT */
/*
 * check.c: mm_check() recomputes the invariants of zone.h and cache.h from what is true whatever
 * the allocator believes: memblock says what is RAM and what was reserved, the bits say what is
 * free, the descriptors say what heads an allocation. No count and no bound is trusted.
 *
 * Frames are walked one by one in open blocks only.
 */
#include "mm/check.h"

#include "mm/cache.h"
#include "mm/memblock.h"
#include "mm/shelf.h"

#define MAX_PRINTED 16

static unsigned long violations;

/* Reports a violation of the invariant, at the first frame of what is wrong. */
static void violated(const char *invariant, const struct zone *z, pfn_t pfn, const char *what)
{
	if (violations++ < MAX_PRINTED)
		port_log("mm_check: %s: zone %s, frame 0x%llx: %s\n", invariant, z->name,
			 (unsigned long long)pfn, what);
}

static void require(bool ok, const char *invariant, const struct zone *z, pfn_t pfn,
		    const char *what)
{
	if (!ok)
		violated(invariant, z, pfn, what);
}

static bool is_ram_to_hand_out(pfn_t pfn)
{
	return pfn_valid(pfn) && !memblock_is_region_reserved(PFN_PHYS(pfn), PAGE_SIZE);
}

/* Returns whether the regions of the type, taken together, cover all of [pfn, end). */
static bool covered(const struct memblock_type *type, pfn_t pfn, pfn_t end)
{
	phys_addr_t at = PFN_PHYS(pfn);

	for (unsigned long i = 0; i < type->cnt && at < PFN_PHYS(end); i++) {
		const struct memblock_region *r = &type->regions[i];

		if (r->base <= at && r->base + r->size > at)
			at = r->base + r->size;
	}
	return at >= PFN_PHYS(end);
}

/* Checks B2 for a run of free frames at once. */
static void check_free_run(const struct zone *z, pfn_t pfn, pfn_t end)
{
	require(!memblock_is_region_reserved(PFN_PHYS(pfn), PFN_PHYS(end - pfn)), "B2", z, pfn,
		"a free frame is reserved in memblock");
	require(covered(&memblock.memory, pfn, end), "B2", z, pfn, "a free frame is not RAM");
}

/* Returns the number of memblock's region before the first that ends above pfn; -1: none is. */
static int region_before(pfn_t pfn)
{
	unsigned long low = 0, high = memblock.memory.cnt;

	while (low < high) {
		unsigned long middle = (low + high) / 2;
		const struct memblock_region *region = &memblock.memory.regions[middle];

		if (region->base + region->size > PFN_PHYS(pfn))
			high = middle;
		else
			low = middle + 1;
	}
	return (int)low - 1;
}

/* Returns whether the zone has RAM in so many frames from pfn on. */
static bool has_ram(const struct zone *z, pfn_t pfn, pfn_t frames)
{
	int i = region_before(pfn);
	pfn_t from, to;

	do
		__next_zone_pfn_range(z, &i, &from, &to);
	while (i >= 0 && to <= pfn);
	return i >= 0 && from < pfn + frames;
}

/* Returns whether several zones have RAM in the GiB around pfn. */
static bool gib_is_shared(pfn_t pfn)
{
	unsigned int zones = 0;

	for_each_zone(z) {
		zones += has_ram(z, run_start(pfn, GIB_ORDER), GIB_FRAMES);
		if (zones > 1)
			return true;
	}
	return false;
}

/* Frames of a block, a gib or a zone by what they are. */
struct tally {
	uint64_t free;
	uint64_t allocated;
	uint64_t cached;
};

static void add_tally(struct tally *sum, const struct tally *part)
{
	sum->free += part->free;
	sum->allocated += part->allocated;
	sum->cached += part->cached;
}

/*
 * Checks a frame that is not free and not inside an allocation found before: it must be a head,
 * marked reserved, or cached. Returns how many frames it accounts for.
 */
static pfn_t check_used_frame(const struct zone *z, const struct bitmap *bitmap, pfn_t pfn,
			      struct tally *tally)
{
	uint64_t state = pfn_to_page(pfn)->state;
	unsigned int order = state_order(state);

	if (state == state_reserved(z->id)) {
		require(!is_ram_to_hand_out(pfn), "P4", z, pfn,
			"marked reserved, but memblock has it as free RAM");
		return 1;
	}
	require(is_ram_to_hand_out(pfn), "P4", z, pfn, "not marked, but memblock has it reserved");
	if (!state) {
		tally->cached++;
		return 1;
	}
	if (!state_is_head(state, z->id, order) || order >= BLOCK_ORDER ||
	    pfn != run_start(pfn, order)) {
		violated("P1", z, pfn, "neither free, nor in an allocation, nor reserved");
		return 1;
	}
	require(!bitmap_any_run(bitmap, frame_of(pfn), order), "P1", z, pfn,
		"part of an allocation is free");
	for (pfn_t i = 1; i < (pfn_t)1 << order; i++)
		require(!pfn_to_page(pfn + i)->state, "P2", z, pfn + i,
			"the state word inside an allocation is not zero");
	tally->allocated += (pfn_t)1 << order;
	return (pfn_t)1 << order;
}

static struct tally check_open_block(const struct zone *z, const struct gib *g, pfn_t first)
{
	const struct bitmap *bitmap = &g->block[block_of(first)];
	struct tally tally = { .free = 0 };

	for (pfn_t pfn = first; pfn < first + BLOCK_FRAMES;) {
		pfn_t n = 1;

		if (bitmap_test(bitmap, frame_of(pfn))) {
			require(is_ram_to_hand_out(pfn), "B2", z, pfn,
				"a free frame is reserved or not RAM");
			require(!pfn_to_page(pfn)->state, "P2", z, pfn,
				"the state word of a free frame is not zero");
			tally.free++;
		} else {
			n = check_used_frame(z, bitmap, pfn, &tally);
		}
		pfn += n;
	}
	return tally;
}

/* Checks B3 for one open bitmap. Bit k of held: the index holds it for runs of 2^k children. */
static void check_bounds(const struct zone *z, const struct bitmap *bitmap, pfn_t pfn,
			 uint32_t held)
{
	for (unsigned int k = 0; k < BITMAP_SHIFT; k++) {
		require(held >> k & 1 || bitmap_find_run(bitmap, k) == BITMAP_NONE, "B3", z, pfn,
			"an open block or gib has a run that the index does not know");
		require(!(held >> k & 1) || !k || held >> (k - 1) & 1, "B3", z, pfn,
			"the index holds a child for an order, but not for the one below");
	}
	require(!(held & 1) || !bitmap_empty(bitmap), "B3", z, pfn,
		"the index holds an open child in which nothing is free");
}

/* Checks the head of an allocation of order 9 to 17. Returns its blocks; 0 when it is no head. */
static unsigned int check_block_head(const struct zone *z, const struct gib *g, pfn_t pfn)
{
	uint64_t state = pfn_to_page(pfn)->state;
	unsigned int order = state_order(state);
	unsigned int block = block_of(pfn);
	unsigned int blocks;

	if (!state_is_head(state, z->id, order) || order < BLOCK_ORDER || order >= GIB_ORDER ||
	    pfn != run_start(pfn, order)) {
		violated("P1", z, pfn, "a block is marked as head, its descriptor says otherwise");
		return 0;
	}
	blocks = 1u << (order - BLOCK_ORDER);
	for (unsigned int i = 0; i < blocks; i++)
		require(!bitmap_test(&g->free, block + i) && !bitmap_test(&g->open, block + i) &&
			    (!i || !bitmap_test(&g->head, block + i)),
			"B1", z, pfn + i * BLOCK_FRAMES, "a block inside an allocation is in use");
	return blocks;
}

/* Checks that a block neither whole, open nor allocated has nothing to hand out (P1). */
static void check_other_block(const struct zone *z, pfn_t pfn)
{
	if (covered(&memblock.reserved, pfn, pfn + BLOCK_FRAMES))
		return;
	for (pfn_t i = 0; i < BLOCK_FRAMES; i++)
		if (is_ram_to_hand_out(pfn + i)) {
			violated("P1", z, pfn + i, "free RAM in a block that nobody has");
			return;
		}
}

/* Checks a block. *inside: how many blocks from here on are inside an allocation already met. */
static struct tally check_block(const struct zone *z, const struct gib *g, pfn_t pfn,
				unsigned int *inside)
{
	unsigned int block = block_of(pfn);
	bool free = bitmap_test(&g->free, block);
	bool open = bitmap_test(&g->open, block);
	uint32_t held = 0;

	require(free + open + bitmap_test(&g->head, block) <= 1, "B1", z, pfn,
		"a block is two of whole, open and head");
	for (unsigned int k = 0; k < BITMAP_SHIFT; k++)
		held |= (uint32_t)bitmap_test(&g->index[k], block) << k;
	require(open || !held, "B3", z, pfn, "the index holds a block that is not open");
	if (*inside) {
		--*inside;
		return (struct tally){ .allocated = BLOCK_FRAMES };
	}
	if (free) {
		check_free_run(z, pfn, pfn + BLOCK_FRAMES);
		return (struct tally){ .free = BLOCK_FRAMES };
	}
	if (open) {
		require(bitmap_test(&g->clean, block), "P3", z, pfn, "an open block is not clean");
		require(!bitmap_full(&g->block[block]) || z->idle[0] == pfn, "B5", z, pfn,
			"an open block is full and should have closed");
		require(pfn != z->unmovable || !held, "B3", z, pfn,
			"the index holds the unmovable block");
		if (pfn != z->unmovable)
			check_bounds(z, &g->block[block], pfn, held);
		return check_open_block(z, g, pfn);
	}
	if (bitmap_test(&g->head, block) && !pfn_to_page(pfn)->state)
		return (struct tally){ .cached = BLOCK_FRAMES };
	if (bitmap_test(&g->head, block)) {
		unsigned int blocks = check_block_head(z, g, pfn);

		*inside = blocks ? blocks - 1 : 0;
		return (struct tally){ .allocated = BLOCK_FRAMES };
	}
	check_other_block(z, pfn);
	return (struct tally){ .free = 0 };
}

/*
 * Checks that a block in which the zone has no RAM is none of what its gib can say of it. *inside
 * is as for check_block(): an allocation has no such block.
 */
static void check_foreign_block(const struct zone *z, const struct gib *g, pfn_t pfn,
				unsigned int inside)
{
	unsigned int block = block_of(pfn);
	bool known = bitmap_test(&g->free, block) || bitmap_test(&g->open, block) ||
		     bitmap_test(&g->head, block) || inside;

	for (unsigned int k = 0; k < BITMAP_SHIFT; k++)
		known |= bitmap_test(&g->index[k], block);
	require(!known, "B2", z, pfn, "a block without RAM of the zone is in use");
}

/* Checks an open gib: its blocks with RAM of the zone. */
static struct tally check_open_gib(const struct zone *z, const struct gib *g, pfn_t gib)
{
	pfn_t first = gib_pfn(gib);
	struct tally sum = { .free = 0 };
	unsigned int inside = 0;
	uint32_t held = 0;

	for (pfn_t pfn = first; pfn < first + GIB_FRAMES; pfn += BLOCK_FRAMES) {
		struct tally block;

		if (!has_ram(z, pfn, BLOCK_FRAMES)) {
			check_foreign_block(z, g, pfn, inside);
			continue;
		}
		block = check_block(z, g, pfn, &inside);
		add_tally(&sum, &block);
	}
	for (unsigned int k = 0; k < BITMAP_SHIFT; k++) {
		held |= (uint32_t)gibs_test(z, GIBS_INDEX(BLOCK_ORDER + k), gib) << k;
		require(gibs_test(z, GIBS_INDEX(k), gib) == !bitmap_empty(&g->index[k]), "B4", z,
			first, "the zone's index and the gib's differ");
	}
	require(!bitmap_full(&g->free) || z->idle[1] == first, "B5", z, first,
		"an open gib is full and should have closed");
	check_bounds(z, &g->free, first, held);
	return sum;
}

/* Checks that a gib neither whole, open nor allocated has nothing to hand out (P1). */
static void check_other_gib(const struct zone *z, pfn_t first)
{
	phys_addr_t from, to;
	uint64_t i;

	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_HOTPLUG, &from, &to, NULL) {
		pfn_t start = PFN_UP(from) > first ? PFN_UP(from) : first;
		pfn_t end = PFN_DOWN(to) < first + GIB_FRAMES ? PFN_DOWN(to) : first + GIB_FRAMES;

		for (; start < end; start = run_start(start, BLOCK_ORDER) + BLOCK_FRAMES)
			require(!has_ram(z, start, 1), "P1", z, start,
				"free RAM in a gib that nobody has");
	}
}

static struct tally check_gib(const struct zone *z, pfn_t gib)
{
	bool free = gibs_test(z, GIBS_FREE, gib);
	bool open = gibs_test(z, GIBS_OPEN, gib);
	bool head = gibs_test(z, GIBS_HEAD, gib);
	pfn_t pfn = gib_pfn(gib);

	require(free + open + head <= 1, "B1", z, pfn, "a gib is two of whole, open and head");
	if (open)
		return check_open_gib(z, gib_at(z, gib), gib);
	for (unsigned int k = 0; k < 2 * BITMAP_SHIFT; k++)
		require(!gibs_test(z, GIBS_INDEX(k), gib), "B3", z, pfn,
			"the index holds a gib that is not open");
	if (free) {
		check_free_run(z, pfn, pfn + GIB_FRAMES);
		return (struct tally){ .free = GIB_FRAMES };
	}
	if (head) {
		uint64_t state = pfn_to_page(pfn)->state;

		require(state_is_head(state, z->id, GIB_ORDER), "P1", z, pfn,
			"a gib is marked as head, its descriptor says otherwise");
		return (struct tally){ .allocated = GIB_FRAMES };
	}
	check_other_gib(z, pfn);
	return (struct tally){ .free = 0 };
}

/* Checks Z1 for a GiB in which the zone has RAM, or a part of it, [from, to). */
static void check_owner(const struct zone *z, pfn_t from, pfn_t to)
{
	const struct owners *owners = zone_owners[from >> SHELF_ORDER];
	unsigned int gib = (unsigned int)gib_of(from) % BITMAP_BITS;
	bool shared = gib_is_shared(from);

	require(zone_gib(z, from), "Z1", z, from, "a GiB with RAM has no gib");
	if (!owners) {
		violated("Z1", z, from, "a shelf with RAM has no owners");
		return;
	}
	require(owners->gib[gib] == (shared ? ZONE_MIXED : z->id), "Z1", z, from,
		"zone_owners[] gives a GiB to another zone");
	for (pfn_t pfn = run_start(from, BLOCK_ORDER); owners->gib[gib] == ZONE_MIXED && pfn < to;
	     pfn += BLOCK_FRAMES)
		require(owners->block[gib][block_of(pfn)] == z->id, "Z1", z, pfn,
			"zone_owners[] gives a block to another zone");
}

/* Checks Z1 and Z2 for the zone's RAM in memblock. */
static void check_ram(const struct zone *z)
{
	uint64_t present = 0;
	pfn_t from, to, first = 0, last = 0;
	int i;

	for_each_zone_pfn_range(i, z, &from, &to) {
		first = present ? first : from;
		last = to;
		present += to - from;
		for (pfn_t pfn = from, end; pfn < to; pfn = end) {
			end = run_start(pfn, GIB_ORDER) + GIB_FRAMES;
			end = end < to ? end : to;
			check_owner(z, pfn, end);
		}
	}
	require(present == z->present, "Z2", z, z->start_pfn, "present is not the RAM in memblock");
	require(first == z->start_pfn && last == z->end_pfn, "Z2", z, z->start_pfn,
		"the zone does not begin or end where its RAM does");
}

/* Returns whether a byte of zone_owners[] is ZONE_NONE, or names a zone that has RAM there. */
static bool owner_has_ram(uint8_t number, pfn_t pfn, pfn_t frames)
{
	return number == ZONE_NONE || has_ram(state_zones[number], pfn, frames);
}

/* Checks that each byte of zone_owners[] that names a zone has RAM of this zone (Z1). */
static void check_owners(const struct owners *owners, pfn_t first)
{
	for (unsigned int gib = 0; gib < BITMAP_BITS; gib++) {
		pfn_t pfn = first + gib * GIB_FRAMES;
		uint8_t number = owners->gib[gib];

		if (number != ZONE_MIXED) {
			require(owner_has_ram(number, pfn, GIB_FRAMES), "Z1", state_zones[number],
				pfn, "a GiB without RAM has an owner");
			continue;
		}
		require(gib_is_shared(pfn), "Z1", &no_zone, pfn,
			"zone_owners[] has a GiB as shared");
		for (unsigned int block = 0; block < BITMAP_BITS; block++, pfn += BLOCK_FRAMES) {
			number = owners->block[gib][block];
			require(owner_has_ram(number, pfn, BLOCK_FRAMES), "Z1", state_zones[number],
				pfn, "a block without RAM has an owner");
		}
	}
}

/* Returns how many runs of the order in a stack overlap [pfn, end). */
static uint64_t times_in(pfn_t pfn, pfn_t end, struct page *const *stack, uint64_t count,
			 unsigned int order)
{
	uint64_t times = 0;

	for (uint64_t i = 0; i < count; i++) {
		pfn_t other = page_to_pfn(stack[i]);

		times += other < end && pfn < other + ((pfn_t)1 << order);
	}
	return times;
}

/* Returns how many runs in the zone's caches of all CPUs overlap [pfn, end). */
static uint64_t times_cached(const struct zone *z, pfn_t pfn, pfn_t end)
{
	uint64_t times = 0;

	for_each_cache_cpu(cpu)
		for_each_cache_order(order) {
			struct frame_cache *cache = cache_of_zone(cpu, z, order);

			if (cache == &no_cache)
				continue;
			times += times_in(pfn, end, cache_pages(cache), cache->count, order) +
				 times_in(pfn, end, cache_out(cache), cache->nr_out, order);
		}
	return times;
}

static void check_stack(const struct zone *z, struct page *const *stack, uint64_t count,
			unsigned int order)
{
	for (uint64_t i = 0; i < count; i++) {
		pfn_t pfn = page_to_pfn(stack[i]);

		require(
		    !stack[i]->state && pfn_zone(pfn) == z && pfn == run_start(pfn, order), "C1", z,
		    pfn,
		    "a cached run is another zone's, or not aligned, or its state word is not zero");
		require(times_cached(z, pfn, pfn + ((pfn_t)1 << order)) == 1, "C1", z, pfn,
			"a frame is in a cache twice");
	}
}

/* Checks C3 for one CPU. */
static void check_table(const struct zone *z, unsigned int cpu)
{
	const struct cache_table *table = &frame_caches[cpu]->table;
	const struct frame_cache *cache = cache_of_zone(cpu, z, 0);

	for (unsigned int order = 1; order < CACHE_ORDERS; order++)
		require(table->for_order[order] == &no_cache ||
			    table->for_order[order] != cache_of_zone(cpu, z, order) ||
			    !zone_keep(z, GFP_KERNEL) || zone_spare(z, GFP_KERNEL),
			"C3", z, z->start_pfn,
			"a cache serves runs that the zone keeps from requests");
	for (gfp_t bits = 0; bits <= GFP_ZONE_BITS; bits++) {
		require(table->for_gfp[bits] != cache || cache == &no_cache ||
			    z->type <= gfp_type(bits),
			"C3", z, z->start_pfn,
			"a cache serves requests that may not have its memory");
		require(table->for_gfp[bits] != cache || cache == &no_cache ||
			    !zone_keep(z, bits) || zone_spare(z, bits),
			"C3", z, z->start_pfn,
			"a cache serves requests that the zone keeps frames from");
	}
}

/* Checks C1 and C2 for one cache. */
static void check_cache(const struct zone *z, struct frame_cache *cache, unsigned int order)
{
	if (cache->count > cache->limit || cache->limit > (order ? RUNS_MAX : CACHE_MAX) ||
	    cache->nr_out > cache->out_limit || cache->out_limit > (order ? RUNS_OUT : CACHE_OUT)) {
		violated("C2", z, z->start_pfn, "a cache holds more than its limit");
		return;
	}
	require(!cache->shut, "C2", z, z->start_pfn,
		"a cache is shut, although no request is made");
	check_stack(z, cache_pages(cache), cache->count, order);
	check_stack(z, cache_out(cache), cache->nr_out, order);
}

/* Checks C1, C2 and C3. found: the frames that the walk found to be nothing else than cached. */
static void check_caches(const struct zone *z, uint64_t found)
{
	for_each_cache_cpu(cpu) {
		for_each_cache_order(order)
			if (cache_of_zone(cpu, z, order) != &no_cache)
				check_cache(z, cache_of_zone(cpu, z, order), order);
		check_table(z, cpu);
	}
	require(found == cache_frames(z), "C1", z, z->start_pfn,
		"the frames that nobody has are not those in the caches");
}

/* Checks Z1 for a shelf, the zone's number i: each of its sets has only gibs that exist. */
static void check_shelf(const struct zone *z, unsigned int i)
{
	const struct shelf *shelf = z->shelf[i];

	for (unsigned int set = 0; set < NR_GIB_SETS; set++)
		for (unsigned int word = 0; word < BITMAP_WORDS; word++)
			require(!(shelf->set[set].word[word] & ~shelf->set[GIBS_EXIST].word[word]),
				"Z1", z, (pfn_t)i << SHELF_ORDER,
				"a gib that does not exist is in use");
}

/* Checks the zone's shelves, and B4 for the tops of its sets of gibs. */
static void check_shelves(const struct zone *z)
{
	uint64_t top[NR_GIB_SETS][TOP_WORDS] = { { 0 } };

	for (unsigned int i = 0; i < NR_SHELVES; i++) {
		if (!z->shelf[i])
			continue;
		check_shelf(z, i);
		for (unsigned int set = 0; set < NR_GIB_SETS; set++)
			top[set][i / 64] |= (uint64_t)!bitmap_empty(&z->shelf[i]->set[set])
					    << i % 64;
	}
	for (unsigned int set = 0; set < NR_GIB_SETS; set++)
		for (unsigned int word = 0; word < TOP_WORDS; word++)
			require(top[set][word] == z->top[set][word], "B4", z,
				(pfn_t)word * 64 << SHELF_ORDER,
				"the top of a set of gibs is wrong");
}

/* Returns whether the unmovable block is open, if there is one. */
static bool unmovable_is_open(const struct zone *z)
{
	pfn_t pfn = z->unmovable;

	if (pfn == PFN_NONE)
		return true;
	return zone_gib(z, pfn) && pfn == run_start(pfn, BLOCK_ORDER) &&
	       gibs_test(z, GIBS_OPEN, gib_of(pfn)) &&
	       bitmap_test(&zone_gib(z, pfn)->open, block_of(pfn));
}

static void check_zone(const struct zone *z)
{
	struct tally sum = { .free = 0 };

	check_ram(z);
	require(unmovable_is_open(z), "B3", z, z->start_pfn, "the unmovable block is not open");
	check_shelves(z);
	for_each_gib(z, gib) {
		struct tally part;

		if (!has_ram(z, gib_pfn(gib), GIB_FRAMES)) {
			violated("Z1", z, gib_pfn(gib), "a gib without RAM");
			continue;
		}
		part = check_gib(z, gib);
		add_tally(&sum, &part);
	}
	require(sum.free == z->nr_free, "B6", z, z->start_pfn, "nr_free is not the free frames");
	require(sum.free + sum.allocated + sum.cached == z->managed, "Z2", z, z->start_pfn,
		"managed is not the free, the allocated and the cached frames");
	check_caches(z, sum.cached);
}

/* Returns how far a zone is from a node; nothing is as near as a zone of the node itself. */
static unsigned int distance_of(int nid, const struct zone *z)
{
	return z->node == nid ? 0 : node_distance(nid, z->node);
}

/*
 * Returns whether the node of list[nr] has a zone of the same kind further up in the list, behind
 * which zones of other nodes follow. The kinds are Hotplug and all other memory.
 */
static bool node_was_left(const uint8_t *list, unsigned int nr)
{
	const struct zone *z = state_zones[list[nr]];

	for (unsigned int i = 0; i + 1 < nr; i++) {
		const struct zone *other = state_zones[list[i]];

		if (other->node == z->node && state_zones[list[nr - 1]]->node != z->node &&
		    (other->type == ZONE_HOTPLUG) == (z->type == ZONE_HOTPLUG))
			return true;
	}
	return false;
}

/*
 * Checks Z3 for the list of a node: each zone stands there once, none before one that should be
 * asked earlier, and a node's zones one after the other.
 */
static void check_list(int nid)
{
	const uint8_t *list = node_zonelists[nid];
	unsigned int nr = 0, zones = 0;

	for_each_zone(z)
		zones++;
	for (; nr < zones && list[nr] != ZONE_NONE; nr++) {
		const struct zone *z = state_zones[list[nr]];
		const struct zone *next = state_zones[list[nr + 1]];

		for (unsigned int i = 0; i < nr; i++)
			require(list[i] != list[nr], "Z3", z, z->start_pfn,
				"a zone is in a list twice");
		require(!node_was_left(list, nr), "Z3", z, z->start_pfn,
			"the zones of a node do not stand together");
		if (list[nr + 1] == ZONE_NONE)
			continue;
		if ((z->type == ZONE_HOTPLUG) != (next->type == ZONE_HOTPLUG))
			require(next->type == ZONE_HOTPLUG, "Z3", z, z->start_pfn,
				"memory that may leave is used too early");
		else if (z->node == next->node)
			require(z->type > next->type, "Z3", z, z->start_pfn,
				"the zones of a node are in the wrong order");
		else
			require(distance_of(nid, z) <= distance_of(nid, next), "Z3", z,
				z->start_pfn, "a node comes before a nearer one");
	}
	require(nr == zones && list[nr] == ZONE_NONE, "Z3", state_zones[list[0]], 0,
		"a list does not have all zones");
}

unsigned long mm_check(void)
{
	violations = 0;
	for_each_zone(z)
		check_zone(z);
	for (unsigned int i = 0; i < NR_SHELVES; i++)
		if (zone_owners[i])
			check_owners(zone_owners[i], (pfn_t)i << SHELF_ORDER);
	for_each_online_node(nid)
		check_list(nid);
	if (violations > MAX_PRINTED)
		port_log("mm_check: %lu violations, the first %u printed\n", violations,
			 MAX_PRINTED);
	return violations;
}
