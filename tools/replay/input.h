/*
 * input.h: reads a whole file, standard input, or the directory of Linux's memmap.
 */
#ifndef TOOLS_REPLAY_INPUT_H
#define TOOLS_REPLAY_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#define INPUT_HERE "/sys/firmware/memmap" /* the map of the machine that this runs on */

struct input {
	char *bytes; /* to be freed by the caller, also after an error */
	size_t size;
	bool directory;    /* bytes has three lines for each entry of memmap */
	const char *error; /* what is wrong, in words */
};

/* Reads the file called name, or standard input if that is "-". Returns false with input->error
 * set. */
bool input_read(struct input *input, const char *name);

/* Returns why an input in which no map was found has none, if its first bytes say so, or NULL. */
const char *input_kind(const struct input *input);

#endif
