/*
 * probe.h: RAM that the map calls usable and that is not there is found before anything relies on
 * it.
 *
 * Looked at are single words of what memblock has free: of the first and the last frame of each
 * range, and of one frame every 256 MiB (16 MiB in the first 256 MiB). What is reserved is in use,
 * proven by that, and not written. A range that lacks RAM elsewhere is memtest's to find.
 */
#ifndef KERNEL_MEMORY_PROBE_H
#define KERNEL_MEMORY_PROBE_H

#include "mm/types.h"

/*
 * Takes out of memblock what is not there, and says so. Before anything is allocated from it and
 * while early_access.h holds. Panics when memblock has no room to note it. About 150 instructions
 * a frame that is looked at.
 */
void probe_memory(void);

/* What was left out, a range a line. */
void probe_print(print_fn print);

#endif
