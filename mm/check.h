/* SPDX-License-Identifier: MIT */
/*
 * check.h: the validator of the whole allocator.
 */
#ifndef MM_CHECK_H
#define MM_CHECK_H

/*
 * Recomputes every invariant of zone.h and cache.h from memblock, the bits and the descriptors.
 * Prints each violation (at most 16) as "mm_check: B3: …" and returns how many there are.
 * O(frames in open blocks + gibs). It takes no lock: no other CPU, and no thread, is
 * in the middle of a call of mm/.
 */
unsigned long mm_check(void);

#endif
