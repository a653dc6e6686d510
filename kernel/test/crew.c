#include "kernel/test/crew.h"

#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpus.h"
#include "kernel/console/console.h"

/*
 * From one look for Ctrl-C to the next. A look reads ports with interrupts off, and on a virtual
 * machine each of these reads takes so long that a CPU which did nothing else would hardly answer
 * others.
 */
#define LOOK_US 20000

static unsigned long nr_met; /* calls of crew_meet() in this piece of work, of all CPUs */
static bool stopped;

unsigned int crew_size(void)
{
	return cpus_online();
}

/* cpus_begin() and cpus_busy() make what was written before them visible. */
void crew_run(void (*work)(void *argument), void *argument)
{
	uint64_t looked = arch_timestamp();

	nr_met = 0;
	stopped = false;
	cpus_begin(work, argument);
	work(argument);
	while (cpus_busy()) {
		if (arch_us_since(looked) >= LOOK_US) {
			looked = arch_timestamp();
			if (console_interrupted())
				crew_stop();
		}
		arch_relax();
	}
}

/* Each call has a number; a meeting is over when the last number of as many as there are CPUs has
   been given out. */
void crew_meet(void)
{
	unsigned long size = crew_size();
	unsigned long mine = __atomic_fetch_add(&nr_met, 1, __ATOMIC_ACQ_REL);
	unsigned long last = mine - mine % size + size;

	while (__atomic_load_n(&nr_met, __ATOMIC_ACQUIRE) < last)
		arch_relax();
}

void crew_stop(void)
{
	__atomic_store_n(&stopped, true, __ATOMIC_RELAXED);
}

bool crew_stopped(void)
{
	return __atomic_load_n(&stopped, __ATOMIC_RELAXED);
}
