/*
 * options.c: reads CMDLINE.TXT into boot_info. Without that file the command line is empty. It is
 * read before the kernel, so that the option `safe` already applies when the kernel is read.
 */
#include <stdbool.h>

#include "stage2/cmdline.h"
#include "stage2/console.h"
#include "stage2/fat.h"
#include "stage2/stage2.h"

#define CMDLINE_NAME "CMDLINE.TXT"

/* The line without its 0 has one byte less; a byte more than that shows whether the line is longer.
   A byte order mark before it takes three more. */
#define READ_SIZE    (BOOT_INFO_CMDLINE_SIZE + 3)

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
	boot_info.cmdline_faults = report.cut ? CMDLINE_FAULT_CUT : 0;
	boot_info.cmdline_replaced = report.replaced;
	if (report.cut)
		say("warning: " CMDLINE_NAME ": the line is longer than %u bytes and was cut there",
		    BOOT_INFO_CMDLINE_SIZE - 1);
	if (report.replaced)
		say("warning: " CMDLINE_NAME ": %u bytes that are not printable ASCII were "
		    "replaced by '?'; the first is %02xh at offset %u",
		    report.replaced, report.first_byte, report.first);
	if (cmdline_has(boot_info.cmdline, "safe"))
		safe_mode(SAFE_OPTION);
}
