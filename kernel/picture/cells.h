/*
 * cells.h: what a range of frames holds, for the picture of memory.
 *
 * Two layers. An *area* is a stretch that the firmware's map and memblock tell apart: RAM in use by
 * this kernel, or one kind of everything else. Within RAM, memblock.reserved, the kernel's image,
 * mem_map and the allocator's bits say more. Counts come from ranges and from whole blocks, never
 * frame by frame, so that a terabyte costs a fraction of a second.
 *
 * A frame that is not whole RAM belongs to the first range that touches it and is not RAM.
 */
#ifndef KERNEL_PICTURE_CELLS_H
#define KERNEL_PICTURE_CELLS_H

#include "mm/types.h"

enum map_kind {
	MAP_ABSENT,   /* the firmware's map says nothing */
	MAP_FIRMWARE, /* reserved by it */
	MAP_ACPI,
	MAP_NVS,
	MAP_UNUSABLE,
	MAP_PMEM,
	MAP_LEFT_OUT, /* RAM by the map, not in memblock: mem=, not there, not addressable */
	MAP_RESERVED, /* from here on RAM: in memblock.reserved, and none of the next two */
	MAP_KERNEL,
	MAP_MEM_MAP,
	MAP_USED,
	MAP_FREE,
	NR_MAP_KINDS
};

/* "free", "in use", … */
extern const char *const map_kind_names[NR_MAP_KINDS];

struct map_area {
	pfn_t start, end; /* maximal, but for neighbouring regions of memblock.memory */
	bool ram;
	enum map_kind kind; /* of what is not RAM */
};

struct map_cell {
	uint64_t frames[NR_MAP_KINDS];
};

/*
 * Once, after mem_map_init(): where the kernel's image is, and, from the page tables, where mem_map
 * is. Of a mem_map in more than MAP_MAX_PIECES pieces the rest is just reserved.
 */
#define MAP_MAX_PIECES 128
void map_cells_init(pfn_t kernel_start, pfn_t kernel_end);

/* One frame after the last that any map knows of; MM_MAX_PFN at most. */
pfn_t map_end(void);

/* The area that the frame lies in; pfn < map_end(). O(ranges). */
struct map_area map_area(pfn_t pfn);

/* What [start, end) holds. The caches are drained: a cached frame would count as in use. */
void map_count(pfn_t start, pfn_t end, struct map_cell *cell);

#endif
