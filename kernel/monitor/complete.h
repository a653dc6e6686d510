/*
 * complete.h: which words may stand where the cursor is, for Tab.
 */
#ifndef KERNEL_MONITOR_COMPLETE_H
#define KERNEL_MONITOR_COMPLETE_H

#include <stddef.h>

#define COMPLETE_NAME 16 /* bytes of the longest name of a command, with its 0 */

/*
 * Returns the word number i, from 0 on, of those that may stand at place nr of a line, where 0 is
 * the command's own; null behind the last. command is the first word of the line, or "" if nr is 0.
 */
typedef const char *(*complete_fn)(const char *command, int nr, size_t i);

/* The words that begin as what stands before the cursor does. */
struct completion {
	complete_fn words;
	char command[COMPLETE_NAME];
	int nr;
	const char *begin; /* what stands before the cursor, to which a word is sought */
	size_t length;     /* of begin */
	size_t count;      /* of the words that begin so */
	const char *first; /* of these; null if count is 0 */
	size_t common;     /* how many characters all of them have in common, at least length */
};

/*
 * Finds the words, of those that `words` returns, for the end of text, of which only the first
 * `length` characters count. Blanks separate the words of a line; within a word, | begins another
 * one at the same place. text must stay as it is while c is in use.
 */
void complete(struct completion *c, const char *text, size_t length, complete_fn words);

/* Returns the word number i, from 0 on, of those that c has found; null behind the last. */
const char *completion_word(const struct completion *c, size_t i);

#endif
