/*
 * source.c: see source.h. Only these two names count, as much else before an entry changes from
 * line to line: times, counters, journald's cursors.
 */
#include "tools/replay/source.h"

#include <ctype.h>
#include <string.h>

static uint32_t hash(uint32_t value, const char *at, const char *end)
{
	for (; at < end; at++)
		value = (value ^ (unsigned char)*at) * 16777619u;
	return value ? value : 1;
}

/* Returns where the file's name ends that grep has put before the line, or NULL. */
static const char *file_name(const struct cursor *line)
{
	static const char *const others[] = { "kernel",  "user",      "modified",  "Xen",    "e820",
					      "BIOS-88", "BIOS-e820", "BIOS-e801", "MESSAGE" };
	const char *colon = memchr(line->at, ':', (size_t)(line->end - line->at));
	bool letters = false;
	size_t n;

	/* A year or the number of a line is no name. */
	if (!colon || colon == line->at ||
	    (isdigit((unsigned char)*line->at) && colon - line->at > 4 && line->at[4] == '-'))
		return NULL;
	n = (size_t)(colon - line->at);
	for (size_t i = 0; i < n; i++) {
		if (strchr(" \t\"'[]{}()<>=,;", line->at[i]))
			return NULL;
		letters = letters || isalpha((unsigned char)line->at[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (n == strlen(others[i]) && !strncasecmp(line->at, others[i], n))
			return NULL;
	return letters ? colon : NULL;
}

uint32_t source_of(const struct cursor *line)
{
	const char *name_end = file_name(line), *kernel = scan_find(line, " kernel:");
	const char *host = kernel;
	uint32_t value = 0;

	if (name_end)
		value = hash(2166136261u, line->at, name_end);
	if (!kernel)
		return value;
	while (host > line->at && !isspace((unsigned char)host[-1]))
		host--;
	return hash(value ? value : 2166136261u, host, kernel);
}
