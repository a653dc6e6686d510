/*
 * ops.h: operations on the allocator as data. They can be performed beside the model, left out one
 * by one, printed and read back.
 *
 *   p7 = alloc_pages(GFP_KERNEL, 3)              p8 = alloc_contig_range(0x1200, 0x1280)
 *   split_page(p7 + 0)                           free_contig_range(p8 + 16, 100)
 *   __free_pages(p7 + 2)                         p9 = alloc_pages_bulk(GFP_DMA, 5)     p9 to p13
 *   drain_caches()                               put_page(p11 + 0)
 *   p14 = alloc_pages_node(GFP_KERNEL, 3, 1)     order 3, node 1
 *
 * An allocation gets a name, and later operations say which frame of that name they are about. An
 * operation on a name whose allocation failed, or that no longer has the frame, does nothing. So
 * any part of a sequence can be performed.
 */
#ifndef TESTS_HOST_SIM_OPS_H
#define TESTS_HOST_SIM_OPS_H

#include <stdio.h>

#include "tests/host/sim/model.h"

enum op_kind {
	OP_ALLOC,
	OP_BULK,
	OP_CONTIG,
	OP_ALLOC_NODE,
	OP_FREE,
	OP_FREE_CONTIG, /* consecutive frames of order 0 */
	OP_PUT,
	OP_REF, /* takes a reference and drops it */
	OP_SPLIT,
	OP_DRAIN,
	NR_OP_KINDS
};

struct op {
	uint8_t kind;
	uint8_t gfp; /* index into op_gfps[] */
	uint8_t order;
	uint32_t nr;   /* BULK, CONTIG, FREE_CONTIG: number of frames; ALLOC_NODE: the node */
	uint32_t name; /* that it gives (BULK: to the first frame), or that it is about */
	uint64_t at;   /* CONTIG: the first frame; else: which frame of the name, from 0 */
};

#define OP_MAX_NR 64 /* the most frames of a bulk */

struct op_gfp {
	const char *name;
	gfp_t gfp;
};
#define NR_OP_GFPS 9
extern const struct op_gfp op_gfps[NR_OP_GFPS];

/* A machine on which operations are performed: the model, and the names. */
struct play {
	struct model model;
	uint32_t nr_names; /* names are less than this */
	pfn_t *given;      /* by name: its first frame, or PFN_NONE */
	uint32_t *owner;   /* by frame, from model.base on: the name of a head, plus 1 */
};

/*
 * play_start() begins after a boot that filled p->model; play_end() frees all that p has, the model
 * included.
 */
void play_start(struct play *p, uint32_t nr_names);
void play_end(struct play *p);

/* Performs an operation. Returns NULL when allocator and model agree, else a complaint. */
const char *play_op(struct play *p, const struct op *op);

/* Prints an operation as a line. */
void op_print(FILE *to, const struct op *op);

/*
 * Parses text, a line without its end. Returns false when it is no operation, or when a name in it
 * is not less than nr_names.
 */
bool op_parse(const char *text, uint32_t nr_names, struct op *op);

#endif
