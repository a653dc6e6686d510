/*
 * fixture.h: what the files of test_numa have in common: a machine, its tables, and assertions.
 */
#ifndef TESTS_HOST_NUMA_FIXTURE_H
#define TESTS_HOST_NUMA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/numa.h"
#include "tests/host/numa/oracle.h"
#include "tests/host/sim/numa_tables.h"

#define KIB      0x400ull
#define MIB      0x100000ull
#define GIB      0x40000000ull
#define MAX_RAM  1200

#define ENABLED  SRAT_ENABLED
#define HOTPLUG  (SRAT_ENABLED | SRAT_HOTPLUG)
#define DISABLED 0

extern struct numa_table srat, slit;
extern struct numa_ram ram[MAX_RAM];
extern struct numa_range given[NUMA_MAX_ENTRIES + 100];
extern uint32_t nr_ram, nr_given;
extern struct numa_map map;

/* Makes an SRAT without entries, and forgets RAM, SLIT and what was given. */
void reset(void);

void add_ram(uint64_t base, uint64_t end);

/* Adds an enabled entry for the memory [base, end). */
void memory(uint32_t domain, uint64_t base, uint64_t end);

/* Adds a range to those that numa_from_ranges() is given. */
void give(uint32_t nid, uint64_t base, uint64_t end);

/* Demands what numa_invariants() does. */
void check_invariants(void);

/* Make the map: of the tables, of which one of size 0 is absent; of what was given. */
void read_tables(void);
void read_given(void);

void assert_range(uint32_t i, uint64_t base, uint64_t end, uint32_t nid);
void assert_correction(uint32_t i, enum numa_what what, uint64_t base, uint64_t end,
		       uint32_t entry);

/* Demands that the nodes are those of the nr domains, in this order. */
void assert_domains(uint32_t nr, const uint32_t *domains);
#define ASSERT_DOMAINS(...)                                                    \
	assert_domains(sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t), \
		       (uint32_t[]){ __VA_ARGS__ })

/* Demands distances of 10 and 20. */
void assert_default_distances(void);

/* Demands one node, which has all RAM. */
void assert_one_node(void);

/* Makes two nodes of 1 GiB with a processor each, as QEMU describes them on a PC. */
void two_nodes(void);
void assert_two_nodes(void);

/* memory.c */
void merged(void **state);
void overlap(void **state);
void overlap_by_a_byte(void **state);
void overlap_by_the_last_byte(void **state);
void all_overlap(void **state);
void ram_by_the_byte(void **state);
void beyond_the_end(void **state);
void all_of_the_address_space(void **state);
void ram_in_no_entry(void **state);
void full_list_of_corrections(void **state);
void ram_below_all_entries(void **state);
void most_of_a_block(void **state);
void most_of_the_ram_of_a_block(void **state);
void holes(void **state);
void interleaved(void **state);

/* nodes.c */
void order_of_nodes(void **state);
void order_within_a_block(void **state);
void as_many_nodes_as_there_may_be(void **state);
void too_many_without_ram(void **state);
void too_many_localities(void **state);
void too_many_entries(void **state);
void too_many_processors(void **state);
void as_many_pieces_as_there_may_be(void **state);
void bad_slit(void **state);
void slit_needs_memory_entries(void **state);
void a_domain_of_a_processor_must_fit_too(void **state);

/* firmware.c */
void domain_of_four_billion(void **state);
void entries_for_half_of_the_ram(void **state);
void touching_entries(void **state);
void all_memory_on_one_node(void **state);
void hotplug_space(void **state);
void hotplug_space_over_ram(void **state);

/* named.c */
void named_by_the_user(void **state);
void wrong_numbers_of_the_user(void **state);
void nothing_named_by_the_user(void **state);
void too_much_named_by_the_user(void **state);
void fake(void **state);
void fake_to_the_nearest_border(void **state);
void fake_with_little_ram(void **state);
void words(void **state);

/* machines.c */
void exhaustive_by_blocks(void **state);
void exhaustive_by_halves(void **state);
void exhaustive_by_quarters(void **state);
void random_machines(void **state);

#endif
