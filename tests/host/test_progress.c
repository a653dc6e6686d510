/*
 * test_progress.c: tests the texts of the progress codes (lib/progress.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/progress.h"

#define NO_STEP "no step"

/* The first and the last code of each stage, and one between. */
static void texts_of_steps(void **state)
{
	(void)state;
	assert_string_equal(progress_text(PROGRESS_TAKEN), "boot sector: reads stage2");
	assert_string_equal(progress_text(0x1f), "boot sector: has failed, and says why");
	assert_string_equal(progress_text(PROGRESS_STAGE2), "stage2: consoles, SHIFT");
	assert_string_equal(progress_text(0x24), "FAT partition");
	assert_string_equal(progress_text(PROGRESS_FAILED), "stage2: has failed, and says why");
	assert_string_equal(progress_text(0x30), "kernel: first instruction");
	assert_string_equal(progress_text(PROGRESS_PANIC), "kernel: has failed, and says why");
}

static void other_numbers_are_no_step(void **state)
{
	static const unsigned int numbers[] = { 0, 1, 0x0f, 0x11, 0x1e, 0x2b, 0x2e, 0x40, 0xff };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		assert_string_equal(progress_text((enum progress)numbers[i]), NO_STEP);
}

/* Someone who reads a text must know which step it is. */
static void each_text_is_of_one_step(void **state)
{
	(void)state;
	for (unsigned int code = 0; code < 0x100; code++) {
		const char *text = progress_text((enum progress)code);

		assert_true(text[0] != 0);
		for (unsigned int other = 0; other < code; other++)
			if (strcmp(text, NO_STEP) != 0)
				assert_string_not_equal(progress_text((enum progress)other), text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_of_steps),
		cmocka_unit_test(other_numbers_are_no_step),
		cmocka_unit_test(each_text_is_of_one_step),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
