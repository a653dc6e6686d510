/*
 * forms.h: finds the entries of memory maps in the lines of a log, whichever program wrote them.
 *
 * A line may hold anything before an entry, and some things after it. It may hold several entries,
 * if a log lost its line ends.
 */
#ifndef TOOLS_REPLAY_FORMS_H
#define TOOLS_REPLAY_FORMS_H

#include <stdio.h>

#include "include/e820.h"
#include "tools/replay/scan.h"

enum form {
	FORM_MAP,       /* lines of a map file */
	FORM_LINUX,     /* BIOS-e820: and the other labels of Linux */
	FORM_XEN,       /* Xen's hypervisor */
	FORM_IOMEM,     /* /proc/iomem */
	FORM_MEMMAP,    /* /sys/firmware/memmap */
	FORM_SEABIOS,   /* SeaBIOS's debug output */
	FORM_SMAP,      /* FreeBSD */
	FORM_OPENBSD,   /* OpenBSD's boot loader, machine memory */
	FORM_NETBSD,    /* NetBSD, built with DEBUG_MEMLOAD */
	FORM_GRUB,      /* GRUB 2, lsmmap */
	FORM_GRUB1,     /* GRUB 0.9x, displaymem */
	FORM_REPLAY,    /* replay's text, As given */
	FORM_BARE,      /* ranges and types without any label */
	FORM_CORRECTED, /* what firstpage or replay made of a map: text, or replay's JSON */
};

/*
 * How much a form is trusted to be a map of the firmware. The maps of the best rank that an input
 * has are its maps, and those of a worse rank do not count.
 */
enum rank {
	RANK_SURE,
	RANK_BARE,      /* lines without a label: another line of a log could look like that */
	RANK_CORRECTED, /* what was made of a map */
};

enum item_kind {
	ITEM_ENTRY,
	ITEM_DAMAGED, /* an entry that cannot be read: cut, or overwritten by another line */
	ITEM_HEADER,  /* a line that a map follows, or that begins another boot */
};

struct item {
	enum item_kind kind;
	enum form form;
	enum rank rank;
	const char *label;       /* of the map, for messages; the same pointer for the same label */
	struct e820_entry entry; /* ITEM_ENTRY */
	uint32_t number;         /* memmap: of the entry */
	uint32_t announced;      /* ITEM_HEADER: how many entries follow; 0: it does not say */
	unsigned int indent;     /* iomem: blanks before the entry */
	const char *error;       /* ITEM_DAMAGED: what is wrong, in words */
};

enum memmap_file { FILE_NONE, FILE_START, FILE_END, FILE_TYPE };

/* What is remembered of earlier lines. All zero before the first line. */
struct forms {
	enum section { SECTION_OTHER, SECTION_GIVEN, SECTION_CORRECTED, SECTION_XEN } section;
	const char *line;  /* where the line begins */
	const char *found; /* where the item before ends, at first where the line begins */
	const char *xen;   /* where the line says that it is Xen's; NULL: nowhere */
	/* iomem: the entry before. */
	unsigned int outer_indent;
	uint64_t outer_first, outer_last;
	struct {
		bool base, size, type;
		struct e820_entry entry;
		uint32_t number;
		enum memmap_file wait; /* its content comes on a later line */
	} part;                        /* of an entry that takes several lines */
};

/* Begins the line of c, and ends c where a comment begins: a comment has no entries. */
void forms_begin(struct forms *forms, struct cursor *c);

/* Finds the next item in the rest of the line, and moves c behind it. */
bool forms_next(struct forms *forms, struct cursor *c, struct item *item);

/* Returns whether the rest of a line, c, ends with a label of Linux: the entry is on the next line.
 */
bool forms_ends_with_label(const struct forms *forms, const struct cursor *c);

/* Returns whether an entry of several lines has begun and not ended. */
bool forms_incomplete(const struct forms *forms);

/* Returns the name of a form, for messages. */
const char *forms_name(enum form form);

/* Returns a line of a form. */
const char *forms_example(enum form form);

/* Lists all forms that are read, with a line of each. */
void forms_list(FILE *out);

#endif
