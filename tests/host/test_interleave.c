/*
 * test_interleave.c: two CPUs, every order of their steps.
 *
 * Each CPU runs a short script as a coroutine. It can be stopped before and after each hold of a
 * lock and at both ends of each use of a frame cache; there the other one goes on. A depth-first
 * search runs the two scripts from the boot again and again, with every schedule of at most two
 * such switches, or one where a script is long. Where no cache is in use, mm_check() must find
 * nothing; no frame may have two owners, and at the end all frames are free.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

#include "mm/cache.h"
#include "mm/check.h"
#include "mm/zone.h"
#include "tests/host/sim/arena.h"
#include "tests/host/sim/sim.h"

#define FRAMES     96 /* blocks of 8, a gib of 64 and half of the next */
#define CACHE      6
#define MAX_POINTS 4000
#define STACK_SIZE (256 << 10)

static const struct arena arena = { "two gibs", { { 64, 64 + FRAMES } }, { { 0, 0 } }, 1 << 20 };

/* ---- the schedule ---- */

static ucontext_t main_context, context[2];
static char stacks[2][STACK_SIZE];
static bool running, finished[2];
static unsigned int current, nr_switches, max_switches;
static bool asked_before; /* and nobody else has run since then */

static unsigned char choices[MAX_POINTS]; /* 1: the other CPU goes on */
static unsigned int nr_choices, at;

static void switch_to(unsigned int cpu)
{
	unsigned int own = current;

	asked_before = false;
	current = cpu;
	sim_cpu = cpu;
	swapcontext(&context[own], &context[cpu]);
}

static bool cache_in_use(void)
{
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		for_each_zone(z) {
			const struct frame_cache *cache = &frame_caches[cpu][z->id];

			if (cache->state == CACHE_BUSY && !cache->shut)
				return true;
		}
	return false;
}

/* Here the other CPU may go on. */
static void point(void)
{
	if (!running || sim_cpu != current || !port_may_wait())
		return;
	if (!cache_in_use()) {
		running = false;
		assert_int_equal(mm_check(), 0);
		running = true;
	}
	if (finished[!current] || nr_switches == max_switches)
		return;
	if (at == nr_choices) {
		assert_true(nr_choices < MAX_POINTS);
		choices[nr_choices++] = 0;
	}
	if (choices[at++]) {
		nr_switches++;
		switch_to(!current);
	}
}

void port_pin(void)
{
	point();
}

void port_unpin(void)
{
	point();
}

unsigned long __real_port_irq_save(void);
unsigned long __wrap_port_irq_save(void);
void __real_port_irq_restore(unsigned long flags);
void __wrap_port_irq_restore(unsigned long flags);
void __real_port_on_each_cpu(void (*function)(void *argument), void *argument);
void __wrap_port_on_each_cpu(void (*function)(void *argument), void *argument);

unsigned long __wrap_port_irq_save(void)
{
	point();
	return __real_port_irq_save();
}

void __wrap_port_irq_restore(unsigned long flags)
{
	__real_port_irq_restore(flags);
	point();
}

/* A CPU that asks again waits for the other one, which is in the middle of a cache's use. */
void __wrap_port_on_each_cpu(void (*function)(void *argument), void *argument)
{
	point();
	if (running && asked_before && !finished[!current])
		switch_to(!current);
	__real_port_on_each_cpu(function, argument);
	asked_before = true;
}

/* ---- the scripts ---- */

static signed char owner[FRAMES];        /* CPU + 1 */
static struct page *held[2][FRAMES + 1]; /* the last is NULL */
static int errors[2];

static void own(struct page *page, unsigned int order)
{
	for (pfn_t i = 0; i < (pfn_t)1 << order; i++) {
		pfn_t frame = page_to_pfn(page) + i - arena.ram[0].start;

		assert_int_equal(owner[frame], 0);
		owner[frame] = (signed char)(current + 1);
	}
}

static void disown(struct page *page, unsigned int order)
{
	for (pfn_t i = 0; i < (pfn_t)1 << order; i++) {
		pfn_t frame = page_to_pfn(page) + i - arena.ram[0].start;

		assert_int_equal(owner[frame], current + 1);
		owner[frame] = 0;
	}
}

static void one_frame(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (!page)
			continue;
		own(page, 0);
		disown(page, 0);
		__free_page(page);
	}
}

static void split_a_block(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, BLOCK_ORDER + 1);

	if (!page)
		return;
	own(page, BLOCK_ORDER + 1);
	split_page(page, BLOCK_ORDER + 1);
	disown(page, BLOCK_ORDER + 1);
	for (unsigned int i = 0; i < 2u << BLOCK_ORDER; i++)
		__free_page(page + i);
}

static void range(pfn_t start, pfn_t end)
{
	unsigned int cpu = current;

	errors[cpu] = alloc_contig_range(start, end, MIGRATE_MOVABLE, GFP_KERNEL);
	if (errors[cpu])
		return;
	for (pfn_t pfn = start; pfn < end; pfn++)
		own(pfn_to_page(pfn), 0);
	for (pfn_t pfn = start; pfn < end; pfn++)
		disown(pfn_to_page(pfn), 0);
	free_contig_range(start, end - start);
}

static void range_low(void)
{
	range(64 + 5, 64 + 27);
}

static void range_high(void)
{
	range(64 + 20, 64 + 44);
}

/* An allocation that may wait, and fails after the other CPU has done all it does, leaves none
 * free. */
static void all_frames(void)
{
	struct page **page = held[current];
	unsigned int cpu = current, n = 0;
	bool alone;

	while (alone = finished[!cpu], (page[n] = alloc_page(GFP_KERNEL))) {
		own(page[n], 0);
		n++;
	}
	if (alone)
		assert_int_equal(nr_free_pages(), 0);
	while (n--) {
		disown(page[n], 0);
		__free_page(page[n]);
	}
}

static void (*scripts[2])(void);

static void run_script(unsigned int cpu)
{
	scripts[cpu]();
	point();
	finished[cpu] = true;
	if (!finished[!cpu])
		switch_to(!cpu);
	setcontext(&main_context);
}

static void run_once(void)
{
	struct model m;
	uint64_t before;

	arena_boot(&arena, CACHE, &m);
	before = nr_free_pages();
	memset(owner, 0, sizeof(owner));
	memset(finished, 0, sizeof(finished));
	nr_switches = at = current = 0;
	asked_before = false;
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		getcontext(&context[cpu]);
		context[cpu].uc_stack.ss_sp = stacks[cpu];
		context[cpu].uc_stack.ss_size = STACK_SIZE;
		makecontext(&context[cpu], (void (*)(void))run_script, 1, cpu);
	}
	sim_cpu = 0;
	running = true;
	swapcontext(&main_context, &context[0]);
	running = false;
	sim_cpu = 0;
	drain_all_pages();
	assert_int_equal(nr_free_pages(), before);
	assert_int_equal(mm_check(), 0);
	model_destroy(&m);
}

/* Runs the two scripts with every schedule. Returns how many there are. */
static unsigned long explore(void (*first)(void), void (*second)(void), bool one_has_its_range)
{
	unsigned long runs = 0;

	scripts[0] = first;
	scripts[1] = second;
	nr_choices = 0;
	do {
		run_once();
		runs++;
		if (one_has_its_range)
			assert_true(!errors[0] || !errors[1]);
		nr_choices = at;
		while (nr_choices && choices[nr_choices - 1])
			nr_choices--;
		if (nr_choices)
			choices[nr_choices - 1] = 1;
	} while (nr_choices);
	return runs;
}

static void every_order_of_two_scripts(void **state)
{
	static const struct {
		const char *name;
		void (*first)(void), (*second)(void);
		bool one_has_its_range;
		unsigned int max_switches;
	} pairs[] = {
		{ "a frame, a range", one_frame, range_low, false, 2 },
		{ "a range, a frame", range_low, one_frame, false, 2 },
		{ "two ranges", range_low, range_high, true, 2 },
		{ "a range, a block split", range_high, split_a_block, false, 2 },
		{ "a block split, a frame", split_a_block, one_frame, false, 2 },
		{ "a frame, all frames", one_frame, all_frames, false, 2 },
		{ "all frames, a frame", all_frames, one_frame, false, 1 },
		{ "all frames, a range", all_frames, range_low, false, 1 },
		{ "a range, all frames", range_low, all_frames, false, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		unsigned long runs;

		max_switches = pairs[i].max_switches;
		runs = explore(pairs[i].first, pairs[i].second, pairs[i].one_has_its_range);

		printf("# %s: %lu schedules\n", pairs[i].name, runs);
		assert_true(runs > 30);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_order_of_two_scripts) };

	setvbuf(stdout, NULL, _IOLBF, 0);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
