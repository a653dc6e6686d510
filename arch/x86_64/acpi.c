/*
 * acpi.c: see acpi.h. The registers are in the FADT, which leads to the DSDT too (ACPI 6.4, 5.2.9).
 *
 * Soft off needs two numbers that only AML has: the package \_S5. In every DSDT seen it is a
 * constant, so this searches for its bytes and needs no AML interpreter:
 *
 *	08 '_S5_' 12 length count  0A typ-a  0A typ-b …        small numbers: 00, 01 without 0A
 */
#include "arch/x86_64/acpi.h"

#include "arch/x86_64/acpi_tables.h"
#include "arch/x86_64/io.h"
#include "arch/x86_64/timer.h"
#include "lib/string.h"

/* Offsets in the FADT, ACPI 6.4, table 5.9. */
#define FADT_DSDT           40
#define FADT_SMI_COMMAND    48
#define FADT_ACPI_ENABLE    52
#define FADT_PM1A_CONTROL   64
#define FADT_PM1B_CONTROL   68
#define FADT_FLAGS          112
#define FADT_RESET_REGISTER 116
#define FADT_RESET_VALUE    128
#define FADT_X_DSDT         140
#define FADT_X_PM1A_CONTROL 172
#define FADT_X_PM1B_CONTROL 184

#define FLAG_RESET_REGISTER (1u << 10)

/* Generic address structure, 5.2.3.2. */
#define GAS_ADDRESS         4
#define GAS_SPACE_MEMORY    0
#define GAS_SPACE_IO        1

#define PM1_SCI_ENABLE      0x0001u /* the chipset is in ACPI mode */
#define PM1_TYPE_MASK       0x1c00u
#define PM1_TYPE_SHIFT      10
#define PM1_SLEEP_ENABLE    0x2000u

#define AML_ZERO            0x00
#define AML_ONE             0x01
#define AML_NAME            0x08
#define AML_BYTE            0x0a
#define AML_PACKAGE         0x12
#define AML_ROOT            '\\'

#define WAIT_MS             1000

struct acpi_table acpi_find_dsdt(const struct acpi_table *fadt)
{
	struct acpi_table dsdt = acpi_map_table(acpi_field(fadt, FADT_X_DSDT, 8), "DSDT");

	return dsdt.length ? dsdt : acpi_map_table(acpi_field(fadt, FADT_DSDT, 4), "DSDT");
}

/* Returns true if the definition of \_S5 as a package has its name at offset, and sets *elements to
   the offset of its elements. */
static bool is_s5_package(const struct acpi_table *dsdt, uint32_t offset, uint32_t *elements)
{
	const uint8_t *name = dsdt->bytes + offset;
	bool defined = name[-1] == AML_NAME || (name[-1] == AML_ROOT && name[-2] == AML_NAME);

	if (memcmp(name, "_S5_", 4) != 0 || name[4] != AML_PACKAGE || !defined)
		return false;
	/* The top bits of the length's first byte say how many bytes of it follow; then comes the
	   count of elements. */
	*elements = offset + 5 + 1 + (name[5] >> 6) + 1;
	return true;
}

/* Reads the small number at *offset and moves *offset past it. */
static bool read_aml_byte(const struct acpi_table *dsdt, uint32_t *offset, uint8_t *value)
{
	uint8_t op = (uint8_t)acpi_field(dsdt, *offset, 1);

	if (*offset >= dsdt->length)
		return false;
	*value = op == AML_BYTE ? (uint8_t)acpi_field(dsdt, *offset + 1, 1) : op;
	*offset += op == AML_BYTE ? 2 : 1;
	return op == AML_BYTE || op == AML_ZERO || op == AML_ONE;
}

static bool find_s5(const struct acpi_table *dsdt, uint8_t *type_a, uint8_t *type_b)
{
	uint32_t elements;

	/* is_s5_package() reads 6 bytes from offset on, and two before it. */
	for (uint32_t offset = ACPI_HEADER_SIZE + 2; offset + 6 <= dsdt->length; offset++)
		if (is_s5_package(dsdt, offset, &elements))
			return read_aml_byte(dsdt, &elements, type_a) &&
			       read_aml_byte(dsdt, &elements, type_b);
	return false;
}

uint16_t acpi_register_port(const struct acpi_table *fadt, uint32_t offset,
			    uint32_t extended_offset)
{
	uint64_t port = acpi_field(fadt, offset, 4);

	if (port == 0 && acpi_field(fadt, extended_offset, 1) == GAS_SPACE_IO)
		port = acpi_field(fadt, extended_offset + GAS_ADDRESS, 8);
	return port <= 0xffff ? (uint16_t)port : 0;
}

/* Switches the chipset to ACPI mode: before that it may ignore the sleep bits (ACPI 6.4, 4.8.2.5).
 */
static void enter_acpi_mode(const struct acpi_table *fadt, uint16_t control)
{
	uint16_t smi_command = (uint16_t)acpi_field(fadt, FADT_SMI_COMMAND, 4);
	uint8_t enable = (uint8_t)acpi_field(fadt, FADT_ACPI_ENABLE, 1);

	if (inw(control) & PM1_SCI_ENABLE || smi_command == 0 || enable == 0)
		return;
	outb(smi_command, enable);
	for (int i = 0; i < WAIT_MS && !(inw(control) & PM1_SCI_ENABLE); i++)
		delay_us(1000);
}

static void request_sleep(uint16_t control, uint8_t type)
{
	unsigned value = inw(control) & ~(PM1_TYPE_MASK | PM1_SLEEP_ENABLE);

	value |= ((unsigned)type << PM1_TYPE_SHIFT) & PM1_TYPE_MASK;
	outw(control, (uint16_t)value);
	outw(control, (uint16_t)(value | PM1_SLEEP_ENABLE));
}

void acpi_poweroff(void)
{
	struct acpi_table fadt = acpi_find_table("FACP");
	struct acpi_table dsdt = acpi_find_dsdt(&fadt);
	uint16_t control_a = acpi_register_port(&fadt, FADT_PM1A_CONTROL, FADT_X_PM1A_CONTROL);
	uint16_t control_b = acpi_register_port(&fadt, FADT_PM1B_CONTROL, FADT_X_PM1B_CONTROL);
	uint8_t type_a, type_b;

	if (control_a == 0 || !find_s5(&dsdt, &type_a, &type_b))
		return;
	enter_acpi_mode(&fadt, control_a);
	request_sleep(control_a, type_a);
	if (control_b)
		request_sleep(control_b, type_b);
	delay_us(WAIT_MS * 1000);
}

void acpi_reset(void)
{
	struct acpi_table fadt = acpi_find_table("FACP");
	uint64_t address = acpi_field(&fadt, FADT_RESET_REGISTER + GAS_ADDRESS, 8);
	uint8_t value = (uint8_t)acpi_field(&fadt, FADT_RESET_VALUE, 1);
	uint8_t space = (uint8_t)acpi_field(&fadt, FADT_RESET_REGISTER, 1);
	volatile uint8_t *reg = space == GAS_SPACE_MEMORY ? acpi_map(address, 1) : NULL;

	if (!(acpi_field(&fadt, FADT_FLAGS, 4) & FLAG_RESET_REGISTER) || address == 0)
		return;
	if (space == GAS_SPACE_IO && address <= 0xffff) {
		outb((uint16_t)address, value);
	} else if (reg) {
		*reg = value;
	}
	delay_us(WAIT_MS * 1000);
}
