/*
 * replay.c: runs the memory map of another machine through the kernel's own code, on a host.
 *
 *   replay [--json | --svg | --map-file] [--map N] [--kernel KIB] [--srat FILE] [--slit FILE]
 *          FILE|-|--here
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
#include "tools/replay/forms.h"
#include "tools/replay/input.h"
#include "tools/replay/map_lines.h"
#include "tools/replay/mapfile.h"
#include "tools/replay/print.h"
#include "tools/replay/replay_svg.h"

static const char usage[] =
    "usage: replay [--json | --svg | --map-file] [--map N] [--kernel KIB] [--srat FILE]\n"
    "              [--slit FILE] FILE|-|--here\n";

static const char help[] =
    "\n"
    "Runs a memory map through firstpage's memory set-up and prints the result.\n"
    "FILE (- is standard input) is a map, with a line `start length type [attributes]` for each\n"
    "entry, lines `node N start length` that say which memory belongs to which NUMA node, and\n"
    "comments after #; or a log, in any encoding, with lines of a form that --help lists.\n"
    "\n"
    "  --here        take the map of this machine, " INPUT_HERE "\n"
    "  --map N       of several maps in FILE take the Nth, not the last complete one\n"
    "  --map-file    print the map that was read as a map file, and end\n"
    "  --json        print the result as one JSON object\n"
    "  --svg         draw it: the map as given and as corrected, nodes, zones, free blocks\n"
    "  --kernel KIB  reserve a kernel image of KIB KiB, instead of the size of this build's\n"
    "  --srat FILE   the firmware's table of nodes, as /sys/firmware/acpi/tables/SRAT has it\n"
    "  --slit FILE   the firmware's table of distances, as .../SLIT has it\n"
    "  --help        print this help\n"
    "\n"
    "Exit status: 0 if all checks hold, 1 if one fails, 2 if the input cannot be used.\n";

static const char forms_head[] = "Forms that are read, whatever stands before them in a line:\n";

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
	enum output { TEXT, JSON, SVG, MAP_FILE } output;
	const char *name;    /* of the file; "-": standard input */
	unsigned int number; /* of the map; 0: the last complete one */
	uint64_t kernel_size;
	struct table srat, slit;
	struct mapfile map;
	struct e820_taken kernel;
} job = { .kernel_size = KERNEL_IMAGE_SIZE };

/* Returns what the input is called in messages and comments. */
static const char *shown_name(void)
{
	return strcmp(job.name, "-") ? job.name : "standard input";
}

/* Says why there is no directory with the map of this machine, and what else can be given. */
static void report_not_here(const char *error)
{
	fprintf(
	    stderr,
	    "replay: " INPUT_HERE ": %s. Containers hide it, and so do Xen and systems on other "
	    "processors than x86.\n"
	    "Give the log instead: sudo dmesg | replay -   or: sudo cat /proc/iomem | replay -\n",
	    error);
}

/* Returns the number of memmap's entry in this line of what was read from a directory. */
static unsigned int entry_of_line(const struct input *input, unsigned int line)
{
	const char *at = input->bytes;

	while (--line > 0)
		at = strchr(at, '\n') + 1;
	return (unsigned int)strtoul(at, NULL, 10);
}

/* Says why the input cannot be used, and if nothing in it looks like a map, what would. */
static void report_error(const struct input *input)
{
	const struct mapfile *map = &job.map;
	const char *kind = map->no_map ? input_kind(input) : NULL;

	/* The list comes first, so that the reason stays on the screen. */
	if (map->no_map && !kind) {
		fprintf(stderr, "%s", forms_head);
		forms_list(stderr);
	}
	if (map->line && input->directory)
		fprintf(stderr, "replay: %s/%u: %s\n", job.name, entry_of_line(input, map->line),
			map->error);
	else if (map->line)
		fprintf(stderr, "replay: %s:%u: %s\n", job.name, map->line, map->error);
	else
		fprintf(stderr, "replay: %s: %s\n", job.name, kind ? kind : map->error);
	if (map->line && map->nr_maps > 1)
		fprintf(stderr, "replay: %s: that is map %u of %u (--map N for another)\n",
			job.name, map->number, map->nr_maps);
	if (map->line && !input->directory && map->quoted[0])
		fprintf(stderr, "Found: `%s`\n", map->quoted);
	if (map->line && !input->directory)
		fprintf(stderr, "Expected: %s: `%s`; replay --help lists the other forms.\n",
			forms_name((enum form)map->form), forms_example((enum form)map->form));
}

/* Warns of a number in a map file that is alone decimal among hexadecimal ones. */
static void report_decimal(void)
{
	const struct mapfile *map = &job.map;

	for (size_t i = 0; i < 2; i++)
		if (map->columns[i].hex > 1 && map->columns[i].decimal == 1)
			fprintf(stderr,
				"replay: %s:%u: the %s is decimal, unlike all others: does it lack "
				"its 0x?\n",
				job.name, map->columns[i].line, i ? "length" : "start");
}

/* Says which of several maps is used. */
static void report_choice(void)
{
	const struct mapfile *map = &job.map;

	if (map->nr_maps < 2)
		return;
	fprintf(stderr, "replay: %s: map %u of %u (--map N for another): %s, lines %u to %u\n",
		job.name, map->number, map->nr_maps, mapfile_what(map), map->first_line,
		map->last_line);
	fprintf(stderr, "replay: %s: the others: %s\n", job.name, map->others);
	if (map->passed_error)
		fprintf(stderr, "replay: %s:%u: map %u is not complete: %s\n", job.name,
			map->passed_line, map->nr_maps, map->passed_error);
}

static bool read_map(void)
{
	struct input input;
	bool good = input_read(&input, job.name);

	if (good) {
		good = !mapfile_parse(&job.map, input.bytes, input.size, job.number);
		if (input.directory)
			job.map.first_line = 0;
		if (!good) {
			report_error(&input);
		} else {
			report_choice();
			report_decimal();
		}
	} else if (!strcmp(job.name, INPUT_HERE)) {
		report_not_here(input.error);
	} else {
		fprintf(stderr, "replay: %s: %s\n", job.name, input.error);
	}
	free(input.bytes);
	return good;
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
	switch (job.output) {
	case TEXT:
		print_text(&job.map);
		break;
	case JSON:
		print_json();
		break;
	case SVG:
		replay_svg(job.name, &job.map, &job.kernel, NULL);
		break;
	case MAP_FILE:
		break;
	}
}

static int print_checks(void)
{
	struct check_result checks[CHECKS_MAX];
	unsigned int nr = checks_run(&job.map, &job.kernel, checks), failed = 0;

	if (job.output == TEXT)
		print_text_checks(checks, nr);
	else if (job.output == JSON)
		print_json_checks(checks, nr);
	for (unsigned int i = 0; i < nr; i++) {
		failed += !checks[i].ok;
		if (job.output == SVG && !checks[i].ok)
			fprintf(stderr, "replay: %s: not ok - %s\n", job.name, checks[i].name);
	}
	return failed ? 1 : 0;
}

static int replay(void)
{
	const char *error;

	if (!read_input())
		return 2;
	if (job.output == MAP_FILE) {
		map_lines_write(stdout, &job.map, shown_name());
		return 0;
	}
	sim_log = stderr;
	error = boot();
	if (!error) {
		print_memory();
		return print_checks();
	}
	fprintf(stderr, "replay: %s: %s\n", job.name, error);
	if (job.output == SVG)
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

/* Returns the number that text gives, or 0 if it gives none from 1 to a million. */
static unsigned int parse_number(const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	return *end || number > 1000000 ? 0 : (unsigned int)number;
}

/* Prints what is wrong with the arguments, given as words before and behind the value. Returns
 * false. */
static bool wrong(const char *before, const char *value, const char *behind)
{
	fprintf(stderr, "replay: %s%s%s\n", before, value, behind);
	return false;
}

/* Sets the form of the output. Returns false, after a message, if it is not the only one. */
static bool set_output(enum output output)
{
	bool first = job.output == TEXT;

	job.output = output;
	return first || wrong("only one of --json, --svg and --map-file can be given", "", "");
}

/* Checks what is known when all arguments are read. Returns false, after a message, if it is wrong.
 */
static bool arguments_fit(int nr_left, char **left)
{
	if (!job.name)
		return wrong("no FILE is given; - is standard input, --here this machine", "", "");
	if (nr_left > 0)
		return wrong("one map is read, and there is one FILE too many: ", left[0], "");
	if (job.output == MAP_FILE && (job.srat.name || job.slit.name))
		return wrong("the nodes of --srat and --slit are not part of a map file", "", "");
	return true;
}

/* Fills job from the arguments. Returns false, after a message, if they are not as in usage[]. */
static bool parse_arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "svg", no_argument, NULL, 's' },
		{ "map-file", no_argument, NULL, 'f' },
		{ "map", required_argument, NULL, 'm' },
		{ "here", no_argument, NULL, 'e' },
		{ "kernel", required_argument, NULL, 'k' },
		{ "srat", required_argument, NULL, 'r' },
		{ "slit", required_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool good = true;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			printf("%s%s\n%s", usage, help, forms_head);
			forms_list(stdout);
			exit(0);
		case 'k':
			job.kernel_size = parse_kernel(optarg);
			good = good &&
			       (job.kernel_size ||
				wrong("--kernel ", optarg, ": not a number of KiB, 1 to 1048576"));
			break;
		case 'm':
			job.number = parse_number(optarg);
			good = good &&
			       (job.number || wrong("--map ", optarg, ": not a number from 1"));
			break;
		case 'r':
			job.srat.name = optarg;
			break;
		case 'l':
			job.slit.name = optarg;
			break;
		case 'e':
			job.name = INPUT_HERE;
			break;
		case 'j':
			good = set_output(JSON) && good;
			break;
		case 's':
			good = set_output(SVG) && good;
			break;
		case 'f':
			good = set_output(MAP_FILE) && good;
			break;
		default:
			good = false;
		}
	}
	if (!job.name && optind < argc)
		job.name = argv[optind++];
	return good && arguments_fit(argc - optind, argv + optind);
}

int main(int argc, char **argv)
{
	int status;

	if (!parse_arguments(argc, argv)) {
		fprintf(stderr, "%sreplay --help explains them.\n", usage);
		return 2;
	}
	status = replay();
	if (fflush(stdout)) {
		fprintf(stderr, "replay: standard output: %s\n", strerror(errno));
		return 2;
	}
	return status;
}
