/* SPDX-License-Identifier: MIT */
/*
 * page_tables.h: page tables of x86-64 with 4 levels, for the direct map and for port_map_mem_map()
 * and port_map_zero() of mm/port.h, which page_tables.c defines.
 *
 * Pages have 1 GiB (where the CPU has them), 2 MiB or 4 KiB, the largest that fits. Entries are
 * only added, never changed: no TLB needs a flush. One CPU at a time may call these functions.
 *
 *   page_tables_init(&config);     after memblock is complete
 *   page_tables_map(…);            only where the top table is new: the kernel's image
 *   page_tables_direct_map();      unless the loader has made one
 *   …                              load CR3, where the top table is new
 *   ranges_start(seed);            ranges.h
 *   page_tables_map(…);            devices, at any time
 *
 * Tables come from memblock until its memory is handed over, and from the allocator afterwards.
 *
 * Once a new top table is in CR3, what only the loader's tables mapped is not seen any more: the
 * framebuffer, ACPI tables in reserved memory, the registers of the local APIC. Map what is used.
 *
 * The source is Intel SDM volume 3A, section 4.5. CR4.LA57, for a fifth level, must be clear.
 * CR0.WP should be set, so that a write to the zeros that stand for the descriptors of holes faults
 * in the kernel as well. Memory that comes and goes (mm/hotplug.h) needs more than there is here:
 * the tables that all holes share cannot be changed for some of them.
 */
#ifndef CONTRIB_PAGE_TABLES_H
#define CONTRIB_PAGE_TABLES_H

#include <stdbool.h>
#include <stdint.h>

struct page_tables_config {
	uint64_t root;     /* the top table, physical: what CR3 holds now; 0: a new one is made */
	uint64_t seen_at;  /* the virtual address at which physical address 0 is seen now */
	uint64_t seen_end; /* the physical address up to which that holds; 0: all of RAM */
	bool pages_1g;     /* the CPU has pages of 1 GiB: CPUID 80000001h, EDX bit 26 */
	bool no_execute;   /* EFER.NXE is set, so entries may forbid execution */
};

/* What page_tables_map() allows; without these two the memory is read only. */
#define PAGE_TABLES_WRITE    0x1u
#define PAGE_TABLES_EXECUTE  0x2u
/* No CPU cache keeps the memory: for the registers of devices. */
#define PAGE_TABLES_UNCACHED 0x4u

/*
 * Begins. Bits 0 to 11 of root are ignored, so that it may be the value of CR3. Where seen_end is
 * not 0, it becomes memblock's limit: tables are written where memory is seen. Makes the entries of
 * the top table for the direct map, up to the end of RAM, and for the whole window: from here on
 * they stay as they are. Panics when the direct map would reach beyond the end of addresses: then
 * leave out the rest of RAM before, by memblock_remove(). Panics also when MM_PHYS_TO_VIRT() is not
 * linear, for which these tables do not serve, or when the direct map and the window overlap.
 */
void page_tables_init(const struct page_tables_config *config);

/*
 * Maps [virt, virt + size) to the memory [phys, phys + size), all multiples of PAGE_SIZE, for the
 * kernel alone. Panics when a part of it is mapped already, or there is no room for a table.
 */
void page_tables_map(uintptr_t virt, uint64_t phys, uint64_t size, unsigned int allow);

/*
 * Maps all memory of memblock at MM_DIRECT_MAP, and lifts memblock's limit. From here on the tables
 * are reached there, so a new top table must be loaded before the next call of this file. Does not
 * allow execution. What is mapped there already, to the memory that belongs there, stays as it is:
 * a kernel whose image lies inside its direct map maps the image first, with the rights it needs.
 * Panics when other memory is mapped there.
 */
void page_tables_direct_map(void);

/* Returns the physical address of the top table, for CR3. */
uint64_t page_tables_root(void);

/*
 * Copies the kernel's entries to the top table of a process, which has 512 entries: all of the
 * upper half, and those of the direct map and of the window, wherever they are. All that is mapped
 * below these is seen in the process, now and later. What is mapped later at addresses for which
 * the top table has no entry yet, one for each 512 GiB, is not: map a first part before.
 */
void page_tables_copy_top(uint64_t *top);

/* Returns the bytes of all tables made so far. */
uint64_t page_tables_bytes(void);

#endif
