/*
 * counted.h: Callgrind's marks, in a program that is built with them (SIM_CALLGRIND).
 */
#ifndef TESTS_HOST_BENCH_COUNTED_H
#define TESTS_HOST_BENCH_COUNTED_H

#ifdef SIM_CALLGRIND
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT      (void)0
#define CALLGRIND_ZERO_STATS          (void)0
#define CALLGRIND_DUMP_STATS_AT(name) (void)(name)
#endif

/* Runs it, for a dump of that name (letters, digits and _) to say how many instructions it took. */
static inline void count_instructions(const char *name, void (*work)(void))
{
	CALLGRIND_ZERO_STATS;
	CALLGRIND_TOGGLE_COLLECT;
	work();
	CALLGRIND_TOGGLE_COLLECT;
	CALLGRIND_DUMP_STATS_AT(name);
}

#endif
