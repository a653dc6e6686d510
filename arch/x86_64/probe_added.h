/*
 * probe_added.h: tells RAM from addresses that have none, for memory that is added while the kernel
 * runs. kernel/memory/probe.c does it for the boot, and can leave out a part of a range; here the
 * range is RAM or is refused.
 */
#ifndef ARCH_X86_64_PROBE_ADDED_H
#define ARCH_X86_64_PROBE_ADDED_H

#include "mm/types.h"

/*
 * Returns whether there is RAM at [base, base + size), multiples of 2 MiB, of which nothing is
 * used. Writes and reads at most 66 words. The caller calls frame_hide() afterwards.
 */
bool probe_added_memory(phys_addr_t base, uint64_t size);

#endif
