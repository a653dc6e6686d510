/*
 * selftest.h: tests that the kernel runs on itself, on the machine that it has booted.
 */
#ifndef KERNEL_TEST_SELFTEST_H
#define KERNEL_TEST_SELFTEST_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Runs all tests and prints a line for each, in the form of KTAP (Documentation/dev-tools/ktap.rst
 * of Linux). Returns the number of tests that failed. Ctrl-C ends it after the running test, which
 * counts as one more failure. All memory that the tests allocate is freed again.
 */
int selftest(void);

/* Makes the result of a test that cannot run, from the reason, which begins with "needs". */
#define SELFTEST_SKIP(reason) "SKIP " reason

/* Returns whether a result that is not NULL is one of SELFTEST_SKIP(). */
bool selftest_is_skip(const char *result);

/* Prints how far a test is, as a comment, if nothing was printed for some seconds. */
void selftest_progress(const char *what, uint64_t done, uint64_t all);

/*
 * Runs the longest of these tests, which has a file of its own: interrupts that use the allocator.
 * Returns NULL, or in words what is wrong, or why it cannot run. It takes seconds on a processor, a
 * minute or two where each of its single steps takes long, as on a virtual machine; a line of
 * comment comes every few seconds.
 */
const char *selftest_irq(void);

/*
 * Those of the tests for which all CPUs work together (selftest_cpus.c). Each returns NULL, or in
 * words what is wrong, or why it cannot run. With one CPU they do the same on that.
 */
const char *selftest_areas(void);   /* each CPU has its number, its area and its stacks */
const char *selftest_calls(void);   /* port_on_each_cpu() reaches each CPU once */
const char *selftest_frames(void);  /* what all CPUs allocate at once is distinct */
const char *selftest_foreign(void); /* what another CPU has allocated can be freed */
const char *selftest_last(void);    /* an allocation gets what is in other CPUs' frame caches */

/* Calls test() on other CPUs than CPU 0, one after the other; on CPU 0 if there is no other.
   Returns what the first one returned that found something, or NULL. */
const char *selftest_elsewhere(const char *(*test)(void));

#endif
