/*
 * acpi_tables.h: finds the static tables of ACPI by their signatures (ACPI 6.4, chapter 5).
 *
 * The tables come from the firmware and are not trusted: the header of each is mapped first, its
 * length is bounded, and no field beyond that length is read. Before address_space_init() only
 * tables in the first 4 GiB are found, which the loader's page tables map; a table found then must
 * not be read afterwards.
 */
#ifndef ARCH_X86_64_ACPI_TABLES_H
#define ARCH_X86_64_ACPI_TABLES_H

#include "mm/types.h"

#define ACPI_HEADER_SIZE 36

/* A table, its header included. length is 0 if the table is absent. */
struct acpi_table {
	const uint8_t *bytes;
	uint32_t length;
};

/* Stores the physical address of the root pointer, 0 if there is none. Nothing is read yet, and
   until then there are no tables. */
void acpi_tables_init(phys_addr_t rsdp);

/*
 * Returns an address at which size bytes of physical memory can be accessed: in a new window, or by
 * the loader's page tables as long as these are in use. Returns NULL for address 0, and for memory
 * beyond what the CPU addresses or the loader's tables map.
 */
void *acpi_map(phys_addr_t phys, uint32_t size);

/*
 * Returns the table at phys. It is absent if it has another signature, if its length cannot be
 * right (4 MiB are allowed), or if its bytes do not sum to 0.
 */
struct acpi_table acpi_map_table(phys_addr_t phys, const char *signature);

/* Returns the first table with this signature that is not absent in the sense of acpi_map_table().
 */
struct acpi_table acpi_find_table(const char *signature);

/*
 * Returns a table with this signature for a caller that doubts the table itself: the first whose
 * checksum is right, or else simply the first. At least its header and at most 4 MiB of it are
 * mapped; the length that it states may be another one.
 */
struct acpi_table acpi_find_doubtful(const char *signature);

/* Returns the little-endian number of size bytes at offset, or 0 if the table is too short. */
uint64_t acpi_field(const struct acpi_table *table, uint32_t offset, uint32_t size);

#endif
