/*
 * machine.c: the machines. Arenas are given in frame numbers: 4096 is 16 MiB, 1 << 20 is 4 GiB.
 */
#include "tests/host/sim/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/memblock.h"
#include "tests/host/sim/sim.h"
#include "tools/replay/mapfile.h"

#if MM_BITMAP_SHIFT == 3

/*
 * A block has 8 frames, a gib 64, and the largest order is 6: a few hundred frames use all levels.
 */
static const struct arena one_zone = { "one zone", { { 1, 512 } }, { { 0, 0 } }, METADATA, NULL };
static const struct arena holes = { "two zones with holes",
				    { { 0, 150 }, { 170, 300 }, { 512, 700 }, { 4030, 4200 } },
				    { { 9, 11 }, { 63, 65 }, { 540, 545 }, { 4100, 4101 } },
				    METADATA,
				    NULL };
static const struct model_nodes by_16 = { .nr = 2, .frames = 16, .cpu = 1 };
static const struct model_nodes by_40 = { .nr = 3, .frames = 40, .hotplug = 480, .cpu = 4 };

/* The frames of two nodes alternate, 16 by 16, on both sides of the border of zone DMA. */
static const struct arena two_nodes = {
	"two nodes", { { 3900, 4200 } }, { { 4090, 4094 } }, METADATA, &by_16
};
/* Three nodes, of which none is the CPU's; the last third of the memory may be unplugged. */
static const struct arena three_nodes = {
	"three nodes", { { 1, 700 } }, { { 90, 94 } }, METADATA, &by_40
};

const struct machine machines[NR_MACHINES] = {
	{ "one-zone", &one_zone, 0, 64, 1500 },
	{ "one-zone-cached", &one_zone, 16, 64, 1500 },
	{ "holes", &holes, 0, 64, 1500 },
	{ "holes-cached", &holes, 7, 64, 1500 },
	{ "two-nodes", &two_nodes, 3, 64, 1500 },
	{ "three-nodes", &three_nodes, 0, 64, 1500 },
	{ "three-nodes-cached", &three_nodes, 5, 64, 1500 },
};

#else

static const struct arena plain = { "16 MiB", { { 1, 4096 } }, { { 0, 0 } }, METADATA, NULL };
/* RAM begins with frame 0, and crosses the border of zone DMA without a gap. */
static const struct arena border = { "32 MiB", { { 0, 8192 } }, { { 0, 0 } }, METADATA, NULL };
static const struct arena holes = {
	"64 MiB with holes",
	{ { 1, 159 }, { 256, 3840 }, { 4096, 6405 }, { 6700, 10700 }, { 12808, 16384 } },
	{ { 512, 608 }, { 4400, 4401 }, { 8195, 8196 }, { 13312, 13824 } },
	METADATA,
	NULL
};
/* Runs of order 18 on both sides of 4 GiB, a GiB that two zones share, and one with a hole. */
static const struct arena islands = { "islands to order 18",
				      { { 256, 1024 },
					{ 0x40000, 0x80000 },
					{ 0xffe00, 0x100200 },
					{ 0x1c0000, 0x200000 },
					{ 0x200600, 0x2c0000 } },
				      { { 0x250000, 0x250001 } },
				      0x400000,
				      NULL };

static const struct model_nodes by_blocks = { .nr = 2, .frames = 512, .hotplug = 16384, .cpu = 1 };
static const struct model_nodes by_16m = { .nr = 8, .frames = 4096, .cpu = 9 };

/* Nodes that interleave by blocks; the upper half of the memory may be unplugged. */
static const struct arena interleaved = {
	"128 MiB of two nodes", { { 1, 32768 } }, { { 5000, 5010 } }, METADATA, &by_blocks
};
/* Eight nodes, of 16 MiB each, around 4 GiB; the CPU is that of a node without RAM. */
static const struct arena eight_nodes = { "128 MiB of eight nodes",
					  { { 2048, 4096 }, { 0xfc000, 0x104000 } },
					  { { 0xfd000, 0xfd800 } },
					  0x200000,
					  &by_16m };

const struct machine machines[NR_MACHINES] = {
	{ "plain-16m", &plain, 0, 500, 1500 },
	{ "border-32m", &border, 16, 500, 1500 },
	{ "holes-64m", &holes, 40, 1000, 1500 },
	{ "islands-18", &islands, 512, 2000, 300 },
	{ "interleaved-128m", &interleaved, 40, 2000, 1000 },
	{ "eight-nodes-128m", &eight_nodes, 20, 2000, 1000 },
	{ "kryton-120mhz-16m", NULL, 0, 500, 1000 },
	{ "trol-piii-byte-granular", NULL, 0, 2000, 1000 },
	{ "dell-poweredge-smp-128m", NULL, 0, 2000, 1500 },
	{ "nforce-damocles-1g", NULL, 0, 5000, 1000 },
	{ "bochs-2g", NULL, 0, 5000, 1000 },
	{ "server-8g-2001", NULL, 0, 5000, 600 },
	{ "it91smub-32tib-space", NULL, 0, 5000, 150 },
	{ "surface-pro-7", NULL, 0, 5000, 500 },
};

#endif

const struct machine *machine_named(const char *name)
{
	for (const struct machine *m = machines; m < machines + NR_MACHINES; m++)
		if (!strcmp(m->name, name))
			return m;
	return NULL;
}

static void boot_map(const char *name, struct model *m)
{
	static struct mapfile map;
	char path[128];
	struct sim_options options = { .seed = 0x600d5eed, .kernel_size = 0x60000 };
	struct e820_taken kernel;
	const char *error = "cannot be read";
	phys_addr_t from, to;
	uint64_t i;

	snprintf(path, sizeof(path), "tests/e820/%s.map", name);
	if (!mapfile_read(&map, path) || sim_boot(map.entries, map.nr, &options, &kernel, &error)) {
		fprintf(stderr, "map %s: %s\n", name, error);
		exit(3);
	}
	model_init(m, 0, PFN_UP(memblock_end_of_DRAM()), NULL);
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &from, &to, NULL)
		model_hand_over(m, PFN_UP(from), PFN_DOWN(to));
}

void machine_boot(const struct machine *machine, struct model *m)
{
	if (machine->arena)
		arena_boot(machine->arena, machine->caches, m);
	else
		boot_map(machine->name, m);
}
