/*
 * e820_oracle.h: what a sanitised map must be, found by looking at each stretch by itself.
 *
 * The borders of all entries, and of the legacy hole, cut the 2^64 bytes into stretches within
 * which nothing changes. For each, the oracle asks every raw entry whether it claims it and who
 * wins; the map must be exactly that, neighbours merged.
 */
#ifndef TESTS_HOST_E820_ORACLE_H
#define TESTS_HOST_E820_ORACLE_H

#include "lib/e820.h"

/* What does not hold of a map that was made of nr raw entries, as text; NULL: all does. The
   corrections are looked at when all are listed. Time: O(nr^2). */
const char *e820_oracle(const struct e820_map *judged, const struct e820_entry *entries,
			uint32_t nr);

#endif
