/*
 * fuzz_numa.c: fuzzes lib/numa.c: libFuzzer's input is the RAM of a machine and its tables.
 *
 *   byte 0          bit 0: the SRAT's checksum is made right; 1: its length too; 2, 3: as these
 * two, of the SLIT; 4: there is a SLIT; 5: the SRAT is in short, as below; 6: the entries in short
 * are given to numa_from_ranges() too; 7: the unit is 4 KiB byte 1          how many nodes
 * numa_fake() makes byte 2          bits 0 to 3: how many ranges of RAM; the rest: the SLIT's
 * localities in short RAM             a range: 2 bytes each of hole before it and size, in units of
 * 256 KiB or 4 KiB 2 bytes         the SRAT's size the SRAT        its bytes after the signature;
 * in short, entries of 8 bytes: type and flags, 2 of domain, 2 of base, 2 of size and 1 that is
 * added to the size's top byte the SLIT        what is left: its bytes after the signature, or
 * distances in short
 *
 * Whatever the tables say, the map must hold what numa_invariants() demands.
 */
#include "lib/numa.h"
#include "tests/host/fuzz/fuzz.h"
#include "tests/host/numa/oracle.h"
#include "tests/host/sim/numa_tables.h"

#define MAX_RAM   15
#define MAX_TEXTS 8 /* they take most of the time */

static struct numa_map map;
static struct numa_table srat, slit;
static struct numa_ram ram[MAX_RAM];
static struct numa_range given[NUMA_MAX_ENTRIES];
static uint32_t nr_ram, nr_given;
static uint8_t how;
static uint64_t unit;

static void check_map(void)
{
	const char *bad = numa_invariants(&map, ram, nr_ram);
	char text[NUMA_CORRECTION_TEXT];

	if (bad)
		fprintf(stderr, "numa_invariants: does not hold: %s\n", bad);
	FUZZ_CHECK(!bad);
	for (uint32_t i = 0; i < map.nr_corrections && i < MAX_TEXTS; i++) {
		numa_correction_text(&map.corrections[i], text);
		FUZZ_CHECK(strlen(text) > 0 && strlen(text) < sizeof(text) - 1);
	}
}

static void take_ram(struct fuzz_input *input, uint32_t nr)
{
	uint64_t base = 0;

	for (nr_ram = 0; nr_ram < nr; nr_ram++) {
		base += fuzz_take(input, 2) * unit;
		ram[nr_ram] = (struct numa_ram){ base, fuzz_take(input, 2) * unit };
		base += ram[nr_ram].size;
	}
}

/* Takes an entry in short. */
static void take_entry(struct fuzz_input *input)
{
	uint8_t type = (uint8_t)fuzz_take(input, 1);
	uint32_t domain = (uint32_t)fuzz_take(input, 2), flags = type >> 2 & 7;
	uint64_t base = fuzz_take(input, 2) * unit, size = fuzz_take(input, 2) * unit;

	size += fuzz_take(input, 1) << 56;
	if (domain & 0x8000)
		domain *= 0x10001;
	switch (type & 3) {
	case 0:
		srat_cpu(&srat, domain, (uint8_t)base, flags);
		break;
	case 1:
		srat_memory(&srat, domain, base, size, flags);
		if (nr_given < NUMA_MAX_ENTRIES)
			given[nr_given++] = (struct numa_range){ base, size, domain, 0 };
		break;
	case 2:
		srat_x2apic(&srat, domain, (uint32_t)size, flags);
		break;
	default:
		srat_odd(&srat, (uint8_t)flags, (uint8_t)size, (uint8_t)domain);
	}
}

/* Takes size bytes of a table, after its signature. */
static void take_table(struct fuzz_input *input, struct numa_table *table, const char *signature,
		       size_t size, bool length, bool checksum)
{
	memcpy(table->bytes, signature, 4);
	table->size = 4;
	for (; table->size < size; table->size++)
		table->bytes[table->size] = (uint8_t)fuzz_take(input, 1);
	if (table->size >= 10 && length)
		table_seal(table);
	else if (table->size >= 10 && checksum) {
		uint8_t sum = 0;
		uint32_t bytes = 0;

		memcpy(&bytes, table->bytes + 4, sizeof(bytes));
		for (size_t i = 0; i < bytes && i < size; i++)
			sum = (uint8_t)(sum + table->bytes[i]);
		table->bytes[9] = (uint8_t)(table->bytes[9] - sum);
	}
}

static void take_srat(struct fuzz_input *input)
{
	size_t size = fuzz_take(input, 2) % 2000;

	nr_given = 0;
	if (!(how & 0x20)) {
		take_table(input, &srat, "SRAT", size, how & 2, how & 1);
		return;
	}
	srat_begin(&srat, 3);
	for (; size >= 8 && input->left > 0; size -= 8)
		take_entry(input);
}

static void take_slit(struct fuzz_input *input, uint32_t localities)
{
	if (!localities) {
		take_table(input, &slit, "SLIT", 4 + input->left, how & 8, how & 4);
		return;
	}
	slit_begin(&slit, localities);
	for (uint32_t i = 0; i < localities * localities && input->left > 0; i++)
		if (i % (localities + 1))
			slit.bytes[44 + i] = (uint8_t)(11 + fuzz_take(input, 1) % 245);
	table_seal(&slit);
}

static void read_tables(void)
{
	void *srat_copy = table_copy(&srat), *slit_copy = table_copy(&slit);
	struct numa_input in = { .srat = srat_copy,
				 .srat_size = srat.size,
				 .slit = how & 0x10 ? slit_copy : NULL,
				 .slit_size = slit.size,
				 .ram = ram,
				 .nr_ram = nr_ram };

	memset(&map, 0xee, sizeof(map));
	numa_read(&map, &in);
	check_map();
	free(srat_copy);
	free(slit_copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	uint32_t nodes, counts;

	how = (uint8_t)fuzz_take(&input, 1);
	nodes = 1 + (uint32_t)fuzz_take(&input, 1) % NUMA_MAX_NODES;
	counts = (uint32_t)fuzz_take(&input, 1);
	unit = how & 0x80 ? 0x1000 : 0x40000;
	take_ram(&input, counts & 15);
	take_srat(&input);
	take_slit(&input, counts >> 4);
	read_tables();
	if (how & 0x40) {
		numa_from_ranges(&map, given, nr_given, ram, nr_ram);
		check_map();
	}
	numa_fake(&map, nodes, ram, nr_ram);
	check_map();
	FUZZ_CHECK(map.nr_nodes == nodes && map.nr_corrections == 0);
	return 0;
}
