/*
 * cpus.c: the CPUs of the simulated machine. A thread plays the CPU sim_cpu. Interrupts come
 * between two steps of a thread where a processor would take them, too: before it switches them off
 * and after it switched them on.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "mm/port.h"
#include "tests/host/sim/sim.h"

_Thread_local unsigned int sim_cpu;
_Thread_local unsigned long sim_holds;
unsigned int sim_nr_cpus = 1;

/* A request to run a function on a CPU. */
struct call {
	void (*function)(void *argument);
	void *argument;
	atomic_bool done;
};

static struct {
	pthread_mutex_t played; /* held by the thread that plays the CPU, after sim_cpu_begin() */
	_Atomic(struct call *) call;
} cpus[MM_MAX_CPUS] = { [0 ... MM_MAX_CPUS - 1] = { .played = PTHREAD_MUTEX_INITIALIZER } };

static _Thread_local bool irqs_off;

static void run_call(struct call *call, unsigned int cpu)
{
	unsigned int own = sim_cpu;

	sim_cpu = cpu;
	irqs_off = true;
	call->function(call->argument);
	irqs_off = false;
	sim_cpu = own;
	atomic_store(&call->done, true);
}

/* Does what another CPU asks of this one. */
static void take_interrupt(void)
{
	struct call *call;

	if (irqs_off || !atomic_load_explicit(&cpus[sim_cpu].call, memory_order_relaxed))
		return;
	call = atomic_exchange(&cpus[sim_cpu].call, NULL);
	if (call)
		run_call(call, sim_cpu);
}

#ifndef MM_CPU_ID /* else they are inline */
unsigned int port_cpu_id(void)
{
	return sim_cpu;
}

unsigned long port_irq_save(void)
{
	bool were_off = irqs_off;

	take_interrupt();
	sim_holds++;
	irqs_off = true;
	return were_off;
}

void port_irq_restore(unsigned long flags)
{
	irqs_off = flags;
	take_interrupt();
}
#endif

unsigned int port_nr_cpus(void)
{
	return sim_nr_cpus;
}

bool port_may_wait(void)
{
	return !irqs_off;
}

/* Asks the thread that plays the CPU; plays it meanwhile when no thread does. */
static void call_on(unsigned int cpu, struct call *call)
{
	bool asked = false;

	while (!atomic_load(&call->done)) {
		struct call *expected = asked ? call : NULL;

		if (!pthread_mutex_trylock(&cpus[cpu].played)) {
			/* A thread that has ended meanwhile may have left the request there. */
			if (!asked ||
			    atomic_compare_exchange_strong(&cpus[cpu].call, &expected, NULL))
				run_call(call, cpu);
			pthread_mutex_unlock(&cpus[cpu].played);
			return;
		}
		if (!asked)
			asked = atomic_compare_exchange_strong(&cpus[cpu].call, &expected, call);
		take_interrupt();
		sched_yield();
	}
}

void port_on_each_cpu(void (*function)(void *argument), void *argument)
{
	if (irqs_off)
		panic("port_on_each_cpu() with interrupts off");
	for (unsigned int cpu = 0; cpu < MM_MAX_CPUS; cpu++) {
		struct call call = { .function = function, .argument = argument };

		if (cpu == sim_cpu)
			run_call(&call, cpu);
		else
			call_on(cpu, &call);
	}
}

void sim_cpu_begin(unsigned int cpu)
{
	pthread_mutex_lock(&cpus[cpu].played);
	sim_cpu = cpu;
}

void sim_cpu_end(void)
{
	pthread_mutex_unlock(&cpus[sim_cpu].played);
}

void sim_irqs(bool on)
{
	irqs_off = !on;
}
