/*
 * input.h: what serial line and keyboard have sent and nobody has read yet.
 */
#ifndef ARCH_X86_64_INPUT_H
#define ARCH_X86_64_INPUT_H

#include <stdbool.h>
#include <stddef.h>

/* Room for this many characters, or not: a driver asks before it takes them from its device. */
bool input_has_room(size_t count);

/* Appends a character. Interrupts off; room must have been asked for. */
void input_push(char c);

/* Fetches what the devices hold. Interrupts off. */
void input_poll(void);

#endif
