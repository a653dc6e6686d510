/*
 * port.h: all that mm/ needs from its surroundings, and nothing else.
 *
 * Two branches. MM_HOST: a host program, where a physical address is a host pointer plus an offset
 * and the functions below come from the program. Otherwise a kernel, which supplies the functions
 * and adapts the two addresses. README.md beside this file says how to lift mm/.
 */
#ifndef MM_PORT_H
#define MM_PORT_H

#include "mm/types.h"

#ifdef MM_HOST

/*
 * phys_to_virt(p) is p + mm_host_offset. 0 until a host program sets it; defined in memblock.c.
 * MEM_MAP_BASE: a range of the host's address space that both AddressSanitizer and
 * MemorySanitizer leave to the program, 256 GiB long.
 */
extern uintptr_t mm_host_offset;
#define MM_DIRECT_MAP mm_host_offset
#ifndef MEM_MAP_BASE
#define MEM_MAP_BASE 0x550000000000ull
#endif

#else

/* A kernel's own may come from its build. */
#ifndef MM_DIRECT_MAP
#define MM_DIRECT_MAP 0xffff888000000000ull /* physical memory as the kernel sees it */
#endif
#ifndef MEM_MAP_BASE
#define MEM_MAP_BASE 0xffffea0000000000ull /* descriptor of frame 0 */
#endif

#endif

/* Physical addresses beyond this have no descriptor and no direct map: 2^34 frames, 64 TiB. */
#define MM_MAX_PFN ((pfn_t)1 << 34)

static inline void *phys_to_virt(phys_addr_t phys)
{
	return (void *)(uintptr_t)(phys + MM_DIRECT_MAP);
}

/* Of an address that phys_to_virt() gave; for no other. */
static inline phys_addr_t virt_to_phys(const volatile void *virt)
{
	return (phys_addr_t)(uintptr_t)virt - MM_DIRECT_MAP;
}

/* Supplied by the surroundings. */

__attribute__((format(printf, 1, 2))) int printk(const char *fmt, ...);
__attribute__((format(printf, 1, 2), noreturn)) void panic(const char *fmt, ...);
void dump_stack(void);

/* A slab allocator, when there is one: memblock then sends late callers there (MEMBLOCK 4.9). */
bool slab_is_available(void);
void *kmalloc(size_t size, unsigned int gfp);
void kfree(const void *ptr);

/* CPUs that may use the allocator. */
#ifdef MM_HOST
#define MM_MAX_CPUS 8
#else
#define MM_MAX_CPUS 1
#endif

/*
 * The number of this CPU, 0 .. MM_MAX_CPUS - 1; interrupts off on it, returning the state before;
 * and that state again. The first is on every way into the allocator, each hold of a lock has the
 * others: who wants them inline has them in a header that every file includes beforehand (-include)
 * and that defines PORT_INLINE.
 */
#ifndef PORT_INLINE
unsigned int port_cpu_id(void);
unsigned long port_irq_save(void);
void port_irq_restore(unsigned long flags);
#endif

/*
 * The running thread stays on its CPU from port_pin() to port_unpin(). Nothing to do where threads
 * are not moved, as here; a preemptible kernel disables preemption.
 */
static inline void port_pin(void)
{
}

static inline void port_unpin(void)
{
}

/*
 * Make [virt, virt + size) of the mem_map window show [phys, phys + size), writable; all three are
 * multiples of PAGE_SIZE. Large pages are used where both addresses are aligned to them.
 */
void port_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size);

/* Make [virt, virt + size) of the window read as zeros, through shared tables, never writable. */
void port_map_zero(uintptr_t virt, uint64_t size);

/*
 * For the options of debug.h; never called without them. port_map_frames(): makes nr frames from
 * pfn on accessible in the direct map, or not, whatever they were; the direct map then has a page
 * for each frame. What other CPUs still have in their TLBs only hides a misuse. port_site_name():
 * writes what stands at an address of code, a symbol or the number, and terminates.
 */
void port_map_frames(pfn_t pfn, uint64_t nr);
void port_unmap_frames(pfn_t pfn, uint64_t nr);
void port_site_name(uintptr_t site, char *text, size_t size);

/* A lock for several CPUs: taken with interrupts off, held for a bounded time. */
typedef struct {
	unsigned char taken;
} port_lock_t;

static inline unsigned long port_lock_irqsave(port_lock_t *lock)
{
	unsigned long flags = port_irq_save();

	while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&lock->taken, __ATOMIC_RELAXED))
			;
	return flags;
}

static inline void port_unlock_irqrestore(port_lock_t *lock, unsigned long flags)
{
	__atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
	port_irq_restore(flags);
}

/* memset, memcpy, memmove: the C library's on a host, the kernel's own elsewhere. */
#ifdef MM_HOST
#include <string.h>
#else
void *memset(void *dest, int value, size_t size);
void *memcpy(void *dest, const void *src, size_t size);
void *memmove(void *dest, const void *src, size_t size);
#endif

#endif
