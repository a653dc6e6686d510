#include "kernel/parse.h"

#include <stddef.h>

#include "lib/string.h"

/* Returns the value of a digit of any base up to 16, or UINT32_MAX for another character. */
static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return UINT32_MAX;
}

/* Sets base from the prefix of the number at text. Returns where its digits begin. */
static const char *parse_prefix(const char *text, unsigned *base)
{
	*base = 10;
	if (text[0] != '0')
		return text;
	*base = 8;
	if ((text[1] != 'x' && text[1] != 'X') || digit_of(text[2]) > 15)
		return text;
	*base = 16;
	return text + 2;
}

/* Returns by how many bits the suffix c shifts the number, or 0 if c is no suffix. */
static unsigned suffix_shift(char c)
{
	static const char suffixes[] = "KMGTPE";
	const char *at = c ? strchr(suffixes, c >= 'a' ? c - 'a' + 'A' : c) : NULL;

	return at ? 10 * (unsigned)(at - suffixes + 1) : 0;
}

const char *parse_size(const char *text, uint64_t *value)
{
	unsigned base, shift;
	const char *digits = parse_prefix(text, &base);
	const char *at = digits;
	uint64_t number = 0;

	for (; digit_of(*at) < base; at++)
		if (__builtin_mul_overflow(number, base, &number) ||
		    __builtin_add_overflow(number, digit_of(*at), &number))
			return NULL;
	shift = suffix_shift(*at);
	if (at == digits || number << shift >> shift != number)
		return NULL;
	*value = number << shift;
	return shift ? at + 1 : at;
}

bool parse_number(const char *text, uint64_t *value)
{
	uint64_t number;
	const char *end = parse_size(text, &number);

	if (!end || *end)
		return false;
	*value = number;
	return true;
}
