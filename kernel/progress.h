/*
 * progress.h: keeps and reports the step of start_kernel() that is running.
 */
#ifndef KERNEL_PROGRESS_H
#define KERNEL_PROGRESS_H

#include "include/progress.h"

/* Notes that the step `code` begins: shows its code on port 80h, and in safe mode logs a line. */
void progress_begin(enum progress code);

/*
 * Reports the step in which a panic has happened: shows the code of a panic on port 80h, and, if
 * the boot was not complete, logs the step and the last BIOS calls.
 */
void progress_failed(void);

#endif
