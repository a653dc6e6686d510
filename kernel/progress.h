/*
 * progress.h: which step of start_kernel() is under way.
 */
#ifndef KERNEL_PROGRESS_H
#define KERNEL_PROGRESS_H

#include "include/progress.h"

/* A step begins: its code to port 80h, in safe mode a line in the log. */
void progress_begin(enum progress code);

/* For a panic: its code to port 80h; and, unless the boot was done, the step and the
   last BIOS calls into the log. */
void progress_failed(void);

#endif
