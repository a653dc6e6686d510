/*
 * scan.h: reads words and numbers from a piece of text, without reading beyond its end.
 *
 * Every function that reads something first skips blanks, and leaves the cursor where it was when
 * it does not find what it is asked for.
 */
#ifndef TOOLS_REPLAY_SCAN_H
#define TOOLS_REPLAY_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The part of a text that has not been read yet. */
struct cursor {
	const char *at;
	const char *end;
};

void scan_blanks(struct cursor *c);

/* Returns whether nothing but blanks is left. */
bool scan_end(struct cursor *c);

/* Reads these characters, in upper or lower case. */
bool scan_text(struct cursor *c, const char *text);

/* Reads text as scan_text() does, if no letter or digit follows that would make the word longer. */
bool scan_word(struct cursor *c, const char *text);

/* Returns the value of a hexadecimal digit, or 16 or more if c is none. */
unsigned int scan_digit(char c);

/* Returns how many hexadecimal digits stand at the cursor. */
size_t scan_hex_digits(const struct cursor *c);

/*
 * Reads a number: hexadecimal after 0x, else in the given base, 10 or 16. A number that needs more
 * than 64 bits is none, nor is one that a letter or a digit follows, as in "12ab" of base 10.
 */
bool scan_number(struct cursor *c, unsigned int base, uint64_t *value);

/* Reads a number of at most 32 bits. */
bool scan_number32(struct cursor *c, unsigned int base, uint32_t *value);

/* Returns where text begins in c, in upper or lower case, or NULL. */
const char *scan_find(const struct cursor *c, const char *text);

/*
 * Returns whether what stands before `at` ends with text, and is not the end of a longer word.
 * Blanks and Markdown's signs may stand between.
 */
bool scan_ends_with(const char *begin, const char *at, const char *text);

#endif
