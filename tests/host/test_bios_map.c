/*
 * test_bios_map.c: tests how stage2/memory.c asks a BIOS that leaves carry or all registers as they
 * came, what it makes of lists of E820h that have faults, of sizes at their limits, and of a low
 * INT 12h. The BIOS here is a few numbers. tests/host/fuzz/fuzz_e820.c has BIOSes at random.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "stage2/bios.h"
#include "stage2/stage2.h"
#include "tests/host/stage2/real_mode.h"
#include "tests/host/stage2/said.h"

#include <cmocka.h> /* after said.h */

#define SMAP 0x534d4150u
#define KIB  1024ull
#define MIB  (KIB * KIB)

/* What a function does with carry when it has an answer. */
enum carry { CARRY_CLEARED, CARRY_KEPT };

enum does { MISSING, UNCHANGED, UNCHANGED_CLEAR, STATUS, INVALID, FAILS, ANSWERS };

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
	struct e820_range ranges[E820_MAX_RAW + 2];
	unsigned int length;     /* of an answer of E820h, in bytes */
	uint32_t attributes;     /* stored by it if the length is 24 */
	unsigned int back_to;    /* if endless: the range that follows the last one */
	bool endless;            /* the list of E820h has no end */
	bool interrupts_on;      /* E820h returns with interrupts enabled */
	unsigned int fails_at;   /* E820h sets carry for this range; ALWAYS_GOOD: for none */
	unsigned int lost_at;    /* the answer with this range has no "SMAP" */
	unsigned int short_from; /* this answer and the next ones have less than 20 bytes … */
	unsigned int short_to;   /* … up to this one, which is whole */
	unsigned int calls;      /* of E820h */
} bios;

#define ALWAYS_GOOD UINT32_MAX
#define CONTINUES   0x5a0000u /* so that no continuation value is 0 */

struct boot_info boot_info;
volatile uint16_t bda_ebda_segment;

static unsigned int stamps;

void cpu_stamp(enum boot_stage stage)
{
	assert_int_equal(stage, STAGE_E820);
	stamps++;
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
	case FAILS: /* with values in its registers that look like sizes */
		*regs = (struct bios_regs){ 0x3c00, 0x700, 0x3c00, 0x700, .flags = FLAGS_CARRY };
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

/* Stores an entry where the answer of E820h is expected. Behind it the whole of the buffer is
   written to. */
static void store(const struct bios_regs *regs, const struct e820_range *range)
{
	uint8_t *at = real_pointer(regs->es, regs->edi, &memory_map);

	memcpy(at, &range->base, 8);
	memcpy(at + 8, &range->size, 8);
	memcpy(at + 16, &range->type, 4);
	if (bios.length >= 24)
		memcpy(at + 20, &bios.attributes, 4);
	memset(at + 24, 0xee, 104);
}

static void serve_e820(struct bios_regs *regs)
{
	uint32_t index = regs->ebx & 0xffff;

	assert_in_range(++bios.calls, 1, E820_MAX_RAW + (bios.e820_carry == CARRY_KEPT));
	assert_int_equal(regs->eax, 0xe820);
	assert_int_equal(regs->ecx, 24);
	assert_int_equal(regs->edx, SMAP);
	if (bios.calls == 1)
		assert_int_equal(regs->ebx, 0);
	if (bios.nr_ranges == 0) {
		serve(&(struct service){ .does = MISSING }, regs);
		return;
	}
	store(regs, &bios.ranges[index]);
	regs->eax = index == bios.lost_at ? 0xe820 : SMAP;
	regs->ecx = index >= bios.short_from && index < bios.short_to ? 19 : bios.length;
	regs->ebx = CONTINUES | (index + 1);
	if (index + 1 == bios.nr_ranges)
		regs->ebx = bios.endless ? CONTINUES | bios.back_to : 0;
	regs->flags &= bios.e820_carry == CARRY_KEPT ? ~0u : ~FLAGS_CARRY;
	if (index == bios.fails_at)
		regs->flags |= FLAGS_CARRY;
	if (bios.interrupts_on)
		regs->flags |= FLAGS_INTERRUPT;
}

bool bios_call(uint8_t interrupt, struct bios_regs *regs)
{
	assert_int_equal(interrupt, interrupt == 0x12 ? 0x12 : 0x15);
	if (interrupt == 0x12) {
		regs->eax = bios.int12_kib | 0xdead0000;
		regs->flags = bios.int12_carry ? FLAGS_CARRY : 0;
	} else if (regs->eax == 0xe801) {
		serve(&bios.e801, regs);
	} else if (regs->eax >> 8 == 0x88) {
		serve(&bios.ah88, regs);
	} else {
		serve_e820(regs);
	}
	return !(regs->flags & FLAGS_CARRY);
}

/* Returns false if the map was refused. */
static bool read_map(void)
{
	memset(&boot_info, 0, sizeof(boot_info));
	bios.calls = stamps = 0;
	if (!step_returns(memory_read))
		return false;
	assert_int_equal(stamps, 1);
	return true;
}

static int begin(void **state)
{
	(void)state;
	memset(&bios, 0, sizeof(bios));
	bios.int12_kib = 639;
	bios.length = 20;
	bios.fails_at = bios.lost_at = bios.short_from = ALWAYS_GOOD;
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

struct range {
	uint64_t base, size;
};

/* Demands these ranges of RAM as the raw entries, in the form of an E820 list. */
static void check_entries(uint32_t nr, const struct range *ranges)
{
	assert_int_equal(boot_info.e820_count, nr);
	for (uint32_t i = 0; i < nr; i++) {
		struct e820_entry entry = {
			ranges[i].base, ranges[i].size, E820_TYPE_RAM, E820_ATTR_ENABLED, 20, 0
		};

		assert_memory_equal(&boot_info.e820[i], &entry, sizeof(entry));
	}
}

#define CHECK_ENTRIES(...)                                                 \
	do {                                                               \
		const struct range ranges[] = { __VA_ARGS__ };             \
		check_entries(sizeof(ranges) / sizeof(ranges[0]), ranges); \
	} while (0)

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

/* Sizes at their limits, odd ones, and one of the two sizes only. */
static void e801_at_its_limits(void **state)
{
	const struct range low = { 0, 639 * KIB };

	(void)state;
	bios.e801 = (struct service){ ANSWERS, CARRY_CLEARED, 1, 1, 0x3c00, 0 };
	check_high(MAP_E801, 15 * MIB);
	CHECK_ENTRIES(low, { MIB, 15 * MIB });
	assert_int_equal(boot_info.map_faults, 0);
	assert_string_equal(said, "memory map: no E820 list, taken from INT 15h AX=E801h\n");
	bios.e801.cx = 0x3c01;
	check_high(MAP_E801, 15 * MIB);
	CHECK_ENTRIES(low, { MIB, 15 * MIB });
	assert_int_equal(boot_info.map_faults, MAP_FAULT_E801_BOGUS);
	assert_non_null(strstr(said, "memory map: E801 claims more than 15 MiB"));
	bios.e801 = (struct service){ ANSWERS, CARRY_CLEARED, 1, 1, 0x3bff, 0x0701 };
	check_high(MAP_E801, 0x3bffull * KIB + 0x701ull * 64 * KIB);
	CHECK_ENTRIES(low, { MIB, 0x3bffull * KIB }, { 16 * MIB, 0x701ull * 64 * KIB });
	bios.e801 = (struct service){ ANSWERS, CARRY_CLEARED, 1, 1, 0, 0x0700 };
	check_high(MAP_E801, 112 * MIB);
	CHECK_ENTRIES(low, { 16 * MIB, 112 * MIB });
	bios.e801 = (struct service){ ANSWERS, CARRY_CLEARED, 0x3bff, 0, 0, 0 };
	check_high(MAP_E801, 0x3bffull * KIB);
	CHECK_ENTRIES(low, { MIB, 0x3bffull * KIB });
	bios.e801 = (struct service){ ANSWERS, CARRY_CLEARED, 0, 0x0701, 0, 0 };
	check_high(MAP_E801, 0x701ull * 64 * KIB);
	CHECK_ENTRIES(low, { 16 * MIB, 0x701ull * 64 * KIB });
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
	CHECK_ENTRIES({ 0, 639 * KIB });
	assert_string_equal(said, "memory map: no E820 list, taken from INT 12h alone\n");
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
			CHECK_ENTRIES({ 0, 639 * KIB }, { MIB, sizes[i] * KIB });
			assert_string_equal(
			    said, "memory map: no E820 list, taken from INT 15h AH=88h\n");
		}
	/* The size that looks like the second question. */
	bios.ah88 = (struct service){ ANSWERS, CARRY_CLEARED, 0x8801, 0, 0, 0 };
	check_high(MAP_88, 0x8801 * KIB);
}

/* A PC may have 640 KiB, and no more: a greater number is not believed. */
static void int12_of_640_kib(void **state)
{
	(void)state;
	bios.int12_kib = 640;
	assert_true(read_map());
	CHECK_ENTRIES({ 0, 640 * KIB }, { MIB, 63 * MIB });
	assert_int_equal(boot_info.int12_kib, 640);
	bios.int12_kib = 641;
	assert_true(read_map());
	CHECK_ENTRIES({ MIB, 63 * MIB });
	assert_int_equal(boot_info.int12_kib, 0);
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
	assert_int_equal(bios.calls, 4);
}

/* Demands the first nr ranges of the BIOS as the list, with these faults and words if any. */
static void check_list(uint32_t nr, uint32_t faults, const char *words)
{
	if (!read_map())
		fail_msg("%s", said);
	assert_int_equal(boot_info.map_source, MAP_E820);
	assert_int_equal(boot_info.map_faults, faults);
	assert_int_equal(boot_info.e820_count, nr);
	for (uint32_t i = 0; i < nr; i++) {
		const struct e820_range *range = &bios.ranges[i];
		struct e820_entry entry = {
			range->base, range->size,
			range->type, bios.length < 24 ? E820_ATTR_ENABLED : bios.attributes,
			bios.length, 0
		};

		assert_memory_equal(&boot_info.e820[i], &entry, sizeof(entry));
	}
	if (words ? !strstr(said, words) : said[0])
		fail_msg("expected %s in: %s", words, said);
}

/* Demands that the list was discarded, and that AH=88h was asked instead. */
static void check_discarded(uint32_t faults, const char *words)
{
	check_high(MAP_88, 63 * MIB);
	CHECK_ENTRIES({ 0, 639 * KIB }, { MIB, 63 * MIB });
	assert_int_equal(boot_info.map_faults, faults);
	if (words && !strstr(said, words))
		fail_msg("expected %s in: %s", words, said);
}

static void e820_with_attributes(void **state)
{
	(void)state;
	list(639 * KIB);
	bios.length = 24;
	bios.attributes = 0xa0;
	check_list(3, 0, NULL);
	bios.length = 20; /* the attributes are still in the buffer */
	check_list(3, 0, NULL);
	assert_int_equal(bios.calls, 3);
	bios.interrupts_on = true;
	check_list(3, MAP_FAULT_INTERRUPT_ON, "memory map: E820 came back with interrupts on");
	bios.nr_ranges = 1;
	bios.ranges[0].size = 64 * MIB;
	bios.interrupts_on = false;
	check_list(1, 0, NULL);
}

/* Carry may end a list, but its first entry must come without. */
static void e820_that_ends_by_carry(void **state)
{
	(void)state;
	list(639 * KIB);
	bios.fails_at = 2;
	check_list(2, MAP_FAULT_CARRY_END, NULL);
	assert_int_equal(bios.calls, 3);
	bios.fails_at = 0;
	check_discarded(0, NULL);
	assert_int_equal(bios.calls, 2); /* the second with carry clear */
	bios.lost_at = 0;
	check_discarded(0, NULL);
	assert_int_equal(bios.calls, 1);
}

static void e820_that_loses_its_signature(void **state)
{
	(void)state;
	list(639 * KIB);
	bios.lost_at = 2;
	check_discarded(MAP_FAULT_SMAP_LOST, "E820 lost its signature midway: list discarded");
	bios.lost_at = 0;
	check_discarded(0, NULL);
	assert_int_equal(bios.calls, 1);
}

static void e820_with_short_entries(void **state)
{
	(void)state;
	list(639 * KIB);
	bios.short_from = 2;
	bios.short_to = 3;
	check_list(2, MAP_FAULT_SHORT_ENTRY, "an entry of less than 20 bytes: skipped");
	bios.short_from = 0;
	check_discarded(MAP_FAULT_SHORT_ENTRY, NULL);
	bios.endless = true;
	check_discarded(MAP_FAULT_SHORT_ENTRY | MAP_FAULT_FULL, NULL);
	assert_int_equal(bios.calls, E820_MAX_RAW);
}

/* The list comes back to any of its entries, so its last 1 to 4 repeat for ever. */
static void e820_that_does_not_end(void **state)
{
	(void)state;
	list(639 * KIB);
	bios.ranges[bios.nr_ranges++] = (struct e820_range){ 64 * MIB, MIB, E820_TYPE_ACPI, 0 };
	bios.endless = true;
	for (bios.back_to = 0; bios.back_to < bios.nr_ranges; bios.back_to++)
		check_list(bios.nr_ranges, MAP_FAULT_ENDLESS,
			   "the E820 list does not end: cut where it repeats");
	bios.nr_ranges = 1;
	bios.back_to = 0;
	bios.ranges[0].size = 64 * MIB;
	check_list(1, MAP_FAULT_ENDLESS, "cut where it repeats");
}

/* Entries that have two of base, size and type in common are different entries. */
static void e820_that_is_too_long(void **state)
{
	(void)state;
	for (unsigned int differs = 0; differs < 3; differs++) {
		list(639 * KIB);
		for (uint32_t i = 3; i < E820_MAX_RAW + 2; i++)
			bios.ranges[i] =
			    (struct e820_range){ (64 + (uint64_t)i * (differs == 0)) * MIB,
						 MIB + (uint64_t)i * (differs == 1),
						 5 + i * (differs == 2), 0 };
		for (bios.nr_ranges = E820_MAX_RAW - 1; bios.nr_ranges <= E820_MAX_RAW;
		     bios.nr_ranges++)
			check_list(bios.nr_ranges, 0, NULL);
		check_discarded(MAP_FAULT_FULL,
				"the E820 list is longer than 1024 entries: discarded");
	}
}

static void e820_without_ram(void **state)
{
	(void)state;
	bios.nr_ranges = 1;
	bios.ranges[0] = (struct e820_range){ 0, 64 * MIB, E820_TYPE_NVS, 0 };
	assert_false(read_map());
	assert_string_equal(said, "memory map: no RAM in its 1 entries\n");
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
	if (!strstr(said, words) || !strstr(said, "RAM is needed up to 512 KiB; "))
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
	bios.ranges[0].base = 0x1001;
	check_refused("the E820 map has none at 4 KiB");
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
	bda_ebda_segment = 0x0fff;
	check_taken("639 KiB");
	bda_ebda_segment = 0x1000;
	check_refused("(EBDA) from 64 KiB on");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(e801_that_has_no_answer, begin),
		cmocka_unit_test_setup(e801_that_has_one, begin),
		cmocka_unit_test_setup(e801_at_its_limits, begin),
		cmocka_unit_test_setup(ah88_that_has_no_answer, begin),
		cmocka_unit_test_setup(ah88_that_has_one, begin),
		cmocka_unit_test_setup(int12_of_640_kib, begin),
		cmocka_unit_test_setup(e820_that_keeps_carry, begin),
		cmocka_unit_test_setup(e820_with_attributes, begin),
		cmocka_unit_test_setup(e820_that_ends_by_carry, begin),
		cmocka_unit_test_setup(e820_that_loses_its_signature, begin),
		cmocka_unit_test_setup(e820_with_short_entries, begin),
		cmocka_unit_test_setup(e820_that_does_not_end, begin),
		cmocka_unit_test_setup(e820_that_is_too_long, begin),
		cmocka_unit_test_setup(e820_without_ram, begin),
		cmocka_unit_test_setup(low_int12_with_a_map, begin),
		cmocka_unit_test_setup(low_int12_with_a_map_that_is_low, begin),
		cmocka_unit_test_setup(low_int12_without_a_map, begin),
		cmocka_unit_test_setup(low_int12_and_an_ebda, begin),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("bios_map", tests, NULL, NULL);
}
