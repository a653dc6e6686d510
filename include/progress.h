/*
 * progress.h: the progress codes, one for each step of the boot from the boot sector to the prompt.
 *
 * When a step begins, its code is written to port 80h, where a POST card shows it: 1x is the boot
 * sector, 2x stage2, 3x the kernel; xF is a failure, whose reason is also printed. Stage2 prints
 * its codes on its consoles too. progress.list defines code, name and text of each, for C through
 * this header and for nasm through progress.inc.
 */
#ifndef FIRSTPAGE_PROGRESS_H
#define FIRSTPAGE_PROGRESS_H

#define PORT_PROGRESS 0x80

enum progress {
#define PROGRESS(code, name, text) PROGRESS_##name = code,
#include "include/progress.list"
#undef PROGRESS
};

#endif
