/*
 * test_stage2_main.c: tests the order of stage2's steps, what stage2/main.c itself does among them,
 * and with what the kernel is entered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/crc32.h"
#include "stage2/bios.h"
#include "stage2/cpu.h"
#include "stage2/progress.h"
#include "stage2/stage2.h"
#include "tests/host/stage2/said.h"

#include <cmocka.h> /* after said.h */

#define ENTRY 0xffffffff80201234ull
#define TO_BIOS                                                                       \
	"console_init [20] safe_ask [21] cpu_check [22] a20_enable [23] memory_read " \
	"[24] volume_open [25] options_load [26] kernel_load [27] rsdp_find "         \
	"[28] INT16 a20_enable "
#define MOTORS "3f2=0c "
#define LEAVES "21=ff a1=ff console_leave_bios stamp4 [29] paging_build [2a] "
#define ENTERS "stamp5 cpu_enable_nx "

/* stage2/main.c's, whose callers are in assembly; and the way into the kernel, long.asm. */
void stage2_main(void);
void exception(uint32_t vector, uint32_t code, uint32_t eip);
void exception_long(uint32_t vector, uint32_t code, uint64_t rip);
__attribute__((noreturn)) void long_mode(uint32_t cr3, uint32_t efer, uint64_t entry,
					 uint32_t info);

struct boot_info boot_info;
uint8_t boot_drive;
uint8_t stage2_load[16], page_tables[16], page_tables_end[16], low_memory_end[16];

static uint32_t method; /* by which the disk is read */
static char calls[1000];
static jmp_buf in_kernel;

static void note(const char *call)
{
	size_t used = strlen(calls);

	assert_in_range(used + strlen(call), 0, sizeof(calls) - 2);
	snprintf(calls + used, sizeof(calls) - used, "%s ", call);
}

#define STEP(name)           \
	void name(void)      \
	{                    \
		note(#name); \
	}

STEP(console_init)
STEP(console_leave_bios)
STEP(safe_ask)
STEP(cpu_check)
STEP(a20_enable)
STEP(memory_read)
STEP(options_load)
STEP(rsdp_find)
STEP(paging_build)

void volume_open(void)
{
	note("volume_open");
	boot_info.disk_method = method;
}

void kernel_load(void)
{
	note("kernel_load");
	boot_info.kernel_phys = 0x200000;
	boot_info.kernel_entry = ENTRY;
}

uint32_t cpu_enable_nx(void)
{
	note("cpu_enable_nx");
	return 0x800;
}

void cpu_stamp(enum boot_stage stage)
{
	char call[20];

	snprintf(call, sizeof(call), "stamp%d", stage);
	note(call);
	boot_info.tsc[stage] = 1000;
}

void progress_begin(enum progress code)
{
	char call[20];

	snprintf(call, sizeof(call), "[%02x]", code);
	note(call);
}

void outb(uint16_t port, uint8_t value)
{
	char call[20];

	snprintf(call, sizeof(call), "%02x=%02x", port, value);
	note(call);
}

bool bios_call(uint8_t interrupt, struct bios_regs *regs)
{
	assert_int_equal(interrupt, 0x16);
	assert_int_equal(regs->eax, 0x0100);
	assert_int_equal(regs->flags, FLAGS_INTERRUPT);
	note("INT16");
	return true;
}

void long_mode(uint32_t cr3, uint32_t efer, uint64_t entry, uint32_t info)
{
	struct boot_info copy = boot_info;

	assert_int_equal(cr3, (uint32_t)(uintptr_t)page_tables);
	assert_int_equal(efer, 0x800);
	assert_true(entry == ENTRY);
	assert_int_equal(info, (uint32_t)(uintptr_t)&boot_info);
	/* The CRC is of all that the kernel gets, with itself as 0. */
	copy.crc32 = 0;
	assert_int_equal(boot_info.crc32, crc32(&copy, sizeof(copy)));
	longjmp(in_kernel, 1);
}

/* Demands a range that the loader occupies, from begin to end. */
static void check_range(uint32_t n, const void *begin, const void *end, uint32_t kind)
{
	const struct boot_range *range = &boot_info.ranges[n];

	assert_int_equal(range->base, (uintptr_t)begin);
	assert_int_equal(range->base + range->size, (uintptr_t)end);
	assert_int_equal(range->kind, kind);
	assert_int_equal(range->reserved, 0);
}

static void boot(void)
{
	if (setjmp(in_kernel) == 0)
		stage2_main();
}

/* Boots from a drive by a method, and demands these calls and words. */
static void check_boot(uint8_t drive, uint32_t by, const char *expected, const char *words)
{
	boot_drive = drive;
	method = by;
	calls[0] = 0;
	memset(&boot_info, 0xee, sizeof(boot_info));
	check_step(boot, words);
	assert_string_equal(calls, expected);
}

static void the_steps(void **state)
{
	(void)state;
	check_boot(0x80, DISK_EDD, TO_BIOS LEAVES ENTERS,
		   "booted from drive 80h by EDD, kernel to 0x200000\n");
	check_boot(0x7f, DISK_CHS, TO_BIOS MOTORS LEAVES ENTERS,
		   "booted from drive 7fh by CHS, kernel to 0x200000\n");
	check_boot(0x00, DISK_CHS, TO_BIOS MOTORS LEAVES ENTERS,
		   "booted from drive 00h by CHS, kernel to 0x200000\n");
}

static void what_the_kernel_gets(void **state)
{
	(void)state;
	check_boot(0x80, DISK_EDD, TO_BIOS LEAVES ENTERS,
		   "booted from drive 80h by EDD, kernel to 0x200000\n");
	assert_true(boot_info.magic == BOOT_INFO_MAGIC);
	assert_int_equal(boot_info.version, BOOT_INFO_VERSION);
	assert_int_equal(boot_info.size, sizeof(boot_info));
	assert_int_equal(boot_info.range_count, 5);
	check_range(0, NULL, stage2_load, RANGE_REAL_MODE);
	check_range(1, stage2_load, page_tables, RANGE_STAGE2);
	check_range(2, page_tables, page_tables_end, RANGE_PAGE_TABLES);
	check_range(3, page_tables_end, &boot_info, RANGE_STAGE2);
	check_range(4, &boot_info, low_memory_end, RANGE_BOOT_INFO);
	range_add(0x200000, 0x123000, RANGE_KERNEL);
	assert_int_equal(boot_info.range_count, 6);
	check_range(5, (void *)0x200000, (void *)0x323000, RANGE_KERNEL);
	/* Nothing of what was in that memory before. */
	assert_int_equal(boot_info.e820_count, 0);
	assert_int_equal(boot_info.e820[E820_MAX_RAW - 1].reserved, 0);
}

static void in_protected_mode(void)
{
	exception(13, 0x1a, 0x8123);
}

static void in_long_mode(void)
{
	exception_long(14, 0x2, 0xffffffff80001234);
}

static void exceptions(void **state)
{
	(void)state;
	check_step_fails(in_protected_mode,
			 "processor exception 13 in stage2 at 00008123h, error code 1ah\n");
	check_step_fails(in_long_mode,
			 "processor exception 14 at ffffffff80001234h, error code 2h: on the way "
			 "into the kernel, before it has handlers\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_steps),
		cmocka_unit_test(what_the_kernel_gets),
		cmocka_unit_test(exceptions),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("stage2_main", tests, NULL, NULL);
}
