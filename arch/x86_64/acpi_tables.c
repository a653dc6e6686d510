/*
 * acpi_tables.c: see acpi_tables.h. Follows RSDP → RSDT or XSDT → table.
 */
#include "arch/x86_64/acpi_tables.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/pte.h"
#include "lib/string.h"
#include "mm/port.h"

#define RSDP_SIZE      20
#define RSDP_REVISION  15
#define RSDP_RSDT      16
#define RSDP_XSDT      24 /* from revision 2 on */
#define RSDP_SIZE_LONG 36

#define HEADER_LENGTH  4
#define MAX_TABLE_SIZE 0x400000u /* the largest known DSDT has about 1 MiB */

#define LOADER_MAP_END 0x100000000ull

static phys_addr_t rsdp_phys;

void acpi_tables_init(phys_addr_t rsdp)
{
	rsdp_phys = rsdp;
}

uint64_t acpi_field(const struct acpi_table *table, uint32_t offset, uint32_t size)
{
	uint64_t value = 0;

	if (size > table->length || offset > table->length - size)
		return 0;
	for (uint32_t i = size; i-- > 0;)
		value = value << 8 | table->bytes[offset + i];
	return value;
}

static bool sums_to_zero(const uint8_t *bytes, uint32_t length)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

void *acpi_map(phys_addr_t phys, uint32_t size)
{
	phys_addr_t limit = (phys_addr_t)1 << cpu_features.phys_bits;

	if (phys == 0 || phys > limit - size)
		return NULL;
	if ((read_cr3() & PTE_ADDRESS) == paging_root())
		return ioremap(phys, size);
	return phys <= LOADER_MAP_END - size ? phys_to_virt(phys) : NULL;
}

static const struct acpi_table absent;

/*
 * Maps the table at phys, of the length that it says, but at least its header and at most
 * MAX_TABLE_SIZE. Returns an absent table if the signature is another one.
 */
static struct acpi_table map_doubtful(phys_addr_t phys, const char *signature)
{
	struct acpi_table table = { acpi_map(phys, ACPI_HEADER_SIZE), ACPI_HEADER_SIZE };
	uint32_t length;

	if (!table.bytes || memcmp(table.bytes, signature, 4) != 0)
		return absent;
	length = (uint32_t)acpi_field(&table, HEADER_LENGTH, 4);
	if (length <= ACPI_HEADER_SIZE)
		return table;
	table.length = length < MAX_TABLE_SIZE ? length : MAX_TABLE_SIZE;
	table.bytes = acpi_map(phys, table.length);
	return table.bytes ? table : absent;
}

/* Returns whether all of a table is mapped, and its bytes sum to 0. */
static bool is_sound(const struct acpi_table *table)
{
	return table->length && acpi_field(table, HEADER_LENGTH, 4) == table->length &&
	       sums_to_zero(table->bytes, table->length);
}

struct acpi_table acpi_map_table(phys_addr_t phys, const char *signature)
{
	struct acpi_table table = map_doubtful(phys, signature);

	return is_sound(&table) ? table : absent;
}

static struct acpi_table map_rsdp(void)
{
	struct acpi_table table = { acpi_map(rsdp_phys, RSDP_SIZE_LONG), RSDP_SIZE };

	if (!table.bytes || memcmp(table.bytes, "RSD PTR ", 8) != 0 ||
	    !sums_to_zero(table.bytes, RSDP_SIZE))
		table.length = 0;
	else if (table.bytes[RSDP_REVISION] >= 2 && sums_to_zero(table.bytes, RSDP_SIZE_LONG))
		table.length = RSDP_SIZE_LONG;
	return table;
}

/* Returns the first sound table with this signature that a root table lists. If there is none, sets
 *damaged to the first that is not sound, unless *damaged is one already. */
static struct acpi_table find_in(const struct acpi_table *root, uint32_t entry_size,
				 const char *signature, struct acpi_table *damaged)
{
	for (uint32_t at = ACPI_HEADER_SIZE; at + entry_size <= root->length; at += entry_size) {
		struct acpi_table found = map_doubtful(acpi_field(root, at, entry_size), signature);

		if (is_sound(&found))
			return found;
		if (!damaged->length)
			*damaged = found;
	}
	return absent;
}

static struct acpi_table find(const char *signature, struct acpi_table *damaged)
{
	struct acpi_table rsdp = map_rsdp();
	struct acpi_table root = acpi_map_table(acpi_field(&rsdp, RSDP_XSDT, 8), "XSDT");
	struct acpi_table found = find_in(&root, 8, signature, damaged);

	if (found.length)
		return found;
	root = acpi_map_table(acpi_field(&rsdp, RSDP_RSDT, 4), "RSDT");
	return find_in(&root, 4, signature, damaged);
}

struct acpi_table acpi_find_table(const char *signature)
{
	struct acpi_table damaged = absent;

	return find(signature, &damaged);
}

struct acpi_table acpi_find_doubtful(const char *signature)
{
	/* There may be several: QEMU's -acpitable adds one behind QEMU's own. A sound one is taken
	   rather than an earlier one that is damaged. */
	struct acpi_table damaged = absent;
	struct acpi_table found = find(signature, &damaged);

	return found.length ? found : damaged;
}
