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
#include "tests/host/sim/sim.h"

#define TABLES_RAM (16ull << 20) /* bytes of RAM, all of which page tables may use */
#define KIB4       (1ull << 12)
#define MIB2       (1ull << 21)
#define GIB1       (1ull << 30)
#define BASE       0x600000000000ull /* the lowest address that the tests map */

static struct paging_config config = { .nx = true };

enum large_pages { WITHOUT_1G_PAGES, WITH_1G_PAGES };

/* Begins with empty page tables. RAM holds garbage, so that an entry left unwritten is noticed. */
static void start(enum large_pages pages)
{
	sim_reset();
	sim_map_ram(TABLES_RAM);
	memset(phys_to_virt(0), 0xa5, TABLES_RAM);
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

/* Reserves all frames of [from, to) except one in every step bytes. */
static void leave_every(uint64_t step, phys_addr_t from, phys_addr_t to)
{
	for (phys_addr_t base = from; base < to; base += step)
		memblock_reserve(base + KIB4, step - KIB4);
}

static void tables_need_not_lie_side_by_side(void **state)
{
	const struct mapping m = { BASE, 0, 100 * GIB1, PAGING_WRITE };
	uint64_t bytes;

	(void)state;
	start(WITHOUT_1G_PAGES);
	bytes = paging_table_bytes();
	paging_map(m.virt, m.phys, m.size, m.prot);
	check_mapping(&m);
	bytes = paging_table_bytes() - bytes;
	/* A table for each GiB, and the one above them. */
	assert_int_equal(bytes, 101 * PAGE_SIZE);

	start(WITHOUT_1G_PAGES);
	memblock_allow_resize();
	leave_every(4 * KIB4, 0, TABLES_RAM);
	paging_map(m.virt, m.phys, m.size, m.prot);
	check_mapping(&m);
	assert_int_equal(paging_table_bytes(), bytes + 3 * PAGE_SIZE);
}

/* Returns the message with which paging_map() panics, or "" if it does not. */
static const char *refusal(const struct mapping *m)
{
	static jmp_buf jump;

	sim_panic_text[0] = '\0';
	sim_panic_jump = &jump;
	if (!setjmp(jump))
		paging_map(m->virt, m->phys, m->size, m->prot);
	sim_panic_jump = NULL;
	return sim_panic_text;
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
	for (unsigned int there = 0; there < 3; there++)
		for (unsigned int over = 0; over < 3; over++)
			for (unsigned int before = 0; before < 2; before++) {
				uintptr_t virt = BASE + 2 * GIB1;
				struct mapping first = { virt, 0, sizes[there], 0 };
				struct mapping second = { virt - before * sizes[over], 0,
							  (1 + before) * sizes[over], 0 };

				start(WITH_1G_PAGES);
				assert_string_equal(refusal(&first), "");
				assert_non_null(strstr(refusal(&second), "page tables: "));
				check_at(&first, 0);
			}
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mappings_are_as_asked),
		cmocka_unit_test(tables_need_not_lie_side_by_side),
		cmocka_unit_test(no_room_is_said),
		cmocka_unit_test(nothing_is_mapped_twice),
		cmocka_unit_test(holes_share_a_page),
	};

	srand(20);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("paging", tests, NULL, NULL);
}
