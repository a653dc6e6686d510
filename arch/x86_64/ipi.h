/*
 * ipi.h: the receiving end of what CPUs send to each other. cpus.h and mm/port.h
 * (port_on_each_cpu()) declare the sending end.
 */
#ifndef ARCH_X86_64_IPI_H
#define ARCH_X86_64_IPI_H

struct trap_frame;

/* Handles an interrupt on a vector from VECTOR_CALL on: does what other CPUs want of this one. */
void cpus_interrupt(unsigned int vector);

/* Does the work that cpus_begin() gives to this CPU, and sleeps in between. */
__attribute__((noreturn)) void cpus_work(void);

/* Handles an NMI, with the registers that it interrupted. In a panic of another CPU it does not
   return; otherwise it does nothing. */
void cpus_nmi(const struct trap_frame *frame);

#endif
