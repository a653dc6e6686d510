/*
 * acpi.h: switches the machine off and resets it through ACPI's fixed hardware (ACPI 6.4, chapter
 * 4). There is no AML interpreter, and no ACPI interrupt is used.
 */
#ifndef ARCH_X86_64_ACPI_H
#define ARCH_X86_64_ACPI_H

/* Switches the machine off (sleep state S5). Returns if the tables lack what is needed, or if the
   machine is still on after a second. */
void acpi_poweroff(void);

/* Resets the machine by the FADT's reset register. Returns if there is none, or if the machine is
   still running after a second. */
void acpi_reset(void);

#endif
