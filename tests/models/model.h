/*
 * model.h: what the memory models have in common.
 *
 * A memory model translates between frame numbers and descriptors: pfn_to_page() and
 * page_to_pfn(). Its set-up takes descriptors and tables from memblock, after memblock is complete
 * and the direct map exists. In every model a descriptor is mm/page.h's struct page of 16 bytes, so
 * that only the models are compared. Two of them keep a number in the topmost bits of its state
 * word, which stands for what Linux calls the flags.
 */
#ifndef TESTS_MODELS_MODEL_H
#define TESTS_MODELS_MODEL_H

#include "mm/memblock.h"
#include "mm/page.h"

struct model {
	const char *name;
	uint64_t (*setup)(void); /* returns bytes of descriptors, or 0: see model_refusal */
	void (*init)(void); /* writes every descriptor, as Linux does at boot with each model */
	struct page *(*pfn_to_page)(pfn_t pfn);
	pfn_t (*page_to_pfn)(const struct page *page);
};

/* Linux's four models, in the order of their invention, and that of mm/, whose init is NULL. */
#define NR_MODELS 5
extern const struct model models[NR_MODELS];

/* The reason, in words, for which a model's set-up returned 0. */
extern char model_refusal[80];

/* Returns the size of the descriptors of so many frames, rounded up to whole frames. */
static inline uint64_t model_bytes(pfn_t frames)
{
	return PAGE_ALIGN(frames * sizeof(struct page));
}

/*
 * Allocates size bytes, not zeroed, below frame `end` if possible, else anywhere: memblock searches
 * downwards, so the island of RAM that ends there is the first choice. Returns NULL, with
 * model_refusal set, when no free range is long enough.
 */
void *model_take(uint64_t size, uint64_t align, pfn_t end);

/* Sets model_refusal, by a printf() format with one number, and returns 0. */
uint64_t model_refuse(const char *why, unsigned long long number);

/* Writes the descriptors of so many frames, each with this state word. */
void model_write(struct page *page, pfn_t frames, uint64_t state);

#endif
