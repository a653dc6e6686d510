/*
 * input.h: the ring of characters that the serial line and the keyboard have sent and arch_getc()
 * has not returned yet.
 */
#ifndef ARCH_X86_64_INPUT_H
#define ARCH_X86_64_INPUT_H

#include <stdbool.h>
#include <stddef.h>

/* Returns true if the ring has room for count more characters. A driver must ask before it takes
   characters from its device. */
bool input_has_room(size_t count);

enum input_device { INPUT_SERIAL, INPUT_KEYBOARD };

/* Appends a character of a device. Call with interrupts off, after input_has_room() has returned
   true. */
void input_push(enum input_device device, char c);

/* Moves the characters that the devices hold into the ring. Call with interrupts off. */
void input_poll(void);

#endif
