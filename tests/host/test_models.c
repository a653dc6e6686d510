/*
 * test_models.c: tests the memory models of tests/models/, and mm/'s own, with every map of
 * tests/e820/.
 *
 * These rules are checked for the frames at the edges of RAM and of its sections, and for every
 * STRIDE-th frame between them:
 *
 *   T1 page_to_pfn(pfn_to_page(pfn)) is pfn.
 *   T2 The page tables map the descriptor to RAM that the set-up took.
 *   T3 No two frames have the same descriptor in RAM.
 *
 * cannot[] lists the maps that a model cannot hold. Any other refusal is a failure, and so is a map
 * of that list that is not refused.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/paging.h"
#include "tests/host/sim/sim.h"
#include "tests/models/model.h"

#define STRIDE     4093
#define EDGE       ((pfn_t)128 << 20 >> PAGE_SHIFT)
#define MAX_PROBES (1u << 18)

static const struct {
	const char *model;
	const char *map;
} cannot[] = {
	{ "flatmem", "tests/e820/it91smub-32tib-space.map" }, /* 100 GiB in one piece */
};

static struct probe {
	phys_addr_t where; /* of the descriptor */
	pfn_t pfn;
} probes[MAX_PROBES];
static unsigned int nr_probes;

/* memblock.reserved as it was before the set-up. */
static struct memblock_region before[1024];
static unsigned long nr_before;

static bool taken_by_setup(phys_addr_t where)
{
	for (unsigned long i = 0; i < nr_before; i++)
		if (where >= before[i].base && where - before[i].base < before[i].size)
			return false;
	return memblock_is_reserved(where);
}

static const char *probe(const struct model *model, pfn_t pfn)
{
	const struct page *page = model->pfn_to_page(pfn);
	struct paging_leaf leaf;

	if (!paging_walk((uintptr_t)page, &leaf) || !taken_by_setup(leaf.phys))
		return "T2";
	if (model->page_to_pfn(page) != pfn)
		return "T1";
	if (nr_probes == MAX_PROBES)
		return "too many probes";
	probes[nr_probes++] = (struct probe){ leaf.phys, pfn };
	return NULL;
}

static const char *probe_range(const struct model *model, pfn_t start, pfn_t end)
{
	const char *broken = probe(model, end - 1);

	for (pfn_t pfn = start; pfn < end && !broken; pfn += STRIDE)
		broken = probe(model, pfn);
	for (pfn_t edge = (start / EDGE + 1) * EDGE; edge < end && !broken; edge += EDGE) {
		broken = probe(model, edge - 1);
		if (!broken)
			broken = probe(model, edge);
	}
	return broken;
}

static int compare(const void *a, const void *b)
{
	const struct probe *x = a, *y = b;

	return (x->where > y->where) - (x->where < y->where);
}

/* Returns the first rule that a model, which has been set up, breaks, or NULL. */
static const char *check(const struct model *model)
{
	const char *broken = NULL;
	unsigned long start, end;
	int i;

	nr_probes = 0;
	for_each_mem_pfn_range(i, NUMA_NO_NODE, &start, &end, NULL)
		if (!broken)
			broken = probe_range(model, start, end);
	qsort(probes, nr_probes, sizeof(probes[0]), compare);
	for (unsigned int k = 1; k < nr_probes && !broken; k++)
		if (probes[k].where - probes[k - 1].where < sizeof(struct page) &&
		    probes[k].pfn != probes[k - 1].pfn)
			broken = "T3";
	return broken;
}

static const struct sim_options options = { .pdpe1gb = true, .kernel_size = 2 << 20, .seed = 1 };

static void remember_reserved(void)
{
	nr_before = memblock.reserved.cnt;
	assert_in_range(nr_before, 1, sizeof(before) / sizeof(before[0]));
	memcpy(before, memblock.reserved.regions, nr_before * sizeof(before[0]));
}

static void boot(const char *map)
{
	sim_boot_file(map, &options);
	remember_reserved();
}

static bool expected_to_refuse(const char *model, const char *map)
{
	for (unsigned int i = 0; i < sizeof(cannot) / sizeof(cannot[0]); i++)
		if (!strcmp(model, cannot[i].model) && !strcmp(map, cannot[i].map))
			return true;
	return false;
}

/* Sets the model up for the map and checks it. Returns false when it refuses, as it should. */
static bool run_map(const struct model *model, const char *map)
{
	phys_addr_t reserved;
	uint64_t descriptors;
	const char *broken;

	boot(map);
	reserved = memblock_reserved_size();
	descriptors = model->setup();
	if (!descriptors != expected_to_refuse(model->name, map))
		fail_msg("%s, %s: %s", model->name, map,
			 descriptors ? "should have been refused" : model_refusal);
	if (!descriptors) {
		print_message("# %s cannot hold %s: %s\n", model->name, map, model_refusal);
		return false;
	}
	if (memblock_reserved_size() - reserved < descriptors)
		fail_msg("%s, %s: the set-up took less than it says", model->name, map);
	if (model->init)
		model->init();
	broken = check(model);
	if (broken)
		fail_msg("%s, %s: %s is broken", model->name, map, broken);
	return true;
}

static void model_holds_the_maps(void **state)
{
	const struct model *model = *state;
	unsigned int held = 0;
	glob_t maps;

	assert_int_equal(glob("tests/e820/*.map", 0, NULL, &maps), 0);
	for (size_t i = 0; i < maps.gl_pathc; i++)
		held += run_map(model, maps.gl_pathv[i]);
	print_message("# %s holds %u of %zu maps\n", model->name, held, maps.gl_pathc);
	globfree(&maps);
	sim_reset();
}

/* Models that break one rule each. */

static struct page *even_pfn_to_page(pfn_t pfn)
{
	return pfn_to_page(pfn & ~(pfn_t)1);
}

static uint64_t nothing_setup(void)
{
	return model_bytes(1);
}

static struct page *in_ram_pfn_to_page(pfn_t pfn)
{
	return (struct page *)phys_to_virt(1 << 20) + pfn;
}

static pfn_t in_ram_page_to_pfn(const struct page *page)
{
	return (pfn_t)(page - in_ram_pfn_to_page(0));
}

static uint64_t alias_setup(void)
{
	const uint64_t size = 2 << 20;
	phys_addr_t phys = memblock_phys_alloc(size, size);

	for (uint64_t at = 0; at < model_bytes(PFN_DOWN(memblock_end_of_DRAM())); at += size)
		port_map_mem_map(MEM_MAP_BASE + at, phys, size);
	return size;
}

static void broken_models_are_seen(void **state)
{
	static const struct model broken[] = {
		{ "T1", mem_map_init, NULL, even_pfn_to_page, page_to_pfn },
		{ "T2", nothing_setup, NULL, in_ram_pfn_to_page, in_ram_page_to_pfn },
		{ "T2", nothing_setup, NULL, pfn_to_page, page_to_pfn },
		{ "T3", alias_setup, NULL, pfn_to_page, page_to_pfn },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		const char *said;

		boot("tests/e820/bochs-2g.map");
		broken[i].setup();
		said = check(&broken[i]);
		assert_non_null(said);
		assert_string_equal(said, broken[i].name);
	}
	sim_reset();
}

static void boot_islands(uint32_t nr)
{
	static struct e820_entry islands[65];
	struct e820_taken kernel;
	const char *error;

	for (uint32_t i = 0; i < nr; i++)
		islands[i] =
		    (struct e820_entry){ (uint64_t)i << 31, 64 << 20, E820_TYPE_RAM, 0, 20, 0 };
	assert_int_equal(sim_boot_memory(islands, nr, &options, &kernel, &error), 0);
	remember_reserved();
}

static void discontigmem_numbers_64_islands(void **state)
{
	const struct model *model = &models[1];

	(void)state;
	assert_string_equal(model->name, "discontigmem");
	boot_islands(65);
	assert_int_equal(model->setup(), 0);
	assert_string_equal(model_refusal, "more than 64 islands");
	boot_islands(64);
	assert_int_not_equal(model->setup(), 0);
	model->init();
	assert_null(check(model));
	sim_reset();
}

int main(void)
{
	struct CMUnitTest tests[NR_MODELS + 2];

	for (unsigned int i = 0; i < NR_MODELS; i++)
		tests[i] = (struct CMUnitTest){ models[i].name, model_holds_the_maps, NULL, NULL,
						(void *)(uintptr_t)&models[i] };
	tests[NR_MODELS] = (struct CMUnitTest)cmocka_unit_test(broken_models_are_seen);
	tests[NR_MODELS + 1] = (struct CMUnitTest)cmocka_unit_test(discontigmem_numbers_64_islands);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
