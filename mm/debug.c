/* SPDX-License-Identifier: MIT */
/*
 * debug.c: the records, the poison, the unmapping.
 *
 *   release     record ─▶ poison ─▶ unmap            a frame's way through the hooks
 *   allocation  map ─▶ check the poison ─▶ record
 *
 * A table says where the records of a range of frames are, side by side. It has the ranges of RAM
 * that there were at boot, and behind them those that were added, and not memblock's regions as
 * they are now, which change. It lies in no added memory, so that nothing is read of memory that is
 * lost. An allocation may have frames of two ranges that touch.
 *
 * A record of zeros means that nobody has had the frame so far; such a frame carries no poison and
 * is not checked.
 */
#include "mm/debug.h"
#include "mm/hotplug.h"
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

/*
 * The records of the frames [start, end), or of none when end is 0. An entry in use changes only
 * while no CPU looks at it: other CPUs look with interrupts off.
 */
struct record_range {
	pfn_t start, end;
	struct frame_record *records;
};

static struct record_range *record_ranges; /* NULL: nothing is recorded */
static unsigned int nr_ranges; /* of these, those behind the first nr_boot_ranges were added */
static unsigned int nr_boot_ranges;
static uint64_t nr_allocations;

static bool alloc_records(void)
{
	uint64_t frames = memblock_phys_mem_size() >> PAGE_SHIFT;
	uint64_t bytes = frames * sizeof(struct frame_record);
	struct frame_record *records = memblock_alloc(bytes, sizeof(*records));
	unsigned long start, end;
	int i;

	nr_ranges = (unsigned int)memblock.memory.cnt;
	record_ranges =
	    memblock_alloc((nr_ranges + HOTPLUG_RANGES) * sizeof(*record_ranges), sizeof(*records));
	if (!records || !record_ranges) {
		record_ranges = NULL;
		port_log("mm: no room for the records of %llu frames\n",
			 (unsigned long long)frames);
		return false;
	}
	nr_ranges = 0;
	for_each_mem_pfn_range(i, NUMA_NO_NODE, &start, &end, NULL) {
		record_ranges[nr_ranges++] = (struct record_range){ start, end, records };
		records += end - start;
	}
	nr_boot_ranges = nr_ranges;
	port_log("mm: records of %llu KiB\n", (unsigned long long)bytes >> 10);
	return true;
}

void mm_debug_init(unsigned int options)
{
	const unsigned int recorded = MM_PAGE_POISON | MM_PAGE_OWNER;

	record_ranges = NULL;
	nr_ranges = 0;
	nr_allocations = 0;
	if (options & recorded && !alloc_records())
		options &= ~recorded;
	mm_debug = options;
	if (options & (recorded | MM_DEBUG_PAGEALLOC))
		port_log("mm:%s%s%s on, no caches\n",
			 options & MM_PAGE_POISON ? " page_poison" : "",
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

/*
 * Returns the record of a frame, and sets *nr to how many of the frames from it on have theirs
 * behind it; NULL and 1 when there is none. Interrupts are off, or the frame's memory cannot leave.
 * O(ranges).
 */
static struct frame_record *find_record(pfn_t pfn, uint64_t *nr)
{
	unsigned int ranges = __atomic_load_n(&nr_ranges, __ATOMIC_ACQUIRE);

	for (unsigned int i = 0; i < ranges; i++) {
		const struct record_range *range = &record_ranges[i];
		pfn_t end = __atomic_load_n(&range->end, __ATOMIC_ACQUIRE);

		if (pfn < end && pfn >= range->start) {
			*nr = end - pfn;
			return range->records + (pfn - range->start);
		}
	}
	*nr = 1;
	return NULL;
}

/* Does the same for the first of nr frames that belong to the caller, and *nr is at most nr. */
static struct frame_record *record_of(pfn_t pfn, uint64_t frames, uint64_t *nr)
{
	unsigned long flags = port_irq_save();
	struct frame_record *record = find_record(pfn, nr);

	port_irq_restore(flags);
	if (*nr > frames)
		*nr = frames;
	return record;
}

uint64_t mm_debug_bytes(uint64_t frames)
{
	return record_ranges ? frames * sizeof(struct frame_record) : 0;
}

void mm_debug_add(pfn_t start, pfn_t end_free, pfn_t end, void *records)
{
	if (record_ranges) {
		struct record_range *range = record_ranges + nr_boot_ranges;

		memset(records, 0, mm_debug_bytes(end - start));
		while (range < record_ranges + nr_ranges && range->end)
			range++;
		MM_ASSERT(range < record_ranges + nr_boot_ranges + HOTPLUG_RANGES);
		range->start = start;
		range->records = records;
		__atomic_store_n(&range->end, end, __ATOMIC_RELEASE);
		if (range == record_ranges + nr_ranges)
			__atomic_store_n(&nr_ranges, nr_ranges + 1, __ATOMIC_RELEASE);
	}
	if (mm_debug & MM_DEBUG_PAGEALLOC)
		port_unmap_frames(start, end_free - start);
}

void mm_debug_remove(pfn_t start, pfn_t end)
{
	for (unsigned int i = nr_boot_ranges; i < nr_ranges; i++)
		if (record_ranges[i].start == start && record_ranges[i].end == end)
			__atomic_store_n(&record_ranges[i].end, 0, __ATOMIC_RELAXED);
}

/* Prints by print, which may be NULL: to the log. */
#define PRINT(print, ...) ((print) ? (void)(print)(__VA_ARGS__) : port_log(__VA_ARGS__))

void page_owner_print(pfn_t pfn, print_fn print)
{
	uint64_t nr;
	const struct frame_record *record =
	    mm_debug & MM_PAGE_OWNER ? record_of(pfn, 1, &nr) : NULL;
	char site[SITE_SIZE];

	if (!record)
		return;
	if (!record->allocated_by) {
		PRINT(print, "frame 0x%llx: nobody has allocated it\n", (unsigned long long)pfn);
		return;
	}
	port_site_name(record->allocated_by, site, sizeof(site));
	PRINT(print, "frame 0x%llx: allocated by %s, order %u, gfp 0x%x, allocation %llu\n",
	      (unsigned long long)pfn, site, record->order, record->gfp,
	      (unsigned long long)record->number);
	if (!record->freed_by)
		return;
	port_site_name(record->freed_by, site, sizeof(site));
	PRINT(print, "frame 0x%llx: freed by %s\n", (unsigned long long)pfn, site);
}

uintptr_t page_owner_site(pfn_t pfn)
{
	unsigned long flags = port_irq_save();
	uint64_t nr;
	const struct frame_record *record = mm_debug & MM_PAGE_OWNER ? find_record(pfn, &nr) : NULL;
	uintptr_t site = record ? __atomic_load_n(&record->allocated_by, __ATOMIC_RELAXED) : 0;

	port_irq_restore(flags);
	return site;
}

/* Panics, and shows what the frame holds in place of poison. */
__attribute__((__noreturn__, __cold__)) static void poison_broken(pfn_t pfn)
{
	const uint8_t *bytes = phys_to_virt(PFN_PHYS(pfn));
	unsigned int first = 0, last = PAGE_SIZE - 1;

	while (bytes[first] == POISON_BYTE)
		first++;
	while (bytes[last] == POISON_BYTE)
		last--;
	page_owner_print(pfn, NULL);
	port_log("frame 0x%llx: from byte 0x%x on:", (unsigned long long)pfn, first);
	for (unsigned int i = first; i < PAGE_SIZE && i < first + MAX_SHOWN; i++)
		port_log(" %02x", bytes[i]);
	port_log("\n");
	port_panic("use after free: frame 0x%llx was written while it was free, bytes 0x%x to 0x%x",
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

	if (mm_debug & MM_DEBUG_PAGEALLOC)
		port_map_frames(pfn, nr);
	for (uint64_t n; nr && record_ranges; pfn += n, nr -= n) {
		struct frame_record *record = record_of(pfn, nr, &n);

		for (uint64_t i = 0; record && i < n; i++) {
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
}

/* Changes the records that alloc_pages() has made: until the release they are the owner's. */
struct page *alloc_pages_site(gfp_t gfp, unsigned int order, uintptr_t site)
{
	struct page *page = alloc_pages(gfp, order);
	uint64_t nr = page && record_ranges ? (uint64_t)1 << order : 0;
	pfn_t pfn = nr ? page_to_pfn(page) : 0;

	for (uint64_t n; nr; pfn += n, nr -= n) {
		struct frame_record *record = record_of(pfn, nr, &n);

		for (uint64_t i = 0; record && i < n; i++)
			__atomic_store_n(&record[i].allocated_by, site, __ATOMIC_RELAXED);
	}
	return page;
}

void mm_debug_free(struct page *page, unsigned int order, uintptr_t site)
{
	pfn_t pfn = page_to_pfn(page);
	uint64_t nr = (uint64_t)1 << order;
	bool poison = mm_debug & MM_PAGE_POISON;

	if (page_head(pfn) != page)
		return;
	for (uint64_t done = 0, n; done < nr && record_ranges; done += n) {
		struct frame_record *record = record_of(pfn + done, nr - done, &n);

		for (uint64_t i = 0; record && i < n; i++) {
			record[i].freed_by = site;
			record[i].poisoned = poison;
		}
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
			sum = sum_of(sums, &nr, max, page_owner_site(pfn));
			sum->allocations++;
			sum->frames += next - pfn;
		}
	}
	sort_sums(sums, nr);
	return nr;
}
