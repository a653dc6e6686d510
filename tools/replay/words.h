/*
 * words.h: the words that programs use for the types of a memory map's entries.
 */
#ifndef TOOLS_REPLAY_WORDS_H
#define TOOLS_REPLAY_WORDS_H

#include "tools/replay/scan.h"

/* Reads a type in the words of Linux's log, of any release, or of Xen's: "usable", "type 20". */
bool words_log(struct cursor *c, uint32_t *type);

/*
 * Reads the name of a type of E820 as /proc/iomem and /sys/firmware/memmap have it: "System RAM".
 * Nothing but blanks may follow it. Other names of /proc/iomem are not read.
 */
bool words_resource(struct cursor *c, uint32_t *type);

/* Reads a type in the words of GRUB's lsmmap. */
bool words_grub(struct cursor *c, uint32_t *type);

#endif
