#include "tools/replay/svg.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/format.h"

/* The group to which labels are added; `at` is their y. */
static struct {
	bool open;
	enum svg_direction direction;
	int at;
	const char *class;
} line;

static void close_line(void)
{
	if (line.open)
		printf("</g>\n");
	line.open = false;
}

static void print_class(const char *class)
{
	if (class)
		printf(" class=\"%s\"", class);
}

static void open_line(int at, enum svg_direction direction, const char *class)
{
	if (line.open && line.at == at && line.direction == direction && line.class == class)
		return;
	close_line();
	printf("<g");
	print_class(class);
	printf(" transform=\"translate(0 %d)%s\">\n", at,
	       direction == SVG_UPRIGHT ? "rotate(-90)" : "");
	line.open = true;
	line.at = at;
	line.direction = direction;
	line.class = class;
}

void svg_print(const char *fmt, ...)
{
	va_list ap;

	close_line();
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}

void svg_print_escaped(const char *text)
{
	for (; *text; text++) {
		if (*text == '<' || *text == '>' || *text == '&' || *text == '"')
			printf("&#%d;", *text);
		else
			putchar(*text < ' ' || *text > '~' ? '?' : *text);
	}
}

void svg_text(int x, int y, const char *class, const char *fmt, ...)
{
	char words[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	close_line();
	printf("<text");
	print_class(class);
	printf(" x=\"%d\" y=\"%d\">", x, y);
	svg_print_escaped(words);
	printf("</text>\n");
}

void svg_words(int x, int y, const char *class, const char *words)
{
	open_line(y, SVG_HORIZONTAL, class);
	printf("<text x=\"%d\">%s</text>\n", x, words);
}

void svg_upright(int x, int y, const char *class, const char *words)
{
	open_line(y, SVG_UPRIGHT, class);
	printf("<text y=\"%d\">%s</text>\n", x + SVG_CHARACTER / 2, words);
}

void svg_bytes(char words[SVG_WORDS], uint64_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned int unit = size ? (63 - (unsigned int)__builtin_clzll(size)) / 10 : 0;
	unsigned long long whole = size >> unit * 10;
	unsigned long long tenth = ((size - (whole << unit * 10)) * 10) >> unit * 10;

	if (whole >= 100 || !tenth)
		snprintf(words, SVG_WORDS, "%llu %s", whole, units[unit]);
	else
		snprintf(words, SVG_WORDS, "%llu.%llu %s", whole, tenth, units[unit]);
}

void svg_size(char words[SVG_WORDS], uint64_t first, uint64_t last)
{
	if (last - first == UINT64_MAX)
		snprintf(words, SVG_WORDS, "16 EiB");
	else
		svg_bytes(words, last - first + 1);
}

void svg_range(char words[SVG_WORDS], uint64_t first, uint64_t last, bool empty)
{
	char size[SVG_WORDS];
	int used = snprintf(words, SVG_WORDS, "[mem 0x%llx", ULL(first));

	svg_size(size, first, last);
	if (empty)
		snprintf(words + used, SVG_WORDS - (size_t)used, ", empty]");
	else
		snprintf(words + used, SVG_WORDS - (size_t)used, "-0x%llx] %.12s", ULL(last), size);
}

int svg_width(const char *words)
{
	return (int)strlen(words) * SVG_CHARACTER + 4;
}
