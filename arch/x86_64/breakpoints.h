/*
 * breakpoints.h: functions that do nothing. Each marks a point of the boot where a debugger can
 * stop.
 */
#ifndef ARCH_X86_64_BREAKPOINTS_H
#define ARCH_X86_64_BREAKPOINTS_H

void bp_memblock(void); /* memblock knows all RAM, and all memory that is in use */
void bp_mem_map(void);  /* every frame of RAM has a descriptor */
void bp_buddy(void);    /* the allocator has received all free memory */
void bp_cpus(void);     /* all CPUs are online */

#endif
