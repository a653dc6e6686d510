/*
 * picture.h: what the picture of a memory map shows: lists of address ranges, collected from the
 * corrected map, memblock, the page tables and the zones, on one common scale.
 */
#ifndef TOOLS_REPLAY_PICTURE_H
#define TOOLS_REPLAY_PICTURE_H

#include "lib/e820.h"
#include "tools/replay/mapfile.h"
#include "tools/replay/scale.h"

/* In units of the picture, as everything that is drawn; a browser shows a unit as a pixel or less.
 */
#define PICTURE_LEAST_WIDTH 480
#define PICTURE_MARGIN      8
#define PICTURE_GAP         10 /* height between parts of the picture */

enum place { PLACE_KERNEL, PLACE_MEM_MAP };

/* The comments say what the field `what` of a span means in each list. */
struct picture {
	struct spans given;     /* E820 type; in the firmware's order */
	struct spans marks;     /* index of a correction */
	struct spans corrected; /* E820 type */
	struct spans nodes;     /* node; empty when there is one alone */
	struct spans zones;     /* number of a zone; several spans where zones interleave */
	struct spans reserved;  /* not used; memblock's reserved memory, in whole frames */
	struct spans places;    /* enum place; parts of reserved */
	struct spans blocks;    /* free ranges: order of the largest block in them */
	struct scale scale;
	int width;   /* of the whole picture; lanes_place() decides it */
	bool booted; /* false: only given, marks and corrected are filled */
};

extern struct picture picture;

/* Fills `picture` from map and from what the last sim_boot() left; kernel is NULL when it failed.
 */
void picture_collect(const struct mapfile *map, const struct e820_taken *kernel);

/* Decides how wide the lanes are, and the picture with them. */
void lanes_place(void);

/* Draws the lanes of map with their top at y, after lanes_place(). Returns the y at which they end.
 */
int lanes_draw(const struct mapfile *map, int y);

/* Returns the letter of an E820 type, such as "U" for usable; "?" when the type has no name. */
const char *picture_letter(uint32_t type);

/* Returns the name of a place, an enum place. */
const char *picture_place(uint32_t place);

/* Returns the shade of free memory by order: 0 below 2 MiB, 1 below 1 GiB, 2 for 1 GiB. */
unsigned int picture_shade(uint32_t order);

#endif
