/*
 * random.c: compares memblock with a model of cells (model.h), by random calls.
 */
#include "tests/host/memblock/fixture.h"

#include <errno.h>

#include "mm/page.h"
#include "tests/host/memblock/model.h"

static struct model model;
static uint64_t seed = 1;

static unsigned long below(unsigned long n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static void compare_type(const struct memblock_type *type, const struct cell *line)
{
	static struct memblock_region expected[NR_CELLS];
	unsigned long nr = model_regions(line, expected);

	assert_int_equal(type->cnt, nr);
	assert_memory_equal(type->regions, expected, nr * sizeof(expected[0]));
}

static void compare_loops(int nid)
{
	static struct cell seen[NR_CELLS];
	phys_addr_t start, end, before = TOP;
	uint64_t i;
	unsigned long ranges = 0;

	memset(seen, 0, sizeof(seen));
	for_each_free_mem_range(i, nid, MEMBLOCK_NONE, &start, &end, NULL) {
		assert_true(start < end && (before == TOP || start >= before));
		model_add(seen, start / CELL, end / CELL, 0, 0);
		before = end;
		ranges++;
	}
	for (unsigned long k = 0; k < NR_CELLS; k++)
		assert_int_equal(seen[k].present, model_fits(&model, k, 1, nid));
	for_each_free_mem_range_reverse(i, nid, MEMBLOCK_NONE, &start, &end, NULL) {
		assert_true(start < end && end <= before);
		model_remove(seen, start / CELL, end / CELL);
		before = start;
		ranges--;
	}
	assert_int_equal(ranges, 0);
	for (unsigned long k = 0; k < NR_CELLS; k++)
		assert_false(seen[k].present);
}

static void compare(void)
{
	assert_null(memblock_check());
	compare_type(&memblock.memory, model.memory);
	compare_type(&memblock.reserved, model.reserved);
	compare_loops((int)below(4) - 1);
	for (unsigned int n = 0; n < 4; n++) {
		unsigned long k = below(NR_CELLS);

		assert_int_equal(memblock_is_memory(k * CELL), model.memory[k].present);
		assert_int_equal(memblock_is_reserved(k * CELL + CELL - 1),
				 model.reserved[k].present);
	}
}

static bool is_static(const struct memblock_region *regions)
{
	return regions == power_on.memory.regions || regions == power_on.reserved.regions;
}

static unsigned long array_pages(unsigned long max)
{
	return PAGE_ALIGN(max * sizeof(struct memblock_region)) / PAGE_SIZE;
}

/*
 * Checks an array that has grown: the new one must lie in memory that was free, outside the cells
 * [from, to). The model then reserves it, and frees the old one as memblock does.
 */
static void follow_growth(const struct memblock_type *was, const struct memblock_type *now,
			  unsigned long from, unsigned long to)
{
	unsigned long at, cells;

	if (was->max == now->max)
		return;
	at = virt_to_phys(now->regions) / CELL;
	cells = array_pages(now->max) * PAGE_CELLS;
	assert_true(at % PAGE_CELLS == 0 && model_fits(&model, at, cells, NUMA_NO_NODE));
	assert_true(at >= to || at + cells <= from);
	assert_true((at + cells) * CELL <= memblock.current_limit);
	model_add(model.reserved, at, at + cells, MODEL_NO_NODE, 0);
	if (is_static(was->regions))
		return;
	at = virt_to_phys(was->regions) / CELL;
	/* Freeing can split a region, which needs an entry: if there is none, the old array stays.
	 */
	if (memblock.reserved.cnt == memblock.reserved.max && memblock_is_reserved(at * CELL))
		return;
	model_remove(model.reserved, at, at + array_pages(was->max) * PAGE_CELLS);
}

static unsigned long random_align(void)
{
	return 1ul << below(5);
}

enum kind { ADD, REMOVE, SET_NODE, MARK_HOTPLUG, CLEAR_HOTPLUG, MARK_OTHER, NR_KINDS };

/* A call that changes regions. MARK_OTHER marks noinit, or marks or clears nomap as nid says. */
struct change_op {
	enum kind kind;
	bool reserved;
	unsigned long from, to;
	unsigned int flags;
	int nid;
};

static struct change_op random_op(void)
{
	static const unsigned int some_flags[] = {
		0, 0, 0, MEMBLOCK_HOTPLUG, MEMBLOCK_NOMAP, MEMBLOCK_DRIVER_MANAGED
	};
	struct change_op op = { .kind = (enum kind)below(below(3) ? 2 : NR_KINDS),
				.reserved = below(2) };

	op.from = below(NR_CELLS);
	op.to = op.from + below(NR_CELLS + 1 - op.from);
	if (below(4))
		op.to = op.from + (op.to - op.from) / 8;
	op.flags = some_flags[below(6)];
	op.nid = (int)below(4) - 1;
	if (op.kind == MARK_HOTPLUG || op.kind == CLEAR_HOTPLUG)
		op.reserved = false;
	return op;
}

static int call(const struct change_op *op)
{
	phys_addr_t base = op->from * CELL, size = (op->to - op->from) * CELL;

	switch (op->kind) {
	case ADD:
		return op->reserved ? memblock_reserve(base, size)
				    : memblock_add_node(base, size, op->nid, op->flags);
	case REMOVE:
		return op->reserved ? memblock_phys_free(base, size) : memblock_remove(base, size);
	case SET_NODE:
		return memblock_set_node(
		    base, size, op->reserved ? &memblock.reserved : &memblock.memory, op->nid);
	case MARK_HOTPLUG:
		return memblock_mark_hotplug(base, size);
	case CLEAR_HOTPLUG:
		return memblock_clear_hotplug(base, size);
	default:
		if (op->reserved)
			return memblock_reserved_mark_noinit(base, size);
		return (op->nid < 0 ? memblock_mark_nomap : memblock_clear_nomap)(base, size);
	}
}

static void call_model(struct model *on, const struct change_op *op)
{
	struct cell *line = op->reserved ? on->reserved : on->memory;
	int nid = op->nid < 0 ? MODEL_NO_NODE : op->nid;
	unsigned int other = op->reserved ? MEMBLOCK_RSRV_NOINIT : MEMBLOCK_NOMAP;
	bool mark = op->reserved || op->nid < 0;

	switch (op->kind) {
	case ADD:
		model_add(line, op->from, op->to, op->reserved ? MODEL_NO_NODE : nid,
			  op->reserved ? 0 : op->flags);
		return;
	case REMOVE:
		model_remove(line, op->from, op->to);
		return;
	case SET_NODE:
		model_set(line, op->from, op->to, 0, 0, &nid);
		return;
	case MARK_HOTPLUG:
		model_set(line, op->from, op->to, MEMBLOCK_HOTPLUG, 0, NULL);
		return;
	case CLEAR_HOTPLUG:
		model_set(line, op->from, op->to, 0, MEMBLOCK_HOTPLUG, NULL);
		return;
	default:
		model_set(line, op->from, op->to, mark ? other : 0, mark ? 0 : other, NULL);
	}
}

/*
 * Returns whether the array of a type lies in these cells. A caller that frees memory which holds
 * an array breaks memblock, so the test does not.
 */
static bool holds_array(const struct memblock_type *type, unsigned long from, unsigned long to)
{
	unsigned long at;

	if (is_static(type->regions))
		return false;
	at = virt_to_phys(type->regions) / CELL;
	return from < at + array_pages(type->max) * PAGE_CELLS && at < to;
}

static bool holds_arrays(unsigned long from, unsigned long to)
{
	return holds_array(&memblock.memory, from, to) || holds_array(&memblock.reserved, from, to);
}

/*
 * Makes a random change. It may fail only when an array is full and there is no memory for a larger
 * one, and must then leave everything as it was.
 */
static void step_change(void)
{
	static struct snapshot before;
	static struct model next;
	static struct memblock_region regions[NR_CELLS];
	struct change_op op = random_op();
	struct memblock_type *type = op.reserved ? &memblock.reserved : &memblock.memory;
	unsigned long needed, max = type->max;
	bool clear = op.reserved || op.kind == REMOVE;
	int err;

	if (op.reserved && op.kind == REMOVE && holds_arrays(op.from, op.to))
		return;
	take(&before);
	next = model;
	call_model(&next, &op);
	needed = model_regions(op.reserved ? next.reserved : next.memory, regions);
	err = call(&op);
	if (err) {
		assert_int_equal(err, -ENOMEM);
		assert_true(needed > max);
		assert_unchanged(&before);
		return;
	}
	assert_true((type->max > max) == (needed > max));
	follow_growth(&before.fields.memory, &memblock.memory, clear ? op.from : 0,
		      clear ? op.to : 0);
	follow_growth(&before.fields.reserved, &memblock.reserved, op.reserved ? op.from : 0,
		      op.reserved ? op.to : 0);
	call_model(&model, &op);
}

static void step_alloc(void)
{
	static struct snapshot before;
	unsigned long cells = 1 + below(below(2) ? 4 : 40), align = random_align();
	unsigned long from = below(NR_CELLS), to = from + below(NR_CELLS + 1 - from), expected,
		      limit;
	int nid = (int)below(5) - 1;
	bool exact = below(2), virt = below(2);
	phys_addr_t found;

	if (below(2))
		from = 0;
	if (below(2) || !to)
		to = NR_CELLS;
	take(&before);
	limit = memblock.current_limit / CELL;
	if (virt && to > limit)
		to = limit;
	expected = model_place(&model, cells, align, from, to, nid);
	if (!expected && !exact)
		expected = model_place(&model, cells, align, from, to, NUMA_NO_NODE);
	if (!expected && virt && from)
		expected = model_place(&model, cells, align, 0, to, nid);
	if (!expected && virt && from && !exact)
		expected = model_place(&model, cells, align, 0, to, NUMA_NO_NODE);
	if (virt) {
		void *ptr = (exact ? memblock_alloc_exact_nid_raw : memblock_alloc_try_nid_raw)(
		    cells * CELL, align * CELL, from * CELL, to * CELL, nid);
		found = ptr ? virt_to_phys(ptr) : 0;
	} else {
		found = memblock_alloc_range_nid(cells * CELL, align * CELL, from * CELL, to * CELL,
						 nid, exact);
	}
	if (!found) {
		assert_true(!expected || memblock.reserved.cnt == memblock.reserved.max);
		assert_unchanged(&before);
		return;
	}
	assert_int_equal(found, expected * CELL);
	follow_growth(&before.fields.reserved, &memblock.reserved, expected, expected + cells);
	model_add(model.reserved, expected, expected + cells, MODEL_NO_NODE, 0);
}

static void step_cut(void)
{
	unsigned long align = random_align(), amount = 1 + below(NR_CELLS), end;
	unsigned long from = below(NR_CELLS), to = from + 1 + below(NR_CELLS - from);

	if (holds_arrays(0, NR_CELLS))
		return;
	switch (below(4)) {
	case 0:
		memblock_trim_memory(align * CELL);
		model_trim(model.memory, align);
		return;
	case 1:
		end = model_end_of_amount(model.memory, amount);
		memblock_enforce_memory_limit(amount * CELL);
		if (end <= NR_CELLS) {
			model_remove(model.memory, end, NR_CELLS);
			model_remove(model.reserved, end, NR_CELLS);
		}
		return;
	case 2:
		to = model_end_of_amount(model.memory, amount);
		memblock_mem_limit_remove_map(amount * CELL);
		from = 0;
		if (to > NR_CELLS)
			return;
		break;
	default:
		memblock_cap_memory_range(from * CELL, (to - from) * CELL);
	}
	for (unsigned long k = 0; k < NR_CELLS; k++) {
		if (k >= from && k < to)
			continue;
		model_remove(model.reserved, k, k + 1);
		if (!(model.memory[k].flags & MEMBLOCK_NOMAP))
			model_remove(model.memory, k, k + 1);
	}
}

static void start_round(void)
{
	reset();
	memset(&model, 0, sizeof(model));
	memblock.bottom_up = below(2);
	movable_node_enabled = below(4) == 0;
	memblock.current_limit = below(2) ? NR_CELLS * CELL : below(NR_CELLS) * CELL;
	memblock.memory.max = 1 + below(below(2) ? 6 : 128);
	memblock.reserved.max = 1 + below(below(2) ? 6 : 128);
	if (below(2)) {
		memblock_add(0, NR_CELLS * CELL);
		model_add(model.memory, 0, NR_CELLS, MODEL_NO_NODE, 0);
	}
}

void random_against_the_model(void **state)
{
	unsigned long nr_grown = 0;

	(void)state;
	for (unsigned int round = 0; round < 6000; round++) {
		unsigned long max;

		seed = round + 1;
		for (unsigned int warm = 0; warm < 8; warm++)
			below(2);
		start_round();
		max = memblock.memory.max + memblock.reserved.max;
		for (unsigned int step = 0; step < 60; step++) {
			unsigned long kind = below(40);

			if (kind == 0)
				step_cut();
			else if (kind < 12)
				step_alloc();
			else
				step_change();
			compare();
		}
		nr_grown += memblock.memory.max + memblock.reserved.max > max;
	}
	assert_true(nr_grown > 100); /* otherwise growing was hardly tested */
}
