/*
 * paging.c: every mapping is made by a recursive walk down the levels: map_level(), or
 * map_zero_level() for the holes of mem_map.
 *
 * All holes share two tables, however large they are: every entry of zero_table[0], a page table,
 * leads to the zero page, and every entry of zero_table[1], a page directory, leads to
 * zero_table[0]. Only at the ends of a hole are other tables needed.
 *
 * For speed, entries are written in runs. Tables of which all entries are leaves are allocated side
 * by side and filled as a single run, so their memory need not be cleared first.
 */
#include "arch/x86_64/paging.h"

#include "arch/x86_64/paging_tables.h"
#include "mm/gfp.h"
#include "mm/memblock.h"

struct paging_tables paging;

static bool use_allocator;
static uintptr_t next_window;

/*
 * Allocates *n consecutive frames and returns the address of the first. Halves *n until there is
 * memory for so many; the page allocator is asked for one only. The frames are not cleared.
 */
static phys_addr_t alloc_frames(uint64_t *n)
{
	for (*n = use_allocator ? 1 : *n; *n; *n /= 2) {
		void *frames = use_allocator ? (void *)get_free_pages(GFP_KERNEL, 0)
					     : memblock_alloc_raw(*n * PAGE_SIZE, PAGE_SIZE);

		if (frames)
			return virt_to_phys(frames);
	}
	panic("no room for a page table");
}

static phys_addr_t alloc_zeroed_frame(void)
{
	uint64_t one = 1;
	phys_addr_t frame = alloc_frames(&one);

	memset(phys_to_virt(frame), 0, PAGE_SIZE);
	return frame;
}

/* Makes a table that has no entry present. */
static phys_addr_t empty_table(void)
{
	paging.bytes += PAGE_SIZE;
	return alloc_zeroed_frame();
}

/*
 * Makes *n consecutive tables, and writes all their entries as one run. Lowers *n if there is no
 * memory for so many. Returns the address of the first.
 */
static phys_addr_t full_tables(uint64_t *n, uint64_t value, uint64_t step)
{
	phys_addr_t tables = alloc_frames(n);

	paging.bytes += *n * PAGE_SIZE;
	write_run(phys_to_virt(tables), *n * PTE_ENTRIES, value, step);
	return tables;
}

/* Returns the table that entry leads to. Makes it if there is none. */
static phys_addr_t child_table(uint64_t *entry)
{
	if (!(*entry & PTE_PRESENT))
		*entry = table_entry(empty_table());
	else if (*entry & PTE_PS)
		panic("page tables: a table is needed where a large page is mapped, entry 0x%llx",
		      (unsigned long long)*entry);
	return *entry & PTE_ADDRESS;
}

/* Returns whether entries of this level may be leaves, for the protection prot. */
static bool is_leaf_level(unsigned int level, unsigned int prot)
{
	if (prot & PAGING_SMALL)
		return level == 0;
	return level <= (paging.config.pdpe1gb ? 2 : 1);
}

/*
 * Panics if one of n entries, the first of which spans virt, is present: it is mapped already. For
 * a table that is not known to be empty.
 */
static void refuse_present(const uint64_t *entry, uint64_t n, uintptr_t virt)
{
	uint64_t any = 0;

#pragma GCC unroll 8
	for (uint64_t i = 0; i < n; i++)
		any |= entry[i];
	if (any & PTE_PRESENT)
		panic("page tables: one of the %llu entries from 0x%lx on is in use already",
		      (unsigned long long)n, (unsigned long)virt);
}

/*
 * Maps [virt, last], which the table spans, to memory from phys on. last is included, so that the
 * last byte of the address space can be mapped. empty: whether the table was made for this range,
 * so that nothing can be in use in it. Each turn of the loop does the first that applies:
 *   - write leaves into this table;
 *   - write entries of this table for tables whose entries are all leaves;
 *   - leave the part of [virt, last] that virt's entry spans to the level below.
 */
static void map_level(phys_addr_t table, bool empty, unsigned int level, uintptr_t virt,
		      uintptr_t last, phys_addr_t phys, unsigned int prot)
{
	uint64_t size = 1ull << pte_shift(level), small = size / PTE_ENTRIES;
	phys_addr_t tables;
	uint64_t done;

	for (;; virt += done, phys += done) {
		uint64_t *entry = entry_at(table, level, virt);
		uint64_t n = whole_entries(level, virt, last);

		if (n && is_leaf_level(level, prot) && !(phys & (size - 1))) {
			if (!empty)
				refuse_present(entry, n, virt);
			write_run(entry, n, phys | leaf_bits(prot, level), size);
			done = n * size;
		} else if (n && is_leaf_level(level - 1, prot) && !(phys & (small - 1))) {
			if (!empty)
				refuse_present(entry, n, virt);
			tables = full_tables(&n, phys | leaf_bits(prot, level - 1), small);
			write_run(entry, n, table_entry(tables), PAGE_SIZE);
			done = n * size;
		} else {
			uintptr_t to = last_below(level, virt, last);
			bool new = !(*entry & PTE_PRESENT);

			map_level(child_table(entry), new, level - 1, virt, to, phys, prot);
			done = to - virt + 1;
		}
		if (last - virt == done - 1)
			return;
	}
}

/*
 * Returns the table of the lowest level at which [virt, last] is a part of one entry no more, and
 * sets *level to this level, and *empty to whether it was made now. Small ranges thus reach their
 * table without the steps of map_level().
 */
static phys_addr_t table_of(uintptr_t virt, uintptr_t last, unsigned int *level, bool *empty)
{
	phys_addr_t table = paging.root;
	uint64_t before = paging.bytes;

	for (*level = PTE_LEVELS - 1; (virt ^ last) < (1ull << pte_shift(*level)) - 1; --*level)
		table = child_table(entry_at(table, *level, virt));
	*empty = paging.bytes != before; /* below a new table all are new */
	return table;
}

void paging_map(uintptr_t virt, phys_addr_t phys, uint64_t size, unsigned int prot)
{
	unsigned int level;
	phys_addr_t table;
	bool empty;

	if ((virt | phys | size) & (PAGE_SIZE - 1))
		panic("page tables: [0x%lx, +0x%llx) to 0x%llx is not whole pages",
		      (unsigned long)virt, (unsigned long long)size, (unsigned long long)phys);
	if (!size)
		return;
	table = table_of(virt, virt + size - 1, &level, &empty);
	map_level(table, empty, level, virt, virt + size - 1, phys, prot);
}

void paging_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size)
{
	paging_map(virt, phys, size, PAGING_WRITE);
}

/* Does for a hole what map_level() does for memory. */
static void map_zero_level(phys_addr_t table, unsigned int level, uintptr_t virt, uintptr_t last)
{
	uint64_t done;

	for (;; virt += done) {
		uint64_t *entry = entry_at(table, level, virt);
		uint64_t n = level <= 2 ? whole_entries(level, virt, last) : 0;

		if (n) {
			write_run(entry, n, zero_entry(level), 0);
			done = n << pte_shift(level);
		} else {
			uintptr_t to = last_below(level, virt, last);

			map_zero_level(child_table(entry), level - 1, virt, to);
			done = to - virt + 1;
		}
		if (last - virt == done - 1)
			return;
	}
}

void paging_map_zero(uintptr_t virt, uint64_t size)
{
	unsigned int level;
	phys_addr_t table;
	bool empty;

	table = table_of(virt, virt + size - 1, &level, &empty);
	map_zero_level(table, level, virt, virt + size - 1);
}

void paging_init(const struct paging_config *wanted)
{
	uint64_t one = 1;

	paging.config = *wanted;
	paging.bytes = 0;
	use_allocator = false;
	next_window = WINDOWS_BASE;
	paging.root = empty_table();
	paging.zero_page = alloc_zeroed_frame();
	paging.zero_table[0] = full_tables(&one, zero_entry(0), 0);
	paging.zero_table[1] = full_tables(&one, zero_entry(1), 0);
}

static phys_addr_t clamp(phys_addr_t value, phys_addr_t low, phys_addr_t high)
{
	return value < low ? low : value > high ? high : value;
}

static void map_ram(phys_addr_t base, phys_addr_t end, unsigned int prot)
{
	paging_map(MM_DIRECT_MAP + base, base, end - base, prot);
}

/*
 * Maps each range of whole frames in three parts: before, in and after the read-only one. Any of
 * them may be empty.
 */
void paging_direct_map(void)
{
	phys_addr_t ro = paging.config.ro_base, ro_end = ro + paging.config.ro_size;
	unsigned int small = paging.config.small_direct_map ? PAGING_SMALL : 0;
	unsigned long start_pfn, end_pfn;
	int i;

	for_each_mem_pfn_range(i, NUMA_NO_NODE, &start_pfn, &end_pfn, NULL) {
		phys_addr_t base = PFN_PHYS(start_pfn), end = PFN_PHYS(end_pfn);
		phys_addr_t cut = clamp(ro, base, end), cut_end = clamp(ro_end, cut, end);

		map_ram(base, cut, PAGING_WRITE | small);
		map_ram(cut, cut_end, small);
		map_ram(cut_end, end, PAGING_WRITE | small);
	}
}

/*
 * Returns the entry at which the walk for virt ends: a leaf or one that is not present. Sets *level
 * to its level.
 */
static uint64_t *find_end(uintptr_t virt, unsigned int *level)
{
	phys_addr_t table = paging.root;

	for (*level = PTE_LEVELS - 1;; --*level) {
		uint64_t *entry = entry_at(table, *level, virt);

		if (!*level || !(*entry & PTE_PRESENT) || *entry & PTE_PS)
			return entry;
		table = *entry & PTE_ADDRESS;
	}
}

/* Returns the leaf that maps virt and sets *level to its level. Returns NULL if there is none. */
static uint64_t *find_leaf(uintptr_t virt, unsigned int *level)
{
	uint64_t *entry = find_end(virt, level);

	return *entry & PTE_PRESENT ? entry : NULL;
}

bool paging_walk(uintptr_t virt, struct paging_leaf *leaf)
{
	unsigned int level;
	const uint64_t *entry = paging.root ? find_leaf(virt, &level) : NULL;

	if (!entry)
		return false;
	leaf->size = 1ull << pte_shift(level);
	leaf->entry = *entry;
	leaf->phys = (*entry & PTE_ADDRESS & ~(leaf->size - 1)) | (virt & (leaf->size - 1));
	return true;
}

void paging_unmap_page(uintptr_t virt)
{
	unsigned int level;
	uint64_t *entry = find_leaf(virt, &level);

	if (!entry || level)
		panic("page tables: 0x%lx is not mapped by a page of its own", (unsigned long)virt);
	*entry = 0;
}

/* Changes nothing but the present bit: the other bits stay in the entry, for when it becomes
   present again. */
void paging_set_present(uintptr_t virt, uint64_t nr_pages, bool present)
{
	for (uint64_t i = 0; i < nr_pages; i++, virt += PAGE_SIZE) {
		unsigned int level;
		uint64_t *entry = find_end(virt, &level);

		if (level || !*entry)
			panic("page tables: 0x%lx has no page of its own", (unsigned long)virt);
		*entry = present ? *entry | PTE_PRESENT : *entry & ~PTE_PRESENT;
	}
}

void paging_use_allocator(void)
{
	use_allocator = true;
}

/* Leaves an unmapped page between two windows: an access beyond the end of one faults. */
void *ioremap(phys_addr_t phys, size_t size)
{
	phys_addr_t first = phys & ~((phys_addr_t)PAGE_SIZE - 1);
	uint64_t bytes = PAGE_ALIGN(phys - first + size);
	uintptr_t virt = next_window;

	next_window += bytes + PAGE_SIZE;
	paging_map(virt, first, bytes, PAGING_WRITE | PAGING_DEVICE | PAGING_SMALL);
	return (void *)(virt + (phys - first));
}

uintptr_t paging_map_guarded(phys_addr_t phys, uint64_t size)
{
	uintptr_t guard = next_window;

	next_window += PAGE_SIZE + size;
	paging_map(guard + PAGE_SIZE, phys, size, PAGING_WRITE | PAGING_SMALL);
	return guard;
}

uint64_t *paging_reserve_page(uintptr_t *virt)
{
	unsigned int level;

	*virt = next_window;
	next_window += 2 * PAGE_SIZE;
	paging_map(*virt, 0, PAGE_SIZE, PAGING_SMALL);
	paging_unmap_page(*virt);
	return find_end(*virt, &level);
}

phys_addr_t paging_root(void)
{
	return paging.root;
}

uint64_t paging_table_bytes(void)
{
	return paging.bytes;
}
