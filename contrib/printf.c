/* SPDX-License-Identifier: MIT */
#include "contrib/printf.h"

#include <stdbool.h>
#include <stdint.h>

#define MAX_DIGITS 20 /* of 2^64 - 1 in decimal */

/* Where the text goes, and the arguments that are not printed yet. */
struct printing {
	void (*put)(void *to, char c);
	void *to;
	int length; /* of the text so far */
	va_list ap;
};

/* A conversion, without its letter. */
struct spec {
	bool zero, prefix;  /* the flags 0 and # */
	unsigned int width; /* 0: none */
	unsigned int longs; /* how many l */
};

static void put(struct printing *p, char c)
{
	p->put(p->to, c);
	p->length++;
}

/* Returns the address of the text's end. */
static const char *put_text(struct printing *p, const char *text)
{
	while (*text)
		put(p, *text++);
	return text;
}

static void put_repeated(struct printing *p, char c, unsigned int nr)
{
	while (nr--)
		put(p, c);
}

static void put_number(struct printing *p, const struct spec *spec, uint64_t value,
		       unsigned int base, const char *prefix)
{
	char digits[MAX_DIGITS];
	unsigned int nr = 0, length = 0, blanks;

	do {
		digits[nr++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (prefix[length])
		length++;
	blanks = spec->width > nr + length ? spec->width - nr - length : 0;
	if (!spec->zero)
		put_repeated(p, ' ', blanks);
	put_text(p, prefix);
	if (spec->zero)
		put_repeated(p, '0', blanks);
	while (nr)
		put(p, digits[--nr]);
}

static int64_t next_signed(struct printing *p, unsigned int longs)
{
	return longs ? va_arg(p->ap, long) : va_arg(p->ap, int);
}

static uint64_t next_unsigned(struct printing *p, unsigned int longs)
{
	return longs ? va_arg(p->ap, unsigned long) : va_arg(p->ap, unsigned int);
}

_Static_assert(sizeof(long) == sizeof(long long), "a processor that mm/ supports: 64-bit");

/* Prints the next argument as the letter says. Returns false if it is not one that is known. */
static bool convert(struct printing *p, const struct spec *spec, char letter)
{
	int64_t number;
	uint64_t value;
	const char *text;

	switch (letter) {
	case '%':
		put(p, '%');
		return true;
	case 's':
		text = va_arg(p->ap, const char *);
		put_text(p, text ? text : "(null)");
		return true;
	case 'd':
		number = next_signed(p, spec->longs);
		value = number < 0 ? -(uint64_t)number : (uint64_t)number;
		put_number(p, spec, value, 10, number < 0 ? "-" : "");
		return true;
	case 'u':
		put_number(p, spec, next_unsigned(p, spec->longs), 10, "");
		return true;
	case 'x':
		value = next_unsigned(p, spec->longs);
		put_number(p, spec, value, 16, spec->prefix && value ? "0x" : "");
		return true;
	default:
		return false;
	}
}

/*
 * Prints the conversion that fmt, after its percent sign, begins with. Returns the address of what
 * follows it. Of a conversion that is not known it prints the text, and all that follows: its
 * argument may be there, so that the next conversion would take that for its own.
 */
static const char *print_conversion(struct printing *p, const char *fmt)
{
	const char *begin = fmt;
	struct spec spec = { 0 };

	for (; *fmt == '0' || *fmt == '#'; fmt++) {
		spec.zero |= *fmt == '0';
		spec.prefix |= *fmt == '#';
	}
	for (; *fmt >= '0' && *fmt <= '9'; fmt++)
		spec.width = spec.width * 10 + (unsigned int)(*fmt - '0');
	for (; *fmt == 'l' && spec.longs < 2; fmt++)
		spec.longs++;
	if (((*fmt == 's' || *fmt == '%') && fmt != begin) || !convert(p, &spec, *fmt)) {
		put(p, '%');
		return put_text(p, begin);
	}
	return fmt + 1;
}

int vprint_to(void (*put_char)(void *to, char c), void *to, const char *fmt, va_list ap)
{
	struct printing p = { .put = put_char, .to = to };

	va_copy(p.ap, ap);
	while (*fmt) {
		if (*fmt == '%')
			fmt = print_conversion(&p, fmt + 1);
		else
			put(&p, *fmt++);
	}
	va_end(p.ap);
	return p.length;
}

/* The rest of a buffer; its last byte stays free. */
struct buffer {
	char *next, *last;
};

static void put_in_buffer(void *to, char c)
{
	struct buffer *buffer = to;

	if (buffer->next < buffer->last)
		*buffer->next++ = c;
}

int vprint_text(char *text, size_t size, const char *fmt, va_list ap)
{
	struct buffer buffer = { text, text + size - 1 };
	int length = vprint_to(put_in_buffer, &buffer, fmt, ap);

	*buffer.next = '\0';
	return length;
}

int print_text(char *text, size_t size, const char *fmt, ...)
{
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = vprint_text(text, size, fmt, ap);
	va_end(ap);
	return length;
}
