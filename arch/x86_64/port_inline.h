/*
 * port_inline.h: those functions of mm/port.h that are on hot paths, as inline functions. kernel.mk
 * makes the compiler include this file first in every C file of the kernel.
 */
#ifndef ARCH_X86_64_PORT_INLINE_H
#define ARCH_X86_64_PORT_INLINE_H

#define PORT_INLINE
#define PORT_RELAX

#define RFLAGS_IF      (1ul << 9) /* SDM 1, figure 3-8 */

/* The limits of mm/port.h. What a CPU costs is allocated when it comes: percpu.h. */
#define MM_MAX_CPUS    256
#define MM_STATIC_CPUS 0
#define PORT_CPU_SPACE __seg_gs

/* Returns this CPU's number, from its per-CPU area: PERCPU_NUMBER in percpu.h. */
static inline unsigned int port_cpu_id(void)
{
	unsigned int number;

	__asm__("movl %%gs:8, %0" : "=r"(number));
	return number;
}

/* Disables interrupts on this CPU and returns the previous RFLAGS. */
static inline unsigned long port_irq_save(void)
{
	unsigned long flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

/* Enables interrupts again if they were on in flags, which port_irq_save() returned. */
static inline void port_irq_restore(unsigned long flags)
{
	if (flags & RFLAGS_IF)
		__asm__ volatile("sti" : : : "memory");
}

static inline void port_cpu_relax(void)
{
	__builtin_ia32_pause();
}

#endif
