/*
 * ipi.c: how a CPU has others do something.
 *
 * A CPU that wants a function to be run on others writes it into its own area, sets the bit of its
 * number in callers[] of each of them, and sends each an interrupt. A handler takes all bits that
 * are set, runs the function of each caller, and counts its `left` down. So there is no lock, and
 * no queue that could be full: a CPU asks for one thing at a time.
 *
 * While it waits, a CPU has its interrupts on and does what others want of it. It holds no lock
 * that another could be waiting for with its interrupts off: port_may_wait(). So CPUs that wait for
 * each other all go on.
 *
 * A CPU that does not answer is named before a second is over. When none has answered for ten
 * seconds, that is a panic: what was asked for cannot be left out. A virtual machine with many more
 * CPUs than its host has cores may take longer for all of them.
 */
#include "arch/x86_64/ipi.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/cpus.h"
#include "arch/x86_64/percpu.h"
#include "mm/port.h"

#define NAME_US   800000
#define PANIC_US  10000000
#define STOP_US   500000
#define MAX_NAMED 4

#define NOBODY    UINT32_MAX

static unsigned int panicking = NOBODY; /* the CPU that stops all others */

unsigned int port_nr_cpus(void)
{
	return cpus_online();
}

bool port_may_wait(void)
{
	unsigned long flags = port_irq_save();

	port_irq_restore(flags);
	return flags & RFLAGS_IF;
}

/* Asks a CPU to run the call of another, self. */
static void ask(struct percpu *target, struct percpu *self)
{
	__atomic_fetch_add(&self->call.left, 1, __ATOMIC_RELAXED);
	__atomic_fetch_or(&target->callers[self->number / 64], 1ull << self->number % 64,
			  __ATOMIC_RELEASE);
	apic_send(target->apic_id, VECTOR_CALL);
}

/* Returns whether a CPU has not yet taken the request of a caller. */
static bool has_not_taken(const struct percpu *target, unsigned int caller)
{
	return __atomic_load_n(&target->callers[caller / 64], __ATOMIC_RELAXED) >> caller % 64 & 1;
}

/* Logs which CPUs have not taken this CPU's request: some of them, because printing takes longer
   the more CPUs do it. */
static void name_silent(unsigned int caller)
{
	unsigned int nr = 0;

	for_each_online_cpu(cpu)
		if (has_not_taken(percpus[cpu], caller) && ++nr <= MAX_NAMED)
			printk("CPU %u (APIC %u) does not answer CPU %u\n", cpu,
			       percpus[cpu]->apic_id, caller);
	if (nr > MAX_NAMED)
		printk("CPUs more that do not answer CPU %u: %u\n", caller, nr - MAX_NAMED);
}

static void await_answers(const struct percpu *self)
{
	uint64_t start = arch_timestamp(), last_answer = start;
	unsigned int left, before = 0;
	bool named = false;

	for (; (left = __atomic_load_n(&self->call.left, __ATOMIC_ACQUIRE)); before = left) {
		if (left != before)
			last_answer = arch_timestamp();
		if (arch_us_since(start) >= NAME_US && !named) {
			name_silent(self->number);
			named = true;
			continue; /* that may have taken long: look who has answered */
		}
		if (arch_us_since(last_answer) >= PANIC_US)
			panic("CPUs that do not answer CPU %u: %u", self->number, left);
		pause();
	}
}

void port_on_each_cpu(void (*function)(void *argument), void *argument)
{
	struct percpu *self = this_cpu();

	self->call.function = function;
	self->call.argument = argument;
	for_each_online_cpu(cpu)
		if (cpu != self->number)
			ask(percpus[cpu], self);
	function(argument);
	await_answers(self);
}

/* Runs what the callers want whose bits are set in word i of callers[]. */
static void answer(uint64_t bits, unsigned int i)
{
	for (; bits; bits &= bits - 1) {
		struct percpu *caller = percpus[64 * i + (unsigned int)__builtin_ctzll(bits)];

		caller->call.function(caller->call.argument);
		__atomic_fetch_sub(&caller->call.left, 1, __ATOMIC_RELEASE);
	}
}

/* The interrupt is ended first: a bit that is set after the look at its word has an interrupt of
   its own. */
void cpus_interrupt(unsigned int vector)
{
	struct percpu *self = this_cpu();

	if (vector == VECTOR_SPURIOUS)
		return;
	apic_end_of_interrupt();
	for (unsigned int i = 0; i < PERCPU_CALLER_WORDS; i++)
		if (__atomic_load_n(&self->callers[i], __ATOMIC_RELAXED))
			answer(__atomic_exchange_n(&self->callers[i], 0, __ATOMIC_ACQUIRE), i);
}

/* ---- work ---- */

void cpus_begin(void (*work)(void *argument), void *argument)
{
	for_each_online_cpu(cpu) {
		struct percpu *target = percpus[cpu];

		if (cpu == 0)
			continue;
		target->argument = argument;
		__atomic_store_n(&target->busy, true, __ATOMIC_RELAXED);
		__atomic_store_n(&target->work, work, __ATOMIC_RELEASE);
		apic_send(target->apic_id, VECTOR_CALL);
	}
}

bool cpus_busy(void)
{
	for_each_online_cpu(cpu)
		if (__atomic_load_n(&percpus[cpu]->busy, __ATOMIC_ACQUIRE))
			return true;
	return false;
}

void cpus_work(void)
{
	struct percpu *self = this_cpu();

	for (;;) {
		void (*work)(void *);

		cli(); /* so that an interrupt after the look ends the sleep */
		work = __atomic_exchange_n(&self->work, NULL, __ATOMIC_ACQUIRE);
		if (!work) {
			sti_hlt();
			continue;
		}
		sti();
		work(self->argument);
		__atomic_store_n(&self->busy, false, __ATOMIC_RELEASE);
	}
}

/* ---- panics ---- */

/* Stops this CPU for good; frame has its registers. */
__attribute__((noreturn)) static void stop_here(const struct trap_frame *frame)
{
	__atomic_store_n(&this_cpu()->stopped, frame, __ATOMIC_RELEASE);
	arch_halt();
}

void cpus_nmi(const struct trap_frame *frame)
{
	unsigned int cpu = __atomic_load_n(&panicking, __ATOMIC_ACQUIRE);

	if (cpu != NOBODY && cpu != port_cpu_id())
		stop_here(frame);
}

static bool all_stopped(void)
{
	for_each_online_cpu(cpu)
		if (cpu != port_cpu_id() && !cpu_stopped_at(cpu))
			return false;
	return true;
}

void cpus_stop(const struct trap_frame *frame)
{
	unsigned int nobody = NOBODY;
	uint64_t start;

	if (!__atomic_compare_exchange_n(&panicking, &nobody, port_cpu_id(), false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		if (nobody == port_cpu_id())
			return; /* a panic within a panic */
		stop_here(frame);
	}
	for_each_online_cpu(cpu)
		if (cpu != port_cpu_id())
			apic_send_nmi(percpus[cpu]->apic_id);
	for (start = arch_timestamp(); !all_stopped() && arch_us_since(start) < STOP_US;)
		pause();
}

const struct trap_frame *cpu_stopped_at(unsigned int cpu)
{
	return cpu_is_online(cpu) ? __atomic_load_n(&percpus[cpu]->stopped, __ATOMIC_ACQUIRE)
				  : NULL;
}
