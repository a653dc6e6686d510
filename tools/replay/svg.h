/*
 * svg.h: the few elements that a picture is made of, written to standard output.
 */
#ifndef TOOLS_REPLAY_SVG_H
#define TOOLS_REPLAY_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SVG_WORDS     64 /* room for a label */
#define SVG_CHARACTER 6  /* width of one, at most, in the labels' size */

__attribute__((format(printf, 1, 2))) void svg_print(const char *fmt, ...);

/* Anything at all, as XML may hold it: the few special characters escaped, what is not ASCII a ?.
 */
void svg_print_escaped(const char *text);

/* At its middle, unless the class says else; class: NULL for none. */
__attribute__((format(printf, 4, 5))) void svg_text(int x, int y, const char *class,
						    const char *fmt, ...);

/*
 * One of many: those with the same y and class, a string constant, that follow each other are a
 * group. Nothing is escaped.
 */
void svg_words(int x, int y, const char *class, const char *words);
void svg_upright(int x, int y, const char *class, const char *words); /* read from below */

/* "639 KiB", "1.9 GiB": never more than it is. */
void svg_bytes(char words[SVG_WORDS], uint64_t size);

/* Of first .. last. */
void svg_size(char words[SVG_WORDS], uint64_t first, uint64_t last);

/* "[mem 0x100000-0x1fffff] 1 MiB", "[mem 0x0, empty]". */
void svg_range(char words[SVG_WORDS], uint64_t first, uint64_t last, bool empty);

/* Pixels of a label, a little air beside it included. */
int svg_width(const char *words);

#endif
