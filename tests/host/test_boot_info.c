/*
 * test_boot_info.c: tests kernel/boot_info.c's checks: a block that is right passes, and each field
 * that is wrong is named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/host/kernel_block.h"

#define VIRT BLOCK_VIRT
#define PHYS BLOCK_PHYS
#define SIZE BLOCK_SIZE

static struct boot_info info;

static void names(const char *word)
{
	char reason[160] = "";

	assert_true(boot_info_is_wrong(&info, &block_image, reason, sizeof(reason)));
	if (!strstr(reason, word))
		fail_msg("expected %s in: %s", word, reason);
}

static void sealed_names(const char *word)
{
	block_seal(&info);
	names(word);
}

/* Demands that a block with this value in a field, and a CRC that fits, is refused by name. */
#define WRONG(field, value)           \
	do {                          \
		block_make(&info);    \
		info.field = (value); \
		sealed_names(#field); \
	} while (0)

static void passes(void)
{
	char reason[160];

	block_seal(&info);
	assert_false(boot_info_is_wrong(&info, &block_image, reason, sizeof(reason)));
}

static void test_right(void **state)
{
	(void)state;
	block_make(&info);
	passes();
	/* The largest values that are allowed pass too. */
	info.e820_count = E820_MAX_RAW;
	info.map_faults = MAP_FAULT_ALL;
	memset(info.cmdline, '~', BOOT_INFO_CMDLINE_SIZE - 1);
	memset(info.dropped, '~', BOOT_INFO_DROPPED_SIZE - 1);
	while (info.range_count < BOOT_INFO_MAX_RANGES)
		info.ranges[info.range_count++] = info.ranges[0];
	passes();
}

static void test_header(void **state)
{
	(void)state;
	WRONG(magic, BOOT_INFO_MAGIC ^ 1);
	WRONG(version, BOOT_INFO_VERSION + 1);
	WRONG(size, sizeof(info) - 1);
}

/* The CRC covers every byte: a flipped bit anywhere is found. */
static void test_crc(void **state)
{
	(void)state;
	block_make(&info);
	block_seal(&info);
	for (size_t i = offsetof(struct boot_info, crc32); i < sizeof(info); i += 61) {
		((unsigned char *)&info)[i] ^= 0x10;
		names("crc32");
		((unsigned char *)&info)[i] ^= 0x10;
	}
}

static void test_scalars(void **state)
{
	(void)state;
	WRONG(boot_drive, 0x100);
	WRONG(disk_method, 0);
	WRONG(disk_method, DISK_CHS + 1);
	WRONG(map_source, 0);
	WRONG(map_source, MAP_INT12 + 1);
	WRONG(map_faults, MAP_FAULT_ALL + 1);
	WRONG(int12_kib, 1025);
	WRONG(ebda_segment, 0x10000);
	WRONG(e820_count, 0);
	WRONG(e820_count, E820_MAX_RAW + 1);
	WRONG(range_count, 0);
	WRONG(range_count, BOOT_INFO_MAX_RANGES + 1);
	WRONG(cmdline_faults, CMDLINE_FAULT_ALL + 1);
	WRONG(cmdline_replaced, BOOT_INFO_CMDLINE_SIZE + 1);
	WRONG(rsdp, 0x100000);
	WRONG(safe, SAFE_OPTION + 1);
	WRONG(shift_flags, 0x100);
}

static void test_kernel(void **state)
{
	(void)state;
	WRONG(kernel_virt, VIRT + 0x200000);
	WRONG(kernel_size, SIZE + 0x1000);
	WRONG(kernel_entry, VIRT + 1);
	WRONG(kernel_phys, PHYS + 0x1000);
	WRONG(kernel_phys, 0);
	WRONG(kernel_phys, 0x100000000ull);
	WRONG(kernel_phys, UINT64_MAX - 0x1fffff);
}

static void wrong_range(uint64_t base, uint64_t size, uint32_t kind)
{
	block_make(&info);
	info.ranges[0] = (struct boot_range){ base, size, kind, 0 };
	sealed_names("ranges[0]");
}

static void test_ranges(void **state)
{
	(void)state;
	wrong_range(0, 0x1000, 0);
	wrong_range(0, 0x1000, RANGE_KERNEL + 1);
	wrong_range(0, 0, RANGE_STAGE2);
	wrong_range(0x100000000ull, 1, RANGE_STAGE2);
	wrong_range(0xfffff000, 0x1001, RANGE_STAGE2);
	wrong_range(0x1000, UINT64_MAX, RANGE_STAGE2);
	block_make(&info);
	info.ranges[1].size--;
	sealed_names("holds the kernel");
	block_make(&info);
	info.ranges[1].base++;
	sealed_names("holds the kernel");
	block_make(&info);
	info.ranges[1].kind = RANGE_STAGE2;
	sealed_names("holds the kernel");
}

static void test_cmdline(void **state)
{
	(void)state;
	block_make(&info);
	info.cmdline[3] = '\n';
	sealed_names("cmdline[3]");
	block_make(&info);
	info.cmdline[3] = (char)0x80;
	sealed_names("cmdline[3]");
	block_make(&info);
	memset(info.cmdline, 'x', BOOT_INFO_CMDLINE_SIZE);
	sealed_names("cmdline has no end");
	block_make(&info);
	memcpy(info.dropped, "mem\t", sizeof("mem\t"));
	sealed_names("dropped[3]");
	block_make(&info);
	memset(info.dropped, 'x', BOOT_INFO_DROPPED_SIZE);
	sealed_names("dropped has no end");
	block_make(&info);
	info.cmdline[100] = 1; /* after the terminating 0, where nothing reads it */
	passes();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),   cmocka_unit_test(test_header),
		cmocka_unit_test(test_crc),     cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_kernel),  cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_cmdline),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("boot_info", tests, NULL, NULL);
}
