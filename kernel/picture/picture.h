/*
 * picture.h: the picture of memory as a command has it: printed once, or on the screens with keys.
 */
#ifndef KERNEL_PICTURE_PICTURE_H
#define KERNEL_PICTURE_PICTURE_H

#include "kernel/picture/screen.h"

/*
 * Prints it as lines of text, 79 columns at most; the cursor in the cell with pfn, cells of this
 * order (PICTURE_WHOLE: the whole machine). words NULL: what lies under the cursor.
 */
void picture_print(pfn_t pfn, unsigned int order, const struct picture_words *words);

/* Takes the screens over until picture_end(). */
void picture_begin(pfn_t pfn, unsigned int order);
void picture_end(void);

/* Shows it as it is now. */
void picture_draw(const struct picture_words *words);

/* A key moves or zooms; false when it says to leave. */
bool picture_key(int key);

#endif
