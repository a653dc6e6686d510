/*
 * test_cpus.c: the allocator on several CPUs, without ThreadSanitizer (test_threads.c has it).
 *
 * Some tests play two CPUs by two threads that begin each trial at the same moment, many times
 * over; the others play all CPUs in turn by one thread (sim_cpu), so that each step has its place.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mm/cache.h"
#include "mm/cpu.h"
#include "mm/check.h"
#include "mm/page_state.h"
#include "mm/shelf.h"
#include "tests/host/sim/expect_panic.h"
#include "tests/host/sim/sim.h"

#define MIB 0x100000ull

static void boot(uint64_t low_mib, uint64_t high_mib)
{
	const struct e820_entry raw[] = {
		{ 0, 0x9f000, E820_TYPE_RAM, 0, 20, 0 },
		{ MIB, (low_mib - 1) * MIB, E820_TYPE_RAM, 0, 20, 0 },
		{ 0x100000000, high_mib * MIB, E820_TYPE_RAM, 0, 20, 0 },
	};
	const struct sim_options options = { .dirty = true, .kernel_size = 2 * MIB, .seed = 1 };
	struct e820_taken kernel;
	const char *error;

	sim_cpu = 0;
	if (sim_boot(raw, sizeof(raw) / sizeof(raw[0]), &options, &kernel, &error))
		fail_msg("%s", error);
}

static int shut_down(void **state)
{
	(void)state;
	sim_cpu = 0;
	sim_reset();
	return 0;
}

/* ---- two CPUs free the same allocation at the same moment ---- */

#ifndef TRIALS
#define TRIALS 150000
#endif

struct double_free {
	unsigned int order;
	void (*free[2])(struct page *page, unsigned int order); /* what each CPU calls */
};

static void by_free_pages(struct page *page, unsigned int order)
{
	__free_pages(page, order);
}

static void by_put_page(struct page *page, unsigned int order)
{
	(void)order;
	put_page(page);
}

static struct {
	const struct double_free *what;
	struct page *victim;
	atomic_ulong begun, done; /* trials */
	atomic_uint panics;       /* of this trial */
} race;

static void free_expecting_panic(unsigned int cpu)
{
	jmp_buf jump;

	sim_panic_jump = &jump;
	if (setjmp(jump))
		atomic_fetch_add(&race.panics, 1);
	else
		race.what->free[cpu](race.victim, race.what->order);
	sim_panic_jump = NULL;
}

/* Waits until counter is at least n. Two busy threads may have to share one of the host's CPUs. */
static void wait_for(atomic_ulong *counter, unsigned long n)
{
	for (unsigned int i = 0; atomic_load(counter) < n; i++)
		if (i > 1000)
			sched_yield();
}

static void *second_cpu(void *unused)
{
	sim_cpu = 1;
	for (unsigned long n = 1; n <= TRIALS; n++) {
		wait_for(&race.begun, n);
		free_expecting_panic(1);
		atomic_store(&race.done, n);
	}
	return unused;
}

/* A cache that was to have the frame stays busy after the panic; here the machine goes on. */
static void reopen_caches(void)
{
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		for_each_zone(z)
			cache_at(cpu, z->id, 0)->state = z->state;
}

static void one_panics(const struct double_free *what)
{
	unsigned long missed = 0;
	pthread_t thread;

	boot(64, 64);
	memset(&race, 0, sizeof(race));
	race.what = what;
	assert_int_equal(pthread_create(&thread, NULL, second_cpu, NULL), 0);
	for (unsigned long n = 1; n <= TRIALS; n++) {
		race.victim = alloc_pages(GFP_KERNEL, what->order);
		assert_non_null(race.victim);
		atomic_store(&race.panics, 0);
		atomic_store(&race.begun, n);
		for (volatile unsigned int i = (unsigned int)(n * 2654435761u >> 25) % 128; i;)
			i--;
		free_expecting_panic(0);
		wait_for(&race.done, n);
		missed += atomic_load(&race.panics) != 1;
		reopen_caches();
	}
	pthread_join(thread, NULL);
	assert_int_equal(missed, 0);
	assert_int_equal(mm_check(), 0);
}

static void two_cpus_free_a_page_at_once(void **state)
{
	static const struct double_free what = { 0, { by_free_pages, by_free_pages } };

	(void)state;
	one_panics(&what);
}

static void two_cpus_put_a_page_at_once(void **state)
{
	static const struct double_free what = { 0, { by_put_page, by_put_page } };

	(void)state;
	one_panics(&what);
}

static void one_cpu_frees_a_page_one_puts_it(void **state)
{
	static const struct double_free what = { 0, { by_free_pages, by_put_page } };

	(void)state;
	one_panics(&what);
}

static void two_cpus_free_order_3_at_once(void **state)
{
	static const struct double_free what = { 3, { by_free_pages, by_free_pages } };

	(void)state;
	one_panics(&what);
}

/* ---- frames in the caches of other CPUs ---- */

static struct page *held[0x40000]; /* in zone Normal first */
static unsigned int nr_held, nr_freed;

static void take_all(void)
{
	for (nr_held = 0; (held[nr_held] = alloc_page(GFP_KERNEL | __GFP_HIGH));)
		nr_held++;
	nr_freed = 0;
	for_each_zone(z)
		assert_int_equal(zone_nr_free_pages(z), 0);
}

/* Lets every CPU but the first free held frames until its caches are full. Returns how many. */
static unsigned int strand(void)
{
	unsigned int nr = 0;

	for (sim_cpu = 1; sim_cpu < MM_MAX_CPUS; sim_cpu++)
		for (unsigned int left = 1000; left; left--) {
			__free_page(held[nr_freed++]);
			assert_int_equal(node_zone(0, ZONE_NORMAL)->nr_free, 0);
			nr++;
			if (cache_at(sim_cpu, ZONE_NORMAL, 0)->count ==
			    cache_at(sim_cpu, ZONE_NORMAL, 0)->limit)
				break;
		}
	sim_cpu = 0;
	return nr;
}

/* How often cache_shut() and cache_reopen() have asked; what happens before the next time. */
static unsigned int rounds;
static void (*before_round)(void);

void __real_port_on_each_cpu(void (*function)(void *argument), void *argument);
void __wrap_port_on_each_cpu(void (*function)(void *argument), void *argument);

void __wrap_port_on_each_cpu(void (*function)(void *argument), void *argument)
{
	if (before_round)
		before_round();
	rounds++;
	__real_port_on_each_cpu(function, argument);
}

static void a_request_that_may_wait_gets_frames_from_every_cache(void **state)
{
	unsigned int nr;

	(void)state;
	boot(64, 512);
	take_all();
	nr = strand();
	assert_true(nr > MM_MAX_CPUS);
	assert_null(alloc_page(GFP_ATOMIC));
	sim_irqs(false);
	assert_null(alloc_page(GFP_KERNEL));
	sim_irqs(true);
	assert_int_equal(nr_free_pages(), nr);
	while (nr--)
		assert_non_null(alloc_page(GFP_KERNEL));
	assert_null(alloc_page(GFP_KERNEL | __GFP_HIGH));
	assert_int_equal(nr_free_pages(), 0);
	assert_int_equal(mm_check(), 0);
}

static void so_does_a_request_for_a_run(void **state)
{
	struct page *run;

	(void)state;
	boot(64, 512);
	run = alloc_pages(GFP_KERNEL, 4);
	split_page(run, 4);
	take_all();
	sim_cpu = 1;
	for (unsigned int i = 0; i < 8; i++)
		__free_page(run + i);
	sim_cpu = 2;
	for (unsigned int i = 8; i < 16; i++)
		__free_page(run + i);
	sim_cpu = 0;
	assert_ptr_equal(alloc_pages(GFP_KERNEL, 4), run);
	assert_int_equal(mm_check(), 0);
}

/* Every other CPU frees runs of each order that a cache may hold: no frame of them stays there. */
static void runs_in_every_cache_are_had(void **state)
{
	static struct page *runs[MM_MAX_CPUS][BLOCK_ORDER + 1][4];
	uint64_t nr = 0;

	(void)state;
	boot(64, 512);
	for (unsigned int cpu = 1; cpu < MM_MAX_CPUS; cpu++)
		for (unsigned int i = 0; i < 4 * (BLOCK_ORDER + 1); i++)
			runs[cpu][i / 4][i % 4] = alloc_pages(GFP_KERNEL, i / 4);
	take_all();
	for (sim_cpu = 1; sim_cpu < MM_MAX_CPUS; sim_cpu++)
		for (unsigned int i = 0; i < 4 * (BLOCK_ORDER + 1); i++) {
			__free_pages(runs[sim_cpu][i / 4][i % 4], i / 4);
			nr += 1ull << (i / 4);
		}
	sim_cpu = 0;
	assert_int_equal(nr_free_pages(), nr);
	for (unsigned int i = 0; i < 4 * (MM_MAX_CPUS - 1); i++)
		assert_non_null(alloc_pages(GFP_KERNEL, BLOCK_ORDER));
	for (nr -= (4 * (MM_MAX_CPUS - 1)) << BLOCK_ORDER; nr; nr--)
		assert_non_null(alloc_page(GFP_KERNEL));
	assert_null(alloc_page(GFP_KERNEL | __GFP_HIGH));
	assert_int_equal(nr_free_pages(), 0);
	assert_int_equal(mm_check(), 0);
}

static void drain_all_pages_drains_every_cpu(void **state)
{
	(void)state;
	boot(64, 512);
	take_all();
	strand();
	drain_caches();
	assert_true(cache_frames(node_zone(0, ZONE_NORMAL)) > 0);
	drain_all_pages();
	assert_int_equal(cache_frames(node_zone(0, ZONE_NORMAL)), 0);
	assert_int_equal(mm_check(), 0);
}

static void leave_in_third_round(void)
{
	if (rounds == 2)
		cache_at(1, ZONE_NORMAL, 0)->state = node_zone(0, ZONE_NORMAL)->state;
}

/* CPU 1 is in the middle of its cache's use when it is asked for the first two times. */
static void a_busy_cpu_is_asked_again(void **state)
{
	struct frame_cache *cache = cache_at(1, ZONE_NORMAL, 0);

	(void)state;
	boot(64, 512);
	take_all();
	sim_cpu = 1;
	__free_page(held[nr_freed++]);
	assert_int_equal(cache->count, 1);
	sim_cpu = 0;
	cache->state = CACHE_BUSY;
	rounds = 0;
	before_round = leave_in_third_round;
	assert_ptr_equal(alloc_page(GFP_KERNEL), held[nr_freed - 1]);
	before_round = NULL;
	assert_int_equal(rounds, 4); /* the fourth reopens */
	assert_int_equal(mm_check(), 0);
}

/* An interrupt came in the middle of this CPU's own cache's use: to wait for that would be for
 * ever. */
static void an_interrupted_cpu_does_not_wait(void **state)
{
	(void)state;
	boot(64, 512);
	take_all();
	sim_cpu = 1;
	__free_page(held[nr_freed++]);
	sim_cpu = 2;
	__free_page(held[nr_freed++]);
	sim_cpu = 0;
	cache_at(0, ZONE_NORMAL, 0)->state = CACHE_BUSY;
	cache_at(1, ZONE_NORMAL, 0)->state = CACHE_BUSY;
	assert_ptr_equal(alloc_page(GFP_KERNEL), held[nr_freed - 1]);
	assert_null(alloc_page(GFP_KERNEL));
	cache_at(0, ZONE_NORMAL, 0)->state = node_zone(0, ZONE_NORMAL)->state;
	cache_at(1, ZONE_NORMAL, 0)->state = node_zone(0, ZONE_NORMAL)->state;
	assert_int_equal(mm_check(), 0);
}

static void caches_stay_shut_until_the_last_request_ends(void **state)
{
	struct cache_shut all, own, other;
	struct page *page;

	(void)state;
	boot(64, 512);
	page = alloc_page(GFP_KERNEL);
	cache_shut(&all, true, ZONE_NORMAL, NUMA_NO_NODE);
	cache_shut(&own, false, ZONE_NORMAL, NUMA_NO_NODE);
	sim_cpu = 1;
	cache_shut(&other, true, ZONE_NORMAL, NUMA_NO_NODE);
	sim_cpu = 0;
	cache_reopen(&own);
	cache_reopen(&all);
	for (sim_cpu = 0; sim_cpu < MM_MAX_CPUS; sim_cpu++) {
		assert_int_equal(cache_at(sim_cpu, ZONE_NORMAL, 0)->limit, 0);
		__free_page(page); /* to the bits */
		assert_int_equal(cache_frames(node_zone(0, ZONE_NORMAL)), 0);
		page = alloc_page(GFP_KERNEL);
		assert_int_equal(cache_frames(node_zone(0, ZONE_NORMAL)), 0);
	}
	sim_cpu = 1;
	cache_reopen(&other);
	for (sim_cpu = 0; sim_cpu < MM_MAX_CPUS; sim_cpu++)
		assert_true(cache_at(sim_cpu, ZONE_NORMAL, 0)->limit > 0);
	sim_cpu = 0;
	__free_page(page);
	assert_int_equal(mm_check(), 0);
}

/*
 * An interrupt shuts this CPU's caches at the nth call of port_cpu_id(), which every use of a cache
 * makes between its look at the mark and the setting of it: cache_check_pin().
 */
static struct {
	unsigned int calls, nth;
	bool shut;
	struct cache_shut request;
} interrupt;

unsigned int __real_port_cpu_id(void);
unsigned int __wrap_port_cpu_id(void);
unsigned int __wrap_port_cpu_id(void)
{
	if (interrupt.nth && ++interrupt.calls == interrupt.nth) {
		interrupt.nth = 0;
		sim_irqs(false);
		cache_shut(&interrupt.request, false, ZONE_NORMAL, NUMA_NO_NODE);
		sim_irqs(true);
		interrupt.shut = true;
	}
	return __real_port_cpu_id();
}

static struct page *used[4];

static void use_alloc(void)
{
	used[0] = alloc_page(GFP_KERNEL);
}

static void use_alloc_run(void)
{
	used[0] = alloc_pages(GFP_KERNEL, 3);
}

static void use_free(void)
{
	__free_page(used[1]);
	used[1] = NULL;
}

static void use_free_run(void)
{
	__free_pages(used[2], 3);
	used[2] = NULL;
}

/* Returns whether a cache that the interrupt has shut has a frame, or room for one. */
static bool a_shut_cache_is_used(void)
{
	for_each_cache(i) {
		const struct frame_cache *cache = cache_number(0, i);

		if (interrupt.request.caches[0] >> i & 1 &&
		    (cache->count || cache->nr_out || cache->limit || cache->out_limit))
			return true;
	}
	return false;
}

static struct page *stock[2 * CACHE_MAX];

/* Fills this CPU's cache of an order up to its limit. Returns how many runs of stock[] are left. */
static uint64_t fill_cache(unsigned int order)
{
	const struct frame_cache *cache = cache_at(0, ZONE_NORMAL, order);
	uint64_t nr = 2 * cache->limit;

	for (uint64_t i = 0; i < nr; i++)
		stock[i] = alloc_pages(GFP_KERNEL, order);
	while (cache->count < cache->limit)
		__free_pages(stock[--nr], order);
	return nr;
}

static void shutting_comes_between_a_look_and_its_mark(void **state)
{
	static void (*const uses[])(void) = { use_alloc, use_alloc_run, use_free, use_free_run };
	unsigned int shut = 0;

	(void)state;
	boot(64, 512);
	for (unsigned int use = 0; use < 4; use++)
		for (unsigned int full = 0; full < 2; full++)
			for (unsigned int nth = 1; nth <= 60; nth++) {
				unsigned int order = use % 2 ? 3 : 0;
				uint64_t left;

				used[0] = NULL;
				used[1] = alloc_page(GFP_KERNEL);
				used[2] = alloc_pages(GFP_KERNEL, 3);
				drain_caches();
				left = full ? fill_cache(order) : 0;
				interrupt.calls = 0;
				interrupt.shut = false;
				interrupt.nth = nth;
				uses[use]();
				interrupt.nth = 0;
				if (interrupt.shut) {
					shut++;
					assert_false(a_shut_cache_is_used());
					cache_reopen(&interrupt.request);
				}
				assert_true(cache_at(0, ZONE_NORMAL, 0)->limit > 0);
				while (left)
					__free_pages(stock[--left], order);
				for (unsigned int i = 0; i < 3; i++)
					if (used[i])
						__free_pages(used[i], page_order(used[i]));
				assert_int_equal(mm_check(), 0);
			}
	assert_true(shut >= 20);
}

static void a_cpu_that_was_not_added_is_named(void **state)
{
	struct cpu_caches *memory;

	(void)state;
	boot(64, 512);
	memory = frame_caches[3];
	frame_caches[3] = NULL;
	sim_cpu = 3;
	EXPECT_PANIC(alloc_page(GFP_KERNEL), "CPU 3 uses the allocator, but mm_add_cpu() was not");
	EXPECT_PANIC(drain_caches(), "CPU 3 uses the allocator, but mm_add_cpu() was not");
	sim_cpu = 0;
	frame_caches[3] = memory;
	assert_int_equal(mm_check(), 0);
}

static void cpus_that_come_have_their_part(void **state)
{
	struct cache_shut shut;
	uint64_t alone;

	(void)state;
	boot(64, 512);
	alone = cache_at(0, ZONE_NORMAL, 0)->limit;
	sim_nr_cpus = MM_MAX_CPUS;
	cache_shut(&shut, true, ZONE_NORMAL, NUMA_NO_NODE);
	cache_reopen(&shut);
	assert_int_equal(cache_at(0, ZONE_NORMAL, 0)->limit, alone);
	mm_divide_caches();
	for (unsigned int cpu = 0; cpu < MM_MAX_CPUS; cpu++) {
		const struct frame_cache *cache = cache_at(cpu, ZONE_NORMAL, 0);

		assert_true(cache->limit > 0);
		assert_true((cache->limit + cache->out_limit) * MM_MAX_CPUS <=
			    node_zone(0, ZONE_NORMAL)->managed / 64);
	}
	sim_nr_cpus = 1;
	assert_int_equal(mm_check(), 0);
}

static void all_caches_hold_a_64th_of_a_zone(void **state)
{
	(void)state;
	for (sim_nr_cpus = 1; sim_nr_cpus <= MM_MAX_CPUS; sim_nr_cpus++)
		for (uint64_t mib = 16; mib <= 1024; mib *= 4) {
			boot(64, mib);
			for_each_zone(z) {
				const struct frame_cache *cache = cache_at(0, z->id, 0);

				assert_true((cache->limit + cache->out_limit) * sim_nr_cpus <=
					    z->managed / 64);
				assert_true(cache->limit > 0 || !z->managed);
			}
		}
	sim_nr_cpus = 1;
}

/* ---- lines of the CPU caches ---- */

static bool share_a_line(const void *a, size_t size, const void *b)
{
	uintptr_t last = ((uintptr_t)a + size - 1) / 64;

	return (uintptr_t)b / 64 <= last && (uintptr_t)b / 64 >= (uintptr_t)a / 64;
}

static void what_cpus_write_lies_apart(void **state)
{
	(void)state;
	for_each_zone(z) {
		assert_false(
		    share_a_line(z, offsetof(struct zone, name) + sizeof(z->name), &z->lock));
		assert_false(
		    share_a_line(&z->lock, sizeof(*z) - offsetof(struct zone, lock), z + 1));
	}
	for (unsigned int cpu = 1; cpu < MM_MAX_CPUS; cpu++) {
		assert_false(share_a_line(frame_caches[cpu - 1], sizeof(struct cpu_caches),
					  frame_caches[cpu]));
	}
	assert_int_equal(sizeof(port_lock_t), sizeof(uint32_t));
}

/* ---- the reserves of lower zones ---- */

/* What another CPU does before this one next takes a lock, once; before each: what looks on. */
static void (*before_lock)(void), (*before_each_lock)(void);

unsigned long __real_port_irq_save(void);
unsigned long __wrap_port_irq_save(void);

/* Readers without a lock disable interrupts, too; under a lock they do not look on. */
unsigned long __wrap_port_irq_save(void)
{
	static bool looking; /* what looks on disables interrupts itself */
	void (*other)(void) = before_lock;
	unsigned long were_off = __real_port_irq_save();

	if (were_off || looking || (!other && !before_each_lock))
		return were_off;
	port_irq_restore(were_off);
	looking = true;
	before_lock = NULL;
	if (other)
		other();
	if (before_each_lock)
		before_each_lock();
	looking = false;
	return __real_port_irq_save();
}

static struct page *got_by_other;
static unsigned int order_of_other;

static void other_allocates(void)
{
	unsigned int own = sim_cpu;

	sim_cpu = 2;
	got_by_other = alloc_pages(GFP_KERNEL, order_of_other);
	sim_cpu = own;
}

/* Takes what is free in Normal, and of DMA32 all but so many frames beyond its reserve. */
static void leave_in_dma32(uint64_t frames)
{
	struct zone *dma32 = node_zone(0, ZONE_DMA32);
	uint64_t keep = dma32->lowmem_reserve[ZONE_NORMAL] + frames;

	for (unsigned int order = NR_ORDERS; order--;)
		while (node_zone(0, ZONE_NORMAL)->nr_free >> order)
			if (!alloc_pages(GFP_KERNEL, order))
				break;
	for (unsigned int order = 14; order--;)
		while (dma32->nr_free >= keep + (1ull << order) && alloc_pages(GFP_DMA32, order))
			;
	drain_all_pages();
	while (dma32->nr_free > keep) {
		assert_non_null(alloc_page(GFP_DMA32 | __GFP_HIGH));
		drain_all_pages();
	}
	assert_int_equal(dma32->nr_free, keep);
	assert_int_equal(node_zone(0, ZONE_NORMAL)->nr_free, 0);
}

/* Two CPUs see that one more request fits: the second that has the lock looks again. */
static void a_reserve_holds_when_two_cpus_see_the_same_spare_frames(void **state)
{
	static const unsigned int orders[] = { 0, 3, 9, 11 };
	const struct zone *dma32 = node_zone(0, ZONE_DMA32);

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct page *got;

		boot(1024, 2048);
		leave_in_dma32(1ull << orders[i]);
		sim_cpu = 1;
		order_of_other = orders[i];
		got_by_other = NULL;
		before_lock = other_allocates;
		got = alloc_pages(GFP_KERNEL, orders[i]);
		assert_non_null(got_by_other);
		assert_int_equal(page_zonenum(got_by_other), ZONE_DMA32);
		assert_true(!got || page_zonenum(got) != ZONE_DMA32);
		assert_int_equal(zone_nr_free_pages(dma32), dma32->lowmem_reserve[ZONE_NORMAL]);
		assert_int_equal(mm_check(), 0);
	}
}

/* A CPU that was served from DMA32 is not any more once others took what DMA32 had to spare. */
static void a_cache_stops_serving_when_another_cpu_uses_the_zone_up(void **state)
{
	struct zone *dma32;
	struct page *page, *freed[8];

	(void)state;
	boot(256, 512);
	dma32 = node_zone(0, ZONE_DMA32);
	leave_in_dma32(1000);
	sim_cpu = 1;
	assert_int_equal(page_zonenum(alloc_page(GFP_KERNEL)), ZONE_DMA32);
	assert_ptr_equal(cache_for(GFP_KERNEL), cache_at(1, ZONE_DMA32, 0));
	for (unsigned int i = 0; i < 8; i++)
		freed[i] = alloc_page(GFP_DMA32);
	sim_cpu = 0;
	while (dma32->nr_free >= dma32->lowmem_reserve[ZONE_NORMAL])
		assert_non_null(alloc_pages(GFP_DMA32 | __GFP_HIGH, 3));
	assert_int_equal(mm_check(), 0);
	sim_cpu = 1;
	for (unsigned int i = 0; i < 8; i++)
		__free_page(freed[i]);
	assert_true(cache_at(1, ZONE_DMA32, 0)->count >= 8);
	page = alloc_page(GFP_KERNEL);
	assert_true(!page || page_zonenum(page) == ZONE_DMA);
	assert_int_equal(page_zonenum(alloc_page(GFP_DMA32)), ZONE_DMA32);
	assert_int_equal(mm_check(), 0);
}

/* ---- long work is done in many holds of the lock ---- */

static unsigned int nr_holds, look_at_each, nr_looks;

/* Between two holds no invariant is broken. */
static void look_between_holds(void)
{
	if (nr_holds++ % look_at_each)
		return;
	nr_looks++;
	assert_int_equal(sim_check_within_requests(), 0);
}

static void look_on(unsigned int each)
{
	nr_holds = nr_looks = 0;
	look_at_each = each;
	before_each_lock = look_between_holds;
}

static void look_away(unsigned int least_holds)
{
	before_each_lock = NULL;
	assert_true(nr_holds >= least_holds && nr_looks > 2);
	assert_int_equal(mm_check(), 0);
}

static void split_page_keeps_the_invariants_between_holds(void **state)
{
	static const unsigned int orders[] = { 1, 8, 9, 10, 12, 17, 18 };

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		unsigned int order = orders[i];
		struct page *page;

		boot(64, 2048);
		page = alloc_pages(GFP_KERNEL, order);
		set_page_private(page, 0x1234);
		look_on(order < 13 ? 1 : 1u << (order - 11));
		split_page(page, order);
		before_each_lock = NULL;
		assert_int_equal(nr_holds, order <= 9 ? 1 : 1 + (1u << (order - 9)));
		assert_int_equal(page_private(page), 0x1234);
		assert_int_equal(mm_check(), 0);
		for (pfn_t j = 0; j < (pfn_t)1 << order; j++)
			__free_page(page + j);
		drain_caches();
		assert_int_equal(mm_check(), 0);
	}
}

#define RANGE     (0x100000 + 5 * BLOCK_FRAMES + 100) /* cuts a block at either end */
#define RANGE_END (RANGE + 8 * BLOCK_FRAMES)

static int contig(pfn_t start, pfn_t end)
{
	return alloc_contig_range(start, end, MIGRATE_MOVABLE, GFP_KERNEL);
}

static void alloc_contig_range_keeps_the_invariants_between_holds(void **state)
{
	uint64_t before;

	(void)state;
	boot(64, 64);
	before = nr_free_pages();
	look_on(1);
	assert_int_equal(contig(RANGE, RANGE_END), 0);
	look_away(3 * 8);
	assert_int_equal(nr_free_pages(), before - (RANGE_END - RANGE));
	for (pfn_t pfn = RANGE; pfn < RANGE_END; pfn++) {
		assert_ptr_equal(page_head(pfn), pfn_to_page(pfn));
		assert_int_equal(page_order(pfn_to_page(pfn)), 0);
	}
	assert_int_equal(contig(RANGE_END - 1, RANGE_END), -EBUSY);
	free_contig_range(RANGE, RANGE_END - RANGE);
	assert_int_equal(nr_free_pages(), before);
	assert_int_equal(mm_check(), 0);
}

/* A gib that is wholly free, and a whole block that is open. */
static void alloc_contig_range_opens_a_gib(void **state)
{
	const pfn_t gib = 0x140000;
	struct zone *z;
	struct page *page;

	(void)state;
	boot(64, 3072);
	z = node_zone(0, ZONE_NORMAL);
	assert_true(gibs_test(z, GIBS_FREE, gib_of(gib)));
	look_on(100);
	assert_int_equal(contig(gib, gib + GIB_FRAMES), 0);
	look_away(3 * 512);
	free_contig_range(gib, GIB_FRAMES);
	drain_caches();
	page = alloc_page(GFP_KERNEL);
	__free_page(page);
	drain_caches();
	assert_true(
	    bitmap_test(&zone_gib(z, page_to_pfn(page))->open, block_of(page_to_pfn(page))));
	assert_int_equal(contig(run_start(page_to_pfn(page), BLOCK_ORDER),
				run_start(page_to_pfn(page), BLOCK_ORDER) + BLOCK_FRAMES),
			 0);
	assert_int_equal(mm_check(), 0);
}

static void frames_in_the_cache_of_another_cpu_are_had_by_number(void **state)
{
	struct page *page;

	(void)state;
	boot(64, 512);
	sim_cpu = 1;
	page = alloc_page(GFP_KERNEL);
	__free_page(page);
	assert_true(cache_at(1, ZONE_NORMAL, 0)->count > 0);
	sim_cpu = 0;
	assert_int_equal(page_state(page_to_pfn(page)), PAGE_FREE);
	sim_irqs(false);
	assert_int_equal(contig(page_to_pfn(page), page_to_pfn(page) + 4), -EBUSY);
	sim_irqs(true);
	assert_int_equal(contig(page_to_pfn(page), page_to_pfn(page) + 4), 0);
	assert_int_equal(mm_check(), 0);
}

static unsigned int lock_to_come; /* 0: the next one */
static int error_of_other;
static pfn_t start_of_other;

static void other_wants_a_range(void)
{
	void (*look)(void) = before_each_lock;
	unsigned int own = sim_cpu;

	if (lock_to_come--)
		return;
	before_each_lock = NULL;
	sim_cpu = 2;
	error_of_other = contig(start_of_other, start_of_other + 8 * BLOCK_FRAMES);
	sim_cpu = own;
	before_each_lock = look;
	lock_to_come = ~0u;
}

/*
 * Another CPU takes a range that overlaps with this one's, between any two holds. One of them has
 * its range afterwards and the other an error, and the counts are right.
 */
static void of_two_ranges_that_overlap_one_is_had(void **state)
{
	(void)state;
	for (int blocks = -4; blocks <= 4; blocks += 4)
		for (unsigned int lock = 0; lock < 70; lock++) {
			uint64_t before;
			int error;

			boot(64, 64);
			before = nr_free_pages();
			start_of_other = RANGE + 50 + (pfn_t)(blocks * (int)BLOCK_FRAMES);
			lock_to_come = lock;
			before_each_lock = other_wants_a_range;
			error = contig(RANGE, RANGE_END);
			before_each_lock = NULL;
			assert_true(lock_to_come > 70 || !error);
			if (lock_to_come > 70)
				assert_int_equal(!error + !error_of_other, 1);
			assert_true(!error || error == -EBUSY);
			assert_int_equal(nr_free_pages(), before - (RANGE_END - RANGE));
			assert_int_equal(mm_check(), 0);
		}
}

/* The last frame of a range goes to another CPU after all were seen free: the rest comes back. */
static struct page *last_frame;

static void other_takes_the_last_frame(void)
{
	/* Half of the range is taken already. */
	if (page_state(RANGE + 4 * BLOCK_FRAMES) != PAGE_ALLOCATED)
		return;
	before_each_lock = NULL;
	assert_int_equal(contig(RANGE_END - 1, RANGE_END), 0);
	last_frame = pfn_to_page(RANGE_END - 1);
}

static void what_was_taken_of_a_range_comes_back(void **state)
{
	uint64_t before;

	(void)state;
	boot(64, 64);
	before = nr_free_pages();
	last_frame = NULL;
	before_each_lock = other_takes_the_last_frame;
	assert_int_equal(contig(RANGE, RANGE_END), -EBUSY);
	assert_non_null(last_frame);
	assert_int_equal(nr_free_pages(), before - 1);
	assert_int_equal(mm_check(), 0);
	__free_page(last_frame);
	assert_int_equal(contig(RANGE, RANGE_END), 0);
}

/* ---- a thread that nobody keeps on its CPU ---- */

static void move_to_another_cpu(void)
{
	sim_cpu = 3;
}

static void a_missing_pin_is_found(void **state)
{
	jmp_buf jump;

	(void)state;
	boot(64, 64);
	sim_cpu = 1;
	before_lock = move_to_another_cpu;
	sim_panic_jump = &jump;
	if (!setjmp(jump)) {
		alloc_page(GFP_KERNEL); /* it is moved while it refills the cache */
		sim_panic_jump = NULL;
		fail_msg("no panic");
	}
	sim_panic_jump = NULL;
	assert_non_null(strstr(sim_panic_text, "frame cache of CPU 1 is in use on CPU 3"));
	assert_non_null(strstr(sim_panic_text, "port_pin()"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(two_cpus_free_a_page_at_once, shut_down),
		cmocka_unit_test_teardown(two_cpus_put_a_page_at_once, shut_down),
		cmocka_unit_test_teardown(one_cpu_frees_a_page_one_puts_it, shut_down),
		cmocka_unit_test_teardown(two_cpus_free_order_3_at_once, shut_down),
		cmocka_unit_test_teardown(a_request_that_may_wait_gets_frames_from_every_cache,
					  shut_down),
		cmocka_unit_test_teardown(so_does_a_request_for_a_run, shut_down),
		cmocka_unit_test_teardown(runs_in_every_cache_are_had, shut_down),
		cmocka_unit_test_teardown(drain_all_pages_drains_every_cpu, shut_down),
		cmocka_unit_test_teardown(a_busy_cpu_is_asked_again, shut_down),
		cmocka_unit_test_teardown(an_interrupted_cpu_does_not_wait, shut_down),
		cmocka_unit_test_teardown(caches_stay_shut_until_the_last_request_ends, shut_down),
		cmocka_unit_test_teardown(shutting_comes_between_a_look_and_its_mark, shut_down),
		cmocka_unit_test_teardown(a_cpu_that_was_not_added_is_named, shut_down),
		cmocka_unit_test_teardown(cpus_that_come_have_their_part, shut_down),
		cmocka_unit_test_teardown(all_caches_hold_a_64th_of_a_zone, shut_down),
		cmocka_unit_test_teardown(a_missing_pin_is_found, shut_down),
		cmocka_unit_test(what_cpus_write_lies_apart),
		cmocka_unit_test_teardown(a_reserve_holds_when_two_cpus_see_the_same_spare_frames,
					  shut_down),
		cmocka_unit_test_teardown(a_cache_stops_serving_when_another_cpu_uses_the_zone_up,
					  shut_down),
		cmocka_unit_test_teardown(split_page_keeps_the_invariants_between_holds, shut_down),
		cmocka_unit_test_teardown(alloc_contig_range_keeps_the_invariants_between_holds,
					  shut_down),
		cmocka_unit_test_teardown(alloc_contig_range_opens_a_gib, shut_down),
		cmocka_unit_test_teardown(frames_in_the_cache_of_another_cpu_are_had_by_number,
					  shut_down),
		cmocka_unit_test_teardown(of_two_ranges_that_overlap_one_is_had, shut_down),
		cmocka_unit_test_teardown(what_was_taken_of_a_range_comes_back, shut_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
