#include "tests/host/sim/random_ops.h"

enum pick { PICK_ANY, PICK_NEWEST, PICK_OLDEST, NR_PICKS };

/*
 * Returns a random number less than limit, from a linear congruential generator with Knuth's MMIX
 * constants: the same seed gives the same run.
 */
static uint32_t below(struct random_ops *r, uint32_t limit)
{
	r->seed = r->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((r->seed >> 32) * limit >> 32);
}

void random_ops_start(struct random_ops *r, const struct play *play, uint64_t seed)
{
	r->seed = seed;
	r->play = play;
	r->next_name = 0;
	r->nr_held = 0;
	r->mood.left = 0;
	below(r, 1);
}

static void change_mood(struct random_ops *r)
{
	static const uint8_t alloc_percent[] = { 0, 15, 35, 50, 50, 50, 65, 85, 97 };
	struct mood *mood = &r->mood;

	mood->alloc_percent = alloc_percent[below(r, sizeof(alloc_percent))];
	mood->left = mood->alloc_percent ? 16u << below(r, 8) : 2 * r->nr_held;
	mood->order_percent = below(r, 3) ? 30 + 10 * below(r, 5) : 95;
	mood->max_order = below(r, MAX_PAGE_ORDER + 2); /* also one that must be refused */
	mood->gfp = below(r, 2) ? NR_OP_GFPS : below(r, NR_OP_GFPS);
	mood->pick = below(r, NR_PICKS);
}

/* Returns the first free frame within 4096 of a random one; if there is none, the random one. */
static pfn_t random_frame(struct random_ops *r)
{
	const struct model *m = &r->play->model;
	const struct model_range *range = &m->range[below(r, m->nr_ranges)];
	pfn_t start = range->start + below(r, (uint32_t)(range->end - range->start));

	for (pfn_t pfn = start; pfn < range->end && pfn < start + 4096; pfn++)
		if (model_at(m, pfn) == OWN_FREE)
			return pfn;
	return start;
}

static struct op random_taking(struct random_ops *r)
{
	const struct mood *mood = &r->mood;
	uint32_t what = below(r, 32);
	struct op op = { .name = r->next_name };

	op.gfp = (uint8_t)(mood->gfp < NR_OP_GFPS ? mood->gfp : below(r, NR_OP_GFPS));
	if (what == 0) {
		op.kind = OP_BULK;
		op.nr = below(r, OP_MAX_NR + 1);
		r->next_name += op.nr;
	} else if (what == 1) {
		op.kind = OP_CONTIG;
		op.nr = below(r, 2u << below(r, MAX_PAGE_ORDER < 11 ? MAX_PAGE_ORDER : 11));
		op.at = random_frame(r);
		r->next_name++;
	} else {
		op.kind = OP_ALLOC;
		if (what < 12 && r->play->model.nodes->nr > 1) {
			op.kind = OP_ALLOC_NODE;
			op.nr = below(r, r->play->model.nodes->nr + 1); /* the last has no memory */
		}
		while (op.order < mood->max_order && below(r, 100) < mood->order_percent)
			op.order++;
		r->next_name++;
	}
	return op;
}

static uint32_t pick_held(struct random_ops *r)
{
	if (r->mood.pick == PICK_NEWEST)
		return r->nr_held - 1;
	return r->mood.pick == PICK_OLDEST ? 0 : below(r, r->nr_held);
}

/* Returns whether held[] has no room for OP_MAX_NR more entries, the most an operation adds. */
static bool is_full(const struct random_ops *r)
{
	return r->nr_held > MAX_HELD - OP_MAX_NR;
}

static struct op random_giving(struct random_ops *r)
{
	const struct play *p = r->play;
	const struct held *held = &r->held[r->picked = pick_held(r)];
	struct op op = { .name = held->name, .at = held->at, .nr = 1 };
	uint32_t what = below(r, 16);

	if (what == 0) {
		op.kind = OP_REF;
	} else if (held->nr > 1 && what < 12) {
		op.kind = OP_FREE_CONTIG;
		if (!is_full(r)) /* two entries remain of one when its middle is freed */
			op.at += below(r, held->nr);
		op.nr = 1 + below(r, (uint32_t)(held->at + held->nr - op.at));
	} else if (held->nr > 1) {
		op.kind = OP_PUT;
		op.at += held->nr - 1;
	} else if (what == 1) {
		op.kind = OP_SPLIT;
		r->split_frames = 1u << model_order(&p->model, p->given[op.name] + op.at);
	} else {
		op.kind = what < 5 ? OP_PUT : OP_FREE;
	}
	return op;
}

struct op random_ops_next(struct random_ops *r)
{
	uint32_t percent;

	if (!r->mood.left--)
		change_mood(r);
	percent = is_full(r) ? 0 : r->mood.alloc_percent;
	if (!below(r, 300))
		return (struct op){ .kind = OP_DRAIN };
	if (!r->nr_held || below(r, 100) < percent)
		return random_taking(r);
	return random_giving(r);
}

static void hold(struct random_ops *r, uint32_t name, uint64_t at, uint64_t nr)
{
	if (nr)
		r->held[r->nr_held++] = (struct held){ name, (uint32_t)nr, at };
}

/* Removes the frames that op freed from the entry that was picked. */
static void drop(struct random_ops *r, const struct op *op)
{
	struct held old = r->held[r->picked];

	r->held[r->picked] = r->held[--r->nr_held];
	hold(r, old.name, old.at, op->at - old.at);
	hold(r, old.name, op->at + op->nr, old.at + old.nr - op->at - op->nr);
}

void random_ops_done(struct random_ops *r, const struct op *op)
{
	const struct play *p = r->play;

	switch (op->kind) {
	case OP_ALLOC:
	case OP_ALLOC_NODE:
	case OP_CONTIG:
		if (p->given[op->name] != PFN_NONE)
			hold(r, op->name, 0, op->kind == OP_CONTIG ? op->nr : 1);
		break;
	case OP_BULK:
		for (uint32_t i = 0; i < op->nr && p->given[op->name + i] != PFN_NONE; i++)
			hold(r, op->name + i, 0, 1);
		break;
	case OP_FREE:
	case OP_FREE_CONTIG:
	case OP_PUT:
		drop(r, op);
		break;
	case OP_SPLIT:
		r->held[r->picked].nr = r->split_frames;
		break;
	default:
		break;
	}
}
