/*
 * keys.h: turns the stream of input characters into keys.
 *
 * Serial terminals, and the keyboard driver in the same way, send an escape sequence for a key that
 * has no character: ESC [ letter, ESC O letter, or ESC [ number ~.
 */
#ifndef KERNEL_CONSOLE_KEYS_H
#define KERNEL_CONSOLE_KEYS_H

/* The character that a terminal sends for Ctrl and the letter c. */
#define CTRL(c) ((c) % 32)

enum key {
	KEY_NONE = 256, /* no key: nothing was typed, or it has no meaning here */
	KEY_UP,
	KEY_DOWN,
	KEY_RIGHT,
	KEY_LEFT,
	KEY_HOME,
	KEY_END,
	KEY_DELETE,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_ESCAPE,
	KEY_REPORT, /* not a key: a terminal's answer where its cursor is; see key_report() */
};

/*
 * Returns the next key: a character if it is below 256, else an enum key. Sleeps until there is
 * one.
 */
int key_read(void);

/* Returns the next key as key_read() does, or KEY_NONE at once if nothing was typed. */
int key_poll(void);

/* The position of a terminal's cursor; both are counted from 1. */
struct key_report {
	unsigned row, column;
};

/* Returns the position in the last KEY_REPORT. Only right until the next key is read. */
struct key_report key_report(void);

#endif
