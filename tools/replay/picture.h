/*
 * picture.h: what a picture of a memory map shows, and where.
 */
#ifndef TOOLS_REPLAY_PICTURE_H
#define TOOLS_REPLAY_PICTURE_H

#include "lib/e820.h"
#include "tools/replay/mapfile.h"
#include "tools/replay/scale.h"

#define PICTURE_WIDTH 1000
#define PICTURE_LEFT  84 /* of the scale: names stand before it */
#define PICTURE_RIGHT 984
#define PICTURE_HEAD  66
#define PICTURE_LINE  15

enum place { PLACE_KERNEL, PLACE_MEM_MAP };

/* The comments say what a span's `what` is. */
struct picture {
	struct spans given;     /* type; in the firmware's order */
	struct spans marks;     /* index of a correction */
	struct spans corrected; /* type */
	struct spans zones;     /* zone */
	struct spans reserved;  /* nothing; whole frames */
	struct spans places;    /* enum place; within reserved, the scale is not cut there */
	struct spans blocks;    /* order of the largest block */
	struct scale scale;
	bool booted; /* false: the maps are all there is */
};

extern struct picture picture;

/* From what the last sim_boot() left; kernel is NULL when it failed. */
void picture_collect(const struct mapfile *map, const struct e820_taken *kernel);

/* Decides the height of all panels, and returns where the last ends. */
int lanes_place(void);
void lanes_draw(const struct mapfile *map);

/* "U" for usable, …; "?" for what has no name. */
const char *picture_letter(uint32_t type);

/* Shades of free memory: blocks of less than 2 MiB, of less than 1 GiB, of 1 GiB. */
unsigned int picture_shade(uint32_t order);

#endif
