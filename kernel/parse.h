/*
 * parse.h: numbers in text, as Linux's memparse() reads them.
 *
 * A number is decimal, hexadecimal after 0x, or octal after 0. One of the letters K M G T P E, in
 * upper or lower case, may follow and multiplies it by a power of 1024. A number that does not fit
 * in 64 bits is refused.
 */
#ifndef KERNEL_PARSE_H
#define KERNEL_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads the number at the beginning of text into *value. Returns the text that follows the number,
 * or null if there is no number; *value is then unchanged.
 */
const char *parse_size(const char *text, uint64_t *value);

/*
 * Reads text, which must be a number and nothing else, into *value. Returns false, with *value
 * unchanged, if it is not.
 */
bool parse_number(const char *text, uint64_t *value);

#endif
