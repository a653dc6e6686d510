#include <string.h>

#include "tools/replay/input.h"

const char *input_kind(const struct input *input)
{
	static const struct {
		const char *begin;
		size_t size;
		const char *what;
	} kinds[] = {
		{ "%PDF", 4, "a PDF: copy the lines of the map out of it" },
		{ "\x89PNG", 4, "a picture: only text can be read" },
		{ "\xff\xd8\xff", 3, "a picture: only text can be read" },
		{ "GIF8", 4, "a picture: only text can be read" },
		{ "BM", 2, "a picture: only text can be read" },
		{ "P6", 2, "a picture: only text can be read" },
		{ "<svg", 4, "a picture: only text can be read" },
		{ "\x1f\x8b", 2, "compressed: zcat FILE | replay -" },
		{ "\xfd"
		  "7zXZ",
		  5, "compressed: xzcat FILE | replay -" },
		{ "BZh", 3, "compressed: bzcat FILE | replay -" },
		{ "\x28\xb5\x2f\xfd", 4, "compressed: zstdcat FILE | replay -" },
		{ "PK\3\4", 4, "an archive: unpack it" },
		{ "LPKSHHRH", 8, "systemd's journal: journalctl -k --file FILE | replay -" },
		{ "\x7f"
		  "ELF",
		  4, "a program, not a log" },
		{ "SRAT", 4, "ACPI's table of nodes: give it with --srat, and the map as FILE" },
		{ "SLIT", 4,
		  "ACPI's table of distances: give it with --slit, and the map as FILE" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (input->size >= kinds[i].size &&
		    !memcmp(input->bytes, kinds[i].begin, kinds[i].size))
			return kinds[i].what;
	return NULL;
}
