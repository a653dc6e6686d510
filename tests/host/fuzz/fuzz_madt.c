/*
 * fuzz_madt.c: fuzzes lib/madt.c: libFuzzer's input is a table of processors.
 *
 * Byte 0 says how: bit 0, the table's length is made right; bit 1, the entries are in short. Then
 * come 4 bytes of the APIC id of the processor that boots, and the table after its signature. In
 * short it is entries alone, of 2 bytes: an id, and how: bit 0, it is enabled; bit 1, its type is
 * 9; bit 2, a byte follows that adds to its length; bit 3, an id of type 9 has all high bits set.
 *
 * The result must be what the oracle says.
 */
#include "lib/madt.h"
#include "tests/host/fuzz/fuzz.h"
#include "tests/host/madt_oracle.h"

#define ENTRIES 44

static uint8_t table[0x10000];
static size_t size;

/* Takes an entry in short. */
static void take_entry(struct fuzz_input *input)
{
	uint8_t id = (uint8_t)fuzz_take(input, 1), how = (uint8_t)fuzz_take(input, 1);
	bool x2apic = how & 2;
	uint8_t *entry = table + size, length = x2apic ? 16 : 8;

	if (how & 4)
		length = (uint8_t)(length + fuzz_take(input, 1));
	entry[0] = x2apic ? 9 : 0;
	entry[1] = length;
	entry[x2apic ? 4 : 3] = id;
	entry[x2apic ? 8 : 4] = how & 1;
	if (x2apic && how & 8)
		memset(entry + 5, 0xff, 3);
	size += length;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_size)
{
	struct fuzz_input input = { bytes, bytes_size };
	uint8_t how = (uint8_t)fuzz_take(&input, 1);
	uint32_t boot_apic_id = (uint32_t)fuzz_take(&input, 4);
	static struct madt madt;
	const char *wrong;
	void *copy;

	memset(table, 0, sizeof(table));
	size = 4;
	if (how & 2) {
		for (size = ENTRIES; input.left && size < sizeof(table) - 512;)
			take_entry(&input);
	} else {
		while (input.left && size < sizeof(table))
			table[size++] = (uint8_t)fuzz_take(&input, 1);
	}
	for (unsigned int i = 0; how & 1 && i < 4 && size >= 8; i++)
		table[4 + i] = (uint8_t)(size >> 8 * i);
	copy = fuzz_copy(table, size);
	memset(&madt, 0xee, sizeof(madt));
	madt_read(&madt, copy, size, boot_apic_id);
	wrong = madt_oracle(&madt, copy, size, boot_apic_id);
	if (wrong)
		fprintf(stderr, "madt_oracle: does not hold: %s\n", wrong);
	FUZZ_CHECK(!wrong);
	free(copy);
	return 0;
}
