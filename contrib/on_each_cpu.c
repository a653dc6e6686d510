/* SPDX-License-Identifier: MIT */
#include "contrib/on_each_cpu.h"

#ifdef MM_HEADER
#include MM_HEADER
#else
#include "mm/port.h"
#endif

static unsigned int taken; /* not 0 while it is a CPU's turn */

/* What this CPU asks for, and which CPUs have not answered yet. */
static void (*asked_function)(void *argument);
static void *asked_argument;
static bool asked[MM_MAX_CPUS];

static void run_here(void (*function)(void *argument), void *argument)
{
	unsigned long flags = port_irq_save();

	function(argument);
	port_irq_restore(flags);
}

void port_on_each_cpu(void (*function)(void *argument), void *argument)
{
	unsigned long cookie = port_pin();
	unsigned int self = port_cpu_id(), nr;

	while (__atomic_exchange_n(&taken, 1, __ATOMIC_ACQUIRE))
		port_cpu_relax();
	asked_function = function;
	asked_argument = argument;
	nr = port_nr_cpus();
	for (unsigned int cpu = 0; cpu < nr; cpu++)
		__atomic_store_n(&asked[cpu], cpu != self, __ATOMIC_RELEASE);
	if (nr > 1)
		kernel_interrupt_others();
	run_here(function, argument);
	for (unsigned int cpu = 0; cpu < nr; cpu++)
		while (__atomic_load_n(&asked[cpu], __ATOMIC_ACQUIRE))
			port_cpu_relax();
	__atomic_store_n(&taken, 0, __ATOMIC_RELEASE);
	port_unpin(cookie);
}

void on_each_cpu_answer(void)
{
	bool *mine = &asked[port_cpu_id()];

	if (!__atomic_load_n(mine, __ATOMIC_ACQUIRE))
		return;
	asked_function(asked_argument);
	__atomic_store_n(mine, false, __ATOMIC_RELEASE);
}
