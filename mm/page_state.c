/* SPDX-License-Identifier: MIT */
/*
 * page_state.c: what a frame is, found from the bits down. The descriptor of a frame that one does
 * not hold is read here alone, and only where the bits say that it means something. zone.h has the
 * rules for readers without the lock.
 */
#include "mm/page_state.h"

#include "mm/shelf.h"

/* Where in its zone's metadata a frame is found. */
enum where {
	NOWHERE,     /* no gib, or neither whole, open nor allocated: memblock knows */
	GIB_FREE,    /* in a whole gib */
	GIB_HEAD,    /* in a gib that is one allocation */
	BLOCK_FREE,  /* in a whole block */
	BLOCK_OPEN,  /* in an open block */
	BLOCK_OTHER, /* in any other block: under a head of order 9 to 17, or reserved */
};

/*
 * Returns the word that has the bit of a child. Bitmaps that lie side by side, from *bitmap on, are
 * one long bitmap: the child may be any that they have a bit for.
 */
static inline const uint64_t *word_of(const struct bitmap *bitmap, pfn_t child)
{
	return (const uint64_t *)bitmap + child / BITMAP_WORD_FRAMES;
}

/* Returns whether the bit of a child is set; the bitmap may be written meanwhile. */
static inline bool sees(const struct bitmap *bitmap, pfn_t child)
{
	return bitmap_read(word_of(bitmap, child)) >> (child % BITMAP_WORD_FRAMES) & 1;
}

/* Returns a copy of a bitmap that may be written meanwhile. */
static struct bitmap copy_of(const struct bitmap *bitmap)
{
	struct bitmap copy;

	for (unsigned int i = 0; i < BITMAP_WORDS; i++)
		copy.word[i] = bitmap_read(&bitmap->word[i]);
	return copy;
}

static enum where locate(const struct zone *z, const struct gib *g, pfn_t pfn)
{
	pfn_t gib = gib_of(pfn);

	if (!g)
		return NOWHERE;
	if (gibs_test(z, GIBS_FREE, gib))
		return GIB_FREE;
	if (gibs_test(z, GIBS_HEAD, gib))
		return GIB_HEAD;
	if (!gibs_test(z, GIBS_OPEN, gib))
		return NOWHERE;
	if (sees(&g->free, block_of(pfn)))
		return BLOCK_FREE;
	return sees(&g->open, block_of(pfn)) ? BLOCK_OPEN : BLOCK_OTHER;
}

static const struct bitmap *block_bitmap(const struct gib *g, pfn_t pfn)
{
	return &g->block[block_of(pfn)];
}

/* Returns whether state is that of a head of this zone, of least_order or more. */
static bool is_head_from(uint64_t state, unsigned int zone, unsigned int least_order)
{
	unsigned int order = state_order(state);

	return order >= least_order && state_is_head(state, zone, order);
}

/* Finds, in an open block, the lowest k with a head of order k or more at run_start(pfn, k). */
static struct page *head_in_block(const struct zone *z, pfn_t pfn)
{
	for (unsigned int k = 0; k < BLOCK_ORDER; k++) {
		struct page *head = pfn_to_page(run_start(pfn, k));

		if (is_head_from(state_read(head), z->id, k))
			return head;
	}
	return NULL;
}

/* The same for orders 9 to 17. Only the descriptors of blocks that the gib marks are read. */
static struct page *head_of_blocks(const struct zone *z, const struct gib *g, pfn_t pfn)
{
	for (unsigned int k = BLOCK_ORDER; k < GIB_ORDER; k++) {
		pfn_t first = run_start(pfn, k);
		struct page *head = pfn_to_page(first);

		if (sees(&g->head, block_of(first)) && is_head_from(state_read(head), z->id, k))
			return head;
	}
	return NULL;
}

struct page *page_head(pfn_t pfn)
{
	const struct zone *z;
	const struct gib *g;

	if (pfn >= MM_MAX_PFN)
		return NULL;
	z = pfn_zone(pfn);
	g = zone_gib(z, pfn);
	switch (locate(z, g, pfn)) {
	case GIB_HEAD:
		return pfn_to_page(run_start(pfn, GIB_ORDER));
	case BLOCK_OPEN:
		if (sees(block_bitmap(g, pfn), frame_of(pfn)))
			return NULL;
		return head_in_block(z, pfn);
	case BLOCK_OTHER:
		return head_of_blocks(z, g, pfn);
	default: /* free, or nowhere */
		return NULL;
	}
}

/* Returns whether a frame that is neither free nor allocated is in a frame cache (C1). */
static bool is_cached(pfn_t pfn)
{
	const struct zone *z = pfn_zone(pfn);
	const struct gib *g = zone_gib(z, pfn);

	switch (locate(z, g, pfn)) {
	case BLOCK_OPEN:
		return !state_read(pfn_to_page(pfn));
	case BLOCK_OTHER:
		return sees(&g->head, block_of(pfn)) &&
		       !state_read(pfn_to_page(run_start(pfn, BLOCK_ORDER)));
	default:
		return false;
	}
}

enum page_state page_state(pfn_t pfn)
{
	pfn_t end;

	if (pfn >= MM_MAX_PFN)
		return PAGE_ABSENT;
	if (free_span(pfn, &end))
		return PAGE_FREE;
	if (page_head(pfn))
		return PAGE_ALLOCATED;
	if (is_cached(pfn))
		return PAGE_FREE;
	return pfn_valid(pfn) ? PAGE_RESERVED : PAGE_ABSENT;
}

const char *page_state_name(enum page_state state)
{
	static const char *const names[] = { "absent", "reserved", "free", "allocated" };

	return names[state];
}

static pfn_t next_multiple(pfn_t pfn, pfn_t size)
{
	return (pfn | (size - 1)) + 1;
}

/*
 * Finds the run of equal bits in a block's bitmap from pfn on, to the end of the block at most.
 * word has pfn's bit, and is read once: read again it might be another.
 */
static bool bit_span(const uint64_t *word, pfn_t pfn, pfn_t *end)
{
	uint64_t bits = bitmap_read(word);
	bool set = bits >> (pfn % BITMAP_WORD_FRAMES) & 1;
	uint64_t skip = set ? BITMAP_WORD_FULL : 0;
	uint64_t other = (bits ^ skip) & BITMAP_WORD_FULL << (pfn % BITMAP_WORD_FRAMES);

	pfn = run_start(pfn, BITMAP_WORD_SHIFT);
	while (!other) {
		pfn += BITMAP_WORD_FRAMES;
		if (!(pfn % BLOCK_FRAMES)) {
			*end = pfn;
			return set;
		}
		other = bitmap_read(++word) ^ skip;
	}
	*end = pfn + (pfn_t)__builtin_ctzll(other);
	return set;
}

bool free_span(pfn_t pfn, pfn_t *end)
{
	unsigned int order;
	const struct zone *z = zone_around(pfn, &order);
	const struct gib *g = zone_gib(z, pfn);
	enum where where = locate(z, g, pfn);

	if (where == BLOCK_OPEN)
		return bit_span(word_of(g->block, pfn % GIB_FRAMES), pfn, end);
	/* In a GiB that several zones share, only the block is known to be this one's. */
	*end = next_multiple(pfn, where < BLOCK_FREE ? (pfn_t)1 << order : BLOCK_FRAMES);
	return where == GIB_FREE || where == BLOCK_FREE;
}

/* Returns where the last RAM of all zones ends. */
static pfn_t last_end(void)
{
	pfn_t end = 0;

	for_each_zone(z)
		if (z->end_pfn > end)
			end = z->end_pfn;
	return end;
}

/* Returns the word with pfn's bit in the bitmap of its block, or NULL when that is not open. */
static inline const uint64_t *open_word(pfn_t pfn)
{
	const struct zone *z = pfn_zone(pfn);
	const struct gib *g;

	if (z == &no_zone || !gibs_test(z, GIBS_OPEN, gib_of(pfn)))
		return NULL;
	g = gib_at(z, gib_of(pfn));
	if (!sees(&g->open, block_of(pfn)))
		return NULL;
	return word_of(g->block, pfn % GIB_FRAMES);
}

/* Finds a free range by steps of one span each. */
__attribute__((noinline)) static bool find_range(pfn_t *start, pfn_t *end)
{
	pfn_t limit = last_end();
	pfn_t pfn = *start;
	pfn_t next;

	while (pfn < limit && !free_span(pfn, &next))
		pfn = next;
	if (pfn >= limit)
		return false;
	*start = pfn;
	do /* from what was seen free: asked again it might not be */
		pfn = next;
	while (pfn < limit && free_span(pfn, &next));
	*end = pfn;
	return true;
}

/* Finds a free range that ends where its word ends, or that begins in a later word. */
__attribute__((noinline)) static bool find_further(const uint64_t *word, pfn_t *start, pfn_t *end)
{
	pfn_t from = *start, to;

	if (!bit_span(word, from, &from)) {
		if (!(from % BLOCK_FRAMES))
			return find_range(start, end);
		word += from / BITMAP_WORD_FRAMES - *start / BITMAP_WORD_FRAMES;
	} else {
		from = *start;
	}
	if (!bit_span(word, from, &to) || !(to % BLOCK_FRAMES))
		return find_range(start, end);
	*start = from;
	*end = to;
	return true;
}

/*
 * Where memory is scattered, most ranges begin and end in the word that has the bit of *start.
 * Adding a range's lowest bit carries through it, to the bit behind its end.
 */
bool next_free_range(pfn_t *start, pfn_t *end)
{
	pfn_t pfn = *start, first = run_start(pfn, BITMAP_WORD_SHIFT);
	const uint64_t *word = open_word(pfn);
	uint64_t bits, behind;

	if (!word)
		return find_range(start, end);
	bits = bitmap_read(word) & ~0ull << (pfn % BITMAP_WORD_FRAMES);
	behind = (bits + (bits & -bits)) & BITMAP_WORD_FULL;
	if (!behind)
		return find_further(word, start, end);
	*start = first + (pfn_t)__builtin_ctzll(bits);
	*end = first + (pfn_t)__builtin_ctzll(behind);
	return true;
}

/* Returns the bitmap of the open block that begins at pfn, if it ends by end; else NULL. */
static const struct bitmap *open_block(pfn_t pfn, pfn_t end)
{
	const struct zone *z = pfn_zone(pfn);
	const struct gib *g = zone_gib(z, pfn);

	if (pfn % BLOCK_FRAMES || end - pfn < BLOCK_FRAMES || locate(z, g, pfn) != BLOCK_OPEN)
		return NULL;
	return block_bitmap(g, pfn);
}

uint64_t nr_free_in_range(pfn_t start, pfn_t end)
{
	uint64_t nr = 0;
	pfn_t next;

	for (pfn_t pfn = start; pfn < end; pfn = next) {
		const struct bitmap *bitmap = open_block(pfn, end);
		bool set;

		if (bitmap) {
			struct bitmap copy = copy_of(bitmap);

			nr += bitmap_weight(&copy);
			next = pfn + BLOCK_FRAMES;
			continue;
		}
		set = free_span(pfn, &next);
		if (next > end)
			next = end;
		nr += set ? next - pfn : 0;
	}
	return nr;
}

static unsigned int clean_blocks(const struct gib *g)
{
	struct bitmap clean = copy_of(&g->clean);

	return bitmap_weight(&clean);
}

uint64_t mem_map_touched(void)
{
	uint64_t blocks = 0;

	for_each_zone(z)
		for_each_gib(z, gib)
			if (gibs_test(z, GIBS_KNOWN, gib))
				blocks += clean_blocks(gib_at(z, gib));
	return blocks * BLOCK_FRAMES * sizeof(struct page);
}

/* Adds the number of a bitmap's largest aligned runs of each order to counts[]. */
static void count_runs(const struct bitmap *bitmap, uint64_t *counts)
{
	for (unsigned int child = 0; child < BITMAP_BITS;) {
		unsigned int k;

		if (!bitmap->word[child / 64]) {
			child = (child | 63) + 1;
			continue;
		}
		if (!bitmap_test(bitmap, child)) {
			child++;
			continue;
		}
		k = bitmap_run_order(bitmap, child);
		counts[k]++;
		child += 1u << k;
	}
}

/* Adds the free runs of a gib to counts. An open block that is full (B5) counts as one block. */
static void count_gib(const struct gib *g, uint64_t counts[NR_ORDERS])
{
	struct bitmap free = copy_of(&g->free), open = copy_of(&g->open);

	for (unsigned int block = 0; block < BITMAP_BITS; block++) {
		struct bitmap frames;

		if (!bitmap_test(&open, block))
			continue;
		frames = copy_of(&g->block[block]);
		if (bitmap_full(&frames))
			bitmap_set(&free, block);
		else
			count_runs(&frames, counts);
	}
	count_runs(&free, counts + BLOCK_ORDER);
}

void zone_free_blocks(const struct zone *z, uint64_t counts[NR_ORDERS])
{
	memset(counts, 0, NR_ORDERS * sizeof(*counts));
	for_each_gib(z, gib) {
		if (gibs_test(z, GIBS_FREE, gib))
			counts[GIB_ORDER]++;
		else if (gibs_test(z, GIBS_OPEN, gib))
			count_gib(gib_at(z, gib), counts);
	}
}
