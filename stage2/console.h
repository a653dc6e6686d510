/*
 * console.h: what stage2 says, and how it ends when it cannot go on.
 *
 * To the screen (by the BIOS, after console_leave_bios() by writing video memory), to COM1 at
 * 115200 8N1 and to port E9, as far as they are there.
 */
#ifndef FIRSTPAGE_STAGE2_CONSOLE_H
#define FIRSTPAGE_STAGE2_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

void console_init(void);

/* 80 columns of text, by the BIOS; a monochrome screen stays one. */
void console_text_mode(void);

/* From now on without the BIOS. */
void console_leave_bios(void);

/* A line: "firstpage: ", the text, a new line. At most 200 characters, more is cut. */
__attribute__((format(printf, 1, 2))) void say(const char *fmt, ...);

/* Text without a new line, which the next say() begins with; "firstpage: " before it if it is the
   line's first. */
__attribute__((format(printf, 1, 2))) void say_more(const char *fmt, ...);

/* Whether say_more() was last; ends its line. */
bool say_is_open(void);
void say_end(void);

/* say(), then the step, then the last BIOS calls, then "System halted.", then it is. */
__attribute__((format(printf, 1, 2), noreturn)) void fail(const char *fmt, ...);

#endif
