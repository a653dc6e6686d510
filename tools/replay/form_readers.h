/*
 * form_readers.h: what forms.c and the readers of single forms share.
 */
#ifndef TOOLS_REPLAY_FORM_READERS_H
#define TOOLS_REPLAY_FORM_READERS_H

#include "tools/replay/forms.h"

/*
 * Reads what stands at the cursor, moves the cursor behind it and fills item, whose entry has
 * length 20. Returns false when it is not of the reader's form, or only a part of an entry.
 */
typedef bool form_reader(struct forms *forms, struct cursor *c, struct item *item);

form_reader form_linux_mem; /* [mem 0x..-0x..] TYPE, whatever stands before it */
form_reader form_xen_pair;  /* [.., ..] (TYPE) */
form_reader form_range;     /* .. - .. (TYPE), .. @ .. (TYPE), N: .. - .. = TYPE */
form_reader form_iomem;
form_reader form_memmap;
form_reader form_smap;
form_reader form_openbsd;
form_reader form_netbsd;
form_reader form_grub;
form_reader form_grub1;
form_reader form_json;

/* Reads the content of a file of memmap, when its name stood on an earlier line: head's form. */
form_reader form_memmap_value;

/* Returns whether this label stands before `at`, and behind the item before. */
bool forms_label(const struct forms *forms, const char *at, const char *label);

/* Returns whether something may begin at `at`: no word of a sentence stands directly before it. */
bool forms_first(const struct forms *forms, const char *at);

/* Makes item a damaged entry. Returns true. */
bool forms_damaged(struct item *item, const char *error);

#endif
