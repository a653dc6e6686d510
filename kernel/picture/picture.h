/*
 * picture.h: the picture of memory as a command has it: printed once, or on the screens with keys.
 */
#ifndef KERNEL_PICTURE_PICTURE_H
#define KERNEL_PICTURE_PICTURE_H

#include "kernel/picture/screen.h"

/*
 * Prints the picture as lines of text, of 79 columns at most: the cursor in the cell with the frame
 * pfn, cells of 2^order frames (PICTURE_WHOLE: the whole machine), below it words, or where that is
 * NULL what lies under the cursor.
 */
void picture_print(pfn_t pfn, unsigned int order, const struct picture_words *words);

/* Takes the screens over until picture_end(). pfn and order are as in picture_print(). */
void picture_begin(pfn_t pfn, unsigned int order);

/* Gives the screens back to lines of text. */
void picture_end(void);

/* Shows memory as it is now, with words as in picture_print(). */
void picture_draw(const struct picture_words *words);

/* Moves or zooms as the key says. Returns false when it is one of those that leave. */
bool picture_key(int key);

#endif
