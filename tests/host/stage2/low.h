/*
 * low.h: memory at physical addresses that stage2 uses as they are, for host tests.
 */
#ifndef TESTS_HOST_STAGE2_LOW_H
#define TESTS_HOST_STAGE2_LOW_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/*
 * Maps zeroed memory at [base, base + size), whole pages, and returns its address, or ends the
 * program. It lies below all that a host program has of its own; Linux allows 64 KiB and more.
 */
static inline uint8_t *map_at(uintptr_t base, size_t size)
{
	void *at = mmap((void *)base, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (at != (void *)base) {
		perror("no memory where stage2 expects it");
		exit(1);
	}
	return at;
}

#endif
