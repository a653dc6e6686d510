/*
 * options.h: the options of the command line, which is the line of CMDLINE.TXT.
 *
 *   mem=SIZE                 use only this much RAM, the lowest
 *   memmap=SIZE@START        add a range of RAM to the firmware's map. With # instead of @ it is
 *                            ACPI data, with $ reserved, with ! persistent memory. Several ranges
 *                            are separated by commas; there may be any number
 *   memmap=SIZE              the same as mem=SIZE
 *   memmap=exactmap          ignore the firmware's map, use only the ranges of memmap=
 *   memblock=debug           print memblock's arrays once they are filled
 *   memtest=N                test free memory with N patterns before the allocator takes it over;
 *                            0: no test
 *   page_poison=on           fill freed frames with a pattern, check it when they are allocated
 *   page_owner=on            record the callers that allocated and freed each frame, for the
 *                            commands `page_owner` and `page PFN`
 *   debug_pagealloc=on       unmap free frames. The page tables take 0.2 % of RAM, below 4 GiB
 *   numa=off                 one node has all memory, whatever the firmware says
 *   numa=fake=N              N nodes, 1 to 63, of about equal RAM, instead of the firmware's. With
 *                            numa=off as well there is one
 *   safe                     safe mode, as with SHIFT held at boot. stage2 acts on it too and sets
 *                            boot_info.safe
 *   console=ttyS0[,115200]   use only this console; may be repeated
 *   console=tty0
 *   run=CMD;CMD;…            run these commands of the monitor after the boot. The value is the
 *                            rest of the line, so this option is the last
 *
 * Names and meaning are Linux's where Linux has the option.
 */
#ifndef KERNEL_OPTIONS_H
#define KERNEL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/types.h"

#define MEMTEST_MAX_PASSES   1000 /* limit of memtest= and of the monitor's memtest */

#define OPTION_CONSOLE_TTYS0 0x1u
#define OPTION_CONSOLE_TTY0  0x2u

/* A range of memmap=: [base, base + size), not empty; it ends below 2^64. */
struct option_memmap {
	uint64_t base;
	uint64_t size;
	uint32_t type; /* enum e820_type */
};

struct options {
	const char *line;    /* the line that was parsed */
	uint64_t mem_limit;  /* bytes; 0: no limit */
	unsigned nr_memmaps; /* ranges of memmap=: options_for_each_memmap() */
	bool exactmap;
	bool memblock_debug;
	unsigned memtest_passes;
	unsigned debug; /* MM_PAGE_POISON, MM_PAGE_OWNER, MM_DEBUG_PAGEALLOC: mm/debug.h */
	bool numa_off;
	unsigned numa_fake; /* nodes; 0: those of the firmware */
	unsigned max_cpus;  /* how many may be online, at least 1; 0: all (maxcpus=) */
	unsigned consoles;  /* OPTION_CONSOLE_*; 0: all that the machine has */
	const char *run;    /* value of run=, inside the line that was parsed; null: none */
};

/* The options of this boot. */
extern struct options options;

/*
 * Fills result from the command line `line`, which must stay: result points into it. Options that
 * are unknown or have a wrong value are ignored, and of a list of memmap= each item that is wrong;
 * warn prints a line for each. Returns the number of such warnings. result can be used in any case.
 */
unsigned options_parse(struct options *result, const char *line, print_fn warn);

/*
 * Calls take for each range of memmap= in the line of `parsed`, in the order of the line. It reads
 * the line again, so their number is limited by nothing but the line's length.
 */
typedef void (*memmap_fn)(const struct option_memmap *entry);
void options_for_each_memmap(const struct options *parsed, memmap_fn take);

#endif
