/*
 * text.c: see text.h. Characters are read one after the other, from UTF-8 or UTF-16; escapes are
 * undone, which can give a character that itself begins a sequence to remove; what is left is
 * written as ASCII. A character becomes at most one byte.
 *
 * The number of a line is that which an editor shows: LF ends a line, CR LF too, and CR if the text
 * has no LF. An LF that was written as an escape, and a CR among LFs, only split a line.
 */
#include "tools/replay/text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/replay/scan.h"

#define ESC      0x1b
#define TAG_MAX  300 /* characters of a tag of HTML */
#define NO_PLACE '?' /* stands for a character that ASCII lacks */

/* Where characters come from: bytes, of UTF-8 or of UTF-16. */
struct source {
	const unsigned char *at;
	const unsigned char *end;
	unsigned int unit; /* bytes of a unit: 1 for UTF-8, 2 for UTF-16 */
	bool big_endian;
	bool cr_ends; /* CR ends a line, because no LF is in the text */
};

/* Returns the unit that is n units ahead, or 0 beyond the end. */
static unsigned int peek(const struct source *s, size_t n)
{
	const unsigned char *at = s->at;
	unsigned int high = s->big_endian ? 0 : 1;

	if ((size_t)(s->end - at) < (n + 1) * s->unit)
		return 0;
	at += n * s->unit;
	return s->unit == 1 ? *at : (unsigned int)at[high] << 8 | at[1 - high];
}

static void skip(struct source *s, size_t n)
{
	size_t left = (size_t)(s->end - s->at);

	s->at += n * s->unit < left ? n * s->unit : left;
}

/* Reads a character. A byte that is no UTF-8 is a character by itself, as in Windows's code page.
 */
static unsigned int next(struct source *s)
{
	unsigned int c = peek(s, 0), more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2 ? 1 : 0;
	unsigned int point = c & (0x3fu >> more);

	skip(s, 1);
	if (s->unit == 2 || c < 0xc2 || c > 0xf4)
		return c;
	for (unsigned int i = 0; i < more; i++) {
		if ((peek(s, i) & 0xc0) != 0x80)
			return c;
		point = point << 6 | (peek(s, i) & 0x3f);
	}
	skip(s, more);
	return point;
}

/* Returns the ASCII character for a character of Unicode, or of Windows's code page 1252; 0: none.
 */
static char plain(unsigned int c)
{
	if (c < 0x80)
		return (char)c;
	if (c == 0xa0 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x3000)
		return ' ';
	if (c == 0x96 || c == 0x97 || (c >= 0x2010 && c <= 0x2015) || c == 0x2212)
		return '-';
	if (c == 0x93 || c == 0x94 || c == 0x201c || c == 0x201d)
		return '"';
	if (c == 0xad || (c >= 0x200b && c <= 0x200f) || c == 0x2060 || c == 0xfeff)
		return 0;
	return NO_PLACE;
}

/* Returns the value of n digits of this base that are `from` units ahead, or 0 if they are none. */
static unsigned int escaped(const struct source *s, size_t from, size_t n, unsigned int base)
{
	unsigned int value = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned int c = peek(s, from + i);
		unsigned int digit = c < 0x80 ? scan_digit((char)c) : 99;

		if (digit >= base)
			return 0;
		value = value * base + digit;
	}
	/* A byte is a character of ASCII, or else a part of one. */
	return value < 0x80 || n == 4 ? value : 0;
}

/* Reads the rest of an escape behind a backslash. Returns 0 if it is none. */
static unsigned int backslash(struct source *s)
{
	static const char simple[] = "n\nr\rt\t";
	unsigned int c, value;
	size_t n;

	/* Text that was escaped twice has several backslashes. */
	while (peek(s, 0) == '\\')
		skip(s, 1);
	c = peek(s, 0);
	for (size_t i = 0; simple[i]; i += 2)
		if (c == (unsigned char)simple[i]) {
			skip(s, 1);
			return (unsigned char)simple[i + 1];
		}
	/* JSON's \" and \/, Markdown's \[ */
	if (c < 0x80 && ispunct((int)c)) {
		skip(s, 1);
		return c;
	}
	if (c == 'e' && peek(s, 1) == '[') {
		skip(s, 1);
		return ESC;
	}
	n = c == 'u' ? 4 : c == 'x' ? 2 : 3;
	value = c == 'u' || c == 'x' ? escaped(s, 1, n++, 16) : escaped(s, 0, n, 8);
	skip(s, value ? n : 0);
	return value;
}

/*
 * Reads a character and undoes an escape of it. *split says that it is an LF that was written as an
 * escape; a CR is a blank then, as an LF follows.
 */
static unsigned int next_unescaped(struct source *s, bool *split)
{
	unsigned int c = next(s), value = 0;

	*split = false;
	if (c == '#') {
		value = escaped(s, 0, 3, 8);
		value = value < ' ' ? value : 0;
		skip(s, value ? 3 : 0);
	} else if (c == '\\') {
		value = backslash(s);
	} else if (c == '^' && peek(s, 0) == '[' && peek(s, 1) == '[') {
		skip(s, 1);
		value = ESC;
	} else if (c == 'E' && peek(s, 0) == 'S' && peek(s, 1) == 'C' && peek(s, 2) == '[') {
		skip(s, 2);
		value = ESC;
	}
	*split = value == '\n';
	return value == '\r' ? ' ' : value ? value : c;
}

/* Skips what follows an escape character: a colour, a move of the cursor, a window's title. */
static void skip_sequence(struct source *s)
{
	unsigned int c = peek(s, 0);
	struct source before;
	bool split;

	if (c == ']') {
		/* It ends with BEL or ESC \; a line's end is not part of it. */
		do {
			before = *s;
			c = next_unescaped(s, &split);
		} while (s->at < s->end && c >= 0x20);
		if (c == ESC)
			skip(s, peek(s, 0) == '\\');
		else if (c == '\n' || c == '\r')
			*s = before;
		return;
	}
	if (c != '[') {
		skip(s, c == '(' || c == ')' ? 2 : c >= 0x20);
		return;
	}
	do
		skip(s, 1);
	while (peek(s, 0) >= 0x20 && peek(s, 0) < 0x40);
	skip(s, peek(s, 0) >= 0x40 && peek(s, 0) < 0x7f);
}

/*
 * Skips the rest of a colour behind [, as dmesg and grep set it, that lost its escape character, as
 * on web pages. Returns false if it is none.
 */
static bool skip_colour(struct source *s)
{
	size_t n = 0;

	while ((peek(s, n) >= '0' && peek(s, n) <= '9') || peek(s, n) == ';')
		n++;
	if (peek(s, n) != 'K' &&
	    (peek(s, n) != 'm' || (!n && (peek(s, 1) != '[' || peek(s, 2) != 'K'))))
		return false;
	skip(s, n + 1);
	return true;
}

/* Returns what a CR that was read is: the end of a line, the end of a part of one, or nothing. */
static char carriage_return(struct source *s)
{
	size_t n = 0;

	if (s->cr_ends)
		return '\n';
	while (peek(s, n) == '\r')
		n++;
	if (peek(s, n) == '\n') {
		skip(s, n);
		return 0;
	}
	return TEXT_SPLIT;
}

/*
 * Skips the tag of HTML that begins behind a <. Returns false if none does, else sets *splits: the
 * tag ends a line.
 */
static bool skip_tag(struct source *s, bool *splits)
{
	static const char *const ends[] = {
		"br", "p", "/p", "div", "/div", "tr", "/tr", "li", "/li"
	};
	char name[8] = "";
	size_t n = 0, length = 0;
	unsigned int c;

	*splits = false;
	for (; (c = peek(s, n)) != '>'; n++) {
		if (n == TAG_MAX || c < ' ' || c == '<')
			return false;
		if (length == n && n < sizeof(name) - 1 && c < 0x80 && (c | 32) > ' ' && c != ' ')
			name[length++] = (char)(c | 32);
	}
	if (name[0] == '/' ? name[1] < 'a' || name[1] > 'z' : name[0] < 'a' || name[0] > 'z')
		return false;
	if (length > 2 && name[length - 1] == '/')
		name[length - 1] = '\0';
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		*splits = *splits || !strcmp(name, ends[i]);
	skip(s, n + 1);
	return true;
}

/* Reads the rest of a name or number of HTML for a character, behind &. Returns 0 if it is none. */
static unsigned int html_name(struct source *s)
{
	static const struct {
		const char *name;
		char c;
	} names[] = {
		{ "lt;", '<' }, { "gt;", '>' }, { "amp;", '&' }, { "quot;", '"' }, { "nbsp;", ' ' }
	};
	unsigned int number = 0;
	size_t n = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (n = 0; names[i].name[n] && peek(s, n) == (unsigned char)names[i].name[n];)
			n++;
		if (!names[i].name[n]) {
			skip(s, n);
			return (unsigned char)names[i].c;
		}
	}
	for (n = 1; n <= 5 && peek(s, n) >= '0' && peek(s, n) <= '9'; n++)
		number = number * 10 + peek(s, n) - '0';
	if (peek(s, 0) != '#' || peek(s, n) != ';' || number < ' ' || number == 0x7f)
		return 0;
	skip(s, n + 1);
	return number;
}

/* Finds out what the bytes are, and skips a byte order mark. */
static void detect(struct source *s)
{
	size_t size = (size_t)(s->end - s->at), zeros[2] = { 0, 0 };
	size_t looked = size < 4096 ? size & ~(size_t)1 : 4096;

	for (size_t i = 0; i < looked; i++)
		zeros[i & 1] += !s->at[i];
	if (size >= 2 &&
	    ((s->at[0] == 0xff && s->at[1] == 0xfe) || (s->at[0] == 0xfe && s->at[1] == 0xff))) {
		s->unit = 2;
		s->big_endian = s->at[0] == 0xfe;
		s->at += 2;
	} else if (looked && zeros[1] > looked / 4 && zeros[0] < looked / 32 + 1) {
		s->unit = 2;
	} else if (looked && zeros[0] > looked / 4 && zeros[1] < looked / 32 + 1) {
		s->unit = 2;
		s->big_endian = true;
	}
	if (s->unit == 2) {
		s->end -= (s->end - s->at) & 1;
		s->cr_ends = true;
		for (struct source all = *s; all.at < all.end; skip(&all, 1))
			s->cr_ends = s->cr_ends && peek(&all, 0) != '\n';
		return;
	}
	s->cr_ends = !memchr(s->at, '\n', size);
	if (size >= 3 && !memcmp(s->at, "\xef\xbb\xbf", 3))
		s->at += 3;
}

bool text_clean(struct text *text, const void *bytes, size_t size)
{
	struct source s = { bytes, (const unsigned char *)bytes + size, 1, false, false };

	*text = (struct text){ .bytes = malloc(size + 1), .size = 1 };
	if (!text->bytes)
		return false;
	if (size)
		detect(&s);
	text->bytes[0] = '\n';
	while (s.at < s.end) {
		bool split;
		unsigned int c = next_unescaped(&s, &split);
		unsigned int named = c == '&' ? html_name(&s) : 0;
		char out = plain(named ? named : c);

		if (split) {
			out = TEXT_SPLIT;
		} else if (c == ESC) {
			skip_sequence(&s);
			out = 0;
		} else if (c == '[' && skip_colour(&s)) {
			out = 0;
		} else if (c == '<' && skip_tag(&s, &split)) {
			out = split ? TEXT_SPLIT : 0;
		} else if (c == '\r') {
			out = carriage_return(&s);
		} else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
			text->strange++;
			out = 0;
		}
		if (out)
			text->bytes[text->size++] = out;
	}
	return true;
}

struct lines text_lines(const struct text *text)
{
	return (struct lines){ text->bytes + 1, text->bytes + text->size, 0 };
}

bool text_next(struct lines *lines, struct cursor *line)
{
	const char *end = lines->at;

	if (lines->at == lines->end)
		return false;
	while (end < lines->end && *end != '\n' && *end != TEXT_SPLIT)
		end++;
	*line = (struct cursor){ lines->at, end };
	lines->number += lines->at[-1] == '\n';
	lines->at = end < lines->end ? end + 1 : end;
	return true;
}
