/*
 * node.h: a node is 512 bits, "this child is free", and nothing else.
 *
 *   word[0] .. word[7], bit i of word w is child 64w + i.
 *
 * A free block of order k (0 .. 9 within a node) is an aligned run of 2^k set bits. Setting bits
 * merges, clearing them splits; there are no lists and no buddies to look for. The same code serves
 * a block's node (children: frames) and a region's (children: blocks). MM_NODE_SHIFT may be smaller
 * than 9 in tests: a node then lies in the low bits of one word.
 *
 * A bitset is as many nodes as it takes, under a top node that says which of them are not empty:
 * finding its lowest bit reads two nodes at most. It covers 512 * 512 children.
 */
#ifndef MM_NODE_H
#define MM_NODE_H

#include "mm/types.h"

#define NODE_SHIFT  MM_NODE_SHIFT
#define NODE_BITS   (1u << NODE_SHIFT)
#define NODE_WORDS  ((NODE_BITS + 63) / 64)
#define WORD_SHIFT  (NODE_SHIFT < 6 ? NODE_SHIFT : 6) /* order of one word's worth of children */
#define WORD_FRAMES ((pfn_t)1 << WORD_SHIFT)
#define WORD_FULL   (NODE_BITS < 64 ? (1ull << NODE_BITS % 64) - 1 : ~0ull)
_Static_assert(MM_NODE_SHIFT >= 2 && MM_NODE_SHIFT <= 9, "a node is at most a cache line");

#define NODE_NONE (~0u) /* no such child */

struct node {
	uint64_t word[NODE_WORDS];
};

static inline bool node_test(const struct node *node, unsigned int child)
{
	return (node->word[child / 64] >> (child % 64)) & 1;
}

static inline void node_set(struct node *node, unsigned int child)
{
	node->word[child / 64] |= 1ull << (child % 64);
}

static inline void node_fill(struct node *node, uint64_t word)
{
	for (unsigned int i = 0; i < NODE_WORDS; i++)
		node->word[i] = word;
}

/* Eight words in a row, without a loop's counting: these are on the way of every run. */
#define EACH_WORD _Pragma("GCC unroll 8") for (unsigned int i = 0; i < NODE_WORDS; i++)

static inline bool node_empty(const struct node *node)
{
	EACH_WORD
	if (node->word[i])
		return false;
	return true;
}

/* True when nothing is left: the other words are looked at only when this one is. */
static inline bool node_clear(struct node *node, unsigned int child)
{
	uint64_t word = node->word[child / 64] & ~(1ull << (child % 64));

	node->word[child / 64] = word;
	return !word && node_empty(node);
}

static inline bool node_whole(const struct node *node)
{
	EACH_WORD
	if (node->word[i] != WORD_FULL)
		return false;
	return true;
}

static inline unsigned int node_first(const struct node *node)
{
	EACH_WORD
	if (node->word[i])
		return 64 * i + (unsigned int)__builtin_ctzll(node->word[i]);
	return NODE_NONE;
}

/* Bits set, in steps of pairs, fours and bytes (Warren, Hacker's Delight, 5-1). */
static inline unsigned int word_weight(uint64_t word)
{
	word -= word >> 1 & 0x5555555555555555;
	word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (unsigned int)(word * 0x0101010101010101 >> 56);
}

static inline unsigned int node_weight(const struct node *node)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < NODE_WORDS; i++)
		n += word_weight(node->word[i]);
	return n;
}

/* The lowest 2^k bits, k < 6. */
static const uint64_t low_bits[] = { 0x1, 0x3, 0xf, 0xff, 0xffff, 0xffffffff };

/* The aligned run of 2^k children at child, less than a word's worth. */
static inline uint64_t run_mask(unsigned int child, unsigned int k)
{
	return low_bits[k] << (child % 64);
}

static inline void node_set_run(struct node *node, unsigned int child, unsigned int k)
{
	if (k < WORD_SHIFT)
		node->word[child / 64] |= run_mask(child, k);
	else
		for (unsigned int i = 0; i < 1u << (k - WORD_SHIFT); i++)
			node->word[child / 64 + i] = WORD_FULL;
}

static inline void node_clear_run(struct node *node, unsigned int child, unsigned int k)
{
	if (k < WORD_SHIFT)
		node->word[child / 64] &= ~run_mask(child, k);
	else
		for (unsigned int i = 0; i < 1u << (k - WORD_SHIFT); i++)
			node->word[child / 64 + i] = 0;
}

/* Whether any of the run's children is set. */
static inline bool node_any_run(const struct node *node, unsigned int child, unsigned int k)
{
	uint64_t any = 0;

	if (k < WORD_SHIFT)
		return node->word[child / 64] & run_mask(child, k);
	for (unsigned int i = 0; i < 1u << (k - WORD_SHIFT); i++)
		any |= node->word[child / 64 + i];
	return any;
}

/* Whether all of the aligned run of 2^k children around child are set; its own word is. */
static inline bool node_run_full(const struct node *node, unsigned int child, unsigned int k)
{
	unsigned int words = k < WORD_SHIFT ? 1 : 1u << (k - WORD_SHIFT);
	const uint64_t *word = &node->word[child / 64 & ~(words - 1)];

	while (words--)
		if (*word++ != WORD_FULL)
			return false;
	return true;
}

/* Bit i of run_starts[k]: i is a multiple of 2^k. */
static const uint64_t run_starts[6] = {
	0xffffffffffffffff, 0x5555555555555555, 0x1111111111111111,
	0x0101010101010101, 0x0001000100010001, 0x0000000100000001,
};

/* The starts of the aligned runs of 2^k set bits in a word, k < 6. */
static inline uint64_t runs_in_word(uint64_t word, unsigned int k)
{
	/* A bit goes on to say that it and all bits up to 2^k - 1 above it were set. */
	switch (k) {
	case 5:
		word &= word >> 16;
		__attribute__((fallthrough));
	case 4:
		word &= word >> 8;
		__attribute__((fallthrough));
	case 3:
		word &= word >> 4;
		__attribute__((fallthrough));
	case 2:
		word &= word >> 2;
		__attribute__((fallthrough));
	case 1:
		word &= word >> 1;
	}
	return word & run_starts[k];
}

/* A word's worth of children and more: the lowest run of whole words. */
static inline unsigned int find_words(const struct node *node, unsigned int words)
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

/* The lowest aligned run of 2^k set bits, or NODE_NONE. */
static inline unsigned int node_find_run(const struct node *node, unsigned int k)
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
 * The order of the largest aligned run in a word that contains child, which is set: the run of 2^k
 * around child ends before the next clear bit on either side. It does not reach a bit at `other` as
 * long as k is at most the highest bit in which child and other differ.
 */
static inline unsigned int word_order_at(uint64_t word, unsigned int child)
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

/* The order of the largest aligned run of set bits that contains child, which is set. */
unsigned int node_run_order(const struct node *node, unsigned int child);

/* The order of the longest aligned run in a word that is not 0. */
unsigned int word_run_order(uint64_t word);

struct bitset {
	struct node *leaf; /* bits of all children */
	struct node top;   /* bit i: leaf[i] is not empty */
};

static inline bool bitset_test(const struct bitset *set, pfn_t child)
{
	return node_test(&set->leaf[child / NODE_BITS], child % NODE_BITS);
}

static inline void bitset_set(struct bitset *set, pfn_t child)
{
	node_set(&set->leaf[child / NODE_BITS], child % NODE_BITS);
	node_set(&set->top, (unsigned int)(child / NODE_BITS));
}

static inline void bitset_clear(struct bitset *set, pfn_t child)
{
	struct node *leaf = &set->leaf[child / NODE_BITS];

	if (node_clear(leaf, child % NODE_BITS))
		node_clear(&set->top, (unsigned int)(child / NODE_BITS));
}

#define BITSET_NONE (~(pfn_t)0)

static inline pfn_t bitset_first(const struct bitset *set)
{
	unsigned int leaf = node_first(&set->top);

	return leaf == NODE_NONE ? BITSET_NONE
				 : leaf * (pfn_t)NODE_BITS + node_first(&set->leaf[leaf]);
}

#endif
