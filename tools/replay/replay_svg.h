/*
 * replay_svg.h: draws a memory map as a picture.
 */
#ifndef TOOLS_REPLAY_REPLAY_SVG_H
#define TOOLS_REPLAY_REPLAY_SVG_H

#include "lib/e820.h"
#include "tools/replay/mapfile.h"

/*
 * Prints an SVG picture of the last sim_boot() on standard output: the map as given and as
 * corrected, the zones, reserved memory and free blocks. name is the map's file, "-" for standard
 * input; kernel is where the kernel's image was placed. failure says in words why the boot failed:
 * the picture then shows the maps alone, and kernel is NULL. failure is NULL when it did not fail.
 */
void replay_svg(const char *name, const struct mapfile *map, const struct e820_taken *kernel,
		const char *failure);

#endif
