/*
 * fixture.h: what the files of test_memblock, and test_memblock_late, have in common: the state of
 * the machine, what memblock has asked of it, and assertions.
 *
 * Physical address p is arena + p. The arena is 1 GiB of address space.
 */
#ifndef TESTS_HOST_MEMBLOCK_FIXTURE_H
#define TESTS_HOST_MEMBLOCK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "mm/memblock.h"
#include "mm/port.h"

#define MIB        (1ull << 20)
#define GIB        (1ull << 30)
#define TOP        PHYS_ADDR_MAX
#define NONE       MAX_NUMNODES /* the node of a region that has none */
#define TEXT_SIZE  (1 << 16)
#define MAX_BLOCKS 4096

/* The last argument of memblock_alloc_range_nid(). */
enum { ANY_NODE = false, EXACT_NODE = true };

extern struct memblock power_on; /* memblock as static initialisation left it */
extern char text[TEXT_SIZE];     /* what printk() printed since reset() */
extern size_t text_length;
extern bool slab_up;                                   /* slab_is_available() says so */
extern bool slab_empty;                                /* kmalloc() fails */
extern unsigned int nr_traces, nr_kmallocs, nr_kfrees; /* calls since reset() */

/* The blocks that memblock_free_all() and memblock_free_late() handed over since reset(). */
struct handed_over {
	unsigned long pfn;
	unsigned int order;
};
extern struct handed_over blocks[MAX_BLOCKS];
extern unsigned int nr_blocks;

/* Maps the arena. Returns false when the host refuses. To be called first. */
bool map_arena(void);

/* Makes memblock as it was at power-on, except that arrays may still grow if they could before. */
void reset(void);

/* Adds, or reserves, ranges of 4 KiB every 8 KiB from `from` on, until type has nr regions. */
void fill_up(struct memblock_type *type, unsigned long nr, phys_addr_t from);

/* All of memblock: take() copies it, and assert_unchanged() demands that it is as it was then. */
struct snapshot {
	struct memblock fields;
	struct memblock_region memory[1024], reserved[1024];
};
void take(struct snapshot *shot);
void assert_unchanged(const struct snapshot *shot);

/* Demands that a call panics with `part` in its message. */
extern char panic_text[256];
extern jmp_buf panic_jump;
extern bool panic_expected;
#define assert_panics(call, part)                          \
	do {                                               \
		panic_expected = true;                     \
		if (!setjmp(panic_jump)) {                 \
			call;                              \
			fail_msg("no panic: %s", #call);   \
		}                                          \
		panic_expected = false;                    \
		assert_non_null(strstr(panic_text, part)); \
	} while (0)

/* Demands that a region is this: assert_region(memory, 0, base, size, nid, flags). */
#define assert_region(type, index, b, s, n, f)                                         \
	do {                                                                           \
		const struct memblock_region *region_ = &memblock.type.regions[index]; \
		assert_true((index) < memblock.type.cnt);                              \
		assert_int_equal(region_->base, b);                                    \
		assert_int_equal(region_->size, s);                                    \
		assert_int_equal(region_->nid, n);                                     \
		assert_int_equal(region_->flags, f);                                   \
	} while (0)

/* Demands that a type has so many regions, and so many bytes in all. */
#define assert_type(type, count, total)                            \
	do {                                                       \
		assert_int_equal(memblock.type.cnt, count);        \
		assert_int_equal(memblock.type.total_size, total); \
	} while (0)

/* asking.c */
void flags_split_and_merge(void **state);
void flags_and_allocation(void **state);
void asking(void **state);
void limits(void **state);
void copies_of_regions(void **state);
void loops(void **state);
void loops_by_flags(void **state);
void dump_in_linux_form(void **state);
void check_names_what_is_broken(void **state);
void steps_refuse_what_callers_never_ask(void **state);
void free_all_largest_aligned_blocks(void **state);
void free_all_from_frame_0(void **state);
void hand_over_and_take_back(void **state);
void free_late_takes_what_is_reserved(void **state);
void free_all_flags_and_nodes(void **state);

/* growing.c: the first two must run before memblock_allow_resize(), the third calls it. */
void grow_not_allowed_panics_and_changes_nothing(void **state);
void grow_not_before_the_result_needs_it(void **state);
void grow_at_the_129th(void **state);
void grow_keeps_clear_of_what_is_added(void **state);
void grow_without_room_changes_nothing(void **state);
void grow_memory_and_reserved_together(void **state);
void grow_for_many_holes_at_once(void **state);
void grow_during_the_hand_over(void **state);
void grow_after_the_hand_over_takes_no_free_memory(void **state);
void grow_with_slab(void **state);
void grow_of_nothing_panics(void **state);
void grow_leaves_an_array_beyond_a_limit(void **state);

/* random.c */
void random_against_the_model(void **state);

#endif
