/*
 * model.h: who owns which frame, one byte a frame, and nothing cleverer than walking the bytes.
 *
 * Each operation does it with the allocator too and compares: what was given (alignment, zone,
 * overlap, descriptor), whether it had to succeed (an aligned run that nobody owns, in a zone that
 * may serve, means that it had to), counts to the frame. NULL when both agree, else a complaint in
 * words. One CPU.
 */
#ifndef TESTS_HOST_SIM_MODEL_H
#define TESTS_HOST_SIM_MODEL_H

#include "mm/zone.h"

#define MODEL_MAX_RANGES 256u

struct model {
	pfn_t base; /* of the bytes: all RAM that is handed over lies in [base, base + frames) */
	pfn_t frames;
	uint8_t *frame; /* OWN_FREE, OWN_NEVER, OWN_INSIDE, or order + 1 of the head */
	unsigned int nr_ranges;
	struct model_range {
		pfn_t start, end;
	} range[MODEL_MAX_RANGES];   /* what was handed over: nothing else is worth a walk */
	uint64_t free[MAX_NR_ZONES]; /* frames that nobody owns */
};

#define OWN_NEVER  0u /* not RAM, or reserved: nobody may get it */
#define OWN_INSIDE 64u
#define OWN_FREE   128u

/* Bytes for [base, base + frames), all OWN_NEVER; then the ranges handed over, lowest first. */
void model_init(struct model *m, pfn_t base, pfn_t frames);
void model_hand_over(struct model *m, pfn_t start, pfn_t end);
void model_take_back(struct model *m, pfn_t start, pfn_t end); /* reserved after all */
void model_destroy(struct model *m);

static inline uint8_t model_at(const struct model *m, pfn_t pfn)
{
	return pfn >= m->base && pfn - m->base < m->frames ? m->frame[pfn - m->base] : OWN_NEVER;
}

static inline bool model_is_head(uint8_t own)
{
	return own > OWN_NEVER && own < OWN_INSIDE;
}

/* Of the allocation whose head this is. */
unsigned int model_order(const struct model *m, pfn_t head);

/* *given: the page, or NULL; it may be NULL itself. */
const char *model_alloc(struct model *m, gfp_t gfp, unsigned int order, struct page **given);
enum model_free { FREE_PAGES, PUT_PAGE };
const char *model_free(struct model *m, pfn_t head, enum model_free how);
const char *model_free_contig(struct model *m, pfn_t start, unsigned long nr); /* order 0 each */
const char *model_ref(struct model *m, pfn_t head); /* one reference more, and dropped */
const char *model_split(struct model *m, pfn_t head);
const char *model_contig(struct model *m, pfn_t start, pfn_t end);
/* Frames go to array[0 .. *got). */
const char *model_bulk(struct model *m, gfp_t gfp, unsigned long nr, struct page **array,
		       unsigned long *got);
const char *model_drain(struct model *m);

/* page_state() and page_head() of [start, end). */
const char *model_check_frames(const struct model *m, pfn_t start, pfn_t end);

/* Everything: mm_check(), counts, locks, and these frames. */
const char *model_check(const struct model *m, pfn_t start, pfn_t end);

#endif
