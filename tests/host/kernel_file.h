/*
 * kernel_file.h: the trailer that scripts/seal-kernel.py appends to a kernel, for tests that make
 * their own kernel files.
 */
#ifndef TESTS_HOST_KERNEL_FILE_H
#define TESTS_HOST_KERNEL_FILE_H

#include <stdint.h>
#include <string.h>

#include "lib/crc32.h"

#define TRAILER_BYTES 16u

/* Writes the trailer that fits the first size bytes of file behind them. */
static inline void kernel_seal(uint8_t *file, uint32_t size)
{
	static const char mark[8] = { '1', 's', 't', 'p', 'S', 'E', 'A', 'L' };
	uint32_t trailer[2] = { size, crc32(file, size) };

	memcpy(file + size, mark, sizeof(mark));
	memcpy(file + size + sizeof(mark), trailer, sizeof(trailer));
}

#endif
