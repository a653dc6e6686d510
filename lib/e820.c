/*
 * e820.c: see e820.h. Makes a raw memory map sorted, disjoint, typed and safe.
 *
 * The map under construction is a list of pieces, which are sorted and disjoint. The entries are
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
 * A hostile map makes every entry overlap a thousand pieces, so an entry must not look at each. The
 * borders of all entries, sorted beforehand, divide the address space into *cells*: n entries make
 * less than 2n. Two bitmaps say at which borders a piece begins or ends, and which cells have an
 * owner. They give the number of pieces in any range. An owner is a number, its *key*, that is
 * higher the stronger its claim; so the owner of a cell is the maximum of the keys painted on it,
 * and 0 for none. A tree over the cells keeps these maxima: span 1 is all cells, spans 2i and 2i+1
 * are the halves of span i, and a cell is a span of its own.
 *
 *   floor[i]   the highest key that was painted on the whole of span i, though not on one that it
 *              is a part of
 *   low[i]     the lowest and the highest key of a cell in it, without regard to the floors of the
 *   high[i]    spans that it is a part of
 *
 * With these, painting an entry costs O(log n), and so does finding where a run of pieces ends that
 * have one fate: they all lose, or all win, or rank equal.
 *
 * Ends are inclusive here ("last"), because an entry may reach the last byte of the address space.
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

/* Returns whether the last correction is listed: while it is, the next one may extend it. */
static bool last_is_listed(const struct e820_map *map)
{
	return map->nr_corrections <= E820_MAX_CORRECTIONS;
}

/*
 * Records a correction of nr_pieces adjacent pieces. If it continues the one before (same kind,
 * same entry, adjacent), it extends that one. Otherwise it is listed as one; when the list is full
 * each piece counts.
 */
static void record_pieces(struct e820_map *map, enum e820_what what, uint64_t base, uint64_t size,
			  uint32_t entry, uint32_t nr_pieces)
{
	struct e820_correction new = { base, size, what, entry };
	uint32_t nr = map->nr_corrections;

	if (nr > 0 && last_is_listed(map)) {
		struct e820_correction *before = &map->corrections[nr - 1];

		if (before->what == new.what && before->entry == entry &&
		    before->base + before->size == base) {
			before->size += size;
			return;
		}
	}
	if (nr < E820_MAX_CORRECTIONS) {
		map->corrections[nr] = new;
		nr_pieces = 1;
	}
	map->nr_corrections += nr_pieces;
}

static void record(struct e820_map *map, enum e820_what what, uint64_t base, uint64_t size,
		   uint32_t entry)
{
	record_pieces(map, what, base, size, entry, 1);
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

/* Cells. */

/* Moves border[i] down the heap of the first nr borders, to where no child is greater. */
static void sift_down(uint64_t *border, uint32_t i, uint32_t nr)
{
	uint64_t moved = border[i];

	for (uint32_t child; (child = 2 * i + 1) < nr; i = child) {
		if (child + 1 < nr && border[child + 1] > border[child])
			child++;
		if (border[child] <= moved)
			break;
		border[i] = border[child];
	}
	border[i] = moved;
}

/* Sorts the borders by heapsort, which has no slow case. */
static void sort_borders(uint64_t *border, uint32_t nr)
{
	for (uint32_t i = nr / 2; i-- > 0;)
		sift_down(border, i, nr);
	for (uint32_t end = nr; end-- > 1;) {
		uint64_t greatest = border[0];

		border[0] = border[end];
		border[end] = greatest;
		sift_down(border, 0, end);
	}
}

/* Returns the last byte that a raw entry claims; its size is not 0. */
static uint64_t claimed_last(const struct e820_entry *raw)
{
	uint64_t last = raw->base + (raw->size - 1);

	return last < raw->base ? UINT64_MAX : last;
}

/* Lists where the claims of all entries begin, and where they end unless that is the end of the
   address space: sorted, each border once. */
static void find_borders(struct e820_work *work, const struct e820_entry *raw, uint32_t nr)
{
	uint64_t *border = work->border;
	uint32_t nr_borders = 0;
	bool sorted = true;

	for (uint32_t i = 0; i < nr; i++) {
		if (!raw[i].size)
			continue;
		sorted = sorted && (!nr_borders || border[nr_borders - 1] <= raw[i].base);
		border[nr_borders++] = raw[i].base;
		if (claimed_last(&raw[i]) != UINT64_MAX)
			border[nr_borders++] = claimed_last(&raw[i]) + 1;
	}
	if (!sorted)
		sort_borders(border, nr_borders);
	work->nr_cells = 0;
	for (uint32_t i = 0; i < nr_borders; i++)
		if (!work->nr_cells || border[i] != border[work->nr_cells - 1])
			border[work->nr_cells++] = border[i];
}

/* Makes the cells of all entries. None has an owner. The last one may reach the end of the address
   space; if it does not, it lies behind all entries. */
static void make_cells(struct e820_work *work, const struct e820_entry *raw, uint32_t nr)
{
	find_borders(work, raw, nr);
	for (work->nr_leaves = 1; work->nr_leaves < work->nr_cells;)
		work->nr_leaves *= 2;
	for (uint32_t i = 0; i < 2 * work->nr_leaves; i++)
		work->floor[i] = work->low[i] = work->high[i] = 0;
	for (uint32_t i = 0; i < (work->nr_cells + 63) / 64; i++)
		work->edges[i] = work->covered[i] = 0;
}

/* Returns the cell that begins at base; nr_cells, if base is 0 as the end of the address space. */
static uint32_t cell_at(const struct e820_work *work, uint64_t base)
{
	uint32_t low = 0, high = work->nr_cells;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (work->border[middle] < base)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Returns the number of bytes from the beginning of one cell to that of another, or to the end of
   the address space. */
static uint64_t cells_size(const struct e820_work *work, uint32_t from, uint32_t to)
{
	return (to < work->nr_cells ? work->border[to] : 0) - work->border[from];
}

static bool bit(const uint64_t *bits, uint32_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

static void set_bit(uint64_t *bits, uint32_t i)
{
	bits[i / 64] |= (uint64_t)1 << (i % 64);
}

/* Returns a word with the bits set that stand for i and for all above it in the word of i. */
static uint64_t bits_from(uint32_t i)
{
	return ~(uint64_t)0 << (i % 64);
}

/* Sets the bits of [from, to), a range that is not empty. */
static void set_bits(uint64_t *bits, uint32_t from, uint32_t to)
{
	uint32_t first = from / 64, last = to / 64;

	if (first == last) {
		bits[first] |= bits_from(from) & ~bits_from(to);
		return;
	}
	bits[first] |= bits_from(from);
	for (uint32_t i = first + 1; i < last; i++)
		bits[i] = ~(uint64_t)0;
	if (to % 64)
		bits[last] |= ~bits_from(to);
}

/* Returns the number of set bits: by pairs, fours and bytes (Warren, Hacker's Delight, 5-1). */
static uint32_t weight(uint64_t word)
{
	word -= word >> 1 & 0x5555555555555555;
	word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (uint32_t)(word * 0x0101010101010101 >> 56);
}

/* Returns the bits of the word of i that say where a piece begins. */
static uint64_t beginnings(const struct e820_work *work, uint32_t i)
{
	return work->edges[i / 64] & work->covered[i / 64];
}

/* Returns the number of pieces in the cells [from, to), a range that is not empty: that of the
   first cell, and those that begin in another. */
static uint32_t pieces_in(const struct e820_work *work, uint32_t from, uint32_t to)
{
	uint32_t nr = bit(work->covered, from), last = to - 1;

	for (uint32_t i = from & ~63u; i <= last; i += 64)
		nr += weight(beginnings(work, i));
	nr -= weight(beginnings(work, from) & ~(bits_from(from) << 1));
	return nr - weight(beginnings(work, last) & bits_from(last) << 1);
}

/* Keys, and the tree. */

#define KEY_ENTRY_BITS 10
_Static_assert(E820_MAX_RAW <= 1 << KEY_ENTRY_BITS, "a key has room for the number of an entry");

/* Returns the lowest and the highest key of a rank. */
static uint64_t lowest_key(uint64_t of_rank)
{
	return (of_rank + 1) << KEY_ENTRY_BITS;
}

static uint64_t highest_key(uint64_t of_rank)
{
	return lowest_key(of_rank + 1) - 1;
}

/* Returns the key of a claim: by rank first, then the earlier entry is the higher one. */
static uint64_t key_of(const struct claim *claim)
{
	return highest_key(rank(claim->type)) - claim->entry;
}

static uint32_t key_entry(uint64_t key)
{
	return (1 << KEY_ENTRY_BITS) - 1 - (uint32_t)(key & ((1 << KEY_ENTRY_BITS) - 1));
}

static uint32_t key_type(uint64_t key)
{
	uint64_t of_rank = (key >> KEY_ENTRY_BITS) - 1;

	return of_rank ? (uint32_t)(of_rank - 1) : E820_TYPE_RAM;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Returns the key of a cell's owner, 0 for none. */
static uint64_t owner_of(const struct e820_work *work, uint32_t cell)
{
	uint64_t key = 0;

	for (uint32_t span = work->nr_leaves + cell; span; span /= 2)
		key = max(key, work->floor[span]);
	return key;
}

static void raise_span(struct e820_work *work, uint32_t span, uint64_t key)
{
	work->floor[span] = max(work->floor[span], key);
	work->low[span] = max(work->low[span], key);
	work->high[span] = max(work->high[span], key);
}

/* Computes low[] and high[] of a span from those of its halves. */
static void update_span(struct e820_work *work, uint32_t span)
{
	uint32_t half = 2 * span;
	uint64_t low = min(work->low[half], work->low[half + 1]);
	uint64_t high = max(work->high[half], work->high[half + 1]);

	work->low[span] = max(work->floor[span], low);
	work->high[span] = max(work->floor[span], high);
}

/* Computes low[] and high[] for all spans that have the first or the last of the cells [from, to).
 */
static void update_spans(struct e820_work *work, uint32_t from, uint32_t to)
{
	uint32_t a = (work->nr_leaves + from) / 2, b = (work->nr_leaves + to - 1) / 2;

	for (; a; a /= 2, b /= 2) {
		update_span(work, a);
		if (b != a)
			update_span(work, b);
	}
}

/* Paints a key on the cells [from, to). */
static void paint_cells(struct e820_work *work, uint32_t from, uint32_t to, uint64_t key)
{
	uint32_t a = work->nr_leaves + from, b = work->nr_leaves + to;

	for (; a < b; a /= 2, b /= 2) {
		if (a % 2)
			raise_span(work, a++, key);
		if (b % 2)
			raise_span(work, --b, key);
	}
	set_bits(work->covered, from, to);
}

/* A run of cells: those from `from` on, up to the first whose owner's key is not in [low, high]. */
struct run {
	uint32_t from;
	uint64_t low, high;
};

/*
 * Returns the first cell at or after run->from that does not belong to the run, of the nr cells of
 * a span, the first of which is `first`. Returns first + nr if there is none. floor is the highest
 * floor of the spans that this one is a part of.
 */
static uint32_t run_end_in(const struct e820_work *work, const struct run *run, uint32_t span,
			   uint32_t first, uint32_t nr, uint64_t floor)
{
	uint32_t end;

	if (first + nr <= run->from ||
	    (max(work->low[span], floor) >= run->low && max(work->high[span], floor) <= run->high))
		return first + nr;
	if (nr == 1)
		return first;
	nr /= 2;
	floor = max(work->floor[span], floor);
	end = run_end_in(work, run, 2 * span, first, nr, floor);
	return end < first + nr ? end : run_end_in(work, run, 2 * span + 1, first + nr, nr, floor);
}

/* Returns where the run ends that begins at `from`: at `to`, if not before. */
static uint32_t run_end(const struct e820_work *work, uint32_t from, uint32_t to, uint64_t low,
			uint64_t high)
{
	const struct run run = { from, low, high };
	uint32_t end = run_end_in(work, &run, 1, 0, work->nr_leaves, 0);

	return end < to ? end : to;
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

/*
 * Records what happens where a claim meets the pieces of [from, to). A run of pieces with the same
 * fate is one correction, until the list is full: then there is no need to look at them.
 */
static void contest(struct e820_map *map, const struct claim *claim, uint32_t from, uint32_t to)
{
	const struct e820_work *work = &map->work;
	uint64_t mine = rank(claim->type), low = lowest_key(mine), high = highest_key(mine);
	uint32_t end;

	for (; from < to && last_is_listed(map); from = end) {
		uint64_t owner = owner_of(work, from);
		enum e820_what what = E820_OVERLAP;
		uint32_t loser = claim->entry;

		if (owner < low) {
			end = run_end(work, from, to, owner, owner);
			loser = key_entry(owner);
		} else if (owner <= high) {
			end = run_end(work, from, to, low, high);
			what = E820_DUPLICATE;
		} else {
			end = run_end(work, from, to, high + 1, UINT64_MAX);
		}
		if (owner)
			record_pieces(map, what, work->border[from], cells_size(work, from, end),
				      loser, pieces_in(work, from, end));
	}
	if (from < to)
		map->nr_corrections += pieces_in(work, from, to);
}

/* Adds a claim to the pieces: it gets the gaps, and contests the pieces that it overlaps. */
static void paint(struct e820_map *map, const struct claim *claim)
{
	struct e820_work *work = &map->work;
	uint32_t from = cell_at(work, claim->base);
	uint32_t to = claim->last == UINT64_MAX ? work->nr_cells : cell_at(work, claim->last + 1);
	uint64_t first = owner_of(work, from), last = first;
	uint64_t low = lowest_key(rank(claim->type));

	if (to - from > 1)
		last = owner_of(work, to - 1);
	if (to - from > 1 || first)
		contest(map, claim, from, to);
	/* Where the claim loses, the piece keeps its borders. */
	if (first < low)
		set_bit(work->edges, from);
	if (to < work->nr_cells && last < low)
		set_bit(work->edges, to);
	paint_cells(work, from, to, key_of(claim));
	/* Once the list of corrections is full, only numbers of pieces are asked for. */
	if (last_is_listed(map))
		update_spans(work, from, to);
}

/* Makes the list of pieces. */
static void list_pieces(struct e820_map *map)
{
	struct e820_work *work = &map->work;

	for (uint32_t span = 2; span < 2 * work->nr_leaves; span++)
		work->floor[span] = max(work->floor[span], work->floor[span / 2]);
	for (uint32_t i = 0; i < work->nr_cells; i++) {
		uint64_t owner = work->floor[work->nr_leaves + i];
		uint64_t size = cells_size(work, i, i + 1);

		if (owner && bit(work->edges, i))
			map->ranges[map->nr_ranges++] =
			    (struct e820_range){ work->border[i], size, key_type(owner),
						 key_entry(owner) };
		else if (owner)
			map->ranges[map->nr_ranges - 1].size += size;
	}
}

/* Makes a claim from a raw entry and corrects the faults within that entry. Returns false if the
   entry is empty. */
static bool read_entry(struct e820_map *map, const struct e820_entry *raw, uint32_t index,
		       bool trust_attributes, struct claim *claim)
{
	*claim = (struct claim){ raw->base, claimed_last(raw), raw->type, index };

	if (!raw->size) {
		record(map, E820_ZERO_LENGTH, raw->base, 0, index);
		return false;
	}
	if (raw->base + (raw->size - 1) < raw->base) {
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
	for (uint32_t i = 0; i < map->nr_ranges; i++) {
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
	make_cells(&map->work, raw, nr);
	for (uint32_t i = 0; i < nr; i++) {
		if (!read_entry(map, &raw[i], i, trust_attributes, &claim))
			continue;
		if (claim.base < base_before)
			record(map, E820_UNSORTED, claim.base, claim.last - claim.base + 1, i);
		base_before = claim.base;
		paint(map, &claim);
	}
	list_pieces(map);
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

uint64_t e820_ram_until(const struct e820_map *map, uint64_t base)
{
	for (uint32_t i = 0; i < map->nr_ranges; i++) {
		const struct e820_range *range = &map->ranges[i];

		/* Where base lies below the range, the difference wraps and exceeds any size. */
		if (range->type == E820_TYPE_RAM && base - range->base < range->size)
			return range->base + range->size;
	}
	return base;
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
