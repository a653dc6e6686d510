/*
 * counted.h: counts instructions with Callgrind, in a program that is built with SIM_CALLGRIND; in
 * others, its marks do nothing.
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

/*
 * Calls work(), and makes Callgrind write a dump with the number of instructions under this name,
 * which has letters, digits and _ only.
 */
static inline void count_instructions(const char *name, void (*work)(void))
{
	CALLGRIND_ZERO_STATS;
	CALLGRIND_TOGGLE_COLLECT;
	work();
	CALLGRIND_TOGGLE_COLLECT;
	CALLGRIND_DUMP_STATS_AT(name);
}

#endif
