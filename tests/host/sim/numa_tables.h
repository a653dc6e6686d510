/*
 * numa_tables.h: makes SRATs and SLITs for tests (ACPI 6.4, sections 5.2.16 and 5.2.17).
 *
 * Each function leaves a table whole: its length and its checksum are right. A test that damages
 * one calls table_seal() if only the damage, and not the checksum, is to be wrong.
 */
#ifndef TESTS_HOST_SIM_NUMA_TABLES_H
#define TESTS_HOST_SIM_NUMA_TABLES_H

#include <stddef.h>
#include <stdint.h>

/* The flags of an entry. */
#define SRAT_ENABLED      1u
#define SRAT_HOTPLUG      2u
#define SRAT_NON_VOLATILE 4u

struct numa_table {
	size_t size; /* bytes; also the table's own length */
	uint8_t bytes[0x20000];
};

/* Makes an SRAT without entries. Revision 1 has domains of 8 bits. */
void srat_begin(struct numa_table *srat, uint8_t revision);

/* Adds the entry of a processor, of type 0 or, for an x2APIC, of type 2. */
void srat_cpu(struct numa_table *srat, uint32_t domain, uint8_t apic_id, uint32_t flags);
void srat_x2apic(struct numa_table *srat, uint32_t domain, uint32_t apic_id, uint32_t flags);

/* Adds an entry for memory: [base, base + size). */
void srat_memory(struct numa_table *srat, uint32_t domain, uint64_t base, uint64_t size,
		 uint32_t flags);

/*
 * Adds `bytes` bytes of an entry that begins with type and length, and is 0xff after these. An
 * entry that its table cuts off has fewer bytes than its length.
 */
void srat_odd(struct numa_table *srat, uint8_t type, uint8_t length, size_t bytes);

/* Makes a SLIT in which every locality has a distance of 10 to itself and of 20 to all others. */
void slit_begin(struct numa_table *slit, uint32_t localities);

/* Sets the distance from one locality to another. */
void slit_set(struct numa_table *slit, uint32_t from, uint32_t to, uint8_t distance);

/* Writes size to the table's length, and makes its checksum right. */
void table_seal(struct numa_table *table);

/* Returns a copy for which malloc() gave exactly table->size bytes, so that a sanitizer sees what
   is read beyond it. */
void *table_copy(const struct numa_table *table);

#endif
