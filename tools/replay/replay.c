/*
 * replay.c: runs the memory map of another machine through the kernel's own code, on a host.
 *
 *   replay [--json | --svg] [--kernel KIB] FILE|-
 *
 * It reads a map or a log (mapfile.h), corrects it, builds memblock, page tables, mem_map and the
 * allocator over simulated memory, allocates all of it and frees it again, and prints the result.
 * Exit status: 0 if all checks hold, 1 if one fails, 2 if the input cannot be used.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/paging.h"
#include "kernel_size.h"
#include "lib/format.h"
#include "mm/memblock.h"
#include "mm/page_state.h"
#include "mm/zone.h"
#include "tests/host/sim/checks.h"
#include "tests/host/sim/sim.h"
#include "tools/replay/mapfile.h"
#include "tools/replay/replay_svg.h"

static const char usage[] =
    "usage: replay [--json | --svg] [--kernel KIB] FILE|-\n"
    "\n"
    "Runs a memory map through firstpage's memory set-up and prints the result.\n"
    "FILE (- is standard input) is a map, with a line `start length type [attributes]` for each\n"
    "entry and comments after #, or a log with Linux's BIOS-e820: lines.\n"
    "\n"
    "  --json        print the result as one JSON object\n"
    "  --svg         draw it: the map as given and as corrected, zones, free blocks\n"
    "  --kernel KIB  reserve a kernel image of KIB KiB, instead of the size of this build's\n"
    "  --help        print this help\n"
    "\n"
    "Exit status: 0 if all checks hold, 1 if one fails, 2 if the input cannot be used.\n";

/* Returns all that can be read from file, *size bytes, or NULL when there is no memory for it. */
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

/* Returns the content of the file called name, *size bytes; reports an error and exits with 2. */
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

/* JSON */

/* Returns what stands before an element of a list: nothing before the first, else a comma. */
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
		       ULL(e820_map.ranges[i].base), ULL(e820_map.ranges[i].size),
		       e820_map.ranges[i].type);
	printf("],\n\"corrections\":[");
	first = true;
	for (uint32_t i = 0; i < e820_map.nr_corrections && i < E820_MAX_CORRECTIONS; i++)
		printf("%s\n {\"what\":\"%s\",\"base\":\"0x%llx\",\"size\":\"0x%llx\"}",
		       comma(&first), e820_what_name(e820_map.corrections[i].what),
		       ULL(e820_map.corrections[i].base), ULL(e820_map.corrections[i].size));
	printf("],\n");
}

static void json_memblock(void)
{
	struct memblock_region *r;
	bool first = true;

	printf("\"memory\":[");
	for_each_mem_region(r)
		printf("%s\n {\"base\":\"0x%llx\",\"size\":\"0x%llx\",\"node\":%d}", comma(&first),
		       ULL(r->base), ULL(r->size), memblock_get_region_node(r));
	printf("],\n\"reserved\":[");
	first = true;
	for_each_reserved_mem_region(r)
		printf("%s\n {\"base\":\"0x%llx\",\"size\":\"0x%llx\"}", comma(&first),
		       ULL(r->base), ULL(r->size));
	printf("],\n");
}

static void json_zone(const struct zone *z)
{
	uint64_t counts[NR_ORDERS];
	bool first = true;

	zone_free_blocks(z, counts);
	printf("{\"name\":\"%s\",\"start_pfn\":%llu,\"end_pfn\":%llu,\"present\":%llu,"
	       "\"free\":%llu,\"free_blocks\":[",
	       z->name, ULL(z->start_pfn), ULL(z->end_pfn), ULL(z->present),
	       ULL(zone_nr_free_pages(z)));
	for (unsigned int k = 0; k < NR_ORDERS; k++)
		printf("%s%llu", comma(&first), ULL(counts[k]));
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
		       ULL(PFN_PHYS(start)), ULL(PFN_PHYS(end - start)));
	printf("],\n\"mem_map\":{\"bytes_per_frame\":%zu,\"bytes\":%llu,\"allocator_bytes\":%llu,"
	       "\"page_table_bytes\":%llu},\n",
	       sizeof(struct page), ULL(sim_mem_map_bytes), ULL(zones_bytes),
	       ULL(paging_table_bytes()));
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

static void text_e820(const struct mapfile *map)
{
	char type[E820_TYPE_TEXT];

	printf("As given, %u entries:\n", map->nr);
	for (uint32_t i = 0; i < map->nr; i++) {
		const struct e820_entry *e = &map->entries[i];

		printf("  [mem 0x%016llx-0x%016llx] %s\n", ULL(e->base), ULL(e->base + e->size - 1),
		       e820_type_text(e->type, type));
	}
	printf("Corrected, %u ranges, %u corrections:\n", e820_map.nr_ranges,
	       e820_map.nr_corrections);
	for (uint32_t i = 0; i < e820_map.nr_ranges; i++) {
		const struct e820_range *r = &e820_map.ranges[i];

		printf("  [mem 0x%016llx-0x%016llx] %s\n", ULL(r->base), ULL(r->base + r->size - 1),
		       e820_type_text(r->type, type));
	}
	for (uint32_t i = 0; i < e820_map.nr_corrections && i < E820_MAX_CORRECTIONS; i++) {
		const struct e820_correction *c = &e820_map.corrections[i];

		printf("  entry %u, %s: [mem 0x%016llx-0x%016llx]\n", c->entry,
		       e820_what_name(c->what), ULL(c->base), ULL(c->base + c->size - 1));
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
			printf("%6llu ", ULL(counts[k]));
		printf("\n");
	}
	for (; next_free_range(&start, &end); start = end)
		printf("free [mem 0x%016llx-0x%016llx]\n", ULL(PFN_PHYS(start)),
		       ULL(PFN_PHYS(end) - 1));
	printf("mem_map %llu KiB, allocator %llu KiB, page tables %llu KiB\n",
	       ULL(sim_mem_map_bytes >> 10), ULL(zones_bytes >> 10),
	       ULL(paging_table_bytes() >> 10));
	if (sim_left_out)
		printf("not used, because it lies beyond 64 TiB: %llu KiB of RAM\n",
		       ULL(sim_left_out >> 10));
}

static void text_checks(const struct check_result *checks, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		printf("%s - %s\n", checks[i].ok ? "ok" : "not ok", checks[i].name);
}

/* What the command line asks for, and what one step leaves for the next. */
static struct {
	enum form { TEXT, JSON, SVG } form;
	const char *name;
	uint64_t kernel_size;
	struct mapfile map;
	struct e820_taken kernel;
} job = { .kernel_size = KERNEL_IMAGE_SIZE };

static bool read_map(void)
{
	size_t size;
	char *text = read_file(job.name, &size);
	bool bad = mapfile_parse(&job.map, text, size);

	free(text);
	if (bad && job.map.line)
		fprintf(stderr, "replay: %s:%u: %s\n", job.name, job.map.line, job.map.error);
	else if (bad)
		fprintf(stderr, "replay: %s: %s\n", job.name, job.map.error);
	return !bad;
}

/*
 * Boots the map. Returns NULL, or why that is impossible. When there is too little RAM for the
 * allocator's metadata, the kernel would panic with the same words.
 */
static const char *boot(void)
{
	struct sim_options options = { .pdpe1gb = true, .kernel_size = job.kernel_size, .seed = 1 };
	jmp_buf on_panic;
	const char *error;

	sim_panic_jump = &on_panic;
	if (setjmp(on_panic))
		error = sim_panic_text;
	else if (!sim_boot(job.map.entries, job.map.nr, &options, &job.kernel, &error))
		error = NULL;
	sim_panic_jump = NULL;
	return error;
}

static void print_memory(void)
{
	switch (job.form) {
	case TEXT:
		text_e820(&job.map);
		text_allocator();
		break;
	case JSON:
		json_e820();
		json_memblock();
		json_allocator();
		break;
	case SVG:
		replay_svg(job.name, &job.map, &job.kernel, NULL);
		break;
	}
}

static int print_checks(void)
{
	struct check_result checks[CHECKS_MAX];
	unsigned int nr = checks_run(&job.map, &job.kernel, checks), failed = 0;

	if (job.form == TEXT)
		text_checks(checks, nr);
	else if (job.form == JSON)
		json_checks(checks, nr);
	for (unsigned int i = 0; i < nr; i++) {
		failed += !checks[i].ok;
		if (job.form == SVG && !checks[i].ok)
			fprintf(stderr, "replay: %s: not ok - %s\n", job.name, checks[i].name);
	}
	return failed ? 1 : 0;
}

static int replay(void)
{
	const char *error;

	if (!read_map())
		return 2;
	sim_log = stderr;
	error = boot();
	if (!error) {
		print_memory();
		return print_checks();
	}
	fprintf(stderr, "replay: %s: %s\n", job.name, error);
	if (job.form == SVG)
		replay_svg(job.name, &job.map, NULL, error);
	return 2;
}

/* Returns the size in bytes that text gives in KiB, or 0 if it gives none up to 1 GiB. */
static uint64_t parse_kernel(const char *text)
{
	char *end;
	unsigned long kib = strtoul(text, &end, 10);

	return *end || kib > 1 << 20 ? 0 : (uint64_t)kib << 10;
}

/* Fills job from the arguments. Returns the file's name, or NULL if they are not as in usage[]. */
static const char *parse_arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "svg", no_argument, NULL, 's' },
		{ "kernel", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			exit(0);
		} else if (c == 'k') {
			job.kernel_size = parse_kernel(optarg);
		} else if (job.form != TEXT || c == '?') {
			return NULL;
		} else {
			job.form = c == 'j' ? JSON : SVG;
		}
	}
	return optind + 1 == argc && job.kernel_size ? argv[optind] : NULL;
}

int main(int argc, char **argv)
{
	int status;

	job.name = parse_arguments(argc, argv);
	if (!job.name) {
		fputs(usage, stderr);
		return 2;
	}
	status = replay();
	if (fflush(stdout)) {
		fprintf(stderr, "replay: standard output: %s\n", strerror(errno));
		return 2;
	}
	return status;
}
