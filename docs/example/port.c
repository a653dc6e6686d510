/* port.c: what mm/ asks of a kernel. A file plays RAM, mmap() the page tables. */
#define _GNU_SOURCE
#include "ram.h"
#include "mm/port.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int ram_fd; /* the file that plays RAM */

/* Maps size bytes of the file, from offset phys on, at virt. Panics if something is there. */
static void map(uintptr_t virt, uint64_t size, int prot, int flags, int file, phys_addr_t phys)
{
	void *want = (void *)virt;

	flags |= MAP_FIXED_NOREPLACE | MAP_NORESERVE;
	if (mmap(want, size, prot, flags, file, (off_t)phys) != want)
		panic("no mapping at %p", want);
}

void ram_init(phys_addr_t end)
{
	ram_fd = memfd_create("ram", 0);
	if (ram_fd < 0 || ftruncate(ram_fd, (off_t)end))
		panic("no RAM");
	map(MM_DIRECT_MAP, end, PROT_READ | PROT_WRITE, MAP_SHARED, ram_fd, 0);
}

void port_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size)
{
	map(virt, size, PROT_READ | PROT_WRITE, MAP_SHARED, ram_fd, phys);
}

void port_map_zero(uintptr_t virt, uint64_t size)
{
	map(virt, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* The rest is a line each. No slab, one CPU, none of mm/debug.h's options. */
/* clang-format off */
#define SAY(fmt) va_list ap; va_start(ap, fmt); vfprintf(stderr, fmt, ap); va_end(ap)
int printk(const char *fmt, ...) { SAY(fmt); return 0; }
void panic(const char *fmt, ...) { SAY(fmt); fputs(": panic\n", stderr); abort(); }
void dump_stack(void) { }
bool slab_is_available(void) { return false; }
void *kmalloc(size_t size, unsigned int gfp) { (void)size; (void)gfp; return NULL; }
void kfree(const void *ptr) { (void)ptr; }
unsigned int port_nr_cpus(void) { return 1; }
bool port_may_wait(void) { return true; }
void port_on_each_cpu(void (*function)(void *), void *argument) { function(argument); }
void port_map_frames(pfn_t pfn, uint64_t nr) { (void)pfn; (void)nr; }
void port_unmap_frames(pfn_t pfn, uint64_t nr) { (void)pfn; (void)nr; }
void port_site_name(uintptr_t site, char *text, size_t size)
{ snprintf(text, size, "%#zx", (size_t)site); }
