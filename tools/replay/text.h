/*
 * text.h: makes plain lines of text from whatever bytes people have a log in.
 *
 *   byte order marks, UTF-16 of either order with or without a mark
 *   CR LF and CR; a log that was escaped into one line: \n \r \t \" \u001b (JSON), \012 \x0a
 *   (systemd, printf), #012 #011 #033 (rsyslog)
 *   colours and other sequences of escape characters, colours that lost theirs, other control
 *   characters, NULs
 *   the tags of HTML, and its names for characters
 *   blanks, dashes and invisible characters of Unicode and of Windows that stand for plain ones
 */
#ifndef TOOLS_REPLAY_TEXT_H
#define TOOLS_REPLAY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/replay/scan.h"

/* Ends a line that is part of the line before it in the input: both have the same number there. */
#define TEXT_SPLIT '\v'

struct text {
	char *bytes; /* to be freed by the caller; ASCII, whose control characters are \t \n \v. The
			first is a \n that the input does not have, so that one is before every
			line. */
	size_t size;
	size_t strange; /* how many control characters there were that text does not have */
};

/* Makes *text from size bytes. Returns false when there is no memory for it. */
bool text_clean(struct text *text, const void *bytes, size_t size);

/* The lines of a text, one after the other. */
struct lines {
	const char *at;
	const char *end;
	unsigned int number; /* of the line that was read last, from 1 */
};

struct lines text_lines(const struct text *text);

/* Reads the next line. Returns false if there is none. */
bool text_next(struct lines *lines, struct cursor *line);

#endif
