/*
 * progress.h: the text of a progress code (include/progress.h).
 */
#ifndef FIRSTPAGE_LIB_PROGRESS_H
#define FIRSTPAGE_LIB_PROGRESS_H

#include "include/progress.h"

/* Returns a code's text, such as "FAT partition", or "no step" for any other number. */
const char *progress_text(enum progress code);

#endif
