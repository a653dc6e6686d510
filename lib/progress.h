/*
 * progress.h: the words for a progress code.
 */
#ifndef FIRSTPAGE_LIB_PROGRESS_H
#define FIRSTPAGE_LIB_PROGRESS_H

#include "include/progress.h"

const char *progress_text(enum progress code);

#endif
