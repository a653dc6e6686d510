#include "kernel/monitor/complete.h"

#include <stdbool.h>

#include "lib/string.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * Sets c->begin, c->nr and c->command: the word before the cursor, its place in its command, and
 * the name of that command, which begins behind the last semicolon.
 */
static void find_place(struct completion *c, const char *text, size_t length)
{
	const char *end = text + length, *at = end;

	while (at > text && at[-1] != ';')
		at--;
	for (;;) {
		const char *word;

		while (at < end && is_blank(*at))
			at++;
		word = at;
		while (at < end && !is_blank(*at))
			at++;
		c->begin = word;
		if (at == end)
			break;
		if (c->nr++ == 0 && at - word < COMPLETE_NAME)
			memcpy(c->command, word, (size_t)(at - word));
	}
	for (at = c->begin; at < end; at++)
		if (*at == '|')
			c->begin = at + 1;
	c->length = (size_t)(end - c->begin);
}

const char *completion_word(const struct completion *c, size_t i)
{
	const char *word;

	for (size_t j = 0; (word = c->words(c->command, c->nr, j)); j++)
		if (!strncmp(word, c->begin, c->length) && i-- == 0)
			return word;
	return NULL;
}

void complete(struct completion *c, const char *text, size_t length, complete_fn words)
{
	const char *word;

	*c = (struct completion){ .words = words };
	find_place(c, text, length);
	for (; (word = completion_word(c, c->count)); c->count++) {
		size_t same = c->length;

		if (!c->count) {
			c->first = word;
			c->common = strlen(word);
			continue;
		}
		while (same < c->common && word[same] == c->first[same])
			same++;
		c->common = same;
	}
}
