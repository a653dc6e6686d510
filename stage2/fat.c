/*
 * fat.c: see fat.h. The format is Microsoft's "FAT32 File System Specification" 1.03.
 *
 *   reserved sectors (boot record first) | FAT | FAT | root directory (FAT12, FAT16) | clusters
 *
 * F1  Every cluster that is read has a number in [2, cluster_end), so it lies inside the volume.
 * F2  Every FAT entry that is read lies inside the FAT: fat_mount() checks that the FAT has an
 *     entry for each cluster.
 * F3  The volume lies inside the partition, and its LBAs fit in 32 bits.
 */
#include "stage2/fat.h"

#include <stddef.h>

#include "lib/string.h"
#include "stage2/bytes.h"

/* Offsets in the boot record. */
#define BPB_SECTOR_BYTES    11
#define BPB_CLUSTER_SECTORS 13
#define BPB_RESERVED        14
#define BPB_FATS            16
#define BPB_ROOT_ENTRIES    17
#define BPB_SECTORS_16      19
#define BPB_FAT_SECTORS_16  22
#define BPB_SECTORS_32      32
#define BPB_FAT_SECTORS_32  36
#define BPB_FAT32_FLAGS     40
#define BPB_FAT32_ROOT      44
#define BPB_SIGNATURE       510
#define FAT32_ONE_FAT       0x80 /* a flag: only one FAT is in use, which the low 4 bits number */

/* Offsets in a directory entry, and values. */
#define ENTRY_SIZE          32u
#define ENTRY_ATTRIBUTES    11
#define ENTRY_CLUSTER_HIGH  20
#define ENTRY_CLUSTER_LOW   26
#define ENTRY_FILE_SIZE     28
#define ATTRIBUTE_LABEL     0x08 /* set in the entries of long names too */
#define ATTRIBUTE_FOLDER    0x10
#define NAME_END            0x00
#define NAME_DELETED        0xe5
#define ROOT_ENTRIES_MAX    65536u

#define FIRST_CLUSTER       2u
#define FAT12_CLUSTERS      4085u       /* a volume with fewer clusters is FAT12 */
#define FAT16_CLUSTERS      65525u      /* FAT16 has fewer than this */
#define FAT32_CLUSTERS      0x0ffffff5u /* FAT32 has at most this many */
#define FAT32_MASK          0x0fffffffu

/* Returns error, after it has stored what the error is about. */
static enum fat_error error_at(struct fat_fs *fs, enum fat_error error, uint32_t at)
{
	fs->at = at;
	return error;
}

static bool power_of_two(uint32_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* Reads a sector into *sector, unless it is there already. */
static enum fat_error read_sector(struct fat_fs *fs, struct fat_sector *sector, uint32_t lba)
{
	if (sector->lba == lba)
		return FAT_OK;
	sector->lba = 0;
	if (!fs->read(fs->context, lba, 1, sector->bytes))
		return error_at(fs, FAT_READ, lba);
	sector->lba = lba;
	return FAT_OK;
}

/* The numbers of the boot record. */
struct bpb {
	uint32_t cluster_sectors, reserved, fats, root_entries, sectors, fat_sectors;
	bool fat32;
};

/*
 * Reads the numbers of a boot record. A volume is FAT32 if its 16-bit count of FAT sectors is 0, as
 * in Linux, and not by its number of clusters, as in the specification: some formatters make FAT32
 * volumes that are smaller than the specification allows.
 */
static struct bpb parse_record(const uint8_t *record)
{
	struct bpb bpb = {
		.cluster_sectors = record[BPB_CLUSTER_SECTORS],
		.reserved = get16(record + BPB_RESERVED),
		.fats = record[BPB_FATS],
		.root_entries = get16(record + BPB_ROOT_ENTRIES),
		.sectors = get16(record + BPB_SECTORS_16),
		.fat_sectors = get16(record + BPB_FAT_SECTORS_16),
	};

	bpb.fat32 = bpb.fat_sectors == 0;
	if (bpb.fat32)
		bpb.fat_sectors = get32(record + BPB_FAT_SECTORS_32);
	if (bpb.sectors == 0)
		bpb.sectors = get32(record + BPB_SECTORS_32);
	return bpb;
}

static enum fat_error check_record(struct fat_fs *fs, const struct bpb *bpb, uint32_t sectors)
{
	const uint8_t *record = fs->directory.bytes;

	if (get16(record + BPB_SIGNATURE) != 0xaa55)
		return FAT_NO_SIGNATURE;
	if (get16(record + BPB_SECTOR_BYTES) != FAT_SECTOR_SIZE)
		return error_at(fs, FAT_SECTOR_BYTES, get16(record + BPB_SECTOR_BYTES));
	if (!power_of_two(bpb->cluster_sectors))
		return error_at(fs, FAT_CLUSTER_SECTORS, bpb->cluster_sectors);
	if (bpb->reserved == 0)
		return FAT_NO_RESERVED;
	if (bpb->fats == 0 || bpb->fat_sectors == 0)
		return FAT_NO_FATS;
	if (bpb->sectors == 0)
		return FAT_NO_SECTORS;
	if (bpb->sectors > sectors)
		return error_at(fs, FAT_TOO_LARGE, bpb->sectors);
	if (!bpb->fat32 && bpb->root_entries == 0)
		return FAT_NO_ROOT;
	return FAT_OK;
}

/* Sets fs->cluster_end, and ensures F2: the FAT has an entry for each number below it. */
static enum fat_error check_clusters(struct fat_fs *fs, uint32_t clusters, uint32_t fat_sectors)
{
	uint64_t fat_bits = (uint64_t)fat_sectors * FAT_SECTOR_SIZE * 8;

	if (clusters == 0)
		return FAT_NO_DATA;
	if (clusters > (fs->bits == 32 ? FAT32_CLUSTERS : FAT16_CLUSTERS - 1))
		return error_at(fs, FAT_TOO_MANY, clusters);
	if (((uint64_t)clusters + FIRST_CLUSTER) * fs->bits > fat_bits)
		return error_at(fs, FAT_TOO_SMALL_FAT, fat_sectors);
	fs->cluster_end = clusters + FIRST_CLUSTER;
	return FAT_OK;
}

static bool is_cluster(const struct fat_fs *fs, uint32_t cluster)
{
	return cluster >= FIRST_CLUSTER && cluster < fs->cluster_end;
}

static enum fat_error mount_fat32(struct fat_fs *fs, const struct bpb *bpb)
{
	uint32_t flags = get16(fs->directory.bytes + BPB_FAT32_FLAGS);

	fs->root_cluster = get32(fs->directory.bytes + BPB_FAT32_ROOT);
	if (!is_cluster(fs, fs->root_cluster))
		return error_at(fs, FAT_ROOT_CLUSTER, fs->root_cluster);
	if ((flags & FAT32_ONE_FAT) && (flags & 15) < bpb->fats)
		fs->fat_lba += (flags & 15) * bpb->fat_sectors;
	return FAT_OK;
}

enum fat_error fat_mount(struct fat_fs *fs, fat_read_fn *read, void *context, uint32_t lba,
			 uint32_t sectors)
{
	uint64_t before_data;
	uint32_t clusters;
	struct bpb bpb;
	enum fat_error error;

	memset(fs, 0, sizeof(*fs));
	fs->read = read;
	fs->context = context;
	if (sectors == 0 || lba == 0 || lba + sectors < lba) /* F3 */
		return error_at(fs, FAT_TOO_LARGE, sectors);
	error = read_sector(fs, &fs->directory, lba);
	if (error)
		return error;
	bpb = parse_record(fs->directory.bytes);
	error = check_record(fs, &bpb, sectors);
	if (error)
		return error;

	fs->cluster_sectors = bpb.cluster_sectors;
	fs->root_sectors = bpb.fat32 ? 0 : (bpb.root_entries * ENTRY_SIZE + 511) / FAT_SECTOR_SIZE;
	before_data = bpb.reserved + (uint64_t)bpb.fats * bpb.fat_sectors + fs->root_sectors;
	if (before_data >= bpb.sectors)
		return FAT_NO_DATA;
	fs->fat_lba = lba + bpb.reserved;
	fs->data_lba = lba + (uint32_t)before_data;
	fs->root_lba = fs->data_lba - fs->root_sectors;
	clusters = (bpb.sectors - (uint32_t)before_data) / bpb.cluster_sectors;
	fs->bits = bpb.fat32 ? 32 : clusters < FAT12_CLUSTERS ? 12 : 16;
	error = check_clusters(fs, clusters, bpb.fat_sectors);
	if (error || !bpb.fat32)
		return error;
	return mount_fat32(fs, &bpb);
}

/* Reads the byte at an offset in the FAT. Entries are read by bytes, because a FAT12 entry may
   cross from one sector into the next. */
static enum fat_error fat_byte(struct fat_fs *fs, uint32_t offset, uint8_t *value)
{
	uint32_t lba = fs->fat_lba + offset / FAT_SECTOR_SIZE;
	enum fat_error error = read_sector(fs, &fs->fat, lba);

	*value = fs->fat.bytes[offset % FAT_SECTOR_SIZE];
	return error;
}

/*
 * Reads the FAT's entry of a cluster, which exists by F1 and F2. The special values at the end of
 * the range (bad, end of chain) are widened to those of FAT32. The numbers below them are clusters
 * of the largest volumes.
 */
static enum fat_error fat_entry(struct fat_fs *fs, uint32_t cluster, uint32_t *value)
{
	uint32_t bytes = (fs->bits + 7) / 8;
	uint32_t offset = (uint32_t)((uint64_t)cluster * fs->bits / 8);
	uint32_t mask = fs->bits == 32 ? FAT32_MASK : (1u << fs->bits) - 1;
	uint8_t byte = 0;

	*value = 0;
	for (uint32_t i = 0; i < bytes; i++) {
		enum fat_error error = fat_byte(fs, offset + i, &byte);

		if (error)
			return error;
		*value |= (uint32_t)byte << (8 * i);
	}
	if (fs->bits == 12 && (cluster & 1))
		*value >>= 4;
	*value &= mask;
	if (*value >= mask - 8) /* FF7h, FFF7h or 0FFFFFF7h and above */
		*value |= FAT32_MASK & ~mask;
	return FAT_OK;
}

#define CHAIN_BAD 0x0ffffff7u
#define CHAIN_END 0x0ffffff8u /* and above */

/* Finds the cluster that follows this one in its chain: *next is 0 at the end of the chain. */
static enum fat_error next_cluster(struct fat_fs *fs, uint32_t cluster, uint32_t *next)
{
	enum fat_error error = fat_entry(fs, cluster, next);

	if (error)
		return error;
	if (*next >= CHAIN_END) {
		*next = 0;
		return FAT_OK;
	}
	if (*next == CHAIN_BAD)
		return error_at(fs, FAT_CHAIN_BAD, cluster);
	if (*next == 0)
		return error_at(fs, FAT_CHAIN_FREE, cluster);
	if (!is_cluster(fs, *next))
		return error_at(fs, FAT_CHAIN_RANGE, cluster);
	return FAT_OK;
}

static uint32_t cluster_lba(const struct fat_fs *fs, uint32_t cluster)
{
	return fs->data_lba + (cluster - FIRST_CLUSTER) * fs->cluster_sectors;
}

/* Fills *file from a directory entry, after checking it. */
static enum fat_error file_of(struct fat_fs *fs, const uint8_t *entry, struct fat_file *file)
{
	uint64_t volume =
	    (uint64_t)(fs->cluster_end - FIRST_CLUSTER) * fs->cluster_sectors * FAT_SECTOR_SIZE;

	file->size = get32(entry + ENTRY_FILE_SIZE);
	file->first_cluster = get16(entry + ENTRY_CLUSTER_LOW);
	if (fs->bits == 32)
		file->first_cluster |= (uint32_t)get16(entry + ENTRY_CLUSTER_HIGH) << 16;
	if (file->size > volume)
		return error_at(fs, FAT_SIZE, file->size);
	if (file->size != 0 && !is_cluster(fs, file->first_cluster))
		return error_at(fs, FAT_FIRST_CLUSTER, file->first_cluster);
	return FAT_OK;
}

/* Looks for a name in the sector fs->directory. Sets *end if the directory ends there. */
static enum fat_error find_in_sector(struct fat_fs *fs, const char *name, struct fat_file *file,
				     bool *end)
{
	for (uint32_t i = 0; i < FAT_SECTOR_SIZE; i += ENTRY_SIZE) {
		const uint8_t *entry = fs->directory.bytes + i;

		*end = entry[0] == NAME_END;
		if (*end)
			return FAT_MISSING;
		if (entry[0] == NAME_DELETED ||
		    (entry[ENTRY_ATTRIBUTES] & (ATTRIBUTE_LABEL | ATTRIBUTE_FOLDER)))
			continue;
		if (memcmp(entry, name, FAT_NAME_SIZE) == 0)
			return file_of(fs, entry, file);
	}
	return FAT_MISSING;
}

/* Looks for a name in consecutive directory sectors. Sets *end if the directory ends there. */
static enum fat_error find_in_run(struct fat_fs *fs, uint32_t lba, uint32_t sectors,
				  const char *name, struct fat_file *file, bool *end)
{
	for (uint32_t i = 0; i < sectors; i++) {
		enum fat_error error = read_sector(fs, &fs->directory, lba + i);

		if (!error)
			error = find_in_sector(fs, name, file, end);
		if (error != FAT_MISSING || *end)
			return error;
	}
	return FAT_MISSING;
}

enum fat_error fat_find(struct fat_fs *fs, const char *name, struct fat_file *file)
{
	uint32_t limit = ROOT_ENTRIES_MAX * ENTRY_SIZE / FAT_SECTOR_SIZE;
	uint32_t cluster = fs->root_cluster;
	bool end = false;
	enum fat_error error;

	if (fs->bits != 32)
		return find_in_run(fs, fs->root_lba, fs->root_sectors, name, file, &end);
	for (uint32_t sectors = 0; sectors < limit; sectors += fs->cluster_sectors) {
		error = find_in_run(fs, cluster_lba(fs, cluster), fs->cluster_sectors, name, file,
				    &end);
		if (error != FAT_MISSING || end)
			return error;
		error = next_cluster(fs, cluster, &cluster);
		if (error)
			return error;
		if (cluster == 0)
			return FAT_MISSING;
	}
	return FAT_ROOT_ENDLESS;
}

/*
 * Counts the clusters of a chain, from *cluster on, that are also consecutive on the disk, at most
 * max: *run. Moves *cluster to the one that follows them in the chain, 0 at its end.
 */
static enum fat_error contiguous_run(struct fat_fs *fs, uint32_t *cluster, uint32_t max,
				     uint32_t *run)
{
	for (*run = 1;; (*run)++) {
		uint32_t current = *cluster;
		enum fat_error error = next_cluster(fs, current, cluster);

		if (error)
			return error;
		if (*cluster != current + 1 || *run == max)
			return FAT_OK;
	}
}

/* Reads a number of bytes from lba on: whole sectors directly to buf, the rest through
   fs->tail. */
static enum fat_error read_bytes(struct fat_fs *fs, uint32_t lba, uint8_t *buf, uint32_t bytes)
{
	uint32_t whole = bytes / FAT_SECTOR_SIZE;
	enum fat_error error;

	if (whole != 0 && !fs->read(fs->context, lba, whole, buf))
		return error_at(fs, FAT_READ, lba);
	if (bytes % FAT_SECTOR_SIZE == 0)
		return FAT_OK;
	error = read_sector(fs, &fs->tail, lba + whole);
	if (!error)
		memcpy(buf + whole * FAT_SECTOR_SIZE, fs->tail.bytes, bytes % FAT_SECTOR_SIZE);
	return error;
}

/* A loop in the chain cannot hang this: want bounds the reading. It is reported as a chain that
   does not end with the file. */
enum fat_error fat_load(struct fat_fs *fs, const struct fat_file *file, void *buf, uint32_t want)
{
	uint32_t cluster_bytes = fs->cluster_sectors * FAT_SECTOR_SIZE;
	uint32_t cluster = file->first_cluster;
	uint32_t done = 0;

	if (want > file->size)
		return error_at(fs, FAT_SIZE, file->size);
	while (done < want) {
		uint32_t left = want - done;
		uint32_t first = cluster;
		uint32_t run;
		enum fat_error error =
		    contiguous_run(fs, &cluster, (left - 1) / cluster_bytes + 1, &run);

		if (error)
			return error;
		if (run <= (left - 1) / cluster_bytes)
			left = run * cluster_bytes;
		error = read_bytes(fs, cluster_lba(fs, first), (uint8_t *)buf + done, left);
		if (error)
			return error;
		done += left;
		if (cluster == 0 && done < want)
			return error_at(fs, FAT_CHAIN_SHORT, first + run - 1);
	}
	if (want != 0 && want == file->size && cluster != 0)
		return error_at(fs, FAT_CHAIN_LONG, cluster);
	return FAT_OK;
}

static const struct {
	const char *text;
	const char *unit;
} error_texts[FAT_ERROR_COUNT] = {
	[FAT_OK] = { "no error", NULL },
	[FAT_READ] = { "cannot be read", "reading from LBA" },
	[FAT_NO_SIGNATURE] = { "no FAT boot record: it does not end in 55 AA", NULL },
	[FAT_SECTOR_BYTES] = { "FAT sectors are not 512 bytes", "bytes" },
	[FAT_CLUSTER_SECTORS] = { "sectors per cluster is not a power of two", "sectors" },
	[FAT_NO_RESERVED] = { "FAT boot record: no reserved sectors", NULL },
	[FAT_NO_FATS] = { "FAT boot record: no FAT, or an empty one", NULL },
	[FAT_NO_SECTORS] = { "FAT boot record: no sectors", NULL },
	[FAT_TOO_LARGE] = { "FAT volume larger than its partition", "sectors" },
	[FAT_NO_ROOT] = { "FAT boot record: no root directory", NULL },
	[FAT_NO_DATA] = { "FAT volume without room for a file", NULL },
	[FAT_TOO_SMALL_FAT] = { "the FAT is too small for the volume", "sectors" },
	[FAT_TOO_MANY] = { "more clusters than this kind of FAT can have", "clusters" },
	[FAT_ROOT_CLUSTER] = { "root directory begins outside the volume", "cluster" },
	[FAT_ROOT_ENDLESS] = { "root directory does not end", NULL },
	[FAT_MISSING] = { "not found", NULL },
	[FAT_FIRST_CLUSTER] = { "begins outside the volume", "cluster" },
	[FAT_SIZE] = { "larger than the volume", "bytes" },
	[FAT_CHAIN_BAD] = { "cluster chain leads to a cluster marked bad", "after cluster" },
	[FAT_CHAIN_FREE] = { "cluster chain leads to a free cluster", "after cluster" },
	[FAT_CHAIN_RANGE] = { "cluster chain leaves the volume", "after cluster" },
	[FAT_CHAIN_SHORT] = { "cluster chain ends before the file does", "cluster" },
	[FAT_CHAIN_LONG] = { "cluster chain does not end with the file, or loops", "cluster" },
};

const char *fat_error_text(enum fat_error error, const char **unit)
{
	*unit = error_texts[error].unit;
	return error_texts[error].text;
}
