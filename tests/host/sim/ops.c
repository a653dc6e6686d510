/*
 * ops.c: performs operations, prints and parses them. Each head's page_private() holds its name,
 * which the allocator must leave alone.
 */
#include "tests/host/sim/ops.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

const struct op_gfp op_gfps[NR_OP_GFPS] = {
	{ "GFP_KERNEL", GFP_KERNEL },
	{ "GFP_ATOMIC", GFP_ATOMIC },
	{ "GFP_DMA", GFP_DMA },
	{ "GFP_DMA32", GFP_DMA32 },
	{ "GFP_DMA | GFP_ATOMIC", GFP_DMA | GFP_ATOMIC },
	{ "GFP_KERNEL | __GFP_UNMOVABLE", GFP_KERNEL | __GFP_UNMOVABLE },
	{ "GFP_DMA32 | __GFP_UNMOVABLE", GFP_DMA32 | __GFP_UNMOVABLE },
	{ "GFP_KERNEL | __GFP_THISNODE", GFP_KERNEL | __GFP_THISNODE },
	{ "GFP_ATOMIC | __GFP_THISNODE", GFP_ATOMIC | __GFP_THISNODE },
};

void play_start(struct play *p, uint32_t nr_names)
{
	p->nr_names = nr_names;
	p->given = malloc(nr_names * sizeof(*p->given));
	p->owner = mmap(NULL, p->model.frames * sizeof(*p->owner), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!p->given || p->owner == MAP_FAILED) {
		perror("owners of frames");
		exit(3);
	}
	for (uint32_t name = 0; name < nr_names; name++)
		p->given[name] = PFN_NONE;
}

void play_end(struct play *p)
{
	munmap(p->owner, p->model.frames * sizeof(*p->owner));
	free(p->given);
	model_destroy(&p->model);
}

/* Records that nr frames from first on are heads of this name now. */
static void give(struct play *p, uint32_t name, pfn_t first, pfn_t nr)
{
	for (pfn_t pfn = first; pfn < first + nr; pfn++) {
		p->owner[pfn - p->model.base] = name + 1;
		set_page_private(pfn_to_page(pfn), name);
	}
}

static bool has(const struct play *p, uint32_t name, pfn_t pfn)
{
	return model_is_head(model_at(&p->model, pfn)) && p->owner[pfn - p->model.base] == name + 1;
}

static const char *play_alloc(struct play *p, const struct op *op)
{
	gfp_t gfp = op_gfps[op->gfp].gfp;
	struct page *page;
	const char *bad = op->kind == OP_ALLOC
			      ? model_alloc(&p->model, gfp, op->order, &page)
			      : model_alloc_node(&p->model, (int)op->nr, gfp, op->order, &page);

	if (bad || !page)
		return bad;
	p->given[op->name] = page_to_pfn(page);
	give(p, op->name, page_to_pfn(page), 1);
	return NULL;
}

static const char *play_bulk(struct play *p, const struct op *op)
{
	struct page *array[OP_MAX_NR] = { NULL };
	unsigned long got;
	const char *bad = model_bulk(&p->model, op_gfps[op->gfp].gfp, op->nr, array, &got);

	if (bad)
		return bad;
	for (uint32_t i = 0; i < got; i++) {
		p->given[op->name + i] = page_to_pfn(array[i]);
		give(p, op->name + i, page_to_pfn(array[i]), 1);
	}
	return NULL;
}

static const char *play_contig(struct play *p, const struct op *op)
{
	bool was_free = model_at(&p->model, op->at) == OWN_FREE;
	const char *bad = model_contig(&p->model, op->at, op->at + op->nr);

	if (bad || !was_free || model_at(&p->model, op->at) == OWN_FREE)
		return bad;
	p->given[op->name] = op->at;
	give(p, op->name, op->at, op->nr);
	return NULL;
}

/* Returns whether nr frames from pfn on are allocations of order 0 of this name. */
static bool has_singles(const struct play *p, uint32_t name, pfn_t pfn, pfn_t nr)
{
	for (; nr; pfn++, nr--)
		if (!has(p, name, pfn) || model_order(&p->model, pfn))
			return false;
	return true;
}

static const char *play_about(struct play *p, const struct op *op)
{
	pfn_t pfn = p->given[op->name] + op->at;
	unsigned int order;
	const char *bad;

	if (p->given[op->name] == PFN_NONE || !has(p, op->name, pfn))
		return NULL;
	order = model_order(&p->model, pfn);
	if (page_private(pfn_to_page(pfn)) != op->name)
		return "page_private() of the frame has changed";
	switch (op->kind) {
	case OP_FREE:
		return model_free(&p->model, pfn, FREE_PAGES);
	case OP_FREE_CONTIG:
		return has_singles(p, op->name, pfn, op->nr)
			   ? model_free_contig(&p->model, pfn, op->nr)
			   : NULL;
	case OP_PUT:
		return model_free(&p->model, pfn, PUT_PAGE);
	case OP_REF:
		return model_ref(&p->model, pfn);
	default:
		bad = model_split(&p->model, pfn);
		if (!bad && page_private(pfn_to_page(pfn)) != op->name)
			return "split_page() changed page_private()";
		give(p, op->name, pfn, (pfn_t)1 << order);
		return bad;
	}
}

const char *play_op(struct play *p, const struct op *op)
{
	switch (op->kind) {
	case OP_ALLOC:
	case OP_ALLOC_NODE:
		return play_alloc(p, op);
	case OP_BULK:
		return play_bulk(p, op);
	case OP_CONTIG:
		return play_contig(p, op);
	case OP_DRAIN:
		return model_drain(&p->model);
	default:
		return play_about(p, op);
	}
}

/*
 * The text of each operation, used for printing and for parsing. %n is a name, %d the distance of a
 * frame from the name's first, %g the flags, %o the order, %c the number of frames, %a the first
 * frame and %e the end of a range.
 */
static const char *const forms[NR_OP_KINDS] = {
	[OP_ALLOC] = "p%n = alloc_pages(%g, %o)",
	[OP_ALLOC_NODE] = "p%n = alloc_pages_node(%g, %o, %c)",
	[OP_BULK] = "p%n = alloc_pages_bulk(%g, %c)",
	[OP_CONTIG] = "p%n = alloc_contig_range(%a, %e)",
	[OP_FREE] = "__free_pages(p%n + %d)",
	[OP_FREE_CONTIG] = "free_contig_range(p%n + %d, %c)",
	[OP_PUT] = "put_page(p%n + %d)",
	[OP_REF] = "get_page(p%n + %d) and back",
	[OP_SPLIT] = "split_page(p%n + %d)",
	[OP_DRAIN] = "drain_caches()",
};

static void print_field(FILE *to, const struct op *op, char field)
{
	unsigned long long at = op->at;

	if (field == 'g')
		fprintf(to, "%s", op_gfps[op->gfp].name);
	else if (field == 'n')
		fprintf(to, "%u", op->name);
	else if (field == 'o')
		fprintf(to, "%u", op->order);
	else if (field == 'c')
		fprintf(to, "%u", op->nr);
	else if (field == 'd')
		fprintf(to, "%llu", at);
	else
		fprintf(to, "0x%llx", field == 'a' ? at : at + op->nr);
}

void op_print(FILE *to, const struct op *op)
{
	for (const char *form = forms[op->kind]; *form; form++)
		if (*form == '%')
			print_field(to, op, *++form);
		else
			putc(*form, to);
	putc('\n', to);
}

/* Parses the name of flags, which ends at a comma. */
static bool parse_gfp(const char **text, struct op *op)
{
	size_t length = strcspn(*text, ",");

	for (op->gfp = 0; op->gfp < NR_OP_GFPS; op->gfp++)
		if (strlen(op_gfps[op->gfp].name) == length &&
		    !memcmp(op_gfps[op->gfp].name, *text, length)) {
			*text += length;
			return true;
		}
	return false;
}

static bool parse_field(const char **text, struct op *op, char field)
{
	const char *start = *text;
	unsigned long long value;
	char *end;

	if (field == 'g')
		return parse_gfp(text, op);
	value = strtoull(start, &end, 0);
	*text = end;
	if (field == 'n')
		op->name = (uint32_t)value;
	else if (field == 'o')
		op->order = (uint8_t)value;
	else if (field == 'c')
		op->nr = (uint32_t)value;
	else if (field == 'e')
		op->nr = (uint32_t)(value - op->at);
	else
		op->at = value;
	return end != start;
}

static bool parse_as(const char *form, const char *text, struct op *op)
{
	for (; *form; form++)
		if (*form == '%') {
			if (!parse_field(&text, op, *++form))
				return false;
		} else if (*text++ != *form) {
			return false;
		}
	return !*text;
}

bool op_parse(const char *text, uint32_t nr_names, struct op *op)
{
	for (unsigned int kind = 0; kind < NR_OP_KINDS; kind++) {
		*op = (struct op){ .kind = (uint8_t)kind };
		if (parse_as(forms[kind], text, op))
			return op->name + (uint64_t)(kind == OP_BULK ? op->nr : 1) <= nr_names &&
			       (kind != OP_BULK || op->nr <= OP_MAX_NR);
	}
	return false;
}
