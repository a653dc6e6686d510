#include "lib/madt.h"

/* Offsets in the table: ACPI 6.4, sections 5.2.6 and 5.2.12. */
#define HEADER_LENGTH 4
#define MADT_ENTRIES  44

#define ENTRY_TYPE    0
#define ENTRY_LENGTH  1

#define TYPE_APIC     0
#define TYPE_X2APIC   9
#define APIC_ALL      0xffu /* as a destination these mean all processors */
#define X2APIC_ALL    0xffffffffu
#define ENTRY_ENABLED 1u /* bit 0 of the flags; a processor that is not enabled may be plugged */

/* Returns a little-endian number: a table's fields need not be aligned. */
static uint32_t read32(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static bool sums_to_zero(const uint8_t *bytes, uint32_t length)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

/* Adds an enabled processor, unless it is known already. */
static void add_cpu(struct madt *madt, uint32_t apic_id)
{
	if (apic_id == madt->apic_id[0] && madt->boot_missing) {
		madt->boot_missing = false;
		return;
	}
	for (uint32_t i = 0; i < madt->nr_cpus; i++) {
		if (madt->apic_id[i] == apic_id) {
			madt->nr_duplicates++;
			return;
		}
	}
	if (madt->nr_cpus == MADT_MAX_CPUS)
		madt->nr_too_many++;
	else
		madt->apic_id[madt->nr_cpus++] = apic_id;
}

/* Reads an entry that is not shorter than its length field says. */
static void read_entry(struct madt *madt, const uint8_t *entry)
{
	bool x2apic = entry[ENTRY_TYPE] == TYPE_X2APIC;
	uint32_t apic_id;

	if (entry[ENTRY_TYPE] != TYPE_APIC && !x2apic)
		return;
	if (entry[ENTRY_LENGTH] < (x2apic ? 16 : 8)) {
		madt->nr_bad++;
		return;
	}
	/* Firmware fills the places of absent processors with disabled entries of any id. */
	if (!(read32(entry + (x2apic ? 8 : 4)) & ENTRY_ENABLED)) {
		madt->nr_disabled++;
		return;
	}
	apic_id = x2apic ? read32(entry + 4) : entry[3];
	if (apic_id == (x2apic ? X2APIC_ALL : APIC_ALL))
		madt->nr_bad++;
	else
		add_cpu(madt, apic_id);
}

void madt_read(struct madt *madt, const void *table, size_t size, uint32_t boot_apic_id)
{
	const uint8_t *bytes = table;
	uint32_t length;

	*madt = (struct madt){ .nr_cpus = 1, .apic_id = { boot_apic_id } };
	if (!table || size < MADT_ENTRIES)
		return;
	length = read32(bytes + HEADER_LENGTH);
	if (length < MADT_ENTRIES || length > size)
		return;
	madt->found = true;
	madt->bad_checksum = !sums_to_zero(bytes, length);
	madt->boot_missing = true;
	for (uint32_t at = MADT_ENTRIES; at < length; at += bytes[at + ENTRY_LENGTH]) {
		uint32_t left = length - at;

		/* Nothing says where the next entry would begin. */
		if (left <= ENTRY_LENGTH || bytes[at + ENTRY_LENGTH] <= ENTRY_LENGTH ||
		    bytes[at + ENTRY_LENGTH] > left) {
			madt->nr_bad++;
			return;
		}
		read_entry(madt, bytes + at);
	}
}
