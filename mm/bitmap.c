/* SPDX-License-Identifier: MIT */
#include "mm/bitmap.h"

unsigned int bitmap_word_run_order(uint64_t word)
{
	unsigned int k = 0;

	while (k < BITMAP_WORD_SHIFT) {
		word &= word >> (1u << k);
		word &= k + 1 < 6 ? bitmap_run_starts[k + 1] : 1;
		if (!word)
			break;
		k++;
	}
	return k;
}

unsigned int bitmap_words_order_at(const struct bitmap *bitmap, unsigned int child)
{
	unsigned int k = BITMAP_WORD_SHIFT;

	for (unsigned int words = 2; words <= BITMAP_WORDS; words *= 2, k++) {
		/* The other half of the run twice as long; this half is known to be set. */
		unsigned int other = (child / 64 ^ words / 2) & ~(words / 2 - 1);

		for (unsigned int i = 0; i < words / 2; i++)
			if (bitmap_read(&bitmap->word[other + i]) != BITMAP_WORD_FULL)
				return k;
	}
	return BITMAP_SHIFT;
}

/*
 * Returns the order of the largest aligned run of set bits in a word that contains child, a set
 * bit. Such a run ends before the next clear bit on either side: the run of 2^k around child does
 * not reach bit `other` as long as k is at most the highest bit in which child and other differ.
 */
static unsigned int word_order_at(uint64_t word, unsigned int child)
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

unsigned int bitmap_run_order(const struct bitmap *bitmap, unsigned int child)
{
	uint64_t word = bitmap_read(&bitmap->word[child / 64]);

	if (word != BITMAP_WORD_FULL)
		return word_order_at(word, child % 64);
	return bitmap_words_order_at(bitmap, child);
}
