/*
 * test_stage2_console.c: tests what stage2/console.c writes to the screen, COM1 and port E9, which
 * of them it finds, and the report of fail(). The tests are one boot, in this order: line_open and
 * the leave from the BIOS last.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "stage2/bios.h"
#include "stage2/console.h"
#include "stage2/cpu.h"
#include "stage2/progress.h"
#include "stage2/stage2.h"
#include "tests/host/stage2/low.h"

#include <cmocka.h> /* after stage2/console.h: it has a macro fail() */

#define VIDEO_MONO   0xb0000u
#define VIDEO_COLOUR 0xb8000u
#define VIDEO_END    0xc0000u
#define MODE_MONO    7
#define MAX_WAIT     20000u
#define COM1_INIT    "3f9=00 3fb=83 3f8=01 3f9=00 3fb=03 3fa=01 3fc=03 "

struct boot_info boot_info;
uint8_t bda_video_mode = 3;
uint16_t bda_columns = 80;
uint8_t bda_cursor[2];

static struct {
	bool e9, com1, received; /* received: a character waits at COM1 */
	uint32_t busy;           /* polls for which COM1 does not take a character, after each */
	uint32_t busy_polls, polls;
	uint32_t modes_set;
	bool divisor;    /* COM1's first two registers are the divisor */
	char ports[200]; /* writes to other ports and registers */
	char e9_text[8000], com1_text[8000], screen[8000];
} machine;

static jmp_buf halted;

static void add(char *text, char c)
{
	size_t length = strlen(text);

	assert_in_range(length, 0, 7990);
	text[length] = c;
	text[length + 1] = 0;
}

uint8_t inb(uint16_t port)
{
	if (port == 0xe9)
		return machine.e9 ? 0xe9 : 0xff;
	assert_int_equal(port, 0x3fd);
	machine.polls++;
	if (!machine.com1)
		return 0xff;
	if (machine.busy_polls == 0)
		return 0x60 | machine.received;
	machine.busy_polls--;
	return 0x40 | machine.received;
}

void outb(uint16_t port, uint8_t value)
{
	size_t used;

	if (port == 0xe9) {
		add(machine.e9_text, (char)value);
		return;
	}
	if (port == 0x3f8 && !machine.divisor) {
		assert_int_equal(machine.busy_polls, 0);
		machine.busy_polls = machine.busy;
		add(machine.com1_text, (char)value);
		return;
	}
	if (port == 0x3fb)
		machine.divisor = value & 0x80;
	used = strlen(machine.ports);
	assert_in_range(used, 0, sizeof(machine.ports) - 20);
	snprintf(machine.ports + used, 20, "%02x=%02x ", port, value);
}

void halt(void)
{
	longjmp(halted, 1);
}

bool bios_call(uint8_t interrupt, struct bios_regs *regs)
{
	assert_int_equal(interrupt, 0x10);
	assert_int_equal(regs->eax, 3);
	assert_int_equal(regs->flags, FLAGS_INTERRUPT);
	machine.modes_set++;
	return true;
}

void bios_teletype(char c)
{
	add(machine.screen, c);
}

enum progress progress_step(void)
{
	return PROGRESS_FAT;
}

static int map_video(void **state)
{
	(void)state;
	map_at(VIDEO_MONO, VIDEO_END - VIDEO_MONO);
	return 0;
}

static void forget(void)
{
	machine.ports[0] = machine.e9_text[0] = machine.com1_text[0] = machine.screen[0] = 0;
	machine.modes_set = machine.polls = 0;
}

/* All consoles are there. */
static int begin(void **state)
{
	(void)state;
	memset(&machine, 0, sizeof(machine));
	machine.e9 = machine.com1 = true;
	bda_video_mode = 3;
	bda_columns = 80;
	console_init();
	forget();
	return 0;
}

/* Demands this on all consoles. */
static void check_text(const char *text)
{
	assert_string_equal(machine.screen, text);
	assert_string_equal(machine.com1_text, text);
	assert_string_equal(machine.e9_text, text);
	forget();
}

/* The boot sector has begun a line. */
static void the_first_line(void **state)
{
	(void)state;
	assert_true(say_is_open());
	say("one");
	check_text("\r\nfirstpage: one\r\n");
	assert_false(say_is_open());
	say("two %u", 2u);
	check_text("firstpage: two 2\r\n");
}

static void open_lines(void **state)
{
	(void)state;
	say_more("%02x ", 0x20);
	assert_true(say_is_open());
	say_more("%02x ", 0x21);
	check_text("firstpage: 20 21 ");
	say_end();
	assert_false(say_is_open());
	check_text("\r\n");
	say_end();
	check_text("");
	say_more("a");
	say("b");
	check_text("firstpage: a\r\nfirstpage: b\r\n");
	say("c");
	check_text("firstpage: c\r\n");
}

/* Texts are cut: of say() after 200 characters, of say_more() after 79. */
static void long_texts(void **state)
{
	char expected[400];

	(void)state;
	say("%0199u %s", 0u, "x");
	snprintf(expected, sizeof(expected), "firstpage: %0199u \r\n", 0u);
	check_text(expected);
	say_more("%078u %s", 0u, "x");
	snprintf(expected, sizeof(expected), "firstpage: %078u ", 0u);
	check_text(expected);
	say_end();
	forget();
}

static void check_init(const char *ports, uint32_t modes_set)
{
	forget();
	console_init();
	assert_string_equal(machine.ports, ports);
	assert_int_equal(machine.modes_set, modes_set);
	forget();
	say("x");
	assert_string_equal(machine.screen, "firstpage: x\r\n");
	assert_string_equal(machine.com1_text, machine.com1 ? "firstpage: x\r\n" : "");
	assert_string_equal(machine.e9_text, machine.e9 ? "firstpage: x\r\n" : "");
	assert_string_equal(machine.ports, "");
}

static void consoles_that_are_missing(void **state)
{
	(void)state;
	check_init(COM1_INIT, 0);
	machine.e9 = false;
	check_init(COM1_INIT, 0);
	machine.com1 = false;
	check_init("", 0);
	assert_int_equal(machine.polls, 0);
	machine.e9 = true;
	check_init("", 0);
	/* A character that waits is for the kernel: the FIFO would lose it. */
	machine.com1 = machine.received = true;
	check_init("3f9=00 3fb=83 3f8=01 3f9=00 3fb=03 3fc=03 ", 0);
}

static void modes_of_the_screen(void **state)
{
	(void)state;
	for (int mode = 0; mode < 0x20; mode++) {
		bda_video_mode = (uint8_t)mode;
		check_init(COM1_INIT, mode != 2 && mode != 3 && mode != MODE_MONO);
		forget();
		console_text_mode();
		assert_int_equal(machine.modes_set, mode != MODE_MONO);
	}
}

static void a_slow_com1(void **state)
{
	(void)state;
	machine.received = true; /* which is another bit of the status */
	machine.busy = MAX_WAIT - 1;
	say("slow");
	check_text("firstpage: slow\r\n");
	/* One that has stopped is not used again. */
	machine.busy_polls = MAX_WAIT;
	say("dead");
	assert_int_equal(machine.polls, MAX_WAIT);
	assert_int_equal(machine.busy_polls, 0);
	assert_string_equal(machine.com1_text, "");
	assert_string_equal(machine.screen, "firstpage: dead\r\n");
}

/* Demands that fail() prints this, and halts. */
static void check_report(const char *report)
{
	forget();
	if (setjmp(halted) == 0)
		(fail)("no %s", "luck");
	assert_string_equal(machine.ports, "80=2f ");
	check_text(report);
}

/* Adds call n to the ring. */
static void call(uint32_t n, struct boot_bios_call made)
{
	boot_info.bios_calls[n % BOOT_INFO_BIOS_CALLS] = made;
	boot_info.bios_call_total = n + 1;
}

#define FAILED "firstpage: no luck\r\nfirstpage: in step [24] FAT partition\r\n"
#define HALTED "System halted.\r\n"

static void report_of_a_failure(void **state)
{
	(void)state;
	check_report(FAILED HALTED);
	call(0, (struct boot_bios_call){ 0x13, 0x04, 0x0201, 0x0001, 1 });
	check_report(FAILED "firstpage: INT 13h AX=0201 gave AH=04 carry, 1 time\r\n" HALTED);
	call(1, (struct boot_bios_call){ 0x10, 0x0e, 0xabcd, 0xfffe, 2 });
	say_more("20 ");
	check_report("\r\n" FAILED "firstpage: INT 13h AX=0201 gave AH=04 carry, 1 time\r\n"
		     "firstpage: INT 10h AX=abcd gave AH=0e, 2 times\r\n" HALTED);
}

/* The last 16 calls, the oldest first. */
static void report_of_calls(void **state)
{
	static const uint32_t totals[] = { 15, 16, 17, 64, 65, 200 };
	char report[2000];

	(void)state;
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		uint32_t total = totals[i];

		strcpy(report, FAILED);
		for (uint32_t n = 0; n < total; n++) {
			call(n, (struct boot_bios_call){ 0x15, 0, (uint16_t)n, 0, 1 });
			if (n + 16 >= total)
				snprintf(report + strlen(report), 60,
					 "firstpage: INT 15h AX=%04x gave AH=00, 1 time\r\n", n);
		}
		snprintf(report + strlen(report), sizeof(HALTED), "%s", HALTED);
		check_report(report);
	}
}

static uint16_t cell(uint32_t base, uint32_t at)
{
	return ((uint16_t *)(uintptr_t)base)[at];
}

static void clear_video(void)
{
	memset((void *)(uintptr_t)VIDEO_MONO, 0, VIDEO_END - VIDEO_MONO);
}

/* Demands text in grey on black from a cell on, and returns how many cells differ from 0. */
static uint32_t check_cells(uint32_t base, uint32_t at, const char *text)
{
	uint32_t used = 0;

	for (; *text; text++, at++)
		assert_int_equal(cell(base, at), 0x700 | (uint8_t)*text);
	for (at = 0; at < (VIDEO_END - VIDEO_MONO) / 2; at++)
		used += cell(VIDEO_MONO, at) != 0;
	return used;
}

static void start_at(uint8_t column, uint8_t row)
{
	clear_video();
	forget();
	bda_cursor[0] = column;
	bda_cursor[1] = row;
	console_leave_bios();
}

/* From the cursor's place on, at the start of each line the next row. */
static void screen_without_the_bios(void **state)
{
	(void)state;
	start_at(5, 3);
	say("ab");
	assert_int_equal(check_cells(VIDEO_COLOUR, 3 * 80 + 5, "firstpage: ab"), 13);
	say("c~ \x7f");
	assert_int_equal(check_cells(VIDEO_COLOUR, 4 * 80, "firstpage: c~ \x7f"), 13 + 15);
	assert_string_equal(machine.screen, "");
	assert_string_equal(machine.com1_text, "firstpage: ab\r\nfirstpage: c~ \x7f\r\n");
	/* After the last row the first one. */
	start_at(0, 24);
	say("a");
	assert_int_equal(check_cells(VIDEO_COLOUR, 24 * 80, "firstpage: a"), 12);
	say("b");
	assert_int_equal(check_cells(VIDEO_COLOUR, 0, "firstpage: b"), 24);
}

/* A row that is full begins again. */
static void full_rows(void **state)
{
	(void)state;
	start_at(80 - 12, 1);
	say("a");
	assert_int_equal(check_cells(VIDEO_COLOUR, 80 + 68, "firstpage: a"), 12);
	start_at(80 - 12, 1);
	say("ab");
	assert_int_equal(check_cells(VIDEO_COLOUR, 80 + 68, "firstpage: a"), 13);
	check_cells(VIDEO_COLOUR, 80, "b");
}

static void modes_of_video_memory(void **state)
{
	static const uint16_t columns[] = { 0, 1, 40, 80, 132, 133, 0x150 };

	(void)state;
	for (int mode = 0; mode < 0x20; mode++) {
		bda_video_mode = (uint8_t)mode;
		start_at(0, 0);
		say("a");
		if (mode <= 3)
			assert_int_equal(check_cells(VIDEO_COLOUR, 0, "firstpage: a"), 12);
		else if (mode == MODE_MONO)
			assert_int_equal(check_cells(VIDEO_MONO, 0, "firstpage: a"), 12);
		else
			assert_int_equal(check_cells(VIDEO_MONO, 0, ""), 0);
	}
	bda_video_mode = 3;
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		bda_columns = columns[i];
		start_at(0, 2);
		say("a");
		if (columns[i] == 1)
			assert_int_equal(check_cells(VIDEO_COLOUR, 2, "a"), 1);
		else if (columns[i] >= 40 && columns[i] <= 132)
			assert_int_equal(check_cells(VIDEO_COLOUR, 2u * columns[i], "firstpage: a"),
					 12);
		else
			assert_int_equal(check_cells(VIDEO_COLOUR, 0, ""), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_first_line, begin),
		cmocka_unit_test_setup(open_lines, begin),
		cmocka_unit_test_setup(long_texts, begin),
		cmocka_unit_test_setup(consoles_that_are_missing, begin),
		cmocka_unit_test_setup(modes_of_the_screen, begin),
		cmocka_unit_test_setup(a_slow_com1, begin),
		cmocka_unit_test_setup(report_of_a_failure, begin),
		cmocka_unit_test_setup(report_of_calls, begin),
		cmocka_unit_test_setup(screen_without_the_bios, begin),
		cmocka_unit_test_setup(full_rows, begin),
		cmocka_unit_test_setup(modes_of_video_memory, begin),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("stage2_console", tests, map_video, NULL);
}
