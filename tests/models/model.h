/*
 * model.h: what the memory models have in common.
 *
 * A model translates: pfn_to_page() and page_to_pfn(). Its set-up takes descriptors and tables from
 * memblock, after memblock is complete and the direct map stands. Descriptors are mm/page.h's
 * struct page, 16 bytes, in every model: what differs is the model. Its state word is here what
 * Linux calls the flags: two of the models keep a number in its topmost bits.
 */
#ifndef TESTS_MODELS_MODEL_H
#define TESTS_MODELS_MODEL_H

#include "mm/memblock.h"
#include "mm/page.h"

struct model {
	const char *name;
	uint64_t (*setup)(void); /* bytes of descriptors; 0: impossible here, see model_refusal */
	void (*init)(void); /* writes every descriptor, as Linux does at boot under each model */
	struct page *(*pfn_to_page)(pfn_t pfn);
	pfn_t (*page_to_pfn)(const struct page *page);
};

/* The classical four, in the order of their invention, and mm/'s own, whose init is null. */
#define NR_MODELS 5
extern const struct model models[NR_MODELS];

/* Why a model cannot hold the machine. */
extern char model_refusal[80];

static inline uint64_t model_bytes(pfn_t frames)
{
	return PAGE_ALIGN(frames * sizeof(struct page));
}

/*
 * Memory of the island that ends with frame `end`, else of a lower one, else of any. Not zeroed.
 * NULL: no free range is so long.
 */
void *model_take(uint64_t size, uint64_t align, pfn_t end);

/* Says in model_refusal why a model cannot be: a printf() format with one number. Returns 0. */
uint64_t model_refuse(const char *why, unsigned long long number);

/* Writes descriptors, each with this state. */
void model_write(struct page *page, pfn_t frames, uint64_t state);

#endif
