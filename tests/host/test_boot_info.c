/*
 * test_boot_info.c: tests kernel/boot_info.c's checks: a block that is right passes, and each field
 * that is wrong is named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "arch/x86_64/sections.h"
#include "mm/port.h"
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
	if (boot_info_is_wrong(&info, &block_image, reason, sizeof(reason)))
		fail_msg("%s", reason);
}

static void test_right(void **state)
{
	(void)state;
	block_make(&info);
	passes();
	/* The largest values that are allowed pass too. */
	info.e820_count = E820_MAX_RAW;
	info.map_faults = MAP_FAULT_ALL;
	info.boot_drive = info.shift_flags = 0xff;
	info.int12_kib = 1024;
	info.ebda_segment = 0xffff;
	info.rsdp = 0xfffff;
	memset(info.cmdline, '~', BOOT_INFO_CMDLINE_SIZE - 1);
	memset(info.dropped, '~', BOOT_INFO_DROPPED_SIZE - 1);
	while (info.range_count < BOOT_INFO_MAX_RANGES)
		info.ranges[info.range_count++] = info.ranges[0];
	passes();
	info.ranges[2] = (struct boot_range){ 0, 0x100000000ull, RANGE_REAL_MODE, 0 };
	info.ranges[3] = (struct boot_range){ 0xffffffff, 1, RANGE_REAL_MODE, 0 };
	passes();
	/* And the smallest. */
	block_make(&info);
	info.boot_drive = 0;
	info.cmdline[0] = '\0';
	info.ranges[0] = info.ranges[1];
	info.range_count = 1;
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
	wrong_range(0x100001000ull, 1, RANGE_STAGE2);
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
	info.ranges[2] = (struct boot_range){ PHYS, SIZE, RANGE_KERNEL, 0 }; /* not counted */
	sealed_names("holds the kernel");
	block_make(&info);
	info.ranges[1] = (struct boot_range){ PHYS - 0x1000, SIZE + 0x1000, RANGE_KERNEL, 0 };
	passes();
	info.ranges[1].size--;
	sealed_names("holds the kernel");
}

static void test_cmdline(void **state)
{
	(void)state;
	block_make(&info);
	info.cmdline[3] = '\n';
	sealed_names("cmdline[3]");
	info.cmdline[0] = '\n';
	sealed_names("cmdline[0]");
	block_make(&info);
	info.cmdline[3] = (char)0x80;
	sealed_names("cmdline[3]");
	block_make(&info);
	info.cmdline[3] = 0x7f;
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

/* Calls boot_info_init() with the block at that physical address. Returns the text of the panic, ""
   if there is none. */
static const char *init_at(phys_addr_t phys)
{
	jmp_buf jump;

	mm_host_offset = (uintptr_t)&info - phys;
	memset(&boot_info, 0x5a, sizeof(boot_info));
	block_panic_text[0] = '\0';
	block_panic_jump = &jump;
	if (!setjmp(jump))
		boot_info_init(phys);
	block_panic_jump = NULL;
	return block_panic_text;
}

static bool is_zero(const struct boot_info *block)
{
	static const struct boot_info zero;

	return memcmp(block, &zero, sizeof(zero)) == 0;
}

/* A block must lie below 1 MiB with its last byte. */
static void test_init(void **state)
{
	const phys_addr_t highest = 0x100000 - sizeof(info);

	(void)state;
	block_make(&info);
	info.kernel_virt = (uintptr_t)__kernel_start;
	info.kernel_entry = (uintptr_t)_start;
	block_seal(&info);
	assert_string_equal(init_at(0x70000), "");
	assert_memory_equal(&boot_info, &info, sizeof(info));
	assert_string_equal(init_at(1), "");
	assert_string_equal(init_at(highest), "");
	assert_non_null(strstr(init_at(highest + 1), "which is not in low memory"));
	assert_non_null(strstr(init_at(0), "which is not in low memory"));
	assert_non_null(strstr(init_at(0x100000000ull + 0x70000), "0x100070000, which is not in"));
	assert_non_null(strstr(init_at(UINT64_MAX), "which is not in low memory"));
	info.e820_count++;
	assert_non_null(strstr(init_at(0x70000), "boot_info: crc32 is 0x"));
	assert_true(is_zero(&boot_info));
}

static char printed[1000];

__attribute__((format(printf, 1, 2))) static int print(const char *fmt, ...)
{
	size_t used = strlen(printed);
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = vsnprintf(printed + used, sizeof(printed) - used, fmt, ap);
	va_end(ap);
	return length;
}

/* The ring has the last calls only. */
static void test_calls(void **state)
{
	(void)state;
	memset(&boot_info, 0, sizeof(boot_info));
	boot_info_print_calls(print, 2);
	assert_string_equal(printed, "0 calls, the last 0:\n");
	printed[0] = '\0';
	boot_info.bios_call_total = BOOT_INFO_BIOS_CALLS + 1;
	boot_info.bios_calls[BOOT_INFO_BIOS_CALLS - 1] =
	    (struct boot_bios_call){ 0x13, 0x02, 0x4201, 0xfffe, 2 };
	boot_info.bios_calls[0] = (struct boot_bios_call){ 0x15, 0x86, 0xe801, 0x0203, 1 };
	boot_info_print_calls(print, 2);
	assert_string_equal(printed, "65 calls, the last 2:\n"
				     "  INT 13h AX=4201: AH=02, 2 times\n"
				     "  INT 15h AX=e801: AH=86 carry\n");
	printed[0] = '\0';
	boot_info.bios_call_total = 1;
	boot_info_print_calls(print, 1);
	assert_string_equal(printed, "1 calls, the last 1:\n"
				     "  INT 15h AX=e801: AH=86 carry\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),   cmocka_unit_test(test_header),
		cmocka_unit_test(test_crc),     cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_kernel),  cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_cmdline), cmocka_unit_test(test_init),
		cmocka_unit_test(test_calls),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("boot_info", tests, NULL, NULL);
}
