/*
 * cells.h: what a range of frames holds, for the picture of memory.
 *
 * Two layers. An *area* is a stretch that the firmware's map and memblock tell apart: RAM in use by
 * this kernel, or one kind of everything else; what is being added or removed is an area, too.
 * Within RAM, memblock.reserved, the kernel's image, mem_map and the allocator's bits say more.
 * Counts come from ranges and from whole blocks, never frame by frame, so that a terabyte costs a
 * fraction of a second.
 *
 * A frame that is not whole RAM belongs to the first range that touches it and is not RAM.
 */
#ifndef KERNEL_PICTURE_CELLS_H
#define KERNEL_PICTURE_CELLS_H

#include "mm/types.h"

enum picture_kind {
	KIND_ABSENT,   /* the firmware's map says nothing */
	KIND_FIRMWARE, /* reserved by it */
	KIND_ACPI,
	KIND_NVS,
	KIND_UNUSABLE,
	KIND_PMEM,
	KIND_LEFT_OUT, /* RAM by the map, not in memblock: mem=, not there, not addressable */
	KIND_ADDING,   /* hotplug_work: RAM in a moment, or RAM until now */
	KIND_LEAVING,
	KIND_RESERVED, /* from here on RAM: in memblock.reserved, and none of the next two */
	KIND_KERNEL,
	KIND_MEM_MAP,
	KIND_USED,
	KIND_FREE,
	NR_KINDS
};

/* The name of each kind in the legend: "free", "in use", … */
extern const char *const picture_kind_names[NR_KINDS];

struct picture_area {
	pfn_t start, end;       /* neighbouring regions of memblock.memory are areas of their own */
	bool ram;               /* also if it is being added or removed */
	bool mixed;             /* its frames are of several kinds: RAM that stays */
	enum picture_kind kind; /* of all its frames, if it is not mixed */
};

/* How many frames of each kind a range of frames has. */
struct picture_cell {
	uint64_t frames[NR_KINDS];
};

/*
 * Notes where the kernel's image lies, [kernel_start, kernel_end), and looks up in the page tables
 * where mem_map lies. Needed after mem_map_init(), before anything is counted, and again when
 * memory was added or removed. Of a mem_map in more than PICTURE_MAX_PIECES pieces the rest counts
 * as reserved.
 */
#define PICTURE_MAX_PIECES 128
void picture_cells_init(pfn_t kernel_start, pfn_t kernel_end);

/*
 * Returns the end of what the picture shows: one frame after the last of the firmware's map, of
 * memblock and of what is being added, MM_MAX_PFN at most.
 */
pfn_t picture_end_pfn(void);

/* Returns the area that the frame pfn lies in; pfn < picture_end_pfn(). O(ranges). */
struct picture_area picture_area_at(pfn_t pfn);

/*
 * Fills cell with what the frames [start, end) hold. The caller has called drain_all_pages(), as a
 * frame in a frame cache would count as in use.
 */
void picture_count(pfn_t start, pfn_t end, struct picture_cell *cell);

/* Returns whether the machine has several nodes: with one alone, the picture does not show it. */
bool picture_has_nodes(void);

/* Returns the nodes that have RAM among the frames [start, end): bit i is node i's. O(ranges). */
uint64_t picture_nodes(pfn_t start, pfn_t end);

#endif
