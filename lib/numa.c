/*
 * numa.c: see numa.h.
 *
 * The entries are painted one after the other onto a list of *pieces*, which are sorted and
 * disjoint. An entry gets what is free of the memory that it names; what has an owner stays with
 * it.
 *
 *   entry 0      A [========]              pieces [A       ]
 *   entry 1            B [========]        pieces [A       ][B   ]
 *   entry 2  C [======================]    pieces [C  ][A       ][B   ][C    ]
 *
 * A piece also owns the RAM between its end and the next piece, because no entry below that RAM is
 * nearer. So the pieces divide all RAM into *stretches*, each of one piece, and the stretches
 * become the ranges of the result once the blocks that have several nodes are decided.
 *
 * n entries have at most 2n borders, so there are less than 2n pieces. They are kept in the upper
 * half of the map's ranges. The result fills the lower half: for each of its ranges there is a
 * piece that has RAM in the first block of the range, and no two of them have that piece in common,
 * as all blocks between would be the piece's alone. There is one range more at most, for the RAM
 * below all pieces.
 *
 * Ends are inclusive here ("last"), because an entry may reach the last byte of the address space.
 */
#include "lib/numa.h"

#include "lib/format.h"

#define MAX_PIECES (NUMA_MAX_RANGES / 2)
_Static_assert(2 * NUMA_MAX_ENTRIES <= MAX_PIECES, "each half of the ranges has room");

/* Offsets in the tables: ACPI 6.4, sections 5.2.6, 5.2.16 and 5.2.17. */
#define HEADER_LENGTH   4
#define HEADER_REVISION 8

#define SRAT_ENTRIES    48
#define ENTRY_TYPE      0
#define ENTRY_LENGTH    1
#define ENTRY_ENABLED   1u /* bit 0 of the flags of each type */

#define SLIT_COUNT      36
#define SLIT_DISTANCES  44

enum srat_type { SRAT_APIC = 0, SRAT_MEMORY = 1, SRAT_X2APIC = 2, SRAT_TYPE_COUNT };

/* The length of each type of entry, and the offset of its flags. */
static const uint8_t entry_length[] = { [SRAT_APIC] = 16, [SRAT_MEMORY] = 40, [SRAT_X2APIC] = 24 };
static const uint8_t entry_flags[] = { [SRAT_APIC] = 4, [SRAT_MEMORY] = 28, [SRAT_X2APIC] = 12 };

/* What an entry says. */
struct entry {
	uint32_t index;
	uint32_t domain;
	bool is_memory;
	uint32_t apic_id; /* of a processor */
	uint64_t base;    /* of memory: [base, last] */
	uint64_t last;
};

/* Reads the entries of an SRAT, those that count. */
struct reader {
	struct numa_map *map; /* where corrections go; NULL: they are known from an earlier pass */
	const uint8_t *table;
	uint32_t length;
	uint32_t at; /* the offset of the next entry, and its index */
	uint32_t index;
	uint32_t nr_memory; /* read so far */
	uint32_t nr_cpus;
};

/* What the functions below work on. */
struct work {
	struct numa_map *map;
	struct numa_range *pieces; /* nid is the domain until name_pieces() */
	uint32_t nr_pieces;
	const struct numa_ram *ram;
	uint32_t nr_ram;
};

/* RAM of one piece: [base, last]. */
struct stretch {
	uint64_t base;
	uint64_t last;
	const struct numa_range *piece; /* NULL: it lies below all pieces */
	bool named;                     /* an entry names this RAM */
};

/* Where next_stretch() is. */
struct place {
	uint32_t ram;   /* index of the RAM that comes next … */
	uint64_t base;  /* … from here on, if that is in it */
	uint32_t piece; /* index of the first piece that does not end below it */
};

/* The block that is being decided: how much of its RAM each node has. */
struct block {
	uint64_t number;
	uint64_t nodes; /* bit i: node i has some */
	uint32_t bytes[NUMA_MAX_NODES];
};
_Static_assert(NUMA_MAX_NODES <= 64, "a word has a bit for each node");

static uint64_t last_of(uint64_t base, uint64_t size)
{
	return base + (size - 1);
}

/* Records a correction. If it continues the one before (same kind, same entry, adjacent), it
   extends that one. No two corrections without memory have the same kind and entry. */
static void record(struct numa_map *map, enum numa_what what, uint64_t base, uint64_t size,
		   uint32_t entry)
{
	uint32_t nr = map->nr_corrections;

	if (nr > 0 && nr <= NUMA_MAX_CORRECTIONS) {
		struct numa_correction *before = &map->corrections[nr - 1];

		if (before->what == what && before->entry == entry &&
		    before->base + before->size == base) {
			before->size += size;
			return;
		}
	}
	if (nr < NUMA_MAX_CORRECTIONS)
		map->corrections[nr] = (struct numa_correction){ base, size, what, entry };
	map->nr_corrections++;
}

static void begin(struct work *work, struct numa_map *map, const struct numa_ram *ram,
		  uint32_t nr_ram)
{
	map->nr_nodes = 0;
	map->nr_ranges = 0;
	map->nr_cpus = 0;
	map->nr_corrections = 0;
	*work = (struct work){ map, &map->ranges[MAX_PIECES], 0, ram, nr_ram };
}

/* Tables. */

/* Return a little-endian number: a table's fields need not be aligned. */
static uint32_t read32(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static uint64_t read64(const uint8_t *bytes)
{
	return read32(bytes) | (uint64_t)read32(bytes + 4) << 32;
}

/* Returns the length of a table that has its signature, at least min bytes, all of them within
   size, and the checksum 0. Returns 0 for any other. */
static uint32_t table_length(const uint8_t *table, size_t size, const char *signature, uint32_t min)
{
	uint32_t length;
	uint8_t sum = 0;

	if (size < min)
		return 0;
	for (uint32_t i = 0; i < 4; i++)
		if (table[i] != (uint8_t)signature[i])
			return 0;
	length = read32(table + HEADER_LENGTH);
	if (length < min || length > size)
		return 0;
	for (uint32_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + table[i]);
	return sum ? 0 : length;
}

static void record_read(const struct reader *reader, enum numa_what what, uint64_t base,
			uint64_t size)
{
	if (reader->map)
		record(reader->map, what, base, size, reader->index);
}

/* Reads a processor's entry. Returns false if there is no room for it. */
static bool read_cpu(struct reader *reader, const uint8_t *bytes, struct entry *entry)
{
	if (reader->nr_cpus == NUMA_MAX_CPUS) {
		record_read(reader, NUMA_TOO_MANY, 0, 0);
		return false;
	}
	reader->nr_cpus++;
	entry->is_memory = false;
	if (bytes[ENTRY_TYPE] == SRAT_X2APIC) {
		entry->domain = read32(bytes + 4);
		entry->apic_id = read32(bytes + 8);
		return true;
	}
	entry->domain = bytes[2];
	if (reader->table[HEADER_REVISION] >= 2)
		entry->domain |= read32(bytes + 8) & 0xffffff00;
	entry->apic_id = bytes[3];
	return true;
}

/* Makes an entry of memory: [base, base + size), cut at the end of the address space. Returns false
   if it is empty or there is no room for it. */
static bool read_memory(struct reader *reader, uint64_t base, uint64_t size, struct entry *entry)
{
	if (!size)
		return false;
	entry->is_memory = true;
	entry->base = base;
	entry->last = last_of(base, size);
	if (entry->last < base) {
		entry->last = UINT64_MAX;
		record_read(reader, NUMA_WRAP, base, 0 - base);
	}
	if (reader->nr_memory == NUMA_MAX_ENTRIES) {
		record_read(reader, NUMA_TOO_MANY, base, entry->last - base + 1);
		return false;
	}
	reader->nr_memory++;
	return true;
}

/* Reads an entry of a known type, not shorter than that type is. Returns false if it does not
   count. */
static bool read_entry(struct reader *reader, const uint8_t *bytes, struct entry *entry)
{
	if (!(bytes[entry_flags[bytes[ENTRY_TYPE]]] & ENTRY_ENABLED))
		return false;
	entry->index = reader->index;
	if (bytes[ENTRY_TYPE] != SRAT_MEMORY)
		return read_cpu(reader, bytes, entry);
	/* The first revision has 8 bits; what follows them is reserved, and not always 0. */
	entry->domain = reader->table[HEADER_REVISION] >= 2 ? read32(bytes + 2) : bytes[2];
	return read_memory(reader, read64(bytes + 8), read64(bytes + 16), entry);
}

/* Reads the next entry that counts. Returns false if there is none. */
static bool next_entry(struct reader *reader, struct entry *entry)
{
	bool found = false;

	for (; !found && reader->at < reader->length; reader->index++) {
		const uint8_t *bytes = reader->table + reader->at;
		uint32_t left = reader->length - reader->at;

		if (left <= ENTRY_LENGTH || bytes[ENTRY_LENGTH] <= ENTRY_LENGTH ||
		    bytes[ENTRY_LENGTH] > left) {
			record_read(reader, NUMA_CUT_SHORT, 0, 0);
			break;
		}
		reader->at += bytes[ENTRY_LENGTH];
		if (bytes[ENTRY_TYPE] >= SRAT_TYPE_COUNT)
			continue;
		if (bytes[ENTRY_LENGTH] < entry_length[bytes[ENTRY_TYPE]])
			record_read(reader, NUMA_SHORT_ENTRY, 0, 0);
		else
			found = read_entry(reader, bytes, entry);
	}
	return found;
}

/* Pieces. */

static void insert_piece(struct work *work, uint32_t i, uint64_t base, uint64_t last,
			 uint32_t domain)
{
	for (uint32_t k = work->nr_pieces++; k > i; k--)
		work->pieces[k] = work->pieces[k - 1];
	work->pieces[i] = (struct numa_range){ base, last - base + 1, domain, 0 };
}

/* Gives an entry what is free of its memory. Quick for one that lies above all before it. */
static void paint(struct work *work, const struct entry *entry)
{
	uint64_t base = entry->base, last = 0;
	uint32_t i = work->nr_pieces;

	while (i > 0 && last_of(work->pieces[i - 1].base, work->pieces[i - 1].size) >= base)
		i--;
	for (;; i++, base = last + 1) {
		const struct numa_range *piece = i < work->nr_pieces ? &work->pieces[i] : NULL;

		last = entry->last;
		if (piece && piece->base <= base) {
			if (last_of(piece->base, piece->size) < last)
				last = last_of(piece->base, piece->size);
			if (piece->nid != entry->domain)
				record(work->map, NUMA_OVERLAP, base, last - base + 1,
				       entry->index);
		} else {
			if (piece && piece->base <= last)
				last = piece->base - 1;
			insert_piece(work, i, base, last, entry->domain);
		}
		if (last == entry->last)
			return;
	}
}

/* Finds the next stretch of RAM. Returns false if there is none. */
static bool next_stretch(const struct work *work, struct place *place, struct stretch *stretch)
{
	const struct numa_range *piece;
	uint64_t last;

	while (place->ram < work->nr_ram && !work->ram[place->ram].size)
		place->ram++;
	if (place->ram == work->nr_ram)
		return false;
	if (place->base < work->ram[place->ram].base)
		place->base = work->ram[place->ram].base;
	last = last_of(work->ram[place->ram].base, work->ram[place->ram].size);
	piece = &work->pieces[place->piece];
	while (place->piece < work->nr_pieces && last_of(piece->base, piece->size) < place->base)
		piece = &work->pieces[++place->piece];
	stretch->named = place->piece < work->nr_pieces && piece->base <= place->base;
	stretch->base = place->base;
	stretch->last = last;
	if (stretch->named && last_of(piece->base, piece->size) < last)
		stretch->last = last_of(piece->base, piece->size);
	else if (place->piece < work->nr_pieces && !stretch->named && piece->base <= last)
		stretch->last = piece->base - 1;
	if (!stretch->named)
		piece = place->piece ? piece - 1 : NULL;
	stretch->piece = piece;
	if (stretch->last == last)
		place->ram++;
	place->base = stretch->last + 1;
	return true;
}

/* Nodes. */

/* Returns the node of a domain, or nr_nodes if it has none. */
static uint32_t find_node(const struct numa_map *map, uint32_t domain)
{
	uint32_t nid = 0;

	while (nid < map->nr_nodes && map->domain[nid] != domain)
		nid++;
	return nid;
}

/* Makes nodes of the domains that have RAM, in the order of their first, and lists the RAM that no
   entry names. */
static void name_nodes(struct work *work)
{
	struct numa_map *map = work->map;
	struct place place = { 0 };
	struct stretch stretch;

	while (next_stretch(work, &place, &stretch)) {
		if (!stretch.named)
			record(map, NUMA_NO_ENTRY, stretch.base, stretch.last - stretch.base + 1,
			       0);
		if (stretch.piece && map->nr_nodes < NUMA_MAX_NODES &&
		    find_node(map, stretch.piece->nid) == map->nr_nodes)
			map->domain[map->nr_nodes++] = stretch.piece->nid;
	}
}

/* Makes a node without RAM of a domain that has none yet. The nodes from `first` on are those
   without RAM, in rising order; when there are too many, the highest is dropped. */
static void name_without_ram(struct numa_map *map, uint32_t first, uint32_t domain)
{
	uint32_t nid = map->nr_nodes;

	if (find_node(map, domain) < map->nr_nodes)
		return;
	if (nid == NUMA_MAX_NODES) {
		if (nid == first || map->domain[nid - 1] < domain)
			return;
		nid--;
	} else {
		map->nr_nodes++;
	}
	for (; nid > first && map->domain[nid - 1] > domain; nid--)
		map->domain[nid] = map->domain[nid - 1];
	map->domain[nid] = domain;
}

/* Replaces the domain of each piece by its node. */
static void name_pieces(struct work *work)
{
	for (uint32_t i = 0; i < work->nr_pieces; i++) {
		uint32_t nid = find_node(work->map, work->pieces[i].nid);

		work->pieces[i].nid = nid < work->map->nr_nodes ? nid : 0;
	}
}

/* Lists the processors with their nodes, and the entries whose domain became none. */
static void place_entries(struct numa_map *map, struct reader reader)
{
	struct entry entry;

	while (next_entry(&reader, &entry)) {
		uint32_t nid = find_node(map, entry.domain);
		uint64_t base = entry.is_memory ? entry.base : 0;

		if (nid == map->nr_nodes) {
			record(map, NUMA_TOO_MANY, base,
			       entry.is_memory ? entry.last - base + 1 : 0, entry.index);
			nid = 0;
		}
		if (!entry.is_memory)
			map->cpus[map->nr_cpus++] = (struct numa_cpu){ entry.apic_id, nid };
	}
}

/* Distances. */

/* Returns the number of localities of a SLIT that fits domains up to max_domain, or 0. */
static uint32_t slit_localities(const uint8_t *slit, size_t size, uint32_t max_domain)
{
	uint32_t length = table_length(slit, size, "SLIT", SLIT_DISTANCES);
	uint64_t nr = length ? read64(slit + SLIT_COUNT) : 0;

	if (nr > 0xffff || nr * nr > length - SLIT_DISTANCES || max_domain >= nr)
		return 0;
	for (uint64_t from = 0; from < nr; from++)
		for (uint64_t to = 0; to < nr; to++) {
			uint8_t distance = slit[SLIT_DISTANCES + from * nr + to];

			if (from == to ? distance != NUMA_LOCAL : distance <= NUMA_LOCAL)
				return 0;
		}
	return (uint32_t)nr;
}

/* Sets the distances of all nodes: those of a SLIT of nr localities, unless nr is 0. */
static void set_distances(struct numa_map *map, const uint8_t *slit, uint32_t nr)
{
	for (uint32_t from = 0; from < map->nr_nodes; from++) {
		const uint8_t *row =
		    nr ? slit + SLIT_DISTANCES + (size_t)map->domain[from] * nr : NULL;

		for (uint32_t to = 0; to < map->nr_nodes; to++)
			map->distance[from][to] = row          ? row[map->domain[to]]
						  : from == to ? NUMA_LOCAL
							       : NUMA_REMOTE;
	}
}

/* Ranges. */

/* Gives the blocks [from, to) to a node. They lie above all before them. */
static void add_range(struct numa_map *map, uint64_t from, uint64_t to, uint32_t nid)
{
	struct numa_range *before = map->nr_ranges ? &map->ranges[map->nr_ranges - 1] : NULL;

	if (before && before->nid == nid)
		before->size = to * NUMA_BLOCK - before->base;
	else
		map->ranges[map->nr_ranges++] =
		    (struct numa_range){ from * NUMA_BLOCK, (to - from) * NUMA_BLOCK, nid, 0 };
}

/* Decides which node has the block, and forgets its RAM. */
static void close_block(struct numa_map *map, struct block *block)
{
	uint32_t most = 0;

	if (!block->nodes)
		return;
	for (uint32_t nid = 0; block->nodes >> nid; nid++)
		if (block->nodes >> nid & 1 &&
		    (!(block->nodes >> most & 1) || block->bytes[nid] > block->bytes[most]))
			most = nid;
	if (block->nodes & (block->nodes - 1))
		record(map, NUMA_SPLIT_BLOCK, block->number * NUMA_BLOCK, NUMA_BLOCK, 0);
	add_range(map, block->number, block->number + 1, most);
	block->nodes = 0;
}

/* Adds a node's RAM [base, last] to the block that it lies in, which becomes the one that is being
   decided. */
static void add_to_block(struct numa_map *map, struct block *block, uint64_t base, uint64_t last,
			 uint32_t nid)
{
	if (base / NUMA_BLOCK != block->number)
		close_block(map, block);
	block->number = base / NUMA_BLOCK;
	if (!(block->nodes >> nid & 1))
		block->bytes[nid] = 0;
	block->nodes |= 1ull << nid;
	block->bytes[nid] += (uint32_t)(last - base + 1);
}

/* Makes the ranges of the result. */
static void make_ranges(const struct work *work)
{
	struct numa_map *map = work->map;
	struct place place = { 0 };
	struct stretch stretch;
	struct block block = { 0 };

	while (next_stretch(work, &place, &stretch)) {
		uint64_t first = stretch.base / NUMA_BLOCK, last = stretch.last / NUMA_BLOCK;
		uint32_t nid = stretch.piece ? stretch.piece->nid : 0;

		if (first == last) {
			add_to_block(map, &block, stretch.base, stretch.last, nid);
			continue;
		}
		add_to_block(map, &block, stretch.base, (first + 1) * NUMA_BLOCK - 1, nid);
		close_block(map, &block);
		if (first + 1 < last)
			add_range(map, first + 1, last, nid);
		add_to_block(map, &block, last * NUMA_BLOCK, stretch.last, nid);
	}
	close_block(map, &block);
}

/* Makes the rest of the map once the nodes have their names: one at least. */
static void finish(struct work *work, const uint8_t *slit, uint32_t localities)
{
	struct numa_map *map = work->map;

	if (!map->nr_nodes)
		map->domain[map->nr_nodes++] = 0;
	name_pieces(work);
	set_distances(map, slit, localities);
	make_ranges(work);
}

/* Reads the SRAT, with the SLIT if there is one. */
static void read_srat(struct work *work, const struct reader *srat, const uint8_t *slit,
		      size_t slit_size)
{
	struct reader reader = *srat;
	uint32_t max_domain = 0, localities = 0, first_without_ram;
	struct entry entry;

	reader.map = work->map;
	while (next_entry(&reader, &entry)) {
		if (entry.is_memory)
			paint(work, &entry);
		if (entry.domain > max_domain)
			max_domain = entry.domain;
	}
	name_nodes(work);
	first_without_ram = work->map->nr_nodes;
	if (slit && work->nr_pieces) {
		localities = slit_localities(slit, slit_size, max_domain);
		if (!localities)
			record(work->map, NUMA_BAD_SLIT, 0, 0, 0);
	}
	for (reader = *srat; next_entry(&reader, &entry);)
		name_without_ram(work->map, first_without_ram, entry.domain);
	for (uint32_t domain = 0; domain < localities; domain++)
		name_without_ram(work->map, first_without_ram, domain);
	place_entries(work->map, *srat);
	if (localities > NUMA_MAX_NODES)
		record(work->map, NUMA_TOO_MANY, 0, 0, NUMA_SLIT);
	finish(work, slit, localities);
}

void numa_read(struct numa_map *map, const struct numa_input *in)
{
	struct reader reader = { .table = in->srat, .at = SRAT_ENTRIES };
	struct work work;

	begin(&work, map, in->ram, in->nr_ram);
	if (in->srat)
		reader.length = table_length(in->srat, in->srat_size, "SRAT", SRAT_ENTRIES);
	if (reader.length) {
		read_srat(&work, &reader, in->slit, in->slit_size);
		return;
	}
	if (in->srat)
		record(map, NUMA_BAD_SRAT, 0, 0, 0);
	finish(&work, NULL, 0);
}

/* Makes the nodes 0 to nr - 1 known, with the same numbers as domains. */
static void name_by_number(struct numa_map *map, uint32_t nr)
{
	for (; map->nr_nodes < nr; map->nr_nodes++)
		map->domain[map->nr_nodes] = map->nr_nodes;
}

void numa_from_ranges(struct numa_map *map, const struct numa_range *given, uint32_t nr,
		      const struct numa_ram *ram, uint32_t nr_ram)
{
	struct reader reader = { .map = map };
	struct entry entry;
	struct work work;

	begin(&work, map, ram, nr_ram);
	for (; reader.index < nr; reader.index++) {
		const struct numa_range *range = &given[reader.index];

		if (!read_memory(&reader, range->base, range->size, &entry))
			continue;
		entry.index = reader.index;
		entry.domain = range->nid;
		if (range->nid >= NUMA_MAX_NODES) {
			record(map, NUMA_TOO_MANY, entry.base, entry.last - entry.base + 1,
			       entry.index);
			entry.domain = 0;
		}
		name_by_number(map, entry.domain + 1);
		paint(&work, &entry);
	}
	name_nodes(&work);
	finish(&work, NULL, 0);
}

/* Returns how many bytes of RAM lie below an address. */
static uint64_t ram_below(const struct work *work, uint64_t address)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < work->nr_ram && work->ram[i].base < address; i++)
		bytes += address - work->ram[i].base < work->ram[i].size
			     ? address - work->ram[i].base
			     : work->ram[i].size;
	return bytes;
}

/* Returns the address of a byte of RAM, counted from 0; there are more. */
static uint64_t ram_address(const struct work *work, uint64_t byte)
{
	uint32_t i = 0;

	for (; byte >= work->ram[i].size; i++)
		byte -= work->ram[i].size;
	return work->ram[i].base + byte;
}

/* Gives each node its share of the RAM that is left, to the nearest border of a block, but one
   block at least while there is RAM. */
void numa_fake(struct numa_map *map, uint32_t nodes, const struct numa_ram *ram, uint32_t nr_ram)
{
	uint64_t total, taken = 0, base = 0;
	struct work work;

	begin(&work, map, ram, nr_ram);
	name_by_number(map, nodes);
	total = ram_below(&work, UINT64_MAX);
	for (uint32_t nid = 0; nid < nodes && taken < total; nid++) {
		uint64_t share = (total - taken) / (nodes - nid);
		uint64_t border = UINT64_MAX, first = ram_address(&work, taken) / NUMA_BLOCK;

		if (share < total - taken)
			border = (ram_address(&work, taken + share) + NUMA_BLOCK / 2) / NUMA_BLOCK *
				 NUMA_BLOCK;
		if (border < (first + 1) * NUMA_BLOCK)
			border = (first + 1) * NUMA_BLOCK;
		insert_piece(&work, work.nr_pieces, base, border - 1, nid);
		base = border;
		taken = ram_below(&work, border);
	}
	finish(&work, NULL, 0);
}

/* What a correction is called, and what it did. */
static const struct {
	const char *name, *done;
} words[] = {
	[NUMA_BAD_SRAT] = { "bad SRAT", "node 0 has all memory" },
	[NUMA_BAD_SLIT] = { "bad SLIT", "replaced by distances of 10 and 20" },
	[NUMA_CUT_SHORT] = { "cut short", "the rest of the table is left out" },
	[NUMA_SHORT_ENTRY] = { "short entry", "left out" },
	[NUMA_WRAP] = { "wrap", "cut at the end of the address space" },
	[NUMA_OVERLAP] = { "overlap", "the earlier entry keeps it" },
	[NUMA_NO_ENTRY] = { "no entry", "the nearest node below has it, or node 0" },
	[NUMA_SPLIT_BLOCK] = { "split block", "the node with most of its RAM has it" },
	[NUMA_TOO_MANY] = { "too many", "there is no room, or no node is left" },
};
_Static_assert(sizeof(words) / sizeof(words[0]) == NUMA_WHAT_COUNT, "words for each");

const char *numa_what_name(uint32_t what)
{
	return what < NUMA_WHAT_COUNT ? words[what].name : NULL;
}

/* Returns whether a correction is found by the number of its entry, because it has no memory. */
static bool needs_entry(const struct numa_correction *correction)
{
	return correction->what == NUMA_CUT_SHORT || correction->what == NUMA_SHORT_ENTRY ||
	       (correction->what == NUMA_TOO_MANY && !correction->size);
}

const char *numa_correction_text(const struct numa_correction *correction,
				 char text[NUMA_CORRECTION_TEXT])
{
	const struct numa_correction *c = correction;
	char place[56] = "";

	if (c->what >= NUMA_WHAT_COUNT) {
		fmt_snprintf(text, NUMA_CORRECTION_TEXT, "correction %u", c->what);
		return text;
	}
	if (c->size)
		fmt_snprintf(place, sizeof(place), " [mem 0x%llx-0x%llx]", ULL(c->base),
			     ULL(last_of(c->base, c->size)));
	else if (c->entry == NUMA_SLIT)
		fmt_snprintf(place, sizeof(place), " (SLIT)");
	else if (needs_entry(c))
		fmt_snprintf(place, sizeof(place), " (entry %u)", c->entry);
	fmt_snprintf(text, NUMA_CORRECTION_TEXT, "%s%s: %s", words[c->what].name, place,
		     words[c->what].done);
	return text;
}
