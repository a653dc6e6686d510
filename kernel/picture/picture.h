/*
 * picture.h: the picture of memory for commands: printed once, or on the screens and with keys.
 */
#ifndef KERNEL_PICTURE_PICTURE_H
#define KERNEL_PICTURE_PICTURE_H

#include "kernel/picture/screen.h"

/*
 * Prints the picture as lines of text, of 79 columns at most. A cell is 2^order frames; with
 * PICTURE_WHOLE the picture shows the whole machine. The part that is shown has the frame pfn in
 * it. words are printed below; if they are NULL, the cell with that frame is described there.
 */
void picture_print(pfn_t pfn, unsigned int order, const struct picture_words *words);

/* Takes the screens over until picture_end(). pfn and order are as in picture_print(). */
void picture_begin(pfn_t pfn, unsigned int order);

/* Gives the screens back to lines of text. */
void picture_end(void);

/*
 * Gives the screens back to lines of text, and leaves a last picture on them: memory as it is now,
 * with words as in picture_print(). It has fewer rows, so that some lines of text below it leave
 * all of it on the screen.
 */
void picture_leave(const struct picture_words *words);

/* Shows memory as it is now, with words as in picture_print(). */
void picture_draw(const struct picture_words *words);

/*
 * Adds and removes memory that was plugged, or is to be unplugged, and shows meanwhile which it is,
 * for half a second, with words as in picture_print(). Returns whether there was any: then the
 * picture is to be drawn anew.
 */
bool picture_poll(const struct picture_words *words);

/* Moves the cursor or zooms, by the meaning of key. Returns false if the key ends the picture. */
bool picture_key(int key);

#endif
