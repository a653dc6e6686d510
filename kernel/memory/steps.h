/*
 * steps.h: the steps from the firmware's raw map to a running allocator.
 *
 * They use a struct memory_input and nothing else of the kernel, so that replay runs the same code
 * on a host. In the kernel setup.c makes that input from boot_info, the options and the CPU.
 */
#ifndef KERNEL_MEMORY_STEPS_H
#define KERNEL_MEMORY_STEPS_H

#include "include/e820.h"
#include "lib/e820.h"
#include "lib/numa.h"
#include "mm/types.h"

#define LOW_MEMORY_END   0xa0000ull /* 640 KiB: above are video memory, option ROMs and BIOS */
#define LOW_MEMORY_KEPT  0x10000ull /* end of what is always reserved: memory_reserve_low() */

#define MEMORY_MAX_TAKEN 24

/* All that the steps know of the machine. */
struct memory_input {
	const struct e820_entry *raw;
	uint32_t nr_raw;
	uint32_t nr_taken;
	struct e820_taken taken[MEMORY_MAX_TAKEN]; /* in use by the kernel's image and the loader */
	phys_addr_t ebda;  /* where the EBDA begins, up to LOW_MEMORY_END; 0: not known */
	phys_addr_t limit; /* where the CPU's physical addresses end */

	/* What says which nodes there are: one of the options, or else given ranges (lib/numa.h:
	   numa_from_ranges()), or else ACPI's tables. */
	bool numa_off;      /* one node has all RAM (numa=off) */
	uint32_t numa_fake; /* so many nodes (numa=fake=); 0: no option */
	uint32_t nr_given;
	const struct numa_range *given;
	const void *srat, *slit; /* NULL: no such table */
	uint32_t srat_size, slit_size;
	const uint32_t *apic_ids; /* of the CPUs, by their numbers; CPU 0 boots */
	uint32_t nr_cpus;         /* how many there are; 0: one, of node 0 */
};

/* The corrected map. memory_correct() fills it. */
extern struct e820_map e820_map;

/* What memory_to_nodes() has made; NULL: there is one node, and nothing was corrected. */
extern const struct numa_map *numa_map;

/* Corrects the raw entries of `in` into e820_map: lib/e820.h. */
void memory_correct(const struct memory_input *in);

/*
 * Fills memblock from e820_map: its RAM, in whole frames, becomes memblock.memory, all on node 0;
 * what `in` calls taken, and low memory, is reserved. Returns the bytes of RAM that are left out
 * because they lie beyond in->limit or beyond the span of the direct map.
 */
uint64_t memory_to_memblock(const struct memory_input *in);

/*
 * Returns the least number of bytes for memblock_enforce_memory_limit() (mem=) that leave the
 * kernel's image, which ends at image_end, and enough to boot with and to work at the prompt.
 * If there is less, all of it. Call it after memory_to_memblock().
 */
uint64_t memory_least_limit(phys_addr_t image_end);

/*
 * Makes the nodes for the RAM that memblock has, and tells them to memblock and to mm/numa.h. Takes
 * memory for numa_map from memblock, unless `in` says nothing about nodes. Call it before
 * mem_map_init().
 */
void memory_to_nodes(const struct memory_input *in);

/*
 * Reserves the low memory that is never handed out, whatever the map says. That is the first
 * 64 KiB, with interrupt vectors and BIOS data, where some BIOSes write later and other CPUs start;
 * and the EBDA, from in->ebda to 640 KiB. memory_to_memblock() calls it. It must be called again
 * after memory was freed that may overlap.
 */
void memory_reserve_low(const struct memory_input *in);

/*
 * Makes the zones and hands all memory over to them that memblock has not reserved. seed should
 * differ from boot to boot: zones_init(). debug has options of mm/debug.h.
 */
void memory_hand_over(uint64_t seed, unsigned int debug);

#endif
