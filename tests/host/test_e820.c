/*
 * test_e820.c: tests lib/e820.c. All maps of up to three entries on a line of five cells, at three
 * places of the address space, random maps, and the maps of real machines are compared with the
 * oracle (e820_oracle.h).
 *
 *   test_e820 [DIRECTORY]      DIRECTORY holds the *.map files of the machines: tests/e820
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/e820.h"
#include "tests/host/e820_oracle.h"

#define RAM  E820_TYPE_RAM
#define RSVD E820_TYPE_RESERVED

static const char *map_directory = "tests/e820";
static struct e820_map map;
static struct e820_entry raw[E820_MAX_RAW];
static uint32_t nr_raw;

static void entry(uint64_t base, uint64_t size, uint32_t type)
{
	raw[nr_raw++] =
	    (struct e820_entry){ .base = base, .size = size, .type = type, .length = 20 };
}

static void entry_with_attributes(uint64_t base, uint64_t size, uint32_t type, uint32_t attributes)
{
	entry(base, size, type);
	raw[nr_raw - 1].length = 24;
	raw[nr_raw - 1].attributes = attributes;
}

static int setup(void **state)
{
	(void)state;
	nr_raw = 0;
	memset(raw, 0xee, sizeof(raw));
	memset(&map, 0xee, sizeof(map));
	return 0;
}

static void sanitize(void)
{
	e820_sanitize(&map, raw, nr_raw);
}

static void check_against_oracle(void)
{
	const char *bad;

	sanitize();
	bad = e820_oracle(&map, raw, nr_raw);
	if (bad)
		fail_msg("does not hold: %s", bad);
}

/* All maps of up to three entries. */

#define NR_CELLS 5

struct shape {
	uint64_t start, length;
	uint32_t type;
};

static uint32_t make_shapes(struct shape *shapes)
{
	static const uint32_t types[] = { RAM, RSVD, E820_TYPE_ACPI, 9 };
	uint32_t nr = 0;

	shapes[nr++] = (struct shape){ 2, 0, RAM };
	shapes[nr++] = (struct shape){ 3, 0, 9 };
	for (uint64_t start = 0; start < NR_CELLS; start++)
		for (uint64_t length = 1; start + length <= NR_CELLS; length++)
			for (uint32_t t = 0; t < 4; t++)
				shapes[nr++] = (struct shape){ start, length, types[t] };
	return nr;
}

static void all_small_maps(uint64_t origin, uint64_t cell)
{
	struct shape shapes[128];
	uint32_t nr = make_shapes(shapes);
	uint64_t nr_maps = 0;

	/* An index of nr stands for "no entry"; no entry may follow one that is missing. */
	for (uint32_t code = 0; code < (nr + 1) * (nr + 1) * nr; code++) {
		uint32_t index[3] = { code % nr, code / nr % (nr + 1), code / nr / (nr + 1) };

		if (index[1] == nr && index[2] != nr)
			continue;
		nr_raw = 0;
		for (int i = 0; i < 3 && index[i] < nr; i++) {
			const struct shape *s = &shapes[index[i]];

			entry(origin + s->start * cell, s->length * cell, s->type);
		}
		check_against_oracle();
		nr_maps++;
	}
	assert_true(nr_maps > 200000);
}

static void exhaustive_above_1m(void **state)
{
	(void)state;
	all_small_maps(0x200000, 0x1000);
}

/* A cell is one byte, so that a border that is off by one byte is off by a cell. */
static void exhaustive_of_single_bytes(void **state)
{
	(void)state;
	all_small_maps(0x200000, 1);
}

/* The cells' borders are at 384, 576, 768, … KiB: each end of the hole lies inside a cell. */
static void exhaustive_at_the_legacy_hole(void **state)
{
	(void)state;
	all_small_maps(0x60000, 0x30000);
}

/* Three cells lie below 2^64 and two above 0; entries may reach beyond 2^64. */
static void exhaustive_at_the_top(void **state)
{
	(void)state;
	all_small_maps(0 - 3 * 0x1000ull, 0x1000);
}

/* Maps of two entries of every type number, enabled or not, with and without attributes. */
static void exhaustive_attributes_and_types(void **state)
{
	static const uint32_t types[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 20, 0xffffffff };
	uint32_t nr_types = sizeof(types) / sizeof(types[0]);

	(void)state;
	for (uint32_t code = 0; code < nr_types * nr_types * 16 * 3; code++) {
		uint32_t first = types[code % nr_types], second = types[code / nr_types % nr_types];
		uint32_t bits = code / nr_types / nr_types;

		nr_raw = 0;
		entry_with_attributes(0x100000, 0x3000, first, bits & 1);
		raw[0].length = bits & 2 ? 24 : 20;
		entry_with_attributes(0x102000, bits >= 32 ? 0 : 0x3000, second, bits >> 2 & 1);
		raw[1].length = bits & 8 ? 28 : 23;
		if (bits >= 16 && bits < 32)
			entry(0x200000, 0x1000, RAM);
		check_against_oracle();
	}
}

/* Random maps of many entries, which collide often. */
static void random_maps(void **state)
{
	static const uint32_t types[] = {
		RAM, RAM, RAM, RSVD, E820_TYPE_ACPI, E820_TYPE_NVS, 7, 9
	};
	uint64_t seed = 42;

	(void)state;
	for (unsigned int round = 0; round < 3000; round++) {
		uint32_t nr = 1 + round % 24;

		nr_raw = 0;
		for (uint32_t i = 0; i < nr; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			entry((seed >> 20) % 64 * 0x8000, (seed >> 40) % 16 * 0x8000,
			      types[(seed >> 57) % 8]);
		}
		sanitize();
		assert_true(map.nr_ranges <= 2 * nr + 1);
		check_against_oracle();
	}
}

/* Each kind of correction, with its exact range and entry. */

#define assert_correction(index, w, b, s, e)                                         \
	do {                                                                         \
		assert_true((index) < map.nr_corrections);                           \
		assert_string_equal(e820_what_name(map.corrections[index].what), w); \
		assert_true(map.corrections[index].base == (b));                     \
		assert_true(map.corrections[index].size == (s));                     \
		assert_int_equal(map.corrections[index].entry, e);                   \
	} while (0)

#define assert_range(index, b, s, t)                         \
	do {                                                 \
		assert_true((index) < map.nr_ranges);        \
		assert_true(map.ranges[index].base == (b));  \
		assert_true(map.ranges[index].size == (s));  \
		assert_int_equal(map.ranges[index].type, t); \
	} while (0)

static void nothing_to_correct(void **state)
{
	(void)state;
	sanitize();
	assert_true(map.nr_ranges == 0 && map.nr_corrections == 0);
	entry(0, 0x9fc00, RAM);
	entry(0x9fc00, 0x400, RSVD);
	entry(0xf0000, 0x10000, RSVD);
	entry(0x100000, 0x3fef0000, RAM);
	sanitize();
	assert_true(map.nr_ranges == 4 && map.nr_corrections == 0);
}

static void overlap_is_noted_once_a_run(void **state)
{
	(void)state;
	entry(0x100000, 0x100000, RAM);
	entry(0x140000, 0x1000, RSVD);
	entry(0x140000, 0x2000, E820_TYPE_NVS);
	entry(0x110000, 0x40000, RAM);
	sanitize();
	assert_int_equal(map.nr_ranges, 3);
	assert_range(0, 0x100000, 0x40000, RAM);
	assert_range(1, 0x140000, 0x2000, E820_TYPE_NVS);
	assert_range(2, 0x142000, 0xbe000, RAM);
	assert_correction(0, "overlap", 0x140000, 0x1000, 0);
	assert_correction(1, "overlap", 0x140000, 0x1000, 1);
	assert_correction(2, "overlap", 0x141000, 0x1000, 0);
	assert_correction(3, "unsorted", 0x110000, 0x40000, 3);
	assert_correction(4, "duplicate", 0x110000, 0x30000, 3);
	assert_correction(5, "overlap", 0x140000, 0x2000, 3);
	assert_correction(6, "duplicate", 0x142000, 0xe000, 3);
	assert_int_equal(map.nr_corrections, 7);
}

/* A correction that continues the one before extends it: the first, the last that is listed, and
   none once the list is full. */
static void adjacent_corrections_are_one(void **state)
{
	(void)state;
	for (uint32_t full = 0; full < 2; full++) {
		nr_raw = 0;
		entry(0x100000, 0x10000000, RAM);
		for (uint32_t i = 0; i < E820_MAX_CORRECTIONS + full; i++)
			entry(0x100000 + i * 0x4000, 0x1000, RSVD);
		sanitize();
		assert_int_equal(map.nr_corrections, E820_MAX_CORRECTIONS + full);
		entry(0x101000 + (E820_MAX_CORRECTIONS + full - 1) * 0x4000, 0x1000, E820_TYPE_NVS);
		sanitize();
		assert_int_equal(map.nr_corrections, E820_MAX_CORRECTIONS + 2 * full);
		assert_correction(E820_MAX_CORRECTIONS - 1, "overlap",
				  0x100000 + (E820_MAX_CORRECTIONS - 1) * 0x4000,
				  full ? 0x1000 : 0x2000, 0);
	}
	nr_raw = 0;
	entry(0x100000, 0x10000, RAM);
	entry(0x101000, 0x1000, RSVD);
	entry(0x102000, 0x1000, E820_TYPE_NVS);
	sanitize();
	assert_int_equal(map.nr_corrections, 1);
	assert_correction(0, "overlap", 0x101000, 0x2000, 0);
}

/* Of two entries of one rank the earlier keeps what both claim, so the later loses to a third. */
static void equal_ranks_keep_to_the_earlier(void **state)
{
	static const uint32_t types[] = { RAM, RSVD, E820_TYPE_NVS, 9, UINT32_MAX - 1 };

	(void)state;
	for (uint32_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t known = e820_type_name(types[i]) ? 0 : 1;

		nr_raw = 0;
		entry(0x100000, 0x3000, types[i]);
		entry(0x101000, 0x3000, types[i]);
		entry(0x102000, 0x1000, UINT32_MAX);
		sanitize();
		assert_int_equal(map.nr_corrections, 3 + 2 * known);
		assert_correction(2 * known, "duplicate", 0x101000, 0x2000, 1);
		assert_correction(1 + 2 * known, "unknown type", 0x102000, 0x1000, 2);
		assert_correction(2 + 2 * known, "overlap", 0x102000, 0x1000, 0);
		/* The third one's type is unknown, so it becomes reserved as some of these do. */
		assert_range(0, 0x100000, known || types[i] == RSVD ? 0x4000 : 0x2000,
			     known ? RSVD : types[i]);
	}
}

static void empty_unknown_unsorted(void **state)
{
	(void)state;
	entry(0x200000, 0, RAM);
	entry(0x200000, 0x1000, 9);
	entry(0x100000, 0x1000, 0);
	sanitize();
	assert_range(0, 0x100000, 0x1000, RSVD);
	assert_range(1, 0x200000, 0x1000, RSVD);
	assert_correction(0, "zero length", 0x200000, 0, 0);
	assert_correction(1, "unknown type", 0x200000, 0x1000, 1);
	assert_correction(2, "unknown type", 0x100000, 0x1000, 2);
	assert_correction(3, "unsorted", 0x100000, 0x1000, 2);
	assert_int_equal(map.nr_corrections, 4);
}

static void wrap_makes_ram_reserved(void **state)
{
	(void)state;
	entry(0 - 0x2000ull, 0x2000, RAM);
	sanitize();
	assert_range(0, 0 - 0x2000ull, 0x2000, RAM);
	assert_int_equal(map.nr_corrections, 0);
	raw[0].size = 0x2001;
	sanitize();
	assert_range(0, 0 - 0x2000ull, 0x2000, RSVD);
	assert_correction(0, "wrap", 0 - 0x2000ull, 0x2000, 0);
	raw[0].type = E820_TYPE_NVS;
	sanitize();
	assert_range(0, 0 - 0x2000ull, 0x2000, E820_TYPE_NVS);
}

/* Two ranges that would be 2^64 bytes together stay two, as no uint64_t holds that size. */
static void whole_address_space(void **state)
{
	(void)state;
	entry(0, 1ull << 63, RSVD);
	entry(1ull << 63, 1ull << 63, RSVD);
	sanitize();
	assert_int_equal(map.nr_ranges, 2);
	assert_range(1, 1ull << 63, 1ull << 63, RSVD);
	check_against_oracle();
}

static void attributes_disable_unless_all_do(void **state)
{
	(void)state;
	entry_with_attributes(0x100000, 0x1000, RAM, 0);
	entry_with_attributes(0x200000, 0x1000, RAM, 1);
	entry_with_attributes(0x300000, 0x1000, E820_TYPE_ACPI, 0);
	sanitize();
	assert_range(0, 0x100000, 0x1000, RSVD);
	assert_range(2, 0x300000, 0x1000, E820_TYPE_ACPI);
	assert_correction(0, "disabled", 0x100000, 0x1000, 0);
	raw[1].attributes = 2;
	sanitize();
	assert_range(0, 0x100000, 0x1000, RAM);
	assert_int_equal(map.nr_corrections, 0);
	/* An entry without attributes is enabled RAM, so the other's attribute counts. */
	raw[1].length = 20;
	sanitize();
	assert_range(0, 0x100000, 0x1000, RSVD);
	raw[1].size = 0;
	sanitize();
	assert_range(0, 0x100000, 0x1000, RAM);
}

static void legacy_hole_is_never_ram(void **state)
{
	(void)state;
	entry(0, 0x1000000, RAM);
	entry(0xc0000, 0x8000, E820_TYPE_ACPI);
	sanitize();
	assert_range(0, 0, 0xa0000, RAM);
	assert_range(1, 0xa0000, 0x20000, RSVD);
	assert_range(2, 0xc0000, 0x8000, E820_TYPE_ACPI);
	assert_range(3, 0xc8000, 0x38000, RSVD);
	assert_range(4, 0x100000, 0xf00000, RAM);
	assert_correction(0, "overlap", 0xc0000, 0x8000, 0);
	assert_correction(1, "legacy hole", 0xa0000, 0x20000, 0);
	assert_correction(2, "legacy hole", 0xc8000, 0x38000, 0);
	assert_int_equal(map.nr_corrections, 3);
}

/* RAM that ends before the hole, has its first byte, its last one, or begins behind it. */
static void legacy_hole_to_the_byte(void **state)
{
	(void)state;
	entry(0x9f000, 0x1000, RAM);
	entry(0x100000, 0x1000, RAM);
	sanitize();
	assert_int_equal(map.nr_corrections, 0);
	raw[0].size++;
	raw[1].base--;
	sanitize();
	assert_int_equal(map.nr_ranges, 4);
	assert_range(0, 0x9f000, 0x1000, RAM);
	assert_range(1, 0xa0000, 1, RSVD);
	assert_range(2, 0xfffff, 1, RSVD);
	assert_range(3, 0x100000, 0xfff, RAM);
	assert_int_equal(map.nr_corrections, 2);
	assert_correction(0, "legacy hole", 0xa0000, 1, 0);
	assert_correction(1, "legacy hole", 0xfffff, 1, 1);
}

/*
 * A model that looks at every piece on a line of cells: which entry owns a cell, and whether a
 * piece begins there. It makes the corrections that the map must have, in number and in words.
 */

#define LINE      400
#define LINE_CELL 0x1000

static uint64_t line_origin;

static struct {
	int owner[LINE + 1]; /* -1: none; the cell behind the line never has one */
	bool begins[LINE + 1];
	uint32_t nr_corrections;
	struct e820_correction corrections[E820_MAX_CORRECTIONS];
} model;

static void model_record(uint32_t what, uint32_t from, uint32_t to, uint32_t loser)
{
	struct e820_correction c = { line_origin + (uint64_t)from * LINE_CELL,
				     (uint64_t)(to - from) * LINE_CELL, what, loser };
	uint32_t nr = model.nr_corrections;
	struct e820_correction *before =
	    nr && nr <= E820_MAX_CORRECTIONS ? &model.corrections[nr - 1] : NULL;

	if (before && before->what == what && before->entry == loser &&
	    before->base + before->size == c.base) {
		before->size += c.size;
		return;
	}
	if (nr < E820_MAX_CORRECTIONS)
		model.corrections[nr] = c;
	model.nr_corrections++;
}

static bool beats(uint32_t type, uint32_t other)
{
	return type != RAM && (other == RAM || type > other);
}

/* Gives the cells [from, to) of the line to an entry, as one piece. */
static void model_give(uint32_t from, uint32_t to, int entry)
{
	model.begins[from] = true;
	for (uint32_t i = from; i < to; i++) {
		model.owner[i] = entry;
		model.begins[i] = i == from;
	}
	model.begins[to] = model.owner[to] >= 0;
}

static void model_paint(uint32_t entry, uint32_t from, uint32_t to)
{
	uint32_t type = raw[entry].type, end;

	for (; from < to; from = end) {
		int owner = model.owner[from];
		uint32_t other = owner < 0 ? 0 : raw[owner].type;

		for (end = from + 1; end < to && model.owner[end] == owner; end++)
			if (model.begins[end])
				break;
		if (owner >= 0)
			model_record(type == other ? E820_DUPLICATE : E820_OVERLAP, from, end,
				     beats(type, other) ? (uint32_t)owner : entry);
		if (owner < 0 || beats(type, other))
			model_give(from, end, (int)entry);
	}
}

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t higher(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Demands that the tree over the cells has exact values: others would not change the map, but cost
   time. At the end floor[] has the key of each cell's owner. */
static void check_tree(void)
{
	static uint64_t lowest[4 * E820_MAX_RAW], highest[4 * E820_MAX_RAW];
	const struct e820_work *work = &map.work;

	for (uint32_t span = 2 * work->nr_leaves; span-- > 1;) {
		uint32_t half = 2 * span;
		uint64_t floor = work->floor[span];
		bool cell = span >= work->nr_leaves;

		lowest[span] = cell ? floor : lower(lowest[half], lowest[half + 1]);
		highest[span] = cell ? floor : higher(highest[half], highest[half + 1]);
		assert_true(higher(work->low[span], floor) == lowest[span]);
		assert_true(higher(work->high[span], floor) == highest[span]);
	}
}

static void check_against_model(void)
{
	uint32_t before = 0;

	memset(&model, 0, sizeof(model));
	for (uint32_t i = 0; i <= LINE; i++)
		model.owner[i] = -1;
	for (uint32_t i = 0; i < nr_raw; i++) {
		uint32_t from = (uint32_t)(raw[i].base - line_origin) / LINE_CELL;
		uint32_t to = from + (uint32_t)raw[i].size / LINE_CELL;

		if (from < before)
			model_record(E820_UNSORTED, from, to, i);
		before = from;
		model_paint(i, from, to);
	}
	sanitize();
	assert_int_equal(map.nr_corrections, model.nr_corrections);
	for (uint32_t i = 0; i < map.nr_corrections && i < E820_MAX_CORRECTIONS; i++)
		assert_memory_equal(&map.corrections[i], &model.corrections[i],
				    sizeof(model.corrections[i]));
	/* Nothing looks at the tree once the list is full. */
	if (map.nr_corrections <= E820_MAX_CORRECTIONS)
		check_tree();
}

/* Long and short entries, from a few of which the list overflows to more than it can tell, on a
   line at 2 MiB and on one that ends at 2^64. */
static void corrections_are_those_of_each_piece(void **state)
{
	static const uint32_t types[] = { RAM, RSVD, E820_TYPE_ACPI, E820_TYPE_NVS, 5, 7, 12 };
	uint64_t seed = 7;
	unsigned int listed = 0;

	(void)state;
	for (uint32_t round = 0; round < 2000; round++) {
		uint32_t nr = round % 4 ? 1 + round % 60 : 1 + round * 7 % E820_MAX_RAW;
		uint32_t longest = 1u << round % 9;

		line_origin = round / 4 % 2 ? 0x200000 : 0 - (uint64_t)LINE * LINE_CELL;
		nr_raw = 0;
		for (uint32_t i = 0; i < nr; i++) {
			uint32_t from, cells;

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			from = (uint32_t)(seed >> 20) % LINE;
			cells = 1 + (uint32_t)(seed >> 40) % longest;
			if (i && (seed >> 60) == 1) /* directly behind the one before */
				from =
				    (uint32_t)((raw[i - 1].base + raw[i - 1].size - line_origin) /
					       LINE_CELL) %
				    LINE;
			cells = from + cells < LINE ? cells : LINE - from;
			entry(line_origin + (uint64_t)from * LINE_CELL, (uint64_t)cells * LINE_CELL,
			      types[(seed >> 50) % (1 + round % 7)]);
		}
		check_against_model();
		listed += map.nr_corrections <= E820_MAX_CORRECTIONS;
	}
	assert_in_range(listed, 1200, 1900);
}

/* Once the list is full, each piece that an entry meets counts as a correction. Here RAM that has
   more holes than the list has room for is claimed again. */
static void pieces_are_counted(void **state)
{
	(void)state;
	for (uint32_t holes = E820_MAX_CORRECTIONS + 1; holes < E820_MAX_RAW - 1; holes++) {
		nr_raw = 0;
		entry(0x100000, (2 * holes + 1) * 0x1000ull, RAM);
		for (uint32_t i = 0; i < holes; i++)
			entry(0x101000 + i * 0x2000ull, 0x1000, RSVD);
		entry(0x100000, (2 * holes + 1) * 0x1000ull, RAM);
		sanitize();
		assert_int_equal(map.nr_ranges, 2 * holes + 1);
		/* The last entry is unsorted, and meets each hole and what is around them. */
		assert_int_equal(map.nr_corrections, holes + 1 + (2 * holes + 1));
	}
}

/* A map may have held another one: what lies beyond its ranges is no memory. */
static void ranges_of_an_earlier_map(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < E820_MAX_RANGES; i++)
		map.ranges[i] = (struct e820_range){ 0xa0000, 0x40000000, RAM, 0 };
	entry(0x1000, 0x9e000, RAM);
	sanitize();
	assert_int_equal(map.nr_ranges, 1);
	assert_range(0, 0x1000, 0x9e000, RAM);
	assert_int_equal(map.nr_corrections, 0);
	assert_int_equal(e820_bytes(&map, RAM), 0x9e000);
	assert_true(e820_ram_until(&map, 0x200000) == 0x200000);
	assert_true(e820_find_ram(&map, 1, 1, 0x9f000, ~0ull, NULL, 0) == UINT64_MAX);
}

/* With the most entries, in the order that makes most ranges, all fit and all are counted. */
static void full_tables(void **state)
{
	uint32_t listed;

	(void)state;
	for (uint64_t i = 0; i < E820_MAX_RAW; i++)
		entry((E820_MAX_RAW - i) * 0x1000, (2 * i + 1) * 0x1000, (uint32_t)(100 + i));
	sanitize();
	assert_int_equal(map.nr_ranges, 1);
	assert_true(map.nr_corrections > E820_MAX_CORRECTIONS);
	nr_raw = 0;
	for (uint64_t i = 0; i < E820_MAX_RAW; i++)
		entry(0x100000 + i * 0x1000, (E820_MAX_RAW - i) * 0x2000,
		      i % 2 ? RAM : 20 + (uint32_t)i);
	sanitize();
	assert_true(map.nr_ranges <= E820_MAX_RANGES);
	nr_raw = 0;
	entry(0, UINT64_MAX, RAM);
	for (uint64_t i = 1; i < E820_MAX_RAW; i++)
		entry(0x100000 + i * 0x2000, 0x1000, i % 2 ? RSVD : E820_TYPE_NVS);
	sanitize();
	assert_int_equal(map.nr_ranges, 2 * (E820_MAX_RAW - 1) + 3);
	assert_int_equal(map.nr_corrections, E820_MAX_RAW - 1 + 1);
	listed = E820_MAX_CORRECTIONS;
	for (uint32_t i = 0; i < listed; i++)
		assert_correction(i, "overlap", 0x100000 + (i + 1) * 0x2000ull, 0x1000, 0);
}

static void names(void **state)
{
	static const char *const whats[E820_WHAT_COUNT] = { "overlap",      "duplicate",
							    "zero length",  "wrap",
							    "unknown type", "disabled",
							    "legacy hole",  "unsorted" };
	char text[E820_TYPE_TEXT];

	(void)state;
	assert_string_equal(e820_type_name(1), "usable");
	assert_string_equal(e820_type_name(2), "reserved");
	assert_string_equal(e820_type_name(3), "ACPI data");
	assert_string_equal(e820_type_name(4), "ACPI NVS");
	assert_string_equal(e820_type_name(5), "unusable");
	assert_string_equal(e820_type_name(7), "persistent (type 7)");
	assert_string_equal(e820_type_name(12), "persistent (type 12)");
	assert_null(e820_type_name(0));
	assert_null(e820_type_name(6));
	assert_ptr_equal(e820_type_text(2, text), e820_type_name(2));
	assert_string_equal(e820_type_text(6, text), "type 6");
	assert_string_equal(e820_type_text(UINT32_MAX, text), "type 4294967295");
	for (uint32_t what = 0; what < E820_WHAT_COUNT; what++)
		assert_string_equal(e820_what_name(what), whats[what]);
	assert_null(e820_what_name(E820_WHAT_COUNT));
	assert_null(e820_what_name(UINT32_MAX));
}

/* Looking for RAM. */

static void where_ram_ends(void **state)
{
	static const struct {
		uint64_t base, end;
	} cases[] = {
		{ 0, 0 },
		{ 0xfff, 0xfff },
		{ 0x1000, 0x9f000 },
		{ 0x9efff, 0x9f000 },
		{ 0x9f000, 0x9f000 },
		{ 0x100000, 0x200000 },
		{ 0x200000, 0x200000 },
		{ 0x200001, 0x200001 },
		{ 0 - 0x3001ull, 0 - 0x3001ull },
		{ 0 - 0x3000ull, 0 },
		{ UINT64_MAX, 0 },
	};

	(void)state;
	entry(0x1000, 0x9e000, RAM);
	entry(0x100000, 0x100000, RAM);
	entry(0x200000, 0x100000, RSVD);
	entry(0 - 0x3000ull, 0x3000, RAM);
	sanitize();
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (e820_ram_until(&map, cases[i].base) != cases[i].end)
			fail_msg("the RAM at 0x%lx does not end at 0x%lx", cases[i].base,
				 cases[i].end);
}

/* Bytes of each type, of which no unknown one is left. */
static void bytes_of_a_type(void **state)
{
	(void)state;
	entry(0x100000, 0x1001, RAM);
	entry(0x200000, 0x2000, RSVD);
	entry(0x300000, 0x400, RAM);
	entry(0x400000, 0x10, 9);
	sanitize();
	assert_int_equal(e820_bytes(&map, RAM), 0x1401);
	assert_int_equal(e820_bytes(&map, RSVD), 0x2010);
	assert_int_equal(e820_bytes(&map, E820_TYPE_ACPI), 0);
	assert_int_equal(e820_bytes(&map, 9), 0);
}

static void find_ram_by_hand(void **state)
{
	struct e820_taken taken[] = { { 0x101000, 0x2000 }, { 0x180000, 0 }, { 0x110000, ~0ull } };

	(void)state;
	entry(0x1000, 0x9e000, RAM);
	entry(0x100000, 0x100000, RAM);
	entry(0 - 0x3000ull, 0x3000, RAM);
	sanitize();
	assert_true(e820_find_ram(&map, 0x1000, 0x1000, 0, ~0ull, NULL, 0) == 0x1000);
	assert_true(e820_find_ram(&map, 0x1000, 0x1000, 0x9e001, ~0ull, NULL, 0) == 0x100000);
	assert_true(e820_find_ram(&map, 0x1000, 0x10000, 1, ~0ull, NULL, 0) == 0x10000);
	assert_true(e820_find_ram(&map, 0x9e001, 1, 0, ~0ull, NULL, 0) == 0x100000);
	assert_true(e820_find_ram(&map, 0x100000, 1, 0, 0x200000, NULL, 0) == 0x100000);
	assert_true(e820_find_ram(&map, 0x100000, 1, 0, 0x1fffff, NULL, 0) == UINT64_MAX);
	assert_true(e820_find_ram(&map, 0x2000, 0x1000, 0x100000, ~0ull, taken, 1) == 0x103000);
	assert_true(e820_find_ram(&map, 0x1000, 0x1000, 0x101000, ~0ull, taken, 2) == 0x103000);
	assert_true(e820_find_ram(&map, 0xe000, 0x1000, 0x101000, ~0ull, taken, 3) == UINT64_MAX);
	assert_true(e820_find_ram(&map, 0x2000, 0x1000, 0x300000, ~0ull, NULL, 0) == 0 - 0x3000ull);
	assert_true(e820_find_ram(&map, 0x2000, 0x2000, 0x300000, ~0ull, NULL, 0) == UINT64_MAX);
	assert_true(e820_find_ram(&map, 1, 1ull << 63, 0x300000, ~0ull, NULL, 0) == UINT64_MAX);
	assert_true(e820_find_ram(&map, 0, 1, 0, ~0ull, NULL, 0) == UINT64_MAX);
	assert_true(e820_find_ram(&map, 1, 1, 0, 0, NULL, 0) == UINT64_MAX);
}

static bool is_free_ram(uint64_t from, uint64_t size, const struct e820_taken *taken, uint32_t nr)
{
	bool in_range = false;

	for (uint32_t i = 0; i < map.nr_ranges; i++)
		in_range |= map.ranges[i].type == RAM && map.ranges[i].base <= from &&
			    from + size <= map.ranges[i].base + map.ranges[i].size;
	for (uint32_t i = 0; i < nr; i++)
		if (taken[i].size && taken[i].base < from + size &&
		    from < taken[i].base + taken[i].size)
			return false;
	return in_range;
}

static void find_ram_against_a_scan(void **state)
{
	uint64_t seed = 7, nr_found = 0;

	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		struct e820_taken taken[3];
		uint64_t numbers[16], size, align, min, max, expected = UINT64_MAX;

		for (unsigned int i = 0; i < 16; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			numbers[i] = seed >> 33;
		}
		nr_raw = 0;
		for (unsigned int i = 0; i < 3; i++) {
			entry(0x100000 + numbers[i] % 64, numbers[i + 3] % 40, i < 2 ? RAM : RSVD);
			taken[i] = (struct e820_taken){ 0x100000 + numbers[i + 6] % 64,
							numbers[i + 9] % 8 };
		}
		sanitize();
		size = 1 + numbers[12] % 16;
		align = 1ull << numbers[13] % 5;
		min = 0x100000 + numbers[14] % 48;
		max = min + numbers[15] % 80;
		for (uint64_t at = min; at + size <= max && expected == UINT64_MAX; at++)
			if (at % align == 0 && is_free_ram(at, size, taken, 3))
				expected = at;
		assert_true(e820_find_ram(&map, size, align, min, max, taken, 3) == expected);
		nr_found += expected != UINT64_MAX;
	}
	assert_true(nr_found > 2000 && nr_found < 18000);
}

/* Real machines. */

static void read_map(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[512];

	assert_non_null(file);
	nr_raw = 0;
	while (fgets(line, sizeof(line), file)) {
		unsigned long long fields[4];
		int nr = 0;
		char *at = line, *end;

		line[strcspn(line, "#")] = 0;
		for (; nr < 4; nr++, at = end) {
			fields[nr] = strtoull(at, &end, 0);
			if (end == at)
				break;
		}
		if (nr < 3)
			continue;
		assert_true(nr_raw < E820_MAX_RAW);
		if (nr == 4)
			entry_with_attributes(fields[0], fields[1], (uint32_t)fields[2],
					      (uint32_t)fields[3]);
		else
			entry(fields[0], fields[1], (uint32_t)fields[2]);
	}
	fclose(file);
}

static void maps_of_real_machines(void **state)
{
	DIR *directory = opendir(map_directory);
	const struct dirent *file;
	uint32_t nr_maps = 0;

	(void)state;
	assert_non_null(directory);
	while ((file = readdir(directory)) != NULL) {
		char path[1024];

		if (!strstr(file->d_name, ".map"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", map_directory, file->d_name);
		read_map(path);
		if (nr_raw < 2)
			fail_msg("%s: %u entries", path, nr_raw);
		check_against_oracle();
		nr_maps++;
	}
	closedir(directory);
	assert_true(nr_maps >= 40);
}

int main(int argc, char **argv)
{
#define test(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		test(nothing_to_correct),
		test(overlap_is_noted_once_a_run),
		test(adjacent_corrections_are_one),
		test(equal_ranks_keep_to_the_earlier),
		test(empty_unknown_unsorted),
		test(wrap_makes_ram_reserved),
		test(whole_address_space),
		test(attributes_disable_unless_all_do),
		test(legacy_hole_is_never_ram),
		test(legacy_hole_to_the_byte),
		test(corrections_are_those_of_each_piece),
		test(pieces_are_counted),
		test(ranges_of_an_earlier_map),
		test(full_tables),
		test(names),
		test(where_ram_ends),
		test(bytes_of_a_type),
		test(find_ram_by_hand),
		test(find_ram_against_a_scan),
		test(exhaustive_attributes_and_types),
		test(exhaustive_above_1m),
		test(exhaustive_of_single_bytes),
		test(exhaustive_at_the_legacy_hole),
		test(exhaustive_at_the_top),
		test(random_maps),
		test(maps_of_real_machines),
	};
#undef test

	if (argc > 1)
		map_directory = argv[1];
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("e820", tests, NULL, NULL);
}
