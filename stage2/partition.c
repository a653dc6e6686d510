/*
 * partition.c: see partition.h. The table has four entries of 16 bytes, from offset 1BEh on:
 *
 *   0  80h active   1  CHS of the first sector   4  type   5  CHS of the last   8  LBA   12 sectors
 */
#include "stage2/partition.h"

#include <stdbool.h>
#include <stddef.h>

#include "stage2/bytes.h"

#define TABLE_OFFSET     0x1be
#define ENTRY_SIZE       16
#define SIGNATURE_OFFSET 0x1fe
#define ACTIVE           0x80
#define TYPE_GPT         0xee

static bool is_fat(uint8_t type)
{
	return type == 0x01 || type == 0x04 || type == 0x06 || type == 0x0b || type == 0x0c ||
	       type == 0x0e;
}

const char *partition_find(const uint8_t *sector, struct partition *found)
{
	const uint8_t *chosen = NULL;

	if (get16(sector + SIGNATURE_OFFSET) != 0xaa55)
		return "LBA 0 does not end in 55 AA";
	for (const uint8_t *entry = sector + TABLE_OFFSET; entry < sector + SIGNATURE_OFFSET;
	     entry += ENTRY_SIZE) {
		if (entry[4] == TYPE_GPT)
			return "the disk has a GPT; firstpage needs an MBR partition";
		if (!is_fat(entry[4]) || get32(entry + 12) == 0)
			continue;
		if (chosen == NULL || (entry[0] == ACTIVE && chosen[0] != ACTIVE))
			chosen = entry;
	}
	if (chosen == NULL)
		return "no FAT partition in the partition table";
	found->lba = get32(chosen + 8);
	found->sectors = get32(chosen + 12);
	if (found->lba == 0 || found->lba + found->sectors < found->lba)
		return "the FAT partition begins at LBA 0 or ends beyond 2 TiB";
	return NULL;
}
