/*
 * pieces.h: simulated machines whose memory maps have a few ranges.
 */
#ifndef TESTS_HOST_SIM_PIECES_H
#define TESTS_HOST_SIM_PIECES_H

#include "tests/host/sim/sim.h"

#define MIB 0x100000ull
#define GIB 0x40000000ull

struct piece {
	uint64_t base, size;
	uint32_t type;
};

extern const struct piece plain_16m[2];
extern const struct piece plain_128m[2];
extern const struct piece holes_64m[7];
extern const struct piece islands_6g[4];

/* Boots a machine of nr pieces and runs mm_check(). Returns NULL, or what is wrong in words. */
const char *boot_pieces(const struct piece *pieces, size_t nr, const struct sim_options *options);

/* The options of a machine after a warm reset, when RAM and descriptors hold garbage. */
extern const struct sim_options warm;

/* Boots an array of pieces, after a warm reset or with options; fails the test if that fails. */
#define BOOT(map) BOOT_WITH(map, &warm)
#define BOOT_WITH(map, options)                                                                 \
	do {                                                                                    \
		const char *wrong_ = boot_pieces(map, sizeof(map) / sizeof((map)[0]), options); \
		if (wrong_)                                                                     \
			fail_msg("%s", wrong_);                                                 \
	} while (0)

#endif
