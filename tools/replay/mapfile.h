/*
 * mapfile.h: reading somebody else's memory map: a map file, or what Linux logged.
 *
 *   0x0 0x9f800 1                                    start length type [attributes]; # comments
 *   BIOS-e820: [mem 0x0000000000000000-0x000000000009f7ff] usable    since 3.4, end inclusive
 *   BIOS-e820: 0000000000000000 - 000000000009f800 (usable)          2.4 to 3.3, end exclusive
 *   BIOS-e820: 000000000009f800 @ 0000000000000000 (usable)          before 2.4.4, size @ start
 *
 * If any line holds "BIOS-e820:", the text is a log: other lines of it are passed over, whatever
 * stands before the word (time stamps, a host's name) too.
 */
#ifndef TOOLS_REPLAY_MAPFILE_H
#define TOOLS_REPLAY_MAPFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "include/e820.h"

struct mapfile {
	uint32_t nr;
	struct e820_entry entries[E820_MAX_RAW];
	unsigned int line; /* of the error; 0: of the whole file */
	const char *error; /* in words */
};

/* text: size bytes, anything at all. 0, or -1 with line and error set. */
int mapfile_parse(struct mapfile *map, const char *text, size_t size);

/* The map of a file of at most 64 KiB. */
bool mapfile_read(struct mapfile *map, const char *name);

#endif
