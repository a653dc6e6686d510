/*
 * replay.c: runs the memory map of another machine through the kernel's own code, on a host.
 *
 *   replay [--json | --svg] [--kernel KIB] [--srat FILE] [--slit FILE] FILE|-
 *
 * It reads a map or a log (mapfile.h), and ACPI's tables of NUMA nodes, corrects them, builds
 * memblock, page tables, mem_map and the allocator over simulated memory, allocates all of it and
 * frees it again, and prints the result. Exit status: 0 if all checks hold, 1 if one fails, 2 if
 * the input cannot be used.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_size.h"
#include "tests/host/sim/checks.h"
#include "tests/host/sim/sim.h"
#include "tools/replay/mapfile.h"
#include "tools/replay/print.h"
#include "tools/replay/replay_svg.h"

static const char usage[] =
    "usage: replay [--json | --svg] [--kernel KIB] [--srat FILE] [--slit FILE] FILE|-\n"
    "\n"
    "Runs a memory map through firstpage's memory set-up and prints the result.\n"
    "FILE (- is standard input) is a map, with a line `start length type [attributes]` for each\n"
    "entry and comments after #, or a log with Linux's BIOS-e820: lines. In a map, lines\n"
    "`node N start length` say which memory belongs to which NUMA node.\n"
    "\n"
    "  --json        print the result as one JSON object\n"
    "  --svg         draw it: the map as given and as corrected, nodes, zones, free blocks\n"
    "  --kernel KIB  reserve a kernel image of KIB KiB, instead of the size of this build's\n"
    "  --srat FILE   the firmware's table of nodes, as /sys/firmware/acpi/tables/SRAT has it\n"
    "  --slit FILE   the firmware's table of distances, as .../SLIT has it\n"
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

#define TABLE_MAX ((size_t)1 << 20)

/* An ACPI table, as a file has it. */
struct table {
	const char *name; /* of the file; NULL: no table */
	void *bytes;
	size_t size;
};

/*
 * Reads a table, if it has a file. Returns false, after a message, when the file cannot be read or
 * is too large for a table.
 */
static bool read_table(struct table *table)
{
	FILE *file;

	if (!table->name)
		return true;
	file = fopen(table->name, "rb");
	table->bytes = malloc(TABLE_MAX + 1);
	if (file && table->bytes)
		table->size = fread(table->bytes, 1, TABLE_MAX + 1, file);
	if (!file || !table->bytes || ferror(file)) {
		fprintf(stderr, "replay: %s: %s\n", table->name, strerror(errno));
		return false;
	}
	fclose(file);
	if (table->size > TABLE_MAX)
		fprintf(stderr, "replay: %s: larger than 1 MiB, so not an ACPI table\n",
			table->name);
	return table->size <= TABLE_MAX;
}

/* What the command line asks for, and what one step leaves for the next. */
static struct {
	enum form { TEXT, JSON, SVG } form;
	const char *name;
	uint64_t kernel_size;
	struct table srat, slit;
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

/* Reads all files. Returns false, after a message, when one of them cannot be used. */
static bool read_input(void)
{
	if (!read_map() || !read_table(&job.srat) || !read_table(&job.slit))
		return false;
	if (!job.map.nr_nodes || (!job.srat.name && !job.slit.name))
		return true;
	fprintf(stderr,
		"replay: %s: has lines `node N start length`, so it cannot be used with "
		"--srat or --slit\n",
		job.name);
	return false;
}

/*
 * Boots the map. Returns NULL, or why that is impossible. When there is too little RAM for the
 * allocator's metadata, the kernel would panic with the same words.
 */
static const char *boot(void)
{
	struct sim_options options = {
		.pdpe1gb = true,
		.kernel_size = job.kernel_size,
		.seed = 1,
		.nodes = job.map.nodes,
		.nr_nodes = job.map.nr_nodes,
		.srat = job.srat.bytes,
		.srat_size = (uint32_t)job.srat.size,
		.slit = job.slit.bytes,
		.slit_size = (uint32_t)job.slit.size,
	};
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
		print_text(&job.map);
		break;
	case JSON:
		print_json();
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
		print_text_checks(checks, nr);
	else if (job.form == JSON)
		print_json_checks(checks, nr);
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

	if (!read_input())
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
		{ "srat", required_argument, NULL, 'r' },
		{ "slit", required_argument, NULL, 'l' },
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
		} else if (c == 'r') {
			job.srat.name = optarg;
		} else if (c == 'l') {
			job.slit.name = optarg;
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
