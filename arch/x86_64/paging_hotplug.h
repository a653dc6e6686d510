/*
 * paging_hotplug.h: page tables of memory that is added while the kernel runs, and removed again:
 * the work of the functions in mm/port.h that have to do with it. Like paging.h this uses no
 * control register.
 */
#ifndef ARCH_X86_64_PAGING_HOTPLUG_H
#define ARCH_X86_64_PAGING_HOTPLUG_H

#include "mm/port.h"

/* Does the work of port_tables_of(). */
uint64_t paging_tables_of(phys_addr_t base, uint64_t size);

/*
 * Does the work of port_map_memory(). Panics if part of the range or of its descriptors is mapped
 * already.
 */
int paging_map_memory(const struct port_memory *m);

/* Does the work of port_unmap_memory(). Flushes by port_flush_memory(). */
void paging_unmap_memory(const struct port_memory *m);

#endif
