/*
 * job.h: reads one map, boots it on the simulated machine and prints the result, as replay.c or
 * the web page asks for.
 */
#ifndef TOOLS_REPLAY_JOB_H
#define TOOLS_REPLAY_JOB_H

#include <stdio.h>

#include "lib/e820.h"
#include "tools/replay/mapfile.h"

enum output { TEXT, JSON, SVG, MAP_FILE };

/* An ACPI table, as a file has it. */
struct table {
	const char *name; /* of the file; NULL: no table */
	void *bytes;
	size_t size;
};

/* What is asked for, and what one step leaves for the next. */
extern struct job {
	enum output output;
	const char *name;    /* of the file; "-": standard input */
	unsigned int number; /* of the map; 0: the last complete one */
	uint64_t kernel_size;
	struct table srat, slit;
	struct mapfile map;
	struct e820_taken kernel;
} job;

/* Reads job.map from the file job.name. Returns false, after a message, when it has no map. */
bool job_read_map(void);

/*
 * Prints job.map in the form job.output, after booting it unless that is MAP_FILE. Returns 0 if all
 * checks hold, 1 if one fails, and 2, after a message, if the map cannot be booted.
 */
int job_run(void);

/* Prints the forms of maps and logs that are read. */
void job_list_forms(FILE *out);

#endif
