/*
 * sparsemem.h: SPARSEMEM (EXTREME): each section of 128 MiB that has any RAM has an array.
 *
 *   root ──► table of 256 sections ──► map: where the section's descriptors lie, less the offset
 *    │                                      of its first frame, so that adding pfn is enough
 *    └─────► null: 32 GiB without RAM
 *
 * Numbers of sections have 19 bits for 64 TiB. Each descriptor has the number of its section in the
 * topmost bits of its state word: nothing else tells its frame.
 */
#ifndef TESTS_MODELS_SPARSEMEM_H
#define TESTS_MODELS_SPARSEMEM_H

#include "tests/models/model.h"

#define SECTION_SHIFT     (27 - PAGE_SHIFT)
#define SECTION_FRAMES    ((pfn_t)1 << SECTION_SHIFT)
#define SECTION_NR_SHIFT  45 /* in the state word */
#define SECTION_PRESENT   1ull
#define SECTIONS_PER_ROOT (PAGE_SIZE / sizeof(struct mem_section))
#define NR_SECTION_ROOTS  (MM_MAX_PFN / SECTION_FRAMES / SECTIONS_PER_ROOT)

struct mem_section {
	uint64_t map;
	void *usage; /* not used: Linux's sections have a second word, so these have one too */
};

static struct mem_section **section_roots;
static uint64_t sections_bytes; /* size of all descriptors */

static inline struct mem_section *section_of(uint64_t nr)
{
	return &section_roots[nr / SECTIONS_PER_ROOT][nr % SECTIONS_PER_ROOT];
}

static inline uint64_t section_map(uint64_t nr)
{
	return section_of(nr)->map & ~SECTION_PRESENT;
}

static inline struct page *sparsemem_pfn_to_page(pfn_t pfn)
{
	return (struct page *)(section_map(pfn >> SECTION_SHIFT) + pfn * sizeof(struct page));
}

static inline pfn_t sparsemem_page_to_pfn(const struct page *page)
{
	uint64_t map = section_map(page->state >> SECTION_NR_SHIFT);

	return ((uintptr_t)page - map) / sizeof(struct page);
}

/*
 * A function that returns descriptors for the section that begins at frame `first`, in memory from
 * below frame `end` if possible; or NULL.
 */
typedef struct page *populate_t(pfn_t first, pfn_t end);

/* Adds section nr, whose RAM ends at frame `end`. Returns false if there is no memory. */
static inline bool section_add(uint64_t nr, pfn_t end, populate_t *populate)
{
	struct mem_section **root = &section_roots[nr / SECTIONS_PER_ROOT];
	pfn_t first = nr << SECTION_SHIFT, after = first + SECTION_FRAMES;
	struct page *map;

	if (!*root)
		*root = memblock_alloc_or_panic(PAGE_SIZE, PAGE_SIZE);
	if (section_of(nr)->map)
		return true;
	map = populate(first, end > after ? end : after);
	if (map)
		section_of(nr)->map = ((uintptr_t)map - model_bytes(first)) | SECTION_PRESENT;
	return map;
}

static inline uint64_t sections_setup(populate_t *populate)
{
	unsigned long start, end;
	int i;

	sections_bytes = 0;
	section_roots = memblock_alloc_or_panic(NR_SECTION_ROOTS * sizeof(void *), PAGE_SIZE);
	for_each_mem_pfn_range(i, NUMA_NO_NODE, &start, &end, NULL)
		for (uint64_t nr = start >> SECTION_SHIFT; nr << SECTION_SHIFT < end; nr++)
			if (!section_add(nr, end, populate))
				return 0;
	return sections_bytes;
}

static inline struct page *sparsemem_populate(pfn_t first, pfn_t end)
{
	uint64_t size = model_bytes(SECTION_FRAMES);

	(void)first; /* any memory serves any section */
	sections_bytes += size;
	return model_take(size, PAGE_SIZE, end);
}

static inline uint64_t sparsemem_setup(void)
{
	return sections_setup(sparsemem_populate);
}

static inline void sparsemem_init(void)
{
	for (uint64_t nr = 0; nr < NR_SECTION_ROOTS * SECTIONS_PER_ROOT; nr++)
		if (!section_roots[nr / SECTIONS_PER_ROOT])
			nr |= SECTIONS_PER_ROOT - 1;
		else if (section_of(nr)->map)
			model_write(sparsemem_pfn_to_page(nr << SECTION_SHIFT), SECTION_FRAMES,
				    nr << SECTION_NR_SHIFT);
}

#endif
