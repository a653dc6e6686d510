#include "tests/host/sim/pieces.h"

#include "mm/check.h"
#include "mm/zone.h"

const struct piece plain_16m[2] = { { 0, 0x9fc00, 1 }, { MIB, 15 * MIB, 1 } };
const struct piece plain_128m[2] = { { 0, 0x9fc00, 1 }, { MIB, 127 * MIB, 1 } };
const struct piece holes_64m[7] = {
	{ 0, 0x9f000, 1 },
	{ MIB, 14 * MIB, 1 },
	{ 16 * MIB, 9 * MIB + 0x5000, 1 },
	{ 26 * MIB, 0x1000, 4 },
	{ 30 * MIB, 12 * MIB, 1 },
	{ 33 * MIB + 0x3000, 0x400, 3 },
	{ 50 * MIB + 0x7800, 14 * MIB, 1 },
};
const struct piece islands_6g[4] = {
	{ 0, 0xa0000, 1 },
	{ MIB, GIB - MIB, 1 },
	{ 0x1c0000000, GIB, 1 },
	{ 0x200000000 + 6 * MIB, 4 * GIB, 1 },
};

const struct sim_options warm = { .dirty = true, .kernel_size = 0x60000, .seed = 77 };

const char *boot_pieces(const struct piece *pieces, size_t nr, const struct sim_options *options)
{
	static struct e820_entry raw[64];
	struct e820_taken kernel;
	const char *error = "";

	for (size_t i = 0; i < nr; i++)
		raw[i] =
		    (struct e820_entry){ pieces[i].base, pieces[i].size, pieces[i].type, 0, 20, 0 };
	if (sim_boot(raw, (uint32_t)nr, options, &kernel, &error))
		return error;
	return mm_check() ? "mm_check() found a violation after the boot" : NULL;
}
