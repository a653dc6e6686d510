/*
 * options.c: reads CMDLINE.TXT into boot_info. Without that file the command line is empty. It is
 * read before the kernel, so that the option `safe` already applies when the kernel is read.
 */
#include <stdbool.h>

#include "lib/string.h"
#include "stage2/cmdline.h"
#include "stage2/console.h"
#include "stage2/fat.h"
#include "stage2/stage2.h"

#define CMDLINE_NAME "CMDLINE.TXT"

/* So much of the file is read: a line of the greatest length in UTF-16, with blank lines above it,
   and what may follow it. */
#define READ_SIZE    (4 * BOOT_INFO_CMDLINE_SIZE)

/* Prints what was found and changed in the file. */
static void say_report(const struct cmdline_report *report)
{
	if (report->utf16)
		say(CMDLINE_NAME ": is UTF-16 and was read as that");
	if (report->cut)
		say("warning: " CMDLINE_NAME ": the line is longer than %u bytes; the rest is left "
		    "out: %s",
		    BOOT_INFO_CMDLINE_SIZE - 1, report->dropped);
	if (report->more)
		say("warning: " CMDLINE_NAME
		    ": only the first line counts, there is more below it");
	if (report->replaced)
		say("warning: " CMDLINE_NAME ": %u characters that are not printable ASCII were "
		    "replaced by '?'; the first is %02xh at offset %u",
		    report->replaced, report->first_value, report->first);
}

void options_load(void)
{
	static uint8_t text[READ_SIZE];
	struct cmdline_report report;
	struct fat_file file;
	uint32_t size;

	if (!volume_find(CMDLINE_NAME, &file)) {
		boot_info.cmdline_faults = CMDLINE_FAULT_MISSING;
		say(CMDLINE_NAME ": not found, booting without options");
		return;
	}
	size = file.size < READ_SIZE ? file.size : READ_SIZE;
	volume_read(CMDLINE_NAME, &file, text, size);
	cmdline_clean(text, size, boot_info.cmdline, BOOT_INFO_CMDLINE_SIZE, &report);
	boot_info.cmdline_faults =
	    (report.cut ? CMDLINE_FAULT_CUT : 0) | (report.more ? CMDLINE_FAULT_MORE : 0);
	boot_info.cmdline_replaced = report.replaced;
	memcpy(boot_info.dropped, report.dropped, sizeof(report.dropped));
	say_report(&report);
	if (cmdline_has(boot_info.cmdline, "safe"))
		safe_mode(SAFE_OPTION);
}
