/*
 * fuzz_fat.c: fuzzes stage2/fat.c with volumes that mtools made and that are then damaged.
 *
 *   byte 0          bits 0, 1: FAT12, FAT16, FAT32; 2, 3: where the partition lies on the disk;
 *                   4: 2 bytes follow, the number of a sector that cannot be read; 5: 2 bytes
 *                   follow, by how many sectors the partition is shorter than the volume;
 *                   6, 7: the file that is read
 *   then changes    where (1 byte), offset (2), where / 4 + 1 bytes: where % 4 = 0 the boot record,
 *                   1 the FAT, 2 the root directory near KERNEL.ELF's entry, 3 a sector, whose
 *                   number precedes the offset (2 bytes)
 *
 * Whatever the damage, every read stays within the partition, and the number of reads is bounded.
 * What the reader says of the volume must fit the volume, and it must find and read what a naive
 * reader of the whole image finds there.
 */
#include <stdbool.h>

#include "tests/host/fat_volume.h"
#include "tests/host/fuzz/fuzz.h"

#define ENTRY       32u
#define LOAD_BYTES  0x20000u /* of a larger file, only this much is read */
#define READS       20000u   /* enough for 65536 directory entries, the FAT, and the file */
#define MAX_CHANGES 1024
#define FAT_BYTES   1024u /* the part of the FAT that is changed: it has all entries in use */
#define ROOT_BYTES  1024u

static struct volume *volume;
static uint32_t lba, sectors;                            /* the partition */
static uint32_t tables[NR_VOLUMES], entries[NR_VOLUMES]; /* offsets in the intact volumes */

static struct {
	uint32_t offset, size;
} changes[MAX_CHANGES];
static unsigned int nr_changes;

static bool read_sectors(void *context, uint32_t first, uint32_t count, void *buf)
{
	uint32_t sector = first - lba;

	FUZZ_CHECK(context == volume);
	FUZZ_CHECK(first >= lba && sector < sectors && count >= 1 && count <= sectors - sector);
	FUZZ_CHECK(++volume->reads <= READS);
	if (volume->unreadable >= sector && volume->unreadable - sector < count) {
		memset(buf, 0xa5, FAT_SECTOR_SIZE); /* a read that fails may leave anything */
		return false;
	}
	memcpy(buf, volume->bytes + (size_t)sector * FAT_SECTOR_SIZE,
	       (size_t)count * FAT_SECTOR_SIZE);
	return true;
}

static void make_once(void)
{
	if (volume)
		return;
	volumes_make();
	for (int i = 0; i < NR_VOLUMES; i++) {
		tables[i] = volume_fat_offset(&volumes[i]);
		entries[i] = volume_entry_offset(&volumes[i]);
	}
}

static void change(struct fuzz_input *input)
{
	uint8_t where = (uint8_t)fuzz_take(input, 1);
	uint32_t sector = where % 4 == 3 ? (uint32_t)fuzz_take(input, 2) % volume->sectors : 0;
	uint32_t offset = (uint32_t)fuzz_take(input, 2), size = where / 4 + 1;
	const uint32_t starts[] = { 0, tables[volume - volumes],
				    entries[volume - volumes] & ~(ROOT_BYTES - 1),
				    sector * FAT_SECTOR_SIZE };
	static const uint32_t sizes[] = { FAT_SECTOR_SIZE, FAT_BYTES, ROOT_BYTES, FAT_SECTOR_SIZE };

	offset = starts[where % 4] + offset % sizes[where % 4];
	if (size > volume->sectors * FAT_SECTOR_SIZE - offset)
		size = volume->sectors * FAT_SECTOR_SIZE - offset;
	for (uint32_t i = 0; i < size; i++)
		volume->bytes[offset + i] = (uint8_t)fuzz_take(input, 1);
	changes[nr_changes].offset = offset;
	changes[nr_changes++].size = size;
}

static void take_back(void)
{
	while (nr_changes > 0) {
		uint32_t offset = changes[--nr_changes].offset;

		memcpy(volume->bytes + offset, volume->pristine + offset, changes[nr_changes].size);
	}
	volume->unreadable = NO_SECTOR;
	volume->reads = 0;
}

/*
 * The naive reader. It follows the specification, has all bytes of the image, and is used for
 * volumes that fat_mount() accepted.
 */

static const uint8_t *at(uint64_t offset, uint64_t size)
{
	FUZZ_CHECK(offset + size <= (uint64_t)sectors * FAT_SECTOR_SIZE);
	return volume->bytes + offset;
}

static uint32_t number(uint32_t offset, unsigned int bytes)
{
	struct fuzz_input input = { at(offset, bytes), bytes };

	return (uint32_t)fuzz_take(&input, bytes);
}

static struct {
	uint32_t bits, fat, root, root_entries, root_cluster, data, cluster_bytes, clusters;
} naive; /* offsets in bytes */

static void naive_mount(void)
{
	uint32_t fats = number(16, 1), fat_sectors = number(22, 2), total = number(19, 2);
	uint32_t active = number(40, 2), root_bytes;
	bool fat32 = fat_sectors == 0;

	if (fat32)
		fat_sectors = number(36, 4);
	if (total == 0)
		total = number(32, 4);
	naive.root_entries = fat32 ? 0 : number(17, 2);
	naive.root_cluster = fat32 ? number(44, 4) : 0;
	root_bytes = (naive.root_entries * ENTRY + 511) / 512 * 512;
	naive.fat = number(14, 2) * 512;
	naive.root = naive.fat + fats * fat_sectors * 512;
	naive.data = naive.root + root_bytes;
	naive.cluster_bytes = number(13, 1) * 512;
	naive.clusters = (total - naive.data / 512) / (naive.cluster_bytes / 512);
	naive.bits = fat32 ? 32 : naive.clusters < 4085 ? 12 : 16;
	if (fat32 && (active & 0x80) && (active & 15) < fats)
		naive.fat += (active & 15) * fat_sectors * 512;
}

/* Returns the cluster that follows this one in its chain, or 0 after the last. */
static uint32_t naive_next(uint32_t cluster)
{
	uint32_t next;

	FUZZ_CHECK(cluster >= 2 && cluster - 2 < naive.clusters);
	if (naive.bits == 12) {
		next = number(naive.fat + cluster + cluster / 2, 2);
		next = cluster % 2 ? next >> 4 : next & 0xfff;
		return next >= 0xff8 ? 0 : next;
	}
	if (naive.bits == 16) {
		next = number(naive.fat + cluster * 2, 2);
		return next >= 0xfff8 ? 0 : next;
	}
	next = number(naive.fat + cluster * 4, 4) & 0xfffffff;
	return next >= 0xffffff8 ? 0 : next;
}

static uint32_t naive_data(uint32_t cluster)
{
	FUZZ_CHECK(cluster >= 2 && cluster - 2 < naive.clusters);
	return naive.data + (cluster - 2) * naive.cluster_bytes;
}

/*
 * Returns the entry of a name in part of a directory, or NULL; *end tells that the directory ends
 * in this part.
 */
static const uint8_t *naive_find_in(uint32_t offset, uint32_t size, const char *name, bool *end)
{
	for (uint32_t i = 0; i < size; i += ENTRY) {
		const uint8_t *entry = at(offset + i, ENTRY);

		*end = entry[0] == 0;
		if (*end)
			return NULL;
		if (entry[0] != 0xe5 && !(entry[11] & 0x18) && memcmp(entry, name, 11) == 0)
			return entry;
	}
	return NULL;
}

static const uint8_t *naive_find(const char *name)
{
	const uint8_t *entry = NULL;
	bool end = false;

	if (naive.bits != 32) /* the root directory is rounded up to whole sectors */
		return naive_find_in(naive.root, naive.data - naive.root, name, &end);
	for (uint32_t c = naive.root_cluster; c != 0 && !entry && !end; c = naive_next(c))
		entry = naive_find_in(naive_data(c), naive.cluster_bytes, name, &end);
	return entry;
}

static void naive_compare(const struct fat_file *file, const uint8_t *buf, uint32_t want)
{
	uint32_t cluster = file->first_cluster;

	if (want == 0)
		return;
	for (uint32_t done = 0; done < want; done += naive.cluster_bytes) {
		uint32_t left = want - done;
		uint32_t size = left < naive.cluster_bytes ? left : naive.cluster_bytes;

		FUZZ_CHECK(memcmp(buf + done, at(naive_data(cluster), size), size) == 0);
		cluster = naive_next(cluster);
	}
	FUZZ_CHECK(want < file->size || cluster == 0);
}

/* Checks that the mounted volume satisfies the invariants F1 to F3 of fat.c. */
static void check_mounted(const struct fat_fs *fs)
{
	uint64_t fat_bytes = ((uint64_t)fs->cluster_end * fs->bits + 7) / 8;

	naive_mount();
	FUZZ_CHECK(fs->bits == naive.bits && fs->cluster_end == naive.clusters + 2);
	FUZZ_CHECK(fs->fat_lba == lba + naive.fat / 512 && fs->data_lba == lba + naive.data / 512);
	FUZZ_CHECK(fs->cluster_sectors == naive.cluster_bytes / 512 && naive.clusters > 0);
	FUZZ_CHECK(naive.fat > 0 && naive.fat + fat_bytes <= naive.root);
	FUZZ_CHECK(fs->bits == 32 || (fs->root_lba == lba + naive.root / 512 &&
				      fs->root_sectors == (naive.data - naive.root) / 512));
	at(naive.data, (uint64_t)naive.clusters * naive.cluster_bytes);
}

static void check_found(struct fat_fs *fs, const struct fat_file *file, const char *name)
{
	const uint8_t *entry = naive_find(name);
	uint32_t offset;

	FUZZ_CHECK(entry);
	offset = (uint32_t)(entry - volume->bytes);
	FUZZ_CHECK(file->size == number(offset + 28, 4));
	FUZZ_CHECK(file->first_cluster ==
		   (number(offset + 26, 2) | (fs->bits == 32 ? number(offset + 20, 2) << 16 : 0)));
	FUZZ_CHECK(file->size <= (uint64_t)naive.clusters * naive.cluster_bytes);
}

/* The calls of the reader. After a read error the sector becomes readable, and it tries again. */

static enum fat_error find(struct fat_fs *fs, const char *name, struct fat_file *file)
{
	enum fat_error error = fat_find(fs, name, file);

	if (error == FAT_READ) {
		volume->unreadable = NO_SECTOR;
		error = fat_find(fs, name, file);
	}
	FUZZ_CHECK(error != FAT_MISSING || !naive_find(name));
	if (!error)
		check_found(fs, file, name);
	return error;
}

static enum fat_error load(struct fat_fs *fs, const struct fat_file *file)
{
	uint32_t want = file->size < LOAD_BYTES ? file->size : LOAD_BYTES;
	uint8_t *buf = fuzz_alloc(want);
	enum fat_error error = fat_load(fs, file, buf, want);

	if (error == FAT_READ) {
		volume->unreadable = NO_SECTOR;
		error = fat_load(fs, file, buf, want);
	}
	if (!error)
		naive_compare(file, buf, want);
	free(buf);
	return error;
}

static enum fat_error read_file(struct fat_fs *fs, const char *name)
{
	enum fat_error error = fat_mount(fs, read_sectors, volume, lba, sectors);
	struct fat_file file;

	if (error)
		return error;
	check_mounted(fs);
	error = find(fs, name, &file);
	return error ? error : load(fs, &file);
}

static void place(struct fuzz_input *input, uint8_t how)
{
	const uint32_t places[] = { 1, 100, 0x80000000u, UINT32_MAX - volume->sectors };

	lba = places[how >> 2 & 3];
	sectors = volume->sectors;
	if (how & 0x10)
		volume->unreadable = (uint32_t)fuzz_take(input, 2) % sectors;
	if (how & 0x20)
		sectors -= (uint32_t)fuzz_take(input, 2) % sectors;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const names[] = { "KERNEL  ELF", "ONE     TXT", "EMPTY   TXT",
					     "NOTHERE ELF" };
	struct fuzz_input input = { bytes, size };
	uint8_t how = (uint8_t)fuzz_take(&input, 1);
	struct fat_fs fs;
	enum fat_error error;
	const char *unit;

	make_once();
	volume = &volumes[how % 4 % NR_VOLUMES];
	place(&input, how);
	while (input.left > 0 && nr_changes < MAX_CHANGES)
		change(&input);
	error = read_file(&fs, names[how >> 6]);
	FUZZ_CHECK(error < FAT_ERROR_COUNT && fat_error_text(error, &unit));
	FUZZ_CHECK(error != FAT_READ || (how & 0x10));
	FUZZ_CHECK(nr_changes > 0 || (how & 0x20) || error == FAT_READ ||
		   error == (how >> 6 == 3 ? FAT_MISSING : FAT_OK));
	take_back();
	return 0;
}
