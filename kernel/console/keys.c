/*
 * keys.c: see keys.h.
 */
#include "kernel/console/keys.h"

#include <stdbool.h>

#include "arch/x86_64/arch.h"
#include "kernel/console/console.h"

#define MAX_NUMBERS  2
#define ESCAPE       '\033'

/* A lone escape character is the key of that name: what else would have come within 50 to 100 ms.
 */
#define ESCAPE_IDLES 2

static unsigned numbers[MAX_NUMBERS]; /* of the sequence being read */

struct key_report key_report(void)
{
	return (struct key_report){ numbers[0], numbers[1] };
}

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

/* ESC [ number ~ */
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

/* Of more numbers than there is room for the last counts; none is larger than a screen. */
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
 * Returns the character that follows an escape character, or -1 when none comes. Where the console
 * polls there is no sleep to measure the time by: a lone escape character waits for the next key.
 */
static int next_soon(void)
{
	int c = arch_getc();

	if (c < 0 && console_polls())
		return (unsigned char)console_getc();
	for (unsigned i = 0; c < 0 && i < ESCAPE_IDLES; i++) {
		arch_idle();
		c = arch_getc();
	}
	return c;
}

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

/* The LF of a CR LF belongs to the line that the CR has ended. */
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

int key_read(void)
{
	return key_of(console_getc());
}

int key_poll(void)
{
	int c = arch_getc();

	return c < 0 ? KEY_NONE : key_of((char)c);
}
