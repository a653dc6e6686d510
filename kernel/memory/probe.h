/*
 * probe.h: finds RAM that the map claims but the machine lacks, before the kernel relies on it.
 *
 * The probe writes single words of the memory that memblock has not reserved, and reads them back:
 * in the first and the last frame of each range, and in one frame every 256 MiB (every 16 MiB below
 * 256 MiB). It does not write reserved memory, which is in use, and so must be there. RAM that is
 * missing between two of these frames is not found by the probe; memtest finds it.
 */
#ifndef KERNEL_MEMORY_PROBE_H
#define KERNEL_MEMORY_PROBE_H

#include "mm/types.h"

/*
 * Removes from memblock the RAM that is not there, and logs each range. To be called once, before
 * anything is allocated from memblock and while the functions of early_access.h may be used. Panics
 * when memblock has no room. O(frames that are probed).
 */
void probe_memory(void);

/* Prints the ranges that probe_memory() has removed, one a line, and how many more there were. */
void probe_print(print_fn print);

#endif
