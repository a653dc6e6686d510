/*
 * attempt.h: boots that may fail, and another CPU that acts just before this one takes a lock.
 *
 * A program with attempt.c is linked with --wrap=port_irq_save.
 */
#ifndef TESTS_HOST_SIM_ATTEMPT_H
#define TESTS_HOST_SIM_ATTEMPT_H

#include "tests/host/sim/sim.h"

struct map {
	const char *name;
	struct e820_entry raw[E820_MAX_RAW];
	uint32_t nr;
};

/* Appends an entry to a map. */
void map_add(struct map *map, uint64_t base, uint64_t size, uint32_t type);

/* Returns the map of a machine with so many MiB of RAM, valid until the next call. */
const struct map *map_of(unsigned int mib);

/* The options of boot(): RAM and descriptors hold garbage. */
extern const struct sim_options attempt_options;

enum attempt { BOOTED, REFUSED, PANICKED };

/* Boots a map; a map that is refused, and a panic, are results. */
enum attempt try_boot(const struct map *map, const struct sim_options *options);

/* Boots a map with attempt_options, and fails the test if that or mm_check() fails. */
void boot(const struct map *map);

/* When not NULL, it is called as CPU 1 before this CPU takes its next lock, once. */
extern void (*other_cpu)(void);

#endif
