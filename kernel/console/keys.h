/*
 * keys.h: the stream of input characters as keys.
 *
 * Serial terminals and the keyboard driver send the same sequences for keys that have no character:
 * ESC [ letter, ESC O letter, ESC [ number ~.
 */
#ifndef KERNEL_CONSOLE_KEYS_H
#define KERNEL_CONSOLE_KEYS_H

#define CTRL(c) ((c)&0x1f)

enum key {
	KEY_NONE = 256, /* nothing to act on */
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
	KEY_REPORT, /* a terminal says where its cursor is: key_report() */
};

/* The next key, below 256 a character; sleeps until there is one. */
int key_read(void);

/* The same, but KEY_NONE at once when nothing was typed. */
int key_poll(void);

/* What the last KEY_REPORT said; counted from 1. */
struct key_report {
	unsigned row, column;
};
struct key_report key_report(void);

#endif
