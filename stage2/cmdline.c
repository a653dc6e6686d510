/*
 * cmdline.c: see cmdline.h. A faulty line is corrected and not refused: users need a machine that
 * boots in order to mend the line.
 */
#include "stage2/cmdline.h"

#include <stddef.h>

#include "lib/string.h"

static bool is_printable(uint8_t byte)
{
	return byte >= ' ' && byte <= '~';
}

void cmdline_clean(const uint8_t *text, uint32_t size, char *line, uint32_t line_size,
		   struct cmdline_report *report)
{
	static const uint8_t byte_order_mark[] = { 0xef, 0xbb, 0xbf };
	uint32_t in = 0, out = 0;

	memset(report, 0, sizeof(*report));
	if (size >= sizeof(byte_order_mark) &&
	    memcmp(text, byte_order_mark, sizeof(byte_order_mark)) == 0)
		in = sizeof(byte_order_mark);
	for (; in < size && text[in] != '\r' && text[in] != '\n'; in++) {
		uint8_t byte = text[in] == '\t' ? ' ' : text[in];

		if (out == line_size - 1) {
			report->cut = true;
			break;
		}
		if (!is_printable(byte)) {
			if (report->replaced++ == 0) {
				report->first = in;
				report->first_byte = byte;
			}
			byte = '?';
		}
		line[out++] = (char)byte;
	}
	line[out] = 0;
}

bool cmdline_has(const char *line, const char *word)
{
	size_t length = strlen(word);

	while (*line && strncmp(line, "run=", 4) != 0) {
		if (strncmp(line, word, length) == 0 && (!line[length] || line[length] == ' '))
			return true;
		while (*line && *line != ' ')
			line++;
		while (*line == ' ')
			line++;
	}
	return false;
}
