/*
 * bench_models.c: measures with Callgrind what the memory models cost on one machine.
 *
 *   bench_models MAP
 *
 * Its dumps are named MODEL_FIGURE. The figures are setup, init (the writing of every descriptor),
 * and pfn_to_page and page_to_pfn for PROBES frames, the last ones of RAM, which ones does not
 * matter, because no model branches there. The model "empty" does nothing: its figures are the cost
 * of the loop, the call and the return. The program also prints bytes: those of descriptors, and
 * all others that memblock gave away (tables, page tables, rounding).
 */
#include <string.h>

#include "lib/format.h"
#include "tests/host/bench/counted.h"
#include "tests/host/sim/sim.h"
#include "tests/models/model.h"

#define PROBES 10000 /* scripts/bench_models.py divides by it */

static const struct model *model;
static uint64_t descriptors;
static pfn_t pfns[PROBES], back[PROBES];
static struct page *pages[PROBES];

static void setup(void)
{
	descriptors = model->setup();
}

static void init(void)
{
	if (model->init)
		model->init();
}

__attribute__((noinline)) static void to_page(void)
{
	for (unsigned int i = 0; i < PROBES; i++)
		pages[i] = model->pfn_to_page(pfns[i]);
}

__attribute__((noinline)) static void to_pfn(void)
{
	for (unsigned int i = 0; i < PROBES; i++)
		back[i] = model->page_to_pfn(pages[i]);
}

/* Compiles to a return instruction alone. */
static struct page *empty_pfn_to_page(pfn_t pfn)
{
	struct page *page;

	__asm__ volatile("" : "=a"(page) : "r"(pfn));
	return page;
}

static pfn_t empty_page_to_pfn(const struct page *page)
{
	pfn_t pfn;

	__asm__ volatile("" : "=a"(pfn) : "r"(page));
	return pfn;
}

static const struct model empty = {
	.name = "empty",
	.pfn_to_page = empty_pfn_to_page,
	.page_to_pfn = empty_page_to_pfn,
};

static void count(const char *figure, void (*work)(void))
{
	char name[64];

	snprintf(name, sizeof(name), "%s_%s", model->name, figure);
	count_instructions(name, work);
}

static void count_all_but_setup(void)
{
	count("init", init);
	count("pfn_to_page", to_page);
	count("page_to_pfn", to_pfn);
}

static void run(const char *map)
{
	const struct sim_options options = { .pdpe1gb = true, .kernel_size = 2 << 20, .seed = 1 };
	phys_addr_t reserved;

	sim_boot_file(map, &options);
	reserved = memblock_reserved_size();
	for (unsigned int i = 0; i < PROBES; i++)
		pfns[i] = PFN_DOWN(memblock_end_of_DRAM()) - 1 - i;
	count("setup", setup);
	if (!descriptors) {
		printf("%s: %s\n", model->name, model_refusal);
		return;
	}
	printf("%s_descriptors %llu\n", model->name, ULL(descriptors));
	printf("%s_tables %llu\n", model->name,
	       ULL(memblock_reserved_size() - reserved - descriptors));
	count_all_but_setup();
	if (memcmp(pfns, back, sizeof(pfns)) != 0)
		panic("%s: page_to_pfn() does not undo pfn_to_page()", model->name);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	for (model = models; model < models + NR_MODELS; model++)
		run(argv[1]);
	model = &empty;
	count_all_but_setup();
	return 0;
}
