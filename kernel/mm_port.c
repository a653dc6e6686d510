/*
 * mm_port.c: what mm/port.h asks of a kernel and no other file here answers: there is no slab; code
 * has names.
 */
#include "mm/port.h"

#include "kernel/ksyms.h"

bool slab_is_available(void)
{
	return false;
}

void *kmalloc(size_t size, unsigned int gfp)
{
	panic("kmalloc(%zu, 0x%x): there is no slab allocator", size, gfp);
}

void kfree(const void *ptr)
{
	panic("kfree(%p): there is no slab allocator", ptr);
}

void port_site_name(uintptr_t site, char *text, size_t size)
{
	ksyms_format_return(site, text, size);
}
