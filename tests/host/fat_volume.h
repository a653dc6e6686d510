/*
 * fat_volume.h: makes a FAT12, a FAT16 and a FAT32 volume with mtools, for tests to damage.
 *
 * The root directory has KERNEL.ELF, which lies in fragments between small files; EMPTY.TXT of no
 * bytes and ONE.TXT of one byte; and entries that the reader must pass over to find them: a folder
 * with a similar name, long names, deleted entries and the label.
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
	uint8_t *pristine;   /* the volume as mtools wrote it */
	uint8_t *bytes;      /* the volume as the reader sees it */
	uint32_t unreadable; /* a sector of the partition whose reading fails, or NO_SECTOR */
	uint32_t reads;      /* calls of the function that reads */
};

extern struct volume volumes[NR_VOLUMES];
extern uint8_t kernel_bytes[KERNEL_BYTES];

/*
 * Makes all volumes with mtools, in a folder below $B that it removes again. Ends the program when
 * that fails. volumes_free() frees their memory.
 */
void volumes_make(void);
void volumes_free(void);

/* Makes the volume again what mtools wrote. */
void volume_restore(struct volume *volume);

/* Returns the offset, in bytes, at which the boot record says that the first FAT begins. */
uint32_t volume_fat_offset(const struct volume *volume);

/* Returns the offset of KERNEL.ELF's directory entry in bytes. */
uint32_t volume_entry_offset(const struct volume *volume);

#endif
