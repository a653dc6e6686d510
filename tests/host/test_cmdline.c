/*
 * test_cmdline.c: tests how stage2 looks for words in the line of CMDLINE.TXT (stage2/cmdline.c).
 * How it reads the bytes of the file is tested by tests/host/fuzz/fuzz_cmdline.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage2/cmdline.h"

static void whole_words_count(void **state)
{
	(void)state;
	assert_true(cmdline_has("safe", "safe"));
	assert_true(cmdline_has("  mem=64M  safe ", "safe"));
	assert_true(cmdline_has("safest safe", "safe"));
	assert_false(cmdline_has("", "safe"));
	assert_false(cmdline_has("   ", "safe"));
	assert_false(cmdline_has("safes unsafe safe=1 saf", "safe"));
}

static void what_is_run_does_not_count(void **state)
{
	(void)state;
	assert_true(cmdline_has("safe run=exit 0", "safe"));
	assert_false(cmdline_has("run=bios; safe ;exit 0", "safe"));
	assert_true(cmdline_has("xrun=1 safe", "safe"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_words_count),
		cmocka_unit_test(what_is_run_does_not_count),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("cmdline", tests, NULL, NULL);
}
