/*
 * selftest.h: the kernel's own tests, on the machine that it runs on.
 */
#ifndef KERNEL_TEST_SELFTEST_H
#define KERNEL_TEST_SELFTEST_H

#include <stdbool.h>

/*
 * Prints KTAP (Documentation/dev-tools/ktap.rst of Linux), one line a test. Returns how many
 * failed. Takes memory and gives all of it back. Ctrl-C ends it between two tests, as a failure.
 */
int selftest(void);

/* One of them, a long one: selftest_irq.c. NULL, or what is wrong. */
const char *selftest_irq(void);
bool selftest_irq_applies(void); /* whether a zone is large enough for a cache to interrupt */

#endif
