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

static inline bool node_empty(const struct node *node)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < NODE_WORDS; i++)
		any |= node->word[i];
	return !any;
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
	uint64_t all = WORD_FULL;

	for (unsigned int i = 0; i < NODE_WORDS; i++)
		all &= node->word[i];
	return all == WORD_FULL;
}

/* Whether child is set and no other is. */
static inline bool node_only(const struct node *node, unsigned int child)
{
	uint64_t other = 0;

	for (unsigned int i = 0; i < NODE_WORDS; i++)
		other |= node->word[i] ^ (i == child / 64 ? 1ull << (child % 64) : 0);
	return !other;
}

static inline unsigned int node_first(const struct node *node)
{
	for (unsigned int i = 0; i < NODE_WORDS; i++)
		if (node->word[i])
			return 64 * i + (unsigned int)__builtin_ctzll(node->word[i]);
	return NODE_NONE;
}

static inline unsigned int node_weight(const struct node *node)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < NODE_WORDS; i++)
		for (uint64_t left = node->word[i]; left; left &= left - 1)
			n++;
	return n;
}

/* 2^k bits from an aligned position, k <= WORD_SHIFT. */
static inline uint64_t run_mask(unsigned int child, unsigned int k)
{
	return (~0ull >> (64 - (1u << k))) << (child % 64);
}

/* Set or clear the aligned run of 2^k children at child. */
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

/* The lowest aligned run of 2^k set bits, or NODE_NONE. */
unsigned int node_find_run(const struct node *node, unsigned int k);

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

static inline bool bitset_only(const struct bitset *set, pfn_t child)
{
	return node_only(&set->top, (unsigned int)(child / NODE_BITS)) &&
	       node_only(&set->leaf[child / NODE_BITS], child % NODE_BITS);
}

#endif
