/*
 * arena.h: a machine of a few frames, for tests that check every frame after every step.
 *
 * The test's frames are the arena. The allocator's metadata (page tables, descriptors, zones) lies
 * in RAM of its own, all of which is reserved. Both hold garbage before the boot.
 */
#ifndef TESTS_HOST_SIM_ARENA_H
#define TESTS_HOST_SIM_ARENA_H

#include "tests/host/sim/model.h"

struct frames {
	pfn_t start, end;
};

struct arena {
	const char *name;
	struct frames ram[6];      /* the arena; an empty range ends the list */
	struct frames reserved[6]; /* the parts of ram that are reserved in memblock */
	pfn_t metadata;            /* the metadata's RAM begins here; its size follows from ram */
	const struct model_nodes *nodes; /* NULL: there is one */
};

/*
 * Where the metadata lies mostly: above the arena, below the end of the last shelf, and in a zone
 * of its own. With small bitmaps shelves are small, and it is another node's.
 */
#if MM_BITMAP_SHIFT == 2
#define METADATA 0x1400
#elif MM_BITMAP_SHIFT == 3
#define METADATA 0x8000
#else
#define METADATA (1 << 20) /* 4 GiB */
#endif
#define METADATA_NODE (MM_BITMAP_SHIFT > 3 ? 0 : 8)

/*
 * Boots the arena, and initialises m with its free frames; the caller destroys m. The frame caches
 * hold at most cache_limit frames each, or half as many runs of a higher order, whatever the zones'
 * sizes.
 */
void arena_boot(const struct arena *arena, uint32_t cache_limit, struct model *m);

/*
 * The state of an arena is every byte of it that the allocator can read on the first sim_nr_cpus
 * CPUs, and the model.
 * arena_state_size() returns its size in bytes, a multiple of 8; it must be called once after
 * arena_boot(). arena_save() copies the state to `to`; arena_restore()
 * copies it back.
 */
size_t arena_state_size(const struct arena *arena, struct model *m);
void arena_save(char *to);
void arena_restore(const char *from);

#endif
