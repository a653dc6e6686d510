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

/* Finds the screens and clears them. */
void draw_begin(void);

/* Clears them and gives them back to lines of text. */
void draw_end(void);

/* Takes the size that the terminal has answered: what it shows is drawn anew next time. */
void draw_resize(unsigned int columns, unsigned int rows);

/* Gives screen the size of screen number nr, from 0 on. Returns false when there is none. */
bool draw_size(size_t nr, struct screen *screen);

/* Shows screen on screen number nr, and puts the terminal's own cursor where the picture's is. */
void draw_screen(size_t nr, const struct screen *screen);

#endif
