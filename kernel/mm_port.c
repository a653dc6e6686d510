/*
 * mm_port.c: those functions of mm/port.h that no other file of the kernel defines.
 *
 * This kernel has no slab allocator, so memblock never passes a request on to one; kmalloc() and
 * kfree() are there for the linker and panic.
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
