/*
 * keyboard.h: the PS/2 keyboard, US layout.
 *
 * Keys give the same characters as a serial terminal sends. A key without a character gives an
 * escape sequence: ESC [ followed by A (up), B (down), C (right), D (left), H (home), F (end),
 * 3 ~ (delete), 5 ~ (page up) or 6 ~ (page down).
 */
#ifndef ARCH_X86_64_KEYBOARD_H
#define ARCH_X86_64_KEYBOARD_H

/* Enables the keyboard and its interrupt; a second call only the interrupt. Without a controller,
   this and keyboard_receive() do nothing. */
void keyboard_init(void);

/* Moves received keys into the input ring, as long as that has room. Call with interrupts off. */
void keyboard_receive(void);

#endif
