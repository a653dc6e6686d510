/*
 * selftest_cpus.c: those of the self-tests in which all CPUs take part.
 *
 * A test gives the crew (crew.h) a piece of work, and compares the counts when that is over. What
 * is wrong on any CPU is noted by complain(); the last complaint is the test's result.
 */
#include "arch/x86_64/cpus.h"
#include "arch/x86_64/percpu.h"
#include "kernel/test/crew.h"
#include "kernel/test/page_list.h"
#include "kernel/test/selftest.h"
#include "mm/check.h"
#include "mm/numa.h"
#include "mm/zone.h"

#define CALLS     16   /* calls of port_on_each_cpu() that a CPU makes */
#define FRAMES    4096 /* frames that the CPUs hold at once, at most */
#define MAX_ORDER 9    /* of what is freed by another CPU */
#define MAX_TURNS 8    /* CPUs on which one test runs after the other */

static const char *wrong;

static void complain(const char *what)
{
	__atomic_store_n(&wrong, what, __ATOMIC_RELAXED);
}

/* Gives all CPUs a piece of work. Returns NULL, or what is wrong. */
static const char *run(void (*work)(void *argument), void *argument)
{
	wrong = NULL;
	crew_run(work, argument);
	return wrong;
}

/* Returns how many CPUs that are online have a lower number than this one. */
static unsigned int place(void)
{
	unsigned int n = 0;

	for_each_online_cpu(cpu)
		n += cpu < port_cpu_id();
	return n;
}

/* ---- what each CPU has ---- */

static unsigned int seen[MM_MAX_CPUS]; /* how often a CPU has come */

static void check_area(void *unused)
{
	(void)unused;
	if (!percpu_check())
		complain("a CPU's area, number or stack is not its own");
	__atomic_fetch_add(&seen[port_cpu_id()], 1, __ATOMIC_RELAXED);
}

/* Returns whether each CPU that is online was counted so often, and no other was. */
static bool each_was_counted(const unsigned int counts[MM_MAX_CPUS], unsigned int times)
{
	for (unsigned int cpu = 0; cpu < MM_MAX_CPUS; cpu++)
		if (__atomic_load_n(&counts[cpu], __ATOMIC_RELAXED) !=
		    (cpu_is_online(cpu) ? times : 0))
			return false;
	return true;
}

const char *selftest_areas(void)
{
	const char *result;

	memset(seen, 0, sizeof(seen));
	result = run(check_area, NULL);
	return each_was_counted(seen, 1) ? result : "two CPUs have one number, or one is missing";
}

/* ---- calls ---- */

static void count_here(void *counts)
{
	__atomic_fetch_add(&((unsigned int *)counts)[port_cpu_id()], 1, __ATOMIC_RELAXED);
}

/* All CPUs call all others at the same time. */
static void call_each(void *unused)
{
	unsigned int counts[MM_MAX_CPUS], calls = CALLS / crew_size() + 2;

	(void)unused;
	memset(counts, 0, sizeof(counts));
	crew_meet();
	for (unsigned int i = 1; i <= calls; i++) {
		port_on_each_cpu(count_here, counts);
		if (!each_was_counted(counts, i))
			complain("port_on_each_cpu() did not reach each CPU once");
	}
	crew_meet(); /* the array of one who has left must not be written to */
	if (!each_was_counted(counts, calls))
		complain("a call of port_on_each_cpu() was answered after its end");
}

const char *selftest_calls(void)
{
	return run(call_each, NULL);
}

/* ---- frames ---- */

/* Returns how many frames each CPU may allocate. */
static unsigned long part(void)
{
	unsigned long half = (unsigned long)nr_free_pages() / 2;

	return (half < FRAMES ? half : FRAMES) / crew_size();
}

static uint64_t word_of(const struct page *page)
{
	return page_to_pfn(page) ^ (uint64_t)port_cpu_id() << 56;
}

/* Writes to frames, while the others do the same, and looks whether they still hold it. */
static void hold_frames(void *nr)
{
	struct page *list = NULL, *page;

	crew_meet();
	for (unsigned long n = 0; n < *(unsigned long *)nr && (page = alloc_page(GFP_KERNEL));
	     n++) {
		volatile uint64_t *words = page_address(page);

		words[0] = word_of(page);
		words[PAGE_SIZE / 8 - 1] = ~word_of(page);
		page_list_push(&list, page);
	}
	crew_meet();
	if (port_cpu_id() == 0 && mm_check())
		complain("mm_check found violations while all CPUs held frames");
	crew_meet();
	for (page = list; page; page = (struct page *)page_private(page)) {
		volatile uint64_t *words = page_address(page);

		if (words[0] != word_of(page) || words[PAGE_SIZE / 8 - 1] != ~word_of(page))
			complain("a frame lost what was written to it");
	}
	page_list_free(&list);
}

const char *selftest_frames(void)
{
	uint64_t before = nr_free_pages();
	unsigned long nr = part();
	const char *result = run(hold_frames, &nr);

	return nr_free_pages() == before ? result : "not all memory came back";
}

/* What the CPUs have allocated, by place(). */
static struct page *lists[MM_MAX_CPUS];

/* Allocates all orders in turn, and frees what the next CPU has allocated. */
static void swap_frames(void *nr)
{
	unsigned int own = place(), next = (own + 1) % crew_size();
	unsigned long left = *(unsigned long *)nr;
	struct page *page;

	for (unsigned int i = 0; left >> i % (MAX_ORDER + 1); i++) {
		unsigned int order = i % (MAX_ORDER + 1);

		page = alloc_pages(GFP_KERNEL, order);
		if (page)
			page_list_push(&lists[own], page);
		left -= 1ul << order;
	}
	crew_meet();
	page_list_free(&lists[next]);
}

const char *selftest_foreign(void)
{
	uint64_t before = nr_free_pages();
	unsigned long nr = part();
	const char *result = run(swap_frames, &nr);

	if (mm_check())
		result = "mm_check found violations after CPUs freed what others had";
	return nr_free_pages() == before ? result : "not all memory came back";
}

/* ---- the last frames ---- */

/* A run of frames that is all that is left, with a frame or more for each CPU. */
static struct {
	struct page *page;
	unsigned int order;
	unsigned int taker; /* the CPU that allocates it again */
} last;

/* Frees those frames of the run that are this CPU's: they go into its frame cache if it has room.
 */
static void free_own(void)
{
	for (unsigned int i = place(); i < 1u << last.order; i += crew_size())
		__free_page(last.page + i);
}

/* Has all CPUs free the run, and one of them allocate it: as frames, and in one piece. */
static void free_and_take(void *unused)
{
	bool mine = port_cpu_id() == last.taker;

	(void)unused;
	free_own();
	crew_meet();
	for (unsigned int i = 0; mine && i < 1u << last.order; i++)
		if (!alloc_page(GFP_KERNEL | __GFP_HIGH))
			complain("no frame was had that another CPU's frame cache has");
	if (mine && alloc_page(GFP_KERNEL | __GFP_HIGH))
		complain("a frame was had when none was free");
	crew_meet();
	if (__atomic_load_n(&wrong, __ATOMIC_RELAXED))
		return; /* not all frames are there to be freed */
	free_own();
	crew_meet();
	if (mine && alloc_pages(GFP_KERNEL | __GFP_HIGH, last.order) != last.page)
		complain("a run was not had of which other CPUs' frame caches have parts");
}

const char *selftest_last(void)
{
	uint64_t before = nr_free_pages();
	struct page *all = NULL;
	const char *result = NULL;

	last.order = 3;
	while (1u << last.order < crew_size())
		last.order++;
	last.page = alloc_pages(GFP_KERNEL, last.order);
	if (!last.page)
		return SELFTEST_SKIP("needs a free frame for each CPU, in one piece");
	page_list_take_all(&all);
	for_each_online_cpu(cpu) {
		if (cpu != 0 && cpu + 1 != cpus_listed())
			continue;
		last.taker = cpu;
		split_page(last.page, last.order);
		result = run(free_and_take, NULL);
		if (result)
			break; /* what became of the frames is not known */
	}
	if (!result)
		__free_pages(last.page, last.order);
	page_list_free(&all);
	if (result)
		return result;
	return nr_free_pages() == before ? NULL : "not all memory came back";
}

/* ---- one after the other ---- */

static struct {
	const char *(*test)(void);
	unsigned int cpu;
} turn;

static void take_turn(void *unused)
{
	const char *found;

	(void)unused;
	if (port_cpu_id() != turn.cpu)
		return;
	found = turn.test();
	if (found)
		complain(found);
}

const char *selftest_elsewhere(const char *(*test)(void))
{
	unsigned int step = 1 + crew_size() / (MAX_TURNS + 1), n = 0;
	const char *result = NULL;

	turn.test = test;
	for_each_online_cpu(cpu) {
		/* With one CPU, that; else every step-th of the others. */
		if (crew_size() > 1 && (cpu == 0 || n++ % step))
			continue;
		turn.cpu = cpu;
		result = run(take_turn, NULL);
		if (result)
			break;
	}
	return result;
}
