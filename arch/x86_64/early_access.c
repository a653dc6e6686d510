/*
 * early_access.c: a window of 2 MiB that slides over physical memory.
 *
 * The loader maps 4 GiB by pages of 2 MiB, and the entry code shows them at MM_DIRECT_MAP too. The
 * last of these pages, where a PC has the BIOS's flash, is the window: its entry is made to point
 * wherever an access goes. So no table is needed, and none would have a safe place yet.
 */
#include "arch/x86_64/early_access.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/pte.h"
#include "mm/port.h"

#define WINDOW_SIZE 0x200000ull
#define WINDOW      (0x100000000ull - WINDOW_SIZE)

/* What the loader's entry has besides the address; it has no bit above. */
#define ENTRY_FLAGS 0xfffull

/* Returns the entry that leads to the window, of the level's table that an entry or CR3 names. */
static uint64_t *entry_of(uint64_t parent, unsigned int level)
{
	uint64_t *entries = phys_to_virt(parent & PTE_ADDRESS);

	return &entries[pte_index(WINDOW, level)];
}

/* Where the word is seen, until the next call. */
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
