/*
 * fat.h: files in the root directory of a FAT12, FAT16 or FAT32 volume, read-only.
 *
 * Pure code over a function that reads sectors: stage2 gives the BIOS's, host tests an image's.
 * Nothing the volume says is believed: each value is checked before use, each loop is bounded by
 * a count that was checked. Names are short names; long ones, directories, labels and deleted
 * entries are passed over.
 */
#ifndef FIRSTPAGE_STAGE2_FAT_H
#define FIRSTPAGE_STAGE2_FAT_H

#include <stdbool.h>
#include <stdint.h>

#define FAT_SECTOR_SIZE 512u
#define FAT_NAME_SIZE   11u /* "KERNEL  ELF" */

/* Reads count sectors from lba of the disk to buf. False: it could not. */
typedef bool fat_read_fn(void *context, uint32_t lba, uint32_t count, void *buf);

enum fat_error {
	FAT_OK,
	FAT_READ, /* at: LBA the read began at; what reads says which sector it was */
	FAT_NO_SIGNATURE,
	FAT_SECTOR_BYTES,    /* at: bytes */
	FAT_CLUSTER_SECTORS, /* at: sectors */
	FAT_NO_RESERVED,
	FAT_NO_FATS,
	FAT_NO_SECTORS,
	FAT_TOO_LARGE, /* at: sectors */
	FAT_NO_ROOT,
	FAT_NO_DATA,
	FAT_TOO_SMALL_FAT, /* at: sectors of the FAT */
	FAT_TOO_MANY,      /* at: clusters */
	FAT_ROOT_CLUSTER,  /* at: cluster */
	FAT_ROOT_ENDLESS,
	FAT_MISSING,
	FAT_FIRST_CLUSTER, /* at: cluster */
	FAT_SIZE,          /* at: bytes */
	FAT_CHAIN_BAD,     /* at: cluster */
	FAT_CHAIN_FREE,    /* at: cluster */
	FAT_CHAIN_RANGE,   /* at: cluster */
	FAT_CHAIN_SHORT,   /* at: cluster */
	FAT_CHAIN_LONG,    /* at: cluster */
	FAT_ERROR_COUNT
};

struct fat_fs {
	fat_read_fn *read;
	void *context;
	uint32_t bits; /* 12, 16 or 32 */
	uint32_t cluster_sectors;
	uint32_t fat_lba;  /* of the FAT in use */
	uint32_t root_lba; /* FAT12 and FAT16: the root directory */
	uint32_t root_sectors;
	uint32_t root_cluster; /* FAT32 */
	uint32_t data_lba;     /* of cluster 2 */
	uint32_t cluster_end;  /* the first number that is no cluster's */
	uint32_t at;           /* what an error is about, see enum fat_error */
	uint32_t cached_lba;   /* of sector[]; 0: none, for LBA 0 holds no FAT */
	uint8_t sector[FAT_SECTOR_SIZE];
};

struct fat_file {
	uint32_t first_cluster;
	uint32_t size; /* bytes */
};

/* Checks the boot record at lba and fills fs. sectors: the partition's. */
enum fat_error fat_mount(struct fat_fs *fs, fat_read_fn *read, void *context, uint32_t lba,
			 uint32_t sectors);

/* Finds a file of the root directory; name as the directory holds it, FAT_NAME_SIZE bytes. */
enum fat_error fat_find(struct fat_fs *fs, const char *name, struct fat_file *file);

/* Reads the first want bytes, at most file->size, to buf. Reading all, checks the chain's end. */
enum fat_error fat_load(struct fat_fs *fs, const struct fat_file *file, void *buf, uint32_t want);

/* What an error means, in words; *unit: what fs->at counts, NULL when it says nothing. */
const char *fat_error_text(enum fat_error error, const char **unit);

#endif
