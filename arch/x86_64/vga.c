/*
 * vga.c: uses text mode 3, which the BIOS has set: 80 x 25 cells of two bytes, character and
 * attribute.
 *
 * Display memory is at physical address B8000h; registers 0Eh and 0Fh of the CRT controller hold
 * the cursor's position. Without a display card the memory reads FFh or the last value on the bus,
 * and does not keep what is written.
 */
#include "arch/x86_64/vga.h"

#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/io.h"
#include "arch/x86_64/paging.h"
#include "mm/port.h"

#define VGA_PHYS         0xb8000ull
#define VGA_SIZE         0x1000ull
#define CRTC_INDEX       0x3d4
#define CRTC_DATA        0x3d5
#define CURSOR_START     0x0a
#define CURSOR_HIGH      0x0e
#define CURSOR_LOW       0x0f
#define CURSOR_LINES     0x0d /* begins at scan line 13 and is not disabled */

#define COLUMNS          VGA_COLUMNS
#define ROWS             VGA_ROWS
#define TAB              8u

#define ATTRIBUTE_NORMAL 0x07u /* light grey on black */
#define ATTRIBUTE_BRIGHT 0x08u

#define ESCAPE           '\033'
#define MAX_PARAMETERS   8

unsigned vga_nr_lines;

static volatile uint16_t *cells; /* null: no display */
static unsigned row, column;
static uint8_t attribute = ATTRIBUTE_NORMAL;

/* The parser of escape sequences such as ESC [ 1 ; 2 H. */
static enum { TEXT, AFTER_ESCAPE, IN_SEQUENCE } state;
static unsigned parameters[MAX_PARAMETERS];
static unsigned nr_parameters;

static void write_crtc(uint8_t index, uint8_t value)
{
	outb(CRTC_INDEX, index);
	outb(CRTC_DATA, value);
}

static void show_cursor(void)
{
	unsigned position = row * COLUMNS + column;

	write_crtc(CURSOR_HIGH, (uint8_t)(position >> 8));
	write_crtc(CURSOR_LOW, (uint8_t)position);
}

static void clear(unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		cells[i] = (uint16_t)(attribute << 8 | ' ');
}

/* Returns true if there is display memory. Two cells get different patterns, because a bus may
   return the value written last. */
static bool keeps_what_is_written(void)
{
	cells[0] = 0x5aa5;
	cells[1] = 0xa55a;
	return cells[0] == 0x5aa5 && cells[1] == 0xa55a;
}

bool vga_init(void)
{
	cells = phys_to_virt(VGA_PHYS);
	if (!keeps_what_is_written()) {
		cells = NULL;
		return false;
	}
	clear(0, ROWS * COLUMNS);
	write_crtc(CURSOR_START, CURSOR_LINES);
	show_cursor();
	return true;
}

void vga_remap(void)
{
	if (cells)
		cells = ioremap(VGA_PHYS, VGA_SIZE);
}

static void scroll(void)
{
	for (unsigned i = 0; i < (ROWS - 1) * COLUMNS; i++)
		cells[i] = cells[i + COLUMNS];
	clear((ROWS - 1) * COLUMNS, ROWS * COLUMNS);
}

static void new_line(void)
{
	column = 0;
	vga_nr_lines++;
	if (row + 1 < ROWS)
		row++;
	else
		scroll();
}

static void put_cell(char c)
{
	cells[row * COLUMNS + column] = (uint16_t)(attribute << 8 | (uint8_t)c);
	if (++column == COLUMNS)
		new_line();
}

static void put_text(char c)
{
	switch (c) {
	case '\n':
		new_line();
		break;
	case '\r':
		column = 0;
		break;
	case '\b':
		column -= column > 0;
		break;
	case '\t':
		do
			put_cell(' ');
		while (column % TAB);
		break;
	case ESCAPE:
		state = AFTER_ESCAPE;
		break;
	default:
		if ((uint8_t)c >= ' ')
			put_cell(c);
	}
}

/* Returns the card's number of an ANSI colour: ANSI has red as 1 and blue as 4, the card has blue
   as 1 and red as 4. */
static uint8_t card_colour(unsigned ansi)
{
	return (uint8_t)((ansi & 1) << 2 | (ansi & 2) | (ansi & 4) >> 2);
}

static void set_attribute(unsigned parameter)
{
	if (parameter == 0)
		attribute = ATTRIBUTE_NORMAL;
	else if (parameter == 1)
		attribute |= ATTRIBUTE_BRIGHT;
	else if (parameter == 7)
		attribute = (uint8_t)(attribute >> 4 | attribute << 4);
	else if (parameter >= 30 && parameter <= 37)
		attribute = (uint8_t)((attribute & 0xf8) | card_colour(parameter - 30));
	else if (parameter >= 40 && parameter <= 47)
		attribute = (uint8_t)((attribute & 0x0f) | card_colour(parameter - 40) << 4);
	else if (parameter >= 90 && parameter <= 97)
		attribute =
		    (uint8_t)((attribute & 0xf0) | ATTRIBUTE_BRIGHT | card_colour(parameter - 90));
}

static unsigned at_most(unsigned value, unsigned limit)
{
	return value < limit ? value : limit;
}

/* Moves the cursor. Rows and columns of a sequence count from 1; 0 or a missing one means 1. */
static void move_to(unsigned to_row, unsigned to_column)
{
	row = at_most(to_row ? to_row - 1 : 0, ROWS - 1);
	column = at_most(to_column ? to_column - 1 : 0, COLUMNS - 1);
}

static void run_sequence(char final)
{
	unsigned first = parameters[0];
	unsigned count = first ? first : 1;
	unsigned cursor = row * COLUMNS + column;

	switch (final) {
	case 'H':
		move_to(first, parameters[1]);
		break;
	case 'A':
		row -= at_most(count, row);
		break;
	case 'B':
		row += at_most(count, ROWS - 1 - row);
		break;
	case 'C':
		column += at_most(count, COLUMNS - 1 - column);
		break;
	case 'D':
		column -= at_most(count, column);
		break;
	case 'J':
		clear(first == 2 ? 0 : cursor, ROWS * COLUMNS);
		break;
	case 'K':
		clear(first == 2 ? row * COLUMNS : cursor, (row + 1) * COLUMNS);
		break;
	case 'm':
		for (unsigned i = 0; i < nr_parameters; i++)
			set_attribute(parameters[i]);
		break;
	default:
		break;
	}
}

static void begin_sequence(void)
{
	for (unsigned i = 0; i < MAX_PARAMETERS; i++)
		parameters[i] = 0;
	nr_parameters = 1;
	state = IN_SEQUENCE;
}

/* Handles a character of a sequence. Numbers are limited to 9999; parameters beyond MAX_PARAMETERS
   overwrite the last one. */
static void put_in_sequence(char c)
{
	unsigned *parameter = &parameters[nr_parameters - 1];

	if (c >= '0' && c <= '9') {
		*parameter = at_most(*parameter * 10 + (unsigned)(c - '0'), 9999);
	} else if (c == ';') {
		nr_parameters += nr_parameters < MAX_PARAMETERS;
	} else if (c >= '@' && c <= '~') {
		run_sequence(c);
		state = TEXT;
	}
}

void vga_put(char c)
{
	if (!cells)
		return;
	if (state == IN_SEQUENCE)
		put_in_sequence(c);
	else if (state == AFTER_ESCAPE && c == '[')
		begin_sequence();
	else if (state == AFTER_ESCAPE)
		state = TEXT;
	else
		put_text(c);
	if (state == TEXT)
		show_cursor();
}
