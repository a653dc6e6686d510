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

#include "tools/replay/input.h"
#include "tools/replay/job.h"

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

#define TABLE_MAX ((size_t)1 << 20)

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

/* Reads all files. Returns false, after a message, when one of them cannot be used. */
static bool read_input(void)
{
	if (!job_read_map() || !read_table(&job.srat) || !read_table(&job.slit))
		return false;
	if (!job.map.nr_nodes || (!job.srat.name && !job.slit.name))
		return true;
	fprintf(stderr,
		"replay: %s: has lines `node N start length`, so it cannot be used with "
		"--srat or --slit\n",
		job.name);
	return false;
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
			printf("%s%s\n", usage, help);
			job_list_forms(stdout);
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
	status = read_input() ? job_run() : 2;
	if (fflush(stdout)) {
		fprintf(stderr, "replay: standard output: %s\n", strerror(errno));
		return 2;
	}
	return status;
}
