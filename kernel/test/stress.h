/*
 * stress.h: the allocator at work, for everybody to see.
 */
#ifndef KERNEL_TEST_STRESS_H
#define KERNEL_TEST_STRESS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A round fills memory to a share or empties it to one, in turn 90, 30, 70, 10 %, with allocations
 * of random orders from all zones freed in random order, and replaces an eighth of them. All is
 * given back in the end. alive: the picture is shown, about ten times a second, and its keys work;
 * else it is printed after the first round and after the last. 0, or 1 when there is no memory to
 * begin with, when a frame is missing in the end or mm_check() objects.
 */
int stress(uint64_t rounds, uint64_t seed, bool alive);

#endif
