/*
 * ops.h: operations on the allocator as data: done beside the model, left out one by one, printed,
 * and read back.
 *
 *   p7 = alloc_pages(GFP_KERNEL, 3)              p8 = alloc_contig_range(0x1200, 0x1280)
 *   split_page(p7 + 0)                           free_contig_range(p8 + 16, 100)
 *   __free_pages(p7 + 2)                         p9 = alloc_pages_bulk(GFP_DMA, 5)     p9 to p13
 *   drain_caches()                               put_page(p11 + 0)
 *
 * What an operation gives has a name; others speak of frames from a name's first on. So any part of
 * a sequence can be done: what is about a name that was given nothing, or no longer has the frame,
 * does nothing.
 */
#ifndef TESTS_HOST_SIM_OPS_H
#define TESTS_HOST_SIM_OPS_H

#include <stdio.h>

#include "tests/host/sim/model.h"

enum op_kind {
	OP_ALLOC,
	OP_BULK,
	OP_CONTIG,
	OP_FREE,
	OP_FREE_CONTIG, /* single frames in a row */
	OP_PUT,
	OP_REF, /* a reference more, and dropped */
	OP_SPLIT,
	OP_DRAIN,
	NR_OP_KINDS
};

struct op {
	uint8_t kind;
	uint8_t gfp; /* index of op_gfps[] */
	uint8_t order;
	uint32_t nr;   /* BULK, CONTIG, FREE_CONTIG: frames */
	uint32_t name; /* of what it gives (BULK: of the first), or that it is about */
	uint64_t at;   /* CONTIG: the first frame. About a name: frames behind its first */
};

#define OP_MAX_NR 64 /* of a bulk */

struct op_gfp {
	const char *name;
	gfp_t gfp;
};
#define NR_OP_GFPS 5
extern const struct op_gfp op_gfps[NR_OP_GFPS];

/* A machine in use: the model, and who has what. */
struct play {
	struct model model;
	uint32_t nr_names; /* operations name less than this */
	pfn_t *given;      /* by name: first frame, or PFN_NONE */
	uint32_t *owner;   /* by frame from model.base on: name + 1 of a head */
};

/* After a boot, with the model filled; play_end() destroys the model too. */
void play_start(struct play *p, uint32_t nr_names);
void play_end(struct play *p);

/* NULL when allocator and model agree. */
const char *play_op(struct play *p, const struct op *op);

/* A line, its end included. */
void op_print(FILE *to, const struct op *op);

/* Of a line without its end. False: no operation, or one that names nr_names and more. */
bool op_parse(const char *text, uint32_t nr_names, struct op *op);

#endif
