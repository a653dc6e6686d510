/*
 * volume.c: the FAT partition of the boot drive. It is mounted once, and each error of fat.c ends
 * in fail() with a message such as "KERNEL.ELF: cluster chain leaves the volume (after cluster
 * 17)".
 */
#include <stdbool.h>
#include <stddef.h>

#include "stage2/console.h"
#include "stage2/disk.h"
#include "stage2/fat.h"
#include "stage2/partition.h"
#include "stage2/stage2.h"

static struct fat_fs fs;

/* Ends in fail() unless error is FAT_OK. what: the file or thing that the message begins with. */
static void fail_on_error(const char *what, enum fat_error error)
{
	const char *unit;
	const char *text = fat_error_text(error, &unit);

	if (error == FAT_OK)
		return;
	if (unit == NULL)
		fail("%s: %s", what, text);
	fail("%s: %s (%s %u)", what, text, unit, fs.at);
}

void volume_open(void)
{
	static uint8_t sector[SECTOR_SIZE];
	struct partition partition;
	const char *wrong;

	disk_open();
	if (!disk_read(NULL, 0, 1, sector))
		fail("partition table: cannot be read (LBA 0)");
	wrong = partition_find(sector, &partition);
	if (wrong != NULL)
		fail("drive %02xh: %s", boot_drive, wrong);
	fail_on_error("FAT partition",
		      fat_mount(&fs, disk_read, NULL, partition.lba, partition.sectors));
}

/* Turns a name such as "KERNEL.ELF" into the form of a directory entry, "KERNEL  ELF". */
static void short_name(const char *name, char *out)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < FAT_NAME_SIZE; i++)
		out[i] = ' ';
	for (; *name; name++) {
		if (*name == '.')
			at = 8;
		else if (at < FAT_NAME_SIZE)
			out[at++] = *name;
	}
}

bool volume_find(const char *name, struct fat_file *file)
{
	char entry_name[FAT_NAME_SIZE];
	enum fat_error error;

	short_name(name, entry_name);
	error = fat_find(&fs, entry_name, file);
	if (error == FAT_MISSING)
		return false;
	fail_on_error(name, error);
	return true;
}

void volume_read(const char *name, const struct fat_file *file, void *buf, uint32_t want)
{
	fail_on_error(name, fat_load(&fs, file, buf, want));
}
