/*
 * partition.h: finds the partition to boot from in the boot sector's partition table.
 *
 * A pure function, which host tests compile too.
 */
#ifndef FIRSTPAGE_STAGE2_PARTITION_H
#define FIRSTPAGE_STAGE2_PARTITION_H

#include <stdint.h>

/* [lba, lba + sectors), not empty; lba is not 0. */
struct partition {
	uint32_t lba;
	uint32_t sectors;
};

/*
 * Finds the FAT partition to boot from in sector, the 512 bytes at LBA 0: the first active FAT
 * partition, or the first FAT partition if none is active. Fills *found and returns NULL, or
 * returns what is wrong as text.
 */
const char *partition_find(const uint8_t *sector, struct partition *found);

#endif
