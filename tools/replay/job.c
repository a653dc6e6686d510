#include "tools/replay/job.h"

#include <stdlib.h>
#include <string.h>

#include "kernel_size.h"
#include "lib/e820.h"
#include "tests/host/sim/checks.h"
#include "tests/host/sim/sim.h"
#include "tools/replay/forms.h"
#include "tools/replay/input.h"
#include "tools/replay/map_lines.h"
#include "tools/replay/print.h"
#include "tools/replay/replay_svg.h"

struct job job = { .kernel_size = KERNEL_IMAGE_SIZE };

void job_list_forms(FILE *out)
{
	fprintf(out, "Forms that are read, whatever stands before them in a line:\n");
	forms_list(out);
}

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
	if (map->no_map && !kind)
		job_list_forms(stderr);
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

bool job_read_map(void)
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

/* What boot() tells sim_boot(), and what that says. */
struct boot {
	struct sim_options options;
	const char *error;
};

static void boot_map(void *argument)
{
	struct boot *boot = argument;

	if (!sim_boot(job.map.entries, job.map.nr, &boot->options, &job.kernel, &boot->error))
		boot->error = NULL;
}

/*
 * Boots the map. Returns NULL, or why that is impossible. When there is too little RAM for the
 * allocator's metadata, the kernel would panic with the same words.
 */
static const char *boot(void)
{
	struct boot boot = {
		.options = {
			.pdpe1gb = true,
			.kernel_size = job.kernel_size,
			.seed = 1,
			.nodes = job.map.nodes,
			.nr_nodes = job.map.nr_nodes,
			.srat = job.srat.bytes,
			.srat_size = (uint32_t)job.srat.size,
			.slit = job.slit.bytes,
			.slit_size = (uint32_t)job.slit.size,
		},
	};

	return sim_panics(boot_map, &boot) ? sim_panic_text : boot.error;
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

int job_run(void)
{
	const char *error;

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
