/*
 * test_stage2_options.c: tests what stage2/options.c makes of CMDLINE.TXT in boot_info, and what it
 * prints about it. test_cmdline.c has the texts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stage2/fat.h"
#include "stage2/stage2.h"
#include "tests/host/stage2/said.h"

#include <cmocka.h> /* after said.h */

#define MOST_READ  16384u /* bytes of the file */
#define ROOM       4095   /* characters of a line */
#define NOT_CALLED 99

struct boot_info boot_info;

static struct {
	const void *bytes; /* NULL: there is no such file */
	uint32_t size;
	enum boot_safe safe;
} on_disk;

bool volume_find(const char *name, struct fat_file *found)
{
	assert_string_equal(name, "CMDLINE.TXT");
	*found = (struct fat_file){ 3, on_disk.size };
	return on_disk.bytes != NULL;
}

void volume_read(const char *name, const struct fat_file *file, void *buf, uint32_t want)
{
	assert_string_equal(name, "CMDLINE.TXT");
	assert_int_equal(file->first_cluster, 3);
	assert_int_equal(want, on_disk.size < MOST_READ ? on_disk.size : MOST_READ);
	memcpy(buf, on_disk.bytes, want);
}

void safe_mode(enum boot_safe why)
{
	assert_int_equal(on_disk.safe, NOT_CALLED);
	on_disk.safe = why;
}

/* Reads a file, and demands this line, these faults (CMDLINE_FAULT_*) and words. */
static void check_bytes(const void *bytes, uint32_t size, const char *line, uint32_t faults,
			const char *words)
{
	on_disk.bytes = bytes;
	on_disk.size = size;
	on_disk.safe = NOT_CALLED;
	memset(&boot_info, 0, sizeof(boot_info));
	check_step(options_load, words);
	assert_string_equal(boot_info.cmdline, line);
	assert_int_equal(boot_info.cmdline_faults, faults);
}

static void check_file(const char *text, const char *line, uint32_t faults, const char *words)
{
	check_bytes(text, (uint32_t)strlen(text), line, faults, words);
}

static void no_file(void **state)
{
	(void)state;
	check_bytes(NULL, 0, "", CMDLINE_FAULT_MISSING,
		    "CMDLINE.TXT: not found, booting without options\n");
	assert_int_equal(on_disk.safe, NOT_CALLED);
}

static void files_without_a_fault(void **state)
{
	(void)state;
	check_file("", "", 0, "");
	check_file("mem=64M\r\n", "mem=64M", 0, "");
	assert_int_equal(on_disk.safe, NOT_CALLED);
	assert_int_equal(boot_info.cmdline_replaced, 0);
	assert_string_equal(boot_info.dropped, "");
	check_file("safe\r\n", "safe", 0, "");
	assert_int_equal(on_disk.safe, SAFE_OPTION);
	check_bytes("\xff\xfes\0a\0", 6, "sa", 0, "CMDLINE.TXT: is UTF-16 and was read as that\n");
}

static void faults_of_the_text(void **state)
{
	(void)state;
	check_file("a\nb\n", "a", CMDLINE_FAULT_MORE,
		   "warning: CMDLINE.TXT: only the first line counts, there is more below it\n");
	check_file("a \xe4\xf6\xfc", "a ???", 0,
		   "warning: CMDLINE.TXT: 3 characters that are not printable ASCII were replaced "
		   "by '?'; the first is e4h at offset 2\n");
	assert_int_equal(boot_info.cmdline_replaced, 3);
}

/* A line of the greatest length, and one that has one character more. */
static void the_longest_line(void **state)
{
	char line[ROOM + 2];

	(void)state;
	memset(line, 'a', sizeof(line));
	line[ROOM] = 0;
	line[ROOM - 8] = ' ';
	check_file(line, line, 0, "");
	line[ROOM] = 'b';
	line[ROOM + 1] = 0;
	on_disk.bytes = line;
	on_disk.size = ROOM + 1;
	check_step(options_load,
		   "warning: CMDLINE.TXT: the line is longer than 4095 bytes; the rest "
		   "is left out: aaaaaaab\n");
	assert_int_equal(boot_info.cmdline_faults, CMDLINE_FAULT_CUT);
	assert_string_equal(boot_info.dropped, "aaaaaaab");
	assert_int_equal(strlen(boot_info.cmdline), ROOM - 8);
	assert_int_equal(strspn(boot_info.cmdline, "a"), ROOM - 8);
}

/* The first 16 KiB are read: a line, and what follows it. */
static void a_long_file(void **state)
{
	char *text = malloc(MOST_READ + 1);

	(void)state;
	memset(text, ' ', MOST_READ + 1);
	text[MOST_READ - 1] = 'a';
	text[MOST_READ] = 'b';
	check_bytes(text, MOST_READ + 1, "a", 0, "");
	check_bytes(text, MOST_READ, "a", 0, "");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_file),
		cmocka_unit_test(files_without_a_fault),
		cmocka_unit_test(faults_of_the_text),
		cmocka_unit_test(the_longest_line),
		cmocka_unit_test(a_long_file),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("stage2_options", tests, NULL, NULL);
}
