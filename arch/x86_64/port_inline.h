/*
 * port_inline.h: of mm/port.h what is an instruction or three, inline. Comes before everything else
 * in each file of the kernel (kernel.mk).
 */
#ifndef ARCH_X86_64_PORT_INLINE_H
#define ARCH_X86_64_PORT_INLINE_H

#define PORT_INLINE

#define RFLAGS_IF (1ul << 9) /* SDM 1, figure 3-8 */

/* One CPU runs. */
static inline unsigned int port_cpu_id(void)
{
	return 0;
}

static inline unsigned long port_irq_save(void)
{
	unsigned long flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

static inline void port_irq_restore(unsigned long flags)
{
	if (flags & RFLAGS_IF)
		__asm__ volatile("sti" : : : "memory");
}

#endif
