/*
 * scan.c: see scan.h.
 */
#include "tools/replay/scan.h"

#include <ctype.h>
#include <string.h>

static bool is_alnum(char c)
{
	return isalnum((unsigned char)c);
}

void scan_blanks(struct cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t'))
		c->at++;
}

bool scan_end(struct cursor *c)
{
	scan_blanks(c);
	return c->at == c->end;
}

bool scan_text(struct cursor *c, const char *text)
{
	struct cursor ahead = *c;
	size_t n = strlen(text);

	scan_blanks(&ahead);
	if ((size_t)(ahead.end - ahead.at) < n || strncasecmp(ahead.at, text, n) != 0)
		return false;
	c->at = ahead.at + n;
	return true;
}

bool scan_word(struct cursor *c, const char *text)
{
	struct cursor ahead = *c;

	if (!scan_text(&ahead, text) || (ahead.at < ahead.end && is_alnum(*ahead.at)))
		return false;
	*c = ahead;
	return true;
}

unsigned int scan_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a' + 10) : 99;
}

size_t scan_hex_digits(const struct cursor *c)
{
	const char *at = c->at;

	while (at < c->end && scan_digit(*at) < 16)
		at++;
	return (size_t)(at - c->at);
}

bool scan_number(struct cursor *c, unsigned int base, uint64_t *value)
{
	struct cursor ahead = *c;
	const char *first;

	scan_blanks(&ahead);
	if (ahead.end - ahead.at > 2 && ahead.at[0] == '0' && (ahead.at[1] | 32) == 'x') {
		base = 16;
		ahead.at += 2;
	}
	first = ahead.at;
	*value = 0;
	for (; ahead.at < ahead.end && scan_digit(*ahead.at) < base; ahead.at++) {
		if (*value > (UINT64_MAX - scan_digit(*ahead.at)) / base)
			return false;
		*value = *value * base + scan_digit(*ahead.at);
	}
	if (ahead.at == first || (ahead.at < ahead.end && is_alnum(*ahead.at)))
		return false;
	*c = ahead;
	return true;
}

bool scan_number32(struct cursor *c, unsigned int base, uint32_t *value)
{
	struct cursor ahead = *c;
	uint64_t wide;

	if (!scan_number(&ahead, base, &wide) || wide > UINT32_MAX)
		return false;
	*value = (uint32_t)wide;
	*c = ahead;
	return true;
}

const char *scan_find(const struct cursor *c, const char *text)
{
	size_t n = strlen(text);

	for (const char *at = c->at; (size_t)(c->end - at) >= n; at++)
		if ((*at | 32) == (*text | 32) && !strncasecmp(at, text, n))
			return at;
	return NULL;
}

bool scan_ends_with(const char *begin, const char *at, const char *text)
{
	size_t n = strlen(text);

	while (at > begin && (at[-1] == ' ' || at[-1] == '\t' || at[-1] == '*' || at[-1] == '`'))
		at--;
	if ((size_t)(at - begin) < n || strncasecmp(at - n, text, n) != 0)
		return false;
	return at - n == begin || !is_alnum(at[-(ptrdiff_t)n - 1]);
}
