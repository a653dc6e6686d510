/*
 * selftest.h: tests that the kernel runs on itself, on the machine that it has booted.
 */
#ifndef KERNEL_TEST_SELFTEST_H
#define KERNEL_TEST_SELFTEST_H

#include <stdbool.h>

/*
 * Runs all tests and prints a line for each, in the form of KTAP (Documentation/dev-tools/ktap.rst
 * of Linux). Returns the number of tests that failed. Ctrl-C ends it after the running test, which
 * counts as one more failure. All memory that the tests allocate is freed again.
 */
int selftest(void);

/*
 * Runs the longest of these tests, which has a file of its own: interrupts that use the allocator.
 * Returns NULL, or in words what is wrong.
 */
const char *selftest_irq(void);

/* Returns whether selftest_irq() can run here: it needs a zone with enough frames. */
bool selftest_irq_applies(void);

#endif
