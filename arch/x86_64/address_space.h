/*
 * address_space.h: the kernel's own page tables, made and loaded.
 */
#ifndef ARCH_X86_64_ADDRESS_SPACE_H
#define ARCH_X86_64_ADDRESS_SPACE_H

#include "mm/types.h"

/*
 * Direct map of memblock.memory, the kernel's image (text R-X, read-only data R--, data RW-, guard
 * pages out), nothing else: page 0 and the loader's one-to-one map are gone. Loads the tables, with
 * write protection for the kernel itself. memblock may allocate anywhere from then on.
 * kernel_phys: where __kernel_start lies. small_direct_map: of 4 KiB pages, for port_map_frames().
 */
void address_space_init(phys_addr_t kernel_phys, bool small_direct_map);

/* Physical addresses end here: CPUID 80000008h. */
phys_addr_t address_space_limit(void);

/* What an address space must keep: bits of address_space_check(). 0: all of it holds. */
#define ADDRESS_SPACE_PAGE_ZERO  0x01u /* virtual page 0 is mapped */
#define ADDRESS_SPACE_GUARD      0x02u /* a stack's guard page is mapped */
#define ADDRESS_SPACE_TEXT       0x04u /* text writable, or not executable */
#define ADDRESS_SPACE_DATA       0x08u /* data executable, or read-only data writable */
#define ADDRESS_SPACE_DIRECT_MAP 0x10u /* text or read-only data writable by the direct map */

/* Walks the tables at the borders of every section and stack; NX bits count where there is NX. */
unsigned int address_space_check(void);

#endif
