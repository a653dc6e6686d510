/* SPDX-License-Identifier: MIT */
/*
 * shelf.h: the sets of gibs that a zone keeps, in its shelves and their tops. Private to mm/.
 *
 * A gib is named by its number, which is the number of its GiB: gib_of(). Where a zone has no RAM
 * it has no shelf: most functions here are for gibs that exist, zone_gib() for any.
 * Finding the lowest gib of a set reads the top and one bitmap. Changing a set is atomic, and other
 * CPUs may do so at any time: zone.h says which sets those are.
 */
#ifndef MM_SHELF_H
#define MM_SHELF_H

#include "mm/zone.h"

#define GIB_NONE (~(pfn_t)0) /* no such gib */

/* Returns the word that has the gib's bit. */
mm_always_inline uint64_t *gibs_word(const struct zone *z, unsigned int set, pfn_t gib)
{
	return &z->shelf[gib / BITMAP_BITS]->set[set].word[gib % BITMAP_BITS / 64];
}

mm_always_inline bool gibs_test(const struct zone *z, unsigned int set, pfn_t gib)
{
	return bitmap_read(gibs_word(z, set, gib)) >> (gib % BITMAP_WORD_FRAMES) & 1;
}

/* Returns the zone's gib of that number, which exists. */
mm_always_inline struct gib *gib_at(const struct zone *z, pfn_t gib)
{
	return z->shelf[gib / BITMAP_BITS]->gib[gib % BITMAP_BITS];
}

/* Returns the zone's part of the GiB that the frame lies in, or NULL when it has no RAM there. */
static inline struct gib *zone_gib(const struct zone *z, pfn_t pfn)
{
	const struct shelf *shelf =
	    pfn >> SHELF_ORDER < NR_SHELVES ? z->shelf[pfn >> SHELF_ORDER] : NULL;

	if (!shelf || !bitmap_test(&shelf->set[GIBS_EXIST], gib_of(pfn) % BITMAP_BITS))
		return NULL;
	return shelf->gib[gib_of(pfn) % BITMAP_BITS];
}

/* Sets or clears the top's bit of a shelf. */
static inline void gibs_top_set(struct zone *z, unsigned int set, unsigned int shelf)
{
	bitmap_or(&z->top[set][shelf / 64], 1ull << shelf % 64);
}

static inline void gibs_top_clear(struct zone *z, unsigned int set, unsigned int shelf)
{
	bitmap_and_not(&z->top[set][shelf / 64], 1ull << shelf % 64);
}

/* Adds a gib: first to the shelf's bitmap, then to the top. gibs_drop() relies on that order. */
static inline void gibs_set(struct zone *z, unsigned int set, pfn_t gib)
{
	bitmap_or(gibs_word(z, set, gib), 1ull << gib % BITMAP_WORD_FRAMES);
	gibs_top_set(z, set, (unsigned int)(gib / BITMAP_BITS));
}

/*
 * Clears the top's bit of a shelf in whose bitmap a word has become 0, if all of that is. Another
 * CPU may be adding a gib. If that CPU set the top's bit before this one clears it, it had set the
 * gib's before, and the look at the bitmap sees it. Otherwise the bit is set afterwards, and stays.
 */
static inline void gibs_drop(struct zone *z, unsigned int set, unsigned int shelf)
{
	gibs_top_clear(z, set, shelf);
	if (!bitmap_empty(&z->shelf[shelf]->set[set]))
		gibs_top_set(z, set, shelf);
}

static inline void gibs_clear(struct zone *z, unsigned int set, pfn_t gib)
{
	if (bitmap_and_not(gibs_word(z, set, gib), 1ull << gib % BITMAP_WORD_FRAMES))
		gibs_drop(z, set, (unsigned int)(gib / BITMAP_BITS));
}

/* Returns the lowest shelf that the top has a bit for, or BITMAP_NONE. */
mm_always_inline unsigned int gibs_first_shelf(const struct zone *z, unsigned int set)
{
	for (unsigned int i = 0; i < TOP_WORDS; i++) {
		uint64_t word = bitmap_read(&z->top[set][i]);

		if (word)
			return 64 * i + (unsigned int)__builtin_ctzll(word);
	}
	return BITMAP_NONE;
}

/*
 * Return the lowest gib of a set, and the highest, or GIB_NONE when it is empty. gibs_first()
 * returns that as well when the lowest bit of the top stands for an empty bitmap, as it may while
 * other CPUs add gibs. gibs_last() is for sets that no other CPU changes meanwhile.
 */
static inline pfn_t gibs_first(const struct zone *z, unsigned int set)
{
	unsigned int shelf = gibs_first_shelf(z, set), child;

	if (shelf == BITMAP_NONE)
		return GIB_NONE;
	child = bitmap_first(&z->shelf[shelf]->set[set]);
	return child == BITMAP_NONE ? GIB_NONE : shelf * (pfn_t)BITMAP_BITS + child;
}

/* Returns the gib that gibs_first() names, and sets *gib_nr to its number; or returns NULL. */
static inline struct gib *gibs_find(const struct zone *z, unsigned int set, pfn_t *gib_nr)
{
	unsigned int i = gibs_first_shelf(z, set), child;
	const struct shelf *shelf;

	if (i == BITMAP_NONE)
		return NULL;
	shelf = z->shelf[i];
	child = bitmap_first(&shelf->set[set]);
	if (child == BITMAP_NONE)
		return NULL;
	*gib_nr = i * (pfn_t)BITMAP_BITS + child;
	return shelf->gib[child];
}

static inline pfn_t gibs_last(const struct zone *z, unsigned int set)
{
	for (unsigned int i = TOP_WORDS; i--;) {
		uint64_t word = bitmap_read(&z->top[set][i]);
		unsigned int shelf = 64 * i + 63 - (unsigned int)__builtin_clzll(word | 1);

		if (word)
			return shelf * (pfn_t)BITMAP_BITS + bitmap_last(&z->shelf[shelf]->set[set]);
	}
	return GIB_NONE;
}

/* Returns the lowest gib of the zone from number gib on, or GIB_NONE. */
MM_INTERNAL pfn_t next_gib(const struct zone *z, pfn_t gib);

/* Runs the body for each gib of the zone, in rising order. */
#define for_each_gib(z, gib) \
	for (pfn_t gib = next_gib(z, 0); (gib) != GIB_NONE; (gib) = next_gib(z, (gib) + 1))

#endif
