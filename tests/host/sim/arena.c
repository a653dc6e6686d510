/*
 * arena.c: boots as kernel/memory/steps.c does, but from ranges of frames instead of a map.
 */
#include "tests/host/sim/arena.h"

#include <string.h>

#include "arch/x86_64/paging.h"
#include "mm/cache.h"
#include "mm/memblock.h"
#include "mm/numa.h"
#include "mm/shelf.h"
#include "tests/host/sim/sim.h"

static bool is_empty(const struct frames *range)
{
	return range->start == range->end;
}

static void for_ranges(const struct frames *ranges, void (*each)(pfn_t start, pfn_t end))
{
	for (; !is_empty(ranges); ranges++)
		each(ranges->start, ranges->end);
}

static struct model *model; /* of the arena that is booted */

/* Adds RAM of the arena, piece by piece, as the model has it. */
static void add(pfn_t start, pfn_t end)
{
	for (pfn_t next; start < end; start = next) {
		unsigned int zone = model_zone(model->nodes, start, (next = end, &next));
		bool hotplug = (zone & 3) == ZONE_HOTPLUG;

		memblock_add_node(PFN_PHYS(start), PFN_PHYS(next - start),
				  (int)(zone >> ZONE_TYPE_BITS),
				  hotplug ? MEMBLOCK_HOTPLUG : MEMBLOCK_NONE);
	}
}

static void reserve(pfn_t start, pfn_t end)
{
	memblock_reserve(PFN_PHYS(start), PFN_PHYS(end - start));
}

static void release(pfn_t start, pfn_t end)
{
	memblock_phys_free(PFN_PHYS(start), PFN_PHYS(end - start));
}

static void spoil(pfn_t start, pfn_t end)
{
	for (pfn_t pfn = start; pfn < end; pfn++)
		*pfn_to_page(pfn) =
		    (struct page){ .state = 0xbad1000000000001ull, .owner_word = 0x5a5a };
}

static void to_model(pfn_t start, pfn_t end)
{
	model_hand_over(model, start, end);
}

static void from_model(pfn_t start, pfn_t end)
{
	model_take_back(model, start, end);
}

static void init_model(const struct arena *arena, struct model *m)
{
	const struct frames *last = arena->ram;

	while (!is_empty(last + 1))
		last++;
	model_init(m, arena->ram[0].start, last->end - arena->ram[0].start, arena->nodes);
	model = m;
	for_ranges(arena->ram, to_model);
	for_ranges(arena->reserved, from_model);
}

/*
 * Returns the size of the metadata's RAM in frames: 1 MiB, and twice the size of the descriptors,
 * which are most of the metadata of a large arena.
 */
static pfn_t frames_for_metadata(const struct arena *arena)
{
	pfn_t frames = 0;

	for (const struct frames *ram = arena->ram; !is_empty(ram); ram++)
		frames += ram->end - ram->start;
	return 256 + 2 * PFN_DOWN(frames * sizeof(struct page));
}

void arena_boot(const struct arena *arena, uint32_t cache_limit, struct model *m)
{
	struct paging_config paging = { .nx = true };
	pfn_t metadata_end = arena->metadata + frames_for_metadata(arena);
	pfn_t end = metadata_end;

	init_model(arena, m);
	sim_reset();
	if (end < m->base + m->frames)
		end = m->base + m->frames;
	sim_map_ram(PFN_PHYS(end));
	memblock_allow_resize();
	memblock_add_node(PFN_PHYS(arena->metadata), PFN_PHYS(metadata_end - arena->metadata),
			  METADATA_NODE, MEMBLOCK_NONE);
	for_ranges(arena->ram, add);
	node_set_online(m->nodes->cpu);
	set_cpu_numa_node(0, m->nodes->cpu);
	if ((unsigned int)m->nodes->cpu >=
	    m->nodes->nr) /* otherwise the metadata's may be nearest */
		node_set_distance(m->nodes->cpu, (int)m->nodes->nr - 1, 15);
	for_ranges(arena->ram, reserve);
	memset(phys_to_virt(PFN_PHYS(arena->metadata)), 0xa5,
	       PFN_PHYS(metadata_end - arena->metadata));
	paging_init(&paging);
	paging_direct_map();
	mem_map_init();
	for_ranges(arena->ram, spoil);
	zones_init(0xf1e2d3c4b5a69788ull);
	for_ranges(arena->ram, release);
	for_ranges(arena->reserved, reserve);
	reserve(arena->metadata, metadata_end);
	memblock_free_all();
	zones_finish();
	sim_limit_caches(cache_limit, cache_limit / 2);
	m->no_caches = !cache_limit && MM_BITMAP_SHIFT <= 3; /* nor has the cache away room there */
}

/* The memory of which a state consists. */
static struct part {
	char *at;
	size_t size;
} parts[256];
static unsigned int nr_parts;
static size_t state_size; /* bytes, a multiple of 8 */

static void add_part(void *at, size_t size)
{
	if (nr_parts == sizeof(parts) / sizeof(parts[0]))
		panic("an arena of more than %u parts", nr_parts);
	parts[nr_parts++] = (struct part){ at, size };
	state_size += (size + 7) & ~(size_t)7;
}

static void add_cache(struct frame_cache *cache)
{
	add_part(cache, sizeof(*cache) + cache->limit * sizeof(struct page *));
	add_part(cache_out(cache), cache->out_limit * sizeof(struct page *));
}

static void add_zone(struct zone *z)
{
	add_part(&z->lock, sizeof(*z) - offsetof(struct zone, lock)); /* the rest never changes */
	for (unsigned int i = 0; i < NR_SHELVES; i++)
		if (z->shelf[i])
			add_part(z->shelf[i]->set, sizeof(z->shelf[i]->set));
	for_each_gib(z, gib) {
		pfn_t last = z->end_pfn - 1 - gib_pfn(gib);
		pfn_t blocks = last >= GIB_FRAMES ? BITMAP_BITS : (last >> BLOCK_ORDER) + 1;

		add_part(gib_at(z, gib), sizeof(struct gib) + blocks * sizeof(struct bitmap));
	}
}

size_t arena_state_size(const struct arena *arena, struct model *m)
{
	nr_parts = 0;
	state_size = 0;
	add_part(m->frame, m->frames);
	for_each_zone(z)
		if (z->managed)
			add_part(&m->free[z->id], sizeof(m->free[0]));
	for (unsigned int cpu = 0; cpu < sim_nr_cpus; cpu++) {
		add_part(&frame_caches[cpu]->table, sizeof(struct cache_table));
		for_each_cache(i)
			if (cache_number(cpu, i)->zone->managed || i == CACHE_AWAY)
				add_cache(cache_number(cpu, i));
	}
	/* Of a zone that has nothing but the metadata only the caches change: they can be shut. */
	for_each_zone(z)
		if (z->managed)
			add_zone(z);
	for (const struct frames *ram = arena->ram; !is_empty(ram); ram++) {
		pfn_t start = ram->start & ~(BLOCK_FRAMES - 1);
		pfn_t end = (ram->end + BLOCK_FRAMES - 1) & ~(BLOCK_FRAMES - 1);

		add_part(pfn_to_page(start), (end - start) * sizeof(struct page));
	}
	return state_size;
}

void arena_save(char *to)
{
	/* These counts decide when a search ends, not what is true: they would multiply states. */
	for_each_zone(z)
		z->work = z->cut_short = 0;
	for (unsigned int i = 0; i < nr_parts; i++) {
		memcpy(to, parts[i].at, parts[i].size);
		to += (parts[i].size + 7) & ~(size_t)7;
	}
}

void arena_restore(const char *from)
{
	for (unsigned int i = 0; i < nr_parts; i++) {
		memcpy(parts[i].at, from, parts[i].size);
		from += (parts[i].size + 7) & ~(size_t)7;
	}
}
