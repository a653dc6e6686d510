/*
 * test_stage2_kernel.c: tests where stage2/kernel.c reads KERNEL.ELF to and where it lays the image
 * out, in memory at the true addresses, on maps where the two places overlap, touch, or lie apart.
 * The file's bytes are random, and the test says what elf_check() makes of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/e820.h"
#include "stage2/elf.h"
#include "stage2/fat.h"
#include "stage2/stage2.h"
#include "tests/host/stage2/low.h"
#include "tests/host/stage2/said.h"

#include <cmocka.h> /* after said.h */

#define KIB         ((uint64_t)1024)
#define MIB         (1024 * KIB)
#define MAX_FILE    (64 * MIB)
#define LOW         MIB
#define LOW_END     (20 * MIB)
#define TEXT_53     "fifty-three characters of a reason that's very long, "
#define LONG_REASON TEXT_53 TEXT_53 TEXT_53 /* as long as stage2 has room for */
#define VIRT        0xffffffff80200000ull

struct boot_info boot_info;
struct e820_map memory_map;

static struct {
	bool missing;
	uint32_t size;
	uint8_t *bytes;
	uint64_t staged;   /* where it was read to */
	const char *wrong; /* why elf_check() refuses it, or NULL */
	struct elf_image image;
	struct boot_range range;
	uint32_t ranges, stamps;
} on_disk;

bool volume_find(const char *name, struct fat_file *found)
{
	assert_string_equal(name, "KERNEL.ELF");
	*found = (struct fat_file){ 5, on_disk.size };
	return !on_disk.missing;
}

void volume_read(const char *name, const struct fat_file *file, void *buf, uint32_t want)
{
	assert_string_equal(name, "KERNEL.ELF");
	assert_int_equal(file->first_cluster, 5);
	assert_int_equal(want, on_disk.size);
	on_disk.staged = (uintptr_t)buf;
	if (!on_disk.wrong)
		memcpy(buf, on_disk.bytes, want);
}

bool elf_check(const uint8_t *bytes, uint32_t size, struct elf_image *image, char *why,
	       size_t why_size)
{
	assert_int_equal((uintptr_t)bytes, on_disk.staged);
	assert_int_equal(size, on_disk.size);
	*image = on_disk.image;
	if (on_disk.wrong)
		snprintf(why, why_size, "%s", on_disk.wrong);
	return !on_disk.wrong;
}

void range_add(uint64_t base, uint64_t size, enum boot_range_kind kind)
{
	on_disk.range = (struct boot_range){ base, size, kind, 0 };
	on_disk.ranges++;
}

void cpu_stamp(enum boot_stage stage)
{
	assert_int_equal(stage, STAGE_KERNEL);
	on_disk.stamps++;
}

static int map_memory(void **state)
{
	(void)state;
	map_at(LOW, LOW_END - LOW);
	return 0;
}

static int begin(void **state)
{
	(void)state;
	memset(&boot_info, 0, sizeof(boot_info));
	memset(&on_disk, 0, sizeof(on_disk));
	memory_map.nr_ranges = 0;
	return 0;
}

/* Adds RAM to the map, which is sorted. */
static void ram(uint64_t base, uint64_t end)
{
	memory_map.ranges[memory_map.nr_ranges++] =
	    (struct e820_range){ base, end - base, E820_TYPE_RAM, 0 };
}

/*
 * Loads a file of so many bytes, whose image has two segments: all of the file from its second byte
 * on at the beginning, then its first 100 bytes in the middle of .bss. Demands that it was read to
 * staged, that the image is at place, and that what follows it is as it was, unless that is where
 * the file was moved to.
 */
static void check_load(uint32_t size, uint32_t image_size, uint64_t staged, uint64_t place)
{
	uint8_t *expected = calloc(1, image_size), *image = (uint8_t *)(uintptr_t)place;
	uint32_t first = size - 1 < image_size / 2 ? size - 1 : image_size / 2;

	on_disk.size = size;
	on_disk.bytes = malloc(size);
	for (uint32_t i = 0; i < size; i++)
		on_disk.bytes[i] = (uint8_t)((i * 2654435761u) >> 24);
	on_disk.image = (struct elf_image){ VIRT,
					    VIRT + 16,
					    image_size,
					    2,
					    { { 1, first, 0, image_size / 2 },
					      { 0, 100, image_size - 200, 200 },
					      { 0, 100, 300, 100 } } }; /* not one of the two */
	memcpy(expected, on_disk.bytes + 1, first);
	memcpy(expected + image_size - 200, on_disk.bytes, 100);
	memset((void *)(uintptr_t)LOW, 0x5a, LOW_END - LOW);
	on_disk.ranges = on_disk.stamps = 0;
	check_step(kernel_load, "");
	assert_int_equal(on_disk.staged, staged);
	assert_int_equal(boot_info.kernel_phys, place);
	assert_int_equal(boot_info.kernel_virt, VIRT);
	assert_int_equal(boot_info.kernel_size, image_size);
	assert_int_equal(boot_info.kernel_entry, VIRT + 16);
	assert_int_equal(on_disk.ranges, 1);
	assert_int_equal(on_disk.range.base, place);
	assert_int_equal(on_disk.range.size, image_size);
	assert_int_equal(on_disk.range.kind, RANGE_KERNEL);
	assert_int_equal(on_disk.stamps, 1);
	assert_memory_equal(image, expected, image_size);
	free(expected);
	free(on_disk.bytes);
}

/* Demands that the file is at an address once it has been loaded. */
static bool file_is_at(uint64_t address)
{
	const uint8_t *at = (const uint8_t *)(uintptr_t)address;

	for (uint32_t i = 0; i < on_disk.size; i++)
		if (at[i] != (uint8_t)((i * 2654435761u) >> 24))
			return false;
	return true;
}

static void below_the_image(void **state)
{
	(void)state;
	ram(MIB, 16 * MIB);
	check_load(300 * KIB + 7, 900 * KIB, MIB, 2 * MIB);
	assert_true(file_is_at(MIB));
	/* They touch. */
	check_load(MIB, 3 * MIB, MIB, 2 * MIB);
	assert_true(file_is_at(MIB));
	assert_int_equal(*(uint8_t *)(uintptr_t)(5 * MIB), 0x5a);
}

/* The file reaches into the place of the image, so it is moved to the lowest RAM above that. */
static void into_the_image(void **state)
{
	(void)state;
	ram(MIB, 16 * MIB);
	check_load(MIB + 1, 3 * MIB, MIB, 2 * MIB);
	assert_true(file_is_at(5 * MIB));
	check_load(4 * MIB, MIB + 4 * KIB, MIB, 2 * MIB);
	assert_true(file_is_at(3 * MIB + 4 * KIB));
	/* The two places of the file overlap. */
	check_load(3 * MIB, 4 * KIB, MIB, 2 * MIB);
	assert_true(file_is_at(2 * MIB + 4 * KIB));
}

static void in_the_image(void **state)
{
	(void)state;
	ram(2 * MIB, 16 * MIB);
	check_load(100 * KIB, MIB, 2 * MIB, 2 * MIB);
	assert_true(file_is_at(3 * MIB));
	/* The end of the file lies in the image. */
	begin(NULL);
	ram(MIB, MIB + 256 * KIB);
	ram(4 * MIB + MIB, 16 * MIB);
	check_load(2 * MIB, 3 * MIB, 5 * MIB, 6 * MIB);
	assert_true(file_is_at(9 * MIB));
}

/* A hole that holds the image, and not the file. */
static void above_the_image(void **state)
{
	(void)state;
	ram(2 * MIB, 3 * MIB);
	ram(3 * MIB + 4 * KIB, 16 * MIB);
	check_load(2 * MIB, MIB, 3 * MIB + 4 * KIB, 2 * MIB);
	assert_true(file_is_at(3 * MIB + 4 * KIB));
}

/* The file's place is aligned to a page, that of the image to 2 MiB. */
static void alignment(void **state)
{
	(void)state;
	ram(MIB + 1, MIB + 4 * KIB + 100);
	ram(MIB + 8 * KIB + 1, 2 * MIB);
	ram(3 * MIB, 6 * MIB);
	check_load(200, 8 * KIB, MIB + 12 * KIB, 4 * MIB);
	assert_true(file_is_at(MIB + 12 * KIB));
	/* RAM below 1 MiB is the BIOS's and the loader's; an image does not begin below 2 MiB. */
	begin(NULL);
	ram(0, 16 * MIB);
	check_load(200, 8 * KIB, MIB, 2 * MIB);
}

static void loads_that_are_refused(void **state)
{
	(void)state;
	ram(MIB, 16 * MIB);
	on_disk.missing = true;
	check_step_fails(kernel_load,
			 "KERNEL.ELF: not in the root directory of the FAT partition\n");
	on_disk.missing = false;
	check_step_fails(kernel_load, "KERNEL.ELF: empty (0 bytes)\n");
	on_disk.size = MAX_FILE + 1;
	check_step_fails(kernel_load,
			 "KERNEL.ELF: 67108865 bytes; more than 64 MiB is no kernel\n");
	on_disk.size = MAX_FILE;
	check_step_fails(kernel_load, "KERNEL.ELF: no RAM between 1 MiB and 4 GiB to read its "
				      "67108864 bytes into\n");
	on_disk.wrong = "no ELF file";
	memory_map.ranges[0].size = 64 * MIB;
	check_step_fails(kernel_load, "KERNEL.ELF: no ELF file\n");
	on_disk.size = 1;
	on_disk.wrong = LONG_REASON;
	check_step_fails(kernel_load, "KERNEL.ELF: " LONG_REASON "\n");
	assert_int_equal(on_disk.ranges, 0);
	assert_int_equal(on_disk.stamps, 0);
}

/* RAM for the file, but not for the image; and none to move the file to. */
static void no_room_for_the_image(void **state)
{
	uint8_t bytes[4096] = { 0 };

	(void)state;
	ram(MIB, 2 * MIB + MIB - 4 * KIB);
	on_disk.size = sizeof(bytes);
	on_disk.bytes = bytes;
	on_disk.image = (struct elf_image){ VIRT, VIRT, MIB, 0, { { 0 } } };
	check_step_fails(kernel_load,
			 "KERNEL.ELF: no RAM between 2 MiB and 4 GiB for its 1024 KiB\n");
	memory_map.ranges[0].base = 2 * MIB;
	memory_map.ranges[0].size = MIB;
	check_step_fails(kernel_load, "KERNEL.ELF: no RAM between 1 MiB and 4 GiB to read its 4096 "
				      "bytes into\n");
	assert_int_equal(on_disk.ranges, 0);
}

/* 32-bit code reaches 4 GiB, and no RAM above. */
static void ram_at_4_gib(void **state)
{
	const uint64_t gib_4 = 1ull << 32;

	(void)state;
	on_disk.wrong = "no ELF file";
	on_disk.size = 8192;
	ram(gib_4 - 8192, gib_4 + MIB);
	check_step_fails(kernel_load, "KERNEL.ELF: no ELF file\n");
	assert_int_equal(on_disk.staged, gib_4 - 8192);
	on_disk.size++;
	check_step_fails(kernel_load, "KERNEL.ELF: no RAM between 1 MiB and 4 GiB to read its 8193 "
				      "bytes into\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(below_the_image, begin),
		cmocka_unit_test_setup(into_the_image, begin),
		cmocka_unit_test_setup(in_the_image, begin),
		cmocka_unit_test_setup(above_the_image, begin),
		cmocka_unit_test_setup(alignment, begin),
		cmocka_unit_test_setup(loads_that_are_refused, begin),
		cmocka_unit_test_setup(no_room_for_the_image, begin),
		cmocka_unit_test_setup(ram_at_4_gib, begin),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("stage2_kernel", tests, map_memory, NULL);
}
