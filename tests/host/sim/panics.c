/*
 * panics.c: sim_panics() by longjmp(). It has a file of its own, because the web page has another.
 */
#include "tests/host/sim/sim.h"

bool sim_panics(void (*function)(void *argument), void *argument)
{
	jmp_buf *outer = sim_panic_jump, here;
	bool panicked = setjmp(here);

	if (!panicked) {
		sim_panic_jump = &here;
		function(argument);
	}
	sim_panic_jump = outer;
	return panicked;
}
