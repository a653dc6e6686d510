/*
 * expect_panic.h: a test's demand that a statement panics.
 */
#ifndef TESTS_HOST_SIM_EXPECT_PANIC_H
#define TESTS_HOST_SIM_EXPECT_PANIC_H

#include <string.h>

#include "mm/zone.h"
#include "tests/host/sim/sim.h"

/*
 * Fails the test unless the statement panics with these words in its message. Afterwards no zone's
 * lock is held, although a panic leaves a lock as it is.
 */
#define EXPECT_PANIC(statement, words)                              \
	do {                                                        \
		jmp_buf jump;                                       \
		sim_panic_jump = &jump;                             \
		if (!setjmp(jump)) {                                \
			statement;                                  \
			sim_panic_jump = NULL;                      \
			fail_msg("no panic: " #statement);          \
		}                                                   \
		sim_panic_jump = NULL;                              \
		for_each_zone(z)                                    \
			z->lock.taken = 0;                          \
		if (!strstr(sim_panic_text, words))                 \
			fail_msg("panic said: %s", sim_panic_text); \
	} while (0)

#endif
