/*
 * test_fat.c: tests stage2/fat.c with volumes that mtools made, at first intact and then damaged.
 *
 * The reader must find what mtools wrote (fat_volume.h) on FAT12, FAT16 and FAT32. Then fields,
 * chains and single bytes are changed. Each fault must give its own error; and whatever the bytes
 * are, every read must stay within the partition and every call must end: each read goes through
 * volume_read(), which fails the test otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/host/fat_volume.h"

#define PARTITION_LBA 100u
#define NEAR_SECTORS  1500u /* the FATs, the root directory and the first files lie in these */
#define COUNT(a)      (sizeof(a) / sizeof((a)[0]))

static uint8_t buffer[KERNEL_BYTES + 1];

static bool volume_read(void *context, uint32_t lba, uint32_t count, void *buf)
{
	struct volume *volume = context;

	assert_in_range(lba, PARTITION_LBA, PARTITION_LBA + volume->sectors - 1);
	assert_in_range(count, 1, PARTITION_LBA + volume->sectors - lba);
	lba -= PARTITION_LBA;
	volume->reads++;
	if (volume->unreadable >= lba && volume->unreadable < lba + count) {
		memset(buf, 0xee, (size_t)count * FAT_SECTOR_SIZE);
		return false;
	}
	memcpy(buf, volume->bytes + (size_t)lba * FAT_SECTOR_SIZE, (size_t)count * FAT_SECTOR_SIZE);
	return true;
}

/* Mounts the volume, finds a file and reads all of it. Returns the error of the call that fails. */
static enum fat_error load(struct volume *volume, struct fat_fs *fs, const char *name)
{
	struct fat_file file = { 0 };
	enum fat_error error;

	error = fat_mount(fs, volume_read, volume, PARTITION_LBA, volume->sectors);
	if (!error)
		error = fat_find(fs, name, &file);
	if (!error && file.size > KERNEL_BYTES)
		error = fat_load(fs, &file, buffer, KERNEL_BYTES);
	else if (!error)
		error = fat_load(fs, &file, buffer, file.size);
	return error;
}

/* Loads KERNEL.ELF, and demands this error. Returns what it is about. */
static uint32_t expect(struct volume *volume, enum fat_error expected)
{
	struct fat_fs fs;
	const char *unit;
	enum fat_error error = load(volume, &fs, "KERNEL  ELF");

	if (error != expected)
		fail_msg("%s: the error is \"%s\" instead of \"%s\"", volume->name,
			 fat_error_text(error, &unit), fat_error_text(expected, &unit));
	return fs.at;
}

/* The same, where the error is about this number. */
static void expect_at(struct volume *volume, enum fat_error expected, uint32_t at)
{
	assert_int_equal(expect(volume, expected), at);
}

static int make_volumes(void **state)
{
	(void)state;
	volumes_make();
	return 0;
}

static int free_volumes(void **state)
{
	(void)state;
	volumes_free();
	return 0;
}

static void for_each_volume(void (*test)(struct volume *volume))
{
	for (size_t i = 0; i < NR_VOLUMES; i++) {
		volume_restore(&volumes[i]);
		test(&volumes[i]);
	}
}

/* Returns what the reader knows of a volume that is intact. */
static struct fat_fs mounted(struct volume *volume)
{
	struct fat_fs fs;

	assert_int_equal(fat_mount(&fs, volume_read, volume, PARTITION_LBA, volume->sectors), 0);
	return fs;
}

static struct fat_file found(struct volume *volume, const char *name)
{
	struct fat_fs fs = mounted(volume);
	struct fat_file file;

	assert_int_equal(fat_find(&fs, name, &file), FAT_OK);
	return file;
}

static void finds_files_of(struct volume *volume)
{
	struct fat_fs fs = mounted(volume);
	struct fat_file file;

	assert_int_equal(fs.bits, volume->bits);
	assert_int_equal(found(volume, "KERNEL  ELF").size, KERNEL_BYTES);
	assert_int_equal(load(volume, &fs, "KERNEL  ELF"), FAT_OK);
	assert_memory_equal(buffer, kernel_bytes, KERNEL_BYTES);
	assert_int_equal(found(volume, "EMPTY   TXT").size, 0);
	assert_int_equal(load(volume, &fs, "EMPTY   TXT"), FAT_OK);
	assert_int_equal(found(volume, "ONE     TXT").size, 1);
	assert_int_equal(load(volume, &fs, "ONE     TXT"), FAT_OK);
	assert_int_equal(buffer[0], 'x');
	assert_int_equal(fat_find(&fs, "SMALL39    ", &file), FAT_OK);
	assert_int_equal(fat_find(&fs, "SMALL38    ", &file), FAT_MISSING);
	assert_int_equal(fat_find(&fs, "FOLDER  ELF", &file), FAT_MISSING);
	assert_int_equal(fat_find(&fs, "LABEL      ", &file), FAT_MISSING);
}

static void finds_files(void **state)
{
	(void)state;
	for_each_volume(finds_files_of);
}

/* A part of a file is read up to its last byte and not beyond. */
static void reads_parts_of(struct volume *volume)
{
	struct fat_fs fs = mounted(volume);
	struct fat_file file = found(volume, "KERNEL  ELF");

	for (uint32_t want = 0; want <= KERNEL_BYTES; want += want < 3000 ? 1 : 509) {
		memset(buffer, 0xee, sizeof(buffer));
		assert_int_equal(fat_load(&fs, &file, buffer, want), FAT_OK);
		assert_memory_equal(buffer, kernel_bytes, want);
		assert_int_equal(buffer[want], 0xee);
	}
	assert_int_equal(fat_load(&fs, &file, buffer, KERNEL_BYTES + 1), FAT_SIZE);
	assert_int_equal(fs.at, KERNEL_BYTES);
}

static void reads_parts(void **state)
{
	(void)state;
	for_each_volume(reads_parts_of);
}

static void put(struct volume *volume, uint32_t offset, uint32_t size, uint32_t value)
{
	for (uint32_t i = 0; i < size; i++)
		volume->bytes[offset + i] = (uint8_t)(value >> 8 * i);
}

/* Each row has a field of the boot record, a value it must not have, and the error for that. */
static void refuses_boot_records_of(struct volume *volume)
{
	static const struct {
		uint32_t offset, size, value;
		enum fat_error error;
	} rows[] = {
		{ 510, 2, 0, FAT_NO_SIGNATURE },   { 11, 2, 0, FAT_SECTOR_BYTES },
		{ 11, 2, 4096, FAT_SECTOR_BYTES }, { 13, 1, 0, FAT_CLUSTER_SECTORS },
		{ 13, 1, 3, FAT_CLUSTER_SECTORS }, { 13, 1, 255, FAT_CLUSTER_SECTORS },
		{ 14, 2, 0, FAT_NO_RESERVED },     { 14, 2, 0xffff, FAT_NO_DATA },
		{ 16, 1, 0, FAT_NO_FATS },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		/* On the largest volume 65535 reserved sectors leave room for some data. */
		if (rows[i].error == FAT_NO_DATA && volume->bits == 32)
			continue;
		put(volume, rows[i].offset, rows[i].size, rows[i].value);
		expect_at(volume, rows[i].error,
			  rows[i].error == FAT_SECTOR_BYTES || rows[i].error == FAT_CLUSTER_SECTORS
			      ? rows[i].value
			      : 0);
		volume_restore(volume);
	}
}

static void refuses_boot_records(void **state)
{
	(void)state;
	for_each_volume(refuses_boot_records_of);
}

static void refuses_sizes_of(struct volume *volume)
{
	put(volume, 19, 2, 0);
	put(volume, 32, 4, 0);
	expect(volume, FAT_NO_SECTORS);
	put(volume, 32, 4, volume->sectors + 1);
	expect_at(volume, FAT_TOO_LARGE, volume->sectors + 1);
	put(volume, 32, 4, UINT32_MAX);
	expect_at(volume, FAT_TOO_LARGE, UINT32_MAX);
	put(volume, 32, 4, 4);
	expect(volume, FAT_NO_DATA);
	volume_restore(volume);
	if (volume->bits == 32) {
		put(volume, 36, 4, 0);
		expect(volume, FAT_NO_FATS);
		put(volume, 36, 4, 1);
		expect(volume, FAT_TOO_SMALL_FAT);
		put(volume, 36, 4, UINT32_MAX);
		expect(volume, FAT_NO_DATA);
		volume_restore(volume);
		put(volume, 44, 4, 1);
		expect(volume, FAT_ROOT_CLUSTER);
		put(volume, 44, 4, volume->sectors);
		expect(volume, FAT_ROOT_CLUSTER);
	} else {
		put(volume, 22, 2, 1);
		expect(volume, FAT_TOO_SMALL_FAT);
		volume_restore(volume);
		put(volume, 17, 2, 0);
		expect(volume, FAT_NO_ROOT);
	}
}

static void refuses_sizes(void **state)
{
	(void)state;
	for_each_volume(refuses_sizes_of);
}

static void refuses_bad_partitions(void **state)
{
	struct volume *volume = &volumes[0];
	struct fat_fs fs;

	(void)state;
	volume_restore(volume);
	volume->reads = 0;
	assert_int_equal(fat_mount(&fs, volume_read, volume, 0, 100), FAT_TOO_LARGE);
	assert_int_equal(fs.at, 100);
	assert_int_equal(fat_mount(&fs, volume_read, volume, 100, 0), FAT_TOO_LARGE);
	assert_int_equal(fat_mount(&fs, volume_read, volume, UINT32_MAX, 100), FAT_TOO_LARGE);
	assert_int_equal(volume->reads, 0);
	assert_int_equal(fat_mount(&fs, volume_read, volume, PARTITION_LBA, 2879), FAT_TOO_LARGE);
}

/* A boot record alone, for volumes of any size: only the record can be read. */
struct record {
	uint32_t cluster_sectors, reserved, fats, root_entries, fat_sectors, clusters;
	bool fat32;
	uint32_t flags, root_cluster;
	uint32_t slack; /* sectors after the last cluster */
	uint8_t bytes[FAT_SECTOR_SIZE];
};

static void put_bytes(uint8_t *at, uint32_t size, uint32_t value)
{
	for (uint32_t i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static bool read_record(void *context, uint32_t lba, uint32_t count, void *buf)
{
	const struct record *record = context;

	assert_int_equal(lba, PARTITION_LBA);
	assert_int_equal(count, 1);
	memcpy(buf, record->bytes, FAT_SECTOR_SIZE);
	return true;
}

/* Mounts a volume with this record, in a partition of the same size. */
static enum fat_error mount_record(struct record *r, struct fat_fs *fs)
{
	uint32_t sectors = r->reserved + r->fats * r->fat_sectors +
			   (r->root_entries * 32 + 511) / 512 + r->clusters * r->cluster_sectors +
			   r->slack;

	memset(r->bytes, 0, sizeof(r->bytes));
	put_bytes(r->bytes + 11, 2, FAT_SECTOR_SIZE);
	put_bytes(r->bytes + 13, 1, r->cluster_sectors);
	put_bytes(r->bytes + 14, 2, r->reserved);
	put_bytes(r->bytes + 16, 1, r->fats);
	put_bytes(r->bytes + 17, 2, r->root_entries);
	put_bytes(r->bytes + 22, 2, r->fat32 ? 0 : r->fat_sectors);
	put_bytes(r->bytes + 32, 4, sectors);
	put_bytes(r->bytes + 36, 4, r->fat32 ? r->fat_sectors : 0x5a5a5a5a);
	put_bytes(r->bytes + 40, 2, r->flags);
	put_bytes(r->bytes + 44, 4, r->root_cluster);
	put_bytes(r->bytes + 510, 2, 0xaa55);
	return fat_mount(fs, read_record, r, PARTITION_LBA, sectors);
}

static void check_record(struct record *r, enum fat_error expected, uint32_t about)
{
	struct fat_fs fs;
	enum fat_error error = mount_record(r, &fs);
	const char *unit;

	if (error != expected)
		fail_msg("%u clusters: \"%s\" instead of \"%s\"", r->clusters,
			 fat_error_text(error, &unit), fat_error_text(expected, &unit));
	assert_int_equal(fs.at, about);
}

static void check_bits(struct record *r, uint32_t bits)
{
	struct fat_fs fs;

	assert_int_equal(mount_record(r, &fs), FAT_OK);
	assert_int_equal(fs.bits, bits);
	assert_int_equal(fs.cluster_end, r->clusters + 2);
	assert_int_equal(fs.at, 0);
}

/* The number of clusters tells FAT12 from FAT16, which has at most 65,524; FAT32 has a limit too.
 */
static void numbers_of_clusters(void **state)
{
	struct record r = { 1, 1, 1, 16, 256, 0, false, 0, 0, 0, { 0 } };
	struct record r32 = { 1, 32, 1, 0, 0x200000, 0, true, 0, 2, 0, { 0 } };

	(void)state;
	for (r.cluster_sectors = 1; r.cluster_sectors <= 128; r.cluster_sectors *= 2) {
		r.clusters = 1;
		check_bits(&r, 12);
		r.clusters = 4084;
		check_bits(&r, 12);
		r.clusters = 4085;
		check_bits(&r, 16);
		r.clusters = 65524;
		check_bits(&r, 16);
		r.clusters = 65525;
		check_record(&r, FAT_TOO_MANY, 65525);
	}
	r32.clusters = 65525; /* a FAT32 volume by the specification; the next ones are too small */
	check_bits(&r32, 32);
	r32.clusters = 65524;
	check_bits(&r32, 32);
	r32.clusters = 4084;
	check_bits(&r32, 32);
	r32.clusters = 0x0ffffff5;
	check_bits(&r32, 32);
	r32.clusters = 0x0ffffff6;
	check_record(&r32, FAT_TOO_MANY, 0x0ffffff6);
	r32.clusters = 0;
	check_record(&r32, FAT_NO_DATA, 0);
}

/* The FAT must have an entry for each cluster and the two numbers before them. */
static void sizes_of_the_fat(void **state)
{
	static const struct {
		uint32_t fat_sectors, clusters, bits;
	} rows[] = { { 1, 339, 12 }, { 3, 1022, 12 }, { 17, 4350, 16 }, { 3, 382, 32 } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct record r = { 1, 1, 2, 16,   rows[i].fat_sectors, rows[i].clusters, false,
				    0, 2, 0, { 0 } };

		r.fat32 = rows[i].bits == 32;
		r.root_entries = r.fat32 ? 0 : 16;
		check_bits(&r, rows[i].bits);
		r.clusters++;
		check_record(&r, FAT_TOO_SMALL_FAT, rows[i].fat_sectors);
	}
}

/* The areas follow one another; the root directory of FAT12 and FAT16 has whole sectors. */
static void places_of_the_areas(void **state)
{
	struct record r = { 4, 5, 3, 17, 2, 300, false, 0, 0, 3, { 0 } };
	struct record r32 = { 2, 32, 3, 0, 9, 1000, true, 0, 1001, 1, { 0 } };
	struct fat_fs fs;

	(void)state;
	assert_int_equal(mount_record(&r, &fs), FAT_OK);
	assert_int_equal(fs.fat_lba, PARTITION_LBA + 5);
	assert_int_equal(fs.root_lba, PARTITION_LBA + 5 + 3 * 2);
	assert_int_equal(fs.root_sectors, 2);
	assert_int_equal(fs.data_lba, PARTITION_LBA + 5 + 3 * 2 + 2);
	r.root_entries = 16;
	assert_int_equal(mount_record(&r, &fs), FAT_OK);
	assert_int_equal(fs.root_sectors, 1);
	r.clusters = 0; /* three of four sectors are no cluster */
	check_record(&r, FAT_NO_DATA, 0);
	r.slack = 0;
	check_record(&r, FAT_NO_DATA, 0);
	/* The root directory begins in the last cluster; then in none. */
	assert_int_equal(mount_record(&r32, &fs), FAT_OK);
	assert_int_equal(fs.data_lba, PARTITION_LBA + 32 + 3 * 9);
	assert_int_equal(fs.root_sectors, 0);
	assert_int_equal(fs.root_cluster, 1001);
	r32.root_entries = 16; /* means nothing on FAT32 */
	assert_int_equal(mount_record(&r32, &fs), FAT_OK);
	assert_int_equal(fs.data_lba, PARTITION_LBA + 32 + 3 * 9);
	r32.root_entries = 0;
	for (uint32_t flags = 0; flags < 0x100; flags++) {
		uint32_t fat = flags & 0x80 && (flags & 15) < 3 ? flags & 15 : 0;

		r32.flags = flags;
		assert_int_equal(mount_record(&r32, &fs), FAT_OK);
		assert_int_equal(fs.fat_lba, PARTITION_LBA + 32 + 9 * fat);
	}
	r32.root_cluster = 1002;
	check_record(&r32, FAT_ROOT_CLUSTER, 1002);
	r32.root_cluster = 1;
	check_record(&r32, FAT_ROOT_CLUSTER, 1);
}

/* Writes a cluster's entry in the FAT as the specification says, without the reader's code. */
static void set_entry(struct volume *volume, uint32_t cluster, uint32_t value)
{
	uint8_t *fat = volume->bytes + volume_fat_offset(volume);

	if (volume->bits == 12) {
		uint8_t *pair = fat + (size_t)(cluster / 2) * 3;

		if (cluster % 2 == 0) {
			pair[0] = (uint8_t)value;
			pair[1] = (uint8_t)((pair[1] & 0xf0) | (value >> 8 & 0xf));
		} else {
			pair[1] = (uint8_t)((pair[1] & 0xf) | (value & 0xf) << 4);
			pair[2] = (uint8_t)(value >> 4);
		}
		return;
	}
	for (uint32_t i = 0; i < volume->bits / 8; i++)
		fat[cluster * volume->bits / 8 + i] = (uint8_t)(value >> 8 * i);
}

static void refuses_chains_of(struct volume *volume)
{
	uint32_t mask = volume->bits == 32 ? 0x0fffffff : (1u << volume->bits) - 1;
	uint32_t first = found(volume, "KERNEL  ELF").first_cluster;
	uint32_t end = mounted(volume).cluster_end;
	const struct {
		uint32_t value;
		enum fat_error error;
		uint32_t at;
	} rows[] = {
		{ mask & 0x0ffffff7, FAT_CHAIN_BAD, first },
		{ 0, FAT_CHAIN_FREE, first },
		{ 1, FAT_CHAIN_RANGE, first },
		{ end, FAT_CHAIN_RANGE, first },
		{ mask & 0x0ffffff6, FAT_CHAIN_RANGE, first },
		{ mask & 0x0ffffff8, FAT_CHAIN_SHORT, first },
		{ mask, FAT_CHAIN_SHORT, first },
		{ first, FAT_CHAIN_LONG, first },     /* a loop */
		{ end - 1, FAT_CHAIN_FREE, end - 1 }, /* into free clusters */
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		set_entry(volume, first, rows[i].value);
		expect_at(volume, rows[i].error, rows[i].at);
		volume_restore(volume);
	}
}

/* A file of one byte has a chain that must end; one of none has no chain to look at. */
static void chains_of_short_files(struct volume *volume)
{
	struct fat_fs fs = mounted(volume);
	struct fat_file one = found(volume, "ONE     TXT");
	struct fat_file empty = { one.first_cluster, 0 };

	set_entry(volume, one.first_cluster, one.first_cluster);
	assert_int_equal(fat_load(&fs, &one, buffer, 1), FAT_CHAIN_LONG);
	assert_int_equal(fat_load(&fs, &empty, buffer, 0), FAT_OK);
}

static void refuses_chains(void **state)
{
	(void)state;
	for_each_volume(refuses_chains_of);
	for_each_volume(chains_of_short_files);
}

static void refuses_entries_of(struct volume *volume)
{
	uint32_t entry = volume_entry_offset(volume);
	uint32_t end = mounted(volume).cluster_end;

	uint32_t bytes = (end - 2) * mounted(volume).cluster_sectors * FAT_SECTOR_SIZE;

	put(volume, entry + 26, 2, 0);
	put(volume, entry + 20, 2, 0);
	expect_at(volume, FAT_FIRST_CLUSTER, 0);
	put(volume, entry + 26, 2, 1);
	expect_at(volume, FAT_FIRST_CLUSTER, 1);
	put(volume, entry + 26, 2, end);
	put(volume, entry + 20, 2, end >> 16);
	expect_at(volume, FAT_FIRST_CLUSTER, end);
	put(volume, entry + 26, 2, end - 1);
	put(volume, entry + 20, 2, (end - 1) >> 16);
	assert_int_equal(found(volume, "KERNEL  ELF").first_cluster, end - 1);
	put(volume, entry + 26, 2, 2);
	put(volume, entry + 20, 2, volume->bits == 32 ? 0 : 1); /* FAT32 alone has 32 bits */
	assert_int_equal(found(volume, "KERNEL  ELF").first_cluster, 2);
	volume_restore(volume);
	put(volume, entry + 28, 4, UINT32_MAX);
	expect_at(volume, FAT_SIZE, UINT32_MAX);
	put(volume, entry + 28, 4, bytes + 1);
	expect_at(volume, FAT_SIZE, bytes + 1);
	put(volume, entry + 28, 4, bytes);
	assert_int_equal(found(volume, "KERNEL  ELF").size, bytes);
	put(volume, entry + 28, 4, KERNEL_BYTES - 5000); /* shorter than its chain */
	expect(volume, FAT_CHAIN_LONG);
	volume_restore(volume);
	put(volume, entry, 1, 0xe5);
	expect(volume, FAT_MISSING);
	put(volume, entry, 1, 0);
	expect(volume, FAT_MISSING);
	volume_restore(volume);
	put(volume, entry + 11, 1, 0x0f);
	expect(volume, FAT_MISSING);
}

static void refuses_entries(void **state)
{
	(void)state;
	for_each_volume(refuses_entries_of);
}

/* What follows the end of the directory does not count, in its sector and in the next ones. */
static void ends_with_the_directory_of(struct volume *volume)
{
	uint32_t entry = volume_entry_offset(volume);
	struct fat_fs fs;
	struct fat_file file;

	put(volume, entry - 32, 1, 0);
	fs = mounted(volume);
	assert_int_equal(fat_find(&fs, "KERNEL  ELF", &file), FAT_MISSING);
	assert_int_equal(fat_find(&fs, "SMALL39    ", &file), FAT_MISSING);
	volume_restore(volume);
	put(volume, entry - 31, 1, 0); /* an odd name, and no end */
	expect(volume, FAT_OK);
	assert_int_equal(found(volume, "SMALL39    ").size, 1500);
}

static void ends_with_the_directory(void **state)
{
	(void)state;
	for_each_volume(ends_with_the_directory_of);
}

/* A root directory of FAT32 has at most 65,536 entries, as a directory of any FAT. */
static void ends_an_endless_root(void **state)
{
	struct volume *volume = &volumes[2];
	uint32_t first = 60000, last = first + 65536 / 16 - 1;
	struct fat_fs fs;
	struct fat_file file;

	(void)state;
	volume_restore(volume);
	put(volume, 44, 4, first);
	fs = mounted(volume);
	memset(volume->bytes + (size_t)(fs.data_lba - PARTITION_LBA + first - 2) * FAT_SECTOR_SIZE,
	       0xe5, (size_t)65536 * 32);
	for (uint32_t cluster = first; cluster <= last; cluster++)
		set_entry(volume, cluster, cluster < last ? cluster + 1 : 0x0fffffff);
	assert_int_equal(fat_find(&fs, "NOTHERE ELF", &file), FAT_MISSING);
	set_entry(volume, last, last + 1);
	fs = mounted(volume);
	assert_int_equal(fat_find(&fs, "NOTHERE ELF", &file), FAT_ROOT_ENDLESS);
	set_entry(volume, last, first);
	fs = mounted(volume);
	volume->reads = 0;
	assert_int_equal(fat_find(&fs, "NOTHERE ELF", &file), FAT_ROOT_ENDLESS);
	assert_in_range(volume->reads, 4096, 4096 + 40); /* and the FAT's sectors */
	volume_restore(volume);
}

/* A FAT32 volume may name one FAT as active; the others are then not up to date. */
static void takes_the_active_fat(void **state)
{
	struct volume *volume = &volumes[2];
	struct fat_fs fs;

	(void)state;
	volume_restore(volume);
	fs = mounted(volume);
	for (uint32_t cluster = 2; cluster < 200; cluster++)
		set_entry(volume, cluster, 0);
	expect(volume, FAT_CHAIN_FREE);
	put(volume, 40, 2, 0x81);
	expect(volume, FAT_OK);
	assert_int_not_equal(mounted(volume).fat_lba, fs.fat_lba);
	volume_restore(volume);
}

/* The top four bits of a FAT32 entry mean nothing. */
static void ignores_reserved_bits(void **state)
{
	struct volume *volume = &volumes[2];

	(void)state;
	volume_restore(volume);
	for (uint32_t cluster = 2; cluster < 200; cluster++)
		volume->bytes[volume_fat_offset(volume) + 4 * cluster + 3] |= 0xa0;
	expect(volume, FAT_OK);
	volume_restore(volume);
}

/* A volume with a file of six clusters, one sector each, at the end of those that its kind of FAT
   can have. The sectors are made when they are read. */
static struct {
	struct record record;
	uint32_t bits, first, last; /* clusters of the file */
	uint32_t end;               /* the entry of the last one */
	uint32_t reads;             /* of the file's sectors */
} ending;

/* Returns byte number at of the FAT: entries follow one another, the lowest bits first. */
static uint8_t ending_fat_byte(uint64_t at)
{
	uint32_t byte = 0;

	for (uint32_t i = 0; i < 8; i++) {
		uint64_t bit = at * 8 + i;
		uint32_t cluster = (uint32_t)(bit / ending.bits), value = 0;

		if (cluster >= ending.first && cluster <= ending.last)
			value = cluster < ending.last ? cluster + 1 : ending.end;
		byte |= (value >> bit % ending.bits & 1) << i;
	}
	return (uint8_t)byte;
}

static bool read_ending(void *context, uint32_t lba, uint32_t count, void *buf)
{
	uint32_t fat_lba = PARTITION_LBA + ending.record.reserved;
	uint32_t data_lba = fat_lba + ending.record.fat_sectors + ending.record.root_entries / 16;
	uint8_t *to = buf;

	(void)context;
	if (lba == PARTITION_LBA)
		return read_record(&ending.record, lba, count, buf);
	if (lba >= data_lba) {
		assert_in_range(lba - data_lba + 2, ending.first, ending.last + 1 - count);
		ending.reads++;
	} else {
		assert_in_range(lba, fat_lba, fat_lba + ending.record.fat_sectors - 1);
	}
	for (uint32_t i = 0; i < count * FAT_SECTOR_SIZE; i++)
		to[i] = lba >= data_lba
			    ? (uint8_t)(lba - data_lba + 2 + i / FAT_SECTOR_SIZE)
			    : ending_fat_byte((uint64_t)(lba - fat_lba) * FAT_SECTOR_SIZE + i);
	return true;
}

/* Reads so much of the file, whose last entry has this value. Consecutive clusters are read in one
   go. */
static void check_ending(uint32_t end, uint32_t want, enum fat_error expected)
{
	struct fat_file file = { ending.first, 6 * FAT_SECTOR_SIZE };
	struct fat_fs fs;

	ending.end = end;
	ending.reads = 0;
	assert_int_equal(mount_record(&ending.record, &fs), FAT_OK);
	fs.read = read_ending;
	assert_int_equal(fs.cluster_end, ending.last + 1);
	assert_int_equal(fat_load(&fs, &file, buffer, want), expected);
	if (expected != FAT_OK) {
		assert_int_equal(fs.at, ending.last);
		return;
	}
	assert_int_equal(ending.reads, 1);
	for (uint32_t i = 0; i < want; i++)
		assert_int_equal(buffer[i], (uint8_t)(ending.first + i / FAT_SECTOR_SIZE));
}

/* The largest volumes have clusters up to FF5h, FFF5h, and 0FFFFFF6h. */
static void reads_the_last_clusters(void **state)
{
	static const struct record records[] = {
		{ 1, 1, 1, 16, 12, 4084, false, 0, 0, 0, { 0 } },
		{ 1, 1, 1, 16, 256, 65524, false, 0, 0, 0, { 0 } },
		{ 1, 32, 1, 0, 0x200000, 0x0ffffff5, true, 0, 2, 0, { 0 } },
	};
	static const uint32_t bits[] = { 12, 16, 32 };

	(void)state;
	for (size_t i = 0; i < COUNT(records); i++) {
		uint32_t mask = bits[i] == 32 ? 0x0fffffff : (1u << bits[i]) - 1;

		ending.record = records[i];
		ending.bits = bits[i];
		ending.last = records[i].clusters + 1;
		ending.first = ending.last - 5;
		for (uint32_t end = 8; end < 16; end++)
			check_ending((mask & ~15u) | end, 6 * FAT_SECTOR_SIZE, FAT_OK);
		check_ending((mask & ~15u) | 7, 6 * FAT_SECTOR_SIZE, FAT_CHAIN_BAD);
		check_ending(ending.last + 1, 6 * FAT_SECTOR_SIZE,
			     bits[i] == 32 ? FAT_CHAIN_BAD : FAT_CHAIN_RANGE);
		/* A part of it: its last entry is not looked at. */
		check_ending(0, 5 * FAT_SECTOR_SIZE, FAT_OK);
		check_ending(0, 1 * FAT_SECTOR_SIZE, FAT_OK);
	}
}

/* Each sector that the reader needs gives an error when it cannot be read. */
static void reports_unreadable_sectors_of(struct volume *volume)
{
	struct fat_fs fs;
	uint32_t failures = 0;

	for (uint32_t sector = 0; sector < NEAR_SECTORS; sector++) {
		enum fat_error error;

		volume->unreadable = sector;
		error = load(volume, &fs, "KERNEL  ELF");
		if (!error) {
			assert_memory_equal(buffer, kernel_bytes, KERNEL_BYTES);
		} else {
			assert_int_equal(error, FAT_READ);
			assert_in_range(fs.at, PARTITION_LBA, PARTITION_LBA + sector);
			failures++;
		}
	}
	assert_in_range(failures, 4, NEAR_SECTORS);
	volume_restore(volume);
}

static void reports_unreadable_sectors(void **state)
{
	(void)state;
	for_each_volume(reports_unreadable_sectors_of);
}

/* A sector that could not be read leaves nothing behind: what it overwrote is read again. */
static void recovers_from_a_failure_of(struct volume *volume)
{
	struct fat_fs fs = mounted(volume);
	struct fat_file file = found(volume, "KERNEL  ELF"), other;

	assert_int_equal(fat_load(&fs, &file, buffer, FAT_SECTOR_SIZE), FAT_OK);
	volume->unreadable = volume_entry_offset(volume) / FAT_SECTOR_SIZE;
	assert_int_equal(fat_find(&fs, "KERNEL  ELF", &other), FAT_READ);
	assert_int_equal(fs.at, PARTITION_LBA + volume->unreadable);
	volume->unreadable = NO_SECTOR;
	assert_int_equal(fat_load(&fs, &file, buffer, FAT_SECTOR_SIZE), FAT_OK);
	assert_memory_equal(buffer, kernel_bytes, FAT_SECTOR_SIZE);
	assert_int_equal(fat_find(&fs, "KERNEL  ELF", &other), FAT_OK);
}

/* The sector that was there before is read again too. */
static void recovers_at_the_second_sector(struct volume *volume)
{
	struct fat_fs fs = mounted(volume);
	struct fat_file file;

	if (volume->bits == 32) /* its second sector is anywhere */
		return;
	volume->unreadable = fs.root_lba + 1 - PARTITION_LBA;
	assert_int_equal(fat_find(&fs, "SMALL39    ", &file), FAT_READ);
	volume->unreadable = NO_SECTOR;
	assert_int_equal(fat_find(&fs, "SMALL1     ", &file), FAT_OK);
}

static void recovers_from_a_failure(void **state)
{
	(void)state;
	for_each_volume(recovers_from_a_failure_of);
	for_each_volume(recovers_at_the_second_sector);
}

/* A name that begins like a deleted one is not found; a file that is read-only is. */
static void tells_deleted_files_of(struct volume *volume)
{
	static const char *const names[] = { "\xe4"
					     "ERNEL  ELF",
					     "\xe5"
					     "ERNEL  ELF",
					     "\xe6"
					     "ERNEL  ELF" };
	uint32_t entry = volume_entry_offset(volume);
	struct fat_file file;

	put(volume, entry + 11, 1, 0x27); /* and hidden, of the system, to be archived */
	expect(volume, FAT_OK);
	for (unsigned int i = 0; i < COUNT(names); i++) {
		struct fat_fs fs;

		put(volume, entry, 1, 0xe4 + i);
		fs = mounted(volume);
		assert_int_equal(fat_find(&fs, names[i], &file), i == 1 ? FAT_MISSING : FAT_OK);
	}
}

static void tells_deleted_files(void **state)
{
	(void)state;
	for_each_volume(tells_deleted_files_of);
}

/* Whatever value a byte has, reading ends, and stays within the partition. */
static void survive_byte(struct volume *volume, uint32_t offset)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	uint8_t kept = volume->bytes[offset];
	struct fat_fs fs;

	for (size_t i = 0; i < COUNT(values); i++) {
		volume->bytes[offset] = values[i];
		volume->reads = 0;
		load(volume, &fs, "KERNEL  ELF");
		assert_in_range(volume->reads, 1, 30000);
	}
	volume->bytes[offset] = kept;
}

static void survives_each_byte_of(struct volume *volume)
{
	uint32_t entry = volume_entry_offset(volume);

	for (uint32_t offset = 0; offset < FAT_SECTOR_SIZE; offset++)
		survive_byte(volume, offset);
	for (uint32_t offset = 0; offset < 2 * FAT_SECTOR_SIZE; offset++)
		survive_byte(volume, volume_fat_offset(volume) + offset);
	for (uint32_t offset = 0; offset < 32; offset++)
		survive_byte(volume, entry + offset);
}

static void survives_each_byte(void **state)
{
	(void)state;
	for_each_volume(survives_each_byte_of);
}

/* Changes many bytes at once, in the structures that direct the reader, always from one seed. */
static void survives_random_bytes_of(struct volume *volume)
{
	struct fat_fs fs;

	srand(1);
	for (int round = 0; round < 3000; round++) {
		uint32_t places[] = { 11, volume_fat_offset(volume), volume_entry_offset(volume) };
		uint32_t sizes[] = { 40, 1024, 32 };
		uint32_t changed[12];

		for (size_t i = 0; i < COUNT(changed); i++) {
			uint32_t place = (uint32_t)rand() % 3;

			changed[i] = places[place] + (uint32_t)rand() % sizes[place];
			volume->bytes[changed[i]] = (uint8_t)rand();
		}
		volume->reads = 0;
		load(volume, &fs, "KERNEL  ELF");
		assert_in_range(volume->reads, 1, 30000);
		for (size_t i = 0; i < COUNT(changed); i++)
			volume->bytes[changed[i]] = volume->pristine[changed[i]];
	}
}

static void survives_random_bytes(void **state)
{
	(void)state;
	for_each_volume(survives_random_bytes_of);
}

/* An error that is about a number has the number's unit. */
static void has_words_for_each_error(void **state)
{
	static const enum fat_error without[] = { FAT_OK,      FAT_NO_SIGNATURE, FAT_NO_RESERVED,
						  FAT_NO_FATS, FAT_NO_SECTORS,   FAT_NO_ROOT,
						  FAT_NO_DATA, FAT_ROOT_ENDLESS, FAT_MISSING };

	(void)state;
	for (int error = 0; error < FAT_ERROR_COUNT; error++) {
		const char *unit = "no unit stored";
		bool has_number = true;

		for (size_t i = 0; i < COUNT(without); i++)
			has_number &= without[i] != (enum fat_error)error;
		assert_non_null(fat_error_text((enum fat_error)error, &unit));
		assert_int_equal(unit != NULL, has_number);
	}
	assert_string_equal(fat_error_text(FAT_MISSING, &(const char *){ NULL }), "not found");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_files),
		cmocka_unit_test(reads_parts),
		cmocka_unit_test(refuses_boot_records),
		cmocka_unit_test(refuses_sizes),
		cmocka_unit_test(refuses_bad_partitions),
		cmocka_unit_test(numbers_of_clusters),
		cmocka_unit_test(sizes_of_the_fat),
		cmocka_unit_test(places_of_the_areas),
		cmocka_unit_test(refuses_chains),
		cmocka_unit_test(refuses_entries),
		cmocka_unit_test(ends_with_the_directory),
		cmocka_unit_test(ends_an_endless_root),
		cmocka_unit_test(takes_the_active_fat),
		cmocka_unit_test(ignores_reserved_bits),
		cmocka_unit_test(reads_the_last_clusters),
		cmocka_unit_test(reports_unreadable_sectors),
		cmocka_unit_test(recovers_from_a_failure),
		cmocka_unit_test(tells_deleted_files),
		cmocka_unit_test(survives_each_byte),
		cmocka_unit_test(survives_random_bytes),
		cmocka_unit_test(has_words_for_each_error),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("fat", tests, make_volumes, free_volumes);
}
