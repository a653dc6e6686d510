#include "kernel/memory/nodes.h"

#include "arch/x86_64/cpus.h"
#include "kernel/memory/steps.h"
#include "lib/format.h"
#include "mm/numa.h"
#include "mm/port.h"

/* Nodes that interleave have a range for each 2 MiB, which would fill the log. */
#define MAX_LINES 64

void report_node_corrections(print_fn print)
{
	char text[NUMA_CORRECTION_TEXT];

	if (!numa_map)
		return;
	for (uint32_t i = 0; i < numa_map->nr_corrections && i < NUMA_MAX_CORRECTIONS; i++)
		print("numa: correction: %s\n",
		      numa_correction_text(&numa_map->corrections[i], text));
	if (numa_map->nr_corrections > NUMA_MAX_CORRECTIONS)
		print("numa: correction: and %u more\n",
		      numa_map->nr_corrections - NUMA_MAX_CORRECTIONS);
}

void report_nodes(print_fn print)
{
	report_node_corrections(print);
	if (!numa_map || (numa_map->nr_nodes == 1 && !numa_map->nr_corrections))
		return;
	for (uint32_t i = 0; i < numa_map->nr_ranges && i < MAX_LINES; i++) {
		const struct numa_range *range = &numa_map->ranges[i];

		print("NODE %u: [mem 0x%016llx-0x%016llx]\n", range->nid, ULL(range->base),
		      ULL(range->base + range->size - 1));
	}
	if (numa_map->nr_ranges > MAX_LINES)
		print("NODE: and %u more ranges\n", numa_map->nr_ranges - MAX_LINES);
}

/* Prints "node distances:" and the matrix, with numactl's blanks at the ends of the lines. */
static void print_distances(print_fn print)
{
	print("node distances:\nnode ");
	for_each_online_node(nid)
		print("%3d ", nid);
	print("\n");
	for_each_online_node(from) {
		print("%3d: ", from);
		for_each_online_node(to)
			print("%3u ", node_distance(from, to));
		print("\n");
	}
}

void report_hardware(print_fn print)
{
	int last = nr_node_ids() - 1;

	/* Nodes are numbered without gaps: lib/numa.h. */
	print(last ? "available: %d nodes (0-%d)\n" : "available: %d nodes (%d)\n", last + 1, last);
	for_each_online_node(nid) {
		print("node %d cpus:", nid);
		for_each_online_cpu(cpu)
			if (cpu_to_node(cpu) == nid)
				print(" %u", cpu);
		print("\nnode %d size: %llu MB\n", nid, ULL(node_present_pages(nid) >> 8));
		print("node %d free: %llu MB\n", nid, ULL(node_free_pages(nid) >> 8));
	}
	print_distances(print);
}

void report_local_descriptors(print_fn print)
{
	uint64_t backed = mem_map_backed(), local = mem_map_local();
	uint64_t tenths = backed ? local * 1000 / backed : 1000;

	if (local * 100 % (backed ? backed : 1) == 0)
		print("local: %llu %% of the descriptors are on their own node\n",
		      ULL(tenths / 10));
	else
		print("local: %llu.%llu %% of the descriptors are on their own node\n",
		      ULL(tenths / 10), ULL(tenths % 10));
}
