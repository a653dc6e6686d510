/*
 * pager.h: stops the output of a command when the VGA screen is full.
 *
 * That screen cannot be scrolled back. So when a command was typed on the keyboard, and prints more
 * than a screen, it stops with "-- more --" in the last line until a key is pressed: a blank shows
 * one screen more, Enter a line, q ends the output on this screen, and so does Ctrl-C, which also
 * ends a command that looks for it. A serial terminal can scroll back and may be a script: commands
 * typed there do not stop, and a key that is typed there while the screen waits ends the stops of
 * this command, and is kept for the prompt.
 */
#ifndef KERNEL_CONSOLE_PAGER_H
#define KERNEL_CONSOLE_PAGER_H

#include <stdbool.h>
#include <stddef.h>

/* Begins to count lines, if the last key came from the keyboard and the VGA screen is in use. */
void pager_begin(void);

/* Ends what pager_begin() has begun. */
void pager_end(void);

/*
 * Returns how many of the length characters of text may be written now, at least one. Waits before,
 * if the screen is full. The caller must not hold the console's lock. Where waiting is not possible
 * (on another CPU than pager_begin(), with interrupts off) and without a pager it is length.
 */
size_t pager_part(const char *text, size_t length);

/* Returns whether nothing more is to be shown on this console until pager_end(). */
bool pager_hides(size_t console);

#endif
