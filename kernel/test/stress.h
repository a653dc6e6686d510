/*
 * stress.h: works the allocator at random, and shows memory meanwhile.
 */
#ifndef KERNEL_TEST_STRESS_H
#define KERNEL_TEST_STRESS_H

#include <stdint.h>

enum stress_display {
	STRESS_LIVE,    /* the picture on the screens, about ten times a second, with its keys */
	STRESS_PRINTED, /* the picture as text, after the first round and after the last */
};

/*
 * Allocates blocks of random orders from all zones, and frees them in random order. In each round
 * the share of memory that is in use goes up or down to 90, 30, 70 and 10 % in turn, and an eighth
 * of the blocks is replaced. seed chooses the random numbers. All memory is freed in the end.
 *
 * q or Ctrl-C ends a live picture, the last of which stays on the screens, above the report; a line
 * that is typed meanwhile is kept for the prompt.
 *
 * Returns 0, or 1 if there was too little memory to begin, frames were missing in the end, or
 * mm_check() found errors.
 */
#define STRESS_MAX_ROUNDS 1000000u
int stress(uint64_t rounds, uint64_t seed, enum stress_display display);

#endif
