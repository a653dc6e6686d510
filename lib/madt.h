/*
 * madt.h: reads the firmware's list of processors, ACPI's MADT (ACPI 6.4, section 5.2.12).
 *
 * Entries of type 0 name a processor by an APIC id of 8 bits, those of type 9 by one of 32 bits.
 * The table is doubted: it may list processors that are not there, the same twice, or miss the one
 * that runs. Whoever starts processors must expect that some do not come.
 *
 * This is a pure function on the caller's memory; the kernel and host programs use it.
 */
#ifndef FIRSTPAGE_LIB_MADT_H
#define FIRSTPAGE_LIB_MADT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MADT_MAX_CPUS 256

/*
 * The processors of a machine. apic_id[0] is that of the processor that boots, whether the table
 * names it or not; the others follow in the order of the table, each once.
 */
struct madt {
	uint32_t nr_cpus; /* at least 1 */
	uint32_t apic_id[MADT_MAX_CPUS];
	uint32_t nr_disabled;   /* entries that are not enabled: left out */
	uint32_t nr_duplicates; /* entries that name a processor again: left out */
	uint32_t nr_too_many;   /* processors for which apic_id[] has no room: left out */
	/* Entries too short for their type or with the id of all processors (FFh, FFFFFFFFh): left
	   out. One that has no length or ends beyond the table: left out with all after it. */
	uint32_t nr_bad;
	bool found;        /* there is a table with room for its fields, as long as it says */
	bool bad_checksum; /* its bytes do not sum to 0; it is used all the same */
	bool boot_missing; /* there is a table, and it does not name the processor that boots */
};

/*
 * Fills *madt from a table of size bytes, its ACPI header included, of which the length field must
 * not exceed size; NULL: there is no table. boot_apic_id is the id of the processor that boots.
 * Never fails. O(entries * MADT_MAX_CPUS).
 */
void madt_read(struct madt *madt, const void *table, size_t size, uint32_t boot_apic_id);

#endif
