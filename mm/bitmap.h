/* SPDX-License-Identifier: MIT */
/*
 * bitmap.h: 512 bits, one for each child, that say "this child is free". Private to mm/, but for
 * tests.
 *
 *   word[0] .. word[7]: bit i of word w is child 64w + i.
 *
 * A free run of order k (0 to 9 within a bitmap) is an aligned run of 2^k set bits. Setting bits
 * merges buddies, clearing them splits; there are no lists, and no buddies to look for. The same
 * code serves a block's bitmap, whose children are frames, and a gib's, whose children are blocks.
 * Tests build with a smaller MM_BITMAP_SHIFT; a bitmap then lies in the low bits of one word.
 *
 * "Child" is a child's number in its bitmap, less than BITMAP_BITS. A run is named by its first
 * child, a multiple of 2^k, and its order k.
 *
 * Nothing here takes a lock, and other CPUs may set bits at any time (zone.h says which bitmaps
 * those are). Each word is therefore read in one piece, and changed by atomic OR and AND, unless no
 * other CPU can change it. Reads and atomic changes are sequentially consistent: they happen in one
 * order, the same for all CPUs. A function that looks at several words sees each at a moment of its
 * own.
 */
#ifndef MM_BITMAP_H
#define MM_BITMAP_H

#include "mm/port.h"

#define BITMAP_SHIFT       MM_BITMAP_SHIFT
#define BITMAP_BITS        (1u << BITMAP_SHIFT)
#define BITMAP_WORDS       ((BITMAP_BITS + 63) / 64)
#define BITMAP_WORD_SHIFT  (BITMAP_SHIFT < 6 ? BITMAP_SHIFT : 6) /* the order of a full word */
#define BITMAP_WORD_FRAMES ((pfn_t)1 << BITMAP_WORD_SHIFT)
#define BITMAP_WORD_FULL   (BITMAP_BITS < 64 ? (1ull << BITMAP_BITS % 64) - 1 : ~0ull)
MM_STATIC_ASSERT(MM_BITMAP_SHIFT >= 2 && MM_BITMAP_SHIFT <= 9, "a bitmap is at most a cache line");

/*
 * Marks a function that is inlined wherever it is called, so that an argument that is a constant
 * there (the level, mostly) leaves no branch behind. `make coverage`, which counts branches, sets
 * it otherwise.
 */
#ifndef mm_always_inline
#define mm_always_inline static inline __attribute__((__always_inline__))
#endif

#define BITMAP_NONE (~0u) /* no such child */

struct bitmap {
	uint64_t word[BITMAP_WORDS];
};

/*
 * Writes a word that no other CPU changes meanwhile. A reader that sees it sees what was written
 * before it as well.
 */
static inline void bitmap_write(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline uint64_t bitmap_read(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/* Sets the bits in a word. Returns the word as it was before. */
static inline uint64_t bitmap_or(uint64_t *word, uint64_t bits)
{
	return __atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
}

/* Clears the bits in a word. Returns whether the word is 0 now. */
static inline bool bitmap_and_not(uint64_t *word, uint64_t bits)
{
	return !__atomic_and_fetch(word, ~bits, __ATOMIC_SEQ_CST);
}

static inline bool bitmap_test(const struct bitmap *bitmap, unsigned int child)
{
	MM_ASSERT(child < BITMAP_BITS);
	return (bitmap_read(&bitmap->word[child / 64]) >> (child % 64)) & 1;
}

static inline void bitmap_set(struct bitmap *bitmap, unsigned int child)
{
	MM_ASSERT(child < BITMAP_BITS);
	bitmap_or(&bitmap->word[child / 64], 1ull << (child % 64));
}

/* Clears a child. Returns whether its word is 0 now: otherwise the bitmap is not empty. */
static inline bool bitmap_clear(struct bitmap *bitmap, unsigned int child)
{
	MM_ASSERT(child < BITMAP_BITS);
	return bitmap_and_not(&bitmap->word[child / 64], 1ull << (child % 64));
}

/*
 * Set and clear a child of a bitmap that no other CPU changes meanwhile: for a processor a plain
 * write is far less work than an atomic change.
 */
static inline void bitmap_set_alone(struct bitmap *bitmap, unsigned int child)
{
	uint64_t *word = &bitmap->word[child / 64];

	MM_ASSERT(child < BITMAP_BITS);
	bitmap_write(word, bitmap_read(word) | 1ull << (child % 64));
}

static inline void bitmap_clear_alone(struct bitmap *bitmap, unsigned int child)
{
	uint64_t *word = &bitmap->word[child / 64];

	MM_ASSERT(child < BITMAP_BITS);
	bitmap_write(word, bitmap_read(word) & ~(1ull << (child % 64)));
}

/* Sets every word to word: 0 or BITMAP_WORD_FULL. No other CPU changes the bitmap meanwhile. */
static inline void bitmap_fill(struct bitmap *bitmap, uint64_t word)
{
	for (unsigned int i = 0; i < BITMAP_WORDS; i++)
		bitmap_write(&bitmap->word[i], word);
}

/* Runs the body for each word i. Unrolled: the loops are short and on every hot path. */
#define for_each_bitmap_word _Pragma("GCC unroll 8") for (unsigned int i = 0; i < BITMAP_WORDS; i++)

/* Looks at the highest word alone first: what is free lies there, because the lowest is taken. */
static inline bool bitmap_empty(const struct bitmap *bitmap)
{
	uint64_t any = 0;

	if (bitmap_read(&bitmap->word[BITMAP_WORDS - 1]))
		return false;
	for_each_bitmap_word any |= bitmap_read(&bitmap->word[i]);
	return !any;
}

/* Looks at the highest word first: where memory was reserved at its end, that one is not full. */
static inline bool bitmap_full(const struct bitmap *bitmap)
{
	for_each_bitmap_word if (bitmap_read(&bitmap->word[BITMAP_WORDS - 1 - i]) !=
				 BITMAP_WORD_FULL) return false;
	return true;
}

/* Returns the lowest set child, or BITMAP_NONE. */
static inline unsigned int bitmap_first(const struct bitmap *bitmap)
{
	for_each_bitmap_word
	{
		uint64_t word = bitmap_read(&bitmap->word[i]);

		if (word)
			return 64 * i + (unsigned int)__builtin_ctzll(word);
	}
	return BITMAP_NONE;
}

/* Returns the highest set child, or BITMAP_NONE. No other CPU changes the bitmap meanwhile. */
static inline unsigned int bitmap_last(const struct bitmap *bitmap)
{
	for (unsigned int i = BITMAP_WORDS; i--;)
		if (bitmap->word[i])
			return 64 * i + 63 - (unsigned int)__builtin_clzll(bitmap->word[i]);
	return BITMAP_NONE;
}

/* Returns the number of set bits: by pairs, fours and bytes (Warren, Hacker's Delight, 5-1). */
static inline unsigned int bitmap_word_weight(uint64_t word)
{
	word -= word >> 1 & 0x5555555555555555;
	word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (unsigned int)(word * 0x0101010101010101 >> 56);
}

static inline unsigned int bitmap_weight(const struct bitmap *bitmap)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < BITMAP_WORDS; i++)
		n += bitmap_word_weight(bitmap_read(&bitmap->word[i]));
	return n;
}

/* The lowest 2^k bits of a word, for k < 6. */
static const uint64_t bitmap_run_bits[] = { 0x1, 0x3, 0xf, 0xff, 0xffff, 0xffffffff };

/* Returns the bits, in child's word, of the run of 2^k children at child; k < 6. */
static inline uint64_t bitmap_run_mask(unsigned int child, unsigned int k)
{
	return bitmap_run_bits[k] << (child % 64);
}

/* Returns whether child and k name an aligned run in a bitmap. All functions on runs demand it. */
static inline bool bitmap_is_run(unsigned int child, unsigned int k)
{
	return k <= BITMAP_SHIFT && child < BITMAP_BITS && !(child & ((1u << k) - 1));
}

/* Writes the words of a run of 2^k children, which takes all of each: two by two, if not alone. */
static inline void bitmap_write_words(uint64_t *word, unsigned int k, uint64_t value)
{
	bitmap_write(word, value);
	if (k == BITMAP_WORD_SHIFT)
		return;
	bitmap_write(word + 1, value);
	for (uint64_t *end = word + (1u << (k - BITMAP_WORD_SHIFT)); (word += 2) < end;) {
		bitmap_write(word, value);
		bitmap_write(word + 1, value);
	}
}

/* Sets the run of 2^k children at child. */
static inline void bitmap_set_run(struct bitmap *bitmap, unsigned int child, unsigned int k)
{
	MM_ASSERT(bitmap_is_run(child, k));
	if (k < BITMAP_WORD_SHIFT)
		bitmap_or(&bitmap->word[child / 64], bitmap_run_mask(child, k));
	else
		bitmap_write_words(&bitmap->word[child / 64], k, BITMAP_WORD_FULL);
}

/*
 * Clears the run of 2^k children at child, which are all set: so no other CPU changes the words of
 * which the run takes all. Returns whether child's word is 0 now.
 */
static inline bool bitmap_clear_run(struct bitmap *bitmap, unsigned int child, unsigned int k)
{
	MM_ASSERT(bitmap_is_run(child, k));
	if (k < BITMAP_WORD_SHIFT)
		return bitmap_and_not(&bitmap->word[child / 64], bitmap_run_mask(child, k));
	bitmap_write_words(&bitmap->word[child / 64], k, 0);
	return true;
}

/* Returns whether any of the run's children is set. */
static inline bool bitmap_any_run(const struct bitmap *bitmap, unsigned int child, unsigned int k)
{
	uint64_t any = 0;

	MM_ASSERT(bitmap_is_run(child, k));
	if (k < BITMAP_WORD_SHIFT)
		return bitmap_read(&bitmap->word[child / 64]) & bitmap_run_mask(child, k);
	for (unsigned int i = 0; i < 1u << (k - BITMAP_WORD_SHIFT); i++)
		any |= bitmap_read(&bitmap->word[child / 64 + i]);
	return any;
}

/* Returns whether all of the run's children are set. */
static inline bool bitmap_all_run(const struct bitmap *bitmap, unsigned int child, unsigned int k)
{
	unsigned int words = k < BITMAP_WORD_SHIFT ? 1 : 1u << (k - BITMAP_WORD_SHIFT);
	uint64_t mask = k < BITMAP_WORD_SHIFT ? bitmap_run_mask(child, k) : BITMAP_WORD_FULL;

	for (unsigned int i = 0; i < words; i++)
		if (~bitmap_read(&bitmap->word[child / 64 + i]) & mask)
			return false;
	return true;
}

/* Returns whether the run of 2^k children around child is full, given that child's word is. */
static inline bool bitmap_run_full(const struct bitmap *bitmap, unsigned int child, unsigned int k)
{
	unsigned int words = k < BITMAP_WORD_SHIFT ? 1 : 1u << (k - BITMAP_WORD_SHIFT);
	const uint64_t *word = &bitmap->word[child / 64 & ~(words - 1)];

	while (words--)
		if (bitmap_read(word++) != BITMAP_WORD_FULL)
			return false;
	return true;
}

/* Bit i of bitmap_run_starts[k]: i is a multiple of 2^k. */
static const uint64_t bitmap_run_starts[6] = {
	0xffffffffffffffff, 0x5555555555555555, 0x1111111111111111,
	0x0101010101010101, 0x0001000100010001, 0x0000000100000001,
};

/* Returns the first bits of all aligned runs of 2^k set bits in a word, k < 6. */
static inline uint64_t bitmap_runs_in_word(uint64_t word, unsigned int k)
{
	/* After each step a bit says that it and the next 1, 3, 7, … above it were set. */
	switch (k) {
	case 5:
		word &= word >> 16;
		__attribute__((__fallthrough__));
	case 4:
		word &= word >> 8;
		__attribute__((__fallthrough__));
	case 3:
		word &= word >> 4;
		__attribute__((__fallthrough__));
	case 2:
		word &= word >> 2;
		__attribute__((__fallthrough__));
	case 1:
		word &= word >> 1;
	}
	return word & bitmap_run_starts[k];
}

/* Returns the lowest aligned run of so many full words, a constant, or BITMAP_NONE. */
mm_always_inline unsigned int bitmap_find_full(const struct bitmap *bitmap, unsigned int words)
{
	for (unsigned int i = 0; i + words <= BITMAP_WORDS; i += words) {
		uint64_t all = BITMAP_WORD_FULL;

		_Pragma("GCC unroll 8") for (unsigned int j = 0; j < words; j++) all &=
		    bitmap_read(&bitmap->word[i + j]);
		if (all == BITMAP_WORD_FULL)
			return 64 * i;
	}
	return BITMAP_NONE;
}

/* Returns the lowest aligned run of 2^k set bits that is one word or more, or BITMAP_NONE. */
mm_always_inline unsigned int bitmap_find_words(const struct bitmap *bitmap, unsigned int k)
{
	switch (k - BITMAP_WORD_SHIFT) {
	case 0:
		return bitmap_find_full(bitmap, 1);
	case 1:
		return bitmap_find_full(bitmap, 2);
	case 2:
		return bitmap_find_full(bitmap, 4);
	default:
		return bitmap_find_full(bitmap, 8);
	}
}

/* Returns the lowest aligned run of 2^k set bits, or BITMAP_NONE. */
mm_always_inline unsigned int bitmap_find_run(const struct bitmap *bitmap, unsigned int k)
{
	if (k >= BITMAP_WORD_SHIFT)
		return bitmap_find_words(bitmap, k);
	for (unsigned int i = 0; i < BITMAP_WORDS; i++) {
		uint64_t runs = bitmap_read(&bitmap->word[i]);

		if (runs && (runs = bitmap_runs_in_word(runs, k)))
			return 64 * i + (unsigned int)__builtin_ctzll(runs);
	}
	return BITMAP_NONE;
}

/*
 * Returns the order of the largest aligned run of set bits in a word that contains child, a set
 * bit. Such a run ends before the next clear bit on either side: the run of 2^k around child does
 * not reach bit `other` as long as k is at most the highest bit in which child and other differ.
 */
static inline unsigned int bitmap_word_order_at(uint64_t word, unsigned int child)
{
	uint64_t clear = ~word & (BITMAP_BITS < 64 ? BITMAP_WORD_FULL : ~0ull);
	uint64_t below = clear & ((1ull << child) - 1);
	uint64_t above = clear & ~((2ull << child) - 1);
	unsigned int k = BITMAP_WORD_SHIFT;

	if (below)
		k = 31 - (unsigned int)__builtin_clz(child ^
						     (63 - (unsigned int)__builtin_clzll(below)));
	if (above) {
		unsigned int up =
		    31 - (unsigned int)__builtin_clz(child ^ (unsigned int)__builtin_ctzll(above));

		k = up < k ? up : k;
	}
	return k;
}

/* Returns the order of the largest aligned run of set bits that contains child, a set bit. */
MM_INTERNAL unsigned int bitmap_run_order(const struct bitmap *bitmap, unsigned int child);

/* Returns the same, given that all of child's word is set. */
MM_INTERNAL unsigned int bitmap_words_order_at(const struct bitmap *bitmap, unsigned int child);

/* Returns the order of the largest aligned run of set bits in a word that is not 0. */
MM_INTERNAL unsigned int bitmap_word_run_order(uint64_t word);

#endif
