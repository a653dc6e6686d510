/*
 * fat_volume.h: a FAT12, a FAT16 and a FAT32 volume as mtools makes them, for tests to damage.
 *
 * In the root directory: KERNEL.ELF in fragments, among small files that were there before and
 * gaps that others left; EMPTY.TXT and ONE.TXT of no and of one byte; and in the way of finding
 * them a folder of the kernel's kind of name, long names, deleted entries, the label.
 */
#ifndef TESTS_HOST_FAT_VOLUME_H
#define TESTS_HOST_FAT_VOLUME_H

#include <stdint.h>

#include "stage2/fat.h"

#define KERNEL_BYTES 40001u
#define NO_SECTOR    UINT32_MAX
#define NR_VOLUMES   3

struct volume {
	const char *name;
	const char *format; /* mformat's options */
	uint32_t sectors;
	uint32_t bits;
	uint8_t *pristine;   /* what mtools wrote */
	uint8_t *bytes;      /* what the reader sees */
	uint32_t unreadable; /* a sector of the partition, or NO_SECTOR */
	uint32_t reads;
};

extern struct volume volumes[NR_VOLUMES];
extern uint8_t kernel_bytes[KERNEL_BYTES];

/* By mtools, in a folder below $B that is removed again; ends the program when that fails. */
void volumes_make(void);
void volumes_free(void);

/* All of it as it was made. */
void volume_restore(struct volume *volume);

/* In bytes: where the boot record says the FAT begins; where KERNEL.ELF's directory entry is. */
uint32_t volume_fat_offset(const struct volume *volume);
uint32_t volume_entry_offset(const struct volume *volume);

#endif
