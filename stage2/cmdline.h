/*
 * cmdline.h: the first line of CMDLINE.TXT as the kernel gets it. Pure: for host tests too.
 */
#ifndef FIRSTPAGE_STAGE2_CMDLINE_H
#define FIRSTPAGE_STAGE2_CMDLINE_H

#include <stdbool.h>
#include <stdint.h>

struct cmdline_report {
	bool cut;           /* the line did not fit */
	uint32_t replaced;  /* bytes that are no printable ASCII, now '?' */
	uint32_t first;     /* offset of the first of them in the file */
	uint8_t first_byte; /* and its value */
};

/*
 * Writes the first line of text's size bytes to line, at most line_size with its 0. A tabulator
 * becomes a blank; a UTF-8 byte order mark, which Windows' editor writes, is passed over.
 */
void cmdline_clean(const uint8_t *text, uint32_t size, char *line, uint32_t line_size,
		   struct cmdline_report *report);

/* Whether word is one of the line's, before run=, which has the rest of the line. */
bool cmdline_has(const char *line, const char *word);

#endif
