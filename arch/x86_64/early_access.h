/*
 * early_access.h: reads and writes single words of physical memory before the direct map exists.
 *
 * It works between traps_init() and address_space_init(), on the loader's page tables, for every
 * address within the CPU's physical address width. Each access reaches memory itself: a written
 * word has left the CPU caches before the next access begins, and a word is read from memory even
 * if a CPU cache had it.
 */
#ifndef ARCH_X86_64_EARLY_ACCESS_H
#define ARCH_X86_64_EARLY_ACCESS_H

#include "mm/types.h"

/* Writes the word at phys, a multiple of 8. */
void early_write(phys_addr_t phys, uint64_t value);

/* Returns the word at phys, a multiple of 8. */
uint64_t early_read(phys_addr_t phys);

/* Restores the loader's page tables. Call it after the last access. */
void early_access_end(void);

#endif
