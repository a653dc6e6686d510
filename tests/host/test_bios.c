/*
 * test_bios.c: tests stage2/bios.c and stage2/progress.c: which BIOS calls the ring has and how
 * often, how safe mode traces them, and that an overrun of the stack is seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "stage2/bios.h"
#include "stage2/cpu.h"
#include "stage2/progress.h"
#include "stage2/stage2.h"
#include "tests/host/stage2/said.h"

#include <cmocka.h> /* after said.h */

#define CANARY 0x79726e63u

struct boot_info boot_info;
uint32_t real_stack_bottom;

void bios_enter(uint32_t interrupt, struct bios_regs *regs); /* bios.asm */

static struct {
	uint32_t eax, flags; /* what the BIOS leaves */
	bool overruns;       /* … and its stack is too deep */
	uint32_t entered, interrupt, eax_in;
	uint8_t port_80;
} bios;

void bios_enter(uint32_t interrupt, struct bios_regs *regs)
{
	bios.entered++;
	bios.interrupt = interrupt;
	bios.eax_in = regs->eax;
	if (interrupt == 0x10) { /* bios_teletype() */
		assert_int_equal(regs->ebx, 7);
		assert_int_equal(regs->flags, FLAGS_INTERRUPT);
		return;
	}
	assert_int_equal(regs->ecx, 0x1234);
	regs->eax = bios.eax;
	regs->flags = bios.flags;
	if (bios.overruns)
		real_stack_bottom = 1;
}

void outb(uint16_t port, uint8_t value)
{
	assert_int_equal(port, 0x80);
	bios.port_80 = value;
}

static int begin(void **state)
{
	(void)state;
	memset(&boot_info, 0, sizeof(boot_info));
	memset(&bios, 0, sizeof(bios));
	real_stack_bottom = CANARY;
	said[0] = 0;
	return 0;
}

static uint8_t interrupt;
static uint32_t eax;
static bool done;

static void call_step(void)
{
	struct bios_regs regs = { .eax = eax, .ecx = 0x1234, .flags = FLAGS_INTERRUPT };

	done = bios_call(interrupt, &regs);
	assert_int_equal(regs.eax, bios.eax);
}

/* Makes a call, which the BIOS answers with this EAX and these flags, and demands these words. */
static void check_call(uint8_t number, uint32_t in, uint32_t out, uint32_t flags, const char *words)
{
	uint32_t entered = bios.entered;

	interrupt = number;
	eax = in;
	bios.eax = out;
	bios.flags = flags;
	call_step();
	assert_string_equal(said, words);
	said[0] = 0;
	assert_int_equal(bios.entered, entered + 1);
	assert_int_equal(bios.interrupt, number);
	assert_int_equal(bios.eax_in, in);
	assert_int_equal(done, !(flags & FLAGS_CARRY));
}

/* Demands call n of the ring. */
static void check_ring(uint32_t n, struct boot_bios_call call)
{
	assert_memory_equal(&boot_info.bios_calls[n % BOOT_INFO_BIOS_CALLS], &call, sizeof(call));
}

static void calls_in_the_ring(void **state)
{
	(void)state;
	check_call(0x13, 0xdead0201, 0xbeef0400, 0xabcd0201, "");
	assert_int_equal(boot_info.bios_call_total, 1);
	check_ring(0, (struct boot_bios_call){ 0x13, 0x04, 0x0201, 0x0201, 1 });
	/* Equal in interrupt, AX and outcome; what else is in EAX does not count. */
	check_call(0x13, 0x00000201, 0x00000407, 0x00000201, "");
	assert_int_equal(boot_info.bios_call_total, 1);
	check_ring(0, (struct boot_bios_call){ 0x13, 0x04, 0x0201, 0x0201, 2 });
	/* One of them differs. */
	check_call(0x14, 0x0201, 0x0400, 0x0201, "");
	check_call(0x14, 0x0202, 0x0400, 0x0201, "");
	check_call(0x14, 0x0202, 0x0500, 0x0201, "");
	check_call(0x14, 0x0202, 0x0500, 0x0200, "");
	assert_int_equal(boot_info.bios_call_total, 5);
	check_ring(0, (struct boot_bios_call){ 0x13, 0x04, 0x0201, 0x0201, 2 });
	check_ring(1, (struct boot_bios_call){ 0x14, 0x04, 0x0201, 0x0201, 1 });
	check_ring(2, (struct boot_bios_call){ 0x14, 0x04, 0x0202, 0x0201, 1 });
	check_ring(3, (struct boot_bios_call){ 0x14, 0x05, 0x0202, 0x0201, 1 });
	check_call(0x14, 0x0202, 0x0500, 0x0200, "");
	assert_int_equal(boot_info.bios_call_total, 5);
	check_ring(4, (struct boot_bios_call){ 0x14, 0x05, 0x0202, 0x0200, 2 });
}

/* Call 64 takes the place of call 0; a count ends at 65,535. */
static void a_full_ring(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < BOOT_INFO_BIOS_CALLS + 2; n++)
		check_call(0x13, n, 0, 0, "");
	assert_int_equal(boot_info.bios_call_total, BOOT_INFO_BIOS_CALLS + 2);
	check_ring(BOOT_INFO_BIOS_CALLS - 1,
		   (struct boot_bios_call){ 0x13, 0, BOOT_INFO_BIOS_CALLS - 1, 0, 1 });
	check_ring(0, (struct boot_bios_call){ 0x13, 0, BOOT_INFO_BIOS_CALLS, 0, 1 });
	check_ring(1, (struct boot_bios_call){ 0x13, 0, BOOT_INFO_BIOS_CALLS + 1, 0, 1 });
	check_ring(2, (struct boot_bios_call){ 0x13, 0, 2, 0, 1 });
	boot_info.bios_calls[1].tries = UINT16_MAX - 1;
	check_call(0x13, BOOT_INFO_BIOS_CALLS + 1, 0, 0, "");
	check_ring(1, (struct boot_bios_call){ 0x13, 0, BOOT_INFO_BIOS_CALLS + 1, 0, UINT16_MAX });
	check_call(0x13, BOOT_INFO_BIOS_CALLS + 1, 0, 0, "");
	check_ring(1, (struct boot_bios_call){ 0x13, 0, BOOT_INFO_BIOS_CALLS + 1, 0, UINT16_MAX });
	check_ring(2, (struct boot_bios_call){ 0x13, 0, BOOT_INFO_BIOS_CALLS + 1, 0, 1 });
	assert_int_equal(boot_info.bios_call_total, BOOT_INFO_BIOS_CALLS + 3);
}

static void characters_are_not_in_it(void **state)
{
	(void)state;
	bios_teletype('a');
	assert_int_equal(bios.interrupt, 0x10);
	assert_int_equal(bios.eax_in, 0x0e61);
	bios_teletype((char)0xe4);
	assert_int_equal(bios.eax_in, 0x0ee4);
	assert_int_equal(boot_info.bios_call_total, 0);
}

static void a_stack_that_is_overrun(void **state)
{
	(void)state;
	interrupt = 0x13;
	eax = 0x4200;
	bios.overruns = true;
	check_step_fails(call_step, "the BIOS overran the real-mode stack in INT 13h AX=4200\n");
	assert_int_equal(real_stack_bottom, CANARY); /* fail() calls the BIOS too */
	assert_int_equal(boot_info.bios_call_total, 1);
}

/* A dot stands for a further call with the same outcome. */
static void the_trace_of_safe_mode(void **state)
{
	(void)state;
	boot_info.safe = SAFE_SHIFT;
	check_call(0x13, 0x0800, 0x0000, 0, "INT 13h AX=0800 AH=00");
	check_call(0x13, 0x0201, 0x0000, 0, "\nINT 13h AX=0201 AH=00");
	check_call(0x13, 0x0201, 0x0000, 0, ".");
	check_call(0x13, 0x0201, 0x0400, 1, ". AH=04 carry");
	check_call(0x13, 0x0201, 0x0400, 1, ".");
	check_call(0x13, 0x0201, 0x0400, 0, ". AH=04");
	check_call(0x13, 0x0201, 0x0500, 0, ". AH=05");
	check_call(0x14, 0x0201, 0x0500, 0, "\nINT 14h AX=0201 AH=05");
	/* A line that something else has ended is begun again. */
	say_end();
	said[0] = 0;
	check_call(0x14, 0x0201, 0x0500, 0, "INT 14h AX=0201 AH=05");
	say_end();
	said[0] = 0;
	check_call(0x14, 0x0201, 0x0000, 0, "INT 14h AX=0201 AH=00");
}

static void step_fat(void)
{
	progress_begin(PROGRESS_FAT);
}

static void steps(void **state)
{
	(void)state;
	assert_int_equal(progress_step(), PROGRESS_STAGE2);
	check_step(step_fat, "24 ");
	assert_true(say_is_open());
	assert_int_equal(bios.port_80, PROGRESS_FAT);
	assert_int_equal(progress_step(), PROGRESS_FAT);
	bios.port_80 = 0;
	boot_info.safe = SAFE_OPTION;
	check_step(step_fat, "[24] FAT partition\n");
	assert_int_equal(bios.port_80, PROGRESS_FAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(steps, begin),
		cmocka_unit_test_setup(calls_in_the_ring, begin),
		cmocka_unit_test_setup(a_full_ring, begin),
		cmocka_unit_test_setup(characters_are_not_in_it, begin),
		cmocka_unit_test_setup(a_stack_that_is_overrun, begin),
		cmocka_unit_test_setup(the_trace_of_safe_mode, begin),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("bios", tests, NULL, NULL);
}
