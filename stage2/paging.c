/*
 * paging.c: builds the page tables with which the kernel is entered. It uses them until it has
 * built its own.
 *
 *   PML4 ──[0]───► PDPT low ──[0..3]───► 4 page directories: 0-4 GiB one to one
 *        └─[511]─► PDPT high ─[510,511]► 2 page directories: the kernel at its linked address
 *
 * All pages are 2 MiB, since not every 64-bit processor has pages of 1 GiB. All are writable and
 * executable; the kernel's own tables set the right protection.
 */
#include "lib/string.h"
#include "stage2/stage2.h"

#define ENTRIES      512u
#define LARGE_SHIFT  21
#define LARGE_PAGE   (1u << LARGE_SHIFT)

#define PTE_PRESENT  0x01u
#define PTE_WRITABLE 0x02u
#define PTE_LARGE    0x80u
#define PTE_TABLE    (PTE_PRESENT | PTE_WRITABLE)
#define PTE_PAGE     (PTE_PRESENT | PTE_WRITABLE | PTE_LARGE)

#define TOP_GIB_2    0xffffffff80000000ull

typedef uint64_t table[ENTRIES];

/* Lies at page_tables (low_memory.ld). */
struct tables {
	table pml4;
	table pdpt_low;
	table low[4];
	table pdpt_high;
	table high[2];
};

static uint64_t table_entry(const void *target)
{
	return (uintptr_t)target | PTE_TABLE;
}

static void map_low(struct tables *t)
{
	t->pml4[0] = table_entry(t->pdpt_low);
	for (uint32_t i = 0; i < 4; i++)
		t->pdpt_low[i] = table_entry(t->low[i]);
	for (uint32_t i = 0; i < 4 * ENTRIES; i++)
		t->low[i / ENTRIES][i % ENTRIES] = (uint64_t)i << LARGE_SHIFT | PTE_PAGE;
}

/* Maps the kernel's image. elf_check() has ensured that it lies in the top 2 GiB and is aligned to
   2 MiB, so every index below is in range. */
static void map_kernel(struct tables *t)
{
	uint32_t first = (uint32_t)((boot_info.kernel_virt - TOP_GIB_2) >> LARGE_SHIFT);
	uint32_t pages = ((uint32_t)boot_info.kernel_size + LARGE_PAGE - 1) >> LARGE_SHIFT;

	t->pml4[511] = table_entry(t->pdpt_high);
	t->pdpt_high[510] = table_entry(t->high[0]);
	t->pdpt_high[511] = table_entry(t->high[1]);
	for (uint32_t i = 0; i < pages; i++) {
		uint32_t n = first + i;

		t->high[n / ENTRIES][n % ENTRIES] =
		    (boot_info.kernel_phys + ((uint64_t)i << LARGE_SHIFT)) | PTE_PAGE;
	}
}

_Static_assert(sizeof(struct tables) <= 0x10000, "fits between page_tables and page_tables_end");

void paging_build(void)
{
	struct tables *t = (struct tables *)page_tables;

	memset(t, 0, sizeof(*t));
	map_low(t);
	map_kernel(t);
}
