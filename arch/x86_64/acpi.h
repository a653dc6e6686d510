/*
 * acpi.h: switching off and resetting by ACPI's fixed hardware. No interpreter, no interrupts.
 */
#ifndef ARCH_X86_64_ACPI_H
#define ARCH_X86_64_ACPI_H

#include <stdbool.h>

#include "mm/types.h"

/* Where the root pointer lies, 0 for nowhere. The tables are looked at only when they are needed.
 */
void acpi_init(phys_addr_t rsdp);

/* Asks for sleep state S5, soft off. Returns if tables lack something or nothing comes of it. */
void acpi_poweroff(void);

/* Writes the reset register. Returns if there is none or nothing comes of it. */
void acpi_reset(void);

#endif
