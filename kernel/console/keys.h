/*
 * keys.h: turns the stream of input characters into keys.
 *
 * Serial terminals, and the keyboard driver in the same way, send an escape sequence for a key that
 * has no character: ESC [ letter, ESC O letter, or ESC [ number ~.
 */
#ifndef KERNEL_CONSOLE_KEYS_H
#define KERNEL_CONSOLE_KEYS_H

#include <stdbool.h>

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

/*
 * Keys that a command has read, or that were typed before it asked for one, may belong to the
 * prompt. key_keep() keeps a key for it, and keys_keep() all that were typed until now. The prompt
 * takes them by key_kept(), which returns the oldest one, or KEY_NONE, before it reads others. Of
 * more than KEYS_KEPT keys, keys_keep() leaves those where they are that were typed last, and
 * key_keep() drops the key.
 */
#define KEYS_KEPT 256
void key_keep(int key);
void keys_keep(void);
int key_kept(void);

/* Returns whether a Ctrl-C is kept. console_interrupted() asks this. */
bool keys_have_ctrl_c(void);

/* The position of a terminal's cursor; both are counted from 1. */
struct key_report {
	unsigned row, column;
};

/* Returns the position in the last KEY_REPORT. Only right until the next key is read. */
struct key_report key_report(void);

#endif
