/*
 * ram.h: the example's machine. A file is its RAM; an offset in the file is a physical address.
 */
#ifndef EXAMPLE_RAM_H
#define EXAMPLE_RAM_H

#include "mm/types.h"

/* Makes RAM for [0, end) and maps it at MM_DIRECT_MAP, as a kernel does with its direct map. */
void ram_init(phys_addr_t end);

#endif
