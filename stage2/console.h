/*
 * console.h: what stage2 says, and how it ends when it cannot go on.
 *
 * To the screen (by the BIOS, after console_leave_bios() by writing video memory), to COM1 at
 * 115200 8N1 and to port E9, as far as they are there.
 */
#ifndef FIRSTPAGE_STAGE2_CONSOLE_H
#define FIRSTPAGE_STAGE2_CONSOLE_H

#include <stdint.h>

void console_init(void);

/* From now on without the BIOS. */
void console_leave_bios(void);

/* A line: "firstpage: ", the text, a new line. At most 200 characters, more is cut. */
__attribute__((format(printf, 1, 2))) void say(const char *fmt, ...);

/* say(), then the last BIOS calls, then "System halted.", then it is. */
__attribute__((format(printf, 1, 2), noreturn)) void fail(const char *fmt, ...);

#endif
