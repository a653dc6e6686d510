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
#include "mm/check.h"
#include "mm/zone.h"
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

#define TRIALS 150000

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
			frame_caches[cpu][z->id].state = z->state;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(two_cpus_free_a_page_at_once, shut_down),
		cmocka_unit_test_teardown(two_cpus_put_a_page_at_once, shut_down),
		cmocka_unit_test_teardown(one_cpu_frees_a_page_one_puts_it, shut_down),
		cmocka_unit_test_teardown(two_cpus_free_order_3_at_once, shut_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
