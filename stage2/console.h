/*
 * console.h: stage2's messages, and fail(), by which it stops when it cannot go on.
 *
 * Output goes to the screen, to COM1 at 115200 8N1 and to port E9, to each if it is present. It
 * reaches the screen through the BIOS, and after console_leave_bios() by writes to video memory.
 */
#ifndef FIRSTPAGE_STAGE2_CONSOLE_H
#define FIRSTPAGE_STAGE2_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

/* Finds out which consoles are present, sets up COM1, and sets a text mode if the screen has none.
 */
void console_init(void);

/* Sets the text mode of 80 columns through the BIOS. A monochrome screen keeps its own text mode.
 */
void console_text_mode(void);

/* Stops using the BIOS for the screen: later output is written to video memory. */
void console_leave_bios(void);

/*
 * Prints "firstpage: ", the formatted text (lib/format.h) and a line end. Ends an open line of
 * say_more() first. The text is cut after 200 characters.
 */
__attribute__((format(printf, 1, 2))) void say(const char *fmt, ...);

/*
 * Prints formatted text and leaves the line open for the next say_more(). A line that it begins
 * starts with "firstpage: ". The text is cut after 79 characters.
 */
__attribute__((format(printf, 1, 2))) void say_more(const char *fmt, ...);

/* Returns true if say_more() has left a line open. */
bool say_is_open(void);

/* Ends the line that say_more() has left open, if there is one. */
void say_end(void);

/*
 * Prints the formatted text as say() does, then the step that has failed, the last BIOS calls and
 * "System halted.", and halts.
 */
__attribute__((format(printf, 1, 2), noreturn)) void fail(const char *fmt, ...);

#endif
