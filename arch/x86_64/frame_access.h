/*
 * frame_access.h: reads and writes frames that nothing maps, by a spare page of addresses that is
 * moved over them. early_access.h does the same before address_space_init(), this after it. Only
 * one thread may use it at a time. Host programs have functions of their own for it.
 */
#ifndef ARCH_X86_64_FRAME_ACCESS_H
#define ARCH_X86_64_FRAME_ACCESS_H

#include "mm/types.h"

/* Reserves the page of addresses and makes its tables, so that nothing else here needs memory. */
void frame_access_init(void);

/*
 * Moves the page over the frame at phys, which is below address_space_limit(). Returns the page's
 * address, at which the frame can be read and written until the next call of this file.
 */
void *frame_show(phys_addr_t phys);

/* Writes the word at phys, a multiple of 8. It has left the CPU caches before the next access. */
void frame_write(phys_addr_t phys, uint64_t value);

/*
 * Returns the word at phys, a multiple of 8. It comes from memory itself if frame_write() was the
 * last that accessed its line.
 */
uint64_t frame_read(phys_addr_t phys);

/* Leaves the page without a frame. Call it after the last access. */
void frame_hide(void);

#endif
