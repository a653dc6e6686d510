/*
 * test_paging_hotplug.c: tests arch/x86_64/paging_hotplug.c: adds memory to a machine of 16 MiB,
 * reads the page tables back with paging_walk(), removes the memory, and compares all tables with
 * those before. The reserve is the test's own, so that it can be short of frames, and flushes are
 * noticed: no table may be returned before it is flushed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "arch/x86_64/paging_hotplug.h"
#include "arch/x86_64/paging_tables.h"
#include "mm/hotplug.h"
#include "mm/memblock.h"
#include "mm/page.h"
#include "tests/host/sim/expect_panic.h"
#include "tests/host/sim/sim.h"

#define BOOT_RAM (16ull << 20)
#define KIB4     (1ull << 12)
#define MIB2     (1ull << 21)
#define MIB128   (1ull << 27)
#define GIB1     (1ull << 30)

enum pages { SMALL, LARGE, WITH_1G_PAGES, NR_PAGES };

#define RESERVE 520 /* for the descriptors of 256 GiB where only small pages fit */

static struct {
	phys_addr_t frames[RESERVE];
	unsigned int nr;      /* that are in the reserve */
	unsigned int allowed; /* how many more it gives */
	unsigned int taken;   /* how many are out */
} reserve;

static uint64_t flushed; /* what the tables were at the last flush */

/*
 * Returns a number that all entries of the table go into, and those of the tables below it; of the
 * tables that all holes share only the addresses, which differ from others' by their rights.
 */
static uint64_t sum_of(phys_addr_t table, unsigned int level)
{
	const uint64_t *entries = phys_to_virt(table);
	uint64_t sum = level;

	for (unsigned int i = 0; i < PTE_ENTRIES; i++) {
		uint64_t entry = entries[i];

		sum = (sum ^ entry) * 0x9e3779b97f4a7c15ull + (sum >> 29);
		if (level && entry & PTE_PRESENT && !(entry & PTE_PS) && entry & PTE_WRITE)
			sum += sum_of(entry & PTE_ADDRESS, level - 1);
	}
	return sum;
}

static uint64_t sum_of_tables(void)
{
	return sum_of(paging.root, PTE_LEVELS - 1);
}

phys_addr_t __wrap_hotplug_take_frames(unsigned int nr);
void __wrap_hotplug_return_frames(phys_addr_t phys, unsigned int nr);
void __wrap_port_flush_memory(const struct port_memory *m);

phys_addr_t __wrap_hotplug_take_frames(unsigned int nr)
{
	phys_addr_t frame;

	assert_int_equal(nr, 1);
	if (!reserve.allowed || !reserve.nr)
		return 0;
	reserve.allowed--;
	reserve.taken++;
	frame = reserve.frames[--reserve.nr];
	memset(phys_to_virt(frame), 0xa5, PAGE_SIZE);
	return frame;
}

void __wrap_hotplug_return_frames(phys_addr_t phys, unsigned int nr)
{
	assert_int_equal(nr, 1);
	assert_int_equal(flushed, sum_of_tables());
	assert_true(reserve.taken && reserve.nr < RESERVE);
	reserve.taken--;
	reserve.frames[reserve.nr++] = phys;
	memset(phys_to_virt(phys), 0xa5, PAGE_SIZE);
}

void __wrap_port_flush_memory(const struct port_memory *m)
{
	(void)m;
	flushed = sum_of_tables();
}

/* Boots a machine up to mem_map_init(). RAM holds garbage, so that an unwritten entry is noticed.
 */
static void start(enum pages pages)
{
	struct paging_config config = { .nx = true,
					.pdpe1gb = pages == WITH_1G_PAGES,
					.small_direct_map = pages == SMALL };

	sim_reset();
	sim_map_ram(BOOT_RAM);
	memset(phys_to_virt(0), 0xa5, BOOT_RAM);
	memblock_add(0, BOOT_RAM);
	memblock_reserve(0, PAGE_SIZE);
	paging_init(&config);
	paging_direct_map();
	mem_map_init();
	for (reserve.nr = 0; reserve.nr < RESERVE; reserve.nr++)
		reserve.frames[reserve.nr] = memblock_phys_alloc(PAGE_SIZE, PAGE_SIZE);
	reserve.allowed = RESERVE;
	reserve.taken = 0;
}

static uint64_t random_below(uint64_t limit)
{
	return ((uint64_t)rand() << 31 ^ (uint64_t)rand()) % limit;
}

static uint64_t descriptor_bytes(const struct port_memory *m)
{
	return m->size / PAGE_SIZE * sizeof(struct page);
}

static uintptr_t window_of(const struct port_memory *m)
{
	return (uintptr_t)pfn_to_page(PHYS_PFN(m->base));
}

/*
 * Returns the range with its metadata at its end. If it has room, the descriptors lie `off` bytes
 * further than where they can have large pages.
 */
static struct port_memory memory(phys_addr_t base, uint64_t size, uint64_t off)
{
	struct port_memory m = { .base = base, .size = size };

	m.descriptors = base + size - descriptor_bytes(&m);
	if (size >= MIB128)
		m.descriptors -= ((m.descriptors - window_of(&m)) & (MIB2 - 1)) + off;
	m.tables = m.descriptors - port_tables_of(base, size) * PAGE_SIZE;
	assert_true(m.tables >= base);
	return m;
}

/*
 * Returns the size of the page that must show the byte at offset of [virt, virt + size): the
 * largest that fits, at most `largest`, if it is congruent to phys.
 */
static uint64_t page_size_at(uintptr_t virt, phys_addr_t phys, uint64_t size, uint64_t offset,
			     uint64_t largest)
{
	for (uint64_t page = largest; page > KIB4; page /= PTE_ENTRIES) {
		uintptr_t first = (virt + offset) & ~(page - 1);

		if (first >= virt && first + page <= virt + size && !((virt ^ phys) & (page - 1)))
			return page;
	}
	return KIB4;
}

static void check_at(uintptr_t virt, phys_addr_t phys, uint64_t size, uint64_t offset,
		     uint64_t largest)
{
	struct paging_leaf leaf;

	assert_true(paging_walk(virt + offset, &leaf));
	assert_int_equal(leaf.phys, phys + offset);
	assert_int_equal(leaf.size, page_size_at(virt, phys, size, offset, largest));
	assert_int_equal(leaf.entry & (PTE_WRITE | PTE_NX), PTE_WRITE | PTE_NX);
}

static void check_all(uintptr_t virt, phys_addr_t phys, uint64_t size, uint64_t largest)
{
	check_at(virt, phys, size, 0, largest);
	check_at(virt, phys, size, size - 1, largest);
	for (unsigned int i = 0; i < 50; i++)
		check_at(virt, phys, size, random_below(size), largest);
}

/* Returns whether the host lets the program read, or write, the byte at address. */
static bool may_access(uintptr_t address, bool write_it)
{
	int ends[2];
	bool may;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "", 1), 1);
	may = write_it ? read(ends[0], (void *)address, 1) == 1
		       : write(ends[1], (void *)address, 1) == 1;
	close(ends[0]);
	close(ends[1]);
	return may;
}

static void check_present(const struct port_memory *m)
{
	uint64_t largest = paging.config.pdpe1gb ? GIB1 : MIB2;
	uintptr_t virt = (uintptr_t)phys_to_virt(m->base);

	check_all(virt, m->base, m->size, paging.config.small_direct_map ? KIB4 : largest);
	check_all(window_of(m), m->descriptors, descriptor_bytes(m), MIB2);
	assert_true(may_access(virt, true) && may_access(virt + m->size - 1, true));
	assert_true(may_access(window_of(m), true));
	assert_true(may_access(window_of(m) + descriptor_bytes(m) - 1, true));
}

/* Checks that a byte of the direct map is not mapped, nor its descriptor backed. */
static void check_hole_at(phys_addr_t phys)
{
	uintptr_t window = (uintptr_t)pfn_to_page(PHYS_PFN(phys));
	struct paging_leaf leaf;

	assert_false(paging_walk((uintptr_t)phys_to_virt(phys), &leaf));
	assert_true(paging_walk(window, &leaf));
	assert_int_equal(leaf.phys & ~(PAGE_SIZE - 1), paging.zero_page);
	assert_false(leaf.entry & PTE_WRITE);
	assert_false(may_access((uintptr_t)phys_to_virt(phys), false));
	assert_true(may_access(window, false));
	assert_false(may_access(window, true));
	assert_int_equal(pfn_to_page(PHYS_PFN(phys))->state, 0);
}

static void check_absent(const struct port_memory *m)
{
	check_hole_at(m->base);
	check_hole_at(m->base + m->size - 1);
	for (unsigned int i = 0; i < 20; i++)
		check_hole_at(m->base + random_below(m->size));
}

/* Checks that what all holes share is as it was made. */
static void check_zeros(void)
{
	const char *zeros = phys_to_virt(paging.zero_page);

	for (unsigned int level = 0; level < 2; level++) {
		const uint64_t *entries = phys_to_virt(paging.zero_table[level]);

		for (unsigned int i = 0; i < PTE_ENTRIES; i++)
			assert_int_equal(entries[i], zero_entry(level));
	}
	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		assert_int_equal(zeros[i], 0);
}

/* Adds memory as add_memory() does. */
static int map(const struct port_memory *m)
{
	assert_true(port_probe_memory(m->base, m->size));
	return port_map_memory(m);
}

/* Removes memory. Every other time nothing of it can be read any more, as after a surprise. */
static void unmap(const struct port_memory *m)
{
	static bool surprise;

	surprise = !surprise;
	if (surprise)
		assert_int_equal(mprotect(phys_to_virt(m->base), m->size, PROT_NONE), 0);
	port_unmap_memory(m);
	assert_int_equal(flushed, sum_of_tables());
	check_absent(m);
}

/* Ranges of every kind: whole and part GiBs, and across each border that a table ends at. */
static const struct range {
	phys_addr_t base;
	uint64_t size;
} ranges[] = {
	{ BOOT_RAM, MIB2 },
	{ BOOT_RAM, MIB128 },
	{ 4 * GIB1, GIB1 },
	{ 4 * GIB1, 4 * GIB1 },
	{ 4 * GIB1 + MIB128, MIB128 },
	{ 4 * GIB1 + 7 * MIB128, 2 * MIB128 },
	{ 4 * GIB1 + 3 * MIB128, GIB1 },
	{ 5 * GIB1 - MIB2, MIB2 },
	{ 5 * GIB1 - MIB2, 2 * MIB2 },
	{ 5 * GIB1 - MIB2, 3 * GIB1 },
	{ 255 * GIB1 + MIB2, 3 * GIB1 },
	{ 256 * GIB1 - MIB2, 2 * MIB2 },
	{ 511 * GIB1, 2 * GIB1 },
	{ 511 * GIB1 + 3 * MIB2, GIB1 },
	{ 512 * GIB1, MIB128 },
};

/* Those for which a direct map of small pages has too many tables. */
static const struct range huge_ranges[] = {
	{ 256 * GIB1, 256 * GIB1 },
	{ 250 * GIB1 + MIB2, 270 * GIB1 },
	{ 512 * GIB1, 512 * GIB1 },
	{ 511 * GIB1 - MIB2, 514 * GIB1 },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void try_range(const struct range *range, uint64_t off)
{
	struct port_memory m = memory(range->base, range->size, off);
	uint64_t own = port_tables_of(m.base, m.size), sum = sum_of_tables();
	uint64_t bytes = paging_table_bytes();
	const uint64_t *tables = phys_to_virt(m.tables);
	unsigned int taken;

	assert_int_equal(map(&m), 0);
	check_present(&m);
	taken = reserve.taken;
	assert_true(off || taken <= 8);
	assert_int_equal(paging_table_bytes(), bytes + (own + taken) * PAGE_SIZE);
	/* Just so many frames are written. */
	assert_true(!own || tables[own * PTE_ENTRIES - 1]);
	assert_int_equal(tables[own * PTE_ENTRIES], 0);
	unmap(&m);
	assert_int_equal(sum_of_tables(), sum);
	assert_int_equal(paging_table_bytes(), bytes);
	assert_int_equal(reserve.taken, 0);

	/* Every step of the reserve fails, and then none. */
	for (unsigned int allowed = 0; allowed <= taken; allowed++) {
		reserve.allowed = allowed;
		assert_int_equal(map(&m), allowed < taken ? -ENOMEM : 0);
		if (allowed == taken)
			unmap(&m);
		check_absent(&m);
		assert_int_equal(flushed, sum_of_tables());
		assert_int_equal(sum_of_tables(), sum);
		assert_int_equal(paging_table_bytes(), bytes);
		assert_int_equal(reserve.taken, 0);
	}
	reserve.allowed = RESERVE;
	check_zeros();
}

static void ranges_come_and_go(void **state)
{
	(void)state;
	for (unsigned int pages = 0; pages < NR_PAGES; pages++) {
		start(pages);
		for (unsigned int i = 0; i < COUNT(ranges); i++)
			try_range(&ranges[i], 0);
		for (unsigned int i = 0; pages != SMALL && i < COUNT(huge_ranges); i++)
			try_range(&huge_ranges[i], 0);
	}
}

/* Then a table of the reserve is needed for each 512 MiB, and the flushes take several rounds. */
static void descriptors_may_lie_anywhere(void **state)
{
	static const struct range odd[] = {
		{ 4 * GIB1, GIB1 },
		{ 5 * GIB1 - MIB2, 2 * GIB1 },
		{ 250 * GIB1, 10 * GIB1 },
	};
	struct port_memory m;
	uint64_t bytes;

	(void)state;
	start(WITH_1G_PAGES);
	bytes = paging_table_bytes();
	for (unsigned int i = 0; i < COUNT(odd); i++)
		try_range(&odd[i], 5 * KIB4);
	m = memory(256 * GIB1, 256 * GIB1, 5 * KIB4);
	assert_int_equal(map(&m), 0);
	check_present(&m);
	/* The frame for an own page directory remained unused. */
	assert_int_equal(reserve.taken, 1 + 512);
	assert_int_equal(paging_table_bytes(), bytes + reserve.taken * PAGE_SIZE);
	unmap(&m);
	assert_int_equal(reserve.taken, 0);
	assert_int_equal(paging_table_bytes(), bytes);
}

/* Added memory may hold shared tables of other added memory, which lies right below it. */
static void a_shared_table_lies_right_above(void **state)
{
	(void)state;
	for (unsigned int taken_before = 0; taken_before < 3; taken_before++) {
		struct port_memory above, m;
		uint64_t sum;

		start(WITH_1G_PAGES);
		above = memory(5 * GIB1, MIB128, 0);
		assert_int_equal(map(&above), 0);
		reserve.frames[reserve.nr - 1 - taken_before] = above.base;
		reserve.taken = 0;
		sum = sum_of_tables();
		m = memory(4 * GIB1, GIB1, 5 * KIB4);
		assert_int_equal(map(&m), 0);
		assert_true(reserve.taken >= 2);
		unmap(&m);
		assert_int_equal(reserve.taken, 0);
		assert_int_equal(sum_of_tables(), sum);
	}
}

/* Tables that map nothing but a range are counted by hand. */
static void own_tables_are_counted(void **state)
{
	static const uint64_t small =
	    GIB1 / MIB2 + 1; /* page tables of a GiB, and above them one */

	(void)state;
	start(WITH_1G_PAGES);
	assert_int_equal(port_tables_of(4 * GIB1, GIB1), 0);
	assert_int_equal(port_tables_of(256 * GIB1, 256 * GIB1), 1);
	assert_int_equal(port_tables_of(256 * GIB1 - MIB2, 256 * GIB1), 0);
	assert_int_equal(port_tables_of(512 * GIB1, 512 * GIB1), 1 + 2);
	start(LARGE);
	assert_int_equal(port_tables_of(4 * GIB1, GIB1), 1);
	assert_int_equal(port_tables_of(4 * GIB1, MIB128), 0);
	assert_int_equal(port_tables_of(4 * GIB1 + MIB2, 2 * GIB1), 1);
	assert_int_equal(port_tables_of(256 * GIB1, 256 * GIB1), 256 + 1);
	assert_int_equal(port_tables_of(512 * GIB1, 512 * GIB1), 1 + 512 + 2);
	start(SMALL);
	assert_int_equal(port_tables_of(4 * GIB1, GIB1), small);
	assert_int_equal(port_tables_of(4 * GIB1, MIB2), 1);
	assert_int_equal(port_tables_of(4 * GIB1 + MIB2, 2 * GIB1), 2 * (small - 1) + 1);
}

/* Eight DIMMs share a GiB, and leave in either order. */
static void neighbours_share_tables(void **state)
{
	enum { DIMMS = 8 };

	(void)state;
	for (unsigned int round = 0; round < 2 * NR_PAGES; round++) {
		struct port_memory m[DIMMS];
		uint64_t sum, bytes;
		unsigned int taken = 0;

		start(round / 2);
		sum = sum_of_tables();
		bytes = paging_table_bytes();
		for (unsigned int i = 0; i < DIMMS; i++) {
			m[i] = memory(4 * GIB1 + i * MIB128, MIB128, 0);
			assert_int_equal(map(&m[i]), 0);
			/* One for the GiB, and one for the descriptors of each 512 MiB. */
			taken += (i == 0 ? 1u : 0) + (i % 4 == 0 ? 1u : 0);
			assert_int_equal(reserve.taken, taken);
		}
		for (unsigned int i = 0; i < DIMMS; i++)
			check_present(&m[i]);
		for (unsigned int i = 0; i < DIMMS; i++) {
			unsigned int leaving = round % 2 ? DIMMS - 1 - i : i;

			unmap(&m[leaving]);
			for (unsigned int j = 0; j < DIMMS; j++)
				if (round % 2 ? j < leaving : j > leaving)
					check_present(&m[j]);
			taken -= (i == DIMMS - 1 ? 1u : 0) + (i % 4 == 3 ? 1u : 0);
			assert_int_equal(reserve.taken, taken);
		}
		assert_int_equal(sum_of_tables(), sum);
		assert_int_equal(paging_table_bytes(), bytes);
		check_zeros();
	}
}

static bool overlaps(const struct port_memory *a, phys_addr_t base, uint64_t size)
{
	return a->size && base < a->base + a->size && a->base < base + size;
}

/* Ranges of random sizes come and go around two borders of tables; the reserve is short at times.
 */
static void random_ranges(enum pages pages, phys_addr_t border)
{
	enum { SLOTS = 12 };
	static const uint64_t units[] = { MIB2, 5 * MIB2, MIB128, GIB1 };
	struct port_memory m[SLOTS] = { 0 };
	uint64_t sum, bytes;

	start(pages);
	sum = sum_of_tables();
	bytes = paging_table_bytes();
	for (unsigned int step = 0; step < 400; step++) {
		unsigned int slot = (unsigned int)random_below(SLOTS);
		uint64_t unit = units[random_below(pages == SMALL ? 3 : 4)];
		uint64_t size = unit * (1 + random_below(4));
		phys_addr_t base = border - 4 * GIB1 + random_below(8 * GIB1 / unit) * unit;
		bool there = false;
		uint64_t before = sum_of_tables();

		if (m[slot].size) {
			check_present(&m[slot]);
			unmap(&m[slot]);
			m[slot].size = 0;
			continue;
		}
		for (unsigned int i = 0; i < SLOTS; i++)
			there |= overlaps(&m[i], base, size);
		if (there)
			continue;
		m[slot] = memory(base, size, 0);
		reserve.allowed = (unsigned int)random_below(8);
		if (map(&m[slot])) {
			assert_int_equal(sum_of_tables(), before);
			m[slot].size = 0;
		}
	}
	for (unsigned int i = 0; i < SLOTS; i++)
		if (m[i].size) {
			check_present(&m[i]);
			unmap(&m[i]);
		}
	assert_int_equal(sum_of_tables(), sum);
	assert_int_equal(paging_table_bytes(), bytes);
	assert_int_equal(reserve.taken, 0);
	check_zeros();
}

static void any_order_will_do(void **state)
{
	(void)state;
	for (unsigned int pages = 0; pages < NR_PAGES; pages++) {
		random_ranges(pages, 256 * GIB1);
		random_ranges(pages, 512 * GIB1);
	}
}

static void refuse_twice(enum pages pages)
{
	struct port_memory m;

	start(pages);
	m = memory(BOOT_RAM - 2 * MIB2, MIB2, 0);
	EXPECT_PANIC(port_map_memory(&m), "entries from 0x110000c00000 on is in use already");
	m = memory(4 * GIB1, GIB1, 0);
	assert_int_equal(map(&m), 0);
	EXPECT_PANIC(port_map_memory(&m), "entries from 0x110100000000 on is in use already");
}

/* What is mapped, by the boot or as added memory, is refused. */
static void nothing_is_mapped_twice(void **state)
{
	struct port_memory m;

	(void)state;
	for (unsigned int pages = 0; pages < NR_PAGES; pages++)
		refuse_twice(pages);

	/* One of several, the last. */
	start(LARGE);
	m = memory(4 * GIB1 + 3 * MIB2, MIB2, 0);
	assert_int_equal(map(&m), 0);
	m = memory(4 * GIB1, 4 * MIB2, 0);
	EXPECT_PANIC(map(&m), "page tables: one of the 4 entries from 0x110100000000 "
			      "on is in use already");
	/* A part of a large page. */
	start(WITH_1G_PAGES);
	m = memory(4 * GIB1, GIB1, 0);
	assert_int_equal(map(&m), 0);
	m = memory(4 * GIB1 + MIB2, MIB2, 0);
	EXPECT_PANIC(port_map_memory(&m), "page tables: a table is needed where a page is mapped, "
					  "entry 0x80000001000001e3");
}

/* An entry that is neither vacant nor leads to a table. */
static void a_damaged_entry_is_refused(void **state)
{
	const struct port_memory m = memory(4 * GIB1, MIB2, 0);
	uintptr_t virt = (uintptr_t)phys_to_virt(m.base);
	uint64_t top;

	(void)state;
	start(LARGE);
	top = *entry_at(paging.root, 3, virt);
	*entry_at(top & PTE_ADDRESS, 2, virt) = 0x1000;
	EXPECT_PANIC(map(&m),
		     "page tables: a table is needed where a page is mapped, entry 0x1000");
}

static void refuse_halves(struct port_memory m, const char *words)
{
	uint64_t sum = sum_of_tables();

	EXPECT_PANIC(paging_map_memory(&m), words);
	assert_int_equal(sum_of_tables(), sum);
}

static void halves_are_refused(void **state)
{
	const char *whole =
	    "page tables: added memory [0x100000000, +0x8000000) is not whole blocks";
	struct port_memory m;

	(void)state;
	start(LARGE);
	assert_true(port_probe_memory(4 * GIB1, GIB1));
	m = memory(4 * GIB1, MIB128, 0);
	m.base += MIB2 / 2;
	refuse_halves(m, "page tables: added memory [0x100100000, +0x8000000) is not whole blocks");
	m = memory(4 * GIB1, MIB128, 0);
	m.base += 1;
	refuse_halves(m, "page tables: added memory [0x100000001, +0x8000000) is not whole blocks");
	m = memory(4 * GIB1, MIB128, 0);
	m.size -= MIB2 / 2;
	refuse_halves(m, "page tables: added memory [0x100000000, +0x7f00000) is not whole blocks");
	m.size = 0;
	refuse_halves(m, "page tables: added memory [0x100000000, +0x0) is not whole blocks");
	m = memory(4 * GIB1, MIB128, 0);
	m.descriptors += 16;
	refuse_halves(m, whole);
	m = memory(4 * GIB1, MIB128, 0);
	m.tables += PAGE_SIZE / 2;
	refuse_halves(m, whole);
	m = memory(4 * GIB1, MIB128, 0);
	m.tables += 1;
	refuse_halves(m, whole);
}

/* The machine finds RAM where there is some, and leaves nothing mapped either way. */
static void probes_leave_nothing_mapped(void **state)
{
	struct paging_leaf leaf;

	(void)state;
	start(LARGE);
	assert_true(port_probe_memory(4 * GIB1, GIB1));
	assert_false(may_access((uintptr_t)phys_to_virt(4 * GIB1), false));
	assert_false(paging_walk((uintptr_t)phys_to_virt(4 * GIB1), &leaf));
	sim_no_ram_below = 4 * GIB1 + 1;
	assert_false(port_probe_memory(4 * GIB1, GIB1));
	assert_false(may_access((uintptr_t)phys_to_virt(4 * GIB1), false));
	assert_false(port_probe_memory(SIM_RAM_SIZE, GIB1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_come_and_go),
		cmocka_unit_test(descriptors_may_lie_anywhere),
		cmocka_unit_test(a_shared_table_lies_right_above),
		cmocka_unit_test(own_tables_are_counted),
		cmocka_unit_test(neighbours_share_tables),
		cmocka_unit_test(any_order_will_do),
		cmocka_unit_test(nothing_is_mapped_twice),
		cmocka_unit_test(a_damaged_entry_is_refused),
		cmocka_unit_test(halves_are_refused),
		cmocka_unit_test(probes_leave_nothing_mapped),
	};

	srand(15);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("paging_hotplug", tests, NULL, NULL);
}
