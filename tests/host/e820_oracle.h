/*
 * e820_oracle.h: judges a sanitised map by a slow and simple method.
 *
 * The borders of all entries, and of the legacy hole, cut the 2^64 bytes into stretches within
 * which nothing changes. For each stretch the oracle looks at every raw entry that claims it and
 * decides which type wins. The map must be exactly that, with neighbours of one type merged.
 */
#ifndef TESTS_HOST_E820_ORACLE_H
#define TESTS_HOST_E820_ORACLE_H

#include "lib/e820.h"

/*
 * Judges a map that was made of nr raw entries, and its corrections if all of them are listed.
 * Returns NULL, or what does not hold, as text. Time: O(nr^2).
 */
const char *e820_oracle(const struct e820_map *judged, const struct e820_entry *entries,
			uint32_t nr);

#endif
