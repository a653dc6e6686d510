/*
 * e820.c: see e820.h. Makes a raw memory map sorted, disjoint, typed and safe.
 *
 * The map under construction is a list of pieces, which stay sorted and disjoint. The entries are
 * painted onto it one after the other. Where an entry overlaps a piece, the one with the higher
 * rank gets the bytes: every type outranks RAM, and among the others the higher type number wins.
 * With equal ranks the earlier entry keeps them.
 *
 *   entry 0  1 [==========================]      RAM
 *   entry 1                2 [====]              reserved: takes bytes from entry 0
 *   pieces     [1           ][2   ][1     ]
 *   entry 2       4 [===========]                NVS: takes bytes from entries 0 and 1
 *   pieces     [1  ][4          ][2][1    ]
 *
 * A border of a piece is a border of an entry or of the legacy hole, so n entries make at most
 * 2n + 1 pieces. While pieces are painted, their `reserved` field holds the index of the entry that
 * owns them. Ends are inclusive here ("last"), because an entry may reach the last byte of the
 * address space.
 *
 * This is compiled as 32-bit code too, so it uses no 64-bit division.
 */
#include "lib/e820.h"

#include <stddef.h>

#include "lib/format.h"

/* The legacy hole: video memory, option ROMs and the BIOS. It is never RAM, whatever a map says. */
#define HOLE_BASE 0xa0000u
#define HOLE_LAST 0xfffffu

/* What a raw entry claims: [base, last], after correction of the faults within the entry itself. */
struct claim {
	uint64_t base;
	uint64_t last;
	uint32_t type;
	uint32_t entry;
};

static uint64_t last_of(const struct e820_range *range)
{
	return range->base + (range->size - 1);
}

/* Records a correction. If it continues the one before (same kind, same entry, adjacent), it
   extends that one. */
static void record(struct e820_map *map, enum e820_what what, uint64_t base, uint64_t size,
		   uint32_t entry)
{
	struct e820_correction new = { base, size, what, entry };
	uint32_t nr = map->nr_corrections;

	if (nr > 0 && nr <= E820_MAX_CORRECTIONS) {
		struct e820_correction *before = &map->corrections[nr - 1];

		if (before->what == new.what && before->entry == entry &&
		    before->base + before->size == base) {
			before->size += size;
			return;
		}
	}
	if (nr < E820_MAX_CORRECTIONS)
		map->corrections[nr] = new;
	map->nr_corrections++;
}

static bool is_known(uint32_t type)
{
	return e820_type_name(type) != NULL;
}

/* Returns the rank of a type: 0 for RAM, which every other type outranks. */
static uint64_t rank(uint32_t type)
{
	return type == E820_TYPE_RAM ? 0 : (uint64_t)type + 1;
}

static bool is_disabled(const struct e820_entry *raw)
{
	return raw->type == E820_TYPE_RAM && raw->length >= 24 &&
	       !(raw->attributes & E820_ATTR_ENABLED);
}

/* Returns true if the attribute words can be trusted: some BIOSes store 24 bytes but leave every
   attribute word 0, which would disable all RAM. */
static bool attributes_count(const struct e820_entry *raw, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		if (raw[i].size && raw[i].type == E820_TYPE_RAM && !is_disabled(&raw[i]))
			return true;
	return false;
}

/* Inserts a piece [base, last] at index i, owned by the claim. */
static void insert_piece(struct e820_map *map, uint32_t i, const struct claim *owner, uint64_t base,
			 uint64_t last)
{
	for (uint32_t k = map->nr_ranges++; k > i; k--)
		map->ranges[k] = map->ranges[k - 1];
	map->ranges[i] = (struct e820_range){ base, last - base + 1, owner->type, owner->entry };
}

/* Gives the part [base, last] of piece i to another owner; what is left of the piece on either side
   becomes a piece of its own. Returns the index of the part. */
static uint32_t retype_piece(struct e820_map *map, uint32_t i, const struct claim *owner,
			     uint64_t base, uint64_t last)
{
	struct e820_range old = map->ranges[i];
	struct claim loser = { .type = old.type, .entry = old.reserved };

	if (old.base < base)
		insert_piece(map, i++, &loser, old.base, base - 1);
	if (last_of(&old) > last)
		insert_piece(map, i + 1, &loser, last + 1, last_of(&old));
	map->ranges[i] = (struct e820_range){ base, last - base + 1, owner->type, owner->entry };
	return i;
}

/* Decides by rank whether a claim or piece i gets [base, last], which both contain. Returns the
   index of the piece after it. */
static uint32_t contest(struct e820_map *map, uint32_t i, const struct claim *claim, uint64_t base,
			uint64_t last)
{
	const struct e820_range *piece = &map->ranges[i];
	uint64_t mine = rank(claim->type), theirs = rank(piece->type);
	uint32_t loser = mine > theirs ? piece->reserved : claim->entry;

	record(map, mine == theirs ? E820_DUPLICATE : E820_OVERLAP, base, last - base + 1, loser);
	return (mine > theirs ? retype_piece(map, i, claim, base, last) : i) + 1;
}

/*
 * Adds a claim to the pieces: it gets the gaps, and contests the pieces that it overlaps. The
 * search begins at the last piece, because the claims of a sorted list belong there.
 */
static void paint(struct e820_map *map, const struct claim *claim)
{
	uint32_t i = map->nr_ranges;
	uint64_t pos = claim->base, last;

	while (i > 0 && last_of(&map->ranges[i - 1]) >= claim->base)
		i--;
	for (;; pos = last + 1) {
		const struct e820_range *piece = i < map->nr_ranges ? &map->ranges[i] : NULL;

		if (piece && piece->base <= pos) {
			last = last_of(piece) < claim->last ? last_of(piece) : claim->last;
			i = contest(map, i, claim, pos, last);
		} else {
			last = piece && piece->base <= claim->last ? piece->base - 1 : claim->last;
			insert_piece(map, i++, claim, pos, last);
		}
		if (last == claim->last)
			return;
	}
}

/* Makes a claim from a raw entry and corrects the faults within that entry. Returns false if the
   entry is empty. */
static bool read_entry(struct e820_map *map, const struct e820_entry *raw, uint32_t index,
		       bool trust_attributes, struct claim *claim)
{
	*claim = (struct claim){ raw->base, raw->base + (raw->size - 1), raw->type, index };

	if (!raw->size) {
		record(map, E820_ZERO_LENGTH, raw->base, 0, index);
		return false;
	}
	if (claim->last < raw->base) {
		claim->last = UINT64_MAX;
		record(map, E820_WRAP, raw->base, 0 - raw->base, index);
		if (raw->type == E820_TYPE_RAM)
			claim->type = E820_TYPE_RESERVED;
	}
	if (trust_attributes && is_disabled(raw)) {
		record(map, E820_DISABLED, raw->base, claim->last - raw->base + 1, index);
		claim->type = E820_TYPE_RESERVED;
	}
	if (!is_known(raw->type))
		record(map, E820_UNKNOWN_TYPE, raw->base, claim->last - raw->base + 1, index);
	return true;
}

static void close_legacy_hole(struct e820_map *map)
{
	for (uint32_t i = 0; i < map->nr_ranges && map->ranges[i].base <= HOLE_LAST; i++) {
		const struct e820_range *piece = &map->ranges[i];
		struct claim hole = { piece->base > HOLE_BASE ? piece->base : HOLE_BASE,
				      last_of(piece) < HOLE_LAST ? last_of(piece) : HOLE_LAST,
				      E820_TYPE_RESERVED, piece->reserved };

		if (piece->type != E820_TYPE_RAM || hole.base > hole.last)
			continue;
		record(map, E820_LEGACY_HOLE, hole.base, hole.last - hole.base + 1, hole.entry);
		i = retype_piece(map, i, &hole, hole.base, hole.last);
	}
}

/* Turns the pieces into the resulting ranges: unknown types become reserved, and neighbours of one
   type are merged, unless they would have 2^64 bytes, which a size cannot express. */
static void merge_pieces(struct e820_map *map)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < map->nr_ranges; i++) {
		struct e820_range piece = map->ranges[i];
		struct e820_range *before = nr ? &map->ranges[nr - 1] : NULL;

		if (!is_known(piece.type))
			piece.type = E820_TYPE_RESERVED;
		piece.reserved = 0;
		if (before && before->type == piece.type &&
		    before->base + before->size == piece.base && before->size + piece.size)
			before->size += piece.size;
		else
			map->ranges[nr++] = piece;
	}
	map->nr_ranges = nr;
}

void e820_sanitize(struct e820_map *map, const struct e820_entry *raw, uint32_t nr)
{
	bool trust_attributes = attributes_count(raw, nr);
	uint64_t base_before = 0;
	struct claim claim;

	map->nr_ranges = 0;
	map->nr_corrections = 0;
	for (uint32_t i = 0; i < nr; i++) {
		if (!read_entry(map, &raw[i], i, trust_attributes, &claim))
			continue;
		if (claim.base < base_before)
			record(map, E820_UNSORTED, claim.base, claim.last - claim.base + 1, i);
		base_before = claim.base;
		paint(map, &claim);
	}
	close_legacy_hole(map);
	merge_pieces(map);
}

uint64_t e820_bytes(const struct e820_map *map, uint32_t type)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < map->nr_ranges; i++)
		bytes += map->ranges[i].type == type ? map->ranges[i].size : 0;
	return bytes;
}

/* Returns the first taken range that overlaps [base, last], or NULL. */
static const struct e820_taken *find_taken(const struct e820_taken *taken, uint32_t nr,
					   uint64_t base, uint64_t last)
{
	for (uint32_t i = 0; i < nr; i++)
		if (taken[i].size && taken[i].base <= last &&
		    (taken[i].base >= base || base - taken[i].base < taken[i].size))
			return &taken[i];
	return NULL;
}

uint64_t e820_find_ram(const struct e820_map *map, uint64_t size, uint64_t align, uint64_t min,
		       uint64_t max, const struct e820_taken *taken, uint32_t nr_taken)
{
	const struct e820_taken *in_way;

	if (!size || !max)
		return UINT64_MAX;
	for (uint32_t i = 0; i < map->nr_ranges; i++) {
		const struct e820_range *range = &map->ranges[i];
		uint64_t last = last_of(range) < max - 1 ? last_of(range) : max - 1;
		uint64_t from = range->base > min ? range->base : min;

		while (range->type == E820_TYPE_RAM) {
			uint64_t found = (from + align - 1) & ~(align - 1);

			if (found < from || found > last || last - found < size - 1)
				break;
			in_way = find_taken(taken, nr_taken, found, found + (size - 1));
			if (!in_way)
				return found;
			from = in_way->base + in_way->size;
			if (from <= found)
				break; /* taken up to the end of the address space */
		}
	}
	return UINT64_MAX;
}

const char *e820_type_name(uint32_t type)
{
	switch (type) {
	case E820_TYPE_RAM:
		return "usable";
	case E820_TYPE_RESERVED:
		return "reserved";
	case E820_TYPE_ACPI:
		return "ACPI data";
	case E820_TYPE_NVS:
		return "ACPI NVS";
	case E820_TYPE_UNUSABLE:
		return "unusable";
	case E820_TYPE_PMEM:
		return "persistent (type 7)";
	case E820_TYPE_PRAM:
		return "persistent (type 12)";
	default:
		return NULL;
	}
}

const char *e820_type_text(uint32_t type, char text[E820_TYPE_TEXT])
{
	const char *name = e820_type_name(type);

	if (name)
		return name;
	fmt_snprintf(text, E820_TYPE_TEXT, "type %u", type);
	return text;
}

const char *e820_what_name(uint32_t what)
{
	static const char *const names[] = {
		[E820_OVERLAP] = "overlap",           [E820_DUPLICATE] = "duplicate",
		[E820_ZERO_LENGTH] = "zero length",   [E820_WRAP] = "wrap",
		[E820_UNKNOWN_TYPE] = "unknown type", [E820_DISABLED] = "disabled",
		[E820_LEGACY_HOLE] = "legacy hole",   [E820_UNSORTED] = "unsorted",
	};

	_Static_assert(sizeof(names) / sizeof(names[0]) == E820_WHAT_COUNT, "a name for each");
	return what < E820_WHAT_COUNT ? names[what] : NULL;
}
