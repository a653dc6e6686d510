/* SPDX-License-Identifier: MIT */
/*
 * port.h: all that mm/ needs from its surroundings.
 *
 * There are two kinds of surroundings. With MM_HOST defined they are a host program, where a
 * physical address is a host pointer less an offset. Otherwise they are a kernel. Either supplies
 * the functions that are declared here. README.md beside this file tells how to lift mm/ into a
 * kernel.
 *
 * No kernel needs to edit this file. It has a header of its own, the configuration, and names it to
 * the compiler for mm/ and for all files that include headers of mm/:
 *
 *     -DMM_PORT_CONFIG='"my_port.h"'
 *
 * types.h includes the configuration before anything else of mm/. So the configuration may include
 * headers of the kernel and define inline functions, but it uses no name of mm/ outside the macros
 * that it defines. These are the following, all optional. Macros on one line belong together:
 * define all of them or none.
 *
 * Addresses.
 *
 *   MM_DIRECT_MAP   the virtual address of physical address 0: the kernel sees all RAM from there
 *                   on. Any expression: a constant or, as a loader may choose the address, a
 *                   variable that is set before the first call. Not with MM_HOST
 *   MEM_MAP_BASE    the virtual address of the descriptor of frame 0, of the same kind
 *   MM_PHYS_TO_VIRT(phys), MM_VIRT_TO_PHYS(virt)
 *                   in place of MM_DIRECT_MAP, where virtual and physical addresses do not differ
 *                   by one number: the address at which phys is seen, a void pointer; and the
 *                   physical address of a pointer. RAM without a hole in it is seen without one:
 *                   neighbouring physical addresses are neighbours there, because an allocation is
 *                   cleared in one go, and may be as large as a range of RAM. Where pieces that
 *                   begin at multiples of 1 GiB are seen apart, the last frame of each is reserved
 *                   before memblock allocates, so that nothing crosses, and freed by
 *                   memblock_free_late() after zones_finish(): what is allocated from then on is
 *                   aligned to its size, and alloc_contig_range() is not asked for frames of two
 *                   pieces. Where pieces begin elsewhere the frame stays reserved
 *   MM_PFN_TO_PAGE(pfn), MM_PAGE_TO_PFN(page)
 *                   in place of an array of descriptors from MEM_MAP_BASE on: the descriptor of a
 *                   frame, pfn < MM_MAX_PFN, and the reverse. Those of one block (512 frames,
 *                   aligned) are neighbours. Those of RAM are the memory that port_map_mem_map()
 *                   gave them, those of a hole read as zeros. All holes may share them: then
 *                   MM_PAGE_TO_PFN() returns any frame for a hole's descriptor, and a panic that is
 *                   due to such a frame names that one. MEM_MAP_BASE then only names frames, in
 *                   the arguments of port_map_mem_map() and port_map_zero(), and may be 0. Each
 *                   call is for whole blocks, so virt and size are multiples of 8 KiB; the memory
 *                   from phys on may cross from one stretch of addresses to the next
 *
 * Limits, which are constants. Those of CPUs must be numbers that #if knows, not enumerators.
 *
 *   MM_MAX_PFN      frames from this one on have neither descriptor nor direct map. A multiple of
 *                   2^18, 2^20 or more. Default: 2^34 frames, 64 TiB
 *   MM_MAX_CPUS     how many CPUs may use the allocator: their numbers are lower. Each takes 4
 *                   bytes of the stack where frame caches are emptied, which any call that
 *                   allocates may do. Default: 1, with MM_HOST 8
 *   MM_STATIC_CPUS  the CPUs with lower numbers have static memory; the others get theirs by
 *                   mm_add_cpu() (cpu.h). Default: MM_MAX_CPUS
 *   MM_PAGE_SHIFT   a frame has 2^MM_PAGE_SHIFT bytes. Default: 12, the only value that is tested
 *   INIT_MEMBLOCK_MEMORY_REGIONS, INIT_MEMBLOCK_RESERVED_REGIONS
 *                   how many regions each of memblock's two arrays has room for while it may not
 *                   grow; with one more, memblock panics. Default: 128
 *
 * If a header that the configuration includes defines one of these names, mm/ uses that definition:
 * PAGE_SHIFT, PAGE_SIZE (an unsigned long), PAGE_ALIGN, SMP_CACHE_BYTES, MAX_NUMNODES,
 * NUMA_NO_NODE, ARCH_LOW_ADDRESS_LIMIT, and error numbers such as ENOMEM. With FP_PREFIX (`make
 * dist`) it uses its own definitions of them.
 *
 * The CPU. MM_CPU_ID() stands in place of port_cpu_id(), MM_IRQ_SAVE() of port_irq_save(), and so
 * on: the comments on these functions, below, say what each does. All but MM_CPU_RELAX() are on hot
 * paths.
 *
 *   MM_CPU_ID()
 *   MM_IRQ_SAVE(), MM_IRQ_RESTORE(flags)
 *   MM_PIN(), MM_UNPIN(cookie)
 *   MM_CPU_RELAX()
 *   MM_CPU_SPACE    the compiler's qualifier of the address space that has a CPU's own data, such
 *                   as __seg_gs, which gcc knows with -std=gnu11, not with c11. MM_STATIC_CPUS is 0
 *                   then, and each CPU's memory comes by mm_add_cpu(), that of the first CPU before
 *                   zones_init(). Two symbols, cpu_table and cpu_home (fp_cpu_table and fp_cpu_home
 *                   if FP_PREFIX is fp_), are the place of this memory in the space, the same for
 *                   all CPUs. Where GS points at 128 bytes of the kernel's own, and the memory
 *                   follows, the linker script has `cpu_table = 128; cpu_home = 128;`. The hot
 *                   paths are an instruction or two shorter. C++ does not have such qualifiers and
 *                   ignores the macro
 *
 * The lock, if the kernel wants its own.
 *
 *   MM_LOCK, MM_LOCK_IRQSAVE(lock), MM_UNLOCK_IRQRESTORE(lock, flags), MM_LOCK_IS_TAKEN(lock)
 *                   a type, which is an open lock where all its bytes are 0; and what
 *                   port_lock_irqsave() and its family do, given a pointer to one. mm/ takes no
 *                   second lock while it holds one
 *
 * The log.
 *
 *   MM_LOG(...)     in place of printk(): an expression, of any type
 *   MM_PANIC(...)   in place of panic(): an expression that does not return
 *
 * Switches, by the configuration or by -D.
 *
 *   MM_ALLOW_SSE    allows SSE in a build without MM_HOST that is no kernel
 *   MM_NO_ASSERT    leaves out MM_ASSERT() in a build with MM_HOST
 *   MM_CHECK_PIN    panics when a thread uses a frame cache of a CPU on which it does not run: for
 *                   a kernel that wants to know whether its MM_PIN() works; where MM_ASSERT() is
 *                   on, it is on
 */
#ifndef MM_PORT_H
#define MM_PORT_H

#include "mm/types.h"

#if defined(MM_PHYS_TO_VIRT) != defined(MM_VIRT_TO_PHYS) ||                                    \
    defined(MM_PFN_TO_PAGE) != defined(MM_PAGE_TO_PFN) ||                                      \
    defined(MM_IRQ_SAVE) != defined(MM_IRQ_RESTORE) || defined(MM_PIN) != defined(MM_UNPIN) || \
    defined(MM_LOCK) != defined(MM_LOCK_IRQSAVE) ||                                            \
    defined(MM_LOCK) != defined(MM_UNLOCK_IRQRESTORE) ||                                       \
    defined(MM_LOCK) != defined(MM_LOCK_IS_TAKEN)
#error "MM_PORT_CONFIG defines only a part of what belongs together"
#endif

#if defined(MM_CPU_SPACE) && (!defined(MM_STATIC_CPUS) || MM_STATIC_CPUS)
#error "with MM_CPU_SPACE each CPU's memory comes by mm_add_cpu(): MM_STATIC_CPUS must be 0"
#endif

/*
 * A kernel must not use the vector registers: its interrupt handlers do not save them, and they may
 * not be enabled yet. Without these flags gcc puts SSE instructions into memblock_add(), and its
 * first call faults, mostly before a kernel can report it. The red zone, too, belongs to interrupt
 * handlers in a kernel.
 */
#if !defined(MM_HOST) && defined(__SSE__) && !defined(MM_ALLOW_SSE)
#error "a kernel must be compiled with -mgeneral-regs-only -mno-red-zone (MM_ALLOW_SSE: no kernel)"
#endif

#ifdef MM_HOST

/* What phys_to_virt() adds: 0 until the host program sets it. Defined in memblock.c. */
extern uintptr_t mm_host_offset;
#define MM_DIRECT_MAP mm_host_offset
/* 256 GiB of address space that AddressSanitizer and MemorySanitizer leave to the program. */
#ifndef MEM_MAP_BASE
#define MEM_MAP_BASE 0x550000000000ull
#endif

#else

#ifndef MM_DIRECT_MAP
#define MM_DIRECT_MAP 0xffff888000000000ull
#endif
#ifndef MEM_MAP_BASE
#define MEM_MAP_BASE 0xffffea0000000000ull
#endif

#endif

#ifndef MM_MAX_PFN
#define MM_MAX_PFN ((pfn_t)1 << 34)
#endif

#ifndef MM_MAX_CPUS
#ifdef MM_HOST
#define MM_MAX_CPUS 8
#else
#define MM_MAX_CPUS 1
#endif
#endif

#ifndef MM_STATIC_CPUS
#define MM_STATIC_CPUS MM_MAX_CPUS
#endif

/*
 * What different CPUs write is at least this many bytes apart: two lines of a CPU cache, because
 * processors fetch them in pairs.
 */
#define MM_LINE 128

#ifndef MM_PHYS_TO_VIRT
#define MM_PHYS_TO_VIRT(phys) ((void *)(uintptr_t)((phys) + (MM_DIRECT_MAP)))
#define MM_VIRT_TO_PHYS(virt) ((phys_addr_t)(uintptr_t)(virt) - (MM_DIRECT_MAP))
#endif

/* Returns the address at which the direct map shows phys. */
static inline void *phys_to_virt(phys_addr_t phys)
{
	return MM_PHYS_TO_VIRT(phys);
}

/* Returns the physical address of virt, which must lie in the direct map. */
static inline phys_addr_t virt_to_phys(const volatile void *virt)
{
	return MM_VIRT_TO_PHYS(virt);
}

/* The surroundings supply the functions that follow. */

/* Writes to the log, as printf() does. mm/ does not use what it returns. */
#ifndef MM_LOG
__attribute__((__format__(__printf__, 1, 2))) int printk(const char *fmt, ...);
#endif

/* Reports a programmer's error or an unusable machine, and never returns. */
#ifndef MM_PANIC
__attribute__((__format__(__printf__, 1, 2), __noreturn__)) void panic(const char *fmt, ...);
#endif

/* Writes a back-trace to the log. It may do nothing. */
void dump_stack(void);

/*
 * A slab allocator, if there is one. As soon as slab_is_available() returns true, memblock passes
 * requests for memory on to kmalloc(), and warns, because the caller should not use memblock then.
 */
bool slab_is_available(void);
void *kmalloc(size_t size, unsigned int gfp);
void kfree(const void *ptr);

/*
 * port_cpu_id() returns this CPU's number, 0 to MM_MAX_CPUS - 1. port_irq_save() disables
 * interrupts on it and returns the previous state; port_irq_restore() restores that state. The last
 * two are barriers for the compiler: an asm statement clobbers "memory".
 */
#ifdef MM_CPU_ID
static inline unsigned int port_cpu_id(void)
{
	return MM_CPU_ID();
}
#else
unsigned int port_cpu_id(void);
#endif

#ifdef MM_IRQ_SAVE
static inline unsigned long port_irq_save(void)
{
	return MM_IRQ_SAVE();
}

static inline void port_irq_restore(unsigned long flags)
{
	MM_IRQ_RESTORE(flags);
}
#else
unsigned long port_irq_save(void);
void port_irq_restore(unsigned long flags);
#endif

/*
 * port_nr_cpus() returns how many CPUs use the allocator, 1 to MM_MAX_CPUS: what the frame caches
 * of a zone may hold is divided by that number. port_may_wait() returns whether the caller may wait
 * for other CPUs: interrupts are on here, and it holds no lock that another CPU could be waiting
 * for with its interrupts off. It returns false in every interrupt handler, even where that has
 * enabled interrupts. It may be called between port_pin() and port_unpin(), and must not return
 * false for that reason: a remote node's frames would then never be cached. port_on_each_cpu() runs
 * the function on every CPU, this one included, and returns when all have run it. It is called only
 * where port_may_wait() returns true, and never between a port_pin() and port_unpin() of mm/. The
 * function must be able to interrupt any code of mm/: as in Linux's on_each_cpu() an interrupt
 * handler runs it, not a thread. With one CPU port_on_each_cpu() just calls the function.
 */
unsigned int port_nr_cpus(void);
bool port_may_wait(void);
void port_on_each_cpu(void (*function)(void *argument), void *argument);

/*
 * Makes [virt, virt + size) of the mem_map window show the memory [phys, phys + size), writable.
 * All three are multiples of PAGE_SIZE; size is not 0. Large pages may be used where both addresses
 * are aligned.
 */
void port_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size);

/*
 * Makes [virt, virt + size) of the window read as zeros, through shared tables, never writable.
 * Both are multiples of PAGE_SIZE; size is not 0.
 */
void port_map_zero(uintptr_t virt, uint64_t size);

/*
 * Memory that is added while the kernel runs (hotplug.h), and removed again. Nothing but hotplug.c
 * calls these functions: a kernel that never adds memory supplies none of them.
 */
struct port_memory {
	phys_addr_t base, size;  /* the RAM; multiples of 2 MiB */
	phys_addr_t descriptors; /* where in it its own descriptors lie, one after the other */
	phys_addr_t tables;      /* where in it the frames for page tables lie, from the first on */
};

/*
 * Returns how many frames port_map_memory() takes from m->tables on for page tables that map
 * nothing but [base, base + size). Tables that it shares with other memory do not count.
 */
uint64_t port_tables_of(phys_addr_t base, uint64_t size);

/*
 * Returns whether there is RAM at [base, base + size), of which nothing is mapped, as far as words
 * tell that are written and read at some points of it. Comes before port_map_memory().
 */
bool port_probe_memory(phys_addr_t base, uint64_t size);

/*
 * Maps the RAM in the direct map, and in the mem_map window its descriptors, in place of zeros.
 * Page tables for this RAM alone are put into the frames from m->tables on, tables that other RAM
 * needs as well into frames of hotplug_take_frames(). Nothing of the RAM is mapped yet: what has to
 * be written to it must be written by other means. Returns 0, or -ENOMEM when the latter are used
 * up, and has changed nothing then. The caller calls port_flush_memory() afterwards.
 *
 * m->descriptors should differ from the address of their place in the window by a multiple of
 * 2 MiB: large pages can show them then, and hotplug_take_frames() is asked for eight frames at the
 * most, two of each size of shared table. Otherwise it is asked for one more for each 512 MiB.
 */
int port_map_memory(const struct port_memory *m);

/*
 * Takes back what port_map_memory() did: the descriptors read as zeros again, the direct map has
 * the RAM no longer, and shared tables that have become empty are given to hotplug_return_frames()
 * (after they were flushed on every CPU). Nothing of the RAM is read or written. Flushes what it
 * has changed on every CPU.
 */
void port_unmap_memory(const struct port_memory *m);

/*
 * Makes every CPU forget what it knows of these addresses: a CPU may have kept a translation to the
 * zeros that stood for the descriptors. Called where port_may_wait() returns true.
 */
void port_flush_memory(const struct port_memory *m);

/*
 * port_map_frames() makes the nr frames from pfn on accessible in the direct map,
 * port_unmap_frames() makes them fault, whatever they were before. Only MM_DEBUG_PAGEALLOC of
 * debug.h calls them; the direct map must then have a page of its own for each frame. Other CPUs
 * need no flush: a translation that they still hold merely hides a misuse.
 */
void port_map_frames(pfn_t pfn, uint64_t nr);
void port_unmap_frames(pfn_t pfn, uint64_t nr);

/*
 * Writes the name of the code address site to text, size bytes with the terminator: a symbol and
 * offset, or the number. Only MM_PAGE_OWNER of debug.h calls it.
 */
void port_site_name(uintptr_t site, char *text, size_t size);

/* A spinlock, open where all its bytes are 0. */
#ifdef MM_LOCK
typedef MM_LOCK port_lock_t;
#else
/* A word, because not every processor can exchange a byte: for riscv64 gcc would call a library. */
typedef struct {
	unsigned int taken;
} port_lock_t;
#endif

/*
 * port_pin() keeps the running thread on its CPU until port_unpin(), which gets the cookie that
 * port_pin() returned. Pairs may nest. Where threads do not move between CPUs there is nothing to
 * do, and without MM_PIN() these do nothing. A preemptible kernel must define it.
 */
#ifndef MM_PIN
#define MM_PIN()         0
#define MM_UNPIN(cookie) ((void)(cookie))
#endif

static inline unsigned long port_pin(void)
{
	return MM_PIN();
}

static inline void port_unpin(unsigned long cookie)
{
	MM_UNPIN(cookie);
}

/*
 * port_cpu_relax() is called in loops that wait for another CPU. Without MM_CPU_RELAX() it does
 * nothing. A kernel for several CPUs defines it: the processor's instruction for such loops.
 */
#ifndef MM_CPU_RELAX
#define MM_CPU_RELAX() ((void)0)
#endif

static inline void port_cpu_relax(void)
{
	MM_CPU_RELAX();
}

/*
 * port_lock_irqsave() disables interrupts and takes the lock, so that no handler waits for its own
 * CPU. It returns what port_unlock_irqrestore() needs. port_lock_is_taken() returns whether any CPU
 * holds the lock. Only assertions use it; it cannot tell whose hold it is.
 */
#ifdef MM_LOCK
static inline unsigned long port_lock_irqsave(port_lock_t *lock)
{
	return MM_LOCK_IRQSAVE(lock);
}

static inline void port_unlock_irqrestore(port_lock_t *lock, unsigned long flags)
{
	MM_UNLOCK_IRQRESTORE(lock, flags);
}

__attribute__((__unused__)) static inline bool port_lock_is_taken(port_lock_t *lock)
{
	return MM_LOCK_IS_TAKEN(lock);
}
#else

/*
 * Which of the CPUs that wait gets it is left open. A lock that serves them in the order in which
 * they came stands still whenever the next in turn is not running, which happens in a virtual
 * machine with more CPUs than the host has cores: the rows lock.unfair and lock.fair of `make
 * bench` compare the two.
 */
static inline unsigned long port_lock_irqsave(port_lock_t *lock)
{
	unsigned long flags = port_irq_save();

	while (__builtin_expect(__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE) != 0, 0))
		while (__atomic_load_n(&lock->taken, __ATOMIC_RELAXED))
			port_cpu_relax();
	return flags;
}

static inline void port_unlock_irqrestore(port_lock_t *lock, unsigned long flags)
{
	__atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
	port_irq_restore(flags);
}

__attribute__((__unused__)) static inline bool port_lock_is_taken(port_lock_t *lock)
{
	return __atomic_load_n(&lock->taken, __ATOMIC_RELAXED) != 0;
}
#endif

/* ---- private to mm/, but for tests and statistics ---- */

/* What mm/ calls for the log and for a panic, both statements. */
#ifdef MM_LOG
#define port_log(...) ((void)(MM_LOG(__VA_ARGS__)))
#else
#define port_log(...) ((void)printk(__VA_ARGS__))
#endif

#ifdef MM_PANIC
#define port_panic(...)                \
	do {                           \
		MM_PANIC(__VA_ARGS__); \
		for (;;)               \
			;              \
	} while (0)
#else
#define port_panic(...) panic(__VA_ARGS__)
#endif

/*
 * Panics when a contract that a header of mm/ states is broken. Host builds check; a kernel's hot
 * paths carry no check, and cond is then not evaluated.
 */
#if defined(MM_HOST) && !defined(MM_NO_ASSERT)
#ifndef MM_CHECK_PIN
#define MM_CHECK_PIN
#endif
#define MM_ASSERT(cond)                                                                 \
	do {                                                                            \
		if (!(cond))                                                            \
			port_panic("mm: %s(), line %d: %s", __func__, __LINE__, #cond); \
	} while (0)
#else
#define MM_ASSERT(cond) ((void)sizeof(!(cond)))
#endif

/*
 * memset(), memcpy(), memmove(): the C library's on a host, the kernel's own elsewhere. The types
 * are C's: the compiler calls them as well, and passes a size_t.
 */
#ifdef MM_HOST
#include <string.h>
#else
void *memset(void *, int, size_t);
void *memcpy(void *, const void *, size_t);
void *memmove(void *, const void *, size_t);
#endif

#endif
