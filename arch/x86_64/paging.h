/*
 * paging.h: builds the kernel's page tables, which have 4 levels (Intel SDM volume 3A,
 * section 4.5).
 *
 * The tables are memory from memblock, later from the page allocator, and are accessed through
 * phys_to_virt(). Nothing here uses a control register: address_space.c loads the tables, and host
 * programs build the same tables in simulated memory.
 *
 *   0xffff888000000000  direct map of RAM: never executable; the kernel's text and read-only data
 *                       are read-only here too
 *   0xffffc90000000000  windows on devices and firmware tables, made by ioremap()
 *   0xffffea0000000000  mem_map
 *   0xffffffff80000000  the kernel's image
 */
#ifndef ARCH_X86_64_PAGING_H
#define ARCH_X86_64_PAGING_H

#include "mm/types.h"

#define WINDOWS_BASE  0xffffc90000000000ull

/* Protection of a mapping. Every mapping is readable. */
#define PAGING_WRITE  0x1u
#define PAGING_EXEC   0x2u
#define PAGING_DEVICE 0x4u /* uncached */
#define PAGING_SMALL  0x8u /* 4 KiB pages only, so that single ones can be unmapped */

/* What the CPU supports, and which RAM must not be writable through the direct map. */
struct paging_config {
	bool nx;               /* no-execute bit: CPUID 80000001h EDX bit 20, and EFER.NXE set */
	bool pdpe1gb;          /* 1 GiB pages: CPUID 80000001h EDX bit 26 */
	bool small_direct_map; /* 4 KiB pages in the direct map: single frames can be unmapped */
	phys_addr_t ro_base, ro_size; /* kernel text and read-only data; multiples of PAGE_SIZE */
};

/* Makes an empty top table and the shared zero page. Panics if memblock has no room for them. */
void paging_init(const struct paging_config *wanted);

/*
 * Maps all of memblock.memory at MM_DIRECT_MAP, with pages as large as the CPU and the ends of the
 * ranges allow. Panics if memblock has no room for the tables.
 */
void paging_direct_map(void);

/*
 * Maps [virt, virt + size) to [phys, phys + size) with protection prot (PAGING_*). All three are
 * multiples of PAGE_SIZE. Maps nothing if size is 0. Panics if one is not, if part of it is
 * mapped already, or if there is no memory for tables. O(entries written).
 */
void paging_map(uintptr_t virt, phys_addr_t phys, uint64_t size, unsigned int prot);

/* Does the work of port_map_mem_map() (mm/port.h). */
void paging_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size);

/* Does the work of port_map_zero() (mm/port.h). */
void paging_map_zero(uintptr_t virt, uint64_t size);

/* Unmaps a page that was mapped with PAGING_SMALL; panics for any other. The caller must flush its
   TLB entry. */
void paging_unmap_page(uintptr_t virt);

/*
 * Makes nr_pages pages from virt on accessible, or not accessible. They must have been mapped with
 * PAGING_SMALL, otherwise this panics. The caller must flush the TLB entries of pages that are no
 * longer accessible. O(nr_pages).
 */
void paging_set_present(uintptr_t virt, uint64_t nr_pages, bool present);

/* Takes memory for later tables from the page allocator instead of memblock. */
void paging_use_allocator(void);

/*
 * Maps a window on [phys, phys + size), in bytes, uncached and writable, and returns the virtual
 * address of phys. Panics if there is no memory for tables. Windows are few and are never unmapped;
 * there is room for 32 TiB of them.
 */
void *ioremap(phys_addr_t phys, size_t size);

/*
 * Maps a window on the RAM [phys, phys + size), which are multiples of PAGE_SIZE, writable and not
 * executable. Returns the address of the page below it, which is not mapped: a stack's guard page.
 * Panics if there is no memory for tables.
 */
uintptr_t paging_map_guarded(phys_addr_t phys, uint64_t size);

/*
 * Reserves a page of addresses among the windows and makes its tables, but maps nothing there. Sets
 * *virt to its address. Returns its page table entry, which the caller may write.
 */
uint64_t *paging_reserve_page(uintptr_t *virt);

/* The entry that maps an address. */
struct paging_leaf {
	phys_addr_t phys; /* physical address of the address itself, not of its page */
	uint64_t size;    /* of the page: 4 KiB, 2 MiB or 1 GiB */
	uint64_t entry;   /* the page table entry */
};

/* Looks up virt and fills *leaf. Returns false if it is not mapped. Reads at most 4 entries. */
bool paging_walk(uintptr_t virt, struct paging_leaf *leaf);

/* Returns the physical address of the top table, for CR3. */
phys_addr_t paging_root(void);

/* Returns the bytes of all page tables made so far. The shared zero page is not counted. */
uint64_t paging_table_bytes(void);

#endif
