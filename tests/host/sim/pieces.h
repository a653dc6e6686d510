/*
 * pieces.h: machines of a few ranges, and their boot.
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

/* NULL: booted, and mm_check() finds nothing. Else what is wrong, in words. */
const char *boot_pieces(const struct piece *pieces, size_t nr, const struct sim_options *options);

/* After a warm reset. */
extern const struct sim_options warm;

#define BOOT(map) BOOT_WITH(map, &warm)
#define BOOT_WITH(map, options)                                                                 \
	do {                                                                                    \
		const char *wrong_ = boot_pieces(map, sizeof(map) / sizeof((map)[0]), options); \
		if (wrong_)                                                                     \
			fail_msg("%s", wrong_);                                                 \
	} while (0)

#endif
