/*
 * rsdp.c: finds the ACPI root pointer (RSDP) for the kernel (ACPI specification 6.4, section
 * 5.2.5.1). It lies in the first KiB of the EBDA or in E0000-FFFFF, at a multiple of 16. Old
 * machines have none.
 */
#include <stdbool.h>

#include "lib/string.h"
#include "stage2/bytes.h"
#include "stage2/stage2.h"

#define EBDA_LOWEST   0x80000u /* an EBDA lies in [512 KiB, 640 KiB): other values are wrong */
#define EBDA_HIGHEST  0xa0000u
#define EBDA_SEARCHED 1024u
#define ROM_BASE      0xe0000u
#define ROM_SIZE      0x20000u
#define STEP          16u

#define RSDP_SIZE_1   20u /* bytes of revision 0, ACPI 1.0; the first checksum covers these */
#define RSDP_SIZE_2   36u /* bytes from revision 2 on */
#define RSDP_REVISION 15  /* offset */
#define RSDP_LENGTH   20  /* offset; from revision 2 on */

static uint8_t byte_sum(const uint8_t *p, uint32_t size)
{
	uint8_t total = 0;

	while (size-- > 0)
		total = (uint8_t)(total + *p++);
	return total;
}

/* Returns true if a valid RSDP begins at p. room is the number of bytes that may be read, a
   multiple of STEP: so where the bytes of revision 0 fit, those of the length do too. */
static bool is_rsdp(const uint8_t *p, uint32_t room)
{
	uint32_t length;

	if (memcmp(p, "RSD PTR ", 8) != 0 || room < RSDP_SIZE_1 || byte_sum(p, RSDP_SIZE_1) != 0)
		return false;
	if (p[RSDP_REVISION] < 2)
		return true;
	length = get32(p + RSDP_LENGTH);
	return length >= RSDP_SIZE_2 && length <= room && byte_sum(p, length) == 0;
}

/* Looks for the RSDP in [base, base + size); it may reach to end. Returns its address, or 0. */
static uint32_t search(uint32_t base, uint32_t size, uint32_t end)
{
	for (uint32_t address = base; address < base + size; address += STEP) {
		if (is_rsdp((const uint8_t *)(uintptr_t)address, end - address))
			return address;
	}
	return 0;
}

void rsdp_find(void)
{
	uint32_t ebda = boot_info.ebda_segment << 4;

	if (ebda >= EBDA_LOWEST && ebda <= EBDA_HIGHEST - EBDA_SEARCHED)
		boot_info.rsdp = search(ebda, EBDA_SEARCHED, EBDA_HIGHEST);
	if (boot_info.rsdp == 0)
		boot_info.rsdp = search(ROM_BASE, ROM_SIZE, ROM_BASE + ROM_SIZE);
}
