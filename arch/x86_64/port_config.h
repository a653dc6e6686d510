/*
 * port_config.h: the configuration of mm/ in the kernel: kernel.mk gives it as MM_PORT_CONFIG. What
 * is on hot paths is inline. mm/port.h describes the macros.
 */
#ifndef ARCH_X86_64_PORT_CONFIG_H
#define ARCH_X86_64_PORT_CONFIG_H

#include "arch/x86_64/cpu.h"

/* What a CPU costs is allocated when it comes: percpu.h. */
#define MM_MAX_CPUS           256
#define MM_STATIC_CPUS        0

#define MM_CPU_SPACE          __seg_gs
#define MM_CPU_ID()           cpu_number()
#define MM_IRQ_SAVE()         cpu_irq_save()
#define MM_IRQ_RESTORE(flags) cpu_irq_restore(flags)
#define MM_CPU_RELAX()        __builtin_ia32_pause()

/* Returns this CPU's number, from its per-CPU area: PERCPU_NUMBER in percpu.h. */
static inline unsigned int cpu_number(void)
{
	unsigned int number;

	__asm__("movl %%gs:8, %0" : "=r"(number));
	return number;
}

/* Disables interrupts on this CPU and returns the previous RFLAGS. */
static inline unsigned long cpu_irq_save(void)
{
	unsigned long flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

/* Enables interrupts again if they were on in flags, which cpu_irq_save() returned. */
static inline void cpu_irq_restore(unsigned long flags)
{
	if (flags & RFLAGS_IF)
		__asm__ volatile("sti" : : : "memory");
}

#endif
