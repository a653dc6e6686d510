/*
 * ram.h: the example's machine. Its RAM is a file: an offset is a physical address.
 */
#ifndef EXAMPLE_RAM_H
#define EXAMPLE_RAM_H

#include "mm/types.h"

/* RAM for [0, end), seen from MM_DIRECT_MAP on: what a kernel has when its direct map stands. */
void ram_init(phys_addr_t end);

#endif
