/*
 * said.h: stage2's console for host tests: what is printed is kept in said[], and fail() returns to
 * the test. Include it before cmocka.h, which has a macro fail().
 */
#ifndef TESTS_HOST_STAGE2_SAID_H
#define TESTS_HOST_STAGE2_SAID_H

#include <stdbool.h>

#include "stage2/console.h"

/*
 * What say() and fail() have printed, a line each that ends with '\n', and say_more() and say_end()
 * in between. Only step_returns() empties it.
 */
extern char said[8000];

/* Empties said[] and calls step. Returns false if it ended in fail(). */
bool step_returns(void (*step)(void));

/* Calls step, and fails the test unless it ends in fail() with exactly these words: said[]. */
void check_step_fails(void (*step)(void), const char *words);

/* Calls step, and fails the test unless it returns and has printed exactly these words. */
void check_step(void (*step)(void), const char *words);

#endif
