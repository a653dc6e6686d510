/*
 * bench.h: measures what the allocator costs on this machine.
 */
#ifndef KERNEL_TEST_BENCH_H
#define KERNEL_TEST_BENCH_H

#include <stddef.h>

/*
 * Measures the row with the id `only`; or, if there is none, the rows whose id begins so; or all
 * rows if it is NULL. Prints each as a line `bench ID VALUE UNIT`. Times are in ticks of the time
 * stamp counter, followed by nanoseconds if its rate is known; in an emulator that counts
 * instructions, a tick is one instruction. The cost of loops and of reading the clock is
 * subtracted. All memory that is allocated is freed again.
 *
 * A row for which the machine, or what is free of its memory, does not do prints the reason, as
 * `bench ID: skipped, REASON`. Ctrl-C ends the row that runs, and no other follows.
 *
 * Returns 0, also if all rows were skipped; or 1 if there is no such row, Ctrl-C was typed, a row
 * failed or lost memory, or mm_check() found errors in the end.
 */
int bench(const char *only);

/* Returns the id of row number i, from 0 on, in the order in which they run; NULL after the last.
 */
const char *bench_id(size_t i);

#endif
