/*
 * bench_scale.c: how much more two CPUs do together than one alone, and all CPUs.
 *
 * Each CPU runs a loop of pairs, an allocation that is freed at once, from the same moment until
 * the first has finished, and measures its rate by its own time stamp counter. A row is the sum of
 * the rates over that of CPU 0 alone, the median of RUNS. It says something only beside the row of
 * an empty loop, which has the same form but calls functions that do nothing: that shows how many
 * of the CPUs had a core of the host for themselves.
 */
#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpus.h"
#include "kernel/console/console.h"
#include "kernel/test/bench_rows.h"
#include "kernel/test/crew.h"
#include "lib/string.h"
#include "mm/zone.h"

#define RUNS       7
#define PAIRS      500 /* between two looks whether another CPU has finished */
#define BATCHES    200

#define MIN_FRAMES 64ul /* for each CPU, so that no request fails, which would take long */

static struct {
	struct page *(*alloc)(gfp_t gfp, unsigned int order);
	void (*free)(struct page *page, unsigned int order);
	unsigned int order;
	unsigned int nr_cpus;
	uint64_t rate[MM_MAX_CPUS]; /* pairs in 2^32 ticks, by place() */
} run;

static struct page *alloc_frame(gfp_t gfp, unsigned int order)
{
	(void)order;
	return alloc_page(gfp);
}

static void free_frame(struct page *page, unsigned int order)
{
	(void)order;
	__free_page(page);
}

static struct page *alloc_nothing(gfp_t gfp, unsigned int order)
{
	(void)gfp, (void)order;
	return mem_map;
}

static void free_nothing(struct page *page, unsigned int order)
{
	(void)page, (void)order;
}

/* Returns how many CPUs that are online have a lower number than this one. */
static unsigned int place(void)
{
	unsigned int n = 0;

	for_each_online_cpu(cpu)
		n += cpu < port_cpu_id();
	return n;
}

static void do_pairs(void)
{
	for (unsigned int i = 0; i < PAIRS; i++) {
		struct page *page = run.alloc(GFP_KERNEL, run.order);

		if (page)
			run.free(page, run.order);
	}
}

static void work(void *unused)
{
	unsigned int own = place(), n = 0;
	uint64_t start;

	(void)unused;
	do_pairs(); /* fills the CPU's caches and the frame cache */
	crew_meet();
	if (own >= run.nr_cpus)
		return;
	start = arch_timestamp();
	do {
		do_pairs();
		n++;
	} while (n < BATCHES && !crew_stopped());
	crew_stop();
	run.rate[own] = (((uint64_t)n * PAIRS) << 32) / (arch_timestamp() - start);
}

/* Returns the sum of the rates of so many CPUs. */
static uint64_t rate_of(unsigned int nr_cpus)
{
	uint64_t sum = 0;

	run.nr_cpus = nr_cpus;
	crew_run(work, NULL);
	for (unsigned int i = 0; i < nr_cpus; i++)
		sum += run.rate[i];
	return sum;
}

bool bench_scale(const char *id)
{
	const char *what = strchr(id, '.') + 1;
	unsigned int nr_cpus = strncmp(id, "scale2.", 7) ? crew_size() : 2;
	uint64_t values[RUNS];

	if (crew_size() < 2 || (nr_cpus == 2 && id[5] != '2'))
		return bench_skip(id, "needs %s CPUs", id[5] == '2' ? "two" : "three");
	if (nr_free_pages() < MIN_FRAMES * nr_cpus)
		return bench_skip_frames(id, MIN_FRAMES * nr_cpus);
	run.alloc = !strcmp(what, "empty")   ? alloc_nothing
		    : !strcmp(what, "pair0") ? alloc_frame
					     : alloc_pages;
	run.free = !strcmp(what, "empty")   ? free_nothing
		   : !strcmp(what, "pair0") ? free_frame
					    : __free_pages;
	run.order = strcmp(what, "pair3") ? 0 : 3;
	for (unsigned int i = 0; i < RUNS; i++) {
		uint64_t one = rate_of(1);

		if (console_interrupted() || !one)
			return false;
		values[i] = rate_of(nr_cpus) * 1000 / one;
	}
	bench_print_thousandths(id, bench_median(values, RUNS), "times one CPU");
	return true;
}
