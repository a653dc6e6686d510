/*
 * replay.c: somebody else's memory map through the kernel's own code, on a host.
 *
 *   replay [--json] FILE|-
 *
 * Reads a map or a log (mapfile.h), corrects it, builds memblock, page tables, mem_map and the
 * allocator over simulated memory, allocates all of it and frees it again, and says what came out.
 * Exit status: 0 all checks hold, 1 one fails, 2 input that cannot be used.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/paging.h"
#include "kernel_size.h"
#include "mm/memblock.h"
#include "mm/zone.h"
#include "tests/host/checks.h"
#include "tests/host/mapfile.h"
#include "tests/host/sim.h"

static const char usage[] =
    "usage: replay [--json] FILE|-\n"
    "\n"
    "Runs a memory map through firstpage's memory set-up and prints what comes out.\n"
    "FILE (- is standard input) holds `start length type [attributes]` a line, # comments,\n"
    "or a log with Linux's BIOS-e820: lines.\n"
    "\n"
    "  --json   print one JSON object\n"
    "  --help   print this\n"
    "\n"
    "Exit status: 0 all checks hold, 1 a check fails, 2 input that cannot be used.\n";

static char *read_all(FILE *file, size_t *size)
{
	size_t room = 1 << 16;
	char *text = malloc(room);

	for (*size = 0; text;) {
		size_t n = fread(text + *size, 1, room - *size, file);

		*size += n;
		if (!n)
			break;
		if (*size == room) {
			char *more = realloc(text, room *= 2);

			if (!more)
				free(text);
			text = more;
		}
	}
	return text;
}

static char *read_file(const char *name, size_t *size)
{
	FILE *file = strcmp(name, "-") ? fopen(name, "rb") : stdin;
	char *text = file ? read_all(file, size) : NULL;

	if (!text || ferror(file)) {
		fprintf(stderr, "replay: %s: %s\n", name, strerror(errno));
		exit(2);
	}
	if (file != stdin)
		fclose(file);
	return text;
}

static unsigned long long ull(uint64_t value)
{
	return value;
}

/* JSON */

static const char *comma(bool *first)
{
	const char *c = *first ? "" : ",";

	*first = false;
	return c;
}

static void json_e820(void)
{
	bool first = true;

	printf("{\"e820\":[");
	for (uint32_t i = 0; i < e820_map.nr_ranges; i++)
		printf("%s\n {\"base\":\"0x%llx\",\"size\":\"0x%llx\",\"type\":%u}", comma(&first),
		       ull(e820_map.ranges[i].base), ull(e820_map.ranges[i].size),
		       e820_map.ranges[i].type);
	printf("],\n\"corrections\":[");
	first = true;
	for (uint32_t i = 0; i < e820_map.nr_corrections && i < E820_MAX_CORRECTIONS; i++)
		printf("%s\n {\"what\":\"%s\",\"base\":\"0x%llx\",\"size\":\"0x%llx\"}",
		       comma(&first), e820_what_name(e820_map.corrections[i].what),
		       ull(e820_map.corrections[i].base), ull(e820_map.corrections[i].size));
	printf("],\n");
}

static void json_memblock(void)
{
	struct memblock_region *r;
	bool first = true;

	printf("\"memory\":[");
	for_each_mem_region(r)
		printf("%s\n {\"base\":\"0x%llx\",\"size\":\"0x%llx\",\"node\":%d}", comma(&first),
		       ull(r->base), ull(r->size), memblock_get_region_node(r));
	printf("],\n\"reserved\":[");
	first = true;
	for_each_reserved_mem_region(r)
		printf("%s\n {\"base\":\"0x%llx\",\"size\":\"0x%llx\"}", comma(&first),
		       ull(r->base), ull(r->size));
	printf("],\n");
}

static void json_zone(const struct zone *z)
{
	uint64_t counts[NR_ORDERS];
	bool first = true;

	zone_free_blocks(z, counts);
	printf("{\"name\":\"%s\",\"start_pfn\":%llu,\"end_pfn\":%llu,\"present\":%llu,"
	       "\"free\":%llu,\"free_blocks\":[",
	       z->name, ull(z->start_pfn), ull(z->end_pfn), ull(z->present),
	       ull(zone_free_frames(z)));
	for (unsigned int k = 0; k < NR_ORDERS; k++)
		printf("%s%llu", comma(&first), ull(counts[k]));
	printf("]}");
}

static void json_allocator(void)
{
	bool first = true;
	pfn_t start = 0, end;

	printf("\"zones\":[");
	for_each_zone(z) {
		printf("%s\n ", comma(&first));
		json_zone(z);
	}
	printf("],\n\"free\":[");
	first = true;
	for (; next_free_range(&start, &end); start = end)
		printf("%s\n {\"base\":\"0x%llx\",\"size\":\"0x%llx\"}", comma(&first),
		       ull(PFN_PHYS(start)), ull(PFN_PHYS(end - start)));
	printf("],\n\"mem_map\":{\"bytes_per_frame\":%zu,\"bytes\":%llu,\"allocator_bytes\":%llu,"
	       "\"page_table_bytes\":%llu},\n",
	       sizeof(struct page), ull(sim_mem_map_bytes), ull(zones_bytes),
	       ull(paging_table_bytes()));
}

static void json_checks(const struct check_result *checks, unsigned int nr)
{
	bool first = true;

	printf("\"checks\":[");
	for (unsigned int i = 0; i < nr; i++)
		printf("%s\n {\"name\":\"%s\",\"ok\":%s}", comma(&first), checks[i].name,
		       checks[i].ok ? "true" : "false");
	printf("]}\n");
}

/* Text */

static void text_type(uint32_t type)
{
	const char *name = e820_type_name(type);

	if (name)
		printf("%s\n", name);
	else
		printf("type %u\n", type);
}

static void text_e820(const struct mapfile *map)
{
	printf("As given, %u entries:\n", map->nr);
	for (uint32_t i = 0; i < map->nr; i++) {
		const struct e820_entry *e = &map->entries[i];

		printf("  [mem 0x%016llx-0x%016llx] ", ull(e->base), ull(e->base + e->size - 1));
		text_type(e->type);
	}
	printf("Corrected, %u ranges, %u corrections:\n", e820_map.nr_ranges,
	       e820_map.nr_corrections);
	for (uint32_t i = 0; i < e820_map.nr_ranges; i++) {
		const struct e820_range *r = &e820_map.ranges[i];

		printf("  [mem 0x%016llx-0x%016llx] ", ull(r->base), ull(r->base + r->size - 1));
		text_type(r->type);
	}
	for (uint32_t i = 0; i < e820_map.nr_corrections && i < E820_MAX_CORRECTIONS; i++) {
		const struct e820_correction *c = &e820_map.corrections[i];

		printf("  entry %u, %s: [mem 0x%016llx-0x%016llx]\n", c->entry,
		       e820_what_name(c->what), ull(c->base), ull(c->base + c->size - 1));
	}
}

static void text_allocator(void)
{
	pfn_t start = 0, end;

	for_each_zone(z) {
		uint64_t counts[NR_ORDERS];

		zone_free_blocks(z, counts);
		printf("Node 0, zone %8s ", z->name);
		for (unsigned int k = 0; k < NR_ORDERS; k++)
			printf("%6llu ", ull(counts[k]));
		printf("\n");
	}
	for (; next_free_range(&start, &end); start = end)
		printf("free [mem 0x%016llx-0x%016llx]\n", ull(PFN_PHYS(start)),
		       ull(PFN_PHYS(end) - 1));
	printf("mem_map %llu KiB, allocator %llu KiB, page tables %llu KiB\n",
	       ull(sim_mem_map_bytes >> 10), ull(zones_bytes >> 10),
	       ull(paging_table_bytes() >> 10));
	if (sim_left_out)
		printf("left out, beyond 64 TiB: %llu KiB of RAM\n", ull(sim_left_out >> 10));
}

static void text_checks(const struct check_result *checks, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		printf("%s - %s\n", checks[i].ok ? "ok" : "not ok", checks[i].name);
}

static int replay(const char *name, bool json)
{
	static struct mapfile map;
	struct check_result checks[CHECKS_MAX];
	struct sim_options options = { .pdpe1gb = true,
				       .kernel_size = KERNEL_IMAGE_SIZE,
				       .seed = 1 };
	struct e820_taken kernel;
	const char *error;
	size_t size;
	char *text = read_file(name, &size);
	unsigned int nr, failed = 0;

	if (mapfile_parse(&map, text, size)) {
		if (map.line)
			fprintf(stderr, "replay: %s:%u: %s\n", name, map.line, map.error);
		else
			fprintf(stderr, "replay: %s: %s\n", name, map.error);
		return 2;
	}
	free(text);
	sim_log = stderr;
	if (sim_boot(map.entries, map.nr, &options, &kernel, &error)) {
		fprintf(stderr, "replay: %s: %s\n", name, error);
		return 2;
	}
	if (json) {
		json_e820();
		json_memblock();
		json_allocator();
	} else {
		text_e820(&map);
		text_allocator();
	}
	nr = checks_run(&map, &kernel, checks);
	for (unsigned int i = 0; i < nr; i++)
		failed += !checks[i].ok;
	(json ? json_checks : text_checks)(checks, nr);
	return failed ? 1 : 0;
}

/* Too little RAM for the books: the kernel would say the same and stop. */
static int replay_or_panic(const char *name, bool json)
{
	jmp_buf on_panic;
	int status = 2;

	sim_panic_jump = &on_panic;
	if (!setjmp(on_panic))
		status = replay(name, json);
	else
		fprintf(stderr, "replay: %s: %s\n", name, sim_panic_text);
	sim_panic_jump = NULL;
	return status;
}

int main(int argc, char **argv)
{
	bool json = argc > 1 && !strcmp(argv[1], "--json");
	const char *name = argc == 2 + json ? argv[1 + json] : NULL;
	int status;

	if (name && !json && (!strcmp(name, "--help") || !strcmp(name, "-h"))) {
		fputs(usage, stdout);
		return 0;
	}
	if (!name || (name[0] == '-' && name[1])) {
		fputs(usage, stderr);
		return 2;
	}
	status = replay_or_panic(name, json);
	if (fflush(stdout)) {
		fprintf(stderr, "replay: standard output: %s\n", strerror(errno));
		return 2;
	}
	return status;
}
