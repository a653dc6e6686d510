/*
 * kernel.c: loads KERNEL.ELF from the volume.
 *
 * The whole file is read to a staging place above 1 MiB and checked there. Only then are its
 * segments copied to the final place: the lowest RAM, aligned to 2 MiB, that holds the image. Both
 * places are as low as possible, because a memory map that claims too much RAM does so at its end.
 * So they may overlap; then the file is moved out of the way first.
 */
#include <stddef.h>

#include "lib/string.h"
#include "stage2/console.h"
#include "stage2/elf.h"
#include "stage2/fat.h"
#include "stage2/stage2.h"

#define KERNEL_NAME     "KERNEL.ELF"
#define KERNEL_MAX_FILE 0x4000000u /* 64 MiB, the same as ELF_MAX_MEMORY */
#define MIB             0x100000ull
#define GIB_4           0x100000000ull
#define PLACE_ALIGN     0x200000u
#define STAGING_ALIGN   0x1000u

static uint8_t *pointer_to(uint64_t address)
{
	return (uint8_t *)(uintptr_t)address;
}

/* Returns the lowest address above 1 MiB with RAM for the file, outside the taken ranges. */
static uint64_t staging_place(uint32_t size, const struct e820_taken *taken, uint32_t nr_taken)
{
	uint64_t place =
	    e820_find_ram(&memory_map, size, STAGING_ALIGN, MIB, GIB_4, taken, nr_taken);

	if (place == UINT64_MAX)
		fail(KERNEL_NAME ": no RAM between 1 MiB and 4 GiB to read its %u bytes into",
		     size);
	return place;
}

static uint64_t final_place(uint32_t size)
{
	uint64_t place = e820_find_ram(&memory_map, size, PLACE_ALIGN, PLACE_ALIGN, GIB_4, NULL, 0);

	if (place == UINT64_MAX)
		fail(KERNEL_NAME ": no RAM between 2 MiB and 4 GiB for its %u KiB", size / 1024);
	return place;
}

/* Moves the file if it overlaps the image's place. Returns where the file is then: the lowest place
   outside the image, which is where it lies already unless they overlap. */
static uint64_t move_aside(uint64_t staging, uint32_t size, const struct e820_taken *image)
{
	uint64_t place = staging_place(size, image, 1);

	if (place != staging)
		memmove(pointer_to(place), pointer_to(staging), size);
	return place;
}

/* Copies the segments to place. All bytes that the file does not give, as .bss, become 0. */
static void lay_out(const struct elf_image *image, const uint8_t *file, uint8_t *place)
{
	memset(place, 0, image->size);
	for (uint32_t i = 0; i < image->nr_segments; i++) {
		const struct elf_segment *segment = &image->segments[i];

		memcpy(place + segment->memory, file + segment->offset, segment->file_size);
	}
}

/* Reads the file to its staging place. Returns that place and sets *size, in bytes. */
static uint64_t read_file(uint32_t *size)
{
	struct fat_file file;
	uint64_t staging;

	if (!volume_find(KERNEL_NAME, &file))
		fail(KERNEL_NAME ": not in the root directory of the FAT partition");
	if (file.size == 0)
		fail(KERNEL_NAME ": empty (0 bytes)");
	if (file.size > KERNEL_MAX_FILE)
		fail(KERNEL_NAME ": %u bytes; more than 64 MiB is no kernel", file.size);
	staging = staging_place(file.size, NULL, 0);
	volume_read(KERNEL_NAME, &file, pointer_to(staging), file.size);
	*size = file.size;
	return staging;
}

void kernel_load(void)
{
	struct elf_image image;
	struct e820_taken taken;
	char why[160];
	uint32_t size;
	uint64_t staging = read_file(&size);

	if (!elf_check(pointer_to(staging), size, &image, why, sizeof(why)))
		fail(KERNEL_NAME ": %s", why);
	taken.base = final_place(image.size);
	taken.size = image.size;
	staging = move_aside(staging, size, &taken);
	lay_out(&image, pointer_to(staging), pointer_to(taken.base));

	boot_info.kernel_phys = taken.base;
	boot_info.kernel_virt = image.virt;
	boot_info.kernel_size = image.size;
	boot_info.kernel_entry = image.entry;
	range_add(taken.base, taken.size, RANGE_KERNEL);
	cpu_stamp(STAGE_KERNEL);
}
