/*
 * report.h: memory in words, for the boot's log, the monitor's commands and a panic.
 *
 * What a panic calls takes no lock and writes nothing, and says what there is so far: memblock
 * before the allocator stands, zones after.
 */
#ifndef KERNEL_MEMORY_REPORT_H
#define KERNEL_MEMORY_REPORT_H

#include "mm/zone.h"

/* Prints each correction of the firmware's map, one a line. */
void report_corrections(print_fn print);

/*
 * Prints physical memory by use, in the form of Linux's /proc/iomem: the ranges of the corrected
 * map, the parts of the kernel's image inside their range, and memory that was added.
 */
void report_iomem(print_fn print);

/*
 * Writes the name of a zone, and its node if there are several: "DMA32", "DMA32 of node 1". A zone
 * without RAM is of no node. Returns text.
 */
#define ZONE_TEXT 32
const char *zone_text(const struct zone *z, char text[ZONE_TEXT]);

/* Logs memory in a few lines, for a panic: the totals, and a line for each zone. */
void report_state(void);

/*
 * Logs what is known of a virtual address, for the report of an exception: the guard page or null
 * pointer that it hits, how it is mapped, and what the frame behind it is.
 */
void report_address(uintptr_t virt);

#endif
