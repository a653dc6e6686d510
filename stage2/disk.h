/*
 * disk.h: reads sectors of the boot drive through the BIOS. Stage2 uses no other drive, and never
 * writes.
 */
#ifndef FIRSTPAGE_STAGE2_DISK_H
#define FIRSTPAGE_STAGE2_DISK_H

#include <stdbool.h>
#include <stdint.h>

#define SECTOR_SIZE 512u

/*
 * Asks the BIOS for the drive's geometry and parameters. Ends in fail() if the drive's sectors are
 * not 512 bytes long, or if the boot sector passed an unknown method of reading.
 */
void disk_open(void);

/* Makes later reads use one sector per call, and CHS if the BIOS reports a geometry. */
void disk_safe(void);

/*
 * Reads count sectors from lba on to buf, which may be anywhere below 4 GiB. Returns false if the
 * BIOS cannot read one of them, after a message with its status. This is a fat_read_fn (fat.h);
 * context is not used.
 */
bool disk_read(void *context, uint32_t lba, uint32_t count, void *buf);

#endif
