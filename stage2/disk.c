/*
 * disk.c: INT 13h, by EDD (AH=42h) or by cylinder, head and sector (AH=02h).
 *
 * Everything goes through the bounce buffer: 64 KiB that cross no 64 KiB border. A call that
 * fails is tried again after a reset, then with half as many sectors, which is kept to from then
 * on; and when one sector cannot be read by one method, by the other from then on, once.
 */
#include "stage2/disk.h"

#include "lib/string.h"
#include "stage2/bios.h"
#include "stage2/console.h"
#include "stage2/stage2.h"

#define MAX_SECTORS \
	127u /* SeaBIOS refuses 129; 128 would be the whole buffer and the known limit */
#define TRIES               3u
#define CYLINDERS           1024u

/* Ours, beyond the BIOS's 8 bits. */
#define STATUS_BAD_GEOMETRY 0x100u
#define STATUS_BARE_CARRY   0x101u

static uint32_t heads, track_sectors;       /* 0: geometry unknown */
static uint32_t most_sectors = MAX_SECTORS; /* a call; fewer once the BIOS has refused that many */

/* Disk address packet (EDD 3.0, 2.3). */
struct packet {
	uint8_t size;
	uint8_t reserved;
	uint16_t count;
	uint16_t offset;
	uint16_t segment;
	uint64_t lba;
};
_Static_assert(sizeof(struct packet) == 16, "as the BIOS reads it");

/* Result buffer of AH=48h (EDD 3.0, 2.6), as far as version 1.1 goes. */
struct parameters {
	uint16_t size;
	uint16_t flags;
	uint32_t cylinders, heads, track_sectors;
	uint64_t sectors;
	uint16_t sector_size;
	uint8_t excess[38];
};

/* What a call came to: 0 when well. */
static uint32_t status_of(bool done, const struct bios_regs *regs)
{
	if (done)
		return 0;
	return reg_high(regs->eax) ? reg_high(regs->eax) : STATUS_BARE_CARRY;
}

static const char *status_text(uint32_t status)
{
	switch (status) {
	case 0x01:
		return "function or parameter not accepted";
	case 0x04:
		return "sector not found";
	case 0x09:
		return "transfer crosses a 64 KiB border";
	case 0x0c:
		return "no medium or unknown";
	case 0x10:
		return "data error";
	case 0x20:
		return "controller failed";
	case 0x40:
		return "seek failed";
	case 0x80:
		return "no answer, or drive not ready";
	case 0xaa:
		return "drive not ready";
	case STATUS_BAD_GEOMETRY:
		return "beyond the reach of CHS";
	case STATUS_BARE_CARRY:
		return "carry set, but no status given";
	default:
		return "see the BIOS's documentation";
	}
}

static void ask_geometry(void)
{
	struct bios_regs regs = { .eax = 0x0800, .edx = boot_drive, .flags = FLAGS_INTERRUPT };

	heads = track_sectors = 0;
	if (!bios_call(0x13, &regs))
		return;
	heads = ((regs.edx >> 8) & 0xff) + 1;
	track_sectors = regs.ecx & 0x3f;
}

static void refuse_large_sectors(void)
{
	static struct parameters parameters; /* static: below 1 MiB and zeroed */
	struct bios_regs regs = {
		.eax = 0x4800,
		.edx = boot_drive,
		.esi = real_offset(&parameters),
		.ds = real_segment(&parameters),
		.flags = FLAGS_INTERRUPT,
	};

	parameters.size = 26;
	if (!bios_call(0x13, &regs))
		return;
	if (parameters.sector_size != 0 && parameters.sector_size != SECTOR_SIZE)
		fail("drive %02xh has sectors of %u bytes; firstpage reads 512", boot_drive,
		     parameters.sector_size);
}

void disk_open(void)
{
	/* Nothing checks the boot sector before it runs; what it hands over is its only sign. */
	if (boot_method != DISK_EDD && boot_method != DISK_CHS)
		fail("boot sector: damaged, or of another build: it read stage2 by method %u",
		     boot_method);
	boot_info.boot_drive = boot_drive;
	boot_info.disk_method = boot_method;
	ask_geometry();
	if (boot_method == DISK_EDD)
		refuse_large_sectors();
	if (boot_info.safe)
		disk_safe();
}

void disk_safe(void)
{
	most_sectors = 1;
	if (track_sectors != 0)
		boot_info.disk_method = DISK_CHS;
}

/* Both: sectors from lba into the bounce buffer. The BIOS's status, 0 when well. *count: in what
   is wanted, out what was asked for, no less than 1. */
static uint32_t read_edd(uint32_t lba, uint32_t *count)
{
	static struct packet packet;
	struct bios_regs regs = {
		.eax = 0x4200,
		.edx = boot_drive,
		.esi = real_offset(&packet),
		.ds = real_segment(&packet),
		.flags = FLAGS_INTERRUPT,
	};

	packet = (struct packet){
		.size = sizeof(packet),
		.count = (uint16_t)*count,
		.segment = real_segment(bounce_buffer),
		.lba = lba,
	};
	return status_of(bios_call(0x13, &regs), &regs);
}

static uint32_t read_chs(uint32_t lba, uint32_t *count)
{
	uint32_t track, sector, cylinder;
	struct bios_regs regs = { .es = real_segment(bounce_buffer), .flags = FLAGS_INTERRUPT };

	if (track_sectors == 0)
		return STATUS_BAD_GEOMETRY;
	track = lba / track_sectors;
	sector = lba % track_sectors;
	cylinder = track / heads;
	if (cylinder >= CYLINDERS)
		return STATUS_BAD_GEOMETRY;
	if (*count > track_sectors - sector)
		*count = track_sectors - sector;
	regs.eax = 0x0200 | *count;
	regs.ecx = (cylinder & 0xff) << 8 | cylinder >> 8 << 6 | (sector + 1);
	regs.edx = (track % heads) << 8 | boot_drive;
	return status_of(bios_call(0x13, &regs), &regs);
}

static uint32_t read_once(uint32_t lba, uint32_t *count)
{
	return boot_info.disk_method == DISK_EDD ? read_edd(lba, count) : read_chs(lba, count);
}

static void reset(void)
{
	struct bios_regs regs = { .edx = boot_drive, .flags = FLAGS_INTERRUPT };

	bios_call(0x13, &regs);
}

static bool read_tries(uint32_t lba, uint32_t *count, uint32_t *status)
{
	for (uint32_t i = 0; i < TRIES; i++) {
		*status = read_once(lba, count);
		if (*status == 0)
			return true;
		reset();
	}
	return false;
}

static const char *method_name(void)
{
	return boot_info.disk_method == DISK_EDD ? "EDD" : "CHS";
}

/* False when there is no other, or both have failed. */
static bool change_method(uint32_t status)
{
	static bool changed;
	const char *name = method_name();

	if (changed || boot_method != DISK_EDD || track_sectors == 0)
		return false;
	changed = true;
	boot_info.disk_method = boot_info.disk_method == DISK_EDD ? DISK_CHS : DISK_EDD;
	say("drive %02xh: %s fails with status %02xh (%s), going on by %s", boot_drive, name,
	    status, status_text(status), method_name());
	return true;
}

/* Some sectors from lba into the bounce buffer; their count, 0 when the first cannot be read. */
static uint32_t read_some(uint32_t lba, uint32_t wanted)
{
	uint32_t status = 0;

	for (;;) {
		for (uint32_t size = wanted; size > 0; size /= 2) {
			uint32_t count = size;

			if (!read_tries(lba, &count, &status))
				continue;
			if (size < wanted)
				most_sectors = size;
			return count;
		}
		if (!change_method(status)) {
			say("drive %02xh: sector %u cannot be read: BIOS status %02xh (%s)%s",
			    boot_drive, lba, status, status_text(status),
			    track_sectors == 0 ? "; CHS is no way out: no geometry" : "");
			return 0;
		}
	}
}

bool disk_read(void *context, uint32_t lba, uint32_t count, void *buf)
{
	uint8_t *to = buf;

	(void)context;
	while (count > 0) {
		uint32_t done = read_some(lba, count < most_sectors ? count : most_sectors);

		if (done == 0)
			return false;
		a20_enable(); /* the BIOS may have closed it, and `to` be above 1 MiB */
		memcpy(to, bounce_buffer, done * SECTOR_SIZE);
		to += done * SECTOR_SIZE;
		lba += done;
		count -= done;
	}
	return true;
}
