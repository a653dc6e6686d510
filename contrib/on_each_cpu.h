/* SPDX-License-Identifier: MIT */
/*
 * on_each_cpu.h: port_on_each_cpu() of mm/port.h, for a kernel with several CPUs.
 *
 * Several CPUs may call it at once: they take turns. A CPU that waits for its turn, or for answers,
 * has its interrupts on, because the CPU whose turn it is waits for its answer. For the same reason
 * the kernel must not guard these calls by a lock that is taken with interrupts off, and
 * port_may_wait() must return false where such a lock is held.
 *
 * CPUs have the numbers 0 to port_nr_cpus() - 1. The kernel raises port_nr_cpus() for a new CPU
 * only when that CPU has its interrupts on. Until then it is not asked, and no call waits for it.
 */
#ifndef CONTRIB_ON_EACH_CPU_H
#define CONTRIB_ON_EACH_CPU_H

/*
 * Sends an interrupt to every other CPU that port_nr_cpus() counts; an interrupt to any CPU besides
 * does no harm. Its handler calls on_each_cpu_answer(). The kernel supplies this function.
 */
void kernel_interrupt_others(void);

/* Runs the function that this CPU is asked to run, if any. Called with interrupts off. */
void on_each_cpu_answer(void);

#endif
