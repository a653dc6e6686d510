/*
 * setup.h: the steps of start_kernel() that set up memory, and the figures that they measure.
 *
 * The functions are called once each, in the order in which they stand here. Three of them call one
 * of the empty functions of arch/x86_64/breakpoints.h, at which a debugger can stop:
 * memblock_setup() and mem_map_setup() as the last thing they do, buddy_setup() before it logs the
 * totals.
 */
#ifndef KERNEL_MEMORY_SETUP_H
#define KERNEL_MEMORY_SETUP_H

#include "mm/types.h"

/*
 * Logs the firmware's entries in Linux's form and corrects them, together with those of the option
 * memmap=. Panics if there is no usable RAM.
 */
void e820_setup(void);

/*
 * Fills memblock with the RAM, of which mem= may leave some out, reserves what is in use, and keeps
 * allocations below 4 GiB. Logs the whole map if mem= or memmap= has changed it.
 */
void memblock_setup(void);

/* Removes from memblock the RAM that is not there: probe.h. */
void probe_setup(void);

/*
 * Makes the NUMA nodes by ACPI's tables or the option numa=, and logs them if there are several.
 * Then replaces the loader's page tables by the kernel's own, with the direct map and the image,
 * and gives the loader's memory back to memblock, which may allocate anywhere from then on.
 */
void paging_setup(void);

/* Tests all free memory if the option memtest= asks for it: memtest.h. */
void memtest_setup(void);

/* Makes descriptors for all RAM: mm/page.h. */
void mem_map_setup(void);

/*
 * Makes the zones and hands all memory over that memblock has not reserved. Checks that a page can
 * be allocated, and logs the totals.
 */
void buddy_setup(void);

/* Figures of the setup, for the log, `meminfo` and `bench`. */
struct mm_report {
	uint64_t mem_map_bytes;   /* size of the backed part of mem_map */
	uint64_t mem_map_touched; /* bytes of it written up to the first page handed out */
	uint64_t left_out;        /* bytes of RAM that cannot be addressed */
	uint64_t setup_cycles;    /* ticks from raw entries to first page; output, tests excluded */
	uint64_t probe_cycles;    /* ticks that the probe took */
	/* Returns the size of the page tables. Null until the kernel's own are used. */
	uint64_t (*count_page_table_bytes)(void);
};
extern struct mm_report mm_report;

/*
 * Fills parts with the parts of the kernel's image, by rising physical address. Returns their
 * number, MM_IMAGE_PARTS.
 */
#define MM_IMAGE_PARTS 4
struct mm_image_part {
	const char *name;
	phys_addr_t base, end;
};
unsigned int mm_image_parts(struct mm_image_part parts[MM_IMAGE_PARTS]);

#endif
