/*
 * vga.h: the VGA text screen of 80 x 25 characters.
 */
#ifndef ARCH_X86_64_VGA_H
#define ARCH_X86_64_VGA_H

#include <stdbool.h>

#define VGA_COLUMNS 80u
#define VGA_ROWS    25u

/* Clears the screen. Returns false if there is no display memory. Needs the loader's page tables.
 */
bool vga_init(void);

/* Maps display memory by ioremap(), for use with the kernel's own page tables. Call it when they
   are loaded. Prints nothing. */
void vga_remap(void);

/*
 * Shows a character at the cursor. Handles \n (start of the next line), \r, \b, \t, and these ANSI
 * sequences: ESC [ with H (cursor to row;column), A B C D (cursor moves), J and K (clears screen or
 * line), m (colours 30-37, 40-47, 90-97; 1 bright, 7 inverse, 0 normal). Drops other sequences.
 */
void vga_put(char c);

/* How often the screen has begun a new line, at a \n or behind the last column. */
extern unsigned vga_nr_lines;

#endif
