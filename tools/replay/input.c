/*
 * input.c: see input.h. What is read is bounded, so that a device without an end does no harm.
 */
#include "tools/replay/input.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX  ((size_t)64 << 20)
#define MAX_NUMBER 1000000 /* of an entry of memmap */

/* Reads all of file. Returns false with input->error set. */
static bool read_all(struct input *input, FILE *file)
{
	size_t room = 1 << 16;

	for (;;) {
		char *more = realloc(input->bytes, room);

		if (!more) {
			input->error = strerror(ENOMEM);
			return false;
		}
		input->bytes = more;
		input->size += fread(input->bytes + input->size, 1, room - input->size, file);
		if (ferror(file)) {
			input->error = strerror(errno);
			return false;
		}
		if (input->size < room)
			return true;
		if (room > INPUT_MAX) {
			input->error =
			    "larger than 64 MiB: give only the lines of the map, for example by "
			    "grep -a -e 'RAM map' -e e820";
			return false;
		}
		room *= 2;
	}
}

/*
 * Appends a line "NUMBER/FILE:CONTENT" for a file of memmap, as grep would print it. Returns false
 * if there is no such file.
 */
static bool read_value(const char *name, unsigned int number, const char *which, FILE *out)
{
	char path[4096], value[80];
	FILE *file;
	bool read;

	if (snprintf(path, sizeof(path), "%s/%u/%s", name, number, which) >= (int)sizeof(path))
		return false;
	file = fopen(path, "r");
	if (!file)
		return false;
	read = fgets(value, sizeof(value), file);
	fclose(file);
	if (read)
		fprintf(out, "%u/%s:%.*s\n", number, which, (int)strcspn(value, "\n"), value);
	return read;
}

/* Returns the number that a name is, or -1 if it is none. */
static long number_of(const char *name)
{
	char *end;
	long number = strtol(name, &end, 10);

	return end == name || *end || number < 0 || number > MAX_NUMBER ? -1 : number;
}

static int is_number(const struct dirent *entry)
{
	return number_of(entry->d_name) >= 0;
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	return (int)(number_of((*a)->d_name) - number_of((*b)->d_name));
}

/* Memory that was removed leaves a gap in the numbers of the entries. */
static bool read_directory(struct input *input, const char *name)
{
	static const char *const files[] = { "start", "end", "type" };
	FILE *out = open_memstream(&input->bytes, &input->size);
	struct dirent **entries = NULL;
	int nr = out ? scandir(name, &entries, is_number, by_number) : 0;
	bool found = nr > 0;

	input->directory = true;
	for (int i = 0; i < nr; i++) {
		for (size_t k = 0; k < 3 && found; k++)
			found = read_value(name, (unsigned int)number_of(entries[i]->d_name),
					   files[k], out);
		free(entries[i]);
	}
	free(entries);
	if (out)
		fclose(out);
	if (!found)
		input->error =
		    "a directory, but not with 0/start, 0/end, 0/type and so on, as " INPUT_HERE
		    " has them";
	return found;
}

bool input_read(struct input *input, const char *name)
{
	FILE *file = stdin;
	struct stat status;
	bool done;

	*input = (struct input){ .bytes = NULL };
	if (strcmp(name, "-") != 0) {
		if (!stat(name, &status) && S_ISDIR(status.st_mode))
			return read_directory(input, name);
		file = fopen(name, "rb");
	}
	if (!file) {
		input->error = strerror(errno);
		return false;
	}
	done = read_all(input, file);
	if (file != stdin)
		fclose(file);
	return done;
}
