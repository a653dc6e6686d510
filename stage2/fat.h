/*
 * fat.h: reads files from the root directory of a FAT12, FAT16 or FAT32 volume.
 *
 * The caller supplies the function that reads sectors: stage2 reads through the BIOS, host tests
 * read an image. The volume is not trusted: each value is checked before it is used, and each loop
 * is bounded by a checked count. Only short names are looked up; long names, directories, labels
 * and deleted entries are skipped.
 */
#ifndef FIRSTPAGE_STAGE2_FAT_H
#define FIRSTPAGE_STAGE2_FAT_H

#include <stdbool.h>
#include <stdint.h>

#define FAT_SECTOR_SIZE 512u
#define FAT_NAME_SIZE   11u /* "KERNEL  ELF" */

/*
 * Reads count sectors from lba on (counted from the start of the disk) to buf. Returns false if it
 * cannot.
 */
typedef bool fat_read_fn(void *context, uint32_t lba, uint32_t count, void *buf);

/* Errors; fat_error_text() has the words. "at" says what fat_fs.at then holds. */
enum fat_error {
	FAT_OK,
	FAT_READ, /* at: LBA where the read began, which need not be the bad sector */
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

/* A sector that was read. The directory, the FAT and the end of a file have one each, so that none
   is read again because another was read in between. */
struct fat_sector {
	uint32_t lba; /* 0: none, since LBA 0 belongs to no volume */
	uint8_t bytes[FAT_SECTOR_SIZE];
};

/* A mounted volume. Sectors are numbered from the start of the disk. */
struct fat_fs {
	fat_read_fn *read;
	void *context; /* passed to read */
	uint32_t bits; /* size of a FAT entry: 12, 16 or 32 */
	uint32_t cluster_sectors;
	uint32_t fat_lba;  /* of the FAT in use */
	uint32_t root_lba; /* FAT12 and FAT16: the root directory */
	uint32_t root_sectors;
	uint32_t root_cluster;       /* FAT32: the root directory's first cluster */
	uint32_t data_lba;           /* of cluster 2, the first one */
	uint32_t cluster_end;        /* cluster numbers are below this */
	uint32_t at;                 /* what the last error is about: see enum fat_error */
	struct fat_sector directory; /* the boot record, then the sector of the root directory */
	struct fat_sector fat;       /* the sector of the FAT */
	struct fat_sector tail;      /* the sector in which a file ends */
};

struct fat_file {
	uint32_t first_cluster;
	uint32_t size; /* bytes */
};

/*
 * Checks the boot record of the partition that begins at lba and has this many sectors, and fills
 * *fs. read and context are kept for later calls. Returns FAT_OK or what is wrong.
 */
enum fat_error fat_mount(struct fat_fs *fs, fat_read_fn *read, void *context, uint32_t lba,
			 uint32_t sectors);

/*
 * Finds a file in the root directory and fills *file. name has the form of a directory entry:
 * FAT_NAME_SIZE bytes, upper case, padded with blanks. Returns FAT_MISSING if there is none.
 */
enum fat_error fat_find(struct fat_fs *fs, const char *name, struct fat_file *file);

/*
 * Reads the first want bytes of a file to buf; want is at most file->size. When the whole file is
 * read, also checks that its cluster chain ends with it.
 */
enum fat_error fat_load(struct fat_fs *fs, const struct fat_file *file, void *buf, uint32_t want);

/*
 * Returns an error's description. Sets *unit to the unit of fat_fs.at, or to NULL if the error has
 * no such number.
 */
const char *fat_error_text(enum fat_error error, const char **unit);

#endif
