/*
 * breakpoints.h: places where a debugger stops. They do nothing.
 */
#ifndef ARCH_X86_64_BREAKPOINTS_H
#define ARCH_X86_64_BREAKPOINTS_H

void bp_memblock(void); /* memblock has all RAM and all that is in use */
void bp_mem_map(void);  /* every frame of RAM has a descriptor */
void bp_buddy(void);    /* the allocator has all free memory */

#endif
