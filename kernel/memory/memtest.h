/*
 * memtest.h: tests free memory with patterns, and keeps a list of the frames that failed.
 *
 * A pass writes one pattern to all of the memory and then reads all of it back. So what is read
 * comes from memory and not from a CPU cache, and two addresses that lead to one cell are found.
 * The pattern of pass 1 is a different word at each address, made from the address; that of pass 2
 * is its complement; those of later passes are one word everywhere. N passes use the first N
 * patterns, and begin with the first again after the last.
 *
 * A frame that has failed once is out of service until the next boot: it is on the list, and it
 * stays reserved in memblock, or allocated where the allocator already had it.
 */
#ifndef KERNEL_MEMORY_MEMTEST_H
#define KERNEL_MEMORY_MEMTEST_H

#include "mm/types.h"

/* What a run of the test is to do, and how far it is. */
struct memtest {
	unsigned int passes;  /* how many are wanted */
	unsigned int pass;    /* the one that runs, from 0 on */
	bool reading;         /* whether the second half of the pass runs, which reads back */
	uint64_t done, total; /* bytes of this half */
	uint64_t said;        /* when memtest_progress() last showed that, or the half began */
	bool shown;           /* whether it has, in this half */
	/*
	 * Called on CPU 0 every time that about MEMTEST_CHUNK has been tested, and when the half is
	 * done. Returning false ends the test.
	 */
	bool (*go_on)(struct memtest *test);
};

#define MEMTEST_CHUNK (16ull << 20) /* bytes */

/*
 * Writes the pattern of test->pass to the bytes [base, end), or, if test->reading, compares them
 * with it. The range is whole frames of the direct map. Frames that differ are put on the list; a
 * run of them is one line of the log, up to a limit. Returns false, perhaps before the end of the
 * range, if test->go_on() did. Several CPUs may call it at once, for ranges that do not overlap.
 */
bool memtest_range(struct memtest *test, phys_addr_t base, phys_addr_t end);

/*
 * Runs test->passes passes. each_range() is called for each half of a pass, when the caches of this
 * CPU are empty; it calls memtest_range() for each range of the memory to be tested, on this CPU or
 * on all, and returns false as soon as that does. Returns false if the test was ended early.
 */
bool memtest_run(struct memtest *test, bool (*each_range)(struct memtest *test));

/*
 * Tests all memory that memblock has not reserved, and reserves the frames that fail. To be called
 * when the direct map exists and before the hand-over. Ctrl-C ends the test; what has failed until
 * then is reserved all the same. Panics when memblock has no room.
 */
void early_memtest(unsigned int passes);

/*
 * The functions for the list must not be called while another CPU tests memory, but for
 * memtest_forget().
 */

/* Returns whether any frame of [pfn, end) is out of service. */
bool memtest_any_bad(pfn_t pfn, pfn_t end);

/* Returns the number of frames that are out of service. */
uint64_t memtest_nr_bad(void);

/* Prints the ranges of frames that are out of service, one a line, in no order. */
void memtest_print_bad(print_fn print);

/* Forgets what is bad of the frames [pfn, end): they are no longer there. */
void memtest_forget(pfn_t pfn, pfn_t end);

/*
 * Shows on one line of the consoles how far test is, once a second, and clears the line at the end
 * of each half that took longer. To be called by go_on().
 */
void memtest_progress(struct memtest *test, print_fn print);

#endif
