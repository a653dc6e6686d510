/*
 * test_safe.c: tests when stage2/safe.c enters safe mode, and what that does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "stage2/bios.h"
#include "stage2/disk.h"
#include "stage2/stage2.h"
#include "tests/host/stage2/said.h"

#include <cmocka.h> /* after said.h */

#define ENTERED(why) "safe mode (" why "): text mode, CHS, single sectors, every BIOS call named\n"

struct boot_info boot_info;
uint8_t bda_shift_flags;

static uint32_t bios_al, text_modes, safe_disks;

bool bios_call(uint8_t interrupt, struct bios_regs *regs)
{
	assert_int_equal(interrupt, 0x16);
	assert_int_equal(regs->eax, 0x0200);
	assert_int_equal(regs->flags, FLAGS_INTERRUPT);
	regs->eax = 0xdeadbe00 | bios_al;
	return true;
}

void console_text_mode(void)
{
	assert_int_equal(boot_info.safe, SAFE_OFF);
	text_modes++;
}

void disk_safe(void)
{
	assert_int_not_equal(boot_info.safe, SAFE_OFF);
	safe_disks++;
}

static int begin(void **state)
{
	(void)state;
	memset(&boot_info, 0, sizeof(boot_info));
	bios_al = bda_shift_flags = 0;
	text_modes = safe_disks = 0;
	return 0;
}

static void by_option(void)
{
	safe_mode(SAFE_OPTION);
}

/* A key is held if the BIOS says so, by its call or by its variable. */
static void keys(void **state)
{
	(void)state;
	for (uint32_t flags = 0; flags < 256; flags++)
		for (uint32_t way = 0; way < 2; way++) {
			begin(NULL);
			bios_al = way == 0 ? flags : 0x80;
			bda_shift_flags = (uint8_t)(way == 1 ? flags : 0x10);
			check_step(safe_ask, flags & 3 ? ENTERED("SHIFT is held") : "");
			assert_int_equal(boot_info.shift_flags, flags | (way == 0 ? 0x10 : 0x80));
			assert_int_equal(boot_info.safe, flags & 3 ? SAFE_SHIFT : SAFE_OFF);
			assert_int_equal(text_modes, (flags & 3) != 0);
			assert_int_equal(safe_disks, (flags & 3) != 0);
		}
}

static void the_option(void **state)
{
	(void)state;
	check_step(by_option, ENTERED("option safe"));
	assert_int_equal(boot_info.safe, SAFE_OPTION);
	assert_int_equal(text_modes, 1);
	assert_int_equal(safe_disks, 1);
	/* Once is enough. */
	check_step(by_option, "");
	assert_int_equal(text_modes, 1);
	assert_int_equal(safe_disks, 1);
}

static void the_first_reason_counts(void **state)
{
	(void)state;
	bios_al = 1;
	check_step(safe_ask, ENTERED("SHIFT is held"));
	check_step(by_option, "");
	assert_int_equal(boot_info.safe, SAFE_SHIFT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(keys, begin),
		cmocka_unit_test_setup(the_option, begin),
		cmocka_unit_test_setup(the_first_reason_counts, begin),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("safe", tests, NULL, NULL);
}
