#include "tests/host/e820_oracle.h"

#include <stddef.h>

__extension__ typedef unsigned __int128 wide; /* an address up to 2^64, inclusive */

#define WIDE_END ((wide)1 << 64)
#define RAM      E820_TYPE_RAM
#define RSVD     E820_TYPE_RESERVED

#define REQUIRE(holds)                 \
	do {                           \
		if (!(holds))          \
			return #holds; \
	} while (0)

/* The map that is judged, and the entries of which it was made. */
static const struct e820_map *map;
static const struct e820_entry *raw;
static uint32_t nr_raw;

static bool all_listed(void)
{
	return map->nr_corrections <= E820_MAX_CORRECTIONS;
}

static wide end_of_entry(const struct e820_entry *e)
{
	wide end = (wide)e->base + e->size;

	return end > WIDE_END ? WIDE_END : end;
}

static bool claims(const struct e820_entry *e, wide from, wide to)
{
	return e->size && e->base <= from && to <= end_of_entry(e);
}

static bool all_ram_is_disabled(void)
{
	for (uint32_t i = 0; i < nr_raw; i++)
		if (raw[i].size && raw[i].type == RAM &&
		    (raw[i].length < 24 || (raw[i].attributes & 1)))
			return false;
	return true;
}

/* Returns the type that an entry claims: RAM that is disabled or wraps claims to be reserved. */
static uint32_t claimed_type(const struct e820_entry *e, bool attributes_say_nothing)
{
	bool disabled = e->length >= 24 && !(e->attributes & 1) && !attributes_say_nothing;

	if (e->type == RAM && (disabled || (wide)e->base + e->size > WIDE_END))
		return RSVD;
	return e->type;
}

/* Finds the type that a stretch must have; returns false when no entry claims it. */
static bool expected(wide from, wide to, bool attributes_say_nothing, uint32_t *type)
{
	bool claimed = false;
	uint32_t best = RAM;

	for (uint32_t i = 0; i < nr_raw; i++) {
		uint32_t mine = claimed_type(&raw[i], attributes_say_nothing);

		if (!claims(&raw[i], from, to))
			continue;
		claimed = true;
		if (mine != RAM && (best == RAM || mine > best))
			best = mine;
	}
	if (best == RAM && from >= 0xa0000 && to <= 0x100000)
		best = RSVD;
	*type = best >= 1 && (best <= 5 || best == 7 || best == 12) ? best : RSVD;
	return claimed;
}

static wide borders[2 * E820_MAX_RAW + 4];
static uint32_t nr_borders;

static void add_border(wide border)
{
	uint32_t i = nr_borders;

	for (uint32_t k = 0; k < nr_borders; k++)
		if (borders[k] == border)
			return;
	for (; i > 0 && borders[i - 1] > border; i--)
		borders[i] = borders[i - 1];
	borders[i] = border;
	nr_borders++;
}

static void find_borders(void)
{
	nr_borders = 0;
	add_border(0);
	add_border(0xa0000);
	add_border(0x100000);
	add_border(WIDE_END);
	for (uint32_t i = 0; i < nr_raw; i++) {
		add_border(raw[i].base);
		add_border(end_of_entry(&raw[i]));
	}
}

static bool is_overlap(const struct e820_correction *c)
{
	return c->what == E820_OVERLAP || c->what == E820_DUPLICATE;
}

static bool covers(const struct e820_correction *c, wide from, wide to)
{
	return c->base <= from && to <= (wide)c->base + c->size;
}

/*
 * Checks the corrections of a stretch: RAM that became something else must be in a correction, and
 * a stretch must be in overlaps if several entries claim it, and only then.
 */
static const char *check_stretch(wide from, wide to, bool claimed, uint32_t type)
{
	uint32_t claimants = 0, ram_claimants = 0, corrected = 0, overlaps = 0;

	for (uint32_t i = 0; i < nr_raw; i++) {
		claimants += claims(&raw[i], from, to);
		ram_claimants += claims(&raw[i], from, to) && raw[i].type == RAM;
	}
	REQUIRE(claimed == (claimants > 0));
	if (!all_listed())
		return NULL;
	for (uint32_t i = 0; i < map->nr_corrections; i++) {
		const struct e820_correction *c = &map->corrections[i];

		overlaps += is_overlap(c) && covers(c, from, to);
		corrected += covers(c, from, to) && raw[c->entry].type == RAM &&
			     c->what != E820_DUPLICATE && c->what != E820_UNSORTED;
	}
	REQUIRE(overlaps + 1 >= claimants); /* each claimant lost once, except the winner */
	if (claimants < 2)
		REQUIRE(overlaps == 0);
	if (ram_claimants && type != RAM)
		REQUIRE(corrected > 0);
	return NULL;
}

static uint32_t count_what(uint32_t what)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < map->nr_corrections; i++)
		nr += map->corrections[i].what == what;
	return nr;
}

static const char *check_corrections(void)
{
	uint32_t empty = 0, unknown = 0, unsorted = 0, wrapped = 0;
	uint64_t before = 0;

	for (uint32_t i = 0; i < nr_raw; i++) {
		const struct e820_entry *e = &raw[i];

		if (!e->size) {
			empty++;
			continue;
		}
		unknown += !e820_type_name(e->type);
		wrapped += (wide)e->base + e->size > WIDE_END;
		unsorted += e->base < before;
		before = e->base;
	}
	REQUIRE(count_what(E820_ZERO_LENGTH) == empty);
	REQUIRE(count_what(E820_UNKNOWN_TYPE) == unknown);
	REQUIRE(count_what(E820_UNSORTED) == unsorted);
	REQUIRE(count_what(E820_WRAP) == wrapped);
	for (uint32_t i = 0; i < map->nr_corrections; i++) {
		const struct e820_correction *c = &map->corrections[i];

		REQUIRE(c->entry < nr_raw && c->what < E820_WHAT_COUNT);
		REQUIRE(c->base >= raw[c->entry].base &&
			(wide)c->base + c->size <= end_of_entry(&raw[c->entry]));
	}
	return NULL;
}

/*
 * Returns whether the whole address space has one type. No range can have that size, so it must be
 * two, and may be cut anywhere.
 */
static bool is_whole_space(bool attributes_say_nothing, uint32_t *first)
{
	uint32_t type;

	if (!expected(borders[0], borders[1], attributes_say_nothing, first))
		return false;
	for (uint32_t k = 1; k + 1 < nr_borders; k++)
		if (!expected(borders[k], borders[k + 1], attributes_say_nothing, &type) ||
		    type != *first)
			return false;
	return true;
}

static const char *check_whole_space(uint32_t type)
{
	REQUIRE(map->nr_ranges == 2);
	REQUIRE(map->ranges[0].base == 0 && map->ranges[0].size == map->ranges[1].base);
	REQUIRE((wide)map->ranges[1].base + map->ranges[1].size == WIDE_END);
	REQUIRE(map->ranges[0].type == type && map->ranges[1].type == type);
	return NULL;
}

static const char *check_ranges(void)
{
	bool nothing = all_ram_is_disabled();
	uint32_t nr = 0, type, before_type = 0;
	wide before_end = 0;
	uint64_t bytes_of_ram = 0;

	find_borders();
	if (is_whole_space(nothing, &type))
		return check_whole_space(type);
	for (uint32_t k = 0; k + 1 < nr_borders; k++) {
		wide from = borders[k], to = borders[k + 1];
		bool claimed = expected(from, to, nothing, &type), joins;
		const char *bad = check_stretch(from, to, claimed, type);

		if (bad)
			return bad;
		if (!claimed)
			continue;
		joins = nr && before_end == from && before_type == type;
		if (!joins) {
			REQUIRE(nr < map->nr_ranges);
			REQUIRE(map->ranges[nr].base == from);
			REQUIRE(map->ranges[nr].type == type);
			REQUIRE(map->ranges[nr].reserved == 0);
			nr++;
		}
		REQUIRE((wide)map->ranges[nr - 1].base + map->ranges[nr - 1].size >= to);
		before_end = to;
		before_type = type;
		bytes_of_ram += type == RAM ? (uint64_t)(to - from) : 0;
		/* The range must end where the run of stretches of its type ends. */
		if (k + 2 == nr_borders || !expected(to, borders[k + 2], nothing, &type) ||
		    type != before_type)
			REQUIRE((wide)map->ranges[nr - 1].base + map->ranges[nr - 1].size == to);
	}
	REQUIRE(map->nr_ranges == nr);
	REQUIRE(e820_bytes(map, RAM) == bytes_of_ram);
	return NULL;
}

const char *e820_oracle(const struct e820_map *judged, const struct e820_entry *entries,
			uint32_t nr)
{
	const char *bad;

	map = judged;
	raw = entries;
	nr_raw = nr;
	bad = check_ranges();
	return bad || !all_listed() ? bad : check_corrections();
}
