/*
 * node.c: finding runs of set bits in a node.
 */
#include "mm/node.h"

/* Bit i of run_starts[k]: i is a multiple of 2^k. */
static const uint64_t run_starts[6] = {
	0xffffffffffffffff, 0x5555555555555555, 0x1111111111111111,
	0x0101010101010101, 0x0001000100010001, 0x0000000100000001,
};

/* The starts of the aligned runs of 2^k set bits in a word, k < 6. */
static inline uint64_t runs_in_word(uint64_t word, unsigned int k)
{
	/* After step s a bit says that it and the 2^(s+1) - 1 bits above it were set. */
	for (unsigned int s = 0; s < k; s++)
		word &= word >> (1u << s);
	return word & run_starts[k];
}

unsigned int word_run_order(uint64_t word)
{
	unsigned int k = 0;

	while (k < WORD_SHIFT) {
		word &= word >> (1u << k);
		word &= k + 1 < 6 ? run_starts[k + 1] : 1;
		if (!word)
			break;
		k++;
	}
	return k;
}

/* A word's worth of children and more: the lowest run of whole words. */
static unsigned int find_words(const struct node *node, unsigned int words)
{
	for (unsigned int i = 0; i < NODE_WORDS; i += words) {
		uint64_t all = WORD_FULL;

		for (unsigned int j = 0; j < words; j++)
			all &= node->word[i + j];
		if (all == WORD_FULL)
			return 64 * i;
	}
	return NODE_NONE;
}

unsigned int node_find_run(const struct node *node, unsigned int k)
{
	if (k >= WORD_SHIFT)
		return find_words(node, 1u << (k - WORD_SHIFT));
	for (unsigned int i = 0; i < NODE_WORDS; i++) {
		uint64_t runs = node->word[i];

		if (runs)
			runs = runs_in_word(runs, k);
		if (runs)
			return 64 * i + (unsigned int)__builtin_ctzll(runs);
	}
	return NODE_NONE;
}

/*
 * Within a word: the aligned run of 2^k around child ends before the next clear bit on either side.
 * It does not reach a bit at `other` as long as k is at most the highest bit in which child and
 * other differ.
 */
static unsigned int order_in_word(uint64_t word, unsigned int child)
{
	uint64_t clear = ~word & (NODE_BITS < 64 ? WORD_FULL : ~0ull);
	uint64_t below = clear & ((1ull << child) - 1);
	uint64_t above = clear & ~((2ull << child) - 1);
	unsigned int k = WORD_SHIFT;

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

unsigned int node_run_order(const struct node *node, unsigned int child)
{
	unsigned int k = order_in_word(node->word[child / 64], child % 64);

	if (k < WORD_SHIFT)
		return k;
	if (node_whole(node))
		return NODE_SHIFT;
	for (unsigned int words = 2; words <= NODE_WORDS; words *= 2, k++) {
		/* The other half of the run twice as long; this half is known to be set. */
		unsigned int other = (child / 64 ^ words / 2) & ~(words / 2 - 1);

		for (unsigned int i = 0; i < words / 2; i++)
			if (node->word[other + i] != WORD_FULL)
				return k;
	}
	return NODE_SHIFT;
}
