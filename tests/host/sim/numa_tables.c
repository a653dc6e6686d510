#include "tests/host/sim/numa_tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH         4
#define REVISION       8
#define CHECKSUM       9
#define SRAT_ENTRIES   48
#define SLIT_COUNT     36
#define SLIT_DISTANCES 44

/* Writes value to size bytes, low byte first. */
static void put(uint8_t *bytes, uint64_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
}

/* Returns the place of `bytes` more bytes at the end of a table, which are 0. */
static uint8_t *extend(struct numa_table *table, size_t bytes)
{
	uint8_t *end = table->bytes + table->size;

	if (bytes > sizeof(table->bytes) - table->size) {
		fprintf(stderr, "numa_tables: no room for %zu bytes\n", bytes);
		abort();
	}
	memset(end, 0, bytes);
	table->size += bytes;
	return end;
}

void table_seal(struct numa_table *table)
{
	uint8_t sum = 0;

	put(table->bytes + LENGTH, table->size, 4);
	table->bytes[CHECKSUM] = 0;
	for (size_t i = 0; i < table->size; i++)
		sum = (uint8_t)(sum + table->bytes[i]);
	table->bytes[CHECKSUM] = (uint8_t)-sum;
}

void srat_begin(struct numa_table *srat, uint8_t revision)
{
	srat->size = 0;
	memcpy(extend(srat, SRAT_ENTRIES), "SRAT", 4);
	srat->bytes[REVISION] = revision;
	table_seal(srat);
}

void srat_cpu(struct numa_table *srat, uint32_t domain, uint8_t apic_id, uint32_t flags)
{
	uint8_t *entry = extend(srat, 16);

	put(entry, 0, 1);
	put(entry + 1, 16, 1);
	put(entry + 2, domain, 1);
	put(entry + 3, apic_id, 1);
	put(entry + 4, flags, 4);
	put(entry + 8, 0xee, 1); /* the local SAPIC EID: no part of the domain */
	put(entry + 9, domain >> 8, 3);
	table_seal(srat);
}

void srat_x2apic(struct numa_table *srat, uint32_t domain, uint32_t apic_id, uint32_t flags)
{
	uint8_t *entry = extend(srat, 24);

	put(entry, 2, 1);
	put(entry + 1, 24, 1);
	put(entry + 4, domain, 4);
	put(entry + 8, apic_id, 4);
	put(entry + 12, flags, 4);
	table_seal(srat);
}

void srat_memory(struct numa_table *srat, uint32_t domain, uint64_t base, uint64_t size,
		 uint32_t flags)
{
	uint8_t *entry = extend(srat, 40);

	put(entry, 1, 1);
	put(entry + 1, 40, 1);
	put(entry + 2, domain, 4);
	put(entry + 8, base, 8);
	put(entry + 16, size, 8);
	put(entry + 28, flags, 4);
	table_seal(srat);
}

void srat_odd(struct numa_table *srat, uint8_t type, uint8_t length, size_t bytes)
{
	uint8_t *entry = extend(srat, bytes);

	for (size_t i = 0; i < bytes; i++)
		entry[i] = i == 0 ? type : i == 1 ? length : 0xff;
	table_seal(srat);
}

void slit_begin(struct numa_table *slit, uint32_t localities)
{
	uint8_t *distance;

	slit->size = 0;
	memcpy(extend(slit, SLIT_DISTANCES), "SLIT", 4);
	put(slit->bytes + SLIT_COUNT, localities, 8);
	distance = extend(slit, (size_t)localities * localities);
	for (uint32_t from = 0; from < localities; from++)
		for (uint32_t to = 0; to < localities; to++)
			*distance++ = from == to ? 10 : 20;
	table_seal(slit);
}

void slit_set(struct numa_table *slit, uint32_t from, uint32_t to, uint8_t distance)
{
	slit->bytes[SLIT_DISTANCES + from * slit->bytes[SLIT_COUNT] + to] = distance;
	table_seal(slit);
}

void *table_copy(const struct numa_table *table)
{
	void *copy = malloc(table->size ? table->size : 1);

	if (!copy)
		abort();
	memcpy(copy, table->bytes, table->size);
	return copy;
}
