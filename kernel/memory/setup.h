/*
 * setup.h: the steps of start_kernel() that make memory, and what they have measured.
 *
 * Three of them end with a place where a debugger stops: memblock_setup() with bp_memblock,
 * mem_map_setup() with bp_mem_map; buddy_setup() with bp_buddy, before it logs the totals.
 */
#ifndef KERNEL_MEMORY_SETUP_H
#define KERNEL_MEMORY_SETUP_H

#include "mm/types.h"

/* The firmware's entries, logged in Linux's form, and corrected. Panics when there is no RAM. */
void e820_setup(void);

/* RAM and what is in use, in memblock. */
void memblock_setup(void);

/* Takes out RAM that is not there. */
void probe_setup(void);

/* The kernel's own page tables: direct map and image. */
void paging_setup(void);

/* memtest=: patterns over all free memory. */
void memtest_setup(void);

/* Descriptors for all RAM. */
void mem_map_setup(void);

/* Zones, and all that memblock has not reserved, in the allocator. Logs the totals. */
void buddy_setup(void);

/* What is in force, for meminfo and the log. */
struct mm_report {
	uint64_t mem_map_bytes;
	uint64_t mem_map_touched; /* of them, when the first page was handed out */
	uint64_t left_out;        /* bytes of RAM that cannot be addressed */
	uint64_t setup_cycles;    /* from raw entries to the first page, printing left out */
	uint64_t probe_cycles;
	uint64_t (*page_table_bytes)(void);
};
extern struct mm_report mm_report;

/*
 * Fills parts with where the parts of the kernel's image lie in physical memory, in rising order.
 * Returns how many there are.
 */
#define MM_IMAGE_PARTS 4
struct mm_image_part {
	const char *name;
	phys_addr_t base, end;
};
unsigned int mm_image_parts(struct mm_image_part parts[MM_IMAGE_PARTS]);

#endif
