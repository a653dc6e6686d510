/*
 * test_hotplug_random.c: adds and removes ranges at random, while two CPUs, which one thread plays
 * in turn, allocate and free. The test knows what it holds, and so what each call has to return and
 * how many frames are in use.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mm/cache.h"
#include "mm/check.h"
#include "mm/debug.h"
#include "mm/hotplug_parts.h"
#include "mm/page_state.h"
#include "tests/host/sim/sim.h"

#define MIB       (1ull << 20)
#define GIB       (1ull << 30)
#define HIGH      (4 * GIB)
#define NODES     4
#define MAX_HELD  600
#define STEPS     400
#define KEPT      46 /* frames of the reserve that are enough for a call */
#define AREA_SIZE 64 /* frames by which the reserve grows and shrinks */

/* Where ranges come and go; two of these places lie in the GiB of boot RAM, one across a shelf. */
static struct place {
	phys_addr_t base;
	uint64_t room;
	phys_addr_t at;
	uint64_t size; /* of the range that is there; 0: none is */
} places[] = {
	{ HIGH + 64 * MIB, 192 * MIB, 0, 0 },        { HIGH + 256 * MIB, 512 * MIB, 0, 0 },
	{ HIGH + 768 * MIB, 512 * MIB, 0, 0 },       { HIGH + 1280 * MIB, 768 * MIB, 0, 0 },
	{ HIGH + 2 * GIB, 2 * GIB, 0, 0 },           { HIGH + 4 * GIB, 6 * MIB, 0, 0 },
	{ HIGH + 4 * GIB + 6 * MIB, 4 * MIB, 0, 0 }, { 511 * GIB + 514 * MIB, GIB, 0, 0 },
};
#define NR_PLACES (sizeof(places) / sizeof(places[0]))

static struct held {
	pfn_t pfn;
	unsigned int order;
	bool damaged; /* PAGE_HWPOISON: it stays until its range leaves */
} held[MAX_HELD];
static unsigned int nr_held;
static uint64_t seed, in_use; /* in_use: frames of the boot and of the reserve */

static unsigned int refused, left, lost, short_of_frames; /* calls, of this test */

static uint32_t below(uint64_t limit)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % limit);
}

static bool percent(uint32_t chance)
{
	return below(100) < chance;
}

static uint64_t frames_held(void)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < nr_held; i++)
		sum += 1ull << held[i].order;
	return sum;
}

/* Checks the allocator, and that just what is held is in use, besides areas of the reserve. */
static void check(void)
{
	assert_int_equal(mm_check(), 0);
	assert_int_equal((totalram_pages() - nr_free_pages() - frames_held() - in_use) % AREA_SIZE,
			 0);
}

/* Writes what the frames of an allocation contain, or checks that they still do. */
static void mark(const struct held *h)
{
	pfn_t last = h->pfn + (1ull << h->order) - 1;

	*(uint64_t *)phys_to_virt(PFN_PHYS(h->pfn)) = h->pfn;
	*(uint64_t *)phys_to_virt(PFN_PHYS(last)) = h->pfn;
}

static void check_mark(const struct held *h)
{
	pfn_t last = h->pfn + (1ull << h->order) - 1;

	assert_int_equal(*(uint64_t *)phys_to_virt(PFN_PHYS(h->pfn)), h->pfn);
	assert_int_equal(*(uint64_t *)phys_to_virt(PFN_PHYS(last)), h->pfn);
	assert_int_equal(page_state(last), PAGE_ALLOCATED);
	assert_ptr_equal(page_head(last), pfn_to_page(h->pfn));
}

static void hold(pfn_t pfn, unsigned int order)
{
	struct held *h = &held[nr_held++];

	assert_true(nr_held <= MAX_HELD);
	*h = (struct held){ pfn, order, false };
	for (unsigned int i = 0; i + 1 < nr_held; i++)
		assert_true(held[i].pfn + (1ull << held[i].order) <= pfn ||
			    pfn + (1ull << order) <= held[i].pfn);
	set_page_private(pfn_to_page(pfn), 0);
	mark(h);
}

static void allocate(void)
{
	static const gfp_t flags[] = { 0,          0,         __GFP_THISNODE, __GFP_THISNODE,
				       __GFP_HIGH, GFP_DMA32, __GFP_UNMOVABLE };
	unsigned int order = percent(50) ? 0 : below(percent(90) ? 11 : NR_ORDERS);
	gfp_t gfp = flags[below(sizeof(flags) / sizeof(flags[0]))];
	struct page *page = alloc_pages_node((int)below(NODES), gfp, order);

	if (page)
		hold(page_to_pfn(page), order);
}

/* Allocates single frames by number, in a range. */
static void allocate_there(const struct place *p)
{
	pfn_t start = PFN_DOWN(p->at) + below(p->size >> PAGE_SHIFT), end = start + 1 + below(8);

	if (alloc_contig_range(start, end, MIGRATE_MOVABLE, 0))
		return;
	for (pfn_t pfn = start; pfn < end; pfn++)
		hold(pfn, 0);
}

static void drop(unsigned int i)
{
	struct held h = held[i];

	if (h.damaged)
		return;
	check_mark(&h);
	held[i] = held[--nr_held];
	__free_pages(pfn_to_page(h.pfn), h.order);
}

static bool lies_in(const struct held *h, const struct place *p)
{
	return PFN_PHYS(h->pfn) < p->at + p->size && PFN_PHYS(h->pfn + (1ull << h->order)) > p->at;
}

static void damage(struct held *h)
{
	/* Of boot memory it would be in use for ever. */
	if (h->order || PFN_PHYS(h->pfn) < HIGH + 64 * MIB)
		return;
	set_page_private(pfn_to_page(h->pfn), PAGE_HWPOISON);
	h->damaged = true;
}

static void come(struct place *p)
{
	uint64_t size = (1 + below(p->room / HOTPLUG_UNIT)) * HOTPLUG_UNIT, total;
	bool enough = hotplug_reserve_frames() >= KEPT;
	int nid = (int)below(NODES), err;

	if (percent(30))
		size = p->room;
	p->at = p->base + below((p->room - size) / HOTPLUG_UNIT + 1) * HOTPLUG_UNIT;
	total = totalram_pages();
	err = add_memory(nid, p->at, size);
	if (err) {
		assert_int_equal(err, -ENOMEM);
		assert_false(enough);
		assert_int_equal(totalram_pages(), total);
		short_of_frames++;
		return;
	}
	p->size = size;
	assert_int_equal(pfn_zone(PFN_DOWN(p->at))->id, zone_number(nid, ZONE_HOTPLUG));
	assert_int_equal(page_state(PFN_DOWN(p->at)), PAGE_FREE);
	assert_int_equal(page_state(PFN_DOWN(p->at + size) - 1), PAGE_RESERVED);
}

/* Drops what is held in a range: it is gone. Returns how many frames these are. */
static uint64_t forget(const struct place *p)
{
	uint64_t frames = 0;

	for (unsigned int i = nr_held; i-- > 0;)
		if (lies_in(&held[i], p)) {
			frames += 1ull << held[i].order;
			held[i] = held[--nr_held];
		}
	return frames;
}

static void lose(struct place *p)
{
	uint64_t frames = forget(p);

	memset(pfn_to_page(PFN_DOWN(p->at)), 0, (p->size >> PAGE_SHIFT) * sizeof(struct page));
	assert_int_equal(forget_lost_memory(p->at, p->size), frames);
	lost++;
	p->size = 0;
}

static void leave(struct place *p)
{
	struct offline_blockers b = { 0, PFN_NONE, 0, 0 };
	struct offline_blockers *found = &offline_blockers;
	int err;

	for (unsigned int i = 0; i < nr_held; i++) {
		if (held[i].damaged || !lies_in(&held[i], p))
			continue;
		b.frames += 1ull << held[i].order;
		if (held[i].pfn < b.first) {
			b.first = held[i].pfn;
			b.order = held[i].order;
		}
	}
	err = offline_and_remove_memory(p->at, p->size);
	assert_int_equal(err, b.frames ? -EBUSY : 0);
	if (err) {
		assert_int_equal(found->frames, b.frames);
		assert_int_equal(found->first, b.first);
		assert_int_equal(found->order, b.order);
		refused++;
		return;
	}
	assert_int_equal(page_state(PFN_DOWN(p->at)), PAGE_ABSENT);
	forget(p);
	left++;
	p->size = 0;
}

/* Frees what is held in a range. */
static void clear(const struct place *p)
{
	for (unsigned int i = nr_held; i-- > 0;)
		if (lies_in(&held[i], p))
			drop(i);
}

static void step(void)
{
	struct place *p = &places[below(NR_PLACES)];
	uint32_t what = below(100);

	sim_cpu = below(2);
	if (what < 45 && nr_held < MAX_HELD - 8)
		p->size &&percent(30) ? allocate_there(p) : allocate();
	else if (what < 75 && nr_held)
		drop(below(nr_held));
	else if (what < 78 && nr_held)
		damage(&held[below(nr_held)]);
	else if (!p->size)
		come(p);
	else if (what < 80)
		lose(p);
	else {
		if (percent(60))
			clear(p);
		leave(p);
	}
	check();
}

static void boot(unsigned int debug)
{
	static const struct e820_entry ram[] = {
		{ MIB, 31 * MIB, E820_TYPE_RAM, 0, 20, 0 },
		{ HIGH, 64 * MIB, E820_TYPE_RAM, 0, 20, 0 },
	};
	const struct sim_options options = { .seed = 3, .dirty = !debug, .debug = debug };
	struct e820_taken kernel;
	const char *error;

	sim_nr_cpus = 2;
	sim_cpu = 0;
	nr_held = 0;
	for (unsigned int i = 0; i < NR_PLACES; i++)
		places[i].size = 0;
	assert_int_equal(sim_boot(ram, 2, &options, &kernel, &error), 0);
	in_use = totalram_pages() - nr_free_pages();
	assert_int_equal(memory_hotplug_init(), 0);
}

static void empty(void)
{
	for (unsigned int i = nr_held; i-- > 0;)
		drop(i);
	for (unsigned int i = 0; i < NR_PLACES; i++)
		if (places[i].size)
			leave(&places[i]);
	assert_int_equal(nr_held, 0);
	drain_all_pages();
	check();
}

/* Has all zones and shelves made, which stay: what comes then gives back all that it takes. */
static void make_zones(void)
{
	for (int nid = 0; nid < NODES; nid++) {
		assert_int_equal(add_memory(nid, HIGH + GIB, HOTPLUG_UNIT), 0);
		assert_int_equal(offline_and_remove_memory(HIGH + GIB, HOTPLUG_UNIT), 0);
		assert_int_equal(add_memory(nid, 512 * GIB, HOTPLUG_UNIT), 0);
		assert_int_equal(offline_and_remove_memory(512 * GIB, HOTPLUG_UNIT), 0);
	}
}

static void ranges_come_and_go(unsigned int debug)
{
	left = refused = lost = short_of_frames = 0;
	for (uint64_t run = 1; run <= 2; run++) {
		uint64_t total, reserved, regions, in_reserve;

		boot(debug);
		make_zones();
		seed = run * 0x9e3779b97f4a7c15ull;
		total = totalram_pages();
		reserved = memblock_reserved_size();
		regions = memblock.memory.cnt;
		in_reserve = hotplug_reserve_frames();
		for (unsigned int i = 0; i < STEPS; i++)
			step();
		empty();
		assert_int_equal(hotplug_reserve_frames() % AREA_SIZE, in_reserve % AREA_SIZE);
		assert_int_equal(totalram_pages(), total);
		assert_int_equal(memblock_reserved_size(), reserved);
		assert_int_equal(memblock.memory.cnt, regions);
		assert_int_equal(totalram_pages(), total);
	}
	printf("# %u ranges left, %u were refused, %u were lost, %u not added for lack of frames\n",
	       left, refused, lost, short_of_frames);
	assert_true(left > 50 && refused > 15 && lost > 5);
}

static void without_debug_options(void **state)
{
	(void)state;
	ranges_come_and_go(0);
}

static void with_owners_and_poison(void **state)
{
	(void)state;
	ranges_come_and_go(MM_PAGE_OWNER | MM_PAGE_POISON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_debug_options),
		cmocka_unit_test(with_owners_and_poison),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
