/*
 * test_contrib_on_each_cpu.c: tests contrib/on_each_cpu.c with threads as CPUs, and a signal as the
 * interrupt. A CPU that waits without end for another ends the test by the runner's time limit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include <cmocka.h>

#include "contrib/on_each_cpu.h"
#include "mm/port.h"

#define CPUS  4
#define CALLS 500

static pthread_t cpus[CPUS];
static unsigned int nr_cpus; /* that count */
static unsigned int errors;
static pthread_barrier_t begin, end;
static _Thread_local unsigned int this_cpu;
static _Thread_local volatile bool handling;

static void note_error(bool failed)
{
	if (failed)
		__atomic_fetch_add(&errors, 1, __ATOMIC_RELAXED);
}

unsigned int port_cpu_id(void)
{
	return this_cpu;
}

unsigned int port_nr_cpus(void)
{
	return __atomic_load_n(&nr_cpus, __ATOMIC_RELAXED);
}

/* Lets interrupts through or not. Returns whether they were off. */
static unsigned long set_interrupts(bool off)
{
	sigset_t set, before;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(off ? SIG_BLOCK : SIG_UNBLOCK, &set, &before);
	return (unsigned long)sigismember(&before, SIGUSR1);
}

unsigned long port_irq_save(void)
{
	return set_interrupts(true);
}

void port_irq_restore(unsigned long flags)
{
	set_interrupts(flags != 0);
}

/* All CPUs get it, those that do not count as well. */
void kernel_interrupt_others(void)
{
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		if (cpu != this_cpu)
			pthread_kill(cpus[cpu], SIGUSR1);
}

static void handle(int signal)
{
	(void)signal;
	handling = true;
	on_each_cpu_answer();
	handling = false;
}

/* Who calls, and how often each CPU has run the function for the caller. */
struct call {
	unsigned int cpu, runs[CPUS];
};

static void count(void *argument)
{
	struct call *call = argument;

	note_error(handling == (call->cpu == this_cpu)); /* another CPU runs it in the handler */
	note_error(!set_interrupts(true));
	call->runs[this_cpu]++;
}

/* When a call returns, each CPU that counts has run it once more, and no other. */
static void call_often(void)
{
	struct call call = { .cpu = this_cpu };

	for (unsigned int i = 1; i <= CALLS; i++) {
		port_on_each_cpu(count, &call);
		for (unsigned int cpu = 0; cpu < CPUS; cpu++)
			note_error(call.runs[cpu] != (cpu < nr_cpus ? i : 0));
	}
	note_error(set_interrupts(false));
}

/* CPUs from nr_callers on only answer, until all calls are made. */
static unsigned int nr_callers;

static void *run_cpu(void *number)
{
	this_cpu = (unsigned int)(uintptr_t)number;
	set_interrupts(false);
	pthread_barrier_wait(&begin);
	if (this_cpu < nr_callers)
		call_often();
	pthread_barrier_wait(&end);
	return NULL;
}

/* Lets so many CPUs call at once, where so many count. */
static void run(unsigned int callers, unsigned int counted)
{
	nr_callers = callers;
	nr_cpus = counted;
	errors = 0;
	set_interrupts(true); /* the threads begin with this */
	pthread_barrier_init(&begin, NULL, CPUS + 1);
	pthread_barrier_init(&end, NULL, CPUS);
	for (uintptr_t cpu = 0; cpu < CPUS; cpu++)
		assert_int_equal(pthread_create(&cpus[cpu], NULL, run_cpu, (void *)cpu), 0);
	pthread_barrier_wait(&begin); /* cpus[] is complete */
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		pthread_join(cpus[cpu], NULL);
	assert_int_equal(errors, 0);
}

static void each_runs_it_once(void **state)
{
	(void)state;
	run(1, CPUS);
}

static void callers_take_turns(void **state)
{
	(void)state;
	run(CPUS, CPUS);
}

/* The others get interrupts that ask for nothing. */
static void only_those_that_count_run_it(void **state)
{
	(void)state;
	run(2, 2);
	run(1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_runs_it_once),
		cmocka_unit_test(callers_take_turns),
		cmocka_unit_test(only_those_that_count_run_it),
	};
	struct sigaction action = { .sa_handler = handle };

	sigaction(SIGUSR1, &action, NULL);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("contrib_on_each_cpu", tests, NULL, NULL);
}
