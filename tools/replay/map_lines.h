/*
 * map_lines.h: reads the lines of a map file, and writes one.
 *
 *   0x0 0x9f800 1            start length type [attributes]; # and the rest is a comment
 *   node 1 0x40000000 4096   node start length: this memory is node 1's
 *
 * Numbers are hexadecimal after 0x, else decimal.
 */
#ifndef TOOLS_REPLAY_MAP_LINES_H
#define TOOLS_REPLAY_MAP_LINES_H

#include <stdio.h>

#include "tools/replay/mapfile.h"
#include "tools/replay/scan.h"

/*
 * Returns whether a line looks as if its author meant a line of a map file: it begins with so many
 * numbers, 2 or 3, right or wrong.
 */
bool map_line_likely(const struct cursor *line, unsigned int numbers);

/*
 * Reads a line into map, as an entry or as a node line; nothing from an empty line or a comment.
 * Returns NULL, or what is wrong: words that are valid until the next call.
 */
const char *map_line_read(struct mapfile *map, struct cursor *line);

/* Writes map as a map file, with a comment that says where it comes from: source and its form. */
void map_lines_write(FILE *out, const struct mapfile *map, const char *source);

#endif
