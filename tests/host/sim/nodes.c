#include "tests/host/sim/nodes.h"

#include <string.h>

#include "arch/x86_64/paging.h"
#include "mm/check.h"
#include "mm/zone.h"

void nodes_begin(const struct node_ram *ram, size_t nr)
{
	uint64_t end = 0;

	sim_reset();
	for (size_t i = 0; i < nr; i++)
		end = ram[i].base + ram[i].size > end ? ram[i].base + ram[i].size : end;
	sim_map_ram(end);
	sim_dirty();
	memblock_allow_resize();
	for (size_t i = 0; i < nr; i++)
		memblock_add_node(ram[i].base, ram[i].size, ram[i].nid, ram[i].flags);
}

const char *nodes_finish(void)
{
	struct paging_config paging = { .nx = true };

	memblock_reserve(0, PAGE_SIZE);
	paging_init(&paging);
	paging_direct_map();
	mem_map_init();
	memory_hand_over(77, 0);
	return mm_check() ? "mm_check() found a violation after the boot" : NULL;
}
