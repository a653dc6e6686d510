/*
 * memtest.h: patterns over free memory, and which frames did not keep them.
 *
 * A pass writes one pattern to all of it, then reads all of it back: so that nothing is read from a
 * cache, and an address line that is missing shows. Passes 1 and 2 write to each word its own
 * address, mixed, and the complement; those after them constant words. N passes take the first N
 * patterns, and begin again after the last.
 *
 * A frame that fails once is out of service for good: in a table here, and by the books reserved or
 * allocated.
 */
#ifndef KERNEL_MEMORY_MEMTEST_H
#define KERNEL_MEMORY_MEMTEST_H

#include "mm/types.h"

struct memtest {
	unsigned int passes;  /* wanted */
	unsigned int pass;    /* from 0 on */
	bool reading;         /* this half of the pass: back, or to memory */
	uint64_t done, total; /* bytes, of this half */
	/* Every 16 MiB and at the end of the half; false ends the test. */
	bool (*go_on)(const struct memtest *test);
};

/*
 * Writes or reads back this pass's pattern over [base, end), whole frames in the direct map. Frames
 * that fail go into the table, and each run of them is said. False when go_on() said so.
 */
bool memtest_range(struct memtest *test, phys_addr_t base, phys_addr_t end);

/* All passes; each_range() calls memtest_range() for all of the memory. False when ended early. */
bool memtest_run(struct memtest *test, bool (*each_range)(struct memtest *test));

/* memtest=: all that memblock has free, before the allocator; what fails is reserved. */
void early_memtest(unsigned int passes);

/* Out of service: whether a frame of [pfn, end) is, how many are, and the list, a range a line. */
bool memtest_any_bad(pfn_t pfn, pfn_t end);
uint64_t memtest_nr_bad(void);
void memtest_print_bad(print_fn print);

/* How far it is, for people: one line of the consoles, written over and over. */
void memtest_progress(const struct memtest *test, print_fn print);

#endif
