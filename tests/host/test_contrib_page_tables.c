/*
 * test_contrib_page_tables.c: tests contrib/page_tables.c: lets it build tables in simulated RAM,
 * reads them by a walk of its own, as a processor does, and compares.
 *
 * RAM is first seen at SIM_RAM only, as a loader shows it, and holds garbage. At DIRECT_MAP, where
 * the direct map shall be, nothing is seen before load_tables(), which moves it there: an access
 * through a mapping that does not exist yet faults.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "arch/x86_64/paging.h"
#include "contrib/page_tables.h"
#include "mm/check.h"
#include "mm/gfp.h"
#include "mm/memblock.h"
#include "mm/page.h"
#include "mm/zone.h"
#include "tests/host/sim/expect_panic.h"
#include "tests/host/sim/sim.h"

#define RAM        (16ull << 20) /* bytes */
#define KIB4       (1ull << 12)
#define MIB2       (1ull << 21)
#define GIB1       (1ull << 30)
#define BASE       0x600000000000ull /* the lowest address that the tests map */
#define DIRECT_MAP 0x300000000000ull
#define ENTRIES    512

/* Bits of an entry (Intel SDM volume 3A, tables 4-15 to 4-20). */
#define PRESENT    0x1ull
#define WRITE      0x2ull
#define USER       0x4ull
#define UNCACHED   0x18ull /* PCD and PWT */
#define LARGE      0x80ull
#define NX         (1ull << 63)
#define ADDRESS    0x000ffffffffff000ull

/* What contrib/page_tables.c calls port_map_mem_map() and port_map_zero(): host.mk renames them. */
void contrib_port_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size);
void contrib_port_map_zero(uintptr_t virt, uint64_t size);

static uintptr_t seen_at; /* where this program sees RAM now */
static struct page_tables_config config;

static uint64_t *ram(phys_addr_t phys)
{
	return (uint64_t *)(seen_at + phys);
}

/* Does what loading CR3 does: the direct map exists. */
static void load_tables(void)
{
	void *moved =
	    mremap((void *)SIM_RAM, RAM, RAM, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)DIRECT_MAP);

	assert_ptr_equal(moved, (void *)DIRECT_MAP);
	seen_at = DIRECT_MAP;
}

enum large_pages { WITHOUT_1G_PAGES, WITH_1G_PAGES };

/* Begins with RAM of memblock at [base, RAM), which is full of garbage, and a new top table. */
static void start_at(enum large_pages pages, phys_addr_t base)
{
	sim_reset();
	munmap((void *)DIRECT_MAP, RAM);
	sim_map_ram(RAM);
	mm_host_offset = DIRECT_MAP;
	seen_at = SIM_RAM;
	memset(ram(0), 0xa5, RAM);
	memblock_add(base, RAM - base);
	config = (struct page_tables_config){
		.seen_at = SIM_RAM,
		.pages_1g = pages == WITH_1G_PAGES,
		.no_execute = true,
	};
}

static void start(enum large_pages pages)
{
	start_at(pages, 0);
	page_tables_init(&config);
}

struct leaf {
	phys_addr_t phys; /* of the byte */
	uint64_t size;    /* of the page */
	bool write, execute, user, uncached;
};

/* Walks for virt as a processor does. Returns false if virt is not mapped. */
static bool walk(uintptr_t virt, struct leaf *leaf)
{
	phys_addr_t table = page_tables_root();

	*leaf = (struct leaf){ .write = true, .execute = true, .user = true };
	for (unsigned int shift = 39;; shift -= 9) {
		uint64_t entry = ram(table)[virt >> shift & (ENTRIES - 1)];

		if (!(entry & PRESENT))
			return false;
		leaf->write &= !!(entry & WRITE);
		leaf->user &= !!(entry & USER);
		leaf->execute &= !(entry & NX);
		if (shift == 12 || entry & LARGE) {
			assert_true(shift <= 30);
			leaf->size = 1ull << shift;
			leaf->uncached = (entry & UNCACHED) == UNCACHED;
			assert_int_equal(entry & ADDRESS & (leaf->size - 1), 0);
			leaf->phys = (entry & ADDRESS) | (virt & (leaf->size - 1));
			return true;
		}
		table = entry & ADDRESS;
	}
}

static uint64_t random_below(uint64_t limit)
{
	return ((uint64_t)rand() << 31 ^ (uint64_t)rand()) % limit;
}

struct mapping {
	uintptr_t virt;
	phys_addr_t phys;
	uint64_t size;
	unsigned int allow;
};

/* Returns the size of the largest page that can hold the byte at offset. */
static uint64_t page_size_at(const struct mapping *m, uint64_t offset)
{
	static const uint64_t sizes[] = { GIB1, MIB2, KIB4 };
	unsigned int i = config.pages_1g ? 0 : 1;

	for (; i < 2; i++) {
		uintptr_t virt = (m->virt + offset) & ~(sizes[i] - 1);

		if (virt >= m->virt && virt + sizes[i] <= m->virt + m->size &&
		    !((m->virt ^ m->phys) & (sizes[i] - 1)))
			break;
	}
	return sizes[i];
}

static void check_at(const struct mapping *m, uint64_t offset)
{
	struct leaf leaf;

	assert_true(walk(m->virt + offset, &leaf));
	assert_int_equal(leaf.phys, m->phys + offset);
	assert_int_equal(leaf.size, page_size_at(m, offset));
	assert_int_equal(leaf.write, !!(m->allow & PAGE_TABLES_WRITE));
	assert_int_equal(leaf.execute, !config.no_execute || m->allow & PAGE_TABLES_EXECUTE);
	assert_int_equal(leaf.uncached, !!(m->allow & PAGE_TABLES_UNCACHED));
	assert_false(leaf.user);
}

static void check_mapping(const struct mapping *m)
{
	struct leaf leaf;

	assert_false(walk(m->virt - 1, &leaf));
	assert_false(walk(m->virt + m->size, &leaf));
	check_at(m, 0);
	check_at(m, m->size - 1);
	for (unsigned int i = 0; i < 100; i++)
		check_at(m, random_below(m->size));
}

/* Returns a random distance in bytes, near a multiple of a page of some size. */
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
	for (unsigned int round = 0; round < 60; round++) {
		struct mapping maps[MAPPINGS];
		uintptr_t virt = BASE;

		start_at(round & 1, 0);
		config.no_execute = round % 4 < 3;
		page_tables_init(&config);
		for (unsigned int i = 0; i < MAPPINGS; i++) {
			struct mapping *m = &maps[i];

			virt += random_distance();
			*m = (struct mapping){ virt, virt - BASE, random_distance(),
					       (unsigned int)random_below(8) };
			/* Half of them are moved to where their largest pages do not fit. */
			if (random_below(2))
				m->phys += (m->size < GIB1 ? KIB4 : MIB2) * random_below(512);
			virt += m->size;
			page_tables_map(m->virt, m->phys, m->size, m->allow);
		}
		for (unsigned int i = 0; i < MAPPINGS; i++)
			check_mapping(&maps[i]);
	}
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

				start(WITH_1G_PAGES);
				page_tables_map(virt, 0, sizes[there], 0);
				EXPECT_PANIC(page_tables_map(virt - before * sizes[over], 0,
							     (1 + before) * sizes[over], 0),
					     "is mapped already");
				check_at(&first, 0);
			}
}

static void misuse_and_want_are_said(void **state)
{
	(void)state;
	start(WITHOUT_1G_PAGES);
	EXPECT_PANIC(page_tables_map(BASE, 0x800, KIB4, 0), "not whole pages");
	EXPECT_PANIC(page_tables_map(BASE + 1, 0, KIB4, 0), "not whole pages");
	EXPECT_PANIC(page_tables_map(BASE, 0, KIB4 + 8, 0), "not whole pages");
	start(WITHOUT_1G_PAGES);
	memblock_reserve(0, RAM - 8 * KIB4);
	EXPECT_PANIC(page_tables_map(BASE, 0, 100 * GIB1, 0), "no room for a table");
}

/* The loader's top table stays the top table, and what it maps stays mapped. */
static void works_above_the_loader_s_tables(void **state)
{
	const phys_addr_t top = 0x3000, below = 0x4000;
	struct leaf leaf;

	(void)state;
	start_at(WITH_1G_PAGES, 0x10000);
	memset(ram(top), 0, 2 * PAGE_SIZE);
	ram(top)[0] = ram(top)[511] = below | PRESENT | WRITE;
	ram(below)[3] = 5 * GIB1 | PRESENT | WRITE | LARGE;
	config.root = top | 0x18; /* CR3 has bits for caching, too */
	page_tables_init(&config);
	assert_int_equal(page_tables_root(), top);
	page_tables_direct_map();
	load_tables();
	assert_true(walk(3 * GIB1 + 7, &leaf));
	assert_int_equal(leaf.phys, 5 * GIB1 + 7);
	assert_true(walk(0xffffff80c0000000ull, &leaf));
	assert_false(walk(2 * GIB1, &leaf));
	check_at(
	    &(struct mapping){ DIRECT_MAP + 0x10000, 0x10000, RAM - 0x10000, PAGE_TABLES_WRITE },
	    0x1234);
	/* A page of 1 GiB of the loader's is not taken for a table. */
	EXPECT_PANIC(page_tables_map(3 * GIB1, 0, KIB4, 0), "is mapped already");
}

/* Until the direct map stands, tables are made only where RAM is seen; afterwards anywhere. */
static void tables_lie_where_they_are_seen(void **state)
{
	const phys_addr_t end = RAM / 2;

	(void)state;
	start_at(WITHOUT_1G_PAGES, 0);
	config.seen_end = end;
	page_tables_init(&config);
	page_tables_direct_map();
	assert_true(memblock_is_reserved(end - KIB4));
	assert_false(memblock_overlaps_region(&memblock.reserved, end, RAM - end));
	assert_int_equal(memblock_reserved_size(), page_tables_bytes());
	load_tables();
	page_tables_map(BASE, 0, 100 * GIB1, 0);
	assert_true(memblock_is_reserved(RAM - KIB4));
	assert_int_equal(memblock_reserved_size(), page_tables_bytes());
	check_mapping(&(struct mapping){ BASE, 0, 100 * GIB1, 0 });
}

/* The direct map shows every frame of memblock's memory at its place, and nothing else. */
static void the_direct_map_shows_memory(void **state)
{
	struct leaf leaf;

	(void)state;
	for (unsigned int round = 0; round < 2; round++) {
		start_at(round, 0);
		memblock_remove(0x9f000, 0x61000);
		memblock_remove(5 * MIB2 + KIB4, 3 * KIB4);
		page_tables_init(&config);
		page_tables_direct_map();
		load_tables();
		for (phys_addr_t at = 0; at < RAM + 4 * MIB2; at += KIB4) {
			bool there = walk(DIRECT_MAP + at, &leaf);

			assert_int_equal(there, memblock_is_memory(at));
			if (there) {
				assert_int_equal(leaf.phys, at);
				assert_true(leaf.write && !leaf.execute);
			}
		}
	}
}

/* What is mapped in the direct map before, as an image, keeps its rights; the rest is added. */
static void the_direct_map_keeps_an_image(void **state)
{
	const struct mapping parts[] = {
		{ DIRECT_MAP + MIB2 + 3 * KIB4, MIB2 + 3 * KIB4, 2 * KIB4, PAGE_TABLES_EXECUTE },
		{ DIRECT_MAP + 2 * MIB2, 2 * MIB2, MIB2, PAGE_TABLES_WRITE | PAGE_TABLES_EXECUTE },
	};
	struct leaf leaf;

	(void)state;
	start(WITHOUT_1G_PAGES);
	for (unsigned int i = 0; i < 2; i++)
		page_tables_map(parts[i].virt, parts[i].phys, parts[i].size, parts[i].allow);
	page_tables_direct_map();
	load_tables();
	for (phys_addr_t at = 0; at < RAM; at += KIB4) {
		unsigned int allow = PAGE_TABLES_WRITE;

		for (unsigned int i = 0; i < 2; i++)
			if (at >= parts[i].phys && at < parts[i].phys + parts[i].size)
				allow = parts[i].allow;
		assert_true(walk(DIRECT_MAP + at, &leaf));
		assert_int_equal(leaf.phys, at);
		assert_int_equal(leaf.size, at / MIB2 == 1 ? KIB4 : MIB2);
		assert_int_equal(leaf.write, !!(allow & PAGE_TABLES_WRITE));
		assert_int_equal(leaf.execute, !!(allow & PAGE_TABLES_EXECUTE));
	}
	/* A loader's page may be larger than all memory. */
	start(WITH_1G_PAGES);
	page_tables_map(DIRECT_MAP, 0, GIB1, PAGE_TABLES_EXECUTE);
	page_tables_direct_map();
	load_tables();
	check_at(&(struct mapping){ DIRECT_MAP, 0, GIB1, PAGE_TABLES_EXECUTE }, RAM - 1);
	/* Memory may begin inside a page. */
	start_at(WITHOUT_1G_PAGES, KIB4);
	page_tables_init(&config);
	page_tables_map(DIRECT_MAP, 0, MIB2, PAGE_TABLES_EXECUTE);
	page_tables_direct_map();
	load_tables();
	check_at(&(struct mapping){ DIRECT_MAP + MIB2, MIB2, RAM - MIB2, PAGE_TABLES_WRITE }, 0);
}

static void map_other_memory(uint64_t size)
{
	start(WITH_1G_PAGES);
	page_tables_map(DIRECT_MAP, 3 * GIB1, size, 0);
	EXPECT_PANIC(page_tables_direct_map(), "is mapped already");
}

static void the_direct_map_needs_its_place(void **state)
{
	(void)state;
	map_other_memory(KIB4);
	map_other_memory(MIB2);
	map_other_memory(GIB1);
	start_at(WITHOUT_1G_PAGES, 0);
	mm_host_offset = -RAM + KIB4;
	EXPECT_PANIC(page_tables_init(&config), "does not fit in a direct map");
	mm_host_offset = -RAM;
	page_tables_init(&config);
	start_at(WITHOUT_1G_PAGES, 0);
	mm_host_offset = MEM_MAP_BASE - RAM + KIB4;
	EXPECT_PANIC(page_tables_init(&config), "overlap");
	mm_host_offset = MEM_MAP_BASE + SIM_WINDOW_SIZE - KIB4;
	EXPECT_PANIC(page_tables_init(&config), "overlap");
	mm_host_offset = MEM_MAP_BASE + SIM_WINDOW_SIZE;
	page_tables_init(&config);
}

/* Holes of any size show one page of zeros; a mapping beside them stays as it is. */
static void holes_share_a_page(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 60; round++) {
		struct mapping m = { BASE + random_distance(), 0, random_distance(),
				     PAGE_TABLES_WRITE };
		uintptr_t end = BASE + 8 * GIB1;
		struct leaf zero, leaf;

		start(round & 1);
		contrib_port_map_mem_map(m.virt, m.phys, m.size);
		contrib_port_map_zero(BASE, m.virt - BASE);
		contrib_port_map_zero(m.virt + m.size, end - m.virt - m.size);
		assert_true(walk(BASE, &zero));
		for (unsigned int i = 0; i < 200; i++) {
			uintptr_t virt = BASE + random_below(end - BASE);

			if (virt >= m.virt && virt < m.virt + m.size) {
				check_at(&m, virt - m.virt);
				continue;
			}
			assert_true(walk(virt, &leaf));
			assert_int_equal(leaf.phys, zero.phys + (virt & (PAGE_SIZE - 1)));
			assert_false(leaf.write || leaf.execute || leaf.user);
		}
		assert_true(walk(end - 1, &leaf));
		assert_false(walk(end, &leaf));
		for (unsigned int i = 0; i < ENTRIES; i++)
			assert_int_equal(ram(zero.phys)[i], 0);
		assert_true(page_tables_bytes() <= 16 * PAGE_SIZE + m.size / 512);
	}
}

void __real_port_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size);
void __wrap_port_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size);
void __real_port_map_zero(uintptr_t virt, uint64_t size);
void __wrap_port_map_zero(uintptr_t virt, uint64_t size);

/* mem_map_init()'s calls get here: contrib/page_tables.c maps, and sim.c lets this program see it.
 */
void __wrap_port_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size)
{
	contrib_port_map_mem_map(virt, phys, size);
	__real_port_map_mem_map(virt, phys, size);
}

void __wrap_port_map_zero(uintptr_t virt, uint64_t size)
{
	contrib_port_map_zero(virt, size);
	__real_port_map_zero(virt, size);
}

/*
 * After mem_map_init() the window shows for each frame of RAM a descriptor in memory that is
 * reserved, writable, and no other frame's; for any other frame zeros. The entries of the top table
 * are those of the beginning, so a table that has copies of them shows all that was mapped since.
 */
static void the_window_has_all_descriptors(void **state)
{
	static bool used[RAM / KIB4];
	const unsigned int first = MEM_MAP_BASE >> 39;
	struct paging_config sim = { .nx = true };
	uint64_t top[ENTRIES];
	struct leaf leaf;

	(void)state;
	for (unsigned int round = 0; round < 2; round++) {
		start_at(round, MIB2);
		memblock_remove(RAM / 2, 3 * MIB2);
		memset(used, 0, sizeof(used));
		memset(top, 0xee, sizeof(top));
		page_tables_init(&config);
		/* Stands for an image at the end of addresses. */
		page_tables_map(-MIB2, 0, MIB2, PAGE_TABLES_EXECUTE);
		page_tables_copy_top(top);
		page_tables_direct_map();
		load_tables();
		paging_init(&sim); /* the tables of sim.c */
		mem_map_init();
		for (pfn_t pfn = 0; pfn < 2 * RAM / PAGE_SIZE; pfn++) {
			assert_true(walk((uintptr_t)pfn_to_page(pfn), &leaf));
			if (!memblock_is_memory(PFN_PHYS(pfn))) {
				assert_int_equal(*(uint64_t *)((char *)ram(0) + leaf.phys), 0);
				assert_false(leaf.write);
			} else {
				assert_true(leaf.write && memblock_is_reserved(leaf.phys));
				assert_true(memblock_is_memory(leaf.phys));
				assert_false(pfn % 256 == 0 && used[PHYS_PFN(leaf.phys)]);
				used[PHYS_PFN(leaf.phys)] = true;
			}
		}
		assert_true(walk((uintptr_t)pfn_to_page(MM_MAX_PFN) - 1, &leaf));
		assert_false(walk((uintptr_t)pfn_to_page(MM_MAX_PFN), &leaf));
		assert_int_equal((MEM_MAP_BASE + SIM_WINDOW_SIZE - 1) >> 39, first + 1);
		for (unsigned int i = 0; i < ENTRIES; i++) {
			bool shared =
			    i == DIRECT_MAP >> 39 ||
			    (i >= first && i <= (MEM_MAP_BASE + SIM_WINDOW_SIZE - 1) >> 39);

			assert_int_equal(top[i], shared || i >= ENTRIES / 2
						     ? ram(page_tables_root())[i]
						     : 0xeeeeeeeeeeeeeeeeull);
			assert_int_equal(!!(ram(page_tables_root())[i] & PRESENT),
					 shared || i == ENTRIES - 1);
		}
	}
}

/*
 * After the hand-over tables are the allocator's pages. memblock would still return memory, which
 * the allocator gives to others as well.
 */
static void later_tables_are_pages(void **state)
{
	struct paging_config sim = { .nx = true };
	const struct mapping device = { BASE, 0xfed00000, KIB4,
					PAGE_TABLES_WRITE | PAGE_TABLES_UNCACHED };
	uint64_t nr_free, reserved;

	(void)state;
	start_at(WITHOUT_1G_PAGES, MIB2);
	page_tables_init(&config);
	page_tables_direct_map();
	load_tables();
	paging_init(&sim);
	mem_map_init();
	zones_init(19);
	memblock_free_all();
	zones_finish();
	nr_free = nr_free_pages();
	reserved = memblock_reserved_size();
	page_tables_map(device.virt, device.phys, device.size, device.allow);
	check_mapping(&device);
	assert_int_equal(nr_free_pages(), nr_free - 3);
	assert_int_equal(memblock_reserved_size(), reserved);
	assert_int_equal(mm_check(), 0);
	while (alloc_page(GFP_KERNEL))
		;
	check_mapping(&device);
	EXPECT_PANIC(page_tables_map(BASE + (GIB1 << 9), 0, KIB4, 0), "no room for a table");
}

/* A direct map of terabytes has several entries of the top table, all of them at once. */
static void terabytes_have_all_entries(void **state)
{
	const unsigned int first = DIRECT_MAP >> 39, nr = 6;
	uint64_t top[ENTRIES];

	(void)state;
	start_at(WITH_1G_PAGES, 0);
	memblock_add(3 * (GIB1 << 10) - MIB2, MIB2);
	config.seen_end = RAM;
	page_tables_init(&config);
	memset(top, 0, sizeof(top));
	page_tables_copy_top(top);
	for (unsigned int i = first - 1; i <= first + nr; i++) {
		assert_int_equal(!!(top[i] & PRESENT), i >= first && i < first + nr);
		assert_int_equal(top[i], ram(page_tables_root())[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mappings_are_as_asked),
		cmocka_unit_test(nothing_is_mapped_twice),
		cmocka_unit_test(misuse_and_want_are_said),
		cmocka_unit_test(works_above_the_loader_s_tables),
		cmocka_unit_test(tables_lie_where_they_are_seen),
		cmocka_unit_test(the_direct_map_shows_memory),
		cmocka_unit_test(the_direct_map_keeps_an_image),
		cmocka_unit_test(the_direct_map_needs_its_place),
		cmocka_unit_test(holes_share_a_page),
		cmocka_unit_test(the_window_has_all_descriptors),
		cmocka_unit_test(later_tables_are_pages),
		cmocka_unit_test(terabytes_have_all_entries),
	};

	srand(19);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("contrib_page_tables", tests, NULL, NULL);
}
