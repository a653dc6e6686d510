/*
 * disk.h: sectors of the boot drive, by the BIOS. The only drive stage2 touches, and it only reads.
 */
#ifndef FIRSTPAGE_STAGE2_DISK_H
#define FIRSTPAGE_STAGE2_DISK_H

#include <stdbool.h>
#include <stdint.h>

#define SECTOR_SIZE 512u

/* Learns how the drive is read. Refuses sectors of another size than 512 bytes. */
void disk_open(void);

/* From now on by CHS if the BIOS has a geometry, and one sector a call. */
void disk_safe(void);

/*
 * Reads count sectors from lba to buf, anywhere below 4 GiB. False when the BIOS cannot, after a
 * line with its reason. The signature is fat.h's: context is not used.
 */
bool disk_read(void *context, uint32_t lba, uint32_t count, void *buf);

#endif
