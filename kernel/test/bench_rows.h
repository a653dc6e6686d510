/*
 * bench_rows.h: the rows of bench(), and what those that are measured by the clock share. Private
 * to the files bench*.c.
 */
#ifndef KERNEL_TEST_BENCH_ROWS_H
#define KERNEL_TEST_BENCH_ROWS_H

#include "mm/gfp.h"

/*
 * The rows, by file. Each prints its line `bench ID VALUE UNIT`, or returns false when it cannot
 * measure the row: there is too little memory.
 */

/* bench_calls.c: what calls cost on average */
bool bench_pair0(const char *id);
bool bench_pair(const char *id); /* the order is the number at the end of the id, 1 to 18 */
bool bench_bulk0_alloc(const char *id);
bool bench_bulk0_free(const char *id);
bool bench_random0(const char *id);
bool bench_random3(const char *id);
bool bench_mixed50(const char *id);
bool bench_shuffled0_free(const char *id);
bool bench_contig(const char *id);
/* These print nothing on a machine with one node: */
bool bench_pair0_local(const char *id);
bool bench_pair0_remote(const char *id);
bool bench_pair0_spill(const char *id);

/* bench_worst.c: the worst single call */
bool bench_worst0_alloc(const char *id);
bool bench_worst0_free(const char *id);
bool bench_worst0_wait(const char *id);
bool bench_worst3_alloc(const char *id);

/* bench_hold.c: the longest hold of a lock, in instructions */
bool bench_hold(const char *id);

/* Returns the longest sequence of instructions of a call with interrupts off: see bench_hold.c. */
uint64_t bench_longest_hold(void (*call)(void));

/* The same while other CPUs take the locks too: the time in which the call waits for one does not
   count. */
uint64_t bench_longest_hold_beside(void (*call)(void));

/* bench_hotplug.c: adding and removing a DIMM; these print nothing without one */
bool bench_hotadd(const char *id);    /* its size is the number at the end of the id, in GiB */
bool bench_hotremove(const char *id); /* the same */
bool bench_hotadd_taken(const char *id);
bool bench_remove_hold(const char *id);
bool bench_remove_hold_8(const char *id); /* prints nothing unless 8 CPUs are online */

/* bench_lines.c: CPU cache lines that travel; these print that they need two CPUs where one runs */
bool bench_lines_pair0(const char *id);
bool bench_lines_pair3(const char *id);
bool bench_lines_pair10(const char *id);
bool bench_lines_pass(const char *id);

/* bench_scale.c: what two CPUs do, scale2.*, or all, scale.*, of which there must be more than two;
   prints nothing without them */
bool bench_scale(const char *id);

/* bench_lock.c: the allocator's lock beside a fair one; prints the rows lock.* all at once */
bool bench_lock(const char *id);

/* The random numbers: each row begins with BENCH_SEED. Returns one below limit. */
#define BENCH_SEED 1
extern uint64_t bench_seed;
uint64_t bench_random(uint64_t limit);

/* Returns the median of nr values, which it sorts. */
uint64_t bench_median(uint64_t values[], unsigned int nr);

/* Prints a line with tenths of a tick, and with the same in nanoseconds if the rate is known. */
void bench_print_tenths(const char *id, uint64_t tenths);

/* Prints a line with thousandths of a unit. */
void bench_print_thousandths(const char *id, uint64_t thousandths, const char *unit);

#endif
