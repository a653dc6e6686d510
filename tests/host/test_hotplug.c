/*
 * test_hotplug.c: tests memory that is added and removed: what it costs other memory, what happens
 * when something is short, in use, in the way or not there, and that every count comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/paging.h"
#include "mm/cache.h"
#include "mm/check.h"
#include "mm/debug.h"
#include "mm/hotplug_parts.h"
#include "mm/page_state.h"
#include "tests/host/sim/sim.h"

#define MIB  (1ull << 20)
#define GIB  (1ull << 30)
#define HIGH (4 * GIB) /* where memory is added */

/* ---- the machine, and its counts ---- */

static struct sim_options options;

/* Boots a machine of 1 GiB. */
static void boot_with(unsigned int debug)
{
	static const struct e820_entry ram[] = {
		{ 0, 640 << 10, E820_TYPE_RAM, 0, 20, 0 },
		{ MIB, GIB - MIB, E820_TYPE_RAM, 0, 20, 0 },
	};
	struct e820_taken kernel;
	const char *error;

	options.seed = 7;
	options.debug = debug;
	assert_int_equal(sim_boot(ram, 2, &options, &kernel, &error), 0);
	assert_int_equal(memory_hotplug_init(), 0);
}

static void boot(void)
{
	options.pdpe1gb = true;
	boot_with(0);
}

struct counts {
	uint64_t nr_free, total, memblock, reserved, tables;
	uint64_t blocks[NR_ORDERS];
	unsigned long regions;
};

static struct counts count(void)
{
	struct counts c = { nr_free_pages(),          totalram_pages(),
			    memblock_phys_mem_size(), memblock_reserved_size(),
			    paging_table_bytes(),     { 0 },
			    memblock.memory.cnt };

	drain_caches();
	for_each_zone(z) {
		uint64_t blocks[NR_ORDERS];

		zone_free_blocks(z, blocks);
		for (unsigned int k = 0; k < NR_ORDERS; k++)
			c.blocks[k] += blocks[k];
	}
	assert_int_equal(mm_check(), 0);
	assert_null(memblock_check());
	return c;
}

static void assert_counts(const struct counts *before)
{
	struct counts now = count();

	assert_memory_equal(&now, before, sizeof(now));
}

static void add(int nid, phys_addr_t base, uint64_t size)
{
	assert_int_equal(add_memory(nid, base, size), 0);
	assert_int_equal(mm_check(), 0);
}

static void removed(phys_addr_t base, uint64_t size)
{
	assert_int_equal(offline_and_remove_memory(base, size), 0);
	assert_int_equal(mm_check(), 0);
	assert_int_equal(page_state(PFN_DOWN(base)), PAGE_ABSENT);
	assert_int_equal(pfn_to_page(PFN_DOWN(base))->state, 0);
}

/* Allocates all frames of a range, as single ones, into held[]; returns how many they are. */
static struct page *held[1 << 19];

static unsigned int hold_all_of(phys_addr_t base, uint64_t size)
{
	pfn_t start = PFN_DOWN(base), end;
	unsigned int nr = 0;

	while (next_free_range(&start, &end) && start < PFN_DOWN(base + size)) {
		if (end > PFN_DOWN(base + size))
			end = PFN_DOWN(base + size);
		assert_int_equal(alloc_contig_range(start, end, MIGRATE_MOVABLE, 0), 0);
		for (; start < end; start++)
			held[nr++] = pfn_to_page(start);
	}
	return nr;
}

/* ---- what works ---- */

static void added_memory_serves_and_leaves(void **state)
{
	static const uint64_t sizes[] = { 2 * MIB, 6 * MIB,       128 * MIB, 130 * MIB, 510 * MIB,
					  GIB,     GIB + 2 * MIB, 3 * GIB,   16 * GIB };

	(void)state;
	for (unsigned int pages = 0; pages < 2; pages++)
		for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			for (phys_addr_t base = HIGH; base <= HIGH + 514 * MIB; base += 514 * MIB) {
				struct counts before;
				struct page *page;

				options.pdpe1gb = pages;
				options.dirty = base == HIGH;
				boot_with(0);
				options.dirty = false;
				before = count();
				add(0, base, sizes[i]);
				assert_true(pfn_valid(PFN_DOWN(base)));
				page = alloc_pages_node(0, __GFP_THISNODE, 0);
				assert_non_null(page);
				__free_page(page);
				removed(base, sizes[i]);
				assert_counts(&before);
			}
}

/* Zones come last in the fallback list, so all else has to be in use before. */
static void it_is_used_last(void **state)
{
	unsigned int nr;
	struct page *page;

	(void)state;
	boot();
	add(0, HIGH, GIB);
	for (nr = 0; (page = alloc_page(GFP_KERNEL)) && page_zone(page)->type != ZONE_HOTPLUG; nr++)
		held[nr] = page;
	assert_true(nr > 200000);
	assert_non_null(page);
	assert_true(node_zone(0, ZONE_DMA32)->nr_free <=
		    node_zone(0, ZONE_DMA32)->lowmem_reserve[ZONE_HOTPLUG]);
	__free_page(page);
	while (nr--)
		__free_page(held[nr]);
	drain_all_pages();
	removed(HIGH, GIB);
}

static void whole_gibs_take_nothing_of_other_memory(void **state)
{
	uint64_t nr_free, total;

	(void)state;
	boot();
	nr_free = nr_free_pages();
	total = totalram_pages();
	add(0, HIGH, 3 * GIB);
	assert_int_equal(nr_free_pages() - nr_free, totalram_pages() - total);
}

static void memory_is_added_when_no_frame_is_free(void **state)
{
	(void)state;
	boot();
	for (unsigned int order = MAX_PAGE_ORDER + 1; order-- > 0;)
		while (alloc_pages(GFP_KERNEL | __GFP_HIGH, order)) {
		}
	assert_int_equal(nr_free_pages(), 0);
	add(0, HIGH, GIB);
	assert_true(nr_free_pages() > 260000);
	removed(HIGH, GIB);
}

static void many_rounds_leave_every_count(void **state)
{
	struct counts before;

	(void)state;
	boot();
	before = count();
	for (unsigned int round = 0; round < 256; round++) {
		uint64_t size = 130 * MIB * (round % 7 + 1);
		unsigned int nr;

		add(0, HIGH + 514 * MIB * (round % 3), size);
		nr = hold_all_of(HIGH, 40 * MIB);
		while (nr--)
			__free_page(held[nr]);
		removed(HIGH + 514 * MIB * (round % 3), size);
		assert_counts(&before);
	}
}

/* ---- what is refused ---- */

static void ranges_that_cannot_be_are_refused(void **state)
{
	struct counts before;

	(void)state;
	boot();
	before = count();
	assert_int_equal(add_memory(-1, HIGH, GIB), -EINVAL);
	assert_int_equal(add_memory(MAX_NUMNODES, HIGH, GIB), -EINVAL);
	assert_int_equal(add_memory(0, HIGH, 0), -EINVAL);
	assert_int_equal(add_memory(0, HIGH + PAGE_SIZE, GIB), -EINVAL);
	assert_int_equal(add_memory(0, HIGH, GIB + PAGE_SIZE), -EINVAL);
	assert_int_equal(add_memory(0, PFN_PHYS(MM_MAX_PFN) - 2 * MIB, 4 * MIB), -ERANGE);
	assert_int_equal(add_memory(0, PFN_PHYS(MM_MAX_PFN), 4 * MIB), -ERANGE);
	assert_int_equal(add_memory(0, GIB - 2 * MIB, 4 * MIB), -EEXIST);
	assert_counts(&before);
	add(0, HIGH, GIB);
	assert_int_equal(add_memory(0, HIGH + GIB - 2 * MIB, 4 * MIB), -EEXIST);
	assert_int_equal(offline_and_remove_memory(HIGH, GIB / 2), -EINVAL);
	assert_int_equal(offline_and_remove_memory(HIGH + GIB / 2, GIB / 2), -EINVAL);
	assert_int_equal(offline_and_remove_memory(512 * MIB, 2 * MIB), -EINVAL);
	removed(HIGH, GIB);
	assert_int_equal(offline_and_remove_memory(HIGH, GIB), -EINVAL);
	assert_counts(&before);
}

static void memory_that_is_not_there_is_refused(void **state)
{
	struct counts before;

	(void)state;
	boot();
	before = count();
	sim_no_ram_below = HIGH + GIB;
	assert_int_equal(add_memory(0, HIGH, GIB), -EIO);
	assert_counts(&before);
	sim_no_ram_below = 0;
	add(0, HIGH, GIB);
}

/* Leaves so many single frames in the reserve, none beside another. */
static void shorten_reserve(unsigned int left)
{
	phys_addr_t frame[64];
	unsigned int nr = 0;

	while (nr < 64 && (frame[nr] = hotplug_take_frames(1)))
		nr++;
	for (unsigned int i = 0; i < left && i < nr; i++)
		hotplug_return_frames(frame[i], 1);
}

/*
 * With 0 to 40 frames in the reserve the call fails at every step in turn. The zone and the shelf
 * that it may have made stay, so what is compared is what counts.
 */
static void memory_short_at_every_step_changes_no_count(void **state)
{
	unsigned int failed = 0;

	(void)state;
	for (unsigned int left = 0; left <= 40; left++) {
		struct counts before;
		int err;

		options.pdpe1gb = false;
		boot_with(0);
		shorten_reserve(left);
		before = count();
		/* Parts of two GiBs, in two shelves. */
		err = add_memory(0, 511 * GIB + 514 * MIB, GIB);
		if (!err) {
			assert_int_equal(mm_check(), 0);
			continue;
		}
		assert_int_equal(err, -ENOMEM);
		failed++;
		assert_counts(&before);
	}
	assert_in_range(failed, 20, 40);
}

static void a_frame_in_use_keeps_its_range(void **state)
{
	struct counts before;
	struct page *page;

	(void)state;
	boot_with(MM_PAGE_OWNER);
	add(0, HIGH, GIB);
	page = alloc_pages_node(0, __GFP_THISNODE, 18); /* none: of the GiB a part is metadata */
	assert_null(page);
	assert_int_equal(
	    alloc_contig_range(PFN_DOWN(HIGH) + 77, PFN_DOWN(HIGH) + 80, MIGRATE_MOVABLE, 0), 0);
	before = count();
	assert_int_equal(offline_and_remove_memory(HIGH, GIB), -EBUSY);
	assert_int_equal(offline_blockers.frames, 3);
	assert_int_equal(offline_blockers.first, PFN_DOWN(HIGH) + 77);
	assert_int_equal(offline_blockers.order, 0);
	assert_true(offline_blockers.site);
	assert_counts(&before);
	free_contig_range(PFN_DOWN(HIGH) + 77, 3);
	removed(HIGH, GIB);
}

/* An owner that has not set its owner word yet finds there what was left by those before. */
static void what_was_isolated_once_is_another_ones_now(void **state)
{
	const pfn_t first = PFN_DOWN(HIGH) + 77;

	(void)state;
	boot();
	add(0, HIGH, GIB);
	assert_int_equal(alloc_contig_range(first, first + 1, MIGRATE_MOVABLE, 0), 0);
	assert_int_equal(offline_and_remove_memory(HIGH, GIB), -EBUSY);
	assert_int_equal(offline_blockers.frames, 1);
	assert_int_equal(alloc_contig_range(first + 1, first + 2, MIGRATE_MOVABLE, 0), 0);
	assert_int_equal(offline_and_remove_memory(HIGH, GIB), -EBUSY);
	assert_int_equal(offline_blockers.frames, 2);
	assert_int_equal(page_state(first + 1), PAGE_ALLOCATED);
	free_contig_range(first, 2);
	removed(HIGH, GIB);
}

static void frames_out_of_service_do_not_hold_it_back(void **state)
{
	struct counts before;

	(void)state;
	boot();
	before = count();
	add(0, HIGH, GIB);
	assert_int_equal(
	    alloc_contig_range(PFN_DOWN(HIGH) + 77, PFN_DOWN(HIGH) + 78, MIGRATE_MOVABLE, 0), 0);
	set_page_private(pfn_to_page(PFN_DOWN(HIGH) + 77), PAGE_HWPOISON);
	removed(HIGH, GIB);
	assert_counts(&before);
}

/* ---- between isolation and verification ---- */

static pfn_t
    on_the_way; /* a frame in use that is freed, and another allocated, at the next request */

void __real_port_on_each_cpu(void (*function)(void *argument), void *argument);
void __wrap_port_on_each_cpu(void (*function)(void *argument), void *argument);

void __wrap_port_on_each_cpu(void (*function)(void *argument), void *argument)
{
	pfn_t pfn = on_the_way;

	on_the_way = 0;
	if (pfn) {
		__free_page(pfn_to_page(pfn));
		drain_caches();
		assert_int_equal(alloc_contig_range(pfn, pfn + 1, MIGRATE_MOVABLE, GFP_ATOMIC), 0);
	}
	__real_port_on_each_cpu(function, argument);
}

static void a_frame_allocated_meanwhile_is_found(void **state)
{
	pfn_t pfn = PFN_DOWN(HIGH) + 1000;
	struct counts before;

	(void)state;
	boot();
	add(0, HIGH, GIB);
	assert_int_equal(alloc_contig_range(pfn, pfn + 1, MIGRATE_MOVABLE, 0), 0);
	before = count();
	on_the_way = pfn;
	assert_int_equal(offline_and_remove_memory(HIGH, GIB), -EBUSY);
	assert_int_equal(on_the_way, 0);
	assert_int_equal(offline_blockers.frames, 1);
	assert_int_equal(offline_blockers.first, pfn);
	assert_counts(&before);
	__free_page(pfn_to_page(pfn));
	removed(HIGH, GIB);
}

static void with_interrupts_off_nothing_is_removed(void **state)
{
	(void)state;
	boot();
	add(0, HIGH, GIB);
	sim_irqs(false);
	assert_int_equal(offline_and_remove_memory(HIGH, GIB), -EAGAIN);
	sim_irqs(true);
	removed(HIGH, GIB);
}

/* ---- neighbours ---- */

static void of_two_ranges_in_a_gib_either_leaves_first(void **state)
{
	(void)state;
	for (unsigned int first = 0; first < 2; first++) {
		phys_addr_t base[2] = { HIGH, HIGH + 256 * MIB };
		struct counts before;

		boot();
		before = count();
		add(0, base[0], 256 * MIB);
		add(0, base[1], 512 * MIB);
		removed(base[first], first ? 512 * MIB : 256 * MIB);
		assert_true(pfn_valid(PFN_DOWN(base[!first])));
		hold_all_of(base[!first], 2 * MIB);
		free_contig_range(PFN_DOWN(base[!first]), 512);
		removed(base[!first], first ? 256 * MIB : 512 * MIB);
		assert_counts(&before);
	}
}

/* Of a block that comes again the descriptors are other memory, and must be zeroed again (P3). */
static void a_range_that_comes_again_is_new(void **state)
{
	(void)state;
	options.dirty = true;
	boot();
	add(0, HIGH, 256 * MIB);
	add(0, HIGH + 256 * MIB, 256 * MIB);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(
		    alloc_contig_range(PFN_DOWN(HIGH) + 3, PFN_DOWN(HIGH) + 4, MIGRATE_MOVABLE, 0),
		    0);
		assert_int_equal(mm_check(), 0);
		__free_page(pfn_to_page(PFN_DOWN(HIGH) + 3));
		drain_all_pages();
		removed(HIGH, 256 * MIB);
		add(0, HIGH, 256 * MIB);
	}
	options.dirty = false;
}

/* The unmovable block, and those that stay open although they are full, may be in what leaves. */
static void no_name_is_left_of_what_has_left(void **state)
{
	struct page *page;

	(void)state;
	boot();
	add(1, HIGH, GIB);
	add(1, HIGH + GIB, GIB);
	for (unsigned int i = 0; i < 2; i++) {
		page = alloc_pages_node(1, __GFP_THISNODE | __GFP_UNMOVABLE, 0);
		assert_non_null(page);
		assert_int_equal(page_to_pfn(page) >= PFN_DOWN(HIGH + GIB), !i);
		__free_page(page);
		drain_all_pages();
		if (!i)
			removed(HIGH + GIB, GIB);
	}
}

static void a_frame_in_use_keeps_its_range_alone(void **state)
{
	(void)state;
	boot();
	add(0, HIGH, 256 * MIB);
	add(0, HIGH + 256 * MIB, 256 * MIB);
	assert_int_equal(alloc_contig_range(PFN_DOWN(HIGH + 256 * MIB),
					    PFN_DOWN(HIGH + 256 * MIB) + 1, MIGRATE_MOVABLE, 0),
			 0);
	removed(HIGH, 256 * MIB);
	assert_int_equal(offline_and_remove_memory(HIGH + 256 * MIB, 256 * MIB), -EBUSY);
	assert_int_equal(offline_blockers.first, PFN_DOWN(HIGH + 256 * MIB));
	__free_page(pfn_to_page(PFN_DOWN(HIGH + 256 * MIB)));
	removed(HIGH + 256 * MIB, 256 * MIB);
}

static void nodes_may_share_a_gib(void **state)
{
	struct counts before;

	(void)state;
	boot();
	add(0, HIGH, 2 * MIB); /* makes the zones, which stay */
	add(1, HIGH + 2 * MIB, 2 * MIB);
	removed(HIGH, 2 * MIB);
	removed(HIGH + 2 * MIB, 2 * MIB);
	before = count();
	add(0, HIGH, 256 * MIB);
	add(1, HIGH + 256 * MIB, 256 * MIB);
	assert_int_equal(pfn_zone(PFN_DOWN(HIGH))->node, 0);
	assert_int_equal(pfn_zone(PFN_DOWN(HIGH + 256 * MIB))->node, 1);
	assert_int_equal(zone_owners[0]->gib[4], ZONE_MIXED);
	removed(HIGH, 256 * MIB);
	assert_int_equal(zone_owners[0]->gib[4], zone_number(1, ZONE_HOTPLUG));
	removed(HIGH + 256 * MIB, 256 * MIB);
	assert_counts(&before);
}

static void a_gib_of_the_boot_may_get_more(void **state)
{
	static const struct e820_entry ram[] = {
		{ MIB, 63 * MIB, E820_TYPE_RAM, 0, 20, 0 },
		{ HIGH, 64 * MIB, E820_TYPE_RAM, 0, 20, 0 },
	};
	struct e820_taken kernel;
	struct counts before;
	const char *error;

	(void)state;
	assert_int_equal(sim_boot(ram, 2, &options, &kernel, &error), 0);
	assert_int_equal(memory_hotplug_init(), 0);
	before = count();
	add(0, HIGH + 128 * MIB, 256 * MIB);
	assert_int_equal(zone_owners[0]->gib[4], ZONE_MIXED);
	assert_int_equal(pfn_zone(PFN_DOWN(HIGH))->type, ZONE_NORMAL);
	removed(HIGH + 128 * MIB, 256 * MIB);
	assert_int_equal(zone_owners[0]->gib[4], zone_number(0, ZONE_NORMAL));
	assert_counts(&before);
}

/* ---- nodes ---- */

static void the_first_memory_of_a_node_brings_its_cpus_home(void **state)
{
	struct page *page;

	(void)state;
	boot();
	node_set_online(1);
	set_cpu_numa_node(0, 1);
	for (unsigned int i = 0; i < 3; i++) {
		add(1, HIGH + i * GIB, GIB);
		assert_int_equal(numa_mem_id(), 1);
		assert_int_equal(node_present_pages(1), GIB >> PAGE_SHIFT);
		page = alloc_pages_node(NUMA_NO_NODE, __GFP_THISNODE, 3);
		page = page ? page : alloc_pages_node(1, __GFP_THISNODE, 3);
		assert_non_null(page);
		assert_int_equal(page_to_nid(page), 1);
		__free_pages(page, 3);
		removed(HIGH + i * GIB, GIB);
		assert_int_equal(numa_mem_id(), 0);
		assert_int_equal(node_present_pages(1), 0);
		assert_null(alloc_pages_node(1, __GFP_THISNODE, 0));
	}
}

/* mm_check() looks at the order of the lists (Z3). */
static void zones_may_be_made_in_any_order(void **state)
{
	static const int order[] = { 5, 1, 62, 0, 3 };

	(void)state;
	boot();
	for (unsigned int i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		add(order[i], HIGH + i * GIB, 256 * MIB);
		assert_true(node_online(order[i]));
		assert_non_null(alloc_pages_node(order[i], __GFP_THISNODE, 9));
	}
	for (unsigned int i = 1; zone_list[i]; i++)
		assert_true(zone_list[i - 1]->id < zone_list[i]->id);
	assert_int_equal(mm_check(), 0);
}

/* ---- memblock's array, the reserves, debug options ---- */

static void more_ranges_than_memblock_has_room_for(void **state)
{
	enum { NR = 200 };

	(void)state;
	boot();
	for (unsigned int i = 0; i < NR; i++)
		assert_int_equal(add_memory(0, HIGH + 8 * MIB * i, 4 * MIB), 0);
	assert_int_equal(mm_check(), 0);
	assert_true(memblock.memory.cnt > NR);
	for (unsigned int i = 0; i < NR; i++)
		assert_int_equal(offline_and_remove_memory(HIGH + 8 * MIB * i, 4 * MIB), 0);
	assert_int_equal(mm_check(), 0);
}

static void the_middle_of_three_leaves(void **state)
{
	(void)state;
	boot();
	for (unsigned int i = 0; i < 3; i++)
		add(0, HIGH + i * GIB, GIB);
	removed(HIGH + GIB, GIB);
	add(0, HIGH + GIB, GIB);
	removed(HIGH, GIB);
	removed(HIGH + 2 * GIB, GIB);
	removed(HIGH + GIB, GIB);
}

/* What low zones keep from other requests follows the memory above; caches heed it (C3). */
static void reserves_follow(void **state)
{
	struct zone *z;
	struct page *page;

	(void)state;
	boot();
	z = node_zone(0, ZONE_DMA32);
	assert_int_equal(z->lowmem_reserve[ZONE_HOTPLUG], 0);
	assert_ptr_equal(frame_caches[0]->table.first, z);
	add(0, HIGH, GIB);
	assert_true(z->lowmem_reserve[ZONE_HOTPLUG] > 1000);
	assert_ptr_equal(frame_caches[0]->table.first, &no_zone);
	page = alloc_pages(GFP_KERNEL, 3);
	assert_non_null(page);
	__free_pages(page, 3);
	removed(HIGH, GIB);
	assert_int_equal(z->lowmem_reserve[ZONE_HOTPLUG], 0);
	assert_ptr_equal(frame_caches[0]->table.first, z);
	assert_ptr_equal(frame_caches[0]->table.for_order[3], cache_of_zone(0, z, 3));
}

static void debug_options_know_added_memory(void **state)
{
	static const unsigned int flags[] = { MM_PAGE_OWNER, MM_PAGE_POISON, MM_DEBUG_PAGEALLOC,
					      MM_PAGE_OWNER | MM_PAGE_POISON | MM_DEBUG_PAGEALLOC };

	(void)state;
	for (unsigned int i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct counts before;
		struct page *page;

		boot_with(flags[i]);
		before = count();
		add(0, HIGH, 128 * MIB);
		for (unsigned int n = 0; n < 2; n++) {
			assert_int_equal(alloc_contig_range(PFN_DOWN(HIGH), PFN_DOWN(HIGH) + 1,
							    MIGRATE_MOVABLE, 0),
					 0);
			page = pfn_to_page(PFN_DOWN(HIGH));
			memset(page_address(page), 0x11, PAGE_SIZE);
			assert_int_equal(!page_owner_site(PFN_DOWN(HIGH)),
					 !(flags[i] & MM_PAGE_OWNER));
			__free_page(page);
		}
		removed(HIGH, 128 * MIB);
		assert_counts(&before);
	}
}

/* ---- memory that is gone ---- */

static void lost_memory_is_forgotten(void **state)
{
	static const uint64_t sizes[] = { GIB, 256 * MIB, 2 * GIB + 256 * MIB };

	(void)state;
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct counts before;
		struct page *page;

		boot();
		add(0, 64 * GIB, GIB);
		before = count();
		add(0, HIGH, sizes[i]);
		assert_int_equal(
		    alloc_contig_range(PFN_DOWN(HIGH) + 5, PFN_DOWN(HIGH) + 10, MIGRATE_MOVABLE, 0),
		    0);
		page = alloc_pages_node(0, __GFP_THISNODE, 0);
		__free_page(page); /* to a cache, if that has its zone */
		memset(phys_to_virt(HIGH), 0, sizes[i]);
		memset(pfn_to_page(PFN_DOWN(HIGH)), 0, (sizes[i] >> PAGE_SHIFT) * sizeof(*page));
		assert_int_equal(forget_lost_memory(HIGH, sizes[i]), 5);
		assert_counts(&before);
		assert_int_equal(forget_lost_memory(HIGH, sizes[i]), -EINVAL);
		removed(64 * GIB, GIB);
	}
}

/* The gib of both stays: what its bitmaps say of the lost blocks must go. */
static void of_two_ranges_in_a_gib_one_is_lost(void **state)
{
	struct counts before;

	(void)state;
	boot();
	add(0, HIGH + 512 * MIB, 128 * MIB);
	before = count();
	add(0, HIGH, 256 * MIB);
	assert_int_equal(
	    alloc_contig_range(PFN_DOWN(HIGH) + 5, PFN_DOWN(HIGH) + 10, MIGRATE_MOVABLE, 0), 0);
	memset(phys_to_virt(HIGH), 0, 256 * MIB);
	memset(pfn_to_page(PFN_DOWN(HIGH)), 0, (256 * MIB >> PAGE_SHIFT) * sizeof(struct page));
	assert_int_equal(forget_lost_memory(HIGH, 256 * MIB), 5);
	assert_counts(&before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(added_memory_serves_and_leaves),
		cmocka_unit_test(it_is_used_last),
		cmocka_unit_test(whole_gibs_take_nothing_of_other_memory),
		cmocka_unit_test(memory_is_added_when_no_frame_is_free),
		cmocka_unit_test(many_rounds_leave_every_count),
		cmocka_unit_test(ranges_that_cannot_be_are_refused),
		cmocka_unit_test(memory_that_is_not_there_is_refused),
		cmocka_unit_test(memory_short_at_every_step_changes_no_count),
		cmocka_unit_test(a_frame_in_use_keeps_its_range),
		cmocka_unit_test(what_was_isolated_once_is_another_ones_now),
		cmocka_unit_test(frames_out_of_service_do_not_hold_it_back),
		cmocka_unit_test(a_frame_allocated_meanwhile_is_found),
		cmocka_unit_test(with_interrupts_off_nothing_is_removed),
		cmocka_unit_test(of_two_ranges_in_a_gib_either_leaves_first),
		cmocka_unit_test(a_range_that_comes_again_is_new),
		cmocka_unit_test(no_name_is_left_of_what_has_left),
		cmocka_unit_test(of_two_ranges_in_a_gib_one_is_lost),
		cmocka_unit_test(a_frame_in_use_keeps_its_range_alone),
		cmocka_unit_test(nodes_may_share_a_gib),
		cmocka_unit_test(a_gib_of_the_boot_may_get_more),
		cmocka_unit_test(the_first_memory_of_a_node_brings_its_cpus_home),
		cmocka_unit_test(zones_may_be_made_in_any_order),
		cmocka_unit_test(more_ranges_than_memblock_has_room_for),
		cmocka_unit_test(the_middle_of_three_leaves),
		cmocka_unit_test(reserves_follow),
		cmocka_unit_test(debug_options_know_added_memory),
		cmocka_unit_test(lost_memory_is_forgotten),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
