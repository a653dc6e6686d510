/*
 * early_access.h: single words of physical memory, past the caches, before the direct map stands.
 *
 * Between traps_init() and address_space_init(), on the loader's tables, for any address that the
 * CPU can put out. The word is memory's own: what is written has left the caches before the next
 * access begins, what is read was fetched anew.
 */
#ifndef ARCH_X86_64_EARLY_ACCESS_H
#define ARCH_X86_64_EARLY_ACCESS_H

#include "mm/types.h"

/* phys is a multiple of 8. */
void early_write(phys_addr_t phys, uint64_t value);
uint64_t early_read(phys_addr_t phys);

/* The loader's tables are again as they were: after the last of such accesses. */
void early_access_end(void);

#endif
