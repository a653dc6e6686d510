#include "arch/x86_64/frame_access.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging_tables.h"

static uintptr_t spare_page;
static volatile uint64_t *spare_entry; /* the page table entry that maps it */

void frame_access_init(void)
{
	spare_entry = paging_reserve_page(&spare_page);
}

/* Only this CPU uses the page, and no other flushes it, so any other must before it uses it. */
static void *set_entry(uint64_t entry)
{
	*spare_entry = entry;
	invlpg(spare_page);
	return (void *)spare_page;
}

void *frame_show(phys_addr_t phys)
{
	return set_entry(phys | leaf_bits(PAGING_WRITE, 0));
}

/* Returns the address at which the page, moved over it, shows the word at phys. */
static volatile uint64_t *show_word(phys_addr_t phys)
{
	char *page = frame_show(phys & ~(PAGE_SIZE - 1));

	return (volatile uint64_t *)(page + (phys & (PAGE_SIZE - 1)));
}

void frame_write(phys_addr_t phys, uint64_t value)
{
	volatile uint64_t *word = show_word(phys);

	*word = value;
	flush_line(word);
}

uint64_t frame_read(phys_addr_t phys)
{
	return *show_word(phys);
}

void frame_hide(void)
{
	set_entry(0);
}
