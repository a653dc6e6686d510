/*
 * acpi_memory.h: the registers of ACPI memory hot-plug, as QEMU has them (docs/specs/
 * acpi_mem_hotplug.rst there; Cloud Hypervisor's are kin).
 *
 * A slot has at most one DIMM. One register selects a slot, the others then show it. Where they
 * are, and how many slots there are, says only AML, in the DSDT, as constants: their bytes are
 * searched for, so that no AML interpreter is needed.
 */
#ifndef ARCH_X86_64_ACPI_MEMORY_H
#define ARCH_X86_64_ACPI_MEMORY_H

#include "mm/types.h"

#define MEMORY_SLOTS_MAX 256

/* Bits of a slot's status. */
#define SLOT_ENABLED     0x01u /* there is a DIMM */
#define SLOT_INSERTING   0x02u /* it was plugged, and that is not acknowledged */
#define SLOT_REMOVING    0x04u /* the host asks for it back, and that is not acknowledged */

struct memory_slot {
	phys_addr_t base;
	uint64_t size;   /* 0: the slot is empty, and its other fields mean nothing */
	uint32_t domain; /* of the SRAT */
	unsigned int status;
};

/* Events and results of ACPI's _OST (ACPI 6.4, section 6.3.5). */
#define OST_DEVICE_CHECK  1u
#define OST_EJECT_REQUEST 3u
#define OST_SUCCESS       0x00u
#define OST_FAILURE       0x01u
#define OST_DEVICE_IN_USE 0x81u

/*
 * Finds the registers. Returns how many slots there are: 0 when the machine has none of this, at
 * most MEMORY_SLOTS_MAX.
 */
unsigned int acpi_memory_init(void);

/* Returns whether a slot may have changed since the last call. Reads and clears a bit of GPE0. */
bool acpi_memory_changed(void);

/* Returns what slot number i has. */
struct memory_slot acpi_memory_slot(unsigned int i);

/* Acknowledges what `events` names, SLOT_INSERTING or SLOT_REMOVING, for slot number i. */
void acpi_memory_acknowledge(unsigned int i, unsigned int events);

/* Tells the host how an event of slot number i has ended: an OST_ event and an OST_ result. */
void acpi_memory_report(unsigned int i, uint32_t event, uint32_t result);

/* Gives the DIMM in slot number i back to the host. Its memory is gone afterwards. */
void acpi_memory_eject(unsigned int i);

#endif
