/*
 * acpi.h: switches the machine off and resets it through ACPI's fixed hardware (ACPI 6.4, chapter
 * 4). There is no AML interpreter, and no ACPI interrupt is used.
 */
#ifndef ARCH_X86_64_ACPI_H
#define ARCH_X86_64_ACPI_H

#include "arch/x86_64/acpi_tables.h"

/* Returns the DSDT, which the FADT leads to; absent if it is damaged. */
struct acpi_table acpi_find_dsdt(const struct acpi_table *fadt);

/*
 * Returns the I/O port of one of the FADT's registers, or 0 if there is none. Its field is at
 * offset; a later version of the table has another at extended_offset.
 */
uint16_t acpi_register_port(const struct acpi_table *fadt, uint32_t offset,
			    uint32_t extended_offset);

/* Switches the machine off (sleep state S5). Returns if the tables lack what is needed, or if the
   machine is still on after a second. */
void acpi_poweroff(void);

/* Resets the machine by the FADT's reset register. Returns if there is none, or if the machine is
   still running after a second. */
void acpi_reset(void);

#endif
