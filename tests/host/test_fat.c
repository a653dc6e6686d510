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
	if (volume->unreadable >= lba && volume->unreadable < lba + count)
		return false;
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

static void expect(struct volume *volume, enum fat_error expected)
{
	struct fat_fs fs;
	const char *unit;
	enum fat_error error = load(volume, &fs, "KERNEL  ELF");

	if (error != expected)
		fail_msg("%s: the error is \"%s\" instead of \"%s\"", volume->name,
			 fat_error_text(error, &unit), fat_error_text(expected, &unit));
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
		expect(volume, rows[i].error);
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
	expect(volume, FAT_TOO_LARGE);
	put(volume, 32, 4, UINT32_MAX);
	expect(volume, FAT_TOO_LARGE);
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
	assert_int_equal(fat_mount(&fs, volume_read, volume, 0, 100), FAT_TOO_LARGE);
	assert_int_equal(fat_mount(&fs, volume_read, volume, 100, 0), FAT_TOO_LARGE);
	assert_int_equal(fat_mount(&fs, volume_read, volume, UINT32_MAX, 100), FAT_TOO_LARGE);
	assert_int_equal(fat_mount(&fs, volume_read, volume, PARTITION_LBA, 2879), FAT_TOO_LARGE);
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
	} rows[] = {
		{ mask & 0x0ffffff7, FAT_CHAIN_BAD },
		{ 0, FAT_CHAIN_FREE },
		{ 1, FAT_CHAIN_RANGE },
		{ end, FAT_CHAIN_RANGE },
		{ mask & 0x0ffffff6, FAT_CHAIN_RANGE },
		{ mask & 0x0ffffff8, FAT_CHAIN_SHORT },
		{ mask, FAT_CHAIN_SHORT },
		{ first, FAT_CHAIN_LONG },   /* a loop */
		{ end - 1, FAT_CHAIN_FREE }, /* into free clusters */
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		set_entry(volume, first, rows[i].value);
		expect(volume, rows[i].error);
		volume_restore(volume);
	}
}

static void refuses_chains(void **state)
{
	(void)state;
	for_each_volume(refuses_chains_of);
}

static void refuses_entries_of(struct volume *volume)
{
	uint32_t entry = volume_entry_offset(volume);
	uint32_t end = mounted(volume).cluster_end;

	put(volume, entry + 26, 2, 0);
	put(volume, entry + 20, 2, 0);
	expect(volume, FAT_FIRST_CLUSTER);
	put(volume, entry + 26, 2, 1);
	expect(volume, FAT_FIRST_CLUSTER);
	put(volume, entry + 26, 2, end);
	put(volume, entry + 20, 2, end >> 16);
	expect(volume, FAT_FIRST_CLUSTER);
	volume_restore(volume);
	put(volume, entry + 28, 4, UINT32_MAX);
	expect(volume, FAT_SIZE);
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

static void ends_an_endless_root(void **state)
{
	struct volume *volume = &volumes[2];
	struct fat_fs fs;
	struct fat_file file;

	(void)state;
	volume_restore(volume);
	fs = mounted(volume);
	set_entry(volume, fs.root_cluster, fs.root_cluster);
	fs = mounted(volume);
	volume->reads = 0;
	assert_int_equal(fat_find(&fs, "NOTHERE ELF", &file), FAT_ROOT_ENDLESS);
	assert_in_range(volume->reads, 1, 20000);
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

/* Each sector that the reader needs gives an error when it cannot be read. */
static void reports_unreadable_sectors_of(struct volume *volume)
{
	struct fat_fs fs;
	uint32_t failures = 0;

	for (uint32_t sector = 0; sector < NEAR_SECTORS; sector++) {
		enum fat_error error;

		volume->unreadable = sector;
		error = load(volume, &fs, "KERNEL  ELF");
		if (error) {
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

static void has_words_for_each_error(void **state)
{
	(void)state;
	for (int error = 0; error < FAT_ERROR_COUNT; error++) {
		const char *unit;

		assert_non_null(fat_error_text((enum fat_error)error, &unit));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_files),
		cmocka_unit_test(reads_parts),
		cmocka_unit_test(refuses_boot_records),
		cmocka_unit_test(refuses_sizes),
		cmocka_unit_test(refuses_bad_partitions),
		cmocka_unit_test(refuses_chains),
		cmocka_unit_test(refuses_entries),
		cmocka_unit_test(ends_an_endless_root),
		cmocka_unit_test(takes_the_active_fat),
		cmocka_unit_test(reports_unreadable_sectors),
		cmocka_unit_test(survives_each_byte),
		cmocka_unit_test(survives_random_bytes),
		cmocka_unit_test(has_words_for_each_error),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("fat", tests, make_volumes, free_volumes);
}
