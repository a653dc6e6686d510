/*
 * paging_hotplug.c: added memory appears in two *views*: its RAM in the direct map, its descriptors
 * in the mem_map window. Both are mapped by the same recursive walk. The entries that a view has
 * where nothing is mapped are *vacant*: 0 in the direct map; in the window those for a hole, which
 * lead to zeros by tables that all holes share.
 *
 *   - A table that spans nothing but the view is *own*: it lies in the added memory. All entries of
 *     own tables of one level form one run, of leaves or of own tables of the next level. So each
 *     is written once, from end to end, by frame_access.h: until the parent's entry is written, the
 *     direct map does not have it. Nothing ever reads it here: when the memory leaves, possibly
 *     without notice, the parent's entry becomes vacant and the table is gone with the memory.
 *   - Any other is *shared* with other memory: with RAM of the boot, or with other added memory. It
 *     comes from the reserve and returns to it when all its entries have become vacant. Tables of
 *     the boot map RAM of the boot, which stays, and never become vacant.
 *
 * An entry that leads from a shared table to one in the added memory thus leads to an own table.
 */
#include "arch/x86_64/paging_hotplug.h"

#include "arch/x86_64/frame_access.h"
#include "arch/x86_64/paging_tables.h"
#include "mm/hotplug.h"
#include "mm/page.h"

#define TOP   (PTE_LEVELS - 1)
#define BLOCK 0x200000ull

struct view {
	uintptr_t virt, last;    /* the addresses: [virt, last] */
	phys_addr_t phys;        /* what virt shows */
	unsigned int leaf_level; /* the highest level at which leaves are written */
	bool zeros;              /* vacant entries lead to zeros */
};

static struct view direct_view(phys_addr_t base, uint64_t size)
{
	uintptr_t virt = (uintptr_t)phys_to_virt(base);
	unsigned int large = paging.config.pdpe1gb ? 2 : 1;

	return (struct view){ .virt = virt,
			      .last = virt + size - 1,
			      .phys = base,
			      .leaf_level = paging.config.small_direct_map ? 0 : large };
}

static struct view window_view(phys_addr_t base, uint64_t size, phys_addr_t descriptors)
{
	return (struct view){ .virt = (uintptr_t)pfn_to_page(PHYS_PFN(base)),
			      .last = (uintptr_t)pfn_to_page(PHYS_PFN(base + size)) - 1,
			      .phys = descriptors,
			      .leaf_level = 1,
			      .zeros = true };
}

_Static_assert(MM_MAX_PFN * sizeof(struct page) < 1ull << (PAGE_SHIFT + 9 * TOP),
	       "descriptors never take up all that an entry of the top level spans");

/* For a level at which the view's entries can be vacant. */
static uint64_t vacant_entry(const struct view *v, unsigned int level)
{
	return v->zeros ? zero_entry(level) : 0;
}

/*
 * Returns whether an entry of the view is vacant. The window's at the top level are not:
 * mem_map_init() has made the tables that they lead to.
 */
static bool is_vacant(const struct view *v, unsigned int level, uint64_t entry)
{
	return (!v->zeros || level < TOP) && entry == vacant_entry(v, level);
}

static bool table_is_vacant(const struct view *v, unsigned int level, phys_addr_t table)
{
	const uint64_t *entry = phys_to_virt(table);
	uint64_t vacant = vacant_entry(v, level);

	for (unsigned int i = 0; i < PTE_ENTRIES; i++)
		if (entry[i] != vacant)
			return false;
	return true;
}

/* Returns whether leaves of the view can be used, as large as they get at or below this level. */
static bool is_congruent(const struct view *v, unsigned int level)
{
	unsigned int leaf = level < v->leaf_level ? level : v->leaf_level;

	return !((v->virt ^ v->phys) & ((1ull << pte_shift(leaf)) - 1));
}

/* Returns how many entries of this level span only addresses of the view. */
static uint64_t whole_entries_of(const struct view *v, unsigned int level)
{
	uint64_t below = (1ull << pte_shift(level)) - 1;
	uint64_t first = (v->virt + below) >> pte_shift(level);
	uint64_t end = (v->last + 1) >> pte_shift(level);

	return first < end ? end - first : 0;
}

/* Returns how many own tables the view has. */
static uint64_t own_tables_of(const struct view *v)
{
	uint64_t nr = 0;

	for (unsigned int level = v->leaf_level + 1; level <= TOP; level++)
		if (is_congruent(v, level))
			nr += whole_entries_of(v, level);
	return nr;
}

uint64_t paging_tables_of(phys_addr_t base, uint64_t size)
{
	struct view direct = direct_view(base, size), window = window_view(base, size, 0);

	window.phys = window.virt; /* congruent */
	return own_tables_of(&direct) + own_tables_of(&window);
}

/*
 * What is being done. Tables that have become vacant are collected, so that one flush does for
 * several: one view has at most four.
 */
struct change {
	const struct port_memory *m;
	phys_addr_t next_own; /* where the next own table goes */
	phys_addr_t freed[8];
	unsigned int nr_freed;
};

/* Other CPUs may walk the tables meanwhile: what an entry leads to is written before the entry. */
static void set_entries(uint64_t *entry, uint64_t n, uint64_t value, uint64_t step)
{
	for (uint64_t i = 0; i < n; i++, value += step)
		__atomic_store_n(&entry[i], value, __ATOMIC_RELEASE);
}

/*
 * Makes n own tables of this level, and those below them. The first shows phys. Returns the address
 * of the first; the others follow it.
 */
static phys_addr_t make_own_tables(struct change *c, const struct view *v, uint64_t n,
				   unsigned int level, phys_addr_t phys)
{
	phys_addr_t first = c->next_own, table = first;

	for (;; level--, n *= PTE_ENTRIES) {
		bool leaves = level <= v->leaf_level;
		uint64_t step = leaves ? 1ull << pte_shift(level) : PAGE_SIZE;
		uint64_t value = phys | leaf_bits(PAGING_WRITE, level);

		c->next_own += n * PAGE_SIZE;
		if (!leaves)
			value = table_entry(c->next_own);
		for (; table < c->next_own; table += PAGE_SIZE, value += PTE_ENTRIES * step)
			write_run(frame_show(table), PTE_ENTRIES, value, step);
		if (leaves)
			return first;
	}
}

/*
 * Panics if one of n entries, the first of which spans virt, is not vacant: it is mapped already.
 */
static void refuse_used(const struct view *v, unsigned int level, const uint64_t *entry, uint64_t n,
			uintptr_t virt)
{
	uint64_t vacant = vacant_entry(v, level);

	for (uint64_t i = 0; i < n; i++)
		if (entry[i] != vacant)
			panic(
			    "page tables: one of the %llu entries from 0x%lx on is in use already",
			    (unsigned long long)n, (unsigned long)virt);
}

/*
 * Returns the shared table that entry, which is not vacant, leads to. It is not of level 0, where a
 * view has only whole entries, which are written at once.
 */
static phys_addr_t table_below(uint64_t entry)
{
	if (!(entry & PTE_PRESENT) || entry & PTE_PS)
		panic("page tables: a table is needed where a page is mapped, entry 0x%llx",
		      (unsigned long long)entry);
	return entry & PTE_ADDRESS;
}

/*
 * Returns the shared table that entry leads to. If the entry is vacant, makes a table of vacant
 * entries first; returns 0 if there is no frame for it.
 */
static phys_addr_t shared_table(const struct view *v, unsigned int level, uint64_t *entry)
{
	phys_addr_t table;

	if (!is_vacant(v, level, *entry))
		return table_below(*entry);
	table = hotplug_take_frames(1);
	if (!table)
		return 0;
	paging.bytes += PAGE_SIZE;
	write_run(phys_to_virt(table), PTE_ENTRIES, vacant_entry(v, level - 1), 0);
	set_entries(entry, 1, table_entry(table), 0);
	return table;
}

/* Maps the part [virt, last] of the view, which the shared table spans. Returns 0 or -ENOMEM. */
static int map_part(struct change *c, const struct view *v, phys_addr_t table, unsigned int level,
		    uintptr_t virt, uintptr_t last)
{
	uint64_t size = 1ull << pte_shift(level), done;

	for (;; virt += done) {
		phys_addr_t phys = v->phys + (virt - v->virt);
		uint64_t *entry = entry_at(table, level, virt);
		uint64_t n = is_congruent(v, level) ? whole_entries(level, virt, last) : 0;

		if (n) {
			refuse_used(v, level, entry, n, virt);
			if (level <= v->leaf_level)
				set_entries(entry, n, phys | leaf_bits(PAGING_WRITE, level), size);
			else
				set_entries(entry, n,
					    table_entry(make_own_tables(c, v, n, level - 1, phys)),
					    PAGE_SIZE);
			done = n * size;
		} else {
			uintptr_t to = last_below(level, virt, last);
			phys_addr_t below = shared_table(v, level, entry);

			if (!below || map_part(c, v, below, level - 1, virt, to))
				return -ENOMEM;
			done = to - virt + 1;
		}
		if (last - virt == done - 1)
			return 0;
	}
}

/* Returns the tables that have become vacant, after no CPU knows them any more. */
static void return_freed(struct change *c)
{
	port_flush_memory(c->m);
	for (; c->nr_freed; c->nr_freed--) {
		hotplug_return_frames(c->freed[c->nr_freed - 1], 1);
		paging.bytes -= PAGE_SIZE;
	}
}

/* Returns whether the entry, of a shared table, leads into the added memory, as leaves do and
   entries for own tables. */
static bool leads_to_added(const struct change *c, uint64_t entry)
{
	return (entry & PTE_ADDRESS) - c->m->base < c->m->size;
}

/*
 * Makes vacant, of n entries of a shared table that span only addresses of the view, those before
 * the first that does not lead into the added memory: that one leads to a shared table, or is
 * vacant already, when port_map_memory() had no frame for a table. Returns how many these are.
 */
static uint64_t vacate(const struct change *c, const struct view *v, unsigned int level,
		       uint64_t *entry, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n && leads_to_added(c, entry[i]); i++)
		set_entries(&entry[i], 1, vacant_entry(v, level), 0);
	return i;
}

static void unmap_part(struct change *c, const struct view *v, phys_addr_t table,
		       unsigned int level, uintptr_t virt, uintptr_t last);

/* Unmaps the part [virt, last] of the view, of what one entry of a shared table spans. */
static void unmap_below(struct change *c, const struct view *v, unsigned int level, uint64_t *entry,
			uintptr_t virt, uintptr_t last)
{
	phys_addr_t table;

	if (is_vacant(v, level, *entry))
		return;
	table = table_below(*entry);
	unmap_part(c, v, table, level - 1, virt, last);
	if (!table_is_vacant(v, level - 1, table))
		return;
	set_entries(entry, 1, vacant_entry(v, level), 0);
	c->freed[c->nr_freed++] = table;
	if (c->nr_freed == sizeof(c->freed) / sizeof(c->freed[0]))
		return_freed(c);
}

/* Makes the entries for the part [virt, last] of the view vacant; the shared table spans it. */
static void unmap_part(struct change *c, const struct view *v, phys_addr_t table,
		       unsigned int level, uintptr_t virt, uintptr_t last)
{
	uint64_t done;

	for (;; virt += done) {
		uint64_t *entry = entry_at(table, level, virt);
		uint64_t n = whole_entries(level, virt, last);

		done = vacate(c, v, level, entry, n) << pte_shift(level);
		if (!done) {
			uintptr_t to = last_below(level, virt, last);

			unmap_below(c, v, level, entry, virt, to);
			done = to - virt + 1;
		}
		if (last - virt == done - 1)
			return;
	}
}

static void unmap_views(const struct port_memory *m, const struct view *direct,
			const struct view *window)
{
	struct change c = { .m = m };

	unmap_part(&c, window, paging.root, TOP, window->virt, window->last);
	unmap_part(&c, direct, paging.root, TOP, direct->virt, direct->last);
	return_freed(&c);
}

int paging_map_memory(const struct port_memory *m)
{
	struct view direct = direct_view(m->base, m->size);
	struct view window = window_view(m->base, m->size, m->descriptors);
	struct change c = { .m = m, .next_own = m->tables };

	if (!m->size || (m->base | m->size) & (BLOCK - 1) ||
	    (m->descriptors | m->tables) & (PAGE_SIZE - 1))
		panic("page tables: added memory [0x%llx, +0x%llx) is not whole blocks",
		      (unsigned long long)m->base, (unsigned long long)m->size);
	if (map_part(&c, &direct, paging.root, TOP, direct.virt, direct.last) ||
	    map_part(&c, &window, paging.root, TOP, window.virt, window.last)) {
		unmap_views(m, &direct, &window);
		return -ENOMEM;
	}
	paging.bytes += c.next_own - m->tables;
	return 0;
}

void paging_unmap_memory(const struct port_memory *m)
{
	struct view direct = direct_view(m->base, m->size);
	struct view window = window_view(m->base, m->size, m->descriptors);

	unmap_views(m, &direct, &window);
	paging.bytes -= (own_tables_of(&direct) + own_tables_of(&window)) * PAGE_SIZE;
}
