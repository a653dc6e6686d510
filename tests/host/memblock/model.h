/*
 * model.h: memblock as an array of cells, one per KiB of a 256 KiB machine.
 *
 * A region is by definition a maximal run of cells that are alike, so the model has no regions to
 * keep: they are read off. Nothing here is fast or clever; that is the point.
 */
#ifndef TESTS_HOST_MEMBLOCK_MODEL_H
#define TESTS_HOST_MEMBLOCK_MODEL_H

#include <string.h>

#include "mm/memblock.h"

#define CELL          1024ul
#define NR_CELLS      256ul
#define PAGE_CELLS    (PAGE_SIZE / CELL)
#define MODEL_NO_NODE MAX_NUMNODES

struct cell {
	bool present;
	int nid;
	unsigned int flags;
};

struct model {
	struct cell memory[NR_CELLS];
	struct cell reserved[NR_CELLS];
};

static bool cells_alike(const struct cell *a, const struct cell *b)
{
	return a->present == b->present && a->nid == b->nid && a->flags == b->flags;
}

static void model_add(struct cell *line, unsigned long from, unsigned long to, int nid,
		      unsigned int flags)
{
	for (unsigned long i = from; i < to; i++)
		if (!line[i].present)
			line[i] = (struct cell){ true, nid, flags };
}

static void model_remove(struct cell *line, unsigned long from, unsigned long to)
{
	for (unsigned long i = from; i < to; i++)
		line[i] = (struct cell){ 0 };
}

static void model_set(struct cell *line, unsigned long from, unsigned long to, unsigned int set,
		      unsigned int clear, const int *nid)
{
	for (unsigned long i = from; i < to; i++) {
		if (!line[i].present)
			continue;
		line[i].flags = (line[i].flags | set) & ~clear;
		if (nid)
			line[i].nid = *nid;
	}
}

/* The end of the run that cell i is in. */
static unsigned long model_run_end(const struct cell *line, unsigned long i)
{
	unsigned long end = i + 1;

	while (end < NR_CELLS && cells_alike(&line[end], &line[i]))
		end++;
	return end;
}

static unsigned long model_regions(const struct cell *line, struct memblock_region *regions)
{
	unsigned long nr = 0, end;

	for (unsigned long i = 0; i < NR_CELLS; i = end) {
		end = model_run_end(line, i);
		if (line[i].present)
			regions[nr++] = (struct memblock_region){ i * CELL, (end - i) * CELL,
								  line[i].flags, line[i].nid };
	}
	return nr;
}

static void model_trim(struct cell *line, unsigned long align_cells)
{
	struct memblock_region regions[NR_CELLS];
	unsigned long nr = model_regions(line, regions);

	for (unsigned long k = 0; k < nr; k++) {
		unsigned long from = regions[k].base / CELL, to = from + regions[k].size / CELL;
		unsigned long up = (from + align_cells - 1) / align_cells * align_cells;
		unsigned long down = to / align_cells * align_cells;

		if (up >= down) {
			model_remove(line, from, to);
		} else {
			model_remove(line, from, up);
			model_remove(line, down, to);
		}
	}
}

/* Where the lowest `cells` cells of memory end; NR_CELLS + 1 when there are fewer. */
static unsigned long model_end_of_amount(const struct cell *line, unsigned long cells)
{
	for (unsigned long i = 0; i < NR_CELLS; i++)
		if (line[i].present && !--cells)
			return i + 1;
	return NR_CELLS + 1;
}

static bool model_is_usable(const struct cell *cell, int nid)
{
	return cell->present && !(cell->flags & (MEMBLOCK_NOMAP | MEMBLOCK_DRIVER_MANAGED)) &&
	       !(movable_node_enabled && (cell->flags & MEMBLOCK_HOTPLUG)) &&
	       (!numa_valid_node(nid) || cell->nid == nid);
}

static bool model_fits(const struct model *model, unsigned long at, unsigned long cells, int nid)
{
	for (unsigned long i = at; i < at + cells; i++)
		if (!model_is_usable(&model->memory[i], nid) || model->reserved[i].present ||
		    !cells_alike(&model->memory[i], &model->memory[at]))
			return false;
	return true;
}

/* The cell at which a block is given out, or 0. Bounds in cells. */
static unsigned long model_place(const struct model *model, unsigned long cells,
				 unsigned long align, unsigned long from, unsigned long to, int nid)
{
	unsigned long found = 0;

	if (from < PAGE_CELLS)
		from = PAGE_CELLS;
	for (unsigned long at = from; at + cells <= to; at++) {
		if (at % align || !model_fits(model, at, cells, nid))
			continue;
		found = at;
		if (memblock.bottom_up)
			break;
	}
	return found;
}

#endif
