/*
 * early_access.c: moves a window of 2 MiB over physical memory.
 *
 * The loader maps the first 4 GiB with pages of 2 MiB, and entry.asm makes them visible at
 * MM_DIRECT_MAP too. The window is the last of these pages, where a PC has the BIOS's flash: before
 * each access its page table entry is set to the page that the access needs. So no table has to be
 * made, for which there would be no safe place yet.
 */
#include "arch/x86_64/early_access.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/pte.h"
#include "mm/port.h"

#define WINDOW_SIZE 0x200000ull
#define WINDOW      (0x100000000ull - WINDOW_SIZE)

/* The flags in an entry of the loader. None is above the address: it does not use NX. */
#define ENTRY_FLAGS 0xfffull

/* Returns the window's entry in the table of this level; parent is CR3 or the entry that leads to
   the table. */
static uint64_t *entry_of(uint64_t parent, unsigned int level)
{
	uint64_t *entries = phys_to_virt(parent & PTE_ADDRESS);

	return &entries[pte_index(WINDOW, level)];
}

/* Moves the window over the word at phys. Returns the word's address, valid until the next call. */
static volatile uint64_t *show(phys_addr_t phys)
{
	static uint64_t *entry;

	if (!entry)
		entry = entry_of(*entry_of(*entry_of(read_cr3(), 3), 2), 1);
	*entry = (*entry & ENTRY_FLAGS) | (phys & ~(WINDOW_SIZE - 1));
	invlpg((uintptr_t)phys_to_virt(WINDOW));
	return phys_to_virt(WINDOW | (phys & (WINDOW_SIZE - 1)));
}

void early_write(phys_addr_t phys, uint64_t value)
{
	volatile uint64_t *word = show(phys);

	*word = value;
	flush_line(word);
}

uint64_t early_read(phys_addr_t phys)
{
	volatile uint64_t *word = show(phys);

	flush_line(word);
	return *word;
}

void early_access_end(void)
{
	show(WINDOW);
}
