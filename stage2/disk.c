/*
 * disk.c: reads by INT 13h, with EDD (AH=42h) or with CHS: cylinder, head and sector (AH=02h).
 *
 * All data goes through the bounce buffer, which crosses no 64 KiB border and lies where real mode
 * reaches it. A call that fails is repeated after a reset of the drive, TRIES times in all, then
 * with half as many sectors, and so on. A smaller size that works is the limit for all later calls.
 * When even a single sector cannot be read, the other method is used from then on; this change
 * happens at most once.
 */
#include "stage2/disk.h"

#include "lib/string.h"
#include "stage2/bios.h"
#include "stage2/console.h"
#include "stage2/stage2.h"

/*
 * The most sectors of one call, as in EDD 3.0, section 2.3. BIOSes differ beyond it: 128 sectors
 * end at a 64 KiB border, and SeaBIOS refuses 129 with status 09h.
 */
#define MAX_SECTORS         127u
#define TRIES               3u
#define CYLINDERS           1024u

/* Statuses of our own, beyond the BIOS's 8 bits. */
#define STATUS_BAD_GEOMETRY 0x100u
#define STATUS_BARE_CARRY   0x101u

static uint32_t heads, track_sectors; /* 0: geometry unknown */
static uint32_t most_sectors;         /* limit of a call: lower after the BIOS failed at it */
static bool method_changed;

/* Disk address packet (EDD 3.0, section 2.3). */
struct packet {
	uint8_t size;
	uint8_t reserved;
	uint16_t count;
	uint16_t offset;
	uint16_t segment;
	uint64_t lba;
};
_Static_assert(sizeof(struct packet) == 16, "as the BIOS reads it");

/* Result buffer of AH=48h (EDD 3.0, section 2.6), with the fields of version 1.1. */
struct parameters {
	uint16_t size;
	uint16_t flags;
	uint32_t cylinders, heads, track_sectors;
	uint64_t sectors;
	uint16_t sector_size;
	uint8_t excess[38]; /* for a BIOS that writes more than it was asked for */
};

/* Returns a call's status: 0 for success, the BIOS's status or STATUS_BARE_CARRY. */
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
	static struct parameters parameters; /* zeroed; the fields that the BIOS omits stay 0 */
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
	/* Nothing verifies the boot sector itself: an impossible method shows its damage. */
	if (boot_method != DISK_EDD && boot_method != DISK_CHS)
		fail("boot sector: damaged, or of another build: it read stage2 by method %u",
		     boot_method);
	boot_info.boot_drive = boot_drive;
	boot_info.disk_method = boot_method;
	most_sectors = MAX_SECTORS;
	method_changed = false;
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

/* Reads *count sectors from lba on into the bounce buffer by EDD. Lowers *count if the BIOS says
   that it moved fewer. Returns the status, 0 for success. */
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
	uint32_t status;

	packet = (struct packet){
		.size = sizeof(packet),
		.count = (uint16_t)*count,
		.segment = real_segment(bounce_buffer),
		.lba = lba,
	};
	status = status_of(bios_call(0x13, &regs), &regs);
	if (status == 0 && packet.count != 0 && packet.count < *count)
		*count = packet.count;
	return status;
}

/* Does the same by CHS. Lowers *count to the number of sectors that are left on the track. */
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

/* Changes to the other method after a failure with this status. Returns false if there is no other
   method, or if it was changed before. */
static bool change_method(uint32_t status)
{
	const char *name = method_name();

	if (method_changed || boot_method != DISK_EDD || track_sectors == 0)
		return false;
	method_changed = true;
	boot_info.disk_method = boot_info.disk_method == DISK_EDD ? DISK_CHS : DISK_EDD;
	say("drive %02xh: %s fails with status %02xh (%s), going on by %s", boot_drive, name,
	    status, status_text(status), method_name());
	return true;
}

/* Reads at most wanted sectors from lba on into the bounce buffer. Returns how many it read: 0 if
   the first one cannot be read. */
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
			    track_sectors == 0 ? "; CHS cannot be tried: no geometry" : "");
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
		a20_enable(); /* the BIOS may have closed it, and `to` may lie above 1 MiB */
		memcpy(to, bounce_buffer, done * SECTOR_SIZE);
		to += done * SECTOR_SIZE;
		lba += done;
		count -= done;
	}
	return true;
}
