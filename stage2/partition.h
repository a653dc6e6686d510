/*
 * partition.h: the partition table of the boot sector. Pure: for stage2 and host tests alike.
 */
#ifndef FIRSTPAGE_STAGE2_PARTITION_H
#define FIRSTPAGE_STAGE2_PARTITION_H

#include <stdint.h>

struct partition {
	uint32_t lba;
	uint32_t sectors;
};

/*
 * The FAT partition to boot from: the active one, or the first when none is active. NULL and
 * *found, or what is wrong with the 512 bytes at LBA 0.
 */
const char *partition_find(const uint8_t *sector, struct partition *found);

#endif
