/*
 * test_lists.c: tests the allocator of peers/lists.h, with which mm/ is compared: allocations are
 * aligned, have no frame in common, and after all are freed everything has merged.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/peers/lists.h"
#include "tests/host/sim/expect_panic.h"
#include "tests/host/sim/sim.h"

#define FRAMES     20011 /* 19 runs of order 10, and one of each order that the rest is made of */
#define OPERATIONS 300000
#define MAX_HELD   4000

static struct lists_page pages[FRAMES];
static uint8_t owned[FRAMES]; /* whether an allocation has the frame */

struct held {
	struct lists_page *page;
	unsigned int order;
};

static int boot(void **state)
{
	(void)state;
	memset(pages, 0, sizeof(pages));
	memset(owned, 0, sizeof(owned));
	sim_cpu = 0;
	lists_init(pages, FRAMES);
	return 0;
}

static void check_all_merged(void)
{
	lists_drain();
	assert_int_equal(lists_nr_free(), FRAMES);
	for (unsigned int k = 0; k < LISTS_MAX_ORDER; k++)
		assert_int_equal(lists_free_runs(k), FRAMES >> k & 1);
	assert_int_equal(lists_free_runs(LISTS_MAX_ORDER), FRAMES >> LISTS_MAX_ORDER);
}

/* Marks the frames of an allocation: none may have been marked. */
static void own(const struct held *h)
{
	size_t first = (size_t)(h->page - pages);

	assert_int_equal(first & ((1u << h->order) - 1), 0);
	assert_true(first + (1u << h->order) <= FRAMES);
	assert_int_equal(h->page->count, 1);
	for (size_t i = 0; i < 1u << h->order; i++) {
		assert_int_equal(owned[first + i], 0);
		owned[first + i] = 1;
	}
}

static void give(const struct held *h)
{
	memset(&owned[h->page - pages], 0, 1u << h->order);
	lists_free(h->page, h->order);
}

static unsigned int random_below(uint64_t *seed, unsigned int limit)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned int)((*seed >> 33) % limit);
}

/* Two CPUs in turn allocate and free runs of every order, memory nearly full at times. */
static void allocations_have_no_frame_in_common(void **state)
{
	static struct held held[MAX_HELD];
	unsigned int nr = 0, failed = 0;
	uint64_t seed = 1;

	(void)state;
	for (unsigned int i = 0; i < OPERATIONS; i++) {
		bool fills = i / 5000 % 2;

		sim_cpu = random_below(&seed, 2);
		if (nr < MAX_HELD && random_below(&seed, 10) < (fills ? 7 : 4)) {
			unsigned int order = random_below(&seed, 12);
			struct held h = { lists_alloc(order), order };

			failed += !h.page && order <= LISTS_MAX_ORDER;
			if (order > LISTS_MAX_ORDER)
				assert_null(h.page);
			if (!h.page)
				continue;
			own(&h);
			held[nr++] = h;
		} else if (nr) {
			unsigned int which = random_below(&seed, nr);

			give(&held[which]);
			held[which] = held[--nr];
		}
	}
	assert_true(failed > 1000);
	while (nr)
		give(&held[--nr]);
	check_all_merged();
}

/* All of memory can be had in frames, and no more. */
static void every_frame_can_be_had(void **state)
{
	static struct lists_page *all[FRAMES];

	(void)state;
	for (unsigned int i = 0; i < FRAMES; i++) {
		struct held h = { lists_alloc(0), 0 };

		assert_non_null(h.page);
		own(&h);
		all[i] = h.page;
	}
	assert_null(lists_alloc(0));
	assert_int_equal(lists_nr_free(), 0);
	for (unsigned int i = 0; i < FRAMES; i++)
		lists_free(all[i], 0);
	check_all_merged();
}

/* A CPU list takes a batch at a time, and returns one when it has six. */
static void the_lock_is_taken_once_a_batch(void **state)
{
	static struct lists_page *some[LISTS_BATCH * 20];
	unsigned long before = sim_holds;

	(void)state;
	for (unsigned int i = 0; i < LISTS_BATCH * 20; i++)
		some[i] = lists_alloc(0);
	assert_int_equal(sim_holds - before, 20);
	for (unsigned int i = 0; i < LISTS_BATCH * 20; i++)
		lists_free(some[i], 0);
	assert_int_equal(sim_holds - before, 20 + 15);
	before = sim_holds;
	for (unsigned int i = 0; i < 1000; i++)
		lists_free(lists_alloc(9), 9);
	assert_int_equal(sim_holds - before, 1);
}

static void mistakes_are_found(void **state)
{
	struct lists_page *page = lists_alloc(1);

	(void)state;
	EXPECT_PANIC(lists_free(page, 0), "no allocation of order 0");
	EXPECT_PANIC(lists_free(page + 1, 1), "no allocation of order 1");
	lists_free(page, 1);
	EXPECT_PANIC(lists_free(page, 1), "no allocation of order 1");
	check_all_merged();
}

struct ring {
	struct lists_page *slot[64];
	unsigned long in, out;
};

/* Frees what the other thread allocates. */
static void *other_cpu(void *argument)
{
	struct ring *ring = argument;

	sim_cpu = 1;
	for (unsigned long n = 0; n < OPERATIONS; n++) {
		while (__atomic_load_n(&ring->in, __ATOMIC_ACQUIRE) == n)
			sched_yield();
		lists_free(ring->slot[n % 64], n % 4);
		__atomic_store_n(&ring->out, n + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void two_cpus_at_once(void **state)
{
	static struct ring ring;
	pthread_t thread;

	(void)state;
	memset(&ring, 0, sizeof(ring));
	assert_int_equal(pthread_create(&thread, NULL, other_cpu, &ring), 0);
	for (unsigned long n = 0; n < OPERATIONS; n++) {
		while (n - __atomic_load_n(&ring.out, __ATOMIC_ACQUIRE) == 64)
			sched_yield();
		ring.slot[n % 64] = lists_alloc(n % 4);
		__atomic_store_n(&ring.in, n + 1, __ATOMIC_RELEASE);
	}
	pthread_join(thread, NULL);
	check_all_merged();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(allocations_have_no_frame_in_common, boot),
		cmocka_unit_test_setup(every_frame_can_be_had, boot),
		cmocka_unit_test_setup(the_lock_is_taken_once_a_batch, boot),
		cmocka_unit_test_setup(mistakes_are_found, boot),
		cmocka_unit_test_setup(two_cpus_at_once, boot),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
