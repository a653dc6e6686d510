/*
 * walk.h: finds the maps in a log, and collects the entries of one.
 */
#ifndef TOOLS_REPLAY_WALK_H
#define TOOLS_REPLAY_WALK_H

#include "tools/replay/forms.h"
#include "tools/replay/mapfile.h"
#include "tools/replay/text.h"

/* What is known of a map in a log. */
struct found {
	enum form form;
	enum rank rank;
	const char *label;
	uint32_t source;     /* source_of() its lines */
	bool open;           /* more entries may follow */
	bool headed;         /* a line heads it */
	bool usable;         /* it has RAM */
	bool hidden;         /* all its addresses are 0 */
	bool removed, added; /* it has lines that a diff marks so */
	uint32_t nr;         /* entries */
	uint32_t announced;  /* how many its header says; 0: nothing */
	uint64_t first;      /* the first entry's start, or its number */
	uint64_t first_size;
	uint64_t top; /* iomem: the start of the last entry that is as far left as the first */
	unsigned int indent; /* iomem: of the first entry */
	struct e820_entry latest;
	unsigned int first_line, last_line;
	const char *error; /* why it is not complete; NULL: no line of it is damaged */
	unsigned int error_line;
};

/* A walk over a log. */
struct walk {
	struct forms forms;
	struct found *maps;
	uint32_t nr, room;
	bool headed; /* a header came, and no entry after it */
	uint32_t announced;
	unsigned int line;
	unsigned int suspect_line; /* the last one that nothing of a map should follow */
	uint32_t suspect_source;   /* source_of() it */
	const char *suspect;       /* what is wrong with it */
	const char *entry_at;      /* the line of the last entry */
	unsigned int entry_line;   /* its number; of a wrapped one, that of its end */
	uint32_t last;             /* the map of the last entry */
	/* The second walk: */
	struct mapfile *collect;
	uint32_t wanted;
	bool no_memory;
};

/*
 * Reads all lines of text into walk, which is zero but for collect and wanted. Returns NULL, or
 * what is wrong with the map that is wanted, in walk->line. walk->maps is to be freed by the
 * caller.
 */
const char *walk_lines(struct walk *walk, const struct text *text);

#endif
