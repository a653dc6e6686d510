/*
 * bench.h: what the files of the host's benchmark share: its machines, its random numbers and its
 * arguments.
 */
#ifndef TESTS_HOST_BENCH_BENCH_H
#define TESTS_HOST_BENCH_BENCH_H

#include "mm/types.h"

#define FRAMES (1u << 20) /* RAM of the machine */

/*
 * Boot a machine of 4 GiB: boot() as QEMU's pc has them, boot_plain() in one piece. The latter has
 * no partly usable blocks at the edges of ranges and zones, which would lower the figures of any
 * allocator.
 */
void boot(void);
void boot_plain(void);

/* Returns zeroed memory for nr elements of this size, or ends the program. */
void *array_of(size_t nr, size_t size);

/* Returns the next number of SplitMix64, the generator of Steele, Lea and Flood. */
static inline uint64_t next_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline uint32_t random_below(uint64_t *seed, uint32_t limit)
{
	return (uint32_t)((next_random(seed) >> 32) * limit >> 32);
}

/* Returns whether main()'s arguments ask for the row: there is none, or one begins its id. */
bool wanted(const char *id, int argc, char **argv);

/* Measures the rows of churn.c that main()'s arguments ask for. Returns how many there are. */
unsigned int churn_rows(int argc, char **argv);

#endif
