/*
 * options.h: the command line, CMDLINE.TXT's one line.
 *
 *   mem=SIZE                 use this much RAM, from the lowest
 *   memmap=SIZE@START        RAM; # ACPI data, $ reserved, ! persistent memory; several by commas
 *   memmap=SIZE              the same as mem=SIZE
 *   memmap=exactmap          the firmware's map does not count, only memmap= does
 *   memblock=debug           log each change of memblock
 *   memtest=N                N patterns over free memory before the allocator stands; 0: none
 *   page_poison=on           fill freed frames, look at them when they are allocated again
 *   page_owner=on            keep who allocated and freed each frame: `page_owner`, `page PFN`
 *   debug_pagealloc=on       map no free frame (page tables: 0.2 % of RAM, from below 4 GiB)
 *   safe                     the safe ways, as by SHIFT held at boot: boot_info.safe, by stage2
 *   console=ttyS0[,115200]   only these consoles; may be repeated
 *   console=tty0
 *   run=CMD;CMD;…            monitor commands to run after boot; the rest of the line, so the last
 *
 * Names and meaning are Linux's where it has the option.
 */
#ifndef KERNEL_OPTIONS_H
#define KERNEL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/types.h"

#define OPTIONS_MAX_MEMMAPS  32
#define MEMTEST_MAX_PASSES   1000000 /* of memtest= and of the monitor's memtest */

#define OPTION_CONSOLE_TTYS0 0x1u
#define OPTION_CONSOLE_TTY0  0x2u

struct option_memmap {
	uint64_t base;
	uint64_t size;
	uint32_t type; /* enum e820_type */
};

struct options {
	uint64_t mem_limit; /* bytes; 0: no limit */
	struct option_memmap memmaps[OPTIONS_MAX_MEMMAPS];
	unsigned nr_memmaps;
	bool exactmap;
	bool memblock_debug;
	unsigned memtest_passes;
	unsigned debug;    /* MM_PAGE_POISON, MM_PAGE_OWNER, MM_DEBUG_PAGEALLOC: mm/debug.h */
	unsigned consoles; /* OPTION_CONSOLE_*; 0: all there are */
	const char *run;   /* inside the command line that was parsed; null: none */
};

extern struct options options;

/*
 * Fills result from a command line, which must stay. What is unknown or wrong is named to warn, a
 * line each, and left out; so the result can always be used. Returns the number of such warnings.
 */
unsigned options_parse(struct options *result, const char *line, print_fn warn);

#endif
