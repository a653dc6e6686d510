/*
 * paging_tables.h: what paging.c and its neighbours know of the page tables: where they are, and
 * how entries are made. Other files use paging.h.
 */
#ifndef ARCH_X86_64_PAGING_TABLES_H
#define ARCH_X86_64_PAGING_TABLES_H

#include "arch/x86_64/paging.h"
#include "arch/x86_64/pte.h"
#include "mm/port.h"

/* The page tables. Defined in paging.c. */
struct paging_tables {
	struct paging_config config;
	phys_addr_t root;
	phys_addr_t zero_page;
	phys_addr_t zero_table[2];
	uint64_t bytes; /* of all tables */
};
extern struct paging_tables paging;

static inline uint64_t *entry_at(phys_addr_t table, unsigned int level, uintptr_t virt)
{
	uint64_t *entries = phys_to_virt(table);

	return &entries[pte_index(virt, level)];
}

/* Writes n entries: the first gets value, each other one step more than the one before. */
static inline void write_run(uint64_t *entry, uint64_t n, uint64_t value, uint64_t step)
{
#pragma GCC unroll 8
	for (uint64_t i = 0; i < n; i++, value += step)
		entry[i] = value;
}

/* Returns all bits but the address of a leaf at this level, for the protection prot. */
static inline uint64_t leaf_bits(unsigned int prot, unsigned int level)
{
	uint64_t bits = PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_GLOBAL;

	if (prot & PAGING_WRITE)
		bits |= PTE_WRITE;
	if (prot & PAGING_DEVICE)
		bits |= PTE_PCD | PTE_PWT;
	if (!(prot & PAGING_EXEC) && paging.config.nx)
		bits |= PTE_NX;
	return level ? bits | PTE_PS : bits;
}

/* Returns an entry that leads to table. It permits writing and execution: only leaves forbid. */
static inline uint64_t table_entry(phys_addr_t table)
{
	return table | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
}

/*
 * Returns how many entries of this level, from virt's on, span only addresses in [virt, last]: 0 if
 * virt is not the first address of its entry.
 */
static inline uint64_t whole_entries(unsigned int level, uintptr_t virt, uintptr_t last)
{
	uint64_t below = (1ull << pte_shift(level)) - 1;

	if (virt & below)
		return 0;
	return ((last - virt) >> pte_shift(level)) + ((last & below) == below);
}

/* Returns the last address of [virt, last] that virt's entry at this level spans. */
static inline uintptr_t last_below(unsigned int level, uintptr_t virt, uintptr_t last)
{
	uintptr_t entry_last = virt | ((1ull << pte_shift(level)) - 1);

	return entry_last < last ? entry_last : last;
}

/* Returns an entry of this level for a hole: it leads to the zero page, or to a shared table. */
static inline uint64_t zero_entry(unsigned int level)
{
	if (level)
		return paging.zero_table[level - 1] | PTE_PRESENT | PTE_ACCESSED;
	return paging.zero_page | leaf_bits(0, 0);
}

#endif
