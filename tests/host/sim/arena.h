/*
 * arena.h: a machine of a few frames, for tests that look at everything.
 *
 * The frames to play with are the arena's alone: the books (page tables, descriptors, zones) lie in
 * RAM of their own, all of it reserved. Descriptors and books start as garbage.
 */
#ifndef TESTS_HOST_SIM_ARENA_H
#define TESTS_HOST_SIM_ARENA_H

#include "tests/host/sim/model.h"

struct frames {
	pfn_t start, end;
};

struct arena {
	const char *name;
	struct frames ram[6];      /* all of it; ends with an empty one */
	struct frames reserved[6]; /* of it, reserved in memblock */
	pfn_t books;               /* RAM of their own from here on, as much as they need */
};

/* Caches of at most cache_limit frames, whatever the zones' sizes. The model must be destroyed. */
void arena_boot(const struct arena *arena, uint32_t cache_limit, struct model *m);

/*
 * Every byte that the allocator can read of the arena, and the model. The size is a multiple of 8;
 * it is found once after each boot, and saving and restoring are of that arena.
 */
size_t arena_state_size(const struct arena *arena, uint32_t cache_limit, struct model *m);
void arena_save(char *to);
void arena_restore(const char *from);

#endif
