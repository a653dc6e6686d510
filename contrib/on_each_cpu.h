/* SPDX-License-Identifier: MIT */
/*
 * on_each_cpu.h: port_on_each_cpu() of mm/port.h, for a kernel with several CPUs.
 *
 * Several CPUs may call it at once: they take turns. One that waits for its turn, or for answers,
 * has its interrupts on, because the CPU whose turn it is waits for its answer. For the same reason
 * the kernel must not guard these calls by a lock that is taken with interrupts off, and
 * port_may_wait() must return false where such a lock is held.
 *
 * CPUs have the numbers 0 to port_nr_cpus() - 1. One counts there from when it has its interrupts
 * on. Until then it is not asked, and no call waits for it.
 */
#ifndef CONTRIB_ON_EACH_CPU_H
#define CONTRIB_ON_EACH_CPU_H

/*
 * The kernel supplies this function. Sends an interrupt to every other CPU that port_nr_cpus()
 * counts; one too many does no harm. Its handler calls on_each_cpu_answer().
 */
void kernel_interrupt_others(void);

/* Runs what this CPU is asked for, if anything. The handler calls it, with interrupts off. */
void on_each_cpu_answer(void);

#endif
