/*
 * acpi_memory.c: what is searched for in the DSDT:
 *
 *	5B 80 'HPMR' 01 offset length     OperationRegion (HPMR, SystemIO, offset, length)
 *	08 'MDNR' count                   Name (MDNR, count)
 *
 * The numbers are constants of 1, 2 or 4 bytes: 0A, 0B, 0C and the bytes; or 00 and 01 alone.
 */
#include "arch/x86_64/acpi_memory.h"

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/acpi_tables.h"
#include "arch/x86_64/io.h"
#include "lib/string.h"
#include "mm/port.h"

#define AML_NAME      0x08
#define AML_EXTENDED  0x5b
#define AML_REGION    0x80
#define AML_SYSTEM_IO 0x01
#define REGION_LENGTH 0x18

/* Offsets in the FADT, ACPI 6.4, table 5.9. */
#define FADT_GPE0     80
#define FADT_X_GPE0   220
#define GPE0_MEMORY   0x08u

/* Offsets of registers: for reading, and for writing. */
#define READ_BASE     0
#define READ_SIZE     8
#define READ_DOMAIN   16
#define READ_STATUS   20
#define WRITE_SLOT    0
#define WRITE_EVENT   4
#define WRITE_RESULT  8
#define WRITE_CONTROL 20

#define CONTROL_EJECT 0x08u

static uint16_t registers; /* the port of the first; 0: there are none */
static uint16_t gpe0;      /* the port of GPE0's first status byte; 0: there is none */

/* Reads a constant at *offset and moves *offset past it. Returns false if there is none. */
static bool read_constant(const struct acpi_table *dsdt, uint32_t *offset, uint64_t *value)
{
	uint8_t op = (uint8_t)acpi_field(dsdt, *offset, 1);
	uint32_t bytes = 0;

	if (*offset >= dsdt->length)
		return false;
	if (op >= 0x0a && op <= 0x0c)
		bytes = 1u << (op - 0x0a);
	else if (op > 1)
		return false;
	if (bytes > dsdt->length - *offset - 1)
		return false;
	*value = bytes ? acpi_field(dsdt, *offset + 1, bytes) : op;
	*offset += 1 + bytes;
	return true;
}

/* Returns the port that the operation region HPMR begins with, or 0. */
static uint16_t find_region(const struct acpi_table *dsdt)
{
	static const uint8_t start[] = {
		AML_EXTENDED, AML_REGION, 'H', 'P', 'M', 'R', AML_SYSTEM_IO
	};
	uint64_t port, length;

	for (uint32_t at = ACPI_HEADER_SIZE; at + sizeof(start) <= dsdt->length; at++) {
		uint32_t next = at + (uint32_t)sizeof(start);

		if (memcmp(dsdt->bytes + at, start, sizeof(start)) == 0 &&
		    read_constant(dsdt, &next, &port) && read_constant(dsdt, &next, &length) &&
		    length >= REGION_LENGTH && port && port <= 0x10000 - REGION_LENGTH)
			return (uint16_t)port;
	}
	return 0;
}

/* Returns the number of slots that the name MDNR stands for, or 0. */
static uint64_t find_count(const struct acpi_table *dsdt)
{
	static const uint8_t start[] = { AML_NAME, 'M', 'D', 'N', 'R' };
	uint64_t count;

	for (uint32_t at = ACPI_HEADER_SIZE; at + sizeof(start) <= dsdt->length; at++) {
		uint32_t next = at + (uint32_t)sizeof(start);

		if (memcmp(dsdt->bytes + at, start, sizeof(start)) == 0 &&
		    read_constant(dsdt, &next, &count))
			return count;
	}
	return 0;
}

static void select(unsigned int i)
{
	outl((uint16_t)(registers + WRITE_SLOT), i);
}

unsigned int acpi_memory_init(void)
{
	struct acpi_table fadt = acpi_find_table("FACP");
	struct acpi_table dsdt = acpi_find_dsdt(&fadt);
	uint64_t count = find_count(&dsdt);

	registers = find_region(&dsdt);
	gpe0 = acpi_register_port(&fadt, FADT_GPE0, FADT_X_GPE0);
	if (!registers || !count)
		return 0;
	select(0);
	if (inl((uint16_t)(registers + READ_DOMAIN)) == UINT32_MAX &&
	    inb((uint16_t)(registers + READ_STATUS)) == UINT8_MAX) {
		printk("hotplug: the DSDT names %llu memory slots at port 0x%x: nobody answers\n",
		       (unsigned long long)count, registers);
		return 0;
	}
	if (count > MEMORY_SLOTS_MAX)
		printk("hotplug: %llu memory slots: the first %u are used\n",
		       (unsigned long long)count, MEMORY_SLOTS_MAX);
	return count < MEMORY_SLOTS_MAX ? (unsigned int)count : MEMORY_SLOTS_MAX;
}

/* The bit rises without being enabled. Without GPE0 the answer is always yes. */
bool acpi_memory_changed(void)
{
	if (!gpe0)
		return true;
	if (!(inb(gpe0) & GPE0_MEMORY))
		return false;
	outb(gpe0, GPE0_MEMORY);
	return true;
}

static uint64_t read_two(unsigned int offset)
{
	return inl((uint16_t)(registers + offset)) |
	       (uint64_t)inl((uint16_t)(registers + offset + 4)) << 32;
}

struct memory_slot acpi_memory_slot(unsigned int i)
{
	struct memory_slot slot;

	select(i);
	slot.base = read_two(READ_BASE);
	slot.size = read_two(READ_SIZE);
	slot.domain = inl((uint16_t)(registers + READ_DOMAIN));
	slot.status = inb((uint16_t)(registers + READ_STATUS));
	/* After an eject the bits of events may stay set; a slot that reads all ones is none. */
	if (!(slot.status & SLOT_ENABLED) || slot.size == UINT64_MAX)
		slot.size = 0;
	return slot;
}

void acpi_memory_acknowledge(unsigned int i, unsigned int events)
{
	select(i);
	outb((uint16_t)(registers + WRITE_CONTROL), (uint8_t)events);
}

void acpi_memory_report(unsigned int i, uint32_t event, uint32_t result)
{
	select(i);
	outl((uint16_t)(registers + WRITE_EVENT), event);
	outl((uint16_t)(registers + WRITE_RESULT), result);
}

void acpi_memory_eject(unsigned int i)
{
	select(i);
	outb((uint16_t)(registers + WRITE_CONTROL), CONTROL_EJECT);
}
