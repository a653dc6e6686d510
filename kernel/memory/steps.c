#include "kernel/memory/steps.h"
#include "mm/debug.h"
#include "mm/memblock.h"
#include "mm/numa.h"
#include "mm/zone.h"

/*
 * What must be free beside the kernel's image when mem= is applied, and the loader's low memory is
 * still in use: page tables of 17 frames, as RAM of a few MiB needs them; numa_map, 120 KiB, if
 * there are nodes; and the rest for work at the prompt. mem_map, the zones and the areas of other
 * CPUs, together less than 100 KiB, are taken when the loader's memory has come back; but of that
 * there is little where INT 12h reports little.
 */
#define LEAST_FREE (256u << 10)

struct e820_map e820_map;
const struct numa_map *numa_map;

void memory_correct(const struct memory_input *in)
{
	e820_sanitize(&e820_map, in->raw, in->nr_raw);
}

/* Adds the part of a range that lies below limit. Returns the size of the rest, in bytes. */
static uint64_t add_ram(phys_addr_t base, phys_addr_t size, phys_addr_t limit)
{
	phys_addr_t usable = base >= limit ? 0 : limit - base < size ? limit - base : size;

	memblock_add(base, usable);
	return size - usable;
}

void memory_reserve_low(const struct memory_input *in)
{
	memblock_reserve(0, LOW_MEMORY_KEPT);
	if (in->ebda)
		memblock_reserve(in->ebda, LOW_MEMORY_END - in->ebda);
}

uint64_t memory_to_memblock(const struct memory_input *in)
{
	phys_addr_t limit = PFN_PHYS(MM_MAX_PFN);
	uint64_t left_out = 0;

	if (in->limit < limit)
		limit = in->limit;
	memory_reserve_low(in);
	for (uint32_t i = 0; i < in->nr_taken; i++)
		memblock_reserve(in->taken[i].base, in->taken[i].size);
	memblock_allow_resize(); /* an array that grows takes RAM that is not reserved */
	for (uint32_t i = 0; i < e820_map.nr_ranges; i++) {
		const struct e820_range *range = &e820_map.ranges[i];

		if (range->type == E820_TYPE_RAM)
			left_out += add_ram(range->base, range->size, limit);
	}
	memblock_trim_memory(PAGE_SIZE);
	memblock_set_node(0, PHYS_ADDR_MAX, &memblock.memory, 0);
	return left_out;
}

/* Returns how many bytes of RAM lie below end. */
static uint64_t ram_below(phys_addr_t end)
{
	const struct memblock_region *region;
	uint64_t bytes = 0;

	for_each_mem_region(region)
		if (region->base < end)
			bytes +=
			    end - region->base < region->size ? end - region->base : region->size;
	return bytes;
}

uint64_t memory_least_limit(phys_addr_t image_end)
{
	phys_addr_t start, stop, end = PFN_PHYS(PFN_UP(image_end));
	uint64_t missing = LEAST_FREE, i;

	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, &stop, NULL) {
		if (stop - start >= missing)
			return ram_below(start + missing > end ? start + missing : end);
		missing -= stop - start;
	}
	return memblock_phys_mem_size();
}

/* Fills *map by what `in` says about nodes, for nr_ram ranges of RAM. */
static void read_nodes(struct numa_map *map, const struct memory_input *in,
		       const struct numa_ram *ram, uint32_t nr_ram)
{
	struct numa_input tables = {
		in->srat, in->srat_size, in->slit, in->slit_size, ram, nr_ram
	};

	if (in->numa_fake)
		numa_fake(map, in->numa_fake, ram, nr_ram);
	else if (in->nr_given)
		numa_from_ranges(map, in->given, in->nr_given, ram, nr_ram);
	else
		numa_read(map, &tables);
}

/* Returns what read_nodes() makes for the RAM of memblock, or NULL if there is no memory for it. */
static const struct numa_map *make_numa_map(const struct memory_input *in)
{
	struct numa_map *map = memblock_alloc_raw(sizeof(*map), PAGE_SIZE);
	size_t ram_size = memblock.memory.cnt * sizeof(struct numa_ram);
	struct numa_ram *ram = memblock_alloc_raw(ram_size, PAGE_SIZE);
	const struct memblock_region *region;
	uint32_t nr_ram = 0;

	if (!map || !ram) {
		printk("no memory to read the tables of nodes: there is one node\n");
		memblock_free(map, map ? sizeof(*map) : 0);
		return NULL;
	}
	for_each_mem_region(region)
		ram[nr_ram++] = (struct numa_ram){ region->base, region->size };
	read_nodes(map, in, ram, nr_ram);
	memblock_free(ram, ram_size);
	return map;
}

static void set_distances(void)
{
	for (uint32_t from = 0; from < numa_map->nr_nodes; from++)
		for (uint32_t to = 0; to < numa_map->nr_nodes; to++)
			if (from != to)
				node_set_distance((int)from, (int)to, numa_map->distance[from][to]);
}

/* Returns the node of the processor with this APIC id; 0 if the tables do not say it. */
static uint32_t node_of_apic_id(uint32_t apic_id)
{
	for (uint32_t i = 0; i < numa_map->nr_cpus; i++)
		if (numa_map->cpus[i].apic_id == apic_id)
			return numa_map->cpus[i].nid;
	return 0;
}

void memory_to_nodes(const struct memory_input *in)
{
	numa_map = NULL;
	numa_init();
	if (in->numa_off || (!in->numa_fake && !in->nr_given && !in->srat))
		return; /* CPUs that are not named are node 0's */
	numa_map = make_numa_map(in);
	if (!numa_map)
		return;
	/* RAM stays on node 0 if memblock's array has no room to grow for a range of another. */
	for (uint32_t i = 0; i < numa_map->nr_ranges; i++) {
		const struct numa_range *range = &numa_map->ranges[i];

		if (range->nid &&
		    memblock_set_node(range->base, range->size, &memblock.memory, (int)range->nid))
			printk("no memory to note a range of node %u: it is node 0's\n",
			       range->nid);
	}
	for (uint32_t nid = 0; nid < numa_map->nr_nodes; nid++)
		node_set_online((int)nid);
	set_distances();
	for (uint32_t cpu = 0; cpu < in->nr_cpus; cpu++)
		set_cpu_numa_node(cpu, (int)node_of_apic_id(in->apic_ids[cpu]));
}

void memory_hand_over(uint64_t seed, unsigned int debug)
{
	mm_debug_init(debug);
	zones_init(seed);
	memblock_free_all();
	zones_finish();
}
