/*
 * sim.h: simulates a machine's memory in a host program, and implements mm/port.h's functions.
 *
 * Physical RAM is a sparse mapping: phys_to_virt(p) is SIM_RAM + p. The mem_map window is mapped
 * as the port's functions demand: the descriptors of RAM writable, those of holes read-only, and
 * nothing else, so that a stray access faults. RAM that has been added and removed again faults,
 * too.
 */
#ifndef TESTS_HOST_SIM_SIM_H
#define TESTS_HOST_SIM_SIM_H

#include <setjmp.h>

#include "kernel/memory/steps.h"

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define SIM_MSAN 1
#endif
#endif

#ifdef SIM_LOW
/*
 * Valgrind leaves a program only 64 GiB of addresses and ThreadSanitizer 512 GiB: such a program is
 * compiled with a MEM_MAP_BASE that lies above this RAM and within 64 GiB.
 */
#define SIM_RAM         0x400000000ull
#define SIM_RAM_SIZE    (32ull << 30)
#define SIM_WINDOW_SIZE (1ull << 30)
#elif defined(SIM_MSAN)
#define SIM_RAM      0x530000000000ull /* MemorySanitizer leaves 8 TiB there */
#define SIM_RAM_SIZE (8ull << 40)
#else
#define SIM_RAM      0x110000000000ull
#define SIM_RAM_SIZE (64ull << 40)
#endif

#ifndef SIM_WINDOW_SIZE
#define SIM_WINDOW_SIZE (MM_MAX_PFN * sizeof(struct page)) /* the mapped part of the window */
#endif

struct sim_options {
	bool pdpe1gb;         /* 1 GiB pages in the simulated page tables */
	bool dirty;           /* RAM and descriptors hold garbage before the boot */
	uint64_t kernel_size; /* bytes; 0: no kernel image */
	phys_addr_t mem_limit;
	uint64_t seed;
	unsigned int debug; /* mm/debug.h's options */

	/* The NUMA nodes: as ranges that are given, or else as ACPI's tables say; without either
	   there is one node. */
	const struct numa_range *nodes;
	uint32_t nr_nodes;
	const void *srat, *slit;
	uint32_t srat_size, slit_size;
};

/* The file that printk() writes to; NULL: it prints nothing. */
#include <stdio.h>
extern FILE *sim_log;

/*
 * Where panic() of this thread jumps to, for a test that expects a panic; when it is NULL, panic()
 * prints its message to stderr and aborts the program. The message is in sim_panic_text either way.
 */
extern _Thread_local jmp_buf *sim_panic_jump;
extern _Thread_local char sim_panic_text[256];

/* Calls function(argument). Returns whether that has panicked: sim_panic_text says why. */
bool sim_panics(void (*function)(void *argument), void *argument);

/* The number of the CPU that a thread plays; each CPU is one thread's at a time. */
extern _Thread_local unsigned int sim_cpu;

/* What port_nr_cpus() returns. */
extern unsigned int sim_nr_cpus;

/*
 * While a thread plays a CPU, from sim_cpu_begin() to sim_cpu_end(), that thread answers
 * port_on_each_cpu() for it, when it next disables or enables its interrupts. Every CPU that no
 * thread plays is played by the thread that asks.
 */
void sim_cpu_begin(unsigned int cpu);
void sim_cpu_end(void);

/* Enables (on) or disables this thread's interrupts. */
void sim_irqs(bool on);

/*
 * Lets the stacks of every CPU's frame caches at home hold `frames` single frames, or `runs` runs
 * of each higher order, whatever the zones' sizes, if there is room for as many; of runs to give
 * back half as many. The caches are empty.
 */
void sim_limit_caches(uint32_t frames, uint32_t runs);

/* How often this thread disabled its interrupts, which it does once each time it takes a lock. */
extern _Thread_local unsigned long sim_holds;

/* Makes a program with Callgrind's marks count instructions only while a lock is held. */
extern bool sim_collect_holds;

/*
 * Runs mm_check() while requests may be keeping frame caches shut, and returns the number of
 * violations. A cache that is shut must have limits of 0.
 */
unsigned long sim_check_within_requests(void);

/* Returns the machine to its state at power-on: memblock is empty, RAM and window are unmapped. */
void sim_reset(void);

/*
 * Maps RAM for [0, size), or less if SIM_RAM_SIZE is less. sim_boot() calls it. Exits the program
 * when the host refuses.
 */
void sim_map_ram(uint64_t size);

/*
 * Addresses below this have no RAM although it is added: port_probe_memory() then finds none. 0
 * after sim_reset().
 */
extern phys_addr_t sim_no_ram_below;

/*
 * Fills the lowest 64 MiB of RAM with garbage, and will do so with descriptors when they are
 * mapped.
 */
void sim_dirty(void);

/*
 * Boots from nr raw entries up to the allocator, and sets *kernel to where the kernel's image was
 * placed. Returns 0; or -1 with the reason in words in *error when the map has no usable RAM or no
 * place for the kernel.
 */
int sim_boot(const struct e820_entry *raw, uint32_t nr, const struct sim_options *options,
	     struct e820_taken *kernel, const char **error);

/*
 * Does the first part of sim_boot(), with the same arguments and results: afterwards memblock is
 * complete and the direct map exists, and mem_map_init() is the next step.
 */
int sim_boot_memory(const struct e820_entry *raw, uint32_t nr, const struct sim_options *options,
		    struct e820_taken *kernel, const char **error);

/* Does the rest of sim_boot(). Between the two a caller may say which CPU is which node's. */
void sim_hand_over(const struct sim_options *options);

/* Does sim_boot_memory() with the map in the file called name; panics when that fails. */
void sim_boot_file(const char *name, const struct sim_options *options);

extern uint64_t sim_mem_map_bytes; /* what mem_map_init() returned in the last sim_hand_over() */
extern uint64_t sim_left_out;      /* bytes of RAM that the last boot could not address */

#endif
