/*
 * cmdline.c: see cmdline.h. A faulty line is corrected and not refused: users need a machine that
 * boots in order to mend the line.
 */
#include "stage2/cmdline.h"

#include <stddef.h>

#include "lib/string.h"

#define RUN     "run="
#define DOS_END 0x1a /* the end of a text, as old editors for DOS mark it */

enum encoding { BYTES, UTF16_LE, UTF16_BE };

/* Reads a text character by character. */
struct reader {
	const uint8_t *text;
	uint32_t size, at; /* bytes */
	enum encoding encoding;
};

static bool begins_with(const struct reader *in, const char *mark, uint32_t size)
{
	return in->size >= size && memcmp(in->text, mark, size) == 0;
}

/* Finds out the encoding, and skips a byte order mark. */
static void open_text(struct reader *in)
{
	bool pair = in->size >= 2;

	if (begins_with(in, "\xef\xbb\xbf", 3))
		in->at = 3;
	else if (begins_with(in, "\xff\xfe", 2) || (pair && in->text[0] && !in->text[1]))
		in->encoding = UTF16_LE;
	else if (begins_with(in, "\xfe\xff", 2) || (pair && !in->text[0] && in->text[1]))
		in->encoding = UTF16_BE;
	if (begins_with(in, "\xff\xfe", 2) || begins_with(in, "\xfe\xff", 2))
		in->at = 2;
}

/* Returns the bytes of a character. */
static uint32_t character_size(const struct reader *in)
{
	return in->encoding == BYTES ? 1 : 2;
}

/* Reads the next character, a byte or 16 bits, into *c; where half of the last 16 bits is missing,
   a character outside ASCII. Returns false at the end. */
static bool read_char(struct reader *in, uint32_t *c)
{
	const uint8_t *at;

	if (in->at >= in->size)
		return false;
	at = in->text + in->at;
	if (in->encoding == BYTES)
		*c = at[0];
	else if (in->size - in->at < 2)
		*c = 0xff00u | at[0];
	else
		*c = in->encoding == UTF16_LE ? at[0] | (uint32_t)at[1] << 8
					      : at[1] | (uint32_t)at[0] << 8;
	in->at += character_size(in);
	return true;
}

static bool is_blank(uint32_t c)
{
	return c == ' ' || c == '\t';
}

static bool ends_line(uint32_t c)
{
	return c == '\r' || c == '\n' || c == DOS_END;
}

/* Reads up to the first character of a line that is not blank. Returns false if there is none. */
static bool read_first(struct reader *in, uint32_t *c)
{
	while (read_char(in, c))
		if (!is_blank(*c) && !ends_line(*c))
			return true;
	return false;
}

/* Returns the printable ASCII character for c, the last that was read. Notes it if it is none. */
static char cleaned(const struct reader *in, uint32_t c, struct cmdline_report *report)
{
	if (c == '\t')
		return ' ';
	if (c >= ' ' && c <= '~')
		return (char)c;
	if (report->replaced++ == 0) {
		report->first = in->at - character_size(in);
		report->first_value = c;
	}
	return '?';
}

/* Returns the word after the one at word, or the end of the line. At a blank is an empty word. */
static const char *word_after(const char *word)
{
	while (*word && *word != ' ')
		word++;
	while (*word == ' ')
		word++;
	return word;
}

/* Returns where run= begins in the line, or where the line ends. */
static const char *find_run(const char *line)
{
	while (*line && strncmp(line, RUN, strlen(RUN)) != 0)
		line = word_after(line);
	return line;
}

/*
 * Returns how long the part of the line is that has only whole options and commands, trailing
 * blanks left out. rest is what follows the line, of which the beginning is enough.
 */
static uint32_t whole_length(const char *line, const char *rest)
{
	uint32_t length = (uint32_t)strlen(line);
	uint32_t run = (uint32_t)(find_run(line) - line), value = run + (uint32_t)strlen(RUN);

	if (run < length) {
		while (*rest == ' ')
			rest++;
		if (*rest != ';') {
			while (length >= value && line[length] != ';')
				length--;
			if (length < value)
				length = run;
		}
	} else if (*rest != ' ') {
		while (length > 0 && line[length - 1] != ' ')
			length--;
	}
	while (length > 0 && line[length - 1] == ' ')
		length--;
	return length;
}

/* Cuts the line, which `rest` follows in the file, and notes what is dropped. */
static void cut(char *line, const char *rest, struct cmdline_report *report)
{
	uint32_t length = whole_length(line, rest), out = 0;
	const char *parts[] = { line + length, rest };

	for (uint32_t i = 0; i < 2; i++)
		for (const char *from = parts[i]; *from && out < BOOT_INFO_DROPPED_SIZE - 1; from++)
			if (out > 0 || (*from != ' ' && *from != ';'))
				report->dropped[out++] = *from;
	report->cut = true;
	line[length] = 0;
}

void cmdline_clean(const uint8_t *text, uint32_t size, char *line, uint32_t line_size,
		   struct cmdline_report *report)
{
	struct reader in = { text, size, 0, BYTES };
	char rest[BOOT_INFO_DROPPED_SIZE] = "";
	uint32_t c, out = 0, beyond = 0;
	bool goes_on, lost = false;

	memset(report, 0, sizeof(*report));
	open_text(&in);
	report->utf16 = in.encoding != BYTES;
	for (goes_on = read_first(&in, &c); goes_on && !ends_line(c);
	     goes_on = read_char(&in, &c)) {
		if (out < line_size - 1) {
			line[out++] = cleaned(&in, c, report);
			continue;
		}
		lost |= !is_blank(c);
		if (beyond < sizeof(rest) - 1 && (lost || beyond == 0)) {
			struct cmdline_report unused = { 0 };

			rest[beyond++] = cleaned(&in, c, &unused);
		}
	}
	line[out] = 0;
	if (lost)
		cut(line, rest, report);
	while (!report->more && read_first(&in, &c))
		report->more = c > ' ';
}

bool cmdline_has(const char *line, const char *word)
{
	const char *run = find_run(line);
	size_t length = strlen(word);

	for (; line < run; line = word_after(line))
		if (strncmp(line, word, length) == 0 && (!line[length] || line[length] == ' '))
			return true;
	return false;
}
