/* SPDX-License-Identifier: MIT */
/*
 * page_state.c: what a frame is, found from the bits down. The descriptor of a frame that one does
 * not hold is read here alone, and only where the bits say that it means something. zone.h has the
 * rules for readers without the lock.
 */
#include "mm/page_state.h"

#include "mm/shelf.h"

/*
 * Gibs and descriptors leave with the memory that they describe (hotplug.h), after every CPU has
 * answered an interrupt. So they are read here with interrupts off, in steps that are short.
 */

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

static struct page *find_head(pfn_t pfn)
{
	const struct zone *z = pfn_zone(pfn);
	const struct gib *g = zone_gib(z, pfn);

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

struct page *page_head(pfn_t pfn)
{
	struct page *head = NULL;
	unsigned long flags;

	if (pfn >= MM_MAX_PFN)
		return NULL;
	flags = port_irq_save();
	head = find_head(pfn);
	port_irq_restore(flags);
	return head;
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
	enum page_state state;
	unsigned long flags;
	bool is_free;
	pfn_t end;

	if (pfn >= MM_MAX_PFN)
		return PAGE_ABSENT;
	flags = port_irq_save();
	is_free = free_span(pfn, &end);
	if (!is_free && find_head(pfn))
		state = PAGE_ALLOCATED;
	else if (is_free || is_cached(pfn))
		state = PAGE_FREE;
	else
		state = pfn_valid(pfn) ? PAGE_RESERVED : PAGE_ABSENT;
	port_irq_restore(flags);
	return state;
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
	unsigned long flags = port_irq_save();
	unsigned int order;
	const struct zone *z = zone_around(pfn, &order);
	const struct gib *g = zone_gib(z, pfn);
	enum where where = locate(z, g, pfn);
	bool free = where == GIB_FREE || where == BLOCK_FREE;

	/* In a GiB that several zones share, only the block is known to be this one's. */
	if (where == BLOCK_OPEN)
		free = bit_span(word_of(g->block, pfn % GIB_FRAMES), pfn, end);
	else
		*end = next_multiple(pfn, where < BLOCK_FREE ? (pfn_t)1 << order : BLOCK_FRAMES);
	port_irq_restore(flags);
	return free;
}

/* Returns where the last RAM of all zones ends. */
static pfn_t last_end(void)
{
	pfn_t end = 0;

	for_each_zone(z) {
		pfn_t last = __atomic_load_n(&z->end_pfn, __ATOMIC_RELAXED);

		if (last > end)
			end = last;
	}
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
__attribute__((__noinline__)) static bool find_range(pfn_t *start, pfn_t *end)
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

/*
 * Finds a free range that ends where its word ends, or that begins in a later word, if it ends
 * before its block does.
 */
static bool find_in_block(const uint64_t *word, pfn_t *start, pfn_t *end)
{
	pfn_t from = *start, to;

	if (!bit_span(word, from, &from)) {
		if (!(from % BLOCK_FRAMES))
			return false;
		word += from / BITMAP_WORD_FRAMES - *start / BITMAP_WORD_FRAMES;
	} else {
		from = *start;
	}
	if (!bit_span(word, from, &to) || !(to % BLOCK_FRAMES))
		return false;
	*start = from;
	*end = to;
	return true;
}

/*
 * Finds a free range that ends before its block does. Where memory is scattered, most ranges begin
 * and end in the word that has the bit of *start. Adding a range's lowest bit carries through it,
 * to the bit behind its end.
 */
static bool find_near(pfn_t *start, pfn_t *end)
{
	pfn_t pfn = *start, first = run_start(pfn, BITMAP_WORD_SHIFT);
	const uint64_t *word = open_word(pfn);
	uint64_t bits, behind;

	if (!word)
		return false;
	bits = bitmap_read(word) & ~0ull << (pfn % BITMAP_WORD_FRAMES);
	behind = (bits + (bits & -bits)) & BITMAP_WORD_FULL;
	if (!behind)
		return find_in_block(word, start, end);
	*start = first + (pfn_t)__builtin_ctzll(bits);
	*end = first + (pfn_t)__builtin_ctzll(behind);
	return true;
}

bool next_free_range(pfn_t *start, pfn_t *end)
{
	unsigned long flags = port_irq_save();
	bool found = find_near(start, end);

	port_irq_restore(flags);
	return found || find_range(start, end);
}

/* Returns how many frames are free in the block that begins at pfn, if it is open; else -1. */
static int free_in_open_block(pfn_t pfn)
{
	unsigned long flags = port_irq_save();
	const struct zone *z = pfn_zone(pfn);
	const struct gib *g = zone_gib(z, pfn);
	int nr = -1;

	if (locate(z, g, pfn) == BLOCK_OPEN) {
		struct bitmap copy = copy_of(block_bitmap(g, pfn));

		nr = (int)bitmap_weight(&copy);
	}
	port_irq_restore(flags);
	return nr;
}

uint64_t nr_free_in_range(pfn_t start, pfn_t end)
{
	uint64_t nr = 0;
	pfn_t next;

	for (pfn_t pfn = start; pfn < end; pfn = next) {
		bool block = !(pfn % BLOCK_FRAMES) && end - pfn >= BLOCK_FRAMES;
		int in_block = block ? free_in_open_block(pfn) : -1;
		bool set;

		if (in_block >= 0) {
			nr += (uint64_t)in_block;
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

/* Returns how many blocks of a gib are clean. */
static unsigned int clean_blocks(const struct zone *z, pfn_t gib)
{
	unsigned long flags = port_irq_save();
	const struct gib *g = zone_gib(z, gib_pfn(gib));
	unsigned int nr = 0;

	if (g && gibs_test(z, GIBS_KNOWN, gib)) {
		struct bitmap clean = copy_of(&g->clean);

		nr = bitmap_weight(&clean);
	}
	port_irq_restore(flags);
	return nr;
}

uint64_t mem_map_touched(void)
{
	uint64_t blocks = 0;

	for_each_zone(z)
		for_each_gib(z, gib)
			blocks += clean_blocks(z, gib);
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

/*
 * Copies the bitmap of a block, if it is open, and says in *whole whether the block is free: whole,
 * or open and full, as B5 allows. Returns whether there is anything to count in the copy.
 */
static bool copy_block(const struct zone *z, pfn_t pfn, struct bitmap *frames, bool *whole)
{
	unsigned long flags = port_irq_save();
	const struct gib *g = zone_gib(z, pfn);
	enum where where = locate(z, g, pfn);

	if (where == BLOCK_OPEN)
		*frames = copy_of(block_bitmap(g, pfn));
	port_irq_restore(flags);
	*whole = where == BLOCK_FREE || (where == BLOCK_OPEN && bitmap_full(frames));
	return where == BLOCK_OPEN && !*whole;
}

/* Adds the free runs of an open gib to counts. */
static void count_gib(const struct zone *z, pfn_t gib, uint64_t counts[NR_ORDERS])
{
	struct bitmap free, frames;

	bitmap_fill(&free, 0);
	for (unsigned int block = 0; block < BITMAP_BITS; block++) {
		bool whole;

		if (copy_block(z, gib_pfn(gib) + block * BLOCK_FRAMES, &frames, &whole))
			count_runs(&frames, counts);
		if (whole)
			bitmap_set(&free, block);
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
			count_gib(z, gib, counts);
	}
}
