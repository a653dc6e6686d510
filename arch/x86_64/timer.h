/*
 * timer.h: the 8254 timer (PIT), and the time stamp counter (TSC), whose rate it measures.
 */
#ifndef ARCH_X86_64_TIMER_H
#define ARCH_X86_64_TIMER_H

/* Measures the rate of the TSC, which takes 2 ms, or up to 40 where the host of a virtual machine
   is busy, and starts the tick: IRQ 0, 20 times a second. */
void timer_init(void);

/* Waits at least this long: by the TSC if its rate is known, otherwise by accesses to an I/O port.
 */
void delay_us(unsigned microseconds);

#endif
