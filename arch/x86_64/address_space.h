/*
 * address_space.h: builds and loads the kernel's own page tables.
 */
#ifndef ARCH_X86_64_ADDRESS_SPACE_H
#define ARCH_X86_64_ADDRESS_SPACE_H

#include "mm/types.h"

/*
 * Maps all of memblock.memory (the direct map) and the kernel's image: text R-X, read-only data
 * R--, data RW-, guard pages not mapped. Nothing else is mapped; page 0 and the loader's one-to-one
 * map are gone. Loads these tables, and makes read-only pages read-only for the kernel too. From
 * then on memblock may allocate anywhere. Panics if memblock has no room for the tables.
 *
 * kernel_phys is the physical address of __kernel_start. With small_direct_map the direct map has
 * only 4 KiB pages, which port_map_frames() needs.
 */
void address_space_init(phys_addr_t kernel_phys, bool small_direct_map);

/* Returns the end of the physical address space, in bytes: CPUID leaf 80000008h has its width. */
phys_addr_t address_space_limit(void);

/* Violations that address_space_check() can find. */
#define ADDRESS_SPACE_PAGE_ZERO  0x01u /* virtual page 0 is mapped */
#define ADDRESS_SPACE_GUARD      0x02u /* a stack's guard page is mapped */
#define ADDRESS_SPACE_TEXT       0x04u /* text writable, or not executable */
#define ADDRESS_SPACE_DATA       0x08u /* data executable, or read-only data writable */
#define ADDRESS_SPACE_DIRECT_MAP 0x10u /* text or read-only data writable by the direct map */

/*
 * Checks the protection of every page of the kernel's image, of its alias in the direct map, of the
 * stacks and of page 0. Returns the violations as bits ADDRESS_SPACE_*, 0 if there is none. NX is
 * checked only if the CPU has it. O(pages of the image).
 */
unsigned int address_space_check(void);

#endif
