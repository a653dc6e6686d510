#include "tools/page/engine.h"

#include <stdio.h>

#include "tests/host/sim/sim.h"
#include "tools/page/memory.h"
#include "tools/page/work.h"
#include "tools/replay/input.h"
#include "tools/replay/job.h"

static char *input_bytes;
static size_t input_size;

void *engine_input(size_t size)
{
	input_bytes = page_memory(size + 1);
	input_size = size;
	return input_bytes;
}

char *engine_text(size_t size)
{
	return page_memory(size + 1);
}

/* Gives replay the input, whatever its name. */
bool input_read(struct input *input, const char *name)
{
	(void)name;
	*input = (struct input){ .bytes = input_bytes, .size = input_size };
	return true;
}

int engine_replay(unsigned int output, unsigned int number, const char *name)
{
	int status;

	job.name = name;
	job.output = output;
	job.number = number;
	status = job_read_map() ? job_run() : 2;
	fflush(stdout);
	return status;
}

int engine_work(const char *steps, const char *at)
{
	int status;

	job.name = "-";
	status = job_read_map() ? work(steps, *at ? at : NULL, &job.map, job.kernel_size) : 2;
	fflush(stdout);
	return status;
}

uint64_t engine_kernel_size(void)
{
	return job.kernel_size;
}

void engine_attempt(void (*function)(void *argument), void *argument)
{
	function(argument);
}

bool sim_panics(void (*function)(void *argument), void *argument)
{
	static jmp_buf here; /* that there is one is all that counts: libc/setjmp.h */
	jmp_buf *outer = sim_panic_jump;
	bool panicked;

	sim_panic_jump = &here;
	panicked = js_attempt(function, argument);
	sim_panic_jump = outer;
	return panicked;
}
