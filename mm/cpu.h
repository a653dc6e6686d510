/* SPDX-License-Identifier: MIT */
/*
 * cpu.h: CPUs that come while the kernel runs.
 *
 * The first MM_STATIC_CPUS CPUs (port.h) have static memory and need nothing of this. What any
 * other costs is supplied when it comes, best from its own node. A CPU that has come stays.
 */
#ifndef MM_CPU_H
#define MM_CPU_H

#include "mm/types.h"

/* Returns how many bytes the allocator needs for a CPU: 27 KiB. */
uint64_t mm_cpu_bytes(void);

/*
 * Makes a CPU one that may use the allocator, before it does. cpu is a number below MM_MAX_CPUS, of
 * which set_cpu_numa_node() (numa.h) has told the node before zones_init(). memory has
 * mm_cpu_bytes() bytes, all 0, at a multiple of MM_LINE, and stays the allocator's.
 *
 * It is called by one CPU at a time, before zones_init() or after zones_finish(). When the last CPU
 * has come, mm_divide_caches() is to be called. O(caches of a CPU).
 *
 * From this call on port_on_each_cpu() may ask the CPU. It must not do so before.
 */
void mm_add_cpu(unsigned int cpu, void *memory);

/*
 * Divides what the frame caches of a zone may hold among all CPUs that port_nr_cpus() counts, and
 * empties them. To be called whenever port_nr_cpus() has changed, and so once all CPUs have
 * started, even if all have static memory. Called where port_may_wait() returns true. A cache that
 * a request of another CPU keeps shut meanwhile may keep its old limits: call it again.
 */
void mm_divide_caches(void);

/*
 * Takes back what mm_add_cpu() was given, for a CPU that has not used the allocator and will not.
 * No other CPU uses the allocator meanwhile.
 */
void mm_remove_cpu(unsigned int cpu);

#endif
