/*
 * progress.h: a code for each step of the boot, from the boot sector to the prompt.
 *
 * Each goes to port 80h as its step begins, where a POST card shows it: 1x boot sector, 2x stage2,
 * 3x kernel, xF a failure, which is then said in words. Those of stage2 are on its consoles too.
 * progress.list is the one list of them, code, name, text, for C and, by progress.inc, for nasm.
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
