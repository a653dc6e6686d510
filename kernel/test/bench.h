/*
 * bench.h: measures what the allocator costs on this machine.
 */
#ifndef KERNEL_TEST_BENCH_H
#define KERNEL_TEST_BENCH_H

#include <stdbool.h>

/*
 * Measures the row with the id `only`; or, if there is none, the rows whose id begins so; or all
 * rows if it is NULL. Prints each as a line `bench ID VALUE UNIT`. Times are in ticks of the time
 * stamp counter, followed by nanoseconds if its rate is known; in an emulator that counts
 * instructions, a tick is one instruction. The cost of loops and of reading the clock is
 * subtracted. All memory that is allocated is freed again.
 *
 * Returns 0, or 1 if there is no such row, a row could not be measured because of Ctrl-C or too
 * little memory, or mm_check() found errors in the end.
 */
int bench(const char *only);

#endif
