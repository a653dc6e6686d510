/*
 * test_volume.c: tests how stage2/volume.c opens the partition, turns names into those of directory
 * entries, and words the errors. stage2/fat.c is not in it: the test says what it returns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "stage2/disk.h"
#include "stage2/fat.h"
#include "stage2/stage2.h"
#include "tests/host/stage2/said.h"

#include <cmocka.h> /* after said.h */

#define LBA     0x12345678u
#define SECTORS 0x01020304u

uint8_t boot_drive = 0x80;

static struct {
	uint8_t table[SECTOR_SIZE]; /* the sector at LBA 0 */
	bool unreadable;
	enum fat_error error; /* of each call */
	uint32_t at;          /* what it is about */
	const char *unit;
	uint32_t opens, mounts;
	char name[FAT_NAME_SIZE + 1]; /* looked for */
	bool found;
} volume;

void disk_open(void)
{
	volume.opens++;
}

bool disk_read(void *context, uint32_t lba, uint32_t count, void *buf)
{
	assert_null(context);
	assert_int_equal(volume.opens, 1);
	assert_int_equal(lba, 0);
	assert_int_equal(count, 1);
	memcpy(buf, volume.table, sizeof(volume.table));
	return !volume.unreadable;
}

enum fat_error fat_mount(struct fat_fs *fs, fat_read_fn *read, void *context, uint32_t lba,
			 uint32_t sectors)
{
	assert_true(read == disk_read);
	assert_null(context);
	assert_int_equal(lba, LBA);
	assert_int_equal(sectors, SECTORS);
	fs->at = volume.at;
	volume.mounts++;
	return volume.error;
}

enum fat_error fat_find(struct fat_fs *fs, const char *name, struct fat_file *file)
{
	memcpy(volume.name, name, FAT_NAME_SIZE);
	*file = (struct fat_file){ 7, 77 };
	fs->at = volume.at;
	return volume.error;
}

enum fat_error fat_load(struct fat_fs *fs, const struct fat_file *file, void *buf, uint32_t want)
{
	assert_int_equal(file->first_cluster, 7);
	assert_int_equal(want, 70);
	memset(buf, 'x', want);
	fs->at = volume.at;
	return volume.error;
}

const char *fat_error_text(enum fat_error error, const char **unit)
{
	*unit = volume.unit;
	return error == FAT_OK ? "no error" : "a fault";
}

static int begin(void **state)
{
	static const uint8_t entry[16] = { 0x80, 0,    0,    0,    6,    0,    0,    0,
					   0x78, 0x56, 0x34, 0x12, 0x04, 0x03, 0x02, 0x01 };

	(void)state;
	memset(&volume, 0, sizeof(volume));
	memcpy(volume.table + 446, entry, sizeof(entry));
	volume.table[510] = 0x55;
	volume.table[511] = 0xaa;
	return 0;
}

static void opening(void **state)
{
	(void)state;
	check_step(volume_open, "");
	assert_int_equal(volume.opens, 1);
	assert_int_equal(volume.mounts, 1);
}

static void openings_that_are_refused(void **state)
{
	(void)state;
	volume.error = FAT_NO_RESERVED;
	check_step_fails(volume_open, "FAT partition: a fault\n");
	begin(NULL);
	volume.error = FAT_TOO_LARGE;
	volume.unit = "sectors";
	volume.at = 123;
	check_step_fails(volume_open, "FAT partition: a fault (sectors 123)\n");
	begin(NULL);
	volume.table[446 + 4] = 0xee;
	check_step_fails(volume_open,
			 "drive 80h: the disk has a GPT; firstpage needs an MBR partition\n");
	begin(NULL);
	volume.unreadable = true;
	check_step_fails(volume_open, "partition table: cannot be read (LBA 0)\n");
	assert_int_equal(volume.mounts, 0);
}

static const char *wanted;

static void find_step(void)
{
	struct fat_file file;

	volume.found = volume_find(wanted, &file);
	assert_int_equal(file.size, 77);
}

static void check_name(const char *name, const char *entry)
{
	wanted = name;
	check_step(find_step, "");
	assert_true(volume.found);
	assert_string_equal(volume.name, entry);
}

static void names_of_entries(void **state)
{
	(void)state;
	check_name("KERNEL.ELF", "KERNEL  ELF");
	check_name("CMDLINE.TXT", "CMDLINE TXT");
	check_name("ABCDEFGH.IJK", "ABCDEFGHIJK");
	check_name("A.B", "A       B  ");
	check_name("A", "A          ");
	check_name("A.BCDE", "A       BCD"); /* the rest has no room */
}

static void finding(void **state)
{
	(void)state;
	wanted = "KERNEL.ELF";
	volume.error = FAT_MISSING;
	check_step(find_step, "");
	assert_false(volume.found);
	volume.error = FAT_ROOT_ENDLESS;
	check_step_fails(find_step, "KERNEL.ELF: a fault\n");
	volume.unit = "after cluster";
	volume.at = 17;
	check_step_fails(find_step, "KERNEL.ELF: a fault (after cluster 17)\n");
}

static void read_step(void)
{
	static const struct fat_file file = { 7, 77 };
	char text[71] = "";

	volume_read("A.TXT", &file, text, 70);
	assert_int_equal(strspn(text, "x"), 70);
}

static void reading(void **state)
{
	(void)state;
	check_step(read_step, "");
	volume.error = FAT_CHAIN_SHORT;
	volume.unit = "cluster";
	volume.at = 9;
	check_step_fails(read_step, "A.TXT: a fault (cluster 9)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(opening, begin),
		cmocka_unit_test_setup(openings_that_are_refused, begin),
		cmocka_unit_test_setup(names_of_entries, begin),
		cmocka_unit_test_setup(finding, begin),
		cmocka_unit_test_setup(reading, begin),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("volume", tests, NULL, NULL);
}
