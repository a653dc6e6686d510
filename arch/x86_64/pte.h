/*
 * pte.h: the bits of page table entries. There are 4 levels of tables, and each table has 512
 * entries (Intel SDM volume 3A, section 4.5, tables 4-15 to 4-20).
 *
 * Level 0 is a page table (its entries map 4 KiB), 1 a page directory (2 MiB), 2 a page-directory-
 * pointer table (1 GiB), 3 the PML4.
 */
#ifndef ARCH_X86_64_PTE_H
#define ARCH_X86_64_PTE_H

#include "mm/types.h"

#define PTE_ENTRIES  512
#define PTE_LEVELS   4

#define PTE_PRESENT  0x001ull
#define PTE_WRITE    0x002ull
#define PTE_PWT      0x008ull
#define PTE_PCD      0x010ull
#define PTE_ACCESSED 0x020ull /* always set, so that the CPU need not write it */
#define PTE_DIRTY    0x040ull /* likewise */
#define PTE_PS       0x080ull /* in levels 1 and 2: the entry maps a large page */
#define PTE_GLOBAL   0x100ull
#define PTE_NX       (1ull << 63)
#define PTE_ADDRESS  0x000ffffffffff000ull

/* Returns the binary logarithm of the bytes that an entry of this level spans. */
static inline unsigned int pte_shift(unsigned int level)
{
	return PAGE_SHIFT + 9 * level;
}

/* Returns the index of virt's entry in a table of this level. */
static inline unsigned int pte_index(uintptr_t virt, unsigned int level)
{
	return (unsigned int)(virt >> pte_shift(level)) & (PTE_ENTRIES - 1);
}

#endif
