/*
 * svg.h: writes the few SVG elements of which a picture is made to standard output.
 */
#ifndef TOOLS_REPLAY_SVG_H
#define TOOLS_REPLAY_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SVG_WORDS     64 /* bytes for a label, the terminating 0 included */
#define SVG_CHARACTER 6  /* pixels: the widest character of a label */

enum svg_direction { SVG_HORIZONTAL, SVG_UPRIGHT, NR_SVG_DIRECTIONS };

/* Prints markup, as printf() does. */
__attribute__((format(printf, 1, 2))) void svg_print(const char *fmt, ...);

/*
 * Prints text, which may hold anything, so that XML allows it: special characters are escaped, and
 * characters that are not printable ASCII become "?".
 */
void svg_print_escaped(const char *text);

/*
 * Prints a text, escaped, with its middle at x unless the style of class says otherwise; y is its
 * baseline. class may be NULL.
 */
__attribute__((format(printf, 4, 5))) void svg_text(int x, int y, const char *class,
						    const char *fmt, ...);

/*
 * Prints one label of many, horizontal or upright (read from below). Labels of one direction, y and
 * class that are printed one after another are put into one group, which keeps the file small;
 * classes are compared as pointers. Nothing is escaped.
 */
void svg_words(int x, int y, const char *class, const char *words);
void svg_upright(int x, int y, const char *class, const char *words);

/* Writes a size in bytes as "639 KiB" or "1.9 GiB", rounded down. */
void svg_bytes(char words[SVG_WORDS], uint64_t size);

/* Writes the size of the range first to last, both inclusive, as svg_bytes() does. */
void svg_size(char words[SVG_WORDS], uint64_t first, uint64_t last);

/* Writes a range as "[mem 0x100000-0x1fffff] 1 MiB", or "[mem 0x0, empty]" when it has no bytes. */
void svg_range(char words[SVG_WORDS], uint64_t first, uint64_t last, bool empty);

/* Returns the width of a label in pixels, with some space at its ends. */
int svg_width(const char *words);

#endif
