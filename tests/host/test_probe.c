/*
 * test_probe.c: tests kernel/memory/probe.c on machines whose RAM is not where their map says, and
 * arch/x86_64/probe_added.c on machines whose added RAM is not where it should be.
 *
 * The simulated machine has a list of stretches of RAM, and a rule for what a read returns where
 * there is none. Its words are cells, which exist once they are written. The map is memblock's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/early_access.h"
#include "arch/x86_64/frame_access.h"
#include "arch/x86_64/probe_added.h"
#include "kernel/memory/probe.h"
#include "mm/memblock.h"
#include "tests/host/sim/expect_panic.h"
#include "tests/host/sim/sim.h"

#define MIB         (1ull << 20)
#define GIB         (1ull << 30)

#define MAX_CELLS   65536 /* a power of two */
#define MAX_STRETCH 40
#define ODD         0x9e3779b97f4a7c15ull

struct machine {
	struct {
		phys_addr_t base, end;
	} ram[MAX_STRETCH];
	unsigned int nr_ram;
	phys_addr_t wrap;     /* the address decoder takes addresses modulo this; 0: it does not */
	phys_addr_t wrap_end; /* but only those below this; 0: all */
	uint64_t rom;         /* what a read returns where there is no RAM … */
	bool floating;        /* … unless it returns what was last on the bus */
	phys_addr_t bad;      /* RAM, … */
	uint64_t bad_bytes;   /* a frame of it or more, in which … */
	uint64_t stuck_high;  /* … these bits always read as 1 … */
	uint64_t stuck_low;   /* … and these as 0 */
	uint64_t bus;         /* the last value on the bus */
	unsigned long accesses;
	bool ended; /* early_access_end() was called */
	bool added; /* RAM is being added, which memblock does not know yet */
	struct {
		phys_addr_t phys; /* plus 1; 0: the entry is empty */
		uint64_t value;
	} cells[MAX_CELLS]; /* a hash table */
};
static struct machine *machine;

static char said[8192];

static uint64_t *cell_of(phys_addr_t phys)
{
	size_t i = phys * ODD >> 48;

	while (machine->cells[i].phys && machine->cells[i].phys != phys + 1)
		i = (i + 1) % MAX_CELLS;
	machine->cells[i].phys = phys + 1;
	return &machine->cells[i].value;
}

/* Returns the cell at an address, or NULL where there is no RAM. */
static uint64_t *decode(phys_addr_t phys)
{
	machine->accesses++;
	assert_false(machine->ended);
	assert_true(phys % 8 == 0);
	/* The probe must keep to the map's RAM, and away from memory that is in use. */
	assert_true(machine->added != memblock_is_region_memory(phys, 8));
	assert_false(memblock_is_region_reserved(phys, 8));
	if (machine->wrap && (!machine->wrap_end || phys < machine->wrap_end))
		phys %= machine->wrap;
	for (unsigned int i = 0; i < machine->nr_ram; i++)
		if (phys >= machine->ram[i].base && phys < machine->ram[i].end)
			return cell_of(phys);
	return NULL;
}

void early_write(phys_addr_t phys, uint64_t value)
{
	uint64_t *cell = decode(phys);

	machine->bus = value;
	if (cell && phys - machine->bad < machine->bad_bytes)
		value = (value | machine->stuck_high) & ~machine->stuck_low;
	if (cell)
		*cell = value;
}

uint64_t early_read(phys_addr_t phys)
{
	const uint64_t *cell = decode(phys);

	if (cell)
		machine->bus = *cell;
	else if (!machine->floating)
		return machine->rom;
	return machine->bus;
}

void early_access_end(void)
{
	machine->ended = true;
}

/* The same machine by the other way to its memory. */

void __wrap_frame_write(phys_addr_t phys, uint64_t value);
uint64_t __wrap_frame_read(phys_addr_t phys);

void __wrap_frame_write(phys_addr_t phys, uint64_t value)
{
	early_write(phys, value);
}

uint64_t __wrap_frame_read(phys_addr_t phys)
{
	return early_read(phys);
}

static void new_machine(void)
{
	free(machine);
	machine = calloc(1, sizeof(*machine));
	machine->rom = ~0ull;
	machine->bad = PHYS_ADDR_MAX;
	machine->bad_bytes = PAGE_SIZE;
	sim_reset();
	memblock_reserve(0, 64 << 10);
	memblock_reserve(2 * MIB, MIB);
}

static void ram(phys_addr_t base, phys_addr_t end)
{
	machine->ram[machine->nr_ram].base = base;
	machine->ram[machine->nr_ram++].end = end;
}

static void probe(void)
{
	FILE *log = fmemopen(said, sizeof(said), "w");

	assert_non_null(log);
	said[0] = '\0';
	sim_log = log;
	probe_memory();
	sim_log = NULL;
	fclose(log);
	assert_true(machine->ended);
	assert_null(memblock_check());
}

struct borders {
	phys_addr_t base, end;
};

/* Demands that memblock.memory has these ranges and no others. */
static void expect(unsigned int nr, const struct borders *ranges)
{
	assert_int_equal(memblock.memory.cnt, nr);
	for (unsigned int i = 0; i < nr; i++) {
		const struct memblock_region *r = &memblock.memory.regions[i];

		assert_int_equal(r->base, ranges[i].base);
		assert_int_equal(r->base + r->size, ranges[i].end);
	}
}

#define EXPECT(...)                                                 \
	do {                                                        \
		const struct borders ranges[] = { __VA_ARGS__ };    \
		expect(sizeof(ranges) / sizeof(ranges[0]), ranges); \
	} while (0)

static void an_honest_map_keeps_all(void **state)
{
	(void)state;
	new_machine();
	ram(0, 3 * GIB);
	ram(4 * GIB, 9 * GIB);
	memblock_add(0, 0x9f000);
	memblock_add(MIB, 3 * GIB - MIB);
	memblock_add(4 * GIB, 5 * GIB);
	probe();
	EXPECT({ 0, 0x9f000 }, { MIB, 3 * GIB }, { 4 * GIB, 9 * GIB });
	assert_string_equal(said, "");
}

/* A read beyond the end may return ones, zeros, a ROM's words, or what was last on the bus. */
static void the_end_is_missing_to_the_frame(void **state)
{
	static const uint64_t roms[] = { ~0ull, 0, 0x55aa55aa12345678 };

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		new_machine();
		machine->floating = i == 3;
		machine->rom = roms[i % 3];
		ram(0, 128 * MIB + 3 * PAGE_SIZE);
		memblock_add(MIB, 511 * MIB);
		probe();
		EXPECT({ MIB, 128 * MIB + 3 * PAGE_SIZE });
		assert_string_equal(said,
				    "RAM [mem 0x0000000008003000-0x000000001fffffff]: usable by "
				    "the map, but not there: left out\n");
	}
}

static void a_hole_is_cut_out_to_the_frame(void **state)
{
	(void)state;
	new_machine();
	ram(0, 3 * GIB - 5 * PAGE_SIZE);
	ram(5 * GIB + 7 * PAGE_SIZE, 8 * GIB);
	memblock_add(0, 8 * GIB);
	probe();
	EXPECT({ 0, 3 * GIB - 5 * PAGE_SIZE }, { 5 * GIB + 7 * PAGE_SIZE, 8 * GIB });
}

static void several_holes_of_one_range(void **state)
{
	(void)state;
	new_machine();
	ram(0, GIB);
	ram(2 * GIB, 3 * GIB);
	ram(4 * GIB, 4 * GIB + 300 * MIB);
	memblock_add(0, 6 * GIB);
	probe();
	EXPECT({ 0, GIB }, { 2 * GIB, 3 * GIB }, { 4 * GIB, 4 * GIB + 300 * MIB });
}

static void the_borders_of_a_range_are_looked_at(void **state)
{
	(void)state;
	new_machine();
	ram(0, GIB);
	ram(GIB + 2 * PAGE_SIZE, 2 * GIB - PAGE_SIZE);
	memblock_add(0, GIB - MIB);
	memblock_add(GIB, GIB);
	probe();
	EXPECT({ 0, GIB - MIB }, { GIB + 2 * PAGE_SIZE, 2 * GIB - PAGE_SIZE });
}

static void a_whole_range_is_missing(void **state)
{
	(void)state;
	new_machine();
	ram(0, GIB);
	memblock_add(0, GIB);
	memblock_add(4 * GIB, 60 * GIB);
	memblock_add(100 * GIB, PAGE_SIZE);
	probe();
	EXPECT({ 0, GIB });
}

/* The address decoder ignores upper bits, so that RAM repeats: only the lowest copy is kept. */
static void ram_that_wraps_counts_once(void **state)
{
	static const uint64_t sizes[] = { 16 * MIB, 128 * MIB, 256 * MIB, GIB, 4 * GIB };

	(void)state;
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		new_machine();
		ram(0, sizes[i]);
		machine->wrap = sizes[i];
		memblock_add(0, 16 * GIB + 12 * PAGE_SIZE);
		probe();
		EXPECT({ 0, sizes[i] });
		assert_non_null(strstr(said, "second address"));
	}
}

static void a_range_that_repeats_another_goes(void **state)
{
	(void)state;
	new_machine();
	ram(0, 4 * GIB);
	machine->wrap = 4 * GIB;
	memblock_add(MIB, 2 * GIB);
	memblock_add(4 * GIB, 2 * GIB + 33 * PAGE_SIZE);
	probe();
	EXPECT({ MIB, 2 * GIB + MIB });
}

/* Its first frame lies on the grid, but is a second address too. */
static void a_range_that_repeats_another_goes_with_its_first_frame(void **state)
{
	(void)state;
	new_machine();
	ram(0, 4 * GIB);
	machine->wrap = 4 * GIB;
	memblock_add(MIB, 2 * GIB);
	memblock_add(5 * GIB - PAGE_SIZE, GIB);
	probe();
	EXPECT({ MIB, 2 * GIB + MIB });
}

/* Behind it, memory with cells of its own is kept from the first point on that proves them. */
static void what_follows_repeated_memory_is_kept(void **state)
{
	(void)state;
	new_machine();
	ram(0, GIB);
	ram(5 * GIB, 6 * GIB);
	machine->wrap = 4 * GIB;
	machine->wrap_end = 5 * GIB;
	memblock_add(0, GIB);
	memblock_add(4 * GIB, 2 * GIB);
	probe();
	EXPECT({ 0, GIB }, { 5 * GIB + 256 * MIB - PAGE_SIZE, 6 * GIB });
	assert_non_null(strstr(said, "second address"));
}

static void address_0_is_probed_like_any_other(void **state)
{
	(void)state;
	new_machine();
	memblock_phys_free(0, 64 << 10);
	ram(PAGE_SIZE, MIB);
	memblock_add(0, MIB);
	probe();
	EXPECT({ PAGE_SIZE, MIB });
	new_machine();
	memblock_phys_free(0, 64 << 10);
	memblock_add(0, PAGE_SIZE);
	probe();
	expect(0, NULL);
}

static void a_stuck_bit_shows_in_one_of_two_rounds(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit < 128; bit++) {
		new_machine();
		ram(0, GIB);
		machine->bad = 512 * MIB - PAGE_SIZE;
		*(bit < 64 ? &machine->stuck_high : &machine->stuck_low) = 1ull << bit % 64;
		memblock_add(0, GIB);
		probe();
		EXPECT({ 0, 512 * MIB - PAGE_SIZE }, { 512 * MIB, GIB });
	}
}

/* Of a range with a stuck bit each frame keeps one value in two. It is left out to the frame only
   if each is also asked for the complement. */
static void a_range_with_a_stuck_bit_is_left_out_to_the_frame(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit < 128; bit++) {
		new_machine();
		ram(0, GIB);
		machine->bad = 512 * MIB - 77 * PAGE_SIZE;
		machine->bad_bytes = 177 * PAGE_SIZE;
		*(bit < 64 ? &machine->stuck_high : &machine->stuck_low) = 1ull << bit % 64;
		memblock_add(0, GIB);
		probe();
		EXPECT({ 0, 512 * MIB - 77 * PAGE_SIZE }, { 512 * MIB + 100 * PAGE_SIZE, GIB });
	}
}

/* The first frame of a range has no frame below it that the search could begin at. */
static void the_first_frame_of_a_range_is_bad(void **state)
{
	static const phys_addr_t firsts[] = { 64 << 10, 3 * MIB, 4 * GIB, 6 * GIB - 16 * MIB };

	(void)state;
	for (unsigned int i = 0; i < 4 * 128; i++) {
		phys_addr_t first = firsts[i % 4];

		new_machine();
		ram(0, GIB);
		ram(4 * GIB, 7 * GIB);
		machine->bad = first;
		*(i / 4 < 64 ? &machine->stuck_high : &machine->stuck_low) = 1ull << i / 4 % 64;
		memblock_add(0, GIB);
		memblock_add(4 * GIB, GIB);
		memblock_add(6 * GIB - 16 * MIB, GIB);
		probe();
		if (i % 4 < 2)
			EXPECT({ 0, first }, { first + PAGE_SIZE, GIB }, { 4 * GIB, 5 * GIB },
			       { 6 * GIB - 16 * MIB, 7 * GIB - 16 * MIB });
		if (i % 4 == 2)
			EXPECT({ 0, GIB }, { first + PAGE_SIZE, 5 * GIB },
			       { 6 * GIB - 16 * MIB, 7 * GIB - 16 * MIB });
		if (i % 4 == 3)
			EXPECT({ 0, GIB }, { 4 * GIB, 5 * GIB },
			       { first + PAGE_SIZE, 7 * GIB - 16 * MIB });
	}
}

/* Each point takes four accesses: one point every 256 MiB, 16 low ones, the ends of two ranges. */
static void a_terabyte_is_4000_points(void **state)
{
	(void)state;
	new_machine();
	ram(0, 1000 * GIB);
	memblock_add(0, 1000 * GIB);
	probe();
	assert_in_range(machine->accesses, 4 * 4000, 4 * (4000 + 16 + 4));
}

static char listed[4096];

static int list(const char *fmt, ...)
{
	size_t used = strlen(listed);
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = vsnprintf(listed + used, sizeof(listed) - used, fmt, ap);
	va_end(ap);
	return length;
}

/* This test runs first: the list of what was left out is never emptied, as in the kernel. */
static void what_was_left_out_is_listed(void **state)
{
	(void)state;
	probe_print(list);
	assert_string_equal(listed, "");
	new_machine();
	for (unsigned int i = 0; i < 17; i++) {
		ram(i * GIB, i * GIB + 512 * MIB);
		memblock_add(i * GIB, i ? GIB : 512 * MIB);
	}
	probe();
	assert_int_equal(memblock.memory.cnt, 17);
	probe_print(list);
	assert_null(strstr(listed, "more"));
	listed[0] = '\0';
	new_machine();
	ram(0, 17 * GIB + 512 * MIB);
	memblock_add(0, 18 * GIB);
	probe();
	probe_print(list);
	assert_non_null(strstr(listed, "not there: [mem 0x0000000060000000-0x000000007fffffff]\n"));
	assert_non_null(strstr(listed, "not there: [mem 0x0000000420000000-0x000000043fffffff]\n"));
	assert_null(strstr(listed, "0x0000000460000000"));
	assert_non_null(strstr(listed, "not there: and 1 more\n"));
}

static void no_free_memory_is_nothing_to_do(void **state)
{
	(void)state;
	new_machine();
	memblock_add(2 * MIB, MIB);
	probe_memory();
	assert_int_equal(machine->accesses, 0);
	assert_false(machine->ended);
}

/*
 * A bad frame in the middle of a range makes two of it, for which memblock's array must grow. It
 * cannot, as no two frames are left beside each other.
 */
static void no_room_for_what_is_left_is_said(void **state)
{
	const phys_addr_t border = 256 * MIB;

	(void)state;
	new_machine();
	memblock_allow_resize();
	ram(0, GIB);
	machine->bad = border - PAGE_SIZE;
	machine->stuck_high = machine->stuck_low = 1;
	memblock_add(border - 2 * PAGE_SIZE, 3 * PAGE_SIZE);
	for (phys_addr_t base = MIB; memblock.memory.cnt < memblock.memory.max;
	     base += 2 * PAGE_SIZE)
		memblock_add(base, PAGE_SIZE);
	EXPECT_PANIC(probe_memory(), "memblock has no room to remove RAM that is not there");
}

/* Begins with a machine that has RAM at [0, GIB) and more that is about to be added. */
static void new_machine_for_added(void)
{
	new_machine();
	ram(0, GIB);
	memblock_add(0, GIB);
	machine->added = true;
}

static const uint64_t added_sizes[] = { 2 * MIB,   4 * MIB,   128 * MIB,          640 * MIB,
					GIB,       3 * GIB,   16 * GIB + 2 * MIB, 64 * GIB,
					100 * GIB, 1000 * GIB };

#define NR_SIZES (sizeof(added_sizes) / sizeof(added_sizes[0]))

/* A point takes two accesses; there are at least 8 steps and at most 64, whatever the size. */
static void added_memory_takes_few_accesses(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NR_SIZES; i++) {
		new_machine_for_added();
		ram(4 * GIB, 4 * GIB + added_sizes[i]);
		assert_true(probe_added_memory(4 * GIB, added_sizes[i]));
		assert_in_range(machine->accesses, 2 * 9, 2 * 66);
	}
	new_machine_for_added();
	ram(4 * GIB, 20 * GIB);
	assert_true(probe_added_memory(4 * GIB, 16 * GIB));
	assert_int_equal(machine->accesses, 2 * (64 + 1));
}

/* Nothing is there; or all but the first frame, the last frame, or an eighth. */
static void added_memory_that_is_missing_is_refused(void **state)
{
	static const uint64_t roms[] = { ~0ull, 0, 0x55aa55aa12345678 };
	const phys_addr_t base = 4 * GIB + 6 * MIB;

	(void)state;
	for (unsigned int i = 0; i < 4 * NR_SIZES * 4; i++) {
		uint64_t size = added_sizes[i / 4 % NR_SIZES], eighth = size / 8;

		new_machine_for_added();
		machine->floating = i % 4 == 3;
		machine->rom = roms[i % 4 % 3];
		if (i / 4 / NR_SIZES == 1)
			ram(base + PAGE_SIZE, base + size);
		if (i / 4 / NR_SIZES == 2)
			ram(base, base + size - PAGE_SIZE);
		if (i / 4 / NR_SIZES == 3) {
			ram(base, base + 5 * eighth);
			ram(base + 6 * eighth, base + size);
		}
		assert_false(probe_added_memory(base, size));
	}
}

/* Whatever address line is not decoded, if it is one above the step. */
static void added_memory_that_repeats_is_refused(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NR_SIZES; i++)
		for (uint64_t wrap = 256 << 10; wrap < added_sizes[i]; wrap *= 2) {
			if (added_sizes[i] / wrap > 8)
				continue;
			new_machine_for_added();
			ram(0, wrap);
			machine->wrap = wrap;
			assert_false(probe_added_memory(4 * GIB, added_sizes[i]));
		}
}

static void a_stuck_line_of_added_memory_is_noticed(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit < 128; bit++) {
		new_machine_for_added();
		ram(4 * GIB, 4 * GIB + 2 * MIB);
		machine->bad_bytes = 2 * MIB;
		machine->bad = 4 * GIB;
		*(bit < 64 ? &machine->stuck_high : &machine->stuck_low) = 1ull << bit % 64;
		assert_false(probe_added_memory(4 * GIB, 2 * MIB));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_left_out_is_listed),
		cmocka_unit_test(an_honest_map_keeps_all),
		cmocka_unit_test(the_end_is_missing_to_the_frame),
		cmocka_unit_test(a_hole_is_cut_out_to_the_frame),
		cmocka_unit_test(several_holes_of_one_range),
		cmocka_unit_test(the_borders_of_a_range_are_looked_at),
		cmocka_unit_test(a_whole_range_is_missing),
		cmocka_unit_test(ram_that_wraps_counts_once),
		cmocka_unit_test(a_range_that_repeats_another_goes),
		cmocka_unit_test(a_range_that_repeats_another_goes_with_its_first_frame),
		cmocka_unit_test(what_follows_repeated_memory_is_kept),
		cmocka_unit_test(address_0_is_probed_like_any_other),
		cmocka_unit_test(a_stuck_bit_shows_in_one_of_two_rounds),
		cmocka_unit_test(a_range_with_a_stuck_bit_is_left_out_to_the_frame),
		cmocka_unit_test(the_first_frame_of_a_range_is_bad),
		cmocka_unit_test(a_terabyte_is_4000_points),
		cmocka_unit_test(no_free_memory_is_nothing_to_do),
		cmocka_unit_test(no_room_for_what_is_left_is_said),
		cmocka_unit_test(added_memory_takes_few_accesses),
		cmocka_unit_test(added_memory_that_is_missing_is_refused),
		cmocka_unit_test(added_memory_that_repeats_is_refused),
		cmocka_unit_test(a_stuck_line_of_added_memory_is_noticed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
