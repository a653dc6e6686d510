/*
 * console.h: text output to all consoles in use, and the input of the prompt.
 *
 * The consoles are arch_consoles[] of arch.h. A console is in use if its hardware is there and
 * console= does not exclude it. Input comes from all devices in one stream.
 */
#ifndef KERNEL_CONSOLE_CONSOLE_H
#define KERNEL_CONSOLE_CONSOLE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Finds the consoles. Text that is written before goes nowhere, but the log keeps it. */
void console_init(void);

/*
 * Takes all consoles out of use that `wanted`, bits OPTION_CONSOLE_*, does not name. Debug ports
 * stay in use. Changes nothing if no console that it names is there, so that messages can always be
 * seen.
 */
void console_select(unsigned wanted);

/*
 * console_lock() keeps other CPUs from writing until console_unlock(), so that what is written in
 * between stays together. Pairs may nest, and an interrupt handler may write in between. It does
 * not wait for ever: a CPU that holds the lock for very long is written over.
 */
void console_lock(void);
void console_unlock(void);

/*
 * Writes length characters of text to all consoles in use. Holds the lock meanwhile, but not
 * between two lines of a command whose output may stop: pager.h.
 */
void console_write(const char *text, size_t length);

/* A console that can show a picture. columns and rows are 0 where its size is not known. */
struct console_screen {
	size_t console; /* its number, for console_write_to() */
	unsigned columns, rows;
};

/*
 * Sets screen to the first console, from number `console` on, that is in use and can show a
 * picture; debug ports cannot. Returns false if there is none.
 */
bool console_next_screen(size_t console, struct console_screen *screen);

/* Writes length characters of text to the console with this number, if it is in use. */
void console_write_to(size_t console, const char *text, size_t length);

/*
 * Takes the console out of use that this CPU is writing to, if it is, and gives this CPU the lock.
 * A panic calls this, after all other CPUs were stopped: that console may be what has failed.
 */
void console_drop_failed(void);

#define CONSOLE_TEXT_SIZE 1024

/*
 * Formats the text of one call of printk() or console_printf(), with a terminating 0. A text that
 * is too long is cut, and then ends in " [cut]" and the end of a line, so that the next text begins
 * a line of its own. Returns the length.
 */
__attribute__((format(printf, 2, 0))) size_t console_format(char text[CONSOLE_TEXT_SIZE],
							    const char *fmt, va_list ap);

/*
 * Formats as console_format() does and writes to all consoles in use, but not into the log: for
 * answers to commands. Returns the length.
 */
__attribute__((format(printf, 1, 2))) int console_printf(const char *fmt, ...);

/* Waits, for a bounded time, until the consoles have sent all that was written to them. */
void console_flush(void);

/* Waits a moment between two looks for input: as arch_idle(), or, while polling, arch_relax(). */
void console_wait(void);

/* Returns the next character of input; sleeps until there is one. */
char console_getc(void);

/*
 * Makes console_getc() poll for input, without sleep, from now on: for a prompt at which interrupts
 * stay off.
 */
void console_use_polling(void);

/* Returns whether console_use_polling() was called. */
bool console_is_polling(void);

/*
 * Returns whether Ctrl-C was typed and not yet read. Long work asks at least every 100 ms and stops
 * if so. The answer stays true until the prompt reads the Ctrl-C, so that commands that were typed
 * before it end as well. On other CPUs than CPU 0, which has the prompt, it is false.
 */
bool console_interrupted(void);

#endif
