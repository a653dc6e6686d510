/*
 * test_bios_map.c: tests how stage2/memory.c asks a BIOS that leaves carry or all registers as they
 * came, and what it makes of a low INT 12h. The BIOS here is a few numbers. Lists of E820h with
 * faults are tested by tests/host/fuzz/fuzz_e820.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "stage2/bios.h"
#include "stage2/console.h"
#include "stage2/stage2.h"

#include <cmocka.h> /* after stage2/console.h: it has a macro fail() */

/* stage2's fail(), which cannot have its name here. */
__attribute__((format(printf, 1, 2), noreturn)) void stage2_fail(const char *fmt,
								 ...) __asm__("fail");

#define SMAP 0x534d4150u
#define KIB  1024ull
#define MIB  (KIB * KIB)

/* What a function does with carry when it has an answer. */
enum carry { CARRY_CLEARED, CARRY_KEPT };

enum does { MISSING, UNCHANGED, UNCHANGED_CLEAR, STATUS, INVALID, ANSWERS };

struct service {
	enum does does;
	enum carry carry;
	uint16_t ax, bx, cx, dx;
};

static struct {
	uint16_t int12_kib;
	bool int12_carry;
	struct service e801, ah88;
	enum carry e820_carry;
	unsigned int nr_ranges;
	struct e820_range ranges[4];
} bios;

struct boot_info boot_info;
volatile uint16_t bda_ebda_segment;

static char said[1000];
static jmp_buf failed;

__attribute__((format(printf, 1, 0))) static void hear(const char *fmt, va_list ap)
{
	size_t used = strlen(said);

	vsnprintf(said + used, sizeof(said) - used, fmt, ap);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	hear(fmt, ap);
	va_end(ap);
}

void stage2_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	hear(fmt, ap);
	va_end(ap);
	longjmp(failed, 1);
}

void cpu_stamp(enum boot_stage stage)
{
	assert_int_equal(stage, STAGE_E820);
}

static void serve(const struct service *service, struct bios_regs *regs)
{
	switch (service->does) {
	case MISSING:
		regs->eax = (regs->eax & 0xff) | 0x8600;
		regs->flags |= FLAGS_CARRY;
		break;
	case UNCHANGED:
		break;
	case UNCHANGED_CLEAR:
		regs->flags &= ~FLAGS_CARRY;
		break;
	case STATUS: /* carry stays, so only AH says that there is no such function */
		regs->eax = (regs->eax & 0xff) | 0x8600;
		break;
	case INVALID: /* the same, as a PC/XT says it */
		regs->eax = (regs->eax & 0xff) | 0x8000;
		break;
	case ANSWERS:
		regs->eax = service->ax | 0xdead0000;
		regs->ebx = service->bx | 0xdead0000;
		regs->ecx = service->cx | 0xdead0000;
		regs->edx = service->dx | 0xdead0000;
		regs->flags &= service->carry == CARRY_KEPT ? ~0u : ~FLAGS_CARRY;
		break;
	}
}

/* Stores an entry where the answer of E820h is expected: tests/host/fuzz/fuzz_e820.c has why. */
static void store(const struct bios_regs *regs, const struct e820_range *range)
{
	uint32_t low = ((uint32_t)regs->es << 4) + (regs->edi & 0xffff);
	uintptr_t near = (uintptr_t)&memory_map;
	int32_t distance = (int32_t)((low - (uint32_t)near) << 12) >> 12;
	uint8_t *at = (uint8_t *)(near + (uintptr_t)(intptr_t)distance);

	memcpy(at, &range->base, 8);
	memcpy(at + 8, &range->size, 8);
	memcpy(at + 16, &range->type, 4);
}

static void serve_e820(struct bios_regs *regs)
{
	uint32_t index = regs->ebx;

	if (bios.nr_ranges == 0) {
		serve(&(struct service){ .does = MISSING }, regs);
		return;
	}
	store(regs, &bios.ranges[index]);
	regs->eax = SMAP;
	regs->ecx = 20;
	regs->ebx = index + 1 < bios.nr_ranges ? index + 1 : 0;
	regs->flags &= bios.e820_carry == CARRY_KEPT ? ~0u : ~FLAGS_CARRY;
}

bool bios_call(uint8_t interrupt, struct bios_regs *regs)
{
	if (interrupt == 0x12) {
		regs->eax = bios.int12_kib;
		regs->flags = bios.int12_carry ? FLAGS_CARRY : 0;
	} else if (regs->eax == 0xe801) {
		serve(&bios.e801, regs);
	} else if (regs->eax >> 8 == 0x88) {
		serve(&bios.ah88, regs);
	} else {
		assert_int_equal(regs->eax, 0xe820);
		serve_e820(regs);
	}
	return !(regs->flags & FLAGS_CARRY);
}

/* Returns false if the map was refused. */
static bool read_map(void)
{
	memset(&boot_info, 0, sizeof(boot_info));
	said[0] = 0;
	if (setjmp(failed))
		return false;
	memory_read();
	return true;
}

static int begin(void **state)
{
	(void)state;
	memset(&bios, 0, sizeof(bios));
	bios.int12_kib = 639;
	bios.ah88 = (struct service){ .does = ANSWERS, .ax = 63 * 1024 };
	bda_ebda_segment = 0x9fc0;
	return 0;
}

/* Demands a map from that source, with so much RAM above 1 MiB. */
static void check_high(enum boot_map_source source, uint64_t high)
{
	if (!read_map())
		fail_msg("%s", said);
	assert_int_equal(boot_info.map_source, source);
	assert_int_equal(e820_bytes(&memory_map, E820_TYPE_RAM), 639 * KIB + high);
}

static void e801_that_has_no_answer(void **state)
{
	(void)state;
	for (enum does does = MISSING; does < ANSWERS; does++) {
		bios.e801.does = does;
		check_high(MAP_88, 63 * MIB);
	}
	/* Only zeros; and only BX, with AX as it came. */
	bios.e801 = (struct service){ .does = ANSWERS };
	check_high(MAP_88, 63 * MIB);
	bios.e801.ax = 0xe801;
	bios.e801.bx = 0x1234;
	check_high(MAP_88, 63 * MIB);
}

static void e801_that_has_one(void **state)
{
	(void)state;
	for (enum carry carry = CARRY_CLEARED; carry <= CARRY_KEPT; carry++) {
		bios.e801 = (struct service){ ANSWERS, carry, 0x3c00, 0x700, 0x3c00, 0x700 };
		check_high(MAP_E801, 127 * MIB);
		bios.e801 = (struct service){ ANSWERS, carry, 0x3c00, 0x700, 0, 0 };
		check_high(MAP_E801, 127 * MIB);
		/* AX and BX are not touched. */
		bios.e801 = (struct service){ ANSWERS, carry, 0xe801, 0, 0x3c00, 0x700 };
		check_high(MAP_E801, 127 * MIB);
		bios.e801 = (struct service){ ANSWERS, carry, 63 * 1024, 0x700, 0, 0 };
		check_high(MAP_E801, 127 * MIB);
		assert_int_equal(boot_info.map_faults, MAP_FAULT_E801_BOGUS);
	}
}

static void ah88_that_has_no_answer(void **state)
{
	(void)state;
	for (enum does does = MISSING; does < ANSWERS; does++) {
		bios.ah88.does = does;
		check_high(MAP_INT12, 0);
	}
	bios.ah88 = (struct service){ .does = ANSWERS };
	check_high(MAP_INT12, 0);
}

/* Among the sizes are those that look like the question, 8800h, and like a status. */
static void ah88_that_has_one(void **state)
{
	static const uint16_t sizes[] = {
		1, 0x0400, 0x7c00, 0x8000, 0x8600, 0x8800, 0xfc00, 0xffff
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (enum carry carry = CARRY_CLEARED; carry <= CARRY_KEPT; carry++) {
			bios.ah88 = (struct service){ ANSWERS, carry, sizes[i], 0, 0, 0 };
			check_high(MAP_88, sizes[i] * KIB);
		}
}

static void list(uint64_t low_end)
{
	bios.nr_ranges = 3;
	bios.ranges[0] = (struct e820_range){ 0, low_end, E820_TYPE_RAM, 0 };
	bios.ranges[1] = (struct e820_range){ low_end, MIB - low_end, E820_TYPE_RESERVED, 0 };
	bios.ranges[2] = (struct e820_range){ MIB, 31 * MIB, E820_TYPE_RAM, 0 };
}

static void e820_that_keeps_carry(void **state)
{
	(void)state;
	list(639 * KIB);
	bios.e820_carry = CARRY_KEPT;
	check_high(MAP_E820, 31 * MIB);
	assert_int_equal(boot_info.e820_count, 3);
	assert_int_equal(boot_info.map_faults, 0);
}

/* Checks that the map is taken, and that words are printed, or nothing if it is NULL. */
static void check_taken(const char *words)
{
	if (!read_map())
		fail_msg("%s", said);
	assert_true(words ? strstr(said, words) != NULL : said[0] == 0);
}

static void check_refused(const char *words)
{
	assert_false(read_map());
	if (!strstr(said, words))
		fail_msg("expected %s in: %s", words, said);
}

static void low_int12_with_a_map(void **state)
{
	static const uint16_t kib[] = { 0, 3, 4, 200, 447, 511 };

	(void)state;
	list(639 * KIB);
	for (unsigned int i = 0; i < sizeof(kib) / sizeof(kib[0]); i++) {
		bios.int12_kib = kib[i];
		check_taken("of low memory, less than is needed; the E820 map has 639 KiB");
		assert_int_equal(boot_info.int12_kib, kib[i]);
	}
	for (bios.int12_kib = 512; bios.int12_kib < 1000; bios.int12_kib += 64)
		check_taken(NULL);
	bios.int12_carry = true;
	check_taken("INT 12h reports 0 KiB");
	/* What lies below INT 12h's value need not be in the map, as the first frame in some. */
	bios.int12_carry = false;
	bios.int12_kib = 0;
	bios.ranges[0].base = 0x1000;
	bios.ranges[0].size -= 0x1000;
	check_taken("INT 12h reports 0 KiB");
}

static void low_int12_with_a_map_that_is_low(void **state)
{
	(void)state;
	list(447 * KIB);
	bios.int12_kib = 447;
	check_refused("INT 12h reports 447 KiB, and the E820 map has none at 447 KiB");
	bios.int12_kib = 200;
	check_refused("INT 12h reports 200 KiB, and the E820 map has none at 447 KiB");
	list(512 * KIB - 1);
	check_refused("the E820 map has none at 511 KiB");
	list(512 * KIB);
	check_taken("the E820 map has 512 KiB");
	/* A hole in the middle. */
	bios.nr_ranges = 4;
	bios.ranges[3] = (struct e820_range){ 300 * KIB, 1 * KIB, E820_TYPE_NVS, 0 };
	check_refused("the E820 map has none at 300 KiB");
	bios.int12_kib = 301;
	check_taken("the E820 map has 512 KiB");
}

static void low_int12_without_a_map(void **state)
{
	(void)state;
	for (bios.int12_kib = 0; bios.int12_kib < 512; bios.int12_kib++)
		check_refused("and there is no E820 map that has more");
	check_high(MAP_88, 63 * MIB - 127 * KIB);
}

static void low_int12_and_an_ebda(void **state)
{
	(void)state;
	list(639 * KIB);
	bios.int12_kib = 447;
	bda_ebda_segment = 447 * 64;
	check_refused("data of its own (EBDA) from 447 KiB on");
	bda_ebda_segment = 0x7fff;
	check_refused("(EBDA) from 511 KiB on");
	bda_ebda_segment = 0x8000;
	check_taken("639 KiB");
	/* No address of an EBDA: below what INT 12h counts, or a port as in a PC of 1981. */
	bda_ebda_segment = 0x6000;
	check_taken("639 KiB");
	bios.int12_kib = 0;
	bda_ebda_segment = 0x3bc;
	check_taken("639 KiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(e801_that_has_no_answer, begin),
		cmocka_unit_test_setup(e801_that_has_one, begin),
		cmocka_unit_test_setup(ah88_that_has_no_answer, begin),
		cmocka_unit_test_setup(ah88_that_has_one, begin),
		cmocka_unit_test_setup(e820_that_keeps_carry, begin),
		cmocka_unit_test_setup(low_int12_with_a_map, begin),
		cmocka_unit_test_setup(low_int12_with_a_map_that_is_low, begin),
		cmocka_unit_test_setup(low_int12_without_a_map, begin),
		cmocka_unit_test_setup(low_int12_and_an_ebda, begin),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("bios_map", tests, NULL, NULL);
}
