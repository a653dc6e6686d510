/*
 * mapfile.h: reads the memory map of another machine from whatever its owner has: a map file
 * (map_lines.h), a log of Linux or of another system (forms.h), in any encoding (text.h).
 *
 * An input may hold several maps: the logs of two boots, the firmware's map and the user's. They
 * are never blended. A map ends where another label or form begins, at a line that heads a map or
 * begins a boot, where grep's file name or the name of the host changes, and, if no line heads it,
 * where an entry begins below the end of its first one. The lines of a map file are one map.
 *
 * The map that is taken is the last complete one: no line of it is damaged or missing, and it has
 * usable RAM. Lines that are not sure to be a map of the firmware (enum rank) count only if nothing
 * else is there.
 */
#ifndef TOOLS_REPLAY_MAPFILE_H
#define TOOLS_REPLAY_MAPFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "include/e820.h"
#include "lib/numa.h"

#define MAP_ORIGIN "# from "

struct mapfile {
	uint32_t nr;
	uint32_t nr_nodes; /* node lines */
	struct e820_entry entries[E820_MAX_RAW];
	struct numa_range nodes[NUMA_MAX_ENTRIES]; /* as given: in any order, of any size */

	/* The map that was taken. */
	unsigned int number, nr_maps;       /* which, from 1, of how many */
	unsigned int first_line, last_line; /* of its entries */
	unsigned int form;                  /* enum form */
	const char *label;                  /* the label of its lines, or "" */
	char origin[160];                   /* the first line, if it begins with MAP_ORIGIN */
	char others[200];                   /* the maps that were not taken, in words */
	/* Why the last map was not taken, and the line that shows it; NULL: there is no such. */
	unsigned int passed_line;
	const char *passed_error;

	/* A map file's starts and lengths, those with several digits, and the last decimal one's
	 * line. */
	struct {
		unsigned int hex, decimal, line;
	} columns[2];

	unsigned int line; /* where the error is, from 1; 0: it concerns the whole input */
	const char *error; /* what is wrong, in words; NULL: nothing */
	char quoted[120];  /* that line, or its begin */
	bool no_map;       /* the error is that nothing in the input looks like a map */
	char message[200];
};

/*
 * Parses size bytes, which may hold anything, into map: the map of this number, from 1, or with 0
 * the last complete one. Returns 0, or -1 with map->line and map->error set.
 */
int mapfile_parse(struct mapfile *map, const void *bytes, size_t size, unsigned int number);

/* Reads the first 64 KiB of the file called name and parses them; returns whether both worked. */
bool mapfile_read(struct mapfile *map, const char *name);

/* Returns what the map is, for messages: its label or its form. */
const char *mapfile_what(const struct mapfile *map);

/* Returns whether two entries are the same. */
bool mapfile_same(const struct e820_entry *a, const struct e820_entry *b);

/* Adds an entry. Returns NULL, or what is wrong. */
const char *mapfile_add(struct mapfile *map, const struct e820_entry *e);

#endif
