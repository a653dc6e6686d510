/*
 * paging.c: building page tables. One recursive walk makes every mapping.
 *
 * Holes of mem_map share tables: every entry of zero_table[0] is the zero page, every entry of
 * zero_table[1] is zero_table[0]; so 256 GiB of window cost two tables, however large the holes.
 *
 * Entries are written in runs. Tables that are full of leaves lie side by side and are a single
 * run, in memory that was not cleared before.
 */
#include "arch/x86_64/paging.h"

#include "arch/x86_64/pte.h"
#include "mm/gfp.h"
#include "mm/memblock.h"

static struct paging_config config;
static phys_addr_t root;
static phys_addr_t zero_page;
static phys_addr_t zero_table[2];
static uint64_t table_bytes;
static bool use_allocator;
static uintptr_t next_window;

static uint64_t *entry_at(phys_addr_t table, unsigned int level, uintptr_t virt)
{
	uint64_t *entries = phys_to_virt(table);

	return &entries[pte_index(virt, level)];
}

/* Frames side by side, not cleared: *n of them, or half as many, and so on. */
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

/* A table with no entry present. */
static phys_addr_t empty_table(void)
{
	table_bytes += PAGE_SIZE;
	return alloc_zeroed_frame();
}

/* A run of n entries: their values are `step` apart. */
static void write_run(uint64_t *entry, uint64_t n, uint64_t value, uint64_t step)
{
#pragma GCC unroll 8
	for (uint64_t i = 0; i < n; i++, value += step)
		entry[i] = value;
}

/* Tables side by side, all their entries one run: *n of them, or as many as there is room for. */
static phys_addr_t full_tables(uint64_t *n, uint64_t value, uint64_t step)
{
	phys_addr_t tables = alloc_frames(n);

	table_bytes += *n * PAGE_SIZE;
	write_run(phys_to_virt(tables), *n * PTE_ENTRIES, value, step);
	return tables;
}

/* A leaf's low bits and NX for this protection. */
static uint64_t leaf_bits(unsigned int prot, unsigned int level)
{
	uint64_t bits = PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_GLOBAL;

	if (prot & PAGING_WRITE)
		bits |= PTE_WRITE;
	if (prot & PAGING_DEVICE)
		bits |= PTE_PCD | PTE_PWT;
	if (!(prot & PAGING_EXEC) && config.nx)
		bits |= PTE_NX;
	return level ? bits | PTE_PS : bits;
}

/* An entry that refers to a table. The leaf alone decides what is allowed. */
static uint64_t table_entry(phys_addr_t table)
{
	return table | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
}

/* The table below an entry, made if there is none. */
static phys_addr_t child_table(uint64_t *entry)
{
	if (!(*entry & PTE_PRESENT))
		*entry = table_entry(empty_table());
	else if (*entry & PTE_PS)
		panic("page tables: a large page is in the way, entry 0x%llx",
		      (unsigned long long)*entry);
	return *entry & PTE_ADDRESS;
}

static bool is_leaf_level(unsigned int level, unsigned int prot)
{
	if (prot & PAGING_SMALL)
		return level == 0;
	return level <= (config.pdpe1gb ? 2 : 1);
}

/* The entries, from virt's own on, whose span lies wholly within [virt, last]. */
static uint64_t whole_entries(unsigned int level, uintptr_t virt, uintptr_t last)
{
	uint64_t below = (1ull << pte_shift(level)) - 1;

	if (virt & below)
		return 0;
	return ((last - virt) >> pte_shift(level)) + ((last & below) == below);
}

/* Programmer's error: a mapping over another. */
static void refuse_present(const uint64_t *entry, uint64_t n, uintptr_t virt)
{
	uint64_t any = 0;

#pragma GCC unroll 8
	for (uint64_t i = 0; i < n; i++)
		any |= entry[i];
	if (any & PTE_PRESENT)
		panic("page tables: of %llu pages from 0x%lx on one is mapped already",
		      (unsigned long long)n, (unsigned long)virt);
}

/* The part of [virt, last] below one entry of this level ends here. */
static uintptr_t last_below(unsigned int level, uintptr_t virt, uintptr_t last)
{
	uintptr_t entry_last = virt | ((1ull << pte_shift(level)) - 1);

	return entry_last < last ? entry_last : last;
}

/*
 * [virt, last], within what the table spans. last is inclusive: the last byte of the address space
 * can be mapped.
 */
static void map_level(phys_addr_t table, unsigned int level, uintptr_t virt, uintptr_t last,
		      phys_addr_t phys, unsigned int prot)
{
	uint64_t size = 1ull << pte_shift(level), small = size / PTE_ENTRIES;
	phys_addr_t tables;
	uint64_t done;

	for (;; virt += done, phys += done) {
		uint64_t *entry = entry_at(table, level, virt);
		uint64_t n = whole_entries(level, virt, last);

		if (n && is_leaf_level(level, prot) && !(phys & (size - 1))) {
			refuse_present(entry, n, virt);
			write_run(entry, n, phys | leaf_bits(prot, level), size);
			done = n * size;
		} else if (n && is_leaf_level(level - 1, prot) && !(phys & (small - 1))) {
			refuse_present(entry, n, virt);
			tables = full_tables(&n, phys | leaf_bits(prot, level - 1), small);
			write_run(entry, n, table_entry(tables), PAGE_SIZE);
			done = n * size;
		} else {
			uintptr_t to = last_below(level, virt, last);

			map_level(child_table(entry), level - 1, virt, to, phys, prot);
			done = to - virt + 1;
		}
		if (last - virt == done - 1)
			return;
	}
}

void paging_map(uintptr_t virt, phys_addr_t phys, uint64_t size, unsigned int prot)
{
	if ((virt | phys | size) & (PAGE_SIZE - 1))
		panic("page tables: [0x%lx, +0x%llx) to 0x%llx is not whole pages",
		      (unsigned long)virt, (unsigned long long)size, (unsigned long long)phys);
	if (size)
		map_level(root, PTE_LEVELS - 1, virt, virt + size - 1, phys, prot);
}

void paging_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size)
{
	paging_map(virt, phys, size, PAGING_WRITE);
}

/* What a hole's entry of this level points to: the zero page, or a table of such entries. */
static uint64_t zero_entry(unsigned int level)
{
	if (level)
		return zero_table[level - 1] | PTE_PRESENT | PTE_ACCESSED;
	return zero_page | leaf_bits(0, 0);
}

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
	if (size)
		map_zero_level(root, PTE_LEVELS - 1, virt, virt + size - 1);
}

void paging_init(const struct paging_config *wanted)
{
	uint64_t one = 1;

	config = *wanted;
	table_bytes = 0;
	use_allocator = false;
	next_window = WINDOWS_BASE;
	root = empty_table();
	zero_page = alloc_zeroed_frame();
	zero_table[0] = full_tables(&one, zero_entry(0), 0);
	zero_table[1] = full_tables(&one, zero_entry(1), 0);
}

static void map_ram(phys_addr_t base, phys_addr_t end, unsigned int prot)
{
	if (base < end)
		paging_map(MM_DIRECT_MAP + base, base, end - base, prot);
}

/* Whole frames only, cut where the read-only part begins and ends. */
void paging_direct_map(void)
{
	phys_addr_t ro = config.ro_base, ro_end = config.ro_base + config.ro_size;
	unsigned int small = config.small_direct_map ? PAGING_SMALL : 0;
	unsigned long start_pfn, end_pfn;
	int i;

	for_each_mem_pfn_range(i, NUMA_NO_NODE, &start_pfn, &end_pfn, NULL) {
		phys_addr_t base = PFN_PHYS(start_pfn), end = PFN_PHYS(end_pfn);
		phys_addr_t cut = ro < base ? base : ro > end ? end : ro;
		phys_addr_t cut_end = ro_end < cut ? cut : ro_end > end ? end : ro_end;

		map_ram(base, cut, PAGING_WRITE | small);
		map_ram(cut, cut_end, small);
		map_ram(cut_end, end, PAGING_WRITE | small);
	}
}

/* The entry that ends the walk, of *level: a leaf, or one that is not present. */
static uint64_t *find_end(uintptr_t virt, unsigned int *level)
{
	phys_addr_t table = root;

	for (*level = PTE_LEVELS - 1;; --*level) {
		uint64_t *entry = entry_at(table, *level, virt);

		if (!*level || !(*entry & PTE_PRESENT) || *entry & PTE_PS)
			return entry;
		table = *entry & PTE_ADDRESS;
	}
}

/* The leaf, of *level, or NULL where nothing is mapped. */
static uint64_t *find_leaf(uintptr_t virt, unsigned int *level)
{
	uint64_t *entry = find_end(virt, level);

	return *entry & PTE_PRESENT ? entry : NULL;
}

bool paging_walk(uintptr_t virt, struct paging_leaf *leaf)
{
	unsigned int level;
	const uint64_t *entry = root ? find_leaf(virt, &level) : NULL;

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

/* An entry that is not present keeps all else: that is how it comes back. */
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

/* One unmapped page is left between windows: what runs over the end of one faults. */
void *ioremap(phys_addr_t phys, size_t size)
{
	phys_addr_t first = phys & ~((phys_addr_t)PAGE_SIZE - 1);
	uint64_t bytes = PAGE_ALIGN(phys - first + size);
	uintptr_t virt = next_window;

	next_window += bytes + PAGE_SIZE;
	paging_map(virt, first, bytes, PAGING_WRITE | PAGING_DEVICE | PAGING_SMALL);
	return (void *)(virt + (phys - first));
}

phys_addr_t paging_root(void)
{
	return root;
}

uint64_t paging_table_bytes(void)
{
	return table_bytes;
}
