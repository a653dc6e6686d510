/*
 * cmdline.h: turns the first line of CMDLINE.TXT that is not blank into the kernel's command line.
 *
 * Pure functions on the caller's memory, which host tests compile too.
 */
#ifndef FIRSTPAGE_STAGE2_CMDLINE_H
#define FIRSTPAGE_STAGE2_CMDLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "include/boot_info.h"

/* What cmdline_clean() found in the file, and what it had to change. */
struct cmdline_report {
	bool utf16;           /* the file is UTF-16 */
	bool cut;             /* the line did not fit */
	bool more;            /* text follows in lines below, which does not count */
	uint32_t replaced;    /* number of characters that are not printable ASCII, now '?' */
	uint32_t first;       /* offset in the file of the first of these, in bytes */
	uint32_t first_value; /* its value: a byte, or in UTF-16 16 bits */
	char dropped[BOOT_INFO_DROPPED_SIZE]; /* the beginning of what was cut off, or empty */
};

/*
 * Copies the first line of the file text (size bytes) that is not blank to line, which has room for
 * line_size bytes, the terminating 0 included. Fills *report.
 *
 * A line that does not fit is cut behind its last whole option, or, in the value of run=, its last
 * whole command: half of one could mean something else. Each byte that is not printable ASCII is
 * replaced by '?', a tab by a blank. Windows' editors write a byte order mark, which is skipped,
 * and UTF-16, which is also known without a mark, by the 0 beside the first character.
 */
void cmdline_clean(const uint8_t *text, uint32_t size, char *line, uint32_t line_size,
		   struct cmdline_report *report);

/*
 * Returns true if word is one of the words of line. Only words before run= count: the rest of the
 * line is the value of that option.
 */
bool cmdline_has(const char *line, const char *word);

#endif
