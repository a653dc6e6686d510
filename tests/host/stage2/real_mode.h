/*
 * real_mode.h: finds what a segment and an offset mean in a host program, whose addresses have more
 * bits.
 */
#ifndef TESTS_HOST_STAGE2_REAL_MODE_H
#define TESTS_HOST_STAGE2_REAL_MODE_H

#include <stdint.h>

/*
 * Returns the address that segment:offset means. Both hold only its low 20 bits; the rest comes
 * from near, an address less than 512 KiB from it, such as that of another static variable.
 */
static inline void *real_pointer(uint16_t segment, uint32_t offset, const void *near)
{
	uint32_t low = ((uint32_t)segment << 4) + (offset & 0xffff);
	int32_t distance = (int32_t)((low - (uint32_t)(uintptr_t)near) << 12) >> 12;

	return (void *)((uintptr_t)near + (uintptr_t)(intptr_t)distance);
}

#endif
