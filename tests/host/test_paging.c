/*
 * test_paging.c: tests arch/x86_64/paging.c: builds page tables in simulated RAM, reads them back
 * with paging_walk() and compares the result with what was asked for.
 *
 * Every mapping is checked at its first and last byte, just outside, and at random addresses
 * within: the address, the rights, and the size of the page, which must be the largest that fits
 * there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/paging.h"
#include "arch/x86_64/pte.h"
#include "mm/memblock.h"
#include "mm/port.h"
#include "mm/zone.h"
#include "tests/host/sim/sim.h"

#define TABLES_RAM (16ull << 20) /* bytes of RAM, all of which page tables may use */
#define GARBAGE    (3ull << 20)  /* bytes at its end, which are used first */
#define KIB4       (1ull << 12)
#define MIB2       (1ull << 21)
#define GIB1       (1ull << 30)
#define BASE       0x600000000000ull /* the lowest address that the tests map */

static struct paging_config config = { .nx = true };

enum large_pages { WITHOUT_1G_PAGES, WITH_1G_PAGES };

/*
 * Begins with RAM that memblock does not have yet. It holds garbage, so that an entry left
 * unwritten is noticed; but no more than most tests use, because writing it takes most of the time.
 */
static void start_without_ram(void)
{
	sim_reset();
	sim_map_ram(TABLES_RAM);
	memset(phys_to_virt(TABLES_RAM - GARBAGE), 0xa5, GARBAGE);
}

/* Begins with empty page tables. */
static void start(enum large_pages pages)
{
	start_without_ram();
	memblock_add(0, TABLES_RAM);
	config.pdpe1gb = pages == WITH_1G_PAGES;
	paging_init(&config);
}

static uint64_t random_below(uint64_t limit)
{
	return ((uint64_t)rand() << 31 ^ (uint64_t)rand()) % limit;
}

struct mapping {
	uintptr_t virt;
	phys_addr_t phys;
	uint64_t size;
	unsigned int prot;
};

/*
 * Returns the size of the page that must hold the byte at offset: the largest that lies within the
 * mapping and whose physical address is aligned as its virtual one is.
 */
static uint64_t page_size_at(const struct mapping *m, uint64_t offset)
{
	static const uint64_t sizes[] = { GIB1, MIB2, KIB4 };
	unsigned int i = config.pdpe1gb ? 0 : 1;

	for (i = m->prot & PAGING_SMALL ? 2 : i; i < 2; i++) {
		uintptr_t virt = (m->virt + offset) & ~(sizes[i] - 1);

		if (virt >= m->virt && virt + sizes[i] <= m->virt + m->size &&
		    !((m->virt ^ m->phys) & (sizes[i] - 1)))
			break;
	}
	return sizes[i];
}

static void check_at(const struct mapping *m, uint64_t offset)
{
	struct paging_leaf leaf;

	assert_true(paging_walk(m->virt + offset, &leaf));
	assert_int_equal(leaf.phys, m->phys + offset);
	assert_int_equal(leaf.size, page_size_at(m, offset));
	assert_int_equal(!!(leaf.entry & PTE_WRITE), !!(m->prot & PAGING_WRITE));
	assert_int_equal(!!(leaf.entry & PTE_NX), !(m->prot & PAGING_EXEC));
}

static void check_mapping(const struct mapping *m)
{
	struct paging_leaf leaf;

	assert_false(paging_walk(m->virt - 1, &leaf));
	assert_false(paging_walk(m->virt + m->size, &leaf));
	check_at(m, 0);
	check_at(m, m->size - 1);
	for (unsigned int i = 0; i < 200; i++)
		check_at(m, random_below(m->size));
}

/*
 * Returns a random distance in bytes: near a multiple of a page of some size, and short enough for
 * neighbouring mappings to share tables.
 */
static uint64_t random_distance(void)
{
	static const uint64_t units[] = { KIB4, MIB2, GIB1 };
	uint64_t whole = units[random_below(3)] * (1 + random_below(3));

	return whole + (random_below(2) ? 0 : KIB4 * (1 + random_below(600)));
}

static void mappings_are_as_asked(void **state)
{
	enum { MAPPINGS = 12 };

	(void)state;
	for (unsigned int round = 0; round < 200; round++) {
		struct mapping maps[MAPPINGS];
		uintptr_t virt = BASE;

		start(round & 1);
		for (unsigned int i = 0; i < MAPPINGS; i++) {
			struct mapping *m = &maps[i];

			virt += random_distance();
			*m = (struct mapping){ virt, virt - BASE, random_distance(),
					       (unsigned int)random_below(4) };
			/* Half of the mappings are moved to where their largest pages do not fit.
			 */
			if (random_below(2))
				m->phys += (m->size < GIB1 ? KIB4 : MIB2) * random_below(512);
			if (m->size < 16 * MIB2 && !random_below(4))
				m->prot |= PAGING_SMALL;
			virt += m->size;
			paging_map(m->virt, m->phys, m->size, m->prot);
		}
		for (unsigned int i = 0; i < MAPPINGS; i++)
			check_mapping(&maps[i]);
	}
}

/* Large mappings whose pages must be smaller than their size suggests. */
static void large_mappings_keep_to_their_pages(void **state)
{
	static const struct {
		struct mapping m;
		enum large_pages pages;
	} rows[] = {
		{ { BASE, 0, 512 * GIB1, PAGING_WRITE }, WITH_1G_PAGES },
		{ { BASE, KIB4, 2 * GIB1, PAGING_WRITE }, WITHOUT_1G_PAGES },
		{ { BASE, KIB4, 2 * GIB1, PAGING_WRITE }, WITH_1G_PAGES },
		{ { BASE, 3 * MIB2, 2 * GIB1, PAGING_WRITE }, WITH_1G_PAGES },
		{ { BASE, 0, 2 * GIB1, PAGING_WRITE | PAGING_SMALL }, WITH_1G_PAGES },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start(rows[i].pages);
		paging_map(rows[i].m.virt, rows[i].m.phys, rows[i].m.size, rows[i].m.prot);
		check_mapping(&rows[i].m);
	}
}

/* Returns the entry of this level for virt. Those above it must lead to tables, which permit all:
   only leaves forbid. */
static uint64_t entry_of(uintptr_t virt, unsigned int level)
{
	const uint64_t permissive = PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
	phys_addr_t table = paging_root();

	for (unsigned int above = PTE_LEVELS - 1;; above--) {
		uint64_t entry = ((uint64_t *)phys_to_virt(table))[pte_index(virt, above)];

		if (above == level)
			return entry;
		assert_int_equal(entry & ~PTE_ADDRESS, permissive);
		table = entry & PTE_ADDRESS;
	}
}

/* Reserves all frames of [from, to) except one in every step bytes. */
static void leave_every(uint64_t step, phys_addr_t from, phys_addr_t to)
{
	for (phys_addr_t base = from; base < to; base += step)
		memblock_reserve(base + KIB4, step - KIB4);
}

static void tables_lie_side_by_side_if_memory_allows(void **state)
{
	const struct mapping m = { BASE, 0, 100 * GIB1, PAGING_WRITE };
	uint64_t bytes;

	(void)state;
	start(WITHOUT_1G_PAGES);
	bytes = paging_table_bytes();
	paging_map(m.virt, m.phys, m.size, m.prot);
	check_mapping(&m);
	bytes = paging_table_bytes() - bytes;
	/* A table for each GiB, filled with the others as one run, and the one above them. */
	assert_int_equal(bytes, 101 * PAGE_SIZE);
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(entry_of(BASE + i * GIB1, 2), entry_of(BASE, 2) + i * PAGE_SIZE);

	start(WITHOUT_1G_PAGES);
	memblock_allow_resize();
	leave_every(4 * KIB4, 0, TABLES_RAM);
	paging_map(m.virt, m.phys, m.size, m.prot);
	check_mapping(&m);
	assert_int_equal(paging_table_bytes(), bytes + 3 * PAGE_SIZE);
}

/* The message with which the statement panics, or "" if it does not. */
#define REFUSAL(statement)                    \
	({                                    \
		jmp_buf jump;                 \
                                              \
		sim_panic_text[0] = '\0';     \
		sim_panic_jump = &jump;       \
		if (!setjmp(jump))            \
			statement;            \
		sim_panic_jump = NULL;        \
		(const char *)sim_panic_text; \
	})

static const char *refusal(const struct mapping *m)
{
	return REFUSAL(paging_map(m->virt, m->phys, m->size, m->prot));
}

static void no_room_is_said(void **state)
{
	const struct mapping m = { BASE, 0, 100 * GIB1, PAGING_WRITE };

	(void)state;
	start(WITHOUT_1G_PAGES);
	memblock_reserve(0, TABLES_RAM - 60 * KIB4);
	assert_string_equal(refusal(&m), "no room for a page table");
}

/* Maps a page of each size over one of each size, at each end of a run of two. */
static void nothing_is_mapped_twice(void **state)
{
	static const uint64_t sizes[] = { KIB4, MIB2, GIB1 };

	(void)state;
	for (unsigned int there = 0; there < 2 * 3; there++)
		for (unsigned int over = 0; over < 3; over++)
			for (unsigned int before = 0; before < 2; before++) {
				uintptr_t virt = BASE + 2 * GIB1;
				struct mapping first = { virt, 0, sizes[there / 2], 0 };
				struct mapping second = { virt - before * sizes[over], 0,
							  (1 + before) * sizes[over], 0 };

				start(there % 2);
				assert_string_equal(refusal(&first), "");
				assert_non_null(strstr(refusal(&second), "page tables: "));
				check_at(&first, 0);
			}
	start(WITHOUT_1G_PAGES);
	paging_map(BASE + 2 * KIB4, 0, KIB4, 0);
	assert_string_equal(REFUSAL(paging_map(BASE, 0, 3 * KIB4, 0)),
			    "page tables: one of the 3 entries from 0x600000000000 on is in use "
			    "already");
	paging_map(BASE, 0, 2 * KIB4, 0);
	paging_map(BASE + 3 * KIB4, 0, KIB4, 0);
	start(WITHOUT_1G_PAGES);
	paging_map(BASE, MIB2, MIB2, 0);
	assert_string_equal(REFUSAL(paging_map(BASE, 0, KIB4, 0)),
			    "page tables: a table is needed where a large page is mapped, entry "
			    "0x80000000002001e1");
}

static void parts_of_pages_are_refused(void **state)
{
	uint64_t bytes;

	(void)state;
	start(WITHOUT_1G_PAGES);
	bytes = paging_table_bytes();
	assert_string_equal(REFUSAL(paging_map(BASE + 1, 0, KIB4, 0)),
			    "page tables: [0x600000000001, +0x1000) to 0x0 is not whole pages");
	assert_string_equal(REFUSAL(paging_map(BASE, KIB4 / 2, KIB4, 0)),
			    "page tables: [0x600000000000, +0x1000) to 0x800 is not whole pages");
	assert_string_equal(REFUSAL(paging_map(BASE, 0, KIB4 + 1, 0)),
			    "page tables: [0x600000000000, +0x1001) to 0x0 is not whole pages");
	paging_map(BASE, 0, 0, 0);
	assert_int_equal(paging_table_bytes(), bytes);
}

/* All of the address space's last page, which ends where addresses begin again. */
static void the_last_page_is_mapped(void **state)
{
	const uintptr_t last = 0ul - PAGE_SIZE;
	struct paging_leaf leaf;

	(void)state;
	start(WITHOUT_1G_PAGES);
	paging_map(last, 5 * KIB4, PAGE_SIZE, PAGING_WRITE);
	assert_true(paging_walk(UINTPTR_MAX, &leaf));
	assert_int_equal(leaf.phys, 6 * KIB4 - 1);
	assert_false(paging_walk(last - 1, &leaf));
}

static bool is_mapped(uintptr_t virt)
{
	struct paging_leaf leaf;

	return paging_walk(virt, &leaf);
}

/* Demands that the page of virt is a window's, and leads to phys. */
static void check_window(uintptr_t virt, phys_addr_t phys, uint64_t bits)
{
	const uint64_t all = PTE_PRESENT | PTE_WRITE | PTE_PWT | PTE_PCD | PTE_PS | PTE_NX;
	struct paging_leaf leaf;

	assert_true(paging_walk(virt, &leaf));
	assert_int_equal(leaf.phys, phys);
	assert_int_equal(leaf.size, PAGE_SIZE);
	assert_int_equal(leaf.entry & all, PTE_PRESENT | PTE_WRITE | PTE_NX | bits);
}

/* Windows begin at any byte and have any size; between two is a page that is not mapped. */
static void windows_have_guard_pages(void **state)
{
	static const struct {
		phys_addr_t phys;
		size_t size;
		uint64_t nr_pages;
	} rows[] = {
		{ 2 * MIB2, MIB2, 512 }, /* the first: a large page would fit */
		{ 0xfee00000, PAGE_SIZE, 1 }, { 0xfed00ff0, 0x20, 2 },
		{ 0xfed00ff0, 0x10, 1 },      { 0xfed00ff0, 0x11, 2 },
		{ 0x7fe0001, PAGE_SIZE, 2 },  { 0xe0000, 0x20000, 32 },
		{ 0xffffffffff, 1, 1 },       { 0x7fe0fff, PAGE_SIZE + 2, 3 },
	};
	uintptr_t next = WINDOWS_BASE;

	(void)state;
	start(WITHOUT_1G_PAGES);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		phys_addr_t first = rows[i].phys & ~(PAGE_SIZE - 1);
		uintptr_t virt = (uintptr_t)ioremap(rows[i].phys, rows[i].size);

		assert_int_equal(virt, next + rows[i].phys - first);
		assert_false(is_mapped(next - 1));
		for (uint64_t page = 0; page < rows[i].nr_pages * PAGE_SIZE; page += PAGE_SIZE)
			check_window(next + page, first + page, PTE_PCD | PTE_PWT);
		next += rows[i].nr_pages * PAGE_SIZE;
		assert_false(is_mapped(next));
		next += PAGE_SIZE;
	}
}

/* A stack's window has its guard page below it. */
static void stacks_have_a_guard_page(void **state)
{
	uintptr_t first, second, third;

	(void)state;
	start(WITHOUT_1G_PAGES);
	first = paging_map_guarded(MIB2, 2 * PAGE_SIZE);
	second = paging_map_guarded(2 * MIB2, MIB2);
	third = paging_map_guarded(0, PAGE_SIZE);
	assert_int_equal(first, WINDOWS_BASE);
	assert_int_equal(second, first + 3 * PAGE_SIZE);
	assert_int_equal(third, second + MIB2 + PAGE_SIZE);
	assert_false(is_mapped(first));
	assert_false(is_mapped(second));
	assert_false(is_mapped(third));
	check_window(first + PAGE_SIZE, MIB2, 0);
	check_window(first + 2 * PAGE_SIZE, MIB2 + PAGE_SIZE, 0);
	check_window(second + PAGE_SIZE, 2 * MIB2, 0);
	check_window(second + MIB2, 3 * MIB2 - PAGE_SIZE, 0);
	check_window(third + PAGE_SIZE, 0, 0);
}

static void a_reserved_page_is_the_callers(void **state)
{
	uintptr_t virt, other;
	uint64_t *entry;

	(void)state;
	start(WITHOUT_1G_PAGES);
	entry = paging_reserve_page(&virt);
	paging_reserve_page(&other);
	assert_int_equal(virt, WINDOWS_BASE);
	assert_int_equal(other, WINDOWS_BASE + 2 * PAGE_SIZE);
	assert_int_equal(*entry, 0);
	assert_false(is_mapped(virt));
	assert_false(is_mapped(other));
	*entry = 0x123000 | PTE_PRESENT | PTE_WRITE | PTE_NX;
	check_window(virt + 0x45, 0x123045, 0);
}

static void single_pages_are_unmapped(void **state)
{
	(void)state;
	start(WITHOUT_1G_PAGES);
	paging_map(BASE, 0, MIB2, PAGING_SMALL | PAGING_WRITE);
	paging_map(BASE + MIB2, 0, MIB2, PAGING_WRITE);
	paging_unmap_page(BASE + 5 * PAGE_SIZE);
	assert_false(is_mapped(BASE + 5 * PAGE_SIZE));
	assert_true(is_mapped(BASE + 4 * PAGE_SIZE));
	assert_true(is_mapped(BASE + 6 * PAGE_SIZE));
	assert_string_equal(REFUSAL(paging_unmap_page(BASE + 5 * PAGE_SIZE)),
			    "page tables: 0x600000005000 is not mapped by a page of its own");
	assert_string_equal(REFUSAL(paging_unmap_page(BASE + MIB2)),
			    "page tables: 0x600000200000 is not mapped by a page of its own");
	assert_string_equal(REFUSAL(paging_unmap_page(BASE - MIB2)),
			    "page tables: 0x5fffffe00000 is not mapped by a page of its own");
	paging_map(BASE + 5 * PAGE_SIZE, 0, PAGE_SIZE, 0);
}

/* Pages that are not accessible keep what they lead to. */
static void pages_are_made_inaccessible(void **state)
{
	(void)state;
	start(WITHOUT_1G_PAGES);
	paging_map(BASE, 0, MIB2, PAGING_SMALL | PAGING_WRITE);
	paging_map(BASE + MIB2, 0, MIB2, PAGING_WRITE);
	for (unsigned int times = 0; times < 2; times++) {
		paging_set_present(BASE + 5 * PAGE_SIZE, 2, false);
		check_window(BASE + 4 * PAGE_SIZE, 4 * PAGE_SIZE, 0);
		assert_false(is_mapped(BASE + 5 * PAGE_SIZE));
		assert_false(is_mapped(BASE + 6 * PAGE_SIZE));
		check_window(BASE + 7 * PAGE_SIZE, 7 * PAGE_SIZE, 0);
	}
	paging_set_present(BASE + 5 * PAGE_SIZE, 0, true);
	assert_false(is_mapped(BASE + 5 * PAGE_SIZE));
	paging_set_present(BASE + 5 * PAGE_SIZE, 2, true);
	check_window(BASE + 5 * PAGE_SIZE, 5 * PAGE_SIZE, 0);
	check_window(BASE + 6 * PAGE_SIZE, 6 * PAGE_SIZE, 0);
	assert_string_equal(REFUSAL(paging_set_present(BASE + MIB2 - PAGE_SIZE, 2, false)),
			    "page tables: 0x600000200000 has no page of its own");
	assert_string_equal(REFUSAL(paging_set_present(BASE - PAGE_SIZE, 1, true)),
			    "page tables: 0x5ffffffff000 has no page of its own");
	paging_unmap_page(BASE);
	assert_string_equal(REFUSAL(paging_set_present(BASE, 1, true)),
			    "page tables: 0x600000000000 has no page of its own");
}

/* Demands the direct map of [base, end) with the read-only part, and nothing beside it. */
static void check_direct(phys_addr_t base, phys_addr_t end)
{
	phys_addr_t ro = config.ro_base, ro_end = ro + config.ro_size;
	struct paging_leaf leaf;

	assert_false(is_mapped(MM_DIRECT_MAP + base - 1));
	assert_false(is_mapped(MM_DIRECT_MAP + end));
	for (phys_addr_t phys = base; phys < end; phys += PAGE_SIZE) {
		assert_true(paging_walk(MM_DIRECT_MAP + phys, &leaf));
		assert_int_equal(leaf.phys, phys);
		assert_int_equal(!(leaf.entry & PTE_WRITE), phys >= ro && phys < ro_end);
		assert_true(leaf.entry & PTE_NX);
		if (config.small_direct_map)
			assert_int_equal(leaf.size, PAGE_SIZE);
	}
	assert_true(paging_walk(MM_DIRECT_MAP + 6 * MIB2, &leaf));
	assert_int_equal(leaf.size, config.small_direct_map ? PAGE_SIZE : MIB2);
}

/* The read-only part lies within a range, at its ends, across them, or in none. */
static void the_direct_map_has_a_read_only_part(void **state)
{
	static const struct {
		phys_addr_t base, end;
	} rows[] = {
		{ 2 * MIB2 + 3 * KIB4, 3 * MIB2 + KIB4 },
		{ MIB2, 2 * MIB2 },
		{ MIB2 - KIB4, MIB2 + KIB4 },
		{ 5 * MIB2 - KIB4, 5 * MIB2 },
		{ 5 * MIB2 - KIB4, 5 * MIB2 + KIB4 },
		{ MIB2 - KIB4, 5 * MIB2 + KIB4 },
		{ 5 * MIB2 + KIB4, 5 * MIB2 + 2 * KIB4 },
		{ 20 * MIB2, 21 * MIB2 },
		{ 0, 0 },
	};

	(void)state;
	for (unsigned int i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		start_without_ram();
		memblock_add(MIB2, 4 * MIB2);
		memblock_add(5 * MIB2 + 16 * KIB4, TABLES_RAM - 6 * MIB2 - 16 * KIB4);
		config.ro_base = rows[i / 2].base;
		config.ro_size = rows[i / 2].end - rows[i / 2].base;
		config.small_direct_map = i % 2;
		paging_init(&config);
		paging_direct_map();
		check_direct(MIB2, 5 * MIB2);
		check_direct(5 * MIB2 + 16 * KIB4, TABLES_RAM - MIB2);
	}
	config = (struct paging_config){ .nx = true };
}

/* What page tables take is what they say that they have, besides the page of zeros. */
static void tables_take_what_they_need(void **state)
{
	uint64_t reserved;

	(void)state;
	start_without_ram();
	memblock_add(0, TABLES_RAM);
	reserved = memblock_reserved_size();
	paging_init(&config);
	assert_int_equal(memblock_reserved_size() - reserved, 4 * PAGE_SIZE);
	assert_int_equal(paging_table_bytes(), 3 * PAGE_SIZE);
	paging_map(BASE, 0, 3 * GIB1, 0);
	paging_map_zero(BASE + 3 * GIB1, 5 * MIB2);
	ioremap(0x1234, 1);
	assert_int_equal(memblock_reserved_size() - reserved, paging_table_bytes() + PAGE_SIZE);
	assert_true(memblock_is_reserved(paging_root()));
	assert_int_equal(paging_root() % PAGE_SIZE, 0);
}

/* Without a no-execute bit, the bit must be 0. */
static void nx_is_left_out_without_the_feature(void **state)
{
	struct paging_leaf leaf;

	(void)state;
	config.nx = false;
	start(WITHOUT_1G_PAGES);
	config.nx = true;
	paging_map(BASE, 0, KIB4, PAGING_WRITE);
	assert_true(paging_walk(BASE, &leaf));
	assert_false(leaf.entry & PTE_NX);
}

static void entries_have_these_bits_and_no_others(void **state)
{
	const uint64_t leaf = PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_GLOBAL;
	const struct {
		uint64_t size;
		unsigned int level, prot;
		uint64_t bits;
	} rows[] = {
		{ KIB4, 0, 0, leaf | PTE_NX },
		{ KIB4, 0, PAGING_EXEC, leaf },
		{ KIB4, 0, PAGING_WRITE, leaf | PTE_NX | PTE_WRITE },
		{ KIB4, 0, PAGING_DEVICE, leaf | PTE_NX | PTE_PCD | PTE_PWT },
		{ MIB2, 0, PAGING_SMALL, leaf | PTE_NX },
		{ MIB2, 1, PAGING_EXEC, leaf | PTE_PS },
		{ GIB1, 2, PAGING_WRITE | PAGING_EXEC, leaf | PTE_PS | PTE_WRITE },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start(WITH_1G_PAGES);
		paging_map(BASE, GIB1, rows[i].size, rows[i].prot);
		assert_int_equal(entry_of(BASE, rows[i].level), GIB1 | rows[i].bits);
	}
	/* A hole has only entries that forbid writing, at each level. */
	start(WITH_1G_PAGES);
	paging_map_zero(BASE, GIB1);
	assert_int_equal(entry_of(BASE, 2) & ~PTE_ADDRESS, PTE_PRESENT | PTE_ACCESSED);
	start(WITH_1G_PAGES);
	paging_map_zero(BASE, MIB2);
	assert_int_equal(entry_of(BASE, 1) & ~PTE_ADDRESS, PTE_PRESENT | PTE_ACCESSED);
	start(WITH_1G_PAGES);
	paging_map_zero(BASE, KIB4);
	assert_int_equal(entry_of(BASE, 0) & ~PTE_ADDRESS, leaf | PTE_NX);
}

/* Runs first. */
static void nothing_is_mapped_before_there_are_tables(void **state)
{
	(void)state;
	assert_false(is_mapped(BASE));
}

/* Later tables are frames of the page allocator, one at a time. */
static void later_tables_come_from_the_allocator(void **state)
{
	const struct e820_entry ram = { 0, 64 << 20, E820_TYPE_RAM, 1, 24, 0 };
	const struct sim_options options = { .dirty = true };
	const struct mapping many = { BASE, 0, 5 * MIB2, PAGING_WRITE | PAGING_SMALL };
	struct e820_taken kernel;
	const char *error;
	uint64_t before;
	uint64_t bytes;

	(void)state;
	sim_reset();
	assert_int_equal(sim_boot(&ram, 1, &options, &kernel, &error), 0);
	paging_use_allocator();
	before = nr_free_pages();
	bytes = paging_table_bytes();
	for (unsigned int i = 0; i < 40; i++)
		ioremap(0x100000000ull, 64 * PAGE_SIZE);
	assert_int_equal(paging_table_bytes() - bytes, (2 + 6) * PAGE_SIZE);
	assert_int_equal(before - nr_free_pages(), 2 + 6);
	check_window(WINDOWS_BASE + 65 * PAGE_SIZE, 0x100000000ull, PTE_PCD | PTE_PWT);

	before = nr_free_pages();
	bytes = paging_table_bytes();
	paging_map(many.virt, many.phys, many.size, many.prot);
	check_mapping(&many);
	assert_int_equal(paging_table_bytes() - bytes, (2 + 5) * PAGE_SIZE);
	assert_int_equal(before - nr_free_pages(), 2 + 5);
}

/* Holes of any size show one page of zeros; a mapping beside them stays as it is. */
static void holes_share_a_page(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 200; round++) {
		struct mapping m = { BASE + random_distance(), 0, random_distance(), PAGING_WRITE };
		uintptr_t end = BASE + 8 * GIB1;
		struct paging_leaf zero, leaf;

		start(round & 1);
		paging_map(m.virt, m.phys, m.size, m.prot);
		paging_map_zero(BASE, m.virt - BASE);
		paging_map_zero(m.virt + m.size, end - m.virt - m.size);
		assert_true(paging_walk(BASE, &zero));
		for (unsigned int i = 0; i < 200; i++) {
			uintptr_t virt = BASE + random_below(end - BASE);

			if (virt >= m.virt && virt < m.virt + m.size) {
				check_at(&m, virt - m.virt);
				continue;
			}
			assert_true(paging_walk(virt, &leaf));
			assert_int_equal(leaf.phys, zero.phys + (virt & (PAGE_SIZE - 1)));
			assert_false(leaf.entry & PTE_WRITE);
		}
		assert_true(paging_walk(end - 1, &leaf));
		assert_false(paging_walk(end, &leaf));
		for (unsigned int i = 0; i < PAGE_SIZE; i += 8)
			assert_int_equal(*(uint64_t *)phys_to_virt(zero.phys + i), 0);
		assert_true(paging_table_bytes() <= 12 * PAGE_SIZE + m.size / 512);
	}
}

/* A hole that spans all of a top table's entry, and a part of the entries beside it. */
static void large_holes_share_a_page(void **state)
{
	const uintptr_t first = BASE + 511 * GIB1, end = first + 514 * GIB1;
	struct paging_leaf zero, leaf;
	uint64_t bytes;

	(void)state;
	start(WITHOUT_1G_PAGES);
	bytes = paging_table_bytes();
	paging_map_zero(first, end - first);
	assert_int_equal(paging_table_bytes() - bytes, 3 * PAGE_SIZE);
	assert_true(paging_walk(first, &zero));
	for (uintptr_t virt = first; virt < end; virt += GIB1 / 2) {
		assert_true(paging_walk(virt, &leaf));
		assert_int_equal(leaf.phys, zero.phys);
	}
	assert_false(paging_walk(first - 1, &leaf));
	assert_false(paging_walk(end, &leaf));
}

/* A small hole across the border between two page tables. */
static void small_holes_end_where_they_should(void **state)
{
	const uintptr_t first = BASE + MIB2 - 2 * KIB4, end = BASE + MIB2 + 2 * KIB4;

	(void)state;
	start(WITHOUT_1G_PAGES);
	paging_map_zero(first, end - first);
	for (uintptr_t virt = BASE; virt < BASE + 2 * MIB2; virt += KIB4)
		assert_int_equal(is_mapped(virt), virt >= first && virt < end);
}

static void descriptors_are_writable(void **state)
{
	const struct mapping m = { BASE, MIB2, 3 * MIB2 + KIB4, PAGING_WRITE };

	(void)state;
	start(WITHOUT_1G_PAGES);
	paging_map_mem_map(m.virt, m.phys, m.size);
	check_mapping(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_mapped_before_there_are_tables),
		cmocka_unit_test(parts_of_pages_are_refused),
		cmocka_unit_test(the_last_page_is_mapped),
		cmocka_unit_test(windows_have_guard_pages),
		cmocka_unit_test(stacks_have_a_guard_page),
		cmocka_unit_test(a_reserved_page_is_the_callers),
		cmocka_unit_test(single_pages_are_unmapped),
		cmocka_unit_test(pages_are_made_inaccessible),
		cmocka_unit_test(the_direct_map_has_a_read_only_part),
		cmocka_unit_test(tables_take_what_they_need),
		cmocka_unit_test(nx_is_left_out_without_the_feature),
		cmocka_unit_test(entries_have_these_bits_and_no_others),
		cmocka_unit_test(later_tables_come_from_the_allocator),
		cmocka_unit_test(large_mappings_keep_to_their_pages),
		cmocka_unit_test(large_holes_share_a_page),
		cmocka_unit_test(small_holes_end_where_they_should),
		cmocka_unit_test(descriptors_are_writable),
		cmocka_unit_test(mappings_are_as_asked),
		cmocka_unit_test(tables_lie_side_by_side_if_memory_allows),
		cmocka_unit_test(no_room_is_said),
		cmocka_unit_test(nothing_is_mapped_twice),
		cmocka_unit_test(holes_share_a_page),
	};

	srand(20);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("paging", tests, NULL, NULL);
}
