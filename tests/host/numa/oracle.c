#include "tests/host/numa/oracle.h"

#include <stdio.h>
#include <string.h>

#define NONE 0xffffffffu

static const struct oracle_machine *m;
static struct numa_map want;

static uint64_t cell_base(uint32_t cell)
{
	return cell * m->cell;
}

/* Returns the number of bytes of the cells [from, to). */
static uint64_t cells_size(uint32_t from, uint32_t to)
{
	return (to == m->nr_cells ? 0 : cell_base(to)) - cell_base(from);
}

static bool is_memory(const struct oracle_entry *entry)
{
	return !entry->is_cpu && !entry->disabled && entry->from < entry->to;
}

static bool counts(const struct oracle_entry *entry)
{
	return is_memory(entry) || (entry->is_cpu && !entry->disabled);
}

/* Returns the first of the first nr entries that names a cell, or NONE. */
static uint32_t first_to_name(uint32_t cell, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		if (is_memory(&m->entries[i]) && m->entries[i].from <= cell &&
		    cell < m->entries[i].to)
			return i;
	return NONE;
}

/* Returns the entry whose domain has a cell: the first that names it or the nearest named cell
   below it, or NONE. */
static uint32_t holder(uint32_t cell)
{
	for (uint32_t below = cell + 1; below-- > 0;)
		if (first_to_name(below, m->nr_entries) != NONE)
			return first_to_name(below, m->nr_entries);
	return NONE;
}

static uint32_t node_of(uint32_t domain)
{
	for (uint32_t nid = 0; nid < want.nr_nodes; nid++)
		if (want.domain[nid] == domain)
			return nid;
	return NONE;
}

static uint32_t node_or_0(uint32_t domain)
{
	return node_of(domain) == NONE ? 0 : node_of(domain);
}

static void list(struct numa_correction new)
{
	if (want.nr_corrections < NUMA_MAX_CORRECTIONS)
		want.corrections[want.nr_corrections] = new;
	want.nr_corrections++;
}

static void correction(enum numa_what what, uint32_t from, uint32_t to, uint32_t entry)
{
	uint64_t base = from < to ? cell_base(from) : 0,
		 size = from < to ? cells_size(from, to) : 0;

	list((struct numa_correction){ base, size, what, entry });
}

/* Returns whether an entry claims a cell that an earlier one of another domain has. */
static bool overlaps(uint32_t entry, uint32_t cell)
{
	uint32_t first = first_to_name(cell, entry);

	return cell >= m->entries[entry].from && cell < m->entries[entry].to && first != NONE &&
	       m->entries[first].domain != m->entries[entry].domain;
}

static bool unnamed(uint32_t entry, uint32_t cell)
{
	(void)entry;
	return m->ram[cell] && first_to_name(cell, m->nr_entries) == NONE;
}

/* Lists each maximal run of cells that have a fault. */
static void correct_runs(enum numa_what what, uint32_t entry,
			 bool (*fault)(uint32_t entry, uint32_t cell))
{
	for (uint32_t from = 0, to; from < m->nr_cells; from = to) {
		for (to = from; to < m->nr_cells && fault(entry, to);)
			to++;
		if (from < to)
			correction(what, from, to, entry);
		else
			to++;
	}
}

static void correct_entries(void)
{
	for (uint32_t i = 0; i < m->nr_entries; i++) {
		if (!is_memory(&m->entries[i]))
			continue;
		if (m->entries[i].wraps)
			correction(NUMA_WRAP, m->entries[i].from, m->nr_cells, i);
		correct_runs(NUMA_OVERLAP, i, overlaps);
	}
	correct_runs(NUMA_NO_ENTRY, 0, unnamed);
}

static bool slit_fits(void)
{
	for (uint32_t i = 0; i < m->nr_entries; i++)
		if (counts(&m->entries[i]) && m->entries[i].domain >= m->localities)
			return false;
	for (uint32_t from = 0; from < m->localities; from++)
		for (uint32_t to = 0; to < m->localities; to++)
			if ((m->distance[from][to] == 10) != (from == to) ||
			    m->distance[from][to] < 10)
				return false;
	return true;
}

static bool names_memory(void)
{
	for (uint32_t i = 0; i < m->nr_entries; i++)
		if (is_memory(&m->entries[i]))
			return true;
	return false;
}

/* Returns the lowest domain that is no node yet, or NONE: of an entry, or below localities. */
static uint32_t lowest_left(uint32_t localities)
{
	uint32_t lowest = NONE;

	for (uint32_t domain = 0; domain < localities; domain++)
		if (node_of(domain) == NONE && domain < lowest)
			lowest = domain;
	for (uint32_t i = 0; i < m->nr_entries; i++)
		if (counts(&m->entries[i]) && node_of(m->entries[i].domain) == NONE &&
		    m->entries[i].domain < lowest)
			lowest = m->entries[i].domain;
	return lowest;
}

static void make_nodes(void)
{
	bool fits = m->localities && names_memory() && slit_fits();
	uint32_t localities = fits ? m->localities : 0;

	for (uint32_t cell = 0; cell < m->nr_cells; cell++) {
		uint32_t entry = m->ram[cell] ? holder(cell) : NONE;

		if (entry != NONE && want.nr_nodes < NUMA_MAX_NODES &&
		    node_of(m->entries[entry].domain) == NONE)
			want.domain[want.nr_nodes++] = m->entries[entry].domain;
	}
	if (m->localities && names_memory() && !fits)
		correction(NUMA_BAD_SLIT, 0, 0, 0);
	while (want.nr_nodes < NUMA_MAX_NODES && lowest_left(localities) != NONE) {
		uint32_t domain = lowest_left(localities);

		want.domain[want.nr_nodes++] = domain;
	}
	if (want.nr_nodes == 0)
		want.domain[want.nr_nodes++] = 0;
	for (uint32_t i = 0; i < want.nr_nodes; i++)
		for (uint32_t k = 0; k < want.nr_nodes; k++)
			want.distance[i][k] =
			    fits ? m->distance[want.domain[i]][want.domain[k]] : (i == k ? 10 : 20);
}

static void place_entries(void)
{
	for (uint32_t i = 0; i < m->nr_entries; i++) {
		const struct oracle_entry *e = &m->entries[i];

		if (!counts(e))
			continue;
		if (node_of(e->domain) == NONE)
			correction(NUMA_TOO_MANY, e->is_cpu ? 0 : e->from, e->is_cpu ? 0 : e->to,
				   i);
		if (e->is_cpu)
			want.cpus[want.nr_cpus++] =
			    (struct numa_cpu){ e->apic_id, node_or_0(e->domain) };
	}
}

/* Returns the node that has most cells of the block that begins at a cell, or NONE if the block has
   no RAM. *nodes becomes the number of nodes that have RAM in it. */
static uint32_t node_of_block(uint32_t first, uint32_t *nodes)
{
	uint32_t cells[NUMA_MAX_NODES] = { 0 }, most = NONE;

	for (uint32_t cell = first; cell < first + NUMA_BLOCK / m->cell; cell++)
		if (cell < m->nr_cells && m->ram[cell])
			cells[holder(cell) == NONE ? 0
						   : node_or_0(m->entries[holder(cell)].domain)]++;
	*nodes = 0;
	for (uint32_t nid = 0; nid < NUMA_MAX_NODES; nid++) {
		*nodes += cells[nid] != 0;
		if (cells[nid] && (most == NONE || cells[nid] > cells[most]))
			most = nid;
	}
	return most;
}

static void add_split(uint32_t first)
{
	uint32_t nr = want.nr_corrections;
	struct numa_correction *before =
	    nr && nr <= NUMA_MAX_CORRECTIONS ? &want.corrections[nr - 1] : NULL;
	uint64_t base = cell_base(first);

	if (before && before->what == NUMA_SPLIT_BLOCK && before->base + before->size == base)
		before->size += NUMA_BLOCK;
	else
		list((struct numa_correction){ base, NUMA_BLOCK, NUMA_SPLIT_BLOCK, 0 });
}

static void make_ranges(void)
{
	for (uint32_t first = 0; first < m->nr_cells; first += (uint32_t)(NUMA_BLOCK / m->cell)) {
		uint32_t nodes, nid = node_of_block(first, &nodes);
		struct numa_range *before =
		    want.nr_ranges ? &want.ranges[want.nr_ranges - 1] : NULL;

		if (nid == NONE)
			continue;
		if (nodes > 1)
			add_split(first);
		if (before && before->nid == nid)
			before->size = cell_base(first) + NUMA_BLOCK - before->base;
		else
			want.ranges[want.nr_ranges++] =
			    (struct numa_range){ cell_base(first), NUMA_BLOCK, nid, 0 };
	}
}

static bool same(const struct numa_correction *a, const struct numa_correction *b)
{
	return a->base == b->base && a->size == b->size && a->what == b->what &&
	       a->entry == b->entry;
}

/* A list that is full may count adjacent corrections one by one. */
static const char *compare_corrections(const struct numa_map *map)
{
	static char text[200];
	bool full = want.nr_corrections > NUMA_MAX_CORRECTIONS;
	uint32_t nr = full ? NUMA_MAX_CORRECTIONS : want.nr_corrections;

	for (uint32_t i = 0; i < nr && i < map->nr_corrections; i++) {
		const struct numa_correction *a = &map->corrections[i], *b = &want.corrections[i];

		if (same(a, b))
			continue;
		snprintf(text, sizeof(text),
			 "correction %u is %u [0x%llx, +0x%llx) of entry %u, "
			 "but must be %u [0x%llx, +0x%llx) of %u",
			 i, a->what, (unsigned long long)a->base, (unsigned long long)a->size,
			 a->entry, b->what, (unsigned long long)b->base,
			 (unsigned long long)b->size, b->entry);
		return text;
	}
	if (full ? map->nr_corrections <= nr : map->nr_corrections != nr) {
		snprintf(text, sizeof(text), "%u corrections, but must be %u", map->nr_corrections,
			 want.nr_corrections);
		return text;
	}
	return NULL;
}

static const char *compare(const struct numa_map *map)
{
	static char text[200];

	if (map->nr_nodes != want.nr_nodes || map->nr_ranges != want.nr_ranges ||
	    map->nr_cpus != want.nr_cpus) {
		snprintf(text, sizeof(text), "%u nodes, %u ranges, %u CPUs, but must be %u, %u, %u",
			 map->nr_nodes, map->nr_ranges, map->nr_cpus, want.nr_nodes, want.nr_ranges,
			 want.nr_cpus);
		return text;
	}
	if (memcmp(map->domain, want.domain, want.nr_nodes * sizeof(want.domain[0])) != 0)
		return "domains";
	for (uint32_t i = 0; i < want.nr_nodes; i++)
		if (memcmp(map->distance[i], want.distance[i], want.nr_nodes) != 0)
			return "distances";
	if (memcmp(map->ranges, want.ranges, want.nr_ranges * sizeof(want.ranges[0])) != 0)
		return "ranges";
	if (memcmp(map->cpus, want.cpus, want.nr_cpus * sizeof(want.cpus[0])) != 0)
		return "CPUs";
	return compare_corrections(map);
}

const char *numa_oracle(const struct numa_map *judged, const struct oracle_machine *machine)
{
	m = machine;
	want.nr_nodes = want.nr_ranges = want.nr_cpus = want.nr_corrections = 0;
	correct_entries();
	make_nodes();
	place_entries();
	make_ranges();
	return compare(judged);
}

#define REQUIRE(holds)                 \
	do {                           \
		if (!(holds))          \
			return #holds; \
	} while (0)

/* Returns whether some RAM lies in a block. */
static bool has_ram(const struct numa_ram *ram, uint32_t nr_ram, uint64_t block)
{
	for (uint32_t i = 0; i < nr_ram; i++)
		if (ram[i].size && ram[i].base < block + NUMA_BLOCK &&
		    ram[i].base + ram[i].size > block)
			return true;
	return false;
}

/* Checks that the ranges cover some RAM; only where nodes change may several be needed for it. */
static const char *check_covered(const struct numa_map *map, uint64_t base, uint64_t end)
{
	for (uint32_t i = 0; i < map->nr_ranges && base < end; i++) {
		const struct numa_range *range = &map->ranges[i];

		if (range->base + range->size <= base)
			continue;
		REQUIRE(range->base <= base);
		base = range->base + range->size;
	}
	REQUIRE(base >= end);
	return NULL;
}

static const char *check_nodes(const struct numa_map *map)
{
	REQUIRE(map->nr_nodes >= 1 && map->nr_nodes <= NUMA_MAX_NODES);
	for (uint32_t i = 0; i < map->nr_nodes; i++)
		for (uint32_t k = 0; k < map->nr_nodes; k++) {
			REQUIRE(i == k || map->domain[i] != map->domain[k]);
			REQUIRE(i == k ? map->distance[i][k] == 10 : map->distance[i][k] > 10);
		}
	REQUIRE(map->nr_cpus <= NUMA_MAX_CPUS);
	for (uint32_t i = 0; i < map->nr_cpus; i++)
		REQUIRE(map->cpus[i].nid < map->nr_nodes);
	for (uint32_t i = 0; i < map->nr_corrections && i < NUMA_MAX_CORRECTIONS; i++) {
		const struct numa_correction *c = &map->corrections[i];

		REQUIRE(c->what < NUMA_WHAT_COUNT);
		REQUIRE(c->size == 0 || c->base + (c->size - 1) >= c->base);
		REQUIRE(c->size > 0 || c->base == 0);
	}
	return NULL;
}

const char *numa_invariants(const struct numa_map *judged, const struct numa_ram *ram,
			    uint32_t nr_ram)
{
	const struct numa_map *map = judged;
	const char *bad = check_nodes(map);

	REQUIRE(map->nr_ranges <= NUMA_MAX_RANGES / 2);
	for (uint32_t i = 0; i < map->nr_ranges; i++) {
		const struct numa_range *range = &map->ranges[i];

		REQUIRE(range->size && range->base + (range->size - 1) > range->base);
		REQUIRE(range->base % NUMA_BLOCK == 0 && range->size % NUMA_BLOCK == 0);
		REQUIRE(range->nid < map->nr_nodes && range->reserved == 0);
		REQUIRE(i == 0 || range[-1].base + range[-1].size <= range->base);
		REQUIRE(i == 0 || range[-1].nid != range->nid);
		REQUIRE(has_ram(ram, nr_ram, range->base));
		REQUIRE(has_ram(ram, nr_ram, range->base + range->size - NUMA_BLOCK));
	}
	for (uint32_t i = 0; !bad && i < nr_ram; i++)
		if (ram[i].size)
			bad = check_covered(map, ram[i].base, ram[i].base + ram[i].size);
	return bad;
}
