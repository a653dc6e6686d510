/*
 * model.c: the naive model. It has the zones' borders and the order of fallback from the
 * documentation, not from the allocator.
 */
#include "tests/host/sim/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/format.h"
#include "mm/check.h"
#include "mm/memblock.h"
#include "mm/numa.h"
#include "mm/page_state.h"

#define EBUSY     16
#define EINVAL    22

#define DMA_END   ((pfn_t)1 << 12)
#define DMA32_END ((pfn_t)1 << 20)

static const struct model_nodes one_node = { .nr = 1 };

static char complaint[256];
#define COMPLAIN(...) (snprintf(complaint, sizeof(complaint), __VA_ARGS__), complaint)

unsigned int model_zone(const struct model_nodes *nodes, pfn_t pfn, pfn_t *end)
{
	const pfn_t borders[] = { DMA_END, DMA32_END, nodes->hotplug };
	unsigned int type = pfn < DMA_END ? ZONE_DMA : pfn < DMA32_END ? ZONE_DMA32 : ZONE_NORMAL;
	int nid = 0;

	for (unsigned int i = 0; i < sizeof(borders) / sizeof(borders[0]); i++)
		if (pfn < borders[i] && borders[i] < *end)
			*end = borders[i];
	if (nodes->hotplug && pfn >= nodes->hotplug)
		type = ZONE_HOTPLUG;
	if (nodes->nr > 1) {
		pfn_t next = (pfn / nodes->frames + 1) * nodes->frames;

		nid = (int)(pfn / nodes->frames % nodes->nr);
		*end = next < *end ? next : *end;
	}
	return zone_number(nid, type);
}

static unsigned int zone_of(const struct model *m, pfn_t pfn)
{
	pfn_t end = pfn + 1;

	return model_zone(m->nodes, pfn, &end);
}

static int node_of(unsigned int zone)
{
	return (int)(zone >> ZONE_TYPE_BITS);
}

static unsigned int type_of(unsigned int zone)
{
	return zone & ((1u << ZONE_TYPE_BITS) - 1);
}

/* The bytes are mapped, not allocated: those of holes, which may be terabytes, take no memory. */
void model_init(struct model *m, pfn_t base, pfn_t frames, const struct model_nodes *nodes)
{
	memset(m, 0, sizeof(*m));
	m->nodes = nodes && nodes->nr ? nodes : &one_node;
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

static void add_range(struct model *m, pfn_t start, pfn_t end, unsigned int zone)
{
	struct model_range *last = m->nr_ranges ? &m->range[m->nr_ranges - 1] : NULL;

	if (last && last->end == start && last->zone == zone) {
		last->end = end;
		return;
	}
	if (m->nr_ranges == MODEL_MAX_RANGES) {
		fprintf(stderr, "a machine of more than %u ranges\n", MODEL_MAX_RANGES);
		exit(3);
	}
	m->range[m->nr_ranges++] = (struct model_range){ start, end, zone };
}

void model_hand_over(struct model *m, pfn_t start, pfn_t end)
{
	for (pfn_t next; start < end; start = next) {
		unsigned int zone = model_zone(m->nodes, start, (next = end, &next));

		memset(m->frame + (start - m->base), OWN_FREE, next - start);
		m->free[zone] += next - start;
		add_range(m, start, next, zone);
	}
}

void model_take_back(struct model *m, pfn_t start, pfn_t end)
{
	for (; start < end; start++) {
		m->frame[start - m->base] = OWN_NEVER;
		m->free[zone_of(m, start)]--;
	}
}

/* Returns the highest type of zone that may serve a request. */
static unsigned int highest_type(gfp_t gfp)
{
	return gfp & __GFP_DMA ? ZONE_DMA : gfp & __GFP_DMA32 ? ZONE_DMA32 : ZONE_HOTPLUG;
}

/* Returns whether a zone may serve a request on node nid, if it has what is asked for. */
static bool is_allowed(unsigned int zone, int nid, gfp_t gfp)
{
	return type_of(zone) <= highest_type(gfp) &&
	       (!(gfp & __GFP_THISNODE) || node_of(zone) == nid);
}

/* Returns whether a request on node nid must be served from zone a rather than b if both can. */
static bool comes_before(unsigned int a, unsigned int b, int nid)
{
	bool hotplug_a = type_of(a) == ZONE_HOTPLUG, hotplug_b = type_of(b) == ZONE_HOTPLUG;
	unsigned int to_a = node_of(a) == nid ? 0 : node_distance(nid, node_of(a));
	unsigned int to_b = node_of(b) == nid ? 0 : node_distance(nid, node_of(b));

	if (hotplug_a != hotplug_b)
		return hotplug_b;
	return node_of(a) == node_of(b) ? type_of(a) > type_of(b) : to_a < to_b;
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
	for (const struct model_range *r = m->range; r < m->range + m->nr_ranges; r++)
		for (pfn_t pfn = (r->start + size - 1) & ~(size - 1);
		     r->zone == zone && pfn + size <= r->end; pfn += size)
			if (all_free(m, pfn, pfn + size))
				return true;
	return false;
}

/* Returns whether the zone has that many frames beyond its reserve for such requests. */
static bool may_give(const struct model *m, unsigned int zone, uint64_t frames, gfp_t gfp)
{
	uint64_t keep = gfp & __GFP_HIGH ? 0 : state_zones[zone]->lowmem_reserve[highest_type(gfp)];

	return m->free[zone] >= frames + keep;
}

/*
 * Returns whether a zone can serve a request on node nid; unless it is ZONE_NONE, one that comes
 * before zone `before`.
 */
static bool can_serve(const struct model *m, int nid, gfp_t gfp, unsigned int order,
		      unsigned int before)
{
	if (order > MAX_PAGE_ORDER)
		return false;
	for (unsigned int zone = 0; zone < zone_number(MAX_NUMNODES, 0); zone++)
		if (m->free[zone] && is_allowed(zone, nid, gfp) &&
		    (before == ZONE_NONE || comes_before(zone, before, nid)) &&
		    may_give(m, zone, (uint64_t)1 << order, gfp) && has_run(m, zone, order))
			return true;
	return false;
}

static const char *compare_counts(const struct model *m)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < zone_number(MAX_NUMNODES, 0); i++)
		sum += m->free[i];
	for_each_zone(z) {
		if (zone_nr_free_pages(z) != m->free[z->id])
			return COMPLAIN("zone %u has %llu free frames, in the model %llu", z->id,
					ULL(zone_nr_free_pages(z)), ULL(m->free[z->id]));
		sum -= m->free[z->id];
	}
	return sum ? COMPLAIN("a zone with %llu free frames does not exist", ULL(sum)) : NULL;
}

/*
 * Checks a page that the allocator gave to a request on node nid, and marks it allocated in the
 * model.
 */
static const char *take(struct model *m, struct page *page, int nid, gfp_t gfp, unsigned int order)
{
	pfn_t pfn = page_to_pfn(page), size = (pfn_t)1 << order, end = pfn + size;
	unsigned int zone = model_zone(m->nodes, pfn, &end);

	if (pfn & (size - 1))
		return COMPLAIN("order %u at frame %#llx is not aligned", order, ULL(pfn));
	if (!all_free(m, pfn, pfn + size))
		return COMPLAIN("order %u at frame %#llx overlaps frames that are not free", order,
				ULL(pfn));
	while (end < pfn + size) {
		pfn_t next = pfn + size;

		if (model_zone(m->nodes, end, &next) != zone)
			break;
		end = next;
	}
	if (!is_allowed(zone, nid, gfp) || end < pfn + size)
		return COMPLAIN("order %u at frame %#llx is not in a zone that may serve it", order,
				ULL(pfn));
	if (!may_give(m, zone, size, gfp))
		return COMPLAIN("order %u at frame %#llx is from the zone's reserve", order,
				ULL(pfn));
	if (m->no_caches && can_serve(m, nid, gfp, order, zone))
		return COMPLAIN("order %u at frame %#llx: another zone should serve it", order,
				ULL(pfn));
	if (page_count(page) != 1 || page_order(page) != order || page_zonenum(page) != zone ||
	    page_to_nid(page) != node_of(zone))
		return COMPLAIN("frame %#llx: its descriptor is not a head's of order %u", ULL(pfn),
				order);
	memset(m->frame + (pfn - m->base), OWN_INSIDE, size);
	m->frame[pfn - m->base] = (uint8_t)(order + 1);
	m->free[zone] -= size;
	return NULL;
}

/* Returns the node that a request on node nid is for: the CPU's, if it names none that is known. */
static int asked_node(const struct model *m, int nid, gfp_t gfp)
{
	int cpu = m->nodes->cpu;

	if (nid != NUMA_NO_NODE && (node_online(nid) || gfp & __GFP_THISNODE))
		return nid;
	if ((unsigned int)cpu < m->nodes->nr)
		return cpu;
	/* A node without RAM: the nearest. */
	nid = 0;
	for (int other = 1; other < (int)m->nodes->nr; other++)
		if (node_distance(cpu, other) < node_distance(cpu, nid))
			nid = other;
	return nid;
}

/* Checks what the allocator has given, or not given, to a request on node nid. */
static const char *check_given(struct model *m, struct page *page, int nid, gfp_t gfp,
			       unsigned int order)
{
	const char *bad = NULL;

	nid = asked_node(m, nid, gfp);
	if (page)
		bad = take(m, page, nid, gfp, order);
	else if (can_serve(m, nid, gfp, order, ZONE_NONE))
		return COMPLAIN("order %u was refused, although there is a free run", order);
	return bad ? bad : compare_counts(m);
}

const char *model_alloc(struct model *m, gfp_t gfp, unsigned int order, struct page **given)
{
	struct page *page = alloc_pages(gfp, order);

	if (given)
		*given = page;
	return check_given(m, page, NUMA_NO_NODE, gfp, order);
}

const char *model_alloc_node(struct model *m, int nid, gfp_t gfp, unsigned int order,
			     struct page **given)
{
	struct page *page = alloc_pages_node(nid, gfp, order);

	if (given)
		*given = page;
	return check_given(m, page, nid, gfp, order);
}

const char *model_bulk(struct model *m, gfp_t gfp, unsigned long nr, struct page **array,
		       unsigned long *got)
{
	int nid = asked_node(m, NUMA_NO_NODE, gfp);

	*got = alloc_pages_bulk(gfp, nr, array);
	for (unsigned long i = 0; i < *got; i++) {
		const char *bad = take(m, array[i], nid, gfp, 0);

		if (bad)
			return bad;
	}
	for (unsigned long i = *got; i < nr; i++)
		if (array[i])
			return COMPLAIN("entry %lu of the array is filled, but only %lu were given",
					i, *got);
	if (*got > nr || (*got < nr && can_serve(m, nid, gfp, 0, ZONE_NONE)))
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
	m->free[zone_of(m, head)] += size;
	if (how == PUT_PAGE)
		put_page(pfn_to_page(head));
	else
		__free_pages(pfn_to_page(head), order);
	return compare_counts(m);
}

const char *model_free_contig(struct model *m, pfn_t start, unsigned long nr)
{
	memset(m->frame + (start - m->base), OWN_FREE, nr);
	m->free[zone_of(m, start)] += nr;
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

/* Returns whether blocks of [start, end) that have RAM are of several zones. */
static bool has_several_zones(const struct model *m, pfn_t start, pfn_t end)
{
	unsigned int zone = ZONE_NONE;

	for (pfn_t pfn = start & ~(BLOCK_FRAMES - 1); pfn < end; pfn += BLOCK_FRAMES) {
		unsigned int other = zone_of(m, pfn);

		if (!memblock_overlaps_region(&memblock.memory, PFN_PHYS(pfn),
					      PFN_PHYS(BLOCK_FRAMES)))
			continue;
		if (zone != ZONE_NONE && zone != other)
			return true;
		zone = other;
	}
	return false;
}

const char *model_contig(struct model *m, pfn_t start, pfn_t end)
{
	int expected = 0, err;

	if (start >= end || end > MM_MAX_PFN || has_several_zones(m, start, end))
		expected = -EINVAL;
	else if (!all_free(m, start, end))
		expected = -EBUSY;
	err = alloc_contig_range(start, end, MIGRATE_MOVABLE, 0);
	if (err != expected)
		return COMPLAIN("alloc_contig_range(%#llx, %#llx) gave %d, not %d", ULL(start),
				ULL(end), err, expected);
	if (!err) {
		memset(m->frame + (start - m->base), 1, end - start);
		m->free[zone_of(m, start)] -= end - start;
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
	for_each_zone(z)
		if (z->lock.taken)
			return COMPLAIN("the lock of zone %u is held", z->id);
	return model_check_frames(m, start, end);
}
