/* SPDX-License-Identifier: MIT */
/*
 * Levels are counted from below: the entries of level 0 span 4 KiB, those of level 1 2 MiB, of
 * level 2 1 GiB and of level 3, the top table, 512 GiB.
 *
 * All holes of mem_map share two tables, however large they are: every entry of zero_tables[0], of
 * level 0, leads to one page of zeros, and every entry of zero_tables[1], of level 1, to
 * zero_tables[0].
 */
#include "contrib/page_tables.h"

#ifdef MM_HEADER
#include MM_HEADER
#else
#include "mm/memblock.h"
#include "mm/zone.h"
#endif

/* A kernel whose configuration of mm/ has MM_PANIC() need not have panic(). */
#ifndef MM_PANIC
#define MM_PANIC(...) panic(__VA_ARGS__)
#endif

#define ENTRIES         512
#define TOP             3

#define ENTRY_PRESENT   0x001ull
#define ENTRY_WRITE     0x002ull
#define ENTRY_UNCACHED  0x018ull /* PCD and PWT: entry 3 of the PAT, "uncacheable" from reset on */
#define ENTRY_ACCESSED  0x020ull /* set beforehand, as is dirty, so that no CPU has to */
#define ENTRY_DIRTY     0x040ull
#define ENTRY_LARGE     0x080ull /* of levels 1 and 2: maps a page */
#define ENTRY_GLOBAL    0x100ull
#define ENTRY_NOEXECUTE (1ull << 63)
#define ENTRY_ADDRESS   0x000ffffffffff000ull

#define UPPER_HALF      0xffff800000000000ull
#define WINDOW_SIZE     (MM_MAX_PFN * sizeof(struct page))

static struct page_tables_config tables;
static uint64_t bytes;
static phys_addr_t zero_page, zero_tables[2];

/* Returns how many bytes an entry of the level spans. */
static uint64_t span(unsigned int level)
{
	return PAGE_SIZE << 9 * level;
}

static uint64_t *table_at(phys_addr_t phys)
{
	return (uint64_t *)(uintptr_t)(tables.seen_at + phys);
}

static uint64_t *entry_in(phys_addr_t table, unsigned int level, uintptr_t virt)
{
	return &table_at(table)[virt / span(level) % ENTRIES];
}

/*
 * Returns whether memblock has handed over its memory. Its allocations would from then on be of
 * memory that the allocator gives to others as well.
 */
static bool is_handed_over(void)
{
	for_each_zone(z)
		if (z->managed)
			return true;
	return false;
}

/* Returns the address of a frame that nobody uses, or 0. */
static phys_addr_t take_frame(void)
{
	struct page *page;

	if (!is_handed_over())
		return memblock_phys_alloc(PAGE_SIZE, PAGE_SIZE);
	page = alloc_page(GFP_KERNEL);
	return page ? page_to_phys(page) : 0;
}

/* Makes a table or a page of which all words have this value. */
static phys_addr_t new_frame(uint64_t value)
{
	phys_addr_t frame = take_frame();

	if (!frame)
		MM_PANIC("page tables: no room for a table");
	for (unsigned int i = 0; i < ENTRIES; i++)
		table_at(frame)[i] = value;
	bytes += PAGE_SIZE;
	return frame;
}

/* Returns the bits of an entry that maps a page. */
static uint64_t page_bits(unsigned int level, unsigned int allow)
{
	uint64_t bits = ENTRY_PRESENT | ENTRY_ACCESSED | ENTRY_DIRTY | ENTRY_GLOBAL;

	if (allow & PAGE_TABLES_WRITE)
		bits |= ENTRY_WRITE;
	if (!(allow & PAGE_TABLES_EXECUTE) && tables.no_execute)
		bits |= ENTRY_NOEXECUTE;
	if (allow & PAGE_TABLES_UNCACHED)
		bits |= ENTRY_UNCACHED;
	return level ? bits | ENTRY_LARGE : bits;
}

static void refuse(uintptr_t virt)
{
	MM_PANIC("page tables: 0x%lx is mapped already", (unsigned long)virt);
}

/* Returns whether an entry of level 1 or 2 maps a page. */
static bool is_page(uint64_t entry)
{
	return entry & ENTRY_PRESENT && entry & ENTRY_LARGE;
}

/*
 * Returns the entry of the level for virt, or one of a higher level that maps a page there already,
 * and sets the level to it. Makes the tables above the entry.
 */
static uint64_t *walk(uintptr_t virt, unsigned int *level)
{
	phys_addr_t table = tables.root;

	for (unsigned int at = TOP;; at--) {
		uint64_t *entry = entry_in(table, at, virt);

		if (at == *level || is_page(*entry)) {
			*level = at;
			return entry;
		}
		if (!(*entry & ENTRY_PRESENT))
			*entry = new_frame(0) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_ACCESSED;
		table = *entry & ENTRY_ADDRESS;
	}
}

/* Sets the entry of the level for virt, where nothing may be mapped. */
static void set_entry(uintptr_t virt, unsigned int level, uint64_t value)
{
	uint64_t *entry = walk(virt, &level);

	if (*entry & ENTRY_PRESENT)
		refuse(virt);
	*entry = value;
}

/*
 * Does the same for a page of the level at phys, but keeps what maps memory of it there already,
 * whatever it allows. Returns the size of the page that is there now, or of its rest from virt on.
 */
static uint64_t set_or_keep(uintptr_t virt, unsigned int level, phys_addr_t phys,
			    unsigned int allow)
{
	uint64_t *entry = walk(virt, &level);

	while (level && *entry & ENTRY_PRESENT && !is_page(*entry)) {
		level--;
		entry = walk(virt, &level);
	}
	if (!(*entry & ENTRY_PRESENT))
		*entry = phys | page_bits(level, allow);
	else if (((*entry & ENTRY_ADDRESS) ^ phys) / span(level))
		refuse(virt);
	return span(level) - virt % span(level);
}

/* Returns the highest level, `most` or below, of which an entry fits at `address`, in size bytes.
 */
static unsigned int level_for(uint64_t address, uint64_t size, unsigned int most)
{
	unsigned int level = most;

	while (level && (address % span(level) || size < span(level)))
		level--;
	return level;
}

/* Returns the highest level of which an entry may map a page. */
static unsigned int most_level(void)
{
	return tables.pages_1g ? 2 : 1;
}

void page_tables_map(uintptr_t virt, phys_addr_t phys, uint64_t size, unsigned int allow)
{
	uint64_t done;

	if ((virt | phys | size) % PAGE_SIZE)
		MM_PANIC("page tables: 0x%llx bytes at 0x%lx are not whole pages",
			 (unsigned long long)size, (unsigned long)virt);
	for (; size; virt += done, phys += done, size -= done) {
		unsigned int level = level_for(virt | phys, size, most_level());

		set_entry(virt, level, phys | page_bits(level, allow));
		done = span(level);
	}
}

static void direct_map(phys_addr_t phys, uint64_t size)
{
	phys_addr_t end = phys + size;

	while (phys < end) {
		uintptr_t virt = (uintptr_t)(MM_DIRECT_MAP) + phys;
		unsigned int level = level_for(virt | phys, end - phys, most_level());

		phys += set_or_keep(virt, level, phys, PAGE_TABLES_WRITE);
	}
}

void page_tables_direct_map(void)
{
	unsigned long start, end;
	int i;

	for_each_mem_pfn_range(i, NUMA_NO_NODE, &start, &end, NULL)
		direct_map(PFN_PHYS(start), PFN_PHYS(end - start));
	tables.seen_at = MM_DIRECT_MAP;
	memblock_set_current_limit(MEMBLOCK_ALLOC_ANYWHERE);
}

void port_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size)
{
	page_tables_map(virt, phys, size, PAGE_TABLES_WRITE);
}

void port_map_zero(uintptr_t virt, uint64_t size)
{
	uint64_t done;

	for (; size; virt += done, size -= done) {
		unsigned int level = level_for(virt, size, 2);

		if (level)
			set_entry(virt, level,
				  zero_tables[level - 1] | ENTRY_PRESENT | ENTRY_ACCESSED);
		else
			set_entry(virt, level, zero_page | page_bits(0, 0));
		done = span(level);
	}
}

/* Makes the tables below the entries of the top table that span [virt, virt + size). */
static void fill_top(uintptr_t virt, uint64_t size)
{
	uintptr_t last = virt + size - 1;
	unsigned int level = TOP - 1;

	for (; virt / span(TOP) < last / span(TOP); virt += span(TOP))
		walk(virt, &level);
	walk(last, &level);
}

/*
 * Panics unless the direct map of RAM up to its last byte is what the allocator uses, and lies
 * between MM_DIRECT_MAP and the end of addresses, beside the window.
 */
static void check_addresses(phys_addr_t last)
{
	uintptr_t base = (uintptr_t)(MM_DIRECT_MAP), window = (uintptr_t)(MEM_MAP_BASE);

	if ((uintptr_t)phys_to_virt(last) != base + last)
		MM_PANIC("page tables: MM_PHYS_TO_VIRT() does not add MM_DIRECT_MAP, 0x%lx",
			 (unsigned long)base);
	if (base + last < base)
		MM_PANIC("page tables: RAM up to 0x%llx does not fit in a direct map at 0x%lx",
			 (unsigned long long)last, (unsigned long)base);
	if (base <= window + (WINDOW_SIZE - 1) && window <= base + last)
		MM_PANIC("page tables: the direct map, 0x%lx, and the window, 0x%lx, overlap",
			 (unsigned long)base, (unsigned long)window);
}

void page_tables_init(const struct page_tables_config *config)
{
	tables = *config;
	tables.root &= ENTRY_ADDRESS;
	bytes = 0;
	check_addresses(memblock_end_of_DRAM() - 1);
	if (tables.seen_end)
		memblock_set_current_limit(tables.seen_end);
	if (!tables.root)
		tables.root = new_frame(0);
	zero_page = new_frame(0);
	zero_tables[0] = new_frame(zero_page | page_bits(0, 0));
	zero_tables[1] = new_frame(zero_tables[0] | ENTRY_PRESENT | ENTRY_ACCESSED);
	fill_top((uintptr_t)(MM_DIRECT_MAP), memblock_end_of_DRAM());
	fill_top((uintptr_t)(MEM_MAP_BASE), WINDOW_SIZE);
}

phys_addr_t page_tables_root(void)
{
	return tables.root;
}

static void copy_range(uint64_t *top, uintptr_t virt, uint64_t size)
{
	uintptr_t last = virt + size - 1;
	const uint64_t *root = table_at(tables.root);

	for (uintptr_t i = virt / span(TOP) % ENTRIES; i <= last / span(TOP) % ENTRIES; i++)
		top[i] = root[i];
}

void page_tables_copy_top(uint64_t *top)
{
	copy_range(top, (uintptr_t)(MM_DIRECT_MAP), memblock_end_of_DRAM());
	copy_range(top, (uintptr_t)(MEM_MAP_BASE), WINDOW_SIZE);
	copy_range(top, UPPER_HALF, -UPPER_HALF);
}

uint64_t page_tables_bytes(void)
{
	return bytes;
}
