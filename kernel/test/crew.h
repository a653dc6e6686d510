/*
 * crew.h: all CPUs as a crew that does a piece of work together, CPU 0 included.
 *
 * What CPU 0 has to do while the others stand still, it does between two pieces of work, or within
 * one between two calls of crew_meet():
 *
 *	crew_meet();
 *	if (port_cpu_id() == 0)
 *		look_at_memory();
 *	crew_meet();
 *
 * With one CPU a crew is CPU 0 alone, and nothing waits.
 */
#ifndef KERNEL_TEST_CREW_H
#define KERNEL_TEST_CREW_H

#include <stdbool.h>

/*
 * Calls work(argument) on every CPU that is online, at the same time, as cpus_begin() does, and on
 * CPU 0, which calls this. Returns when all have returned. What a CPU wrote by then is visible to
 * the caller, and what the caller wrote before is visible to all.
 */
void crew_run(void (*work)(void *argument), void *argument);

/* Returns how many CPUs the crew has: all that are online. */
unsigned int crew_size(void);

/*
 * Returns when all CPUs of the crew have called it as often as this one in this piece of work. What
 * they wrote before is visible then. It waits with interrupts on; the caller must hold no lock. A
 * CPU that returns from the work while others still meet would leave these waiting for ever.
 */
void crew_meet(void);

/*
 * crew_stop() asks all CPUs to end the work that runs; crew_stopped() returns whether that was
 * asked. So does Ctrl-C, when CPU 0 has finished its own part and waits for the others. Nobody is
 * forced: work that may take long looks at it.
 */
void crew_stop(void);
bool crew_stopped(void);

#endif
