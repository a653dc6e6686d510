/*
 * bench.c: the rows that are measured in the kernel; others are measured on the host.
 *
 * scripts/bench reads the second and the third word of a line; the rest is for people.
 */
#include "kernel/test/bench.h"

#include <stdarg.h>

#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpus.h"
#include "kernel/console/console.h"
#include "kernel/memory/hotplug.h"
#include "kernel/memory/setup.h"
#include "kernel/memory/steps.h"
#include "kernel/test/bench_rows.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/check.h"
#include "mm/debug.h"
#include "mm/memblock.h"
#include "mm/numa.h"
#include "mm/zone.h"

uint64_t bench_seed;

uint64_t bench_random(uint64_t limit)
{
	bench_seed =
	    bench_seed * 6364136223846793005ull + 1442695040888963407ull; /* Knuth's MMIX */
	return (bench_seed >> 33) % limit;
}

void bench_print_tenths(const char *id, uint64_t tenths)
{
	console_printf("bench %s %llu.%llu ticks", id, ULL(tenths / 10), ULL(tenths % 10));
	if (tsc_khz()) {
		uint64_t ns = tenths * 1000000 / tsc_khz();

		console_printf(", %llu.%llu ns", ULL(ns / 10), ULL(ns % 10));
	}
	console_printf("\n");
}

void bench_print_thousandths(const char *id, uint64_t thousandths, const char *unit)
{
	console_printf("bench %s %llu.%03llu %s\n", id, ULL(thousandths / 1000),
		       ULL(thousandths % 1000), unit);
}

uint64_t bench_median(uint64_t values[], unsigned int nr)
{
	for (unsigned int i = 1; i < nr; i++)
		for (unsigned int j = i; j && values[j] < values[j - 1]; j--) {
			uint64_t value = values[j];

			values[j] = values[j - 1];
			values[j - 1] = value;
		}
	return values[nr / 2];
}

bool bench_skip(const char *id, const char *why, ...)
{
	char text[120];
	va_list ap;

	va_start(ap, why);
	fmt_vsnprintf(text, sizeof(text), why, ap);
	va_end(ap);
	console_printf("bench %s: skipped, %s\n", id, text);
	return true;
}

/* Returns MiB, rounded up. */
static unsigned long long mib(uint64_t frames)
{
	const unsigned int shift = 20 - PAGE_SHIFT;

	return (frames + (1u << shift) - 1) >> shift;
}

bool bench_skip_frames(const char *id, uint64_t frames)
{
	return bench_skip(id, "needs %llu MiB free, %llu are", mib(frames),
			  ULL(nr_free_pages() >> (20 - PAGE_SHIFT)));
}

bool bench_skip_order(const char *id, unsigned int order)
{
	return bench_skip(id, "needs a free block of order %u", order);
}

bool bench_skip_debug(const char *id)
{
	return mm_debug && bench_skip(id, "needs a boot in which all memory debugging is off");
}

bool bench_can_allocate(unsigned int order)
{
	struct page *page = alloc_pages(GFP_KERNEL, order);

	if (page)
		__free_pages(page, order);
	return page;
}

#define CALLS_TO_LOOK 1024 /* calls of bench_interrupted() for each look */

bool bench_interrupted(void)
{
	static unsigned int nr_calls;

	return nr_calls++ % CALLS_TO_LOOK == 0 && console_interrupted();
}

static bool setup(const char *id)
{
	bench_print_tenths(id, mm_report.setup_cycles * 10);
	return true;
}

/* Prints the KiB of mem_map that had been written when the first page was handed out. */
static bool touched(const char *id)
{
	console_printf("bench %s %llu\n", id, (unsigned long long)mm_report.mem_map_touched >> 10);
	return true;
}

static bool probe(const char *id)
{
	bench_print_tenths(id, mm_report.probe_cycles * 10);
	return true;
}

/* Prints the percentage of the RAM that is not free now: of the map's, and what was added. */
static bool lost(const char *id)
{
	uint64_t ram = (e820_bytes(&e820_map, E820_TYPE_RAM) + hotplug_bytes()) >> 10;
	uint64_t nr_free = nr_free_pages() << (PAGE_SHIFT - 10);

	bench_print_thousandths(id, (ram - nr_free) * 100000 / ram, "%");
	return true;
}

/* Prints the percentage of the descriptors that lie on the node of the RAM that they describe. */
static bool local(const char *id)
{
	if (nr_node_ids() < 2)
		return bench_skip(id, "needs two nodes");
	bench_print_thousandths(id, mem_map_local() * 100000 / mem_map_backed(), "%");
	return true;
}

/* Prints the bytes of the allocator's metadata for each frame of RAM. */
static bool state(const char *id)
{
	uint64_t present = 0;

	for_each_zone(z)
		present += z->present;
	if (!present)
		return false;
	bench_print_thousandths(id, zones_bytes * 1000 / present, "bytes");
	return true;
}

/* Prints the milliseconds in which the CPUs started. */
static bool ap_start(const char *id)
{
	if (cpus_online() < 2)
		return bench_skip(id, "needs two CPUs");
	bench_print_thousandths(id, cpus_start_us(), "ms");
	return true;
}

static const struct {
	const char *id;
	bool (*run)(const char *id);
} rows[] = {
	{ "lost", lost },
	{ "state", state },
	{ "setup", setup },
	{ "touched", touched },
	{ "probe", probe },
	{ "local", local },
	{ "contig", bench_contig }, /* first of those that use blocks, while most were never open */
	{ "pair0", bench_pair0 },
	{ "bulk0.alloc", bench_bulk0_alloc },
	{ "bulk0.free", bench_bulk0_free },
	{ "random0", bench_random0 },
	{ "pair0.local", bench_pair0_local },
	{ "pair0.remote", bench_pair0_remote },
	{ "pair0.spill", bench_pair0_spill },
	{ "pair1", bench_pair },
	{ "pair2", bench_pair },
	{ "pair3", bench_pair },
	{ "pair4", bench_pair },
	{ "pair5", bench_pair },
	{ "pair6", bench_pair },
	{ "pair7", bench_pair },
	{ "pair8", bench_pair },
	{ "pair9", bench_pair },
	{ "pair10", bench_pair },
	{ "pair11", bench_pair },
	{ "pair12", bench_pair },
	{ "pair13", bench_pair },
	{ "pair14", bench_pair },
	{ "pair15", bench_pair },
	{ "pair16", bench_pair },
	{ "pair17", bench_pair },
	{ "shuffled0.free", bench_shuffled0_free },
	{ "random3", bench_random3 },
	{ "mixed50", bench_mixed50 },
	{ "worst0.alloc", bench_worst0_alloc },
	{ "worst0.free", bench_worst0_free },
	{ "worst0.wait", bench_worst0_wait },
	{ "worst3.alloc", bench_worst3_alloc },
	{ "hold.max", bench_hold },
	{ "lines.pair0", bench_lines_pair0 },
	{ "lines.pair3", bench_lines_pair3 },
	{ "lines.pair10", bench_lines_pair10 },
	{ "lines.pass", bench_lines_pass },
	{ "lock", bench_lock },
	{ "scale2.empty", bench_scale },
	{ "scale2.pair0", bench_scale },
	{ "scale2.pair3", bench_scale },
	{ "scale.empty", bench_scale },
	{ "scale.pair0", bench_scale },
	{ "scale.pair3", bench_scale },
	{ "hotadd.1G", bench_hotadd },
	{ "hotadd.16G", bench_hotadd },
	{ "hotadd.64G", bench_hotadd },
	{ "hotadd.taken", bench_hotadd_taken },
	{ "hotremove.1G", bench_hotremove },
	{ "hotremove.16G", bench_hotremove },
	{ "hotremove.64G", bench_hotremove },
	{ "remove.hold", bench_remove_hold },
	{ "remove.hold.8", bench_remove_hold_8 },
	{ "ap.start", ap_start },
};

#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

const char *bench_id(size_t i)
{
	return i < NR_ROWS ? rows[i].id : NULL;
}

/* Returns whether a row's id begins with the first `length` characters of `begin`. */
static bool find_row(const char *begin, size_t length)
{
	for (size_t i = 0; i < NR_ROWS; i++)
		if (!strncmp(rows[i].id, begin, length))
			return true;
	return false;
}

/* Runs a row. Returns false if it failed, was ended by Ctrl-C, or lost memory. */
static bool run_row(const char *id, bool (*run)(const char *id))
{
	unsigned long managed;
	uint64_t before;
	bool good;

	hotplug_progress();
	drain_all_pages(); /* what other CPUs have cached is in the way of states of memory */
	managed = totalram_pages();
	before = nr_free_pages();
	good = run(id);
	if (!good)
		console_printf("bench %s: %s\n", id,
			       console_interrupted() ? "interrupted" : "failed");
	drain_all_pages();
	/* A row may leave memory removed that was plugged. */
	if (totalram_pages() == managed && nr_free_pages() != before) {
		console_printf("bench %s: not all memory came back\n", id);
		good = false;
	}
	return good;
}

int bench(const char *only)
{
	size_t length = only ? strlen(only) : 0;
	bool good = true;

	/* With its terminating 0 an id is the beginning of no other one. */
	if (only && find_row(only, length + 1))
		length++;

	if (only && !find_row(only, length)) {
		console_printf("bench: no row has an id that begins with %s\n", only);
		return 1;
	}
	console_printf("ticks of a clock of %llu kHz%s, seed %u\n", ULL(tsc_khz()),
		       tsc_khz() ? "" : " (unknown)", BENCH_SEED);
	for (size_t i = 0; i < NR_ROWS && !console_interrupted(); i++) {
		if (only && strncmp(rows[i].id, only, length) != 0)
			continue;
		good &= run_row(rows[i].id, rows[i].run);
	}
	return mm_check() || !good || console_interrupted();
}
