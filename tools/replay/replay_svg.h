/*
 * replay_svg.h: a memory map as a picture.
 */
#ifndef TOOLS_REPLAY_REPLAY_SVG_H
#define TOOLS_REPLAY_REPLAY_SVG_H

#include "lib/e820.h"
#include "tools/replay/mapfile.h"

/*
 * Prints an SVG of what the last sim_boot() saw and made of it: the map as given and corrected,
 * zones, reserved memory, free blocks. failure: why there is no allocator, in words: then the maps
 * alone; NULL: there is one.
 */
void replay_svg(const char *name, const struct mapfile *map, const struct e820_taken *kernel,
		const char *failure);

#endif
