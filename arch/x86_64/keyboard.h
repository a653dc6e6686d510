/*
 * keyboard.h: the PS/2 keyboard, US layout.
 *
 * Keys become what a serial terminal sends: characters, control characters, and for keys without
 * one ESC [ A (up), B (down), C (right), D (left), H (home), F (end), 3 ~ (delete),
 * 5 ~ and 6 ~ (page up, page down).
 */
#ifndef ARCH_X86_64_KEYBOARD_H
#define ARCH_X86_64_KEYBOARD_H

/* Switches keyboard and its interrupt on, once. Without a controller: nothing, now and later. */
void keyboard_init(void);

/* Moves what has come into the input ring, while that has room. Interrupts off. */
void keyboard_receive(void);

#endif
