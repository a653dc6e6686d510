/*
 * model.c: the naive model. It has the zones' borders from the documentation, not from zones[].
 */
#include "tests/host/sim/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/format.h"
#include "mm/check.h"
#include "mm/page_state.h"

#define EBUSY  16
#define EINVAL 22

static const pfn_t zone_start[MAX_NR_ZONES + 1] = { 0, 1 << 12, 1 << 20, MM_MAX_PFN };

static char complaint[256];
#define COMPLAIN(...) (snprintf(complaint, sizeof(complaint), __VA_ARGS__), complaint)

static unsigned int zone_of(pfn_t pfn)
{
	unsigned int z = MAX_NR_ZONES;

	while (z-- > 0)
		if (pfn >= zone_start[z])
			return z;
	abort();
}

/* The bytes are mapped, not allocated: those of holes, which may be terabytes, take no memory. */
void model_init(struct model *m, pfn_t base, pfn_t frames)
{
	memset(m, 0, sizeof(*m));
	m->base = base;
	m->frames = frames;
	m->frame = mmap(NULL, frames, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->frame == MAP_FAILED) {
		perror("mmap of the model");
		exit(3);
	}
}

void model_destroy(struct model *m)
{
	munmap(m->frame, m->frames);
}

/* Returns how many of the frames [start, end) are in the zone. */
static uint64_t frames_in_zone(unsigned int zone, pfn_t start, pfn_t end)
{
	start = start > zone_start[zone] ? start : zone_start[zone];
	end = end < zone_start[zone + 1] ? end : zone_start[zone + 1];
	return start < end ? end - start : 0;
}

void model_hand_over(struct model *m, pfn_t start, pfn_t end)
{
	struct model_range *last = m->nr_ranges ? &m->range[m->nr_ranges - 1] : NULL;

	if (start >= end)
		return;
	memset(m->frame + (start - m->base), OWN_FREE, end - start);
	for (unsigned int zone = 0; zone < MAX_NR_ZONES; zone++)
		m->free[zone] += frames_in_zone(zone, start, end);
	if (last && last->end == start) {
		last->end = end;
		return;
	}
	if (m->nr_ranges == MODEL_MAX_RANGES) {
		fprintf(stderr, "a machine of more than %u ranges\n", MODEL_MAX_RANGES);
		exit(3);
	}
	m->range[m->nr_ranges++] = (struct model_range){ start, end };
}

void model_take_back(struct model *m, pfn_t start, pfn_t end)
{
	memset(m->frame + (start - m->base), OWN_NEVER, end - start);
	for (unsigned int zone = 0; zone < MAX_NR_ZONES; zone++)
		m->free[zone] -= frames_in_zone(zone, start, end);
}

static unsigned int highest_zone(gfp_t gfp)
{
	return gfp & __GFP_DMA ? ZONE_DMA : gfp & __GFP_DMA32 ? ZONE_DMA32 : ZONE_NORMAL;
}

static bool all_free(const struct model *m, pfn_t start, pfn_t end)
{
	const uint8_t *frame = m->frame + (start - m->base);

	if (start < m->base || end > m->base + m->frames)
		return false;
	return start == end || (*frame == OWN_FREE && !memcmp(frame, frame + 1, end - start - 1));
}

static bool none_free(const struct model *m, pfn_t start, pfn_t end)
{
	return !memchr(m->frame + (start - m->base), OWN_FREE, end - start);
}

/* Returns whether the zone has a free, aligned run of this order. */
static bool has_run(const struct model *m, unsigned int zone, unsigned int order)
{
	pfn_t size = (pfn_t)1 << order;

	if (!order)
		return m->free[zone];
	for (const struct model_range *r = m->range; r < m->range + m->nr_ranges; r++) {
		pfn_t start = r->start > zone_start[zone] ? r->start : zone_start[zone];
		pfn_t end = r->end < zone_start[zone + 1] ? r->end : zone_start[zone + 1];

		for (pfn_t pfn = (start + size - 1) & ~(size - 1); pfn + size <= end; pfn += size)
			if (all_free(m, pfn, pfn + size))
				return true;
	}
	return false;
}

/* Returns whether the zone has that many frames beyond its reserve for such requests. */
static bool may_give(const struct model *m, unsigned int zone, uint64_t frames, gfp_t gfp)
{
	uint64_t keep = gfp & __GFP_HIGH ? 0 : zones[zone].lowmem_reserve[highest_zone(gfp)];

	return m->free[zone] >= frames + keep;
}

static bool must_succeed(const struct model *m, gfp_t gfp, unsigned int order)
{
	if (order > MAX_PAGE_ORDER)
		return false;
	for (unsigned int zone = 0; zone <= highest_zone(gfp); zone++)
		if (may_give(m, zone, (uint64_t)1 << order, gfp) && has_run(m, zone, order))
			return true;
	return false;
}

static const char *compare_counts(const struct model *m)
{
	for (unsigned int i = 0; i < MAX_NR_ZONES; i++)
		if (zone_nr_free_pages(&zones[i]) != m->free[i])
			return COMPLAIN("zone %u has %llu free frames, in the model %llu", i,
					ULL(zone_nr_free_pages(&zones[i])), ULL(m->free[i]));
	return NULL;
}

/* Checks a page that the allocator gave, and marks it allocated in the model. */
static const char *take(struct model *m, struct page *page, gfp_t gfp, unsigned int order)
{
	pfn_t pfn = page_to_pfn(page), size = (pfn_t)1 << order;
	unsigned int zone;

	if (pfn & (size - 1))
		return COMPLAIN("order %u at frame %#llx is not aligned", order, ULL(pfn));
	if (!all_free(m, pfn, pfn + size))
		return COMPLAIN("order %u at frame %#llx overlaps frames that are not free", order,
				ULL(pfn));
	zone = zone_of(pfn);
	if (zone > highest_zone(gfp) || zone_of(pfn + size - 1) != zone)
		return COMPLAIN("order %u at frame %#llx is not in a zone that may serve it", order,
				ULL(pfn));
	if (!may_give(m, zone, size, gfp))
		return COMPLAIN("order %u at frame %#llx is from the zone's reserve", order,
				ULL(pfn));
	if (page_count(page) != 1 || page_order(page) != order || page_zonenum(page) != zone)
		return COMPLAIN("frame %#llx: its descriptor is not a head's of order %u", ULL(pfn),
				order);
	memset(m->frame + (pfn - m->base), OWN_INSIDE, size);
	m->frame[pfn - m->base] = (uint8_t)(order + 1);
	m->free[zone] -= size;
	return NULL;
}

const char *model_alloc(struct model *m, gfp_t gfp, unsigned int order, struct page **given)
{
	struct page *page = alloc_pages(gfp, order);
	const char *bad;

	if (given)
		*given = page;
	if (page) {
		bad = take(m, page, gfp, order);
		return bad ? bad : compare_counts(m);
	}
	if (must_succeed(m, gfp, order))
		return COMPLAIN("order %u was refused, although there is a free run", order);
	return compare_counts(m);
}

const char *model_bulk(struct model *m, gfp_t gfp, unsigned long nr, struct page **array,
		       unsigned long *got)
{
	*got = alloc_pages_bulk(gfp, nr, array);
	for (unsigned long i = 0; i < *got; i++) {
		const char *bad = take(m, array[i], gfp, 0);

		if (bad)
			return bad;
	}
	for (unsigned long i = *got; i < nr; i++)
		if (array[i])
			return COMPLAIN("entry %lu of the array is filled, but only %lu were given",
					i, *got);
	if (*got > nr || (*got < nr && must_succeed(m, gfp, 0)))
		return COMPLAIN("%lu of %lu frames were given, although more are free", *got, nr);
	return compare_counts(m);
}

unsigned int model_order(const struct model *m, pfn_t head)
{
	uint8_t own = model_at(m, head);

	if (!model_is_head(own))
		abort();
	return own - 1u;
}

const char *model_free(struct model *m, pfn_t head, enum model_free how)
{
	unsigned int order = model_order(m, head);
	pfn_t size = (pfn_t)1 << order;

	memset(m->frame + (head - m->base), OWN_FREE, size);
	m->free[zone_of(head)] += size;
	if (how == PUT_PAGE)
		put_page(pfn_to_page(head));
	else
		__free_pages(pfn_to_page(head), order);
	return compare_counts(m);
}

const char *model_free_contig(struct model *m, pfn_t start, unsigned long nr)
{
	memset(m->frame + (start - m->base), OWN_FREE, nr);
	m->free[zone_of(start)] += nr;
	free_contig_range(start, nr);
	return compare_counts(m);
}

const char *model_ref(struct model *m, pfn_t head)
{
	struct page *page = pfn_to_page(head);

	get_page(page);
	if (page_count(page) != 2)
		return COMPLAIN("frame %#llx: get_page() made the count %u", ULL(head),
				page_count(page));
	__free_pages(page, model_order(m, head));
	if (page_count(page) != 1)
		return COMPLAIN("frame %#llx: one of two references dropped left %u", ULL(head),
				page_count(page));
	return compare_counts(m);
}

const char *model_split(struct model *m, pfn_t head)
{
	unsigned int order = model_order(m, head);

	memset(m->frame + (head - m->base), 1, (size_t)1 << order);
	split_page(pfn_to_page(head), order);
	return compare_counts(m);
}

const char *model_contig(struct model *m, pfn_t start, pfn_t end)
{
	int expected = 0, err;

	if (start >= end || end > MM_MAX_PFN || zone_of(start) != zone_of(end - 1))
		expected = -EINVAL;
	else if (!all_free(m, start, end))
		expected = -EBUSY;
	err = alloc_contig_range(start, end, MIGRATE_MOVABLE, 0);
	if (err != expected)
		return COMPLAIN("alloc_contig_range(%#llx, %#llx) gave %d, not %d", ULL(start),
				ULL(end), err, expected);
	if (!err) {
		memset(m->frame + (start - m->base), 1, end - start);
		m->free[zone_of(start)] -= end - start;
	}
	return compare_counts(m);
}

static const char *compare_bits(const struct model *m, pfn_t pfn, pfn_t end)
{
	for (pfn_t next; pfn < end; pfn = next) {
		bool set = free_span(pfn, &next);

		if (next <= pfn)
			return COMPLAIN("the span at frame %#llx ends where it starts", ULL(pfn));
		if (next > end)
			next = end;
		if (set ? !all_free(m, pfn, next) : !none_free(m, pfn, next))
			return COMPLAIN("frames [%#llx, %#llx): free_span() and the model differ",
					ULL(pfn), ULL(next));
	}
	return NULL;
}

static const char *compare_free_frames(const struct model *m, pfn_t start, pfn_t end)
{
	uint64_t own = 0, theirs = nr_free_in_range(start, end);

	for (pfn_t pfn = start; pfn < end; pfn++)
		own += model_at(m, pfn) == OWN_FREE;
	if (own != theirs)
		return COMPLAIN("%llu of [%#llx, %#llx) are free, nr_free_in_range() counts %llu",
				ULL(own), ULL(start), ULL(end), ULL(theirs));
	return NULL;
}

/* Of a range of terabytes only the first 4 GiB are compared: they are allocated first. */
#define MAX_COMPARED ((pfn_t)4 << 18)

const char *model_drain(struct model *m)
{
	const char *bad = NULL;

	/* When the frame caches are empty, the bits alone say what is free. */
	drain_caches();
	for (unsigned int i = 0; !bad && i < m->nr_ranges; i++) {
		pfn_t start = m->range[i].start, end = m->range[i].end;

		if (end - start > MAX_COMPARED)
			end = start + MAX_COMPARED;
		bad = compare_bits(m, start, end);
		if (!bad)
			bad = compare_free_frames(m, start + (end - start) / 3, end);
	}
	return bad ? bad : compare_counts(m);
}

static const char *check_frame(const struct model *m, pfn_t pfn, pfn_t head)
{
	uint8_t own = model_at(m, pfn);
	enum page_state state = page_state(pfn);
	struct page *page = page_head(pfn);

	if (own == OWN_NEVER && state != (pfn_valid(pfn) ? PAGE_RESERVED : PAGE_ABSENT))
		return COMPLAIN("frame %#llx must not be allocated, its page state is %d", ULL(pfn),
				state);
	if (own == OWN_FREE && state != PAGE_FREE)
		return COMPLAIN("frame %#llx is free, its page state is %d", ULL(pfn), state);
	if (own != OWN_NEVER && own != OWN_FREE && state != PAGE_ALLOCATED)
		return COMPLAIN("frame %#llx is allocated, its page state is %d", ULL(pfn), state);
	if (own == OWN_FREE || own == OWN_NEVER ? page != NULL : page != pfn_to_page(head))
		return COMPLAIN("frame %#llx: page_head() is wrong", ULL(pfn));
	if (model_is_head(own) && (page_order(page) + 1 != own || page_count(page) != 1))
		return COMPLAIN("frame %#llx: its descriptor has changed", ULL(pfn));
	return NULL;
}

const char *model_check_frames(const struct model *m, pfn_t start, pfn_t end)
{
	const char *bad = NULL;
	pfn_t head = start;

	/* A range may begin inside an allocation. */
	while (head > m->base && model_at(m, head) == OWN_INSIDE)
		head--;
	for (pfn_t pfn = start; !bad && pfn < end; pfn++) {
		if (model_at(m, pfn) != OWN_INSIDE)
			head = pfn;
		bad = check_frame(m, pfn, head);
	}
	return bad;
}

const char *model_check(const struct model *m, pfn_t start, pfn_t end)
{
	const char *bad = compare_counts(m);

	if (bad)
		return bad;
	if (mm_check())
		return "mm_check() found a violation";
	for (unsigned int i = 0; i < MAX_NR_ZONES; i++)
		if (zones[i].lock.taken)
			return COMPLAIN("the lock of zone %u is held", i);
	return model_check_frames(m, start, end);
}
