/*
 * timer.h: the 8254 timer (PIT) and, measured by it, the time stamp counter.
 */
#ifndef ARCH_X86_64_TIMER_H
#define ARCH_X86_64_TIMER_H

/* Measures the TSC (30 ms) and starts the tick: IRQ 0, 20 times a second. */
void timer_init(void);

/* Waits at least that long: by the TSC once it is measured, by I/O cycles before. */
void delay_us(unsigned microseconds);

#endif
