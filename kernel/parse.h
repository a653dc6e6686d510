/*
 * parse.h: numbers in text, as Linux's memparse() reads them.
 *
 * Decimal, 0x hexadecimal, 0 octal; then one of K M G T P E (or in lower case), a power of 1024.
 * Nothing here reads beyond the text's end or wraps: what does not fit in 64 bits is no number.
 */
#ifndef KERNEL_PARSE_H
#define KERNEL_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/* Reads a number at text; returns what follows it, or null when there is none. */
const char *parse_size(const char *text, uint64_t *value);

/* The same, when text is a number and nothing else; false and *value unchanged otherwise. */
bool parse_number(const char *text, uint64_t *value);

#endif
