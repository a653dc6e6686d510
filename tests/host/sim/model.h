/*
 * model.h: a naive model of the allocator. It has one byte for each frame, which says whether the
 * frame is free or allocated, and does nothing cleverer than walk the bytes.
 *
 * Each operation is performed by the allocator and by the model, and the results are compared: the
 * pages that were given (alignment, zone, overlap, descriptor), the counts of free frames, and
 * success: an allocation must succeed when a zone that may serve it has a free, aligned run. An
 * operation returns NULL when both agree, else a complaint in words. There is one CPU.
 *
 * Zones have numbers as in mm/zone.h. Which node has a frame follows from the frame's number alone:
 * the blocks, or larger pieces, of a machine with several nodes alternate between them.
 */
#ifndef TESTS_HOST_SIM_MODEL_H
#define TESTS_HOST_SIM_MODEL_H

#include "mm/zone.h"

#define MODEL_MAX_RANGES 256u

/* How RAM is shared by nodes: so many frames are node 0's, as many node 1's, and so on in turn. */
struct model_nodes {
	unsigned int nr; /* 0: there is one node */
	pfn_t frames;    /* of a piece: whole blocks */
	pfn_t hotplug;   /* from this frame on, RAM may be unplugged; 0: from nowhere on */
	int cpu;         /* the node of the CPU; nr or more: one without RAM */
};

struct model {
	const struct model_nodes *nodes;
	bool
	    no_caches; /* nothing is ever cached, so that each request has the zone it asks first */
	pfn_t base;    /* all RAM that is handed over lies in [base, base + frames) */
	pfn_t frames;
	uint8_t *frame; /* by frame: OWN_FREE, OWN_NEVER, OWN_INSIDE, or a head's order + 1 */
	unsigned int nr_ranges;
	struct model_range {
		pfn_t start, end;
		unsigned int zone;
	} range[MODEL_MAX_RANGES];      /* what was handed over: walks look at nothing else */
	uint64_t free[NR_ZONE_NUMBERS]; /* free frames of each zone */
};

#define OWN_NEVER  0u  /* not RAM, or reserved: must not be allocated */
#define OWN_INSIDE 64u /* in an allocation, but not its head */
#define OWN_FREE   128u

/* Initialises m for the frames [base, base + frames), none of which may be allocated yet. */
void model_init(struct model *m, pfn_t base, pfn_t frames, const struct model_nodes *nodes);

/*
 * Returns the number of the zone that a frame belongs to if it is RAM, and sets *end to the end of
 * a range, at most *end, that belongs to it as well.
 */
unsigned int model_zone(const struct model_nodes *nodes, pfn_t pfn, pfn_t *end);

/* Marks [start, end) free; ranges are handed over from the lowest to the highest. */
void model_hand_over(struct model *m, pfn_t start, pfn_t end);

/* Marks [start, end), which was handed over, as reserved. */
void model_take_back(struct model *m, pfn_t start, pfn_t end);
void model_destroy(struct model *m);

/* Returns the byte of a frame; OWN_NEVER for one that the model does not have. */
static inline uint8_t model_at(const struct model *m, pfn_t pfn)
{
	return pfn >= m->base && pfn - m->base < m->frames ? m->frame[pfn - m->base] : OWN_NEVER;
}

/* Returns whether a frame's byte is that of a head. */
static inline bool model_is_head(uint8_t own)
{
	return own > OWN_NEVER && own < OWN_INSIDE;
}

/* Returns the order of the allocation whose head this is; aborts when it is no head. */
unsigned int model_order(const struct model *m, pfn_t head);

/* Allocates; unless given is NULL, *given becomes the page, or NULL when there was none. */
const char *model_alloc(struct model *m, gfp_t gfp, unsigned int order, struct page **given);

/* Does the same by alloc_pages_node(). */
const char *model_alloc_node(struct model *m, int nid, gfp_t gfp, unsigned int order,
			     struct page **given);

/* Frees the allocation at head, by __free_pages() or by put_page(). */
enum model_free { FREE_PAGES, PUT_PAGE };
const char *model_free(struct model *m, pfn_t head, enum model_free how);

/* Frees nr allocations of order 0 from start on, by free_contig_range(). */
const char *model_free_contig(struct model *m, pfn_t start, unsigned long nr);

/* Takes a second reference to the allocation at head, and drops it by __free_pages(). */
const char *model_ref(struct model *m, pfn_t head);

/* Splits the allocation at head into single frames. */
const char *model_split(struct model *m, pfn_t head);

/* Allocates the frames [start, end) by alloc_contig_range(). */
const char *model_contig(struct model *m, pfn_t start, pfn_t end);

/* Allocates up to nr frames by alloc_pages_bulk(), into array[0] to array[*got - 1]. */
const char *model_bulk(struct model *m, gfp_t gfp, unsigned long nr, struct page **array,
		       unsigned long *got);

/* Drains the CPU's frame caches, and compares the allocator's bits with the model. */
const char *model_drain(struct model *m);

/* Compares page_state() and page_head() of the frames [start, end). */
const char *model_check_frames(const struct model *m, pfn_t start, pfn_t end);

/* Runs mm_check(), compares counts and these frames, and checks that no lock is held. */
const char *model_check(const struct model *m, pfn_t start, pfn_t end);

#endif
