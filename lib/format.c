/*
 * format.c: see format.h. A conversion specification is parsed into struct spec. Digits are made
 * from the last to the first in a small buffer; emit_field() adds prefix, zeros and padding:
 *
 *	|<----------------- width ----------------->|
 *	  blanks   prefix   zeros   digits   blanks
 *	                  |<- precision ->|
 *
 * This is compiled as 32-bit code too, without the compiler's helpers for 64-bit division: see
 * divide_by_10().
 */
#include "lib/format.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/string.h"

#define MAX_DIGITS 20 /* 2^64 - 1 in decimal */

/* Where the text goes. */
struct sink {
	char *buf;
	size_t size;
	size_t length; /* of the whole text, even of what did not fit */
};

/* A parsed conversion specification. */
struct spec {
	bool left, zero, prefix; /* the flags -, 0 and # */
	bool has_precision;
	size_t width, precision;
	unsigned bytes; /* size of an integer argument; 0: int */
	char conversion;
};

static void emit(struct sink *sink, char c)
{
	if (sink->length + 1 < sink->size)
		sink->buf[sink->length] = c;
	sink->length++;
}

static void emit_repeated(struct sink *sink, char c, size_t count)
{
	while (count-- > 0)
		emit(sink, c);
}

static void emit_text(struct sink *sink, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		emit(sink, text[i]);
}

static void emit_field(struct sink *sink, const struct spec *spec, const char *prefix, size_t zeros,
		       const char *body, size_t length)
{
	size_t used = strlen(prefix) + zeros + length;
	size_t blanks = spec->width > used ? spec->width - used : 0;

	if (!spec->left)
		emit_repeated(sink, ' ', blanks);
	emit_text(sink, prefix, strlen(prefix));
	emit_repeated(sink, '0', zeros);
	emit_text(sink, body, length);
	if (spec->left)
		emit_repeated(sink, ' ', blanks);
}

/*
 * Returns value / 10 and stores the remainder. This is long division: first the upper 32 bits, then
 * 16 bits at a time, so that each step divides a number below 10 * 2^16 and fits in 32 bits.
 */
static uint64_t divide_by_10(uint64_t value, unsigned *remainder)
{
	uint32_t high = (uint32_t)(value >> 32);
	uint32_t middle = (high % 10) << 16 | ((uint32_t)value >> 16);
	uint32_t low = (middle % 10) << 16 | ((uint32_t)value & 0xffff);

	*remainder = low % 10;
	return (uint64_t)(high / 10) << 32 | (uint64_t)(middle / 10) << 16 | low / 10;
}

/* Writes the digits of value backwards, the last one directly before end. Returns the address of
   the first digit. Zero has no digits. */
static char *make_digits(char *end, uint64_t value, char conversion)
{
	const char *digits = conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	bool decimal = conversion == 'd' || conversion == 'i' || conversion == 'u';
	unsigned digit;

	while (value) {
		if (decimal) {
			value = divide_by_10(value, &digit);
		} else {
			digit = (unsigned)value & 0xf;
			value >>= 4;
		}
		*--end = digits[digit];
	}
	return end;
}

static void format_number(struct sink *sink, const struct spec *spec, uint64_t value,
			  const char *prefix)
{
	char buffer[MAX_DIGITS];
	char *end = buffer + sizeof(buffer);
	char *begin = make_digits(end, value, spec->conversion);
	size_t length = (size_t)(end - begin);
	size_t minimum = spec->has_precision ? spec->precision : 1;
	size_t used = strlen(prefix) + length;

	/* The flag 0 is ignored with a precision or with the flag -. */
	if (spec->zero && !spec->left && !spec->has_precision && spec->width > used)
		minimum = spec->width - strlen(prefix);
	emit_field(sink, spec, prefix, minimum > length ? minimum - length : 0, begin, length);
}

static void format_signed(struct sink *sink, const struct spec *spec, int64_t value)
{
	if (value < 0)
		format_number(sink, spec, -(uint64_t)value, "-");
	else
		format_number(sink, spec, (uint64_t)value, "");
}

static void format_unsigned(struct sink *sink, const struct spec *spec, uint64_t value)
{
	const char *prefix = "";

	if (spec->conversion == 'p' || (spec->prefix && spec->conversion == 'x' && value))
		prefix = "0x";
	else if (spec->prefix && spec->conversion == 'X' && value)
		prefix = "0X";
	format_number(sink, spec, value, prefix);
}

static void format_string(struct sink *sink, const struct spec *spec, const char *text)
{
	size_t length = 0;

	if (!text)
		text = "(null)";
	/* A text with a precision need not be terminated, so no byte beyond that is read. */
	while ((!spec->has_precision || length < spec->precision) && text[length])
		length++;
	emit_field(sink, spec, "", 0, text, length);
}

static const char *parse_flags(const char *fmt, struct spec *spec)
{
	for (;; fmt++) {
		if (*fmt == '-')
			spec->left = true;
		else if (*fmt == '0')
			spec->zero = true;
		else if (*fmt == '#')
			spec->prefix = true;
		else
			return fmt;
	}
}

static const char *parse_number(const char *fmt, size_t *number)
{
	for (*number = 0; *fmt >= '0' && *fmt <= '9'; fmt++)
		*number = *number * 10 + (size_t)(*fmt - '0');
	return fmt;
}

static const char *parse_length(const char *fmt, struct spec *spec)
{
	switch (*fmt) {
	case 'h':
		spec->bytes = fmt[1] == 'h' ? sizeof(char) : sizeof(short);
		return fmt + (fmt[1] == 'h' ? 2 : 1);
	case 'l':
		spec->bytes = fmt[1] == 'l' ? sizeof(long long) : sizeof(long);
		return fmt + (fmt[1] == 'l' ? 2 : 1);
	case 'z':
		spec->bytes = sizeof(size_t);
		return fmt + 1;
	case 't':
		spec->bytes = sizeof(ptrdiff_t);
		return fmt + 1;
	default:
		return fmt;
	}
}

/* A va_list may be an array, whose address a function cannot pass on. In a struct it can. */
struct arguments {
	va_list ap;
};

static const char *parse_width(const char *fmt, struct spec *spec, struct arguments *args)
{
	ptrdiff_t width;

	if (*fmt != '*')
		return parse_number(fmt, &spec->width);
	width = va_arg(args->ap, int);
	spec->left = spec->left || width < 0;
	spec->width = (size_t)(width < 0 ? -width : width);
	return fmt + 1;
}

static const char *parse_precision(const char *fmt, struct spec *spec, struct arguments *args)
{
	int precision;

	if (*fmt != '.')
		return fmt;
	spec->has_precision = true;
	if (fmt[1] != '*')
		return parse_number(fmt + 1, &spec->precision);
	precision = va_arg(args->ap, int);
	spec->has_precision = precision >= 0; /* a negative one counts as none */
	spec->precision = (size_t)precision;
	return fmt + 2;
}

/* Returns the next argument. An argument that is shorter than int is passed as an int. */
static int64_t next_signed(const struct spec *spec, struct arguments *args)
{
	switch (spec->bytes) {
	case 8:
		return va_arg(args->ap, int64_t);
	case sizeof(short):
		return (short)va_arg(args->ap, int);
	case sizeof(char):
		return (signed char)va_arg(args->ap, int);
	default:
		return va_arg(args->ap, int);
	}
}

static uint64_t next_unsigned(const struct spec *spec, struct arguments *args)
{
	switch (spec->bytes) {
	case 8:
		return va_arg(args->ap, uint64_t);
	case sizeof(short):
		return (unsigned short)va_arg(args->ap, unsigned);
	case sizeof(char):
		return (unsigned char)va_arg(args->ap, unsigned);
	default:
		return va_arg(args->ap, unsigned);
	}
}

/* Formats one argument. Returns false if the conversion is not one of format.h's. */
static bool convert(struct sink *sink, const struct spec *spec, struct arguments *args)
{
	char c;

	switch (spec->conversion) {
	case 'c':
		c = (char)va_arg(args->ap, int);
		emit_field(sink, spec, "", 0, &c, 1);
		return true;
	case 's':
		format_string(sink, spec, va_arg(args->ap, const char *));
		return true;
	case 'd':
	case 'i':
		format_signed(sink, spec, next_signed(spec, args));
		return true;
	case 'u':
	case 'x':
	case 'X':
		format_unsigned(sink, spec, next_unsigned(spec, args));
		return true;
	case 'p':
		format_unsigned(sink, spec, (uintptr_t)va_arg(args->ap, void *));
		return true;
	case '%':
		emit(sink, '%');
		return true;
	default:
		return false;
	}
}

/* Formats one conversion. fmt points to the character after the percent sign. Returns the address
   of the text after the specification. */
static const char *format_one(struct sink *sink, const char *fmt, struct arguments *args)
{
	struct spec spec = { 0 };
	const char *begin = fmt - 1;

	fmt = parse_flags(fmt, &spec);
	fmt = parse_width(fmt, &spec, args);
	fmt = parse_precision(fmt, &spec, args);
	fmt = parse_length(fmt, &spec);
	spec.conversion = *fmt;
	if (spec.conversion)
		fmt++;
	if (!convert(sink, &spec, args))
		emit_text(sink, begin, (size_t)(fmt - begin));
	return fmt;
}

int fmt_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct sink sink = { buf, size, 0 };
	struct arguments args;

	va_copy(args.ap, ap);
	while (*fmt) {
		if (*fmt == '%')
			fmt = format_one(&sink, fmt + 1, &args);
		else
			emit(&sink, *fmt++);
	}
	va_end(args.ap);
	if (size)
		buf[sink.length < size ? sink.length : size - 1] = '\0';
	return (int)sink.length;
}

int fmt_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = fmt_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return length;
}
