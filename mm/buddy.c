/*
 * buddy.c: what stands aside of buddy.h's way: nodes open and close, bounds go up and down, and
 * single frames move by words.
 *
 * A node that turns out not to hold what the index said is taken off the index (lowered), so that
 * no search meets it again before a free raises it. When no open node serves, the lowest whole
 * child of the level above is opened. A node that becomes whole stays open until another does (B5),
 * then it closes into one bit of its parent.
 */
#include "mm/buddy.h"

/*
 * The bounds lowered under one hold of the lock. Each costs a search of a node, about 220
 * instructions (`worst3.alloc`); without a limit an adversary who leaves many stale bounds makes
 * one call walk all of them.
 */
#define MAX_LOWERED 11

struct zone zones[STATE_ZONE_MASK + 1];

static pfn_t spot_pfn(const struct zone *z, struct spot s)
{
	return child_pfn(z, s, 0, 0);
}

/* B3, B4: index[k + 1] lies within index[k]. */
pfn_t buddy_lower(struct zone *z, pfn_t pfn, unsigned int k, unsigned int level)
{
	struct spot s = spot_at(z, pfn, level);

	for (; k < NODE_SHIFT; k++) {
		struct bitset *index = &z->index[level * BLOCK_ORDER + k];

		if (level ? !bitset_test(index, s.gib) : !node_test(&s.region->index[k], s.block))
			break;
		if (level || node_clear(&s.region->index[k], s.block))
			bitset_clear(index, s.gib);
	}
	return pfn;
}

/* The node holds a run of 2^k children. A whole node counts as two halves. */
static void raise(struct zone *z, pfn_t pfn, unsigned int k, unsigned int level)
{
	struct spot s = spot_at(z, pfn, level);

	for (k = k < NODE_SHIFT ? k + 1 : NODE_SHIFT; k--;) {
		struct bitset *index = &z->index[level * BLOCK_ORDER + k];

		if (level ? bitset_test(index, s.gib) : node_test(&s.region->index[k], s.block))
			return;
		if (!level)
			node_set(&s.region->index[k], s.block);
		bitset_set(index, s.gib);
	}
}

/* All of an open node is free. */
static void fill_node(struct zone *z, pfn_t pfn, unsigned int level)
{
	node_fill(spot_at(z, pfn, level).node, WORD_FULL);
	raise(z, pfn, NODE_SHIFT, level);
}

/* The descriptors of a block are zeroed once: from then on P2 keeps them so (zone.h). */
static void clean_block(struct region *region, unsigned int block, pfn_t pfn)
{
	if (node_test(&region->clean, block))
		return;
	memset(pfn_to_page(pfn), 0, BLOCK_FRAMES * sizeof(struct page));
	node_set(&region->clean, block);
}

/* Memory for regions comes unwritten: what is read before it is written would be a stranger's. */
static void write_header(struct zone *z, struct region *region, pfn_t gib)
{
	if (bitset_test(&z->known, gib))
		return;
	memset(region, 0, sizeof(*region));
	bitset_set(&z->known, gib);
}

void buddy_open_region(struct zone *z, pfn_t pfn)
{
	struct spot s = spot_at(z, pfn, 1);

	if (bitset_test(&z->open, s.gib))
		return;
	write_header(z, s.region, s.gib);
	bitset_set(&z->open, s.gib);
	node_fill(s.node, 0);
}

void buddy_open_block(struct zone *z, pfn_t pfn)
{
	struct spot s = spot_at(z, pfn, 0);

	buddy_open_region(z, pfn);
	clean_block(s.region, s.block, pfn);
	node_set(&s.region->open, s.block);
	node_fill(s.node, 0);
}

void buddy_open_allocated(struct zone *z, pfn_t pfn, unsigned int order)
{
	buddy_unmark(z, pfn, order);
	for (pfn_t end = pfn + ((pfn_t)1 << order); pfn < end; pfn += BLOCK_FRAMES)
		buddy_open_block(z, pfn);
}

/* A whole node becomes one bit of its parent. */
static void close_node(struct zone *z, pfn_t pfn, unsigned int level)
{
	struct spot s = spot_at(z, pfn, level);

	buddy_lower(z, pfn, 0, level);
	if (level) {
		bitset_clear(&z->open, s.gib);
		bitset_set(&z->free, s.gib);
	} else {
		node_clear(&s.region->open, s.block);
		buddy_put(z, pfn, BLOCK_ORDER);
	}
}

/*
 * The node that B5 kept open, if it still is whole, becomes available to the level above. It is
 * open: nothing else closes nodes.
 */
static bool close_idle(struct zone *z, unsigned int level)
{
	pfn_t pfn = z->idle[level];

	z->idle[level] = PFN_NONE;
	if (pfn == PFN_NONE || !node_whole(spot_at(z, pfn, level).node))
		return false;
	close_node(z, pfn, level);
	return true;
}

/*
 * Of whole nodes the last stays open (B5). The one kept open comes here again only when it has all
 * of its children back at once, from a batch: a node of one word, which are those of test builds.
 */
bool buddy_completed(struct zone *z, pfn_t pfn, unsigned int level)
{
	struct spot s = spot_at(z, pfn, level);
	unsigned int k = node_run_order(s.node, child_of(pfn, level));

	raise(z, pfn, k, level);
	if (k == NODE_SHIFT && z->idle[level] != spot_pfn(z, s)) {
		close_idle(z, level);
		z->idle[level] = spot_pfn(z, s);
	}
	return true;
}

void buddy_put(struct zone *z, pfn_t pfn, unsigned int order)
{
	put(z, pfn, order);
}

static pfn_t take_region(struct zone *z)
{
	pfn_t gib = bitset_first(&z->free);

	if (gib == BITSET_NONE)
		return PFN_NONE;
	bitset_clear(&z->free, gib);
	return (z->first_gib + gib) << REGION_ORDER;
}

static pfn_t take_block(struct zone *z);

/* The lowest whole child of the level above gets a node of its own, all of it free. */
static pfn_t open_whole(struct zone *z, unsigned int level)
{
	pfn_t pfn = level ? take_region(z) : take_block(z);

	if (pfn == PFN_NONE)
		return PFN_NONE;
	if (level)
		buddy_open_region(z, pfn);
	else
		buddy_open_block(z, pfn);
	fill_node(z, pfn, level);
	return pfn;
}

/* The lowest run of 2^k children, of an open node or of one that is opened for it. */
for_level pfn_t take_searching(struct zone *z, unsigned int k, unsigned int level, bool head)
{
	unsigned int lowered;
	struct spot s;
	pfn_t pfn;

	for (lowered = 0; lowered < MAX_LOWERED && find_open(z, k, level, &s); lowered++) {
		unsigned int child = node_find_run(s.node, k);

		if (child != NODE_NONE)
			return take_run(z, s, child, k, level, head);
		buddy_lower(z, spot_pfn(z, s), k, level);
	}
	pfn = open_whole(z, level);
	if (pfn == PFN_NONE)
		return lowered == MAX_LOWERED ? PFN_AGAIN : PFN_NONE;
	return take_run(z, spot_at(z, pfn, level), 0, k, level, head);
}

/* A block, to be opened. Its bound is exact: the first that may have one has. */
static pfn_t take_block(struct zone *z)
{
	pfn_t pfn;

	do
		pfn = take_searching(z, 0, 1, false);
	while (pfn == PFN_NONE && close_idle(z, 0));
	return pfn;
}

static pfn_t take_region_head(struct zone *z)
{
	pfn_t pfn = take_region(z);

	if (pfn != PFN_NONE)
		bitset_set(&z->head, gib_of(z, pfn));
	return pfn;
}

/* A whole node that B5 keeps open may be what orders 9 and up miss. */
pfn_t buddy_take_other(struct zone *z, unsigned int order)
{
	pfn_t pfn;

	if (order < BLOCK_ORDER)
		return take_searching(z, order, 0, true);
	do
		pfn = order < REGION_ORDER ? take_searching(z, order - BLOCK_ORDER, 1, true)
					   : take_region_head(z);
	while (pfn == PFN_NONE &&
	       (close_idle(z, 0) || (order == REGION_ORDER && close_idle(z, 1))));
	return pfn;
}

/* Nodes that one batch may empty: each costs as much as a search. */
#define MAX_BATCH_NODES 8

static uint64_t lowest_bits(uint64_t word, unsigned int n)
{
	uint64_t rest = word;

	while (n--)
		rest &= rest - 1;
	return word ^ rest;
}

/*
 * The node's lowest frames. False when the batch has all that it is going to get: if it has some,
 * it ends before it would cut a whole word.
 */
static bool take_words(struct node *node, pfn_t first, struct frame_batch *b)
{
	for (unsigned int i = 0; i < NODE_WORDS; i++) {
		uint64_t bits = node->word[i];
		unsigned int left = b->want - b->nr_frames;
		unsigned int weight;

		if (!bits)
			continue;
		if (!left || b->nr_words == MAX_BATCH_WORDS ||
		    (bits == ~0ull && left < 64 && b->nr_frames))
			return false;
		weight = bits == ~0ull ? 64 : word_weight(bits);
		if (weight > left) {
			bits = lowest_bits(bits, left);
			weight = left;
		}
		node->word[i] ^= bits;
		b->word[b->nr_words++] = (struct frame_word){ first + (pfn_t)64 * i, bits };
		b->nr_frames += weight;
	}
	return b->nr_frames < b->want;
}

void buddy_take_words(struct zone *z, struct frame_batch *b)
{
	bool more = true;

	for (unsigned int nodes = 0; more && nodes < MAX_BATCH_NODES; nodes++) {
		struct spot s;

		if (!find_open(z, 0, 0, &s)) {
			pfn_t pfn = b->nr_frames ? PFN_NONE : open_whole(z, 0);

			if (pfn == PFN_NONE)
				break;
			s = spot_at(z, pfn, 0);
		}
		more = take_words(s.node, spot_pfn(z, s), b);
		if (node_empty(s.node))
			buddy_lower(z, spot_pfn(z, s), 0, 0);
	}
}

void buddy_put_word(struct zone *z, const struct frame_word *w)
{
	struct spot s = spot_at(z, w->first, 0);
	uint64_t *word = &s.node->word[child_of(w->first, 0) / 64];

	if (*word & w->bits)
		panic("frame 0x%llx is free already",
		      (unsigned long long)w->first +
			  (unsigned int)__builtin_ctzll(*word & w->bits));
	*word |= w->bits;
	if (*word != WORD_FULL) {
		if (!is_indexed(z, s, WORD_SHIFT - 1, 0))
			raise(z, w->first, word_run_order(*word), 0);
	} else if (full_word_counts(z, s, child_of(w->first, 0), 0)) {
		buddy_completed(z, w->first, 0);
	}
}

/* The frame is free: makes sure that it is a bit of an open block, and clears that bit. */
void buddy_take_at(struct zone *z, pfn_t pfn)
{
	struct spot s = spot_at(z, pfn, 1);
	struct spot in = spot_at(z, pfn, 0);

	if (bitset_test(&z->free, s.gib)) {
		bitset_clear(&z->free, s.gib);
		buddy_open_region(z, pfn);
		fill_node(z, pfn, 1);
	}
	if (node_test(&s.region->free, in.block)) {
		take_run(z, s, in.block, 0, 1, false);
		buddy_open_block(z, spot_pfn(z, in));
		fill_node(z, pfn, 0);
	}
	take_run(z, in, child_of(pfn, 0), 0, 0, false);
}

struct region *zone_region(const struct zone *z, pfn_t pfn)
{
	pfn_t gib = pfn >> REGION_ORDER;

	if (gib < z->first_gib || gib - z->first_gib >= z->nr_regions)
		return NULL;
	return z->dir[gib - z->first_gib];
}
