/* SPDX-License-Identifier: MIT */
#include "contrib/one_cpu.h"

#include "contrib/printf.h"

#ifdef MM_HEADER
#include MM_HEADER
#else
#include "mm/port.h"
#endif

__attribute__((__unused__)) static void put(void *to, char c)
{
	(void)to;
	kernel_put(c);
}

#ifndef MM_LOG
int printk(const char *fmt, ...)
{
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = vprint_to(put, NULL, fmt, ap);
	va_end(ap);
	return length;
}
#endif

#ifndef MM_PANIC
void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint_to(put, NULL, fmt, ap);
	va_end(ap);
	for (const char *end = ": panic\n"; *end; end++)
		kernel_put(*end);
	kernel_stop(1);
}
#endif

void dump_stack(void)
{
}

#ifndef MM_CPU_ID
unsigned int port_cpu_id(void)
{
	return 0;
}
#endif

#ifndef MM_IRQ_SAVE
unsigned long port_irq_save(void)
{
	return 0;
}

void port_irq_restore(unsigned long flags)
{
	(void)flags;
}
#endif

unsigned int port_nr_cpus(void)
{
	return 1;
}

bool port_may_wait(void)
{
	return true;
}

void port_on_each_cpu(void (*function)(void *), void *argument)
{
	function(argument);
}

/* MM_DEBUG_PAGEALLOC, which alone calls these two, has no effect. */
void port_map_frames(pfn_t pfn, uint64_t nr)
{
	(void)pfn;
	(void)nr;
}

void port_unmap_frames(pfn_t pfn, uint64_t nr)
{
	(void)pfn;
	(void)nr;
}

void port_site_name(uintptr_t site, char *text, size_t size)
{
	print_text(text, size, "0x%lx", site);
}
