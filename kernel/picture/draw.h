/*
 * draw.h: the picture of memory on every screen that the machine has, each in its own size.
 *
 * Only cells that differ from what a screen shows are sent, as ANSI sequences, which the VGA
 * console understands as a terminal does. A terminal on the serial line is asked for its size. It
 * counts as 80 x 24 until its answer is read, as KEY_REPORT of keys.h.
 */
#ifndef KERNEL_PICTURE_DRAW_H
#define KERNEL_PICTURE_DRAW_H

#include <stddef.h>

#include "kernel/picture/screen.h"

#define DRAW_MAX_SCREENS 2 /* at most: a serial terminal and the VGA card */

/* Finds the screens and clears them. */
void draw_begin(void);

/* Clears the screens and leaves them to lines of text. */
void draw_end(void);

/* Leaves the screens to lines of text, below what was shown last. */
void draw_leave(void);

/* Clears the screens, for the next pictures, of what others have written on them. */
void draw_again(void);

/* Sets the size of the terminal to what it has answered, and clears it. */
void draw_resize(unsigned int columns, unsigned int rows);

/* Sets the size of screen to that of screen number nr, from 0 on. Returns false if it is absent. */
bool draw_size(size_t nr, struct screen *screen);

/* Shows screen on screen number nr, and puts the terminal's own cursor where the picture's is. */
void draw_screen(size_t nr, const struct screen *screen);

#endif
