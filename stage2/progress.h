/*
 * progress.h: the step that is under way, on port 80h and on the consoles; in safe mode with its
 * name, and each BIOS call within it before it is made. So what is said last names what hangs.
 */
#ifndef FIRSTPAGE_STAGE2_PROGRESS_H
#define FIRSTPAGE_STAGE2_PROGRESS_H

#include "include/boot_info.h"
#include "include/progress.h"

void progress_begin(enum progress code);

/* The step that was begun last. */
enum progress progress_step(void);

/* Around a BIOS call, for the trace; after it, with its outcome. */
void progress_call(const struct boot_bios_call *call);
void progress_return(const struct boot_bios_call *call);

#endif
