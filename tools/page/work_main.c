/*
 * work_main.c: the allocator's part of the page as a program, for tests.
 */
#include <stdio.h>
#include <string.h>

#include "tools/page/work.h"
#include "tools/replay/job.h"

static const char usage[] = "usage: page_work STEPS [AT] <MAP\n";

static const char help[] =
    "\n"
    "Boots the memory map on standard input, does STEPS with the allocator, and prints the state as\n"
    "one JSON object, with what the last step did in sentences. STEPS are words joined by `_`:\n"
    "\n"
    "  aORDER[.CPU][nNODE][h][d|D][*COUNT]\n"
    "                          allocate 2^ORDER frames on CPU 0 or 1, from NUMA node NODE if it has\n"
    "                          them; h: __GFP_UNMOVABLE, d: __GFP_DMA, D: __GFP_DMA32; *COUNT: so\n"
    "                          often, *all: until that fails\n"
    "  fNUMBER[.CPU][*COUNT]   free the allocation with this number, counted from 1; *COUNT: so\n"
    "                          many of those that are held, from this number on\n"
    "  l[.CPU][*COUNT]         free the allocation made last; *COUNT: so many; *all: all\n"
    "  rSEED[.CPU][*COUNT]     COUNT (100) allocations and frees at random\n"
    "  d                       drain_all_pages()\n"
    "\n"
    "CPU 0 is node 0's, CPU 1 that of the second node with memory, if there is one.\n"
    "AT is the number of a frame, whose block, gib and shelf are shown.\n"
    "Exit status: 0, or 2 if the map or the steps cannot be used.\n";

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		printf("%s%s", usage, help);
		return 0;
	}
	if (argc < 2 || argc > 3 || argv[1][0] == '-') {
		fprintf(stderr, "%s", usage);
		return 2;
	}
	job.name = "-";
	if (!job_read_map())
		return 2;
	return work(argv[1], argc > 2 ? argv[2] : NULL, &job.map, job.kernel_size);
}
