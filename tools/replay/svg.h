/*
 * svg.h: writes the few SVG elements of which a picture is made to standard output.
 */
#ifndef TOOLS_REPLAY_SVG_H
#define TOOLS_REPLAY_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SVG_WORDS 64 /* bytes for a label, the terminating 0 included */

/* Sizes of fonts, in units of the picture; the style sheet of the picture gives the same ones. */
#define SVG_LABEL 12
#define SVG_LINE  13
#define SVG_TITLE 20

/* While silent, nothing is printed: so that a caller can find out how high a picture becomes. */
void svg_silence(bool quiet);

/* Prints markup, as printf() does. */
__attribute__((format(printf, 1, 2))) void svg_print(const char *fmt, ...);

/*
 * Prints text, which may hold anything, so that XML allows it: special characters are escaped, and
 * characters that are not printable ASCII become "?".
 */
void svg_print_escaped(const char *text);

/*
 * Prints a text, escaped, in lines of at most width that begin at x; y is where the first line's
 * top is. Lines are broken at spaces, and within a word that is longer than a line. size is that of
 * the font that class has. Returns where the last line ends.
 */
__attribute__((format(printf, 6, 7))) int svg_paragraph(int x, int y, int width, const char *class,
							int size, const char *fmt, ...);

/*
 * Prints one label of many, of size SVG_LABEL; y is its middle, and x too, unless the style of
 * class says otherwise. class may be NULL. Labels of one x and class that are printed one after
 * another are put into one group, which keeps the file small; classes are compared as pointers.
 * Nothing is escaped.
 */
void svg_label(int x, int y, const char *class, const char *words);

/* Writes a size in bytes as "639 KiB" or "1.9 GiB", rounded down. */
void svg_bytes(char words[SVG_WORDS], uint64_t size);

/* Writes the size of the range first to last, both inclusive, as svg_bytes() does. */
void svg_size(char words[SVG_WORDS], uint64_t first, uint64_t last);

/* Writes a range as "[mem 0x100000-0x1fffff] 1 MiB", or "[mem 0x0, empty]" when it has no bytes. */
void svg_range(char words[SVG_WORDS], uint64_t first, uint64_t last, bool empty);

/* Returns the width of words in a font of that size, or more: other fonts are narrower. */
int svg_width(const char *words, int size);

#endif
