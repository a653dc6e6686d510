#include "tests/host/madt_oracle.h"

#include <string.h>

#define MAX_NAMES 0x8000

/* The id that each enabled entry names, in the order of the table. */
static uint32_t names[MAX_NAMES];
static uint32_t nr_names;

static struct madt expected;

/* Returns count bytes of table at `at` as a number, low byte first. */
static uint32_t number(const uint8_t *table, size_t at, unsigned int count)
{
	uint32_t value = 0;

	while (count-- > 0)
		value = value * 256 + table[at + count];
	return value;
}

/* Lists the id of an entry, unless it is disabled or names all processors. */
static void list_name(uint32_t id, uint32_t all, uint32_t flags)
{
	if (flags % 2 == 0)
		expected.nr_disabled++;
	else if (id == all)
		expected.nr_bad++;
	else if (nr_names < MAX_NAMES)
		names[nr_names++] = id;
}

/* Lists what the entries name. Returns false if the table cannot be used. */
static bool list_names(const uint8_t *table, size_t size)
{
	size_t length = table && size >= 8 ? number(table, 4, 4) : 0, at = 44;
	uint32_t sum = 0;

	nr_names = 0;
	if (length < 44 || length > size)
		return false;
	for (size_t i = 0; i < length; i++)
		sum += table[i];
	expected.bad_checksum = sum % 256 != 0;
	while (at != length) {
		size_t bytes = at + 2 <= length ? table[at + 1] : 0;
		uint32_t type = table[at];

		if (bytes < 2 || at + bytes > length) {
			expected.nr_bad++;
			break;
		}
		if ((type == 0 && bytes < 8) || (type == 9 && bytes < 16))
			expected.nr_bad++;
		else if (type == 0)
			list_name(table[at + 3], 255, number(table, at + 4, 4));
		else if (type == 9)
			list_name(number(table, at + 4, 4), 4294967295, number(table, at + 8, 4));
		at += bytes;
	}
	return true;
}

static bool is_among(uint32_t id, const uint32_t *ids, uint32_t nr)
{
	while (nr > 0)
		if (ids[--nr] == id)
			return true;
	return false;
}

const char *madt_oracle(const struct madt *judged, const void *table, size_t size,
			uint32_t boot_apic_id)
{
	expected = (struct madt){ .nr_cpus = 1, .apic_id = { boot_apic_id } };
	expected.found = list_names(table, size);
	for (uint32_t i = 0; i < nr_names; i++)
		if (expected.nr_cpus < MADT_MAX_CPUS &&
		    !is_among(names[i], expected.apic_id, expected.nr_cpus))
			expected.apic_id[expected.nr_cpus++] = names[i];
	for (uint32_t i = 0; i < nr_names; i++) {
		if (!is_among(names[i], expected.apic_id, expected.nr_cpus))
			expected.nr_too_many++;
		else if (is_among(names[i], names, i))
			expected.nr_duplicates++;
	}
	expected.boot_missing = expected.found && !is_among(boot_apic_id, names, nr_names);
	if (judged->nr_cpus != expected.nr_cpus)
		return "nr_cpus";
	if (memcmp(judged->apic_id, expected.apic_id, expected.nr_cpus * sizeof(names[0])) != 0)
		return "apic_id";
	if (judged->nr_disabled != expected.nr_disabled)
		return "nr_disabled";
	if (judged->nr_duplicates != expected.nr_duplicates)
		return "nr_duplicates";
	if (judged->nr_too_many != expected.nr_too_many)
		return "nr_too_many";
	if (judged->nr_bad != expected.nr_bad)
		return "nr_bad";
	if (judged->found != expected.found)
		return "found";
	if (judged->bad_checksum != expected.bad_checksum)
		return "bad_checksum";
	if (judged->boot_missing != expected.boot_missing)
		return "boot_missing";
	return NULL;
}
