/*
 * machines.c: compares numa_read() with the oracle: all machines of up to three entries on a line
 * of five cells, and random ones.
 */
#include "tests/host/numa/fixture.h"

#include <string.h>

/* The oracle. */

static struct oracle_machine machine;
static uint64_t seed;

static uint32_t below(uint32_t limit)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % limit);
}

/* Makes the tables and the RAM of the machine, reads them, and has the oracle judge. */
static void judge_machine(bool split_ram)
{
	const char *bad;

	srat_begin(&srat, 3);
	slit.size = 0;
	nr_ram = 0;
	for (uint32_t i = 0; i < machine.nr_entries; i++) {
		const struct oracle_entry *e = &machine.entries[i];
		uint64_t base = e->from * machine.cell, size = (e->to - e->from) * machine.cell;

		if (e->from < e->to && e->to == machine.nr_cells)
			size = 0 - base + (e->wraps ? base / 2 + 1 : 0);
		if (!e->is_cpu)
			srat_memory(&srat, e->domain, base, size, e->disabled ? 0 : ENABLED);
		else if (i % 2)
			srat_x2apic(&srat, e->domain, e->apic_id, e->disabled ? 0 : ENABLED);
		else
			srat_cpu(&srat, e->domain, (uint8_t)e->apic_id, e->disabled ? 0 : ENABLED);
	}
	if (machine.localities)
		slit_begin(&slit, machine.localities);
	for (uint32_t i = 0; i < machine.localities * machine.localities; i++)
		slit.bytes[44 + i] =
		    machine.distance[i / machine.localities][i % machine.localities];
	if (machine.localities)
		table_seal(&slit);
	for (uint32_t i = 0; i < machine.nr_cells; i++) {
		if (!machine.ram[i])
			continue;
		if (i > 0 && machine.ram[i - 1] && !(split_ram && i % 3 == 0))
			ram[nr_ram - 1].size += machine.cell;
		else
			add_ram(i * machine.cell, (i + 1) * machine.cell);
	}
	read_tables();
	bad = numa_oracle(&map, &machine);
	if (bad)
		fail_msg("does not hold: %s", bad);
}

#define LINE_CELLS 5

/* Lists the entries of memory that are possible on the line. */
static uint32_t make_shapes(struct oracle_entry *shapes)
{
	static const uint32_t domains[] = { 5, 3, 4 };
	uint32_t nr = 0;

	shapes[nr++] = (struct oracle_entry){ .domain = 1, .from = 1, .to = 1 };
	shapes[nr++] = (struct oracle_entry){ .domain = 1, .to = 2, .disabled = true };
	shapes[nr++] = (struct oracle_entry){ .domain = 3, .is_cpu = true };
	for (uint32_t from = 0; from < LINE_CELLS; from++)
		for (uint32_t to = from + 1; to < LINE_CELLS + (from > 0); to++)
			for (uint32_t i = 0; i < 3; i++)
				shapes[nr++] = (struct oracle_entry){ .domain = domains[i],
								      .from = from,
								      .to = to };
	return nr;
}

/* The masks say which of the first four cells are RAM. */
static void all_small_machines(uint64_t cell, const uint32_t *masks, uint32_t nr_masks)
{
	struct oracle_entry shapes[64];
	uint32_t nr = make_shapes(shapes), nr_machines = 0;

	memset(&machine, 0, sizeof(machine));
	machine.cell = cell;
	machine.nr_cells = LINE_CELLS;
	/* An index of nr stands for "no entry"; no entry may follow one that is missing. */
	for (uint32_t code = 0; code < (nr + 1) * (nr + 1) * nr; code++) {
		uint32_t index[3] = { code % nr, code / nr % (nr + 1), code / nr / (nr + 1) };

		if (index[1] == nr && index[2] != nr)
			continue;
		machine.nr_entries = 0;
		for (uint32_t i = 0; i < 3 && index[i] < nr; i++)
			machine.entries[machine.nr_entries++] = shapes[index[i]];
		for (uint32_t k = 0; k < nr_masks; k++) {
			for (uint32_t i = 0; i < LINE_CELLS - 1; i++)
				machine.ram[i] = masks[k] >> i & 1;
			judge_machine(false);
			nr_machines++;
		}
	}
	assert_true(nr_machines > 100000);
}

void exhaustive_by_blocks(void **state)
{
	static const uint32_t masks[] = { 15, 5, 9, 12 };

	(void)state;
	all_small_machines(NUMA_BLOCK, masks, 4);
}

void exhaustive_by_halves(void **state)
{
	static const uint32_t masks[] = { 15, 14, 11, 6, 2 };

	(void)state;
	all_small_machines(NUMA_BLOCK / 2, masks, 5);
}

void exhaustive_by_quarters(void **state)
{
	static const uint32_t masks[] = { 15, 13, 7 };

	(void)state;
	all_small_machines(NUMA_BLOCK / 4, masks, 3);
}

/* Makes a random machine. Few domains meet often, many exceed what there is room for. */
static void make_random_machine(uint32_t cells, uint32_t entries)
{
	static const uint32_t limits[] = { 2, 4, 12, 90, UINT32_MAX };
	uint32_t limit = limits[below(entries > 63 ? 5 : 4)], longest = 1 + below(cells);

	memset(&machine, 0, sizeof(machine));
	machine.cell = NUMA_BLOCK >> below(4);
	machine.nr_cells = 2 + below(cells - 1);
	for (uint32_t i = 0, is_ram = below(2); i + 1 < machine.nr_cells; i++) {
		is_ram = below(6) ? is_ram : below(2);
		machine.ram[i] = is_ram;
	}
	machine.nr_entries = below(entries + 1);
	for (uint32_t i = 0; i < machine.nr_entries; i++) {
		struct oracle_entry *e = &machine.entries[i];

		e->is_cpu = below(8) == 0;
		e->disabled = below(12) == 0;
		e->domain = below(limit) * (limit == UINT32_MAX ? 2 : 1);
		e->apic_id = below(256);
		e->from = below(machine.nr_cells);
		e->to = e->from + below(longest + 1);
		/* No entry has 2^64 bytes. */
		if (e->to >= machine.nr_cells)
			e->to = machine.nr_cells - (e->from == 0);
		e->wraps = e->to == machine.nr_cells && below(2);
	}
	machine.localities = below(2) ? 0 : 1 + below(ORACLE_LOCALITIES);
	for (uint32_t i = 0; i < machine.localities; i++)
		for (uint32_t k = 0; k < machine.localities; k++)
			machine.distance[i][k] = (uint8_t)(i == k ? 10 : 11 + below(245));
	if (machine.localities && below(4) == 0)
		machine.distance[below(machine.localities)][below(machine.localities)] =
		    (uint8_t)below(256);
}

void random_machines(void **state)
{
	(void)state;
	seed = 1;
	for (uint32_t i = 0; i < 150000; i++) {
		make_random_machine(40, 10);
		judge_machine(i % 2);
	}
	for (uint32_t i = 0; i < 2000; i++) {
		make_random_machine(ORACLE_CELLS, ORACLE_ENTRIES);
		judge_machine(i % 2);
	}
}
