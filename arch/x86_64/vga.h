/*
 * vga.h: the 80 x 25 text screen.
 */
#ifndef ARCH_X86_64_VGA_H
#define ARCH_X86_64_VGA_H

#include <stdbool.h>

#define VGA_COLUMNS 80u
#define VGA_ROWS    25u

/* Clears the screen. False when no display memory answers. Needs the loader's page tables. */
bool vga_init(void);

/*
 * The kernel's page tables are about to be loaded, or have just been: from now on display memory is
 * reached through a window of ioremap(). Prints nothing.
 */
void vga_remap(void);

/*
 * Shows a character at the cursor. Understood: \n (to the next line's start), \r, \b, \t, and of
 * ANSI's sequences ESC [ with H (cursor to row;column), A B C D (cursor moves), J and K (clear
 * screen, line), m (colours 30-37, 40-47, 90-97, 1 bright, 7 inverse, 0 as before). Others are
 * swallowed.
 */
void vga_put(char c);

#endif
