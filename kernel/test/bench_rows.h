/*
 * bench_rows.h: the rows of bench(), and what those that are measured by the clock share. Private
 * to the files bench*.c.
 */
#ifndef KERNEL_TEST_BENCH_ROWS_H
#define KERNEL_TEST_BENCH_ROWS_H

#include <stdbool.h>

#include "mm/gfp.h"

/*
 * The rows, by file. Each prints its line `bench ID VALUE UNIT`, or skips the row by one of the
 * functions below. It returns false when something went wrong, or Ctrl-C ended it. All memory that
 * it allocates it frees again, then as well.
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
/* These are skipped on a machine with one node: */
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

/* bench_hotplug.c: adding and removing a DIMM; skipped without one */
bool bench_hotadd(const char *id);    /* its size is the number at the end of the id, in GiB */
bool bench_hotremove(const char *id); /* the same */
bool bench_hotadd_taken(const char *id);
bool bench_remove_hold(const char *id);
bool bench_remove_hold_8(const char *id); /* skipped unless 8 CPUs are online */

/* bench_lines.c: CPU cache lines that travel; skipped where one CPU runs */
bool bench_lines_pair0(const char *id);
bool bench_lines_pair3(const char *id);
bool bench_lines_pair10(const char *id);
bool bench_lines_pass(const char *id);

/* bench_scale.c: what two CPUs do, scale2.*, or all, scale.*, of which there must be more than two;
   skipped without them */
bool bench_scale(const char *id);

/* bench_lock.c: the allocator's lock beside a fair one; prints the rows lock.* all at once; skipped
   where one CPU runs */
bool bench_lock(const char *id);

/*
 * Print a line that says why this machine, or the memory that is free now, does not do for a row:
 * for the reason that is given, or because it needs so many free frames, or a free block of an
 * order. They return true, for the row to return: a row that is skipped has not failed.
 */
__attribute__((format(printf, 2, 3))) bool bench_skip(const char *id, const char *why, ...);
bool bench_skip_frames(const char *id, uint64_t frames);
bool bench_skip_order(const char *id, unsigned int order);

/* Skips a row, and returns true, if an option of mm/debug.h is on: it leaves the frame caches no
   room, and what it does to each frame would take too long, in single steps above all. */
bool bench_skip_debug(const char *id);

/* Returns whether there is memory for an allocation of this order. */
bool bench_can_allocate(unsigned int order);

/*
 * Returns true if Ctrl-C was typed. May be called often: only some of the calls look at the
 * devices, each of which takes long on a virtual machine.
 */
bool bench_interrupted(void);

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
