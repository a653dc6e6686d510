/*
 * cmdline.h: turns the first line of CMDLINE.TXT into the kernel's command line.
 *
 * Pure functions on the caller's memory, which host tests compile too.
 */
#ifndef FIRSTPAGE_STAGE2_CMDLINE_H
#define FIRSTPAGE_STAGE2_CMDLINE_H

#include <stdbool.h>
#include <stdint.h>

/* What cmdline_clean() had to change. */
struct cmdline_report {
	bool cut;           /* the line did not fit */
	uint32_t replaced;  /* number of bytes that are not printable ASCII, now '?' */
	uint32_t first;     /* offset in the file of the first of these bytes */
	uint8_t first_byte; /* value of that byte */
};

/*
 * Copies the first line of the file text (size bytes) to line, which has room for line_size bytes,
 * the terminating 0 included. Cuts a longer line, replaces each byte that is not printable ASCII
 * by '?', turns a tab into a blank, and skips a UTF-8 byte order mark, which Windows' editor
 * writes. Fills *report with what was changed.
 */
void cmdline_clean(const uint8_t *text, uint32_t size, char *line, uint32_t line_size,
		   struct cmdline_report *report);

/*
 * Returns true if word is one of the words of line. Only words before run= count: the rest of the
 * line is the value of that option.
 */
bool cmdline_has(const char *line, const char *word);

#endif
