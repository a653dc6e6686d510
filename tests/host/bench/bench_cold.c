/*
 * bench_cold.c: lets Callgrind count what runs of memory cost that no frame cache holds, by this
 * allocator and by that of peers/lists.h:
 *
 *   bench_cold ORDER MIB CPUS   allocates 3/4 of so much memory, all in one zone, and frees it
 *
 * First it prints the number of runs. Its dumps are named WHOSE_USE_ORDER_alloc and _free. WHOSE is
 * `ours` or `lists`. USE is `first`, after the boot, when no descriptor of mm/ was written; or
 * `again`. ORDER is that of the frees: `rising`, as the runs were allocated, `falling` or `random`.
 * `lists_descriptors` are the zeros that the lists must find in the descriptors of the memory.
 *
 * RAM and descriptors hold garbage before the boot. Whoever owns a run frees it without knowing its
 * order, by put_page(). Memory is so large that the frame caches hold a small part of it; where
 * there is little for each CPU, they hold no run at all.
 */
#include <stdlib.h>

#include "lib/format.h"
#include "mm/gfp.h"
#include "tests/host/bench/counted.h"
#include "tests/host/peers/lists.h"
#include "tests/host/sim/sim.h"

static unsigned int order;
static uint64_t nr_frames;
static uint32_t nr_runs;
static void **held;
static struct lists_page *descriptors;

static void die(const char *why)
{
	fprintf(stderr, "bench_cold: %s\n", why);
	exit(1);
}

static void boot_ours(unsigned int cpus)
{
	const struct e820_entry ram[] = { { 1ull << 32, PFN_PHYS(nr_frames), E820_TYPE_RAM, 0, 20,
					    0 } };
	const struct sim_options options = { .pdpe1gb = true, .dirty = true, .seed = 1 };
	struct e820_taken kernel;
	const char *error;

	sim_nr_cpus = cpus;
	if (sim_boot(ram, 1, &options, &kernel, &error))
		die(error);
}

/* Zeroes the descriptors of the memory that is used, word by word: a kernel has no vectors. */
static void zero_descriptors(void)
{
	volatile uint64_t *word = (volatile uint64_t *)descriptors;
	size_t nr = ((size_t)nr_runs << order) * sizeof(*descriptors) / sizeof(*word);

	for (; nr; nr -= 8, word += 8) {
		word[0] = word[1] = word[2] = word[3] = 0;
		word[4] = word[5] = word[6] = word[7] = 0;
	}
}

static void boot_lists(void)
{
	memset(descriptors, 0, nr_frames * sizeof(*descriptors));
	lists_init(descriptors, nr_frames);
}

static void alloc_ours(void)
{
	for (uint32_t i = 0; i < nr_runs; i++)
		held[i] = alloc_pages(GFP_KERNEL, order);
}

static void free_ours(void)
{
	for (uint32_t i = 0; i < nr_runs; i++)
		put_page(held[i]);
}

static void alloc_lists(void)
{
	for (uint32_t i = 0; i < nr_runs; i++)
		held[i] = lists_alloc(order);
}

static void free_lists(void)
{
	for (uint32_t i = 0; i < nr_runs; i++) {
		struct lists_page *page = held[i];

		lists_free(page, page->order);
	}
}

static void swap(uint32_t one, uint32_t other)
{
	void *kept = held[one];

	held[one] = held[other];
	held[other] = kept;
}

static void reverse(void)
{
	for (uint32_t i = 0; i < nr_runs / 2; i++)
		swap(i, nr_runs - 1 - i);
}

static void shuffle(void)
{
	uint64_t seed = 1;

	for (uint32_t n = nr_runs; n > 1; n--) {
		seed = seed * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
		swap(n - 1, (uint32_t)((seed >> 32) * n >> 32));
	}
}

static const struct {
	const char *name;
	void (*arrange)(void);
} arrangements[] = { { "rising", NULL }, { "falling", reverse }, { "random", shuffle } };

static void count(const char *whose, const char *use, unsigned int i, void (*alloc)(void),
		  void (*free)(void))
{
	char name[64];

	snprintf(name, sizeof(name), "%s_%s_%s_alloc", whose, use, arrangements[i].name);
	count_instructions(name, alloc);
	for (uint32_t n = 0; n < nr_runs; n++)
		if (!held[n])
			die("too little memory was free");
	if (arrangements[i].arrange)
		arrangements[i].arrange();
	snprintf(name, sizeof(name), "%s_%s_%s_free", whose, use, arrangements[i].name);
	count_instructions(name, free);
}

int main(int argc, char **argv)
{
	unsigned int cpus;

	if (argc != 4)
		die("three numbers: ORDER MIB CPUS");
	order = (unsigned int)strtoul(argv[1], NULL, 10);
	nr_frames = strtoul(argv[2], NULL, 10) << (20 - PAGE_SHIFT);
	cpus = (unsigned int)strtoul(argv[3], NULL, 10);
	if (order > LISTS_MAX_ORDER || !cpus || cpus > MM_MAX_CPUS)
		die("an argument is too large");
	nr_runs = (uint32_t)(nr_frames / 4 * 3 >> order);
	held = calloc(nr_runs, sizeof(*held));
	descriptors = calloc(nr_frames, sizeof(*descriptors));
	if (!held || !descriptors || !nr_runs)
		die("no such memory");
	printf("runs %u\n", nr_runs);
	count_instructions("lists_descriptors", zero_descriptors);
	for (unsigned int i = 0; i < sizeof(arrangements) / sizeof(arrangements[0]); i++) {
		boot_ours(cpus);
		count("ours", "first", i, alloc_ours, free_ours);
		count("ours", "again", i, alloc_ours, free_ours);
		boot_lists();
		count("lists", "first", i, alloc_lists, free_lists);
		count("lists", "again", i, alloc_lists, free_lists);
	}
	return 0;
}
