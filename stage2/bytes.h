/*
 * bytes.h: reads little-endian numbers from disk structures and files, at any alignment.
 */
#ifndef FIRSTPAGE_STAGE2_BYTES_H
#define FIRSTPAGE_STAGE2_BYTES_H

#include <stdint.h>

/* Each returns the little-endian number of 16, 32 or 64 bits that begins at p. */
static inline uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static inline uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

#endif
