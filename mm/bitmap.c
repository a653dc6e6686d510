/*
 * node.c: finding runs of set bits in a node.
 */
#include "mm/bitmap.h"

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

unsigned int node_run_order(const struct node *node, unsigned int child)
{
	uint64_t word = node->word[child / 64];
	unsigned int k = WORD_SHIFT;

	if (word != WORD_FULL)
		return word_order_at(word, child % 64);
	for (unsigned int words = 2; words <= NODE_WORDS; words *= 2, k++) {
		/* The other half of the run twice as long; this half is known to be set. */
		unsigned int other = (child / 64 ^ words / 2) & ~(words / 2 - 1);

		for (unsigned int i = 0; i < words / 2; i++)
			if (node->word[other + i] != WORD_FULL)
				return k;
	}
	return NODE_SHIFT;
}
