#include "tests/host/fat_volume.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct volume volumes[NR_VOLUMES] = {
	{ .name = "FAT12", .format = "-h 2 -s 18 -c 1", .sectors = 2880, .bits = 12 },
	{ .name = "FAT16", .format = "-h 16 -s 63 -c 2", .sectors = 20160, .bits = 16 },
	{ .name = "FAT32", .format = "-h 16 -s 63 -c 1 -F", .sectors = 68544, .bits = 32 },
};

uint8_t kernel_bytes[KERNEL_BYTES];

static void failed(const char *what)
{
	fprintf(stderr, "fat_volume: failed: %s\n", what);
	exit(1);
}

/* Runs a shell command, and ends the program if it fails. */
__attribute__((format(printf, 1, 2))) static void run(const char *fmt, ...)
{
	char command[1000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (system(command) != 0)
		failed(command);
}

static uint8_t *slurp(const char *path, size_t size)
{
	FILE *stream = fopen(path, "rb");
	uint8_t *bytes = malloc(size);

	if (!stream || !bytes || fread(bytes, 1, size, stream) != size)
		failed(path);
	fclose(stream);
	return bytes;
}

static void spill(const char *path, const uint8_t *bytes, size_t size)
{
	FILE *stream = fopen(path, "wb");

	if (!stream || fwrite(bytes, 1, size, stream) != size || fclose(stream) != 0)
		failed(path);
}

void volume_restore(struct volume *volume)
{
	memcpy(volume->bytes, volume->pristine, (size_t)volume->sectors * FAT_SECTOR_SIZE);
	volume->unreadable = NO_SECTOR;
}

/*
 * Makes a volume: small files fill its beginning, every other one is deleted, and KERNEL.ELF goes
 * into the gaps. Their 40 entries also make FAT32's root directory longer than a cluster.
 */
static void make_volume(struct volume *volume, const char *directory)
{
	char image[300];
	size_t size = (size_t)volume->sectors * FAT_SECTOR_SIZE;

	snprintf(image, sizeof(image), "%s/%s", directory, volume->name);
	run("truncate -s %zu %s && mformat -i %s -T %u %s -v LABEL ::", size, image, image,
	    volume->sectors, volume->format);
	run("cd %s && mmd -i %s ::FOLDER.ELF && mcopy -i %s small '::a rather long name.text'",
	    directory, volume->name, volume->name);
	run("cd %s && mcopy -i %s `seq -f SMALL%%g 0 39` ::", directory, volume->name);
	run("cd %s && mdel -i %s `seq -f ::SMALL%%g 0 2 39`", directory, volume->name);
	run("cd %s && mcopy -i %s KERNEL.ELF EMPTY.TXT ONE.TXT ::", directory, volume->name);
	volume->pristine = slurp(image, size);
	volume->bytes = slurp(image, size);
	volume->unreadable = NO_SECTOR;
}

void volumes_make(void)
{
	char directory[200], path[250];
	const char *build;

	setenv("MTOOLS_SKIP_CHECK", "1", 1);
	build = getenv("B");
	snprintf(directory, sizeof(directory), "%s/fat.%d", build ? build : "build", (int)getpid());
	run("mkdir -p %s", directory);
	for (uint32_t i = 0; i < KERNEL_BYTES; i++)
		kernel_bytes[i] = (uint8_t)(i * 7 + i / 251);
	snprintf(path, sizeof(path), "%s/KERNEL.ELF", directory);
	spill(path, kernel_bytes, KERNEL_BYTES);
	run("cd %s && : >EMPTY.TXT && printf x >ONE.TXT && head -c 1500 KERNEL.ELF >small && "
	    "for i in `seq 0 39`; do cp small SMALL$i; done",
	    directory);
	for (int i = 0; i < NR_VOLUMES; i++)
		make_volume(&volumes[i], directory);
	run("rm -r %s", directory);
}

void volumes_free(void)
{
	for (int i = 0; i < NR_VOLUMES; i++) {
		free(volumes[i].pristine);
		free(volumes[i].bytes);
	}
}

uint32_t volume_fat_offset(const struct volume *volume)
{
	return (uint32_t)(volume->bytes[14] | volume->bytes[15] << 8) * FAT_SECTOR_SIZE;
}

/* The name is searched for: it stands in this form in the directory entry and nowhere else. */
uint32_t volume_entry_offset(const struct volume *volume)
{
	for (uint32_t at = 0; at < volume->sectors * FAT_SECTOR_SIZE; at += 32) {
		if (memcmp(volume->bytes + at, "KERNEL  ELF", FAT_NAME_SIZE) == 0)
			return at;
	}
	failed("no entry");
	return 0;
}
