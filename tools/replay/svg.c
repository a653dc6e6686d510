#include "tools/replay/svg.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/format.h"

static bool silent;

/* The group to which labels are added. */
static struct {
	bool open;
	int x;
	const char *class;
} group;

void svg_silence(bool quiet)
{
	silent = quiet;
}

static void close_group(void)
{
	if (group.open)
		printf("</g>\n");
	group.open = false;
}

static void open_group(int x, const char *class)
{
	if (group.open && group.x == x && group.class == class)
		return;
	close_group();
	printf("<g");
	if (class)
		printf(" class=\"%s\"", class);
	printf(" transform=\"translate(%d 0)\">\n", x);
	group.open = true;
	group.x = x;
	group.class = class;
}

void svg_print(const char *fmt, ...)
{
	va_list ap;

	if (silent)
		return;
	close_group();
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}

static void print_characters(const char *text, size_t nr)
{
	for (; nr; nr--, text++) {
		if (*text == '<' || *text == '>' || *text == '&' || *text == '"')
			printf("&#%d;", *text);
		else
			putchar(*text < ' ' || *text > '~' ? '?' : *text);
	}
}

void svg_print_escaped(const char *text)
{
	if (!silent)
		print_characters(text, strlen(text));
}

/*
 * The widths of the characters from " " to "~" in hundredths of the font's size, as DejaVu Sans has
 * them, which is the widest of the usual fonts.
 */
static const uint8_t widths[] = {
	/* clang-format off */
	32, 41, 46, 84, 64, 95, 78, 28, 39, 39, 50, 84, 32, 37, 32, 34,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 54,
	100, 69, 69, 70, 77, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75, 79,
	61, 79, 70, 64, 62, 74, 69, 99, 69, 62, 69, 39, 34, 39, 84, 50,
	50, 62, 64, 55, 64, 62, 36, 64, 64, 28, 28, 58, 28, 98, 64, 62,
	64, 64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84,
	/* clang-format on */
};

/* Returns the width of a character; those outside of the table are printed as "?". */
static int hundredths(char c)
{
	return widths[(c < ' ' || c > '~' ? '?' : c) - ' '];
}

/* Returns the number of characters of text that a line of the width holds: all, or whole words. */
static size_t line_length(const char *text, int size, int width)
{
	size_t words = 0, nr = 0;

	for (int used = 0; text[nr]; nr++) {
		used += hundredths(text[nr]);
		if (nr && used * size > width * 100)
			return words ? words : nr;
		if (text[nr] == ' ')
			words = nr;
	}
	return nr;
}

int svg_paragraph(int x, int y, int width, const char *class, int size, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	svg_print("<text class=\"%s\">", class);
	for (const char *line = text; *line;) {
		size_t nr = line_length(line, size, width);

		if (!silent) {
			printf("<tspan x=\"%d\" y=\"%d\">", x, y + size);
			print_characters(line, nr);
			printf("</tspan>%s", line[nr] == ' ' ? " " : "");
		}
		line += nr + (line[nr] == ' ');
		y += size + 4;
	}
	svg_print("</text>\n");
	return y;
}

void svg_label(int x, int y, const char *class, const char *words)
{
	if (silent)
		return;
	open_group(x, class);
	printf("<text y=\"%d\">%s</text>\n", y + 4, words);
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

int svg_width(const char *words, int size)
{
	int width = 0;

	for (; *words; words++)
		width += hundredths(*words);
	return (width * size + 99) / 100;
}
