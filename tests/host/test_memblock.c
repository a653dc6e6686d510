/*
 * test_memblock.c: mm/memblock.c, rule by rule, and at random against a model of cells.
 *
 * Physical address p is arena + p. Names of tests: book_N and alloc_N are the numbered rules of
 * bookkeeping and of allocating; M1 to M5 the invariants of memblock.c. Tests that run before the
 * arrays may grow come first: that permission cannot be taken back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mm/memblock.h"
#include "mm/memblock_array.h"
#include "mm/page.h"
#include "mm/port.h"
#include "tests/host/memblock/model.h"

#define SZ_16M     (16ull << 20)
#define SZ_32M     (32ull << 20)
#define SZ_1G      (1ull << 30)
#define SZ_2G      (2ull << 30)
#define SZ_4G      (4ull << 30)

#define ARENA_SIZE (1ul << 30)
#define TOP        PHYS_ADDR_MAX

static struct memblock power_on; /* as static initialisation left it */
static char text[1 << 16];       /* what printk() said since reset() */
static size_t text_length;
static char panic_text[256];
static jmp_buf panic_jump;
static bool panic_expected, slab_up, slab_empty;
static unsigned int nr_traces, nr_kmallocs, nr_kfrees;

int printk(const char *fmt, ...)
{
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = vsnprintf(text + text_length, sizeof(text) - text_length, fmt, ap);
	va_end(ap);
	text_length += (size_t)length;
	assert_true(text_length < sizeof(text));
	return length;
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(panic_text, sizeof(panic_text), fmt, ap);
	va_end(ap);
	if (panic_expected)
		longjmp(panic_jump, 1);
	fprintf(stderr, "# panic: %s", panic_text);
	abort();
}

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

void dump_stack(void)
{
	nr_traces++;
}

bool slab_is_available(void)
{
	return slab_up;
}

void *kmalloc(size_t size, unsigned int gfp)
{
	(void)gfp;
	nr_kmallocs++;
	return slab_empty ? NULL : malloc(size);
}

void kfree(const void *ptr)
{
	nr_kfrees++;
	free((void *)(uintptr_t)ptr);
}

struct handed_over {
	unsigned long pfn;
	unsigned int order;
};
static struct handed_over blocks[4096];
static unsigned int nr_blocks;

void memblock_free_pages(struct page *page, unsigned long pfn, unsigned int order)
{
	assert_ptr_equal(page, pfn_to_page(pfn));
	assert_true(nr_blocks < sizeof(blocks) / sizeof(blocks[0]));
	blocks[nr_blocks++] = (struct handed_over){ pfn, order };
}

static void reset(void)
{
	memset(power_on.memory.regions, 0, 128 * sizeof(struct memblock_region));
	memset(power_on.reserved.regions, 0, 128 * sizeof(struct memblock_region));
	memblock = power_on;
	movable_node_enabled = slab_up = slab_empty = memblock_debug = false;
	text_length = nr_traces = nr_kmallocs = nr_kfrees = nr_blocks = 0;
	text[0] = 0;
}

static int setup(void **state)
{
	(void)state;
	reset();
	return 0;
}

/* After each test too: whatever it did, the invariants hold. */
static int teardown(void **state)
{
	const char *broken = memblock_check();

	(void)state;
	if (broken)
		fprintf(stderr, "# broken: %s\n", broken);
	return broken ? -1 : 0;
}

/* assert_region(memory, 0, base, size, nid, flags) */
#define assert_region(type, index, b, s, n, f)                                         \
	do {                                                                           \
		const struct memblock_region *region_ = &memblock.type.regions[index]; \
		assert_true((index) < memblock.type.cnt);                              \
		assert_int_equal(region_->base, b);                                    \
		assert_int_equal(region_->size, s);                                    \
		assert_int_equal(region_->nid, n);                                     \
		assert_int_equal(region_->flags, f);                                   \
	} while (0)

#define assert_type(type, count, total)                            \
	do {                                                       \
		assert_int_equal(memblock.type.cnt, count);        \
		assert_int_equal(memblock.type.total_size, total); \
	} while (0)

#define NONE MAX_NUMNODES

/* The whole state, to see that a failure changed nothing. */
struct snapshot {
	struct memblock books;
	struct memblock_region memory[1024], reserved[1024];
};

static void take(struct snapshot *shot)
{
	memset(shot, 0, sizeof(*shot));
	shot->books = memblock;
	memcpy(shot->memory, memblock.memory.regions,
	       memblock.memory.max * sizeof(struct memblock_region));
	memcpy(shot->reserved, memblock.reserved.regions,
	       memblock.reserved.max * sizeof(struct memblock_region));
}

static void assert_unchanged(const struct snapshot *shot)
{
	static struct snapshot now;

	take(&now);
	assert_memory_equal(&now, shot, sizeof(now));
}

/* Bookkeeping. */

static void state_before_any_call(void **state)
{
	(void)state;
	assert_type(memory, 0, 0);
	assert_type(reserved, 0, 0);
	assert_int_equal(memblock.memory.max, 128);
	assert_int_equal(memblock.reserved.max, 128);
	assert_string_equal(memblock.memory.name, "memory");
	assert_string_equal(memblock.reserved.name, "reserved");
	assert_false(memblock.bottom_up);
	assert_true(memblock.current_limit == MEMBLOCK_ALLOC_ANYWHERE);
	assert_int_equal(memblock_start_of_DRAM(), 0);
	assert_int_equal(memblock_end_of_DRAM(), 0);
}

static void book_1_sorted_disjoint_summed(void **state)
{
	(void)state;
	memblock_add(0x8000, 0x1000);
	memblock_add(0x1000, 0x1000);
	memblock_add(0x4000, 0x1000);
	memblock_add(0x4800, 0x1000);
	assert_type(memory, 3, 0x3800);
	assert_region(memory, 0, 0x1000, 0x1000, NONE, 0);
	assert_region(memory, 1, 0x4000, 0x1800, NONE, 0);
	assert_region(memory, 2, 0x8000, 0x1000, NONE, 0);
}

static void book_2_touching_are_one_if_alike(void **state)
{
	(void)state;
	memblock_add_node(0x1000, 0x1000, 0, MEMBLOCK_NONE);
	memblock_add_node(0x2000, 0x1000, 0, MEMBLOCK_NONE);
	assert_type(memory, 1, 0x2000);
	memblock_add_node(0x3000, 0x1000, 1, MEMBLOCK_NONE);
	memblock_add_node(0x4000, 0x1000, 1, MEMBLOCK_HOTPLUG);
	assert_type(memory, 3, 0x4000);
	assert_int_equal(memblock_set_node(0x3000, 0x1000, &memblock.memory, 0), 0);
	assert_type(memory, 2, 0x4000);
	assert_int_equal(memblock_set_node(0x4000, 0x1000, &memblock.memory, 0), 0);
	assert_type(memory, 2, 0x4000);
	memblock_clear_hotplug(0, TOP);
	assert_type(memory, 1, 0x4000);
	assert_region(memory, 0, 0x1000, 0x4000, 0, 0);
}

static void book_3_cut_at_the_top(void **state)
{
	(void)state;
	assert_int_equal(memblock_add(TOP - 0x1000, 0x5000), 0);
	assert_region(memory, 0, TOP - 0x1000, 0x1000, NONE, 0);
	assert_int_equal(memblock_add(TOP, 1), 0);
	assert_int_equal(memblock_add(0x1000, 0), 0);
	assert_int_equal(memblock_reserve(0x1000, 0), 0);
	assert_type(memory, 1, 0x1000);
	assert_type(reserved, 0, 0);
	assert_int_equal(memblock_remove(TOP - 0x800, TOP), 0);
	assert_type(memory, 1, 0x800);
	assert_int_equal(memblock_reserve(0, TOP), 0);
	assert_region(reserved, 0, 0, TOP, NONE, 0);
	assert_int_equal(memblock_phys_free(1, TOP), 0);
	assert_region(reserved, 0, 0, 1, NONE, 0);
}

static void book_4_adding_fills_holes_only(void **state)
{
	(void)state;
	memblock_add_node(0x2000, 0x1000, 1, MEMBLOCK_HOTPLUG);
	memblock_add_node(0x4000, 0x1000, 2, MEMBLOCK_NONE);
	memblock_add_node(0x1000, 0x5000, 3, MEMBLOCK_NONE);
	assert_type(memory, 5, 0x5000);
	assert_region(memory, 0, 0x1000, 0x1000, 3, 0);
	assert_region(memory, 1, 0x2000, 0x1000, 1, MEMBLOCK_HOTPLUG);
	assert_region(memory, 2, 0x3000, 0x1000, 3, 0);
	assert_region(memory, 3, 0x4000, 0x1000, 2, 0);
	assert_region(memory, 4, 0x5000, 0x1000, 3, 0);
	memblock_add_node(0x1000, 0x5000, 3, MEMBLOCK_NONE);
	assert_type(memory, 5, 0x5000);
}

static void book_5_removing_cuts_the_common_part(void **state)
{
	(void)state;
	memblock_add_node(0x1000, 0x8000, 2, MEMBLOCK_HOTPLUG);
	assert_int_equal(memblock_remove(0x3000, 0x1000), 0);
	assert_type(memory, 2, 0x7000);
	assert_region(memory, 0, 0x1000, 0x2000, 2, MEMBLOCK_HOTPLUG);
	assert_region(memory, 1, 0x4000, 0x5000, 2, MEMBLOCK_HOTPLUG);
	memblock_remove(0x2800, 0x2000);
	assert_region(memory, 0, 0x1000, 0x1800, 2, MEMBLOCK_HOTPLUG);
	assert_region(memory, 1, 0x4800, 0x4800, 2, MEMBLOCK_HOTPLUG);
	memblock_remove(0, 0x2800);
	assert_type(memory, 1, 0x4800);
	assert_int_equal(memblock_remove(0x10000, 0x1000), 0);
	assert_int_equal(memblock_phys_free(0x5000, 0x1000), 0);
	assert_type(memory, 1, 0x4800);
}

static void book_6_last_region_leaves_zeros(void **state)
{
	static const struct memblock_region zeros;

	(void)state;
	memblock_add_node(0x1000, 0x1000, 1, MEMBLOCK_HOTPLUG);
	memblock_add_node(0x3000, 0x1000, 1, MEMBLOCK_HOTPLUG);
	memblock_remove(0, TOP);
	assert_type(memory, 0, 0);
	assert_memory_equal(&memblock.memory.regions[0], &zeros, sizeof(zeros));
	memblock_add(0x1234, 0x100);
	memblock_trim_memory(0x1000);
	assert_type(memory, 0, 0);
	assert_memory_equal(&memblock.memory.regions[0], &zeros, sizeof(zeros));
}

static void book_7_no_node_is_max_numnodes(void **state)
{
	(void)state;
	memblock_add(0x1000, 0x8000);
	assert_region(memory, 0, 0x1000, 0x8000, NONE, 0);
	memblock_add_node(0x10000, 0x1000, NUMA_NO_NODE, MEMBLOCK_NONE);
	assert_region(memory, 1, 0x10000, 0x1000, NONE, 0);
	memblock_set_node(0x1000, 0x8000, &memblock.memory, 1);
	assert_region(memory, 0, 0x1000, 0x8000, 1, 0);
	memblock_reserve(0x7000, 0x1000);
	assert_int_equal(memblock_phys_alloc_try_nid(0x1000, 0x1000, 1), 0x8000);
	assert_int_equal(memblock_phys_alloc_try_nid(0x1000, 0x1000, 1), 0x6000);
	assert_type(reserved, 1, 0x3000);
	assert_region(reserved, 0, 0x6000, 0x3000, NONE, 0);
	memblock_set_node(0, TOP, &memblock.memory, NUMA_NO_NODE);
	assert_region(memory, 0, 0x1000, 0x8000, NONE, 0);
}

static void book_empty_of_older_releases(void **state)
{
	(void)state;
	memblock.memory.cnt = memblock.reserved.cnt = 1;
	assert_int_equal(memblock_end_of_DRAM(), 0);
	assert_false(memblock_is_memory(0));
	assert_int_equal(memblock_phys_alloc(1, 1), 0);
	memblock_add(0x1000, 0x1000);
	memblock_reserve(0x1000, 0x10);
	assert_type(memory, 1, 0x1000);
	assert_type(reserved, 1, 0x10);
	assert_int_equal(memblock_phys_alloc(0xff0, 1), 0x1010);
}

static void book_trim(void **state)
{
	(void)state;
	memblock_add(0x1234, 0x3000);
	memblock_add_node(0x5100, 0x800, 1, MEMBLOCK_NONE);
	memblock_add(0x8000, 0x2000);
	memblock_add(TOP - 0x10, 0x10);
	memblock_trim_memory(0x1000);
	assert_type(memory, 2, 0x4000);
	assert_region(memory, 0, 0x2000, 0x2000, NONE, 0);
	assert_region(memory, 1, 0x8000, 0x2000, NONE, 0);
}

static void book_free_by_virtual_address(void **state)
{
	(void)state;
	memblock_reserve(0x1000, 0x2000);
	memblock_free(NULL, TOP);
	assert_type(reserved, 1, 0x2000);
	memblock_free(phys_to_virt(0x1000), 0x1000);
	assert_region(reserved, 0, 0x2000, 0x1000, NONE, 0);
}

static void book_overlap_is_a_common_byte(void **state)
{
	(void)state;
	assert_true(memblock_addrs_overlap(0x1000, 0x1000, 0x1fff, 1));
	assert_false(memblock_addrs_overlap(0x1000, 0x1000, 0x2000, 1));
	assert_false(memblock_addrs_overlap(0x2000, 1, 0x1000, 0x1000));
	assert_false(memblock_addrs_overlap(0x1000, 0x1000, 0x1800, 0));
	assert_true(memblock_addrs_overlap(0x1000, TOP, TOP - 1, 1));
	memblock_reserve(0x1000, 0x1000);
	assert_true(memblock_overlaps_region(&memblock.reserved, 0, 0x1001));
	assert_false(memblock_overlaps_region(&memblock.reserved, 0, 0x1000));
	assert_false(memblock_overlaps_region(&memblock.reserved, 0x2000, TOP));
	assert_true(memblock_is_region_reserved(0x1fff, TOP));
}

static void book_early_code_may_write_the_fields(void **state)
{
	unsigned long start, end;

	(void)state;
	memblock_add(0x1000, 0x1000);
	memblock_add(0x3000, 0x1000);
	memset(memblock.memory.regions, 0, 2 * sizeof(struct memblock_region));
	memblock.memory.cnt = 0;
	memblock.memory.total_size = 0;
	memblock.memory.max = 128;
	assert_false(memblock_is_memory(0x1000));
	memblock_add(0x2000, 0x1000);
	assert_type(memory, 1, 0x1000);
	/* Neighbours made alike by hand: still no panic, and joined where a call passes. */
	memblock_add_node(0x3000, 0x1000, 1, MEMBLOCK_NONE);
	memblock_set_region_node(&memblock.memory.regions[0], 1);
	memblock_set_node(0x2000, 0x2000, &memblock.memory, 2);
	assert_type(memory, 1, 0x2000);
	/* No node, in other words than ours. */
	memblock.memory.regions[0].nid = NUMA_NO_NODE;
	assert_int_equal(memblock_search_pfn_nid(2, &start, &end), NUMA_NO_NODE);
	assert_false(memblock_validate_numa_coverage(0x1fff));
	text_length = 0;
	memblock_dump();
	assert_null(strstr(text, "on node"));
	memblock.memory.regions[0].nid = 2;
}

static void fill_up(struct memblock_type *type, unsigned long nr, phys_addr_t from)
{
	for (phys_addr_t base = from; type->cnt < nr; base += 0x2000)
		assert_int_equal(type == &memblock.memory ? memblock_add(base, 0x1000)
							  : memblock_reserve(base, 0x1000),
				 0);
}

static void grow_not_allowed_panics_and_changes_nothing(void **state)
{
	static struct snapshot before;

	(void)state;
	memblock_add(0, 0x100000);
	fill_up(&memblock.reserved, 128, 0x2000000);
	assert_int_equal(memblock.reserved.max, 128);
	take(&before);
	assert_panics(memblock_reserve(0x1000000, 1), "reserved");
	assert_panics(memblock_phys_free(0x2000100, 1), "reserved");
	assert_panics(memblock_phys_alloc(0x1000, 0x1000), "reserved");
	assert_panics(memblock_set_node(0x2000100, 1, &memblock.reserved, 3), "reserved");
	assert_unchanged(&before);
	fill_up(&memblock.memory, 128, 0x2000000);
	take(&before);
	assert_panics(memblock_add(0x1000000, 1), "memory");
	assert_panics(memblock_mark_hotplug(0x2000100, 1), "memory");
	assert_unchanged(&before);
}

/* What fits in the result needs no entry on the way. */
static void grow_not_before_the_result_needs_it(void **state)
{
	(void)state;
	fill_up(&memblock.memory, 128, 0);
	assert_int_equal(memblock_add(0x1000, 0x800), 0);
	assert_int_equal(memblock_add(0x1000, 0x1000), 0);
	assert_int_equal(memblock.memory.cnt, 127);
	memblock_remove(0, TOP);
	memblock_add(0, 0x1000);
	memblock_add_node(0x1000, 0x1000, 1, MEMBLOCK_NONE);
	memblock_add_node(0x4000, 0x1000, 1, MEMBLOCK_NONE);
	fill_up(&memblock.memory, 128, 0x10000);
	/* A border that moves, down and up. */
	assert_int_equal(memblock_set_node(0x800, 0x800, &memblock.memory, 1), 0);
	assert_region(memory, 0, 0, 0x800, NONE, 0);
	assert_int_equal(memblock_set_node(0x800, 0xc00, &memblock.memory, NUMA_NO_NODE), 0);
	assert_region(memory, 1, 0x1400, 0xc00, 1, 0);
	/* One joint goes, one border comes. */
	assert_int_equal(memblock_set_node(0x1000, 0x3800, &memblock.memory, NUMA_NO_NODE), 0);
	assert_region(memory, 0, 0, 0x2000, NONE, 0);
	assert_region(memory, 2, 0x4800, 0x800, 1, 0);
	assert_int_equal(memblock.memory.cnt, 128);
	assert_int_equal(memblock.memory.max, 128);
}

/* Allocating. */

static void alloc_1_within_one_region(void **state)
{
	(void)state;
	memblock_add_node(0x10000, 0x10000, 0, MEMBLOCK_NONE);
	memblock_add_node(0x20000, 0x8000, 1, MEMBLOCK_NONE);
	assert_int_equal(memblock_phys_alloc(0x18000, 1), 0);
	assert_int_equal(memblock_phys_alloc(0x9000, 0x1000), 0x17000);
	memblock_reserve(0x22000, 0x1000);
	assert_int_equal(memblock_phys_alloc(0x4000, 0x1000), 0x23000 + 0x1000);
	assert_int_equal(memblock_phys_alloc(0x4000, 0x1000), 0x13000);
}

static void alloc_2_highest_or_lowest(void **state)
{
	(void)state;
	memblock_add(0, 0x4000);
	memblock_add(0x10000, 0x4000);
	assert_int_equal(memblock_phys_alloc(0x1800, 0x1000), 0x12000);
	assert_int_equal(memblock_phys_alloc_range(0x100, 0x100, 0, 0x3080), 0x2f00);
	memblock_set_bottom_up(true);
	assert_true(memblock_bottom_up());
	assert_int_equal(memblock_phys_alloc(0x100, 0x100), PAGE_SIZE);
	assert_int_equal(memblock_phys_alloc_range(0x100, 0x100, 0x1080, 0), 0x1100);
	assert_int_equal(memblock_phys_alloc(0x2000, 0x1000), 0x10000);
	memblock_remove(0x1000, TOP);
	assert_int_equal(memblock_phys_alloc(0x100, 1), 0);
	memblock_set_bottom_up(false);
	assert_int_equal(memblock_phys_alloc(0x100, 1), 0);
}

static void alloc_3_alignment_is_for_the_address(void **state)
{
	(void)state;
	memblock_add(0x1000, 0x10000);
	assert_int_equal(memblock_phys_alloc(2, 64), 0x11000 - 64);
	assert_region(reserved, 0, 0x11000 - 64, 2, NONE, 0);
	assert_int_equal(memblock_phys_alloc(3, 1), 0x11000 - 3);
	assert_int_equal(nr_traces, 0);
	assert_int_equal(memblock_phys_alloc(2, 0), 0x11000 - 128);
	assert_int_equal(nr_traces, 1);
	assert_int_equal(memblock_phys_alloc(1, 1ul << 63), 0);
	memblock_set_bottom_up(true);
	assert_int_equal(memblock_phys_alloc(1, 1ul << 63), 0);
}

static void alloc_4_upper_bound(void **state)
{
	(void)state;
	memblock_add(0x1000, 0x100000);
	memblock_set_current_limit(0x8000);
	assert_int_equal(memblock_get_current_limit(), 0x8000);
	assert_int_equal(memblock_phys_alloc_range(0x1000, 0x1000, 0, 0), 0x7000);
	assert_int_equal(memblock_phys_alloc_range(0x1000, 0x1000, 0, 1), 0x6000);
	assert_int_equal(memblock_phys_alloc_range(0x1000, 0x1000, 0, 0x20000), 0x1f000);
	assert_ptr_equal(memblock_alloc_try_nid_raw(0x1000, 0x1000, 0, 0x20000, 0),
			 phys_to_virt(0x5000));
	assert_null(memblock_alloc_try_nid_raw(0x8000, 1, 0, MEMBLOCK_ALLOC_ANYWHERE, 0));
	assert_int_equal(memblock_phys_alloc_range(0x1000, 1, 0, 0x1fff), 0);
	assert_int_equal(memblock_phys_alloc_range(1, 1, 0x9000, 0x8000), 0);
	memblock_set_current_limit(MEMBLOCK_ALLOC_ANYWHERE);
	memblock_add(SZ_4G - 0x10000, 0x20000);
	assert_int_equal(virt_to_phys(memblock_alloc_try_nid_raw(
			     0x100, 0x100, 0, ARCH_LOW_ADDRESS_LIMIT, NUMA_NO_NODE)),
			 0xfffffe00);
}

static void alloc_5_node_then_any_unless_exact(void **state)
{
	(void)state;
	memblock_add_node(0x10000, 0x4000, 0, MEMBLOCK_NONE);
	memblock_add_node(0x20000, 0x4000, 1, MEMBLOCK_NONE);
	assert_int_equal(memblock_phys_alloc_try_nid(0x3000, 0x1000, 0), 0x11000);
	assert_int_equal(memblock_alloc_range_nid(0x3000, 0x1000, 0, 0, 0, true), 0);
	assert_int_equal(memblock_alloc_range_nid(0x3000, 0x1000, 0, 0x20000, 0, false), 0);
	assert_int_equal(memblock_alloc_range_nid(0x3000, 0x1000, 0, 0, 0, false), 0x21000);
	assert_int_equal(memblock_phys_alloc_try_nid(0x1000, 0x1000, MAX_NUMNODES), 0x20000);
	assert_int_equal(memblock_phys_alloc_try_nid(0x1000, 0x1000, -7), 0x10000);
	assert_int_equal(memblock_phys_alloc_try_nid(0x8000, 0x1000, MAX_NUMNODES), 0);
	assert_null(memblock_alloc_exact_nid_raw(0x1000, 0x1000, 0, 0, 0));
	assert_null(memblock_alloc_exact_nid_raw(0x1000, 0x1000, 0, 0, 5));
}

static void alloc_6_min_addr_is_given_up_last(void **state)
{
	(void)state;
	memblock_add_node(0x10000, 0x4000, 0, MEMBLOCK_NONE);
	memblock_add_node(0x20000, 0x4000, 1, MEMBLOCK_NONE);
	/* Another node above min_addr comes before the asked one below it. */
	assert_ptr_equal(memblock_alloc_try_nid(0x1000, 0x1000, 0x18000, 0, 0),
			 phys_to_virt(0x23000));
	/* Then below, the asked node first. */
	assert_ptr_equal(memblock_alloc_try_nid(0x1000, 0x1000, 0x30000, 0, 0),
			 phys_to_virt(0x13000));
	assert_ptr_equal(memblock_alloc_from(0x1000, 0x1000, 0x30000), phys_to_virt(0x22000));
	assert_ptr_equal(memblock_alloc_exact_nid_raw(0x1000, 0x1000, 0x18000, 0, 0),
			 phys_to_virt(0x12000));
	assert_int_equal(memblock_phys_alloc_range(0x1000, 0x1000, 0x30000, 0), 0);
	assert_int_equal(memblock_alloc_range_nid(0x1000, 0x1000, 0x30000, 0, 0, false), 0);
}

static void alloc_7_zeroing(void **state)
{
	unsigned char *raw, *zeroed;

	(void)state;
	memblock_add(0x10000, 0x1000);
	memset(phys_to_virt(0x10000), 0xa5, 0x1000);
	raw = memblock_alloc_raw(0x10, 0x10);
	zeroed = memblock_alloc(0x7, 0x10);
	assert_int_equal(virt_to_phys(raw), 0x10ff0);
	assert_int_equal(virt_to_phys(zeroed), 0x10fe0);
	assert_int_equal(raw[0], 0xa5);
	assert_int_equal(zeroed[-1], 0xa5);
	assert_int_equal(zeroed[0] | zeroed[6], 0);
	assert_int_equal(zeroed[7], 0xa5);
	zeroed = memblock_alloc_low(1, 1);
	assert_int_equal(zeroed[0], 0);
	zeroed = memblock_alloc_node(1, 1, 0);
	assert_int_equal(zeroed[0], 0);
	zeroed = memblock_alloc_or_panic(1, 1);
	assert_int_equal(zeroed[0], 0);
	assert_int_equal(*(unsigned char *)phys_to_virt(memblock_phys_alloc(1, 1)), 0xa5);
	assert_panics(memblock_alloc_or_panic(0x1000, 1), "alloc_7_zeroing");
}

static void alloc_8_failure_changes_nothing(void **state)
{
	static struct snapshot before;

	(void)state;
	memblock_add_node(0x10000, 0x4000, 0, MEMBLOCK_NONE);
	memblock_reserve(0x11000, 0x100);
	take(&before);
	for (int up = 0; up < 2; up++) {
		memblock.bottom_up = before.books.bottom_up = up;
		assert_int_equal(memblock_phys_alloc(0x4000, 1), 0);
		assert_int_equal(memblock_phys_alloc(TOP, 1), 0);
		assert_null(memblock_alloc(0x4000, 1));
		assert_null(memblock_alloc_from(0x4000, 1, 0x2000));
		assert_null(memblock_alloc_exact_nid_raw(1, 1, 0, 0, 1));
		assert_unchanged(&before);
	}
}

static void alloc_9_late_callers_get_kmalloc(void **state)
{
	unsigned char *zeroed;

	(void)state;
	memblock_add(0x10000, 0x4000);
	slab_up = true;
	zeroed = memblock_alloc(0x100, 0x10);
	assert_non_null(zeroed);
	assert_int_equal(zeroed[0] | zeroed[0xff], 0);
	free(zeroed);
	assert_int_equal(nr_traces, 1);
	free(memblock_alloc_raw(0x100, 0x10));
	assert_int_equal(nr_traces, 1);
	assert_int_equal(nr_kmallocs, 2);
	slab_empty = true;
	assert_null(memblock_alloc(0x100, 0x10));
	assert_int_equal(memblock_phys_alloc(0x100, 0x10), 0);
	assert_type(reserved, 0, 0);
}

/* Flags and asking. */

static void flags_split_and_merge(void **state)
{
	(void)state;
	memblock_add(0x1000, 0x8000);
	assert_int_equal(memblock_mark_hotplug(0x3000, 0x1000), 0);
	assert_type(memory, 3, 0x8000);
	assert_region(memory, 1, 0x3000, 0x1000, NONE, MEMBLOCK_HOTPLUG);
	assert_true(memblock_is_hotpluggable(&memblock.memory.regions[1]));
	memblock_mark_nomap(0x3800, 0x1800);
	assert_type(memory, 5, 0x8000);
	assert_region(memory, 2, 0x3800, 0x800, NONE, MEMBLOCK_HOTPLUG | MEMBLOCK_NOMAP);
	assert_true(memblock_is_nomap(&memblock.memory.regions[2]));
	memblock_clear_hotplug(0, TOP);
	assert_type(memory, 3, 0x8000);
	memblock_clear_nomap(0, TOP);
	assert_type(memory, 1, 0x8000);
	memblock_reserve(0x1000, 0x3000);
	memblock_reserved_mark_noinit(0x2000, 0x1000);
	assert_type(reserved, 3, 0x3000);
	assert_true(memblock_is_reserved_noinit(&memblock.reserved.regions[1]));
}

static void flags_and_allocation(void **state)
{
	(void)state;
	memblock_add(0x1000, 0x1000);
	memblock_add_node(0x10000, 0x1000, 0, MEMBLOCK_DRIVER_MANAGED);
	memblock_add_node(0x20000, 0x1000, 0, MEMBLOCK_NOMAP);
	memblock_add_node(0x30000, 0x1000, 0, MEMBLOCK_HOTPLUG);
	assert_int_equal(memblock_phys_alloc(0x800, 0x800), 0x30800);
	movable_node_enabled = true;
	assert_true(movable_node_is_enabled());
	assert_int_equal(memblock_phys_alloc(0x800, 0x800), 0x1800);
	assert_int_equal(memblock_phys_alloc(0x800, 0x800), 0x1000);
	assert_int_equal(memblock_phys_alloc(0x800, 0x800), 0);
	assert_true(memblock_is_driver_managed(&memblock.memory.regions[1]));
	assert_false(memblock_is_mirror(&memblock.memory.regions[1]));
}

static void asking(void **state)
{
	unsigned long start = 0, end = 0;

	(void)state;
	memblock_add_node(0x1000, 0x3000, 0, MEMBLOCK_NONE);
	memblock_add_node(0x4000, 0x1000, 1, MEMBLOCK_NOMAP);
	memblock_add(0x8000, 0x1000);
	memblock_reserve(0x2000, 0x800);
	assert_int_equal(memblock_phys_mem_size(), 0x5000);
	assert_int_equal(memblock_reserved_size(), 0x800);
	assert_int_equal(memblock_start_of_DRAM(), 0x1000);
	assert_int_equal(memblock_end_of_DRAM(), 0x9000);
	assert_int_equal(memblock_estimated_nr_free_pages(), 4);
	assert_true(memblock_is_memory(0x4fff) && !memblock_is_memory(0x5000));
	assert_true(memblock_is_map_memory(0x3fff) && !memblock_is_map_memory(0x4000));
	assert_false(memblock_is_map_memory(0x5000));
	assert_true(memblock_is_reserved(0x27ff) && !memblock_is_reserved(0x2800));
	assert_true(memblock_is_region_memory(0x1000, 0x3000));
	assert_false(memblock_is_region_memory(0x1000, 0x3001));
	assert_false(memblock_is_region_memory(0x5000, 0));
	assert_false(memblock_is_memory(TOP));
	assert_int_equal(memblock_search_pfn_nid(2, &start, &end), 0);
	assert_true(start == 1 && end == 4);
	assert_int_equal(memblock_search_pfn_nid(4, &start, &end), 1);
	assert_int_equal(memblock_search_pfn_nid(8, &start, &end), NUMA_NO_NODE);
	assert_int_equal(memblock_search_pfn_nid(5, &start, &end), NUMA_NO_NODE);
	assert_int_equal(memblock_search_pfn_nid((1ul << 52) + 2, &start, &end), NUMA_NO_NODE);
	assert_true(memblock_validate_numa_coverage(0x1000));
	assert_false(memblock_validate_numa_coverage(0xfff));
	assert_true(pfn_valid(4) && !pfn_valid(5) && !pfn_valid(0));
	assert_false(pfn_valid((1ul << 52) + 4) || pfn_valid(~0ul));
	memblock_add(PFN_PHYS(MM_MAX_PFN) - PAGE_SIZE, 2 * PAGE_SIZE);
	assert_true(pfn_valid(MM_MAX_PFN - 1) && !pfn_valid(MM_MAX_PFN));
	memblock_reserve(0, TOP);
	assert_int_equal(memblock_estimated_nr_free_pages(), 0);
}

static void limits(void **state)
{
	(void)state;
	memblock_add(0x1000, 0x3000);
	memblock_add(0x8000, 0x4000);
	memblock_add_node(0x20000, 0x1000, 0, MEMBLOCK_NOMAP);
	memblock_reserve(0x9000, 0x8000);
	memblock_enforce_memory_limit(0);
	memblock_enforce_memory_limit(0x9000);
	memblock_mem_limit_remove_map(0x9000);
	memblock_mem_limit_remove_map(0);
	assert_type(memory, 3, 0x8000);
	memblock_mem_limit_remove_map(0x5000);
	assert_type(memory, 3, 0x6000);
	assert_region(memory, 1, 0x8000, 0x2000, NONE, 0);
	assert_region(reserved, 0, 0x9000, 0x1000, NONE, 0);
	memblock_cap_memory_range(0x2000, 0x7000);
	assert_type(memory, 3, 0x4000);
	assert_region(memory, 0, 0x2000, 0x2000, NONE, 0);
	assert_region(memory, 1, 0x8000, 0x1000, NONE, 0);
	assert_type(reserved, 0, 0);
	memblock_cap_memory_range(0x100000, 0);
	assert_type(memory, 3, 0x4000);
	memblock_enforce_memory_limit(0x1800);
	assert_type(memory, 1, 0x1800);
	memblock_cap_memory_range(0x2800, 0x800);
	assert_region(memory, 0, 0x2800, 0x800, NONE, 0);
}

static void loops(void **state)
{
	static const phys_addr_t free_ranges[][2] = {
		{ 0x1000, 0x2000 }, { 0x2800, 0x4000 }, { 0x4000, 0x5000 }, { 0x8800, 0x9000 }
	};
	unsigned long long i;
	unsigned long start_pfn, end_pfn, j, n = 0;
	struct memblock_region *region;
	phys_addr_t start, end;
	int k, nid, frames[2] = { 0, 0 };

	(void)state;
	memblock_add_node(0x1000, 0x3000, 0, MEMBLOCK_NONE);
	memblock_add_node(0x4000, 0x1000, 1, MEMBLOCK_HOTPLUG);
	memblock_add_node(0x6000, 0x1000, 1, MEMBLOCK_NOMAP);
	memblock_add_node(0x8000, 0x1000, 1, MEMBLOCK_DRIVER_MANAGED);
	memblock_add(0xa800, 0x400);
	memblock_reserve(0x2000, 0x800);
	memblock_reserve(0x6000, 0x2800);
	memblock_reserve(0xa000, 0x10000);

	for_each_mem_region(region)
		n += region->size;
	assert_int_equal(n, memblock.memory.total_size);
	for_each_reserved_mem_region(region)
		n -= region->size;
	assert_int_equal(n, 0x6400 - 0x13000);

	n = 0;
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_DRIVER_MANAGED, &start, &end, &nid) {
		assert_true(start == free_ranges[n][0] && end == free_ranges[n][1]);
		assert_int_equal(nid, n >= 2);
		n++;
	}
	assert_int_equal(n, 4);
	for_each_free_mem_range_reverse(j, MAX_NUMNODES, MEMBLOCK_DRIVER_MANAGED, &start, &end,
					NULL) {
		n--;
		assert_true(n < 4 && start == free_ranges[n][0] && end == free_ranges[n][1]);
	}
	assert_int_equal(n, 0);
	for_each_free_mem_range(j, 1, MEMBLOCK_NONE, &start, NULL, NULL) {
		assert_int_equal(start, 0x4000);
		n++;
	}
	assert_int_equal(n, 1);
	for_each_free_mem_range(j, 1, MEMBLOCK_NONE, NULL, &end, NULL) {
		assert_int_equal(end, 0x5000);
		n++;
	}
	assert_int_equal(n, 2);

	n = 0;
	for_each_mem_range(i, &start, &end)
		n += end - start;
	assert_int_equal(n, 0x6400 - 0x1000);
	for_each_mem_range_rev(i, &start, &end)
		n -= end - start;
	assert_int_equal(n, 0);
	for_each_reserved_mem_range(i, &start, &end)
		n += end - start;
	assert_int_equal(n, memblock.reserved.total_size);

	memblock_add(0xc000, 0x800); /* begins in a frame that it does not fill */
	for_each_mem_pfn_range(k, -5, &start_pfn, &end_pfn, &nid) {
		assert_true(start_pfn < end_pfn);
		frames[nid] += (int)(end_pfn - start_pfn);
	}
	assert_true(frames[0] == 3 && frames[1] == 3);
	for_each_mem_pfn_range(k, 1, NULL, &end_pfn, NULL)
		frames[1]--;
	assert_int_equal(frames[1], 0);
	for_each_mem_pfn_range(k, MAX_NUMNODES, &start_pfn, NULL, NULL)
		frames[1]++;
	assert_int_equal(frames[1], 4);
	region = &memblock.memory.regions[4];
	assert_int_equal(memblock_region_memory_base_pfn(region), 0xb);
	assert_int_equal(memblock_region_memory_end_pfn(region), 0xa);
	assert_int_equal(memblock_region_reserved_base_pfn(region), 0xa);
	assert_int_equal(memblock_region_reserved_end_pfn(region), 0xb);
	memblock_remove(0, TOP);
	for_each_mem_range_rev(i, NULL, NULL)
		fail();
	for_each_mem_pfn_range(k, -1, NULL, NULL, NULL)
		fail();
}

/* What a loop leaves out unless it is asked for. */
static void loops_by_flags(void **state)
{
	phys_addr_t start, sum = 0;
	uint64_t i;

	(void)state;
	memblock_add(0x1000, 0x1000);
	memblock_add_node(0x4000, 0x1000, 1, MEMBLOCK_HOTPLUG);
	memblock_add_node(0x8000, 0x1000, 1, MEMBLOCK_NOMAP);
	movable_node_enabled = true;
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, NULL, NULL)
		sum += start;
	assert_int_equal(sum, 0x1000);
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_HOTPLUG, &start, NULL, NULL)
		sum += start;
	assert_int_equal(sum, 0x1000 + 0x5000);
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NOMAP, &start, NULL, NULL)
		sum += start;
	assert_int_equal(sum, 0x6000 + 0x9000);
}

static void dump_in_linux_form(void **state)
{
	(void)state;
	memblock_add_node(0x1000, 0x9e000, 0, MEMBLOCK_HOTPLUG);
	memblock_reserve(0x2000, 0x800);
	memblock_dump_all();
	assert_int_equal(text_length, 0);
	memblock_debug = true;
	memblock_dump_all();
	assert_string_equal(text,
			    "MEMBLOCK configuration:\n"
			    " memory size = 0x000000000009e000 reserved size = 0x0000000000000800\n"
			    " memory.cnt  = 0x1\n"
			    " memory[0x0]\t[0x0000000000001000-0x000000000009efff], "
			    "0x000000000009e000 bytes on node 0 flags: 0x1\n"
			    " reserved.cnt  = 0x1\n"
			    " reserved[0x0]\t[0x0000000000002000-0x00000000000027ff], "
			    "0x0000000000000800 bytes flags: 0x0\n");
}

/* Each invariant broken on purpose is named. */
static void check_names_what_is_broken(void **state)
{
	struct memblock_region *region = memblock.memory.regions;

	(void)state;
	memblock_add(0x1000, 0x1000);
	memblock_add_node(0x2000, 0x1000, 1, MEMBLOCK_NONE);
	assert_null(memblock_check());
	region[1].base = 0x1800;
	assert_memory_equal(memblock_check(), "M1", 2);
	region[1].base = 0x2000;
	region[1].size = 0;
	assert_memory_equal(memblock_check(), "M1", 2);
	region[1].size = (phys_addr_t)0 - 0x1000; /* past the top of the address space */
	assert_memory_equal(memblock_check(), "M1", 2);
	region[1].size = 0x1000;
	region[1].nid = MAX_NUMNODES;
	assert_memory_equal(memblock_check(), "M2", 2);
	region[1].nid = NUMA_NO_NODE;
	assert_memory_equal(memblock_check(), "M5", 2);
	region[1].nid = 1;
	region[1].size++;
	assert_memory_equal(memblock_check(), "M3", 2);
	region[1].size--;
	memblock.reserved.cnt = 129;
	assert_memory_equal(memblock_check(), "M4", 2);
	memblock.reserved.cnt = 0;
	memblock.reserved.regions[0].size = 1;
	assert_memory_equal(memblock_check(), "M4", 2);
	memblock.reserved.regions[0].size = 0;
	assert_null(memblock_check());
}

/* The steps by themselves: a hole that nobody counted, and a range where nothing is. */
static void steps_refuse_what_callers_never_ask(void **state)
{
	struct memblock_region regions[2] = { { 0x1000, 0x1000, 0, MAX_NUMNODES } };
	struct memblock_type type = { 1, 1, 0x1000, regions, "small" };
	const struct memblock_region hole = { 0x4000, 0x1000, 0, MAX_NUMNODES };

	(void)state;
	assert_panics(regions_fill(&type, 1, &hole), "no entry left in small: cnt 1, max 1");
	assert_int_equal(type.cnt, 1);
	regions_carve(&type, 0x8000, 0x9000);
	assert_true(type.cnt == 1 && type.total_size == 0x1000 && !regions_check(&type));
}

/* Handing over. */

static void free_all_largest_aligned_blocks(void **state)
{
	unsigned long pages = totalram_pages(), frames = 0, next = 0;

	(void)state;
	memblock_add(0, SZ_2G + 0x5000);
	memblock_reserve(0, 0x1000);
	memblock_reserve(0x100800, 0x800);
	memblock_reserve(0x102000, 0x800);
	memblock_free_all();
	for (unsigned int i = 0; i < nr_blocks; i++) {
		unsigned long pfn = blocks[i].pfn, nr = 1ul << blocks[i].order;

		assert_true(pfn % nr == 0 && blocks[i].order <= MAX_PAGE_ORDER && pfn >= next);
		if (pfn > next)
			assert_true(memblock_is_region_reserved(PFN_PHYS(pfn - 1), PAGE_SIZE));
		next = pfn + nr;
		frames += nr;
	}
	assert_int_equal(next, PFN_DOWN(SZ_2G + 0x5000));
	assert_int_equal(frames, next - 3);
	assert_int_equal(totalram_pages() - pages, frames);
	/* Frames 1 to 0xff: 8 blocks; 0x101; 0x103 to 0x3ffff: 16; a GiB; 4 frames; 1 frame. */
	assert_int_equal(nr_blocks, 8 + 1 + 16 + 1 + 1 + 1);
}

static void free_all_from_frame_0(void **state)
{
	(void)state;
	memblock_add(0, SZ_4G);
	memblock_free_all();
	assert_int_equal(nr_blocks, 4);
	assert_true(blocks[0].pfn == 0 && blocks[0].order == MAX_PAGE_ORDER);
	memblock_reserve(0x10000, 0x3000);
	nr_blocks = 0;
	memblock_free_late(0x10800, 0x2000);
	assert_true(nr_blocks == 1 && blocks[0].pfn == 0x11 && blocks[0].order == 0);
}

static void free_all_flags_and_nodes(void **state)
{
	(void)state;
	memblock_add_node(0x1000, 0x4000, 0, MEMBLOCK_HOTPLUG);
	memblock_add_node(0x5000, 0x4000, 1, MEMBLOCK_NONE);
	memblock_add_node(0x9000, 0x1000, 1, MEMBLOCK_NOMAP);
	memblock_reserve(0x4000, 0x2000);
	memblock_reserve(0x20000, 0x1000);
	movable_node_enabled = true;
	memblock_free_all();
	assert_region(memory, 0, 0x1000, 0x4000, 0, 0);
	assert_region(reserved, 0, 0x4000, 0x1000, 0, 0);
	assert_region(reserved, 1, 0x5000, 0x1000, 1, 0);
	assert_region(reserved, 2, 0x20000, 0x1000, NONE, 0);
	for (unsigned int i = 0; i < nr_blocks; i++)
		assert_true(blocks[i].pfn < 4 || (blocks[i].pfn >= 6 && blocks[i].pfn < 9));
}

/* Growing: from here on it is allowed. */

static void grow_at_the_129th(void **state)
{
	struct memblock_region *region;
	phys_addr_t array, bytes = 2ul * 128 * sizeof(*region);

	(void)state;
	memblock_allow_resize();
	memblock_add(0x1000, SZ_32M);
	memset(phys_to_virt(0x1000), 0xff, SZ_32M);
	fill_up(&memblock.reserved, 128, 0x100000);
	assert_int_equal(memblock.reserved.max, 128);
	memblock_reserve(0x80000, 0x1000);
	assert_int_equal(memblock.reserved.max, 256);
	assert_int_equal(memblock.reserved.cnt, 130);
	array = virt_to_phys(memblock.reserved.regions);
	assert_int_equal(array, 0x1000 + SZ_32M - PAGE_ALIGN(bytes));
	assert_region(reserved, 129, array, PAGE_ALIGN(bytes), NONE, 0);
	for (region = &memblock.reserved.regions[130]; region < &memblock.reserved.regions[256];
	     region++)
		assert_int_equal(region->base | region->size | (unsigned int)region->nid, 0);

	/* Again: the first array is given back. */
	fill_up(&memblock.reserved, 257, 0x200000);
	assert_int_equal(memblock.reserved.max, 512);
	assert_false(memblock_is_reserved(array));
	assert_true(memblock_is_reserved(virt_to_phys(memblock.reserved.regions)));
	memblock_phys_free(0, SZ_16M);
	assert_type(reserved, 1, PAGE_ALIGN(512 * sizeof(*region)));
}

static void grow_keeps_clear_of_what_is_added(void **state)
{
	(void)state;
	memblock_add(0x100000, 0x10000);
	fill_up(&memblock.reserved, 128, 0x1000000);
	memblock_reserve(0x104000, 0xc000); /* the top, where the array would go */
	assert_int_equal(virt_to_phys(memblock.reserved.regions), 0x102000);
	assert_type(reserved, 129, 128 * 0x1000 + 0xe000);

	reset();
	memblock_set_bottom_up(true);
	memblock_add(0x100000, 0x10000);
	fill_up(&memblock.reserved, 128, 0x1000000);
	memblock_reserve(0x101000, 0x1000); /* room on both sides: above it is looked first */
	assert_int_equal(virt_to_phys(memblock.reserved.regions), 0x102000);
}

static void grow_without_room_changes_nothing(void **state)
{
	static struct snapshot before;

	(void)state;
	memblock_add(0x100000, 0x3000);
	fill_up(&memblock.reserved, 128, 0x1000000);
	take(&before);
	assert_int_equal(memblock_reserve(0x101000, 0x1000), -ENOMEM);
	assert_non_null(strstr(text, "no room for the reserved array"));
	assert_int_equal(memblock_phys_alloc(0x2000, 0x1000), 0);
	assert_null(memblock_alloc(0x2000, 0x1000));
	assert_unchanged(&before);
	memblock_set_current_limit(0x100000);
	before.books.current_limit = 0x100000;
	assert_int_equal(memblock_reserve(0x1000, 0x1000), -ENOMEM);
	assert_unchanged(&before);
}

static void grow_memory_and_reserved_together(void **state)
{
	static struct snapshot before;

	(void)state;
	memblock_add(0x100000, 0x4000);
	fill_up(&memblock.reserved, 128, 0x1000000);
	fill_up(&memblock.memory, 128, 0x2000000);
	memblock_set_current_limit(0x103000); /* room for one array only */
	take(&before);
	assert_int_equal(memblock_add(0x80000, 0x1000), -ENOMEM);
	assert_unchanged(&before);
	memblock_set_current_limit(0x104000);
	assert_int_equal(memblock_add(0x80000, 0x1000), 0);
	assert_int_equal(memblock.memory.max, 256);
	assert_int_equal(memblock.reserved.max, 256);
	assert_type(memory, 129, 0x4000 + 128 * 0x1000);
	assert_type(reserved, 129, 128 * 0x1000 + 0x4000);
}

static void grow_for_many_holes_at_once(void **state)
{
	(void)state;
	memblock_add_node(0x1000000, 0x100000, 1, MEMBLOCK_NONE);
	fill_up(&memblock.memory, 128, 0x2000000);
	assert_int_equal(memblock_add_node(0, SZ_1G, 2, MEMBLOCK_NONE), 0);
	assert_int_equal(memblock.memory.cnt, 128 + 129);
	assert_int_equal(memblock.memory.max, 512);
}

/* The array that grows while node 1 is entered comes from node 0, which was entered before. */
static void grow_during_the_hand_over(void **state)
{
	const struct memblock_region *region;

	(void)state;
	memblock_add_node(0x100000, 0x10000, 0, MEMBLOCK_NONE);
	memblock_add_node(0x200000, 0x10000, 1, MEMBLOCK_NONE);
	memblock_reserve(0x20f000, 0x2000);
	fill_up(&memblock.reserved, 128, 0x1000000);
	memblock_free_all();
	assert_int_equal(memblock.reserved.max, 256);
	for_each_reserved_mem_region(region)
		assert_int_equal(region->nid, region->base < 0x200000   ? 0
					      : region->base < 0x210000 ? 1
									: NONE);
	for (unsigned int i = 0; i < nr_blocks; i++)
		assert_false(memblock_is_region_reserved(PFN_PHYS(blocks[i].pfn),
							 PAGE_SIZE << blocks[i].order));
}

static void grow_with_slab(void **state)
{
	struct memblock_region *from_slab;

	(void)state;
	slab_up = true;
	fill_up(&memblock.reserved, 129, 0x1000000);
	assert_int_equal(nr_kmallocs, 1);
	assert_type(reserved, 129, 129 * 0x1000);
	fill_up(&memblock.reserved, 257, 0x2000000);
	assert_int_equal(nr_kmallocs, 2); /* and the first was freed: LeakSanitizer knows */
	from_slab = memblock.reserved.regions;
	reset();
	kfree(from_slab);
}

/* An array that was doubled without entries would have none for ever. */
static void grow_of_nothing_panics(void **state)
{
	(void)state;
	memblock.memory.max = 0;
	assert_panics(memblock_add(0x1000, 0x1000), "memory array is full with 0 regions");
	memblock.memory.max = 128;
}

/* An array whose memory a limit has cut off is nobody's to free, least of all a slab's. */
static void grow_leaves_an_array_beyond_a_limit(void **state)
{
	phys_addr_t array;

	(void)state;
	memblock_add(0x1000, 0x100000);
	fill_up(&memblock.memory, 129, 0x2000000);
	array = virt_to_phys(memblock.memory.regions);
	assert_true(memblock_is_reserved(array) && array > 0x81000);
	memblock_enforce_memory_limit(0x80000);
	assert_type(memory, 1, 0x80000);
	assert_false(memblock_is_reserved(array));
	fill_up(&memblock.memory, 257, 0x4000000);
	assert_int_equal(memblock.memory.max, 512);
	assert_int_equal(nr_kfrees, 0);
}

/* At random, against the model. */

static struct model model;
static uint64_t seed = 1;

static unsigned long below(unsigned long n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static void compare_type(const struct memblock_type *type, const struct cell *line)
{
	static struct memblock_region expected[NR_CELLS];
	unsigned long nr = model_regions(line, expected);

	assert_int_equal(type->cnt, nr);
	assert_memory_equal(type->regions, expected, nr * sizeof(expected[0]));
}

static void compare_loops(int nid)
{
	static struct cell seen[NR_CELLS];
	phys_addr_t start, end, before = TOP;
	uint64_t i;
	unsigned long ranges = 0;

	memset(seen, 0, sizeof(seen));
	for_each_free_mem_range(i, nid, MEMBLOCK_NONE, &start, &end, NULL) {
		assert_true(start < end && (before == TOP || start >= before));
		model_add(seen, start / CELL, end / CELL, 0, 0);
		before = end;
		ranges++;
	}
	for (unsigned long k = 0; k < NR_CELLS; k++)
		assert_int_equal(seen[k].present, model_fits(&model, k, 1, nid));
	for_each_free_mem_range_reverse(i, nid, MEMBLOCK_NONE, &start, &end, NULL) {
		assert_true(start < end && end <= before);
		model_remove(seen, start / CELL, end / CELL);
		before = start;
		ranges--;
	}
	assert_int_equal(ranges, 0);
	for (unsigned long k = 0; k < NR_CELLS; k++)
		assert_false(seen[k].present);
}

static void compare(void)
{
	assert_null(memblock_check());
	compare_type(&memblock.memory, model.memory);
	compare_type(&memblock.reserved, model.reserved);
	compare_loops((int)below(4) - 1);
	for (unsigned int n = 0; n < 4; n++) {
		unsigned long k = below(NR_CELLS);

		assert_int_equal(memblock_is_memory(k * CELL), model.memory[k].present);
		assert_int_equal(memblock_is_reserved(k * CELL + CELL - 1),
				 model.reserved[k].present);
	}
}

static bool is_static(const struct memblock_region *regions)
{
	return regions == power_on.memory.regions || regions == power_on.reserved.regions;
}

static unsigned long array_pages(unsigned long max)
{
	return PAGE_ALIGN(max * sizeof(struct memblock_region)) / PAGE_SIZE;
}

/* A new array must have been free, outside [from, to); the model then reserves it, frees the old.
 */
static void follow_growth(const struct memblock_type *was, const struct memblock_type *now,
			  unsigned long from, unsigned long to)
{
	unsigned long at, cells;

	if (was->max == now->max)
		return;
	at = virt_to_phys(now->regions) / CELL;
	cells = array_pages(now->max) * PAGE_CELLS;
	assert_true(at % PAGE_CELLS == 0 && model_fits(&model, at, cells, NUMA_NO_NODE));
	assert_true(at >= to || at + cells <= from);
	assert_true((at + cells) * CELL <= memblock.current_limit);
	model_add(model.reserved, at, at + cells, MODEL_NO_NODE, 0);
	if (is_static(was->regions))
		return;
	at = virt_to_phys(was->regions) / CELL;
	/* Freeing it can need an entry itself, to split a region; without room it stays. */
	if (memblock.reserved.cnt == memblock.reserved.max && memblock_is_reserved(at * CELL))
		return;
	model_remove(model.reserved, at, at + array_pages(was->max) * PAGE_CELLS);
}

static unsigned long random_align(void)
{
	return 1ul << below(5);
}

enum kind { ADD, REMOVE, SET_NODE, MARK_HOTPLUG, CLEAR_HOTPLUG, MARK_OTHER, NR_KINDS };

/* One call that changes, and the same on the model. MARK_OTHER: noinit, or nomap by the node. */
struct change_op {
	enum kind kind;
	bool reserved;
	unsigned long from, to;
	unsigned int flags;
	int nid;
};

static struct change_op random_op(void)
{
	static const unsigned int some_flags[] = {
		0, 0, 0, MEMBLOCK_HOTPLUG, MEMBLOCK_NOMAP, MEMBLOCK_DRIVER_MANAGED
	};
	struct change_op op = { .kind = (enum kind)below(below(3) ? 2 : NR_KINDS),
				.reserved = below(2) };

	op.from = below(NR_CELLS);
	op.to = op.from + below(NR_CELLS + 1 - op.from);
	if (below(4))
		op.to = op.from + (op.to - op.from) / 8;
	op.flags = some_flags[below(6)];
	op.nid = (int)below(4) - 1;
	if (op.kind == MARK_HOTPLUG || op.kind == CLEAR_HOTPLUG)
		op.reserved = false;
	return op;
}

static int call(const struct change_op *op)
{
	phys_addr_t base = op->from * CELL, size = (op->to - op->from) * CELL;

	switch (op->kind) {
	case ADD:
		return op->reserved ? memblock_reserve(base, size)
				    : memblock_add_node(base, size, op->nid, op->flags);
	case REMOVE:
		return op->reserved ? memblock_phys_free(base, size) : memblock_remove(base, size);
	case SET_NODE:
		return memblock_set_node(
		    base, size, op->reserved ? &memblock.reserved : &memblock.memory, op->nid);
	case MARK_HOTPLUG:
		return memblock_mark_hotplug(base, size);
	case CLEAR_HOTPLUG:
		return memblock_clear_hotplug(base, size);
	default:
		if (op->reserved)
			return memblock_reserved_mark_noinit(base, size);
		return (op->nid < 0 ? memblock_mark_nomap : memblock_clear_nomap)(base, size);
	}
}

static void call_model(struct model *on, const struct change_op *op)
{
	struct cell *line = op->reserved ? on->reserved : on->memory;
	int nid = op->nid < 0 ? MODEL_NO_NODE : op->nid;
	unsigned int other = op->reserved ? MEMBLOCK_RSRV_NOINIT : MEMBLOCK_NOMAP;
	bool mark = op->reserved || op->nid < 0;

	switch (op->kind) {
	case ADD:
		model_add(line, op->from, op->to, op->reserved ? MODEL_NO_NODE : nid,
			  op->reserved ? 0 : op->flags);
		return;
	case REMOVE:
		model_remove(line, op->from, op->to);
		return;
	case SET_NODE:
		model_set(line, op->from, op->to, 0, 0, &nid);
		return;
	case MARK_HOTPLUG:
		model_set(line, op->from, op->to, MEMBLOCK_HOTPLUG, 0, NULL);
		return;
	case CLEAR_HOTPLUG:
		model_set(line, op->from, op->to, 0, MEMBLOCK_HOTPLUG, NULL);
		return;
	default:
		model_set(line, op->from, op->to, mark ? other : 0, mark ? 0 : other, NULL);
	}
}

/* Whether the array of a type lies in these cells: who frees that has only himself to blame. */
static bool holds_array(const struct memblock_type *type, unsigned long from, unsigned long to)
{
	unsigned long at;

	if (is_static(type->regions))
		return false;
	at = virt_to_phys(type->regions) / CELL;
	return from < at + array_pages(type->max) * PAGE_CELLS && at < to;
}

static bool holds_arrays(unsigned long from, unsigned long to)
{
	return holds_array(&memblock.memory, from, to) || holds_array(&memblock.reserved, from, to);
}

/* A change fails only when an array is full and nowhere is room; then nothing changed. */
static void step_change(void)
{
	static struct snapshot before;
	static struct model next;
	static struct memblock_region regions[NR_CELLS];
	struct change_op op = random_op();
	struct memblock_type *type = op.reserved ? &memblock.reserved : &memblock.memory;
	unsigned long needed, max = type->max;
	bool clear = op.reserved || op.kind == REMOVE;
	int err;

	if (op.reserved && op.kind == REMOVE && holds_arrays(op.from, op.to))
		return;
	take(&before);
	next = model;
	call_model(&next, &op);
	needed = model_regions(op.reserved ? next.reserved : next.memory, regions);
	err = call(&op);
	if (err) {
		assert_int_equal(err, -ENOMEM);
		assert_true(needed > max);
		assert_unchanged(&before);
		return;
	}
	assert_true((type->max > max) == (needed > max));
	follow_growth(&before.books.memory, &memblock.memory, clear ? op.from : 0,
		      clear ? op.to : 0);
	follow_growth(&before.books.reserved, &memblock.reserved, op.reserved ? op.from : 0,
		      op.reserved ? op.to : 0);
	call_model(&model, &op);
}

static void step_alloc(void)
{
	static struct snapshot before;
	unsigned long cells = 1 + below(below(2) ? 4 : 40), align = random_align();
	unsigned long from = below(NR_CELLS), to = from + below(NR_CELLS + 1 - from), expected,
		      limit;
	int nid = (int)below(5) - 1;
	bool exact = below(2), virt = below(2);
	phys_addr_t found;

	if (below(2))
		from = 0;
	if (below(2) || !to)
		to = NR_CELLS;
	take(&before);
	limit = memblock.current_limit / CELL;
	if (virt && to > limit)
		to = limit;
	expected = model_place(&model, cells, align, from, to, nid);
	if (!expected && !exact)
		expected = model_place(&model, cells, align, from, to, NUMA_NO_NODE);
	if (!expected && virt && from)
		expected = model_place(&model, cells, align, 0, to, nid);
	if (!expected && virt && from && !exact)
		expected = model_place(&model, cells, align, 0, to, NUMA_NO_NODE);
	if (virt) {
		void *ptr = (exact ? memblock_alloc_exact_nid_raw : memblock_alloc_try_nid_raw)(
		    cells * CELL, align * CELL, from * CELL, to * CELL, nid);
		found = ptr ? virt_to_phys(ptr) : 0;
	} else {
		found = memblock_alloc_range_nid(cells * CELL, align * CELL, from * CELL, to * CELL,
						 nid, exact);
	}
	if (!found) {
		assert_true(!expected || memblock.reserved.cnt == memblock.reserved.max);
		assert_unchanged(&before);
		return;
	}
	assert_int_equal(found, expected * CELL);
	follow_growth(&before.books.reserved, &memblock.reserved, expected, expected + cells);
	model_add(model.reserved, expected, expected + cells, MODEL_NO_NODE, 0);
}

static void step_cut(void)
{
	unsigned long align = random_align(), amount = 1 + below(NR_CELLS), end;
	unsigned long from = below(NR_CELLS), to = from + 1 + below(NR_CELLS - from);

	if (holds_arrays(0, NR_CELLS))
		return;
	switch (below(4)) {
	case 0:
		memblock_trim_memory(align * CELL);
		model_trim(model.memory, align);
		return;
	case 1:
		end = model_end_of_amount(model.memory, amount);
		memblock_enforce_memory_limit(amount * CELL);
		if (end <= NR_CELLS) {
			model_remove(model.memory, end, NR_CELLS);
			model_remove(model.reserved, end, NR_CELLS);
		}
		return;
	case 2:
		to = model_end_of_amount(model.memory, amount);
		memblock_mem_limit_remove_map(amount * CELL);
		from = 0;
		if (to > NR_CELLS)
			return;
		break;
	default:
		memblock_cap_memory_range(from * CELL, (to - from) * CELL);
	}
	for (unsigned long k = 0; k < NR_CELLS; k++) {
		if (k >= from && k < to)
			continue;
		model_remove(model.reserved, k, k + 1);
		if (!(model.memory[k].flags & MEMBLOCK_NOMAP))
			model_remove(model.memory, k, k + 1);
	}
}

static void start_round(void)
{
	reset();
	memset(&model, 0, sizeof(model));
	memblock.bottom_up = below(2);
	movable_node_enabled = below(4) == 0;
	memblock.current_limit = below(2) ? NR_CELLS * CELL : below(NR_CELLS) * CELL;
	memblock.memory.max = 1 + below(below(2) ? 6 : 128);
	memblock.reserved.max = 1 + below(below(2) ? 6 : 128);
	if (below(2)) {
		memblock_add(0, NR_CELLS * CELL);
		model_add(model.memory, 0, NR_CELLS, MODEL_NO_NODE, 0);
	}
}

static void random_against_the_model(void **state)
{
	unsigned long nr_grown = 0;

	(void)state;
	for (unsigned int round = 0; round < 6000; round++) {
		unsigned long max;

		seed = round + 1;
		for (unsigned int warm = 0; warm < 8; warm++)
			below(2);
		start_round();
		max = memblock.memory.max + memblock.reserved.max;
		for (unsigned int step = 0; step < 60; step++) {
			unsigned long kind = below(40);

			if (kind == 0)
				step_cut();
			else if (kind < 12)
				step_alloc();
			else
				step_change();
			compare();
		}
		nr_grown += memblock.memory.max + memblock.reserved.max > max;
	}
	assert_true(nr_grown > 100); /* else it proved little about growing */
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(state_before_any_call),
		test(book_1_sorted_disjoint_summed),
		test(book_2_touching_are_one_if_alike),
		test(book_3_cut_at_the_top),
		test(book_4_adding_fills_holes_only),
		test(book_5_removing_cuts_the_common_part),
		test(book_6_last_region_leaves_zeros),
		test(book_7_no_node_is_max_numnodes),
		test(book_empty_of_older_releases),
		test(book_trim),
		test(book_free_by_virtual_address),
		test(book_overlap_is_a_common_byte),
		test(book_early_code_may_write_the_fields),
		test(grow_not_allowed_panics_and_changes_nothing),
		test(grow_not_before_the_result_needs_it),
		test(alloc_1_within_one_region),
		test(alloc_2_highest_or_lowest),
		test(alloc_3_alignment_is_for_the_address),
		test(alloc_4_upper_bound),
		test(alloc_5_node_then_any_unless_exact),
		test(alloc_6_min_addr_is_given_up_last),
		test(alloc_7_zeroing),
		test(alloc_8_failure_changes_nothing),
		test(alloc_9_late_callers_get_kmalloc),
		test(flags_split_and_merge),
		test(flags_and_allocation),
		test(asking),
		test(limits),
		test(loops),
		test(loops_by_flags),
		test(dump_in_linux_form),
		test(check_names_what_is_broken),
		test(steps_refuse_what_callers_never_ask),
		test(free_all_largest_aligned_blocks),
		test(free_all_from_frame_0),
		test(free_all_flags_and_nodes),
		test(grow_at_the_129th),
		test(grow_keeps_clear_of_what_is_added),
		test(grow_without_room_changes_nothing),
		test(grow_memory_and_reserved_together),
		test(grow_for_many_holes_at_once),
		test(grow_during_the_hand_over),
		test(grow_with_slab),
		test(grow_of_nothing_panics),
		test(grow_leaves_an_array_beyond_a_limit),
		test(random_against_the_model),
	};
#undef test
	void *arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (arena == MAP_FAILED) {
		printf("Bail out! no address space for the arena\n");
		return 1;
	}
	mm_host_offset = (uintptr_t)arena;
	power_on = memblock;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("memblock", tests, NULL, NULL);
}
