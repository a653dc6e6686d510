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
		uint64_t runs = runs_in_word(node->word[i], k);

		if (runs)
			return 64 * i + (unsigned int)__builtin_ctzll(runs);
	}
	return NODE_NONE;
}

unsigned int node_run_order(const struct node *node, unsigned int child, unsigned int k)
{
	uint64_t word = node->word[child / 64];

	for (; k < WORD_SHIFT; k++) {
		uint64_t pair = run_mask(child & ~((2u << k) - 1), k + 1);

		if ((word & pair) != pair)
			return k;
	}
	for (; k < NODE_SHIFT; k++) {
		unsigned int words = 2u << (k - WORD_SHIFT);
		unsigned int first = child / 64 & ~(words - 1);

		for (unsigned int i = 0; i < words; i++)
			if (node->word[first + i] != WORD_FULL)
				return k;
	}
	return NODE_SHIFT;
}
