/*
 * model.h: a naive model of memblock: an array of cells, one for each KiB of a machine of 256 KiB.
 *
 * A region is by definition a maximal run of cells that are alike, so the model keeps no regions:
 * it finds them in the cells. Nothing here is fast or clever, so that it is easily seen to be
 * right.
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

/* Returns the end of the run of cells that are like cell i, and begins with it. */
static unsigned long model_run_end(const struct cell *line, unsigned long i)
{
	unsigned long end = i + 1;

	while (end < NR_CELLS && cells_alike(&line[end], &line[i]))
		end++;
	return end;
}

/* Fills regions with those of a line of cells, and returns their number. */
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

/* Returns where the lowest `cells` cells of memory end, or NR_CELLS + 1 when there are fewer. */
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

/* Returns whether these cells are free memory of one region, of node nid if that is a node. */
static bool model_fits(const struct model *model, unsigned long at, unsigned long cells, int nid)
{
	for (unsigned long i = at; i < at + cells; i++)
		if (!model_is_usable(&model->memory[i], nid) || model->reserved[i].present ||
		    !cells_alike(&model->memory[i], &model->memory[at]))
			return false;
	return true;
}

/*
 * Returns the cell at which memblock must place an allocation within [from, to), or 0 if there is
 * no room. All numbers are in cells.
 */
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
