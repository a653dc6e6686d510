/*
 * progress.h: shows the current step on port 80h and on the consoles.
 *
 * Safe mode also prints the step's name, and each BIOS call before it is made. So if the machine
 * hangs, the last line names the step, and in safe mode the BIOS call.
 */
#ifndef FIRSTPAGE_STAGE2_PROGRESS_H
#define FIRSTPAGE_STAGE2_PROGRESS_H

#include "include/boot_info.h"
#include "include/progress.h"

/* Begins a step: shows its code. */
void progress_begin(enum progress code);

/* Returns the current step: the one that was begun last. */
enum progress progress_step(void);

/* Traces a BIOS call that is about to be made: interrupt and ax are set. Only in safe mode. */
void progress_call(const struct boot_bios_call *call);

/* Traces the outcome of that call: ah and flags are set too. Only in safe mode. */
void progress_return(const struct boot_bios_call *call);

#endif
