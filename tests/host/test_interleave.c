/*
 * test_interleave.c: two CPUs, every order of their steps.
 *
 * Each CPU runs a short script as a coroutine. It can be stopped before and after each hold of the
 * lock, at both ends of each use of a frame cache, before each atomic store and
 * compare-and-exchange outside holds, and before and after each CPU's answer to a request of
 * port_on_each_cpu(). There the other CPU may go on; a *step* is what lies between, so a hold and
 * an answer are one step each. A depth-first search runs the two scripts from the same state again
 * and again, with every schedule: every order of the steps. Where the scripts are long it takes
 * only the schedules with few switches from a CPU that could go on. The test prints how many
 * schedules each pair has.
 *
 * Schedules that lead to the same state have the same future, and only one of them is run to its
 * end. Two states are the same when the hash is: of the arena, of the test's own records, of the
 * stacks and registers of both CPUs.
 *
 * What is not explored: what a processor reorders, since steps happen one after the other; and the
 * middle of a hold or an answer, where the other CPU could use its own frame cache or read without
 * the lock.
 *
 * At every stop where no cache is in use, mm_check() must find nothing; no frame may have two
 * owners, and at the end all frames are free.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

#include "tests/host/port_pin.h" /* before the headers of mm/ */

#include "mm/cache.h"
#include "mm/check.h"
#include "mm/zone.h"
#include "tests/host/sim/arena.h"
#include "tests/host/sim/sim.h"

#define FRAMES     96                   /* blocks of 8, a gib of 64 and half of the next */
#define FIRST      64                   /* the arena's first frame */
#define SERVED     (FIRST + GIB_FRAMES) /* handed out first: the other gib is whole */
#define MAX_POINTS 4000
#define STACK_SIZE (64 << 10)
#define SEEN       (1u << 18) /* a pair has at most 3/4 as many states */
#define CACHE      6          /* frames that each stack of a frame cache holds */

static const struct arena arena = {
	"two gibs", { { FIRST, FIRST + FRAMES } }, { { 0, 0 } }, 1 << 20
};

enum result {
	ANY,       /* a request may fail while the other CPU is not done */
	ONE_RANGE, /* one of the CPUs has its range */
	EVERY,     /* no request fails */
	PANIC,     /* a free is refused */
};

struct pair {
	const char *name;
	void (*prepare)(void); /* called before the scripts, on CPU 0; may be NULL */
	void (*scripts[2])(void);
	enum result result;
	unsigned int max_switches; /* 0: every schedule */
};
static const struct pair *pair;

/* ---- the state ---- */

static ucontext_t main_context, context[2];
static char stacks[2][STACK_SIZE] __attribute__((aligned(16)));
static char *booted, *present; /* arena_save()'s copies: before the scripts, and of this moment */
static size_t state_size;

/* What the test knows about a run, beside the arena; and what it knows before each run. */
static struct {
	signed char owner[FRAMES];         /* CPU + 1, or PREPARED; 0: free */
	struct page *held[2][FRAMES + 1];  /* the last is NULL */
	struct page *prepared[FRAMES + 1]; /* the last is NULL */
	struct page *one;
	int errors[2];
	unsigned int current, nr_switches;
	bool finished[2], panicked;
} t, t_booted;

static uint64_t hash(uint64_t h, const void *data, size_t size)
{
	for (const char *at = data, *end = at + size; at < end; at += 8) {
		uint64_t word;

		memcpy(&word, at, 8);
		h = (h ^ word) * 0x9fb21c651e98df25ull;
		h ^= h >> 32;
	}
	return h;
}

/* Returns the hash of the whole state; both contexts are saved. It is not 0. */
static uint64_t hash_state(void)
{
	static const int saved[] = { REG_RBX, REG_RBP, REG_R12, REG_R13,
				     REG_R14, REG_R15, REG_RSP, REG_RIP };
	uint64_t h;

	arena_save(present);
	h = hash(1, present, state_size);
	h = hash(h, &t, sizeof(t));
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		const greg_t *reg = context[cpu].uc_mcontext.gregs;
		const char *sp = (const char *)(uintptr_t)reg[REG_RSP];

		if (t.finished[cpu])
			continue;
		for (unsigned int i = 0; i < sizeof(saved) / sizeof(saved[0]); i++)
			h = hash(h, &reg[saved[i]], 8);
		h = hash(h, sp, (size_t)(stacks[cpu] + STACK_SIZE - sp));
	}
	return h ? h : 1;
}

/* ---- the schedule ---- */

/* A state in which both CPUs can go on, and how many schedules lead from it to the end. */
struct seen {
	uint64_t hash;    /* 0: none */
	double schedules; /* 0: not all of them were tried yet */
};

static struct seen seen[SEEN];
static unsigned int nr_seen;

static struct choice {
	bool other; /* the other CPU goes on; before, this one did */
	struct seen *state;
	double schedules; /* how many there are in which this CPU goes on, once `other` is true */
} choices[MAX_POINTS];
static unsigned int nr_choices, at;

static bool running;
static const struct seen *merged; /* the run ended here: what follows was tried before */
static jmp_buf panicked[2];

static struct seen *find_seen(uint64_t h)
{
	struct seen *s = &seen[h % SEEN];

	while (s->hash && s->hash != h)
		s = s + 1 < seen + SEEN ? s + 1 : seen;
	return s;
}

static void play(unsigned int cpu)
{
	t.current = cpu;
	sim_cpu = cpu;
	sim_panic_jump = pair->result == PANIC ? &panicked[cpu] : NULL;
}

static void switch_to_other(void)
{
	unsigned int own = t.current;

	play(!own);
	swapcontext(&context[own], &context[!own]);
}

static bool cache_in_use(void)
{
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		for_each_zone(z) {
			const struct frame_cache *cache = cache_at(cpu, z->id, 0);

			if (cache->state == CACHE_BUSY && !cache->shut)
				return true;
		}
	return false;
}

static void check(void)
{
	running = false;
	assert_int_equal(mm_check(), 0);
	running = true;
}

/* Begins a choice at a state that was not seen before; ends the run at one that was. */
static void new_choice(void)
{
	uint64_t h = hash_state();
	struct seen *s = find_seen(h);

	if (s->hash) {
		assert_true(s->schedules > 0); /* else the CPUs wait for each other for ever */
		merged = s;
		setcontext(&main_context);
	}
	assert_true(nr_choices < MAX_POINTS && nr_seen < SEEN / 4 * 3);
	nr_seen++;
	s->hash = h;
	choices[nr_choices++] = (struct choice){ .state = s };
}

/* Clears the stack below, where functions leave what would make equal states differ. */
__attribute__((noinline)) static void clear_stack(void)
{
	char below[4096];

	memset(below, 0, sizeof(below));
	__asm__ volatile("" : : "r"(below) : "memory");
}

/* Here the other CPU may go on. */
static void point(void)
{
	if (!running || sim_cpu != t.current || !port_may_wait())
		return;
	if (at == nr_choices && !cache_in_use())
		check();
	clear_stack();
	if (t.finished[!t.current] || (pair->max_switches && t.nr_switches == pair->max_switches))
		return;
	if (at == nr_choices) {
		getcontext(&context[t.current]);
		new_choice();
	}
	if (choices[at++].other) {
		if (pair->max_switches)
			t.nr_switches++;
		switch_to_other();
	}
	clear_stack();
}

void port_pin(void)
{
	point();
}

void port_unpin(void)
{
	point();
}

void before_atomic(void)
{
	point();
}

/* This CPU waits for the other one if that is still in the middle of a cache's use. */
void port_cpu_relax(void)
{
	if (cache_in_use())
		switch_to_other();
}

unsigned long __real_port_irq_save(void);
unsigned long __wrap_port_irq_save(void);
void __real_port_irq_restore(unsigned long flags);
void __wrap_port_irq_restore(unsigned long flags);
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

/* Lets each CPU answer in one step, CPU 0 first. */
void __wrap_port_on_each_cpu(void (*function)(void *argument), void *argument)
{
	unsigned int own = sim_cpu;

	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		point();
		sim_irqs(false);
		sim_cpu = cpu;
		function(argument);
		sim_cpu = own;
		sim_irqs(true);
	}
	point();
}

/* ---- the scripts ---- */

#define PREPARED 3 /* an owner that is no CPU */

static void own(struct page *page, unsigned int order)
{
	for (pfn_t i = 0; i < (pfn_t)1 << order; i++) {
		pfn_t frame = page_to_pfn(page) + i - FIRST;

		assert_int_equal(t.owner[frame], 0);
		t.owner[frame] = (signed char)(t.current + 1);
	}
}

static void disown(struct page *page, unsigned int order)
{
	for (pfn_t i = 0; i < (pfn_t)1 << order; i++) {
		pfn_t frame = page_to_pfn(page) + i - FIRST;

		assert_int_equal(t.owner[frame], t.current + 1);
		t.owner[frame] = 0;
	}
}

/* A request fails only if the other CPU has what it asks for, or might have. */
static void one_frame(void)
{
	bool alone = t.finished[!t.current];
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page) {
		t.errors[t.current] = -EBUSY;
		assert_false(alone);
		return;
	}
	own(page, 0);
	disown(page, 0);
	__free_page(page);
}

static void two_frames(void)
{
	one_frame();
	one_frame();
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
	unsigned int cpu = t.current;
	bool alone = t.finished[!cpu];

	t.errors[cpu] = alloc_contig_range(start, end, MIGRATE_MOVABLE, GFP_KERNEL);
	if (t.errors[cpu]) {
		assert_int_equal(t.errors[cpu], -EBUSY);
		assert_false(alone);
		return;
	}
	for (pfn_t pfn = start; pfn < end; pfn++)
		own(pfn_to_page(pfn), 0);
	for (pfn_t pfn = start; pfn < end; pfn++)
		disown(pfn_to_page(pfn), 0);
	free_contig_range(start, end - start);
}

static void range_first(void)
{
	range(SERVED, SERVED + 2);
}

static void range_cached(void)
{
	range(SERVED + 4, SERVED + 10);
}

static void range_short(void)
{
	range(SERVED + 6, SERVED + 10);
}

static void range_short_high(void)
{
	range(SERVED + 8, SERVED + 11);
}

static void range_low(void)
{
	range(SERVED - 10, SERVED + 12);
}

static void range_high(void)
{
	range(SERVED + 5, SERVED + 29);
}

/* An allocation that may wait, and fails after the other CPU has done all it does, leaves none
 * free. */
static void all_frames(void)
{
	struct page **page = t.held[t.current];
	unsigned int cpu = t.current, n = 0;
	bool alone;

	while (alone = t.finished[!cpu], (page[n] = alloc_page(GFP_KERNEL))) {
		own(page[n], 0);
		n++;
	}
	if (alone)
		assert_int_equal(nr_free_pages(), 0);
	while (n--) {
		disown(page[n], 0);
		__free_page(page[n]);
		page[n] = NULL;
	}
}

/* Allocates a frame before the run. The cache of CPU 0 has others afterwards. */
static struct page *prepare(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (page)
		t.owner[page_to_pfn(page) - FIRST] = PREPARED;
	return page;
}

static void prepare_one(void)
{
	t.one = prepare();
	assert_ptr_equal(t.one, pfn_to_page(SERVED));
}

/* No other frame is free. */
static void prepare_last(void)
{
	unsigned int n = 0;

	prepare_one();
	while ((t.prepared[n] = prepare()))
		n++;
}

static void free_one(void)
{
	struct page *page = t.one;

	t.owner[page_to_pfn(page) - FIRST] = 0;
	__free_page(page);
}

/* Two frames are free, in the cache of CPU 0. */
static void prepare_two(void)
{
	unsigned int n = 0;

	prepare_last();
	while (t.prepared[n + 1])
		n++;
	free_one();
	t.one = t.prepared[n];
	t.prepared[n] = NULL;
	free_one();
}

/* Frees, into a cache, the frame that the other CPU frees, too. */
static void free_again(void)
{
	__free_page(t.one);
}

/* Frees that frame under the lock. */
static void put_again(void)
{
	put_page(t.one);
}

static const struct pair pairs[] = {
	{ "a frame, a range that begins there", NULL, { one_frame, range_first }, ANY, 0 },
	{ "a range, a frame at its beginning", NULL, { range_first, one_frame }, ANY, 0 },
	{ "a frame, a range of cached ones", NULL, { one_frame, range_cached }, EVERY, 0 },
	{ "a range of cached frames, a frame", NULL, { range_cached, one_frame }, EVERY, 0 },
	{ "two short ranges", NULL, { range_short, range_short_high }, ONE_RANGE, 0 },
	{ "two frees into caches", prepare_one, { free_again, free_again }, PANIC, 0 },
	{ "two frees, one under the lock", prepare_one, { free_again, put_again }, PANIC, 0 },
	{ "two frees under the lock", prepare_one, { put_again, put_again }, PANIC, 0 },
	{ "the last frame's free, a frame", prepare_last, { free_one, one_frame }, ANY, 0 },
	{ "a frame, the last one's free", prepare_last, { one_frame, free_one }, ANY, 0 },
	{ "a frame each of two", prepare_two, { one_frame, one_frame }, EVERY, 0 },
	{ "two frames, a range", NULL, { two_frames, range_low }, ANY, 2 },
	{ "a range, two frames", NULL, { range_low, two_frames }, ANY, 2 },
	{ "two ranges", NULL, { range_low, range_high }, ONE_RANGE, 2 },
	{ "a range, a block split", NULL, { range_high, split_a_block }, ANY, 2 },
	{ "a block split, two frames", NULL, { split_a_block, two_frames }, ANY, 2 },
	{ "two frames, all frames", NULL, { two_frames, all_frames }, ANY, 2 },
	{ "all frames, two frames", NULL, { all_frames, two_frames }, ANY, 1 },
	{ "all frames, a range", NULL, { all_frames, range_low }, ANY, 1 },
	{ "a range, all frames", NULL, { range_low, all_frames }, ANY, 1 },
};

/* ---- the search ---- */

static void run_script(unsigned int cpu)
{
	if (setjmp(panicked[cpu])) {
		t.panicked = true;
		setcontext(&main_context);
	}
	point();
	pair->scripts[cpu]();
	point();
	t.finished[cpu] = true;
	if (!t.finished[!cpu])
		switch_to_other();
	setcontext(&main_context);
}

static void check_end(void)
{
	if (pair->result == PANIC) {
		assert_true(t.panicked);
		assert_memory_equal(sim_panic_text, "free of frame 0x", 16);
		return;
	}
	if (pair->result == ONE_RANGE)
		assert_true(!t.errors[0] || !t.errors[1]);
	if (pair->result == EVERY)
		assert_true(!t.errors[0] && !t.errors[1]);
	for (unsigned int n = 0; t.prepared[n]; n++)
		__free_page(t.prepared[n]);
	drain_all_pages();
	assert_int_equal(nr_free_pages(), FRAMES);
	assert_int_equal(mm_check(), 0);
}

/* Runs the scripts with the present choices. Returns how many schedules that decides. */
static double run_once(void)
{
	arena_restore(booted);
	t = t_booted;
	at = 0;
	merged = NULL;
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		memset(stacks[cpu], 0, STACK_SIZE);
		getcontext(&context[cpu]);
		context[cpu].uc_stack.ss_sp = stacks[cpu];
		context[cpu].uc_stack.ss_size = STACK_SIZE;
		makecontext(&context[cpu], (void (*)(void))run_script, 1, cpu);
	}
	play(0);
	running = true;
	swapcontext(&main_context, &context[0]);
	running = false;
	sim_irqs(true);
	sim_cpu = 0;
	if (merged)
		return merged->schedules;
	check_end();
	return 1;
}

/* Runs the pair with every schedule. Returns how many there are, and in *runs how many it ran. */
static double explore(unsigned long *runs)
{
	double found;

	nr_choices = nr_seen = 0;
	memset(seen, 0, sizeof(seen));
	*runs = 0;
	do {
		found = run_once();
		++*runs;
		nr_choices = at;
		while (nr_choices && choices[nr_choices - 1].other) {
			struct choice *last = &choices[--nr_choices];

			found += last->schedules;
			last->state->schedules = found;
		}
		if (nr_choices) {
			choices[nr_choices - 1].other = true;
			choices[nr_choices - 1].schedules = found;
		}
	} while (nr_choices);
	return found;
}

static void explore_pair(void)
{
	struct model m;
	unsigned long runs;
	double schedules;

	arena_boot(&arena, CACHE, &m);
	arena_limit_caches(CACHE, 0);
	state_size = arena_state_size(&arena, &m);
	booted = calloc(1, state_size);
	present = calloc(1, state_size);
	memset(&t, 0, sizeof(t));
	play(0);
	if (pair->prepare)
		pair->prepare();
	t_booted = t;
	arena_save(booted);
	schedules = explore(&runs);
	if (pair->max_switches)
		printf("# %s: %.0f schedules, bounded: switches <= %u\n", pair->name, schedules,
		       pair->max_switches);
	else
		printf("# %s: all %.0f schedules, as %lu runs\n", pair->name, schedules, runs);
	assert_true(schedules > 30);
	free(booted);
	free(present);
	model_destroy(&m);
}

static void every_order_of_two_scripts(void **state)
{
	(void)state;
	sim_nr_cpus = 2;
	for (pair = pairs; pair < pairs + sizeof(pairs) / sizeof(pairs[0]); pair++)
		explore_pair();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_order_of_two_scripts) };

	setvbuf(stdout, NULL, _IOLBF, 0);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
