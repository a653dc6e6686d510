/*
 * sim.h: a machine's memory on a host: a sparse mapping as physical RAM, and mm/port.h's functions.
 *
 * phys_to_virt(p) is SIM_RAM + p; the mem_map window is mapped where and as the port is told: RAM's
 * descriptors writable, holes read-only, all else not at all, so that a stray access faults.
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
/* Valgrind leaves a program 64 GiB of addresses, ThreadSanitizer 512: with MEM_MAP_BASE above. */
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
#define SIM_WINDOW_SIZE (MM_MAX_PFN * sizeof(struct page)) /* of the window, what is mapped */
#endif

struct sim_options {
	bool pdpe1gb;         /* 1 GiB pages in the simulated page tables */
	bool dirty;           /* RAM and descriptors hold garbage before the start */
	uint64_t kernel_size; /* bytes; 0: no kernel image */
	phys_addr_t mem_limit;
	uint64_t seed;
	unsigned int debug; /* mm/debug.h's options */
};

/* printk() writes to this; NULL: nowhere. */
#include <stdio.h>
extern FILE *sim_log;

/* Where panic() jumps when a test expects it; else it prints to stderr and ends the program. */
extern jmp_buf *sim_panic_jump;
extern char sim_panic_text[256];

/* The number of the CPU that a thread plays; each CPU is one thread's at a time. */
extern _Thread_local unsigned int sim_cpu;

/* How often this thread switched its interrupts off: once for each hold of a lock. */
extern _Thread_local unsigned long sim_holds;

/* In a program with Callgrind's marks: collect between lock and unlock, and only there. */
extern bool sim_collect_holds;

/* Everything back to power-on: memblock empty, RAM and window unmapped. */
void sim_reset(void);

/* Maps RAM for [0, size); sim_boot() does it itself. Exits the program when the host refuses. */
void sim_map_ram(uint64_t size);

/*
 * The boot, from raw entries to the allocator. 0, or an error in words in *error: no RAM, no place
 * for the kernel. *kernel is where its image was placed.
 */
int sim_boot(const struct e820_entry *raw, uint32_t nr, const struct sim_options *options,
	     struct e820_taken *kernel, const char **error);

/* Its first part: memblock is complete and the direct map stands; mem_map_init() is next. */
int sim_boot_memory(const struct e820_entry *raw, uint32_t nr, const struct sim_options *options,
		    struct e820_taken *kernel, const char **error);

/* The same of a map file. Panics when there is no way. */
void sim_boot_file(const char *name, const struct sim_options *options);

/* What the last sim_boot() used. */
extern uint64_t sim_mem_map_bytes;
extern uint64_t sim_left_out;

#endif
