/*
 * draw.h: the picture of memory on every screen that the machine has, each in its own size.
 *
 * What a screen shows is remembered; only cells that differ are sent, as ANSI sequences, which the
 * VGA console understands as a terminal does. A terminal on the serial line is asked for its size;
 * its answer comes as KEY_REPORT, whenever it comes, and until then it has 80 x 24.
 */
#ifndef KERNEL_PICTURE_DRAW_H
#define KERNEL_PICTURE_DRAW_H

#include <stddef.h>

#include "kernel/picture/screen.h"

#define DRAW_MAX_SCREENS 2 /* at most: a serial terminal and the VGA card */

/* Takes the screens over: clears them. */
void draw_begin(void);

/* Clears them and gives them back to lines of text. */
void draw_end(void);

/* The answer of the terminal. What it shows is drawn anew next time. */
void draw_resize(unsigned int columns, unsigned int rows);

/* Screens 0, 1, … to draw for: gives screen the size. False when there is no such. */
bool draw_size(size_t nr, struct screen *screen);

/* Shows it on this one, the terminal's own cursor where the picture's is. */
void draw_screen(size_t nr, const struct screen *screen);

#endif
