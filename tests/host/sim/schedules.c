/* schedules.c: see schedules.h. */
#include "tests/host/port_config.h" /* before the headers of mm/, where these do not include it */

#include "tests/host/sim/schedules.h"

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
#include "tests/host/sim/sim.h"

#define MAX_POINTS 8000
#define STACK_SIZE (64 << 10)
#define SEEN       (1u << 21) /* a pair has at most 3/4 as many states */

static const struct arena arena = {
	"two gibs", { { FIRST, FIRST + FRAMES } }, { { 0, 0 } }, METADATA, NULL
};

static const struct pair *pair;
static bool inside; /* stops are within holds and before loads, too */

/* ---- the state ---- */

static ucontext_t main_context, context[2];
static char stacks[2][STACK_SIZE] __attribute__((aligned(16)));
static char *booted, *present; /* arena_save()'s copies: before the scripts, and of this moment */
static size_t state_size;

struct records t;
static struct records t_booted;

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
	sim_irqs(!t.irqs_off[cpu]);
	sim_panic_jump = pair->result == PANIC ? &panicked[cpu] : NULL;
}

static void switch_to_other(void)
{
	unsigned int own = t.current;

	t.irqs_off[own] = !t.finished[own] && !port_may_wait();
	play(!own);
	swapcontext(&context[own], &context[!own]);
}

void wait_for_other(void)
{
	while (t.irqs_off[!t.current])
		switch_to_other();
}

/* The loads of this look are no points at which the other CPU may go on. */
static bool cache_in_use(void)
{
	bool in_use = false;

	running = false;
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		for_each_zone(z)
			for_each_cache_order(order) {
				const struct frame_cache *cache = cache_at(cpu, z->id, order);

				in_use |= cache->state == CACHE_BUSY && !cache->shut;
			}
	running = true;
	return in_use;
}

static void check(void)
{
	running = false;
	assert_int_equal(sim_check_within_requests(), 0);
	running = true;
}

/* Begins a choice at a state that was not seen before; ends the run at one that was. */
static void new_choice(void)
{
	struct seen *s;
	uint64_t h;

	running = false;
	h = hash_state();
	running = true;
	s = find_seen(h);

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
	if (!running || sim_cpu != t.current || (!port_may_wait() && !inside))
		return;
	if (at == nr_choices && !cache_in_use() && port_may_wait() && !t.irqs_off[!t.current])
		check();
	clear_stack();
	if (t.finished[!t.current] || (pair->max_switches && t.nr_switches == pair->max_switches))
		return;
	if (at == nr_choices) {
		t.irqs_off[t.current] = !port_may_wait();
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

/* Gives each pin a cookie of its own, and looks whether the same CPU brings it back. */
unsigned long test_pin(void)
{
	point();
	return ++t.pinned[t.current];
}

void test_unpin(unsigned long cookie)
{
	if (cookie != t.pinned[t.current]--)
		panic("test_unpin() got the cookie of another pin");
	point();
}

void before_atomic(void)
{
	point();
}

void before_load(void)
{
	if (inside)
		point();
}

/* This CPU waits for the other one, which has the lock, or is in the middle of a cache's use. */
void test_relax(void)
{
	if (!t.finished[!t.current])
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
		if (running && cpu != own)
			wait_for_other();
		sim_irqs(false);
		sim_cpu = cpu;
		function(argument);
		sim_cpu = own;
		sim_irqs(true);
	}
	point();
}

void own(struct page *page, unsigned int order)
{
	for (pfn_t i = 0; i < (pfn_t)1 << order; i++) {
		pfn_t frame = page_to_pfn(page) + i - FIRST;

		assert_int_equal(t.owner[frame], 0);
		t.owner[frame] = (signed char)(t.current + 1);
	}
}

void disown(struct page *page, unsigned int order)
{
	for (pfn_t i = 0; i < (pfn_t)1 << order; i++) {
		pfn_t frame = page_to_pfn(page) + i - FIRST;

		assert_int_equal(t.owner[frame], t.current + 1);
		t.owner[frame] = 0;
	}
}

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
	sim_limit_caches(CACHE, pair->runs);
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

void explore_pairs(const struct pair *pairs, size_t nr, bool stop_inside)
{
	sim_nr_cpus = 2;
	inside = stop_inside;
	for (pair = pairs; pair < pairs + nr; pair++)
		explore_pair();
}
