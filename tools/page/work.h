/*
 * work.h: the allocator at work on a map: does the steps of a session, and prints what became of
 * it.
 *
 * A session is a map, booted with two CPUs and seed 1, and STEPS: words joined by `_`.
 *
 *   aORDER[.CPU][nNODE][h][d|D][*COUNT]  alloc_pages() of an order from 0 to 18 on CPU 0 or 1
 *                                        (without .CPU: 0); nNODE: alloc_pages_node(); h:
 *                                        __GFP_UNMOVABLE; d: __GFP_DMA; D: __GFP_DMA32; *COUNT: so
 *                                        often; *all: until it fails
 *   fNUMBER[.CPU][*COUNT]                __free_pages() of the allocation with this number. They
 *                                        are numbered from 1 in the order made. *COUNT: so many of
 *                                        those that are still held, from this number on
 *   l[.CPU][*COUNT]                      frees the one made last that is still held; *COUNT: so
 *                                        many; *all: all of them
 *   rSEED[.CPU][*COUNT]                  so many allocations and frees at random (without *COUNT:
 *                                        100), without .CPU on both CPUs
 *   d                                    drain_all_pages()
 *
 * A COUNT is at most WORK_MAX_COUNT. All allocations and frees of a session are at most
 * WORK_MAX_OPERATIONS.
 */
#ifndef TOOLS_PAGE_WORK_H
#define TOOLS_PAGE_WORK_H

#include "tools/replay/mapfile.h"

#define WORK_MAX_COUNT      1000000
#define WORK_MAX_OPERATIONS 4000000

/*
 * Boots the map, with a kernel image of so many bytes, does the steps, and prints one JSON object:
 * the state, and in sentences what the last step did. `at` is the number of a frame, in decimal or
 * with 0x, whose block, gib and shelf are shown; NULL, "" or a frame that is not RAM stands for the
 * frame that the last step was about. Returns 0; or 2 after a message to stderr, if the map cannot
 * be booted, or a step is malformed or impossible. Nothing is printed to stdout then.
 */
int work(const char *steps, const char *at, const struct mapfile *map, uint64_t kernel_size);

#endif
