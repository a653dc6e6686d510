/*
 * test_disk.c: tests how stage2/disk.c reads through a BIOS that takes fewer sectors than it is
 * asked for, fails now and then or always, or knows no geometry. Each read is a line of calls such
 * as "E100+127 R C1/2/3+61": EDD reads 127 sectors from LBA 100 on, the drive is reset, and CHS
 * reads 61 sectors at cylinder 1, head 2, sector 3.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "stage2/bios.h"
#include "stage2/disk.h"
#include "stage2/stage2.h"
#include "tests/host/stage2/real_mode.h"
#include "tests/host/stage2/said.h"

#include <cmocka.h> /* after said.h */

#define DRIVE      0x81
#define MOST       300u /* sectors of a read in these tests */
#define ALL        UINT32_MAX
#define ONE_METHOD 7u /* sizes that one method tries: 127, 63, 31, 15, 7, 3, 1 */

static struct {
	uint32_t heads, track_sectors; /* reported; track_sectors 0: AH=08h fails */
	bool has_parameters;           /* AH=48h succeeds */
	uint16_t sector_size;          /* reported by it */
	uint32_t edd_most, chs_most;   /* sectors: a call for more fails */
	uint32_t failures;             /* the next so many reads fail */
	uint8_t status;                /* of a read that fails */
	bool moves;                    /* EDD says how many sectors it moved: … */
	uint16_t moved;                /* … so many, and no others are there */
	uint32_t parameter_calls, resets, reads;
	bool a20_open; /* no: closed by the last call */
	char calls[2000];
} bios;

struct boot_info boot_info;
uint8_t boot_drive = DRIVE;
uint8_t boot_method;
uint8_t bounce_buffer[0x10000] __attribute__((aligned(16)));

static uint8_t buffer[(MOST + 1) * SECTOR_SIZE];

void a20_enable(void)
{
	bios.a20_open = true;
}

__attribute__((format(printf, 1, 2))) static void note(const char *fmt, ...)
{
	size_t used = strlen(bios.calls);
	va_list ap;

	if (used > 0)
		bios.calls[used++] = ' ';
	va_start(ap, fmt);
	vsnprintf(bios.calls + used, sizeof(bios.calls) - used, fmt, ap);
	va_end(ap);
}

/* Makes the bytes of a sector: its LBA, over and over, and different ones in between. */
static void fill(uint8_t *to, uint32_t lba)
{
	for (uint32_t i = 0; i < SECTOR_SIZE; i++)
		to[i] = (uint8_t)(i % 5 < 4 ? lba >> 8 * (i % 5) : i);
}

static bool carry(struct bios_regs *regs, uint8_t status)
{
	regs->eax = (regs->eax & 0xff) | (uint32_t)status << 8;
	regs->flags |= FLAGS_CARRY;
	return false;
}

static bool serve_geometry(struct bios_regs *regs)
{
	if (bios.track_sectors == 0) {
		regs->ecx = 63; /* means nothing */
		return carry(regs, 1);
	}
	regs->ecx = 0xdeadffc0 | bios.track_sectors;
	regs->edx = 0xdead0002 | (bios.heads - 1) << 8;
	return true;
}

static bool serve_parameters(struct bios_regs *regs)
{
	uint8_t *at = real_pointer(regs->ds, regs->esi, &bios);
	uint16_t size;

	bios.parameter_calls++;
	memcpy(&size, at, 2);
	assert_int_equal(size, 26);
	memcpy(at + 24, &bios.sector_size, 2);
	memset(at + 26, 0xee, 38); /* some BIOSes store more than they were asked for */
	return bios.has_parameters ? true : carry(regs, 1);
}

/* Reads count sectors from lba on into the bounce buffer, unless this read is to fail. */
static bool serve_read(struct bios_regs *regs, uint32_t lba, uint32_t count, uint32_t most)
{
	assert_in_range(count, 1, 127);
	bios.reads++;
	bios.a20_open = false;
	memset(bounce_buffer, 0xee, sizeof(bounce_buffer));
	if (bios.failures > 0 || count > most) {
		bios.failures -= bios.failures > 0 && bios.failures != ALL;
		return carry(regs, bios.status);
	}
	for (uint32_t i = 0; i < count; i++)
		fill(bounce_buffer + (size_t)i * SECTOR_SIZE, lba + i);
	return true;
}

static bool serve_edd(struct bios_regs *regs)
{
	uint8_t *at = real_pointer(regs->ds, regs->esi, &bios);
	uint16_t count;
	uint32_t lba;
	uint8_t expected[16] = { 16 };
	uint16_t segment = real_segment(bounce_buffer);
	bool done;

	memcpy(&count, at + 2, 2);
	memcpy(&lba, at + 8, 4);
	memcpy(expected + 2, &count, 2);
	memcpy(expected + 6, &segment, 2);
	memcpy(expected + 8, &lba, 4);
	assert_memory_equal(at, expected, sizeof(expected));
	note("E%u+%u", lba, count);
	if (bios.moves)
		memcpy(at + 2, &bios.moved, 2);
	done = serve_read(regs, lba, count, bios.edd_most);
	if (bios.moves && bios.moved != 0 && bios.moved < count)
		memset(bounce_buffer + (size_t)bios.moved * SECTOR_SIZE, 0xee, SECTOR_SIZE);
	return done;
}

static bool serve_chs(struct bios_regs *regs)
{
	uint32_t cylinder = (regs->ecx >> 8 & 0xff) | (regs->ecx & 0xc0) << 2;
	uint32_t head = regs->edx >> 8, sector = regs->ecx & 0x3f, count = regs->eax & 0xff;

	assert_int_equal(regs->es, real_segment(bounce_buffer));
	assert_int_equal(regs->ebx, 0);
	assert_in_range(head, 0, bios.heads - 1);
	assert_in_range(sector, 1, bios.track_sectors);
	assert_in_range(count, 1, bios.track_sectors - sector + 1);
	note("C%u/%u/%u+%u", cylinder, head, sector, count);
	return serve_read(regs, (cylinder * bios.heads + head) * bios.track_sectors + sector - 1,
			  count, bios.chs_most);
}

bool bios_call(uint8_t interrupt, struct bios_regs *regs)
{
	assert_int_equal(interrupt, 0x13);
	assert_int_equal(regs->edx & 0xff, DRIVE);
	assert_int_equal(regs->flags, FLAGS_INTERRUPT);
	if (regs->eax >> 8 == 0x02)
		return serve_chs(regs);
	assert_int_equal(regs->edx, DRIVE);
	switch (regs->eax) {
	case 0x0000:
		bios.resets++;
		note("R");
		return true;
	case 0x0800:
		return serve_geometry(regs);
	case 0x4200:
		return serve_edd(regs);
	case 0x4800:
		return serve_parameters(regs);
	default:
		fail_msg("AX=%04x", regs->eax);
		return false;
	}
}

static int begin(void **state)
{
	(void)state;
	memset(&bios, 0, sizeof(bios));
	memset(&boot_info, 0, sizeof(boot_info));
	bios.heads = 16;
	bios.track_sectors = 63;
	bios.has_parameters = true;
	bios.sector_size = SECTOR_SIZE;
	bios.edd_most = bios.chs_most = 127;
	bios.status = 0x04;
	boot_method = DISK_EDD;
	return 0;
}

/* Opens the disk, and says nothing. */
static void open_disk(void)
{
	check_step(disk_open, "");
}

static uint32_t from, count;
static bool right;

static void read_step(void)
{
	right = disk_read(NULL, from, count, buffer);
}

/* Reads sectors, and demands these calls, these words, and the sectors' bytes. */
static void check_read_says(uint32_t lba, uint32_t sectors, const char *calls, const char *words)
{
	uint8_t expected[SECTOR_SIZE];

	from = lba;
	count = sectors;
	bios.calls[0] = 0;
	memset(buffer, 0x5a, sizeof(buffer));
	check_step(read_step, words);
	assert_string_equal(bios.calls, calls);
	assert_true(right);
	assert_true(bios.a20_open);
	for (uint32_t i = 0; i < sectors; i++) {
		fill(expected, lba + i);
		assert_memory_equal(buffer + (size_t)i * SECTOR_SIZE, expected, SECTOR_SIZE);
	}
	for (uint32_t i = 0; i < SECTOR_SIZE; i++)
		assert_int_equal(buffer[(size_t)sectors * SECTOR_SIZE + i], 0x5a);
}

static void check_read(uint32_t lba, uint32_t sectors, const char *calls)
{
	check_read_says(lba, sectors, calls, "");
}

/* Demands that a read fails with these words. Returns the number of reads that were tried. */
static uint32_t check_unreadable(uint32_t lba, uint32_t sectors, const char *words)
{
	uint32_t reads = bios.reads;

	from = lba;
	count = sectors;
	bios.calls[0] = 0;
	check_step(read_step, words);
	assert_false(right);
	return bios.reads - reads;
}

static void opening(void **state)
{
	(void)state;
	open_disk();
	assert_int_equal(boot_info.boot_drive, DRIVE);
	assert_int_equal(boot_info.disk_method, DISK_EDD);
	assert_int_equal(bios.parameter_calls, 1);
	boot_method = DISK_CHS;
	open_disk();
	assert_int_equal(boot_info.disk_method, DISK_CHS);
	assert_int_equal(bios.parameter_calls, 1); /* not asked of a BIOS without EDD */
	assert_int_equal(bios.reads, 0);
}

static void sizes_of_sectors(void **state)
{
	(void)state;
	bios.sector_size = 4096;
	check_step_fails(disk_open, "drive 81h has sectors of 4096 bytes; firstpage reads 512\n");
	bios.sector_size = 511;
	check_step_fails(disk_open, "drive 81h has sectors of 511 bytes; firstpage reads 512\n");
	bios.sector_size = 1;
	check_step_fails(disk_open, "drive 81h has sectors of 1 bytes; firstpage reads 512\n");
	bios.sector_size = 0; /* not stored, by a BIOS that lacks the field */
	open_disk();
	bios.has_parameters = false;
	bios.sector_size = 4096;
	open_disk();
}

static void unknown_methods(void **state)
{
	static const uint8_t methods[] = { 0, 3, 4, 0xff };
	char words[200];

	(void)state;
	for (size_t i = 0; i < sizeof(methods); i++) {
		boot_method = methods[i];
		snprintf(words, sizeof(words),
			 "boot sector: damaged, or of another build: it read stage2 by method %u\n",
			 methods[i]);
		check_step_fails(disk_open, words);
	}
}

static void by_edd(void **state)
{
	(void)state;
	open_disk();
	bios.a20_open = true;
	check_read(100, 0, "");
	check_read(0, 1, "E0+1");
	check_read(0x12345678, 2, "E305419896+2");
	check_read(1000, 127, "E1000+127");
	check_read(1000, 128, "E1000+127 E1127+1");
	check_read(1000, 300, "E1000+127 E1127+127 E1254+46");
	assert_int_equal(bios.resets, 0);
}

/* A call ends where the track does; the cylinder has 10 bits, the head 8. */
static void by_chs(void **state)
{
	(void)state;
	boot_method = DISK_CHS;
	open_disk();
	check_read(0, 1, "C0/0/1+1");
	check_read(61, 2, "C0/0/62+2");
	check_read(62, 2, "C0/0/63+1 C0/1/1+1");
	check_read(63 * 15, 70, "C0/15/1+63 C1/0/1+7");
	check_read(63 * 16 * 256 + 5, 3, "C256/0/6+3");
	check_read(63 * 16 * 0x2a5, 1, "C677/0/1+1");
	check_read(63 * 16 * 1024 - 63, 63, "C1023/15/1+63");
	bios.heads = 256;
	bios.track_sectors = 18;
	open_disk();
	check_read(18 * 256 * 3 - 2, 40, "C2/255/17+2 C3/0/1+18 C3/1/1+18 C3/2/1+2");
	bios.heads = bios.track_sectors = 1;
	open_disk();
	check_read(700, 2, "C700/0/1+1 C701/0/1+1");
}

static void beyond_chs(void **state)
{
	(void)state;
	boot_method = DISK_CHS;
	open_disk();
	assert_int_equal(check_unreadable(63 * 16 * 1024, 1,
					  "drive 81h: sector 1032192 cannot be read: BIOS status "
					  "100h (beyond the reach of CHS)\n"),
			 0);
	bios.track_sectors = 0;
	open_disk();
	assert_int_equal(check_unreadable(7, 2,
					  "drive 81h: sector 7 cannot be read: BIOS status 100h "
					  "(beyond the reach of CHS); CHS cannot be tried: no "
					  "geometry\n"),
			 0);
}

/* Two failures of one call do not count, and each is followed by a reset. */
static void tries(void **state)
{
	(void)state;
	open_disk();
	bios.failures = 1;
	check_read(50, 200, "E50+127 R E50+127 E177+73");
	bios.failures = 2;
	check_read(50, 100, "E50+100 R E50+100 R E50+100");
	check_read(50, 127, "E50+127");
}

static void fewer_sectors_a_call(void **state)
{
	(void)state;
	bios.edd_most = 40;
	open_disk();
	check_read(50, 100,
		   "E50+100 R E50+100 R E50+100 R E50+50 R E50+50 R E50+50 R E50+25 E75+25 "
		   "E100+25 E125+25");
	check_read(500, 30, "E500+25 E525+5");
	check_read(500, 26, "E500+25 E525+1"); /* a short read is no new limit */
	open_disk();
	check_read(50, 40, "E50+40");
	check_read(50, 3, "E50+3");
	check_read(50, 40, "E50+40");
	bios.edd_most = 1;
	check_read(7, 3, "E7+3 R E7+3 R E7+3 R E7+1 E8+1 E9+1");
}

static void edd_that_moves_fewer(void **state)
{
	(void)state;
	open_disk();
	bios.moves = true;
	bios.moved = 7;
	check_read(50, 16, "E50+16 E57+9 E64+2");
	check_read(50, 7, "E50+7");
	bios.failures = 1; /* then it says nothing about the next call */
	check_read(50, 16, "E50+16 R E50+16 E57+9 E64+2");
	bios.moved = 0; /* a BIOS that clears the field although it moved all */
	check_read(50, 16, "E50+16");
	bios.moved = 1;
	check_read(50, 2, "E50+2 E51+1");
	bios.moved = 17;
	check_read(50, 16, "E50+16");
	assert_int_equal(bios.resets, 1);
}

/* After each size of a call, each three times, the other method is used for good. */
static void changes_to_chs(void **state)
{
	(void)state;
	open_disk();
	bios.edd_most = 0;
	check_read_says(61, 3, "E61+3 R E61+3 R E61+3 R E61+1 R E61+1 R E61+1 R C0/0/62+2 C0/1/1+1",
			"drive 81h: EDD fails with status 04h (sector not found), going on by "
			"CHS\n");
	assert_int_equal(boot_info.disk_method, DISK_CHS);
	check_read(0, 2, "C0/0/1+2");
	/* Not back to EDD, although that works again. */
	bios.edd_most = 127;
	bios.chs_most = 0;
	assert_int_equal(check_unreadable(0, 1,
					  "drive 81h: sector 0 cannot be read: BIOS status 04h "
					  "(sector not found)\n"),
			 3);
	assert_int_equal(boot_info.disk_method, DISK_CHS);
}

static void neither_method_reads(void **state)
{
	(void)state;
	open_disk();
	bios.failures = ALL;
	assert_int_equal(check_unreadable(1000, 200,
					  "drive 81h: EDD fails with status 04h (sector not "
					  "found), going on by CHS\n"
					  "drive 81h: sector 1000 cannot be read: BIOS status 04h "
					  "(sector not found)\n"),
			 2 * 3 * ONE_METHOD);
	assert_int_equal(bios.resets, 2 * 3 * ONE_METHOD);
}

static void no_other_method(void **state)
{
	(void)state;
	bios.failures = ALL;
	bios.track_sectors = 0;
	open_disk();
	assert_int_equal(check_unreadable(5, 1,
					  "drive 81h: sector 5 cannot be read: BIOS status 04h "
					  "(sector not found); CHS cannot be tried: no geometry\n"),
			 3);
	/* The boot sector has read by CHS because the BIOS has no EDD. */
	bios.track_sectors = 18;
	boot_method = DISK_CHS;
	open_disk();
	assert_int_equal(check_unreadable(5, 1,
					  "drive 81h: sector 5 cannot be read: BIOS status 04h "
					  "(sector not found)\n"),
			 3);
}

/* Safe mode: one sector a call, by CHS if there is a geometry, and still EDD if that fails. */
static void safe_mode_reads(void **state)
{
	(void)state;
	open_disk();
	disk_safe();
	check_read(62, 2, "C0/0/63+1 C0/1/1+1");
	check_read(0, 2, "C0/0/1+1 C0/0/2+1");
	bios.chs_most = 0;
	check_read_says(9, 2, "C0/0/10+1 R C0/0/10+1 R C0/0/10+1 R E9+1 E10+1",
			"drive 81h: CHS fails with status 04h (sector not found), going on by "
			"EDD\n");
	boot_info.safe = SAFE_SHIFT;
	bios.track_sectors = 0;
	open_disk();
	check_read(62, 2, "E62+1 E63+1");
}

/* The status of a call that fails is the BIOS's: AH, in hexadecimal and in words. */
static void statuses(void **state)
{
	static const struct {
		uint8_t status;
		const char *text;
	} rows[] = {
		{ 0x01, "01h (function or parameter not accepted)" },
		{ 0x04, "04h (sector not found)" },
		{ 0x09, "09h (transfer crosses a 64 KiB border)" },
		{ 0x0c, "0ch (no medium or unknown)" },
		{ 0x10, "10h (data error)" },
		{ 0x20, "20h (controller failed)" },
		{ 0x40, "40h (seek failed)" },
		{ 0x80, "80h (no answer, or drive not ready)" },
		{ 0xaa, "aah (drive not ready)" },
		{ 0x00, "101h (carry set, but no status given)" },
		{ 0x02, "02h (see the BIOS's documentation)" },
		{ 0xff, "ffh (see the BIOS's documentation)" },
	};
	char words[200];

	(void)state;
	bios.failures = ALL;
	boot_method = DISK_CHS;
	open_disk();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bios.status = rows[i].status;
		snprintf(words, sizeof(words),
			 "drive 81h: sector 3 cannot be read: BIOS status %s\n", rows[i].text);
		check_unreadable(3, 1, words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(opening, begin),
		cmocka_unit_test_setup(sizes_of_sectors, begin),
		cmocka_unit_test_setup(unknown_methods, begin),
		cmocka_unit_test_setup(by_edd, begin),
		cmocka_unit_test_setup(by_chs, begin),
		cmocka_unit_test_setup(beyond_chs, begin),
		cmocka_unit_test_setup(tries, begin),
		cmocka_unit_test_setup(fewer_sectors_a_call, begin),
		cmocka_unit_test_setup(edd_that_moves_fewer, begin),
		cmocka_unit_test_setup(changes_to_chs, begin),
		cmocka_unit_test_setup(neither_method_reads, begin),
		cmocka_unit_test_setup(no_other_method, begin),
		cmocka_unit_test_setup(safe_mode_reads, begin),
		cmocka_unit_test_setup(statuses, begin),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
