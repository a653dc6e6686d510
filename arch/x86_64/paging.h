/*
 * paging.h: the kernel's page tables: 4 levels (Intel SDM volume 3A, section 4.5).
 *
 * The tables are plain memory from memblock (from the allocator, once it stands), reached through
 * phys_to_virt(). Nothing here touches a control register, so host programs build the same tables
 * over simulated memory; address_space.c loads them.
 *
 *   0xffff888000000000  direct map of RAM, never executable; what is read-only stays so there too
 *   0xffffc90000000000  windows on devices and firmware tables, made by ioremap()
 *   0xffffea0000000000  mem_map
 *   0xffffffff80000000  the kernel's image
 */
#ifndef ARCH_X86_64_PAGING_H
#define ARCH_X86_64_PAGING_H

#include "mm/types.h"

#define WINDOWS_BASE  0xffffc90000000000ull

/* Protection of a mapping: readable always. */
#define PAGING_WRITE  0x1u
#define PAGING_EXEC   0x2u
#define PAGING_DEVICE 0x4u /* uncached */
#define PAGING_SMALL  0x8u /* 4 KiB pages only, so that single ones can be taken out */

/* What the CPU can do, and which RAM must not be written through the direct map. */
struct paging_config {
	bool nx;               /* no-execute bit: CPUID 80000001h EDX bit 20, and EFER.NXE set */
	bool pdpe1gb;          /* 1 GiB pages: CPUID 80000001h EDX bit 26 */
	bool small_direct_map; /* of 4 KiB pages: frames can be taken out one by one */
	phys_addr_t ro_base, ro_size; /* kernel text and read-only data; multiples of PAGE_SIZE */
};

/* An empty top table and the shared zero page. Panics when memblock has no room. */
void paging_init(const struct paging_config *wanted);

/* Maps all of memblock.memory at MM_DIRECT_MAP, by the largest pages that the edges allow. */
void paging_direct_map(void);

/*
 * Maps [virt, virt + size) to [phys, phys + size), nothing of which is mapped yet; all three are
 * multiples of PAGE_SIZE. O(entries written).
 */
void paging_map(uintptr_t virt, phys_addr_t phys, uint64_t size, unsigned int prot);

/* mm/port.h's port_map_mem_map() and port_map_zero(). */
void paging_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size);
void paging_map_zero(uintptr_t virt, uint64_t size);

/* Takes out a page that was mapped with PAGING_SMALL. The caller flushes the TLB. */
void paging_unmap_page(uintptr_t virt);

/*
 * Pages of 4 KiB that were mapped: accessible or not, from now on. The caller flushes the TLB of
 * those that are not. O(nr_pages).
 */
void paging_set_present(uintptr_t virt, uint64_t nr_pages, bool present);

/* The allocator stands: tables come from it from now on. */
void paging_use_allocator(void);

/*
 * A window on [phys, phys + size), uncached, writable. Never fails before the windows' 32 TiB are
 * full; panics when there is no memory for tables. There is no way back: windows are few.
 */
void *ioremap(phys_addr_t phys, size_t size);

/* Where an address leads: the leaf entry. */
struct paging_leaf {
	phys_addr_t phys; /* of the address itself */
	uint64_t size;    /* of the page: 4 KiB, 2 MiB or 1 GiB */
	uint64_t entry;
};
/* False when nothing is mapped there. O(4). */
bool paging_walk(uintptr_t virt, struct paging_leaf *leaf);

phys_addr_t paging_root(void); /* for CR3 */

/* Bytes of tables so far: direct map, mem_map window and all else; the zero page not counted. */
uint64_t paging_table_bytes(void);

#endif
