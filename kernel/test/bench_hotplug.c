/*
 * bench_hotplug.c: the rows hotadd.*, hotremove.* and remove.hold*: what it costs to add a DIMM
 * that is in a slot, and to remove it. They are skipped without such a DIMM.
 */
#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpus.h"
#include "kernel/console/console.h"
#include "kernel/memory/hotplug.h"
#include "kernel/test/bench_rows.h"
#include "kernel/test/crew.h"
#include "kernel/test/page_list.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/hotplug.h"
#include "mm/zone.h"

#define RUNS 11

/* The memory of the DIMM that a row is about. */
static phys_addr_t base;
static uint64_t size;
static int nid, error;

/* Skips a row: it needs a DIMM of so many GiB, or of any size if that is 0. */
static bool skip(const char *id, uint64_t gib)
{
	if (gib)
		return bench_skip(id, "needs a DIMM of %llu GiB, none of it in use", ULL(gib));
	return bench_skip(id, "needs a DIMM, none of it in use");
}

static void add(void)
{
	error = add_memory(nid, base, size);
}

static void remove(void)
{
	error = offline_and_remove_memory(base, size);
}

/* Returns the ticks that a call takes. */
static uint64_t ticks(void (*call)(void))
{
	uint64_t start = arch_timestamp();

	call();
	return arch_timestamp() - start;
}

/* Adds a value to a sorted array that has n of them. */
static void insert(uint64_t *sorted, unsigned int n, uint64_t value)
{
	for (; n && sorted[n - 1] > value; n--)
		sorted[n] = sorted[n - 1];
	sorted[n] = value;
}

/*
 * Removes the DIMM and adds it again, several times. Prints the median of what one of both costs.
 */
static bool cycle(const char *id, bool adding)
{
	uint64_t sorted[RUNS];

	for (unsigned int i = 0; i < RUNS; i++) {
		uint64_t removed, added;

		if (console_interrupted())
			return false;
		removed = ticks(remove);
		if (error)
			return skip(id, size >> 30);
		added = ticks(add);
		if (error)
			return false;
		insert(sorted, i, adding ? added : removed);
	}
	bench_print_tenths(id, sorted[RUNS / 2] * 10);
	return true;
}

/* Finds a DIMM of as many GiB as the number at the end of the id says. */
static bool find_for(const char *id)
{
	uint64_t gib = 0;

	for (const char *c = id; *c; c++)
		gib = *c >= '0' && *c <= '9' ? gib * 10 + (uint64_t)(*c - '0') : gib;
	size = gib << 30;
	return hotplug_find(size, &base, &nid);
}

bool bench_hotadd(const char *id)
{
	return find_for(id) ? cycle(id, true) : skip(id, size >> 30);
}

bool bench_hotremove(const char *id)
{
	return find_for(id) ? cycle(id, false) : skip(id, size >> 30);
}

/* Adds a DIMM of 1 GiB while no frame is free, and counts what that takes of other memory. */
bool bench_hotadd_taken(const char *id)
{
	struct page *all = NULL;
	uint64_t handed_over, got;

	size = 1 << 30;
	if (!hotplug_find(size, &base, &nid))
		return skip(id, 1);
	remove();
	if (error)
		return skip(id, 1);
	page_list_take_all(&all);
	handed_over = totalram_pages();
	add();
	handed_over = totalram_pages() - handed_over;
	got = nr_free_pages();
	page_list_free(&all);
	drain_all_pages();
	if (error) {
		console_printf("%s: with no frame free it failed (%d)\n", id, error);
		return false;
	}
	console_printf("bench %s %llu bytes\n", id, ULL((handed_over - got) << PAGE_SHIFT));
	return true;
}

static uint64_t record;

/* Prints the longest hold of the lock in a call, and keeps it if it is the longest of all. */
static void measure(const char *what, void (*call)(void))
{
	uint64_t hold = bench_longest_hold(call);

	console_printf("hold of %s: %llu\n", what, ULL(hold));
	if (hold > record)
		record = hold;
}

static bool in_dimm(const struct page *page)
{
	return page_to_phys(page) >= base && page_to_phys(page) < base + size;
}

/*
 * Allocates all memory by single frames, and frees it again but for the frames of the DIMM whose
 * number is a multiple of `step`, plus `first`.
 */
static void scatter(struct page **held, pfn_t first, pfn_t step)
{
	struct page *all = NULL, *page;

	while ((page = alloc_page(GFP_KERNEL)))
		page_list_push(&all, page);
	while ((page = page_list_pop(&all)))
		if (in_dimm(page) && page_to_pfn(page) % step == first)
			page_list_push(held, page);
		else
			__free_page(page);
	drain_all_pages();
}

/*
 * The states: all free; every second frame held, so that each other is a run of its own; one frame
 * of each block held, the last, so that freeing what is isolated makes large runs.
 */
bool bench_remove_hold(const char *id)
{
	static const struct {
		const char *what;
		pfn_t first, step;
	} states[] = {
		{ "removal, every second frame in use", 0, 2 },
		{ "removal, a frame of each word in use", 63, 64 },
		{ "removal, the last frame of each block in use", 511, 512 },
	};
	struct page *held = NULL;

	if (bench_skip_debug(id))
		return true;
	if (!hotplug_find_smallest(&size, &base, &nid))
		return skip(id, 0);
	record = 0;
	measure("removal, all free", remove);
	if (error)
		return skip(id, 0);
	measure("adding", add);
	for (unsigned int i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (console_interrupted())
			return false;
		scatter(&held, states[i].first, states[i].step);
		measure(states[i].what, remove);
		page_list_free(&held);
		drain_all_pages();
	}
	measure("removal, after that", remove);
	if (!error)
		add();
	console_printf("bench %s %llu instructions\n", id, ULL(record));
	return !error;
}

/* ---- while other CPUs are at work ---- */

#define CREW      8
#define HELD      64 /* allocations of each CPU */
#define TOP_ORDER 9
#define TIMES     3

static struct page *held_by[CREW][HELD];
static void (*measured)(void);

/* Replaces allocations at random until it is told to stop. */
static void churn(struct page *held[HELD], uint64_t random)
{
	while (!crew_stopped()) {
		struct page **slot;
		unsigned int order;

		random = random * 6364136223846793005ull + 1442695040888963407ull;
		slot = &held[(random >> 33) % HELD];
		order = (unsigned int)((random >> 40) % (TOP_ORDER + 1));
		if (*slot)
			__free_pages(*slot, page_order(*slot));
		*slot = alloc_pages(GFP_ATOMIC, (random >> 50) % 4 ? 0 : order);
	}
	for (unsigned int i = 0; i < HELD; i++) {
		if (held[i])
			__free_pages(held[i], page_order(held[i]));
		held[i] = NULL;
	}
}

static void work_beside(void *unused)
{
	unsigned int cpu = port_cpu_id();

	(void)unused;
	if (cpu) {
		churn(held_by[cpu], cpu);
		return;
	}
	record = bench_longest_hold_beside(measured);
	crew_stop();
}

/* As measure(), while all other CPUs are at work. */
static void measure_beside(const char *what, void (*call)(void))
{
	uint64_t before = record;

	measured = call;
	crew_run(work_beside, NULL);
	console_printf("hold of %s: %llu\n", what, ULL(record));
	record = record > before ? record : before;
	drain_all_pages();
}

/* Adds the DIMM and removes it: once it is free, once the CPUs work in it and it stays. */
bool bench_remove_hold_8(const char *id)
{
	struct page *all = NULL, *others = NULL, *page;

	if (bench_skip_debug(id))
		return true;
	if (cpus_online() != CREW)
		return bench_skip(id, "needs %d CPUs", CREW);
	if (!hotplug_find_smallest(&size, &base, &nid))
		return skip(id, 0);
	record = 0;
	for (unsigned int i = 0; i < TIMES; i++) {
		if (console_interrupted())
			return false;
		measure_beside("removal, others at work", remove);
		if (error)
			return false;
		measure_beside("adding, others at work", add);
		if (error)
			return false;
	}
	while ((page = alloc_page(GFP_KERNEL)))
		page_list_push(in_dimm(page) ? &all : &others, page);
	page_list_free(&all);
	drain_all_pages();
	for (unsigned int i = 0; i < TIMES; i++) {
		measure_beside("removal, others at work in it", remove);
		if (!error)
			add();
	}
	page_list_free(&others);
	drain_all_pages();
	console_printf("bench %s %llu instructions\n", id, ULL(record));
	return true;
}
