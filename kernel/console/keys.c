#include "kernel/console/keys.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/arch.h"
#include "kernel/console/console.h"

#define MAX_NUMBERS  2
#define ESCAPE       '\033'

/*
 * An escape character that nothing follows within this many calls of arch_idle(), 50 to 100 ms, is
 * the Escape key: the rest of a sequence would have come by then.
 */
#define ESCAPE_IDLES 2

static unsigned numbers[MAX_NUMBERS]; /* of the sequence that was read last */

struct key_report key_report(void)
{
	return (struct key_report){ numbers[0], numbers[1] };
}

/* Returns the key of the sequence ESC [ letter or ESC O letter. */
static int key_of_letter(char letter)
{
	switch (letter) {
	case 'A':
		return KEY_UP;
	case 'B':
		return KEY_DOWN;
	case 'C':
		return KEY_RIGHT;
	case 'D':
		return KEY_LEFT;
	case 'H':
		return KEY_HOME;
	case 'F':
		return KEY_END;
	case 'R':
		return KEY_REPORT;
	default:
		return KEY_NONE;
	}
}

/* Returns the key of the sequence ESC [ number ~. */
static int key_of_number(unsigned number)
{
	switch (number) {
	case 1:
	case 7:
		return KEY_HOME;
	case 4:
	case 8:
		return KEY_END;
	case 3:
		return KEY_DELETE;
	case 5:
		return KEY_PAGE_UP;
	case 6:
		return KEY_PAGE_DOWN;
	default:
		return KEY_NONE;
	}
}

/*
 * Reads a sequence's numbers, which semicolons separate, into numbers[]. Returns the character
 * after them. A number is cut to 12 bits, which hold the size of any screen. No key has more than
 * MAX_NUMBERS numbers; where more come, the last entry is meaningless.
 */
static char read_numbers(void)
{
	unsigned nr = 0;

	numbers[0] = numbers[1] = 0;
	for (;;) {
		char c = console_getc();

		if (c >= '0' && c <= '9')
			numbers[nr] = (numbers[nr] * 10 + (unsigned)(c - '0')) & 0xfff;
		else if (c == ';')
			nr = MAX_NUMBERS - 1;
		else
			return c;
	}
}

/*
 * Returns the character that follows an escape character, or -1 if none comes in time. While the
 * console polls, arch_idle() cannot measure time, so this waits for the next character: the Escape
 * key then takes effect with the next key.
 */
static int next_soon(void)
{
	int c = arch_getc();

	if (c < 0 && console_is_polling())
		return (unsigned char)console_getc();
	for (unsigned i = 0; c < 0 && i < ESCAPE_IDLES; i++) {
		arch_idle();
		c = arch_getc();
	}
	return c;
}

/* Reads what follows an escape character. Returns the key. */
static int read_sequence(void)
{
	int c = next_soon();
	char final;

	if (c < 0)
		return KEY_ESCAPE;
	if (c != '[' && c != 'O')
		return KEY_NONE;
	final = read_numbers();
	return final == '~' ? key_of_number(numbers[0]) : key_of_letter(final);
}

/* Returns the key that begins with c. An LF after a CR is none: the CR has ended the line. */
static int key_of(char c)
{
	static bool after_cr;
	bool was_after_cr = after_cr;

	after_cr = c == '\r';
	if (c == '\n' && was_after_cr)
		return KEY_NONE;
	if (c == ESCAPE)
		return read_sequence();
	return (unsigned char)c;
}

static uint16_t kept[KEYS_KEPT]; /* a ring */
static size_t nr_kept, nr_taken; /* since boot */
static unsigned int nr_kept_ctrl_c;

static bool has_room(void)
{
	return nr_kept - nr_taken < KEYS_KEPT;
}

void key_keep(int key)
{
	if (key == KEY_NONE || !has_room())
		return;
	kept[nr_kept++ % KEYS_KEPT] = (uint16_t)key;
	nr_kept_ctrl_c += key == CTRL('C');
}

void keys_keep(void)
{
	int c;

	while (has_room() && (c = arch_getc()) >= 0)
		key_keep(key_of((char)c));
}

int key_kept(void)
{
	int key;

	if (nr_taken == nr_kept)
		return KEY_NONE;
	key = kept[nr_taken++ % KEYS_KEPT];
	nr_kept_ctrl_c -= key == CTRL('C');
	return key;
}

bool keys_have_ctrl_c(void)
{
	return nr_kept_ctrl_c > 0;
}

int key_read(void)
{
	return key_of(console_getc());
}

int key_poll(void)
{
	int c = arch_getc();

	return c < 0 ? KEY_NONE : key_of((char)c);
}
