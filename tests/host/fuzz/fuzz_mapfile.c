/*
 * fuzz_mapfile.c: fuzzes what replay reads (tools/replay/mapfile.c): from bytes of any encoding to
 * the entries of a map.
 *
 *   byte 0          the number of the map that is asked for, modulo 4; 0: the last complete one
 *   then            the input
 *
 * A map that was read and written as a map file must read back as it was.
 */
#include <stdlib.h>

#include "tests/host/fuzz/fuzz.h"
#include "tools/replay/map_lines.h"

static struct mapfile map, again;

static void check_again(void)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	FUZZ_CHECK(out);
	map_lines_write(out, &map, "a\nb");
	fclose(out);
	FUZZ_CHECK(!mapfile_parse(&again, text, size, 0));
	free(text);
	FUZZ_CHECK(again.nr == map.nr && again.nr_nodes == map.nr_nodes);
	for (uint32_t i = 0; i < map.nr; i++) {
		const struct e820_entry *a = &map.entries[i], *b = &again.entries[i];

		FUZZ_CHECK(a->base == b->base && a->size == b->size && a->type == b->type);
		FUZZ_CHECK(a->length == b->length && a->attributes == b->attributes);
		FUZZ_CHECK(a->reserved == 0);
	}
	for (uint32_t i = 0; i < map.nr_nodes; i++) {
		const struct numa_range *a = &map.nodes[i], *b = &again.nodes[i];

		FUZZ_CHECK(a->nid == b->nid && a->base == b->base && a->size == b->size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	unsigned int number = size ? bytes[0] % 4 : 0;

	if (mapfile_parse(&map, size ? bytes + 1 : bytes, size ? size - 1 : 0, number)) {
		FUZZ_CHECK(map.error && (!map.line || !map.no_map));
		return 0;
	}
	FUZZ_CHECK(!map.error && !map.line && map.nr > 0 && map.nr <= E820_MAX_RAW);
	FUZZ_CHECK(map.number > 0 && map.number <= map.nr_maps);
	FUZZ_CHECK(!number || map.number == number);
	FUZZ_CHECK(map.first_line > 0 && map.first_line <= map.last_line);
	check_again();
	return 0;
}
