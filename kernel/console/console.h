/*
 * console.h: what is shown: to every console that is there and wanted.
 */
#ifndef KERNEL_CONSOLE_CONSOLE_H
#define KERNEL_CONSOLE_CONSOLE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Finds the consoles. Nothing is lost before: the log keeps it. */
void console_init(void);

/* console=: only those named (OPTION_CONSOLE_*), if one of them is there; debug ports stay. */
void console_select(unsigned wanted);

void console_write(const char *text, size_t length);

/*
 * Screens one by one, for pictures that are drawn to their size: consoles 0, 1, … that are in use
 * and can show one; a debug port cannot. False when there is none at or after console. Where the
 * size is not known, columns and rows are 0.
 */
struct console_screen {
	size_t console;
	unsigned columns, rows;
};
bool console_next_screen(size_t console, struct console_screen *screen);
void console_write_to(size_t console, const char *text, size_t length);

/* A panic began: if it did while a console was being written to, that one is not used again. */
void console_drop_failed(void);

#define CONSOLE_TEXT_SIZE 1024

/*
 * Formats what one call says, with its terminating 0. What does not fit is cut, and says so with
 * the end of its line kept, so that the next line is one. Returns the length.
 */
__attribute__((format(printf, 2, 0))) size_t console_format(char text[CONSOLE_TEXT_SIZE],
							    const char *fmt, va_list ap);

/* Not into the log: answers to commands. As console_format(). Returns the length. */
__attribute__((format(printf, 1, 2))) int console_printf(const char *fmt, ...);

/* Waits, for a bounded time, until all has left the machine. */
void console_flush(void);

/* The next character of input; sleeps until there is one. */
char console_getc(void);

/*
 * Makes console_getc() look for input without a sleep from now on, for a prompt at which interrupts
 * stay off. console_polls() returns whether that was asked for.
 */
void console_poll(void);
bool console_polls(void);

/*
 * Returns whether Ctrl-C was typed and not yet read. Long work asks at least every 100 ms and
 * stops. It stays true until the prompt reads again, so that every command typed before the Ctrl-C
 * ends too.
 */
bool console_interrupted(void);

#endif
