/*
 * steps.h: from the firmware's raw entries to an allocator: the steps, one after the other.
 *
 * They take a struct memory_input and nothing else of the kernel, so that replay runs the same code
 * on a host. setup.h makes the kernel's input from boot_info, options and CPU.
 */
#ifndef KERNEL_MEMORY_STEPS_H
#define KERNEL_MEMORY_STEPS_H

#include "include/e820.h"
#include "lib/e820.h"
#include "mm/types.h"

#define LOW_MEMORY_END   0xa0000ull /* 640 KiB: video memory, option ROMs, BIOS up to 1 MiB */
#define LOW_MEMORY_KEPT  0x10000ull /* page 0, and room for what must start below 1 MiB */

#define MEMORY_MAX_TAKEN 24

struct memory_input {
	const struct e820_entry *raw;
	uint32_t nr_raw;
	uint32_t nr_taken;
	struct e820_taken taken[MEMORY_MAX_TAKEN]; /* in use: the kernel's image, the loader */
	phys_addr_t ebda;      /* where low memory ends by INT 12h and 40:0Eh; 0: not known */
	phys_addr_t limit;     /* the CPU's physical addresses end here */
	phys_addr_t mem_limit; /* mem=: bytes of RAM to use, from the lowest; 0: all */
};

/* The corrected map, after memory_correct(). */
extern struct e820_map e820_map;

void memory_correct(const struct memory_input *in);

/*
 * RAM as memblock.memory, in whole frames; what is in use as memblock.reserved. Returns the bytes
 * of RAM that were left out because they lie beyond in->limit or the direct map's span.
 */
uint64_t memory_to_memblock(const struct memory_input *in);

/*
 * Low memory that is never handed out, whatever the map says: the first 64 KiB (interrupt vectors
 * and BIOS data; some BIOSes write there later; other CPUs start there) and the EBDA, from the
 * lowest of what the firmware's sources say up to 640 KiB. memory_to_memblock() does it; again
 * after something that overlaps was freed.
 */
void memory_reserve_low(const struct memory_input *in);

/* zones, then the hand-over. seed: differs from boot to boot. debug: mm/debug.h's options. */
void memory_hand_over(uint64_t seed, unsigned int debug);

#endif
