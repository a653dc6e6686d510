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
 *   page_tables_map(…);            devices, at any later time
 *
 * Tables come from memblock until its memory is handed over, and from the allocator afterwards.
 *
 * Once a new top table is in CR3, what only the loader's tables mapped is not seen any more: the
 * framebuffer, ACPI tables in reserved memory, the registers of the local APIC. The kernel maps
 * what it uses of these by page_tables_map(), registers with PAGE_TABLES_UNCACHED.
 *
 * The formats are those of Intel SDM volume 3A, section 4.5. CR4.LA57, for a fifth level, must be
 * clear. CR0.WP should be set, so that a write to the zeros that stand for the descriptors of holes
 * faults in the kernel as well. These tables are not enough for memory that comes and goes
 * (mm/hotplug.h): all holes share tables, which cannot be changed for one hole.
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

/* Flags for page_tables_map(). Without the first two the memory is read-only and not executable. */
#define PAGE_TABLES_WRITE    0x1u
#define PAGE_TABLES_EXECUTE  0x2u
/* For the registers of devices: no CPU cache keeps the memory. */
#define PAGE_TABLES_UNCACHED 0x4u

/*
 * Makes the entries of the top table for the direct map, up to the end of RAM, and for the whole
 * window. From here on these entries stay as they are. Bits 0 to 11 of root are ignored, so that it
 * may be the value of CR3. A seen_end that is not 0 becomes memblock's limit, because tables can be
 * written only where memory is seen.
 *
 * Panics when the direct map would reach beyond the end of addresses: remove the rest of RAM
 * before, by memblock_remove(). Panics also when the direct map and the window overlap, or when
 * MM_PHYS_TO_VIRT() is not linear, which these tables do not support.
 */
void page_tables_init(const struct page_tables_config *config);

/*
 * Maps [virt, virt + size) to the memory [phys, phys + size), for the kernel alone. allow is a sum
 * of the flags above. Panics unless virt, phys and size are multiples of PAGE_SIZE, when a part is
 * mapped already, and when there is no room for a table.
 */
void page_tables_map(uintptr_t virt, uint64_t phys, uint64_t size, unsigned int allow);

/*
 * Maps all memory of memblock at MM_DIRECT_MAP, writable and not executable, and lifts memblock's
 * limit. From here on the tables are reached there, so a new top table must be loaded before the
 * next call of this file but page_tables_root(). What the direct map has there already, at its
 * right place, stays as it is: a kernel whose image lies inside its direct map maps the image
 * first, with the rights that it needs. Panics when other memory is mapped there.
 */
void page_tables_direct_map(void);

/* Returns the physical address of the top table, for CR3. */
uint64_t page_tables_root(void);

/*
 * Copies the kernel's entries to top, the top table of a process, which has 512 entries: all of the
 * upper half, and those of the direct map and of the window, wherever they are. The process then
 * sees all that is mapped below these entries, also what is mapped later. It does not see what is
 * mapped later below a new entry of the kernel's top table. One entry spans 512 GiB: map a first
 * part there before the copy.
 */
void page_tables_copy_top(uint64_t *top);

/* Returns how many bytes all tables take that were made so far. */
uint64_t page_tables_bytes(void);

#endif
