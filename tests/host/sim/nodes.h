/*
 * nodes.h: simulated machines with NUMA nodes, from ranges of RAM that are given to memblock as
 * they stand.
 */
#ifndef TESTS_HOST_SIM_NODES_H
#define TESTS_HOST_SIM_NODES_H

#include "mm/memblock.h"
#include "tests/host/sim/pieces.h"

struct node_ram {
	uint64_t base, size;
	int nid;
	enum memblock_flags flags;
};

/* Begins a machine with this RAM. Other nodes, CPUs and distances may be set next. */
void nodes_begin(const struct node_ram *ram, size_t nr);

/*
 * Completes the boot of the machine that nodes_begin() began; RAM and descriptors hold garbage as
 * after a warm reset. Returns NULL, or what mm_check() says in words.
 */
const char *nodes_finish(void);

#define NODES_BEGIN(ram) nodes_begin(ram, sizeof(ram) / sizeof((ram)[0]))
#define NODES_FINISH()                               \
	do {                                         \
		const char *wrong_ = nodes_finish(); \
		if (wrong_)                          \
			fail_msg("%s", wrong_);      \
	} while (0)

/* Boots an array of node_ram; fails the test if that fails. */
#define NODES_BOOT(ram)           \
	do {                      \
		NODES_BEGIN(ram); \
		NODES_FINISH();   \
	} while (0)

#endif
