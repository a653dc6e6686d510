/*
 * bench.h: what the allocator costs on this machine.
 */
#ifndef KERNEL_TEST_BENCH_H
#define KERNEL_TEST_BENCH_H

/*
 * Prints `bench ID VALUE UNIT` lines: ticks of the time stamp counter, and behind them nanoseconds
 * where its rate is known; the cost of calls and loops taken off, medians of 11 runs. Under an
 * emulator that counts instructions a tick is an instruction. only: an id or its beginning, NULL
 * for all. Takes memory and gives it back. 0, or 1 when a row cannot be had (too little memory,
 * Ctrl-C, no such id).
 */
int bench(const char *only);

#endif
