/* SPDX-License-Identifier: MIT */
/*
 * debug.c: the records, the poison, the unmapping.
 *
 *   release     record ─▶ poison ─▶ unmap            a frame's way through the hooks
 *   allocation  map ─▶ check the poison ─▶ record
 *
 * Records lie in the order of RAM without a gap for its holes, so that the frames of an allocation
 * have records side by side, whatever memblock's regions are. A record of zeros means that nobody
 * has had the frame so far; such a frame carries no poison and is not checked.
 */
#include "mm/debug.h"
#include "mm/memblock.h"
#include "mm/page_state.h"
#include "mm/zone.h"

#define POISON_BYTE 0xaau /* Linux's PAGE_POISON */
#define POISON_WORD 0xaaaaaaaaaaaaaaaaull
#define MAX_SHOWN   16 /* bytes of a frame that a report shows */

#define SITE_SIZE   96 /* of a site's name */

struct frame_record {
	uintptr_t allocated_by; /* 0: by nobody so far */
	uintptr_t freed_by;     /* 0: not since it was allocated */
	uint64_t number;        /* of its allocation, counted from the start */
	gfp_t gfp;
	uint8_t order;
	bool poisoned;
};
_Static_assert(sizeof(struct frame_record) == 32, "debug.h says so");

unsigned int mm_debug;

static struct frame_record *records;
static uint64_t nr_allocations;

static bool alloc_records(void)
{
	uint64_t frames = memblock_phys_mem_size() >> PAGE_SHIFT;

	records = memblock_alloc(frames * sizeof(*records), sizeof(*records));
	if (!records)
		printk("mm: no room for the records of %llu frames\n", (unsigned long long)frames);
	else
		printk("mm: records of %llu KiB\n",
		       (unsigned long long)(frames * sizeof(*records) >> 10));
	return records;
}

void mm_debug_init(unsigned int options)
{
	const unsigned int recorded = MM_PAGE_POISON | MM_PAGE_OWNER;

	records = NULL;
	nr_allocations = 0;
	if (options & recorded && !alloc_records())
		options &= ~recorded;
	mm_debug = options;
	if (options & (recorded | MM_DEBUG_PAGEALLOC))
		printk("mm:%s%s%s on, no caches\n", options & MM_PAGE_POISON ? " page_poison" : "",
		       options & MM_PAGE_OWNER ? " page_owner" : "",
		       options & MM_DEBUG_PAGEALLOC ? " debug_pagealloc" : "");
}

void mm_debug_start(void)
{
	pfn_t start = 0, end;

	if (!(mm_debug & MM_DEBUG_PAGEALLOC))
		return;
	for (; next_free_range(&start, &end); start = end)
		port_unmap_frames(start, end - start);
}

/* Returns the frame's record; NULL without records, or without RAM there. O(ranges of RAM). */
static struct frame_record *record_of(pfn_t pfn)
{
	struct frame_record *first = records;
	unsigned long base, end;
	int i;

	if (!records)
		return NULL;
	for_each_mem_pfn_range(i, NUMA_NO_NODE, &base, &end, NULL) {
		if (pfn >= base && pfn < end)
			return first + (pfn - base);
		first += end - base;
	}
	return NULL;
}

void page_owner_print(pfn_t pfn, print_fn print)
{
	const struct frame_record *record = mm_debug & MM_PAGE_OWNER ? record_of(pfn) : NULL;
	char site[SITE_SIZE];

	if (!record)
		return;
	if (!record->allocated_by) {
		print("frame 0x%llx: nobody has allocated it\n", (unsigned long long)pfn);
		return;
	}
	port_site_name(record->allocated_by, site, sizeof(site));
	print("frame 0x%llx: allocated by %s, order %u, gfp 0x%x, allocation %llu\n",
	      (unsigned long long)pfn, site, record->order, record->gfp,
	      (unsigned long long)record->number);
	if (!record->freed_by)
		return;
	port_site_name(record->freed_by, site, sizeof(site));
	print("frame 0x%llx: freed by %s\n", (unsigned long long)pfn, site);
}

/* Panics, and shows what the frame holds in place of poison. */
__attribute__((noreturn, cold)) static void poison_broken(pfn_t pfn)
{
	const uint8_t *bytes = phys_to_virt(PFN_PHYS(pfn));
	unsigned int first = 0, last = PAGE_SIZE - 1;

	while (bytes[first] == POISON_BYTE)
		first++;
	while (bytes[last] == POISON_BYTE)
		last--;
	page_owner_print(pfn, printk);
	printk("frame 0x%llx: from byte 0x%x on:", (unsigned long long)pfn, first);
	for (unsigned int i = first; i < PAGE_SIZE && i < first + MAX_SHOWN; i++)
		printk(" %02x", bytes[i]);
	printk("\n");
	panic("use after free: frame 0x%llx was written while it was free, bytes 0x%x to 0x%x",
	      (unsigned long long)pfn, first, last);
}

static void check_poison(pfn_t pfn)
{
	const uint64_t *words = phys_to_virt(PFN_PHYS(pfn));

	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		if (words[i] != POISON_WORD)
			poison_broken(pfn);
}

void mm_debug_alloc(pfn_t pfn, uint64_t nr, unsigned int order, gfp_t gfp, uintptr_t site)
{
	uint64_t number = __atomic_add_fetch(&nr_allocations, 1, __ATOMIC_RELAXED);
	struct frame_record *record = record_of(pfn);

	if (mm_debug & MM_DEBUG_PAGEALLOC)
		port_map_frames(pfn, nr);
	if (!record)
		return;
	for (uint64_t i = 0; i < nr; i++) {
		if (record[i].poisoned)
			check_poison(pfn + i);
		record[i].freed_by = 0;
		record[i].number = number;
		record[i].gfp = gfp;
		record[i].order = (uint8_t)order;
		record[i].poisoned = false;
		/* page_owner_sums() may read it meanwhile. */
		__atomic_store_n(&record[i].allocated_by, site, __ATOMIC_RELAXED);
	}
}

void mm_debug_free(struct page *page, unsigned int order, uintptr_t site)
{
	pfn_t pfn = page_to_pfn(page);
	uint64_t nr = (uint64_t)1 << order;
	struct frame_record *record = record_of(pfn);
	bool poison = mm_debug & MM_PAGE_POISON;

	if (page_head(pfn) != page)
		return;
	for (uint64_t i = 0; record && i < nr; i++) {
		record[i].freed_by = site;
		record[i].poisoned = poison;
	}
	if (poison)
		memset(page_address(page), POISON_BYTE, PAGE_SIZE << order);
	if (mm_debug & MM_DEBUG_PAGEALLOC)
		port_unmap_frames(pfn, nr);
}

/* Returns the entry of a site, new if there is room; else the last, which then is of all others. */
static struct page_owner_sum *sum_of(struct page_owner_sum *sums, unsigned int *nr,
				     unsigned int max, uintptr_t site)
{
	for (unsigned int i = 0; i < *nr; i++)
		if (sums[i].site == site)
			return &sums[i];
	if (*nr == max) {
		sums[max - 1].site = 0;
		return &sums[max - 1];
	}
	sums[*nr] = (struct page_owner_sum){ .site = site };
	return &sums[(*nr)++];
}

static bool before(const struct page_owner_sum *a, const struct page_owner_sum *b)
{
	return a->site && a->frames > b->frames;
}

/* Insertion sort: a program has few sites. */
static void sort_sums(struct page_owner_sum *sums, unsigned int nr)
{
	for (unsigned int i = 1; i < nr; i++) {
		struct page_owner_sum sum = sums[i];
		unsigned int at = i;

		for (; at && before(&sum, &sums[at - 1]); at--)
			sums[at] = sums[at - 1];
		sums[at] = sum;
	}
}

unsigned int page_owner_sums(struct page_owner_sum *sums, unsigned int max)
{
	const struct frame_record *record = records;
	unsigned int nr = 0;
	unsigned long base, end;
	int i;

	if (!(mm_debug & MM_PAGE_OWNER))
		return 0;
	for_each_mem_pfn_range(i, NUMA_NO_NODE, &base, &end, NULL) {
		for (pfn_t pfn = base, next; pfn < end; pfn = next) {
			const struct page *head = page_head(pfn);
			struct page_owner_sum *sum;

			if (free_span(pfn, &next))
				continue;
			next = pfn + 1;
			if (head != pfn_to_page(pfn))
				continue;
			next = pfn + ((pfn_t)1 << page_order(head));
			sum = sum_of(
			    sums, &nr, max,
			    __atomic_load_n(&record[pfn - base].allocated_by, __ATOMIC_RELAXED));
			sum->allocations++;
			sum->frames += next - pfn;
		}
		record += end - base;
	}
	sort_sums(sums, nr);
	return nr;
}
